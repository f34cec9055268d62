/* test_flooded.c: what is told beside a flood of datagrams. */
#include "rules/flooded.h"

#include "sensor/base/packet.h"

#include <check.h>
#include <stdlib.h>

#define SECOND INT64_C(1000000000)

static struct finding made(enum detection detection, const char *actor, const char *target,
                           uint16_t port, uint8_t transport, int64_t after_ns)
{
    struct finding f = {.detection = detection,
                        .time_ns = 1700000000 * SECOND + after_ns,
                        .has_target = true,
                        .transport = transport,
                        .count = 1};
    ck_assert(address_parse(&f.actor.ip, actor) && address_parse(&f.target.ip, target));
    f.target.port = port;
    return f;
}

/* What comes after 10.0.0.9 has flooded UDP port 47808 of 10.0.1.1. */
static const struct row {
    const char *shows;
    enum detection detection;
    const char *actor, *target;
    uint16_t port;
    uint8_t transport;
    int64_t after_ns;
    bool is_covered;
} rows[] = {
    {"datagrams that do not belong there", DETECTION_COMM_PROTOCOL_ON_ODD_PORT, "10.0.0.9",
     "10.0.1.1",                                                                                        47808, TRANSPORT_UDP, 0,      true },
    {"answers to a port with a name",      DETECTION_COMM_PROTOCOL_ON_ODD_PORT, "10.0.1.1", "10.0.0.9",
     4840,                                                                                                     TRANSPORT_UDP, SECOND, true },
    {"answers that look like a contact",   DETECTION_COMM_NEW_LINK,             "10.0.1.1", "10.0.0.9", 4712,
     TRANSPORT_UDP,                                                                                                           SECOND, true },
    {"another source of the same flood",   DETECTION_COMM_PROTOCOL_ON_ODD_PORT, "10.0.0.8",
     "10.0.1.1",                                                                                        47808, TRANSPORT_UDP, SECOND, true },
    {"another source on another port",     DETECTION_COMM_PROTOCOL_ON_ODD_PORT, "10.0.0.8", "10.0.1.1",
     102,                                                                                                      TRANSPORT_UDP, SECOND, false},
    {"first contact of another one",       DETECTION_COMM_NEW_LINK,             "10.0.0.8", "10.0.1.1", 47808,
     TRANSPORT_UDP,                                                                                                           SECOND, false},
    {"connections are another thing",      DETECTION_COMM_NEW_LINK,             "10.0.0.9", "10.0.1.1", 502,
     TRANSPORT_TCP,                                                                                                           SECOND, false},
    {"what it writes meanwhile",           DETECTION_RW_NEW_WRITER,             "10.0.0.9", "10.0.1.1", 47808,
     TRANSPORT_UDP,                                                                                                           SECOND, false},
    {"a minute later",                     DETECTION_COMM_NEW_LINK,             "10.0.0.9", "10.0.1.1", 47808, TRANSPORT_UDP,
     61 * SECOND,                                                                                                                     false},
    {"before it was told",                 DETECTION_COMM_NEW_LINK,             "10.0.0.9", "10.0.1.1", 47808, TRANSPORT_UDP,
     -SECOND,                                                                                                                         false},
};

START_TEST(covers)
{
    const struct row *r = &rows[_i];
    struct flooded *x = flooded_create();
    ck_assert_ptr_nonnull(x);
    struct finding flood =
        made(DETECTION_NET_FLOOD, "10.0.0.9", "10.0.1.1", 47808, TRANSPORT_UDP, 0);
    struct finding f = made(r->detection, r->actor, r->target, r->port, r->transport, r->after_ns);
    ck_assert_msg(!flooded_covers(x, &f), "%s: covered by nothing", r->shows);
    ck_assert(!flooded_covers(x, &flood));
    ck_assert_msg(flooded_covers(x, &f) == r->is_covered, "%s", r->shows);
    flooded_destroy(x);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("flooded");
    TCase *tc = tcase_create("flooded");
    tcase_add_loop_test(tc, covers, 0, (int)(sizeof rows / sizeof *rows));
    suite_add_tcase(s, tc);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
