/* log.h: lines for the operator on stderr: once per change of state, never per packet. */
#pragma once

#include <stdbool.h>

void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
