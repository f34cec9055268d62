/* opcua_identity.c: who speaks OPC UA: applications, users, and what servers tell of their product.
 *
 * Spec: [4] OPC 10000-4: 7.2 ApplicationDescription, 7.14 EndpointDescription, 7.40 identity tokens
 *       [5] OPC 10000-5: 6.3.3 server object, 12.4 BuildInfo, 12.10 ServerStatusDataType */
#include "opcua_message.h"

enum {
    TEXT_MAX = 120, /* of a fact; longer ones are no names */
};

void ua_fact(struct ua_message *m, enum fact_kind kind, struct text value)
{
    if (value.size == 0 || value.size > TEXT_MAX || m->event.fact_count == UA_FACTS_MAX)
        return;
    m->facts[m->event.fact_count++] = (struct ot_fact){.kind = kind, .value = value};
    m->event.facts = m->facts;
}

struct application {
    struct text uri, product_uri, name;
    uint32_t kind;
};

/* | URI | product URI | name | kind 4 | gateway URI | profile URI | URLs[] | */
static struct application read_application(struct ua *u)
{
    struct application a = {.uri = ua_string(u)};
    a.product_uri = ua_string(u);
    a.name = ua_localized_text(u);
    a.kind = reader_u32le(&u->r);
    ua_string(u);
    ua_string(u);
    uint32_t urls = ua_count(u, 4);
    for (uint32_t i = 0; i < urls && reader_ok(&u->r); i++)
        ua_string(u);
    return a;
}

/* The product URI is not the product: several applications of a host have several. */
static void tell_application(struct ua_message *m, const struct application *a)
{
    if (!reader_ok(&m->ua.r))
        return;
    ua_fact(m, FACT_NAME, a->name);
    ua_fact(m, FACT_URL, a->uri);
    ua_fact(m, FACT_COMMENT, a->product_uri);
}

/* | URL | ApplicationDescription | certificate | mode 4 | policy | tokens[] | profile | level 1 |
 */
static struct application read_endpoint(struct ua *u)
{
    ua_string(u);
    struct application a = read_application(u);
    ua_string(u);
    reader_skip(&u->r, 4);
    ua_string(u);
    uint32_t tokens = ua_count(u, 20);
    for (uint32_t i = 0; i < tokens && reader_ok(&u->r); i++) {
        ua_string(u);
        reader_skip(&u->r, 4);
        ua_string(u);
        ua_string(u);
        ua_string(u);
    }
    ua_string(u);
    reader_skip(&u->r, 1);
    return a;
}

/* A discovery server tells of others, too: only one that stands alone is the sender. */
static void endpoints_response(struct ua_message *m)
{
    uint32_t count = ua_count(&m->ua, 50);
    struct application first = {0};
    bool is_one = count > 0;
    for (uint32_t i = 0; i < count && reader_ok(&m->ua.r); i++) {
        struct application a = read_endpoint(&m->ua);
        if (i == 0)
            first = a;
        is_one = is_one && text_equal(a.uri, first.uri);
    }
    if (is_one)
        tell_application(m, &first);
}

static void servers_response(struct ua_message *m)
{
    uint32_t count = ua_count(&m->ua, 25);
    if (count != 1)
        return;
    struct application a = read_application(&m->ua);
    tell_application(m, &a);
}

/* | ApplicationDescription | server URI | endpoint URL | session name | nonce | ... */
static void create_session_request(struct ua_message *m)
{
    struct application a = read_application(&m->ua);
    tell_application(m, &a);
    ua_string(&m->ua);
    ua_string(&m->ua);
    struct text session = ua_string(&m->ua);
    if (reader_ok(&m->ua.r))
        m->event.detail = session;
}

/* | session | token | timeout 8 | nonce | certificate | endpoints[] | ... */
static void create_session_response(struct ua_message *m)
{
    struct ua *u = &m->ua;
    ua_node_id(u);
    ua_node_id(u);
    reader_skip(&u->r, 8);
    ua_string(u);
    ua_string(u);
    endpoints_response(m);
}

/* RegisteredServer: | server URI | product URI | names[] | ... */
static void register_server_request(struct ua_message *m)
{
    struct ua *u = &m->ua;
    struct application a = {.uri = ua_string(u)};
    a.product_uri = ua_string(u);
    uint32_t names = ua_count(u, 1);
    for (uint32_t i = 0; i < names && reader_ok(&u->r); i++) {
        struct text name = ua_localized_text(u);
        if (i == 0)
            a.name = name;
    }
    tell_application(m, &a);
}

/* --- logging in --- */

static void set_secret(struct ua_message *m, struct text secret)
{
    if (secret.size == 0)
        return;
    m->event.flags |= OT_HAS_CREDENTIAL;
    m->event.secret = (const uint8_t *)secret.at;
    m->event.secret_size = secret.size;
}

/* [4] 7.40: what proves who the user is. Without an algorithm a password is in the clear. */
static void identity_token(struct ua_message *m, const struct ua_object *token)
{
    enum { ANONYMOUS = 321, USER_NAME = 324, X509 = 327, ISSUED = 940 };
    struct ua u = {.d = m->d, .r = token->body};
    ua_string(&u); /* policy */
    if (ua_is_standard(&token->type, ANONYMOUS)) {
        m->event.detail = TEXT("anonymous");
    } else if (ua_is_standard(&token->type, USER_NAME)) {
        struct text user = ua_string(&u), password = ua_string(&u), algorithm = ua_string(&u);
        if (!reader_ok(&u.r))
            return;
        ua_fact(m, FACT_USER_NAME, user);
        m->event.detail = user;
        if (algorithm.size == 0)
            set_secret(m, password);
    } else if (ua_is_standard(&token->type, X509)) {
        m->event.detail = TEXT("certificate");
    } else if (ua_is_standard(&token->type, ISSUED)) {
        struct text data = ua_string(&u), algorithm = ua_string(&u);
        m->event.detail = TEXT("issued token");
        if (reader_ok(&u.r) && algorithm.size == 0)
            set_secret(m, data);
    }
}

/* | signature: algorithm, bytes | certificates[] | locales[] | token | token signature | */
static void activate_session_request(struct ua_message *m)
{
    struct ua *u = &m->ua;
    ua_string(u);
    ua_string(u);
    uint32_t certificates = ua_count(u, 8);
    for (uint32_t i = 0; i < certificates && reader_ok(&u->r); i++) {
        ua_string(u);
        ua_string(u);
    }
    uint32_t locales = ua_count(u, 4);
    for (uint32_t i = 0; i < locales && reader_ok(&u->r); i++)
        ua_string(u);
    struct ua_object token = ua_extension_object(u);
    if (reader_ok(&u->r))
        identity_token(m, &token);
}

/* --- the server's own nodes --- */

static void tell_state(struct ua_message *m, uint32_t state)
{
    static const struct text states[] = {
        {"running",             7 },
        {"failed",              6 },
        {"no configuration",    16},
        {"suspended",           9 },
        {"shutdown",            8 },
        {"test",                4 },
        {"communication fault", 19},
        {"unknown",             7 },
    };
    if (state < sizeof states / sizeof *states)
        ua_fact(m, FACT_MODE, states[state]);
}

/* | product URI | vendor | product | version | build number | date 8 | */
static void tell_build(struct ua_message *m, struct ua *u)
{
    ua_string(u);
    struct text vendor = ua_string(u), product = ua_string(u), version = ua_string(u),
                build = ua_string(u);
    if (!reader_ok(&u->r))
        return;
    ua_fact(m, FACT_VENDOR, vendor);
    ua_fact(m, FACT_PRODUCT, product);
    ua_fact(m, FACT_SOFTWARE, version);
    ua_fact(m, FACT_FIRMWARE, build);
}

/* | start 8 | now 8 | state 4 | BuildInfo | ... */
static void tell_status(struct ua_message *m, struct ua *u)
{
    reader_skip(&u->r, 16);
    uint32_t state = reader_u32le(&u->r);
    if (!reader_ok(&u->r))
        return;
    tell_state(m, state);
    tell_build(m, u);
}

/* The number of a node of the server object, 0: another node or attribute. */
static uint32_t server_node(const struct ot_item *item)
{
    static const char prefix[] = "ns=0;i=22";
    enum { PREFIX_SIZE = sizeof prefix - 1, SIZE = PREFIX_SIZE + 2 };
    if (item->name.size != SIZE || memcmp(item->name.at, prefix, PREFIX_SIZE) != 0 ||
        item->area != ua_attribute_name(UA_ATTRIBUTE_VALUE))
        return 0;
    unsigned tens = (unsigned)(item->name.at[PREFIX_SIZE] - '0');
    unsigned ones = (unsigned)(item->name.at[PREFIX_SIZE + 1] - '0');
    return 2200 + 10 * tens + ones;
}

void ua_identity_of_value(struct ua_message *m, const struct ot_item *item,
                          const struct ua_object *object)
{
    enum { STATUS = 2256, STATE = 2259, BUILD = 2260, BUILD_TYPE = 340, STATUS_TYPE = 864 };
    static const struct {
        uint32_t node;
        enum fact_kind kind;
    } texts[] = {
        {2261, FACT_PRODUCT },
        {2263, FACT_VENDOR  },
        {2264, FACT_SOFTWARE},
        {2265, FACT_FIRMWARE},
    };
    uint32_t node = server_node(item);
    if (node < STATUS || item->status.result == OT_RESULT_ERROR)
        return;
    struct ua u = {.d = m->d, .r = object->body};
    struct ot_value value = ot_value_at(&item->values, 0);
    if (node == STATE && value.kind == OT_VALUE_SIGNED)
        tell_state(m, (uint32_t)value.i);
    if (node == STATUS && ua_is_standard(&object->type, STATUS_TYPE))
        tell_status(m, &u);
    if (node == BUILD && ua_is_standard(&object->type, BUILD_TYPE))
        tell_build(m, &u);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (node == texts[i].node && value.kind == OT_VALUE_TEXT)
            ua_fact(m, texts[i].kind, value.text);
}

void ua_service_identity(struct ua_message *m)
{
    switch (m->service->request) {
    case UA_FIND_SERVERS:
        if (m->is_response)
            servers_response(m);
        break;
    case UA_GET_ENDPOINTS:
        if (m->is_response)
            endpoints_response(m);
        break;
    case UA_CREATE_SESSION:
        if (m->is_response)
            create_session_response(m);
        else
            create_session_request(m);
        break;
    case UA_ACTIVATE_SESSION:
        if (!m->is_response)
            activate_session_request(m);
        break;
    case UA_REGISTER_SERVER:
    case UA_REGISTER_SERVER_2:
        if (!m->is_response)
            register_server_request(m);
        break;
    default:
        break;
    }
}
