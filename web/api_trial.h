/* api_trial.h: a text of the body is checked, or tried on the history: policies and rules alike. */
#pragma once

#include "request.h"
#include "rules/history.h"

enum { TRIAL_ROWS_MAX = 300000 }; /* of the history, the newest */

/* Whether the body is an object whose "text" is not empty. */
bool api_has_text(const json_t *body);

/* Answers to a body with a text: *json, which it gives away; false: *err says why the store could
 * not tell. */
typedef bool api_about_text(struct request *r, const json_t *body, json_t **json,
                            struct error *err);

/* send: what is said to who sends no text. */
enum MHD_Result api_check(struct request *r, const char *send, api_about_text *answer);
/* The same, one at a time: it reads a lot. */
enum MHD_Result api_try(struct request *r, const char *send, api_about_text *answer);

/* What part of the history something was tried on. */
json_t *api_span_json(const struct history_span *span);
