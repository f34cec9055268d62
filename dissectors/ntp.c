/* ntp.c: whose clock a host follows: NTP and SNTP, and the control messages of NTP servers.
 *
 * Spec: [5905] RFC 5905 7.3, [9327] RFC 9327 (control, mode 6); mode 7 is ntpd's own (ntpdc)
 *
 *   | leap 2 bits, version 3, mode 3 | stratum 1 | poll 1 | precision 1 | delay 4 | dispersion 4 |
 *   | reference id 4 | reference, origin, receive, transmit times 8 each | extensions, MAC |
 *   mode 6: | leap, version, mode | R E M, opcode 5 bits | sequence 2 | status 2 | ... |
 *   mode 7: | R M, version, mode | A, sequence 7 bits | implementation 1 | request 1 | ... |
 *
 * big endian */
#include "dissector.h"

enum {
    PACKET_SIZE = 48,
    CONTROL_SIZE = 12,
    PRIVATE_SIZE = 8,
    VERSION_MAX = 4,
    SYMMETRIC = 1,
    PASSIVE = 2,
    CLIENT = 3,
    SERVER = 4,
    BROADCAST = 5,
    CONTROL = 6,
    PRIVATE = 7,
    STRATUM_PRIMARY = 1,
    STRATUM_MAX = 16, /* [5905] figure 11: unsynchronised; greater ones are reserved */
    STRATUM_AT = 1,
    REFERENCE_AT = 12,
    IS_ANSWER = 0x80,
    OPCODE_MASK = 0x1f,
    MONLIST = 20,
    MONLIST_1 = 42,
};

static const char *const modes[] = {"reserved", "symmetric", "passive", "client",
                                    "server",   "broadcast", "control", "private"};

/* [9327] 2.1: what changes something */
static enum operation control_operation(uint8_t opcode)
{
    enum { WRITE_VARIABLES = 3, WRITE_CLOCK = 5, CONFIGURE = 8, SAVE = 9 };
    return opcode == WRITE_VARIABLES || opcode == WRITE_CLOCK || opcode == CONFIGURE ||
                   opcode == SAVE
               ? OP_CONFIG_CHANGE
               : OP_DIAGNOSTICS;
}

static void control(struct dissect *d, struct ot_event *e, uint8_t mode, struct reader r)
{
    uint8_t first = reader_u8(&r), second = reader_u8(&r);
    bool is_answer = (mode == CONTROL ? second : first) & IS_ANSWER;
    dissect_sender_is_client(d, !is_answer);
    e->is_from_client = d->is_from_client;
    e->direction = is_answer ? OT_RESPONSE : OT_REQUEST;
    e->operation = mode == CONTROL ? control_operation(second & OPCODE_MASK) : OP_DIAGNOSTICS;
    if (mode == PRIVATE) {
        reader_skip(&r, 1);
        uint8_t request = reader_u8(&r);
        if (request == MONLIST || request == MONLIST_1)
            e->name = "monlist"; /* lists clients to whoever asks */
    }
    emit_event(d, e);
}

static void time_message(struct dissect *d, struct ot_event *e, uint8_t mode, struct reader r)
{
    const uint8_t *at = r.at;
    uint8_t stratum = at[STRATUM_AT];
    bool is_asking = mode == CLIENT || mode == SYMMETRIC;
    if (mode == CLIENT || mode == SERVER) {
        dissect_sender_is_client(d, mode == CLIENT);
        e->is_from_client = d->is_from_client;
    }
    e->direction = mode == BROADCAST ? OT_ONEWAY : is_asking ? OT_REQUEST : OT_RESPONSE;
    e->operation = OP_NETMGMT;
    struct ot_item items[] = {
        {.area = "stratum",   .values = {VALUES_U8, 1, at + STRATUM_AT, 1}},
        {.area = "reference",
         .values = {stratum <= STRATUM_PRIMARY ? VALUES_TEXT : VALUES_BYTES, 1, at + REFERENCE_AT,
                    4}                                                    },
    };
    while (stratum <= STRATUM_PRIMARY && items[1].values.size &&
           at[REFERENCE_AT + items[1].values.size - 1] == 0)
        items[1].values.size--; /* [5905] 7.3: padded with zeros */
    if (mode != CLIENT) {
        e->items = items;
        e->item_count = e->items_total = items[1].values.size ? 2 : 1;
    }
    if (stratum > STRATUM_MAX)
        emit_violation(d, VIOLATION_RESERVED, "NTP stratum above 16", at + STRATUM_AT, 1);
    emit_event(d, e);
}

static void ntp_dissect(struct dissect *d, struct reader r)
{
    uint8_t mode = reader_peek(&r) & 7;
    size_t least = mode == CONTROL ? CONTROL_SIZE : mode == PRIVATE ? PRIVATE_SIZE : PACKET_SIZE;
    if (reader_left(&r) < least) {
        emit_violation(d, VIOLATION_LENGTH, "NTP message shorter than its mode", NULL, 0);
        return;
    }
    struct ot_event e = event_of(d);
    e.code[0] = e.function = mode;
    e.name = modes[mode];
    if (mode == CONTROL || mode == PRIVATE) {
        control(d, &e, mode, r);
    } else if (mode == 0) {
        emit_violation(d, VIOLATION_RESERVED, "NTP mode 0 is reserved", r.at, 1);
        emit_event(d, &e);
    } else {
        time_message(d, &e, mode, r);
    }
}

/* Version and mode fit many things: its own port is wanted, too. */
static enum claim ntp_recognise(struct reader r)
{
    size_t size = reader_left(&r);
    uint8_t first = reader_u8(&r);
    uint8_t version = first >> 3 & 7, mode = first & 7;
    size_t least = mode == CONTROL ? CONTROL_SIZE : mode == PRIVATE ? PRIVATE_SIZE : PACKET_SIZE;
    if (size < least || version == 0 || version > VERSION_MAX || mode == 0)
        return CLAIM_NO;
    if (mode < CONTROL && reader_u8(&r) > STRATUM_MAX)
        return CLAIM_NO;
    return CLAIM_WEAK;
}

const struct dissector dissector_ntp = {
    .name = "ntp",
    .spec = "RFC 5905, RFC 9327",
    .over = OVER_UDP,
    .ports = {123},
    .is_bound_to_ports = true,
    .recognise = ntp_recognise,
    .dissect = ntp_dissect,
};
