/* binding.h: which MAC address holds which IP address: a learned set per IP address, and what
 * contradicts it.
 *
 * A claim by a new MAC is a question for a few seconds: is the old holder still there? Then two
 * devices share the address (asset.duplicate-ip), or one poses as others (net.arp-spoof). Else the
 * address has moved (asset.ip-mac-changed). Bounded; the most idle entry makes room. */
#pragma once

#include "sensor/base/finding.h"

struct bindings;

enum binding_verdict {
    BINDING_OWN,       /* learned or plausible: this MAC holds the address */
    BINDING_CONTESTED, /* another MAC is known to hold it; the question is open */
    BINDING_REFUTED,   /* decided: the address belongs to another */
};

struct binding {
    struct mac mac;
    int64_t first_ns, last_ns;
    uint64_t count;
    bool is_learned; /* may hold the address */
    bool is_arp;     /* said so itself, by ARP: the MAC is not a router's */
};

enum { BINDING_MACS_MAX = 4 };

struct binding_entry { /* one IP address */
    uint32_t segment;
    struct address ip;
    struct binding macs[BINDING_MACS_MAX];
    uint8_t count;
    bool is_dirty;
    /* an open question */
    bool is_contested;
    uint8_t challenger, holder; /* indexes of macs */
    bool is_challenge_arp;
    bool is_holder_heard; /* after the challenge */
    int64_t contested_ns, told_ns;
    int64_t moved_ns;          /* told as moved, and who had it before has not come back; 0: no */
    struct sighting challenge; /* the sighting that opened it */
};

struct bindings *bindings_create(size_t capacity, const struct finding_sink *sink);
void bindings_destroy(struct bindings *b);

/* A DHCP server gave the address to this MAC: it is learned from now on. */
void bindings_lease(struct bindings *b, uint32_t segment, const struct endpoint *client,
                    int64_t time_ns);

/* A packet's or (is_arp) an ARP sender's pair. is_silent: learn it whatever it is. */
enum binding_verdict bindings_see(struct bindings *b, uint32_t segment, const struct sighting *s,
                                  const struct endpoint *who, bool is_arp, bool is_silent);
/* Decides questions whose time has come. Calls moved for each address that has a new holder. */
void bindings_tick(struct bindings *b, int64_t time_ns, bool is_last,
                   void (*moved)(void *context, uint32_t segment, const struct address *ip,
                                 const struct mac *mac),
                   void *context);
/* mac was found to be a router: pairs that it never claimed by ARP are void. */
void bindings_forget_routed(struct bindings *b, uint32_t segment, const struct mac *mac);
/* NULL: never seen. */
const struct binding_entry *bindings_find(const struct bindings *b, uint32_t segment,
                                          const struct address *ip);

/* For the store: every entry that changed since the last call; and the way back. */
void bindings_changed(struct bindings *b,
                      void (*put)(void *context, const struct binding_entry *entry), void *context);
void bindings_restore(struct bindings *b, uint32_t segment, const struct address *ip,
                      const struct binding *binding);

uint64_t bindings_evicted(const struct bindings *b);
