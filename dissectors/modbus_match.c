/* modbus_match.c: which request a Modbus response answers.
 *
 * Spec: [TCP] MODBUS Messaging on TCP/IP Implementation Guide V1.0b, 4.2
 */
#include "modbus_exchange.h"

enum { IN_ORDER_MAX = 16 }; /* requests in flight of a client that never changes its transaction */

/* [TCP] 4.2: a response repeats transaction, unit and function. order: see struct modbus_state. */
static uint64_t asked_key(uint16_t transaction, uint8_t unit, uint8_t function, uint16_t order)
{
    return (uint64_t)transaction | (uint64_t)unit << 16 | (uint64_t)function << 24 |
           (uint64_t)order << 32;
}

static void order_request(struct modbus_state *s, const struct modbus_adu *adu)
{
    bool is_repeated =
        adu->has_transaction && s->has_request && s->last_transaction == adu->transaction;
    if (is_repeated) {
        s->next++;
        if ((uint16_t)(s->next - s->first) >= IN_ORDER_MAX)
            s->first = (uint16_t)(s->next - IN_ORDER_MAX + 1);
    } else {
        s->first = s->next = 0;
    }
    s->has_request = true;
    s->last_transaction = adu->transaction;
}

void exchange_remember(struct exchange *x)
{
    struct modbus_state *s = x->d->state;
    const struct modbus_adu *adu = x->adu;
    struct asked *a = &x->asked;
    order_request(s, adu);
    s->recent[s->recent_next++ % MODBUS_ASKED_RECENTLY] =
        (struct modbus_asked_key){adu->transaction, s->next, adu->unit, a->function, true};

    size_t size = offsetof(struct asked, records) + a->record_count * sizeof *a->records;
    bool was_in_flight = false;
    void *kept = dissect_remember(
        x->d, asked_key(adu->transaction, adu->unit, a->function, s->next), size, &was_in_flight);
    memcpy(kept, a, size);
    if (was_in_flight && adu->has_transaction && x->d->flow->is_two_sided && !x->d->flow->has_gap)
        exchange_breaks(x, VIOLATION_DUPLICATE, "transaction is used again before it was answered");
}

static bool recall_asked(struct exchange *x, uint64_t key)
{
    size_t size;
    const void *kept = dissect_recall(x->d, key, &size);
    if (!kept)
        return false;
    memcpy(&x->asked, kept, size);
    return true;
}

/* Whether a response can be the one to what was asked: enough to tell requests of one transaction
 * apart. */
static bool answers(const struct asked *a, const struct modbus_function *f, struct reader data)
{
    switch (f->layout) {
    case LAYOUT_READ_BITS:
        return reader_peek(&data) == modbus_bits_size(a->count);
    case LAYOUT_READ_REGISTERS:
    case LAYOUT_READ_WRITE:
        return reader_peek(&data) == 2u * a->count;
    case LAYOUT_WRITE_COIL:
    case LAYOUT_WRITE_REGISTER:
    case LAYOUT_WRITE_BITS:
    case LAYOUT_WRITE_REGISTERS:
    case LAYOUT_MASK_WRITE:
        return reader_u16be(&data) == a->start;
    default:
        return true;
    }
}

/* A response that fits no request: to another function, or from a unit that devices put in whatever
 * was asked. */
static void recall_odd(struct exchange *x, uint8_t function)
{
    struct modbus_state *s = x->d->state;
    const struct modbus_adu *adu = x->adu;
    bool is_any_unit = adu->unit == 0 || adu->unit == 255; /* PROTOCOLS 5, quirks */
    unsigned deep = adu->has_transaction ? MODBUS_ASKED_RECENTLY : 1;
    for (unsigned i = 1; i <= deep; i++) {
        const struct modbus_asked_key *k =
            &s->recent[(uint8_t)(s->recent_next - i) % MODBUS_ASKED_RECENTLY];
        if (!k->is_used || k->transaction != adu->transaction ||
            (k->unit != adu->unit && !is_any_unit))
            continue;
        if (!recall_asked(x, asked_key(k->transaction, k->unit, k->function, k->order)))
            continue;
        x->is_matched = k->function == function;
        if (!x->is_matched)
            exchange_breaks(x, VIOLATION_FUNCTION,
                            "response has another function than the request");
        return;
    }
    x->event.flags |= OT_NO_REQUEST;
    const struct ot_flow *flow = x->d->flow;
    if (s->has_request && flow->is_start_seen && flow->is_two_sided && !flow->has_gap)
        exchange_breaks(x, VIOLATION_DIRECTION, "response without a request");
}

void exchange_recall(struct exchange *x, uint8_t function, bool is_exception, struct reader data)
{
    struct modbus_state *s = x->d->state;
    const struct modbus_adu *adu = x->adu;
    for (uint16_t order = s->first;; order++) {
        bool is_last = order == s->next;
        if (recall_asked(x, asked_key(adu->transaction, adu->unit, function, order)) &&
            (is_last || is_exception || answers(&x->asked, x->function, data))) {
            x->is_matched = true;
            s->first = is_last ? order : (uint16_t)(order + 1);
            return;
        }
        if (is_last)
            break;
    }
    recall_odd(x, function);
}
