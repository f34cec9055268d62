/* sigma_program.c: asks all rules of a protocol and operation about an event: first those that its
 * conversation and its kind leave, then what their numbers leave. */
#include "rules/sigma_internal.h"

#include "sensor/base/hash.h"

#include <math.h>
#include <string.h>

/* --- by the two ends --- */

static void ask(struct sigma *s, const struct sigma_program *program, struct sigma_record *r,
                bool is_of_ends, struct sigma_mask *mask)
{
    memset(mask, 0, sizeof *mask);
    for (uint32_t i = 0; i < program->count && i < MASK_STEPS; i++) {
        const struct sigma_parts *parts = &program->steps[i].parts;
        const struct sigma_node *node = is_of_ends ? parts->of_ends : parts->of_kind;
        if (!node || sigma_node_judge(s, r, node))
            mask->words[i / 64] |= UINT64_C(1) << i % 64;
    }
}

static uint64_t mac_bits(const struct mac *mac)
{
    uint64_t bits = 0;
    memcpy(&bits, mac->bytes, sizeof mac->bytes);
    return bits;
}

/* What was answered for the key, or is now. Keys are hashes of 64 bits: as good as equal. */
static const struct sigma_mask *remembered(struct sigma *s, struct sigma_memo *memo, uint64_t key,
                                           const struct sigma_program *program,
                                           struct sigma_record *r, bool is_of_ends)
{
    if (memo->program != program || memo->key != key) {
        memo->program = program;
        memo->key = key;
        ask(s, program, r, is_of_ends, &memo->mask);
    }
    return &memo->mask;
}

static uint64_t ends_key(const struct sigma_record *r)
{
    const struct ot_flow *flow = r->flow;
    uint64_t client[2]; /* a flow's ends may turn out to be the other way round */
    memcpy(client, flow->client.ip.bytes, sizeof client);
    uint64_t key = hash_mix(flow->id << 1 | r->event->is_from_client,
                            client[0] ^ client[1] ^ (uint64_t)flow->client.port << 40);
    /* in a history flows of both transports may have one number */
    return hash_mix(key, mac_bits(&flow->client.mac) ^ (uint64_t)flow->transport << 56);
}

/* --- by the kind of message --- */

static bool asks(const struct sigma_program *program, enum sigma_field field)
{
    return program->kind_fields >> field & 1;
}

static uint64_t mix_string(uint64_t key, const char *string)
{
    return string ? hash_mix(key, hash_bytes(string, strlen(string))) : key;
}

static uint64_t mix_code(uint64_t key, const struct ot_event *e)
{
    if (e->code_text)
        return mix_string(key, e->code_text);
    key = hash_mix(key, (uint64_t)e->code[0] << 32 | e->code[1]);
    key = hash_mix(key, (uint64_t)e->code[2] << 32 | e->code[3]);
    return hash_mix(key, (uintptr_t)e->spell);
}

static const struct sigma_mask *mask_of_kind(struct sigma *s, const struct sigma_program *program,
                                             struct sigma_record *r)
{
    const struct ot_event *e = r->event;
    uint64_t key = hash_mix((uint64_t)e->function << 8 | e->direction, 0);
    if (asks(program, FIELD_NAME))
        key = mix_string(key, e->name);
    if (asks(program, FIELD_CODE))
        key = mix_code(key, e);
    if (asks(program, FIELD_UNIT) && e->unit.size)
        key = hash_mix(key, hash_bytes(e->unit.at, e->unit.size));
    if (asks(program, FIELD_STATUS) || asks(program, FIELD_STATUS_CODE)) {
        key = hash_mix(key, (uint64_t)e->status.code << 8 | e->status.result);
        key = mix_string(key, e->status.name);
    }
    return remembered(s, &s->kinds[hash_mix(key, (uintptr_t)program) % MEMO_KINDS], key, program, r,
                      false);
}

/* --- by what is there, and by numbers --- */

struct there {
    uint8_t needs;
    struct sigma_span spans[SPANS];
};

static void widen(struct sigma_span *span, double number)
{
    span->least = number < span->least ? number : span->least;
    span->most = number > span->most ? number : span->most;
}

/* Narrow types need no look at each value. */
static const struct sigma_span type_spans[] = {
    [VALUES_BITS] = {0,         1         },
    [VALUES_U8] = {0,         UINT8_MAX },
    [VALUES_I8] = {INT8_MIN,  INT8_MAX  },
    [VALUES_I16BE] = {INT16_MIN, INT16_MAX },
    [VALUES_U16LE] = {0,         UINT16_MAX},
    [VALUES_I16LE] = {INT16_MIN, INT16_MAX },
    [VALUES_U32BE] = {0,         UINT32_MAX},
    [VALUES_I32BE] = {INT32_MIN, INT32_MAX },
    [VALUES_U32LE] = {0,         UINT32_MAX},
    [VALUES_I32LE] = {INT32_MIN, INT32_MAX },
    [VALUES_TEXT] = {-INFINITY, INFINITY  }, /* may be read as any number */
    [VALUES_BYTES] = {-INFINITY, INFINITY  },
};

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

static void widen_values(struct sigma_span *span, const struct ot_values *values)
{
    const struct sigma_span *type = &type_spans[values->encoding];
    if (values->encoding == VALUES_U16BE) {
        widen_registers(span, values);
        return;
    }
    if (type->least < type->most) {
        widen(span, type->least);
        widen(span, type->most);
        return;
    }
    for (uint32_t i = 0; i < values->count; i++) {
        struct ot_value value = ot_value_at(values, i);
        double number;
        if (!ot_value_number(&value, &number))
            return;
        widen(span, number);
    }
}

static void look_at_items(const struct sigma_program *program, const struct ot_event *e,
                          struct there *there)
{
    for (uint32_t i = 0; i < e->item_count; i++) {
        const struct ot_item *item = &e->items[i];
        if (item->has_start)
            widen(&there->spans[SPAN_START], (double)item->start);
        if (item->has_number)
            widen(&there->spans[SPAN_NUMBER], item->number);
        if (item->name.size)
            there->needs |= NEED_ITEM_NAME;
        if (item->values.count)
            there->needs |= NEED_VALUES;
        if (item->values.count && program->spanned >> SPAN_VALUE & 1)
            widen_values(&there->spans[SPAN_VALUE], &item->values);
    }
}

static void look_at(const struct sigma_program *program, const struct ot_event *e,
                    struct there *there)
{
    there->needs = (uint8_t)((e->detail.size ? NEED_DETAIL : 0) | (e->flags ? NEED_FLAGS : 0) |
                             (e->transfer.step != TRANSFER_NONE ? NEED_TRANSFER : 0) |
                             (e->fact_count ? NEED_FACTS : 0));
    for (size_t k = 0; k < SPANS; k++)
        there->spans[k] = (struct sigma_span){INFINITY, -INFINITY};
    if (program->spanned || program->needs & (NEED_ITEM_NAME | NEED_VALUES))
        look_at_items(program, e, there);
}

static bool may_match(const struct sigma_parts *parts, const struct there *there)
{
    if (parts->needs & ~there->needs)
        return false;
    for (size_t k = 0; parts->spanned && k < SPANS; k++) {
        const struct sigma_span *wanted = &parts->spans[k];
        if (there->spans[k].most < wanted->least || there->spans[k].least > wanted->most)
            return false;
    }
    return true;
}

/* --- all of it --- */

static void finish(struct sigma *s, const struct sigma_step *step, struct sigma_record *r,
                   uint64_t times)
{
    if (!step->parts.rest || sigma_node_judge(s, r, step->parts.rest))
        sigma_rule_matched(s, step->rule, r, times);
}

static void run_rest(struct sigma *s, const struct sigma_program *program, struct sigma_record *r,
                     const struct there *there, uint64_t times)
{
    for (uint32_t i = MASK_STEPS; i < program->count; i++) {
        const struct sigma_parts *parts = &program->steps[i].parts;
        if (may_match(parts, there) &&
            (!parts->of_ends || sigma_node_judge(s, r, parts->of_ends)) &&
            (!parts->of_kind || sigma_node_judge(s, r, parts->of_kind)))
            finish(s, &program->steps[i], r, times);
    }
}

void sigma_program_run(struct sigma *s, const struct sigma_program *program, struct sigma_record *r,
                       uint64_t times)
{
    struct there there;
    const struct sigma_mask *ends = NULL, *kind = NULL;
    uint64_t key = program->asks_ends ? ends_key(r) : 0;
    struct sigma_memo *memo = &s->ends[hash_mix(key, (uintptr_t)program) % MEMO_ENDS];
    if (program->asks_ends)
        __builtin_prefetch(memo); /* conversations are many */
    look_at(program, r->event, &there);
    if (program->kind_fields)
        kind = mask_of_kind(s, program, r);
    if (program->asks_ends)
        ends = remembered(s, memo, key, program, r, true);
    for (uint32_t base = 0; base < program->count && base < MASK_STEPS; base += 64) {
        uint32_t left = program->count - base;
        uint64_t word = left < 64 ? (UINT64_C(1) << left) - 1 : UINT64_MAX;
        word &= ends ? ends->words[base / 64] : UINT64_MAX;
        word &= kind ? kind->words[base / 64] : UINT64_MAX;
        for (; word; word &= word - 1) {
            const struct sigma_step *step = &program->steps[base + (uint32_t)__builtin_ctzll(word)];
            if (may_match(&step->parts, &there))
                finish(s, step, r, times);
        }
    }
    run_rest(s, program, r, &there, times);
}
