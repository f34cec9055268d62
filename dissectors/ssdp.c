/* ssdp.c: Simple Service Discovery Protocol: routers, gateways, cameras and computers tell what
 * they are and where their description lies.
 *
 * Spec: [UDA] UPnP Device Architecture 1.1, 1.2 (advertisement) and 1.3 (search)
 *
 * Headers as in HTTP, in one datagram, without a body:
 *   "NOTIFY * HTTP/1.1" | "M-SEARCH * HTTP/1.1" | "HTTP/1.1 200 OK", lines "name: value", an empty
 *   one */
#include "facts.h"

enum { LINES_MAX = 64 };

enum code { NOTIFY, SEARCH, ANSWER, CODES };

static const char *const begins[CODES] = {"notify * http/1.", "m-search * http/1.", "http/1."};

/* What a notification says of its sender; [UDA] 1.2. */
static const struct told {
    const char *text, *name;
    bool is_there;
} notifications[] = {
    {"ssdp:alive",  "alive",  true },
    {"ssdp:update", "update", true },
    {"ssdp:byebye", "byebye", false},
};

struct message {
    enum code code;
    struct text first;                           /* line */
    struct text what, kind, name, url, software; /* NTS; NT or ST; USN; LOCATION; SERVER */
    bool is_whole;                               /* has the empty line */
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    static const char *const names[CODES] = {"notify", "m_search", "response"};
    text_copy(out, OT_CODE_SIZE, text_of(names[code[0]]));
}

static void take_line(struct message *m, struct text line)
{
    const struct {
        const char *name;
        struct text *to;
    } headers[] = {
        {"nts",      &m->what    },
        {"nt",       &m->kind    },
        {"st",       &m->kind    },
        {"usn",      &m->name    },
        {"location", &m->url     },
        {"server",   &m->software},
    };
    struct text name = ascii_until(&line, ':');
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        if (ascii_is(ascii_trim(name), headers[i].name) && ascii_is_printable(ascii_trim(line)))
            *headers[i].to = ascii_trim(line);
}

static struct message message_of(struct text all)
{
    struct message m = {.code = ANSWER};
    for (enum code code = NOTIFY; code < CODES; code++)
        if (ascii_begins(all, begins[code])) {
            m.code = code;
            break;
        }
    m.first = ascii_trim(ascii_until(&all, '\n'));
    for (int i = 0; i < LINES_MAX && all.size && !m.is_whole; i++) {
        struct text line = ascii_trim(ascii_until(&all, '\n'));
        m.is_whole = line.size == 0;
        take_line(&m, line);
    }
    return m;
}

/* "urn:schemas-upnp-org:device:InternetGatewayDevice:1" */
static struct text device_type(struct text kind)
{
    static const char *const parts[] = {"urn", NULL, "device"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct text part = ascii_until(&kind, ':');
        if (parts[i] && !ascii_is(part, parts[i]))
            return (struct text){NULL, 0};
    }
    return ascii_until(&kind, ':');
}

static const struct told *told_of(const struct message *m)
{
    for (size_t i = 0; i < sizeof notifications / sizeof *notifications; i++)
        if (ascii_is(m->what, notifications[i].text))
            return &notifications[i];
    return NULL;
}

static void put_facts(struct facts *f, const struct message *m)
{
    facts_add(f, FACT_DEVICE_TYPE, device_type(m->kind));
    facts_add(f, FACT_SOFTWARE, m->software);
    facts_add(f, FACT_URL, m->url);
}

static void ssdp_dissect(struct dissect *d, struct reader r)
{
    static const enum operation operations[CODES] = {OP_PUBLISH, OP_DISCOVER, OP_DISCOVER};
    static const enum ot_direction directions[CODES] = {OT_ONEWAY, OT_REQUEST, OT_RESPONSE};
    static const char *const names[CODES] = {"notify", "search", "found"};
    const struct message m = message_of(ascii_of(r));
    const struct told *told = m.code == NOTIFY ? told_of(&m) : NULL;
    struct facts f = {.count = 0};
    struct ot_event e = event_of(d);
    e.code[0] = e.function = m.code;
    e.spell = spell;
    e.name = told ? told->name : names[m.code];
    e.operation = operations[m.code];
    e.direction = directions[m.code];
    struct ot_item item = {.area = m.code == SEARCH ? "type" : "endpoint",
                           .name = m.code == SEARCH ? m.kind : m.name};
    if (item.name.size) {
        e.items = &item;
        e.item_count = e.items_total = 1;
    }
    if (m.code == ANSWER || (told && told->is_there)) {
        put_facts(&f, &m);
        e.unit = TEXT("ssdp"); /* another server of the host has other software */
    }
    if (m.code == ANSWER)
        e.status = (struct ot_status){OT_RESULT_OK, 0, "ok"};
    if (m.code == NOTIFY && !told)
        emit_violation(d, VIOLATION_FUNCTION, "SSDP notification is not defined", r.at,
                       reader_left(&r));
    if (!m.is_whole)
        emit_violation(d, VIOLATION_TRUNCATED, "SSDP message without its end", r.at,
                       reader_left(&r));
    facts_give(&e, &f);
    emit_event(d, &e);
}

/* An answer could be of anything that speaks HTTP over UDP: it names what was searched for. */
static enum claim ssdp_recognise(struct reader r)
{
    struct text all = ascii_of(r);
    if (ascii_begins(all, begins[NOTIFY]) || ascii_begins(all, begins[SEARCH]))
        return CLAIM_YES;
    struct message m = message_of(all);
    bool is_answer = ascii_begins(all, begins[ANSWER]) && ascii_ends(m.first, " 200 ok");
    return is_answer && m.kind.size && m.name.size ? CLAIM_YES : CLAIM_NO;
}

const struct dissector dissector_ssdp = {
    .name = "ssdp",
    .spec = "UPnP Device Architecture 1.1",
    .over = OVER_UDP,
    .ports = {1900},
    .is_from_any_port = true,
    .recognise = ssdp_recognise,
    .dissect = ssdp_dissect,
};
