/* flooded.c: see flooded.h. */
#include "rules/flooded.h"

#include "sensor/base/packet.h"

#include <stdlib.h>

enum { FLOODS_MAX = 64 };

#define SECOND_NS INT64_C(1000000000)

struct flood {
    int64_t told_ns; /* 0: unused */
    uint32_t segment;
    struct endpoint source, target;
};

struct flooded {
    struct flood floods[FLOODS_MAX];
    size_t next; /* the oldest */
};

struct flooded *flooded_create(void)
{
    return calloc(1, sizeof(struct flooded));
}

void flooded_destroy(struct flooded *x)
{
    free(x);
}

static bool is_same(const struct endpoint *a, const struct endpoint *b)
{
    return address_equal(&a->ip, &b->ip) &&
           (a->ip.kind != ADDRESS_NONE || mac_equal(&a->mac, &b->mac));
}

/* Answers go the other way, to ports that may look like a service. */
static bool is_between(const struct flood *flood, const struct finding *f)
{
    bool is_there = is_same(&f->actor, &flood->source) && is_same(&f->target, &flood->target);
    bool is_back = is_same(&f->actor, &flood->target) && is_same(&f->target, &flood->source);
    return is_there || is_back;
}

static bool is_of(const struct flood *flood, const struct finding *f)
{
    if (flood->told_ns == 0 || flood->segment != f->segment || f->time_ns < flood->told_ns ||
        f->time_ns - flood->told_ns > FLOODED_S * SECOND_NS)
        return false;
    bool is_to_service = f->detection == DETECTION_COMM_PROTOCOL_ON_ODD_PORT &&
                         is_same(&f->target, &flood->target) &&
                         f->target.port == flood->target.port;
    return is_to_service || is_between(flood, f);
}

static bool is_of_single_datagrams(const struct finding *f)
{
    switch (f->detection) {
    case DETECTION_COMM_PROTOCOL_ON_ODD_PORT:
    case DETECTION_COMM_NEW_LINK:
    case DETECTION_COMM_NEW_PROTOCOL:
    case DETECTION_COMM_NEW_SERVICE:
        return f->has_target && f->transport == TRANSPORT_UDP;
    default:
        return false;
    }
}

bool flooded_covers(struct flooded *x, const struct finding *f)
{
    if (f->detection == DETECTION_NET_FLOOD && f->has_target && f->transport == TRANSPORT_UDP) {
        x->floods[x->next] = (struct flood){f->time_ns, f->segment, f->actor, f->target};
        x->next = (x->next + 1) % FLOODS_MAX;
        return false;
    }
    if (!is_of_single_datagrams(f))
        return false;
    for (size_t i = 0; i < FLOODS_MAX; i++)
        if (is_of(&x->floods[i], f))
            return true;
    return false;
}
