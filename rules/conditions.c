/* conditions.c: events that tell a condition at once (rows), and those of which only the change
 * counts (DNP3's indications, data status of PROFINET, quality of values, answers to commands). */
#include "rules/conditions.h"

#include "rules/slots.h"
#include "sensor/base/hash.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const int64_t QUALITY_NS = 60 * INT64_C(1000000000); /* bad for this long is no flicker */
static const int64_t HABIT_NS = 30 * INT64_C(1000000000);   /* what a conversation begins with */
static const int64_t CYCLES_NS = 60 * INT64_C(1000000000);
static const int64_t ANEW_NS = 10 * INT64_C(1000000000);   /* a connection tried twice is one */
static const int64_t RESTART_NS = 5 * INT64_C(1000000000); /* no device is back sooner */

enum { CYCLES_MIN = 3 }; /* breaks within CYCLES_NS: one or two are a busy mirror */

/* What is known of a device and a kind of statement. */
struct device {
    struct slot slot;
    int64_t since_ns; /* bad since; 0: good. Of connections and indications: the last one */
    uint64_t flow;    /* of indications: the last one's */
    uint32_t state;   /* bits or counts, by kind */
    bool is_told, is_habit, was_good;
};

enum kind { KIND_INDICATIONS = 1, KIND_QUALITY, KIND_COMMAND, KIND_CONNECTION, KIND_CYCLES };

struct conditions {
    struct slots devices;
    size_t bad; /* about how many have bad quality: 0 spares the look at good values */
};

struct conditions *conditions_create(size_t devices_max)
{
    struct conditions *c = calloc(1, sizeof *c);
    if (c && !slots_create(&c->devices, devices_max, sizeof(struct device))) {
        free(c);
        return NULL;
    }
    return c;
}

void conditions_destroy(struct conditions *c)
{
    if (!c)
        return;
    slots_destroy(&c->devices);
    free(c);
}

/* --- words --- */

static const char fault_expected[] = "the device reports no fault";
static const char module_expected[] = "the modules stay as they were";
static const char cycles_expected[] = "cyclic data comes in every cycle and is valid";
static const char restart_expected[] = "the device runs on";

/* Told by one event. detail: words that it has, in its detail; NULL: any. */
static const struct row {
    const char *protocol;
    enum operation operation;
    const char *name, *detail;
    enum detection detection;
    const char *phrase, *expected;
} rows[] = {
    {"pn_rt",            OP_ALARM,   "diagnosis",                 NULL,              DETECTION_OPS_DEVICE_FAULT,
     "reports a fault of its own: %O",                               fault_expected  },
    {"pn_rt",            OP_ALARM,   "network_component_problem", NULL,              DETECTION_OPS_DEVICE_FAULT,
     "reports a problem of its network connection: %O",              fault_expected  },
    {"pn_rt",            OP_ALARM,   "multicast_mismatch",        NULL,              DETECTION_OPS_IO_DEGRADED,
     "misses cyclic data of others: %O",                             cycles_expected },
    {"pn_rt",            OP_ALARM,   "isochronous_mode_problem",  NULL,              DETECTION_OPS_IO_DEGRADED,
     "has lost the common cycle: %O",                                cycles_expected },
    {"pn_rt",            OP_ERROR,   "error",                     NULL,              DETECTION_OPS_IO_DEGRADED,
     "has given up the exchange of cyclic data: %O",                 cycles_expected },
    {"pn_rt",            OP_ALARM,   "pull",                      NULL,              DETECTION_ASSET_MODULE_CHANGED,
     "says that a module was taken out: %O",                         module_expected },
    {"pn_rt",            OP_ALARM,   "pull_module",               NULL,              DETECTION_ASSET_MODULE_CHANGED,
     "says that a module was taken out: %O",                         module_expected },
    {"pn_rt",            OP_ALARM,   "plug",                      NULL,              DETECTION_ASSET_MODULE_CHANGED,
     "says that a module was put in: %O",                            module_expected },
    {"pn_rt",            OP_ALARM,   "plug_wrong_submodule",      NULL,              DETECTION_ASSET_MODULE_CHANGED,
     "says that a wrong module was put in: %O",                      module_expected },
    {"pn_rt",            OP_PUBLISH, NULL,                        "data_invalid",    DETECTION_OPS_IO_DEGRADED,
     "marks its cyclic data as invalid",                             cycles_expected },
    {"pn_rt",            OP_PUBLISH, NULL,                        "station_problem", DETECTION_OPS_DEVICE_FAULT,
     "reports a problem in its cyclic data",                         fault_expected  },
    {"ethercat_mailbox", OP_ALARM,   NULL,                        "emergency",       DETECTION_OPS_DEVICE_FAULT,
     "reports a fault of its own: %O",                               fault_expected  },
    {"iec104",           OP_PUBLISH, "M_EI_NA_1",                 NULL,              DETECTION_OPS_RESTART_OBSERVED,
     "has restarted: it reports the end of its initialisation (%O)", restart_expected},
};

static void put(struct condition *found, enum detection detection, const char *phrase,
                const char *expected, const char *key)
{
    *found = (struct condition){
        .detection = detection, .phrase = phrase, .expected = expected, .key = key};
}

static bool text_holds(struct text text, const char *words)
{
    return text.size && memmem(text.at, text.size, words, strlen(words)) != NULL;
}

static unsigned rows_event(const struct ot_event *e, struct condition *found)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        if (row->operation != e->operation || !ot_event_is(e, row->protocol) ||
            (row->name && (!e->name || strcmp(row->name, e->name) != 0)) ||
            (row->detail && !text_holds(e->detail, row->detail)))
            continue;
        put(found, row->detection, row->phrase, row->expected, row->name ? row->name : row->detail);
        if (e->item_count && e->items[0].name.size && e->detail.size)
            text_format(found->object, sizeof found->object, "%.*s, %.*s",
                        (int)(e->items[0].name.size < 40 ? e->items[0].name.size : 40),
                        e->items[0].name.at, (int)(e->detail.size < 48 ? e->detail.size : 48),
                        e->detail.at);
        else
            text_copy(found->object, sizeof found->object, e->detail);
        return 1;
    }
    return 0;
}

bool condition_is_fault(const char *mode)
{
    static const char *const words[] = {"fault", "error",           "defect",
                                        "fail",  "non_operational", "non-operational"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasestr(mode, words[i]))
            return true;
    return false;
}

/* --- state --- */

static struct device *device_of(struct conditions *c, const struct ot_event *e, enum kind kind,
                                uint64_t part, bool *is_new)
{
    const struct endpoint *who =
        e->is_from_client ? &e->flow->client : &e->flow->server; /* the sender */
    uint64_t key = who->ip.kind == ADDRESS_NONE ? hash_bytes(&who->mac, sizeof who->mac)
                                                : hash_bytes(&who->ip, sizeof who->ip);
    key = hash_mix(hash_mix(key, e->flow->segment), (uint64_t)kind << 56 ^ part);
    if (e->unit.size)
        key = hash_mix(key, hash_bytes(e->unit.at, e->unit.size));
    return slots_take(&c->devices, key | 1, e->time_ns, is_new);
}

/* --- DNP3: internal indications, [1815] 4.2.2.6 --- */

enum { IIN_RESTART = 0x8000 };

static const struct indication {
    uint32_t bit; /* first octet in the upper byte */
    enum detection detection;
    const char *phrase, *expected;
} indications[] = {
    {IIN_RESTART, DETECTION_OPS_RESTART_OBSERVED, "has restarted: it says so in its replies",
     restart_expected},
    {0x4000,      DETECTION_OPS_DEVICE_FAULT,     "reports a fault of its own (device trouble)",
     fault_expected  },
    {0x0020,      DETECTION_OPS_DEVICE_FAULT,     "reports that its configuration is corrupt",
     fault_expected  },
    {0x0008,      DETECTION_OPS_DEVICE_FAULT,     "reports that it has lost events: its buffer is full",
     fault_expected  },
};

static unsigned dnp3_event(struct conditions *c, const struct ot_event *e, struct condition *found)
{
    if (e->direction == OT_REQUEST || e->status.result != OT_RESULT_OK)
        return 0; /* an error's code is that of the error */
    bool is_new;
    struct device *device = device_of(c, e, KIND_INDICATIONS, 0, &is_new);
    uint32_t before = device->state, now = e->status.code;
    /* Some say it to whoever connects, though they answered a moment ago on another connection. */
    bool ran_on = device->flow != e->flow->id && e->time_ns - device->since_ns < RESTART_NS;
    device->state = now;
    device->since_ns = e->time_ns;
    device->flow = e->flow->id;
    if (is_new)
        return 0;
    if (ran_on)
        now &= ~(uint32_t)IIN_RESTART;
    unsigned count = 0;
    for (size_t i = 0; i < sizeof indications / sizeof *indications; i++) {
        const struct indication *in = &indications[i];
        if (!(now & ~before & in->bit) || count == CONDITIONS_MAX)
            continue;
        put(&found[count++], in->detection, in->phrase, in->expected, in->phrase);
    }
    return count;
}

/* --- HART: device status in every answer, HCF_SPEC-307 --- */

static unsigned hart_event(struct conditions *c, const struct ot_event *e, struct condition *found)
{
    static const struct {
        const char *words;
        enum detection detection;
        const char *phrase, *expected;
    } rows_of_status[] = {
        {"device malfunction", DETECTION_OPS_DEVICE_FAULT,
         "reports a malfunction of its own in its replies",                                                fault_expected},
        {"cold start",         DETECTION_OPS_RESTART_OBSERVED, "has restarted: it says so in its replies",
         restart_expected                                                                                                },
    };
    if (e->direction == OT_REQUEST)
        return 0;
    bool is_new;
    struct device *device = device_of(c, e, KIND_INDICATIONS, 0, &is_new);
    uint32_t before = device->state;
    device->state = 0;
    for (uint32_t i = 0; i < sizeof rows_of_status / sizeof *rows_of_status; i++) {
        if (!text_holds(e->detail, rows_of_status[i].words))
            continue;
        device->state = i + 1;
        if (is_new || before == i + 1)
            return 0;
        put(found, rows_of_status[i].detection, rows_of_status[i].phrase,
            rows_of_status[i].expected, rows_of_status[i].words);
        return 1;
    }
    return 0;
}

/* --- quality of values --- */

/* Who asked is at fault, not the value: OPC UA, [10000-4] 7.39.2. */
static bool is_asked_wrongly(const struct ot_status *status)
{
    static const char *const names[] = {"bad_node_id_invalid",      "bad_node_id_unknown",
                                        "bad_attribute_id_invalid", "bad_index_range_invalid",
                                        "bad_index_range_no_data",  "bad_not_readable",
                                        "bad_user_access_denied"};
    for (size_t i = 0; status->name && i < sizeof names / sizeof *names; i++)
        if (strcmp(status->name, names[i]) == 0)
            return true;
    return false;
}

/* All values of the event are marked bad. *has_quality: the protocol marks them at all. */
static bool is_bad(const struct ot_event *e, bool *has_quality)
{
    enum { LOOKED_AT = 8 };
    uint32_t count = e->item_count < LOOKED_AT ? e->item_count : LOOKED_AT;
    bool is_all_bad = count > 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct ot_status *status = &e->items[i].status;
        bool is_error = status->result == OT_RESULT_ERROR;
        if (is_error && is_asked_wrongly(status))
            return false;
        *has_quality |= status->result != OT_RESULT_NONE;
        is_all_bad &= is_error;
    }
    return is_all_bad;
}

static unsigned quality_event(struct conditions *c, const struct ot_event *e,
                              struct condition *found)
{
    bool has_quality = false;
    bool bad = is_bad(e, &has_quality);
    if (!has_quality || (!bad && c->bad == 0))
        return 0;
    bool is_new;
    struct device *device = device_of(c, e, KIND_QUALITY, (uint8_t)e->protocol[0], &is_new);
    if (!bad) {
        c->bad -= device->since_ns != 0 && c->bad > 0;
        device->since_ns = 0;
        device->is_told = device->is_habit = false;
        return 0;
    }
    if (device->since_ns == 0) {
        device->since_ns = e->time_ns ? e->time_ns : 1;
        device->is_habit = e->time_ns - e->flow->first_ns < HABIT_NS && !e->flow->is_start_seen;
        c->bad++;
    }
    if (device->is_told || device->is_habit || e->time_ns - device->since_ns < QUALITY_NS)
        return 0;
    device->is_told = true;
    const struct ot_status *status = &e->items[0].status;
    put(found, DETECTION_OPS_DEVICE_FAULT,
        "marks all values that it reports as bad, for a minute by now: %O",
        "values of good quality, or bad ones for moments only", "quality");
    text_format(found->object, sizeof found->object, "%s",
                status->name ? status->name : "bad quality");
    return 1;
}

/* --- answers to commands --- */

/* A command of a kind that was carried out before is refused now. */
static unsigned command_event(struct conditions *c, const struct ot_event *e,
                              struct condition *found)
{
    bool is_new;
    const struct ot_flow *flow = e->flow;
    uint64_t part = hash_mix(hash_bytes(&flow->client.ip, sizeof flow->client.ip), e->function);
    struct device *device = device_of(c, e, KIND_COMMAND, part, &is_new);
    if (e->status.result == OT_RESULT_OK) {
        device->was_good = true;
        return 0;
    }
    if (!device->was_good)
        return 0; /* others tell of the first attempts of a client */
    put(found, DETECTION_OPS_COMMAND_FAILED,
        "was refused a command by %T that it carried out before: %O",
        "the device carries out what this client orders", "refused");
    found->is_actor_client = found->has_target = true;
    text_format(found->object, sizeof found->object, "%s, %s", e->name ? e->name : "a command",
                e->status.name ? e->status.name : "error");
    return 1;
}

/* --- connections of cyclic data --- */

/* The controller connects anew to a device that it had connected to: one of them has restarted, or
 * the data had stopped. */
static unsigned connection_event(struct conditions *c, const struct ot_event *e,
                                 struct condition *found)
{
    bool is_new;
    struct device *device = device_of(c, e, KIND_CONNECTION, e->flow->transport, &is_new);
    int64_t before = device->since_ns;
    device->since_ns = e->time_ns ? e->time_ns : 1;
    if (is_new || before == 0 || e->time_ns - before < ANEW_NS)
        return 0;
    put(found, DETECTION_OPS_RESTART_OBSERVED,
        "was connected anew by its controller: one of the two has restarted, or cyclic data had "
        "stopped",
        "a connection of cyclic data lasts", "connected anew");
    return 1;
}

static bool is_cyclic_connection(const struct ot_event *e)
{
    if ((e->operation != OP_SESSION && e->operation != OP_SUBSCRIBE) ||
        e->direction != OT_RESPONSE || e->status.result == OT_RESULT_ERROR || !e->name)
        return false;
    if (ot_event_is(e, "pnio_cm"))
        return strcmp(e->name, "connect") == 0;
    return e->operation == OP_SUBSCRIBE && ot_event_is(e, "cip") && strstr(e->name, "forward_open");
}

/* --- modules that differ from the configured ones: PROFINET's module difference --- */

static unsigned modules_event(const struct ot_event *e, struct condition *found)
{
    for (uint32_t i = 0; i < e->item_count; i++) {
        const struct ot_status *status = &e->items[i].status;
        if (status->result != OT_RESULT_ERROR || !status->name)
            continue;
        bool is_fault = strcmp(status->name, "fault") == 0;
        put(found, is_fault ? DETECTION_OPS_DEVICE_FAULT : DETECTION_ASSET_MODULE_CHANGED,
            is_fault ? "reports a fault of a module: %O"
                     : "has another module than its controller was configured for: %O",
            is_fault ? fault_expected : module_expected, "module difference");
        char item[64];
        text_format(found->object, sizeof found->object, "%s, %s",
                    ot_item_print(&e->items[i], item, sizeof item), status->name);
        return 1;
    }
    return 0;
}

/* --- S7: messages of the diagnostic buffer --- */

/* [S7 system functions] OB 83: 38xx a module was plugged, 39xx it was pulled or does not answer;
 * the number tells of modules, of PROFINET's submodules, of what was wrong with what was plugged.
 */
static bool is_module_event(unsigned long id)
{
    static const uint8_t numbers[] = {0x51, 0x54, 0x55, 0x56, 0x57, 0x58, 0x61,
                                      0x63, 0x64, 0x65, 0x66, 0x67, 0x68};
    for (size_t i = 0; i < sizeof numbers; i++)
        if ((id >> 8 == 0x38 || id >> 8 == 0x39) && (id & 0xff) == numbers[i])
            return true;
    return false;
}

/* Class of the event in the first digit, the second is odd when it comes and even when it goes:
 * faults are 2 (synchronous), 3 (asynchronous), 7 (redundant systems), 8 (modules). */
static unsigned s7_event(const struct ot_event *e, struct condition *found)
{
    static const char prefix[] = "event 0x";
    char detail[40];
    if (!e->name || strcmp(e->name, "diagnostic_message") != 0 || e->direction == OT_REQUEST)
        return 0;
    text_copy(detail, sizeof detail, e->detail);
    if (strncmp(detail, prefix, sizeof prefix - 1) != 0)
        return 0;
    unsigned long id = strtoul(detail + sizeof prefix - 1, NULL, 16);
    unsigned class = id >> 12 & 15;
    bool comes = id >> 8 & 1;
    if (is_module_event(id)) {
        put(found, DETECTION_ASSET_MODULE_CHANGED,
            comes ? "says that a module was taken out or does not answer: %O"
                  : "says that a module was put in: %O",
            module_expected, "diagnostic buffer");
        text_copy(found->object, sizeof found->object, text_of(detail));
        return 1;
    }
    if (!comes || (class != 2 && class != 3 && class != 7 && class != 8))
        return 0;
    put(found, DETECTION_OPS_DEVICE_FAULT, "enters a fault into its diagnostic buffer: %O",
        fault_expected, "diagnostic buffer");
    text_copy(found->object, sizeof found->object, text_of(detail));
    return 1;
}

/* --- the contract --- */

static bool is_order(enum operation operation)
{
    return operation == OP_WRITE || operation == OP_CONTROL;
}

unsigned conditions_event(struct conditions *c, const struct ot_event *e,
                          struct condition found[CONDITIONS_MAX])
{
    if (e->direction == OT_RESPONSE && is_order(e->operation) &&
        e->status.result != OT_RESULT_NONE && !(e->flags & OT_NO_REQUEST)) {
        unsigned count = command_event(c, e, found);
        if (count)
            return count;
    }
    if (ot_event_is(e, "dnp3"))
        return dnp3_event(c, e, found);
    if (ot_event_is(e, "hart_ip"))
        return hart_event(c, e, found);
    if (e->operation == OP_ALARM || e->operation == OP_ERROR ||
        (e->operation == OP_PUBLISH &&
         (e->detail.size || e->item_count == 0 || e->code[0] == 70))) {
        unsigned count = rows_event(e, found);
        if (count)
            return count;
    }
    if (e->operation == OP_DIAGNOSTICS && ot_event_is(e, "s7comm"))
        return s7_event(e, found);
    if (is_cyclic_connection(e)) {
        unsigned count = connection_event(c, e, found);
        return count + (ot_event_is(e, "pnio_cm") ? modules_event(e, found + count) : 0);
    }
    if (e->item_count && (e->operation == OP_PUBLISH || e->operation == OP_READ) &&
        e->direction != OT_REQUEST)
        return quality_event(c, e, found);
    return 0;
}

bool conditions_violation(struct conditions *c, const struct violation *v, bool *is_cyclic,
                          struct condition *found)
{
    static const char *const cyclic[] = {"pn_rt", "cipio", "sv"};
    *is_cyclic = false;
    if (v->kind != VIOLATION_SEQUENCE || (!strstr(v->why, "jumps") && !strstr(v->why, "move")))
        return false;
    for (size_t i = 0; i < sizeof cyclic / sizeof *cyclic; i++)
        *is_cyclic |= strcmp(cyclic[i], v->protocol) == 0;
    if (!*is_cyclic)
        return false;
    struct ot_event e = {
        .time_ns = v->time_ns, .flow = v->flow, .is_from_client = v->is_from_client};
    bool is_new;
    struct device *device = device_of(c, &e, KIND_CYCLES, (uint8_t)v->protocol[0], &is_new);
    if (device->since_ns == 0 || v->time_ns - device->since_ns > CYCLES_NS ||
        v->time_ns < device->since_ns) {
        device->since_ns = v->time_ns ? v->time_ns : 1;
        device->state = 0;
    }
    if (++device->state < CYCLES_MIN)
        return false;
    put(found, DETECTION_OPS_IO_DEGRADED, "has gaps in its cyclic data for %T: %O", cycles_expected,
        "cycles");
    found->has_target = true;
    text_copy(found->object, sizeof found->object, text_of(v->why));
    return true;
}
