/* goose.c: GOOSE, the multicast events of IEC 61850, on Ethernet and routed over UDP.
 *
 * Spec: [8-1] IEC 61850-8-1 18, annex A and C.2; [90-5] IEC 61850-90-5 (routed); PROTOCOLS 11.1
 *
 *   | APPID 2 | length 2, from APPID on | bit 15: simulated 2 | reserved 2 | 61 APDU |
 *   APDU: | 80 control block | 81 time allowed to live, ms | 82 data set | 83 id | 84 time |
 *         | 85 state number | 86 sequence number | 87 test | 88 configuration revision |
 *         | 89 needs commissioning | 8a entries | ab values |
 *   routed: | 01 40 | a1 | header size | 80 | size | SPDU length 4 | SPDU number 4 | version 2 |
 *           | times and key 10 | IV | payload length 4 | 81, simulated 1, APPID 2, size 2 | 61 APDU
 * |
 *
 * What a publisher says must be continuous: a new state steps the state number by one and begins
 * the sequence at 0; a repetition steps the sequence and has the same values. */
#include "ber.h"
#include "decimal.h"
#include "mms_data.h"

#include "sensor/base/hash.h"

enum {
    HEADER_SIZE = 8,
    APDU_TAG = 0x61,
    SIMULATED = 0x8000,
    ROUTED_GOOSE = 0xa1,
    ROUTED_PAYLOAD = 0x81,
    STREAMS = 24, /* control blocks followed in a flow */
    VALUES_TOLD = 256,
    LATE_FACTOR = 2, /* [8-1] 18.1: the receiver's limit; some time for the way here */
};
/* a mirror that copies each port or VLAN, redundant networks: the same frame comes again */
static const int64_t COPY_NS = 2000000;

enum field { /* context tags, [8-1] annex A */
             FIELD_CONTROL_BLOCK = 0x80,
             FIELD_LIVE = 0x81,
             FIELD_DATA_SET = 0x82,
             FIELD_ID = 0x83,
             FIELD_TIME = 0x84,
             FIELD_STATE = 0x85,
             FIELD_SEQUENCE = 0x86,
             FIELD_TEST = 0x87,
             FIELD_REVISION = 0x88,
             FIELD_COMMISSIONING = 0x89,
             FIELD_COUNT = 0x8a,
             FIELD_VALUES = 0xab,
};

struct message {
    struct text control_block, data_set;
    uint64_t live_ms, state, sequence, revision, count, time;
    bool is_test, needs_commissioning, has_count;
    bool has_control_block, has_state, has_sequence;
    struct reader values;
};

/* What one control block said last. */
struct stream {
    uint64_t key; /* 0: free */
    uint64_t values, data_set;
    int64_t seen_ns, live_ns;
    int64_t pace_ns; /* between the last two that followed each other; 0: not known */
    uint64_t time;
    uint32_t state, sequence, revision;
    bool is_test;
};

struct state {
    struct stream streams[STREAMS];
};

_Static_assert(sizeof(struct state) <= DISSECTOR_STATE_MAX, "state of a flow");

static struct text text_in(struct reader r)
{
    return (struct text){(const char *)r.at, reader_left(&r)};
}

/* --- recognition --- */

static enum claim recognise_apdu(struct reader r)
{
    struct ber apdu = {0};
    if (!ber_next(&r, &apdu))
        return apdu.tag == APDU_TAG ? CLAIM_WEAK : CLAIM_NO;
    if (apdu.tag != APDU_TAG)
        return CLAIM_NO;
    /* the control block's name begins the message and its life follows: text that happens to have
     * the tag has not both */
    struct ber name, life;
    bool is_sure = ber_next(&apdu.value, &name) && name.tag == FIELD_CONTROL_BLOCK &&
                   ber_next(&apdu.value, &life) && life.tag == FIELD_LIVE;
    return is_sure ? CLAIM_YES : CLAIM_WEAK;
}

/* The session header of routed GOOSE; the reader is left at the APDU. */
static bool read_routed(struct reader *r, uint16_t *appid, bool *is_simulated)
{
    if (reader_u8(r) != 0x01 || reader_u8(r) != 0x40 || reader_u8(r) != ROUTED_GOOSE)
        return false;
    reader_skip(r, 1);
    if (reader_u8(r) != 0x80)
        return false;
    uint8_t header_size = reader_u8(r);
    struct reader header = reader_take(r, header_size);
    reader_skip(r, 4); /* payload length */
    if (!reader_ok(&header) || reader_u8(r) != ROUTED_PAYLOAD)
        return false;
    *is_simulated = reader_u8(r) != 0;
    *appid = reader_u16be(r);
    reader_skip(r, 2); /* APDU length */
    return reader_ok(r);
}

static enum claim goose_recognise(struct reader r)
{
    struct reader routed = r;
    uint16_t appid;
    bool is_simulated;
    if (read_routed(&routed, &appid, &is_simulated))
        return recognise_apdu(routed);
    reader_skip(&r, 2);
    uint16_t length = reader_u16be(&r);
    reader_skip(&r, 4);
    if (!reader_ok(&r) || length < HEADER_SIZE)
        return CLAIM_NO;
    bool is_whole = length <= reader_left(&r) + HEADER_SIZE;
    enum claim claim = recognise_apdu(r);
    return claim == CLAIM_WEAK && !is_whole ? CLAIM_NO : claim;
}

/* --- the message --- */

/* False when the elements do not fit; what was read before is there. */
static bool read_message(struct reader r, struct message *m)
{
    struct ber e;
    while (ber_next(&r, &e)) {
        switch (e.tag) {
        case FIELD_CONTROL_BLOCK:
            m->control_block = text_in(e.value);
            m->has_control_block = true;
            break;
        case FIELD_LIVE:
            m->live_ms = ber_unsigned(e.value);
            break;
        case FIELD_DATA_SET:
            m->data_set = text_in(e.value);
            break;
        case FIELD_TIME:
            m->time = reader_u64be(&e.value) >> 8; /* the last byte is its quality */
            break;
        case FIELD_STATE:
            m->state = ber_unsigned(e.value);
            m->has_state = true;
            break;
        case FIELD_SEQUENCE:
            m->sequence = ber_unsigned(e.value);
            m->has_sequence = true;
            break;
        case FIELD_TEST:
            m->is_test = reader_u8(&e.value) != 0;
            break;
        case FIELD_REVISION:
            m->revision = ber_unsigned(e.value);
            break;
        case FIELD_COMMISSIONING:
            m->needs_commissioning = reader_u8(&e.value) != 0;
            break;
        case FIELD_COUNT:
            m->count = ber_unsigned(e.value);
            m->has_count = true;
            break;
        case FIELD_VALUES:
            m->values = e.value;
            break;
        default:
            break; /* goID, security, what comes in later editions */
        }
    }
    return reader_ok(&r);
}

static void tell(struct dissect *d, enum violation_kind kind, const char *why,
                 const struct ot_event *event)
{
    emit_violation(d, kind, why, event->telling, event->telling_size);
}

/* --- continuity --- */

/* The stream of this key, or the place of the one that is silent longest. */
static struct stream *stream_of(struct state *s, uint64_t key)
{
    struct stream *oldest = &s->streams[0];
    for (size_t i = 0; i < STREAMS; i++) {
        if (s->streams[i].key == key)
            return &s->streams[i];
        if (s->streams[i].seen_ns < oldest->seen_ns)
            oldest = &s->streams[i];
    }
    *oldest = (struct stream){0};
    return oldest;
}

/* A publisher that restarts begins again at 1 (or 0). */
static bool is_restart(const struct message *m)
{
    return m->state <= 1 && m->sequence <= 1;
}

/* Silent for a while and then further on by as many as it sends in that time (by its pace, or four
 * at most in the time that one of them lives): those between were not seen. */
static bool is_further_on(const struct dissect *d, const struct stream *last, uint32_t step)
{
    int64_t silent_ns = d->time_ns - last->seen_ns;
    if (last->pace_ns > 0 && silent_ns / last->pace_ns >= (int64_t)step - 1)
        return true;
    return last->live_ns > 0 && silent_ns > last->live_ns &&
           step <= 2 + 4 * silent_ns / last->live_ns;
}

static void check_repetition(struct dissect *d, const struct ot_event *event,
                             const struct stream *last, const struct message *m, uint64_t values)
{
    uint32_t step = (uint32_t)m->sequence - last->sequence;
    bool is_same = step == 0 && values == last->values && m->time == last->time;
    if (is_same && d->time_ns - last->seen_ns < COPY_NS)
        return;
    if (values != last->values)
        tell(d, VIOLATION_STATE, "values changed without a new state number", event);
    if (step == 0)
        tell(d, VIOLATION_DUPLICATE, "sequence number is repeated", event);
    else if (step > UINT32_MAX / 2 && m->sequence != 0 && m->sequence != 1) /* it may wrap */
        tell(d, VIOLATION_SEQUENCE, "sequence number goes back", event);
    else if (step > 1 && step <= UINT32_MAX / 2 && !is_further_on(d, last, step))
        tell(d, VIOLATION_SEQUENCE, "sequence number jumps", event);
}

static void check_new_state(struct dissect *d, const struct ot_event *event,
                            const struct stream *last, const struct message *m)
{
    uint32_t step = (uint32_t)m->state - last->state;
    if (step > UINT32_MAX / 2)
        tell(d, VIOLATION_SEQUENCE, "state number goes back without a restart", event);
    else if (step > 1)
        tell(d, VIOLATION_SEQUENCE, "state number jumps", event);
    if (m->sequence != 0)
        tell(d, VIOLATION_SEQUENCE, "a new state does not begin at sequence number 0", event);
    if (m->time && m->time < last->time)
        tell(d, VIOLATION_SEQUENCE, "time of the state is before the last one", event);
}

static void check_stream(struct dissect *d, struct ot_event *event, const struct message *m,
                         uint16_t appid, bool is_test)
{
    uint64_t name = hash_bytes(m->control_block.at, m->control_block.size);
    uint64_t key = hash_mix(name, appid) | 1;
    uint64_t data_set = hash_bytes(m->data_set.at, m->data_set.size);
    uint64_t values = hash_bytes(m->values.at, reader_left(&m->values));
    struct stream *s = stream_of(d->state, key);
    if (s->key && !d->flow->has_gap) {
        if (s->live_ns && d->time_ns - s->seen_ns > s->live_ns * LATE_FACTOR)
            tell(d, VIOLATION_STATE, "silent for longer than its time allowed to live", event);
        if (m->state == s->state)
            check_repetition(d, event, s, m, values);
        else if (!is_restart(m))
            check_new_state(d, event, s, m);
        if (s->revision != (uint32_t)m->revision || s->data_set != data_set) {
            event->operation = OP_CONFIG_CHANGE;
            event->detail = TEXT("configuration revision or data set changed");
        }
        if (is_test && !s->is_test)
            tell(d, VIOLATION_STATE, "simulation or test begins", event);
    }
    bool is_next = s->key && m->state == s->state && (uint32_t)m->sequence == s->sequence + 1;
    int64_t pace_ns = is_next ? d->time_ns - s->seen_ns : s->pace_ns;
    *s = (struct stream){
        .key = key,
        .values = values,
        .data_set = data_set,
        .seen_ns = d->time_ns,
        .live_ns = (int64_t)(m->live_ms & UINT32_MAX) * 1000000,
        .pace_ns = pace_ns,
        .time = m->time,
        .state = (uint32_t)m->state,
        .sequence = (uint32_t)m->sequence,
        .revision = (uint32_t)m->revision,
        .is_test = is_test,
    };
}

/* --- values --- */

static struct text indexed(struct dissect *d, struct text name, uint32_t index)
{
    char *out = arena_take_unset(d->arena, name.size + DECIMAL_MAX + 2), *at = out;
    if (!out)
        return name;
    if (name.size)
        memcpy(out, name.at, name.size);
    at += name.size;
    *at++ = '[';
    at += decimal_put(at, index);
    *at++ = ']';
    return (struct text){out, (size_t)(at - out)};
}

static void add_values(struct dissect *d, struct ot_event *event, const struct message *m)
{
    struct reader r = m->values;
    struct ber e;
    uint32_t total = 0;
    while (ber_next(&r, &e))
        total++;
    if (!reader_ok(&r))
        tell(d, VIOLATION_ENCODING, "value does not fit in the values", event);
    if (m->has_count && m->count != total)
        tell(d, VIOLATION_COUNT, "number of entries is not the number of values", event);
    uint32_t count = total < VALUES_TOLD ? total : VALUES_TOLD;
    struct ot_item *items = dissect_items(d, &count);
    struct text name = m->data_set.size ? m->data_set : m->control_block;
    event->items = items;
    event->item_count = count;
    event->items_total = total;
    r = m->values;
    for (uint32_t i = 0; i < count && ber_next(&r, &e); i++) {
        items[i].area = "data_set";
        items[i].name = indexed(d, name, i);
        if (!mms_data_item(d, &e, &items[i]))
            tell(d, VIOLATION_ENCODING, "value is malformed or of an unknown type", event);
    }
}

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    (void)code;
    memcpy(out, "goosePdu", sizeof "goosePdu");
}

static void dissect_apdu(struct dissect *d, struct reader r, uint16_t appid, bool is_simulated)
{
    struct message m = {0};
    struct ber apdu;
    struct ot_event event = event_of(d);
    event.direction = OT_ONEWAY;
    event.operation = OP_PUBLISH;
    event.name = "goose";
    event.spell = spell;
    event.function = event.code[0] = appid;
    event.flags = OT_UNSOLICITED;
    event.telling = r.at;
    event.telling_size = reader_left(&r);
    struct reader all = r;
    bool is_whole = ber_next(&all, &apdu);
    if (!is_whole) { /* as much of it as there is */
        reader_skip(&r, 1);
        uint8_t size = reader_u8(&r);
        if (size > 0x80)
            reader_skip(&r, size & 0x7fu);
        apdu.tag = event.telling_size ? event.telling[0] : 0;
        apdu.value = r;
    }
    if (apdu.tag != APDU_TAG) {
        tell(d, VIOLATION_FUNCTION, "not a GOOSE message", &event);
        return;
    }
    bool fits = read_message(apdu.value, &m);
    if (!is_whole || !fits)
        tell(d, VIOLATION_ENCODING, "element does not fit in its parent", &event);
    if (!m.has_control_block) {
        tell(d, VIOLATION_ENCODING, "message names no control block", &event);
        fits = false; /* of whom it is, nobody knows */
    }
    if (!m.has_state || !m.has_sequence)
        tell(d, VIOLATION_ENCODING, "message has no state or sequence number", &event);
    if (fits && m.live_ms == 0)
        tell(d, VIOLATION_RANGE, "time allowed to live is 0", &event);
    if (m.needs_commissioning)
        tell(d, VIOLATION_STATE, "publisher needs commissioning", &event);
    bool is_test = m.is_test || is_simulated;
    event.unit = m.control_block;
    event.transaction = m.state;
    event.has_transaction = m.has_state;
    if (is_test)
        event.detail = TEXT("simulation or test");
    if (is_whole && fits)
        check_stream(d, &event, &m, appid, is_test);
    add_values(d, &event, &m);
    emit_event(d, &event);
}

/* [8-1] C.2: destination 01-0c-cd-01-xx-xx */
static void check_destination(struct dissect *d)
{
    const uint8_t *mac = d->packet->destination_mac.bytes;
    if (d->flow->transport == TRANSPORT_NONE && d->packet->has_mac &&
        (mac[0] != 0x01 || mac[1] != 0x0c || mac[2] != 0xcd || mac[3] != 0x01))
        emit_violation(d, VIOLATION_RANGE, "destination is not of the GOOSE multicast range", NULL,
                       0);
}

static void goose_dissect(struct dissect *d, struct reader r)
{
    struct reader whole = r, routed = r;
    uint16_t appid;
    bool is_simulated;
    if (d->flow->transport != TRANSPORT_NONE && read_routed(&routed, &appid, &is_simulated)) {
        dissect_apdu(d, routed, appid, is_simulated);
        return;
    }
    appid = reader_u16be(&r);
    uint16_t length = reader_u16be(&r), reserved = reader_u16be(&r);
    reader_skip(&r, 2);
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_TRUNCATED, "header is cut off", whole.at, reader_left(&whole));
        return;
    }
    check_destination(d);
    size_t size = reader_left(&whole);
    if (length < HEADER_SIZE || length > size)
        emit_violation(d, VIOLATION_LENGTH, "length is not that of the frame", whole.at,
                       HEADER_SIZE);
    else
        r = reader_of(r.at, length - (size_t)HEADER_SIZE); /* padding behind it */
    dissect_apdu(d, r, appid, reserved & SIMULATED);
}

const struct dissector dissector_goose = {
    .name = "goose",
    .spec = "IEC 61850-8-1; IEC 61850-90-5",
    .over = OVER_ETHERTYPE | OVER_UDP,
    .ports = {102},
    .ethertypes = {0x88b8},
    .state_size = sizeof(struct state),
    .recognise = goose_recognise,
    .dissect = goose_dissect,
};
