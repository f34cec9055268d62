/* flood.h: more new connections to one service than any client opens, more echo requests to one
 * host and more ARP packets of one than anything needs. Bounded: a table of what is counted, the
 * one that was quiet for longest is forgotten first. */
#pragma once

#include "sensor/base/finding.h"

struct floods;

struct floods *floods_create(const struct finding_sink *sink);
void floods_destroy(struct floods *floods);

/* FLOW, ECHO and ARP sightings; others are ignored. What is busy every day has a limit of three
 * times that, others have a fixed one. */
void floods_sighting(struct floods *floods, const struct sighting *sighting);
/* Once per second of packet time: tells how far a flood that goes on has come. */
void floods_tick(struct floods *floods, int64_t time_ns);
