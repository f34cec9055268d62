/* dnp3.h: what the layers of DNP3 tell each other. */
#pragma once

#include "dissector.h"

/* The link frame that completed a fragment. */
struct dnp3_link {
    uint16_t destination, source;
    bool is_from_master; /* DIR */
    bool is_broadcast;
    struct reader frame; /* the whole frame, for what tells */
};

enum {
    DNP3_FILES_MAX = 4,
    DNP3_BROADCAST_FIRST = 0xfffd, /* three broadcast addresses, [1815] 9.2.5.2 */
};

/* A file that an outstation opened. */
struct dnp3_file {
    uint32_t handle;
    bool is_open;
    bool is_written;
};

struct dnp3_application {
    struct dnp3_file files[DNP3_FILES_MAX];
    uint8_t file_next;
    bool is_asked;        /* a request was heard: what a later one follows is known */
    bool is_file_written; /* in this conversation: an activation then is a download */
};

/* One application fragment into an event. */
void dnp3_application_dissect(struct dissect *d, struct dnp3_application *s,
                              const struct dnp3_link *link, struct reader fragment);
