/* mms_pdu.c: the PDUs of MMS.
 *
 * Spec: [MMS] ISO 9506-2 7 to 9
 *
 *   a0 request:  | 02 invoke id | [30 modifiers] | [service] body |
 *   a1 response: | 02 invoke id | [service] body |
 *   a2 error:    | 80 invoke id | [81 modifier] | a2 | a0 | [class] code | [81] [82 words] | |
 *   a3 unconfirmed: | [service] body |      a4 reject: | [80 invoke id] | [kind] reason |
 *   a8, a9 initiate: | 80 size | 81 82 outstanding | 83 nesting | a4 | 80 version | 81 82 | | */
#include "mms.h"

enum pdu { /* [MMS] 7.1: context tags */
           PDU_REQUEST = 0,
           PDU_RESPONSE = 1,
           PDU_ERROR = 2,
           PDU_UNCONFIRMED = 3,
           PDU_REJECT = 4,
           PDU_CANCEL_REQUEST = 5,
           PDU_INITIATE_REQUEST = 8,
           PDU_INITIATE_RESPONSE = 9,
           PDU_COUNT = 14,
};

enum {
    UNCONFIRMED_COUNT = 3,
    VERSION = 1,
    SIZE_MIN = 64, /* of a PDU: below it no name fits */
};

static const struct row {
    uint8_t tag;
    enum ot_direction direction;
    enum operation operation;
    const char *name;
} pdus[PDU_COUNT] = {
    {0xa0, OT_REQUEST,  OP_UNKNOWN, "confirmed_request" },
    {0xa1, OT_RESPONSE, OP_UNKNOWN, "confirmed_response"},
    {0xa2, OT_RESPONSE, OP_ERROR,   "confirmed_error"   },
    {0xa3, OT_ONEWAY,   OP_PUBLISH, "unconfirmed"       },
    {0xa4, OT_RESPONSE, OP_ERROR,   "reject"            },
    {0x85, OT_REQUEST,  OP_SESSION, "cancel_request"    },
    {0x86, OT_RESPONSE, OP_SESSION, "cancel_response"   },
    {0xa7, OT_RESPONSE, OP_ERROR,   "cancel_error"      },
    {0xa8, OT_REQUEST,  OP_SESSION, "initiate_request"  },
    {0xa9, OT_RESPONSE, OP_SESSION, "initiate_response" },
    {0xaa, OT_RESPONSE, OP_ERROR,   "initiate_error"    },
    {0x8b, OT_REQUEST,  OP_SESSION, "conclude_request"  },
    {0x8c, OT_RESPONSE, OP_SESSION, "conclude_response" },
    {0xad, OT_RESPONSE, OP_ERROR,   "conclude_error"    },
};

static char *spell_number(char *out, uint32_t n)
{
    char digits[12];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    while (count)
        *out++ = digits[--count];
    return out;
}

/* code: PDU, service, -, 1 when there is a service (PROTOCOLS 0.1) */
static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    memcpy(out, "pdu=", 4);
    out = spell_number(out + 4, code[0]);
    if (code[3]) {
        memcpy(out, ",service=", 9);
        out = spell_number(out + 9, code[1]);
    }
    *out = '\0';
}

static void set_service(struct ot_event *event, uint32_t service)
{
    event->code[1] = service;
    event->code[3] = 1;
    event->function = service;
}

/* Both sides may ask: a server that loads a domain does. */
static uint64_t request_key(uint64_t invoke, bool is_from_client)
{
    return invoke << 1 | is_from_client;
}

static void set_transaction(struct ot_event *event, uint64_t invoke)
{
    event->transaction = invoke;
    event->has_transaction = true;
}

static bool is_service(const struct ber *e)
{
    return (e->tag & 0xc0) == 0x80; /* context class */
}

static void malformed(struct dissect *d, const struct ot_event *event)
{
    emit_violation(d, VIOLATION_ENCODING, "element does not fit in its parent", event->telling,
                   event->telling_size);
}

/* --- confirmed services --- */

static void remember(struct dissect *d, const struct ot_event *event, uint64_t invoke,
                     const struct ber *service)
{
    bool was_in_flight;
    struct mms_request *request = dissect_remember(d, request_key(invoke, d->is_from_client),
                                                   sizeof *request, &was_in_flight);
    if (was_in_flight && d->flow->is_two_sided &&
        !d->flow->has_gap) /* else it was answered unseen */
        emit_violation(d, VIOLATION_DUPLICATE, "invoke id is in flight already", event->telling,
                       event->telling_size);
    size_t size = reader_left(&service->value);
    request->service = (uint8_t)service->number;
    request->is_cut = size > sizeof request->body;
    request->size = (uint16_t)(request->is_cut ? sizeof request->body : size);
    if (size)
        memcpy(request->body, service->value.at, request->size);
}

static void dissect_request(struct dissect *d, struct ot_event *event, struct reader body)
{
    struct ber invoke, service;
    bool has_service = false;
    if (!ber_next(&body, &invoke) || invoke.tag != BER_INTEGER) {
        emit_violation(d, VIOLATION_ENCODING, "request has no invoke id", event->telling,
                       event->telling_size);
        return;
    }
    uint64_t id = ber_unsigned(invoke.value);
    set_transaction(event, id);
    while (!has_service && ber_next(&body, &service))
        has_service = is_service(&service); /* what is before are modifiers */
    if (!has_service) {
        malformed(d, event);
        return;
    }
    uint32_t n = service.number;
    set_service(event, n);
    event->name = mms_service_name(n);
    event->operation = mms_service_operation(n);
    if (!event->name)
        emit_violation(d, VIOLATION_FUNCTION, "service is unknown", service.at, 1);
    if (n == MMS_READ)
        mms_read_request(d, event, service.value);
    else if (n == MMS_WRITE)
        mms_write_request(d, event, service.value);
    else
        mms_service_item(d, event, n, service.value);
    mms_service_transfer(d, event, n, service.value, NULL);
    remember(d, event, id, &service);
}

static void dissect_response(struct dissect *d, struct ot_event *event, struct reader body)
{
    struct ber invoke, service;
    if (!ber_next(&body, &invoke) || invoke.tag != BER_INTEGER) {
        emit_violation(d, VIOLATION_ENCODING, "response has no invoke id", event->telling,
                       event->telling_size);
        return;
    }
    uint64_t id = ber_unsigned(invoke.value);
    set_transaction(event, id);
    event->status.result = OT_RESULT_OK;
    const struct mms_request *request =
        dissect_recall(d, request_key(id, !d->is_from_client), NULL);
    if (!request)
        event->flags |= OT_NO_REQUEST;
    bool has_service = ber_next(&body, &service);
    if (!has_service || !is_service(&service)) {
        if (has_service || !reader_ok(&body))
            malformed(d, event);
        if (request)
            event->operation = mms_service_operation(request->service);
        return;
    }
    uint32_t n = service.number;
    set_service(event, n);
    event->name = mms_service_name(n);
    event->operation = mms_service_operation(n);
    if (!event->name)
        emit_violation(d, VIOLATION_FUNCTION, "service is unknown", service.at, 1);
    if (request && request->service != n) {
        emit_violation(d, VIOLATION_STATE, "answer is of another service than its request",
                       service.at, 1);
        request = NULL;
    }
    if (n == MMS_READ)
        mms_read_answer(d, event, service.value, request);
    else if (n == MMS_WRITE)
        mms_write_answer(d, event, service.value, request);
    else if (request)
        mms_service_item(d, event, n, reader_of(request->body, request->size));
    mms_service_answer(d, event, n, service.value, request);
    mms_service_transfer(d, event, n, service.value, request);
}

/* --- errors --- */

static const char *error_name(uint32_t class, uint64_t code)
{
    /* [MMS] 7.4.3 ServiceError */
    static const char *const classes[] = {"vmd_state",       "application_reference",
                                          "definition",      "resource",
                                          "service",         "service_preempt",
                                          "time_resolution", "access",
                                          "initiate",        "conclude",
                                          "cancel",          "file",
                                          "others"};
    static const char *const accesses[] = {"access_other", "object_access_unsupported",
                                           "object_non_existent", "object_access_denied",
                                           "object_invalidated"};
    static const char *const files[] = {
        "file_other",           "filename_ambiguous", "file_busy",          "filename_syntax_error",
        "content_type_invalid", "position_invalid",   "file_access_denied", "file_non_existent",
        "duplicate_filename",   "insufficient_space"};
    if (class == 7 && code < sizeof accesses / sizeof *accesses)
        return accesses[code];
    if (class == 11 && code < sizeof files / sizeof *files)
        return files[code];
    return class < sizeof classes / sizeof *classes ? classes[class] : NULL;
}

/* | [0] | [class] code | | ... | */
static void set_error(struct ot_event *event, struct reader service_error)
{
    struct ber class, code;
    event->status.result = OT_RESULT_ERROR;
    if (!ber_find(service_error, 0xa0, &class) || !ber_next(&class.value, &code))
        return;
    uint64_t n = ber_unsigned(code.value);
    event->status.code = code.number << 8 | (uint32_t)(n & 0xff);
    event->status.name = error_name(code.number, n);
}

static void dissect_error(struct dissect *d, struct ot_event *event, struct reader body)
{
    struct ber e;
    event->status.result = OT_RESULT_ERROR;
    if (ber_find(body, 0xa2, &e))
        set_error(event, e.value);
    else
        set_error(event, body); /* of initiate and conclude: no invoke id around it */
    if (!ber_find(body, 0x80, &e))
        return;
    uint64_t id = ber_unsigned(e.value);
    set_transaction(event, id);
    const struct mms_request *request =
        dissect_recall(d, request_key(id, !d->is_from_client), NULL);
    if (!request) {
        event->flags |= OT_NO_REQUEST;
        return;
    }
    struct reader asked = reader_of(request->body, request->size);
    struct ot_status status = event->status;
    event->operation = mms_service_operation(request->service);
    event->function = request->service;
    if (request->is_cut)
        return;
    if (request->service == MMS_WRITE)
        mms_write_request(d, event, asked);
    else if (request->service == MMS_READ)
        mms_read_request(d, event, asked);
    else
        mms_service_item(d, event, request->service, asked);
    event->status = status;
}

/* [MMS] 7.4.4: | [80 invoke id] | [1..10] reason | */
static void dissect_reject(struct dissect *d, struct ot_event *event, struct reader body)
{
    static const char *const kinds[] = {
        NULL,           "confirmed_request", "confirmed_response", "confirmed_error",
        "unconfirmed",  "pdu_error",         "cancel_request",     "cancel_response",
        "cancel_error", "conclude_request",  "conclude_response"};
    struct ber e;
    event->status.result = OT_RESULT_ERROR;
    while (ber_next(&body, &e)) {
        if (e.number == 0) {
            uint64_t id = ber_unsigned(e.value);
            set_transaction(event, id);
            (void)dissect_recall(d, request_key(id, !d->is_from_client), NULL);
        } else if (e.number < sizeof kinds / sizeof *kinds) {
            event->status.code = e.number << 8 | (uint32_t)(ber_unsigned(e.value) & 0xff);
            event->status.name = kinds[e.number];
        }
    }
}

/* --- association --- */

static void dissect_initiate(struct dissect *d, struct ot_event *event, struct reader body,
                             const struct mms_association *a)
{
    struct ber e, version;
    bool is_request = event->code[0] == PDU_INITIATE_REQUEST;
    if (ber_find(body, 0x80, &e) && ber_unsigned(e.value) < SIZE_MIN)
        emit_violation(d, VIOLATION_RANGE, "PDU size to agree on is absurd", e.at, 1);
    if ((ber_find(body, 0x81, &e) && ber_unsigned(e.value) == 0) ||
        (ber_find(body, 0x82, &e) && ber_unsigned(e.value) == 0))
        emit_violation(d, VIOLATION_RANGE, "no service may be outstanding", e.at, 1);
    if (ber_find(body, 0xa4, &e) && ber_find(e.value, 0x80, &version) &&
        ber_unsigned(version.value) != VERSION)
        emit_violation(d, VIOLATION_RANGE, "MMS version is not 1", version.at, 1);
    dissect_sender_is_client(d, is_request);
    event->is_from_client = d->is_from_client;
    if (!is_request)
        event->status.result = OT_RESULT_OK;
    if (!a)
        return;
    event->detail = is_request ? a->calling : a->called; /* of who speaks */
    if (a->has_password) {
        event->operation = OP_AUTH;
        event->flags |= OT_HAS_CREDENTIAL;
        event->secret = a->password.at;
        event->secret_size = reader_left(&a->password);
    }
    if (a->result)
        event->status = (struct ot_status){OT_RESULT_ERROR, a->result, "association_refused"};
}

/* --- unconfirmed --- */

static void dissect_unconfirmed(struct dissect *d, struct ot_event *event, struct reader body)
{
    static const struct {
        const char *name;
        enum operation operation;
    } services[UNCONFIRMED_COUNT] = {
        {"information_report", OP_PUBLISH},
        {"unsolicited_status", OP_PUBLISH},
        {"event_notification", OP_ALARM  },
    };
    struct ber service;
    event->flags |= OT_UNSOLICITED;
    if (!ber_next(&body, &service)) {
        malformed(d, event);
        return;
    }
    set_service(event, service.number);
    if (service.number < UNCONFIRMED_COUNT) {
        event->name = services[service.number].name;
        event->operation = services[service.number].operation;
    } else {
        event->name = NULL;
        emit_violation(d, VIOLATION_FUNCTION, "unconfirmed service is unknown", service.at, 1);
    }
    if (service.number == 0)
        mms_information_report(d, event, service.value);
}

/* --- the PDU --- */

void mms_pdu(struct dissect *d, struct reader r, const struct mms_association *association)
{
    struct ber pdu;
    const uint8_t *at = r.at;
    size_t size = reader_left(&r);
    if (!ber_next(&r, &pdu)) {
        emit_violation(d, VIOLATION_LENGTH, "MMS PDU is cut off", at, size);
        return;
    }
    uint32_t n = pdu.number;
    if (n >= PDU_COUNT || pdus[n].tag != pdu.tag) {
        emit_violation(d, VIOLATION_FUNCTION, "MMS PDU is unknown", at, 1);
        return;
    }
    if (pdu.is_indefinite)
        emit_violation(d, VIOLATION_ENCODING, "length is indefinite", at, size);
    else if (reader_left(&r))
        emit_violation(d, VIOLATION_TRAILING, "bytes behind the MMS PDU", r.at, reader_left(&r));
    struct ot_event event = event_of(d);
    event.direction = pdus[n].direction;
    event.operation = pdus[n].operation;
    event.name = pdus[n].name;
    event.code[0] = event.function = n;
    event.spell = spell;
    event.unit = d->carrier.unit;
    event.telling = at;
    event.telling_size = size;
    switch (n) {
    case PDU_REQUEST:
        dissect_request(d, &event, pdu.value);
        break;
    case PDU_RESPONSE:
        dissect_response(d, &event, pdu.value);
        break;
    case PDU_UNCONFIRMED:
        dissect_unconfirmed(d, &event, pdu.value);
        break;
    case PDU_REJECT:
        dissect_reject(d, &event, pdu.value);
        break;
    case PDU_CANCEL_REQUEST:
    case PDU_CANCEL_REQUEST + 1:
        set_transaction(&event, ber_unsigned(pdu.value));
        break;
    case PDU_INITIATE_REQUEST:
    case PDU_INITIATE_RESPONSE:
        dissect_initiate(d, &event, pdu.value, association);
        break;
    default:
        if (pdus[n].operation == OP_ERROR)
            dissect_error(d, &event, pdu.value);
        break;
    }
    bool is_iccp = event.code[3] && mms_iccp(d, &event);
    emit_event(d, &event);
    if (is_iccp)
        mms_iccp_tell(d, &event);
}
