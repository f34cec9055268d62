/* test_analyser.c: recognition, framing and TCP reassembly, shown with Modbus (the weakest
 * signature of all). */
#include "sensor/analyser.h"
#include "support/runner.h"
#include "wire.h"

#include <stdio.h>

enum { SEEN_MAX = 256 };

static struct seen {
    char events[SEEN_MAX][24]; /* "> 3 tid 1" */
    int event_count, violation_count, started, answered, refused, finished, odd;
    unsigned strange;
    char protocol[32], odd_name[32], why[64];
    unsigned client_port;
    uint32_t segment;
    bool has_unseen; /* at the last event */
} seen;

static void on_event(void *context, const struct ot_event *e)
{
    (void)context;
    if (seen.event_count < SEEN_MAX)
        snprintf(seen.events[seen.event_count], sizeof seen.events[0], "%s %u tid %u",
                 e->is_from_client ? ">" : "<", (unsigned)e->function, (unsigned)e->transaction);
    seen.event_count++;
    seen.segment = e->flow->segment;
    seen.has_unseen = e->flow->has_unseen;
}

static void on_violation(void *context, const struct violation *v)
{
    (void)context;
    seen.violation_count++;
    snprintf(seen.why, sizeof seen.why, "%s", v->why);
}

static void on_started(void *context, const struct ot_flow *f, const struct packet *p)
{
    (void)context, (void)p;
    seen.started++;
    seen.client_port = f->client.port;
}

static void on_answered(void *context, const struct ot_flow *f, const struct packet *p)
{
    (void)context, (void)f, (void)p;
    seen.answered++;
}

static void on_refused(void *context, const struct ot_flow *f, const struct packet *p)
{
    (void)context, (void)f, (void)p;
    seen.refused++;
}

static void on_finished(void *context, const struct ot_flow *f, const struct packet *p)
{
    (void)context, (void)f, (void)p;
    seen.finished++;
}

static void on_protocol(void *context, const struct ot_flow *f, const char *name, bool is_dissected,
                        const struct packet *p)
{
    (void)context, (void)f, (void)p, (void)is_dissected;
    snprintf(seen.protocol, sizeof seen.protocol, "%s", name);
}

static void on_odd_port(void *context, const struct ot_flow *f, const char *name,
                        const char *expected, const struct packet *p)
{
    (void)context, (void)f, (void)p, (void)expected;
    seen.odd++;
    snprintf(seen.odd_name, sizeof seen.odd_name, "%s", name ? name : "unknown");
}

static void on_strange(void *context, const struct ot_flow *f, const char *name, unsigned count,
                       const struct packet *p)
{
    (void)context, (void)f, (void)name, (void)p;
    seen.strange += count;
}

static const struct analyser_sink sink = {NULL,        on_event,   on_violation, on_started,
                                          on_answered, on_refused, on_finished,  on_protocol,
                                          on_odd_port, on_strange, NULL};
static struct wire wire;

static void setup(void)
{
    struct analyser_options options = {
        .flows_max = 64, .stream_bytes_max = 1 << 20, .is_classifying = true};
    memset(&seen, 0, sizeof seen);
    wire = (struct wire){
        .analyser = analyser_create(&options, &sink),
        .now_ns = 1000000000000,
        .client_port = 40000,
        .server_port = 502,
        .sequence = {1000, 0xfffffff0u},
        .transport = TRANSPORT_TCP
    };
    ck_assert_ptr_nonnull(wire.analyser);
}

static void teardown(void)
{
    analyser_destroy(wire.analyser);
}

/* Reads two registers / answers; [TCP] 3.1.3 */
static const uint8_t request[12] = {0, 1, 0, 0, 0, 6, 1, 3, 0, 16, 0, 2};
static const uint8_t response[13] = {0, 1, 0, 0, 0, 7, 1, 3, 4, 0, 7, 0, 8};

static void numbered(uint8_t *pdu, const uint8_t *of, size_t size, uint8_t tid)
{
    memcpy(pdu, of, size);
    pdu[1] = tid;
}

static void expect_events(int count, const char *const *events)
{
    ck_assert_int_eq(seen.event_count, count);
    for (int i = 0; i < count; i++)
        ck_assert_str_eq(seen.events[i], events[i]);
}

START_TEST(a_connection_from_its_start)
{
    wire_handshake(&wire);
    wire_send(&wire, true, request, sizeof request);
    wire_send(&wire, false, response, sizeof response);
    static const char *const events[] = {"> 3 tid 1", "< 3 tid 1"};
    expect_events(2, events);
    ck_assert_int_eq(seen.started, 1);
    ck_assert_int_eq(seen.answered, 1);
    ck_assert_int_eq(seen.odd, 0);
    ck_assert_str_eq(seen.protocol, "modbus");
}
END_TEST

START_TEST(split_at_every_byte)
{
    uint32_t at = (uint32_t)_i;
    wire_handshake(&wire);
    wire_send(&wire, true, request, at);
    wire_send(&wire, true, request + at, sizeof request - at);
    wire_send(&wire, false, response, at);
    wire_send(&wire, false, response + at, sizeof response - at);
    static const char *const events[] = {"> 3 tid 1", "< 3 tid 1"};
    expect_events(2, events);
}
END_TEST

START_TEST(several_pdus_in_one_segment)
{
    uint8_t both[24];
    numbered(both, request, 12, 1);
    numbered(both + 12, request, 12, 2);
    wire_handshake(&wire);
    wire_send(&wire, true, both, sizeof both);
    static const char *const events[] = {"> 3 tid 1", "> 3 tid 2"};
    expect_events(2, events);
}
END_TEST

START_TEST(out_of_order_and_retransmitted)
{
    uint8_t pdus[3][12];
    for (uint8_t i = 0; i < 3; i++)
        numbered(pdus[i], request, 12, (uint8_t)(i + 1));
    wire_handshake(&wire);
    wire_segment(&wire, true, TCP_ACK, 24, pdus[2], 12);
    wire_segment(&wire, true, TCP_ACK, 12, pdus[1], 12);
    ck_assert_int_eq(seen.event_count, 0); /* the first one is missing */
    wire_segment(&wire, true, TCP_ACK, 0, pdus[0], 12);
    wire_segment(&wire, true, TCP_ACK, 0, pdus[0], 12);
    wire_segment(&wire, true, TCP_ACK, 12, pdus[1], 12);
    static const char *const events[] = {"> 3 tid 1", "> 3 tid 2", "> 3 tid 3"};
    expect_events(3, events);
    ck_assert_uint_eq(analyser_counters(wire.analyser)->tcp_retransmissions, 2);
    ck_assert_uint_eq(analyser_counters(wire.analyser)->tcp_gaps, 0);
}
END_TEST

/* A request of 12 bytes, then a segment of `size` bytes at the same place. */
static const struct repeat_row {
    const char *shows;
    uint32_t size;
    int other_at; /* the byte that differs; -1: none */
    bool is_told;
} repeat_rows[] = {
    {"sent again as it was",               12, -1, false},
    {"sent again with another register",   12, 9,  true },
    {"with more behind it, as it was",     24, -1, false},
    {"with more behind it, and another",   24, 9,  true },
    {"a shorter piece of it is no matter", 8,  7,  false},
    {"a keep-alive of one byte",           1,  0,  false},
};

START_TEST(repeated_with_other_content)
{
    const struct repeat_row *row = &repeat_rows[_i];
    uint8_t two[24];
    numbered(two, request, 12, 1);
    numbered(two + 12, request, 12, 2);
    wire_handshake(&wire);
    wire_segment(&wire, true, TCP_ACK, 0, two, 12);
    if (row->other_at >= 0)
        two[row->other_at] ^= 0x55;
    wire_segment(&wire, true, TCP_ACK, 0, two, row->size);
    ck_assert_msg(seen.violation_count == (row->is_told ? 1 : 0), "%s: %d", row->shows,
                  seen.violation_count);
    if (row->is_told)
        ck_assert_str_eq(seen.why, "TCP data repeated with other content");
}
END_TEST

/* A request, a reset by the client, and what comes after it. */
static const struct reset_row {
    const char *shows;
    int64_t after_ms;
    bool is_from_client, is_new_connection;
    uint32_t jump; /* of the sequence number */
    bool is_told;
} reset_rows[] = {
    {"who reset it goes on",         50, true,  false, 0,         true },
    {"it was overtaken",             5,  true,  false, 0,         false},
    {"the other has not seen it",    50, false, false, 0,         false},
    {"another connection",           50, true,  true,  7654321,   false},
    {"another one, its SYN is lost", 50, true,  false, 123456789, false},
};

START_TEST(a_reset_ends_it)
{
    const struct reset_row *row = &reset_rows[_i];
    uint8_t pdu[12];
    wire_handshake(&wire);
    wire_send(&wire, true, request, sizeof request);
    wire_segment(&wire, true, TCP_RST | TCP_ACK, 0, NULL, 0);
    wire.now_ns += (row->after_ms - 2) * INT64_C(1000000);
    wire.sequence[0] += row->jump;
    if (row->is_new_connection)
        wire_handshake(&wire);
    for (uint8_t i = 2; i < 5; i++) {
        numbered(pdu, request, 12, i);
        wire_send(&wire, row->is_from_client, pdu, 12);
        if (row->after_ms < 10)
            break;
    }
    bool is_told = strcmp(seen.why, "goes on after its reset, which was another's") == 0;
    ck_assert_msg(is_told == row->is_told, "%s: %s", row->shows, seen.why);
    ck_assert_msg(!is_told || seen.violation_count == 1, "%s", row->shows);
}
END_TEST

START_TEST(an_overlap_is_delivered_once)
{
    uint8_t two[24];
    numbered(two, request, 12, 1);
    numbered(two + 12, request, 12, 2);
    wire_handshake(&wire);
    wire_segment(&wire, true, TCP_ACK, 0, two, 12);
    wire_segment(&wire, true, TCP_ACK, 0, two, 24); /* repeats the first, brings the second */
    static const char *const events[] = {"> 3 tid 1", "> 3 tid 2"};
    expect_events(2, events);
}
END_TEST

START_TEST(a_lost_segment_that_was_acknowledged_is_skipped)
{
    uint8_t pdu[12];
    wire_handshake(&wire);
    wire_send(&wire, true, request, sizeof request);
    wire.sequence[0] += 12 + 5; /* a PDU and the beginning of another were not captured... */
    numbered(pdu, request, 12, 9);
    wire_send(&wire, true, pdu + 5, 7); /* ...its rest comes */
    numbered(pdu, request, 12, 3);
    wire_send(&wire, true, pdu, 12);
    ck_assert_int_eq(seen.event_count, 1);              /* the hole could still be filled */
    wire_send(&wire, false, response, sizeof response); /* acknowledges everything */
    static const char *const events[] = {"> 3 tid 1", "> 3 tid 3", "< 3 tid 1"};
    expect_events(3, events);
    ck_assert_uint_eq(analyser_counters(wire.analyser)->tcp_gaps, 1);
    ck_assert_uint_eq(analyser_counters(wire.analyser)->tcp_gap_bytes, 17);
    ck_assert_int_eq(seen.violation_count, 0); /* loss is no violation */
}
END_TEST

START_TEST(an_answer_to_what_was_not_captured)
{
    wire_handshake(&wire);
    wire_send(&wire, true, request, sizeof request);
    wire_send(&wire, false, response, sizeof response);
    ck_assert(!seen.has_unseen);
    wire.sequence[0] += 12; /* not captured */
    wire_send(&wire, false, response, sizeof response);
    ck_assert_int_eq(seen.event_count, 3);
    ck_assert(seen.has_unseen);
    wire.sequence[0] -= 12; /* it comes late */
    wire_send(&wire, true, request, sizeof request);
    ck_assert(!seen.has_unseen);
    wire.sequence[0]++; /* a FIN has a number */
    wire_send(&wire, false, response, sizeof response);
    ck_assert_int_eq(seen.event_count, 5);
    ck_assert(!seen.has_unseen);
}
END_TEST

START_TEST(what_comes_after_its_hole_was_given_up)
{
    uint8_t pdus[3][12];
    for (uint8_t i = 0; i < 3; i++)
        numbered(pdus[i], request, 12, (uint8_t)(i + 1));
    wire_handshake(&wire);
    wire_send(&wire, true, pdus[0], 12);
    wire.sequence[0] += 12;
    wire_send(&wire, true, pdus[2], 12);
    wire_send(&wire, false, response, sizeof response); /* acknowledges all three */
    wire.sequence[0] -= 24;
    wire_send(&wire, true, pdus[1], 12);                            /* late */
    wire_segment(&wire, true, TCP_ACK, (uint32_t)-12, pdus[1], 12); /* and once more */
    static const char *const events[] = {"> 3 tid 1", "> 3 tid 3", "< 3 tid 1", "> 3 tid 2"};
    expect_events(4, events);
    ck_assert_uint_eq(analyser_counters(wire.analyser)->tcp_retransmissions, 1);
}
END_TEST

START_TEST(picked_up_in_the_middle)
{
    /* no handshake; the first bytes are the end of a PDU that began before */
    wire_send(&wire, true, request + 7, 5);
    wire_send(&wire, true, request, sizeof request);
    wire_send(&wire, false, response, sizeof response);
    ck_assert_int_ge(seen.event_count, 1);
    ck_assert_str_eq(seen.events[seen.event_count - 1], "< 3 tid 1");
    ck_assert_int_eq(seen.violation_count, 0);
}
END_TEST

/* The last letters of the events are these numbers, and nothing was broken. */
static void check_numbers(const char *shows, const char *expected)
{
    char told[16] = "";
    for (int i = 0; i < seen.event_count && i < 15; i++)
        told[i] = seen.events[i][strlen(seen.events[i]) - 1];
    ck_assert_msg(strcmp(told, expected) == 0, "%s: \"%s\", not \"%s\"", shows, told, expected);
    ck_assert_int_eq(seen.violation_count, 0);
}

/* Requests 1 to 6 of a connection whose beginning was not seen, in this order; told in this one. */
static const struct pick_up_row {
    const char *shows, *sent, *told;
} pick_up_rows[] = {
    {"in order",                     "123",    "123"   },
    {"the first two changed places", "213",    "213"   },
    {"the first one came last",      "231",    "231"   },
    {"backwards",                    "321",    "321"   },
    {"late ones twice",              "32211",  "321"   },
    {"a hole in what is late",       "514263", "514263"},
    {"with a gap behind the place",  "4162",   "4162"  },
};

START_TEST(picked_up_out_of_order)
{
    const struct pick_up_row *row = &pick_up_rows[_i];
    uint8_t pdu[12];
    for (const char *at = row->sent; *at; at++) {
        uint8_t number = (uint8_t)(*at - '0');
        numbered(pdu, request, 12, number);
        wire_segment(&wire, true, TCP_ACK, number * 12u, pdu, 12);
        wire.sequence[0] += 7 * 12; /* all is acknowledged at once */
        wire_segment(&wire, false, TCP_ACK, 0, NULL, 0);
        wire.sequence[0] -= 7 * 12;
    }
    check_numbers(row->shows, row->told);
}
END_TEST

/* Two requests in three segments each (abc, def), their beginning not seen: sent in this order. */
static const struct piece_row {
    const char *shows, *sent, *told;
} piece_rows[] = {
    {"in order",                                   "abcdef", "12"},
    {"the tail first",                             "bcadef", "12"},
    {"the first one backwards",                    "cbadef", "12"},
    {"the second one before the head",             "cdefba", "12"},
    {"both backwards",                             "fedcba", "21"},
    {"the second one's head before the first one", "cdbaef", "12"},
};

START_TEST(picked_up_inside_a_pdu)
{
    const struct piece_row *row = &piece_rows[_i];
    uint8_t pdus[24];
    numbered(pdus, request, 12, 1);
    numbered(pdus + 12, request, 12, 2);
    for (const char *at = row->sent; *at; at++) {
        uint32_t offset = 4u * (uint32_t)(*at - 'a');
        wire_segment(&wire, true, TCP_ACK, offset, pdus + offset, 4);
        wire.sequence[0] += 24; /* all is acknowledged at once */
        wire_segment(&wire, false, TCP_ACK, 0, NULL, 0);
        wire.sequence[0] -= 24;
    }
    check_numbers(row->shows, row->told);
}
END_TEST

static void in_crumbs(bool is_client, const uint8_t *bytes, uint32_t size, uint32_t crumb)
{
    for (uint32_t at = 0; at < size; at += crumb)
        wire_send(&wire, is_client, bytes + at, size - at < crumb ? size - at : crumb);
}

/* Segments of 1 to 12 bytes: more of them come before a PDU is whole than are counted else. */
START_TEST(crumbs_are_recognised)
{
    bool is_home = _i % 2;
    wire.server_port = is_home ? 502 : 5555;
    wire_handshake(&wire);
    in_crumbs(true, request, sizeof request, (uint32_t)_i / 2 + 1);
    in_crumbs(false, response, sizeof response, (uint32_t)_i / 2 + 1);
    static const char *const events[] = {"> 3 tid 1", "< 3 tid 1"};
    expect_events(2, events);
    ck_assert_int_eq(seen.odd, !is_home);
    ck_assert_int_eq(seen.violation_count, 0);
}
END_TEST

/* A connection request with TSAPs says who it is only when it is whole. */
START_TEST(a_long_greeting_in_crumbs_is_recognised)
{
    static const char tsaps[] = "\xc1\x10SNOPCC0002000001\xc2\x10SIMATIC-ROOT-OTH\xc0\x01\x0a";
    uint8_t greeting[50] = {3, 0, 0, sizeof greeting, sizeof greeting - 5, 0xe0, 0, 0, 0, 0x82, 0};
    memcpy(greeting + 11, tsaps, sizeof tsaps - 1);
    wire.server_port = 102;
    wire_handshake(&wire);
    in_crumbs(true, greeting, sizeof greeting, 1);
    static const uint8_t setup[25] = {3, 0, 0, 25, 2,    0xf0, 0x80, 0x32, 1, 0, 0, 0,   1,
                                      0, 8, 0, 0,  0xf0, 0,    0,    1,    0, 1, 1, 0xe0};
    in_crumbs(true, setup, sizeof setup, 1);
    static const char *const events[] = {"> 240 tid 1"};
    expect_events(1, events);
    ck_assert_int_eq(seen.odd, 0);
}
END_TEST

/* Bytes that could become Modbus for ever do not keep the question open. */
START_TEST(crumbs_are_bounded)
{
    uint8_t header[7] = {0, 1, 0, 0, 4, 0, 1};
    wire_handshake(&wire);
    in_crumbs(true, header, sizeof header, 1);
    for (int i = 0; i < 200 && !seen.odd; i++)
        in_crumbs(true, header, 1, 1);
    ck_assert_int_eq(seen.event_count, 0);
    ck_assert_uint_le(wire.number, 3 + 128);
}
END_TEST

START_TEST(a_late_pdu_leaves_the_one_in_pieces_whole)
{
    uint8_t pdus[3][12];
    for (uint8_t i = 0; i < 3; i++)
        numbered(pdus[i], request, 12, (uint8_t)(i + 1));
    wire_segment(&wire, true, TCP_ACK, 12, pdus[1], 12);
    wire_segment(&wire, true, TCP_ACK, 24, pdus[2], 5);
    wire_segment(&wire, true, TCP_ACK, 0, pdus[0], 12); /* late */
    wire_segment(&wire, true, TCP_ACK, 29, pdus[2] + 5, 7);
    static const char *const events[] = {"> 3 tid 2", "> 3 tid 1", "> 3 tid 3"};
    expect_events(3, events);
}
END_TEST

/* The same three requests once more, without a SYN: `pause` seconds after the first pass, their
 * numbers moved by `moved`. */
static const struct replay_row {
    const char *shows;
    uint32_t pause_s, moved;
    int events;
} replay_rows[] = {
    {"at once: sent again",                       0,  0,           3},
    {"after a while: played again",               60, 0,           6},
    {"another connection, its numbers far below", 1,  -(1u << 25), 6},
    {"another connection, its numbers far above", 1,  1u << 31,    6},
};

START_TEST(a_connection_that_begins_again)
{
    const struct replay_row *row = &replay_rows[_i];
    uint8_t pdu[12];
    for (uint32_t i = 0; i < 6; i++) {
        numbered(pdu, request, 12, (uint8_t)(i % 3 + 1));
        if (i == 3) {
            wire.sequence[0] += row->moved - 36;
            wire.now_ns += row->pause_s * (int64_t)1000000000;
        }
        wire_send(&wire, true, pdu, 12);
    }
    ck_assert_msg(seen.event_count == row->events, "%s: %d events", row->shows, seen.event_count);
    ck_assert_int_eq(seen.violation_count, 0);
}
END_TEST

START_TEST(one_sided_mirrors)
{
    bool is_client = _i;
    wire_handshake(&wire);
    wire_send(&wire, is_client, is_client ? request : response, is_client ? 12 : 13);
    wire_send(&wire, is_client, is_client ? request : response, is_client ? 12 : 13);
    ck_assert_int_eq(seen.event_count, 2);
    ck_assert_int_eq(seen.events[0][0], is_client ? '>' : '<');
}
END_TEST

START_TEST(a_weak_signature_on_another_port_needs_a_second_pdu)
{
    wire.server_port = 5555;
    wire_handshake(&wire);
    wire_send(&wire, true, request, sizeof request);
    ck_assert_int_eq(seen.event_count, 0);
    wire_send(&wire, false, response, sizeof response);
    static const char *const events[] = {"> 3 tid 1", "< 3 tid 1"};
    expect_events(2, events); /* none is lost */
    ck_assert_int_eq(seen.odd, 1);
    ck_assert_str_eq(seen.odd_name, "modbus");
}
END_TEST

START_TEST(something_else_on_the_port)
{
    static const char hello[] = "GET /index.html HTTP/1.1\r\nHost: plc\r\n\r\n";
    static const char reply[] = "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 0\r\n\r\n";
    wire_handshake(&wire);
    wire_send(&wire, true, hello, sizeof hello - 1);
    wire_send(&wire, false, reply, sizeof reply - 1);
    ck_assert_str_eq(seen.protocol, "http");
    ck_assert_int_eq(seen.odd, 1);
    ck_assert_str_eq(seen.odd_name, "http");
}
END_TEST

/* Connections to port 502 that end early. */
static const struct short_row {
    const char *shows;
    const char *bytes; /* of the client */
    uint32_t size;
    bool is_from_start, has_hole, has_garbage_answer;
    uint8_t end; /* of the client; TCP_FIN: the server's follows */
    int odd;
} short_rows[] = {
    {"one line of garbage, then a reset",        "~~garbage~~\r\n", 13, true,  false, false, TCP_RST, 1},
    {"one line of garbage, closed by both",      "~~garbage~~\r\n", 13, true,  false, false, TCP_FIN, 1},
    {"garbage in both directions",               "~~garbage~~\r\n", 13, true,  false, true,  TCP_FIN, 1},
    {"only somebody who looks and says nothing", "",                0,  true,  false, false, TCP_RST, 0},
    {"the middle of a connection",               "~~garbage~~\r\n", 13, false, false, false, TCP_RST, 0},
    {"bytes before it were lost",                "~~garbage~~\r\n", 13, true,  true,  false, TCP_RST, 0},
    {"a short connection that is Modbus",        NULL,              12, true,  false, false, TCP_FIN, 0},
};

START_TEST(too_short_to_be_recognised)
{
    const struct short_row *r = &short_rows[_i];
    if (r->is_from_start)
        wire_handshake(&wire);
    const void *bytes = r->bytes ? (const void *)r->bytes : request;
    if (r->has_hole)
        wire_segment(&wire, true, TCP_ACK, 100, bytes, r->size);
    else if (r->size)
        wire_send(&wire, true, bytes, r->size);
    if (r->has_garbage_answer)
        wire_send(&wire, false, bytes, r->size);
    wire_segment(&wire, true, r->end | TCP_ACK, 0, NULL, 0);
    if (r->end == TCP_FIN)
        wire_segment(&wire, false, TCP_FIN | TCP_ACK, 0, NULL, 0);
    wire_segment(&wire, false, TCP_RST, 0, NULL, 0); /* told once */
    ck_assert_msg(seen.odd == r->odd, "%s: %d", r->shows, seen.odd);
    if (r->odd)
        ck_assert_str_eq(seen.odd_name, "unknown");
}
END_TEST

/* Bytes that neither we nor nDPI know: PROTOCOLS 30, by port. */
START_TEST(a_port_has_a_name)
{
    static const struct {
        uint16_t client, server;
        bool is_start_seen;
        enum transport transport;
        const char *name;
    } rows[] = {
        {40000, 9094,  true,  TRANSPORT_TCP, "mewtocol"      },
        {40000, 9095,  true,  TRANSPORT_TCP, ""              },
        {40000, 5313,  false, TRANSPORT_UDP, "vnet_ip"       },
        {61000, 50001, true,  TRANSPORT_TCP, "spectrum_power"},
        {61000, 50001, false, TRANSPORT_TCP, ""              }, /* may be a client's */
        {55000, 55001, false, TRANSPORT_UDP, "fl_net"        },
    };
    static const uint8_t bytes[] = {0xde, 0xad, 0xbe, 0xef, 0x99, 0x77, 0x55, 0x33, 0x11, 0xaa};
    wire.client_port = rows[_i].client;
    wire.server_port = rows[_i].server;
    wire.transport = (uint8_t)rows[_i].transport;
    if (rows[_i].is_start_seen)
        wire_handshake(&wire);
    for (int i = 0; i < 40; i++)
        wire_send(&wire, i % 2 == 0, bytes, sizeof bytes);
    ck_assert_str_eq(seen.protocol, rows[_i].name);
    ck_assert_int_eq(seen.event_count, 0);
}
END_TEST

START_TEST(broken_framing_is_told_and_survived)
{
    static const uint8_t bad[12] = {0, 2, 0, 7, 0, 6, 1, 3, 0, 16, 0, 2}; /* protocol is not 0 */
    uint8_t pdu[12];
    wire_handshake(&wire);
    wire_send(&wire, true, request, sizeof request);
    for (int i = 0; i < 5; i++)
        wire_send(&wire, true, bad, sizeof bad);
    numbered(pdu, request, 12, 3);
    wire_send(&wire, true, pdu, sizeof pdu);
    static const char *const events[] = {"> 3 tid 1", "> 3 tid 3"};
    expect_events(2, events); /* what was right once is not given up: that would hide the rest */
    ck_assert_int_ge(seen.violation_count, 1);
}
END_TEST

START_TEST(segments_are_apart)
{
    wire_handshake(&wire);
    wire_send(&wire, true, request, sizeof request);
    wire.segment = 7;
    wire.sequence[0] = 5000;
    wire_handshake(&wire);
    wire_send(&wire, true, request, sizeof request);
    ck_assert_int_eq(seen.started, 2);
    ck_assert_uint_eq(seen.segment, 7);
    ck_assert_uint_eq(analyser_flows(wire.analyser), 2);
}
END_TEST

START_TEST(a_new_connection_on_old_ports)
{
    wire_handshake(&wire);
    wire_send(&wire, true, request, 7); /* an unfinished PDU */
    wire.sequence[0] = 77000;
    wire.sequence[1] = 88000;
    wire_handshake(&wire);
    wire_send(&wire, true, request, sizeof request);
    static const char *const events[] = {"> 3 tid 1"};
    expect_events(1, events);
    ck_assert_int_eq(seen.started, 2);
}
END_TEST

START_TEST(refused_connections)
{
    wire_segment(&wire, true, TCP_SYN, 0, NULL, 0);
    wire_segment(&wire, false, TCP_RST | TCP_ACK, 0, NULL, 0);
    ck_assert_int_eq(seen.refused, 1);
    ck_assert_int_eq(seen.answered, 0);
}
END_TEST

/* RFC 9293 3.10.7.1: a closed port answers what does not reset with a reset, an open one not at
 * all. */
static const struct probe_row {
    const char *shows;
    uint8_t flags;
    int started;
} probe_rows[] = {
    {"FIN alone",                        TCP_FIN,               1},
    {"no flag",                          0,                     1},
    {"FIN, push and urgent",             TCP_FIN | 0x08 | 0x20, 1},
    {"the end of an older connection",   TCP_FIN | TCP_ACK,     0},
    {"an acknowledgement of older data", TCP_ACK,               0},
    {"a reset of an older connection",   TCP_RST,               0},
};

START_TEST(probes_without_a_connection)
{
    const struct probe_row *r = &probe_rows[_i];
    wire_segment(&wire, true, r->flags, 0, NULL, 0);
    ck_assert_msg(seen.started == r->started, "%s: %d", r->shows, seen.started);
    wire_segment(&wire, false, TCP_RST | TCP_ACK, 0, NULL, 0);
    ck_assert_msg(seen.refused == r->started, "%s: refused %d", r->shows, seen.refused);
}
END_TEST

START_TEST(connections_that_end)
{
    wire_handshake(&wire);
    wire_send(&wire, true, request, sizeof request);
    wire_segment(&wire, true, TCP_FIN | TCP_ACK, 0, NULL, 0);
    ck_assert_int_eq(seen.finished, 0); /* half of it */
    wire_segment(&wire, false, TCP_FIN | TCP_ACK, 0, NULL, 0);
    wire_segment(&wire, false, TCP_FIN | TCP_ACK, 0, NULL, 0);
    ck_assert_int_eq(seen.finished, 1);
}
END_TEST

START_TEST(the_flow_table_is_bounded)
{
    for (uint16_t port = 1024; port < 1024 + 1000; port++) {
        wire.client_port = port;
        wire_segment(&wire, true, TCP_SYN, 0, NULL, 0);
    }
    ck_assert_uint_eq(analyser_flows(wire.analyser), 64);
    ck_assert_uint_eq(analyser_counters(wire.analyser)->flows, 1000);
    ck_assert_uint_eq(analyser_counters(wire.analyser)->flows_evicted, 1000 - 64);
}
END_TEST

START_TEST(buffers_are_bounded)
{
    /* holes everywhere: segments that can never be put in order */
    uint8_t junk[1400] = {0};
    wire_handshake(&wire);
    for (uint32_t i = 0; i < 5000; i++)
        wire_segment(&wire, true, TCP_ACK, 10 + i * 3000, junk, sizeof junk);
    ck_assert_uint_gt(analyser_counters(wire.analyser)->tcp_buffer_full, 0);
    analyser_finish(wire.analyser);
}
END_TEST

START_TEST(modbus_over_udp)
{
    wire.transport = TRANSPORT_UDP;
    wire_segment(&wire, true, 0, 0, request, sizeof request);
    wire_segment(&wire, false, 0, 0, response, sizeof response);
    static const char *const events[] = {"> 3 tid 1", "< 3 tid 1"};
    expect_events(2, events);
}
END_TEST

/* A flood through one socket is one flow: what nobody understands is counted, what is known not. */
START_TEST(strange_datagrams_are_counted)
{
    wire.transport = TRANSPORT_UDP;
    wire.server_port = 5555;
    for (int i = 0; i < 500; i++)
        wire_segment(&wire, true, 0, 0, _i ? "?" : (const char *)request, _i ? 1 : sizeof request);
    ck_assert_uint_eq(seen.strange, _i ? 500 : 0);
}
END_TEST

/* Of two that nobody knows, the lower port is likely the service; a group serves nobody's answer.
 */
START_TEST(who_asked)
{
    wire.transport = TRANSPORT_UDP;
    wire.client_port = 546;
    wire.server_port = 547;
    wire.is_to_group = _i == 1;
    wire_segment(&wire, true, 0, 0, "?", 1);
    ck_assert_int_eq(seen.client_port, _i == 1 ? 546 : 547);
}
END_TEST

START_TEST(udp_on_another_port_loses_nothing)
{
    wire.transport = TRANSPORT_UDP;
    wire.server_port = 5555;
    wire_segment(&wire, true, 0, 0, request, sizeof request);
    wire_segment(&wire, false, 0, 0, response, sizeof response);
    static const char *const events[] = {"> 3 tid 1", "< 3 tid 1"};
    expect_events(2, events);
}
END_TEST

/* Who answers a multicast chooses the port that he answers from; where another protocol is at home
 * it does not belong. */
START_TEST(answers_come_from_any_port)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nUSN: uuid:1\r\n\r\n";
    bool is_at_home = _i;
    wire.transport = TRANSPORT_UDP;
    wire.server_port = is_at_home ? 20000 : 1901; /* of DNP3 */
    wire_send(&wire, false, answer, sizeof answer - 1);
    ck_assert_str_eq(seen.protocol, "ssdp");
    ck_assert_int_eq(seen.odd, is_at_home);
}
END_TEST

/* [1350] 4: both ends of a transfer choose their ports, and the server sends first from its own. A
 * request on another port than 69 is odd all the same, and so is data at home of another one. */
static const struct {
    const char *shows, *event;
    bool is_read;
    uint16_t asked, answered; /* ports of the server */
    int odd;
} tftp_rows[] = {
    {"written",               "> 3 tid 0", false, 69,   61234, 0},
    {"read",                  "< 3 tid 0", true,  69,   61234, 0},
    {"asked on another port", "> 3 tid 0", false, 6969, 61234, 1},
    {"answered from DNP3's",  "> 3 tid 0", false, 69,   20000, 1},
};

START_TEST(data_comes_from_any_port)
{
    static const char acknowledge[] = {0, 4, 0, 0}, data[] = {0, 3, 0, 1, 'a', 'b'};
    char ask[] = "\0\2a.txt\0octet";
    bool is_read = tftp_rows[_i].is_read;
    ask[1] = is_read ? 1 : 2;
    wire.transport = TRANSPORT_UDP;
    wire.server_port = tftp_rows[_i].asked;
    wire_send(&wire, true, ask, sizeof ask);
    wire.server_port = tftp_rows[_i].answered;
    if (!is_read)
        wire_send(&wire, false, acknowledge, sizeof acknowledge);
    wire_send(&wire, !is_read, data, sizeof data);
    if (is_read)
        wire_send(&wire, true, acknowledge, sizeof acknowledge);
    ck_assert_str_eq(seen.protocol, "tftp");
    ck_assert_msg(seen.odd == tftp_rows[_i].odd, "%s: %d", tftp_rows[_i].shows, seen.odd);
    ck_assert_int_eq(seen.event_count, 4); /* the request, begin, data, end */
    ck_assert_str_eq(seen.events[2], tftp_rows[_i].event);
}
END_TEST

/* [BACnet] J.2: | 81 | function | length of all 2 |, then who-is to everybody */
/* [LINK] LINUX_SLL and SLL2 have no destination address: plant protocols on layer 2 are told. */
START_TEST(a_cooked_frame_of_layer_2)
{
    /* GOOSE: control block Go1, time to live 100 ms, states and sequence, one value */
    static const uint8_t frame[] = {0, 1,   0,    0x20, 0,    0,    0,   0,    0x61, 0x16, 0x80,
                                    3, 'G', 'o',  '1',  0x81, 1,    100, 0x85, 1,    1,    0x86,
                                    1, 5,   0x8a, 1,    1,    0xab, 3,   0x83, 1,    1};
    struct packet p = {
        .time_ns = wire.now_ns,
        .number = 1,
        .link_type = 113,
        .bytes = frame,
        .captured_size = sizeof frame,
        .wire_size = sizeof frame,
        .source_mac = {{2, 0, 0, 0, 0, 1}},
        .ethertype = 0x88b8,
        .transport = TRANSPORT_NONE,
        .payload = frame,
        .payload_size = sizeof frame,
        .payload_wire_size = sizeof frame,
    };
    analyser_packet(wire.analyser, &p);
    ck_assert_int_eq(seen.event_count, 1);
    ck_assert_str_eq(seen.protocol, "goose");
    ck_assert_int_eq(seen.violation_count, 0); /* the destination is not judged */
}
END_TEST

START_TEST(what_the_capture_cut_off_is_no_violation)
{
    static const uint8_t who_is[] = {0x81, 0x0b, 0, 12, 1, 0x20, 0xff, 0xff, 0, 0xff, 0x10, 8};
    wire.transport = TRANSPORT_UDP;
    wire.client_port = wire.server_port = 47808;
    wire_segment(&wire, true, 0, 0, who_is, sizeof who_is);
    ck_assert_int_eq(seen.event_count, 1);
    wire.cut = 2;
    wire_segment(&wire, true, 0, 0, who_is, sizeof who_is - 2);
    ck_assert_int_eq(seen.violation_count, 0);
    wire.cut = 0; /* all that was sent: the length is wrong */
    wire_segment(&wire, true, 0, 0, who_is, sizeof who_is - 2);
    ck_assert_int_ge(seen.violation_count, 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("analyser");
    TCase *c = tcase_create("analyser");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60);
    tcase_add_test(c, a_connection_from_its_start);
    tcase_add_loop_test(c, split_at_every_byte, 1, 12);
    tcase_add_test(c, several_pdus_in_one_segment);
    tcase_add_test(c, out_of_order_and_retransmitted);
    tcase_add_test(c, an_overlap_is_delivered_once);
    tcase_add_loop_test(c, repeated_with_other_content, 0,
                        sizeof repeat_rows / sizeof *repeat_rows);
    tcase_add_loop_test(c, a_reset_ends_it, 0, sizeof reset_rows / sizeof *reset_rows);
    tcase_add_test(c, a_lost_segment_that_was_acknowledged_is_skipped);
    tcase_add_test(c, an_answer_to_what_was_not_captured);
    tcase_add_test(c, what_comes_after_its_hole_was_given_up);
    tcase_add_test(c, picked_up_in_the_middle);
    tcase_add_loop_test(c, picked_up_out_of_order, 0, sizeof pick_up_rows / sizeof *pick_up_rows);
    tcase_add_loop_test(c, picked_up_inside_a_pdu, 0, sizeof piece_rows / sizeof *piece_rows);
    tcase_add_loop_test(c, crumbs_are_recognised, 0, 24);
    tcase_add_test(c, a_long_greeting_in_crumbs_is_recognised);
    tcase_add_test(c, crumbs_are_bounded);
    tcase_add_test(c, a_late_pdu_leaves_the_one_in_pieces_whole);
    tcase_add_loop_test(c, a_connection_that_begins_again, 0,
                        sizeof replay_rows / sizeof *replay_rows);
    tcase_add_loop_test(c, one_sided_mirrors, 0, 2);
    tcase_add_test(c, a_weak_signature_on_another_port_needs_a_second_pdu);
    tcase_add_test(c, something_else_on_the_port);
    tcase_add_loop_test(c, too_short_to_be_recognised, 0, sizeof short_rows / sizeof *short_rows);
    tcase_add_loop_test(c, a_port_has_a_name, 0, 6);
    tcase_add_test(c, broken_framing_is_told_and_survived);
    tcase_add_test(c, segments_are_apart);
    tcase_add_test(c, a_new_connection_on_old_ports);
    tcase_add_test(c, refused_connections);
    tcase_add_loop_test(c, probes_without_a_connection, 0, sizeof probe_rows / sizeof *probe_rows);
    tcase_add_test(c, connections_that_end);
    tcase_add_test(c, the_flow_table_is_bounded);
    tcase_add_test(c, buffers_are_bounded);
    tcase_add_test(c, modbus_over_udp);
    tcase_add_loop_test(c, who_asked, 0, 2);
    tcase_add_test(c, udp_on_another_port_loses_nothing);
    tcase_add_loop_test(c, answers_come_from_any_port, 0, 2);
    tcase_add_loop_test(c, data_comes_from_any_port, 0, sizeof tftp_rows / sizeof *tftp_rows);
    tcase_add_loop_test(c, strange_datagrams_are_counted, 0, 2);
    tcase_add_test(c, a_cooked_frame_of_layer_2);
    tcase_add_test(c, what_the_capture_cut_off_is_no_violation);
    suite_add_tcase(s, c);
    return run_suite(s);
}
