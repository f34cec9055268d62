/* ads_sums.c: see ads_sums.h.
 *
 * Spec: [ADS] Beckhoff TwinCAT ADS/AMS specification (information system, TE1000), ADS sum command
 *
 *   0xf080, 0xf083, 0xf084: | group 4 | offset 4 | length 4 |[]
 *   0xf081:                 | group 4 | offset 4 | length 4 |[] data[]
 *   0xf082:                 | group 4 | offset 4 | length to read 4 | length to write 4 |[] data[]
 *   answers: 0xf080: | result 4 |[] data[]   0xf081: | result 4 |[]
 *            others: | result 4 | length 4 |[] data[]
 *
 * The offset of the command counts the parts. */
#include "ads_sums.h"

#include "ads_words.h"

enum {
    SUM_READ = 0xf080,
    SUM_WRITE = 0xf081,
    SUM_READ_WRITE = 0xf082,
    SUM_LAST = 0xf084,
    PART_SIZE = 12,
    PART_SIZE_BOTH = 16,
    RESULT_SIZE = 4,
    RESULT_SIZE_LONG = 8,
    PARTS_MAX = 512, /* [ADS]: 500 are recommended at most */
};

struct part {
    uint32_t group, offset, read, written;
    const struct ads_group *words;
};

bool ads_is_sum(uint32_t group)
{
    return group >= SUM_READ && group <= SUM_LAST;
}

static size_t part_size(uint32_t group)
{
    return group == SUM_READ_WRITE ? PART_SIZE_BOTH : PART_SIZE;
}

static struct part read_part(struct reader *r, uint32_t group, uint16_t port)
{
    struct part p = {.group = reader_u32le(r)};
    p.offset = reader_u32le(r);
    uint32_t length = reader_u32le(r);
    p.read = group == SUM_WRITE ? 0 : length;
    p.written = group == SUM_WRITE ? length : group == SUM_READ_WRITE ? reader_u32le(r) : 0;
    p.words = ads_group_of(p.group, port);
    return p;
}

static enum operation operation_of(const struct part *p, uint32_t group)
{
    const struct ads_group *w = p->words;
    enum operation told = !w                        ? OP_UNKNOWN
                          : group == SUM_WRITE      ? w->write
                          : group == SUM_READ_WRITE ? w->read_write
                                                    : w->read;
    if (told != OP_UNKNOWN)
        return told;
    return group == SUM_WRITE || group == SUM_READ_WRITE ? OP_WRITE : OP_READ;
}

static bool takes_name(const struct part *p)
{
    return p->group == ADS_HANDLE_BY_NAME || p->group == ADS_VALUE_BY_NAME ||
           p->group == ADS_INFO_BY_NAME || p->group == ADS_INFO_BY_NAME_EX;
}

static struct text name_in(struct reader r)
{
    struct text t = {(const char *)r.at, 0};
    while (t.size < reader_left(&r) && (uint8_t)t.at[t.size] >= ' ')
        t.size++;
    return t.size ? t : (struct text){NULL, 0};
}

static void put_part(struct dissect *d, struct ot_item *item, const struct part *p, uint32_t group,
                     uint16_t port)
{
    uint32_t length = p->written ? p->written : p->read;
    *item = (struct ot_item){
        .operation = operation_of(p, group),
        .area = p->words ? p->words->name : "index_group",
        .number = p->group,
        .has_number = !p->words,
        .has_start = true,
        .start = p->offset,
        .count = 1,
    };
    if (p->group == ADS_VALUE_BY_HANDLE)
        item->name = ads_symbol(d, port, p->offset);
    if (length && !takes_name(p) && !item->name.size) {
        item->count = length;
        item->low = p->offset;
        item->high = (uint64_t)p->offset + length - 1;
        item->has_range = true;
    }
}

/* The parts, each with its name or its value to write out of `data` behind the list, as far as
 * these are there. parts: what was read of them, for an answer; NULL: not wanted. Sets how many
 * there are. */
static struct ot_item *put_parts(struct dissect *d, struct ot_event *event, uint16_t port,
                                 uint32_t group, uint32_t count, struct reader data,
                                 struct part *parts, uint32_t *known)
{
    size_t fit = reader_left(&data) / part_size(group);
    uint32_t room = count < fit ? count : (uint32_t)fit;
    room = room < PARTS_MAX ? room : PARTS_MAX;
    struct reader list = reader_take(&data, room * part_size(group));
    struct ot_item *items = dissect_items(d, &room);
    enum operation gravest = OP_UNKNOWN;
    for (uint32_t i = 0; i < room; i++) {
        struct part p = read_part(&list, group, port);
        put_part(d, &items[i], &p, group, port);
        struct reader bytes = reader_take(&data, p.written);
        if (takes_name(&p))
            items[i].name = name_in(bytes);
        else if (!parts)
            ads_put_values(&items[i], bytes);
        if (items[i].operation > gravest)
            gravest = items[i].operation;
        if (parts)
            parts[i] = p;
    }
    event->items = items;
    event->item_count = room;
    event->items_total = count > room ? count : room;
    if (gravest != OP_UNKNOWN)
        event->operation = gravest;
    *known = room;
    return items;
}

void ads_sum_request(struct dissect *d, struct ot_event *event, uint16_t port, uint32_t group,
                     uint32_t count, struct reader data)
{
    if (count > reader_left(&data) / part_size(group))
        emit_violation(d, VIOLATION_COUNT, "sum command has fewer parts than it says", data.at,
                       reader_left(&data));
    uint32_t known;
    (void)put_parts(d, event, port, group, count, data, NULL, &known);
}

static void put_result(struct ot_item *item, uint32_t result)
{
    item->status =
        (struct ot_status){result ? OT_RESULT_ERROR : OT_RESULT_OK, result, ads_error(result)};
}

void ads_sum_response(struct dissect *d, struct ot_event *event, uint16_t port, uint32_t group,
                      uint32_t count, struct reader asked, struct reader data)
{
    bool has_lengths = group >= SUM_READ_WRITE;
    size_t result_size = has_lengths ? RESULT_SIZE_LONG : RESULT_SIZE;
    if (count > reader_left(&data) / result_size) {
        emit_violation(d, VIOLATION_COUNT, "sum command has fewer results than parts", data.at,
                       reader_left(&data));
        return;
    }
    struct reader results = reader_take(&data, count * result_size);
    struct part *parts = arena_take(d->arena, PARTS_MAX * sizeof *parts);
    uint32_t known;
    if (!parts || !reader_left(&asked)) /* what was asked is not known */
        return;
    struct ot_item *items = put_parts(d, event, port, group, count, asked, parts, &known);
    for (uint32_t i = 0; i < known; i++) {
        uint32_t result = reader_u32le(&results);
        uint32_t length = has_lengths ? reader_u32le(&results) : parts[i].read;
        struct reader bytes = reader_take(&data, length);
        put_result(&items[i], result);
        if (result && event->status.result != OT_RESULT_ERROR)
            event->status = items[i].status;
        if (result || !reader_ok(&bytes))
            continue;
        if (parts[i].group == ADS_HANDLE_BY_NAME)
            ads_keep_symbol(d, port, reader_u32le(&bytes), items[i].name);
        else
            ads_put_values(&items[i], bytes);
    }
}
