/* nbdgm.c: NetBIOS datagrams: who sends to whom by name, and how hosts announce themselves in them.
 *
 * Spec: [1002] RFC 1002 4.4 datagram service, [BRWS] MS-BRWS 2.2.1 HostAnnouncement
 *
 *   | type 1 | flags 1 | id 2 | address 4 | port 2 | size 2 | offset 2 | sender's name 34 |
 *   receiver's name 34 | data |, big endian; a write to a mailslot of SMB 1 as data:
 *   | header 32 | count 1, =17 | ... data count 2 | data offset 2 | ... | 3 | ... | name | data |
 *   announcement: | command 1 | count 1 | period 4 | name 16 | major 1 | minor 1 | type 4 |
 *     version 2 | signature 2 | comment |
 */
#include "netbios.h"

enum {
    PORT = 138,
    DIRECT_UNIQUE = 0x10,
    DIRECT_GROUP = 0x11,
    BROADCAST = 0x12,
    NAME_FIELD = 34,
    SMB_HEADER = 32,
    MAILSLOT_WORDS = 17,
    HOST_ANNOUNCEMENT = 1,
    LOCAL_MASTER = 15,
    ANNOUNCED_NAME = 16,
};

struct datagram {
    uint8_t type;
    const uint8_t *address;
    struct netbios_name from, to;
    struct reader data;
};

static bool read_name(struct reader *r, struct netbios_name *name)
{
    struct reader field = reader_take(r, NAME_FIELD);
    uint8_t size = reader_u8(&field);
    return size == NETBIOS_LETTERS && netbios_decode(ascii_of(field), name);
}

static bool read_datagram(struct reader r, struct datagram *g)
{
    g->type = reader_u8(&r);
    reader_skip(&r, 1 + 2);
    g->address = reader_bytes(&r, 4);
    reader_skip(&r, 2 + 2 + 2);
    if (!reader_ok(&r) || g->type < DIRECT_UNIQUE || g->type > BROADCAST ||
        !read_name(&r, &g->from) || !read_name(&r, &g->to))
        return false;
    g->data = r;
    return true;
}

static enum claim nbdgm_recognise(struct reader r)
{
    struct datagram g;
    return read_datagram(r, &g) ? CLAIM_YES : CLAIM_NO;
}

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    text_format(out, OT_CODE_SIZE, "0x%02x", code[0]);
}

/* What is written to the mailslot; empty when it is something else. */
static struct reader mailslot(struct reader r)
{
    struct reader message = r;
    const uint8_t *magic = reader_bytes(&r, 4);
    if (!magic || memcmp(magic, "\xffSMB", 4) != 0)
        return (struct reader){0};
    reader_skip(&r, SMB_HEADER - 4);
    uint8_t words = reader_u8(&r);
    reader_skip(&r, (size_t)2 * 11);
    uint16_t size = reader_u16le(&r), offset = reader_u16le(&r);
    if (!reader_ok(&r) || words != MAILSLOT_WORDS)
        return (struct reader){0};
    reader_skip(&message, offset);
    return reader_take(&message, size);
}

/* [BRWS] 2.2.1: true when the host tells itself. */
static bool announcement(struct dissect *d, struct reader r, struct ot_fact facts[3])
{
    uint8_t command = reader_u8(&r);
    reader_skip(&r, 1 + 4);
    struct reader field = reader_take(&r, ANNOUNCED_NAME);
    uint8_t major = reader_u8(&r), minor = reader_u8(&r);
    if (!reader_ok(&r) || (command != HOST_ANNOUNCEMENT && command != LOCAL_MASTER))
        return false;
    struct text rest = ascii_of(field);
    struct text name = ascii_until(&rest, '\0');
    if (!ascii_is_printable(name))
        return false;
    facts[0] = (struct ot_fact){.kind = FACT_HOST_NAME, .value = name};
    facts[1] =
        (struct ot_fact){.kind = FACT_OS, .value = dissect_text(d, "Windows %u.%u", major, minor)};
    reader_skip(&r, 4 + 2 + 2);
    rest = ascii_of(r);
    struct text comment = ascii_until(&rest, '\0');
    facts[2] = (struct ot_fact){.kind = FACT_COMMENT};
    if (reader_ok(&r) && ascii_is_printable(comment))
        facts[2].value = comment;
    return true;
}

static void nbdgm_dissect(struct dissect *d, struct reader r)
{
    struct datagram g;
    if (!read_datagram(r, &g)) {
        emit_violation(d, VIOLATION_ENCODING, "malformed NetBIOS datagram", NULL, 0);
        return;
    }
    struct ot_fact facts[3];
    struct ot_event e = event_of(d);
    const struct endpoint *sender = d->is_from_client ? &d->flow->client : &d->flow->server;
    bool is_own = sender->ip.kind == ADDRESS_IP4 && memcmp(sender->ip.bytes, g.address, 4) == 0;
    e.direction = OT_ONEWAY;
    e.spell = spell;
    e.code[0] = e.function = g.type;
    e.name = "datagram";
    e.operation = OP_SESSION;
    e.detail = netbios_text(d, &g.to);
    e.facts = facts;
    if (is_own && announcement(d, mailslot(g.data), facts)) {
        e.name = "host_announcement";
        e.fact_count = facts[2].value.size ? 3 : 2;
    } else if (is_own && (g.from.kind == NETBIOS_WORKSTATION || g.from.kind == NETBIOS_SERVER)) {
        facts[0] = (struct ot_fact){.kind = FACT_HOST_NAME, .value = netbios_text(d, &g.from)};
        e.fact_count = facts[0].value.size ? 1 : 0;
    }
    emit_event(d, &e);
}

const struct dissector dissector_nbdgm = {
    .name = "nbdgm",
    .spec = "RFC 1002, MS-BRWS",
    .over = OVER_UDP,
    .ports = {PORT},
    .recognise = nbdgm_recognise,
    .dissect = nbdgm_dissect,
};
