/* packet_record.c: | struct | frame | what was put together outside of the frame |. */
#include "packet_record.h"

#include <string.h>

#define NOWHERE UINT32_MAX

struct record {
    struct packet packet;
    uint32_t payload_at, network_at; /* offsets in what follows; NOWHERE: NULL */
    uint8_t bytes[];
};

/* Bytes that lie elsewhere than in the frame: of datagrams that were put together. */
static size_t outside(const struct packet *p, const uint8_t *at, uint32_t size)
{
    uint32_t offset;
    return at && !packet_offset(p, at, &offset) ? size : 0;
}

size_t packet_record_size(const struct packet *p)
{
    return sizeof(struct record) + p->captured_size + outside(p, p->payload, p->payload_size) +
           outside(p, p->network, p->network_size);
}

/* Where in the record `at` will be; copied to its end unless it lies in the frame. */
static uint32_t place(const struct packet *p, const uint8_t *at, uint32_t size, uint8_t *bytes,
                      uint32_t *used)
{
    uint32_t offset;
    if (!at)
        return NOWHERE;
    if (packet_offset(p, at, &offset))
        return offset;
    offset = *used;
    memcpy(bytes + offset, at, size);
    *used += size;
    return offset;
}

void packet_record_write(void *record, const struct packet *p)
{
    struct record *r = record;
    uint32_t used = p->captured_size;
    memcpy(r->bytes, p->bytes, p->captured_size);
    r->packet = *p;
    r->payload_at = place(p, p->payload, p->payload_size, r->bytes, &used);
    r->network_at = place(p, p->network, p->network_size, r->bytes, &used);
}

struct packet *packet_record_read(void *record)
{
    struct record *r = record;
    struct packet *p = &r->packet;
    p->bytes = r->bytes;
    p->payload = r->payload_at == NOWHERE ? NULL : r->bytes + r->payload_at;
    p->network = r->network_at == NOWHERE ? NULL : r->bytes + r->network_at;
    return p;
}
