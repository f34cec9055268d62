/* test_duplicates.c: when two packets with the same bytes are one packet seen twice. */
#include "sensor/decode.h"
#include "sensor/duplicates.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME_SIZE = 60, IP = 14, TCP = 34 };

struct sight {
    int64_t at_us;
    int at, value; /* a byte of the frame that is changed: its place (0: none) and its new value */
    uint16_t vlan; /* 0: no tag */
    bool is_copy;
};

enum kind { TCP_ID, TCP_NO_ID, UDP_NO_ID, IP6, ARP, GOOSE };

struct row {
    const char *what;
    enum kind kind;
    struct sight sights[12];
};

static const struct row rows[] = {
    {"the same again",                              TCP_ID,    {{0, 0, 0, 0, false}, {5, 0, 0, 0, true}}                                                    },
    {"the same again, 2 ms later",                  TCP_ID,    {{0, 0, 0, 0, false}, {2000, 0, 0, 0, true}}                                                 },
    {"later than 2 ms",                             TCP_ID,    {{0, 0, 0, 0, false}, {2001, 0, 0, 0, false}}                                                },
    {"the copy first by its clock",                 TCP_ID,    {{100, 0, 0, 0, false}, {1, 0, 0, 0, true}}                                                  },
    {"another TTL",                                 TCP_ID,    {{0, 0, 0, 0, false}, {1500, IP + 8, 63, 0, true}}                                           },
    {"another IP checksum",                         TCP_ID,    {{0, 0, 0, 0, false}, {5, IP + 10, 9, 0, true}}                                              },
    {"another DSCP",                                TCP_ID,    {{0, 0, 0, 0, false}, {5, IP + 1, 0xb8, 0, true}}                                            },
    {"another TCP checksum",                        TCP_ID,    {{0, 0, 0, 0, false}, {5, TCP + 16, 9, 0, true}}                                             },
    {"other MACs",                                  TCP_ID,    {{0, 0, 0, 0, false}, {5, 5, 9, 0, true}, {6, 11, 9, 0, true}}                               },
    {"another VLAN",                                TCP_ID,    {{0, 0, 0, 5, false}, {5, 0, 0, 6, true}, {6, 0, 0, 0, true}}                                },
    {"another IP id",                               TCP_ID,    {{0, 0, 0, 0, false}, {5, IP + 5, 9, 0, false}}                                              },
    {"another sequence number",                     TCP_ID,    {{0, 0, 0, 0, false}, {5, TCP + 7, 9, 0, false}}                                             },
    {"other flags",                                 TCP_ID,    {{0, 0, 0, 0, false}, {5, TCP + 13, 0x11, 0, false}}                                         },
    {"another last byte",                           TCP_ID,    {{0, 0, 0, 0, false}, {5, FRAME_SIZE - 1, 9, 0, false}}                                      },
    {"another source",                              TCP_ID,    {{0, 0, 0, 0, false}, {5, IP + 15, 9, 0, false}}                                             },
    {"no id, same path, at once",                   TCP_NO_ID, {{0, 0, 0, 0, false}, {100, 0, 0, 0, true}}                                                  },
    {"no id, same path: said again",                TCP_NO_ID, {{0, 0, 0, 0, false}, {101, 0, 0, 0, false}}                                                 },
    {"no id, routed in between",                    TCP_NO_ID, {{0, 0, 0, 0, false}, {1900, IP + 8, 63, 0, true}}                                           },
    {"no id, another VLAN",                         TCP_NO_ID, {{0, 0, 0, 5, false}, {1900, 0, 0, 6, true}}                                                 },
    {"a UDP sender that repeats every millisecond",
     UDP_NO_ID,                                                {{0, 0, 0, 0, false}, {1000, 0, 0, 0, false}, {2000, 0, 0, 0, false}, {3000, 0, 0, 0, false}}},
    {"UDP without id, another UDP checksum",
     UDP_NO_ID,                                                {{0, 0, 0, 0, false}, {5, TCP + 6, 9, 0, true}}                                              },
    {"a flood is seen: seven copies and no more",
     UDP_NO_ID,                                                {{0, 0, 0, 0, false},
      {1, 0, 0, 0, true},
      {2, 0, 0, 0, true},
      {3, 0, 0, 0, true},
      {4, 0, 0, 0, true},
      {5, 0, 0, 0, true},
      {6, 0, 0, 0, true},
      {7, 0, 0, 0, true},
      {8, 0, 0, 0, false},
      {9, 0, 0, 0, false}}                                                                                                                   },
    {"IPv6, routed in between",                     IP6,       {{0, 0, 0, 0, false}, {1900, IP + 7, 63, 0, true}}                                           },
    {"IPv6, same path, at once",                    IP6,       {{0, 0, 0, 0, false}, {99, 0, 0, 0, true}}                                                   },
    {"IPv6, same path: said again",                 IP6,       {{0, 0, 0, 0, false}, {500, 0, 0, 0, false}}                                                 },
    {"IPv6, another last byte",                     IP6,       {{0, 0, 0, 0, false}, {5, FRAME_SIZE - 1, 9, 0, false}}                                      },
    {"ARP in another VLAN",                         ARP,       {{0, 0, 0, 5, false}, {1900, 0, 0, 6, true}}                                                 },
    {"ARP from another MAC",                        ARP,       {{0, 0, 0, 0, false}, {5, 11, 9, 0, false}}                                                  },
    {"ARP asked again",                             ARP,       {{0, 0, 0, 0, false}, {500, 0, 0, 0, false}}                                                 },
    {"GOOSE is never a copy",
     GOOSE,                                                    {{0, 0, 0, 0, false}, {1, 0, 0, 0, false}, {2, 0, 0, 5, false}}                              },
};

static void put(uint8_t *frame, size_t at, const char *bytes, size_t size)
{
    memcpy(frame + at, bytes, size);
}

#define PUT(frame, at, literal) put(frame, at, literal, sizeof(literal) - 1)

/* A frame of 60 bytes without tag: 10.0.0.1 > 10.0.0.2. */
static void make(uint8_t *frame, enum kind kind)
{
    memset(frame, 0x61, FRAME_SIZE);
    PUT(frame, 0, "\2\0\0\0\0\2\2\0\0\0\0\1\x08\x00");
    switch (kind) {
    case TCP_ID:
    case TCP_NO_ID:
        PUT(frame, IP, "\x45\0\0\x2e\0\7\x40\0\x40\6\0\0\x0a\0\0\1\x0a\0\0\2");
        PUT(frame, TCP, "\4\1\1\xf6\0\0\0\1\0\0\0\2\x50\x18\x10\0\0\0\0\0");
        frame[IP + 5] = kind == TCP_ID ? 7 : 0;
        break;
    case UDP_NO_ID:
        PUT(frame, IP, "\x45\0\0\x2e\0\0\x40\0\x40\x11\0\0\x0a\0\0\1\x0a\0\0\2");
        PUT(frame, TCP, "\4\1\1\xf6\0\x1a\0\0");
        break;
    case IP6:
        PUT(frame, 12,
            "\x86\xdd\x60\0\0\0\0\6\x3b\x40\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\xfd\0\0\0\0\0\0\0\0\0"
            "\0\0\0"
            "\0\0\2");
        break;
    case ARP:
        PUT(frame, 12, "\x08\6\0\1\x08\0\6\4\0\1\2\0\0\0\0\1\x0a\0\0\1\0\0\0\0\0\0\x0a\0\0\2");
        break;
    default:
        PUT(frame, 12, "\x88\xb8\0\1");
    }
}

START_TEST(is_it_a_copy)
{
    const struct row *row = &rows[_i];
    struct decoder *decoder = decoder_create(NULL);
    struct duplicates *duplicates = duplicates_create();
    struct counters counters = {0};
    for (int n = 0; n < 12 && (n == 0 || row->sights[n].at_us || row->sights[n].at); n++) {
        const struct sight *sight = &row->sights[n];
        uint8_t plain[FRAME_SIZE], frame[FRAME_SIZE + 4];
        size_t size = FRAME_SIZE;
        make(plain, row->kind);
        if (sight->at)
            plain[sight->at] = (uint8_t)sight->value;
        memcpy(frame, plain, FRAME_SIZE);
        if (sight->vlan) {
            memcpy(frame + 12, "\x81\0\0\0", 4);
            frame[15] = (uint8_t)sight->vlan;
            memcpy(frame + 16, plain + 12, FRAME_SIZE - 12);
            size += 4;
        }
        struct raw_packet raw = {.time_ns = 1000000000 + sight->at_us * 1000,
                                 .bytes = frame,
                                 .captured_size = (uint32_t)size,
                                 .wire_size = (uint32_t)size,
                                 .link_type = 1};
        struct packet packet;
        ck_assert(decode(decoder, &raw, &packet, &counters));
        ck_assert_msg(!packet.is_malformed, "%s: %s", row->what, packet.malformed_why);
        ck_assert_msg(duplicates_seen(duplicates, &packet) == sight->is_copy, "%s: sight %d",
                      row->what, n);
    }
    duplicates_destroy(duplicates);
    decoder_destroy(decoder);
}
END_TEST

/* The same bytes in two address spaces are two packets: machine cells are built alike. */
START_TEST(segments_do_not_mix)
{
    struct decode_options options = {.is_segment_by_interface = true};
    struct decoder *decoder = decoder_create(&options);
    struct duplicates *duplicates = duplicates_create();
    struct counters counters = {0};
    uint8_t frame[FRAME_SIZE];
    make(frame, TCP_ID);
    for (uint32_t source = 0; source < 2; source++) {
        struct raw_packet raw = {.bytes = frame,
                                 .captured_size = FRAME_SIZE,
                                 .wire_size = FRAME_SIZE,
                                 .link_type = 1,
                                 .source_index = source};
        struct packet packet;
        ck_assert(decode(decoder, &raw, &packet, &counters));
        ck_assert(!duplicates_seen(duplicates, &packet));
        ck_assert(duplicates_seen(duplicates, &packet));
    }
    duplicates_destroy(duplicates);
    decoder_destroy(decoder);
}
END_TEST

/* At a million packets per second the copy of each, 1 ms behind it, is still found. */
START_TEST(window_holds_a_million_per_second)
{
    enum { PACKETS = 20000, BEHIND = 1000 };
    struct decoder *decoder = decoder_create(NULL);
    struct duplicates *duplicates = duplicates_create();
    struct counters counters = {0};
    unsigned found = 0, wrong = 0;
    for (int n = 0; n < PACKETS + BEHIND; n++) {
        for (int is_copy = 0; is_copy < 2; is_copy++) {
            int which = is_copy ? n - BEHIND : n;
            if (which < 0 || which >= PACKETS)
                continue;
            uint8_t frame[FRAME_SIZE];
            make(frame, TCP_ID);
            frame[IP + 4] = (uint8_t)(which >> 8);
            frame[IP + 5] = (uint8_t)which;
            frame[TCP + 5] = (uint8_t)(which >> 16);
            struct raw_packet raw = {.time_ns = 1000000000 + n * INT64_C(1000),
                                     .bytes = frame,
                                     .captured_size = FRAME_SIZE,
                                     .wire_size = FRAME_SIZE,
                                     .link_type = 1};
            struct packet packet;
            decode(decoder, &raw, &packet, &counters);
            bool is_seen = duplicates_seen(duplicates, &packet);
            found += is_seen && is_copy;
            wrong += is_seen && !is_copy;
        }
    }
    ck_assert_uint_eq(wrong, 0);
    ck_assert_uint_gt(found, PACKETS * 98 / 100);
    duplicates_destroy(duplicates);
    decoder_destroy(decoder);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("duplicates");
    TCase *cases = tcase_create("copies");
    tcase_add_loop_test(cases, is_it_a_copy, 0, (int)(sizeof rows / sizeof *rows));
    tcase_add_test(cases, segments_do_not_mix);
    tcase_add_test(cases, window_holds_a_million_per_second);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
