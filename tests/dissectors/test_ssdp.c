/* test_ssdp.c: SSDP, held against the messages of the UPnP Device Architecture. */
#include "support/dissect_probe.h"
#include "support/runner.h"

#include <string.h>

extern const struct dissector dissector_ssdp;

#define LINE      "\r\n"
#define TYPE      "urn:schemas-upnp-org:device:InternetGatewayDevice:1"
#define NAME      "uuid:1::" TYPE
#define WHERE     "LOCATION: http://10.0.0.1:1900/rootDesc.xml" LINE
#define SOFTWARE  "SERVER: Wireless N Router WR745N, UPnP/1.0" LINE
#define NOTIFY    "NOTIFY * HTTP/1.1" LINE "HOST: 239.255.255.250:1900" LINE
#define SAYS(nts) NOTIFY "NT: " TYPE LINE "NTS: " nts LINE "USN: " NAME LINE WHERE SOFTWARE LINE
#define GATEWAY                                                                                    \
    "device_type=InternetGatewayDevice; software_version=Wireless N Router WR745N, UPnP/1.0; "     \
    "url=http://10.0.0.1:1900/rootDesc.xml"
#define SEARCH(st)                                                                                 \
    "M-SEARCH * HTTP/1.1" LINE "HOST: 239.255.255.250:1900" LINE "MAN: \"ssdp:discover\"" LINE     \
    "MX: 1" LINE "ST: " st LINE LINE
#define ANSWER                                                                                     \
    "HTTP/1.1 200 OK" LINE "CACHE-CONTROL: max-age=120" LINE "ST: " TYPE LINE "USN: " NAME LINE    \
    "EXT:" LINE SOFTWARE WHERE LINE

static const struct row {
    const char *shows, *message, *code, *name, *operation, *direction, *items, *facts;
} rows[] = {
    {"a gateway is there",           SAYS("ssdp:alive"),                                           "notify",   "alive",  "publish",  "oneway",   NAME,
     GATEWAY                                                                                                                                                                     },
    {"it changes",                   SAYS("ssdp:update"),                                          "notify",   "update", "publish",  "oneway",   NAME,       GATEWAY             },
    {"it leaves",                    SAYS("ssdp:byebye"),                                          "notify",   "byebye", "publish",  "oneway",   NAME,       ""                  },
    {"looking for all",              SEARCH("ssdp:all"),                                           "m_search", "search", "discover", "request",  "ssdp:all",
     ""                                                                                                                                                                          },
    {"looking for gateways",         SEARCH(TYPE),                                                 "m_search", "search", "discover", "request",  TYPE,       ""                  },
    {"a gateway answers",            ANSWER,                                                       "response", "found",  "discover", "response", NAME,       GATEWAY             },
    {"names in any case, no blanks",
     "notify * http/1.1\nnts:ssdp:alive\nnt:upnp:rootdevice\nserver:x\n\n",                        "notify",   "alive",
     "publish",                                                                                                                      "oneway",   "",         "software_version=x"},
    {"a service is no device",
     NOTIFY "NT: urn:schemas-upnp-org:service:WANIPConnection:1" LINE "NTS: ssdp:alive" LINE LINE,
     "notify",                                                                                                 "alive",  "publish",  "oneway",   "",         ""                  },
    {"what is not text is not told",
     NOTIFY "NTS: ssdp:alive" LINE "SERVER: a\x01"
            "b" LINE LINE,
     "notify",                                                                                                 "alive",  "publish",  "oneway",   "",         ""                  },
};

START_TEST(messages)
{
    const struct row *row = &rows[_i];
    size_t size = strlen(row->message);
    ck_assert_int_eq(probe_recognise(&dissector_ssdp, row->message, size), CLAIM_YES);
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_feed(p, &dissector_ssdp, true, row->message, size);
    ck_assert_msg(p->event_count == 1 && p->violation_count == 0, "%s", row->shows);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->code, row->code);
    ck_assert_str_eq(e->name, row->name);
    ck_assert_str_eq(e->operation, row->operation);
    ck_assert_str_eq(e->direction, row->direction);
    ck_assert_msg(strcmp(e->items, row->items) == 0, "%s: %s", row->shows, e->items);
    ck_assert_msg(strcmp(e->facts, row->facts) == 0, "%s: %s", row->shows, e->facts);
    for (size_t n = 0; n < size; n++) /* cut anywhere: what is there, and nothing behind it */
        probe_feed(p, &dissector_ssdp, true, row->message, n);
    probe_destroy(p);
}
END_TEST

static const struct {
    const char *message, *why;
} bad_rows[] = {
    {NOTIFY "NTS: ssdp:shout" LINE LINE,     "SSDP notification is not defined"},
    {NOTIFY LINE,                            "SSDP notification is not defined"},
    {NOTIFY "NTS: ssdp:alive" LINE,          "SSDP message without its end"    },
    {"M-SEARCH * HTTP/1.1" LINE "ST: ssdp:", "SSDP message without its end"    },
};

START_TEST(what_is_wrong_is_told)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_feed(p, &dissector_ssdp, true, bad_rows[_i].message, strlen(bad_rows[_i].message));
    ck_assert_uint_eq(p->event_count, 1);
    ck_assert_uint_eq(p->violation_count, 1);
    ck_assert_str_eq(probe_violation(p, 0)->why, bad_rows[_i].why);
    probe_destroy(p);
}
END_TEST

START_TEST(other_texts_are_not_ours)
{
    static const char *const others[] = {"",
                                         "NOTIFY",
                                         "NOTIFY sip:a SIP/2.0" LINE,
                                         "GET / HTTP/1.1" LINE LINE,
                                         "HTTP/1.1 200 OK" LINE LINE,
                                         "HTTP/1.1 200 OK" LINE "ST: " TYPE LINE LINE,
                                         "HTTP/1.1 404 Not Found" LINE "ST: " TYPE LINE
                                         "USN: " NAME LINE LINE};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert_int_eq(probe_recognise(&dissector_ssdp, others[i], strlen(others[i])), CLAIM_NO);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ssdp");
    TCase *c = tcase_create("ssdp");
    tcase_add_loop_test(c, messages, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(c, what_is_wrong_is_told, 0, sizeof bad_rows / sizeof *bad_rows);
    tcase_add_test(c, other_texts_are_not_ours);
    suite_add_tcase(s, c);
    return run_suite(s);
}
