/* test_rules.c: the list of rules tells how often each of them matched. */
#include "served.h"

static const char two_rules[] =
    "title: First\nid: first\nlogsource:\n  product: sightglass\ndetection:\n  selection:\n"
    "    ot.operation: stop\n  condition: selection\n---\n"
    "title: Second\nid: second\nlogsource:\n  product: sightglass\ndetection:\n  selection:\n"
    "    ot.operation: start\n  condition: selection\n";

/* The alerts of the store, as if the first rule had raised them: often and late, others' besides.
 */
static void add_matches(void)
{
    prepare_store(
        "UPDATE alerts SET rule = 'rule.match', count = 3, last_ns = 5000000000,"
        " rule_uuid = 'first';"
        "UPDATE alerts SET count = 4, last_ns = 9000000000 WHERE id = (SELECT min(id) FROM alerts);"
        "CREATE TEMP TABLE other AS SELECT * FROM alerts LIMIT 1;"
        "UPDATE other SET id = 'f0', count = 100, rule_uuid = 'gone';"
        "INSERT INTO alerts SELECT * FROM other;"
        "UPDATE other SET id = 'f1', rule = 'plc.stop', rule_uuid = 'first';"
        "INSERT INTO alerts SELECT * FROM other;");
}

START_TEST(hits_are_counted_by_rule)
{
    static const struct {
        const char *id, *last_seen;
        int alerts, hits;
    } expected[] = {
        {"first",  "1970-01-01T00:00:09.000000Z", 2, 7},
        {"second", "",                            0, 0},
    };
    char path[] = "/tmp/test_rules.XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, two_rules, sizeof two_rules - 1), (int)sizeof two_rules - 1);
    close(fd);
    add_matches();
    served_config.rule_files.items[0] = path;
    served_config.rule_files.count = 1;
    json_t *json = body_of(get("/api/v1/rules", ""));
    served_config.rule_files.count = 0;
    unlink(path);
    for (int i = 0; i < COUNT(expected); i++) {
        size_t at;
        json_t *rule, *found = NULL;
        json_array_foreach(json_object_get(json, "rules"), at,
                           rule) if (strcmp(json_string_value(json_object_get(rule, "id")),
                                            expected[i].id) == 0) found = rule;
        ck_assert_msg(found, "%s", expected[i].id);
        const char *last = json_string_value(json_object_get(found, "last_seen"));
        ck_assert_str_eq(last ? last : "", expected[i].last_seen);
        ck_assert_int_eq(json_integer_value(json_object_get(found, "alerts")), expected[i].alerts);
        ck_assert_int_eq(json_integer_value(json_object_get(found, "hits")), expected[i].hits);
    }
    json_decref(json);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rules");
    TCase *served = served_case();
    tcase_add_test(served, hits_are_counted_by_rule);
    suite_add_tcase(suite, served);
    return served_run(suite);
}
