/* local_time.h: what the clock on the wall shows in a time zone, for windows that are meant in
 * local time. Zones come from the system's zone files (RFC 8536); UTC and fixed distances
 * ("+01:00") need none. Immutable after its creation. */
#pragma once

#include "sensor/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct local_time;

/* zone: "UTC", "+01:00" or a name such as "Europe/Berlin". NULL: no such zone, or out of memory. */
struct local_time *local_time_create(const char *zone, struct error *err);
/* The same from a zone file in memory. */
struct local_time *local_time_parse(const char *zone, const uint8_t *bytes, size_t size,
                                    struct error *err);
void local_time_destroy(struct local_time *t);

const char *local_time_zone(const struct local_time *t);
/* Seconds since 1970 as if the zone's wall clock were UTC, and back. An hour that the clock skips
 * or repeats gives one of its two readings. */
int64_t local_time_of(const struct local_time *t, int64_t utc_s);
int64_t local_time_to_utc(const struct local_time *t, int64_t local_s);

/* Days since 1970-01-01 of a date of the Gregorian calendar. */
int64_t local_time_days(int64_t year, unsigned month, unsigned day);
/* 0 Monday .. 6 Sunday. */
unsigned local_time_weekday(int64_t days);
