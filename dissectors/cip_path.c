/* cip_path.c: reads EPATHs and spells them.
 *
 * Spec: [CIP1] CIP Networks Library, Volume 1, Appendix C: Data Management (padded EPATH)
 *       [DATA] Rockwell 1756-PM020: Logix5000 Data Access
 *
 * A path is a chain of segments; the upper three bits of each first byte are its type:
 *   000 port | 001 logical (class, instance, member, connection point, attribute, key) | 010
 * network 011 symbolic | 100 data (0x80 words, 0x91 tag name) */
#include "cip_path.h"

#include "decimal.h"

enum {
    SEGMENT_PORT = 0,
    SEGMENT_LOGICAL = 1,
    SEGMENT_NETWORK = 2,
    SEGMENT_SYMBOLIC = 3,
    SEGMENT_DATA = 4,

    LOGICAL_CLASS = 0,
    LOGICAL_INSTANCE = 1,
    LOGICAL_MEMBER = 2,
    LOGICAL_POINT = 3,
    LOGICAL_ATTRIBUTE = 4,
    LOGICAL_SPECIAL = 5,
    LOGICAL_SERVICE = 6,

    SEGMENT_SIMPLE_DATA = 0x80,
    SEGMENT_TAG = 0x91, /* [CIP1] C-1.4.5.2: ANSI extended symbol */
    KEY_SIZE = 8,       /* vendor, device type, product code, revision */
    PORT_EXTENDED = 15,

    NAME_MAX_SIZE = 240,
    ROUTE_TEXT_MAX = 64,
    PLAIN_NAME_MAX = 32, /* three numbers of 32 bits */
};

/* One segment, told apart. */
struct segment {
    uint8_t type;     /* SEGMENT_ */
    uint8_t logical;  /* LOGICAL_ */
    uint32_t value;   /* of a logical segment; port number */
    struct text text; /* of a symbol, or the link address of a port */
    bool is_tag;
};

/* [CIP1] C-1.4.1: | type and port | link size, with bit 0x10 | port 2, when 15 | link | pad | */
static void port_read(struct reader *r, uint8_t first, struct segment *s)
{
    size_t size = 1;
    const struct reader start = *r;
    bool is_long = (first & 0x10) != 0;
    if (is_long)
        size = reader_u8(r);
    s->value = first & 0x0f;
    if (s->value == PORT_EXTENDED)
        s->value = reader_u16le(r);
    s->text.at = (const char *)reader_bytes(r, size);
    s->text.size = s->text.at ? size : 0;
    if (is_long && reader_ok(r) && ((size_t)(r->at - start.at) + 1) % 2 != 0)
        reader_skip(r, 1);
}

/* [CIP1] C-1.4.2: 8 bits, or a pad and 16 or 32. False: a format that does not exist. */
static bool logical_read(struct reader *r, uint8_t first, struct segment *s)
{
    s->logical = first >> 2 & 7;
    if (s->logical == LOGICAL_SPECIAL) {
        if (first != 0x34) /* electronic key is the only one defined */
            return false;
        uint8_t format = reader_u8(r);
        reader_skip(r, KEY_SIZE);
        if (format == 5) /* with a serial number behind */
            reader_skip(r, 4);
        return true;
    }
    switch (first & 3) {
    case 0:
        s->value = reader_u8(r);
        return true;
    case 1:
        reader_skip(r, 1);
        s->value = reader_u16le(r);
        return true;
    case 2: /* instances, members and connection points only */
        reader_skip(r, 1);
        s->value = reader_u32le(r);
        return s->logical != LOGICAL_CLASS;
    default:
        return false;
    }
}

/* Reads one segment; false: its kind is unknown. A short reader is the caller's to notice. */
static bool segment_read(struct reader *r, struct segment *s)
{
    uint8_t first = reader_u8(r);
    size_t size;
    *s = (struct segment){.type = first >> 5};
    switch (s->type) {
    case SEGMENT_PORT:
        port_read(r, first, s);
        return true;
    case SEGMENT_LOGICAL:
        return logical_read(r, first, s);
    case SEGMENT_NETWORK: /* [CIP1] C-1.4.3: one byte, or words from 0x50 on */
        size = first & 0x10 ? (size_t)reader_u8(r) * 2 : 1;
        reader_skip(r, size);
        return true;
    case SEGMENT_SYMBOLIC: /* [CIP1] C-1.4.4: ASCII of 1 to 31 characters */
        size = first & 0x1f;
        s->text = (struct text){(const char *)reader_bytes(r, size), size};
        if (size % 2 == 0)
            reader_skip(r, 1);
        return size != 0;
    case SEGMENT_DATA:
        size = reader_u8(r);
        if (first == SEGMENT_SIMPLE_DATA) {
            reader_skip(r, size * 2);
            return true;
        }
        if (first != SEGMENT_TAG)
            return false;
        s->is_tag = true;
        s->text = (struct text){(const char *)reader_bytes(r, size), size};
        if (size % 2 != 0)
            reader_skip(r, 1);
        return size != 0;
    default:
        return false;
    }
}

static void path_take_logical(struct cip_path *path, const struct segment *s)
{
    switch (s->logical) {
    case LOGICAL_CLASS:
        if (path->class_count == 0)
            path->class_id = s->value;
        if (path->class_count < UINT8_MAX)
            path->class_count++;
        path->target_class = s->value;
        path->has_instance = path->has_attribute = false;
        break;
    case LOGICAL_INSTANCE:
        path->instance = s->value;
        path->has_instance = true;
        break;
    case LOGICAL_ATTRIBUTE:
        path->attribute = s->value;
        path->has_attribute = true;
        break;
    case LOGICAL_MEMBER:
        if (path->index_count < UINT8_MAX)
            path->index_count++;
        break;
    case LOGICAL_POINT:
        if (path->point_count < CIP_POINTS_MAX)
            path->points[path->point_count++] = s->value;
        break;
    default:
        break;
    }
}

/* Is the path plain up to this segment? Before `path` takes it. */
static bool is_plain_step(const struct cip_path *path, const struct segment *s)
{
    if (s->type != SEGMENT_LOGICAL)
        return path->is_plain && (s->type == SEGMENT_PORT || s->text.size == 0);
    switch (s->logical) {
    case LOGICAL_CLASS:
        return path->is_plain && path->class_count == 0 && !path->has_instance &&
               !path->has_attribute;
    case LOGICAL_INSTANCE:
        return path->is_plain && path->class_count && !path->has_instance && !path->has_attribute;
    case LOGICAL_ATTRIBUTE:
        return path->is_plain && path->class_count && !path->has_attribute;
    default:
        return path->is_plain && s->logical >= LOGICAL_SPECIAL;
    }
}

/* Nearly all: | 20 class | 24 instance |, and | 30 attribute | behind it. False: another path. */
static bool path_read_short(struct reader r, struct cip_path *path)
{
    enum { CLASS_8 = 0x20, INSTANCE_8 = 0x24, ATTRIBUTE_8 = 0x30 };
    size_t size = reader_left(&r);
    bool has_attribute = size == 6;
    const uint8_t *at = size == 4 || has_attribute ? reader_bytes(&r, size) : NULL;
    if (!at || at[0] != CLASS_8 || at[2] != INSTANCE_8 || (has_attribute && at[4] != ATTRIBUTE_8))
        return false;
    path->class_id = path->target_class = at[1];
    path->class_count = 1;
    path->instance = at[3];
    path->has_instance = true;
    path->attribute = has_attribute ? at[5] : 0;
    path->has_attribute = has_attribute;
    return true;
}

const char *cip_path_read(struct reader r, struct cip_path *path)
{
    *path = (struct cip_path){.class_id = CIP_CLASS_NONE,
                              .target_class = CIP_CLASS_NONE,
                              .is_plain = true,
                              .route = reader_of(r.at, 0),
                              .bytes = r};
    if (path_read_short(r, path))
        return NULL;
    bool is_route = true;
    while (reader_left(&r)) { /* each turn reads at least the type byte */
        struct segment s;
        bool is_known = segment_read(&r, &s);
        if (!reader_ok(&r))
            return "path segment runs past the end of the path";
        if (!is_known)
            return "unknown path segment";
        if (s.type == SEGMENT_PORT && is_route)
            path->route.end = r.at;
        else if (s.type != SEGMENT_PORT)
            is_route = false;
        path->is_plain = is_plain_step(path, &s);
        if (s.type == SEGMENT_LOGICAL)
            path_take_logical(path, &s);
        if (s.text.size && s.type != SEGMENT_PORT) {
            if (path->symbol_count == 0)
                path->symbol = s.text;
            if (path->symbol_count < UINT8_MAX)
                path->symbol_count++;
        }
    }
    if (path->class_count == 0 && path->symbol_count)
        path->class_id = path->target_class = CIP_CLASS_SYMBOL;
    return NULL;
}

/* --- spelling: digits by hand, since names are made per packet --- */

struct writer {
    char *at, *end;
};

static void put_char(struct writer *w, char c)
{
    if (w->at < w->end)
        *w->at++ = c;
}

static void put_text(struct writer *w, struct text t)
{
    size_t room = (size_t)(w->end - w->at);
    size_t n = t.size < room ? t.size : room;
    if (n) {
        memcpy(w->at, t.at, n);
        w->at += n;
    }
}

static void put_decimal(struct writer *w, uint32_t value)
{
    char digits[DECIMAL_MAX];
    if (value < 10)
        put_char(w, (char)('0' + value));
    else
        put_text(w, (struct text){digits, decimal_put(digits, value)});
}

/* At least two digits. */
static void put_hex(struct writer *w, uint32_t value)
{
    static const char digits[] = "0123456789abcdef";
    unsigned shift = 4;
    while (shift < 28 && value >> (shift + 4))
        shift += 4;
    put_char(w, '0');
    put_char(w, 'x');
    for (;; shift -= 4) {
        put_char(w, digits[value >> shift & 15]);
        if (shift == 0)
            break;
    }
}

static struct writer writer_of(struct dissect *d, size_t size)
{
    char *at = arena_take_unset(d->arena, size);
    return (struct writer){at, at ? at + size : at};
}

static struct text writer_text(const struct writer *w, const char *start)
{
    return (struct text){start, start ? (size_t)(w->at - start) : 0};
}

static struct text tag_name(struct dissect *d, const struct cip_path *path)
{
    size_t size =
        reader_left(&path->bytes) * 4; /* an index of 2 bytes takes 5, one of 6 takes 12 */
    struct writer w = writer_of(d, size < NAME_MAX_SIZE ? size : NAME_MAX_SIZE);
    const char *start = w.at;
    struct reader r = path->bytes;
    bool is_open = false; /* a bracket is */
    while (reader_left(&r)) {
        struct segment s;
        if (!segment_read(&r, &s) || !reader_ok(&r))
            break;
        bool is_index = s.type == SEGMENT_LOGICAL && s.logical == LOGICAL_MEMBER;
        if (is_open && !is_index) {
            put_char(&w, ']');
            is_open = false;
        }
        if (is_index) {
            put_char(&w, is_open ? ',' : '[');
            put_decimal(&w, s.value);
            is_open = true;
        } else if (s.text.size && s.type != SEGMENT_PORT) {
            if (w.at != start)
                put_char(&w, '.');
            put_text(&w, s.text);
        }
    }
    if (is_open)
        put_char(&w, ']');
    return writer_text(&w, start);
}

/* "0x8e/1", "0x68/8228/0x6a/17": every class with its instance, then the attribute and the indices.
 */
static struct text object_name(struct dissect *d, const struct cip_path *path)
{
    struct writer w = writer_of(d, NAME_MAX_SIZE / 4);
    const char *start = w.at;
    struct reader r = path->bytes;
    while (reader_left(&r)) {
        struct segment s;
        if (!segment_read(&r, &s) || !reader_ok(&r))
            break;
        if (s.type == SEGMENT_PORT || s.type == SEGMENT_NETWORK ||
            (s.type == SEGMENT_LOGICAL && s.logical >= LOGICAL_SPECIAL))
            continue;
        if (s.type == SEGMENT_LOGICAL || s.text.size) {
            if (w.at != start)
                put_char(&w, '/');
            if (s.type != SEGMENT_LOGICAL)
                put_text(&w, s.text);
            else if (s.logical == LOGICAL_CLASS)
                put_hex(&w, s.value);
            else
                put_decimal(&w, s.value);
        }
    }
    return writer_text(&w, start);
}

/* The same of a plain path, from what was read of it. */
static struct text plain_name(struct dissect *d, const struct cip_path *path)
{
    struct writer w = writer_of(d, PLAIN_NAME_MAX);
    const char *start = w.at;
    put_hex(&w, path->class_id);
    if (path->has_instance) {
        put_char(&w, '/');
        put_decimal(&w, path->instance);
    }
    if (path->has_attribute) {
        put_char(&w, '/');
        put_decimal(&w, path->attribute);
    }
    return writer_text(&w, start);
}

struct text cip_path_name(struct dissect *d, const struct cip_path *path)
{
    if (path->is_plain && path->class_count)
        return plain_name(d, path);
    if (path->class_count == 0 && path->symbol_count == 1 && path->index_count == 0)
        return path->symbol;
    if (path->class_count == 0 && path->symbol_count)
        return tag_name(d, path);
    return object_name(d, path);
}

struct text cip_attribute_name(struct dissect *d, uint32_t class_id, uint32_t instance,
                               uint32_t attribute)
{
    struct writer w = writer_of(d, PLAIN_NAME_MAX);
    const char *start = w.at;
    put_hex(&w, class_id);
    put_char(&w, '/');
    put_decimal(&w, instance);
    put_char(&w, '/');
    put_decimal(&w, attribute);
    return writer_text(&w, start);
}

/* A link address of one byte is a slot or node number, a longer one text (an IP address). */
struct text cip_route_text(struct dissect *d, struct reader route)
{
    struct writer w;
    const char *start = NULL;
    w.at = w.end = NULL;
    while (reader_left(&route)) {
        struct segment s;
        if (!segment_read(&route, &s) || !reader_ok(&route) || s.type != SEGMENT_PORT)
            break;
        if (!start) {
            w = writer_of(d, ROUTE_TEXT_MAX);
            start = w.at;
        } else {
            put_char(&w, '/');
        }
        put_decimal(&w, s.value);
        put_char(&w, '/');
        if (s.text.size == 1)
            put_decimal(&w, (uint8_t)s.text.at[0]);
        else
            put_text(&w, s.text);
    }
    return writer_text(&w, start);
}
