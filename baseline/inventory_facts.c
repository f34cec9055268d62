/* inventory_facts.c: what a device says of itself, and what name servers say of others. */
#include "inventory_state.h"
#include "names.h"

#include <string.h>

static const int64_t FACT_BURST_NS =
    2 * 1000000000ll; /* one reply may tell several values of a kind */

enum { PARTS_MAX = 40 }; /* of one device; it has other facts to tell, too */

/* The current fact of the same kind, unit and protocol; of a list only the same value. */
static struct asset_fact *fact_before(struct assets *t, struct asset *a, const struct sighting *s,
                                      uint16_t protocol)
{
    for (uint32_t i = a->first_fact; i != INDEX_NONE; i = t->facts[i].next) {
        struct asset_fact *f = &t->facts[i];
        if (f->kind == s->fact && f->is_current && f->protocol == protocol &&
            strcmp(f->unit, s->unit) == 0 &&
            (!asset_fact_is_list(s->fact) || strcmp(f->text, s->text) == 0))
            return f;
    }
    return NULL;
}

/* An address that a DHCP server has given away belongs to its client from now on. Returns whose
 * fact it is. */
static struct asset *take_lease(struct inventory *inv, uint32_t segment, struct asset *a,
                                const struct sighting *s)
{
    struct endpoint who = {.mac = s->who.mac};
    bool is_lease = s->fact == FACT_IP && strcmp(s->protocol, "dhcp") == 0 &&
                    !mac_is_zero(&who.mac) && address_parse(&who.ip, s->text);
    return is_lease ? inventory_ip_leased(inv, segment, a, &who, s->time_ns) : a;
}

static bool has_room_for_part(const struct assets *t, const struct asset *a)
{
    size_t count = 0;
    for (uint32_t i = a->first_fact; i != INDEX_NONE; i = t->facts[i].next)
        count += t->facts[i].kind == FACT_PART;
    return count < PARTS_MAX;
}

struct asset *inventory_on_fact(struct inventory *inv, uint32_t segment, struct asset *a,
                                const struct sighting *s)
{
    struct address unnamed;
    bool is_name = s->fact == FACT_NAME || s->fact == FACT_HOST_NAME;
    if (s->text[0] == '\0' || s->fact >= FACT_COUNT ||
        (is_name && address_parse(&unnamed, s->text))) /* who has no name is called by address */
        return a;
    a = take_lease(inv, segment, a, s);
    struct assets *t = &inv->assets;
    uint16_t protocol = assets_protocol(t, s->protocol);
    struct asset_fact *old = fact_before(t, a, s, protocol);
    bool is_new = false;
    struct asset_fact *fact = old;
    if (old && !asset_fact_is_identity(s->fact) && strcmp(old->text, s->text) != 0) {
        /* a state, not an identity: the last value counts */
        text_format(old->text, sizeof old->text, "%s", s->text);
        old->first_ns = s->time_ns;
        old->count = 0;
    } else if (!old && s->fact == FACT_PART && !has_room_for_part(t, a)) {
        t->facts_full++;
    } else if (!old || strcmp(old->text, s->text) != 0) {
        fact = asset_fact(t, a, s->fact, protocol, s->unit, s->text, s->time_ns, &is_new);
    }
    if (!fact)
        return a;
    fact->last_ns = s->time_ns;
    fact->count++;
    fact->is_dirty = true;
    if (fact == old)
        return a;
    fact->is_current = true;
    if (is_new && !inventory_is_silent(inv, segment))
        inventory_tell_name(inv, a, s);
    if (!old)
        return a;
    bool is_same_reply = s->time_ns - old->last_ns < FACT_BURST_NS && is_new;
    if (is_same_reply) { /* several values of one kind: the first stands for it */
        fact->is_current = false;
        return a;
    }
    old->is_current = false;
    old->is_dirty = true;
    a->changed_ns = s->time_ns;
    if (is_new)
        inventory_something_new(inv, segment);
    if (is_new && !inventory_is_silent(inv, segment))
        inventory_tell_fact(inv, a, s, old);
    return a;
}

/* An address is asked for before anybody speaks with it: its name waits for it. */
static void hearsay_wait(struct inventory *inv, const struct sighting *s)
{
    for (size_t i = 0; i < SAID_MAX; i++)
        if (inv->said[i].segment == s->segment && strcmp(inv->said[i].protocol, s->protocol) == 0 &&
            address_equal(&inv->said[i].who.ip, &s->who.ip)) {
            inv->said[i] = *s;
            return;
        }
    inv->said[inv->said_next] = *s;
    inv->said_next = (inv->said_next + 1) % SAID_MAX;
    inv->is_said = true;
}

void inventory_on_hearsay(struct inventory *inv, uint32_t segment, const struct sighting *s)
{
    struct assets *t = &inv->assets;
    struct asset *a = inventory_host_find(inv, segment, &s->who);
    bool is_new;
    if (s->fact != FACT_HOST_NAME)
        return;
    if (!a) {
        hearsay_wait(inv, s);
        return;
    }
    struct asset_fact *f = fact_before(t, a, s, assets_protocol(t, s->protocol));
    if (!f)
        f = asset_fact(t, a, s->fact, assets_protocol(t, s->protocol), s->unit, s->text, s->time_ns,
                       &is_new);
    if (!f)
        return;
    if (strcmp(f->text, s->text) != 0) {
        text_format(f->text, sizeof f->text, "%s", s->text);
        f->first_ns = s->time_ns;
        f->count = 0;
    }
    f->is_current = true;
    f->last_ns = s->time_ns;
    f->count++;
    f->is_dirty = true;
    a->is_dirty = true;
}

void inventory_hearsay_recall(struct inventory *inv)
{
    if (inv->said_ips_added == inv->assets.ips_added)
        return;
    inv->said_ips_added = inv->assets.ips_added;
    for (size_t i = 0; i < SAID_MAX; i++) {
        struct sighting *s = &inv->said[i];
        uint32_t segment = s->text[0] ? inventory_segment_find(inv, s->segment) : INDEX_NONE;
        if (segment != INDEX_NONE && inventory_host_find(inv, segment, &s->who)) {
            inventory_on_hearsay(inv, segment, s);
            *s = (struct sighting){.segment = 0};
        }
    }
}
