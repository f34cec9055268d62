/* indicators_stix.c: bundles of threat intelligence.
 *
 * Spec: [OASIS] STIX Version 2.1, 4.7 (indicator) and 9 (patterns): comparisons of one property
 * with one value by "=", joined by OR. What needs AND or FOLLOWEDBY is more than a value. */
#include "rules/indicators_read.h"

#include "sensor/base/json_writer.h"

#include <jansson.h>
#include <string.h>

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
    char property[128], raw[INDICATOR_VALUE_MAX + 1]; /* too long: seen as such */
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
    *is_ours =
        kind_of_property(property, &i->kind) && indicators_normalise(i->kind, raw, size, value);
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
    for (bool is_any = false;;) { /* each turn takes a comparison */
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
        if (is_ours && !(*ok = indicators_add(in, &i, err)))
            return true;
        is_any |= is_ours;
        if (*at == '\0')
            return is_any;
        at += 2;
    }
}

/* All joined by OR, before any is taken: no word outside of quotes asks for more. [OASIS] 9.1. */
static bool is_plain(const char *pattern)
{
    static const char *const more[] = {"AND",    "FOLLOWEDBY", "NOT", "REPEATS",
                                       "WITHIN", "START",      "STOP"};
    bool is_quoted = false;
    for (const char *at = pattern; *at;) {
        size_t size = is_quoted ? 0 : strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        for (size_t i = 0; i < sizeof more / sizeof *more; i++)
            if (size == strlen(more[i]) && memcmp(at, more[i], size) == 0)
                return false;
        if (size == 0) {
            is_quoted ^= *at == '\'';
            size = is_quoted && at[0] == '\\' && at[1] ? 2 : 1;
        }
        at += size;
    }
    return true;
}

/* Some write "for ever" as a year that does not fit into nanoseconds. */
static bool read_end(int64_t *until_ns, const char *text)
{
    return time_parse(until_ns, text) ||
           (strspn(text, "0123456789") == 4 && text[4] == '-' && strcmp(text, "2262") >= 0);
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
    char about[INDICATOR_ABOUT_MAX];
    text_copy(about, sizeof about, text_of(json_string_value(json_object_get(object, "name"))));
    struct indicator i = {.file = name, .about = about, .until_ns = INT64_MAX};
    if (until && !read_end(&i.until_ns, until))
        return error_set(err, "%s: %s: valid_until is no time", name, about);
    bool ok = true;
    if (!is_usable || !pattern_parse(in, pattern, &i, err, &ok))
        indicators_skip(in);
    return ok;
}

bool indicators_stix(struct indicators *in, const char *text, size_t size, const char *name,
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
