/* test_ssh.c: the clear beginning of a secure shell, held against RFC 4253. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_ssh;

#define COOKIE "00010203 04050607 08090a0b 0c0d0e0f"
/* [4253] 6, 7.1: methods "a1,b", one list more, 4 of padding */
#define KEXINIT "0000 0022 04 14" COOKIE "00000004 61312c62 00000000 00000000"

enum { BYTES_MAX = 512, BANNER_MAX = 255 };

static const struct banner_row {
    const char *shows, *line, *detail, *facts;
    size_t violations;
} banner_rows[] = {
    {"software and comment",                         "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", "SSH-2.0-OpenSSH_9.2p1 Debian-2",
     "software_version=OpenSSH_9.2p1 Debian-2",                                                                                                      0},
    {"a line feed alone, 4.2 allows it of old ones", "SSH-1.99-dropbear\n",                "SSH-1.99-dropbear",
     "software_version=dropbear",                                                                                                                    0},
    {"a minus in the software",                      "SSH-2.0-a-b\r\n",                    "SSH-2.0-a-b",                    "software_version=a-b", 0},
    {"no software",                                  "SSH-2.0-\r\n",                       "",                               "",                     1},
    {"no version",                                   "SSH-2\r\n",                          "",                               "",                     1},
    {"software of control characters",               "SSH-2.0-a\x01\r\n",                  "",                               "",                     0},
};

START_TEST(banner_tells_software)
{
    const struct banner_row *row = &banner_rows[_i];
    size_t size = strlen(row->line);
    for (int is_from_client = 0; is_from_client < 2; is_from_client++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        for (size_t i = 0; i < size; i++)
            probe_stream(p, &dissector_ssh, is_from_client, row->line + i, 1);
        ck_assert_msg(p->event_count == 1, "%s: %zu events", row->shows, p->event_count);
        ck_assert_str_eq(probe_event(p, 0)->code, "banner");
        ck_assert_str_eq(probe_event(p, 0)->detail, row->detail);
        ck_assert_str_eq(probe_event(p, 0)->facts, is_from_client ? "" : row->facts);
        ck_assert_msg(p->violation_count == row->violations, "%s", row->shows);
        probe_destroy(p);
    }
    for (size_t i = 0; i < size; i++)
        ck_assert_int_eq(probe_frame(&dissector_ssh, row->line, i).verdict, FRAME_NEED);
    ck_assert_uint_eq(probe_frame(&dissector_ssh, row->line, size).size, size);
}
END_TEST

START_TEST(a_banner_has_at_most_255_bytes) /* [4253] 4.2, with CR LF */
{
    char line[BANNER_MAX + 1];
    memset(line, 'x', sizeof line);
    memcpy(line, "SSH-2.0-", 8);
    ck_assert_int_eq(probe_frame(&dissector_ssh, line, BANNER_MAX - 1).verdict, FRAME_NEED);
    ck_assert_int_eq(probe_frame(&dissector_ssh, line, BANNER_MAX).verdict, FRAME_BROKEN);
    line[BANNER_MAX - 1] = '\n';
    ck_assert_uint_eq(probe_frame(&dissector_ssh, line, sizeof line).size, BANNER_MAX);
    line[BANNER_MAX - 1] = 'x';
    line[BANNER_MAX] = '\n';
    ck_assert_int_eq(probe_frame(&dissector_ssh, line, sizeof line).verdict, FRAME_BROKEN);
}
END_TEST

START_TEST(kexinit_then_encrypted)
{
    uint8_t bytes[BYTES_MAX];
    size_t size = hex_bytes(bytes, sizeof bytes, KEXINIT);
    struct probe *p = probe_create(TRANSPORT_TCP);
    for (size_t i = 0; i < size; i++)
        probe_stream(p, &dissector_ssh, true, bytes + i, 1);
    ck_assert_uint_eq(p->event_count, 1);
    ck_assert_str_eq(probe_event(p, 0)->code, "kexinit");
    ck_assert_str_eq(probe_event(p, 0)->detail, "a1");
    ck_assert_uint_eq(probe_event(p, 0)->flags, 0);
    for (int i = 0; i < 2; i++) /* told once for both ends */
        probe_hex(p, &dissector_ssh, i, "8f3a 1122 3344 5566");
    ck_assert_uint_eq(p->event_count, 2);
    ck_assert_str_eq(probe_event(p, 1)->code, "encrypted");
    ck_assert_uint_eq(probe_event(p, 1)->flags, OT_ENCRYPTED);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
    for (size_t i = 0; i < size; i++)
        ck_assert_msg(probe_frame(&dissector_ssh, bytes, i).verdict == FRAME_NEED, "%zu", i);
    ck_assert_uint_eq(probe_frame(&dissector_ssh, bytes, size).size, size);
}
END_TEST

static const struct bad_row {
    const char *shows, *hex;
} bad_rows[] = {
    {"methods longer than the packet",    "0000 0024 04 14" COOKIE "00000100 61312c62 00000000"},
    {"methods of the greatest length",    "0000 0024 04 14" COOKIE "ffffffff 61312c62 00000000"},
    {"a packet too short for its cookie", "0000 0006 04 14 0001 0203"                          },
    {"a packet of no length",             "0000 0000 04 14" COOKIE "00000004 61312c62"         },
};

START_TEST(wrong_lengths_are_told)
{
    const struct bad_row *row = &bad_rows[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_ssh, true, row->hex);
    ck_assert_msg(probe_has_violation(p, VIOLATION_LENGTH), "%s", row->shows);
    ck_assert_uint_eq(p->violation_count, 1);
    probe_destroy(p);
}
END_TEST

static const struct claim_row {
    const char *shows, *text;
    enum claim claim;
} claim_rows[] = {
    {"version 2",         "SSH-2.0-x\r\n", CLAIM_YES },
    {"version 1",         "SSH-1.5-x\r\n", CLAIM_YES },
    {"version 3",         "SSH-3.0-x\r\n", CLAIM_NO  },
    {"nothing",           "",              CLAIM_MORE},
    {"its beginning",     "SSH",           CLAIM_MORE},
    {"without a version", "SSH-",          CLAIM_MORE},
    {"lower case",        "ssh-2.0-x\r\n", CLAIM_NO  },
    {"another",           "220 ready\r\n", CLAIM_NO  },
};

START_TEST(recognised)
{
    const struct claim_row *row = &claim_rows[_i];
    ck_assert_msg(probe_recognise(&dissector_ssh, row->text, strlen(row->text)) == row->claim, "%s",
                  row->shows);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ssh");
    TCase *tc = tcase_create("ssh");
    tcase_add_loop_test(tc, banner_tells_software, 0, sizeof banner_rows / sizeof *banner_rows);
    tcase_add_test(tc, a_banner_has_at_most_255_bytes);
    tcase_add_test(tc, kexinit_then_encrypted);
    tcase_add_loop_test(tc, wrong_lengths_are_told, 0, sizeof bad_rows / sizeof *bad_rows);
    tcase_add_loop_test(tc, recognised, 0, sizeof claim_rows / sizeof *claim_rows);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
