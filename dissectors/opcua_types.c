/* opcua_types.c: the built-in types of OPC UA in their binary encoding.
 *
 * Spec: [6] OPC 10000-6, 5.2 OPC UA Binary. Little endian; strings, byte strings and arrays begin
 *       with their length as a signed 32-bit number, -1 is null. */
#include "opcua_types.h"

#include "value_list.h"

enum {
    DEPTH_MAX = 16, /* variants in variants; [6] 5.2.2.16 allows any, devices use two or three */
    GUID_SIZE = 16,
    TIME_TEXT = 27,
    DIGITS = 10,
};

static const int64_t TICKS_PER_S = 10000000;
static const int64_t DAY_S = 86400;
static const int64_t DAYS_1601_TO_1970 = 134774;

void ua_fail(struct ua *u, enum violation_kind kind, const char *why)
{
    if (!u->wrong && reader_ok(&u->r)) {
        u->wrong = why;
        u->wrong_kind = kind;
    }
    reader_fail(&u->r);
}

static int32_t read_length(struct ua *u)
{
    uint32_t raw = reader_u32le(&u->r);
    int32_t length;
    memcpy(&length, &raw, sizeof length);
    return length;
}

uint32_t ua_count(struct ua *u, size_t least)
{
    int32_t count = read_length(u);
    if (count <= 0)
        return 0;
    if ((uint64_t)(uint32_t)count * least > reader_left(&u->r)) {
        ua_fail(u, VIOLATION_COUNT, "array has more elements than there are bytes");
        return 0;
    }
    return (uint32_t)count;
}

struct text ua_string(struct ua *u)
{
    int32_t length = read_length(u);
    if (length <= 0)
        return (struct text){NULL, 0};
    if ((size_t)length > reader_left(&u->r)) {
        ua_fail(u, VIOLATION_LENGTH, "string is longer than its message");
        return (struct text){NULL, 0};
    }
    return (struct text){(const char *)reader_bytes(&u->r, (size_t)length), (size_t)length};
}

/* [6] 5.2.2.14 */
struct text ua_localized_text(struct ua *u)
{
    enum { HAS_LOCALE = 1, HAS_TEXT = 2 };
    uint8_t mask = reader_u8(&u->r);
    if (mask & ~(HAS_LOCALE | HAS_TEXT))
        ua_fail(u, VIOLATION_ENCODING, "localized text with unknown fields");
    if (mask & HAS_LOCALE)
        ua_string(u);
    return mask & HAS_TEXT ? ua_string(u) : (struct text){NULL, 0};
}

/* [6] 5.2.2.13 */
struct text ua_qualified_name(struct ua *u)
{
    reader_skip(&u->r, 2);
    return ua_string(u);
}

static struct text take_bytes(struct ua *u, size_t size)
{
    const uint8_t *at = reader_bytes(&u->r, size);
    return at ? (struct text){(const char *)at, size} : (struct text){NULL, 0};
}

/* [6] 5.2.2.9, without the flags of the expanded form */
static struct ua_node_id node_id_of(struct ua *u, uint8_t encoding)
{
    struct ua_node_id id = {.kind = UA_ID_NUMERIC};
    switch (encoding) {
    case 0:
        id.number = reader_u8(&u->r);
        break;
    case 1:
        id.space = reader_u8(&u->r);
        id.number = reader_u16le(&u->r);
        break;
    case 2:
        id.space = reader_u16le(&u->r);
        id.number = reader_u32le(&u->r);
        break;
    case 3:
        id.kind = UA_ID_STRING;
        id.space = reader_u16le(&u->r);
        id.bytes = ua_string(u);
        break;
    case 4:
        id.kind = UA_ID_GUID;
        id.space = reader_u16le(&u->r);
        id.bytes = take_bytes(u, GUID_SIZE);
        break;
    case 5:
        id.kind = UA_ID_OPAQUE;
        id.space = reader_u16le(&u->r);
        id.bytes = ua_string(u);
        break;
    default:
        ua_fail(u, VIOLATION_ENCODING, "node id with an unknown encoding");
        break;
    }
    return id;
}

struct ua_node_id ua_node_id(struct ua *u)
{
    return node_id_of(u, reader_u8(&u->r));
}

/* [6] 5.2.2.10 */
struct ua_node_id ua_expanded_node_id(struct ua *u)
{
    enum { HAS_NAMESPACE_URI = 0x80, HAS_SERVER_INDEX = 0x40 };
    uint8_t encoding = reader_u8(&u->r);
    struct ua_node_id id = node_id_of(u, encoding & 0x3f);
    if (encoding & HAS_NAMESPACE_URI)
        ua_string(u);
    if (encoding & HAS_SERVER_INDEX)
        reader_skip(&u->r, 4);
    return id;
}

/* [6] 5.2.2.15 */
struct ua_object ua_extension_object(struct ua *u)
{
    enum { BODY_NONE, BODY_BINARY, BODY_XML };
    struct ua_object object = {.type = ua_node_id(u)};
    uint8_t encoding = reader_u8(&u->r);
    if (encoding > BODY_XML)
        ua_fail(u, VIOLATION_ENCODING, "extension object with an unknown encoding");
    struct text body = encoding == BODY_NONE ? (struct text){NULL, 0} : ua_string(u);
    object.body = reader_of(encoding == BODY_BINARY ? body.at : NULL,
                            encoding == BODY_BINARY ? body.size : 0);
    return object;
}

/* [6] 5.2.2.12: the inner one is the last field, so that nesting is a loop. */
void ua_diagnostic_info(struct ua *u)
{
    enum { NUMBERS = 4, HAS_INFO = 0x10, HAS_STATUS = 0x20, HAS_INNER = 0x40 };
    uint8_t mask;
    do {
        mask = reader_u8(&u->r);
        for (int i = 0; i < NUMBERS; i++)
            if (mask & 1 << i)
                reader_skip(&u->r, 4);
        if (mask & HAS_INFO)
            ua_string(u);
        if (mask & HAS_STATUS)
            reader_skip(&u->r, 4);
    } while (mask & HAS_INNER && reader_ok(&u->r));
}

/* --- values as text --- */

static char *put_digits(char *out, uint64_t n, int least)
{
    char reversed[20];
    int count = 0;
    do {
        reversed[count++] = (char)('0' + n % DIGITS);
        n /= DIGITS;
    } while (n || count < least);
    while (count)
        *out++ = reversed[--count];
    return out;
}

static char *put_hex(char *out, uint8_t byte)
{
    static const char hex[] = "0123456789abcdef";
    *out++ = hex[byte >> 4];
    *out++ = hex[byte & 15];
    return out;
}

/* [6] 5.2.2.6: three numbers in little endian, then eight bytes. */
static char *put_guid(char *out, const uint8_t *g)
{
    static const uint8_t order[GUID_SIZE] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    for (int i = 0; i < GUID_SIZE; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *out++ = '-';
        out = put_hex(out, g[order[i]]);
    }
    return out;
}

static char *put_base64(char *out, struct text bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes.size; i += 3) {
        uint32_t group = 0;
        size_t given = bytes.size - i < 3 ? bytes.size - i : 3;
        for (size_t k = 0; k < 3; k++)
            group = group << 8 | (k < given ? (uint8_t)bytes.at[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            *out++ = k <= given ? digits[group >> (18 - 6 * k) & 63] : '=';
    }
    return out;
}

static char *put_text(char *out, struct text text)
{
    if (text.size)
        memcpy(out, text.at, text.size);
    return out + text.size;
}

bool ua_is_standard(const struct ua_node_id *id, uint32_t number)
{
    return id->kind == UA_ID_NUMERIC && id->space == 0 && id->number == number;
}

struct text ua_node_text(struct ua *u, const struct ua_node_id *id, struct text range)
{
    enum { AROUND = 32, GUID_TEXT = 36 }; /* "ns=65535;i=4294967295[]" */
    static const char letters[] = {'i', 's', 'g', 'b'};
    size_t room = AROUND + range.size + GUID_TEXT + (id->bytes.size + 2) / 3 * 4;
    char *text = arena_take(u->d->arena, room);
    if (!text)
        return (struct text){NULL, 0};
    char *out = put_text(text, TEXT("ns="));
    out = put_digits(out, id->space, 1);
    *out++ = ';';
    *out++ = letters[id->kind];
    *out++ = '=';
    switch (id->kind) {
    case UA_ID_NUMERIC:
        out = put_digits(out, id->number, 1);
        break;
    case UA_ID_STRING:
        out = put_text(out, id->bytes);
        break;
    case UA_ID_GUID:
        if (id->bytes.size == GUID_SIZE)
            out = put_guid(out, (const uint8_t *)id->bytes.at);
        break;
    case UA_ID_OPAQUE:
        out = put_base64(out, id->bytes);
        break;
    }
    if (range.size) {
        *out++ = '[';
        out = put_text(out, range);
        *out++ = ']';
    }
    return (struct text){text, (size_t)(out - text)};
}

/* Ticks of 100 ns since 1601 as "2026-11-22T15:04:05.250000Z": [6] 5.2.2.5. */
static struct text time_text(struct ua *u, int64_t ticks)
{
    int64_t seconds = ticks / TICKS_PER_S - DAYS_1601_TO_1970 * DAY_S;
    char *text = ticks > 0 ? arena_take(u->d->arena, TIME_TEXT) : NULL;
    if (!text)
        return (struct text){NULL, 0};
    int64_t days = seconds / DAY_S, second = seconds % DAY_S;
    if (second < 0) {
        second += DAY_S;
        days--;
    }
    /* days of the civil calendar, in eras of 400 years that begin on the first of March */
    enum { ERA_DAYS = 146097, EPOCH_TO_ERA = 719468 };
    int64_t z = days + EPOCH_TO_ERA;
    int64_t era = z / ERA_DAYS, of_era = z % ERA_DAYS;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    int64_t day = of_year - (153 * month + 2) / 5 + 1;
    month = month < 10 ? month + 3 : month - 9;
    year += era * 400 + (month <= 2);
    if (year > 9999)
        return (struct text){NULL, 0};
    char *out = put_digits(text, (uint64_t)year, 4);
    *out++ = '-';
    out = put_digits(out, (uint64_t)month, 2);
    *out++ = '-';
    out = put_digits(out, (uint64_t)day, 2);
    *out++ = 'T';
    out = put_digits(out, (uint64_t)(second / 3600), 2);
    *out++ = ':';
    out = put_digits(out, (uint64_t)(second / 60 % 60), 2);
    *out++ = ':';
    out = put_digits(out, (uint64_t)(second % 60), 2);
    *out++ = '.';
    out = put_digits(out, (uint64_t)(ticks % TICKS_PER_S / 10), 6);
    *out++ = 'Z';
    return (struct text){text, (size_t)(out - text)};
}

/* --- variants --- */

enum type_id {
    TYPE_BOOLEAN = 1,
    TYPE_STRING = 12,
    TYPE_DATE_TIME,
    TYPE_GUID,
    TYPE_BYTE_STRING,
    TYPE_XML_ELEMENT,
    TYPE_NODE_ID,
    TYPE_EXPANDED_NODE_ID,
    TYPE_STATUS_CODE,
    TYPE_QUALIFIED_NAME,
    TYPE_LOCALIZED_TEXT,
    TYPE_EXTENSION_OBJECT,
    TYPE_DATA_VALUE,
    TYPE_VARIANT,
    TYPE_DIAGNOSTIC_INFO,
    TYPE_COUNT,
};

/* [6] 5.1.2: name, bytes of one value (0: not fixed), how it is shown */
static const struct type {
    const char *name;
    uint8_t size;
    enum ot_encoding encoding;
} types[TYPE_COUNT] = {
    [0] = {"null",             0,         VALUES_NONE },
    [TYPE_BOOLEAN] = {"boolean",          1,         VALUES_U8   },
    [2] = {"sbyte",            1,         VALUES_I8   },
    [3] = {"byte",             1,         VALUES_U8   },
    [4] = {"int16",            2,         VALUES_I16LE},
    [5] = {"uint16",           2,         VALUES_U16LE},
    [6] = {"int32",            4,         VALUES_I32LE},
    [7] = {"uint32",           4,         VALUES_U32LE},
    [8] = {"int64",            8,         VALUES_I64LE},
    [9] = {"uint64",           8,         VALUES_U64LE},
    [10] = {"float",            4,         VALUES_F32LE},
    [11] = {"double",           8,         VALUES_F64LE},
    [TYPE_STRING] = {"string",           0,         VALUES_TEXT },
    [TYPE_DATE_TIME] = {"date_time",        8,         VALUES_I64LE},
    [TYPE_GUID] = {"guid",             GUID_SIZE, VALUES_BYTES},
    [TYPE_BYTE_STRING] = {"byte_string",      0,         VALUES_BYTES},
    [TYPE_XML_ELEMENT] = {"xml_element",      0,         VALUES_TEXT },
    [TYPE_NODE_ID] = {"node_id",          0,         VALUES_TEXT },
    [TYPE_EXPANDED_NODE_ID] = {"expanded_node_id", 0,         VALUES_TEXT },
    [TYPE_STATUS_CODE] = {"status_code",      4,         VALUES_U32LE},
    [TYPE_QUALIFIED_NAME] = {"qualified_name",   0,         VALUES_TEXT },
    [TYPE_LOCALIZED_TEXT] = {"localized_text",   0,         VALUES_TEXT },
    [TYPE_EXTENSION_OBJECT] = {"extension_object", 0,         VALUES_BYTES},
    [TYPE_DATA_VALUE] = {"data_value",       0,         VALUES_BYTES},
    [TYPE_VARIANT] = {"variant",          0,         VALUES_BYTES},
    [TYPE_DIAGNOSTIC_INFO] = {"diagnostic_info",  0,         VALUES_BYTES},
};

static void put_value(struct ot_item *item, enum ot_encoding encoding, struct text bytes)
{
    item->values =
        (struct ot_values){bytes.size || encoding == VALUES_TEXT ? encoding : VALUES_NONE,
                           bytes.size ? 1 : 0, (const uint8_t *)bytes.at, bytes.size};
}

/* One value of a type without fixed size, that is no variant: its text or bytes. */
static struct text read_one(struct ua *u, unsigned type, struct ua_object *object)
{
    switch (type) {
    case TYPE_STRING:
    case TYPE_BYTE_STRING:
    case TYPE_XML_ELEMENT:
        return ua_string(u);
    case TYPE_QUALIFIED_NAME:
        return ua_qualified_name(u);
    case TYPE_LOCALIZED_TEXT:
        return ua_localized_text(u);
    case TYPE_NODE_ID:
    case TYPE_EXPANDED_NODE_ID: {
        struct ua_node_id id = ua_expanded_node_id(u);
        return reader_ok(&u->r) ? ua_node_text(u, &id, (struct text){NULL, 0})
                                : (struct text){NULL, 0};
    }
    case TYPE_EXTENSION_OBJECT: {
        struct ua_object read = ua_extension_object(u);
        if (object)
            *object = read;
        return (struct text){(const char *)read.body.at, reader_left(&read.body)};
    }
    case TYPE_DIAGNOSTIC_INFO:
        ua_diagnostic_info(u);
        break;
    default: /* of a type number that is reserved: [6] 5.2.2.16, as a byte string */
        return ua_string(u);
    }
    return (struct text){NULL, 0};
}

static void read_scalar(struct ua *u, unsigned type, struct ot_item *item, struct ua_object *object)
{
    const struct type *t = &types[type < TYPE_COUNT ? type : TYPE_BYTE_STRING];
    if (type == TYPE_VARIANT || type == TYPE_DATA_VALUE) {
        struct ot_item inner = {0};
        if (type == TYPE_VARIANT)
            ua_variant(u, &inner, NULL);
        else
            ua_data_value(u, &inner, NULL);
        item->values = inner.values;
        item->further = inner.further;
        item->further_size = inner.further_size;
        return;
    }
    if (t->size == 0) {
        put_value(item, t->encoding, read_one(u, type, object));
        return;
    }
    struct text bytes = take_bytes(u, t->size);
    put_value(item, t->encoding, bytes);
    if (type == TYPE_BOOLEAN && bytes.size && (uint8_t)bytes.at[0] <= 1)
        item->values.encoding = VALUES_BITS;
    if (type == TYPE_DATE_TIME && bytes.size) {
        struct reader ticks = reader_of(bytes.at, bytes.size);
        put_value(item, VALUES_TEXT, time_text(u, (int64_t)reader_u64le(&ticks)));
    }
}

/* Elements that are texts, bytes or structures: each a value of its own. */
static void read_each(struct ua *u, unsigned type, uint32_t count, struct ot_item *item)
{
    struct value_list list;
    list.count = 0;
    for (uint32_t i = 0; i < count && reader_ok(&u->r); i++) {
        struct ot_item one = {0};
        read_scalar(u, type, &one, NULL);
        if (reader_ok(&u->r))
            value_list_add_each(&list, &one);
    }
    value_list_put(u->d, &list, item);
}

/* Bytes of 0 and 1 as bits; others stay the numbers that they are. */
static void set_booleans(struct ua *u, struct ot_values *values)
{
    size_t size = (values->count + 7u) / 8;
    for (uint32_t i = 0; i < values->count; i++)
        if (values->bytes[i] > 1)
            return;
    uint8_t *bits = arena_take(u->d->arena, size);
    if (!bits)
        return;
    for (uint32_t i = 0; i < values->count; i++)
        bits[i / 8] = (uint8_t)(bits[i / 8] | values->bytes[i] << i % 8);
    *values = (struct ot_values){VALUES_BITS, values->count, bits, size};
}

static void read_array(struct ua *u, unsigned type, struct ot_item *item)
{
    const struct type *t = &types[type < TYPE_COUNT ? type : TYPE_BYTE_STRING];
    uint32_t count = ua_count(u, t->size ? t->size : 1);
    item->count = count;
    if (t->size == 0 || t->encoding == VALUES_BYTES || type == TYPE_DATE_TIME) {
        read_each(u, type, count, item);
        return;
    }
    struct text bytes = take_bytes(u, (size_t)t->size * count);
    put_value(item, t->encoding, bytes);
    if (bytes.size)
        item->values.count = count;
    if (bytes.size && type == TYPE_BOOLEAN)
        set_booleans(u, &item->values);
}

/* [6] 5.2.2.16 */
void ua_variant(struct ua *u, struct ot_item *item, struct ua_object *object)
{
    enum { TYPE_MASK = 0x3f, HAS_DIMENSIONS = 0x40, IS_ARRAY = 0x80, TYPE_MAX = 31 };
    uint8_t encoding = reader_u8(&u->r);
    unsigned type = encoding & TYPE_MASK;
    if (type > TYPE_MAX) {
        ua_fail(u, VIOLATION_ENCODING, "variant with an unknown type");
        return;
    }
    if (type == 0)
        return;
    if (u->depth >= DEPTH_MAX) {
        ua_fail(u, VIOLATION_RANGE, "variants are nested too deeply");
        return;
    }
    u->depth++;
    item->type = type < TYPE_COUNT ? types[type].name : NULL;
    item->count = 1;
    if (encoding & IS_ARRAY)
        read_array(u, type, item);
    else
        read_scalar(u, type, item, object);
    if (encoding & HAS_DIMENSIONS)
        reader_skip(&u->r, (size_t)4 * ua_count(u, 4));
    u->depth--;
}

/* [6] 5.2.2.17 */
void ua_data_value(struct ua *u, struct ot_item *item, struct ua_object *object)
{
    enum {
        HAS_VALUE = 1,
        HAS_STATUS = 2,
        HAS_SOURCE_TIME = 4,
        HAS_SERVER_TIME = 8,
        HAS_SOURCE_PICO = 16,
        HAS_SERVER_PICO = 32
    };
    uint8_t mask = reader_u8(&u->r);
    if (mask & 0xc0)
        ua_fail(u, VIOLATION_ENCODING, "data value with unknown fields");
    if (mask & HAS_VALUE)
        ua_variant(u, item, object);
    if (mask & HAS_STATUS)
        item->status = ua_status(reader_u32le(&u->r));
    if (mask & HAS_SOURCE_TIME)
        reader_skip(&u->r, 8);
    if (mask & HAS_SOURCE_PICO)
        reader_skip(&u->r, 2);
    if (mask & HAS_SERVER_TIME)
        reader_skip(&u->r, 8);
    if (mask & HAS_SERVER_PICO)
        reader_skip(&u->r, 2);
}
