/* live.h: live capture in threads: reader -> workers by pair of hosts -> core.
 *
 * The reader owns the capture, the decoder and the duplicates; each worker its tables; the core
 * inventory and alerts. They talk through one ring in each direction and never wait for the disk:
 * the store has a writer thread, the outputs theirs. */
#pragma once

#include "options.h"

#include <stdio.h>

/* Until SIGINT or SIGTERM. Returns the exit status. */
int run_live(const struct run_options *o, FILE *events, FILE *alerts);
