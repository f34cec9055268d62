/* output_jsonl.c: alerts as JSON lines in a file that is rotated by size: PATH, PATH.1 (newer) ...
 * PATH.N (oldest). A batch is on the disk (fsync) before it counts as delivered; a batch that does
 * not fit (full disk) is taken back. */
#include "output.h"

#include "sensor/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct jsonl {
    const struct config *config;
    int fd; /* -1: closed */
    off_t size;
};

static bool jsonl_is_configured(const struct config *config)
{
    return config->jsonl_path[0] != '\0';
}

static void *jsonl_open(const struct config *config)
{
    struct jsonl *j = calloc(1, sizeof *j);
    if (j)
        *j = (struct jsonl){.config = config, .fd = -1};
    return j;
}

static void close_file(struct jsonl *j)
{
    if (j->fd >= 0)
        close(j->fd);
    j->fd = -1;
}

static void jsonl_close(void *state)
{
    close_file(state);
    free(state);
}

static bool fail(const struct jsonl *j, const char *what, struct error *err)
{
    return error_set(err, "alerts file %s: %s: %s", j->config->jsonl_path, what, strerror(errno));
}

static bool write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, bytes, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        size -= (size_t)n;
    }
    return true;
}

/* A line that a crash cut off is ended, so that the next one stands alone. */
static bool end_last_line(struct jsonl *j)
{
    char last = '\n';
    if (j->size > 0 && pread(j->fd, &last, 1, j->size - 1) != 1)
        return false;
    if (last == '\n')
        return true;
    j->size++;
    return write_all(j->fd, "\n", 1);
}

static bool open_file(struct jsonl *j, struct error *err)
{
    struct stat status, there;
    bool is_gone =
        j->fd >= 0 && (stat(j->config->jsonl_path, &there) != 0 || fstat(j->fd, &status) != 0 ||
                       there.st_ino != status.st_ino || there.st_dev != status.st_dev);
    if (is_gone) /* somebody moved it away: logrotate, an operator */
        close_file(j);
    if (j->fd >= 0)
        return true;
    j->fd = open(j->config->jsonl_path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (j->fd < 0)
        return fail(j, "cannot open", err);
    if (fstat(j->fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        close_file(j);
        return error_set(err, "alerts file %s: not a regular file", j->config->jsonl_path);
    }
    j->size = status.st_size;
    if (end_last_line(j))
        return true;
    fail(j, "cannot write", err);
    close_file(j);
    return false;
}

static enum output_state jsonl_check(void *state, char mark[OUTPUT_MARK_SIZE], struct error *err)
{
    (void)mark; /* the file needs no memory of ours */
    return open_file(state, err) ? OUTPUT_READY : OUTPUT_AWAY;
}

static char *numbered(const struct jsonl *j, uint32_t n, char out[300])
{
    if (n == 0)
        return text_format(out, 300, "%s", j->config->jsonl_path);
    return text_format(out, 300, "%s.%" PRIu32, j->config->jsonl_path, n);
}

static bool rotate(struct jsonl *j, struct error *err)
{
    char from[300], to[300];
    close_file(j);
    for (uint32_t n = j->config->jsonl_keep; n > 0; n--)
        if (rename(numbered(j, n - 1, from), numbered(j, n, to)) != 0 && errno != ENOENT)
            return fail(j, "cannot rotate", err);
    if (j->config->jsonl_keep == 0 && unlink(j->config->jsonl_path) != 0 && errno != ENOENT)
        return fail(j, "cannot rotate", err);
    return open_file(j, err);
}

static bool is_full(const struct jsonl *j, size_t more)
{
    uint64_t max = (uint64_t)j->config->jsonl_megabytes << 20;
    return max > 0 && j->size > 0 && (uint64_t)j->size + more > max;
}

static size_t jsonl_publish(void *state, const struct outgoing *messages, size_t count,
                            char mark[OUTPUT_MARK_SIZE], struct error *err)
{
    struct jsonl *j = state;
    (void)mark;
    off_t start = j->size;
    size_t done = 0;
    bool ok = true;
    for (; ok && done < count; done++) {
        if (strcmp(messages[done].stream, "alerts") != 0)
            continue;
        if (is_full(j, messages[done].json_size + 1)) {
            if (done > 0)
                break; /* what is written so far is made safe first */
            if (!rotate(j, err))
                return 0;
            start = j->size;
        }
        ok = write_all(j->fd, messages[done].json, messages[done].json_size) &&
             write_all(j->fd, "\n", 1);
        j->size += (off_t)messages[done].json_size + 1;
    }
    if (ok && fdatasync(j->fd) == 0)
        return done;
    fail(j, "cannot write", err);
    if (ftruncate(j->fd, start) != 0)
        close_file(j); /* its last line is ended when it is opened again */
    j->size = start;
    return 0;
}

const struct output output_jsonl = {
    .name = "jsonl",
    .is_configured = jsonl_is_configured,
    .open = jsonl_open,
    .check = jsonl_check,
    .publish = jsonl_publish,
    .close = jsonl_close,
};
