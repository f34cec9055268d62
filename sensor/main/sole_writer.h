/* sole_writer.h: one sensor writes a store at a time. Two that learn into one file would each
 * overwrite what the other has learned; the console and the commands that decide something may
 * write beside a sensor, which takes over what they write. */
#pragma once

#include "sensor/base/error.h"

#include <stdbool.h>

enum { SOLE_WRITER_NONE = -1 };

/* Holds the store (a file that exists, or ":memory:") until sole_writer_end or the process ends,
 * however it ends. False: another sensor has it. Where the file system has no locks nothing is
 * held. To be ended after every other use of the file: its closing ends SQLite's own locks. */
bool sole_writer_begin(int *writer, const char *store_path, struct error *err) NODISCARD;
void sole_writer_end(int writer);
