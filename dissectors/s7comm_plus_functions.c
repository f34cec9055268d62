/* s7comm_plus_functions.c: what the functions of S7comm-plus touch and mean.
 *
 *   addresses: | object 4, =0 | count | fields | | symbol CRC | area | n | id, ... |, ... |
 *              | object 4     | count | fields | id, ... |
 *   values:    | number | value |, ... | 0 |     errors: | number | error |, ... | 0 |
 *   get streamed: | object 4 | 20 04 count ids |     set variable: | object 4 | count | id, value |
 *   create:    | parent 4 | value | 4 | object |     delete: | object 4 |
 *
 * Objects, attributes and their meaning: PROTOCOLS 7; what is [cap] there was seen in captures. */
#include "s7comm_plus.h"

enum {
    ITEMS_MAX = 64,
    FACTS_MAX = 8,
    BLOB_OF_BLOCK = 256, /* bytes: a body of a block, not a hash or a name */
    STATE_STOP = 1,
    STATE_RUN = 3,
    TOLD_STOP = 4, /* operating state as it is told */
    TOLD_RUN = 8,
    IM0_SIZE = 60, /* identification and maintenance, record 0 */
    TRANSFER_DOWNLOAD = 1,
    TRANSFER_UPLOAD = 2,
    ERROR_PART = 0xffff,
};

static const uint32_t AREA_DATA_BLOCK = 0x8a0e0000; /* and the number of the block */
static const uint32_t AREA_BLOCKS = 0x8a000000;     /* objects of the program: its blocks */
static const uint32_t AREA_BLOCKS_END = 0x8b000000;

static const struct row {
    uint16_t function;
    enum operation operation;
    const char *name;
} rows[] = {
    {S7PLUS_ERROR,          OP_ERROR,            "error"                },
    {S7PLUS_EXPLORE,        OP_BROWSE,           "explore"              },
    {S7PLUS_CREATE_OBJECT,  OP_PROGRAM_DOWNLOAD, "create_object"        },
    {S7PLUS_DELETE_OBJECT,  OP_PROGRAM_DELETE,   "delete_object"        },
    {S7PLUS_SET_VARIABLE,   OP_WRITE,            "set_variable"         },
    {S7PLUS_GET_VARIABLE,   OP_READ,             "get_variable"         },
    {S7PLUS_ADD_LINK,       OP_PROGRAM_MODIFY,   "add_link"             },
    {S7PLUS_REMOVE_LINK,    OP_PROGRAM_MODIFY,   "remove_link"          },
    {S7PLUS_GET_LINK,       OP_BROWSE,           "get_link"             },
    {S7PLUS_SET_MULTI,      OP_WRITE,            "set_multi_variables"  },
    {S7PLUS_GET_MULTI,      OP_READ,             "get_multi_variables"  },
    {S7PLUS_BEGIN_SEQUENCE, OP_PROGRAM_DOWNLOAD, "begin_sequence"       },
    {S7PLUS_END_SEQUENCE,   OP_PROGRAM_DOWNLOAD, "end_sequence"         },
    {S7PLUS_INVOKE,         OP_CONTROL,          "invoke"               },
    {S7PLUS_SET_STREAMED,   OP_WRITE,            "set_var_substreamed"  },
    {S7PLUS_GET_STREAMED,   OP_READ,             "get_var_substreamed"  },
    {S7PLUS_GET_ADDRESSES,  OP_BROWSE,           "get_variables_address"},
    {S7PLUS_ABORT,          OP_SESSION,          "abort"                },
    {S7PLUS_ERROR2,         OP_ERROR,            "error2"               },
    {S7PLUS_INIT_SSL,       OP_SESSION,          "init_ssl"             },
};

static const struct row *row_of(uint16_t function)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].function == function)
            return &rows[i];
    return NULL;
}

const char *s7plus_function_name(uint16_t function)
{
    const struct row *row = row_of(function);
    return row ? row->name : NULL;
}

/* Subscriptions and jobs that sessions made; the second range is that of old controllers. */
static bool is_of_client(uint32_t object)
{
    return (object >= 0x70000000 && object < 0x80000000) ||
           (object >= 0x10000000 && object < 0x20000000);
}

/* --- names --- */

static char *put_number(char *at, uint32_t n)
{
    char digits[12];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    while (count)
        *at++ = digits[--count];
    return at;
}

static char *put_text(char *at, const char *text)
{
    while (*text)
        *at++ = *text++;
    return at;
}

/* Where a variable lies: DB5, I, Q, M, counters, timers, else the object's number. */
static char *put_area(char *at, uint32_t area, uint32_t crc)
{
    static const char hex[] = "0123456789abcdef";
    static const char *const areas[] = {"I", "Q", "M", "C", "T"}; /* objects 80 to 84 */
    if (area >> 16 == AREA_DATA_BLOCK >> 16) {
        at = put_number(put_text(at, "DB"), area & 0xffff);
    } else if (area >= 80 && area <= 84) {
        at = put_text(at, areas[area - 80]);
    } else {
        return put_number(put_text(at, "object "), area);
    }
    if (!crc)
        return at;
    at = put_text(at, " sym:");
    for (int shift = 28; shift >= 0; shift -= 4)
        *at++ = hex[crc >> shift & 15];
    return at;
}

static const char *area_name(uint32_t area)
{
    return area >> 16 == AREA_DATA_BLOCK >> 16 || (area >= 80 && area <= 84) ? "symbol"
                                                                             : "attribute";
}

/* --- addresses --- */

enum { NAME_SIZE = 96, IDS_SHOWN = 5 };

/* | symbol CRC | area | n | ids | as "DB5 sym:1234abcd.1.10". Returns the area. */
static uint32_t read_symbol(struct dissect *d, struct reader *r, struct ot_item *item)
{
    uint32_t crc = s7plus_number(r), area = s7plus_number(r), count = s7plus_number(r);
    char *name = arena_take(d->arena, NAME_SIZE), *at = name;
    item->area = area_name(area);
    item->count = 1;
    if (name)
        at = put_area(at, area, crc);
    for (uint32_t i = 0; i < count && reader_left(r); i++) {
        uint32_t id = s7plus_number(r);
        if (name && i < IDS_SHOWN) {
            *at++ = '.';
            at = put_number(at, id);
        }
    }
    if (name)
        item->name = (struct text){name, (size_t)(at - name)};
    if (crc == 0 && area >> 16 == AREA_DATA_BLOCK >> 16) {
        item->number = area & 0xffff;
        item->has_number = true;
    }
    return area;
}

static void skip_symbol(struct reader *r)
{
    (void)s7plus_number(r);
    (void)s7plus_number(r);
    for (uint32_t count = s7plus_number(r); count && reader_left(r); count--)
        (void)s7plus_number(r);
}

static void name_attribute(struct dissect *d, struct ot_item *item, uint32_t object, uint32_t id)
{
    char *name = arena_take(d->arena, NAME_SIZE);
    item->area = "attribute";
    item->count = 1;
    if (!name)
        return;
    char *at = put_area(name, object, 0);
    *at++ = '.';
    at = put_number(at, id);
    item->name = (struct text){name, (size_t)(at - name)};
}

/* What a list of addresses names. */
struct addresses {
    struct ot_item *items;
    uint32_t count, total;
    uint32_t object, first; /* object 0: symbols */
    bool is_of_client;      /* symbols of subscriptions and jobs only */
};

static struct addresses read_addresses(struct dissect *d, struct reader *r)
{
    struct addresses a = {.object = reader_u32be(r)};
    a.total = s7plus_number(r);
    (void)s7plus_number(r); /* fields of all addresses */
    if (!reader_ok(r) || a.total > reader_left(r))
        a.total = 0;
    a.count = a.total < ITEMS_MAX ? a.total : ITEMS_MAX;
    a.items = dissect_items(d, &a.count);
    a.is_of_client = a.object == 0 && a.count > 0;
    for (uint32_t i = 0; i < a.total && reader_left(r); i++) {
        if (a.object == 0) {
            if (i < a.count)
                a.is_of_client &= is_of_client(read_symbol(d, r, &a.items[i]));
            else
                skip_symbol(r);
            continue;
        }
        uint32_t id = s7plus_number(r);
        if (i == 0)
            a.first = id;
        if (i < a.count)
            name_attribute(d, &a.items[i], a.object, id);
    }
    return a;
}

/* | number | value |, ... | 0 |: number counts the addresses from 1. */
static void read_values(struct dissect *d, struct reader *r, struct addresses *a,
                        struct s7plus_found *found)
{
    while (reader_left(r)) {
        uint32_t number = s7plus_number(r);
        if (number == 0)
            return;
        struct ot_item *item = number <= a->count ? &a->items[number - 1] : NULL;
        if (!s7plus_value(d, r, item, found, 0)) {
            reader_fail(r);
            return;
        }
    }
}

static void set_items(struct ot_event *event, const struct addresses *a)
{
    event->items = a->items;
    event->item_count = a->count;
    event->items_total = a->total;
}

static struct ot_item *one_item(struct dissect *d, struct ot_event *event)
{
    uint32_t count = 1;
    struct ot_item *item = dissect_items(d, &count);
    event->items_total = 1;
    if (!item)
        return NULL;
    event->items = item;
    event->item_count = 1;
    item->count = 1;
    return item;
}

/* --- facts --- */

/* The facts of an event while they are gathered. */
struct facts {
    struct dissect *d;
    struct ot_event *event;
    struct ot_fact *list;
};

static void add_fact(struct facts *f, enum fact_kind kind, struct text value)
{
    uint32_t room = FACTS_MAX;
    while (value.size && (value.at[value.size - 1] == ' ' || value.at[value.size - 1] == '\0'))
        value.size--;
    if (!value.size || f->event->fact_count == FACTS_MAX)
        return;
    if (!f->list) {
        f->list = dissect_facts(f->d, &room);
        if (room < FACTS_MAX)
            f->list = NULL;
        if (!f->list)
            return;
        f->event->facts = f->list;
    }
    f->list[f->event->fact_count++] = (struct ot_fact){kind, value, false};
}

static struct text part_of(struct text *rest, char end)
{
    const char *at = rest->size ? memchr(rest->at, end, rest->size) : NULL;
    struct text part = {rest->at, at ? (size_t)(at - rest->at) : rest->size};
    size_t used = part.size + (at ? 1 : 0);
    *rest = (struct text){rest->at ? rest->at + used : NULL, rest->size - used};
    return part;
}

/* "1;6ES7 215-1AG40-0XB0 ;V4.3" */
static void version_facts(struct facts *f, struct text version)
{
    (void)part_of(&version, ';');
    add_fact(f, FACT_ORDER_NUMBER, part_of(&version, ';'));
    add_fact(f, FACT_FIRMWARE, part_of(&version, ';'));
}

static bool is_host_name(struct text text)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.at[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
              c == '-' || c == '_' || c == '.'))
            return false;
    }
    return text.size > 0;
}

/* "TIA-PC_2382850": the host and a number of the session */
static void client_facts(struct facts *f, const struct s7plus_found *found)
{
    struct text host = found->host;
    size_t size = host.size;
    while (size && host.at[size - 1] >= '0' && host.at[size - 1] <= '9')
        size--;
    if (size > 1 && size < host.size && host.at[size - 1] == '_')
        host.size = size - 1;
    if (is_host_name(host))
        add_fact(f, FACT_HOST_NAME, host);
    add_fact(f, FACT_SOFTWARE, found->application);
}

/* I&M 0: | 0020 | 0038 | version 2 | vendor 2 | order number 20 | serial 16 | hardware 2 |
 * software: letter 1, 3 numbers | ... | */
static void record_facts(struct facts *f, struct reader r)
{
    if (reader_left(&r) != IM0_SIZE || reader_u16be(&r) != 0x0020 || reader_u16be(&r) != 0x0038)
        return;
    reader_skip(&r, 4);
    struct reader order = reader_take(&r, 20), serial = reader_take(&r, 16);
    unsigned hardware = reader_u16be(&r);
    char letter = (char)reader_u8(&r);
    unsigned a = reader_u8(&r), b = reader_u8(&r), c = reader_u8(&r);
    add_fact(f, FACT_ORDER_NUMBER, (struct text){(const char *)order.at, 20});
    add_fact(f, FACT_SERIAL, (struct text){(const char *)serial.at, 16});
    add_fact(f, FACT_HARDWARE, dissect_text(f->d, "%u", hardware));
    if (letter >= 'A' && letter <= 'Z')
        add_fact(f, FACT_FIRMWARE, dissect_text(f->d, "%c%u.%u.%u", letter, a, b, c));
}

static void mode_fact(struct facts *f, uint32_t state)
{
    if (state == TOLD_STOP)
        add_fact(f, FACT_MODE, TEXT("stop"));
    else if (state == TOLD_RUN)
        add_fact(f, FACT_MODE, TEXT("run"));
}

/* --- sessions --- */

static void session_opened(struct s7plus_state *s, uint32_t id)
{
    s->sessions[s->session_next] = id;
    s->session_next = (uint8_t)((s->session_next + 1) % S7PLUS_SESSIONS);
    if (s->session_count < S7PLUS_SESSIONS)
        s->session_count++;
}

static bool is_session(const struct s7plus_state *s, uint32_t id)
{
    for (size_t i = 0; i < s->session_count; i++)
        if (s->sessions[i] == id)
            return true;
    return false;
}

static void check_session(struct dissect *d, const struct ot_event *event,
                          const struct s7plus_message *m)
{
    const struct s7plus_state *s = d->state;
    if (s->session_count && m->session != S7PLUS_ID_SESSION_NULL && !is_session(s, m->session))
        emit_violation(d, VIOLATION_STATE, "session id is unknown", event->telling,
                       event->telling_size);
}

/* --- transfers --- */

static void set_transfer(struct ot_event *event, enum transfer_step step, enum operation operation,
                         struct text name)
{
    event->transfer.step = step;
    event->transfer.operation = operation;
    event->transfer.key = operation == OP_PROGRAM_DOWNLOAD ? TRANSFER_DOWNLOAD : TRANSFER_UPLOAD;
    event->transfer.name = name;
}

static void set_block(struct ot_event *event, enum operation operation,
                      const struct s7plus_message *m, struct text name)
{
    set_transfer(event, TRANSFER_BLOCK, operation, name);
    event->transfer.bytes = m->body.at;
    event->transfer.size = (size_t)(m->whole.end - m->body.at);
    event->transfer.declared_size = m->total;
}

/* --- requests --- */

static void create_request(struct dissect *d, struct ot_event *event, struct s7plus_message *m,
                           struct s7plus_request *keep)
{
    struct s7plus_state *s = d->state;
    struct s7plus_found found = {0};
    struct reader r = m->body;
    keep->object = reader_u32be(&r);
    if (!s7plus_value(d, &r, NULL, &found, 0))
        return;
    reader_skip(&r, 4);
    if (reader_peek(&r) != S7PLUS_TAG_OBJECT)
        (void)s7plus_number(&r); /* counts messages, in version 3 */
    s7plus_objects(d, &r, &found);
    struct ot_item *item = one_item(d, event);
    if (item) {
        item->area = "object";
        item->name = found.name;
    }
    if (found.class_first == S7PLUS_ID_SESSION) {
        event->operation = OP_SESSION;
        keep->is_session = true;
        client_facts(&(struct facts){d, event, NULL}, &found);
    } else if (found.class_first == S7PLUS_ID_SUBSCRIPTION ||
               found.class_first == S7PLUS_ID_SUBSCRIPTION_CONTAINER ||
               keep->object == m->session || is_of_client(keep->object)) {
        event->operation = OP_SUBSCRIBE; /* subscriptions and jobs of the session */
    } else {
        if (keep->object == S7PLUS_ID_FIRMWARE)
            event->operation = OP_FIRMWARE_UPDATE;
        set_block(event, event->operation, m, found.name);
        s->is_downloading = true;
    }
}

static void delete_request(struct dissect *d, struct ot_event *event, struct s7plus_message *m,
                           struct s7plus_request *keep)
{
    struct s7plus_state *s = d->state;
    struct reader r = m->body;
    keep->object = reader_u32be(&r);
    struct ot_item *item = one_item(d, event);
    if (item) {
        item->area = "object";
        item->start = keep->object;
        item->has_start = true;
    }
    if (keep->object == m->session) {
        event->operation = OP_SESSION;
        keep->is_session = true;
        if (s->is_downloading)
            set_transfer(event, TRANSFER_END, OP_PROGRAM_DOWNLOAD, (struct text){NULL, 0});
        else if (s->is_uploading)
            set_transfer(event, TRANSFER_END, OP_PROGRAM_UPLOAD, (struct text){NULL, 0});
        s->is_downloading = s->is_uploading = s->is_sequence = false;
    } else if (is_of_client(keep->object) || keep->object == S7PLUS_ID_NEW) {
        event->operation = OP_SUBSCRIBE; /* the end of a subscription or job, or of one that the
                                            server did not make */
        event->detail = TEXT("ended");
    }
}

static bool is_secret(uint32_t attribute)
{
    return attribute == S7PLUS_ID_LEGITIMATE || attribute == S7PLUS_ID_CHALLENGE_RESPONSE ||
           (attribute >= S7PLUS_ID_LEGITIMATION_FIRST && attribute <= S7PLUS_ID_LEGITIMATION_LAST);
}

/* A write of one attribute: which it is decides. */
static void attribute_written(struct ot_event *event, struct ot_item *item, uint32_t object,
                              uint32_t attribute, struct reader value)
{
    struct ot_value asked = ot_value_at(&item->values, 0);
    int64_t n = asked.kind == OT_VALUE_SIGNED     ? asked.i
                : asked.kind == OT_VALUE_UNSIGNED ? (int64_t)asked.u
                                                  : -1;
    if (is_secret(attribute)) {
        event->operation = OP_AUTH;
        event->flags |= OT_HAS_CREDENTIAL;
        event->secret = value.at;
        event->secret_size = reader_left(&value);
        item->values = (struct ot_values){0};
    } else if (object == S7PLUS_ID_CPU_EXECUNIT && attribute == S7PLUS_ID_OPERATING_STATE_REQUEST) {
        event->operation = n == STATE_STOP ? OP_STOP : n == STATE_RUN ? OP_START : OP_MODE_CHANGE;
        event->detail = n == STATE_STOP  ? TEXT("stop")
                        : n == STATE_RUN ? TEXT("run")
                                         : event->detail;
    } else if (object == S7PLUS_ID_FIRMWARE) {
        event->operation = OP_FIRMWARE_UPDATE;
    } else if (is_of_client(object)) {
        event->operation = OP_SUBSCRIBE; /* credits of a subscription */
    }
}

/* | object 4 | count | id, value | */
static void set_variable_request(struct dissect *d, struct ot_event *event,
                                 struct s7plus_message *m, struct s7plus_request *keep)
{
    const struct s7plus_state *s = d->state;
    struct s7plus_found found = {0};
    struct reader r = m->body;
    keep->object = reader_u32be(&r);
    (void)s7plus_number(&r);
    keep->attribute = s7plus_number(&r);
    struct ot_item *item = one_item(d, event);
    if (!item)
        return;
    name_attribute(d, item, keep->object, keep->attribute);
    struct reader value = r;
    if (!s7plus_value(d, &r, item, &found, 0) || !reader_ok(&r)) {
        emit_violation(d, VIOLATION_ENCODING, "value is malformed or of an unknown type",
                       event->telling, event->telling_size);
        return;
    }
    value.end = r.at;
    if (is_session(s, keep->object) || keep->object == m->session)
        event->operation = OP_SESSION; /* what the session is like; secrets below */
    attribute_written(event, item, keep->object, keep->attribute, value);
}

/* | object 4 | 20 04 count ids | value | */
static void streamed_request(struct dissect *d, struct ot_event *event, struct s7plus_message *m,
                             struct s7plus_request *keep)
{
    struct s7plus_found found = {0};
    struct reader r = m->body;
    bool is_write = m->function == S7PLUS_SET_STREAMED;
    keep->object = reader_u32be(&r);
    struct reader ids = r;
    reader_skip(&ids, 2);
    uint32_t count = s7plus_number(&ids);
    keep->attribute = count ? s7plus_number(&ids) : 0;
    struct ot_item *item = one_item(d, event);
    if (!item)
        return;
    name_attribute(d, item, keep->object, keep->attribute);
    if (!is_write) {
        bool is_block = keep->object >= AREA_BLOCKS && keep->object < AREA_BLOCKS_END;
        if (is_block && keep->attribute != S7PLUS_ID_NAME)
            event->operation = OP_PROGRAM_UPLOAD;
        return;
    }
    struct reader value = r;
    if (!s7plus_value(d, &value, NULL, &found, 0))
        return;
    r = value;
    if (!s7plus_value(d, &r, item, &found, 0) || !reader_ok(&r))
        return;
    value.end = r.at;
    attribute_written(event, item, keep->object, keep->attribute, value);
}

static void set_multi_request(struct dissect *d, struct ot_event *event, struct s7plus_message *m,
                              struct s7plus_request *keep)
{
    const struct s7plus_state *s = d->state;
    struct s7plus_found found = {0};
    struct reader r = m->body;
    struct addresses a = read_addresses(d, &r);
    struct reader values = r;
    read_values(d, &r, &a, &found);
    set_items(event, &a);
    keep->object = a.object;
    keep->attribute = a.first;
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_ENCODING, "value is malformed or of an unknown type",
                       event->telling, event->telling_size);
        return;
    }
    if (a.object && (a.object == m->session || is_session(s, a.object)))
        event->operation = OP_SESSION; /* the session is set up with it */
    else if ((a.object && is_of_client(a.object)) || a.is_of_client)
        event->operation = OP_SUBSCRIBE;
    if (a.count == 1 && a.object) {
        values.end = r.at;
        attribute_written(event, a.items, a.object, a.first, values);
    }
}

static void object_request(struct dissect *d, struct ot_event *event, struct s7plus_message *m,
                           struct s7plus_request *keep)
{
    struct reader r = m->body;
    keep->object = reader_u32be(&r);
    struct ot_item *item = one_item(d, event);
    if (!item)
        return;
    item->area = "object";
    item->start = keep->object;
    item->has_start = true;
}

static void keep_addresses(struct s7plus_request *keep, const struct s7plus_message *m)
{
    size_t size = reader_left(&m->body);
    keep->size = (uint16_t)(size < sizeof keep->body ? size : sizeof keep->body);
    if (size)
        memcpy(keep->body, m->body.at, keep->size);
}

void s7plus_request_said(struct dissect *d, struct ot_event *event, struct s7plus_message *m)
{
    struct s7plus_state *s = d->state;
    const struct row *row = row_of(m->function);
    event->operation = row ? row->operation : OP_UNKNOWN;
    bool was_in_flight;
    struct s7plus_request *keep = dissect_remember(d, m->sequence, sizeof *keep, &was_in_flight);
    keep->function = m->function;
    check_session(d, event, m);
    struct reader r = m->body;
    struct addresses a;
    switch (m->function) {
    case S7PLUS_CREATE_OBJECT:
        create_request(d, event, m, keep);
        break;
    case S7PLUS_DELETE_OBJECT:
        delete_request(d, event, m, keep);
        break;
    case S7PLUS_SET_VARIABLE:
        set_variable_request(d, event, m, keep);
        break;
    case S7PLUS_GET_STREAMED:
    case S7PLUS_SET_STREAMED:
        streamed_request(d, event, m, keep);
        break;
    case S7PLUS_SET_MULTI:
        set_multi_request(d, event, m, keep);
        break;
    case S7PLUS_GET_MULTI:
        a = read_addresses(d, &r);
        set_items(event, &a);
        keep->object = a.object;
        keep_addresses(keep, m);
        break;
    case S7PLUS_BEGIN_SEQUENCE:
        set_transfer(event, TRANSFER_BEGIN, OP_PROGRAM_DOWNLOAD, (struct text){NULL, 0});
        s->is_sequence = s->is_downloading = true;
        break;
    case S7PLUS_END_SEQUENCE:
        set_transfer(event, TRANSFER_END, OP_PROGRAM_DOWNLOAD, (struct text){NULL, 0});
        s->is_sequence = s->is_downloading = false;
        break;
    case S7PLUS_EXPLORE:
    case S7PLUS_GET_VARIABLE:
    case S7PLUS_ADD_LINK:
    case S7PLUS_REMOVE_LINK:
    case S7PLUS_GET_LINK:
    case S7PLUS_INVOKE:
    case S7PLUS_GET_ADDRESSES:
        object_request(d, event, m, keep);
        break;
    default:
        break;
    }
    keep->operation = (uint8_t)event->operation;
}

/* --- responses --- */

/* The low 16 bits are the error, negative ones are failures. */
static void set_status(struct ot_event *event, uint64_t value)
{
    static const struct {
        int16_t code;
        const char *name;
    } names[] = {
        {17,   "session_pre_legitimated"       },
        {19,   "executed_with_partial_error"   },
        {22,   "session_delegitimated"         },
        {-12,  "object_not_found"              },
        {-17,  "invalid_crc"                   },
        {-134, "service_multi_es_not_supported"},
        {-255, "invalid_lid"                   },
    };
    int16_t code = (int16_t)(value & ERROR_PART);
    event->status.result = code < 0 ? OT_RESULT_ERROR : OT_RESULT_OK;
    if (code == 0)
        return;
    event->status.code = (uint32_t)(value & ERROR_PART);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].code == code)
            event->status.name = names[i].name;
}

static void create_response(struct dissect *d, struct ot_event *event, struct reader r,
                            const struct s7plus_request *request)
{
    struct s7plus_found found = {0};
    unsigned count = reader_u8(&r);
    for (unsigned i = 0; i < count && reader_left(&r); i++) {
        uint32_t id = s7plus_number(&r);
        if (request && request->is_session)
            session_opened(d->state, id);
    }
    s7plus_objects(d, &r, &found);
    if (found.version.size)
        version_facts(&(struct facts){d, event, NULL}, found.version);
}

static void get_multi_response(struct dissect *d, struct ot_event *event, struct reader r,
                               const struct s7plus_request *request)
{
    struct s7plus_found found = {0};
    struct addresses a = {0};
    if (request) {
        struct reader asked = reader_of(request->body, request->size);
        a = read_addresses(d, &asked);
    }
    read_values(d, &r, &a, &found);
    while (reader_left(&r)) { /* errors */
        uint32_t number = s7plus_number(&r);
        if (number == 0)
            break;
        uint64_t error = s7plus_long(&r);
        if (number <= a.count) {
            a.items[number - 1].status.result = OT_RESULT_ERROR;
            a.items[number - 1].status.code = (uint32_t)(error & ERROR_PART);
        }
    }
    set_items(event, &a);
    if (found.has_operating_state)
        mode_fact(&(struct facts){d, event, NULL}, found.operating_state);
}

static void streamed_response(struct dissect *d, struct ot_event *event, struct s7plus_message *m,
                              struct reader r, const struct s7plus_request *request)
{
    struct s7plus_state *s = d->state;
    struct s7plus_found found = {0};
    struct facts facts = {d, event, NULL};
    struct ot_item *item = one_item(d, event);
    if (item && request)
        name_attribute(d, item, request->object, request->attribute);
    reader_skip(&r, 1); /* always 0 */
    if (!s7plus_value(d, &r, item, &found, 0))
        return;
    if (found.has_operating_state)
        mode_fact(&facts, found.operating_state);
    if (found.blob.at)
        record_facts(&facts, found.blob);
    if (!request)
        return;
    if (item && request->attribute == S7PLUS_ID_PROTECTION) {
        struct ot_value level = ot_value_at(&item->values, 0);
        if (level.kind == OT_VALUE_UNSIGNED)
            add_fact(&facts, FACT_PROTECTION, dissect_text(d, "level %u", (unsigned)level.u));
    }
    if (request->operation == OP_PROGRAM_UPLOAD) {
        set_block(event, OP_PROGRAM_UPLOAD, m, (struct text){NULL, 0});
        s->is_uploading = true;
    }
}

static void explore_response(struct dissect *d, struct ot_event *event, struct s7plus_message *m,
                             struct reader r)
{
    struct s7plus_state *s = d->state;
    struct s7plus_found found = {0};
    reader_skip(&r, 4); /* the object asked for */
    s7plus_objects(d, &r, &found);
    if (found.blob_greatest < BLOB_OF_BLOCK)
        return;
    event->operation = OP_PROGRAM_UPLOAD;
    set_block(event, OP_PROGRAM_UPLOAD, m, found.name);
    s->is_uploading = true;
}

void s7plus_response_said(struct dissect *d, struct ot_event *event, struct s7plus_message *m,
                          const struct s7plus_request *request)
{
    const struct row *row = row_of(m->function);
    event->operation = request ? (enum operation)request->operation
                       : row   ? row->operation
                               : OP_UNKNOWN;
    struct reader r = m->body;
    uint64_t value = s7plus_long(&r);
    if (!reader_ok(&r))
        return;
    set_status(event, value);
    if (event->status.result == OT_RESULT_ERROR)
        return;
    switch (m->function) {
    case S7PLUS_CREATE_OBJECT:
        create_response(d, event, r, request);
        break;
    case S7PLUS_DELETE_OBJECT:
        if (!request)
            event->operation = OP_SESSION;
        break;
    case S7PLUS_GET_MULTI:
        get_multi_response(d, event, r, request);
        break;
    case S7PLUS_GET_STREAMED:
        streamed_response(d, event, m, r, request);
        break;
    case S7PLUS_EXPLORE:
        explore_response(d, event, m, r);
        break;
    default:
        break;
    }
}

/* --- notifications --- */

/* | subscription 4 | ? 2 | ? 2 | ? 2 | credit 1 | number | change counter 1 | | 92 | item 4 |
 * value |, ... */
void s7plus_notification_said(struct dissect *d, struct ot_event *event, struct s7plus_message *m)
{
    enum { ITEM_GOOD = 0x92 };
    struct s7plus_found found = {0};
    struct reader r = m->body;
    event->operation = OP_PUBLISH;
    event->flags |= OT_UNSOLICITED;
    uint32_t subscription = reader_u32be(&r);
    reader_skip(&r, 6 + 1);
    (void)s7plus_number(&r);
    reader_skip(&r, 1);
    uint32_t count = ITEMS_MAX, used = 0;
    struct ot_item *items = NULL;
    while (reader_left(&r) > 5 && reader_u8(&r) == ITEM_GOOD) {
        uint32_t reference = reader_u32be(&r);
        if (!items && !(items = dissect_items(d, &count)))
            return;
        if (used == count)
            break;
        struct ot_item *item = &items[used];
        item->area = "subscription";
        item->number = subscription;
        item->has_number = item->has_start = true;
        item->start = reference;
        if (!s7plus_value(d, &r, item, &found, 0))
            break;
        item->count = 1;
        used++;
    }
    event->items = items;
    event->item_count = event->items_total = used;
}
