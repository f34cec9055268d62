/* asset.c: the table of devices. */
#include "asset.h"

#include "names.h"

#include "sensor/base/hash.h"
#include "sensor/base/pages.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum {
    PER_ASSET = 4,     /* services and facts that an asset has on average, at most */
    VICTIM_TRIES = 32, /* looked at to make room */
};

bool assets_create(struct assets *t, size_t capacity)
{
    memset(t, 0, sizeof *t);
    t->capacity = capacity;
    t->service_capacity = t->fact_capacity = capacity * PER_ASSET + ASSET_FACTS_MAX;
    t->free_service = t->free_fact = t->free_asset = INDEX_NONE;
    t->protocol_count = 1; /* 0 is no protocol */
    t->list = pages_take(capacity * sizeof *t->list);
    t->services = pages_take(t->service_capacity * sizeof *t->services);
    t->facts = pages_take(t->fact_capacity * sizeof *t->facts);
    bool ok = t->list && t->services && t->facts && asset_index_create(&t->by_id, capacity) &&
              asset_index_create(&t->by_ip, capacity * 2) &&
              asset_index_create(&t->by_mac, capacity * 2);
    if (!ok)
        assets_destroy(t);
    return ok;
}

void assets_destroy(struct assets *t)
{
    pages_give(t->list, t->capacity * sizeof *t->list);
    pages_give(t->services, t->service_capacity * sizeof *t->services);
    pages_give(t->facts, t->fact_capacity * sizeof *t->facts);
    asset_index_destroy(&t->by_id);
    asset_index_destroy(&t->by_ip);
    asset_index_destroy(&t->by_mac);
    memset(t, 0, sizeof *t);
}

static uint32_t slot_of(const struct assets *t, const struct asset *a)
{
    return (uint32_t)(a - t->list);
}

static uint64_t ip_hash(uint32_t segment, const struct address *ip)
{
    return hash_mix(hash_bytes(ip, sizeof *ip), segment);
}

static uint64_t mac_hash(uint32_t segment, const struct mac *mac)
{
    return hash_mix(hash_bytes(mac, sizeof *mac), segment);
}

static uint64_t id_hash(const char *id)
{
    return hash_bytes(id, strlen(id));
}

static int ip_at(const struct asset *a, const struct address *ip)
{
    for (int i = 0; i < a->ip_count; i++)
        if (address_equal(&a->ips[i], ip))
            return i;
    return -1;
}

static int mac_at(const struct asset *a, const struct mac *mac)
{
    for (int i = 0; i < a->mac_count; i++)
        if (mac_equal(&a->macs[i], mac))
            return i;
    return -1;
}

bool asset_has_mac(const struct asset *a, const struct mac *mac)
{
    return mac_at(a, mac) >= 0;
}

static bool has_ip(const struct asset *a, uint32_t segment, const struct address *ip)
{
    return a->segment == segment && ip_at(a, ip) >= 0;
}

struct asset *assets_by_ip(const struct assets *t, uint32_t segment, const struct address *ip,
                           const struct mac *mac)
{
    uint64_t hash = ip_hash(segment, ip);
    struct asset *best = NULL;
    uint32_t slot;
    for (size_t at = 0; (slot = asset_index_next(&t->by_ip, hash, &at)) != INDEX_NONE;) {
        struct asset *a = &t->list[slot];
        if (!has_ip(a, segment, ip))
            continue;
        if (mac && asset_has_mac(a, mac))
            return a;
        if (!best || a->last_ns > best->last_ns || (a->last_ns == best->last_ns && a < best))
            best = a;
    }
    return best;
}

struct asset *assets_sharing_ip(const struct assets *t, const struct asset *a,
                                const struct address *ip)
{
    uint64_t hash = ip_hash(a->segment, ip);
    uint32_t slot;
    for (size_t at = 0; (slot = asset_index_next(&t->by_ip, hash, &at)) != INDEX_NONE;)
        if (&t->list[slot] != a && has_ip(&t->list[slot], a->segment, ip))
            return &t->list[slot];
    return NULL;
}

struct asset *assets_by_mac(const struct assets *t, uint32_t segment, const struct mac *mac)
{
    uint64_t hash = mac_hash(segment, mac);
    size_t at = 0;
    for (;;) {
        uint32_t slot = asset_index_next(&t->by_mac, hash, &at);
        if (slot == INDEX_NONE)
            return NULL;
        if (t->list[slot].segment == segment && mac_at(&t->list[slot], mac) >= 0)
            return &t->list[slot];
    }
}

struct asset *assets_by_id(const struct assets *t, const char *id)
{
    uint64_t hash = id_hash(id);
    size_t at = 0;
    for (;;) {
        uint32_t slot = asset_index_next(&t->by_id, hash, &at);
        if (slot == INDEX_NONE)
            return NULL;
        if (strcmp(t->list[slot].id, id) == 0)
            return &t->list[slot];
    }
}

static void services_free(struct assets *t, struct asset *a)
{
    while (a->first_service != INDEX_NONE) {
        uint32_t slot = a->first_service;
        a->first_service = t->services[slot].next;
        t->services[slot].next = t->free_service;
        t->free_service = slot;
    }
    a->service_count = 0;
}

static void facts_free(struct assets *t, struct asset *a)
{
    while (a->first_fact != INDEX_NONE) {
        uint32_t slot = a->first_fact;
        a->first_fact = t->facts[slot].next;
        t->facts[slot].next = t->free_fact;
        t->free_fact = slot;
    }
    a->fact_count = 0;
}

static void asset_remove(struct assets *t, struct asset *a)
{
    while (a->ip_count > 0)
        asset_ip_remove(t, a, &a->ips[0]);
    while (a->mac_count > 0)
        asset_mac_remove(t, a, &a->macs[0]);
    asset_index_remove(&t->by_id, id_hash(a->id), slot_of(t, a));
    services_free(t, a);
    facts_free(t, a);
    a->is_used = false;
    t->live--;
}

/* How dear an asset is: what only showed an address goes first, then what was silent for longest.
 */
static int worth(const struct asset *a)
{
    if (a->is_pending)
        return 4;
    if (a->flags & (ASSET_CONTROLLER | ASSET_ENGINEERING | ASSET_ROUTER))
        return 3;
    if (a->fact_count > 0 || a->service_count > 0)
        return 2;
    return (a->flags & ASSET_TALKED) ? 1 : 0;
}

static struct asset *slot_take(struct assets *t)
{
    if (t->free_asset != INDEX_NONE) {
        struct asset *a = &t->list[t->free_asset];
        t->free_asset = a->first_service; /* the free list's link */
        return a;
    }
    if (t->count < t->capacity)
        return &t->list[t->count++];
    struct asset *victim = &t->list[t->hand];
    for (size_t i = 1; i < VICTIM_TRIES; i++) {
        struct asset *a = &t->list[(t->hand + i) % t->capacity];
        int dear = worth(a), least = worth(victim);
        if (dear < least || (dear == least && a->last_ns < victim->last_ns))
            victim = a;
    }
    t->hand = (t->hand + VICTIM_TRIES) % t->capacity;
    t->evicted++;
    asset_remove(t, victim);
    return victim;
}

static struct asset *asset_init(struct assets *t, struct asset *a, const char *id, uint32_t segment)
{
    memset(a, 0, sizeof *a);
    text_copy(a->id, sizeof a->id, text_of(id));
    a->segment = segment;
    a->is_used = true;
    a->first_service = a->first_fact = INDEX_NONE;
    t->live++;
    bool is_added = asset_index_add(&t->by_id, id_hash(a->id), slot_of(t, a));
    assert(is_added); /* the index has room for the whole table */
    return a;
}

/* The hash is never seeded: an asset has the same id in every run. */
static void id_make(const struct assets *t, char id[ASSET_ID_SIZE], const char *segment_name,
                    const struct endpoint *who)
{
    struct {
        uint64_t segment;
        uint8_t mac[8], ip[24];
        uint64_t turn;
    } first = {.segment = XXH3_64bits(segment_name, strlen(segment_name))};
    memcpy(first.mac, who->mac.bytes, sizeof who->mac.bytes);
    memcpy(first.ip, &who->ip, sizeof who->ip);
    do {
        uint64_t hash = XXH3_64bits(&first, sizeof first);
        text_format(id, ASSET_ID_SIZE, "a-%016llx", (unsigned long long)hash);
        first.turn++; /* another device once had these addresses */
    } while (assets_by_id(t, id));
}

struct asset *assets_make(struct assets *t, uint32_t segment, const char *segment_name,
                          const struct endpoint *who, int64_t time_ns)
{
    struct asset *slot = slot_take(t);
    char id[ASSET_ID_SIZE];
    id_make(t, id, segment_name, who);
    struct asset *a = asset_init(t, slot, id, segment);
    a->first_ns = a->last_ns = time_ns;
    a->is_dirty = true;
    return a;
}

struct asset *assets_restore(struct assets *t, const char *id, uint32_t segment)
{
    if (t->count == t->capacity)
        return NULL;
    return asset_init(t, &t->list[t->count++], id, segment);
}

/* What a host gives itself, and nobody calls it by: fe80::/10 and 169.254.0.0/16. */
static bool is_makeshift(const struct address *ip)
{
    return ip->kind == ADDRESS_IP6 ? ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80
                                   : ip->bytes[0] == 169 && ip->bytes[1] == 254;
}

void asset_ip_prefer(struct asset *a, const struct address *ip)
{
    int at = ip_at(a, ip);
    if (at <= 0)
        return;
    bool is_confirmed = a->is_ip_confirmed[at];
    a->ips[at] = a->ips[0];
    a->is_ip_confirmed[at] = a->is_ip_confirmed[0];
    a->ips[0] = *ip;
    a->is_ip_confirmed[0] = is_confirmed;
    a->is_dirty = true;
}

/* The primary address is the first that others may have given it. */
static void prefer_last(struct asset *a)
{
    struct address last = a->ips[a->ip_count - 1u];
    if (is_makeshift(&a->ips[0]) && !is_makeshift(&last))
        asset_ip_prefer(a, &last);
}

bool asset_ip_add(struct assets *t, struct asset *a, const struct address *ip, bool is_confirmed)
{
    int at = ip_at(a, ip);
    if (at >= 0) {
        a->is_dirty |= is_confirmed && !a->is_ip_confirmed[at];
        a->is_ip_confirmed[at] |= is_confirmed;
        return true;
    }
    if (a->ip_count == ASSET_IPS_MAX ||
        !asset_index_add(&t->by_ip, ip_hash(a->segment, ip), slot_of(t, a)))
        return false;
    a->ips[a->ip_count] = *ip;
    a->is_ip_confirmed[a->ip_count++] = is_confirmed;
    prefer_last(a);
    t->ips_added++;
    a->is_dirty = true;
    return true;
}

bool asset_mac_add(struct assets *t, struct asset *a, const struct mac *mac)
{
    if (mac_at(a, mac) >= 0)
        return true;
    if (a->mac_count == ASSET_MACS_MAX ||
        !asset_index_add(&t->by_mac, mac_hash(a->segment, mac), slot_of(t, a)))
        return false;
    a->macs[a->mac_count++] = *mac;
    a->is_dirty = true;
    return true;
}

void asset_ip_remove(struct assets *t, struct asset *a, const struct address *ip)
{
    int at = ip_at(a, ip);
    if (at < 0)
        return;
    asset_index_remove(&t->by_ip, ip_hash(a->segment, ip), slot_of(t, a));
    a->ip_count--;
    for (int i = at; i < a->ip_count; i++) { /* the first one stays the primary one */
        a->ips[i] = a->ips[i + 1];
        a->is_ip_confirmed[i] = a->is_ip_confirmed[i + 1];
    }
    a->is_dirty = true;
}

void asset_mac_remove(struct assets *t, struct asset *a, const struct mac *mac)
{
    int at = mac_at(a, mac);
    if (at < 0)
        return;
    asset_index_remove(&t->by_mac, mac_hash(a->segment, mac), slot_of(t, a));
    a->mac_count--;
    for (int i = at; i < a->mac_count; i++)
        a->macs[i] = a->macs[i + 1];
    a->is_dirty = true;
}

static void services_move(struct assets *t, struct asset *to, struct asset *from)
{
    for (uint32_t i = from->first_service; i != INDEX_NONE; i = t->services[i].next) {
        const struct asset_service *s = &t->services[i];
        bool is_new;
        struct asset_service *copy =
            asset_service(t, to, s->transport, s->port, s->first_ns, &is_new);
        if (!copy)
            continue;
        copy->protocol = copy->protocol ? copy->protocol : s->protocol;
        copy->flags |= s->flags;
        copy->count += s->count;
        copy->last_ns = s->last_ns > copy->last_ns ? s->last_ns : copy->last_ns;
        copy->is_dirty = true;
    }
}

static void facts_move(struct assets *t, struct asset *to, struct asset *from)
{
    for (uint32_t i = from->first_fact; i != INDEX_NONE; i = t->facts[i].next) {
        const struct asset_fact *f = &t->facts[i];
        bool is_new;
        struct asset_fact *copy = asset_fact(t, to, (enum fact_kind)f->kind, f->protocol, f->unit,
                                             f->text, f->first_ns, &is_new);
        if (!copy)
            continue;
        copy->is_current = is_new ? f->is_current : copy->is_current;
        copy->count += f->count;
        copy->last_ns = f->last_ns > copy->last_ns ? f->last_ns : copy->last_ns;
        copy->is_dirty = true;
    }
}

void assets_merge(struct assets *t, struct asset *older, struct asset *younger)
{
    while (younger->ip_count > 0) {
        struct address ip = younger->ips[0];
        bool is_confirmed = younger->is_ip_confirmed[0];
        asset_ip_remove(t, younger, &ip);
        asset_ip_add(t, older, &ip, is_confirmed);
    }
    while (younger->mac_count > 0) {
        struct mac mac = younger->macs[0];
        asset_mac_remove(t, younger, &mac);
        asset_mac_add(t, older, &mac);
    }
    for (size_t i = 0; i < younger->protocol_count; i++) {
        if (younger->protocols[i].is_served)
            asset_protocol_add(t, older, younger->protocols[i].name, true);
        if (younger->protocols[i].is_used)
            asset_protocol_add(t, older, younger->protocols[i].name, false);
    }
    services_move(t, older, younger);
    facts_move(t, older, younger);
    older->flags |= younger->flags & ~(uint32_t)ASSET_PROXY;
    older->operations |= younger->operations;
    older->plant |= younger->plant;
    older->usual |= younger->usual;
    older->suffered |= younger->suffered;
    older->packets += younger->packets;
    older->bytes += younger->bytes;
    older->last_ns = younger->last_ns > older->last_ns ? younger->last_ns : older->last_ns;
    older->is_dirty = true;
    memcpy(older->former[older->former_count % ASSET_FORMER_MAX], younger->id, ASSET_ID_SIZE);
    if (older->former_count < ASSET_FORMER_MAX)
        older->former_count++;
    asset_remove(t, younger);
    younger->first_service = t->free_asset;
    t->free_asset = slot_of(t, younger);
}

uint16_t assets_protocol(struct assets *t, const char *name)
{
    if (name[0] == '\0')
        return 0;
    for (uint16_t i = 1; i < t->protocol_count; i++)
        if (strncmp(t->protocols[i], name, PROTOCOL_NAME_SIZE - 1) == 0)
            return i;
    if (t->protocol_count == PROTOCOLS_MAX)
        return 0;
    text_copy(t->protocols[t->protocol_count], PROTOCOL_NAME_SIZE, text_of(name));
    return t->protocol_count++;
}

bool asset_protocol_add(struct assets *t, struct asset *a, uint16_t name, bool is_served)
{
    if (name == 0)
        return false;
    size_t i = 0;
    while (i < a->protocol_count && a->protocols[i].name != name)
        i++;
    if (i == ASSET_PROTOCOLS_MAX)
        return false;
    if (i == a->protocol_count)
        a->protocols[a->protocol_count++] = (struct asset_protocol){.name = name};
    bool *flag = is_served ? &a->protocols[i].is_served : &a->protocols[i].is_used;
    bool is_new = !*flag;
    *flag = true;
    a->is_dirty |= is_new;
    const struct asset_protocol_kind *kind = asset_protocol_kind(assets_protocol_name(t, name));
    if (is_served && kind && kind->is_controller)
        a->flags |= ASSET_CONTROLLER;
    return is_new;
}

struct asset_service *asset_service_find(const struct assets *t, const struct asset *a,
                                         uint8_t transport, uint16_t port)
{
    for (uint32_t i = a->first_service; i != INDEX_NONE; i = t->services[i].next)
        if (t->services[i].port == port && t->services[i].transport == transport)
            return &t->services[i];
    return NULL;
}

struct asset_service *asset_service(struct assets *t, struct asset *a, uint8_t transport,
                                    uint16_t port, int64_t time_ns, bool *is_new)
{
    *is_new = false;
    struct asset_service *s = asset_service_find(t, a, transport, port);
    if (s)
        return s;
    uint32_t slot = t->free_service;
    if (slot != INDEX_NONE)
        t->free_service = t->services[slot].next;
    else if (t->service_count < t->service_capacity)
        slot = (uint32_t)t->service_count++;
    if (slot == INDEX_NONE || a->service_count == ASSET_SERVICES_MAX) {
        t->services_full++;
        if (slot != INDEX_NONE) {
            t->services[slot].next = t->free_service;
            t->free_service = slot;
        }
        return NULL;
    }
    s = &t->services[slot];
    *s = (struct asset_service){.next = a->first_service,
                                .transport = transport,
                                .port = port,
                                .first_ns = time_ns,
                                .last_ns = time_ns,
                                .is_dirty = true};
    a->first_service = slot;
    a->service_count++;
    a->is_dirty = true;
    *is_new = true;
    return s;
}

struct asset_fact *asset_fact(struct assets *t, struct asset *a, enum fact_kind kind,
                              uint16_t protocol, const char *unit, const char *text,
                              int64_t time_ns, bool *is_new)
{
    *is_new = false;
    for (uint32_t i = a->first_fact; i != INDEX_NONE; i = t->facts[i].next) {
        struct asset_fact *f = &t->facts[i];
        if (f->kind == kind && f->protocol == protocol && strcmp(f->unit, unit) == 0 &&
            strcmp(f->text, text) == 0)
            return f;
    }
    uint32_t slot = INDEX_NONE;
    if (a->fact_count < ASSET_FACTS_MAX) {
        slot = t->free_fact;
        if (slot != INDEX_NONE)
            t->free_fact = t->facts[slot].next;
        else if (t->fact_count < t->fact_capacity)
            slot = (uint32_t)t->fact_count++;
    }
    if (slot == INDEX_NONE) {
        t->facts_full++;
        return NULL;
    }
    struct asset_fact *f = &t->facts[slot];
    *f = (struct asset_fact){.next = a->first_fact,
                             .kind = (uint16_t)kind,
                             .protocol = protocol,
                             .first_ns = time_ns,
                             .last_ns = time_ns,
                             .is_dirty = true};
    text_format(f->unit, sizeof f->unit, "%s", unit); /* clean already, and compared as they are */
    text_format(f->text, sizeof f->text, "%s", text);
    a->first_fact = slot;
    a->fact_count++;
    a->is_dirty = true;
    *is_new = true;
    return f;
}

const struct asset_fact *asset_fact_best(const struct assets *t, const struct asset *a,
                                         enum fact_kind kind)
{
    const struct asset_fact *best = NULL, *said = NULL;
    for (uint32_t i = a->first_fact; i != INDEX_NONE; i = t->facts[i].next) {
        const struct asset_fact *f = &t->facts[i];
        if (f->kind != kind || !f->is_current)
            continue;
        const char *by = assets_protocol_name(t, f->protocol);
        if ((kind == FACT_HOST_NAME && names_is_hearsay(by)) ||
            strcmp(by, ASSET_OPCUA_CLIENT) == 0) {
            said = f;
            continue;
        }
        if (f->unit[0] != '\0' && asset_unit_is_other(by))
            continue;
        bool is_itself = f->unit[0] == '\0', was_itself = best && best->unit[0] == '\0';
        if (!best || is_itself > was_itself ||
            (is_itself == was_itself && f->first_ns <= best->first_ns))
            best = f;
    }
    return best ? best : said;
}

const char *asset_fact_text(const struct assets *t, const struct asset *a, enum fact_kind kind)
{
    const struct asset_fact *f = asset_fact_best(t, a, kind);
    return f ? f->text : "";
}

bool asset_fact_is_identity(enum fact_kind kind)
{
    static const enum fact_kind identity[] = {
        FACT_VENDOR,   FACT_PRODUCT,     FACT_ORDER_NUMBER, FACT_SERIAL,  FACT_FIRMWARE,
        FACT_SOFTWARE, FACT_DEVICE_TYPE, FACT_MAC,          FACT_PROGRAM, FACT_PROGRAM_VERSION};
    for (size_t i = 0; i < sizeof identity / sizeof *identity; i++)
        if (identity[i] == kind)
            return true;
    return false;
}

bool asset_fact_is_list(enum fact_kind kind)
{
    return kind == FACT_MODULE_NAME;
}
