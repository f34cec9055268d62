/* sigma_program.c: asks all rules of a protocol and operation about an event: first what is cheap
 * to ask and leaves few of them. */
#include "rules/sigma_internal.h"

#include "sensor/base/fetch.h"
#include "sensor/base/hash.h"

#include <math.h>
#include <string.h>

/* --- by the two ends, and by the kind of message --- */

/* Keys are hashes of 64 bits: as good as equal. */
static inline uint64_t mix(uint64_t key, uint64_t word)
{
    key = (key ^ word) * 0x9e3779b97f4a7c15u; /* odd: nothing of either is lost */
    return key ^ key >> 29;
}

static uint64_t ask(struct sigma *s, const struct sigma_program *program, struct sigma_record *r,
                    uint64_t steps, bool is_of_ends)
{
    uint64_t left = program->all;
    for (; steps; steps &= steps - 1) {
        const struct sigma_parts *parts = &program->steps[__builtin_ctzll(steps)].parts;
        if (!sigma_node_judge(s, r, is_of_ends ? parts->of_ends : parts->of_kind))
            left &= ~(steps & -steps);
    }
    return left;
}

/* In two pieces: eight bytes put together in memory from fewer are slow to read back. */
static uint64_t mac_bits(const struct mac *mac)
{
    uint32_t high;
    uint16_t low;
    memcpy(&high, mac->bytes, sizeof high);
    memcpy(&low, mac->bytes + sizeof high, sizeof low);
    return (uint64_t)high << 16 | low;
}

static bool asks(const struct sigma_program *program, enum sigma_field field)
{
    return program->kind_fields >> field & 1;
}

/* A dissector's names are static texts: the pointer stands for them. */
static inline uint64_t mix_name(uint64_t key, const struct ot_event *e, const char *name)
{
    if (e->is_replayed && name)
        return mix(key, hash_bytes(name, strlen(name)));
    return mix(key, (uintptr_t)name);
}

static uint64_t mix_code(uint64_t key, const struct ot_event *e)
{
    if (e->code_text)
        return mix(key, hash_bytes(e->code_text, strlen(e->code_text)));
    key = mix(key, (uint64_t)e->code[0] << 32 | e->code[1]);
    key = mix(key, (uint64_t)e->code[2] << 32 | e->code[3]);
    return mix(key, (uintptr_t)e->spell);
}

static inline uint64_t mix_unit(uint64_t key, struct text unit)
{
    uint64_t bits = 0;
    if (unit.size > sizeof bits)
        return mix(key, hash_bytes(unit.at, unit.size));
    for (size_t i = 0; i < unit.size; i++) /* most have one letter, or two */
        bits = bits << 8 | (uint8_t)unit.at[i];
    return mix(key ^ unit.size, bits);
}

/* The ends of a flow may turn out to be the other way round; in a history flows of both transports
 * may have one number. small: what else the answer depends on, in 16 bits. */
static inline uint64_t ends_key(const struct sigma_program *program, const struct ot_event *e,
                                unsigned small)
{
    const struct ot_flow *flow = e->flow;
    uint64_t client[2];
    memcpy(client, flow->client.ip.bytes, sizeof client);
    uint64_t key = mix(flow->id << 1 | e->is_from_client,
                       client[0] ^ client[1] ^ (uint64_t)flow->client.port << 40);
    unsigned rest = small << 3 | flow->transport;
    return mix(key ^ (uintptr_t)program, mac_bits(&flow->client.mac) | (uint64_t)rest << 48);
}

/* Direction and outcome in four bits. */
static inline unsigned shape_of(const struct ot_event *e)
{
    return (unsigned)e->direction | (unsigned)e->status.result << 2;
}

static inline __attribute__((always_inline)) uint64_t
mix_kind(uint64_t key, const struct sigma_program *program, const struct ot_event *e)
{
    key = mix(key, (uint64_t)e->function << 32 | e->status.code);
    if (asks(program, FIELD_NAME))
        key = mix_name(key, e, e->name);
    if (asks(program, FIELD_CODE))
        key = mix_code(key, e);
    if (asks(program, FIELD_UNIT))
        key = mix_unit(key, e->unit);
    if (e->status.result != OT_RESULT_NONE && asks(program, FIELD_STATUS))
        key = mix_name(key, e, e->status.name);
    return key | 1;
}

static struct sigma_memo *memo_of(struct sigma_memo *memos, size_t count, uint64_t key)
{
    return &memos[(key >> 1) % count];
}

static uint64_t steps_of_ends(struct sigma *s, const struct sigma_program *program,
                              struct sigma_record *r)
{
    uint64_t key = ends_key(program, r->event, 0) | 1;
    struct sigma_memo *memo = memo_of(s->ends, MEMO_ENDS, key);
    if (memo->key != key) {
        memo->steps = ask(s, program, r, program->of_ends, true);
        memo->key = key;
    }
    return memo->steps;
}

static uint64_t steps_of_kind(struct sigma *s, const struct sigma_program *program,
                              struct sigma_record *r)
{
    uint64_t key = mix_kind(mix((uintptr_t)program, shape_of(r->event)), program, r->event);
    struct sigma_memo *memo = memo_of(s->kinds, MEMO_KINDS, key);
    if (memo->key != key) {
        memo->steps = ask(s, program, r, program->of_kind, false);
        memo->key = key;
    }
    return memo->steps;
}

static struct sigma_record record_of(const struct ot_event *e)
{
    return (struct sigma_record){.kind = SIGMA_EVENT,
                                 .event = e,
                                 .flow = e->flow,
                                 .packet = e->packet,
                                 .protocol = e->protocol,
                                 .time_ns = e->time_ns,
                                 .item = NO_ITEM};
}

static unsigned needs_of(const struct ot_event *e)
{
    return (e->detail.size ? NEED_DETAIL : 0U) | (e->flags ? NEED_FLAGS : 0U) |
           (e->transfer.step != TRANSFER_NONE ? NEED_TRANSFER : 0U) |
           (e->fact_count ? NEED_FACTS : 0U);
}

static __attribute__((noinline)) uint64_t know(struct sigma *s, const struct sigma_program *program,
                                               const struct ot_event *e, uint64_t left)
{
    struct sigma_record r = record_of(e);
    if (left & program->of_kind)
        left &= steps_of_kind(s, program, &r);
    if (left & program->of_ends)
        left &= steps_of_ends(s, program, &r);
    return left;
}

uint64_t sigma_program_key(const struct sigma_program *program, const struct ot_event *e)
{
    return mix_kind(ends_key(program, e, shape_of(e) << 4 | needs_of(e)), program, e);
}

void sigma_program_expect(struct sigma *s, uint64_t key)
{
    fetch(memo_of(s->known, MEMO_KNOWN, key));
}

/* Those left by what the event has, its kind and its ends: one question for what a conversation
 * says again and again. */
static inline uint64_t left_by_kind_and_ends(struct sigma *s, const struct sigma_program *program,
                                             const struct ot_event *e, uint64_t key)
{
    struct sigma_memo *memo = memo_of(s->known, MEMO_KNOWN, key);
    if (memo->key != key) {
        memo->steps = know(s, program, e, program->with[needs_of(e)]);
        memo->key = key;
    }
    return memo->steps;
}

/* --- by items --- */

/* The numbers of one event, of all its items. */
struct numbers {
    struct sigma_span of[SPANS];
};

static void widen(struct sigma_span *span, double number)
{
    span->least = number < span->least ? number : span->least;
    span->most = number > span->most ? number : span->most;
}

/* What most values are. */
static void widen_registers(struct sigma_span *span, const struct ot_values *values)
{
    unsigned least = UINT16_MAX, most = 0;
    size_t count = values->size / 2 < values->count ? values->size / 2 : values->count;
    if (count == 0 || !values->bytes)
        return;
    for (size_t i = 0; i < count; i++) {
        unsigned value = (unsigned)values->bytes[2 * i] << 8 | values->bytes[2 * i + 1];
        least = value < least ? value : least;
        most = value > most ? value : most;
    }
    widen(span, least);
    widen(span, most);
}

/* What most measurements are. */
static void widen_reals(struct sigma_span *span, const struct ot_values *values)
{
    size_t count = values->size / 4 < values->count ? values->size / 4 : values->count;
    bool is_big = values->encoding == VALUES_F32BE;
    for (size_t i = 0; i < count && values->bytes; i++) {
        const uint8_t *at = &values->bytes[4 * i];
        uint32_t bits =
            is_big ? (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]
                   : (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
        float real;
        memcpy(&real, &bits, sizeof real);
        widen(span, (double)real);
    }
}

/* A text may be any number when it begins like one: sigma_matcher_test. */
static void widen_text(struct sigma_span *span, const struct ot_values *values)
{
    if (!values->bytes || values->size == 0)
        return;
    size_t sign = values->bytes[0] == '-' || values->bytes[0] == '+';
    if (values->size > sign && values->bytes[sign] >= '0' && values->bytes[sign] <= '9')
        *span = (struct sigma_span){-INFINITY, INFINITY};
}

static void widen_values(struct sigma_span *span, const struct ot_values *values)
{
    struct sigma_span type = sigma_type_span(values->encoding);
    if (values->encoding == VALUES_U16BE) {
        widen_registers(span, values);
    } else if (values->encoding == VALUES_F32BE || values->encoding == VALUES_F32LE) {
        widen_reals(span, values);
    } else if (values->encoding == VALUES_TEXT || values->encoding == VALUES_BYTES) {
        widen_text(span, values);
    } else if (type.least < type.most) { /* narrow types need no look at each value */
        widen(span, type.least);
        widen(span, type.most);
    } else {
        double number;
        for (uint32_t i = 0; i < values->count; i++) {
            struct ot_value value = ot_value_at(values, i);
            if (!ot_value_number(&value, &number))
                return;
            widen(span, number);
        }
    }
}

static uint64_t left_by_numbers(const struct sigma_program *program, const struct ot_event *e,
                                uint64_t left)
{
    struct numbers numbers;
    uint64_t spanning = 0;
    for (size_t k = 0; k < SPANS; k++) {
        numbers.of[k] = (struct sigma_span){INFINITY, -INFINITY};
        spanning |= program->spanning[k];
    }
    for (uint32_t i = 0; i < e->item_count; i++) {
        const struct ot_item *item = &e->items[i];
        if (item->has_start)
            widen(&numbers.of[SPAN_START], (double)item->start);
        if (item->has_number)
            widen(&numbers.of[SPAN_NUMBER], item->number);
        if (item->values.count && program->encodings >> item->values.encoding & 1)
            widen_values(&numbers.of[SPAN_VALUE], &item->values);
    }
    for (uint64_t steps = left & spanning; steps; steps &= steps - 1) {
        const struct sigma_parts *parts = &program->steps[__builtin_ctzll(steps)].parts;
        for (size_t k = 0; k < SPANS; k++) {
            const struct sigma_span *wanted = &parts->spans[k], *there = &numbers.of[k];
            if (there->most < wanted->least || there->least > wanted->most)
                left &= ~(steps & -steps);
        }
    }
    return left;
}

/* Most numbers and names are far from all that is looked for: then their steps go at once. */
static inline uint64_t left_by_items(const struct sigma_program *program, const struct ot_event *e,
                                     uint64_t left)
{
    bool is_start_near = false, is_number_near = false, is_value_near = false, has_values = false;
    uint64_t named = 0;
    for (uint32_t i = 0; i < e->item_count; i++) {
        const struct ot_item *item = &e->items[i];
        is_start_near |= item->has_start &&
                         item->start - program->least[SPAN_START] <= program->range[SPAN_START];
        is_number_near |= item->has_number &&
                          item->number - program->least[SPAN_NUMBER] <= program->range[SPAN_NUMBER];
        if (item->values.count) {
            has_values = true;
            is_value_near |= program->encodings >> item->values.encoding & 1;
        }
        if (item->name.size)
            named |= program->named_first[sigma_letter(item->name.at[0])] &
                     program->named_last[sigma_ending(item->name.at, item->name.size)];
    }
    uint64_t far = (program->named & ~named) | (has_values ? 0 : program->valued);
    far |= is_start_near ? 0 : program->spanning[SPAN_START];
    far |= is_number_near ? 0 : program->spanning[SPAN_NUMBER];
    far |= is_value_near ? 0 : program->spanning[SPAN_VALUE];
    return left & ~far;
}

/* --- all of it --- */

static __attribute__((noinline)) void finish(struct sigma *s, const struct sigma_program *program,
                                             const struct ot_event *e, uint64_t left,
                                             uint64_t times)
{
    struct sigma_record r = record_of(e);
    for (; left; left &= left - 1) {
        const struct sigma_step *step = &program->steps[__builtin_ctzll(left)];
        if (!step->parts.rest || sigma_node_judge(s, &r, step->parts.rest))
            sigma_rule_matched(s, step->rule, &r, times);
    }
}

static inline void run(struct sigma *s, const struct sigma_program *program,
                       const struct ot_event *e, uint64_t key, uint64_t times)
{
    uint64_t left = left_by_kind_and_ends(s, program, e, key);
    if (left & program->of_items) {
        left = left_by_items(program, e, left);
        if (left & program->of_numbers)
            left = left_by_numbers(program, e, left);
    }
    if (left)
        finish(s, program, e, left, times);
}

void sigma_program_run(struct sigma *s, const struct sigma_program *program,
                       const struct ot_event *e, uint64_t key, uint64_t times)
{
    run(s, program, e, key, times);
    while ((program = program->next) != NULL)
        run(s, program, e, sigma_program_key(program, e), times);
}
