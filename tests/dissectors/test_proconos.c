/* test_proconos.c: ProConOS, held against PROTOCOLS 30 and the public capture of a stop and a
 * start.
 */
#include "support/check_pdu.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_proconos;

#define FIND_CONTROL                                                                               \
    "0100 0000 0000 2e00 0000 0000 0000 0000"                                                      \
    "4164652e52656d6f74696e672e53657276696365732e"                                                 \
    "4950726f436f6e4f53436f6e74726f6c5365727669636500"
#define FIND_DEVICE                                                                                \
    "0100 0000 0000 2900 0000 0000 0000 0000"                                                      \
    "4164652e52656d6f74696e672e53657276696365732e"                                                 \
    "49446576696365496e666f5365727669636500"
#define FOUND_1    "0100 0100 0000 0000 0100 0000 0000 fcff"
#define FOUND_2    "0100 0100 0000 0000 0200 0000 0000 fbff"
#define FOUND_NONE "0100 0100 0000 0000 0000 0000 0000 fdff"
#define STOP       "0100 0200 0000 0000 0200 0700 0000 0000"
#define STOPPED    "0100 0300 0000 0000 0200 0700 0000 0000"
#define START      "0100 0200 0000 0200 0200 0600 0000 0000 0100"

static void feed(struct probe *p, bool is_from_client, const char *hex)
{
    probe_hex(p, &dissector_proconos, is_from_client, hex);
}

START_TEST(stop_and_start)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, FIND_CONTROL);
    feed(p, false, FOUND_2);
    feed(p, true, STOP);
    feed(p, false, STOPPED);
    feed(p, true, START);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->code, "0x0000");
    ck_assert_str_eq(e->name, "find_service");
    ck_assert_str_eq(e->detail, "IProConOSControlService");
    e = probe_event(p, 1);
    ck_assert_str_eq(e->code, "0x0100");
    ck_assert_str_eq(e->status, "ok");
    e = probe_event(p, 2);
    ck_assert_str_eq(e->code, "0x0207");
    ck_assert_str_eq(e->operation, "stop");
    ck_assert_str_eq(e->direction, "request");
    e = probe_event(p, 3);
    ck_assert_str_eq(e->code, "0x0307");
    ck_assert_str_eq(e->operation, "stop");
    ck_assert_str_eq(e->direction, "response");
    ck_assert_uint_eq(e->flags, 0);
    e = probe_event(p, 4);
    ck_assert_str_eq(e->code, "0x0206");
    ck_assert_str_eq(e->operation, "start");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(handles_are_what_was_found)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, STOP);
    ck_assert_str_eq(probe_event(p, 0)->operation, "unknown"); /* of a service nobody saw asked */
    feed(p, true, FIND_DEVICE);
    feed(p, false, FOUND_1);
    feed(p, true, FIND_CONTROL);
    feed(p, false, FOUND_NONE);
    ck_assert_str_eq(probe_event(p, 4)->status, "error 0 no_such_service");
    feed(p, true, "0100 0200 0000 0600 0100 0300 0000 0000 0100 0000 0240");
    ck_assert_str_eq(probe_event(p, 5)->operation, "diagnostics");
    ck_assert_str_eq(probe_event(p, 5)->name, "device_info");
    feed(p, false, "0100 0300 0000 0000 0400 0100 0000 0000");
    ck_assert_uint_eq(probe_event(p, 6)->flags, OT_NO_REQUEST);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(the_old_port_tells_what_it_is)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    uint8_t answer[128] = {0xcc, 0x01, 0x00, 0x6f, 0x40, 0x02};
    memcpy(answer + 12, "ProConOS V3.0.1040", 18);
    memcpy(answer + 44, "ILC 350 PN", 10);
    memcpy(answer + 77, "pump_house", 10);
    feed(p, true, "cc01000b4002000047ee");
    probe_feed(p, &dissector_proconos, false, answer, sizeof answer);
    ck_assert_str_eq(probe_event(p, 0)->code, "0x4002");
    ck_assert_str_eq(probe_event(p, 0)->operation, "identify");
    ck_assert_str_eq(probe_event(p, 1)->facts,
                     "software_version=ProConOS V3.0.1040; product=ILC 350 PN; program=pump_house");
    ck_assert_uint_eq(p->violation_count, 0);
    ck_assert_int_eq(probe_recognise(&dissector_proconos, answer, sizeof answer), CLAIM_WEAK);
    probe_destroy(p);
}
END_TEST

static const struct {
    const char *shows, *hex;
    enum violation_kind kind;
    enum claim claim;
} wrong_rows[] = {
    {"wrong check",    "0100 0100 0000 0000 0100 0000 0000 fdff",    VIOLATION_CHECKSUM,  CLAIM_NO  },
    {"kind 4 is none", "0100 0400 0000 0000 0200 0700 0000 0000",    VIOLATION_RESERVED,  CLAIM_NO  },
    {"reserved word",  "0100 0200 0100 0000 0200 0700 0000 0000",    VIOLATION_RESERVED,  CLAIM_NO  },
    {"size short",     "0100 0200 0000 0000 0200 0700 0000 0000 00", VIOLATION_LENGTH,    CLAIM_WEAK},
    {"size beyond",    "0100 0200 0000 0200 0200 0700 0000 0000 00", VIOLATION_LENGTH,    CLAIM_MORE},
    {"old, cut off",   "cc01000b40",                                 VIOLATION_TRUNCATED, CLAIM_MORE},
};

START_TEST(wrong)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    uint8_t pdu[64];
    size_t size = hex_bytes(pdu, sizeof pdu, wrong_rows[_i].hex);
    probe_feed(p, &dissector_proconos, true, pdu, size);
    ck_assert_msg(probe_has_violation(p, wrong_rows[_i].kind), "%s", wrong_rows[_i].shows);
    ck_assert_msg(probe_recognise(&dissector_proconos, pdu, size) == wrong_rows[_i].claim, "%s",
                  wrong_rows[_i].shows);
    probe_destroy(p);
}
END_TEST

START_TEST(direction)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, STOP);
    ck_assert(probe_has_violation(p, VIOLATION_DIRECTION));
    probe_destroy(p);
}
END_TEST

START_TEST(every_prefix)
{
    uint8_t pdu[128];
    size_t size = hex_bytes(pdu, sizeof pdu, FIND_CONTROL);
    check_prefixes(&dissector_proconos, pdu, size);
    ck_assert_int_eq(probe_recognise(&dissector_proconos, pdu, size), CLAIM_YES);
    ck_assert_int_eq(probe_recognise(&dissector_proconos, pdu, 15), CLAIM_MORE);
    static const uint8_t zeros[32];
    ck_assert_int_eq(probe_recognise(&dissector_proconos, zeros, sizeof zeros), CLAIM_NO);
    static const uint8_t modbus[] = {1, 0, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1};
    ck_assert_int_eq(probe_recognise(&dissector_proconos, modbus, sizeof modbus), CLAIM_NO);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("proconos");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, stop_and_start);
    tcase_add_test(tcase, handles_are_what_was_found);
    tcase_add_test(tcase, the_old_port_tells_what_it_is);
    tcase_add_loop_test(tcase, wrong, 0, sizeof wrong_rows / sizeof *wrong_rows);
    tcase_add_test(tcase, direction);
    tcase_add_test(tcase, every_prefix);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
