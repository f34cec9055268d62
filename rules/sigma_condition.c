/* sigma_condition.c: the condition of a rule: and, or, not, brackets, "1 of x*", "all of them".
 * Binds from least to most: or, and, not, of, brackets. */
#include "rules/sigma_internal.h"

#include <string.h>
#include <strings.h>

enum {
    DEPTH_MAX = 24, /* of brackets and nots */
    TERMS_MAX = 256,
};

struct parse {
    struct sigma_rules *rules;
    const struct sigma_search *searches;
    size_t count;
    struct text rest, token; /* token: the next one, empty at the end */
    struct error *err;
    unsigned depth;
};

static void next(struct parse *p)
{
    while (p->rest.size > 0 && strchr(" \t\r\n", *p->rest.at)) {
        p->rest.at++;
        p->rest.size--;
    }
    size_t size = 0;
    if (p->rest.size > 0 && (*p->rest.at == '(' || *p->rest.at == ')'))
        size = 1;
    else
        while (size < p->rest.size && !strchr(" \t\r\n()", p->rest.at[size]))
            size++;
    p->token = (struct text){p->rest.at, size};
    p->rest.at += size;
    p->rest.size -= size;
}

static bool is_word(const struct parse *p, const char *word)
{
    return p->token.size == strlen(word) && strncasecmp(p->token.at, word, p->token.size) == 0;
}

static struct sigma_node *fail(struct parse *p, const char *why)
{
    char token[64];
    text_copy(token, sizeof token, p->token);
    if (p->token.size)
        error_set(p->err, "%s at `%s`", why, token);
    else
        error_set(p->err, "%s at its end", why);
    return NULL;
}

/* "sel*_x": stars only, anywhere. */
static bool name_fits(struct text pattern, struct text name)
{
    size_t at = 0, n = 0, star = SIZE_MAX, star_n = 0;
    while (n < name.size) {
        if (at < pattern.size && pattern.at[at] == '*') {
            star = at++;
            star_n = n;
        } else if (at < pattern.size && pattern.at[at] == name.at[n]) {
            at++;
            n++;
        } else if (star != SIZE_MAX) {
            at = star + 1;
            n = ++star_n;
        } else {
            return false;
        }
    }
    while (at < pattern.size && pattern.at[at] == '*')
        at++;
    return at == pattern.size;
}

static struct sigma_node *parse_of(struct parse *p, enum node_kind kind)
{
    struct sigma_node *found[TERMS_MAX];
    size_t count = 0;
    next(p);
    if (!is_word(p, "of"))
        return fail(p, "the word `of` is missing");
    next(p);
    if (p->token.size == 0)
        return fail(p, "a name is missing");
    bool is_them = is_word(p, "them");
    for (size_t i = 0; i < p->count && count < TERMS_MAX; i++) {
        struct text name = p->searches[i].name;
        bool is_hidden = name.size > 0 && name.at[0] == '_';
        if (is_them ? !is_hidden : name_fits(p->token, name))
            found[count++] = p->searches[i].node;
    }
    if (count == 0)
        return fail(p, "no search identifier has such a name");
    next(p);
    return sigma_node_group(p->rules, kind, found, count);
}

static struct sigma_node *parse_or(struct parse *p);

static struct sigma_node *parse_term(struct parse *p)
{
    if (is_word(p, "(")) {
        next(p);
        struct sigma_node *inner = parse_or(p);
        if (!inner)
            return NULL;
        if (!is_word(p, ")"))
            return fail(p, "a bracket is not closed");
        next(p);
        return inner;
    }
    if (is_word(p, "1") || is_word(p, "any"))
        return parse_of(p, NODE_ANY);
    if (is_word(p, "all"))
        return parse_of(p, NODE_ALL);
    if (is_word(p, "|"))
        return fail(p, "counting in conditions is obsolete (write a correlation)");
    for (size_t i = 0; i < p->count; i++) {
        if (text_equal(p->token, p->searches[i].name)) {
            next(p);
            return p->searches[i].node;
        }
    }
    return fail(p, p->token.size ? "no search identifier has this name" : "a name is missing");
}

static struct sigma_node *parse_not(struct parse *p)
{
    if (p->depth++ >= DEPTH_MAX)
        return fail(p, "nested too deeply");
    struct sigma_node *node;
    if (is_word(p, "not")) {
        next(p);
        struct sigma_node *inner = parse_not(p);
        node = inner ? sigma_node_group(p->rules, NODE_NOT, &inner, 1) : NULL;
    } else {
        node = parse_term(p);
    }
    p->depth--;
    return node;
}

static struct sigma_node *parse_chain(struct parse *p, const char *word, enum node_kind kind,
                                      struct sigma_node *(*parse_inner)(struct parse *p))
{
    struct sigma_node *terms[TERMS_MAX];
    size_t count = 0;
    for (;;) {
        if (count == TERMS_MAX)
            return fail(p, "more than 256 terms");
        if (!(terms[count++] = parse_inner(p)))
            return NULL;
        if (!is_word(p, word))
            return count == 1 ? terms[0] : sigma_node_group(p->rules, kind, terms, count);
        next(p);
    }
}

static struct sigma_node *parse_and(struct parse *p)
{
    return parse_chain(p, "and", NODE_ALL, parse_not);
}

static struct sigma_node *parse_or(struct parse *p)
{
    return parse_chain(p, "or", NODE_ANY, parse_and);
}

struct sigma_node *sigma_condition(struct sigma_rules *rules, const struct sigma_search *searches,
                                   size_t count, struct text condition, struct error *err)
{
    struct parse p = {
        .rules = rules, .searches = searches, .count = count, .rest = condition, .err = err};
    next(&p);
    struct sigma_node *node = parse_or(&p);
    if (node && is_word(&p, "|"))
        return fail(&p, "counting in conditions is obsolete (write a correlation)");
    if (node && p.token.size > 0)
        return fail(&p, "and, or, or the end is expected");
    if (!node && !err->text[0])
        error_set(err, "out of memory");
    return node;
}
