/* asset.h: the table of devices: their addresses, what they serve and use, what they tell about
 * themselves.
 *
 * Owned by the core thread. Bounded: when it is full the most transient of a few old entries makes
 * room. */
#pragma once

#include "asset_index.h"
#include "scan.h"
#include "sensor/base/finding.h"
#include "sensor/base/place.h"

enum {
    ASSET_ID_SIZE = 24,
    ASSET_IPS_MAX = 8,
    ASSET_MACS_MAX = 12, /* a switch has one for each port */
    ASSET_VLANS_MAX = 4,
    ASSET_PROTOCOLS_MAX = 24,
    ASSET_SERVICES_MAX = 48,
    ASSET_FACTS_MAX = 96,
    ASSET_FORMER_MAX = 2,
    ASSET_FACT_TEXT = 128, /* as struct sighting's */
    ASSET_UNIT_TEXT = 48,  /* an AP title; as struct sighting's */
    PROTOCOL_NAME_SIZE = 24,
    PROTOCOLS_MAX = 512, /* names known to nDPI and us */
};

/* What a device that serves this protocol probably is. */
struct asset_protocol_kind {
    const char *name;
    const char *server_class; /* "plc", "rtu", "ied", "server", "io-device" */
    bool is_controller;       /* serving it makes a controller or I/O device */
};
/* NULL: not a plant protocol. */
const struct asset_protocol_kind *asset_protocol_kind(const char *name);
/* Whether what this protocol says of a unit is about another device behind the speaker (a router's
 * other network, a slave on the master's bus), never about the speaker itself. */
bool asset_unit_is_other(const char *protocol);

enum asset_flag {
    ASSET_ROUTER = 1,      /* its MAC carries addresses of other subnets */
    ASSET_CONTROLLER = 2,  /* answered as server of a plant protocol */
    ASSET_ENGINEERING = 4, /* performed a critical operation */
    ASSET_PROXY = 8,       /* behind a router: has no MAC of its own here */
    ASSET_TALKED = 16,     /* answered or was answered: not just a spoofed address */
    ASSET_PUBLIC = 32,     /* exchanged traffic with public addresses */
    ASSET_COLLECTS = 64,   /* reads several controllers, or one that collects itself */
    ASSET_POSES = 128,     /* claimed addresses that others went on using */
};

enum service_flag { SERVICE_ANSWERED = 1, SERVICE_RECOGNISED = 2 };

struct asset_service {
    uint32_t next; /* of the asset; INDEX_NONE ends */
    uint16_t port;
    uint16_t protocol; /* id of its name; 0: not recognised */
    uint8_t transport;
    uint8_t flags; /* enum service_flag */
    bool is_dirty;
    int64_t first_ns, last_ns;
    uint64_t count;
};

struct asset_fact {
    uint32_t next;
    uint16_t kind; /* enum fact_kind */
    uint16_t protocol;
    bool is_current; /* the last one told of its kind, unit and protocol */
    bool is_dirty;
    char unit[ASSET_UNIT_TEXT]; /* "": the asset itself; else a unit behind it */
    char text[ASSET_FACT_TEXT];
    int64_t first_ns, last_ns;
    uint64_t count;
};

struct asset_protocol {
    uint16_t name; /* id */
    bool is_served, is_used;
};

struct asset {
    char id[ASSET_ID_SIZE];                       /* given at first sight, never computed again */
    char former[ASSET_FORMER_MAX][ASSET_ID_SIZE]; /* ids of assets that turned out to be this one */
    uint32_t segment;                             /* index of the inventory's segment */
    uint32_t flags;                               /* enum asset_flag */
    uint8_t ip_count, mac_count, vlan_count, protocol_count, former_count;
    bool is_used, is_dirty;
    bool is_new;           /* first seen in this run, after learning */
    bool is_pending;       /* its finding waits for what it turns out to be */
    bool is_told;          /* a finding said that it is new */
    uint8_t foreign_count; /* addresses of other subnets behind its MAC */
    uint16_t fact_count, service_count;
    struct scan_habit habit; /* learned */
    uint64_t first_packet;   /* where it was seen first, in this run */
    uint32_t first_source;
    uint16_t vlans[ASSET_VLANS_MAX];
    struct address ips[ASSET_IPS_MAX];
    bool is_ip_confirmed[ASSET_IPS_MAX]; /* by ARP of its own */
    struct mac macs[ASSET_MACS_MAX];
    struct asset_protocol protocols[ASSET_PROTOCOLS_MAX];
    int64_t first_ns, last_ns, changed_ns; /* changed: an identity fact; 0: never */
    uint64_t packets, bytes;
    int64_t longest_pause_ns; /* between two sightings */
    int64_t present_ns;       /* heard without a long pause */
    int64_t heard_ns;         /* last sighting in this run; 0: none */
    int64_t program_ns;       /* last order in this run that changes its program; 0: none */
    bool is_lost;             /* and told */
    bool is_reversed;         /* was told to be a client now */
    uint32_t reads_from; /* hash of the address of the first controller that it read; 0: none */
    uint64_t operations; /* performed: a bit per enum operation */
    uint64_t plant;      /* of these, with protocols of the plant */
    uint64_t usual;      /* of these, while learning or by a device that is new: what it is
                            there for */
    uint64_t suffered;   /* performed on it */
    uint32_t first_service, first_fact;
};

struct assets {
    struct asset *list;
    size_t capacity, count; /* count: slots ever used */
    size_t live;            /* in use */
    struct asset_index by_ip, by_mac, by_id;
    struct asset_service *services;
    struct asset_fact *facts;
    size_t service_capacity, service_count, fact_capacity, fact_count;
    uint32_t free_service, free_fact, free_asset;
    size_t hand;
    uint64_t ips_added;
    char protocols[PROTOCOLS_MAX][PROTOCOL_NAME_SIZE];
    uint16_t protocol_count;
    uint64_t evicted, services_full, facts_full;
};

bool assets_create(struct assets *t, size_t capacity);
void assets_destroy(struct assets *t);

/* NULL: unknown. Several may have the address (one replaced the other, or cells that are not told
 * apart reuse it): the one with this MAC, which may be NULL, else the one heard last. */
struct asset *assets_by_ip(const struct assets *t, uint32_t segment, const struct address *ip,
                           const struct mac *mac);
/* Another asset with an address of a; NULL: none. */
struct asset *assets_sharing_ip(const struct assets *t, const struct asset *a,
                                const struct address *ip);
struct asset *assets_by_mac(const struct assets *t, uint32_t segment, const struct mac *mac);
struct asset *assets_by_id(const struct assets *t, const char *id);

/* A new asset with an id made of segment_name and the addresses (either may be absent), but without
 * addresses yet. Never NULL. */
struct asset *assets_make(struct assets *t, uint32_t segment, const char *segment_name,
                          const struct endpoint *who, int64_t time_ns);
/* A new asset with a given id, as loaded; NULL when there is no free slot. */
struct asset *assets_restore(struct assets *t, const char *id, uint32_t segment);

/* False when the asset has no room for another address. */
bool asset_ip_add(struct assets *t, struct asset *a, const struct address *ip, bool is_confirmed);
bool asset_mac_add(struct assets *t, struct asset *a, const struct mac *mac);
void asset_ip_remove(struct assets *t, struct asset *a, const struct address *ip);
/* ip, which a has, becomes its primary address. */
void asset_ip_prefer(struct asset *a, const struct address *ip);
bool asset_has_mac(const struct asset *a, const struct mac *mac);
void asset_mac_remove(struct assets *t, struct asset *a, const struct mac *mac);
/* younger turned out to be older: its addresses, services and facts go over; its id stays as a
 * former id. */
void assets_merge(struct assets *t, struct asset *older, struct asset *younger);

/* The id of a protocol's name, made when unknown; 0 when there is no name or no room. */
uint16_t assets_protocol(struct assets *t, const char *name);
static inline const char *assets_protocol_name(const struct assets *t, uint16_t id)
{
    return t->protocols[id];
}
/* True when it is new for the asset. */
bool asset_protocol_add(struct assets *t, struct asset *a, uint16_t name, bool is_served);

/* The service, made when unknown (*is_new); NULL when there is no room. */
struct asset_service *asset_service(struct assets *t, struct asset *a, uint8_t transport,
                                    uint16_t port, int64_t time_ns, bool *is_new);
struct asset_service *asset_service_find(const struct assets *t, const struct asset *a,
                                         uint8_t transport, uint16_t port);

/* The fact with this text, made when unknown; NULL when there is no room. Does not change
 * is_current. */
struct asset_fact *asset_fact(struct assets *t, struct asset *a, enum fact_kind kind,
                              uint16_t protocol, const char *unit, const char *text,
                              int64_t time_ns, bool *is_new);
/* Facts that make a device what it is: every value is kept. Of others (mode...) only the last. */
bool asset_fact_is_identity(enum fact_kind kind);
/* A device has several of these at once, such as names of the modules in its rack: none replaces
 * another. */
bool asset_fact_is_list(enum fact_kind kind);
/* The current fact of a kind: of the asset itself if there is one, else of the unit known for
 * longest; NULL: none. */
const struct asset_fact *asset_fact_best(const struct assets *t, const struct asset *a,
                                         enum fact_kind kind);
/* The same, text only; "" when unknown. */
const char *asset_fact_text(const struct assets *t, const struct asset *a, enum fact_kind kind);

/* Units that contradict each other are several devices: which of them is the asset itself (the one
 * heard first); "" when all facts are its own. */
const char *asset_own_unit(const struct assets *t, const struct asset *a);
/* How many units behind it answered in this protocol: addresses of a line or a bus that are not
 * those by which the device itself is spoken to. */
size_t asset_units_behind(const struct assets *t, const struct asset *a, const char *protocol);
/* Whether this is such a unit. */
bool asset_unit_is_behind(const char *protocol, const char *unit);
/* Whether the protocol has addresses below the host's that are worth a place in the inventory. */
bool asset_has_units(const char *protocol);
/* As people call it: "Modbus unit 7". Returns out. */
enum { ASSET_UNIT_NAME = ASSET_UNIT_TEXT + 24 };
char *asset_unit_name(char out[ASSET_UNIT_NAME], const char *protocol, const char *unit);
/* The rack and slot that the address of a unit tells in this protocol; "" for what it does not. */
enum { ASSET_PLACE_SIZE = 16 };
void asset_unit_place(const char *protocol, const char *unit, char rack[ASSET_PLACE_SIZE],
                      char slot[ASSET_PLACE_SIZE]);
/* Its own serial number, not that of a unit behind it; "" when it is not known. */
const char *asset_serial(const struct assets *t, const struct asset *a);

/* What a device probably is, and how sure that is. */
struct asset_guess {
    const char *class;  /* "plc", "hmi", "router", "unknown"... (DETECTIONS 2, asset_class) */
    uint8_t confidence; /* 0 to 100 */
    int16_t level;      /* Purdue level in tenths; LEVEL_UNKNOWN */
    char why[96];       /* "answers modbus"; "" for what is unknown */
};
/* By what it told and did; place (NULL: none): what the site policy says of it stands above. */
void asset_guess(const struct assets *t, const struct asset *a, const struct site_place *place,
                 struct asset_guess *guess);
/* Where devices of a class usually stand, in tenths; LEVEL_UNKNOWN. */
int16_t asset_level_of_class(const char *class);
/* asset_words.c: the class that words mean, NULL: none. Of a told device type: */
const char *asset_class_of_words(const char *text);
/* of those bits of a device type that others have, too; */
const char *asset_class_of_weak_words(const char *text);
/* of a product or order number; of a name that people gave. */
const char *asset_class_of_product(const char *text);
const char *asset_class_of_name(const char *text);
/* Its class alone. */
const char *asset_class(const struct assets *t, const struct asset *a);
/* What it does: "controller;scanner" (DETECTIONS 2, role). Returns out. */
char *asset_role(const struct assets *t, const struct asset *a, char *out, size_t capacity);
/* Where facts come from that a client of OPC UA tells: of a program, perhaps beside a server. */
#define ASSET_OPCUA_CLIENT "opcua client"
/* The best display name; "" when it has only addresses. */
const char *asset_name(const struct assets *t, const struct asset *a);
