/* tls_ja3.c: the MD5 of the numbers in a hello, as threat lists name TLS programs.
 *
 * Spec: [JA3] "JA3 - a method for profiling SSL/TLS clients", Salesforce 2017
 *       [8701] RFC 8701 GREASE: values that mean nothing and change with every hello
 *
 *   client: version , cipher suites , extensions , groups , point formats
 *   server: version , cipher suite , extensions
 *
 * decimal, joined by '-' within a list; GREASE is left out. Numbers go straight into the hash. */
#include "tls_ja3.h"

#include "decimal.h"

#include <nettle/md5.h>

enum {
    RANDOM_SIZE = 32,
    EXTENSION_GROUPS = 10,
    EXTENSION_FORMATS = 11,
    EXTENSIONS_MAX = 128,
};

static void add_char(struct md5_ctx *md5, char c)
{
    md5_update(md5, 1, (const uint8_t *)&c);
}

static void add_number(struct md5_ctx *md5, unsigned value, bool *is_first)
{
    char digits[DECIMAL_MAX];
    size_t size = decimal_put(digits, value);
    if (!*is_first)
        add_char(md5, '-');
    *is_first = false;
    md5_update(md5, size, (const uint8_t *)digits);
}

/* [8701] 2: 0x0a0a, 0x1a1a and so on. */
static bool is_grease(uint16_t value)
{
    return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

static void add_list(struct md5_ctx *md5, struct reader list)
{
    bool is_first = true;
    add_char(md5, ',');
    while (reader_left(&list) >= 2) {
        uint16_t value = reader_u16be(&list);
        if (!is_grease(value))
            add_number(md5, value, &is_first);
    }
}

/* The types in order; the groups and the point formats are taken out on the way. */
static bool add_extensions(struct md5_ctx *md5, struct reader list, struct reader *groups,
                           struct reader *formats)
{
    bool is_first = true;
    add_char(md5, ',');
    for (int i = 0; i < EXTENSIONS_MAX && reader_left(&list); i++) {
        uint16_t type = reader_u16be(&list);
        uint16_t size = reader_u16be(&list);
        struct reader extension = reader_take(&list, size);
        if (!reader_ok(&list))
            return false;
        if (!is_grease(type))
            add_number(md5, type, &is_first);
        if (type == EXTENSION_GROUPS) {
            uint16_t inner = reader_u16be(&extension);
            *groups = reader_take(&extension, inner);
        } else if (type == EXTENSION_FORMATS) {
            uint8_t inner = reader_u8(&extension);
            *formats = reader_take(&extension, inner);
        }
    }
    return true;
}

static struct text digest_text(struct dissect *d, struct md5_ctx *md5)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t digest[MD5_DIGEST_SIZE];
    char *out = arena_take(d->arena, (size_t)2 * MD5_DIGEST_SIZE);
    md5_digest(md5, sizeof digest, digest);
    for (size_t i = 0; out && i < sizeof digest; i++) {
        out[2 * i] = hex[digest[i] >> 4];
        out[2 * i + 1] = hex[digest[i] & 15];
    }
    return out ? (struct text){out, (size_t)2 * MD5_DIGEST_SIZE} : (struct text){NULL, 0};
}

struct text tls_ja3(struct dissect *d, bool is_client, struct reader hello)
{
    struct md5_ctx md5;
    struct reader list = {0}, groups = {0}, formats = {0};
    bool is_first = true;
    uint16_t version = reader_u16be(&hello);
    reader_skip(&hello, RANDOM_SIZE);
    uint8_t session = reader_u8(&hello);
    reader_skip(&hello, session);
    uint16_t size = is_client ? reader_u16be(&hello) : 2;
    struct reader ciphers = reader_take(&hello, size);
    uint8_t compressions = is_client ? reader_u8(&hello) : 1;
    reader_skip(&hello, compressions);
    if (!reader_ok(&hello))
        return (struct text){NULL, 0};
    if (reader_left(&hello)) {
        uint16_t all = reader_u16be(&hello);
        list = reader_take(&hello, all);
    }
    md5_init(&md5);
    add_number(&md5, version, &is_first);
    add_list(&md5, ciphers);
    if (!reader_ok(&hello) || !add_extensions(&md5, list, &groups, &formats))
        return (struct text){NULL, 0};
    if (is_client) {
        add_list(&md5, groups);
        add_char(&md5, ',');
        for (is_first = true; reader_left(&formats);)
            add_number(&md5, reader_u8(&formats), &is_first);
    }
    return digest_text(d, &md5);
}
