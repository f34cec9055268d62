/* sigma_fields.c: the fields of events, flows, findings and samples, fetched when a rule asks. */
#include "rules/sigma_internal.h"

#include "sensor/base/hash.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct field {
    const char *name;
    unsigned where;
    enum field_type type;
} fields[] = {
#define SIGMA_FIELD(tag, name, where, type) [FIELD_##tag] = {name, where, TYPE_##type},
#include "sigma_fields.def"
#undef SIGMA_FIELD
};

/* The same things under the names of Zeek's conn, modbus and s7comm logs, and of Sigma's taxonomy
 * of firewalls and network connections. */
static const struct alias_name {
    const char *name;
    enum sigma_field field;
} aliases[] = {
    {"id.orig_h",       FIELD_SOURCE_IP       },
    {"id.orig_p",       FIELD_SOURCE_PORT     },
    {"id.resp_h",       FIELD_DESTINATION_IP  },
    {"id.resp_p",       FIELD_DESTINATION_PORT},
    {"proto",           FIELD_TRANSPORT       },
    {"service",         FIELD_PROTOCOL        },
    {"func",            FIELD_NAME            },
    {"rosctr",          FIELD_NAME            },
    {"src_ip",          FIELD_SOURCE_IP       },
    {"src_port",        FIELD_SOURCE_PORT     },
    {"dst_ip",          FIELD_DESTINATION_IP  },
    {"dst_port",        FIELD_DESTINATION_PORT},
    {"SourceIp",        FIELD_SOURCE_IP       },
    {"SourcePort",      FIELD_SOURCE_PORT     },
    {"DestinationIp",   FIELD_DESTINATION_IP  },
    {"DestinationPort", FIELD_DESTINATION_PORT},
    {"Protocol",        FIELD_TRANSPORT       },
};

#define FACT_PREFIX "ot.facts."

bool sigma_field_parse(enum sigma_field *field, struct text name)
{
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (text_equal(name, text_of(fields[i].name))) {
            *field = (enum sigma_field)i;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
        if (text_equal(name, text_of(aliases[i].name))) {
            *field = aliases[i].field;
            return true;
        }
    }
    size_t prefix = sizeof FACT_PREFIX - 1;
    if (name.size > prefix && memcmp(name.at, FACT_PREFIX, prefix) == 0) {
        struct text kind = {name.at + prefix, name.size - prefix};
        for (int i = 0; i < FACT_COUNT; i++) {
            if (text_equal(kind, text_of(fact_name((enum fact_kind)i)))) {
                *field = (enum sigma_field)(FIELD_FACTS + i);
                return true;
            }
        }
    }
    return false;
}

static bool is_fact(enum sigma_field field)
{
    return field >= FIELD_FACTS && field < FIELD_COUNT;
}

const char *sigma_field_name(enum sigma_field field)
{
    return is_fact(field) ? "ot.facts" : fields[field].name;
}

enum field_type sigma_field_type(enum sigma_field field)
{
    return is_fact(field) ? TYPE_TEXT : fields[field].type;
}

unsigned sigma_field_where(enum sigma_field field)
{
    return is_fact(field) ? EVENTS : fields[field].where;
}

bool sigma_field_is_item(enum sigma_field field)
{
    return field >= FIELD_ITEM_OPERATION && field <= FIELD_ITEM_STATUS_CODE;
}

bool sigma_field_is_list(enum sigma_field field)
{
    return field == FIELD_FLAGS || field == FIELD_ITEM_VALUES || field == FIELD_TECHNIQUE ||
           field >= FIELD_FACTS;
}

/* --- values --- */

static bool put_text(struct sigma_value *v, struct text text)
{
    v->kind = VALUE_TEXT;
    v->text = text;
    return text.size > 0;
}

static bool put_string(struct sigma_value *v, const char *string)
{
    return string && put_text(v, text_of(string));
}

static bool put_number(struct sigma_value *v, double number)
{
    v->kind = VALUE_NUMBER;
    v->number = number;
    return true;
}

static bool put_ip(struct sigma_value *v, const struct endpoint *e)
{
    v->kind = VALUE_ADDRESS;
    v->address = &e->ip;
    return e->ip.kind != ADDRESS_NONE;
}

static bool put_mac(struct sigma_value *v, const struct endpoint *e)
{
    v->kind = VALUE_MAC;
    v->mac = &e->mac;
    return !mac_is_zero(&e->mac);
}

static bool put_port(struct sigma_value *v, const struct endpoint *e, uint8_t transport)
{
    return (transport == TRANSPORT_TCP || transport == TRANSPORT_UDP) && put_number(v, e->port);
}

static bool put_status(struct sigma_value *v, const struct ot_status *s)
{
    if (s->result == OT_RESULT_NONE)
        return false;
    return put_string(v, s->result == OT_RESULT_OK ? "ok" : s->name ? s->name : "error");
}

static bool put_value(struct sigma_value *v, const struct ot_value *value)
{
    switch (value->kind) {
    case OT_VALUE_TEXT:
    case OT_VALUE_BYTES: /* as they are: rules look for texts in them */
        return put_text(v, value->text);
    case OT_VALUE_NONE:
        return false;
    case OT_VALUE_BOOL:
        v->kind = VALUE_BOOL;
        v->number = value->boolean;
        return true;
    case OT_VALUE_UNSIGNED:
    case OT_VALUE_SIGNED:
    case OT_VALUE_FLOAT:
        break;
    }
    v->kind = VALUE_NUMBER;
    return ot_value_number(value, &v->number);
}

/* --- of one of ot.items --- */

static bool item_value(const struct ot_item *item, enum sigma_field field, uint32_t i,
                       struct sigma_value *v)
{
    if (field == FIELD_ITEM_VALUES) {
        struct ot_value value = ot_value_at(&item->values, i);
        return put_value(v, &value);
    }
    if (i > 0)
        return false;
    switch (field) {
    case FIELD_ITEM_OPERATION:
        return item->operation != OP_UNKNOWN && put_string(v, operation_name(item->operation));
    case FIELD_ITEM_AREA:
        return put_string(v, item->area);
    case FIELD_ITEM_NUMBER:
        return item->has_number && put_number(v, item->number);
    case FIELD_ITEM_NAME:
        return put_text(v, item->name);
    case FIELD_ITEM_START:
        return item->has_start && put_number(v, (double)item->start);
    case FIELD_ITEM_BIT:
        return item->has_bit && put_number(v, item->bit);
    case FIELD_ITEM_COUNT:
        return item->count && put_number(v, item->count);
    case FIELD_ITEM_TYPE:
        return put_string(v, item->type);
    case FIELD_ITEM_STATUS:
        return put_status(v, &item->status);
    case FIELD_ITEM_STATUS_CODE:
        return item->status.result == OT_RESULT_ERROR && put_number(v, item->status.code);
    default:
        return false;
    }
}

/* --- of an event --- */

static const struct flag_name {
    uint32_t flag;
    const char *name;
} flags[] = {
    {OT_NO_REQUEST,     "no_request"    },
    {OT_BROADCAST,      "broadcast"     },
    {OT_ENCRYPTED,      "encrypted"     },
    {OT_UNSOLICITED,    "unsolicited"   },
    {OT_RETRANSMIT,     "retransmit"    },
    {OT_ECHO_DIFFERS,   "echo_differs"  },
    {OT_HAS_CREDENTIAL, "has_credential"},
};

static bool put_flag(struct sigma_value *v, uint32_t set, uint32_t i)
{
    for (size_t k = 0; k < sizeof flags / sizeof *flags; k++)
        if ((set & flags[k].flag) && i-- == 0)
            return put_string(v, flags[k].name);
    return false;
}

static bool put_fact(struct sigma_value *v, const struct ot_event *e, enum fact_kind kind,
                     uint32_t i)
{
    for (uint32_t k = 0; k < e->fact_count; k++)
        if (e->facts[k].kind == kind && i-- == 0)
            return put_text(v, e->facts[k].value);
    return false;
}

static bool put_code(struct sigma_value *v, struct sigma_record *r)
{
    if (r->code_size == 0)
        r->code_size = (uint32_t)strlen(ot_event_code(r->event, r->code));
    return put_text(v, (struct text){r->code, r->code_size});
}

static bool transfer_value(const struct ot_transfer *t, enum sigma_field field,
                           struct sigma_value *v)
{
    static const char *const steps[] = {"none", "begin", "block", "end", "abort"};
    if (t->step == TRANSFER_NONE)
        return false;
    switch (field) {
    case FIELD_TRANSFER_STEP:
        return put_string(v, steps[t->step]);
    case FIELD_TRANSFER_NAME:
        return put_text(v, t->name);
    case FIELD_TRANSFER_DECLARED:
        return t->declared_size && put_number(v, (double)t->declared_size);
    default:
        return t->size && put_number(v, (double)t->size);
    }
}

static bool event_value(struct sigma_record *r, enum sigma_field field, uint32_t i,
                        struct sigma_value *v)
{
    const struct ot_event *e = r->event;
    if (field == FIELD_FLAGS)
        return put_flag(v, e->flags, i);
    if (is_fact(field))
        return put_fact(v, e, (enum fact_kind)(field - FIELD_FACTS), i);
    if (sigma_field_is_item(field))
        return r->item >= 0 && item_value(&e->items[r->item], field, i, v);
    if (i > 0)
        return false;
    switch (field) {
    case FIELD_PROTOCOL:
        return put_string(v, e->protocol);
    case FIELD_DIRECTION:
        return put_string(v, ot_direction_name(e->direction));
    case FIELD_OPERATION:
        return put_string(v, operation_name(e->operation));
    case FIELD_CODE:
        return put_code(v, r);
    case FIELD_NAME:
        return put_string(v, e->name);
    case FIELD_UNIT:
        return put_text(v, e->unit);
    case FIELD_FUNCTION:
        return put_number(v, e->function);
    case FIELD_TRANSACTION:
        return e->has_transaction && put_number(v, (double)e->transaction);
    case FIELD_STATUS:
        return put_status(v, &e->status);
    case FIELD_STATUS_CODE:
        return e->status.result == OT_RESULT_ERROR && put_number(v, e->status.code);
    case FIELD_DETAIL:
        return put_text(v, e->detail);
    case FIELD_ITEMS_TOTAL:
        return put_number(v, e->items_total > e->item_count ? e->items_total : e->item_count);
    case FIELD_TRANSFER_STEP:
    case FIELD_TRANSFER_NAME:
    case FIELD_TRANSFER_DECLARED:
    case FIELD_TRANSFER_SIZE:
        return transfer_value(&e->transfer, field, v);
    default:
        return false;
    }
}

/* --- of two hosts and what is between them --- */

struct ends {
    const struct endpoint *source, *destination, *client, *server;
    uint8_t transport;
};

static bool ends_value(const struct ends *ends, enum sigma_field field, struct sigma_value *v)
{
    switch (field) {
    case FIELD_SOURCE_IP:
        return put_ip(v, ends->source);
    case FIELD_SOURCE_MAC:
        return put_mac(v, ends->source);
    case FIELD_SOURCE_PORT:
        return put_port(v, ends->source, ends->transport);
    case FIELD_DESTINATION_IP:
        return ends->destination && put_ip(v, ends->destination);
    case FIELD_DESTINATION_MAC:
        return ends->destination && put_mac(v, ends->destination);
    case FIELD_DESTINATION_PORT:
        return ends->destination && put_port(v, ends->destination, ends->transport);
    case FIELD_CLIENT_IP:
        return ends->client && put_ip(v, ends->client);
    case FIELD_CLIENT_MAC:
        return ends->client && put_mac(v, ends->client);
    case FIELD_CLIENT_PORT:
        return ends->client && put_port(v, ends->client, ends->transport);
    case FIELD_SERVER_IP:
        return ends->server && put_ip(v, ends->server);
    case FIELD_SERVER_MAC:
        return ends->server && put_mac(v, ends->server);
    case FIELD_SERVER_PORT:
        return ends->server && put_port(v, ends->server, ends->transport);
    case FIELD_TRANSPORT:
        return put_string(v, ends->transport == TRANSPORT_TCP   ? "tcp"
                             : ends->transport == TRANSPORT_UDP ? "udp"
                                                                : NULL);
    default:
        return false;
    }
}

static bool flow_value(const struct sigma_record *r, enum sigma_field field, struct sigma_value *v)
{
    static const char *const moments[] = {"connection_attempted", "connection_established",
                                          "connection_refused", "protocol_recognised"};
    bool is_turned = r->event && !r->event->is_from_client;
    struct ends ends = {.source = is_turned ? &r->flow->server : &r->flow->client,
                        .destination = is_turned ? &r->flow->client : &r->flow->server,
                        .client = &r->flow->client,
                        .server = &r->flow->server,
                        .transport = r->flow->transport};
    if (field == FIELD_VLAN)
        return r->packet && r->packet->vlan_count && put_number(v, r->packet->vlans[0]);
    if (field == FIELD_PROTOCOL)
        return put_string(v, r->protocol);
    if (field == FIELD_ACTION)
        return put_string(v, moments[r->moment]);
    return ends_value(&ends, field, v);
}

/* --- of a finding --- */

/* The i-th word of a text. */
static bool put_word(struct sigma_value *v, const char *words, uint32_t i)
{
    for (;; words += strcspn(words, " "), words += strspn(words, " ")) {
        size_t size = strcspn(words, " ");
        if (size == 0)
            return false;
        if (i-- == 0)
            return put_text(v, (struct text){words, size});
    }
}

static bool finding_value(const struct sigma_record *r, enum sigma_field field, uint32_t i,
                          struct sigma_value *v)
{
    const struct finding *f = r->finding;
    const struct detection_kind *kind = detection_kind(f->detection);
    struct ends ends = {.source = &f->actor,
                        .destination = f->has_target ? &f->target : NULL,
                        .transport = f->transport};
    if (field == FIELD_TECHNIQUE)
        return put_word(v, kind->techniques, i);
    if (i > 0)
        return false;
    switch (field) {
    case FIELD_RULE_ID:
        return put_string(v, kind->id);
    case FIELD_RULE_NAME:
        return put_string(v, kind->title);
    case FIELD_SEVERITY:
        return put_number(v, r->severity);
    case FIELD_ENGINE:
        return put_string(v, engine_name(kind->engine));
    case FIELD_OBJECT:
        return put_string(v, f->object);
    case FIELD_SEEN:
        return put_string(v, f->seen);
    case FIELD_EXPECTED:
        return put_string(v, f->expected);
    case FIELD_PROTOCOL:
        return put_string(v, f->protocol);
    case FIELD_OPERATION:
        return f->operation != OP_UNKNOWN && put_string(v, operation_name(f->operation));
    default:
        return ends_value(&ends, field, v);
    }
}

/* --- of a sample --- */

static bool sample_value(const struct sigma_record *r, enum sigma_field field, uint32_t i,
                         struct sigma_value *v)
{
    int32_t item = sigma_field_is_item(field) ? r->item : NO_ITEM;
    if (sigma_field_is_item(field) && item == NO_ITEM)
        return false;
    for (size_t k = 0; k < r->sample->count; k++) {
        const struct sigma_sample_value *s = &r->sample->values[k];
        if (s->field == field && s->item == item && i-- == 0) {
            *v = s->value;
            v->address = &s->address;
            v->mac = &s->mac;
            return true;
        }
    }
    return false;
}

int32_t sigma_record_items(const struct sigma_record *r)
{
    if (r->sample)
        return r->sample->items;
    return r->event ? (int32_t)r->event->item_count : 0;
}

bool sigma_field_value(struct sigma_record *r, enum sigma_field field, uint32_t i,
                       struct sigma_value *value)
{
    if (r->sample)
        return sample_value(r, field, i, value);
    if (r->kind == SIGMA_FINDING)
        return finding_value(r, field, i, value);
    bool is_of_ends = field <= FIELD_VLAN && field != FIELD_PROTOCOL;
    if (r->kind == SIGMA_EVENT && !is_of_ends)
        return event_value(r, field, i, value);
    return i == 0 && flow_value(r, field, value);
}

static uint64_t value_hash(const struct sigma_value *v)
{
    char lower[256];
    switch (v->kind) {
    case VALUE_ADDRESS:
        return hash_stable(v->address, sizeof *v->address);
    case VALUE_MAC:
        return hash_stable(v->mac, sizeof *v->mac);
    case VALUE_NUMBER:
    case VALUE_BOOL:
        return hash_stable(&v->number, sizeof v->number);
    case VALUE_TEXT:
        break;
    }
    if (v->text.size > sizeof lower)
        return hash_stable(v->text.at, v->text.size);
    for (size_t i = 0; i < v->text.size; i++) {
        char c = v->text.at[i];
        lower[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    return hash_stable(lower, v->text.size);
}

uint64_t sigma_field_hash(struct sigma_record *r, enum sigma_field field, bool *is_there)
{
    enum { MOST = 16 }; /* values of a list */
    uint64_t hash = 0;
    struct sigma_value v;
    int32_t item = r->item;
    if (sigma_field_is_item(field))
        r->item = sigma_record_items(r) > 0 ? 0 : NO_ITEM;
    uint32_t i = 0;
    for (; i < MOST && sigma_field_value(r, field, i, &v); i++)
        hash = hash_mix(hash, value_hash(&v));
    r->item = item;
    *is_there = i > 0;
    return hash;
}
