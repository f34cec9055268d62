/* sigma_rules.c: the set of rules: memory, files and folders, seal, lists. */
#include "rules/sigma_internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum {
    FOLDER_DEPTH_MAX = 8,
    FOLDER_FILES_MAX = 4000,
    PATH_SIZE = 1024,
    MEMORY_MAX = 256 << 20, /* of all rules: a rule takes a few kilobytes */
};

/* Everything is freed together. */
struct block {
    struct block *next;
    pcre2_code *re;
    size_t size;
};

void *sigma_keep(struct sigma_rules *rules, size_t size)
{
    if (size > MEMORY_MAX)
        return NULL;
    struct block *block = calloc(1, sizeof *block + size);
    if (!block)
        return NULL;
    block->next = rules->blocks;
    block->size = size;
    rules->blocks = block;
    return block + 1;
}

char *sigma_keep_text(struct sigma_rules *rules, struct text text)
{
    char *copy = sigma_keep(rules, text.size + 1);
    if (copy && text.size)
        memcpy(copy, text.at, text.size);
    return copy;
}

bool sigma_keep_re(struct sigma_rules *rules, pcre2_code *re)
{
    if (!sigma_keep(rules, 0)) {
        pcre2_code_free(re);
        return false;
    }
    rules->blocks->re = re;
    return true;
}

struct sigma_rules *sigma_rules_create(void)
{
    struct sigma_rules *rules = calloc(1, sizeof *rules);
    if (!rules)
        return NULL;
    rules->re_context = pcre2_compile_context_create(NULL);
    rules->rules = calloc(SIGMA_RULES_MAX, sizeof(struct sigma_rule *));
    if (!rules->re_context || !rules->rules) {
        sigma_rules_destroy(rules);
        return NULL;
    }
    pcre2_set_parens_nest_limit(rules->re_context, 32);
    return rules;
}

void sigma_rules_destroy(struct sigma_rules *rules)
{
    if (!rules)
        return;
    for (struct block *block = rules->blocks; block;) {
        struct block *next = block->next;
        pcre2_code_free(block->re);
        free(block);
        block = next;
    }
    pcre2_compile_context_free(rules->re_context);
    free(rules->rules);
    free(rules);
}

/* --- nodes --- */

static int by_cost(const void *a, const void *b)
{
    const struct sigma_node *x = *(struct sigma_node *const *)a,
                            *y = *(struct sigma_node *const *)b;
    return x->cost < y->cost ? -1 : x->cost > y->cost;
}

struct sigma_node *sigma_node_group(struct sigma_rules *rules, enum node_kind kind,
                                    struct sigma_node *const *children, size_t count)
{
    struct sigma_node *node = sigma_keep(rules, sizeof *node);
    const struct sigma_node **kept = sigma_keep(rules, count * sizeof(struct sigma_node *));
    if (!node || !kept)
        return NULL;
    memcpy((void *)kept, (const void *)children, count * sizeof(struct sigma_node *));
    node->kind = kind;
    node->children = kept;
    node->count = (uint32_t)count;
    for (size_t i = 0; i < count; i++)
        node->cost += kept[i]->cost;
    qsort((void *)kept, count, sizeof(struct sigma_node *), by_cost);
    return node;
}

/* --- files --- */

static bool add_file(struct sigma_rules *rules, const char *path, struct error *err)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return error_set(err, "cannot open %s: %s", path, strerror(errno));
    char *text = malloc(SIGMA_FILE_MAX + 1);
    size_t size = text ? fread(text, 1, SIGMA_FILE_MAX + 1, file) : 0;
    bool ok = true;
    if (!text)
        ok = error_set(err, "out of memory");
    else if (ferror(file))
        ok = error_set(err, "cannot read %s", path);
    else if (size > SIGMA_FILE_MAX)
        ok = error_set(err, "%s: is larger than a megabyte", path);
    fclose(file);
    ok = ok && sigma_rules_parse(rules, text, size, path, err);
    free(text);
    return ok;
}

static bool is_rule_file(const char *name)
{
    const char *dot = strrchr(name, '.');
    return name[0] != '.' && dot && (strcmp(dot, ".yml") == 0 || strcmp(dot, ".yaml") == 0);
}

static int hide_dots(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static bool add_path(struct sigma_rules *rules, const char *path, unsigned depth,
                     struct error *err);

static bool add_folder(struct sigma_rules *rules, const char *path, unsigned depth,
                       struct error *err)
{
    struct dirent **entries;
    int count = scandir(path, &entries, hide_dots, alphasort);
    if (count < 0)
        return error_set(err, "cannot read the folder %s: %s", path, strerror(errno));
    bool ok = count <= FOLDER_FILES_MAX || error_set(err, "%s: has more than 4000 files", path);
    for (int i = 0; i < count; i++) {
        char inner[PATH_SIZE];
        struct stat st;
        int size = snprintf(inner, sizeof inner, "%s/%s", path, entries[i]->d_name);
        if (ok && (size < 0 || (size_t)size >= sizeof inner))
            ok = error_set(err, "%s: the path of a file is too long", path);
        else if (ok && stat(inner, &st) == 0 &&
                 (S_ISDIR(st.st_mode) || is_rule_file(entries[i]->d_name)))
            ok = add_path(rules, inner, depth + 1, err);
        free(entries[i]);
    }
    free(entries);
    return ok;
}

static bool add_path(struct sigma_rules *rules, const char *path, unsigned depth, struct error *err)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return error_set(err, "cannot open %s: %s", path, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return add_file(rules, path, err);
    if (depth > FOLDER_DEPTH_MAX)
        return error_set(err, "%s: folders are nested too deeply", path);
    return add_folder(rules, path, depth, err);
}

bool sigma_rules_add(struct sigma_rules *rules, const char *path, struct error *err)
{
    return add_path(rules, path, 0, err);
}

/* --- lists --- */

bool sigma_rules_disable(struct sigma_rules *rules, const char *id)
{
    bool is_found = false;
    for (size_t i = 0; i < rules->count; i++) {
        struct sigma_rule *rule = rules->rules[i];
        if (strcasecmp(rule->id, id) == 0 || strcmp(rule->name, id) == 0 ||
            strcmp(rule->title, id) == 0)
            rule->is_off = is_found = true;
    }
    return is_found;
}

bool sigma_rules_seal(struct sigma_rules *rules, struct error *err)
{
    for (size_t i = 0; i < rules->count; i++)
        rules->rules[i]->key = sigma_rule_key(rules->rules[i]);
    bool ok = sigma_correlations_resolve(rules, err) && sigma_index(rules, err);
    rules->is_sealed = ok;
    return ok;
}

size_t sigma_rules_count(const struct sigma_rules *rules)
{
    return rules->count;
}

void sigma_rules_summary(const struct sigma_rules *rules, size_t i, struct sigma_summary *summary)
{
    const struct sigma_rule *rule = rules->rules[i];
    *summary = (struct sigma_summary){
        .id = rule->id,
        .title = rule->title,
        .file = rule->file,
        .level = rule->level_name,
        .techniques = rule->techniques,
        .line = rule->line,
        .fingerprint = rule->fingerprint,
        .kind = rule->kind,
        .is_correlation = rule->correlation != NULL,
        .is_off = rule->is_off,
        .is_part = rule->is_part,
        .tests = rule->test_count,
    };
}
