/* test_override.c: what people say of assets stands above what the sensor found out. */
#include "baseline/asset_override.h"

#include "baseline/inventory.h"
#include "support/runner.h"

#include <string.h>

static struct store *store;
static struct error err;

static void make_store(void)
{
    static const struct store_schema *const schemas[] = {&inventory_schema, NULL};
    ck_assert_msg(store_open(&store, ":memory:", STORE_READ_WRITE, schemas, &err), "%s", err.text);
    static const char sql[] =
        "INSERT INTO assets(sensor, id, segment, first_ns, last_ns, changed_ns, flags, operations,"
        " suffered, packets, bytes, foreign_count, most_hosts, most_ports, most_arp, class, role,"
        " name, vlans, longest_pause_ns, present_ns) VALUES('s', 'a1', 'default', 1, 1, 0, 0, 0, "
        "0, 0, 0, 0, 0, 0, 0, 'pc',"
        " '', 'found', '', 0, 0), ('s', 'a2', 'default', 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,"
        " 'plc', '', 'other', '', 0, 0);"
        "INSERT INTO facts VALUES('s', 'a1', 'location', '', 'bacnet', 'hall 3', 1, 1, 1, 1);";
    ck_assert_msg(store_exec(store, sql, &err), "%s", err.text);
}

static void drop_store(void)
{
    store_close(store);
}

static bool say(const char *asset, const char *field, const char *value, int64_t at_ms)
{
    const struct asset_override o = {.sensor = "s",
                                     .asset = asset,
                                     .field = field,
                                     .value = value,
                                     .by = "anna",
                                     .why = "seen it",
                                     .at_ms = at_ms};
    return asset_override_set(store, &o, &err);
}

static const char *cell(const char *asset, enum asset_column column)
{
    static struct asset_cells cells;
    ck_assert_msg(asset_export(store, asset, &cells, &err), "%s", err.text);
    return cells.cells[column];
}

static const struct {
    const char *shows, *asset, *field, *value;
    bool is_taken;
} rows[] = {
    {"a name",                      "a1", "name",          "Press 4",                  true },
    {"a class of the list",         "a1", "asset_class",   "plc",                      true },
    {"the last class of the list",  "a1", "asset_class",   "unknown",                  true },
    {"a class that is none",        "a1", "asset_class",   "toaster",                  false},
    {"a part of a class",           "a1", "asset_class",   "pl",                       false},
    {"two classes",                 "a1", "asset_class",   "plc;rtu",                  false},
    {"the level between",           "a1", "purdue_level",  "3.5",                      true },
    {"a level that is none",        "a1", "purdue_level",  "7",                        false},
    {"what only the sensor knows",  "a1", "serial_number", "1",                        false},
    {"what is no column",           "a1", "asset",         "1",                        false},
    {"two lines",                   "a1", "name",          "a\nb",                     false},
    {"an asset that is not there",  "a3", "name",          "x",                        false},
    {"lifted without being set",    "a1", "name",          "",                         true },
    {"what looks like a statement", "a1", "name",          "'; DROP TABLE assets; --", true },
};

START_TEST(takes_what_can_be_said)
{
    bool is_taken = say(rows[_i].asset, rows[_i].field, rows[_i].value, 1000);
    ck_assert_msg(is_taken == rows[_i].is_taken, "%s: %s", rows[_i].shows, err.text);
}
END_TEST

START_TEST(a_text_has_a_bound)
{
    char text[ASSET_OVERRIDE_SIZE + 1];
    memset(text, 'x', sizeof text);
    text[ASSET_OVERRIDE_SIZE - 1] = '\0';
    ck_assert(say("a1", "name", text, 1));
    text[ASSET_OVERRIDE_SIZE - 1] = 'x';
    text[ASSET_OVERRIDE_SIZE] = '\0';
    ck_assert(!say("a1", "name", text, 1));
}
END_TEST

START_TEST(a_person_stands_above_the_wire)
{
    ck_assert_str_eq(cell("a1", ASSET_COLUMN_location), "hall 3");
    ck_assert(say("a1", "location", "hall 4", 1700000000000));
    ck_assert_str_eq(cell("a1", ASSET_COLUMN_location), "hall 4");
    const char *sources = cell("a1", ASSET_COLUMN_sources);
    ck_assert_msg(strstr(sources, "location: user anna 2023-11-14T22:13:20") == sources, "%s",
                  sources);
    ck_assert_msg(!strstr(sources, "bacnet"), "%s", sources);
    ck_assert_str_eq(cell("a2", ASSET_COLUMN_location), "");
    ck_assert(say("a1", "location", NULL, 1700000000001));
    ck_assert_str_eq(cell("a1", ASSET_COLUMN_location), "hall 3");
    ck_assert_ptr_nonnull(strstr(cell("a1", ASSET_COLUMN_sources), "location: bacnet"));
}
END_TEST

START_TEST(a_merged_asset_keeps_what_was_said)
{
    ck_assert(say("a1", "name", "old", 1) && say("a1", "zone", "new", 5));
    ck_assert(say("a2", "name", "newer", 2) && say("a2", "zone", "older", 4));
    ck_assert_msg(asset_overrides_move(store, "s", "a1", "a2", &err), "%s", err.text);
    ck_assert_str_eq(cell("a2", ASSET_COLUMN_name), "newer");
    ck_assert_str_eq(cell("a2", ASSET_COLUMN_zone), "new");
    ck_assert_str_eq(cell("a1", ASSET_COLUMN_name), "found");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("override");
    TCase *tests = tcase_create("override");
    tcase_add_checked_fixture(tests, make_store, drop_store);
    tcase_add_loop_test(tests, takes_what_can_be_said, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tests, a_text_has_a_bound);
    tcase_add_test(tests, a_person_stands_above_the_wire);
    tcase_add_test(tests, a_merged_asset_keeps_what_was_said);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
