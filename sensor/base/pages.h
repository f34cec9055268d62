/* pages.h: memory of a table that is looked into at random.
 *
 * A lookup that misses the processor's address cache walks four levels of page tables before it may
 * wait for the memory itself. Great tables ask for pages of 2 MiB, of which far fewer have to be
 * known; where the system gives none, they are ordinary memory. */
#pragma once

#include <stddef.h>

/* Zeroed, on 128 bytes at least; NULL: out of memory. Not what is used costs, only what is
 * touched. */
void *pages_take(size_t size);
/* With the size that was asked for. NULL is fine. */
void pages_give(void *memory, size_t size);
