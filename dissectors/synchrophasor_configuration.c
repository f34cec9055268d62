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

/* Counts one more than are kept when there are too many. */
static void add_unit(struct synchrophasor_layout *layout, const struct synchrophasor_unit *u)
{
    layout->size += unit_size(u);
    if (layout->unit_count < SYNCHROPHASOR_UNITS_MAX)
        layout->units[layout->unit_count] = *u;
    if (layout->unit_count <= SYNCHROPHASOR_UNITS_MAX)
        layout->unit_count++;
}

static bool end_units(struct reader *r, struct ot_event *e, struct dissect *d,
                      struct synchrophasor_layout *layout)
{
    layout->rate = reader_u16be(r);
    layout->is_whole = reader_ok(r);
    if (layout->unit_count > SYNCHROPHASOR_UNITS_MAX)
        layout->unit_count = 0;
    if (layout->unit_count == 0)
        layout->size = 0;
    if (!layout->is_whole)
        return false;
    int rate = (int16_t)layout->rate;
    e->detail = rate >= 0 ? dissect_text(d, "%d frames a second", rate)
                          : dissect_text(d, "a frame in %d seconds", -rate);
    return true;
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
    for (uint16_t i = 0; i < count && reader_ok(&r); i++) {
        const char *station = (const char *)reader_bytes(&r, NAME_SIZE);
        struct synchrophasor_unit u;
        u.id = reader_u16be(&r);
        u.format = reader_u16be(&r);
        u.phasors = reader_u16be(&r);
        u.analogs = reader_u16be(&r);
        u.digitals = reader_u16be(&r);
        channels_skip(&r, &u);
        reader_skip(&r, 2); /* nominal frequency */
        layout->changes += reader_u16be(&r);
        if (!reader_ok(&r))
            return false;
        /* the stations behind a concentrator are not its own name */
        add_name(e, facts, facts ? room : 0, count > 1 ? FACT_MODULE_NAME : FACT_NAME,
                 (struct text){station, NAME_SIZE});
        add_unit(layout, &u);
    }
    return end_units(&r, e, d, layout);
}

static struct text read_name(struct reader *r)
{
    uint8_t size = reader_u8(r);
    const char *at = (const char *)reader_bytes(r, size);
    return (struct text){at, at ? size : 0};
}

/* [C37] 6.5, table 10, from the id of the unit on. */
static bool unit_3(struct reader *r, struct synchrophasor_unit *u, uint32_t *changes)
{
    enum {
        PHASOR_FACTORS = 12,
        ANALOG_FACTORS = 8,
        DIGITAL_MASKS = 4,
        PLACE_TO_FREQUENCY = 4 + 4 + 4 + 1 + 4 + 4 + 2 /* place, class, window, delay, nominal */
    };
    u->id = reader_u16be(r);
    reader_skip(r, ID_SIZE);
    u->format = reader_u16be(r);
    u->phasors = reader_u16be(r);
    u->analogs = reader_u16be(r);
    u->digitals = reader_u16be(r);
    size_t channels = (size_t)u->phasors + u->analogs + (size_t)u->digitals * NAMES_OF_A_DIGITAL;
    for (size_t i = 0; i < channels && reader_ok(r); i++)
        (void)read_name(r);
    reader_skip(r, u->phasors * (size_t)PHASOR_FACTORS + u->analogs * (size_t)ANALOG_FACTORS +
                       u->digitals * (size_t)DIGITAL_MASKS + PLACE_TO_FREQUENCY);
    *changes += reader_u16be(r);
    return reader_ok(r);
}

bool synchrophasor_configuration_3(struct dissect *d, struct reader r, struct ot_event *e,
                                   struct synchrophasor_layout *layout)
{
    uint16_t continuation = reader_u16be(&r);
    if (!reader_ok(&r))
        return false;
    if (continuation > 1)
        return true; /* a further part, it begins anywhere */
    reader_skip(&r, 4);
    uint16_t count = reader_u16be(&r);
    uint32_t room = count < FACTS_MAX ? count : FACTS_MAX;
    struct ot_fact *facts = room ? dissect_facts(d, &room) : NULL;
    for (uint16_t i = 0; i < count; i++) {
        struct synchrophasor_unit u;
        struct text name = read_name(&r);
        struct reader first = r;
        reader_skip(&first, 2 + ID_SIZE);
        if (!reader_ok(&first))
            return false;
        add_name(e, facts, facts ? room : 0, count > 1 ? FACT_MODULE_NAME : FACT_NAME, name);
        if (continuation) /* goes on in the next part */
            return true;
        if (!unit_3(&r, &u, &layout->changes))
            return false;
        add_unit(layout, &u);
    }
    return end_units(&r, e, d, layout);
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
