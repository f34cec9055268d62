/* test_conditions.c: what devices tell of their own health: each kind once so that it is told, and
 * once so that it must not be. */
#include "made.h"

enum { MINUTE_MS = 60000 };

static const struct row {
    const char *shows, *protocol;
    unsigned flow;
    struct made pdus[8];
    const char *told;
} rows[] = {
  /* ops.device-fault */
    {"DNP3: trouble comes",
     "dnp3",             0,
     {{REPLY, OP_READ, 129, .name = "response", .result = OT_RESULT_OK},
      {REPLY, OP_READ, 129, .name = "response", .result = OT_RESULT_OK, .status = 0x4000}},
     "ops.device-fault"                 },
    {"DNP3: trouble since ever is normal here",
     "dnp3",             0,
     {{REPLY, OP_READ, 129, .name = "response", .result = OT_RESULT_OK, .status = 0x4000,
       .times = 5}},
     ""                                 },
    {"DNP3: trouble goes",
     "dnp3",             0,
     {{REPLY, OP_READ, 129, .name = "response", .result = OT_RESULT_OK, .status = 0x4000},
      {REPLY, OP_READ, 129, .name = "response", .result = OT_RESULT_OK}},
     ""                                 },
    {"DNP3: corrupt configuration and lost events",
     "dnp3",             0,
     {{REPLY, OP_READ, 129, .name = "response", .result = OT_RESULT_OK},
      {REPLY, OP_READ, 129, .name = "response", .result = OT_RESULT_OK, .status = 0x0028}},
     "ops.device-fault ops.device-fault"},
    {"DNP3: events waiting and need of time are none",
     "dnp3",             0,
     {{REPLY, OP_READ, 129, .name = "response", .result = OT_RESULT_OK},
      {REPLY, OP_READ, 129, .name = "response", .result = OT_RESULT_OK, .status = 0x1e00}},
     ""                                 },
    {"PROFINET: a diagnosis alarm",
     "pn_rt",            0,
     {{PUSH, OP_ALARM, 0xfc01, .name = "diagnosis", .object = "slot 2 subslot 0x0001",
       .detail = "diagnosis, module 0x1"}},
     "ops.device-fault"                 },
    {"PROFINET: a diagnosis that goes",
     "pn_rt",            0,
     {{PUSH, OP_ALARM, 0xfc01, .name = "diagnosis_disappears", .object = "slot 2",
       .detail = "diagnosis_disappears"}},
     ""                                 },
    {"PROFINET: a process alarm is the process",
     "pn_rt",            0,
     {{PUSH, OP_ALARM, 0xfc01, .name = "process", .object = "slot 2", .detail = "process"}},
     ""                                 },
    {"PROFINET: the station's problem comes",
     "pn_rt",            0,
     {{PUSH, OP_PUBLISH, 0x8000, .name = "rt_class_1", .result = OT_RESULT_ERROR,
       .detail = "station_problem"}},
     "ops.device-fault"                 },
    {"PROFINET: the station's problem since ever",
     "pn_rt",            0,
     {{PUSH, OP_PUBLISH, 0x8000, .name = "rt_class_1", .result = OT_RESULT_ERROR}},
     ""                                 },
    {"HART: a malfunction comes",
     "hart_ip",          0,
     {{REPLY, OP_READ, 3, .name = "read", .result = OT_RESULT_OK},
      {REPLY, OP_READ, 3, .name = "read", .result = OT_RESULT_OK, .detail = "device malfunction"},
      {REPLY, OP_READ, 3, .name = "read", .result = OT_RESULT_OK, .detail = "device malfunction"}},
     "ops.device-fault"                 },
    {"HART: a malfunction since ever",
     "hart_ip",          0,
     {{REPLY, OP_READ, 3, .name = "read", .result = OT_RESULT_OK, .detail = "device malfunction"},
      {REPLY, OP_READ, 3, .name = "read", .result = OT_RESULT_OK, .detail = "device malfunction"}},
     ""                                 },
    {"HART: it has restarted",
     "hart_ip",          0,
     {{REPLY, OP_READ, 3, .name = "read", .result = OT_RESULT_OK},
      {REPLY, OP_READ, 3, .name = "read", .result = OT_RESULT_OK, .detail = "cold start"}},
     "ops.restart-observed"             },
    {"EtherCAT: an emergency of a slave",
     "ethercat_mailbox", 0,
     {{PUSH, OP_ALARM, 3, .name = "coe_emergency", .detail = "emergency 0x8130"}},
     "ops.device-fault"                 },
    {"EtherCAT: it is over",
     "ethercat_mailbox", 0,
     {{PUSH, OP_ALARM, 3, .name = "coe_emergency", .detail = "error reset"}},
     ""                                 },
    {"CIP: fault bits",
     "cip",              0,
     {{REPLY, OP_IDENTIFY, 1, .mode = "run"},
      {REPLY, OP_IDENTIFY, 1, .mode = "fault", .after_ms = MINUTE_MS}},
     "ops.device-fault"                 },
    {"CIP: a fault since ever",
     "cip",              0,
     {{REPLY, OP_IDENTIFY, 1, .mode = "fault"},
      {REPLY, OP_IDENTIFY, 1, .mode = "fault", .after_ms = MINUTE_MS}},
     ""                                 },
    {"S7: an asynchronous fault comes",
     "s7comm",           0,
     {{PUSH, OP_DIAGNOSTICS, 7, .name = "diagnostic_message", .detail = "event 0x3942"}},
     "ops.device-fault"                 },
    {"S7: an asynchronous fault goes",
     "s7comm",           0,
     {{PUSH, OP_DIAGNOSTICS, 7, .name = "diagnostic_message", .detail = "event 0x3842"}},
     ""                                 },
    {"S7: a mode transition is no fault",
     "s7comm",           0,
     {{PUSH, OP_DIAGNOSTICS, 7, .name = "diagnostic_message", .detail = "event 0x4303"}},
     ""                                 },
 /* ops.restart-observed */
    {"DNP3: the restart bit comes",
     "dnp3",             0,
     {{REPLY, OP_READ, 129, .name = "response", .result = OT_RESULT_OK},
      {REPLY, OP_READ, 129, .name = "response", .result = OT_RESULT_OK, .status = 0x8000,
       .times = 3}},
     "ops.restart-observed"             },
    {"DNP3: the restart bit on a connection after half a minute of silence",
     "dnp3",             0,
     {{REPLY, OP_READ, 129, .name = "response", .result = OT_RESULT_OK},
      {REPLY, OP_READ, 129, .name = "response", .result = OT_RESULT_OK, .status = 0x8000,
       .is_new_flow = true, .after_ms = 30000}},
     "ops.restart-observed"             },
    {"DNP3: said to whoever connects, a moment after an answer",
     "dnp3",             0,
     {{REPLY, OP_READ, 129, .name = "response", .result = OT_RESULT_OK},
      {REPLY, OP_READ, 129, .name = "response", .result = OT_RESULT_OK, .status = 0x8000,
       .is_new_flow = true, .after_ms = 2000}},
     ""                                 },
    {"DNP3: a restart bit that no master clears",
     "dnp3",             0,
     {{REPLY, OP_READ, 129, .name = "response", .result = OT_RESULT_OK, .status = 0x8000,
       .times = 9}},
     ""                                 },
    {"IEC 104: end of initialisation",
     "iec104",           0,
     {{PUSH, OP_PUBLISH, 70, .name = "M_EI_NA_1", .detail = "local power on"}},
     "ops.restart-observed"             },
    {"IEC 104: measured values",
     "iec104",           0,
     {{PUSH, OP_PUBLISH, 13, .name = "M_ME_NC_1", .detail = "spontaneous"}},
     ""                                 },
    {"PROFINET: connected a second time",
     "pnio_cm",          0,
     {{REPLY, OP_SESSION, 0, .name = "connect", .result = OT_RESULT_OK},
      {REPLY, OP_SESSION, 0, .name = "connect", .result = OT_RESULT_OK, .after_ms = MINUTE_MS}},
     "ops.restart-observed"             },
    {"PROFINET: connected once, and tried twice",
     "pnio_cm",          0,
     {{REPLY, OP_SESSION, 0, .name = "connect", .result = OT_RESULT_OK},
      {REPLY, OP_SESSION, 0, .name = "connect", .result = OT_RESULT_OK, .after_ms = 500}},
     ""                                 },
    {"CIP: cyclic data opened a second time",
     "cip",              0,
     {{REPLY, OP_SUBSCRIBE, 0x54, .name = "forward_open", .result = OT_RESULT_OK},
      {REPLY, OP_SUBSCRIBE, 0x54, .name = "forward_open", .result = OT_RESULT_OK,
       .after_ms = MINUTE_MS}},
     "ops.restart-observed"             },
    {"CIP: a message connection is opened often",
     "cip",              0,
     {{REPLY, OP_SESSION, 0x54, .name = "forward_open", .result = OT_RESULT_OK},
      {REPLY, OP_SESSION, 0x54, .name = "forward_open", .result = OT_RESULT_OK,
       .after_ms = MINUTE_MS}},
     ""                                 },
 /* ops.io-degraded */
    {"PROFINET: data becomes invalid",
     "pn_rt",            0,
     {{PUSH, OP_PUBLISH, 0x8000, .name = "rt_class_1", .result = OT_RESULT_ERROR,
       .detail = "data_invalid"}},
     "ops.io-degraded"                  },
    {"PROFINET: good again",
     "pn_rt",            0,
     {{PUSH, OP_PUBLISH, 0x8000, .name = "rt_class_1", .result = OT_RESULT_OK,
       .detail = "data status good again"}},
     ""                                 },
    {"PROFINET: the connection is given up",
     "pn_rt",            0,
     {{PUSH, OP_ERROR, 0xfe01, .name = "error", .detail = "connection aborted, reason 2"}},
     "ops.io-degraded"                  },
    {"three gaps in cyclic data",
     "pn_rt",            0,
     {{BREACH, .kind = VIOLATION_SEQUENCE, .detail = "cycle counter jumps", .times = 3}},
     "ops.io-degraded"                  },
    {"two gaps are a busy mirror",
     "cipio",            0,
     {{BREACH, .kind = VIOLATION_SEQUENCE, .detail = "sequence number of cyclic data jumps ahead",
       .times = 2}},
     ""                                 },
    {"three gaps in three hours",
     "sv",               0,
     {{BREACH, .kind = VIOLATION_SEQUENCE, .detail = "sample count jumps", .times = 3,
       .after_ms = 60 * MINUTE_MS}},
     ""                                 },
    {"numbers of no cycle stay a breach",
     "opcua",            0,
     {{BREACH, .kind = VIOLATION_SEQUENCE, .detail = "sequence number jumps", .times = 1}},
     "proto.state-violation"            },
 /* ops.command-failed */
    {"a write that worked is refused",
     "modbus",           0,
     {{REPLY, OP_WRITE, 6, .result = OT_RESULT_OK},
      {REPLY, OP_WRITE, 6, .result = OT_RESULT_ERROR, .status = 4}},
     "ops.command-failed+refused"       },
    {"a write that never worked",
     "modbus",           0,
     {{REPLY, OP_WRITE, 6, .result = OT_RESULT_ERROR, .status = 4, .times = 3}},
     ""                                 },
    {"writes that work",
     "modbus",           0,
     {{REPLY, OP_WRITE, 6, .result = OT_RESULT_OK, .times = 9}},
     ""                                 },
    {"a read that is refused",
     "modbus",           0,
     {{REPLY, OP_READ, 3, .result = OT_RESULT_OK},
      {REPLY, OP_READ, 3, .result = OT_RESULT_ERROR, .status = 2}},
     ""                                 },
 /* asset.module-changed */
    {"a module is pulled",
     "pn_rt",            0,
     {{PUSH, OP_ALARM, 0xfc01, .name = "pull", .object = "slot 2 subslot 0x0001",
       .detail = "pull, module 0x1"}},
     "asset.module-changed"             },
    {"a wrong module is plugged",
     "pn_rt",            0,
     {{PUSH, OP_ALARM, 0xfc01, .name = "plug_wrong_submodule", .object = "slot 2",
       .detail = "plug_wrong_submodule"}},
     "asset.module-changed"             },
    {"S7: a module is pulled",
     "s7comm",           0,
     {{PUSH, OP_DIAGNOSTICS, 7, .name = "diagnostic_message", .detail = "event 0x3961"}},
     "asset.module-changed"             },
    {"S7: a submodule of PROFINET is plugged",
     "s7comm",           0,
     {{PUSH, OP_DIAGNOSTICS, 7, .name = "diagnostic_message", .detail = "event 0x3854"}},
     "asset.module-changed"             },
    {"S7: a rack comes back",
     "s7comm",           0,
     {{PUSH, OP_DIAGNOSTICS, 7, .name = "diagnostic_message", .detail = "event 0x38c1"}},
     ""                                 },
    {"an update alarm leaves the modules",
     "pn_rt",            0,
     {{PUSH, OP_ALARM, 0xfc01, .name = "update", .object = "slot 2", .detail = "update"}},
     ""                                 },
 /* plc.mode-insecure */
    {"stopped for more than half an hour",
     "s7comm",           0,
     {{REPLY, OP_DIAGNOSTICS, 4, .mode = "stop"},
      {REPLY, OP_DIAGNOSTICS, 4, .mode = "stop", .after_ms = 31 * MINUTE_MS}},
     "plc.mode-insecure"                },
    {"stopped for a quarter of an hour",
     "s7comm",           0,
     {{REPLY, OP_DIAGNOSTICS, 4, .mode = "stop"},
      {REPLY, OP_DIAGNOSTICS, 4, .mode = "stop", .after_ms = 15 * MINUTE_MS}},
     ""                                 },
    {"running for an hour",
     "s7comm",           0,
     {{REPLY, OP_DIAGNOSTICS, 4, .mode = "run"},
      {REPLY, OP_DIAGNOSTICS, 4, .mode = "run", .after_ms = 60 * MINUTE_MS}},
     ""                                 },
 /* plc.config-read */
    {"a file is read",
     "dnp3",             0,
     {{ASK, OP_FILE_READ, 25, .name = "open_file", .object = "/config.xml"}},
     "plc.config-read"                  },
    {"a file of an office server is read",
     "smb2",             0,
     {{ASK, OP_FILE_READ, 5, .name = "read", .object = "letter.txt"}},
     ""                                 },
};

START_TEST(told)
{
    const struct row *row = &rows[_i];
    struct made_run run;
    char text[512];
    made_start(&run, row->protocol, row->flow);
    made_play(&run, row->pdus);
    ck_assert_msg(strcmp(made_told(&run, text, sizeof text), row->told) == 0,
                  "%s: \"%s\", wanted \"%s\"", row->shows, text, row->told);
    made_end(&run);
}
END_TEST

/* 30 polls that are answered by `answers` of 10; then `after` polls, one a second, that are not. */
static const struct answer_row {
    const char *shows;
    int answers, after;
    uint32_t flags;
    const char *told;
} answer_rows[] = {
    {"a device that answered answers no more", 10, 15, 0,            "ops.unresponsive"},
    {"a few answers are lost",                 10, 9,  0,            ""                },
    {"one that rarely answered",               3,  40, 0,            ""                },
    {"broadcasts are not answered",            10, 40, OT_BROADCAST, ""                },
};

START_TEST(answers)
{
    const struct answer_row *row = &answer_rows[_i];
    static const struct made ask = {.direction = ASK, .operation = OP_READ, .function = 3};
    static const struct made reply = {.direction = REPLY, .operation = OP_READ, .function = 3};
    struct made_run run;
    char text[512];
    made_start(&run, "modbus", 0);
    for (int i = 0; i < 30 + row->after; i++) {
        struct made m = ask;
        m.flags = i < 30 ? 0 : row->flags;
        run.now_ns += INT64_C(1000000000);
        made_event(&run, &m, 0);
        if (i < 30 && i % 10 < row->answers)
            made_event(&run, &reply, 0);
    }
    ck_assert_msg(strcmp(made_told(&run, text, sizeof text), row->told) == 0, "%s: \"%s\"",
                  row->shows, text);
    made_end(&run);
}
END_TEST

/* A device that has fallen silent is so in what it carries, too. */
START_TEST(silence_is_told_once)
{
    static const char *const protocols[] = {"cip", "pccc"};
    static const struct made ask = {.direction = ASK, .operation = OP_READ, .function = 3};
    static const struct made reply = {.direction = REPLY, .operation = OP_READ, .function = 3};
    struct made_run run;
    char text[512];
    made_start(&run, "cip", 0);
    for (int i = 0; i < 60; i++) {
        run.now_ns += INT64_C(1000000000);
        for (int j = 0; j < 2; j++) {
            run.protocol = protocols[j];
            made_event(&run, &ask, 0);
            if (i < 30)
                made_event(&run, &reply, 0);
        }
    }
    ck_assert_str_eq(made_told(&run, text, sizeof text), "ops.unresponsive");
    made_end(&run);
}
END_TEST

/* Single registers, one after the other, by a client that is new here or not. */
static const struct walk_row {
    const char *shows;
    bool is_new;
    unsigned reads, step;
    const char *told;
} walk_rows[] = {
    {"a stranger reads through the registers",   true,  80, 1, "rw.read-sweep+new"},
    {"a stranger reads a few of them",           true,  40, 1, ""                 },
    {"a stranger reads here and there",          true,  80, 3, ""                 },
    {"the baseline knows what its clients read", false, 80, 1, ""                 },
};

START_TEST(walk)
{
    const struct walk_row *row = &walk_rows[_i];
    struct made_run run;
    char text[512];
    made_start(&run, "modbus", 0);
    run.is_new = row->is_new;
    for (unsigned i = 0; i < row->reads; i++) {
        struct ot_item item = {.area = "holding_register",
                               .has_start = true,
                               .start = (uint64_t)i * row->step,
                               .count = 1};
        struct ot_event e = {.time_ns = run.now_ns += 1000000,
                             .flow = &run.flow,
                             .is_from_client = true,
                             .protocol = "modbus",
                             .operation = OP_READ,
                             .function = 3,
                             .items = &item,
                             .item_count = 1};
        policy_event(run.policy, &e);
    }
    ck_assert_msg(strcmp(made_told(&run, text, sizeof text), row->told) == 0, "%s: \"%s\"",
                  row->shows, text);
    made_end(&run);
}
END_TEST

START_TEST(engineering_stations_read_files)
{
    static const struct made pdus[] = {
        {ASK, OP_FILE_READ, 25, .object = "/config.xml"},
        {0}
    };
    struct made_run run;
    made_start(&run, "dnp3", 0);
    run.is_engineering = true;
    made_play(&run, pdus);
    ck_assert_uint_eq(run.count, 0);
    made_end(&run);
}
END_TEST

/* The device is the one who tells; a refused command is the client's. */
START_TEST(who_is_the_actor)
{
    static const struct made fault[] = {
        {REPLY, OP_READ, 129, .result = OT_RESULT_OK},
        {REPLY,  OP_READ, 129, .result = OT_RESULT_OK, .status = 0x4000},
        {0    }
    };
    struct made_run run;
    char ip[ADDRESS_TEXT_SIZE];
    made_start(&run, "dnp3", 0);
    made_play(&run, fault);
    ck_assert_uint_eq(run.count, 1);
    ck_assert_str_eq(address_print(ip, &run.findings[0].actor.ip), "10.0.0.10");
    ck_assert(!run.findings[0].has_target);
    made_end(&run);
    static const struct made refused[] = {
        {REPLY, OP_WRITE, 6, .result = OT_RESULT_OK},
        {REPLY,    OP_WRITE, 6, .result = OT_RESULT_ERROR, .status = 4},
        {0    }
    };
    made_start(&run, "modbus", 0);
    made_play(&run, refused);
    ck_assert_uint_eq(run.count, 1);
    ck_assert_str_eq(address_print(ip, &run.findings[0].actor.ip), "10.0.0.5");
    ck_assert(run.findings[0].has_target);
    made_end(&run);
}
END_TEST

/* Quality of values, one device: all bad for over a minute, or with good ones between. */
static const struct quality_row {
    const char *shows;
    unsigned flow;
    int good_every; /* events; 0: none is good */
    int begin_good;
    bool is_told;
    const char *bad; /* status; NULL: "invalid" */
} quality_rows[] = {
    {"bad for two minutes",                               0,           0, 1, true,  NULL                     },
    {"bad in between",                                    0,           7, 1, false, NULL                     },
    {"bad since ever: the conversation was there before", FLOW_MIDDLE, 0, 0, false, NULL                     },
    {"a sensor that fails",                               0,           0, 1, true,  "bad_communication_error"},
    {"asked for what there is not",                       0,           0, 1, false, "bad_node_id_unknown"    },
};

START_TEST(quality)
{
    const struct quality_row *row = &quality_rows[_i];
    struct made_run run;
    made_start(&run, "iec104", row->flow);
    for (int i = 0; i < 120; i++) {
        bool is_good = (row->begin_good && i == 0) || (row->good_every && i % row->good_every == 0);
        struct ot_item item = {.area = "float", .has_start = true, .start = (uint64_t)i % 3};
        item.status = (struct ot_status){is_good ? OT_RESULT_OK : OT_RESULT_ERROR, 0x80,
                                         is_good    ? "ok"
                                         : row->bad ? row->bad
                                                    : "invalid"};
        run.now_ns += INT64_C(1000000000);
        struct ot_event e = {.time_ns = run.now_ns,
                             .flow = &run.flow,
                             .protocol = "iec104",
                             .direction = OT_ONEWAY,
                             .operation = OP_PUBLISH,
                             .name = "M_ME_NC_1",
                             .items = &item,
                             .item_count = 1};
        policy_event(run.policy, &e);
    }
    ck_assert_msg(run.count == (row->is_told ? 1 : 0), "%s: %zu", row->shows, run.count);
    made_end(&run);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conditions");
    TCase *tcase = tcase_create("devices");
    tcase_add_loop_test(tcase, told, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(tcase, walk, 0, sizeof walk_rows / sizeof *walk_rows);
    tcase_add_loop_test(tcase, answers, 0, sizeof answer_rows / sizeof *answer_rows);
    tcase_add_test(tcase, silence_is_told_once);
    tcase_add_test(tcase, engineering_stations_read_files);
    tcase_add_test(tcase, who_is_the_actor);
    tcase_add_loop_test(tcase, quality, 0, sizeof quality_rows / sizeof *quality_rows);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
