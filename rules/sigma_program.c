/* sigma_program.c: asks all rules of a protocol and operation about an event: first what is cheap
 * to ask and leaves few of them. */
#include "rules/sigma_internal.h"

#include "sensor/base/fetch.h"
#include "sensor/base/hash.h"

#include <string.h>

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

enum question { OF_ENDS, OF_KIND, OF_MESSAGE };

static bool is_true(struct sigma *s, struct sigma_record *r, const struct sigma_parts *parts,
                    enum question question)
{
    if (question == OF_ENDS)
        return !parts->of_ends || sigma_node_judge(s, r, parts->of_ends);
    if (parts->of_kind && !sigma_node_judge(s, r, parts->of_kind))
        return false;
    return question == OF_KIND || !parts->of_texts || sigma_node_judge(s, r, parts->of_texts);
}

/* The steps of which the question is true. */
static uint64_t ask(struct sigma *s, const struct sigma_program *program, const struct ot_event *e,
                    enum question question)
{
    struct sigma_record r = record_of(e);
    uint64_t left = 0;
    for (uint32_t i = 0; i < program->count; i++)
        if (is_true(s, &r, &program->wants->steps[i].parts, question))
            left |= UINT64_C(1) << i;
    return left;
}

/* Keys are hashes of 64 bits: as good as equal. A product of two words depends on all bits of both;
 * key is in it once more, should word make the product zero. */
static inline uint64_t mix(uint64_t key, uint64_t word)
{
    __extension__ unsigned __int128 product =
        (unsigned __int128)(key ^ 0x9e3779b97f4a7c15u) * (word ^ 0xd6e8feb86659fd93u);
    return key ^ (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* --- by the two ends --- */

static inline uint64_t conversation_of(const struct sigma_program *program,
                                       const struct ot_event *e)
{
    return e->flow->id << 1 | (e->is_from_client & program->senders);
}

/* The ends of a flow may turn out to be the other way round: then so are these. In a history flows
 * of both transports may have one number. Never 0. */
static inline uint64_t ends_key(const struct sigma_program *program, const struct ot_event *e)
{
    const struct ot_flow *flow = e->flow;
    uint64_t ip[2];
    memcpy(ip, flow->client.ip.bytes, sizeof ip);
    uint64_t key =
        mix(conversation_of(program, e), ip[0] ^ ip[1] ^ (uint64_t)flow->client.port << 40);
    return mix(key ^ program->number,
               mac_number(&flow->client.mac) | (uint64_t)flow->transport << 48) |
           1;
}

/* Where it is remembered. */
static inline struct sigma_memo *ends_memo(struct sigma *s, const struct sigma_program *program,
                                           const struct ot_event *e)
{
    uint64_t place = (conversation_of(program, e) + program->number) * 0x9e3779b97f4a7c15u;
    return &s->ends[place >> (64 - ENDS_BITS)];
}

static __attribute__((noinline)) uint64_t
steps_of_ends(struct sigma *s, const struct sigma_program *program, const struct ot_event *e)
{
    struct sigma_memo *memo = ends_memo(s, program, e);
    uint64_t key = ends_key(program, e);
    if (memo->key != key)
        *memo = (struct sigma_memo){key, ask(s, program, e, OF_ENDS)};
    return memo->steps;
}

/* Most rules about ends want a few hosts. */
static inline uint64_t left_by_hosts(struct sigma *s, const struct sigma_program *program,
                                     const struct ot_event *e, uint64_t left)
{
    unsigned client = sigma_host(&e->flow->client.ip), server = sigma_host(&e->flow->server.ip);
    if (!((program->hosts >> client | program->hosts >> server) & 1))
        left &= ~program->of_hosts;
    if (left & program->of_ends)
        fetch(ends_memo(s, program, e));
    return left;
}

/* --- by the message --- */

static inline bool asks(const struct sigma_program *program, enum sigma_field field)
{
    return program->wants->kind_fields >> field & 1;
}

/* A dissector's names are static texts: the pointer stands for them. */
static uint64_t mix_name(uint64_t key, const struct ot_event *e, const char *name)
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

static inline uint64_t function_of(const struct ot_event *e)
{
    return (uint64_t)e->function << 32 | e->status.code;
}

static inline uint64_t shape_of(const struct ot_event *e)
{
    return (unsigned)e->direction | (unsigned)e->status.result << 2 | (unsigned)e->operation << 4;
}

/* Never 0. */
static uint64_t texts_key(const struct sigma_program *program, const struct ot_event *e)
{
    uint64_t key = mix(mix(program->number, shape_of(e)), function_of(e));
    if (asks(program, FIELD_NAME))
        key = mix_name(key, e, e->name);
    if (asks(program, FIELD_CODE))
        key = mix_code(key, e);
    if (asks(program, FIELD_UNIT))
        key = mix(key, hash_short(e->unit.at, e->unit.size));
    if (asks(program, FIELD_STATUS) && e->status.result != OT_RESULT_NONE)
        key = mix_name(key, e, e->status.name);
    return key | 1;
}

static __attribute__((noinline)) uint64_t
steps_of_texts(struct sigma *s, const struct sigma_program *program, const struct ot_event *e)
{
    uint64_t key = texts_key(program, e);
    struct sigma_memo *memo = &s->texts[key >> (64 - TEXTS_BITS)];
    if (memo->key != key)
        *memo = (struct sigma_memo){key, ask(s, program, e, OF_MESSAGE)};
    return memo->steps;
}

/* owner: see struct sigma_message. */
static inline struct sigma_message message_of(const void *owner, const struct ot_event *e)
{
    return (struct sigma_message){
        .owner = owner,
        .name = e->name,
        .status_name = e->status.name,
        .function = function_of(e),
        .shape = shape_of(e),
    };
}

static inline bool is_same(const struct sigma_message *a, const struct sigma_message *b)
{
    return a->owner == b->owner && a->name == b->name && a->function == b->function &&
           a->shape == b->shape && a->status_name == b->status_name;
}

/* The place of a pair of messages. */
static inline size_t place_of(const void *owner, const struct ot_event *e)
{
    uint64_t place = ((uintptr_t)owner + shape_of(e)) * 0x9e3779b97f4a7c15u ^
                     (function_of(e) ^ (uintptr_t)e->name) * 0xd6e8feb86659fd93u;
    return place >> (64 - MESSAGE_BITS) << 1;
}

static const struct sigma_program *program_of(struct sigma *s, const struct ot_event *e)
{
    return sigma_bucket(s->rules, text_of(e->protocol))->programs[e->operation];
}

/* What is touched next. */
static inline struct sigma_expected fetched(const struct sigma_program *program, uint64_t steps)
{
    if (program) {
        fetch(program);
        fetch(&program->named);
    }
    return (struct sigma_expected){program, steps};
}

/* What was asked last stands in the first place of its pair. */
static __attribute__((noinline)) struct sigma_expected
find(struct sigma *s, const void *owner, const struct ot_event *e, struct sigma_message *pair)
{
    struct sigma_message message = message_of(owner, e);
    if (is_same(&message, &pair[1])) {
        message = pair[1];
    } else {
        message.program = owner == e->protocol ? program_of(s, e) : owner;
        if (message.program)
            message.steps = ask(s, message.program, e, OF_KIND);
    }
    pair[1] = pair[0];
    pair[0] = message;
    return fetched(message.program, message.steps);
}

static inline struct sigma_expected expect(struct sigma *s, const void *owner,
                                           const struct ot_event *e, size_t place)
{
    const struct sigma_message message = message_of(owner, e);
    struct sigma_message *pair = &s->messages[place];
    return is_same(&message, pair) ? fetched(pair->program, pair->steps) : find(s, owner, e, pair);
}

/* program NULL: the first one. */
static __attribute__((noinline)) struct sigma_expected
expect_replayed(struct sigma *s, const struct sigma_program *program, const struct ot_event *e)
{
    if (!program)
        program = program_of(s, e);
    return (struct sigma_expected){program, program ? steps_of_texts(s, program, e) : 0};
}

/* --- all of it --- */

static inline unsigned needs_of(const struct ot_event *e)
{
    if (!(e->detail.size | e->flags | (unsigned)e->transfer.step | e->fact_count))
        return 0; /* most */
    return (e->detail.size ? NEED_DETAIL : 0U) | (e->flags ? NEED_FLAGS : 0U) |
           (e->transfer.step != TRANSFER_NONE ? NEED_TRANSFER : 0U) |
           (e->fact_count ? NEED_FACTS : 0U);
}

static __attribute__((noinline)) void finish(struct sigma *s, const struct sigma_program *program,
                                             const struct ot_event *e, uint64_t left,
                                             uint64_t times)
{
    struct sigma_record r = record_of(e);
    for (; left; left &= left - 1) {
        const struct sigma_step *step = &program->wants->steps[__builtin_ctzll(left)];
        if (!step->parts.rest || sigma_node_judge(s, &r, step->parts.rest))
            sigma_rule_matched(s, step->rule, &r, times);
    }
}

static inline void run(struct sigma *s, const struct ot_event *e, struct sigma_expected x,
                       uint64_t times)
{
    const struct sigma_program *program = x.program;
    uint64_t left = x.steps;
    if (left & program->of_ends)
        left = left_by_hosts(s, program, e, left);
    if (!(program->unit_sizes >> sigma_unit(e->unit.size) & 1))
        left &= ~program->of_units;
    if (left & program->needing)
        left &= program->wants->with[needs_of(e)];
    if (left & program->of_items)
        left = sigma_left_by_items(program, e, left);
    if (left & program->of_texts)
        left &= steps_of_texts(s, program, e);
    if (left & program->of_ends)
        left &= steps_of_ends(s, program, e);
    if (left)
        finish(s, program, e, left, times);
}

static __attribute__((noinline)) void run_all(struct sigma *s, const struct ot_event *e,
                                              struct sigma_expected x, uint64_t times)
{
    for (;;) {
        const struct sigma_program *next = x.program->next;
        if (x.steps)
            run(s, e, x, times);
        if (!next)
            return;
        x = e->is_replayed ? expect_replayed(s, next, e) : expect(s, next, e, place_of(next, e));
    }
}

size_t sigma_look(struct sigma *s, const struct ot_event *e)
{
    size_t place = place_of(e->protocol, e);
    fetch(&s->messages[place]);
    return place;
}

struct sigma_expected sigma_expect(struct sigma *s, const struct ot_event *e, size_t place)
{
    return e->is_replayed ? expect_replayed(s, NULL, e) : expect(s, e->protocol, e, place);
}

void sigma_event_expected(struct sigma *s, const struct ot_event *e, struct sigma_expected x)
{
    if (x.program)
        run_all(s, e, x, 1);
}

void sigma_event_times(struct sigma *s, const struct ot_event *e, uint64_t times)
{
    struct sigma_expected x = sigma_expect(s, e, place_of(e->protocol, e));
    if (x.program)
        run_all(s, e, x, times);
}

void sigma_event(struct sigma *s, const struct ot_event *e)
{
    sigma_event_times(s, e, 1);
}
