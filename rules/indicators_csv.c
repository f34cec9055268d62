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
    char about[INDICATOR_ABOUT_MAX];
    size_t count = 0;
    while (at && count < COLUMNS_MAX)
        at = column(at, end, columns[count++], INDICATOR_VALUE_MAX);
    if (columns[0][0] == '\0' || columns[0][0] == '#')
        return true;
    struct indicator i = {.file = name, .until_ns = INT64_MAX, .value = value, .about = about};
    bool is_typed = kind_of_name(columns[0], &i.kind);
    const char *text = is_typed ? columns[1] : columns[0];
    text_copy(about, sizeof about, text_of(is_typed ? columns[2] : columns[1]));
    bool ok = is_typed ? indicators_normalise(i.kind, text, strlen(text), value)
                       : guess(text, strlen(text), &i.kind, value);
    if (ok)
        return indicators_add(in, &i, err);
    if (number == 1)
        return true; /* the head */
    return error_set(err, "%s:%zu: %s%s%s is no indicator", name, number, columns[0],
                     is_typed ? " " : "", is_typed ? text : "");
}

bool indicators_csv(struct indicators *in, const char *text, size_t size, const char *name,
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
