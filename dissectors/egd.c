/* egd.c: Ethernet Global Data, which GE controllers produce cyclically to each other.
 *
 * No public specification; after the public decoder and captures (PROTOCOLS 20).
 *
 *   | type 1, =13 | version 1 | request 2 | producer 4, an address | exchange 4 | seconds 4 |
 *   | nanoseconds 4 | status 4 | signature 4 | reserved 4, =0 | data |   little endian
 */
#include "decimal.h"
#include "dissector.h"

enum {
    HEADER_SIZE = 32,
    TYPE_DATA = 13,
    VERSION = 1,
    NANOSECONDS = 1000000000,
    REQUEST_HALF = 0x8000,
    EXCHANGES = 8,
};

struct exchange {
    uint32_t producer, exchange;
    uint32_t seconds, nanoseconds;
    uint16_t request;
    bool is_used;
};

struct state {
    struct exchange exchanges[EXCHANGES];
    uint8_t next;
};

struct header {
    uint8_t type, version;
    uint16_t request;
    const uint8_t *producer;
    uint32_t exchange, seconds, nanoseconds, status, signature, reserved;
};

static struct header header_read(struct reader *r)
{
    struct header h;
    h.type = reader_u8(r);
    h.version = reader_u8(r);
    h.request = reader_u16le(r);
    h.producer = reader_bytes(r, 4);
    h.exchange = reader_u32le(r);
    h.seconds = reader_u32le(r);
    h.nanoseconds = reader_u32le(r);
    h.status = reader_u32le(r);
    h.signature = reader_u32le(r);
    h.reserved = reader_u32le(r);
    return h;
}

/* Weak: two fixed bytes and fields with a range. */
static enum claim egd_recognise(struct reader r)
{
    struct header h = header_read(&r);
    if (!reader_ok(&r))
        return CLAIM_NO;
    bool is_likely = h.type == TYPE_DATA && h.version == VERSION && h.exchange != 0 &&
                     h.nanoseconds < NANOSECONDS && h.reserved == 0 && h.producer[0] != 0;
    return is_likely ? CLAIM_WEAK : CLAIM_NO;
}

static struct exchange *exchange_of(struct state *s, uint32_t producer, uint32_t exchange)
{
    for (size_t i = 0; i < EXCHANGES; i++)
        if (s->exchanges[i].is_used && s->exchanges[i].producer == producer &&
            s->exchanges[i].exchange == exchange)
            return &s->exchanges[i];
    struct exchange *x = &s->exchanges[s->next++ % EXCHANGES];
    *x = (struct exchange){.producer = producer, .exchange = exchange};
    return x;
}

/* A number that goes back while the time goes on comes from another producer than the last one;
 * datagrams that overtake each other have older times, too. */
static void check_order(struct dissect *d, struct state *s, const struct header *h,
                        uint32_t producer)
{
    struct exchange *x = exchange_of(s, producer, h->exchange);
    bool is_later =
        h->seconds > x->seconds || (h->seconds == x->seconds && h->nanoseconds > x->nanoseconds);
    uint16_t step = (uint16_t)(h->request - x->request);
    if (x->is_used && is_later && (step == 0 || step >= REQUEST_HALF))
        emit_violation(d, VIOLATION_SEQUENCE, "request number goes back", NULL, 0);
    if (x->is_used && !is_later)
        return;
    x->is_used = true;
    x->request = h->request;
    x->seconds = h->seconds;
    x->nanoseconds = h->nanoseconds;
}

static struct text producer_text(struct dissect *d, const uint8_t *address)
{
    char *out = arena_take(d->arena, 4 * DECIMAL_MAX);
    size_t size = 0;
    for (size_t i = 0; i < 4 && out; i++) {
        if (i)
            out[size++] = '.';
        size += decimal_put(out + size, address[i]);
    }
    return (struct text){out, size};
}

/* Of the production; 0 to 2 are good. */
static struct ot_status status_of(uint32_t status)
{
    enum { GOOD_MAX = 2 };
    static const struct {
        uint32_t code;
        const char *name;
    } names[] = {
        {3,  "sntp_error"                  },
        {4,  "specification_error"         },
        {6,  "data_refresh_error"          },
        {7,  "data_refresh_period_exceeded"},
        {10, "ip_not_initialised"          },
        {12, "lack_of_resources"           },
        {16, "name_resolution_in_progress" },
        {18, "ethernet_interface_lost"     },
        {22, "egd_not_supported"           },
        {26, "no_response_from_interface"  },
        {28, "exchange_not_created"        },
        {30, "exchange_deleted"            },
    };
    if (status <= GOOD_MAX)
        return (struct ot_status){OT_RESULT_OK, status, NULL};
    struct ot_status s = {OT_RESULT_ERROR, status, NULL};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].code == status)
            s.name = names[i].name;
    return s;
}

static void put_item(struct dissect *d, struct ot_event *e, uint32_t exchange, uint32_t status,
                     struct reader data)
{
    uint32_t count = 1;
    struct ot_item *item = dissect_items(d, &count);
    if (!item)
        return;
    *item = (struct ot_item){.area = "exchange",
                             .has_start = true,
                             .start = exchange,
                             .low = exchange,
                             .high = exchange,
                             .has_range = true,
                             .count = 1,
                             .status = status_of(status)};
    if (reader_left(&data))
        item->values = (struct ot_values){VALUES_BYTES, 1, data.at, reader_left(&data)};
    e->items = item;
    e->item_count = e->items_total = 1;
}

static void egd_dissect(struct dissect *d, struct reader r)
{
    const uint8_t *at = r.at;
    struct header h = header_read(&r);
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_TRUNCATED, "EGD header is cut off", NULL, 0);
        return;
    }
    if (h.type != TYPE_DATA)
        emit_violation(d, VIOLATION_FUNCTION, "PDU type is not data", at, 1);
    if (h.reserved != 0)
        emit_violation(d, VIOLATION_RESERVED, "reserved field is not 0", at, HEADER_SIZE);
    struct ot_event e = event_of(d);
    e.direction = OT_ONEWAY;
    e.code[0] = e.function = h.type;
    e.name = h.type == TYPE_DATA ? "data" : NULL;
    e.operation = h.type == TYPE_DATA ? OP_PUBLISH : OP_UNKNOWN;
    e.unit = producer_text(d, h.producer);
    e.transaction = h.request;
    e.has_transaction = true;
    e.telling = at;
    e.telling_size = HEADER_SIZE;
    struct reader producer = reader_of(h.producer, 4);
    check_order(d, d->state, &h, reader_u32be(&producer));
    put_item(d, &e, h.exchange, h.status, r);
    emit_event(d, &e);
}

const struct dissector dissector_egd = {
    .name = "egd",
    .spec = "Ethernet Global Data, after public decoders and captures",
    .over = OVER_UDP,
    .ports = {18246},
    .state_size = sizeof(struct state),
    .recognise = egd_recognise,
    .dissect = egd_dissect,
};
