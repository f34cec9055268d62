/* test_ads.c: ADS over AMS/TCP, held against PROTOCOLS 17. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_ads;

enum { ROOM = 512 };

/* One AMS/TCP frame: lengths are filled in. The client is 1.1.1.1.1.1:32768, the server
 * 2.2.2.2.1.1 at `port`. */
static size_t ams(uint8_t out[ROOM], bool is_response, uint16_t port, uint8_t command,
                  uint32_t error, uint8_t invoke, const char *data)
{
    static const uint8_t client[] = {1, 1, 1, 1, 1, 1, 0x00, 0x80};
    uint8_t server[] = {2, 2, 2, 2, 1, 1, (uint8_t)port, (uint8_t)(port >> 8)};
    bool is_from_server = is_response || command == 8;
    memset(out, 0, ROOM);
    memcpy(out + 6, is_from_server ? client : server, 8);
    memcpy(out + 14, is_from_server ? server : client, 8);
    out[22] = command;
    out[24] = is_response ? 5 : 4;
    size_t size = hex_bytes(out + 38, ROOM - 38, data);
    out[26] = (uint8_t)size;
    out[27] = (uint8_t)(size >> 8);
    out[30] = (uint8_t)error;
    out[31] = (uint8_t)(error >> 8);
    out[34] = invoke;
    out[2] = (uint8_t)(size + 32);
    out[3] = (uint8_t)((size + 32) >> 8);
    return size + 38;
}

static void feed(struct probe *p, bool is_response, uint16_t port, uint8_t command,
                 const char *data)
{
    uint8_t frame[ROOM];
    size_t size = ams(frame, is_response, port, command, 0, 7, data);
    bool is_from_server = is_response || command == 8;
    ck_assert_int_eq(probe_stream(p, &dissector_ads, !is_from_server, frame, size), FRAME_COMPLETE);
}

static const struct row {
    const char *shows;
    uint16_t port;
    uint8_t command;
    const char *ask, *asked, *answer, *answered, *operation, *name;
} rows[] = {
    {"device info",                    851,   1, "",                                                 "",                     "00000000 02 0b 3708 504c4320536572766572000000000000", "",
     "identify",                                                                                                                                                                                                                   "read_device_info"       },
    {"read",                           851,   2, "20400000 10000000 02000000",                       "memory 16-17",         "00000000 02000000 3412",
     "memory 16-17=4660",                                                                                                                                                                                      "read",             "read"                   },
    {"read of outputs",                851,   2, "30f00000 01000000 01000000",                       "output 1",             "00000000 01000000 05",
     "output 1=5",                                                                                                                                                                                             "read",             "read"                   },
    {"write",                          851,   3, "20400000 10000000 02000000 3412",                  "memory 16-17=4660",    "00000000",
     "memory 16-17",                                                                                                                                                                                           "write",            "write"                  },
    {"write of outputs",               300,   3, "30f00000 01000000 01000000 05",                    "output 1=5",           "00000000",
     "output 1",                                                                                                                                                                                               "control",          "write"                  },
    {"write of an output bit",         300,   3, "31f00000 09000000 01000000 01",                    "output_bit 9=1",
     "00000000",                                                                                                                                                                     "output_bit 9",           "control",          "write"                  },
    {"outputs cleared",                300,   3, "50f00000 00000000 00000000",                       "clear_outputs 0",      "00000000",
     "clear_outputs 0",                                                                                                                                                                                        "control",          "write"                  },
    {"unknown group",                  500,   2, "34120000 01000000 04000000",                       "index_group 4660 1-4",
     "00000000 04000000 01000000",                                                                                                                                                   "index_group 4660 1-4=1", "read",             "read"                   },
    {"download",                       801,   3, "0af00000 00000000 02000000 0102",                  "download 0-1=513",     "00000000",
     "download 0-1",                                                                                                                                                                                           "program_download", "write"                  },
    {"upload",                         801,   2, "0bf00000 00000000 02000000",                       "upload 0-1",           "00000000 02000000 0102",
     "upload 0-1=513",                                                                                                                                                                                         "program_upload",   "read"                   },
    {"registry written",               10000, 3, "c8000000 00000000 01000000 41",                    "registry 0=65",        "00000000",
     "registry 0",                                                                                                                                                                                             "config_change",    "write"                  },
    {"a process started",              10000, 3, "f4010000 00000000 01000000 41",                    "start_process 0=65",
     "00000000",                                                                                                                                                                     "start_process 0",        "control",          "write"                  },
    {"the same group of another port", 851,   3, "f4010000 00000000 01000000 41",
     "index_group 500 0=65",                                                                                                 "00000000",                                             "index_group 500 0",      "write",            "write"                  },
    {"a file deleted",                 10000, 9, "83000000 00000000 00000000 06000000 612e62696e00", "a.bin",
     "00000000 00000000",                                                                                                                                                            "a.bin",                  "file_delete",      "read_write"             },
    {"the clock set",                  10000, 3, "90010000 00000000 01000000 41",                    "time_service 0=65",    "00000000",
     "time_service 0",                                                                                                                                                                                         "time_set",         "write"                  },
    {"subscribed",                     851,   6,
     "20400000 10000000 02000000 04000000 00000000 00000000 00000000000000000000000000000000",       "memory 16-17",         "00000000 11000000",                                    "memory 16-17",           "subscribe",        "add_device_notification"},
    {"no longer subscribed",           851,   7, "11000000",                                         "notification 17",      "00000000",                                             "",                       "subscribe",
     "delete_device_notification"                                                                                                                                                                                                                           },
    {"state",                          851,   4, "",                                                 "",                     "00000000 0500 0000",                                   "",                       "diagnostics",      "read_state"             },
};

START_TEST(what_is_touched)
{
    const struct row *row = &rows[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, row->port, row->command, row->ask);
    feed(p, true, row->port, row->command, row->answer);
    for (size_t i = 0; i < 2; i++) {
        const struct probe_event *e = probe_event(p, i);
        ck_assert_msg(!strcmp(e->items, i ? row->answered : row->asked), "%s: %s", row->shows,
                      e->items);
        ck_assert_msg(!strcmp(e->operation, row->operation), "%s: %s", row->shows, e->operation);
        ck_assert_str_eq(e->name, row->name);
        ck_assert_str_eq(e->direction, i ? "response" : "request");
        ck_assert_uint_eq(e->transaction, 7);
        ck_assert_uint_eq(e->function, row->command);
        ck_assert_uint_eq(e->flags, 0);
    }
    ck_assert_str_eq(probe_event(p, 1)->status, "ok");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

static const struct control {
    const char *state, *operation, *detail;
} controls[] = {
    {"0100", "mode_change",   "idle"       },
    {"0200", "restart",       "reset"      },
    {"0300", "mode_change",   "init"       },
    {"0400", "start",         "start"      },
    {"0500", "start",         "run"        },
    {"0600", "stop",          "stop"       },
    {"0700", "config_change", "save_config"},
    {"0800", "config_change", "load_config"},
    {"0c00", "stop",          "shutdown"   },
    {"0d00", "stop",          "suspend"    },
    {"0e00", "start",         "resume"     },
    {"0f00", "restart",       "config"     },
    {"1000", "restart",       "reconfig"   },
};

START_TEST(write_control_is_what_it_asks_for)
{
    char data[32];
    snprintf(data, sizeof data, "%s 0000 00000000", controls[_i].state);
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, 10000, 5, data);
    feed(p, true, 10000, 5, "12070000");
    for (size_t i = 0; i < 2; i++) {
        ck_assert_str_eq(probe_event(p, i)->operation, controls[_i].operation);
        ck_assert_str_eq(probe_event(p, i)->detail, controls[_i].detail);
        ck_assert_str_eq(probe_event(p, i)->unit, "2.2.2.2.1.1:10000");
    }
    ck_assert_str_eq(probe_event(p, 1)->status, "error 1810 invalid_state");
    probe_destroy(p);
}
END_TEST

START_TEST(a_handle_stands_for_its_symbol)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, 851, 9, "03f00000 00000000 04000000 0a000000 4d41494e2e5370656564");
    feed(p, true, 851, 9, "00000000 04000000 2a000000");
    feed(p, false, 851, 3, "05f00000 2a000000 02000000 6400");
    feed(p, true, 851, 3, "00000000");
    ck_assert_str_eq(probe_event(p, 0)->items, "MAIN.Speed");
    ck_assert_str_eq(probe_event(p, 0)->operation, "browse");
    ck_assert_str_eq(probe_event(p, 2)->items, "MAIN.Speed=100");
    ck_assert_str_eq(probe_event(p, 2)->operation, "write");
    ck_assert_str_eq(probe_event(p, 3)->items, "MAIN.Speed");
    probe_clear(p);
    feed(p, false, 852, 2, "05f00000 2a000000 02000000");
    ck_assert_str_eq(probe_event(p, 0)->items, "symbol 42"); /* a handle of another port */
    probe_destroy(p);
}
END_TEST

/* [ADS] sum commands: parts, then what is to be written; results, then what was read. */
static const struct sum_row {
    const char *shows, *ask, *asked, *operation, *answer, *answered, *status, *why;
} sums[] = {
    {"read",
     "80f00000 02000000 0b000000 18000000 20400000 10000000 02000000 30f00000 01000000 01000000",  "memory 16-17{read}; output 1{read}",            "read",    "00000000 0b000000 00000000 00000000 3412 05",
     "memory 16-17{read}=4660!ok; output 1{read}=5!ok",                                                                                                                                                                                                       "ok",                              ""                                        },
    {"one of two is refused",
     "80f00000 02000000 0b000000 18000000 20400000 10000000 02000000 30f00000 01000000 01000000",  "memory 16-17{read}; output 1{read}",            "read",    "00000000 0b000000 03070000 00000000 0000 05",
     "memory 16-17{read}!error 1795 invalid_index_offset; output 1{read}=5!ok",                                                                                                                                                                               "error 1795 invalid_index_offset", ""                                        },
    {"write, the gravest tells",
     "81f00000 02000000 08000000 1b000000 20400000 10000000 02000000 30f00000 01000000 01000000 "
     "3412 05",                                                                                    "memory 16-17{write}=4660; output 1{control}=5", "control",
     "00000000 08000000 00000000 00000000",                                                                                                                                                                   "memory 16-17{write}!ok; output 1{control}!ok", "ok",
     ""                                                                                                                                                                                                                                                                                                                                    },
    {"read and write",
     "82f00000 01000000 0a000000 12000000 20400000 10000000 02000000 02000000 3412",               "memory 16-17{write}=4660",                      "write",   "00000000 0a000000 00000000 02000000 3512",
     "memory 16-17{write}=4661!ok",                                                                                                                                                                                                                           "ok",                              ""                                        },
    {"read with lengths",        "83f00000 01000000 0a000000 0c000000 20400000 10000000 02000000",
     "memory 16-17{read}",                                                                                                                          "read",    "00000000 0a000000 00000000 02000000 3412",
     "memory 16-17{read}=4660!ok",                                                                                                                                                                                                                            "ok",                              ""                                        },
    {"fewer parts than it says", "80f00000 02000000 0b000000 0c000000 20400000 10000000 02000000",
     "memory 16-17{read}",                                                                                                                          "read",    "00000000 0a000000 00000000 00000000 3412",
     "memory 16-17{read}=4660!ok",                                                                                                                                                                                                                            "ok",                              "sum command has fewer parts than it says"},
    {"fewer results than parts",
     "80f00000 02000000 0b000000 18000000 20400000 10000000 02000000 30f00000 01000000 01000000",  "memory 16-17{read}; output 1{read}",            "read",    "00000000 04000000 00000000",                  "sum_read 2-25",
     "ok",                                                                                                                                                                                                                                                                                       "sum command has fewer results than parts"},
};

START_TEST(sums_are_their_parts)
{
    const struct sum_row *row = &sums[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, 851, 9, row->ask);
    feed(p, true, 851, 9, row->answer);
    const struct probe_event *asked = probe_event(p, 0), *answered = probe_event(p, 1);
    ck_assert_msg(!strcmp(asked->items, row->asked), "%s: %s", row->shows, asked->items);
    ck_assert_msg(!strcmp(answered->items, row->answered), "%s: %s", row->shows, answered->items);
    ck_assert_msg(!strcmp(asked->operation, row->operation), "%s: %s", row->shows,
                  asked->operation);
    ck_assert_msg(!strcmp(answered->status, row->status), "%s: %s", row->shows, answered->status);
    const char *why = p->violation_count ? probe_violation(p, 0)->why : "";
    ck_assert_msg(!strcmp(why, row->why), "%s: %s", row->shows, why);
    probe_destroy(p);
}
END_TEST

/* The request had no parts: its answer has nothing to be told of. */
START_TEST(an_empty_sum)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, 851, 9, "80f00000 01000000 04000000 00000000");
    feed(p, true, 851, 9, "00000000 04000000 00000000");
    ck_assert_uint_eq(p->violation_count, 1);
    ck_assert_str_eq(probe_violation(p, 0)->why, "sum command has fewer parts than it says");
    ck_assert_uint_eq(p->event_count, 2);
    probe_destroy(p);
}
END_TEST

START_TEST(handles_out_of_a_sum)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, 851, 9,
         "82f00000 01000000 0c000000 1a000000 03f00000 00000000 04000000 0a000000 "
         "4d41494e2e5370656564");
    feed(p, true, 851, 9, "00000000 0c000000 00000000 04000000 2a000000");
    ck_assert_str_eq(probe_event(p, 0)->operation, "browse");
    ck_assert_str_eq(probe_event(p, 0)->items, "MAIN.Speed{browse}");
    probe_clear(p);
    feed(p, false, 851, 9, "81f00000 01000000 04000000 0e000000 05f00000 2a000000 02000000 6400");
    ck_assert_str_eq(probe_event(p, 0)->items, "MAIN.Speed{write}=100");
    probe_destroy(p);
}
END_TEST

START_TEST(a_notification_names_what_was_subscribed)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, 851, 6,
         "20400000 10000000 02000000 04000000 00000000 00000000 00000000000000000000000000000000");
    feed(p, true, 851, 6, "00000000 11000000");
    probe_clear(p);
    feed(p, false, 851, 8, "1a000000 01000000 0000000000000000 01000000 11000000 02000000 3412");
    ck_assert_str_eq(probe_event(p, 0)->items, "memory 16=4660");
    probe_destroy(p);
}
END_TEST

START_TEST(a_boot_project_is_a_program)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    /* open Boot\a.app to write: handle 9; 2 bytes; close */
    feed(p, false, 10000, 9, "78000000 12000000 04000000 0b000000 426f6f745c612e61707000");
    feed(p, true, 10000, 9, "00000000 04000000 09000000");
    feed(p, false, 10000, 9, "7b000000 09000000 00000000 02000000 0102");
    feed(p, true, 10000, 9, "00000000 00000000");
    feed(p, false, 10000, 9, "79000000 09000000 00000000 00000000");
    ck_assert_str_eq(probe_event(p, 0)->operation, "program_download");
    ck_assert_str_eq(probe_event(p, 1)->transfer, "begin program_download key=9 name=Boot\\a.app");
    ck_assert_str_eq(probe_event(p, 2)->transfer,
                     "block program_download key=9 name=Boot\\a.app bytes=2");
    ck_assert_str_eq(probe_event(p, 3)->operation, "program_download");
    ck_assert_str_eq(probe_event(p, 4)->transfer, "end program_download key=9 name=Boot\\a.app");
    probe_clear(p);
    feed(p, false, 10000, 9, "78000000 11000000 04000000 06000000 612e62696e00");
    feed(p, true, 10000, 9, "00000000 04000000 0a000000");
    feed(p, false, 10000, 9, "7a000000 0a000000 02000000 00000000");
    feed(p, true, 10000, 9, "00000000 02000000 0102");
    ck_assert_str_eq(probe_event(p, 1)->transfer, "begin file_read key=10 name=a.bin");
    ck_assert_str_eq(probe_event(p, 3)->transfer, "block file_read key=10 name=a.bin bytes=2");
    probe_destroy(p);
}
END_TEST

START_TEST(identity)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, 800, 1, "");
    feed(p, true, 800, 1, "00000000 02 0b 3708 504c4320536572766572000000000000");
    ck_assert_str_eq(probe_event(p, 1)->facts, "vendor=Beckhoff; module_name=PLC Server 2.11.2103");
    feed(p, false, 10000, 4, "");
    feed(p, true, 10000, 4, "00000000 0500 0000");
    ck_assert_str_eq(probe_event(p, 3)->facts, "mode=run");
    feed(p, false, 10000, 2, "bc020000 01000000 40000000");
    feed(p, true, 10000, 2, "00000000 17000000 3c546172676574547970653e4358313032302d43453c2f54");
    ck_assert_str_eq(probe_event(p, 5)->facts, "product=CX1020-CE");
    ck_assert_str_eq(probe_event(p, 5)->operation, "identify");
    probe_destroy(p);
}
END_TEST

START_TEST(notifications)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, 851, 8,
         "23000000 01000000 0102030405060708 02000000 11000000 02000000 3412 12000000 01000000 07");
    ck_assert_str_eq(probe_event(p, 0)->items, "notification 17=4660; notification 18=7");
    ck_assert_str_eq(probe_event(p, 0)->operation, "publish");
    ck_assert_str_eq(probe_event(p, 0)->unit, "2.2.2.2.1.1:851");
    ck_assert_uint_eq(probe_event(p, 0)->flags, OT_UNSOLICITED);
    ck_assert(!probe_event(p, 0)->is_from_client);
    probe_destroy(p);
}
END_TEST

START_TEST(errors_of_the_router)
{
    uint8_t frame[ROOM];
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, 500, 1, "");
    size_t size = ams(frame, true, 500, 1, 6, 7, "");
    probe_stream(p, &dissector_ads, false, frame, size);
    ck_assert_str_eq(probe_event(p, 1)->status, "error 6 target_port_not_found");
    feed(p, false, 500, 1, "");
    size = ams(frame, true, 500, 1, 2, 7, "");
    probe_stream(p, &dissector_ads, false, frame, size);
    ck_assert_str_eq(probe_event(p, 3)->status, "error 2 no_real_time");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

static const struct wrong {
    const char *shows;
    uint8_t command;
    const char *data;
    enum violation_kind kind;
} wrongs[] = {
    {"unknown command",      10, "",                                                                 VIOLATION_FUNCTION },
    {"command 0",            0,  "",                                                                 VIOLATION_FUNCTION },
    {"read cut",             2,  "20400000 10000000 0200",                                           VIOLATION_TRUNCATED},
    {"less data than said",  3,  "20400000 10000000 03000000 3412",                                  VIOLATION_TRUNCATED},
    {"no such state",        5,  "1100 0000 00000000",                                               VIOLATION_RANGE    },
    {"notification overrun", 8,  "1c000000 01000000 0102030405060708 01000000 11000000 05000000 34",
     VIOLATION_LENGTH                                                                                                   },
    {"sample overrun",       8,  "19000000 01000000 0102030405060708 01000000 11000000 05000000 34",
     VIOLATION_COUNT                                                                                                    },
};

START_TEST(violations)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, 851, wrongs[_i].command, wrongs[_i].data);
    ck_assert_msg(probe_has_violation(p, wrongs[_i].kind), "%s: not told", wrongs[_i].shows);
    probe_destroy(p);
}
END_TEST

START_TEST(wrong_headers)
{
    uint8_t frame[ROOM];
    struct probe *p = probe_create(TRANSPORT_TCP);
    size_t size = ams(frame, false, 851, 4, 0, 1, "");
    frame[25] = 0x10;
    probe_feed(p, &dissector_ads, true, frame, size);
    ck_assert(probe_has_violation(p, VIOLATION_RESERVED));
    probe_clear(p);
    size = ams(frame, false, 851, 4, 0, 1, "");
    frame[26] = 1;
    probe_feed(p, &dissector_ads, true, frame, size);
    ck_assert(probe_has_violation(p, VIOLATION_LENGTH));
    probe_clear(p);
    probe_feed(p, &dissector_ads, true, frame, 20);
    ck_assert(probe_has_violation(p, VIOLATION_TRUNCATED));
    probe_destroy(p);
}
END_TEST

START_TEST(framing)
{
    uint8_t frame[ROOM];
    size_t size = ams(frame, false, 851, 3, 0, 1, "20400000 10000000 02000000 3412");
    for (size_t n = 0; n < size; n++) {
        struct frame f = probe_frame(&dissector_ads, frame, n);
        ck_assert_msg(f.verdict == FRAME_NEED && f.size > n, "prefix of %zu", n);
        ck_assert_int_eq(probe_recognise(&dissector_ads, frame, n), n < 1    ? CLAIM_NO
                                                                    : n < 30 ? CLAIM_MORE
                                                                             : CLAIM_YES);
    }
    for (size_t n = 1; n < size; n++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        probe_stream(p, &dissector_ads, true, frame, n);
        probe_stream(p, &dissector_ads, true, frame + n, size - n);
        ck_assert_msg(p->event_count == 1, "split at %zu", n);
        probe_destroy(p);
    }
    frame[2] = 31; /* shorter than its header */
    ck_assert_int_eq(probe_frame(&dissector_ads, frame, size).verdict, FRAME_BROKEN);
    frame[2] = 0xfa, frame[3] = 0xff; /* the greatest */
    ck_assert_int_eq(probe_frame(&dissector_ads, frame, size).verdict, FRAME_NEED);
    frame[2] = 0xfb;
    ck_assert_int_eq(probe_frame(&dissector_ads, frame, size).verdict, FRAME_BROKEN);
    frame[0] = 1;
    ck_assert_int_eq(probe_frame(&dissector_ads, frame, size).verdict, FRAME_BROKEN);
    memset(frame, 0, sizeof frame);
    ck_assert_int_eq(probe_recognise(&dissector_ads, frame, 64), CLAIM_NO);
}
END_TEST

START_TEST(a_datagram_has_no_tcp_header)
{
    uint8_t frame[ROOM];
    size_t size = ams(frame, false, 851, 4, 0, 1, "");
    frame[24] = 0x44;
    ck_assert_int_eq(probe_recognise(&dissector_ads, frame + 6, size - 6), CLAIM_WEAK);
    ck_assert_uint_eq(probe_frame(&dissector_ads, frame + 6, size - 6).size, size - 6);
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_feed(p, &dissector_ads, true, frame + 6, size - 6);
    ck_assert_str_eq(probe_event(p, 0)->name, "read_state");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(a_response_alone)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    p->flow.is_role_known = p->flow.is_start_seen = false;
    uint8_t frame[ROOM];
    size_t size = ams(frame, true, 851, 2, 0, 1, "00000000 02000000 3412");
    probe_stream(p, &dissector_ads, true, frame, size);
    ck_assert(!probe_event(p, 0)->is_from_client);
    ck_assert_uint_eq(probe_event(p, 0)->flags, OT_NO_REQUEST);
    probe_destroy(p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ads");
    TCase *tc = tcase_create("ads");
    tcase_add_loop_test(tc, what_is_touched, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(tc, write_control_is_what_it_asks_for, 0,
                        sizeof controls / sizeof *controls);
    tcase_add_loop_test(tc, violations, 0, sizeof wrongs / sizeof *wrongs);
    tcase_add_test(tc, a_handle_stands_for_its_symbol);
    tcase_add_loop_test(tc, sums_are_their_parts, 0, sizeof sums / sizeof *sums);
    tcase_add_test(tc, an_empty_sum);
    tcase_add_test(tc, handles_out_of_a_sum);
    tcase_add_test(tc, a_notification_names_what_was_subscribed);
    tcase_add_test(tc, a_boot_project_is_a_program);
    tcase_add_test(tc, identity);
    tcase_add_test(tc, notifications);
    tcase_add_test(tc, errors_of_the_router);
    tcase_add_test(tc, wrong_headers);
    tcase_add_test(tc, framing);
    tcase_add_test(tc, a_datagram_has_no_tcp_header);
    tcase_add_test(tc, a_response_alone);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
