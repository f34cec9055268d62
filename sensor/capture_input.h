/* capture_input.h: the bytes of a capture file, one after the other, with one large buffer: a plain
 * file, a pipe, gzip, or memory. Knows nothing of what the bytes mean. One thread owns it. */
#pragma once

#include "sensor/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    INPUT_PEEK_MAX = 320 * 1024, /* a packet of 256 KiB with its headers, and room to spare */
    INPUT_WAIT_MS = 100,         /* how long a quiet pipe is waited for */
};

enum input_result {
    INPUT_READY, /* the bytes are there */
    INPUT_SHORT, /* the file ends before them */
    INPUT_WAIT,  /* a pipe has not brought them yet: ask again */
    INPUT_ERROR, /* reading failed; input_error says why */
};

struct input;

/* Opens a file, or standard input for "-". NULL and *err on failure. */
struct input *input_open(const char *path, struct error *err);
/* Reads from memory, which must outlive it. gzip is recognised there too. */
struct input *input_memory(const void *bytes, size_t size);
void input_close(struct input *input);

/* Held: what input_peek has shown stays where it is until the hold ends; meanwhile what is not yet
 * in memory is INPUT_WAIT. Lets several packets be looked at together. */
void input_hold(struct input *input, bool is_held);

/* Makes the next n bytes (at most INPUT_PEEK_MAX) lie at *at without moving past them. They stay
 * there until the next call (see input_hold). With INPUT_SHORT, *left (when not NULL) says how many
 * there are. */
enum input_result input_peek(struct input *input, size_t n, const uint8_t **at, size_t *left);

/* Moves past bytes that input_peek has shown. */
void input_take(struct input *input, size_t n);

/* Moves past n bytes, seen or not; *left is what is missing of them when the answer is not
 * INPUT_READY. */
enum input_result input_skip(struct input *input, uint64_t *left);

/* Bytes taken so far; for gzip, of the uncompressed stream. */
uint64_t input_offset(const struct input *input);

/* Why reading failed; "" when it did not. Borrowed. */
const char *input_error(const struct input *input);
