/* stream.h: server-sent events (WHATWG HTML 9.2): tells pages that the store has changed, and how.
 */
#pragma once

#include "request.h"

/* Events: "alerts" (a list of changed alerts' summaries, with the sequence number as id) and
 * "status" (numbers of alerts and assets, when they changed), "problem" (why the store cannot be
 * read; a status follows when it can). A comment every ten seconds keeps the connection alive. */
enum MHD_Result stream_answer(struct request *r);
