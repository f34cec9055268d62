/* sightings.h: sightings written as lines, fed to an inventory.
 *
 * A line: seconds, kind, who, other, and what the kind needs. Addresses are "10.0.0.5@aa" (a MAC
 * that ends in aa; "^aa": without the mark of local addresses, "^v": a virtual router's),
 * "10.0.0.5",
 * "@aa"; a port follows after '/'. */
#pragma once

#include "baseline/inventory.h"
#include "baseline/inventory_state.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FINDINGS_MAX = 64, TEXT_MAX = 1024 };
static const int64_t START = 1700000000ll * 1000000000ll;
static const int64_t SECOND = 1000000000;

struct collected {
    struct finding list[FINDINGS_MAX];
    size_t count;
};

static inline void collect(void *context, const struct finding *f)
{
    struct collected *c = context;
    ck_assert_uint_lt(c->count, FINDINGS_MAX);
    c->list[c->count++] = *f;
}

static inline void endpoint_parse(struct endpoint *e, const char *text)
{
    char copy[64], *at, *port;
    memset(e, 0, sizeof *e);
    snprintf(copy, sizeof copy, "%s", text);
    if ((port = strchr(copy, '/'))) {
        *port = '\0';
        e->port = (uint16_t)atoi(port + 1);
    }
    if ((at = strchr(copy, '@'))) {
        *at = '\0';
        bool is_plain = at[1] == '^'; /* without the mark of local addresses */
        e->mac = (struct mac){
            {is_plain ? 0 : 0x02, 0, 0, 0, 0, (uint8_t)strtoul(at + 1 + is_plain, NULL, 16)}
        };
        if (strcmp(at + 1, "ff") == 0)
            memset(&e->mac, 0xff, sizeof e->mac);
        if (strcmp(at + 1, "^v") == 0) /* VRRP, RFC 5798 7.3 */
            e->mac = (struct mac){
                {0x00, 0x00, 0x5e, 0x00, 0x01, 0x01}
            };
    }
    if (copy[0] != '\0')
        ck_assert_msg(address_parse(&e->ip, copy), "%s", copy);
}

static inline void sighting_parse(struct sighting *s, const char *line)
{
    char kind[16] = "", who[64] = "", other[64] = "", a[64] = "", b[64] = "", c[64] = "";
    double seconds;
    int n = sscanf(line, "%lf %15s %63s %63s %63s %63s %63s", &seconds, kind, who, other, a, b, c);
    ck_assert_msg(n >= 3, "bad line: %s", line);
    memset(s, 0, sizeof *s);
    s->time_ns = START + (int64_t)(seconds * 1e9);
    s->vlan = VLAN_NONE;
    s->transport = TRANSPORT_TCP;
    s->packet_number = 7;
    endpoint_parse(&s->who, who);
    if (other[0] != '\0' && strcmp(other, "-") != 0)
        endpoint_parse(&s->other, other);
    if (strcmp(kind, "host") == 0) {
        s->kind = SIGHTING_HOST; /* who - [nearby] */
        s->detail = strcmp(a, "nearby") == 0 ? HOST_NEARBY : 0;
    } else if (strcmp(kind, "flow") == 0) {
        s->kind = SIGHTING_FLOW;
        s->is_start_seen = strcmp(a, "pickup") != 0;
    } else if (strcmp(kind, "answer") == 0) {
        s->kind = SIGHTING_ANSWER;
        if (strcmp(a, "udp") == 0)
            s->transport = TRANSPORT_UDP;
    } else if (strcmp(kind, "refused") == 0) {
        s->kind = SIGHTING_REFUSED;
    } else if (strcmp(kind, "arp") == 0 || strcmp(kind, "arpreply") == 0) {
        s->kind = SIGHTING_ARP;
        s->transport = TRANSPORT_NONE;
        s->detail = kind[3] ? 2 : 1;
    } else if (strcmp(kind, "protocol") == 0) {
        s->kind = SIGHTING_PROTOCOL;
        s->is_start_seen = strcmp(b, "start") == 0;
        s->detail = s->is_start_seen;
        text_format(s->protocol, sizeof s->protocol, "%s", a);
    } else if (strcmp(kind, "newclient") == 0) {
        s->kind = SIGHTING_NEW_CLIENT;
        text_format(s->protocol, sizeof s->protocol, "%s", a);
    } else if (strcmp(kind, "write") == 0) { /* who other protocol object [learned] */
        s->kind = SIGHTING_WRITE;
        text_format(s->protocol, sizeof s->protocol, "%s", a);
        text_format(s->text, sizeof s->text, "%s", b);
        s->detail = strcmp(c, "learned") == 0;
    } else if (strcmp(kind, "role") == 0) {
        s->kind = SIGHTING_ROLE;
        text_format(s->protocol, sizeof s->protocol, "%s", a);
        ck_assert_msg(operation_parse(&s->operation, b), "%s", b);
    } else if (strcmp(kind, "granted") == 0 || strcmp(kind, "refusal") == 0) {
        s->kind = SIGHTING_ROLE; /* who server protocol operation unit */
        s->detail = kind[0] == 'g' ? ROLE_ANSWERED | ROLE_GRANTED : ROLE_ANSWERED;
        text_format(s->protocol, sizeof s->protocol, "%s", a);
        ck_assert_msg(operation_parse(&s->operation, b), "%s", b);
        text_format(s->unit, sizeof s->unit, "%s", c);
    } else if (strcmp(kind, "fact") == 0) { /* who - protocol kind text[;unit] */
        s->kind = SIGHTING_FACT;
        text_format(s->protocol, sizeof s->protocol, "%s", a);
        unsigned k = 0;
        while (k < FACT_COUNT && strcmp(fact_name((enum fact_kind)k), b) != 0)
            k++;
        ck_assert_msg(k < FACT_COUNT, "%s", b);
        s->fact = (enum fact_kind)k;
        char *unit = strchr(c, ';');
        if (unit) {
            *unit = '\0';
            text_format(s->unit, sizeof s->unit, "%s", unit + 1);
        }
        text_format(s->text, sizeof s->text, "%s", c);
    } else {
        ck_abort_msg("unknown kind: %s", kind);
    }
}

/* Feeds lines ('\n' between them) with a tick each second; returns the time of the last. */
static inline int64_t feed(struct inventory *inv, const char *lines, int64_t ticked)
{
    char line[256];
    while (*lines != '\0') {
        size_t size = strcspn(lines, "\n");
        ck_assert_uint_lt(size, sizeof line);
        memcpy(line, lines, size);
        line[size] = '\0';
        lines += size + (lines[size] == '\n');
        struct sighting s;
        sighting_parse(&s, line);
        for (; ticked + SECOND <= s.time_ns; ticked += SECOND)
            inventory_tick(inv, ticked + SECOND, false);
        inventory_sighting(inv, &s);
    }
    return ticked;
}

static inline void run_on(int64_t *ticked, struct inventory *inv, int64_t seconds)
{
    for (int64_t i = 0; i < seconds; i++)
        inventory_tick(inv, *ticked += SECOND, false);
}

static inline struct inventory *create(enum baseline_mode mode, struct collected *findings,
                                       struct finding_sink *sink, int64_t settle_s)
{
    *sink = (struct finding_sink){.context = findings, .finding = collect};
    struct inventory_options options = {
        .mode = mode, .settle_min_ns = settle_s * SECOND, .assets_max = 256, .sensor = "test"};
    struct inventory *inv = inventory_create(&options, sink);
    ck_assert_ptr_nonnull(inv);
    return inv;
}

static const struct store_schema *const schemas[] = {&inventory_schema, NULL};

/* Saves into a store and loads into a new inventory with another mode. */
static inline struct inventory *reload(struct inventory *inv, enum baseline_mode mode,
                                       struct collected *findings, struct finding_sink *sink)
{
    struct store *store;
    struct store_queue *queue;
    struct error err = {""};
    ck_assert_msg(store_open(&store, ":memory:", STORE_READ_WRITE, schemas, &err), "%s", err.text);
    ck_assert_msg(store_queue_create(&queue, store, false, &err), "%s", err.text);
    inventory_save(inv, queue);
    ck_assert_msg(store_queue_close(queue, &err), "%s", err.text);
    inventory_destroy(inv);
    inv = create(mode, findings, sink, 60);
    ck_assert_msg(inventory_load(inv, store, &err), "%s", err.text);
    store_close(store);
    return inv;
}
