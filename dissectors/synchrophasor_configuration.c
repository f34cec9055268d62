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
    FORMAT_POLAR = 1,
    STATUS_SIZE = 2,
    ITEMS_MAX = 96, /* of a data frame */
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

static struct ot_item *put_item(struct ot_event *e, struct ot_item *items, uint32_t room,
                                const char *area, uint16_t unit)
{
    if (e->item_count == room)
        return NULL;
    items[e->item_count] = (struct ot_item){.area = area, .has_range = true, .count = 1};
    items[e->item_count].low = items[e->item_count].high = unit;
    return &items[e->item_count++];
}

static void put_value(struct ot_event *e, struct ot_item *items, uint32_t room, const char *area,
                      const struct synchrophasor_unit *u, const uint8_t *at)
{
    bool is_float = u->format & FORMAT_FREQUENCY_FLOAT;
    struct ot_item *item = put_item(e, items, room, area, u->id);
    if (!item)
        return;
    item->has_start = true;
    item->start = u->id;
    item->values =
        (struct ot_values){is_float ? VALUES_F32BE : VALUES_I16BE, 1, at, is_float ? 4u : 2u};
}

/* Channel `index` of a unit: | number unit | start index | */
static void put_channel(struct ot_event *e, struct ot_item *items, uint32_t room, const char *area,
                        const struct synchrophasor_unit *u, uint16_t index, struct ot_values values)
{
    struct ot_item *item = put_item(e, items, room, area, u->id);
    if (!item)
        return;
    item->number = u->id;
    item->has_number = item->has_start = true;
    item->start = index;
    item->low = item->high = (uint64_t)u->id << 16 | index;
    item->values = values;
}

/* [C37] 6.3, table 6: real and imaginary, or magnitude and angle. Of the latter as integers the
 * magnitude has no sign and the angle has one: only the magnitude is a value then. */
static struct ot_values phasor_values(const struct synchrophasor_unit *u, const uint8_t *at)
{
    if (u->format & FORMAT_PHASOR_FLOAT)
        return (struct ot_values){VALUES_F32BE, 2, at, 8};
    return u->format & FORMAT_POLAR ? (struct ot_values){VALUES_U16BE, 1, at, 2}
                                    : (struct ot_values){VALUES_I16BE, 2, at, 4};
}

static uint32_t phasor_size(const struct synchrophasor_unit *u)
{
    return u->format & FORMAT_PHASOR_FLOAT ? 8 : 4;
}

static void frequency(struct ot_event *e, struct ot_item *items, uint32_t room,
                      const struct synchrophasor_unit *u, struct reader r)
{
    size_t size = u->format & FORMAT_FREQUENCY_FLOAT ? 4 : 2;
    reader_skip(&r, STATUS_SIZE + u->phasors * (size_t)phasor_size(u));
    const uint8_t *deviation = reader_bytes(&r, size);
    const uint8_t *change = reader_bytes(&r, size);
    if (!change)
        return;
    put_value(e, items, room, "frequency", u, deviation);
    put_value(e, items, room, "rate_of_change", u, change);
}

static void channels(struct ot_event *e, struct ot_item *items, uint32_t room,
                     const struct synchrophasor_unit *u, struct reader r)
{
    reader_skip(&r, STATUS_SIZE);
    for (uint16_t i = 0; i < u->phasors && e->item_count < room; i++) {
        const uint8_t *at = reader_bytes(&r, phasor_size(u));
        if (!at)
            return;
        put_channel(e, items, room, "phasor", u, i, phasor_values(u, at));
    }
    reader_skip(&r, u->format & FORMAT_FREQUENCY_FLOAT ? 8 : 4);
    bool is_float = u->format & FORMAT_ANALOG_FLOAT;
    for (uint16_t i = 0; i < u->analogs && e->item_count < room; i++) {
        const uint8_t *at = reader_bytes(&r, is_float ? 4 : 2);
        if (!at)
            return;
        put_channel(
            e, items, room, "analog", u, i,
            (struct ot_values){is_float ? VALUES_F32BE : VALUES_I16BE, 1, at, is_float ? 4u : 2u});
    }
    for (uint16_t i = 0; i < u->digitals && e->item_count < room; i++) {
        const uint8_t *at = reader_bytes(&r, 2);
        if (at)
            put_channel(e, items, room, "digital", u, i,
                        (struct ot_values){VALUES_U16BE, 1, at, 2});
    }
}

/* First the frequencies of all units, then the channels as far as there is room. */
void synchrophasor_data(struct dissect *d, const struct synchrophasor_layout *layout,
                        struct reader r, struct ot_event *e)
{
    uint32_t total = 0;
    for (uint8_t i = 0; i < layout->unit_count; i++) {
        const struct synchrophasor_unit *u = &layout->units[i];
        total += 2u + u->phasors + u->analogs + u->digitals;
    }
    uint32_t room = total < ITEMS_MAX ? total : ITEMS_MAX;
    if (room == 0 || layout->size != reader_left(&r))
        return;
    struct ot_item *items = dissect_items_unset(d, &room);
    struct reader again = r;
    for (uint8_t i = 0; i < layout->unit_count; i++) {
        const struct synchrophasor_unit *u = &layout->units[i];
        frequency(e, items, room, u, reader_take(&r, unit_size(u)));
    }
    for (uint8_t i = 0; i < layout->unit_count; i++) {
        const struct synchrophasor_unit *u = &layout->units[i];
        channels(e, items, room, u, reader_take(&again, unit_size(u)));
    }
    e->items = items;
    e->items_total = total;
}
