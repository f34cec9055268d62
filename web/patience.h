/* patience.h: ends connections that take too long to ask. The library ends those on which nothing
 * happens; who sends a byte now and then would keep his place for ever. */
#pragma once

#include <stdint.h>

struct patience;
struct asking; /* one connection */

/* NULL: out of memory. */
struct patience *patience_create(void);
void patience_destroy(struct patience *p);

/* A connection has come, or what it asked is answered: its next request is waited for from now on.
 * NULL: there are more than can be watched. */
struct asking *patience_begin(struct patience *p, int socket, int64_t now_ms);
void patience_again(struct patience *p, struct asking *a, int64_t now_ms);
/* It has asked: the answer may take as long as it does. */
void patience_asked(struct patience *p, struct asking *a);
/* Before its socket is closed. */
void patience_end(struct patience *p, struct asking *a);

/* Shuts the sockets of those that have taken longer than a minute. Now and then, by anybody. */
void patience_enforce(struct patience *p, int64_t now_ms);
