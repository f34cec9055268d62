/* segments.c: which address space a packet belongs to. */
#include "segments.h"

#include "sensor/base/hash.h"
#include "sensor/base/log.h"
#include "sensor/base/text.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 2 * SEGMENTS_MAX };

struct segment {
    struct segment_key key;
    char name[SEGMENT_NAME_MAX];
    bool is_awaited; /* of an earlier run: the key is not known yet */
};

struct segments {
    const char *const *source_names;
    uint32_t source_count;
    uint32_t count; /* the first number that was never given; 0 is the default segment */
    bool has_awaited;
    uint32_t last;             /* packets come in runs */
    uint16_t buckets[BUCKETS]; /* segment number, 0: empty */
    struct segment segments[SEGMENTS_MAX];
    bool is_full;
};

struct segments *segments_create(const char *const *source_names, uint32_t source_count)
{
    struct segments *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->source_names = source_names;
    s->source_count = source_names ? source_count : 0;
    s->segments[0] = (struct segment){
        .key = {SEGMENT_ANY, SEGMENT_ANY, SEGMENT_ANY, TUNNEL_NONE},
        .name = "default",
    };
    s->count = 1;
    return s;
}

void segments_destroy(struct segments *s)
{
    free(s);
}

static bool is_same(const struct segment_key *a, const struct segment_key *b)
{
    return a->source == b->source && a->vlan == b->vlan && a->tunnel == b->tunnel &&
           a->tunnel_kind == b->tunnel_kind;
}

static void name(const struct segments *s, struct segment *segment)
{
    static const char *const tunnels[] = {[TUNNEL_NONE] = "",
                                          [TUNNEL_GRE_KEY] = "gre",
                                          [TUNNEL_ERSPAN] = "erspan",
                                          [TUNNEL_VNI] = "vni"};
    const struct segment_key *k = &segment->key;
    char source[48] = "", vlan[16] = "", tunnel[32] = "";
    if (k->source < s->source_count)
        text_format(source, sizeof source, " %s", s->source_names[k->source]);
    else if (k->source != SEGMENT_ANY)
        text_format(source, sizeof source, " source %u", k->source);
    if (k->vlan != SEGMENT_ANY)
        text_format(vlan, sizeof vlan, " vlan %u", k->vlan);
    if (k->tunnel_kind != TUNNEL_NONE)
        text_format(tunnel, sizeof tunnel, " %s %u", tunnels[k->tunnel_kind], k->tunnel);
    char all[96];
    text_format(all, sizeof all, "%s%s%s", source, vlan, tunnel);
    text_format(segment->name, sizeof segment->name, "%s", all + 1);
}

bool segments_restore(struct segments *s, uint32_t number, const char *name)
{
    if (number == 0 || number >= SEGMENTS_MAX || name[0] == '\0' || s->segments[number].name[0])
        return false;
    for (uint32_t i = 0; i < s->count; i++)
        if (strcmp(s->segments[i].name, name) == 0)
            return false;
    struct segment *segment = &s->segments[number];
    text_copy(segment->name, sizeof segment->name, text_of(name));
    segment->is_awaited = s->has_awaited = true;
    if (number >= s->count)
        s->count = number + 1;
    return true;
}

/* The number of a key that was never seen in this run; 0 when all are given. */
static uint32_t number_for(struct segments *s, const struct segment_key *key)
{
    struct segment made = {.key = *key};
    name(s, &made);
    for (uint32_t i = 1; s->has_awaited && i < s->count; i++) {
        struct segment *segment = &s->segments[i];
        if (segment->is_awaited && strcmp(segment->name, made.name) == 0) {
            segment->key = *key;
            segment->is_awaited = false;
            return i;
        }
    }
    if (s->count == SEGMENTS_MAX)
        return 0;
    s->segments[s->count] = made;
    return s->count++;
}

uint32_t segments_of(struct segments *s, const struct segment_key *key)
{
    if (is_same(key, &s->segments[s->last].key))
        return s->last;
    if (is_same(key, &s->segments[0].key))
        return 0;
    uint64_t hash = hash_mix((uint64_t)key->source << 32 | key->vlan,
                             (uint64_t)key->tunnel << 32 | key->tunnel_kind);
    uint32_t bucket = (uint32_t)(hash % BUCKETS);
    while (s->buckets[bucket] && !is_same(key, &s->segments[s->buckets[bucket]].key))
        bucket = (bucket + 1) % BUCKETS;
    if (!s->buckets[bucket]) {
        uint32_t number = number_for(s, key);
        if (number == 0) {
            if (!s->is_full)
                log_warning("more than %d segments (VLANs, interfaces, tunnels): the others share "
                            "the default one",
                            SEGMENTS_MAX);
            s->is_full = true;
            return 0;
        }
        s->buckets[bucket] = (uint16_t)number;
    }
    s->last = s->buckets[bucket];
    return s->last;
}

const char *segments_name(const struct segments *s, uint32_t segment)
{
    /* asked by another thread, for segments that packets brought there: their names are written,
     * count may change */
    bool is_named = segment < SEGMENTS_MAX && s->segments[segment].name[0];
    return is_named ? s->segments[segment].name : "default";
}
