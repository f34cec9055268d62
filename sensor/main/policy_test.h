/* policy_test.h: tries a site policy on captures before anybody enforces it. */
#pragma once

#include "rules/site.h"
#include "sensor/base/config.h"

#include <stdio.h>

enum { POLICY_TEST_CAPTURES_MAX = 64 };

/* Reads the captures with nothing kept and everything learned, and writes what the policy would
 * have raised: a line for each type with its count, then the alerts. */
bool policy_test(struct site *site, const struct config *config, const char *const *captures,
                 size_t count, FILE *out, struct error *err) NODISCARD;
/* The second half alone: lines are alerts as JSON lines, of a capture or of a history. */
bool policy_test_print(FILE *lines, FILE *out, struct error *err) NODISCARD;
