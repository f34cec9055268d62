/* test_cdp.c: CDP frames, held against Cisco's description of them. */
#include "support/dissect_probe.h"
#include "support/runner.h"

#include <string.h>

extern const struct dissector dissector_cdp;

#define HEAD   "02 b4 0000 "
#define DEVICE "0001 0007 737731 "

static const struct row {
    const char *shows, *hex, *items, *facts;
} rows[] = {
    {"a device",                     HEAD DEVICE,                                                  "sw1",       "host_name=sw1"                  },
    {"its port",                     HEAD DEVICE "0003 0008 65746831",                             "sw1; eth1", "host_name=sw1; switch_port=eth1"},
    {"version 1",                    "01 b4 0000" DEVICE,                                          "sw1",       "host_name=sw1"                  },
    {"its address",                  HEAD DEVICE "0002 0011 00000001 01 01 cc 0004 c0a80001",      "sw1",
     "ip=192.168.0.1; host_name=sw1"                                                                                                             },
    {"its management address",       HEAD DEVICE "0016 0011 00000001 01 01 cc 0004 c0a80002",      "sw1",
     "ip=192.168.0.2; host_name=sw1"                                                                                                             },
    {"an address of another family", HEAD DEVICE "0002 0010 00000001 01 01 81 0003 010203",        "sw1",
     "host_name=sw1"                                                                                                                             },
    {"vendor and model",             HEAD DEVICE "0006 000f 636973636f2057532d4333",               "sw1",
     "vendor=Cisco; product=WS-C3; host_name=sw1"                                                                                                },
    {"a model of another vendor",    HEAD DEVICE "0006 0007 583136",                               "sw1",
     "product=X16; host_name=sw1"                                                                                                                },
    {"software and its version",
     HEAD DEVICE "0005 0026 436973636f20494f5320536f6674776172652c2056657273696f6e2031322831292c",
     "sw1",                                                                                                     "vendor=Cisco; os=Cisco IOS; software_version=12(1); comment=Cisco IOS Software, Version "
     "12(1),; host_name=sw1"                                                                                                          },
    {"name and place",               HEAD DEVICE "0014 0006 6e31 0017 0007 00 6331",               "sw1",
     "name=n1; location=c1; host_name=sw1"                                                                                                       },
    {"what is not known",            HEAD DEVICE "7f00 0006 0102",                                 "sw1",       "host_name=sw1"                  },
    {"no device",                    HEAD "0003 0008 65746831",                                    "",          "switch_port=eth1"               },
};

START_TEST(frames)
{
    const struct row *row = &rows[_i];
    struct probe *p = probe_create(TRANSPORT_NONE);
    probe_hex(p, &dissector_cdp, true, row->hex);
    ck_assert_msg(p->event_count == 1 && p->violation_count == 0, "%s", row->shows);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->code, "frame");
    ck_assert_str_eq(e->direction, "oneway");
    ck_assert_msg(strcmp(e->items, row->items) == 0, "%s: %s", row->shows, e->items);
    ck_assert_msg(strcmp(e->facts, row->facts) == 0, "%s: %s", row->shows, e->facts);
    probe_destroy(p);
}
END_TEST

static const struct bad_row {
    const char *shows, *hex;
    enum violation_kind kind;
} bad_rows[] = {
    {"a header cut short",             "02 b4 00",                                   VIOLATION_LENGTH  },
    {"version 0",                      "00 b4 0000" DEVICE,                          VIOLATION_RESERVED},
    {"version 3",                      "03 b4 0000" DEVICE,                          VIOLATION_RESERVED},
    {"a TLV shorter than its head",    HEAD "0001 0003 737731",                      VIOLATION_LENGTH  },
    {"a TLV of length 0",              HEAD "0001 0000",                             VIOLATION_LENGTH  },
    {"a TLV longer than its frame",    HEAD "0001 0008 737731",                      VIOLATION_LENGTH  },
    {"half a TLV's head",              HEAD DEVICE "0001 00",                        VIOLATION_LENGTH  },
    {"more addresses than there are",  HEAD "0002 0009 00000001 01",                 VIOLATION_LENGTH  },
    {"an address longer than its TLV", HEAD "0002 000f 00000001 01 01 cc 0004 c0a8",
     VIOLATION_LENGTH                                                                                  },
};

START_TEST(wrong_frames_are_told)
{
    const struct bad_row *row = &bad_rows[_i];
    struct probe *p = probe_create(TRANSPORT_NONE);
    probe_hex(p, &dissector_cdp, true, row->hex);
    ck_assert_msg(p->event_count == 1 && probe_has_violation(p, row->kind), "%s", row->shows);
    probe_destroy(p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cdp");
    TCase *c = tcase_create("cdp");
    tcase_add_loop_test(c, frames, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(c, wrong_frames_are_told, 0, sizeof bad_rows / sizeof *bad_rows);
    suite_add_tcase(s, c);
    return run_suite(s);
}
