/* api_trial.c: see api_trial.h. */
#include "api_trial.h"

bool api_has_text(const json_t *body)
{
    return json_string_length(json_object_get(body, "text")) > 0;
}

enum MHD_Result api_check(struct request *r, const char *send, api_about_text *answer)
{
    json_t *body = request_object(r), *json = NULL;
    struct error err = {""};
    enum MHD_Result result;
    if (!api_has_text(body)) {
        result = reply_error(r, MHD_HTTP_BAD_REQUEST, send);
    } else if (answer(r, body, &json, &err)) {
        result = reply_json(r, MHD_HTTP_OK, json);
    } else {
        json_decref(json);
        result = reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, err.text);
    }
    json_decref(body);
    return result;
}

enum MHD_Result api_try(struct request *r, const char *send, api_about_text *answer)
{
    if (pthread_mutex_trylock(&r->web->trying) != 0)
        return reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE,
                           "somebody else is trying something on the history: try again in a "
                           "moment");
    enum MHD_Result result = api_check(r, send, answer);
    pthread_mutex_unlock(&r->web->trying);
    return result;
}

json_t *api_span_json(const struct history_span *span)
{
    return json_pack("{s:I, s:I, s:b, s:o, s:o}", "rows", (json_int_t)span->rows, "events",
                     (json_int_t)span->events, "is_cut", span->is_cut, "from",
                     span->rows ? json_time_of(span->first_ns) : json_null(), "to",
                     span->rows ? json_time_of(span->last_ns) : json_null());
}
