/* cip_types.c: CIP elementary data types.
 *
 * Spec: [CIP1] CIP Networks Library, Volume 1, Appendix C-6.1: Elementary Data Type Reporting
 *       [DATA] Rockwell 1756-PM020: Logix5000 Data Access (structures, the STRING type) */
#include "cip_types.h"

enum {
    TYPE_BOOL = 0xc1,
    TYPE_STRING = 0xd0,       /* size 2, characters */
    TYPE_SHORT_STRING = 0xda, /* size 1, characters */
    TYPE_STRUCTURE = 0x02a0,
    HANDLE_STRING = 0x0fce, /* [DATA] the STRING structure: size 4, 82 characters */
};

static const struct cip_type types[] = {
    {0xc1, 0, "bool",         VALUES_U8,    1},
    {0xc2, 0, "sint",         VALUES_I8,    1},
    {0xc3, 0, "int",          VALUES_I16LE, 2},
    {0xc4, 0, "dint",         VALUES_I32LE, 4},
    {0xc5, 0, "lint",         VALUES_I64LE, 8},
    {0xc6, 0, "usint",        VALUES_U8,    1},
    {0xc7, 0, "uint",         VALUES_U16LE, 2},
    {0xc8, 0, "udint",        VALUES_U32LE, 4},
    {0xc9, 0, "ulint",        VALUES_U64LE, 8},
    {0xca, 0, "real",         VALUES_F32LE, 4},
    {0xcb, 0, "lreal",        VALUES_F64LE, 8},
    {0xcc, 0, "stime",        VALUES_I32LE, 4},
    {0xcd, 0, "date",         VALUES_U16LE, 2},
    {0xce, 0, "tod",          VALUES_U32LE, 4},
    {0xd0, 0, "string",       VALUES_TEXT,  0},
    {0xd1, 0, "byte",         VALUES_U8,    1},
    {0xd2, 0, "word",         VALUES_U16LE, 2},
    {0xd3, 0, "dword",        VALUES_U32LE, 4},
    {0xd4, 0, "lword",        VALUES_U64LE, 8},
    {0xd6, 0, "ftime",        VALUES_I32LE, 4},
    {0xd7, 0, "ltime",        VALUES_I64LE, 8},
    {0xd8, 0, "itime",        VALUES_I16LE, 2},
    {0xda, 0, "short_string", VALUES_TEXT,  0},
    {0xdb, 0, "time",         VALUES_I32LE, 4},
};

struct cip_type cip_type_read(struct reader *r)
{
    struct cip_type type = {.code = reader_u16le(r), .encoding = VALUES_BYTES};
    if (type.code == TYPE_STRUCTURE) {
        type.handle = reader_u16le(r);
        type.name = type.handle == HANDLE_STRING ? "string" : "structure";
        type.encoding = type.handle == HANDLE_STRING ? VALUES_TEXT : VALUES_BYTES;
        return type;
    }
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].code == type.code)
            return types[i];
    return type;
}

static struct ot_values text_values(const struct cip_type *type, struct reader r)
{
    size_t size = type->code == TYPE_STRUCTURE      ? reader_u32le(&r)
                  : type->code == TYPE_SHORT_STRING ? reader_u8(&r)
                                                    : reader_u16le(&r);
    size_t left = reader_left(&r);
    if (size > left)
        size = left;
    if (!reader_ok(&r))
        return (struct ot_values){.encoding = VALUES_NONE};
    return (struct ot_values){VALUES_TEXT, 1, r.at, size};
}

struct ot_values cip_values(const struct cip_type *type, struct reader r)
{
    size_t left = reader_left(&r);
    if (left == 0)
        return (struct ot_values){.encoding = VALUES_NONE};
    if (type->encoding == VALUES_TEXT)
        return text_values(type, r);
    if (type->size == 0)
        return (struct ot_values){VALUES_BYTES, 1, r.at, left};
    uint32_t count = (uint32_t)(left / type->size);
    if (count == 0)
        return (struct ot_values){VALUES_BYTES, 1, r.at, left};
    enum ot_encoding encoding = type->encoding;
    if (type->code == TYPE_BOOL && count == 1)
        encoding = VALUES_BITS; /* [DATA] true may be 1 or 0xff */
    return (struct ot_values){encoding, count, r.at, (size_t)count * type->size};
}
