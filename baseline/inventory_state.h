/* inventory_state.h: the inside of the inventory, shared by inventory*.c, asset_store.c and
 * asset_load.c only. */
#pragma once

#include "asset.h"
#include "binding.h"
#include "flood.h"
#include "infrastructure.h"
#include "inventory.h"
#include "masters.h"
#include "scan.h"

enum {
    SEGMENTS_MAX = 1024,
    SEGMENT_NAME_SIZE = 64,
    PENDING_MAX = 4096, /* assets first seen in the last two seconds */
    SAID_MAX = 64,
    RECENT_MAX = 64, /* half-known services */
    DESCRIBED = 64,  /* a power of two */
};

static const int64_t PENDING_NS =
    2 * 1000000000ll; /* long enough for a handshake and a first answer */
static const int64_t PRESENT_NS = 90 * 1000000000ll; /* hosts are sighted once a minute */

struct inventory_segment {
    char name[SEGMENT_NAME_SIZE];
    uint32_t number; /* the decoder's; the same in every run */
    bool has_number, is_settled, is_dirty;
    int64_t first_ns;
    int64_t observed_ns; /* time with traffic to learn from, over all runs */
    int64_t quiet_ns;    /* of that, since something new was learned */
    int64_t seen_ns;     /* last sighting; 0: none in this run */
};

/* A service of which one half is known: its protocol was recognised before it answered, or it
 * answered on a port of those that come and go (protocol 0). */
struct recent_service {
    uint32_t segment;
    uint8_t transport;
    bool is_used;
    uint16_t protocol;
    struct endpoint server;
};

/* What was told of a device last, kept while the inventory stays as it was: alerts come in bursts
 * and name the same few devices several times each. */
struct described {
    const struct asset *asset; /* NULL: nothing */
    uint64_t at;               /* changes of the inventory then */
    struct asset_brief brief;  /* without its place */
};

struct inventory {
    struct inventory_options options;
    const struct finding_sink *sink;
    struct assets assets;
    struct bindings *bindings;
    struct scans *scans;
    struct floods *floods;
    struct infrastructure *infrastructure;
    struct masters *masters;
    int64_t looked_ns; /* for lost devices */
    struct inventory_segment segments[SEGMENTS_MAX];
    size_t segment_count;
    int64_t now_ns, ticked_ns;
    /* assets whose finding waits for what they turn out to be: a ring in order of first sight */
    uint32_t pending[PENDING_MAX];
    size_t pending_head, pending_count;
    struct recent_service recent[RECENT_MAX]; /* a ring */
    size_t recent_at;
    struct sighting said[SAID_MAX]; /* a ring: names of addresses that nobody has used yet */
    size_t said_next;
    bool is_said;            /* there was one */
    uint64_t said_ips_added; /* when the names were last looked at */
    uint64_t changes;        /* odd while something is changing */
    struct described *described;
};

/* The segment's place by its stored name, made when unknown. The last place takes all that do not
 * fit. */
uint32_t inventory_segment_named(struct inventory *inv, const char *name);

/* What the site policy says of the host; false and empty: nothing. */
bool inventory_place(const struct inventory *inv, const struct endpoint *host, uint16_t vlan,
                     struct site_place *place);

/* What the rows of network roles belong to (asset_store.c). */
struct infrastructure_names inventory_names(struct inventory *inv);

/* --- inventory_segments.c --- */

/* The place of the segment with this number; INDEX_NONE: not seen yet. */
uint32_t inventory_segment_find(const struct inventory *inv, uint32_t number);
/* The same, made when unknown. */
uint32_t inventory_segment_of(struct inventory *inv, uint32_t number);
/* Nothing new is told there: it is learned. */
bool inventory_is_silent(const struct inventory *inv, uint32_t segment);
void inventory_something_new(struct inventory *inv, uint32_t segment);
void inventory_segment_tick(struct inventory *inv, struct inventory_segment *segment,
                            int64_t time_ns, int64_t passed_ns);

/* --- inventory_hosts.c, inventory_shared.c --- */

/* The device behind an endpoint, made when unknown; NULL: no device has such addresses. Only a
 * packet that the host itself sent tells its MAC: the other end of a flow has the MAC that it is
 * reached by. */
struct asset *inventory_host_of(struct inventory *inv, uint32_t segment, const struct sighting *s,
                                const struct endpoint *who, bool is_arp);
/* NULL: unknown. */
struct asset *inventory_host_find(const struct inventory *inv, uint32_t segment,
                                  const struct endpoint *host);
/* Another MAC turned out to be a's, too. Only while learning: later somebody could hide behind a
 * device so. Returns whose sighting this is. */
struct asset *inventory_take_own_mac(struct inventory *inv, uint32_t segment, struct asset *a,
                                     const struct sighting *s);
/* As bindings_tick calls it. */
void inventory_ip_moved(void *inventory, uint32_t segment, const struct address *ip,
                        const struct mac *mac);
/* A DHCP server gave the client this address. Returns whose sighting it is, which was a's. */
struct asset *inventory_ip_leased(struct inventory *inv, uint32_t segment, struct asset *a,
                                  const struct endpoint *client, int64_t time_ns);
/* From time to time: the address that a uses is its primary one. */
void inventory_addresses_age(struct inventory *inv, struct asset *a, int64_t time_ns);
/* As struct scan_options wants it. */
struct scan_habit *inventory_habit_of(void *inventory, uint32_t segment,
                                      const struct endpoint *source);
/* Tells the new devices that were known for long enough to say what they are; is_last: all. */
void inventory_pending_flush(struct inventory *inv, int64_t time_ns, bool is_last);
/* 127.0.0.0/8, ::1: never on a wire; captures of a machine's own traffic have it behind any MAC. */
bool inventory_is_loopback(const struct address *ip);

/* --- what a sighting tells of device a --- */

void inventory_on_answer(struct inventory *inv, uint32_t segment, struct asset *a,
                         const struct sighting *s);
void inventory_on_protocol(struct inventory *inv, uint32_t segment, struct asset *client,
                           const struct sighting *s);
void inventory_on_role(struct inventory *inv, uint32_t segment, struct asset *a,
                       const struct sighting *s);
/* Of whoever answered, s->other. */
void inventory_on_answered_role(struct inventory *inv, uint32_t segment, const struct sighting *s);
/* Returns whose fact it was: a may turn out to be another device, too. */
struct asset *inventory_on_fact(struct inventory *inv, uint32_t segment, struct asset *a,
                                const struct sighting *s);
/* What others say of a device makes none, and it was not heard. One name of each source is kept,
 * the last. */
void inventory_on_hearsay(struct inventory *inv, uint32_t segment, const struct sighting *s);
/* Names wait until their address has a device: that it has one now is seen by a new address. */
void inventory_hearsay_recall(struct inventory *inv);

/* --- inventory_findings.c --- */

/* A new device, as it is known by now. */
void inventory_tell_new(struct inventory *inv, struct asset *a);
/* It acts as an engineering station for the first time. */
void inventory_tell_engineering(struct inventory *inv, struct asset *a, const struct sighting *s);
void inventory_tell_service(struct inventory *inv, struct asset *a,
                            const struct asset_service *service, const struct sighting *s,
                            const struct endpoint *client);
/* It says that it is another than old says. */
void inventory_tell_fact(struct inventory *inv, const struct asset *a, const struct sighting *s,
                         const struct asset_fact *old);
/* If the name that s says is another's already. */
void inventory_tell_name(struct inventory *inv, const struct asset *a, const struct sighting *s);
void inventory_tell_reversed(struct inventory *inv, struct asset *a, const struct sighting *s);
void inventory_tell_lost(struct inventory *inv, struct asset *a, int64_t time_ns);
/* A page or a file service of a controller: who opens it now has never done so. */
void inventory_on_new_client(struct inventory *inv, uint32_t segment, struct asset *a,
                             const struct sighting *s);
/* A host of the internet, reached through a router: in no monitored zone. (Plants that use public
 * addresses inside have them on their own MACs.) */
bool inventory_is_far_away(const struct asset *a);
