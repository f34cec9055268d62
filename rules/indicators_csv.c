/* indicators_csv.c: lists of indicators.
 *
 * type,value[,description]; a line with one column is a value whose type shows in itself; a head
 * line and lines that begin with # are passed over. Types: ip, domain, url, ja3, md5, sha1, sha256
 * (as in STIX and MISP: ipv4-addr, ip-dst, hostname ...). */
#include "rules/indicators_read.h"

#include <string.h>
#include <strings.h>

enum { COLUMNS_MAX = 3 };

static bool guess(const char *text, size_t size, enum indicator_kind *kind,
                  char out[INDICATOR_VALUE_MAX])
{
    static const enum indicator_kind order[] = {INDICATOR_IP, INDICATOR_URL, INDICATOR_HASH,
                                                INDICATOR_DOMAIN};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        *kind = order[i];
        if (indicators_normalise(*kind, text, size, out))
            return true;
    }
    return false;
}

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

struct sheet {
    const char *at, *end;
    size_t line;
};

struct cell {
    char text[INDICATOR_VALUE_MAX];
    bool is_cut; /* there was more than fits */
};

static void put(struct cell *cell, size_t *size, char c)
{
    if (*size + 1 < sizeof cell->text)
        cell->text[(*size)++] = c == '\0' || c == '\n' || c == '\r' ? ' ' : c;
    else
        cell->is_cut = true;
}

/* Behind the quote that begins. False: nothing ends it. RFC 4180 2.6 and 2.7: lines may break in
 * between, and a quote inside is doubled. */
static bool quoted(struct sheet *s, struct cell *cell, size_t *size)
{
    for (; s->at < s->end; s->at++) {
        if (*s->at == '"' && (s->at + 1 == s->end || s->at[1] != '"')) {
            s->at++;
            return true;
        }
        s->at += *s->at == '"';
        s->line += *s->at == '\n';
        put(cell, size, *s->at);
    }
    return false;
}

static bool is_end_of_cell(const struct sheet *s)
{
    return s->at == s->end || *s->at == ',' || *s->at == ';' || *s->at == '\n';
}

static void skip_blanks(struct sheet *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\r'))
        s->at++;
}

/* One cell, unquoted, trimmed, up to what ends it. False: its quotes do not fit together. */
static bool cell_read(struct sheet *s, struct cell *cell)
{
    size_t size = 0;
    bool ok = true;
    cell->is_cut = false;
    skip_blanks(s);
    if (s->at < s->end && *s->at == '"') {
        s->at++;
        ok = quoted(s, cell, &size);
        skip_blanks(s);
        ok = ok && is_end_of_cell(s);
    } else {
        for (; !is_end_of_cell(s); s->at++)
            put(cell, &size, *s->at);
    }
    while (size > 0 && strchr(" \t", cell->text[size - 1]))
        size--;
    cell->text[size] = '\0';
    return ok;
}

/* Up to the end of the line; columns beyond the last that counts are left. */
static bool row_read(struct sheet *s, struct cell cells[COLUMNS_MAX])
{
    struct cell rest;
    for (size_t i = 0; i < COLUMNS_MAX; i++)
        cells[i] = (struct cell){"", false};
    for (size_t count = 0;; count++) {
        if (!cell_read(s, count < COLUMNS_MAX ? &cells[count] : &rest))
            return false;
        bool is_last = s->at == s->end || *s->at == '\n';
        s->at += s->at < s->end;
        if (is_last)
            return true;
    }
}

/* Words, none of which could be meant as a value. */
static bool is_head(const struct cell cells[COLUMNS_MAX])
{
    for (size_t i = 0; i < COLUMNS_MAX; i++)
        if (strpbrk(cells[i].text, ".:/"))
            return false;
    return true;
}

static bool take_row(struct indicators *in, const struct cell cells[COLUMNS_MAX], const char *name,
                     size_t line, bool is_first, struct error *err)
{
    char value[INDICATOR_VALUE_MAX], about[INDICATOR_ABOUT_MAX];
    struct indicator i = {.file = name, .until_ns = INT64_MAX, .value = value, .about = about};
    bool is_typed = kind_of_name(cells[0].text, &i.kind);
    const struct cell *cell = is_typed ? &cells[1] : &cells[0];
    const char *text = cell->text;
    if (cell->is_cut) {
        indicators_skip(in); /* the beginning of a value is another value */
        return true;
    }
    text_copy(about, sizeof about, text_of(cells[is_typed ? 2 : 1].text));
    bool ok = is_typed ? indicators_normalise(i.kind, text, strlen(text), value)
                       : guess(text, strlen(text), &i.kind, value);
    if (ok)
        return indicators_add(in, &i, err);
    if (is_first && is_head(cells))
        return true;
    return error_set(err, "%s:%zu: %.100s%s%.200s is no indicator", name, line, cells[0].text,
                     is_typed ? " " : "", is_typed ? text : "");
}

static void skip_line(struct sheet *s)
{
    const char *line_end = memchr(s->at, '\n', (size_t)(s->end - s->at));
    s->at = line_end ? line_end + 1 : s->end;
}

bool indicators_csv(struct indicators *in, const char *text, size_t size, const char *name,
                    struct error *err)
{
    struct sheet s = {text, text + size, 1};
    struct cell cells[COLUMNS_MAX];
    bool is_first = true;
    for (; s.at < s.end; s.line++) {
        size_t line = s.line;
        skip_blanks(&s);
        if (s.at == s.end || *s.at == '#') {
            skip_line(&s);
            continue;
        }
        if (!row_read(&s, cells))
            return error_set(err, "%s:%zu: the quotes of this line do not fit together", name,
                             line);
        if (!cells[0].text[0] && !cells[1].text[0] && !cells[2].text[0])
            continue;
        if (!take_row(in, cells, name, line, is_first, err))
            return false;
        is_first = false;
    }
    return true;
}
