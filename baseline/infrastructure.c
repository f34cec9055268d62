/* infrastructure.c: the claims to each role of a segment, and the judgement of new ones. */
#include "infrastructure.h"

#include "sensor/base/json_writer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    CLAIMS_MAX = 512,
    TOLD_MAX = 4, /* known holders named in a finding */
    BRIDGE_ID_SIZE = 8,
    BRIDGE_ID_MAC = 2,
    SEGMENT_NAME_MAX = 64,
    SENSOR_NAME_MAX = 64,
};

static const int64_t REPEAT_NS = 3600 * 1000000000ll; /* a claim that goes on is told again */

/* What an event of a protocol says of its sender. */
static const struct {
    const char *protocol;
    const char *name; /* of the event; NULL: every one that is no request */
    enum infrastructure_role role;
    const char *area; /* of the item with the id; NULL: the sender speaks for itself */
} claims[] = {
    {"dhcp",    "offer",     ROLE_DHCP,        NULL          },
    {"dhcp",    "ack",       ROLE_DHCP,        NULL          },
    {"dhcp",    "bootp",     ROLE_DHCP,        NULL          },
    {"dhcpv6",  "advertise", ROLE_DHCP,        NULL          },
    {"dhcpv6",  "reply",     ROLE_DHCP,        NULL          },
    {"dns",     "answer",    ROLE_DNS,         NULL          },
    {"ntp",     "server",    ROLE_TIME,        NULL          },
    {"ntp",     "broadcast", ROLE_TIME,        NULL          },
    {"ptp",     "announce",  ROLE_GRANDMASTER, "grandmaster" },
    {"pn_ptcp", NULL,        ROLE_GRANDMASTER, "clock_master"},
    {"stp",     NULL,        ROLE_ROOT_BRIDGE, "root_bridge" },
    {"pn_mrp",  "test",      ROLE_RING,        NULL          },
    {"llmnr",   "answer",    ROLE_RESPONDER,   NULL          },
    {"nbns",    "answer",    ROLE_RESPONDER,   NULL          },
    {"mdns",    "answer",    ROLE_ANNOUNCER,   NULL          },
};

/* A role in the store, what its claim is in a sentence, and what its holders are called. */
static const struct {
    const char *name, *phrase, *holder;
} roles[ROLE_COUNT] = {
    [ROLE_DHCP] = {"dhcp",        "gives addresses as a DHCP server",                 "DHCP server"   },
    [ROLE_DNS] = {"dns",         "answers for names as a DNS server",                "DNS server"    },
    [ROLE_TIME] = {"time",        "gives the time as an NTP server",                  "NTP server"    },
    [ROLE_GRANDMASTER] = {"grandmaster", "says that the clock of this network is %s",        "clock"         },
    [ROLE_ROUTER] = {"router",      "advertises itself as the IPv6 router",             "IPv6 router"   },
    [ROLE_ROOT_BRIDGE] = {"root",        "says that the root of the spanning tree is %s",    "root bridge"   },
    [ROLE_RING] = {"ring",        "manages the ring (MRP)",                           "ring manager"  },
    [ROLE_RESPONDER] = {"responder",   "answers questions for names that go to everybody",
                   "name responder"                                                                   },
    [ROLE_REDIRECT] = {"redirect",    "tells hosts to send by way of %s (ICMP redirect)",
                   "redirect to"                                                                      },
    [ROLE_STANDBY] = {"standby",     "claims to be a virtual router (VRRP, HSRP)",       "router"        },
    [ROLE_ANNOUNCER] = {"announcer",   "announces names and services by mDNS",             "mDNS announcer"},
};

struct claim {
    uint32_t segment;
    uint8_t role;
    bool is_learned, is_dirty;
    char identity[INFRASTRUCTURE_IDENTITY];
    int64_t first_ns, last_ns, told_ns;
    uint64_t count, told;
};

struct infrastructure {
    const struct finding_sink *sink;
    struct claim claims[CLAIMS_MAX];
    size_t count;
    uint64_t evicted;
};

struct infrastructure *infrastructure_create(const struct finding_sink *sink)
{
    struct infrastructure *f = calloc(1, sizeof *f);
    if (f)
        f->sink = sink;
    return f;
}

void infrastructure_destroy(struct infrastructure *infrastructure)
{
    free(infrastructure);
}

uint64_t infrastructure_evicted(const struct infrastructure *infrastructure)
{
    return infrastructure->evicted;
}

/* --- what an event claims --- */

static bool id_of(const struct ot_event *e, const char *area, struct text *id)
{
    *id = (struct text){NULL, 0};
    if (!area)
        return true;
    for (uint32_t i = 0; i < e->item_count; i++) {
        const struct ot_item *item = &e->items[i];
        if (!item->area || strcmp(item->area, area) != 0 || !item->values.bytes)
            continue;
        *id = (struct text){(const char *)item->values.bytes, item->values.size};
        return true;
    }
    return false;
}

bool infrastructure_is_protocol(const char *name)
{
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++)
        if (strcmp(claims[i].protocol, name) == 0)
            return true;
    return false;
}

bool infrastructure_role_of(const struct ot_event *e, enum infrastructure_role *role,
                            struct text *id)
{
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        if (claims[i].protocol[0] != e->protocol[0] || strcmp(claims[i].protocol, e->protocol) != 0)
            continue;
        if (claims[i].name && (!e->name || strcmp(claims[i].name, e->name) != 0))
            continue;
        *role = claims[i].role;
        return id_of(e, claims[i].area, id);
    }
    return false;
}

/* A bridge keeps its MAC when its priority changes; other ids are as long as they are. */
char *infrastructure_identity(char out[INFRASTRUCTURE_IDENTITY], enum infrastructure_role role,
                              struct text id)
{
    out[0] = '\0';
    if (role == ROLE_ROOT_BRIDGE && id.size == BRIDGE_ID_SIZE) {
        id.at += BRIDGE_ID_MAC;
        id.size -= BRIDGE_ID_MAC;
    }
    for (size_t i = 0; i < id.size && i * 3 + 3 < INFRASTRUCTURE_IDENTITY; i++)
        text_format(out + (i ? i * 3 - 1 : 0), INFRASTRUCTURE_IDENTITY - i * 3, "%s%02x",
                    i ? ":" : "", (uint8_t)id.at[i]);
    return out;
}

/* --- claims --- */

static struct claim *claim_find(struct infrastructure *f, uint32_t segment, unsigned role,
                                const char *identity)
{
    for (size_t i = 0; i < f->count; i++) {
        struct claim *c = &f->claims[i];
        if (c->segment == segment && c->role == role && strcmp(c->identity, identity) == 0)
            return c;
    }
    return NULL;
}

/* What is not learned goes first, then what was silent for longest. */
static bool is_dearer(const struct claim *a, const struct claim *b)
{
    return a->is_learned != b->is_learned ? a->is_learned : a->last_ns > b->last_ns;
}

static struct claim *claim_make(struct infrastructure *f, uint32_t segment, unsigned role,
                                const char *identity, int64_t time_ns)
{
    struct claim *place = &f->claims[0];
    if (f->count < CLAIMS_MAX) {
        place = &f->claims[f->count++];
    } else {
        for (size_t i = 1; i < f->count; i++)
            place = is_dearer(place, &f->claims[i]) ? &f->claims[i] : place;
        f->evicted++;
    }
    *place = (struct claim){.segment = segment,
                            .role = (uint8_t)role,
                            .first_ns = time_ns,
                            .last_ns = time_ns,
                            .is_dirty = true};
    text_copy(place->identity, sizeof place->identity, text_of(identity));
    return place;
}

/* "DHCP server 10.0.0.1, known since 2026-01-01T00:00Z", all that are known of this role. */
static void print_known(const struct infrastructure *f, const struct claim *of, char *out,
                        size_t capacity)
{
    char since[TIME_TEXT_SIZE];
    unsigned told = 0;
    out[0] = '\0';
    for (size_t i = 0; i < f->count && told < TOLD_MAX; i++) {
        const struct claim *c = &f->claims[i];
        if (c->segment != of->segment || c->role != of->role || !c->is_learned)
            continue;
        size_t used = strlen(out);
        time_print(since, c->first_ns);
        since[16] = '\0'; /* minutes are enough for people */
        text_format(out + used, capacity - used, "%s%s %s since %sZ", told ? ", " : "",
                    roles[of->role].holder, c->identity, since);
        told++;
    }
    if (told == 0)
        text_format(out, capacity, "no %s was seen here while learning", roles[of->role].holder);
}

static void tell(struct infrastructure *f, struct claim *c, const struct sighting *s,
                 bool is_new_host)
{
    struct finding finding = {
        .detection = DETECTION_NET_ROGUE_INFRASTRUCTURE,
        .time_ns = s->time_ns,
        .segment = s->segment,
        .actor = s->who,
        .transport = s->transport,
        .flags = is_new_host ? FINDING_ACTOR_NEW : 0,
        .count = c->count - c->told,
        .packet_number = s->packet_number,
        .source_index = s->source_index,
    };
    finding.actor.port = 0;
    text_copy(finding.protocol, sizeof finding.protocol, text_of(s->protocol));
    text_copy(finding.object, sizeof finding.object, text_of(c->identity));
    text_format(finding.key, sizeof finding.key, "%s %s", roles[c->role].name, c->identity);
    const char *phrase = roles[c->role].phrase;
    size_t before = strcspn(phrase, "%"); /* "%s": who it is claimed for */
    bool is_for_other = phrase[before] != '\0';
    text_format(finding.what, sizeof finding.what, "%.*s%s%s, which was not so while learning",
                (int)before, phrase, is_for_other ? c->identity : "",
                is_for_other ? phrase + before + 2 : "");
    print_known(f, c, finding.expected, sizeof finding.expected);
    text_format(finding.seen, sizeof finding.seen, "%s %s", roles[c->role].holder, c->identity);
    c->told_ns = s->time_ns;
    c->told = c->count;
    f->sink->finding(f->sink->context, &finding);
}

/* Servers of the internet change with every question; that a host talks to them is told elsewhere.
 */
static bool is_far_away(const struct sighting *s, unsigned role)
{
    return (role == ROLE_DNS || role == ROLE_TIME) && address_is_public(&s->who.ip);
}

/* Who claims: by its address, or the id that it claims for. */
static char *print_identity(char out[INFRASTRUCTURE_IDENTITY], const struct sighting *s)
{
    char ip[ADDRESS_TEXT_SIZE], mac[MAC_TEXT_SIZE];
    address_print(ip, &s->who.ip);
    return text_format(out, INFRASTRUCTURE_IDENTITY, "%s",
                       s->text[0] ? s->text
                       : ip[0]    ? ip
                                  : mac_print(mac, &s->who.mac));
}

/* By mDNS every known device speaks for itself sooner or later; the backup of a virtual router has
 * been silent (RFC 5798 6.4.2) until it takes over. */
static bool is_open_to_known(unsigned role)
{
    return role == ROLE_ANNOUNCER || role == ROLE_STANDBY;
}

bool infrastructure_sighting(struct infrastructure *f, uint32_t segment, const struct sighting *s,
                             bool is_silent, bool is_new_host)
{
    char identity[INFRASTRUCTURE_IDENTITY];
    unsigned role = s->detail;
    if (role >= ROLE_COUNT || is_far_away(s, role))
        return false;
    print_identity(identity, s);
    struct claim *c = claim_find(f, segment, role, identity);
    bool is_new = !c;
    if (is_new)
        c = claim_make(f, segment, role, identity, s->time_ns);
    c->last_ns = s->time_ns;
    c->count++;
    c->is_dirty = true;
    if (is_silent || (!is_new_host && is_open_to_known(role)))
        c->is_learned = true;
    else if (!c->is_learned && (c->told == 0 || s->time_ns - c->told_ns >= REPEAT_NS))
        tell(f, c, s, is_new_host);
    return is_new;
}

/* --- the store --- */

struct claim_row {
    char sensor[SENSOR_NAME_MAX], segment[SEGMENT_NAME_MAX];
    struct claim claim;
};

static bool claim_apply(struct store *store, const void *data, size_t size, struct error *err)
{
    assert(size == sizeof(struct claim_row));
    const struct claim_row *row = data;
    sqlite3_stmt *s =
        store_statement(store,
                        "INSERT OR REPLACE INTO infrastructure (sensor, segment, role,"
                        " identity, first_ns, last_ns, count, is_learned)"
                        " VALUES (?,?,?,?,?,?,?,?)",
                        err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, row->sensor, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(s, 2, row->segment, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(s, 3, roles[row->claim.role].name, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 4, row->claim.identity, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int64(s, 5, row->claim.first_ns);
    sqlite3_bind_int64(s, 6, row->claim.last_ns);
    sqlite3_bind_int64(s, 7, (int64_t)row->claim.count);
    sqlite3_bind_int(s, 8, row->claim.is_learned);
    return store_step(store, s, err);
}

void infrastructure_save(struct infrastructure *f, struct store_queue *queue,
                         const struct infrastructure_names *names)
{
    for (size_t i = 0; i < f->count; i++) {
        struct claim *c = &f->claims[i];
        if (!c->is_dirty)
            continue;
        c->is_dirty = false;
        struct claim_row row = {.claim = *c};
        text_copy(row.sensor, sizeof row.sensor, text_of(names->sensor));
        text_copy(row.segment, sizeof row.segment,
                  text_of(names->segment_name(names->context, c->segment)));
        store_post(queue, claim_apply, &row, sizeof row);
    }
}

static void claim_restore(struct infrastructure *f, const struct infrastructure_names *names,
                          sqlite3_stmt *s)
{
    const char *segment = (const char *)sqlite3_column_text(s, 0);
    const char *name = (const char *)sqlite3_column_text(s, 1);
    const char *identity = (const char *)sqlite3_column_text(s, 2);
    unsigned role = 0;
    while (role < ROLE_COUNT && name && strcmp(roles[role].name, name) != 0)
        role++;
    if (!segment || !name || !identity || role == ROLE_COUNT)
        return;
    uint32_t at = names->segment_named(names->context, segment);
    struct claim *c = claim_find(f, at, role, identity);
    if (!c)
        c = claim_make(f, at, role, identity, sqlite3_column_int64(s, 3));
    c->last_ns = sqlite3_column_int64(s, 4);
    c->count = (uint64_t)sqlite3_column_int64(s, 5);
    c->is_learned = sqlite3_column_int(s, 6) != 0;
    c->is_dirty = false;
}

bool infrastructure_load(struct infrastructure *f, struct store *store,
                         const struct infrastructure_names *names, struct error *err)
{
    sqlite3_stmt *s = store_statement(store,
                                      "SELECT segment, role, identity, first_ns, last_ns, count,"
                                      " is_learned FROM infrastructure WHERE sensor = ?"
                                      " ORDER BY last_ns DESC, segment, role, identity",
                                      err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, names->sensor, -1, SQLITE_TRANSIENT);
    int result = SQLITE_ROW;
    while (f->count < CLAIMS_MAX && (result = sqlite3_step(s)) == SQLITE_ROW)
        claim_restore(f, names, s);
    sqlite3_reset(s);
    return result == SQLITE_DONE || result == SQLITE_ROW ||
           error_set(err, "cannot read the infrastructure in %s: %s", store_path(store),
                     sqlite3_errmsg(store_handle(store)));
}
