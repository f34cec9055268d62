/* spread.c: see spread.h. */
#include "rules/spread.h"

#include "rules/slots.h"
#include "sensor/base/hash.h"
#include "sensor/base/text.h"

#include <stdlib.h>
#include <string.h>

enum { WAVES_MAX = 256, MEMBERS_MAX = 4096, NAMES_SHOWN = 4, NAMES_SIZE = 160 };

#define SECOND_NS INT64_C(1000000000)
static const int64_t SPREAD_NS = 2 * SECOND_NS; /* a program's pause between devices; a person's is
                                                   longer */
static const int64_t FORGOTTEN_NS = 86400 * SECOND_NS; /* as long as such an alert may grow */

/* Devices that one actor went for, each soon after the one before. */
struct wave {
    struct slot slot;
    int64_t start_ns, last_ns; /* of the first device, of the newest */
    struct endpoint first;
    uint32_t weight; /* what the first is declared to be */
    uint32_t devices;
    char names[NAMES_SIZE]; /* of the others */
};

struct member {
    struct slot slot;
    int64_t last_ns;
    int64_t start_ns; /* of its wave */
    struct endpoint first;
};

struct spread {
    struct slots waves, members;
};

struct spread *spread_create(void)
{
    struct spread *s = calloc(1, sizeof *s);
    if (!s || !slots_create(&s->waves, WAVES_MAX, sizeof(struct wave)) ||
        !slots_create(&s->members, MEMBERS_MAX, sizeof(struct member))) {
        spread_destroy(s);
        return NULL;
    }
    return s;
}

void spread_destroy(struct spread *s)
{
    if (!s)
        return;
    slots_destroy(&s->waves);
    slots_destroy(&s->members);
    free(s);
}

static uint64_t host_key(const struct endpoint *host)
{
    return host->ip.kind == ADDRESS_NONE ? hash_bytes(&host->mac, sizeof host->mac)
                                         : hash_bytes(&host->ip, sizeof host->ip);
}

/* Actor and border; the object names the two zones. */
static uint64_t border_key(const struct finding *f)
{
    uint64_t key = hash_mix(host_key(&f->actor), (uint64_t)f->segment << 32 | f->detection);
    return hash_mix(key, hash_bytes(f->object, strlen(f->object))) | 1;
}

static bool is_crossing(const struct finding *f)
{
    return (f->detection == DETECTION_SEG_ZONE_VIOLATION ||
            f->detection == DETECTION_SEG_LEVEL_SKIP) &&
           f->has_target && strcmp(f->key, "zones") == 0;
}

static uint32_t weight_of(const struct finding *f)
{
    return f->flags & (FINDING_SAFETY_ASSET | FINDING_CRITICAL_ASSET);
}

static void wave_begin(struct wave *w, const struct finding *f)
{
    w->start_ns = w->last_ns = f->time_ns;
    w->first = f->target;
    w->weight = weight_of(f);
    w->devices = 1;
    w->names[0] = '\0';
}

static void wave_join(struct wave *w, const struct finding *f)
{
    char name[ADDRESS_TEXT_SIZE];
    size_t used = strlen(w->names);
    w->last_ns = f->time_ns;
    if (++w->devices > NAMES_SHOWN + 1)
        return;
    if (f->target.ip.kind == ADDRESS_NONE)
        mac_print(name, &f->target.mac);
    else
        address_print(name, &f->target.ip);
    text_format(w->names + used, sizeof w->names - used, "%s%s", used ? ", " : "", name);
}

static void tell_wave(const struct wave *w, struct finding *f)
{
    bool is_more = w->devices > NAMES_SHOWN + 1;
    text_format(f->seen, sizeof f->seen, "%u devices in turn, from %s; after the first %s%s",
                w->devices, f->object, w->names, is_more ? ", ..." : "");
}

void spread_fold(struct spread *s, struct finding *f)
{
    if (!is_crossing(f))
        return;
    bool is_new_wave, is_new;
    uint64_t key = border_key(f);
    struct wave *w = slots_take(&s->waves, key, f->time_ns, &is_new_wave);
    struct member *m =
        slots_take(&s->members, hash_mix(key, host_key(&f->target)) | 1, f->time_ns, &is_new);
    is_new |= f->time_ns - m->last_ns > FORGOTTEN_NS;
    m->last_ns = f->time_ns;
    if (is_new) {
        bool is_graver = weight_of(f) & ~w->weight; /* must not hide behind a lesser one */
        if (is_new_wave || is_graver || f->time_ns - w->last_ns > SPREAD_NS)
            wave_begin(w, f);
        else
            wave_join(w, f);
        m->start_ns = w->start_ns;
        m->first = w->first;
    }
    f->target = m->first;
    if (m->start_ns == w->start_ns && w->devices > 1)
        tell_wave(w, f);
}
