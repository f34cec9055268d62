/* listen.h: the address on which the console listens, and those of who asks. */
#pragma once

#include "sensor/base/error.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

union listen_address {
    struct sockaddr any;
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;
};

enum { LISTEN_TEXT_SIZE = 64, PEER_TEXT_SIZE = 64 };

/* "127.0.0.1:8470", "[::1]:8470", "localhost:8470". Port 0: any free one. */
bool listen_parse(union listen_address *address, const char *text, struct error *err) NODISCARD;
/* Only this machine can reach it. */
bool listen_is_loopback(const union listen_address *address);
/* The same with a port, as a browser takes it. Returns out. */
char *listen_print(char out[LISTEN_TEXT_SIZE], const union listen_address *address, uint16_t port);

/* Who asks; NULL: "". is_network: of IPv6 the /64, all of which one machine can use. Returns text.
 */
char *peer_print(char text[PEER_TEXT_SIZE], const struct sockaddr *peer, bool is_network);
