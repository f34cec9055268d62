/* files.h: files that carry programs: executables, scripts, projects of engineering tools. Told by
 * their names, and executables by their first bytes, too. */
#pragma once

#include "sensor/base/ot_event.h"

enum { FILE_NAME_SIZE = 64 };

struct file_move {
    const char *kind;          /* "an executable", "a script", "an engineering project" */
    bool is_to_server;         /* written; else read */
    char name[FILE_NAME_SIZE]; /* without its path; "" when only the content tells */
};

/* True when the event moves such a file, or asks for it. Cheap for all other events. */
bool files_is_program(const struct ot_event *e, struct file_move *move);
