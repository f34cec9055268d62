/* sparkplug.c: Sparkplug B, the payload of plants on MQTT.
 *
 * Spec: [SP] Eclipse Sparkplug 3.0.0: 4 topics, 6.4 payload; the payload is a protocol buffer:
 *
 *   topic    spBv1.0/group/type/edge node[/device]
 *   payload  1 time, 2 metric[], 3 sequence, 4 uuid, 5 body
 *   metric   1 name, 2 alias, 3 time, 4 data type, 7 is null, 10 to 16 value
 *   field    | number, wire type: 3 bits | value: variable, 8, length and bytes, or 4 | */
#include "mqtt_payload.h"

#include "sensor/base/hash.h"

enum wire { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };
enum { VARINT_MAX = 10, FACT_TEXT_MAX = 100 };

bool sparkplug_topic(struct text topic, struct sparkplug_topic *t)
{
    static const char space[] = "spBv1.0/";
    enum { SPACE_SIZE = sizeof space - 1, PARTS = 4 };
    if (topic.size <= SPACE_SIZE || memcmp(topic.at, space, SPACE_SIZE) != 0)
        return false;
    struct text parts[PARTS] = {
        {topic.at + SPACE_SIZE, 0}
    };
    size_t part = 0;
    for (size_t i = SPACE_SIZE; i < topic.size; i++) {
        if (topic.at[i] != '/')
            parts[part].size++;
        else if (++part < PARTS)
            parts[part].at = topic.at + i + 1;
        else
            return false;
    }
    *t = (struct sparkplug_topic){parts[0], parts[1], parts[2], parts[3]};
    /* STATE has no group and no metrics: [SP] 4.4 */
    return part >= 2 && t->group.size > 0 && t->type.size > 0 && t->edge.size > 0;
}

bool sparkplug_is_command(const struct sparkplug_topic *t)
{
    return text_equal(t->type, TEXT("NCMD")) || text_equal(t->type, TEXT("DCMD"));
}

struct field {
    uint64_t number;
    enum wire wire;
    uint64_t varint;
    struct reader bytes; /* of the other wire types */
};

static uint64_t read_varint(struct reader *r)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < VARINT_MAX; i++) {
        uint8_t byte = reader_u8(r);
        value |= (uint64_t)(byte & 0x7f) << 7 * i;
        if (!(byte & 0x80))
            return value;
    }
    reader_fail(r); /* too long */
    return 0;
}

static bool read_field(struct reader *r, struct field *f)
{
    if (!reader_left(r))
        return false;
    uint64_t key = read_varint(r);
    *f = (struct field){.number = key >> 3, .wire = (enum wire)(key & 7)};
    switch (f->wire) {
    case WIRE_VARINT:
        f->varint = read_varint(r);
        break;
    case WIRE_64:
        f->bytes = reader_take(r, 8);
        break;
    case WIRE_BYTES:
        f->bytes = reader_take(r, (size_t)read_varint(r));
        break;
    case WIRE_32:
        f->bytes = reader_take(r, 4);
        break;
    default:
        reader_fail(r);
        break;
    }
    return reader_ok(r);
}

static struct text text_in(const struct field *f)
{
    struct text t = {(const char *)f->bytes.at, reader_left(&f->bytes)};
    return t.size ? t : (struct text){NULL, 0};
}

/* [SP] 6.4.16 */
static const char *const types[] = {
    NULL,     "int8",   "int16",    "int32",  "int64",   "uint8",    "uint16",
    "uint32", "uint64", "float",    "double", "boolean", "string",   "date_time",
    "text",   "uuid",   "data_set", "bytes",  "file",    "template",
};
enum { TYPE_INT8 = 1, TYPE_INT64 = 4, TYPE_DATE_TIME = 13 };

/* Integers are sent as variable numbers; signed ones as the unsigned of their size. */
static void put_integer(struct dissect *d, struct ot_item *item, uint64_t type, uint64_t value)
{
    bool is_signed = type >= TYPE_INT8 && type <= TYPE_INT64;
    if (is_signed && type < TYPE_INT64) {
        unsigned bits = 8u << (type - TYPE_INT8);
        uint64_t sign = UINT64_C(1) << (bits - 1);
        value &= (sign << 1) - 1;
        if (value & sign)
            value |= ~((sign << 1) - 1);
    }
    uint8_t *bytes = arena_take(d->arena, sizeof value);
    if (!bytes)
        return;
    for (unsigned i = 0; i < sizeof value; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
    enum ot_encoding encoding = is_signed ? VALUES_I64LE : VALUES_U64LE;
    if (type == TYPE_DATE_TIME)
        encoding = VALUES_BYTES; /* no value that anybody learns */
    item->values = (struct ot_values){encoding, 1, bytes, sizeof value};
}

static void put_boolean(struct dissect *d, struct ot_item *item, bool value)
{
    uint8_t *bits = arena_take(d->arena, 1);
    if (!bits)
        return;
    *bits = value;
    item->values = (struct ot_values){VALUES_BITS, 1, bits, 1};
}

static void put_value(struct dissect *d, struct ot_item *item, uint64_t type, const struct field *f)
{
    enum { INT = 10, LONG = 11, FLOAT = 12, DOUBLE = 13, BOOLEAN = 14, STRING = 15, BYTES = 16 };
    item->type = type < sizeof types / sizeof *types ? types[type] : NULL;
    size_t size = reader_left(&f->bytes);
    if ((f->number == INT || f->number == LONG) && f->wire == WIRE_VARINT)
        put_integer(d, item, type, f->varint);
    else if (f->number == FLOAT && f->wire == WIRE_32)
        item->values = (struct ot_values){VALUES_F32LE, 1, f->bytes.at, size};
    else if (f->number == DOUBLE && f->wire == WIRE_64)
        item->values = (struct ot_values){VALUES_F64LE, 1, f->bytes.at, size};
    else if (f->number == BOOLEAN && f->wire == WIRE_VARINT)
        put_boolean(d, item, f->varint != 0);
    else if (f->wire == WIRE_BYTES && size && (f->number == STRING || f->number == BYTES))
        item->values = (struct ot_values){f->number == STRING ? VALUES_TEXT : VALUES_BYTES, 1,
                                          f->bytes.at, size};
}

/* [SP] 6.4.22: what an edge node tells of itself in its birth. */
static void tell(struct mqtt_content *c, struct text name, const struct field *value)
{
    static const struct {
        struct text name;
        enum fact_kind kind;
    } facts[] = {
        {{"Properties/Hardware Make", 24},  FACT_VENDOR  },
        {{"Properties/Hardware Model", 25}, FACT_PRODUCT },
        {{"Properties/FW", 13},             FACT_FIRMWARE},
        {{"Properties/OS Version", 21},     FACT_SOFTWARE},
    };
    struct text text = text_in(value);
    if (!text.size || text.size > FACT_TEXT_MAX || value->wire != WIRE_BYTES)
        return;
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        if (text_equal(name, facts[i].name) && c->fact_count < MQTT_FACTS_MAX)
            c->facts[c->fact_count++] = (struct ot_fact){.kind = facts[i].kind, .value = text};
}

/* [SP] 6.4.21: orders to the edge node itself. */
static enum operation operation_of(struct text name)
{
    if (text_equal(name, TEXT("Node Control/Reboot")))
        return OP_RESTART;
    if (text_equal(name, TEXT("Node Control/Next Server")))
        return OP_CONFIG_CHANGE;
    if (text_equal(name, TEXT("Node Control/Rebirth")) ||
        text_equal(name, TEXT("Device Control/Rebirth")))
        return OP_SUBSCRIBE; /* asks for all values once more */
    if (text_equal(name, TEXT("Device Control/Reboot")))
        return OP_RESTART;
    return OP_WRITE;
}

/* --- aliases: [SP] 6.4.7: a birth gives a metric's name, type and alias, later messages the alias;
 * unique among all metrics of an edge node --- */

enum { ALIAS_NAME_MAX = 62 };

struct alias { /* kept for the pair of hosts */
    uint8_t type, size;
    char name[ALIAS_NAME_MAX];
};

static struct alias *alias_of(struct dissect *d, uint64_t edge, uint64_t number, bool create)
{
    uint64_t key = hash_mix(hash_mix(0x73706c6961730000 /* "splias" */, edge), number);
    return dissect_pair(d, key, sizeof(struct alias), create);
}

static void keep_alias(struct dissect *d, uint64_t edge, uint64_t number, struct text name,
                       uint64_t type)
{
    struct alias *a = name.size <= ALIAS_NAME_MAX ? alias_of(d, edge, number, true) : NULL;
    if (!a)
        return;
    a->type = type < UINT8_MAX ? (uint8_t)type : 0;
    a->size = (uint8_t)name.size;
    memcpy(a->name, name.at, name.size);
}

/* The name and the type that a birth gave; empty when it was not seen. */
static struct text recall_alias(struct dissect *d, uint64_t edge, uint64_t number, uint64_t *type)
{
    const struct alias *a = alias_of(d, edge, number, false);
    char *copy = a && a->size <= ALIAS_NAME_MAX ? arena_take(d->arena, ALIAS_NAME_MAX) : NULL;
    if (!copy)
        return (struct text){NULL, 0};
    memcpy(copy, a->name, a->size);
    if (*type == 0)
        *type = a->type;
    return (struct text){copy, a->size};
}

static struct text metric_name(struct dissect *d, struct text topic, struct text name,
                               uint64_t alias)
{
    if (!name.size)
        return dissect_text(d, "%.*s:alias %llu", (int)(topic.size < 200 ? topic.size : 200),
                            topic.at, (unsigned long long)alias);
    char *full = arena_take(d->arena, topic.size + 1 + name.size);
    if (!full)
        return name;
    memcpy(full, topic.at, topic.size);
    full[topic.size] = ':';
    memcpy(full + topic.size + 1, name.at, name.size);
    return (struct text){full, topic.size + 1 + name.size};
}

static void read_metric(struct dissect *d, struct text topic, struct reader r, bool is_command,
                        bool is_birth, struct mqtt_content *c)
{
    enum { NAME = 1, ALIAS = 2, TYPE = 4, VALUE_FIRST = 10, VALUE_LAST = 16 };
    struct text name = {NULL, 0};
    struct field f, value = {0};
    uint64_t alias = 0, type = 0;
    bool has_alias = false;
    while (read_field(&r, &f)) {
        if (f.number == NAME && f.wire == WIRE_BYTES) {
            name = text_in(&f);
        } else if (f.number == ALIAS) {
            alias = f.varint;
            has_alias = true;
        } else if (f.number == TYPE) {
            type = f.varint;
        } else if (f.number >= VALUE_FIRST && f.number <= VALUE_LAST) {
            value = f;
        }
    }
    if (has_alias && name.size && is_birth)
        keep_alias(d, c->edge, alias, name, type);
    else if (has_alias && !name.size)
        name = recall_alias(d, c->edge, alias, &type);
    struct ot_item *item = mqtt_item(c, (struct text){NULL, 0}, "metric");
    if (is_birth && d->is_from_client)
        tell(c, name, &value);
    if (!item)
        return;
    item->name = metric_name(d, topic, name, alias);
    put_value(d, item, type, &value);
    if (!is_command)
        return;
    item->operation = operation_of(name);
    if (c->item_count == 1 || item->operation > c->operation)
        c->operation = item->operation;
}

bool sparkplug_read(struct dissect *d, struct text topic, struct reader payload, bool is_command,
                    struct mqtt_content *c)
{
    enum { METRICS = 2, SEQUENCE = 3 };
    struct sparkplug_topic t;
    if (!sparkplug_topic(topic, &t))
        return false;
    bool is_node_birth = text_equal(t.type, TEXT("NBIRTH"));
    bool is_birth = is_node_birth || text_equal(t.type, TEXT("DBIRTH"));
    c->unit = (struct text){t.edge.at, t.edge.size + (t.device.size ? 1 + t.device.size : 0)};
    c->edge =
        hash_mix(hash_bytes(t.group.at, t.group.size), hash_bytes(t.edge.at, t.edge.size)) | 1;
    struct field f;
    while (read_field(&payload, &f)) {
        if (f.number == METRICS && f.wire == WIRE_BYTES) {
            read_metric(d, topic, f.bytes, is_command, is_birth, c);
        } else if (f.number == SEQUENCE && f.wire == WIRE_VARINT) {
            c->sequence = (uint8_t)f.varint;
            c->has_sequence = true;
        }
    }
    c->is_birth = is_node_birth;
    if (c->items_total == 0)
        mqtt_item(c, topic, "topic");
    return true;
}
