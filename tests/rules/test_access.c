/* test_access.c: log-ins that fail, programs run from afar, program files that move, versions
 * without protection; each with a quiet twin. */
#include "made.h"

enum { MINUTE_MS = 60000 };

#define LOGIN_FAILS(...)                                                                           \
    {                                                                                              \
        REPLY, OP_AUTH, .result = OT_RESULT_ERROR, .status = 1, __VA_ARGS__                        \
    }
#define LOGIN_WORKS(...)                                                                           \
    {                                                                                              \
        REPLY, OP_AUTH, .result = OT_RESULT_OK, __VA_ARGS__                                        \
    }
#define TOLD "access.login-bruteforce"

static const struct row {
    const char *shows, *protocol;
    struct made pdus[8];
    const char *told;
} rows[] = {
    {"three wrong passwords",                           "smb2",   {LOGIN_FAILS(.times = 3)},                                                                   ""                  },
    {"four",                                            "smb2",   {LOGIN_FAILS(.times = 4)},                                                                   TOLD                },
    {"four of FTP",                                     "ftp",    {LOGIN_FAILS(.times = 4)},                                                                   TOLD                },
    {"four of Telnet",                                  "telnet", {LOGIN_FAILS(.times = 4)},                                                                   TOLD                },
    {"four of a web page",                              "http",   {LOGIN_FAILS(.times = 4)},                                                                   TOLD                },
    {"four of OPC UA",                                  "opcua",  {LOGIN_FAILS(.times = 4)},                                                                   TOLD                },
    {"four of VNC",                                     "vnc",    {LOGIN_FAILS(.times = 4)},                                                                   TOLD                },
    {"one each minute",                                 "smb2",   {LOGIN_FAILS(.times = 20, .after_ms = MINUTE_MS)},                                           ""                  },
    {"one that works in between",
     "smb2",                                                      {LOGIN_FAILS(.times = 3), LOGIN_WORKS(0), LOGIN_FAILS(.times = 3)},
     ""                                                                                                                                                                            },
    {"one that works afterwards",
     "smb2",                                                      {LOGIN_FAILS(.times = 4), LOGIN_WORKS(0)},
     TOLD " " TOLD "+confirmed"                                                                                                                                                    },
    {"one that works much later",
     "smb2",                                                      {LOGIN_FAILS(.times = 4), LOGIN_WORKS(.after_ms = 3 * MINUTE_MS)},
     TOLD                                                                                                                                                                          },
    {"that FTP wants a password is no success",
     "ftp",                                                       {LOGIN_FAILS(.times = 3), LOGIN_WORKS(.status = 331), LOGIN_FAILS(0)},
     TOLD                                                                                                                                                                          },
    {"passwords of a controller are told as such",
     "s7comm",                                                    {LOGIN_FAILS(.times = 3)},
     "plc.auth-failed"                                                                                                                                                             },
    {"fourteen sessions of SSH",
     "ssh",                                                       {{ASK, OP_SESSION, .name = "banner", .times = 14, .is_new_flow = true}},
     ""                                                                                                                                                                            },
    {"fifteen",
     "ssh",                                                       {{ASK, OP_SESSION, .name = "banner", .times = 15, .is_new_flow = true}},
     TOLD                                                                                                                                                                          },
    {"fifteen of RDP",
     "rdp",                                                       {{ASK, OP_SESSION, .name = "connect", .times = 15, .is_new_flow = true}},
     TOLD                                                                                                                                                                          },
    {"one session, however often its name comes",
     "ssh",                                                       {{ASK, OP_SESSION, .name = "banner", .times = 30}},
     ""                                                                                                                                                                            },
    {"one session in five seconds",
     "ssh",                                                       {{ASK, OP_SESSION, .name = "banner", .times = 40, .is_new_flow = true, .after_ms = 5000}},
     ""                                                                                                                                                                            },
    {"as many as in every minute",
     "ssh",                                                       {{ASK, OP_SESSION, .name = "banner", .times = 12, .is_new_flow = true},
      {ASK, OP_SESSION, .name = "banner", .is_new_flow = true, .after_ms = 2 * MINUTE_MS},
      {ASK, OP_SESSION, .name = "banner", .times = 20, .is_new_flow = true}},
     ""                                                                                                                                                                            },

    {"a service is made and started",
     "dcerpc",                                                    {{ASK, OP_CONFIG_CHANGE, .name = "create_service", .detail = "svcctl", .object = "tool",
       .unit = "svcctl"},
      {REPLY, OP_CONFIG_CHANGE, .result = OT_RESULT_OK, .detail = "svcctl"}},
     "access.remote-exec access.remote-exec+confirmed"                                                                                                                             },
    {"a task is run, and refused",
     "dcerpc",                                                    {{ASK, OP_START, .name = "run_task", .detail = "ITaskSchedulerService"},
      {REPLY, OP_START, .result = OT_RESULT_ERROR, .status = 5}},
     "access.remote-exec access.remote-exec+refused"                                                                                                                               },
    {"a method of WMI",
     "dcerpc",                                                    {{ASK, OP_START, .detail = "IWbemServices"}},
     "access.remote-exec"                                                                                                                                                          },
    {"a job",                                           "dcerpc", {{ASK, OP_CONFIG_CHANGE, .detail = "atsvc"}},                                                "access.remote-exec"},
    {"a value of the registry",
     "dcerpc",                                                    {{ASK, OP_CONFIG_CHANGE, .detail = "winreg"}},
     "access.remote-exec"                                                                                                                                                          },
    {"a service is stopped",                            "dcerpc", {{ASK, OP_STOP, .detail = "svcctl"}},                                                        "access.remote-exec"},
    {"the pipe of a remote tool",
     "smb2",                                                      {{ASK, OP_START, .name = "create", .object = "PSEXESVC"}},
     "access.remote-exec"                                                                                                                                                          },
    {"services are listed",
     "dcerpc",                                                    {{ASK, OP_BROWSE, .name = "enum_services_status", .detail = "svcctl"},
      {ASK, OP_DIAGNOSTICS, .name = "query_service_status", .detail = "svcctl"}},
     ""                                                                                                                                                                            },
    {"shares are listed, OPC is read",
     "dcerpc",                                                    {{ASK, OP_BROWSE, .detail = "srvsvc"}, {ASK, OP_READ, .detail = "IOPCSyncIO"}},
     ""                                                                                                                                                                            },
    {"a user is made",
     "dcerpc",                                                    {{ASK, OP_CONFIG_CHANGE, .detail = "samr"}},
     "plc.credential-change"                                                                                                                                                       },

    {"a password in clear",
     "ftp",                                                       {{ASK, OP_AUTH, .name = "PASS", .flags = OT_HAS_CREDENTIAL}},
     "access.weak-protection"                                                                                                                                                      },
    {"a community in clear",
     "snmp",                                                      {{ASK, OP_READ, .name = "get", .flags = OT_HAS_CREDENTIAL}},
     "access.weak-protection"                                                                                                                                                      },
    {"a password as delivered",
     "ftp",                                                       {{ASK, OP_AUTH, .name = "PASS", .flags = OT_HAS_CREDENTIAL | OT_DEFAULT_CREDENTIAL}},
     "access.default-credentials"                                                                                                                                                  },
    {"a community as delivered",
     "snmp",                                                      {{ASK, OP_READ, .name = "get", .flags = OT_HAS_CREDENTIAL | OT_DEFAULT_CREDENTIAL}},
     "access.default-credentials"                                                                                                                                                  },
    {"its answer shows it, too",
     "snmp",                                                      {{REPLY, OP_READ, .name = "response", .flags = OT_HAS_CREDENTIAL | OT_DEFAULT_CREDENTIAL}},
     ""                                                                                                                                                                            },
    {"an encrypted login",
     "ftp",                                                       {{ASK, OP_AUTH, .name = "PASS", .flags = OT_HAS_CREDENTIAL | OT_ENCRYPTED}},
     ""                                                                                                                                                                            },
    {"version 3 of SNMP",                               "snmp",   {{ASK, OP_READ, .name = "get"}},                                                             ""                  },

    {"an executable is written",
     "smb2",                                                      {{ASK, OP_FILE_WRITE, .name = "write", .object = "dir\\Tool.EXE", .times = 3}},
     "access.file-transfer access.file-transfer access.file-transfer"                                                                                                              },
    {"a document",                                      "smb2",   {{ASK, OP_FILE_WRITE, .object = "dir\\Report.pdf"}},                                         ""                  },
    {"a name without an ending",                        "smb2",   {{ASK, OP_FILE_WRITE, .object = "exe"}},                                                     ""                  },
    {"a script is fetched by FTP",
     "ftp",                                                       {{ASK, OP_FILE_READ, .object = "/pub/setup.ps1"}},
     "access.file-transfer"                                                                                                                                                        },
    {"a project by TFTP",
     "tftp",                                                      {{ASK, OP_FILE_READ, .object = "line.acd"}},
     "access.file-transfer"                                                                                                                                                        },
    {"a program from a web page",
     "http",                                                      {{ASK, OP_READ, .name = "get", .detail = "/files/tool.dll?x=1"}},
     "access.file-transfer"                                                                                                                                                        },
    {"the scripts of a web page",
     "http",                                                      {{ASK, OP_READ, .name = "get", .detail = "/js/page.js"},
      {ASK, OP_READ, .name = "get", .detail = "/index.html?file=a.exe"}},
     ""                                                                                                                                                                            },
    {"a refusal moves nothing",
     "smb2",                                                      {{REPLY, OP_FILE_READ, .object = "a.exe", .result = OT_RESULT_ERROR, .status = 5}},
     ""                                                                                                                                                                            },
    {"the block of a controller has any name",
     "s7comm",                                                    {{ASK, OP_FILE_READ, .object = "a.exe"}},
     "plc.config-read"                                                                                                                                                             },
    {"a file is deleted on a computer",                 "smb2",   {{ASK, OP_FILE_DELETE, .object = "a.txt"}},                                                  ""                  },

    {"an old version is agreed on",
     "smb",                                                       {{REPLY, OP_SESSION, .result = OT_RESULT_OK, .flags = OT_WEAK, .detail = "SMB 1"}},
     "access.weak-protection"                                                                                                                                                      },
    {"a version that protects",
     "smb2",                                                      {{REPLY, OP_SESSION, .result = OT_RESULT_OK, .detail = "SMB 3.1.1"}},
     ""                                                                                                                                                                            },
    {"refusals between computers are everyday answers",
     "smb2",                                                      {{REPLY, OP_SESSION, .result = OT_RESULT_ERROR, .status = 1, .times = 40, .functions = 19}},
     ""                                                                                                                                                                            },
};

START_TEST(told)
{
    const struct row *row = &rows[_i];
    struct made_run run;
    char out[4096];
    made_start(&run, row->protocol, 0);
    made_play(&run, row->pdus);
    ck_assert_msg(strcmp(made_told(&run, out, sizeof out), row->told) == 0, "%s: %s", row->shows,
                  out);
    made_end(&run);
}
END_TEST

/* What is learned of a pair: its updates are no news, running programs is. */
START_TEST(what_is_usual)
{
    static const struct made pdus[] = {
        {ASK,                OP_FILE_WRITE, .object = "a.exe"},
        {REPLY, OP_SESSION, .flags = OT_WEAK, .detail = "SMB 1"},
        {ASK,              OP_START, .object = "PSEXESVC"},
        {0 }
    };
    struct made_run run;
    char out[256];
    made_start(&run, "smb2", 0);
    run.is_usual = true;
    made_play(&run, pdus);
    ck_assert_str_eq(made_told(&run, out, sizeof out), "access.remote-exec");
    made_end(&run);
}
END_TEST

START_TEST(the_words)
{
    static const struct made pdus[] = {
        LOGIN_FAILS(.times = 4, .after_ms = 2000),
        {ASK,                        OP_FILE_WRITE, .object = "dir\\tool.exe"},
        {0}
    };
    struct made_run run;
    made_start(&run, "smb2", 0);
    made_play(&run, pdus);
    ck_assert_uint_eq(run.count, 2);
    ck_assert_str_eq(run.findings[0].what, "failed to log in to %T 4 times within 6 s");
    ck_assert_str_eq(run.findings[0].object, ""); /* an amount is no object */
    ck_assert_str_eq(run.findings[1].what, "copies an executable (tool.exe) to %T");
    made_end(&run);
}
END_TEST

/* A plant that has always used them is asked about it once, while it is learned. */
START_TEST(passwords_of_every_day_are_quiet)
{
    static const struct made pdus[] = {
        {ASK,             OP_AUTH, .name = "PASS", .flags = OT_HAS_CREDENTIAL | OT_DEFAULT_CREDENTIAL},
        {ASK, OP_AUTH, .name = "PASS", .flags = OT_HAS_CREDENTIAL},
        {0              }
    };
    struct made_run run;
    made_start(&run, "ftp", 0);
    run.is_usual = true;
    made_play(&run, pdus);
    ck_assert_uint_eq(run.count, 0);
    made_end(&run);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("access");
    TCase *tc = tcase_create("access");
    tcase_add_loop_test(tc, told, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tc, passwords_of_every_day_are_quiet);
    tcase_add_test(tc, what_is_usual);
    tcase_add_test(tc, the_words);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
