/* hash.h: the one hash function of the tables (XXH3, from libxxhash).
 * Live captures seed it at random so that nobody on the wire can choose collisions; reading a file
 * keeps the seed 0, so that runs repeat. No output may depend on the order of a hash table. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Set once at start, before any table is made. */
void hash_seed(uint64_t seed);

uint64_t hash_bytes(const void *bytes, size_t size);

/* Never seeded: for what is stored or shared between runs. Not for tables that the network fills.
 */
uint64_t hash_stable(const void *bytes, size_t size);

/* Numbers that the run's seed makes. */
extern uint64_t hash_secrets[2];

/* Mixes two numbers into one, which need not be hashes; not symmetric: the halves of their product
 * folded. Seeded, for who knew the secrets could choose numbers that meet whatever stands beside
 * them. */
static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 product;
    product p = (product)(a ^ hash_secrets[0]) * (b ^ hash_secrets[1]);
    return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static inline uint64_t hash_word(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* Mixes bytes into a hash that the size is part of already, sixteen at a time: hash_mix for the
 * payload of a packet, which is short as a rule. */
static inline uint64_t hash_mix_sized(uint64_t hash, const void *bytes, size_t size)
{
    enum { WORD = 8, STEP = 2 * WORD };
    const uint8_t *at = bytes;
    if (size > STEP) {
        const uint8_t *last = at + size - STEP; /* may overlap the step before */
        for (; at < last; at += STEP)
            hash = hash_mix(hash ^ hash_word(at), hash_word(at + WORD));
        return hash_mix(hash ^ hash_word(last), hash_word(last + WORD));
    }
    if (size >= WORD)
        return hash_mix(hash ^ hash_word(at), hash_word(at + size - WORD));
    uint32_t low = 0, high = 0;
    if (size >= sizeof low) {
        memcpy(&low, at, sizeof low);
        memcpy(&high, at + size - sizeof high, sizeof high);
    } else if (size) {
        low = at[0] | (uint32_t)at[size / 2] << 8 | (uint32_t)at[size - 1] << 16;
    }
    return hash_mix(hash ^ ((uint64_t)high << 32 | low), 0);
}

static inline uint64_t hash_mix_bytes(uint64_t hash, const void *bytes, size_t size)
{
    return hash_mix_sized(hash_mix(hash, size), bytes, size);
}

/* Never seeded, for what is stored: one of the two is a hash (small numbers may meet). */
static inline uint64_t hash_mix_stable(uint64_t a, uint64_t b)
{
    uint64_t x = a ^ (b + 0x9e3779b97f4a7c15u + (a << 6) + (a >> 2));
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    x ^= x >> 32;
    return x;
}

/* The same as hash_mix for what is mostly short, as the unit of a PDU: up to eight bytes are a
 * number, and two different ones of the same size never meet before they are mixed. Seeded only
 * beyond that. */
static inline uint64_t hash_short(const void *bytes, size_t size)
{
    const uint8_t *b = bytes;
    uint32_t low = 0, high = 0;
    if (size > sizeof low + sizeof high)
        return hash_bytes(bytes, size);
    if (size >= sizeof low) {
        memcpy(&low, b, sizeof low);
        memcpy(&high, b + size - sizeof high, sizeof high);
    } else if (size) {
        low = b[0] | (uint32_t)b[size / 2] << 8 | (uint32_t)b[size - 1] << 16;
    }
    return hash_mix((uint64_t)high << 32 | low, size);
}
