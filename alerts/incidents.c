/* incidents.c: stories by host, in sets of a few so that looking and forgetting are short. */
#include "incidents.h"

#include "sensor/base/hash.h"

#include <stdlib.h>
#include <string.h>

enum { SETS = 1024, WAYS = 4 };

#define SECOND_NS INT64_C(1000000000)

struct incident {
    uint32_t segment;
    struct address ip;
    struct mac mac;         /* of hosts without an address */
    char id[ALERT_ID_TEXT]; /* "": free */
    int64_t first_ns, last_ns;
};

struct incidents {
    struct incident sets[SETS][WAYS];
};

struct incidents *incidents_create(void)
{
    return calloc(1, sizeof(struct incidents));
}

void incidents_destroy(struct incidents *incidents)
{
    free(incidents);
}

static bool is_nobody(const struct endpoint *host)
{
    return host->ip.kind == ADDRESS_NONE && mac_is_zero(&host->mac);
}

/* Whose story it is. False: nobody's. */
static bool hero(struct incident *key, const struct finding *f)
{
    const struct endpoint *host = !is_nobody(&f->actor)                     ? &f->actor
                                  : f->has_target && !is_nobody(&f->target) ? &f->target
                                                                            : NULL;
    if (!host)
        return false;
    memset(key, 0, sizeof *key);
    key->segment = f->segment;
    key->ip = host->ip;
    if (host->ip.kind == ADDRESS_NONE)
        key->mac = host->mac;
    return true;
}

static bool is_same(const struct incident *a, const struct incident *b)
{
    return a->segment == b->segment && address_equal(&a->ip, &b->ip) && mac_equal(&a->mac, &b->mac);
}

/* The story of the key's host, or the place for it (another or no id there). */
static struct incident *find(struct incidents *incidents, const struct incident *key)
{
    uint64_t hash = hash_mix(hash_mix(key->segment, hash_bytes(&key->ip, sizeof key->ip)),
                             hash_bytes(&key->mac, sizeof key->mac));
    struct incident *set = incidents->sets[hash % SETS], *oldest = set;
    for (int i = 0; i < WAYS; i++) {
        if (set[i].id[0] && is_same(&set[i], key))
            return &set[i];
        if (!set[i].id[0] ? oldest->id[0] != '\0'
                          : oldest->id[0] && set[i].last_ns < oldest->last_ns)
            oldest = &set[i];
    }
    oldest->id[0] = '\0';
    return oldest;
}

static bool goes_on(const struct incident *incident, int64_t at_ns)
{
    return incident->id[0] && at_ns <= time_add(incident->last_ns, INCIDENT_QUIET_S * SECOND_NS) &&
           at_ns <= time_add(incident->first_ns, INCIDENT_LONGEST_S * SECOND_NS) &&
           at_ns >= time_add(incident->first_ns, -INCIDENT_QUIET_S * SECOND_NS);
}

void incidents_join(struct incidents *incidents, struct alert *alert)
{
    struct incident key;
    memcpy(alert->incident, alert->id, sizeof alert->incident);
    if (!hero(&key, &alert->finding))
        return;
    struct incident *incident = find(incidents, &key);
    if (goes_on(incident, alert->first_ns)) {
        memcpy(alert->incident, incident->id, sizeof alert->incident);
    } else {
        *incident = key;
        memcpy(incident->id, alert->id, sizeof incident->id);
        incident->first_ns = incident->last_ns = alert->first_ns;
    }
    incidents_continue(incidents, alert);
}

void incidents_continue(struct incidents *incidents, const struct alert *alert)
{
    struct incident key;
    if (!hero(&key, &alert->finding))
        return;
    struct incident *incident = find(incidents, &key);
    if (!incident->id[0]) { /* loaded, or forgotten since */
        *incident = key;
        memcpy(incident->id, alert->incident, sizeof incident->id);
        incident->first_ns = alert->first_ns;
        incident->last_ns = alert->last_ns;
    }
    if (strcmp(incident->id, alert->incident) == 0 && alert->last_ns > incident->last_ns)
        incident->last_ns = alert->last_ns;
}
