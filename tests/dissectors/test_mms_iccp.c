/* test_mms_iccp.c: ICCP on MMS, held against PROTOCOLS 11 and 0.1. */
#include "support/dissect_probe.h"
#include "support/runner.h"

#include <string.h>

extern const struct dissector dissector_mms;

/* | tag | length | content |; content may be where out is. Returns the size. */
static size_t wrap(uint8_t *out, uint8_t tag, const uint8_t *content, size_t size)
{
    memmove(out + 2, content, size);
    out[0] = tag;
    out[1] = (uint8_t)size;
    return size + 2;
}

/* variable: "name", or "domain/name". | 30 | a0 | ObjectName | | */
static size_t variable(uint8_t *out, const char *name)
{
    const char *slash = strchr(name, '/');
    size_t size;
    if (slash) {
        uint8_t item[64];
        size = wrap(out, 0x1a, (const uint8_t *)name, (size_t)(slash - name));
        size_t item_size = wrap(item, 0x1a, (const uint8_t *)slash + 1, strlen(slash + 1));
        memcpy(out + size, item, item_size);
        size = wrap(out, 0xa1, out, size + item_size);
    } else {
        size = wrap(out, 0x80, (const uint8_t *)name, strlen(name));
    }
    size = wrap(out, 0xa0, out, size);
    return wrap(out, 0x30, out, size);
}

/* A read, or with data a write, of one variable. */
static void ask(struct probe *p, const char *name, const char *data)
{
    uint8_t out[128], pdu[140] = {0x02, 0x01, 0x07};
    size_t size = variable(out, name);
    size = wrap(out, 0xa0, out, size); /* list of variables */
    if (data) {
        uint8_t values[16];
        size_t values_size = hex_bytes(values, sizeof values, data);
        size += wrap(out + size, 0xa0, values, values_size);
        size = wrap(out, 0xa5, out, size);
    } else {
        size = wrap(out, 0xa1, out, size);
        size = wrap(out, 0xa4, out, size);
    }
    memcpy(pdu + 3, out, size);
    size = wrap(pdu, 0xa0, pdu, size + 3);
    probe_feed(p, &dissector_mms, true, pdu, size);
}

/* The answer to a read with one value. */
static void answer(struct probe *p, const char *data)
{
    uint8_t out[64];
    size_t size = hex_bytes(out, sizeof out, data);
    size = wrap(out, 0xa1, out, size);
    size = wrap(out, 0xa4, out, size);
    uint8_t pdu[80] = {0x02, 0x01, 0x07};
    memcpy(pdu + 3, out, size);
    size = wrap(pdu, 0xa1, pdu, size + 3);
    probe_feed(p, &dissector_mms, false, pdu, size);
}

static const struct {
    const char *name, *data;
    bool is_iccp;
    const char *operation;
} rows[] = {
    {"TASE2_Version",                   NULL,     true,  "read"     },
    {"VCC/Bilateral_Table_ID",          NULL,     true,  "read"     },
    {"Supported_Features",              NULL,     true,  "read"     },
    {"Bilateral_East/Line7",            NULL,     true,  "read"     },
    {"East/Next_DSTransfer_Set",        NULL,     true,  "subscribe"},
    {"East/DSTransfer_Set01",           "850101", true,  "subscribe"},
    {"Bilateral_East/Breaker_SBO",      NULL,     true,  "control"  },
    {"Bilateral_East/Breaker_SBO",      "850101", true,  "control"  },
    {"Bilateral_East/Device",           "850101", true,  "control"  },
    {"Bilateral_East/SetPoint",         "850101", true,  "write"    },
    {"East/Transfer_Report_ACK",        "850101", true,  "subscribe"},
    {"IED1LD0/XCBR1$ST$Pos$stVal",      NULL,     false, "read"     },
    {"IED1LD0/Bilateral_Tables$ST$Pos", NULL,     false, "read"     },
};

START_TEST(requests)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    ask(p, rows[_i].name, rows[_i].data);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->protocol, "mms");
    ck_assert_str_eq(e->code, rows[_i].data ? "pdu=0,service=5" : "pdu=0,service=4");
    ck_assert_msg(!strcmp(e->operation, rows[_i].operation), "%s: %s", rows[_i].name, e->operation);
    if (rows[_i].is_iccp) {
        e = probe_event(p, 1);
        ck_assert_str_eq(e->protocol, "iccp");
        ck_assert_str_eq(e->code, rows[_i].data ? "0x05" : "0x04");
        ck_assert_str_eq(e->operation, "session");
        ck_assert_str_eq(e->direction, "request");
    }
    ck_assert_uint_eq(p->event_count, rows[_i].is_iccp ? 2 : 1);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

static const struct {
    const char *name, *data, *facts;
} facts[] = {
    {"TASE2_Version",          "a207 850207d0 850108", "software_version=TASE.2 2000"},
    {"VCC/Bilateral_Table_ID", "8a02 5631",            "program=V1"                  },
    {"VCC/Supported_Features", "8403 04 8000",         ""                            },
};

START_TEST(answers_tell_who_it_is)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    ask(p, facts[_i].name, NULL);
    answer(p, facts[_i].data);
    const struct probe_event *e = probe_event(p, 2);
    ck_assert_str_eq(e->protocol, "mms");
    ck_assert_str_eq(e->direction, "response");
    ck_assert_str_eq(e->facts, facts[_i].facts);
    probe_destroy(p);
}
END_TEST

START_TEST(an_association_is_named_once)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    ask(p, "East/Line7", NULL);
    ck_assert_uint_eq(p->event_count, 1);
    ask(p, "TASE2_Version", NULL);
    ck_assert_uint_eq(p->event_count, 3);
    ask(p, "TASE2_Version", NULL);
    ck_assert_uint_eq(p->event_count, 4);
    ck_assert_str_eq(probe_event(p, 3)->protocol, "mms");
    probe_destroy(p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mms_iccp");
    TCase *c = tcase_create("all");
    tcase_add_loop_test(c, requests, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(c, answers_tell_who_it_is, 0, sizeof facts / sizeof *facts);
    tcase_add_test(c, an_association_is_named_once);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}
