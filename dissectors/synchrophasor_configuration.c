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

#include <string.h>

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

/* [C37] 6.4, table 11: bit 0 of FNOM */
static uint16_t nominal_of(uint16_t code)
{
    return code & 1 ? 50 : 60;
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
        u.nominal_hz = nominal_of(reader_u16be(&r));
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
        PLACE_TO_DELAY = 4 + 4 + 4 + 1 + 4 + 4 /* place, class, window, delay */
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
                       u->digitals * (size_t)DIGITAL_MASKS + PLACE_TO_DELAY);
    u->nominal_hz = nominal_of(reader_u16be(r));
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

/* How a measurement lies in the frame. */
struct form {
    enum ot_encoding encoding;
    uint8_t count; /* of the values that are told */
    uint8_t size;  /* of those; a polar phasor of integers is larger */
};

static const struct form floating = {VALUES_F32BE, 1, 4};
static const struct form computing = {VALUES_F64BE, 1, 8};
static const struct form integer = {VALUES_I16BE, 1, 2};
static const struct form bits = {VALUES_U16BE, 1, 2};

/* [C37] 6.3, table 6: real and imaginary, or magnitude and angle. Of the latter as integers the
 * magnitude has no sign and the angle has one: only the magnitude is a value then. */
static const struct form *phasor_form(const struct synchrophasor_unit *u)
{
    static const struct form floats = {VALUES_F32BE, 2, 8}, integers = {VALUES_I16BE, 2, 4};
    if (u->format & FORMAT_PHASOR_FLOAT)
        return &floats;
    return u->format & FORMAT_POLAR ? &bits : &integers;
}

static uint32_t phasor_size(const struct synchrophasor_unit *u)
{
    return u->format & FORMAT_PHASOR_FLOAT ? 8 : 4;
}

/* The next item, there being room. */
static struct ot_item *put_item(struct ot_event *e, struct ot_item *items, const char *area,
                                const struct form *form, const uint8_t *at)
{
    struct ot_item *item = &items[e->item_count++];
    *item = (struct ot_item){.area = area, .has_start = true, .has_range = true, .count = 1};
    item->values.encoding = form->encoding;
    item->values.count = form->count;
    item->values.bytes = at;
    item->values.size = form->size;
    return item;
}

static void put_value(struct ot_event *e, struct ot_item *items, uint32_t room, const char *area,
                      const struct synchrophasor_unit *u, const struct form *form,
                      const uint8_t *at)
{
    if (e->item_count == room || !at)
        return;
    struct ot_item *item = put_item(e, items, area, form, at);
    item->start = item->low = item->high = u->id;
}

/* A value that is not in the frame; NULL: no room. */
static const uint8_t *computed(struct dissect *d, double value)
{
    uint64_t image;
    uint8_t *bytes = arena_take_unset(d->arena, sizeof image);
    memcpy(&image, &value, sizeof image);
    for (size_t i = 0; bytes && i < sizeof image; i++)
        bytes[i] = (uint8_t)(image >> (56 - 8 * i));
    return bytes;
}

/* Channel `index` of a unit: | number unit | start index | */
static void put_channel(struct ot_event *e, struct ot_item *items, const char *area,
                        const struct synchrophasor_unit *u, uint16_t index, const struct form *form,
                        const uint8_t *at)
{
    struct ot_item *item = put_item(e, items, area, form, at);
    item->number = u->id;
    item->has_number = true;
    item->start = index;
    item->low = item->high = (uint64_t)u->id << 16 | index;
}

/* [C37] 6.3, table 5: as integers mHz from the nominal frequency, and hundredths of Hz/s; as floats
 * Hz and Hz/s. Both are told as the latter. */
static void frequency(struct dissect *d, struct ot_event *e, struct ot_item *items, uint32_t room,
                      const struct synchrophasor_unit *u, struct reader r)
{
    bool is_float = u->format & FORMAT_FREQUENCY_FLOAT;
    const struct form *form = is_float ? &floating : &computing;
    reader_skip(&r, STATUS_SIZE + u->phasors * (size_t)phasor_size(u));
    const uint8_t *value = reader_bytes(&r, is_float ? 4 : 2);
    const uint8_t *change = reader_bytes(&r, is_float ? 4 : 2);
    if (!change)
        return;
    if (!is_float) {
        struct reader integers = reader_of(value, 4);
        double mhz = (int16_t)reader_u16be(&integers),
               hundredths = (int16_t)reader_u16be(&integers);
        value = computed(d, u->nominal_hz + mhz / 1000);
        change = computed(d, hundredths / 100);
    }
    put_value(e, items, room, "frequency", u, form, value);
    put_value(e, items, room, "rate_of_change", u, form, change);
}

/* `count` channels of one kind, each of `size` bytes, as far as there is room. */
static void channels_of(struct ot_event *e, struct ot_item *items, uint32_t room, const char *area,
                        const struct synchrophasor_unit *u, uint16_t count, const struct form *form,
                        size_t size, struct reader *r)
{
    struct reader all = reader_take(r, count * size);
    for (uint16_t i = 0; i < count && e->item_count < room && reader_left(&all); i++)
        put_channel(e, items, area, u, i, form, reader_bytes(&all, size));
}

static void channels(struct ot_event *e, struct ot_item *items, uint32_t room,
                     const struct synchrophasor_unit *u, struct reader r)
{
    bool is_float = u->format & FORMAT_ANALOG_FLOAT;
    reader_skip(&r, STATUS_SIZE);
    channels_of(e, items, room, "phasor", u, u->phasors, phasor_form(u), phasor_size(u), &r);
    reader_skip(&r, u->format & FORMAT_FREQUENCY_FLOAT ? 8 : 4);
    channels_of(e, items, room, "analog", u, u->analogs, is_float ? &floating : &integer,
                is_float ? 4 : 2, &r);
    channels_of(e, items, room, "digital", u, u->digitals, &bits, 2, &r);
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
        frequency(d, e, items, room, u, reader_take(&r, unit_size(u)));
    }
    for (uint8_t i = 0; i < layout->unit_count; i++) {
        const struct synchrophasor_unit *u = &layout->units[i];
        channels(e, items, room, u, reader_take(&again, unit_size(u)));
    }
    e->items = items;
    e->items_total = total;
}
