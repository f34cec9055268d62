/* doctor_listen.c: a short look at an interface, with the sensor's own capture and decoder. */
#include "doctor_listen.h"

#include "sensor/base/hash.h"
#include "sensor/base/text.h"
#include "sensor/capture.h"
#include "sensor/decode.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    CONNECTIONS_MAX = 8192, /* in ten seconds; more share cells */
    PACKETS_MIN = 3,        /* a connection that has just begun may show one side only */
};

/* Ports that plants use (PROTOCOLS 2). A hint for people; the sensor itself never trusts a port. */
static const struct {
    uint16_t port;
    const char *protocol;
} plant_ports[] = {
    {102,   "s7comm or mms"},
    {502,   "modbus"       },
    {2404,  "iec104"       },
    {4840,  "opcua"        },
    {9600,  "fins"         },
    {18245, "ge_srtp"      },
    {20000, "dnp3"         },
    {44818, "enip"         },
    {47808, "bacnet"       },
    {5007,  "slmp"         },
    {48898, "ads"          },
    {5094,  "hart_ip"      },
    {2222,  "cipio"        },
    {34964, "pnio_cm"      },
    {1962,  "pcworx"       },
    {11740, "codesys_v3"   },
};

struct connection {
    uint64_t hash;
    uint32_t packets[2]; /* by direction */
};

struct listener {
    struct listened *result;
    struct connection *connections;
};

static int64_t wall_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static const char *plant_protocol(uint16_t port)
{
    for (size_t i = 0; i < sizeof plant_ports / sizeof *plant_ports; i++)
        if (plant_ports[i].port == port)
            return plant_ports[i].protocol;
    return NULL;
}

static void note_controller(struct listened *r, const struct packet *p)
{
    const char *protocol = plant_protocol(p->source_port);
    char address[ADDRESS_TEXT_SIZE];
    if (!protocol || p->payload_size == 0)
        return;
    address_print(address, &p->source);
    for (uint32_t i = 0; i < r->controller_count; i++)
        if (strcmp(r->controllers[i].address, address) == 0)
            return;
    if (r->controller_count == LISTEN_CONTROLLERS_MAX)
        return;
    struct listened_controller *c = &r->controllers[r->controller_count++];
    text_copy(c->address, sizeof c->address, text_of(address));
    c->protocol = protocol;
}

static void note_connection(struct listener *l, const struct packet *p)
{
    struct {
        struct address low, high;
        uint16_t low_port, high_port;
    } key;
    memset(&key, 0, sizeof key);
    int order = memcmp(&p->source, &p->destination, sizeof p->source);
    bool is_reverse = order > 0 || (order == 0 && p->source_port > p->destination_port);
    key.low = is_reverse ? p->destination : p->source;
    key.high = is_reverse ? p->source : p->destination;
    key.low_port = is_reverse ? p->destination_port : p->source_port;
    key.high_port = is_reverse ? p->source_port : p->destination_port;
    uint64_t hash = hash_bytes(&key, sizeof key) | 1;
    for (size_t i = 0; i < 8; i++) {
        struct connection *c = &l->connections[(hash + i) % CONNECTIONS_MAX];
        if (c->hash != 0 && c->hash != hash)
            continue;
        c->hash = hash;
        c->packets[is_reverse]++;
        return;
    }
}

static void note_packet(struct listener *l, const struct packet *p, bool is_decoded)
{
    struct listened *r = l->result;
    r->packets++;
    r->undecoded += !is_decoded;
    r->unicast += p->has_mac && !mac_is_group(&p->destination_mac);
    int64_t behind = wall_clock_ns() - p->time_ns;
    if (llabs(behind) > llabs(r->clock_behind_ns))
        r->clock_behind_ns = behind;
    if (p->transport == TRANSPORT_TCP)
        note_connection(l, p);
    if (p->transport == TRANSPORT_TCP || p->transport == TRANSPORT_UDP)
        note_controller(r, p);
}

static void count_connections(struct listener *l)
{
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        const struct connection *c = &l->connections[i];
        if (c->packets[0] + c->packets[1] < PACKETS_MIN)
            continue;
        l->result->connections++;
        l->result->one_sided += c->packets[0] == 0 || c->packets[1] == 0;
    }
}

static bool listen_on(struct capture *capture, struct decoder *decoder, struct listener *l,
                      int seconds, bool (*is_stopped)(void), struct error *err)
{
    struct counters counters = {0};
    int64_t end_ns = wall_clock_ns() + (int64_t)seconds * 1000000000;
    while (!is_stopped() && wall_clock_ns() < end_ns) {
        struct raw_packet raw;
        struct packet packet;
        enum capture_result got = capture_next(capture, &raw, err);
        if (got == CAPTURE_PACKET) {
            bool is_decoded = decode(decoder, &raw, &packet, &counters);
            note_packet(l, &packet, is_decoded);
        } else if (got != CAPTURE_IDLE) {
            return got == CAPTURE_END ? error_set(err, "the interface is gone") : false;
        }
    }
    struct capture_drops drops;
    capture_drops(capture, 0, &drops);
    l->result->dropped = drops.dropped_kernel + drops.dropped_interface;
    count_connections(l);
    return true;
}

bool doctor_listen(const char *interface, int seconds, bool (*is_stopped)(void),
                   struct listened *result, struct error *err)
{
    memset(result, 0, sizeof *result);
    struct capture_live_options live = {
        .interfaces = &interface, .interface_count = 1, .is_promiscuous = true};
    struct decode_options options = {.source_names = &interface, .source_count = 1};
    struct listener listener = {result, calloc(CONNECTIONS_MAX, sizeof *listener.connections)};
    struct decoder *decoder = decoder_create(&options);
    struct capture *capture = NULL;
    bool ok = listener.connections && decoder;
    if (!ok)
        error_set(err, "out of memory");
    ok = ok && capture_live(&capture, &live, err) &&
         listen_on(capture, decoder, &listener, seconds, is_stopped, err);
    capture_close(capture);
    decoder_destroy(decoder);
    free(listener.connections);
    return ok;
}
