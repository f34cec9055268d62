/* routes.h: which function answers which path, and who may ask. An endpoint is a line in
 * routes.def, a function, an entry in openapi.json, and tests. */
#pragma once

#include "request.h"

/* Answers one request whose body is complete: finds the route, who asks, and whether they may. */
enum MHD_Result routes_answer(struct request *r);
/* What the pages of a large store open with, see answers.h. */
void routes_make_ahead(struct answers *answers);

#define ROUTE(method, path, role, needs, function) enum MHD_Result function(struct request *r);
#include "routes.def"
#undef ROUTE
