/* asset_units.c: facts that a device tells under the address of a unit: are they its own, or those
 * of devices behind it? */
#include "asset.h"

#include <stdio.h>
#include <string.h>

static bool is_telling(const struct assets *t, const struct asset_fact *f)
{
    return f->is_current && f->unit[0] != '\0' &&
           (f->kind == FACT_PRODUCT || f->kind == FACT_ORDER_NUMBER || f->kind == FACT_SERIAL) &&
           !asset_unit_is_other(assets_protocol_name(t, f->protocol));
}

static bool contradicts(const struct assets *t, const struct asset_fact *f)
{
    for (uint32_t i = f->next; i != INDEX_NONE; i = t->facts[i].next) {
        const struct asset_fact *other = &t->facts[i];
        if (is_telling(t, other) && other->kind == f->kind && strcmp(other->text, f->text) != 0 &&
            strcmp(other->unit, f->unit) != 0)
            return true;
    }
    return false;
}

const char *asset_own_unit(const struct assets *t, const struct asset *a)
{
    const struct asset_fact *oldest = NULL;
    bool is_mixed = false;
    for (uint32_t i = a->first_fact; i != INDEX_NONE; i = t->facts[i].next) {
        const struct asset_fact *f = &t->facts[i];
        if (!is_telling(t, f))
            continue;
        is_mixed |= contradicts(t, f);
        if (!oldest || f->first_ns < oldest->first_ns ||
            (f->first_ns == oldest->first_ns && strcmp(f->unit, oldest->unit) < 0))
            oldest = f;
    }
    return is_mixed ? oldest->unit : "";
}

/* "rack 0 slot 2" of S7; "1/2" of CIP: port 1 is the backplane, then comes the slot. */
void asset_unit_place(const char *unit, char rack[ASSET_PLACE_SIZE], char slot[ASSET_PLACE_SIZE])
{
    rack[0] = slot[0] = '\0';
    if (sscanf(unit, "rack %15[0-9] slot %15[0-9]", rack, slot) == 2)
        return;
    rack[0] = '\0';
    if (sscanf(unit, "1/%15[0-9]", slot) != 1 || strlen(slot) + 2 != strlen(unit))
        slot[0] = '\0';
}

const char *asset_serial(const struct assets *t, const struct asset *a)
{
    const struct asset_fact *f = asset_fact_best(t, a, FACT_SERIAL);
    const char *own = asset_own_unit(t, a);
    bool is_own = f && (f->unit[0] == '\0' || own[0] == '\0' || strcmp(own, f->unit) == 0);
    return is_own ? f->text : "";
}
