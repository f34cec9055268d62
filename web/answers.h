/* answers.h: answers are kept, with their response, for whoever asks the same next. An answer is of
 * one moment of the store:
 *
 *   nothing was committed since    it is sent
 *   a person changed something     it is made anew before it is sent: everybody sees his own change
 *   the sensor committed           it is made anew before it is sent; one that may lag and takes
 *                                  long is sent for STALE_MAX_MS while a thread makes the next, at
 *                                  once and unasked as long as somebody has asked within a minute
 *
 * Some are made ahead: when the console starts, and after commits as long as anybody uses it, so
 * that who opens a page of a large store need not wait for the first one.
 *
 * Who asks for what is just being made waits for that one. Their number and their bytes are
 * bounded; those that nobody asked for the longest go first. Any thread. */
#pragma once

#include "request.h"

struct answers;

/* NULL: out of memory. Uses the web's readers and asset list (NULL: none), which must outlive it.
 */
struct answers *answers_create(struct web *web);
void answers_destroy(struct answers *a);

/* What `make` answers to these arguments, which it reads by the functions of request.h only. It
 * must not depend on who asks. */
enum MHD_Result answers_reply(struct request *r, enum MHD_Result (*make)(struct request *r),
                              bool may_lag);

/* What may lag, asked without arguments, is made ahead from now on. A dozen of them at most. */
void answers_ahead(struct answers *a, const char *path, enum MHD_Result (*make)(struct request *r));

/* A person has changed something. */
void answers_forget(struct answers *a);
