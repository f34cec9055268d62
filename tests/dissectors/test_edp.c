/* test_edp.c: frames of Extreme Networks' switches, held against what public decoders agree on. */
#include "support/dissect_probe.h"
#include "support/runner.h"

#include <string.h>

extern const struct dissector dissector_edp;

#define SNAP         "aaaa03 00e02b 00bb "
#define HEAD(length) SNAP "01 00 " length " 0000 0007 0000 0004962a0b01 "
#define NAME         "99 01 0008 73773100 "
#define INFO         "99 02 0024 0000 0004 0000 000000000000 0f030205 00000000000000000000000000000000 "
#define END          "99 00 0004"
#define MADE_BY      "vendor=Extreme Networks; mac=00:04:96:2a:0b:01"

static const struct row {
    const char *shows, *hex, *items, *facts;
} rows[] = {
    {"a name",                    HEAD("001c") NAME END,                                   "sw1",      MADE_BY "; host_name=sw1"                             },
    {"port and software",         HEAD("0040") NAME INFO END,                              "sw1; 1:5",
     MADE_BY "; firmware_version=15.3.2.5; host_name=sw1; switch_port=1:5"                                                                                   },
    {"no name",                   HEAD("0038") INFO END,                                   "",         MADE_BY "; firmware_version=15.3.2.5; switch_port=1:5"},
    {"the address of a VLAN",
     HEAD("0034") NAME "99 05 0018 00 00 0001 00000000 c0a80105 7631000000000000" END,     "sw1",
     MADE_BY "; ip=192.168.1.5; host_name=sw1"                                                                                                               },
    {"a VLAN without an address",
     HEAD("002e") NAME "99 05 0012 00 00 0001 00000000 00000000 7600" END,                 "sw1",
     MADE_BY "; host_name=sw1"                                                                                                                               },
    {"what is not known",         HEAD("0022") NAME "99 0d 0006 0102" END,                 "sw1",
     MADE_BY "; host_name=sw1"                                                                                                                               },
    {"nothing behind the end",    HEAD("0024") NAME END NAME,                              "sw1",      MADE_BY "; host_name=sw1"                             },
    {"filled up",                 HEAD("001c") NAME END "00000000",                        "sw1",      MADE_BY "; host_name=sw1"                             },
    {"an id that is no MAC",      SNAP "01 00 001c 0000 0007 0001 0004962a0b01 " NAME END, "sw1",
     "vendor=Extreme Networks; host_name=sw1"                                                                                                                },
};

START_TEST(frames)
{
    const struct row *row = &rows[_i];
    uint8_t pdu[128];
    size_t size = hex_bytes(pdu, sizeof pdu, row->hex);
    ck_assert_int_eq(probe_recognise(&dissector_edp, pdu, size), CLAIM_YES);
    struct probe *p = probe_create(TRANSPORT_NONE);
    probe_hex(p, &dissector_edp, true, row->hex);
    ck_assert_msg(p->event_count == 1 && p->violation_count == 0, "%s", row->shows);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->code, "frame");
    ck_assert_str_eq(e->direction, "oneway");
    ck_assert_str_eq(e->operation, "netmgmt");
    ck_assert_uint_eq(e->transaction, 7);
    ck_assert_msg(strcmp(e->items, row->items) == 0, "%s: %s", row->shows, e->items);
    ck_assert_msg(strcmp(e->facts, row->facts) == 0, "%s: %s", row->shows, e->facts);
    probe_destroy(p);
}
END_TEST

static const struct bad_row {
    const char *shows, *hex;
    enum violation_kind kind;
} bad_rows[] = {
    {"a header cut short",          SNAP "01 00 001c 0000 0007 0000 0004",              VIOLATION_LENGTH  },
    {"version 2",                   SNAP "02 00 0014 0000 0007 0000 0004962a0b01 " END, VIOLATION_RESERVED},
    {"a length beyond the frame",   HEAD("001d") NAME END,                              VIOLATION_LENGTH  },
    {"a length below the header",   HEAD("000f") NAME END,                              VIOLATION_LENGTH  },
    {"a TLV without its mark",      HEAD("0018") "98 01 0008 73773100",                 VIOLATION_LENGTH  },
    {"a TLV shorter than its head", HEAD("0018") "99 01 0003 73773100",                 VIOLATION_LENGTH  },
    {"a TLV longer than its frame", HEAD("0018") "99 01 0009 73773100",                 VIOLATION_LENGTH  },
    {"half a TLV's head",           HEAD("001a") NAME "99 01",                          VIOLATION_LENGTH  },
    {"info cut short",              HEAD("0018") "99 02 0008 00000001",                 VIOLATION_LENGTH  },
};

START_TEST(wrong_frames_are_told)
{
    const struct bad_row *row = &bad_rows[_i];
    struct probe *p = probe_create(TRANSPORT_NONE);
    probe_hex(p, &dissector_edp, true, row->hex);
    ck_assert_msg(probe_has_violation(p, row->kind), "%s", row->shows);
    probe_destroy(p);
}
END_TEST

START_TEST(other_frames_are_not_ours)
{
    static const char *const others[] = {"", "aaaa03 00e02b 00", "aaaa03 00e02b 00bc 0100",
                                         "aaaa03 00000c 00bb 0100", "424203 0000000000"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        uint8_t pdu[32];
        size_t size = hex_bytes(pdu, sizeof pdu, others[i]);
        ck_assert_int_eq(probe_recognise(&dissector_edp, pdu, size), CLAIM_NO);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("edp");
    TCase *c = tcase_create("edp");
    tcase_add_loop_test(c, frames, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(c, wrong_frames_are_told, 0, sizeof bad_rows / sizeof *bad_rows);
    tcase_add_test(c, other_frames_are_not_ours);
    suite_add_tcase(s, c);
    return run_suite(s);
}
