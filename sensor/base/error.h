/* error.h: why something in the outside world did not work, in words for the operator. */
#pragma once

#include <stdbool.h>

#define NODISCARD __attribute__((warn_unused_result))

struct error {
    char text[512]; /* names the thing, what failed and what can be done; "" when nothing did */
};

/* Writes the message and returns false, so that a failure is one line. err may be NULL. */
bool error_set(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
