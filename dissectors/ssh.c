/* ssh.c: the clear beginning of a secure shell: software of both ends, then it is encrypted.
 *
 * Spec: [4253] RFC 4253 SSH Transport Layer Protocol
 *
 *   "SSH-" version "-" software [ " " comment ] CR LF
 *   | packet length 4 | padding length 1 | message 1 | ... |, big endian, in clear up to NEWKEYS */
#include "ascii.h"

enum {
    BANNER_MAX = 255, /* [4253] 4.2 */
    PDU_MAX = 4096,
    COOKIE_SIZE = 16,
    KEXINIT = 20, /* [4253] 12 */
    PACKET_MAX = 35000,
    PACKET_HEADER = 6, /* with the message */
    KEXINIT_MIN = 22,  /* padding length, message, cookie and the size of one list */
};

enum code { BANNER, KEY_EXCHANGE, ENCRYPTED };
static const char *const names[] = {"banner", "kexinit", "encrypted"};

struct state {
    bool has_kexinit[2]; /* 1: from the client */
    bool is_told;
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    text_format(out, OT_CODE_SIZE, "%s", names[code[0]]);
}

static struct ot_event event_as(const struct dissect *d, enum code code)
{
    struct ot_event e = event_of(d);
    e.code[0] = e.function = code;
    e.spell = spell;
    e.name = names[code];
    e.operation = OP_SESSION;
    return e;
}

static enum claim ssh_recognise(struct reader r)
{
    static const char magic[] = "SSH-";
    size_t given = reader_left(&r) < 5 ? reader_left(&r) : 5;
    const uint8_t *at = reader_bytes(&r, given);
    if (given == 0)
        return CLAIM_MORE;
    if (memcmp(at, magic, given < 4 ? given : 4) != 0)
        return CLAIM_NO;
    if (given < 5)
        return CLAIM_MORE;
    return at[4] == '1' || at[4] == '2' ? CLAIM_YES : CLAIM_NO;
}

/* A key exchange in clear; length: of the packet without its first field. */
static bool read_kexinit(struct reader *r, uint32_t *length)
{
    *length = reader_u32be(r);
    reader_skip(r, 1);
    uint8_t message = reader_u8(r);
    return reader_ok(r) && message == KEXINIT && *length <= PACKET_MAX;
}

static struct frame ssh_frame(struct reader r)
{
    uint32_t length;
    size_t left = reader_left(&r);
    enum claim claim = ssh_recognise(r);
    size_t line = claim == CLAIM_YES ? ascii_line(r) : 0;
    if (line > BANNER_MAX || (claim == CLAIM_YES && !line && left >= BANNER_MAX))
        return frame_broken("identification is longer than 255 bytes");
    if (line)
        return frame_of(line);
    if (claim == CLAIM_YES || claim == CLAIM_MORE)
        return frame_need(left + 1);
    if (left < PACKET_HEADER)
        return frame_need(PACKET_HEADER);
    if (read_kexinit(&r, &length) && length >= KEXINIT_MIN && length <= PDU_MAX - 4)
        return left < length + 4 ? frame_need(length + 4) : frame_of(length + 4);
    return frame_of(left < PDU_MAX ? left : PDU_MAX);
}

static void banner(struct dissect *d, struct reader r)
{
    struct text line = ascii_trim(ascii_of(r));
    struct text rest = line;
    ascii_until(&rest, '-');
    struct text version = ascii_until(&rest, '-');
    struct ot_fact fact = {.kind = FACT_SOFTWARE, .value = rest};
    struct ot_event e = event_as(d, BANNER);
    if (version.size == 0 || rest.size == 0)
        emit_violation(d, VIOLATION_LENGTH, "identification without a software version", r.at,
                       reader_left(&r));
    if (ascii_is_printable(rest)) {
        e.detail = line;
        e.unit = TEXT("ssh"); /* another server of the host has other software */
        e.facts = &fact;
        e.fact_count = d->is_from_client ? 0 : 1; /* a host has many clients */
    }
    emit_event(d, &e);
}

static void packet(struct dissect *d, struct state *s, struct reader r)
{
    uint32_t length;
    if (read_kexinit(&r, &length) && !s->has_kexinit[d->is_from_client]) {
        s->has_kexinit[d->is_from_client] = true;
        struct ot_event e = event_as(d, KEY_EXCHANGE);
        reader_skip(&r, COOKIE_SIZE);
        uint32_t size = reader_u32be(&r);
        struct reader list = reader_take(&r, size);
        struct text methods = ascii_of(list);
        struct text first = ascii_until(&methods, ',');
        if (length < KEXINIT_MIN || size > length - KEXINIT_MIN)
            emit_violation(d, VIOLATION_LENGTH, "KEXINIT longer than its packet", NULL, 0);
        else if (ascii_is_printable(first))
            e.detail = first;
        emit_event(d, &e);
        return;
    }
    if (!s->is_told) {
        struct ot_event e = event_as(d, ENCRYPTED);
        e.direction = OT_ONEWAY;
        e.flags |= OT_ENCRYPTED;
        emit_event(d, &e);
    }
    s->is_told = true;
    dissect_skip(d, UINT64_MAX); /* nothing more can be read */
}

static void ssh_dissect(struct dissect *d, struct reader r)
{
    if (ssh_recognise(r) == CLAIM_YES)
        banner(d, r);
    else
        packet(d, d->state, r);
}

const struct dissector dissector_ssh = {
    .name = "ssh",
    .spec = "RFC 4253",
    .over = OVER_TCP,
    .ports = {22},
    .state_size = sizeof(struct state),
    .pdu_max = PDU_MAX,
    .begins_segments = true,
    .recognise = ssh_recognise,
    .frame = ssh_frame,
    .dissect = ssh_dissect,
};
