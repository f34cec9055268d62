/* site_read_access.c: safety assets, internet, remote access, data access and maintenance windows.
 */
#include "rules/site_sections.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

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

bool site_read_safety_list(struct site_reader *r, const char *key, const yaml_node_t *node,
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

bool site_read_internet(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    ((struct site *)to)->has_internet = true;
    if (node->type == YAML_SCALAR_NODE && node->data.scalar.length == 0)
        return true; /* nothing is allowed */
    return site_read_mapping(r, key, node, FIELDS(internet_fields), to);
}

bool site_read_remote_list(struct site_reader *r, const char *key, const yaml_node_t *node,
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

bool site_read_data_list(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
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

bool site_read_windows(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    return site_read_list(r, key, node, read_window, to);
}
