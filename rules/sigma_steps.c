/* sigma_steps.c: puts together what the steps of a program could want. */
#include "rules/sigma_internal.h"

#include <math.h>
#include <string.h>

static const struct sigma_span type_spans[] = {
    [VALUES_BITS] = {0,         1         },
    [VALUES_U8] = {0,         UINT8_MAX },
    [VALUES_I8] = {INT8_MIN,  INT8_MAX  },
    [VALUES_U16BE] = {0,         UINT16_MAX},
    [VALUES_I16BE] = {INT16_MIN, INT16_MAX },
    [VALUES_U16LE] = {0,         UINT16_MAX},
    [VALUES_I16LE] = {INT16_MIN, INT16_MAX },
    [VALUES_U32BE] = {0,         UINT32_MAX},
    [VALUES_I32BE] = {INT32_MIN, INT32_MAX },
    [VALUES_U32LE] = {0,         UINT32_MAX},
    [VALUES_I32LE] = {INT32_MIN, INT32_MAX },
    [VALUES_N16LE] = {-1,        1         }, /* the last of the types; what is not listed is unknown */
};

struct sigma_span sigma_type_span(enum ot_encoding encoding)
{
    return type_spans[encoding];
}

/* Rules compare as doubles: beyond their whole numbers nothing is told apart. */
static const double exact = 9007199254740992.0; /* 2^53 */

static uint64_t whole(double number)
{
    return number >= exact ? (uint64_t)exact : number > 0 ? (uint64_t)number : 0;
}

static void widen_hull(struct sigma_wants *wants, unsigned k, const struct sigma_span *span)
{
    struct sigma_span *hull = &wants->hulls[k];
    bool is_first = wants->spanning[k] == 0;
    hull->least = is_first || span->least < hull->least ? span->least : hull->least;
    hull->most = is_first || span->most > hull->most ? span->most : hull->most;
    wants->least[k] = whole(hull->least);
    wants->range[k] = (hull->most >= exact ? UINT64_MAX : whole(hull->most)) - wants->least[k];
}

static uint32_t encodings_within(const struct sigma_span *hull)
{
    uint32_t set = 0;
    for (unsigned i = VALUES_NONE + 1; i < VALUES_ENCODINGS; i++) {
        const struct sigma_span *type = &type_spans[i];
        bool is_known = type->least < type->most;
        if (!is_known || (type->most >= hull->least && type->least <= hull->most))
            set |= (uint32_t)1 << i;
    }
    return set;
}

/* The ends that change places with who sends. */
static const uint64_t of_sender =
    UINT64_C(1) << FIELD_SOURCE_IP | UINT64_C(1) << FIELD_SOURCE_MAC |
    UINT64_C(1) << FIELD_SOURCE_PORT | UINT64_C(1) << FIELD_DESTINATION_IP |
    UINT64_C(1) << FIELD_DESTINATION_MAC | UINT64_C(1) << FIELD_DESTINATION_PORT;

static void note_ends(struct sigma_program *program, const struct sigma_parts *parts, uint64_t step)
{
    program->of_ends |= step;
    if (sigma_fields_of(parts->of_ends) & of_sender)
        program->senders = 1;
    if (parts->hosts == UINT64_MAX)
        return;
    program->of_hosts |= step;
    program->hosts |= parts->hosts;
}

static void note_message(struct sigma_program *program, const struct sigma_parts *parts,
                         uint64_t step)
{
    struct sigma_wants *wants = program->wants;
    if (parts->of_kind) {
        wants->of_kind |= step;
        wants->kind_fields |= sigma_fields_of(parts->of_kind);
    }
    if (!parts->of_texts)
        return;
    program->of_texts |= step;
    wants->kind_fields |= sigma_fields_of(parts->of_texts);
    if (parts->unit_sizes == UINT32_MAX)
        return;
    program->of_units |= step;
    program->unit_sizes |= parts->unit_sizes;
}

static void note_names(struct sigma_program *program, const struct sigma_parts *parts,
                       uint64_t step)
{
    struct sigma_wants *wants = program->wants;
    program->named |= step;
    for (unsigned k = 0; k < SIGMA_LETTERS; k++) {
        wants->named_first[k] |= parts->firsts >> k & 1 ? step : 0;
        wants->named_last[k] |= parts->lasts >> k & 1 ? step : 0;
    }
}

static void note_numbers(struct sigma_program *program, const struct sigma_parts *parts,
                         uint64_t step)
{
    struct sigma_wants *wants = program->wants;
    for (unsigned k = 0; k < SPANS; k++) {
        if (!(parts->spanned >> k & 1))
            continue;
        widen_hull(wants, k, &parts->spans[k]);
        wants->spanning[k] |= step;
        wants->of_numbers |= step;
    }
    program->lowest = UINT64_MAX;
    for (unsigned k = SPAN_START; k <= SPAN_NUMBER; k++)
        if (wants->spanning[k] && wants->least[k] < program->lowest)
            program->lowest = wants->least[k];
    if (wants->spanning[SPAN_VALUE])
        program->encodings = encodings_within(&wants->hulls[SPAN_VALUE]);
}

static void note_items(struct sigma_program *program, const struct sigma_parts *parts,
                       uint64_t step)
{
    struct sigma_wants *wants = program->wants;
    wants->valued |= parts->needs & NEED_VALUES ? step : 0;
    if (parts->needs & NEED_ITEM_NAME)
        note_names(program, parts, step);
    note_numbers(program, parts, step);
    program->of_items |= wants->of_numbers | program->named | wants->valued;
    for (unsigned near = 0; near < NEAR_STATES; near++) {
        wants->left_near[near] = near & NEAR_VALUES ? wants->all : wants->all & ~wants->valued;
        for (unsigned k = 0; k < SPANS; k++)
            wants->left_near[near] &= near >> k & 1 ? wants->all : ~wants->spanning[k];
    }
    program->far[0] = wants->left_near[0] & ~program->named;
    program->far[1] = wants->left_near[NEAR_VALUES] & ~program->named;
}

static void note(struct sigma_program *program, const struct sigma_parts *parts, uint64_t step)
{
    unsigned needs_of_event = parts->needs & (NEEDS_OF_EVENT - 1U);
    program->wants->all |= step;
    note_message(program, parts, step);
    if (parts->of_ends)
        note_ends(program, parts, step);
    program->needing |= needs_of_event ? step : 0;
    for (unsigned needs = 0; needs < NEEDS_OF_EVENT; needs++)
        program->wants->with[needs] |= needs_of_event & ~needs ? 0 : step;
    note_items(program, parts, step);
}

/* The first of many is where a line of the cache begins. */
static bool make_programs(struct sigma_rules *rules)
{
    enum { TOGETHER = 32 };
    size_t unit = _Alignof(struct sigma_program);
    uint8_t *memory = sigma_keep(rules, TOGETHER * sizeof(struct sigma_program) + unit - 1);
    if (!memory)
        return false;
    rules->programs = (void *)(memory + (-(uintptr_t)memory & (unit - 1)));
    rules->programs_left = TOGETHER;
    return true;
}

static struct sigma_program *make(struct sigma_rules *rules)
{
    if (rules->programs_left == 0 && !make_programs(rules))
        return NULL;
    struct sigma_program *program = rules->programs;
    program->wants = sigma_keep(rules, sizeof *program->wants);
    if (!program->wants)
        return NULL;
    program->number = ++rules->program_count * 0xff51afd7ed558ccdu; /* odd: no two are the same */
    rules->programs++;
    rules->programs_left--;
    return program;
}

bool sigma_program_add(struct sigma_rules *rules, struct sigma_program **first,
                       const struct sigma_rule *rule, const struct sigma_parts *parts)
{
    enum { GROW = 8 };
    struct sigma_program **at = first;
    while (*at && (*at)->count == PROGRAM_STEPS)
        at = &(*at)->next;
    if (!*at && !(*at = make(rules)))
        return false;
    struct sigma_program *program = *at;
    struct sigma_wants *wants = program->wants;
    if (program->count % GROW == 0) {
        struct sigma_step *grown = sigma_keep(rules, (program->count + GROW) * sizeof *grown);
        if (!grown)
            return false;
        if (program->count)
            memcpy(grown, wants->steps, program->count * sizeof *grown);
        wants->steps = grown;
    }
    note(program, parts, UINT64_C(1) << program->count);
    wants->steps[program->count++] = (struct sigma_step){rule, *parts};
    return true;
}
