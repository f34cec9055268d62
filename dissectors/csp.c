/* csp.c: CSPv4, which carries PCCC to PLC-5E and SLC 5/05 controllers (AB Ethernet).
 *
 * No public specification; after public decoders and captures.
 *
 *   | command 2 | length 2 | session 4 | status 4 | context 8 | options 4 | 0, 4 | length bytes |
 *
 * big endian; command 0107 and its reply 0207 carry | destination 1 | source 1 | control 2 | PCCC
 * command | */
#include "pccc_command.h"
#include "sensor/base/hash.h"

enum {
    HEADER_SIZE = 28,
    LENGTH_MAX = 512, /* a PCCC command holds at most 244 bytes of data */
    LINK_SIZE = 4,    /* destination, source, control */

    COMMAND_CONNECT = 0x0101,
    COMMAND_PCCC = 0x0107,
    COMMAND_CONNECTED = 0x0201,
    COMMAND_PCCC_REPLY = 0x0207,
    REPLY_BIT = 0x0200,
};

static bool is_command(uint16_t command)
{
    return command == COMMAND_CONNECT || command == COMMAND_PCCC || command == COMMAND_CONNECTED ||
           command == COMMAND_PCCC_REPLY;
}

static enum claim csp_recognise(struct reader r)
{
    uint16_t command = reader_u16be(&r);
    uint16_t length = reader_u16be(&r);
    if (!reader_ok(&r))
        return CLAIM_MORE;
    if (!is_command(command) || length > LENGTH_MAX)
        return CLAIM_NO;
    reader_skip(&r, HEADER_SIZE - 8);
    uint32_t zero = reader_u32be(&r);
    if (!reader_ok(&r))
        return CLAIM_MORE;
    return zero == 0 ? CLAIM_WEAK : CLAIM_NO;
}

static struct frame csp_frame(struct reader r)
{
    size_t given = reader_left(&r);
    uint16_t command = reader_u16be(&r);
    uint16_t length = reader_u16be(&r);
    if (!reader_ok(&r))
        return frame_need(HEADER_SIZE);
    if (!is_command(command))
        return frame_broken_as(VIOLATION_FUNCTION, "unknown CSP command");
    if (length > LENGTH_MAX)
        return frame_broken("CSP length out of range");
    size_t size = (size_t)HEADER_SIZE + length;
    return given < size ? frame_need(size) : frame_of(size);
}

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    text_format(out, OT_CODE_SIZE, "0x%04x", code[0]);
}

static void csp_connect(struct dissect *d, uint16_t command, uint32_t status, uint64_t context)
{
    struct ot_event e = event_of(d);
    e.direction = command & REPLY_BIT ? OT_RESPONSE : OT_REQUEST;
    e.operation = OP_SESSION;
    e.code[0] = e.function = command;
    e.spell = spell;
    e.name = "connect";
    e.transaction = context;
    e.has_transaction = true;
    if (e.direction == OT_RESPONSE)
        e.status = (struct ot_status){status ? OT_RESULT_ERROR : OT_RESULT_OK, status,
                                      status ? NULL : "ok"};
    emit_event(d, &e);
}

static void csp_dissect(struct dissect *d, struct reader r)
{
    const uint8_t *at = r.at;
    uint16_t command = reader_u16be(&r);
    uint16_t length = reader_u16be(&r);
    uint32_t session = reader_u32be(&r);
    uint32_t status = reader_u32be(&r);
    uint64_t context = reader_u64be(&r);
    reader_skip(&r, 8);
    if (!reader_ok(&r) || !is_command(command)) {
        emit_violation(d, VIOLATION_LENGTH, "CSP header is not whole", NULL, 0);
        return;
    }
    if (length != reader_left(&r))
        emit_violation(d, VIOLATION_LENGTH, "CSP length is not the data's", at + 2, 2);
    if (!d->flow->is_role_known)
        dissect_sender_is_client(d, !(command & REPLY_BIT));
    if (command == COMMAND_CONNECT || command == COMMAND_CONNECTED) {
        csp_connect(d, command, status, context);
        return;
    }
    struct reader body = reader_take(&r, length < reader_left(&r) ? length : reader_left(&r));
    reader_skip(&body, LINK_SIZE);
    if (!reader_ok(&body) || reader_left(&body) == 0) {
        emit_violation(d, VIOLATION_LENGTH, "CSP without a command", at, HEADER_SIZE);
        return;
    }
    pccc_command_dissect(d, body, session);
}

const struct dissector dissector_csp = {
    .name = "csp",
    .spec = "CSPv4 (AB Ethernet), after public captures; commands by Rockwell 1770-6.5.16",
    .over = OVER_TCP,
    .ports = {2222},
    .pdu_max = HEADER_SIZE + LENGTH_MAX,
    .recognise = csp_recognise,
    .frame = csp_frame,
    .dissect = csp_dissect,
};
