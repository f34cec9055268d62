/* story.h: an incident in words: its title, and the document that the store keeps
 * (incident.schema.json). */
#pragma once

#include "document.h"

enum { TITLE_SIZE = 1200 };

/* "10.0.0.5 (new device) made first contact with the PLC at 10.0.0.10, read its program and
 * downloaded a program to it within 7 s". Returns out. */
char *story_title(char out[TITLE_SIZE], const struct incident *incident,
                  const struct document_context *context);

/* Calls put for the ATT&CK tactics that the story has walked through, each once, in order of
 * time. */
void story_tactics(const struct incident *incident, void (*put)(void *context, struct text tactic),
                   void *context);

/* The document with its title, without a line end, to be freed by the caller; NULL: out of memory.
 */
char *story_document(const struct incident *incident, const char *title,
                     const struct document_context *context, size_t *size);
