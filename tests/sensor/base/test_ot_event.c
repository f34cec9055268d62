/* test_ot_event.c: typed values out of their wire form, and event lines. */
#include "sensor/base/event_json.h"
#include "sensor/base/finding.h"
#include "sensor/base/ot_event.h"
#include "support/runner.h"

#include <stdio.h>

static const struct row {
    const char *shows;
    enum ot_encoding encoding;
    uint8_t bytes[8];
    size_t size;
    double number;
} rows[] = {
    {"unsigned byte",                VALUES_U8,    {0xff},                                           1, 255            },
    {"signed byte",                  VALUES_I8,    {0xff},                                           1, -1             },
    {"big-endian word",              VALUES_U16BE, {0x12, 0x34},                                     2, 0x1234         },
    {"big-endian integer",           VALUES_I16BE, {0xff, 0xfe},                                     2, -2             },
    {"little-endian word",           VALUES_U16LE, {0x34, 0x12},                                     2, 0x1234         },
    {"little-endian integer",        VALUES_I16LE, {0xfe, 0xff},                                     2, -2             },
    {"big-endian double word",       VALUES_U32BE, {0x80, 0, 0, 1},                                  4, 2147483649.0   },
    {"big-endian double integer",    VALUES_I32BE, {0x80, 0, 0, 0},                                  4, -2147483648.0  },
    {"little-endian double integer", VALUES_I32LE, {0xff, 0xff, 0xff, 0xff},                         4, -1             },
    {"big-endian real 1.5",          VALUES_F32BE, {0x3f, 0xc0, 0, 0},                               4, 1.5            },
    {"little-endian real -2.0",      VALUES_F32LE, {0, 0, 0, 0xc0},                                  4, -2             },
    {"big-endian long real 0.1",
     VALUES_F64BE,                                 {0x3f, 0xb9, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a},
     8,                                                                                                 0.1            },
    {"little-endian long real 0.1",
     VALUES_F64LE,                                 {0x9a, 0x99, 0x99, 0x99, 0x99, 0x99, 0xb9, 0x3f},
     8,                                                                                                 0.1            },
    {"little-endian long integer",
     VALUES_I64LE,                                 {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
     8,                                                                                                 -1             },
    {"a fraction, the least",        VALUES_N16LE, {0x00, 0x80},                                     2, -1             },
    {"a fraction, a half",           VALUES_N16LE, {0x00, 0x40},                                     2, 0.5            },
    {"a fraction, the greatest",     VALUES_N16LE, {0xff, 0x7f},                                     2, 32767.0 / 32768},
    {"the lowest bit comes first",   VALUES_BITS,  {0x01},                                           1, 1              },
};
enum { ROWS = sizeof rows / sizeof *rows };

START_TEST(numbers)
{
    const struct row *r = &rows[_i];
    struct ot_values values = {r->encoding, 1, r->bytes, r->size};
    struct ot_value v = ot_value_at(&values, 0);
    double number;
    ck_assert_msg(ot_value_number(&v, &number) && number == r->number, "%s: %g", r->shows, number);
    ck_assert_int_eq(ot_value_at(&values, 1).kind, OT_VALUE_NONE); /* no second value */
    struct ot_values cut = {r->encoding, 1, r->bytes, r->size - 1};
    ck_assert_msg(ot_value_at(&cut, 0).kind == OT_VALUE_NONE, "%s: a cut value is none", r->shows);
}
END_TEST

START_TEST(bits_and_texts)
{
    static const uint8_t bytes[] = {0x05, 0x80};
    struct ot_values bits = {VALUES_BITS, 16, bytes, 2};
    static const bool expected[16] = {[0] = true, [2] = true, [15] = true};
    for (uint32_t i = 0; i < 16; i++)
        ck_assert_int_eq(ot_value_at(&bits, i).boolean, expected[i]);
    struct ot_values text = {VALUES_TEXT, 1, (const uint8_t *)"RUN", 3};
    ck_assert(text_equal(ot_value_at(&text, 0).text, TEXT("RUN")));
    double number;
    struct ot_value v = ot_value_at(&text, 0);
    ck_assert(!ot_value_number(&v, &number));
}
END_TEST

static struct ot_flow made_flow(void)
{
    struct ot_flow f = {.transport = TRANSPORT_TCP};
    address_parse(&f.client.ip, "10.0.0.5");
    address_parse(&f.server.ip, "10.0.0.10");
    mac_parse(&f.client.mac, "00:50:56:00:00:05");
    mac_parse(&f.server.mac, "00:1b:1b:00:00:10");
    f.client.port = 49160;
    f.server.port = 502;
    return f;
}

START_TEST(the_line_of_the_contract)
{
    /* DESIGN "An event line", with ports and addresses filled in */
    static const uint8_t registers[] = {0x02, 0x00, 0x00, 0x11};
    struct ot_flow flow = made_flow();
    struct ot_item item = {
        .area = "holding_register",
        .has_start = true,
        .start = 100,
        .count = 2,
        .values = {VALUES_U16BE, 2, registers, 4}
    };
    struct ot_event e = {
        .time_ns = 1445412480123456000,
        .flow = &flow,
        .is_from_client = true,
        .direction = OT_REQUEST,
        .protocol = "modbus",
        .operation = OP_WRITE,
        .code = {16   },
        .function = 16,
        .name = "write_multiple_registers",
        .unit = TEXT("1"),
        .transaction = 41,
        .has_transaction = true,
        .items = &item,
        .item_count = 1,
        .items_total = 1,
        .status = { OT_RESULT_OK, 0, NULL},
    };
    char line[EVENT_LINE_MAX];
    size_t size = event_json(&e, line, sizeof line);
    line[size] = '\0';
    ck_assert_str_eq(
        line,
        "{\"@timestamp\":\"2015-10-21T07:28:00.123456Z\","
        "\"source\":{\"mac\":\"00:50:56:00:00:05\",\"ip\":\"10.0.0.5\",\"port\":49160},"
        "\"destination\":{\"mac\":\"00:1b:1b:00:00:10\",\"ip\":\"10.0.0.10\",\"port\":502},"
        "\"network\":{\"transport\":\"tcp\",\"protocol\":\"modbus\"},"
        "\"ot\":{\"direction\":\"request\",\"operation\":\"write\",\"code\":\"16\","
        "\"name\":\"write_multiple_registers\",\"unit\":\"1\",\"function\":16,\"transaction\":41,"
        "\"items\":[{\"area\":\"holding_register\",\"start\":100,\"count\":2,\"values\":[512,17]}],"
        "\"status\":\"ok\"}}");
}
END_TEST

/* IEC 60870-5-101 7.2.6.6: NVA is a fraction; the code on the wire is told beside it. */
START_TEST(a_fraction_has_its_code_beside_it)
{
    static const struct ot_flow flow;
    static const uint8_t bytes[] = {0x00, 0xc0, 0x00, 0x20};
    struct ot_item item = {
        .area = "measured_normalised",
        .count = 2,
        .values = {VALUES_N16LE, 2, bytes, sizeof bytes}
    };
    struct ot_event e = {.flow = &flow, .protocol = "x", .items = &item, .item_count = 1};
    char line[EVENT_LINE_MAX];
    line[event_json(&e, line, sizeof line)] = '\0';
    ck_assert_ptr_nonnull(strstr(line, "\"values\":[-0.5,0.25],\"raw\":[-16384,8192]}"));
}
END_TEST

/* Done, but not as asked, is ok with a code; a plain ok has none. */
START_TEST(an_ok_with_a_code_keeps_it)
{
    static const struct ot_flow flow;
    struct ot_event e = {.flow = &flow, .protocol = "x"};
    char line[EVENT_LINE_MAX];
    e.status = (struct ot_status){OT_RESULT_OK, 6, "partial_transfer"};
    line[event_json(&e, line, sizeof line)] = '\0';
    ck_assert_ptr_nonnull(
        strstr(line, "\"status\":\"ok\",\"status_code\":6,\"status_name\":\"partial_transfer\"}"));
    e.status = (struct ot_status){OT_RESULT_OK, 0, "ok"};
    line[event_json(&e, line, sizeof line)] = '\0';
    ck_assert_ptr_nonnull(strstr(line, "\"status\":\"ok\"}"));
}
END_TEST

START_TEST(an_item_has_its_time)
{
    static const struct ot_flow flow;
    static const uint8_t time[] = {0xcd, 0x9b, 0x19};
    struct ot_item item = {.area = "single_point", .time = time, .time_form = TIME_CP24};
    struct ot_event e = {.flow = &flow, .protocol = "x", .items = &item, .item_count = 1};
    char line[EVENT_LINE_MAX];
    line[event_json(&e, line, sizeof line)] = '\0';
    ck_assert_ptr_nonnull(strstr(line, "{\"area\":\"single_point\",\"time\":\"25:39.885\"}"));
}
END_TEST

START_TEST(further_values_follow_the_first)
{
    static const struct ot_flow flow;
    static const uint8_t bytes[] = {7};
    static const uint8_t further[] = {VALUES_BITS, 1,   0,   1,         VALUES_TEXT, 2,
                                      0,           'o', 'k', VALUES_U8, 9,           0};
    struct ot_item item = {
        .values = {VALUES_U8, 1, bytes, 1},
        .further = further,
        .further_size = sizeof further
    }; /* the last is cut off */
    struct ot_event e = {.flow = &flow, .protocol = "x", .items = &item, .item_count = 1};
    char line[EVENT_LINE_MAX];
    line[event_json(&e, line, sizeof line)] = '\0';
    ck_assert_ptr_nonnull(strstr(line, "\"values\":[7,true,\"ok\"]}"));
    ck_assert_int_eq(ot_item_further(&item, 2).kind, OT_VALUE_NONE);
}
END_TEST

/* A key that came twice would lose all but the last value in most readers. */
START_TEST(a_fact_told_twice_is_an_array)
{
    static const struct ot_flow flow;
    const struct ot_fact facts[] = {
        {FACT_MODULE_NAME, TEXT("A"),    false},
        {FACT_VENDOR,      TEXT("Acme"), false},
        {FACT_NAME,        TEXT("you"),  true },
        {FACT_MODULE_NAME, TEXT("B"),    false},
    };
    struct ot_event e = {.flow = &flow, .protocol = "x", .facts = facts, .fact_count = 4};
    char line[EVENT_LINE_MAX];
    line[event_json(&e, line, sizeof line)] = '\0';
    ck_assert_ptr_nonnull(strstr(line, "\"facts\":{\"module_name\":[\"A\",\"B\"],"
                                       "\"vendor\":\"Acme\"},"
                                       "\"facts_of_receiver\":{\"name\":\"you\"}"));
}
END_TEST

START_TEST(long_lists_are_shortened_and_say_so)
{
    enum { MANY = 1000 };
    struct ot_item *items = calloc(MANY, sizeof *items);
    static const char name[] =
        "a tag name that takes some room in the line of the event that carries it";
    for (int i = 0; i < MANY; i++)
        items[i] = (struct ot_item){.area = "tag", .name = TEXT(name), .count = 1};
    struct ot_flow flow = made_flow();
    struct ot_event e = {.flow = &flow,
                         .protocol = "cip",
                         .operation = OP_READ,
                         .items = items,
                         .item_count = MANY,
                         .items_total = MANY};
    char line[4096];
    size_t size = event_json(&e, line, sizeof line);
    ck_assert_uint_gt(size, 0);
    line[size] = '\0';
    ck_assert_ptr_nonnull(strstr(line, "\"items_total\":1000"));
    ck_assert_int_eq(line[size - 1], '}');

    char ot[FINDING_OT_JSON];
    ck_assert_uint_gt(event_json_ot(&e, ot, sizeof ot), 0);
    ck_assert_ptr_nonnull(strstr(ot, "\"items_total\":1000"));
    free(items);
}
END_TEST

static const struct item_row {
    struct ot_item item;
    const char *said;
} items[] = {
    {{.area = "db",
      .has_number = true,
      .number = 5,
      .has_start = true,
      .start = 3,
      .bit = 1,
      .has_bit = true,
      .count = 1},
     "DB5.DBX3.1"                                                                                              },
    {{.area = "m", .has_start = true, .start = 10, .bit = 0, .has_bit = true, .count = 1}, "M10.0"             },
    {{.area = "holding_register", .has_start = true, .start = 100, .count = 2},
     "holding_register 100-101"                                                                                },
    {{.area = "coil", .has_start = true, .start = 7, .count = 1},                          "coil 7"            },
    {{.area = "tag", .name = {"Program:Main.Speed", 18}, .count = 1},                      "Program:Main.Speed"},
};
enum { ITEMS = sizeof items / sizeof *items };

START_TEST(items_are_said_as_people_say_them)
{
    char out[64];
    ck_assert_str_eq(ot_item_print(&items[_i].item, out, sizeof out), items[_i].said);
}
END_TEST

START_TEST(the_catalogue_is_whole)
{
    const struct detection_kind *k = detection_kind((enum detection)_i);
    enum detection back;
    ck_assert_msg(detection_parse(&back, k->id) && (int)back == _i, "%s", k->id);
    ck_assert(strchr(k->id, '.') != NULL);
    ck_assert_uint_gt(strlen(k->title), 8);
    char techniques[64];
    snprintf(techniques, sizeof techniques, "%s", k->techniques);
    for (char *save, *id = strtok_r(techniques, " ", &save); id; id = strtok_r(NULL, " ", &save))
        ck_assert_msg(technique_find(id), "%s names the unknown technique %s", k->id, id);
}
END_TEST

START_TEST(gravity)
{
    /* PROTOCOLS 1: the gravest of the items is the event's operation */
    ck_assert_int_gt(OP_PROGRAM_DOWNLOAD, OP_STOP);
    ck_assert_int_gt(OP_STOP, OP_WRITE);
    ck_assert_int_gt(OP_WRITE, OP_READ);
    ck_assert(operation_is_change(OP_WRITE) && operation_is_change(OP_STOP) &&
              operation_is_change(OP_CONTROL));
    ck_assert(!operation_is_change(OP_READ) && !operation_is_change(OP_IDENTIFY) &&
              !operation_is_change(OP_PROGRAM_UPLOAD));
    ck_assert(operation_is_critical(OP_STOP) && operation_is_critical(OP_PROGRAM_UPLOAD) &&
              operation_is_critical(OP_FORCE));
    ck_assert(!operation_is_critical(OP_WRITE) && !operation_is_critical(OP_READ));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ot_event");
    TCase *c = tcase_create("ot_event");
    tcase_add_loop_test(c, numbers, 0, ROWS);
    tcase_add_test(c, bits_and_texts);
    tcase_add_test(c, the_line_of_the_contract);
    tcase_add_test(c, a_fraction_has_its_code_beside_it);
    tcase_add_test(c, further_values_follow_the_first);
    tcase_add_test(c, an_item_has_its_time);
    tcase_add_test(c, an_ok_with_a_code_keeps_it);
    tcase_add_test(c, a_fact_told_twice_is_an_array);
    tcase_add_test(c, long_lists_are_shortened_and_say_so);
    tcase_add_loop_test(c, items_are_said_as_people_say_them, 0, ITEMS);
    tcase_add_loop_test(c, the_catalogue_is_whole, 0, DETECTION_COUNT);
    tcase_add_test(c, gravity);
    suite_add_tcase(s, c);
    return run_suite(s);
}
