/* test_actions.c: engineering actions and their answers; each kind of action raised, and a quiet
 * twin. */
#include "made.h"

#include "rules/actions.h"

struct row {
    const char *shows;
    const char *protocol;
    unsigned flow; /* enum made_flow */
    struct made pdus[8];
    const char *told; /* all findings, in order */
};

#define STOP                                                                                       \
    {                                                                                              \
        .operation = OP_STOP, .function = 0x29, .name = "plc_stop"                                 \
    }
#define STOP_REPLY(r)                                                                              \
    {                                                                                              \
        REPLY, OP_STOP, 0x29, .name = "plc_stop", .result = (r)                                    \
    }

static const struct row rows[] = {
    {"a stop is told when it is asked for",                      "s7comm", 0,           {STOP},                                           "plc.stop"             },
    {"its answer confirms it",
     "s7comm",                                                             0,
     {STOP, STOP_REPLY(OT_RESULT_OK)},
     "plc.stop plc.stop+confirmed"                                                                                                                               },
    {"or refuses it",
     "s7comm",                                                             0,
     {STOP, STOP_REPLY(OT_RESULT_ERROR)},
     "plc.stop plc.stop+refused"                                                                                                                                 },
    {"an answer that names no operation still belongs to it",
     "s7comm",                                                             0,
     {STOP, {REPLY, OP_UNKNOWN, 0x29, .result = OT_RESULT_OK}},
     "plc.stop plc.stop+confirmed"                                                                                                                               },
    {"an error answer too",
     "modbus",                                                             0,
     {{.operation = OP_RESTART, .function = 8},
      {REPLY, OP_ERROR, 8, .result = OT_RESULT_ERROR, .status = 1}},
     "plc.restart plc.restart+refused"                                                                                                                           },
    {"an answer whose request was not seen",
     "s7comm",                                                             FLOW_MIDDLE,
     {{REPLY, OP_STOP, 0x29, .result = OT_RESULT_OK, .flags = OT_NO_REQUEST}},
     "plc.stop+confirmed"                                                                                                                                        },
    {"a second answer says nothing new",
     "s7comm",                                                             0,
     {STOP, STOP_REPLY(OT_RESULT_OK), STOP_REPLY(OT_RESULT_OK)},
     "plc.stop plc.stop+confirmed"                                                                                                                               },
    {"start",                                                    "s7comm", 0,           {{.operation = OP_START, .detail = "P_PROGRAM"}}, "plc.start"            },
    {"mode",                                                     "pccc",   0,           {{.operation = OP_MODE_CHANGE}},                  "plc.mode-change"      },
    {"restart",                                                  "umas",   0,           {{.operation = OP_RESTART}},                      "plc.restart"          },
    {"CIP reset of type 0 is a restart",
     "cip",                                                                0,
     {{.operation = OP_RESTART, .detail = "cycle power"}},
     "plc.restart"                                                                                                                                               },
    {"CIP reset of type 1 is a factory reset",
     "cip",                                                                0,
     {{.operation = OP_RESTART, .detail = "factory defaults"}},
     "plc.factory-reset"                                                                                                                                         },
    {"force",                                                    "s7comm", 0,           {{.operation = OP_FORCE}},                        "plc.force-io"         },
    {"delete",
     "s7comm",                                                             0,
     {{.operation = OP_PROGRAM_DELETE, .object = "DB5"}},
     "plc.block-delete"                                                                                                                                          },
    {"delete of a file",                                         "cip",    0,           {{.operation = OP_FILE_DELETE}},                  "plc.block-delete"     },
    {"a limit of BACnet decides what raises alarms",
     "bacnet",                                                             0,
     {{.operation = OP_CONFIG_CHANGE, .object = "analog-input,11 high-limit"}},
     "rw.alarm-limit-write"                                                                                                                                      },
    {"a name of BACnet does not",
     "bacnet",                                                             0,
     {{.operation = OP_CONFIG_CHANGE, .object = "analog-input,11 object-name"}},
     "plc.config-write"                                                                                                                                          },
    {"online edit",                                              "umas",   0,           {{.operation = OP_PROGRAM_MODIFY}},               "plc.online-edit"      },
    {"S7 _INSE activates a download",
     "s7comm",                                                             0,
     {{.operation = OP_PROGRAM_MODIFY, .detail = "_INSE OB1"}},
     "plc.program-download"                                                                                                                                      },
    {"S7 _MODU changes what runs",
     "s7comm",                                                             0,
     {{.operation = OP_PROGRAM_MODIFY, .detail = "_MODU EP"}},
     "plc.online-edit"                                                                                                                                           },
    {"reserved program functions of Modbus",
     "modbus",                                                             0,
     {{.operation = OP_READ, .function = 3, .times = 4},
      {.operation = OP_PROGRAM_DOWNLOAD, .function = 40}},
     "plc.program-download"                                                                                                                                      },
    {"on a strange port the first PDUs may be another protocol",
     "modbus",                                                             0,
     {{.operation = OP_PROGRAM_DOWNLOAD, .function = 13},
      {REPLY, OP_PROGRAM_DOWNLOAD, 13, .result = OT_RESULT_OK}},
     ""                                                                                                                                                          },
    {"single upload commands",                                   "pccc",   0,           {{.operation = OP_PROGRAM_UPLOAD}},               "plc.program-upload"   },
    {"firmware",                                                 "cip",    0,           {{.operation = OP_FIRMWARE_UPDATE}},              "plc.firmware-transfer"},
    {"configuration",
     "cip",                                                                0,
     {{.operation = OP_CONFIG_CHANGE, .object = "0xf5/1/5"}},
     "plc.config-write"                                                                                                                                          },
    {"clock",                                                    "s7comm", 0,           {{.operation = OP_TIME_SET}},                     "plc.time-set"         },
    {"lock",                                                     "umas",   0,           {{.operation = OP_LOCK, .function = 0x10}},       "plc.session-takeover" },
    {"S7 password change",
     "s7comm",                                                             0,
     {{.operation = OP_CONFIG_CHANGE, .detail = "_N_NEWPWD"}},
     "plc.credential-change"                                                                                                                                     },
    {"one refused password is a mistake",
     "s7comm",                                                             0,
     {{.operation = OP_AUTH}, {REPLY, OP_AUTH, .result = OT_RESULT_ERROR, .status = 0xd602}},
     ""                                                                                                                                                          },
    {"three refused passwords",
     "s7comm",                                                             0,
     {{.operation = OP_AUTH},
      {REPLY, OP_AUTH, .result = OT_RESULT_ERROR, .status = 0xd602},
      {.operation = OP_AUTH},
      {REPLY, OP_AUTH, .result = OT_RESULT_ERROR, .status = 0xd602},
      {.operation = OP_AUTH},
      {REPLY, OP_UNKNOWN, .result = OT_RESULT_ERROR, .status = 0xd602}},
     "plc.auth-failed"                                                                                                                                           },
    {"reads and writes are no engineering",
     "s7comm",                                                             0,
     {{.operation = OP_READ, .function = 4},
      {REPLY, OP_READ, 4, .result = OT_RESULT_OK},
      {.operation = OP_WRITE, .function = 5},
      {REPLY, OP_WRITE, 5, .result = OT_RESULT_OK},
      {.operation = OP_CONTROL, .function = 5},
      {.operation = OP_IDENTIFY}},
     ""                                                                                                                                                          },
    {"a mode that stays",
     "s7comm",                                                             0,
     {{REPLY, OP_DIAGNOSTICS, .mode = "RUN"}, {REPLY, OP_DIAGNOSTICS, .mode = "run"}},
     ""                                                                                                                                                          },
    {"a mode that changes between two replies",
     "s7comm",                                                             0,
     {{REPLY, OP_DIAGNOSTICS, .mode = "RUN"}, {REPLY, OP_DIAGNOSTICS, .mode = "STOP"}},
     "plc.mode-change"                                                                                                                                           },
    {"two kinds of reply of one CIP device are not compared",
     "cip",                                                                0,
     {{REPLY, OP_IDENTIFY, 1, .mode = "operational"}, {REPLY, OP_READ, 3, .mode = "run"}},
     ""                                                                                                                                                          },
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

static void spell_userdata(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    snprintf(out, OT_CODE_SIZE, "rosctr=7,group=%u,sub=%u", code[0], code[1]);
}

/* PROTOCOLS 6: block status (group 1) is the online view of a block; group 15 uploads a program. */
START_TEST(test_online_view_is_no_upload)
{
    struct ot_flow flow = {.id = 1};
    struct ot_event e = {.flow = &flow, .protocol = "s7comm", .operation = OP_PROGRAM_UPLOAD};
    e.spell = spell_userdata;
    e.code[0] = 15;
    e.code[1] = 6;
    ck_assert_ptr_nonnull(action_of(&e, e.operation));
    e.code[0] = 1;
    e.code[1] = 19;
    ck_assert_ptr_null(action_of(&e, e.operation));
}
END_TEST

START_TEST(test_words_of_a_stop)
{
    static const struct made pdus[] = {STOP, STOP_REPLY(OT_RESULT_OK), {0}};
    struct made_run run;
    made_start(&run, "s7comm", 0);
    made_play(&run, pdus);
    ck_assert_uint_eq(run.count, 2);
    const struct finding *asked = &run.findings[0], *done = &run.findings[1];
    ck_assert_str_eq(asked->what, "ordered %T to stop");
    ck_assert_str_eq(done->what, "stopped %T");
    ck_assert_str_eq(asked->expected, "nobody stops this controller without approval");
    ck_assert_str_eq(asked->seen, "s7comm 41 (plc_stop): not yet answered");
    ck_assert_str_eq(done->seen, "s7comm 41 (plc_stop): accepted");
    ck_assert_uint_eq(asked->flags & FINDING_OUTCOME, 0);
    ck_assert_uint_ne(done->flags & FINDING_OUTCOME, 0);
    char actor[ADDRESS_TEXT_SIZE];
    ck_assert_str_eq(address_print(actor, &done->actor.ip), "10.0.0.5");
    ck_assert_str_eq(done->key, asked->key);
    made_end(&run);
}
END_TEST

START_TEST(test_words_of_a_reservation)
{
    static const struct made pdus[] = {
        {.operation = OP_LOCK,        .function = 0x10, .name = "take_reservation"},
        {.operation = OP_LOCK, .function = 0x11, .name = "release_reservation"},
        {0       }
    };
    struct made_run run;
    made_start(&run, "umas", 0);
    made_play(&run, pdus);
    ck_assert_str_eq(run.findings[0].what, "asks for sole control of %T");
    ck_assert_str_eq(run.findings[1].what, "gives back sole control of %T");
    ck_assert_str_eq(run.findings[0].key, run.findings[1].key);
    made_end(&run);
}
END_TEST

/* A tag or block is told by name, a path of numbers only as the object. */
START_TEST(test_words_of_an_object)
{
    static const struct made pdus[] = {
        {.operation = OP_CONFIG_CHANGE, .object = "0xf5/1/5"},
        {.operation = OP_PROGRAM_DELETE,                             .object = "DB5"},
        {0}
    };
    struct made_run run;
    made_start(&run, "cip", 0);
    made_play(&run, pdus);
    ck_assert_str_eq(run.findings[0].what, "is changing the configuration of %T");
    ck_assert_str_eq(run.findings[0].object, "0xf5/1/5");
    ck_assert_str_eq(run.findings[1].what, "ordered %T to delete DB5");
    made_end(&run);
}
END_TEST

/* On Modbus's own port one reserved program function is enough. */
START_TEST(test_program_function_on_port_502)
{
    static const struct made pdus[] = {
        {.operation = OP_PROGRAM_DOWNLOAD, .function = 13},
        {0                               }
    };
    struct made_run run;
    char told[64];
    made_start(&run, "modbus", 0);
    run.flow.server.port = 502;
    made_play(&run, pdus);
    ck_assert_str_eq(made_told(&run, told, sizeof told), "plc.program-download");
    made_end(&run);
}
END_TEST

START_TEST(test_approved_is_quiet)
{
    static const struct made pdus[] = {STOP, STOP_REPLY(OT_RESULT_OK), {0}};
    struct made_run run;
    made_start(&run, "s7comm", 0);
    run.approved = DETECTION_PLC_STOP;
    made_play(&run, pdus);
    ck_assert_uint_eq(run.count, 0);
    made_end(&run);
}
END_TEST

START_TEST(test_actor_is_noted)
{
    static const struct made pdus[] = {STOP, {0}};
    struct made_run run;
    char told[256];
    made_start(&run, "s7comm", 0);
    run.is_engineering = run.is_new = true;
    made_play(&run, pdus);
    ck_assert_str_eq(made_told(&run, told, sizeof told), "plc.stop+new+engineering");
    made_end(&run);
}
END_TEST

/* A mode that somebody ordered is told as his; otherwise the device changed it itself. */
START_TEST(test_mode_and_its_commander)
{
    static const struct made pdus[] = {
        {REPLY,          OP_DIAGNOSTICS, .mode = "RUN"},
        STOP, {REPLY, OP_DIAGNOSTICS, .mode = "STOP"},
        {0         }
    };
    struct made_run run;
    made_start(&run, "s7comm", 0);
    made_play(&run, pdus);
    const struct finding *f = &run.findings[run.count - 1];
    ck_assert_int_eq(f->detection, DETECTION_PLC_MODE_CHANGE);
    ck_assert_str_eq(f->what, "changed the operating mode of %T from RUN to STOP");
    ck_assert(address_equal(&f->actor.ip, &run.flow.client.ip));
    made_end(&run);

    static const struct made alone[] = {
        {REPLY,          OP_DIAGNOSTICS, .mode = "RUN"},
        {REPLY, OP_DIAGNOSTICS, .mode = "STOP"},
        {0         }
    };
    made_start(&run, "s7comm", 0);
    made_play(&run, alone);
    ck_assert_str_eq(run.findings[0].what, "changed its operating mode from RUN to STOP");
    ck_assert(address_equal(&run.findings[0].actor.ip, &run.flow.server.ip));
    ck_assert(!run.findings[0].has_target);
    made_end(&run);
}
END_TEST

/* A flood of one command is told at doubling counts, and its rest at the end: nothing is lost. */
START_TEST(test_flood_is_counted)
{
    static const struct made pdus[] = {
        {.operation = OP_STOP, .function = 0x29, .times = 1000},
        {0      }
    };
    struct made_run run;
    made_start(&run, "s7comm", 0);
    made_play(&run, pdus);
    uint64_t count = 0;
    for (size_t i = 0; i < run.count; i++)
        count += run.findings[i].count;
    ck_assert_uint_eq(count, 1000);
    ck_assert_uint_le(run.count, 13);
    made_end(&run);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("actions");
    TCase *tcase = tcase_create("actions");
    tcase_add_loop_test(tcase, test_row, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tcase, test_online_view_is_no_upload);
    tcase_add_test(tcase, test_words_of_a_stop);
    tcase_add_test(tcase, test_words_of_a_reservation);
    tcase_add_test(tcase, test_words_of_an_object);
    tcase_add_test(tcase, test_program_function_on_port_502);
    tcase_add_test(tcase, test_approved_is_quiet);
    tcase_add_test(tcase, test_actor_is_noted);
    tcase_add_test(tcase, test_mode_and_its_commander);
    tcase_add_test(tcase, test_flood_is_counted);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
