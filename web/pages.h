/* pages.h: the files of the page, built into the program. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct page {
    const char *type;
    const void *bytes;
    size_t size;
    const void *packed; /* gzip of the same */
    size_t packed_size; /* 0: none */
};

/* False: no such page. */
bool page_find(struct page *page, const char *path);
