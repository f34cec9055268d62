/* test_http.c: requests, answers and bodies of HTTP/1, held against RFC 9112. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_http;

#define ASK "GET /a HTTP/1.1\r\nHost: plc\r\n\r\n"

static void say(struct probe *p, bool is_from_client, const char *text)
{
    probe_stream(p, &dissector_http, is_from_client, text, strlen(text));
}

static const struct row {
    const char *shows, *answer;
} rows[] = {
    {"a body of known length",
     "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nGET / HTTP/1.1\r\n\r\n12"                              },
    {"a body in chunks",           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                         "14\r\nGET / HTTP/1.1\r\n\r\n12\r\n3\r\nabc\r\n0\r\n\r\n"},
    {"an answer that has no body", "HTTP/1.1 304 Not\r\nContent-Length: 20\r\n\r\n"                       },
};

START_TEST(what_follows_a_body_is_found)
{
    const struct row *row = &rows[_i];
    for (int is_bytewise = 0; is_bytewise < 2; is_bytewise++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        say(p, true, ASK);
        for (const char *c = row->answer; is_bytewise && *c; c++)
            probe_stream(p, &dissector_http, false, c, 1);
        if (!is_bytewise)
            say(p, false, row->answer);
        say(p, false, "HTTP/1.1 404 Not Found\r\n\r\n");
        ck_assert_msg(p->event_count == 3, "%s: %zu events", row->shows, p->event_count);
        ck_assert_str_eq(probe_event(p, 0)->code, "GET");
        ck_assert_str_eq(probe_event(p, 0)->detail, "/a");
        ck_assert_str_eq(probe_event(p, 2)->code, "404");
        ck_assert_str_eq(probe_event(p, 2)->status, "error 404");
        probe_destroy(p);
    }
}
END_TEST

/* [6455] 5.2: one frame, masked when the client sends it; sizes of all three forms. */
static void frame_of_websocket(struct probe *p, bool is_from_client, uint8_t opcode,
                               const void *payload, size_t size, int form)
{
    static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    uint8_t out[512] = {(uint8_t)(0x80 | opcode)};
    size_t at = 2;
    out[1] = (uint8_t)(form == 0 ? size : form == 1 ? 126 : 127);
    for (int shift = form == 0 ? -8 : form == 1 ? 8 : 56; shift >= 0; shift -= 8)
        out[at++] = (uint8_t)(shift > 8 ? 0 : size >> shift);
    if (is_from_client) {
        out[1] |= 0x80;
        memcpy(out + at, mask, 4);
        at += 4;
    }
    for (size_t k = 0; k < size; k++)
        out[at + k] = (uint8_t)(((const uint8_t *)payload)[k] ^ (is_from_client ? mask[k % 4] : 0));
    for (size_t k = 0; k < at + size; k++) /* byte by byte: framing asks for more */
        probe_stream(p, &dissector_http, is_from_client, out + k, 1);
}

static void upgrade(struct probe *p)
{
    say(p, true,
        "GET /mqtt HTTP/1.1\r\nHost: plc\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n");
    say(p, false,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n");
    probe_clear(p);
}

/* MQTT 3.1.1, 6: packets in binary frames, several of them in one. */
START_TEST(mqtt_in_a_websocket)
{
    static const char connect[] = "\x10\x0d\0\4MQTT\4\2\0\x3c\0\1a";
    static const char answers[] = "\x20\2\0\0\x30\5\0\1t42";
    static const char set[] = "\x30\7\0\5x/set\x30\3\0\1t";
    struct probe *p = probe_create(TRANSPORT_TCP);
    upgrade(p);
    frame_of_websocket(p, true, 2, connect, sizeof connect - 1, _i);
    frame_of_websocket(p, false, 2, answers, sizeof answers - 1, _i);
    frame_of_websocket(p, true, 9, "ping", 4, _i); /* is none of it */
    frame_of_websocket(p, true, 2, set, sizeof set - 1, _i);
    static const char *const told[] = {"connect", "connack", "publish", "publish", "publish"};
    ck_assert_uint_eq(p->event_count, 5);
    for (size_t k = 0; k < 5; k++) {
        ck_assert_str_eq(probe_event(p, k)->protocol, "mqtt");
        ck_assert_str_eq(probe_event(p, k)->name, told[k]);
    }
    ck_assert_str_eq(probe_event(p, 2)->items, "t=42");
    ck_assert_str_eq(probe_event(p, 3)->operation, "write");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

/* MQTT 3.1.1, 6: packets need not begin or end where frames do. */
START_TEST(mqtt_packets_over_frames)
{
    static const char packets[] = "\x10\x0d\0\4MQTT\4\2\0\x3c\0\1a"
                                  "\x30\7\0\5x/set\x30\5\0\1t42";
    size_t size = sizeof packets - 1;
    for (size_t first = 12; first < size; first++)
        for (size_t second = first; second < size; second += 3) {
            struct probe *p = probe_create(TRANSPORT_TCP);
            upgrade(p);
            frame_of_websocket(p, true, 2, packets, first, 0);
            frame_of_websocket(p, false, 2, "\x20\2\0\0", 4, 0); /* the other side's own */
            frame_of_websocket(p, true, 2, packets + first, second - first, 0);
            frame_of_websocket(p, true, 0, packets + second, size - second, 0);
            ck_assert_msg(p->event_count == 4 && p->violation_count == 0, "%zu, %zu", first,
                          second);
            ck_assert_str_eq(probe_event(p, 3)->items, "t=42");
            probe_destroy(p);
        }
}
END_TEST

START_TEST(a_piece_does_not_outlive_what_is_passed_over)
{
    static const char connect[] = "\x10\x0d\0\4MQTT\4\2\0\x3c\0\1a\x30\x40\0\1t";
    static const uint8_t too_long[] = {0x82, 0xfe, 0x4e, 0x20, 0, 0, 0, 0};
    static const uint8_t content[20000];
    struct probe *p = probe_create(TRANSPORT_TCP);
    upgrade(p);
    frame_of_websocket(p, true, 2, connect, sizeof connect - 1, 0);
    probe_stream(p, &dissector_http, true, too_long, sizeof too_long);
    probe_stream(p, &dissector_http, true, content, sizeof content);
    frame_of_websocket(p, true, 2, "\x30\5\0\1t42", 7, 0);
    ck_assert_uint_eq(p->event_count, 2);
    ck_assert_str_eq(probe_event(p, 1)->items, "t=42");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

/* A frame longer than what is kept is passed over, whole: the next one is read. One of the greatest
 * size there is passes over all that comes. */
START_TEST(websocket_frames_too_long)
{
    static const uint8_t too_long[] = {0x82, 126, 0x4e, 0x20};
    static const uint8_t endless[] = {0x82, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const char value[] = "\x30\5\0\1t42";
    struct probe *p = probe_create(TRANSPORT_TCP);
    upgrade(p);
    probe_stream(p, &dissector_http, false, too_long, sizeof too_long);
    for (int i = 0; i < 20000; i += 100) {
        uint8_t content[100] = {0x82, 7, 0x30, 5, 0, 1, 't', '1', '3'}; /* as if it were a frame */
        probe_stream(p, &dissector_http, false, content, sizeof content);
    }
    ck_assert_uint_eq(p->event_count, 0);
    frame_of_websocket(p, false, 2, value, sizeof value - 1, 0);
    ck_assert_uint_eq(p->event_count, 1);
    ck_assert_str_eq(probe_event(p, 0)->items, "t=42");
    probe_stream(p, &dissector_http, false, endless, sizeof endless);
    frame_of_websocket(p, false, 2, value, sizeof value - 1, 0);
    ck_assert_uint_eq(p->event_count, 1);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(basic_has_user_and_credential)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    say(p, true, "GET / HTTP/1.1\r\nAuthorization: Basic YWRtaW46c2VjcmV0\r\n\r\n");
    ck_assert_uint_eq(probe_event(p, 0)->flags, OT_HAS_CREDENTIAL);
    ck_assert_str_eq(probe_event(p, 0)->facts, "user_name=admin");
    ck_assert_uint_eq(probe_event(p, 0)->secret_size, 16);
    probe_destroy(p);
}
END_TEST

START_TEST(a_password_as_delivered_is_told)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    say(p, true, "GET / HTTP/1.1\r\nAuthorization: Basic YWRtaW46YWRtaW4=\r\n\r\n");
    ck_assert_uint_eq(probe_event(p, 0)->flags, OT_HAS_CREDENTIAL | OT_DEFAULT_CREDENTIAL);
    ck_assert_str_eq(probe_event(p, 0)->facts, "user_name=admin");
    probe_destroy(p);
}
END_TEST

static const struct login_row {
    const char *shows, *request, *operation;
} login_rows[] = {
    {"a password is asked for", "GET / HTTP/1.1\r\n\r\n",                                  "read"},
    {"a password is wrong",     "GET / HTTP/1.1\r\nAuthorization: Basic YTpi\r\n\r\n",     "auth"},
    {"a proof is wrong",        "GET / HTTP/1.1\r\nAuthorization: Digest a=\"b\"\r\n\r\n", "auth"},
    {"a handshake goes on",     "GET / HTTP/1.1\r\nAuthorization: NTLM TlRMTVNT\r\n\r\n",  "read"},
};

START_TEST(refused_logins)
{
    const struct login_row *row = &login_rows[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    say(p, true, row->request);
    say(p, false, "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n");
    ck_assert_msg(strcmp(probe_event(p, 1)->operation, row->operation) == 0, "%s", row->shows);
    ck_assert_str_eq(probe_event(p, 1)->status, "error 401 unauthorized");
    probe_destroy(p);
}
END_TEST

START_TEST(remote_management_is_a_start)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    say(p, true, "POST /wsman HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
    say(p, true, "POST /other HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
    ck_assert_str_eq(probe_event(p, 0)->operation, "start");
    ck_assert_str_eq(probe_event(p, 1)->operation, "write");
    probe_destroy(p);
}
END_TEST

START_TEST(firmware_by_its_name)
{
    static const char *const asked[] = {"POST /up/fw_2.BIN?slot=1", "PUT /boot.s19", "GET /fw.bin",
                                        "POST /up/fw.bin.html"};
    static const char *const operations[] = {"firmware_update", "firmware_update", "read", "write"};
    char request[128];
    struct probe *p = probe_create(TRANSPORT_TCP);
    for (size_t i = 0; i < 4; i++) {
        snprintf(request, sizeof request, "%s HTTP/1.1\r\nContent-Length: 0\r\n\r\n", asked[i]);
        say(p, true, request);
        say(p, false, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        ck_assert_str_eq(probe_event(p, 2 * i)->operation, operations[i]);
        ck_assert_str_eq(probe_event(p, 2 * i + 1)->operation, operations[i]);
    }
    probe_destroy(p);
}
END_TEST

START_TEST(every_prefix_asks_for_more)
{
    for (size_t i = 0; i < sizeof ASK - 1; i++)
        ck_assert_int_eq(probe_frame(&dissector_http, ASK, i).verdict, FRAME_NEED);
    ck_assert_uint_eq(probe_frame(&dissector_http, ASK, sizeof ASK - 1).size, sizeof ASK - 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http");
    TCase *tc = tcase_create("http");
    tcase_add_loop_test(tc, what_follows_a_body_is_found, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(tc, mqtt_in_a_websocket, 0, 3);
    tcase_add_test(tc, mqtt_packets_over_frames);
    tcase_add_test(tc, a_piece_does_not_outlive_what_is_passed_over);
    tcase_add_test(tc, websocket_frames_too_long);
    tcase_add_test(tc, basic_has_user_and_credential);
    tcase_add_test(tc, a_password_as_delivered_is_told);
    tcase_add_loop_test(tc, refused_logins, 0, sizeof login_rows / sizeof *login_rows);
    tcase_add_test(tc, remote_management_is_a_start);
    tcase_add_test(tc, firmware_by_its_name);
    tcase_add_test(tc, every_prefix_asks_for_more);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
