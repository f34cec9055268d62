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

static void widen_hull(struct sigma_program *program, unsigned k, const struct sigma_span *span)
{
    struct sigma_span *hull = &program->hulls[k];
    bool is_first = program->spanning[k] == 0;
    hull->least = is_first || span->least < hull->least ? span->least : hull->least;
    hull->most = is_first || span->most > hull->most ? span->most : hull->most;
    program->least[k] = whole(hull->least);
    program->range[k] = (hull->most >= exact ? UINT64_MAX : whole(hull->most)) - program->least[k];
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

static void note(struct sigma_program *program, const struct sigma_parts *parts, uint64_t step)
{
    program->all |= step;
    program->of_ends |= parts->of_ends ? step : 0;
    program->of_kind |= parts->of_kind ? step : 0;
    program->kind_fields |= parts->of_kind ? sigma_fields_of(parts->of_kind) : 0;
    program->named |= parts->needs & NEED_ITEM_NAME ? step : 0;
    program->valued |= parts->needs & NEED_VALUES ? step : 0;
    for (unsigned needs = 0; needs < NEEDS_OF_EVENT; needs++)
        if (!(parts->needs & (NEEDS_OF_EVENT - 1U) & ~needs))
            program->with[needs] |= step;
    for (unsigned k = 0; k < SPANS; k++) {
        if (!(parts->spanned >> k & 1))
            continue;
        widen_hull(program, k, &parts->spans[k]);
        program->spanning[k] |= step;
        program->of_numbers |= step;
    }
    for (unsigned k = 0; k < SIGMA_LETTERS && parts->needs & NEED_ITEM_NAME; k++) {
        program->named_first[k] |= parts->firsts >> k & 1 ? step : 0;
        program->named_last[k] |= parts->lasts >> k & 1 ? step : 0;
    }
    program->of_items |= program->of_numbers | program->named | program->valued;
    for (unsigned near = 0; near < NEAR_STATES; near++) {
        program->left_near[near] =
            near & NEAR_VALUES ? program->all : program->all & ~program->valued;
        for (unsigned k = 0; k < SPANS; k++)
            program->left_near[near] &= near >> k & 1 ? program->all : ~program->spanning[k];
    }
    program->lowest = UINT64_MAX;
    for (unsigned k = SPAN_START; k <= SPAN_NUMBER; k++)
        if (program->spanning[k] && program->least[k] < program->lowest)
            program->lowest = program->least[k];
    if (program->spanning[SPAN_VALUE])
        program->encodings = encodings_within(&program->hulls[SPAN_VALUE]);
    for (unsigned k = VALUES_NONE + 1; k < VALUES_ENCODINGS; k++)
        program->looks[k] =
            program->encodings >> k & 1 ? VALUES_THERE | VALUES_WANTED : VALUES_THERE;
}

bool sigma_program_add(struct sigma_rules *rules, struct sigma_program **first,
                       const struct sigma_rule *rule, const struct sigma_parts *parts)
{
    enum { GROW = 8 };
    struct sigma_program **at = first;
    while (*at && (*at)->count == PROGRAM_STEPS)
        at = &(*at)->next;
    bool is_new = !*at;
    if (is_new && !(*at = sigma_keep(rules, sizeof **at)))
        return false;
    struct sigma_program *program = *at;
    if (is_new)
        program->number =
            ++rules->program_count * 0xff51afd7ed558ccdu; /* odd: no two are the same */
    if (program->count % GROW == 0) {
        struct sigma_step *grown = sigma_keep(rules, (program->count + GROW) * sizeof *grown);
        if (!grown)
            return false;
        if (program->count)
            memcpy(grown, program->steps, program->count * sizeof *grown);
        program->steps = grown;
    }
    note(program, parts, UINT64_C(1) << program->count);
    program->steps[program->count++] = (struct sigma_step){rule, *parts};
    return true;
}
