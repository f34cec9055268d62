/* s7comm_szl.c: identity, mode and protection out of system status lists. PROTOCOLS 6 "SZL".
 *
 *   list:   | id 2 | index 2 | size of an entry 2 | entries 2 | entries |
 *   0x0011: | index 2 | order number 20 | type 2 | version 2 | version 2 |
 *   0x001c: | index 2 | text 32 |
 *   0x0024: | event 2 | ? 1 | mode: asked, bits 3-0; before, bits 7-4 1 | ... |
 *   0x0032: | index 2, =4 | by the switch 2 | assigned 2 | in force 2 | mode switch 2 | ... |
 *   0x0091: | rack or station 2 | slot 1 | submodule 1 | address 2 | type: expected 2, real 2 |
 *           | ? 2 | state 2 | ? 2 | */
#include "s7comm_szl.h"

enum {
    LIST_MASK = 0x00ff, /* the partial list; above it the extract and the module class */
    LIST_MODULE = 0x11,
    LIST_COMPONENT = 0x1c,
    LIST_MODE = 0x24,
    LIST_COMMUNICATION = 0x32,
    INDEX_MODULE = 1,
    INDEX_HARDWARE = 6,
    INDEX_FIRMWARE = 7,
    INDEX_PROTECTION = 4,
    ORDER_NUMBER_SIZE = 20,
    LIST_STATUS = 0x91,
    FACTS_MAX = 12,
    PARTS_MAX = 48,
};

enum operation s7comm_szl_operation(uint16_t id)
{
    uint16_t list = id & LIST_MASK;
    return list == LIST_MODULE || list == LIST_COMPONENT ? OP_IDENTIFY : OP_DIAGNOSTICS;
}

static struct text list_name(uint16_t id)
{
    static const struct {
        uint8_t list;
        const char *name;
    } names[] = {
        {LIST_MODULE,        "module identification"           },
        {LIST_COMPONENT,     "component identification"        },
        {LIST_MODE,          "operating mode"                  },
        {LIST_COMMUNICATION, "communication status, protection"},
        {0x19,               "LEDs"                            },
        {0x31,               "communication capability"        },
        {0x37,               "Ethernet details"                },
        {0x74,               "LEDs"                            },
        {LIST_STATUS,        "module status"                   },
        {0x92,               "rack and station status"         },
        {0x94,               "rack and station status"         },
        {0x96,               "module status"                   },
        {0xa0,               "diagnostic buffer"               },
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].list == (id & LIST_MASK))
            return text_of(names[i].name);
    return TEXT("");
}

void s7comm_szl_item(struct dissect *d, struct ot_event *event, uint16_t id, uint16_t index)
{
    uint32_t count = 1;
    struct ot_item *item = dissect_items(d, &count);
    event->operation = s7comm_szl_operation(id);
    if (!item)
        return;
    item->area = "szl";
    item->number = id;
    item->has_number = true;
    item->start = index;
    item->has_start = true;
    item->count = 1;
    item->name = dissect_text(d, "SZL 0x%04x index %u", id, index);
    event->detail = list_name(id);
    event->items = item;
    event->item_count = event->items_total = 1;
}

struct facts {
    struct ot_fact *at;
    uint32_t count, room;
};

static void add_fact(struct facts *f, enum fact_kind kind, struct text value)
{
    if (f->count == f->room || value.size == 0)
        return;
    f->at[f->count++] = (struct ot_fact){.kind = kind, .value = value};
}

/* An order number stands in entry 1 and, for the hardware, in 6; versions in 6 and 7. */
static void module_entry(struct dissect *d, struct facts *f, struct reader r)
{
    uint16_t index = reader_u16be(&r);
    struct text order = s7comm_trimmed(reader_take(&r, ORDER_NUMBER_SIZE));
    reader_skip(&r, 2);
    uint8_t letter = reader_u8(&r), major = reader_u8(&r);
    uint8_t minor = reader_u8(&r), patch = reader_u8(&r);
    if (!reader_ok(&r))
        return;
    if (index == INDEX_MODULE)
        add_fact(f, FACT_ORDER_NUMBER, order);
    else if (index == INDEX_HARDWARE)
        add_fact(f, FACT_HARDWARE, dissect_text(d, "%u", (unsigned)letter << 8 | major));
    else if (index == INDEX_FIRMWARE && letter == 'V')
        add_fact(f, FACT_FIRMWARE, dissect_text(d, "V%u.%u.%u", major, minor, patch));
}

static void component_entry(struct facts *f, struct reader r)
{
    static const struct {
        uint16_t index;
        enum fact_kind kind;
    } kinds[] = {
        {1,    FACT_NAME       },
        {2,    FACT_MODULE_NAME},
        {3,    FACT_PLANT      },
        {5,    FACT_SERIAL     },
        {7,    FACT_PRODUCT    },
        {8,    FACT_CARD_SERIAL},
        {0x0b, FACT_LOCATION   },
    };
    enum { INDEX_VENDOR = 9, VENDOR_SIEMENS = 42 };
    uint16_t index = reader_u16be(&r);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].index == index)
            add_fact(f, kinds[i].kind, s7comm_trimmed(r));
    if (index == INDEX_VENDOR && reader_u16be(&r) == VENDOR_SIEMENS)
        add_fact(f, FACT_VENDOR, TEXT("Siemens"));
}

static void mode_entry(struct facts *f, struct reader r)
{
    static const char *const modes[16] = {
        [1] = "stop",     [2] = "stop",    [3] = "stop",   [4] = "stop", [5] = "startup",
        [6] = "startup",  [7] = "startup", [8] = "run",    [9] = "run",  [10] = "hold",
        [11] = "link_up", [12] = "update", [13] = "defect"};
    reader_skip(&r, 3);
    uint8_t mode = reader_u8(&r);
    if (reader_ok(&r) && modes[mode & 15])
        add_fact(f, FACT_MODE, text_of(modes[mode & 15]));
}

static void protection_entry(struct dissect *d, struct facts *f, struct reader r)
{
    static const char *const switches[] = {NULL, "run", "run_p", "stop", "mres"};
    uint16_t index = reader_u16be(&r);
    reader_skip(&r, 4); /* by the key switch, assigned */
    uint16_t in_force = reader_u16be(&r);
    uint16_t position = reader_u16be(&r);
    if (!reader_ok(&r) || index != INDEX_PROTECTION)
        return;
    add_fact(f, FACT_PROTECTION, dissect_text(d, "level %u", in_force));
    if (position < sizeof switches / sizeof *switches && switches[position])
        add_fact(f, FACT_KEY_SWITCH, text_of(switches[position]));
}

/* "rack 0 slot 4": where other requests find it, too. Empty: not a module's own place. */
static struct text place_of(struct dissect *d, uint16_t where, uint16_t slot)
{
    unsigned system = where >> 8 & 0x7f;
    if (where & 0x8000) /* PROFINET, systems 100 to 115; there is no submodule */
        return dissect_text(d, "PN %u station %u slot %u", 100 + (where >> 11 & 15), where & 0x7ff,
                            slot);
    if (slot < 0x100 || (slot & 0xff) != 0)
        return (struct text){NULL, 0};
    if (system > 0)
        return dissect_text(d, "DP %u station %u slot %u", system, where & 0xff, slot >> 8);
    return dissect_text(d, "rack %u slot %u", where, slot >> 8);
}

/* The parts of a list of module status. The CPU that answers stands in it, too: module class 0
 * (bits 8 to 11 of the type), as in the diagnostic data of modules. */
static void status_list(struct dissect *d, struct ot_event *event, struct reader list, size_t size,
                        unsigned entries)
{
    enum { STATE_EXISTS = 2, STATE_SIZE = 14, TYPE_CLASS = 0x0f00 };
    uint32_t room = PARTS_MAX;
    struct ot_part *parts = dissect_parts(d, &room);
    if (size < STATE_SIZE)
        return;
    event->parts = parts;
    for (; entries > 0 && reader_left(&list) >= size && event->part_count < room; entries--) {
        struct reader r = reader_take(&list, size);
        uint16_t where = reader_u16be(&r);
        uint16_t slot = reader_u16be(&r);
        reader_skip(&r, 2 + 2); /* logical address, type expected */
        uint16_t type = reader_u16be(&r);
        reader_skip(&r, 2);
        uint16_t state = reader_u16be(&r);
        struct text place = place_of(d, where, slot);
        if ((state & STATE_EXISTS) && (type & TYPE_CLASS) && place.size > 0)
            parts[event->part_count++] =
                (struct ot_part){place, dissect_text(d, "module type 0x%04x", type)};
    }
}

void s7comm_szl_list(struct dissect *d, struct ot_event *event, struct reader list)
{
    uint16_t id = reader_u16be(&list);
    uint16_t index = reader_u16be(&list);
    if (!reader_ok(&list))
        return;
    s7comm_szl_item(d, event, id, index);
    uint16_t size = reader_u16be(&list);
    uint16_t entries = reader_u16be(&list);
    unsigned kind = id & LIST_MASK;
    if (reader_ok(&list) && kind == LIST_STATUS)
        status_list(d, event, list, size, entries);
    if (!reader_ok(&list) || size < 4 ||
        (kind != LIST_MODULE && kind != LIST_COMPONENT && kind != LIST_MODE &&
         kind != LIST_COMMUNICATION))
        return;
    struct facts f = {.room = FACTS_MAX};
    f.at = dissect_facts(d, &f.room);
    for (unsigned i = 0; i < entries && reader_left(&list) >= size; i++) {
        struct reader entry = reader_take(&list, size);
        if (kind == LIST_MODULE)
            module_entry(d, &f, entry);
        else if (kind == LIST_COMPONENT)
            component_entry(&f, entry);
        else if (kind == LIST_MODE)
            mode_entry(&f, entry);
        else
            protection_entry(d, &f, entry);
    }
    event->facts = f.at;
    event->fact_count = f.count;
}
