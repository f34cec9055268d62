/* sole_writer.c: a lock on one byte far behind the end of the store and behind the bytes that
 * SQLite locks (at 1 GiB). It belongs to the open file, so that a second one in this process is
 * refused as well, and goes with it. */
#include "sole_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define LOCKED_BYTE (INT64_MAX - 1)

bool sole_writer_begin(int *writer, const char *store_path, struct error *err)
{
    *writer = SOLE_WRITER_NONE;
    if (strcmp(store_path, ":memory:") == 0)
        return true;
    int fd = open(store_path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, "store %s: %s", store_path, strerror(errno));
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = LOCKED_BYTE, .l_len = 1};
    if (fcntl(fd, F_OFD_SETLK, &lock) != 0 && (errno == EAGAIN || errno == EACCES)) {
        close(fd);
        return error_set(err,
                         "store %s: another sensor is writing to it; stop that one, or name "
                         "another store with -s",
                         store_path);
    }
    *writer = fd;
    return true;
}

void sole_writer_end(int writer)
{
    if (writer != SOLE_WRITER_NONE)
        close(writer);
}
