/* test_people.c: what people do with the console: roles, triage, approvals, muting, words about
 * assets. */
#include "served.h"

static const struct {
    const char *shows, *method, *path;
    int nobody, viewer, admin;
} rights[] = {
    {"the page itself",       "GET",    "/",                           200, 200, 200},
    {"health",                "GET",    "/healthz",                    200, 200, 200},
    {"who am I",              "GET",    "/api/v1/session",             200, 200, 200},
    {"alerts",                "GET",    "/api/v1/alerts",              401, 200, 200},
    {"assets",                "GET",    "/api/v1/assets",              401, 200, 200},
    {"say of an asset",       "PATCH",  "/api/v1/assets/a-00ff",       401, 403, 404},
    {"the declared list",     "GET",    "/api/v1/declared",            401, 200, 200},
    {"another list",          "POST",   "/api/v1/declared",            401, 403, 400},
    {"no list",               "DELETE", "/api/v1/declared",            401, 403, 200},
    {"numbers",               "GET",    "/metrics",                    401, 200, 200},
    {"work on alerts",        "POST",   "/api/v1/alerts/triage",       401, 403, 400},
    {"approve",               "POST",   "/api/v1/alerts/0f/approve",   401, 403, 404},
    {"the overview",          "GET",    "/api/v1/overview",            401, 200, 200},
    {"stories",               "GET",    "/api/v1/stories",             401, 200, 200},
    {"a story",               "GET",    "/api/v1/stories/0f",          401, 404, 404},
    {"mute",                  "POST",   "/api/v1/alerts/0f/mute",      401, 403, 404},
    {"what is muted",         "GET",    "/api/v1/suppressions",        401, 200, 200},
    {"lift",                  "DELETE", "/api/v1/suppressions/7",      401, 403, 404},
    {"a summary",             "GET",    "/api/v1/reports/summary",     401, 200, 200},
    {"maintenance",           "GET",    "/api/v1/reports/maintenance", 401, 200, 200},
    {"users",                 "GET",    "/api/v1/users",               401, 403, 200},
    {"a new user",            "POST",   "/api/v1/users",               401, 403, 400},
    {"remove a user",         "DELETE", "/api/v1/users/nobody",        401, 403, 400},
    {"tokens",                "GET",    "/api/v1/tokens",              401, 403, 200},
    {"the record of changes", "GET",    "/api/v1/audit",               401, 403, 200},
};

START_TEST(roles_decide)
{
    static const char *const users[] = {NULL, "vic", "anna"};
    const int expected[] = {rights[_i].nobody, rights[_i].viewer, rights[_i].admin};
    add_users();
    for (size_t i = 0; i < 3; i++) {
        char headers[512] = "";
        if (users[i])
            log_in(users[i], headers);
        char *answer = strcmp(rights[_i].method, "GET") == 0
                           ? get(rights[_i].path, headers)
                           : send_json(rights[_i].method, rights[_i].path, headers, "{}");
        ck_assert_msg(status_of(answer) == expected[i], "%s as %s: %.60s", rights[_i].shows,
                      users[i] ? users[i] : "nobody", answer);
    }
}
END_TEST

START_TEST(triage_is_kept_with_who_and_why)
{
    char headers[512], body[256], path[128];
    add_users();
    log_in("anna", headers);
    snprintf(body, sizeof body, "{\"ids\":[\"%s\"],\"state\":\"closed\",\"note\":\"planned %s\"}",
             alert_id, "work");
    ck_assert_int_eq(status_of(send_json("POST", "/api/v1/alerts/triage", headers, body)), 200);
    snprintf(path, sizeof path, "/api/v1/alerts/%s", alert_id);
    json_t *answer = body_of(get(path, headers));
    const json_t *last = json_array_get(json_object_get(answer, "history"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(answer, "triage")), "closed");
    ck_assert_str_eq(json_string_value(json_object_get(last, "by")), "anna");
    ck_assert_str_eq(json_string_value(json_object_get(last, "note")), "planned work");
    json_decref(answer);
    answer = body_of(get("/api/v1/alerts?triage=open", headers));
    ck_assert_uint_eq(json_array_size(json_object_get(answer, "alerts")), 1);
    json_decref(answer);
    answer = body_of(get("/api/v1/audit?limit=1", headers));
    last = json_array_get(json_object_get(answer, "audit"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(last, "what")), "alert.triage");
    json_decref(answer);
}
END_TEST

/* "/api/v1/assets/ID" of the only asset. */
static const char *asset_path(const char *headers)
{
    static char path[128];
    json_t *answer = body_of(get("/api/v1/assets", headers));
    snprintf(path, sizeof path, "/api/v1/assets/%s",
             json_string_value(json_object_get(json_array_get(json_object_get(answer, "assets"), 0),
                                               "asset_id")));
    json_decref(answer);
    return path;
}

START_TEST(an_asset_shows_where_its_values_come_from)
{
    json_t *answer = body_of(get(asset_path(""), ""));
    const json_t *fact = json_array_get(json_object_get(answer, "facts"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(fact, "value")), hostile);
    ck_assert_str_eq(json_string_value(json_object_get(fact, "protocol")), "modbus");
    ck_assert_uint_eq(json_array_size(json_object_get(answer, "addresses")), 2);
    ck_assert_uint_eq(json_array_size(json_object_get(answer, "alerts")), 2);
    json_decref(answer);
}
END_TEST

START_TEST(what_a_person_says_shows_at_once_and_is_recorded)
{
    char headers[512], path[128];
    add_users();
    log_in("anna", headers);
    snprintf(path, sizeof path, "%s", asset_path(headers));
    static const char *const refused[] = {
        "{}", "{\"set\":{}}", "{\"set\":{\"mac\":\"x\"}}", "{\"set\":{\"name\":7}}",
        "{\"set\":{\"name\":\"ok\",\"asset_class\":\"toaster\"}}"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        ck_assert_msg(status_of(send_json("PATCH", path, headers, refused[i])) == 400, "%s",
                      refused[i]);
    ck_assert_ptr_null(strstr(get("/api/v1/assets", headers), "\"name\":\"ok\""));
    ck_assert_int_eq(status_of(send_json("PATCH", path, headers,
                                         "{\"set\":{\"name\":\"Press 4\"},\"why\":\"seen\"}")),
                     200);
    char *list = get("/api/v1/assets?q=press", headers);
    ck_assert_msg(strstr(list, "\"name\":\"Press 4\"") && strstr(list, "name: user anna"), "%s",
                  list);
    ck_assert_ptr_nonnull(strstr(get("/api/v1/audit?limit=1", headers), "asset.override"));
    ck_assert_int_eq(status_of(send_json("PATCH", path, headers, "{\"set\":{\"name\":null}}")),
                     200);
    ck_assert_ptr_nonnull(strstr(get("/api/v1/assets?q=press", headers), "\"matched\":0"));
}
END_TEST

START_TEST(an_approval_becomes_a_decision)
{
    char headers[512], path[128];
    add_users();
    log_in("anna", headers);
    snprintf(path, sizeof path, "/api/v1/alerts/%s/approve", alert_id);
    ck_assert_int_eq(status_of(send_json("POST", path, headers, "{\"days\":7}")), 400);
    char *answer = send_json("POST", path, headers, "{\"days\":7,\"why\":\"it was us\"}");
    ck_assert_msg(strstr(answer, "approved plc.stop by 10.0.0.66 on 10.0.0.10") != NULL, "%s",
                  answer);
}
END_TEST

/* --- muting --- */

static const struct {
    const char *shows, *body;
    int status;
    const char *says;
} mutings[] = {
    {"this pair",               "{\"why\":\"repair\",\"hours\":8}",                      201,
     "plc.stop of 10.0.0.66 to 10.0.0.10 until"                                                               },
    {"this actor",              "{\"why\":\"repair\",\"hours\":8,\"scope\":\"actor\"}",  201,
     "plc.stop of 10.0.0.66 until"                                                                            },
    {"this target",             "{\"why\":\"repair\",\"hours\":8,\"scope\":\"target\"}", 201,
     "plc.stop to 10.0.0.10 until"                                                                            },
    {"the kind",                "{\"why\":\"repair\",\"hours\":8,\"scope\":\"all\"}",    201, "plc.stop until"},
    {"the longest",             "{\"why\":\"repair\",\"hours\":9600}",                   201, "plc.stop"      },
    {"an hour more",            "{\"why\":\"repair\",\"hours\":9601}",                   400, "1 to 9600"     },
    {"no time at all",          "{\"why\":\"repair\",\"hours\":0}",                      400, "1 to 9600"     },
    {"no end",                  "{\"why\":\"repair\"}",                                  400, "1 to 9600"     },
    {"a half hour",             "{\"why\":\"repair\",\"hours\":0.5}",                    400, "1 to 9600"     },
    {"no reason",               "{\"why\":\"\",\"hours\":8}",                            400, "send why"      },
    {"a reason that is none",   "{\"why\":[],\"hours\":8}",                              400, "send why"      },
    {"a scope that is none",    "{\"why\":\"repair\",\"hours\":8,\"scope\":\"*\"}",      400, "scope is"      },
    {"a scope of another type", "{\"why\":\"repair\",\"hours\":8,\"scope\":1}",          400, "scope is"      },
    {"no object",               "[]",                                                    400, "send why"      },
};

START_TEST(mutes)
{
    char headers[512], path[128];
    add_users();
    log_in("anna", headers);
    snprintf(path, sizeof path, "/api/v1/alerts/%s/mute", alert_id);
    char *answer = send_json("POST", path, headers, mutings[_i].body);
    ck_assert_msg(status_of(answer) == mutings[_i].status, "%s: %s", mutings[_i].shows, answer);
    ck_assert_msg(strstr(answer, mutings[_i].says) != NULL, "%s: %s", mutings[_i].shows, answer);
    bool is_listed = strstr(get("/api/v1/suppressions", headers), "\"in force\"") != NULL;
    ck_assert_msg(is_listed == (mutings[_i].status == 201), "%s", mutings[_i].shows);
}
END_TEST

START_TEST(what_is_muted_can_be_lifted_once)
{
    char headers[512], path[128];
    add_users();
    log_in("anna", headers);
    snprintf(path, sizeof path, "/api/v1/alerts/%s/mute", alert_id);
    send_json("POST", path, headers, "{\"why\":\"repair\",\"hours\":8}");
    ck_assert_ptr_nonnull(strstr(get("/api/v1/overview", headers), "\"muted\":1"));
    static const char *const nothing[] = {"/api/v1/suppressions/2", "/api/v1/suppressions/0",
                                          "/api/v1/suppressions/1x",
                                          "/api/v1/suppressions/1?sensor=other"};
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++)
        ck_assert_int_eq(status_of(send_json("DELETE", nothing[i], headers, "")), 404);
    ck_assert_int_eq(status_of(send_json("DELETE", "/api/v1/suppressions/1", headers, "")), 200);
    ck_assert_int_eq(status_of(send_json("DELETE", "/api/v1/suppressions/1", headers, "")), 400);
    ck_assert_ptr_nonnull(strstr(get("/api/v1/suppressions", headers), "\"lifted\""));
    char *record = get("/api/v1/audit", headers);
    ck_assert_ptr_nonnull(strstr(record, "alert.mute"));
    ck_assert_ptr_nonnull(strstr(record, "alert.unmute"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("people");
    TCase *served = served_case();
    tcase_add_test(served, an_asset_shows_where_its_values_come_from);
    tcase_add_test(served, what_a_person_says_shows_at_once_and_is_recorded);
    tcase_add_loop_test(served, roles_decide, 0, COUNT(rights));
    tcase_add_test(served, triage_is_kept_with_who_and_why);
    tcase_add_test(served, an_approval_becomes_a_decision);
    tcase_add_loop_test(served, mutes, 0, COUNT(mutings));
    tcase_add_test(served, what_is_muted_can_be_lifted_once);
    suite_add_tcase(suite, served);
    return served_run(suite);
}
