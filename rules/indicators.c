/* indicators.c: reads indicator files and looks values up in one hash table.
 *
 * CSV: type,value[,description]; a line with one column is a value whose type shows in itself; a
 * head line and lines that begin with # are passed over. Types: ip, domain, url, ja3, md5, sha1,
 * sha256 (as in STIX and MISP: ipv4-addr, ip-dst, hostname ...).
 * STIX: [OASIS] STIX Version 2.1, 4.7 (indicator) and 9 (patterns): comparisons of one property
 * with one value by "=", joined by OR. What needs AND or FOLLOWEDBY is more than a value. */
#include "rules/indicators.h"

#include "sensor/base/hash.h"
#include "sensor/base/json_writer.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    FILE_SIZE_MAX = 64 << 20,
    ABOUT_MAX = 200,
    COLUMNS_MAX = 3,
    BLOCK_SIZE = 1 << 16, /* of texts */
    LABELS_MAX = 16,      /* of a domain name that is looked up */
    COMPARISONS_MAX = 64, /* in one pattern */
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

static bool add(struct indicators *in, const struct indicator *i, struct error *err)
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

/* As it is compared. False: not a value of this kind. */
static bool normalise(enum indicator_kind kind, const char *text, size_t size,
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

static bool guess(const char *text, size_t size, enum indicator_kind *kind,
                  char out[INDICATOR_VALUE_MAX])
{
    static const enum indicator_kind order[] = {INDICATOR_IP, INDICATOR_URL, INDICATOR_HASH,
                                                INDICATOR_DOMAIN};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        *kind = order[i];
        if (normalise(*kind, text, size, out))
            return true;
    }
    return false;
}

/* --- CSV --- */

static bool kind_of_name(const char *name, enum indicator_kind *kind)
{
    static const struct {
        const char *name;
        enum indicator_kind kind;
    } known[] = {
        {"ip",          INDICATOR_IP    },
        {"ipv4",        INDICATOR_IP    },
        {"ipv6",        INDICATOR_IP    },
        {"ipv4-addr",   INDICATOR_IP    },
        {"ipv6-addr",   INDICATOR_IP    },
        {"ip-dst",      INDICATOR_IP    },
        {"ip-src",      INDICATOR_IP    },
        {"domain",      INDICATOR_DOMAIN},
        {"domain-name", INDICATOR_DOMAIN},
        {"hostname",    INDICATOR_DOMAIN},
        {"url",         INDICATOR_URL   },
        {"uri",         INDICATOR_URL   },
        {"ja3",         INDICATOR_JA3   },
        {"md5",         INDICATOR_HASH  },
        {"sha1",        INDICATOR_HASH  },
        {"sha-1",       INDICATOR_HASH  },
        {"sha256",      INDICATOR_HASH  },
        {"sha-256",     INDICATOR_HASH  },
        {"hash",        INDICATOR_HASH  },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcasecmp(known[i].name, name) == 0) {
            *kind = known[i].kind;
            return true;
        }
    }
    return false;
}

/* One column, unquoted, trimmed. Returns where the next begins; NULL: the line is over. */
static const char *column(const char *at, const char *end, char *out, size_t capacity)
{
    size_t size = 0;
    bool is_quoted = false, is_over = false;
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    if (at < end && *at == '"') {
        is_quoted = true;
        at++;
    }
    for (; at < end && !is_over; at++) {
        if (is_quoted && *at == '"') {
            if (at + 1 < end && at[1] == '"')
                at++; /* RFC 4180: a quote inside is doubled */
            else {
                is_quoted = false;
                continue;
            }
        } else if (!is_quoted && (*at == ',' || *at == ';')) {
            is_over = true;
            continue;
        }
        if (size + 1 < capacity)
            out[size++] = *at;
    }
    while (size > 0 && (out[size - 1] == ' ' || out[size - 1] == '\t' || out[size - 1] == '\r'))
        size--;
    out[size] = '\0';
    return is_over ? at : NULL;
}

static bool csv_line(struct indicators *in, const char *at, const char *end, const char *name,
                     size_t number, struct error *err)
{
    char columns[COLUMNS_MAX][INDICATOR_VALUE_MAX] = {"", "", ""}, value[INDICATOR_VALUE_MAX];
    char about[ABOUT_MAX];
    size_t count = 0;
    while (at && count < COLUMNS_MAX)
        at = column(at, end, columns[count++], INDICATOR_VALUE_MAX);
    if (columns[0][0] == '\0' || columns[0][0] == '#')
        return true;
    struct indicator i = {.file = name, .until_ns = INT64_MAX, .value = value, .about = about};
    bool is_typed = kind_of_name(columns[0], &i.kind);
    const char *text = is_typed ? columns[1] : columns[0];
    text_copy(about, sizeof about, text_of(is_typed ? columns[2] : columns[1]));
    bool ok = is_typed ? normalise(i.kind, text, strlen(text), value)
                       : guess(text, strlen(text), &i.kind, value);
    if (ok)
        return add(in, &i, err);
    if (number == 1)
        return true; /* the head */
    return error_set(err, "%s:%zu: %s%s%s is no indicator", name, number, columns[0],
                     is_typed ? " " : "", is_typed ? text : "");
}

static bool csv_parse(struct indicators *in, const char *text, size_t size, const char *name,
                      struct error *err)
{
    const char *end = text + size;
    size_t number = 1;
    for (const char *at = text; at < end; number++) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        if (!line_end)
            line_end = end;
        if (!csv_line(in, at, line_end, name, number, err))
            return false;
        at = line_end < end ? line_end + 1 : end;
    }
    return true;
}

/* --- STIX --- */

static bool kind_of_property(const char *property, enum indicator_kind *kind)
{
    static const struct {
        const char *prefix;
        enum indicator_kind kind;
    } known[] = {
        {"ipv4-addr:value",       INDICATOR_IP    },
        {"ipv6-addr:value",       INDICATOR_IP    },
        {"domain-name:value",     INDICATOR_DOMAIN},
        {"url:value",             INDICATOR_URL   },
        {"file:hashes.",          INDICATOR_HASH  },
        {"x-ja3",                 INDICATOR_JA3   },
        {"network-traffic:x_ja3", INDICATOR_JA3   },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strncmp(property, known[i].prefix, strlen(known[i].prefix)) == 0) {
            *kind = known[i].kind;
            return true;
        }
    }
    return false;
}

static const char *skip_space(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

/* One comparison: property = 'value'. Returns what is behind it; NULL: something else. */
static const char *comparison(const char *at, struct indicator *i, char value[INDICATOR_VALUE_MAX],
                              bool *is_ours)
{
    char property[128], raw[INDICATOR_VALUE_MAX];
    size_t size = strcspn(at, " \t=!<>");
    if (size == 0 || size >= sizeof property)
        return NULL;
    memcpy(property, at, size);
    property[size] = '\0';
    at = skip_space(at + size);
    if (*at != '=')
        return NULL;
    at = skip_space(at + 1);
    if (*at != '\'')
        return NULL;
    size = 0;
    for (at++; *at && *at != '\''; at++) {
        if (*at == '\\' && at[1]) /* [OASIS] 9.2: \' and \\ */
            at++;
        if (size + 1 < sizeof raw)
            raw[size++] = *at;
    }
    if (*at != '\'')
        return NULL;
    *is_ours = kind_of_property(property, &i->kind) && normalise(i->kind, raw, size, value);
    return skip_space(at + 1);
}

/* True when the pattern is one value, or one of several. */
static bool pattern_parse(struct indicators *in, const char *pattern, const struct indicator *like,
                          struct error *err, bool *ok)
{
    char value[INDICATOR_VALUE_MAX];
    struct indicator i = *like;
    i.value = value;
    *ok = true;
    const char *at = pattern;
    for (int n = 0; n < COMPARISONS_MAX; n++) {
        bool is_ours = false;
        at = skip_space(at);
        while (*at == '[' || *at == '(')
            at = skip_space(at + 1);
        if (!(at = comparison(at, &i, value, &is_ours)))
            return false;
        while (*at == ']' || *at == ')')
            at = skip_space(at + 1);
        if (*at != '\0' && strncmp(at, "OR", 2) != 0)
            return false;
        if (is_ours && !(*ok = add(in, &i, err)))
            return true;
        if (*at == '\0')
            return is_ours || n > 0;
        at += 2;
    }
    return false;
}

/* All joined by OR, before any is taken. */
static bool is_plain(const char *pattern)
{
    return !strstr(pattern, " AND ") && !strstr(pattern, "FOLLOWEDBY") &&
           !strstr(pattern, " NOT ") && !strstr(pattern, "REPEATS") && !strstr(pattern, "WITHIN");
}

static bool stix_object(struct indicators *in, const json_t *object, const char *name,
                        struct error *err)
{
    const char *type = json_string_value(json_object_get(object, "type"));
    const char *pattern = json_string_value(json_object_get(object, "pattern"));
    const char *language = json_string_value(json_object_get(object, "pattern_type"));
    const char *until = json_string_value(json_object_get(object, "valid_until"));
    if (!type || strcmp(type, "indicator") != 0)
        return true; /* malware, relationships, identities: what surrounds indicators */
    bool is_usable = pattern && (!language || strcmp(language, "stix") == 0) &&
                     !json_is_true(json_object_get(object, "revoked")) && is_plain(pattern);
    char about[ABOUT_MAX];
    text_copy(about, sizeof about, text_of(json_string_value(json_object_get(object, "name"))));
    struct indicator i = {.file = name, .about = about, .until_ns = INT64_MAX};
    if (until && !time_parse(&i.until_ns, until))
        return error_set(err, "%s: %s: valid_until is no time", name, about);
    bool ok = true;
    if (!is_usable || !pattern_parse(in, pattern, &i, err, &ok))
        in->skipped++;
    return ok;
}

static bool stix_parse(struct indicators *in, const char *text, size_t size, const char *name,
                       struct error *err)
{
    json_error_t why;
    json_t *bundle = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    if (!bundle)
        return error_set(err, "%s:%d: %s", name, why.line, why.text);
    const json_t *objects = json_object_get(bundle, "objects");
    bool ok =
        json_is_array(objects) || error_set(err, "%s: is no STIX bundle: it has no objects", name);
    for (size_t i = 0; ok && i < json_array_size(objects); i++)
        ok = stix_object(in, json_array_get(objects, i), name, err);
    json_decref(bundle);
    return ok;
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
        return stix_parse(in, text, size, kept, err);
    return csv_parse(in, text, size, kept, err);
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
    if (!in || in->count == 0 || !normalise(kind, value.at, value.size, text))
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
