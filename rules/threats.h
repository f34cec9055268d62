/* threats.h: what is known of attackers: patterns of tools, and indicators. Raises
 * mal.known-pattern and mal.indicator.
 *
 * Owned by one worker; the indicators are shared and only read. */
#pragma once

#include "rules/causes.h"
#include "rules/indicators.h"
#include "sensor/base/ot_event.h"

struct threats;

/* indicators may be NULL. NULL: no memory. */
struct threats *threats_create(const struct indicators *indicators, struct causes *causes);
void threats_destroy(struct threats *t);

/* A flow has begun: are its addresses known? */
void threats_flow(struct threats *t, const struct ot_flow *flow, const struct packet *packet);
/* Names, URLs and fingerprints that an event tells. */
void threats_event(struct threats *t, const struct ot_event *e);
/* A request of a client that is not at home here (the caller asks only then), and only for
 * those that threats_is_candidate names. */
bool threats_is_candidate(const struct ot_event *e);
void threats_stranger(struct threats *t, const struct ot_event *e);
/* A transfer has ended with this SHA-256, in hex. */
void threats_transfer(struct threats *t, const struct ot_event *e, const char *sha256);
