/* pages.h: the files of the page, built into the program. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct page {
    const char *type;
    const void *bytes;
    size_t size;
};

/* False: no such page. */
bool page_find(struct page *page, const char *path);
