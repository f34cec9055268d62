/* test_audit.c: what people change beside the baseline is told, once, with what was added and
 * removed; what they leave alone is not. */
#include "sensor/main/audit.h"

#include "sensor/base/config.h"
#include "support/runner.h"

#include <string.h>

static const struct store_schema *const no_schemas[] = {NULL};

struct bench {
    struct store *store;
    struct store_queue *queue;
    struct finding_sink sink;
    struct audit audit;
    unsigned count;
    struct finding last;
};

static void on_finding(void *context, const struct finding *f)
{
    struct bench *b = context;
    b->count++;
    b->last = *f;
}

static void open_bench(struct bench *b)
{
    struct error err;
    memset(b, 0, sizeof *b);
    ck_assert_msg(store_open(&b->store, ":memory:", STORE_READ_WRITE, no_schemas, &err), "%s",
                  err.text);
    ck_assert_msg(store_queue_create(&b->queue, b->store, false, &err), "%s", err.text);
    b->sink = (struct finding_sink){.context = b, .finding = on_finding};
    b->audit = (struct audit){b->store, b->queue, &b->sink, 1};
}

/* What is remembered waits for the next batch. */
static void commit(struct bench *b)
{
    struct error err;
    ck_assert_msg(store_queue_commit(b->queue, &err), "%s", err.text);
}

static void close_bench(struct bench *b)
{
    struct error err;
    ck_assert_msg(store_queue_close(b->queue, &err), "%s", err.text);
    store_close(b->store);
}

static char *config_text(const char *yaml)
{
    struct config config;
    struct error err;
    char *text = NULL;
    size_t size;
    config_defaults(&config);
    ck_assert_msg(config_parse(&config, yaml, strlen(yaml), "test.yaml", &err), "%s", err.text);
    FILE *file = open_memstream(&text, &size);
    config_print(&config, file);
    fclose(file);
    config_release(&config);
    return text;
}

static const struct row {
    const char *shows, *before, *now;
    const char *seen; /* NULL: nothing is told */
} rows[] = {
    {"nothing was changed",     "baseline: {mode: learn}",     "baseline: {mode: learn}",            NULL                                                       },
    {"a default that is named", "sensor: {name: sightglass}",  "baseline: {mode: auto}",             NULL                                                       },
    {"another value",           "baseline: {mode: learn}",     "baseline: {mode: auto}",
     "+ baseline.mode: auto; - baseline.mode: learn"                                                                                                            },
    {"a list grows",            "indicators: [a.csv]",         "indicators: [a.csv, b.csv]",
     "+ indicators: a.csv, b.csv; - indicators: a.csv"                                                                                                          },
    {"a password is not shown", "outputs: {redis: {host: r}}",
     "outputs: {redis: {host: r, password: geheim}}",                                                "+ outputs.redis.password: ***; - outputs.redis.password: "},
    {"switched off rules",      "rules: {files: [r]}",         "rules: {files: [r], disabled: [x]}",
     "+ rules.disabled: x; - rules.disabled: "                                                                                                                  },
};

START_TEST(configuration)
{
    const struct row *r = &rows[_i];
    struct bench b;
    open_bench(&b);
    char *before = config_text(r->before), *now = config_text(r->now);
    audit_config(&b.audit, before);
    commit(&b);
    ck_assert_msg(b.count == 0, "%s: the first one is no change", r->shows);
    audit_config(&b.audit, now);
    commit(&b);
    ck_assert_msg(b.count == (r->seen ? 1 : 0), "%s: told %u", r->shows, b.count);
    if (r->seen)
        ck_assert_str_eq(b.last.seen, r->seen);
    audit_config(&b.audit, now);
    commit(&b);
    ck_assert_msg(b.count == (r->seen ? 1 : 0), "%s: told again", r->shows);
    free(before);
    free(now);
    close_bench(&b);
}
END_TEST

static struct sigma_rules *rules_of(const char *yaml)
{
    struct sigma_rules *rules = sigma_rules_create();
    struct error err;
    ck_assert_msg(sigma_rules_parse(rules, yaml, strlen(yaml), "r.yml", &err), "%s", err.text);
    ck_assert_msg(sigma_rules_seal(rules, &err), "%s", err.text);
    return rules;
}

#define RULE(title, word)                                                                          \
    "title: " title "\nlogsource: {product: sightglass, service: event}\n"                         \
    "detection: {s: {ot.name: " word "}, condition: s}\n"

START_TEST(rules_and_indicators)
{
    struct bench b;
    open_bench(&b);
    struct sigma_rules *two = rules_of(RULE("one", "a") "---\n" RULE("two", "b"));
    struct sigma_rules *same = rules_of(RULE("one", "a") "---\n" RULE("two", "b"));
    struct sigma_rules *other = rules_of(RULE("one", "a") "---\n" RULE("two", "c"));
    audit_rules(&b.audit, two);
    commit(&b);
    audit_rules(&b.audit, same);
    commit(&b);
    ck_assert_uint_eq(b.count, 0);
    audit_rules(&b.audit, other);
    commit(&b);
    ck_assert_uint_eq(b.count, 1);
    ck_assert_msg(strstr(b.last.seen, "+ rule two (two), version") == b.last.seen &&
                      strstr(b.last.seen, "; - rule two (two), version") &&
                      !strstr(b.last.seen, "rule one"),
                  "%s", b.last.seen);
    audit_rules(&b.audit, NULL);
    commit(&b);
    ck_assert_uint_eq(b.count, 2);
    sigma_rules_destroy(two);
    sigma_rules_destroy(same);
    sigma_rules_destroy(other);

    struct indicators *list = NULL;
    struct error err;
    audit_indicators(&b.audit, NULL);
    commit(&b);
    ck_assert(indicators_parse(&list, "203.0.113.1\n", 12, "bad.csv", &err));
    audit_indicators(&b.audit, list);
    commit(&b);
    ck_assert_uint_eq(b.count, 3);
    ck_assert_msg(strstr(b.last.seen, "+ bad.csv: 1 indicators, version"), "%s", b.last.seen);
    audit_indicators(&b.audit, list);
    commit(&b);
    ck_assert_uint_eq(b.count, 3);
    indicators_destroy(list);
    close_bench(&b);
}
END_TEST

static void sql(struct bench *b, const char *text)
{
    ck_assert_int_eq(sqlite3_exec(store_handle(b->store), text, NULL, NULL, NULL), SQLITE_OK);
}

START_TEST(users)
{
    struct bench b;
    open_bench(&b);
    audit_users(&b.audit);
    commit(&b);
    ck_assert_uint_eq(b.count, 0); /* no console has been there */
    sql(&b, "CREATE TABLE web_users(name TEXT, role TEXT); CREATE TABLE web_tokens(name TEXT, role "
            "TEXT);"
            "INSERT INTO web_users VALUES('ann', 'admin')");
    audit_users(&b.audit);
    commit(&b);
    ck_assert_uint_eq(b.count, 0);
    sql(&b, "INSERT INTO web_users VALUES('bob', 'viewer'); INSERT INTO web_tokens VALUES('siem', "
            "'viewer')");
    audit_users(&b.audit);
    commit(&b);
    ck_assert_uint_eq(b.count, 1);
    ck_assert_str_eq(b.last.seen, "+ token siem, viewer; + user bob, viewer");
    sql(&b, "UPDATE web_users SET role = 'admin' WHERE name = 'bob'");
    audit_users(&b.audit);
    commit(&b);
    ck_assert_uint_eq(b.count, 2);
    ck_assert_str_eq(b.last.seen, "+ user bob, admin; - user bob, viewer");
    close_bench(&b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("audit");
    TCase *c = tcase_create("audit");
    tcase_set_timeout(c, 60); /* a slow machine with sanitizers */
    tcase_add_loop_test(c, configuration, 0, sizeof rows / sizeof *rows);
    tcase_add_test(c, rules_and_indicators);
    tcase_add_test(c, users);
    suite_add_tcase(s, c);
    return run_suite(s);
}
