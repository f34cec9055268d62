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

static uint64_t mac_bits(const struct mac *mac)
{
    uint64_t bits = 0;
    memcpy(&bits, mac->bytes, sizeof mac->bytes);
    return bits;
}

/* The ends of a flow may turn out to be the other way round; in a history flows of both transports
 * may have one number. */
static uint64_t ends_key(const struct sigma_program *program, const struct ot_event *e)
{
    const struct ot_flow *flow = e->flow;
    uint64_t client[2];
    memcpy(client, flow->client.ip.bytes, sizeof client);
    uint64_t key = mix(flow->id << 1 | e->is_from_client,
                       client[0] ^ client[1] ^ (uint64_t)flow->client.port << 40);
    return mix(key ^ (uintptr_t)program,
               mac_bits(&flow->client.mac) ^ (uint64_t)flow->transport << 56) |
           1;
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

static uint64_t kind_key(const struct sigma_program *program, const struct ot_event *e)
{
    uint64_t key = mix((uintptr_t)program, (uint64_t)e->function << 8 | e->direction);
    if (asks(program, FIELD_NAME))
        key = mix_name(key, e, e->name);
    if (asks(program, FIELD_CODE))
        key = mix_code(key, e);
    if (asks(program, FIELD_UNIT))
        key = mix_unit(key, e->unit);
    if (e->status.result != OT_RESULT_NONE &&
        (asks(program, FIELD_STATUS) || asks(program, FIELD_STATUS_CODE))) {
        key = mix(key, (uint64_t)e->status.code << 8 | e->status.result);
        key = mix_name(key, e, e->status.name);
    }
    return key | 1;
}

static uint64_t steps_of_kind(struct sigma *s, const struct sigma_program *program,
                              struct sigma_record *r)
{
    uint64_t key = kind_key(program, r->event);
    struct sigma_memo *memo = &s->kinds[(key >> 1) % MEMO_KINDS];
    if (memo->key != key) {
        memo->steps = ask(s, program, r, program->of_kind, false);
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

static uint64_t left_by_names(const struct sigma_program *program, const struct ot_event *e,
                              uint64_t left)
{
    uint32_t firsts = 0, lasts = 0;
    for (uint32_t i = 0; i < e->item_count; i++) {
        struct text name = e->items[i].name;
        if (name.size == 0)
            continue;
        firsts |= UINT32_C(1) << SIGMA_LETTER(name.at[0]);
        lasts |= UINT32_C(1) << SIGMA_LETTER(name.at[name.size - 1]);
    }
    for (uint64_t steps = left & program->named; steps; steps &= steps - 1) {
        const struct sigma_parts *parts = &program->steps[__builtin_ctzll(steps)].parts;
        if (!(parts->firsts & firsts) || !(parts->lasts & lasts))
            left &= ~(steps & -steps);
    }
    return left;
}

/* Most numbers are far from all that is looked for: then their steps go at once. */
static uint64_t left_by_items(const struct sigma_program *program, const struct ot_event *e,
                              uint64_t left)
{
    bool is_start_near = false, is_number_near = false, has_values = false, is_value_near = false;
    for (uint32_t i = 0; i < e->item_count; i++) {
        const struct ot_item *item = &e->items[i];
        is_start_near |= item->has_start &&
                         item->start - program->least[SPAN_START] <= program->range[SPAN_START];
        is_number_near |= item->has_number &&
                          item->number - program->least[SPAN_NUMBER] <= program->range[SPAN_NUMBER];
        has_values |= item->values.count > 0;
        is_value_near |= item->values.count && program->encodings >> item->values.encoding & 1;
    }
    left &= is_start_near ? left : ~program->spanning[SPAN_START];
    left &= is_number_near ? left : ~program->spanning[SPAN_NUMBER];
    left &= is_value_near ? left : ~program->spanning[SPAN_VALUE];
    left &= has_values ? left : ~program->valued;
    if (left & program->named)
        left = left_by_names(program, e, left);
    if (left & (program->spanning[SPAN_START] | program->spanning[SPAN_NUMBER] |
                program->spanning[SPAN_VALUE]))
        left = left_by_numbers(program, e, left);
    return left;
}

/* --- all of it --- */

static unsigned needs_of(const struct ot_event *e)
{
    return (e->detail.size ? NEED_DETAIL : 0U) | (e->flags ? NEED_FLAGS : 0U) |
           (e->transfer.step != TRANSFER_NONE ? NEED_TRANSFER : 0U) |
           (e->fact_count ? NEED_FACTS : 0U);
}

static void finish(struct sigma *s, const struct sigma_step *step, struct sigma_record *r,
                   uint64_t times)
{
    if (!step->parts.rest || sigma_node_judge(s, r, step->parts.rest))
        sigma_rule_matched(s, step->rule, r, times);
}

static void run(struct sigma *s, const struct sigma_program *program, struct sigma_record *r,
                uint64_t times)
{
    const struct ot_event *e = r->event;
    uint64_t key = ends_key(program, e);
    struct sigma_memo *ends = &s->ends[(key >> 1) % MEMO_ENDS];
    if (program->of_ends)
        fetch(ends); /* conversations are many */
    uint64_t left = program->with[needs_of(e)];
    if (left & program->of_kind)
        left &= steps_of_kind(s, program, r);
    if (left & program->of_items)
        left = left_by_items(program, e, left);
    if (left & program->of_ends) {
        if (ends->key != key) {
            ends->steps = ask(s, program, r, program->of_ends, true);
            ends->key = key;
        }
        left &= ends->steps;
    }
    for (; left; left &= left - 1)
        finish(s, &program->steps[__builtin_ctzll(left)], r, times);
}

void sigma_program_run(struct sigma *s, const struct sigma_program *program, struct sigma_record *r,
                       uint64_t times)
{
    for (; program; program = program->next)
        run(s, program, r, times);
}
