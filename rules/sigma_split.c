/* sigma_split.c: takes a rule apart: what the two ends answer, what the kind of message answers,
 * the numbers that an item must have, the rest. */
#include "rules/sigma_internal.h"

#include <math.h>
#include <string.h>

enum { TERMS_MAX = 64 };

enum part { PART_ENDS, PART_KIND, PART_TEXTS, PART_REST, PARTS };

static const enum sigma_field span_fields[SPANS] = {
    [SPAN_START] = FIELD_ITEM_START,
    [SPAN_NUMBER] = FIELD_ITEM_NUMBER,
    [SPAN_VALUE] = FIELD_ITEM_VALUES,
};

struct terms {
    size_t count;
    const struct sigma_node *at[TERMS_MAX];
};

struct split {
    struct terms terms[PARTS];
    bool is_full;
};

static enum part part_of_field(enum sigma_field field)
{
    switch (field) {
    case FIELD_SOURCE_IP:
    case FIELD_SOURCE_MAC:
    case FIELD_SOURCE_PORT:
    case FIELD_DESTINATION_IP:
    case FIELD_DESTINATION_MAC:
    case FIELD_DESTINATION_PORT:
    case FIELD_CLIENT_IP:
    case FIELD_CLIENT_MAC:
    case FIELD_CLIENT_PORT:
    case FIELD_SERVER_IP:
    case FIELD_SERVER_MAC:
    case FIELD_SERVER_PORT:
    case FIELD_TRANSPORT:
        return PART_ENDS;
    case FIELD_OPERATION:
    case FIELD_DIRECTION:
    case FIELD_NAME:
    case FIELD_FUNCTION:
    case FIELD_STATUS:
    case FIELD_STATUS_CODE:
        return PART_KIND;
    case FIELD_CODE:
    case FIELD_UNIT:
        return PART_TEXTS;
    default:
        return PART_REST;
    }
}

/* The part of a condition that asks for both. PARTS: it asked for nothing so far. */
static enum part part_of_both(enum part a, enum part b)
{
    if (a == b || a == PARTS)
        return b;
    bool is_message = (a == PART_KIND || a == PART_TEXTS) && (b == PART_KIND || b == PART_TEXTS);
    return is_message ? PART_TEXTS : PART_REST;
}

/* As deep as conditions may nest. */
static enum part part_of(const struct sigma_node *node)
{
    if (node->kind == NODE_ITEM || node->count == 0)
        return PART_REST;
    enum part part = PARTS;
    if (node->kind == NODE_TEST)
        part = part_of_field(node->field);
    for (uint32_t i = 0; i < node->count; i++) {
        enum part other = part;
        if (node->kind != NODE_TEST)
            other = part_of(node->children[i]);
        else if (node->matchers[i].op == MATCH_FIELD)
            other = part_of_field(node->matchers[i].field);
        part = part_of_both(part, other);
    }
    return part;
}

uint64_t sigma_fields_of(const struct sigma_node *node)
{
    uint64_t set = 0;
    for (uint32_t i = 0; i < node->count; i++) {
        if (node->kind != NODE_TEST)
            set |= sigma_fields_of(node->children[i]);
        else if (node->matchers[i].op == MATCH_FIELD &&
                 node->matchers[i].field < FIELD_ITEM_OPERATION)
            set |= UINT64_C(1) << node->matchers[i].field;
    }
    if (node->kind == NODE_TEST && node->field < FIELD_ITEM_OPERATION)
        set |= UINT64_C(1) << node->field;
    return set;
}

static void take_terms(struct split *split, const struct sigma_node *node)
{
    if (node->kind == NODE_ALL) {
        for (uint32_t i = 0; i < node->count; i++)
            take_terms(split, node->children[i]);
        return;
    }
    struct terms *terms = &split->terms[part_of(node)];
    split->is_full |= terms->count == TERMS_MAX;
    if (!split->is_full)
        terms->at[terms->count++] = node;
}

/* One condition of all terms, in their order. */
static bool join(struct sigma_rules *rules, const struct terms *terms,
                 const struct sigma_node **joined)
{
    *joined = terms->count == 1 ? terms->at[0] : NULL;
    if (terms->count < 2)
        return true;
    struct sigma_node *made = sigma_keep(rules, sizeof *made);
    const struct sigma_node **kept = sigma_keep(rules, terms->count * sizeof(struct sigma_node *));
    if (!made || !kept)
        return false;
    memcpy((void *)kept, (const void *)terms->at, terms->count * sizeof(struct sigma_node *));
    made->kind = NODE_ALL;
    made->count = (uint32_t)terms->count;
    made->children = kept;
    *joined = made;
    return true;
}

/* --- hosts and units --- */

static unsigned bits_of_address(const struct address *a)
{
    return a->kind == ADDRESS_IP4 ? 32 : 128;
}

static uint64_t hosts_of_test(const struct sigma_node *test)
{
    bool is_address = sigma_field_type(test->field) == TYPE_ADDRESS;
    uint64_t set = 0;
    for (uint32_t i = 0; i < test->count; i++) {
        const struct sigma_matcher *m = &test->matchers[i];
        bool is_one = (m->op == MATCH_EQUAL && m->has_address) ||
                      (m->op == MATCH_CIDR && m->prefix_bits == bits_of_address(&m->address));
        if (!is_address || test->is_not || !is_one)
            return UINT64_MAX;
        set |= UINT64_C(1) << sigma_host(&m->address);
    }
    return set;
}

/* One of the two ends is at one of these, or the condition is false. */
static uint64_t hosts_of(const struct sigma_node *node)
{
    if (node->kind == NODE_TEST)
        return hosts_of_test(node);
    if (node->kind != NODE_ALL && node->kind != NODE_ANY)
        return UINT64_MAX;
    uint64_t set = node->kind == NODE_ALL ? UINT64_MAX : 0;
    for (uint32_t i = 0; i < node->count; i++) {
        uint64_t one = hosts_of(node->children[i]);
        if (node->kind == NODE_ANY)
            set |= one;
        else if (__builtin_popcountll(one) < __builtin_popcountll(set))
            set = one; /* not what both have: one end may be here, the other there */
    }
    return set;
}

/* A unit of another size makes the test false. */
static uint32_t unit_sizes_of(const struct sigma_node *test)
{
    uint32_t set = 0;
    if (test->kind != NODE_TEST || test->field != FIELD_UNIT || test->is_not)
        return UINT32_MAX;
    for (uint32_t i = 0; i < test->count; i++)
        set |= test->matchers[i].op == MATCH_EQUAL
                   ? UINT32_C(1) << sigma_unit(test->matchers[i].size)
                   : UINT32_MAX;
    return set;
}

static void find_texts(struct sigma_parts *parts, const struct terms *terms)
{
    parts->unit_sizes = UINT32_MAX;
    for (size_t i = 0; i < terms->count; i++)
        parts->unit_sizes &= unit_sizes_of(terms->at[i]);
}

/* --- numbers --- */

static struct sigma_span span_of_matcher(const struct sigma_matcher *m)
{
    struct sigma_span all = {-INFINITY, INFINITY};
    if (m->op == MATCH_GT || m->op == MATCH_GTE)
        all.least = m->number;
    else if (m->op == MATCH_LT || m->op == MATCH_LTE)
        all.most = m->number;
    else if (m->op == MATCH_EQUAL && m->has_number)
        all.least = all.most = m->number;
    return all;
}

/* Every number for which the test is true lies within. */
static struct sigma_span span_of_test(const struct sigma_node *node)
{
    struct sigma_span sum = {INFINITY, -INFINITY};
    for (uint32_t i = 0; i < node->count; i++) {
        struct sigma_span one = span_of_matcher(&node->matchers[i]);
        sum.least = one.least < sum.least ? one.least : sum.least;
        sum.most = one.most > sum.most ? one.most : sum.most;
    }
    return sum;
}

/* A test with one bound at least is false without a number, too. Of several numbers each bound may
 * be kept by another one: the bounds are looked at one by one. */
static void narrow(struct sigma_parts *parts, const struct sigma_node *test)
{
    for (size_t k = 0; k < SPANS; k++) {
        if (test->kind != NODE_TEST || test->is_not || test->field != span_fields[k])
            continue;
        struct sigma_span *span = &parts->spans[k], one = span_of_test(test);
        span->least = one.least > span->least ? one.least : span->least;
        span->most = one.most < span->most ? one.most : span->most;
    }
}

static uint8_t need_of_field(enum sigma_field field)
{
    switch (field) {
    case FIELD_DETAIL:
        return NEED_DETAIL;
    case FIELD_FLAGS:
        return NEED_FLAGS;
    case FIELD_TRANSFER_STEP:
    case FIELD_TRANSFER_NAME:
    case FIELD_TRANSFER_DECLARED:
    case FIELD_TRANSFER_SIZE:
        return NEED_TRANSFER;
    case FIELD_ITEM_NAME:
        return NEED_ITEM_NAME;
    case FIELD_ITEM_VALUES:
        return NEED_VALUES;
    default:
        return field >= FIELD_FACTS && field < FIELD_COUNT ? NEED_FACTS : 0;
    }
}

/* What must be there for the test to be true. */
static uint8_t need_of_test(const struct sigma_node *test)
{
    if (test->kind != NODE_TEST || test->is_not || test->field == FIELD_NONE)
        return 0;
    for (uint32_t i = 0; i < test->count; i++) {
        const struct sigma_matcher *m = &test->matchers[i];
        bool may_be_absent = m->op == MATCH_NULL || (m->op == MATCH_EXISTS && !m->is_wanted) ||
                             (m->op == MATCH_EQUAL && m->size == 0);
        if (may_be_absent)
            return 0;
    }
    return need_of_field(test->field);
}

/* With what letters the name of an item may begin and end. */
static void narrow_name(struct sigma_parts *parts, const struct sigma_node *test)
{
    uint32_t firsts = 0, lasts = 0;
    if (test->kind != NODE_TEST || test->field != FIELD_ITEM_NAME || test->is_not)
        return;
    for (uint32_t i = 0; i < test->count; i++) {
        const struct sigma_matcher *m = &test->matchers[i];
        bool has_first = m->size && (m->op == MATCH_EQUAL || m->op == MATCH_PREFIX);
        bool has_last = (m->size && m->op == MATCH_EQUAL) || (m->size > 1 && m->op == MATCH_SUFFIX);
        firsts |= has_first ? UINT32_C(1) << sigma_letter(m->bytes[0]) : UINT32_MAX;
        lasts |= has_last ? UINT32_C(1) << sigma_ending(m->bytes, m->size) : UINT32_MAX;
    }
    parts->firsts &= firsts;
    parts->lasts &= lasts;
}

/* What all of the terms want, and of one item. */
static void find_bounds(struct sigma_parts *parts, const struct terms *terms)
{
    const struct sigma_node *item = NULL; /* another one may mean another item */
    for (size_t k = 0; k < SPANS; k++)
        parts->spans[k] = (struct sigma_span){-INFINITY, INFINITY};
    for (size_t i = 0; i < terms->count; i++) {
        parts->needs |= need_of_test(terms->at[i]);
        if (!item && terms->at[i]->kind == NODE_ITEM)
            item = terms->at[i];
    }
    for (uint32_t i = 0; item && i < item->count; i++) {
        parts->needs |= need_of_test(item->children[i]);
        narrow(parts, item->children[i]);
        narrow_name(parts, item->children[i]);
    }
    for (unsigned k = 0; k < SPANS; k++)
        if (isfinite(parts->spans[k].least) || isfinite(parts->spans[k].most))
            parts->spanned |= (uint8_t)(1U << k);
}

bool sigma_split(struct sigma_rules *rules, const struct sigma_node *root,
                 struct sigma_parts *parts)
{
    struct split split = {.is_full = false};
    *parts = (struct sigma_parts){.rest = root, .firsts = UINT32_MAX, .lasts = UINT32_MAX};
    take_terms(&split, root);
    if (split.is_full)
        return true;
    parts->rest = NULL;
    find_bounds(parts, &split.terms[PART_REST]);
    find_texts(parts, &split.terms[PART_TEXTS]);
    if (!join(rules, &split.terms[PART_ENDS], &parts->of_ends) ||
        !join(rules, &split.terms[PART_KIND], &parts->of_kind) ||
        !join(rules, &split.terms[PART_TEXTS], &parts->of_texts) ||
        !join(rules, &split.terms[PART_REST], &parts->rest))
        return false;
    parts->hosts = parts->of_ends ? hosts_of(parts->of_ends) : UINT64_MAX;
    return true;
}
