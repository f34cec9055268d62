/* places.h: answers whose texts lie at fixed places, each printable and ended by a zero. */
#pragma once

#include "dissector.h"

struct place {
    uint8_t at;
    enum fact_kind kind;
};

/* The text there, or nothing: bytes that are no text, or text that runs to the end. */
static inline struct text place_text(struct reader r, size_t at)
{
    reader_skip(&r, at);
    size_t size = 0, left = reader_left(&r);
    while (size < left && r.at[size] >= 0x20 && r.at[size] < 0x7f)
        size++;
    if (size == 0 || size == left || r.at[size])
        return (struct text){NULL, 0};
    return (struct text){(const char *)r.at, size};
}

/* A fact for each place that has a text; returns how many. facts has room for all. */
static inline uint32_t place_facts(struct ot_fact *facts, struct reader pdu,
                                   const struct place *places, size_t place_count)
{
    uint32_t count = 0;
    for (size_t i = 0; i < place_count; i++) {
        struct text value = place_text(pdu, places[i].at);
        if (value.size)
            facts[count++] = (struct ot_fact){.kind = places[i].kind, .value = value};
    }
    return count;
}
