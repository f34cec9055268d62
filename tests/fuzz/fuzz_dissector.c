/* fuzz_dissector.c: hostile input for one dissector; built once per line of dissectors.def.
 *
 * The input is a conversation of chunks: | how 1 | size 2, big endian | bytes |, the last one cut
 * by the end of the input. What must always be true is asserted by the probe; see dissect_probe.h.
 * The probe is made once; without the address sanitizer what is read ends at a page that faults.
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

enum surroundings { /* by the input's size, so that a seed need not tell */
                    SIZE_WITH_WORDS = 5,
                    SIZE_WITH_GAP = 9,
                    SIZE_WITH_IP6 = 13,
                    SIZE_WITHOUT_MEMORY = 17,
                    SIZE_ONE_SIDED = 21,
                    SIZE_COOKED = 25, /* Linux cooked frames do not tell what is padding */
                    SIZE_PERIOD = 32,
};

enum { SMALL_ARENA = 512, CHUNKS_MAX = 64, LINKTYPE_LINUX_SLL = 113 };

/* The registry of this target: the dissector and what it carries, so that coverage is of them only.
 */
#define LINE(name) extern const struct dissector dissector_##name;
FUZZ_REGISTRY
#undef LINE
#define LINE(name) &dissector_##name,
const struct dissector *const dissectors[] = {FUZZ_REGISTRY NULL};
#undef LINE
const size_t dissector_count = sizeof dissectors / sizeof *dissectors - 1;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum transport transport_of(const struct dissector *dissector, uint8_t first)
{
    unsigned over = dissector->over;
    if (over & OVER_UDP)
        return (first & HOW_UDP) || !(over & OVER_TCP) ? TRANSPORT_UDP : TRANSPORT_TCP;
    return over & OVER_ETHERTYPE ? TRANSPORT_NONE : TRANSPORT_TCP;
}

static void surround(struct probe *p, const struct dissector *dissector, uint8_t first, size_t size)
{
    p->flow.is_start_seen = p->flow.is_role_known = !(first & HOW_ROLE_OPEN);
    size_t ports = 1;
    while (ports < DISSECTOR_PORTS_MAX && dissector->ports[ports])
        ports++;
    p->flow.server.port = dissector->ports[first & HOW_OTHER_PORT ? size % ports : 0];
    if (first & HOW_SMALL_ARENA)
        probe_set_arena(p, SMALL_ARENA);
    size_t kind = size % SIZE_PERIOD;
    p->is_terse = kind != SIZE_WITH_WORDS;
    p->is_out_of_memory = kind == SIZE_WITHOUT_MEMORY;
    p->flow.has_gap = kind == SIZE_WITH_GAP;
    p->flow.is_two_sided = kind != SIZE_ONE_SIDED;
    p->link_type = kind == SIZE_COOKED ? LINKTYPE_LINUX_SLL : 0;
    if (kind == SIZE_WITH_IP6)
        p->flow.client.ip.kind = p->flow.server.ip.kind = ADDRESS_IP6;
}

static void feed_chunk(struct probe *p, const struct dissector *dissector, uint8_t how,
                       struct reader chunk)
{
    bool is_from_client = how & HOW_FROM_CLIENT;
    size_t size = reader_left(&chunk);
    p->carrier = (struct carrier){
        .key = how >> 6, /* few, so that requests and responses meet */
        .transaction = how >> 6,
        .is_keyed = how & HOW_CARRIER_KEYED,
        .is_response = how & HOW_CARRIER_RESPONSE,
    };
    if (dissector->recognise)
        (void)probe_ask(p, dissector, chunk.at, size);
    if ((how & HOW_STREAM) && dissector->frame)
        (void)probe_stream(p, dissector, is_from_client, chunk.at, size);
    else
        probe_feed(p, dissector, is_from_client, chunk.at, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct probe *p;
    const struct dissector *dissector = &FUZZ_DISSECTOR;
    struct reader input = reader_of(data, size);
    uint8_t first = reader_peek(&input);
    if (!p) {
        p = probe_create(TRANSPORT_TCP);
        if (FUZZ_ON_BRINK)
            probe_set_brink(p);
    }
    probe_reset(p, transport_of(dissector, first));
    surround(p, dissector, first, size);

    for (int i = 0; i < CHUNKS_MAX && reader_left(&input); i++) {
        uint8_t how = reader_u8(&input);
        size_t declared = reader_u16be(&input);
        size_t left = reader_left(&input);
        feed_chunk(p, dissector, how, reader_take(&input, declared < left ? declared : left));
    }
    probe_reset(p, TRANSPORT_TCP);
    return 0;
}
