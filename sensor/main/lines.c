/* lines.c: writing text, and saying why it did not arrive. */
#include "lines.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

FILE *lines_open(const char *path, struct error *err)
{
    FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
    if (!file)
        error_set(err, "cannot write %s: %s", path, strerror(errno));
    return file;
}

/* Of a pipe or socket. errno does not tell: the write that failed may be long ago. */
static bool is_reader_gone(FILE *file)
{
    struct pollfd end = {.fd = fileno(file), .events = POLLOUT};
    return poll(&end, 1, 0) == 1 && (end.revents & (POLLERR | POLLHUP));
}

bool lines_end(FILE *file, const char *name, struct error *err)
{
    bool ok = fflush(file) == 0 && !ferror(file);
    const char *why = is_reader_gone(file) ? "its reader has gone" : "is the disk full?";
    if (file != stdout)
        ok = fclose(file) == 0 && ok;
    return ok || error_set(err, "%s was not written completely: %s", name, why);
}
