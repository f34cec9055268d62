/* capture.c: one face for all places that packets come from. */
#include "capture_backend.h"

#include <stdlib.h>

struct capture {
    const struct capture_backend *backend;
    void *state;
};

struct capture *capture_create(const struct capture_backend *backend, void *state)
{
    struct capture *capture = malloc(sizeof *capture);
    if (!capture) {
        backend->close(state);
        return NULL;
    }
    *capture = (struct capture){backend, state};
    return capture;
}

enum capture_result capture_next(struct capture *capture, struct raw_packet *packet,
                                 struct error *err)
{
    return capture->backend->next(capture->state, packet, err);
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
