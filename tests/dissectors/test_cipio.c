/* test_cipio.c: cyclic data. Expected values: CIP Networks Library, Volume 2, 2-6 and 3; Volume 1,
 * 3-6.1. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_cipio, dissector_cip;

/* one packet: id and sequence as wire hex, data with its length */
static void io(struct probe *p, bool is_from_client, const char *id, uint32_t sequence,
               const char *data)
{
    char hex[512];
    snprintf(hex, sizeof hex, "0200 0280 0800 %s %02x%02x%02x%02x b100 %02x00 %s", id,
             sequence & 255, sequence >> 8 & 255, sequence >> 16 & 255, sequence >> 24,
             (unsigned)strlen(data) / 2, data);
    probe_hex(p, &dissector_cipio, is_from_client, hex);
}

START_TEST(data_is_published)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    io(p, true, "787b3a00", 73321448, "0300fdffffffffffffff0000");
    ck_assert_uint_eq(p->event_count, 1);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->protocol, "cipio");
    ck_assert_str_eq(e->code, "io");
    ck_assert_str_eq(e->direction, "oneway");
    ck_assert_str_eq(e->operation, "publish");
    ck_assert_str_eq(e->items, "io_connection 3832696=0300fdffffffffffffff0000");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

/* Opens class 1, O->T id 11223344 with assembly 101, T->O id 55667788 with assembly 100, over
 * slot 3. */
static void open_with(struct probe *p, const char *ot_parameters)
{
    char hex[256];
    snprintf(hex, sizeof hex,
             "54 02 2006 2401 07f9 00000000 88776655 1400 0100 78563412 00000000 10270000 %s "
             "10270000 0848 01 06 0103 2004 2401 2c65 2c64 8000",
             ot_parameters);
    p->carrier = (struct carrier){.key = 1, .is_keyed = true};
    probe_hex(p, &dissector_cip, true, hex);
    probe_hex(p, &dissector_cip, false,
              "d4000000 44332211 88776655 1400 0100 78563412 10270000 10270000 0000");
    probe_clear(p);
}

static void open_connection(struct probe *p)
{
    open_with(p, "0848");
}

START_TEST(opening_gives_route_object_and_header)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    open_connection(p);
    io(p, true, "44332211", 1,
       "0100"
       "01000000"
       "aabb");
    io(p, false, "88776655", 1,
       "0100"
       "ccdd");
    io(p, true, "44332211", 2,
       "0200"
       "01000000"
       "aabb");
    io(p, true, "44332211", 3,
       "0300"
       "00000000"
       "aabb");
    io(p, true, "44332211", 4,
       "0400"
       "01000000"
       "aabb");
    ck_assert_str_eq(probe_event(p, 0)->items, "assembly 101=aabb");
    ck_assert_str_eq(probe_event(p, 0)->unit, "1/3");
    ck_assert_str_eq(probe_event(p, 0)->facts, "mode=run");
    ck_assert_str_eq(probe_event(p, 1)->items, "assembly 100=ccdd");
    ck_assert_str_eq(probe_event(p, 1)->facts, "");
    ck_assert_str_eq(probe_event(p, 2)->facts, "");
    ck_assert_str_eq(probe_event(p, 2)->detail, "");
    ck_assert_str_eq(probe_event(p, 3)->facts, "mode=idle");
    ck_assert_str_eq(probe_event(p, 3)->detail, "run to idle");
    ck_assert_str_eq(probe_event(p, 4)->detail, "idle to run");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(data_that_cannot_be_a_header_is_data)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    open_connection(p);
    io(p, true, "44332211", 1,
       "0100"
       "11000000"
       "aabb");
    ck_assert_str_eq(probe_event(p, 0)->items, "assembly 101=11000000aabb");
    ck_assert_str_eq(probe_event(p, 0)->facts, "");
    probe_destroy(p);
}
END_TEST

struct step {
    const char *shows;
    uint32_t first, second;
    size_t violations;
    uint32_t flags;
};

static const struct step steps[] = {
    {"the next",                 100,        101,  0, 0            },
    {"the same again",           100,        100,  0, OT_RETRANSMIT},
    {"as many lost as may be",   100,        5100, 0, 0            },
    {"one more lost is a jump",  100,        5101, 1, 0            },
    {"swapped in the network",   100,        92,   0, 0            },
    {"one further is backwards", 100,        91,   1, 0            },
    {"it wraps",                 0xffffffff, 0,    0, 0            },
};

START_TEST(sequence)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    io(p, true, "01000000", steps[_i].first, "0000");
    io(p, true, "01000000", steps[_i].second, "0000");
    ck_assert_msg(p->violation_count == steps[_i].violations, "%s: %zu violations", steps[_i].shows,
                  p->violation_count);
    ck_assert_msg(probe_event(p, 1)->flags == steps[_i].flags, "%s", steps[_i].shows);
    if (steps[_i].violations)
        ck_assert_int_eq(probe_violation(p, 0)->kind, VIOLATION_SEQUENCE);
    probe_destroy(p);
}
END_TEST

static const struct sizes {
    const char *shows, *parameters; /* of O->T, bit 9: of variable size */
    const char *first, *second;
    bool is_told;
} sizes[] = {
    {"the same size",                            "0a48", "01000100000011223344", "02000100000011223345",   false},
    {"one byte more",                            "0a48", "01000100000011223344", "0200010000001122334455", true },
    {"one byte less",                            "0a48", "01000100000011223344", "020001000000112233",     true },
    {"of variable size",                         "0a4a", "01000100000011223344", "0200010000001122334455", false},
    {"idle, without data",                       "0a48", "01000100000011223344", "020000000000",           false},
    {"only keeping the connection open",         "0a48", "01000100000011223344", "0200",                   false},
    {"of a connection whose opening was missed", NULL,   "01000100000011223344",
     "0200010000001122334455",                                                                             true },
};

START_TEST(packets_have_one_size)
{
    const struct sizes *row = &sizes[_i];
    struct probe *p = probe_create(TRANSPORT_UDP);
    if (row->parameters)
        open_with(p, row->parameters);
    io(p, true, "44332211", 1, row->first);
    io(p, true, "44332211", 2, row->second);
    ck_assert_msg(probe_has_violation(p, VIOLATION_LENGTH) == row->is_told, "%s", row->shows);
    ck_assert_uint_eq(p->violation_count, row->is_told);
    probe_destroy(p);
}
END_TEST

/* Two producers of one connection: told once a minute, not with each packet. */
START_TEST(two_producers_do_not_flood)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    for (uint32_t i = 0; i < 100; i++) {
        io(p, true, "01000000", 100 + i, "0000");
        io(p, true, "01000000", 900000 + i, "0000");
    }
    ck_assert_uint_eq(p->violation_count, 1);
    p->time_ns += INT64_C(60000000000);
    io(p, true, "01000000", 200, "0000");
    ck_assert_uint_eq(p->violation_count, 2);
    probe_destroy(p);
}
END_TEST

START_TEST(directions_and_connections_have_their_own_order)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    for (uint32_t i = 0; i < 100; i++) { /* more connections than are watched */
        char id[9];
        snprintf(id, sizeof id, "%02x000000", i);
        io(p, true, id, 1000000 * i, "0000");
        io(p, false, id, 500, "0000");
    }
    ck_assert_uint_eq(p->violation_count, 0);
    ck_assert_uint_eq(p->event_count, 200);
    probe_destroy(p);
}
END_TEST

struct claim_row {
    const char *shows, *hex;
    enum claim claim;
};

static const struct claim_row claims[] = {
    {"sequenced address",              "0200 0280 0800 01000000 02000000 b100 0200 aabb", CLAIM_YES },
    {"no data",                        "0200 0280 0800 01000000 02000000 b100 0000",      CLAIM_YES },
    {"address without sequence",       "0200 a100 0400 01000000 b100 0200 aabb",          CLAIM_WEAK},
    {"data longer than the datagram",  "0200 0280 0800 01000000 02000000 b100 0300 aabb", CLAIM_NO  },
    {"data shorter than the datagram", "0200 0280 0800 01000000 02000000 b100 0100 aabb", CLAIM_NO  },
    {"one item",                       "0100 0280 0800 01000000 02000000",                CLAIM_NO  },
    {"another item",                   "0200 0280 0800 01000000 02000000 b200 0200 aabb", CLAIM_NO  },
    {"DNS",                            "1234 0100 0001 0000 0000 0000 0161 0000 0100 01", CLAIM_NO  },
};

START_TEST(recognised)
{
    uint8_t bytes[64];
    size_t size = hex_bytes(bytes, sizeof bytes, claims[_i].hex);
    ck_assert_msg(probe_recognise(&dissector_cipio, bytes, size) == claims[_i].claim, "%s",
                  claims[_i].shows);
}
END_TEST

START_TEST(another_layout_is_told)
{
    uint8_t bytes[32];
    size_t size = hex_bytes(bytes, sizeof bytes, "0200 0280 0800 01000000 02000000 b100 0200 aabb");
    for (size_t n = 0; n < size; n++) {
        struct probe *p = probe_create(TRANSPORT_UDP);
        probe_feed(p, &dissector_cipio, true, bytes, n);
        ck_assert_msg(probe_has_violation(p, VIOLATION_LENGTH), "prefix of %zu", n);
        ck_assert_uint_eq(p->event_count, 0);
        probe_destroy(p);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cipio");
    TCase *tc = tcase_create("cipio");
    tcase_add_loop_test(tc, sequence, 0, sizeof steps / sizeof *steps);
    tcase_add_loop_test(tc, recognised, 0, sizeof claims / sizeof *claims);
    tcase_add_test(tc, data_is_published);
    tcase_add_test(tc, opening_gives_route_object_and_header);
    tcase_add_test(tc, data_that_cannot_be_a_header_is_data);
    tcase_add_loop_test(tc, packets_have_one_size, 0, sizeof sizes / sizeof *sizes);
    tcase_add_test(tc, two_producers_do_not_flood);
    tcase_add_test(tc, directions_and_connections_have_their_own_order);
    tcase_add_test(tc, another_layout_is_told);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
