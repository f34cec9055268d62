/* test_stp.c: bridge protocol data units, held against IEEE 802.1D-2004 9.3 and 802.1Q-2018 14.4.
 */
#include "support/dissect_probe.h"
#include "support/runner.h"

#include <string.h>

extern const struct dissector dissector_stp;

#define ROOT   "8001 001906eab880"
#define BRIDGE "8001 020000000005"
#define REST   "8003 0000 1400 0200 0f00"
#define BODY   ROOT "00000004" BRIDGE REST
#define OUT    "root_bridge=8001001906eab880; bridge=8001020000000005"

/* PVST+: behind SNAP there is no LLC header; the probe's packet has no LLC address. */
static const struct row {
    const char *shows, *hex, *name, *items, *detail;
} rows[] = {
    {"a configuration",                 "0000 00 00 00" BODY,           "configuration",                OUT, ""                },
    {"a topology change is told",       "0000 00 00 01" BODY,           "configuration",                OUT, "topology changes"},
    {"rapid",                           "0000 02 02 3c" BODY "00",      "rapid",                        OUT, ""                },
    {"multiple",                        "0000 03 02 3c" BODY "00 0000", "multiple",                     OUT, ""                },
    {"rapid of an older bridge",        "0000 00 02 3c" BODY "00",      "rapid",                        OUT, ""                },
    {"a notification ends at its type", "0000 00 80",                   "topology_change_notification", "",
     "topology changes"                                                                                                        },
};

START_TEST(units)
{
    const struct row *row = &rows[_i];
    struct probe *p = probe_create(TRANSPORT_NONE);
    probe_hex(p, &dissector_stp, true, row->hex);
    ck_assert_msg(p->event_count == 1 && p->violation_count == 0, "%s", row->shows);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->code, "frame");
    ck_assert_str_eq(e->direction, "oneway");
    ck_assert_str_eq(e->operation, "netmgmt");
    ck_assert_str_eq(e->name, row->name);
    ck_assert_msg(strcmp(e->items, row->items) == 0, "%s: %s", row->shows, e->items);
    ck_assert_str_eq(e->detail, row->detail);
    ck_assert_str_eq(e->facts, row->items[0] ? "mac=02:00:00:00:00:05" : "");
    probe_destroy(p);
}
END_TEST

START_TEST(another_root_is_told_once)
{
    struct probe *p = probe_create(TRANSPORT_NONE);
    probe_hex(p, &dissector_stp, true, "0000 00 00 00" BODY);
    for (int i = 0; i < 2; i++)
        probe_hex(p, &dissector_stp, true, "0000 00 00 00 1000 020000000009 00000004" BRIDGE REST);
    ck_assert_str_eq(probe_event(p, 1)->detail,
                     "root bridge is now 4096/02:00:00:00:00:09, before 32769/00:19:06:ea:b8:80");
    ck_assert_str_eq(probe_event(p, 2)->detail, "");
    probe_destroy(p);
}
END_TEST

static const struct bad_row {
    const char *shows, *hex;
    enum violation_kind kind;
    size_t events;
} bad_rows[] = {
    {"three bytes",                 "0000 00",                       VIOLATION_LENGTH,   0},
    {"another protocol",            "0001 00 00 00" BODY,            VIOLATION_RESERVED, 0},
    {"an unknown type",             "0000 00 01 00" BODY,            VIOLATION_FUNCTION, 1},
    {"a configuration cut short",   "0000 00 00 00" ROOT "00000004", VIOLATION_LENGTH,   1},
    {"rapid without its last byte", "0000 02 02 3c" BODY,            VIOLATION_LENGTH,   1},
};

START_TEST(wrong_units_are_told)
{
    const struct bad_row *row = &bad_rows[_i];
    struct probe *p = probe_create(TRANSPORT_NONE);
    probe_hex(p, &dissector_stp, true, row->hex);
    ck_assert_msg(p->event_count == row->events && probe_has_violation(p, row->kind), "%s",
                  row->shows);
    probe_destroy(p);
}
END_TEST

START_TEST(every_prefix_is_safe)
{
    uint8_t bytes[64];
    size_t size = hex_bytes(bytes, sizeof bytes, rows[2].hex);
    for (size_t i = 0; i < size; i++) {
        struct probe *p = probe_create(TRANSPORT_NONE);
        probe_feed(p, &dissector_stp, true, bytes, i);
        ck_assert_msg(p->violation_count == 1, "%zu bytes", i);
        probe_destroy(p);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("stp");
    TCase *c = tcase_create("stp");
    tcase_add_loop_test(c, units, 0, sizeof rows / sizeof *rows);
    tcase_add_test(c, another_root_is_told_once);
    tcase_add_loop_test(c, wrong_units_are_told, 0, sizeof bad_rows / sizeof *bad_rows);
    tcase_add_test(c, every_prefix_is_safe);
    suite_add_tcase(s, c);
    return run_suite(s);
}
