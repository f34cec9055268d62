/* x509.c: see x509.h.
 *
 * Spec: [5280] RFC 5280 certificates, 4.1 */
#include "x509.h"
#include "ascii.h"
#include "ber.h"

enum {
    NAME_MAX = 120,
    TIME_MAX = 20,
};

/* The attribute 2.5.4.<last> of a name, [5280] 4.1.2.4. */
static struct text attribute(struct reader name, uint8_t last)
{
    struct ber set, pair, oid, value;
    while (ber_next(&name, &set)) {
        if (!ber_next(&set.value, &pair) || !ber_next(&pair.value, &oid) ||
            !ber_next(&pair.value, &value))
            continue;
        struct reader o = oid.value;
        if (oid.tag == BER_OID && reader_left(&o) == 3 && reader_u16be(&o) == 0x5504 &&
            reader_u8(&o) == last) {
            struct text t = ascii_of(value.value);
            return t.size <= NAME_MAX && ascii_is_printable(t) ? t : (struct text){NULL, 0};
        }
    }
    return (struct text){NULL, 0};
}

bool x509_read(struct x509 *c, struct reader r)
{
    enum { COMMON_NAME = 3, ORGANISATION = 10, VERSION = 0xa0 };
    struct ber whole, inner, serial, algorithm, issuer, validity, subject, since, until;
    bool ok =
        ber_next(&r, &whole) && ber_next(&whole.value, &inner) && ber_next(&inner.value, &serial);
    if (ok && serial.tag == VERSION)
        ok = ber_next(&inner.value, &serial);
    ok = ok && ber_next(&inner.value, &algorithm) && ber_next(&inner.value, &issuer) &&
         ber_next(&inner.value, &validity) && ber_next(&inner.value, &subject);
    if (!ok)
        return false;
    *c = (struct x509){
        .name = attribute(subject.value, COMMON_NAME),
        .organisation = attribute(subject.value, ORGANISATION),
        .issuer = attribute(issuer.value, COMMON_NAME),
    };
    if (ber_next(&validity.value, &since) && ber_next(&validity.value, &until))
        c->until = ascii_of(until.value);
    if (c->until.size > TIME_MAX || !ascii_is_printable(c->until))
        c->until = (struct text){NULL, 0};
    return true;
}

struct text x509_text(struct dissect *d, const struct x509 *c)
{
    return dissect_text(d, "subject %.*s%s%.*s, issuer %.*s, until %.*s", (int)c->name.size,
                        c->name.size ? c->name.at : "", c->organisation.size ? " of " : "",
                        (int)c->organisation.size, c->organisation.size ? c->organisation.at : "",
                        (int)c->issuer.size, c->issuer.size ? c->issuer.at : "", (int)c->until.size,
                        c->until.size ? c->until.at : "");
}
