/* event_pack.c: version 1 of the packed form: numbers of 7 bits a byte, strings with their size and
 * a zero behind them, a byte of flags before what may be absent. */
#include "event_pack.h"

#include <string.h>

enum { VERSION = 1, TEXT_MAX = 96, UNIT_MAX = 48 };

/* --- writing --- */

struct out {
    uint8_t *at, *end;
    bool is_cut;
};

static void put_byte(struct out *o, uint8_t byte)
{
    if (o->at == o->end)
        o->is_cut = true;
    else
        *o->at++ = byte;
}

static void put_number(struct out *o, uint64_t number)
{
    for (; number >= 0x80; number >>= 7)
        put_byte(o, (uint8_t)(number | 0x80));
    put_byte(o, (uint8_t)number);
}

static void put_bytes(struct out *o, const void *bytes, size_t size)
{
    if (size > (size_t)(o->end - o->at)) {
        o->is_cut = true;
        return;
    }
    if (size)
        memcpy(o->at, bytes, size);
    o->at += size;
}

static void put_text(struct out *o, struct text text, size_t most)
{
    size_t size = text.size < most ? text.size : most;
    put_number(o, size);
    put_bytes(o, text.at, size);
    put_byte(o, 0);
}

/* 0: NULL */
static void put_string(struct out *o, const char *string)
{
    put_byte(o, string != NULL);
    if (string)
        put_text(o, text_of(string), TEXT_MAX);
}

static void put_end(struct out *o, const struct endpoint *end)
{
    put_byte(o, end->ip.kind);
    put_bytes(o, end->ip.bytes, end->ip.kind == ADDRESS_IP4 ? 4 : end->ip.kind ? 16 : 0);
    put_bytes(o, end->mac.bytes, sizeof end->mac.bytes);
    put_number(o, end->port);
}

static void put_status(struct out *o, const struct ot_status *s)
{
    put_byte(o, (uint8_t)s->result);
    if (s->result != OT_RESULT_NONE) {
        put_number(o, s->code);
        put_string(o, s->name);
    }
}

/* Bytes of whole values that may be kept. */
static size_t values_size(const struct ot_values *v)
{
    static const uint8_t sizes[] = {
        [VALUES_U8] = 1,    [VALUES_I8] = 1,    [VALUES_U16BE] = 2, [VALUES_I16BE] = 2,
        [VALUES_U32BE] = 4, [VALUES_I32BE] = 4, [VALUES_U64BE] = 8, [VALUES_F32BE] = 4,
        [VALUES_F64BE] = 8, [VALUES_U16LE] = 2, [VALUES_I16LE] = 2, [VALUES_U32LE] = 4,
        [VALUES_I32LE] = 4, [VALUES_U64LE] = 8, [VALUES_I64LE] = 8, [VALUES_F32LE] = 4,
        [VALUES_F64LE] = 8, [VALUES_BYTES] = 0, [VALUES_N16LE] = 2,
    };
    size_t size = v->bytes ? v->size : 0;
    size_t each = sizes[v->encoding];
    if (each && size > (size_t)v->count * each)
        size = (size_t)v->count * each;
    return size < EVENT_PACK_VALUES ? size : EVENT_PACK_VALUES;
}

enum item_flag { HAS_NUMBER = 1, HAS_START = 2, HAS_BIT = 4, HAS_RANGE = 8, HAS_VALUES = 16 };

static void put_item(struct out *o, const struct ot_item *item)
{
    bool has_values = item->values.encoding != VALUES_NONE;
    put_byte(o, (uint8_t)((item->has_number ? HAS_NUMBER : 0) | (item->has_start ? HAS_START : 0) |
                          (item->has_bit ? HAS_BIT : 0) | (item->has_range ? HAS_RANGE : 0) |
                          (has_values ? HAS_VALUES : 0)));
    put_byte(o, (uint8_t)item->operation);
    put_string(o, item->area);
    put_string(o, item->type);
    put_text(o, item->name, TEXT_MAX);
    put_number(o, item->count);
    if (item->has_number)
        put_number(o, item->number);
    if (item->has_start)
        put_number(o, item->start);
    if (item->has_bit)
        put_byte(o, item->bit);
    if (item->has_range) {
        put_number(o, item->low);
        put_number(o, item->high);
    }
    if (has_values) {
        size_t size = values_size(&item->values);
        put_byte(o, (uint8_t)item->values.encoding);
        put_number(o, item->values.count);
        put_text(o, (struct text){(const char *)item->values.bytes, size}, size);
    }
    put_status(o, &item->status);
}

static void put_flow(struct out *o, const struct ot_flow *flow)
{
    put_number(o, flow->segment);
    put_byte(o, flow->transport);
    put_byte(o, (uint8_t)(flow->is_role_known | flow->is_start_seen << 1 | flow->is_two_sided << 2 |
                          flow->has_gap << 3));
    put_end(o, &flow->client);
    put_end(o, &flow->server);
}

static void put_transfer(struct out *o, const struct ot_transfer *t)
{
    put_byte(o, (uint8_t)t->step);
    if (t->step == TRANSFER_NONE)
        return;
    put_byte(o, (uint8_t)t->operation);
    put_number(o, t->key);
    put_text(o, t->name, TEXT_MAX);
    put_number(o, t->declared_size);
}

static size_t pack(const struct ot_event *e, uint8_t out[EVENT_PACK_MAX], uint32_t items,
                   uint32_t facts)
{
    char code[OT_CODE_SIZE];
    struct out o = {out, out + EVENT_PACK_MAX, false};
    put_byte(&o, VERSION);
    put_flow(&o, e->flow);
    put_byte(&o, (uint8_t)(e->is_from_client | (e->has_transaction ? 2 : 0)));
    put_byte(&o, (uint8_t)e->direction);
    put_byte(&o, (uint8_t)e->operation);
    put_string(&o, e->protocol);
    for (int i = 0; i < OT_CODE_PARTS; i++)
        put_number(&o, e->code[i]);
    put_string(&o, e->spell || e->code_text ? ot_event_code(e, code) : NULL);
    put_number(&o, e->function);
    put_string(&o, e->name);
    put_text(&o, e->unit, UNIT_MAX);
    put_number(&o, e->transaction);
    put_number(&o, e->flags);
    put_text(&o, e->detail, TEXT_MAX);
    put_status(&o, &e->status);
    put_transfer(&o, &e->transfer);
    put_number(&o, e->items_total > e->item_count ? e->items_total : e->item_count);
    put_byte(&o, (uint8_t)items);
    for (uint32_t i = 0; i < items; i++)
        put_item(&o, &e->items[i]);
    put_byte(&o, (uint8_t)facts);
    for (uint32_t i = 0; i < facts; i++) {
        put_byte(&o, (uint8_t)e->facts[i].kind);
        put_byte(&o, e->facts[i].is_about_receiver);
        put_text(&o, e->facts[i].value, TEXT_MAX);
    }
    return o.is_cut ? 0 : (size_t)(o.at - out);
}

size_t event_pack(const struct ot_event *e, uint8_t out[EVENT_PACK_MAX])
{
    uint32_t items = e->item_count < EVENT_PACK_ITEMS ? e->item_count : EVENT_PACK_ITEMS;
    uint32_t facts = e->fact_count < EVENT_PACK_FACTS ? e->fact_count : EVENT_PACK_FACTS;
    for (;;) {
        size_t size = pack(e, out, items, facts);
        if (size || (items == 0 && facts == 0))
            return size;
        facts = facts > 2 ? 2 : 0;
        items = items > 4 ? 4 : items > 1 ? 1 : 0;
    }
}

/* --- reading --- */

struct in {
    const uint8_t *at, *end;
    bool is_bad;
};

static uint8_t get_byte(struct in *in)
{
    if (in->at == in->end) {
        in->is_bad = true;
        return 0;
    }
    return *in->at++;
}

/* A byte that must be below `limit`. */
static unsigned get_enum(struct in *in, unsigned limit)
{
    unsigned value = get_byte(in);
    if (value >= limit) {
        in->is_bad = true;
        return 0;
    }
    return value;
}

static uint64_t get_number(struct in *in)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = get_byte(in);
        number |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return number;
    }
    in->is_bad = true;
    return 0;
}

static const uint8_t *get_bytes(struct in *in, size_t size)
{
    static const uint8_t nothing[16];
    if (size > (size_t)(in->end - in->at)) {
        in->is_bad = true;
        return nothing;
    }
    const uint8_t *at = in->at;
    in->at += size;
    return at;
}

static struct text get_text(struct in *in)
{
    size_t size = (size_t)get_number(in);
    const uint8_t *at = get_bytes(in, size);
    if (get_byte(in) != 0)
        in->is_bad = true;
    return in->is_bad ? (struct text){"", 0} : (struct text){(const char *)at, size};
}

static const char *get_string(struct in *in)
{
    if (!get_enum(in, 2))
        return NULL;
    return get_text(in).at;
}

static void get_end(struct in *in, struct endpoint *end)
{
    end->ip.kind = (uint8_t)get_enum(in, ADDRESS_IP6 + 1);
    size_t size = end->ip.kind == ADDRESS_IP4 ? 4 : end->ip.kind ? 16 : 0;
    memcpy(end->ip.bytes, get_bytes(in, size), size);
    memcpy(end->mac.bytes, get_bytes(in, sizeof end->mac.bytes), sizeof end->mac.bytes);
    end->port = (uint16_t)get_number(in);
}

static void get_status(struct in *in, struct ot_status *s)
{
    s->result = (enum ot_result)get_enum(in, OT_RESULT_ERROR + 1);
    if (s->result != OT_RESULT_NONE) {
        s->code = (uint32_t)get_number(in);
        s->name = get_string(in);
    }
}

static void get_item(struct in *in, struct ot_item *item)
{
    unsigned has = get_byte(in);
    item->operation = (enum operation)get_enum(in, OPERATION_COUNT);
    item->area = get_string(in);
    item->type = get_string(in);
    item->name = get_text(in);
    item->count = (uint32_t)get_number(in);
    item->has_number = has & HAS_NUMBER;
    item->has_start = has & HAS_START;
    item->has_bit = has & HAS_BIT;
    item->has_range = has & HAS_RANGE;
    item->number = item->has_number ? (uint32_t)get_number(in) : 0;
    item->start = item->has_start ? get_number(in) : 0;
    item->bit = item->has_bit ? get_byte(in) : 0;
    if (item->has_range) {
        item->low = get_number(in);
        item->high = get_number(in);
    }
    if (has & HAS_VALUES) {
        item->values.encoding = (enum ot_encoding)get_enum(in, VALUES_ENCODINGS);
        item->values.count = (uint32_t)get_number(in);
        struct text bytes = get_text(in);
        item->values.bytes = (const uint8_t *)bytes.at;
        item->values.size = bytes.size;
    }
    get_status(in, &item->status);
}

static void get_flow(struct in *in, struct ot_flow *flow)
{
    flow->segment = (uint32_t)get_number(in);
    flow->transport = (uint8_t)get_enum(in, TRANSPORT_OTHER + 1);
    unsigned is = get_byte(in);
    flow->is_role_known = is & 1;
    flow->is_start_seen = is & 2;
    flow->is_two_sided = is & 4;
    flow->has_gap = is & 8;
    get_end(in, &flow->client);
    get_end(in, &flow->server);
}

static void get_transfer(struct in *in, struct ot_transfer *t)
{
    t->step = (enum transfer_step)get_enum(in, TRANSFER_ABORT + 1);
    if (t->step == TRANSFER_NONE)
        return;
    t->operation = (enum operation)get_enum(in, OPERATION_COUNT);
    t->key = get_number(in);
    t->name = get_text(in);
    t->declared_size = get_number(in);
}

static void get_head(struct in *in, struct ot_event *e)
{
    unsigned is = get_byte(in);
    e->is_from_client = is & 1;
    e->has_transaction = is & 2;
    e->direction = (enum ot_direction)get_enum(in, OT_ONEWAY + 1);
    e->operation = (enum operation)get_enum(in, OPERATION_COUNT);
    e->protocol = get_string(in);
}

static void get_event(struct in *in, struct ot_event *e)
{
    get_head(in, e);
    for (int i = 0; i < OT_CODE_PARTS; i++)
        e->code[i] = (uint32_t)get_number(in);
    e->code_text = get_string(in);
    e->is_replayed = true;
    e->function = (uint32_t)get_number(in);
    e->name = get_string(in);
    e->unit = get_text(in);
    e->transaction = get_number(in);
    e->flags = (uint32_t)get_number(in);
    e->detail = get_text(in);
    get_status(in, &e->status);
    get_transfer(in, &e->transfer);
    e->items_total = (uint32_t)get_number(in);
}

bool event_unpack(struct event_unpacked *u, const uint8_t *bytes, size_t size)
{
    struct in in = {bytes, bytes + size, false};
    struct ot_event *e = &u->event;
    memset(u, 0, sizeof *u);
    if (get_byte(&in) != VERSION)
        return false;
    get_flow(&in, &u->flow);
    get_event(&in, e);
    e->flow = &u->flow;
    e->items = u->items;
    e->facts = u->facts;
    e->item_count = get_enum(&in, EVENT_PACK_ITEMS + 1);
    for (uint32_t i = 0; i < e->item_count && !in.is_bad; i++)
        get_item(&in, &u->items[i]);
    e->fact_count = get_enum(&in, EVENT_PACK_FACTS + 1);
    for (uint32_t i = 0; i < e->fact_count && !in.is_bad; i++) {
        u->facts[i].kind = (enum fact_kind)get_enum(&in, FACT_COUNT);
        u->facts[i].is_about_receiver = get_byte(&in) != 0;
        u->facts[i].value = get_text(&in);
    }
    return !in.is_bad && in.at == in.end && e->protocol != NULL;
}

bool event_unpack_head(struct event_unpacked *u, const uint8_t *bytes, size_t size)
{
    struct in in = {bytes, bytes + size, false};
    memset(&u->flow, 0, sizeof u->flow);
    memset(&u->event, 0, sizeof u->event);
    if (get_byte(&in) != VERSION)
        return false;
    get_flow(&in, &u->flow);
    get_head(&in, &u->event);
    u->event.flow = &u->flow;
    return !in.is_bad && u->event.protocol != NULL;
}
