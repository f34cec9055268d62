/* test_tristation.c: TriStation, held against PROTOCOLS 22. */
#include "dissectors/crc.h"
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_tristation;

#define ZEROS_19 "00000000000000000000000000000000000000"

enum { ROOM = 256 };

static size_t with_crc(uint8_t out[ROOM], size_t size)
{
    uint16_t crc = crc16(0, out, size);
    out[size] = (uint8_t)crc;
    out[size + 1] = (uint8_t)(crc >> 8);
    return size + 2;
}

/* A datagram of type 5. */
static size_t command(uint8_t out[ROOM], bool is_reply, uint8_t number, uint8_t count,
                      const char *data)
{
    memset(out, 0, ROOM);
    size_t size = 10 + hex_bytes(out + 14, ROOM - 16, data);
    out[0] = 5;
    out[2] = (uint8_t)size;
    out[4] = out[5] = is_reply;
    out[6] = number;
    out[7] = count;
    out[12] = (uint8_t)size;
    uint32_t sum = (uint32_t)size;
    for (size_t i = 0; i < size; i++)
        sum += out[4 + i];
    out[10] = (uint8_t)sum;
    out[11] = (uint8_t)(sum >> 8);
    return with_crc(out, 4 + size);
}

static void feed(struct probe *p, bool is_reply, uint8_t number, uint8_t count, const char *data)
{
    uint8_t out[ROOM];
    size_t size = command(out, is_reply, number, count, data);
    ck_assert_int_eq(probe_recognise(&dissector_tristation, out, size), CLAIM_YES);
    probe_feed(p, &dissector_tristation, !is_reply, out, size);
}

static const struct row {
    const char *operation;
    uint8_t numbers[24]; /* ends with 255 */
} rows[] = {
    {"program_download", {0, 1, 59, 80, 55, 56, 72, 68, 6, 48, 49, 50, 10, 11, 12, 255}},
    {"program_upload",   {65, 66, 3, 18, 42, 255}                                      },
    {"start",            {20, 255}                                                     },
    {"stop",             {21, 22, 255}                                                 },
    {"mode_change",      {23, 255}                                                     },
    {"config_change",
     {2, 4, 5, 9, 14, 15, 26, 34, 43, 44, 45, 52, 60, 63, 70, 37, 38, 39, 40, 255}     },
    {"write",            {16, 27, 30, 57, 58, 62, 41, 255}                             },
    {"force",            {17, 255}                                                     },
    {"time_set",         {7, 31, 255}                                                  },
    {"alarm",            {32, 255}                                                     },
    {"session",          {13, 255}                                                     },
    {"diagnostics",      {8, 19, 24, 25, 29, 33, 35, 71, 255}                          },
    {"identify",         {47, 54, 64, 73, 255}                                         },
    {"read",             {28, 36, 46, 51, 53, 61, 67, 69, 74, 255}                     },
    {"unknown",          {75, 76, 77, 78, 79, 81, 83, 255}                             },
};

START_TEST(commands_have_their_class)
{
    const struct row *row = &rows[_i];
    for (size_t i = 0; row->numbers[i] != 255; i++) {
        char code[24];
        snprintf(code, sizeof code, "tcm=5,cmd=%u", row->numbers[i]);
        struct probe *p = probe_create(TRANSPORT_UDP);
        feed(p, false, row->numbers[i], 9, "");
        feed(p, true, 100, 9, "d401");
        ck_assert_str_eq(probe_event(p, 0)->code, code);
        ck_assert_str_eq(probe_event(p, 0)->direction, "request");
        for (size_t k = 0; k < 2; k++)
            ck_assert_msg(!strcmp(probe_event(p, k)->operation, row->operation), "%u: %s",
                          row->numbers[i], probe_event(p, k)->operation);
        ck_assert_str_eq(probe_event(p, 1)->code, "tcm=5,cmd=100");
        ck_assert_str_eq(probe_event(p, 1)->direction, "response");
        ck_assert_str_eq(probe_event(p, 1)->status, "error 212 key_setting_prohibits");
        ck_assert_uint_eq(p->violation_count, !strcmp(row->operation, "unknown"));
        probe_destroy(p);
    }
}
END_TEST

static const struct type {
    uint8_t type;
    bool is_reply;
    const char *name, *operation, *status;
} types[] = {
    {1,  false, "connect",                  "session",  ""                                },
    {2,  true,  "connect_reply",            "session",  ""                                },
    {3,  true,  "disconnect_reply",         "session",  ""                                },
    {4,  false, "disconnect",               "session",  ""                                },
    {6,  false, "ping",                     "discover", ""                                },
    {7,  true,  "connection_limit_reached", "error",    "error 7 connection_limit_reached"},
    {8,  true,  "not_connected",            "error",    "error 8 not_connected"           },
    {9,  true,  "processors_dead",          "error",    "error 9 processors_dead"         },
    {10, true,  "access_denied",            "error",    "error 10 access_denied"          },
    {11, true,  "connection_failed",        "error",    "error 11 connection_failed"      },
};

START_TEST(types_besides_commands)
{
    const struct type *row = &types[_i];
    uint8_t out[ROOM] = {row->type};
    char code[16];
    snprintf(code, sizeof code, "tcm=%u", row->type);
    size_t size = with_crc(out, 4);
    struct probe *p = probe_create(TRANSPORT_UDP);
    p->flow.is_role_known = p->flow.is_start_seen = false;
    ck_assert_int_eq(probe_recognise(&dissector_tristation, out, size), CLAIM_YES);
    probe_feed(p, &dissector_tristation, true, out, size);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->code, code);
    ck_assert_str_eq(e->name, row->name);
    ck_assert_str_eq(e->operation, row->operation);
    ck_assert_str_eq(e->status, row->status);
    ck_assert_str_eq(e->direction, row->is_reply ? "response" : "request");
    ck_assert(e->is_from_client == !row->is_reply);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(a_ping_has_this_crc)
{
    uint8_t bytes[8];
    size_t size = hex_bytes(bytes, sizeof bytes, "06 00 00 00 00 88");
    ck_assert_int_eq(probe_recognise(&dissector_tristation, bytes, size), CLAIM_YES);
}
END_TEST

START_TEST(a_download)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    feed(p, false, 1, 1, "4e4f5a4f4d4900000000 0200");
    feed(p, true, 102, 1, "");
    feed(p, false, 55, 2, "0200 01020304");
    feed(p, true, 153, 2, "");
    feed(p, false, 11, 3, "");
    feed(p, true, 103, 3, "");
    feed(p, false, 12, 4, "");
    ck_assert_str_eq(probe_event(p, 0)->transfer, "begin program_download key=29 name=NOZOMI");
    ck_assert_str_eq(probe_event(p, 1)->name, "start_download_change");
    ck_assert_str_eq(probe_event(p, 1)->status, "ok");
    ck_assert_str_eq(probe_event(p, 2)->items, "program 2");
    ck_assert_str_eq(probe_event(p, 2)->transfer, "block program_download key=29 bytes=4");
    ck_assert_str_eq(probe_event(p, 4)->transfer, "end program_download key=29");
    ck_assert_str_eq(probe_event(p, 6)->transfer, "abort program_download key=29");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(an_upload)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    feed(p, false, 66, 1, "1000 0000");
    feed(p, true, 163, 1, "01020304");
    ck_assert_str_eq(probe_event(p, 0)->items, "function 16");
    ck_assert_str_eq(probe_event(p, 1)->operation, "program_upload");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(status_tells_key_and_program)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    feed(p, false, 19, 1, "");
    feed(p, true, 108, 1,
         "010000000d00 01 01 00" ZEROS_19 ZEROS_19 ZEROS_19 "4e4f5a4f4d4900000000");
    ck_assert_str_eq(probe_event(p, 1)->facts,
                     "vendor=Triconex; key_switch=program; mode=running; program=NOZOMI");
    probe_destroy(p);
}
END_TEST

static const struct implant {
    const char *data, *operation, *detail;
} implants[] = {
    {"17ff", "program_upload",   "implant: read memory" },
    {"41ff", "program_download", "implant: write memory"},
    {"f9ff", "program_modify",   "implant: execute"     },
};

START_TEST(the_implant)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    feed(p, false, 29, 1, implants[_i].data);
    ck_assert_str_eq(probe_event(p, 0)->operation, implants[_i].operation);
    ck_assert_str_eq(probe_event(p, 0)->detail, implants[_i].detail);
    ck_assert(probe_has_violation(p, VIOLATION_FUNCTION));
    probe_clear(p);
    feed(p, true, 150, 1, "");
    ck_assert_str_eq(probe_event(p, 0)->operation, "program_modify");
    ck_assert(probe_has_violation(p, VIOLATION_FUNCTION));
    probe_clear(p);
    feed(p, false, 29, 2, "1700");
    feed(p, true, 127, 2, "");
    ck_assert_str_eq(probe_event(p, 0)->operation, "diagnostics");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(violations)
{
    uint8_t out[ROOM];
    struct probe *p = probe_create(TRANSPORT_UDP);
    size_t size = command(out, false, 20, 1, "");
    out[size - 1] ^= 1;
    ck_assert_int_eq(probe_recognise(&dissector_tristation, out, size), CLAIM_WEAK);
    probe_feed(p, &dissector_tristation, true, out, size);
    ck_assert(probe_has_violation(p, VIOLATION_CHECKSUM));
    probe_clear(p);
    size = command(out, false, 20, 1, "");
    out[10] ^= 1;
    probe_feed(p, &dissector_tristation, true, out, with_crc(out, size - 2));
    ck_assert(probe_has_violation(p, VIOLATION_CHECKSUM));
    probe_clear(p);
    out[12]++;
    probe_feed(p, &dissector_tristation, true, out, with_crc(out, size - 2));
    ck_assert(probe_has_violation(p, VIOLATION_LENGTH));
    probe_clear(p);
    probe_feed(p, &dissector_tristation, true, out, size - 1);
    ck_assert(probe_has_violation(p, VIOLATION_TRUNCATED));
    probe_clear(p);
    probe_feed(p, &dissector_tristation, true, out, size + 1);
    ck_assert(probe_has_violation(p, VIOLATION_LENGTH));
    probe_clear(p);
    feed(p, true, 20, 7, "");
    ck_assert(probe_has_violation(p, VIOLATION_DIRECTION));
    ck_assert_uint_eq(probe_event(p, 0)->flags, OT_NO_REQUEST);
    probe_clear(p);
    feed(p, false, 20, 8, "");
    feed(p, true, 110, 8, "");
    ck_assert(probe_has_violation(p, VIOLATION_STATE));
    probe_destroy(p);
}
END_TEST

START_TEST(recognition)
{
    uint8_t out[ROOM] = {0};
    ck_assert_int_eq(probe_recognise(&dissector_tristation, out, 6), CLAIM_NO);
    ck_assert_int_eq(probe_recognise(&dissector_tristation, out, 64), CLAIM_NO);
    size_t size = command(out, false, 20, 1, "");
    for (size_t n = 0; n < size; n++)
        ck_assert_int_eq(probe_recognise(&dissector_tristation, out, n), CLAIM_NO);
    memset(out, 0, sizeof out);
    out[0] = 12;
    ck_assert_int_eq(probe_recognise(&dissector_tristation, out, with_crc(out, 4)), CLAIM_NO);
    out[0] = 6;
    out[4] = 1;
    ck_assert_int_eq(probe_recognise(&dissector_tristation, out, 6), CLAIM_NO);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tristation");
    TCase *tc = tcase_create("tristation");
    tcase_add_loop_test(tc, commands_have_their_class, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(tc, types_besides_commands, 0, sizeof types / sizeof *types);
    tcase_add_loop_test(tc, the_implant, 0, sizeof implants / sizeof *implants);
    tcase_add_test(tc, a_ping_has_this_crc);
    tcase_add_test(tc, a_download);
    tcase_add_test(tc, an_upload);
    tcase_add_test(tc, status_tells_key_and_program);
    tcase_add_test(tc, violations);
    tcase_add_test(tc, recognition);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
