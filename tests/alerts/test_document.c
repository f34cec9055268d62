/* test_document.c: the plain sentence of an alert, and what its document says. */
#include "alerts/document.h"
#include "findings.h"

#include <jansson.h>
#include <stdio.h>

/* A made-up inventory: what is known of the actor and the target. */
struct known {
    const char *actor_name;
    bool is_actor_new;
    const char *target_name, *target_model;
    bool is_target_controller;
};

static bool describe(const struct inventory *inventory, uint32_t segment,
                     const struct endpoint *host_asked, struct asset_brief *brief)
{
    const struct known *known = (const void *)inventory;
    struct endpoint target = host("10.0.0.10", 0);
    bool is_target = address_equal(&host_asked->ip, &target.ip);
    ck_assert_uint_eq(segment, 0);
    *brief = (struct asset_brief){.is_new = !is_target && known->is_actor_new,
                                  .is_controller = is_target && known->is_target_controller};
    text_copy(brief->id, sizeof brief->id, text_of(is_target ? "a-10" : "a-5"));
    text_copy(brief->name, sizeof brief->name,
              text_of(is_target ? known->target_name : known->actor_name));
    text_copy(brief->model, sizeof brief->model, text_of(is_target ? known->target_model : ""));
    return true;
}

static const struct sentence_row {
    const char *shows;
    enum detection detection;
    uint32_t flags;
    const char *what;
    struct known known;
    const char *message;
} sentence_rows[] = {
    {"addresses when nothing is known",
     DETECTION_PLC_STOP,             0,
     "stopped %T",                                 {0},
     "10.0.0.5 stopped 10.0.0.10"                                   },
    {"the sentence of the purpose",
     DETECTION_PLC_PROGRAM_DOWNLOAD, FINDING_ACTOR_NEW,
     "is downloading block OB1, 412 bytes, to %T", {.target_model = "S7-300"},
     "10.0.0.5 (never programmed this PLC before) is downloading block OB1, 412 bytes, to the "
     "S7-300 at 10.0.0.10"                                          },
    {"names with their addresses",
     DETECTION_PLC_STOP,             0,
     "stopped %T",                                 {.actor_name = "HMI-2", .target_name = "PLC-7", .target_model = "S7-300"},
     "HMI-2 (10.0.0.5) stopped PLC-7 (S7-300, 10.0.0.10)"           },
    {"a name alone",
     DETECTION_PLC_STOP,             0,
     "stopped %T",                                 {.target_name = "PLC-7"},
     "10.0.0.5 stopped PLC-7 (10.0.0.10)"                           },
    {"a name that is the address",
     DETECTION_PLC_STOP,             0,
     "stopped %T",                                 {.target_name = "10.0.0.10"},
     "10.0.0.5 stopped 10.0.0.10"                                   },
    {"a controller of which nothing else is known",
     DETECTION_PLC_STOP,             0,
     "stopped %T",                                 {.is_target_controller = true},
     "10.0.0.5 stopped the PLC at 10.0.0.10"                        },
    {"a new device",
     DETECTION_PLC_STOP,             FINDING_ACTOR_NEW,
     "stopped %T",                                 {.is_actor_new = true},
     "10.0.0.5 (new device) stopped 10.0.0.10"                      },
    {"a note and an address share their brackets",
     DETECTION_PLC_STOP,             FINDING_ACTOR_NEW,
     "stopped %T",                                 {.actor_name = "HMI-2", .is_actor_new = true},
     "HMI-2 (10.0.0.5, new device) stopped 10.0.0.10"               },
    {"a known device that does something new",
     DETECTION_PLC_STOP,             FINDING_ACTOR_NEW,
     "stopped %T",                                 {0},
     "10.0.0.5 (never controlled this PLC before) stopped 10.0.0.10"},
    {"no note where the detector gave none",
     DETECTION_ASSET_NEW,            0,
     "appeared",                                   {.is_actor_new = true},
     "10.0.0.5 appeared"                                            },
    {"the target twice",
     DETECTION_PLC_STOP,             0,
     "stopped %T and started %T",                  {0},
     "10.0.0.5 stopped 10.0.0.10 and started 10.0.0.10"             },
    {"a percent sign is only a percent sign",
     DETECTION_PLC_STOP,             0,
     "wrote 100% of %T%",                          {0},
     "10.0.0.5 wrote 100% of 10.0.0.10%"                            },
    {"no words: the type's title",
     DETECTION_PLC_STOP,             0,
     "",                                           {0},
     "10.0.0.5 raised \"Controller stopped\" at 10.0.0.10"          },
};

START_TEST(sentence)
{
    const struct sentence_row *row = &sentence_rows[_i];
    struct alert alert = {.finding = finding_made(row->detection, START), .flags = row->flags};
    struct document_context context = {.sensor = "s",
                                       .segment = "default",
                                       .describe = describe,
                                       .inventory = (const void *)&row->known};
    text_copy(alert.finding.what, sizeof alert.finding.what, text_of(row->what));
    char message[MESSAGE_SIZE];
    document_message(message, &alert, &context);
    ck_assert_msg(strcmp(message, row->message) == 0, "%s: %s", row->shows, message);
}
END_TEST

static const struct crowd_row {
    const char *shows, *target, *message;
} crowd_rows[] = {
    {"everybody",                 "255.255.255.255",   "10.0.0.5 stopped all devices (255.255.255.255)"  },
    {"a group",                   "232.1.1.12",        "10.0.0.5 stopped the group (232.1.1.12)"         },
    {"a group of IPv6",           "ff02::fb",          "10.0.0.5 stopped the group (ff02::fb)"           },
    {"the last address below it", "223.255.255.255",   "10.0.0.5 stopped 223.255.255.255"                },
    {"everybody, by MAC",         "ff:ff:ff:ff:ff:ff", "10.0.0.5 stopped all devices (ff:ff:ff:ff:ff:ff)"},
    {"a group, by MAC",           "01:0e:cf:00:00:00", "10.0.0.5 stopped the group (01:0e:cf:00:00:00)"  },
};

START_TEST(a_crowd_is_no_device)
{
    const struct crowd_row *row = &crowd_rows[_i];
    struct alert alert = {.finding = finding_made(DETECTION_PLC_STOP, START)};
    struct document_context context = {.sensor = "s", .segment = "default"};
    memset(&alert.finding.target, 0, sizeof alert.finding.target);
    ck_assert(address_parse(&alert.finding.target.ip, row->target) ||
              mac_parse(&alert.finding.target.mac, row->target));
    char message[MESSAGE_SIZE];
    document_message(message, &alert, &context);
    ck_assert_msg(strcmp(message, row->message) == 0, "%s: %s", row->shows, message);
}
END_TEST

static const struct nobody_row {
    const char *shows;
    enum detection detection;
    const char *what, *message;
} nobody_rows[] = {
    {"the sensor speaks of itself",   DETECTION_SENSOR_NO_TRAFFIC,    "receives no traffic on eth1",
     "The sensor receives no traffic on eth1"},
    {"what people did is a sentence", DETECTION_AUDIT_POLICY_CHANGED, "alice approved a change",
     "Alice approved a change"               },
};

START_TEST(nobody_acted_on_the_network)
{
    const struct nobody_row *row = &nobody_rows[_i];
    struct alert alert = {.finding = finding_made(row->detection, START)};
    struct document_context context = {.sensor = "s", .segment = "default"};
    alert.finding.has_target = false;
    memset(&alert.finding.actor, 0, sizeof alert.finding.actor);
    text_copy(alert.finding.what, sizeof alert.finding.what, text_of(row->what));
    char message[MESSAGE_SIZE];
    document_message(message, &alert, &context);
    ck_assert_msg(strcmp(message, row->message) == 0, "%s: %s", row->shows, message);
}
END_TEST

START_TEST(long_texts_stay_inside)
{
    struct alert alert = {.finding = finding_made(DETECTION_PLC_STOP, START)};
    struct known known = {
        .target_name = "0123456789012345678901234567890123456789012345678901234567890123456789"};
    struct document_context context = {.sensor = "s",
                                       .segment = "default",
                                       .describe = describe,
                                       .inventory = (const void *)&known};
    for (size_t i = 0; i + 2 < sizeof alert.finding.what; i += 2)
        memcpy(alert.finding.what + i, "%T", 3);
    char message[MESSAGE_SIZE];
    document_message(message, &alert, &context);
    ck_assert_uint_eq(strlen(message), MESSAGE_SIZE - 1);
}
END_TEST

static const struct created_row {
    const char *shows;
    int64_t created_ns;
    const char *created;
} created_rows[] = {
    {"files: no wall clock",           0,     NULL                         },
    {"live: when the sensor wrote it", START, "2015-10-21T07:28:00.000000Z"},
};

START_TEST(created)
{
    const struct created_row *row = &created_rows[_i];
    struct alert alert = {.finding = finding_made(DETECTION_PLC_STOP, START)};
    struct document_context context = {
        .sensor = "s", .segment = "default", .created_ns = row->created_ns};
    struct document written;
    document_write(&written, &alert, &context);
    const char *text = written.json;
    ck_assert_uint_eq(strlen(text), written.json_size);
    json_t *document = json_loads(text, 0, NULL);
    const char *value =
        json_string_value(json_object_get(json_object_get(document, "event"), "created"));
    ck_assert_msg(row->created ? value && strcmp(value, row->created) == 0 : !value, "%s",
                  row->shows);
    json_decref(document);
}
END_TEST

static const struct ot_row {
    const char *shows, *ot;
    bool is_there;
} ot_rows[] = {
    {"an object is taken over", "{\"direction\":\"request\",\"x\":0.10}", true },
    {"half an object is none",  "{\"direction\":\"requ",                  false},
    {"a list is none",          "[1]",                                    false},
    {"more than one is none",   "{},{}",                                  false},
};

START_TEST(ot)
{
    const struct ot_row *row = &ot_rows[_i];
    ck_assert_msg(document_is_object(row->ot, strlen(row->ot)) == row->is_there, "%s", row->shows);
    if (!row->is_there)
        return;
    struct alert alert = {.finding = finding_made(DETECTION_PLC_STOP, START)};
    struct document_context context = {.sensor = "s", .segment = "default"};
    alert.finding.ot_json_size = (uint16_t)strlen(row->ot);
    memcpy(alert.finding.ot_json, row->ot, strlen(row->ot));
    struct document written;
    document_write(&written, &alert, &context);
    const char *text = written.json;
    json_t *document = json_loadb(text, written.json_size, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_msg(document != NULL, "%s: %s", row->shows, text);
    ck_assert_msg(strstr(text, row->ot) != NULL, "%s", row->shows);
    json_decref(document);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("document");
    TCase *tcase = tcase_create("document");
    tcase_add_loop_test(tcase, sentence, 0, sizeof sentence_rows / sizeof *sentence_rows);
    tcase_add_loop_test(tcase, a_crowd_is_no_device, 0, sizeof crowd_rows / sizeof *crowd_rows);
    tcase_add_loop_test(tcase, nobody_acted_on_the_network, 0,
                        sizeof nobody_rows / sizeof *nobody_rows);
    tcase_add_test(tcase, long_texts_stay_inside);
    tcase_add_loop_test(tcase, created, 0, sizeof created_rows / sizeof *created_rows);
    tcase_add_loop_test(tcase, ot, 0, sizeof ot_rows / sizeof *ot_rows);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
