/* dnp3_file.h: file objects (group 70) of DNP3. */
#pragma once

#include "dnp3_objects.h"

enum { DNP3_FILE_NAME_MAX = 96 };

/* What an open request asked for. */
struct dnp3_open {
    uint8_t mode; /* 1 read, 2 write, 3 append */
    uint8_t name_size;
    char name[DNP3_FILE_NAME_MAX];
};

/* The file object of a walk into the event: item, operation, transfer step, status. asked: of a
 * matched response, else NULL. open: filled by an open request, else untouched. */
void dnp3_file_object(struct dissect *d, struct dnp3_application *s, const struct dnp3_walk *w,
                      struct ot_event *e, const struct dnp3_open *asked, struct dnp3_open *open);
