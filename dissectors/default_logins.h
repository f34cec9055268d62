/* default_logins.h: passwords and communities that devices are delivered with, and every manual
 * names. */
#pragma once

#include "ascii.h"

/* Is this one of them? The password is compared where it lies, nothing of it is kept. protocol: as
 * in events; user: empty where the protocol has none. */
bool default_logins_has(const char *protocol, struct text user, struct text password);

/* The same for a password that comes byte by byte: a digest that begins with 0 stands for it. */
uint64_t default_logins_add(uint64_t digest, uint8_t byte);
bool default_logins_has_digest(const char *protocol, struct text user, uint64_t digest);
