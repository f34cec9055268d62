/* facts.h: the identity facts of one event, gathered one after another, and addresses as text. */
#pragma once

#include "ascii.h"

enum { FACTS_MAX = 24, FACTS_ADDRESS_MAX = 16 };

struct facts {
    struct ot_fact list[FACTS_MAX];
    uint32_t count;
};

static inline bool facts_has(const struct facts *f, enum fact_kind kind)
{
    for (uint32_t i = 0; i < f->count; i++)
        if (f->list[i].kind == kind)
            return true;
    return false;
}

/* Adds what there is to tell: nothing for an empty text and for a kind that is there already; white
 * space around it is dropped. */
static inline void facts_add(struct facts *f, enum fact_kind kind, struct text value)
{
    value = ascii_trim(value);
    if (value.size && f->count < FACTS_MAX && !facts_has(f, kind))
        f->list[f->count++] = (struct ot_fact){.kind = kind, .value = value};
}

static inline void facts_give(struct ot_event *e, const struct facts *f)
{
    e->facts = f->list;
    e->fact_count = f->count;
}

/* "00:1b:1b:34:34:ce" in packet memory; empty for NULL and for zeros. */
static inline struct text facts_mac(struct dissect *d, const uint8_t *bytes)
{
    struct mac mac;
    char text[MAC_TEXT_SIZE];
    if (!bytes)
        return (struct text){NULL, 0};
    memcpy(mac.bytes, bytes, sizeof mac.bytes);
    return mac_is_zero(&mac) ? (struct text){NULL, 0}
                             : dissect_text(d, "%s", mac_print(text, &mac));
}

/* The address in r, IPv4 or IPv6 by its size; ADDRESS_NONE when it is neither, or unspecified. */
static inline struct address facts_address(struct reader r)
{
    static const uint8_t none[FACTS_ADDRESS_MAX];
    struct address a = {0};
    size_t size = reader_left(&r);
    if (size != 4 && size != FACTS_ADDRESS_MAX)
        return a;
    memcpy(a.bytes, reader_bytes(&r, size), size);
    if (memcmp(a.bytes, none, size) != 0)
        a.kind = size == 4 ? ADDRESS_IP4 : ADDRESS_IP6;
    return a;
}

static inline struct text facts_ip(struct dissect *d, struct reader r)
{
    struct address a = facts_address(r);
    char text[ADDRESS_TEXT_SIZE];
    return a.kind == ADDRESS_NONE ? (struct text){NULL, 0}
                                  : dissect_text(d, "%s", address_print(text, &a));
}
