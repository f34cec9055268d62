/* ethercat.c: EtherCAT frames: datagrams that pass through all slaves and come back.
 *
 * Spec: [EC] IEC 61158-4-12 (ETG.1000.4), registers by ETG.1000.4 and the ESC data sheets;
 * PROTOCOLS 18
 *
 *   | length 11 bits, 0 1 bit, type 4 bits | datagrams |
 *   datagram   | command 1 | index 1 | address 4 | length 11 bits, 0 3 bits, circulating, more |
 *              | interrupt 2 | length bytes | working counter 2 |
 *   address    | station 2 | offset 2 |, or logical 4
 *
 * little endian. Type 1: datagrams, 4: network variables, 5: a mailbox message. */
#include "ethercat.h"

enum {
    TYPE_COMMAND = 1,
    TYPE_VARIABLES = 4,
    TYPE_MAILBOX = 5,
    FRAME_HEADER_SIZE = 2,
    DATAGRAM_HEADER_SIZE = 10,
    COUNTER_SIZE = 2,
    LENGTH_MASK = 0x07ff,
    FRAME_RESERVED = 0x0800,
    DATAGRAM_RESERVED = 0x3800,
    DATAGRAM_MORE = 0x8000,
    DATAGRAMS_MAX = 128, /* a frame of 1,500 bytes holds 123 */
    MEMORY_START = 0x1000,
    REGISTER_AL_CONTROL = 0x0120,
    REGISTER_AL_STATUS = 0x0130,
    REGISTER_SII = 0x0502,
    REGISTER_SYSTEM_TIME = 0x0910,
    SII_READ = 0x01,
    SII_WRITE = 0x02,
    SII_BUSY = 0x80,
    RETURNED_BIT = 0x02, /* of the source address: the first slave sets it */
    VENDOR_BECKHOFF = 2,
};

enum command { NOP, APRD, APWR, APRW, FPRD, FPWR, FPRW, BRD, BWR, BRW, LRD, LWR, LRW, ARMW, FRMW };

static const struct command_row {
    const char *name;
    bool is_read, is_write, is_logical;
} commands[] = {
    [NOP] = {"nop",                                    false, false, false},
    [APRD] = {"auto_increment_read",                    true,  false, false},
    [APWR] = {"auto_increment_write",                   false, true,  false},
    [APRW] = {"auto_increment_read_write",              true,  true,  false},
    [FPRD] = {"configured_address_read",                true,  false, false},
    [FPWR] = {"configured_address_write",               false, true,  false},
    [FPRW] = {"configured_address_read_write",          true,  true,  false},
    [BRD] = {"broadcast_read",                         true,  false, false},
    [BWR] = {"broadcast_write",                        false, true,  false},
    [BRW] = {"broadcast_read_write",                   true,  true,  false},
    [LRD] = {"logical_read",                           true,  false, true },
    [LWR] = {"logical_write",                          false, true,  true },
    [LRW] = {"logical_read_write",                     true,  true,  true },
    [ARMW] = {"auto_increment_read_multiple_write",     true,  true,  false},
    [FRMW] = {"configured_address_read_multiple_write", true,  true,  false},
};

/* From `first` on, up to the next row. */
static const struct region {
    uint16_t first;
    enum operation on_read, on_write;
    struct text name;
} regions[] = {
    {0x0000,               OP_IDENTIFY,    OP_CONFIG_CHANGE, {"esc_information", 15}  },
    {0x0010,               OP_IDENTIFY,    OP_CONFIG_CHANGE, {"station_address", 15}  },
    {0x0012,               OP_IDENTIFY,    OP_CONFIG_CHANGE, {"station_alias", 13}    },
    {0x0020,               OP_READ,        OP_CONFIG_CHANGE, {"write_protection", 16} },
    {0x0040,               OP_READ,        OP_RESTART,       {"esc_reset", 9}         },
    {0x0042,               OP_READ,        OP_CONFIG_CHANGE, {"esc_register", 12}     },
    {0x0100,               OP_DIAGNOSTICS, OP_CONFIG_CHANGE, {"dl_control", 10}       },
    {0x0110,               OP_DIAGNOSTICS, OP_CONFIG_CHANGE, {"dl_status", 9}         },
    {REGISTER_AL_CONTROL,  OP_DIAGNOSTICS, OP_MODE_CHANGE,   {"al_control", 10}       },
    {0x0122,               OP_READ,        OP_CONFIG_CHANGE, {"esc_register", 12}     },
    {REGISTER_AL_STATUS,   OP_DIAGNOSTICS, OP_CONFIG_CHANGE, {"al_status", 9}         },
    {0x0134,               OP_DIAGNOSTICS, OP_CONFIG_CHANGE, {"al_status_code", 14}   },
    {0x0140,               OP_IDENTIFY,    OP_CONFIG_CHANGE, {"pdi_configuration", 17}},
    {0x0200,               OP_READ,        OP_CONFIG_CHANGE, {"interrupts", 10}       },
    {0x0300,               OP_DIAGNOSTICS, OP_DIAGNOSTICS,   {"error_counters", 14}   },
    {0x0400,               OP_DIAGNOSTICS, OP_CONFIG_CHANGE, {"watchdog", 8}          },
    {0x0500,               OP_IDENTIFY,    OP_CONFIG_CHANGE, {"sii_eeprom", 10}       },
    {0x0510,               OP_DIAGNOSTICS, OP_CONFIG_CHANGE, {"mii", 3}               },
    {0x0600,               OP_READ,        OP_CONFIG_CHANGE, {"fmmu", 4}              },
    {0x0800,               OP_READ,        OP_CONFIG_CHANGE, {"sync_manager", 12}     },
    {0x0900,               OP_READ,        OP_DIAGNOSTICS,   {"receive_time", 12}     },
    {REGISTER_SYSTEM_TIME, OP_READ,        OP_TIME_SET,      {"system_time", 11}      },
    {0x0980,               OP_READ,        OP_CONFIG_CHANGE, {"distributed_clock", 17}},
    {0x0f00,               OP_READ,        OP_WRITE,         {"digital_io", 10}       },
    {0x0f80,               OP_READ,        OP_WRITE,         {"user_memory", 11}      },
    {MEMORY_START,         OP_READ,        OP_WRITE,         {"memory", 6}            },
};

struct datagram {
    uint8_t command, index;
    uint16_t station, offset;
    uint32_t address;
    uint16_t length; /* with its flags */
    struct reader data;
    uint16_t counter;
    bool is_returned;
};

static const struct region *region_of(uint16_t offset)
{
    size_t low = 0, high = sizeof regions / sizeof *regions;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (regions[middle].first <= offset)
            low = middle;
        else
            high = middle;
    }
    return &regions[low];
}

size_t ecat_slave(struct ecat_state *s, uint16_t address)
{
    size_t place = address % ECAT_SLAVES;
    for (size_t i = 0; i < ECAT_SLAVES; i++) {
        size_t at = (place + i) % ECAT_SLAVES;
        if (s->slaves[at].address == address)
            return at;
        if (s->slaves[at].address == 0) {
            s->slaves[at].address = address;
            return at;
        }
    }
    memset(&s->slaves[place], 0, sizeof s->slaves[place]); /* more slaves than places */
    s->slaves[place].address = address;
    return place;
}

static struct text state_name(uint8_t state)
{
    switch (state & 0x0f) {
    case AL_INIT:
        return TEXT("init");
    case AL_PREOP:
        return TEXT("pre-operational");
    case AL_BOOT:
        return TEXT("bootstrap");
    case AL_SAFEOP:
        return TEXT("safe-operational");
    case AL_OP:
        return TEXT("operational");
    default:
        return (struct text){NULL, 0};
    }
}

/* --- meaning --- */

static enum operation operation_of(const struct datagram *g, const struct command_row *c,
                                   const struct region *region)
{
    if (!c->name)
        return OP_UNKNOWN;
    if (c->is_logical || g->command == NOP)
        return OP_PUBLISH;
    if (!c->is_write)
        return region->on_read;
    if ((g->command == ARMW || g->command == FRMW) && region->first == REGISTER_SYSTEM_TIME)
        return OP_PUBLISH; /* the clock handed on in each cycle */
    if (g->offset == REGISTER_SII && reader_left(&g->data) >= 2) {
        uint8_t order = g->data.at[1];
        return order & SII_WRITE ? OP_CONFIG_CHANGE : OP_IDENTIFY;
    }
    return region->on_write;
}

static void add_fact(struct ot_event *e, struct ot_fact *facts, enum fact_kind kind,
                     struct text value)
{
    facts[e->fact_count++] = (struct ot_fact){.kind = kind, .value = value};
    e->facts = facts;
}

/* What the slave's EEPROM says: | control 2 | word address 4 | 4 or 8 bytes | */
static void sii_facts(struct dissect *d, struct ot_event *e, struct ot_fact *facts,
                      const struct datagram *g)
{
    struct reader r = g->data;
    reader_skip(&r, 1);
    uint8_t control = reader_u8(&r);
    uint32_t word = reader_u32le(&r);
    if (control & SII_BUSY)
        return;
    for (int i = 0; i < 2; i++, word += 2) {
        uint32_t value = reader_u32le(&r);
        if (!reader_ok(&r) || value == 0)
            return;
        if (word == 0x08)
            add_fact(e, facts, FACT_VENDOR,
                     value == VENDOR_BECKHOFF ? TEXT("Beckhoff")
                                              : dissect_text(d, "0x%08x", value));
        else if (word == 0x0a)
            add_fact(e, facts, FACT_PRODUCT, dissect_text(d, "0x%08x", value));
        else if (word == 0x0c)
            add_fact(e, facts, FACT_HARDWARE, dissect_text(d, "0x%08x", value));
        else if (word == 0x0e)
            add_fact(e, facts, FACT_SERIAL, dissect_text(d, "%u", value));
    }
}

/* A slave's state: asked for, or told. Words only when it is news. */
static void al_state(struct dissect *d, struct ot_event *e, struct ot_fact *facts,
                     const struct datagram *g)
{
    struct ecat_state *s = d->state;
    uint8_t state = g->data.at[0] & 0x0f;
    if (g->offset == REGISTER_AL_CONTROL) {
        e->detail = state_name(state);
        if (g->command == FPWR)
            s->slaves[ecat_slave(s, g->station)].al_state = state;
        return;
    }
    if (g->command != FPRD || !g->is_returned || g->counter == 0)
        return;
    size_t i = ecat_slave(s, g->station);
    if (g->data.at[0] & 0x10)
        e->status = (struct ot_status){OT_RESULT_ERROR, g->data.at[0], "al_error"};
    if (s->slaves[i].al_state == state)
        return;
    s->slaves[i].al_state = state;
    e->detail = state_name(state);
    e->unit = dissect_text(d, "%u", g->station);
    if (e->detail.size)
        add_fact(e, facts, FACT_MODE, e->detail);
}

/* Slaves that answered before and do no more. */
static void check_counter(struct dissect *d, struct ot_event *e, const struct datagram *g)
{
    struct ecat_state *s = d->state;
    uint32_t address = g->command == BRD ? g->offset : g->address;
    size_t places = sizeof s->counters / sizeof *s->counters, i = 0;
    while (i < places &&
           (s->counters[i].command != g->command || s->counters[i].address != address))
        i++;
    if (i == places) {
        i = s->next_counter++ % places;
        s->counters[i].command = g->command;
        s->counters[i].address = address;
    } else if (g->counter < s->counters[i].count) {
        e->status = (struct ot_status){OT_RESULT_ERROR, g->counter, "working_counter_fell"};
        e->detail =
            dissect_text(d, "working counter fell from %u to %u", s->counters[i].count, g->counter);
    } else if (g->command == BRD && g->counter > s->counters[i].count) {
        e->detail =
            dissect_text(d, "slaves changed from %u to %u", s->counters[i].count, g->counter);
    }
    s->counters[i].count = g->counter;
}

/* --- one datagram --- */

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    text_format(out, OT_CODE_SIZE, "%u", code[0]);
}

static void fill_item(struct ot_item *item, const struct datagram *g, const struct command_row *c,
                      const struct region *region)
{
    size_t size = reader_left(&g->data);
    *item = (struct ot_item){.has_start = true, .count = (uint32_t)size, .type = "byte"};
    if (c->is_logical) {
        item->area = "process_image";
        item->start = item->low = g->address;
        item->high = g->address + (size ? size - 1 : 0);
        item->has_range = size > 0;
    } else {
        item->area = "register";
        item->name = region->name;
        item->number = g->station;
        item->has_number = true;
        item->start = g->offset;
    }
    if (size && (c->is_write || g->is_returned))
        item->values = size == 2 ? (struct ot_values){VALUES_U16LE, 1, g->data.at, 2}
                                 : (struct ot_values){VALUES_BYTES, 1, g->data.at, size};
}

static void datagram(struct dissect *d, const struct datagram *g)
{
    static const struct command_row unknown = {0};
    const struct command_row *c =
        g->command < sizeof commands / sizeof *commands ? &commands[g->command] : &unknown;
    const struct region *region = region_of(g->offset);
    struct ot_fact facts[4];
    struct ot_item item;
    struct ot_event e = event_of(d);
    e.direction = OT_ONEWAY;
    e.protocol = "ethercat";
    e.operation = operation_of(g, c, region);
    e.code[0] = e.function = g->command;
    e.spell = spell;
    e.name = c->name;
    e.transaction = g->index;
    e.has_transaction = true;
    if (c->name && g->command != NOP) {
        fill_item(&item, g, c, region);
        e.items = &item;
        e.item_count = e.items_total = 1;
    }
    if (g->is_returned && c->is_write && !c->is_logical)
        e.flags |= OT_RETRANSMIT; /* seen on its way out, too */
    size_t size = reader_left(&g->data);
    if (!c->is_logical && size > 0 &&
        (g->offset == REGISTER_AL_CONTROL || g->offset == REGISTER_AL_STATUS))
        al_state(d, &e, facts, g);
    else if (g->offset == REGISTER_SII && !c->is_logical && c->is_read && g->counter > 0 &&
             size >= 10) {
        e.unit = dissect_text(d, "%u", g->station);
        sii_facts(d, &e, facts, g);
    }
    if (g->is_returned && (c->is_logical || g->command == BRD))
        check_counter(d, &e, g);
    emit_event(d, &e);
    if (!c->name)
        emit_violation(d, VIOLATION_FUNCTION, "unknown EtherCAT command", NULL, 0);
}

/* Written on the way out, read on the way back: so that a message is told once. */
static void mailbox_in(struct dissect *d, const struct datagram *g)
{
    bool is_single =
        g->command == FPRD || g->command == FPWR || g->command == APRD || g->command == APWR;
    bool is_write = g->command == FPWR || g->command == APWR;
    if (is_single && g->offset >= MEMORY_START && is_write != (g->counter > 0))
        (void)ecat_mailbox(d, g->station, is_write, g->data);
}

static bool read_datagram(struct reader *r, struct datagram *g)
{
    g->command = reader_u8(r);
    g->index = reader_u8(r);
    struct reader address = reader_take(r, 4);
    struct reader logical = address;
    g->station = reader_u16le(&address);
    g->offset = reader_u16le(&address);
    g->address = reader_u32le(&logical);
    g->length = reader_u16le(r);
    reader_skip(r, 2);
    g->data = reader_take(r, g->length & LENGTH_MASK);
    g->counter = reader_u16le(r);
    return reader_ok(r);
}

static void datagrams(struct dissect *d, struct reader r)
{
    bool is_more = true;
    for (int i = 0; i < DATAGRAMS_MAX && is_more; i++) {
        const uint8_t *at = r.at;
        size_t left = reader_left(&r);
        struct datagram g;
        if (!read_datagram(&r, &g)) {
            emit_violation(d, VIOLATION_LENGTH, "EtherCAT datagram longer than its frame",
                           left ? at : NULL, left);
            return;
        }
        g.is_returned = g.counter > 0 || (d->packet->source_mac.bytes[0] & RETURNED_BIT);
        datagram(d, &g);
        mailbox_in(d, &g);
        if (g.length & DATAGRAM_RESERVED)
            emit_violation(d, VIOLATION_RESERVED, "reserved bits of a datagram's length are set",
                           at + 6, 2);
        is_more = g.length & DATAGRAM_MORE;
    }
    if (reader_left(&r))
        emit_violation(d, VIOLATION_TRAILING, "bytes after the last EtherCAT datagram", r.at,
                       reader_left(&r));
}

/* --- the frame --- */

static void variables(struct dissect *d)
{
    struct ot_event e = event_of(d);
    e.direction = OT_ONEWAY;
    e.protocol = "ethercat_variables";
    e.operation = OP_PUBLISH;
    e.code[0] = e.function = TYPE_VARIABLES;
    e.spell = spell;
    e.name = "network_variables";
    emit_event(d, &e);
}

static void ecat_dissect(struct dissect *d, struct reader r)
{
    const uint8_t *at = r.at;
    uint16_t header = reader_u16le(&r);
    uint16_t length = header & LENGTH_MASK;
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_LENGTH, "EtherCAT frame without a header", NULL, 0);
        return;
    }
    if (header & FRAME_RESERVED)
        emit_violation(d, VIOLATION_RESERVED, "reserved bit of the EtherCAT header is set", at, 2);
    if (length > reader_left(&r))
        emit_violation(d, VIOLATION_LENGTH, "EtherCAT length larger than its frame", at, 2);
    struct reader body = reader_take(&r, length < reader_left(&r) ? length : reader_left(&r));
    switch (header >> 12) {
    case TYPE_COMMAND:
        datagrams(d, body);
        break;
    case TYPE_VARIABLES:
        variables(d);
        break;
    case TYPE_MAILBOX:
        if (!ecat_mailbox(d, 0, d->is_from_client, body))
            emit_violation(d, VIOLATION_FUNCTION, "EtherCAT mailbox message of no known kind", at,
                           2);
        break;
    default:
        emit_violation(d, VIOLATION_FUNCTION, "unknown EtherCAT frame type", at, 2);
        break;
    }
}

/* The ethertype decides. */
static enum claim ecat_recognise(struct reader r)
{
    return reader_left(&r) < FRAME_HEADER_SIZE ? CLAIM_MORE : CLAIM_YES;
}

/* Over UDP known datagrams must fill the frame, and the frame the payload. */
static enum claim ecat_udp_recognise(struct reader r)
{
    uint16_t header = reader_u16le(&r);
    if (!reader_ok(&r))
        return CLAIM_MORE;
    if (header >> 12 != TYPE_COMMAND || (header & FRAME_RESERVED) ||
        (header & LENGTH_MASK) != reader_left(&r))
        return CLAIM_NO;
    for (int i = 0; i < DATAGRAMS_MAX; i++) {
        struct datagram g;
        if (!read_datagram(&r, &g) || g.command > FRMW || (g.length & DATAGRAM_RESERVED))
            return CLAIM_NO;
        if (!(g.length & DATAGRAM_MORE))
            break;
    }
    return reader_left(&r) == 0 ? CLAIM_WEAK : CLAIM_NO;
}

const struct dissector dissector_ethercat = {
    .name = "ethercat",
    .spec = "IEC 61158-4-12 (EtherCAT)",
    .over = OVER_ETHERTYPE,
    .ethertypes = {0x88a4},
    .state_size = sizeof(struct ecat_state),
    .recognise = ecat_recognise,
    .dissect = ecat_dissect,
};

const struct dissector dissector_ethercat_udp = {
    .name = "ethercat",
    .spec = "IEC 61158-4-12 (EtherCAT)",
    .over = OVER_UDP,
    .ports = {34980},
    .is_bound_to_ports = true,
    .state_size = sizeof(struct ecat_state),
    .recognise = ecat_udp_recognise,
    .dissect = ecat_dissect,
};
