/* smb_pipe.c: what goes through named pipes, put together to whole remote procedure calls.
 *
 * A call may be written in many small pieces (that is how exploits hide), one read may hold
 * several. Of a call in pieces the first PIPE_HEAD bytes are kept: they tell the interface, the
 * operation and its first argument. */
#include "smb.h"

enum { CALL_HEADER = 16, CALL_SIZE_AT = 8, LITTLE = 0x10 };

/* A remote procedure call begins here, C706 12.6.3.1: version 5, its representation; *size. */
static bool is_call(struct reader r, size_t *size)
{
    uint8_t version = reader_u8(&r), minor = reader_u8(&r);
    reader_skip(&r, 2);
    uint8_t order = reader_u8(&r), floats = reader_u8(&r);
    uint16_t reserved = reader_u16be(&r);
    *size = order & LITTLE ? reader_u16le(&r) : reader_u16be(&r);
    reader_skip(&r, CALL_HEADER - CALL_SIZE_AT - 2);
    return reader_ok(&r) && version == 5 && minor <= 1 && (order & ~LITTLE) == 0 && floats == 0 &&
           reserved == 0 && *size >= CALL_HEADER;
}

bool smb_is_call(struct reader data)
{
    size_t size;
    return is_call(data, &size);
}

static void hand_on(struct smb *m, struct reader call)
{
    struct carrier carrier = {
        .key = m->pipe_file,
        .unit = m->item.name,
        .is_response = m->event.direction == OT_RESPONSE,
        .is_keyed = true,
        .transaction = m->event.transaction,
    };
    dissect_over(m->d, OVER_PIPE, call, &carrier);
}

/* Takes what belongs to the call that has begun; true when it is complete. */
static bool go_on(struct smb_pipe *p, struct reader *r)
{
    size_t given = reader_left(r);
    size_t taken = given < p->left ? given : p->left;
    struct reader piece = reader_take(r, taken);
    size_t room = PIPE_HEAD - p->used;
    size_t kept = taken < room ? taken : room;
    const uint8_t *bytes = reader_bytes(&piece, kept);
    if (kept)
        memcpy(p->bytes + p->used, bytes, kept);
    p->used = (uint16_t)(p->used + kept);
    p->left -= (uint32_t)taken;
    return p->left == 0;
}

void smb_pipe(struct smb *m)
{
    struct smb_state *s = m->d->state;
    struct smb_pipe *p = &s->pipes[m->event.direction == OT_REQUEST];
    struct reader r = m->pipe;
    while (reader_left(&r)) {
        size_t size;
        bool is_begin = is_call(r, &size);
        bool is_open = p->left && p->file == m->pipe_file;
        if (is_open && !is_begin) {
            if (go_on(p, &r))
                hand_on(m, reader_of(p->bytes, p->used));
            continue;
        }
        if (!is_begin)
            return;
        if (size <= reader_left(&r)) {
            hand_on(m, reader_take(&r, size));
            continue;
        }
        p->file = m->pipe_file;
        p->used = 0;
        p->left = (uint32_t)size;
        go_on(p, &r);
    }
}
