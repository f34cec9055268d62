/* packets.c: a few shares that are being gathered, found by the alert's cause. */
#include "packets.h"

#include "rows.h"
#include "sensor/base/text.h"

#include <stdlib.h>
#include <string.h>

enum {
    SHARES = 64,           /* twice what one worker collects for at once */
    SHARE_BYTES = 8192,    /* 40 packets of a usual poll */
    RECORD_HEAD_SIZE = 16, /* draft-ietf-opsawg-pcap 5: time, time, captured, original size */
};

/* A row with its bytes behind it, as it is posted. */
struct share {
    struct evidence_row row; /* bytes_size 0: unused */
    uint8_t bytes[SHARE_BYTES];
    uint32_t source_index;
};

struct packets {
    struct store_queue *queue;
    const struct config *config;
    struct share shares[SHARES];
};

_Static_assert(offsetof(struct share, bytes) == sizeof(struct evidence_row),
               "the bytes follow the row");
_Static_assert(RECORD_HEAD_SIZE + EVIDENCE_SNAP <= SHARE_BYTES, "any packet fits");

struct packets *packets_create(struct store_queue *queue, const struct config *config)
{
    struct packets *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->queue = queue;
    p->config = config;
    return p;
}

void packets_destroy(struct packets *packets)
{
    free(packets);
}

static void post(struct packets *p, struct share *s)
{
    if (s->row.bytes_size == 0)
        return;
    store_post(p->queue, rows_evidence_apply, s, sizeof s->row + s->row.bytes_size);
    s->row.bytes_size = 0;
}

static bool has_room(const struct share *s, const struct alert *alert,
                     const struct evidence_packet *packet)
{
    return s->row.bytes_size + RECORD_HEAD_SIZE + packet->size <= SHARE_BYTES &&
           s->source_index == packet->source_index && s->row.link_type == packet->link_type &&
           memcmp(s->row.alert, alert->id, sizeof alert->id) == 0;
}

static void begin(struct packets *p, struct share *s, const struct alert *alert, const char *source,
                  const struct evidence_packet *packet)
{
    s->row = (struct evidence_row){
        .time_ns = packet->time_ns,
        .packet_number = packet->packet_number,
        .link_type = packet->link_type,
        .total_max = (uint64_t)p->config->evidence_megabytes << 20,
    };
    text_copy(s->row.sensor, sizeof s->row.sensor, text_of(p->config->sensor));
    text_copy(s->row.source, sizeof s->row.source, text_of(source));
    memcpy(s->row.alert, alert->id, sizeof alert->id);
    s->source_index = packet->source_index;
}

static uint8_t *put_u32(uint8_t *at, uint32_t n)
{
    for (int shift = 0; shift < 32; shift += 8)
        *at++ = (uint8_t)(n >> shift);
    return at;
}

void packets_add(struct packets *packets, const struct alert *alert, const char *source,
                 const struct evidence_packet *packet)
{
    struct share *s = &packets->shares[alert->cause[0] % SHARES];
    if (s->row.bytes_size > 0 && !has_room(s, alert, packet))
        post(packets, s);
    if (s->row.bytes_size == 0)
        begin(packets, s, alert, source, packet);

    uint8_t *at = s->bytes + s->row.bytes_size;
    at = put_u32(at, (uint32_t)(packet->time_ns / 1000000000));
    at = put_u32(at, (uint32_t)(packet->time_ns % 1000000000));
    at = put_u32(at, packet->size);
    at = put_u32(at, packet->wire_size);
    memcpy(at, packet->bytes, packet->size);
    s->row.bytes_size += RECORD_HEAD_SIZE + packet->size;
    s->row.packets++;
}

void packets_flush(struct packets *packets)
{
    for (size_t i = 0; i < SHARES; i++)
        post(packets, &packets->shares[i]);
}
