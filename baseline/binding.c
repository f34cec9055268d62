/* binding.c: the table of IP-MAC pairs and the judgement of new claims. */
#include "binding.h"

#include "asset_index.h"
#include "sensor/base/hash.h"
#include "sensor/base/json_writer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONTESTS_MAX = 64, /* questions open at once; more are decided early */
    VICTIM_TRIES = 16,
};

static const int64_t CONTEST_NS =
    5 * 1000000000ll; /* an ARP entry's owner speaks within this when it is there */
static const int64_t ALIVE_NS = 300 * 1000000000ll; /* hosts are sighted at least once a minute */
static const int64_t BACK_NS = 120 * 1000000000ll;  /* two host sightings */
static const int64_t REPEAT_NS = 60 * 1000000000ll;

struct bindings {
    const struct finding_sink *sink;
    struct asset_index index;
    struct binding_entry *entries;
    size_t capacity, count, hand;
    uint32_t contests[CONTESTS_MAX];
    size_t contest_count;
    /* the last spoofing MAC that was told: its further victims are the same cause */
    int64_t spoofed_ns;
    struct finding spoof;
    uint64_t evicted;
};

struct bindings *bindings_create(size_t capacity, const struct finding_sink *sink)
{
    struct bindings *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    b->sink = sink;
    b->capacity = capacity;
    b->entries = calloc(capacity, sizeof *b->entries);
    if (!b->entries || !asset_index_create(&b->index, capacity)) {
        bindings_destroy(b);
        return NULL;
    }
    return b;
}

void bindings_destroy(struct bindings *b)
{
    if (!b)
        return;
    asset_index_destroy(&b->index);
    free(b->entries);
    free(b);
}

uint64_t bindings_evicted(const struct bindings *b)
{
    return b->evicted;
}

static uint64_t entry_hash(uint32_t segment, const struct address *ip)
{
    return hash_mix(hash_bytes(ip, sizeof *ip), segment);
}

static struct binding_entry *entry_find(const struct bindings *b, uint32_t segment,
                                        const struct address *ip)
{
    uint64_t hash = entry_hash(segment, ip);
    size_t at = 0;
    for (;;) {
        uint32_t slot = asset_index_next(&b->index, hash, &at);
        if (slot == INDEX_NONE)
            return NULL;
        struct binding_entry *e = &b->entries[slot];
        if (e->segment == segment && address_equal(&e->ip, ip))
            return e;
    }
}

const struct binding_entry *bindings_find(const struct bindings *b, uint32_t segment,
                                          const struct address *ip)
{
    return entry_find(b, segment, ip);
}

static int64_t entry_last(const struct binding_entry *e)
{
    int64_t last = INT64_MIN;
    for (size_t i = 0; i < e->count; i++)
        if (e->macs[i].last_ns > last)
            last = e->macs[i].last_ns;
    return last;
}

/* A slot for a new entry: a free one, or that of the most idle of a few. */
static uint32_t slot_take(struct bindings *b)
{
    if (b->count < b->capacity)
        return (uint32_t)b->count++;
    size_t victim = b->hand;
    for (size_t i = 0; i < VICTIM_TRIES; i++) {
        size_t at = (b->hand + i) % b->capacity;
        if (b->entries[victim].is_contested ||
            (!b->entries[at].is_contested &&
             entry_last(&b->entries[at]) < entry_last(&b->entries[victim])))
            victim = at;
    }
    b->hand = (b->hand + VICTIM_TRIES) % b->capacity;
    struct binding_entry *e = &b->entries[victim];
    for (size_t i = 0; i < b->contest_count; i++)
        if (b->contests[i] == victim)
            b->contests[i--] = b->contests[--b->contest_count];
    asset_index_remove(&b->index, entry_hash(e->segment, &e->ip), (uint32_t)victim);
    b->evicted++;
    return (uint32_t)victim;
}

static struct binding_entry *entry_make(struct bindings *b, uint32_t segment,
                                        const struct address *ip)
{
    struct binding_entry *e = entry_find(b, segment, ip);
    if (e)
        return e;
    uint32_t slot = slot_take(b);
    e = &b->entries[slot];
    memset(e, 0, sizeof *e);
    e->segment = segment;
    e->ip = *ip;
    bool is_added = asset_index_add(&b->index, entry_hash(segment, ip), slot);
    assert(is_added); /* the index has room for the whole table */
    return e;
}

static struct binding *pair_find(struct binding_entry *e, const struct mac *mac)
{
    for (size_t i = 0; i < e->count; i++)
        if (mac_equal(&e->macs[i].mac, mac))
            return &e->macs[i];
    return NULL;
}

/* Which of two pairs a full entry gives up: one that is not learned, then the one that was idle for
 * longest. */
static bool is_dearer(const struct binding *a, const struct binding *b)
{
    return a->is_learned != b->is_learned ? a->is_learned : a->last_ns > b->last_ns;
}

/* A place for a new pair. */
static struct binding *pair_make(struct binding_entry *e, const struct mac *mac, int64_t time_ns)
{
    struct binding *place = &e->macs[0];
    if (e->count < BINDING_MACS_MAX)
        place = &e->macs[e->count++];
    else
        for (size_t i = 1; i < e->count; i++)
            place = is_dearer(place, &e->macs[i]) ? &e->macs[i] : place;
    *place = (struct binding){.mac = *mac, .first_ns = time_ns, .last_ns = time_ns};
    e->is_dirty = true;
    return place;
}

/* The learned pair that was heard last; NULL: none is known. */
static struct binding *holder_of(struct binding_entry *e)
{
    struct binding *holder = NULL;
    for (size_t i = 0; i < e->count; i++)
        if (e->macs[i].is_learned && (!holder || e->macs[i].last_ns > holder->last_ns))
            holder = &e->macs[i];
    return holder;
}

static void contest_open(struct bindings *b, struct binding_entry *e, struct binding *pair,
                         const struct sighting *s, bool is_arp)
{
    if (b->contest_count == CONTESTS_MAX)
        return;
    struct binding *holder = holder_of(e);
    assert(holder);
    e->is_contested = true;
    e->holder = (uint8_t)(holder - e->macs);
    e->challenger = (uint8_t)(pair - e->macs);
    e->is_challenge_arp = is_arp;
    e->is_holder_heard = false;
    e->contested_ns = s->time_ns;
    e->challenge = *s;
    b->contests[b->contest_count++] = (uint32_t)(e - b->entries);
}

static const char *when(char out[TIME_TEXT_SIZE], int64_t time_ns)
{
    time_print(out, time_ns);
    out[19] = '\0'; /* seconds are enough for people */
    return out;
}

/* Does mac claim other addresses, or hold one of its own? own: that one, when there is. */
static bool poses_as_others(const struct bindings *b, const struct binding_entry *of,
                            const struct mac *mac, struct address *own)
{
    bool is_so = b->spoofed_ns != 0 && mac_equal(&b->spoof.actor.mac, mac);
    for (size_t i = 0; i < b->contest_count; i++) {
        const struct binding_entry *e = &b->entries[b->contests[i]];
        is_so |=
            e != of && e->segment == of->segment && mac_equal(&e->macs[e->challenger].mac, mac);
    }
    for (size_t i = 0; i < b->count;
         i++) { /* all of the table: once per decided question, so rarely */
        const struct binding_entry *e = &b->entries[i];
        if (e == of || e->segment != of->segment || e->ip.kind != of->ip.kind)
            continue;
        for (size_t j = 0; j < e->count; j++) {
            if (!e->macs[j].is_learned || !mac_equal(&e->macs[j].mac, mac))
                continue;
            is_so = true;
            *own = e->ip;
        }
    }
    return is_so;
}

/* Adds what is not there yet, as far as there is room. */
static void add_words(char *out, size_t capacity, const char *words, const char *more)
{
    char both[2 * FINDING_TEXT];
    if (strstr(words, more) || strlen(words) + strlen(more) + 2 >= capacity)
        text_format(both, sizeof both, "%s", words);
    else
        text_format(both, sizeof both, "%s; %s", words, more);
    text_copy(out, capacity, text_of(both));
}

/* Is the spoofing MAC the one told before? Then it is the same cause: the first victim stays the
 * target, and all that were claimed are told. */
static void fold_spoof(struct bindings *b, struct finding *f)
{
    if (b->spoofed_ns != 0 && mac_equal(&b->spoof.actor.mac, &f->actor.mac) &&
        f->segment == b->spoof.segment && f->time_ns - b->spoofed_ns < ALIVE_NS) {
        f->target = b->spoof.target;
        f->actor.ip = b->spoof.actor.ip;
        memcpy(f->what, b->spoof.what, sizeof f->what);
        add_words(f->object, sizeof f->object, b->spoof.object, f->object);
        add_words(f->expected, sizeof f->expected, b->spoof.expected, f->expected);
        add_words(f->seen, sizeof f->seen, b->spoof.seen, f->seen);
    }
    b->spoofed_ns = f->time_ns;
    b->spoof = *f;
}

static void tell(struct bindings *b, struct binding_entry *e, enum detection detection,
                 const struct address *own)
{
    const struct binding *holder = &e->macs[e->holder], *challenger = &e->macs[e->challenger];
    char ip[ADDRESS_TEXT_SIZE], old[MAC_TEXT_SIZE], new[MAC_TEXT_SIZE], since[TIME_TEXT_SIZE];
    address_print(ip, &e->ip);
    mac_print(old, &holder->mac);
    mac_print(new, &challenger->mac);

    struct finding f = {.detection = detection,
                        .time_ns = e->contested_ns,
                        .segment = e->challenge.segment,
                        .packet_number = e->challenge.packet_number,
                        .source_index = e->challenge.source_index};
    f.actor.mac = challenger->mac;
    f.actor.ip = e->ip;
    text_copy(f.object, sizeof f.object, text_of(ip));
    text_copy(f.key, sizeof f.key, text_of(new));
    if (e->is_challenge_arp)
        text_copy(f.protocol, sizeof f.protocol,
                  e->ip.kind == ADDRESS_IP4 ? TEXT("arp") : TEXT("icmpv6"));
    text_format(f.expected, sizeof f.expected, "%s at %s since %sZ", ip, old,
                when(since, holder->first_ns));
    text_format(f.seen, sizeof f.seen, "%s claimed by %s%s%s", ip, new,
                !e->is_challenge_arp        ? ""
                : e->ip.kind == ADDRESS_IP4 ? " in an ARP packet"
                                            : " by neighbour discovery",
                e->is_holder_heard ? " while the old device still talks" : "");

    if (detection == DETECTION_NET_ARP_SPOOF) {
        f.actor.ip = own ? *own : (struct address){0};
        f.has_target = true;
        f.target = (struct endpoint){.ip = e->ip, .mac = holder->mac};
        text_format(f.what, sizeof f.what, "poses as %%T: %s claims an address of %s by %s", new,
                    old, e->ip.kind == ADDRESS_IP4 ? "ARP" : "neighbour discovery");
        fold_spoof(b, &f);
    } else if (detection == DETECTION_ASSET_DUPLICATE_IP) {
        text_format(f.what, sizeof f.what, "is used by two devices at once: %s and %s", new, old);
    } else {
        text_format(f.what, sizeof f.what, "has moved to another device: from %s to %s", old, new);
    }
    b->sink->finding(b->sink->context, &f);
    e->told_ns = e->contested_ns;
}

/* The address had moved, it was said; but who had it before still uses it. */
static void old_holder_is_back(struct bindings *b, struct binding_entry *e,
                               const struct sighting *s)
{
    if (s->time_ns - e->moved_ns < BACK_NS) {
        e->is_holder_heard = true;
        e->contested_ns = s->time_ns;
        tell(b, e, DETECTION_ASSET_DUPLICATE_IP, NULL);
    }
    e->moved_ns = 0;
}

enum binding_verdict bindings_see(struct bindings *b, uint32_t segment, const struct sighting *s,
                                  const struct endpoint *who, bool is_arp, bool is_silent)
{
    struct binding_entry *e = entry_make(b, segment, &who->ip);
    struct binding *pair = pair_find(e, &who->mac);
    if (!pair)
        pair = pair_make(e, &who->mac, s->time_ns);
    pair->last_ns = s->time_ns;
    pair->count++;
    pair->is_arp |= is_arp;
    e->is_dirty = true;
    if (is_silent || !holder_of(e)) {
        pair->is_learned = true;
        return BINDING_OWN;
    }
    if (pair->is_learned) {
        if (e->is_contested)
            e->is_holder_heard = true;
        else if (e->moved_ns != 0 && pair == &e->macs[e->holder] && s->time_ns > e->moved_ns)
            old_holder_is_back(b, e, s);
        return BINDING_OWN;
    }
    if (!e->is_contested && s->time_ns - e->told_ns >= REPEAT_NS)
        contest_open(b, e, pair, s, is_arp);
    else if (e->is_contested && pair == &e->macs[e->challenger])
        e->is_challenge_arp |= is_arp; /* a host is sighted before its ARP packet is */
    return e->is_contested ? BINDING_CONTESTED : BINDING_REFUTED;
}

void bindings_lease(struct bindings *b, uint32_t segment, const struct endpoint *client,
                    int64_t time_ns)
{
    struct binding_entry *e = entry_make(b, segment, &client->ip);
    struct binding *pair = pair_find(e, &client->mac);
    if (!pair)
        pair = pair_make(e, &client->mac, time_ns);
    if (e->is_contested)
        return; /* it was used before it was given: the question stays */
    pair->is_learned = true;
    pair->last_ns = time_ns;
    e->is_dirty = true;
}

void bindings_tick(struct bindings *b, int64_t time_ns, bool is_last,
                   void (*moved)(void *context, uint32_t segment, const struct address *ip,
                                 const struct mac *mac),
                   void *context)
{
    bool is_spoof[CONTESTS_MAX], is_due[CONTESTS_MAX];
    struct address own[CONTESTS_MAX] = {0};
    size_t count = b->contest_count;
    for (size_t i = 0; i < count; i++) {
        struct binding_entry *e = &b->entries[b->contests[i]];
        const struct binding *holder = &e->macs[e->holder];
        is_due[i] = is_last || e->is_holder_heard || time_ns - e->contested_ns >= CONTEST_NS ||
                    time_ns < e->contested_ns;
        bool is_alive = e->is_holder_heard || e->contested_ns - holder->last_ns < ALIVE_NS;
        is_spoof[i] = is_due[i] && e->is_challenge_arp && is_alive &&
                      poses_as_others(b, e, &e->macs[e->challenger].mac, &own[i]);
    }
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct binding_entry *e = &b->entries[b->contests[i]];
        if (!is_due[i]) {
            b->contests[kept++] = b->contests[i];
            continue;
        }
        e->is_contested = false;
        e->is_dirty = true;
        if (is_spoof[i]) {
            tell(b, e, DETECTION_NET_ARP_SPOOF, &own[i]);
        } else if (e->is_holder_heard) {
            tell(b, e, DETECTION_ASSET_DUPLICATE_IP, NULL);
        } else {
            tell(b, e, DETECTION_ASSET_IP_MAC_CHANGED, NULL);
            e->macs[e->challenger].is_learned = true;
            e->moved_ns = e->contested_ns;
            moved(context, e->segment, &e->ip, &e->macs[e->challenger].mac);
        }
    }
    b->contest_count = kept;
}

void bindings_forget_routed(struct bindings *b, uint32_t segment, const struct mac *mac)
{
    for (size_t i = 0; i < b->count; i++) {
        struct binding_entry *e = &b->entries[i];
        struct binding *pair = e->segment == segment ? pair_find(e, mac) : NULL;
        if (pair && !pair->is_arp && !e->is_contested)
            *pair = e->macs[--e->count];
    }
}

void bindings_changed(struct bindings *b,
                      void (*put)(void *context, const struct binding_entry *entry), void *context)
{
    for (size_t i = 0; i < b->count; i++) {
        if (!b->entries[i].is_dirty)
            continue;
        b->entries[i].is_dirty = false;
        put(context, &b->entries[i]);
    }
}

void bindings_restore(struct bindings *b, uint32_t segment, const struct address *ip,
                      const struct binding *binding)
{
    struct binding_entry *e = entry_make(b, segment, ip);
    struct binding *pair = pair_find(e, &binding->mac);
    if (!pair)
        pair = pair_make(e, &binding->mac, binding->first_ns);
    *pair = *binding;
    e->is_dirty = false;
}
