/* site_judge_parts.h: what the files that judge by the policy share. */
#pragma once

#include "rules/causes.h"
#include "rules/site_judge.h"
#include "rules/site_model.h"
#include "rules/slots.h"

enum {
    VERDICTS_MAX = 4096, /* flows whose verdict is at hand: 160 KB */
    OBJECT_SIZE = 96,
    LIST_SIZE = 160,
};

/* What matters of the events of one flow in one protocol. */
struct verdict {
    uint64_t flow_id; /* 0: empty */
    const char *protocol;
    uint32_t allowed;    /* operations, by conduits */
    bool has_data_rules; /* of its server, that do not allow this client everything */
    bool is_safety;      /* its server is declared part of a safety system */
    bool is_master;      /* and the client is its master */
    bool has_masters;
};

struct safety_host {
    struct slot slot;
    uint64_t controller; /* who set it up as a safe station; 0: nobody was seen to */
};

struct site_judge {
    struct site_judge_options options;
    struct site *site;
    struct causes *causes;
    struct slots safety;
    bool wants_events; /* the policy has rules about them */
    int64_t now_ns;    /* of the last tick */
    int64_t taken_ns;  /* when the policy came; 0: at the start */
    size_t safety_count;
    struct verdict verdicts[VERDICTS_MAX];
};

/* --- site_crossing.c: the two hosts of a flow, and findings about them --- */

struct crossing {
    const struct ot_flow *flow;
    const struct packet *packet;
    struct site_host client, server;
    int64_t time_ns;
    uint16_t vlan;
};

uint16_t site_vlan_of(const struct packet *p);
/* packet may be NULL. */
struct crossing site_crossing_of(const struct site_judge *j, const struct ot_flow *flow,
                                 const struct packet *packet);
/* Multicast and broadcast stay on their segment; so do link-local addresses. */
bool site_is_local_only(const struct endpoint *e);
const char *site_zone_name(const struct site *s, const struct site_host *h);
int site_level_of(const struct site *s, const struct site_host *h);
/* Office computers are not what is protected here. */
bool site_is_plant(const struct site *s, const struct site_host *h);
char *site_print_zone(const struct site *s, const struct site_host *h, char out[LIST_SIZE]);
char *site_print_service(const struct ot_flow *flow, const char *protocol, char out[LIST_SIZE]);

struct telling {
    enum detection detection;
    const char *protocol, *key;
    const char *phrase; /* %T the target, %O the object */
    const char *expected;
    const char *what; /* better words than the phrase's, for now only; NULL: none */
    bool is_actor_server;
};

/* The texts behind a finding are not kept: they may lie on the stack. */
void site_tell_flow(struct site_judge *j, const struct crossing *c, const struct telling *t,
                    const char *object, const char *seen, const char *expected);
void site_tell_event(struct site_judge *j, const struct ot_event *e, const struct telling *t,
                     const char *object, const char *expected, uint32_t flags);

/* --- site_conduits.c: zones, conduits, levels --- */

enum permission {
    PERMISSION_NONE,  /* no conduit leads there */
    PERMISSION_OTHER, /* one does, for other protocols */
    PERMISSION_ALL,   /* this protocol may pass */
};

/* What conduits say of a flow; *operations are those that all of them together allow. */
enum permission site_conduits_permit(const struct site *s, const struct crossing *c,
                                     const char *protocol, uint32_t *operations);
bool site_skips_level(const struct site *s, const struct crossing *c);
/* Both ends are of the plant or of its neighbours, in different zones. */
bool site_is_crossing(const struct site *s, const struct crossing *c);
void site_tell_crossing(struct site_judge *j, const struct crossing *c, const char *protocol,
                        enum permission permission);
/* True when the packet came from the silent side of a one-way conduit: that was told. */
bool site_judge_diode(struct site_judge *j, const struct crossing *c);

/* --- site_outside.c: the internet, remote access --- */

/* is_final: the protocol is known as well as it will be. */
void site_judge_internet(struct site_judge *j, const struct crossing *c, const char *protocol,
                         bool is_final);
void site_judge_remote(struct site_judge *j, const struct crossing *c, const char *protocol);

/* --- site_acts.c: safety systems, data access --- */

bool site_is_act(enum operation op);
/* Protocols and services that only safety systems have. */
bool site_speaks_safety(const struct ot_event *e);
/* The event's server is part of a safety system. */
void site_remember_safety(struct site_judge *j, const struct ot_event *e);
void site_judge_safety(struct site_judge *j, const struct ot_event *e, const struct verdict *v);
bool site_data_applies(const struct site *s, const struct site_data *d, const struct ot_flow *flow,
                       const char *protocol, const struct site_host *server);
void site_judge_data(struct site_judge *j, const struct ot_event *e);
