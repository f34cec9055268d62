/* test_event_pack.c: what is packed comes back the same; any bytes are safe to unpack. */
#include "sensor/base/event_json.h"
#include "sensor/base/event_pack.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    text_format(out, OT_CODE_SIZE, "%u/%u", code[0], code[1]);
}

static const uint8_t values[] = {0x02, 0x00, 0x00, 0x11};
static const struct ot_item items[] = {
    {.area = "holding_register",
     .has_start = true,
     .start = 100,
     .count = 2,
     .has_range = true,
     .low = 100,
     .high = 101,
     .values = {VALUES_U16BE, 2, values, sizeof values}},
    {.operation = OP_READ,
     .area = "db",
     .has_number = true,
     .number = 5,
     .has_start = true,
     .start = 10,
     .has_bit = true,
     .bit = 3,
     .type = "bool",
     .status = {OT_RESULT_ERROR, 10, "no_such_object"}},
    {.name = {"Program:Main.Speed\xff", 19},                .values = {VALUES_TEXT, 1, (const uint8_t *)"abc", 3}},
};
static const struct ot_fact facts[] = {
    {FACT_VENDOR, {"Vendor", 6}, false},
    {FACT_NAME,   {"PLC-7", 5},  true },
};

static struct ot_flow flow_of(void)
{
    struct ot_flow flow = {
        .segment = 7, .transport = TRANSPORT_TCP, .is_role_known = true, .has_gap = true};
    address_parse(&flow.client.ip, "10.0.0.5");
    address_parse(&flow.server.ip, "fe80::1");
    mac_parse(&flow.client.mac, "02:00:00:00:00:05");
    flow.client.port = 49160;
    flow.server.port = 502;
    return flow;
}

static struct ot_event event_of(const struct ot_flow *flow)
{
    return (struct ot_event){
        .time_ns = INT64_C(1445412480000000000),
        .flow = flow,
        .is_from_client = true,
        .direction = OT_REQUEST,
        .protocol = "s7comm",
        .operation = OP_WRITE,
        .code = {5,                    7},
        .spell = spell,
        .function = 5,
        .name = "write_var",
        .unit = TEXT("0/2"),
        .transaction = UINT64_C(1) << 40,
        .has_transaction = true,
        .items = items,
        .item_count = 3,
        .facts = facts,
        .fact_count = 2,
        .transfer = {            TRANSFER_BEGIN, OP_PROGRAM_DOWNLOAD, 9, TEXT("OB1"), 412, NULL, 0},
        .status = { OT_RESULT_OK,                0,                NULL},
        .flags = OT_BROADCAST | OT_HAS_CREDENTIAL,
        .detail = TEXT("a few words"),
    };
}

/* The event line says everything that readers of events can see. */
START_TEST(test_comes_back)
{
    uint8_t bytes[EVENT_PACK_MAX];
    char before[EVENT_LINE_MAX], after[EVENT_LINE_MAX];
    struct ot_flow flow = flow_of();
    struct ot_event e = event_of(&flow);
    struct event_unpacked u;
    size_t size = event_pack(&e, bytes);
    ck_assert_uint_gt(size, 0);
    ck_assert_uint_lt(size, 400);
    ck_assert(event_unpack(&u, bytes, size));
    u.event.time_ns = e.time_ns;
    before[event_json(&e, before, sizeof before - 1)] = '\0';
    after[event_json(&u.event, after, sizeof after - 1)] = '\0';
    ck_assert_str_eq(before, after);
    ck_assert_uint_eq(u.flow.segment, 7);
    ck_assert(u.flow.is_role_known && u.flow.has_gap && !u.flow.is_start_seen);
    ck_assert(u.items[0].has_range && u.items[0].high == 101);
    ck_assert(u.facts[1].is_about_receiver);
    ck_assert_uint_eq(u.event.transfer.key, 9);
    struct event_unpacked head;
    ck_assert(event_unpack_head(&head, bytes, size));
    ck_assert_str_eq(head.event.protocol, e.protocol);
    ck_assert_int_eq(head.event.operation, e.operation);
    ck_assert_int_eq(head.event.direction, e.direction);
    ck_assert_int_eq(head.event.is_from_client, e.is_from_client);
    ck_assert_mem_eq(&head.event.flow->client, &flow.client, sizeof flow.client);
    ck_assert_mem_eq(&head.event.flow->server, &flow.server, sizeof flow.server);
}
END_TEST

START_TEST(test_what_does_not_fit_is_left_away)
{
    static struct ot_item many[200];
    uint8_t bytes[EVENT_PACK_MAX];
    struct ot_flow flow = flow_of();
    struct ot_event e = event_of(&flow);
    struct event_unpacked u;
    for (size_t i = 0; i < 200; i++)
        many[i] = (struct ot_item){
            .name = TEXT("A.very.long.name.of.a.tag.that.fills.the.room.that.there.is.in.the.row")};
    e.items = many;
    e.item_count = 200;
    size_t size = event_pack(&e, bytes);
    ck_assert_uint_gt(size, 0);
    ck_assert(event_unpack(&u, bytes, size));
    ck_assert_uint_lt(u.event.item_count, 200);
    ck_assert_uint_gt(u.event.item_count, 0);
    ck_assert_uint_eq(u.event.items_total, 200);
}
END_TEST

/* Every prefix is refused; every changed byte is refused or gives an event that can be printed. */
START_TEST(test_any_bytes_are_safe)
{
    uint8_t bytes[EVENT_PACK_MAX];
    char line[EVENT_LINE_MAX];
    struct ot_flow flow = flow_of();
    struct ot_event e = event_of(&flow);
    struct event_unpacked u;
    size_t size = event_pack(&e, bytes);
    for (size_t i = 0; i < size; i++) {
        uint8_t *prefix = malloc(i + 1); /* the sanitizer sees a step too far */
        memcpy(prefix, bytes, i);
        ck_assert_msg(!event_unpack(&u, prefix, i), "a prefix of %zu bytes", i);
        free(prefix);
    }
    for (size_t i = 0; i < size; i++) {
        for (unsigned change = 1; change < 256; change += 37) {
            uint8_t *changed = malloc(size);
            memcpy(changed, bytes, size);
            changed[i] = (uint8_t)(changed[i] + change);
            (void)event_unpack_head(&u, changed, size);
            if (event_unpack(&u, changed, size))
                ck_assert_uint_gt(event_json(&u.event, line, sizeof line), 0);
            free(changed);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("event_pack");
    TCase *c = tcase_create("event_pack");
    tcase_add_test(c, test_comes_back);
    tcase_add_test(c, test_what_does_not_fit_is_left_away);
    tcase_add_test(c, test_any_bytes_are_safe);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
