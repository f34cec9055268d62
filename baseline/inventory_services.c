/* inventory_services.c: what a device serves and uses. */
#include "inventory_state.h"

#include <string.h>

enum {
    EPHEMERAL_PORT = 32768,    /* Linux's first; IANA's is 49152 (RFC 6335) */
    OLD_EPHEMERAL_PORT = 1024, /* of old Windows: up to 5000 */
    OLD_EPHEMERAL_LAST = 5000,
    PORT_FTP_DATA = 20,
    PORT_FTP = 21,
    PORT_TFTP = 69,
    PORT_RPC = 135,
};

static const int64_t SERVICES_NS =
    600 * 1000000000ll; /* a new device's services belong to its newness */

/* Ports that come and go by design: clients' own, FTP's and TFTP's data, dynamic RPC. */
static bool is_passing_port(const struct assets *t, const struct asset *a, uint8_t transport,
                            uint16_t port)
{
    if (port == 0 || port >= EPHEMERAL_PORT ||
        (transport == TRANSPORT_TCP && port == PORT_FTP_DATA))
        return true;
    if (port < OLD_EPHEMERAL_PORT)
        return false;
    return asset_service_find(t, a, TRANSPORT_TCP, PORT_FTP) ||
           asset_service_find(t, a, TRANSPORT_UDP, PORT_TFTP) ||
           (port <= OLD_EPHEMERAL_LAST && asset_service_find(t, a, TRANSPORT_TCP, PORT_RPC));
}

/* A service is served when its protocol was recognised and it answered, in whatever order. */
static void served(struct inventory *inv, struct asset *a, struct asset_service *service)
{
    if (!(service->flags & SERVICE_ANSWERED) || service->protocol == 0)
        return;
    bool was_controller = (a->flags & ASSET_CONTROLLER) != 0;
    asset_protocol_add(&inv->assets, a, service->protocol, true);
    bool is_controller = (a->flags & ASSET_CONTROLLER) != 0;
    if (is_controller && !was_controller && a->is_new && a->is_told)
        inventory_tell_new(inv, a);
}

static void recent_add(struct inventory *inv, uint32_t segment, uint8_t transport,
                       const struct endpoint *server, uint16_t protocol)
{
    inv->recent[inv->recent_at++ % RECENT_MAX] =
        (struct recent_service){segment, transport, true, protocol, *server};
}

/* The last one of this server that has a protocol, or (has_protocol false) that answered; NULL:
 * none. */
static const struct recent_service *recent_find(const struct inventory *inv, uint32_t segment,
                                                uint8_t transport, const struct endpoint *server,
                                                bool has_protocol)
{
    for (size_t i = 0; i < RECENT_MAX; i++) {
        const struct recent_service *r = &inv->recent[i];
        if (r->is_used && (r->protocol != 0) == has_protocol && r->segment == segment &&
            r->transport == transport && r->server.port == server->port &&
            address_equal(&r->server.ip, &server->ip))
            return r;
    }
    return NULL;
}

/* The service answered: for the first time? Then it is told, or learned. */
static void service_answered(struct inventory *inv, uint32_t segment, struct asset *a,
                             struct asset_service *service, const struct sighting *s,
                             const struct endpoint *client)
{
    bool is_new = !(service->flags & SERVICE_ANSWERED);
    service->flags |= SERVICE_ANSWERED;
    service->last_ns = s->time_ns;
    service->count++;
    service->is_dirty = true;
    if (!is_new)
        return;
    inventory_something_new(inv, segment);
    bool is_part_of_newness = a->is_new && s->time_ns - a->first_ns < SERVICES_NS;
    if (!inventory_is_silent(inv, segment) && !is_part_of_newness)
        inventory_tell_service(inv, a, service, s, client);
}

/* Where both ends have the same UDP port (cyclic I/O, NTP peers), it is chance who is seen to
 * begin: what one of them offers is what both do. */
static bool is_offered_by_both(const struct inventory *inv, const struct asset *client,
                               const struct sighting *s)
{
    if (s->transport != TRANSPORT_UDP || s->who.port != s->other.port || !client)
        return false;
    const struct asset_service *other =
        asset_service_find(&inv->assets, client, s->transport, s->other.port);
    return other && other->flags & SERVICE_ANSWERED;
}

void inventory_on_answer(struct inventory *inv, uint32_t segment, struct asset *a,
                         const struct sighting *s)
{
    struct assets *t = &inv->assets;
    struct asset *client = inventory_host_find(inv, segment, &s->other);
    a->flags |= ASSET_TALKED | (address_is_public(&s->other.ip) ? ASSET_PUBLIC : 0u);
    if (client)
        client->flags |= ASSET_TALKED | (address_is_public(&s->who.ip) ? ASSET_PUBLIC : 0u);
    const struct recent_service *recent = recent_find(inv, segment, s->transport, &s->who, true);
    if (!recent && is_passing_port(t, a, s->transport, s->who.port) &&
        !asset_service_find(t, a, s->transport, s->who.port)) {
        recent_add(inv, segment, s->transport, &s->who, 0);
        return;
    }
    bool is_new;
    struct asset_service *service =
        asset_service(t, a, s->transport, s->who.port, s->time_ns, &is_new);
    if (!service)
        return;
    if (service->protocol == 0 && recent)
        service->protocol = recent->protocol;
    if (is_offered_by_both(inv, client, s))
        service->flags |= SERVICE_ANSWERED;
    service_answered(inv, segment, a, service, s, &s->other);
    served(inv, a, service);
}

/* A device that always answered in a plant protocol now asks in it. Only the first packets of a
 * TCP connection tell for sure who asks. */
static bool is_reversal(const struct inventory *inv, const struct asset *client,
                        const struct sighting *s, uint16_t name)
{
    if (!s->is_start_seen || s->transport != TRANSPORT_TCP || !s->detail || client->is_reversed ||
        client->is_new || inventory_is_silent(inv, client->segment) ||
        !asset_protocol_kind(s->protocol))
        return false;
    for (size_t i = 0; i < client->protocol_count; i++)
        if (client->protocols[i].name == name)
            return client->protocols[i].is_served && !client->protocols[i].is_used;
    return false;
}

void inventory_on_protocol(struct inventory *inv, uint32_t segment, struct asset *client,
                           const struct sighting *s)
{
    struct assets *t = &inv->assets;
    uint16_t name = assets_protocol(t, s->protocol);
    if (is_reversal(inv, client, s, name))
        inventory_tell_reversed(inv, client, s);
    asset_protocol_add(t, client, name, false);
    if (address_is_group(&s->other.ip) || mac_is_group(&s->other.mac))
        return;
    struct asset *server = inventory_host_find(inv, segment, &s->other);
    if (!server) {
        recent_add(inv, segment, s->transport, &s->other, name);
        return;
    }
    if (s->other.port == 0) { /* straight on Ethernet */
        asset_protocol_add(t, server, name, true);
        return;
    }
    bool is_plant = asset_protocol_kind(s->protocol) != NULL, is_new = false;
    struct asset_service *service = asset_service_find(t, server, s->transport, s->other.port);
    if (!service && !is_plant && is_passing_port(t, server, s->transport, s->other.port))
        return;
    if (!service)
        service = asset_service(t, server, s->transport, s->other.port, s->time_ns, &is_new);
    if (!service)
        return;
    if (service->protocol == 0 || is_plant) {
        service->protocol = name;
        service->flags |= SERVICE_RECOGNISED;
        service->is_dirty = true;
    }
    if (is_new && recent_find(inv, segment, s->transport, &s->other, false))
        service_answered(inv, segment, server, service, s, &s->who);
    served(inv, server, service);
}

const char *inventory_served(const struct inventory *inv, uint32_t segment,
                             const struct endpoint *server, uint8_t transport)
{
    const uint8_t sure = SERVICE_ANSWERED | SERVICE_RECOGNISED;
    uint32_t at = inventory_segment_find(inv, segment);
    const struct asset *a = at == INDEX_NONE ? NULL : inventory_host_find(inv, at, server);
    const struct asset_service *s =
        a ? asset_service_find(&inv->assets, a, transport, server->port) : NULL;
    if (!s || (s->flags & sure) != sure || s->protocol == 0)
        return NULL;
    const char *name = assets_protocol_name(&inv->assets, s->protocol);
    return asset_protocol_kind(name) ? name : NULL;
}
