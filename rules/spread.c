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
    char border[FINDING_KEY]; /* "office to line" */
    char names[NAMES_SIZE];   /* of the others */
};

struct member {
    struct slot slot;
    int64_t last_ns;
    int64_t start_ns; /* of its wave */
    uint64_t wave;
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

static uint64_t actor_key(const struct finding *f)
{
    return hash_mix(host_key(&f->actor), (uint64_t)f->segment << 32 | f->detection);
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
    text_copy(w->border, sizeof w->border, text_of(f->object));
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
                w->devices, w->border, w->names, is_more ? ", ..." : "");
}

/* The device is new to this actor: it joins the wave that goes over the same border, or begins one.
 */
static void member_begin(struct spread *s, struct member *m, const struct finding *f)
{
    bool is_new;
    uint64_t key = hash_mix(actor_key(f), hash_bytes(f->object, strlen(f->object))) | 1;
    struct wave *w = slots_take(&s->waves, key, f->time_ns, &is_new);
    bool is_graver = weight_of(f) & ~w->weight; /* must not hide behind a lesser one */
    if (is_new || is_graver || f->time_ns - w->last_ns > SPREAD_NS)
        wave_begin(w, f);
    else
        wave_join(w, f);
    m->wave = key;
    m->start_ns = w->start_ns;
    m->first = w->first;
}

/* The rest of many is told without its object: whose it is the device tells. */
void spread_fold(struct spread *s, struct finding *f)
{
    if (!is_crossing(f))
        return;
    bool is_new;
    uint64_t key = hash_mix(actor_key(f), host_key(&f->target)) | 1;
    struct member *m = slots_take(&s->members, key, f->time_ns, &is_new);
    if (is_new || f->time_ns - m->last_ns > FORGOTTEN_NS)
        member_begin(s, m, f);
    m->last_ns = f->time_ns;
    f->target = m->first;
    const struct wave *w = slots_find(&s->waves, m->wave, f->time_ns);
    if (w && m->start_ns == w->start_ns && w->devices > 1)
        tell_wave(w, f);
}
