/* ads_sums.h: sum commands of ADS: many reads or writes in the data of one ReadWrite. */
#pragma once

#include "dissector.h"

/* Reading, writing or both, many at once (0xf080 to 0xf084). */
bool ads_is_sum(uint32_t group);

/* Items and operation out of the data of a request with `count` parts. */
void ads_sum_request(struct dissect *d, struct ot_event *event, uint16_t port, uint32_t group,
                     uint32_t count, struct reader data);
/* The same for an answer, with results and what was read. asked: the data of the request, or its
 * beginning. */
void ads_sum_response(struct dissect *d, struct ot_event *event, uint16_t port, uint32_t group,
                      uint32_t count, struct reader asked, struct reader data);

/* In ads.c: names behind handles, kept for the pair of hosts; empty when unknown. */
struct text ads_symbol(struct dissect *d, uint16_t port, uint32_t handle);
void ads_keep_symbol(struct dissect *d, uint16_t port, uint32_t handle, struct text name);
/* A value as it lies in memory: a number when it has the size of one. */
void ads_put_values(struct ot_item *item, struct reader bytes);
