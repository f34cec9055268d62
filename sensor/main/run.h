/* run.h: reading captures from files, in one thread and deterministically. */
#pragma once

#include "options.h"

#include <stdio.h>

/* Drives the options' files through. events and alerts may be NULL. Returns the exit status. */
int run_files(const struct run_options *o, FILE *events, FILE *alerts);
