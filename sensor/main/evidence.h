/* evidence.h: a byte ring of the packets that a worker saw last, so that an alert can keep those
 * around it. For a finding the pair's last packets are handed on at once, the next ones as they
 * come. Owned by one worker. */
#pragma once

#include "sensor/base/finding.h"
#include "sensor/base/packet.h"

struct evidence;

enum { EVIDENCE_PACKETS = 20 }; /* before, and after */

/* bytes: of the ring, rounded down to a power of two. */
struct evidence *evidence_create(size_t bytes, const struct finding_sink *sink);
void evidence_destroy(struct evidence *e);

/* Asks for the memory that evidence_packet will need for this pair. */
void evidence_look(const struct evidence *e, uint64_t pair);
/* Keeps a packet, before it is dissected. pair: pair_hash of its ends. */
void evidence_packet(struct evidence *e, const struct packet *p, uint64_t pair);
/* Overwrites bytes of the packet kept last (a password); outside of it: its whole payload. */
void evidence_mask(struct evidence *e, const struct packet *p, const uint8_t *at, size_t size);
/* A finding about this pair: gives it an id, unless this cause has had its share, and remembers to
 * hand the packets on. */
void evidence_finding(struct evidence *e, struct finding *f, uint64_t pair);
/* After a packet was analysed (and masked): hands on what its findings asked for. */
void evidence_flush(struct evidence *e);
