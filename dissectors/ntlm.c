/* ntlm.c: names, users and versions in the three messages of an NTLM log-in.
 *
 * Spec: [NLMP] MS-NLMP NT LAN Manager Authentication Protocol 2.2
 *
 *   | "NTLMSSP" NUL 8 | type 4 | fields |, little endian; a field: | size 2 | room 2 | offset 4 |
 *   challenge 2:    | target name 8 | flags 4 | challenge 8 | 0 8 | target info 8 | version 8 |
 *   authenticate 3: | LM 8 | NT 8 | domain 8 | user 8 | workstation 8 | key 8 | flags 4 | version 8
 * |
 *
 * The responses (proofs of the password) are passed over. */
#include "ntlm.h"

#include "ascii.h"
#include "utf16.h"

enum {
    SIGNATURE_SIZE = 8,
    SEARCH_MAX = 512, /* SPNEGO puts a few short fields before it */
    UNICODE = 1,      /* [NLMP] 2.2.2.5 */
    HAS_VERSION = 0x02000000,
    NETBIOS_COMPUTER = 1, /* [NLMP] 2.2.2.1 */
    NETBIOS_DOMAIN = 2,
    DNS_COMPUTER = 3,
    DNS_DOMAIN = 4,
    PAIRS_MAX = 16,
};

static const uint8_t signature[SIGNATURE_SIZE] = {'N', 'T', 'L', 'M', 'S', 'S', 'P', 0};

static struct reader field(struct reader *r, struct reader message)
{
    uint16_t size = reader_u16le(r);
    reader_skip(r, 2);
    uint32_t offset = reader_u32le(r);
    reader_skip(&message, offset);
    return reader_take(&message, size);
}

static struct text text_in(struct dissect *d, struct reader r, bool is_unicode)
{
    return is_unicode ? utf16_text(d, r) : ascii_of(r);
}

static void add(struct ntlm *n, enum fact_kind kind, struct text value)
{
    if (value.size && n->fact_count < NTLM_FACTS_MAX)
        n->facts[n->fact_count++] = (struct ot_fact){.kind = kind, .value = value};
}

/* [NLMP] 2.2.2.10: | major 1 | minor 1 | build 2 | 0 3 | revision 1 |: of Windows, or like it */
static void add_version(struct dissect *d, struct ntlm *n, struct reader r)
{
    uint8_t major = reader_u8(&r), minor = reader_u8(&r);
    uint16_t build = reader_u16le(&r);
    if (reader_ok(&r) && major && build)
        add(n, FACT_OS, dissect_text(d, "Windows %u.%u build %u", major, minor, build));
}

static void challenge(struct dissect *d, struct reader message, struct reader r, struct ntlm *n)
{
    struct text host = {NULL, 0};
    reader_skip(&r, 8); /* the target's name: its domain, told by the pairs as well */
    uint32_t flags = reader_u32le(&r);
    reader_skip(&r, 8 + 8);
    struct reader pairs = field(&r, message);
    for (int i = 0; i < PAIRS_MAX && reader_left(&pairs); i++) {
        uint16_t id = reader_u16le(&pairs), size = reader_u16le(&pairs);
        struct reader value = reader_take(&pairs, size);
        if (id == DNS_COMPUTER || (id == NETBIOS_COMPUTER && host.size == 0))
            host = utf16_text(d, value);
        else if (id == DNS_DOMAIN || (id == NETBIOS_DOMAIN && n->domain.size == 0))
            n->domain = utf16_text(d, value);
    }
    add(n, FACT_HOST_NAME, host);
    if (flags & HAS_VERSION)
        add_version(d, n, r);
}

static void authenticate(struct dissect *d, struct reader message, struct reader r, struct ntlm *n)
{
    reader_skip(&r, 8 + 8);
    struct reader domain = field(&r, message), user = field(&r, message);
    struct reader workstation = field(&r, message);
    reader_skip(&r, 8);
    uint32_t flags = reader_u32le(&r);
    if (!reader_ok(&r))
        return;
    n->domain = text_in(d, domain, flags & UNICODE);
    n->user = text_in(d, user, flags & UNICODE);
    add(n, FACT_USER_NAME, n->user);
    add(n, FACT_HOST_NAME, text_in(d, workstation, flags & UNICODE));
    if (flags & HAS_VERSION)
        add_version(d, n, r);
}

bool ntlm_find(struct dissect *d, struct reader r, struct ntlm *n)
{
    *n = (struct ntlm){.message = NTLM_NONE};
    size_t left = reader_left(&r);
    const uint8_t *at =
        left ? memmem(r.at, left < SEARCH_MAX ? left : SEARCH_MAX, signature, sizeof signature)
             : NULL;
    if (!at)
        return false;
    reader_skip(&r, (size_t)(at - r.at));
    struct reader message = r;
    reader_skip(&r, SIGNATURE_SIZE);
    uint32_t type = reader_u32le(&r);
    if (!reader_ok(&r) || type < NTLM_NEGOTIATE || type > NTLM_AUTHENTICATE)
        return false;
    n->message = (enum ntlm_message)type;
    if (type == NTLM_CHALLENGE)
        challenge(d, message, r, n);
    else if (type == NTLM_AUTHENTICATE)
        authenticate(d, message, r, n);
    return true;
}
