/* sv.c: sampled values of IEC 61850.
 *
 * Spec: [9-2] IEC 61850-9-2 8.5, annex A; [LE] 9-2 LE guideline; PROTOCOLS 11.2
 *
 *   | APPID 2 | length 2, from APPID on | bit 15: simulated 2 | reserved 2 | 60 APDU |
 *   APDU: | 80 count | [81 security] | a2 | 30 ASDU |, ... |
 *   ASDU: | 80 id | [81 data set] | 82 sample count | 83 revision | [84 time] | 85 synchronised |
 *         | [86 rate] | 87 samples: | value 4, quality 4 |, ... | [88 mode] |
 *
 * Thousands a second: the common path formats nothing. */
#include "ber.h"
#include "dissector.h"

#include "sensor/base/hash.h"

enum {
    HEADER_SIZE = 8,
    APDU_TAG = 0x60,
    ASDUS_TAG = 0xa2,
    SIMULATED = 0x8000,
    STREAMS = 24,   /* followed in a flow */
    ASDUS_MAX = 16, /* told of one message */
    SAMPLE_SIZE = 8,
    VALUES_TOLD = 32,       /* of one ASDU; four phases of current and voltage are 8 */
    QUALITY_INVALID = 0x03, /* [9-2] and IEC 61850-7-3: validity, two lowest bits; 01 invalid */
    QUALITY_TEST = 0x0800,
};

struct asdu {
    struct text id, data_set;
    uint32_t sample, revision, rate;
    uint8_t synchronised;
    bool has_sample, has_data;
    struct reader data;
};

/* What one id said last. */
struct stream {
    uint64_t key, data_set, data;
    int64_t seen_ns;
    uint32_t sample, revision, rate;
    uint32_t greatest; /* sample count before it wrapped: the rate */
    uint8_t synchronised;
    bool is_simulated, is_bad;
};

struct state {
    struct stream streams[STREAMS];
};

_Static_assert(sizeof(struct state) <= DISSECTOR_STATE_MAX, "state of a flow");

static enum claim sv_recognise(struct reader r)
{
    struct ber apdu;
    reader_skip(&r, 2);
    uint16_t length = reader_u16be(&r);
    reader_skip(&r, 4);
    if (!reader_ok(&r) || length < HEADER_SIZE)
        return CLAIM_NO;
    if (!ber_next(&r, &apdu))
        return apdu.tag == APDU_TAG ? CLAIM_WEAK : CLAIM_NO;
    return apdu.tag == APDU_TAG && reader_peek(&apdu.value) == 0x80 ? CLAIM_YES : CLAIM_NO;
}

static bool read_asdu(struct reader r, struct asdu *a)
{
    struct ber e;
    while (ber_next(&r, &e)) {
        switch (e.tag) {
        case 0x80:
            a->id = (struct text){(const char *)e.value.at, reader_left(&e.value)};
            break;
        case 0x81:
            a->data_set = (struct text){(const char *)e.value.at, reader_left(&e.value)};
            break;
        case 0x82:
            a->sample = (uint32_t)ber_unsigned(e.value);
            a->has_sample = true;
            break;
        case 0x83:
            a->revision = (uint32_t)ber_unsigned(e.value);
            break;
        case 0x85:
            a->synchronised = (uint8_t)ber_unsigned(e.value);
            break;
        case 0x86:
            a->rate = (uint32_t)ber_unsigned(e.value);
            break;
        case 0x87:
            a->data = e.value;
            a->has_data = true;
            break;
        default:
            break; /* time, mode, what comes in later editions */
        }
    }
    return reader_ok(&r);
}

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

static void tell(struct dissect *d, enum violation_kind kind, const char *why,
                 const struct ot_event *event)
{
    emit_violation(d, kind, why, event->telling, event->telling_size);
}

/* A mirror that copies each port or VLAN, redundant networks: the same frame comes again. */
static bool is_copy(const struct dissect *d, const struct stream *s, const struct asdu *a,
                    uint64_t data)
{
    static const int64_t copy_ns = 2000000;
    return a->sample == s->sample && data == s->data && d->time_ns - s->seen_ns < copy_ns;
}

/* The count steps by one and wraps once a second, at a rate that the first wrap shows. */
static void check_sample(struct dissect *d, const struct ot_event *event, struct stream *s,
                         const struct asdu *a)
{
    uint32_t step = a->sample - s->sample;
    if (step == 0) {
        tell(d, VIOLATION_DUPLICATE, "sample count is repeated", event);
    } else if (a->sample < s->sample) {
        bool is_wrap = a->sample == 0 && (!s->greatest || s->sample == s->greatest);
        if (!is_wrap)
            tell(d, VIOLATION_SEQUENCE, "sample count goes back", event);
        if (a->sample == 0)
            s->greatest = s->sample;
    } else if (step > 1) {
        tell(d, VIOLATION_SEQUENCE, "sample count jumps", event);
    }
}

/* [LE]: eight values with their quality. */
static bool is_bad(const struct asdu *a)
{
    struct reader r = a->data;
    if (reader_left(&r) % SAMPLE_SIZE != 0)
        return false; /* another data set: its quality is who knows where */
    while (reader_left(&r)) {
        reader_skip(&r, 4);
        uint32_t quality = reader_u32be(&r);
        if ((quality & QUALITY_INVALID) == 1 || (quality & QUALITY_TEST))
            return true;
    }
    return false;
}

static void check_stream(struct dissect *d, struct ot_event *event, const struct asdu *a,
                         uint16_t appid, bool is_simulated)
{
    uint64_t key = hash_mix(hash_bytes(a->id.at, a->id.size), appid) | 1;
    uint64_t data_set = hash_bytes(a->data_set.at, a->data_set.size);
    struct stream *s = stream_of(d->state, key);
    uint64_t data = hash_bytes(a->data.at, reader_left(&a->data));
    bool is_bad_now = is_bad(a);
    if (s->key) {
        if (!d->flow->has_gap && !is_copy(d, s, a, data))
            check_sample(d, event, s, a);
        if (a->revision != s->revision || data_set != s->data_set || a->rate != s->rate) {
            event->operation = OP_CONFIG_CHANGE;
            event->detail = TEXT("configuration revision, data set or rate changed");
        }
        if (s->synchronised && !a->synchronised)
            tell(d, VIOLATION_STATE, "synchronisation is lost", event);
        if (is_simulated && !s->is_simulated)
            tell(d, VIOLATION_STATE, "simulation begins", event);
        if (is_bad_now && !s->is_bad)
            tell(d, VIOLATION_STATE, "quality becomes invalid or test", event);
    }
    s->key = key;
    s->data_set = data_set;
    s->data = data;
    s->seen_ns = d->time_ns;
    s->sample = a->sample;
    s->revision = a->revision;
    s->rate = a->rate;
    s->synchronised = a->synchronised;
    s->is_simulated = is_simulated;
    s->is_bad = is_bad_now;
}

/* [LE]: each value stands before its quality. Of another data set the first four bytes stand for
 * all. */
static void add_item(struct dissect *d, struct ot_item *item, const struct asdu *a)
{
    enum { VALUE_SIZE = 4 };
    struct reader data = a->data;
    size_t size = reader_left(&data);
    uint32_t count = size % SAMPLE_SIZE == 0 ? (uint32_t)(size / SAMPLE_SIZE) : 1;
    item->area = "sampled_values";
    item->name = a->id;
    item->count = 1;
    if (size < VALUE_SIZE)
        return;
    item->type = "int32";
    item->values = (struct ot_values){VALUES_I32BE, 1, data.at, VALUE_SIZE};
    uint8_t *values =
        count > 1 && count <= VALUES_TOLD ? arena_take(d->arena, (size_t)count * VALUE_SIZE) : NULL;
    if (!values)
        return;
    for (uint32_t i = 0; i < count; i++)
        memcpy(values + (size_t)i * VALUE_SIZE, data.at + (size_t)i * SAMPLE_SIZE, VALUE_SIZE);
    item->count = count;
    item->values = (struct ot_values){VALUES_I32BE, count, values, (size_t)count * VALUE_SIZE};
}

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    (void)code;
    memcpy(out, "savPdu", sizeof "savPdu");
}

static void dissect_asdus(struct dissect *d, struct ot_event *event, struct reader list,
                          uint64_t declared, uint16_t appid, bool is_simulated)
{
    struct reader r = list;
    struct ber e;
    uint32_t total = 0;
    while (ber_next(&r, &e))
        total++;
    if (!reader_ok(&r))
        tell(d, VIOLATION_ENCODING, "ASDU does not fit in the message", event);
    if (declared != total)
        tell(d, VIOLATION_COUNT, "number of ASDUs is not what is there", event);
    uint32_t count = total < ASDUS_MAX ? total : ASDUS_MAX;
    struct ot_item *items = dissect_items(d, &count);
    event->items = items;
    event->item_count = count;
    event->items_total = total;
    for (uint32_t i = 0; i < count && ber_next(&list, &e); i++) {
        struct asdu a = {0};
        if (e.tag != BER_SEQUENCE || !read_asdu(e.value, &a) || !a.has_sample || !a.has_data) {
            tell(d, VIOLATION_ENCODING, "ASDU is malformed or has no samples", event);
            continue;
        }
        if (!event->unit.size)
            event->unit = a.id;
        check_stream(d, event, &a, appid, is_simulated);
        add_item(d, &items[i], &a);
    }
}

/* [9-2] C: destination 01-0c-cd-04-xx-xx */
static void check_destination(struct dissect *d)
{
    const uint8_t *mac = d->packet->destination_mac.bytes;
    if (d->packet->has_mac && (mac[0] != 0x01 || mac[1] != 0x0c || mac[2] != 0xcd || mac[3] != 4))
        emit_violation(d, VIOLATION_RANGE, "destination is not of the sampled values range", NULL,
                       0);
}

static void sv_dissect(struct dissect *d, struct reader r)
{
    struct reader whole = r;
    struct ber apdu, count, list;
    uint16_t appid = reader_u16be(&r), length = reader_u16be(&r), reserved = reader_u16be(&r);
    reader_skip(&r, 2);
    size_t size = reader_left(&whole);
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_TRUNCATED, "header is cut off", whole.at, size);
        return;
    }
    check_destination(d);
    if (length < HEADER_SIZE || length > size)
        emit_violation(d, VIOLATION_LENGTH, "length is not that of the frame", whole.at,
                       HEADER_SIZE);
    else
        r = reader_of(r.at, length - (size_t)HEADER_SIZE); /* padding behind it */

    struct ot_event event = event_of(d);
    event.direction = OT_ONEWAY;
    event.operation = OP_PUBLISH;
    event.name = "sampled_values";
    event.spell = spell;
    event.function = event.code[0] = appid;
    event.flags = OT_UNSOLICITED;
    event.telling = r.at;
    event.telling_size = reader_left(&r);
    if (!ber_next(&r, &apdu) || apdu.tag != APDU_TAG) {
        tell(d, VIOLATION_ENCODING, "message does not fit in the frame", &event);
        return;
    }
    if (!ber_find(apdu.value, 0x80, &count) || !ber_find(apdu.value, ASDUS_TAG, &list)) {
        tell(d, VIOLATION_ENCODING, "message has no ASDUs", &event);
        return;
    }
    dissect_asdus(d, &event, list.value, ber_unsigned(count.value), appid, reserved & SIMULATED);
    emit_event(d, &event);
}

const struct dissector dissector_sv = {
    .name = "sv",
    .spec = "IEC 61850-9-2",
    .over = OVER_ETHERTYPE,
    .ethertypes = {0x88ba},
    .state_size = sizeof(struct state),
    .recognise = sv_recognise,
    .dissect = sv_dissect,
};
