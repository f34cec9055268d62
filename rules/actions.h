/* actions.h: which events are engineering actions on a controller, and how people say them. */
#pragma once

#include "sensor/base/finding.h"
#include "sensor/base/ot_event.h"

/* How one kind of action is told. %T is the target, %O the object: what the event names, or
 * `thing`. */
struct action {
    enum detection detection;
    const char *thing;    /* "a program" */
    const char *ordered;  /* asked for, no answer yet: "is downloading %O to %T" */
    const char *done;     /* the device agreed: "downloaded %O to %T" */
    const char *refused;  /* the device did not: "tried to download %O to %T, which refused" */
    const char *expected; /* "nobody programs this controller without approval" */
};

/* The action that this event asks for or reports; NULL: none. A transfer's operation counts when it
 * has one. */
const struct action *action_of(const struct ot_event *e, enum operation operation);
/* May the operation be an action at all: a cheap test for every event. */
bool action_is_candidate(enum operation operation);
/* The telling of a detection that belongs to controllers (plc.*). */
const struct action *action_find(enum detection detection);

/* What the event acts on: "OB1", "DB5.DBW10", "" when it says nothing. Returns out. */
/* What a file of this name ("" when it has none) is for the device that it is written to. */
const struct action *action_of_file(const char *protocol, const char *name);
char *action_object(const struct ot_event *e, char *out, size_t capacity);
/* Fills a phrase: %O by the object (or thing when it is empty); %T stays. Returns out. */
char *action_phrase(char *out, size_t capacity, const char *phrase, const char *thing,
                    const char *object);
