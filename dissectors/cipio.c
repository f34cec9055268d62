/* cipio.c: cyclic (implicit) I/O data of CIP connections.
 *
 * Spec: [CIP2] EtherNet/IP Adaptation of CIP, Volume 2, 2-6 and 3-2: class 0 and 1 over UDP
 *       [CIP1] Volume 1, 3-6.1: real time formats, run/idle header
 *
 *   | count 2, =2 | 8002 2 | 8 2 | connection 4 | sequence 4 | 00b1 2 | length 2 | data |
 *
 * data: of class 1 a sequence count of 2 first; towards the target then a header of 4 whose bit 0
 * says run. What a connection is for was said in its Forward_Open, on TCP (cip_connection.h). */
#include "cip_connection.h"

enum {
    ITEM_SEQUENCED_ADDRESS = 0x8002,
    ITEM_CONNECTED_ADDRESS = 0x00a1,
    ITEM_CONNECTED_DATA = 0x00b1,
    SEQUENCED_SIZE = 8,
    CONNECTED_SIZE = 4,

    CONNECTIONS_MAX = 48, /* of one flow whose order is watched; more take turns */
    REORDER_MAX = 8,      /* packets a network may swap */
    JUMP_MAX = 5000,      /* lost packets that still are a loss: five seconds at 1 ms */
    LOOK_AGAIN = 1024,    /* packets until an unknown connection is looked up once more */
    HEADER_BITS = 0x0f,   /* run, and ownership: all else is 0 in a run/idle header */
};

static const int64_t TOLD_EVERY_NS =
    INT64_C(60000000000); /* one violation per minute and connection */

struct connection {
    uint32_t id, sequence;
    uint32_t packets; /* modulo 2^32 */
    uint32_t point;
    int64_t told_ns;
    uint16_t size; /* of the last packet with data */
    bool is_used, is_from_client;
    bool is_known, is_to_target, is_class_1, is_variable;
    bool has_header, is_running;
    uint8_t route_size;
    char route[CIP_ROUTE_KEPT];
};

struct state {
    struct connection connections[CONNECTIONS_MAX];
    uint8_t last, oldest;
};

_Static_assert(sizeof(struct state) <= DISSECTOR_STATE_MAX, "state of a flow");

struct packet_read {
    uint32_t id, sequence;
    bool has_sequence;
    struct reader data;
    const uint8_t *at;
};

/* False: not this layout. */
static bool io_read(struct reader r, struct packet_read *p)
{
    *p = (struct packet_read){.at = r.at};
    uint16_t count = reader_u16le(&r);
    uint16_t type = reader_u16le(&r);
    uint16_t size = reader_u16le(&r);
    if (!reader_ok(&r) || count != 2)
        return false;
    if (type == ITEM_SEQUENCED_ADDRESS && size == SEQUENCED_SIZE) {
        p->id = reader_u32le(&r);
        p->sequence = reader_u32le(&r);
        p->has_sequence = true;
    } else if (type == ITEM_CONNECTED_ADDRESS && size == CONNECTED_SIZE) {
        p->id = reader_u32le(&r);
    } else {
        return false;
    }
    type = reader_u16le(&r);
    size = reader_u16le(&r);
    p->data = reader_take(&r, size);
    return reader_ok(&r) && type == ITEM_CONNECTED_DATA && reader_left(&r) == 0;
}

static enum claim cipio_recognise(struct reader r)
{
    struct packet_read p;
    if (!io_read(r, &p))
        return CLAIM_NO;
    return p.has_sequence ? CLAIM_YES : CLAIM_WEAK;
}

static void look_up(struct dissect *d, struct connection *c)
{
    const struct cip_connection *known = cip_connection_find(d, c->id);
    if (!known)
        return;
    c->is_known = true;
    c->is_to_target = known->is_to_target;
    c->is_class_1 = known->transport_class == 1;
    c->is_variable = known->is_variable;
    c->point = known->point;
    c->route_size = known->route_size;
    memcpy(c->route, known->route, known->route_size);
}

static struct connection *connection_of(struct dissect *d, uint32_t id, bool *is_new)
{
    struct state *s = d->state;
    struct connection *c = &s->connections[s->last];
    *is_new = false;
    for (unsigned i = 0; i <= CONNECTIONS_MAX; i++) {
        if (c->is_used && c->id == id && c->is_from_client == d->is_from_client) {
            if (!c->is_known && c->packets % LOOK_AGAIN == 0)
                look_up(d, c);
            return c;
        }
        if (i == CONNECTIONS_MAX)
            break;
        c = &s->connections[i];
        s->last = (uint8_t)i;
        if (!c->is_used)
            break;
    }
    if (c->is_used) { /* all are: the oldest goes */
        s->last = s->oldest;
        c = &s->connections[s->oldest];
        s->oldest = (uint8_t)((s->oldest + 1) % CONNECTIONS_MAX);
    }
    *c = (struct connection){.id = id, .is_used = true, .is_from_client = d->is_from_client};
    *is_new = true;
    look_up(d, c);
    return c;
}

static void tell(struct dissect *d, struct connection *c, enum violation_kind kind, const char *why,
                 const uint8_t *at, size_t size)
{
    if (c->told_ns != 0 && d->time_ns - c->told_ns < TOLD_EVERY_NS)
        return;
    c->told_ns = d->time_ns ? d->time_ns : 1;
    emit_violation(d, kind, why, at, size);
}

/* [CIP2] 3-4.4: the number rises by one with each packet; some lost ones are no news. */
static void check_sequence(struct dissect *d, struct connection *c, const struct packet_read *p,
                           struct ot_event *e)
{
    int32_t step = (int32_t)(p->sequence - c->sequence);
    const char *why = NULL;
    if (step == 0)
        e->flags |= OT_RETRANSMIT;
    else if (step < -REORDER_MAX)
        why = "sequence number of cyclic data goes backwards";
    else if (step > JUMP_MAX)
        why = "sequence number of cyclic data jumps ahead";
    if (why)
        tell(d, c, VIOLATION_SEQUENCE, why, p->at + 10, 4);
    if (step > 0 || why)
        c->sequence = p->sequence;
}

/* [CIP1] 3-5.5.1.1: packets of a connection of fixed size are alike, but for those without data
 * (idle, or only keeping it open). */
static void check_size(struct dissect *d, struct connection *c, const struct packet_read *p)
{
    enum { COUNT_AND_HEADER = 6 }; /* what a packet without data may have all the same */
    size_t size = reader_left(&p->data);
    if (size <= COUNT_AND_HEADER || size > UINT16_MAX)
        return;
    if (c->size && c->size != size && !c->is_variable)
        tell(d, c, VIOLATION_LENGTH, "cyclic data of another size than before", p->data.at, size);
    c->size = (uint16_t)size;
}

/* Only where the connection's opening was seen: otherwise nobody can tell a header from data. */
static void run_idle(struct dissect *d, struct connection *c, struct reader *data,
                     struct ot_event *e)
{
    if (!c->is_known)
        return;
    struct reader r = *data;
    if (c->is_class_1)
        reader_skip(&r, 2);
    if (reader_ok(&r))
        *data = r;
    if (!c->is_to_target)
        return;
    uint32_t header = reader_u32le(&r);
    if (!reader_ok(&r) || header & ~(uint32_t)HEADER_BITS)
        return;
    *data = r;
    bool is_running = header & 1;
    if (!c->has_header || c->is_running != is_running) {
        uint32_t room = 1;
        struct ot_fact *fact = dissect_facts(d, &room);
        if (room) {
            *fact = (struct ot_fact){FACT_MODE, is_running ? TEXT("run") : TEXT("idle"), false};
            e->facts = fact;
            e->fact_count = 1;
        }
        if (c->has_header)
            e->detail = is_running ? TEXT("idle to run") : TEXT("run to idle");
    }
    c->has_header = true;
    c->is_running = is_running;
}

static void cipio_spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    (void)code;
    memcpy(out, "io", 3);
}

static void cipio_dissect(struct dissect *d, struct reader r)
{
    struct packet_read p;
    if (!io_read(r, &p)) {
        emit_violation(d, VIOLATION_LENGTH, "cyclic data of another layout", NULL, 0);
        return;
    }
    bool is_new;
    struct connection *c = connection_of(d, p.id, &is_new);
    struct ot_event e = event_of(d);
    e.direction = OT_ONEWAY;
    e.operation = OP_PUBLISH;
    e.spell = cipio_spell;
    e.name = "io";
    e.unit = (struct text){c->route_size ? c->route : NULL, c->route_size};
    if (p.has_sequence && is_new)
        c->sequence = p.sequence;
    else if (p.has_sequence)
        check_sequence(d, c, &p, &e);
    check_size(d, c, &p);
    c->packets++;
    run_idle(d, c, &p.data, &e);

    uint32_t room = 1;
    struct ot_item *item = dissect_items(d, &room);
    if (room) {
        item->area = c->point ? "assembly" : "io_connection";
        item->number = c->point ? c->point : p.id;
        item->has_number = true;
        item->count = 1;
        item->values.size = reader_left(&p.data);
        item->values.encoding = item->values.size ? VALUES_BYTES : VALUES_NONE;
        item->values.count = item->values.size ? 1 : 0;
        item->values.bytes = p.data.at;
        e.items = item;
        e.item_count = 1;
    }
    e.items_total = 1;
    emit_event(d, &e);
}

const struct dissector dissector_cipio = {
    .name = "cipio",
    .spec = "The CIP Networks Library, Volume 2: EtherNet/IP Adaptation of CIP (class 0 and 1)",
    .over = OVER_UDP,
    .ports = {2222},
    .state_size = sizeof(struct state),
    .recognise = cipio_recognise,
    .dissect = cipio_dissect,
};
