/* sigma_items.c: which steps of a program the items of an event leave: by the numbers, names and
 * values that they have, before any rule is asked. */
#include "rules/sigma_internal.h"

#include <math.h>
#include <string.h>

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
        spanning |= program->wants->spanning[k];
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
        const struct sigma_parts *parts = &program->wants->steps[__builtin_ctzll(steps)].parts;
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
    uint64_t least = program->wants->least[SPAN_VALUE], range = program->wants->range[SPAN_VALUE];
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
    double least = program->wants->hulls[SPAN_VALUE].least,
           most = program->wants->hulls[SPAN_VALUE].most;
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
        if (program->encodings >> item->values.encoding & 1 &&
            is_value_near(program, &item->values))
            return 1U << SPAN_VALUE;
    return 0;
}

static __attribute__((noinline)) unsigned near_of_numbers(const struct sigma_program *program,
                                                          const struct ot_event *e)
{
    unsigned near = 0;
    for (const struct ot_item *item = e->items, *end = item + e->item_count; item < end; item++) {
        if (item->start - program->wants->least[SPAN_START] <= program->wants->range[SPAN_START])
            near |= 1U << SPAN_START;
        if (item->number - program->wants->least[SPAN_NUMBER] <= program->wants->range[SPAN_NUMBER])
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
            named |= program->wants->named_first[sigma_letter(item->name.at[0])] &
                     program->wants->named_last[sigma_ending(item->name.at, item->name.size)];
    return named;
}

static __attribute__((noinline)) uint64_t left_by_content(const struct sigma_program *program,
                                                          const struct ot_event *e, uint64_t left,
                                                          uint64_t numbers, uint32_t encodings)
{
    unsigned near = encodings > 1 << VALUES_NONE ? NEAR_VALUES : 0U;
    if (encodings & program->encodings)
        near |= near_of_values(program, e);
    if (numbers >= program->lowest)
        near |= near_of_numbers(program, e);
    left &= program->wants->left_near[near];
    if (left & program->named)
        left &= left_by_names(program, e);
    return left & program->wants->of_numbers ? left_by_numbers(program, e, left) : left;
}

/* Most numbers are below all that is looked for, and most items have neither a name nor values that
 * anyone looks for. What is not there is a zero. */
uint64_t sigma_left_by_items(const struct sigma_program *program, const struct ot_event *e,
                             uint64_t left)
{
    uint64_t numbers = 0;
    size_t names = 0;
    uint32_t encodings = 0;
    for (const struct ot_item *item = e->items, *end = item + e->item_count; item < end; item++) {
        numbers |= item->start | item->number;
        names |= item->name.size;
        encodings |= UINT32_C(1) << item->values.encoding;
    }
    if (encodings & program->encodings || numbers >= program->lowest ||
        (names && left & program->named))
        return left_by_content(program, e, left, numbers, encodings);
    return left & program->far[encodings > 1 << VALUES_NONE];
}
