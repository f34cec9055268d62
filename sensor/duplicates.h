/* duplicates.h: recognises copies that a mirror port makes of one packet (once per VLAN or
 * direction). Same bytes apart from VLAN, MAC, TTL and checksums within 2 ms; never for layer-2
 * cyclic frames. TCP keep-alives and true retransmissions differ in time. Bounded memory, no
 * allocation per packet. */
#pragma once

#include "sensor/base/packet.h"

struct duplicates;

struct duplicates *duplicates_create(void);
void duplicates_destroy(struct duplicates *duplicates);

/* True when an identical packet came within the window. */
bool duplicates_seen(struct duplicates *duplicates, const struct packet *packet);

/* What is compared of a packet. */
struct print {
    uint64_t hash;
    uint32_t path; /* hash of MACs, VLANs and TTL */
    bool is_compared;
};
/* duplicates_seen in two steps: the first asks for the memory that the second one needs, so that
 * several packets wait for theirs together. */
struct print duplicates_print(const struct duplicates *duplicates, const struct packet *packet);
bool duplicates_seen_print(struct duplicates *duplicates, const struct packet *packet,
                           const struct print *print);
