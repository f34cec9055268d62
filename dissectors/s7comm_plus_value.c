/* s7comm_plus_value.c: numbers, typed values and objects of S7comm-plus.
 *
 *   value:  | flags 1: array 0x10, addresses 0x20, sparse 0x40 | type 1 | content |
 *   array:  | count | contents |     sparse: | key | content |, ... | 0 |
 *   struct: | id 4 | | member | value |, ... | 0 |
 *   object: | a1 | relation 4 | class | class flags | attribute | members | a2 |
 *   members: a3 | id | value |, a4 | relation 4 |, a7 ... (descriptions), objects */
#include "s7comm_plus.h"

enum {
    DEPTH_MAX = 16,
    FLAG_ARRAY = 0x10,
    FLAG_ADDRESSES = 0x20,
    FLAG_SPARSE = 0x40,
    TAG_OBJECT_END = 0xa2,
    TAG_ATTRIBUTE = 0xa3,
    TAG_RELATION = 0xa4,
    VLQ32_BYTES = 5,
    VLQ64_BYTES = 9,
};

enum type {
    TYPE_NULL = 0x00,
    TYPE_BOOL = 0x01,
    TYPE_USINT = 0x02,
    TYPE_UINT = 0x03,
    TYPE_UDINT = 0x04,
    TYPE_ULINT = 0x05,
    TYPE_SINT = 0x06,
    TYPE_INT = 0x07,
    TYPE_DINT = 0x08,
    TYPE_LINT = 0x09,
    TYPE_BYTE = 0x0a,
    TYPE_WORD = 0x0b,
    TYPE_DWORD = 0x0c,
    TYPE_LWORD = 0x0d,
    TYPE_REAL = 0x0e,
    TYPE_LREAL = 0x0f,
    TYPE_TIMESTAMP = 0x10,
    TYPE_TIMESPAN = 0x11,
    TYPE_RID = 0x12,
    TYPE_AID = 0x13,
    TYPE_BLOB = 0x14,
    TYPE_WSTRING = 0x15,
    TYPE_STRUCT = 0x17,
    TYPE_COUNT = 0x18,
};

enum form { FORM_FIXED, FORM_UNSIGNED, FORM_SIGNED, FORM_BLOB, FORM_TEXT, FORM_STRUCT, FORM_NONE };

static const struct kind {
    const char *name;
    enum form form;
    uint8_t size; /* of FORM_FIXED */
    enum ot_encoding encoding;
} kinds[TYPE_COUNT] = {
    [TYPE_NULL] = {"null",      FORM_FIXED,    0, VALUES_NONE },
    [TYPE_BOOL] = {"bool",      FORM_FIXED,    1, VALUES_U8   },
    [TYPE_USINT] = {"usint",     FORM_FIXED,    1, VALUES_U8   },
    [TYPE_UINT] = {"uint",      FORM_FIXED,    2, VALUES_U16BE},
    [TYPE_UDINT] = {"udint",     FORM_UNSIGNED, 0, VALUES_U64LE},
    [TYPE_ULINT] = {"ulint",     FORM_UNSIGNED, 0, VALUES_U64LE},
    [TYPE_SINT] = {"sint",      FORM_FIXED,    1, VALUES_I8   },
    [TYPE_INT] = {"int",       FORM_FIXED,    2, VALUES_I16BE},
    [TYPE_DINT] = {"dint",      FORM_SIGNED,   0, VALUES_I64LE},
    [TYPE_LINT] = {"lint",      FORM_SIGNED,   0, VALUES_I64LE},
    [TYPE_BYTE] = {"byte",      FORM_FIXED,    1, VALUES_U8   },
    [TYPE_WORD] = {"word",      FORM_FIXED,    2, VALUES_U16BE},
    [TYPE_DWORD] = {"dword",     FORM_FIXED,    4, VALUES_U32BE},
    [TYPE_LWORD] = {"lword",     FORM_FIXED,    8, VALUES_U64BE},
    [TYPE_REAL] = {"real",      FORM_FIXED,    4, VALUES_F32BE},
    [TYPE_LREAL] = {"lreal",     FORM_FIXED,    8, VALUES_F64BE},
    [TYPE_TIMESTAMP] = {"timestamp", FORM_FIXED,    8, VALUES_U64BE},
    [TYPE_TIMESPAN] = {"timespan",  FORM_SIGNED,   0, VALUES_I64LE},
    [TYPE_RID] = {"rid",       FORM_FIXED,    4, VALUES_U32BE},
    [TYPE_AID] = {"aid",       FORM_UNSIGNED, 0, VALUES_U64LE},
    [TYPE_BLOB] = {"blob",      FORM_BLOB,     0, VALUES_BYTES},
    [TYPE_WSTRING] = {"wstring",   FORM_TEXT,     0, VALUES_TEXT },
    [0x16] = {NULL,        FORM_NONE,     0, VALUES_NONE },
    [TYPE_STRUCT] = {"struct",    FORM_STRUCT,   0, VALUES_NONE },
};

/* --- numbers --- */

static uint64_t read_number(struct reader *r, unsigned bytes_max, bool is_signed)
{
    uint64_t n = is_signed && (reader_peek(r) & 0x40) ? UINT64_MAX : 0;
    for (unsigned i = 0; i < bytes_max; i++) {
        uint8_t byte = reader_u8(r);
        if (i == VLQ64_BYTES - 1)
            return n << 8 | byte;
        n = n << 7 | (byte & 0x7f);
        if (!(byte & 0x80))
            return n;
    }
    reader_fail(r); /* it does not end */
    return 0;
}

uint32_t s7plus_number(struct reader *r)
{
    return (uint32_t)read_number(r, VLQ32_BYTES, false);
}

uint64_t s7plus_long(struct reader *r)
{
    return read_number(r, VLQ64_BYTES, false);
}

/* --- values --- */

static struct text text_in(struct reader r)
{
    return (struct text){(const char *)r.at, reader_left(&r)};
}

static void keep_number(struct dissect *d, struct ot_item *item, enum ot_encoding encoding,
                        uint64_t n)
{
    uint8_t *wide = arena_take(d->arena, 8);
    if (!wide)
        return;
    for (int i = 0; i < 8; i++)
        wide[i] = (uint8_t)(n >> (8 * i));
    item->values = (struct ot_values){encoding, 1, wide, 8};
}

/* What a named number means, wherever it stands. */
static void note_number(struct s7plus_found *found, uint32_t id, uint64_t n)
{
    if (id == S7PLUS_ID_OPERATING_STATE) {
        found->operating_state = (uint32_t)n;
        found->has_operating_state = true;
    }
}

static void note_text(struct s7plus_found *found, uint32_t id, struct text text)
{
    struct text *place = id == S7PLUS_ID_NAME                 ? &found->name
                         : id == S7PLUS_ID_VERSION_STRING     ? &found->version
                         : id == S7PLUS_ID_CLIENT_HOST        ? &found->host
                         : id == S7PLUS_ID_CLIENT_APPLICATION ? &found->application
                                                              : NULL;
    if (place && !place->size)
        *place = text;
}

static bool read_struct(struct dissect *d, struct reader *r, struct s7plus_found *found,
                        unsigned depth);

/* One content of a type; id: of the attribute or member it belongs to. */
static bool read_content(struct dissect *d, struct reader *r, const struct kind *kind, uint32_t id,
                         struct ot_item *item, struct s7plus_found *found, unsigned depth)
{
    struct reader content;
    uint64_t n;
    switch (kind->form) {
    case FORM_FIXED:
        content = reader_take(r, kind->size);
        if (item)
            item->values = (struct ot_values){kind->encoding, kind->size ? 1 : 0, content.at,
                                              reader_left(&content)};
        break;
    case FORM_UNSIGNED:
    case FORM_SIGNED:
        n = read_number(r, VLQ64_BYTES, kind->form == FORM_SIGNED);
        note_number(found, id, n);
        if (item && reader_ok(r))
            keep_number(d, item, kind->encoding, n);
        break;
    case FORM_BLOB:
        if (s7plus_number(r) != 0) /* of an object of its own: eight bytes more */
            reader_skip(r, 8);
        content = reader_take(r, s7plus_number(r));
        if (reader_left(&content) > found->blob_greatest)
            found->blob_greatest = reader_left(&content);
        if (!found->blob.at)
            found->blob = content;
        if (item)
            item->values = (struct ot_values){VALUES_BYTES, 1, content.at, reader_left(&content)};
        break;
    case FORM_TEXT:
        content = reader_take(r, s7plus_number(r));
        if (reader_ok(r))
            note_text(found, id, text_in(content));
        if (item)
            item->values = (struct ot_values){VALUES_TEXT, 1, content.at, reader_left(&content)};
        break;
    case FORM_STRUCT:
        return read_struct(d, r, found, depth + 1);
    case FORM_NONE:
        return false;
    }
    return reader_ok(r);
}

/* Arrays: those of fixed size stay as they are. */
static bool read_array(struct dissect *d, struct reader *r, const struct kind *kind,
                       struct ot_item *item, struct s7plus_found *found, unsigned depth)
{
    uint32_t count = s7plus_number(r);
    if (item)
        item->count = count;
    if (kind->form == FORM_FIXED) {
        if (kind->size && count > reader_left(r) / kind->size) {
            reader_fail(r);
            return false;
        }
        struct reader content = reader_take(r, (size_t)count * kind->size);
        if (item && kind->size)
            item->values =
                (struct ot_values){kind->encoding, count, content.at, reader_left(&content)};
        return reader_ok(r);
    }
    for (uint32_t i = 0; i < count; i++) /* each takes at least a byte */
        if (!read_content(d, r, kind, 0, i ? NULL : item, found, depth))
            return false;
    return reader_ok(r);
}

static bool read_sparse(struct dissect *d, struct reader *r, const struct kind *kind,
                        struct s7plus_found *found, unsigned depth)
{
    while (reader_left(r) && s7plus_number(r) != 0)
        if (!read_content(d, r, kind, 0, NULL, found, depth))
            return false;
    return reader_ok(r);
}

static bool read_value(struct dissect *d, struct reader *r, uint32_t id, struct ot_item *item,
                       struct s7plus_found *found, unsigned depth)
{
    uint8_t flags = reader_u8(r), type = reader_u8(r);
    if (!reader_ok(r) || type >= TYPE_COUNT || !kinds[type].name || depth > DEPTH_MAX)
        return false;
    const struct kind *kind = &kinds[type];
    if (item) {
        item->type = kind->name;
        item->count = 1;
    }
    if (flags & (FLAG_ARRAY | FLAG_ADDRESSES))
        return read_array(d, r, kind, item, found, depth);
    if (flags & FLAG_SPARSE)
        return read_sparse(d, r, kind, found, depth);
    return read_content(d, r, kind, id, item, found, depth);
}

/* Packed ones carry the bytes of a data block: | 8 | flags | count | [count] | bytes | */
static bool is_packed(uint32_t id)
{
    return (id > 0x90000000u && id < 0x9fffffffu) || (id > 0x02000000u && id < 0x02ffffffu);
}

static bool read_struct(struct dissect *d, struct reader *r, struct s7plus_found *found,
                        unsigned depth)
{
    enum { FLAG_SECOND_COUNT = 0x400 };
    uint32_t id = reader_u32be(r);
    if (depth > DEPTH_MAX)
        return false;
    if (is_packed(id)) {
        reader_skip(r, 8);
        uint32_t flags = s7plus_number(r), count = s7plus_number(r);
        if (flags & FLAG_SECOND_COUNT)
            count = s7plus_number(r);
        reader_skip(r, count);
        return reader_ok(r);
    }
    while (reader_left(r)) {
        uint32_t member = s7plus_number(r);
        if (member == 0)
            return reader_ok(r);
        if (!read_value(d, r, member, NULL, found, depth))
            return false;
    }
    return false;
}

bool s7plus_value(struct dissect *d, struct reader *r, struct ot_item *item,
                  struct s7plus_found *found, unsigned depth)
{
    return read_value(d, r, 0, item, found, depth);
}

/* --- objects --- */

void s7plus_objects(struct dissect *d, struct reader *r, struct s7plus_found *found)
{
    unsigned open = 0;
    while (reader_left(r)) {
        uint32_t id;
        switch (reader_u8(r)) {
        case S7PLUS_TAG_OBJECT:
            reader_skip(r, 4);
            id = s7plus_number(r);
            if (!found->class_first)
                found->class_first = id;
            (void)s7plus_number(r); /* class flags */
            (void)s7plus_number(r); /* attribute */
            open++;
            break;
        case TAG_OBJECT_END:
            if (open == 0 || --open == 0)
                return;
            break;
        case TAG_ATTRIBUTE:
            id = s7plus_number(r);
            if (!read_value(d, r, id, NULL, found, 0))
                return;
            break;
        case TAG_RELATION:
            (void)s7plus_number(r);
            reader_skip(r, 4);
            break;
        default:
            return; /* descriptions of tags and types: not looked into */
        }
    }
}
