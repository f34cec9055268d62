/* pages.c: great pages by madvise, for tables of some size. */
#include "pages.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ALIGNMENT = 128 };
#define GREAT_PAGE ((size_t)2 << 20)

static bool is_great(size_t size)
{
    return size >= GREAT_PAGE / 2;
}

static size_t rounded(size_t size, size_t unit)
{
    return (size + unit - 1) / unit * unit;
}

/* More than asked for, of which what lies before and behind goes back at once. */
static void *take_great(size_t size)
{
    size_t wanted = rounded(size, GREAT_PAGE), taken = wanted + GREAT_PAGE;
    uint8_t *from = mmap(NULL, taken, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (from == MAP_FAILED)
        return NULL;
    size_t before = (GREAT_PAGE - (uintptr_t)from % GREAT_PAGE) % GREAT_PAGE;
    if (before > 0)
        munmap(from, before);
    if (taken - before > wanted)
        munmap(from + before + wanted, taken - before - wanted);
    (void)madvise(from + before, wanted, MADV_HUGEPAGE);
    return from + before;
}

void *pages_take(size_t size)
{
    if (is_great(size))
        return take_great(size);
    size_t wanted = rounded(size, ALIGNMENT);
    void *memory = aligned_alloc(ALIGNMENT, wanted);
    if (memory)
        memset(memory, 0, wanted);
    return memory;
}

void pages_give(void *memory, size_t size)
{
    if (memory && is_great(size))
        munmap(memory, rounded(size, GREAT_PAGE));
    else
        free(memory);
}
