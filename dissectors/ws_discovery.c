/* ws_discovery.c: Web Services Dynamic Discovery: cameras, printers and computers that are looked
 * for by multicast and tell what they are.
 *
 * Spec: [WSD] OASIS Web Services Dynamic Discovery 1.1, 4 (messages) to 6, and the draft of 2005
 *             that most devices follow
 *       [ONVIF] Core Specification 7.3.2 (scopes)
 *
 * A SOAP envelope: Header with Action; Body with Types, Scopes, XAddrs and an endpoint's Address.
 * Elements are found by their names; prefixes are free. */
#include "facts.h"

enum {
    DEPTH_MAX = 2048, /* in front of an element; answers have about 1 KiB */
    TOKENS_MAX = 32,  /* of types or scopes */
    SCOPE_MAX = 64,   /* bytes of one, decoded */
    ACTION_UNKNOWN = 0,
};

static const struct action {
    const char *text, *name;
    enum operation operation;
    enum ot_direction direction;
    bool is_told_by_device; /* of itself */
} actions[] = {
    {"",               NULL,              OP_UNKNOWN,  OT_ONEWAY,   false},
    {"hello",          "hello",           OP_PUBLISH,  OT_ONEWAY,   true },
    {"bye",            "bye",             OP_PUBLISH,  OT_ONEWAY,   false},
    {"probe",          "probe",           OP_DISCOVER, OT_REQUEST,  false},
    {"probematches",   "probe_matches",   OP_DISCOVER, OT_RESPONSE, true },
    {"resolve",        "resolve",         OP_DISCOVER, OT_REQUEST,  false},
    {"resolvematches", "resolve_matches", OP_DISCOVER, OT_RESPONSE, true },
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    const char *name = actions[code[0]].name;
    text_copy(out, OT_CODE_SIZE, text_of(name ? name : "unknown"));
}

/* --- XML, as far as it is needed --- */

static bool ends_name(char c)
{
    return ascii_is_space(c) || c == '>' || c == '/';
}

/* The text of the first element of this name; empty when there is none. */
static struct text element(struct text xml, const char *name)
{
    size_t size = strlen(name);
    while (xml.size) {
        (void)ascii_until(&xml, '<');
        struct text tag = xml;
        size_t at = 0;
        while (at < tag.size && at < SCOPE_MAX && !ends_name(tag.at[at]) && tag.at[at] != ':')
            at++;
        if (at < tag.size && tag.at[at] == ':') { /* behind the prefix */
            tag.at += at + 1;
            tag.size -= at + 1;
        }
        if (tag.size <= size || memcmp(tag.at, name, size) != 0 || !ends_name(tag.at[size]))
            continue;
        struct text head = ascii_until(&xml, '>');
        if (head.size && head.at[head.size - 1] == '/')
            return (struct text){NULL, 0};
        return ascii_trim(ascii_until(&xml, '<'));
    }
    return (struct text){NULL, 0};
}

static struct text next_token(struct text *list)
{
    if (!list->size) /* an element that is not there has no address to move on from */
        return *list;
    *list = ascii_trim(*list);
    struct text token = {list->at, 0};
    while (token.size < list->size && !ascii_is_space(list->at[token.size]))
        token.size++;
    list->at += token.size;
    list->size -= token.size;
    return token;
}

/* --- what a device tells --- */

/* "dn:NetworkVideoTransmitter": without the prefix. */
static struct text local_name(struct text token)
{
    struct text rest = token;
    struct text prefix = ascii_until(&rest, ':');
    return prefix.size == token.size ? token : rest;
}

static void types(struct facts *f, struct text list)
{
    for (int i = 0; i < TOKENS_MAX && list.size; i++) {
        struct text type = local_name(next_token(&list));
        if (!ascii_is(type, "device")) /* that it is one says little */
            facts_add(f, FACT_DEVICE_TYPE, type);
    }
}

static bool is_digit(char c)
{
    return (c >= '0' && c <= '9') || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f');
}

static uint8_t digit_of(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : ascii_lower(c) - 'a' + 10);
}

/* "AXIS%20M1011" in packet memory. */
static struct text decoded(struct dissect *d, struct text from)
{
    char *out = arena_take(d->arena, SCOPE_MAX);
    struct text to = {out, 0};
    for (size_t i = 0; out && i < from.size && to.size < SCOPE_MAX; i++) {
        char c = from.at[i];
        if (c == '%' && i + 2 < from.size && is_digit(from.at[i + 1]) && is_digit(from.at[i + 2])) {
            c = (char)(digit_of(from.at[i + 1]) << 4 | digit_of(from.at[i + 2]));
            i += 2;
        }
        out[to.size++] = c;
    }
    return ascii_is_printable(to) ? to : (struct text){NULL, 0};
}

/* [ONVIF] 7.3.2.2: "onvif://www.onvif.org/hardware/M1011" */
static void scopes(struct dissect *d, struct facts *f, struct text list)
{
    static const struct {
        const char *begin;
        enum fact_kind kind;
    } rows[] = {
        {"onvif://www.onvif.org/name/",     FACT_NAME    },
        {"onvif://www.onvif.org/hardware/", FACT_PRODUCT },
        {"onvif://www.onvif.org/location/", FACT_LOCATION},
    };
    for (int i = 0; i < TOKENS_MAX && list.size; i++) {
        struct text scope = next_token(&list);
        for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
            size_t size = strlen(rows[k].begin);
            if (ascii_begins(scope, rows[k].begin))
                facts_add(f, rows[k].kind,
                          decoded(d, (struct text){scope.at + size, scope.size - size}));
        }
    }
}

/* "http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches": the last word. */
static uint32_t action_of(struct text uri)
{
    for (struct text rest = uri; rest.size;)
        uri = ascii_until(&rest, '/');
    for (uint32_t i = 1; i < sizeof actions / sizeof *actions; i++)
        if (ascii_is(uri, actions[i].text))
            return i;
    return ACTION_UNKNOWN;
}

static void ws_discovery_dissect(struct dissect *d, struct reader r)
{
    struct text xml = ascii_of(r);
    struct facts f = {.count = 0};
    uint32_t code = action_of(element(xml, "Action"));
    const struct action *action = &actions[code];
    struct ot_event e = event_of(d);
    e.code[0] = e.function = code;
    e.spell = spell;
    e.name = action->name;
    e.operation = action->operation;
    e.direction = action->direction;
    struct text wanted = element(xml, "Types");
    struct ot_item item = {.area = "endpoint", .name = element(xml, "Address")};
    if (e.direction == OT_REQUEST && code != ACTION_UNKNOWN && wanted.size)
        item = (struct ot_item){.area = "type", .name = wanted};
    if (item.name.size) {
        e.items = &item;
        e.item_count = e.items_total = 1;
    }
    if (action->is_told_by_device) {
        types(&f, wanted);
        scopes(d, &f, element(xml, "Scopes"));
        struct text addresses = element(xml, "XAddrs");
        facts_add(&f, FACT_URL, next_token(&addresses));
    }
    if (e.direction == OT_RESPONSE)
        e.status = (struct ot_status){OT_RESULT_OK, 0, "ok"};
    if (code == ACTION_UNKNOWN)
        emit_violation(d, VIOLATION_FUNCTION, "WS-Discovery action is not defined", r.at,
                       reader_left(&r));
    facts_give(&e, &f);
    emit_event(d, &e);
}

/* XML that names the discovery's namespace near its beginning. */
static enum claim ws_discovery_recognise(struct reader r)
{
    static const char *const spaces[] = {"/ws/2005/04/discovery", "/ws-dd/ns/discovery/2009/01"};
    size_t size = reader_left(&r) < DEPTH_MAX ? reader_left(&r) : DEPTH_MAX;
    if (reader_peek(&r) != '<')
        return CLAIM_NO;
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
        if (memmem(r.at, size, spaces[i], strlen(spaces[i])))
            return CLAIM_YES;
    return CLAIM_NO;
}

const struct dissector dissector_ws_discovery = {
    .name = "ws_discovery",
    .spec = "OASIS Web Services Dynamic Discovery 1.1",
    .over = OVER_UDP,
    .ports = {3702},
    .is_from_any_port = true,
    .recognise = ws_discovery_recognise,
    .dissect = ws_discovery_dissect,
};
