/* test_dhcp.c: DHCP and BOOTP, held against RFC 2131, RFC 2132, RFC 3046 and RFC 4702. */
#include "support/dissect_probe.h"
#include "support/runner.h"

#include <stdio.h>
#include <string.h>

extern const struct dissector dissector_dhcp;

#define COOKIE  "63825363 "
#define ZEROS16 "00000000000000000000000000000000"
#define ZEROS64 ZEROS16 ZEROS16 ZEROS16 ZEROS16
/* op, Ethernet, transaction 9, your address; client 02:00:00:00:00:07 */
#define HEAD(op, yours)                                                                            \
    op "010600 00000009 0000 0000 00000000" yours "00000000 00000000 020000000007"                 \
       "00000000000000000000"
#define ASK    HEAD("01", "00000000") ZEROS64 ZEROS64 ZEROS64
#define ANSWER HEAD("02", "0a000063") ZEROS64 ZEROS64 ZEROS64

/* clang-format off: version 14 crashes on strings made of macros */
static const struct row {
    const char *shows, *hex, *code, *name, *items, *facts, *status, *detail;
} rows[] = {
    {"discover",                   ASK COOKIE "350101 ff", "1", "discover", "", "", "", ""},
    {"request",                    ASK COOKIE "350103 ff", "3", "request", "", "", "", ""},
    {"decline",                    ASK COOKIE "350104 ff", "4", "decline", "", "", "", ""},
    {"release",                    ASK COOKIE "350107 ff", "7", "release", "", "", "", ""},
    {"inform",                     ASK COOKIE "350108 ff", "8", "inform", "", "", "", ""},
    {"padding between options",    ASK COOKIE "00 350101 0000 ff", "1", "discover", "", "", "", ""},
    {"without an end",             ASK COOKIE "350101", "1", "discover", "", "", "", ""},
    {"the host's name",            ASK COOKIE "350101 0c03 686d69 ff", "1", "discover", "",
     "host_name=hmi", "", ""},
    {"its name in letters",        ASK COOKIE "350103 5108 00 0000 686d692e61 ff", "3", "request", "",
     "host_name=hmi.a", "", ""},
    {"its name in labels",         ASK COOKIE "350103 510a 04 0000 03686d69 0161 00 ff", "3",
     "request", "", "host_name=hmi.a", "", ""},
    {"the system of a vendor class",
     ASK COOKIE "350101 3c08 4d53465420352e30 ff", "1", "discover", "",
     "os=Windows; comment=MSFT 5.0", "", ""},
    {"a class that names its system",
     ASK COOKIE "350101 3c07 612d4c696e7578 ff", "1", "discover", "",
     "os=Linux; comment=a-Linux", "", ""},
    {"a class of a device",        ASK COOKIE "350101 3c03 706c63 ff", "1", "discover", "",
     "comment=plc", "", ""},
    {"what it asks for",           ASK COOKIE "350101 3704 0103061f ff", "1", "discover", "", "", "",
     "asks for 1,3,6,31"},
    {"an id of its own",           ASK COOKIE "350101 3d05 ff00000102 ff", "1", "discover", "", "", "",
     "client ff00000102"},
    {"an id that is a name",       ASK COOKIE "350101 3d05 00 706c6331 3701 01 ff", "1", "discover", "",
     "", "", "client plc1, asks for 1"},
    {"an id that is its address",  ASK COOKIE "350101 3d07 01 020000000007 ff", "1", "discover", "", "",
     "", ""},
    {"an id that is another address", ASK COOKIE "350101 3d07 01 020000000008 ff", "1", "discover", "",
     "", "", "client 01020000000008"},
    {"an empty id",                ASK COOKIE "350101 3d00 3700 ff", "1", "discover", "", "", "", ""},
    {"where the relay has it",
     ASK COOKIE "350101 5208 0102 7031 0202 7331 ff", "1", "discover", "", "switch_port=s1 p1", "", ""},
    {"a relay's free bytes are no text",
     ASK COOKIE "350101 5204 0102 0001 ff", "1", "discover", "", "", "", ""},
    {"options in the fields of old (3: file and name)",
     HEAD("01", "00000000") "0c0361626300000000000000000000ff" ZEROS16 ZEROS16 ZEROS16
                            "3c03706c63ff00000000000000000000" ZEROS16 ZEROS16 ZEROS16 ZEROS64
                            COOKIE "350101 340103 ff",
     "1", "discover", "", "host_name=abc; comment=plc", "", ""},
    {"offer",                      ANSWER COOKIE "350102 3604 0a000001 0304 0a0000fe 0604 0a000035 ff",
     "2", "offer", "10.0.0.99", "", "ok",
     "address 10.0.0.99, server 10.0.0.1, router 10.0.0.254, DNS 10.0.0.53"},
    {"acknowledge: it has the address", ANSWER COOKIE "350105 3604 0a000001 ff", "5", "ack",
     "10.0.0.99", "ip=10.0.0.99", "ok", "address 10.0.0.99, server 10.0.0.1"},
    {"a class sent back is not the client's",
     ANSWER COOKIE "350105 3c03 706c63 ff", "5", "ack", "10.0.0.99", "ip=10.0.0.99", "ok",
     "address 10.0.0.99"},
    {"refused",
     HEAD("02", "00000000") ZEROS64 ZEROS64 ZEROS64 COOKIE "350106 ff", "6", "nak", "", "",
     "error 6 refused", ""},
    {"BOOTP asks",                 ASK, "bootp", "bootp", "", "", "", ""},
    {"BOOTP answers",              ANSWER, "bootp", "bootp", "10.0.0.99", "", "ok",
     "address 10.0.0.99"},
};

START_TEST(messages)
{
    const struct row *row = &rows[_i];
    bool is_ask = row->hex[1] == '1';
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_dhcp, is_ask, row->hex);
    ck_assert_msg(p->event_count == 1 && p->violation_count == 0, "%s", row->shows);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->code, row->code);
    ck_assert_str_eq(e->name, row->name);
    ck_assert_str_eq(e->direction, is_ask ? "request" : "response");
    ck_assert_str_eq(e->operation, "netmgmt");
    ck_assert_uint_eq(e->transaction, 9);
    ck_assert_msg(strcmp(e->items, row->items) == 0, "%s: %s", row->shows, e->items);
    ck_assert_msg(strcmp(e->facts, row->facts) == 0, "%s: %s", row->shows, e->facts);
    ck_assert_msg(strcmp(e->status, row->status) == 0, "%s: %s", row->shows, e->status);
    ck_assert_msg(strcmp(e->detail, row->detail) == 0, "%s: %s", row->shows, e->detail);
    probe_destroy(p);
}
END_TEST

static const struct bad_row {
    const char *shows, *hex;
    enum violation_kind kind;
    size_t events;
} bad_rows[] = {
    {"an option longer than its datagram", ASK COOKIE "350101 0c09 686d69",  VIOLATION_LENGTH,   1},
    {"an option without a length",         ASK COOKIE "350101 0c",           VIOLATION_LENGTH,   1},
    {"an empty message type at the end",   ASK COOKIE "3500",                VIOLATION_LENGTH,   1},
    {"a type of no message",               ASK COOKIE "35010b ff",           VIOLATION_FUNCTION, 1},
    {"type 0",                             ASK COOKIE "350100 ff",           VIOLATION_FUNCTION, 1},
    {"an address of 17 bytes",
     "01011100 00000009 0000 0000 00000000 00000000 00000000 00000000" ZEROS16 ZEROS64 ZEROS64 ZEROS64
         COOKIE "350101 ff",
     VIOLATION_LENGTH,                                                                           1},
    {"neither asked nor answered",         HEAD("03", "00000000") ZEROS64 ZEROS64 ZEROS64,
     VIOLATION_LENGTH,                                                                           0},
    {"cut inside its header",              HEAD("01", "00000000") ZEROS64,   VIOLATION_LENGTH,   0},
};

START_TEST(wrong_messages_are_told)
{
    const struct bad_row *row = &bad_rows[_i];
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_dhcp, true, row->hex);
    ck_assert_msg(p->event_count == row->events && probe_has_violation(p, row->kind), "%s",
                  row->shows);
    probe_destroy(p);
}
END_TEST

static const struct claim_row {
    const char *shows, *hex;
    enum claim claim;
} claim_rows[] = {
    {"a cookie",                     ASK COOKIE,                                          CLAIM_YES },
    {"BOOTP of 300 bytes",           ASK ZEROS64,                                         CLAIM_WEAK},
    {"the same, longer",             ASK ZEROS64 "00",                                    CLAIM_NO  },
    {"op 3",                         HEAD("03", "00000000") ZEROS64 ZEROS64 ZEROS64 COOKIE, CLAIM_NO},
    {"cut before the cookie",        ASK,                                                 CLAIM_NO  },
    {"nothing",                      "",                                                  CLAIM_NO  },
};
/* clang-format on */

START_TEST(recognised)
{
    const struct claim_row *row = &claim_rows[_i];
    uint8_t bytes[400];
    size_t size = hex_bytes(bytes, sizeof bytes, row->hex);
    ck_assert_msg(probe_recognise(&dissector_dhcp, bytes, size) == row->claim, "%s", row->shows);
}
END_TEST

START_TEST(every_prefix_is_safe)
{
    uint8_t bytes[400];
    size_t size = hex_bytes(bytes, sizeof bytes, rows[9].hex);
    for (size_t i = 0; i < size; i++) {
        struct probe *p = probe_create(TRANSPORT_UDP);
        probe_feed(p, &dissector_dhcp, true, bytes, i);
        ck_assert_msg(p->event_count == (i >= 236), "%zu bytes", i);
        probe_destroy(p);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("dhcp");
    TCase *c = tcase_create("dhcp");
    tcase_add_loop_test(c, messages, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(c, wrong_messages_are_told, 0, sizeof bad_rows / sizeof *bad_rows);
    tcase_add_loop_test(c, recognised, 0, sizeof claim_rows / sizeof *claim_rows);
    tcase_add_test(c, every_prefix_is_safe);
    suite_add_tcase(s, c);
    return run_suite(s);
}
