/* mqtt.c: MQTT, messages by topic through a broker.
 *
 * Spec: [3]  MQTT Version 3.1.1, OASIS; and 3.1 as published by IBM and Eurotech
 *       [5]  MQTT Version 5.0, OASIS
 *
 *   | type: bits 7-4, flags: bits 3-0 1 | remaining length, 7 bits a byte 1 to 4 | fields |
 *   CONNECT: | name | level 1 | flags 1 | keep alive 2 | [5] properties | client id | will | user |
 *            | password |
 *   PUBLISH: | topic | packet id 2, of QoS 1 and 2 | [5] properties | payload |
 *
 * The client is whoever connected, the broker is the server. What a client publishes to a topic for
 * commands is a write; the copies that the broker hands to its subscribers are not. */
#include "default_logins.h"
#include "mqtt_payload.h"

enum {
    FIXED_SIZE_MIN = 2,
    LENGTH_BYTES_MAX = 4,
    PACKET_MAX = 1 << 17, /* greatest that the stream holds; plants send less than 1 KiB */
    FLAG_RETAIN = 1,
    FLAG_DUPLICATE = 8,
    ALIASES = 10, /* [5] 3.3.2.3.4: kept per direction */
    ALIAS_TOPIC_MAX = 180,
    TOPICS_MAX = 32, /* of a subscription */
    CLIENT_ID_MAX = 64,
    PIECE_MAX = 8192,         /* a frame of a WebSocket is not longer either */
    SUBACK_TOPICS_MAX = 1024, /* codes in an answer that begins a flow of ours */
};

enum packet_type {
    CONNECT = 1,
    CONNACK,
    PUBLISH,
    PUBACK,
    PUBREC,
    PUBREL,
    PUBCOMP,
    SUBSCRIBE,
    SUBACK,
    UNSUBSCRIBE,
    UNSUBACK,
    PINGREQ,
    PINGRESP,
    DISCONNECT,
    AUTH,
    TYPE_COUNT,
};

/* name, operation, direction, flags that must be set, least length, who sends it */
enum sender { ANYBODY, CLIENT, SERVER };
static const struct type {
    const char *name;
    enum operation operation;
    enum ot_direction direction;
    uint8_t flags, least;
    enum sender sender;
} types[TYPE_COUNT] = {
    [CONNECT] = {"connect",     OP_SESSION,   OT_REQUEST,  0, 12, CLIENT },
    [CONNACK] = {"connack",     OP_SESSION,   OT_RESPONSE, 0, 2,  SERVER },
    [PUBLISH] = {"publish",     OP_PUBLISH,   OT_ONEWAY,   0, 2,  ANYBODY},
    [PUBACK] = {"puback",      OP_SESSION,   OT_ONEWAY,   0, 2,  ANYBODY},
    [PUBREC] = {"pubrec",      OP_SESSION,   OT_ONEWAY,   0, 2,  ANYBODY},
    [PUBREL] = {"pubrel",      OP_SESSION,   OT_ONEWAY,   2, 2,  ANYBODY},
    [PUBCOMP] = {"pubcomp",     OP_SESSION,   OT_ONEWAY,   0, 2,  ANYBODY},
    [SUBSCRIBE] = {"subscribe",   OP_SUBSCRIBE, OT_REQUEST,  2, 5,  CLIENT },
    [SUBACK] = {"suback",      OP_SUBSCRIBE, OT_RESPONSE, 0, 3,  SERVER },
    [UNSUBSCRIBE] = {"unsubscribe", OP_SUBSCRIBE, OT_REQUEST,  2, 4,  CLIENT },
    [UNSUBACK] = {"unsuback",    OP_SUBSCRIBE, OT_RESPONSE, 0, 2,  SERVER },
    [PINGREQ] = {"pingreq",     OP_SESSION,   OT_REQUEST,  0, 0,  CLIENT },
    [PINGRESP] = {"pingresp",    OP_SESSION,   OT_RESPONSE, 0, 0,  SERVER },
    [DISCONNECT] = {"disconnect",  OP_SESSION,   OT_ONEWAY,   0, 0,  ANYBODY},
    [AUTH] = {"auth",        OP_AUTH,      OT_ONEWAY,   0, 0,  ANYBODY},
};

struct alias {
    uint16_t number; /* 0: free */
    uint8_t size;
    char topic[ALIAS_TOPIC_MAX];
};

struct state {
    uint8_t level;   /* 3: MQTT 3.1, 4: 3.1.1, 5; 0: not seen */
    bool has_pieces; /* struct pieces follows this state */
    bool is_connected;
    bool has_sequence;
    uint8_t sequence;                 /* the last of Sparkplug */
    uint64_t edge;                    /* whose */
    struct alias aliases[2][ALIASES]; /* 1: of the client */
};

/* What came of a packet that goes on in the next frame of its WebSocket; [0]: of the server. */
struct pieces {
    uint16_t size[2];
    uint8_t bytes[2][PIECE_MAX];
};

/* A new connection, or the end of one. */
static void begin_state(struct state *s, struct state now)
{
    now.has_pieces = s->has_pieces;
    *s = now;
}

struct message {
    struct dissect *d;
    struct state *s;
    struct reader pdu, r; /* whole; what is left of it */
    uint8_t type, flags;
    struct ot_event event;
    struct ot_fact facts[2];
};

static void wrong(struct message *m, enum violation_kind kind, const char *why)
{
    emit_violation(m->d, kind, why, m->pdu.at, reader_left(&m->pdu));
}

/* [3] 2.2.3. Returns the bytes it took, 0: more are needed, -1: too long. */
static int read_length(struct reader *r, uint32_t *length)
{
    *length = 0;
    for (int i = 0; i < LENGTH_BYTES_MAX; i++) {
        uint8_t byte = reader_u8(r);
        if (!reader_ok(r))
            return 0;
        *length |= (uint32_t)(byte & 0x7f) << 7 * i;
        if (!(byte & 0x80))
            return i + 1;
    }
    return -1;
}

static struct text read_text(struct reader *r)
{
    uint16_t size = reader_u16be(r);
    const uint8_t *at = reader_bytes(r, size);
    return at && size ? (struct text){(const char *)at, size} : (struct text){NULL, 0};
}

/* --- recognise and frame --- */

/* [3] 3.1.2.1: name and level of CONNECT */
static enum claim recognise_connect(struct reader r)
{
    static const char *const names[] = {"\0\4MQTT\4", "\0\4MQTT\5", "\0\6MQIsdp\3"};
    static const uint8_t sizes[] = {7, 7, 9};
    size_t given = reader_left(&r);
    for (size_t i = 0; i < sizeof sizes; i++) {
        size_t compared = given < sizes[i] ? given : sizes[i];
        if (compared == 0 || memcmp(r.at, names[i], compared) == 0)
            return compared == sizes[i] ? CLAIM_YES : CLAIM_MORE;
    }
    return CLAIM_NO;
}

static bool is_topic(struct text topic)
{
    for (size_t i = 0; i < topic.size; i++)
        if ((uint8_t)topic.at[i] < ' ' || topic.at[i] == '#' || topic.at[i] == '+' ||
            topic.at[i] == 0x7f)
            return false;
    return topic.size > 0;
}

/* [3] 3.9.3, [5] 3.9.3: one code for each topic, after the properties of version 5. Only their last
 * byte is looked at: bytes by chance end in one of these once in twenty times. */
static bool is_suback(struct reader r)
{
    static const uint8_t codes[] = {0x00, 0x01, 0x02, 0x80, 0x83, 0x87,
                                    0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2};
    uint16_t id = reader_u16be(&r);
    uint8_t code = 0xff;
    while (reader_left(&r))
        code = reader_u8(&r);
    return id != 0 && memchr(codes, code, sizeof codes);
}

/* What can be told of the first bytes of another packet. */
static enum claim recognise_other(uint8_t type, uint8_t flags, uint32_t length, struct reader r)
{
    size_t size = reader_left(&r) < length ? reader_left(&r) : length;
    struct reader fields = reader_take(&r, size);
    switch (type) {
    case CONNACK:
        if (length > 2 && length < 5)
            return CLAIM_NO;
        if (size < 2)
            return CLAIM_MORE;
        return reader_u8(&fields) <= 1 ? CLAIM_WEAK : CLAIM_NO;
    case PUBLISH: {
        struct text topic = read_text(&fields);
        if ((flags >> 1 & 3) == 3)
            return CLAIM_NO;
        if (!reader_ok(&fields))
            return size == length ? CLAIM_NO : CLAIM_MORE;
        return is_topic(topic) ? CLAIM_WEAK : CLAIM_NO;
    }
    case SUBSCRIBE:
    case UNSUBSCRIBE:
        if (size < 3)
            return CLAIM_MORE;
        return reader_u16be(&fields) != 0 ? CLAIM_WEAK : CLAIM_NO;
    case SUBACK:
        if (size < length && size < SUBACK_TOPICS_MAX)
            return CLAIM_MORE;
        return size == length && is_suback(fields) ? CLAIM_WEAK : CLAIM_NO;
    case PINGREQ: /* two bytes prove nothing, two pings are something */
    case PINGRESP: {
        if (reader_left(&r) < FIXED_SIZE_MIN)
            return CLAIM_MORE;
        uint8_t next = reader_u8(&r) >> 4;
        return next == type || next == PUBLISH ? CLAIM_WEAK : CLAIM_NO;
    }
    case PUBACK:
    case PUBREC:
    case PUBREL:
    case PUBCOMP:
    case UNSUBACK:
        if (size < 2)
            return CLAIM_MORE;
        return length == 2 && reader_u16be(&fields) != 0 ? CLAIM_WEAK : CLAIM_NO;
    default:
        return CLAIM_NO;
    }
}

static bool has_right_flags(uint8_t type, uint8_t flags)
{
    return type == PUBLISH || flags == types[type].flags;
}

static enum claim mqtt_recognise(struct reader r)
{
    if (!reader_left(&r))
        return CLAIM_MORE;
    uint8_t first = reader_u8(&r);
    uint8_t type = first >> 4, flags = first & 15;
    if (type == 0 || !has_right_flags(type, flags))
        return CLAIM_NO;
    uint32_t length;
    int taken = read_length(&r, &length);
    if (taken <= 0)
        return taken ? CLAIM_NO : CLAIM_MORE;
    bool is_empty = type == PINGREQ || type == PINGRESP;
    if (length < types[type].least || length > PACKET_MAX || (is_empty && length))
        return CLAIM_NO;
    return type == CONNECT ? recognise_connect(r) : recognise_other(type, flags, length, r);
}

static struct frame mqtt_frame(struct reader r)
{
    size_t given = reader_left(&r);
    uint8_t type = reader_u8(&r) >> 4;
    if (given > 0 && type == 0)
        return frame_broken_as(VIOLATION_FUNCTION, "packet type is 0");
    uint32_t length;
    int taken = read_length(&r, &length);
    if (taken < 0)
        return frame_broken("remaining length takes more than four bytes");
    if (taken == 0)
        return frame_need(given < FIXED_SIZE_MIN ? FIXED_SIZE_MIN : given + 1);
    size_t size = 1 + (size_t)taken + length;
    if (length < types[type].least)
        return frame_broken("packet is shorter than its fields");
    if (size > PACKET_MAX)
        return frame_broken("packet is longer than any that a plant sends");
    return size > given ? frame_need(size) : frame_of(size);
}

/* --- properties of version 5 --- */

/* [5] 2.2.2: | length | (| id 1 | value |)[] |. The value of one of them as a number. */
enum property_kind { P_NONE, P_1, P_2, P_4, P_VARIABLE, P_TEXT, P_TEXTS };

static enum property_kind property_kind(uint8_t id)
{
    static const uint8_t kinds[] = {
        [0x01] = P_1,        [0x02] = P_4,    [0x03] = P_TEXT,  [0x08] = P_TEXT, [0x09] = P_TEXT,
        [0x0b] = P_VARIABLE, [0x11] = P_4,    [0x12] = P_TEXT,  [0x13] = P_2,    [0x15] = P_TEXT,
        [0x16] = P_TEXT,     [0x17] = P_1,    [0x18] = P_4,     [0x19] = P_1,    [0x1a] = P_TEXT,
        [0x1c] = P_TEXT,     [0x1f] = P_TEXT, [0x21] = P_2,     [0x22] = P_2,    [0x23] = P_2,
        [0x24] = P_1,        [0x25] = P_1,    [0x26] = P_TEXTS, [0x27] = P_4,    [0x28] = P_1,
        [0x29] = P_1,        [0x2a] = P_1};
    return id < sizeof kinds ? (enum property_kind)kinds[id] : P_NONE;
}

struct properties {
    uint16_t topic_alias;    /* 0: none */
    struct text credentials; /* [5] 3.1.2.11.10: authentication data */
};

static void read_properties(struct message *m, struct properties *p)
{
    enum { TOPIC_ALIAS = 0x23, AUTHENTICATION_DATA = 0x16 };
    *p = (struct properties){0};
    if (m->s->level != 5 || !reader_left(&m->r))
        return;
    uint32_t length;
    if (read_length(&m->r, &length) <= 0) {
        reader_fail(&m->r);
        return;
    }
    struct reader r = reader_take(&m->r, length);
    while (reader_left(&r)) {
        uint8_t id = reader_u8(&r);
        uint32_t number;
        switch (property_kind(id)) {
        case P_1:
            reader_skip(&r, 1);
            break;
        case P_2:
            number = reader_u16be(&r);
            if (id == TOPIC_ALIAS)
                p->topic_alias = (uint16_t)number;
            break;
        case P_4:
            reader_skip(&r, 4);
            break;
        case P_VARIABLE:
            if (read_length(&r, &number) < 0)
                reader_fail(&r);
            break;
        case P_TEXT: {
            struct text text = read_text(&r);
            if (id == AUTHENTICATION_DATA)
                p->credentials = text;
            break;
        }
        case P_TEXTS:
            read_text(&r);
            read_text(&r);
            break;
        case P_NONE:
            wrong(m, VIOLATION_ENCODING, "property is unknown");
            return;
        }
    }
    if (!reader_ok(&r))
        reader_fail(&m->r);
}

/* --- status --- */

struct reason {
    uint8_t code;
    const char *name;
};

/* [3] 3.2.2.3 */
static const struct reason reasons3[] = {
    {1, "unacceptable_protocol_version"},
    {2, "identifier_rejected"          },
    {3, "server_unavailable"           },
    {4, "bad_user_name_or_password"    },
    {5, "not_authorized"               },
};

/* [5] 2.4 */
static const struct reason reasons5[] = {
    {0x80, "unspecified_error"                     },
    {0x81, "malformed_packet"                      },
    {0x82, "protocol_error"                        },
    {0x83, "implementation_specific_error"         },
    {0x84, "unsupported_protocol_version"          },
    {0x85, "client_identifier_not_valid"           },
    {0x86, "bad_user_name_or_password"             },
    {0x87, "not_authorized"                        },
    {0x88, "server_unavailable"                    },
    {0x89, "server_busy"                           },
    {0x8a, "banned"                                },
    {0x8b, "server_shutting_down"                  },
    {0x8c, "bad_authentication_method"             },
    {0x8d, "keep_alive_timeout"                    },
    {0x8e, "session_taken_over"                    },
    {0x8f, "topic_filter_invalid"                  },
    {0x90, "topic_name_invalid"                    },
    {0x91, "packet_identifier_in_use"              },
    {0x92, "packet_identifier_not_found"           },
    {0x93, "receive_maximum_exceeded"              },
    {0x94, "topic_alias_invalid"                   },
    {0x95, "packet_too_large"                      },
    {0x96, "message_rate_too_high"                 },
    {0x97, "quota_exceeded"                        },
    {0x98, "administrative_action"                 },
    {0x99, "payload_format_invalid"                },
    {0x9a, "retain_not_supported"                  },
    {0x9b, "qos_not_supported"                     },
    {0x9c, "use_another_server"                    },
    {0x9d, "server_moved"                          },
    {0x9e, "shared_subscriptions_not_supported"    },
    {0x9f, "connection_rate_exceeded"              },
    {0xa0, "maximum_connect_time"                  },
    {0xa1, "subscription_identifiers_not_supported"},
    {0xa2, "wildcard_subscriptions_not_supported"  },
};

static struct ot_status status_of(uint8_t code)
{
    if (code == 0)
        return (struct ot_status){OT_RESULT_OK, 0, NULL};
    for (size_t i = 0; i < sizeof reasons3 / sizeof *reasons3; i++)
        if (reasons3[i].code == code)
            return (struct ot_status){OT_RESULT_ERROR, code, reasons3[i].name};
    for (size_t i = 0; i < sizeof reasons5 / sizeof *reasons5; i++)
        if (reasons5[i].code == code)
            return (struct ot_status){OT_RESULT_ERROR, code, reasons5[i].name};
    return (struct ot_status){OT_RESULT_ERROR, code, NULL};
}

/* [5]: below 0x80 all went well; [3] SUBACK: granted QoS, or 0x80 */
static struct ot_status reason_status(uint8_t code)
{
    return code < 0x80 ? (struct ot_status){OT_RESULT_OK, code, NULL} : status_of(code);
}

/* --- connecting --- */

static void add_fact(struct message *m, enum fact_kind kind, struct text value)
{
    if (value.size == 0)
        return;
    m->facts[m->event.fact_count++] = (struct ot_fact){.kind = kind, .value = value};
    m->event.facts = m->facts;
}

static void set_secret(struct message *m, struct text secret)
{
    if (secret.size == 0)
        return;
    m->event.flags |= OT_HAS_CREDENTIAL;
    m->event.secret = (const uint8_t *)secret.at;
    m->event.secret_size = secret.size;
}

static void connect_packet(struct message *m)
{
    enum {
        RESERVED = 1,
        WILL = 4,
        WILL_QOS = 0x18,
        WILL_RETAIN = 0x20,
        PASSWORD = 0x40,
        USER = 0x80
    };
    struct properties p, will;
    if (m->s->is_connected)
        wrong(m, VIOLATION_STATE, "second connect on one connection");
    struct text name = read_text(&m->r);
    uint8_t level = reader_u8(&m->r), flags = reader_u8(&m->r);
    /* bit 7: of a bridge */
    begin_state(m->s, (struct state){.level = level & 0x7f, .is_connected = true});
    reader_skip(&m->r, 2);
    read_properties(m, &p);
    struct text id = read_text(&m->r);
    uint32_t count = 1;
    if (flags & WILL) {
        read_properties(m, &will);
        struct text topic = read_text(&m->r);
        read_text(&m->r);
        struct ot_item *item = dissect_items(m->d, &count);
        if (item && reader_ok(&m->r)) {
            *item = (struct ot_item){.area = "will", .name = topic};
            m->event.items = item;
            m->event.item_count = m->event.items_total = 1;
        }
    }
    struct text user = flags & USER ? read_text(&m->r) : (struct text){NULL, 0};
    struct text password = flags & PASSWORD ? read_text(&m->r) : p.credentials;
    if (flags & (USER | PASSWORD) || p.credentials.size)
        m->event.operation = OP_AUTH;
    if (flags & RESERVED)
        wrong(m, VIOLATION_RESERVED, "reserved connect flag is set");
    if ((flags & WILL_QOS) == WILL_QOS || (!(flags & WILL) && flags & (WILL_QOS | WILL_RETAIN)))
        wrong(m, VIOLATION_ENCODING, "flags of the will do not agree");
    if (level < 5 && (flags & (USER | PASSWORD)) == PASSWORD)
        wrong(m, VIOLATION_ENCODING, "password without a user name");
    if (!text_equal(name, TEXT("MQTT")) && !text_equal(name, TEXT("MQIsdp")))
        wrong(m, VIOLATION_ENCODING, "protocol name is unknown");
    if (!reader_ok(&m->r))
        return;
    m->event.detail = id;
    if (id.size <= CLIENT_ID_MAX)
        add_fact(m, FACT_COMMENT, id);
    add_fact(m, FACT_USER_NAME, user);
    set_secret(m, password);
    if (password.size && default_logins_has("mqtt", user, password))
        m->event.flags |= OT_DEFAULT_CREDENTIAL;
}

static void connack_packet(struct message *m)
{
    enum {
        BAD_PASSWORD = 4,
        NOT_AUTHORIZED = 5,
        BAD_PASSWORD_5 = 0x86,
        NOT_AUTHORIZED_5 = 0x87,
        BAD_METHOD_5 = 0x8c
    };
    if (reader_u8(&m->r) > 1)
        wrong(m, VIOLATION_RESERVED, "reserved flags of connack are set");
    uint8_t code = reader_u8(&m->r);
    m->event.status = status_of(code);
    if (code == BAD_PASSWORD || code == NOT_AUTHORIZED || code == BAD_PASSWORD_5 ||
        code == NOT_AUTHORIZED_5 || code == BAD_METHOD_5)
        m->event.operation = OP_AUTH;
}

/* --- publishing --- */

static struct text alias_topic(struct message *m, uint16_t number, struct text topic)
{
    struct alias *aliases = m->s->aliases[m->d->is_from_client];
    struct alias *free_one = NULL;
    for (int i = 0; i < ALIASES; i++) {
        if (aliases[i].number == number) {
            free_one = &aliases[i];
            break;
        }
        if (!free_one && aliases[i].number == 0)
            free_one = &aliases[i];
    }
    if (topic.size == 0) {
        if (free_one && free_one->number == number)
            return (struct text){free_one->topic, free_one->size};
        return dissect_text(m->d, "alias %u", number);
    }
    if (free_one && topic.size <= ALIAS_TOPIC_MAX) {
        free_one->number = number;
        free_one->size = (uint8_t)topic.size;
        memcpy(free_one->topic, topic.at, topic.size);
    }
    return topic;
}

/* [SP] 6.4.4: an edge node counts its messages from 0 to 255 and again. Commands to it have no
 * number; some hosts send one all the same, and they are not judged. */
static void judge_sequence(struct message *m, const struct mqtt_content *c)
{
    struct state *s = m->s;
    if (!c->edge || !c->has_sequence || !m->d->is_from_client || m->flags & FLAG_DUPLICATE)
        return;
    bool is_known = s->has_sequence && s->edge == c->edge && !c->is_birth;
    if (is_known && c->sequence != (uint8_t)(s->sequence + 1))
        wrong(m, VIOLATION_SEQUENCE, "sequence number of an edge node does not follow the last");
    s->has_sequence = true;
    s->edge = c->edge;
    s->sequence = c->sequence;
}

static void publish_packet(struct message *m, struct mqtt_content *c)
{
    struct properties p;
    unsigned qos = m->flags >> 1 & 3;
    struct text topic = read_text(&m->r);
    if (qos == 3)
        wrong(m, VIOLATION_ENCODING, "quality of service is 3");
    if (qos) {
        m->event.transaction = reader_u16be(&m->r);
        m->event.has_transaction = true;
        if (m->event.transaction == 0 && reader_ok(&m->r))
            wrong(m, VIOLATION_RANGE, "packet identifier is 0");
    }
    read_properties(m, &p);
    if (!reader_ok(&m->r))
        return;
    if (topic.size == 0 && !p.topic_alias && m->s->level != 0) /* [5] names it by a number */
        wrong(m, VIOLATION_ENCODING, "topic is empty");
    else if (topic.size && !is_topic(topic))
        wrong(m, VIOLATION_ENCODING, "topic of a message has wildcards or control characters");
    if (p.topic_alias)
        topic = alias_topic(m, p.topic_alias, topic);
    if (m->s->level == 0 && reader_peek(&m->r) == 0) /* no connect seen: no properties of [5] */
        reader_skip(&m->r, reader_left(&m->r) > 0);
    bool is_command = m->d->is_from_client && mqtt_is_command(topic);
    mqtt_read_payload(m->d, topic, m->r, is_command, c);
    m->event.operation = c->operation;
    m->event.items = c->items;
    m->event.item_count = c->item_count;
    m->event.items_total = c->items_total;
    m->event.unit = c->unit;
    if (c->fact_count) {
        m->event.facts = c->facts;
        m->event.fact_count = c->fact_count;
    }
    if (m->flags & FLAG_DUPLICATE)
        m->event.flags |= OT_RETRANSMIT;
    struct sparkplug_topic sparkplug;
    if (m->flags & FLAG_RETAIN && is_command &&
        sparkplug_topic(topic, &sparkplug)) /* [SP] 6.4.21 */
        wrong(m, VIOLATION_RESERVED, "command of Sparkplug is retained");
    if (m->flags & FLAG_RETAIN)
        m->event.detail = is_command ? TEXT("retained command") : TEXT("retained");
    if (!is_command)
        judge_sequence(m, c);
}

/* --- subscribing --- */

struct asked {
    uint16_t count, size;             /* topics, and bytes of them */
    uint8_t topics[REMEMBER_MAX - 4]; /* | size 1 | topic |, as many as fit */
};

static void keep_topics(struct message *m, const struct ot_item *items, uint32_t count)
{
    struct asked a = {0};
    for (uint32_t i = 0; i < count; i++) {
        size_t size = items[i].name.size;
        if (size > UINT8_MAX || a.size + 1 + size > sizeof a.topics)
            break;
        a.topics[a.size++] = (uint8_t)size;
        memcpy(a.topics + a.size, items[i].name.at, size);
        a.size = (uint16_t)(a.size + size);
        a.count++;
    }
    size_t size = offsetof(struct asked, topics) + a.size;
    memcpy(dissect_remember(m->d, m->event.transaction, size, NULL), &a, size);
}

/* Whether these bytes are topics of this packet to their end. */
static bool are_topics(struct message m)
{
    do {
        struct text topic = read_text(&m.r);
        reader_skip(&m.r, m.type == SUBSCRIBE);
        if (topic.size == 0)
            return false;
    } while (reader_ok(&m.r) && reader_left(&m.r));
    return reader_ok(&m.r);
}

/* No CONNECT was seen: the packet shows whether it has properties, which only [5] has. */
static void find_level(struct message *m)
{
    if (m->s->level != 0 || are_topics(*m))
        return;
    struct state of_5 = {.level = 5};
    struct message with = *m;
    struct properties p;
    with.s = &of_5;
    read_properties(&with, &p);
    if (reader_ok(&with.r) && are_topics(with))
        m->s->level = 5;
}

/* SUBSCRIBE: (| topic filter | options 1 |)[]; UNSUBSCRIBE: without options */
static void subscribe_packet(struct message *m)
{
    struct properties p;
    uint32_t count = TOPICS_MAX, read = 0, total = 0;
    m->event.transaction = reader_u16be(&m->r);
    m->event.has_transaction = true;
    find_level(m);
    read_properties(m, &p);
    struct ot_item *items = dissect_items(m->d, &count);
    while (reader_left(&m->r)) {
        struct text topic = read_text(&m->r);
        if (m->type == SUBSCRIBE && reader_u8(&m->r) & 0xc0 && reader_ok(&m->r))
            wrong(m, VIOLATION_RESERVED, "reserved options of a subscription are set");
        if (!reader_ok(&m->r))
            break;
        total++;
        if (topic.size == 0)
            wrong(m, VIOLATION_ENCODING, "topic filter is empty");
        else if (read < count)
            items[read++] = (struct ot_item){.area = "topic_filter", .name = topic};
    }
    if (total == 0 && reader_ok(&m->r))
        wrong(m, VIOLATION_COUNT, "subscription without a topic");
    m->event.items = items;
    m->event.item_count = read;
    m->event.items_total = total;
    keep_topics(m, items, read);
}

/* | packet id 2 | [5] properties | code 1[] |; UNSUBACK has codes in [5] only */
static void suback_packet(struct message *m)
{
    struct properties p;
    m->event.transaction = reader_u16be(&m->r);
    m->event.has_transaction = true;
    read_properties(m, &p);
    m->event.status.result = OT_RESULT_OK;
    size_t asked_size;
    const void *kept = dissect_recall(m->d, m->event.transaction, &asked_size);
    if (!kept) {
        m->event.flags |= OT_NO_REQUEST;
        return;
    }
    struct asked a = {0};
    memcpy(&a, kept, asked_size < sizeof a ? asked_size : sizeof a);
    uint32_t count = a.count;
    struct ot_item *items = dissect_items(m->d, &count);
    struct reader topics =
        reader_of((const uint8_t *)kept + offsetof(struct asked, topics), a.size);
    bool is_refused = count > 0;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t size = reader_u8(&topics);
        const char *at = (const char *)reader_bytes(&topics, size);
        bool has_code = m->s->level != 0 && reader_left(&m->r);
        items[i] = (struct ot_item){
            .area = "topic_filter",
            .name = {at, at ? size : 0},
            .status = has_code ? reason_status(reader_u8(&m->r))
                               : (struct ot_status){ OT_RESULT_OK, 0,          NULL},
        };
        is_refused &= items[i].status.result == OT_RESULT_ERROR;
    }
    if (is_refused)
        m->event.status = items[0].status;
    m->event.items = items;
    m->event.item_count = m->event.items_total = count;
}

/* --- the rest --- */

/* | packet id 2 | [5] reason 1 | */
static void acknowledge_packet(struct message *m)
{
    m->event.transaction = reader_u16be(&m->r);
    m->event.has_transaction = true;
    m->event.status = reader_left(&m->r) ? reason_status(reader_u8(&m->r))
                                         : (struct ot_status){OT_RESULT_OK, 0, NULL};
    if (m->event.status.result == OT_RESULT_ERROR)
        m->event.operation = OP_PUBLISH; /* that is what was refused */
}

/* [5]: | reason 1 | properties | */
static void reason_packet(struct message *m)
{
    struct properties p;
    if (!reader_left(&m->r))
        return;
    m->event.status = reason_status(reader_u8(&m->r));
    read_properties(m, &p);
    if (m->type == AUTH)
        set_secret(m, p.credentials);
    else
        begin_state(m->s, (struct state){.level = m->s->level});
}

static void read_packet(struct message *m, struct mqtt_content *c)
{
    switch (m->type) {
    case CONNECT:
        connect_packet(m);
        break;
    case CONNACK:
        connack_packet(m);
        break;
    case PUBLISH:
        publish_packet(m, c);
        break;
    case SUBSCRIBE:
    case UNSUBSCRIBE:
        subscribe_packet(m);
        break;
    case SUBACK:
    case UNSUBACK:
        suback_packet(m);
        break;
    case PUBACK:
    case PUBREC:
    case PUBREL:
    case PUBCOMP:
        acknowledge_packet(m);
        break;
    case DISCONNECT:
    case AUTH:
        reason_packet(m);
        break;
    default:
        break;
    }
}

static void judge_sender(struct message *m)
{
    enum sender sender = types[m->type].sender;
    if (sender == ANYBODY)
        return;
    dissect_sender_is_client(m->d, sender == CLIENT);
    if (m->d->is_from_client != (sender == CLIENT))
        wrong(m, VIOLATION_DIRECTION, "packet of the other side");
}

static void one_packet(struct dissect *d, struct reader r)
{
    struct message m;
    struct mqtt_content content;
    m.d = d;
    m.s = d->state;
    m.pdu = m.r = r;
    uint8_t first = reader_u8(&m.r);
    uint32_t length;
    m.type = first >> 4;
    m.flags = first & 15;
    if (read_length(&m.r, &length) <= 0 || m.type == 0) {
        wrong(&m, VIOLATION_TRUNCATED, "fixed header is cut off");
        return;
    }
    judge_sender(&m);
    const struct type *t = &types[m.type];
    event_start(&m.event, d);
    m.event.direction = t->direction;
    m.event.code[0] = m.event.function = m.type;
    m.event.name = t->name;
    m.event.operation = t->operation;
    m.event.telling = r.at;
    m.event.telling_size = reader_left(&r);
    bool is_old = m.s->level == 3; /* 3.1 allows duplicates of more packets */
    if (!has_right_flags(m.type, m.flags) && !is_old)
        wrong(&m, VIOLATION_RESERVED, "reserved flags of the fixed header");
    if (d->is_from_client && m.type != CONNECT && !m.s->is_connected && d->flow->is_start_seen &&
        !d->flow->has_gap && m.s->level == 0)
        wrong(&m, VIOLATION_STATE, "packet before connect");
    read_packet(&m, &content);
    if (!reader_ok(&m.r))
        wrong(&m, VIOLATION_TRUNCATED, "packet ends before its fields do");
    emit_event(d, &m.event);
}

/* All whole packets in front; returns what is left of them. False: no packet can begin there. */
static bool whole_packets(struct dissect *d, struct reader *r)
{
    while (reader_left(r)) {
        struct frame frame = mqtt_frame(*r);
        if (frame.verdict == FRAME_BROKEN)
            return false;
        if (frame.verdict == FRAME_NEED)
            break;
        one_packet(d, reader_take(r, frame.size));
    }
    return true;
}

static struct pieces *pieces_of(struct dissect *d)
{
    struct state *s = d->state;
    return s->has_pieces ? (struct pieces *)(s + 1) : NULL;
}

static void keep_piece(struct dissect *d, struct reader r)
{
    size_t size = reader_left(&r);
    if (size > PIECE_MAX || !dissect_grow(d, sizeof(struct state) + sizeof(struct pieces)))
        return;
    ((struct state *)d->state)->has_pieces = true;
    struct pieces *p = pieces_of(d);
    memcpy(p->bytes[d->is_from_client], r.at, size);
    p->size[d->is_from_client] = (uint16_t)size;
}

/* [3] 6: packets and frames of a WebSocket need not begin and end together. */
static void frame_of_websocket(struct dissect *d, struct reader r)
{
    struct pieces *p = pieces_of(d);
    size_t kept = p ? p->size[d->is_from_client] : 0, size = reader_left(&r);
    if (p)
        p->size[d->is_from_client] = 0;
    if (kept && size && !d->flow->has_gap) {
        uint8_t *joined = arena_take(d->arena, kept + size);
        if (!joined)
            return;
        memcpy(joined, p->bytes[d->is_from_client], kept);
        memcpy(joined + kept, r.at, size);
        r = reader_of(joined, kept + size);
    }
    if (whole_packets(d, &r) && reader_left(&r))
        keep_piece(d, r);
}

static void mqtt_dissect(struct dissect *d, struct reader r)
{
    if (d->depth == 0)
        one_packet(d, r);
    else
        frame_of_websocket(d, r);
}

const struct dissector dissector_mqtt = {
    .name = "mqtt",
    .spec = "MQTT 3.1, 3.1.1 and 5.0; Sparkplug B 3.0.0",
    .over = OVER_TCP | OVER_WEBSOCKET,
    .ports = {1883},
    .state_size = sizeof(struct state),
    .pdu_max = PACKET_MAX,
    .recognise = mqtt_recognise,
    .frame = mqtt_frame,
    .dissect = mqtt_dissect,
};
