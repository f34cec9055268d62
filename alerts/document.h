/* document.h: an alert as one line of JSON: ECS names, the plant's "ot", and what is ours under
 * "sightglass" (alert.schema.json). Keys come in a fixed order and only where they apply: the same
 * alert gives the same bytes. */
#pragma once

#include "alert.h"
#include "baseline/inventory.h"
#include "incidents.h"

#include <stddef.h>

struct story;

struct document_context {
    const char *sensor;  /* observer.name */
    const char *segment; /* name of the alert's segment */
    /* inventory_describe, or what a test puts in its place; NULL: hosts have addresses only */
    bool (*describe)(const struct inventory *inventory, uint32_t segment,
                     const struct endpoint *host, struct asset_brief *brief);
    const struct inventory *inventory;
    int64_t created_ns;        /* wall clock; 0: none (deterministic runs) */
    const struct story *story; /* of the alert's incident so far; NULL: it stands alone */
    uint32_t alerts;           /* of that incident */
    uint32_t storm_cap;
};

enum {
    DOCUMENT_SCHEMA = 1,
    MESSAGE_SIZE = 1024,
    HOST_NAME_SIZE = 320,
    DOCUMENT_MAX = 32768,
    DOCUMENT_TEXT = 2048
};

/* An alert's document, and what lists of alerts show of it, as it is written there. */
struct document {
    size_t json_size;
    char json[DOCUMENT_MAX]; /* without a line end; terminated */
    char message[DOCUMENT_TEXT];
    char rule_name[DOCUMENT_TEXT];
};
/* The finding's ot_json is empty or what event_json_ot made. */
void document_write(struct document *document, const struct alert *alert,
                    const struct document_context *context);

/* One whole JSON object: for an ot_json that comes from elsewhere. */
bool document_is_object(const char *json, size_t size);

/* The plain sentence: who, what, to whom. Returns out. */
char *document_message(char out[MESSAGE_SIZE], const struct alert *alert,
                       const struct document_context *context);

/* "PLC-7 (S7-300, 10.0.0.10)", "the S7-300 at 10.0.0.10", "the PLC at 10.0.0.10", "10.0.0.10". A
 * name that is only the address again is none. Actors are called by name or address alone: what
 * matters is who, not what. Returns out. */
char *document_host(char out[HOST_NAME_SIZE], const struct document_context *context,
                    uint32_t segment, const struct endpoint *host, bool is_target);

/* What the inventory knows of a host; false and empty: nothing. */
bool document_describe(struct asset_brief *brief, const struct document_context *context,
                       uint32_t segment, const struct endpoint *host);
