/* test_enip.c: the EtherNet/IP encapsulation. Expected values: CIP Networks Library, Volume 2, chapter 2. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_enip, dissector_cip;

#define CONTEXT "3132333435363738"
#define ZERO8 "0000000000000000"

/* command, length, session, status */
#define HEAD(command, length, session, status) command length session status CONTEXT "00000000"

struct row {
    const char *shows, *hex;
    bool is_from_client;
    const char *code, *name, *operation, *direction, *status;
};

/* clang-format off: version 14 crashes on strings made of macros */
static const struct row rows[] = {
    {"NOP", HEAD("0000", "0000", "00000000", "00000000"), true, "0x0000", "nop", "session",
     "request", ""},
    {"ListServices", HEAD("0400", "0000", "00000000", "00000000"), true, "0x0004", "list_services",
     "discover", "request", ""},
    {"ListIdentity to one device", HEAD("6300", "0000", "00000000", "00000000"), true, "0x0063",
     "list_identity", "identify", "request", ""},
    {"ListInterfaces", HEAD("6400", "0000", "00000000", "00000000"), true, "0x0064",
     "list_interfaces", "discover", "request", ""},
    {"RegisterSession", HEAD("6500", "0400", "00000000", "00000000") "01000000", true, "0x0065",
     "register_session", "session", "request", ""},
    {"RegisterSession answered", HEAD("6500", "0400", "01020304", "00000000") "01000000", false,
     "0x0065", "register_session", "session", "response", "ok"},
    {"RegisterSession refused", HEAD("6500", "0400", "00000000", "69000000") "01000000", false,
     "0x0065", "register_session", "session", "response", "error 105 unsupported_protocol_version"},
    {"UnregisterSession", HEAD("6600", "0000", "01020304", "00000000"), true, "0x0066",
     "unregister_session", "session", "request", ""},
    {"IndicateStatus", HEAD("7200", "0000", "01020304", "00000000"), true, "0x0072",
     "indicate_status", "session", "request", ""},
    {"Cancel", HEAD("7300", "0000", "01020304", "00000000"), true, "0x0073", "cancel", "session",
     "request", ""},
    {"a status: unsupported command", HEAD("0400", "0000", "00000000", "01000000"), false, "0x0004",
     "list_services", "discover", "response", "error 1 unsupported_command"},
    {"a status: no memory", HEAD("0400", "0000", "00000000", "02000000"), false, "0x0004",
     "list_services", "discover", "response", "error 2 out_of_memory"},
    {"a status: malformed data", HEAD("0400", "0000", "00000000", "03000000"), false, "0x0004",
     "list_services", "discover", "response", "error 3 malformed_data"},
    {"a status: invalid length", HEAD("0400", "0000", "00000000", "65000000"), false, "0x0004",
     "list_services", "discover", "response", "error 101 invalid_length"},
    {"a status: not allowed", HEAD("0400", "0000", "00000000", "6a000000"), false, "0x0004",
     "list_services", "discover", "response", "error 106 service_not_allowed"},
    {"a refused SendRRData is no mere carrier", HEAD("6f00", "0000", "01020304", "64000000"), false,
     "0x006f", "send_rr_data", "error", "response", "error 100 invalid_session"},
};
/* clang-format on */

START_TEST(commands_and_statuses)
{
    const struct row *row = &rows[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_enip, row->is_from_client, row->hex);
    ck_assert_msg(p->event_count == 1, "%s: %zu events", row->shows, p->event_count);
    ck_assert_msg(p->violation_count == 0, "%s: a violation", row->shows);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_msg(strcmp(e->code, row->code) == 0, "%s: code %s", row->shows, e->code);
    ck_assert_msg(strcmp(e->name, row->name) == 0, "%s: name %s", row->shows, e->name);
    ck_assert_msg(strcmp(e->operation, row->operation) == 0, "%s: %s", row->shows, e->operation);
    ck_assert_msg(strcmp(e->direction, row->direction) == 0, "%s: %s", row->shows, e->direction);
    ck_assert_msg(strcmp(e->status, row->status) == 0, "%s: status %s", row->shows, e->status);
    ck_assert_msg(e->has_transaction && e->transaction == 0x3837363534333231, "%s: context",
                  row->shows);
    probe_destroy(p);
}
END_TEST

#define RR(length, body) HEAD("6f00", length, "01020304", "00000000") body
#define ITEMS "00000000" "0500"

struct wrong {
    const char *shows, *hex;
    bool is_from_client;
    enum violation_kind kind; /* VIOLATION_COUNT_OF: none */
};

/* clang-format off: version 14 crashes on strings made of macros */
static const struct wrong wrongs[] = {
    {"a sound message", RR("1600", ITEMS "0200" "00000000" "b2000600" "010220012401"), true,
     VIOLATION_COUNT_OF},
    {"options not 0", "6300" "0000" "00000000" "00000000" CONTEXT "01000000", true,
     VIOLATION_RESERVED},
    {"a request with a status", HEAD("6300", "0000", "00000000", "01000000"), true,
     VIOLATION_RESERVED},
    {"version 2", HEAD("6500", "0400", "00000000", "00000000") "02000000", true,
     VIOLATION_RESERVED},
    {"RegisterSession options", HEAD("6500", "0400", "00000000", "00000000") "01000100", true,
     VIOLATION_RESERVED},
    {"RegisterSession too short", HEAD("6500", "0200", "00000000", "00000000") "0100", true,
     VIOLATION_LENGTH},
    {"RegisterSession too long", HEAD("6500", "0600", "00000000", "00000000") "010000000000", true,
     VIOLATION_TRAILING},
    {"a message without a session",
     HEAD("6f00", "1600", "00000000", "00000000") ITEMS "0200" "00000000" "b2000600" "010220012401",
     true, VIOLATION_STATE},
    {"interface not 0", RR("1600", "01000000" "0500" "0200" "00000000" "b2000600" "010220012401"),
     true, VIOLATION_RESERVED},
    {"no items", RR("0800", ITEMS "0000"), true, VIOLATION_COUNT},
    {"item one byte past the end", RR("1600", ITEMS "0200" "00000000" "b2000700" "010220012401"),
     true, VIOLATION_LENGTH},
    {"more items than are there", RR("1600", ITEMS "0300" "00000000" "b2000600" "010220012401"),
     true, VIOLATION_LENGTH},
    {"bytes behind the items", RR("1700", ITEMS "0200" "00000000" "b2000600" "01022001240100"),
     true, VIOLATION_TRAILING},
    {"a message cut in its item count", RR("0700", ITEMS "02"), true, VIOLATION_LENGTH},
    {"a message too short for items", RR("0400", "00000000"), true, VIOLATION_LENGTH},
    {"a length that is not the data's", HEAD("0400", "0400", "00000000", "00000000") "0000", true,
     VIOLATION_LENGTH},
    {"connected data without a sequence count",
     "7000" "1500" "01020304" "00000000" ZERO8 "00000000" ITEMS "0200" "a1000400" "11223344"
     "b1000100" "00",
     true, VIOLATION_LENGTH},
    {"address item too short",
     "7000" "1600" "01020304" "00000000" ZERO8 "00000000" ITEMS "0200" "a1000200" "1122"
     "b1000400" "00000100",
     true, VIOLATION_LENGTH},
    {"identity item too short",
     HEAD("6300", "0800", "00000000", "00000000") "0100" "0c000200" "0100", false,
     VIOLATION_LENGTH},
};
/* clang-format on */

START_TEST(violations)
{
    const struct wrong *row = &wrongs[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_enip, row->is_from_client, row->hex);
    if (row->kind == VIOLATION_COUNT_OF)
        ck_assert_msg(p->violation_count == 0, "%s: %s", row->shows,
                      p->violation_count ? probe_violation(p, 0)->why : "");
    else
        ck_assert_msg(probe_has_violation(p, row->kind), "%s: not told", row->shows);
    probe_destroy(p);
}
END_TEST

/* a 1756-ENBT/A as it answers in a public capture */
static const char identity_reply[] =
    HEAD("6300", "3300", "00000000", "00000000") "0100" "0c002d00"
    "0100" "0002af12c0a801180000000000000000" "0100" "0c00" "3a00" "0403" "3000" "8e4d5200"
    "0b" "313735362d454e42542f41" "03";

START_TEST(identity_becomes_facts)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_enip, false, identity_reply);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->facts,
                     "vendor=Rockwell Automation/Allen-Bradley; device_type=communications adapter; "
                     "product=1756-ENBT/A; order_number=1756-ENBT/A; firmware_version=4.3; "
                     "serial_number=00524d8e");
    ck_assert_str_eq(e->detail, "state operational");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

/* The last byte of an identity item: [CIP1] 5-2.3. */
static const struct state_row {
    const char *state, *detail;
} states[] = {
    {"00", "state nonexistent"},
    {"01", "state self-testing"},
    {"02", "state standby"},
    {"03", "state operational"},
    {"04", "state major fault"},
    {"05", "state major fault, not recoverable"},
    {"06", ""},
    {"ff", ""},
};

START_TEST(a_device_tells_its_state)
{
    char hex[512];
    struct probe *p = probe_create(TRANSPORT_UDP);
    snprintf(hex, sizeof hex, "%.*s%s", (int)strlen(identity_reply) - 2, identity_reply,
             states[_i].state);
    probe_hex(p, &dissector_enip, false, hex);
    ck_assert_str_eq(probe_event(p, 0)->detail, states[_i].detail);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(broadcast_discovers)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    p->flow.server.ip = (struct address){ADDRESS_IP4, {255, 255, 255, 255}};
    probe_hex(p, &dissector_enip, true, HEAD("6300", "0000", "00000000", "00000000"));
    ck_assert_str_eq(probe_event(p, 0)->operation, "discover");
    ck_assert_uint_eq(probe_event(p, 0)->flags, OT_BROADCAST);
    probe_destroy(p);
}
END_TEST

START_TEST(service_name_is_told)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_enip, false,
              HEAD("0400", "1a00", "00000000", "00000000") "0100" "00011400" "0100" "2001"
              "436f6d6d756e69636174696f6e730000");
    ck_assert_str_eq(probe_event(p, 0)->detail, "Communications");
    probe_destroy(p);
}
END_TEST

/* --- matching --- */

#define UNIT(id, length, item, body)                                                               \
    "7000" length "01020304" "00000000" ZERO8 "00000000" ITEMS "0200" "a1000400" id "b100" item body
#define READ_A "4c029101" "4100" "0100" /* tag A */
#define READ_B "4c029101" "4200" "0100"

START_TEST(connections_with_equal_counts_are_told_apart)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    /* first pair the ids: sequence counts differ */
    probe_hex(p, &dissector_enip, true, UNIT("11111111", "1e00", "0a00", "0100" READ_A));
    probe_hex(p, &dissector_enip, false, UNIT("a1a1a1a1", "1e00", "0a00", "0100cc000000c2000500"));
    probe_hex(p, &dissector_enip, true, UNIT("22222222", "1e00", "0a00", "0200" READ_B));
    probe_hex(p, &dissector_enip, false, UNIT("b2b2b2b2", "1e00", "0a00", "0200cc000000c2000600"));
    /* then both ask with the same count, and the later one is answered first */
    probe_hex(p, &dissector_enip, true, UNIT("11111111", "1e00", "0a00", "0900" READ_A));
    probe_hex(p, &dissector_enip, true, UNIT("22222222", "1e00", "0a00", "0900" READ_B));
    probe_clear(p);
    probe_hex(p, &dissector_enip, false, UNIT("b2b2b2b2", "1e00", "0a00", "0900cc000000c2000700"));
    probe_hex(p, &dissector_enip, false, UNIT("a1a1a1a1", "1e00", "0a00", "0900cc000000c2000800"));
    ck_assert_str_eq(probe_event(p, 0)->items, "B=7");
    ck_assert_str_eq(probe_event(p, 1)->items, "A=8");
    probe_destroy(p);
}
END_TEST

START_TEST(unconnected_is_matched_by_context)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    probe_hex(p, &dissector_enip, true, RR("1800", ITEMS "0200" "00000000" "b2000800" READ_A));
    probe_hex(p, &dissector_enip, false,
              RR("1700", ITEMS "0200" "00000000" "b2000700" "cc000000c20005"));
    ck_assert_uint_eq(p->event_count, 2);
    ck_assert_str_eq(probe_event(p, 1)->items, "A=5");
    ck_assert_uint_eq(probe_event(p, 1)->transaction, 0x3837363534333231);
    probe_destroy(p);
}
END_TEST

START_TEST(roles_are_learned)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    p->flow.is_start_seen = p->flow.is_role_known = false;
    probe_hex(p, &dissector_enip, false, HEAD("6500", "0400", "00000000", "00000000") "01000000");
    ck_assert_str_eq(probe_event(p, 0)->direction, "request");
    probe_destroy(p);
}
END_TEST

/* --- framing --- */

static uint8_t good[128];
static size_t good_size;

static void make_good(void)
{
    good_size = hex_bytes(good, sizeof good, RR("1800", ITEMS "0200" "00000000" "b2000800" READ_A));
}

START_TEST(every_prefix_asks_for_more)
{
    make_good();
    for (size_t n = 0; n < good_size; n++) {
        struct frame f = probe_frame(&dissector_enip, good, n);
        ck_assert_msg(f.verdict == FRAME_NEED && f.size > n, "prefix of %zu", n);
        enum claim c = probe_recognise(&dissector_enip, good, n);
        ck_assert_msg(c != CLAIM_NO, "prefix of %zu not recognised", n);
    }
    ck_assert_uint_eq(probe_frame(&dissector_enip, good, good_size).size, good_size);
    ck_assert_int_eq(probe_recognise(&dissector_enip, good, good_size), CLAIM_YES);
}
END_TEST

START_TEST(split_anywhere_it_is_the_same)
{
    make_good();
    for (size_t n = 1; n < good_size; n++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        probe_stream(p, &dissector_enip, true, good, n);
        probe_stream(p, &dissector_enip, true, good + n, good_size - n);
        ck_assert_msg(p->event_count == 1 && p->pdu_count == 1, "split at %zu", n);
        ck_assert_str_eq(probe_event(p, 0)->items, "A");
        probe_destroy(p);
    }
}
END_TEST

struct claim_row {
    const char *shows, *hex;
    enum claim claim;
};

/* clang-format off: version 14 crashes on strings made of macros */
static const struct claim_row claims[] = {
    {"RegisterSession", HEAD("6500", "0400", "00000000", "00000000") "01000000", CLAIM_YES},
    {"ListIdentity", HEAD("6300", "0000", "00000000", "00000000"), CLAIM_YES},
    {"24 zeroes may be anything", ZERO8 ZERO8 ZERO8, CLAIM_MORE},
    {"a NOP before a session", ZERO8 ZERO8 ZERO8 HEAD("6500", "0400", "00000000", "00000000") "01000000", CLAIM_YES},
    {"a listing in a session", HEAD("6300", "0000", "01020304", "00000000"), CLAIM_NO},
    {"identity reply", HEAD("6300", "3300", "00000000", "00000000") "0100" "0c002d00", CLAIM_YES},
    {"a listing of an unknown item", HEAD("6300", "3300", "00000000", "00000000") "0100" "0d002d00", CLAIM_NO},
    {"a listing whose item does not fit", HEAD("6300", "0800", "00000000", "00000000") "0100" "0c002d00", CLAIM_NO},
    {"another interface", HEAD("6f00", "1000", "01020304", "00000000") "01000000" "0000" "0200", CLAIM_NO},
    {"DCE/RPC over UDP", "0400280010000000" "0000a0de976cd111827100a02442df7d" "0100a0de976cd111827100a02442df7d", CLAIM_NO},
    {"SMB", "00000085ff534d4272000000001853c8" "0000000000000000", CLAIM_NO},
    {"RegisterSession of another length", HEAD("6500", "0500", "00000000", "00000000"), CLAIM_NO},
    {"unknown command", HEAD("6700", "0000", "00000000", "00000000"), CLAIM_NO},
    {"options set", "6500" "0400" "00000000" "00000000" CONTEXT "09000000" "01000000", CLAIM_WEAK},
    {"HTTP", "474554202f20485454502f312e310d0a0d0a0d0a0d0a0d0a0d0a", CLAIM_NO},
    {"TLS", "1603010200010001fc0303000000000000000000000000000000", CLAIM_NO},
    {"Modbus", "000100000006010300000001000200000006010300000001", CLAIM_NO},
};
/* clang-format on */

START_TEST(recognised)
{
    uint8_t bytes[128];
    size_t size = hex_bytes(bytes, sizeof bytes, claims[_i].hex);
    ck_assert_msg(probe_recognise(&dissector_enip, bytes, size) == claims[_i].claim, "%s",
                  claims[_i].shows);
}
END_TEST

START_TEST(unknown_command_is_broken)
{
    uint8_t bytes[64];
    size_t size = hex_bytes(bytes, sizeof bytes, HEAD("6700", "0000", "00000000", "00000000"));
    struct frame f = probe_frame(&dissector_enip, bytes, size);
    ck_assert_int_eq(f.verdict, FRAME_BROKEN);
    ck_assert_int_eq(f.kind, VIOLATION_FUNCTION);
    size = hex_bytes(bytes, sizeof bytes, HEAD("0400", "e7ff", "00000000", "00000000"));
    ck_assert_int_eq(probe_frame(&dissector_enip, bytes, size).verdict, FRAME_NEED);
    size = hex_bytes(bytes, sizeof bytes, HEAD("0400", "e8ff", "00000000", "00000000"));
    ck_assert_int_eq(probe_frame(&dissector_enip, bytes, size).verdict, FRAME_BROKEN);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("enip");
    TCase *tc = tcase_create("enip");
    tcase_add_loop_test(tc, commands_and_statuses, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(tc, violations, 0, sizeof wrongs / sizeof *wrongs);
    tcase_add_loop_test(tc, recognised, 0, sizeof claims / sizeof *claims);
    tcase_add_test(tc, identity_becomes_facts);
    tcase_add_loop_test(tc, a_device_tells_its_state, 0, sizeof states / sizeof *states);
    tcase_add_test(tc, broadcast_discovers);
    tcase_add_test(tc, service_name_is_told);
    tcase_add_test(tc, connections_with_equal_counts_are_told_apart);
    tcase_add_test(tc, unconnected_is_matched_by_context);
    tcase_add_test(tc, roles_are_learned);
    tcase_add_test(tc, every_prefix_asks_for_more);
    tcase_add_test(tc, split_anywhere_it_is_the_same);
    tcase_add_test(tc, unknown_command_is_broken);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
