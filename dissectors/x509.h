/* x509.h: whom a certificate speaks for, who vouches for it, and until when. */
#pragma once

#include "dissector.h"

struct x509 { /* texts point into the certificate; empty: not there, or not printable */
    struct text name, organisation; /* of the subject */
    struct text issuer;
    struct text until; /* as it is written: YYMMDD... or YYYYMMDD... */
};

/* Reads the first certificate of r (DER). False: none can be read. */
bool x509_read(struct x509 *c, struct reader r);
/* "subject plc of Plant, issuer ca1, until 300101000000Z" */
struct text x509_text(struct dissect *d, const struct x509 *c);
