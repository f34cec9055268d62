/* event_json.c: event lines without allocation. */
#include "event_json.h"

#include "json_writer.h"

/* How much of the lists is shown; tried from the first until the line fits. */
static const struct limits {
    uint32_t items, values;
    size_t text;
} limits[] = {
    {EVENT_ITEMS_MAX, EVENT_VALUES_MAX, 1024},
    {16,              64,               256 },
    {4,               16,               64  },
    {1,               4,                32  },
    {0,               0,                16  },
};
enum { LIMIT_COUNT = sizeof limits / sizeof *limits };

static struct text shortened(struct text t, size_t most)
{
    return t.size > most ? (struct text){t.at, most} : t;
}

static void write_value(struct json_writer *w, const struct ot_value *v, size_t most)
{
    switch (v->kind) {
    case OT_VALUE_BOOL:
        json_bool(w, NULL, v->boolean);
        break;
    case OT_VALUE_UNSIGNED:
        json_unsigned(w, NULL, v->u);
        break;
    case OT_VALUE_SIGNED:
        json_signed(w, NULL, v->i);
        break;
    case OT_VALUE_FLOAT:
        json_double(w, NULL, v->f);
        break;
    case OT_VALUE_TEXT:
        json_text(w, NULL, shortened(v->text, most));
        break;
    case OT_VALUE_BYTES:
        json_hex(w, NULL, v->text.at, shortened(v->text, most).size);
        break;
    case OT_VALUE_NONE:
        break;
    }
}

static void write_status(struct json_writer *w, const struct ot_status *s)
{
    if (s->result == OT_RESULT_NONE)
        return;
    if (s->result == OT_RESULT_OK) {
        json_string_of(w, "status", "ok");
        if (s->code && s->name &&
            strcmp(s->name, "ok") != 0) { /* done in part, clamped, uncertain */
            json_unsigned(w, "status_code", s->code);
            json_string_of(w, "status_name", s->name);
        }
        return;
    }
    json_string_of(w, "status", s->name ? s->name : "error");
    json_unsigned(w, "status_code", s->code);
}

static void write_numbers(struct json_writer *w, const char *key, const struct ot_values *values,
                          const struct ot_item *structure, const struct limits *l)
{
    json_array_begin(w, key);
    for (uint32_t i = 0; i < values->count && i < l->values; i++) {
        struct ot_value v = ot_value_at(values, i);
        if (v.kind == OT_VALUE_NONE)
            break;
        write_value(w, &v, l->text);
    }
    for (uint32_t i = 0; structure && i + 1 < l->values; i++) {
        struct ot_value v = ot_item_further(structure, i);
        if (v.kind == OT_VALUE_NONE)
            break;
        write_value(w, &v, l->text);
    }
    json_array_end(w);
}

static void write_item(struct json_writer *w, const struct ot_item *item, const struct limits *l)
{
    json_object_begin(w, NULL);
    if (item->operation != OP_UNKNOWN)
        json_string_of(w, "operation", operation_name(item->operation));
    if (item->area)
        json_string_of(w, "area", item->area);
    if (item->has_number)
        json_unsigned(w, "number", item->number);
    if (item->name.size)
        json_text(w, "name", shortened(item->name, l->text));
    if (item->has_start)
        json_unsigned(w, "start", item->start);
    if (item->has_bit)
        json_unsigned(w, "bit", item->bit);
    if (item->count)
        json_unsigned(w, "count", item->count);
    if (item->type)
        json_string_of(w, "type", item->type);
    if (item->values.encoding != VALUES_NONE && l->values > 0) {
        write_numbers(w, "values", &item->values, item->further ? item : NULL, l);
        if (item->values.encoding == VALUES_N16LE) { /* the code on the wire, too */
            struct ot_values raw = item->values;
            raw.encoding = VALUES_I16LE;
            write_numbers(w, "raw", &raw, NULL, l);
        }
        if (item->values.count > l->values)
            json_unsigned(w, "values_total", item->values.count);
    }
    char time[OT_TIME_TEXT_SIZE];
    if (item->time && ot_item_time(item, time))
        json_string_of(w, "time", time);
    write_status(w, &item->status);
    json_object_end(w);
}

static const struct flag_name {
    uint32_t flag;
    const char *name;
} flag_names[] = {
    {OT_NO_REQUEST,         "no_request"        },
    {OT_BROADCAST,          "broadcast"         },
    {OT_ENCRYPTED,          "encrypted"         },
    {OT_UNSOLICITED,        "unsolicited"       },
    {OT_RETRANSMIT,         "retransmit"        },
    {OT_ECHO_DIFFERS,       "echo_differs"      },
    {OT_HAS_CREDENTIAL,     "has_credential"    },
    {OT_DEFAULT_CREDENTIAL, "default_credential"},
    {OT_SAFETY,             "safety"            },
    {OT_CARRIER,            "carrier"           },
};

static void write_transfer(struct json_writer *w, const struct ot_transfer *t)
{
    static const char *const steps[] = {"none", "begin", "block", "end", "abort"};
    if (t->step == TRANSFER_NONE)
        return;
    json_object_begin(w, "transfer");
    json_string_of(w, "step", steps[t->step]);
    if (t->name.size)
        json_text(w, "name", shortened(t->name, 64));
    if (t->declared_size)
        json_unsigned(w, "declared_size", t->declared_size);
    if (t->size)
        json_unsigned(w, "size", t->size);
    json_object_end(w);
}

static bool is_fact_of(const struct ot_fact *fact, enum fact_kind kind, bool is_about_receiver)
{
    return fact->kind == kind && fact->is_about_receiver == is_about_receiver;
}

/* A key once: what is told several times (the modules of a rack) is an array. */
static void write_facts(struct json_writer *w, const struct ot_event *e, const char *key,
                        bool is_about_receiver, const struct limits *l)
{
    uint32_t count[FACT_COUNT] = {0};
    bool has_any = false;
    for (uint32_t i = 0; i < e->fact_count; i++) {
        if (e->facts[i].is_about_receiver != is_about_receiver)
            continue;
        count[e->facts[i].kind]++;
        has_any = true;
    }
    if (!has_any)
        return;
    json_object_begin(w, key);
    for (uint32_t i = 0; i < e->fact_count; i++) {
        enum fact_kind kind = e->facts[i].kind;
        if (!is_fact_of(&e->facts[i], kind, is_about_receiver) || count[kind] == 0)
            continue;
        if (count[kind] == 1) {
            json_text(w, fact_name(kind), shortened(e->facts[i].value, l->text));
            continue;
        }
        json_array_begin(w, fact_name(kind));
        for (uint32_t k = i; k < e->fact_count; k++)
            if (is_fact_of(&e->facts[k], kind, is_about_receiver))
                json_text(w, NULL, shortened(e->facts[k].value, l->text));
        json_array_end(w);
        count[kind] = 0;
    }
    json_object_end(w);
}

static void write_ot(struct json_writer *w, const char *key, const struct ot_event *e,
                     const struct limits *l)
{
    char code[OT_CODE_SIZE];
    json_object_begin(w, key);
    json_string_of(w, "direction", ot_direction_name(e->direction));
    json_string_of(w, "operation", operation_name(e->operation));
    json_string_of(w, "code", ot_event_code(e, code));
    if (e->name)
        json_string_of(w, "name", e->name);
    if (e->unit.size)
        json_text(w, "unit", e->unit);
    json_unsigned(w, "function", e->function);
    if (e->has_transaction)
        json_unsigned(w, "transaction", e->transaction);
    if (e->item_count) {
        json_array_begin(w, "items");
        for (uint32_t i = 0; i < e->item_count && i < l->items; i++)
            write_item(w, &e->items[i], l);
        json_array_end(w);
        uint32_t total = e->items_total > e->item_count ? e->items_total : e->item_count;
        if (total > l->items || total > e->item_count)
            json_unsigned(w, "items_total", total);
    }
    write_status(w, &e->status);
    if (e->detail.size)
        json_text(w, "detail", shortened(e->detail, l->text));
    write_transfer(w, &e->transfer);
    write_facts(w, e, "facts", false, l);
    write_facts(w, e, "facts_of_receiver", true, l);
    if (e->flags) {
        json_array_begin(w, "flags");
        for (size_t i = 0; i < sizeof flag_names / sizeof *flag_names; i++)
            if (e->flags & flag_names[i].flag)
                json_string_of(w, NULL, flag_names[i].name);
        json_array_end(w);
    }
    json_object_end(w);
}

static void write_end(struct json_writer *w, const char *key, const struct endpoint *end,
                      bool has_port)
{
    char ip[ADDRESS_TEXT_SIZE], mac[MAC_TEXT_SIZE];
    json_object_begin(w, key);
    if (!mac_is_zero(&end->mac))
        json_string_of(w, "mac", mac_print(mac, &end->mac));
    if (end->ip.kind != ADDRESS_NONE)
        json_string_of(w, "ip", address_print(ip, &end->ip));
    if (has_port)
        json_unsigned(w, "port", end->port);
    json_object_end(w);
}

static const char *transport_name(uint8_t transport)
{
    return transport == TRANSPORT_TCP ? "tcp" : transport == TRANSPORT_UDP ? "udp" : NULL;
}

size_t event_json(const struct ot_event *e, char *out, size_t capacity)
{
    const char *transport = transport_name(e->flow->transport);
    for (int i = 0; i < LIMIT_COUNT; i++) {
        struct json_writer w;
        json_begin(&w, out, capacity);
        json_object_begin(&w, NULL);
        json_time(&w, "@timestamp", e->time_ns);
        write_end(&w, "source", ot_event_source(e), transport != NULL);
        write_end(&w, "destination", ot_event_destination(e), transport != NULL);
        json_object_begin(&w, "network");
        if (transport)
            json_string_of(&w, "transport", transport);
        json_string_of(&w, "protocol", e->protocol);
        if (e->packet && e->packet->vlan_count)
            json_unsigned(&w, "vlan", e->packet->vlans[0]);
        json_object_end(&w);
        write_ot(&w, "ot", e, &limits[i]);
        json_object_end(&w);
        if (!w.is_cut)
            return json_size(&w);
    }
    return 0;
}

size_t event_json_ot(const struct ot_event *e, char *out, size_t capacity)
{
    for (int i = 1; i < LIMIT_COUNT; i++) {
        struct json_writer w;
        json_begin(&w, out, capacity - 1);
        write_ot(&w, NULL, e, &limits[i]);
        if (!w.is_cut) {
            *w.at = '\0';
            return json_size(&w);
        }
    }
    out[0] = '\0';
    return 0;
}
