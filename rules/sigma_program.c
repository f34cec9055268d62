/* sigma_program.c: asks all rules of a protocol and operation about an event: first what is cheap
 * to ask and leaves few of them. */
#include "rules/sigma_internal.h"

#include "sensor/base/fetch.h"
#include "sensor/base/hash.h"

#include <math.h>
#include <string.h>

/* --- by the two ends, and by the kind of message --- */

/* Keys are hashes of 64 bits: as good as equal. A product of two words depends on all bits of both;
 * key is in it once more, should word make the product zero. */
static inline uint64_t mix(uint64_t key, uint64_t word)
{
    __extension__ unsigned __int128 product =
        (unsigned __int128)(key ^ 0x9e3779b97f4a7c15u) * (word ^ 0xd6e8feb86659fd93u);
    return key ^ (uint64_t)product ^ (uint64_t)(product >> 64);
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

/* The ends of a flow may turn out to be the other way round: then so are these. */
static inline uint64_t client_of(const struct ot_flow *flow)
{
    uint64_t ip[2];
    memcpy(ip, flow->client.ip.bytes, sizeof ip);
    return ip[0] ^ ip[1] ^ (uint64_t)flow->client.port << 40;
}

/* In a history flows of both transports may have one number. small: what else the answer depends
 * on, in 13 bits. */
static inline uint64_t mac_and_transport(const struct ot_flow *flow, unsigned small)
{
    return mac_bits(&flow->client.mac) | (uint64_t)(small << 3 | flow->transport) << 48;
}

static inline uint64_t flow_and_sender(const struct ot_event *e)
{
    return e->flow->id << 1 | e->is_from_client;
}

/* Direction and outcome in four bits. */
static inline unsigned shape_of(const struct ot_event *e)
{
    return (unsigned)e->direction | (unsigned)e->status.result << 2;
}

static uint64_t message_of(const struct ot_event *e)
{
    return (uint64_t)e->function << 32 | e->status.code;
}

static __attribute__((noinline)) uint64_t mix_texts(const struct sigma_program *program,
                                                    const struct ot_event *e)
{
    uint64_t key = 0;
    if (asks(program, FIELD_NAME))
        key = mix_name(key, e, e->name);
    if (asks(program, FIELD_CODE))
        key = mix_code(key, e);
    if (asks(program, FIELD_UNIT))
        key = mix(key, hash_short(e->unit.at, e->unit.size));
    if (asks(program, FIELD_STATUS) && e->status.result != OT_RESULT_NONE)
        key = mix_name(key, e, e->status.name);
    return key;
}

static struct sigma_memo *memo_of(struct sigma_memo *memos, size_t count, uint64_t key)
{
    return &memos[(key >> 1) % count];
}

static uint64_t steps_of_ends(struct sigma *s, const struct sigma_program *program,
                              struct sigma_record *r)
{
    const struct ot_event *e = r->event;
    uint64_t key = mix(mix(flow_and_sender(e), client_of(e->flow)) ^ program->number,
                       mac_and_transport(e->flow, 0)) |
                   1;
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
    const struct ot_event *e = r->event;
    uint64_t key = mix(mix(program->number, shape_of(e)), message_of(e));
    key = mix(key, mix_texts(program, e)) | 1;
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

static inline unsigned needs_of(const struct ot_event *e)
{
    if (!(e->detail.size | e->flags | (unsigned)e->transfer.step | e->fact_count))
        return 0; /* most */
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

/* Units are mostly a letter or two, and few rules ask for more texts. */
static inline uint64_t texts_of(const struct sigma_program *program, const struct ot_event *e)
{
    if (e->is_replayed || e->unit.size >= sizeof(uint64_t) || asks(program, FIELD_CODE) ||
        (e->status.name && asks(program, FIELD_STATUS)))
        return mix_texts(program, e);
    uint64_t bits = e->unit.size;
    for (size_t i = 0; i < e->unit.size; i++)
        bits = bits << 8 | (uint8_t)e->unit.at[i];
    return bits;
}

static __attribute__((noinline)) void learn(struct sigma *s, const struct sigma_program *program,
                                            const struct ot_event *e, uint64_t mac, uint64_t texts,
                                            struct sigma_known *known)
{
    *known = (struct sigma_known){.program = program,
                                  .flow = flow_and_sender(e),
                                  .client = client_of(e->flow),
                                  .mac = mac,
                                  .message = message_of(e),
                                  .name = e->name,
                                  .texts = texts,
                                  .steps = know(s, program, e, program->with[needs_of(e)])};
}

static inline struct sigma_known *known_of(struct sigma *s, const struct sigma_program *program,
                                           const struct ot_event *e)
{
    uint64_t place = (flow_and_sender(e) + program->number) * 0x9e3779b97f4a7c15u ^
                     (e->function ^ (uintptr_t)e->name) * 0xd6e8feb86659fd93u;
    return &s->known[place >> (64 - KNOWN_BITS)];
}

/* Those left by what the event has, its kind and its ends: one question for what a conversation
 * says again and again. */
static inline uint64_t left_by_kind_and_ends(struct sigma *s, const struct sigma_program *program,
                                             const struct ot_event *e, struct sigma_known *known)
{
    uint64_t mac = mac_and_transport(e->flow, shape_of(e) << 4 | needs_of(e)),
             texts = texts_of(program, e),
             differ = (flow_and_sender(e) ^ known->flow) | (client_of(e->flow) ^ known->client) |
                      (mac ^ known->mac) | (message_of(e) ^ known->message) |
                      (texts ^ known->texts);
    if (differ || program != known->program || (e->name != known->name && !e->is_replayed))
        learn(s, program, e, mac, texts, known);
    return known->steps;
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

static inline double real_at(const uint8_t *at, bool is_big)
{
    uint32_t bits =
        is_big ? (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]
               : (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
    float real;
    memcpy(&real, &bits, sizeof real);
    return (double)real;
}

/* What most measurements are. */
static void widen_reals(struct sigma_span *span, const struct ot_values *values)
{
    size_t count = values->size / 4 < values->count ? values->size / 4 : values->count;
    bool is_big = values->encoding == VALUES_F32BE;
    for (size_t i = 0; i < count && values->bytes; i++) {
        widen(span, real_at(&values->bytes[4 * i], is_big));
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

/* Whether a value may be within what any of the steps want. */
static bool is_register_near(const struct sigma_program *program, const struct ot_values *values)
{
    uint64_t least = program->least[SPAN_VALUE], range = program->range[SPAN_VALUE];
    size_t count = values->size / 2 < values->count ? values->size / 2 : values->count;
    if (!values->bytes)
        return false;
    for (const uint8_t *at = values->bytes, *end = at + 2 * count; at < end; at += 2)
        if (((unsigned)at[0] << 8 | at[1]) - least <= range)
            return true;
    return false;
}

static inline bool is_real_near(const struct sigma_program *program, const struct ot_values *values,
                                bool is_big)
{
    double least = program->hulls[SPAN_VALUE].least, most = program->hulls[SPAN_VALUE].most;
    size_t count = values->size / 4 < values->count ? values->size / 4 : values->count;
    if (!values->bytes)
        return false;
    for (const uint8_t *at = values->bytes, *end = at + 4 * count; at < end; at += 4) {
        double real = real_at(at, is_big);
        if (real >= least && real <= most)
            return true;
    }
    return false;
}

static inline bool is_value_near(const struct sigma_program *program,
                                 const struct ot_values *values)
{
    if (values->encoding == VALUES_F32BE)
        return is_real_near(program, values, true);
    if (values->encoding == VALUES_F32LE)
        return is_real_near(program, values, false);
    if (values->encoding == VALUES_U16BE)
        return is_register_near(program, values);
    if (values->encoding == VALUES_TEXT || values->encoding == VALUES_BYTES) {
        struct sigma_span span = {INFINITY, -INFINITY};
        widen_text(&span, values);
        return span.least < span.most;
    }
    return true;
}

static __attribute__((noinline)) unsigned near_of_values(const struct sigma_program *program,
                                                         const struct ot_event *e)
{
    for (const struct ot_item *item = e->items, *end = item + e->item_count; item < end; item++)
        if (program->looks[item->values.encoding] & VALUES_WANTED &&
            is_value_near(program, &item->values))
            return 1U << SPAN_VALUE;
    return 0;
}

static __attribute__((noinline)) unsigned near_of_numbers(const struct sigma_program *program,
                                                          const struct ot_event *e)
{
    unsigned near = 0;
    for (const struct ot_item *item = e->items, *end = item + e->item_count; item < end; item++) {
        if (item->start - program->least[SPAN_START] <= program->range[SPAN_START])
            near |= 1U << SPAN_START;
        if (item->number - program->least[SPAN_NUMBER] <= program->range[SPAN_NUMBER])
            near |= 1U << SPAN_NUMBER;
    }
    return near;
}

static __attribute__((noinline)) uint64_t left_by_names(const struct sigma_program *program,
                                                        const struct ot_event *e)
{
    uint64_t named = ~program->named;
    for (const struct ot_item *item = e->items, *end = item + e->item_count; item < end; item++)
        if (item->name.size)
            named |= program->named_first[sigma_letter(item->name.at[0])] &
                     program->named_last[sigma_ending(item->name.at, item->name.size)];
    return named;
}

/* Most numbers are below all that is looked for, and most items have neither a name nor values that
 * anyone looks for. What is not there is a zero. */
static inline uint64_t left_by_items(const struct sigma_program *program, const struct ot_event *e,
                                     uint64_t left)
{
    uint64_t numbers = 0;
    size_t names = 0;
    unsigned looks = 0;
    for (const struct ot_item *item = e->items, *end = item + e->item_count; item < end; item++) {
        numbers |= item->start | item->number;
        names |= item->name.size;
        looks |= program->looks[item->values.encoding];
    }
    unsigned near = looks ? NEAR_VALUES : 0U;
    if (looks & VALUES_WANTED)
        near |= near_of_values(program, e);
    if (numbers >= program->lowest)
        near |= near_of_numbers(program, e);
    left &= program->left_near[near];
    if (left & program->named)
        left &= names ? left_by_names(program, e) : ~program->named;
    return left & program->of_numbers ? left_by_numbers(program, e, left) : left;
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
                       const struct ot_event *e, struct sigma_known *known, uint64_t times)
{
    uint64_t left = left_by_kind_and_ends(s, program, e, known);
    if (left & program->of_items)
        left = left_by_items(program, e, left);
    if (left)
        finish(s, program, e, left, times);
}

static __attribute__((noinline)) void run_further(struct sigma *s,
                                                  const struct sigma_program *program,
                                                  const struct ot_event *e, uint64_t times)
{
    for (; program; program = program->next)
        run(s, program, e, known_of(s, program, e), times);
}

static inline void run_all(struct sigma *s, const struct sigma_expected *x,
                           const struct ot_event *e, uint64_t times)
{
    run(s, x->program, e, x->known, times);
    if (x->program->next)
        run_further(s, x->program->next, e, times);
}

/* The same few protocols come again and again, under the same few names. */
static inline struct sigma_expected expected(struct sigma *s, const struct ot_event *e)
{
    const char *protocol = e->protocol;
    uintptr_t at = (uintptr_t)protocol;
    struct sigma_recent_bucket *recent =
        &s->buckets[(at ^ (at >> 6) ^ (at >> 12)) % RECENT_BUCKETS];
    if (recent->protocol != protocol || e->is_replayed)
        sigma_bucket_recall(s->rules, recent, protocol);
    struct sigma_expected x = {.program = recent->bucket->programs[e->operation]};
    if (x.program)
        x.known = known_of(s, x.program, e);
    return x;
}

struct sigma_expected sigma_expect(struct sigma *s, const struct ot_event *e)
{
    struct sigma_expected x = expected(s, e);
    if (x.program)
        fetch(x.known);
    return x;
}

void sigma_event_expected(struct sigma *s, const struct ot_event *e, struct sigma_expected x)
{
    if (x.program)
        run_all(s, &x, e, 1);
}

void sigma_event_times(struct sigma *s, const struct ot_event *e, uint64_t times)
{
    struct sigma_expected x = expected(s, e);
    if (x.program)
        run_all(s, &x, e, times);
}

void sigma_event(struct sigma *s, const struct ot_event *e)
{
    sigma_event_times(s, e, 1);
}
