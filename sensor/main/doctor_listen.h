/* doctor_listen.h: listens on an interface for a few seconds and counts what a mirror port should
 * show. */
#pragma once

#include "sensor/base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum { LISTEN_CONTROLLERS_MAX = 32 };

struct listened {
    uint64_t packets, unicast, dropped;
    uint64_t undecoded;      /* link types and ethertypes apart from IP, ARP and the plant's own */
    uint64_t connections;    /* TCP, with payload or at least three packets */
    uint64_t one_sided;      /* of those, with one direction only */
    int64_t clock_behind_ns; /* greatest distance of packet time from this machine's clock */
    struct listened_controller { /* who answered on a port of a plant protocol */
        char address[64];
        const char *protocol;
    } controllers[LISTEN_CONTROLLERS_MAX];
    uint32_t controller_count;
};

/* stop may be set by a signal. */
bool doctor_listen(const char *interface, int seconds, bool (*is_stopped)(void),
                   struct listened *result, struct error *err) NODISCARD;
