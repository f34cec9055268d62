/* mms.c: what carries MMS: session, presentation and association control over COTP.
 *
 * Spec: [SES] ITU-T X.225 (ISO 8327-1); [PRES] X.226 (ISO 8823-1); [ACSE] X.227 (ISO 8650-1);
 *       PROTOCOLS 11
 *
 *   session: | kind 1 | size 1 (or ff, 2) | parameters: | code 1 | size | value | |
 *            user data is the parameter 0xc1; data: | 01 00 | 01 00 | user data |
 *   presentation: connect | 31 | [0] mode, [2] | ... [4] contexts ... 61 data | |
 *                 data | 61 | 30 | 02 context, [06 syntax], [0] value | |
 *   association: 60 request, 61 answer: | ... [30] 28 | ... 02 context ... [0] MMS PDU | |
 *
 * Some controllers put MMS right into COTP, with none of it. */
#include "mms.h"

enum session { /* [SES] 8.2.5 */
               SESSION_DATA = 0x01,
               SESSION_FINISH = 0x09,
               SESSION_DISCONNECT = 0x0a,
               SESSION_REFUSE = 0x0c,
               SESSION_CONNECT = 0x0d,
               SESSION_ACCEPT = 0x0e,
               SESSION_ABORT = 0x19,
};

enum {
    PARAMETER_USER_DATA = 0xc1,
    PARAMETER_LONG_USER_DATA = 0xc2,
    CP_TYPE = 0x31,   /* [PRES] 8.2: a set */
    USER_DATA = 0x61, /* [PRES] 8.4.2: fully encoded */
    AARQ = 0x60,
    AARE = 0x61,
    ABRT = 0x64,
    PDU_SIZE_MAX = 65535,
    TITLE_SIZE = 48,
};

/* --- session --- */

/* | size 1 | or | ff | size 2 | */
static size_t session_size(struct reader *r)
{
    size_t size = reader_u8(r);
    return size == 0xff ? reader_u16be(r) : size;
}

static bool is_session(uint8_t kind)
{
    switch (kind) {
    case SESSION_FINISH:
    case SESSION_DISCONNECT:
    case SESSION_REFUSE:
    case SESSION_CONNECT:
    case SESSION_ACCEPT:
    case SESSION_ABORT:
        return true;
    default:
        return false;
    }
}

/* The user data of a session PDU; empty when it has none; short when it is malformed. */
static struct reader session_user_data(struct reader r)
{
    struct reader data = reader_of(NULL, 0);
    reader_skip(&r, 1);
    size_t size = session_size(&r);
    struct reader parameters = reader_take(&r, size);
    while (reader_left(&parameters)) {
        uint8_t code = reader_u8(&parameters);
        struct reader value = reader_take(&parameters, session_size(&parameters));
        if (code == PARAMETER_USER_DATA || code == PARAMETER_LONG_USER_DATA)
            data = value;
    }
    if (!reader_ok(&parameters) || !reader_ok(&r))
        reader_fail(&data);
    return data;
}

/* An MMS PDU without anything around it: its length is all there is, and it begins as it should. */
static enum claim recognise_direct(struct reader r)
{
    struct ber pdu;
    uint8_t tag = reader_peek(&r);
    if (!ber_next(&r, &pdu) || reader_left(&r) || pdu.is_indefinite)
        return CLAIM_NO;
    uint8_t first = reader_peek(&pdu.value);
    switch (tag) {
    case 0xa0:
    case 0xa1:
        return first == BER_INTEGER ? CLAIM_YES : CLAIM_NO;
    case 0xa2:
    case 0xa8:
    case 0xa9:
        return first == 0x80 || first == 0x81 ? CLAIM_YES : CLAIM_NO;
    case 0xa3:
        return (first & 0xe0) == 0xa0 ? CLAIM_YES : CLAIM_NO;
    case 0xa4:
    case 0x85:
    case 0x86:
    case 0xa7:
    case 0xaa:
    case 0x8b:
    case 0x8c:
    case 0xad:
        return CLAIM_WEAK;
    default:
        return CLAIM_NO;
    }
}

static enum claim mms_recognise(struct reader r)
{
    struct reader whole = r;
    uint8_t first = reader_u8(&r), second = reader_u8(&r);
    if (!reader_ok(&r))
        return CLAIM_NO;
    if (first == SESSION_DATA && second == 0) {
        bool is_data = reader_u8(&r) == SESSION_DATA && reader_u8(&r) == 0;
        return is_data && reader_u8(&r) == USER_DATA ? CLAIM_YES : CLAIM_NO;
    }
    if (!is_session(first))
        return recognise_direct(whole);
    struct reader data = session_user_data(whole);
    uint8_t tag = reader_peek(&data);
    if (tag == CP_TYPE)
        return CLAIM_YES;
    return reader_ok(&data) && (tag == USER_DATA || !reader_left(&data)) ? CLAIM_WEAK : CLAIM_NO;
}

static void not_fitting(struct dissect *d, const char *why, struct reader r)
{
    emit_violation(d, VIOLATION_LENGTH, why, r.at, reader_left(&r));
}

/* --- association control --- */

static char *put_number(char *at, uint64_t n)
{
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    while (count)
        *at++ = digits[--count];
    return at;
}

/* An application title and qualifier as people write them: "1.1.999.1:12". */
static struct text peer_name(struct dissect *d, struct reader pdu, uint8_t title_tag,
                             uint8_t qualifier_tag)
{
    enum { ROOM = TITLE_SIZE + 2 * 20 };
    struct ber title, oid, qualifier, number;
    if (!ber_find(pdu, title_tag, &title) || !ber_next(&title.value, &oid) || oid.tag != BER_OID)
        return (struct text){NULL, 0};
    char *out = arena_take(d->arena, ROOM), *at = out;
    if (!out)
        return (struct text){NULL, 0};
    uint64_t part = 0;
    bool is_first = true;
    while (reader_left(&oid.value) && at < out + TITLE_SIZE - 21) {
        uint8_t byte = reader_u8(&oid.value);
        part = (part & 0xffffffff) << 7 | (byte & 0x7f);
        if (byte & 0x80)
            continue;
        if (is_first) { /* [X.690] 8.19.4: the first two in one */
            uint64_t root = part < 40 ? 0 : part < 80 ? 1 : 2;
            at = put_number(at, root);
            part -= root * 40;
            is_first = false;
        }
        *at++ = '.';
        at = put_number(at, part);
        part = 0;
    }
    if (ber_find(pdu, qualifier_tag, &qualifier) && ber_next(&qualifier.value, &number)) {
        *at++ = ':';
        at = put_number(at, ber_unsigned(number.value));
    }
    return (struct text){out, (size_t)(at - out)};
}

/* [ACSE] user-information: | 28 | [06] [02 context] [0] MMS PDU | */
static bool user_information(struct reader pdu, struct reader *mms)
{
    struct ber information, external, e;
    if (!ber_find(pdu, 0xbe, &information) || !ber_next(&information.value, &external) ||
        external.tag != BER_EXTERNAL)
        return false;
    while (ber_next(&external.value, &e)) {
        if ((e.tag & 0xc0) == 0x80) {
            *mms = e.value;
            return true;
        }
    }
    return false;
}

static void dissect_association(struct dissect *d, const struct ber *pdu)
{
    bool is_request = pdu->tag == AARQ;
    struct mms_association a = {0};
    struct reader mms, body = pdu->value;
    struct ber e, value;
    if (is_request) {
        a.calling = peer_name(d, body, 0xa6, 0xa7);
        a.called = peer_name(d, body, 0xa2, 0xa3);
    } else {
        a.called = peer_name(d, body, 0xa4, 0xa5);
        if (ber_find(body, 0xa2, &e) && ber_next(&e.value, &value))
            a.result = (uint32_t)ber_unsigned(value.value);
    }
    /* authentication: of the calling side [12], of the responding side [10] */
    if (ber_find(body, is_request ? 0xac : 0xaa, &e) && ber_next(&e.value, &value)) {
        a.has_password = true;
        a.password = value.value;
    }
    if (user_information(body, &mms))
        mms_pdu(d, mms, &a);
}

static void dissect_acse(struct dissect *d, struct reader r)
{
    struct ber pdu;
    struct reader whole = r;
    if (!ber_next(&r, &pdu)) {
        not_fitting(d, "association PDU does not fit", whole);
        return;
    }
    if (pdu.tag == AARQ || pdu.tag == AARE)
        dissect_association(d, &pdu);
    /* release (62, 63) and abort (64) carry nothing for MMS */
}

/* --- presentation --- */

static bool is_mms_tag(uint8_t tag)
{
    return (tag >= 0xa0 && tag <= 0xad) || (tag >= 0x85 && tag <= 0x8c);
}

/* | 30 | 02 context, [06 syntax], value: [0] one type, [1] octets | |, ... */
static void dissect_values(struct dissect *d, struct reader list)
{
    const struct mms_state *s = d->state;
    struct reader whole = list;
    struct ber item = {0}, e = {0};
    while (ber_next(&list, &item)) {
        uint64_t context = 0;
        while (ber_next(&item.value, &e) && (e.tag & 0xc0) == 0)
            if (e.tag == BER_INTEGER)
                context = ber_unsigned(e.value);
        if (!reader_ok(&item.value) || (e.tag & 0xc0) != 0x80)
            break;
        uint8_t tag = reader_peek(&e.value);
        if (s->has_contexts && context != s->mms_context && context != s->acse_context)
            emit_violation(d, VIOLATION_STATE, "presentation context was not agreed on", item.at,
                           (size_t)(item.value.end - item.at));
        if (tag >= AARQ && tag <= ABRT)
            dissect_acse(d, e.value);
        else if (is_mms_tag(tag))
            mms_pdu(d, e.value, NULL);
    }
    if (!reader_ok(&list) || !reader_ok(&item.value))
        not_fitting(d, "presentation data does not fit", whole);
}

static void dissect_user_data(struct dissect *d, struct reader r)
{
    struct ber data;
    struct reader whole = r;
    if (!reader_left(&r))
        return;
    if (!ber_next(&r, &data)) {
        not_fitting(d, "presentation data does not fit", whole);
        return;
    }
    if (data.tag == USER_DATA)
        dissect_values(d, data.value);
}

/* | 30 | 02 context, 06 abstract syntax, 30 transfer syntaxes | |, ... */
static void read_contexts(struct mms_state *s, struct reader list)
{
    static const uint8_t acse[] = {0x52, 0x01, 0x00, 0x01};
    struct ber item, context, syntax;
    while (ber_next(&list, &item)) {
        if (!ber_next(&item.value, &context) || context.tag != BER_INTEGER ||
            !ber_next(&item.value, &syntax) || syntax.tag != BER_OID)
            continue;
        uint8_t id = (uint8_t)ber_unsigned(context.value);
        if (reader_left(&syntax.value) == sizeof acse &&
            memcmp(syntax.value.at, acse, sizeof acse) == 0)
            s->acse_context = id;
        else
            s->mms_context = id;
        s->has_contexts = true;
    }
}

/* | 31 | [0] mode | [2] | ... | | */
static void dissect_connect(struct dissect *d, struct reader r, bool is_request)
{
    struct ber cp, parameters, e;
    struct reader whole = r;
    if (!ber_next(&r, &cp) || cp.tag != CP_TYPE || !ber_find(cp.value, 0xa2, &parameters)) {
        not_fitting(d, "presentation connect does not fit", whole);
        return;
    }
    if (is_request) {
        *(struct mms_state *)d->state = (struct mms_state){0};
        if (ber_find(parameters.value, 0xa4, &e))
            read_contexts(d->state, e.value);
    }
    if (ber_find(parameters.value, USER_DATA, &e))
        dissect_values(d, e.value);
}

static void mms_dissect(struct dissect *d, struct reader r)
{
    struct reader whole = r;
    uint8_t kind = reader_peek(&r);
    if (kind == SESSION_DATA) { /* [SES] give tokens, then data, both without parameters */
        reader_skip(&r, 1);
        reader_skip(&r, session_size(&r));
        bool is_data = reader_u8(&r) == SESSION_DATA;
        reader_skip(&r, session_size(&r));
        if (!reader_ok(&r) || !is_data)
            not_fitting(d, "session data does not fit", whole);
        else
            dissect_user_data(d, r);
        return;
    }
    if (!is_session(kind)) {
        mms_pdu(d, r, NULL);
        return;
    }
    struct reader data = session_user_data(r);
    if (!reader_ok(&data)) {
        not_fitting(d, "session parameters do not fit", whole);
        return;
    }
    if (kind == SESSION_CONNECT || kind == SESSION_ACCEPT)
        dissect_connect(d, data, kind == SESSION_CONNECT);
    else
        dissect_user_data(d, data);
}

const struct dissector dissector_mms = {
    .name = "mms",
    .spec = "ISO 9506; IEC 61850-8-1; ITU-T X.225, X.226, X.227",
    .over = OVER_COTP,
    .ports = {102},
    .state_size = sizeof(struct mms_state),
    .pdu_max = PDU_SIZE_MAX,
    .recognise = mms_recognise,
    .dissect = mms_dissect,
};
