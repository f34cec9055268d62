/* sigma_index.c: which rules an event can match at all, by what a rule requires of its protocol and
 * operation. Rules that require nothing are in every list. */
#include "rules/sigma_internal.h"

#include "sensor/base/hash.h"

#include <string.h>

enum { WORDS_MAX = 64, LISTED_MAX = 4 << 20 };
#define EVERY_OPERATION ((((uint32_t)1 << OPERATION_COUNT) - 1))

/* The values that a field must have one of; is_known false: any. */
struct words {
    bool is_known;
    size_t count;
    const char *at[WORDS_MAX];
};

static void words_of_test(const struct sigma_node *node, enum sigma_field field,
                          struct words *words)
{
    if (node->field != field || node->is_not || node->count > WORDS_MAX)
        return;
    for (uint32_t i = 0; i < node->count; i++)
        if (node->matchers[i].op != MATCH_EQUAL)
            return;
    words->is_known = true;
    for (uint32_t i = 0; i < node->count; i++)
        words->at[words->count++] = node->matchers[i].bytes;
}

static void words_of(const struct sigma_node *node, enum sigma_field field, struct words *words)
{
    *words = (struct words){.is_known = false};
    if (node->kind == NODE_TEST) {
        words_of_test(node, field, words);
    } else if (node->kind == NODE_ALL || node->kind == NODE_ITEM) { /* the narrowest of all */
        for (uint32_t i = 0; i < node->count; i++) {
            struct words inner;
            words_of(node->children[i], field, &inner);
            if (inner.is_known && (!words->is_known || inner.count < words->count))
                *words = inner;
        }
    } else if (node->kind == NODE_ANY) { /* all of all */
        struct words sum = {.is_known = true};
        for (uint32_t i = 0; i < node->count; i++) {
            struct words inner;
            words_of(node->children[i], field, &inner);
            if (!inner.is_known || sum.count + inner.count > WORDS_MAX)
                return;
            memcpy(sum.at + sum.count, inner.at, inner.count * sizeof *inner.at);
            sum.count += inner.count;
        }
        *words = sum;
    }
}

static uint32_t operations_of(const struct sigma_rule *rule)
{
    struct words words;
    uint32_t set = 0;
    words_of(rule->root, FIELD_OPERATION, &words);
    if (!words.is_known)
        return EVERY_OPERATION;
    for (size_t i = 0; i < words.count; i++) {
        char name[32];
        enum operation operation;
        size_t size = strlen(words.at[i]);
        for (size_t k = 0; k <= size && k < sizeof name; k++) /* cased words may be upper case */
            name[k] = words.at[i][k];
        if (size < sizeof name && operation_parse(&operation, name))
            set |= (uint32_t)1 << operation;
    }
    return set;
}

static size_t slot_of(const struct sigma_rules *rules, const char *protocol, size_t size)
{
    size_t slot = hash_stable(protocol, size) % BUCKET_SLOTS;
    while (rules->slots[slot]) {
        const char *there = rules->buckets[rules->slots[slot]].protocol;
        if (strlen(there) == size && memcmp(there, protocol, size) == 0)
            break;
        slot = (slot + 1) % BUCKET_SLOTS;
    }
    return slot;
}

/* Names of protocols are lower case; a rule's word was lowered too. */
static bool add_bucket(struct sigma_rules *rules, const char *protocol, struct error *err)
{
    size_t slot = slot_of(rules, protocol, strlen(protocol));
    if (rules->slots[slot])
        return true;
    if (rules->bucket_count == BUCKETS_MAX)
        return error_set(err, "the rules name more than %d protocols", BUCKETS_MAX - 1);
    rules->buckets[rules->bucket_count].protocol = protocol;
    rules->slots[slot] = (uint16_t)rules->bucket_count++;
    return true;
}

static bool is_active(const struct sigma_rule *rule, enum sigma_kind kind)
{
    return rule->root && !rule->is_off && rule->kind == kind;
}

static bool has_word(const struct words *words, const char *word)
{
    for (size_t i = 0; i < words->count; i++)
        if (strcmp(words->at[i], word) == 0)
            return true;
    return false;
}

static bool list_add(struct sigma_rules *rules, struct sigma_list *list, size_t rule)
{
    enum { STEP = 16 };
    if (list->count % STEP == 0) {
        uint16_t *grown = sigma_keep(rules, (list->count + STEP) * sizeof *grown);
        if (!grown)
            return false;
        if (list->count)
            memcpy(grown, list->rules, list->count * sizeof *grown);
        list->rules = grown;
    }
    list->rules[list->count++] = (uint16_t)rule;
    return true;
}

static bool list_rule(struct sigma_rules *rules, struct sigma_bucket *bucket, int op, size_t i,
                      struct sigma_forms *forms)
{
    const struct sigma_rule *rule = rules->rules[i];
    const struct sigma_form *form =
        sigma_form(rules, rule->root, bucket->protocol, (enum operation)op, forms);
    return form && list_add(rules, &bucket->lists[op], i) &&
           (form->is_never || sigma_program_add(rules, &bucket->programs[op], rule, &form->parts));
}

static bool index_rule(struct sigma_rules *rules, size_t i, size_t *listed, struct error *err)
{
    const struct sigma_rule *rule = rules->rules[i];
    struct sigma_forms forms = {.count = 0};
    uint32_t operations = operations_of(rule);
    struct words protocols;
    words_of(rule->root, FIELD_PROTOCOL, &protocols);
    for (size_t b = 0; b < rules->bucket_count; b++) {
        struct sigma_bucket *bucket = &rules->buckets[b];
        if (protocols.is_known && (!bucket->protocol || !has_word(&protocols, bucket->protocol)))
            continue;
        for (int op = 0; op < OPERATION_COUNT; op++) {
            if (!(operations >> op & 1))
                continue;
            if (++*listed > LISTED_MAX || !list_rule(rules, bucket, op, i, &forms))
                return error_set(err, "the rules do not fit into memory");
        }
    }
    return true;
}

bool sigma_index(struct sigma_rules *rules, struct error *err)
{
    size_t listed = 0;
    rules->buckets = sigma_keep(rules, BUCKETS_MAX * sizeof *rules->buckets);
    if (!rules->buckets)
        return error_set(err, "out of memory");
    rules->bucket_count = 1;
    for (size_t i = 0; i < rules->count; i++) {
        struct words words;
        if (!is_active(rules->rules[i], SIGMA_EVENT))
            continue;
        words_of(rules->rules[i]->root, FIELD_PROTOCOL, &words);
        for (size_t k = 0; k < words.count; k++)
            if (!add_bucket(rules, words.at[k], err))
                return false;
    }
    for (size_t i = 0; i < rules->count; i++) {
        const struct sigma_rule *rule = rules->rules[i];
        bool ok = true;
        if (is_active(rule, SIGMA_EVENT))
            ok = index_rule(rules, i, &listed, err);
        else if (is_active(rule, SIGMA_FLOW))
            ok = list_add(rules, &rules->flows, i) || error_set(err, "out of memory");
        else if (is_active(rule, SIGMA_FINDING))
            ok = list_add(rules, &rules->findings, i) || error_set(err, "out of memory");
        if (!ok)
            return false;
    }
    return true;
}
