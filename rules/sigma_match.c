/* sigma_match.c: single values of a rule: compiled once, compared with what a record has. */
#include "rules/sigma_internal.h"

#include "sensor/base/hash.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TOKEN_STAR = 256, /* any number of characters */
    TOKEN_ONE,        /* one character */
    TOKEN_DASH,       /* any of the five dashes of windash */
    PATTERN_MAX = 1024,
    TEXT_SEEN_MAX = 4096, /* of a text from the wire; the rest is not looked at */
    RE_MAX = 4096,
};

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

/* --- modifiers --- */

static const struct modifier_row {
    const char *name;
    enum match_op op;
    const char *refusal; /* why it is not taken */
} modifier_rows[] = {
    {"contains",     MATCH_CONTAINS, NULL                                          },
    {"startswith",   MATCH_PREFIX,   NULL                                          },
    {"endswith",     MATCH_SUFFIX,   NULL                                          },
    {"re",           MATCH_RE,       NULL                                          },
    {"cidr",         MATCH_CIDR,     NULL                                          },
    {"gt",           MATCH_GT,       NULL                                          },
    {"gte",          MATCH_GTE,      NULL                                          },
    {"lt",           MATCH_LT,       NULL                                          },
    {"lte",          MATCH_LTE,      NULL                                          },
    {"exists",       MATCH_EXISTS,   NULL                                          },
    {"fieldref",     MATCH_FIELD,    NULL                                          },
    {"base64",       MATCH_EQUAL,    "is not supported: plants do not speak Base64"},
    {"base64offset", MATCH_EQUAL,    "is not supported: plants do not speak Base64"},
    {"utf16",        MATCH_EQUAL,    "is not supported: texts are UTF-8 here"      },
    {"utf16le",      MATCH_EQUAL,    "is not supported: texts are UTF-8 here"      },
    {"utf16be",      MATCH_EQUAL,    "is not supported: texts are UTF-8 here"      },
    {"wide",         MATCH_EQUAL,    "is not supported: texts are UTF-8 here"      },
    {"expand",       MATCH_EQUAL,    "is not supported: there are no placeholders" },
    {"minute",       MATCH_EQUAL,    "is not supported: no field is a date"        },
    {"hour",         MATCH_EQUAL,    "is not supported: no field is a date"        },
    {"day",          MATCH_EQUAL,    "is not supported: no field is a date"        },
    {"week",         MATCH_EQUAL,    "is not supported: no field is a date"        },
    {"month",        MATCH_EQUAL,    "is not supported: no field is a date"        },
    {"year",         MATCH_EQUAL,    "is not supported: no field is a date"        },
};

static bool take_flag(struct sigma_modifiers *m, struct text name)
{
    if (text_equal(name, TEXT("all")))
        m->is_all = true;
    else if (text_equal(name, TEXT("neq")))
        m->is_not = true;
    else if (text_equal(name, TEXT("cased")))
        m->is_cased = true;
    else if (text_equal(name, TEXT("windash")))
        m->is_windash = true;
    else
        return false;
    return true;
}

static const char *take_modifier(struct sigma_modifiers *m, struct text name)
{
    if (take_flag(m, name))
        return NULL;
    if (name.size == 1 && strchr("ims", name.at[0])) {
        if (m->op != MATCH_RE)
            return "belongs behind re";
        m->re_options |= name.at[0] == 'i'   ? PCRE2_CASELESS
                         : name.at[0] == 'm' ? PCRE2_MULTILINE
                                             : PCRE2_DOTALL;
        return NULL;
    }
    for (size_t i = 0; i < sizeof modifier_rows / sizeof *modifier_rows; i++) {
        const struct modifier_row *row = &modifier_rows[i];
        if (!text_equal(name, text_of(row->name)))
            continue;
        if (row->refusal)
            return row->refusal;
        if (m->op != MATCH_EQUAL)
            return "does not go together with the one before it";
        m->op = row->op;
        return NULL;
    }
    return "is not known";
}

bool sigma_modifiers_parse(struct sigma_modifiers *m, struct text names, struct text *bad,
                           const char **why)
{
    *m = (struct sigma_modifiers){.op = MATCH_EQUAL};
    while (names.size > 0) {
        const char *bar = memchr(names.at, '|', names.size);
        *bad = (struct text){names.at, bar ? (size_t)(bar - names.at) : names.size};
        *why = take_modifier(m, *bad);
        if (*why)
            return false;
        size_t used = bad->size + (bar != NULL);
        names = (struct text){names.at + used, names.size - used};
    }
    bool is_text = m->op <= MATCH_GLOB;
    *why = !is_text && m->is_windash                           ? "windash is for texts"
           : !is_text && m->is_cased && m->op != MATCH_FIELD   ? "cased is for texts"
           : m->op == MATCH_EXISTS && (m->is_all || m->is_not) ? "exists stands alone"
                                                               : NULL;
    return *why == NULL;
}

/* --- compiling --- */

/* Wildcards and escapes of the specification: a backslash takes away the meaning of *, ? and
 * backslash; before anything else it is itself. */
static size_t tokens_of(uint16_t *tokens, struct text value, const struct sigma_modifiers *m)
{
    size_t count = 0;
    if (m->op == MATCH_SUFFIX || m->op == MATCH_CONTAINS)
        tokens[count++] = TOKEN_STAR;
    for (size_t i = 0; i < value.size; i++) {
        uint8_t c = (uint8_t)value.at[i];
        bool is_escape = c == '\\' && i + 1 < value.size && strchr("\\*?", value.at[i + 1]) &&
                         value.at[i + 1] != '\0';
        if (is_escape)
            c = (uint8_t)value.at[++i];
        if (!is_escape && c == '*')
            tokens[count++] = TOKEN_STAR;
        else if (!is_escape && c == '?')
            tokens[count++] = TOKEN_ONE;
        else if (m->is_windash && (c == '-' || c == '/'))
            tokens[count++] = TOKEN_DASH;
        else
            tokens[count++] = m->is_cased ? c : lower(c);
    }
    if (m->op == MATCH_PREFIX || m->op == MATCH_CONTAINS)
        tokens[count++] = TOKEN_STAR;
    return count;
}

/* Most patterns have their stars at the ends only: those need no glob. */
static const char *compile_text(struct sigma_rules *rules, struct sigma_matcher *matcher,
                                const struct sigma_modifiers *m, struct text value)
{
    uint16_t tokens[PATTERN_MAX + 2];
    if (value.size > PATTERN_MAX)
        return "is longer than 1024 characters";
    size_t count = tokens_of(tokens, value, m), first = 0, last = count;
    while (first < last && tokens[first] == TOKEN_STAR)
        first++;
    while (last > first && tokens[last - 1] == TOKEN_STAR)
        last--;
    bool is_plain = true;
    for (size_t i = first; i < last; i++)
        is_plain = is_plain && tokens[i] < TOKEN_STAR;
    matcher->is_cased = m->is_cased;
    if (!is_plain) {
        uint16_t *kept = sigma_keep(rules, count * sizeof *kept);
        if (!kept)
            return "does not fit into memory";
        memcpy(kept, tokens, count * sizeof *kept);
        matcher->op = MATCH_GLOB;
        matcher->tokens = kept;
        matcher->size = (uint32_t)count;
        return NULL;
    }
    char *bytes = sigma_keep(rules, last - first + 1);
    if (!bytes)
        return "does not fit into memory";
    for (size_t i = first; i < last; i++)
        bytes[i - first] = (char)tokens[i];
    bool has_start = first > 0, has_end = last < count;
    if (first == last && has_start)
        has_end = true; /* only stars: anything */
    matcher->op = has_start && has_end ? MATCH_CONTAINS
                  : has_start          ? MATCH_SUFFIX
                  : has_end            ? MATCH_PREFIX
                                       : MATCH_EQUAL;
    matcher->bytes = bytes;
    matcher->size = (uint32_t)(last - first);
    return NULL;
}

/* Decimal, with sign, fraction and exponent, or 0x and hexadecimal digits. */
static bool parse_number(double *number, const char *text)
{
    const char *digits = text + (*text == '-' || *text == '+');
    if (*digits < '0' || *digits > '9')
        return false; /* no "inf", "nan", ".5" */
    char *end;
    *number = strtod(text, &end);
    return *end == '\0' && isfinite(*number);
}

static const char *compile_re(struct sigma_rules *rules, struct sigma_matcher *matcher,
                              const struct sigma_modifiers *m, struct text value)
{
    int code;
    PCRE2_SIZE at;
    if (value.size > RE_MAX)
        return "is longer than 4096 characters";
    pcre2_code *re = pcre2_compile((PCRE2_SPTR)value.at, value.size,
                                   m->re_options | PCRE2_NEVER_UTF | PCRE2_NEVER_BACKSLASH_C, &code,
                                   &at, rules->re_context);
    if (!re)
        return "is not a regular expression that can be used";
    if (!sigma_keep_re(rules, re))
        return "does not fit into memory";
    matcher->op = MATCH_RE;
    matcher->re = re;
    return NULL;
}

static const char *compile_cidr(struct sigma_matcher *matcher, const char *text)
{
    char address[64];
    const char *slash = strchr(text, '/');
    size_t size = slash ? (size_t)(slash - text) : strlen(text);
    if (size >= sizeof address)
        return "is not a network such as 10.0.0.0/8";
    memcpy(address, text, size);
    address[size] = '\0';
    if (!address_parse(&matcher->address, address))
        return "is not a network such as 10.0.0.0/8";
    long most = matcher->address.kind == ADDRESS_IP4 ? 32 : 128;
    char *end = NULL;
    long bits = slash ? strtol(slash + 1, &end, 10) : most;
    if (slash && (slash[1] < '0' || slash[1] > '9' || *end || bits > most))
        return "is not a network such as 10.0.0.0/8";
    matcher->op = MATCH_CIDR;
    matcher->prefix_bits = (uint8_t)bits;
    return NULL;
}

bool sigma_is_null(struct text plain)
{
    return plain.size == 0 || text_equal(plain, TEXT("~")) || text_equal(plain, TEXT("null")) ||
           text_equal(plain, TEXT("Null")) || text_equal(plain, TEXT("NULL"));
}

static const char *compile_equal(struct sigma_rules *rules, struct sigma_matcher *matcher,
                                 const struct sigma_modifiers *m, struct text value,
                                 const char *text, bool is_quoted)
{
    if (!is_quoted && sigma_is_null(value)) {
        matcher->op = MATCH_NULL;
        return m->op == MATCH_EQUAL ? NULL : "null goes with no modifier";
    }
    const char *fault = compile_text(rules, matcher, m, value);
    if (fault || matcher->op != MATCH_EQUAL)
        return fault;
    matcher->has_number = parse_number(&matcher->number, text);
    matcher->has_address = address_parse(&matcher->address, text);
    matcher->has_mac = mac_parse(&matcher->mac, text);
    return NULL;
}

const char *sigma_matcher_compile(struct sigma_rules *rules, struct sigma_matcher *matcher,
                                  const struct sigma_modifiers *m, struct text value,
                                  bool is_quoted)
{
    memset(matcher, 0, sizeof *matcher);
    if (memchr(value.size ? value.at : "", '\0', value.size))
        return "has a zero byte in it";
    char *text = sigma_keep_text(rules, value);
    if (!text)
        return "does not fit into memory";
    switch (m->op) {
    case MATCH_RE:
        return compile_re(rules, matcher, m, value);
    case MATCH_CIDR:
        return compile_cidr(matcher, text);
    case MATCH_GT:
    case MATCH_GTE:
    case MATCH_LT:
    case MATCH_LTE:
        matcher->op = m->op;
        return parse_number(&matcher->number, text) ? NULL : "must be a number";
    case MATCH_EXISTS:
        matcher->op = MATCH_EXISTS;
        matcher->is_wanted = strcmp(text, "true") == 0;
        return matcher->is_wanted || strcmp(text, "false") == 0 ? NULL : "must be true or false";
    case MATCH_FIELD:
        matcher->op = MATCH_FIELD;
        matcher->is_cased = m->is_cased;
        return sigma_field_parse(&matcher->field, value) ? NULL : "is not a field";
    default:
        return compile_equal(rules, matcher, m, value, text, is_quoted);
    }
}

/* --- comparing --- */

static bool same(const uint8_t *text, const char *bytes, size_t size, bool is_cased)
{
    if (is_cased)
        return memcmp(text, bytes, size) == 0;
    for (size_t i = 0; i < size; i++)
        if (lower(text[i]) != (uint8_t)bytes[i])
            return false;
    return true;
}

static bool has_within(const struct sigma_matcher *m, const uint8_t *text, size_t size)
{
    if (m->size == 0)
        return true;
    uint8_t first = (uint8_t)m->bytes[0];
    bool is_letter = !m->is_cased && first >= 'a' && first <= 'z';
    if (size < m->size ||
        (!memchr(text, first, size) && (!is_letter || !memchr(text, first - 'a' + 'A', size))))
        return false;
    for (size_t i = 0; i + m->size <= size; i++)
        if (same(text + i, m->bytes, m->size, m->is_cased))
            return true;
    return false;
}

/* Bytes of the character at text: UTF-8, or one byte of anything else. */
static size_t character(const uint8_t *text, size_t size)
{
    size_t n = 1;
    if (text[0] >= 0xc0)
        while (n < size && n < 4 && (text[n] & 0xc0) == 0x80)
            n++;
    return n;
}

/* En dash, em dash, horizontal bar: U+2013, U+2014, U+2015. */
static size_t dash(const uint8_t *text, size_t size)
{
    if (text[0] == '-' || text[0] == '/')
        return 1;
    bool is_long =
        size >= 3 && text[0] == 0xe2 && text[1] == 0x80 && text[2] >= 0x93 && text[2] <= 0x95;
    return is_long ? 3 : 0;
}

/* How many bytes the token takes; 0: it does not match here. */
static size_t step(const struct sigma_matcher *m, uint16_t token, const uint8_t *text, size_t size)
{
    if (token == TOKEN_ONE)
        return character(text, size);
    if (token == TOKEN_DASH)
        return dash(text, size);
    return token == (m->is_cased ? text[0] : lower(text[0])) ? 1 : 0;
}

/* Only the last star can take more: at most tokens x text steps. */
static bool glob(const struct sigma_matcher *m, const uint8_t *text, size_t size)
{
    size_t at = 0, token = 0, star = SIZE_MAX, star_at = 0;
    while (at < size) {
        size_t n = 0;
        if (token < m->size && m->tokens[token] == TOKEN_STAR) {
            star = token++;
            star_at = at;
            continue;
        }
        if (token < m->size)
            n = step(m, m->tokens[token], text + at, size - at);
        if (n > 0) {
            at += n;
            token++;
        } else if (star != SIZE_MAX) {
            token = star + 1;
            at = ++star_at;
        } else {
            return false;
        }
    }
    while (token < m->size && m->tokens[token] == TOKEN_STAR)
        token++;
    return token == m->size;
}

static bool test_text(const struct sigma_matcher *m, struct text t, struct sigma *s)
{
    const uint8_t *text = (const uint8_t *)(t.at ? t.at : "");
    size_t size = t.size < TEXT_SEEN_MAX ? t.size : TEXT_SEEN_MAX;
    switch (m->op) {
    case MATCH_EQUAL:
        return t.size == m->size && same(text, m->bytes, m->size, m->is_cased);
    case MATCH_PREFIX:
        return t.size >= m->size && same(text, m->bytes, m->size, m->is_cased);
    case MATCH_SUFFIX:
        return t.size >= m->size && same(text + t.size - m->size, m->bytes, m->size, m->is_cased);
    case MATCH_CONTAINS:
        return has_within(m, text, size);
    case MATCH_GLOB:
        return glob(m, text, size);
    case MATCH_RE:
        return pcre2_match(m->re, text, size, 0, 0, s->match, s->match_context) >= 0;
    default:
        return false;
    }
}

static bool test_number(const struct sigma_matcher *m, double number)
{
    switch (m->op) {
    case MATCH_GT:
        return number > m->number;
    case MATCH_GTE:
        return number >= m->number;
    case MATCH_LT:
        return number < m->number;
    case MATCH_LTE:
        return number <= m->number;
    default:
        return false;
    }
}

static bool is_within(const struct address *network, unsigned bits, const struct address *a)
{
    if (network->kind != a->kind)
        return false;
    unsigned bytes = bits / 8, rest = bits % 8;
    if (memcmp(network->bytes, a->bytes, bytes) != 0)
        return false;
    return rest == 0 || ((network->bytes[bytes] ^ a->bytes[bytes]) >> (8 - rest)) == 0;
}

/* The same few addresses come again and again. s: NULL: none are kept. */
static struct text printed_address(const struct address *a, struct sigma *s, char out[64])
{
    if (!s)
        return text_of(address_print(out, a));
    size_t at = hash_bytes(a, sizeof *a) % RECENT_ADDRESSES;
    struct sigma_recent_address *recent = &s->addresses[at];
    if (recent->size == 0 || !address_equal(&recent->address, a)) {
        address_print(recent->text, a);
        recent->size = (uint32_t)strlen(recent->text);
        recent->address = *a;
    }
    return (struct text){recent->text, recent->size};
}

/* As %.15g prints it. */
static struct text printed_number(double number, char out[64])
{
    static const double most = 1e15;
    char *at = out + 63;
    bool is_plain = number >= 1 && number < most;
    uint64_t whole = is_plain ? (uint64_t)number : 0;
    if (!is_plain || (double)whole != number) {
        snprintf(out, 64, "%.15g", number);
        return text_of(out);
    }
    for (; whole > 0; whole /= 10)
        *--at = (char)('0' + whole % 10);
    return (struct text){at, (size_t)(out + 63 - at)};
}

/* A number, address or name of true and false as text, for patterns. */
static struct text printed(const struct sigma_value *v, struct sigma *s, char out[64])
{
    if (v->kind == VALUE_ADDRESS)
        return printed_address(v->address, s, out);
    if (v->kind == VALUE_MAC)
        return text_of(mac_print(out, v->mac));
    if (v->kind == VALUE_BOOL)
        return v->number != 0 ? TEXT("true") : TEXT("false");
    return printed_number(v->number, out);
}

static bool is_order(enum match_op op)
{
    return op >= MATCH_GT && op <= MATCH_LTE;
}

bool sigma_matcher_test(const struct sigma_matcher *m, const struct sigma_value *v, struct sigma *s)
{
    char buffer[64];
    if (v->kind == VALUE_NUMBER && is_order(m->op))
        return test_number(m, v->number);
    if (v->kind == VALUE_TEXT && !is_order(m->op) && m->op != MATCH_CIDR)
        return test_text(m, v->text, s);
    if (m->op == MATCH_CIDR) {
        struct address a;
        if (v->kind == VALUE_ADDRESS)
            return is_within(&m->address, m->prefix_bits, v->address);
        if (v->kind != VALUE_TEXT || v->text.size >= sizeof buffer)
            return false;
        memcpy(buffer, v->text.at, v->text.size);
        buffer[v->text.size] = '\0';
        return address_parse(&a, buffer) && is_within(&m->address, m->prefix_bits, &a);
    }
    bool is_number = v->kind == VALUE_NUMBER || v->kind == VALUE_BOOL;
    if (is_order(m->op)) {
        double number;
        if (is_number)
            return test_number(m, v->number);
        if (v->kind != VALUE_TEXT || v->text.size >= sizeof buffer)
            return false;
        memcpy(buffer, v->text.at, v->text.size);
        buffer[v->text.size] = '\0';
        return parse_number(&number, buffer) && test_number(m, number);
    }
    if (m->op == MATCH_EQUAL) { /* without printing, where it can be */
        if (is_number && m->has_number)
            return v->number == m->number;
        if (v->kind == VALUE_ADDRESS && m->has_address)
            return address_equal(v->address, &m->address);
        if (v->kind == VALUE_MAC && m->has_mac)
            return mac_equal(v->mac, &m->mac);
        if (v->kind != VALUE_BOOL)
            return false;
    }
    return test_text(m, printed(v, s, buffer), s);
}
