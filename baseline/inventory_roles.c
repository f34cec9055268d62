/* inventory_roles.c: what a device does with others: reads, orders, answers for its units. */
#include "inventory_state.h"

#include "sensor/base/hash.h"

#include <string.h>

static const int64_t UNIT_AGAIN_NS = 60 * 1000000000ll;

/* Commands to a controller's mode: people of the plant give them, too. */
static const uint64_t MODES = UINT64_C(1) << OP_MODE_CHANGE | UINT64_C(1) << OP_START |
                              UINT64_C(1) << OP_RESTART | UINT64_C(1) << OP_STOP;
/* What leaves another program behind. */
static const uint64_t PROGRAMMING =
    (uint64_t)1 << OP_PROGRAM_DOWNLOAD | (uint64_t)1 << OP_PROGRAM_MODIFY |
    (uint64_t)1 << OP_PROGRAM_DELETE | (uint64_t)1 << OP_FIRMWARE_UPDATE |
    (uint64_t)1 << OP_FILE_WRITE | (uint64_t)1 << OP_CONFIG_CHANGE;

/* What a device does with the plant's protocols, and what it is there for: what a known one does
 * for the first time after learning is news and not its duty. */
static void duty_seen(struct inventory *inv, uint32_t segment, struct asset *a, uint64_t bit)
{
    uint64_t usual = a->is_new || inventory_is_silent(inv, segment) ? bit : 0;
    if ((a->plant & bit) && (a->usual & usual) == usual)
        return;
    a->plant |= bit;
    a->usual |= usual;
    a->is_dirty = true;
}

/* A reader of several devices collects; so does a reader of servers, which collect themselves. */
static void reading_seen(struct asset *a, const struct asset *target, const struct sighting *s)
{
    const struct asset_protocol_kind *kind = asset_protocol_kind(s->protocol);
    bool is_reading = s->operation == OP_READ || s->operation == OP_SUBSCRIBE;
    if (!kind || !target || !is_reading || (a->flags & ASSET_COLLECTS))
        return;
    /* who replaced it has its address */
    uint32_t hash = target->ip_count > 0
                        ? (uint32_t)hash_bytes(&target->ips[0], sizeof target->ips[0]) | 1
                        : (uint32_t)hash_bytes(target->id, strlen(target->id)) | 1;
    bool is_other = a->reads_from != 0 && a->reads_from != hash;
    a->reads_from = hash;
    if (is_other || !kind->is_controller) {
        a->flags |= ASSET_COLLECTS;
        a->is_dirty = true;
    }
}

/* Of one device; it has other facts to tell, too. */
enum { UNITS_MAX = 40 };

/* One of its units answered. After learning only the second minute makes it one of the device's:
 * one that answers for every number would have all that somebody tried. */
static void unit_seen(struct inventory *inv, uint32_t segment, struct asset *a,
                      const struct sighting *s)
{
    struct assets *t = &inv->assets;
    uint16_t protocol = assets_protocol(t, s->protocol);
    bool is_new;
    struct asset_fact *unit = NULL;
    size_t count = 0;
    for (uint32_t i = a->first_fact; i != INDEX_NONE && !unit; i = t->facts[i].next) {
        struct asset_fact *f = &t->facts[i];
        count += f->kind == FACT_UNIT;
        if (f->kind == FACT_UNIT && f->protocol == protocol && strcmp(f->unit, s->unit) == 0)
            unit = f;
    }
    if (!unit && count < UNITS_MAX)
        unit = asset_fact(t, a, FACT_UNIT, protocol, s->unit, "answers", s->time_ns, &is_new);
    if (!unit)
        return;
    bool is_again = s->time_ns - unit->first_ns >= UNIT_AGAIN_NS;
    unit->is_current |= inventory_is_silent(inv, segment) || a->is_new || is_again;
    unit->last_ns = s->time_ns;
    unit->count++;
    unit->is_dirty = true;
    a->is_dirty = true;
}

/* Whoever answers serves the protocol, whichever side opened the conversation. */
static void answer_seen(struct inventory *inv, uint32_t segment, struct asset *a,
                        const struct sighting *s)
{
    const struct asset_protocol_kind *kind = asset_protocol_kind(s->protocol);
    if (kind && kind->is_controller)
        asset_protocol_add(&inv->assets, a, assets_protocol(&inv->assets, s->protocol), true);
    bool has_unit =
        s->unit[0] != '\0' && asset_has_units(s->protocol) && !inventory_is_loopback(&s->other.ip);
    if ((s->detail & ROLE_GRANTED) && has_unit)
        unit_seen(inv, segment, a, s);
}

void inventory_on_answered_role(struct inventory *inv, uint32_t segment, const struct sighting *s)
{
    struct asset *server = inventory_host_find(inv, segment, &s->other);
    if (server)
        answer_seen(inv, segment, server, s);
}

void inventory_on_role(struct inventory *inv, uint32_t segment, struct asset *a,
                       const struct sighting *s)
{
    uint64_t bit = (uint64_t)1 << s->operation;
    struct asset *target = inventory_host_find(inv, segment, &s->other);
    if (target && !(target->suffered & bit)) {
        target->suffered |= bit;
        target->is_dirty = true;
    }
    reading_seen(a, target, s);
    if (!(a->operations & bit)) {
        a->operations |= bit;
        a->is_dirty = true;
        inventory_something_new(inv, segment);
    }
    if (asset_protocol_kind(s->protocol))
        duty_seen(inv, segment, a, bit);
    if (target && (PROGRAMMING >> s->operation & 1))
        target->program_ns = s->time_ns;
    bool is_between_computers =
        strcmp(s->protocol, "smb2") == 0 || strcmp(s->protocol, "smb") == 0 ||
        strcmp(s->protocol, "dcerpc") == 0 || strcmp(s->protocol, "http") == 0;
    bool is_published = s->other.ip.kind == ADDRESS_NONE && mac_is_group(&s->other.mac);
    if (!operation_is_critical(s->operation) || (a->flags & ASSET_ENGINEERING) ||
        is_between_computers || is_published) /* GOOSE of another revision orders nobody */
        return;
    if ((MODES >> s->operation & 1) && !a->is_new && !inventory_is_silent(inv, segment))
        return; /* told as a stop, a start: it engineers nothing */
    a->flags |= ASSET_ENGINEERING;
    if (!inventory_is_silent(inv, segment))
        inventory_tell_engineering(inv, a, s);
}
