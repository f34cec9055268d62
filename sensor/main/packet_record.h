/* packet_record.h: a decoded packet as one block of bytes, for the way from the reader to a worker.
 */
#pragma once

#include "sensor/base/packet.h"

#include <stddef.h>

/* Bytes that packet_record_write takes. */
size_t packet_record_size(const struct packet *packet);
/* Writes to a place that is aligned for any type; nothing of the packet is borrowed afterwards. */
void packet_record_write(void *record, const struct packet *packet);
/* The packet, which lies in the record and points into it; once per record. */
struct packet *packet_record_read(void *record);
