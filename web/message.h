/* message.h: whether it is clear where a request ends and whom it asks: where two readers of the
 * same bytes (a proxy and we) could differ, one could slip a second request past the other. */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>

/* [9112] 3.2, 5.1, 6.1, 6.3. version: "HTTP/1.1". */
bool message_is_clear(struct MHD_Connection *connection, const char *version);
