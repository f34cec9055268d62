/* api_map.c: who talks with whom: the hosts of the inventory and the conversations of the baseline.
 */
#include "asset_list.h"
#include "names.h"
#include "routes.h"
#include "sensor/base/address.h"
#include "sensor/base/json_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINKS_MAX = 6000,
    HOSTS_MAX = 3000, /* those that talk come first */
    PROTOCOLS_MAX = 200,
    ELEMENTS_LEAST = 64 << 10, /* bytes; more than the rest of the answer */
};

/* Without statistics SQLite takes a primary key that begins with the sensor for as good as these
 * indices. One row per conversation, the newest first; a pair without one has an empty protocol.
 * What was read and written is added up of those that are shown only, both at one look: "12 3". */
static const char links_sql[] =
    "WITH l AS MATERIALIZED (SELECT p.host_a AS a, p.host_b AS b,"
    " coalesce(c.protocol, '') AS protocol,"
    " CASE WHEN c.is_role_known THEN c.client ELSE 0 END AS client,"
    " coalesce(c.state, p.state) = 'pending' AS is_new, coalesce(c.count, p.count) AS count,"
    " coalesce(c.first_seen, p.first_seen) AS first, coalesce(c.last_seen, p.last_seen) AS last,"
    " c.sensor, c.id FROM baseline_pairs p LEFT JOIN baseline_conversations c"
    " INDEXED BY baseline_conversations_by_pair ON c.sensor = p.sensor AND c.pair = p.id"
    " WHERE (?1 = '' OR c.protocol = ?1) AND coalesce(c.first_seen, p.first_seen) <= ?2"
    " ORDER BY coalesce(c.last_seen, p.last_seen) DESC LIMIT ?3)"
    " SELECT a, b, protocol, client, is_new, count, first, last, (SELECT"
    " sum(CASE WHEN o.operation IN ('read', 'diagnostics', 'browse', 'identify', 'discover',"
    " 'file_read', 'subscribe', 'publish', 'program_upload') THEN o.count ELSE 0 END) || ' ' ||"
    " sum(CASE WHEN o.operation IN ('write', 'control', 'lock', 'time_set', 'file_write',"
    " 'file_delete', 'config_change', 'mode_change', 'start', 'restart', 'stop', 'force',"
    " 'program_modify', 'program_delete', 'program_download', 'firmware_update')"
    " THEN o.count ELSE 0 END) FROM baseline_operations o"
    " INDEXED BY baseline_operations_by_conversation"
    " WHERE o.sensor = l.sensor AND o.conversation = l.id) FROM l";

enum column {
    HOST_A,
    HOST_B,
    PROTOCOL,
    CLIENT,
    IS_NEW,
    COUNT,
    FIRST,
    LAST,
    READS_WRITES,
};

struct host {
    const struct asset_line *asset; /* NULL: only conversations name it */
    int64_t alerts;
    bool has_new, has_known; /* conversations */
};

/* Elements of a JSON array, with commas. */
struct elements {
    char *bytes;
    size_t size, capacity, count;
};

struct map {
    const struct asset_lines *assets;
    struct names *owners;    /* address -> const struct asset_line * */
    struct names *networks;  /* "10.0.0" of their addresses -> char */
    struct names *hosts;     /* id -> struct host; those that talk come first */
    struct names *protocols; /* name -> char */
    struct elements links_json, hosts_json, protocols_json;
    int64_t first_ns, last_ns;
    size_t left_out;
    bool is_out_of_memory;
};

/* --- elements --- */

static void elements_add(struct map *m, struct elements *e,
                         void (*put)(struct json_writer *w, const void *what), const void *what)
{
    for (;;) {
        struct json_writer w;
        if (e->bytes) {
            json_begin(&w, e->bytes + e->size, e->capacity - e->size);
            w.needs_comma = e->count > 0;
            put(&w, what);
            if (!w.is_cut) {
                e->size += json_size(&w);
                e->count++;
                return;
            }
        }
        size_t capacity = e->capacity > 0 ? 2 * e->capacity : ELEMENTS_LEAST;
        char *bytes = realloc(e->bytes, capacity);
        if (!bytes) {
            m->is_out_of_memory = true;
            return;
        }
        e->bytes = bytes;
        e->capacity = capacity;
    }
}

/* --- hosts --- */

static const char *name_of(const struct asset_line *line)
{
    static const enum asset_column best[] = {ASSET_COLUMN_name, ASSET_COLUMN_hostname,
                                             ASSET_COLUMN_ip, ASSET_COLUMN_mac};
    for (size_t i = 0; i < sizeof best / sizeof *best; i++)
        if (asset_line_cell(line, best[i])[0] != '\0')
            return asset_line_cell(line, best[i]);
    return "unnamed";
}

/* What comes before the last part of an IPv4 address; false: it is none. */
static bool network_of(char network[64], const char *text)
{
    struct address ip;
    const char *last = strrchr(text, '.');
    if (!last || !address_parse(&ip, text) || ip.kind != ADDRESS_IP4)
        return false;
    size_t size = (size_t)(last - text);
    memcpy(network, text, size);
    network[size] = '\0';
    return true;
}

/* The asset answers for each of these addresses. */
static void add_addresses(struct map *m, const char *list, const struct asset_line *asset)
{
    char address[64], network[64];
    while (*list != '\0') {
        size_t size = strcspn(list, ";");
        text_copy(address, sizeof address, (struct text){list, size});
        const struct asset_line **owner = names_add(m->owners, address);
        if (owner)
            *owner = asset;
        if (!owner || (network_of(network, address) && !names_add(m->networks, network)))
            m->is_out_of_memory = true;
        list += size + (list[size] == ';');
    }
}

static void index_assets(struct map *m)
{
    static const enum asset_column columns[] = {ASSET_COLUMN_ip_other, ASSET_COLUMN_mac_other,
                                                ASSET_COLUMN_mac, ASSET_COLUMN_ip};
    for (size_t c = 0; c < sizeof columns / sizeof *columns; c++)
        for (size_t i = 0; i < m->assets->count; i++)
            add_addresses(m, asset_line_cell(m->assets->lines[i], columns[c]), m->assets->lines[i]);
}

/* The asset that answers for the address; NULL: none. */
static const struct asset_line *asset_of(const struct map *m, const char *address)
{
    const struct asset_line *const *owner = names_find(m->owners, address);
    return owner ? *owner : NULL;
}

static const char *id_of(const struct map *m, const char *address)
{
    const struct asset_line *asset = asset_of(m, address);
    return asset ? asset_line_cell(asset, ASSET_COLUMN_asset_id) : address;
}

/* Not a host: a group, or all of a network in which hosts are known (their netmask is not). */
static bool is_group(const struct map *m, const char *address)
{
    struct address ip;
    struct mac mac;
    char network[64];
    if (asset_of(m, address))
        return false;
    if (!address_parse(&ip, address))
        return mac_parse(&mac, address) && mac_is_group(&mac);
    return address_is_group(&ip) ||
           (network_of(network, address) && ip.bytes[3] == 255 && names_find(m->networks, network));
}

/* An end of a conversation. */
static void note_host(struct map *m, const char *address, bool is_new)
{
    const struct asset_line *asset = asset_of(m, address);
    const char *id = asset ? asset_line_cell(asset, ASSET_COLUMN_asset_id) : address;
    struct host *host = names_add(m->hosts, id);
    if (!host) {
        m->is_out_of_memory = true;
        return;
    }
    host->asset = asset;
    host->has_new |= is_new;
    host->has_known |= !is_new;
}

/* Those without conversations, as far as there is room. */
static void add_silent(struct map *m)
{
    for (size_t i = 0; i < m->assets->count && names_count(m->hosts) < HOSTS_MAX; i++) {
        const struct asset_line *asset = m->assets->lines[i];
        struct host *host = names_add(m->hosts, asset_line_cell(asset, ASSET_COLUMN_asset_id));
        if (host)
            host->asset = asset;
        else
            m->is_out_of_memory = true;
    }
}

struct named_host {
    const char *id;
    const struct host *host;
};

static void put_asset(struct json_writer *w, const struct asset_line *line)
{
    static const struct {
        const char *key;
        enum asset_column column;
    } texts[] = {
        {"class",   ASSET_COLUMN_asset_class },
        {"level",   ASSET_COLUMN_purdue_level},
        {"zone",    ASSET_COLUMN_zone        },
        {"segment", ASSET_COLUMN_segment     },
    };
    const char *ip = asset_line_cell(line, ASSET_COLUMN_ip);
    const char *first = asset_line_cell(line, ASSET_COLUMN_first_seen);
    json_string_of(w, "name", name_of(line));
    json_string_of(w, "address", ip[0] ? ip : asset_line_cell(line, ASSET_COLUMN_mac));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        json_string_of(w, texts[i].key, asset_line_cell(line, texts[i].column));
    json_bool(w, "is_level_guessed",
              strstr(asset_line_cell(line, ASSET_COLUMN_sources), "purdue_level: inferred"));
    if (first[0])
        json_string_of(w, "first_seen", first);
    else
        json_raw(w, "first_seen", TEXT("null"));
}

/* A host that only conversations name: it is outside. */
static void put_stranger(struct json_writer *w, const char *address)
{
    static const char *const unknown[] = {"class", "zone", "segment"};
    struct address ip;
    bool is_public = address_parse(&ip, address) && address_is_public(&ip);
    json_string_of(w, "name", address);
    json_string_of(w, "address", address);
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        json_string_of(w, unknown[i], "");
    json_string_of(w, "level", is_public ? "5" : "");
    json_bool(w, "is_level_guessed", true);
    json_raw(w, "first_seen", TEXT("null"));
}

/* A host is new when all that is known of it is. */
static void put_host(struct json_writer *w, const void *what)
{
    const struct named_host *named = what;
    const struct host *host = named->host;
    json_object_begin(w, NULL);
    json_string_of(w, "id", named->id);
    json_bool(w, "is_asset", host->asset != NULL);
    if (host->asset)
        put_asset(w, host->asset);
    else
        put_stranger(w, named->id);
    json_bool(w, "is_new", host->has_new && !host->has_known);
    json_signed(w, "alerts", host->alerts);
    json_object_end(w);
}

static void put_hosts(struct map *m)
{
    for (size_t i = 0; i < names_count(m->hosts); i++)
        elements_add(m, &m->hosts_json, put_host,
                     &(struct named_host){names_text(m->hosts, i), names_record(m->hosts, i)});
}

/* --- conversations --- */

struct link {
    const char *source, *target, *protocol;
    int64_t reads, writes, count, first_ns, last_ns;
    bool is_new;
};

static void put_link(struct json_writer *w, const void *what)
{
    const struct link *link = what;
    json_object_begin(w, NULL);
    json_string_of(w, "source", link->source);
    json_string_of(w, "target", link->target);
    json_string_of(w, "protocol", link->protocol);
    json_signed(w, "reads", link->reads);
    json_signed(w, "writes", link->writes);
    json_signed(w, "count", link->count);
    json_bool(w, "is_new", link->is_new);
    json_time(w, "first_seen", link->first_ns);
    json_time(w, "last_seen", link->last_ns);
    json_object_end(w);
}

static void put_protocol(struct json_writer *w, const void *what)
{
    json_string_of(w, NULL, what);
}

static void note_protocol(struct map *m, const char *protocol)
{
    if (protocol[0] == '\0' || names_count(m->protocols) == PROTOCOLS_MAX ||
        names_find(m->protocols, protocol))
        return;
    if (!names_add(m->protocols, protocol))
        m->is_out_of_memory = true;
    elements_add(m, &m->protocols_json, put_protocol, protocol);
}

static void add_link(struct map *m, sqlite3_stmt *s)
{
    bool is_turned = sqlite3_column_int(s, CLIENT) == 1;
    const char *client = column_text(s, is_turned ? HOST_B : HOST_A);
    const char *server = column_text(s, is_turned ? HOST_A : HOST_B);
    struct link link = {.source = id_of(m, client),
                        .target = id_of(m, server),
                        .protocol = column_text(s, PROTOCOL),
                        .count = sqlite3_column_int64(s, COUNT),
                        .first_ns = sqlite3_column_int64(s, FIRST),
                        .last_ns = sqlite3_column_int64(s, LAST),
                        .is_new = sqlite3_column_int(s, IS_NEW) != 0};
    char *writes;
    link.reads = strtoll(column_text(s, READS_WRITES), &writes, 10);
    link.writes = strtoll(writes, NULL, 10);
    note_host(m, client, link.is_new);
    note_host(m, server, link.is_new);
    note_protocol(m, link.protocol);
    if (m->first_ns == 0 || link.first_ns < m->first_ns)
        m->first_ns = link.first_ns;
    if (link.first_ns > m->last_ns)
        m->last_ns = link.first_ns;
    elements_add(m, &m->links_json, put_link, &link);
}

static bool read_links(struct request *r, struct map *m, int64_t until_ns, struct error *err)
{
    sqlite3_stmt *s = store_statement(r->store, links_sql, err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, request_text(r, "protocol"), -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, until_ns);
    sqlite3_bind_int64(s, 3, LINKS_MAX + 1);
    while (sqlite3_step(s) == SQLITE_ROW) {
        if (is_group(m, column_text(s, HOST_A)) || is_group(m, column_text(s, HOST_B)))
            continue;
        if (m->links_json.count < LINKS_MAX)
            add_link(m, s);
        else
            m->left_out++;
    }
    sqlite3_reset(s);
    return true;
}

/* How many alerts name each host. */
static void count_alerts(struct request *r, struct map *m)
{
    sqlite3_stmt *s =
        store_statement(r->store,
                        "SELECT actor, count(*) FROM alerts WHERE actor <> '' GROUP BY actor"
                        " UNION ALL SELECT target, count(*) FROM alerts WHERE target <> ''"
                        " GROUP BY target",
                        NULL);
    while (s && sqlite3_step(s) == SQLITE_ROW) {
        struct host *host = names_find(m->hosts, id_of(m, column_text(s, 0)));
        if (host)
            host->alerts += sqlite3_column_int64(s, 1);
    }
    if (s)
        sqlite3_reset(s);
}

/* --- the answer --- */

static void put_elements(struct json_writer *w, const char *key, const struct elements *e)
{
    json_array_begin(w, key);
    if (e->count > 0)
        json_raw(w, NULL, (struct text){e->bytes, e->size});
    json_array_end(w);
}

static void put_time(struct json_writer *w, const char *key, int64_t time_ns)
{
    if (time_ns != 0)
        json_time(w, key, time_ns);
    else
        json_raw(w, key, TEXT("null"));
}

static enum MHD_Result reply_map(struct request *r, const struct map *m)
{
    size_t capacity =
        m->hosts_json.size + m->links_json.size + m->protocols_json.size + ELEMENTS_LEAST;
    char *bytes = m->is_out_of_memory ? NULL : malloc(capacity);
    struct json_writer w;
    if (!bytes)
        return reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory");
    json_begin(&w, bytes, capacity);
    json_object_begin(&w, NULL);
    put_elements(&w, "hosts", &m->hosts_json);
    put_elements(&w, "links", &m->links_json);
    put_elements(&w, "protocols", &m->protocols_json);
    put_time(&w, "first", m->first_ns);
    put_time(&w, "last", m->last_ns);
    json_bool(&w, "is_cut", m->left_out > 0);
    json_object_end(&w);
    return reply_bytes(r, MHD_HTTP_OK, "application/json", bytes, json_size(&w));
}

static enum MHD_Result answer(struct request *r, struct map *m, int64_t until_ns)
{
    struct error err = {""};
    if (!m->owners || !m->networks || !m->hosts || !m->protocols)
        return reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory");
    index_assets(m);
    if (!read_links(r, m, until_ns, &err))
        return reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, err.text);
    add_silent(m);
    count_alerts(r, m);
    put_hosts(m);
    return reply_map(r, m);
}

static void map_destroy(struct map *m)
{
    names_destroy(m->owners);
    names_destroy(m->networks);
    names_destroy(m->hosts);
    names_destroy(m->protocols);
    free(m->links_json.bytes);
    free(m->hosts_json.bytes);
    free(m->protocols_json.bytes);
}

enum MHD_Result api_map(struct request *r)
{
    struct error err = {""};
    int64_t until_ns = INT64_MAX;
    const char *until = request_text(r, "until");
    if (until[0] != '\0' && !time_parse(&until_ns, until))
        return reply_error(r, MHD_HTTP_BAD_REQUEST, "until is a time like 2026-01-31T18:00:00Z");
    const struct asset_lines *assets = asset_list_take(r->web->assets, r->store, &err);
    if (!assets)
        return reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, err.text);
    struct map m = {.assets = assets,
                    .owners = names_create(sizeof(const struct asset_line *)),
                    .networks = names_create(1),
                    .hosts = names_create(sizeof(struct host)),
                    .protocols = names_create(1)};
    enum MHD_Result result = answer(r, &m, until_ns);
    map_destroy(&m);
    asset_list_give(r->web->assets, assets);
    return result;
}
