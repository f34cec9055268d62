/* cip_identity.h: the Identity object (class 1) and the facts it tells, as ListIdentity and CIP
 * services carry it. */
#pragma once

#include "dissector.h"

struct cip_identity {
    uint32_t has; /* bit n: attribute n was there */
    uint16_t vendor, device_type, product_code, status;
    uint8_t major, minor;
    uint32_t serial;
    struct text name;
};

/* Reads one attribute (1 to 7). False: no such attribute, or short. */
bool cip_identity_read(struct reader *r, uint16_t attribute, struct cip_identity *identity);
/* Reads attributes 1 to 7 one after another. */
bool cip_identity_read_all(struct reader *r, struct cip_identity *identity);
/* Fills in event->facts. */
void cip_identity_facts(struct dissect *d, const struct cip_identity *identity,
                        struct ot_event *event);
