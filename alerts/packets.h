/* packets.h: evidence packets on their way to the store. Those of one alert are gathered, as
 * records of a capture file, and become one row: a row per packet costs ten times as much. */
#pragma once

#include "alert.h"
#include "sensor/base/config.h"
#include "sensor/base/store.h"

struct packets;

/* Both are borrowed. */
struct packets *packets_create(struct store_queue *queue, const struct config *config);
void packets_destroy(struct packets *packets);

/* source: name of the file or interface. At most EVIDENCE_SNAP bytes. */
void packets_add(struct packets *packets, const struct alert *alert, const char *source,
                 const struct evidence_packet *packet);
/* Posts what is gathered. */
void packets_flush(struct packets *packets);
