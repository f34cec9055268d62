/* indicators.c: indicator files, and looking values up in one hash table. */
#include "rules/indicators_read.h"

#include "sensor/base/hash.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FILE_SIZE_MAX = 64 << 20,
    BLOCK_SIZE = 1 << 16, /* of texts */
    LABELS_MAX = 16,      /* of a domain name that is looked up */
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
    if (in->count == INDICATORS_MAX)
        return error_set(err, "more than %d indicators", INDICATORS_MAX);
    if (in->count == in->room && !grow(in))
        return error_set(err, "out of memory for indicators");
    size_t at = slot_of(in, i->kind, i->value, strlen(i->value));
    if (in->slots[at])
        return true; /* several lists name the same: the first is told */
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

bool indicators_normalise(enum indicator_kind kind, const char *text, size_t size,
                          char out[INDICATOR_VALUE_MAX])
{
    struct address ip;
    char small[ADDRESS_TEXT_SIZE];
    if (size == 0 || size >= INDICATOR_VALUE_MAX)
        return false;
    if (kind == INDICATOR_IP) {
        if (!address_parse(&ip, text_copy(small, sizeof small, (struct text){text, size})) ||
            size >= sizeof small)
            return false;
        address_print(small, &ip);
        memcpy(out, small, sizeof small);
        return true;
    }
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c <= ' ' || c == 0x7f)
            return false;
        out[i] = (char)(kind == INDICATOR_URL ? c : tolower(c));
    }
    out[size] = '\0';
    switch (kind) {
    case INDICATOR_DOMAIN:
        if (out[size - 1] == '.')
            out[--size] = '\0';
        return size > 0 && strchr(out, '.') && !strpbrk(out, "/:@*");
    case INDICATOR_URL:
        return strstr(out, "://") != NULL;
    case INDICATOR_JA3:
        return size == 32 && is_hex(out, size);
    case INDICATOR_HASH:
        return (size == 32 || size == 40 || size == 64) && is_hex(out, size);
    default:
        return false;
    }
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

const struct indicator *indicators_text(const struct indicators *in, enum indicator_kind kind,
                                        struct text value, int64_t time_ns)
{
    char text[INDICATOR_VALUE_MAX];
    if (!in || in->count == 0 || !indicators_normalise(kind, value.at, value.size, text))
        return NULL;
    const char *at = text;
    for (int label = 0; label < LABELS_MAX; label++) {
        const struct indicator *i = find(in, kind, at, strlen(at), time_ns);
        if (i || kind != INDICATOR_DOMAIN)
            return i;
        at = strchr(at, '.');
        if (!at || !strchr(++at, '.'))
            return NULL; /* a top-level domain alone fits nobody */
    }
    return NULL;
}
