/* address.c: text forms and classes of addresses. */
#include "address.h"

#include <arpa/inet.h>
#include <stdio.h>

struct prefix {
    uint8_t bytes[16];
    uint8_t bits;
};

/* Not globally reachable: IANA IPv4 Special-Purpose Address Registry. The blocks for documentation
 * (RFC 5737) are no plant's own: laboratories and exercises play the internet with them. */
static const struct prefix special4[] = {
    {{0},           8 },
    {{10},          8 },
    {{100, 64},     10},
    {{127},         8 },
    {{169, 254},    16},
    {{172, 16},     12},
    {{192, 0, 0},   24},
    {{192, 88, 99}, 24},
    {{192, 168},    16},
    {{198, 18},     15},
    {{224},         4 },
    {{240},         4 },
};

/* The same for IPv6: what is not in 2000::/3, and the documentation and transition blocks inside
 * it. */
static const struct prefix special6[] = {
    {{0x20, 0x01, 0x0d, 0xb8}, 32},
    {{0x20, 0x01, 0x00, 0x00}, 23},
    {{0x20, 0x02},             16},
    {{0x3f, 0xff},             20},
};

static bool in_prefix(const uint8_t *bytes, const struct prefix *prefix)
{
    size_t whole = prefix->bits / 8;
    unsigned rest = prefix->bits % 8;
    if (memcmp(bytes, prefix->bytes, whole) != 0)
        return false;
    return rest == 0 || (bytes[whole] ^ prefix->bytes[whole]) >> (8 - rest) == 0;
}

bool mac_is_virtual_router(const struct mac *m)
{
    static const struct {
        uint8_t bytes[5], mask; /* mask: of the last of them */
    } groups[] = {
        {{0x00, 0x00, 0x5e, 0x00, 0x01}, 0xff}, /* VRRP over IPv4 */
        {{0x00, 0x00, 0x5e, 0x00, 0x02}, 0xff}, /* and IPv6 */
        {{0x00, 0x00, 0x0c, 0x07, 0xac}, 0xff}, /* HSRP */
        {{0x00, 0x00, 0x0c, 0x9f, 0xf0}, 0xf0}, /* HSRP version 2: group of 12 bits */
        {{0x00, 0x05, 0x73, 0xa0, 0x00}, 0xf0}, /* and IPv6 */
    };
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (memcmp(m->bytes, groups[i].bytes, 4) == 0 &&
            (m->bytes[4] & groups[i].mask) == groups[i].bytes[4])
            return true;
    return false;
}

bool address_is_group(const struct address *a)
{
    static const uint8_t zero[16] = {0};
    if (a->kind == ADDRESS_IP4)
        return a->bytes[0] >= 224 || memcmp(a->bytes, zero, 4) == 0; /* class D, E, broadcast */
    if (a->kind == ADDRESS_IP6)
        return a->bytes[0] == 0xff || memcmp(a->bytes, zero, 16) == 0;
    return false;
}

bool address_is_public(const struct address *a)
{
    if (a->kind == ADDRESS_IP4) {
        for (size_t i = 0; i < sizeof special4 / sizeof *special4; i++)
            if (in_prefix(a->bytes, &special4[i]))
                return false;
        return true;
    }
    if (a->kind != ADDRESS_IP6 || (a->bytes[0] & 0xe0) != 0x20)
        return false;
    for (size_t i = 0; i < sizeof special6 / sizeof *special6; i++)
        if (in_prefix(a->bytes, &special6[i]))
            return false;
    return true;
}

static char *put_byte(char *out, unsigned byte)
{
    if (byte >= 100)
        *out++ = (char)('0' + byte / 100);
    if (byte >= 10)
        *out++ = (char)('0' + byte / 10 % 10);
    *out++ = (char)('0' + byte % 10);
    return out;
}

static void print_ip4(char out[ADDRESS_TEXT_SIZE], const uint8_t bytes[4])
{
    for (int i = 0; i < 4; i++) {
        out = put_byte(out, bytes[i]);
        *out++ = i < 3 ? '.' : '\0';
    }
}

char *address_print(char out[ADDRESS_TEXT_SIZE], const struct address *a)
{
    out[0] = '\0';
    if (a->kind == ADDRESS_IP4)
        print_ip4(out, a->bytes);
    else if (a->kind == ADDRESS_IP6)
        inet_ntop(AF_INET6, a->bytes, out, ADDRESS_TEXT_SIZE);
    return out;
}

char *mac_print(char out[MAC_TEXT_SIZE], const struct mac *m)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < 6; i++) {
        out[3 * i] = hex[m->bytes[i] >> 4];
        out[3 * i + 1] = hex[m->bytes[i] & 15];
        out[3 * i + 2] = ':';
    }
    out[MAC_TEXT_SIZE - 1] = '\0';
    return out;
}

bool address_parse(struct address *a, const char *text)
{
    *a = (struct address){0};
    if (inet_pton(AF_INET, text, a->bytes) == 1)
        a->kind = ADDRESS_IP4;
    else if (inet_pton(AF_INET6, text, a->bytes) == 1)
        a->kind = ADDRESS_IP6;
    return a->kind != ADDRESS_NONE;
}

bool mac_parse(struct mac *m, const char *text)
{
    unsigned b[6];
    char rest;
    if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
               &rest) != 6)
        return false;
    for (size_t i = 0; i < 6; i++)
        m->bytes[i] = (uint8_t)b[i];
    return true;
}
