/* masters.h: who writes which object of which device, and who else does (rw.conflicting-masters).
 *
 * Fed with SIGHTING_WRITE; lives in the core, because the two writers may be with different
 * workers. Two writers that were both learned are normal (an HMI and its stand-by); a conflict
 * needs one that was not. Bounded: MASTERS_MAX objects of about 250 bytes, the least recently
 * written of a few makes room. */
#pragma once

#include "sensor/base/finding.h"

struct masters;

struct masters *masters_create(const struct finding_sink *sink);
void masters_destroy(struct masters *m);
/* SIGHTING_WRITE only; others are ignored. is_silent: nothing is told now. */
void masters_sighting(struct masters *m, const struct sighting *s, bool is_silent);
