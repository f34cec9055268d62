/* test_codesys_v2.c: CODESYS V2, held against PROTOCOLS 23.1. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_codesys_v2;

static const struct row {
    const char *service, *code, *name, *operation;
} rows[] = {
    {"01", "0x01", "login",            "identify"  },
    {"2f", "0x2f", "file_write_start", "file_write"},
    {"30", "0x30", "file_write_block", "file_write"},
    {"31", "0x31", "file_read_start",  "file_read" },
    {"32", "0x32", "file_read_next",   "file_read" },
    {"51", "0x51", "setup",            "session"   },
    {"92", "0x92", "shell_command",    "control"   },
    {"77", "0x77", "",                 "unknown"   },
};

START_TEST(services_have_their_class)
{
    char ask[64];
    snprintf(ask, sizeof ask, "bbbb 03000000 %s 0102", rows[_i].service);
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_codesys_v2, true, ask);
    probe_hex(p, &dissector_codesys_v2, false, "bbbb 02000000 0000");
    for (size_t i = 0; i < 2; i++) {
        ck_assert_str_eq(probe_event(p, i)->code, rows[_i].code);
        ck_assert_str_eq(probe_event(p, i)->name, rows[_i].name);
        ck_assert_str_eq(probe_event(p, i)->operation, rows[_i].operation);
        ck_assert_str_eq(probe_event(p, i)->direction, i ? "response" : "request");
        ck_assert_uint_eq(probe_event(p, i)->flags, 0);
    }
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(the_boot_project_is_a_program)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_codesys_v2, true, "bbbb 0e000000 2f 00 44454641554c542e50524700");
    probe_hex(p, &dissector_codesys_v2, true, "bbbb 04000000 30 01 0102");
    probe_hex(p, &dissector_codesys_v2, true, "bbbb 03000000 30 00 03");
    ck_assert_str_eq(probe_event(p, 0)->operation, "program_download");
    ck_assert_str_eq(probe_event(p, 0)->items, "DEFAULT.PRG");
    ck_assert_str_eq(probe_event(p, 0)->transfer, "begin program_download key=1 name=DEFAULT.PRG");
    ck_assert_str_eq(probe_event(p, 1)->transfer, "block program_download key=1 bytes=2");
    ck_assert_str_eq(probe_event(p, 2)->transfer, "end program_download key=1 bytes=1");
    probe_clear(p);
    probe_hex(p, &dissector_codesys_v2, true, "bbbb 08000000 31 00 612e74787400");
    ck_assert_str_eq(probe_event(p, 0)->transfer, "begin file_read key=1 name=a.txt");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(identity)
{
    uint8_t reply[160] = {0xbb, 0xbb, 154};
    memcpy(reply + 64, "Windows CE", 10);
    memcpy(reply + 96, "5.0", 3);
    memcpy(reply + 128, "PLC 1", 5);
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_codesys_v2, true, "bbbb 01000000 01");
    probe_feed(p, &dissector_codesys_v2, false, reply, sizeof reply);
    ck_assert_str_eq(probe_event(p, 1)->facts, "product=PLC 1; os=Windows CE 5.0");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(routed_frames)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_codesys_v2, true, "cccc 0100 0700 0102 23100000 51");
    ck_assert_str_eq(probe_event(p, 0)->name, "setup");
    probe_hex(p, &dissector_codesys_v2, true, "cccc 0100 0700 0102 24100000 51");
    ck_assert(probe_has_violation(p, VIOLATION_TRUNCATED));
    probe_destroy(p);
}
END_TEST

START_TEST(framing)
{
    uint8_t bytes[32] = {0};
    ck_assert_int_eq(probe_recognise(&dissector_codesys_v2, bytes, 16), CLAIM_NO);
    size_t size = hex_bytes(bytes, sizeof bytes, "bbbb 03000000 51 0102");
    for (size_t n = 0; n < size; n++) {
        struct frame f = probe_frame(&dissector_codesys_v2, bytes, n);
        ck_assert_msg(f.verdict == FRAME_NEED && f.size > n, "prefix of %zu", n);
        ck_assert_int_eq(probe_recognise(&dissector_codesys_v2, bytes, n), n < 1   ? CLAIM_NO
                                                                           : n < 6 ? CLAIM_MORE
                                                                                   : CLAIM_YES);
    }
    for (size_t n = 1; n < size; n++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        probe_stream(p, &dissector_codesys_v2, true, bytes, n);
        probe_stream(p, &dissector_codesys_v2, true, bytes + n, size - n);
        ck_assert_msg(p->event_count == 1, "split at %zu", n);
        probe_destroy(p);
    }
    hex_bytes(bytes, sizeof bytes, "bbbb 00000003 51 0102"); /* big endian */
    ck_assert_uint_eq(probe_frame(&dissector_codesys_v2, bytes, size).size, size);
    hex_bytes(bytes, sizeof bytes, "bbbb 00000000 51 0102");
    ck_assert_int_eq(probe_frame(&dissector_codesys_v2, bytes, size).verdict, FRAME_BROKEN);
    hex_bytes(bytes, sizeof bytes, "bbbb 00400000 51 0102");
    ck_assert_int_eq(probe_frame(&dissector_codesys_v2, bytes, size).verdict, FRAME_NEED);
    hex_bytes(bytes, sizeof bytes, "bbbb 01400001 51 0102");
    ck_assert_int_eq(probe_frame(&dissector_codesys_v2, bytes, size).verdict, FRAME_BROKEN);
    hex_bytes(bytes, sizeof bytes, "bbbc 03000000 51 0102");
    ck_assert_int_eq(probe_frame(&dissector_codesys_v2, bytes, size).verdict, FRAME_BROKEN);
    hex_bytes(bytes, sizeof bytes, "6666 01");
    ck_assert_uint_eq(probe_frame(&dissector_codesys_v2, bytes, 3).size, 3);
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_codesys_v2, true, "bbbb 04000000 51 0102");
    ck_assert(probe_has_violation(p, VIOLATION_LENGTH));
    probe_destroy(p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("codesys_v2");
    TCase *tc = tcase_create("codesys_v2");
    tcase_add_loop_test(tc, services_have_their_class, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tc, the_boot_project_is_a_program);
    tcase_add_test(tc, identity);
    tcase_add_test(tc, routed_frames);
    tcase_add_test(tc, framing);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
