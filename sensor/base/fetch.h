/* fetch.h: memory that will be looked at soon is brought into the cache meanwhile. */
#pragma once

/* The line of the cache at this address, which need not be one. The compiler takes a function that
 * does nothing but fetch for one without effect and leaves its calls out; the empty statement is an
 * effect. */
static inline void fetch(const void *at)
{
    __asm__ volatile("");
    __builtin_prefetch(at, 1);
}
