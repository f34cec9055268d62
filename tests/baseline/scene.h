/* scene.h: a learner played through a script by hand: one line of words for each message.
 *
 *   [N*] ACTOR>TARGET OPERATION CODE [AREA START[+COUNT] [=VALUES]]    a request
 *   [N*] ACTOR<TARGET OPERATION CODE [AREA START[+COUNT] [=VALUES]]    its answer
 *   [N*] ACTOR~TARGET OPERATION CODE [AREA START[+COUNT] [=VALUES]]    without an answer, over TCP
 *   links ACTOR>TARGET N   that many connections, at the pace of the steps
 *   calls ACTOR>TARGET N   the same, without an answer
 *   ports ACTOR>TARGET N   answered, each to another port
 *   done ACTOR>TARGET   their connection is closed: what follows is on another one
 *   alarms off   the messages that follow are DNP3's disable_unsolicited; "alarms on": no more
 *   protocol opcua   of what follows, or goose; "protocol modbus": as at first
 *   manner N    in which of enum ot_manner's ways the messages that follow write
 *   sealed | open   whether the messages that follow are encrypted
 *   times N    all that follows in the script, N times
 *   bytes N    how long the packets of the messages that follow are
 *   wait SECONDS | step MILLISECONDS (pause after each message; 1000)
 *
 * VALUES: "5", "5,6", or "20..35": the k-th repeat gets the k-th value of the range, around and
 * around. START may be a name. Hosts are hmi, plc, eng, hist and any other word. Messages are
 * separated by ";". */
#pragma once

#include "baseline/rows.h"
#include "sensor/base/hash.h"
#include "sensor/base/store.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCENE_FINDINGS = 512, SCENE_ROWS = 4096 };

struct scene {
    struct baseline *baseline;
    struct finding found[SCENE_FINDINGS];
    size_t count;
    int64_t now_ns, step_ns;
    struct ot_flow flow;
    struct packet packet;
    uint64_t packets;
    const char *protocol;
    bool is_role_guessed, is_sealed, is_memory, is_midway, is_about_alarms;
    uint64_t closed;  /* connections */
    const char *unit; /* NULL: "1" */
    uint32_t packet_size;
    uint8_t manner;
};

static inline void scene_found(void *context, const struct finding *f)
{
    struct scene *s = context;
    ck_assert_uint_lt(s->count, SCENE_FINDINGS);
    s->found[s->count++] = *f;
}

static inline void scene_open(struct scene *s, enum baseline_mode mode, int64_t start_s)
{
    *s =
        (struct scene){.now_ns = start_s * 1000000000, .step_ns = 1000000000, .protocol = "modbus"};
    const struct baseline_options options = {.mode = mode,
                                             .settle_min_ns = (int64_t)600 * 1000000000,
                                             .conversations_max = 1024,
                                             .sensor = "test"};
    const struct finding_sink sink = {.context = s, .finding = scene_found};
    s->baseline = baseline_create(&options, &sink);
    ck_assert_ptr_nonnull(s->baseline);
}

static inline void scene_close(struct scene *s)
{
    baseline_destroy(s->baseline);
}

static inline struct endpoint scene_host(const char *name)
{
    struct endpoint e = {
        .ip = {.kind = ADDRESS_IP4, .bytes = {10, 0, 0, 0}},
          .port = 502
    };
    uint64_t h = hash_stable(name, strlen(name));
    e.ip.bytes[2] = (uint8_t)(h >> 8);
    e.ip.bytes[3] = (uint8_t)h;
    memcpy(e.mac.bytes, "\2\0\0\0\0\0", 6);
    e.mac.bytes[4] = e.ip.bytes[2];
    e.mac.bytes[5] = e.ip.bytes[3];
    return e;
}

static inline double scene_value(const char *text, unsigned turn, unsigned index)
{
    const char *range = strstr(text, "..");
    if (range) {
        double low = atof(text), high = atof(range + 2);
        return low + (double)((turn * 7 + index) % (unsigned)(high - low + 1));
    }
    for (; index > 0 && text; index--)
        text = strchr(text, ',') ? strchr(text, ',') + 1 : NULL;
    return text ? atof(text) : 0;
}

static inline void scene_message(struct scene *s, const char *line, unsigned turn)
{
    char hosts[64], operation[32], area[32] = "", where[64] = "", values[96] = "";
    unsigned code;
    ck_assert_msg(sscanf(line, " %63s %31s %u %31s %63s %95s", hosts, operation, &code, area, where,
                         values) >= 3,
                  "not a message: %s", line);
    bool is_response = strchr(hosts, '<') != NULL;
    bool is_oneway = strchr(hosts, '~') != NULL;
    char *split = strpbrk(hosts, "<>~");
    ck_assert_ptr_nonnull(split);
    *split++ = '\0';
    s->flow.id = hash_stable(hosts, strlen(hosts)) ^ hash_stable(split, strlen(split));
    s->flow.id += s->closed;
    s->flow.client = scene_host(hosts);
    s->flow.server = scene_host(split);
    s->flow.client.port = 40000;
    bool is_reported = strcmp(operation, "publish") == 0;
    s->flow.transport = is_oneway || is_reported ? TRANSPORT_TCP : TRANSPORT_NONE;
    s->flow.is_role_known = !s->is_role_guessed;
    s->flow.is_two_sided = true;
    s->flow.is_start_seen = !s->is_midway;
    s->packet =
        (struct packet){.time_ns = s->now_ns, .number = ++s->packets, .wire_size = s->packet_size};

    static uint8_t bytes[2048];
    struct ot_item item = {.area = area, .count = 1, .manner = s->manner};
    char *plus = strchr(where, '+');
    if (plus) {
        *plus++ = '\0';
        item.count = (uint32_t)atoi(plus);
    }
    if (*where >= '0' && *where <= '9') {
        item.start = item.low = strtoull(where, NULL, 10);
        item.high = item.low + item.count - 1;
        item.has_start = item.has_range = true;
    } else {
        item.name = text_of(where);
    }
    if (*values == '=') {
        item.values = (struct ot_values){VALUES_F64LE, item.count, bytes, item.count * 8};
        for (unsigned i = 0; i < item.count; i++) {
            double v = scene_value(values + 1, turn, i);
            memcpy(bytes + i * 8, &v, 8);
        }
        if (s->is_memory) {
            item.is_memory = true;
            item.values = (struct ot_values){VALUES_U8, item.count, bytes, item.count};
            for (unsigned i = 0; i < item.count; i++)
                bytes[i] = (uint8_t)scene_value(values + 1, turn, i);
        }
    }
    struct ot_event e = {.time_ns = s->now_ns,
                         .flow = &s->flow,
                         .packet = &s->packet,
                         .is_from_client = !is_response,
                         .direction = is_response ? OT_RESPONSE
                                      : is_oneway ? OT_ONEWAY
                                                  : OT_REQUEST,
                         .protocol = s->protocol,
                         .code = {code},
                         .function = code,
                         .name = s->is_about_alarms ? "disable_unsolicited" : NULL,
                         .unit = text_of(s->unit ? s->unit : "1"),
                         .items = &item,
                         .item_count = *area ? 1 : 0,
                         .items_total = *area ? 1 : 0};
    ck_assert_msg(operation_parse(&e.operation, operation), "no operation: %s", operation);
    if (s->is_sealed)
        e.flags |= OT_ENCRYPTED;
    baseline_event(s->baseline, &e);
    if (s->flow.first_ns == 0)
        s->flow.first_ns = s->now_ns;
    s->flow.last_ns = s->now_ns;
    baseline_tick(s->baseline, s->now_ns, false);
    s->now_ns += s->step_ns;
}

static inline void scene_link(struct scene *s, const char *actor, const char *target, uint16_t more,
                              bool is_answered)
{
    s->packet = (struct packet){.time_ns = s->now_ns, .number = ++s->packets};
    struct ot_flow flow = {.id = s->packets,
                           .transport = TRANSPORT_TCP,
                           .client = scene_host(actor),
                           .server = scene_host(target),
                           .is_role_known = true,
                           .is_start_seen = true};
    flow.server.port = (uint16_t)(flow.server.port + more);
    baseline_called(s->baseline, &flow, &s->packet);
    if (is_answered)
        baseline_link(s->baseline, &flow, &s->packet);
    baseline_tick(s->baseline, s->now_ns, false);
    s->now_ns += s->step_ns;
}

static inline void scene_line(struct scene *s, const char *line)
{
    unsigned repeat = 1;
    int used = 0;
    double number;
    if (sscanf(line, " wait %lf", &number) == 1) {
        s->now_ns += (int64_t)(number * 1e9);
        return;
    }
    if (sscanf(line, " step %lf", &number) == 1) {
        s->step_ns = (int64_t)(number * 1e6);
        return;
    }
    if (sscanf(line, " manner %lf", &number) == 1) {
        s->manner = (uint8_t)number;
        return;
    }
    if (sscanf(line, " bytes %lf", &number) == 1) {
        s->packet_size = (uint32_t)number;
        return;
    }
    char actor[32], target[32];
    if (sscanf(line, " links %31[^>]>%31s %u", actor, target, &repeat) == 3) {
        for (unsigned i = 0; i < repeat; i++)
            scene_link(s, actor, target, 0, true);
        return;
    }
    if (sscanf(line, " calls %31[^>]>%31s %u", actor, target, &repeat) == 3) {
        for (unsigned i = 0; i < repeat; i++)
            scene_link(s, actor, target, 0, false);
        return;
    }
    if (sscanf(line, " ports %31[^>]>%31s %u", actor, target, &repeat) == 3) {
        for (unsigned i = 0; i < repeat; i++)
            scene_link(s, actor, target, (uint16_t)i, true);
        return;
    }
    if (sscanf(line, " done %31[^>]>%31s", actor, target) == 2) {
        struct ot_flow flow = s->flow;
        flow.transport = TRANSPORT_TCP;
        flow.client = scene_host(actor);
        flow.client.port = 40000;
        flow.server = scene_host(target);
        flow.is_role_known = true;
        baseline_finished(s->baseline, &flow);
        s->closed++;
        return;
    }
    if (sscanf(line, " protocol %31s", actor) == 1) {
        static const char *const others[] = {"opcua", "goose"};
        s->protocol = "modbus";
        for (size_t i = 0; i < sizeof others / sizeof *others; i++)
            if (strcmp(actor, others[i]) == 0)
                s->protocol = others[i];
        return;
    }
    if (strstr(line, "alarms")) {
        s->is_about_alarms = strstr(line, "off") != NULL;
        return;
    }
    if (strstr(line, "memory")) { /* what follows is written as bytes */
        s->is_memory = true;
        return;
    }
    if (strstr(line, "midway") || strstr(line, "unit")) { /* units of later messages */
        s->is_midway = strstr(line, "midway") != NULL;
        s->unit = strstr(line, "unnamed") ? "" : strstr(line, "node") ? "node" : NULL;
        return;
    }
    if (strstr(line, "sealed") || strstr(line, "open")) {
        s->is_sealed = strstr(line, "sealed") != NULL;
        return;
    }
    char times;
    if (sscanf(line, " %u %c%n", &repeat, &times, &used) == 2 && times == '*')
        line += used;
    else
        repeat = 1;
    for (unsigned i = 0; i < repeat; i++)
        scene_message(s, line, i);
}

/* ";" separates messages; "N*(...)" around a group is not needed: lines repeat one by one. */
static inline void scene_play(struct scene *s, const char *script)
{
    unsigned times;
    if (sscanf(script, " times %u", &times) == 1) {
        const char *rest = strchr(script, ';');
        ck_assert_ptr_nonnull(rest);
        for (unsigned i = 0; i < times; i++)
            scene_play(s, rest + 1);
        return;
    }
    while (*script) {
        char line[256];
        size_t n = strcspn(script, ";");
        ck_assert_uint_lt(n, sizeof line);
        memcpy(line, script, n);
        line[n] = '\0';
        if (strspn(line, " ") < n)
            scene_line(s, line);
        script += n + (script[n] == ';');
    }
}

static inline void scene_end(struct scene *s)
{
    baseline_tick(s->baseline, s->now_ns, true);
}

static inline void scene_apply(void *context, const struct baseline_row *row)
{
    struct error err = {""};
    ck_assert_msg(baseline_row_apply(context, row, sizeof *row, &err), "%s", err.text);
}

static inline struct store *scene_store(const char *path)
{
    static const struct store_schema *const schemas[] = {&baseline_schema, NULL};
    struct store *store;
    struct error err = {""};
    ck_assert_msg(store_open(&store, path, STORE_READ_WRITE, schemas, &err), "%s", err.text);
    return store;
}

static inline void scene_save(struct scene *s, struct store *store)
{
    scene_end(s);
    baseline_changes(s->baseline, scene_apply, store);
}

static inline void scene_load(struct scene *s, struct store *store)
{
    struct error err = {""};
    ck_assert_msg(baseline_load(s->baseline, store, 0, 1, &err), "%s", err.text);
}

/* The causes found, each once, as "id key" separated by "; ". */
static inline const char *scene_causes(const struct scene *s)
{
    static char out[8192];
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < s->count; i++) {
        const struct finding *f = &s->found[i];
        bool is_known = false;
        for (size_t k = 0; k < i && !is_known; k++)
            is_known = s->found[k].detection == f->detection &&
                       strcmp(s->found[k].key, f->key) == 0 &&
                       memcmp(&s->found[k].actor.ip, &f->actor.ip, sizeof f->actor.ip) == 0 &&
                       memcmp(&s->found[k].target.ip, &f->target.ip, sizeof f->target.ip) == 0;
        if (!is_known)
            used += (size_t)snprintf(out + used, sizeof out - used, "%s%s", used ? "; " : "",
                                     detection_kind(f->detection)->id);
        ck_assert_uint_lt(used, sizeof out);
    }
    return out;
}
