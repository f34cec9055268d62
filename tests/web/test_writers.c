/* test_writers.c: lists of a baseline that has more than one answer shows: who writes to whom, and
 * the variables that are written. */
#include "served.h"

/* Three pairs, of which the second did most, and a fourth that only reads; three variables. */
static void add_baseline(void)
{
    prepare_store(
        "INSERT INTO baseline_pairs(sensor, id, state, first_seen, last_seen, count, host_a,"
        " host_b) WITH n(i) AS (VALUES(1), (2), (3), (4)) SELECT 'sightglass', i, 'learned', 1, 2,"
        " 3, '10.0.0.' || i, '10.0.1.' || i FROM n;"
        "INSERT INTO baseline_conversations(sensor, id, state, first_seen, last_seen, count, pair,"
        " protocol) SELECT 'sightglass', 10 + id, 'learned', 1, 2, 3, id, 'modbus' FROM"
        " baseline_pairs;"
        "INSERT INTO baseline_operations(sensor, id, state, first_seen, last_seen, count,"
        " conversation, side, unit, operation) SELECT 'sightglass', 20 + p.id, 'learned', 1, 2,"
        " CASE p.id WHEN 2 THEN 90 ELSE 10 * p.id END, 10 + p.id, 0, '', CASE p.id WHEN 4 THEN"
        " 'read' ELSE 'write' END FROM baseline_pairs p;"
        "INSERT INTO baseline_operations(sensor, id, state, first_seen, last_seen, count,"
        " conversation, side, unit, operation) VALUES('sightglass', 30, 'pending', 1, 2, 1, 12, 0,"
        " '', 'stop');"
        "INSERT INTO baseline_points(sensor, id, state, first_seen, last_seen, count,"
        " conversation, side, is_write, unit, unit_hash, area, has_number, number, is_bit, bit,"
        " address, name, name_hash, low, high, states, observations) SELECT 'sightglass',"
        " 40 + p.id, 'learned', 100 + p.id, 200, 3, 10 + p.id, 0, 1, '', 0, 'holding', 0, 0, 0, 0,"
        " p.id, '', 0, 1, 2, '', 3 FROM baseline_pairs p WHERE p.id < 4;");
}

static const struct {
    const char *shows, *path, *list, *key;
    int status, total;
    const char *expected; /* of each entry, one after the other */
} rows[] = {
    {"the heaviest pair first",         "baseline/writers",              "writes",    "actor",     200, 3,
     "10.0.0.2 10.0.0.2 10.0.0.3 10.0.0.1 "                                                                           },
    {"all that the pair did",           "baseline/writers?limit=1",      "writes",    "operation", 200, 3,
     "stop write "                                                                                                    },
    {"two of three",                    "baseline/writers?limit=2",      "writes",    "target",    200, 3,
     "10.0.1.2 10.0.1.2 10.0.1.3 "                                                                                    },
    {"no pair at all",                  "baseline/writers?limit=0",      NULL,        NULL,        400, 0, ""         },
    {"another sensor's",                "baseline/writers?sensor=other", "writes",    "actor",     200, 0, ""         },
    {"variables, newest first",         "variables",                     "variables", "writer",    200, 0,
     "10.0.0.3 10.0.0.2 10.0.0.1 "                                                                                    },
    {"a page of them",                  "variables?limit=1&skip=1",      "variables", "writer",    200, 0, "10.0.0.2 "},
    {"of a writer",                     "variables?host=10.0.0.1",       "variables", "target",    200, 0, "10.0.1.1 "},
    {"of a target",                     "variables?host=10.0.1.3",       "variables", "writer",    200, 0, "10.0.0.3 "},
    {"of a protocol that is not there", "variables?protocol=cip",        "variables", "writer",    200, 0,
     ""                                                                                                               },
};

START_TEST(lists_are_cut_where_asked)
{
    char path[128], found[256] = "";
    size_t i;
    json_t *entry;
    add_baseline();
    snprintf(path, sizeof path, "/api/v1/%s", rows[_i].path);
    char *answer = get(path, "");
    ck_assert_msg(status_of(answer) == rows[_i].status, "%s: %s", rows[_i].shows, answer);
    json_t *json = body_of(answer);
    json_array_foreach(json_object_get(json, rows[_i].list), i, entry)
        text_format(found + strlen(found), sizeof found - strlen(found), "%s ",
                    json_string_value(json_object_get(entry, rows[_i].key)));
    ck_assert_msg(strcmp(found, rows[_i].expected) == 0, "%s: %s", rows[_i].shows, found);
    ck_assert_int_eq(json_integer_value(json_object_get(json, "total")), rows[_i].total);
    json_decref(json);
}
END_TEST

/* The store's device is 10.0.0.10; what a person calls it stands before what the wire says. */
START_TEST(devices_are_called_as_in_the_list)
{
    prepare_store("INSERT INTO baseline_pairs(sensor, id, state, first_seen, last_seen, count,"
                  " host_a, host_b) VALUES('sightglass', 1, 'learned', 1, 2, 3, '10.0.0.66',"
                  " '10.0.0.10');"
                  "INSERT INTO baseline_conversations(sensor, id, state, first_seen, last_seen,"
                  " count, pair, protocol) VALUES('sightglass', 10, 'learned', 1, 2, 3, 1,"
                  " 'modbus');"
                  "INSERT INTO baseline_operations(sensor, id, state, first_seen, last_seen, count,"
                  " conversation, side, unit, operation) VALUES('sightglass', 20, 'learned', 1, 2,"
                  " 3, 10, 0, '', 'write');"
                  "INSERT INTO asset_overrides(sensor, asset, field, value, by, why, at_ms)"
                  " SELECT sensor, id, 'name', 'MIXER', 'anna', 'seen on site', 1 FROM assets;");
    char name[64] = "";
    for (int i = 0; i < 200 && strcmp(name, "MIXER") != 0; i++) { /* the list is read aside */
        json_t *json = body_of(get("/api/v1/baseline/writers", ""));
        const json_t *hosts = json_object_get(json, "hosts");
        snprintf(name, sizeof name, "%s", text_at(hosts, "10.0.0.10", "name"));
        ck_assert_ptr_null(json_object_get(json_object_get(hosts, "10.0.0.66"), "asset"));
        json_decref(json);
        usleep(50000);
    }
    ck_assert_str_eq(name, "MIXER");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("writers");
    TCase *served = served_case();
    tcase_add_loop_test(served, lists_are_cut_where_asked, 0, COUNT(rows));
    tcase_add_test(served, devices_are_called_as_in_the_list);
    suite_add_tcase(suite, served);
    return served_run(suite);
}
