/* slmp.c: Mitsubishi MC protocol (SLMP), frames 1E, 3E and 4E, binary and ASCII, over TCP and UDP.
 *
 * Spec: [MC]   MELSEC Communication Protocol Reference Manual SH-080008
 *       [SLMP] SLMP Reference Manual SH-080956
 *
 *   3E  | 50 00 request, D0 00 response 2 | route 5 | length 2 | timer or end code 2 | data |
 *   4E  | 54 00, D4 00 2 | serial 2 | 0, 2 | the rest as 3E |
 *       route: | network 1 | station 1 | module 2 | multidrop 1 |, data of a request: | command 2 |
 *       subcommand 2 | ... |; little endian
 *   1E  | command 1 | station 1 | timer 2 | ... |, response | command + 80 1 | end code 1 | ... |
 *
 * ASCII frames are the same fields as hex digits, the high digit first. The port is set in the
 * project, so none is usual. */
#include "sensor/base/hash.h"
#include "slmp_message.h"

enum {
    HEADER_3E = 9,   /* subheader, route, length */
    SERIAL_SIZE = 4, /* what 4E has more */
    HEADER_1E = 4,
    DEVICE_1E = 12, /* header, device, points, 0 */
    DEVICE_1E_ASCII = 24,
    LENGTH_MAX = 4096, /* 960 words in ASCII and their header */
    RESPONSE_1E = 2,   /* and what was asked for */
    REFUSED_1E = 4,    /* end code 5b brings another code and 0 */
    RESPONSE_1E_MAX = 2 + 1024,
    OWN_STATION = 0xff,
    CODE_NONE = 0x10000, /* a response whose command is not known */
    CODE_1E = 0x20000,
    ABNORMAL_END = 0x5b,
};

struct layout {
    bool is_ascii, is_4e, is_response, is_1e;
    size_t scale; /* characters of a byte */
};

/* [MC] 18.1: the commands of frames 1E */
enum command_1e {
    READ_BITS_1E,
    READ_WORDS_1E,
    WRITE_BITS_1E,
    WRITE_WORDS_1E,
    RANDOM_BITS_1E,
    RANDOM_WORDS_1E,
    REGISTER_BITS_1E,
    REGISTER_WORDS_1E,
    MONITOR_BITS_1E,
    MONITOR_WORDS_1E,
    RUN_1E = 0x13,
    STOP_1E,
    PC_TYPE_1E,
    LOOPBACK_1E,
};

/* Answers of frames 1E do not tell their length: what was asked does. */
enum { AWAITED_MAX = 16 }; /* power of two: requests that a client sends ahead */
struct state {
    struct {
        uint16_t size; /* of the data of the answer, in bytes */
        bool is_known;
    } awaited[AWAITED_MAX];   /* by the number of the request */
    uint16_t monitored_1e[2]; /* registered bits and words */
    uint32_t asked, answered; /* requests, and of them those that were answered or given up */
    int64_t asked_ns;         /* the last one */
};

/* Requests 1E and 3E have no number: over TCP those in a row are answered in their order, unless
 * bytes were not seen. One that had no answer for so long, when the next one comes, has none. */
static const int64_t IN_A_ROW_NS = 1000000000;

static void slmp_spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    if (code[0] & CODE_NONE)
        text_format(out, OT_CODE_SIZE, "none");
    else if (code[0] & CODE_1E)
        text_format(out, OT_CODE_SIZE, "0x%02x", code[0] & 0xff);
    else
        text_format(out, OT_CODE_SIZE, "0x%04x", code[0]);
}

/* --- what frame it is --- */

static bool is_hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
}

static uint8_t hex_pair(const uint8_t *at)
{
    int high = at[0] <= '9' ? at[0] - '0' : at[0] - 'A' + 10;
    int low = at[1] <= '9' ? at[1] - '0' : at[1] - 'A' + 10;
    return (uint8_t)(high << 4 | low);
}

/* Subheader of the first bytes; false: none of ours. Needs four bytes. */
static bool read_layout(const uint8_t at[4], struct layout *l)
{
    bool is_ascii = is_hex(at[0]) && is_hex(at[1]) && is_hex(at[2]) && is_hex(at[3]);
    uint8_t first = is_ascii ? hex_pair(at) : at[0];
    uint8_t second = is_ascii ? hex_pair(at + 2) : at[1];
    *l = (struct layout){
        .is_ascii = is_ascii,
        .is_response = first & 0x80,
        .is_4e = (first & 0x7f) == 0x54,
        .scale = is_ascii ? 2 : 1,
    };
    uint8_t code = first & 0x7f;
    if ((code == 0x50 || code == 0x54) && second == 0)
        return true;
    l->is_1e = true;
    if (!slmp_1e_command_of(code))
        return false;
    return l->is_response ? second == 0 || (second >= 0x50 && second <= 0x60)
                          : second == OWN_STATION;
}

static size_t header_size(const struct layout *l)
{
    return (HEADER_3E + (l->is_4e ? SERIAL_SIZE : 0u)) * l->scale;
}

/* [SLMP] 4.1: own station, multiple CPUs, modules by their start address */
static bool is_module(uint32_t module)
{
    return module <= 0x01ff || (module >= 0x03d0 && module <= 0x03d3) ||
           (module >= 0x03e0 && module <= 0x03e3) || module == 0x03ff;
}

struct header {
    uint32_t serial, network, station, module, multidrop, length;
};

static struct header read_header(struct slmp_message *m, const struct layout *l, struct reader *r)
{
    struct header h = {0};
    reader_skip(r, 2 * l->scale);
    if (l->is_4e) {
        h.serial = slmp_number(m, r, 2);
        reader_skip(r, 2 * l->scale);
    }
    h.network = slmp_number(m, r, 1);
    h.station = slmp_number(m, r, 1);
    h.module = slmp_number(m, r, 2);
    h.multidrop = slmp_number(m, r, 1);
    h.length = slmp_number(m, r, 2);
    return h;
}

/* Bytes of the points of a command; bits are four of a byte's bits each. */
static size_t points_1e(const struct layout *l, uint32_t points, bool is_words)
{
    if (is_words)
        return (size_t)points * 2 * l->scale;
    return l->is_ascii ? (points + 1) & ~1u : (points + 1) / 2;
}

/* Size of a request 1E, or of what tells it; 0: as long as what was given. */
static size_t size_1e(const struct layout *l, struct reader r)
{
    struct slmp_message m = {.is_ascii = l->is_ascii};
    uint32_t code = slmp_number(&m, &r, 1);
    size_t header = HEADER_1E * l->scale, device = (DEVICE_1E - HEADER_1E - 2) * l->scale;
    if ((code >= RUN_1E && code <= PC_TYPE_1E) || code == MONITOR_BITS_1E ||
        code == MONITOR_WORDS_1E)
        return header;
    bool is_random = code >= RANDOM_BITS_1E && code <= REGISTER_WORDS_1E;
    if (!is_random && code > WRITE_WORDS_1E)
        return 0;
    size_t before = is_random ? header : header + device; /* the points */
    reader_skip(&r, before - l->scale);
    uint32_t points = slmp_number(&m, &r, 1);
    size_t size = before + 2 * l->scale;
    if (!reader_ok(&r))
        return size;
    if (is_random) {
        size_t value = code == RANDOM_BITS_1E ? 1 : code == RANDOM_WORDS_1E ? 2 : 0;
        return size + points * (device + value * l->scale);
    }
    if (code == WRITE_BITS_1E || code == WRITE_WORDS_1E)
        size += points_1e(l, points ? points : 256, code == WRITE_WORDS_1E);
    return size;
}

/* [SLMP] 5.5: mode, and for a run what is cleared and 0. */
static size_t remote_data_size(uint32_t command)
{
    enum { REMOTE_RUN = 0x1001, REMOTE_LAST = 0x1006 };
    return command < REMOTE_RUN || command > REMOTE_LAST ? 0 : command == REMOTE_RUN ? 4 : 2;
}

/* Bytes of a request that stops, runs or resets a controller, as its command has them: its length
 * field may lie. 0: another message, or its length may be true. */
static size_t remote_size(const struct layout *l, const struct header *h, struct reader r)
{
    enum { TO_SUBCOMMAND = 6 };
    struct slmp_message m = {.is_ascii = l->is_ascii};
    size_t given = reader_left(&r);
    reader_skip(&r, 2 * l->scale);
    uint32_t command = slmp_number(&m, &r, 2);
    reader_skip(&r, 2 * l->scale);
    size_t own = remote_data_size(command);
    bool is_possible =
        h->length >= TO_SUBCOMMAND * l->scale && h->length <= (TO_SUBCOMMAND + own) * l->scale;
    if (l->is_response || !reader_ok(&r) || own == 0 || is_possible)
        return 0;
    size_t size = (TO_SUBCOMMAND + own) * l->scale;
    return header_size(l) + (size < given ? size : given);
}

/* --- recognition and framing --- */

static bool is_device_1e(const struct layout *l, struct reader r)
{
    struct slmp_message m = {.is_ascii = l->is_ascii};
    reader_skip(&r, HEADER_1E * l->scale);
    uint32_t letters = l->is_ascii ? slmp_number(&m, &r, 2) : 0;
    uint32_t start = slmp_number(&m, &r, 4);
    if (!l->is_ascii)
        letters = slmp_number(&m, &r, 2);
    reader_skip(&r, l->scale);
    uint32_t zero = slmp_number(&m, &r, 1);
    return reader_ok(&r) && zero == 0 && start < 0x1000000 && letters < 0x8000 &&
           slmp_device_named((char)(letters >> 8), (char)(letters & 0x7f));
}

/* A request for a device is sure; the four bytes of the others and responses are too little. */
static enum claim recognise_1e(const struct layout *l, struct reader r, size_t given)
{
    struct slmp_message m = {.is_ascii = l->is_ascii};
    struct reader first = r;
    if (l->is_response)
        return given <= RESPONSE_1E_MAX * l->scale ? CLAIM_MORE : CLAIM_NO;
    if (slmp_number(&m, &first, 1) > 3)
        return CLAIM_MORE;
    size_t least = l->is_ascii ? DEVICE_1E_ASCII : DEVICE_1E;
    if (given < least)
        return CLAIM_MORE;
    return is_device_1e(l, r) && size_1e(l, r) == given ? CLAIM_YES : CLAIM_NO;
}

static enum claim slmp_recognise(struct reader r)
{
    size_t given = reader_left(&r);
    struct layout l;
    struct slmp_message m;
    if (given < 4)
        return CLAIM_MORE;
    if (!read_layout(r.at, &l))
        return CLAIM_NO;
    if (l.is_1e)
        return recognise_1e(&l, r, given);
    m.is_ascii = l.is_ascii;
    struct header h = read_header(&m, &l, &r);
    if (!reader_ok(&r))
        return CLAIM_MORE;
    if (is_module(h.module) && given != header_size(&l) + h.length && remote_size(&l, &h, r))
        return CLAIM_YES;
    if (!is_module(h.module) || h.length > LENGTH_MAX || h.length < 2 * l.scale)
        return CLAIM_NO;
    if (l.is_response)
        return given < header_size(&l) + h.length    ? CLAIM_MORE
               : given == header_size(&l) + h.length ? CLAIM_WEAK
                                                     : CLAIM_NO;
    if (h.length < 6 * l.scale)
        return CLAIM_NO;
    reader_skip(&r, 2 * l.scale);
    uint32_t command = slmp_number(&m, &r, 2);
    if (!reader_ok(&r))
        return CLAIM_MORE;
    return slmp_command_of((uint16_t)command) ? CLAIM_YES : CLAIM_NO;
}

static struct frame slmp_frame(struct reader r)
{
    size_t given = reader_left(&r);
    struct layout l;
    struct slmp_message m;
    if (given < 4)
        /* the shortest of all: a response 1E in binary */
        return given >= 2 && (r.at[0] & 0x80) && slmp_1e_command_of(r.at[0] & 0x7f)
                   ? frame_of(given)
                   : frame_need(4);
    if (!read_layout(r.at, &l))
        return frame_broken_as(VIOLATION_FUNCTION, "no MC protocol subheader");
    if (l.is_1e) {
        size_t size = l.is_response ? 0 : size_1e(&l, r);
        return size > given ? frame_need(size) : frame_of(size ? size : given);
    }
    m.is_ascii = l.is_ascii;
    struct header h = read_header(&m, &l, &r);
    if (!reader_ok(&r))
        return frame_need(header_size(&l));
    size_t size = header_size(&l) + h.length;
    size_t remote = given != size ? remote_size(&l, &h, r) : 0;
    if (remote)
        return frame_of(remote);
    if (h.length > LENGTH_MAX || h.length < 2 * l.scale)
        return frame_broken("MC protocol length out of range");
    return given < size ? frame_need(size) : frame_of(size);
}

/* An answer 1E: as long as what was asked for, or a refusal. */
static struct frame slmp_frame_in(struct reader r, const void *state, bool is_from_client)
{
    const struct state *s = state;
    size_t given = reader_left(&r);
    bool is_binary = given && (r.at[0] & 0x80);
    bool is_text = given && (r.at[0] == '8' || r.at[0] == '9');
    uint32_t waiting = s->asked - s->answered, next = s->answered % AWAITED_MAX;
    bool is_awaited = waiting > 0 && waiting <= AWAITED_MAX && s->awaited[next].is_known;
    if (!is_awaited || is_from_client || (!is_binary && !is_text))
        return slmp_frame(r);
    struct slmp_message m = {.is_ascii = is_text};
    struct layout l = {.is_ascii = is_text, .scale = is_text ? 2 : 1};
    if (given < RESPONSE_1E * l.scale)
        return frame_need(RESPONSE_1E * l.scale);
    struct reader first = r;
    uint32_t code = slmp_number(&m, &first, 1);
    uint32_t end = slmp_number(&m, &first, 1);
    if (!slmp_1e_command_of(code & 0x7f))
        return slmp_frame(r);
    size_t size = end == 0              ? RESPONSE_1E * l.scale + s->awaited[next].size
                  : end == ABNORMAL_END ? REFUSED_1E * l.scale
                                        : RESPONSE_1E * l.scale;
    bool is_padded = is_text && size % 2 && given > size && r.at[size] == '0';
    return given < size ? frame_need(size) : frame_of(size + is_padded);
}

/* --- dissection --- */

/* Frames 1E and 3E have no number: answers come in the order of their requests. */
static uint64_t key_in_order(uint32_t number)
{
    return UINT64_C(2) << 32 | number;
}

static uint64_t key_of_request(struct slmp_message *m, const struct layout *l, uint32_t serial)
{
    struct state *s = m->d->state;
    if (l->is_4e)
        return UINT64_C(1) << 32 | serial;
    bool is_in_order = m->d->flow->transport == TRANSPORT_TCP && !m->d->flow->has_gap;
    if (!is_in_order || m->event.time_ns - s->asked_ns > IN_A_ROW_NS)
        s->answered = s->asked;
    s->asked_ns = m->event.time_ns;
    s->awaited[s->asked % AWAITED_MAX].is_known = false;
    return key_in_order(s->asked++);
}

static uint64_t key_of_answer(struct slmp_message *m, const struct layout *l, uint32_t serial)
{
    struct state *s = m->d->state;
    if (l->is_4e)
        return UINT64_C(1) << 32 | serial;
    return key_in_order(s->answered == s->asked ? s->asked : s->answered++);
}

static void name_command(struct slmp_message *m)
{
    const struct slmp_command *c = m->asked.is_1e ? slmp_1e_command_of((uint8_t)m->asked.command)
                                                  : slmp_command_of(m->asked.command);
    m->event.code[0] = m->asked.command | (m->asked.is_1e ? CODE_1E : 0u);
    m->event.function = m->asked.command;
    m->event.operation = c ? c->operation : OP_UNKNOWN;
    m->event.name = c ? c->name : NULL;
    if (!c)
        slmp_complain(m, VIOLATION_FUNCTION, "command is not defined");
}

static void remember(struct slmp_message *m, uint64_t key)
{
    size_t size =
        offsetof(struct slmp_asked, spans) + m->asked.span_count * sizeof(struct slmp_span);
    memcpy(dissect_remember(m->d, key, size, NULL), &m->asked, size);
}

static bool recall(struct slmp_message *m, uint64_t key)
{
    size_t size;
    const void *kept = dissect_recall(m->d, key, &size);
    if (!kept) {
        m->event.flags |= OT_NO_REQUEST;
        return false;
    }
    memcpy(&m->asked, kept, size);
    name_command(m);
    return true;
}

static void put_status(struct slmp_message *m, uint32_t end)
{
    m->event.status =
        (struct ot_status){end ? OT_RESULT_ERROR : OT_RESULT_OK, end, slmp_end_code((uint16_t)end)};
}

/* What the answer to this request will have behind its end code. */
static void await_answer_1e(struct slmp_message *m, const struct layout *l, struct reader r)
{
    struct state *s = m->d->state;
    uint32_t number = (s->asked - 1) % AWAITED_MAX; /* it was counted already */
    uint32_t code = m->asked.command;
    bool is_listed = code >= RANDOM_BITS_1E && code <= REGISTER_WORDS_1E;
    struct slmp_message reading = {.is_ascii = l->is_ascii};
    reader_skip(&r, (is_listed ? HEADER_1E : DEVICE_1E - 2) * l->scale);
    uint32_t points = slmp_number(&reading, &r, 1);
    if (!is_listed && points == 0)
        points = 256;
    if (code == REGISTER_BITS_1E || code == REGISTER_WORDS_1E)
        s->monitored_1e[code == REGISTER_WORDS_1E] = (uint16_t)points;
    if (code == MONITOR_BITS_1E || code == MONITOR_WORDS_1E)
        points = s->monitored_1e[code == MONITOR_WORDS_1E];
    bool is_read = code <= READ_WORDS_1E || code == MONITOR_BITS_1E || code == MONITOR_WORDS_1E;
    bool is_text_of_bits = l->is_ascii && !(code & 1); /* an odd count may be filled up, or not */
    s->awaited[number].size = !is_read          ? 0
                              : is_text_of_bits ? (uint16_t)points
                                                : (uint16_t)points_1e(l, points, code & 1);
    s->awaited[number].is_known = code < PC_TYPE_1E && !(is_read && points == 0);
}

static void dissect_1e(struct slmp_message *m, const struct layout *l, struct reader r)
{
    uint32_t first = slmp_number(m, &r, 1);
    uint32_t second = slmp_number(m, &r, 1);
    if (!l->is_response) {
        m->asked.is_1e = true;
        m->asked.command = (uint16_t)first;
        uint64_t key = key_of_request(m, l, 0);
        await_answer_1e(m, l, m->pdu);
        name_command(m);
        m->event.unit = second == OWN_STATION ? TEXT("255") : dissect_text(m->d, "%u", second);
        reader_skip(&r, 2 * l->scale);
        slmp_1e_request_data(m, &r);
        remember(m, key);
        return;
    }
    m->event.unit = TEXT("255");
    bool is_matched = recall(m, key_of_answer(m, l, 0));
    if (is_matched && (m->asked.command != (first & 0x7f) || !m->asked.is_1e)) {
        is_matched = false;
        m->event.flags |= OT_NO_REQUEST;
    }
    if (!is_matched) {
        memset(&m->asked, 0, offsetof(struct slmp_asked, spans));
        m->asked.is_1e = true;
        m->asked.command = first & 0x7f;
        name_command(m);
    }
    if (second == ABNORMAL_END && reader_left(&r))
        second = slmp_number(m, &r, 1);
    put_status(m, second);
    if (is_matched && second == 0)
        slmp_1e_response_data(m, &r);
    else
        slmp_put_items(m);
}

static void answer_3e(struct slmp_message *m, uint64_t key, const struct layout *l, struct reader r)
{
    uint32_t end = slmp_number(m, &r, 2);
    bool is_matched = recall(m, key);
    if (!is_matched) {
        m->event.code[0] = CODE_NONE;
        m->event.name = NULL;
    }
    if (!reader_ok(&r)) {
        slmp_complain(m, VIOLATION_TRUNCATED, "response without end code");
        return;
    }
    put_status(m, end);
    if (end != 0) {
        slmp_put_items(m);
        /* [SLMP] 4.2: the route, command and subcommand that failed */
        reader_skip(&r, 5 * l->scale);
        uint32_t command = slmp_number(m, &r, 2);
        if (reader_ok(&r) && !is_matched) {
            m->asked.command = (uint16_t)command;
            name_command(m);
        }
        return;
    }
    if (is_matched)
        slmp_response_data(m, &r);
    if (!reader_ok(&r))
        slmp_complain(m, VIOLATION_TRUNCATED, "response ends before its fields do");
}

static void dissect_3e(struct slmp_message *m, const struct layout *l, struct reader r)
{
    struct header h = read_header(m, l, &r);
    if (!reader_ok(&r)) {
        slmp_complain(m, VIOLATION_TRUNCATED, "MC protocol header is cut off");
        return;
    }
    if (h.length != reader_left(&r))
        slmp_complain(m, VIOLATION_LENGTH, "MC protocol length is not the data's");
    if (!is_module(h.module))
        slmp_complain(m, VIOLATION_RANGE, "no such module address");
    bool is_own = h.network == 0 && h.station == 0xff && h.module == 0x03ff && h.multidrop == 0;
    m->event.unit =
        is_own ? TEXT("0/255/03ff/0")
               : dissect_text(m->d, "%u/%u/%04x/%u", h.network, h.station, h.module, h.multidrop);
    m->event.transaction = h.serial;
    m->event.has_transaction = l->is_4e;
    if (l->is_response) {
        answer_3e(m, key_of_answer(m, l, h.serial), l, r);
        return;
    }
    (void)slmp_number(m, &r, 2);
    m->asked.command = (uint16_t)slmp_number(m, &r, 2);
    m->asked.subcommand = (uint16_t)slmp_number(m, &r, 2);
    if (!reader_ok(&r)) {
        m->event.code[0] = CODE_NONE;
        slmp_complain(m, VIOLATION_TRUNCATED, "request without command");
        return;
    }
    name_command(m);
    slmp_request_data(m, &r);
    remember(m, key_of_request(m, l, h.serial));
}

static void slmp_dissect(struct dissect *d, struct reader r)
{
    struct slmp_message m;
    struct layout l;
    m.d = d;
    m.pdu = r;
    memset(&m.asked, 0, offsetof(struct slmp_asked, spans));
    uint8_t start[4] = {0};
    size_t given = reader_left(&r);
    if (given)
        memcpy(start, r.at, given < 4 ? given : 4);
    if (given < 2 || !read_layout(start, &l)) {
        emit_violation(d, VIOLATION_FUNCTION, "no MC protocol subheader", r.at, given);
        return;
    }
    m.is_ascii = l.is_ascii;
    m.is_response = l.is_response;
    if (!d->flow->is_role_known)
        dissect_sender_is_client(d, !l.is_response);
    event_start(&m.event, d);
    m.event.direction = l.is_response ? OT_RESPONSE : OT_REQUEST;
    m.event.spell = slmp_spell;
    if (l.is_1e)
        dissect_1e(&m, &l, r);
    else
        dissect_3e(&m, &l, r);
    emit_event(d, &m.event);
}

const struct dissector dissector_slmp = {
    .name = "slmp",
    .spec = "Mitsubishi SLMP Reference Manual SH-080956, MC protocol SH-080008",
    .over = OVER_TCP | OVER_UDP,
    .state_size = sizeof(struct state),
    .pdu_max = (HEADER_3E + SERIAL_SIZE) * 2 + LENGTH_MAX,
    .recognise = slmp_recognise,
    .frame = slmp_frame,
    .frame_in = slmp_frame_in,
    .dissect = slmp_dissect,
};
