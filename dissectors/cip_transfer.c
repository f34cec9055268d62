/* cip_transfer.c: transfers seen as a sequence of CIP services.
 *
 * Program of a Logix controller, as in public captures: stop (07 on 0x8e), clear (05 on 0x72), many
 * create, set and write (08, 04, 50 on 0x68 to 0x72), commit (4b on 0x72), start (06 on 0x8e).
 * Firmware: 51 and 4b on 0xa1 with the size, 4d with | offset 4 | bytes |, at last a reset of the
 * identity object. Files: [CIP1] 5-42. */
#include "cip_transfer.h"

enum {
    KEY_PROGRAM = 1,
    KEY_FIRMWARE = 2,
    KEY_FILE = 3,

    CLASS_IDENTITY = 0x01,
    CLASS_CONTAINER = 0x72,
    CLASS_MODE = 0x8e,
    SERVICE_RESET = 0x05,
    SERVICE_START = 0x06,
    SERVICE_STOP = 0x07,
    SERVICE_COMMIT = 0x4b,
    SERVICE_DOWNLOAD_BLOCK = 0x50,

    PACKET_LAST = 2, /* [CIP1] 5-42.5: first, middle, last, abort, first and last */
    PACKET_ABORT = 3,
    PACKET_ONLY = 4,
};

static struct ot_transfer step_of(enum transfer_step step, enum operation operation, uint64_t key,
                                  struct text name)
{
    return (struct ot_transfer){.step = step, .operation = operation, .key = key, .name = name};
}

static void set_bytes(struct ot_transfer *t, const struct reader *data)
{
    t->size = reader_left(data);
    t->bytes = t->size ? data->at : NULL;
}

/* After the commit a few attributes are still set: that is not another download. */
static struct ot_transfer program_step(struct cip_transfers *t, bool is_clear, bool is_commit,
                                       const struct reader *data)
{
    struct ot_transfer step =
        step_of(TRANSFER_NONE, OP_PROGRAM_DOWNLOAD, KEY_PROGRAM, TEXT("controller program"));
    if (is_commit) {
        if (t->program == CIP_TRANSFER_OPEN)
            step.step = TRANSFER_END;
        t->program = CIP_TRANSFER_DONE;
    } else if (t->program == CIP_TRANSFER_OPEN) {
        step.step = is_clear ? TRANSFER_NONE : TRANSFER_BLOCK;
        if (!is_clear)
            set_bytes(&step, data);
    } else if (t->program == CIP_TRANSFER_IDLE || is_clear) {
        step.step = TRANSFER_BEGIN;
        t->program = CIP_TRANSFER_OPEN;
    }
    return step;
}

static struct ot_transfer firmware_step(struct cip_transfers *t, enum cip_body body,
                                        struct reader data)
{
    struct ot_transfer step =
        step_of(TRANSFER_NONE, OP_FIRMWARE_UPDATE, KEY_FIRMWARE, TEXT("firmware"));
    uint32_t first = reader_u32le(&data); /* size, or offset of a block */
    if (body == BODY_FIRMWARE_BEGIN) {    /* prepared, then begun: one transfer */
        step.step = t->firmware == CIP_TRANSFER_OPEN ? TRANSFER_BLOCK : TRANSFER_BEGIN;
        step.declared_size = first;
        t->firmware = CIP_TRANSFER_OPEN;
    } else if (t->firmware == CIP_TRANSFER_OPEN) {
        step.step = TRANSFER_BLOCK;
        set_bytes(&step, &data);
    } else if (t->firmware == CIP_TRANSFER_IDLE) { /* begun before we looked */
        step.step = TRANSFER_BEGIN;
        t->firmware = CIP_TRANSFER_OPEN;
    }
    return step;
}

static struct ot_transfer file_begin(struct cip_transfers *t, enum operation operation)
{
    t->file = CIP_TRANSFER_OPEN;
    t->file_operation = (uint8_t)operation;
    return step_of(TRANSFER_BEGIN, operation, KEY_FILE, TEXT("file"));
}

/* | transfer number 1 | packet type 1 | bytes | */
static struct ot_transfer file_block(struct cip_transfers *t, struct reader data)
{
    struct ot_transfer step =
        step_of(TRANSFER_NONE, (enum operation)t->file_operation, KEY_FILE, TEXT("file"));
    reader_skip(&data, 1);
    uint8_t type = reader_u8(&data);
    if (t->file != CIP_TRANSFER_OPEN || !reader_ok(&data))
        return step;
    step.step = TRANSFER_BLOCK;
    if (type == PACKET_LAST || type == PACKET_ONLY)
        step.step = TRANSFER_END;
    else if (type == PACKET_ABORT)
        step.step = TRANSFER_ABORT;
    if (type != PACKET_ABORT)
        set_bytes(&step, &data);
    if (step.step != TRANSFER_BLOCK)
        t->file = CIP_TRANSFER_DONE;
    return step;
}

bool cip_transfer_is_download(const struct cip_transfers *t)
{
    return t->is_stopped && t->program != CIP_TRANSFER_IDLE;
}

struct ot_transfer cip_transfer_request(struct cip_transfers *t, uint32_t class_id, uint8_t service,
                                        const struct cip_service *row, struct reader data)
{
    if (class_id == CLASS_MODE && service == SERVICE_STOP) {
        t->is_stopped = true;
        if (t->program == CIP_TRANSFER_DONE)
            t->program = CIP_TRANSFER_IDLE;
    } else if (class_id == CLASS_MODE && service == SERVICE_START) {
        t->is_stopped = false;
    }
    bool is_clear = class_id == CLASS_CONTAINER && service == SERVICE_RESET;
    bool is_commit = (class_id == CLASS_CONTAINER && service == SERVICE_COMMIT) ||
                     (class_id == CLASS_MODE && service == SERVICE_START);
    if (is_clear || is_commit || (row && row->operation == OP_PROGRAM_DOWNLOAD))
        return program_step(t, is_clear, is_commit, &data);
    if (class_id == CLASS_IDENTITY && service == SERVICE_RESET &&
        t->firmware == CIP_TRANSFER_OPEN) {
        t->firmware = CIP_TRANSFER_DONE;
        return step_of(TRANSFER_END, OP_FIRMWARE_UPDATE, KEY_FIRMWARE, TEXT("firmware"));
    }
    if (!row)
        return (struct ot_transfer){.step = TRANSFER_NONE};
    if (row->body == BODY_FIRMWARE_BEGIN || row->body == BODY_FIRMWARE_BLOCK)
        return firmware_step(t, row->body, data);
    if (row->body == BODY_FILE_BEGIN)
        return file_begin(t, row->operation);
    if (row->body == BODY_FILE_BLOCK && row->service == SERVICE_DOWNLOAD_BLOCK)
        return file_block(t, data);
    return (struct ot_transfer){.step = TRANSFER_NONE};
}

struct ot_transfer cip_transfer_response(struct cip_transfers *t, const struct cip_service *row,
                                         bool is_refused, struct reader data)
{
    struct ot_transfer none = {.step = TRANSFER_NONE};
    if (!row)
        return none;
    if (row->body == BODY_FIRMWARE_BLOCK && is_refused && t->firmware == CIP_TRANSFER_OPEN) {
        t->firmware = CIP_TRANSFER_DONE;
        return step_of(TRANSFER_ABORT, OP_FIRMWARE_UPDATE, KEY_FIRMWARE, TEXT("firmware"));
    }
    if (row->body == BODY_FILE_BLOCK && row->service != SERVICE_DOWNLOAD_BLOCK && !is_refused)
        return file_block(t, data);
    return none;
}
