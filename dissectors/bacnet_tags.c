/* bacnet_tags.c: BACnet's tagged encoding: tags, texts, objects and properties.
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
        reader_fail(r); /* [135] 20.2.1.3: opening and closing are context tags */
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
            reader_fail(r);
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

static bool is_zeros(struct reader r)
{
    while (reader_left(&r))
        if (reader_u8(&r) != 0)
            return false;
    return true;
}

struct reader bacnet_without_padding(struct reader r)
{
    struct reader rest = r;
    struct bacnet_tag tag;
    unsigned depth = 0;
    while (reader_left(&rest)) {
        if (depth == 0 && is_zeros(rest)) { /* nulls, which no parameter is */
            r.end = rest.at;
            return r;
        }
        if (!bacnet_tag_read(&rest, &tag) || (tag.is_closing && depth == 0))
            return r;
        depth += tag.is_opening;
        depth -= tag.is_closing;
    }
    return r;
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
    char *at = arena_take_unset(d->arena, NAME_MAX);
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
