/* test_every_alert.c: one alert of every type. With the argument "print" it writes their lines to
 * stdout, for tests/e2e/test_alert_schema.py; without, it holds the catalogue, the advice and the
 * documents against each other. */
#include "alerts/alerts.h"
#include "findings.h"

#include "alerts/advice.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static const char ot[] =
    "{\"direction\":\"request\",\"operation\":\"write\",\"code\":\"16\",\"unit\":\"1\","
    "\"function\":16,\"items\":[{\"area\":\"holding_register\",\"start\":100,"
    "\"count\":2,\"values\":[0.1,17,\"9007199254740993\"]}],\"status\":\"ok\"}";

static const char *source_name(void *context, uint32_t source_index)
{
    (void)context;
    return source_index == 0 ? "/somewhere/else/plant.pcap" : "eth1";
}

/* The plainest and the richest finding that a type can have. */
static struct finding finding_of(enum detection detection, bool is_rich)
{
    struct finding f = finding_made(detection, START + detection * SECOND);
    const char *id = detection_kind(detection)->id;
    if (strncmp(id, "sensor.", 7) == 0 || strncmp(id, "audit.", 6) == 0) {
        memset(&f.actor, 0, sizeof f.actor);
        f.has_target = false;
        f.packet_number = 0;
        f.protocol[0] = '\0';
        f.transport = TRANSPORT_NONE;
    }
    if (!is_rich)
        return f;
    f.flags = FINDING_ACTOR_NEW | FINDING_CONFIRMED | FINDING_COMPLETED;
    f.operation = OP_PROGRAM_DOWNLOAD;
    f.actor.mac = (struct mac){
        {2, 0, 0, 0, 0, 5}
    };
    f.ot_json_size = (uint16_t)(sizeof ot - 1);
    memcpy(f.ot_json, ot, sizeof ot - 1);
    if (detection == DETECTION_CHANGE_MAINTENANCE_RECORD) {
        f.permitted = DETECTION_PLC_STOP;
        text_copy(f.window, sizeof f.window, TEXT("weekly service"));
        text_copy(f.ticket, sizeof f.ticket, TEXT("CHG-4711"));
    }
    f.count = UINT64_C(1) << 60; /* more than a number of JSON holds safely */
    f.size = 412;
    text_copy(f.key, sizeof f.key, TEXT("OB1"));
    text_copy(f.object, sizeof f.object, TEXT("OB1 \xff\x1b[2J \"quoted\" \xc3\xa9"));
    text_copy(f.expected, sizeof f.expected, TEXT("nobody programs this controller"));
    text_copy(f.seen, sizeof f.seen, TEXT("request download of block OB1"));
    text_copy(f.fact, sizeof f.fact, TEXT("operation 17"));
    text_copy(f.sha256, sizeof f.sha256,
              TEXT("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"));
    return f;
}

/* Every type, plain and rich, grown, settled, and one storm. */
static void write_all(FILE *lines)
{
    struct config config;
    config_defaults(&config);
    struct alerts_options options = {.config = &config,
                                     .lines = lines,
                                     .is_deterministic = true,
                                     .source_name = source_name,
                                     .storm_cap = 3};
    struct alerts *alerts = alerts_create(&options);
    for (int i = 0; i < 2 * DETECTION_COUNT; i++) {
        struct finding f = finding_of((enum detection)(i / 2), i % 2);
        alerts_finding(alerts, &f);
    }
    for (int i = 0; i < 5; i++) {
        struct finding f = finding_of(DETECTION_COMM_NEW_LINK, false);
        text_format(f.key, sizeof f.key, "storm %d", i);
        alerts_finding(alerts, &f);
    }
    alerts_tick(alerts, START + HOUR, true);
    alerts_destroy(alerts);
    config_release(&config);
}

START_TEST(every_type_has_advice)
{
    const struct advice *advice = advice_of((enum detection)_i);
    const char *id = detection_kind((enum detection)_i)->id;
    ck_assert_msg(strlen(advice->soc) > 20 && strlen(advice->plant) > 20,
                  "%s has no line in advice.def", id);
    ck_assert_msg(advice->quiet_ns >= MINUTE, "%s closes at once", id);
}
END_TEST

START_TEST(every_technique_is_known)
{
    const struct detection_kind *kind = detection_kind((enum detection)_i);
    for (const char *at = kind->techniques; *at; at += strspn(at, " ")) {
        char id[16];
        size_t size = strcspn(at, " ");
        snprintf(id, sizeof id, "%.*s", (int)size, at);
        ck_assert_msg(technique_find(id) != NULL, "%s: %s is not in techniques.def", kind->id, id);
        at += size;
    }
}
END_TEST

START_TEST(numbers_of_the_event_keep_their_spelling)
{
    char *text = NULL;
    size_t size = 0;
    FILE *lines = open_memstream(&text, &size);
    write_all(lines);
    fclose(lines);
    ck_assert_ptr_nonnull(strstr(text, "\"values\":[0.1,17,\"9007199254740993\"]"));
    ck_assert_ptr_nonnull(strstr(text, "\"source\":\"plant.pcap\"")); /* not where the file lay */
    ck_assert_ptr_null(strstr(text, "somewhere"));
    ck_assert_ptr_null(strchr(text, 0x1b));
    free(text);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "print") == 0) {
        write_all(stdout);
        return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    Suite *suite = suite_create("every alert");
    TCase *tcase = tcase_create("catalogue");
    tcase_add_loop_test(tcase, every_type_has_advice, 0, DETECTION_COUNT);
    tcase_add_loop_test(tcase, every_technique_is_known, 0, DETECTION_COUNT);
    tcase_add_test(tcase, numbers_of_the_event_keep_their_spelling);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
