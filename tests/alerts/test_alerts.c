/* test_alerts.c: which findings become one alert, when it is published, and when it closes. */
#include "alerts/alerts.h"
#include "findings.h"

#include "alerts/advice.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* An alerts with its published lines in memory. */
struct bench {
    struct config config;
    struct alerts *alerts;
    FILE *lines;
    char *text;
    size_t size;
};

static struct bench *bench_create(uint32_t open_max, uint32_t storm_cap)
{
    struct bench *b = calloc(1, sizeof *b);
    config_defaults(&b->config);
    b->lines = open_memstream(&b->text, &b->size);
    struct alerts_options options = {.config = &b->config,
                                     .lines = b->lines,
                                     .is_deterministic = true,
                                     .open_max = open_max,
                                     .storm_cap = storm_cap};
    b->alerts = alerts_create(&options);
    ck_assert_ptr_nonnull(b->alerts);
    return b;
}

static void bench_destroy(struct bench *b)
{
    alerts_destroy(b->alerts);
    fclose(b->lines);
    free(b->text);
    config_release(&b->config);
    free(b);
}

/* The lines so far as a JSON array. */
static json_t *published(struct bench *b)
{
    fflush(b->lines);
    json_t *list = json_array();
    for (const char *at = b->text; at < b->text + b->size;) {
        size_t size = strcspn(at, "\n");
        json_error_t error;
        json_t *line = json_loadb(at, size, 0, &error);
        ck_assert_msg(line != NULL, "%s: %.*s", error.text, (int)size, at);
        json_array_append_new(list, line);
        at += size + 1;
    }
    return list;
}

/* A value by path: "event.severity". */
static const json_t *at(const json_t *document, const char *path)
{
    char key[64];
    for (;;) {
        size_t size = strcspn(path, "/");
        snprintf(key, sizeof key, "%.*s", (int)size, path);
        document = json_object_get(document, key);
        if (!path[size])
            return document;
        path += size + 1;
    }
}

static const char *text_at(const json_t *document, const char *path)
{
    const char *text = json_string_value(at(document, path));
    return text ? text : "(none)";
}

static long long number_at(const json_t *document, const char *path)
{
    return json_integer_value(at(document, path));
}

static size_t distinct_ids(const json_t *lines)
{
    json_t *ids = json_object();
    for (size_t i = 0; i < json_array_size(lines); i++)
        json_object_set_new(ids, text_at(json_array_get(lines, i), "event/id"), json_true());
    size_t n = json_object_size(ids);
    json_decref(ids);
    return n;
}

/* --- one cause --- */

static void nothing(struct finding *f)
{
    (void)f;
}
static void other_detection(struct finding *f)
{
    f->detection = DETECTION_PLC_START;
}
static void other_actor(struct finding *f)
{
    f->actor = host("10.0.0.6", 49160);
}
static void other_actor_port(struct finding *f)
{
    f->actor.port = 50000;
}
static void other_actor_mac(struct finding *f)
{
    f->actor.mac.bytes[5] = 9;
}
static void other_target(struct finding *f)
{
    f->target = host("10.0.0.11", 102);
}
static void no_target(struct finding *f)
{
    f->has_target = false;
}
static void other_segment(struct finding *f)
{
    f->segment = 1;
}
static void other_protocol(struct finding *f)
{
    text_copy(f->protocol, sizeof f->protocol, TEXT("modbus"));
}
static void other_key(struct finding *f)
{
    text_copy(f->key, sizeof f->key, TEXT("OB1"));
}
static void other_words(struct finding *f)
{
    text_copy(f->what, sizeof f->what, TEXT("stopped %T again"));
}
static void a_day_later(struct finding *f)
{
    f->time_ns += 24 * HOUR;
}
static void nine_minutes_later(struct finding *f)
{
    f->time_ns += 9 * MINUTE;
}

static const struct same_row {
    const char *shows;
    void (*change)(struct finding *f);
    size_t alerts;
} same_rows[] = {
    {"the same again is the same alert",                  nothing,            1},
    {"another type is another",                           other_detection,    2},
    {"another actor is another",                          other_actor,        2},
    {"another port of the actor is not",                  other_actor_port,   1},
    {"another MAC behind the same IP is not",             other_actor_mac,    1},
    {"another target is another",                         other_target,       2},
    {"no target is another",                              no_target,          2},
    {"the same addresses in another segment are another", other_segment,      2},
    {"another protocol is another",                       other_protocol,     2},
    {"another key is another",                            other_key,          2},
    {"other words are not",                               other_words,        1},
    {"nine minutes later it still grows",                 nine_minutes_later, 1},
    {"after the quiet time it is a new one",              a_day_later,        2},
};

START_TEST(same_cause)
{
    const struct same_row *row = &same_rows[_i];
    struct bench *b = bench_create(0, 0);
    struct finding f = finding_made(DETECTION_PLC_STOP, START);
    alerts_finding(b->alerts, &f);
    row->change(&f);
    alerts_finding(b->alerts, &f);
    json_t *lines = published(b);
    ck_assert_msg(distinct_ids(lines) == row->alerts, "%s: %zu alerts", row->shows,
                  distinct_ids(lines));
    json_decref(lines);
    bench_destroy(b);
}
END_TEST

/* Two actors get no answer of one device: one alert; of two devices: two. */
START_TEST(one_device_that_is_dead_is_one_cause)
{
    struct bench *b = bench_create(0, 0);
    struct finding f = finding_made(DETECTION_OPS_UNRESPONSIVE, START);
    alerts_finding(b->alerts, &f);
    other_actor(&f);
    alerts_finding(b->alerts, &f);
    json_t *lines = published(b);
    ck_assert_uint_eq(distinct_ids(lines), 1);
    ck_assert_int_eq(number_at(json_array_get(lines, 1), "sightglass/count"), 2);
    ck_assert_str_eq(text_at(json_array_get(lines, 1), "source/ip"), "10.0.0.5");
    json_decref(lines);
    other_target(&f);
    alerts_finding(b->alerts, &f);
    lines = published(b);
    ck_assert_uint_eq(distinct_ids(lines), 2);
    json_decref(lines);
    bench_destroy(b);
}
END_TEST

START_TEST(hosts_without_ip_go_by_mac)
{
    struct bench *b = bench_create(0, 0);
    struct finding f = finding_made(DETECTION_ASSET_NEW, START);
    f.has_target = false;
    f.actor = (struct endpoint){.mac = {{0, 1, 2, 3, 4, 5}}};
    alerts_finding(b->alerts, &f);
    f.actor.mac.bytes[5] = 6;
    alerts_finding(b->alerts, &f);
    json_t *lines = published(b);
    ck_assert_uint_eq(distinct_ids(lines), 2);
    ck_assert_str_eq(text_at(json_array_get(lines, 0), "source/mac"), "00:01:02:03:04:05");
    ck_assert_ptr_null(at(json_array_get(lines, 0), "source/ip"));
    json_decref(lines);
    bench_destroy(b);
}
END_TEST

/* --- revisions --- */

START_TEST(published_at_once_then_at_doubling_counts_then_at_the_end)
{
    static const int counts[] = {1, 2, 4, 8, 16, 20};
    struct bench *b = bench_create(0, 0);
    for (int i = 0; i < 20; i++) {
        struct finding f = finding_made(DETECTION_PLC_STOP, START + i * SECOND);
        alerts_finding(b->alerts, &f);
    }
    alerts_tick(b->alerts, START + 20 * SECOND, true);
    json_t *lines = published(b);
    ck_assert_uint_eq(json_array_size(lines), 6);
    ck_assert_uint_eq(distinct_ids(lines), 1);
    for (int i = 0; i < 6; i++) {
        const json_t *line = json_array_get(lines, (size_t)i);
        ck_assert_int_eq(number_at(line, "sightglass/count"), counts[i]);
        ck_assert_int_eq(number_at(line, "sightglass/revision"), i + 1);
        ck_assert_str_eq(text_at(line, "sightglass/status"), i == 5 ? "settled" : "growing");
        ck_assert_str_eq(text_at(line, "sightglass/first_seen"), "2015-10-21T07:28:00.000000Z");
        ck_assert_str_eq(text_at(line, "@timestamp"), "2015-10-21T07:28:00.000000Z");
    }
    ck_assert_str_eq(text_at(json_array_get(lines, 5), "sightglass/last_seen"),
                     "2015-10-21T07:28:19.000000Z");
    json_decref(lines);
    bench_destroy(b);
}
END_TEST

START_TEST(findings_that_count_for_many_count)
{
    struct bench *b = bench_create(0, 0);
    struct finding f = finding_made(DETECTION_PROTO_MALFORMED, START);
    alerts_finding(b->alerts, &f);
    f.count = 1000;
    alerts_finding(b->alerts, &f);
    f.count = 0; /* means once */
    alerts_finding(b->alerts, &f);
    alerts_tick(b->alerts, START + SECOND, true);
    json_t *lines = published(b);
    ck_assert_uint_eq(json_array_size(lines), 3);
    ck_assert_int_eq(number_at(json_array_get(lines, 1), "sightglass/count"), 1001);
    ck_assert_int_eq(number_at(json_array_get(lines, 2), "sightglass/count"), 1002);
    json_decref(lines);
    bench_destroy(b);
}
END_TEST

static const struct outcome_row {
    const char *shows;
    uint32_t flags;
    long long severity;
    const char *outcome, *ecs;
} outcome_rows[] = {
    {"confirmed", FINDING_CONFIRMED, 8, "confirmed", "success"},
    {"refused",   FINDING_REFUSED,   6, "refused",   "failure"},
    {"completed", FINDING_COMPLETED, 7, "completed", "success"},
};

START_TEST(an_outcome_is_published_at_once_and_not_counted)
{
    const struct outcome_row *row = &outcome_rows[_i];
    struct bench *b = bench_create(0, 0);
    struct finding f = finding_made(DETECTION_PLC_START, START);
    alerts_finding(b->alerts, &f);
    f.flags = row->flags | FINDING_OUTCOME;
    f.time_ns += SECOND;
    alerts_finding(b->alerts, &f);
    f.time_ns += SECOND;
    alerts_finding(b->alerts, &f); /* the same outcome is no news */
    json_t *lines = published(b);
    ck_assert_msg(json_array_size(lines) == 2, "%s: %zu lines", row->shows, json_array_size(lines));
    const json_t *second = json_array_get(lines, 1);
    ck_assert_int_eq(number_at(second, "sightglass/count"), 1);
    ck_assert_int_eq(number_at(second, "sightglass/revision"), 2);
    ck_assert_int_eq(number_at(second, "event/severity"), row->severity);
    ck_assert_str_eq(text_at(second, "sightglass/outcome"), row->outcome);
    ck_assert_str_eq(text_at(second, "event/outcome"), row->ecs);
    ck_assert_str_eq(text_at(json_array_get(lines, 0), "event/outcome"), "(none)");
    json_decref(lines);
    bench_destroy(b);
}
END_TEST

START_TEST(a_transfer_ends_with_size_and_fingerprint)
{
    static const char sha[] = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    struct bench *b = bench_create(0, 0);
    struct finding f = finding_made(DETECTION_PLC_PROGRAM_DOWNLOAD, START);
    text_copy(f.object, sizeof f.object, TEXT("OB1"));
    text_copy(f.what, sizeof f.what, TEXT("is downloading block OB1 to %T"));
    alerts_finding(b->alerts, &f);
    text_copy(f.what, sizeof f.what, TEXT("downloaded block OB1 (412 bytes) to %T"));
    text_copy(f.sha256, sizeof f.sha256, text_of(sha));
    f.size = 412;
    f.flags = FINDING_COMPLETED | FINDING_OUTCOME;
    f.packet_number = 99;
    alerts_finding(b->alerts, &f);
    json_t *lines = published(b);
    const json_t *first = json_array_get(lines, 0), *second = json_array_get(lines, 1);
    ck_assert_str_eq(text_at(first, "message"), "10.0.0.5 is downloading block OB1 to 10.0.0.10");
    ck_assert_ptr_null(at(first, "sightglass/transfer"));
    ck_assert_str_eq(text_at(second, "message"),
                     "10.0.0.5 downloaded block OB1 (412 bytes) to 10.0.0.10");
    ck_assert_str_eq(text_at(second, "sightglass/transfer/sha256"), sha);
    ck_assert_int_eq(number_at(second, "sightglass/transfer/size"), 412);
    ck_assert_str_eq(text_at(second, "sightglass/transfer/name"), "OB1");
    ck_assert_str_eq(text_at(second, "sightglass/transfer/outcome"), "completed");
    ck_assert_int_eq(number_at(second, "sightglass/evidence/packet"), 7); /* of the first */
    json_decref(lines);
    bench_destroy(b);
}
END_TEST

/* Blocks of one download are one alert: a size and a fingerprint stay with the name of their block.
 */
START_TEST(the_next_block_has_its_own_fingerprint)
{
    static const char sha[] = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    struct bench *b = bench_create(0, 0);
    struct finding f = finding_made(DETECTION_PLC_PROGRAM_DOWNLOAD, START);
    text_copy(f.object, sizeof f.object, TEXT("OB1"));
    text_copy(f.sha256, sizeof f.sha256, text_of(sha));
    f.size = 412;
    f.flags = FINDING_COMPLETED;
    alerts_finding(b->alerts, &f);
    text_copy(f.object, sizeof f.object, TEXT("FC2"));
    f.sha256[0] = '\0';
    f.size = 0;
    f.flags = 0;
    alerts_finding(b->alerts, &f);
    f.size = 96; /* smaller than the first */
    text_copy(f.sha256, sizeof f.sha256, text_of(&sha[1]));
    alerts_finding(b->alerts, &f);
    alerts_finding(b->alerts, &f);
    json_t *lines = published(b);
    ck_assert_uint_eq(json_array_size(lines), 3); /* counts 1, 2 and 4 */
    ck_assert_str_eq(text_at(json_array_get(lines, 0), "sightglass/transfer/name"), "OB1");
    ck_assert_str_eq(text_at(json_array_get(lines, 1), "sightglass/object"), "FC2");
    ck_assert_ptr_null(at(json_array_get(lines, 1), "sightglass/transfer"));
    const json_t *last = json_array_get(lines, 2);
    ck_assert_str_eq(text_at(last, "sightglass/transfer/name"), "FC2");
    ck_assert_str_eq(text_at(last, "sightglass/transfer/sha256"), &sha[1]);
    ck_assert_int_eq(number_at(last, "sightglass/transfer/size"), 96);
    json_decref(lines);
    bench_destroy(b);
}
END_TEST

static const struct words_row {
    const char *shows;
    enum detection detection;
    struct {
        const char *what, *object;
        enum operation operation;
    } first, second;
    const char *message;
} words_rows[] = {
    {"what grows is told as it is now",
     DETECTION_NET_FLOOD,         {"floods %T", "", OP_READ},
     {"floods %T again", "", OP_READ},
     "10.0.0.5 floods 10.0.0.10 again"                    },
    {"the first write of a new writer is what was new",
     DETECTION_RW_NEW_WRITER,     {"wrote to %T for the first time: 260", "260", OP_WRITE},
     {"wrote to %T for the first time: 200", "200", OP_WRITE},
     "10.0.0.5 wrote to 10.0.0.10 for the first time: 260"},
    {"how that write went on is told",
     DETECTION_RW_NEW_WRITER,     {"writes 260 of %T", "260", OP_WRITE},
     {"wrote 260 of %T", "260", OP_WRITE},
     "10.0.0.5 wrote 260 of 10.0.0.10"                    },
    {"a start does not hide the stop of a safety system",
     DETECTION_PLC_SAFETY_ACCESS, {"stopped %T", "stop", OP_STOP},
     {"started %T", "start", OP_START},
     "10.0.0.5 stopped 10.0.0.10"                         },
    {"a download is graver than the upload before it",
     DETECTION_PLC_SAFETY_ACCESS, {"read the program of %T", "", OP_PROGRAM_UPLOAD},
     {"downloaded a program to %T", "", OP_PROGRAM_DOWNLOAD},
     "10.0.0.5 downloaded a program to 10.0.0.10"         },
};

START_TEST(the_words_of_the_first_and_of_the_last)
{
    const struct words_row *row = &words_rows[_i];
    struct bench *b = bench_create(0, 0);
    struct finding f = finding_made(row->detection, START);
    text_copy(f.what, sizeof f.what, text_of(row->first.what));
    text_copy(f.object, sizeof f.object, text_of(row->first.object));
    f.operation = row->first.operation;
    alerts_finding(b->alerts, &f);
    text_copy(f.what, sizeof f.what, text_of(row->second.what));
    text_copy(f.object, sizeof f.object, text_of(row->second.object));
    f.operation = row->second.operation;
    f.time_ns += SECOND;
    alerts_finding(b->alerts, &f);
    json_t *lines = published(b);
    ck_assert_uint_eq(json_array_size(lines), 2);
    const char *message = text_at(json_array_get(lines, 1), "message");
    ck_assert_msg(strcmp(message, row->message) == 0, "%s: %s", row->shows, message);
    json_decref(lines);
    bench_destroy(b);
}
END_TEST

START_TEST(still_learning_ends_when_it_has_settled)
{
    struct bench *b = bench_create(0, 0);
    struct finding f = finding_made(DETECTION_COMM_NEW_LINK, START);
    f.flags = FINDING_STILL_LEARNING;
    alerts_finding(b->alerts, &f);
    f.flags = 0;
    alerts_finding(b->alerts, &f);
    json_t *lines = published(b);
    ck_assert_int_eq(number_at(json_array_get(lines, 0), "event/severity"), 3);
    ck_assert_int_eq(number_at(json_array_get(lines, 1), "event/severity"), 5);
    json_decref(lines);
    bench_destroy(b);
}
END_TEST

/* One answer that nobody asked for may be a lost packet's; the second one is not. */
START_TEST(what_may_be_a_lost_packet_is_not_when_it_comes_again)
{
    struct bench *b = bench_create(0, 0);
    struct finding f = finding_made(DETECTION_RW_UNSOLICITED_RESPONSE, START);
    f.flags = FINDING_SINGLE;
    alerts_finding(b->alerts, &f);
    alerts_finding(b->alerts, &f);
    f.flags = 0;
    alerts_finding(b->alerts, &f);
    f.flags = FINDING_SINGLE;
    alerts_finding(b->alerts, &f);
    json_t *lines = published(b);
    ck_assert_int_eq(number_at(json_array_get(lines, 0), "event/severity"), 3);
    ck_assert_int_eq(number_at(json_array_get(lines, 1), "event/severity"), 3);
    ck_assert_int_eq(number_at(json_array_get(lines, 2), "event/severity"), 7);
    json_decref(lines);
    bench_destroy(b);
}
END_TEST

/* --- closing --- */

START_TEST(closes_after_its_quiet_time)
{
    struct bench *b = bench_create(0, 0);
    int64_t quiet = advice_of(DETECTION_PLC_STOP)->quiet_ns;
    struct finding f = finding_made(DETECTION_PLC_STOP, START);
    alerts_finding(b->alerts, &f);
    struct alerts_state state;
    alerts_tick(b->alerts, START + quiet, false);
    alerts_state(b->alerts, &state);
    ck_assert_uint_eq(state.open, 1);
    alerts_tick(b->alerts, START + quiet + SECOND, false);
    alerts_state(b->alerts, &state);
    ck_assert_uint_eq(state.open, 0);
    alerts_tick(b->alerts, START + quiet + 2 * SECOND, true);
    json_t *lines = published(b);
    ck_assert_uint_eq(json_array_size(lines), 2); /* closed once, not again at the end */
    ck_assert_str_eq(text_at(json_array_get(lines, 1), "sightglass/status"), "settled");
    json_decref(lines);
    bench_destroy(b);
}
END_TEST

START_TEST(the_table_is_bounded)
{
    enum { MAX = 16, CAUSES = 100 };
    struct bench *b = bench_create(MAX, 0);
    struct finding f = finding_made(DETECTION_PLC_STOP, START);
    struct alerts_state state;
    for (int i = 0; i < CAUSES; i++) {
        text_format(f.key, sizeof f.key, "%d", i);
        f.time_ns++;
        alerts_finding(b->alerts, &f);
        alerts_state(b->alerts, &state);
        ck_assert_uint_le(state.open, MAX);
    }
    ck_assert_uint_eq(state.evicted, CAUSES - MAX);
    alerts_tick(b->alerts, START + SECOND, true);
    json_t *lines = published(b);
    ck_assert_uint_eq(distinct_ids(lines), CAUSES);
    ck_assert_uint_eq(json_array_size(lines), 2 * CAUSES); /* each one began and ended */
    json_decref(lines);
    bench_destroy(b);
}
END_TEST

START_TEST(the_one_that_grew_last_is_not_evicted)
{
    struct bench *b = bench_create(2, 0);
    struct finding f = finding_made(DETECTION_PLC_STOP, START);
    const char *keys[] = {"a", "b", "a", "c", "a"}; /* c takes the place of b */
    for (int i = 0; i < 5; i++) {
        text_copy(f.key, sizeof f.key, text_of(keys[i]));
        f.time_ns++;
        alerts_finding(b->alerts, &f);
    }
    alerts_tick(b->alerts, START + SECOND, true);
    json_t *lines = published(b);
    ck_assert_uint_eq(distinct_ids(lines), 3);
    json_decref(lines);
    bench_destroy(b);
}
END_TEST

/* --- storms --- */

START_TEST(a_storm_is_told_in_one_alert)
{
    enum { CAP = 10, CAUSES = 200 };
    struct bench *b = bench_create(0, CAP);
    struct finding f = finding_made(DETECTION_COMM_NEW_LINK, START);
    for (int i = 0; i < CAUSES; i++) {
        text_format(f.key, sizeof f.key, "%d", i);
        alerts_finding(b->alerts, &f);
    }
    f.detection = DETECTION_PLC_STOP; /* other types are not held back */
    alerts_finding(b->alerts, &f);
    alerts_tick(b->alerts, START + SECOND, true);
    json_t *lines = published(b);
    ck_assert_uint_eq(distinct_ids(lines), CAP + 1 + 1);
    const json_t *storm = NULL;
    for (size_t i = 0; i < json_array_size(lines); i++)
        if (at(json_array_get(lines, i), "sightglass/storm"))
            storm = json_array_get(lines, i);
    ck_assert_ptr_nonnull(storm);
    ck_assert_str_eq(text_at(storm, "rule/id"), "comm.new-link");
    ck_assert_int_eq(number_at(storm, "sightglass/storm/folded"), CAUSES - CAP);
    ck_assert_int_eq(number_at(storm, "sightglass/storm/cap"), CAP);
    ck_assert_str_eq(text_at(storm, "message"),
                     "More than 10 alerts \"Two devices talk for the first time\" within an hour: "
                     "190 further findings are told here alone");
    ck_assert_ptr_null(at(storm, "source"));
    json_decref(lines);
    bench_destroy(b);
}
END_TEST

START_TEST(known_causes_grow_during_a_storm)
{
    struct bench *b = bench_create(0, 1);
    struct finding f = finding_made(DETECTION_COMM_NEW_LINK, START);
    alerts_finding(b->alerts, &f);
    text_copy(f.key, sizeof f.key, TEXT("folded"));
    alerts_finding(b->alerts, &f);
    f.key[0] = '\0';
    alerts_finding(b->alerts, &f);
    struct alerts_state state;
    alerts_state(b->alerts, &state);
    ck_assert_uint_eq(state.folded, 1);
    json_t *lines = published(b);
    ck_assert_int_eq(number_at(json_array_get(lines, 2), "sightglass/count"), 2);
    json_decref(lines);
    bench_destroy(b);
}
END_TEST

START_TEST(the_next_hour_begins_anew)
{
    struct bench *b = bench_create(0, 1);
    struct alerts_state state;
    struct finding f = finding_made(DETECTION_COMM_NEW_LINK, START);
    for (int i = 0; i < 3; i++) {
        text_format(f.key, sizeof f.key, "%d", i);
        alerts_finding(b->alerts, &f);
        f.time_ns += HOUR;
    }
    alerts_state(b->alerts, &state);
    ck_assert_uint_eq(state.folded, 0);
    ck_assert_uint_eq(state.created, 3);
    bench_destroy(b);
}
END_TEST

/* --- ids and stories --- */

static char *only_id(enum detection detection, int64_t time_ns, const char *sensor, char out[64])
{
    struct bench *b = bench_create(0, 0);
    text_copy(b->config.sensor, sizeof b->config.sensor, text_of(sensor));
    struct finding f = finding_made(detection, time_ns);
    alerts_finding(b->alerts, &f);
    json_t *lines = published(b);
    snprintf(out, 64, "%s", text_at(json_array_get(lines, 0), "event/id"));
    json_decref(lines);
    bench_destroy(b);
    return out;
}

START_TEST(the_id_is_a_hash_of_sensor_rule_cause_and_time)
{
    char id[64], other[64];
    only_id(DETECTION_PLC_STOP, START, "one", id);
    ck_assert_uint_eq(strlen(id), 32);
    ck_assert_uint_eq(strspn(id, "0123456789abcdef"), 32);
    ck_assert_str_eq(only_id(DETECTION_PLC_STOP, START, "one", other), id);
    ck_assert_str_ne(only_id(DETECTION_PLC_STOP, START, "two", other), id);
    ck_assert_str_ne(only_id(DETECTION_PLC_START, START, "one", other), id);
    ck_assert_str_ne(only_id(DETECTION_PLC_STOP, START + 1, "one", other), id);
}
END_TEST

static const struct story_row {
    const char *shows;
    const char *actor;
    int64_t after_ns;
    bool is_same_story;
} story_rows[] = {
    {"the same actor soon after: one story",       "10.0.0.5", 20 * MINUTE, true },
    {"another actor: another",                     "10.0.0.6", 20 * MINUTE, false},
    {"the same actor after a long pause: another", "10.0.0.5", 31 * MINUTE, false},
};

START_TEST(story)
{
    const struct story_row *row = &story_rows[_i];
    struct bench *b = bench_create(0, 0);
    struct finding f = finding_made(DETECTION_RECON_PORT_SCAN, START);
    alerts_finding(b->alerts, &f);
    f = finding_made(DETECTION_PLC_STOP, START + row->after_ns);
    f.actor = host(row->actor, 1);
    f.target = host("10.0.0.77", 102);
    alerts_finding(b->alerts, &f);
    json_t *lines = published(b);
    const char *first = text_at(json_array_get(lines, 0), "event/id");
    ck_assert_str_eq(text_at(json_array_get(lines, 0), "sightglass/incident"), first);
    bool is_same = strcmp(text_at(json_array_get(lines, 1), "sightglass/incident"), first) == 0;
    ck_assert_msg(is_same == row->is_same_story, "%s", row->shows);
    json_decref(lines);
    bench_destroy(b);
}
END_TEST

/* Times from a damaged capture: nothing overflows, every line is still JSON. */
START_TEST(any_time_will_do)
{
    static const int64_t times[] = {INT64_MAX,     INT64_MIN,    0, -1, START,
                                    INT64_MAX - 1, INT64_MIN + 1};
    struct bench *b = bench_create(0, 0);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct finding f = finding_made(DETECTION_PLC_STOP, times[i]);
        alerts_finding(b->alerts, &f);
        alerts_tick(b->alerts, times[i], false);
    }
    alerts_tick(b->alerts, 0, true);
    json_t *lines = published(b);
    ck_assert_uint_ge(distinct_ids(lines), 3);
    json_decref(lines);
    bench_destroy(b);
}
END_TEST

START_TEST(one_packet_from_the_future_does_not_close_the_rest)
{
    struct bench *b = bench_create(0, 0);
    alerts_tick(b->alerts, START + 1000 * 24 * HOUR, false);
    for (int i = 0; i < 5; i++) {
        struct finding f = finding_made(DETECTION_PLC_STOP, START + i * SECOND);
        alerts_finding(b->alerts, &f);
        alerts_tick(b->alerts, f.time_ns, false);
    }
    json_t *lines = published(b);
    ck_assert_uint_eq(distinct_ids(lines), 1);
    ck_assert_uint_eq(json_array_size(lines), 3); /* counts 1, 2, 4 */
    json_decref(lines);
    bench_destroy(b);
}
END_TEST

START_TEST(the_same_findings_give_the_same_bytes)
{
    char *texts[2];
    size_t sizes[2];
    for (int run = 0; run < 2; run++) {
        struct bench *b = bench_create(32, 20);
        for (int i = 0; i < 500; i++) {
            struct finding f =
                finding_made((enum detection)(i % DETECTION_COUNT), START + i * SECOND);
            text_format(f.key, sizeof f.key, "%d", i % 7);
            f.flags = (uint32_t)i & 0x7f;
            alerts_finding(b->alerts, &f);
            alerts_tick(b->alerts, f.time_ns, false);
        }
        alerts_tick(b->alerts, START + HOUR, true);
        fflush(b->lines);
        texts[run] = strdup(b->text);
        sizes[run] = b->size;
        bench_destroy(b);
    }
    ck_assert_uint_eq(sizes[0], sizes[1]);
    ck_assert_int_eq(memcmp(texts[0], texts[1], sizes[0]), 0);
    ck_assert_uint_gt(sizes[0], 100000);
    free(texts[0]);
    free(texts[1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("alerts");
    TCase *tcase = tcase_create("alerts");
    tcase_add_loop_test(tcase, same_cause, 0, sizeof same_rows / sizeof *same_rows);
    tcase_add_test(tcase, one_device_that_is_dead_is_one_cause);
    tcase_add_test(tcase, hosts_without_ip_go_by_mac);
    tcase_add_test(tcase, published_at_once_then_at_doubling_counts_then_at_the_end);
    tcase_add_test(tcase, findings_that_count_for_many_count);
    tcase_add_loop_test(tcase, an_outcome_is_published_at_once_and_not_counted, 0,
                        sizeof outcome_rows / sizeof *outcome_rows);
    tcase_add_test(tcase, the_next_block_has_its_own_fingerprint);
    tcase_add_test(tcase, a_transfer_ends_with_size_and_fingerprint);
    tcase_add_loop_test(tcase, the_words_of_the_first_and_of_the_last, 0,
                        sizeof words_rows / sizeof *words_rows);
    tcase_add_test(tcase, still_learning_ends_when_it_has_settled);
    tcase_add_test(tcase, what_may_be_a_lost_packet_is_not_when_it_comes_again);
    tcase_add_test(tcase, closes_after_its_quiet_time);
    tcase_add_test(tcase, the_table_is_bounded);
    tcase_add_test(tcase, the_one_that_grew_last_is_not_evicted);
    tcase_add_test(tcase, a_storm_is_told_in_one_alert);
    tcase_add_test(tcase, known_causes_grow_during_a_storm);
    tcase_add_test(tcase, the_next_hour_begins_anew);
    tcase_add_test(tcase, the_id_is_a_hash_of_sensor_rule_cause_and_time);
    tcase_add_loop_test(tcase, story, 0, sizeof story_rows / sizeof *story_rows);
    tcase_add_test(tcase, any_time_will_do);
    tcase_add_test(tcase, one_packet_from_the_future_does_not_close_the_rest);
    tcase_add_test(tcase, the_same_findings_give_the_same_bytes);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
