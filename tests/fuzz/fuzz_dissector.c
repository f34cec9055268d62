/* fuzz_dissector.c: hostile input for one dissector; built once per line of dissectors.def.
 *
 * The input is a conversation of chunks: | how 1 | size 2, big endian | bytes |, the last one cut
 * by the end of the input. What must always be true is asserted by the probe; see dissect_probe.h.
 */
#include "support/dissect_probe.h"

enum how { /* bits of a chunk's first byte */
           HOW_FROM_CLIENT = 1,
           HOW_STREAM = 2,        /* cut by frame; otherwise one whole PDU */
           HOW_CARRIER_KEYED = 4, /* what the carrier below says */
           HOW_CARRIER_RESPONSE = 8,
           HOW_ROLE_OPEN = 16,   /* first chunk: the flow's beginning was not seen */
           HOW_SMALL_ARENA = 32, /* first chunk: the packet arena soon runs full */
           HOW_UDP = 64,         /* first chunk */
           HOW_OTHER_PORT = 128, /* first chunk: a port of the dissector, by the input's size */
};

enum { SMALL_ARENA = 512, CHUNKS_MAX = 64 };

extern const struct dissector FUZZ_DISSECTOR;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct dissector *dissector = &FUZZ_DISSECTOR;
    struct reader input = reader_of(data, size);
    uint8_t first = reader_peek(&input);
    struct probe *p = probe_create(first & HOW_UDP ? TRANSPORT_UDP : TRANSPORT_TCP);
    p->flow.is_start_seen = p->flow.is_role_known = !(first & HOW_ROLE_OPEN);
    size_t ports = 1;
    while (ports < DISSECTOR_PORTS_MAX && dissector->ports[ports])
        ports++;
    p->flow.server.port = dissector->ports[first & HOW_OTHER_PORT ? size % ports : 0];
    if (first & HOW_SMALL_ARENA)
        probe_set_arena(p, SMALL_ARENA);

    for (int i = 0; i < CHUNKS_MAX && reader_left(&input); i++) {
        uint8_t how = reader_u8(&input);
        size_t declared = reader_u16be(&input);
        size_t left = reader_left(&input);
        struct reader chunk = reader_take(&input, declared < left ? declared : left);
        const uint8_t *bytes = chunk.at;
        size_t chunk_size = reader_left(&chunk);
        bool is_from_client = how & HOW_FROM_CLIENT;
        p->carrier = (struct carrier){
            .key = how >> 6, /* few, so that requests and responses meet */
            .transaction = how >> 6,
            .is_keyed = how & HOW_CARRIER_KEYED,
            .is_response = how & HOW_CARRIER_RESPONSE,
        };
        if (dissector->recognise)
            (void)probe_recognise(dissector, bytes, chunk_size);
        if ((how & HOW_STREAM) && dissector->frame)
            (void)probe_stream(p, dissector, is_from_client, bytes, chunk_size);
        else
            probe_feed(p, dissector, is_from_client, bytes, chunk_size);
    }
    probe_destroy(p);
    return 0;
}
