/* store_mark.c: see store_mark.h. */
#include "store_mark.h"

#include "sensor/base/text.h"

#include <string.h>
#include <sys/stat.h>

enum {
    PATH_SIZE = 4096,
    TICK_MS = 20, /* files are stamped by the kernel's coarse clock: two ticks of the slowest */
};

static int64_t ms_of(const struct timespec *t)
{
    return (int64_t)t->tv_sec * 1000 + t->tv_nsec / 1000000;
}

static bool is_recent(const struct timespec *stamp, const struct timespec *now)
{
    return ms_of(stamp) > ms_of(now) - TICK_MS;
}

struct store_mark store_mark_of(const char *path)
{
    struct store_mark mark;
    struct timespec now;
    struct stat s;
    char log[PATH_SIZE];
    memset(&mark, 0, sizeof mark);
    clock_gettime(CLOCK_REALTIME, &now);
    if (stat(path, &s) == 0) {
        mark.file = s.st_ino;
        mark.file_time = s.st_mtim;
        mark.file_size = s.st_size;
    }
    text_format(log, sizeof log, "%s-wal", path);
    if (stat(log, &s) == 0) {
        mark.log_time = s.st_mtim;
        mark.log_size = s.st_size;
    }
    mark.is_young = is_recent(&mark.file_time, &now) || is_recent(&mark.log_time, &now);
    return mark;
}

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool store_mark_is_same(const struct store_mark *then, const struct store_mark *now)
{
    return !then->is_young && then->file == now->file && then->file_size == now->file_size &&
           then->log_size == now->log_size && is_same_time(&then->file_time, &now->file_time) &&
           is_same_time(&then->log_time, &now->log_time);
}
