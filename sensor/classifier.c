/* classifier.c: nDPI 4.2 (Debian 12), asked packet by packet until it answers. */
#include "classifier.h"

#include <ctype.h>
#include <ndpi/ndpi_api.h>
#include <stdlib.h>
#include <string.h>

enum {
    PACKETS_MAX = 16, /* nDPI's own dissectors decide within a dozen payload packets */
    NAME_SIZE = 24,
};

struct slot {
    struct slot *next;
    struct ndpi_flow_struct *flow;
};

struct classifier {
    struct ndpi_detection_module_struct *module;
    struct slot *slots, *free;
    char (*names)[NAME_SIZE]; /* by nDPI's protocol number */
    uint16_t name_count;
};

static void copy_name(char out[NAME_SIZE], const char *name)
{
    size_t i = 0;
    for (; name && name[i] && i < NAME_SIZE - 1; i++)
        out[i] = isalnum((unsigned char)name[i]) ? (char)tolower((unsigned char)name[i]) : '_';
    out[i] = '\0';
}

static bool start_module(struct classifier *c)
{
    c->module = ndpi_init_detection_module(ndpi_no_prefs);
    if (!c->module)
        return false;
    NDPI_PROTOCOL_BITMASK all;
    NDPI_BITMASK_SET_ALL(all);
    ndpi_set_protocol_detection_bitmask2(c->module, &all);
    ndpi_finalize_initialization(c->module);

    c->name_count = (uint16_t)ndpi_get_num_supported_protocols(c->module);
    c->names = calloc(c->name_count, sizeof *c->names);
    for (uint16_t i = 0; c->names && i < c->name_count; i++)
        copy_name(c->names[i], ndpi_get_proto_name(c->module, i));
    return c->names != NULL;
}

struct classifier *classifier_create(uint32_t flows_max)
{
    struct classifier *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->slots = calloc(flows_max, sizeof *c->slots);
    if (!c->slots || !start_module(c)) {
        classifier_destroy(c);
        return NULL;
    }
    for (uint32_t i = 0; i < flows_max; i++) {
        c->slots[i].next = c->free;
        c->free = &c->slots[i];
    }
    return c;
}

void classifier_destroy(struct classifier *c)
{
    if (!c)
        return;
    for (struct slot *s = c->free; s; s = s->next)
        if (s->flow)
            ndpi_flow_free(s->flow);
    if (c->module)
        ndpi_exit_detection_module(c->module);
    free(c->slots);
    free(c->names);
    free(c);
}

static struct slot *take_slot(struct classifier *c)
{
    struct slot *s = c->free;
    if (!s)
        return NULL;
    if (!s->flow)
        s->flow = ndpi_flow_malloc(SIZEOF_FLOW_STRUCT);
    if (!s->flow)
        return NULL;
    memset(s->flow, 0, SIZEOF_FLOW_STRUCT);
    c->free = s->next;
    return s;
}

void classifier_release(struct classifier *c, struct flow *f)
{
    struct slot *s = f->ndpi;
    if (!s)
        return;
    ndpi_free_flow_data(s->flow);
    memset(s->flow, 0,
           SIZEOF_FLOW_STRUCT); /* its pointers are dangling, and are freed once more at the end */
    f->ndpi = NULL;
    s->next = c->free;
    c->free = s;
}

static const char *name_of(const struct classifier *c, ndpi_protocol p)
{
    uint16_t id = p.app_protocol != NDPI_PROTOCOL_UNKNOWN ? p.app_protocol : p.master_protocol;
    return id != NDPI_PROTOCOL_UNKNOWN && id < c->name_count ? c->names[id] : NULL;
}

const char *classifier_packet(struct classifier *c, struct flow *f, const struct packet *p,
                              struct counters *counters, bool *is_finished)
{
    *is_finished = false;
    if (!p->network)
        return NULL;
    if (!f->ndpi) {
        f->ndpi = take_slot(c);
        if (!f->ndpi) {
            counters->ndpi_skipped++;
            *is_finished = true;
            return NULL;
        }
        counters->ndpi_flows++;
    }
    struct slot *s = f->ndpi;
    uint16_t size = p->network_size > UINT16_MAX ? UINT16_MAX : (uint16_t)p->network_size;
    ndpi_protocol found = ndpi_detection_process_packet(c->module, s->flow, p->network, size,
                                                        (uint64_t)(p->time_ns / 1000000));
    const char *name = name_of(c, found);
    if (!name && ++f->ndpi_packets >= PACKETS_MAX) {
        uint8_t is_guessed;
        name = name_of(c, ndpi_detection_giveup(c->module, s->flow, 0, &is_guessed));
        *is_finished = true;
    }
    if (name)
        *is_finished = true;
    if (*is_finished)
        classifier_release(c, f);
    return name;
}
