/* test_ws_discovery.c: WS-Discovery, held against the examples of its specification and ONVIF's. */
#include "support/dissect_probe.h"
#include "support/runner.h"

#include <string.h>

extern const struct dissector dissector_ws_discovery;

#define SPACE "http://schemas.xmlsoap.org/ws/2005/04/discovery"
#define ENVELOPE(action, body)                                                                     \
    "<?xml version=\"1.0\"?>\n<s:Envelope xmlns:d=\"" SPACE "\"><s:Header><a:Action "              \
    "s:mustUnderstand=\"true\">" SPACE "/" action "</a:Action></s:Header><s:Body>" body            \
    "</s:Body></s:Envelope>"
#define ADDRESS "<a:EndpointReference><a:Address>urn:uuid:1</a:Address></a:EndpointReference>"
#define CAMERA                                                                                     \
    ADDRESS "<d:Types>tds:Device dn:NetworkVideoTransmitter</d:Types><d:Scopes>"                   \
            "onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/hardware/M1011 "       \
            "onvif://www.onvif.org/name/AXIS%20M1011 onvif://www.onvif.org/location/hall\n"        \
            "</d:Scopes><d:XAddrs>http://10.0.0.9/onvif http://[fe80::9]/onvif</d:XAddrs>"
#define CAMERA_SAYS                                                                                \
    "device_type=NetworkVideoTransmitter; product=M1011; name=AXIS M1011; location=hall; "         \
    "url=http://10.0.0.9/onvif"

static const struct row {
    const char *shows, *xml, *code, *operation, *direction, *items, *facts;
} rows[] = {
    {"looking for cameras",
     ENVELOPE("Probe",                                                                                "<d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe>"), "probe",
     "discover",                                                                                                                                                                                        "request",    "dn:NetworkVideoTransmitter", ""                    },
    {"looking for all",         ENVELOPE("Probe",                                                     "<d:Probe/>"),                                                       "probe",         "discover", "request",    "",                           ""                    },
    {"a camera answers",        ENVELOPE("ProbeMatches",                                              CAMERA),                                                             "probe_matches", "discover", "response",
     "urn:uuid:1",                                                                                                                                                                                                                                  CAMERA_SAYS           },
    {"a camera begins",         ENVELOPE("Hello",                                                     CAMERA),                                                             "hello",         "publish",  "oneway",     "urn:uuid:1",
     CAMERA_SAYS                                                                                                                                                                                                                                                          },
    {"it leaves",               ENVELOPE("Bye",                                                       ADDRESS),                                                            "bye",           "publish",  "oneway",     "urn:uuid:1",                 ""                    },
    {"where is it",             ENVELOPE("Resolve",                                                   ADDRESS),                                                            "resolve",       "discover", "request",    "urn:uuid:1",
     ""                                                                                                                                                                                                                                                                   },
    {"there",                   ENVELOPE("ResolveMatches",                                            ADDRESS "<d:XAddrs>http://10.0.0.9/</d:XAddrs>"),
     "resolve_matches",                                                                                                                                                                     "discover", "response",   "urn:uuid:1",                 "url=http://10.0.0.9/"},
    {"a computer",              ENVELOPE("Hello",                                                     ADDRESS "<d:Types>wsdp:Device pub:Computer</d:Types>"),
     "hello",                                                                                                                                                                               "publish",  "oneway",     "urn:uuid:1",                 "device_type=Computer"},
    {"another prefix, or none",
     "<Envelope xmlns=\"http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01\"><Action>http://docs"
     ".oasis-open.org/ws-dd/ns/discovery/2009/01/Hello</Action><Address>urn:x</Address>",             "hello",                                                             "publish",       "oneway",   "urn:x",      ""                          },
    {"empty elements",         ENVELOPE("Hello",                          ADDRESS "<d:Types/><d:Scopes/><d:XAddrs/>"),                                                             "hello",
     "publish",                                                                                                                                                                               "oneway", "urn:uuid:1",                           ""                      },
    {"a name that is not text",
     ENVELOPE("Hello",             ADDRESS "<d:Scopes>onvif://www.onvif.org/name/%00%01</d:Scopes>"),                                                             "hello",
     "publish",                                                                                                                                                                               "oneway", "urn:uuid:1",                           ""},
    {"half a code",
     ENVELOPE("Hello", ADDRESS "<d:Scopes>onvif://www.onvif.org/name/a%4 "
                               "onvif://www.onvif.org/hardware/b%</d:Scopes>"),
     "hello",                                                                                                                                                                    "publish",   "oneway", "urn:uuid:1",       "name=a%4; product=b%"                      },
};

START_TEST(messages)
{
    const struct row *row = &rows[_i];
    size_t size = strlen(row->xml);
    ck_assert_int_eq(probe_recognise(&dissector_ws_discovery, row->xml, size), CLAIM_YES);
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_feed(p, &dissector_ws_discovery, true, row->xml, size);
    ck_assert_msg(p->event_count == 1 && p->violation_count == 0, "%s", row->shows);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->code, row->code);
    ck_assert_str_eq(e->operation, row->operation);
    ck_assert_str_eq(e->direction, row->direction);
    ck_assert_msg(strcmp(e->items, row->items) == 0, "%s: %s", row->shows, e->items);
    ck_assert_msg(strcmp(e->facts, row->facts) == 0, "%s: %s", row->shows, e->facts);
    for (size_t n = 0; n < size; n++) /* cut anywhere: what is there, and nothing behind it */
        probe_feed(p, &dissector_ws_discovery, true, row->xml, n);
    probe_destroy(p);
}
END_TEST

START_TEST(an_action_that_is_not_defined_is_told)
{
    static const char xml[] = ENVELOPE("Shout", ADDRESS);
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_feed(p, &dissector_ws_discovery, true, xml, sizeof xml - 1);
    ck_assert_str_eq(probe_violation(p, 0)->why, "WS-Discovery action is not defined");
    ck_assert_str_eq(probe_event(p, 0)->code, "unknown");
    ck_assert_str_eq(probe_event(p, 0)->operation, "unknown");
    probe_destroy(p);
}
END_TEST

START_TEST(other_texts_are_not_ours)
{
    static const char *const others[] = {"", "<", "<?xml version=\"1.0\"?><a/>",
                                         "M-SEARCH * HTTP/1.1", ("x" SPACE)};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert_int_eq(probe_recognise(&dissector_ws_discovery, others[i], strlen(others[i])),
                         CLAIM_NO);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ws_discovery");
    TCase *c = tcase_create("ws_discovery");
    tcase_add_loop_test(c, messages, 0, sizeof rows / sizeof *rows);
    tcase_add_test(c, an_action_that_is_not_defined_is_told);
    tcase_add_test(c, other_texts_are_not_ours);
    suite_add_tcase(s, c);
    return run_suite(s);
}
