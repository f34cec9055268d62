/* modbus_pdu.c: Modbus PDUs into events, whatever carries them.
 *
 * Spec: [MB]  MODBUS Application Protocol Specification V1.1b3
 *
 *   request   | function 1 | data |
 *   response  | function 1 | data |      exception  | function + 0x80 1 | exception code 1 |
 */
#include "modbus_exchange.h"

static const char units[256][4] = {
    "0",   "1",   "2",   "3",   "4",   "5",   "6",   "7",   "8",   "9",   "10",  "11",  "12",
    "13",  "14",  "15",  "16",  "17",  "18",  "19",  "20",  "21",  "22",  "23",  "24",  "25",
    "26",  "27",  "28",  "29",  "30",  "31",  "32",  "33",  "34",  "35",  "36",  "37",  "38",
    "39",  "40",  "41",  "42",  "43",  "44",  "45",  "46",  "47",  "48",  "49",  "50",  "51",
    "52",  "53",  "54",  "55",  "56",  "57",  "58",  "59",  "60",  "61",  "62",  "63",  "64",
    "65",  "66",  "67",  "68",  "69",  "70",  "71",  "72",  "73",  "74",  "75",  "76",  "77",
    "78",  "79",  "80",  "81",  "82",  "83",  "84",  "85",  "86",  "87",  "88",  "89",  "90",
    "91",  "92",  "93",  "94",  "95",  "96",  "97",  "98",  "99",  "100", "101", "102", "103",
    "104", "105", "106", "107", "108", "109", "110", "111", "112", "113", "114", "115", "116",
    "117", "118", "119", "120", "121", "122", "123", "124", "125", "126", "127", "128", "129",
    "130", "131", "132", "133", "134", "135", "136", "137", "138", "139", "140", "141", "142",
    "143", "144", "145", "146", "147", "148", "149", "150", "151", "152", "153", "154", "155",
    "156", "157", "158", "159", "160", "161", "162", "163", "164", "165", "166", "167", "168",
    "169", "170", "171", "172", "173", "174", "175", "176", "177", "178", "179", "180", "181",
    "182", "183", "184", "185", "186", "187", "188", "189", "190", "191", "192", "193", "194",
    "195", "196", "197", "198", "199", "200", "201", "202", "203", "204", "205", "206", "207",
    "208", "209", "210", "211", "212", "213", "214", "215", "216", "217", "218", "219", "220",
    "221", "222", "223", "224", "225", "226", "227", "228", "229", "230", "231", "232", "233",
    "234", "235", "236", "237", "238", "239", "240", "241", "242", "243", "244", "245", "246",
    "247", "248", "249", "250", "251", "252", "253", "254", "255",
};

struct text modbus_unit_text(uint8_t unit)
{
    return (struct text){units[unit], unit < 10 ? 1 : unit < 100 ? 2 : 3};
}

/* Some devices pad their responses with zeros. */
static bool is_padding(struct reader r, bool is_response)
{
    while (reader_left(&r))
        if (!is_response || reader_u8(&r) != 0)
            return false;
    return true;
}

static void check_direction(struct exchange *x, struct reader pdu, bool is_response)
{
    if (modbus_pdu_fits(pdu, is_response) || !modbus_pdu_fits(pdu, !is_response))
        return;
    if (is_response)
        exchange_breaks(x, VIOLATION_DIRECTION, "request sent by the server");
    else
        exchange_breaks(x, VIOLATION_DIRECTION, "response sent by the client");
}

static void hand_to_umas(struct dissect *d, const struct modbus_adu *adu, struct reader pdu,
                         bool is_response)
{
    struct carrier carrier = {
        .key = (uint64_t)adu->unit << 16 | adu->transaction,
        .unit = modbus_unit_text(adu->unit),
        .is_response = is_response,
        .is_keyed = true,
        .transaction = adu->transaction,
    };
    (void)dissect_over(d, OVER_MODBUS, pdu, &carrier);
}

/* Who asks. Port 502 tells; elsewhere the first PDU that fits one direction only does. */
static void decide_roles(struct dissect *d, struct reader pdu)
{
    enum { PORT = 502 };
    struct modbus_state *s = d->state;
    if (d->flow->server.port == PORT) {
        s->roles = ROLES_AS_OPENED;
        return;
    }
    if (d->flow->client.port == PORT) {
        s->roles = ROLES_REVERSED;
        return;
    }
    bool is_request = modbus_pdu_fits(pdu, false);
    if (is_request == modbus_pdu_fits(pdu, true))
        return;
    if (!d->flow->is_role_known)
        dissect_sender_is_client(d, is_request);
    s->roles = is_request == d->is_from_client ? ROLES_AS_OPENED : ROLES_REVERSED;
}

static bool is_response_of(struct dissect *d, struct reader pdu)
{
    struct modbus_state *s = d->state;
    if (s->roles == ROLES_UNDECIDED)
        decide_roles(d, pdu);
    return d->is_from_client == (s->roles == ROLES_REVERSED);
}

static void describe(struct exchange *x, uint8_t code)
{
    const struct modbus_adu *adu = x->adu;
    struct ot_event *e = &x->event;
    event_start(e, x->d);
    e->protocol = "modbus"; /* with every framing */
    e->code[0] = e->function = code & MODBUS_FUNCTION_BITS;
    e->name = x->function->name;
    e->operation = x->function->operation;
    e->unit = modbus_unit_text(adu->unit);
    e->transaction = adu->transaction;
    e->has_transaction = adu->has_transaction;
    e->telling = x->pdu;
    e->telling_size = x->pdu_size;
}

static void parse_response(struct exchange *x, uint8_t code, struct reader *r)
{
    bool is_exception = code & MODBUS_EXCEPTION_BIT;
    exchange_recall(x, code & MODBUS_FUNCTION_BITS, is_exception, *r);
    x->event.status.result = OT_RESULT_OK;
    if (is_exception)
        exchange_exception(x, r);
    else
        exchange_parse(x, r);
}

static void parse_request(struct exchange *x, uint8_t code, struct reader *r)
{
    if (x->adu->is_serial && x->adu->unit == 0)
        x->event.flags |= OT_BROADCAST;
    if (code & MODBUS_EXCEPTION_BIT) { /* refuses nothing; told by check_direction */
        exchange_exception(x, r);
        return;
    }
    if (x->function->layout == LAYOUT_UNDEFINED)
        exchange_breaks(x, VIOLATION_FUNCTION, "function code is not defined");
    x->asked.function = code;
    exchange_parse(x, r);
    exchange_remember(x);
}

void modbus_pdu_dissect(struct dissect *d, const struct modbus_adu *adu, struct reader pdu)
{
    struct reader r = pdu;
    uint8_t code = reader_u8(&r);
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_TRUNCATED, "no function code", NULL, 0);
        return;
    }
    bool is_response = is_response_of(d, pdu);
    struct exchange x;
    x.d = d;
    x.adu = adu;
    x.function = modbus_function_of(code);
    x.is_matched = false;
    x.pdu = pdu.at;
    x.pdu_size = reader_left(&pdu);
    memset(&x.asked, 0, offsetof(struct asked, records));
    describe(&x, code);
    x.event.direction = is_response ? OT_RESPONSE : OT_REQUEST;
    check_direction(&x, pdu, is_response);
    if (is_response)
        parse_response(&x, code, &r);
    else
        parse_request(&x, code, &r);
    if (!reader_ok(&r))
        exchange_breaks(&x, VIOLATION_TRUNCATED, "PDU ends before its fields do");
    else if (!is_padding(r, is_response))
        exchange_breaks(&x, VIOLATION_TRAILING, "bytes after the end of the PDU");
    emit_event(d, &x.event);
    if (code == MODBUS_UMAS)
        hand_to_umas(d, adu, pdu, is_response);
}
