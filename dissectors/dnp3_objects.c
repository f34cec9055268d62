/* dnp3_objects.c: object headers, prefixes and points of DNP3.
 *
 * Spec: [1815] IEEE 1815-2012, 4.2.2.7 (object headers), 11 (objects)
 *
 *   | group 1 | variation 1 | qualifier 1: prefix bits 6-4, range bits 3-0 | range 0 to 8 |
 *   then for each point | prefix 0 to 4 | object |
 *   prefix: 0 none, 1 to 3 index of 1, 2, 4 bytes, 4 to 6 size of 1, 2, 4 bytes
 *   range:  0 to 2 start and stop of 1, 2, 4 bytes, 6 all, 7 to 9 count of 1, 2, 4 bytes, 11 count
 * 1
 */
#include "dnp3_objects.h"

#include "sensor/base/hash.h"
#include "sensor/base/json_writer.h"

enum {
    GROUP_ATTRIBUTE = 0,
    GROUP_COMMAND = 12,
    GROUP_ANALOG_COMMAND = 41,
    GROUP_CLASS = 60,
    GROUP_FILE = 70,
    GROUP_OCTETS = 110, /* to 113: the variation is the size */
    GROUP_OCTETS_LAST = 113,
    FUNCTION_READ = 1,
    FUNCTION_WRITE = 2,
    FUNCTION_OPERATE_LAST = 6,
    FUNCTION_FREEZE_AT_TIME = 11,
    FUNCTION_FREEZE_AT_TIME_LAST = 12,
    FUNCTION_START = 17,
    FUNCTION_STOP = 18,
    FUNCTION_OPEN_FILE = 25, /* to 33: files, activation, authentication */
    RANGE_ALL = 6,
    RANGE_FREE = 11,
    PREFIX_INDEX_LAST = 3,
    PREFIX_SIZE_FIRST = 4,
    PREFIX_SIZE_LAST = 6,
};

struct header {
    uint8_t group, variation, prefix, range;
    uint32_t start, count;
    bool has_start;
    bool has_data;
    const struct dnp3_group *meaning;
    const struct dnp3_variation *variation_row;
};

static void breaks(struct dnp3_walk *w, enum violation_kind kind, const char *why)
{
    if (!w->is_counting)
        emit_violation(w->d, kind, why, w->frame.at, reader_left(&w->frame));
}

static uint32_t read_sized(struct reader *r, unsigned size)
{
    switch (size) {
    case 1:
        return reader_u8(r);
    case 2:
        return reader_u16le(r);
    default:
        return reader_u32le(r);
    }
}

/* Whether the objects themselves follow their header. */
static bool has_data(const struct dnp3_walk *w, const struct header *h)
{
    if (w->is_response || h->range == RANGE_FREE)
        return true;
    if (h->group == GROUP_CLASS)
        return false;
    uint8_t f = w->function;
    if (f == FUNCTION_FREEZE_AT_TIME || f == FUNCTION_FREEZE_AT_TIME_LAST)
        return h->group == 50; /* the time; the counters are only named */
    return (f >= FUNCTION_WRITE && f <= FUNCTION_OPERATE_LAST) || f == FUNCTION_START ||
           f == FUNCTION_STOP || f >= FUNCTION_OPEN_FILE || (f != FUNCTION_READ && h->group == 120);
}

static bool header_read(struct dnp3_walk *w, struct reader *r, struct header *h)
{
    *h = (struct header){.group = reader_u8(r), .variation = reader_u8(r)};
    uint8_t qualifier = reader_u8(r);
    h->prefix = qualifier >> 4 & 7;
    h->range = qualifier & 15;
    bool is_reserved = (qualifier & 0x80) || h->prefix > PREFIX_SIZE_LAST ||
                       (h->range >= 3 && h->range <= 5) || h->range == 10 || h->range > RANGE_FREE;
    if (reader_ok(r) && is_reserved) {
        breaks(w, VIOLATION_RESERVED, "qualifier is reserved");
        return false;
    }
    if (h->range <= 2) {
        h->has_start = true;
        h->start = read_sized(r, 1u << h->range);
        uint32_t stop = read_sized(r, 1u << h->range);
        if (reader_ok(r) && stop < h->start) {
            breaks(w, VIOLATION_RANGE, "range stops before it starts");
            return false;
        }
        h->count = stop - h->start + 1; /* 0: all 2^32 */
    } else if (h->range != RANGE_ALL) {
        h->count = read_sized(r, h->range == RANGE_FREE ? 1 : 1u << (h->range - 7));
    }
    if (!reader_ok(r)) {
        breaks(w, VIOLATION_TRUNCATED, "object header is cut off");
        return false;
    }
    h->meaning = dnp3_group_of(h->group);
    h->variation_row = dnp3_variation_of(h->group, h->variation);
    h->has_data = has_data(w, h);
    return true;
}

/* --- items --- */

static struct ot_item *item_next(struct dnp3_walk *w, const struct header *h)
{
    w->total++;
    if (w->is_counting || w->count >= w->room)
        return NULL;
    struct ot_item *item = &w->items[w->count++];
    *item = (struct ot_item){.area = h->meaning ? h->meaning->area : "object"};
    if (!h->meaning) {
        item->number = h->group;
        item->has_number = true;
    }
    return item;
}

static void item_place(struct ot_item *item, uint32_t start, uint32_t count)
{
    item->has_start = item->has_range = true;
    item->start = item->low = start;
    item->count = count;
    item->high = (uint64_t)start + (count ? count - 1 : 0);
}

/* A header that only names points: all of a group, a range, or a list of indexes. */
static bool named_points(struct dnp3_walk *w, struct reader *r, const struct header *h)
{
    unsigned prefix = h->prefix == 3 ? 4 : h->prefix;
    if (prefix && h->prefix <= PREFIX_INDEX_LAST && h->range != RANGE_ALL && !h->has_start) {
        for (uint32_t i = 0; i < h->count; i++) {
            uint32_t index = read_sized(r, prefix);
            if (!reader_ok(r)) {
                breaks(w, VIOLATION_COUNT, "fewer points than their number says");
                return false;
            }
            struct ot_item *item = item_next(w, h);
            if (item)
                item_place(item, index, 1);
        }
        return true;
    }
    struct ot_item *item = item_next(w, h);
    if (!item)
        return true;
    if (h->group == GROUP_CLASS)
        item_place(item, h->variation ? h->variation - 1u : 0, 1);
    else if (h->group == GROUP_ATTRIBUTE)
        item_place(item, h->variation, 1);
    else if (h->has_start)
        item_place(item, h->start, h->count);
    else
        item->count = h->count;
    return true;
}

/* [1815] 11.9: 0 online, 1 restart, 2 communication lost, 3, 4 forced, 5 over range or chatter */
static struct ot_status flags_status(uint8_t flags)
{
    static const struct {
        uint8_t bit;
        const char *name;
    } bits[] = {
        {0x04, "communication_lost"},
        {0x02, "restart"           },
        {0x10, "local_forced"      },
        {0x08, "remote_forced"     },
    };
    if ((flags & 0x1f) == 0x01) /* the usual ones */
        return (struct ot_status){OT_RESULT_NONE, 0, NULL};
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
        if (flags & bits[i].bit)
            return (struct ot_status){OT_RESULT_ERROR, flags, bits[i].name};
    if (!(flags & 0x01))
        return (struct ot_status){OT_RESULT_ERROR, flags, "offline"};
    return (struct ot_status){OT_RESULT_NONE, 0, NULL};
}

static struct ot_status command_status(uint8_t status)
{
    status &= 0x7f;
    return (struct ot_status){status ? OT_RESULT_ERROR : OT_RESULT_OK, status,
                              dnp3_control_status(status)};
}

static uint8_t encoding_size(uint8_t encoding)
{
    switch ((enum ot_encoding)encoding) {
    case VALUES_U16LE:
    case VALUES_I16LE:
        return 2;
    case VALUES_U32LE:
    case VALUES_I32LE:
    case VALUES_F32LE:
        return 4;
    case VALUES_F64LE:
        return 8;
    default:
        return 1;
    }
}

enum { TIME_SIZE = 6 }; /* milliseconds since 1970 */

/* Milliseconds since 1970, as text; what no calendar of ours reaches stays a number. */
static void put_time(struct dnp3_walk *w, struct ot_item *item, const uint8_t *point)
{
    enum { U64_SIZE = 8, MS_NS = 1000000 };
    uint8_t *copy = arena_take(w->d->arena, TIME_TEXT_SIZE); /* more than the number takes */
    if (!copy)
        return;
    memcpy(copy, point, TIME_SIZE);
    struct reader r = reader_of(copy, U64_SIZE);
    uint64_t ms = reader_u64le(&r);
    item->values = (struct ot_values){VALUES_U64LE, 1, copy, U64_SIZE};
    if (ms > INT64_MAX / MS_NS)
        return;
    const char *text = time_print((char *)copy, (int64_t)ms * MS_NS);
    item->values = (struct ot_values){VALUES_TEXT, 1, copy, strlen(text)};
}

/* A value that has to be cut out of other bits. */
static void put_bits(struct dnp3_walk *w, struct ot_item *item, const struct dnp3_variation *v,
                     const uint8_t *point)
{
    enum { STATES = 4 };
    if (!w->states && !(w->states = arena_take(w->d->arena, STATES)))
        return;
    unsigned state = v->layout == DNP3_DOUBLE_STATE ? point[0] >> 6 : point[0] >> 7;
    w->states[state] = (uint8_t)state;
    item->values = (struct ot_values){(enum ot_encoding)v->encoding, 1, &w->states[state], 1};
}

/* When the point changed: [1815] 11.3.3, behind the value of events that have it. */
static void put_tag(struct ot_item *item, const struct dnp3_variation *v, const uint8_t *point)
{
    bool has_tag = (v->layout == DNP3_STATE || v->layout == DNP3_DOUBLE_STATE ||
                    v->layout == DNP3_FIXED || v->layout == DNP3_COMMAND_EVENT) &&
                   v->encoding != VALUES_BYTES && v->encoding != VALUES_NONE &&
                   v->size == v->value_at + encoding_size(v->encoding) + TIME_SIZE;
    if (has_tag) {
        item->time = point + v->size - TIME_SIZE;
        item->time_form = TIME_MS48;
    }
}

static void put_fixed(struct dnp3_walk *w, struct ot_item *item, const struct dnp3_variation *v,
                      const uint8_t *point)
{
    bool is_bits = v->layout == DNP3_STATE || v->layout == DNP3_DOUBLE_STATE ||
                   (v->layout == DNP3_COMMAND_EVENT && v->encoding == VALUES_BITS);
    if (v->layout == DNP3_TIME) {
        put_time(w, item, point);
    } else if (is_bits) {
        put_bits(w, item, v, point);
    } else {
        uint8_t size = v->encoding == VALUES_BYTES ? v->size : encoding_size(v->encoding);
        item->values =
            (struct ot_values){(enum ot_encoding)v->encoding, 1, point + v->value_at, size};
    }
    if (v->size > TIME_SIZE) /* few are: static points have none */
        put_tag(item, v, point);
    if (v->layout == DNP3_COMMAND_EVENT || (v->layout == DNP3_COMMAND && w->is_response))
        item->status = command_status(point[v->flags_at]);
    else if (v->layout != DNP3_COMMAND && v->flags_at != DNP3_NO_FLAGS)
        item->status = flags_status(point[v->flags_at]);
}

static void look_at_command(struct dnp3_walk *w, const struct header *h, uint32_t index,
                            const uint8_t *point)
{
    const struct dnp3_variation *v = h->variation_row;
    uint64_t here = hash_mix((uint64_t)h->group << 8 | h->variation, index);
    w->echo_hash = hash_mix(w->echo_hash, hash_mix(here, hash_bytes(point, v->flags_at))) | 1;
    if (h->group == GROUP_COMMAND && !w->has_control_code) {
        w->has_control_code = true;
        w->control_code = point[0];
    }
    if (w->is_response && (point[v->flags_at] & 0x7f) && w->status.result == OT_RESULT_NONE)
        w->status = command_status(point[v->flags_at]);
}

static void fixed_point(struct dnp3_walk *w, const struct header *h, uint32_t index, bool has_index,
                        const uint8_t *point)
{
    struct ot_item *item = item_next(w, h);
    if (!w->is_counting && h->variation_row->layout == DNP3_COMMAND)
        look_at_command(w, h, index, point);
    if (!item)
        return;
    if (has_index)
        item_place(item, index, 1);
    else
        item->count = 1;
    put_fixed(w, item, h->variation_row, point);
}

static bool packed_points(struct dnp3_walk *w, struct reader *r, const struct header *h)
{
    unsigned bits = h->variation_row->layout == DNP3_BITS ? 1 : 2;
    uint64_t size = ((uint64_t)h->count * bits + 7) / 8;
    if (size == 0 || size > reader_left(r)) {
        breaks(w, VIOLATION_COUNT, "fewer points than their number says");
        return false;
    }
    const uint8_t *bytes = reader_bytes(r, (size_t)size);
    struct ot_item *item = item_next(w, h);
    if (!item)
        return true;
    if (h->has_start)
        item_place(item, h->start, h->count);
    else
        item->count = h->count;
    if (bits == 1) {
        item->values = (struct ot_values){VALUES_BITS, h->count, bytes, (size_t)size};
        return true;
    }
    uint8_t *copy = arena_take(w->d->arena, h->count);
    if (!copy)
        return true;
    for (uint32_t i = 0; i < h->count; i++)
        copy[i] = bytes[i / 4] >> 2 * (i % 4) & 3;
    item->values = (struct ot_values){VALUES_U8, h->count, copy, h->count};
    return true;
}

/* --- device attributes, [1815] 11.2 --- */

static const struct attribute {
    uint8_t variation;
    enum fact_kind fact;
} attributes[] = {
    {196, FACT_PROGRAM        },
    {197, FACT_PROGRAM_VERSION},
    {208, FACT_PLANT          },
    {242, FACT_SOFTWARE       },
    {243, FACT_HARDWARE       },
    {245, FACT_LOCATION       },
    {246, FACT_COMMENT        },
    {247, FACT_NAME           },
    {248, FACT_SERIAL         },
    {250, FACT_PRODUCT        },
    {252, FACT_VENDOR         },
};

static void attribute_fact(struct dnp3_walk *w, uint8_t variation, struct text value)
{
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
        if (attributes[i].variation != variation || !value.size || w->fact_count >= w->fact_room)
            continue;
        w->facts[w->fact_count++] = (struct ot_fact){.kind = attributes[i].fact, .value = value};
    }
}

/* | data type 1 | length 1 | value |; type 1 is text */
static bool attribute(struct dnp3_walk *w, struct reader *r, const struct header *h)
{
    enum { TYPE_TEXT = 1 };
    uint8_t type = reader_u8(r);
    uint8_t size = reader_u8(r);
    struct reader value = reader_take(r, size);
    if (!reader_ok(r)) {
        breaks(w, VIOLATION_TRUNCATED, "device attribute is cut off");
        return false;
    }
    struct ot_item *item = item_next(w, h);
    if (!item)
        return true;
    item_place(item, h->variation, 1);
    item->values =
        (struct ot_values){type == TYPE_TEXT ? VALUES_TEXT : VALUES_BYTES, 1, value.at, size};
    if (w->is_response && type == TYPE_TEXT)
        attribute_fact(w, h->variation, (struct text){(const char *)value.at, size});
    return true;
}

/* --- points --- */

/* A point whose size its prefix tells. */
static void free_point(struct dnp3_walk *w, const struct header *h, struct reader object)
{
    struct ot_item *item = item_next(w, h);
    if (w->is_counting)
        return;
    if (h->group == GROUP_FILE && !w->has_file) {
        w->has_file = true;
        w->file_variation = h->variation;
        w->file = object;
        return; /* dnp3_file tells what it is */
    }
    if (item && h->group != 120 && reader_left(&object))
        item->values = (struct ot_values){VALUES_BYTES, 1, object.at, reader_left(&object)};
}

static bool sized_points(struct dnp3_walk *w, struct reader *r, const struct header *h)
{
    unsigned prefix = h->prefix == PREFIX_SIZE_LAST ? 4 : h->prefix - PREFIX_SIZE_FIRST + 1u;
    for (uint32_t i = 0; i < h->count; i++) {
        uint32_t size = read_sized(r, prefix);
        struct reader object = reader_take(r, size);
        if (!reader_ok(r)) {
            breaks(w, VIOLATION_LENGTH, "object goes beyond the fragment");
            return false;
        }
        free_point(w, h, object);
    }
    return true;
}

static bool is_printable(struct reader r)
{
    while (reader_left(&r)) {
        uint8_t c = reader_u8(&r);
        if (c < 0x20 || c > 0x7e)
            return false;
    }
    return true;
}

/* [1815] 11.9: octets are any bytes, and mostly a text that zeros may fill up. */
static struct ot_values octet_values(struct reader value)
{
    struct reader text = value;
    while (reader_left(&text) && text.end[-1] == 0)
        text.end--;
    if (reader_left(&text) && is_printable(text))
        return (struct ot_values){VALUES_TEXT, 1, text.at, reader_left(&text)};
    return (struct ot_values){VALUES_BYTES, 1, value.at, reader_left(&value)};
}

static bool octet_point(struct dnp3_walk *w, struct reader *r, const struct header *h,
                        uint32_t index)
{
    struct reader value = reader_take(r, h->variation);
    if (!reader_ok(r))
        return false;
    struct ot_item *item = item_next(w, h);
    if (!item)
        return true;
    item_place(item, index, 1);
    item->values = octet_values(value);
    return true;
}

static bool is_octets(const struct header *h)
{
    return h->group >= GROUP_OCTETS && h->group <= GROUP_OCTETS_LAST && h->variation > 0;
}

/* All points of a header have one size. */
static bool count_points(struct dnp3_walk *w, struct reader *r, uint64_t count, size_t size)
{
    size_t there = size ? reader_left(r) / size : 0;
    bool is_whole = size && count <= there;
    w->total += is_whole ? (uint32_t)count : (uint32_t)there;
    if (is_whole)
        reader_skip(r, (size_t)count * size);
    else
        breaks(w, VIOLATION_COUNT, "fewer points than their number says");
    return is_whole;
}

static bool points(struct dnp3_walk *w, struct reader *r, const struct header *h)
{
    unsigned prefix = h->prefix > PREFIX_INDEX_LAST ? 0 : h->prefix == 3 ? 4 : h->prefix;
    uint64_t count = h->has_start && h->count == 0 ? (uint64_t)1 << 32 : h->count;
    if (w->is_counting && h->group != GROUP_ATTRIBUTE)
        return count_points(w, r, count,
                            prefix + (is_octets(h) ? h->variation : h->variation_row->size));
    for (uint64_t i = 0; i < count; i++) {
        uint32_t index = prefix ? read_sized(r, prefix) : h->start + (uint32_t)i;
        bool is_whole;
        if (h->group == GROUP_ATTRIBUTE) {
            if (!attribute(w, r, h))
                return false;
            continue;
        }
        if (is_octets(h)) {
            is_whole = octet_point(w, r, h, index);
        } else {
            const uint8_t *point = reader_bytes(r, h->variation_row->size);
            is_whole = reader_ok(r);
            if (is_whole)
                fixed_point(w, h, index, prefix || h->has_start, point);
        }
        if (!is_whole) {
            breaks(w, VIOLATION_COUNT, "fewer points than their number says");
            return false;
        }
    }
    return true;
}

/* False: what follows cannot be read. */
static bool data(struct dnp3_walk *w, struct reader *r, const struct header *h)
{
    if (h->range == RANGE_ALL)
        return true; /* nothing can follow */
    if (h->prefix >= PREFIX_SIZE_FIRST)
        return sized_points(w, r, h);
    if (h->group == GROUP_CLASS)
        return true;
    bool is_packed = h->variation_row && (h->variation_row->layout == DNP3_BITS ||
                                          h->variation_row->layout == DNP3_DOUBLE_BITS);
    if (is_packed)
        return packed_points(w, r, h);
    if (h->variation_row || is_octets(h) || h->group == GROUP_ATTRIBUTE)
        return points(w, r, h);
    struct ot_item *item = item_next(w, h); /* of unknown size: the rest cannot be read */
    if (item && h->has_start)
        item_place(item, h->start, h->count);
    return false;
}

static void meaning(struct dnp3_walk *w, const struct header *h)
{
    if (!h->meaning) {
        breaks(w, VIOLATION_FUNCTION, "object group is not defined");
        return;
    }
    enum operation op = w->function == FUNCTION_WRITE ? h->meaning->write : h->meaning->read;
    if (op > w->operation)
        w->operation = op;
}

static void walk(struct dnp3_walk *w, struct reader r)
{
    while (reader_left(&r)) {
        struct header h;
        const uint8_t *begin = r.at;
        if (!header_read(w, &r, &h))
            return;
        if (!w->is_counting)
            meaning(w, &h);
        bool is_whole = h.has_data ? data(w, &r, &h) : named_points(w, &r, &h);
        if (!is_whole)
            return;
        if (!w->is_counting && (h.group == GROUP_COMMAND || h.group == GROUP_ANALOG_COMMAND))
            w->command_hash =
                hash_mix(w->command_hash, hash_bytes(begin, (size_t)(r.at - begin))) | 1;
    }
}

void dnp3_objects(struct dnp3_walk *w, struct reader objects)
{
    enum { FACTS = 12 };
    if (!reader_left(&objects))
        return;
    w->is_counting = true;
    walk(w, objects);
    w->room = w->total;
    w->items = w->room ? dissect_items_unset(w->d, &w->room) : NULL;
    if (!w->items)
        w->room = 0;
    if (w->is_response && reader_peek(&objects) == GROUP_ATTRIBUTE) {
        w->fact_room = FACTS;
        w->facts = dissect_facts(w->d, &w->fact_room);
        if (!w->facts)
            w->fact_room = 0;
    }
    w->is_counting = false;
    w->total = 0;
    walk(w, objects);
}
