/* s7comm.c: Siemens S7 communication, the classic kind of S7-200, 300, 400 and of PUT/GET on 1200
 * and 1500.
 *
 * Spec: PROTOCOLS 6; there is no public specification by the vendor.
 *
 *   | 0x32 1 | ROSCTR 1 | reserved 2, =0 | reference 2 | parameter size 2 | data size 2 |
 *   answers (2, 3): | error class 1 | error code 1 |     then | parameter | data |
 *
 * The first byte of a parameter is the function; ROSCTR 7 has its own form (s7comm_userdata.c). */
#include "s7comm.h"

#include "s7comm_blocks.h"
#include "s7comm_errors.h"
#include "s7comm_items.h"
#include "s7comm_userdata.h"

enum {
    PROTOCOL_ID = 0x32,
    HEADER_SIZE = 10,
    PDU_SIZE_MAX = 65535,
    CODE_NONE = 0, /* what code[3] says is in code[1] and code[2] */
    CODE_FUNCTION = 1,
};

static const struct function {
    const char *name;
    enum operation operation;
    bool is_known, is_block;
} functions[256] = {
    [S7COMM_CPU_SERVICES] = {"cpu_services",        OP_DIAGNOSTICS,      true, false},
    [S7COMM_READ_VAR] = {"read_var",            OP_READ,             true, false},
    [S7COMM_WRITE_VAR] = {"write_var",           OP_WRITE,            true, false},
    [S7COMM_REQUEST_DOWNLOAD] = {"request_download",    OP_PROGRAM_DOWNLOAD, true, true },
    [S7COMM_DOWNLOAD_BLOCK] = {"download_block",      OP_PROGRAM_DOWNLOAD, true, true },
    [S7COMM_DOWNLOAD_ENDED] = {"download_ended",      OP_PROGRAM_DOWNLOAD, true, true },
    [S7COMM_START_UPLOAD] = {"start_upload",        OP_PROGRAM_UPLOAD,   true, true },
    [S7COMM_UPLOAD] = {"upload",              OP_PROGRAM_UPLOAD,   true, true },
    [S7COMM_END_UPLOAD] = {"end_upload",          OP_PROGRAM_UPLOAD,   true, true },
    [S7COMM_PI_SERVICE] = {"pi_service",          OP_UNKNOWN,          true, true },
    [S7COMM_PLC_STOP] = {"plc_stop",            OP_STOP,             true, true },
    [S7COMM_SETUP] = {"setup_communication", OP_SESSION,          true, false},
};

static bool is_rosctr(uint8_t rosctr)
{
    return rosctr == S7COMM_JOB || rosctr == S7COMM_ACK || rosctr == S7COMM_ACK_DATA ||
           rosctr == S7COMM_USERDATA;
}

/* | rosctr 1 | reserved 2 | reference 2 | parameter 2 | data 2 |, of answers | error 2 |, behind
 * the protocol id. r is short afterwards when it is not there. */
struct header {
    uint8_t rosctr;
    uint16_t reserved, reference, parameter_size, data_size, error;
};

static struct header header_read(struct reader *r)
{
    struct header h = {0};
    const uint8_t *bytes = reader_bytes(r, HEADER_SIZE - 1);
    if (!bytes)
        return h;
    struct reader fields = reader_of(bytes, HEADER_SIZE - 1);
    h.rosctr = reader_u8(&fields);
    h.reserved = reader_u16be(&fields);
    h.reference = reader_u16be(&fields);
    h.parameter_size = reader_u16be(&fields);
    h.data_size = reader_u16be(&fields);
    if (h.rosctr == S7COMM_ACK || h.rosctr == S7COMM_ACK_DATA)
        h.error = reader_u16be(r);
    return h;
}

/* All that begins with 0x32 over COTP is asked to be S7; what is wrong with it is told by dissect.
 */
static enum claim s7comm_recognise(struct reader r)
{
    if (reader_u8(&r) != PROTOCOL_ID || reader_left(&r) == 0)
        return CLAIM_NO;
    struct header h = header_read(&r);
    if (!reader_ok(&r) || !is_rosctr(h.rosctr) || h.reserved != 0 ||
        (size_t)h.parameter_size + h.data_size != reader_left(&r))
        return CLAIM_WEAK;
    return CLAIM_YES;
}

/* --- the code as people spell it (PROTOCOLS 0.1) --- */

static char *spell_text(char *out, const char *text)
{
    while (*text)
        *out++ = *text++;
    return out;
}

static char *spell_number(char *out, uint32_t n)
{
    if (n >= 100)
        *out++ = (char)('0' + n / 100 % 10);
    if (n >= 10)
        *out++ = (char)('0' + n / 10 % 10);
    *out++ = (char)('0' + n % 10);
    return out;
}

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    out = spell_number(spell_text(out, "rosctr="), code[0]);
    if (code[3] == CODE_FUNCTION) {
        out = spell_text(out, ",func=0x");
        *out++ = hex[code[1] >> 4 & 15];
        *out++ = hex[code[1] & 15];
    } else if (code[3] != CODE_NONE) {
        out = spell_number(spell_text(out, ",group="), code[1]);
        out = spell_number(spell_text(out, ",sub="), code[2]);
    }
    *out = '\0';
}

void s7comm_event_start(struct ot_event *event, const struct dissect *d,
                        const struct s7comm_pdu *pdu)
{
    event_start(event, d);
    event->code[0] = pdu->rosctr;
    event->spell = spell;
    event->unit = d->carrier.unit;
    event->transaction = pdu->reference;
    event->has_transaction = true;
    event->direction = pdu->rosctr == S7COMM_JOB ? OT_REQUEST : OT_RESPONSE;
    event->telling = pdu->parameter.at;
    event->telling_size = reader_left(&pdu->parameter);
    if (!event->telling_size)
        event->telling = NULL;
}

void s7comm_set_status(struct ot_event *event, uint16_t error)
{
    event->status.result = error ? OT_RESULT_ERROR : OT_RESULT_OK;
    event->status.code = error;
    event->status.name = error ? s7comm_error_name(error) : NULL;
}

struct text s7comm_trimmed(struct reader r)
{
    struct text text = {(const char *)r.at, reader_left(&r)};
    for (size_t i = 0; i < text.size; i++)
        if (text.at[i] == '\0')
            text.size = i;
    while (text.size && text.at[text.size - 1] == ' ')
        text.size--;
    return text;
}

/* --- jobs --- */

/* rank 1: the second job in flight with one reference. */
static uint64_t key_of(const struct s7comm_pdu *pdu, bool is_from_client, unsigned rank)
{
    return (uint64_t)S7COMM_JOB << 40 | (uint64_t)rank << 32 | (uint64_t)is_from_client << 16 |
           pdu->reference;
}

/* | reserved 1 | jobs at once, calling 2 | called 2 | PDU size 2 | */
static void dissect_setup(struct dissect *d, const struct s7comm_pdu *pdu, struct ot_event *event)
{
    struct s7comm_state *s = d->state;
    struct reader r = pdu->parameter;
    reader_skip(&r, 5);
    uint16_t size = reader_u16be(&r);
    s->is_setup = true;
    if (!reader_ok(&r) || reader_left(&r)) {
        emit_violation(d, VIOLATION_LENGTH, "setup communication has the wrong size",
                       event->telling, event->telling_size);
        return;
    }
    s->pdu_size = pdu->rosctr == S7COMM_JOB || event->status.result == OT_RESULT_ERROR ? 0 : size;
    event->detail = dissect_text(d, "PDU size %u", size);
}

static void keep(struct dissect *d, uint64_t key, uint8_t function, const uint8_t *parameter,
                 size_t size)
{
    size_t head = offsetof(struct s7comm_request, parameter);
    struct s7comm_request *request = dissect_remember(d, key, head + size, NULL);
    request->size = (uint16_t)size;
    request->function = function;
    if (size)
        memcpy(request->parameter, parameter, size);
}

/* Panels send a second job with the reference of one that is still in flight; answers come in the
 * order of jobs. Where answers may have been lost the older job is let go instead, so that the
 * order heals. */
static void remember(struct dissect *d, const struct s7comm_pdu *pdu, uint8_t function)
{
    struct s7comm_state *s = d->state;
    size_t size = reader_left(&pdu->parameter);
    if (size > sizeof((struct s7comm_request *)0)->parameter)
        size = sizeof((struct s7comm_request *)0)->parameter;
    uint64_t first = key_of(pdu, d->is_from_client, 0);
    uint64_t second = key_of(pdu, d->is_from_client, 1);
    const struct s7comm_request *older = dissect_recall(d, first, NULL);
    if (!older || !d->flow->is_two_sided || d->flow->has_gap) {
        keep(d, first, function, pdu->parameter.at, size);
        return;
    }
    struct s7comm_request copy;
    copy.size = older->size;
    memcpy(copy.parameter, older->parameter, older->size);
    keep(d, first, older->function, copy.parameter, copy.size);
    keep(d, second, function, pdu->parameter.at, size);
    s->has_second = true;
}

/* The job that this answers; the second with its reference moves up. */
static const struct s7comm_request *recall(struct dissect *d, const struct s7comm_pdu *pdu)
{
    struct s7comm_state *s = d->state;
    const struct s7comm_request *request =
        dissect_recall(d, key_of(pdu, !d->is_from_client, 0), NULL);
    if (!request || !s->has_second)
        return request;
    const struct s7comm_request *second =
        dissect_recall(d, key_of(pdu, !d->is_from_client, 1), NULL);
    if (!second)
        return request;
    struct s7comm_request *answered = arena_take(d->arena, sizeof *answered);
    if (!answered)
        return NULL;
    answered->size = request->size;
    answered->function = request->function;
    memcpy(answered->parameter, request->parameter, request->size);
    struct s7comm_request copy;
    copy.size = second->size;
    memcpy(copy.parameter, second->parameter, second->size);
    keep(d, key_of(pdu, !d->is_from_client, 0), second->function, copy.parameter, copy.size);
    return answered;
}

static void check_setup(struct dissect *d, uint8_t function)
{
    struct s7comm_state *s = d->state;
    if (function == S7COMM_SETUP || s->is_setup)
        return;
    s->is_setup = true; /* told once */
    if (d->flow->is_start_seen)
        emit_violation(d, VIOLATION_STATE, "job before setup communication", NULL, 0);
}

static void set_function(struct ot_event *event, uint8_t function)
{
    const struct function *f = &functions[function];
    event->function = function;
    event->name = f->name;
    event->operation = f->operation;
}

static void dissect_job(struct dissect *d, struct s7comm_pdu *pdu)
{
    struct ot_event event;
    s7comm_event_start(&event, d, pdu);
    if (!reader_left(&pdu->parameter)) {
        emit_violation(d, VIOLATION_LENGTH, "job without a function", NULL, 0);
        emit_event(d, &event);
        return;
    }
    uint8_t function = reader_u8(&pdu->parameter);
    check_setup(d, function);
    if (function == S7COMM_SETUP && !d->flow->is_role_known) {
        dissect_sender_is_client(d, true);
        event.is_from_client = d->is_from_client;
    }
    event.code[1] = function;
    event.code[3] = CODE_FUNCTION;
    set_function(&event, function);
    remember(d, pdu, function);

    if (!functions[function].is_known)
        emit_violation(d, VIOLATION_FUNCTION, "function is unknown", event.telling, 1);
    if (functions[function].is_block) {
        s7comm_blocks_request(d, pdu, &event);
    } else if (function == S7COMM_SETUP) {
        dissect_setup(d, pdu, &event);
    } else if (function == S7COMM_READ_VAR || function == S7COMM_WRITE_VAR) {
        struct reader list = pdu->parameter;
        uint8_t count = reader_u8(&list);
        if (!reader_ok(&list))
            emit_violation(d, VIOLATION_LENGTH, "item count is missing", event.telling,
                           event.telling_size);
        s7comm_items(d, &event, list, count, pdu->data,
                     function == S7COMM_READ_VAR ? S7COMM_VALUES_NONE : S7COMM_VALUES_TO_WRITE);
    }
    emit_event(d, &event);
}

/* --- answers --- */

static void dissect_variables_answer(struct dissect *d, const struct s7comm_pdu *pdu,
                                     struct ot_event *event, const struct s7comm_request *request)
{
    bool is_read = event->function == S7COMM_READ_VAR;
    enum s7comm_values values = is_read ? S7COMM_VALUES_READ : S7COMM_VALUES_RESULTS;
    struct reader parameter = pdu->parameter;
    unsigned count = reader_u8(&parameter);
    if (!reader_ok(&parameter)) {
        if (event->status.result != OT_RESULT_ERROR)
            emit_violation(d, VIOLATION_LENGTH, "item count is missing", event->telling,
                           event->telling_size);
        return;
    }
    if (!request) {
        s7comm_items_unasked(d, event, count, pdu->data, values);
        return;
    }
    struct reader list = reader_of(request->parameter, request->size);
    unsigned asked = reader_u8(&list);
    if (count != asked && event->status.result == OT_RESULT_OK)
        emit_violation(d, VIOLATION_COUNT, "answer has another item count than its request",
                       event->telling, event->telling_size);
    s7comm_items(d, event, list, count < asked ? count : asked, pdu->data, values);
}

static void dissect_answer(struct dissect *d, struct s7comm_pdu *pdu)
{
    struct s7comm_state *s = d->state;
    struct ot_event event;
    s7comm_event_start(&event, d, pdu);
    const struct s7comm_request *request = recall(d, pdu);
    s->is_setup = true;
    s7comm_set_status(&event, pdu->error);

    bool has_function = pdu->rosctr == S7COMM_ACK_DATA && reader_left(&pdu->parameter);
    if (has_function) {
        uint8_t function = reader_u8(&pdu->parameter);
        if (request && request->function != function)
            request = NULL;
        event.code[1] = function;
        event.code[3] = CODE_FUNCTION;
        set_function(&event, function);
        if (!functions[function].is_known)
            emit_violation(d, VIOLATION_FUNCTION, "function is unknown", event.telling, 1);
    } else if (request) {
        set_function(&event, request->function);
    } else {
        event.name = "ack";
    }
    if (!request)
        event.flags |= OT_NO_REQUEST;

    if (functions[event.function].is_block && (has_function || request)) {
        s7comm_blocks_response(d, pdu, &event, request);
    } else if (has_function && event.function == S7COMM_SETUP) {
        dissect_setup(d, pdu, &event);
    } else if (has_function &&
               (event.function == S7COMM_READ_VAR || event.function == S7COMM_WRITE_VAR)) {
        dissect_variables_answer(d, pdu, &event, request);
    }
    emit_event(d, &event);
}

/* --- the PDU --- */

static void check_size(struct dissect *d, const struct s7comm_pdu *pdu)
{
    const struct s7comm_state *s = d->state;
    if (s->pdu_size && reader_left(&pdu->whole) > s->pdu_size)
        emit_violation(d, VIOLATION_LENGTH, "PDU is larger than negotiated", pdu->whole.at,
                       HEADER_SIZE);
}

/* What the header declares, or as much of it as is there. */
static struct reader take_part(struct reader *r, uint16_t declared)
{
    size_t left = reader_left(r);
    return reader_take(r, declared < left ? declared : left);
}

static void s7comm_dissect(struct dissect *d, struct reader r)
{
    struct s7comm_pdu pdu = {.whole = r};
    size_t size = reader_left(&r);
    if (reader_u8(&r) != PROTOCOL_ID) {
        emit_violation(d, VIOLATION_ENCODING, "protocol id is not 0x32", pdu.whole.at, size);
        return;
    }
    struct header h = header_read(&r);
    pdu.rosctr = h.rosctr;
    pdu.reference = h.reference;
    pdu.error = h.error;
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_TRUNCATED, "S7 header is cut off", pdu.whole.at, size);
        return;
    }
    if (!is_rosctr(pdu.rosctr)) {
        emit_violation(d, VIOLATION_FUNCTION, "ROSCTR is unknown", pdu.whole.at, HEADER_SIZE);
        return;
    }
    if (h.reserved != 0)
        emit_violation(d, VIOLATION_RESERVED, "reserved field is not 0", pdu.whole.at, HEADER_SIZE);
    size_t left = reader_left(&r), declared = (size_t)h.parameter_size + h.data_size;
    if (declared > left)
        emit_violation(d, VIOLATION_LENGTH, "parameter and data are longer than the PDU",
                       pdu.whole.at, HEADER_SIZE);
    else if (declared < left)
        emit_violation(d, VIOLATION_TRAILING, "bytes behind the data", pdu.whole.at, HEADER_SIZE);
    check_size(d, &pdu);
    pdu.parameter = take_part(&r, h.parameter_size);
    pdu.data = take_part(&r, h.data_size);

    if (pdu.rosctr == S7COMM_USERDATA)
        s7comm_userdata(d, &pdu);
    else if (pdu.rosctr == S7COMM_JOB)
        dissect_job(d, &pdu);
    else
        dissect_answer(d, &pdu);
}

const struct dissector dissector_s7comm = {
    .name = "s7comm",
    .spec = "S7 communication (Siemens, not published)",
    .over = OVER_COTP,
    .ports = {102},
    .state_size = sizeof(struct s7comm_state),
    .pdu_max = PDU_SIZE_MAX,
    .recognise = s7comm_recognise,
    .dissect = s7comm_dissect,
};
