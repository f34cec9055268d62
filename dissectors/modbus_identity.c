/* modbus_identity.c: the Modbus functions that tell who a device is: report server id, read device
 * identification.
 *
 * Spec: [MB] MODBUS Application Protocol Specification V1.1b3, 6.13, 6.19 to 6.21
 */
#include "modbus_exchange.h"

enum { TEXT_MIN = 3 }; /* a shorter printable run is no name */

static bool is_printable(uint8_t byte)
{
    return byte >= 0x20 && byte < 0x7f;
}

/* The longest printable run of some bytes; empty when it is too short for a name. */
static struct text printable_run(struct reader bytes)
{
    struct text best = {NULL, 0};
    const uint8_t *begin = bytes.at;
    while (reader_left(&bytes)) {
        const uint8_t *at = bytes.at;
        if (!is_printable(reader_u8(&bytes)))
            begin = bytes.at;
        else if ((size_t)(at + 1 - begin) > best.size)
            best = (struct text){(const char *)begin, (size_t)(at + 1 - begin)};
    }
    while (best.size && best.at[best.size - 1] == ' ')
        best.size--;
    return best.size >= TEXT_MIN ? best : (struct text){NULL, 0};
}

static void add_fact(struct exchange *x, enum fact_kind kind, struct text value)
{
    x->facts[x->event.fact_count++] = (struct ot_fact){.kind = kind, .value = value};
    x->event.facts = x->facts;
}

/* | byte count 1 | server id, device specific | run indicator 1, 00 or FF | additional data |
 * The length of the id is not told. Most devices use one byte, then the indicator; others end with
 * it. */
void exchange_server_id(struct exchange *x, struct reader *r)
{
    uint8_t size = reader_u8(r);
    if (!reader_ok(r))
        return;
    struct reader bytes = exchange_counted(x, r, size);
    struct text name = printable_run(bytes);
    if (name.size)
        add_fact(x, FACT_PRODUCT, name);
    uint8_t second = 1, last = 1;
    for (size_t i = 0; reader_left(&bytes); i++) {
        last = reader_u8(&bytes);
        if (i == 1)
            second = last;
    }
    uint8_t indicator = second == 0 || second == 0xff ? second : last;
    if (indicator == 0 || indicator == 0xff)
        add_fact(x, FACT_MODE, indicator ? TEXT("run") : TEXT("stop"));
}

static const struct identity {
    enum fact_kind fact;
} identities[] = {
    /* [MB] 6.21: vendor name, product code, revision, URL, product name, model name, user
       application */
    {FACT_VENDOR},  {FACT_ORDER_NUMBER}, {FACT_FIRMWARE}, {FACT_URL},
    {FACT_PRODUCT}, {FACT_DEVICE_TYPE},  {FACT_SOFTWARE},
};
enum { IDENTITY_COUNT = sizeof identities / sizeof *identities };

static void identification_request(struct exchange *x, struct reader *r)
{
    uint8_t code = reader_u8(r);
    uint8_t object = reader_u8(r);
    if (!reader_ok(r))
        return;
    if (code < 1 || code > 4)
        exchange_breaks(x, VIOLATION_RANGE, "read device id code is not 1 to 4");
    exchange_item(x, object, 1)->area = "device_identification";
}

static void identification_objects(struct exchange *x, struct reader *r, uint8_t count)
{
    uint32_t room = IDENTITY_COUNT;
    struct ot_fact *facts = dissect_facts(x->d, &room);
    x->event.facts = facts;
    for (unsigned i = 0; i < count; i++) {
        uint8_t id = reader_u8(r);
        uint8_t length = reader_u8(r);
        struct reader value = reader_take(r, length);
        if (!reader_ok(r)) {
            exchange_breaks(x, VIOLATION_TRUNCATED, "identification object is cut off");
            return;
        }
        if (id < IDENTITY_COUNT && length && x->event.fact_count < room)
            facts[x->event.fact_count++] = (struct ot_fact){
                .kind = identities[id].fact,
                .value = {(const char *)value.at, length},
            };
    }
}

/* | code 1 | conformity 1 | more follows 1 | next object 1 | count 1 | objects: id 1, length 1,
 * text | */
static void identification_response(struct exchange *x, struct reader *r)
{
    reader_skip(r, 1);
    uint8_t conformity = reader_u8(r);
    uint8_t more = reader_u8(r);
    reader_skip(r, 1);
    uint8_t count = reader_u8(r);
    if (!reader_ok(r))
        return;
    if ((conformity & 0x7f) < 1 || (conformity & 0x7f) > 3)
        exchange_breaks(x, VIOLATION_RANGE, "conformity level is not defined");
    if (more != 0 && more != 0xff)
        exchange_breaks(x, VIOLATION_RANGE, "more follows is neither 00 nor FF");
    identification_objects(x, r, count);
}

void exchange_encapsulated(struct exchange *x, struct reader *r)
{
    uint8_t type = reader_u8(r);
    if (!reader_ok(r))
        return;
    x->event.code[1] = type;
    bool is_request = x->event.direction == OT_REQUEST;
    if (is_request)
        x->asked.sub = type;
    else if (x->is_matched && type != x->asked.sub)
        exchange_echo_differs(x);
    switch (type) {
    case MODBUS_MEI_IDENTIFICATION:
        x->event.name = "read_device_identification";
        x->event.operation = OP_IDENTIFY;
        if (is_request)
            identification_request(x, r);
        else
            identification_response(x, r);
        break;
    case MODBUS_MEI_CANOPEN:
        x->event.name = "canopen_general_reference";
        x->event.operation = OP_WRITE;
        (void)exchange_rest(r);
        break;
    default:
        exchange_breaks(x, VIOLATION_FUNCTION, "MEI type is not defined");
        (void)exchange_rest(r);
        break;
    }
}
