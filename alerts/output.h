/* output.h: where alerts go. An output is a file of its own behind these functions and a line in
 * outputs.def; delivery.c drives it from one thread and keeps its place in the outbox. */
#pragma once

#include "sensor/base/config.h"
#include "sensor/base/error.h"

#include <stddef.h>
#include <stdint.h>

/* A message of the outbox; borrowed for the call. */
struct outgoing {
    int64_t seq;
    const char *stream; /* "alerts", "assets", "links", "health" */
    const char *id;
    uint32_t revision;
    const char *json;
    size_t json_size;
};

enum output_state {
    OUTPUT_READY,
    OUTPUT_AWAY,  /* try again later; the error says why */
    OUTPUT_EMPTY, /* the far side has lost what it was given: send again what the outbox keeps */
};

enum { OUTPUT_MARK_SIZE = 512 };

struct output {
    const char *name; /* key of its place in the outbox: never changes */
    bool (*is_configured)(const struct config *config);
    /* Prepares without connecting; config outlives it. NULL: out of memory. */
    void *(*open)(const struct config *config);
    /* Connects where needed, within seconds. mark is the output's own memory, kept beside its place
     * in the outbox: "" at first, and when it answers OUTPUT_EMPTY it has set it so that it will
     * not say so again. */
    enum output_state (*check)(void *state, char mark[OUTPUT_MARK_SIZE], struct error *err);
    /* Hands over messages in order. Returns how many of the first are safely there; fewer than
     * count: the error says why. */
    size_t (*publish)(void *state, const struct outgoing *messages, size_t count,
                      char mark[OUTPUT_MARK_SIZE], struct error *err);
    void (*close)(void *state);
};

#define OUTPUT(name) extern const struct output output_##name;
#include "outputs.def"
#undef OUTPUT
