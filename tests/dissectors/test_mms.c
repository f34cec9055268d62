/* test_mms.c: MMS with and without session and presentation; rows from ISO 9506-2, IEC 61850-8-1
 * and PROTOCOLS 11. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_mms;

/* An MMS PDU in the direct form; its lengths are given in hex by the rows. */
static void feed(struct probe *p, bool is_from_client, const char *hex)
{
    probe_hex(p, &dissector_mms, is_from_client, hex);
}

/* | tag | length | content |, so that rows need not count. */
static size_t wrap(uint8_t *out, uint8_t tag, const uint8_t *content, size_t size)
{
    size_t n = 0;
    out[n++] = tag;
    if (size >= 0x80) {
        out[n++] = 0x82;
        out[n++] = (uint8_t)(size >> 8);
    }
    out[n++] = (uint8_t)size;
    memcpy(out + n, content, size);
    return n + size;
}

/* tag of the PDU, invoke id 7, the service as hex. */
static void service(struct probe *p, bool is_from_client, uint8_t pdu, const char *hex)
{
    uint8_t content[2048], whole[2100];
    size_t size = hex_bytes(content, sizeof content, "020107");
    size += hex_bytes(content + size, sizeof content - size, hex);
    size = wrap(whole, pdu, content, size);
    probe_feed(p, &dissector_mms, is_from_client, whole, size);
}

#define ASK    0xa0
#define ANSWER 0xa1

/* --- recognition --- */

#define CONNECT                                                                                    \
    "0d b2 0506 130100 160102 14020002 3302 0001 3402 0001 c19c 318199 a003800101 a28191 "         \
    "810400000001 820400000001 a423 300f 020101 060452010001 3004 06025101 3010 020103 "           \
    "060528ca220201 3004 06025101 88020600 615a 3058 020101 a053 6051 80020780 a107 "              \
    "060528ca220203 a206 06042bce0f02 a303 020117 be35 2833 06025101 020103 a02a a828 80027530 "   \
    "810203e8 820203e8 830105 a417 800101 810305fb00 820d03ffffffffffffffffffffff00"

static const struct claim_row {
    const char *shows, *hex;
    enum claim claim;
} claims[] = {
    {"a session connect",              CONNECT,                                                 CLAIM_YES },
    {"session data",                   "01000100 6109 3007 020103 a002 8b00",                   CLAIM_YES },
    {"session data of another user",   "01000100 3109 3007",                                    CLAIM_NO  },
    {"a finish with user data",        "09 10 c1 0e 61 0c 30 0a 02 01 01 a0 05 62 03 80 01 01",
     CLAIM_WEAK                                                                                           },
    {"a direct request",               "a00e 020101 a409 a107 a005 3003 a001 00",               CLAIM_YES },
    {"a direct initiate",              "a803 8001 7f",                                          CLAIM_YES },
    {"a direct conclude",              "8b00",                                                  CLAIM_WEAK},
    {"another length than is there",   "a00f 020101 a409 a107 a005 3003 a001 00",               CLAIM_NO  },
    {"a request without an invoke id", "a003 040101",                                           CLAIM_NO  },
    {"S7comm",                         "3201 0000 0001 0008 0000",                              CLAIM_NO  },
    {"T.125",                          "64 0006 03eb 70",                                       CLAIM_NO  },
    {"zeros",                          "0000000000000000",                                      CLAIM_NO  },
    {"nothing",                        "",                                                      CLAIM_NO  },
};

START_TEST(recognises)
{
    const struct claim_row *row = &claims[_i];
    uint8_t bytes[512];
    size_t size = hex_bytes(bytes, sizeof bytes, row->hex);
    enum claim claim = probe_recognise(&dissector_mms, bytes, size);
    ck_assert_msg(claim == row->claim, "%s: %d", row->shows, claim);
}
END_TEST

/* --- services: a row for each, [MMS] ConfirmedServiceRequest --- */

static const struct row {
    unsigned number;
    const char *hex, *name, *operation, *items;
} rows[] = {
    {0,  "800100",                                   "status",                             "diagnostics",      ""           },
    {1,  "a10e a003 800109 a107 8105 4945443131",    "get_name_list",                      "browse",           "IED11"      },
    {2,  "8200",                                     "identify",                           "identify",         ""           },
    {3,  "a300",                                     "rename",                             "config_change",    ""           },
    {4,  "a40b a109 a007 3005 a003 8001 41",         "read",                               "read",             "A{read}"    },
    {5,  "a50e a007 3005 a003 8001 41 a003 8501 05", "write",                              "write",            "A{write}=5" },
    {6,  "a605 a003 8001 41",                        "get_variable_access_attributes",     "browse",           "A"          },
    {7,  "a705 a003 8001 41",                        "define_named_variable",              "config_change",    "A"          },
    {8,  "a805 a003 8001 41",                        "define_scattered_access",            "config_change",    "A"          },
    {9,  "a903 8001 41",                             "get_scattered_access_attributes",    "browse",           "A"          },
    {10, "aa05 a103 8001 41",                        "delete_variable_access",             "config_change",    "A"          },
    {11, "ab08 8001 41 a003 3001 00",                "define_named_variable_list",         "subscribe",        "A"          },
    {12, "ac08 a106 1a01 44 1a01 41",                "get_named_variable_list_attributes", "browse",           "D/A"        },
    {13, "ad05 a103 8001 41",                        "delete_named_variable_list",         "config_change",    "A"          },
    {14, "ae03 8001 41",                             "define_named_type",                  "config_change",    "A"          },
    {15, "af03 8001 41",                             "get_named_type_attributes",          "browse",           "A"          },
    {16, "b005 a103 8001 41",                        "delete_named_type",                  "config_change",    "A"          },
    {17, "b103 8001 41",                             "input",                              "control",          "A"          },
    {18, "b203 8001 41",                             "output",                             "control",          "A"          },
    {19, "b305 a003 8001 41",                        "take_control",                       "lock",             "A"          },
    {20, "b405 a003 8001 41",                        "relinquish_control",                 "lock",             "A"          },
    {21, "b505 a003 8001 41",                        "define_semaphore",                   "lock",             "A"          },
    {22, "b603 8001 41",                             "delete_semaphore",                   "lock",             "A"          },
    {23, "b703 8001 41",                             "report_semaphore_status",            "lock",             "A"          },
    {24, "b805 a003 8001 41",                        "report_pool_semaphore_status",       "lock",             "A"          },
    {25, "b905 a003 8001 41",                        "report_semaphore_entry_status",      "lock",             "A"          },
    {26, "ba03 8001 41",                             "initiate_download_sequence",         "program_download", "A"          },
    {27, "9b01 41",                                  "download_segment",                   "program_download", "A"          },
    {28, "bc03 8001 41",                             "terminate_download_sequence",        "program_download", "A"          },
    {29, "9d01 41",                                  "initiate_upload_sequence",           "program_upload",   "A"          },
    {30, "9e01 05",                                  "upload_segment",                     "program_upload",   "upload 5"   },
    {31, "9f1f01 05",                                "terminate_upload_sequence",          "program_upload",   "upload 5"   },
    {32, "bf2003 8001 41",                           "request_domain_download",            "program_download", "A"          },
    {33, "bf2103 8001 41",                           "request_domain_upload",              "program_upload",   "A"          },
    {34, "bf2203 8001 41",                           "load_domain_content",                "program_download", "A"          },
    {35, "bf2303 8001 41",                           "store_domain_content",               "program_upload",   "A"          },
    {36, "9f2401 41",                                "delete_domain",                      "program_delete",   "A"          },
    {37, "9f2501 41",                                "get_domain_attributes",              "browse",           "A"          },
    {38, "bf2603 8001 41",                           "create_program_invocation",          "program_modify",   "A"          },
    {39, "9f2701 41",                                "delete_program_invocation",          "program_delete",   "A"          },
    {40, "bf2803 8001 41",                           "start",                              "start",            "A"          },
    {41, "bf2903 8001 41",                           "stop",                               "stop",             "A"          },
    {42, "bf2a03 8001 41",                           "resume",                             "start",            "A"          },
    {43, "bf2b03 8001 41",                           "reset",                              "restart",          "A"          },
    {44, "bf2c03 8001 41",                           "kill",                               "stop",             "A"          },
    {45, "9f2d01 41",                                "get_program_invocation_attributes",  "browse",           "A"          },
    {46, "bf2e0a a103 1901 41 a203 1901 42",         "obtain_file",                        "file_write",       "B"          },
    {47, "bf2f05 a003 8001 41",                      "define_event_condition",             "config_change",    "A"          },
    {48, "bf3000",                                   "delete_event_condition",             "config_change",    ""           },
    {49, "bf3103 8001 41",                           "get_event_condition_attributes",     "browse",           "A"          },
    {50, "bf3203 8001 41",                           "report_event_condition_status",      "alarm",            "A"          },
    {51, "bf3305 a003 8001 41",                      "alter_event_condition_monitoring",   "config_change",    "A"          },
    {52, "bf3405 a003 8001 41",                      "trigger_event",                      "alarm",            "A"          },
    {53, "bf3505 a003 8001 41",                      "define_event_action",                "config_change",    "A"          },
    {54, "bf3600",                                   "delete_event_action",                "config_change",    ""           },
    {55, "bf3703 8001 41",                           "get_event_action_attributes",        "browse",           "A"          },
    {56, "bf3803 8001 41",                           "report_event_action_status",         "alarm",            "A"          },
    {57, "bf3905 a003 8001 41",                      "define_event_enrollment",            "config_change",    "A"          },
    {58, "bf3a00",                                   "delete_event_enrollment",            "config_change",    ""           },
    {59, "bf3b05 a003 8001 41",                      "alter_event_enrollment",             "config_change",    "A"          },
    {60, "bf3c03 8001 41",                           "report_event_enrollment_status",     "alarm",            "A"          },
    {61, "bf3d00",                                   "get_event_enrollment_attributes",    "browse",           ""           },
    {62, "bf3e05 a003 8001 41",                      "acknowledge_event_notification",     "alarm",            "A"          },
    {63, "bf3f00",                                   "get_alarm_summary",                  "alarm",            ""           },
    {64, "bf4000",                                   "get_alarm_enrollment_summary",       "alarm",            ""           },
    {65, "bf4105 a003 8001 41",                      "read_journal",                       "read",             "A"          },
    {66, "bf4205 a003 8001 41",                      "write_journal",                      "config_change",    "A"          },
    {67, "bf4305 a003 8001 41",                      "initialize_journal",                 "file_delete",      "A"          },
    {68, "bf4403 8001 41",                           "report_journal_status",              "diagnostics",      "A"          },
    {69, "bf4505 a003 8001 41",                      "create_journal",                     "config_change",    "A"          },
    {70, "bf4605 a003 8001 41",                      "delete_journal",                     "file_delete",      "A"          },
    {71, "bf4700",                                   "get_capability_list",                "diagnostics",      ""           },
    {72, "bf4808 a003 1901 41 8101 00",              "file_open",                          "file_read",        "A"          },
    {73, "9f4901 05",                                "file_read",                          "file_read",        "open_file 5"},
    {74, "9f4a01 05",                                "file_close",                         "file_read",        "open_file 5"},
    {75, "bf4b0a a003 1901 41 a103 1901 42",         "file_rename",                        "file_write",       "A"          },
    {76, "bf4c03 1901 41",                           "file_delete",                        "file_delete",      "A"          },
    {77, "bf4d05 a003 1901 41",                      "file_directory",                     "file_read",        "A"          },
};

START_TEST(services)
{
    const struct row *row = &rows[_i];
    char code[48];
    snprintf(code, sizeof code, "pdu=0,service=%u", row->number);
    struct probe *p = probe_create(TRANSPORT_TCP);
    service(p, true, ASK, row->hex);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->direction, "request");
    ck_assert_str_eq(e->code, code);
    ck_assert_str_eq(e->name, row->name);
    ck_assert_msg(strcmp(e->operation, row->operation) == 0, "%s: %s", row->name, e->operation);
    ck_assert_msg(strcmp(e->items, row->items) == 0, "%s: '%s'", row->name, e->items);
    ck_assert_uint_eq(e->transaction, 7);
    ck_assert_msg(p->violation_count == 0, "%s: %s", row->name,
                  p->violation_count ? probe_violation(p, 0)->why : "");
    probe_destroy(p);
}
END_TEST

/* --- writes by name, [8-1] 7.3 --- */

static const struct write_row {
    const char *name, *data, *operation, *detail;
} writes[] = {
    {"G$CO$SPCSO1$Oper",   "a217 8301ff a208 850102 8903 6f7031 860105 8301 00 8402 06 c0", "control",
     NULL                                                                                                                  },
    {"G$CO$SPCSO1$SBOw",   "8301ff",                                                        "control",       NULL          },
    {"G$CO$SPCSO1$Cancel", "8301ff",                                                        "control",       NULL          },
    {"L$CO$Mod$Oper",      "850105",                                                        "mode_change",   NULL          },
    {"L$CO$Beh$Oper",      "850105",                                                        "mode_change",   NULL          },
    {"L$CO$LocSta$Oper",   "8301ff",                                                        "mode_change",   NULL          },
    {"L$CO$Loc$Oper",      "8301ff",                                                        "mode_change",   NULL          },
    {"L$SP$SGCB$ActSG",    "860102",                                                        "config_change", NULL          },
    {"P$SP$StrVal$setMag", "860102",                                                        "write",         NULL          },
    {"P$SE$StrVal$setMag", "860102",                                                        "config_change", NULL          },
    {"P$SV$Pos$subEna",    "8301ff",                                                        "force",         NULL          },
    {"P$CF$Pos$ctlModel",  "850101",                                                        "config_change", NULL          },
    {"P$DC$NamPlt$d",      "8a0141",                                                        "config_change", NULL          },
    {"L$RP$rcb1$RptEna",   "8301ff",                                                        "subscribe",     ""            },
    {"L$RP$rcb1$RptEna",   "830100",                                                        "subscribe",     "switched off"},
    {"L$BR$rcb1$GI",       "8301ff",                                                        "subscribe",     ""            },
    {"L$GO$gcb1$GoEna",    "830100",                                                        "subscribe",     "switched off"},
    {"L$GO$gcb1$DatSet",   "8a0141",                                                        "config_change", NULL          },
    {"L$MS$m1$SvEna",      "830100",                                                        "subscribe",     "switched off"},
    {"L$US$m1$SvEna",      "8301ff",                                                        "subscribe",     ""            },
    {"L$ST$Pos$stVal",     "8301ff",                                                        "write",         NULL          },
    {"Switch_Device",      "850101",                                                        "control",       NULL          },
    {"DSTransfer_Set1",    "850101",                                                        "subscribe",     NULL          },
};

/* A write of one domain variable. */
static void write_name(struct probe *p, const char *name, const char *data_hex)
{
    uint8_t a[512], b[512], data[256];
    size_t n = 0;
    n = hex_bytes(a, sizeof a, "1a0144 1a00");
    a[4] = (uint8_t)strlen(name);
    memcpy(a + n, name, strlen(name));
    n += strlen(name);
    n = wrap(b, 0xa1, a, n);
    n = wrap(a, 0xa0, b, n);
    n = wrap(b, 0x30, a, n);
    n = wrap(a, 0xa0, b, n);
    size_t data_size = hex_bytes(data, sizeof data, data_hex);
    n += wrap(a + n, 0xa0, data, data_size);
    n = wrap(b, 0xa5, a, n);
    memmove(b + 3, b, n);
    hex_bytes(b, 3, "020107");
    n = wrap(a, 0xa0, b, n + 3);
    probe_feed(p, &dissector_mms, true, a, n);
}

START_TEST(writes_by_name)
{
    const struct write_row *row = &writes[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    write_name(p, row->name, row->data);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_msg(strcmp(e->operation, row->operation) == 0, "%s: %s", row->name, e->operation);
    ck_assert_msg(!row->detail || strcmp(e->detail, row->detail) == 0, "%s: '%s'", row->name,
                  e->detail);
    ck_assert_msg(strncmp(e->items, "D/", 2) == 0, "%s: %s", row->name, e->items);
    ck_assert_msg(p->violation_count == 0, "%s: %s", row->name,
                  p->violation_count ? probe_violation(p, 0)->why : "");
    probe_destroy(p);
}
END_TEST

START_TEST(control_tells_its_origin)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    write_name(p, "G$CO$SPCSO1$Oper",
               "a217 8301ff a208 850102 8903 6f7031 860105 8301 00 8402 06 c0");
    ck_assert_str_eq(probe_event(p, 0)->detail, "origin station control 'op1', number 5");
    /* value, origin, its identity, number, test, both checks */
    ck_assert_str_eq(probe_event(p, 0)->items, "D/G$CO$SPCSO1$Oper{control}=1|2|6f7031|5|0|192");
    write_name(p, "G$CO$SPCSO1$Oper",
               "a217 830100 a208 850103 8903 6f7031 860106 8301 ff 8402 06 00");
    ck_assert_str_eq(probe_event(p, 1)->detail,
                     "origin remote control 'op1', number 6, test, checks bypassed");
    probe_destroy(p);
}
END_TEST

/* A read of one domain variable that is an integer of one byte. */
static void tell_mode(struct probe *p, const char *name, int mode)
{
    uint8_t a[512], b[512];
    char hex[64];
    size_t n = hex_bytes(a, sizeof a, "1a0144 1a00");
    a[4] = (uint8_t)strlen(name);
    memcpy(a + n, name, strlen(name));
    n += strlen(name);
    static const uint8_t around[] = {0xa1, 0xa0, 0x30, 0xa0, 0xa1, 0xa4};
    for (size_t i = 0; i < sizeof around; i++) {
        n = wrap(b, around[i], a, n);
        memcpy(a, b, n);
    }
    memmove(a + 3, a, n);
    hex_bytes(a, 3, "020107");
    n = wrap(b, ASK, a, n + 3);
    probe_feed(p, &dissector_mms, true, b, n);
    snprintf(hex, sizeof hex, "a405 a103 8501%02x", (unsigned)mode);
    service(p, false, ANSWER, hex);
}

#define OPERATED "a217 8301ff a208 850102 8903 6f7031 860105 8301 00 8402 06 c0"
#define TESTED   "a217 8301ff a208 850102 8903 6f7031 860105 8301 ff 8402 06 c0"

static const struct mode_row {
    const char *shows, *name; /* of what is told */
    int mode;
    const char *written, *data;
    bool is_told;
} modes[] = {
    {"to a node in test",                    "G$ST$Mod$stVal",    3, "G$CO$SPCSO1$Oper",     OPERATED, true },
    {"to a node in test and blocked",        "G$ST$Beh$stVal",    4, "G$CO$SPCSO1$Oper",     OPERATED, true },
    {"to a node that is on",                 "G$ST$Mod$stVal",    1, "G$CO$SPCSO1$Oper",     OPERATED, false},
    {"to a node that is blocked",            "G$ST$Mod$stVal",    2, "G$CO$SPCSO1$Oper",     OPERATED, false},
    {"to a node that is off",                "G$ST$Mod$stVal",    5, "G$CO$SPCSO1$Oper",     OPERATED, false},
    {"as a test",                            "G$ST$Mod$stVal",    3, "G$CO$SPCSO1$Oper",     TESTED,   false},
    {"to another node",                      "G$ST$Mod$stVal",    3, "GGIO1$CO$SPCSO1$Oper", OPERATED, false},
    {"to a node of a device in test",        "LLN0$ST$Mod$stVal", 3, "G$CO$SPCSO1$Oper",     OPERATED, true },
    {"of the mode itself",                   "G$ST$Mod$stVal",    3, "G$CO$Mod$Oper",        OPERATED, false},
    {"of a setting",                         "G$ST$Mod$stVal",    3, "G$SP$x$setMag",        "860102", false},
    {"after something else was read",        "G$ST$Pos$stVal",    3, "G$CO$SPCSO1$Oper",     OPERATED, false},
    {"after the quality of a mode was read", "G$ST$Mod$q",        3, "G$CO$SPCSO1$Oper",     OPERATED, false},
};

START_TEST(commands_to_nodes_in_test)
{
    const struct mode_row *row = &modes[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    tell_mode(p, row->name, row->mode);
    ck_assert_uint_eq(p->violation_count, 0);
    write_name(p, row->written, row->data);
    ck_assert_msg(probe_has_violation(p, VIOLATION_STATE) == row->is_told, "a command %s",
                  row->shows);
    ck_assert_uint_eq(p->violation_count, row->is_told);
    probe_destroy(p);
}
END_TEST

/* [8-1] 20: with and without a select of the same object. */
static const struct manner_row {
    const char *shows, *before; /* written before; "": nothing */
    const char *name;
    unsigned manner;
} manners[] = {
    {"it is selected",              "",                   "G$CO$SPCSO1$SBOw",   MANNER_SELECT },
    {"operated when selected",      "G$CO$SPCSO1$SBOw",   "G$CO$SPCSO1$Oper",   MANNER_EXECUTE},
    {"operated without a select",   "",                   "G$CO$SPCSO1$Oper",   MANNER_DIRECT },
    {"another object was selected", "G$CO$SPCSO2$SBOw",   "G$CO$SPCSO1$Oper",   MANNER_DIRECT },
    {"it was given up",             "G$CO$SPCSO1$Cancel", "G$CO$SPCSO1$Oper",   MANNER_DIRECT },
    {"operated once more",          "G$CO$SPCSO1$Oper",   "G$CO$SPCSO1$Oper",   MANNER_DIRECT },
    {"given up",                    "",                   "G$CO$SPCSO1$Cancel", MANNER_NONE   },
    {"a setting",                   "",                   "G$SP$x$Oper",        MANNER_NONE   },
};

START_TEST(objects_are_selected_or_not)
{
    const struct manner_row *row = &manners[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    if (*row->before) {
        write_name(p, "G$CO$SPCSO1$SBOw", OPERATED);
        if (strstr(row->before, "SPCSO2"))
            write_name(p, "G$CO$SPCSO1$Cancel", OPERATED);
        write_name(p, row->before, OPERATED);
    }
    probe_clear(p);
    write_name(p, row->name, OPERATED);
    ck_assert_msg(probe_event(p, 0)->manner == row->manner, "%s: %u", row->shows,
                  probe_event(p, 0)->manner);
    probe_destroy(p);
}
END_TEST

START_TEST(a_select_that_may_not_have_been_seen)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    p->flow.is_start_seen = false;
    p->flow.first_ns = p->time_ns;
    write_name(p, "G$CO$SPCSO1$Oper", OPERATED);
    ck_assert_uint_eq(probe_event(p, 0)->manner, MANNER_NONE);
    p->time_ns += INT64_C(10000000000);
    write_name(p, "G$CO$SPCSO1$Oper", OPERATED);
    ck_assert_uint_eq(probe_event(p, 1)->manner, MANNER_DIRECT);
    probe_destroy(p);
}
END_TEST

/* Only the latest nodes are known; one that is on again takes commands. */
START_TEST(nodes_leave_test_mode)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    char name[32];
    for (int i = 0; i < 9; i++) {
        snprintf(name, sizeof name, "G%d$ST$Mod$stVal", i);
        tell_mode(p, name, 3);
    }
    write_name(p, "G0$CO$SPCSO1$Oper", OPERATED);
    ck_assert_uint_eq(p->violation_count, 0);
    service(p, false, ANSWER, "a502 8100");
    write_name(p, "G8$CO$SPCSO1$Oper", OPERATED);
    ck_assert_uint_eq(p->violation_count, 1);
    service(p, false, ANSWER, "a502 8100");
    tell_mode(p, "G8$ST$Mod$stVal", 1);
    write_name(p, "G8$CO$SPCSO1$Oper", OPERATED);
    ck_assert_uint_eq(p->violation_count, 1);
    probe_destroy(p);
}
END_TEST

START_TEST(reading_sbo_is_a_select)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    service(p, true, ASK, "a419 a117 a015 3013 a011 a10f 1a0144 1a0a 47 24434f24 50 2453424f");
    ck_assert_str_eq(probe_event(p, 0)->operation, "control");
    probe_destroy(p);
}
END_TEST

/* --- answers --- */

#define READ_AB "a412 a110 a00e 3005 a003 8001 41 3005 a003 8001 42"

static const struct answer_row {
    const char *shows, *request, *answer, *items, *status, *why;
} answers[] = {
    {"values in their order",                   READ_AB,                                    "a408 a106 8501 05 8301 01",                              "A{read}=5!ok; B{read}=1!ok",
     "ok",                                                                                                                                                                                                                                          ""},
    {"one may fail",                            READ_AB,                                    "a408 a106 8001 03 8301 01",
     "A{read}!error 3 object_access_denied; B{read}=1!ok",                                                                                                                                                          "error 3 object_access_denied", ""},
    {"too few values",                          READ_AB,                                    "a405 a103 8501 05",                                      NULL,                                                         "ok",
     "answer has another count than its request"                                                                                                                                                                                                      },
    {"a float",                                 READ_AB,                                    "a40c a10a 8705 08 3f800000 8301 01",                     "A{read}=1!ok; B{read}=1!ok",                                 "ok",
     ""                                                                                                                                                                                                                                               },
    {"a structure stands by its first value",   READ_AB,                                    "a40c a10a a205 a203 8601 09 8301 01",
     "A{read}=9!ok; B{read}=1!ok",                                                                                                                                                                                  "ok",                           ""},
    {"an array of floats",                      READ_AB,                                    "a415a113a10e8705083f800000870508c0000000830101",
     "A{read}=1,-2!ok; B{read}=1!ok",                                                                                                                                                                               "ok",                           ""},
    {"an array of doubles",                     READ_AB,
     "a41da11ba11687090b3ff800000000000087090b0000000000000000830101",                                                                                "A{read}=1.5,0!ok; B{read}=1!ok",                             "ok",                           ""},
    {"floats of two sizes",                     READ_AB,                                    "a419a117a1128705083f80000087090b0000000000000000830101",
     "A{read}=1|0!ok; B{read}=1!ok",                                                                                                                                                                                "ok",                           ""},
    {"a structure of integers",                 READ_AB,                                    "a413a111a20c8501ff85027fffa103850105830101",
     "A{read}=-1,32767,5!ok; B{read}=1!ok",                                                                                                                                                                         "ok",                           ""},
    {"a structure of unsigned ones",            READ_AB,                                    "a40ea10ca2078601ff86020100830101",
     "A{read}=255,256!ok; B{read}=1!ok",                                                                                                                                                                            "ok",                           ""},
    {"an array of booleans",                    READ_AB,                                    "a410a10ea109830101830100830101830101",
     "A{read}=1,0,1!ok; B{read}=1!ok",                                                                                                                                                                              "ok",                           ""},
    {"a structure of several kinds",            READ_AB,                                    "a410a10ea209830101850105830100830101",
     "A{read}=1|5|0!ok; B{read}=1!ok",                                                                                                                                                                              "ok",                           ""},
    {"a magnitude, its quality and its time",   READ_AB,
     "a41f a11d a218 a207 8705083fc00000 8403030000 9108386ebbf34217280a 830101",                                                                     "A{read}=1.5|0|2000-01-02T02:46:11.258165Z!ok; B{read}=1!ok", "ok",                           ""},
    {"a structure with one of an unknown kind", READ_AB,                                    "a40d a10b a206 830101 930105 830101",
     "A{read}=1!ok; B{read}=1!ok",                                                                                                                                                                                  "ok",                           ""},
    {"a value of an unknown kind",              READ_AB,                                    "a408 a106 9301 05 8301 01",                              NULL,                                                         "ok",
     "value is malformed or of an unknown type"                                                                                                                                                                                                       },
    {"written",                                 "a50e a007 3005 a003 8001 41 a003 8501 05", "a502 8100",                                              "A{write}!ok",                                                "ok",                           ""},
    {"not written",                             "a50e a007 3005 a003 8001 41 a003 8501 05", "a503 8001 0a",
     "A{write}!error 10 object_non_existent",                                                                                                                                                                       "error 10 object_non_existent", ""},
    {"an answer of another service",            "8200",                                     "a502 8100",                                              NULL,                                                         "ok",
     "answer is of another service than its request"                                                                                                                                                                                                  },
};

START_TEST(answers_bring_values)
{
    const struct answer_row *row = &answers[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    service(p, true, ASK, row->request);
    service(p, false, ANSWER, row->answer);
    const struct probe_event *e = probe_event(p, 1);
    const char *why = p->violation_count ? probe_violation(p, 0)->why : "";
    ck_assert_str_eq(e->direction, "response");
    ck_assert_msg(strcmp(why, row->why) == 0, "%s: '%s'", row->shows, why);
    ck_assert_msg(!row->items || strcmp(e->items, row->items) == 0, "%s: %s", row->shows, e->items);
    ck_assert_msg(strcmp(e->status, row->status) == 0, "%s: %s", row->shows, e->status);
    probe_destroy(p);
}
END_TEST

START_TEST(identity)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    service(p, true, ASK, "8200");
    service(p, false, ANSWER, "a20d 8004 41636d65 8102 5631 8201 33");
    ck_assert_str_eq(probe_event(p, 1)->facts, "vendor=Acme; product=V1; firmware_version=3");
    service(p, true, ASK, "a10a a003 800109 a103 8001 00");
    service(p, false, ANSWER, "a10d a008 1a02 4c31 1a02 4c32 8101 00");
    ck_assert_str_eq(probe_event(p, 3)->facts, "module_name=L1; module_name=L2");
    probe_destroy(p);
}
END_TEST

START_TEST(errors_and_rejects)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    service(p, true, ASK, "bf2903 8001 41");
    feed(p, false, "a20a 8001 07 a205 a003 8701 03");
    ck_assert_str_eq(probe_event(p, 1)->operation, "stop");
    ck_assert_str_eq(probe_event(p, 1)->code, "pdu=2");
    ck_assert_str_eq(probe_event(p, 1)->status, "error 1795 object_access_denied");
    ck_assert_str_eq(probe_event(p, 1)->items, "A");
    feed(p, false, "a406 8001 08 8101 01");
    ck_assert_str_eq(probe_event(p, 2)->operation, "error");
    ck_assert_str_eq(probe_event(p, 2)->status, "error 257 confirmed_request");
    feed(p, false, "a20a 8001 07 a205 a003 8701 03");
    ck_assert(probe_event(p, 3)->flags & OT_NO_REQUEST);
    probe_destroy(p);
}
END_TEST

/* --- transfers --- */

START_TEST(domain_download)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    service(p, true, ASK, "ba03 8001 41");
    service(p, false, ANSWER, "9a00");
    service(p, false, ASK, "9b01 41"); /* the server asks */
    service(p, true, ANSWER, "bb07 8002 0102 8101 00");
    service(p, false, ASK, "bc03 8001 41");
    ck_assert_ptr_nonnull(strstr(probe_event(p, 0)->transfer, "begin program_download"));
    ck_assert_ptr_nonnull(strstr(probe_event(p, 3)->transfer, "block program_download"));
    ck_assert_ptr_nonnull(strstr(probe_event(p, 3)->transfer, "bytes=2"));
    ck_assert_ptr_nonnull(strstr(probe_event(p, 4)->transfer, "end program_download"));
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(file_transfer)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    service(p, true, ASK, "bf4808 a003 1901 41 8101 00");
    service(p, false, ANSWER, "bf480a 8001 05 a105 8001 14 8100");
    service(p, true, ASK, "9f4901 05");
    service(p, false, ANSWER, "bf4907 8002 0102 8101 00");
    service(p, true, ASK, "9f4a01 05");
    ck_assert_ptr_nonnull(strstr(probe_event(p, 1)->transfer, "begin file_read"));
    ck_assert_ptr_nonnull(strstr(probe_event(p, 1)->transfer, "name=A"));
    ck_assert_ptr_nonnull(strstr(probe_event(p, 1)->transfer, "declared=20"));
    ck_assert_ptr_nonnull(strstr(probe_event(p, 3)->transfer, "block file_read"));
    ck_assert_ptr_nonnull(strstr(probe_event(p, 4)->transfer, "end file_read"));
    probe_destroy(p);
}
END_TEST

/* --- reports --- */

START_TEST(report)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    /* RPT: id "R", fields: number and data set, number 1, "S", members 1 and 3 of four, 5, 6 */
    feed(p, false,
         "a32b a029 a105 8003 525054 a020 8a01 52 8403 06 4800 8601 01 8a01 53 8402 04 50 "
         "8501 05 8501 06 8402 02 40 8402 02 40");
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->code, "pdu=3,service=0");
    ck_assert_str_eq(e->direction, "oneway");
    ck_assert_str_eq(e->operation, "publish");
    ck_assert_str_eq(e->items, "S[1]=5; S[3]=6");
    ck_assert_str_eq(e->detail, "R");
    ck_assert(e->flags & OT_UNSOLICITED);
    ck_assert_uint_eq(p->violation_count, 0);
    feed(p, true, "a31a a018 a105 8003 525054 a00f 8a01 52 8403 06 0000 8402 04 80 8501 05");
    ck_assert_str_eq(probe_violation(p, 0)->why, "report comes from the client");
    probe_destroy(p);
}
END_TEST

START_TEST(control_error)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false,
         "a329 a027 a013 3011 a00f 800d 4c617374 4170706c 4572726f 72 a010 a20e 8a01 4f 8501 00 "
         "a200 "
         "8601 05 8501 0a");
    ck_assert_str_eq(probe_event(p, 0)->name, "control_error");
    ck_assert_str_eq(probe_event(p, 0)->status, "error 10 blocked_by_interlocking");
    ck_assert_str_eq(probe_event(p, 0)->items, "O");
    probe_destroy(p);
}
END_TEST

/* --- association --- */

START_TEST(association)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, CONNECT);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->code, "pdu=8");
    ck_assert_str_eq(e->operation, "session");
    ck_assert_uint_eq(p->violation_count, 0);
    feed(p, true, "01000100 6109 3007 020103 a002 8b00");
    ck_assert_str_eq(probe_event(p, 1)->code, "pdu=11");
    ck_assert_uint_eq(p->violation_count, 0);
    feed(p, true, "01000100 6109 3007 020105 a002 8b00");
    ck_assert_str_eq(probe_violation(p, 0)->why, "presentation context was not agreed on");
    probe_destroy(p);
}
END_TEST

/* Picked up inside: context 3 is taken to be MMS, nothing is told. */
START_TEST(inside_of_an_association)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    p->flow.is_start_seen = false;
    feed(p, true, "01000100 6115 3013 020103 a00e a00c 020101 a407 a105 a003 3001 00");
    ck_assert_str_eq(probe_event(p, 0)->name, "read");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(password_stays_out)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true,
         "0d 34 c132 3130 a003800101 a229 6127 3025 020101 a020 601e ac08 8006 736563726574 "
         "be12 2810 020103 a00b a809 8002 7530 810105 8200");
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->operation, "auth");
    ck_assert(e->flags & OT_HAS_CREDENTIAL);
    ck_assert_uint_eq(e->secret_size, 6);
    ck_assert_ptr_null(strstr(e->detail, "secret"));
    probe_destroy(p);
}
END_TEST

/* --- what is wrong --- */

static const struct wrong {
    const char *shows, *hex, *why;
} wrongs[] = {
    {"no invoke id",                     "a003 0401 01",                        "request has no invoke id"                 },
    {"an unknown service",               "a007 020101 9f6301 41",               "service is unknown"                       },
    {"an element past its parent",       "a005 020101 a409",                    "element does not fit in its parent"       },
    {"bytes behind the PDU",             "8b00 00",                             "bytes behind the MMS PDU"                 },
    {"a PDU past the message",           "a010 020101",                         "MMS PDU is cut off"                       },
    {"an unknown PDU",                   "bf2000",                              "MMS PDU is unknown"                       },
    {"an unknown unconfirmed service",   "a302 a900",                           "unconfirmed service is unknown"           },
    {"a read of nothing",                "a005 020101 a400",                    "read names no variable"                   },
    {"a write of nothing",               "a005 020101 a500",                    "write has no variable or no value"        },
    {"a write with a value too many",
     "a016 020101 a511 a007 3005 a003 8001 41 a006 8501 05 8501 05",            "write has not one value for each variable"},
    {"PDUs of 63 bytes at most",         "a803 8001 3f",                        "PDU size to agree on is absurd"           },
    {"nothing outstanding",              "a803 8101 00",                        "no service may be outstanding"            },
    {"version 2",                        "a805 a403 8001 02",                   "MMS version is not 1"                     },
    {"session parameters past the end",  "0d 20 c102 3100",                     "session parameters do not fit"            },
    {"a presentation that does not fit", "01000100 6109 3017 020103 a002 8b00",
     "presentation data does not fit"                                                                                      },
};

START_TEST(violations)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, wrongs[_i].hex);
    ck_assert_msg(p->violation_count > 0, "%s: not told", wrongs[_i].shows);
    ck_assert_msg(strcmp(probe_violation(p, 0)->why, wrongs[_i].why) == 0, "%s: %s",
                  wrongs[_i].shows, probe_violation(p, 0)->why);
    probe_destroy(p);
}
END_TEST

START_TEST(limits_of_an_initiate)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, "a80e 8001 40 8101 01 8201 01 a403 8001 01");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(an_invoke_id_twice)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    service(p, true, ASK, "8200");
    service(p, false, ANSWER, "a200");
    service(p, true, ASK, "8200");
    ck_assert_uint_eq(p->violation_count, 0);
    service(p, true, ASK, "8200");
    ck_assert_str_eq(probe_violation(p, 0)->why, "invoke id is in flight already");
    probe_destroy(p);
}
END_TEST

/* Cut anywhere, something is told and nothing is read past. */
START_TEST(every_prefix_is_safe)
{
    uint8_t bytes[512];
    size_t size = hex_bytes(bytes, sizeof bytes, CONNECT);
    for (size_t n = 1; n < size; n++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        probe_feed(p, &dissector_mms, true, bytes, n);
        ck_assert_msg(p->violation_count > 0, "cut at %zu", n);
        probe_destroy(p);
    }
}
END_TEST

START_TEST(deep_nesting_ends)
{
    uint8_t a[512], b[512];
    size_t n = hex_bytes(a, sizeof a, "850105");
    for (int i = 0; i < 40; i++) {
        n = wrap(b, 0xa2, a, n);
        memcpy(a, b, n);
    }
    char hex[1100] = "";
    for (size_t i = 0; i < n; i++)
        snprintf(hex + 2 * i, 3, "%02x", a[i]);
    struct probe *p = probe_create(TRANSPORT_TCP);
    write_name(p, "A", hex);
    ck_assert_uint_eq(p->violation_count, 1);
    probe_destroy(p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mms");
    TCase *tcase = tcase_create("mms");
    tcase_add_loop_test(tcase, recognises, 0, sizeof claims / sizeof *claims);
    tcase_add_loop_test(tcase, services, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(tcase, writes_by_name, 0, sizeof writes / sizeof *writes);
    tcase_add_loop_test(tcase, answers_bring_values, 0, sizeof answers / sizeof *answers);
    tcase_add_loop_test(tcase, violations, 0, sizeof wrongs / sizeof *wrongs);
    tcase_add_test(tcase, control_tells_its_origin);
    tcase_add_loop_test(tcase, commands_to_nodes_in_test, 0, sizeof modes / sizeof *modes);
    tcase_add_loop_test(tcase, objects_are_selected_or_not, 0, sizeof manners / sizeof *manners);
    tcase_add_test(tcase, a_select_that_may_not_have_been_seen);
    tcase_add_test(tcase, nodes_leave_test_mode);
    tcase_add_test(tcase, reading_sbo_is_a_select);
    tcase_add_test(tcase, identity);
    tcase_add_test(tcase, errors_and_rejects);
    tcase_add_test(tcase, domain_download);
    tcase_add_test(tcase, file_transfer);
    tcase_add_test(tcase, report);
    tcase_add_test(tcase, control_error);
    tcase_add_test(tcase, association);
    tcase_add_test(tcase, inside_of_an_association);
    tcase_add_test(tcase, password_stays_out);
    tcase_add_test(tcase, limits_of_an_initiate);
    tcase_add_test(tcase, an_invoke_id_twice);
    tcase_add_test(tcase, every_prefix_is_safe);
    tcase_add_test(tcase, deep_nesting_ends);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
