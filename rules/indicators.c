/* indicators.c: indicator files, and looking values up in one hash table. */
#include "rules/indicators_read.h"

#include "sensor/base/hash.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FILE_SIZE_MAX = 64 << 20,
    BLOCK_SIZE = 1 << 16, /* of texts */
};

struct block {
    struct block *next;
    size_t used;
    char text[BLOCK_SIZE];
};

struct indicators {
    struct indicator *all;
    size_t count, room, skipped;
    uint32_t *slots; /* index + 1; 0: free. At most half full */
    size_t slot_count;
    struct block *blocks;
};

static const char *const kind_names[] = {[INDICATOR_IP] = "address",
                                         [INDICATOR_DOMAIN] = "name",
                                         [INDICATOR_URL] = "URL",
                                         [INDICATOR_JA3] = "JA3 fingerprint",
                                         [INDICATOR_HASH] = "file hash"};

const char *indicator_kind_name(enum indicator_kind kind)
{
    return kind_names[kind];
}

/* --- the table --- */

static const char *keep_text(struct indicators *in, const char *text, size_t size)
{
    if (!in->blocks || in->blocks->used + size + 1 > BLOCK_SIZE) {
        struct block *block = malloc(sizeof *block);
        if (!block)
            return NULL;
        block->next = in->blocks;
        block->used = 0;
        in->blocks = block;
    }
    char *at = in->blocks->text + in->blocks->used;
    memcpy(at, text, size);
    at[size] = '\0';
    in->blocks->used += size + 1;
    return at;
}

static uint64_t value_hash(enum indicator_kind kind, const char *value, size_t size)
{
    return hash_mix(hash_bytes(value, size), kind);
}

static size_t slot_of(const struct indicators *in, enum indicator_kind kind, const char *value,
                      size_t size)
{
    size_t at = value_hash(kind, value, size) & (in->slot_count - 1);
    while (in->slots[at]) {
        const struct indicator *i = &in->all[in->slots[at] - 1];
        if (i->kind == kind && strlen(i->value) == size && memcmp(i->value, value, size) == 0)
            break;
        at = (at + 1) & (in->slot_count - 1);
    }
    return at;
}

static bool grow(struct indicators *in)
{
    size_t room = in->room ? in->room * 2 : 256;
    struct indicator *all = realloc(in->all, room * sizeof *all);
    if (!all)
        return false;
    in->all = all;
    uint32_t *slots = calloc(room * 4, sizeof *slots);
    if (!slots)
        return false;
    free(in->slots);
    in->slots = slots;
    in->slot_count = room * 4;
    in->room = room;
    for (size_t i = 0; i < in->count; i++)
        in->slots[slot_of(in, all[i].kind, all[i].value, strlen(all[i].value))] = (uint32_t)i + 1;
    return true;
}

bool indicators_add(struct indicators *in, const struct indicator *i, struct error *err)
{
    if (in->count == in->room && !grow(in))
        return error_set(err, "out of memory for indicators");
    size_t at = slot_of(in, i->kind, i->value, strlen(i->value));
    if (in->slots[at]) { /* several lists name the same: the first is told, as long as any holds */
        struct indicator *known = &in->all[in->slots[at] - 1];
        if (known->until_ns < i->until_ns)
            known->until_ns = i->until_ns;
        return true;
    }
    if (in->count == INDICATORS_MAX)
        return error_set(err, "more than %d indicators", INDICATORS_MAX);
    const char *value = keep_text(in, i->value, strlen(i->value));
    const char *about = keep_text(in, i->about, strlen(i->about));
    if (!value || !about)
        return error_set(err, "out of memory for indicators");
    in->all[in->count] = *i;
    in->all[in->count].value = value;
    in->all[in->count].about = about;
    in->slots[at] = (uint32_t)++in->count;
    return true;
}

/* --- values --- */

static bool is_hex(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!isxdigit((unsigned char)text[i]))
            return false;
    return true;
}

/* [RFC 3986] 6.2.2.1 and 6.2.3: scheme and host in small letters, no port that goes without saying,
 * "/" for no path. */
static void fold_url(char url[INDICATOR_VALUE_MAX])
{
    char *host = strstr(url, "://");
    if (!host)
        return;
    host += strlen("://");
    char *end = host + strcspn(host, "/?#");
    for (char *c = url; c < end; c++)
        *c = (char)tolower((unsigned char)*c);
    const char *usual = strncmp(url, "http:", 5) == 0    ? ":80"
                        : strncmp(url, "https:", 6) == 0 ? ":443"
                                                         : "";
    size_t size = strlen(usual);
    if (size > 0 && end - host > (ptrdiff_t)size && memcmp(end - size, usual, size) == 0) {
        memmove(end - size, end, strlen(end) + 1);
        end -= size;
    }
    size_t rest = strlen(end);
    if (*end != '/' && (size_t)(end - url) + rest + 2 <= INDICATOR_VALUE_MAX) {
        memmove(end + 1, end, rest + 1);
        *end = '/';
    }
}

/* False: it does not fit, or is nothing. */
static bool fold(enum indicator_kind kind, const char *text, size_t size,
                 char out[INDICATOR_VALUE_MAX])
{
    struct address ip;
    if (size == 0 || size >= INDICATOR_VALUE_MAX || memchr(text, '\0', size))
        return false;
    for (size_t i = 0; i < size; i++)
        out[i] = (char)(kind == INDICATOR_URL ? text[i] : tolower((unsigned char)text[i]));
    out[size] = '\0';
    if (kind == INDICATOR_URL)
        fold_url(out);
    if (kind == INDICATOR_DOMAIN && out[size - 1] == '.')
        out[size - 1] = '\0';
    if (kind == INDICATOR_IP && size < ADDRESS_TEXT_SIZE && address_parse(&ip, out))
        address_print(out, &ip);
    return true;
}

static bool is_value(enum indicator_kind kind, const char *value)
{
    struct address ip;
    size_t size = strlen(value);
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)value[i] <= ' ' || value[i] == 0x7f)
            return false;
    switch (kind) {
    case INDICATOR_IP:
        return size < ADDRESS_TEXT_SIZE && address_parse(&ip, value);
    case INDICATOR_DOMAIN:
        return strchr(value, '.') && !strpbrk(value, "/:@*");
    case INDICATOR_URL:
        return strstr(value, "://") != NULL;
    case INDICATOR_JA3:
        return size == 32 && is_hex(value, size);
    case INDICATOR_HASH:
        return (size == 32 || size == 40 || size == 64) && is_hex(value, size);
    default:
        return false;
    }
}

bool indicators_normalise(enum indicator_kind kind, const char *text, size_t size,
                          char out[INDICATOR_VALUE_MAX])
{
    return fold(kind, text, size, out) && is_value(kind, out);
}

/* --- files --- */

bool indicators_parse(struct indicators **indicators, const char *text, size_t size,
                      const char *name, struct error *err)
{
    if (!*indicators)
        *indicators = calloc(1, sizeof **indicators);
    struct indicators *in = *indicators;
    const char *slash = strrchr(name, '/');
    const char *kept = NULL;
    char file[128];
    text_copy(file, sizeof file, text_of(slash ? slash + 1 : name));
    if (!in || (in->room == 0 && !grow(in)) || !(kept = keep_text(in, file, strlen(file))))
        return error_set(err, "out of memory for indicators");
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* byte order mark */
        text += 3;
        size -= 3;
    }
    size_t first = 0;
    while (first < size && isspace((unsigned char)text[first]))
        first++;
    if (first < size && text[first] == '{')
        return indicators_stix(in, text, size, kept, err);
    return indicators_csv(in, text, size, kept, err);
}

static bool read_file(struct indicators **in, const char *path, struct error *err)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return error_set(err, "cannot open indicators %s: %s", path, strerror(errno));
    size_t room = 1 << 16, size = 0;
    char *text = malloc(room);
    bool ok = text != NULL;
    while (ok) {
        size += fread(text + size, 1, room - size, file);
        if (size < room)
            break;
        char *more = room < FILE_SIZE_MAX ? realloc(text, room * 2) : NULL;
        ok = more != NULL;
        if (more) {
            text = more;
            room *= 2;
        }
    }
    if (!ok)
        error_set(err, "indicators %s: larger than 64 MB, or out of memory", path);
    else if (ferror(file))
        ok = error_set(err, "cannot read indicators %s", path);
    ok = ok && indicators_parse(in, text, size, path, err);
    free(text);
    fclose(file);
    return ok;
}

struct indicators *indicators_load(const struct config_list *files, struct error *err)
{
    struct indicators *in = NULL;
    for (size_t i = 0; i < files->count; i++) {
        if (!read_file(&in, files->items[i], err)) {
            indicators_destroy(in);
            return NULL;
        }
    }
    return in;
}

void indicators_destroy(struct indicators *in)
{
    if (!in)
        return;
    while (in->blocks) {
        struct block *next = in->blocks->next;
        free(in->blocks);
        in->blocks = next;
    }
    free(in->slots);
    free(in->all);
    free(in);
}

void indicators_print(const struct indicators *in, FILE *out)
{
    /* those of a file stand beside each other */
    for (size_t i = 0, next; i < in->count; i = next) {
        uint64_t sum = 0;
        for (next = i; next < in->count && strcmp(in->all[next].file, in->all[i].file) == 0; next++)
            sum += hash_mix_stable(hash_stable(in->all[next].value, strlen(in->all[next].value)),
                                   (uint64_t)in->all[next].until_ns ^ in->all[next].kind);
        fprintf(out, "%s: %zu indicators, version %08llx\n", in->all[i].file, next - i,
                (unsigned long long)(sum & UINT32_MAX));
    }
}

size_t indicators_count(const struct indicators *in)
{
    return in ? in->count : 0;
}

void indicators_skip(struct indicators *in)
{
    in->skipped++;
}

size_t indicators_skipped(const struct indicators *in)
{
    return in ? in->skipped : 0;
}

/* --- looking up --- */

static const struct indicator *find(const struct indicators *in, enum indicator_kind kind,
                                    const char *value, size_t size, int64_t time_ns)
{
    uint32_t slot = in->slots[slot_of(in, kind, value, size)];
    if (slot == 0 || in->all[slot - 1].until_ns <= time_ns)
        return NULL;
    return &in->all[slot - 1];
}

const struct indicator *indicators_ip(const struct indicators *in, const struct address *ip,
                                      int64_t time_ns)
{
    char text[ADDRESS_TEXT_SIZE];
    if (!in || in->count == 0 || ip->kind == ADDRESS_NONE)
        return NULL;
    address_print(text, ip);
    return find(in, INDICATOR_IP, text, strlen(text), time_ns);
}

/* A name below a listed one may look as it likes: what asks by way of names (a tunnel) fills labels
 * with any characters, and there may be many of them. */
const struct indicator *indicators_text(const struct indicators *in, enum indicator_kind kind,
                                        struct text value, int64_t time_ns)
{
    char text[INDICATOR_VALUE_MAX];
    if (!in || in->count == 0 || !fold(kind, value.at, value.size, text))
        return NULL;
    for (const char *at = text; at; at = strchr(at, '.')) {
        at += *at == '.';
        const struct indicator *i = find(in, kind, at, strlen(at), time_ns);
        if (i || kind != INDICATOR_DOMAIN)
            return i;
    }
    return NULL; /* a top-level domain alone fits nobody: none is listed */
}
