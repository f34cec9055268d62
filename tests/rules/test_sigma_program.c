/* test_sigma_program.c: rules taken apart by protocol, operation, ends and kind of message answer
 * exactly as rules that are asked whole. */
#include "rules/sigma_internal.h"

#include "sensor/base/text.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RULE_SIZE = 2048, TITLE_SIZE = 32 };

/* What stands below `detection:`. */
static const char *const detections[] = {
    "s: {network.protocol: modbus}\n    condition: s",
    "s: {network.protocol: MODBUS, ot.operation: [read, write]}\n    condition: s",
    "s: {network.protocol: [s7comm, cip], ot.operation: write}\n    condition: s",
    "s: {network.protocol|contains: om}\n    condition: s",
    "s: {network.protocol|re: ^s7}\n    condition: s",
    "s: {network.protocol: modbus}\n    condition: not s",
    "s: {network.protocol|startswith: mod}\n    t: {ot.operation: stop}\n    condition: s or t",
    "s: {network.protocol: modbus}\n    t: {ot.operation: write}\n    condition: s and not t",
    "s: {network.protocol: modbus}\n    t: {ot.operation: write}\n    condition: not (s and t)",
    "s: {ot.operation|neq: write, ot.items.start|gte: 100}\n    condition: s",
    "s: {ot.operation|fieldref: ot.name}\n    condition: s",
    "s: {network.protocol|exists: true, ot.function: 6}\n    condition: s",
    "s: {network.protocol: null}\n    condition: not s",
    "s: {source.ip: 10.0.0.1}\n    condition: s",
    "s: {source.ip|cidr: 10.0.0.0/30, ot.operation: write}\n    condition: s",
    "s: {client.ip|contains: '.0.1'}\n    t: {destination.port: 102}\n    condition: s or t",
    "s: {source.ip: 10.0.0.1}\n    t: {ot.direction: response}\n    condition: s or t",
    "s: {server.port|gt: 500, network.transport: tcp}\n    condition: s",
    "s: {source.port|fieldref: destination.port}\n    condition: s",
    "s: {source.ip: 10.0.0.1, destination.ip: 10.0.0.2}\n    condition: s",
    "s: {source.ip|cidr: 10.0.0.9/32}\n    condition: s",
    "s: {source.ip|cidr: 10.0.0.8/31, ot.operation: read}\n    condition: s",
    "s: {client.ip: 10.0.0.3}\n    t: {server.ip: 10.0.0.4}\n    condition: s or t",
    "s: {client.ip: [10.0.0.3, 10.0.0.1]}\n    t: {server.port: 102}\n    condition: s and t",
    "s: {server.ip: 10.0.0.2}\n    condition: not s",
    "s: {server.ip|neq: 10.0.0.2}\n    condition: s",
    "s: {client.mac: '02:00:00:00:00:01'}\n    f: {ot.name: stop}\n    condition: s and not f",
    "s: {ot.name|contains: single}\n    condition: s",
    "s: {ot.name|re: '^write_(single|all)'}\n    condition: s",
    "s: {ot.name|startswith: write, ot.direction: request}\n    condition: s",
    "s: {ot.name: null}\n    condition: s",
    "s: {ot.code: '6'}\n    condition: s",
    "s: {ot.code|endswith: '/2'}\n    condition: s",
    "s: {ot.function|gt: 5}\n    condition: s",
    "s: {ot.items.start: 100}\n    condition: s",
    "s: {ot.items.start|gte: 100, ot.items.start|lt: 200}\n    condition: s",
    "s: {ot.items.start|gt: 100, ot.items.number|lte: 5}\n    condition: s",
    "s: {ot.items.start: [7, 300]}\n    condition: s",
    "s: {ot.items.start: ['1*', 7]}\n    condition: s",
    "s: {ot.items.start: ['', 300]}\n    condition: s",
    "s: {ot.items.start|neq: 100}\n    condition: s",
    "s: {ot.items.start|exists: false}\n    condition: s",
    "s: {ot.items.start: null}\n    condition: s",
    "s: {ot.items.start|lte: 7}\n    t: {ot.items.start|gte: 300}\n    condition: s and t",
    "s: {ot.items.start|gte: 300}\n    condition: not s",
    "s: {ot.items.number|gt: 4, ot.name: write}\n    condition: s",
    "s: {ot.status: ok}\n    condition: s",
    "s: {ot.status|exists: true}\n    condition: s",
    "s: {ot.unit: 1, ot.operation: write}\n    condition: s",
    "s: {ot.unit: 2}\n    condition: s",
    "s: {ot.unit|endswith: letters}\n    condition: s",
    "s: {ot.unit: ''}\n    condition: s",
    "s: {ot.unit: [2, '', a unit of many letters]}\n    condition: s",
    "s: {ot.unit|neq: 1, ot.operation: write}\n    condition: s",
    "s: {ot.unit: 1}\n    t: {ot.name|contains: single}\n    condition: s or t",
    "s: {ot.unit: 2}\n    t: {ot.operation: write}\n    condition: t and not s",
    "s: {ot.unit|fieldref: ot.code}\n    condition: s",
    "s: {ot.unit|exists: false, ot.function: 77}\n    condition: s",
    "s: {ot.unit: 1, ot.code: '3'}\n    condition: s",
    "s: {ot.status|contains: busy}\n    condition: s",
    "s: {ot.name|endswith: register, ot.function: 6}\n    condition: s",
    "s: {ot.status_code: 2}\n    condition: s",
    "s: {ot.status|neq: ok, ot.operation: write}\n    condition: s",
    "s: {ot.items.values|gt: 200}\n    condition: s",
    "s: {ot.items.values|gt: 200, ot.items.values|lt: 5}\n    condition: s",
    "s: {ot.items.values|gte: 10, ot.items.values|lte: 10}\n    condition: s",
    "s: {ot.items.values: [1, 99]}\n    condition: s",
    "s: {ot.items.values: '25*'}\n    condition: s",
    "s: {ot.items.values|all: [10, 300]}\n    condition: s",
    "s: {ot.items.values: true}\n    condition: s",
    "s: {ot.items.values: null, ot.operation: write}\n    condition: s",
    "s: {ot.items.values|exists: false}\n    condition: s",
    "s: {ot.items.name|endswith: Limit}\n    condition: s",
    "s: {ot.items.name|endswith: t, ot.operation: write}\n    condition: s",
    "s: {ot.items.name|endswith: IT, ot.operation: write}\n    condition: s",
    "s: {ot.items.name|endswith: it}\n    condition: not s",
    "s: {ot.items.name: v}\n    condition: s",
    "s: {ot.items.name|contains: '', ot.items.values|lt: 4}\n    condition: s",
    "s: {ot.detail: 'to *'}\n    condition: s",
    "s: {ot.detail: ['', 'to stop'], ot.operation: [write, stop]}\n    condition: s",
    "s: {ot.detail|exists: false}\n    condition: s",
    "s: {ot.detail|neq: x, ot.operation: stop}\n    condition: s",
    "s: {ot.flags: broadcast}\n    condition: s",
    "s: {ot.facts.vendor|contains: Works}\n    condition: s",
    "s: {ot.facts.vendor: null, ot.operation: read}\n    condition: s",
    "s: {ot.transfer.step: block}\n    condition: s",
    "keywords: [single]\n    condition: keywords",
    "keywords: [modbus]\n    t: {ot.operation: write}\n    condition: keywords and t",
    "s: [{network.protocol: s7comm, ot.name: stop}, {ot.function: 6}]\n    condition: s",
};
enum { RULES = sizeof detections / sizeof *detections };

static void spell_pair(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    snprintf(out, OT_CODE_SIZE, "%u/%u", code[0], code[1]);
}

static const uint8_t registers[] = {0, 10, 1, 44, 0, 3}, truncated[] = {0, 99, 0};
static const uint8_t reals[] = {0x41, 0x20, 0, 0, 0x7f, 0xc0, 0, 0}, words[] = "250";

static const struct ot_item items[] = {
    {.has_start = true,                                         .start = 100},
    {.has_start = true,                                                         .start = 7},
    {.has_start = true,.start = 300, .has_number = true, .number = 5},
    {.has_start = true,                                         .start = 1000, .has_number = true, .number = 9},
    {.has_number = true,                                       .number = 5},
    {.name = {"Pump.Limit", 10},                                                         .values = {VALUES_U16BE, 3, registers, sizeof registers}},
    {.values = {VALUES_U16BE, 2, truncated, sizeof truncated}   },
    {.values = {VALUES_F32BE, 2, reals, sizeof reals}                                             },
    {.values = {VALUES_TEXT, 1, words, 3}                                       },
    {.values = {VALUES_BITS, 3, &registers[1], 1}                                                        },
    {.name = {"V", 1}},
};

#define OK                                                                                         \
    {                                                                                              \
        .result = OT_RESULT_OK                                                                     \
    }
#define BUSY                                                                                       \
    {                                                                                              \
        .result = OT_RESULT_ERROR, .code = 2, .name = "busy"                                       \
    }
#define BAD                                                                                        \
    {                                                                                              \
        .result = OT_RESULT_ERROR, .code = 2, .name = "illegal_data_address"                       \
    }

static const struct event_row {
    const char *protocol;
    enum operation operation;
    enum ot_direction direction;
    uint32_t function, code_part;
    const char *name;
    size_t first_item, item_count;
    const char *unit;
    struct ot_status status;
    int flow;
} events[] = {
    {"modbus", OP_WRITE,   OT_REQUEST,  6,  0, "write_single_register",           0,  1, "1",                      {0},  0},
    {"modbus", OP_WRITE,   OT_RESPONSE, 6,  0, "write_single_register",           0,  1, "1",                      OK,   0},
    {"modbus", OP_WRITE,   OT_RESPONSE, 6,  0, "write_single_register",           0,  0, "1",                      BAD,  0},
    {"modbus", OP_WRITE,   OT_REQUEST,  6,  0, "write_single_register",           1,  2, "2",                      {0},  1},
    {"modbus", OP_READ,    OT_REQUEST,  3,  0, "read_holding_registers",          2,  1, "1",                      {0},  0},
    {"modbus", OP_READ,    OT_REQUEST,  3,  0, "read_holding_registers",          1,  3, "1",                      {0},  2},
    {"modbus", OP_READ,    OT_RESPONSE, 3,  0, "read_holding_registers",          0,  0, "1",                      OK,   2},
    {"s7comm", OP_WRITE,   OT_REQUEST,  5,  0, "write",                           2,  3, "",                       {0},  3},
    {"s7comm", OP_STOP,    OT_REQUEST,  41, 0, "stop",                            0,  0, "",                       {0},  3},
    {"s7comm", OP_STOP,    OT_RESPONSE, 41, 0, "stop",                            0,  0, "",                       OK,   3},
    {"s7comm", OP_READ,    OT_REQUEST,  4,  0, "read",                            3,  2, "",                       {0},  3},
    {"cip",    OP_WRITE,   OT_REQUEST,  77, 2, NULL,                              4,  1, "",                       {0},  4},
    {"cip",    OP_WRITE,   OT_REQUEST,  77, 3, "write_tag",                       0,  0, "",                       {0},  4},
    {"cip",    OP_READ,    OT_RESPONSE, 76, 2,
     "a name that is longer than what the memory of kinds has place for, by far", 0,  0, "",                       BAD,  4},
    {"dnp3",   OP_READ,    OT_ONEWAY,   1,  0, "read",                            0,  2, "9",                      {0},  5},
    {"modbus",
     OP_WRITE,             OT_REQUEST,
     16,                                    0,
     "write_multiple_registers",                                                  5,
     1,                                                                                  "a unit of many letters",
     {0},
     0                                                                                                                    },
    {"modbus", OP_WRITE,   OT_REQUEST,  16, 0, "write_multiple_registers",        5,  2, "1",                      {0},  0},
    {"modbus", OP_WRITE,   OT_REQUEST,  16, 0, "write_multiple_registers",        6,  1, "1",                      {0},  0},
    {"modbus", OP_WRITE,   OT_REQUEST,  16, 0, "write_multiple_registers",        7,  1, "1",                      {0},  0},
    {"modbus", OP_WRITE,   OT_REQUEST,  16, 0, "write_multiple_registers",        8,  1, "2",                      {0},  0},
    {"modbus", OP_WRITE,   OT_REQUEST,  16, 0, "write_multiple_registers",        9,  1, "1",                      {0},  0},
    {"modbus", OP_READ,    OT_REQUEST,  3,  0, "read_holding_registers",          2,  1, "1",                      {0},  6},
    {"cip",    OP_READ,    OT_REQUEST,  76, 2, "read_tag",                        10, 1, "",                       {0},  4},
    {"modbus", OP_WRITE,   OT_RESPONSE, 6,  0, "write_single_register",           0,  0, "1",                      BUSY, 0},
    {"modbus", OP_WRITE,   OT_REQUEST,  6,  0, "preset_single",                   0,  1, "1",                      {0},  0},
    {"modbus", OP_READ,    OT_REQUEST,  6,  0, "write_single_register",           0,  1, "6",                      {0},  0},
    {"modbus", OP_READ,    OT_REQUEST,  6,  0, "write_single_register",           0,  1, "2",                      {0},  0},
    {"dnp3",   OP_UNKNOWN, OT_ONEWAY,   1,  0, NULL,                              0,  0, "9",                      {0},  5},
};
enum { EVENTS_COUNT = sizeof events / sizeof *events };

static const struct flow_row {
    uint64_t id;
    enum transport transport;
    uint8_t client;
    uint16_t client_port;
    uint8_t server;
    uint16_t server_port;
} flow_rows[] = {
    {1, TRANSPORT_TCP, 1, 50000, 2, 502  },
    {2, TRANSPORT_TCP, 3, 50000, 2, 502  },
    {1, TRANSPORT_TCP, 2, 502,   1, 50000}, /* the first, whose ends turn out to be the other way */
    {4, TRANSPORT_TCP, 1, 50001, 4, 102  },
    {5, TRANSPORT_UDP, 9, 2222,  8, 2222 },
    {6, TRANSPORT_UDP, 1, 20000, 6, 20000},
    {1, TRANSPORT_UDP, 1, 50000, 2, 502  }, /* the first again, over UDP */
};

static struct endpoint end_of(uint8_t last, uint16_t port)
{
    return (struct endpoint){
        .ip = {ADDRESS_IP4, {10, 0, 0, last}},
          .mac = {{2, 0, 0, 0, 0, last}          },
          .port = port
    };
}

static void flow_of(struct ot_flow *flow, const struct flow_row *row)
{
    *flow = (struct ot_flow){.id = row->id,
                             .transport = (uint8_t)row->transport,
                             .client = end_of(row->client, row->client_port),
                             .server = end_of(row->server, row->server_port)};
}

static const struct ot_fact vendor = {
    .kind = FACT_VENDOR, .value = {"Pump Works", 10}
};

/* What few events have. */
static void add_extras(struct ot_event *e)
{
    if (e->operation == OP_STOP) {
        e->detail = TEXT("to stop");
        e->transfer.step = TRANSFER_BLOCK;
    }
    if (e->operation == OP_READ) {
        e->flags = OT_BROADCAST;
        e->facts = &vendor;
        e->fact_count = e->direction == OT_RESPONSE;
    }
}

static struct ot_event event_of(const struct event_row *row, bool is_from_client,
                                struct ot_flow *flow)
{
    static struct packet packet;
    flow_of(flow, &flow_rows[row->flow]);
    struct ot_event e = {
        .time_ns = 1,
        .flow = flow,
        .packet = &packet,
        .is_from_client = is_from_client,
        .direction = row->direction,
        .protocol = row->protocol,
        .operation = row->operation,
        .code = {row->function, row->code_part},
        .spell = row->code_part ? spell_pair : NULL,
        .function = row->function,
        .name = row->name,
        .unit = text_of(row->unit),
        .items = &items[row->first_item],
        .item_count = (uint32_t)row->item_count,
        .status = row->status,
    };
    add_extras(&e);
    return e;
}

/* As a history reads it: texts stand in buffers that the next event uses again. */
static void replay(struct ot_event *e)
{
    static char protocol[16], name[96], status[32], code[OT_CODE_SIZE];
    text_copy(protocol, sizeof protocol, text_of(e->protocol));
    e->code_text = ot_event_code(e, code);
    e->protocol = protocol;
    if (e->name)
        e->name = text_copy(name, sizeof name, text_of(e->name));
    if (e->status.name)
        e->status.name = text_copy(status, sizeof status, text_of(e->status.name));
    e->is_replayed = true;
}

/* A correlation that counts it lets every match of the rule be seen. */
static void add_rule(struct sigma_rules *rules, size_t i)
{
    char text[RULE_SIZE];
    struct error err;
    int size = snprintf(text, sizeof text,
                        "title: rule %zu\nid: r%zu\nname: r%zu\n"
                        "logsource: {product: sightglass, service: event}\n"
                        "detection:\n    %s\n"
                        "---\ntitle: count %zu\nid: c%zu\ncorrelation:\n  type: event_count\n"
                        "  rules: [r%zu]\n  timespan: 1m\n  condition: {gte: 1000000}\n",
                        i, i, i, detections[i], i, i, i);
    ck_assert_int_lt(size, (int)sizeof text);
    ck_assert_msg(sigma_rules_parse(rules, text, (size_t)size, "rules.yml", &err), "%s: %s",
                  detections[i], err.text);
}

struct seen {
    const struct sigma_rules *rules;
    unsigned hits[RULES * 2];
};

static void take_hit(void *context, const struct sigma_hit *hit)
{
    struct seen *seen = context;
    seen->hits[hit->correlation]++;
}

/* With few programs each has another number, and so another place for what it remembers. */
static struct sigma_rules *make_rule(size_t i)
{
    struct sigma_rules *rules = sigma_rules_create();
    struct error err;
    ck_assert_ptr_nonnull(rules);
    add_rule(rules, i);
    ck_assert_msg(sigma_rules_seal(rules, &err), "%s", err.text);
    return rules;
}

static struct sigma_rules *make_rules(size_t copies)
{
    struct sigma_rules *rules = sigma_rules_create();
    struct error err;
    ck_assert_ptr_nonnull(rules);
    for (size_t i = 0; i < RULES; i++)
        add_rule(rules, i);
    for (size_t i = 0; i < copies; i++) { /* rules that are never true, for a long program */
        char text[RULE_SIZE];
        int size = snprintf(text, sizeof text,
                            "title: copy %zu\nid: x%zu\nlogsource: {product: sightglass, service: "
                            "event}\ndetection: {s: {ot.detail: never}, condition: s}\n",
                            i, i);
        ck_assert(sigma_rules_parse(rules, text, (size_t)size, "copies.yml", &err));
    }
    ck_assert_msg(sigma_rules_seal(rules, &err), "%s", err.text);
    return rules;
}

static bool asked_whole(struct sigma *s, const struct sigma_rule *rule, const struct ot_event *e)
{
    struct sigma_record r = {.kind = SIGMA_EVENT,
                             .event = e,
                             .flow = e->flow,
                             .packet = e->packet,
                             .protocol = e->protocol,
                             .time_ns = e->time_ns,
                             .item = NO_ITEM};
    return sigma_rule_matches(s, rule, &r);
}

static void compare(size_t copies, bool is_replayed)
{
    struct sigma_rules *rules = make_rules(copies);
    struct seen seen = {.rules = rules};
    struct sigma_sink sink = {.context = &seen, .hit = take_hit};
    struct sigma *s = sigma_create(rules, &sink), *whole = sigma_create(rules, &sink);
    unsigned matches[RULES] = {0}, asked = 0;
    ck_assert(s && whole);
    for (int round = 0; round < 3; round++) { /* later ones are answered from memory */
        for (size_t k = 0; k < EVENTS_COUNT * 2; k++) {
            const struct event_row *row = &events[(k * 5 + (size_t)round) % EVENTS_COUNT];
            struct ot_flow flow;
            struct ot_event e = event_of(row, k < EVENTS_COUNT, &flow);
            if (is_replayed)
                replay(&e);
            memset(seen.hits, 0, sizeof seen.hits);
            if (k % 2) /* in steps, or at once */
                sigma_event_expected(s, &e, sigma_expect(s, &e, sigma_look(s, &e)));
            else
                sigma_event(s, &e);
            asked++;
            for (size_t i = 0; i < RULES; i++) {
                bool wanted = asked_whole(whole, rules->rules[2 * i], &e);
                matches[i] += wanted;
                ck_assert_msg(seen.hits[2 * i + 1] == (wanted ? 1 : 0), "%s: event %zu of round %d",
                              detections[i], k, round);
            }
        }
    }
    for (size_t i = 0; i < RULES; i++) /* else nothing was shown */
        ck_assert_msg(matches[i] > 0 || strstr(detections[i], "source.port|fieldref"), "%s",
                      detections[i]);
    for (size_t i = 0; i < RULES; i++)
        ck_assert_msg(matches[i] < asked || strstr(detections[i], "null"), "%s", detections[i]);
    sigma_destroy(s);
    sigma_destroy(whole);
    sigma_rules_destroy(rules);
}

START_TEST(taken_apart_answers_as_whole)
{
    compare(0, false);
}
END_TEST

START_TEST(more_rules_than_a_program_has)
{
    compare(2 * PROGRAM_STEPS, false);
}
END_TEST

START_TEST(replayed_as_live)
{
    compare(0, true);
    compare(2 * PROGRAM_STEPS, true);
}
END_TEST

/* Far more kinds of messages, told apart by number or by name, and conversations than are
 * remembered. */
START_TEST(what_was_forgotten_is_asked_again)
{
    enum { KINDS = 40000, WANTED = 777 };
    static const char *const searches[] = {"ot.function: 777", "ot.name: '777'"};
    static char names[KINDS][8], text[RULE_SIZE];
    struct error err;
    struct sigma_rules *rules = sigma_rules_create();
    snprintf(text, sizeof text,
             "title: f\nid: f\nname: f\nlogsource: {product: sightglass, service: event}\n"
             "detection: {s: {%s, client.port|gte: 1}, condition: s}\n"
             "---\ntitle: c\nid: c\ncorrelation:\n  type: event_count\n  rules: [f]\n"
             "  timespan: 1m\n  condition: {gte: 1000000}\n",
             searches[_i]);
    ck_assert_ptr_nonnull(rules);
    ck_assert_msg(sigma_rules_parse(rules, text, strlen(text), "rules.yml", &err), "%s", err.text);
    ck_assert_msg(sigma_rules_seal(rules, &err), "%s", err.text);
    struct seen seen = {.rules = rules};
    struct sigma_sink sink = {.context = &seen, .hit = take_hit};
    struct sigma *s = sigma_create(rules, &sink);
    for (uint32_t k = 0; k < KINDS; k++)
        snprintf(names[k], sizeof names[k], "%u", k);
    for (uint32_t k = 0; k < 3 * KINDS; k++) {
        struct ot_flow flow;
        struct ot_event e = event_of(&events[0], true, &flow);
        uint32_t kind = k % 3 == 2 ? WANTED : k % KINDS; /* one comes again and again */
        e.name = names[_i ? kind : 0];
        e.function = _i ? 0 : kind;
        flow.id = 1000 + k / 2;
        flow.client.port = k % 2 ? 0 : 7;
        unsigned before = seen.hits[1];
        sigma_event(s, &e);
        ck_assert_msg((seen.hits[1] != before) == (kind == WANTED && k % 2 == 0), "%u", k);
    }
    sigma_destroy(s);
    sigma_rules_destroy(rules);
}
END_TEST

START_TEST(alone_as_among_others)
{
    size_t i = (size_t)_i;
    struct sigma_rules *rules = make_rule(i);
    struct seen seen = {.rules = rules};
    struct sigma_sink sink = {.context = &seen, .hit = take_hit};
    struct sigma *s = sigma_create(rules, &sink), *whole = sigma_create(rules, &sink);
    ck_assert(s && whole);
    for (size_t k = 0; k < EVENTS_COUNT * 4; k++) {
        struct ot_flow flow;
        struct ot_event e = event_of(&events[k * 5 % EVENTS_COUNT], k / EVENTS_COUNT % 2, &flow);
        memset(seen.hits, 0, sizeof seen.hits);
        sigma_event(s, &e);
        ck_assert_msg(seen.hits[1] == asked_whole(whole, rules->rules[0], &e), "%s: event %zu",
                      detections[i], k);
    }
    sigma_destroy(s);
    sigma_destroy(whole);
    sigma_rules_destroy(rules);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sigma_program");
    TCase *tcase = tcase_create("sigma_program");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, taken_apart_answers_as_whole);
    tcase_add_test(tcase, more_rules_than_a_program_has);
    tcase_add_test(tcase, replayed_as_live);
    tcase_add_loop_test(tcase, what_was_forgotten_is_asked_again, 0, 2);
    tcase_add_loop_test(tcase, alone_as_among_others, 0, (int)RULES);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
