/* site.h: what people know about their plant, compiled from one YAML file: zones with Purdue
 * levels, conduits, engineering stations, safety and critical assets, internet and remote access,
 * who may read or write which objects, maintenance windows. sightglass-policy.yaml.example
 * documents every key.
 *
 * A site never changes after it was made; who keeps one holds a reference, so that another policy
 * can take its place while packets go on. Safe to read from any thread. */
#pragma once

#include "sensor/base/config.h"
#include "sensor/base/error.h"
#include "sensor/base/finding.h"
#include "sensor/base/place.h"

#include <stdio.h>

struct site;

enum { SITE_FILE_MAX = 1024 * 1024 };

/* The policy that the configuration holds or names, and its baseline.engineering_stations; without
 * a policy a site that knows nothing else. NULL: the error names file, line and key. */
struct site *site_create(const struct config *config, struct error *err);
/* A policy from memory: the mapping itself, or a configuration with the key `policy`. name stands
 * for the file in messages, zone is the time zone of windows that name none. */
struct site *site_parse(const char *text, size_t size, const char *name, const char *zone,
                        struct error *err);
/* The same from a file. */
struct site *site_read(const char *path, const char *zone, struct error *err);

/* One more who keeps it. Returns site. */
struct site *site_retain(struct site *site);
/* One less; the last one frees it. NULL is harmless. */
void site_release(struct site *site);

/* There is a policy at all. */
bool site_is_declared(const struct site *site);
/* Where the host stands: its address decides (the longest subnet), else its MAC, else its VLAN. */
bool site_place(const struct site *site, const struct endpoint *host, uint16_t vlan,
                struct site_place *place);
bool site_is_engineering(const struct site *site, const struct endpoint *host);

/* A name for what the policy says: equal for equal content, whatever the file is called. */
uint64_t site_fingerprint(const struct site *site);
/* "4 zones, 7 conduits, 2 maintenance windows". Returns out. */
char *site_summary(const struct site *site, char *out, size_t capacity);
/* Writes for people what the policy says. */
void site_print(const struct site *site, FILE *file);
