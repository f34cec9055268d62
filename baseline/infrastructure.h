/* infrastructure.h: who gives a network its addresses, names, time, routes and shape. The holder of
 * such a role can redirect everybody, so a new one after learning is told. Bounded: what nobody has
 * claimed for longest is forgotten first. */
#pragma once

#include "sensor/base/error.h"
#include "sensor/base/finding.h"
#include "sensor/base/store.h"

enum infrastructure_role {
    ROLE_DHCP,        /* gives addresses, and says who routes and who resolves names */
    ROLE_DNS,         /* answers for names */
    ROLE_TIME,        /* NTP server */
    ROLE_GRANDMASTER, /* clock of a PTP domain or of PROFINET's PTCP */
    ROLE_ROUTER,      /* advertises itself to IPv6 hosts */
    ROLE_ROOT_BRIDGE, /* of a spanning tree */
    ROLE_RING,        /* manages a ring (MRP) */
    ROLE_RESPONDER,   /* answers questions for names that go to all: LLMNR, NetBIOS */
    ROLE_ANNOUNCER,   /* the same by mDNS, where every device speaks for itself */
    ROLE_REDIRECT,    /* tells hosts another way by ICMP */
    ROLE_STANDBY,     /* takes part in a virtual router: VRRP, HSRP */
    ROLE_COUNT,
};

enum { INFRASTRUCTURE_IDENTITY = 64 };

/* Events of the protocol may claim one. */
bool infrastructure_is_protocol(const char *name);
/* The role that the sender of an event claims by it, and for what: the root bridge's id, the
 * grandmaster's; empty: for itself. False: none. For every event that is no request. */
bool infrastructure_role_of(const struct ot_event *event, enum infrastructure_role *role,
                            struct text *id);
/* The id in words: "00:19:06:ea:b8:80". Returns out. */
char *infrastructure_identity(char out[INFRASTRUCTURE_IDENTITY], enum infrastructure_role role,
                              struct text id);

struct infrastructure;

struct infrastructure *infrastructure_create(const struct finding_sink *sink);
void infrastructure_destroy(struct infrastructure *infrastructure);

/* An INFRASTRUCTURE sighting in a segment (its number in the inventory). is_silent: it is learned;
 * is_new_host: the device itself was not known while learning. True: not claimed before. */
bool infrastructure_sighting(struct infrastructure *infrastructure, uint32_t segment,
                             const struct sighting *sighting, bool is_silent, bool is_new_host);

uint64_t infrastructure_evicted(const struct infrastructure *infrastructure);

/* The store: every claim that changed since the last call, and the way back. The inventory's schema
 * has the table. */
struct infrastructure_names { /* of what a claim is a row of */
    const char *sensor;
    const char *(*segment_name)(void *context, uint32_t segment);
    uint32_t (*segment_named)(void *context, const char *name);
    void *context;
};
void infrastructure_save(struct infrastructure *infrastructure, struct store_queue *queue,
                         const struct infrastructure_names *names);
bool infrastructure_load(struct infrastructure *infrastructure, struct store *store,
                         const struct infrastructure_names *names, struct error *err) NODISCARD;
