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

/* What such an address is called. */
static const struct {
    const char *protocol, *words;
} addresses[] = {
    {"modbus",   "Modbus unit"    },
    {"dnp3",     "DNP3 address"   },
    {"iec104",   "IEC 104 address"},
    {"bacnet",   "BACnet address" },
    {"ads",      "AMS"            },
    {"fins",     "FINS node"      },
    {"hart_ip",  "HART"           },
    {"s7comm",   "S7"             },
    {"pnio_cm",  "PROFINET slot"  },
    {"cip",      "CIP route"      },
    {"genisys",  "Genisys station"},
    {"sbus",     "S-Bus station"  },
    {"roc_plus", "ROC unit"       },
    {"c1222",    "C12.22 AP title"},
};

static const char *words_of(const char *protocol)
{
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++)
        if (strcmp(addresses[i].protocol, protocol) == 0)
            return addresses[i].words;
    return NULL;
}

bool asset_has_units(const char *protocol)
{
    return words_of(protocol) != NULL;
}

char *asset_unit_name(char out[ASSET_UNIT_NAME], const char *protocol, const char *unit)
{
    const char *words = words_of(protocol);
    return text_format(out, ASSET_UNIT_NAME, "%s %s", words ? words : protocol, unit);
}

bool asset_unit_is_behind(const char *protocol, const char *unit)
{
    /* Addresses of a line or a bus. Not S7: CPUs answer for slots in which they do not stand; not
     * IEC 104 and FINS: parts of one station and of one controller have addresses of their own. */
    static const char *const protocols[] = {"modbus",  "dnp3", "cip",     "hart_ip",
                                            "genisys", "sbus", "roc_plus"};
    if (unit[0] == '\0')
        return false;
    if (asset_unit_is_other(protocol))
        return true;
    /* [TCP] 3.1.3: 0 and 255 are the device that has the IP address */
    if (strcmp(protocol, "modbus") == 0 && (strcmp(unit, "0") == 0 || strcmp(unit, "255") == 0))
        return false;
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
        if (strcmp(protocols[i], protocol) == 0)
            return true;
    return false;
}

/* Two units that are the same product, and none that is another: one device answers for every
 * number. */
static bool is_one_device(const struct assets *t, const struct asset *a, const char *protocol)
{
    const struct asset_fact *first = NULL;
    bool is_alike = false;
    for (uint32_t i = a->first_fact; i != INDEX_NONE; i = t->facts[i].next) {
        const struct asset_fact *f = &t->facts[i];
        if (f->kind != FACT_PRODUCT || !f->is_current || f->unit[0] == '\0' ||
            strcmp(assets_protocol_name(t, f->protocol), protocol) != 0)
            continue;
        if (first && strcmp(f->text, first->text) != 0)
            return false;
        is_alike |= first && strcmp(f->unit, first->unit) != 0;
        first = f;
    }
    return is_alike;
}

size_t asset_units_behind(const struct assets *t, const struct asset *a, const char *protocol)
{
    size_t count = 0;
    if (is_one_device(t, a, protocol))
        return 0;
    for (uint32_t i = a->first_fact; i != INDEX_NONE; i = t->facts[i].next) {
        const struct asset_fact *f = &t->facts[i];
        const char *by = assets_protocol_name(t, f->protocol);
        count += f->kind == FACT_UNIT && f->is_current && strcmp(by, protocol) == 0 &&
                 asset_unit_is_behind(by, f->unit);
    }
    return count;
}

/* "rack 0 slot 2" of S7; "3.1" of PROFINET: slot and subslot; "1/2" of CIP: port 1 is the
 * backplane, then comes the slot. */
void asset_unit_place(const char *protocol, const char *unit, char rack[ASSET_PLACE_SIZE],
                      char slot[ASSET_PLACE_SIZE])
{
    int size = 0;
    rack[0] = slot[0] = '\0';
    if (strcmp(protocol, "pnio_cm") != 0 && strcmp(protocol, "cip") != 0 &&
        strcmp(protocol, "s7comm") != 0 && strcmp(protocol, "s7comm_plus") != 0)
        return;
    if (sscanf(unit, "%15[0-9].%*u%n", slot, &size) == 1 && size > 0 && unit[size] == '\0')
        return;
    slot[0] = '\0';
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
