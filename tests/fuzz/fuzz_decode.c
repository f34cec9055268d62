/* fuzz_decode.c: frames of any link type, several to an input, through decode and duplicates.
 *
 *   input: { | link type 1: index | flags 1: has another size on the wire | size 2, big endian |
 * frame | } ... */
#include "sensor/decode.h"
#include "sensor/duplicates.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD_SIZE = 4, CUT = 1, LATE = 2 };

static const uint16_t links[] = {1, 0, 9, 50, 101, 108, 113, 228, 229, 276, 147};

/* What must be true of every packet. */
static void check(const struct packet *p)
{
    assert(p->payload_size <= p->payload_wire_size);
    assert(p->payload_size == 0 || p->payload);
    assert(p->vlan_count <= VLAN_MAX);
    assert(!p->is_malformed || (p->malformed_why && *p->malformed_why));
    assert(p->network_size == 0 || p->network);
    assert(p->is_reassembled || !p->payload ||
           (p->payload >= p->bytes && p->payload + p->payload_size <= p->bytes + p->captured_size));
    volatile uint8_t sum = 0;
    for (uint32_t i = 0; i < p->payload_size; i++)
        sum = (uint8_t)(sum + p->payload[i]);
    for (uint32_t i = 0; i < p->network_size; i++)
        sum = (uint8_t)(sum + p->network[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct decode_options options = {true, true, true, NULL, 0};
    /* made once, for they are large; a jump in time makes them forget the input before */
    static struct decoder *decoder;
    static struct duplicates *duplicates;
    static int64_t time_ns;
    struct counters counters = {0};
    if (!decoder) {
        decoder = decoder_create(&options);
        duplicates = duplicates_create();
    }
    assert(decoder && duplicates);
    time_ns = (time_ns + INT64_C(100000000000)) % (INT64_C(1) << 61);
    while (size >= HEAD_SIZE) {
        size_t frame_size = (size_t)data[2] << 8 | data[3];
        uint8_t link = data[0], flags = data[1];
        data += HEAD_SIZE;
        size -= HEAD_SIZE;
        if (frame_size > size)
            frame_size = size;
        uint8_t *frame =
            malloc(frame_size ? frame_size : 1); /* its exact size, for the sanitizer */
        assert(frame);
        memcpy(frame, data, frame_size);
        time_ns += flags & LATE ? INT64_C(20000000000) : 1000;
        struct raw_packet raw = {
            .time_ns = time_ns,
            .bytes = frame,
            .captured_size = (uint32_t)frame_size,
            .wire_size = (uint32_t)frame_size + (flags & CUT ? 100 : 0),
            .link_type = links[link % (sizeof links / sizeof *links)],
            .source_index = link >> 6,
        };
        struct packet packet;
        memset(&packet, 0xa5, sizeof packet);
        decode(decoder, &raw, &packet, &counters);
        check(&packet);
        (void)duplicates_seen(duplicates, &packet);
        assert(decoder_segment_name(decoder, packet.segment)[0]);
        free(frame);
        data += frame_size;
        size -= frame_size;
    }
    return 0;
}
