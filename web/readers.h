/* readers.h: stores that are open for reading, lent to requests. Opening one costs more than most
 * answers; a store whose file was replaced or moved away is opened anew. A dozen are lent at once;
 * who comes then waits a moment. When the console is told to stop, what they run is interrupted.
 * From any thread, one for each. */
#pragma once

#include "sensor/base/error.h"
#include "sensor/base/store.h"

#include <signal.h>

struct readers;

/* Both must outlive it. Once *stop is non-zero, every statement fails. NULL: out of memory. */
struct readers *readers_create(const char *path, const volatile sig_atomic_t *stop);
void readers_destroy(struct readers *r);

/* NULL with *err when the store cannot be read. */
struct store *readers_take(struct readers *r, struct error *err);
void readers_give(struct readers *r, struct store *store);

/* Opens the store for writing what people decide; close it soon. */
bool writer_open(struct store **store, const char *path, struct error *err) NODISCARD;
