/* synchrophasor_configuration.c: configuration and data frames of IEEE C37.118.
 *
 * Spec: [C37] IEEE C37.118.2-2011, 6.3 (data), 6.4 (configuration 1 and 2), 6.5 (configuration 3)
 *
 *   | time base 4 | units 2 | then per unit: | station 16 | id 2 | format 2 | phasors 2 | analogs 2
 * | | digitals 2 | names, 16 each, 16 to a digital | units, 4 each | nominal 2 | changes 2 | then |
 * rate 2 | data per unit: | STAT 2 | phasors 4 or 8 each | frequency 2 or 4 | change of it 2 or 4 |
 *   | analogs 2 or 4 each | digitals 2 each |
 */
#include "synchrophasor_configuration.h"

enum {
    NAME_SIZE = 16,
    NAMES_OF_A_DIGITAL = 16,
    FORMAT_FREQUENCY_FLOAT = 8,
    FORMAT_ANALOG_FLOAT = 4,
    FORMAT_PHASOR_FLOAT = 2,
    FACTS_MAX = 16,
    ID_SIZE = 16, /* G_PMU_ID of configuration 3 */
};

static void add_name(struct ot_event *e, struct ot_fact *facts, uint32_t room, enum fact_kind kind,
                     struct text name)
{
    while (name.size && (name.at[name.size - 1] == ' ' || name.at[name.size - 1] == '\0'))
        name.size--;
    if (name.size && e->fact_count < room)
        facts[e->fact_count++] = (struct ot_fact){.kind = kind, .value = name};
    e->facts = facts;
}

static uint32_t unit_size(const struct synchrophasor_unit *u)
{
    uint32_t phasor = u->format & FORMAT_PHASOR_FLOAT ? 8 : 4;
    uint32_t frequency = u->format & FORMAT_FREQUENCY_FLOAT ? 8 : 4; /* with its change */
    uint32_t analog = u->format & FORMAT_ANALOG_FLOAT ? 4 : 2;
    return 2 + u->phasors * phasor + frequency + u->analogs * analog + u->digitals * 2u;
}

static void channels_skip(struct reader *r, const struct synchrophasor_unit *u)
{
    size_t names = (size_t)u->phasors + u->analogs + (size_t)u->digitals * NAMES_OF_A_DIGITAL;
    size_t factors = (size_t)u->phasors + u->analogs + u->digitals;
    reader_skip(r, names * NAME_SIZE + factors * 4);
}

bool synchrophasor_configuration(struct dissect *d, struct reader r, struct ot_event *e,
                                 struct synchrophasor_layout *layout)
{
    reader_skip(&r, 4);
    uint16_t count = reader_u16be(&r);
    uint32_t room = count < FACTS_MAX ? count : FACTS_MAX;
    struct ot_fact *facts = room ? dissect_facts(d, &room) : NULL;
    bool is_known = count <= SYNCHROPHASOR_UNITS_MAX;
    for (uint16_t i = 0; i < count && reader_ok(&r); i++) {
        const char *station = (const char *)reader_bytes(&r, NAME_SIZE);
        struct synchrophasor_unit u;
        u.id = reader_u16be(&r);
        u.format = reader_u16be(&r);
        u.phasors = reader_u16be(&r);
        u.analogs = reader_u16be(&r);
        u.digitals = reader_u16be(&r);
        channels_skip(&r, &u);
        reader_skip(&r, 4); /* nominal frequency, change count */
        if (!reader_ok(&r))
            break;
        /* the stations behind a concentrator are not its own name */
        add_name(e, facts, facts ? room : 0, count > 1 ? FACT_MODULE_NAME : FACT_NAME,
                 (struct text){station, NAME_SIZE});
        if (is_known)
            layout->units[layout->unit_count++] = u;
        layout->size += unit_size(&u);
    }
    reader_skip(&r, 2); /* rate */
    if (!reader_ok(&r) || !is_known)
        *layout = (struct synchrophasor_layout){0};
    return reader_ok(&r);
}

bool synchrophasor_configuration_3(struct dissect *d, struct reader r, struct ot_event *e)
{
    uint16_t continuation = reader_u16be(&r);
    if (!reader_ok(&r))
        return false;
    if (continuation > 1)
        return true; /* a further part, it begins anywhere */
    reader_skip(&r, 4);
    uint16_t count = reader_u16be(&r);
    uint8_t size = reader_u8(&r);
    struct reader name = reader_take(&r, size);
    if (!reader_ok(&r) || count == 0)
        return reader_ok(&r);
    uint32_t room = 1;
    struct ot_fact *facts = dissect_facts(d, &room);
    add_name(e, facts, facts ? room : 0, count > 1 ? FACT_MODULE_NAME : FACT_NAME,
             (struct text){(const char *)name.at, size});
    reader_skip(&r, 2 + ID_SIZE);
    return reader_ok(&r);
}

static void put_value(struct ot_item *item, const char *area, const struct synchrophasor_unit *u,
                      const uint8_t *at)
{
    bool is_float = u->format & FORMAT_FREQUENCY_FLOAT;
    *item = (struct ot_item){.area = area,
                             .has_start = true,
                             .start = u->id,
                             .low = u->id,
                             .high = u->id,
                             .has_range = true,
                             .count = 1};
    item->values =
        (struct ot_values){is_float ? VALUES_F32BE : VALUES_I16BE, 1, at, is_float ? 4u : 2u};
}

void synchrophasor_data(struct dissect *d, const struct synchrophasor_layout *layout,
                        struct reader r, struct ot_event *e)
{
    uint32_t room = layout->unit_count * 2u;
    if (room == 0 || layout->size != reader_left(&r))
        return;
    struct ot_item *items = dissect_items(d, &room);
    for (uint8_t i = 0; i < layout->unit_count && items; i++) {
        const struct synchrophasor_unit *u = &layout->units[i];
        struct reader unit = reader_take(&r, unit_size(u));
        reader_skip(&unit, 2u + u->phasors * (u->format & FORMAT_PHASOR_FLOAT ? 8u : 4u));
        size_t size = u->format & FORMAT_FREQUENCY_FLOAT ? 4 : 2;
        const uint8_t *frequency = reader_bytes(&unit, size);
        const uint8_t *change = reader_bytes(&unit, size);
        if (!reader_ok(&unit) || e->item_count + 2 > room)
            break;
        put_value(&items[e->item_count++], "frequency", u, frequency);
        put_value(&items[e->item_count++], "rate_of_change", u, change);
    }
    e->items = items;
    e->items_total = layout->unit_count * 2u;
}
