/* test_overview.c: the overview, stories and reports of the console. */
#include "served.h"

/* --- the overview, stories and reports --- */

START_TEST(the_overview_tells_what_is_open)
{
    char headers[512], body[256];
    add_users();
    log_in("anna", headers);
    json_t *before = body_of(get("/api/v1/overview", headers));
    ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(before, "open"), "all")),
                     2);
    ck_assert_uint_eq(json_array_size(json_object_get(before, "newest")), 2);
    json_decref(before);
    snprintf(body, sizeof body, "{\"ids\":[\"%s\"],\"state\":\"closed\"}", alert_id);
    ck_assert_int_eq(status_of(send_json("POST", "/api/v1/alerts/triage", headers, body)), 200);
    json_t *after = body_of(get("/api/v1/overview", headers));
    const json_t *newest = json_object_get(after, "newest");
    ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(after, "open"), "all")), 1);
    ck_assert_uint_eq(json_array_size(newest), 1);
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(newest, 0), "rule")),
                     "plc.start");
    json_decref(after);
}
END_TEST

/* Both alerts began in the hour of the last packet, which is the last of the 48. */
START_TEST(the_overview_counts_by_hour)
{
    json_t *answer = body_of(get("/api/v1/overview", ""));
    const json_t *all = json_object_get(json_object_get(answer, "rate"), "all");
    ck_assert_uint_eq(json_array_size(all), 48);
    for (size_t i = 0; i < 48; i++)
        ck_assert_int_eq(json_integer_value(json_array_get(all, i)), i == 47 ? 2 : 0);
    json_decref(answer);
}
END_TEST

START_TEST(critical_alerts_come_before_newer_ones)
{
    prepare_store("UPDATE alerts SET severity = 8, last_ns = last_ns + 1000000000"
                  " WHERE rule = 'plc.start'; UPDATE alerts SET severity = 9 WHERE rule ="
                  " 'plc.stop'");
    json_t *answer = body_of(get("/api/v1/overview", ""));
    const json_t *newest = json_object_get(answer, "newest");
    ck_assert_uint_eq(json_array_size(newest), 2);
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(newest, 0), "rule")),
                     "plc.stop");
    json_decref(answer);
}
END_TEST

START_TEST(troubles_of_the_sensor_have_their_own_place)
{
    prepare_store("UPDATE alerts SET rule = 'sensor.one-sided' WHERE rule = 'plc.start'");
    json_t *answer = body_of(get("/api/v1/overview", ""));
    const json_t *troubles = json_object_get(json_object_get(answer, "sensor"), "troubles");
    ck_assert_uint_eq(json_array_size(troubles), 1);
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(troubles, 0), "rule")),
                     "sensor.one-sided");
    ck_assert_uint_eq(json_array_size(json_object_get(answer, "newest")), 1);
    json_decref(answer);
}
END_TEST

/* What the sensor counted is told as it is, and of the caps only those that were hit. */
START_TEST(the_overview_tells_what_the_sensor_counted)
{
    json_t *none = body_of(get("/api/v1/overview", ""));
    ck_assert_uint_eq(json_array_size(json_object_get(json_object_get(none, "sensor"), "vitals")),
                      0);
    json_decref(none);
    prepare_store(
        "INSERT INTO health VALUES('s1', 'counters', 1, '{\"at\":\"2026-01-31T18:00:00Z\","
        "\"is_live\":true,\"lag_ms\":70,\"sources\":[{\"name\":\"eth1\",\"packets\":900,"
        "\"dropped\":9}],\"counters\":{\"packets\":900,\"packets_dropped\":9,"
        "\"flows_evicted\":4,\"ring_full\":0}}');"
        "INSERT INTO health VALUES('s2', 'counters', 1, 'no JSON')");
    json_t *answer = body_of(get("/api/v1/overview", ""));
    const json_t *vitals = json_object_get(json_object_get(answer, "sensor"), "vitals");
    const json_t *one = json_array_get(vitals, 0), *caps = json_object_get(one, "caps");
    ck_assert_uint_eq(json_array_size(vitals), 1);
    ck_assert_int_eq(json_integer_value(json_object_get(one, "packets_dropped")), 9);
    ck_assert_int_eq(json_integer_value(json_object_get(one, "lag_ms")), 70);
    ck_assert_uint_eq(json_array_size(json_object_get(one, "sources")), 1);
    ck_assert_uint_eq(json_array_size(caps), 1);
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(caps, 0), "name")),
                     "flows_evicted");
    json_decref(answer);
}
END_TEST

START_TEST(a_story_has_its_alerts_in_order)
{
    char headers[512], path[128], body[256];
    add_users();
    log_in("anna", headers);
    prepare_store("INSERT OR REPLACE INTO incidents SELECT sensor, incident, 1, 9, first_ns,"
                  " last_ns, 2, 'settled', 'stopped and started',"
                  " '{\"title\":\"stopped and started\",\"tactics\":[\"execution\"],"
                  "\"alerts_total\":2}', NULL FROM alerts WHERE rule = 'plc.stop';"
                  " UPDATE alerts SET incident = (SELECT incident FROM alerts WHERE rule ="
                  " 'plc.stop')");
    json_t *list = body_of(get("/api/v1/stories?state=open&q=STARTED", headers));
    const json_t *story = json_array_get(json_object_get(list, "stories"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(story, "title")), "stopped and started");
    snprintf(path, sizeof path, "/api/v1/stories/%s",
             json_string_value(json_object_get(story, "id")));
    json_decref(list);
    json_t *one = body_of(get(path, headers));
    const json_t *alerts = json_object_get(one, "alerts");
    ck_assert_uint_eq(json_array_size(alerts), 2);
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(alerts, 0), "rule")),
                     "plc.stop");
    snprintf(body, sizeof body, "{\"ids\":[\"%s\",\"%s\"],\"state\":\"closed\"}",
             json_string_value(json_object_get(json_array_get(alerts, 0), "id")),
             json_string_value(json_object_get(json_array_get(alerts, 1), "id")));
    json_decref(one);
    ck_assert_int_eq(status_of(send_json("POST", "/api/v1/alerts/triage", headers, body)), 200);
    ck_assert_ptr_nonnull(strstr(get("/api/v1/stories?state=open", headers), "\"stories\":[]"));
    ck_assert_ptr_nonnull(strstr(get("/api/v1/stories?state=all", headers), "\"is_open\":false"));
}
END_TEST

/* START is 2023-11-14T22:13:20Z. */
static const struct {
    const char *shows, *query;
    int status;
    const char *has;
} spans[] = {
    {"without a span: the last week",  "",                                                   200, "\"rule\":\"plc.stop\""},
    {"the hour of the alerts",         "?from=2023-11-14T22:00:00Z&to=2023-11-14T23:00:00Z", 200,
     "\"rule\":\"plc.stop\""                                                                                             },
    {"the first moment is of it",      "?from=2023-11-14T22:13:20Z&to=2023-11-14T22:13:21Z", 200,
     "\"rule\":\"plc.stop\""                                                                                             },
    {"the last moment is not",         "?from=2023-11-14T22:00:00Z&to=2023-11-14T22:13:20Z", 200,
     "\"rules\":[]"                                                                                                      },
    {"the day after",                  "?from=2023-11-15T00:00:00Z&to=2023-11-16T00:00:00Z", 200, "\"rules\":[]"         },
    {"new devices",                    "?from=2023-11-14T22:00:00Z&to=2023-11-14T23:00:00Z", 200,
     "\"new_assets_total\":1"                                                                                            },
    {"backwards",                      "?from=2023-11-15T00:00:00Z&to=2023-11-14T00:00:00Z", 400, "from before to"       },
    {"an empty span",                  "?from=2023-11-15T00:00:00Z&to=2023-11-15T00:00:00Z", 400, "from before to"       },
    {"a time that is none",            "?from=yesterday",                                    400, "from before to"       },
    {"long before there were packets", "?to=1800-01-01T00:00:00Z",                           400, "from before to"       },
};

START_TEST(reports_are_of_their_span)
{
    char path[160];
    snprintf(path, sizeof path, "/api/v1/reports/summary%s", spans[_i].query);
    char *answer = get(path, "");
    ck_assert_msg(status_of(answer) == spans[_i].status, "%s: %.80s", spans[_i].shows, answer);
    ck_assert_msg(strstr(answer, spans[_i].has) != NULL, "%s: %s", spans[_i].shows, answer);
}
END_TEST

/* 40 alerts, six hours after each other, of 35 kinds by 12 devices. */
static const char many_alerts[] =
    "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 39)"
    " INSERT INTO alerts(sensor, id, revision, rule, severity, first_ns, last_ns, count, status,"
    " actor, target, protocol, incident, document, triage) SELECT 'sightglass', 'many-' || i, 1,"
    " printf('kind.%02d', i % 35), iif(i = 34, 9, 3), 1701388800000000000 + i * 21600000000000,"
    " 1701388800000000000 + i * 21600000000000, 1, 'settled', '10.1.0.' || (i % 12),"
    " iif(i % 2, '', '10.2.0.1'), '', '', '{}', iif(i % 4, 'new', 'closed') FROM n";

static const struct {
    const char *shows, *list;
    size_t size, at;
    const char *element;
} sums[] = {
    {"the gravest come first",     "severities", 2,  0, "{'severity':9,'alerts':1,'open':1}"          },
    {"closed ones are not open",   "severities", 2,  1, "{'severity':3,'alerts':39,'open':29}"        },
    {"the gravest kind",           "rules",      30, 0,
     "{'rule':'kind.34','name':'kind.34','alerts':1,'severity':9,'open':1}"                           },
    {"then the most frequent one", "rules",      30, 1,
     "{'rule':'kind.00','name':'kind.00','alerts':2,'severity':3,'open':1}"                           },
    {"of equals by name",          "rules",      30, 6,
     "{'rule':'kind.05','name':'kind.05','alerts':1,'severity':3,'open':1}"                           },
    {"who did most",               "actors",     10, 0, "{'host':'10.1.0.0','alerts':4,'severity':3}" },
    {"the gravest of one",         "actors",     10, 4, "{'host':'10.1.0.10','alerts':3,'severity':9}"},
    {"no target is none",          "targets",    1,  0, "{'host':'10.2.0.1','alerts':20,'severity':9}"},
    {"the first day",              "days",       10, 0, "{'day':'2023-12-01','alerts':4,'high':0}"    },
    {"a day with something grave", "days",       10, 8, "{'day':'2023-12-09','alerts':4,'high':1}"    },
    {"the last day",               "days",       10, 9, "{'day':'2023-12-10','alerts':4,'high':0}"    },
};

START_TEST(a_report_adds_up)
{
    char text[128];
    snprintf(text, sizeof text, "%s", sums[_i].element);
    for (char *at = text; (at = strchr(at, '\''));)
        *at = '"';
    prepare_store(many_alerts);
    json_t *expected = json_loads(text, 0, NULL);
    json_t *answer = body_of(
        get("/api/v1/reports/summary?from=2023-12-01T00:00:00Z&to=2024-01-01T00:00:00Z", ""));
    const json_t *list = json_object_get(answer, sums[_i].list);
    char *seen = json_dumps(json_array_get(list, sums[_i].at), JSON_COMPACT);
    ck_assert_ptr_nonnull(expected);
    ck_assert_uint_eq(json_array_size(list), sums[_i].size);
    ck_assert_msg(json_equal(json_array_get(list, sums[_i].at), expected), "%s: %s", sums[_i].shows,
                  seen);
    free(seen);
    json_decref(expected);
    json_decref(answer);
}
END_TEST

START_TEST(a_window_has_its_actions)
{
    prepare_store(
        "INSERT INTO maintenance_windows VALUES('sightglass', 'night', 1700000000000000000,"
        " 1700003600000000000, 'CHG-1', 1), ('sightglass', 'quiet', 1700000000000000000,"
        " 1700003600000000000, '', 1);"
        " INSERT INTO maintenance_actions VALUES('sightglass', 'night',"
        " 1700000000000000000, '10.0.0.5', '10.0.0.10', 'plc.stop', 'CPU', 'stop', 2,"
        " 1700000001000000000, 1700000002000000000, 'success', 0, '')");
    json_t *answer = body_of(
        get("/api/v1/reports/maintenance?from=2023-11-14T23:00:00Z&to=2023-11-15T00:00:00Z", ""));
    const json_t *windows = json_object_get(answer, "windows");
    ck_assert_uint_eq(json_array_size(windows), 2);
    const json_t *night = json_array_get(windows, 0), *quiet = json_array_get(windows, 1);
    ck_assert_str_eq(json_string_value(json_object_get(night, "ticket")), "CHG-1");
    ck_assert_uint_eq(json_array_size(json_object_get(night, "actions")), 1);
    ck_assert_uint_eq(json_array_size(json_object_get(quiet, "actions")), 0);
    json_decref(answer);
    ck_assert_ptr_nonnull(strstr(
        get("/api/v1/reports/maintenance?from=2023-11-15T00:00:00Z&to=2023-11-16T00:00:00Z", ""),
        "\"windows\":[]"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("overview");
    TCase *served = served_case();
    tcase_add_test(served, the_overview_tells_what_is_open);
    tcase_add_test(served, the_overview_counts_by_hour);
    tcase_add_test(served, critical_alerts_come_before_newer_ones);
    tcase_add_test(served, troubles_of_the_sensor_have_their_own_place);
    tcase_add_test(served, the_overview_tells_what_the_sensor_counted);
    tcase_add_test(served, a_story_has_its_alerts_in_order);
    tcase_add_loop_test(served, reports_are_of_their_span, 0, COUNT(spans));
    tcase_add_loop_test(served, a_report_adds_up, 0, COUNT(sums));
    tcase_add_test(served, a_window_has_its_actions);
    suite_add_tcase(suite, served);
    return served_run(suite);
}
