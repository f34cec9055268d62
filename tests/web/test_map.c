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

int main(void)
{
    Suite *suite = suite_create("map");
    TCase *served = served_case();
    tcase_add_loop_test(served, groups_are_no_hosts, 0, COUNT(rows));
    suite_add_tcase(suite, served);
    return served_run(suite);
}
