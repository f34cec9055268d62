/* test_pn_mrp.c: media redundancy frames, held against PROTOCOLS 13. */
#include "support/dissect_probe.h"
#include "support/runner.h"

#include <string.h>

extern const struct dissector dissector_pn_mrp;

#define COMMON      "0112 2b7c ffffffffffffffffffffffffffffffff "
#define TEST(state) "0001 0212 a000 d4f5272147ce 0001 " state " 000a ae3d4f8e " COMMON "0000"

static const struct row {
    const char *what, *hex, *name, *items, *detail;
} rows[] = {
    {"test of an open ring",  TEST("0000"),                                           "test",                    "ring_state=0", ""                                                   },
    {"test of a closed ring", TEST("0001"),                                           "test",                    "ring_state=1", ""                                                   },
    {"topology change",       "0001 030a a000 d4f5272147ce 0014 " COMMON "0000",      "topology_change",
     "interval=20",                                                                                                              "topology change in 20 ms, manager d4:f5:27:21:47:ce"},
    {"link down",             "0001 040c d4f5272147ce 0000 0014 0001 " COMMON "0000", "link_down",
     "port_role=0",                                                                                                              "primary ring port of d4:f5:27:21:47:ce is down"     },
    {"link up",               "0001 050c d4f5272147ce 0001 0014 0001 " COMMON "0000", "link_up",                 "port_role=1",
     "secondary ring port of d4:f5:27:21:47:ce is up"                                                                                                                                 },
    {"interconnection test",  "0001 060c 000000000000000000000000 " COMMON "0000",
     "interconnection_test",                                                                                     "",             ""                                                   },
    {"its topology change",   "0001 070a 00000000000000000000 " COMMON "0000",
     "interconnection_topology_change",                                                                          "",             ""                                                   },
    {"its link down",         "0001 080c 000000000000000000000000 " COMMON "0000",
     "interconnection_link_down",                                                                                "",             ""                                                   },
    {"its link up",           "0001 090c 000000000000000000000000 " COMMON "0000",    "interconnection_link_up",
     "",                                                                                                                         ""                                                   },
    {"options are skipped",   "0001 7f02 0000 " COMMON "0000",                        "",                        "",             ""                                                   },
};
enum { ROWS = sizeof rows / sizeof *rows };

START_TEST(each_tlv)
{
    const struct row *row = &rows[_i];
    struct probe *p = probe_create(TRANSPORT_NONE);
    probe_hex(p, &dissector_pn_mrp, true, row->hex);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->protocol, "pn_mrp");
    ck_assert_str_eq(e->code, "frame");
    ck_assert_str_eq(e->direction, "oneway");
    ck_assert_str_eq(e->operation, "netmgmt");
    ck_assert_msg(strcmp(e->name, row->name) == 0, "%s: %s", row->what, e->name);
    ck_assert_str_eq(e->items, row->items);
    ck_assert_str_eq(e->detail, row->detail);
    ck_assert_uint_eq(e->transaction, 0x2b7c);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(an_opening_ring_is_told_once)
{
    struct probe *p = probe_create(TRANSPORT_NONE);
    probe_hex(p, &dissector_pn_mrp, true, TEST("0001"));
    probe_hex(p, &dissector_pn_mrp, true, TEST("0000"));
    probe_hex(p, &dissector_pn_mrp, true, TEST("0000"));
    probe_hex(p, &dissector_pn_mrp, true, TEST("0001"));
    ck_assert_str_eq(probe_event(p, 0)->status, "ok");
    ck_assert_str_eq(probe_event(p, 1)->status, "error 0 ring_open");
    ck_assert_str_eq(probe_event(p, 1)->detail, "ring opened");
    ck_assert_str_eq(probe_event(p, 2)->status, "");
    ck_assert_str_eq(probe_event(p, 2)->detail, "");
    ck_assert_str_eq(probe_event(p, 3)->detail, "ring closed");
    probe_destroy(p);
}
END_TEST

START_TEST(another_manager)
{
    struct probe *p = probe_create(TRANSPORT_NONE);
    probe_hex(p, &dissector_pn_mrp, true, TEST("0001"));
    probe_hex(p, &dissector_pn_mrp, true,
              "0001 0212 a000 020000000009 0001 0001 000a ae3d4f8e " COMMON "0000");
    ck_assert_str_eq(probe_event(p, 1)->detail, "other ring manager: 02:00:00:00:00:09");
    probe_destroy(p);
}
END_TEST

static const struct bad {
    const char *what, *hex, *why;
} bads[] = {
    {"no version",    "00",                                                                       "MRP frame without a version"              },
    {"other version", "0002 " COMMON "0000",                                                      "MRP version is not 1"                     },
    {"no end",        "0001 " COMMON,                                                             "MRP frame without an end"                 },
    {"unknown TLV",   "0001 2000 " COMMON "0000",                                                 "unknown MRP TLV"                          },
    {"TLV too short", "0001 0310 a000 d4f5272147ce 0014 000000000000 0208 0000000000000000 0000",
     "MRP TLV shorter than its type"                                                                                                         },
    {"ring state",    TEST("0002"),                                                               "MRP ring state is neither open nor closed"},
};
enum { BADS = sizeof bads / sizeof *bads };

START_TEST(malformed)
{
    struct probe *p = probe_create(TRANSPORT_NONE);
    probe_hex(p, &dissector_pn_mrp, true, bads[_i].hex);
    ck_assert_msg(p->violation_count == 1, "%s: %zu", bads[_i].what, p->violation_count);
    ck_assert_str_eq(probe_violation(p, 0)->why, bads[_i].why);
    probe_destroy(p);
}
END_TEST

START_TEST(every_prefix_is_survived)
{
    uint8_t frame[128];
    size_t size = hex_bytes(frame, sizeof frame, TEST("0001"));
    for (size_t n = 0; n + 1 < size; n++) {
        struct probe *p = probe_create(TRANSPORT_NONE);
        probe_feed(p, &dissector_pn_mrp, true, frame, n);
        ck_assert_uint_ge(p->violation_count, 1);
        probe_destroy(p);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pn_mrp");
    TCase *c = tcase_create("pn_mrp");
    tcase_add_loop_test(c, each_tlv, 0, ROWS);
    tcase_add_test(c, an_opening_ring_is_told_once);
    tcase_add_test(c, another_manager);
    tcase_add_loop_test(c, malformed, 0, BADS);
    tcase_add_test(c, every_prefix_is_survived);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}
