/* test_pcom.c: PCOM, held against PROTOCOLS 24 and the layout of Unitronics' description. */
#include "support/check_pdu.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_pcom;

/* | / | body | sum of body, 2 hex | CR |, an A before the body of an answer; returns its size. */
static size_t line(uint8_t out[256], bool is_answer, const char *body)
{
    unsigned sum = 0;
    for (const char *c = body; *c; c++)
        sum += (uint8_t)*c;
    int size = snprintf((char *)out, 256, "/%s%s%02X\r", is_answer ? "A" : "", body, sum & 0xff);
    return (size_t)size;
}

/* The same behind the header of TCP. */
static size_t message(uint8_t out[256], uint8_t transaction, bool is_answer, const char *body)
{
    uint8_t text[256];
    size_t size = line(text, is_answer, body);
    memcpy(out, (const uint8_t[]){transaction, 0, 101, 0, (uint8_t)size, 0}, 6);
    memcpy(out + 6, text, size);
    return size + 6;
}

static void feed(struct probe *p, bool is_from_client, const char *body)
{
    uint8_t out[256];
    size_t size = message(out, 7, !is_from_client, body);
    probe_feed(p, &dissector_pcom, is_from_client, out, size);
}

/* A binary message with both checks; data is text. */
static size_t binary(uint8_t out[256], uint8_t command, const char *data)
{
    size_t size = strlen(data);
    uint16_t sum = 0;
    memset(out, 0, 256);
    memcpy(out, "/_OPLC", 6);
    memcpy(out + 6, (const uint8_t[]){3, 0xfe, 1, 1, 0, 0, command}, 7);
    out[20] = (uint8_t)size;
    for (size_t i = 0; i < 22; i++)
        sum = (uint16_t)(sum - out[i]);
    memcpy(out + 22, (const uint8_t[]){(uint8_t)sum, (uint8_t)(sum >> 8)}, 2);
    memcpy(out + 24, data, size);
    sum = 0;
    for (size_t i = 0; i < size; i++)
        sum = (uint16_t)(sum - (uint8_t)data[i]);
    memcpy(out + 24 + size, (const uint8_t[]){(uint8_t)sum, (uint8_t)(sum >> 8), 0x5c}, 3);
    return size + 27;
}

static const struct {
    const char *command, *operation, *name;
} commands[] = {
    {"CCR",              "start",          "start"      },
    {"CCS",              "stop",           "stop"       },
    {"CCE",              "restart",        "reset"      },
    {"CCI",              "program_delete", "initialise" },
    {"ID",               "identify",       "identify"   },
    {"UG",               "diagnostics",    "get_unit_id"},
    {"US05",             "config_change",  "set_unit_id"},
    {"RC",               "diagnostics",    "get_clock"  },
    {"SC00301204010210", "time_set",       "set_clock"  },
};

START_TEST(every_command)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    char body[64], code[16] = "0x";
    snprintf(body, sizeof body, "05%s", commands[_i].command);
    size_t letters = commands[_i].command[0] == 'C' ? 3 : 2;
    for (size_t i = 0; i < letters; i++)
        snprintf(code + 2 + 2 * i, 3, "%02x", (unsigned)commands[_i].command[i]);
    feed(p, true, body);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->code, code);
    ck_assert_str_eq(e->operation, commands[_i].operation);
    ck_assert_str_eq(e->name, commands[_i].name);
    ck_assert_str_eq(e->direction, "request");
    ck_assert_str_eq(e->unit, "5");
    ck_assert_uint_eq(e->transaction, 7);
    snprintf(body, sizeof body, "05%.2s", commands[_i].command);
    feed(p, false, body);
    e = probe_event(p, 1);
    ck_assert_str_eq(e->code, code);
    ck_assert_str_eq(e->operation, commands[_i].operation);
    ck_assert_str_eq(e->direction, "response");
    ck_assert_str_eq(e->status, "ok");
    ck_assert_uint_eq(e->flags, 0);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

static const struct memory {
    const char *command, *values, *name, *item, *shown;
} reads[] =
    {
        {"RE",  "01",               "read_inputs",          "input 16-17",          "0,1"         },
        {"RA",  "01",               "read_outputs",         "output 16-17",         "0,1"         },
        {"GS",  "01",               "read_system_bits",     "system_bit 16-17",     "0,1"         },
        {"GF",  "FFFE0003",         "read_system_integers", "system_integer 16-17", "-2,3"        },
        {"RNH", "FFFFFFFE00000003", "read_system_longs",    "system_long 16-17",    "-2,3"        },
        {"RNJ", "FFFFFFFE00000003", "read_system_doubles",  "system_double 16-17",  "4294967294,3"},
        {"RB",  "01",               "read_memory_bits",     "memory_bit 16-17",     "0,1"         },
        {"RW",  "FFFE0003",         "read_memory_integers", "memory_integer 16-17", "-2,3"        },
        {"RNL", "FFFFFFFE00000003", "read_memory_longs",    "memory_long 16-17",    "-2,3"        },
        {"RND", "FFFFFFFE00000003", "read_memory_doubles",  "memory_double 16-17",  "4294967294,3"},
},
  writes[] = {
      {"SA", "01", "write_outputs", "output 16-17", "0,1"},
      {"SS", "01", "write_system_bits", "system_bit 16-17", "0,1"},
      {"SF", "FFFE0003", "write_system_integers", "system_integer 16-17", "-2,3"},
      {"SNH", "FFFFFFFE00000003", "write_system_longs", "system_long 16-17", "-2,3"},
      {"SNJ", "FFFFFFFE00000003", "write_system_doubles", "system_double 16-17", "4294967294,3"},
      {"SB", "01", "write_memory_bits", "memory_bit 16-17", "0,1"},
      {"SW", "FFFE0003", "write_memory_integers", "memory_integer 16-17", "-2,3"},
      {"SNL", "FFFFFFFE00000003", "write_memory_longs", "memory_long 16-17", "-2,3"},
      {"SND", "FFFFFFFE00000003", "write_memory_doubles", "memory_double 16-17", "4294967294,3"},
};

START_TEST(every_read)
{
    const struct memory *row = &reads[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    char body[64];
    snprintf(body, sizeof body, "00%s001002", row->command);
    feed(p, true, body);
    snprintf(body, sizeof body, "00%.2s%s", row->command, row->values);
    feed(p, false, body);
    ck_assert_str_eq(probe_event(p, 0)->name, row->name);
    ck_assert_str_eq(probe_event(p, 0)->operation, "read");
    ck_assert_str_eq(probe_event(p, 0)->items, row->item);
    snprintf(body, sizeof body, "%s=%s", row->item, row->shown);
    ck_assert_str_eq(probe_event(p, 1)->items, body);
    ck_assert_str_eq(probe_event(p, 1)->name, row->name);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(every_write)
{
    const struct memory *row = &writes[_i];
    struct probe *p = probe_create(TRANSPORT_TCP);
    char body[64];
    snprintf(body, sizeof body, "00%s001002%s", row->command, row->values);
    feed(p, true, body);
    ck_assert_str_eq(probe_event(p, 0)->name, row->name);
    ck_assert_str_eq(probe_event(p, 0)->operation,
                     strcmp(row->command, "SA") ? "write" : "control");
    snprintf(body, sizeof body, "%s=%s", row->item, row->shown);
    ck_assert_str_eq(probe_event(p, 0)->items, body);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(identity)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, "00ID");
    feed(p, false, "00ID13T38 A00300941B");
    ck_assert_str_eq(probe_event(p, 1)->facts, "vendor=Unitronics; product=13T38; "
                                               "hardware_version=A; firmware_version=3.9.41");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

static const struct {
    uint8_t number;
    const char *operation, *name;
} binaries[] = {
    {0x04, "read",     "read_data_table" },
    {0x0c, "identify", "get_name"        },
    {0x44, "write",    "write_data_table"},
    {0x4d, "read",     "read_operands"   },
};

START_TEST(every_binary_command)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    uint8_t out[256];
    char code[8];
    for (unsigned turn = 0; turn < 2; turn++) {
        uint8_t number = (uint8_t)(binaries[_i].number | turn << 7);
        size_t size = binary(out, number, turn ? "pump" : "");
        ck_assert_int_eq(probe_recognise(&dissector_pcom, out, size), CLAIM_YES);
        ck_assert_uint_eq(probe_frame(&dissector_pcom, out, size).size, size);
        probe_feed(p, &dissector_pcom, turn == 0, out, size);
        const struct probe_event *e = probe_event(p, turn);
        snprintf(code, sizeof code, "0x%02x", number);
        ck_assert_str_eq(e->code, code);
        ck_assert_str_eq(e->operation, binaries[_i].operation);
        ck_assert_str_eq(e->name, binaries[_i].name);
        ck_assert_str_eq(e->unit, "3");
        ck_assert_uint_eq(e->flags, 0);
    }
    ck_assert_str_eq(probe_event(p, 1)->facts, binaries[_i].number == 0x0c ? "name=pump" : "");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(the_serial_line_on_tcp)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    uint8_t out[256];
    size_t size = line(out, false, "01RNL001001");
    ck_assert_int_eq(probe_recognise(&dissector_pcom, out, size), CLAIM_YES);
    probe_stream(p, &dissector_pcom, true, out, size);
    size = line(out, true, "01RN0000000A");
    ck_assert_int_eq(probe_recognise(&dissector_pcom, out, size), CLAIM_YES);
    probe_stream(p, &dissector_pcom, false, out, size);
    ck_assert_str_eq(probe_event(p, 1)->items, "memory_long 16=10");
    ck_assert(!probe_event(p, 1)->has_transaction);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(answers_alone)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, false, "01RN0000000A");
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->code, "0x524e");
    ck_assert_str_eq(e->operation, "read");
    ck_assert_uint_eq(e->flags, OT_NO_REQUEST);
    feed(p, true, "01RW001001");
    feed(p, false, "01RB0"); /* of another request */
    ck_assert_uint_eq(probe_event(p, 2)->flags, OT_NO_REQUEST);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

static const struct {
    const char *shows, *hex;
    enum violation_kind kind;
    enum claim claim;
} wrong_rows[] = {
    {"checksum",       "070065000800 2f 3030 4944 4545 0d", VIOLATION_CHECKSUM,  CLAIM_NO  },
    {"unit is no hex", "070065000800 2f 5a30 4944 4544 0d", VIOLATION_TRUNCATED, CLAIM_NO  },
    {"size beyond",    "070065000900 2f 3030 4944 4544 0d", VIOLATION_LENGTH,    CLAIM_MORE},
    {"size short",     "070065000700 2f 3030 4944 4544 0d", VIOLATION_LENGTH,    CLAIM_NO  },
    {"too short",      "070065000700 2f",                   VIOLATION_TRUNCATED, CLAIM_MORE},
    {"no CR",          "070065000800 2f 3030 4944 4544 0a", VIOLATION_TRUNCATED, CLAIM_NO  },
};

START_TEST(wrong)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    uint8_t pdu[64];
    size_t size = hex_bytes(pdu, sizeof pdu, wrong_rows[_i].hex);
    probe_feed(p, &dissector_pcom, true, pdu, size);
    ck_assert_msg(probe_has_violation(p, wrong_rows[_i].kind), "%s", wrong_rows[_i].shows);
    ck_assert_msg(probe_recognise(&dissector_pcom, pdu, size) == wrong_rows[_i].claim, "%s: %d",
                  wrong_rows[_i].shows, probe_recognise(&dissector_pcom, pdu, size));
    probe_destroy(p);
}
END_TEST

static const struct {
    const char *shows, *body;
    enum violation_kind kind;
} wrong_bodies[] = {
    {"a value more",    "00SW0010010001000", VIOLATION_COUNT    },
    {"a value less",    "00SB0010020",       VIOLATION_COUNT    },
    {"count 0",         "00RW001000",        VIOLATION_RANGE    },
    {"address cut off", "00RW001",           VIOLATION_TRUNCATED},
};

START_TEST(wrong_body)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, wrong_bodies[_i].body);
    ck_assert_msg(probe_has_violation(p, wrong_bodies[_i].kind), "%s", wrong_bodies[_i].shows);
    probe_destroy(p);
}
END_TEST

START_TEST(wrong_binary_and_direction)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    uint8_t out[256];
    size_t size = binary(out, 0x0c, "x");
    out[24]++;
    probe_feed(p, &dissector_pcom, true, out, size);
    ck_assert(probe_has_violation(p, VIOLATION_CHECKSUM));
    probe_clear(p);
    size = binary(out, 0x0c, "x");
    out[size - 1] = 0;
    probe_feed(p, &dissector_pcom, true, out, size);
    ck_assert(probe_has_violation(p, VIOLATION_RESERVED));
    probe_clear(p);
    size = binary(out, 0x0c, "x");
    probe_feed(p, &dissector_pcom, true, out, size - 1);
    ck_assert(probe_has_violation(p, VIOLATION_LENGTH));
    probe_clear(p);
    probe_feed(p, &dissector_pcom, false, out, size);
    ck_assert(probe_has_violation(p, VIOLATION_DIRECTION));
    probe_destroy(p);
}
END_TEST

static void check_whole(const uint8_t *pdu, size_t size)
{
    check_prefixes(&dissector_pcom, pdu, size);
    for (size_t i = 0; i < size; i++)
        ck_assert_int_eq(probe_recognise(&dissector_pcom, pdu, i), CLAIM_MORE);
    ck_assert_int_eq(probe_recognise(&dissector_pcom, pdu, size), CLAIM_YES);
}

START_TEST(every_prefix)
{
    uint8_t pdu[256];
    check_whole(pdu, message(pdu, 1, false, "00RW001002"));
    check_whole(pdu, line(pdu, false, "00RW001002"));
    check_whole(pdu, binary(pdu, 0x4d, "abcdef"));
    static const uint8_t zeros[32], path[] = "/index.html HTTP/1.1\r\n";
    ck_assert_int_eq(probe_recognise(&dissector_pcom, zeros, sizeof zeros), CLAIM_NO);
    ck_assert_int_eq(probe_recognise(&dissector_pcom, (const uint8_t[]){1, 0, 0}, 3), CLAIM_NO);
    ck_assert_int_eq(probe_recognise(&dissector_pcom, path, sizeof path), CLAIM_NO);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pcom");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, every_command, 0, sizeof commands / sizeof *commands);
    tcase_add_loop_test(tcase, every_read, 0, sizeof reads / sizeof *reads);
    tcase_add_loop_test(tcase, every_write, 0, sizeof writes / sizeof *writes);
    tcase_add_loop_test(tcase, every_binary_command, 0, sizeof binaries / sizeof *binaries);
    tcase_add_loop_test(tcase, wrong, 0, sizeof wrong_rows / sizeof *wrong_rows);
    tcase_add_loop_test(tcase, wrong_body, 0, sizeof wrong_bodies / sizeof *wrong_bodies);
    tcase_add_test(tcase, identity);
    tcase_add_test(tcase, the_serial_line_on_tcp);
    tcase_add_test(tcase, answers_alone);
    tcase_add_test(tcase, wrong_binary_and_direction);
    tcase_add_test(tcase, every_prefix);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
