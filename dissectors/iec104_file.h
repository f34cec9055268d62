/* iec104_file.h: file transfer of IEC 60870-5-104, types 120 to 127. */
#pragma once

#include "dissector.h"

struct iec104_file_asdu {
    uint8_t id, count, cause;
    bool is_sequence;
    uint32_t address;    /* common address */
    uint8_t object_size; /* bytes of an object address */
};

/* Items, operation and transfer step of one file ASDU. r: its objects. is_sent: per direction (1:
 * from the controlling station) whether it announced the file that is under way. */
void iec104_file(struct dissect *d, const struct iec104_file_asdu *asdu, struct reader *r,
                 struct ot_event *e, bool is_sent[2]);
