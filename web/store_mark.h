/* store_mark.h: what a store looks like from outside: another after every commit of anybody. Two
 * looks at files, no query. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct store_mark {
    ino_t file;
    struct timespec file_time, log_time;
    off_t file_size, log_size;
    bool is_young; /* the files' clock may not tell the next commit from the last one yet */
};

struct store_mark store_mark_of(const char *path);
/* Whether nothing can have been committed between the two; then is the earlier one. */
bool store_mark_is_same(const struct store_mark *then, const struct store_mark *now);
