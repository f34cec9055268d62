/* gse_management.c: the questions about GOOSE and GSSE that IEC 61850 devices ask each other by
 * multicast, beside GOOSE itself (PROTOCOLS 11.1).
 *
 * Spec: [8-1] IEC 61850-8-1 annex A and C.2
 *
 *   | APPID 2 | length 2, from APPID on | reserved 4 | 60 APDU |
 *   APDU:     | 80 state id | a1 requests or a2 responses |
 *   request:  | a1..a4 | 80 control block | a1 what |
 *   response: | a1..a4 | 80 control block | [81 revision] | a2 results or 83 error | , or | 80 |:
 *             not supported */
#include "ber.h"
#include "dissector.h"

enum {
    HEADER_SIZE = 8,
    APDU_TAG = 0x60,
    STATE_TAG = 0x80,
    REQUESTS_TAG = 0xa1,
    RESPONSES_TAG = 0xa2,
    SERVICE_FIRST = 0xa0,
    NOT_SUPPORTED = 0x80,
    CONTROL_BLOCK_TAG = 0x80,
    ERROR_TAG = 0x83,
};

/* [8-1] annex A: GSEMngtRequests, GSEMngtResponses */
static const char *const services[] = {
    "not_supported",    "get_go_reference",     "get_goose_element_number",
    "get_gs_reference", "get_gsse_data_offset",
};

/* [8-1] annex A: GlbErrors */
static const char *const errors[] = {
    "other",
    "unknown_control_block",
    "response_too_large",
    "control_block_configuration_error",
};

struct message {
    uint8_t service;
    bool is_response, has_error;
    uint64_t state;
    uint32_t error;
    struct text control_block;
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    memcpy(out, "0x0", 3);
    out[3] = (char)('0' + code[0] % 10);
    out[4] = '\0';
}

/* False when it does not fit; NULL in *why: the elements overrun. */
static bool read_service(struct reader r, struct message *m, const char **why)
{
    struct ber service, e;
    if (!ber_next(&r, &service))
        return false;
    if (m->is_response && service.tag == NOT_SUPPORTED) {
        m->has_error = true;
        return true;
    }
    if (service.tag <= SERVICE_FIRST ||
        service.tag >= SERVICE_FIRST + sizeof services / sizeof *services) {
        *why = "GSE management service is not defined";
        return false;
    }
    m->service = (uint8_t)(service.tag - SERVICE_FIRST);
    while (ber_next(&service.value, &e)) {
        if (e.tag == CONTROL_BLOCK_TAG)
            m->control_block = (struct text){(const char *)e.value.at, reader_left(&e.value)};
        if (m->is_response && e.tag == ERROR_TAG) {
            m->has_error = true;
            m->error = (uint32_t)ber_unsigned(e.value);
        }
    }
    return reader_ok(&service.value);
}

static bool read_apdu(struct reader r, struct message *m, const char **why)
{
    struct ber apdu, e;
    bool has_service = false;
    if (!ber_next(&r, &apdu) || apdu.tag != APDU_TAG)
        return false;
    while (ber_next(&apdu.value, &e)) {
        if (e.tag == STATE_TAG)
            m->state = ber_unsigned(e.value);
        if (e.tag != REQUESTS_TAG && e.tag != RESPONSES_TAG)
            continue;
        if (has_service) {
            *why = "GSE management message has two services";
            return false;
        }
        m->is_response = e.tag == RESPONSES_TAG;
        has_service = read_service(e.value, m, why);
        if (!has_service)
            return false;
    }
    return has_service && reader_ok(&apdu.value);
}

static void answer(struct dissect *d, struct ot_event *e, const struct message *m)
{
    bool is_refused = m->has_error && m->service == 0;
    size_t size;
    e->status = (struct ot_status){OT_RESULT_OK, 0, "ok"};
    if (m->has_error)
        e->status = (struct ot_status){
            .result = OT_RESULT_ERROR,
            .code = m->error,
            .name = is_refused                                  ? "not_supported"
                    : m->error < sizeof errors / sizeof *errors ? errors[m->error]
                                                                : NULL,
        };
    if (!dissect_recall(d, m->state, &size))
        e->flags |= OT_NO_REQUEST;
}

static void gse_management_dissect(struct dissect *d, struct reader r)
{
    struct reader whole = r;
    struct message m = {0};
    const char *why = "GSE management message does not fit";
    reader_skip(&r, 2);
    uint16_t length = reader_u16be(&r);
    reader_skip(&r, 4);
    if (!reader_ok(&r) || length < HEADER_SIZE || length > reader_left(&whole)) {
        emit_violation(d, VIOLATION_LENGTH, "GSE management length is not the message's", whole.at,
                       reader_left(&whole));
        return;
    }
    if (!read_apdu(r, &m, &why)) {
        emit_violation(d, VIOLATION_ENCODING, why, whole.at, reader_left(&whole));
        return;
    }
    struct ot_event e = event_of(d);
    uint32_t one = m.control_block.size ? 1 : 0;
    e.direction = m.is_response ? OT_RESPONSE : OT_REQUEST;
    e.code[0] = e.function = m.service;
    e.spell = spell;
    e.name = services[m.service];
    e.operation = OP_BROWSE;
    e.transaction = m.state;
    e.has_transaction = true;
    if (m.is_response)
        answer(d, &e, &m);
    else
        *(uint8_t *)dissect_remember(d, m.state, 1, NULL) = m.service;
    struct ot_item *item = one ? dissect_items(d, &one) : NULL;
    if (item && one) {
        *item = (struct ot_item){.area = "control_block", .name = m.control_block, .count = 1};
        e.items = item;
        e.item_count = e.items_total = 1;
    }
    emit_event(d, &e);
}

static enum claim gse_management_recognise(struct reader r)
{
    struct message m = {0};
    const char *why;
    reader_skip(&r, HEADER_SIZE);
    return read_apdu(r, &m, &why) ? CLAIM_YES : reader_peek(&r) == APDU_TAG ? CLAIM_WEAK : CLAIM_NO;
}

const struct dissector dissector_gse_management = {
    .name = "gse_management",
    .spec = "IEC 61850-8-1",
    .over = OVER_ETHERTYPE,
    .ethertypes = {0x88b9},
    .recognise = gse_management_recognise,
    .dissect = gse_management_dissect,
};
