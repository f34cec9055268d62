/* capture_merge.c: several capture files as one, in time order. Each file keeps its next packet
 * ready; the earliest goes first, of equal times the one named first. Within a file the file's own
 * order stays, also when its clock goes back. */
#include "capture_backend.h"
#include "capture_file.h"

#include <stdlib.h>
#include <string.h>

enum head { HEAD_WANTED, HEAD_READY, HEAD_NONE };

struct source {
    char *path;
    struct capture_file *file;
    struct error open_error; /* told in its turn */
    uint8_t head;            /* enum head: is `packet` the file's next one? */
    struct raw_packet packet;
    uint64_t count;
};

struct merge {
    struct source *sources;
    size_t count;
    bool is_held; /* no file may be closed */
};

static void source_close(struct source *s)
{
    capture_file_close(s->file);
    s->file = NULL;
    s->head = HEAD_NONE;
}

/* Makes the file's next packet ready. CAPTURE_PACKET when it is, or when there is none any more. */
static enum capture_result source_advance(struct source *s, uint32_t index, struct error *err)
{
    if (!s->file) {
        s->head = HEAD_NONE;
        *err = s->open_error;
        return CAPTURE_DAMAGED;
    }
    enum capture_result result = capture_file_next(s->file, &s->packet, err);
    if (result == CAPTURE_PACKET) {
        s->head = HEAD_READY;
        s->packet.source_index = index;
        s->packet.number = ++s->count;
    } else if (result != CAPTURE_IDLE) {
        s->head = HEAD_NONE;
    }
    return result == CAPTURE_END ? CAPTURE_PACKET : result;
}

/* Of one file alone nothing is kept ready. */
static enum capture_result only_next(struct merge *m, struct raw_packet *packet, struct error *err)
{
    struct source *s = &m->sources[0];
    if (s->head == HEAD_NONE)
        return CAPTURE_END;
    if (!s->file) {
        s->head = HEAD_NONE;
        *err = s->open_error;
        return CAPTURE_DAMAGED;
    }
    enum capture_result result = capture_file_next(s->file, packet, err);
    if (result == CAPTURE_PACKET) {
        packet->source_index = 0;
        packet->number = ++s->count;
    } else if (result != CAPTURE_IDLE) {
        s->head = HEAD_NONE;
        if (!m->is_held)
            source_close(s);
    }
    return result;
}

static enum capture_result merge_next(void *state, struct raw_packet *packet, struct error *err)
{
    struct merge *m = state;
    if (m->count == 1)
        return only_next(m, packet, err);
    struct source *first = NULL;
    for (size_t i = 0; i < m->count; i++) {
        struct source *s = &m->sources[i];
        if (s->head == HEAD_WANTED) {
            enum capture_result result = source_advance(s, (uint32_t)i, err);
            if (s->head == HEAD_NONE && !m->is_held)
                source_close(s);
            if (result != CAPTURE_PACKET)
                return result;
        }
        if (s->head == HEAD_READY && (!first || s->packet.time_ns < first->packet.time_ns))
            first = s;
    }
    if (!first)
        return CAPTURE_END;
    *packet = first->packet;
    first->head = HEAD_WANTED; /* only then: its bytes are borrowed until now */
    return CAPTURE_PACKET;
}

static void merge_hold(void *state, bool is_held)
{
    struct merge *m = state;
    m->is_held = is_held;
    for (size_t i = 0; i < m->count; i++) {
        struct source *s = &m->sources[i];
        if (!is_held && s->head == HEAD_NONE)
            source_close(s);
        else if (s->file)
            capture_file_hold(s->file, is_held);
    }
}

static const char *merge_source_name(const void *state, uint32_t source_index)
{
    const struct merge *m = state;
    return source_index < m->count ? m->sources[source_index].path : "";
}

static void merge_drops(void *state, uint32_t source_index, struct capture_drops *drops)
{
    const struct merge *m = state;
    if (source_index < m->count)
        drops->received = m->sources[source_index].count;
}

static void merge_close(void *state)
{
    struct merge *m = state;
    for (size_t i = 0; i < m->count; i++) {
        source_close(&m->sources[i]);
        free(m->sources[i].path);
    }
    free(m->sources);
    free(m);
}

static const struct capture_backend merge_backend = {
    .next = merge_next,
    .hold = merge_hold,
    .source_name = merge_source_name,
    .drops = merge_drops,
    .close = merge_close,
};

struct capture *capture_files(const char *const *paths, size_t count)
{
    struct merge *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->sources = calloc(count ? count : 1, sizeof *m->sources);
    if (!m->sources) {
        free(m);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        struct source *s = &m->sources[m->count];
        s->path = strdup(paths[i]);
        if (!s->path) {
            merge_close(m);
            return NULL;
        }
        m->count++;
        s->file = capture_file_open(paths[i], &s->open_error);
    }
    return capture_create(&merge_backend, m);
}
