/* dnp3_file.c: opening, reading, writing and closing files over DNP3.
 *
 * Spec: [1815] IEEE 1815-2012, 11.35 (group 70), 4.4 (procedure)
 *
 *   v2 authentication | offset 2 | size 2 | offset 2 | size 2 | key 4 | user | password |
 *   v3 command        | offset 2 | size 2 | time 6 | permissions 2 | key 4 | file size 4 | mode 2 |
 *                     | block size 2 | request 2 | name |
 *   v4 status         | handle 4 | file size 4 | block size 2 | request 2 | status 1 | text |
 *   v5 transport      | handle 4 | block 4, bit 31: last | bytes |
 *   v6 block status   | handle 4 | block 4 | status 1 | text |
 *   v7 descriptor     | offset 2 | size 2 | type 2 | file size 4 | time 6 | ... | name |
 *   v8 specification  | name |
 */
#include "dnp3_file.h"

enum {
    FUNCTION_READ = 1,
    FUNCTION_OPEN = 25,
    FUNCTION_CLOSE = 26,
    FUNCTION_DELETE = 27,
    FUNCTION_AUTHENTICATE = 29,
    FUNCTION_ABORT = 30,
    MODE_READ = 1,
    MODE_WRITE = 2,
    MODE_APPEND = 3,
};

struct file_object {
    struct dissect *d;
    struct dnp3_application *s;
    const struct dnp3_walk *w;
    struct ot_event *event;
    struct ot_item *item;
    struct reader whole;
};

static void put_name(struct file_object *f, struct text name)
{
    if (f->item)
        f->item->name = name;
}

/* A name by offset and size from the beginning of the object. */
static struct text text_at(struct reader object, uint16_t offset, uint16_t size)
{
    reader_skip(&object, offset);
    const uint8_t *bytes = reader_bytes(&object, size);
    return bytes ? (struct text){(const char *)bytes, size} : (struct text){NULL, 0};
}

static struct ot_status file_status(uint8_t status)
{
    static const char *const names[] = {
        /* [1815] 11.35.5, file command status codes */
        [0] = "success",
        [1] = "permission_denied",
        [2] = "invalid_mode",
        [3] = "not_found",
        [4] = "locked",
        [5] = "too_many_open",
        [6] = "bad_handle",
        [7] = "bad_block_size",
        [8] = "communication_lost",
        [9] = "cannot_abort",
        [16] = "not_open",
        [17] = "handle_expired",
        [18] = "buffer_overrun",
        [19] = "fatal_error",
        [20] = "block_out_of_sequence",
    };
    const char *name = status < sizeof names / sizeof *names ? names[status] : NULL;
    return (struct ot_status){status ? OT_RESULT_ERROR : OT_RESULT_OK, status, name};
}

static struct dnp3_file *file_find(struct dnp3_application *s, uint32_t handle)
{
    for (size_t i = 0; i < DNP3_FILES_MAX; i++)
        if (s->files[i].is_open && s->files[i].handle == handle)
            return &s->files[i];
    return NULL;
}

static void file_opened(struct dnp3_application *s, uint32_t handle, bool is_written)
{
    struct dnp3_file *file = file_find(s, handle);
    if (!file)
        file = &s->files[s->file_next++ % DNP3_FILES_MAX];
    *file = (struct dnp3_file){handle, true, is_written};
}

static void step(struct file_object *f, enum transfer_step step, uint32_t handle, bool is_written)
{
    f->event->operation = is_written ? OP_FILE_WRITE : OP_FILE_READ;
    f->event->transfer.step = step;
    f->event->transfer.operation = f->event->operation;
    f->event->transfer.key = handle;
}

/* The password lies behind the user name. */
static void authentication(struct file_object *f, struct reader r)
{
    uint16_t user_at = reader_u16le(&r), user_size = reader_u16le(&r);
    uint16_t password_at = reader_u16le(&r), password_size = reader_u16le(&r);
    if (!reader_ok(&r))
        return;
    if (f->w->function == FUNCTION_AUTHENTICATE)
        f->event->operation = OP_AUTH;
    put_name(f, text_at(f->whole, user_at, user_size));
    struct text password = text_at(f->whole, password_at, password_size);
    if (!password.size)
        return;
    f->event->flags |= OT_HAS_CREDENTIAL;
    f->event->secret = (const uint8_t *)password.at;
    f->event->secret_size = password.size;
}

static void command(struct file_object *f, struct reader r, struct dnp3_open *open)
{
    static const char *const modes[] = {"", "read", "write", "append"};
    uint16_t name_at = reader_u16le(&r), name_size = reader_u16le(&r);
    reader_skip(&r, 16); /* time, permissions, key, size */
    uint16_t mode = reader_u16le(&r);
    if (!reader_ok(&r))
        return;
    struct text name = text_at(f->whole, name_at, name_size);
    put_name(f, name);
    if (f->w->function == FUNCTION_DELETE) {
        f->event->operation = OP_FILE_DELETE;
        return;
    }
    if (f->w->function != FUNCTION_OPEN)
        return;
    f->event->operation = mode == MODE_WRITE || mode == MODE_APPEND ? OP_FILE_WRITE : OP_FILE_READ;
    f->event->detail = mode <= MODE_APPEND ? text_of(modes[mode]) : (struct text){NULL, 0};
    open->mode = (uint8_t)mode;
    open->name_size = (uint8_t)(name.size < sizeof open->name ? name.size : sizeof open->name);
    if (open->name_size)
        memcpy(open->name, name.at, open->name_size);
}

/* Answers open, close, delete and abort; a close or abort request has it, too. */
static void status(struct file_object *f, struct reader r, const struct dnp3_open *asked)
{
    uint32_t handle = reader_u32le(&r);
    uint32_t size = reader_u32le(&r);
    reader_skip(&r, 4);
    uint8_t code = reader_u8(&r);
    if (!reader_ok(&r))
        return;
    struct dnp3_file *file = file_find(f->s, handle);
    if (!f->w->is_response) {
        bool is_written = file && file->is_written;
        step(f, f->w->function == FUNCTION_ABORT ? TRANSFER_ABORT : TRANSFER_END, handle,
             is_written);
        if (file)
            file->is_open = false;
        return;
    }
    f->event->status = file_status(code);
    if (!asked || asked->mode < MODE_READ || asked->mode > MODE_APPEND)
        return;
    bool is_written = asked->mode != MODE_READ;
    put_name(f, (struct text){asked->name, asked->name_size});
    f->event->operation = is_written ? OP_FILE_WRITE : OP_FILE_READ;
    if (code || !handle)
        return;
    file_opened(f->s, handle, is_written);
    step(f, TRANSFER_BEGIN, handle, is_written);
    f->event->transfer.name = (struct text){asked->name, asked->name_size};
    f->event->transfer.declared_size = size == UINT32_MAX ? 0 : size;
}

static void transport(struct file_object *f, struct reader r)
{
    uint32_t handle = reader_u32le(&r);
    uint32_t block = reader_u32le(&r);
    if (!reader_ok(&r))
        return;
    if (f->item) {
        f->item->has_start = true;
        f->item->start = block & 0x7fffffff;
        f->item->count = 1;
    }
    if (f->w->function == FUNCTION_READ) { /* asks for a block */
        f->event->operation = OP_FILE_READ;
        return;
    }
    bool is_written = !f->w->is_response;
    if (is_written)
        f->s->is_file_written = true;
    if (!reader_left(&r))
        return;
    step(f, TRANSFER_BLOCK, handle, is_written);
    f->event->transfer.bytes = r.at;
    f->event->transfer.size = reader_left(&r);
}

static void block_status(struct file_object *f, struct reader r)
{
    reader_skip(&r, 8);
    uint8_t code = reader_u8(&r);
    if (reader_ok(&r) && f->w->is_response)
        f->event->status = file_status(code);
}

static void descriptor(struct file_object *f, struct reader r)
{
    uint16_t name_at = reader_u16le(&r), name_size = reader_u16le(&r);
    if (reader_ok(&r))
        put_name(f, text_at(f->whole, name_at, name_size));
}

void dnp3_file_object(struct dissect *d, struct dnp3_application *s, const struct dnp3_walk *w,
                      struct ot_event *e, const struct dnp3_open *asked, struct dnp3_open *open)
{
    struct file_object f = {.d = d, .s = s, .w = w, .event = e, .whole = w->file};
    for (uint32_t i = 0; i < w->count && !f.item; i++)
        if (w->items[i].area && strcmp(w->items[i].area, "file") == 0)
            f.item = &w->items[i];
    switch (w->file_variation) {
    case 2:
        authentication(&f, w->file);
        break;
    case 3:
        command(&f, w->file, open);
        break;
    case 4:
        status(&f, w->file, asked);
        break;
    case 5:
        transport(&f, w->file);
        break;
    case 6:
        block_status(&f, w->file);
        break;
    case 7:
        descriptor(&f, w->file);
        break;
    case 8:
        put_name(&f, text_at(f.whole, 0, (uint16_t)reader_left(&f.whole)));
        break;
    default:
        break;
    }
}
