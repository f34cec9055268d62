/* capture.c: one face for all places that packets come from. */
#include "capture_backend.h"

#include <stdlib.h>

struct capture {
    const struct capture_backend *backend;
    void *state;
    bool is_held; /* packets of a batch are still looked at */
};

struct capture *capture_create(const struct capture_backend *backend, void *state)
{
    struct capture *capture = malloc(sizeof *capture);
    if (!capture) {
        backend->close(state);
        return NULL;
    }
    *capture = (struct capture){backend, state, false};
    return capture;
}

static void hold(struct capture *capture, bool is_held)
{
    if (capture->is_held == is_held)
        return;
    capture->backend->hold(capture->state, is_held);
    capture->is_held = is_held;
}

enum capture_result capture_next(struct capture *capture, struct raw_packet *packet,
                                 struct error *err)
{
    hold(capture, false);
    return capture->backend->next(capture->state, packet, err);
}

size_t capture_batch(struct capture *capture, struct raw_packet *packets, size_t max,
                     enum capture_result *after, struct error *err)
{
    *after = capture_next(capture, &packets[0], err);
    if (*after != CAPTURE_PACKET)
        return 0;
    if (!capture->backend->hold)
        return 1;
    hold(capture, true);
    size_t count = 1;
    while (count < max && *after == CAPTURE_PACKET) {
        *after = capture->backend->next(capture->state, &packets[count], err);
        count += *after == CAPTURE_PACKET;
    }
    if (*after == CAPTURE_IDLE)
        *after = CAPTURE_PACKET; /* the next one has to be fetched */
    return count;
}

const char *capture_source_name(const struct capture *capture, uint32_t source_index)
{
    return capture->backend->source_name(capture->state, source_index);
}

void capture_drops(struct capture *capture, uint32_t source_index, struct capture_drops *drops)
{
    *drops = (struct capture_drops){0};
    capture->backend->drops(capture->state, source_index, drops);
}

void capture_close(struct capture *capture)
{
    if (!capture)
        return;
    capture->backend->close(capture->state);
    free(capture);
}
