/* recognition.h: what the first bytes of a flow may be, and what its ports say. Nothing is changed
 * here; claims.c decides. */
#pragma once

#include "flow.h"

/* Layer-2 flows are known by an ethertype instead of ports. */
bool flow_is_layer2(const struct flow *f);
/* OVER_TCP, OVER_UDP or OVER_ETHERTYPE. */
unsigned flow_carrier(const struct flow *f);

struct verdict {
    const struct dissector *dissector; /* NULL: none yet */
    enum claim claim;                  /* the best of all */
};
/* Asks those that the port hints at, then the others; the first sure answer wins. */
struct verdict recognise(const struct flow *f, struct reader r);

/* Without a SYN the port tells best who is the server: changes the ends of the flow if need be. */
void recognise_roles(struct flow *f);
/* A protocol whose port this is, or NULL. */
const char *recognise_expected(const struct flow *f);
/* A protocol without ports of its own is usual where no other one is at home. is_weak: two weak
 * claims made it sure. */
bool recognise_usual_port(const struct dissector *d, const struct flow *f, bool is_weak);
