/* listen.c: reading and writing addresses of sockets. */
#include "listen.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool listen_parse(union listen_address *address, const char *text, struct error *err)
{
    char host[64], *end;
    const char *colon = strrchr(text, ':');
    size_t size = colon ? (size_t)(colon - text) : 0;
    memset(address, 0, sizeof *address);
    if (!colon || size == 0 || size >= sizeof host)
        return error_set(err, "%s: an address and a port are needed, like 127.0.0.1:8470", text);
    memcpy(host, text, size);
    host[size] = '\0';
    unsigned long port = strtoul(colon + 1, &end, 10);
    if (end == colon + 1 || *end != '\0' || port > 65535)
        return error_set(err, "%s: the port is a number up to 65535", text);
    if (strcmp(host, "localhost") == 0)
        strcpy(host, "127.0.0.1");
    if (host[0] == '[' && host[size - 1] == ']') {
        host[size - 1] = '\0';
        address->in6.sin6_family = AF_INET6;
        address->in6.sin6_port = htons((uint16_t)port);
        if (inet_pton(AF_INET6, host + 1, &address->in6.sin6_addr) == 1)
            return true;
    } else {
        address->in4.sin_family = AF_INET;
        address->in4.sin_port = htons((uint16_t)port);
        if (inet_pton(AF_INET, host, &address->in4.sin_addr) == 1)
            return true;
    }
    return error_set(err, "%s: not an address of a network interface, like 127.0.0.1 or [::1]",
                     text);
}

bool listen_is_loopback(const union listen_address *address)
{
    if (address->any.sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&address->in6.sin6_addr);
    return ntohl(address->in4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

char *listen_print(char out[LISTEN_TEXT_SIZE], const union listen_address *address, uint16_t port)
{
    char host[INET6_ADDRSTRLEN] = "";
    bool is_6 = address->any.sa_family == AF_INET6;
    if (is_6)
        inet_ntop(AF_INET6, &address->in6.sin6_addr, host, sizeof host);
    else
        inet_ntop(AF_INET, &address->in4.sin_addr, host, sizeof host);
    snprintf(out, LISTEN_TEXT_SIZE, is_6 ? "[%s]:%u" : "%s:%u", host, port);
    return out;
}

char *peer_print(char text[PEER_TEXT_SIZE], const struct sockaddr *peer, bool is_network)
{
    union listen_address a;
    text[0] = '\0';
    if (peer && peer->sa_family == AF_INET) {
        memcpy(&a.in4, peer, sizeof a.in4);
        inet_ntop(AF_INET, &a.in4.sin_addr, text, PEER_TEXT_SIZE);
    }
    if (peer && peer->sa_family == AF_INET6) {
        memcpy(&a.in6, peer, sizeof a.in6);
        if (is_network && !IN6_IS_ADDR_V4MAPPED(&a.in6.sin6_addr))
            memset(a.in6.sin6_addr.s6_addr + 8, 0, 8);
        inet_ntop(AF_INET6, &a.in6.sin6_addr, text, PEER_TEXT_SIZE);
    }
    return text;
}
