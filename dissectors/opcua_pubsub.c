/* opcua_pubsub.c: OPC UA PubSub, UADP over UDP and Ethernet (PROTOCOLS 12).
 *
 * Spec: [14] OPC UA part 14, 7.2.4 (UADP NetworkMessage)
 *
 *   | version 4 bits, flags 4 bits | [flags 1 | [flags 1]] | [publisher 1..8 or string]
 *   | [class 16] | [group: flags 1 | [writer group 2] | [version 4] | [number 2] | [sequence 2]]
 *   | [payload: count 1 | writers 2 each] | [time 8] | [picoseconds 2] | [promoted: size 2, fields]
 *   | [security: flags 1 | token 4 | nonce size 1 | nonce | [footer size 2]] | data sets |
 *
 * little endian. Encrypted data sets stay closed; the headers are always open. */
#include "decimal.h"
#include "dissector.h"

#include "sensor/base/hash.h"

enum {
    VERSION = 1,
    FLAG_PUBLISHER = 0x10,
    FLAG_GROUP = 0x20,
    FLAG_PAYLOAD = 0x40,
    FLAG_MORE = 0x80,

    MORE_PUBLISHER_TYPE = 0x07,
    MORE_CLASS = 0x08,
    MORE_SECURITY = 0x10,
    MORE_TIME = 0x20,
    MORE_PICOSECONDS = 0x40,
    MORE_AGAIN = 0x80,

    LAST_CHUNK = 0x01,
    LAST_PROMOTED = 0x02,
    LAST_TYPE_SHIFT = 2,
    LAST_TYPE_MASK = 7,

    GROUP_WRITER_GROUP = 1,
    GROUP_VERSION = 2,
    GROUP_NUMBER = 4,
    GROUP_SEQUENCE = 8,

    SECURITY_SIGNED = 1,
    SECURITY_ENCRYPTED = 2,
    SECURITY_FOOTER = 4,

    CLASS_SIZE = 16,
    STREAMS = 16,  /* publishers and groups followed in a flow */
    SKIPPED = 256, /* sequences that may be lost without being a jump */
};

enum publisher_type { PUBLISHER_U8, PUBLISHER_U16, PUBLISHER_U32, PUBLISHER_U64, PUBLISHER_TEXT };
enum message_type { TYPE_DATA, TYPE_PROBE, TYPE_ANNOUNCEMENT, TYPE_COUNT };

struct message {
    uint8_t type, security, writer_count;
    bool is_chunk, has_publisher, has_group, has_sequence, has_security;
    uint64_t publisher;
    struct text publisher_text;
    uint16_t group, number, sequence;
    struct reader writers;
};

struct stream {
    uint64_t key; /* 0: free */
    uint16_t sequence;
    bool is_secured;
};

struct state {
    struct stream streams[STREAMS];
    uint8_t next; /* to be replaced */
};

static const char *const types[TYPE_COUNT] = {"data", "discovery_probe", "discovery_announcement"};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    memcpy(out, "type=", 5);
    out[5] = (char)('0' + code[0] % 10);
    out[6] = '\0';
}

/* --- headers --- */

static bool read_publisher(struct reader *r, uint8_t type, struct message *m)
{
    m->has_publisher = true;
    switch (type) {
    case PUBLISHER_U8:
        m->publisher = reader_u8(r);
        break;
    case PUBLISHER_U16:
        m->publisher = reader_u16le(r);
        break;
    case PUBLISHER_U32:
        m->publisher = reader_u32le(r);
        break;
    case PUBLISHER_U64:
        m->publisher = reader_u64le(r);
        break;
    case PUBLISHER_TEXT: {
        struct reader text = reader_take(r, reader_u32le(r));
        m->publisher_text = (struct text){(const char *)text.at, reader_left(&text)};
        break;
    }
    default:
        return false;
    }
    return reader_ok(r);
}

static void read_group(struct reader *r, struct message *m)
{
    uint8_t flags = reader_u8(r);
    m->has_group = flags & GROUP_WRITER_GROUP;
    if (m->has_group)
        m->group = reader_u16le(r);
    if (flags & GROUP_VERSION)
        reader_skip(r, 4);
    if (flags & GROUP_NUMBER)
        m->number = reader_u16le(r);
    m->has_sequence = flags & GROUP_SEQUENCE;
    if (m->has_sequence)
        m->sequence = reader_u16le(r);
}

static void read_security(struct reader *r, struct message *m)
{
    m->has_security = true;
    m->security = reader_u8(r);
    reader_skip(r, 4);
    reader_skip(r, reader_u8(r));
    if (m->security & SECURITY_FOOTER)
        reader_skip(r, 2);
}

/* [14] 7.2.4.4.2 in its order; false when it does not fit. The reader is left at the data sets. */
static bool read_headers(struct reader *r, struct message *m)
{
    uint8_t first = reader_u8(r);
    uint8_t more = first & FLAG_MORE ? reader_u8(r) : 0;
    uint8_t last = more & MORE_AGAIN ? reader_u8(r) : 0;
    m->type = last >> LAST_TYPE_SHIFT & LAST_TYPE_MASK;
    m->is_chunk = last & LAST_CHUNK;
    if (!reader_ok(r) || (first & 15) != VERSION || m->type >= TYPE_COUNT)
        return false;
    if ((first & FLAG_PUBLISHER) && !read_publisher(r, more & MORE_PUBLISHER_TYPE, m))
        return false;
    if (more & MORE_CLASS)
        reader_skip(r, CLASS_SIZE);
    if (first & FLAG_GROUP)
        read_group(r, m);
    if ((first & FLAG_PAYLOAD) && !m->is_chunk) {
        m->writer_count = reader_u8(r);
        m->writers = reader_take(r, (size_t)m->writer_count * 2);
    } else if (first & FLAG_PAYLOAD) {
        m->writer_count = 1; /* a chunk is of one writer */
        m->writers = reader_take(r, 2);
    }
    if (more & MORE_TIME)
        reader_skip(r, 8);
    if (more & MORE_PICOSECONDS)
        reader_skip(r, 2);
    if (last & LAST_PROMOTED)
        reader_skip(r, reader_u16le(r));
    if (more & MORE_SECURITY)
        read_security(r, m);
    return reader_ok(r);
}

/* --- what a publisher said before --- */

static struct stream *stream_of(struct state *s, const struct message *m, bool *is_new)
{
    uint64_t publisher = m->publisher_text.size
                             ? hash_bytes(m->publisher_text.at, m->publisher_text.size)
                             : m->publisher;
    uint64_t key = hash_mix(publisher, m->group) | 1;
    *is_new = false;
    for (size_t i = 0; i < STREAMS; i++)
        if (s->streams[i].key == key)
            return &s->streams[i];
    struct stream *stream = &s->streams[s->next];
    s->next = (uint8_t)((s->next + 1) % STREAMS);
    *stream = (struct stream){.key = key};
    *is_new = true;
    return stream;
}

/* [14] 7.2.4.4.2: each NetworkMessage of a group has the next number; chunks and parts repeat it.
 */
static void check_order(struct dissect *d, const struct message *m, const uint8_t *at, size_t size)
{
    bool is_new;
    struct stream *s = stream_of(d->state, m, &is_new);
    uint16_t step = (uint16_t)(m->sequence - s->sequence);
    if (!is_new && m->has_sequence && step > SKIPPED)
        emit_violation(d, VIOLATION_SEQUENCE, "UADP sequence number jumps", at, size);
    if (!is_new && s->is_secured && !m->security)
        emit_violation(d, VIOLATION_STATE, "UADP publisher stopped securing its messages", at,
                       size);
    if (m->has_sequence)
        s->sequence = m->sequence;
    s->is_secured = (m->security & (SECURITY_SIGNED | SECURITY_ENCRYPTED)) != 0;
}

/* --- the event --- */

static struct text unit_text(struct dissect *d, const struct message *m)
{
    enum { TEXT_MAX = 64 };
    char *out = arena_take(d->arena, TEXT_MAX + 2 * DECIMAL_MAX + 2);
    size_t size = 0;
    if (!out || !m->has_publisher)
        return (struct text){NULL, 0};
    if (m->publisher_text.size) {
        size = m->publisher_text.size < TEXT_MAX ? m->publisher_text.size : TEXT_MAX;
        memcpy(out, m->publisher_text.at, size);
    } else if (m->publisher > UINT32_MAX) {
        return dissect_text(d, "%llu", (unsigned long long)m->publisher);
    } else {
        size = decimal_put(out, (uint32_t)m->publisher);
    }
    if (m->has_group) {
        out[size++] = '.';
        size += decimal_put(out + size, m->group);
    }
    return (struct text){out, size};
}

static void put_writers(struct dissect *d, struct ot_event *e, const struct message *m)
{
    uint32_t count = m->writer_count;
    struct reader r = m->writers;
    if (!count)
        return;
    struct ot_item *items = dissect_items(d, &count);
    for (uint32_t i = 0; i < count; i++) {
        uint16_t writer = reader_u16le(&r);
        items[i] = (struct ot_item){
            .area = "writer",
            .has_start = true,
            .start = writer,
            .count = 1,
            .has_range = true,
            .low = writer,
            .high = writer,
        };
    }
    e->items = items;
    e->item_count = count;
    e->items_total = m->writer_count;
}

static void opcua_pubsub_dissect(struct dissect *d, struct reader r)
{
    const uint8_t *at = r.at;
    size_t size = reader_left(&r);
    struct message m = {0};
    if (!read_headers(&r, &m)) {
        emit_violation(d, VIOLATION_LENGTH, "UADP headers do not fit", at, size);
        return;
    }
    if (m.type == TYPE_DATA)
        check_order(d, &m, at, size);
    struct ot_event e = event_of(d);
    e.direction = OT_ONEWAY;
    e.code[0] = e.function = m.type;
    e.spell = spell;
    e.name = types[m.type];
    e.operation = m.type == TYPE_PROBE ? OP_DISCOVER : OP_PUBLISH;
    e.unit = unit_text(d, &m);
    e.transaction = m.sequence;
    e.has_transaction = m.has_sequence;
    if (m.security & SECURITY_ENCRYPTED)
        e.flags |= OT_ENCRYPTED;
    put_writers(d, &e, &m);
    emit_event(d, &e);
}

/* [14] 7.2.4.5.4: | valid: bit 0, encoding: bits 1-2 (3: reserved), more flags: bit 7 |
 *                 [type: bits 0-3, time: bits 4-5, 0: bits 6-7] | */
static bool is_data_set(struct reader r)
{
    enum { VALID = 1, ENCODING = 6, MORE = 0x80, TYPE = 0x0f, TYPE_LAST = 3, RESERVED = 0xc0 };
    uint8_t flags = reader_u8(&r);
    uint8_t more = flags & MORE ? reader_u8(&r) : 0;
    return reader_ok(&r) && (flags & VALID) && (flags & ENCODING) != ENCODING &&
           (more & TYPE) <= TYPE_LAST && !(more & RESERVED);
}

/* [14] 7.2.4.5.3: of several data sets the sizes come first. A signature is behind them. */
static bool is_payload(struct reader r, const struct message *m)
{
    if (m->type != TYPE_DATA || m->is_chunk || (m->security & SECURITY_ENCRYPTED))
        return true;
    size_t total = 0;
    for (unsigned i = 0; m->writer_count > 1 && i < m->writer_count; i++)
        total += reader_u16le(&r);
    bool is_filled = m->security ? total <= reader_left(&r) : total == reader_left(&r);
    return reader_ok(&r) && (m->writer_count < 2 || is_filled) && is_data_set(r);
}

/* RFC 1035 4.1: clients may have the port of ours, and an id that looks like our flags. */
static bool is_dns(struct reader r)
{
    enum { LABEL_MAX = 63, QUESTIONS_MAX = 4, CLASS_ANY = 255, CLASS_BITS = 0x7fff };
    reader_skip(&r, 4);
    uint16_t questions = reader_u16be(&r);
    reader_skip(&r, 6);
    uint8_t label = reader_u8(&r);
    for (; label && label <= LABEL_MAX && reader_ok(&r); label = reader_u8(&r))
        reader_skip(&r, label);
    uint16_t type = reader_u16be(&r), class = reader_u16be(&r) & CLASS_BITS;
    return reader_ok(&r) && questions >= 1 && questions <= QUESTIONS_MAX && label == 0 && type &&
           (class == 1 || class == CLASS_ANY);
}

/* Over UDP a low nibble proves nothing: the port must fit, and the payload. */
static enum claim opcua_pubsub_recognise(struct reader r)
{
    struct message m = {0};
    struct reader whole = r;
    if (!read_headers(&r, &m) || !is_payload(r, &m) || is_dns(whole))
        return CLAIM_NO;
    bool is_told = m.has_publisher || m.has_group || m.writer_count;
    return is_told && (reader_left(&r) || m.type == TYPE_PROBE) ? CLAIM_WEAK : CLAIM_NO;
}

const struct dissector dissector_opcua_pubsub = {
    .name = "opcua_pubsub",
    .spec = "OPC UA part 14, UADP",
    .over = OVER_UDP | OVER_ETHERTYPE,
    .ports = {4840},
    .is_bound_to_ports = true,
    .ethertypes = {0xb62c},
    .state_size = sizeof(struct state),
    .recognise = opcua_pubsub_recognise,
    .dissect = opcua_pubsub_dissect,
};
