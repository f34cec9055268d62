/* stop.h: the signals that a long-running command obeys. The only mutable globals of the program.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>

/* SIGINT and SIGTERM ask to finish, SIGHUP to reload; SIGPIPE is ignored. A second SIGINT ends the
 * process at once. */
void stop_install(void);
bool stop_requested(void);
const volatile sig_atomic_t *stop_flag(void);
/* True once per SIGHUP. */
bool reload_requested(void);
