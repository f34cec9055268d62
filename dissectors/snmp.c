/* snmp.c: network management: who reads, walks and sets what of which device, and what devices tell
 * of themselves.
 *
 * Spec: [1157] RFC 1157 (version 1), [3416] RFC 3416 (operations of version 2), [3412] RFC 3412 6
 *       (version 3), [3414] RFC 3414 2.4 (its users), [1213] RFC 1213 3.5 (system group),
 *       [6933] RFC 6933 (ENTITY-MIB); PROTOCOLS 31
 *
 *   1, 2: | SEQUENCE: version INTEGER 0, 1 | community OCTETS | operation |
 *   3:    | SEQUENCE: version 3 | SEQUENCE: id, size, flags, model | OCTETS: SEQUENCE: engine,
 * boots, | time, user, ... | SEQUENCE: engine, context, operation; OCTETS when encrypted |
 *   operation: | a0..a8: request INTEGER | error | index | SEQUENCE: SEQUENCE: name OID, value |
 *   trap of version 1 (a4): | enterprise OID | agent | generic | specific | time | the same |
 *
 * BER. A community is a password: its bytes are nowhere in an event. */
#include "snmp.h"

#include "default_logins.h"

enum {
    VERSION_1 = 0,
    VERSION_2 = 1,
    VERSION_3 = 3,
    GET = 0,
    GET_NEXT = 1,
    RESPONSE = 2,
    SET = 3,
    TRAP_1 = 4,
    GET_BULK = 5,
    INFORM = 6,
    TRAP_2 = 7,
    REPORT = 8,
    CODES = 9,
    ENCRYPTED = CODES, /* in code[0] */
    TAG_OPERATION = 0xa0,
    FLAG_ENCRYPTED = 2,
    ITEMS_MAX = 64,
};

static const struct {
    const char *name;
    enum operation operation;
    enum ot_direction direction;
} codes[CODES] = {
    [GET] = {"get",      OP_READ,          OT_REQUEST },
    [GET_NEXT] = {"get_next", OP_BROWSE,        OT_REQUEST },
    [RESPONSE] = {"response", OP_READ,          OT_RESPONSE},
    [SET] = {"set",      OP_CONFIG_CHANGE, OT_REQUEST }, /* PROTOCOLS 31 */
    [TRAP_1] = {"trap",     OP_ALARM,         OT_ONEWAY  },
    [GET_BULK] = {"get_bulk", OP_BROWSE,        OT_REQUEST },
    [INFORM] = {"inform",   OP_ALARM,         OT_REQUEST },
    [TRAP_2] = {"trap2",    OP_ALARM,         OT_ONEWAY  },
    [REPORT] = {"report",   OP_ERROR,         OT_RESPONSE},
};

/* [3416] 3, error-status */
static const char *const errors[] = {"ok",
                                     "too_big",
                                     "no_such_name",
                                     "bad_value",
                                     "read_only",
                                     "general_error",
                                     "no_access",
                                     "wrong_type",
                                     "wrong_length",
                                     "wrong_encoding",
                                     "wrong_value",
                                     "no_creation",
                                     "inconsistent_value",
                                     "resource_unavailable",
                                     "commit_failed",
                                     "undo_failed",
                                     "authorization_error",
                                     "not_writable",
                                     "inconsistent_name"};

static const char *const traps[] = {
    "cold_start",     "warm_start", "link_down", "link_up", "authentication_failure",
    "neighbour_loss", "enterprise"};

struct message {
    struct dissect *d;
    struct ot_event event;
    uint8_t version;
    uint8_t code;
    bool is_response; /* of what a device tells about itself */
    struct facts facts;
    struct ot_item *items;
    uint32_t item_count, item_room, items_total;
};

/* Of a flow: the last requests that were answered. Who asks once more before the answer came gets
 * two. */
struct state {
    uint64_t answered[8];
    uint8_t next, count;
};

/* What a request wanted, for its response. */
struct asked {
    uint8_t code;
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    if (code[0] == ENCRYPTED)
        memcpy(out, "encrypted", sizeof "encrypted");
    else
        text_format(out, OT_CODE_SIZE, "%u", code[0]);
}

/* r: what could not be read further. */
static void broken(struct message *m, const struct reader *r)
{
    size_t left = reader_left(r);
    emit_violation(m->d, VIOLATION_LENGTH, "SNMP element longer than what holds it",
                   left ? r->at : NULL, left ? 1 : 0);
}

/* --- names and values --- */

static void take_variable(struct message *m, struct reader r)
{
    struct ber oid, value;
    if (!ber_next(&r, &oid) || oid.tag != BER_OID || !ber_next(&r, &value)) {
        broken(m, &r);
        return;
    }
    m->items_total++;
    if (m->is_response)
        snmp_facts(&m->facts, oid.value, &value);
    if (m->item_count == m->item_room)
        return;
    struct ot_item *item = &m->items[m->item_count++];
    item->area = "oid";
    item->name = snmp_oid_text(m->d, oid.value);
    item->count = 1;
    if (m->code != GET && m->code != GET_NEXT && m->code != GET_BULK)
        item->values = snmp_values(m->d, &value);
    if (value.tag >= SNMP_NO_OBJECT && value.tag <= SNMP_END_OF_VIEW)
        item->status = (struct ot_status){OT_RESULT_ERROR, value.tag, snmp_exception(value.tag)};
}

static void take_variables(struct message *m, struct reader r)
{
    struct ber list, variable;
    if (!ber_next(&r, &list) || list.tag != BER_SEQUENCE) {
        broken(m, &r);
        return;
    }
    uint32_t room = ITEMS_MAX;
    m->items = dissect_items(m->d, &room);
    m->item_room = room;
    while (ber_next(&list.value, &variable))
        take_variable(m, variable.value);
    if (!reader_ok(&list.value))
        broken(m, &list.value);
    m->event.items = m->items;
    m->event.item_count = m->item_count;
    m->event.items_total = m->items_total;
}

/* --- operations --- */

/* [1157] 4.1.6 */
static void take_trap(struct message *m, struct reader r)
{
    struct ber enterprise, agent, generic, specific, time;
    if (!ber_next(&r, &enterprise) || !ber_next(&r, &agent) || !ber_next(&r, &generic) ||
        !ber_next(&r, &specific) || !ber_next(&r, &time)) {
        broken(m, &r);
        return;
    }
    uint64_t kind = ber_unsigned(generic.value);
    if (kind < sizeof traps / sizeof *traps)
        m->event.detail = text_of(traps[kind]);
    else
        emit_violation(m->d, VIOLATION_RANGE, "SNMP trap of no such kind", generic.at, 1);
    facts_add(&m->facts, FACT_VENDOR, snmp_vendor(enterprise.value));
    take_variables(m, r);
}

static bool was_answered(const struct state *s, uint64_t id)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->answered[i] == id)
            return true;
    return false;
}

static void note_answered(struct state *s, uint64_t id)
{
    enum { PLACES = sizeof s->answered / sizeof *s->answered };
    s->answered[s->next] = id;
    s->next = (uint8_t)((s->next + 1) % PLACES);
    s->count = s->count < PLACES ? (uint8_t)(s->count + 1) : s->count;
}

static void match(struct message *m, uint64_t id, uint64_t error)
{
    m->event.transaction = id;
    m->event.has_transaction = true;
    if (codes[m->code].direction == OT_REQUEST) {
        struct asked *asked = dissect_remember(m->d, id, sizeof *asked, NULL);
        asked->code = m->code;
        return;
    }
    const struct asked *asked =
        codes[m->code].direction == OT_RESPONSE ? dissect_recall(m->d, id, NULL) : NULL;
    if (m->code != RESPONSE)
        return;
    if (asked) {
        m->event.operation = codes[asked->code].operation;
        note_answered(m->d->state, id);
    } else {
        m->event.flags |= was_answered(m->d->state, id) ? OT_RETRANSMIT : OT_NO_REQUEST;
    }
    m->event.status =
        error == 0
            ? (struct ot_status){OT_RESULT_OK, 0, NULL}
            : (struct ot_status){OT_RESULT_ERROR, (uint32_t)error,
                                 error < sizeof errors / sizeof *errors ? errors[error] : NULL};
}

static void take_operation(struct message *m, const struct ber *operation)
{
    struct reader r = operation->value;
    struct ber id, error, index;
    m->code = operation->tag & 0x1f;
    if (operation->tag < TAG_OPERATION || operation->tag >= TAG_OPERATION + CODES) {
        emit_violation(m->d, VIOLATION_FUNCTION, "unknown SNMP operation", operation->at, 1);
        return;
    }
    struct ot_event *e = &m->event;
    e->code[0] = e->function = m->code;
    e->name = codes[m->code].name;
    e->operation = codes[m->code].operation;
    e->direction = codes[m->code].direction;
    m->is_response = m->code == RESPONSE || m->code == REPORT;
    if (e->direction != OT_ONEWAY) {
        dissect_sender_is_client(m->d, e->direction == OT_REQUEST);
        e->is_from_client = m->d->is_from_client;
    } else {
        e->flags |= OT_UNSOLICITED;
    }
    if (m->code == TRAP_1) {
        take_trap(m, r);
        return;
    }
    if (!ber_next(&r, &id) || !ber_next(&r, &error) || !ber_next(&r, &index)) {
        broken(m, &r);
        return;
    }
    match(m, ber_unsigned(id.value), ber_unsigned(error.value));
    take_variables(m, r);
}

/* --- messages --- */

static void community_message(struct message *m, struct reader r)
{
    struct ber community, operation;
    if (!ber_next(&r, &community) || community.tag != BER_OCTETS || !ber_next(&r, &operation)) {
        broken(m, &r);
        return;
    }
    if (reader_left(&community.value)) {
        m->event.secret = community.value.at;
        m->event.secret_size = reader_left(&community.value);
        m->event.flags |= OT_HAS_CREDENTIAL;
    }
    bool is_trap =
        operation.tag == TAG_OPERATION + TRAP_1 || operation.tag == TAG_OPERATION + TRAP_2;
    if (!is_trap && default_logins_has("snmp", (struct text){NULL, 0}, ascii_of(community.value)))
        m->event.flags |= OT_DEFAULT_CREDENTIAL;
    take_operation(m, &operation);
    if (reader_left(&r))
        emit_violation(m->d, VIOLATION_TRAILING, "bytes behind an SNMP operation", r.at, 1);
}

/* [3414] 2.4: who speaks for whom; the engine is the device that is managed. */
static void take_user(struct message *m, struct reader r)
{
    struct ber all, engine, boots, time, user;
    if (!ber_next(&r, &all) || all.tag != BER_SEQUENCE || !ber_next(&all.value, &engine) ||
        !ber_next(&all.value, &boots) || !ber_next(&all.value, &time) ||
        !ber_next(&all.value, &user))
        return; /* of another security model */
    if (m->event.direction == OT_RESPONSE)
        snmp_engine_facts(m->d, &m->facts, engine.value);
    else
        facts_add(&m->facts, FACT_USER_NAME, ascii_of(user.value));
}

static void secured_message(struct message *m, struct reader r)
{
    struct ber global, id, size, flags, security, data, engine, context, operation;
    if (!ber_next(&r, &global) || global.tag != BER_SEQUENCE || !ber_next(&global.value, &id) ||
        !ber_next(&global.value, &size) || !ber_next(&global.value, &flags) ||
        !ber_next(&r, &security) || !ber_next(&r, &data)) {
        broken(m, &r);
        return;
    }
    uint8_t bits = reader_u8(&flags.value);
    struct ot_event *e = &m->event;
    if (bits & FLAG_ENCRYPTED) {
        e->flags |= OT_ENCRYPTED;
        e->code[0] = ENCRYPTED;
        e->name = "encrypted";
        e->operation = OP_UNKNOWN;
        e->transaction = ber_unsigned(id.value);
        e->has_transaction = true;
    } else if (ber_next(&data.value, &engine) && ber_next(&data.value, &context) &&
               ber_next(&data.value, &operation)) {
        take_operation(m, &operation);
    } else {
        broken(m, &data.value);
    }
    take_user(m, security.value);
}

static void snmp_dissect(struct dissect *d, struct reader r)
{
    struct message m = {.d = d, .event = event_of(d)};
    struct ber all, version;
    m.event.spell = spell;
    if (!ber_next(&r, &all) || all.tag != BER_SEQUENCE || !ber_next(&all.value, &version) ||
        version.tag != BER_INTEGER) {
        emit_violation(d, VIOLATION_LENGTH, "datagram is no SNMP message", NULL, 0);
        return;
    }
    m.version = (uint8_t)ber_unsigned(version.value);
    if (m.version == VERSION_3)
        secured_message(&m, all.value);
    else if (m.version == VERSION_1 || m.version == VERSION_2)
        community_message(&m, all.value);
    else
        emit_violation(d, VIOLATION_RESERVED, "SNMP version is none of 1, 2 and 3", version.at, 3);
    if (!m.event.name)
        return; /* nothing of it was understood */
    facts_give(&m.event, &m.facts);
    emit_event(d, &m.event);
}

/* A message that fills its datagram, up to the tag of its operation. */
static enum claim snmp_recognise(struct reader r)
{
    struct ber all, version, next;
    if (reader_peek(&r) != BER_SEQUENCE || !ber_next(&r, &all) || reader_left(&r) != 0 ||
        all.is_indefinite || !ber_next(&all.value, &version) || version.tag != BER_INTEGER ||
        reader_left(&version.value) != 1 || !ber_next(&all.value, &next))
        return CLAIM_NO;
    uint8_t number = reader_peek(&version.value);
    if (number == VERSION_3)
        return next.tag == BER_SEQUENCE && ber_next(&next.value, &version) &&
                       version.tag == BER_INTEGER && ber_next(&all.value, &next) &&
                       next.tag == BER_OCTETS
                   ? CLAIM_YES
                   : CLAIM_NO;
    if (number > VERSION_2 || next.tag != BER_OCTETS || !ber_next(&all.value, &next))
        return CLAIM_NO;
    return next.tag >= TAG_OPERATION && next.tag < TAG_OPERATION + CODES ? CLAIM_YES : CLAIM_NO;
}

const struct dissector dissector_snmp = {
    .name = "snmp",
    .spec = "RFC 1157, RFC 3416, RFC 3412, RFC 3414",
    .over = OVER_UDP,
    .ports = {161, 162},
    .state_size = sizeof(struct state),
    .recognise = snmp_recognise,
    .dissect = snmp_dissect,
};
