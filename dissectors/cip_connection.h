/* cip_connection.h: what a Forward_Open said about a connection, kept per pair of hosts, so that
 * connected messages on TCP and cyclic data on UDP have a route and an object. */
#pragma once

#include "dissector.h"
#include "sensor/base/hash.h"

enum { CIP_ROUTE_KEPT = 24 };

/* One direction of a connection. */
struct cip_connection {
    uint32_t id;       /* as it stands in the packets of this direction */
    uint32_t other_id; /* of the other direction */
    uint32_t originator_serial;
    uint32_t interval_us; /* packet interval that was agreed */
    uint32_t point;       /* connection point or assembly that is filled; 0: none named */
    uint16_t originator_vendor;
    uint8_t transport_class; /* 0 and 1 cyclic, 3 messages */
    bool is_to_target;
    bool is_variable; /* its packets may differ in size */
    uint8_t route_size;
    char route[CIP_ROUTE_KEPT];
};

/* The id is chosen by the receiver of its packets and unique there. */
static inline uint64_t cip_connection_key(const struct ot_flow *flow, bool is_to_server,
                                          uint32_t id)
{
    const struct address *receiver = is_to_server ? &flow->server.ip : &flow->client.ip;
    return hash_mix(hash_mix(0x636970636f6e6e, id), hash_bytes(receiver, sizeof *receiver));
}

/* NULL: not known. */
static inline struct cip_connection *cip_connection_find(struct dissect *d, uint32_t id)
{
    return dissect_pair(d, cip_connection_key(d->flow, d->is_from_client, id),
                        sizeof(struct cip_connection), false);
}

/* The fields of a Forward_Open request. */
struct cip_forward_open {
    uint32_t ot_id, to_id; /* towards the target, towards the originator */
    uint16_t serial, originator_vendor;
    uint32_t originator_serial;
    uint32_t ot_interval_us, to_interval_us;
    bool ot_is_variable, to_is_variable;
    uint8_t transport_class;
    struct reader path;
};

/* False: too short. */
bool cip_forward_open_read(struct reader *r, bool is_large, struct cip_forward_open *open);
/* Serial numbers and path of a Forward_Close. */
bool cip_forward_close_read(struct reader *r, struct cip_forward_open *closed);
bool cip_forward_open_is_cyclic(const struct cip_forward_open *open);
/* The assemblies that are exchanged; 0: none named. */
void cip_forward_open_points(const struct cip_forward_open *open, uint32_t *ot, uint32_t *to);
/* Keeps one direction of a connection, when the response that opens it is being dissected. */
void cip_connection_learn(struct dissect *d, const struct cip_connection *connection);
