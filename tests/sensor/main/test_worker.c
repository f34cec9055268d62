/* test_worker.c: what a worker counts before anybody judges: echo requests to one host, sessions
 * with controllers that are closed; what it has judged and learned. */
#include "baseline/infrastructure.h"
#include "sensor/main/worker.h"

#include "support/runner.h"

#include <string.h>

#define SECOND INT64_C(1000000000)

static struct config config;
static struct site *site;
static struct worker *worker;
static unsigned echo_sightings, echoes, operations;
static struct endpoint echo_target;
static struct sighting claim; /* the last one of a role */
static unsigned claims;

static void take_finding(void *context, const struct finding *f)
{
    (void)context;
    (void)f;
}

static void take_sighting(void *context, const struct sighting *s)
{
    (void)context;
    if (s->kind == SIGHTING_INFRASTRUCTURE) {
        claim = *s;
        claims++;
    }
    if (s->kind != SIGHTING_ECHO)
        return;
    echo_sightings++;
    echoes += (unsigned)s->packets;
    echo_target = s->other;
}

static void take_evidence(void *context, const struct evidence_packet *e)
{
    (void)context;
    (void)e;
}

static void take_row(void *context, const struct baseline_row *row)
{
    (void)context;
    operations += row->kind == BASELINE_OPERATION;
}

static void take_hit(void *context, const struct sigma_hit *hit)
{
    (void)context;
    (void)hit;
}

static void setup(void)
{
    struct error err;
    echo_sightings = echoes = operations = claims = 0;
    config_defaults(&config);
    site = site_create(&config, &err);
    ck_assert_ptr_nonnull(site);
    struct worker_options options = {
        .config = &config,
        .site = site,
        .count = 1,
        .core = {NULL, take_finding, take_sighting, take_evidence},
        .row = take_row,
        .hit = take_hit,
    };
    worker = worker_create(&options, &err);
    ck_assert_msg(worker != NULL, "%s", err.text);
}

static void teardown(void)
{
    worker_destroy(worker);
    site_release(site);
    config_release(&config);
}

static struct packet packet_of(uint64_t number, uint8_t to, const uint8_t *payload, uint32_t size)
{
    return (struct packet){
        .time_ns = 1700000000 * SECOND + (int64_t)number * SECOND / 1000,
        .number = number,
        .link_type = 1,
        .bytes = payload,
        .captured_size = size,
        .wire_size = size,
        .source_mac = {{2, 0, 0, 0, 0, 1}},
        .destination_mac = {           {2, 0, 0, 0, 0, to}                 },
        .has_mac = true,
        .ethertype = 0x0800,
        .source = { ADDRESS_IP4,                  {10, 0, 0, 1}},
        .destination = {                  ADDRESS_IP4,                  {10, 0, 0, to}},
        .payload = payload,
        .payload_size = size,
        .payload_wire_size = size,
    };
}

static const struct echo_row {
    const char *shows;
    uint8_t type;
    unsigned count, targets; /* in turn */
    unsigned sightings;
} echo_rows[] = {
    {"a hundred to one host are told together", 8, 100,  1,   1 },
    {"ninety-nine are not",                     8, 99,   1,   0 },
    {"a thousand are told ten times",           8, 1000, 1,   10},
    {"answers are no requests",                 0, 1000, 1,   0 },
    {"a sweep over two hundred hosts",          8, 1000, 200, 0 },
};

START_TEST(echo_requests)
{
    const struct echo_row *r = &echo_rows[_i];
    uint8_t echo[64] = {r->type};
    for (unsigned i = 0; i < r->count; i++) {
        struct packet p = packet_of(i + 1, (uint8_t)(2 + i % r->targets), echo, sizeof echo);
        p.transport = TRANSPORT_ICMP;
        p.ip_protocol = 1;
        worker_packet(worker, &p);
    }
    ck_assert_msg(echo_sightings == r->sightings, "%s: %u", r->shows, echo_sightings);
    ck_assert_msg(echoes == 100 * r->sightings, "%s: %u", r->shows, echoes);
    if (echoes)
        ck_assert_uint_eq(echo_target.ip.bytes[3], 2);
}
END_TEST

static const struct way_row {
    const char *shows;
    enum transport transport;
    uint8_t ip_protocol;
    uint16_t port;
    uint8_t group[4]; /* destination */
    uint8_t payload[8];
    uint32_t size;
    unsigned claims, role;
    const char *claimed;
} way_rows[] = {
    {"another gateway",
     TRANSPORT_ICMP,                            1,
     0,                                                    {10, 0, 0, 9},
     {5, 1, 0, 0, 10, 0, 0, 66},
     8,                                                                                         1,
     ROLE_REDIRECT,                                                                                              "10.0.0.66"},
    {"a redirect that is cut",
     TRANSPORT_ICMP,                            1,
     0,                                                    {10, 0, 0, 9},
     {5, 1, 0, 0, 10, 0, 0},
     7,                                                                                         0,
     0,                                                                                                          ""         },
    {"an echo",                TRANSPORT_ICMP,  1,   0,    {10, 0, 0, 9},    {8},            8, 0, 0,            ""         },
    {"VRRP",                   TRANSPORT_OTHER, 112, 0,    {224, 0, 0, 18},  {0x21, 1, 255}, 8, 1, ROLE_STANDBY, ""         },
    {"another protocol",       TRANSPORT_OTHER, 89,  0,    {224, 0, 0, 5},   {2, 1},         8, 0, 0,            ""         },
    {"HSRP",                   TRANSPORT_UDP,   17,  1985, {224, 0, 0, 2},   {0, 0, 16},     8, 1, ROLE_STANDBY, ""         },
    {"HSRP 2",                 TRANSPORT_UDP,   17,  1985, {224, 0, 0, 102}, {1, 40, 2},     8, 1, ROLE_STANDBY, ""         },
    {"its port, to one host",  TRANSPORT_UDP,   17,  1985, {10, 0, 0, 9},    {0, 0, 16},     8, 0, 0,            ""         },
    {"another port",           TRANSPORT_UDP,   17,  1986, {224, 0, 0, 2},   {0, 0, 16},     8, 0, 0,            ""         },
};

START_TEST(who_moves_the_way_of_packets)
{
    const struct way_row *r = &way_rows[_i];
    struct packet p = packet_of(1, 9, r->payload, r->size);
    p.transport = (uint8_t)r->transport;
    p.ip_protocol = r->ip_protocol;
    p.destination_port = r->port;
    memcpy(p.destination.bytes, r->group, sizeof r->group);
    worker_packet(worker, &p);
    ck_assert_msg(claims == r->claims, "%s: %u", r->shows, claims);
    if (claims) {
        ck_assert_uint_eq(claim.detail, r->role);
        ck_assert_str_eq(claim.text, r->claimed);
        ck_assert_uint_eq(claim.who.ip.bytes[3], 1);
    }
}
END_TEST

/* RFC 4861 4.5: a better way by another router; the same shape when the host is on this link. */
START_TEST(redirects_of_ipv6)
{
    uint8_t redirect[40] = {137};
    struct packet p = packet_of(1, 9, redirect, sizeof redirect);
    p.transport = TRANSPORT_ICMP;
    p.ip_protocol = 58;
    p.source = (struct address){
        ADDRESS_IP6, {0xfe, 0x80, [15] = 1}
    };
    p.destination = p.source;
    worker_packet(worker, &p);
    ck_assert_uint_eq(claims, 0);
    redirect[8] = 0xfe;
    redirect[9] = 0x80;
    redirect[23] = 0x66;
    worker_packet(worker, &p);
    ck_assert_uint_eq(claims, 1);
    ck_assert_str_eq(claim.text, "fe80::66");
}
END_TEST

static const struct closed_row {
    const char *shows;
    uint16_t port;
    bool is_plant;
} closed_rows[] = {
    {"TLS where Modbus has its secure port", 802,  true },
    {"TLS on the port of a plant protocol",  502,  true },
    {"OPC UA over TLS",                      4843, true },
    {"web pages",                            443,  false},
    {"mail",                                 465,  false},
};

/* RFC 8446 4.1.2, without extensions. */
static const uint8_t client_hello[] = {
    0x16, 0x03, 0x01, 0x00, 0x2f, 0x01, 0x00, 0x00, 0x2b, 0x03, 0x03, 1,    2,
    3,    4,    5,    6,    7,    8,    9,    10,   11,   12,   13,   14,   15,
    16,   17,   18,   19,   20,   21,   22,   23,   24,   25,   26,   27,   28,
    29,   30,   31,   32,   0x00, 0x00, 0x04, 0xc0, 0x2f, 0x00, 0x9c, 0x01, 0x00};

START_TEST(closed_sessions)
{
    const struct closed_row *r = &closed_rows[_i];
    for (uint64_t i = 0; i < 3; i++) {
        struct packet p =
            packet_of(i + 1, 9, client_hello, i < 2 ? 0 : (uint32_t)sizeof client_hello);
        p.transport = TRANSPORT_TCP;
        p.ip_protocol = 6;
        p.source_port = 50000;
        p.destination_port = r->port;
        p.tcp_flags = i == 0 ? 0x02 : 0x10;
        p.tcp_sequence = i == 0 ? 100 : 101;
        p.tcp_window = 1000;
        worker_packet(worker, &p);
    }
    const struct counters *c = worker_counters(worker);
    ck_assert_msg(c->ot_flows == (r->is_plant ? 1 : 0), "%s: %llu", r->shows,
                  (unsigned long long)c->ot_flows);
    ck_assert_msg(c->ot_flows_encrypted == (r->is_plant ? 1 : 0), "%s: closed %llu", r->shows,
                  (unsigned long long)c->ot_flows_encrypted);
}
END_TEST

static const struct carrier_row {
    const char *shows;
    uint32_t flags;
    unsigned operations;
} carrier_rows[] = {
    {"an event is learned",             0,          1},
    {"what only carries others is not", OT_CARRIER, 0},
};

START_TEST(carriers)
{
    const struct carrier_row *r = &carrier_rows[_i];
    struct ot_flow flow = {
        .id = 1,
        .transport = TRANSPORT_TCP,
        .client = {{ADDRESS_IP4, {10, 0, 0, 1}}, {{2, 0, 0, 0, 0, 1}}, 50000},
        .server = {{ADDRESS_IP4, {10, 0, 0, 2}}, {{2, 0, 0, 0, 0, 2}}, 44818},
        .is_role_known = true,
    };
    struct ot_event event = {
        .time_ns = 1700000000 * SECOND,
        .flow = &flow,
        .is_from_client = true,
        .direction = OT_REQUEST,
        .protocol = "cip",
        .operation = OP_READ,
        .code = {0x0a},
        .flags = r->flags,
    };
    worker_replay_event(worker, &event);
    worker_save(worker);
    ck_assert_msg(operations == r->operations, "%s: %u", r->shows, operations);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("worker");
    TCase *c = tcase_create("worker");
    tcase_set_timeout(c, 60); /* a slow machine with sanitizers */
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_loop_test(c, echo_requests, 0, sizeof echo_rows / sizeof *echo_rows);
    tcase_add_loop_test(c, who_moves_the_way_of_packets, 0, sizeof way_rows / sizeof *way_rows);
    tcase_add_test(c, redirects_of_ipv6);
    tcase_add_loop_test(c, closed_sessions, 0, sizeof closed_rows / sizeof *closed_rows);
    tcase_add_loop_test(c, carriers, 0, sizeof carrier_rows / sizeof *carrier_rows);
    suite_add_tcase(s, c);
    return run_suite(s);
}
