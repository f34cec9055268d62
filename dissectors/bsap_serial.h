/* bsap_serial.h: a frame of the serial BSAP in a datagram. */
#pragma once

#include "dissector.h"

struct bsap_serial {
    uint8_t address;    /* local address, without the mark of global messages */
    uint8_t serial;     /* number of the message on the line */
    bool is_global;     /* through the network: */
    uint16_t to, from;  /* its global addresses */
    uint8_t function;   /* what it is for */
    uint8_t source;     /* what sent it */
    uint16_t sequence;  /* of the application */
    struct reader body; /* | function 1 | node status 1 | data |, as datagrams of BSAP have it */
};

/* Begins as such a frame does. */
bool bsap_serial_begins(struct reader r);
/* Takes the escapes out, into the packet's memory. NULL, or what is wrong with it. */
const char *bsap_serial_read(struct arena *arena, struct reader r, struct bsap_serial *s);
/* Whether it is whole, from its start mark to its checksum. */
bool bsap_serial_is_whole(struct reader r);
