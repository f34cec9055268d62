/* audit.c: see audit.h. */
#include "audit.h"

#include "sensor/base/hash.h"
#include "sensor/base/text.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum {
    REMEMBERED_MAX = 65536, /* of its lines; what follows is compared by its fingerprint alone */
    SUBJECT_SIZE = 32,
    MARK_SIZE = 24,
};

struct memory_row {
    char subject[SUBJECT_SIZE], mark[MARK_SIZE];
    char text[]; /* a string */
};

static void mark_key(char key[2 * SUBJECT_SIZE], const char *subject)
{
    text_format(key, 2 * SUBJECT_SIZE, "%s fingerprint", subject);
}

static bool memory_apply(struct store *store, const void *data, size_t size, struct error *err)
{
    const struct memory_row *row = data;
    char key[2 * SUBJECT_SIZE];
    (void)size;
    mark_key(key, row->subject);
    return store_setting_set(store, row->subject, row->text, err) &&
           store_setting_set(store, key, row->mark, err);
}

static bool has_line(const char *text, const char *line, size_t size)
{
    for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n')
        if (strcspn(at, "\n") == size && memcmp(at, line, size) == 0)
            return true;
    return false;
}

/* Lines of one text that the other has not: "+ zone x; + conduit ...". */
static size_t print_only(const char *text, const char *other, char sign, char *out, size_t capacity,
                         size_t used)
{
    for (const char *at = text; *at && used + 1 < capacity;) {
        size_t size = strcspn(at, "\n");
        if (size > 0 && !has_line(other, at, size)) {
            text_format(out + used, capacity - used, "%s%c %.*s", used ? "; " : "", sign, (int)size,
                        at);
            used = strlen(out);
        }
        at += size + (at[size] == '\n');
    }
    return used;
}

/* One thing that is compared: its lines, and how its change is told. */
struct subject {
    const char *name; /* in the store */
    const char *what;
    char mark[MARK_SIZE];
    char *text; /* NULL: out of memory */
};

static void tell(const struct audit *audit, const struct subject *s, const char *before)
{
    struct finding f;
    memset(&f, 0, sizeof f);
    f.detection = DETECTION_AUDIT_POLICY_CHANGED;
    f.time_ns = audit->time_ns;
    f.count = 1;
    text_format(f.key, sizeof f.key, "%s %s", s->name, s->mark);
    text_copy(f.what, sizeof f.what, text_of(s->what));
    size_t used = print_only(s->text, before, '+', f.seen, sizeof f.seen, 0);
    print_only(before, s->text, '-', f.seen, sizeof f.seen, used);
    audit->sink->finding(audit->sink->context, &f);
}

static void remember(const struct audit *audit, const struct subject *s)
{
    size_t size = strlen(s->text) + 1;
    struct memory_row *row = calloc(1, sizeof *row + size);
    if (!row)
        return;
    text_copy(row->subject, sizeof row->subject, text_of(s->name));
    text_copy(row->mark, sizeof row->mark, text_of(s->mark));
    memcpy(row->text, s->text, size);
    store_post(audit->queue, memory_apply, row, sizeof *row + size);
    free(row);
}

/* Frees the subject's text. */
static bool compare(const struct audit *audit, struct subject *s)
{
    char key[2 * SUBJECT_SIZE], known[MARK_SIZE];
    mark_key(key, s->name);
    store_setting_get(audit->store, key, known, sizeof known);
    bool is_other = s->text && strcmp(s->mark, known) != 0;
    char *before = is_other ? calloc(1, REMEMBERED_MAX + 1) : NULL;
    if (before) {
        if (strlen(s->text) > REMEMBERED_MAX)
            s->text[REMEMBERED_MAX] = '\0';
        store_setting_get(audit->store, s->name, before, REMEMBERED_MAX + 1);
        if (known[0])
            tell(audit, s, before);
        remember(audit, s);
    }
    free(before);
    free(s->text);
    return is_other;
}

static bool compare_text(const struct audit *audit, struct subject *s)
{
    if (s->text)
        text_format(s->mark, sizeof s->mark, "%016llx",
                    (unsigned long long)hash_stable(s->text, strlen(s->text)));
    return compare(audit, s);
}

bool audit_site(const struct audit *audit, const struct site *site)
{
    char summary[128], what[192];
    struct subject s = {.name = "site policy", .what = what};
    text_format(what, sizeof what, "the site policy was changed; it has now: %s",
                site_summary(site, summary, sizeof summary));
    text_format(s.mark, sizeof s.mark, "%016llx", (unsigned long long)site_fingerprint(site));
    size_t size = 0;
    FILE *file = open_memstream(&s.text, &size);
    if (!file)
        return false;
    site_print(site, file);
    fclose(file);
    return compare(audit, &s);
}

bool audit_config(const struct audit *audit, const char *text)
{
    struct subject s = {
        .name = "configuration", .what = "the configuration was changed", .text = strdup(text)};
    return compare_text(audit, &s);
}

bool audit_rules(const struct audit *audit, const struct sigma_rules *rules)
{
    struct subject s = {.name = "rules", .what = "the rules were changed"};
    size_t size = 0;
    FILE *file = open_memstream(&s.text, &size);
    if (!file)
        return false;
    for (size_t i = 0; rules && i < sigma_rules_count(rules); i++) {
        struct sigma_summary rule;
        sigma_rules_summary(rules, i, &rule);
        fprintf(file, "rule %s (%s), version %08llx%s\n", rule.title, rule.id,
                (unsigned long long)(rule.fingerprint & UINT32_MAX), rule.is_off ? ", off" : "");
    }
    fclose(file);
    return compare_text(audit, &s);
}

bool audit_indicators(const struct audit *audit, const struct indicators *indicators)
{
    struct subject s = {.name = "indicators", .what = "the lists of indicators were changed"};
    size_t size = 0;
    FILE *file = open_memstream(&s.text, &size);
    if (!file)
        return false;
    if (indicators)
        indicators_print(indicators, file);
    fclose(file);
    return compare_text(audit, &s);
}

bool audit_users(const struct audit *audit)
{
    static const char query[] = "SELECT 'user ' || name || ', ' || role FROM web_users UNION ALL "
                                "SELECT 'token ' || name || ', ' || role FROM web_tokens "
                                "ORDER BY 1";
    struct subject s = {.name = "console users", .what = "the users of the console were changed"};
    sqlite3_stmt *rows = NULL;
    size_t size = 0;
    /* a store that no console has opened has no such tables */
    if (sqlite3_prepare_v2(store_handle(audit->store), query, -1, &rows, NULL) != SQLITE_OK)
        return false;
    FILE *file = open_memstream(&s.text, &size);
    bool ok = file != NULL;
    int step;
    while (ok && (step = sqlite3_step(rows)) != SQLITE_DONE) {
        ok = step == SQLITE_ROW;
        if (ok)
            fprintf(file, "%s\n", (const char *)sqlite3_column_text(rows, 0));
    }
    sqlite3_finalize(rows);
    if (file)
        fclose(file);
    if (ok)
        return compare_text(audit, &s);
    free(s.text); /* busy: at the next look */
    return false;
}
