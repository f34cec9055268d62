/* stp.c: spanning tree: which bridge is the root of a layer 2 network, and when that changes.
 *
 * Spec: [D] IEEE 802.1D-2004 9.3 (STP, RSTP), [Q] IEEE 802.1Q-2018 14.4 (MSTP); PVST+ says the same
 *       behind SNAP 00-00-0c, 010b
 *
 *   LLC 42 42 03 | protocol 2, =0 | version 1 | type 1 |, a topology change notification ends here
 *   | flags 1 | root 8 | cost 4 | bridge 8 | port 2 | age 2 | max age 2 | hello 2 | delay 2 |
 *   rapid also   | 0 |; multiple also | size 2 | format 1 | region 32 | revision 2 | digest 16 |...
 *
 * big endian */
#include "facts.h"

enum {
    DSAP = 0x42,
    LLC_SIZE = 3,
    VERSION_MULTIPLE = 3,
    CONFIGURATION = 0x00,
    RAPID = 0x02,
    NOTIFICATION = 0x80,
    TOPOLOGY_CHANGE = 0x01, /* flag */
    ID_SIZE = 8,
    ID_MAC = 2, /* behind the priority */
    REST = 10,  /* port to delay */
};

/* Kept of each sender, so that only changes make text. */
struct stp_state {
    uint8_t root[ID_SIZE];
    bool has_root, is_changing;
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    (void)code;
    memcpy(out, "frame", sizeof "frame");
}

static const char *name_of(uint8_t version, uint8_t type)
{
    if (type == NOTIFICATION)
        return "topology_change_notification";
    if (type == CONFIGURATION)
        return "configuration";
    return version >= VERSION_MULTIPLE ? "multiple" : "rapid";
}

/* "root bridge is now 32768/00:19:06:ea:b8:80, before ..." */
static struct text root_change(struct dissect *d, const uint8_t *old, const uint8_t *now)
{
    struct text a = facts_mac(d, now + ID_MAC), b = facts_mac(d, old + ID_MAC);
    return dissect_text(d, "root bridge is now %u/%.*s, before %u/%.*s", now[0] << 8 | now[1],
                        (int)a.size, a.at, old[0] << 8 | old[1], (int)b.size, b.at);
}

static void tell_changes(struct dissect *d, struct ot_event *e, const uint8_t *root, uint8_t flags)
{
    struct stp_state *s = d->state;
    bool is_changing = flags & TOPOLOGY_CHANGE;
    if (s->has_root && memcmp(s->root, root, ID_SIZE) != 0)
        e->detail = root_change(d, s->root, root);
    else if (is_changing && !s->is_changing)
        e->detail = TEXT("topology changes");
    memcpy(s->root, root, ID_SIZE);
    s->has_root = true;
    s->is_changing = is_changing;
}

/* Behind the type: emits the event when its root is told, otherwise false. */
static bool configuration(struct dissect *d, struct ot_event *e, uint8_t type, struct reader r)
{
    uint8_t flags = reader_u8(&r);
    const uint8_t *root = reader_bytes(&r, ID_SIZE);
    reader_skip(&r, 4);
    const uint8_t *bridge = reader_bytes(&r, ID_SIZE);
    reader_skip(&r, REST);
    if (type == RAPID)
        reader_skip(&r, 1);
    if (!reader_ok(&r))
        return false;
    struct ot_item items[] = {
        {.area = "root_bridge", .values = {VALUES_BYTES, 1, root, ID_SIZE}  },
        {.area = "bridge",      .values = {VALUES_BYTES, 1, bridge, ID_SIZE}},
    };
    struct facts facts = {.count = 0};
    if (memcmp(bridge + ID_MAC, d->packet->source_mac.bytes, sizeof(struct mac)) != 0)
        facts_add(&facts, FACT_MAC, facts_mac(d, bridge + ID_MAC));
    e->items = items;
    e->item_count = e->items_total = 2;
    facts_give(e, &facts);
    tell_changes(d, e, root, flags);
    emit_event(d, e);
    return true;
}

static void stp_dissect(struct dissect *d, struct reader r)
{
    if (reader_peek(&r) == DSAP)
        reader_skip(&r, LLC_SIZE);
    const uint8_t *at = r.at;
    uint16_t protocol = reader_u16be(&r);
    uint8_t version = reader_u8(&r);
    uint8_t type = reader_u8(&r);
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_LENGTH, "BPDU shorter than its header", NULL, 0);
        return;
    }
    if (protocol != 0) {
        emit_violation(d, VIOLATION_RESERVED, "BPDU protocol is not 0", at, 2);
        return; /* another protocol of bridges */
    }
    struct ot_event e = event_of(d);
    e.direction = OT_ONEWAY;
    e.operation = OP_NETMGMT;
    e.spell = spell;
    e.function = type;
    if (type == CONFIGURATION || type == RAPID) {
        e.name = name_of(version, type);
        if (configuration(d, &e, type, r))
            return;
        emit_violation(d, VIOLATION_LENGTH, "BPDU shorter than its type", at, 4);
    } else if (type == NOTIFICATION) {
        e.name = name_of(version, type);
        e.detail = TEXT("topology changes");
    } else {
        emit_violation(d, VIOLATION_FUNCTION, "unknown BPDU type", at + 3, 1);
    }
    emit_event(d, &e);
}

/* The LLC address, or what SNAP says, decides. */
static enum claim stp_recognise(struct reader r)
{
    return reader_left(&r) < 4 ? CLAIM_MORE : CLAIM_YES;
}

const struct dissector dissector_stp = {
    .name = "stp",
    .spec = "IEEE 802.1D-2004, IEEE 802.1Q-2018",
    .over = OVER_ETHERTYPE,
    .ethertypes = {DSAP, 0x010b},
    .state_size = sizeof(struct stp_state),
    .recognise = stp_recognise,
    .dissect = stp_dissect,
};
