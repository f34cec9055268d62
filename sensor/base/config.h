/* config.h: the configuration file (YAML), with a default for every key. */
#pragma once

#include "error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum baseline_mode { MODE_AUTO, MODE_LEARN, MODE_DETECT };

enum { CONFIG_LIST_MAX = 64 };

struct config_list {
    char *items[CONFIG_LIST_MAX];
    size_t count;
};

/* All keys with their defaults are documented in sightglass.yaml.example, which a test holds
 * against this struct. */
struct config {
    /* sensor */
    char sensor[64];     /* "sightglass": observer.name; never the host's name */
    char site[64];       /* "plant": SITE in Redis stream names */
    char state_dir[256]; /* "/var/lib/sightglass" */
    char user[64]; /* "sightglass": whom to become after opening the capture; "" or missing: stay */
    char timezone[64]; /* "UTC" */
    /* capture */
    struct config_list interfaces;
    char filter[512];
    uint32_t snaplen;
    uint32_t ring_megabytes;
    uint32_t workers; /* 1 */
    bool segment_by_interface, segment_by_vlan, segment_by_tunnel;
    /* baseline */
    enum baseline_mode mode;
    uint32_t settle_minutes; /* 10: a dimension settles no earlier */
    struct config_list
        engineering_stations; /* addresses: approved for engineering actions: severity - 1 */
    /* threat knowledge */
    struct config_list indicators; /* files: CSV lists, STIX 2.1 bundles */
    struct config_list geoip;      /* MMDB files: place and owner of public addresses */
    /* rules */
    struct config_list rule_files;     /* files and folders of Sigma rules */
    struct config_list rules_disabled; /* ids, names or titles of rules that are off */
    /* limits */
    uint32_t flows_max;         /* 65536 */
    uint32_t conversations_max; /* 16384 */
    uint32_t assets_max;        /* 16384 */
    uint32_t memory_megabytes;  /* stream buffers: 16 */
    /* health */
    uint32_t no_traffic_seconds; /* 60 */
    double loss_percent;         /* 1.0 */
    /* outputs */
    char redis_host[128]; /* "": no Redis */
    uint16_t redis_port;
    char redis_user[64], redis_password[128];
    char redis_socket[256];
    uint32_t redis_maxlen;    /* 100000 */
    char jsonl_path[256];     /* "": none */
    uint32_t jsonl_megabytes; /* rotate at: 100 */
    uint32_t jsonl_keep;      /* rotated files kept: 5 */
    /* retention */
    uint32_t alert_days;         /* 365 */
    uint32_t evidence_megabytes; /* 500 */
    uint32_t history_days;       /* 30 */
    uint32_t history_megabytes;  /* 1000; 0: no event history */
    uint32_t outbox_hours;       /* 168: how long delivered and undelivered messages stay */
    /* console */
    char listen[128];      /* "127.0.0.1:8470" */
    char public_name[256]; /* of the console, as browsers call it; "": any */
    /* site policy: read by rules/site.h */
    char policy_path[512]; /* "": none of its own; relative to the configuration's folder */
    char *policy_text; /* the whole configuration, when it holds the policy; NULL: it does not */
    size_t policy_size;
    char policy_name[512]; /* what messages call that configuration */
};

/* Fills in the defaults. */
void config_defaults(struct config *config);
/* Reads a file over what *config has. Errors name file, line and key; unknown keys are errors.
 * After an error *config is good for config_release only. */
bool config_read(struct config *config, const char *path, struct error *err) NODISCARD;
/* The same from memory; name stands for the path in messages. */
bool config_parse(struct config *config, const char *text, size_t size, const char *name,
                  struct error *err) NODISCARD;
/* Frees what config_read allocated. */
void config_release(struct config *config);

/* A line for each key with its value, in the order of the table; lists are joined with commas. That
 * there is a password is said, not which. The site policy is left out. */
void config_print(const struct config *config, FILE *out);

/* The full name of a key ("capture.filter"); NULL behind the last one. */
const char *config_key_name(size_t index);
