/* test_modbus_rtu.c: RTU frames in TCP and UDP, held against [RTU] MODBUS over Serial Line V1.02.
 * What functions mean is tested in test_modbus.c. */
#include "dissectors/crc.h"
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>

extern const struct dissector dissector_modbus_rtu;

enum { FRAME_ROOM = 512 };

/* Unit and PDU in hex, with its CRC behind. */
static size_t frame_bytes(uint8_t *frame, const char *hex)
{
    size_t size = hex_bytes(frame, FRAME_ROOM - 2, hex);
    uint16_t crc = crc16(CRC16_MODBUS_START, frame, size);
    frame[size] = (uint8_t)crc;
    frame[size + 1] = (uint8_t)(crc >> 8);
    return size + 2;
}

static void feed(struct probe *p, bool is_from_client, const char *hex)
{
    uint8_t frame[FRAME_ROOM];
    size_t size = frame_bytes(frame, hex);
    ck_assert_msg(probe_stream(p, &dissector_modbus_rtu, is_from_client, frame, size) ==
                      FRAME_COMPLETE,
                  "%s", hex);
}

START_TEST(crc_is_that_of_the_specification)
{
    /* worked examples published for this CRC: "123456789" gives 4B37; frame 01 03 0000 000A ends in
     * C5 CD */
    ck_assert_uint_eq(crc16(CRC16_MODBUS_START, "123456789", 9), 0x4b37);
    const uint8_t frame[] = {0x01, 0x03, 0x00, 0x00, 0x00, 0x0a, 0xc5, 0xcd};
    ck_assert_uint_eq(crc16(CRC16_MODBUS_START, frame, 6), 0xcdc5);
    ck_assert_uint_eq(crc16(CRC16_MODBUS_START, frame, sizeof frame), 0);
    /* PROTOCOLS 3.4: the same polynomial from 0, 06 00 00 00 gives 00 88 on the wire */
    const uint8_t other[] = {6, 0, 0, 0};
    ck_assert_uint_eq(crc16(0, other, sizeof other), 0x8800);
}
END_TEST

static const struct exchange {
    const char *request, *response, *code, *asked, *answered;
} exchanges[] = {
    {"11 01 0013 0013",                   "11 01 03 cd6b05",                    "1",  "coil 19-37",
     "coil 19-37=1,0,1,1,0,0,1,1,1,1,0,1,0,1,1,0,1,0,1"                                                                                                                           },
    {"11 02 0000 0001",                   "11 02 01 01",                        "2",  "discrete_input 0",               "discrete_input 0=1"                                      },
    {"11 03 006b 0003",                   "11 03 06 ae41 5652 4340",            "3",  "holding_register 107-109",
     "holding_register 107-109=44609,22098,17216"                                                                                                                                 },
    {"11 04 0008 0001",                   "11 04 02 000a",                      "4",  "input_register 8",               "input_register 8=10"                                     },
    {"11 05 00ac ff00",                   "11 05 00ac ff00",                    "5",  "coil 172=1",                     "coil 172=1"                                              },
    {"11 06 0001 0003",                   "11 06 0001 0003",                    "6",  "holding_register 1=3",           "holding_register 1=3"                                    },
    {"11 07",                             "11 07 6d",                           "7",  "",                               "exception_status=1,0,1,1,0,1,1,0"                        },
    {"11 08 0000 a537",                   "11 08 0000 a537",                    "8",  "diagnostic 0=42295",             "diagnostic 0=42295"                                      },
    {"11 08 0000 a537 0001",              "11 08 0000 a537 0001",               "8",  "diagnostic 0=42295,1",
     "diagnostic 0=42295,1"                                                                                                                                                       },
    {"11 0b",                             "11 0b ffff 0108",                    "11", "",                               "comm_event_counter=65535,264"                            },
    {"11 0f 0013 000a 02 cd01",           "11 0f 0013 000a",                    "15", "coil 19-28=1,0,1,1,0,0,1,1,1,0",
     "coil 19-28"                                                                                                                                                                 },
    {"11 10 0001 0002 04 000a 0102",      "11 10 0001 0002",                    "16", "holding_register 1-2=10,258",
     "holding_register 1-2"                                                                                                                                                       },
    {"11 11",                             "11 11 02 01 ff",                     "17", "",                               ""                                                        },
    {"11 14 07 06 0004 0001 0001",        "11 14 04 03 06 0dfe",                "20", "file 4 1",                       "file 4 1=3582"                                           },
    {"11 16 0004 00f2 0025",              "11 16 0004 00f2 0025",               "22", "holding_register 4",
     "holding_register 4"                                                                                                                                                         },
    {"11 17 0003 0001 000e 0001 02 00ff", "11 17 02 00fe",                      "23",
     "holding_register 3{read}; holding_register 14{write}=255",                                                        "holding_register 3{read}=254; holding_register 14{write}"},
    {"11 18 04de",                        "11 18 0006 0002 01b8 1284",          "24", "fifo_queue 1246",
     "fifo_queue 1246=440,4740"                                                                                                                                                   },
    {"11 2b 0e 01 00",                    "11 2b 0e 01 01 00 00 01 00 02 4142", "43", "device_identification 0",        ""                                                        },
    {"11 41 0102030405",                  "11 41 06",                           "65", "",                               ""                                                        },
    {"11 03 006b 0003",                   "11 83 02",                           "3",  "holding_register 107-109",       "holding_register 107-109"                                },
};
enum { EXCHANGES = sizeof exchanges / sizeof *exchanges };

START_TEST(frames_are_found_by_their_crc)
{
    const struct exchange *row = &exchanges[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, row->request);
    feed(p, false, row->response);
    ck_assert_uint_eq(p->event_count, 2);
    ck_assert_msg(p->violation_count == 0, "%s: %s", row->response,
                  p->violation_count ? p->violations[0].why : "");
    const struct probe_event *asked = probe_event(p, 0), *answered = probe_event(p, 1);
    ck_assert_str_eq(asked->protocol, "modbus");
    ck_assert_str_eq(asked->code, row->code);
    ck_assert_str_eq(answered->code, row->code);
    ck_assert_str_eq(asked->unit, "17");
    ck_assert_str_eq(asked->items, row->asked);
    ck_assert_str_eq(answered->items, row->answered);
    ck_assert(!asked->has_transaction);
    probe_destroy(p);
}
END_TEST

START_TEST(every_prefix_waits_for_more)
{
    for (int is_response = 0; is_response <= 1; is_response++) {
        uint8_t frame[FRAME_ROOM];
        size_t size =
            frame_bytes(frame, is_response ? exchanges[_i].response : exchanges[_i].request);
        for (size_t n = 0; n < size; n++) {
            struct frame f = probe_frame(&dissector_modbus_rtu, frame, n);
            ck_assert_msg(f.verdict == FRAME_NEED, "%s: %zu", exchanges[_i].request, n);
        }
        ck_assert_uint_eq(probe_frame(&dissector_modbus_rtu, frame, size).size, size);
        enum claim claim = probe_recognise(&dissector_modbus_rtu, frame, size);
        ck_assert(claim == CLAIM_YES || claim == CLAIM_WEAK);
    }
}
END_TEST

START_TEST(split_at_every_byte)
{
    uint8_t frame[FRAME_ROOM];
    size_t size = frame_bytes(frame, exchanges[_i].request);
    for (size_t n = 1; n < size; n++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        ck_assert_int_eq(probe_stream(p, &dissector_modbus_rtu, true, frame, n), FRAME_NEED);
        ck_assert_int_eq(probe_stream(p, &dissector_modbus_rtu, true, frame + n, size - n),
                         FRAME_COMPLETE);
        ck_assert_uint_eq(p->event_count, 1);
        ck_assert_str_eq(probe_event(p, 0)->items, exchanges[_i].asked);
        probe_destroy(p);
    }
}
END_TEST

START_TEST(a_wrong_crc_is_told)
{
    uint8_t frame[FRAME_ROOM];
    size_t size = frame_bytes(frame, "11 06 0001 0003");
    for (size_t bit = 0; bit < size * 8; bit++) {
        if (bit / 8 == 1)
            continue; /* another function has another length */
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
        struct frame f = probe_frame(&dissector_modbus_rtu, frame, size);
        ck_assert_int_eq(f.verdict, FRAME_BROKEN);
        ck_assert_int_eq(f.kind, VIOLATION_CHECKSUM);
        ck_assert_int_eq(probe_recognise(&dissector_modbus_rtu, frame, size), CLAIM_NO);
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}
END_TEST

START_TEST(no_crc_in_256_bytes_is_broken)
{
    uint8_t frame[257];
    memset(frame, 0x41, sizeof frame);
    ck_assert_int_eq(probe_frame(&dissector_modbus_rtu, frame, 255).verdict, FRAME_NEED);
    ck_assert_int_eq(probe_frame(&dissector_modbus_rtu, frame, 256).verdict, FRAME_BROKEN);
}
END_TEST

START_TEST(two_frames_in_a_segment)
{
    uint8_t frames[FRAME_ROOM];
    size_t size = frame_bytes(frames, "11 06 0001 0003");
    size += frame_bytes(frames + size, "11 06 0002 0004");
    struct probe *p = probe_create(TRANSPORT_TCP);
    ck_assert_int_eq(probe_stream(p, &dissector_modbus_rtu, true, frames, size), FRAME_COMPLETE);
    ck_assert_uint_eq(p->event_count, 2);
    ck_assert_str_eq(probe_event(p, 1)->items, "holding_register 2=4");
    ck_assert_int_eq(probe_recognise(&dissector_modbus_rtu, frames, size), CLAIM_WEAK);
    probe_destroy(p);
}
END_TEST

START_TEST(unit_0_is_broadcast)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, "00 06 0001 0003");
    feed(p, true, "01 06 0001 0003");
    ck_assert_uint_eq(probe_event(p, 0)->flags, OT_BROADCAST);
    ck_assert_uint_eq(probe_event(p, 1)->flags, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(requests_and_responses_alternate)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, "11 03 0000 0001"); /* never answered */
    feed(p, true, "11 03 0064 0001");
    feed(p, false, "11 03 02 0007");
    ck_assert_str_eq(probe_event(p, 2)->items, "holding_register 100=7");
    ck_assert_uint_eq(p->violation_count, 0);
    feed(p, false, "11 03 02 0008");
    ck_assert_uint_eq(probe_event(p, 3)->flags, OT_NO_REQUEST);
    feed(p, true, "11 03 0000 0001");
    feed(p, false, "11 04 02 0007");
    ck_assert(probe_has_violation(p, VIOLATION_FUNCTION));
    probe_destroy(p);
}
END_TEST

START_TEST(other_protocols_are_not_ours)
{
    static const struct {
        const char *bytes;
        enum claim claim;
    } rows[] = {
        {"0001 0000 0006 11 03 006b 0003", CLAIM_NO  }, /* MBAP */
        {"4745 5420 2f20 4854 5450",       CLAIM_HOME}, /* function 69 has no layout */
        {"0300 0016 11e0 0000 0001 00c1",  CLAIM_NO  },
        {"1603 0102 0001 0001 fc03 03",    CLAIM_NO  },
        {"11",                             CLAIM_MORE},
        {"11 03 006b",                     CLAIM_MORE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t bytes[64];
        size_t size = hex_bytes(bytes, sizeof bytes, rows[i].bytes);
        ck_assert_msg(probe_recognise(&dissector_modbus_rtu, bytes, size) == rows[i].claim, "%s",
                      rows[i].bytes);
    }
}
END_TEST

static Suite *rtu_suite(void)
{
    Suite *suite = suite_create("modbus_rtu");
    TCase *tests = tcase_create("frames");
    tcase_add_test(tests, crc_is_that_of_the_specification);
    tcase_add_loop_test(tests, frames_are_found_by_their_crc, 0, EXCHANGES);
    tcase_add_loop_test(tests, every_prefix_waits_for_more, 0, EXCHANGES);
    tcase_add_loop_test(tests, split_at_every_byte, 0, EXCHANGES);
    tcase_add_test(tests, a_wrong_crc_is_told);
    tcase_add_test(tests, no_crc_in_256_bytes_is_broken);
    tcase_add_test(tests, two_frames_in_a_segment);
    tcase_add_test(tests, unit_0_is_broadcast);
    tcase_add_test(tests, requests_and_responses_alternate);
    tcase_add_test(tests, other_protocols_are_not_ours);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(rtu_suite());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
