/* site_values.h: readers of the values that several parts of a policy have: lists of hosts, of
 * protocols, of operations, times. Each is a site_read_value. */
#pragma once

#include "rules/site_yaml.h"

bool site_read_hosts(struct site_reader *r, const char *key, const yaml_node_t *node,
                     void *to); /* struct site_hosts */
bool site_read_protocols(struct site_reader *r, const char *key, const yaml_node_t *node,
                         void *to); /* struct site_protocols */
bool site_read_operations(struct site_reader *r, const char *key, const yaml_node_t *node,
                          void *to); /* uint32_t, a bit per enum operation */
bool site_read_bool(struct site_reader *r, const char *key, const yaml_node_t *node,
                    void *to); /* bool */

/* "10.0.0.0/24" or a single address. Says what is wrong with it, or NULL. */
const char *site_parse_net(const char *text, struct address *base, uint8_t *bits);

/* What a schedule is read into; site_take_schedule turns it into one. */
struct site_times {
    char start[FINDING_WINDOW], end[FINDING_WINDOW], times[FINDING_WINDOW], zone[FINDING_WINDOW];
    uint8_t days;
    const yaml_node_t *node; /* where the schedule stands */
};
bool site_read_days(struct site_reader *r, const char *key, const yaml_node_t *node,
                    void *to); /* uint8_t */
bool site_read_time_text(struct site_reader *r, const char *key, const yaml_node_t *node,
                         void *to); /* char[FINDING_WINDOW] */
bool site_take_schedule(struct site_reader *r, const char *key, const struct site_times *times,
                        struct site_schedule *schedule);
