/* inventory_findings.c: what is told of a device: that it is new, does something for the first time
 * or says that it is another. */
#include "inventory_state.h"
#include "names.h"
#include "presence.h"

#include "sensor/base/json_writer.h"

#include <string.h>

static const int64_t PROGRAMMING_NS =
    86400 * 1000000000ll; /* after a download that was seen, another program is what it did */

static const char *when(char out[TIME_TEXT_SIZE], int64_t time_ns)
{
    time_print(out, time_ns);
    out[16] = 'Z'; /* minutes are enough for people */
    out[17] = '\0';
    return out;
}

static struct endpoint endpoint_of(const struct asset *a)
{
    struct endpoint e = {0};
    if (a->ip_count > 0)
        e.ip = a->ips[0];
    if (a->mac_count > 0)
        e.mac = a->macs[0];
    return e;
}

static void finding_start(const struct inventory *inv, struct finding *f, enum detection detection,
                          const struct asset *a, const struct sighting *s)
{
    memset(f, 0, sizeof *f);
    f->detection = detection;
    f->time_ns = s ? s->time_ns : a->first_ns;
    f->segment = inv->segments[a->segment].number;
    f->actor = endpoint_of(a);
    if (!s)
        return;
    f->packet_number = s->packet_number;
    f->source_index = s->source_index;
    memcpy(f->protocol, s->protocol, sizeof f->protocol);
    f->protocol[sizeof f->protocol - 1] = '\0';
    f->transport = s->transport;
    f->operation = s->operation;
}

static void print_addresses(const struct asset *a, char *out, size_t capacity)
{
    char ip[ADDRESS_TEXT_SIZE] = "", mac[MAC_TEXT_SIZE] = "";
    if (a->ip_count > 0)
        address_print(ip, &a->ips[0]);
    if (a->mac_count > 0)
        mac_print(mac, &a->macs[0]);
    text_format(out, capacity, "%s%s%s", ip, ip[0] && mac[0] ? " at " : "", mac);
}

/* "modbus, enip" */
static void print_served(const struct assets *t, const struct asset *a, bool only_plant, char *out,
                         size_t capacity)
{
    out[0] = '\0';
    for (size_t i = 0; i < a->protocol_count; i++) {
        const char *name = assets_protocol_name(t, a->protocols[i].name);
        size_t used = strlen(out);
        if (a->protocols[i].is_served && (!only_plant || asset_protocol_kind(name)))
            text_format(out + used, capacity - used, "%s%s", used ? ", " : "", name);
    }
}

bool inventory_is_far_away(const struct asset *a)
{
    return a->ip_count > 0 && (a->flags & ASSET_PROXY) && address_is_public(&a->ips[0]);
}

void inventory_tell_new(struct inventory *inv, struct asset *a)
{
    bool is_controller = (a->flags & ASSET_CONTROLLER) != 0;
    if (inventory_is_far_away(a) && !is_controller) {
        a->is_told = true;
        return;
    }
    struct finding f;
    finding_start(inv, &f, is_controller ? DETECTION_ASSET_NEW_CONTROLLER : DETECTION_ASSET_NEW, a,
                  NULL);
    f.packet_number = a->first_packet;
    f.source_index = a->first_source;
    char served[80], addresses[96];
    print_served(&inv->assets, a, true, served, sizeof served);
    print_addresses(a, addresses, sizeof addresses);
    if (is_controller)
        text_format(f.what, sizeof f.what, "is a new controller or I/O device: it answers %s",
                    served);
    else
        text_format(f.what, sizeof f.what, "has appeared on the network for the first time");
    text_format(f.expected, sizeof f.expected, "only devices that were seen while learning");
    text_format(f.seen, sizeof f.seen, "%s%s%s", addresses, served[0] ? ", serves " : "", served);
    inv->sink->finding(inv->sink->context, &f);
    a->is_told = true;
}

void inventory_tell_engineering(struct inventory *inv, struct asset *a, const struct sighting *s)
{
    struct finding f;
    finding_start(inv, &f, DETECTION_ASSET_NEW_ENGINEERING_ACTOR, a, s);
    f.has_target = true;
    f.target = s->other;
    f.flags = a->is_new ? FINDING_ACTOR_NEW : 0;
    char since[TIME_TEXT_SIZE];
    text_format(f.what, sizeof f.what,
                "acts as an engineering station for the first time: it %s %%T",
                operation_words(s->operation));
    if (a->is_new)
        text_format(f.expected, sizeof f.expected, "a device that was not known before now");
    else
        text_format(f.expected, sizeof f.expected,
                    "no engineering action by this device, known since %s",
                    when(since, a->first_ns));
    text_format(f.seen, sizeof f.seen, "%s", operation_name(s->operation));
    inv->sink->finding(inv->sink->context, &f);
    a->is_told = true;
}

static const char *transport_name(uint8_t transport)
{
    return transport == TRANSPORT_TCP ? "TCP" : transport == TRANSPORT_UDP ? "UDP" : "protocol";
}

void inventory_tell_service(struct inventory *inv, struct asset *a,
                            const struct asset_service *service, const struct sighting *s,
                            const struct endpoint *client)
{
    struct finding f;
    finding_start(inv, &f, DETECTION_COMM_NEW_SERVICE, a, s);
    f.actor.port = service->port;
    char user[ADDRESS_TEXT_SIZE], since[TIME_TEXT_SIZE];
    address_print(user, &client->ip);
    const char *transport = transport_name(service->transport);
    text_format(f.what, sizeof f.what, "offers a new service on %s port %u, first used by %s",
                transport, service->port, user);
    text_format(f.seen, sizeof f.seen, "%s port %u answers", transport, service->port);
    when(since, a->first_ns);
    size_t used = strlen(text_format(f.expected, sizeof f.expected, "since %s only", since));
    size_t known = 0;
    for (uint32_t i = a->first_service; i != INDEX_NONE; i = inv->assets.services[i].next) {
        const struct asset_service *other = &inv->assets.services[i];
        if (other == service || !(other->flags & SERVICE_ANSWERED))
            continue;
        if (known++ < 12)
            used += strlen(text_format(f.expected + used, sizeof f.expected - used, "%s %s %u",
                                       known > 1 ? "," : "", transport_name(other->transport),
                                       other->port));
    }
    if (known == 0)
        text_format(f.expected, sizeof f.expected, "no service of this device since %s", since);
    text_format(f.key, sizeof f.key, "%s %u", transport, service->port);
    inv->sink->finding(inv->sink->context, &f);
}

/* The program of a controller is another one, and nobody was seen to change it. */
static void tell_program(struct inventory *inv, const struct asset *a, const struct sighting *s,
                         const struct asset_fact *old)
{
    struct finding f;
    char since[TIME_TEXT_SIZE];
    finding_start(inv, &f, DETECTION_PLC_PROGRAM_CHANGE_OBSERVED, a, s);
    text_format(f.what, sizeof f.what,
                "runs another program than before%s%.40s: %.60s, and no download was seen",
                s->unit[0] ? " in " : "", s->unit, s->text);
    text_format(f.expected, sizeof f.expected, "%.100s, since %s, told %llu time%s", old->text,
                when(since, old->first_ns), (unsigned long long)old->count,
                old->count == 1 ? "" : "s");
    text_format(f.seen, sizeof f.seen, "%s", s->text);
    text_format(f.key, sizeof f.key, "program %s", s->unit);
    text_format(f.object, sizeof f.object, "%s", s->unit[0] ? s->unit : "program");
    inv->sink->finding(inv->sink->context, &f);
}

static bool is_program(unsigned fact)
{
    return fact == FACT_PROGRAM || fact == FACT_PROGRAM_VERSION;
}

/* A module in a slot of the rack that the device stands in: the last step of a CIP route through
 * the backplane, which is port 1. The device itself can be reached so, too. */
static bool is_module(const struct inventory *inv, const struct asset *a, const struct sighting *s,
                      const struct asset_fact *old)
{
    const char *slash = strrchr(s->unit, '/');
    if (strcmp(s->protocol, "cip") != 0 || !slash || slash == s->unit || slash[-1] != '1' ||
        (slash - s->unit > 1 && slash[-2] != '/'))
        return false;
    const struct asset_fact *own = asset_fact_best(&inv->assets, a, s->fact);
    return !own || own->unit[0] != '\0' ||
           (strcmp(own->text, old->text) != 0 && strcmp(own->text, s->text) != 0);
}

static void tell_module(struct inventory *inv, const struct asset *a, const struct sighting *s,
                        const struct asset_fact *old)
{
    struct finding f;
    char since[TIME_TEXT_SIZE];
    finding_start(inv, &f, DETECTION_ASSET_MODULE_CHANGED, a, s);
    text_format(f.what, sizeof f.what, "has another module at %.40s: %s %.60s, before %.60s",
                s->unit, fact_name(s->fact), s->text, old->text);
    text_format(f.expected, sizeof f.expected, "%s \"%s\", since %s, told %llu time%s",
                fact_name(s->fact), old->text, when(since, old->first_ns),
                (unsigned long long)old->count, old->count == 1 ? "" : "s");
    text_format(f.seen, sizeof f.seen, "%s \"%s\"", fact_name(s->fact), s->text);
    text_format(f.key, sizeof f.key, "module %s", s->unit);
    text_format(f.object, sizeof f.object, "%s", s->unit);
    inv->sink->finding(inv->sink->context, &f);
}

void inventory_tell_fact(struct inventory *inv, const struct asset *a, const struct sighting *s,
                         const struct asset_fact *old)
{
    if (is_program(s->fact)) {
        bool is_ordered = a->program_ns && s->time_ns - a->program_ns < PROGRAMMING_NS;
        if (!is_ordered)
            tell_program(inv, a, s, old);
        return;
    }
    bool is_firmware = s->fact == FACT_FIRMWARE || s->fact == FACT_SOFTWARE;
    if (!is_firmware && is_module(inv, a, s, old)) {
        tell_module(inv, a, s, old);
        return;
    }
    enum detection detection =
        is_firmware ? DETECTION_ASSET_FIRMWARE_CHANGED : DETECTION_ASSET_IDENTITY_CHANGED;
    struct finding f;
    finding_start(inv, &f, detection, a, s);
    char since[TIME_TEXT_SIZE], unit[ASSET_UNIT_TEXT + 8] = "";
    if (s->unit[0] != '\0')
        text_format(unit, sizeof unit, " (unit %s)", s->unit);
    if (is_firmware)
        text_format(f.what, sizeof f.what, "tells another %s%s than before: %.60s, not %.60s",
                    fact_name(s->fact), unit, s->text, old->text);
    else
        text_format(f.what, sizeof f.what,
                    "says that it is another device%s: %s %.60s, before %.60s", unit,
                    fact_name(s->fact), s->text, old->text);
    text_format(f.expected, sizeof f.expected, "%s \"%s\", since %s, told %llu time%s",
                fact_name(s->fact), old->text, when(since, old->first_ns),
                (unsigned long long)old->count, old->count == 1 ? "" : "s");
    text_format(f.seen, sizeof f.seen, "%s \"%s\"", fact_name(s->fact), s->text);
    text_format(f.key, sizeof f.key, "unit %s", s->unit);
    text_format(f.object, sizeof f.object, "%s", fact_name(s->fact));
    inv->sink->finding(inv->sink->context, &f);
}

void inventory_tell_name(struct inventory *inv, const struct asset *a, const struct sighting *s)
{
    enum detection detection;
    const struct asset *other = names_other(&inv->assets, a, s, &detection);
    if (!other)
        return;
    struct finding f;
    char addresses[96], since[TIME_TEXT_SIZE];
    finding_start(inv, &f, detection, a, s);
    f.has_target = true;
    f.target = endpoint_of(other);
    print_addresses(other, addresses, sizeof addresses);
    if (detection == DETECTION_ASSET_MULTI_HOMED)
        text_format(f.what, sizeof f.what, "has the name of %%T in another segment: %.60s",
                    s->text);
    else
        text_format(f.what, sizeof f.what, "uses the name of %%T: %.60s", s->text);
    text_format(f.expected, sizeof f.expected, "\"%.60s\" is the name of %s, known since %s",
                s->text, addresses, when(since, other->first_ns));
    text_format(f.seen, sizeof f.seen, "%s \"%.60s\" told by %s", fact_name(s->fact), s->text,
                s->protocol);
    text_format(f.key, sizeof f.key, "%.80s", s->text);
    inv->sink->finding(inv->sink->context, &f);
}

void inventory_tell_reversed(struct inventory *inv, struct asset *a, const struct sighting *s)
{
    struct finding f;
    char since[TIME_TEXT_SIZE];
    finding_start(inv, &f, DETECTION_COMM_ROLE_REVERSED, a, s);
    f.has_target = true;
    f.target = s->other;
    text_format(f.key, sizeof f.key, "reversed");
    text_format(f.what, sizeof f.what, "has always answered %s and now asks %%T in it",
                s->protocol);
    text_format(f.expected, sizeof f.expected, "a server of %s only, since %s", s->protocol,
                when(since, a->first_ns));
    text_format(f.seen, sizeof f.seen, "opens a connection as a client of %s", s->protocol);
    inv->sink->finding(inv->sink->context, &f);
    a->is_reversed = true;
}

void inventory_tell_lost(struct inventory *inv, struct asset *a, int64_t time_ns)
{
    struct finding f;
    finding_start(inv, &f, DETECTION_ASSET_LOST, a, NULL);
    f.time_ns = time_ns;
    presence_words(a, time_ns, &f);
    inv->sink->finding(inv->sink->context, &f);
}

void inventory_on_new_client(struct inventory *inv, uint32_t segment, struct asset *a,
                             const struct sighting *s)
{
    const struct asset *target = inventory_host_find(inv, segment, &s->other);
    if (!target || !(target->flags & ASSET_CONTROLLER) || inventory_is_silent(inv, segment))
        return;
    bool is_page = strcmp(s->protocol, "http") == 0;
    struct finding f;
    char since[TIME_TEXT_SIZE];
    finding_start(inv, &f, DETECTION_ACCESS_CONTROLLER_WEB, a, s);
    f.has_target = true;
    f.target = s->other;
    f.flags = a->is_new ? FINDING_ACTOR_NEW : 0;
    text_format(f.what, sizeof f.what, "opens the %s of the controller %%T for the first time",
                is_page ? "web page" : "file service");
    text_format(f.expected, sizeof f.expected, "no %s between these two, known since %s",
                s->protocol, when(since, a->first_ns));
    text_format(f.seen, sizeof f.seen, "%s, port %u", s->protocol, s->other.port);
    inv->sink->finding(inv->sink->context, &f);
}
