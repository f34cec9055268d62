/* privileges.h: what the process may still do once its sources are open. */
#pragma once

#include "sensor/base/error.h"

/* Becomes `user` (and its group) for good, when the process is root and that user exists; otherwise
 * says so in the log and goes on. Call after the capture is open and before anything is written. */
bool privileges_drop(const char *user, struct error *err) NODISCARD;

/* No new privileges ever, and only the system calls that a sensor needs: no exec, no other
 * processes, no raw or packet sockets. Applies to this thread and those that it starts. */
bool privileges_restrict(struct error *err) NODISCARD;
