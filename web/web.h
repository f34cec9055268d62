/* web.h: the console: pages and the JSON API over a store. Sees the store, never a packet. */
#pragma once

#include "sensor/base/config.h"
#include "sensor/base/error.h"

#include <signal.h>
#include <stdbool.h>

/* Serves until *stop becomes non-zero. Fails when the store cannot be read or the address is not
 * loopback or taken. */
bool web_serve(const struct config *config, const char *store_path, const char *listen,
               const volatile sig_atomic_t *stop, struct error *err) NODISCARD;
