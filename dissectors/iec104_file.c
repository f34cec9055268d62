/* iec104_file.c: file transfer of IEC 60870-5-104.
 *
 * Spec: [101] IEC 60870-5-101, 7.3.6 (types), 7.2.6.27 to 7.2.6.38 (elements), 7.4.11 (procedure)
 *
 *   120 file ready      | file 2 | length 3 | FRQ: bit 7 negative |
 *   121 section ready   | file 2 | section 1 | length 3 | SRQ: bit 7 not ready |
 *   122 call or select  | file 2 | section 1 | SCQ: 1 select, 2 request, 3 deactivate, 4 delete |
 *   123 last of         | file 2 | section 1 | LSQ: 1, 2 of the file, 3, 4 of a section | sum 1 |
 *   124 acknowledge     | file 2 | section 1 | AFQ: 1, 2 file positive, negative; 3, 4 section |
 *   125 segment         | file 2 | section 1 | size 1 | bytes |
 *   126 directory       | file 2 | length 3 | state 1 | time 7 |
 *   127 query log       | file 2 | from 7 | to 7 |
 *
 * The side that holds the file sends 120, 121, 123 and 125; the other side 122 and 124.
 */
#include "iec104_file.h"

#include "iec104_types.h"

enum {
    NEGATIVE = 0x80,
    CALL_SELECT_FILE = 1,
    CALL_DEACTIVATE_FILE = 3,
    CALL_DELETE_FILE = 4,
    LAST_FILE = 1,
    LAST_FILE_DEACTIVATED = 2,
    ACK_FILE_NEGATIVE = 2,
    CAUSE_REQUEST = 5, /* of 122: the directory is asked for */
};

struct file {
    struct dissect *d;
    const struct iec104_file_asdu *asdu;
    struct ot_event *event;
    struct ot_item *item;
    uint32_t object;
    uint16_t name;
};

/* Who sends a file tells whether it is read or written: the station's are read. */
static enum operation transfer_operation(const struct file *f, const bool is_sent[2])
{
    bool is_by_sender = f->asdu->id != IEC104_CALL_FILE && f->asdu->id != IEC104_ACK_FILE &&
                        f->asdu->id != IEC104_QUERY_LOG;
    bool is_by_client = is_by_sender ? f->d->is_from_client : is_sent[1];
    return is_by_client ? OP_FILE_WRITE : OP_FILE_READ;
}

static void step(struct file *f, enum transfer_step step, enum operation operation)
{
    f->event->transfer.step = step;
    f->event->transfer.operation = operation;
    f->event->transfer.key = (uint64_t)f->asdu->address << 40 | (uint64_t)f->object << 16 | f->name;
    f->event->transfer.name = dissect_text(f->d, "file %u", f->name);
}

static void file_ready(struct file *f, struct reader *r, bool is_sent[2])
{
    uint32_t length = reader_u16le(r);
    length |= (uint32_t)reader_u8(r) << 16;
    uint8_t qualifier = reader_u8(r);
    if (!reader_ok(r))
        return;
    is_sent[f->d->is_from_client] = true;
    is_sent[!f->d->is_from_client] = false;
    f->event->operation = transfer_operation(f, is_sent);
    if (qualifier & NEGATIVE) {
        f->event->status = (struct ot_status){OT_RESULT_ERROR, qualifier, "file_not_ready"};
        step(f, TRANSFER_ABORT, f->event->operation);
        return;
    }
    step(f, TRANSFER_BEGIN, f->event->operation);
    f->event->transfer.declared_size = length;
}

static void section_ready(struct file *f, struct reader *r)
{
    reader_skip(r, 4); /* section, length */
    uint8_t qualifier = reader_u8(r);
    if (reader_ok(r) && (qualifier & NEGATIVE))
        f->event->status = (struct ot_status){OT_RESULT_ERROR, qualifier, "section_not_ready"};
}

static void call(struct file *f, struct reader *r)
{
    static const char *const words[] = {"call",         "select file",    "request file",
                                        "cancel file",  "delete file",    "select section",
                                        "call section", "cancel section", "delete section"};
    reader_skip(r, 1);
    uint8_t qualifier = reader_u8(r) & 0x0f;
    if (!reader_ok(r))
        return;
    if (qualifier < sizeof words / sizeof *words)
        f->event->detail = text_of(words[qualifier]);
    if (f->asdu->cause == CAUSE_REQUEST)
        f->event->detail = TEXT("list directory");
    if (qualifier == CALL_DELETE_FILE)
        f->event->operation = OP_FILE_DELETE;
    else if (qualifier == CALL_DEACTIVATE_FILE)
        step(f, TRANSFER_ABORT, f->event->operation);
}

static void last(struct file *f, struct reader *r)
{
    reader_skip(r, 1);
    uint8_t qualifier = reader_u8(r);
    reader_skip(r, 1);
    if (reader_ok(r) && (qualifier == LAST_FILE || qualifier == LAST_FILE_DEACTIVATED))
        step(f, TRANSFER_END, f->event->operation);
}

static void acknowledge(struct file *f, struct reader *r)
{
    reader_skip(r, 1);
    uint8_t qualifier = reader_u8(r) & 0x0f;
    if (!reader_ok(r))
        return;
    bool is_negative = qualifier == 2 || qualifier == 4;
    f->event->status = (struct ot_status){is_negative ? OT_RESULT_ERROR : OT_RESULT_OK, qualifier,
                                          is_negative ? "not_accepted" : "ok"};
    if (qualifier == ACK_FILE_NEGATIVE)
        step(f, TRANSFER_ABORT, f->event->operation);
}

static void segment(struct file *f, struct reader *r)
{
    reader_skip(r, 1);
    uint8_t size = reader_u8(r);
    struct reader bytes = reader_take(r, size);
    if (!reader_ok(r))
        return;
    step(f, TRANSFER_BLOCK, f->event->operation);
    f->event->transfer.bytes = bytes.at;
    f->event->transfer.size = size;
    if (f->item)
        f->item->values = (struct ot_values){VALUES_BYTES, 1, bytes.at, size};
}

/* The further entries of a directory, each with its name. */
static void directory(struct file *f, struct reader *r, struct ot_item *items, uint32_t room)
{
    enum { REST = 11 };
    reader_skip(r, REST);
    for (uint32_t i = 1; i < f->asdu->count && reader_left(r); i++) {
        if (!f->asdu->is_sequence)
            reader_skip(r, f->asdu->object_size);
        uint16_t name = reader_u16le(r);
        reader_skip(r, REST);
        if (!reader_ok(r))
            return;
        f->event->items_total++;
        if (i >= room)
            continue;
        items[i] = (struct ot_item){.area = "file", .has_start = true, .start = name, .count = 1};
        f->event->item_count++;
    }
}

void iec104_file(struct dissect *d, const struct iec104_file_asdu *asdu, struct reader *r,
                 struct ot_event *e, bool is_sent[2])
{
    struct file f = {.d = d, .asdu = asdu, .event = e};
    f.object = reader_u16le(r);
    if (asdu->object_size == 3)
        f.object |= (uint32_t)reader_u8(r) << 16;
    f.name = reader_u16le(r);
    if (!reader_ok(r))
        return;
    uint32_t room = asdu->id == IEC104_DIRECTORY ? asdu->count : 1;
    struct ot_item *items = room ? dissect_items(d, &room) : NULL;
    if (items) {
        items[0] = (struct ot_item){.area = "file", .has_start = true, .start = f.name, .count = 1};
        f.item = items;
        e->items = items;
        e->item_count = 1;
    }
    e->items_total = 1;
    e->operation = transfer_operation(&f, is_sent);
    switch (asdu->id) {
    case IEC104_FILE_READY:
        file_ready(&f, r, is_sent);
        break;
    case IEC104_SECTION_READY:
        section_ready(&f, r);
        break;
    case IEC104_CALL_FILE:
        call(&f, r);
        break;
    case IEC104_LAST_SECTION:
        last(&f, r);
        break;
    case IEC104_ACK_FILE:
        acknowledge(&f, r);
        break;
    case IEC104_SEGMENT:
        segment(&f, r);
        break;
    case IEC104_DIRECTORY:
        directory(&f, r, items, room);
        break;
    default: /* query log: from, to */
        reader_skip(r, 14);
        break;
    }
}
