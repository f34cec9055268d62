/* test_tpkt.c: framing, connections and fragments of ISO transport; rows from RFC 1006 and X.224.
 */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_tpkt;

/* CR from a PG to rack 0 slot 2, the confirm, and a read of one S7 byte in one DT. */
#define CR    "03000016 11 e0 0000 0001 00 c0010a c1020100 c2020102 "
#define CC    "03000016 11 d0 0001 0002 00 c0010a c1020100 c2020102 "
#define SETUP "03000019 02f080 32010000 0000 0008 0000 f0000001000101e0 "
#define READ  "0300001f 02f080 32010000 0001 000e 0000 0401120a10020001000183000000 "

static const struct claim_row {
    const char *shows, *hex;
    enum claim claim;
} claims[] = {
    {"a connection request with TSAPs",        CR,                                                       CLAIM_YES },
    {"a connection confirm with TSAPs",        CC,                                                       CLAIM_YES },
    {"a request without TSAPs may be ours",    "0300000b 06 e0 0000 0001 00",                            CLAIM_WEAK},
    {"a remote desktop cookie is not",         "03000018 13 e0 0000 0000 00 436f6f6b69653a206d73747368",
     CLAIM_NO                                                                                                      },
    {"a remote desktop negotiation is not",    "03000013 0e e0 0000 0000 00 0100080003000000",
     CLAIM_NO                                                                                                      },
    {"S7comm in a DT",                         READ,                                                     CLAIM_YES },
    {"S7comm-plus in a DT",                    "0300000b 02f080 72010000",                               CLAIM_YES },
    {"an MMS session in a DT",                 "0300000b 02f080 01000100",                               CLAIM_YES },
    {"T.125 in a DT is remote desktop",        "0300000b 02f080 7f650000",                               CLAIM_NO  },
    {"unknown user data may be ours",          "0300000b 02f080 99000000",                               CLAIM_WEAK},
    {"an empty DT may be ours",                "03000007 02f000",                                        CLAIM_WEAK},
    {"a disconnect may be ours",               "0300000b 06 80 0001 0002 00",                            CLAIM_WEAK},
    {"a header that is too long for the TPKT", "03000007 03f000",                                        CLAIM_NO  },
    {"version 2",                              "02000007 02f000",                                        CLAIM_NO  },
    {"reserved is not 0",                      "03010007 02f000",                                        CLAIM_NO  },
    {"length 6",                               "03000006 02f000",                                        CLAIM_NO  },
    {"an unknown type",                        "03000007 0200 00",                                       CLAIM_NO  },
    {"five bytes tell too little",             "03000016 11",                                            CLAIM_MORE},
    {"nothing tells nothing",                  "",                                                       CLAIM_MORE},
    {"a cut connection request",               "03000016 11 e0 0000 0001 00 c0",                         CLAIM_MORE},
    {"text",                                   "474554202f20485454502f",                                 CLAIM_NO  },
};

START_TEST(test_recognises)
{
    const struct claim_row *row = &claims[_i];
    uint8_t bytes[256];
    size_t size = hex_bytes(bytes, sizeof bytes, row->hex);
    enum claim claim = probe_recognise(&dissector_tpkt, bytes, size);
    ck_assert_msg(claim == row->claim, "%s: %d", row->shows, claim);
}
END_TEST

static const struct frame_row {
    const char *shows, *hex;
    enum frame_verdict verdict;
    size_t size;
} frames[] = {
    {"7 bytes are the least",           "03000007 02f000",        FRAME_COMPLETE, 7    },
    {"6 bytes are too few",             "03000006 02f0",          FRAME_BROKEN,   0    },
    {"bytes behind belong to the next", "03000007 02f000 030000", FRAME_COMPLETE, 7    },
    {"65535 bytes are the most",        "0300ffff 02f080",        FRAME_NEED,     65535},
    {"version 4",                       "04000007 02f000",        FRAME_BROKEN,   0    },
    {"a wrong version is seen at once", "16",                     FRAME_BROKEN,   0    },
    {"a reserved byte is judged later", "03ff0007 02f000",        FRAME_COMPLETE, 7    },
};

START_TEST(test_frames)
{
    const struct frame_row *row = &frames[_i];
    uint8_t bytes[64];
    size_t size = hex_bytes(bytes, sizeof bytes, row->hex);
    struct frame frame = probe_frame(&dissector_tpkt, bytes, size);
    ck_assert_msg(frame.verdict == row->verdict, "%s: verdict %d", row->shows, frame.verdict);
    ck_assert_msg(frame.verdict == FRAME_BROKEN || frame.size == row->size, "%s: size %u",
                  row->shows, frame.size);
}
END_TEST

START_TEST(test_prefixes_ask_for_more)
{
    uint8_t bytes[64];
    size_t size = hex_bytes(bytes, sizeof bytes, READ);
    for (size_t n = 0; n < size; n++) {
        struct frame frame = probe_frame(&dissector_tpkt, bytes, n);
        ck_assert_msg(frame.verdict == FRAME_NEED && frame.size <= size, "prefix of %zu", n);
    }
}
END_TEST

/* What the flow says after these bytes: '>' from the client, '<' from the server. */
static struct probe *feed(const char *script)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    p->flow.server.port = 102;
    uint8_t bytes[4096];
    while (*script) {
        bool is_from_client = *script++ == '>';
        size_t length = strcspn(script, "<>");
        char *part = strndup(script, length);
        size_t size = hex_bytes(bytes, sizeof bytes, part);
        free(part);
        probe_stream(p, &dissector_tpkt, is_from_client, bytes, size);
        script += length;
    }
    return p;
}

static const struct row {
    const char *shows, *script;
    size_t events;
    const char *unit;
    const char *why; /* of the first violation; "" none */
} rows[] = {
    {"a read in one piece",                    ">" CR "<" CC ">" SETUP READ,                                 2, "rack 0 slot 2",  ""                                             },
    {"rack and slot of the called TSAP",       ">03000013 0e e0 0000 0001 00 c1020100 c202032a >" SETUP,
     1,                                                                                                         "rack 1 slot 10", ""                                             },
    {"other two-byte TSAPs are told in hex",
     ">03000013 0e e0 0000 0001 00 c1021000 c2021001 >" SETUP,                                               1, "tsap 1001",      ""                                             },
    {"longer ones as text",                    ">03000013 0e e0 0000 0001 00 c2066162632d4553 >" SETUP,      1,
     "tsap abc-ES",                                                                                                               ""                                             },
    {"no connection request, no unit",         ">" SETUP READ,                                               2, "",               ""                                             },
    {"fragments until the end of the TSDU",
     ">" SETUP
     "0300000b 02f000 32010000 0300001b 02f080 0001 000e 0000 0401120a10020001000183000000",                 2, "",               ""                                             },
    {"three fragments",
     ">" SETUP "03000008 02f000 32 0300000a 02f000 010000 0300001b 02f080 0001 000e 0000 "
     "0401120a10020001000183000000",                                                                         2, "",               ""                                             },
    {"an empty fragment before a whole one",   ">" SETUP "03000007 02f000" READ,                             2, "",               ""                                             },
    {"an empty last one says nothing",         ">" SETUP "03000007 02f080",                                  1, "",               ""                                             },
    {"fragments of the directions stay apart",
     ">" SETUP "0300000b 02f000 32010000 < 0300000b 02f000 32030000 > 0300001b 02f080 0001 000e "
     "0000 0401120a10020001000183000000 < 03000016 02f080 0001 0002 0005 0000 0401 ff040008aa",              3, "",               ""                                             },
    {"a new connection forgets the fragment",  ">" SETUP "0300000b 02f000 32010000" CR SETUP,                2,
     "rack 0 slot 2",                                                                                                             "COTP connection request on an open connection"},
    {"what nobody knows is left alone",        ">" CR "<" CC "> 0300000b 02f080 99010000",                   0, "",               ""                                             },
    {"the reserved byte is not 0",             "> 03010019 02f080 32010000 0000 0008 0000 f0000001000101e0", 1,
     "",                                                                                                                          "TPKT reserved byte is not 0"                  },
    {"header length 0",                        "> 03000007 00f080",                                          0, "",               "COTP header length does not fit in the TPKT"  },
    {"header past the end",                    "> 03000007 03f080",                                          0, "",
     "COTP header length does not fit in the TPKT"                                                                                                                               },
    {"data header of one byte",                "> 03000007 01f080",                                          0, "",               "COTP data header is too short"                },
    {"an unknown type",                        "> 03000007 023080",                                          0, "",               "COTP type is unknown"                         },
    {"a type of other classes is let be",      "> 03000007 026080",                                          0, "",               ""                                             },
    {"a connection request of five bytes",     "> 0300000a 05 e0 0000 0001",                                 0, "",
     "COTP connection request is too short"                                                                                                                                      },
    {"a connection confirm of five bytes",     "< 0300000a 05 d0 0000 0001",                                 0, "",
     "COTP connection confirm is too short"                                                                                                                                      },
    {"a parameter past its header",            "> 0300000d 08 e0 0000 0001 00 c203",                         0, "",
     "COTP parameter past the end of its header"                                                                                                                                 },
    {"a request on an open connection",        ">" CR "<" CC ">" CR,                                         0, "",
     "COTP connection request on an open connection"                                                                                                                             },
    {"a request after a disconnect",           ">" CR "<" CC "> 0300000b 06 80 0001 0002 00" CR,             0, "",               ""                                             },
    {"a repeated request without an answer",   ">" CR CR,                                                    0, "",               ""                                             },
};

START_TEST(test_says)
{
    const struct row *row = &rows[_i];
    struct probe *p = feed(row->script);
    const char *why = p->violation_count ? probe_violation(p, 0)->why : "";
    ck_assert_msg(strcmp(why, row->why) == 0, "%s: violation '%s'", row->shows, why);
    ck_assert_msg(p->event_count == row->events, "%s: %zu events", row->shows, p->event_count);
    if (row->events) {
        const struct probe_event *event = probe_event(p, row->events - 1);
        ck_assert_msg(strcmp(event->unit, row->unit) == 0, "%s: unit '%s'", row->shows,
                      event->unit);
    }
    probe_destroy(p);
}
END_TEST

START_TEST(test_every_split)
{
    uint8_t bytes[256];
    size_t size = hex_bytes(bytes, sizeof bytes, CR SETUP READ);
    for (size_t cut = 0; cut <= size; cut++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        probe_stream(p, &dissector_tpkt, true, bytes, cut);
        probe_stream(p, &dissector_tpkt, true, bytes + cut, size - cut);
        ck_assert_msg(p->event_count == 2 && p->violation_count == 0, "cut at %zu", cut);
        ck_assert_str_eq(probe_event(p, 1)->items, "MB0");
        probe_destroy(p);
    }
}
END_TEST

/* An S7 answer of exactly so many bytes, in pieces of at most 1000. Returns the events it gave. */
static size_t feed_pieces(struct probe *p, size_t total)
{
    uint8_t piece[7 + 1000];
    size_t before = p->event_count;
    for (size_t at = 0; at < total;) {
        size_t size = total - at < 1000 ? total - at : 1000;
        memset(piece, 0, sizeof piece);
        size_t header = hex_bytes(piece, sizeof piece, "03000000 02f000");
        piece[2] = (uint8_t)((size + 7) >> 8);
        piece[3] = (uint8_t)(size + 7);
        piece[6] = at + size == total ? 0x80 : 0;
        if (at == 0) {
            hex_bytes(piece + header, 12, "32030000 0001 0002 0000 0000");
            piece[header + 8] = (uint8_t)((total - 14) >> 8);
            piece[header + 9] = (uint8_t)(total - 14);
        }
        probe_stream(p, &dissector_tpkt, false, piece, size + 7);
        at += size;
    }
    return p->event_count - before;
}

/* Sizes about the steps in which the state grows, and both sides of the greatest. */
START_TEST(test_long_messages)
{
    static const size_t sizes[] = {2000, 2016, 2017, 2018, 8160, 8200, 40000, 65000};
    struct probe *p = probe_create(TRANSPORT_TCP);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        /* what the other direction has begun is kept while the state grows */
        uint8_t begun[64];
        size_t size = hex_bytes(begun, sizeof begun, "0300000b 02f000 32010000");
        probe_stream(p, &dissector_tpkt, true, begun, size);
        ck_assert_msg(feed_pieces(p, sizes[i]) == 1, "%zu bytes", sizes[i]);
        size = hex_bytes(begun, sizeof begun,
                         "0300001b 02f080 0001 000e 0000 0401120a10020001000183000000");
        probe_stream(p, &dissector_tpkt, true, begun, size);
        ck_assert_str_eq(probe_event(p, p->event_count - 1)->items, "MB0");
    }
    ck_assert_uint_eq(feed_pieces(p, 65600), 0);
    ck_assert_str_eq(probe_violation(p, p->violation_count - 1)->why,
                     "COTP message in pieces is too long to follow");
    ck_assert_uint_eq(feed_pieces(p, 2000), 1);
    probe_destroy(p);
}
END_TEST

START_TEST(test_no_memory_for_pieces)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    p->is_out_of_memory = true;
    ck_assert_uint_eq(feed_pieces(p, 2000), 0);
    ck_assert_uint_eq(p->violation_count, 1);
    probe_destroy(p);
}
END_TEST

START_TEST(test_connection_tells_the_client)
{
    static const bool is_confirm[] = {false, true};
    for (size_t i = 0; i < 2; i++) {
        struct probe *p = probe_create(TRANSPORT_TCP);
        p->flow.is_start_seen = p->flow.is_role_known = false;
        uint8_t bytes[64];
        size_t size = hex_bytes(bytes, sizeof bytes, is_confirm[i] ? CC : CR);
        /* the guess is wrong: what seems the client confirms, what seems the server asks */
        probe_stream(p, &dissector_tpkt, is_confirm[i], bytes, size);
        ck_assert(p->flow.is_role_known);
        ck_assert_uint_eq(p->flow.server.port, 49152);
        probe_destroy(p);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tpkt");
    TCase *tcase = tcase_create("tpkt");
    tcase_add_loop_test(tcase, test_recognises, 0, sizeof claims / sizeof *claims);
    tcase_add_loop_test(tcase, test_frames, 0, sizeof frames / sizeof *frames);
    tcase_add_test(tcase, test_prefixes_ask_for_more);
    tcase_add_loop_test(tcase, test_says, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tcase, test_every_split);
    tcase_add_test(tcase, test_long_messages);
    tcase_add_test(tcase, test_no_memory_for_pieces);
    tcase_add_test(tcase, test_connection_tells_the_client);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
