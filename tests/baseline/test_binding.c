/* test_binding.c: the table of IP-MAC pairs by itself: bounds, routers, the order of decisions.
 * (What it makes of whole sequences is in test_inventory.c.) */
#include "baseline/binding.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const int64_t START = 1700000000ll * 1000000000ll;
static const int64_t SECOND = 1000000000;

struct collected {
    struct finding last;
    size_t count, moved;
};

static void collect(void *context, const struct finding *f)
{
    struct collected *c = context;
    c->last = *f;
    c->count++;
}

static void on_moved(void *context, uint32_t segment, const struct address *ip,
                     const struct mac *mac)
{
    (void)segment;
    (void)ip;
    (void)mac;
    ((struct collected *)context)->moved++;
}

static struct endpoint pair(unsigned ip, unsigned mac)
{
    return (struct endpoint){
        .ip = {.kind = ADDRESS_IP4, .bytes = {10, 0, (uint8_t)(ip >> 8), (uint8_t)ip}},
        .mac = {{2, 0, 0, 0, (uint8_t)(mac >> 8), (uint8_t)mac}                  }
    };
}

static enum binding_verdict see(struct bindings *b, int64_t time_ns, unsigned ip, unsigned mac,
                                bool is_arp, bool is_silent)
{
    struct endpoint who = pair(ip, mac);
    struct sighting s = {.kind = SIGHTING_ARP, .time_ns = time_ns, .who = who};
    return bindings_see(b, 0, &s, &who, is_arp, is_silent);
}

static struct bindings *create(size_t capacity, struct collected *c, struct finding_sink *sink)
{
    *c = (struct collected){.count = 0};
    *sink = (struct finding_sink){.context = c, .finding = collect};
    return bindings_create(capacity, sink);
}

START_TEST(keeps_within_its_capacity)
{
    struct collected c;
    struct finding_sink sink;
    struct bindings *b = create(64, &c, &sink);
    for (unsigned i = 0; i < 1000; i++)
        ck_assert_int_eq(see(b, START + i, i, i, true, false), BINDING_OWN);
    ck_assert_uint_eq(bindings_evicted(b), 1000 - 64);
    struct endpoint newest = pair(999, 999);
    ck_assert_ptr_nonnull(bindings_find(b, 0, &newest.ip));
    bindings_destroy(b);
}
END_TEST

/* Any number of MACs for one address: four are kept, learned ones before others. */
START_TEST(keeps_learned_pairs)
{
    struct collected c;
    struct finding_sink sink;
    struct bindings *b = create(64, &c, &sink);
    see(b, START, 1, 100, true, true);
    see(b, START, 1, 101, true, true);
    for (unsigned i = 0; i < 50; i++) {
        ck_assert_int_ne(see(b, START + i * SECOND, 1, 200 + i, true, false), BINDING_OWN);
        bindings_tick(b, START + i * SECOND, false, on_moved, &c);
        ck_assert_int_eq(see(b, START + i * SECOND, 1, 100, true, false), BINDING_OWN);
        bindings_tick(b, START + i * SECOND, false, on_moved, &c);
    }
    ck_assert_int_eq(see(b, START + 60 * SECOND, 1, 101, true, false), BINDING_OWN);
    ck_assert_uint_eq(c.moved, 0);
    ck_assert_uint_ge(c.count, 1);
    bindings_destroy(b);
}
END_TEST

START_TEST(undecided_until_five_seconds)
{
    struct collected c;
    struct finding_sink sink;
    struct bindings *b = create(64, &c, &sink);
    see(b, START, 1, 100, true, true);
    ck_assert_int_eq(see(b, START + SECOND, 1, 200, true, false), BINDING_CONTESTED);
    bindings_tick(b, START + 5 * SECOND, false, on_moved, &c);
    ck_assert_uint_eq(c.count, 0);
    bindings_tick(b, START + 6 * SECOND, false, on_moved, &c);
    ck_assert_uint_eq(c.count, 1);
    ck_assert_uint_eq(c.moved, 1);
    ck_assert_int_eq(c.last.detection, DETECTION_ASSET_IP_MAC_CHANGED);
    ck_assert_int_eq(see(b, START + 7 * SECOND, 1, 200, true, false), BINDING_OWN);
    bindings_destroy(b);
}
END_TEST

/* Who had the address before comes back while the new one uses it: both are there. */
START_TEST(moved_and_back_is_a_duplicate)
{
    struct collected c;
    struct finding_sink sink;
    struct bindings *b = create(64, &c, &sink);
    see(b, START, 1, 100, true, true);
    see(b, START + SECOND, 1, 200, true, false);
    bindings_tick(b, START + 6 * SECOND, false, on_moved, &c);
    see(b, START + 30 * SECOND, 1, 100, true, false);
    ck_assert_uint_eq(c.count, 2);
    ck_assert_int_eq(c.last.detection, DETECTION_ASSET_DUPLICATE_IP);
    bindings_destroy(b);
}
END_TEST

/* One that poses as two: the first is the target, both are told. */
START_TEST(a_spoof_tells_of_every_victim)
{
    struct collected c;
    struct finding_sink sink;
    struct bindings *b = create(64, &c, &sink);
    see(b, START, 1, 100, true, true);
    see(b, START, 2, 101, true, true);
    see(b, START + SECOND, 1, 200, true, false);
    see(b, START + SECOND, 2, 200, true, false);
    bindings_tick(b, START + 7 * SECOND, false, on_moved, &c);
    ck_assert_uint_eq(c.count, 2);
    ck_assert_int_eq(c.last.detection, DETECTION_NET_ARP_SPOOF);
    ck_assert_uint_eq(c.last.target.ip.bytes[3], 1);
    ck_assert_str_eq(c.last.object, "10.0.0.1; 10.0.0.2");
    ck_assert_ptr_nonnull(strstr(c.last.seen, "10.0.0.1 claimed by 02:00:00:00:00:c8"));
    ck_assert_ptr_nonnull(strstr(c.last.seen, "; 10.0.0.2 claimed by 02:00:00:00:00:c8"));
    ck_assert_ptr_nonnull(strstr(c.last.expected, "; 10.0.0.2 at 02:00:00:00:00:65"));
    bindings_destroy(b);
}
END_TEST

START_TEST(end_of_run_decides)
{
    struct collected c;
    struct finding_sink sink;
    struct bindings *b = create(64, &c, &sink);
    see(b, START, 1, 100, true, true);
    see(b, START + SECOND, 1, 200, true, false);
    bindings_tick(b, START + SECOND, true, on_moved, &c);
    ck_assert_uint_eq(c.count, 1);
    bindings_destroy(b);
}
END_TEST

START_TEST(forgets_what_was_routed)
{
    struct collected c;
    struct finding_sink sink;
    struct bindings *b = create(64, &c, &sink);
    see(b, START, 1, 100, true, false);
    see(b, START, 2, 100, false, false);
    struct endpoint own = pair(1, 100), routed = pair(2, 100);
    bindings_forget_routed(b, 0, &own.mac);
    ck_assert_uint_eq(bindings_find(b, 0, &own.ip)->count, 1);
    ck_assert_uint_eq(bindings_find(b, 0, &routed.ip)->count, 0);
    ck_assert_int_eq(see(b, START, 2, 101, false, false), BINDING_OWN);
    bindings_destroy(b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("binding");
    TCase *tc = tcase_create("binding");
    tcase_add_test(tc, keeps_within_its_capacity);
    tcase_add_test(tc, keeps_learned_pairs);
    tcase_add_test(tc, undecided_until_five_seconds);
    tcase_add_test(tc, moved_and_back_is_a_duplicate);
    tcase_add_test(tc, a_spoof_tells_of_every_victim);
    tcase_add_test(tc, end_of_run_decides);
    tcase_add_test(tc, forgets_what_was_routed);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
