/* capture_input.c: the bytes of a capture file. Bytes are read into one buffer of fixed size; what
 * is not yet taken moves to its start when the rest does not suffice. gzip (RFC 1952), also of
 * several members, is told by its magic. */
#include "capture_input.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum {
    BUFFER_SIZE = 512 * 1024,    /* a record of the greatest size, and more */
    READ_SIZE = 64 * 1024,       /* leaves room in the second-level cache for the tables */
    COMPRESSED_SIZE = 64 * 1024, /* what is read of a gzip file at a time */
    GZIP_WINDOW = 15 + 16,       /* zlib: the largest window, gzip wrapping */
};

struct input {
    int fd;                /* -1: memory */
    const uint8_t *memory; /* what is left of it */
    size_t memory_left;
    bool is_pipe, is_at_end;
    bool is_held; /* the buffer must stay as it is */

    uint8_t *buffer;
    size_t start, end; /* not yet taken: buffer[start..end) */
    uint64_t offset;   /* of buffer[start] */

    bool is_gzip, is_magic_known;
    bool is_between_members; /* a gzip member ended and no other began */
    z_stream zlib;
    uint8_t *compressed;

    char why[160];
};

static struct input *input_create(void)
{
    struct input *in = calloc(1, sizeof *in);
    if (!in)
        return NULL;
    in->fd = -1;
    in->buffer = malloc(BUFFER_SIZE);
    if (!in->buffer) {
        free(in);
        return NULL;
    }
    return in;
}

struct input *input_open(const char *path, struct error *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stat about;
    if (fd < 0 || fstat(fd, &about) < 0) {
        error_set(err, "cannot open %s: %s", is_stdin ? "standard input" : path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    if (S_ISDIR(about.st_mode)) {
        error_set(err, "cannot read %s: it is a folder, not a capture file", path);
        close(fd);
        return NULL;
    }
    struct input *in = input_create();
    if (!in) {
        error_set(err, "cannot read %s: out of memory", path);
        close(fd);
        return NULL;
    }
    in->fd = fd;
    in->is_pipe = !S_ISREG(about.st_mode);
    if (!in->is_pipe)
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return in;
}

struct input *input_memory(const void *bytes, size_t size)
{
    struct input *in = input_create();
    if (!in)
        return NULL;
    in->memory = bytes;
    in->memory_left = size;
    return in;
}

void input_close(struct input *in)
{
    if (!in)
        return;
    if (in->is_gzip)
        inflateEnd(&in->zlib);
    if (in->fd >= 0)
        close(in->fd);
    free(in->compressed);
    free(in->buffer);
    free(in);
}

static enum input_result fail(struct input *in, const char *what)
{
    snprintf(in->why, sizeof in->why, "%s", what);
    return INPUT_ERROR;
}

/* Reads what comes next of the file as it is: *got 0 at its end. */
static enum input_result read_raw(struct input *in, uint8_t *to, size_t room, size_t *got)
{
    *got = 0;
    if (in->fd < 0) {
        *got = in->memory_left < room ? in->memory_left : room;
        if (*got)
            memcpy(to, in->memory, *got);
        in->memory += *got;
        in->memory_left -= *got;
        return INPUT_READY;
    }
    if (in->is_pipe) {
        struct pollfd wait = {.fd = in->fd, .events = POLLIN};
        if (poll(&wait, 1, INPUT_WAIT_MS) <= 0)
            return INPUT_WAIT;
    }
    ssize_t n = read(in->fd, to, room);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return INPUT_WAIT;
    if (n < 0)
        return fail(in, strerror(errno));
    *got = (size_t)n;
    return INPUT_READY;
}

/* Inflates into the buffer as much as fits, reading more of the file when nothing waits. */
static enum input_result fill_gzip(struct input *in)
{
    z_stream *z = &in->zlib;
    if (z->avail_in == 0) {
        size_t got;
        enum input_result result = read_raw(in, in->compressed, COMPRESSED_SIZE, &got);
        if (result != INPUT_READY)
            return result;
        z->next_in = in->compressed;
        z->avail_in = (uInt)got;
        if (got == 0) {
            in->is_at_end = true;
            return in->is_between_members ? INPUT_READY : fail(in, "gzip data is cut short");
        }
    }
    if (in->is_between_members) {
        if (z->next_in[0] != 0x1f) { /* gzip(1) ignores padding after the last member as well */
            in->is_at_end = true;
            return INPUT_READY;
        }
        inflateReset(z);
        in->is_between_members = false;
    }
    z->next_out = in->buffer + in->end;
    z->avail_out = (uInt)(BUFFER_SIZE - in->end);
    int status = inflate(z, Z_NO_FLUSH);
    in->end = BUFFER_SIZE - z->avail_out;
    if (status == Z_STREAM_END)
        in->is_between_members = true;
    else if (status != Z_OK && status != Z_BUF_ERROR)
        return fail(in, "gzip data is damaged");
    return INPUT_READY;
}

static enum input_result fill_plain(struct input *in)
{
    size_t got;
    size_t room = BUFFER_SIZE - in->end;
    enum input_result result =
        read_raw(in, in->buffer + in->end, room < READ_SIZE ? room : READ_SIZE, &got);
    if (result != INPUT_READY)
        return result;
    in->end += got;
    if (got == 0)
        in->is_at_end = true;
    return INPUT_READY;
}

/* Once two bytes are there: when they are gzip's, what was read becomes compressed input. */
static enum input_result look_for_gzip(struct input *in)
{
    in->is_magic_known = true;
    if (in->end < 2 || in->buffer[0] != 0x1f || in->buffer[1] != 0x8b)
        return INPUT_READY;
    if (inflateInit2(&in->zlib, GZIP_WINDOW) != Z_OK)
        return fail(in, "out of memory");
    in->is_gzip = true;
    /* the first read may have filled the whole buffer: that much compressed input is kept once */
    in->compressed = malloc(BUFFER_SIZE);
    if (!in->compressed)
        return fail(in, "out of memory");
    memcpy(in->compressed, in->buffer, in->end);
    in->zlib.next_in = in->compressed;
    in->zlib.avail_in = (uInt)in->end;
    in->end = 0;
    in->is_at_end = false;
    return INPUT_READY;
}

static enum input_result fill(struct input *in, size_t n)
{
    if (in->is_held)
        return INPUT_WAIT;
    if (in->why[0])
        return INPUT_ERROR;
    if (in->start > 0) {
        memmove(in->buffer, in->buffer + in->start, in->end - in->start);
        in->end -= in->start;
        in->start = 0;
    }
    while (in->end < n || !in->is_magic_known) {
        enum input_result result = INPUT_READY;
        if (!in->is_magic_known && (in->end >= 2 || in->is_at_end))
            result = look_for_gzip(in);
        else if (in->is_at_end)
            return INPUT_SHORT;
        else
            result = in->is_gzip ? fill_gzip(in) : fill_plain(in);
        if (result != INPUT_READY)
            return result;
    }
    return INPUT_READY;
}

void input_hold(struct input *in, bool is_held)
{
    in->is_held = is_held;
}

enum input_result input_peek(struct input *in, size_t n, const uint8_t **at, size_t *left)
{
    assert(n <= INPUT_PEEK_MAX);
    enum input_result result = INPUT_READY;
    if (in->end - in->start < n || !in->is_magic_known)
        result = fill(in, n);
    *at = in->buffer + in->start;
    if (left)
        *left = in->end - in->start;
    return result;
}

void input_take(struct input *in, size_t n)
{
    assert(n <= in->end - in->start);
    in->start += n;
    in->offset += n;
}

enum input_result input_skip(struct input *in, uint64_t *left)
{
    while (*left > 0) {
        size_t there = in->end - in->start;
        if (there == 0) {
            enum input_result result = fill(in, 1);
            if (result != INPUT_READY)
                return result;
            continue;
        }
        size_t n = *left < there ? (size_t)*left : there;
        input_take(in, n);
        *left -= n;
    }
    return INPUT_READY;
}

uint64_t input_offset(const struct input *in)
{
    return in->offset;
}

const char *input_error(const struct input *in)
{
    return in->why;
}
