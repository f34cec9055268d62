/* tls_ja3.h: fingerprints of TLS programs by what their hellos offer: JA3 of clients, JA3S of
 * servers. */
#pragma once

#include "dissector.h"

/* Of a hello's body (from its version on): 32 hexadecimal digits with packet lifetime; empty when
 * the hello does not hold its own fields. */
struct text tls_ja3(struct dissect *d, bool is_client, struct reader hello);
