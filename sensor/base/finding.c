/* finding.c: the catalogue of detections and findings begun from what a dissector saw. */
#include "finding.h"

#include "event_json.h"

#include <string.h>

static const struct detection_kind kinds[] = {
#define DETECTION(tag, id, title, severity, engine, techniques)                                    \
    [DETECTION_##tag] = {id, title, SEVERITY_##severity, ENGINE_##engine, techniques},
#include "detections.def"
#undef DETECTION
};

static const struct technique techniques[] = {
#define TECHNIQUE(id, name, tactics) {id, name, tactics},
#include "techniques.def"
#undef TECHNIQUE
};

const struct detection_kind *detection_kind(enum detection d)
{
    return &kinds[d];
}

bool detection_parse(enum detection *d, const char *id)
{
    for (int i = 0; i < DETECTION_COUNT; i++) {
        if (strcmp(kinds[i].id, id) == 0) {
            *d = (enum detection)i;
            return true;
        }
    }
    return false;
}

const char *severity_name(enum severity s)
{
    static const char *const names[] = {"info", "low", "medium", "high", "critical"};
    return names[s];
}

const char *engine_name(enum engine e)
{
    static const char *const names[] = {"policy", "protocol", "anomaly", "operational", "malware"};
    return names[e];
}

const struct technique *technique_find(const char *id)
{
    size_t first = 0, end = sizeof techniques / sizeof *techniques; /* sorted by id */
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        int order = strcmp(techniques[middle].id, id);
        if (order == 0)
            return &techniques[middle];
        if (order < 0)
            first = middle + 1;
        else
            end = middle;
    }
    return NULL;
}

static void start(struct finding *f, enum detection detection, const struct ot_flow *flow,
                  const char *protocol, const struct packet *packet, bool is_actor_client)
{
    /* the long texts are strings: their first byte is enough */
    f->detection = detection;
    f->flags = 0;
    f->segment = flow->segment;
    f->actor = is_actor_client ? flow->client : flow->server;
    f->target = is_actor_client ? flow->server : flow->client;
    f->has_target = true;
    f->transport = flow->transport;
    text_copy(f->protocol, sizeof f->protocol, text_of(protocol));
    f->operation = OP_UNKNOWN;
    f->key[0] = f->what[0] = f->expected[0] = f->seen[0] = f->fact[0] = f->object[0] =
        f->sha256[0] = '\0';
    f->size = 0;
    f->count = 1;
    f->evidence_id = 0;
    f->packet_number = packet ? packet->number : 0;
    f->source_index = packet ? packet->source_index : 0;
    f->byte_offset = f->byte_size = 0;
    f->ot_json_size = 0;
    f->ot_json[0] = '\0';
}

static void mark(struct finding *f, const struct packet *packet, const uint8_t *telling,
                 size_t size)
{
    uint32_t offset;
    if (packet && telling && size > 0 && packet_offset(packet, telling, &offset)) {
        f->byte_offset = offset;
        f->byte_size =
            size > packet->captured_size - offset ? packet->captured_size - offset : (uint32_t)size;
    }
}

void finding_of_event(struct finding *f, enum detection detection, const struct ot_event *e)
{
    bool is_actor_client = e->direction == OT_ONEWAY ? e->is_from_client : true;
    start(f, detection, e->flow, e->protocol, e->packet, is_actor_client);
    f->time_ns = e->time_ns;
    f->operation = e->operation;
    mark(f, e->packet, e->telling, e->telling_size);
    f->ot_json_size = (uint16_t)event_json_ot(e, f->ot_json, sizeof f->ot_json);
}

void finding_of_violation(struct finding *f, enum detection detection, const struct violation *v)
{
    start(f, detection, v->flow, v->protocol, v->packet, v->is_from_client);
    f->time_ns = v->time_ns;
    mark(f, v->packet, v->telling, v->telling_size);
}
