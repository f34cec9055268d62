/* site_model.h: what a compiled policy is made of. Between the files of this folder: site_read*.c
 * fills it in, site.c looks hosts up, site_judge.c, its parts and windows.c judge by it. Lists are
 * plain arrays with a cap each; a range of a shared array stands for a list inside a rule. */
#pragma once

#include "rules/local_time.h"
#include "rules/site.h"

#include <stdatomic.h>

enum {
    SITE_ZONES_MAX = 512,
    SITE_NETS_MAX = 4096, /* subnets and single addresses of zones */
    SITE_MACS_MAX = 4096,
    SITE_ITEMS_MAX = 16384, /* in all lists of hosts together */
    SITE_NAMES_MAX = 2048,
    SITE_PROTOCOLS_MAX = 4096,
    SITE_CONDUITS_MAX = 2048,
    SITE_SAFETY_MAX = 512,
    SITE_ACCESS_MAX = 512,
    SITE_DATA_MAX = 512,
    SITE_OBJECTS_MAX = 2048,
    SITE_WINDOWS_MAX = 512,
    SITE_CLOCKS_MAX = 16,
    SITE_VLANS = 4096,
    SITE_PROTOCOL_NAME = 24,
    SITE_OBJECT_TEXT = 96,
    SITE_AREA = 32,
};

enum { NO_ZONE = -1, NO_CLOCK = -1 };

enum item_kind { ITEM_ANY, ITEM_INTERNET, ITEM_ZONE, ITEM_SUBNET, ITEM_MAC };

/* One entry of a list of hosts. */
struct site_item {
    uint8_t kind; /* enum item_kind */
    uint8_t bits; /* of a subnet */
    uint16_t zone;
    struct address base;
    struct mac mac;
};

/* A list of hosts: items[first .. first + count]. Not given is another thing than empty. */
struct site_hosts {
    uint32_t first, count;
    bool is_given;
};

struct site_protocols {
    uint32_t first, count; /* count 0: any */
};

struct site_protocol {
    char name[SITE_PROTOCOL_NAME]; /* "": a port */
    uint8_t transport;
    uint16_t port;
};

struct site_zone {
    char name[PLACE_NAME];
    int16_t level; /* in tenths; LEVEL_UNKNOWN */
    uint32_t line;
};

struct site_net {
    struct address base;
    uint8_t bits;
    int16_t zone;
    uint32_t line;
};

struct site_mac {
    struct mac mac;
    int16_t zone;
    uint32_t line;
};

/* A name for hosts. */
struct site_name {
    char name[PLACE_NAME];
    struct site_hosts hosts;
};

/* When something is allowed. All zero, with NO_CLOCK: always. */
struct site_schedule {
    int16_t clock;            /* of clocks; NO_CLOCK: always */
    uint8_t days;             /* bit 0 Monday */
    int64_t start_ns, end_ns; /* once; end 0: recurring without an end */
    int32_t begin_s, stop_s;  /* of the day; stop <= begin goes past midnight */
};

struct site_conduit {
    struct site_hosts from, to;
    struct site_protocols protocols;
    uint32_t operations; /* a bit per enum operation */
    bool is_both, is_one_way;
    uint32_t line;
};

struct site_safety {
    struct site_hosts hosts, masters;
};

/* Of internet.egress, internet.ingress and remote_access. */
struct site_access {
    struct site_hosts from, to;
    struct site_protocols protocols;
    struct site_schedule schedule;
};

/* "holding_register 260-272" by numbers; everything else by text with * and ?. */
struct site_object {
    char text[SITE_OBJECT_TEXT];
    char area[SITE_AREA]; /* "": by text */
    uint64_t low, high;
};

struct site_data {
    char name[PLACE_NAME];
    struct site_hosts targets, readers, writers;
    struct site_protocols protocols;
    uint32_t object_first, object_count; /* count 0: all */
    uint32_t line;
};

struct site_window {
    char name[FINDING_WINDOW], ticket[FINDING_WINDOW];
    struct site_hosts who, what;
    uint32_t operations;
    bool detections[DETECTION_COUNT];
    struct site_schedule schedule;
    uint32_t line;
};

/* Names of several operations at once, the wider before the narrower. */
struct site_operation_group {
    const char *name;
    uint32_t operations; /* a bit each */
};
enum { SITE_OPERATION_GROUPS = 4 };
extern const struct site_operation_group site_operation_groups[SITE_OPERATION_GROUPS];

struct site {
    atomic_uint references;
    bool is_declared, has_conduits, has_internet, has_remote;
    bool has_dmz; /* a zone on level 3.5 */
    uint64_t fingerprint;
    uint32_t zone_count, net_count, mac_count, item_count, name_count, protocol_count,
        conduit_count, safety_count, egress_count, ingress_count, remote_count, data_count,
        object_count, window_count, clock_count;
    uint8_t lengths4[33], lengths6[129]; /* of subnets that occur, longest first; count in front */
    struct site_hosts engineering, critical;
    struct site_zone zones[SITE_ZONES_MAX];
    struct site_net nets[SITE_NETS_MAX]; /* sorted: kind, longest first, address */
    struct site_mac macs[SITE_MACS_MAX]; /* sorted */
    int16_t vlans[SITE_VLANS];           /* zone + 1; 0: none */
    struct site_item items[SITE_ITEMS_MAX];
    struct site_name names[SITE_NAMES_MAX];
    struct site_protocol protocols[SITE_PROTOCOLS_MAX];
    struct site_conduit conduits[SITE_CONDUITS_MAX];
    struct site_safety safety[SITE_SAFETY_MAX];
    struct site_access egress[SITE_ACCESS_MAX], ingress[SITE_ACCESS_MAX], remote[SITE_ACCESS_MAX];
    struct site_data data[SITE_DATA_MAX];
    struct site_object objects[SITE_OBJECTS_MAX];
    struct site_window windows[SITE_WINDOWS_MAX];
    struct local_time *clocks[SITE_CLOCKS_MAX];
};

/* A host as rules see it. */
struct site_host {
    const struct endpoint *endpoint;
    int16_t zone;     /* NO_ZONE */
    bool is_internet; /* a public address in no zone */
};

struct site_host site_host(const struct site *site, const struct endpoint *endpoint, uint16_t vlan);
/* A list that is not given matches nobody. */
bool site_hosts_have(const struct site *site, const struct site_hosts *hosts,
                     const struct site_host *host);
/* name may be "" or NULL: only ports and lists without entries match. */
bool site_protocols_have(const struct site *site, const struct site_protocols *protocols,
                         const char *name, uint8_t transport, uint16_t port);
/* *end_ns (may be NULL): when the occurrence that holds now ends; *start_ns the same. */
bool site_schedule_holds(const struct site *site, const struct site_schedule *schedule,
                         int64_t time_ns, int64_t *start_ns, int64_t *end_ns);

/* Sorts what is looked up by search. False: two zones overlap. Called once, at the end of reading.
 */
bool site_index(struct site *site, const char *file, struct error *err);
/* Zeroed, with one reference. */
struct site *site_new(struct error *err);
