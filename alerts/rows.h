/* rows.h: the tables of alerts and what is posted to the store's writer for them. All rows are
 * keyed (sensor, local id).
 *
 * Who writes what: the sensor's writer alerts, evidence, outbox, health and alert_totals; the
 * output thread output_cursor; the console alert_triage. */
#pragma once

#include "alert.h"
#include "incidents.h"
#include "sensor/base/store.h"

#include <stddef.h>

enum { SENSOR_TEXT = 64, STREAM_TEXT = 16, HOST_TEXT = ADDRESS_TEXT_SIZE };

/* One published revision. json_size bytes of the document follow, then message_size of its message
 * and name_size of its rule's name. */
struct alert_row {
    char sensor[SENSOR_TEXT];
    int severity;
    struct alert alert;
    bool is_resumable; /* may go on after a restart: keep its state */
    bool has_outputs;  /* the outbox keeps this revision's own document */
    size_t json_size, message_size, name_size;
};
/* Upserts the alert and puts the revision into the outbox. A revision that the store has already
 * (the same capture was read again) changes nothing: (id, revision) stays unique. Without outputs
 * the outbox's row has no document: an output that is configured later gets the store's, if that is
 * still of this revision. */
bool rows_alert_apply(struct store *store, const void *data, size_t size, struct error *err);

/* A message for an output stream that is not an alert. json_size bytes follow. */
struct message_row {
    char sensor[SENSOR_TEXT];
    char stream[STREAM_TEXT]; /* "assets", "links", "health" */
    char id[64];
    uint32_t revision;
    size_t json_size;
};
bool rows_message_apply(struct store *store, const void *data, size_t size, struct error *err);

/* Evidence packets of one alert: bytes_size bytes of capture file records follow. */
struct evidence_row {
    char sensor[SENSOR_TEXT];
    char alert[ALERT_ID_TEXT];
    char source[ALERT_SOURCE_TEXT];
    int64_t time_ns;        /* of the first */
    uint64_t packet_number; /* of the first */
    uint16_t link_type;
    uint32_t packets;
    uint64_t total_max; /* bytes of evidence in all: the oldest goes first */
    size_t bytes_size;
};
bool rows_evidence_apply(struct store *store, const void *data, size_t size, struct error *err);

/* A story as it is now. title_size bytes of its title and json_size bytes of its document follow.
 */
struct incident_row {
    char sensor[SENSOR_TEXT];
    struct incident incident;
    bool is_resumable;
    size_t title_size, json_size;
};
bool rows_incident_apply(struct store *store, const void *data, size_t size, struct error *err);
/* Calls put for the stories that may still grow, newest first, at most max. */
bool rows_incidents(struct store *store, const char *sensor, size_t max,
                    void (*put)(void *context, const struct incident *incident), void *context,
                    struct error *err) NODISCARD;

/* What may stay. */
struct retention_row {
    char sensor[SENSOR_TEXT];
    int64_t alerts_before_ns; /* alerts last seen before this go; INT64_MIN: none (files have their
                                 own times) */
    int64_t states_before_ns; /* alerts last seen before this cannot grow any more */
    uint32_t outbox_hours;
    uint64_t alerts_max, outbox_max; /* rows */
};
bool rows_retention_apply(struct store *store, const void *data, size_t size, struct error *err);

/* Calls put for the newest alerts that may still grow, at most max, newest first. */
bool rows_resumable(struct store *store, const char *sensor, size_t max,
                    void (*put)(void *context, const struct alert *alert), void *context,
                    struct error *err) NODISCARD;
