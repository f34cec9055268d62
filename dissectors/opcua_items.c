/* opcua_items.c: what the services of OPC UA touch: nodes, values, methods, subscriptions.
 *
 * Spec: [4] OPC 10000-4 Services, [5] OPC 10000-5 C: files
 *
 * The response names no nodes: its results stand in the order of the request, whose items are kept
 * under the request id, in as many pieces as they need. */
#include "opcua_message.h"
#include "opcua_monitored.h"
#include "value_list.h"

#include <strings.h>

enum {
    PIECES_MAX = 8, /* of a remembered request: about 100 nodes */
    NAME_MAX = 200, /* remembered of a node's name */
    HANDLE_SIZE = 4,
};

/* --- items and what is remembered of them --- */

void ua_items(struct ua_message *m, uint32_t total)
{
    uint32_t count = total < UA_ITEMS_MAX ? total : UA_ITEMS_MAX;
    m->items = dissect_items(m->d, &count);
    m->event.items = m->items;
    m->event.items_total = total;
    m->event.item_count = count;
}

/* Only as many items as could be read. */
static void end_items(struct ua_message *m, uint32_t read)
{
    if (read && !m->items[read - 1].name.size && !m->items[read - 1].has_number)
        read--;
    if (read < m->event.item_count)
        m->event.item_count = read;
}

struct piece {
    uint8_t *at;
    size_t size;
};

struct piece_header {
    uint16_t service;
    uint16_t item_count; /* in this piece */
    uint32_t items_total;
    uint32_t subscription;
    bool has_next;
};

struct item_header {
    const char *area;
    uint32_t number;
    uint8_t operation;
    uint8_t name_size;
    bool has_number;
};

static uint64_t piece_key(uint32_t request_id, unsigned piece)
{
    return (uint64_t)piece << 32 | request_id;
}

static size_t kept_size(const struct ot_item *item)
{
    return sizeof(struct item_header) + (item->name.size < NAME_MAX ? item->name.size : NAME_MAX);
}

static uint8_t *keep_item(uint8_t *out, const struct ot_item *item)
{
    struct item_header header = {
        .area = item->area,
        .number = item->number,
        .operation = (uint8_t)item->operation,
        .name_size = (uint8_t)(item->name.size < NAME_MAX ? item->name.size : NAME_MAX),
        .has_number = item->has_number,
    };
    memcpy(out, &header, sizeof header);
    out += sizeof header;
    if (header.name_size)
        memcpy(out, item->name.at, header.name_size);
    return out + header.name_size;
}

void ua_remember(struct ua_message *m)
{
    uint32_t next = 0, count = m->event.item_count;
    unsigned piece = 0;
    do {
        struct piece_header header = {.service = m->service->request,
                                      .items_total = m->event.items_total,
                                      .subscription = m->subscription};
        size_t size = sizeof header;
        uint32_t end = next;
        while (end < count && size + kept_size(&m->items[end]) <= REMEMBER_MAX)
            size += kept_size(&m->items[end++]);
        header.item_count = (uint16_t)(end - next);
        header.has_next = end < count && piece + 1 < PIECES_MAX;
        uint8_t *out = dissect_remember(m->d, piece_key(m->request_id, piece), size, NULL);
        memcpy(out, &header, sizeof header);
        out += sizeof header;
        for (; next < end; next++)
            out = keep_item(out, &m->items[next]);
        if (!header.has_next)
            return;
        piece++;
    } while (true);
}

static const uint8_t *kept_item(const uint8_t *in, struct ot_item *item)
{
    struct item_header header;
    memcpy(&header, in, sizeof header);
    in += sizeof header;
    item->area = header.area;
    item->number = header.number;
    item->has_number = header.has_number;
    item->operation = (enum operation)header.operation;
    item->name = (struct text){header.name_size ? (const char *)in : NULL, header.name_size};
    return in + header.name_size;
}

const struct ua_service *ua_recall(struct ua_message *m)
{
    const uint8_t *pieces[PIECES_MAX];
    struct piece_header headers[PIECES_MAX];
    unsigned count = 0;
    uint32_t items = 0;
    bool has_next = true;
    for (; has_next && count < PIECES_MAX; count++) {
        size_t size;
        pieces[count] = dissect_recall(m->d, piece_key(m->request_id, count), &size);
        if (!pieces[count])
            break;
        memcpy(&headers[count], pieces[count], sizeof headers[count]);
        has_next = headers[count].has_next;
        items += headers[count].item_count;
    }
    if (count == 0)
        return NULL;
    ua_items(m, items);
    m->event.items_total = headers[0].items_total;
    m->subscription = headers[0].subscription;
    enum operation gravest = OP_UNKNOWN;
    uint32_t next = 0;
    for (unsigned i = 0; i < count; i++) {
        const uint8_t *in = pieces[i] + sizeof headers[i];
        for (uint16_t k = 0; k < headers[i].item_count && next < m->event.item_count; k++) {
            struct ot_item *item = &m->items[next++];
            in = kept_item(in, item);
            if (item->operation > gravest)
                gravest = item->operation;
        }
    }
    if (gravest != OP_UNKNOWN)
        m->event.operation = gravest;
    return ua_service_of(headers[0].service);
}

/* --- requests --- */

/* ReadValueId and its relatives: | node | attribute 4 | index range | data encoding | */
static void read_value_id(struct ua_message *m, struct ot_item *item, bool has_encoding)
{
    struct ua *u = &m->ua;
    struct ua_node_id node = ua_node_id(u);
    uint32_t attribute = reader_u32le(&u->r);
    struct text range = ua_string(u);
    if (has_encoding)
        ua_qualified_name(u);
    if (!reader_ok(&u->r))
        return;
    item->area = ua_attribute_name(attribute);
    item->name = ua_node_text(u, &node, range);
}

/* [4] 5.11.2: | max age 8 | timestamps 4 | ReadValueId[] | */
static void read_request(struct ua_message *m)
{
    reader_skip(&m->ua.r, 12);
    ua_items(m, ua_count(&m->ua, 16));
    uint32_t i = 0;
    for (; i < m->event.item_count && reader_ok(&m->ua.r); i++)
        read_value_id(m, &m->items[i], true);
    end_items(m, i);
}

/* [4] 5.11.4: (| node | attribute 4 | index range | DataValue |)[] */
static void write_request(struct ua_message *m)
{
    ua_items(m, ua_count(&m->ua, 11));
    uint32_t i = 0;
    for (; i < m->event.item_count && reader_ok(&m->ua.r); i++) {
        read_value_id(m, &m->items[i], false);
        ua_data_value(&m->ua, &m->items[i], NULL);
        m->items[i].status = (struct ot_status){OT_RESULT_NONE, 0, NULL}; /* it is written, too */
    }
    end_items(m, i);
}

/* [4] 5.12.2: | subscription 4 | timestamps 4 | (| ReadValueId | mode 4 | handle 4 | interval 8 |
 * filter | queue 4 | discard 1 |)[] | */
static void monitored_items_request(struct ua_message *m)
{
    m->subscription = reader_u32le(&m->ua.r);
    reader_skip(&m->ua.r, 4);
    ua_items(m, ua_count(&m->ua, 40));
    uint32_t i = 0;
    for (; i < m->event.item_count && reader_ok(&m->ua.r); i++) {
        read_value_id(m, &m->items[i], true);
        reader_skip(&m->ua.r, 4);
        m->items[i].number = reader_u32le(&m->ua.r);
        m->items[i].has_number = false; /* a handle of the client, new with each session */
        reader_skip(&m->ua.r, 8);
        ua_extension_object(&m->ua);
        reader_skip(&m->ua.r, 5);
    }
    end_items(m, i);
}

static void put_node(struct ua_message *m, struct ot_item *item, struct ua_node_id node)
{
    item->area = "node";
    if (reader_ok(&m->ua.r))
        item->name = ua_node_text(&m->ua, &node, (struct text){NULL, 0});
}

/* [4] 5.9.2: | view: node, time 8, version 4 | most references 4 | (| node | direction 4 | type |
 * subtypes 1 | classes 4 | results 4 |)[] | */
static void browse_request(struct ua_message *m)
{
    struct ua *u = &m->ua;
    ua_node_id(u);
    reader_skip(&u->r, 16);
    ua_items(m, ua_count(u, 17));
    uint32_t i = 0;
    for (; i < m->event.item_count && reader_ok(&u->r); i++) {
        put_node(m, &m->items[i], ua_node_id(u));
        reader_skip(&u->r, 4);
        ua_node_id(u);
        reader_skip(&u->r, 9);
    }
    end_items(m, i);
}

/* What follows a node in arrays of nodes. */
static void after_translated(struct ua *u)
{
    uint32_t count = ua_count(u, 10);
    for (uint32_t i = 0; i < count && reader_ok(&u->r); i++) {
        ua_node_id(u);
        reader_skip(&u->r, 2);
        ua_qualified_name(u);
    }
}

static void after_added_reference(struct ua *u)
{
    ua_node_id(u);
    reader_skip(&u->r, 1);
    ua_string(u);
    ua_expanded_node_id(u);
    reader_skip(&u->r, 4);
}

static void after_deleted_node(struct ua *u)
{
    reader_skip(&u->r, 1);
}

static void after_deleted_reference(struct ua *u)
{
    ua_node_id(u);
    reader_skip(&u->r, 1);
    ua_expanded_node_id(u);
    reader_skip(&u->r, 1);
}

static void nodes_request(struct ua_message *m, size_t least, void (*after)(struct ua *u))
{
    struct ua *u = &m->ua;
    ua_items(m, ua_count(u, least));
    uint32_t i = 0;
    for (; i < m->event.item_count && reader_ok(&u->r); i++) {
        put_node(m, &m->items[i], ua_node_id(u));
        if (after)
            after(u);
    }
    end_items(m, i);
}

static void register_nodes_request(struct ua_message *m)
{
    nodes_request(m, 2, NULL);
}

static void translate_request(struct ua_message *m)
{
    nodes_request(m, 6, after_translated);
}

static void add_references_request(struct ua_message *m)
{
    nodes_request(m, 15, after_added_reference);
}

static void delete_nodes_request(struct ua_message *m)
{
    nodes_request(m, 3, after_deleted_node);
}

static void delete_references_request(struct ua_message *m)
{
    nodes_request(m, 8, after_deleted_reference);
}

/* [4] 5.8.2: (| parent | reference type | new node | browse name | class 4 | attributes | type |)[]
 */
static void add_nodes_request(struct ua_message *m)
{
    struct ua *u = &m->ua;
    ua_items(m, ua_count(u, 21));
    uint32_t i = 0;
    for (; i < m->event.item_count && reader_ok(&u->r); i++) {
        ua_expanded_node_id(u);
        ua_node_id(u);
        struct ua_node_id node = ua_expanded_node_id(u);
        struct text name = ua_qualified_name(u);
        reader_skip(&u->r, 4);
        ua_extension_object(u);
        ua_expanded_node_id(u);
        put_node(m, &m->items[i], node);
        bool is_servers_choice = node.kind == UA_ID_NUMERIC && node.number == 0;
        if (is_servers_choice && name.size)
            m->items[i].name = name;
    }
    end_items(m, i);
}

/* [4] 5.11.3: | details | timestamps 4 | release 1 | (| node | range | encoding | point |)[] | */
static void history_read_request(struct ua_message *m)
{
    struct ua *u = &m->ua;
    ua_extension_object(u);
    reader_skip(&u->r, 5);
    ua_items(m, ua_count(u, 16));
    uint32_t i = 0;
    for (; i < m->event.item_count && reader_ok(&u->r); i++) {
        struct ua_node_id node = ua_node_id(u);
        struct text range = ua_string(u);
        ua_qualified_name(u);
        ua_string(u);
        m->items[i].area = "history";
        if (reader_ok(&u->r))
            m->items[i].name = ua_node_text(u, &node, range);
    }
    end_items(m, i);
}

/* [4] 5.11.5: details[], each of which begins with its node */
static void history_update_request(struct ua_message *m)
{
    struct ua *u = &m->ua;
    ua_items(m, ua_count(u, 3));
    uint32_t i = 0;
    for (; i < m->event.item_count && reader_ok(&u->r); i++) {
        struct ua_object details = ua_extension_object(u);
        struct ua inner = {.d = m->d, .r = details.body};
        struct ua_node_id node = ua_node_id(&inner);
        m->items[i].area = "history";
        if (reader_ok(&inner.r))
            m->items[i].name = ua_node_text(u, &node, (struct text){NULL, 0});
    }
    end_items(m, i);
}

/* | ids of subscriptions 4[] | */
static void subscriptions_request(struct ua_message *m)
{
    struct ua *u = &m->ua;
    if (m->service->request == UA_SET_PUBLISHING_MODE)
        m->event.detail = reader_u8(&u->r) ? TEXT("enable") : TEXT("disable");
    ua_items(m, ua_count(u, 4));
    for (uint32_t i = 0; i < m->event.item_count; i++) {
        m->items[i].area = "subscription";
        m->items[i].number = reader_u32le(&u->r);
        m->items[i].has_number = true;
    }
}

/* --- methods --- */

static const char vendors_method[] = "method";

struct call {
    const struct ua_method *method; /* NULL: the server's own */
    struct text object;
    struct ot_item arguments[2]; /* the first ones */
    uint32_t count;
};

static uint32_t number_of(const struct ot_item *argument)
{
    struct ot_value value = ot_value_at(&argument->values, 0);
    return value.kind == OT_VALUE_UNSIGNED ? (uint32_t)value.u : 0;
}

/* [5] C.2: a file is opened, written in pieces under a handle, and closed. */
static void file_step(struct ua_message *m, const struct call *c, struct ot_item *item)
{
    enum { OPEN = 11580, CLOSE = 11583, WRITE = 11588, MODE_WRITES = 0x02 | 0x04 | 0x08 };
    enum transfer_step step = TRANSFER_NONE;
    if (c->method->id == OPEN && number_of(&c->arguments[0]) & MODE_WRITES)
        item->operation = OP_FILE_WRITE;
    if (c->method->id == WRITE && c->count == 2 && c->arguments[1].values.size)
        step = TRANSFER_BLOCK;
    if (c->method->id == CLOSE)
        step = TRANSFER_END;
    if (step == TRANSFER_NONE)
        return;
    m->event.transfer = (struct ot_transfer){
        .step = step,
        .operation = OP_FILE_WRITE,
        .key = number_of(&c->arguments[0]),
        .name = c->object,
    };
    if (step == TRANSFER_BLOCK) {
        m->event.transfer.bytes = c->arguments[1].values.bytes;
        m->event.transfer.size = c->arguments[1].values.size;
    }
}

/* Methods of vendors whose name tells that a secret goes with them. */
static bool has_secret(struct text method)
{
    static const char *const words[] = {"passw", "login", "logon", "credential", "authent"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t size = strlen(words[i]);
        for (size_t at = 0; at + size <= method.size; at++)
            if (strncasecmp(method.at + at, words[i], size) == 0)
                return true;
    }
    return false;
}

/* Those of vendors have values that are written or read; of the standard ones contents of files,
 * users, keys and certificates are not told. */
static bool is_told(const struct ot_item *item)
{
    bool is_vendors = item->area && strcmp(item->area, vendors_method) == 0;
    if (is_vendors)
        return !has_secret(item->name);
    return item->operation == OP_ALARM || item->operation == OP_START ||
           item->operation == OP_STOP || item->operation == OP_RESTART ||
           item->operation == OP_SUBSCRIBE || item->operation == OP_DIAGNOSTICS;
}

/* The next variants are the values of an item. */
static void put_variants(struct ua_message *m, struct ot_item *item, struct ua *u, uint32_t count)
{
    struct value_list list;
    list.count = 0;
    for (uint32_t k = 0; k < count && reader_ok(&u->r); k++) {
        struct ot_item one = {0};
        ua_variant(u, &one, NULL);
        if (count == 1) {
            item->values = one.values;
            item->further = one.further;
            item->further_size = one.further_size;
            item->type = one.type;
            return;
        }
        value_list_add_each(&list, &one);
    }
    value_list_put(m->d, &list, item);
}

static void read_arguments(struct ua_message *m, struct call *c, struct ot_item *item)
{
    struct ua *u = &m->ua;
    c->count = ua_count(u, 1);
    const uint8_t *begin = u->r.at;
    struct ua first = *u; /* is read once more for the values */
    for (uint32_t i = 0; i < c->count && reader_ok(&u->r); i++) {
        struct ot_item unused = {0};
        ua_variant(u, i < 2 ? &c->arguments[i] : &unused, NULL);
    }
    if (!reader_ok(&u->r))
        return;
    if (is_told(item)) {
        put_variants(m, item, &first, c->count);
    } else if (!c->method && c->count) {
        m->event.flags |= OT_HAS_CREDENTIAL;
        m->event.secret = begin;
        m->event.secret_size = (size_t)(u->r.at - begin);
    }
}

/* [4] 5.11.6: (| object | method | arguments: Variant[] |)[] */
static void call_request(struct ua_message *m)
{
    struct ua *u = &m->ua;
    uint32_t total = ua_count(u, 8);
    ua_items(m, total);
    enum operation gravest = OP_UNKNOWN;
    uint32_t i = 0;
    for (; i < m->event.item_count && reader_ok(&u->r); i++) {
        struct ot_item *item = &m->items[i];
        struct ua_node_id object = ua_node_id(u), method = ua_node_id(u);
        struct call c = {.method = ua_method_of(&method)};
        if (reader_ok(&u->r)) {
            c.object = ua_node_text(u, &object, (struct text){NULL, 0});
            item->area = c.method ? c.method->name : vendors_method;
            item->name = c.method ? c.object : ua_node_text(u, &method, (struct text){NULL, 0});
            item->operation = c.method ? c.method->operation : OP_CONTROL;
        }
        read_arguments(m, &c, item);
        if (c.method) {
            file_step(m, &c, item);
            m->event.detail = text_of(c.method->name);
        }
        if (item->operation > gravest)
            gravest = item->operation;
    }
    end_items(m, i);
    if (gravest != OP_UNKNOWN)
        m->event.operation = gravest;
}

/* A file that was opened for writing: its handle is the first output. */
static void file_opened(struct ua_message *m, const struct ot_item *item,
                        const struct ot_item *output)
{
    if (!item->area || strcmp(item->area, "file_open") != 0 || item->operation != OP_FILE_WRITE ||
        item->status.result == OT_RESULT_ERROR)
        return;
    m->event.transfer = (struct ot_transfer){
        .step = TRANSFER_BEGIN,
        .operation = OP_FILE_WRITE,
        .key = number_of(output),
        .name = item->name,
    };
}

/* (| status 4 | argument statuses 4[] | diagnostics[] | outputs: Variant[] |)[] */
static void call_response(struct ua_message *m)
{
    struct ua *u = &m->ua;
    uint32_t count = ua_count(u, 16);
    for (uint32_t i = 0; i < count && i < m->event.item_count && reader_ok(&u->r); i++) {
        struct ot_item output = {0};
        uint32_t status = reader_u32le(&u->r);
        reader_skip(&u->r, (size_t)4 * ua_count(u, 4));
        uint32_t diagnostics = ua_count(u, 1);
        for (uint32_t k = 0; k < diagnostics && reader_ok(&u->r); k++)
            ua_diagnostic_info(u);
        uint32_t outputs = ua_count(u, 1);
        struct ua first = *u;
        for (uint32_t k = 0; k < outputs && reader_ok(&u->r); k++) {
            struct ot_item other = {0};
            ua_variant(u, k ? &other : &output, NULL);
        }
        m->items[i].status = ua_status(status);
        if (reader_ok(&u->r) && is_told(&m->items[i]))
            put_variants(m, &m->items[i], &first, outputs);
        file_opened(m, &m->items[i], &output);
    }
}

/* --- responses --- */

/* DataValue[] */
static void read_response(struct ua_message *m)
{
    struct ua *u = &m->ua;
    uint32_t count = ua_count(u, 1);
    for (uint32_t i = 0; i < count && i < m->event.item_count && reader_ok(&u->r); i++) {
        struct ua_object object = {0};
        ua_data_value(u, &m->items[i], &object);
        if (m->items[i].status.result == OT_RESULT_NONE)
            m->items[i].status.result = OT_RESULT_OK;
        if (reader_ok(&u->r))
            ua_identity_of_value(m, &m->items[i], &object);
    }
}

/* Status and what follows it in each result. */
static void statuses(struct ua_message *m, size_t least, void (*after)(struct ua *u))
{
    struct ua *u = &m->ua;
    uint32_t count = ua_count(u, least);
    for (uint32_t i = 0; i < count && i < m->event.item_count && reader_ok(&u->r); i++) {
        uint32_t status = reader_u32le(&u->r);
        if (after)
            after(u);
        if (reader_ok(&u->r))
            m->items[i].status = ua_status(status);
    }
}

static void statuses_response(struct ua_message *m)
{
    statuses(m, 4, NULL);
}

static void after_added_node(struct ua *u)
{
    ua_node_id(u);
}

static void add_nodes_response(struct ua_message *m)
{
    statuses(m, 6, after_added_node);
}

static void after_monitored_item(struct ua *u)
{
    reader_skip(&u->r, 16);
    ua_extension_object(u);
}

static void monitored_items_response(struct ua_message *m)
{
    statuses(m, 23, after_monitored_item);
    for (uint32_t i = 0; i < m->event.item_count; i++) {
        const struct ot_item *item = &m->items[i];
        if (item->status.result == OT_RESULT_OK &&
            item->area == ua_attribute_name(UA_ATTRIBUTE_VALUE))
            ua_monitored_learn(m->d, m->subscription, item->number, item->name);
    }
}

static void after_history(struct ua *u)
{
    ua_string(u);
    ua_extension_object(u);
}

static void after_history_update(struct ua *u)
{
    reader_skip(&u->r, (size_t)4 * ua_count(u, 4));
    uint32_t diagnostics = ua_count(u, 1);
    for (uint32_t i = 0; i < diagnostics && reader_ok(&u->r); i++)
        ua_diagnostic_info(u);
}

static void history_update_response(struct ua_message *m)
{
    statuses(m, 12, after_history_update);
}

static void history_read_response(struct ua_message *m)
{
    statuses(m, 11, after_history);
}

static void add_text(struct value_list *list, struct text text)
{
    struct ot_values value = {VALUES_TEXT, text.size > 0, (const uint8_t *)text.at, text.size};
    value_list_add(list, &value);
}

/* (| status 4 | continuation point | references[] |)[]; the values of a node are the names of what
 * it refers to */
static void browse_response(struct ua_message *m)
{
    struct ua *u = &m->ua;
    uint32_t count = ua_count(u, 12);
    for (uint32_t i = 0; i < count && i < m->event.item_count && reader_ok(&u->r); i++) {
        uint32_t status = reader_u32le(&u->r);
        ua_string(u);
        uint32_t references = ua_count(u, 18);
        struct value_list names;
        names.count = 0;
        for (uint32_t k = 0; k < references && reader_ok(&u->r); k++) {
            ua_node_id(u);
            reader_skip(&u->r, 1);
            ua_expanded_node_id(u);
            add_text(&names, ua_qualified_name(u));
            ua_localized_text(u);
            reader_skip(&u->r, 4);
            ua_expanded_node_id(u);
        }
        value_list_put(m->d, &names, &m->items[i]);
        m->items[i].status = ua_status(status);
        m->items[i].count = references;
    }
}

/* --- notifications --- */

/* MonitoredItemNotification: | handle 4 | DataValue | */
static void data_changes(struct ua_message *m, struct ua *u, uint32_t subscription)
{
    uint32_t count = ua_count(u, HANDLE_SIZE + 1);
    ua_items(m, count);
    uint32_t i = 0;
    for (; i < m->event.item_count && reader_ok(&u->r); i++) {
        uint32_t handle = reader_u32le(&u->r);
        struct ot_item *item = &m->items[i];
        item->name = ua_monitored_name(m->d, subscription, handle);
        item->area = item->name.size ? ua_attribute_name(UA_ATTRIBUTE_VALUE) : "monitored_item";
        item->has_number = !item->name.size;
        item->number = item->has_number ? handle : 0;
        ua_data_value(u, item, NULL);
    }
    end_items(m, i);
}

/* EventFieldList: | handle 4 | Variant[] | */
static void events(struct ua_message *m, struct ua *u)
{
    uint32_t count = ua_count(u, HANDLE_SIZE + 4);
    ua_items(m, count);
    uint32_t i = 0;
    for (; i < m->event.item_count && reader_ok(&u->r); i++) {
        m->items[i].area = "event";
        m->items[i].number = reader_u32le(&u->r);
        m->items[i].has_number = true;
        uint32_t fields = ua_count(u, 1);
        put_variants(m, &m->items[i], u, fields);
    }
    end_items(m, i);
}

/* | number 4 | time 8 | notifications: ExtensionObject[] | */
static void notifications(struct ua_message *m, uint32_t subscription)
{
    enum { DATA_CHANGE = 811, EVENT_LIST = 916 }; /* [6] A.3 */
    struct ua *u = &m->ua;
    reader_skip(&u->r, 12);
    uint32_t count = ua_count(u, 3);
    for (uint32_t i = 0; i < count && reader_ok(&u->r); i++) {
        struct ua_object object = ua_extension_object(u);
        struct ua inner = {.d = m->d, .r = object.body};
        if (m->event.item_count > 0)
            break; /* the first kind stands for the message */
        if (ua_is_standard(&object.type, DATA_CHANGE))
            data_changes(m, &inner, subscription);
        else if (ua_is_standard(&object.type, EVENT_LIST))
            events(m, &inner);
        if (inner.wrong)
            ua_fail(u, inner.wrong_kind, inner.wrong);
    }
}

/* [4] 5.14.5: | subscription 4 | available 4[] | more 1 | message | */
static void publish_response(struct ua_message *m)
{
    struct ua *u = &m->ua;
    uint32_t subscription = reader_u32le(&u->r);
    reader_skip(&u->r, (size_t)4 * ua_count(u, 4));
    reader_skip(&u->r, 1);
    notifications(m, subscription);
}

/* [4] 5.14.6: | subscription 4 | number 4 | */
static void republish_request(struct ua_message *m)
{
    m->subscription = reader_u32le(&m->ua.r);
}

static void republish_response(struct ua_message *m)
{
    notifications(m, m->subscription);
}

/* --- which service has what --- */

static const struct parser {
    enum ua_service_id service;
    void (*request)(struct ua_message *m);
    void (*response)(struct ua_message *m);
} parsers[] = {
    {UA_READ,                   read_request,              read_response           },
    {UA_WRITE,                  write_request,             statuses_response       },
    {UA_PUBLISH,                NULL,                      publish_response        },
    {UA_CALL,                   call_request,              call_response           },
    {UA_BROWSE,                 browse_request,            browse_response         },
    {UA_CREATE_MONITORED_ITEMS, monitored_items_request,   monitored_items_response},
    {UA_REPUBLISH,              republish_request,         republish_response      },
    {UA_HISTORY_READ,           history_read_request,      history_read_response   },
    {UA_HISTORY_UPDATE,         history_update_request,    history_update_response },
    {UA_TRANSLATE_BROWSE_PATHS, translate_request,         NULL                    },
    {UA_REGISTER_NODES,         register_nodes_request,    NULL                    },
    {UA_UNREGISTER_NODES,       register_nodes_request,    NULL                    },
    {UA_ADD_NODES,              add_nodes_request,         add_nodes_response      },
    {UA_ADD_REFERENCES,         add_references_request,    statuses_response       },
    {UA_DELETE_NODES,           delete_nodes_request,      statuses_response       },
    {UA_DELETE_REFERENCES,      delete_references_request, statuses_response       },
    {UA_SET_PUBLISHING_MODE,    subscriptions_request,     statuses_response       },
    {UA_TRANSFER_SUBSCRIPTIONS, subscriptions_request,     NULL                    },
    {UA_DELETE_SUBSCRIPTIONS,   subscriptions_request,     statuses_response       },
};

/* A change is refused when nothing of it was done. */
static void judge_changes(struct ua_message *m)
{
    if (!operation_is_change(m->event.operation) || m->event.status.result != OT_RESULT_OK ||
        m->event.item_count == 0)
        return;
    for (uint32_t i = 0; i < m->event.item_count; i++)
        if (m->items[i].status.result != OT_RESULT_ERROR)
            return;
    m->event.status = m->items[0].status;
}

void ua_service_items(struct ua_message *m)
{
    for (size_t i = 0; i < sizeof parsers / sizeof *parsers; i++) {
        if (parsers[i].service != (enum ua_service_id)m->service->request)
            continue;
        void (*parse)(struct ua_message *) =
            m->is_response ? parsers[i].response : parsers[i].request;
        if (parse)
            parse(m);
        break;
    }
    if (m->is_response)
        judge_changes(m);
}
