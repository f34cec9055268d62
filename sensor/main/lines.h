/* lines.h: text that is written to a file or to standard output, and whether all of it arrived. */
#pragma once

#include "sensor/base/error.h"

#include <stdio.h>

/* "-" is standard output. NULL with a reason. */
FILE *lines_open(const char *path, struct error *err);
/* Writes what is left and closes (standard output stays open). False: not all arrived, with a
 * reason that tells a reader who has gone from a disk that is full. name: what the reason calls it.
 */
bool lines_end(FILE *file, const char *name, struct error *err) NODISCARD;
