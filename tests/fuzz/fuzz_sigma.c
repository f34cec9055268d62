/* fuzz_sigma.c: a rule file of any content is read or refused with a reason that names it; what was
 * read judges events, flows and findings without harm. */
#include "rules/sigma.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take_finding(void *context, const struct finding *f)
{
    (void)context;
    assert(f->detection == DETECTION_RULE_MATCH && f->rule_title[0] && f->rule_id[0]);
}

static void take_hit(void *context, const struct sigma_hit *hit)
{
    sigma_correlator_hit(*(struct sigma_correlator **)context, hit);
}

static void take_failure(void *context, const struct sigma_summary *rule, size_t line,
                         const char *shows, bool is_matching)
{
    (void)context;
    (void)is_matching;
    assert(rule->title && shows && line > 0);
}

static void judge(const struct sigma_rules *rules)
{
    static const uint8_t values[] = "\x02\x00\x11\xff text";
    struct sigma_correlator *correlator = NULL;
    struct sigma_sink sink = {(void *)&correlator, take_finding, take_hit};
    struct sigma *s = sigma_create(rules, &sink);
    correlator = sigma_correlator_create(rules, &sink);
    assert(s && correlator);
    struct ot_flow flow = {.id = 1, .transport = TRANSPORT_TCP};
    address_parse(&flow.client.ip, "10.0.0.5");
    address_parse(&flow.server.ip, "fe80::1");
    flow.server.port = 502;
    struct ot_item items[2] = {
        {.area = "holding_register", .has_start = true, .start = 100, .count = 2},
        {.name = TEXT("Program:Main.\xff\xfePump"),                .type = "real"                                }
    };
    items[0].values = (struct ot_values){VALUES_U16BE, 2, values, 4};
    items[1].values = (struct ot_values){VALUES_TEXT, 1, values, sizeof values - 1};
    struct ot_fact fact = {.kind = FACT_VENDOR, .value = TEXT("Vendor")};
    struct ot_event e = {.time_ns = 1,
                         .flow = &flow,
                         .protocol = "modbus",
                         .operation = OP_WRITE,
                         .name = "write_multiple_registers",
                         .unit = TEXT("1"),
                         .detail = TEXT("-x /y \xe2\x80\x93 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"),
                         .items = items,
                         .item_count = 2,
                         .facts = &fact,
                         .fact_count = 1,
                         .flags = OT_BROADCAST};
    for (int i = 0; i < 3; i++, e.time_ns += INT64_C(1000000000))
        sigma_event(s, &e);
    for (int m = 0; m < SIGMA_MOMENTS; m++)
        sigma_flow(s, &flow, (enum sigma_moment)m, m == SIGMA_RECOGNISED ? "tls" : NULL, NULL, 5);
    struct finding f;
    finding_of_event(&f, DETECTION_PLC_STOP, &e);
    sigma_finding(s, &f, 9);
    sigma_tick(s, e.time_ns, true);
    sigma_correlator_tick(correlator, INT64_MAX / 2);
    sigma_destroy(s);
    sigma_correlator_destroy(correlator);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = {""};
    struct sigma_rules *rules = sigma_rules_create();
    assert(rules);
    if (!sigma_rules_parse(rules, (const char *)data, size, "fuzz.yml", &err)) {
        assert(strncmp(err.text, "fuzz.yml:", 9) == 0);
    } else if (!sigma_rules_seal(rules, &err)) {
        assert(err.text[0]);
    } else {
        sigma_rules_test(rules, take_failure, NULL);
        judge(rules);
    }
    sigma_rules_destroy(rules);
    return 0;
}
