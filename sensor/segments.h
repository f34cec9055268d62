/* segments.h: which address space a packet belongs to. Machine cells reuse addresses behind VLANs,
 * interfaces and tunnels; a small number stands for each such place. Bounded; numbers are given in
 * the order of appearance, and kept over runs by segments_restore: what was learned is keyed by
 * them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum tunnel_kind { TUNNEL_NONE, TUNNEL_GRE_KEY, TUNNEL_ERSPAN, TUNNEL_VNI };

enum {
    SEGMENTS_MAX = 1024, /* more share segment 0 */
    SEGMENT_NAME_MAX = 64,
};

/* What tells address spaces apart; what is not asked for stays SEGMENT_ANY or TUNNEL_NONE. */
#define SEGMENT_ANY UINT32_MAX
struct segment_key {
    uint32_t source; /* index of the interface or file */
    uint32_t vlan;
    uint32_t tunnel; /* GRE key, ERSPAN session, VNI */
    uint32_t tunnel_kind;
};

struct segments;

/* source_names may be NULL; it is borrowed for as long as the segments live. */
struct segments *segments_create(const char *const *source_names, uint32_t source_count);
void segments_destroy(struct segments *segments);

/* The number that a segment of this name had in an earlier run: it gets it again when its first
 * packet comes. False when the number is 0 or too large, or the number or the name is taken. Before
 * the first packet only. */
bool segments_restore(struct segments *segments, uint32_t number, const char *name);

uint32_t segments_of(struct segments *segments, const struct segment_key *key);

/* "default", "vlan 12", "eth1 vlan 12", "vni 7". Borrowed. */
const char *segments_name(const struct segments *segments, uint32_t segment);
