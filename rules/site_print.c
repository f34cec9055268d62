/* site_print.c: what a policy says, a line for each thing, in its own order: for people, for
 * comparing two of them, and for their fingerprints. */
#include "rules/site_model.h"

#include "sensor/base/json_writer.h"
#include "sensor/base/packet.h"
#include "sensor/base/text.h"

#include <inttypes.h>
#include <string.h>

static void print_item(const struct site *s, const struct site_item *item, FILE *file)
{
    char text[ADDRESS_TEXT_SIZE];
    switch ((enum item_kind)item->kind) {
    case ITEM_ANY:
        fputs("any", file);
        break;
    case ITEM_INTERNET:
        fputs("internet", file);
        break;
    case ITEM_ZONE:
        fputs(s->zones[item->zone].name, file);
        break;
    case ITEM_MAC:
        fputs(mac_print(text, &item->mac), file);
        break;
    case ITEM_SUBNET:
        fputs(address_print(text, &item->base), file);
        if (item->bits != (item->base.kind == ADDRESS_IP4 ? 32 : 128))
            fprintf(file, "/%u", item->bits);
        break;
    }
}

static void print_hosts(const struct site *s, const char *before, const struct site_hosts *hosts,
                        FILE *file)
{
    if (!hosts->is_given)
        return;
    fputs(before, file);
    for (uint32_t i = 0; i < hosts->count; i++) {
        fputs(i ? ", " : "", file);
        print_item(s, &s->items[hosts->first + i], file);
    }
    if (hosts->count == 0)
        fputs("nobody", file);
}

static void print_protocols(const struct site *s, const struct site_protocols *list, FILE *file)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct site_protocol *p = &s->protocols[list->first + i];
        fputs(i ? ", " : ": ", file);
        if (p->name[0])
            fputs(p->name, file);
        else
            fprintf(file, "%s/%u", p->transport == TRANSPORT_TCP ? "tcp" : "udp", p->port);
    }
}

static void print_operations(const char *before, uint32_t operations, FILE *file)
{
    uint32_t all = (uint32_t)(((uint64_t)1 << OPERATION_COUNT) - 1);
    bool is_first = true;
    if ((operations & all) == all || operations == 0)
        return;
    fputs(before, file);
    for (size_t i = 0; i < SITE_OPERATION_GROUPS; i++) { /* as one writes them */
        uint32_t group = site_operation_groups[i].operations & all;
        if ((operations & group) != group)
            continue;
        fprintf(file, "%s%s", is_first ? "" : ", ", site_operation_groups[i].name);
        operations &= ~group;
        is_first = false;
    }
    for (int op = 0; op < OPERATION_COUNT; op++) {
        if (operations >> op & 1) {
            fprintf(file, "%s%s", is_first ? "" : ", ", operation_name((enum operation)op));
            is_first = false;
        }
    }
}

static void print_schedule(const struct site *s, const struct site_schedule *schedule, FILE *file)
{
    static const char *const names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    char time[TIME_TEXT_SIZE];
    if (schedule->clock == NO_CLOCK)
        return;
    if (schedule->start_ns)
        fprintf(file, "; from %s", time_print(time, schedule->start_ns));
    if (schedule->end_ns)
        fprintf(file, "; until %s", time_print(time, schedule->end_ns));
    if (!schedule->days)
        return;
    fputs("; on", file);
    for (int i = 0; i < 7; i++)
        if (schedule->days >> i & 1)
            fprintf(file, " %s", names[i]);
    fprintf(file, " %02d:%02d-%02d:%02d %s", schedule->begin_s / 3600, schedule->begin_s / 60 % 60,
            schedule->stop_s / 3600, schedule->stop_s / 60 % 60,
            local_time_zone(s->clocks[schedule->clock]));
}

static void print_zone(const struct site *s, uint32_t index, FILE *file)
{
    const struct site_zone *zone = &s->zones[index];
    char level[4], text[ADDRESS_TEXT_SIZE];
    fprintf(file, "zone %s", zone->name);
    if (zone->level != LEVEL_UNKNOWN)
        fprintf(file, ", level %s", level_print(level, zone->level));
    for (uint32_t i = 0; i < s->net_count; i++)
        if (s->nets[i].zone == (int16_t)index)
            fprintf(file, ", %s/%u", address_print(text, &s->nets[i].base), s->nets[i].bits);
    for (uint32_t i = 0; i < s->mac_count; i++)
        if (s->macs[i].zone == (int16_t)index)
            fprintf(file, ", %s", mac_print(text, &s->macs[i].mac));
    for (int v = 0; v < SITE_VLANS; v++)
        if (s->vlans[v] == (int16_t)index + 1)
            fprintf(file, ", VLAN %d", v);
    fputc('\n', file);
}

static void print_conduit(const struct site *s, const struct site_conduit *c, FILE *file)
{
    print_hosts(s, "conduit from ", &c->from, file);
    print_hosts(s,
                c->is_one_way ? " one way to "
                : c->is_both  ? " to and from "
                              : " to ",
                &c->to, file);
    print_protocols(s, &c->protocols, file);
    print_operations("; only ", c->operations, file);
    fputc('\n', file);
}

static void print_access(const struct site *s, const char *what, const struct site_access *a,
                         FILE *file)
{
    fputs(what, file);
    print_hosts(s, " from ", &a->from, file);
    print_hosts(s, " to ", &a->to, file);
    print_protocols(s, &a->protocols, file);
    print_schedule(s, &a->schedule, file);
    fputc('\n', file);
}

static void print_data(const struct site *s, const struct site_data *d, FILE *file)
{
    fprintf(file, "data %s", d->name);
    print_hosts(s, " of ", &d->targets, file);
    print_protocols(s, &d->protocols, file);
    for (uint32_t i = 0; i < d->object_count; i++)
        fprintf(file, "%s%s", i ? ", " : "; objects ", s->objects[d->object_first + i].text);
    print_hosts(s, "; read by ", &d->readers, file);
    print_hosts(s, "; written by ", &d->writers, file);
    fputc('\n', file);
}

static void print_window(const struct site *s, const struct site_window *w, FILE *file)
{
    bool is_first = true;
    fprintf(file, "window %s%s%s", w->name, w->ticket[0] ? ", ticket " : "", w->ticket);
    print_hosts(s, ", who ", &w->who, file);
    print_hosts(s, ", what ", &w->what, file);
    if (w->operations == UINT32_MAX)
        fputs("; may do any operation", file);
    print_operations("; may do ", w->operations, file);
    for (int i = 0; i < DETECTION_COUNT; i++) {
        if (!w->detections[i])
            continue;
        fprintf(file, "%s%s", is_first ? "; may raise " : ", ",
                detection_kind((enum detection)i)->id);
        is_first = false;
    }
    print_schedule(s, &w->schedule, file);
    fputc('\n', file);
}

void site_print(const struct site *s, FILE *file)
{
    for (uint32_t i = 0; i < s->zone_count; i++)
        print_zone(s, i, file);
    for (uint32_t i = 0; i < s->conduit_count; i++)
        print_conduit(s, &s->conduits[i], file);
    if (s->has_conduits)
        fputs("between zones: nothing else\n", file);
    print_hosts(s, "engineering stations ", &s->engineering, file);
    fputs(s->engineering.is_given ? "\n" : "", file);
    print_hosts(s, "critical ", &s->critical, file);
    fputs(s->critical.is_given ? "\n" : "", file);
    for (uint32_t i = 0; i < s->safety_count; i++) {
        print_hosts(s, "safety ", &s->safety[i].hosts, file);
        print_hosts(s, ", masters ", &s->safety[i].masters, file);
        fputc('\n', file);
    }
    for (uint32_t i = 0; i < s->egress_count; i++)
        print_access(s, "internet allowed", &s->egress[i], file);
    for (uint32_t i = 0; i < s->ingress_count; i++)
        print_access(s, "internet may come in", &s->ingress[i], file);
    if (s->has_internet)
        fputs("internet: nothing else\n", file);
    for (uint32_t i = 0; i < s->remote_count; i++)
        print_access(s, "remote access", &s->remote[i], file);
    if (s->has_remote)
        fputs("remote access: nothing else\n", file);
    for (uint32_t i = 0; i < s->data_count; i++)
        print_data(s, &s->data[i], file);
    for (uint32_t i = 0; i < s->window_count; i++)
        print_window(s, &s->windows[i], file);
}

char *site_summary(const struct site *s, char *out, size_t capacity)
{
    const struct {
        uint32_t count;
        const char *one, *many;
    } parts[] = {
        {s->zone_count,                      "zone",                "zones"               },
        {s->conduit_count,                   "conduit",             "conduits"            },
        {s->engineering.count,               "engineering station", "engineering stations"},
        {s->safety_count,                    "safety entry",        "safety entries"      },
        {s->critical.count,                  "critical asset",      "critical assets"     },
        {s->egress_count + s->ingress_count, "internet rule",       "internet rules"      },
        {s->remote_count,                    "remote access rule",  "remote access rules" },
        {s->data_count,                      "data rule",           "data rules"          },
        {s->window_count,                    "maintenance window",  "maintenance windows" },
    };
    size_t used = 0;
    text_format(out, capacity, "nothing");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].count == 0)
            continue;
        text_format(out + used, capacity - used, "%s%" PRIu32 " %s", used ? ", " : "",
                    parts[i].count, parts[i].count == 1 ? parts[i].one : parts[i].many);
        used = strlen(out);
    }
    return out;
}
