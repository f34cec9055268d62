/* test_oui.c: makers of network parts, by lists in the form of IEEE's. */
#include "baseline/oui.h"

#include <check.h>
#include <string.h>

static const char list[] =
    "Registry,Assignment,Organization Name,Organization Address\r\n"
    "MA-L,086195,Rockwell Automation,1 Allen-Bradley Dr. Mayfield Heights\r\n"
    "MA-L,F4BD9E,\"Cisco Systems, Inc\",80 West Tasman Drive\r\n"
    "MA-L,70B3D5,IEEE Registration Authority,445 Hoes Lane\r\n"
    "MA-S,70B3D5719,2M Technology,802 Greenview Drive\r\n"
    "MA-M,208593B,IOG Products LLC,9737 Lurline Avenue\r\n"
    "MA-L,208593,Holder of the rest,somewhere\r\n"
    "MA-M,741AE09,Private,\r\n"
    "MA-L,001B1B,\"Siemens AG, \",Werner-von-Siemens-Strasse 1\r\n"
    "MA-L,0X0000,no digits,\r\n"
    "MA-L,0000,too short,\r\n"
    "MA-L";

static const struct {
    const char *shows;
    struct mac mac;
    const char *name; /* NULL: none */
} rows[] = {
    {"a block",                  {{0x08, 0x61, 0x95, 1, 2, 3}},          "Rockwell Automation"},
    {"a name with a comma",      {{0xf4, 0xbd, 0x9e, 0, 0, 0}},          "Cisco Systems, Inc" },
    {"a name that ends in one",  {{0x00, 0x1b, 0x1b, 0, 0, 0}},          "Siemens AG"         },
    {"a ninth digit",            {{0x70, 0xb3, 0xd5, 0x71, 0x9f, 0xff}}, "2M Technology"      },
    {"beside it",                {{0x70, 0xb3, 0xd5, 0x71, 0xaf, 0xff}}, NULL                 },
    {"a seventh digit",          {{0x20, 0x85, 0x93, 0xb0, 0, 1}},       "IOG Products LLC"   },
    {"the rest of that block",   {{0x20, 0x85, 0x93, 0xc0, 0, 1}},       "Holder of the rest" },
    {"a holder who is not told", {{0x74, 0x1a, 0xe0, 0x90, 0, 1}},       NULL                 },
    {"unknown",                  {{0, 0, 0x01, 0, 0, 1}},                NULL                 },
    {"locally given",            {{0x0a, 0x61, 0x95, 1, 2, 3}},          NULL                 },
    {"a group",                  {{0x09, 0x61, 0x95, 1, 2, 3}},          NULL                 },
};

START_TEST(finds_makers)
{
    struct oui *oui = oui_parse(list, sizeof list - 1);
    ck_assert_ptr_nonnull(oui);
    const char *name = oui_find(oui, &rows[_i].mac);
    ck_assert_msg(rows[_i].name ? name && strcmp(name, rows[_i].name) == 0 : !name, "%s: %s",
                  rows[_i].shows, name ? name : "none");
    oui_close(oui);
}
END_TEST

START_TEST(works_without_lists)
{
    ck_assert_ptr_null(oui_open("/nowhere"));
    ck_assert_ptr_null(oui_find(NULL, &rows[0].mac));
    oui_close(NULL);
    for (size_t size = 0; size < sizeof list; size++) /* cut anywhere */
        oui_close(oui_parse(list, size));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("oui");
    TCase *tc = tcase_create("oui");
    tcase_add_loop_test(tc, finds_makers, 0, (int)(sizeof rows / sizeof *rows));
    tcase_add_test(tc, works_without_lists);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
