/* netbios.h: NetBIOS names, [1001] RFC 1001 14.1: 15 bytes and a kind, a letter for each half. */
#pragma once

#include "ascii.h"

enum {
    NETBIOS_SIZE = 15,
    NETBIOS_LETTERS = 32,
    NETBIOS_WORKSTATION = 0x00,
    NETBIOS_SERVER = 0x20,
};

struct netbios_name {
    char bytes[NETBIOS_SIZE];
    uint8_t size; /* without the blanks at its end */
    uint8_t kind;
};

/* False when these letters are no name. A scope behind them is left out. */
static inline bool netbios_decode(struct text letters, struct netbios_name *name)
{
    if (letters.size < NETBIOS_LETTERS)
        return false;
    for (size_t i = 0; i <= NETBIOS_SIZE; i++) {
        unsigned high = (unsigned)(letters.at[2 * i] - 'A');
        unsigned low = (unsigned)(letters.at[2 * i + 1] - 'A');
        if (high > 15 || low > 15)
            return false;
        uint8_t byte = (uint8_t)(high << 4 | low);
        if (i == NETBIOS_SIZE)
            name->kind = byte;
        else
            name->bytes[i] = (char)byte;
    }
    name->size = NETBIOS_SIZE;
    while (name->size && ascii_is_space(name->bytes[name->size - 1]))
        name->size--;
    return true;
}

/* The name in packet memory; empty when it is not printable. */
static inline struct text netbios_text(struct dissect *d, const struct netbios_name *name)
{
    char *out = ascii_is_printable((struct text){name->bytes, name->size})
                    ? arena_take(d->arena, name->size)
                    : NULL;
    return out ? ascii_keep(out, name->size, (struct text){name->bytes, name->size})
               : (struct text){NULL, 0};
}
