/* test_tftp.c: requests, transfers and errors of TFTP, held against RFC 1350, 2347 and 2348. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_tftp;

#define ASK_READ  "\0\1a.txt\0octet"
#define ASK_WRITE "\0\2a.txt\0octet"
#define FEED(p, is_from_client, text)                                                              \
    probe_feed(p, &dissector_tftp, is_from_client, text, sizeof(text))

enum { BLOCK_MAX = 1428, BLOCK_SIZE = 512 };

static void block(struct probe *p, bool is_from_client, uint8_t number, size_t size)
{
    uint8_t bytes[4 + BLOCK_MAX] = {0, 3, 0, number};
    probe_feed(p, &dissector_tftp, is_from_client, bytes, 4 + size);
}

static const struct ask_row {
    const char *shows, *bytes;
    size_t size;
    const char *code, *operation, *items;
} ask_rows[] = {
#define ROW(shows, text, code, operation, items)                                                   \
    {                                                                                              \
        shows, text, sizeof(text), code, operation, items                                          \
    }
    ROW("reading", ASK_READ, "read", "file_read", "a.txt"),
    ROW("writing", ASK_WRITE, "write", "file_write", "a.txt"),
    ROW("writing firmware", "\0\2plc.BIN\0OCTET", "write", "firmware_update", "plc.BIN"),
    ROW("reading firmware", "\0\1plc.bin\0netascii", "read", "file_read", "plc.bin"),
    ROW("an option", "\0\1a\0octet\0blksize\0001428", "read", "file_read", "a"),
};

START_TEST(requests)
{
    const struct ask_row *row = &ask_rows[_i];
    struct probe *p = probe_create(TRANSPORT_UDP);
    ck_assert_msg(probe_recognise(&dissector_tftp, row->bytes, row->size) == CLAIM_YES, "%s",
                  row->shows);
    probe_feed(p, &dissector_tftp, true, row->bytes, row->size);
    ck_assert_msg(p->event_count == 1 && p->violation_count == 0, "%s", row->shows);
    ck_assert_str_eq(probe_event(p, 0)->name, row->code);
    ck_assert_str_eq(probe_event(p, 0)->operation, row->operation);
    ck_assert_str_eq(probe_event(p, 0)->items, row->items);
    probe_destroy(p);
}
END_TEST

START_TEST(a_cut_request_is_none)
{
    static const char ask[] = ASK_READ;
    for (size_t i = 0; i < sizeof ask; i++) {
        struct probe *p = probe_create(TRANSPORT_UDP);
        ck_assert_msg(probe_recognise(&dissector_tftp, ask, i) == CLAIM_NO, "%zu bytes", i);
        probe_feed(p, &dissector_tftp, true, ask, i);
        ck_assert_uint_eq(p->event_count, 0);
        ck_assert_uint_eq(p->violation_count, i < 2 ? 0 : 1);
        probe_destroy(p);
    }
}
END_TEST

static const struct transfer_row {
    const char *shows;
    bool is_read;
    const char *accepted; /* options that the server grants, or NULL */
    size_t accepted_size;
    size_t sizes[3]; /* of the blocks */
    size_t blocks;
    bool is_ended;
} transfer_rows[] = {
#define NO_OPTIONS    NULL, 0
#define OPTIONS(text) text, sizeof(text)
    {"read, the last block is shorter",       true,  NO_OPTIONS,                                {512, 512, 3}, 3, true },
    {"written",                               false, NO_OPTIONS,                                {512, 511},    2, true },
    {"a file of whole blocks ends with none", true,  NO_OPTIONS,                                {512, 0},      2, true },
    {"an empty file",                         true,  NO_OPTIONS,                                {0},           1, true },
    {"not yet ended",                         true,  NO_OPTIONS,                                {512, 512},    2, false},
    {"greater blocks",                        true,  OPTIONS("\0\6blksize\0001428"),            {1428, 600},   2, true },
    {"blocks made smaller by the server",
                                            true,                                           OPTIONS("\0\6tsize\0009\0blksize\000100"),
                                            {100, 100, 99},
                                            3,                                                                                                           true },
    {"smaller blocks, not yet ended",         true,  OPTIONS("\0\6BLKSIZE\000100"),             {100, 100},    2, false},
    {"options that were not granted",         true,  NO_OPTIONS,                                {512, 512},    2, false},
};

START_TEST(transfers)
{
    const struct transfer_row *row = &transfer_rows[_i];
    struct probe *p = probe_create(TRANSPORT_UDP);
    if (row->is_read)
        FEED(p, true, "\0\1a.txt\0octet\0blksize\0001428");
    else
        FEED(p, true, "\0\2a.txt\0octet\0blksize\0001428");
    if (row->accepted)
        probe_feed(p, &dissector_tftp, false, row->accepted, row->accepted_size);
    probe_clear(p);
    for (uint8_t i = 0; i < row->blocks; i++)
        for (int again = 0; again < 2; again++) /* sent once more: counts once */
            block(p, !row->is_read, (uint8_t)(i + 1), row->sizes[i]);
    size_t wanted = 1 + row->blocks + row->is_ended;
    ck_assert_msg(p->event_count == wanted && p->violation_count == 0, "%s: %zu events", row->shows,
                  p->event_count);
    const char *operation = row->is_read ? "file_read" : "file_write";
    char text[64];
    snprintf(text, sizeof text, "begin %s key=0 name=a.txt", operation);
    ck_assert_str_eq(probe_event(p, 0)->transfer, text);
    for (size_t i = 0; i < row->blocks; i++) {
        snprintf(text, sizeof text, "block %s key=0 bytes=%zu", operation, row->sizes[i]);
        if (row->sizes[i] == 0)
            *strstr(text, " bytes") = '\0';
        ck_assert_str_eq(probe_event(p, 1 + i)->transfer, text);
        ck_assert_str_eq(probe_event(p, 1 + i)->direction, row->is_read ? "response" : "request");
    }
    snprintf(text, sizeof text, "end %s key=0", operation);
    if (row->is_ended)
        ck_assert_str_eq(probe_event(p, wanted - 1)->transfer, text);
    probe_destroy(p);
}
END_TEST

static const struct error_row {
    uint8_t code;
    const char *status;
} error_rows[] = {
  /* [1350] appendix, [2347] */
    {0, "error 0 undefined"        },
    {1, "error 1 file_not_found"   },
    {2, "error 2 access_violation" },
    {3, "error 3 disk_full"        },
    {4, "error 4 illegal_operation"},
    {5, "error 5 unknown_transfer" },
    {6, "error 6 file_exists"      },
    {7, "error 7 no_such_user"     },
    {8, "error 8 bad_option"       },
    {9, "error 9"                  },
};

START_TEST(errors)
{
    uint8_t bytes[] = {0, 5, 0, error_rows[_i].code, 'n', 'o', 0};
    for (int is_begun = 0; is_begun < 2; is_begun++) {
        struct probe *p = probe_create(TRANSPORT_UDP);
        FEED(p, true, ASK_WRITE);
        if (is_begun)
            block(p, true, 1, BLOCK_SIZE);
        probe_clear(p);
        probe_feed(p, &dissector_tftp, false, bytes, sizeof bytes);
        ck_assert_uint_eq(p->event_count, 1);
        ck_assert_str_eq(probe_event(p, 0)->status, error_rows[_i].status);
        ck_assert_str_eq(probe_event(p, 0)->items, "a.txt");
        ck_assert_str_eq(probe_event(p, 0)->transfer, is_begun ? "abort file_write key=0" : "");
        probe_destroy(p);
    }
}
END_TEST

START_TEST(what_nobody_asked_for_gives_no_event)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    block(p, false, 1, 3);
    FEED(p, false, "\0\5\0\1no");
    ck_assert_uint_eq(p->event_count, 0);
    FEED(p, true, ASK_READ);
    FEED(p, true, "\0\7x");
    ck_assert_uint_eq(p->event_count, 1);
    ck_assert(probe_has_violation(p, VIOLATION_FUNCTION));
    probe_destroy(p);
}
END_TEST

static const struct bad_row {
    const char *shows, *hex;
} bad_rows[] = {
    {"no name",                      "0001 00 6f6374657400"    },
    {"no mode",                      "0001 6100"               },
    {"another mode",                 "0001 6100 666f6f00"      },
    {"a mode without its zero",      "0001 6100 6f63746574"    },
    {"a name of control characters", "0002 610100 6f6374657400"},
};

START_TEST(wrong_requests_are_told)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_tftp, true, bad_rows[_i].hex);
    ck_assert_msg(p->event_count == 0 && probe_has_violation(p, VIOLATION_ENCODING), "%s",
                  bad_rows[_i].shows);
    probe_destroy(p);
}
END_TEST

static const struct claim_row {
    const char *shows, *hex;
    enum claim claim;
} claim_rows[] = {
    {"the first block",                      "0003 0001 61",                     CLAIM_WEAK},
    {"a later block",                        "0003 0002 61",                     CLAIM_NO  },
    {"an acknowledgement of options",        "0004 0000",                        CLAIM_WEAK},
    {"an acknowledgement that is longer",    "0004 0000 00",                     CLAIM_NO  },
    {"an error",                             "0005 0001 6e6f00",                 CLAIM_WEAK},
    {"an error without its zero",            "0005 0001 6e6f",                   CLAIM_NO  },
    {"an error of no such code",             "0005 0009 6e6f00",                 CLAIM_NO  },
    {"an error with more after it",          "0005 0001 6e6f00 00",              CLAIM_NO  },
    {"granted options",                      "0006 626c6b73697a6500 3130303000", CLAIM_WEAK},
    {"granted options, one without a value", "0006 626c6b73697a6500",            CLAIM_NO  },
    {"no option granted",                    "0006",                             CLAIM_NO  },
    {"zeros",                                "0000 0000",                        CLAIM_NO  },
    {"nothing",                              "",                                 CLAIM_NO  },
};

START_TEST(recognised)
{
    const struct claim_row *row = &claim_rows[_i];
    uint8_t bytes[64];
    size_t size = hex_bytes(bytes, sizeof bytes, row->hex);
    ck_assert_msg(probe_recognise(&dissector_tftp, bytes, size) == row->claim, "%s", row->shows);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tftp");
    TCase *tc = tcase_create("tftp");
    tcase_add_loop_test(tc, requests, 0, sizeof ask_rows / sizeof *ask_rows);
    tcase_add_test(tc, a_cut_request_is_none);
    tcase_add_loop_test(tc, transfers, 0, sizeof transfer_rows / sizeof *transfer_rows);
    tcase_add_loop_test(tc, errors, 0, sizeof error_rows / sizeof *error_rows);
    tcase_add_test(tc, what_nobody_asked_for_gives_no_event);
    tcase_add_loop_test(tc, wrong_requests_are_told, 0, sizeof bad_rows / sizeof *bad_rows);
    tcase_add_loop_test(tc, recognised, 0, sizeof claim_rows / sizeof *claim_rows);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
