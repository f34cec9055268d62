/* cause.h: what makes two findings one alert, and the alert's id. */
#pragma once

#include "alert.h"

/* Detection, segment, actor host, target host, protocol and key. A host is its IP when it has one,
 * else its MAC. */
void cause_of(uint8_t cause[CAUSE_SIZE], const struct finding *finding, const char *segment);

/* The cause of the one alert that stands for all alerts of a type over the cap in an hour. */
void cause_of_storm(uint8_t cause[CAUSE_SIZE], enum detection detection, int64_t hour);

/* event.id: sensor, rule id, cause and time of the first packet. */
void cause_alert_id(char id[ALERT_ID_TEXT], const char *sensor, enum detection detection,
                    const uint8_t cause[CAUSE_SIZE], int64_t first_ns);

/* The host's IP when it has one, else its MAC; "" for nobody. Returns out. */
char *cause_host(char out[ADDRESS_TEXT_SIZE], const struct endpoint *host);
