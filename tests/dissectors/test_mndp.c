/* test_mndp.c: MikroTik's neighbour discovery, held against what public decoders agree on. */
#include "support/dissect_probe.h"
#include "support/runner.h"

#include <string.h>

extern const struct dissector dissector_mndp;

#define HEAD "0000 0007 "
#define MAC  "0001 0006 4c5e0c000001 "

static const struct row {
    const char *shows, *hex, *facts;
} rows[] = {
    {"name",     HEAD MAC "0005 0003 727431",                "mac=4c:5e:0c:00:00:01; host_name=rt1"        },
    {"firmware", HEAD MAC "0007 0004 362e3438",              "mac=4c:5e:0c:00:00:01; firmware_version=6.48"},
    {"vendor",   HEAD MAC "0008 0008 4d696b726f54696b",      "mac=4c:5e:0c:00:00:01; vendor=MikroTik"      },
    {"board",    HEAD MAC "000c 0005 5242373530",            "mac=4c:5e:0c:00:00:01; product=RB750"        },
    {"port",     HEAD MAC "0010 0006 657468657231",          "mac=4c:5e:0c:00:00:01; switch_port=ether1"   },
    {"address",  HEAD MAC "0011 0004 c0a80101",              "mac=4c:5e:0c:00:00:01; ip=192.168.1.1"       },
    {"others",   HEAD MAC "000a 0004 10270000 000e 0001 01", "mac=4c:5e:0c:00:00:01"                       },
};

START_TEST(what_routers_tell)
{
    const struct row *row = &rows[_i];
    uint8_t pdu[64];
    size_t size = hex_bytes(pdu, sizeof pdu, row->hex);
    ck_assert_int_eq(probe_recognise(&dissector_mndp, pdu, size), CLAIM_WEAK);
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_mndp, true, row->hex);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_msg(strcmp(e->facts, row->facts) == 0, "%s: %s", row->shows, e->facts);
    ck_assert_str_eq(e->operation, "netmgmt");
    ck_assert_str_eq(e->direction, "oneway");
    ck_assert_uint_eq(e->transaction, 7);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
    for (size_t n = 0; n < size; n++) /* cut anywhere it is not ours, or shorter by whole TLVs */
        ck_assert_int_ne(probe_recognise(&dissector_mndp, pdu, n), CLAIM_YES);
}
END_TEST

static const char *const others[] = {
    "00000000",                            /* a question: proves nothing */
    HEAD MAC,                              /* nothing but an address */
    HEAD "0005 0003 727431 " MAC,          /* does not begin with it */
    HEAD "0001 0005 4c5e0c0000 0005 0000", /* an address of five bytes */
    HEAD MAC "0005 0004 727431",           /* longer than its datagram */
    HEAD MAC "0005 0002 727431",           /* shorter */
};

START_TEST(others_are_not_ours)
{
    uint8_t pdu[64];
    size_t size = hex_bytes(pdu, sizeof pdu, others[_i]);
    ck_assert_msg(probe_recognise(&dissector_mndp, pdu, size) == CLAIM_NO, "%s", others[_i]);
}
END_TEST

START_TEST(what_is_cut_off_is_told)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_mndp, true, HEAD MAC "0005 0004 727431");
    ck_assert(probe_has_violation(p, VIOLATION_LENGTH));
    ck_assert_str_eq(probe_event(p, 0)->facts, "mac=4c:5e:0c:00:00:01");
    probe_clear(p);
    probe_hex(p, &dissector_mndp, true, "00000000");
    ck_assert_str_eq(probe_event(p, 0)->name, "question");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mndp");
    TCase *c = tcase_create("all");
    tcase_add_loop_test(c, what_routers_tell, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(c, others_are_not_ours, 0, sizeof others / sizeof *others);
    tcase_add_test(c, what_is_cut_off_is_told);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}
