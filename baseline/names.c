/* names.c: names that only one device may have: PROFINET stations, hosts. A name that a device has
 * never told before is looked for among the others' facts, which the store keeps. */
#include "names.h"

#include <string.h>
#include <strings.h>

/* Who told a host name this short a while ago is still there; a laptop in another dock is not. */
static const int64_t ALIVE_NS = 120 * 1000000000ll;

/* Names by which devices are found. Others (applications, servers asked for) may be anybody's. */
static bool is_unique_name(const struct sighting *s)
{
    static const char *const hosts[] = {"dhcp", "dhcpv6", "nbns", "mdns", "llmnr"};
    if (s->unit[0] != '\0' || s->text[0] == '\0')
        return false;
    if (s->fact == FACT_NAME)
        return strcmp(s->protocol, "pn_dcp") == 0;
    if (s->fact != FACT_HOST_NAME)
        return false;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        if (strcmp(hosts[i], s->protocol) == 0)
            return true;
    return false;
}

static bool shares_mac(const struct asset *a, const struct asset *b)
{
    for (size_t i = 0; i < a->mac_count; i++)
        for (size_t j = 0; j < b->mac_count; j++)
            if (mac_equal(&a->macs[i], &b->macs[j]))
                return true;
    return false;
}

static const struct asset_fact *has_name(const struct assets *t, const struct asset *a,
                                         enum fact_kind kind, const char *name)
{
    for (uint32_t i = a->first_fact; i != INDEX_NONE; i = t->facts[i].next) {
        const struct asset_fact *fact = &t->facts[i];
        if (fact->kind == kind && fact->is_current && fact->unit[0] == '\0' &&
            strcasecmp(fact->text, name) == 0)
            return fact;
    }
    return NULL;
}

const struct asset *names_other(const struct assets *t, const struct asset *a,
                                const struct sighting *s, enum detection *detection)
{
    if (!is_unique_name(s))
        return NULL;
    const struct asset *other = NULL;
    for (size_t i = 0; i < t->count; i++) {
        const struct asset *b = &t->list[i];
        if (!b->is_used || b == a || shares_mac(a, b) || !has_name(t, b, s->fact, s->text))
            continue;
        bool is_station = s->fact == FACT_NAME; /* its controller finds it by this name */
        bool is_alive = s->time_ns - b->last_ns < ALIVE_NS;
        if (!is_station && !is_alive)
            continue;
        if (!other || b->last_ns > other->last_ns)
            other = b;
    }
    if (other)
        *detection = other->segment != a->segment ? DETECTION_ASSET_MULTI_HOMED
                                                  : DETECTION_ASSET_NAME_CONFLICT;
    return other;
}

/* --- what answers say of others --- */

static const char hearsay[] = " answer";

char *names_source(char out[NAMES_SOURCE], const char *protocol)
{
    return text_format(out, NAMES_SOURCE, "%s%s", protocol, hearsay);
}

bool names_is_hearsay(const char *source)
{
    size_t size = strlen(source);
    return size > sizeof hearsay - 1 &&
           memcmp(source + size - (sizeof hearsay - 1), hearsay, sizeof hearsay - 1) == 0;
}

static bool answered_address(struct address *a, const struct ot_item *item)
{
    char text[ADDRESS_TEXT_SIZE];
    const struct ot_values *v = &item->values;
    memset(a, 0, sizeof *a);
    if (!item->area || !v->bytes)
        return false;
    if (strcmp(item->area, "aaaa") == 0 && v->size == sizeof a->bytes) {
        a->kind = ADDRESS_IP6;
        memcpy(a->bytes, v->bytes, sizeof a->bytes);
        return true;
    }
    if (strcmp(item->area, "a") != 0 || v->size >= sizeof text)
        return false;
    memcpy(text, v->bytes, v->size);
    text[v->size] = '\0';
    return address_parse(a, text);
}

/* Hosts have letters, digits, hyphens, dots; what serves is "_http._tcp". */
static bool is_host_name(struct text name)
{
    enum { HOST_NAME_MAX_SIZE = 120 };
    if (name.size == 0 || name.size > HOST_NAME_MAX_SIZE)
        return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.at[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !(c >= '0' && c <= '9') && c != '-' && c != '.')
            return false;
    }
    return true;
}

bool names_answer(const struct ot_event *e, const struct ot_item *item, struct endpoint *who,
                  struct text *name)
{
    static const char local[] = ".local";
    bool is_local = strcmp(e->protocol, "mdns") == 0;
    if (!is_local && strcmp(e->protocol, "dns") != 0 && strcmp(e->protocol, "llmnr") != 0)
        return false;
    *who = (struct endpoint){.port = 0};
    *name = item->name;
    if (!is_host_name(item->name) || !answered_address(&who->ip, item) ||
        address_is_group(&who->ip) ||
        (strcmp(e->protocol, "dns") != 0 && address_equal(&who->ip, &ot_event_source(e)->ip)))
        return false;
    size_t size = name->size, end = sizeof local - 1;
    if (is_local && size > end && memcmp(name->at + size - end, local, end) == 0)
        name->size -= end;
    return true;
}
