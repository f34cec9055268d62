/* address.h: MAC and IP addresses and the two ends of a conversation. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct mac {
    uint8_t bytes[6];
};

enum address_kind { ADDRESS_NONE, ADDRESS_IP4, ADDRESS_IP6 };

/* Comparable with memcmp: an IPv4 address uses bytes[0..3], the rest is 0. */
struct address {
    uint8_t kind; /* enum address_kind */
    uint8_t bytes[16];
};

/* One end of a conversation as seen on the wire. port is 0 where the protocol has none. */
struct endpoint {
    struct address ip;
    struct mac mac;
    uint16_t port;
};

enum { ADDRESS_TEXT_SIZE = 46, MAC_TEXT_SIZE = 18 };

static inline bool mac_equal(const struct mac *a, const struct mac *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* As a number below 2^48 for hashes and keys: another one for every address, in the machine's byte
 * order. Read in two pieces: eight bytes put together in memory from six are slow to read back. */
static inline uint64_t mac_number(const struct mac *m)
{
    uint32_t low;
    uint16_t high;
    memcpy(&low, m->bytes, sizeof low);
    memcpy(&high, m->bytes + sizeof low, sizeof high);
    return (uint64_t)high << 32 | low;
}

/* Of ADDRESS_IP4: as a number, the last octet lowest. */
static inline uint32_t address_ip4(const struct address *a)
{
    return (uint32_t)a->bytes[0] << 24 | (uint32_t)a->bytes[1] << 16 | (uint32_t)a->bytes[2] << 8 |
           a->bytes[3];
}

static inline bool address_equal(const struct address *a, const struct address *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static inline bool mac_is_zero(const struct mac *m)
{
    return memcmp(m->bytes, "\0\0\0\0\0\0", 6) == 0;
}

/* Group bit set: broadcast or multicast (IEEE 802 8.2). */
static inline bool mac_is_group(const struct mac *m)
{
    return (m->bytes[0] & 1) != 0;
}

/* The address that routers of a group share, whichever of them is active: VRRP (RFC 5798 7.3), HSRP
 * (RFC 2281 5; version 2 and IPv6: 0000.0c9f.f, 0005.73a0.0). */
bool mac_is_virtual_router(const struct mac *m);

/* Multicast, broadcast or unspecified: no host of its own. */
bool address_is_group(const struct address *a);

/* Globally routable unicast, by the IANA special-purpose registries (RFC 6890), and the blocks of
 * RFC 5737, which stand for it. */
bool address_is_public(const struct address *a);

/* Text forms: lower case, "" for ADDRESS_NONE; IPv6 by RFC 5952. Return out. */
char *address_print(char out[ADDRESS_TEXT_SIZE], const struct address *a);
char *mac_print(char out[MAC_TEXT_SIZE], const struct mac *m);

/* Read what the print functions write. False: not an address. */
bool address_parse(struct address *a, const char *text);
bool mac_parse(struct mac *m, const char *text);
