/* check_pdu.h: what tests of many dissectors assert in the same words. */
#pragma once

#include "dissect_probe.h"

/* A PDU on a stream: each prefix asks for more, and cut at each byte it is one event without a
 * violation. */
void check_prefixes(const struct dissector *dissector, const void *pdu, size_t size);

/* The datagram, from a client, raises this violation. */
void check_violation(const struct dissector *dissector, const char *shows, const char *hex,
                     enum violation_kind kind);

/* The i-th event has these items and this operation. */
void check_items(const struct probe *p, size_t i, const char *shows, const char *items,
                 const char *operation);

/* A layer 2 flow to the multicast group 01:0c:cd:KIND:00:01 of IEC 61850. */
struct probe *probe_multicast(uint8_t kind);

/* Of two messages the second raised this violation first ("": none) and has this operation. */
void check_second(const struct probe *p, const char *shows, const char *why, const char *operation);
