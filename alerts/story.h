/* story.h: an incident in words: its title, and the document that the store keeps
 * (incident.schema.json). */
#pragma once

#include "document.h"

enum { TITLE_SIZE = 1200 };

/* What the document of an alert says of its incident. */
struct story {
    /* "10.0.0.5 (new device) made first contact with the PLC at 10.0.0.10, read its program and
     * downloaded a program to it within 7 s" */
    char title[TITLE_SIZE];
    /* the ATT&CK tactics that the story has walked through, each once, in order of time; static */
    struct text tactics[INCIDENT_STEPS_MAX];
    uint32_t tactic_count;
};

void story_tell(struct story *story, const struct incident *incident,
                const struct document_context *context);

/* The document with its story, without a line end, to be freed by the caller; NULL: out of memory.
 */
char *story_document(const struct incident *incident, const struct story *story,
                     const struct document_context *context, size_t *size);
