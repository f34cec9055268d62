/* site_read.c: the sections of a policy file. Hosts and zones come first, because everything else
 * names them. */
#include "rules/site_values.h"

#include "sensor/base/hash.h"
#include "sensor/base/packet.h"
#include "sensor/base/text.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS(table) table, sizeof table / sizeof *table

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
static bool read_names(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
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

static bool read_zones(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
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

static bool read_conduits(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    ((struct site *)to)->has_conduits = true;
    return site_read_list(r, key, node, read_conduit, to);
}

/* --- safety assets: a host, or hosts with their masters --- */

static const struct site_field safety_fields[] = {
    {"hosts",   site_read_hosts, offsetof(struct site_safety, hosts),   true },
    {"masters", site_read_hosts, offsetof(struct site_safety, masters), false},
};

static bool read_safety(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    struct site *s = to;
    if (s->safety_count == SITE_SAFETY_MAX)
        return site_fail(r, node, key, "has more than %d entries", SITE_SAFETY_MAX);
    struct site_safety *safety = &s->safety[s->safety_count++];
    return node->type == YAML_MAPPING_NODE
               ? site_read_mapping(r, key, node, FIELDS(safety_fields), safety)
               : site_read_hosts(r, key, node, &safety->hosts);
}

static bool read_safety_list(struct site_reader *r, const char *key, const yaml_node_t *node,
                             void *to)
{
    return site_read_list(r, key, node, read_safety, to);
}

/* --- internet and remote access --- */

struct access_draft {
    struct site_access access;
    struct site_times times;
};

static const struct site_field access_fields[] = {
    {"from",      site_read_hosts,     offsetof(struct access_draft, access.from),      false},
    {"to",        site_read_hosts,     offsetof(struct access_draft, access.to),        false},
    {"protocols", site_read_protocols, offsetof(struct access_draft, access.protocols), false},
    {"start",     site_read_time_text, offsetof(struct access_draft, times.start),      false},
    {"end",       site_read_time_text, offsetof(struct access_draft, times.end),        false},
    {"days",      site_read_days,      offsetof(struct access_draft, times.days),       false},
    {"times",     site_read_time_text, offsetof(struct access_draft, times.times),      false},
    {"timezone",  site_read_time_text, offsetof(struct access_draft, times.zone),       false},
};

static bool read_access(struct site_reader *r, const char *key, const yaml_node_t *node,
                        struct site_access *list, uint32_t *count)
{
    struct access_draft draft = {.times.node = node};
    if (*count == SITE_ACCESS_MAX)
        return site_fail(r, node, key, "has more than %d entries", SITE_ACCESS_MAX);
    if (!site_read_mapping(r, key, node, FIELDS(access_fields), &draft) ||
        !site_take_schedule(r, key, &draft.times, &draft.access.schedule))
        return false;
    list[(*count)++] = draft.access;
    return true;
}

static bool read_egress(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    struct site *s = to;
    return read_access(r, key, node, s->egress, &s->egress_count);
}

static bool read_ingress(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    struct site *s = to;
    return read_access(r, key, node, s->ingress, &s->ingress_count);
}

static bool read_remote(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    struct site *s = to;
    return read_access(r, key, node, s->remote, &s->remote_count);
}

static bool read_egress_list(struct site_reader *r, const char *key, const yaml_node_t *node,
                             void *to)
{
    return site_read_list(r, key, node, read_egress, to);
}

static bool read_ingress_list(struct site_reader *r, const char *key, const yaml_node_t *node,
                              void *to)
{
    return site_read_list(r, key, node, read_ingress, to);
}

static const struct site_field internet_fields[] = {
    {"egress",  read_egress_list,  0, false},
    {"ingress", read_ingress_list, 0, false},
};

static bool read_internet(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    ((struct site *)to)->has_internet = true;
    if (node->type == YAML_SCALAR_NODE && node->data.scalar.length == 0)
        return true; /* nothing is allowed */
    return site_read_mapping(r, key, node, FIELDS(internet_fields), to);
}

static bool read_remote_list(struct site_reader *r, const char *key, const yaml_node_t *node,
                             void *to)
{
    ((struct site *)to)->has_remote = true;
    return site_read_list(r, key, node, read_remote, to);
}

/* --- data access --- */

/* "holding_register 260-272", "holding_register 260": an area of numbers */
static bool parse_area(const char *text, struct site_object *object)
{
    size_t size = strcspn(text, " ");
    if (text[size] == '\0' || size == 0 || size >= sizeof object->area ||
        strspn(text, "abcdefghijklmnopqrstuvwxyz_0123456789") != size)
        return false;
    const char *digits = text + size + 1;
    char *end;
    if (*digits < '0' || *digits > '9')
        return false;
    object->low = object->high = strtoull(digits, &end, 10);
    if (*end == '-' && end[1] >= '0' && end[1] <= '9')
        object->high = strtoull(end + 1, &end, 10);
    if (*end != '\0' || object->high < object->low)
        return false;
    memcpy(object->area, text, size);
    object->area[size] = '\0';
    return true;
}

static bool read_object(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    struct site *s = r->site;
    struct site_data *data = to;
    if (s->object_count == SITE_OBJECTS_MAX)
        return site_fail(r, node, key, "does not fit: more than %d objects in all rules",
                         SITE_OBJECTS_MAX);
    struct site_object *object = &s->objects[s->object_count];
    memset(object, 0, sizeof *object);
    if (!site_copy_text(r, key, node, object->text, sizeof object->text))
        return false;
    if (!parse_area(object->text, object))
        object->area[0] = '\0';
    s->object_count++;
    data->object_count++;
    return true;
}

static bool read_objects(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    struct site_data *data = to;
    data->object_first = r->site->object_count;
    return site_read_list(r, key, node, read_object, data);
}

static bool read_data_name(struct site_reader *r, const char *key, const yaml_node_t *node,
                           void *to)
{
    return site_copy_text(r, key, node, to, PLACE_NAME);
}

static const struct site_field data_fields[] = {
    {"name",           read_data_name,            offsetof(struct site_data, name),      true },
    {"target",         site_read_hosts,           offsetof(struct site_data, targets),   true },
    {"protocols",      site_read_protocols,       offsetof(struct site_data, protocols), false},
    {"objects",        read_objects,              0,                         false     },
    {"read", site_read_hosts, offsetof(struct site_data,                  readers),      false     },
    {"write", site_read_hosts, offsetof(struct site_data,                  writers),      false},
};

static bool read_data(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    struct site *s = to;
    if (s->data_count == SITE_DATA_MAX)
        return site_fail(r, node, key, "has more than %d rules", SITE_DATA_MAX);
    struct site_data *data = &s->data[s->data_count++];
    data->line = site_line(node);
    if (!site_read_mapping(r, key, node, FIELDS(data_fields), data))
        return false;
    return data->readers.is_given || data->writers.is_given ||
           site_fail(r, node, key, "says neither who may read nor who may write");
}

static bool read_data_list(struct site_reader *r, const char *key, const yaml_node_t *node,
                           void *to)
{
    return site_read_list(r, key, node, read_data, to);
}

/* --- maintenance windows --- */

static bool read_detection(struct site_reader *r, const char *key, const yaml_node_t *node,
                           void *to)
{
    bool *detections = to, is_known = false;
    const char *text = site_text(r, key, node);
    if (!text)
        return false;
    for (int i = 0; i < DETECTION_COUNT; i++) {
        if (fnmatch(text, detection_kind((enum detection)i)->id, FNM_NOESCAPE) == 0)
            detections[i] = is_known = true;
    }
    return is_known ||
           site_fail(r, node, key, "%.64s is no alert type such as plc.stop or plc.*", text);
}

static bool read_detections(struct site_reader *r, const char *key, const yaml_node_t *node,
                            void *to)
{
    return site_read_list(r, key, node, read_detection, to);
}

static bool read_window_text(struct site_reader *r, const char *key, const yaml_node_t *node,
                             void *to)
{
    return site_copy_text(r, key, node, to, FINDING_WINDOW);
}

struct window_draft {
    struct site_window window;
    struct site_times times;
};

static const struct site_field window_fields[] = {
    {"name",       read_window_text,     offsetof(struct window_draft, window.name),       true },
    {"ticket",     read_window_text,     offsetof(struct window_draft, window.ticket),     false},
    {"who",        site_read_hosts,      offsetof(struct window_draft, window.who),        false},
    {"what",       site_read_hosts,      offsetof(struct window_draft, window.what),       false},
    {"operations", site_read_operations, offsetof(struct window_draft, window.operations), false},
    {"detections", read_detections,      offsetof(struct window_draft, window.detections), false},
    {"start",      site_read_time_text,  offsetof(struct window_draft, times.start),       false},
    {"end",        site_read_time_text,  offsetof(struct window_draft, times.end),         false},
    {"days",       site_read_days,       offsetof(struct window_draft, times.days),        false},
    {"times",      site_read_time_text,  offsetof(struct window_draft, times.times),       false},
    {"timezone",   site_read_time_text,  offsetof(struct window_draft, times.zone),        false},
};

static bool permits_something(const struct site_window *w)
{
    bool any = w->operations != 0;
    for (int i = 0; i < DETECTION_COUNT; i++)
        any |= w->detections[i];
    return any;
}

static bool read_window(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    struct site *s = to;
    struct window_draft draft = {.window.line = site_line(node), .times.node = node};
    if (s->window_count == SITE_WINDOWS_MAX)
        return site_fail(r, node, key, "has more than %d windows", SITE_WINDOWS_MAX);
    if (!site_read_mapping(r, key, node, FIELDS(window_fields), &draft) ||
        !site_take_schedule(r, key, &draft.times, &draft.window.schedule))
        return false;
    struct site_schedule *schedule = &draft.window.schedule;
    if (!permits_something(&draft.window))
        return site_fail(r, node, key, "permits nothing: name operations or detections");
    if (schedule->clock == NO_CLOCK || (schedule->days == 0 && schedule->end_ns == 0))
        return site_fail(r, node, key, "has no end: give start and end, or days and times");
    for (uint32_t i = 0; i < s->window_count; i++)
        if (strcmp(s->windows[i].name, draft.window.name) == 0)
            return site_fail(r, node, key, "has the name %s, which is taken", draft.window.name);
    s->windows[s->window_count++] = draft.window;
    return true;
}

static bool read_windows(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    return site_read_list(r, key, node, read_window, to);
}

/* --- the whole --- */

static const struct site_field policy_fields[] = {
    {"hosts",                read_names,      0,                    false                                },
    {"zones",                read_zones,      0,                    false                                },
    {"conduits",             read_conduits,   0,                    false                                },
    {"engineering_stations", site_read_hosts, offsetof(struct site, engineering),                          false},
    {"safety_assets",                      read_safety_list,                       0,      false                   },
    {"critical_assets",                      site_read_hosts,                     offsetof(struct site,     critical),false},
    {"internet",                 read_internet,                                0,                                           false                                                                    },
    {"remote_access",                 read_remote_list,                                0,false},
    {"data_access",                 read_data_list,                                0,                                             false                                                                                                                       },
    {"windows",                 read_windows,                                0,false},
};

/* The policy itself, or the value of `policy` in a configuration. */
static const yaml_node_t *policy_node(yaml_document_t *document, const yaml_node_t *root)
{
    if (root->type != YAML_MAPPING_NODE)
        return root;
    for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
         pair < root->data.mapping.pairs.top; pair++) {
        const yaml_node_t *name = yaml_document_get_node(document, pair->key);
        if (name->type == YAML_SCALAR_NODE &&
            strcmp((const char *)name->data.scalar.value, "policy") == 0)
            return yaml_document_get_node(document, pair->value);
    }
    return root;
}

static bool read_document(struct site_reader *r)
{
    const yaml_node_t *root = yaml_document_get_root_node(r->document);
    if (!root)
        return error_set(r->err, "%s:1: the policy is empty", r->file);
    root = policy_node(r->document, root);
    r->site->is_declared = true;
    if (!site_read_mapping(r, "", root, FIELDS(policy_fields), r->site))
        return false;
    return site_index(r->site, r->file, r->err);
}

static bool read_yaml(struct site *site, struct text text, const char *name, const char *zone,
                      struct error *err)
{
    yaml_parser_t parser;
    yaml_document_t document;
    if (!yaml_parser_initialize(&parser))
        return error_set(err, "%s:1: out of memory", name);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.at, text.size);
    bool ok = yaml_parser_load(&parser, &document) != 0;
    if (ok) {
        struct site_reader r = {site, &document, name, zone, err};
        ok = read_document(&r);
        yaml_document_delete(&document);
    } else {
        error_set(err, "%s:%zu: not valid YAML: %s", name, parser.problem_mark.line + 1,
                  parser.problem ? parser.problem : "unreadable");
    }
    yaml_parser_delete(&parser);
    return ok;
}

/* Policies that say the same have the same fingerprint: it is taken of what site_print writes. */
static bool take_fingerprint(struct site *site, struct error *err)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    if (!file)
        return error_set(err, "out of memory for the site policy");
    site_print(site, file);
    bool ok = fclose(file) == 0;
    if (ok)
        site->fingerprint = hash_stable(text, size);
    free(text);
    return ok || error_set(err, "out of memory for the site policy");
}

static struct site *finish(struct site *site, bool ok, struct error *err)
{
    if (ok && take_fingerprint(site, err))
        return site;
    site_release(site);
    return NULL;
}

struct site *site_parse(const char *text, size_t size, const char *name, const char *zone,
                        struct error *err)
{
    struct site *site = site_new(err);
    return site ? finish(site, read_yaml(site, (struct text){text, size}, name, zone, err), err)
                : NULL;
}

static char *read_whole(const char *path, size_t *size, struct error *err)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        error_set(err, "cannot open policy %s: %s", path, strerror(errno));
        return NULL;
    }
    char *text = malloc(SITE_FILE_MAX + 1);
    *size = text ? fread(text, 1, SITE_FILE_MAX + 1, file) : 0;
    bool is_read = text && !ferror(file);
    if (!is_read)
        error_set(err, "cannot read policy %s: %s", path, strerror(errno));
    else if (*size > SITE_FILE_MAX)
        error_set(err, "cannot read policy %s: larger than 1 MiB", path);
    fclose(file);
    if (is_read && *size <= SITE_FILE_MAX)
        return text;
    free(text);
    return NULL;
}

struct site *site_read(const char *path, const char *zone, struct error *err)
{
    size_t size;
    char *text = read_whole(path, &size, err);
    struct site *site = text ? site_parse(text, size, path, zone, err) : NULL;
    free(text);
    return site;
}

/* The stations that the configuration names count as if the policy did. */
static bool add_stations(struct site *site, const struct config_list *stations, struct error *err)
{
    struct site_hosts all = {.first = site->item_count, .is_given = true};
    for (size_t i = 0; i < site->engineering.count + stations->count; i++) {
        if (site->item_count == SITE_ITEMS_MAX)
            return error_set(err, "the site policy has more than %d hosts in all lists",
                             SITE_ITEMS_MAX);
        struct site_item *item = &site->items[site->item_count++];
        *item = (struct site_item){.kind = ITEM_SUBNET};
        if (i < site->engineering.count) {
            *item = site->items[site->engineering.first + i];
        } else if (site_parse_net(stations->items[i - site->engineering.count], &item->base,
                                  &item->bits)) {
            return error_set(err, "%s is no address of an engineering station",
                             stations->items[i - site->engineering.count]);
        }
        all.count++;
    }
    if (stations->count)
        site->engineering = all;
    return true;
}

struct site *site_create(const struct config *config, struct error *err)
{
    struct site *site;
    if (config->policy_text)
        site = site_parse(config->policy_text, config->policy_size, config->policy_name,
                          config->timezone, err);
    else if (config->policy_path[0])
        site = site_read(config->policy_path, config->timezone, err);
    else
        site = site_new(err);
    if (!site)
        return NULL;
    return finish(site, add_stations(site, &config->engineering_stations, err), err);
}
