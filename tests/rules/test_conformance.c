/* test_conformance.c: breaches of the specification, odd single events, sweeps; each with a quiet
 * twin. */
#include "made.h"

#include "rules/conformance.h"

struct row {
    const char *shows;
    const char *protocol;
    unsigned flow; /* enum made_flow */
    struct made pdus[8];
    const char *told;
};

#define ERROR_REPLY(...)                                                                           \
    {                                                                                              \
        REPLY, OP_ERROR, .result = OT_RESULT_ERROR, .status = 1, __VA_ARGS__                       \
    }

static const struct row rows[] = {
    {"a wrong length",                                                      "modbus", 0,              {{BREACH, .kind = VIOLATION_LENGTH}},            "proto.illegal-length"},
    {"a cut PDU",                                                           "modbus", 0,              {{BREACH, .kind = VIOLATION_TRUNCATED}},         "proto.illegal-length"},
    {"bytes too many",                                                      "modbus", 0,              {{BREACH, .kind = VIOLATION_TRAILING}},          "proto.illegal-length"},
    {"an undefined function",
     "modbus",                                                                        0,
     {{BREACH, .kind = VIOLATION_FUNCTION}},
     "proto.reserved-code"                                                                                                                                                   },
    {"a reserved field",                                                    "enip",   0,              {{BREACH, .kind = VIOLATION_RESERVED}},          "proto.reserved-code" },
    {"data before the handshake",
     "s7comm",                                                                        0,
     {{BREACH, .kind = VIOLATION_STATE}},
     "proto.state-violation"                                                                                                                                                 },
    {"the wrong direction",
     "s7comm",                                                                        0,
     {{BREACH, .kind = VIOLATION_DIRECTION}},
     "proto.state-violation"                                                                                                                                                 },
    {"a jump in the sequence",
     "cipio",                                                                         0,
     {{BREACH, .kind = VIOLATION_SEQUENCE}},
     "proto.state-violation"                                                                                                                                                 },
    {"a transaction used twice",
     "modbus",                                                                        0,
     {{BREACH, .kind = VIOLATION_DUPLICATE}},
     "proto.state-violation"                                                                                                                                                 },
    {"a response without a request is told by its event",
     "modbus",                                                                        0,
     {{BREACH, .kind = VIOLATION_DIRECTION, .detail = "response without a request"}},
     ""                                                                                                                                                                      },
    {"an impossible range",
     "modbus",                                                                        0,
     {{BREACH, .kind = VIOLATION_RANGE}},
     "proto.illegal-parameter"                                                                                                                                               },
    {"a byte count that does not fit",
     "modbus",                                                                        0,
     {{BREACH, .kind = VIOLATION_COUNT}},
     "proto.malformed"                                                                                                                                                       },
    {"a wrong checksum",                                                    "modbus", 0,              {{BREACH, .kind = VIOLATION_CHECKSUM}},          "proto.malformed"     },
    {"data sent twice with other content",
     "modbus",                                                                        0,
     {{BREACH, .kind = VIOLATION_OVERLAP}},
     "proto.evasion"                                                                                                                                                         },
    {"an unexpected encoding",                                              "cip",    0,              {{BREACH, .kind = VIOLATION_ENCODING}},          "proto.malformed"     },
    {"no state is known of a flow that began before us",
     "s7comm",                                                                        FLOW_MIDDLE,
     {{BREACH, .kind = VIOLATION_STATE}, {BREACH, .kind = VIOLATION_DIRECTION}},
     ""                                                                                                                                                                      },
    {"nor where bytes were lost",                                           "s7comm", FLOW_GAP,       {{BREACH, .kind = VIOLATION_SEQUENCE}},          ""                    },
    {"framing is found in the first second after pick-up",
     "modbus",                                                                        FLOW_MIDDLE,
     {{BREACH, .kind = VIOLATION_LENGTH}},
     ""                                                                                                                                                                      },
    {"later a wrong length is one",
     "modbus",                                                                        FLOW_MIDDLE,
     {{BREACH, .kind = VIOLATION_LENGTH, .after_ms = 1500}},
     "proto.illegal-length"                                                                                                                                                  },

    {"a broadcast write",
     "modbus",                                                                        0,
     {{.operation = OP_WRITE, .flags = OT_BROADCAST}},
     "rw.broadcast-write"                                                                                                                                                    },
    {"a broadcast read",                                                    "modbus", 0,              {{.operation = OP_READ, .flags = OT_BROADCAST}}, ""                    },
    {"a reply that nobody asked for",
     "modbus",                                                                        0,
     {{REPLY, OP_READ, 3, .flags = OT_NO_REQUEST, .result = OT_RESULT_OK}},
     "rw.unsolicited-response"                                                                                                                                               },
    {"its request came before us",
     "modbus",                                                                        FLOW_MIDDLE,
     {{REPLY, OP_READ, 3, .flags = OT_NO_REQUEST, .result = OT_RESULT_OK}},
     ""                                                                                                                                                                      },
    {"a while after the pick-up all requests were seen",
     "modbus",                                                                        FLOW_MIDDLE,
     {{REPLY, OP_READ, 3, .flags = OT_NO_REQUEST, .result = OT_RESULT_OK, .after_ms = 12000}},
     "rw.unsolicited-response"                                                                                                                                               },
    {"shares that wait for a change answer late",
     "smb2",                                                                          FLOW_MIDDLE,
     {{REPLY, OP_READ, 3, .flags = OT_NO_REQUEST, .result = OT_RESULT_OK, .after_ms = 12000}},
     ""                                                                                                                                                                      },
    {"a jump in a sequence that was watched for a while",
     "iec104",                                                                        FLOW_MIDDLE,
     {{BREACH, .kind = VIOLATION_SEQUENCE, .after_ms = 12000}},
     "proto.state-violation"                                                                                                                                                 },
    {"a jump soon after the pick-up",
     "iec104",                                                                        FLOW_MIDDLE,
     {{BREACH, .kind = VIOLATION_SEQUENCE, .after_ms = 2000}},
     ""                                                                                                                                                                      },
    {"its request was lost",
     "modbus",                                                                        FLOW_GAP,
     {{REPLY, OP_READ, 3, .flags = OT_NO_REQUEST, .result = OT_RESULT_OK}},
     ""                                                                                                                                                                      },
    {"its request was not seen, but received",
     "modbus",                                                                        FLOW_UNSEEN,
     {{REPLY, OP_READ, 3, .flags = OT_NO_REQUEST, .result = OT_RESULT_OK}},
     ""                                                                                                                                                                      },
    {"the one that was asked for was not seen",
     "modbus",                                                                        FLOW_UNSEEN,
     {{.operation = OP_WRITE, .function = 6},
      {REPLY, OP_WRITE, 6, .flags = OT_ECHO_DIFFERS, .result = OT_RESULT_OK},
      {BREACH, .kind = VIOLATION_SEQUENCE}},
     ""                                                                                                                                                                      },
    {"its request is not mirrored",
     "modbus",                                                                        FLOW_ONE_SIDED,
     {{REPLY, OP_READ, 3, .flags = OT_NO_REQUEST, .result = OT_RESULT_OK}},
     ""                                                                                                                                                                      },
    {"an echo of something else",
     "modbus",                                                                        0,
     {{.operation = OP_WRITE, .function = 6},
      {REPLY, OP_WRITE, 6, .flags = OT_ECHO_DIFFERS, .result = OT_RESULT_OK}},
     "rw.unsolicited-response"                                                                                                                                               },

    {"a sweep over units that are not there",
     "modbus",                                                                        0,
     {{.operation = OP_READ, .function = 3, .times = 6, .units = 6},
      ERROR_REPLY(.function = 3, .times = 6, .units = 6)},
     "recon.unit-scan"                                                                                                                                                       },
    {"five missing units are an old configuration",
     "modbus",                                                                        0,
     {{.operation = OP_READ, .function = 3, .times = 5, .units = 5},
      ERROR_REPLY(.function = 3, .times = 5, .units = 5)},
     ""                                                                                                                                                                      },
    {"a sweep over units that stay silent",
     "modbus",                                                                        0,
     {{.operation = OP_READ, .function = 3, .unit = "1"},
      {REPLY, OP_READ, 3, .unit = "1", .result = OT_RESULT_OK},
      {.operation = OP_READ, .function = 3, .times = 10, .units = 10, .after_ms = 1000}},
     "recon.unit-scan"                                                                                                                                                       },
    {"units one after the other for half an hour, one of them there",
     "iec104",                                                                        0,
     {{.operation = OP_READ, .function = 100, .unit = "1"},
      {REPLY, OP_READ, 100, .unit = "1", .result = OT_RESULT_OK},
      {.operation = OP_READ, .function = 100, .times = 14, .units = 14, .after_ms = 150000}},
     "recon.unit-scan"                                                                                                                                                       },
    {"ten of them",
     "iec104",                                                                        0,
     {{.operation = OP_READ, .function = 100, .unit = "1"},
      {REPLY, OP_READ, 100, .unit = "1", .result = OT_RESULT_OK},
      {.operation = OP_READ, .function = 100, .times = 10, .units = 10, .after_ms = 150000}},
     ""                                                                                                                                                                      },
    {"fourteen units in a day are an operator",
     "iec104",                                                                        0,
     {{.operation = OP_READ, .function = 100, .unit = "1"},
      {REPLY, OP_READ, 100, .unit = "1", .result = OT_RESULT_OK},
      {.operation = OP_READ, .function = 100, .times = 14, .units = 14, .after_ms = 7200000}},
     ""                                                                                                                                                                      },
    {"a stranger's link addresses that are not there",
     "dnp3_link",                                                                     FLOW_STRANGER,
     {{.operation = OP_SESSION, .function = 9, .times = 14, .units = 14, .after_ms = 1000}},
     "recon.unit-scan+new"                                                                                                                                                   },
    {"one that is known may be seen one-sided",
     "dnp3_link",                                                                     0,
     {{.operation = OP_SESSION, .function = 9, .times = 14, .units = 14, .after_ms = 1000}},
     ""                                                                                                                                                                      },
    {"a gateway's units that all answer",
     "modbus",                                                                        0,
     {{.operation = OP_READ, .function = 3, .times = 20, .units = 20, .after_ms = 20000},
      {REPLY, OP_READ, 3, .times = 20, .units = 20, .result = OT_RESULT_OK}},
     ""                                                                                                                                                                      },
    {"a stranger that tries units where all answer",
     "modbus",                                                                        FLOW_STRANGER,
     {{.operation = OP_READ, .function = 3, .times = 30, .units = 30, .after_ms = 200},
      {REPLY, OP_READ, 3, .times = 30, .units = 30, .result = OT_RESULT_OK}},
     "recon.unit-scan+new recon.unit-scan+new"                                                                                                                               },
    {"thirty units of a gateway asked at once and answered a moment later",
     "modbus",                                                                        0,
     {{.operation = OP_READ, .function = 3, .times = 30, .units = 30},
      {REPLY, OP_READ, 3, .times = 30, .units = 30, .result = OT_RESULT_OK},
      {.operation = OP_READ, .function = 3, .times = 30, .units = 30, .after_ms = 100},
      {REPLY, OP_READ, 3, .times = 30, .units = 30, .result = OT_RESULT_OK}},
     ""                                                                                                                                                                      },
    {"a sweep over functions",
     "modbus",                                                                        0,
     {{.operation = OP_UNKNOWN, .function = 60, .times = 10, .functions = 10, .unit = "1"}},
     "recon.function-scan"                                                                                                                                                   },
    {"refused functions of a protocol with many services",
     "cip",                                                                           0,
     {{.operation = OP_READ, .function = 40, .times = 5, .functions = 5},
      ERROR_REPLY(.function = 40, .times = 5, .functions = 5)},
     "recon.function-scan"                                                                                                                                                   },
    {"an HMI uses six functions for ever",
     "modbus",                                                                        0,
     {{.operation = OP_READ, .function = 1, .times = 600, .functions = 6},
      {REPLY, OP_READ, 1, .times = 600, .functions = 6, .result = OT_RESULT_OK}},
     ""                                                                                                                                                                      },
    {"a burst of error replies",
     "modbus",                                                                        0,
     {{REPLY, OP_READ, 3, .result = OT_RESULT_OK, .times = 50},
      ERROR_REPLY(.function = 3, .times = 10)},
     "proto.exception-burst"                                                                                                                                                 },
    {"nine error replies",                                                  "modbus", 0,              {ERROR_REPLY(.function = 3, .times = 9)},        ""                    },
    {"errors as many as ever since before the run",
     "modbus",                                                                        FLOW_MIDDLE,
     {ERROR_REPLY(.function = 3, .times = 300, .after_ms = 500)},
     ""                                                                                                                                                                      },
    {"an unknown function that works, used late",
     "umas",                                                                          0,
     {{.operation = OP_READ, .function = 3, .times = 200, .after_ms = 200},
      {.operation = OP_UNKNOWN, .function = 100},
      {REPLY, OP_UNKNOWN, 100, .result = OT_RESULT_OK}},
     "plc.undocumented-service"                                                                                                                                              },
    {"an unknown function from the beginning",
     "umas",                                                                          0,
     {{.operation = OP_UNKNOWN, .function = 100},
      {REPLY, OP_UNKNOWN, 100, .result = OT_RESULT_OK},
      {.operation = OP_READ, .function = 3, .times = 200, .after_ms = 200},
      {.operation = OP_UNKNOWN, .function = 100},
      {REPLY, OP_UNKNOWN, 100, .result = OT_RESULT_OK}},
     ""                                                                                                                                                                      },
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

/* 100 000 breaches are told a few times and counted exactly. */
START_TEST(test_flood_is_counted)
{
    static const struct made pdus[] = {
        {BREACH,           .kind = VIOLATION_LENGTH, .times = 100000},
        {0}
    };
    struct made_run run;
    made_start(&run, "modbus", 0);
    made_play(&run, pdus);
    uint64_t count = 0;
    ck_assert_uint_le(run.count, 20);
    for (size_t i = 0; i < run.count; i++)
        count += run.findings[i].count;
    ck_assert_uint_eq(count, 100000);
    made_end(&run);
}
END_TEST

/* What is left of a flood is told a minute after it, not only at the end of the run. */
START_TEST(test_flood_is_told_when_over)
{
    static const struct made breach = {BREACH, .kind = VIOLATION_LENGTH};
    struct made_run run;
    made_start(&run, "modbus", 0);
    for (int i = 0; i < 5; i++) {
        run.now_ns += 1000000;
        made_violation(&run, &breach);
    }
    ck_assert_uint_eq(run.count, 4);
    policy_tick(run.policy, run.now_ns + INT64_C(59000000000), false);
    ck_assert_uint_eq(run.count, 4);
    policy_tick(run.policy, run.now_ns + INT64_C(70000000000), false);
    ck_assert_uint_eq(run.count, 5);
    ck_assert_uint_eq(run.findings[4].count, 1);
    made_end(&run);
}
END_TEST

START_TEST(test_words_of_a_breach)
{
    static const struct made pdus[] = {
        {BREACH,                                .kind = VIOLATION_LENGTH, .detail = "MBAP length out of range"},
        {0}
    };
    struct made_run run;
    made_start(&run, "modbus", 0);
    made_play(&run, pdus);
    ck_assert_str_eq(run.findings[0].what,
                     "sent data with wrong lengths to %T: MBAP length out of range");
    ck_assert_str_eq(run.findings[0].key, "MBAP length out of range");
    ck_assert(address_equal(&run.findings[0].actor.ip, &run.flow.client.ip));
    made_end(&run);
}
END_TEST

/* The sender of an unasked reply is the actor. Of TCP one is enough: it tells what was lost. */
START_TEST(test_actor_of_unasked_reply)
{
    static const struct made pdus[] = {
        {REPLY, OP_READ, 3, .flags = OT_NO_REQUEST, .result = OT_RESULT_OK},
        {0   }
    };
    struct made_run run;
    made_start(&run, "modbus", 0);
    made_play(&run, pdus);
    ck_assert_uint_eq(run.count, 1);
    ck_assert(!(run.findings[0].flags & FINDING_SINGLE));
    ck_assert(address_equal(&run.findings[0].actor.ip, &run.flow.server.ip));
    ck_assert(address_equal(&run.findings[0].target.ip, &run.flow.client.ip));
    made_end(&run);
}
END_TEST

/* Of datagrams a mirror loses one, and nothing shows it: only the second within a minute is sure.
 */
START_TEST(test_single_datagram)
{
    static const struct {
        int later_ms;
        unsigned flow;
        bool is_second_single;
    } seconds[] = {
        {20000, FLOW_DATAGRAMS, false},
        {61000, FLOW_DATAGRAMS, true },
    };
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        const struct made pdus[] = {
            {REPLY,                   OP_READ, 12, .flags = OT_NO_REQUEST, .result = OT_RESULT_OK},
            {REPLY,                     OP_READ, 12, .flags = OT_NO_REQUEST, .result = OT_RESULT_OK,
             .after_ms = seconds[i].later_ms},
            {0}
        };
        struct made_run run;
        made_start(&run, "bacnet", seconds[i].flow);
        made_play(&run, pdus);
        ck_assert_uint_eq(run.count, 2);
        ck_assert_int_eq(run.findings[0].detection, DETECTION_RW_UNSOLICITED_RESPONSE);
        ck_assert(run.findings[0].flags & FINDING_SINGLE);
        ck_assert(!(run.findings[1].flags & FINDING_SINGLE) == !seconds[i].is_second_single);
        made_end(&run);
    }
}
END_TEST

START_TEST(test_odd_port)
{
    struct made_run run;
    made_start(&run, "modbus", 0);
    for (int i = 0; i < 3; i++)
        policy_odd_port(run.policy, &run.flow, "http", "s7comm", NULL);
    ck_assert_uint_eq(run.count, 3);
    ck_assert_int_eq(run.findings[0].detection, DETECTION_COMM_PROTOCOL_ON_ODD_PORT);
    ck_assert_str_eq(run.findings[0].seen, "http on port 102");
    ck_assert_str_eq(run.findings[0].expected, "s7comm on port 102");
    ck_assert_str_eq(run.findings[0].key, run.findings[2].key);
    made_end(&run);
}
END_TEST

/* The port belongs to a protocol, and what comes is none that we know. */
START_TEST(test_odd_port_of_something_unknown)
{
    struct made_run run;
    made_start(&run, "s7comm", 0);
    policy_odd_port(run.policy, &run.flow, NULL, "s7comm", NULL);
    ck_assert_uint_eq(run.count, 1);
    ck_assert_str_eq(run.findings[0].seen, "something unknown on port 102");
    policy_odd_port(run.policy, &run.flow, "modbus", NULL, NULL);
    ck_assert_str_eq(run.findings[1].expected, "modbus on its own port");
    made_end(&run);
}
END_TEST

START_TEST(test_unknown_bytes_at_a_known_service)
{
    struct made_run run;
    made_start(&run, "s7comm", 0);
    policy_odd_port(run.policy, &run.flow, NULL, "s7comm", NULL);
    policy_odd_port(run.policy, &run.flow, "http", "s7comm", NULL);
    ck_assert(conformance_is_unknown(&run.findings[0], false));
    ck_assert(!conformance_is_unknown(&run.findings[1], true)); /* a connection is sure */
    run.findings[1].transport = TRANSPORT_UDP;
    ck_assert(!conformance_is_unknown(&run.findings[1], false));
    ck_assert(conformance_is_unknown(&run.findings[1], true));
    conformance_of_unknown(&run.findings[0], "s7comm");
    ck_assert_int_eq(run.findings[0].detection, DETECTION_PROTO_MALFORMED);
    ck_assert_str_eq(run.findings[0].protocol, "s7comm");
    ck_assert_str_eq(run.findings[0].what,
                     "sent malformed data to %T: nothing of it is s7comm, which is spoken there");
    ck_assert_str_eq(run.findings[0].expected, "messages of s7comm on port 102");
    made_end(&run);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conformance");
    TCase *tcase = tcase_create("conformance");
    tcase_add_loop_test(tcase, test_row, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tcase, test_flood_is_counted);
    tcase_add_test(tcase, test_flood_is_told_when_over);
    tcase_add_test(tcase, test_words_of_a_breach);
    tcase_add_test(tcase, test_actor_of_unasked_reply);
    tcase_add_test(tcase, test_single_datagram);
    tcase_add_test(tcase, test_odd_port);
    tcase_add_test(tcase, test_odd_port_of_something_unknown);
    tcase_add_test(tcase, test_unknown_bytes_at_a_known_service);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
