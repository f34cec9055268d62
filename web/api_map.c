/* api_map.c: who talks with whom: the hosts of the inventory and the conversations of the baseline.
 */
#include "asset_list.h"
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
};

/* Without statistics SQLite takes a primary key that begins with the sensor for as good as these
 * indices. One row per conversation, the newest first; a pair without one has an empty protocol. */
static const char links_sql[] =
    "SELECT p.host_a, p.host_b, coalesce(c.protocol, ''), CASE WHEN c.is_role_known THEN c.client"
    " ELSE 0 END, coalesce(c.state, p.state) = 'pending', coalesce(c.count, p.count),"
    " coalesce(c.first_seen, p.first_seen), coalesce(c.last_seen, p.last_seen),"
    " coalesce((SELECT sum(o.count) FROM baseline_operations o INDEXED BY "
    "baseline_operations_by_conversation WHERE o.sensor = c.sensor"
    " AND o.conversation = c.id AND o.operation IN ('read', 'diagnostics', 'browse', 'identify',"
    " 'discover', 'file_read', 'subscribe', 'publish', 'program_upload')), 0),"
    " coalesce((SELECT sum(o.count) FROM baseline_operations o INDEXED BY "
    "baseline_operations_by_conversation WHERE o.sensor = c.sensor"
    " AND o.conversation = c.id AND o.operation IN ('write', 'control', 'lock', 'time_set',"
    " 'file_write', 'file_delete', 'config_change', 'mode_change', 'start', 'restart', 'stop',"
    " 'force', 'program_modify', 'program_delete', 'program_download', 'firmware_update')), 0)"
    " FROM baseline_pairs p LEFT JOIN baseline_conversations c INDEXED BY "
    "baseline_conversations_by_pair"
    " ON c.sensor = p.sensor AND c.pair = p.id"
    " WHERE (?1 = '' OR c.protocol = ?1) AND coalesce(c.first_seen, p.first_seen) <= ?2"
    " ORDER BY coalesce(c.last_seen, p.last_seen) DESC LIMIT ?3";

enum column {
    HOST_A,
    HOST_B,
    PROTOCOL,
    CLIENT,
    IS_NEW,
    COUNT,
    FIRST,
    LAST,
    READS,
    WRITES,
};

struct map {
    json_t *hosts;     /* id -> host */
    json_t *ids;       /* address -> id, for those that are assets */
    json_t *networks;  /* "10.0.0" of their addresses -> true */
    json_t *links;     /* the answer's */
    json_t *protocols; /* name -> true */
    int64_t first_ns, last_ns;
    size_t left_out;
};

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
    if (!address_parse(&ip, text) || ip.kind != ADDRESS_IP4)
        return false;
    text_format(network, 64, "%u.%u.%u", ip.bytes[0], ip.bytes[1], ip.bytes[2]);
    return true;
}

/* The asset answers for each of these addresses. */
static void add_addresses(struct map *m, const char *list, const char *id)
{
    char address[64];
    while (*list != '\0') {
        size_t size = strcspn(list, ";");
        text_format(address, sizeof address, "%.*s", (int)size, list);
        json_object_set_new(m->ids, address, json_string(id));
        if (network_of(address, address))
            json_object_set_new(m->networks, address, json_true());
        list += size + (list[size] == ';');
    }
}

static void index_assets(struct map *m, const struct asset_lines *all)
{
    static const enum asset_column columns[] = {ASSET_COLUMN_ip_other, ASSET_COLUMN_mac_other,
                                                ASSET_COLUMN_mac, ASSET_COLUMN_ip};
    for (size_t c = 0; c < sizeof columns / sizeof *columns; c++)
        for (size_t i = 0; i < all->count; i++)
            add_addresses(m, asset_line_cell(all->lines[i], columns[c]),
                          asset_line_cell(all->lines[i], ASSET_COLUMN_asset_id));
}

static json_t *asset_json(const struct asset_line *line)
{
    const char *ip = asset_line_cell(line, ASSET_COLUMN_ip);
    const char *first = asset_line_cell(line, ASSET_COLUMN_first_seen);
    bool is_guess =
        strstr(asset_line_cell(line, ASSET_COLUMN_sources), "purdue_level: inferred") != NULL;
    return json_pack("{s:s, s:b, s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:o, s:b, s:i}", "id",
                     asset_line_cell(line, ASSET_COLUMN_asset_id), "is_asset", true, "name",
                     name_of(line), "address", ip[0] ? ip : asset_line_cell(line, ASSET_COLUMN_mac),
                     "class", asset_line_cell(line, ASSET_COLUMN_asset_class), "level",
                     asset_line_cell(line, ASSET_COLUMN_purdue_level), "is_level_guessed", is_guess,
                     "zone", asset_line_cell(line, ASSET_COLUMN_zone), "segment",
                     asset_line_cell(line, ASSET_COLUMN_segment), "first_seen",
                     first[0] ? json_string(first) : json_null(), "is_new", false, "alerts", 0);
}

/* Not a host: a group, or all of a network in which hosts are known (their netmask is not). */
static bool is_group(const struct map *m, const char *address)
{
    struct address ip;
    struct mac mac;
    char network[64];
    if (json_object_get(m->ids, address))
        return false;
    if (!address_parse(&ip, address))
        return mac_parse(&mac, address) && mac_is_group(&mac);
    return address_is_group(&ip) || (network_of(network, address) && ip.bytes[3] == 255 &&
                                     json_object_get(m->networks, network));
}

/* A host that only conversations name: it is outside. */
static json_t *stranger_json(const char *address)
{
    struct address ip;
    bool is_public = address_parse(&ip, address) && address_is_public(&ip);
    return json_pack("{s:s, s:b, s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:n, s:b, s:i}", "id", address,
                     "is_asset", false, "name", address, "address", address, "class", "", "level",
                     is_public ? "5" : "", "is_level_guessed", true, "zone", "", "segment", "",
                     "first_seen", "is_new", false, "alerts", 0);
}

/* Those that conversations named are there already, as empty marks. */
static void fill_hosts(struct map *m, const struct asset_lines *all)
{
    for (size_t i = 0; i < all->count; i++) {
        const char *id = asset_line_cell(all->lines[i], ASSET_COLUMN_asset_id);
        bool is_named = json_object_get(m->hosts, id) != NULL;
        if (is_named || json_object_size(m->hosts) < HOSTS_MAX)
            json_object_set_new(m->hosts, id, asset_json(all->lines[i]));
    }
    const char *id;
    json_t *host;
    void *next;
    json_object_foreach_safe(m->hosts, next, id, host)
    {
        if (json_is_true(host))
            json_object_set_new(m->hosts, id, stranger_json(id));
    }
}

/* --- conversations --- */

static const char *id_of(struct map *m, const char *address)
{
    const char *id = json_string_value(json_object_get(m->ids, address));
    return id ? id : address;
}

static void add_link(struct map *m, sqlite3_stmt *s)
{
    int client = sqlite3_column_int(s, CLIENT) == 1 ? HOST_B : HOST_A;
    const char *source = id_of(m, column_text(s, client));
    const char *target = id_of(m, column_text(s, client == HOST_A ? HOST_B : HOST_A));
    int64_t first_ns = sqlite3_column_int64(s, FIRST);
    json_object_set_new(m->hosts, source, json_true());
    json_object_set_new(m->hosts, target, json_true());
    if (column_text(s, PROTOCOL)[0] != '\0' && json_object_size(m->protocols) < PROTOCOLS_MAX)
        json_object_set_new(m->protocols, column_text(s, PROTOCOL), json_true());
    if (m->first_ns == 0 || first_ns < m->first_ns)
        m->first_ns = first_ns;
    if (first_ns > m->last_ns)
        m->last_ns = first_ns;
    json_array_append_new(
        m->links,
        json_pack("{s:o, s:o, s:o, s:I, s:I, s:I, s:b, s:o, s:o}", "source", json_text_of(source),
                  "target", json_text_of(target), "protocol",
                  json_text_of(column_text(s, PROTOCOL)), "reads", sqlite3_column_int64(s, READS),
                  "writes", sqlite3_column_int64(s, WRITES), "count",
                  sqlite3_column_int64(s, COUNT), "is_new", sqlite3_column_int(s, IS_NEW),
                  "first_seen", json_time_of(first_ns), "last_seen",
                  json_time_of(sqlite3_column_int64(s, LAST))));
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
        if (json_array_size(m->links) < LINKS_MAX)
            add_link(m, s);
        else
            m->left_out++;
    }
    sqlite3_reset(s);
    return true;
}

/* A host is new when all that is known of it is. */
static void mark_new(struct map *m)
{
    json_t *old = json_object();
    size_t i;
    json_t *link;
    static const char *const ends[] = {"source", "target"};
    json_array_foreach(m->links, i, link)
    {
        for (size_t e = 0; e < 2; e++) {
            const char *id = json_string_value(json_object_get(link, ends[e]));
            if (!json_is_true(json_object_get(link, "is_new")))
                json_object_set_new(old, id, json_true());
            else
                json_object_set_new(json_object_get(m->hosts, id), "is_new", json_true());
        }
    }
    const char *id;
    json_t *mark;
    json_object_foreach(old, id, mark)
        json_object_set_new(json_object_get(m->hosts, id), "is_new", json_false());
    json_decref(old);
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
        json_t *count =
            json_object_get(json_object_get(m->hosts, id_of(m, column_text(s, 0))), "alerts");
        if (count)
            json_integer_set(count, json_integer_value(count) + sqlite3_column_int64(s, 1));
    }
    if (s)
        sqlite3_reset(s);
}

/* --- the answer --- */

static json_t *values_of(json_t *object)
{
    json_t *list = json_array();
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) json_array_append(list, value);
    return list;
}

static json_t *keys_of(json_t *object)
{
    json_t *list = json_array();
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) json_array_append_new(list, json_string(key));
    return list;
}

static json_t *time_or_null(int64_t time_ns)
{
    return time_ns != 0 ? json_time_of(time_ns) : json_null();
}

enum MHD_Result api_map(struct request *r)
{
    struct error err = {""};
    int64_t until_ns = INT64_MAX;
    const char *until = request_text(r, "until");
    if (until[0] != '\0' && !time_parse(&until_ns, until))
        return reply_error(r, MHD_HTTP_BAD_REQUEST, "until is a time like 2026-01-31T18:00:00Z");
    const struct asset_lines *all = asset_list_take(r->web->assets, r->store, &err);
    if (!all)
        return reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, err.text);
    struct map m = {.hosts = json_object(),
                    .ids = json_object(),
                    .networks = json_object(),
                    .links = json_array(),
                    .protocols = json_object()};
    index_assets(&m, all);
    bool ok = read_links(r, &m, until_ns, &err);
    fill_hosts(&m, all);
    asset_list_give(r->web->assets, all);
    mark_new(&m);
    count_alerts(r, &m);
    json_t *answer =
        json_pack("{s:o, s:O, s:o, s:o, s:o, s:b}", "hosts", values_of(m.hosts), "links", m.links,
                  "protocols", keys_of(m.protocols), "first", time_or_null(m.first_ns), "last",
                  time_or_null(m.last_ns), "is_cut", m.left_out > 0);
    json_decref(m.hosts);
    json_decref(m.ids);
    json_decref(m.networks);
    json_decref(m.links);
    json_decref(m.protocols);
    if (ok)
        return reply_json(r, MHD_HTTP_OK, answer);
    json_decref(answer);
    return reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, err.text);
}
