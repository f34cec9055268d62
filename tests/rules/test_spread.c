/* test_spread.c: one who crosses into a zone towards many devices at once is one alert; what comes
 * later, over another border, from another or to a safety device is its own. */
#include "rules/spread.h"
#include "sensor/base/text.h"
#include "support/runner.h"

#include <check.h>
#include <string.h>

#define MILLISECOND INT64_C(1000000)
#define SECOND      (1000 * MILLISECOND)
#define HOUR        (3600 * SECOND)
#define START       (INT64_C(1772442000) * SECOND)

static struct finding crossing(const char *actor, const char *target, const char *border,
                               int64_t after_ns)
{
    struct finding f = {.detection = DETECTION_SEG_ZONE_VIOLATION,
                        .time_ns = START + after_ns,
                        .has_target = true,
                        .count = 1};
    ck_assert(address_parse(&f.actor.ip, actor) && address_parse(&f.target.ip, target));
    text_copy(f.key, sizeof f.key, text_of("zones"));
    text_copy(f.object, sizeof f.object, text_of(border));
    text_copy(f.seen, sizeof f.seen, text_of("TCP port 502"));
    return f;
}

static void fold(struct spread *s, struct finding *f, const char *target)
{
    char to[ADDRESS_TEXT_SIZE];
    spread_fold(s, f);
    address_print(to, &f->target.ip);
    ck_assert_msg(strcmp(to, target) == 0, "is told of %s, not of %s", to, target);
}

/* What comes after 10.0.0.9 went to 10.0.1.1 over "a to b". */
static const struct row {
    const char *shows, *actor, *target, *border;
    int64_t after_ns;
    uint32_t flags;
    enum detection detection;
    const char *key;
    const char *told; /* of which device */
} rows[] = {
    {"the next device of a scan",  "10.0.0.9", "10.0.1.2", "a to b", 10 * MILLISECOND, 0,
     DETECTION_SEG_ZONE_VIOLATION,                                                                                                    "zones",           "10.0.1.1"},
    {"a pause of two seconds",     "10.0.0.9", "10.0.1.2", "a to b", 2 * SECOND,       0,
     DETECTION_SEG_ZONE_VIOLATION,                                                                                                    "zones",           "10.0.1.1"},
    {"a longer pause",             "10.0.0.9", "10.0.1.2", "a to b", 2 * SECOND + 1,   0,
     DETECTION_SEG_ZONE_VIOLATION,                                                                                                    "zones",           "10.0.1.2"},
    {"another actor",              "10.0.0.8", "10.0.1.2", "a to b", 10 * MILLISECOND, 0,
     DETECTION_SEG_ZONE_VIOLATION,                                                                                                    "zones",           "10.0.1.2"},
    {"another border",             "10.0.0.9", "10.0.2.2", "a to c", 10 * MILLISECOND, 0,
     DETECTION_SEG_ZONE_VIOLATION,                                                                                                    "zones",           "10.0.2.2"},
    {"a level skipped as well",    "10.0.0.9", "10.0.1.2", "a to b", 10 * MILLISECOND, 0,
     DETECTION_SEG_LEVEL_SKIP,                                                                                                        "zones",           "10.0.1.2"},
    {"a protocol of one conduit",  "10.0.0.9", "10.0.1.2", "a to b", 10 * MILLISECOND, 0,
     DETECTION_SEG_ZONE_VIOLATION,                                                                                                    "protocol",        "10.0.1.2"},
    {"what an operation breaches", "10.0.0.9", "10.0.1.2", "a to b", 10 * MILLISECOND, 0,
     DETECTION_SEG_ZONE_VIOLATION,                                                                                                    "operation write", "10.0.1.2"},
    {"a safety device",            "10.0.0.9", "10.0.1.2", "a to b", 10 * MILLISECOND, FINDING_SAFETY_ASSET,
     DETECTION_SEG_ZONE_VIOLATION,                                                                                                    "zones",           "10.0.1.2"},
    {"a new link",                 "10.0.0.9", "10.0.1.2", "a to b", 10 * MILLISECOND, 0,                    DETECTION_COMM_NEW_LINK,
     "zones",                                                                                                                                            "10.0.1.2"},
    {"the same device again",      "10.0.0.9", "10.0.1.1", "a to b", HOUR,             0,
     DETECTION_SEG_ZONE_VIOLATION,                                                                                                    "zones",           "10.0.1.1"},
};

START_TEST(is_folded_or_not)
{
    const struct row *r = &rows[_i];
    struct spread *s = spread_create();
    struct finding f = crossing("10.0.0.9", "10.0.1.1", "a to b", 0);
    fold(s, &f, "10.0.1.1");
    ck_assert_str_eq(f.seen, "TCP port 502");
    f = crossing(r->actor, r->target, r->border, r->after_ns);
    f.detection = r->detection;
    f.flags = r->flags;
    text_copy(f.key, sizeof f.key, text_of(r->key));
    spread_fold(s, &f);
    char to[ADDRESS_TEXT_SIZE];
    ck_assert_msg(strcmp(address_print(to, &f.target.ip), r->told) == 0, "%s: told of %s", r->shows,
                  to);
    bool is_counted = strncmp(f.seen, "2 devices in turn, from a to b", 30) == 0;
    bool is_another = strcmp(r->target, r->told) != 0;
    ck_assert_msg(is_counted == is_another, "%s: \"%s\"", r->shows, f.seen);
    spread_destroy(s);
}
END_TEST

/* A scan of 250 devices, then what each of them adds later. */
START_TEST(a_scan_is_one)
{
    struct spread *s = spread_create();
    char target[ADDRESS_TEXT_SIZE];
    for (int again = 0; again < 2; again++) {
        for (int i = 1; i <= 250; i++) {
            text_format(target, sizeof target, "10.0.1.%d", i);
            struct finding f =
                crossing("10.0.0.9", target, again ? "" : "a to b", /* the rest has no words */
                         again * HOUR + i * 100 * MILLISECOND);
            fold(s, &f, "10.0.1.1");
            if (i == 250)
                ck_assert_str_eq(f.seen, "250 devices in turn, from a to b; after the first "
                                         "10.0.1.2, 10.0.1.3, 10.0.1.4, 10.0.1.5, ...");
        }
    }
    spread_destroy(s);
}
END_TEST

/* After a day the alert is closed: it is told anew, of the device that it is about. */
START_TEST(is_told_anew_after_a_day)
{
    struct spread *s = spread_create();
    struct finding f = crossing("10.0.0.9", "10.0.1.1", "a to b", 0);
    fold(s, &f, "10.0.1.1");
    f = crossing("10.0.0.9", "10.0.1.2", "a to b", SECOND);
    fold(s, &f, "10.0.1.1");
    f = crossing("10.0.0.9", "10.0.1.2", "a to b", 24 * HOUR);
    fold(s, &f, "10.0.1.1");
    f = crossing("10.0.0.9", "10.0.1.2", "a to b", 48 * HOUR + 1);
    fold(s, &f, "10.0.1.2");
    spread_destroy(s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("spread");
    TCase *tcase = tcase_create("rows");
    tcase_add_loop_test(tcase, is_folded_or_not, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tcase, a_scan_is_one);
    tcase_add_test(tcase, is_told_anew_after_a_day);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
