/* iec104_asdu.c: information objects of IEC 60870-5-104 into items.
 *
 * Spec: [101] IEC 60870-5-101, 7.2 and 7.3
 *       [104] IEC 60870-5-104, 7 and 8
 *
 *   | type 1 | SQ: bit 7, number: bits 6-0 | cause 1: T bit 7, P/N bit 6 | originator 1 |
 *   | common address 2 LE | objects: address 3 LE, element |  SQ: one address, then all elements
 *
 * A command is answered by the same type with cause 7 and, when it is done, cause 10.
 */
#include "iec104_asdu.h"

#include "decimal.h"
#include "iec104_file.h"

#include <stddef.h>

enum {
    CAUSE_TEST = 0x80,
    CAUSE_NEGATIVE = 0x40,
    CAUSE_BITS = 0x3f,
    CAUSE_SPONTANEOUS = 3,
    CAUSE_REQUEST = 5,
    CAUSE_ACTIVATION = 6,
    CAUSE_CONFIRMATION = 7,
    CAUSE_DEACTIVATION = 8,
    CAUSE_DEACTIVATION_CONFIRMATION = 9,
    CAUSE_TERMINATION = 10,
    CAUSE_INTERROGATED = 20, /* to 41: by station, groups, counters */
    CAUSE_INTERROGATED_LAST = 41,
    CAUSE_UNKNOWN_FIRST = 44, /* to 47: what the station does not know */
    CAUSE_UNKNOWN_LAST = 47,
    ADDRESS_ALL = 0xffff, /* [101] 7.2.4 */
    SELECT_BIT = 0x80,
    ECHO_SIZE = 8, /* greatest element without its time */
    TIME_TEXT = 23,
    CP24_SIZE = 3,      /* of the two lengths of times, [101] 7.2.6.18 and 20 */
    FREEZE_BITS = 0xc0, /* of QCC, [101] 7.2.6.23 */
};

static const struct iec104_layout prescribed = {2, 2, 3};

/* Variants that gateways from 101 are known to pass on. Some have the same size: the bytes that are
 * zero with usual addresses tell them apart. */
static const struct variant {
    struct iec104_layout layout;
    uint8_t zero_at; /* offset of a byte that has to be 0; 0: none */
} variants[] = {
    {{1, 1, 2}, 0},
    {{2, 1, 2}, 3},
    {{1, 2, 2}, 4},
    {{1, 1, 3}, 0},
    {{2, 2, 2}, 3},
    {{1, 2, 3}, 4},
};

struct command { /* remembered of a request */
    uint8_t element[ECHO_SIZE];
    uint8_t size;
};

/* --- sizes --- */

static size_t segment_size(struct reader r, size_t object_size)
{
    enum { NAME_AND_SECTION = 3 };
    reader_skip(&r, object_size + NAME_AND_SECTION);
    uint8_t size = reader_u8(&r);
    return reader_ok(&r) ? object_size + NAME_AND_SECTION + 1 + size : 0;
}

/* Whether the objects fill exactly what is there. r: from the type on. */
static bool layout_fits(struct reader r, struct iec104_layout l)
{
    const struct iec104_type *type = iec104_type_of(reader_u8(&r));
    uint8_t qualifier = reader_u8(&r);
    uint8_t cause = reader_u8(&r) & CAUSE_BITS;
    reader_skip(&r, l.cause_size + l.address_size - 1u);
    size_t count = qualifier & 0x7f;
    if (!reader_ok(&r) || !type || count == 0 || !iec104_cause_name(cause))
        return false;
    if (type->id == IEC104_SEGMENT)
        return segment_size(r, l.object_size) == reader_left(&r);
    if (type->family == IEC104_SECURITY)
        return reader_left(&r) > 0;
    size_t size = qualifier & 0x80 ? l.object_size + count * type->size
                                   : count * (l.object_size + (size_t)type->size);
    return size == reader_left(&r);
}

bool iec104_asdu_fits(struct reader r)
{
    struct reader id = r;
    const struct iec104_type *type = iec104_type_of(reader_u8(&id));
    return type && type->family != IEC104_SECURITY && layout_fits(r, prescribed);
}

/* A station has an address, and the byte that is 0 is. */
static bool is_likely(struct reader r, const struct variant *v)
{
    struct reader zero = r;
    reader_skip(&zero, v->zero_at);
    reader_skip(&r, 2u + v->layout.cause_size);
    uint8_t low = reader_u8(&r);
    uint8_t high = v->layout.address_size == 2 ? reader_u8(&r) : 0;
    return (low || high) && (v->zero_at == 0 || reader_u8(&zero) == 0);
}

static struct iec104_layout layout_of(struct iec104_asdu_state *s, struct reader r)
{
    if (s->is_layout_known)
        return s->layout;
    if (layout_fits(r, prescribed)) {
        s->is_layout_known = true;
        return s->layout = prescribed;
    }
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
        if (layout_fits(r, variants[i].layout) && is_likely(r, &variants[i])) {
            s->is_layout_known = true;
            return s->layout = variants[i].layout;
        }
    }
    return prescribed;
}

/* --- text --- */

static struct text decimal(struct dissect *d, unsigned value)
{
    char *out = arena_take_unset(d->arena, DECIMAL_MAX);
    if (!out)
        return (struct text){NULL, 0};
    return (struct text){out, decimal_put(out, value)};
}

/* CP56Time2a, [101] 7.2.6.18: milliseconds 2 LE, minute (bit 7: invalid), hour, day, month, year */
struct moment {
    unsigned milliseconds, minute, hour, day, month, year;
    bool is_invalid;
};

static struct moment moment_read(struct reader *r)
{
    struct moment m;
    m.milliseconds = reader_u16le(r);
    uint8_t minute = reader_u8(r);
    m.minute = minute & 0x3f;
    m.is_invalid = minute & 0x80;
    m.hour = reader_u8(r) & 0x1f;
    m.day = reader_u8(r) & 0x1f;
    m.month = reader_u8(r) & 0x0f;
    m.year = reader_u8(r) & 0x7f;
    return m;
}

static bool moment_is_legal(const struct moment *m)
{
    return m->milliseconds < 60000 && m->minute < 60 && m->hour < 24 && m->day >= 1 &&
           m->month >= 1 && m->month <= 12 && m->year < 100;
}

static void moment_print(const struct moment *m, char out[TIME_TEXT])
{
    const struct {
        unsigned value;
        size_t width;
        char behind;
    } parts[] = {
        {2000 + m->year,         4, '-'},
        {m->month,               2, '-'},
        {m->day,                 2, 'T'},
        {m->hour,                2, ':'},
        {m->minute,              2, ':'},
        {m->milliseconds / 1000, 2, '.'},
        {m->milliseconds % 1000, 3, 0  },
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        out += decimal_padded(out, parts[i].value, parts[i].width);
        if (parts[i].behind)
            *out++ = parts[i].behind;
    }
}

/* --- one object --- */

/* Quality bits, [101] 7.2.6.1 to 7.2.6.4; the gravest first. */
static struct ot_status quality_status(uint8_t quality)
{
    static const struct {
        uint8_t bit;
        const char *name;
    } bits[] = {
        {0x80, "invalid"    },
        {0x40, "not_topical"},
        {0x10, "blocked"    },
        {0x20, "substituted"},
        {0x01, "overflow"   },
    };
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
        if (quality & bits[i].bit)
            return (struct ot_status){OT_RESULT_ERROR, quality, bits[i].name};
    return (struct ot_status){OT_RESULT_NONE, 0, NULL};
}

static struct ot_status element_status(const struct iec104_type *type, const uint8_t *element)
{
    switch (type->quality) {
    case IEC104_QUALITY_UPPER:
        return quality_status(element[0] & 0xf0);
    case IEC104_QUALITY_BYTE:
        return quality_status(element[type->value_size] & 0xf1);
    case IEC104_QUALITY_COUNTER:
        return quality_status(element[type->value_size] & 0x80);
    default:
        return (struct ot_status){OT_RESULT_NONE, 0, NULL};
    }
}

/* The value of one byte without the bits that are something else. */
static uint8_t masked(const struct iec104_type *type, uint8_t byte)
{
    uint8_t value = byte & type->mask;
    if (type->encoding == VALUES_I8 && (value & 0x40)) /* step position: 7 bits, signed */
        value |= 0x80;
    return value;
}

static void put_value(struct ot_item *item, const struct iec104_type *type, const uint8_t *element,
                      uint8_t *scratch)
{
    const uint8_t *bytes = element;
    if (type->mask) {
        if (!scratch)
            return;
        *scratch = masked(type, *element);
        bytes = scratch;
    }
    uint32_t count = type->value_size == 4 && type->encoding == VALUES_BITS ? 16 : 1;
    item->values =
        (struct ot_values){(enum ot_encoding)type->encoding, count, bytes, type->value_size};
}

struct asdu {
    struct dissect *d;
    const struct iec104_type *type;
    uint8_t id, count, cause;
    bool is_sequence, is_negative, is_test;
    uint32_t address; /* common */
    uint32_t object;  /* of the first one */
    const uint8_t *element;
    struct ot_item *items;
    struct reader whole;
    struct ot_event event;
};

static void breaks(struct asdu *a, enum violation_kind kind, const char *why)
{
    emit_violation(a->d, kind, why, a->whole.at, reader_left(&a->whole));
}

static uint32_t object_address(struct reader *r, uint8_t size)
{
    uint32_t address = reader_u16le(r);
    return size == 3 ? address | (uint32_t)reader_u8(r) << 16 : address;
}

static void objects(struct asdu *a, struct reader *r, uint8_t object_size)
{
    const struct iec104_type *type = a->type;
    uint32_t room = a->count;
    struct ot_item *items = dissect_items(a->d, &room);
    uint8_t *scratch = type->mask ? arena_take(a->d->arena, a->count) : NULL;
    uint32_t address = 0;
    for (uint32_t i = 0; i < a->count; i++) {
        address = i == 0 || !a->is_sequence ? object_address(r, object_size) : address + 1;
        const uint8_t *element = reader_bytes(r, type->size);
        if (!reader_ok(r)) {
            breaks(a, VIOLATION_COUNT, "fewer information objects than their number says");
            break;
        }
        if (i == 0) {
            a->object = address;
            a->element = element;
        }
        a->event.items_total++;
        if (i >= room)
            continue;
        struct ot_item *item = &items[i];
        item->area = type->area;
        item->has_start = item->has_range = true;
        item->start = item->low = item->high = address;
        item->count = 1;
        item->status = element_status(type, element);
        if (type->encoding != VALUES_NONE)
            put_value(item, type, element, scratch ? &scratch[i] : NULL);
        if (type->time_size) {
            item->time = element + type->size - type->time_size;
            item->time_form = type->time_size == CP24_SIZE ? TIME_CP24 : TIME_CP56;
        }
        a->event.item_count++;
    }
    a->event.items = a->items = items;
}

/* --- checks --- */

static bool is_asked_by_cause(uint8_t cause)
{
    return cause == CAUSE_REQUEST ||
           (cause >= CAUSE_INTERROGATED && cause <= CAUSE_INTERROGATED_LAST);
}

static void check_direction(struct asdu *a)
{
    bool is_monitor = a->type->family == IEC104_MONITOR;
    bool is_asking = a->type->family == IEC104_COMMAND || a->type->family == IEC104_SYSTEM ||
                     a->type->family == IEC104_PARAMETER;
    if (a->d->is_from_client) {
        if (is_monitor)
            breaks(a, VIOLATION_DIRECTION, "process information sent to the controlled station");
    } else if (is_asking && (a->cause == CAUSE_ACTIVATION || a->cause == CAUSE_DEACTIVATION)) {
        breaks(a, VIOLATION_DIRECTION, "command sent by the controlled station");
    }
}

static void check_command(struct asdu *a)
{
    bool is_for_all = a->id == IEC104_INTERROGATION || a->id == IEC104_COUNTER_INTERROGATION ||
                      a->id == IEC104_CLOCK || a->id == IEC104_RESET; /* [101] 7.2.4 */
    if (a->is_sequence)
        breaks(a, VIOLATION_RESERVED, "command with a sequence of elements");
    if (a->type->family == IEC104_COMMAND && a->cause != CAUSE_ACTIVATION &&
        a->cause != CAUSE_DEACTIVATION)
        breaks(a, VIOLATION_RANGE, "command without activation or deactivation");
    if (a->address == 0)
        breaks(a, VIOLATION_RANGE, "command to common address 0");
    if (a->address == ADDRESS_ALL) {
        if (a->id != IEC104_CLOCK) /* masters set all clocks of a station this way */
            a->event.flags |= OT_BROADCAST;
        if (!is_for_all)
            breaks(a, VIOLATION_RANGE, "command to all common addresses");
    }
    if (a->id == IEC104_INTERROGATION && a->cause == CAUSE_ACTIVATION && a->element &&
        *a->element == 0)
        breaks(a, VIOLATION_RANGE, "interrogation of nothing (QOI 0)");
}

static void check(struct asdu *a)
{
    check_direction(a);
    bool is_command = a->type->family == IEC104_COMMAND || a->type->family == IEC104_SYSTEM;
    if (is_command && a->d->is_from_client)
        check_command(a);
    if (a->is_test && a->cause == CAUSE_SPONTANEOUS)
        breaks(a, VIOLATION_RANGE, "spontaneous data with the test bit");
}

/* --- requests and answers --- */

static uint64_t command_key(const struct asdu *a)
{
    return (uint64_t)a->id << 48 | (uint64_t)a->address << 24 | a->object;
}

static uint8_t echo_size(const struct iec104_type *type)
{
    unsigned size = type->size - type->time_size;
    return (uint8_t)(size < ECHO_SIZE ? size : ECHO_SIZE);
}

static void keep_request(struct asdu *a)
{
    struct command *c = dissect_remember(a->d, command_key(a), sizeof *c, NULL);
    c->size = a->element ? echo_size(a->type) : 0;
    if (c->size)
        memcpy(c->element, a->element, c->size);
}

static void match_answer(struct asdu *a)
{
    size_t size;
    const struct command *found = dissect_recall(a->d, command_key(a), &size);
    if (!found || size != sizeof *found) {
        if (a->cause != CAUSE_TERMINATION)
            a->event.flags |= OT_NO_REQUEST;
        return;
    }
    struct command asked = *found;
    if (a->type->family == IEC104_COMMAND && !a->is_negative && a->element &&
        memcmp(asked.element, a->element, asked.size) != 0) {
        a->event.flags |= OT_ECHO_DIFFERS;
        breaks(a, VIOLATION_SEQUENCE, "answer repeats another value than was commanded");
    }
    if (a->cause == CAUSE_CONFIRMATION && !a->is_negative) { /* its termination follows */
        struct command *c = dissect_remember(a->d, command_key(a), sizeof *c, NULL);
        *c = asked;
    }
}

static void answer_status(struct asdu *a)
{
    bool is_unknown = a->cause >= CAUSE_UNKNOWN_FIRST && a->cause <= CAUSE_UNKNOWN_LAST;
    bool is_refused = a->is_negative || is_unknown;
    const char *name = is_unknown ? iec104_cause_name(a->cause) : "negative";
    a->event.status = (struct ot_status){is_refused ? OT_RESULT_ERROR : OT_RESULT_OK,
                                         is_refused ? a->cause : 0, is_refused ? name : "ok"};
}

/* --- select and execute, [101] 7.2.6.26 --- */

/* Stations give a select up after ten seconds to a minute. */
static const int64_t SELECT_ENDS_NS = 30 * INT64_C(1000000000);

static uint64_t select_key(const struct asdu *a)
{
    return (uint64_t)1 << 63 | (uint64_t)a->address << 24 | a->object;
}

static bool select_end(struct iec104_asdu_state *s, uint64_t object)
{
    bool was_selected = false;
    s->has_selected = false;
    for (size_t i = 0; i < IEC104_SELECTED; i++) {
        if (s->selected[i].object == object) {
            was_selected = true;
            s->selected[i].object = 0;
        }
        s->has_selected |= s->selected[i].object && !s->selected[i].is_told;
    }
    return was_selected;
}

void iec104_selects_look(struct dissect *d, struct iec104_asdu_state *s)
{
    if (!s->has_selected || !d->is_from_client)
        return;
    s->has_selected = false;
    for (size_t i = 0; i < IEC104_SELECTED; i++) {
        if (!s->selected[i].object || s->selected[i].is_told)
            continue;
        s->selected[i].is_told = d->time_ns - s->selected[i].at_ns >= SELECT_ENDS_NS;
        s->has_selected |= !s->selected[i].is_told;
        if (s->selected[i].is_told)
            emit_violation(d, VIOLATION_SEQUENCE,
                           "a command was selected, and neither executed nor cancelled", NULL, 0);
    }
}

/* In which of the ways the command is given. Select and execute have the same type and cause. */
static enum ot_manner manner_of(const struct asdu *a, struct iec104_asdu_state *s)
{
    bool is_select = a->element[a->type->size - a->type->time_size - 1] & SELECT_BIT;
    bool was_selected = select_end(s, select_key(a));
    if (is_select && a->cause == CAUSE_ACTIVATION) {
        size_t next = s->selected_next++ % IEC104_SELECTED;
        s->selected[next].object = select_key(a);
        s->selected[next].at_ns = a->d->time_ns;
        s->selected[next].is_told = false;
        s->has_selected = true;
        return MANNER_SELECT;
    }
    if (a->cause != CAUSE_ACTIVATION)
        return MANNER_NONE;
    return was_selected ? MANNER_EXECUTE : dissect_is_watched(a->d) ? MANNER_DIRECT : MANNER_NONE;
}

/* What the station refuses is not selected. */
static void end_refused(struct asdu *a, struct iec104_asdu_state *s)
{
    bool is_refusal = a->is_negative || a->cause >= CAUSE_UNKNOWN_FIRST;
    if (s->has_selected && a->type->family == IEC104_COMMAND && is_refusal &&
        a->event.direction == OT_RESPONSE)
        (void)select_end(s, select_key(a));
}

static void put_manner(struct asdu *a, struct iec104_asdu_state *s)
{
    bool has_qualifier = a->type->family == IEC104_COMMAND && a->type->encoding != VALUES_U32LE;
    if (has_qualifier && a->event.direction == OT_REQUEST && a->event.item_count > 0)
        a->items->manner = (uint8_t)manner_of(a, s);
}

static void commands(struct asdu *a)
{
    uint8_t family = a->type->family;
    if (family == IEC104_MONITOR || family == IEC104_FILE || family == IEC104_SECURITY)
        return;
    if (a->event.direction == OT_REQUEST) {
        bool is_act = a->cause == CAUSE_ACTIVATION || a->cause == CAUSE_DEACTIVATION;
        if ((a->element && is_act) || a->cause == CAUSE_REQUEST)
            keep_request(a);
        return;
    }
    answer_status(a);
    bool is_answer = a->cause == CAUSE_CONFIRMATION || a->cause == CAUSE_TERMINATION ||
                     a->cause == CAUSE_DEACTIVATION_CONFIRMATION ||
                     (a->cause >= CAUSE_UNKNOWN_FIRST && a->cause <= CAUSE_UNKNOWN_LAST);
    if (is_answer && a->element)
        match_answer(a);
}

/* --- words --- */

static const char *initialisation(uint8_t cause)
{
    static const char *const names[] = {"local power on", "local reset", "remote reset"};
    cause &= 0x7f;
    return cause < sizeof names / sizeof *names ? names[cause] : NULL;
}

static const char *reset(uint8_t qualifier)
{
    return qualifier == 1 ? "general reset" : qualifier == 2 ? "reset of pending events" : NULL;
}

static const char *words_of(struct asdu *a)
{
    uint8_t last = a->element[a->type->size - a->type->time_size - 1];
    switch (a->id) {
    case IEC104_END_OF_INITIALISATION:
        return initialisation(a->element[0]);
    case IEC104_RESET:
        return reset(a->element[0]);
    case IEC104_COUNTER_INTERROGATION:
        return a->element[0] & FREEZE_BITS ? "freeze or reset of counters" : NULL;
    default:
        if (a->type->family != IEC104_COMMAND || a->type->encoding == VALUES_U32LE)
            return NULL;
        return last & SELECT_BIT ? "select" : "execute";
    }
}

static struct moment time_of(const struct asdu *a)
{
    size_t size = a->type->time_size;
    struct reader time = reader_of(a->element + a->type->size - size, size);
    return moment_read(&time);
}

static void put_detail(struct asdu *a)
{
    enum { CP56_SIZE = 7 };
    if (!a->element || a->type->size == 0)
        return;
    const char *words = a->type->size > a->type->time_size ? words_of(a) : NULL;
    size_t size = words ? strlen(words) : 0;
    if (a->type->time_size != CP56_SIZE) {
        a->event.detail = text_of(words);
        return;
    }
    struct moment m = time_of(a);
    if (a->id == IEC104_CLOCK && a->d->is_from_client && !moment_is_legal(&m))
        breaks(a, VIOLATION_RANGE, "clock is set to no time");
    char *out = arena_take(a->d->arena, size + 1 + TIME_TEXT);
    if (!out)
        return;
    if (size) {
        memcpy(out, words, size);
        out[size++] = ' ';
    }
    moment_print(&m, out + size);
    a->event.detail = (struct text){out, size + TIME_TEXT};
}

static enum operation operation_of(const struct asdu *a)
{
    if (a->type->family == IEC104_MONITOR && is_asked_by_cause(a->cause))
        return OP_READ;
    if (a->id == IEC104_COUNTER_INTERROGATION && a->element && (*a->element & FREEZE_BITS))
        return OP_CONTROL;
    return (enum operation)a->type->operation;
}

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    text_format(out, OT_CODE_SIZE, "type=%u,cot=%u%s", code[0], code[1], code[2] ? ",neg" : "");
}

static void known_type(struct asdu *a, struct iec104_asdu_state *s, struct reader *r,
                       uint8_t object_size)
{
    a->event.name = a->type->name;
    if (a->type->family == IEC104_SECURITY) {
        reader_skip(r, reader_left(r)); /* keys and signatures: nothing to learn */
        a->event.operation = OP_AUTH;
        return;
    }
    if (a->type->family == IEC104_FILE) {
        struct iec104_file_asdu file = {.id = a->id,
                                        .count = a->count,
                                        .is_sequence = a->is_sequence,
                                        .address = a->address,
                                        .object_size = object_size,
                                        .cause = a->cause};
        iec104_file(a->d, &file, r, &a->event, s->is_file_sent);
        if (!reader_ok(r))
            breaks(a, VIOLATION_TRUNCATED, "file object is cut off");
        return;
    }
    objects(a, r, object_size);
    a->event.operation = operation_of(a);
    put_detail(a);
    check(a);
    put_manner(a, s);
    end_refused(a, s);
    commands(a);
}

void iec104_asdu_dissect(struct dissect *d, struct iec104_asdu_state *s, struct reader r)
{
    struct asdu a = {.d = d, .whole = r};
    struct iec104_layout layout = layout_of(s, r);
    a.id = reader_u8(&r);
    uint8_t qualifier = reader_u8(&r);
    uint8_t cause = reader_u8(&r);
    if (layout.cause_size == 2)
        reader_skip(&r, 1); /* originator */
    a.address = layout.address_size == 2 ? reader_u16le(&r) : reader_u8(&r);
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_TRUNCATED, "ASDU header is cut off", NULL, 0);
        return;
    }
    if (layout.address_size == 1 && a.address == 0xff)
        a.address = ADDRESS_ALL;
    a.type = iec104_type_of(a.id);
    a.count = qualifier & 0x7f;
    a.is_sequence = qualifier & 0x80;
    a.cause = cause & CAUSE_BITS;
    a.is_negative = cause & CAUSE_NEGATIVE;
    a.is_test = cause & CAUSE_TEST;
    event_start(&a.event, d);
    a.event.code[0] = a.event.function = a.id;
    a.event.code[1] = a.cause;
    a.event.code[2] = a.is_negative;
    a.event.spell = spell;
    a.event.unit = decimal(d, a.address);
    a.event.telling = a.whole.at;
    a.event.telling_size = reader_left(&a.whole);
    if (!iec104_cause_name(a.cause) && a.cause < 48) /* above: private range */
        breaks(&a, VIOLATION_RANGE, "cause of transmission is not defined");
    if (a.count == 0)
        breaks(&a, VIOLATION_COUNT, "ASDU without information objects");
    if (a.type)
        known_type(&a, s, &r, layout.object_size);
    else if (a.id < 128) /* above: private range */
        breaks(&a, VIOLATION_FUNCTION, "type identification is not defined");
    if (a.type && reader_ok(&r) && reader_left(&r))
        breaks(&a, VIOLATION_TRAILING, "bytes after the last information object");
    emit_event(d, &a.event);
}
