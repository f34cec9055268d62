/* site_read_zones.c: hosts, zones and the conduits between them. */
#include "rules/site_sections.h"

#include "sensor/base/packet.h"
#include "sensor/base/text.h"

#include <stdlib.h>
#include <string.h>

/* --- hosts: names for devices and groups --- */

static bool is_taken(const struct site *s, const char *name)
{
    for (uint32_t i = 0; i < s->name_count; i++)
        if (strcmp(s->names[i].name, name) == 0)
            return true;
    for (uint32_t i = 0; i < s->zone_count; i++)
        if (s->zones[i].name != name && strcmp(s->zones[i].name, name) == 0)
            return true;
    return strcmp(name, "any") == 0 || strcmp(name, "internet") == 0;
}

static bool read_name(struct site_reader *r, const char *key, const yaml_node_t *node, char *to,
                      size_t capacity)
{
    if (!site_copy_text(r, key, node, to, capacity))
        return false;
    return !is_taken(r->site, to) || site_fail(r, node, key, "has the name %s, which is taken", to);
}

/* A mapping whose keys are names. */
bool site_read_names(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    struct site *s = to;
    if (node->type == YAML_SCALAR_NODE && node->data.scalar.length == 0)
        return true;
    if (node->type != YAML_MAPPING_NODE)
        return site_fail(r, node, key, "must hold names with addresses");
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *name = yaml_document_get_node(r->document, pair->key);
        const yaml_node_t *value = yaml_document_get_node(r->document, pair->value);
        if (s->name_count == SITE_NAMES_MAX)
            return site_fail(r, name, key, "has more than %d names", SITE_NAMES_MAX);
        struct site_name made = {.name = ""};
        char path[SITE_KEY_SIZE];
        if (!read_name(r, key, name, made.name, sizeof made.name))
            return false;
        text_format(path, sizeof path, "%s.%s", key, made.name);
        if (!site_read_hosts(r, path, value, &made.hosts))
            return false;
        s->names[s->name_count++] = made;
    }
    return true;
}

/* --- zones --- */

static bool read_level(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    static const struct {
        const char *text;
        int16_t level;
    } levels[] = {
        {"0",   0 },
        {"1",   10},
        {"2",   20},
        {"3",   30},
        {"3.5", 35},
        {"4",   40},
        {"5",   50},
    };
    const char *text = site_text(r, key, node);
    for (size_t i = 0; text && i < sizeof levels / sizeof *levels; i++) {
        if (strcmp(text, levels[i].text) == 0) {
            *(int16_t *)to = levels[i].level;
            return true;
        }
    }
    return text && site_fail(r, node, key, "must be a Purdue level: 0, 1, 2, 3, 3.5, 4 or 5");
}

static int16_t newest_zone(const struct site *s)
{
    return (int16_t)(s->zone_count - 1);
}

static bool add_net(struct site_reader *r, const char *key, const yaml_node_t *node,
                    const struct address *base, uint8_t bits)
{
    struct site *s = r->site;
    if (s->net_count == SITE_NETS_MAX)
        return site_fail(r, node, key, "does not fit: more than %d subnets", SITE_NETS_MAX);
    s->nets[s->net_count++] = (struct site_net){*base, bits, newest_zone(s), site_line(node)};
    return true;
}

static bool add_mac(struct site_reader *r, const char *key, const yaml_node_t *node,
                    const struct mac *mac)
{
    struct site *s = r->site;
    if (s->mac_count == SITE_MACS_MAX)
        return site_fail(r, node, key, "does not fit: more than %d MACs", SITE_MACS_MAX);
    s->macs[s->mac_count++] = (struct site_mac){*mac, newest_zone(s), site_line(node)};
    return true;
}

static bool read_subnet(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    struct address base;
    uint8_t bits;
    (void)to;
    const char *text = site_text(r, key, node);
    if (!text)
        return false;
    const char *fault = site_parse_net(text, &base, &bits);
    return fault ? site_fail(r, node, key, "%.64s %s", text, fault)
                 : add_net(r, key, node, &base, bits);
}

static bool read_subnets(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    return site_read_list(r, key, node, read_subnet, to);
}

static bool read_mac(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    struct mac mac;
    (void)to;
    const char *text = site_text(r, key, node);
    if (!text)
        return false;
    return mac_parse(&mac, text) ? add_mac(r, key, node, &mac)
                                 : site_fail(r, node, key, "%.64s is no MAC address", text);
}

static bool read_macs(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    return site_read_list(r, key, node, read_mac, to);
}

/* "101" or "101-120" */
static bool read_vlan(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    struct site *s = r->site;
    (void)to;
    const char *text = site_text(r, key, node);
    if (!text)
        return false;
    char *end;
    unsigned long first = strtoul(text, &end, 10), last = first;
    if (*end == '-' && end[1] >= '0' && end[1] <= '9')
        last = strtoul(end + 1, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || first < 1 || last < first ||
        last >= SITE_VLANS - 1)
        return site_fail(r, node, key, "%.32s is no VLAN from 1 to 4094", text);
    for (unsigned long v = first; v <= last; v++) {
        int16_t other = (int16_t)(s->vlans[v] - 1);
        if (other != NO_ZONE && other != newest_zone(s))
            return site_fail(r, node, key, "has VLAN %lu, which is in zone %s", v,
                             s->zones[other].name);
        s->vlans[v] = (int16_t)(newest_zone(s) + 1);
    }
    return true;
}

static bool read_vlans(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    return site_read_list(r, key, node, read_vlan, to);
}

/* Names of hosts that stand in the zone: their addresses and MACs become the zone's. */
static bool read_zone_hosts(struct site_reader *r, const char *key, const yaml_node_t *node,
                            void *to)
{
    struct site_hosts hosts;
    (void)to;
    if (!site_read_hosts(r, key, node, &hosts))
        return false;
    for (uint32_t i = 0; i < hosts.count; i++) {
        const struct site_item item = r->site->items[hosts.first + i];
        bool ok = item.kind == ITEM_SUBNET ? add_net(r, key, node, &item.base, item.bits)
                  : item.kind == ITEM_MAC
                      ? add_mac(r, key, node, &item.mac)
                      : site_fail(r, node, key, "must name hosts, addresses or MACs");
        if (!ok)
            return false;
    }
    return true;
}

static bool read_zone_name(struct site_reader *r, const char *key, const yaml_node_t *node,
                           void *to)
{
    return read_name(r, key, node, to, PLACE_NAME);
}

static const struct site_field zone_fields[] = {
    {"name", read_zone_name, offsetof(struct site_zone, name),           true},
    {"level",      read_level,              offsetof(struct site_zone,                        level), false},
    {"subnets", read_subnets,               0,                                false                                  },
    {"vlans", read_vlans,               0,   false},
    {"macs", read_macs,               0,                                 false                                                                 },
    {"hosts", read_zone_hosts,               0,  false},
};

static bool read_zone(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    struct site *s = to;
    if (s->zone_count == SITE_ZONES_MAX)
        return site_fail(r, node, key, "has more than %d zones", SITE_ZONES_MAX);
    struct site_zone *zone = &s->zones[s->zone_count++];
    zone->level = LEVEL_UNKNOWN;
    zone->line = site_line(node);
    if (!site_read_mapping(r, key, node, FIELDS(zone_fields), zone))
        return false;
    s->has_dmz |= zone->level == 35;
    return true;
}

bool site_read_zones(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    return site_read_list(r, key, node, read_zone, to);
}

/* --- conduits --- */

static bool read_direction(struct site_reader *r, const char *key, const yaml_node_t *node,
                           void *to)
{
    const char *text = site_text(r, key, node);
    if (!text)
        return false;
    bool is_both = strcmp(text, "both") == 0;
    if (!is_both && strcmp(text, "forward") != 0)
        return site_fail(r, node, key, "must be forward (only `from` opens sessions) or both");
    *(bool *)to = is_both;
    return true;
}

static const struct site_field conduit_fields[] = {
    {"from",       site_read_hosts,      offsetof(struct site_conduit, from),       true },
    {"to",         site_read_hosts,      offsetof(struct site_conduit, to),         true },
    {"protocols",  site_read_protocols,  offsetof(struct site_conduit, protocols),  false},
    {"operations", site_read_operations, offsetof(struct site_conduit, operations), false},
    {"direction",  read_direction,       offsetof(struct site_conduit, is_both),    false},
    {"one_way",    site_read_bool,       offsetof(struct site_conduit, is_one_way), false},
};

static bool read_conduit(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    struct site *s = to;
    if (s->conduit_count == SITE_CONDUITS_MAX)
        return site_fail(r, node, key, "has more than %d conduits", SITE_CONDUITS_MAX);
    struct site_conduit *c = &s->conduits[s->conduit_count++];
    c->operations = UINT32_MAX;
    c->line = site_line(node);
    if (!site_read_mapping(r, key, node, FIELDS(conduit_fields), c))
        return false;
    return !(c->is_both && c->is_one_way) ||
           site_fail(r, node, key, "is one-way: its direction cannot be both");
}

bool site_read_conduits(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    ((struct site *)to)->has_conduits = true;
    return site_read_list(r, key, node, read_conduit, to);
}
