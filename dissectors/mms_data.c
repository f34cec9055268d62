/* mms_data.c: values of MMS.
 *
 * Spec: [MMS] ISO 9506-2 14.4.2 (Data); [8-1] IEC 61850-8-1 8.1.3 (types of attributes)
 *
 *   Data: | context tag | length | value |; array and structure hold more of them
 *   float: | width of the exponent 1 | IEEE 754 4 or 8 |     bits: | unused ones 1 | bits, first
 * highest | */
#include "mms_data.h"

#include "sensor/base/json_writer.h"
#include "value_list.h"

enum { UTC_TIME_SIZE = 8, BINARY_TIME_SIZE = 6 };
static const int64_t SECOND_NS = 1000000000;

enum tag { /* [MMS] 14.4.2 */
           TAG_ARRAY = 0xa1,
           TAG_STRUCTURE = 0xa2,
           TAG_BOOLEAN = 0x83,
           TAG_BITS = 0x84,
           TAG_INTEGER = 0x85,
           TAG_UNSIGNED = 0x86,
           TAG_FLOAT = 0x87,
           TAG_REAL = 0x88,
           TAG_OCTETS = 0x89,
           TAG_VISIBLE = 0x8a,
           TAG_TIME = 0x8b,
           TAG_BINARY_TIME = 0x8c,
           TAG_BCD = 0x8d,
           TAG_BOOLEANS = 0x8e,
           TAG_OID = 0x8f,
           TAG_STRING = 0x90,
           TAG_UTC_TIME = 0x91,
};

static const char *type_of(uint8_t tag)
{
    static const char *const names[] = {
        [3] = "boolean", [4] = "bit_string",  [5] = "integer", [6] = "unsigned", [7] = "float",
        [8] = "real",    [9] = "octets",      [10] = "string", [11] = "time",    [12] = "time",
        [13] = "bcd",    [14] = "bit_string", [15] = "oid",    [16] = "string",  [17] = "time",
    };
    if (tag == TAG_ARRAY)
        return "array";
    if (tag == TAG_STRUCTURE)
        return "structure";
    size_t number = tag & BER_MULTI;
    return (tag & 0xe0) == 0x80 && number < sizeof names / sizeof *names ? names[number] : NULL;
}

bool mms_data_leaf(const struct ber *data, struct ber *leaf)
{
    *leaf = *data;
    for (int depth = 0; depth < MMS_DEPTH_MAX; depth++) {
        if (leaf->tag != TAG_ARRAY && leaf->tag != TAG_STRUCTURE)
            return true;
        struct reader inside = leaf->value;
        if (!ber_next(&inside, leaf))
            return false;
    }
    return false;
}

static void set_values(struct ot_values *values, enum ot_encoding encoding, struct reader r)
{
    *values = (struct ot_values){encoding, 1, r.at, reader_left(&r)};
}

/* Sizes without an encoding of their own are widened to 8 bytes. */
static void set_wide(struct dissect *d, struct ot_values *values, bool is_signed, struct reader r)
{
    uint8_t *wide = arena_take_unset(d->arena, 8);
    if (!wide)
        return;
    uint64_t n = is_signed ? (uint64_t)ber_signed(r) : ber_unsigned(r);
    for (int i = 0; i < 8; i++)
        wide[i] = (uint8_t)(n >> (8 * i));
    *values = (struct ot_values){is_signed ? VALUES_I64LE : VALUES_U64LE, 1, wide, 8};
}

static void set_integer(struct dissect *d, struct ot_values *values, bool is_signed,
                        struct reader r)
{
    switch (reader_left(&r)) {
    case 1:
        set_values(values, is_signed ? VALUES_I8 : VALUES_U8, r);
        break;
    case 2:
        set_values(values, is_signed ? VALUES_I16BE : VALUES_U16BE, r);
        break;
    case 4:
        set_values(values, is_signed ? VALUES_I32BE : VALUES_U32BE, r);
        break;
    default:
        set_wide(d, values, is_signed, r);
        break;
    }
}

static void set_time(struct dissect *d, struct ot_values *values, int64_t time_ns)
{
    char *text = arena_take_unset(d->arena, TIME_TEXT_SIZE);
    if (text)
        *values =
            (struct ot_values){VALUES_TEXT, 1, (uint8_t *)time_print(text, time_ns), strlen(text)};
}

/* [8-1] 8.1.3.6: | seconds since 1970 4 | fraction of 2^24 3 | quality 1 | */
static void set_utc_time(struct dissect *d, struct ot_values *values, struct reader r)
{
    int64_t seconds = reader_u32be(&r);
    int64_t fraction = reader_u24be(&r);
    set_time(d, values, seconds * SECOND_NS + (fraction * SECOND_NS >> 24));
}

/* [MMS] 14.4.2, TimeOfDay with a date: | ms of the day 4 | days since 1984 2 | */
static void set_binary_time(struct dissect *d, struct ot_values *values, struct reader r)
{
    enum { DAYS_1970_TO_1984 = 5113, DAY_S = 86400, MS_NS = 1000000 };
    int64_t ms = reader_u32be(&r);
    int64_t days = reader_u16be(&r) + DAYS_1970_TO_1984;
    set_time(d, values, days * DAY_S * SECOND_NS + ms * MS_NS);
}

static bool set_leaf(struct dissect *d, struct ot_values *values, const struct ber *leaf)
{
    struct reader r = leaf->value;
    size_t size = reader_left(&r);
    switch (leaf->tag) {
    case TAG_BOOLEAN:
        set_values(values, VALUES_BITS, r);
        return size == 1;
    case TAG_INTEGER:
    case TAG_UNSIGNED:
        if (size == 0 || size > 9)
            return false;
        set_integer(d, values, leaf->tag == TAG_INTEGER, r);
        return true;
    case TAG_FLOAT:
        reader_skip(&r, 1);
        if (size != 5 && size != 9)
            return false;
        set_values(values, size == 5 ? VALUES_F32BE : VALUES_F64BE, r);
        return true;
    case TAG_BITS: /* short ones as a number: a double point is 0x40 off, 0x80 on */
        reader_skip(&r, 1);
        set_values(values, size == 2 ? VALUES_U8 : size == 3 ? VALUES_U16BE : VALUES_BYTES, r);
        return reader_ok(&r);
    case TAG_VISIBLE:
    case TAG_STRING:
        set_values(values, VALUES_TEXT, r);
        return true;
    case TAG_UTC_TIME:
    case TAG_BINARY_TIME:
        set_values(values, VALUES_BYTES, r); /* where the size is another, or no memory is left */
        if (leaf->tag == TAG_UTC_TIME && size == UTC_TIME_SIZE)
            set_utc_time(d, values, r);
        else if (leaf->tag == TAG_BINARY_TIME && size == BINARY_TIME_SIZE)
            set_binary_time(d, values, r);
        return true;
    case TAG_REAL:
    case TAG_OCTETS:
    case TAG_TIME:
    case TAG_BCD:
    case TAG_BOOLEANS:
    case TAG_OID:
        set_values(values, VALUES_BYTES, r);
        return true;
    default:
        return false;
    }
}

/* --- arrays and structures of one kind of number --- */

enum { ROW_MAX = 64 };

struct row {
    uint8_t tag;
    uint32_t count;
    struct reader values[ROW_MAX];
};

/* False: the leaves are of several kinds, no numbers, or too many. */
static bool gather(struct row *row, struct reader r, int depth)
{
    struct ber e;
    while (ber_next(&r, &e)) {
        if (e.tag == TAG_ARRAY || e.tag == TAG_STRUCTURE) {
            if (depth == MMS_DEPTH_MAX || !gather(row, e.value, depth + 1))
                return false;
            continue;
        }
        bool is_number = e.tag == TAG_BOOLEAN || e.tag == TAG_INTEGER || e.tag == TAG_UNSIGNED ||
                         e.tag == TAG_FLOAT;
        if (!is_number || (row->count && e.tag != row->tag) || row->count == ROW_MAX)
            return false;
        row->tag = e.tag;
        row->values[row->count++] = e.value;
    }
    return reader_ok(&r);
}

/* The floats without their exponents' widths; false: they differ in size. */
static bool set_floats(struct dissect *d, struct ot_item *item, struct row *row)
{
    size_t size = reader_left(&row->values[0]);
    if (size != 5 && size != 9)
        return false;
    uint8_t *out = arena_take_unset(d->arena, (size - 1) * row->count);
    for (uint32_t i = 0; out && i < row->count; i++) {
        if (reader_left(&row->values[i]) != size)
            return false;
        memcpy(out + (size - 1) * i, row->values[i].at + 1, size - 1);
    }
    item->values = (struct ot_values){size == 5 ? VALUES_F32BE : VALUES_F64BE, row->count, out,
                                      (size - 1) * row->count};
    return out != NULL;
}

static bool set_booleans(struct dissect *d, struct ot_item *item, struct row *row)
{
    size_t size = (row->count + 7u) / 8;
    uint8_t *out = arena_take(d->arena, size);
    if (!out)
        return false;
    memset(out, 0, size);
    for (uint32_t i = 0; i < row->count; i++)
        out[i / 8] = (uint8_t)(out[i / 8] | (reader_peek(&row->values[i]) != 0) << i % 8);
    item->values = (struct ot_values){VALUES_BITS, row->count, out, size};
    return true;
}

static bool set_integers(struct dissect *d, struct ot_item *item, struct row *row)
{
    bool is_signed = row->tag == TAG_INTEGER;
    uint8_t *out = arena_take_unset(d->arena, 8u * row->count);
    for (uint32_t i = 0; out && i < row->count; i++) {
        size_t size = reader_left(&row->values[i]);
        if (size == 0 || size > 9)
            return false;
        uint64_t n =
            is_signed ? (uint64_t)ber_signed(row->values[i]) : ber_unsigned(row->values[i]);
        for (unsigned k = 0; k < 8; k++)
            out[8 * i + k] = (uint8_t)(n >> 8 * k);
    }
    item->values = (struct ot_values){is_signed ? VALUES_I64LE : VALUES_U64LE, row->count, out,
                                      (size_t)8 * row->count};
    return out != NULL;
}

/* Several numbers of one kind are values of one item; of others the first leaf stands for all. */
static bool set_row(struct dissect *d, struct ot_item *item, const struct ber *data)
{
    struct row row;
    row.count = 0;
    if ((data->tag != TAG_ARRAY && data->tag != TAG_STRUCTURE) || !gather(&row, data->value, 1) ||
        row.count < 2)
        return false;
    bool is_set = row.tag == TAG_FLOAT     ? set_floats(d, item, &row)
                  : row.tag == TAG_BOOLEAN ? set_booleans(d, item, &row)
                                           : set_integers(d, item, &row);
    if (is_set)
        item->count = row.count;
    else
        item->values = (struct ot_values){0};
    return is_set;
}

/* --- structures of several kinds --- */

/* The leaves, as many as are told; false: one is malformed. */
static bool add_leaves(struct dissect *d, struct value_list *list, struct reader r, int depth)
{
    struct ber e;
    struct ot_values *next;
    while ((next = value_list_next(list)) && ber_next(&r, &e)) {
        if (e.tag == TAG_ARRAY || e.tag == TAG_STRUCTURE) {
            if (depth < MMS_DEPTH_MAX && !add_leaves(d, list, e.value, depth + 1))
                return false;
            continue;
        }
        if (!set_leaf(d, next, &e))
            return false;
        value_list_keep(list);
    }
    return true;
}

/* The first leaf stands for the structure, the others are behind it. */
static void set_further(struct dissect *d, struct ot_item *item, const struct ber *data)
{
    struct value_list list;
    list.count = 0;
    if (data->tag != TAG_ARRAY && data->tag != TAG_STRUCTURE)
        return;
    (void)add_leaves(d, &list, data->value, 1);
    if (list.count == 0)
        return;
    item->values = (struct ot_values){.encoding = VALUES_NONE};
    value_list_put(d, &list, item);
}

bool mms_data_item(struct dissect *d, const struct ber *data, struct ot_item *item)
{
    struct ber leaf;
    item->type = type_of(data->tag);
    item->count = 1;
    if (!item->type)
        return false;
    if (set_row(d, item, data))
        return true;
    if (!mms_data_leaf(data, &leaf))
        return reader_left(&data->value) == 0; /* a structure without members */
    if (set_leaf(d, &item->values, &leaf)) {
        set_further(d, item, data);
        return true;
    }
    item->values = (struct ot_values){0};
    return false;
}
