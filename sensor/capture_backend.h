/* capture_backend.h: what capture.h asks of a place that packets come from. One file per place. */
#pragma once

#include "capture.h"

struct capture_backend {
    enum capture_result (*next)(void *state, struct raw_packet *packet, struct error *err);
    /* Held: packets that next gave stay valid until the hold ends, and CAPTURE_IDLE also means that
     * there is no other packet without ending it. NULL: the backend cannot. */
    void (*hold)(void *state, bool is_held);
    const char *(*source_name)(const void *state, uint32_t source_index);
    void (*drops)(void *state, uint32_t source_index, struct capture_drops *drops);
    void (*close)(void *state);
};

/* Makes a capture of a backend and its state, which it owns from then on. NULL (and state closed)
 * without memory. */
struct capture *capture_create(const struct capture_backend *backend, void *state);
