/* test_flooded.c: what is told beside a flood of datagrams. */
#include "rules/flooded.h"

#include "sensor/base/packet.h"

#include <check.h>
#include <stdio.h>
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
    struct flooded *x = flooded_create(NULL);
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

/* --- made-up addresses --- */

static void count_flood(void *context, const struct finding *f)
{
    ck_assert_int_eq(f->detection, DETECTION_NET_FLOOD);
    ck_assert_uint_eq(f->target.port, 502);
    ++*(unsigned *)context;
}

/* Clients 10.9.0.1, 10.9.0.2... come to TCP port 502 of 10.0.1.1 for the first time. */
static unsigned comes(struct flooded *x, unsigned clients, int64_t pause_ns, uint8_t transport)
{
    unsigned covered = 0;
    char who[20];
    for (unsigned i = 0; i < clients; i++) {
        snprintf(who, sizeof who, "10.9.0.%u", i + 1);
        struct finding f =
            made(DETECTION_COMM_NEW_LINK, who, "10.0.1.1", 502, transport, i * pause_ns);
        covered += flooded_covers(x, &f);
    }
    return covered;
}

static const struct crowd_row {
    const char *shows;
    unsigned clients;
    int64_t pause_ns;
    uint8_t transport;
    unsigned covered, told;
} crowds[] = {
    {"eleven at once",              11,  SECOND / 100, TRANSPORT_TCP, 0,  0},
    {"twelve at once",              12,  SECOND / 100, TRANSPORT_TCP, 1,  1},
    {"a flood that goes on",        100, SECOND / 20,  TRANSPORT_TCP, 89, 1},
    {"a shift that begins",         100, SECOND,       TRANSPORT_TCP, 0,  0},
    {"datagrams are another thing", 100, SECOND / 100, TRANSPORT_UDP, 0,  0},
};

START_TEST(crowd)
{
    const struct crowd_row *r = &crowds[_i];
    unsigned told = 0;
    struct finding_sink sink = {.context = &told, .finding = count_flood};
    struct flooded *x = flooded_create(&sink);
    unsigned covered = comes(x, r->clients, r->pause_ns, r->transport);
    ck_assert_msg(covered == r->covered, "%s: %u covered", r->shows, covered);
    ck_assert_msg(told == r->told, "%s: %u told", r->shows, told);
    flooded_destroy(x);
}
END_TEST

/* What comes after twenty of a crowd, the last one after 0.19 s. */
static const struct row beside[] = {
    {"another one from the internet",  DETECTION_SEG_INTERNET_INGRESS, "10.9.1.1",  "10.0.1.1", 502,
     TRANSPORT_TCP,                                                                                                 SECOND / 4,  true },
    {"at another service",             DETECTION_SEG_INTERNET_INGRESS, "10.9.1.1",  "10.0.1.1", 102,
     TRANSPORT_TCP,                                                                                                 SECOND / 4,  false},
    {"at another device",              DETECTION_COMM_NEW_LINK,        "10.9.1.1",  "10.0.1.2", 502, TRANSPORT_TCP,
     SECOND / 4,                                                                                                                 false},
    {"what one of them writes",        DETECTION_RW_NEW_WRITER,        "10.9.0.15", "10.0.1.1", 502,
     TRANSPORT_TCP,                                                                                                 SECOND / 4,  false},
    {"a new device meanwhile",         DETECTION_ASSET_NEW,            "10.9.1.1",  "10.0.1.1", 0,   TRANSPORT_TCP,
     SECOND / 4,                                                                                                                 true },
    {"one of them as a device, later", DETECTION_ASSET_NEW,            "10.9.0.15", "10.0.1.1", 0,
     TRANSPORT_TCP,                                                                                                 60 * SECOND, true },
    {"one that was told, as a device", DETECTION_ASSET_NEW,            "10.9.0.3",  "10.0.1.1", 0,
     TRANSPORT_TCP,                                                                                                 60 * SECOND, false},
    {"a new device later",             DETECTION_ASSET_NEW,            "10.9.1.1",  "10.0.1.1", 0,   TRANSPORT_TCP,
     60 * SECOND,                                                                                                                false},
    {"a contact later",                DETECTION_COMM_NEW_LINK,        "10.9.1.1",  "10.0.1.1", 502, TRANSPORT_TCP,
     60 * SECOND,                                                                                                                false},
};

START_TEST(beside_a_crowd)
{
    const struct row *r = &beside[_i];
    unsigned told = 0;
    struct finding_sink sink = {.context = &told, .finding = count_flood};
    struct flooded *x = flooded_create(&sink);
    comes(x, 20, SECOND / 100, TRANSPORT_TCP);
    struct finding f = made(r->detection, r->actor, r->target, r->port, r->transport, r->after_ns);
    ck_assert_msg(flooded_covers(x, &f) == r->is_covered, "%s", r->shows);
    flooded_destroy(x);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("flooded");
    TCase *tc = tcase_create("flooded");
    tcase_add_loop_test(tc, covers, 0, (int)(sizeof rows / sizeof *rows));
    tcase_add_loop_test(tc, crowd, 0, (int)(sizeof crowds / sizeof *crowds));
    tcase_add_loop_test(tc, beside_a_crowd, 0, (int)(sizeof beside / sizeof *beside));
    suite_add_tcase(s, tc);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
