/* test_dhcpv6.c: DHCP for IPv6, held against RFC 8415 8, 9 and 21 and RFC 4704. */
#include "support/dissect_probe.h"
#include "support/runner.h"

#include <string.h>

extern const struct dissector dissector_dhcpv6;

#define CLIENT "0001 000a 0003 0001 020000000007 "
#define ADDRESS                                                                                    \
    "0003 0028 00000001 00000000 00000000 0005 0018 20010db8000000000000000000000063"              \
    "00000e10 00001c20 "
#define LINK "00 00000000000000000000000000000000 fe800000000000000000000000000007 "

static const struct row {
    const char *shows, *hex, *code, *name, *direction, *items, *facts, *status;
} rows[] = {
    {"solicit",                            "01 000009" CLIENT,                               "1",  "solicit",             "request",  "",             "",                                            ""  },
    {"request",                            "03 000009" CLIENT,                               "3",  "request",             "request",  "",             "",                                            ""  },
    {"confirm",                            "04 000009" CLIENT,                               "4",  "confirm",             "request",  "",             "",                                            ""  },
    {"renew",                              "05 000009" CLIENT,                               "5",  "renew",               "request",  "",             "",                                            ""  },
    {"rebind",                             "06 000009" CLIENT,                               "6",  "rebind",              "request",  "",             "",                                            ""  },
    {"release",                            "08 000009" CLIENT,                               "8",  "release",             "request",  "",             "",                                            ""  },
    {"decline",                            "09 000009" CLIENT,                               "9",  "decline",             "request",  "",             "",                                            ""  },
    {"information request",                "0b 000009" CLIENT,                               "11", "information_request", "request",  "",             "",                                            ""  },
    {"reconfigure",                        "0a 000009" CLIENT,                               "10", "reconfigure",         "response", "",             "",                                            ""  },
    {"advertise",                          "02 000009" CLIENT ADDRESS,                       "2",  "advertise",           "response", "2001:db8::63", "",                                            ""  },
    {"reply: it has it",                   "07 000009" CLIENT ADDRESS,                       "7",  "reply",               "response", "2001:db8::63",
     "~ip=2001:db8::63",                                                                                                                                                                             ""  },
    {"refused",                            "07 000009" CLIENT "000d 0002 0002",              "7",  "reply",               "response", "",             "",
     "error 2 no_addresses"                                                                                                                                                                              },
    {"accepted",                           "07 000009" CLIENT "000d 0002 0000",              "7",  "reply",               "response", "",             "",                                            "ok"},
    {"name and system",
     "01 000009" CLIENT "0027 0006 00 03686d69 00 0010 000e 00000137 0008 4d53465420352e30", "1",
     "solicit",                                                                                                           "request",  "",             "host_name=hmi; os=Windows; comment=MSFT 5.0", ""  },
    {"a client known by time and address",
     "01 000009 0001 000e 0001 0001 00000000 020000000007 0027 0005 00 03686d69",            "1",  "solicit",
     "request",                                                                                                                       "",             "host_name=hmi",                               ""  },
    {"relayed",                            "0c" LINK "0009 0012 01 000009" CLIENT,           "1",  "solicit",             "request",  "",             "",                                            ""  },
    {"relayed back",                       "0d" LINK "0009 0012 02 000009" CLIENT,           "2",  "advertise",           "response", "",             "",
     ""                                                                                                                                                                                                  },
};

START_TEST(messages)
{
    const struct row *row = &rows[_i];
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, &dissector_dhcpv6, row->direction[2] == 'q', row->hex);
    ck_assert_msg(p->event_count == 1 && p->violation_count == 0, "%s", row->shows);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->code, row->code);
    ck_assert_str_eq(e->name, row->name);
    ck_assert_str_eq(e->direction, row->direction);
    ck_assert_uint_eq(e->transaction, 9);
    ck_assert_msg(strcmp(e->items, row->items) == 0, "%s: %s", row->shows, e->items);
    ck_assert_msg(strcmp(e->facts, row->facts) == 0, "%s: %s", row->shows, e->facts);
    ck_assert_msg(strcmp(e->status, row->status) == 0, "%s: %s", row->shows, e->status);
    probe_destroy(p);
}
END_TEST

static const struct claim_row {
    const char *shows, *hex;
    enum claim claim;
    bool is_broken; /* as a message */
} claim_rows[] = {
    {"a message",                "01 000009" CLIENT,                           CLAIM_WEAK, false},
    {"an option longer than it", "01 000009 0001 000b 0003 0001 020000000007", CLAIM_NO,   true },
    {"half an option",           "01 000009" CLIENT "0001",                    CLAIM_NO,   true },
    {"type 0",                   "00 000009" CLIENT,                           CLAIM_NO,   true },
    {"type 14",                  "0e 000009" CLIENT,                           CLAIM_NO,   true },
    {"no option",                "01 000009",                                  CLAIM_NO,   false},
    {"a relay cut short",        "0c 00 0000",                                 CLAIM_NO,   true },
};

START_TEST(recognised)
{
    const struct claim_row *row = &claim_rows[_i];
    uint8_t bytes[128];
    size_t size = hex_bytes(bytes, sizeof bytes, row->hex);
    ck_assert_msg(probe_recognise(&dissector_dhcpv6, bytes, size) == row->claim, "%s", row->shows);
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_feed(p, &dissector_dhcpv6, true, bytes, size);
    ck_assert_msg((p->violation_count > 0) == row->is_broken, "%s", row->shows);
    probe_destroy(p);
}
END_TEST

/* Relays in relays end. */
START_TEST(relays_have_a_depth)
{
    uint8_t bytes[64 * 38];
    size_t size = 0;
    for (size_t i = 64; i-- > 0; size += 38) {
        memset(bytes + size, 0, 38);
        bytes[size] = 12;
        bytes[size + 35] = 9;
        bytes[size + 36] = (uint8_t)(i * 38 >> 8);
        bytes[size + 37] = (uint8_t)(i * 38);
    }
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_feed(p, &dissector_dhcpv6, true, bytes, size);
    ck_assert_uint_eq(p->event_count, 1);
    ck_assert_str_eq(probe_event(p, 0)->name, "relay_forward");
    probe_destroy(p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("dhcpv6");
    TCase *c = tcase_create("dhcpv6");
    tcase_add_loop_test(c, messages, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(c, recognised, 0, sizeof claim_rows / sizeof *claim_rows);
    tcase_add_test(c, relays_have_a_depth);
    suite_add_tcase(s, c);
    return run_suite(s);
}
