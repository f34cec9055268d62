/* flood.c: new connections and strange datagrams per service, echo requests per target and ARP
 * packets per sender in a window of five seconds. */
#include "flood.h"

#include "sensor/base/hash.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    SERVICES = 256, /* power of two; each has a small neighbourhood */
    NEIGHBOURS = 8,
};

/* What is counted, and how much of it within WINDOW_NS is a flood. */
static const struct flood_kind {
    enum sighting_kind kind;
    unsigned least;
    const char *things;
    const char *key;
} kinds[] = {
  /* an HMI that restarts opens a few dozen at once, a browser fewer */
    {SIGHTING_FLOW,      250,  "new connections to one service",              "flood"          },
 /* supervision asks once a second, a person's path trace ten times */
  /* a camera's pictures are a few hundred a second, and learned */
    {SIGHTING_DATAGRAMS, 750,  "datagrams of an unknown kind to one service", "flood datagrams"},
    {SIGHTING_ECHO,      500,  "echo requests to one host",                   "flood echo"     },
 /* a gateway that has lost all it knew asks for a whole network of 254 a few times */
    {SIGHTING_ARP,       1000, "ARP packets of one sender",                   "flood arp"      },
};
enum {
    FACTOR = 3,       /* times what is usual: what a busy service may have more */
    LEARNED_MAX = 10, /* times the fixed limit: more is a flood whatever was usual */
    ELSE = 4,         /* one part of so many may come from others than the one that floods */
    PACE = 16,        /* windows that it takes to get used to more: no flood creeps up unseen */
};
#define SECOND_NS INT64_C(1000000000)
#define WINDOW_NS (5 * SECOND_NS)
#define REPEAT_NS (60 * SECOND_NS) /* a flood that goes on is told again */

struct service {
    bool is_used;
    const struct flood_kind *kind;
    uint32_t segment;
    uint8_t transport;
    struct endpoint target; /* ARP: who sends */
    struct endpoint source; /* of most in the window, if one has most */
    uint32_t lead;          /* how many more than all others it has, about */
    bool is_dirty;
    int64_t window_ns, last_ns, told_ns;
    uint32_t count;       /* in the window */
    uint32_t usual;       /* the most in windows that were no flood, learned slowly */
    uint32_t told, total; /* since the flood began */
    uint64_t packet_number;
    uint32_t source_index;
};

struct floods {
    const struct finding_sink *sink;
    struct service services[SERVICES];
};

struct floods *floods_create(const struct finding_sink *sink)
{
    struct floods *f = calloc(1, sizeof *f);
    if (f)
        f->sink = sink;
    return f;
}

void floods_destroy(struct floods *floods)
{
    free(floods);
}

static bool is_same_host(const struct endpoint *a, const struct endpoint *b)
{
    return address_equal(&a->ip, &b->ip) &&
           (a->ip.kind != ADDRESS_NONE || mac_equal(&a->mac, &b->mac));
}

static const struct flood_kind *kind_of(const struct sighting *s)
{
    bool is_to_service = s->kind == SIGHTING_FLOW || s->kind == SIGHTING_DATAGRAMS;
    if (is_to_service && s->other.port == 0)
        return NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].kind == s->kind)
            return &kinds[i];
    return NULL;
}

static const struct endpoint *counted_of(const struct sighting *s)
{
    return s->kind == SIGHTING_ARP ? &s->who : &s->other;
}

static bool is_service_of(const struct service *v, const struct sighting *s)
{
    const struct endpoint *target = counted_of(s);
    return v->is_used && v->kind->kind == s->kind && v->segment == s->segment &&
           v->transport == s->transport && v->target.port == target->port &&
           is_same_host(&v->target, target);
}

static struct service *service_of(struct floods *floods, const struct sighting *s,
                                  const struct flood_kind *kind)
{
    const struct endpoint *target = counted_of(s);
    uint64_t hash = hash_mix(hash_bytes(&target->ip, sizeof target->ip),
                             (uint64_t)target->port << 32 | s->segment);
    struct service *oldest = NULL;
    for (unsigned i = 0; i < NEIGHBOURS; i++) {
        struct service *v = &floods->services[(hash + i) % SERVICES];
        if (is_service_of(v, s))
            return v;
        if (!oldest || !v->is_used || (oldest->is_used && v->last_ns < oldest->last_ns))
            oldest = v;
    }
    *oldest = (struct service){.is_used = true,
                               .kind = kind,
                               .segment = s->segment,
                               .transport = s->transport,
                               .target = *target};
    return oldest;
}

static void what_print(char *what, size_t size, const struct service *v)
{
    bool is_one_source = v->lead >= v->count - v->count / ELSE; /* others poll meanwhile */
    const char *who = is_one_source ? "is" : "and other sources are";
    if (v->kind->kind == SIGHTING_ARP)
        text_format(what, size, "%s flooding its network with ARP packets", who);
    else if (v->kind->kind == SIGHTING_ECHO)
        text_format(what, size, "%s flooding %%T with echo requests", who);
    else
        text_format(what, size, "%s flooding %s port %u of %%T with %s", who,
                    v->transport == TRANSPORT_TCP ? "TCP" : "UDP", v->target.port,
                    v->kind->kind == SIGHTING_FLOW ? "connections"
                                                   : "datagrams that nobody understands");
}

/* So many are a flood. A window that is only begun may become one: it teaches when it is over. */
static unsigned limit_of(const struct service *v)
{
    unsigned learned = FACTOR * v->usual, least = v->kind->least, most = LEARNED_MAX * least;
    return learned < least ? least : learned > most ? most : learned;
}

static void tell(struct floods *floods, struct service *v)
{
    bool is_arp = v->kind->kind == SIGHTING_ARP;
    struct finding f = {
        .detection = DETECTION_NET_FLOOD,
        .time_ns = v->last_ns,
        .segment = v->segment,
        .actor = v->source,
        .has_target = !is_arp,
        .transport = v->transport,
        .count = v->total - v->told,
        .packet_number = v->packet_number,
        .source_index = v->source_index,
    };
    f.actor.port = 0;
    if (!is_arp)
        f.target = v->target;
    what_print(f.what, sizeof f.what, v);
    text_format(f.expected, sizeof f.expected, "fewer than %u %s in %lld s", limit_of(v),
                v->kind->things, (long long)(WINDOW_NS / SECOND_NS));
    text_format(f.seen, sizeof f.seen, "%u %s within %lld s", v->count, v->kind->things,
                (long long)((v->last_ns - v->window_ns) / SECOND_NS + 1));
    if (v->kind->kind == SIGHTING_FLOW || v->kind->kind == SIGHTING_DATAGRAMS)
        text_format(f.key, sizeof f.key, "%s %u", v->kind->key, v->target.port);
    else
        text_copy(f.key, sizeof f.key, text_of(v->kind->key));
    v->told = v->total;
    v->told_ns = v->last_ns;
    floods->sink->finding(floods->sink->context, &f);
}

/* What a window that was no flood teaches. */
static void learn(struct service *v, uint32_t usual)
{
    v->is_dirty |= usual != v->usual && FACTOR * usual > v->kind->least;
    v->usual = usual;
}

/* Who has more than half of them stays when the others have had their say. */
static void vote(struct service *v, const struct endpoint *who, uint32_t more)
{
    if (v->lead > 0 && is_same_host(&v->source, who)) {
        v->lead += more;
    } else if (v->lead < more) {
        v->source = *who;
        v->lead = more - v->lead;
    } else {
        v->lead -= more;
    }
}

void floods_sighting(struct floods *floods, const struct sighting *s, bool is_learning)
{
    const struct flood_kind *kind = kind_of(s);
    if (!kind)
        return;
    struct service *v = service_of(floods, s, kind);
    if (s->time_ns - v->window_ns > WINDOW_NS) {
        bool goes_on = v->count >= limit_of(v);
        if (!goes_on && v->told == 0 && v->count > v->usual)
            learn(v, v->usual + (v->count - v->usual) / PACE + 1);
        v->window_ns = s->time_ns;
        v->count = 0;
        v->lead = 0;
        if (!goes_on)
            v->told = v->total = 0;
    }
    v->last_ns = s->time_ns;
    v->packet_number = s->packet_number;
    v->source_index = s->source_index;
    bool is_counted = s->kind == SIGHTING_ECHO || s->kind == SIGHTING_DATAGRAMS;
    uint32_t more = is_counted ? (uint32_t)s->packets : 1;
    v->count += more;
    v->total += more;
    vote(v, &s->who, more);
    if (is_learning && s->kind == SIGHTING_DATAGRAMS && v->count > v->usual)
        learn(v, v->count);
    else if (v->count >= limit_of(v) && v->told == 0)
        tell(floods, v);
}

void floods_tick(struct floods *floods, int64_t time_ns)
{
    for (size_t i = 0; i < SERVICES; i++) {
        struct service *v = &floods->services[i];
        if (v->is_used && v->told > 0 && v->total > v->told && time_ns - v->told_ns >= REPEAT_NS)
            tell(floods, v);
    }
}

/* --- the store --- */

enum { SENSOR_SIZE = 64 };

struct flood_row {
    char sensor[SENSOR_SIZE], ip[ADDRESS_TEXT_SIZE], mac[MAC_TEXT_SIZE];
    const struct flood_kind *kind;
    uint32_t segment, usual;
    uint8_t transport;
    uint16_t port;
};

static bool row_apply(struct store *store, const void *data, size_t size, struct error *err)
{
    assert(size == sizeof(struct flood_row));
    const struct flood_row *row = data;
    sqlite3_stmt *s = store_statement(
        store,
        "INSERT INTO floods (sensor, segment, kind, transport, ip, mac, port, usual)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (sensor, segment, kind, transport, ip, mac, port)"
        " DO UPDATE SET usual = excluded.usual",
        err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, row->sensor, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, row->segment);
    sqlite3_bind_text(s, 3, row->kind->key, -1, SQLITE_STATIC);
    sqlite3_bind_int(s, 4, row->transport);
    sqlite3_bind_text(s, 5, row->ip, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 6, row->mac, -1, SQLITE_STATIC);
    sqlite3_bind_int(s, 7, row->port);
    sqlite3_bind_int64(s, 8, row->usual);
    return store_step(store, s, err);
}

void floods_save(struct floods *floods, struct store_queue *queue, const char *sensor)
{
    for (size_t i = 0; i < SERVICES; i++) {
        struct service *v = &floods->services[i];
        if (!v->is_used || !v->is_dirty)
            continue;
        v->is_dirty = false;
        struct flood_row row = {.kind = v->kind,
                                .segment = v->segment,
                                .usual = v->usual,
                                .transport = v->transport,
                                .port = v->target.port};
        text_copy(row.sensor, sizeof row.sensor, text_of(sensor));
        address_print(row.ip, &v->target.ip);
        mac_print(row.mac, &v->target.mac);
        store_post(queue, row_apply, &row, sizeof row);
    }
}

static void row_restore(struct floods *floods, sqlite3_stmt *row)
{
    const char *name = (const char *)sqlite3_column_text(row, 1);
    const char *ip = (const char *)sqlite3_column_text(row, 3);
    const char *mac = (const char *)sqlite3_column_text(row, 4);
    for (size_t i = 0; name && i < sizeof kinds / sizeof *kinds; i++) {
        struct sighting s = {.kind = kinds[i].kind,
                             .segment = (uint32_t)sqlite3_column_int64(row, 0),
                             .transport = (uint8_t)sqlite3_column_int(row, 2)};
        struct endpoint target = {.port = (uint16_t)sqlite3_column_int(row, 5)};
        if (strcmp(kinds[i].key, name) != 0)
            continue;
        if (ip)
            address_parse(&target.ip, ip);
        if (mac)
            mac_parse(&target.mac, mac);
        s.who = s.other = target;
        service_of(floods, &s, &kinds[i])->usual = (uint32_t)sqlite3_column_int64(row, 6);
    }
}

bool floods_load(struct floods *floods, struct store *store, const char *sensor, struct error *err)
{
    sqlite3_stmt *s = store_statement(store,
                                      "SELECT segment, kind, transport, ip, mac, port, usual FROM"
                                      " floods WHERE sensor = ? ORDER BY usual DESC, segment, kind,"
                                      " transport, ip, mac, port LIMIT 128",
                                      err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, sensor, -1, SQLITE_TRANSIENT);
    int result;
    while ((result = sqlite3_step(s)) == SQLITE_ROW)
        row_restore(floods, s);
    sqlite3_reset(s);
    return result == SQLITE_DONE ||
           error_set(err, "cannot read what is usual in %s: %s", store_path(store),
                     sqlite3_errmsg(store_handle(store)));
}
