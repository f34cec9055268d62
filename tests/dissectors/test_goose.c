/* test_goose.c: GOOSE and what must be continuous in it; rows from IEC 61850-8-1 18 and annex A. */
#include "support/check_pdu.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_goose;

/* One message: state, sequence, and what may differ. */
struct message {
    uint8_t state, sequence, revision, test, commissioning, count, value, live;
    uint16_t simulated;
};
static const struct message plain = {
    .state = 2, .sequence = 5, .revision = 1, .count = 2, .live = 100};

static size_t build(uint8_t *out, size_t capacity, struct message m)
{
    char hex[512];
    snprintf(hex, sizeof hex,
             "0001 0043 %04x 0000 61 39 80 03 476f31 81 01 %02x 82 02 4453 83 02 4944 "
             "84 08 386ebbf34217280a 85 01 %02x 86 01 %02x 87 01 %02x 88 01 %02x 89 01 %02x "
             "8a 01 %02x ab 06 83 01 %02x 85 01 07",
             m.simulated, m.live, m.state, m.sequence, m.test, m.revision, m.commissioning, m.count,
             m.value);
    size_t size = hex_bytes(out, capacity, hex);
    out[3] = (uint8_t)size;
    out[9] = (uint8_t)(size - 10);
    return size;
}

static struct probe *ethernet(void)
{
    return probe_multicast(1);
}

static void feed(struct probe *p, struct message m)
{
    uint8_t bytes[256];
    size_t size = build(bytes, sizeof bytes, m);
    probe_feed(p, &dissector_goose, true, bytes, size);
}

START_TEST(one_message)
{
    struct probe *p = ethernet();
    feed(p, plain);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->protocol, "goose");
    ck_assert_str_eq(e->code, "goosePdu");
    ck_assert_str_eq(e->direction, "oneway");
    ck_assert_str_eq(e->operation, "publish");
    ck_assert_str_eq(e->unit, "Go1");
    ck_assert_str_eq(e->items, "DS[0]=0; DS[1]=7");
    ck_assert_uint_eq(e->transaction, 2);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

static const struct row {
    const char *shows;
    struct message then; /* after the plain one */
    const char *why;     /* of the first violation */
    const char *operation;
} rows[] = {
    {"a repetition steps the sequence",           {2, 6, 1, 0, 0, 2, 0, 100, 0}, "",                          "publish"      },
    {"a new state begins at 0",                   {3, 0, 1, 0, 0, 2, 1, 100, 0}, "",                          "publish"      },
    {"a restart begins again",                    {1, 0, 1, 0, 0, 2, 0, 100, 0}, "",                          "publish"      },
    {"a sequence number twice",
     {2, 5, 1, 0, 0, 2, 0, 100, 0},
     "sequence number is repeated",                                                                           "publish"      },
    {"a sequence number left out",
     {2, 7, 1, 0, 0, 2, 0, 100, 0},
     "sequence number jumps",                                                                                 "publish"      },
    {"a sequence number before",
     {2, 4, 1, 0, 0, 2, 0, 100, 0},
     "sequence number goes back",                                                                             "publish"      },
    {"a state left out",                          {4, 0, 1, 0, 0, 2, 1, 100, 0}, "state number jumps",        "publish"      },
    {"a state before, in the middle",
     {1, 9, 1, 0, 0, 2, 0, 100, 0},
     "state number goes back without a restart",                                                              "publish"      },
    {"a new state at 1",
     {3, 1, 1, 0, 0, 2, 1, 100, 0},
     "a new state does not begin at sequence number 0",                                                       "publish"      },
    {"other values in the same state",
     {2, 6, 1, 0, 0, 2, 1, 100, 0},
     "values changed without a new state number",                                                             "publish"      },
    {"another revision is another configuration",
     {2, 6, 2, 0, 0, 2, 0, 100, 0},
     "",                                                                                                      "config_change"},
    {"a test begins",                             {2, 6, 1, 1, 0, 2, 0, 100, 0}, "simulation or test begins", "publish"      },
    {"a simulation begins",
     {2, 6, 1, 0, 0, 2, 0, 100, 0x8000},
     "simulation or test begins",                                                                             "publish"      },
    {"commissioning is needed",
     {2, 6, 1, 0, 1, 2, 0, 100, 0},
     "publisher needs commissioning",                                                                         "publish"      },
    {"another count than values",
     {2, 6, 1, 0, 0, 3, 0, 100, 0},
     "number of entries is not the number of values",                                                         "publish"      },
    {"no time to live",                           {2, 6, 1, 0, 0, 2, 0, 0, 0},   "time allowed to live is 0", "publish"      },
};

/* A mirror that copies each port, PRP: the same frame comes twice, with nothing changed. */
START_TEST(a_copy_is_no_repetition)
{
    static const int64_t waits_ns[] = {20000, 1999999, 2000000};
    struct probe *p = ethernet();
    feed(p, plain);
    p->time_ns += waits_ns[_i] - 1000000; /* the probe counts a millisecond itself */
    feed(p, plain);
    ck_assert_uint_eq(p->event_count, 2);
    ck_assert_uint_eq(p->violation_count, _i == 2);
    probe_destroy(p);
}
END_TEST

START_TEST(continuity)
{
    const struct row *row = &rows[_i];
    struct probe *p = ethernet();
    feed(p, plain);
    p->time_ns += 5000000; /* longer than a mirror's second copy takes */
    feed(p, row->then);
    check_second(p, row->shows, row->why, row->operation);
    probe_destroy(p);
}
END_TEST

START_TEST(silence)
{
    static const struct {
        int64_t wait_ms;
        uint8_t steps;
        const char *why; /* "": none */
    } waits[] = {
        {199, 1,  ""                                               }, /* twice 100 ms */
        {201, 1,  "silent for longer than its time allowed to live"},
        {150, 6,  ""                                               }, /* as many as there may have been */
        {99,  3,  "sequence number jumps"                          },
        {150, 50, "sequence number jumps"                          },
    };
    const size_t i = (size_t)_i;
    struct probe *p = ethernet();
    struct message next = plain;
    next.sequence = (uint8_t)(next.sequence + waits[i].steps);
    feed(p, plain);
    p->time_ns += (waits[i].wait_ms - 1) * 1000000; /* the probe adds one */
    feed(p, next);
    ck_assert_uint_eq(p->violation_count, waits[i].why[0] != '\0');
    if (waits[i].why[0])
        ck_assert_str_eq(probe_violation(p, 0)->why, waits[i].why);
    probe_destroy(p);
}
END_TEST

/* One in 40 ms, then two of them are missing, within the time that one lives. */
START_TEST(lost_frames)
{
    static const struct {
        int64_t wait_ms;
        unsigned violations;
    } waits[] = {
        {85, 0},
        {60, 1}, /* not even the pace allows for so many */
    };
    struct probe *p = ethernet();
    struct message next = plain;
    feed(p, next);
    p->time_ns += INT64_C(39) * 1000000; /* the probe adds one */
    next.sequence++;
    feed(p, next);
    p->time_ns += (waits[_i].wait_ms - 1) * 1000000;
    next.sequence = (uint8_t)(next.sequence + 3);
    feed(p, next);
    ck_assert_uint_eq(p->violation_count, waits[_i].violations);
    probe_destroy(p);
}
END_TEST

START_TEST(wrong_destination)
{
    struct probe *p = ethernet();
    p->flow.server.mac.bytes[3] = 4;
    feed(p, plain);
    ck_assert_str_eq(probe_violation(p, 0)->why, "destination is not of the GOOSE multicast range");
    probe_destroy(p);
}
END_TEST

START_TEST(lengths)
{
    uint8_t bytes[256];
    size_t size = build(bytes, sizeof bytes, plain);
    for (size_t n = 0; n < size; n++) { /* cut anywhere */
        struct probe *p = ethernet();
        probe_feed(p, &dissector_goose, true, bytes, n);
        ck_assert_msg(p->violation_count > 0, "cut at %zu", n);
        probe_destroy(p);
    }
    struct probe *p = ethernet(); /* padding is not the message */
    memset(bytes + size, 0, 20);
    probe_feed(p, &dissector_goose, true, bytes, size + 20);
    ck_assert_uint_eq(p->violation_count, 0);
    bytes[3] = 7;
    probe_feed(p, &dissector_goose, true, bytes, size);
    ck_assert_str_eq(probe_violation(p, 0)->why, "length is not that of the frame");
    probe_destroy(p);
}
END_TEST

START_TEST(routed)
{
    uint8_t bytes[256], apdu[256];
    size_t apdu_size = build(apdu, sizeof apdu, plain);
    size_t size = hex_bytes(bytes, sizeof bytes,
                            "01 40 a1 17 80 15 00000085 000000bf 0002 00000000 0000 00000000 00 "
                            "0000006f 81 00 3001 0067");
    memcpy(bytes + size, apdu + 8, apdu_size - 8);
    size += apdu_size - 8;
    ck_assert_int_eq(probe_recognise(&dissector_goose, bytes, size), CLAIM_YES);
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_feed(p, &dissector_goose, true, bytes, size);
    ck_assert_str_eq(probe_event(p, 0)->items, "DS[0]=0; DS[1]=7");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(recognises)
{
    uint8_t bytes[256] = {0};
    ck_assert_int_eq(probe_recognise(&dissector_goose, bytes, 64), CLAIM_NO);
    size_t size = build(bytes, sizeof bytes, plain);
    ck_assert_int_eq(probe_recognise(&dissector_goose, bytes, size), CLAIM_YES);
    size_t life = 12u + bytes[11];
    ck_assert_int_eq(bytes[life], 0x81);
    bytes[life] = 0x20; /* the second field is something else */
    ck_assert_int_eq(probe_recognise(&dissector_goose, bytes, size), CLAIM_WEAK);
    bytes[life] = 0x81;
    bytes[10] = 0x1f; /* the first field is something else */
    ck_assert_int_eq(probe_recognise(&dissector_goose, bytes, size), CLAIM_WEAK);
    bytes[8] = 0x60; /* sampled values */
    ck_assert_int_eq(probe_recognise(&dissector_goose, bytes, size), CLAIM_NO);
    /* text of a datagram, whose ninth letter is the tag */
    static const char json[] = "{\"namespaces\": [19076040, 20603140], \"port\": 17500}";
    ck_assert_int_eq(probe_recognise(&dissector_goose, json, sizeof json - 1), CLAIM_NO);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("goose");
    TCase *tcase = tcase_create("goose");
    tcase_add_loop_test(tcase, a_copy_is_no_repetition, 0, 3);
    tcase_add_loop_test(tcase, continuity, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tcase, one_message);
    tcase_add_loop_test(tcase, silence, 0, 5);
    tcase_add_loop_test(tcase, lost_frames, 0, 2);
    tcase_add_test(tcase, wrong_destination);
    tcase_add_test(tcase, lengths);
    tcase_add_test(tcase, routed);
    tcase_add_test(tcase, recognises);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
