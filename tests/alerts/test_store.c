/* test_store.c: what is kept of alerts: rows, evidence, outbox, limits, restart, a full disk. */
#include "alerts/alerts.h"
#include "alerts/cause.h"
#include "alerts/rows.h"
#include "findings.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct store_schema *const schemas[] = {&alerts_schema, NULL};

/* A store in memory or in a file, with a queue and alerts over it. */
struct bench {
    struct config config;
    struct store *store;
    struct store_queue *queue;
    struct alerts *alerts;
};

static struct bench *bench_with(const char *path, const char *jsonl_path)
{
    struct bench *b = calloc(1, sizeof *b);
    struct error err;
    config_defaults(&b->config);
    text_copy(b->config.jsonl_path, sizeof b->config.jsonl_path, text_of(jsonl_path));
    ck_assert_msg(store_open(&b->store, path, STORE_READ_WRITE, schemas, &err), "%s", err.text);
    ck_assert(store_queue_create(&b->queue, b->store, false, &err));
    struct alerts_options options = {
        .config = &b->config, .queue = b->queue, .is_deterministic = true};
    b->alerts = alerts_create(&options);
    return b;
}

/* An output is configured (nothing is delivered here). */
static struct bench *bench_create(const char *path)
{
    return bench_with(path, "alerts.jsonl");
}

static void bench_destroy(struct bench *b)
{
    alerts_destroy(b->alerts);
    (void)store_queue_close(b->queue, NULL);
    store_close(b->store);
    config_release(&b->config);
    free(b);
}

static void commit(struct bench *b)
{
    struct error err;
    ck_assert_msg(store_queue_commit(b->queue, &err), "%s", err.text);
}

static long long number(struct bench *b, const char *sql)
{
    sqlite3_stmt *s = NULL;
    ck_assert_msg(sqlite3_prepare_v2(store_handle(b->store), sql, -1, &s, NULL) == SQLITE_OK,
                  "%s: %s", sql, sqlite3_errmsg(store_handle(b->store)));
    long long n = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : -1;
    sqlite3_finalize(s);
    return n;
}

static void run(struct bench *b, const char *sql)
{
    struct error err;
    ck_assert_msg(store_exec(b->store, sql, &err), "%s", err.text);
}

static void raise_many(struct bench *b, int causes, int64_t time_ns)
{
    for (int i = 0; i < causes; i++) {
        struct finding f = finding_made(DETECTION_PLC_STOP, time_ns + i);
        text_format(f.key, sizeof f.key, "%d", i);
        alerts_finding(b->alerts, &f);
    }
}

START_TEST(one_row_per_alert_and_one_message_per_revision)
{
    struct bench *b = bench_create(":memory:");
    raise_many(b, 3, START);
    alerts_tick(b->alerts, START + SECOND, true);
    commit(b);
    ck_assert_int_eq(number(b, "SELECT count(*) FROM alerts"), 3);
    ck_assert_int_eq(
        number(b, "SELECT count(*) FROM alerts WHERE revision = 2 AND status = 'settled'"), 3);
    ck_assert_int_eq(number(b, "SELECT count(*) FROM outbox WHERE stream = 'alerts'"), 6);
    ck_assert_int_eq(number(b, "SELECT max(seq) FROM outbox"), 6);
    ck_assert_int_eq(number(b, "SELECT count(*) FROM alerts a JOIN outbox o ON o.id = a.id AND"
                               " o.rev = a.revision AND o.json = a.document"),
                     3);
    bench_destroy(b);
}
END_TEST

/* Alerts that only the store is told. */
static struct bench *bench_silent(bool is_live)
{
    struct bench *b = bench_with(":memory:", "");
    struct alerts_options options = {.config = &b->config,
                                     .queue = b->queue,
                                     .is_deterministic = !is_live,
                                     .open_max = 5000,
                                     .storm_cap = 5000};
    alerts_destroy(b->alerts);
    b->alerts = alerts_create(&options);
    return b;
}

static long long tick_and_count(struct bench *b, int64_t after_s, const char *sql)
{
    alerts_tick(b->alerts, START + after_s * SECOND, false);
    commit(b);
    return number(b, sql);
}

/* Nobody waits: the newest revision of a second is enough, and its document is there once. */
START_TEST(without_outputs_the_outbox_has_no_documents)
{
    struct bench *b = bench_silent(true);
    raise_many(b, 3, START);
    raise_many(b, 3, START + 10); /* counts double: revision 2 */
    ck_assert_int_eq(
        tick_and_count(b, 1, "SELECT count(*) FROM alerts WHERE revision = 2 AND count = 2"), 3);
    ck_assert_int_eq(number(b, "SELECT count(*) FROM alerts WHERE status = 'growing' AND"
                               " json_extract(document, '$.sightglass.revision') = 2 AND"
                               " json_extract(document, '$.sightglass.count') = 2 AND"
                               " json_extract(document, '$.message') = message AND"
                               " json_extract(document, '$.rule.name') = rule_name"),
                     3);
    alerts_tick(b->alerts, START + 2 * SECOND, true);
    commit(b);
    ck_assert_int_eq(
        number(b, "SELECT count(*) FROM alerts WHERE revision = 3 AND status = 'settled'"), 3);
    ck_assert_int_eq(number(b, "SELECT count(*) FROM outbox WHERE json = ''"), 6);
    ck_assert_int_eq(number(b, "SELECT count(*) FROM outbox"), 6);
    ck_assert_int_eq(number(b, "SELECT group_concat(rev, '') FROM outbox"), 222333);
    bench_destroy(b);
}
END_TEST

START_TEST(a_count_alone_waits_ten_seconds)
{
    static const char count[] = "SELECT count FROM alerts";
    struct bench *b = bench_silent(true);
    raise_many(b, 1, START);
    ck_assert_int_eq(tick_and_count(b, 1, count), 1);
    raise_many(b, 1, START + SECOND);
    ck_assert_int_eq(tick_and_count(b, 2, count), 1);
    raise_many(b, 2, START + 5 * SECOND); /* another alert is told at once */
    ck_assert_int_eq(tick_and_count(b, 6, "SELECT count(*) FROM alerts WHERE count = 1"), 2);
    raise_many(b, 1, START + 7 * SECOND);
    ck_assert_int_eq(tick_and_count(b, 11, "SELECT max(count) FROM alerts"), 4);

    struct finding refused = finding_made(DETECTION_PLC_STOP, START + 12 * SECOND);
    text_copy(refused.key, sizeof refused.key, TEXT("0"));
    refused.flags |= FINDING_REFUSED;
    alerts_finding(b->alerts, &refused);
    ck_assert_int_eq(tick_and_count(b, 13, "SELECT max(count) FROM alerts"), 5);
    bench_destroy(b);
}
END_TEST

START_TEST(what_is_read_from_files_is_written_when_it_is_over)
{
    struct bench *b = bench_silent(false);
    raise_many(b, 1, START);
    raise_many(b, 1, START + SECOND);
    ck_assert_int_eq(tick_and_count(b, 60, "SELECT count(*) FROM alerts"), 0);
    raise_many(b, 1, START + 61 * SECOND);
    ck_assert_int_eq(tick_and_count(b, 100000, "SELECT count FROM alerts WHERE status = 'settled'"),
                     3);
    raise_many(b, 2, START + 200000 * SECOND);
    alerts_tick(b->alerts, START + 200001 * SECOND, true);
    commit(b);
    ck_assert_int_eq(number(b, "SELECT count(*) FROM alerts"), 3);
    ck_assert_int_eq(number(b, "SELECT count(*) FROM outbox"), 3);
    bench_destroy(b);
}
END_TEST

/* At most ALERTS_OPEN_MAX wait. */
START_TEST(more_alerts_than_may_wait_are_all_written)
{
    struct bench *b = bench_silent(_i == 0);
    raise_many(b, ALERTS_OPEN_MAX + 6, START);
    ck_assert_int_eq(tick_and_count(b, 1, "SELECT count(*) FROM alerts"),
                     _i == 0 ? ALERTS_OPEN_MAX + 6 : 6);
    alerts_tick(b->alerts, START + 2 * SECOND, true);
    commit(b);
    ck_assert_int_eq(number(b, "SELECT count(*) FROM alerts WHERE status = 'settled'"),
                     ALERTS_OPEN_MAX + 6);
    bench_destroy(b);
}
END_TEST

/* What the version before wrote: the struct as it is in memory. */
START_TEST(states_with_their_zeros_are_read)
{
    struct bench *b = bench_create(":memory:");
    struct error err;
    raise_many(b, 1, START);
    commit(b);
    struct {
        uint32_t version, size;
        struct alert alert;
    } old = {
        2, sizeof old.alert, {.count = 7, .first_ns = START, .last_ns = START}
    };
    text_copy(old.alert.id, sizeof old.alert.id, TEXT("an old one"));
    old.alert.finding = finding_made(DETECTION_PLC_STOP, START);
    old.alert.publish_at = 8;
    old.alert.revision = 3;
    cause_of(old.alert.cause, &old.alert.finding, "default");
    sqlite3_stmt *s = store_statement(b->store, "UPDATE alerts SET state = ?", &err);
    sqlite3_bind_blob(s, 1, &old, sizeof old, SQLITE_STATIC);
    ck_assert(store_step(b->store, s, &err));
    alerts_destroy(b->alerts);
    struct alerts_options options = {
        .config = &b->config, .queue = b->queue, .is_deterministic = true};
    b->alerts = alerts_create(&options);
    ck_assert(alerts_load(b->alerts, b->store, &err));
    struct finding f = finding_made(DETECTION_PLC_STOP, START + SECOND);
    alerts_finding(b->alerts, &f);
    commit(b);
    ck_assert_int_eq(number(b, "SELECT count(*) FROM alerts WHERE id = 'an old one' AND count = 8"),
                     1);
    bench_destroy(b);
}
END_TEST

START_TEST(reading_a_capture_again_changes_nothing)
{
    char path[] = "/tmp/sightglass-test-XXXXXX";
    close(mkstemp(path));
    unlink(path);
    struct error err;
    for (int i = 0; i < 2; i++) {
        struct bench *b = bench_create(path);
        ck_assert_msg(alerts_load(b->alerts, b->store, &err), "%s", err.text);
        raise_many(b, 3, START);
        alerts_tick(b->alerts, START + SECOND, true);
        commit(b);
        ck_assert_int_eq(number(b, "SELECT count(*) FROM alerts"), 3);
        ck_assert_int_eq(number(b, "SELECT count(*) FROM outbox"), 6);
        ck_assert_int_eq(number(b, "SELECT sum(count) FROM alerts"), 3);
        bench_destroy(b);
    }
    unlink(path);
}
END_TEST

static const struct restart_row {
    const char *shows;
    bool is_killed;
    int64_t later_ns;
    long long alerts, revision, count;
} restart_rows[] = {
    {"a clean end, soon after: the alert goes on", false, MINUTE,    1, 3, 2},
    {"killed, soon after: the alert goes on",      true,  MINUTE,    1, 2, 2},
    {"a clean end, a day after: another alert",    false, 24 * HOUR, 2, 2, 1},
    {"killed, a day after: another alert",         true,  24 * HOUR, 2, 2, 1},
};

START_TEST(restart)
{
    const struct restart_row *row = &restart_rows[_i];
    char path[] = "/tmp/sightglass-test-XXXXXX";
    close(mkstemp(path));
    unlink(path);
    struct bench *b = bench_create(path);
    raise_many(b, 1, START);
    if (!row->is_killed)
        alerts_tick(b->alerts, START + SECOND, true);
    commit(b);
    bench_destroy(b);

    struct error err;
    b = bench_create(path);
    ck_assert_msg(alerts_load(b->alerts, b->store, &err), "%s", err.text);
    raise_many(b, 1, START + row->later_ns);
    commit(b);
    ck_assert_msg(number(b, "SELECT count(*) FROM alerts") == row->alerts, "%s", row->shows);
    ck_assert_msg(number(b, "SELECT revision FROM alerts ORDER BY first_ns LIMIT 1") ==
                      row->revision,
                  "%s: revision %lld", row->shows,
                  number(b, "SELECT revision FROM alerts ORDER BY first_ns LIMIT 1"));
    ck_assert_msg(number(b, "SELECT count FROM alerts ORDER BY first_ns LIMIT 1") == row->count,
                  "%s", row->shows);
    bench_destroy(b);
    unlink(path);
}
END_TEST

/* A file from elsewhere must not crash us, whatever its state column holds. */
START_TEST(damaged_states_are_passed_over)
{
    struct bench *b = bench_create(":memory:");
    struct error err;
    raise_many(b, 2, START);
    commit(b);
    run(b, "UPDATE alerts SET state = randomblob(length(state))");
    ck_assert(alerts_load(b->alerts, b->store, &err));
    run(b, "UPDATE alerts SET state = x'00'");
    ck_assert(alerts_load(b->alerts, b->store, &err));
    for (int i = 0; i < 30; i++) { /* the right head: what follows is looked at */
        commit(b);
        run(b, "UPDATE alerts SET state = x'0300000000000000' || randomblob(300)");
        sqlite3_stmt *s = store_statement(
            b->store,
            "UPDATE alerts SET state = CAST(substr(state, 1, 4) || ?1 || substr(state, 9) AS BLOB)",
            &err);
        uint32_t size = sizeof(struct alert);
        sqlite3_bind_blob(s, 1, &size, sizeof size, SQLITE_STATIC);
        ck_assert(store_step(b->store, s, &err));
        ck_assert(alerts_load(b->alerts, b->store, &err));
    }
    bench_destroy(b);
}
END_TEST

START_TEST(half_an_object_of_a_state_is_left_out)
{
    struct bench *b = bench_create(":memory:");
    struct error err;
    struct finding f = finding_made(DETECTION_PLC_STOP, START);
    static const char half[] = "{\"direction\":\"requ";
    f.ot_json_size = sizeof half - 1;
    memcpy(f.ot_json, half, sizeof half - 1);
    alerts_finding(b->alerts, &f);
    commit(b);
    ck_assert_int_eq(number(b, "SELECT count(*) FROM alerts WHERE NOT json_valid(document)"), 1);
    alerts_destroy(b->alerts);
    b->alerts = alerts_create(&(struct alerts_options){.config = &b->config, .queue = b->queue});
    ck_assert(alerts_load(b->alerts, b->store, &err));
    f = finding_made(DETECTION_PLC_STOP, START + SECOND);
    alerts_finding(b->alerts, &f);
    alerts_tick(b->alerts, START + HOUR, true);
    commit(b);
    ck_assert_int_eq(number(b, "SELECT count(*) FROM alerts WHERE json_valid(document)"), 1);
    bench_destroy(b);
}
END_TEST

/* --- evidence --- */

static void give_packets(struct bench *b, uint64_t evidence_id, uint64_t first, uint64_t count,
                         uint32_t size)
{
    static uint8_t bytes[EVIDENCE_SNAP];
    for (uint64_t i = 0; i < count; i++) {
        struct evidence_packet p = {.evidence_id = evidence_id,
                                    .time_ns = START + (int64_t)(first + i) * 1000,
                                    .packet_number = first + i,
                                    .link_type = 1,
                                    .wire_size = size + 100,
                                    .size = size,
                                    .bytes = bytes};
        bytes[0] = (uint8_t)(first + i);
        alerts_evidence(b->alerts, &p);
    }
}

START_TEST(evidence_is_kept_for_its_alert)
{
    struct bench *b = bench_create(":memory:");
    struct finding f = finding_made(DETECTION_PLC_STOP, START);
    f.evidence_id = 17;
    alerts_finding(b->alerts, &f);
    give_packets(b, 17, 1, 41, 60);
    give_packets(b, 18, 100, 10, 60);    /* nobody's */
    give_packets(b, 17, 20, 10, 60);     /* again */
    give_packets(b, 17, 1000, 1000, 60); /* more than an alert may have */
    alerts_tick(b->alerts, START + SECOND, true);
    commit(b);
    ck_assert_int_eq(
        number(b, "SELECT sum(packets) FROM evidence e JOIN alerts a ON a.id = e.alert"), 128);
    ck_assert_int_eq(number(b, "SELECT json_extract(document, '$.sightglass.evidence.packets_kept')"
                               " FROM alerts"),
                     128);
    ck_assert_int_eq(number(b, "SELECT evidence_bytes FROM alert_totals"), 128 * (16 + 60));
    bench_destroy(b);
}
END_TEST

START_TEST(evidence_comes_out_as_a_capture_file)
{
    struct bench *b = bench_create(":memory:");
    struct finding f = finding_made(DETECTION_PLC_STOP, START);
    f.evidence_id = 17;
    alerts_finding(b->alerts, &f);
    give_packets(b, 17, 5, 3, 60);
    alerts_tick(b->alerts, START + SECOND, true);
    commit(b);
    ck_assert_int_eq(number(b, "SELECT count(*) FROM evidence"), 1);

    char id[64];
    sqlite3_stmt *s = store_statement(b->store, "SELECT id FROM alerts", NULL);
    ck_assert_int_eq(sqlite3_step(s), SQLITE_ROW);
    snprintf(id, sizeof id, "%s", (const char *)sqlite3_column_text(s, 0));
    sqlite3_reset(s);
    FILE *file = tmpfile();
    size_t packets;
    struct error err;
    ck_assert(alerts_evidence_pcap(b->store, "sightglass", id, file, &packets, &err));
    ck_assert_uint_eq(packets, 3);
    rewind(file);

    char why[PCAP_ERRBUF_SIZE];
    pcap_t *pcap = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, why);
    ck_assert_msg(pcap != NULL, "%s", why);
    ck_assert_int_eq(pcap_datalink(pcap), DLT_EN10MB);
    struct pcap_pkthdr *header;
    const u_char *bytes;
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(pcap_next_ex(pcap, &header, &bytes), 1);
        ck_assert_uint_eq(header->caplen, 60);
        ck_assert_uint_eq(header->len, 160);
        ck_assert_int_eq(header->ts.tv_sec, START / SECOND);
        ck_assert_int_eq(header->ts.tv_usec, (5 + i) * 1000); /* nanoseconds */
        ck_assert_int_eq(bytes[0], 5 + i);
    }
    ck_assert_int_eq(pcap_next_ex(pcap, &header, &bytes), PCAP_ERROR_BREAK);
    pcap_close(pcap);
    bench_destroy(b);
}
END_TEST

/* Two alerts of one packet, and more than one row holds: every packet is there, in order. */
START_TEST(evidence_of_alerts_that_take_turns)
{
    struct bench *b = bench_create(":memory:");
    for (int i = 0; i < 2; i++) {
        struct finding f = finding_made(DETECTION_PLC_STOP, START);
        text_format(f.key, sizeof f.key, "%d", i);
        f.evidence_id = (uint64_t)i + 1;
        alerts_finding(b->alerts, &f);
    }
    for (uint64_t n = 1; n <= 30; n++) {
        give_packets(b, 1, n, 1, EVIDENCE_SNAP);
        give_packets(b, 2, n, 1, EVIDENCE_SNAP);
    }
    alerts_tick(b->alerts, START + SECOND, true);
    commit(b);
    ck_assert_int_eq(number(b, "SELECT sum(packets) FROM evidence"), 60);
    ck_assert_int_eq(number(b, "SELECT sum(length(bytes)) FROM evidence"),
                     60 * (16 + EVIDENCE_SNAP));
    ck_assert_int_eq(number(b,
                            "SELECT count(*) FROM (SELECT packet, lag(packet + packets)"
                            " OVER (PARTITION BY alert ORDER BY time_ns) AS wanted FROM evidence)"
                            " WHERE packet <> wanted"),
                     0);
    bench_destroy(b);
}
END_TEST

START_TEST(evidence_in_all_is_bounded_and_the_oldest_goes)
{
    struct bench *b = bench_create(":memory:");
    b->config.evidence_megabytes = 1;
    for (uint64_t i = 0; i < 20; i++) {
        struct finding f = finding_made(DETECTION_PLC_STOP, START + (int64_t)i);
        text_format(f.key, sizeof f.key, "%d", (int)i);
        f.evidence_id = i + 1;
        alerts_finding(b->alerts, &f);
        give_packets(b, i + 1, 1000 * i + 1, 100, 2000);
    }
    alerts_tick(b->alerts, START + SECOND, true);
    commit(b);
    long long bytes = number(b, "SELECT sum(length(bytes)) FROM evidence");
    ck_assert_int_le(bytes, 1 << 20);
    ck_assert_int_gt(bytes, (1 << 20) - 8192); /* less than a row away */
    ck_assert_int_eq(number(b, "SELECT evidence_bytes FROM alert_totals"), bytes);
    ck_assert_int_eq(number(b, "SELECT max(packet + packets - 1) FROM evidence"), 19100);
    ck_assert_int_gt(number(b, "SELECT min(packet) FROM evidence"), 10000);
    bench_destroy(b);
}
END_TEST

/* --- limits --- */

static void apply_retention(struct bench *b, const struct retention_row *row)
{
    struct error err;
    ck_assert_msg(rows_retention_apply(b->store, row, sizeof *row, &err), "%s", err.text);
}

START_TEST(old_alerts_go_with_their_evidence)
{
    struct bench *b = bench_create(":memory:");
    struct finding f = finding_made(DETECTION_PLC_STOP, START);
    f.evidence_id = 1;
    alerts_finding(b->alerts, &f);
    give_packets(b, 1, 1, 5, 60);
    alerts_tick(b->alerts, START, false);
    raise_many(b, 3, START + HOUR);
    commit(b);
    struct retention_row row = {.sensor = "sightglass",
                                .alerts_before_ns = START + MINUTE,
                                .states_before_ns = INT64_MIN,
                                .outbox_hours = 1,
                                .alerts_max = 100,
                                .outbox_max = 100};
    apply_retention(b, &row);
    ck_assert_int_eq(number(b, "SELECT count(*) FROM alerts"), 3);
    ck_assert_int_eq(number(b, "SELECT count(*) FROM evidence"), 0);
    ck_assert_int_eq(number(b, "SELECT evidence_bytes FROM alert_totals"), 0);
    row.alerts_max = 2;
    apply_retention(b, &row);
    ck_assert_int_eq(number(b, "SELECT count(*) FROM alerts"), 2);
    ck_assert_int_eq(number(b, "SELECT count(*) FROM outbox"), 4);
    bench_destroy(b);
}
END_TEST

START_TEST(the_outbox_is_bounded_and_tells_what_was_lost)
{
    struct bench *b = bench_create(":memory:");
    run(b, "INSERT INTO output_cursor VALUES('sightglass', 'redis', 12, '', 12)");
    raise_many(b, 30, START);
    commit(b);
    struct retention_row row = {.sensor = "sightglass",
                                .alerts_before_ns = INT64_MIN,
                                .states_before_ns = INT64_MIN,
                                .outbox_hours = 1,
                                .alerts_max = 100,
                                .outbox_max = 10};
    apply_retention(b, &row);
    ck_assert_int_eq(number(b, "SELECT count(*) FROM outbox"), 10);
    ck_assert_int_eq(number(b, "SELECT min(seq) FROM outbox"), 21);
    ck_assert_int_eq(number(b, "SELECT outbox_lost FROM alert_totals"), 8); /* 13 to 20 */
    run(b, "UPDATE outbox SET created_ms = created_ms - 3601000");
    apply_retention(b, &row);
    ck_assert_int_eq(number(b, "SELECT count(*) FROM outbox"), 0);
    ck_assert_int_eq(number(b, "SELECT outbox_lost FROM alert_totals"), 18);
    raise_many(b, 1, START + 24 * HOUR);
    commit(b);
    ck_assert_int_gt(number(b, "SELECT min(seq) FROM outbox"), 30); /* numbers are used once */
    bench_destroy(b);
}
END_TEST

START_TEST(other_streams_use_the_outbox_too)
{
    static const char json[] = "{\"lag\":1}";
    struct bench *b = bench_create(":memory:");
    alerts_message(b->queue, "sightglass", "health", "sensor", 4, json, sizeof json - 1);
    alerts_message(b->queue, "sightglass", "assets", "a-1", 1, json, sizeof json - 1);
    commit(b);
    ck_assert_int_eq(number(b, "SELECT count(*) FROM outbox WHERE json = '{\"lag\":1}'"), 2);
    ck_assert_int_eq(number(b, "SELECT rev FROM health WHERE id = 'sensor'"), 4);
    ck_assert_int_eq(number(b, "SELECT count(*) FROM health"), 1);
    bench_destroy(b);
}
END_TEST

/* More than one statement removes. */
START_TEST(the_old_go_however_many_they_are)
{
    struct bench *b = bench_create(":memory:");
    raise_many(b, 1, START);
    commit(b);
    run(b, "CREATE TEMP TABLE alert AS SELECT * FROM alerts;"
           "CREATE TEMP TABLE message AS SELECT * FROM outbox ORDER BY seq DESC LIMIT 1;"
           "CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
           " WHERE i < 5000) SELECT i FROM n;"
           "UPDATE alert SET state = x'00';"
           "INSERT INTO alerts SELECT alert.sensor, alert.id || n.i, revision, rule, severity,"
           " first_ns, last_ns, count, status, actor, target, protocol, incident, document, state,"
           " message, rule_name, triage, assignee, rule_uuid FROM alert, n;"
           "INSERT INTO outbox SELECT sensor, seq + n.i, stream, id, rev, json, created_ms"
           " FROM message, n");
    struct retention_row row = {.sensor = "sightglass",
                                .alerts_before_ns = INT64_MIN,
                                .states_before_ns = START + MINUTE,
                                .outbox_hours = 1,
                                .alerts_max = 4600,
                                .outbox_max = 300};
    apply_retention(b, &row);
    ck_assert_int_eq(number(b, "SELECT count(*) FROM alerts"), 4600);
    ck_assert_int_eq(number(b, "SELECT count(*) FROM alerts WHERE state IS NOT NULL"), 0);
    ck_assert_int_eq(number(b, "SELECT count(*) FROM outbox"), 300);
    row.alerts_max = 200;
    apply_retention(b, &row);
    ck_assert_int_eq(number(b, "SELECT count(*) FROM alerts"), 200);
    run(b, "INSERT INTO alerts SELECT alert.sensor, alert.id || 'x' || n.i, revision, rule,"
           " severity, first_ns, last_ns, count, status, actor, target, protocol, incident,"
           " document, state, message, rule_name, triage, assignee, rule_uuid FROM alert, n");
    row.alerts_max = 10000;
    row.alerts_before_ns = START + MINUTE;
    apply_retention(b, &row);
    ck_assert_int_eq(number(b, "SELECT count(*) FROM alerts"), 0);
    bench_destroy(b);
}
END_TEST

/* --- a full disk --- */

START_TEST(a_full_disk_is_told_and_nothing_is_lost_when_it_ends)
{
    char path[] = "/tmp/sightglass-test-XXXXXX";
    close(mkstemp(path));
    unlink(path);
    struct bench *b = bench_create(path);
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA max_page_count = %lld", number(b, "PRAGMA page_count") + 20);
    run(b, sql);
    raise_many(b, 200, START);
    struct error err = {""};
    ck_assert(!store_queue_commit(b->queue, &err));
    ck_assert_msg(strstr(err.text, "disk full?") || strstr(err.text, "is full"), "%s", err.text);
    struct store_queue_state state;
    store_queue_state(b->queue, &state);
    ck_assert(state.is_failing);
    ck_assert_uint_ge(state.failed_commits, 1);
    raise_many(b, 200, START + HOUR);

    run(b, "PRAGMA max_page_count = 1000000");
    commit(b);
    ck_assert_int_eq(number(b, "SELECT count(*) FROM alerts"), 400);
    ck_assert_int_eq(number(b, "SELECT count(*) FROM outbox"), 600); /* the first 200 closed */
    bench_destroy(b);
    unlink(path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("alert store");
    TCase *tcase = tcase_create("store");
    tcase_set_timeout(tcase, 60); /* 4000 alerts, on a slow machine with sanitizers */
    tcase_add_test(tcase, one_row_per_alert_and_one_message_per_revision);
    tcase_add_test(tcase, without_outputs_the_outbox_has_no_documents);
    tcase_add_test(tcase, a_count_alone_waits_ten_seconds);
    tcase_add_test(tcase, what_is_read_from_files_is_written_when_it_is_over);
    tcase_add_loop_test(tcase, more_alerts_than_may_wait_are_all_written, 0, 2);
    tcase_add_test(tcase, states_with_their_zeros_are_read);
    tcase_add_test(tcase, reading_a_capture_again_changes_nothing);
    tcase_add_loop_test(tcase, restart, 0, sizeof restart_rows / sizeof *restart_rows);
    tcase_add_test(tcase, damaged_states_are_passed_over);
    tcase_add_test(tcase, half_an_object_of_a_state_is_left_out);
    tcase_add_test(tcase, evidence_is_kept_for_its_alert);
    tcase_add_test(tcase, evidence_comes_out_as_a_capture_file);
    tcase_add_test(tcase, evidence_of_alerts_that_take_turns);
    tcase_add_test(tcase, evidence_in_all_is_bounded_and_the_oldest_goes);
    tcase_add_test(tcase, old_alerts_go_with_their_evidence);
    tcase_add_test(tcase, the_outbox_is_bounded_and_tells_what_was_lost);
    tcase_add_test(tcase, the_old_go_however_many_they_are);
    tcase_add_test(tcase, other_streams_use_the_outbox_too);
    tcase_add_test(tcase, a_full_disk_is_told_and_nothing_is_lost_when_it_ends);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
