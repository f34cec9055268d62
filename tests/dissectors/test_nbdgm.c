/* test_nbdgm.c: NetBIOS datagrams and host announcements, held against RFC 1002 4.4 and MS-BRWS. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_nbdgm;

/* RFC 1001 14.1: "NVR9" with kind 0x20 and "PLANT" with 0x1d, 12 and 11 blanks */
#define FROM "20 454f 4647 4643 444a 4341 4341 4341 4341 4341 4341 4341 4341 4341 4341 4341 4341 00"
#define TO   "20 4641 454d 4542 454f 4645 4341 4341 4341 4341 4341 4341 4341 4341 4341 4341 424e 00"
#define HEAD "11 0e c2f4 0a000001 008a 00bb 0000"
#define SMB_WRITE                                                                                  \
    "ff534d42 25 00000000 00 0000 0000 0000000000000000 0000 0000 0000 0000 0000"                  \
    "11 0000 2100 0000 0000 00 00 0000 e8030000 0000 0000 0000 2000 5600 03 00 0100 0000 0200"     \
    "3100 5c4d41494c534c4f545c42524f57534500"
/* 39 bytes of data instead of 32 */
#define SMB_WRITE_COMMENT                                                                          \
    "ff534d42 25 00000000 00 0000 0000 0000000000000000 0000 0000 0000 0000 0000"                  \
    "11 0000 2700 0000 0000 00 00 0000 e8030000 0000 0000 0000 2700 5600 03 00 0100 0000 0200"     \
    "3800 5c4d41494c534c4f545c42524f57534500"
#define ANNOUNCED "01 00 80fc0a00 4e565239000000000000000000000000 06 01 07100100 0f01 55aa"

static const struct row {
    const char *shows, *hex, *name, *facts;
} rows[] = {
    {"a datagram between names",                        HEAD FROM TO,                                              "datagram",          "host_name=NVR9"                                },
    {"a host announces itself",                         HEAD FROM TO SMB_WRITE ANNOUNCED,                          "host_announcement",
     "host_name=NVR9; os=Windows 6.1"                                                                                                                                                   },
    {"with a comment on itself",                        HEAD FROM TO SMB_WRITE_COMMENT ANNOUNCED "48616c6c203300",
     "host_announcement",                                                                                                               "host_name=NVR9; os=Windows 6.1; comment=Hall 3"},
    {"another command",                                 HEAD FROM TO SMB_WRITE "02" ANNOUNCED,                     "datagram",          "host_name=NVR9"                                },
    {"what others forward tells nothing of the sender",
     "11 0e c2f4 0a000009 008a 00bb 0000" FROM TO,                                                                 "datagram",          ""                                              },
    {"a group as sender is no host",                    HEAD TO FROM,                                              "datagram",          ""                                              },
};

START_TEST(datagrams)
{
    const struct row *row = &rows[_i];
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_nbdgm, true, row->hex);
    ck_assert_msg(p->event_count == 1 && p->violation_count == 0, "%s", row->shows);
    ck_assert_str_eq(probe_event(p, 0)->name, row->name);
    ck_assert_str_eq(probe_event(p, 0)->direction, "oneway");
    ck_assert_str_eq(probe_event(p, 0)->code, "0x11");
    ck_assert_str_eq(probe_event(p, 0)->facts, row->facts);
    probe_destroy(p);
}
END_TEST

START_TEST(prefixes)
{
    uint8_t bytes[512];
    size_t size = hex_bytes(bytes, sizeof bytes, HEAD FROM TO SMB_WRITE ANNOUNCED);
    size_t names = hex_bytes(bytes, sizeof bytes, HEAD FROM TO);
    hex_bytes(bytes, sizeof bytes, HEAD FROM TO SMB_WRITE ANNOUNCED);
    for (size_t i = 0; i <= size; i++) {
        struct probe *p = probe_create(TRANSPORT_UDP);
        enum claim claim = probe_recognise(&dissector_nbdgm, bytes, i);
        ck_assert_int_eq(claim, i < names ? CLAIM_NO : CLAIM_YES);
        probe_feed(p, &dissector_nbdgm, true, bytes, i);
        ck_assert_uint_eq(p->event_count, i < names ? 0 : 1);
        ck_assert_uint_eq(p->violation_count, i < names ? 1 : 0);
        probe_destroy(p);
    }
}
END_TEST

START_TEST(other_types_are_not_claimed)
{
    uint8_t bytes[128];
    size_t size = hex_bytes(bytes, sizeof bytes, HEAD FROM TO);
    for (unsigned type = 0; type < 256; type++) {
        bytes[0] = (uint8_t)type;
        ck_assert_int_eq(probe_recognise(&dissector_nbdgm, bytes, size),
                         type >= 0x10 && type <= 0x12 ? CLAIM_YES : CLAIM_NO);
    }
    bytes[0] = 0x11;
    bytes[14] = 0x1f; /* a name of another size */
    ck_assert_int_eq(probe_recognise(&dissector_nbdgm, bytes, size), CLAIM_NO);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("nbdgm");
    TCase *tc = tcase_create("nbdgm");
    tcase_add_loop_test(tc, datagrams, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tc, prefixes);
    tcase_add_test(tc, other_types_are_not_claimed);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
