/* flood.c: new connections per service in a window of five seconds. */
#include "flood.h"

#include "sensor/base/hash.h"

#include <stdlib.h>
#include <string.h>

enum {
    SERVICES = 256, /* power of two; each has a small neighbourhood */
    NEIGHBOURS = 8,
    FLOOD_FLOWS = 250, /* an HMI that restarts opens a few dozen at once, a browser fewer */
};
#define SECOND_NS INT64_C(1000000000)
#define WINDOW_NS (5 * SECOND_NS)
#define REPEAT_NS (60 * SECOND_NS) /* a flood that goes on is told again */

struct service {
    bool is_used;
    uint32_t segment;
    uint8_t transport;
    struct endpoint target;
    struct endpoint source; /* of the first connection in the window */
    bool is_one_source;
    int64_t window_ns, last_ns, told_ns;
    uint32_t count;       /* in the window */
    uint32_t told, total; /* since the flood began */
    uint64_t packet_number;
    uint32_t source_index;
};

struct floods {
    const struct finding_sink *sink;
    struct service services[SERVICES];
};

struct floods *floods_create(const struct finding_sink *sink)
{
    struct floods *f = calloc(1, sizeof *f);
    if (f)
        f->sink = sink;
    return f;
}

void floods_destroy(struct floods *floods)
{
    free(floods);
}

static bool is_same_host(const struct endpoint *a, const struct endpoint *b)
{
    return address_equal(&a->ip, &b->ip) &&
           (a->ip.kind != ADDRESS_NONE || mac_equal(&a->mac, &b->mac));
}

static bool is_service_of(const struct service *v, const struct sighting *s)
{
    return v->is_used && v->segment == s->segment && v->transport == s->transport &&
           v->target.port == s->other.port && is_same_host(&v->target, &s->other);
}

static struct service *service_of(struct floods *floods, const struct sighting *s)
{
    uint64_t hash = hash_mix(hash_bytes(&s->other.ip, sizeof s->other.ip),
                             (uint64_t)s->other.port << 32 | s->segment);
    struct service *oldest = NULL;
    for (unsigned i = 0; i < NEIGHBOURS; i++) {
        struct service *v = &floods->services[(hash + i) % SERVICES];
        if (is_service_of(v, s))
            return v;
        if (!oldest || !v->is_used || (oldest->is_used && v->last_ns < oldest->last_ns))
            oldest = v;
    }
    *oldest = (struct service){
        .is_used = true, .segment = s->segment, .transport = s->transport, .target = s->other};
    return oldest;
}

static void tell(struct floods *floods, struct service *v)
{
    struct finding f = {
        .detection = DETECTION_NET_FLOOD,
        .time_ns = v->last_ns,
        .segment = v->segment,
        .actor = v->source,
        .has_target = true,
        .target = v->target,
        .transport = v->transport,
        .count = v->total - v->told,
        .packet_number = v->packet_number,
        .source_index = v->source_index,
    };
    f.actor.port = 0;
    const char *transport = v->transport == TRANSPORT_TCP ? "TCP" : "UDP";
    text_format(f.what, sizeof f.what, "%s flooding %s port %u of %%T with connections",
                v->is_one_source ? "is" : "and other sources are", transport, v->target.port);
    text_format(f.expected, sizeof f.expected,
                "fewer than %d new connections to one service in %lld s", FLOOD_FLOWS,
                (long long)(WINDOW_NS / SECOND_NS));
    text_format(f.seen, sizeof f.seen, "%u new connections within %lld s", v->count,
                (long long)((v->last_ns - v->window_ns) / SECOND_NS + 1));
    text_format(f.key, sizeof f.key, "flood %u", v->target.port);
    v->told = v->total;
    v->told_ns = v->last_ns;
    floods->sink->finding(floods->sink->context, &f);
}

void floods_sighting(struct floods *floods, const struct sighting *s)
{
    if (s->kind != SIGHTING_FLOW || s->other.port == 0)
        return;
    struct service *v = service_of(floods, s);
    if (s->time_ns - v->window_ns > WINDOW_NS) {
        bool goes_on = v->count >= FLOOD_FLOWS;
        v->window_ns = s->time_ns;
        v->count = 0;
        v->source = s->who;
        v->is_one_source = true;
        if (!goes_on)
            v->told = v->total = 0;
    }
    v->is_one_source &= is_same_host(&v->source, &s->who);
    v->last_ns = s->time_ns;
    v->packet_number = s->packet_number;
    v->source_index = s->source_index;
    v->count++;
    v->total++;
    if (v->count == FLOOD_FLOWS && v->told == 0)
        tell(floods, v);
}

void floods_tick(struct floods *floods, int64_t time_ns)
{
    for (size_t i = 0; i < SERVICES; i++) {
        struct service *v = &floods->services[i];
        if (v->is_used && v->told > 0 && v->total > v->told && time_ns - v->told_ns >= REPEAT_NS)
            tell(floods, v);
    }
}
