/* test_synchrophasor.c: IEEE C37.118 frames. Expected values from the standard. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_synchrophasor;

enum { FRAME_MAX = 512 };

/* A frame of a type at a second, with its CRC (bit by bit, unlike the dissector's). */
static size_t build(uint8_t out[FRAME_MAX], unsigned type, unsigned second, const char *hex)
{
    uint8_t header[] = {0xaa,
                        (uint8_t)(type << 4 | 1),
                        0,
                        0,
                        0,
                        7,
                        0,
                        0,
                        (uint8_t)(second >> 8),
                        (uint8_t)second,
                        0,
                        0,
                        0,
                        0};
    memcpy(out, header, sizeof header);
    size_t size = sizeof header + hex_bytes(out + sizeof header, FRAME_MAX - 16, hex);
    out[2] = (uint8_t)((size + 2) >> 8);
    out[3] = (uint8_t)(size + 2);
    uint16_t crc = 0xffff;
    for (size_t i = 0; i < size; i++) {
        crc = (uint16_t)(crc ^ out[i] << 8);
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
    }
    out[size] = (uint8_t)(crc >> 8);
    out[size + 1] = (uint8_t)crc;
    return size + 2;
}

static void feed(struct probe *p, bool is_from_client, unsigned type, unsigned second,
                 const char *hex)
{
    uint8_t frame[FRAME_MAX];
    size_t size = build(frame, type, second, hex);
    probe_feed(p, &dissector_synchrophasor, is_from_client, frame, size);
}

#define NAME   "5354415a494f4e452041202020202020" /* "STAZIONE A" */
#define SPACES "20202020202020202020202020202020"
/* time base, 1 unit: name, id 7, format, 1 phasor, 0 analogs, 0 digitals, names, factors, nominal,
 * changes; rate 50 */
#define CONFIGURATION(format)                                                                      \
    "00ffffff 0001 " NAME " 0007 " format " 0001 0000 0000 " SPACES " 00000001 0001 0002 0032"

#define CONFIGURATION_OF(changes, rate)                                                            \
    "00ffffff 0001 " NAME " 0007 0000 0001 0000 0000 " SPACES " 00000001 0001 " changes " " rate
/* the only part; time base, 1 unit: name, id 7, global id, format, 1 phasor, 1 analog, 1 digital,
 * their names (16 of the digital), factors, place, class, window, delay, nominal, changes; rate 25
 */
#define FOUR_NAMES "0144 0144 0144 0144 "
#define CONFIGURATION_3                                                                            \
    "0000 00ffffff 0001 03 412042 0007 " SPACES                                                    \
    " 0000 0001 0001 0001 02 5641 02 5031 " FOUR_NAMES FOUR_NAMES FOUR_NAMES FOUR_NAMES            \
    "000000000000000000000000 0000000000000000 00000000 "                                          \
    "42280000 c1400000 7f800000 4d 00000000 00000000 0001 0002 0019"

struct row {
    const char *shows;
    bool is_from_client;
    unsigned type;
    const char *hex, *direction, *code, *name, *operation;
};

static const struct row rows[] = {
    {"data",             false, 0, "0000 00000000 0000 0000",                   "oneway",  "type=0",            "data",                 "publish" },
    {"header",           false, 1, "48656c6c6f",                                "oneway",  "type=1",            "header",               "identify"},
    {"configuration 1",  false, 2, CONFIGURATION("0000"),                       "oneway",  "type=2",            "configuration_1",
     "identify"                                                                                                                                   },
    {"configuration 2",  false, 3, CONFIGURATION("0000"),                       "oneway",  "type=3",            "configuration_2",
     "identify"                                                                                                                                   },
    {"configuration 3",  false, 5, "0001 00ffffff 0001 03 412042 0007 " SPACES, "oneway",  "type=5",
     "configuration_3",                                                                                                                 "identify"},
    {"data off",         true,  4, "0001",                                      "request", "type=4,cmd=0x0001", "data_off",             "control" },
    {"data on",          true,  4, "0002",                                      "request", "type=4,cmd=0x0002", "data_on",              "control" },
    {"send header",      true,  4, "0003",                                      "request", "type=4,cmd=0x0003", "send_header",          "identify"},
    {"send CFG-1",       true,  4, "0004",                                      "request", "type=4,cmd=0x0004", "send_configuration_1",
     "identify"                                                                                                                                   },
    {"send CFG-2",       true,  4, "0005",                                      "request", "type=4,cmd=0x0005", "send_configuration_2",
     "identify"                                                                                                                                   },
    {"send CFG-3",       true,  4, "0006",                                      "request", "type=4,cmd=0x0006", "send_configuration_3",
     "identify"                                                                                                                                   },
    {"extended frame",   true,  4, "0008 0102",                                 "request", "type=4,cmd=0x0008", "extended_frame",
     "write"                                                                                                                                      },
    {"a user's command", true,  4, "0123",                                      "request", "type=4,cmd=0x0123", "",                     "write"   },
};

START_TEST(frames)
{
    const struct row *row = &rows[_i];
    struct probe *p = probe_create(TRANSPORT_UDP);
    feed(p, row->is_from_client, row->type, 1, row->hex);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->protocol, "synchrophasor");
    ck_assert_msg(strcmp(e->direction, row->direction) == 0, "%s: %s", row->shows, e->direction);
    ck_assert_msg(strcmp(e->code, row->code) == 0, "%s: %s", row->shows, e->code);
    ck_assert_msg(strcmp(e->name, row->name) == 0, "%s: %s", row->shows, e->name);
    ck_assert_msg(strcmp(e->operation, row->operation) == 0, "%s: %s", row->shows, e->operation);
    ck_assert_str_eq(e->unit, "7");
    ck_assert_msg(p->violation_count == 0, "%s: %s", row->shows, p->violations[0].why);
    probe_destroy(p);
}
END_TEST

START_TEST(names_are_facts)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, 3, 1, CONFIGURATION("0000"));
    ck_assert_str_eq(probe_event(p, 0)->facts, "name=STAZIONE A");
    feed(p, false, 5, 1, "0001 00ffffff 0001 03 412042 0007 " SPACES);
    ck_assert_str_eq(probe_event(p, 1)->facts, "name=A B");
    feed(p, false, 1, 1, "48656c6c6f");
    ck_assert_str_eq(probe_event(p, 2)->facts, "comment=Hello");
    feed(p, false, 5, 1, CONFIGURATION_3);
    ck_assert_str_eq(probe_event(p, 3)->facts, "name=A B");
    probe_destroy(p);
}
END_TEST

struct data_row {
    const char *shows, *format, *hex, *items, *status, *detail;
};

static const struct data_row data_rows[] = {
    {"integers",         "0000", "0000 00010002 000a fffe",
     "frequency 7=50.01; rate_of_change 7=-0.02; phasor 7 0=1,2",   "",                            ""                     },
    {"float phasors",    "0002", "0000 3f80000040000000 000a fffe",
     "frequency 7=50.01; rate_of_change 7=-0.02; phasor 7 0=1,2",   "",                            ""                     },
    {"float frequency",  "0008", "0000 00010002 42480000 3fc00000",
     "frequency 7=50; rate_of_change 7=1.5; phasor 7 0=1,2",        "",                            ""                     },
    {"polar",            "0001", "0000 fde80002 000a fffe",
     "frequency 7=50.01; rate_of_change 7=-0.02; phasor 7 0=65000", "",                            ""                     },
    {"not synchronised", "0000", "2000 00010002 000a fffe",
     "frequency 7=50.01; rate_of_change 7=-0.02; phasor 7 0=1,2",   "error 8192 not_synchronised",
     ""                                                                                                                   },
    {"error",            "0000", "8000 00010002 000a fffe",
     "frequency 7=50.01; rate_of_change 7=-0.02; phasor 7 0=1,2",   "error 32768 data_error",      ""                     },
    {"changed",          "0000", "0400 00010002 000a fffe",
     "frequency 7=50.01; rate_of_change 7=-0.02; phasor 7 0=1,2",   "",                            "configuration changed"},
    {"trigger",          "0000", "0800 00010002 000a fffe",
     "frequency 7=50.01; rate_of_change 7=-0.02; phasor 7 0=1,2",   "",                            "trigger"              },
};

START_TEST(data)
{
    const struct data_row *row = &data_rows[_i];
    char configuration[512];
    snprintf(configuration, sizeof configuration,
             "00ffffff 0001 " NAME " 0007 %s 0001 0000 0000 " SPACES " 00000001 0001 0002 0032",
             row->format);
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, 3, 1, configuration);
    feed(p, false, 0, 2, row->hex);
    const struct probe_event *e = probe_event(p, 1);
    ck_assert_msg(strcmp(e->items, row->items) == 0, "%s: %s", row->shows, e->items);
    ck_assert_msg(strcmp(e->status, row->status) == 0, "%s: %s", row->shows, e->status);
    ck_assert_msg(strcmp(e->detail, row->detail) == 0, "%s: %s", row->shows, e->detail);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

/* table 11: FNOM 0 is 60 Hz; 500 mHz below, the least change of 16 bits */
START_TEST(sixty_hertz_is_the_other_nominal_frequency)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, 3, 1,
         "00ffffff 0001 " NAME " 0007 0000 0001 0000 0000 " SPACES " 00000001 0000 0002 0032");
    feed(p, false, 0, 2, "0000 00010002 fe0c 8000");
    ck_assert_str_eq(probe_event(p, 1)->items,
                     "frequency 7=59.5; rate_of_change 7=-327.68; phasor 7 0=1,2");
    probe_destroy(p);
}
END_TEST

START_TEST(times_rise)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    feed(p, false, 0, 100, "0000");
    feed(p, false, 0, 160, "0000");
    ck_assert_uint_eq(p->violation_count, 0);
    feed(p, false, 0, 221, "0000");
    ck_assert_uint_eq(p->violation_count, 1);
    feed(p, false, 0, 220, "0000");
    ck_assert_uint_eq(p->violation_count, 2);
    ck_assert(probe_has_violation(p, VIOLATION_SEQUENCE));
    probe_destroy(p);
}
END_TEST

static const struct settings_row {
    const char *shows, *first, *second, *detail, *why;
} settings_rows[] = {
    {"the same",      CONFIGURATION_OF("0002", "0032"), CONFIGURATION_OF("0002", "0032"),
     "50 frames a second",   NULL                                       },
    {"another count", CONFIGURATION_OF("0002", "0032"), CONFIGURATION_OF("0003", "0032"),
     "50 frames a second",   "count of configuration changes is another"},
    {"another rate",  CONFIGURATION_OF("0002", "0032"), CONFIGURATION_OF("0002", "0019"),
     "25 frames a second",   "rate of the data is another"              },
    {"slow",          CONFIGURATION_OF("0002", "fffb"), CONFIGURATION_OF("0002", "fffb"),
     "a frame in 5 seconds", NULL                                       },
};

START_TEST(changed_settings_are_told)
{
    const struct settings_row *row = &settings_rows[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, 2, 1, row->first);
    ck_assert_uint_eq(p->violation_count, 0);
    feed(p, false, 3, 1, row->second);
    ck_assert_str_eq(probe_event(p, 1)->detail, row->detail);
    ck_assert_msg(p->violation_count == (row->why != NULL), "%s", row->shows);
    if (row->why)
        ck_assert_str_eq(probe_violation(p, 0)->why, row->why);
    feed(p, false, 3, 1, row->second);
    ck_assert_msg(p->violation_count == (row->why != NULL), "%s: once", row->shows);
    probe_destroy(p);
}
END_TEST

START_TEST(data_after_configuration_3_has_its_places)
{
    uint8_t frame[FRAME_MAX];
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, 5, 1, CONFIGURATION_3);
    ck_assert_str_eq(probe_event(p, 0)->detail, "25 frames a second");
    feed(p, false, 0, 2, "0000 00010002 000a fffe 0005 0006");
    ck_assert_str_eq(probe_event(p, 1)->items,
                     "frequency 7=50.01; rate_of_change 7=-0.02; phasor 7 0=1,2; "
                     "analog 7 0=5; digital 7 0=6");
    ck_assert_uint_eq(p->violation_count, 0);
    size_t size = hex_bytes(frame, sizeof frame, CONFIGURATION_3);
    for (size_t n = 2; n < size; n++) { /* cut anywhere it is cut off */
        char hex[2 * FRAME_MAX];
        for (size_t i = 0; i < n; i++)
            snprintf(hex + 2 * i, 3, "%02x", frame[i]);
        probe_clear(p);
        feed(p, false, 5, 1, hex);
        ck_assert_msg(probe_has_violation(p, VIOLATION_TRUNCATED), "%zu bytes", n);
    }
    probe_destroy(p);
}
END_TEST

START_TEST(violations)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, 0, 1, "0000 0000");
    ck_assert(probe_has_violation(p, VIOLATION_STATE)); /* no configuration */
    probe_clear(p);
    feed(p, false, 3, 1, CONFIGURATION("0000"));
    ck_assert_uint_eq(p->violation_count, 0);
    feed(p, false, 0, 1, "0000 00010002 000a");
    ck_assert(probe_has_violation(p, VIOLATION_COUNT));
    feed(p, false, 3, 1, "00ffffff 0002 " NAME);
    ck_assert(probe_has_violation(p, VIOLATION_TRUNCATED));
    probe_clear(p);
    feed(p, false, 0, 1, "00");
    ck_assert(probe_has_violation(p, VIOLATION_TRUNCATED));
    feed(p, true, 4, 1, "0007");
    ck_assert(probe_has_violation(p, VIOLATION_FUNCTION));
    uint8_t frame[FRAME_MAX];
    size_t size = build(frame, 4, 1, "0001");
    frame[14] ^= 1;
    probe_clear(p);
    probe_feed(p, &dissector_synchrophasor, true, frame, size);
    ck_assert(probe_has_violation(p, VIOLATION_CHECKSUM));
    ck_assert_uint_eq(p->event_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(framing)
{
    uint8_t frame[FRAME_MAX];
    size_t size = build(frame, 4, 1, "0001");
    for (size_t n = 0; n < size; n++) {
        struct frame f = probe_frame(&dissector_synchrophasor, frame, n);
        ck_assert_msg(f.verdict == FRAME_NEED && f.size > n, "prefix of %zu", n);
        ck_assert_int_eq(probe_recognise(&dissector_synchrophasor, frame, n), CLAIM_MORE);
    }
    ck_assert_int_eq(probe_recognise(&dissector_synchrophasor, frame, size), CLAIM_YES);
    ck_assert_uint_eq(probe_frame(&dissector_synchrophasor, frame, size).size, size);
    for (size_t n = 1; n < size; n++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        probe_stream(p, &dissector_synchrophasor, true, frame, n);
        probe_stream(p, &dissector_synchrophasor, true, frame + n, size - n);
        ck_assert_msg(p->event_count == 1, "split at %zu", n);
        probe_destroy(p);
    }
    frame[17] ^= 1; /* CRC */
    ck_assert_int_eq(probe_recognise(&dissector_synchrophasor, frame, size), CLAIM_WEAK);
    frame[3] = 17;
    ck_assert_int_eq(probe_frame(&dissector_synchrophasor, frame, size).verdict, FRAME_BROKEN);
    ck_assert_int_eq(probe_recognise(&dissector_synchrophasor, frame, size), CLAIM_NO);
    frame[3] = 18;
    frame[1] = 0x61;
    ck_assert_int_eq(probe_frame(&dissector_synchrophasor, frame, size).verdict, FRAME_BROKEN);
    frame[0] = 0xab;
    ck_assert_int_eq(probe_frame(&dissector_synchrophasor, frame, size).verdict, FRAME_BROKEN);
    memset(frame, 0, sizeof frame);
    ck_assert_int_eq(probe_recognise(&dissector_synchrophasor, frame, sizeof frame), CLAIM_NO);
}
END_TEST

START_TEST(a_command_tells_who_is_client)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    p->flow.is_role_known = p->flow.is_start_seen = false;
    feed(p, false, 4, 1, "0002");
    ck_assert(probe_event(p, 0)->is_from_client);
    probe_destroy(p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("synchrophasor");
    TCase *tc = tcase_create("synchrophasor");
    tcase_add_loop_test(tc, frames, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(tc, data, 0, sizeof data_rows / sizeof *data_rows);
    tcase_add_test(tc, names_are_facts);
    tcase_add_test(tc, sixty_hertz_is_the_other_nominal_frequency);
    tcase_add_test(tc, times_rise);
    tcase_add_loop_test(tc, changed_settings_are_told, 0,
                        sizeof settings_rows / sizeof *settings_rows);
    tcase_add_test(tc, data_after_configuration_3_has_its_places);
    tcase_add_test(tc, violations);
    tcase_add_test(tc, framing);
    tcase_add_test(tc, a_command_tells_who_is_client);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
