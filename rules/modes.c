/* modes.c: a table of devices and the mode they last told. */
#include "rules/modes.h"

#include "rules/slots.h"
#include "sensor/base/hash.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A controller takes seconds to start; who ordered it longer ago has not caused it. */
static const int64_t COMMAND_NS = 60 * INT64_C(1000000000);

/* A download or a test takes minutes. */
static const int64_t STAY_NS = 1800 * INT64_C(1000000000);
static const int64_t LOOK_NS = 10 * INT64_C(1000000000);

struct device {
    struct slot slot;
    int64_t since_ns; /* in this mode, when it is an insecure one; 0: it is not */
    bool is_told;
    const char *protocol;
    uint32_t segment;
    struct endpoint who;
    char mode[MODE_SIZE]; /* "": not told yet */
    int64_t commanded_ns; /* 0: never */
    struct endpoint commander;
};

struct modes {
    struct slots devices;           /* modes by device and kind of reply, commands by device */
    int64_t looked_ns, earliest_ns; /* earliest: no stay that is not told began before */
    size_t look_at;                 /* place where the running look goes on; capacity: it is over */
};

struct modes *modes_create(size_t devices_max)
{
    struct modes *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    if (!slots_create(&m->devices, devices_max, sizeof(struct device))) {
        free(m);
        return NULL;
    }
    m->earliest_ns = INT64_MAX;
    m->look_at = m->devices.capacity;
    return m;
}

void modes_destroy(struct modes *m)
{
    if (!m)
        return;
    slots_destroy(&m->devices);
    free(m);
}

static uint64_t device_key(const struct ot_event *e, const struct endpoint *device)
{
    uint64_t key = device->ip.kind == ADDRESS_NONE ? hash_bytes(&device->mac, sizeof device->mac)
                                                   : hash_bytes(&device->ip, sizeof device->ip);
    return hash_mix(key, e->flow->segment) | 1;
}

/* Two kinds of reply may name the same mode differently: only like is compared with like. */
static uint64_t mode_key(const struct ot_event *e)
{
    uint64_t key = hash_mix(device_key(e, ot_event_source(e)), 1);
    key = hash_mix(key, hash_bytes(e->protocol, strlen(e->protocol)));
    if (e->unit.size)
        key = hash_mix(key, hash_bytes(e->unit.at, e->unit.size));
    if (strcmp(e->protocol, "cip") == 0)
        key = hash_mix(key, e->function);
    return key | 1;
}

void modes_command(struct modes *m, const struct ot_event *e)
{
    if (e->operation != OP_STOP && e->operation != OP_START && e->operation != OP_MODE_CHANGE &&
        e->operation != OP_RESTART)
        return;
    bool is_new;
    struct device *device =
        slots_take(&m->devices, device_key(e, &e->flow->server), e->time_ns, &is_new);
    device->commanded_ns = e->time_ns;
    device->commander = e->flow->client;
}

static struct text mode_told(const struct ot_event *e)
{
    for (uint32_t i = 0; i < e->fact_count; i++)
        if (e->facts[i].kind == FACT_MODE && !e->facts[i].is_about_receiver)
            return e->facts[i].value;
    return (struct text){NULL, 0};
}

static bool is_insecure(const char *mode)
{
    static const char *const words[] = {"stop", "program", "idle", "halt",   "hold",
                                        "test", "boot",    "init", "service"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strncasecmp(mode, words[i], strlen(words[i])) == 0)
            return true;
    return false;
}

static void note_stay(struct modes *m, struct device *device, const struct ot_event *e,
                      const char *mode)
{
    bool was = device->since_ns != 0;
    if (!is_insecure(mode)) {
        device->since_ns = 0;
        device->is_told = false;
    } else if (!was) {
        device->since_ns = e->time_ns ? e->time_ns : 1;
        device->protocol = e->protocol;
        device->segment = e->flow->segment;
        device->who = *ot_event_source(e);
        if (device->since_ns < m->earliest_ns)
            m->earliest_ns = device->since_ns;
    }
}

bool modes_stay(struct modes *m, int64_t now_ns, struct mode_stay *stay)
{
    if (m->look_at >= m->devices.capacity) {
        if (m->earliest_ns > now_ns - STAY_NS)
            return false;
        if (now_ns >= m->looked_ns && now_ns - m->looked_ns < LOOK_NS)
            return false;
        m->looked_ns = now_ns;
        m->earliest_ns = INT64_MAX;
        m->look_at = 0;
    }
    while (m->look_at < m->devices.capacity) {
        struct device *device = slots_at(&m->devices, m->look_at++);
        if (device->slot.key == 0 || device->since_ns == 0 || device->is_told)
            continue;
        if (now_ns - device->since_ns < STAY_NS) {
            if (device->since_ns < m->earliest_ns)
                m->earliest_ns = device->since_ns;
            continue;
        }
        device->is_told = true;
        *stay = (struct mode_stay){.protocol = device->protocol,
                                   .segment = device->segment,
                                   .device = device->who,
                                   .since_ns = device->since_ns};
        memcpy(stay->mode, device->mode, sizeof stay->mode);
        return true;
    }
    return false;
}

/* Told in the same letters before: then nothing is to be noted. */
static bool is_same(const struct device *device, struct text mode)
{
    return strlen(device->mode) == mode.size && memcmp(device->mode, mode.at, mode.size) == 0;
}

bool modes_note(struct modes *m, const struct ot_event *e, struct mode_change *change)
{
    struct text told = mode_told(e);
    if (told.size == 0)
        return false;
    bool is_new;
    struct device *device = slots_take(&m->devices, mode_key(e), e->time_ns, &is_new);
    if (is_same(device, told))
        return false;
    text_copy(change->now, sizeof change->now, told);
    note_stay(m, device, e, change->now);
    if (is_new || strcasecmp(device->mode, change->now) == 0) {
        memcpy(device->mode, change->now, sizeof device->mode);
        return false;
    }
    memcpy(change->before, device->mode, sizeof change->before);
    memcpy(device->mode, change->now, sizeof device->mode);
    const struct device *commanded =
        slots_find(&m->devices, device_key(e, ot_event_source(e)), e->time_ns);
    change->has_commander =
        commanded && commanded->commanded_ns && e->time_ns - commanded->commanded_ns <= COMMAND_NS;
    if (change->has_commander)
        change->commander = commanded->commander;
    return true;
}
