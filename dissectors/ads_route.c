/* ads_route.c: the discovery and route service of TwinCAT on UDP 48899.
 *
 * Not published; the layout is what public captures and decoders agree on (PROTOCOLS 17).
 *
 *   | 71146603, 4 | invoke id 4 | service 4, high bit: response | AMS address 8 | tags 4 |
 *   | each tag: id 2, length 2, data |
 *
 * all little endian. Adding a route sends user and password in clear text. */
#include "dissector.h"

enum {
    HEADER_SIZE = 24,
    TAGS_MAX = 64, /* of one datagram; ten are known */

    SERVICE_DISCOVER = 1,
    SERVICE_ADD_ROUTE = 6,
    SERVICE_DELETE_ROUTE = 7,

    TAG_STATUS = 1,
    TAG_PASSWORD = 2,
    TAG_TWINCAT_VERSION = 3,
    TAG_OS_VERSION = 4,
    TAG_HOST_NAME = 5,
    TAG_NET_ID = 7,
    TAG_ROUTE_NAME = 12,
    TAG_USER = 13,
    TAG_FINGERPRINT = 18,
};

#define MAGIC    UINT32_C(0x71146603)
#define RESPONSE UINT32_C(0x80000000)

struct message {
    struct dissect *d;
    struct ot_event event;
    struct ot_fact facts[8];
    struct text route, user, net;
    bool is_response;
};

static struct text text_in(struct reader r)
{
    const char *at = (const char *)r.at;
    size_t size = 0, left = reader_left(&r);
    while (size < left && at[size])
        if ((uint8_t)at[size++] < 0x20)
            return (struct text){NULL, 0};
    return size ? (struct text){at, size} : (struct text){NULL, 0};
}

static void add_fact(struct message *m, enum fact_kind kind, struct text value)
{
    if (value.size && m->event.fact_count < sizeof m->facts / sizeof *m->facts)
        m->facts[m->event.fact_count++] = (struct ot_fact){.kind = kind, .value = value};
}

/* OSVERSIONINFO of the host: | size 4 | major 4 | minor 4 | build 4 | platform 4 | text | */
static void os_version(struct message *m, struct reader r)
{
    enum { WINDOWS_NT = 2, WINDOWS_CE = 3 };
    reader_skip(&r, 4);
    uint32_t major = reader_u32le(&r);
    uint32_t minor = reader_u32le(&r);
    uint32_t build = reader_u32le(&r);
    uint32_t platform = reader_u32le(&r);
    if (!reader_ok(&r))
        return;
    const char *family = platform == WINDOWS_CE   ? "Windows CE "
                         : platform == WINDOWS_NT ? "Windows NT "
                                                  : "";
    add_fact(m, FACT_OS, dissect_text(m->d, "%s%u.%u.%u", family, major, minor, build));
}

static void tag(struct message *m, uint16_t id, struct reader r)
{
    switch (id) {
    case TAG_STATUS: {
        uint32_t status = reader_u32le(&r);
        if (reader_ok(&r) && m->is_response)
            m->event.status = (struct ot_status){status ? OT_RESULT_ERROR : OT_RESULT_OK, status,
                                                 status ? NULL : "ok"};
        break;
    }
    case TAG_PASSWORD:
        m->event.secret = r.at;
        m->event.secret_size = reader_left(&r);
        if (m->event.secret_size)
            m->event.flags |= OT_HAS_CREDENTIAL;
        else
            m->event.secret = NULL;
        break;
    case TAG_TWINCAT_VERSION: {
        uint8_t major = reader_u8(&r);
        uint8_t minor = reader_u8(&r);
        uint16_t build = reader_u16le(&r);
        if (reader_ok(&r))
            add_fact(m, FACT_FIRMWARE, dissect_text(m->d, "TwinCAT %u.%u.%u", major, minor, build));
        break;
    }
    case TAG_OS_VERSION:
        os_version(m, r);
        break;
    case TAG_HOST_NAME:
        add_fact(m, FACT_HOST_NAME, text_in(r));
        break;
    case TAG_NET_ID: {
        const uint8_t *n = reader_bytes(&r, 6);
        if (n)
            m->net = dissect_text(m->d, "%u.%u.%u.%u.%u.%u", n[0], n[1], n[2], n[3], n[4], n[5]);
        break;
    }
    case TAG_ROUTE_NAME:
        m->route = text_in(r);
        break;
    case TAG_USER:
        m->user = text_in(r);
        break;
    default:
        break;
    }
}

/* The name that comes with the password; without one it says nothing about who. */
static void route_words(struct message *m)
{
    if (!m->route.size && !m->net.size)
        return;
    m->event.detail =
        dissect_text(m->d, "route %.*s to %.*s%s%.*s", (int)m->route.size,
                     m->route.at ? m->route.at : "", (int)m->net.size, m->net.at ? m->net.at : "",
                     m->user.size ? " as " : "", (int)m->user.size, m->user.at ? m->user.at : "");
    if (m->user.size)
        add_fact(m, FACT_USER_NAME, m->user);
}

static void route_dissect(struct dissect *d, struct reader r)
{
    struct reader pdu = r;
    struct message m;
    m.d = d;
    m.route = m.user = m.net = (struct text){NULL, 0};
    uint32_t magic = reader_u32le(&r);
    uint32_t invoke = reader_u32le(&r);
    uint32_t service = reader_u32le(&r);
    const uint8_t *net = reader_bytes(&r, 6);
    uint16_t port = reader_u16le(&r);
    uint32_t tags = reader_u32le(&r);
    if (!reader_ok(&r) || magic != MAGIC) {
        emit_violation(d, VIOLATION_TRUNCATED, "route service header is cut off", pdu.at,
                       reader_left(&pdu));
        return;
    }
    m.is_response = service & RESPONSE;
    service &= ~RESPONSE;
    if (!d->flow->is_role_known)
        dissect_sender_is_client(d, !m.is_response);
    event_start(&m.event, d);
    m.event.direction = m.is_response ? OT_RESPONSE : OT_REQUEST;
    m.event.code[0] = m.event.function = service;
    m.event.transaction = invoke;
    m.event.has_transaction = true;
    m.event.facts = m.facts;
    m.event.unit = dissect_text(d, "%u.%u.%u.%u.%u.%u:%u", net[0], net[1], net[2], net[3], net[4],
                                net[5], port);
    m.event.operation = service == SERVICE_DISCOVER       ? OP_DISCOVER
                        : service == SERVICE_ADD_ROUTE    ? OP_CONFIG_CHANGE
                        : service == SERVICE_DELETE_ROUTE ? OP_CONFIG_CHANGE
                                                          : OP_UNKNOWN;
    m.event.name = service == SERVICE_DISCOVER       ? "discover"
                   : service == SERVICE_ADD_ROUTE    ? "add_route"
                   : service == SERVICE_DELETE_ROUTE ? "delete_route"
                                                     : NULL;
    if (m.is_response)
        m.event.status = (struct ot_status){OT_RESULT_OK, 0, "ok"};
    for (uint32_t i = 0; i < tags && i < TAGS_MAX && reader_ok(&r); i++) {
        uint16_t id = reader_u16le(&r);
        uint16_t size = reader_u16le(&r);
        struct reader data = reader_take(&r, size);
        if (reader_ok(&r))
            tag(&m, id, data);
    }
    if (!reader_ok(&r))
        emit_violation(d, VIOLATION_LENGTH, "tag runs past the end of its datagram", pdu.at,
                       reader_left(&pdu));
    if (!m.event.name)
        emit_violation(d, VIOLATION_FUNCTION, "unknown route service", pdu.at, reader_left(&pdu));
    route_words(&m);
    emit_event(d, &m.event);
}

static enum claim route_recognise(struct reader r)
{
    enum { SERVICE_MAX = 16 };
    uint32_t magic = reader_u32le(&r);
    reader_skip(&r, 4);
    uint32_t service = reader_u32le(&r);
    return reader_ok(&r) && magic == MAGIC && (service & ~RESPONSE) <= SERVICE_MAX ? CLAIM_YES
                                                                                   : CLAIM_NO;
}

const struct dissector dissector_ads_route = {
    .name = "ads_route",
    .spec = "not published; PROTOCOLS 17",
    .over = OVER_UDP,
    .ports = {48899},
    .recognise = route_recognise,
    .dissect = route_dissect,
};
