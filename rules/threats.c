/* threats.c: words for what the patterns and the indicators find. */
#include "rules/threats.h"

#include "rules/patterns.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PATTERN_PAIRS_MAX = 1024 };

struct threats {
    const struct indicators *indicators;
    struct causes *causes;
    struct patterns *patterns;
};

struct threats *threats_create(const struct indicators *indicators, struct causes *causes)
{
    struct threats *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->indicators = indicators;
    t->causes = causes;
    t->patterns = patterns_create(PATTERN_PAIRS_MAX);
    if (!t->patterns) {
        free(t);
        return NULL;
    }
    return t;
}

void threats_destroy(struct threats *t)
{
    if (!t)
        return;
    patterns_destroy(t->patterns);
    free(t);
}

/* --- indicators --- */

static struct cause_of cause_of_indicator(const struct indicator *i, const char *protocol,
                                          const char *phrase, char object[FINDING_KEY])
{
    text_format(object, FINDING_KEY, "%s", i->value);
    return (struct cause_of){.detection = DETECTION_MAL_INDICATOR,
                             .protocol = protocol,
                             .key = object,
                             .phrase = phrase,
                             .thing = "",
                             .object = object,
                             .expected = "nobody here has to do with what indicator lists name"};
}

static void tell(struct threats *t, struct finding *f, const struct cause_of *of,
                 const struct indicator *i, uint32_t flags, uint64_t count)
{
    causes_fill(f, of, flags, count);
    text_format(f->seen, sizeof f->seen, "%s %.120s, listed in %.60s%s%.60s",
                indicator_kind_name(i->kind), i->value, i->file, i->about[0] ? ": " : "", i->about);
    causes_tell(t->causes, f);
}

static void tell_event(struct threats *t, const struct ot_event *e, const struct indicator *i,
                       const char *phrase)
{
    char object[FINDING_KEY];
    struct cause_of of = cause_of_indicator(i, e->protocol, phrase, object);
    uint32_t flags = 0;
    uint64_t count;
    if (!causes_admit(t->causes, e->flow, e->time_ns, &of, &flags, &count))
        return;
    struct finding f;
    finding_of_event(&f, of.detection, e);
    f.actor = e->flow->client;
    f.target = e->flow->server;
    tell(t, &f, &of, i, flags, count);
}

void threats_flow(struct threats *t, const struct ot_flow *flow, const struct packet *packet)
{
    if (!t->indicators)
        return;
    int64_t now = packet ? packet->time_ns : flow->last_ns;
    const struct indicator *server = indicators_ip(t->indicators, &flow->server.ip, now);
    const struct indicator *i =
        server ? server : indicators_ip(t->indicators, &flow->client.ip, now);
    if (!i)
        return;
    char object[FINDING_KEY];
    struct cause_of of =
        cause_of_indicator(i, "",
                           server ? "connects to an address that indicator lists name: %O"
                                  : "is an address that indicator lists name, and connects to %T",
                           object);
    struct violation at = {
        .flow = flow, .packet = packet, .protocol = "", .time_ns = now, .is_from_client = true};
    uint32_t flags = 0;
    uint64_t count;
    if (!causes_admit(t->causes, flow, now, &of, &flags, &count))
        return;
    struct finding f;
    finding_of_violation(&f, of.detection, &at);
    tell(t, &f, &of, i, flags, count);
}

/* "http://name/path", as lists write it. */
static const struct indicator *url_of_request(const struct threats *t, const struct ot_event *e)
{
    char url[INDICATOR_VALUE_MAX];
    for (uint32_t i = 0; i < e->fact_count; i++) {
        const struct ot_fact *fact = &e->facts[i];
        if (fact->kind != FACT_HOST_NAME || !fact->is_about_receiver)
            continue;
        text_format(url, sizeof url, "http://%.*s%.*s", (int)fact->value.size, fact->value.at,
                    (int)e->detail.size, e->detail.size ? e->detail.at : "");
        return indicators_text(t->indicators, INDICATOR_URL, text_of(url), e->time_ns);
    }
    return NULL;
}

static void facts_look(struct threats *t, const struct ot_event *e)
{
    for (uint32_t n = 0; n < e->fact_count; n++) {
        const struct ot_fact *fact = &e->facts[n];
        const struct indicator *i = NULL;
        if (fact->kind == FACT_HOST_NAME && fact->is_about_receiver)
            i = indicators_text(t->indicators, INDICATOR_DOMAIN, fact->value, e->time_ns);
        else if (fact->kind == FACT_URL)
            i = indicators_text(t->indicators, INDICATOR_URL, fact->value, e->time_ns);
        if (i)
            tell_event(t, e, i, "asks %T for a name that indicator lists name: %O");
    }
}

static bool is_names(const char *protocol)
{
    return strcmp(protocol, "dns") == 0 || strcmp(protocol, "mdns") == 0 ||
           strcmp(protocol, "llmnr") == 0;
}

void threats_event(struct threats *t, const struct ot_event *e)
{
    if (!t->indicators)
        return;
    if (e->fact_count)
        facts_look(t, e);
    bool is_dns = is_names(e->protocol);
    for (uint32_t n = 0; n < e->item_count; n++) {
        const struct ot_item *item = &e->items[n];
        bool is_ja3 = item->area && strcasecmp(item->area, "ja3") == 0;
        if (!is_dns && !is_ja3)
            continue;
        const struct indicator *i = indicators_text(
            t->indicators, is_ja3 ? INDICATOR_JA3 : INDICATOR_DOMAIN, item->name, e->time_ns);
        if (i)
            tell_event(t, e, i,
                       is_ja3 ? "opens a session with %T as software does that indicator lists "
                                "name: JA3 %O"
                              : "asks for the address of a name that indicator lists name: %O");
    }
    if (e->direction == OT_REQUEST && strcmp(e->protocol, "http") == 0) {
        const struct indicator *i = url_of_request(t, e);
        if (i)
            tell_event(t, e, i, "asks %T for a page that indicator lists name: %O");
    }
}

void threats_transfer(struct threats *t, const struct ot_event *e, const char *sha256)
{
    const struct indicator *i =
        indicators_text(t->indicators, INDICATOR_HASH, text_of(sha256), e->time_ns);
    if (i)
        tell_event(t, e, i, "transfers a file with %T that indicator lists name: %O");
}

/* --- patterns --- */

bool threats_is_candidate(const struct ot_event *e)
{
    return patterns_is_candidate(e);
}

void threats_stranger(struct threats *t, const struct ot_event *e)
{
    struct pattern_match match;
    if (!patterns_event(t->patterns, e, &match))
        return;
    struct cause_of of = {.detection = DETECTION_MAL_KNOWN_PATTERN,
                          .protocol = e->protocol,
                          .key = match.id,
                          .phrase = match.phrase,
                          .thing = "",
                          .object = match.id,
                          .expected = "clients that are at home here, and what they always did"};
    uint32_t flags = FINDING_ACTOR_NEW;
    uint64_t count;
    if (!causes_admit(t->causes, e->flow, e->time_ns, &of, &flags, &count))
        return;
    struct finding f;
    finding_of_event(&f, of.detection, e);
    causes_fill(&f, &of, flags, count);
    text_format(f.seen, sizeof f.seen, "%u requests that fit %s (%s)", match.requests, match.id,
                match.source);
    causes_tell(t->causes, &f);
}
