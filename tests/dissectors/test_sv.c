/* test_sv.c: sampled values and what must be continuous in them; rows from IEC 61850-9-2 annex A.
 */
#include "support/check_pdu.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_sv;

struct sample {
    uint16_t count;
    uint8_t revision, synchronised, asdus;
    uint32_t quality;
    uint16_t simulated;
};
static const struct sample plain = {.count = 10, .revision = 1, .synchronised = 2, .asdus = 1};

static size_t build(uint8_t *out, size_t capacity, struct sample s)
{
    char hex[512];
    snprintf(
        hex, sizeof hex,
        "4000 0000 %04x 0000 60 24 80 01 %02x a2 1f 30 1d 80 02 4d55 82 02 %04x 83 04 000000%02x "
        "85 01 %02x 87 08 00000226 %08x",
        s.simulated, s.asdus, s.count, s.revision, s.synchronised, s.quality);
    size_t size = hex_bytes(out, capacity, hex);
    out[3] = (uint8_t)size;
    out[9] = (uint8_t)(size - 10);
    out[14] = (uint8_t)(size - 15);
    out[16] = (uint8_t)(size - 17);
    return size;
}

static struct probe *ethernet(void)
{
    return probe_multicast(4);
}

static void feed(struct probe *p, struct sample s)
{
    uint8_t bytes[256];
    size_t size = build(bytes, sizeof bytes, s);
    probe_feed(p, &dissector_sv, true, bytes, size);
}

START_TEST(one_message)
{
    struct probe *p = ethernet();
    feed(p, plain);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->protocol, "sv");
    ck_assert_str_eq(e->code, "savPdu");
    ck_assert_str_eq(e->direction, "oneway");
    ck_assert_str_eq(e->operation, "publish");
    ck_assert_str_eq(e->unit, "MU");
    ck_assert_str_eq(e->items, "MU=550");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

/* [LE] 8.5: values and qualities in turn; others are not known to us. */
static const struct data_row {
    const char *shows, *data, *items;
} data_rows[] = {
    {"two values",         "00000226 00000000 ffffffff 00000000",               "MU=550,-1"         },
    {"eight values",
     "00000001 00000000 00000002 00000000 00000003 00000000 00000004 00000000 "
     "00000005 00000000 00000006 00000000 00000007 00000000 00000008 00000000", "MU=1,2,3,4,5,6,7,8"},
    {"another data set",   "00000226 00000000 ffffffff",                        "MU=550"            },
    {"too little for one", "0226",                                              "MU"                },
};

START_TEST(samples_have_their_values)
{
    const struct data_row *row = &data_rows[_i];
    struct probe *p = ethernet();
    uint8_t bytes[256], data[128];
    uint8_t size = (uint8_t)hex_bytes(data, sizeof data, row->data);
    size_t used =
        hex_bytes(bytes, sizeof bytes,
                  "4000 0000 0000 0000 60 00 80 01 01 a2 00 30 00 80 02 4d55 82 02 000a 83 "
                  "04 00000001 85 01 02 87 00");
    bytes[used - 1] = size;
    memcpy(bytes + used, data, size);
    used += size;
    bytes[3] = (uint8_t)used;
    bytes[9] = (uint8_t)(used - 10);
    bytes[14] = (uint8_t)(used - 15);
    bytes[16] = (uint8_t)(used - 17);
    probe_feed(p, &dissector_sv, true, bytes, used);
    ck_assert_msg(!strcmp(probe_event(p, 0)->items, row->items), "%s: %s", row->shows,
                  probe_event(p, 0)->items);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

static const struct row {
    const char *shows;
    struct sample then;
    const char *why, *operation;
} rows[] = {
    {"the next sample",               {11, 1, 2, 1, 0, 0},      "",                                "publish"      },
    {"the first wrap shows the rate", {0, 1, 2, 1, 0, 0},       "",                                "publish"      },
    {"the same sample",               {10, 1, 2, 1, 0, 0},      "sample count is repeated",        "publish"      },
    {"a sample left out",             {12, 1, 2, 1, 0, 0},      "sample count jumps",              "publish"      },
    {"a sample before",               {9, 1, 2, 1, 0, 0},       "sample count goes back",          "publish"      },
    {"another revision",              {11, 2, 2, 1, 0, 0},      "",                                "config_change"},
    {"no longer synchronised",        {11, 1, 0, 1, 0, 0},      "synchronisation is lost",         "publish"      },
    {"synchronised locally",          {11, 1, 1, 1, 0, 0},      "",                                "publish"      },
    {"a simulation begins",           {11, 1, 2, 1, 0, 0x8000}, "simulation begins",               "publish"      },
    {"quality becomes invalid",       {11, 1, 2, 1, 1, 0},      "quality becomes invalid or test", "publish"      },
    {"quality becomes test",          {11, 1, 2, 1, 0x800, 0},  "quality becomes invalid or test", "publish"      },
    {"more ASDUs than are there",
     {11, 1, 2, 2, 0, 0},
     "number of ASDUs is not what is there",                                                       "publish"      },
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

START_TEST(a_wrap_at_another_count)
{
    static const uint16_t counts[] = {10, 0, 1, 0}; /* wraps after 10, then after 1 */
    struct probe *p = ethernet();
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct sample s = plain;
        s.count = counts[i];
        feed(p, s);
    }
    ck_assert_uint_eq(p->violation_count, 1);
    ck_assert_str_eq(probe_violation(p, 0)->why, "sample count goes back");
    probe_destroy(p);
}
END_TEST

START_TEST(lengths)
{
    uint8_t bytes[256];
    size_t size = build(bytes, sizeof bytes, plain);
    for (size_t n = 0; n < size; n++) {
        struct probe *p = ethernet();
        probe_feed(p, &dissector_sv, true, bytes, n);
        ck_assert_msg(p->violation_count > 0, "cut at %zu", n);
        probe_destroy(p);
    }
    struct probe *p = ethernet();
    memset(bytes + size, 0, 20);
    probe_feed(p, &dissector_sv, true, bytes, size + 20);
    ck_assert_uint_eq(p->violation_count, 0);
    p->flow.server.mac.bytes[3] = 1;
    probe_feed(p, &dissector_sv, true, bytes, size + 20);
    ck_assert_str_eq(probe_violation(p, 0)->why, "destination is not of the sampled values range");
    probe_destroy(p);
}
END_TEST

START_TEST(recognises)
{
    uint8_t bytes[256] = {0};
    ck_assert_int_eq(probe_recognise(&dissector_sv, bytes, 64), CLAIM_NO);
    size_t size = build(bytes, sizeof bytes, plain);
    ck_assert_int_eq(probe_recognise(&dissector_sv, bytes, size), CLAIM_YES);
    bytes[8] = 0x61;
    ck_assert_int_eq(probe_recognise(&dissector_sv, bytes, size), CLAIM_NO);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sv");
    TCase *tcase = tcase_create("sv");
    tcase_add_loop_test(tcase, a_copy_is_no_repetition, 0, 3);
    tcase_add_loop_test(tcase, continuity, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(tcase, samples_have_their_values, 0, sizeof data_rows / sizeof *data_rows);
    tcase_add_test(tcase, one_message);
    tcase_add_test(tcase, a_wrap_at_another_count);
    tcase_add_test(tcase, lengths);
    tcase_add_test(tcase, recognises);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
