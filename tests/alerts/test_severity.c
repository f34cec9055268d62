/* test_severity.c: severity is the type's default plus the modifiers of DETECTIONS 1, 1 to 10. */
#include "alerts/severity.h"

#include <check.h>
#include <stdlib.h>

static const struct row {
    const char *shows;
    enum detection detection;
    uint32_t flags;
    int severity;
} rows[] = {
    {"info is 1",                             DETECTION_AUDIT_POLICY_CHANGED,      0,                                     1 },
    {"low is 3",                              DETECTION_PROTO_RESERVED_CODE,       0,                                     3 },
    {"medium is 5",                           DETECTION_COMM_NEW_LINK,             0,                                     5 },
    {"high is 7",                             DETECTION_PLC_START,                 0,                                     7 },
    {"critical is 9",                         DETECTION_PLC_STOP,                  0,                                     9 },
    {"a new actor adds 1",                    DETECTION_PLC_START,                 FINDING_ACTOR_NEW,                     8 },
    {"a confirmed success adds 1",            DETECTION_PLC_START,                 FINDING_CONFIRMED,                     8 },
    {"refused takes 1",                       DETECTION_PLC_START,                 FINDING_REFUSED,                       6 },
    {"an engineering station takes 1",        DETECTION_PLC_START,                 FINDING_ENGINEERING_STATION,           6 },
    {"learning takes 2",                      DETECTION_PLC_START,                 FINDING_STILL_LEARNING,                5 },
    {"what one lost packet explains is low",  DETECTION_RW_UNSOLICITED_RESPONSE,   FINDING_SINGLE,                        3 },
    {"modifiers add up",                      DETECTION_PLC_START,                 FINDING_ACTOR_NEW | FINDING_REFUSED,   7 },
    {"confirmed once outweighs refused",      DETECTION_PLC_START,                 FINDING_CONFIRMED | FINDING_REFUSED,
     8                                                                                                                      },
    {"never over 10",                         DETECTION_PLC_STOP,                  FINDING_ACTOR_NEW | FINDING_CONFIRMED, 10},
    {"never under 1",                         DETECTION_AUDIT_POLICY_CHANGED,      FINDING_STILL_LEARNING,                1 },
    {"a new function that reads is medium",   DETECTION_RW_NEW_FUNCTION,           0,                                     5 },
    {"a new function that writes is high",    DETECTION_RW_NEW_FUNCTION,           FINDING_IS_WRITE,                      7 },
    {"a new address that is read is low",     DETECTION_RW_NEW_ADDRESS,            0,                                     3 },
    {"a new address that is written is high", DETECTION_RW_NEW_ADDRESS,            FINDING_IS_WRITE,                      7 },
    {"a safety system adds 2",                DETECTION_PLC_START,                 FINDING_SAFETY_ASSET,                  9 },
    {"a critical device adds 1",              DETECTION_PLC_START,                 FINDING_CRITICAL_ASSET,                8 },
    {"a record of a window stays info",       DETECTION_CHANGE_MAINTENANCE_RECORD,
     FINDING_SAFETY_ASSET | FINDING_CONFIRMED | FINDING_ACTOR_NEW,                                                        1 },
    {"other types do not look at write",      DETECTION_COMM_NEW_LINK,             FINDING_IS_WRITE,                      5 },
};

START_TEST(severity_row)
{
    const struct row *row = &rows[_i];
    struct severity_sum sum;
    severity_sum(&sum, row->detection, row->flags);
    ck_assert_msg(sum.severity == row->severity, "%s: %d, not %d", row->shows, sum.severity,
                  row->severity);
    int points = 0;
    for (int i = 0; i < sum.count; i++)
        points += sum.reasons[i].points;
    ck_assert_msg((points < 1    ? 1
                   : points > 10 ? 10
                                 : points) == row->severity,
                  "%s: the reasons add up to %d", row->shows, points);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("severity");
    TCase *tcase = tcase_create("rows");
    tcase_add_loop_test(tcase, severity_row, 0, sizeof rows / sizeof *rows);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
