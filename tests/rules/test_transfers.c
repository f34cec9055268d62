/* test_transfers.c: the steps of a transfer become one story with size and fingerprint. */
#include "made.h"

struct row {
    const char *shows;
    const char *protocol;
    unsigned flow; /* enum made_flow */
    struct made pdus[10];
    const char *told;
};

#define BEGIN(what)                                                                                \
    {                                                                                              \
        .operation = OP_PROGRAM_DOWNLOAD, .step = TRANSFER_BEGIN, .object = (what)                 \
    }
#define BLOCK(data)                                                                                \
    {                                                                                              \
        .operation = OP_PROGRAM_DOWNLOAD, .step = TRANSFER_BLOCK, .bytes = (data)                  \
    }
#define END                                                                                        \
    {                                                                                              \
        .operation = OP_PROGRAM_DOWNLOAD, .step = TRANSFER_END                                     \
    }
#define ANSWER(r)                                                                                  \
    {                                                                                              \
        REPLY, OP_PROGRAM_DOWNLOAD, .result = (r)                                                  \
    }

static const struct row rows[] = {
    {"a download is told at its beginning and its end",
     "umas",                                                                  0,
     {BEGIN("M340"), ANSWER(OT_RESULT_OK), BLOCK("abc"), ANSWER(OT_RESULT_OK), END},
     "plc.program-download plc.program-download+completed"                                          },
    {"the answer to its end confirms it",
     "umas",                                                                  0,
     {BEGIN("M340"), ANSWER(OT_RESULT_OK), BLOCK("abc"), ANSWER(OT_RESULT_OK), END,
      ANSWER(OT_RESULT_OK)},
     "plc.program-download plc.program-download+completed "
     "plc.program-download+confirmed+completed"                                                     },
    {"the end that the controller itself asks for is confirmed",
     "s7comm",                                                                0,
     {BEGIN("OB1"), BLOCK("abc"), {SERVER_ASKS, OP_PROGRAM_DOWNLOAD, .step = TRANSFER_END}},
     "plc.program-download plc.program-download+confirmed+completed"                                },
    {"a refused beginning is over",
     "s7comm",                                                                0,
     {BEGIN("OB1"), ANSWER(OT_RESULT_ERROR)},
     "plc.program-download plc.program-download+refused"                                            },
    {"one that the device breaks off",
     "cip",                                                                   0,
     {{.operation = OP_FIRMWARE_UPDATE, .step = TRANSFER_BEGIN, .object = "firmware"},
      {.operation = OP_FIRMWARE_UPDATE, .step = TRANSFER_BLOCK, .bytes = "abc"},
      {REPLY, OP_FIRMWARE_UPDATE, .step = TRANSFER_ABORT, .result = OT_RESULT_ERROR,
       .status = 0x10}},
     "plc.firmware-transfer plc.firmware-transfer+refused"                                          },
    {"an aborted one",
     "s7comm",                                                                0,
     {BEGIN("OB1"), BLOCK("abc"), {.operation = OP_PROGRAM_DOWNLOAD, .step = TRANSFER_ABORT}},
     "plc.program-download plc.program-download"                                                    },
    {"one that nobody goes on with",
     "s7comm",                                                                0,
     {BEGIN("OB1"), BLOCK("abc")},
     "plc.program-download plc.program-download"                                                    },
    {"one that is picked up in its middle",
     "s7comm",                                                                FLOW_MIDDLE,
     {BLOCK("abc"), BLOCK("def"), END},
     "plc.program-download plc.program-download+completed"                                          },
    {"an end without anything before it says nothing",              "s7comm", FLOW_MIDDLE, {END}, ""},
    {"one that fits into its last block",
     "fins",                                                                  0,
     {{.operation = OP_PROGRAM_DOWNLOAD, .step = TRANSFER_END, .bytes = "abc"},
      ANSWER(OT_RESULT_OK)},
     "plc.program-download+completed plc.program-download+confirmed+completed"                      },
    {"one that begins anew under another name",
     "s7comm",                                                                0,
     {BEGIN("OB1"), BEGIN("FC2"), BLOCK("abc"), END},
     "plc.program-download plc.program-download plc.program-download "
     "plc.program-download+completed"                                                               },
    {"system data blocks are configuration, and a download",
     "s7comm",                                                                0,
     {BEGIN("SDB0"), BLOCK("abc"), END},
     "plc.config-write plc.program-download plc.config-write+completed "
     "plc.program-download+completed"                                                               },
    {"their activation too",
     "s7comm",                                                                0,
     {{.operation = OP_PROGRAM_MODIFY, .detail = "_INSE activates SDB0", .object = "SDB0"}},
     "plc.config-write"                                                                             },
    {"activation ends the story of its block",
     "s7comm",                                                                0,
     {BEGIN("OB1"),
      BLOCK("abc"),
      END,
      {.operation = OP_PROGRAM_MODIFY, .detail = "_INSE", .object = "OB1"}},
     "plc.program-download plc.program-download+completed plc.program-download+completed"           },
    {"an upload",
     "s7comm",                                                                0,
     {{.operation = OP_PROGRAM_UPLOAD, .step = TRANSFER_BEGIN, .object = "DB5"},
      {REPLY, OP_PROGRAM_UPLOAD, .step = TRANSFER_BLOCK, .bytes = "abc", .result = OT_RESULT_OK},
      {.operation = OP_PROGRAM_UPLOAD, .step = TRANSFER_END}},
     "plc.program-upload plc.program-upload+completed"                                              },
    {"an upload that begins with the answer to its request",
     "s7comm",                                                                0,
     {{.operation = OP_PROGRAM_UPLOAD, .function = 0x1d, .object = "DB5"},
      {REPLY, OP_PROGRAM_UPLOAD, 0x1d, .step = TRANSFER_BEGIN, .object = "DB5",
       .result = OT_RESULT_OK},
      {REPLY, OP_PROGRAM_UPLOAD, 0x1e, .step = TRANSFER_BLOCK, .bytes = "abc",
       .result = OT_RESULT_OK},
      {.operation = OP_PROGRAM_UPLOAD, .function = 0x1f, .step = TRANSFER_END},
      {REPLY, OP_PROGRAM_UPLOAD, 0x1f, .result = OT_RESULT_OK}},
     "plc.program-upload plc.program-upload plc.program-upload+completed "
     "plc.program-upload+confirmed+completed"                                                       },
    {"what is set after the end of a download belongs to it",
     "cip",                                                                   0,
     {BEGIN("controller program"),
      BLOCK("abc"),
      END,
      {.operation = OP_PROGRAM_DOWNLOAD, .function = 4}},
     "plc.program-download plc.program-download+completed"                                          },
    {"firmware",
     "cip",                                                                   0,
     {{.operation = OP_FIRMWARE_UPDATE, .step = TRANSFER_BEGIN},
      {.operation = OP_FIRMWARE_UPDATE, .step = TRANSFER_BLOCK, .bytes = "abc", .times = 5000},
      {.operation = OP_FIRMWARE_UPDATE, .step = TRANSFER_END}},
     "plc.firmware-transfer plc.firmware-transfer+completed"                                        },
    {"a file that is written over a plant's protocol is a program",
     "bacnet",                                                                0,
     {{.operation = OP_FILE_WRITE, .step = TRANSFER_BEGIN, .object = "file,1"},
      {.operation = OP_FILE_WRITE, .step = TRANSFER_BLOCK, .bytes = "abc", .object = "file,1"},
      {.operation = OP_FILE_WRITE, .step = TRANSFER_END, .object = "file,1"}},
     "plc.program-download plc.program-download+completed"                                          },
    {"or firmware, by its name",
     "dnp3",                                                                  0,
     {{.operation = OP_FILE_WRITE, .step = TRANSFER_BEGIN, .object = "rtu.bin"}},
     "plc.firmware-transfer plc.firmware-transfer"                                                  },
    {"or settings",
     "dnp3",                                                                  0,
     {{.operation = OP_FILE_WRITE, .step = TRANSFER_BEGIN, .object = "points.xml"}},
     "plc.config-write plc.config-write"                                                            },
    {"over an office's protocol it is a setting",
     "tftp",                                                                  0,
     {{.operation = OP_FILE_WRITE, .step = TRANSFER_BEGIN, .object = "page"}},
     "plc.config-write plc.config-write"                                                            },
    {"a file that is read is no program",
     "modbus",                                                                0,
     {{.operation = OP_FILE_READ, .step = TRANSFER_BEGIN},
      {.operation = OP_FILE_READ, .step = TRANSFER_BLOCK, .bytes = "abc"},
      {.operation = OP_FILE_READ, .step = TRANSFER_END}},
     "plc.config-read"                                                                              },
};

START_TEST(test_row)
{
    const struct row *row = &rows[_i];
    struct made_run run;
    char told[1024];
    made_start(&run, row->protocol, row->flow);
    made_play(&run, row->pdus);
    made_told(&run, told, sizeof told);
    ck_assert_msg(strcmp(told, row->told) == 0, "%s: \"%s\", not \"%s\"", row->shows, told,
                  row->told);
    made_end(&run);
}
END_TEST

/* SHA-256 of "abc": FIPS 180-4, example of one block. */
#define SHA256_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

START_TEST(test_fingerprint_and_words)
{
    static const struct made pdus[] = {BEGIN("OB1"), BLOCK("a"), BLOCK("bc"), END, {0}};
    struct made_run run;
    made_start(&run, "s7comm", 0);
    made_play(&run, pdus);
    ck_assert_uint_eq(run.count, 2);
    const struct finding *begun = &run.findings[0], *ended = &run.findings[1];
    ck_assert_str_eq(begun->what, "is downloading block OB1 to %T");
    ck_assert_str_eq(begun->object, "OB1");
    ck_assert_str_eq(begun->sha256, "");
    ck_assert_str_eq(ended->what, "downloaded block OB1 (3 bytes) to %T");
    ck_assert_str_eq(ended->object, "OB1");
    ck_assert_str_eq(ended->sha256, SHA256_ABC);
    ck_assert_uint_eq(ended->size, 3);
    ck_assert_str_eq(ended->seen, "3 bytes in 2 pieces; nothing to compare with yet");
    ck_assert_str_eq(ended->key, begun->key);
    made_end(&run);
}
END_TEST

START_TEST(test_same_or_other_content)
{
    static const struct made pdus[] = {BEGIN("OB1"), BLOCK("abc"), END,          BEGIN("OB1"),
                                       BLOCK("abc"), END,          BEGIN("OB1"), BLOCK("abd"),
                                       END,          {0}};
    struct made_run run;
    made_start(&run, "s7comm", 0);
    made_play(&run, pdus);
    ck_assert_uint_eq(run.count, 6);
    ck_assert_str_eq(
        run.findings[3].seen,
        "3 bytes in 1 pieces; the same as what was seen at 2017-07-14T02:40:00.003000Z");
    ck_assert_str_eq(
        run.findings[5].seen,
        "3 bytes in 1 pieces; differs from what was seen at 2017-07-14T02:40:00.006000Z");
    made_end(&run);
}
END_TEST

/* More transfers at once than there is room for: the oldest are given up, nothing grows. */
START_TEST(test_many_at_once)
{
    struct made_run run;
    made_start(&run, "s7comm", 0);
    for (uint64_t i = 0; i < 5000; i++) {
        run.flow.id = i + 1;
        static const struct made begin = {
            .operation = OP_PROGRAM_DOWNLOAD, .step = TRANSFER_BEGIN, .object = "OB1"};
        made_event(&run, &begin, 0);
    }
    policy_tick(run.policy, run.now_ns, true);
    ck_assert_uint_gt(run.count, 0);
    made_end(&run);
}
END_TEST

/* Request, beginning, end and its answer are one cause, and count once. */
START_TEST(test_upload_counts_once)
{
    static const struct made pdus[] = {
        {.operation = OP_PROGRAM_UPLOAD, .function = 0x1d, .object = "DB5"},
        {REPLY,               OP_PROGRAM_UPLOAD, 0x1d, .step = TRANSFER_BEGIN, .object = "DB5",
         .result = OT_RESULT_OK},
        {REPLY,                          OP_PROGRAM_UPLOAD, 0x1e, .step = TRANSFER_BLOCK, .bytes = "abc",
         .result = OT_RESULT_OK},
        {.operation = OP_PROGRAM_UPLOAD,                          .function = 0x1f, .step = TRANSFER_END},
        {REPLY,               OP_PROGRAM_UPLOAD, 0x1f, .result = OT_RESULT_OK},
        {0                             }
    };
    struct made_run run;
    made_start(&run, "s7comm", 0);
    made_play(&run, pdus);
    ck_assert_uint_eq(run.count, 4);
    for (size_t i = 0; i < run.count; i++) {
        ck_assert_str_eq(run.findings[i].key, run.findings[0].key);
        ck_assert_uint_eq(run.findings[i].flags & FINDING_OUTCOME, i ? FINDING_OUTCOME : 0);
    }
    ck_assert_str_eq(run.findings[3].sha256, SHA256_ABC);
    made_end(&run);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("transfers");
    TCase *tcase = tcase_create("transfers");
    tcase_add_loop_test(tcase, test_row, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tcase, test_fingerprint_and_words);
    tcase_add_test(tcase, test_same_or_other_content);
    tcase_add_test(tcase, test_upload_counts_once);
    tcase_add_test(tcase, test_many_at_once);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
