/* bacnet_tags.c: BACnet's tagged encoding: tags, values, objects and properties.
 *
 * Spec: [135] ANSI/ASHRAE 135-2020, clause 20.2
 *
 *   | number 4 bits, class 1, length/value/type 3 | number 1, where it is 15 | length 1, 2 or 4,
 * where it is 5 | content |
 */
#include "bacnet_tags.h"

#include "bacnet_names.h"

enum {
    NUMBER_EXTENDED = 15,
    LENGTH_EXTENDED = 5, /* [135] 20.2.1.3.1 */
    LENGTH_16 = 254,
    LENGTH_32 = 255,
    OPENING = 6, /* [135] 20.2.1.3.2 */
    CLOSING = 7,
    NESTING_MAX = 16, /* log records of lists of property states nest 6 deep */
    NAME_MAX = 96,    /* the longest object type, 10 digits, the longest property, an index */
    CHARACTER_SET_UTF8 = 0,
    CHARACTER_SET_UCS4 = 3,
    CHARACTER_SET_UCS2 = 4,
    CHARACTER_SET_LATIN1 = 5,
    WIDE_MAX = 256, /* characters of such a text: names, not documents */
};

/* --- tags --- */

bool bacnet_tag_read(struct reader *r, struct bacnet_tag *tag)
{
    uint8_t first = reader_u8(r);
    uint32_t length = first & 7;
    tag->number = first >> 4;
    tag->is_context = first & 8;
    tag->boolean = 0;
    if (tag->number == NUMBER_EXTENDED)
        tag->number = reader_u8(r);
    tag->is_opening = tag->is_context && length == OPENING;
    tag->is_closing = tag->is_context && length == CLOSING;
    if (tag->is_opening || tag->is_closing) {
        length = 0;
    } else if (length > LENGTH_EXTENDED) {
        r->is_short = true; /* [135] 20.2.1.3: opening and closing are context tags */
    } else if (!tag->is_context && tag->number == BACNET_BOOLEAN) {
        tag->boolean = (uint8_t)length; /* [135] 20.2.3: the length is the value */
        length = 0;
    } else if (length == LENGTH_EXTENDED) {
        length = reader_u8(r);
        if (length == LENGTH_16)
            length = reader_u16be(r);
        else if (length == LENGTH_32)
            length = reader_u32be(r);
    }
    tag->content = reader_take(r, length);
    return reader_ok(r);
}

bool bacnet_tag_peek(const struct reader *r, struct bacnet_tag *tag)
{
    struct reader ahead = *r;
    return reader_left(r) && bacnet_tag_read(&ahead, tag);
}

static bool take(struct reader *r, bool is_context, uint8_t number, struct bacnet_tag *tag)
{
    struct reader ahead = *r;
    if (!reader_left(r) || !bacnet_tag_read(&ahead, tag) || tag->is_context != is_context ||
        tag->number != number || tag->is_opening || tag->is_closing)
        return false;
    *r = ahead;
    return true;
}

bool bacnet_context(struct reader *r, uint8_t number, struct reader *content)
{
    struct bacnet_tag tag;
    if (!take(r, true, number, &tag))
        return false;
    *content = tag.content;
    return true;
}

bool bacnet_application(struct reader *r, enum bacnet_type type, struct reader *content)
{
    struct bacnet_tag tag;
    if (!take(r, false, (uint8_t)type, &tag))
        return false;
    *content = tag.content;
    return true;
}

uint32_t bacnet_unsigned(struct reader content)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < 4 && reader_left(&content); i++)
        value = value << 8 | reader_u8(&content);
    return value;
}

bool bacnet_context_number(struct reader *r, uint8_t number, uint32_t *value)
{
    struct reader content;
    if (!bacnet_context(r, number, &content))
        return false;
    *value = bacnet_unsigned(content);
    return true;
}

bool bacnet_application_number(struct reader *r, enum bacnet_type type, uint32_t *value)
{
    struct reader content;
    if (!bacnet_application(r, type, &content))
        return false;
    *value = bacnet_unsigned(content);
    return true;
}

bool bacnet_opening(struct reader *r, uint8_t number)
{
    struct bacnet_tag tag;
    if (!bacnet_tag_peek(r, &tag) || !tag.is_opening || tag.number != number)
        return false;
    return bacnet_tag_read(r, &tag);
}

bool bacnet_closing(struct reader *r, uint8_t number)
{
    struct bacnet_tag tag;
    if (!bacnet_tag_peek(r, &tag) || !tag.is_closing || tag.number != number)
        return false;
    return bacnet_tag_read(r, &tag);
}

bool bacnet_enclosed(struct reader *r, uint8_t number, struct reader *content)
{
    if (!bacnet_opening(r, number))
        return false;
    struct reader begin = *r;
    struct bacnet_tag tag;
    unsigned depth = 1;
    for (;;) {
        const uint8_t *at = r->at;
        if (!bacnet_tag_read(r, &tag))
            return false;
        if (tag.is_opening && ++depth > NESTING_MAX)
            r->is_short = true;
        if (tag.is_closing && --depth == 0) {
            begin.end = at;
            *content = begin;
            return true;
        }
    }
}

bool bacnet_is_balanced(struct reader r)
{
    uint8_t open[NESTING_MAX];
    unsigned depth = 0;
    struct bacnet_tag tag;
    while (reader_left(&r)) {
        if (!bacnet_tag_read(&r, &tag))
            return false;
        if (tag.is_opening) {
            if (depth == NESTING_MAX)
                return false;
            open[depth++] = tag.number;
        }
        if (tag.is_closing && (depth == 0 || open[--depth] != tag.number))
            return false;
    }
    return depth == 0;
}

/* A character of [135] 20.2.9 as UTF-8; the number of bytes. */
static size_t put_utf8(uint8_t *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xc0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c > 0xffff ||
        (c >= 0xd800 && c < 0xe000)) { /* halves of pairs, and beyond: rare in names */
        out[0] = '?';
        return 1;
    }
    out[0] = (uint8_t)(0xe0 | c >> 12);
    out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    out[2] = (uint8_t)(0x80 | (c & 0x3f));
    return 3;
}

/* Characters of `width` bytes, the highest first, as UTF-8 in packet memory. */
static struct text wide_text(struct dissect *d, struct reader r, size_t width)
{
    enum { BYTES_OF_ONE = 3 };
    size_t count = reader_left(&r) / width;
    count = count < WIDE_MAX ? count : WIDE_MAX;
    uint8_t *out = count ? arena_take(d->arena, count * BYTES_OF_ONE) : NULL;
    size_t size = 0;
    for (size_t i = 0; out && i < count; i++) {
        uint32_t c = width == 4 ? reader_u32be(&r) : width == 2 ? reader_u16be(&r) : reader_u8(&r);
        size += put_utf8(out + size, c);
    }
    return size ? (struct text){(const char *)out, size} : (struct text){NULL, 0};
}

struct text bacnet_string(struct dissect *d, struct reader content)
{
    switch (reader_u8(&content)) {
    case CHARACTER_SET_UTF8: {
        size_t size = reader_left(&content);
        return size ? (struct text){(const char *)reader_bytes(&content, size), size}
                    : (struct text){NULL, 0};
    }
    case CHARACTER_SET_UCS4:
        return wide_text(d, content, 4);
    case CHARACTER_SET_UCS2:
        return wide_text(d, content, 2);
    case CHARACTER_SET_LATIN1:
        return wide_text(d, content, 1);
    default: /* code pages of others are not known to us */
        return (struct text){NULL, 0};
    }
}

/* --- names --- */

static void put_text(struct text *t, char *at, const char *words)
{
    size_t size = strlen(words);
    if (t->size + size > NAME_MAX)
        return;
    memcpy(at + t->size, words, size);
    t->size += size;
}

static void put_number(struct text *t, char *at, uint32_t value)
{
    char digits[12];
    size_t n = sizeof digits;
    digits[--n] = '\0';
    do {
        digits[--n] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    put_text(t, at, digits + n);
}

static void put_named(struct text *t, char *at, const char *name, uint32_t number)
{
    if (name)
        put_text(t, at, name);
    else
        put_number(t, at, number);
}

struct text bacnet_property_text(struct dissect *d, const struct bacnet_property *p)
{
    char *at = arena_take(d->arena, NAME_MAX);
    struct text t = {at, 0};
    if (!at)
        return (struct text){NULL, 0};
    uint32_t type = bacnet_object_type(p->object);
    put_named(&t, at, bacnet_object_type_name(type), type);
    put_text(&t, at, ",");
    put_number(&t, at, bacnet_object_instance(p->object));
    if (p->property == BACNET_NO_INDEX)
        return t;
    put_text(&t, at, " ");
    put_named(&t, at, bacnet_property_name(p->property), p->property);
    if (p->index != BACNET_NO_INDEX) {
        put_text(&t, at, "[");
        put_number(&t, at, p->index);
        put_text(&t, at, "]");
    }
    return t;
}

/* --- values --- */

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

struct ot_values bacnet_values(struct dissect *d, struct reader content, const char **type)
{
    struct bacnet_tag tag;
    struct reader all = content;
    *type = NULL;
    if (!reader_left(&content))
        return (struct ot_values){.encoding = VALUES_NONE};
    bool is_simple = bacnet_tag_read(&content, &tag) && !tag.is_context;
    if (is_simple && tag.number < sizeof type_names / sizeof *type_names)
        *type = type_names[tag.number];
    /* a list, and what is built of several elements, is shown as it is */
    if (!is_simple || reader_left(&content))
        return (struct ot_values){VALUES_BYTES, 1, all.at, reader_left(&all)};
    return value_of(d, &tag);
}
