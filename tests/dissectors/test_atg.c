/* test_atg.c: tank gauges, held against PROTOCOLS 30. */
#include "support/dissect_probe.h"
#include "support/runner.h"

#include <string.h>

extern const struct dissector dissector_atg;

static void feed(struct probe *p, bool is_from_client, const char *text)
{
    probe_feed(p, &dissector_atg, is_from_client, text, strlen(text));
}

static const struct {
    const char *text, *code, *name, *operation, *items;
} rows[] = {
    {"\001I20100\n",           "I20100", "inquire", "read",          "tank 0"},
    {"\001I20103\r\n",         "I20103", "inquire", "read",          "tank 3"},
    {"\001i20100\n",           "I20100", "inquire", "read",          "tank 0"},
    {"\001I90200\n",           "I90200", "inquire", "identify",      "tank 0"},
    {"\001S60201DIESEL\n",     "S60201", "set",     "config_change", "tank 1"},
    {"\001S501002611221200\n", "S50100", "set",     "time_set",      "tank 0"},
};

START_TEST(commands)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    size_t size = strlen(rows[_i].text);
    ck_assert_int_eq(probe_recognise(&dissector_atg, rows[_i].text, size), CLAIM_YES);
    ck_assert_uint_eq(probe_frame(&dissector_atg, rows[_i].text, size).size, size);
    feed(p, true, rows[_i].text);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->code, rows[_i].code);
    ck_assert_str_eq(e->name, rows[_i].name);
    ck_assert_str_eq(e->operation, rows[_i].operation);
    ck_assert_str_eq(e->items, rows[_i].items);
    ck_assert_str_eq(e->direction, "request");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

#define ANSWER       "\001\r\nI20100\r\nNOV 22, 2026 12:00\r\n\r\n  1  DIESEL  4711\r\n\003"
#define SHORT_ANSWER "\001i201002611221200011&&F1A2\003"
#define REFUSAL      "\0019999FF1B\003"

START_TEST(answers)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    static const char *const texts[] = {ANSWER, SHORT_ANSWER};
    for (size_t i = 0; i < 2; i++) {
        feed(p, true, "\001I20100\n");
        feed(p, false, texts[i]);
        const struct probe_event *e = probe_event(p, 2 * i + 1);
        ck_assert_str_eq(e->code, "I20100");
        ck_assert_str_eq(e->direction, "response");
        ck_assert_str_eq(e->status, "ok");
        ck_assert_uint_eq(e->flags, 0);
    }
    feed(p, true, "\001S60201DIESEL\n");
    feed(p, false, REFUSAL);
    ck_assert_str_eq(probe_event(p, 5)->code, "S60201");
    ck_assert_str_eq(probe_event(p, 5)->status, "error 0 not_understood");
    feed(p, false, ANSWER);
    ck_assert_uint_eq(probe_event(p, 6)->flags, OT_NO_REQUEST);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

static const char *const wrong[] = {"\001X20100\n", "\001I2O100\n", "\001I201\n", "\001\n"};

START_TEST(wrong_commands)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    feed(p, true, wrong[_i]);
    ck_assert_uint_eq(p->event_count, 0);
    ck_assert(probe_has_violation(p, VIOLATION_FUNCTION));
    ck_assert_int_ne(probe_recognise(&dissector_atg, wrong[_i], strlen(wrong[_i])), CLAIM_YES);
    probe_destroy(p);
}
END_TEST

static void check_prefixes(const char *text)
{
    size_t size = strlen(text);
    for (size_t i = 0; i < size; i++) {
        ck_assert_int_eq(probe_frame(&dissector_atg, text, i).verdict, FRAME_NEED);
        struct probe *p = probe_create(TRANSPORT_TCP);
        probe_stream(p, &dissector_atg, true, text, i);
        probe_stream(p, &dissector_atg, true, text + i, size - i);
        ck_assert_uint_eq(p->event_count, 1);
        ck_assert_uint_eq(p->violation_count, 0);
        probe_destroy(p);
    }
    for (size_t i = 0; i < 7; i++)
        ck_assert_int_eq(probe_recognise(&dissector_atg, text, i), CLAIM_MORE);
    ck_assert_int_eq(probe_recognise(&dissector_atg, text, size), CLAIM_YES);
}

START_TEST(every_prefix)
{
    check_prefixes("\001S60201DIESEL\n");
    check_prefixes(ANSWER);
    check_prefixes(SHORT_ANSWER);
    static const uint8_t zeros[16];
    ck_assert_int_eq(probe_recognise(&dissector_atg, zeros, sizeof zeros), CLAIM_NO);
    ck_assert_int_eq(probe_frame(&dissector_atg, zeros, sizeof zeros).verdict, FRAME_BROKEN);
    static char endless[8192] = {1};
    ck_assert_int_eq(probe_frame(&dissector_atg, endless, sizeof endless - 1).verdict, FRAME_NEED);
    ck_assert_int_eq(probe_frame(&dissector_atg, endless, sizeof endless).verdict, FRAME_BROKEN);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("atg");
    TCase *c = tcase_create("all");
    tcase_add_loop_test(c, commands, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(c, wrong_commands, 0, sizeof wrong / sizeof *wrong);
    tcase_add_test(c, answers);
    tcase_add_test(c, every_prefix);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}
