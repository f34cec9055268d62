/* c1222.c: ANSI C12.22, meters on a network: ACSE messages with EPSEM services in them.
 *
 * Spec: [22] ANSI C12.22-2012 (IEEE 1703), clauses 5.3 (EPSEM, ACSE), 5.3.2 (services)
 *       [19] ANSI C12.19-2012, the tables
 *
 *   | 60, BER length | elements: A1 context, A2 called title, A4 called invocation, A6 calling
 *   title, A7 qualifier, A8 calling invocation, AC authentication, 8B mechanism, BE user
 * information | user information | 28, length | 81, length | EPSEM | | EPSEM | control 1 | class 4,
 * when bit 4 says so | { length | service 1 | data }... |
 */
#include "dissector.h"
#include "sensor/base/hash.h"

enum {
    MESSAGE_MAX = 32768,
    LENGTH_BYTES_MAX = 3,

    TAG_MESSAGE = 0x60,
    TAG_CONTEXT = 0xa1,
    TAG_CALLED_TITLE = 0xa2,
    TAG_CALLED_INVOCATION = 0xa4,
    TAG_CALLING_TITLE = 0xa6,
    TAG_CALLING_INVOCATION = 0xa8,
    TAG_MECHANISM = 0x8b,
    TAG_USER_INFORMATION = 0xbe,
    TAG_EXTERNAL = 0x28,
    TAG_OCTETS = 0x81,
    TAG_OID = 0x06,
    TAG_RELATIVE_OID = 0x0d,
    TAG_RELATIVE_TITLE = 0x80,

    CONTROL_CLASS = 0x10,
    CONTROL_SECURITY = 0x0c,
    SECURITY_ENCRYPTED = 2,
    RESPONSE_MAX = 0x1f, /* [22] 5.3.2.4: up to here a result, above a service */

    SERVICE_IDENT = 0x20,
    SERVICE_REGISTER = 0x27,
    SERVICE_READ = 0x30,
    SERVICE_READ_OFFSET = 0x3f,
    SERVICE_READ_DEFAULT = 0x3e,
    SERVICE_WRITE = 0x40,
    SERVICE_WRITE_OFFSET = 0x4f,
    SERVICE_LOGON = 0x50,
    SERVICE_SECURITY = 0x51,
    SERVICE_WAIT = 0x70,
    PASSWORD_SIZE = 20,
    USER_SIZE = 10,
    INDICES_MAX = 9,

    TABLE_MANUFACTURER = 1, /* [19] 9.1 */
    TABLE_DEVICE = 5,
    TABLE_PROCEDURE = 7,
    TABLE_SECURITY = 42, /* passwords */
    TABLE_KEYS = 45,
    TABLE_EXTENDED_KEYS = 46,
    TABLE_CLOCK = 52,
    PROCEDURE_COLD_START = 0,
    PROCEDURE_WARM_START = 1,
    PROCEDURE_SET_TIME = 10,

    SERVICES_MAX = 8, /* of one message that are matched */
    FACTS_MAX = 8,
    TITLE_MAX = 96,
};

struct service_asked {
    uint8_t service;
    uint8_t operation; /* enum operation */
    bool has_table;
    uint16_t table;
    uint32_t start;
};

struct asked {
    uint32_t count;
    struct service_asked services[SERVICES_MAX];
};

struct message {
    struct dissect *d;
    struct reader pdu;
    struct reader called, calling, user; /* AP titles with their inner tag, user information */
    uint64_t key;
    bool has_key, is_response;
    struct asked asked;
    uint32_t turn; /* which of the services is answered */
};

/* --- BER --- */

struct element {
    uint8_t tag;
    struct reader content;
};

static uint32_t read_length(struct reader *r)
{
    uint32_t length = reader_u8(r);
    if (length < 0x80)
        return length;
    uint32_t bytes = length & 0x7f;
    if (bytes == 0 || bytes > LENGTH_BYTES_MAX) {
        reader_fail(r); /* [22] 5.3.4.1: definite lengths only */
        return 0;
    }
    length = 0;
    while (bytes--)
        length = length << 8 | reader_u8(r);
    return length;
}

static bool read_element(struct reader *r, struct element *e)
{
    e->tag = reader_u8(r);
    uint32_t length = read_length(r);
    e->content = reader_take(r, length);
    return reader_ok(r);
}

static char *put_number(char *at, const char *end, uint64_t value)
{
    char digits[20];
    size_t n = 0;
    do {
        digits[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    while (n && at < end)
        *at++ = digits[--n];
    return at;
}

/* "1.3.6.1.4.1.33507"; a relative one begins with a point. */
static struct text oid_text(struct dissect *d, struct reader r, bool is_absolute)
{
    char *begin = arena_take(d->arena, TITLE_MAX), *at = begin;
    if (!begin)
        return (struct text){NULL, 0};
    const char *end = begin + TITLE_MAX;
    uint64_t arc = 0;
    bool is_first = is_absolute;
    while (reader_left(&r) && at < end) {
        uint8_t byte = reader_u8(&r);
        arc = arc << 7 | (byte & 0x7f);
        if (byte & 0x80)
            continue;
        if (is_first) { /* [X.690] 8.19.4: the first two in one */
            uint64_t root = arc < 80 ? arc / 40 : 2;
            at = put_number(at, end, root);
            arc -= root * 40;
        }
        if (at < end)
            *at++ = '.';
        at = put_number(at, end, arc);
        arc = 0;
        is_first = false;
    }
    return (struct text){begin, (size_t)(at - begin)};
}

static struct text title_text(struct dissect *d, struct reader title)
{
    struct element e;
    if (!reader_left(&title) || !read_element(&title, &e))
        return (struct text){NULL, 0};
    if (e.tag == TAG_OID)
        return oid_text(d, e.content, true);
    if (e.tag == TAG_RELATIVE_TITLE || e.tag == TAG_RELATIVE_OID)
        return oid_text(d, e.content, false);
    return (struct text){NULL, 0};
}

/* --- services --- */

static const struct service {
    uint8_t first, last;
    enum operation operation;
    const char *name;
} services[] = {
    {0x20, 0x20, OP_IDENTIFY,      "ident"               },
    {0x21, 0x21, OP_SESSION,       "terminate"           },
    {0x22, 0x22, OP_SESSION,       "disconnect"          },
    {0x24, 0x24, OP_SESSION,       "deregister"          },
    {0x25, 0x25, OP_DISCOVER,      "resolve"             },
    {0x26, 0x26, OP_DISCOVER,      "trace"               },
    {0x27, 0x27, OP_CONFIG_CHANGE, "register"            },
    {0x30, 0x30, OP_READ,          "full_read"           },
    {0x31, 0x39, OP_READ,          "partial_read_index"  },
    {0x3e, 0x3e, OP_READ,          "default_read"        },
    {0x3f, 0x3f, OP_READ,          "partial_read_offset" },
    {0x40, 0x40, OP_WRITE,         "full_write"          },
    {0x41, 0x49, OP_WRITE,         "partial_write_index" },
    {0x4f, 0x4f, OP_WRITE,         "partial_write_offset"},
    {0x50, 0x50, OP_AUTH,          "logon"               },
    {0x51, 0x51, OP_AUTH,          "security"            },
    {0x52, 0x52, OP_SESSION,       "logoff"              },
    {0x53, 0x53, OP_AUTH,          "authenticate"        },
    {0x60, 0x6b, OP_SESSION,       "negotiate"           },
    {0x70, 0x70, OP_SESSION,       "wait"                },
    {0x71, 0x71, OP_SESSION,       "timing_setup"        },
};

static const struct service *service_of(uint8_t number)
{
    for (size_t i = 0; i < sizeof services / sizeof *services; i++)
        if (number >= services[i].first && number <= services[i].last)
            return &services[i];
    return NULL;
}

static const char *result_name(uint8_t result)
{
    static const char *const names[] = {
        "ok", /* [22] 5.3.2.4 */
        "error",
        "service_not_supported",
        "insufficient_security_clearance",
        "operation_not_possible",
        "inappropriate_action",
        "device_busy",
        "data_not_ready",
        "data_locked",
        "renegotiate_request",
        "invalid_service_sequence_state",
        "security_mechanism_error",
        "unknown_application_title",
        "network_timeout",
        "network_not_reachable",
        "request_too_large",
        "response_too_large",
        "segmentation_not_possible",
        "segmentation_error",
    };
    return result < sizeof names / sizeof *names ? names[result] : NULL;
}

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    if (code[1])
        text_format(out, OT_CODE_SIZE, "0x%02x", code[0]);
    else
        text_format(out, OT_CODE_SIZE, "acse");
}

/* A service or a result on its way to an event. */
struct step {
    struct message *m;
    struct ot_event event;
    struct service_asked asked;
    struct ot_item item;
    struct ot_fact facts[FACTS_MAX];
    struct reader r;
};

static void wrong(const struct message *m, enum violation_kind kind, const char *why)
{
    emit_violation(m->d, kind, why, m->pdu.at, reader_left(&m->pdu));
}

static void add_fact(struct step *s, enum fact_kind kind, struct text value)
{
    if (value.size && s->event.fact_count < FACTS_MAX)
        s->facts[s->event.fact_count++] = (struct ot_fact){.kind = kind, .value = value};
}

/* Text of fixed size, filled with blanks or zeros; empty when it is no text. */
static struct text fixed_text(struct reader *r, size_t size)
{
    const char *at = (const char *)reader_bytes(r, size);
    if (!at)
        return (struct text){NULL, 0};
    size = strnlen(at, size);
    while (size && at[size - 1] == ' ')
        size--;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)at[i] < ' ' || (unsigned char)at[i] > '~')
            return (struct text){NULL, 0};
    return (struct text){size ? at : NULL, size};
}

static void step_begin(struct step *s, struct message *m, struct reader r)
{
    s->m = m;
    event_start(&s->event, m->d);
    s->event.direction = m->is_response ? OT_RESPONSE : OT_REQUEST;
    s->event.spell = spell;
    s->event.unit = title_text(m->d, m->is_response ? m->calling : m->called);
    s->event.telling = m->pdu.at;
    s->event.telling_size = reader_left(&m->pdu);
    s->event.transaction = m->key;
    s->event.has_transaction = m->has_key;
    s->event.facts = s->facts;
    s->asked = (struct service_asked){0};
    s->r = r;
}

/* --- tables --- */

static struct ot_item table_item(const struct service_asked *a)
{
    return (struct ot_item){
        .area = "table",
        .number = a->table,
        .has_number = true,
        .has_start = true,
        .start = a->start,
        .count = 1,
        .low = (uint64_t)a->table << 32 | a->start,
        .high = (uint64_t)a->table << 32 | a->start,
        .has_range = true,
    };
}

/* [19] decade 40: what these tables hold is never shown. */
static bool is_secret_table(uint16_t table)
{
    return table == TABLE_SECURITY || table == TABLE_KEYS || table == TABLE_EXTENDED_KEYS;
}

static void hide(struct step *s, struct reader secret)
{
    s->event.flags |= OT_HAS_CREDENTIAL;
    s->event.secret = secret.at;
    s->event.secret_size = reader_left(&secret);
}

static void put_table(struct step *s, struct reader data)
{
    s->item = table_item(&s->asked);
    if (reader_left(&data) && is_secret_table(s->asked.table))
        hide(s, data);
    else if (reader_left(&data))
        s->item.values = (struct ot_values){VALUES_BYTES, 1, data.at, reader_left(&data)};
    s->event.items = &s->item;
    s->event.item_count = s->event.items_total = 1;
}

/* | table 2 | indices 2 each, or offset 3 | count 2, unless full | */
static void read_place(struct step *s, uint8_t first)
{
    uint8_t service = s->asked.service;
    uint8_t indices = service - first;
    s->asked.table = reader_u16be(&s->r);
    s->asked.has_table = true;
    if (service == SERVICE_READ_OFFSET || service == SERVICE_WRITE_OFFSET) {
        s->asked.start = reader_u24be(&s->r);
    } else if (indices > 0 && indices <= INDICES_MAX) {
        s->asked.start = reader_u16be(&s->r);
        reader_skip(&s->r, 2u * (indices - 1u));
    }
}

static void read_request(struct step *s)
{
    if (s->asked.service == SERVICE_READ_DEFAULT)
        return;
    read_place(s, SERVICE_READ);
    if (s->asked.service != SERVICE_READ)
        reader_skip(&s->r, 2);
    put_table(s, reader_of(NULL, 0));
}

/* What is written decides how grave it is. [19] 9: decades of tables */
static enum operation write_operation(uint16_t table, struct reader data)
{
    enum { NUMBER = 0x07ff, MANUFACTURER_FLAG = 0x0800 };
    if (table == TABLE_CLOCK)
        return OP_TIME_SET;
    if (table != TABLE_PROCEDURE) {
        bool is_metering = table >= 10 && table < 40;
        return is_metering ? OP_WRITE : OP_CONFIG_CHANGE;
    }
    uint16_t procedure = reader_u16le(&data);
    if (!reader_ok(&data) || procedure & MANUFACTURER_FLAG)
        return OP_CONTROL;
    switch (procedure & NUMBER) {
    case PROCEDURE_COLD_START:
    case PROCEDURE_WARM_START:
        return OP_RESTART;
    case PROCEDURE_SET_TIME:
        return OP_TIME_SET;
    default:
        return OP_CONTROL;
    }
}

/* | place | count 2 | data | checksum 1 | */
static void write_request(struct step *s)
{
    read_place(s, SERVICE_WRITE);
    uint16_t count = reader_u16be(&s->r);
    struct reader data = reader_take(&s->r, count);
    reader_skip(&s->r, 1);
    put_table(s, data);
    s->event.operation = write_operation(s->asked.table, data);
    if (s->asked.table == TABLE_PROCEDURE && reader_left(&data) >= 2)
        s->event.detail = dissect_text(s->m->d, "procedure %u", reader_u16le(&data) & 0x0fffu);
}

/* [19] 9.1, general manufacturer identification */
static void manufacturer_table(struct step *s, struct reader r)
{
    enum { MANUFACTURER_SIZE = 4, MODEL_SIZE = 8, SERIAL_SIZE = 16 };
    struct text manufacturer = fixed_text(&r, MANUFACTURER_SIZE);
    struct text model = fixed_text(&r, MODEL_SIZE);
    uint8_t hardware = reader_u8(&r);
    uint8_t hardware_revision = reader_u8(&r);
    uint8_t firmware = reader_u8(&r);
    uint8_t firmware_revision = reader_u8(&r);
    if (!reader_ok(&r))
        return;
    add_fact(s, FACT_VENDOR, manufacturer);
    add_fact(s, FACT_PRODUCT, model);
    add_fact(s, FACT_HARDWARE, dissect_text(s->m->d, "%u.%u", hardware, hardware_revision));
    add_fact(s, FACT_FIRMWARE, dissect_text(s->m->d, "%u.%u", firmware, firmware_revision));
    add_fact(s, FACT_SERIAL, fixed_text(&r, SERIAL_SIZE));
}

/* | count 2 | data | checksum 1 | */
static void read_response(struct step *s)
{
    enum { DEVICE_SIZE = 20 };
    uint16_t count = reader_u16be(&s->r);
    struct reader data = reader_take(&s->r, count);
    reader_skip(&s->r, 1);
    put_table(s, data);
    if (s->asked.service != SERVICE_READ)
        return;
    if (s->asked.table == TABLE_MANUFACTURER)
        manufacturer_table(s, data);
    else if (s->asked.table == TABLE_DEVICE && reader_left(&data) >= DEVICE_SIZE)
        add_fact(s, FACT_NAME, fixed_text(&data, DEVICE_SIZE));
}

/* --- the other services --- */

/* | user id 2 | user 10 |... */
static void logon_request(struct step *s)
{
    uint16_t id = reader_u16be(&s->r);
    struct text user = fixed_text(&s->r, USER_SIZE);
    if (!reader_ok(&s->r))
        return;
    s->event.detail = dissect_text(s->m->d, "user %u", id);
    add_fact(s, FACT_USER_NAME, user);
}

/* | password 20 | user id 2, or not | */
static void security_request(struct step *s)
{
    struct reader password = reader_take(&s->r, PASSWORD_SIZE);
    if (reader_ok(&password))
        hide(s, password);
}

/* What registers itself: | node type 1 | connection type 1 | device class 4 | AP title | electronic
 * serial number | address length 1 | native address | period 3 |... */
static void register_request(struct step *s)
{
    enum { CLASS_SIZE = 4 };
    struct element title, serial;
    struct reader r = s->r;
    reader_skip(&r, 2);
    struct reader class = reader_take(&r, CLASS_SIZE);
    if (!read_element(&r, &title) || !read_element(&r, &serial))
        return;
    add_fact(s, FACT_DEVICE_TYPE, oid_text(s->m->d, class, false));
    if (reader_left(&serial.content) > 0)
        add_fact(s, FACT_SERIAL, oid_text(s->m->d, serial.content, serial.tag == TAG_OID));
}

static void wait_request(struct step *s)
{
    s->event.detail = dissect_text(s->m->d, "%u s", reader_u8(&s->r));
}

/* | standard 1 | version 1 | revision 1 | features, 4 device class first |... | 0 | */
static void ident_response(struct step *s)
{
    enum { FEATURE_CLASS = 4 };
    static const char *const standards[] = {[0] = "C12.18", [2] = "C12.21", [3] = "C12.22"};
    uint8_t standard = reader_u8(&s->r);
    uint8_t version = reader_u8(&s->r);
    uint8_t revision = reader_u8(&s->r);
    const char *name = standard < sizeof standards / sizeof *standards ? standards[standard] : NULL;
    if (!reader_ok(&s->r))
        return;
    if (name)
        s->event.detail = dissect_text(s->m->d, "ANSI %s, %u.%u", name, version, revision);
    struct element e;
    if (reader_u8(&s->r) == FEATURE_CLASS && read_element(&s->r, &e))
        add_fact(s, FACT_DEVICE_TYPE, oid_text(s->m->d, e.content, e.tag == TAG_OID));
}

static void request(struct message *m, uint8_t number, struct reader r)
{
    struct step s;
    step_begin(&s, m, r);
    const struct service *service = service_of(number);
    s.asked.service = number;
    s.event.code[0] = s.event.function = number;
    s.event.code[1] = true;
    if (service) {
        s.event.name = service->name;
        s.event.operation = service->operation;
    } else {
        wrong(m, VIOLATION_FUNCTION, "C12.22 service is not defined");
    }
    if (service && service->operation == OP_READ)
        read_request(&s);
    else if (service && service->operation == OP_WRITE)
        write_request(&s);
    else if (number == SERVICE_LOGON)
        logon_request(&s);
    else if (number == SERVICE_SECURITY)
        security_request(&s);
    else if (number == SERVICE_WAIT)
        wait_request(&s);
    else if (number == SERVICE_REGISTER)
        register_request(&s);
    if (!reader_ok(&s.r))
        wrong(m, VIOLATION_TRUNCATED, "C12.22 service is cut off");
    s.asked.operation = (uint8_t)s.event.operation;
    if (m->asked.count < SERVICES_MAX)
        m->asked.services[m->asked.count++] = s.asked;
    emit_event(m->d, &s.event);
}

static void response(struct message *m, uint8_t result, struct reader r)
{
    struct step s;
    step_begin(&s, m, r);
    s.event.function = result;
    s.event.status =
        (struct ot_status){result ? OT_RESULT_ERROR : OT_RESULT_OK, result, result_name(result)};
    if (!s.event.status.name)
        wrong(m, VIOLATION_FUNCTION, "C12.22 result is not defined");
    if (m->turn >= m->asked.count) {
        s.event.flags |= OT_NO_REQUEST;
        emit_event(m->d, &s.event);
        return;
    }
    s.asked = m->asked.services[m->turn++];
    const struct service *service = service_of(s.asked.service);
    s.event.name = service ? service->name : NULL;
    s.event.function = s.asked.service;
    s.event.operation = (enum operation)s.asked.operation;
    if (s.asked.has_table)
        put_table(&s, reader_of(NULL, 0));
    if (result == 0 && s.event.operation == OP_READ && s.asked.has_table)
        read_response(&s);
    else if (result == 0 && s.asked.service == SERVICE_IDENT)
        ident_response(&s);
    if (!reader_ok(&s.r))
        wrong(m, VIOLATION_TRUNCATED, "C12.22 answer is cut off");
    emit_event(m->d, &s.event);
}

/* --- messages --- */

static void opaque(struct message *m, uint32_t flags)
{
    struct step s;
    step_begin(&s, m, m->pdu);
    s.event.direction = OT_ONEWAY;
    s.event.flags = flags;
    s.event.operation = flags & OT_ENCRYPTED ? OP_UNKNOWN : OP_SESSION;
    s.event.name = flags & OT_ENCRYPTED ? "encrypted" : "association";
    emit_event(m->d, &s.event);
}

/* Whether all that follows are results; they come in messages of their own. */
static bool is_answer(struct reader r)
{
    struct reader first = reader_take(&r, read_length(&r));
    return reader_left(&first) && reader_u8(&first) <= RESPONSE_MAX;
}

static void epsem(struct message *m, struct reader r)
{
    uint8_t control = reader_u8(&r);
    if ((control & CONTROL_SECURITY) >> 2 == SECURITY_ENCRYPTED) {
        opaque(m, OT_ENCRYPTED);
        return;
    }
    if (control & CONTROL_CLASS)
        reader_skip(&r, 4);
    if (!reader_left(&r)) {
        opaque(m, 0);
        return;
    }
    m->is_response = is_answer(r);
    dissect_sender_is_client(m->d, !m->is_response);
    uint64_t key = hash_mix(m->key, m->d->is_from_client != m->is_response);
    if (m->is_response) {
        size_t size;
        const struct asked *asked = dissect_recall(m->d, key, &size);
        if (asked)
            memcpy(&m->asked, asked, sizeof m->asked);
    }
    while (reader_left(&r)) {
        struct reader one = reader_take(&r, read_length(&r));
        if (!reader_left(&one))
            break; /* [22] 5.3.4: a length of 0 ends the list */
        uint8_t number = reader_u8(&one);
        if (number <= RESPONSE_MAX)
            response(m, number, one);
        else
            request(m, number, one);
    }
    if (!reader_ok(&r))
        wrong(m, VIOLATION_TRUNCATED, "C12.22 service is longer than its message");
    if (!m->is_response && m->asked.count)
        memcpy(dissect_remember(m->d, key, sizeof m->asked, NULL), &m->asked, sizeof m->asked);
}

/* The EPSEM in | 28 | ... 81 |; false: not there. */
static bool find_epsem(struct reader user, struct reader *found)
{
    struct element external, inner;
    if (!read_element(&user, &external) || external.tag != TAG_EXTERNAL)
        return false;
    while (reader_left(&external.content) && read_element(&external.content, &inner))
        if (inner.tag == TAG_OCTETS) {
            *found = inner.content;
            return true;
        }
    return false;
}

/* An invocation is an INTEGER in its element. */
static void note_key(struct message *m, struct reader content)
{
    struct element e;
    if (!read_element(&content, &e))
        return;
    m->key = 0;
    m->has_key = true;
    while (reader_left(&e.content))
        m->key = m->key << 8 | reader_u8(&e.content);
}

static void note_element(struct message *m, const struct element *e)
{
    switch (e->tag) {
    case TAG_CALLED_TITLE:
        m->called = e->content;
        break;
    case TAG_CALLING_TITLE:
        m->calling = e->content;
        break;
    case TAG_CALLING_INVOCATION:
        if (!m->has_key) /* an answer repeats the invocation that called for it */
            note_key(m, e->content);
        break;
    case TAG_CALLED_INVOCATION:
        note_key(m, e->content);
        break;
    case TAG_USER_INFORMATION:
        m->user = e->content;
        break;
    default:
        break;
    }
}

static void c1222_dissect(struct dissect *d, struct reader r)
{
    struct message m = {.d = d, .pdu = r};
    struct element whole, e;
    if (!read_element(&r, &whole) || whole.tag != TAG_MESSAGE) {
        wrong(&m, VIOLATION_LENGTH, "C12.22 message is not as long as it says");
        return;
    }
    while (reader_left(&whole.content)) {
        if (!read_element(&whole.content, &e)) {
            wrong(&m, VIOLATION_LENGTH, "C12.22 element is longer than its message");
            break;
        }
        note_element(&m, &e);
    }
    struct reader inner;
    if (!reader_left(&m.user)) {
        opaque(&m, 0);
        return;
    }
    if (!find_epsem(m.user, &inner)) {
        wrong(&m, VIOLATION_ENCODING, "C12.22 user information holds no EPSEM");
        opaque(&m, 0);
        return;
    }
    epsem(&m, inner);
}

static struct frame c1222_frame(struct reader r)
{
    size_t given = reader_left(&r);
    uint8_t tag = reader_u8(&r);
    if (!reader_ok(&r))
        return frame_need(2);
    if (tag != TAG_MESSAGE)
        return frame_broken_as(VIOLATION_ENCODING, "not an ACSE message");
    if (!reader_left(&r))
        return frame_need(2);
    uint8_t first = reader_peek(&r);
    if (first == 0x80 || first > 0x80 + LENGTH_BYTES_MAX)
        return frame_broken("C12.22 length is indefinite or too long");
    size_t header = 2u + (first & 0x80 ? first & 0x7fu : 0u);
    if (given < header)
        return frame_need(header);
    uint32_t length = read_length(&r);
    if (length == 0 || length > MESSAGE_MAX - header)
        return frame_broken("C12.22 length out of range");
    size_t size = header + length;
    return size <= given ? frame_of(size) : frame_need(size);
}

static bool is_element_tag(uint8_t tag)
{
    return (tag >= TAG_CONTEXT && tag <= 0xaf) || tag == TAG_MECHANISM ||
           tag == TAG_USER_INFORMATION;
}

/* Elements of ACSE up to the end, with an AP title and user information that holds an EPSEM. */
static enum claim c1222_recognise(struct reader r)
{
    uint8_t tag = reader_u8(&r);
    uint32_t length = read_length(&r);
    if (tag != TAG_MESSAGE)
        return reader_ok(&r) || tag ? CLAIM_NO : CLAIM_MORE;
    if (!reader_ok(&r) || !reader_left(&r))
        return CLAIM_MORE;
    if (length == 0 || length > MESSAGE_MAX || !is_element_tag(reader_peek(&r)))
        return CLAIM_NO;
    if (reader_left(&r) < length)
        return CLAIM_WEAK;
    struct reader message = reader_take(&r, length);
    struct element e;
    struct reader found;
    bool has_title = false, has_epsem = false;
    while (reader_left(&message)) {
        if (!read_element(&message, &e) || !is_element_tag(e.tag))
            return CLAIM_NO;
        has_title |= e.tag == TAG_CALLED_TITLE || e.tag == TAG_CALLING_TITLE;
        has_epsem |= e.tag == TAG_USER_INFORMATION && find_epsem(e.content, &found);
    }
    return has_title && has_epsem ? CLAIM_YES : CLAIM_WEAK;
}

const struct dissector dissector_c1222 = {
    .name = "c1222",
    .spec = "ANSI C12.22-2012",
    .over = OVER_TCP | OVER_UDP,
    .ports = {1153},
    .pdu_max = MESSAGE_MAX,
    .recognise = c1222_recognise,
    .frame = c1222_frame,
    .dissect = c1222_dissect,
};
