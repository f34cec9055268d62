/* site_values.c: see site_values.h. */
#include "rules/site_values.h"

#include "sensor/base/packet.h"
#include "sensor/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SECOND_NS INT64_C(1000000000)

enum { DAY_S = 86400, ALL_DAYS = 0x7f, YEAR_MIN = 1970, YEAR_MAX = 2200 };

/* --- hosts --- */

static bool is_whole(const struct address *a, unsigned bits)
{
    for (unsigned i = bits; i < (a->kind == ADDRESS_IP4 ? 32u : 128u); i++)
        if (a->bytes[i / 8] & (0x80u >> i % 8))
            return false;
    return true;
}

const char *site_parse_net(const char *text, struct address *base, uint8_t *bits)
{
    char address[ADDRESS_TEXT_SIZE];
    size_t size = strcspn(text, "/");
    if (size >= sizeof address)
        return "is no address";
    memcpy(address, text, size);
    address[size] = '\0';
    if (!address_parse(base, address))
        return "is no address";
    unsigned most = base->kind == ADDRESS_IP4 ? 32 : 128;
    *bits = (uint8_t)most;
    if (text[size] == '\0')
        return NULL;
    char *end;
    const char *digits = text + size + 1;
    unsigned long length = strtoul(digits, &end, 10);
    if (strspn(digits, "0123456789") == 0 || *end != '\0' || length > most)
        return "has no such prefix length";
    *bits = (uint8_t)length;
    return is_whole(base, *bits) ? NULL : "has bits behind its prefix length";
}

static struct site_item *add_item(struct site_reader *r, const yaml_node_t *node, const char *key)
{
    struct site *s = r->site;
    if (s->item_count == SITE_ITEMS_MAX) {
        site_fail(r, node, key, "does not fit: more than %d hosts in all lists", SITE_ITEMS_MAX);
        return NULL;
    }
    return &s->items[s->item_count++];
}

static int16_t zone_of_name(const struct site *s, const char *name)
{
    for (uint32_t i = 0; i < s->zone_count; i++)
        if (strcmp(s->zones[i].name, name) == 0)
            return (int16_t)i;
    return NO_ZONE;
}

static const struct site_name *name_of(const struct site *s, const char *name)
{
    for (uint32_t i = 0; i < s->name_count; i++)
        if (strcmp(s->names[i].name, name) == 0)
            return &s->names[i];
    return NULL;
}

/* What the text stands for, as an item; NULL and no message: it stands for nothing. */
static const char *parse_item(const struct site *s, const char *text, struct site_item *item)
{
    int16_t zone = zone_of_name(s, text);
    *item = (struct site_item){.kind = ITEM_ANY};
    if (strcmp(text, "any") == 0)
        return NULL;
    item->kind = ITEM_INTERNET;
    if (strcmp(text, "internet") == 0)
        return NULL;
    item->kind = ITEM_ZONE;
    item->zone = (uint16_t)zone;
    if (zone != NO_ZONE)
        return NULL;
    item->kind = ITEM_MAC;
    item->zone = 0;
    if (mac_parse(&item->mac, text))
        return NULL;
    item->kind = ITEM_SUBNET;
    const char *fault = site_parse_net(text, &item->base, &item->bits);
    return fault && strcmp(fault, "is no address") == 0
               ? "names no zone, no host, and is no address, subnet or MAC"
               : fault;
}

static bool read_host(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    struct site_hosts *hosts = to;
    struct site *s = r->site;
    const char *text = site_text(r, key, node);
    if (!text)
        return false;
    const struct site_name *name = name_of(s, text);
    for (uint32_t i = 0; name && i < name->hosts.count; i++) {
        struct site_item *item = add_item(r, node, key);
        if (!item)
            return false;
        *item = s->items[name->hosts.first + i];
        hosts->count++;
    }
    if (name)
        return true;
    struct site_item parsed;
    const char *fault = parse_item(s, text, &parsed);
    if (fault)
        return site_fail(r, node, key, "%.64s %s", text, fault);
    struct site_item *item = add_item(r, node, key);
    if (!item)
        return false;
    *item = parsed;
    hosts->count++;
    return true;
}

bool site_read_hosts(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    struct site_hosts *hosts = to;
    *hosts = (struct site_hosts){.first = r->site->item_count, .is_given = true};
    return site_read_list(r, key, node, read_host, hosts);
}

/* --- protocols and operations --- */

/* "tcp/443" */
static bool parse_port(const char *text, struct site_protocol *p)
{
    bool is_tcp = strncasecmp(text, "tcp/", 4) == 0;
    if (!is_tcp && strncasecmp(text, "udp/", 4) != 0)
        return false;
    char *end;
    unsigned long port = strtoul(text + 4, &end, 10);
    p->transport = is_tcp ? TRANSPORT_TCP : TRANSPORT_UDP;
    p->port = (uint16_t)port;
    return strspn(text + 4, "0123456789") > 0 && *end == '\0' && port >= 1 && port <= 65535;
}

static bool read_protocol(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    struct site_protocols *list = to;
    struct site *s = r->site;
    const char *text = site_text(r, key, node);
    if (!text)
        return false;
    if (s->protocol_count == SITE_PROTOCOLS_MAX)
        return site_fail(r, node, key, "does not fit: more than %d protocols in all lists",
                         SITE_PROTOCOLS_MAX);
    struct site_protocol *p = &s->protocols[s->protocol_count];
    memset(p, 0, sizeof *p);
    if (strchr(text, '/') && !parse_port(text, p))
        return site_fail(r, node, key, "%.64s is no port such as tcp/443", text);
    if (p->port == 0 && !site_copy_text(r, key, node, p->name, sizeof p->name))
        return false;
    s->protocol_count++;
    list->count++;
    return true;
}

bool site_read_protocols(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    struct site_protocols *list = to;
    *list = (struct site_protocols){.first = r->site->protocol_count};
    bool is_any =
        node->type == YAML_SCALAR_NODE && strcmp((const char *)node->data.scalar.value, "any") == 0;
    if (!is_any && !site_read_list(r, key, node, read_protocol, list))
        return false;
    return is_any || list->count > 0 ||
           site_fail(r, node, key, "is empty: leave it out or write any");
}

const struct site_operation_group site_operation_groups[SITE_OPERATION_GROUPS] = {
    {"any",         UINT32_MAX                                        },
    {"change",      OPERATIONS_OF_CHANGE                              },
    {"engineering", ~((1u << OP_LOCK) - 1)                            },
    {"observe",     ~OPERATIONS_OF_CHANGE & ~(1u << OP_PROGRAM_UPLOAD)},
};

static bool read_operation(struct site_reader *r, const char *key, const yaml_node_t *node,
                           void *to)
{
    uint32_t *operations = to;
    enum operation op;
    const char *text = site_text(r, key, node);
    if (!text)
        return false;
    for (size_t i = 0; i < SITE_OPERATION_GROUPS; i++) {
        if (strcmp(site_operation_groups[i].name, text) == 0) {
            *operations |= site_operation_groups[i].operations;
            return true;
        }
    }
    if (!operation_parse(&op, text))
        return site_fail(r, node, key,
                         "%.64s is no operation such as read, write, program_download; groups are "
                         "any, observe, change, engineering",
                         text);
    *operations |= (uint32_t)1 << op;
    return true;
}

bool site_read_operations(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    uint32_t *operations = to;
    *operations = 0;
    return site_read_list(r, key, node, read_operation, operations) &&
           (*operations != 0 || site_fail(r, node, key, "is empty: leave it out or write any"));
}

bool site_read_bool(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    const char *text = site_text(r, key, node);
    if (!text)
        return false;
    bool is_true = strcmp(text, "true") == 0 || strcmp(text, "yes") == 0;
    if (!is_true && strcmp(text, "false") != 0 && strcmp(text, "no") != 0)
        return site_fail(r, node, key, "must be true or false");
    *(bool *)to = is_true;
    return true;
}

/* --- times --- */

static bool read_day(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    static const char *const names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    uint8_t *days = to;
    const char *text = site_text(r, key, node);
    if (!text)
        return false;
    unsigned from = 7, until = 7;
    for (unsigned i = 0; i < 7; i++) {
        if (strncasecmp(text, names[i], 3) == 0)
            from = i;
        if (strlen(text) == 7 && text[3] == '-' && strcasecmp(text + 4, names[i]) == 0)
            until = i;
    }
    bool is_range = strlen(text) == 7 && from < 7 && until < 7;
    if (!is_range && (strlen(text) != 3 || from == 7))
        return site_fail(r, node, key, "%.32s is no day such as mon or mon-fri", text);
    for (unsigned i = from;; i = (i + 1) % 7) {
        *days |= (uint8_t)(1u << i);
        if (!is_range || i == until)
            return true;
    }
}

bool site_read_days(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    uint8_t *days = to;
    *days = 0;
    return site_read_list(r, key, node, read_day, days) &&
           (*days != 0 || site_fail(r, node, key, "is empty: leave it out for every day"));
}

bool site_read_time_text(struct site_reader *r, const char *key, const yaml_node_t *node, void *to)
{
    return site_copy_text(r, key, node, to, FINDING_WINDOW);
}

/* "22:00" or "22:00:30", at most 24:00. */
static bool parse_clock(const char *text, size_t size, int32_t *seconds)
{
    char copy[16];
    int hour, minute, second = 0, end = 0;
    if (size >= sizeof copy)
        return false;
    memcpy(copy, text, size);
    copy[size] = '\0';
    if (copy[0] < '0' || copy[0] > '9' ||
        sscanf(copy, "%2d:%2d%n:%2d%n", &hour, &minute, &end, &second, &end) < 2 ||
        (size_t)end != size)
        return false;
    *seconds = hour * 3600 + minute * 60 + second;
    return hour >= 0 && minute >= 0 && minute <= 59 && second >= 0 && second <= 59 &&
           *seconds <= DAY_S;
}

/* "22:00-06:00" */
static bool parse_times(const char *text, struct site_schedule *s)
{
    size_t dash = strcspn(text, "-");
    return text[dash] == '-' && parse_clock(text, dash, &s->begin_s) && s->begin_s < DAY_S &&
           parse_clock(text + dash + 1, strlen(text + dash + 1), &s->stop_s) && s->stop_s > 0 &&
           s->stop_s != s->begin_s;
}

static unsigned month_days(int year, unsigned month)
{
    int64_t next =
        month == 12 ? local_time_days(year + 1, 1, 1) : local_time_days(year, month + 1, 1);
    return (unsigned)(next - local_time_days(year, month, 1));
}

/* "2026-11-22", "2026-11-22T18:00", "2026-11-22 18:00:00", with Z for UTC. */
static bool parse_moment(const char *text, const struct local_time *clock, int64_t *time_ns)
{
    int year, end = 0;
    unsigned month, day;
    int32_t seconds = 0;
    size_t size = strlen(text);
    bool is_utc = size > 0 && text[size - 1] == 'Z';
    if (text[0] < '0' || text[0] > '9' ||
        sscanf(text, "%4d-%2u-%2u%n", &year, &month, &day, &end) < 3 || end == 0)
        return false;
    if (year < YEAR_MIN || year > YEAR_MAX || month < 1 || month > 12 || day < 1 ||
        day > month_days(year, month))
        return false;
    size -= is_utc;
    if ((size_t)end < size) {
        bool has_clock = text[end] == 'T' || text[end] == ' ';
        if (!has_clock || !parse_clock(text + end + 1, size - (size_t)end - 1, &seconds))
            return false;
    } else if (is_utc) {
        return false;
    }
    int64_t local_s = local_time_days(year, month, day) * DAY_S + seconds;
    *time_ns = (is_utc ? local_s : local_time_to_utc(clock, local_s)) * SECOND_NS;
    return true;
}

static bool take_clock(struct site_reader *r, const char *key, const struct site_times *times,
                       int16_t *clock)
{
    struct site *s = r->site;
    const char *zone = times->zone[0] ? times->zone : r->zone;
    for (uint32_t i = 0; i < s->clock_count; i++) {
        if (strcmp(local_time_zone(s->clocks[i]), zone) == 0) {
            *clock = (int16_t)i;
            return true;
        }
    }
    struct error why = {""};
    if (s->clock_count == SITE_CLOCKS_MAX)
        return site_fail(r, times->node, key, "needs more than %d time zones", SITE_CLOCKS_MAX);
    struct local_time *made = local_time_create(zone, &why);
    if (!made)
        return site_fail(r, times->node, key, "has a time zone that does not work: %s", why.text);
    *clock = (int16_t)s->clock_count;
    s->clocks[s->clock_count++] = made;
    return true;
}

bool site_take_schedule(struct site_reader *r, const char *key, const struct site_times *times,
                        struct site_schedule *schedule)
{
    *schedule = (struct site_schedule){.clock = NO_CLOCK, .stop_s = DAY_S};
    bool is_recurring = times->days || times->times[0];
    if (!is_recurring && !times->start[0] && !times->end[0])
        return true;
    if (!take_clock(r, key, times, &schedule->clock))
        return false;
    const struct local_time *clock = r->site->clocks[schedule->clock];
    if (times->start[0] && !parse_moment(times->start, clock, &schedule->start_ns))
        return site_fail(r, times->node, key, "has a start that is no time: %s", times->start);
    if (times->end[0] && !parse_moment(times->end, clock, &schedule->end_ns))
        return site_fail(r, times->node, key, "has an end that is no time: %s", times->end);
    if (times->end[0] && schedule->end_ns <= schedule->start_ns)
        return site_fail(r, times->node, key, "ends before it starts");
    if (is_recurring)
        schedule->days = times->days ? times->days : ALL_DAYS;
    if (times->times[0] && !parse_times(times->times, schedule))
        return site_fail(r, times->node, key, "has times that are none such as 22:00-06:00: %s",
                         times->times);
    return true;
}
