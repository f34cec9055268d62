/* test_memory.c: 100,000 learned objects and 10,000 hosts stay below 300 MB. */
#include "scene.h"

#include "baseline/inventory.h"

#include <unistd.h>

enum { OBJECTS = 100000, HOSTS = 10000, CLIENTS = 1000, MEGABYTES_MAX = 300 };

static size_t resident_bytes(void)
{
    unsigned long size = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f)
        return 0;
    if (fscanf(f, "%lu %lu", &size, &resident) != 2)
        resident = 0;
    fclose(f);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static void ignore(void *context, const struct finding *f)
{
    (void)context;
    (void)f;
}

/* A client reads a tag of a PLC and writes another. */
static void learn_objects(struct baseline *b, struct ot_flow *flow, unsigned i, uint8_t value[8])
{
    char name[32];
    int size = snprintf(name, sizeof name, "Line%u.Value", i);
    struct ot_item item = {
        .area = "tag", .count = 1, .name = {name, (size_t)size}
    };
    struct ot_event e = {.time_ns = (int64_t)(1000000 + i) * 1000000,
                         .flow = flow,
                         .is_from_client = true,
                         .direction = OT_REQUEST,
                         .protocol = "cip",
                         .operation = OP_READ,
                         .code = {1},
                         .items = &item,
                         .item_count = 1,
                         .items_total = 1};
    if (i % 2) {
        e.operation = OP_WRITE;
        e.code[0] = 2;
        item.values = (struct ot_values){VALUES_F64LE, 1, value, 8};
    }
    baseline_event(b, &e);
}

START_TEST(test_memory)
{
    struct finding_sink sink = {.finding = ignore};
    size_t before = resident_bytes();
    if (before == 0)
        return; /* no /proc */
    struct baseline_options options = {
        .mode = MODE_LEARN, .conversations_max = 16384, .sensor = "test"};
    struct baseline *b = baseline_create(&options, &sink);
    struct inventory_options hosts = {.mode = MODE_LEARN, .assets_max = 16384, .sensor = "test"};
    struct inventory *inventory = inventory_create(&hosts, &sink);
    ck_assert(b && inventory);

    uint8_t value[8] = {0};
    struct ot_flow flow = {.is_role_known = true, .server = scene_host("plc")};
    for (unsigned i = 0; i < OBJECTS; i++) {
        flow.id = i % CLIENTS + 1;
        flow.client.ip = (struct address){
            .kind = ADDRESS_IP4, .bytes = {10, 1, (uint8_t)(flow.id >> 8), (uint8_t)flow.id}
        };
        learn_objects(b, &flow, i, value);
    }
    struct baseline_state state;
    baseline_state(b, &state);
    ck_assert_uint_eq(state.evicted, 0);
    ck_assert_uint_ge(state.entries, OBJECTS);

    for (unsigned i = 0; i < HOSTS; i++) {
        struct sighting s = {.kind = SIGHTING_HOST, .time_ns = (int64_t)i + 1, .vlan = VLAN_NONE};
        s.who.ip = (struct address){
            .kind = ADDRESS_IP4, .bytes = {10, 2, (uint8_t)(i >> 8), (uint8_t)i}
        };
        s.who.mac = (struct mac){
            {2, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i}
        };
        inventory_sighting(inventory, &s);
        s.kind = SIGHTING_FACT;
        s.fact = FACT_VENDOR;
        text_format(s.text, sizeof s.text, "Vendor %u", i);
        inventory_sighting(inventory, &s);
    }
    struct inventory_counts counts;
    inventory_counts(inventory, &counts);
    ck_assert_uint_eq(counts.assets, HOSTS);
    ck_assert_uint_eq(counts.assets_evicted, 0);

    size_t megabytes = (resident_bytes() - before) >> 20;
    printf("%d objects (tables of %zu MB) and %d hosts take %zu MB\n", OBJECTS, state.bytes >> 20,
           HOSTS, megabytes);
    ck_assert_uint_lt(megabytes, MEGABYTES_MAX);
    baseline_destroy(b);
    inventory_destroy(inventory);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memory");
    TCase *all = tcase_create("memory");
    tcase_set_timeout(all, 120);
    tcase_add_test(all, test_memory);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
