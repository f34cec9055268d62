/* bacnet_values.c: what a property is: numbers, texts, dates, and lists of them.
 *
 * Spec: [135] ANSI/ASHRAE 135-2020, clauses 20.2.2 to 20.2.14 (application types), 21 (arrays and
 * lists of properties)
 */
#include "bacnet_values.h"

#include "value_list.h"

enum {
    ANY = 255, /* [135] 20.2.12, 20.2.13: unspecified */
    YEAR_BASE = 1900,
    DATE_SIZE = 4,
    TIME_SIZE = 4,
    BITS_MAX = 64, /* of a bit string shown as such; those of the standard have up to 52 */
};

/* Numbers of 3 bytes, which no encoding has, as 4. */
static struct ot_values widened(struct dissect *d, struct reader content, bool is_signed)
{
    enum { WIDE = 4 };
    size_t size = reader_left(&content);
    uint8_t *copy = arena_take(d->arena, WIDE);
    if (!copy)
        return (struct ot_values){.encoding = VALUES_NONE};
    bool is_negative = is_signed && reader_peek(&content) & 0x80;
    memset(copy, is_negative ? 0xff : 0, WIDE);
    memcpy(copy + WIDE - size, reader_bytes(&content, size), size);
    return (struct ot_values){is_signed ? VALUES_I32BE : VALUES_U32BE, 1, copy, WIDE};
}

static struct ot_values number_values(struct dissect *d, struct reader content, bool is_signed)
{
    static const enum ot_encoding encodings[2][5] = {
        {VALUES_NONE, VALUES_U8, VALUES_U16BE, VALUES_NONE, VALUES_U32BE},
        {VALUES_NONE, VALUES_I8, VALUES_I16BE, VALUES_NONE, VALUES_I32BE},
    };
    size_t size = reader_left(&content);
    if (size == 3)
        return widened(d, content, is_signed);
    if (size == 8 && !is_signed)
        return (struct ot_values){VALUES_U64BE, 1, content.at, size};
    if (size == 0 || size > 4)
        return (struct ot_values){VALUES_BYTES, size > 0, content.at, size};
    return (struct ot_values){encodings[is_signed][size], 1, content.at, size};
}

static struct ot_values boolean_values(struct dissect *d, uint8_t value)
{
    uint8_t *copy = arena_take(d->arena, 1);
    if (!copy)
        return (struct ot_values){.encoding = VALUES_NONE};
    *copy = value;
    return (struct ot_values){VALUES_BITS, 1, copy, 1};
}

static struct ot_values object_values(struct dissect *d, struct reader content)
{
    struct bacnet_property object = {bacnet_unsigned(content), BACNET_NO_INDEX, BACNET_NO_INDEX};
    struct text name = bacnet_property_text(d, &object);
    return (struct ot_values){VALUES_TEXT, name.size > 0, (const uint8_t *)name.at, name.size};
}

static char *put_digits(char *at, unsigned value, unsigned digits)
{
    for (unsigned i = digits; i > 0; i--) {
        at[i - 1] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + digits;
}

static char *put_part(char *at, uint8_t part, unsigned base)
{
    if (part != ANY)
        return put_digits(at, base + part, base ? 4 : 2);
    *at++ = '*';
    return at;
}

enum { DATE_TEXT = 10, TIME_TEXT = 11 };

/* | year since 1900 1 | month 1 | day 1 | day of the week 1 |; [135] 20.2.12 */
static char *put_date(char *at, struct reader r)
{
    at = put_part(at, reader_u8(&r), YEAR_BASE);
    *at++ = '-';
    at = put_part(at, reader_u8(&r), 0);
    *at++ = '-';
    return put_part(at, reader_u8(&r), 0);
}

/* | hour 1 | minute 1 | second 1 | hundredths 1 |; [135] 20.2.13 */
static char *put_time(char *at, struct reader r)
{
    static const char between[] = {'\0', ':', ':', '.'};
    for (unsigned i = 0; i < TIME_SIZE; i++) {
        uint8_t part = reader_u8(&r);
        if (between[i])
            *at++ = between[i];
        at = put_part(at, part > 99 ? ANY : part, 0);
    }
    return at;
}

static struct ot_values text_values(const char *begin, const char *end)
{
    return (struct ot_values){VALUES_TEXT, 1, (const uint8_t *)begin, (size_t)(end - begin)};
}

static struct ot_values date_values(struct dissect *d, struct reader content)
{
    char *text = arena_take(d->arena, DATE_TEXT);
    if (!text)
        return (struct ot_values){.encoding = VALUES_NONE};
    return text_values(text, put_date(text, content));
}

static struct ot_values time_values(struct dissect *d, struct reader content)
{
    char *text = arena_take(d->arena, TIME_TEXT);
    if (!text)
        return (struct ot_values){.encoding = VALUES_NONE};
    return text_values(text, put_time(text, content));
}

struct text bacnet_date_time(struct dissect *d, struct reader *r)
{
    struct reader date, time;
    struct text none = {NULL, 0};
    if (!bacnet_application(r, BACNET_DATE, &date) || reader_left(&date) != DATE_SIZE ||
        !bacnet_application(r, BACNET_TIME, &time) || reader_left(&time) != TIME_SIZE)
        return none;
    char *text = arena_take(d->arena, DATE_TEXT + 1 + TIME_TEXT);
    if (!text)
        return none;
    char *at = put_date(text, date);
    *at++ = 'T';
    return (struct text){text, (size_t)(put_time(at, time) - text)};
}

/* | unused bits of the last byte 1 | bits, the first is the highest |; [135] 20.2.10. As "0100". */
static struct ot_values bits_values(struct dissect *d, struct reader content)
{
    struct ot_values bytes = {VALUES_BYTES, 1, content.at, reader_left(&content)};
    uint8_t unused = reader_u8(&content);
    size_t bits = reader_left(&content) * 8;
    if (!reader_ok(&content) || unused > 7 || unused >= bits || bits - unused > BITS_MAX)
        return bytes;
    bits -= unused;
    char *text = arena_take(d->arena, bits);
    if (!text)
        return bytes;
    uint8_t byte = 0;
    for (size_t i = 0; i < bits; i++) {
        if (i % 8 == 0)
            byte = reader_u8(&content);
        text[i] = (char)('0' + (byte >> (7 - i % 8) & 1));
    }
    return text_values(text, text + bits);
}

static struct ot_values value_of(struct dissect *d, const struct bacnet_tag *tag)
{
    struct reader content = tag->content;
    size_t size = reader_left(&content);
    struct text text;
    switch (tag->number) {
    case BACNET_BOOLEAN:
        return boolean_values(d, tag->boolean);
    case BACNET_UNSIGNED:
    case BACNET_ENUMERATED:
        return number_values(d, content, false);
    case BACNET_SIGNED:
        return number_values(d, content, true);
    case BACNET_REAL:
        if (size == 4)
            return (struct ot_values){VALUES_F32BE, 1, content.at, size};
        break;
    case BACNET_DOUBLE:
        if (size == 8)
            return (struct ot_values){VALUES_F64BE, 1, content.at, size};
        break;
    case BACNET_OBJECT:
        if (size == 4)
            return object_values(d, content);
        break;
    case BACNET_DATE:
        if (size == DATE_SIZE)
            return date_values(d, content);
        break;
    case BACNET_TIME:
        if (size == TIME_SIZE)
            return time_values(d, content);
        break;
    case BACNET_BITS:
        return bits_values(d, content);
    case BACNET_STRING:
        text = bacnet_string(d, content);
        if (text.size)
            return (struct ot_values){VALUES_TEXT, 1, (const uint8_t *)text.at, text.size};
        break;
    default:
        break;
    }
    return (struct ot_values){VALUES_BYTES, size > 0, content.at, size};
}

static const char *const type_names[] = {
    [BACNET_NULL] = "null",
    [BACNET_BOOLEAN] = "boolean",
    [BACNET_UNSIGNED] = "unsigned",
    [BACNET_SIGNED] = "integer",
    [BACNET_REAL] = "real",
    [BACNET_DOUBLE] = "double",
    [BACNET_OCTETS] = "octet_string",
    [BACNET_STRING] = "character_string",
    [BACNET_BITS] = "bit_string",
    [BACNET_ENUMERATED] = "enumerated",
    [BACNET_DATE] = "date",
    [BACNET_TIME] = "time",
    [BACNET_OBJECT] = "object_identifier",
};

static bool is_simple(const struct bacnet_tag *tag)
{
    return !tag->is_context && tag->number < sizeof type_names / sizeof *type_names;
}

/* Whether all are simple values; *count of them. */
static bool is_list(struct reader r, uint32_t *count)
{
    struct bacnet_tag tag;
    *count = 0;
    while (reader_left(&r)) {
        if (!bacnet_tag_read(&r, &tag) || !is_simple(&tag))
            return false;
        ++*count;
    }
    return true;
}

/* A null in a list keeps its place: of a priority array it is told which priorities are free. */
static struct ot_values element_of(struct dissect *d, const struct bacnet_tag *tag)
{
    static const char null[] = {'n', 'u', 'l', 'l'};
    char *text = tag->number == BACNET_NULL ? arena_take(d->arena, sizeof null) : NULL;
    if (!text)
        return value_of(d, tag);
    memcpy(text, null, sizeof null);
    return text_values(text, text + sizeof null);
}

void bacnet_put_values(struct dissect *d, struct reader content, struct ot_item *item)
{
    struct bacnet_tag tag;
    struct reader all = content;
    uint32_t count;
    item->values = (struct ot_values){.encoding = VALUES_NONE};
    item->type = NULL;
    if (!reader_left(&content))
        return;
    if (!is_list(content, &count)) {
        item->values = (struct ot_values){VALUES_BYTES, 1, all.at, reader_left(&all)};
        return;
    }
    (void)bacnet_tag_read(&content, &tag);
    item->type = type_names[tag.number];
    item->count = count;
    if (count == 1) {
        item->values = value_of(d, &tag);
        return;
    }
    struct value_list list;
    list.count = 0;
    do {
        struct ot_values one = element_of(d, &tag);
        value_list_add(&list, &one);
    } while (list.count < VALUE_LIST_MAX && reader_left(&content) &&
             bacnet_tag_read(&content, &tag));
    value_list_put(d, &list, item);
}
