/* ot_event.c: names of what events say, and values out of their wire form. */
#include "ot_event.h"

#include "json_writer.h"

#include <inttypes.h>
#include <string.h>

static const struct operation_kind {
    const char *name, *technique, *words;
} operations[] = {
#define OPERATION(tag, text, technique, words) [OP_##tag] = {text, technique, words},
#include "operations.def"
#undef OPERATION
};

const char *operation_name(enum operation op)
{
    return operations[op].name;
}

const char *operation_technique(enum operation op)
{
    return operations[op].technique;
}

const char *operation_words(enum operation op)
{
    return operations[op].words;
}

bool operation_parse(enum operation *op, const char *name)
{
    for (int i = 0; i < OPERATION_COUNT; i++) {
        if (strcmp(operations[i].name, name) == 0) {
            *op = (enum operation)i;
            return true;
        }
    }
    return false;
}

bool operation_is_critical(enum operation op)
{
    return op >= OP_MODE_CHANGE || op == OP_PROGRAM_UPLOAD || op == OP_CONFIG_CHANGE ||
           op == OP_FILE_DELETE;
}

const char *ot_direction_name(enum ot_direction d)
{
    static const char *const names[] = {"request", "response", "oneway"};
    return names[d];
}

const char *fact_name(enum fact_kind kind)
{
    static const char *const names[FACT_COUNT] = {
        [FACT_VENDOR] = "vendor",
        [FACT_PRODUCT] = "product",
        [FACT_ORDER_NUMBER] = "order_number",
        [FACT_SERIAL] = "serial_number",
        [FACT_HARDWARE] = "hardware_version",
        [FACT_FIRMWARE] = "firmware_version",
        [FACT_SOFTWARE] = "software_version",
        [FACT_NAME] = "name",
        [FACT_MODULE_NAME] = "module_name",
        [FACT_PLANT] = "plant",
        [FACT_LOCATION] = "location",
        [FACT_MODE] = "mode",
        [FACT_KEY_SWITCH] = "key_switch",
        [FACT_PROTECTION] = "protection",
        [FACT_DEVICE_TYPE] = "device_type",
        [FACT_PROGRAM] = "program",
        [FACT_PROGRAM_VERSION] = "program_version",
        [FACT_USER_NAME] = "user_name",
        [FACT_HOST_NAME] = "host_name",
        [FACT_URL] = "url",
        [FACT_COMMENT] = "comment",
        [FACT_IP] = "ip",
        [FACT_MAC] = "mac",
        [FACT_CARD_SERIAL] = "card_serial_number",
        [FACT_OS] = "os",
        [FACT_SWITCH_PORT] = "switch_port",
        [FACT_CERTIFICATE] = "certificate",
        [FACT_UNIT] = "unit",
        [FACT_PART] = "part",
    };
    return names[kind];
}

const char *violation_name(enum violation_kind kind)
{
    static const char *const names[VIOLATION_COUNT_OF] = {
        [VIOLATION_LENGTH] = "length",       [VIOLATION_RESERVED] = "reserved",
        [VIOLATION_FUNCTION] = "function",   [VIOLATION_RANGE] = "range",
        [VIOLATION_COUNT] = "count",         [VIOLATION_CHECKSUM] = "checksum",
        [VIOLATION_SEQUENCE] = "sequence",   [VIOLATION_DIRECTION] = "direction",
        [VIOLATION_STATE] = "state",         [VIOLATION_DUPLICATE] = "duplicate",
        [VIOLATION_TRUNCATED] = "truncated", [VIOLATION_TRAILING] = "trailing",
        [VIOLATION_ENCODING] = "encoding",   [VIOLATION_OVERLAP] = "overlap",
    };
    return names[kind];
}

char *ot_event_code(const struct ot_event *e, char out[OT_CODE_SIZE])
{
    if (e->code_text)
        text_format(out, OT_CODE_SIZE, "%s", e->code_text);
    else if (e->spell)
        e->spell(e->code, out);
    else
        text_format(out, OT_CODE_SIZE, "%" PRIu32, e->code[0]);
    return out;
}

struct encoding {
    uint8_t size; /* bytes of one value; 0: not fixed */
    bool is_little, is_signed, is_float;
};

static const struct encoding encodings[] = {
    [VALUES_U8] = {1, false, false, false},
      [VALUES_I8] = {1, false, true,  false},
    [VALUES_U16BE] = {2, false, false, false},
      [VALUES_I16BE] = {2, false, true,  false},
    [VALUES_U32BE] = {4, false, false, false},
      [VALUES_I32BE] = {4, false, true,  false},
    [VALUES_U64BE] = {8, false, false, false},
      [VALUES_F32BE] = {4, false, false, true },
    [VALUES_F64BE] = {8, false, false, true },
      [VALUES_U16LE] = {2, true,  false, false},
    [VALUES_I16LE] = {2, true,  true,  false},
      [VALUES_U32LE] = {4, true,  false, false},
    [VALUES_I32LE] = {4, true,  true,  false},
      [VALUES_U64LE] = {8, true,  false, false},
    [VALUES_I64LE] = {8, true,  true,  false},
      [VALUES_F32LE] = {4, true,  false, true },
    [VALUES_F64LE] = {8, true,  false, true },
      [VALUES_BYTES] = {0, false, false, false},
    [VALUES_N16LE] = {2, true,  true,  false},
};

static struct ot_value number_at(const uint8_t *p, const struct encoding *encoding)
{
    uint64_t raw = 0;
    for (unsigned i = 0; i < encoding->size; i++)
        raw |= (uint64_t)p[i] << 8 * (encoding->is_little ? i : encoding->size - 1u - i);

    struct ot_value v = {.kind = OT_VALUE_UNSIGNED, .u = raw};
    if (encoding->is_float && encoding->size == 4) {
        uint32_t bits = (uint32_t)raw;
        float f;
        memcpy(&f, &bits, sizeof f);
        v = (struct ot_value){.kind = OT_VALUE_FLOAT, .f = (double)f};
    } else if (encoding->is_float) {
        double f;
        memcpy(&f, &raw, sizeof f);
        v = (struct ot_value){.kind = OT_VALUE_FLOAT, .f = f};
    } else if (encoding->is_signed) {
        unsigned shift = 64 - 8u * encoding->size;
        uint64_t sign = (uint64_t)1 << (8u * encoding->size - 1);
        if (shift > 0 && (raw & sign))
            raw |= ~(uint64_t)0 << (64 - shift);
        int64_t i;
        memcpy(&i, &raw, sizeof i);
        v = (struct ot_value){.kind = OT_VALUE_SIGNED, .i = i};
    }
    return v;
}

struct ot_value ot_value_at(const struct ot_values *values, uint32_t i)
{
    struct ot_value none = {.kind = OT_VALUE_NONE};
    if (i >= values->count || !values->bytes)
        return none;
    switch (values->encoding) {
    case VALUES_NONE:
        return none;
    case VALUES_BITS:
        if (i / 8 >= values->size)
            return none;
        return (struct ot_value){.kind = OT_VALUE_BOOL,
                                 .boolean = (values->bytes[i / 8] >> i % 8 & 1) != 0};
    case VALUES_TEXT:
    case VALUES_BYTES:
        if (i > 0)
            return none;
        return (struct ot_value){
            .kind = values->encoding == VALUES_TEXT ? OT_VALUE_TEXT : OT_VALUE_BYTES,
            .text = {(const char *)values->bytes, values->size}
        };
    default:
        break;
    }
    const struct encoding *encoding = &encodings[values->encoding];
    if (((uint64_t)i + 1) * encoding->size > values->size)
        return none;
    struct ot_value v = number_at(values->bytes + (size_t)i * encoding->size, encoding);
    if (values->encoding == VALUES_N16LE)
        v = (struct ot_value){.kind = OT_VALUE_FLOAT, .f = (double)v.i / 32768};
    return v;
}

struct ot_values ot_item_further_wire(const struct ot_item *item, uint32_t i)
{
    enum { HEAD_SIZE = 3 };
    const uint8_t *at = item->further;
    size_t left = at ? item->further_size : 0;
    while (left >= HEAD_SIZE) {
        size_t size = at[1] | (size_t)at[2] << 8;
        if (at[0] >= VALUES_ENCODINGS || size > left - HEAD_SIZE)
            break;
        if (i-- == 0)
            return (struct ot_values){(enum ot_encoding)at[0], 1, at + HEAD_SIZE, size};
        at += HEAD_SIZE + size;
        left -= HEAD_SIZE + size;
    }
    return (struct ot_values){.encoding = VALUES_NONE};
}

struct ot_value ot_item_further(const struct ot_item *item, uint32_t i)
{
    struct ot_values one = ot_item_further_wire(item, i);
    return ot_value_at(&one, 0);
}

/* IEC 60870-5-4 6.8; the bit above the minute says that it is not valid. */
static bool print_cp(const uint8_t *t, bool is_whole, char out[OT_TIME_TEXT_SIZE])
{
    unsigned ms = t[0] | (unsigned)t[1] << 8, minute = t[2] & 0x3f;
    if (t[2] & 0x80 || minute > 59 || ms > 59999)
        return false;
    if (!is_whole) {
        text_format(out, OT_TIME_TEXT_SIZE, "%02u:%02u.%03u", minute, ms / 1000, ms % 1000);
        return true;
    }
    unsigned hour = t[3] & 0x1f, day = t[4] & 0x1f, month = t[5] & 0x0f, year = t[6] & 0x7f;
    if (hour > 23 || day < 1 || month < 1 || month > 12 || year > 99)
        return false;
    text_format(out, OT_TIME_TEXT_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%03u", 2000 + year, month,
                day, hour, minute, ms / 1000, ms % 1000);
    return true;
}

static bool print_ms(const uint8_t *t, char out[OT_TIME_TEXT_SIZE])
{
    enum { SIZE = 6, MS_NS = 1000000, MILLISECONDS_END = 23 }; /* "2015-10-21T07:28:00.123" */
    int64_t ms = 0;
    for (size_t i = SIZE; i > 0; i--)
        ms = ms << 8 | t[i - 1];
    if (ms == 0 || ms > INT64_MAX / MS_NS) /* 0: the device has no time yet */
        return false;
    char text[TIME_TEXT_SIZE];
    time_print(text, ms * MS_NS);
    text_format(out, OT_TIME_TEXT_SIZE, "%.*sZ", (int)MILLISECONDS_END, text);
    return true;
}

bool ot_item_time(const struct ot_item *item, char out[OT_TIME_TEXT_SIZE])
{
    switch (item->time ? (enum ot_time_form)item->time_form : TIME_NONE) {
    case TIME_CP56:
        return print_cp(item->time, true, out);
    case TIME_CP24:
        return print_cp(item->time, false, out);
    case TIME_MS48:
        return print_ms(item->time, out);
    case TIME_NONE:
        break;
    }
    return false;
}

bool ot_value_number(const struct ot_value *value, double *number)
{
    switch (value->kind) {
    case OT_VALUE_BOOL:
        *number = value->boolean ? 1 : 0;
        return true;
    case OT_VALUE_UNSIGNED:
        *number = (double)value->u;
        return true;
    case OT_VALUE_SIGNED:
        *number = (double)value->i;
        return true;
    case OT_VALUE_FLOAT:
        *number = value->f;
        return true;
    case OT_VALUE_NONE:
    case OT_VALUE_TEXT:
    case OT_VALUE_BYTES:
        break;
    }
    return false;
}

/* S7 and IEC 61131 people write DB5.DBX3.1, M10.0, Q4.0. */
static char *print_s7(const struct ot_item *item, char *out, size_t capacity)
{
    char base[24];
    if (strcmp(item->area, "db") == 0)
        text_format(base, sizeof base, "DB%" PRIu32 ".DB", item->number);
    else
        memcpy(base, (char[]){(char)(item->area[0] - 'a' + 'A'), '\0'}, 2);
    if (item->has_bit)
        return text_format(out, capacity, "%s%s%" PRIu64 ".%u", base, base[1] ? "X" : "",
                           item->start, item->bit);
    if (item->count > 1)
        return text_format(out, capacity, "%sB%" PRIu64 " (%" PRIu32 " %s)", base, item->start,
                           item->count, item->type ? item->type : "bytes");
    return text_format(out, capacity, "%sB%" PRIu64, base, item->start);
}

char *ot_item_print(const struct ot_item *item, char *out, size_t capacity)
{
    static const char *const s7_areas[] = {"db", "m", "i", "q", "p"};
    if (item->name.size)
        return text_copy(out, capacity, item->name);
    if (!item->area) {
        if (item->has_start)
            return text_format(out, capacity, "%" PRIu64, item->start);
        return text_format(out, capacity, "%s", "");
    }
    if (item->has_start) {
        for (size_t i = 0; i < sizeof s7_areas / sizeof *s7_areas; i++)
            if (strcmp(item->area, s7_areas[i]) == 0)
                return print_s7(item, out, capacity);
        char number[16] = "";
        if (item->has_number)
            text_format(number, sizeof number, " %" PRIu32, item->number);
        if (item->count > 1)
            return text_format(out, capacity, "%s%s %" PRIu64 "-%" PRIu64, item->area, number,
                               item->start, item->start + item->count - 1);
        return text_format(out, capacity, "%s%s %" PRIu64, item->area, number, item->start);
    }
    if (item->has_number)
        return text_format(out, capacity, "%s %" PRIu32, item->area, item->number);
    return text_format(out, capacity, "%s", item->area);
}
