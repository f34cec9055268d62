/* site_audit.c: see site_audit.h. */
#include "site_audit.h"

#include "sensor/base/text.h"

#include <stdlib.h>
#include <string.h>

enum {
    REMEMBERED_MAX = 65536
}; /* of its lines; what follows is compared by its fingerprint alone */

static const char key_text[] = "site policy", key_mark[] = "site policy fingerprint";

struct memory_row {
    char mark[24];
    char text[]; /* a string */
};

static bool memory_apply(struct store *store, const void *data, size_t size, struct error *err)
{
    const struct memory_row *row = data;
    (void)size;
    return store_setting_set(store, key_text, row->text, err) &&
           store_setting_set(store, key_mark, row->mark, err);
}

/* The policy in words, to be freed; NULL: out of memory. */
static char *print(const struct site *site)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    if (!file)
        return NULL;
    site_print(site, file);
    if (fclose(file) != 0) {
        free(text);
        return NULL;
    }
    if (size > REMEMBERED_MAX)
        text[REMEMBERED_MAX] = '\0';
    return text;
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

static void tell(const struct site *site, const char *before, const char *now, int64_t time_ns,
                 const struct finding_sink *sink)
{
    struct finding f;
    char summary[128];
    memset(&f, 0, sizeof f);
    f.detection = DETECTION_AUDIT_POLICY_CHANGED;
    f.time_ns = time_ns;
    f.count = 1;
    text_format(f.key, sizeof f.key, "site policy %016llx",
                (unsigned long long)site_fingerprint(site));
    text_format(f.what, sizeof f.what, "the site policy was changed; it has now: %s",
                site_summary(site, summary, sizeof summary));
    size_t used = print_only(now, before, '+', f.seen, sizeof f.seen, 0);
    print_only(before, now, '-', f.seen, sizeof f.seen, used);
    sink->finding(sink->context, &f);
}

static void remember(struct store_queue *queue, const char *mark, const char *text)
{
    size_t size = strlen(text) + 1;
    struct memory_row *row = calloc(1, sizeof *row + size);
    if (!row)
        return;
    text_copy(row->mark, sizeof row->mark, text_of(mark));
    memcpy(row->text, text, size);
    store_post(queue, memory_apply, row, sizeof *row + size);
    free(row);
}

bool site_audit(const struct site *site, struct store *store, struct store_queue *queue,
                int64_t time_ns, const struct finding_sink *sink)
{
    char mark[24], known[24];
    text_format(mark, sizeof mark, "%016llx", (unsigned long long)site_fingerprint(site));
    store_setting_get(store, key_mark, known, sizeof known);
    if (strcmp(mark, known) == 0)
        return false;
    char *now = print(site), *before = calloc(1, REMEMBERED_MAX + 1);
    if (now && before) {
        store_setting_get(store, key_text, before, REMEMBERED_MAX + 1);
        if (known[0])
            tell(site, before, now, time_ns, sink);
        remember(queue, mark, now);
    }
    free(before);
    free(now);
    return true;
}
