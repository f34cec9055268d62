/* mqtt_payload.h: what a message of MQTT says: is its topic a command, which values are in it. */
#pragma once

#include "dissector.h"

enum { MQTT_ITEMS_MAX = 32, MQTT_FACTS_MAX = 4 };

/* What the payload told. */
struct mqtt_content {
    struct ot_item items[MQTT_ITEMS_MAX];
    uint32_t item_count, items_total;
    struct ot_fact facts[MQTT_FACTS_MAX];
    uint32_t fact_count;
    enum operation operation; /* the gravest of the items */
    struct text unit;         /* "edge/device" of Sparkplug */
    uint64_t edge;            /* hash of group and edge node of Sparkplug; 0: not Sparkplug */
    uint8_t sequence;         /* of Sparkplug */
    bool has_sequence;
    bool is_birth; /* of an edge node: its sequence begins */
};

/* Whether who publishes there wants something done: ".../set", "cmd/...", DCMD of Sparkplug. */
bool mqtt_is_command(struct text topic);
/* Fills *c. is_command: by the topic and by who sends. */
void mqtt_read_payload(struct dissect *d, struct text topic, struct reader payload, bool is_command,
                       struct mqtt_content *c);

/* --- parts --- */

/* The next item, or NULL when there are enough. */
struct ot_item *mqtt_item(struct mqtt_content *c, struct text name, const char *area);
/* True when the topic belongs to Sparkplug B; then the payload is read as such. */
bool sparkplug_read(struct dissect *d, struct text topic, struct reader payload, bool is_command,
                    struct mqtt_content *c);
/* Type and place of a Sparkplug topic; false: not one. */
struct sparkplug_topic {
    struct text group, type, edge, device;
};
bool sparkplug_topic(struct text topic, struct sparkplug_topic *t);
bool sparkplug_is_command(const struct sparkplug_topic *t);
