/* test_gse_management.c: questions about GOOSE, held against IEC 61850-8-1 annex A. */
#include "support/dissect_probe.h"
#include "support/runner.h"

#include <string.h>

extern const struct dissector dissector_gse_management;

/* all of state id 5, control block "B" */

static const struct {
    const char *hex, *code, *name;
} rows[] = {
    {"0001 0016 0000 0000 60 0c 80 01 05 a1 07 a1 05 80 01 42 a1 00", "0x01", "get_go_reference"},
    {"0001 0016 0000 0000 60 0c 80 01 05 a1 07 a2 05 80 01 42 a1 00", "0x02",
     "get_goose_element_number"                                                                 },
    {"0001 0016 0000 0000 60 0c 80 01 05 a1 07 a3 05 80 01 42 a1 00", "0x03", "get_gs_reference"},
    {"0001 0016 0000 0000 60 0c 80 01 05 a1 07 a4 05 80 01 42 a1 00", "0x04",
     "get_gsse_data_offset"                                                                     },
};

START_TEST(every_service)
{
    struct probe *p = probe_create(TRANSPORT_NONE);
    uint8_t pdu[64];
    size_t size = hex_bytes(pdu, sizeof pdu, rows[_i].hex);
    ck_assert_int_eq(probe_recognise(&dissector_gse_management, pdu, size), CLAIM_YES);
    probe_feed(p, &dissector_gse_management, true, pdu, size);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->code, rows[_i].code);
    ck_assert_str_eq(e->name, rows[_i].name);
    ck_assert_str_eq(e->operation, "browse");
    ck_assert_str_eq(e->direction, "request");
    ck_assert_str_eq(e->items, "B");
    ck_assert_uint_eq(e->transaction, 5);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

static const struct {
    const char *hex, *code, *status;
} answers[] = {
    {"0001 0016 0000 0000 60 0c 80 01 05 a2 07 a1 05 80 01 42 a2 00",    "0x01", "ok"                   },
    {"0001 0017 0000 0000 60 0d 80 01 05 a2 08 a2 06 80 01 42 83 01 01", "0x02",
     "error 1 unknown_control_block"                                                                    },
    {"0001 0011 0000 0000 60 07 80 01 05 a2 02 80 00",                   "0x00", "error 0 not_supported"},
};

START_TEST(every_answer)
{
    struct probe *p = probe_create(TRANSPORT_NONE);
    probe_hex(p, &dissector_gse_management, true, rows[0].hex);
    probe_hex(p, &dissector_gse_management, false, answers[_i].hex);
    probe_hex(p, &dissector_gse_management, false, answers[_i].hex);
    const struct probe_event *e = probe_event(p, 1);
    ck_assert_str_eq(e->code, answers[_i].code);
    ck_assert_str_eq(e->status, answers[_i].status);
    ck_assert_str_eq(e->direction, "response");
    ck_assert_uint_eq(e->flags, 0);
    ck_assert_uint_eq(probe_event(p, 2)->flags, OT_NO_REQUEST);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

static const struct {
    const char *shows, *hex;
    enum violation_kind kind;
} wrong_rows[] = {
    {"header cut off",             "0001 0016 0000 00",                                                         VIOLATION_LENGTH  },
    {"length below 8",             "0001 0007 0000 0000 60 00",                                                 VIOLATION_LENGTH  },
    {"length beyond",              "0001 0017 0000 0000 60 0c 80 01 05 a1 07 a1 05 80 01 42 a1 00",
     VIOLATION_LENGTH                                                                                                             },
    {"other APDU",                 "0001 0016 0000 0000 62 0c 80 01 05 a1 07 a1 05 80 01 42 a1 00",
     VIOLATION_ENCODING                                                                                                           },
    {"service 5 is none",          "0001 0016 0000 0000 60 0c 80 01 05 a1 07 a5 05 80 01 42 a1 00",
     VIOLATION_ENCODING                                                                                                           },
    {"no service",                 "0001 000d 0000 0000 60 03 80 01 05",                                        VIOLATION_ENCODING},
    {"service 40, then a refusal", "0001 0012 0000 0000 60 08 a2 02 c8 00 a2 02 80 00",
     VIOLATION_ENCODING                                                                                                           },
    {"two services",               "0001 001a 0000 0000 60 10 80 01 05 a1 07 a1 05 80 01 42 a1 00 a2 02 80 00",
     VIOLATION_ENCODING                                                                                                           },
    {"element overruns",           "0001 0016 0000 0000 60 0c 80 01 05 a1 07 a1 05 80 09 42 a1 00",
     VIOLATION_ENCODING                                                                                                           },
};

START_TEST(wrong)
{
    struct probe *p = probe_create(TRANSPORT_NONE);
    probe_hex(p, &dissector_gse_management, true, wrong_rows[_i].hex);
    ck_assert_uint_eq(p->event_count, 0);
    ck_assert_msg(probe_has_violation(p, wrong_rows[_i].kind), "%s", wrong_rows[_i].shows);
    probe_destroy(p);
}
END_TEST

START_TEST(every_prefix)
{
    uint8_t pdu[64];
    size_t size = hex_bytes(pdu, sizeof pdu, rows[0].hex);
    for (size_t i = 0; i < size; i++) {
        struct probe *p = probe_create(TRANSPORT_NONE);
        probe_feed(p, &dissector_gse_management, true, pdu, i);
        ck_assert_uint_eq(p->event_count, 0);
        ck_assert_uint_eq(p->violation_count, 1);
        ck_assert_int_ne(probe_recognise(&dissector_gse_management, pdu, i), CLAIM_YES);
        probe_destroy(p);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gse_management");
    TCase *c = tcase_create("all");
    tcase_add_loop_test(c, every_service, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(c, every_answer, 0, sizeof answers / sizeof *answers);
    tcase_add_loop_test(c, wrong, 0, sizeof wrong_rows / sizeof *wrong_rows);
    tcase_add_test(c, every_prefix);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}
