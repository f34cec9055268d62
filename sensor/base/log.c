/* log.c: one line per message on stderr; journald and the like add the time. */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 2, 0))) static void write_line(const char *level, const char *format,
                                                             va_list arguments)
{
    char line[1024];
    int n = snprintf(line, sizeof line, "sightglass: %s", level);
    vsnprintf(line + n, sizeof line - (size_t)n, format, arguments);
    fprintf(stderr, "%s\n", line); /* one call: lines of threads do not mix */
}

void log_info(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line("", format, arguments);
    va_end(arguments);
}

void log_warning(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line("warning: ", format, arguments);
    va_end(arguments);
}

void log_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line("error: ", format, arguments);
    va_end(arguments);
}
