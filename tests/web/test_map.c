/* test_map.c: what is a host on the map, and what is not. */
#include "served.h"

/* 10.0.0.66 talks to each of these; of 10.0.0.0/24 a device is known, of the others nothing. */
static const struct {
    const char *shows, *address;
    bool is_host;
} rows[] = {
    {"a device",                      "10.0.0.10",         true },
    {"one that only talks name",      "10.0.0.77",         true },
    {"one outside",                   "203.0.113.9",       true },
    {"all of a network with devices", "10.0.0.255",        false},
    {"perhaps a host of a large one", "172.16.3.255",      true },
    {"all of every network",          "255.255.255.255",   false},
    {"a multicast group",             "239.192.0.1",       false},
    {"one of IPv6",                   "ff02::fb",          false},
    {"a device on layer 2",           "00:1b:1b:00:00:01", true },
    {"a group on layer 2",            "01:0c:cd:01:00:01", false},
    {"everybody on layer 2",          "ff:ff:ff:ff:ff:ff", false},
};

START_TEST(groups_are_no_hosts)
{
    char sql[512];
    bool is_there = false, is_linked = false;
    size_t i;
    json_t *host, *link;
    text_format(
        sql, sizeof sql,
        "INSERT INTO baseline_pairs(sensor, id, state, first_seen, last_seen, count, host_a,"
        " host_b) VALUES('sightglass', 1, 'learned', 1, 2, 3, '10.0.0.66', '%s'),"
        "('sightglass', 2, 'learned', 1, 2, 3, '10.0.0.66', '10.0.0.10');",
        rows[_i].address);
    prepare_store(sql);
    json_t *json = body_of(get("/api/v1/map", ""));
    json_array_foreach(json_object_get(json, "hosts"), i, host) is_there |=
        strcmp(json_string_value(json_object_get(host, "address")), rows[_i].address) == 0;
    ck_assert_msg(is_there == rows[_i].is_host, "%s: a host: %d", rows[_i].shows, is_there);
    json_array_foreach(json_object_get(json, "links"), i, link) is_linked |=
        strcmp(json_string_value(json_object_get(link, "target")), rows[_i].address) == 0;
    ck_assert_msg(!is_linked || rows[_i].is_host, "%s is the end of a line", rows[_i].shows);
    ck_assert_uint_ge(json_array_size(json_object_get(json, "links")), 1);
    json_decref(json);
}
END_TEST

/* 10.0.0.66 (no device) asks 10.0.0.10 (the device); the second pair is known, the third silent. */
static const char conversations[] =
    "INSERT INTO baseline_pairs(sensor, id, state, first_seen, last_seen, count, host_a, host_b)"
    " VALUES('sightglass', 1, 'learned', 10, 20, 3, '10.0.0.10', '10.0.0.66'),"
    " ('sightglass', 2, 'learned', 5, 30, 3, '10.0.0.66', '8.8.8.8');"
    "INSERT INTO baseline_conversations(sensor, id, state, first_seen, last_seen, count, pair,"
    " protocol, client, is_role_known) VALUES('sightglass', 7, 'pending', 11, 21, 40, 1, 'modbus',"
    " 1, 1);"
    "INSERT INTO baseline_operations(sensor, id, state, first_seen, last_seen, count, conversation,"
    " operation) VALUES('sightglass', 1, 'learned', 1, 1, 12, 7, 'read'), ('sightglass', 2,"
    " 'learned', 1, 1, 5, 7, 'browse'), ('sightglass', 3, 'learned', 1, 1, 3, 7, 'write'),"
    " ('sightglass', 4, 'learned', 1, 1, 100, 7, 'auth');";

static const struct {
    const char *shows, *query, *has;
    int links;
} parts[] = {
    {"reads and writes, newest last", "",
     "\"protocol\":\"modbus\",\"reads\":17,\"writes\":3,\"count\":40,\"is_new\":true,"
     "\"first_seen\":\"1970-01-01T00:00:00.000000Z\"",                                                           2},
    {"a pair without conversation",   "",
     "\"protocol\":\"\",\"reads\":0,\"writes\":0,\"count\":3,\"is_new\":false",                                  2},
    {"who asks is the source",        "",                            "\"source\":\"10.0.0.66\",\"target\":\"a-", 2},
    {"one of another network",        "",
     "\"level\":\"5\",\"is_level_guessed\":true,\"first_seen\":null,\"is_new\":false",                           2},
    {"has known ones, too: not new",  "",
     "\"id\":\"10.0.0.66\",\"is_asset\":false,\"name\":\"10.0.0.66\"",                                           2},
    {"the alerts of a host",          "",                            "\"is_new\":true,\"alerts\":2}",            2},
    {"the protocols",                 "",                            "\"protocols\":[\"modbus\"]",               2},
    {"of one protocol",               "?protocol=modbus",            "\"reads\":17",                             1},
    {"of none",                       "?protocol=s7comm",
     "\"links\":[],\"protocols\":[],\"first\":null,\"last\":null,\"is_cut\":false",                              0},
    {"until then",                    "?until=1970-01-01T00:00:00Z", "\"links\":[],\"protocols\":[]",            0},
};

START_TEST(conversations_are_added_up)
{
    char path[96];
    prepare_store(conversations);
    snprintf(path, sizeof path, "/api/v1/map%s", parts[_i].query);
    char *answer = get(path, "");
    ck_assert_msg(strstr(answer, parts[_i].has) != NULL, "%s: %s", parts[_i].shows, answer);
    json_t *json = body_of(answer);
    ck_assert_msg((int)json_array_size(json_object_get(json, "links")) == parts[_i].links, "%s: %s",
                  parts[_i].shows, answer);
    json_decref(json);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("map");
    TCase *served = served_case();
    tcase_add_loop_test(served, groups_are_no_hosts, 0, COUNT(rows));
    tcase_add_loop_test(served, conversations_are_added_up, 0, COUNT(parts));
    suite_add_tcase(suite, served);
    return served_run(suite);
}
