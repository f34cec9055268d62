/* cip_connection.c: Forward_Open and Forward_Close, and what is kept of an opened connection.
 *
 * Spec: [CIP1] CIP Networks Library, Volume 1, 3-5.5: Connection Manager services */
#include "cip_connection.h"

#include "cip_path.h"

_Static_assert(sizeof(struct cip_connection) <= 64, "an entry of the pair's table");

enum { CLASS_ASSEMBLY = 0x04 };

/* [CIP1] 3-5.5.1.1: network connection parameters; of a large one 32 bits wide */
static bool is_variable(struct reader *r, bool is_large)
{
    enum { VARIABLE = 1 << 9, LARGE_VARIABLE = 1 << 25 };
    return is_large ? reader_u32le(r) & LARGE_VARIABLE : reader_u16le(r) & VARIABLE;
}

bool cip_forward_open_read(struct reader *r, bool is_large, struct cip_forward_open *open)
{
    reader_skip(r, 2); /* priority, ticks */
    open->ot_id = reader_u32le(r);
    open->to_id = reader_u32le(r);
    open->serial = reader_u16le(r);
    open->originator_vendor = reader_u16le(r);
    open->originator_serial = reader_u32le(r);
    reader_skip(r, 4); /* timeout multiplier, reserved */
    open->ot_interval_us = reader_u32le(r);
    open->ot_is_variable = is_variable(r, is_large);
    open->to_interval_us = reader_u32le(r);
    open->to_is_variable = is_variable(r, is_large);
    open->transport_class = reader_u8(r) & 0x0f;
    size_t words = reader_u8(r);
    open->path = reader_take(r, words * 2);
    return reader_ok(r);
}

bool cip_forward_close_read(struct reader *r, struct cip_forward_open *closed)
{
    *closed = (struct cip_forward_open){0};
    reader_skip(r, 2);
    closed->serial = reader_u16le(r);
    closed->originator_vendor = reader_u16le(r);
    closed->originator_serial = reader_u32le(r);
    size_t words = reader_u8(r);
    reader_skip(r, 1);
    closed->path = reader_take(r, words * 2);
    return reader_ok(r);
}

bool cip_forward_open_is_cyclic(const struct cip_forward_open *open)
{
    return open->transport_class <= 1;
}

/* [CIP1] 3-5.5.1.10: after the configuration come the points of O->T and T->O; one point serves
 * both. */
static uint32_t point_of(const struct cip_path *path, bool is_to_target)
{
    if (path->point_count == 0)
        return 0;
    uint8_t last = (uint8_t)(path->point_count - 1);
    if (is_to_target)
        return path->points[last ? last - 1 : 0];
    return path->points[last];
}

void cip_forward_open_points(const struct cip_forward_open *open, uint32_t *ot, uint32_t *to)
{
    struct cip_path path;
    (void)cip_path_read(open->path, &path);
    *ot = *to = 0;
    if (path.target_class == CLASS_ASSEMBLY) {
        *ot = point_of(&path, true);
        *to = point_of(&path, false);
    }
}

void cip_connection_learn(struct dissect *d, const struct cip_connection *connection)
{
    /* the response goes to the originator, and so do the packets of T->O */
    bool is_to_server = connection->is_to_target ? !d->is_from_client : d->is_from_client;
    struct cip_connection *kept = dissect_pair(
        d, cip_connection_key(d->flow, is_to_server, connection->id), sizeof *kept, true);
    if (kept)
        *kept = *connection;
}
