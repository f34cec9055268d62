/* cause.c: causes and ids are prefixes of SHA-256, so that they never depend on tables, seeds or
 * machines. */
#include "cause.h"

#include <inttypes.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>

/* The terminator goes in too: "ab" + "c" is not "a" + "bc". */
static void add(struct sha256_ctx *sha, const char *text)
{
    sha256_update(sha, strlen(text) + 1, (const uint8_t *)text);
}

static void add_number(struct sha256_ctx *sha, int64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, number);
    add(sha, text);
}

char *cause_host(char out[ADDRESS_TEXT_SIZE], const struct endpoint *host)
{
    out[0] = '\0';
    if (host->ip.kind != ADDRESS_NONE)
        return address_print(out, &host->ip);
    if (!mac_is_zero(&host->mac))
        mac_print(out, &host->mac);
    return out;
}

static void add_host(struct sha256_ctx *sha, const struct endpoint *host)
{
    char text[ADDRESS_TEXT_SIZE];
    add(sha, cause_host(text, host));
}

/* A device that answers nobody is one cause, however many ask it. */
static bool is_of_target(const struct finding *f)
{
    return f->detection == DETECTION_OPS_UNRESPONSIVE && f->has_target;
}

void cause_of(uint8_t cause[CAUSE_SIZE], const struct finding *f, const char *segment)
{
    static const struct endpoint nobody;
    struct sha256_ctx sha;
    sha256_init(&sha);
    add(&sha, detection_kind(f->detection)->id);
    add(&sha, segment);
    add_host(&sha, is_of_target(f) ? &nobody : &f->actor);
    add_host(&sha, f->has_target ? &f->target : &nobody);
    add(&sha, f->protocol);
    add(&sha, f->key);
    sha256_digest(&sha, CAUSE_SIZE, cause);
}

void cause_of_storm(uint8_t cause[CAUSE_SIZE], enum detection detection, int64_t hour)
{
    struct sha256_ctx sha;
    sha256_init(&sha);
    add(&sha, "storm");
    add(&sha, detection_kind(detection)->id);
    add_number(&sha, hour);
    sha256_digest(&sha, CAUSE_SIZE, cause);
}

void cause_alert_id(char id[ALERT_ID_TEXT], const char *sensor, enum detection detection,
                    const uint8_t cause[CAUSE_SIZE], int64_t first_ns)
{
    struct sha256_ctx sha;
    uint8_t digest[(ALERT_ID_TEXT - 1) / 2];
    sha256_init(&sha);
    add(&sha, sensor);
    add(&sha, detection_kind(detection)->id);
    sha256_update(&sha, CAUSE_SIZE, cause);
    add_number(&sha, first_ns);
    sha256_digest(&sha, sizeof digest, digest);
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < sizeof digest; i++) {
        id[2 * i] = digits[digest[i] >> 4];
        id[2 * i + 1] = digits[digest[i] & 0xf];
    }
    id[2 * sizeof digest] = '\0';
}
