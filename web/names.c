/* names.c: see names.h. */
#include "names.h"

#include "sensor/base/hash.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

enum { PLACES_LEAST = 256, BYTES_LEAST = 4096 };

struct name {
    uint64_t hash;
    size_t at; /* of its text, in bytes */
};

struct names {
    size_t record_size;
    char *bytes; /* the texts, each with a NUL */
    size_t used, size;
    struct name *all;
    char *records; /* in the order of all */
    size_t count;
    size_t *places; /* open addressing: number + 1, 0: free. A power of two, at most half full */
    size_t place_count;
};

struct names *names_create(size_t record_size)
{
    struct names *n = calloc(1, sizeof *n);
    if (!n)
        return NULL;
    n->record_size = record_size;
    n->size = BYTES_LEAST;
    n->place_count = PLACES_LEAST;
    n->bytes = malloc(n->size);
    n->all = malloc(n->place_count / 2 * sizeof *n->all);
    n->records = malloc(n->place_count / 2 * record_size);
    n->places = calloc(n->place_count, sizeof *n->places);
    if (n->bytes && n->all && n->records && n->places)
        return n;
    names_destroy(n);
    return NULL;
}

void names_destroy(struct names *n)
{
    if (!n)
        return;
    free(n->bytes);
    free(n->all);
    free(n->records);
    free(n->places);
    free(n);
}

/* Where the name is, or the free place where it belongs. */
static size_t *place_of(const struct names *n, const char *name, uint64_t hash)
{
    size_t i = hash & (n->place_count - 1);
    for (; n->places[i] != 0; i = (i + 1) & (n->place_count - 1)) {
        const struct name *there = &n->all[n->places[i] - 1];
        if (there->hash == hash && strcmp(n->bytes + there->at, name) == 0)
            break;
    }
    return &n->places[i];
}

/* Twice the places; all names get new ones. */
static bool more_places(struct names *n)
{
    size_t count = n->place_count * 2;
    struct name *all = realloc(n->all, count / 2 * sizeof *all);
    if (all)
        n->all = all;
    char *records = realloc(n->records, count / 2 * n->record_size);
    if (records)
        n->records = records;
    size_t *places = all && records ? calloc(count, sizeof *places) : NULL;
    if (!places)
        return false;
    for (size_t k = 0; k < n->count; k++) {
        size_t i = n->all[k].hash & (count - 1);
        while (places[i] != 0)
            i = (i + 1) & (count - 1);
        places[i] = k + 1;
    }
    free(n->places);
    n->places = places;
    n->place_count = count;
    return true;
}

static bool more_bytes(struct names *n, size_t wanted)
{
    size_t size = n->size;
    while (size - n->used < wanted)
        size *= 2;
    char *bytes = size == n->size ? n->bytes : realloc(n->bytes, size);
    if (!bytes)
        return false;
    n->bytes = bytes;
    n->size = size;
    return true;
}

void *names_add(struct names *n, const char *name)
{
    size_t size = strlen(name) + 1;
    uint64_t hash = hash_bytes(name, size);
    size_t *place = place_of(n, name, hash);
    if (*place != 0)
        return names_record(n, *place - 1);
    if (!more_bytes(n, size) || (n->count == n->place_count / 2 && !more_places(n)))
        return NULL;
    place = place_of(n, name, hash);
    memcpy(n->bytes + n->used, name, size);
    n->all[n->count] = (struct name){hash, n->used};
    n->used += size;
    memset(names_record(n, n->count), 0, n->record_size);
    *place = ++n->count;
    return names_record(n, n->count - 1);
}

void *names_find(const struct names *n, const char *name)
{
    size_t place = *place_of(n, name, hash_bytes(name, strlen(name) + 1));
    return place != 0 ? names_record(n, place - 1) : NULL;
}

size_t names_count(const struct names *n)
{
    return n->count;
}

const char *names_text(const struct names *n, size_t i)
{
    return n->bytes + n->all[i].at;
}

void *names_record(const struct names *n, size_t i)
{
    return n->records + i * n->record_size;
}
