/* flood.h: more new connections to one service than any client opens, more datagrams that nobody
 * understands, more echo requests to one host and more ARP packets of one than anything needs.
 * Bounded: a table of what is counted, the one that was quiet for longest is forgotten first. */
#pragma once

#include "sensor/base/finding.h"
#include "sensor/base/store.h"

struct floods;

struct floods *floods_create(const struct finding_sink *sink);
void floods_destroy(struct floods *floods);

/* FLOW, DATAGRAMS, ECHO and ARP sightings; others are ignored. What is busy every day has a limit
 * of three times that, others have a fixed one. is_learning: datagrams are what is usual here. */
void floods_sighting(struct floods *floods, const struct sighting *sighting, bool is_learning);
/* Once per second of packet time: tells how far a flood that goes on has come. */
void floods_tick(struct floods *floods, int64_t time_ns);

/* The store: what is so usual that it raises a limit, when that changed since the last call; and
 * the way back. The inventory's schema has the table. */
void floods_save(struct floods *floods, struct store_queue *queue, const char *sensor);
bool floods_load(struct floods *floods, struct store *store, const char *sensor,
                 struct error *err) NODISCARD;
