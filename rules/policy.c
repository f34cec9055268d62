/* policy.c: hands events, violations and ticks to the parts that judge them, and words what they
 * find.
 *
 * A request that asks for an engineering action is told at once; it waits in `pending` for its
 * answer, which tells the same cause again as confirmed or refused. The steps of a transfer are
 * told by the transfer. */
#include "rules/policy.h"

#include "rules/actions.h"
#include "rules/causes.h"
#include "rules/conditions.h"
#include "rules/conformance.h"
#include "rules/files.h"
#include "rules/logins.h"
#include "rules/modes.h"
#include "rules/sweeps.h"
#include "rules/threats.h"
#include "rules/transfers.h"
#include "sensor/base/hash.h"
#include "sensor/base/json_writer.h"

#include <stdlib.h>
#include <string.h>

enum {
    PAIRS_MAX = 4096, /* of sweeps: 1.6 MB */
    CAUSES_MAX = 2048,
    PENDING_MAX = 256,
    TRANSFERS_MAX = 256,
    FINGERPRINTS_MAX = 1024,
    DEVICES_MAX = 1024,
    CONDITION_DEVICES_MAX = 4096, /* 300 KB */
    LOGIN_PAIRS_MAX = 2048,       /* 256 KB */
    PENDING_FLOWS = 1024,         /* bits */
    MODBUS_PORT = 502,
    COMPANY_MIN = 4, /* requests that make a conversation on another port credible */
};

static const int64_t ANSWER_WAIT_NS = 30 * INT64_C(1000000000);
/* A block of a slow download is on its way for seconds; a minute of silence means that no one goes
 * on. */
static const int64_t TRANSFER_WAIT_NS = 60 * INT64_C(1000000000);

/* An action that was asked for and not yet answered. */
struct pending {
    struct slot slot;
    const struct action *action;
    uint64_t flow_id;
    enum operation operation;
    enum transfer_step step;
    char key[FINDING_KEY];
    char object[FINDING_KEY];
    char name[TRANSFER_NAME_SIZE]; /* of a transfer */
    uint64_t size;
    char sha256[FINDING_SHA256_TEXT];
};

struct policy {
    struct policy_options options;
    struct causes *causes;
    struct sweeps *sweeps;
    struct logins *logins;
    struct transfers *transfers;
    struct modes *modes;
    struct conditions *conditions;
    struct threats *threats;
    struct slots pending;
    size_t pending_count;                       /* about how many wait: 0 spares the look */
    uint64_t pending_flows[PENDING_FLOWS / 64]; /* where they wait, by the flow's id; or did */
};

struct policy *policy_create(const struct policy_options *options, const struct finding_sink *sink)
{
    struct policy *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->options = *options;
    size_t pairs = options->pairs_max ? options->pairs_max : PAIRS_MAX;
    p->causes = causes_create(CAUSES_MAX, sink);
    p->sweeps = sweeps_create(pairs < PAIRS_MAX ? pairs : PAIRS_MAX);
    p->logins = logins_create(LOGIN_PAIRS_MAX);
    p->transfers = transfers_create(TRANSFERS_MAX, FINGERPRINTS_MAX);
    p->modes = modes_create(DEVICES_MAX);
    p->conditions = conditions_create(CONDITION_DEVICES_MAX);
    p->threats = p->causes ? threats_create(options->indicators, p->causes) : NULL;
    bool ok = slots_create(&p->pending, PENDING_MAX, sizeof(struct pending));
    if (!ok || !p->causes || !p->sweeps || !p->logins || !p->transfers || !p->modes ||
        !p->conditions || !p->threats) {
        policy_destroy(p);
        return NULL;
    }
    return p;
}

void policy_destroy(struct policy *p)
{
    if (!p)
        return;
    slots_destroy(&p->pending);
    threats_destroy(p->threats);
    conditions_destroy(p->conditions);
    modes_destroy(p->modes);
    transfers_destroy(p->transfers);
    sweeps_destroy(p->sweeps);
    logins_destroy(p->logins);
    causes_destroy(p->causes);
    free(p);
}

/* --- raising --- */

static bool is_approved(const struct policy *p, enum detection detection, const struct ot_event *e)
{
    const struct policy_options *o = &p->options;
    bool is_learnable = detection == DETECTION_PLC_TIME_SET ||
                        detection == DETECTION_ACCESS_WEAK_PROTECTION ||
                        detection == DETECTION_ACCESS_DEFAULT_CREDENTIALS ||
                        detection == DETECTION_ACCESS_FILE_TRANSFER;
    if (is_learnable && o->is_usual && o->is_usual(o->context, e))
        return true;
    return o->is_approved && o->is_approved(o->context, detection, e);
}

static uint32_t actor_flags(const struct policy *p, const struct ot_event *e)
{
    const struct policy_options *o = &p->options;
    uint32_t flags = 0;
    if (o->is_engineering_station &&
        o->is_engineering_station(o->context, e->flow->segment, &e->flow->client))
        flags |= FINDING_ENGINEERING_STATION;
    if (o->is_actor_new && o->is_actor_new(o->context, e))
        flags |= FINDING_ACTOR_NEW;
    return flags;
}

static const char *status_word(const struct ot_event *e)
{
    switch (e->status.result) {
    case OT_RESULT_OK:
        return "accepted";
    case OT_RESULT_ERROR:
        return "refused";
    default:
        return e->direction == OT_RESPONSE ? "answered" : "not yet answered";
    }
}

/* "rosctr=1,func=0x29 (plc_stop), P_PROGRAM: refused (protection level)" */
static void seen_of_event(struct finding *f, const struct ot_event *e)
{
    char code[OT_CODE_SIZE], detail[96], error[64] = "";
    ot_event_code(e, code);
    text_copy(detail, sizeof detail, e->detail);
    if (e->status.result == OT_RESULT_ERROR)
        text_format(error, sizeof error, " (%s, code 0x%x)",
                    e->status.name ? e->status.name : "unknown error", e->status.code);
    text_format(f->seen, sizeof f->seen, "%s %s (%s)%s%s: %s%s", e->protocol, code,
                e->name ? e->name : "unknown function", detail[0] ? ", " : "", detail,
                status_word(e), error);
}

/* What a transfer adds to a finding. */
struct content {
    const char *name; /* the object, without the size that the phrase tells */
    uint64_t size;
    const char *sha256;
    const char *note; /* after what was seen: "same content as ..." */
};

static void raise_event(struct policy *p, const struct ot_event *e, const struct cause_of *of,
                        uint32_t flags, const struct content *content)
{
    uint64_t count;
    if (!causes_admit(p->causes, e->flow, e->time_ns, of, &flags, &count))
        return;
    struct finding f;
    finding_of_event(&f, of->detection, e);
    if (e->direction == OT_ONEWAY && !e->is_from_client) { /* causes_fill wants the client first */
        f.actor = e->flow->client;
        f.target = e->flow->server;
    }
    causes_fill(&f, of, of->is_actor_server ? flags : flags | actor_flags(p, e), count);
    seen_of_event(&f, e);
    if (content) {
        text_copy(f.object, sizeof f.object, text_of(content->name));
        f.size = content->size;
        text_copy(f.sha256, sizeof f.sha256, text_of(content->sha256));
        text_copy(f.seen, sizeof f.seen, text_of(content->note));
    }
    causes_tell(p->causes, &f);
}

static struct cause_of cause_of_action(const struct action *action, const struct ot_event *e,
                                       const char *phrase, const char *key, const char *object)
{
    return (struct cause_of){.detection = action->detection,
                             .protocol = e->protocol,
                             .key = key,
                             .phrase = phrase,
                             .thing = action->thing,
                             .object = object,
                             .expected = action->expected,
                             .is_actor_server = e->direction == OT_ONEWAY && !e->is_from_client};
}

/* --- single commands and their answers --- */

static uint64_t pending_key(const struct ot_event *e, bool is_requester_client)
{
    uint64_t key = hash_mix(e->flow->id, hash_bytes(e->protocol, strlen(e->protocol)));
    key = hash_mix(key, e->has_transaction ? e->transaction : e->function);
    if (ot_event_is(e, "cip")) /* services of one packet share its transaction */
        key = hash_mix(key, e->function);
    return hash_mix(key, is_requester_client) | 1;
}

static uint64_t *pending_word(struct policy *p, uint64_t flow_id)
{
    return &p->pending_flows[flow_id / 64 % (PENDING_FLOWS / 64)];
}

static uint64_t pending_bit(uint64_t flow_id)
{
    return UINT64_C(1) << flow_id % 64;
}

static struct pending *pending_add(struct policy *p, const struct ot_event *e,
                                   const struct action *action, const char *key, const char *object)
{
    bool is_new;
    uint64_t evicted = p->pending.evicted;
    struct pending *pending =
        slots_take(&p->pending, pending_key(e, e->is_from_client), e->time_ns, &is_new);
    if (is_new && evicted == p->pending.evicted)
        p->pending_count++;
    *pending_word(p, e->flow->id) |= pending_bit(e->flow->id);
    pending->flow_id = e->flow->id;
    pending->action = action;
    pending->operation = e->operation;
    pending->step = e->transfer.step;
    pending->size = 0;
    pending->name[0] = pending->sha256[0] = '\0';
    text_copy(pending->key, sizeof pending->key, text_of(key));
    text_copy(pending->object, sizeof pending->object, text_of(object));
    return pending;
}

/* The cause of an action is its kind and the unit; what is transferred by name has a cause of its
 * own. */
static void key_of_event(char key[FINDING_KEY], const struct ot_event *e)
{
    text_copy(key, FINDING_KEY, e->unit);
}

static void key_of_name(char key[FINDING_KEY], struct text unit, const char *name)
{
    char unit_text[TRANSFER_NAME_SIZE];
    text_format(key, FINDING_KEY, "%s %s", text_copy(unit_text, sizeof unit_text, unit), name);
}

/* The hardware configuration comes in many system data blocks: all are one cause. */
static void key_of_transfer(char key[FINDING_KEY], const struct action *action, struct text unit,
                            const char *name)
{
    bool is_configuration = action->detection == DETECTION_PLC_CONFIG_WRITE;
    key_of_name(key, unit, is_configuration ? "system data" : name);
}

/* Activation of a block that was just downloaded is the end of that story: same cause, same
 * content. */
static bool activation_tell(struct policy *p, const struct ot_event *e, const struct action *action,
                            const char *object)
{
    if (e->operation != OP_PROGRAM_MODIFY || e->item_count == 0 || e->items_total > 1)
        return false;
    const struct fingerprint *known = transfers_known_name(p->transfers, e, e->items[0].name);
    if (!known || action->detection == DETECTION_PLC_ONLINE_EDIT)
        return false;
    char key[FINDING_KEY], sha256[FINDING_SHA256_TEXT], note[FINDING_TEXT];
    key_of_transfer(key, action, e->unit, object);
    struct cause_of of =
        cause_of_action(action, e, "downloaded and activated block %O in %T", key, object);
    digest_print(sha256, known->digest);
    text_format(note, sizeof note, "%s activated after its download (%llu bytes)", object,
                (unsigned long long)known->size);
    struct content content = {object, known->size, sha256, note};
    raise_event(p, e, &of, FINDING_OUTCOME | FINDING_COMPLETED, &content);
    return true;
}

/* The program functions of Modbus are reserved codes with free content: two PDUs of another
 * protocol can look like one. Elsewhere than on Modbus's own port they need company. */
static bool is_credible(struct policy *p, const struct ot_event *e)
{
    return e->operation != OP_PROGRAM_DOWNLOAD || strcmp(e->protocol, "modbus") != 0 ||
           e->flow->server.port == MODBUS_PORT || e->flow->client.port == MODBUS_PORT ||
           sweeps_requests(p->sweeps, e) >= COMPANY_MIN;
}

static void action_request(struct policy *p, const struct ot_event *e)
{
    const struct action *action = action_of(e, e->operation);
    if (!action || !is_credible(p, e) || is_approved(p, action->detection, e))
        return;
    char key[FINDING_KEY], object[FINDING_KEY];
    action_object(e, object, sizeof object);
    if (activation_tell(p, e, action, object) ||
        transfers_is_under_way(p->transfers, e->flow->id, e->operation, e->time_ns))
        return;
    if (e->operation == OP_PROGRAM_UPLOAD && object[0])
        key_of_name(key, e->unit, object); /* the transfer that follows is the same story */
    else if (e->operation == OP_FIRMWARE_UPDATE)
        key_of_name(key, e->unit, action->thing);
    else
        key_of_event(key, e);
    bool is_answer = e->status.result != OT_RESULT_NONE;
    bool is_refused = e->status.result == OT_RESULT_ERROR;
    const char *phrase = !is_answer ? action->ordered : is_refused ? action->refused : action->done;
    struct cause_of of = cause_of_action(action, e, phrase, key, object);
    uint32_t flags = !is_answer ? 0 : is_refused ? FINDING_REFUSED : FINDING_CONFIRMED;
    raise_event(p, e, &of, flags, NULL);
    modes_command(p->modes, e);
    if (e->direction == OT_REQUEST)
        pending_add(p, e, action, key, object);
}

static void pending_answered(struct policy *p, const struct ot_event *e, struct pending *pending)
{
    const struct action *action = pending->action;
    bool is_refused = e->status.result == OT_RESULT_ERROR;
    if (!is_refused && pending->step == TRANSFER_BEGIN)
        return; /* it goes on; its end is told */
    if (is_refused && pending->step == TRANSFER_BEGIN)
        transfers_refuse(p->transfers, e->flow->id, pending->operation);
    struct cause_of of = cause_of_action(action, e, is_refused ? action->refused : action->done,
                                         pending->key, pending->object);
    uint32_t flags = FINDING_OUTCOME | (is_refused ? FINDING_REFUSED : FINDING_CONFIRMED);
    if (!is_refused && pending->step == TRANSFER_END)
        flags |= FINDING_COMPLETED;
    char note[FINDING_TEXT];
    text_format(note, sizeof note, "%llu bytes, and the device agreed",
                (unsigned long long)pending->size);
    struct content content = {pending->name, pending->size, pending->sha256, note};
    raise_event(p, e, &of, flags, pending->sha256[0] && !is_refused ? &content : NULL);
}

/* True when the event is the answer to a pending action. */
static bool answer(struct policy *p, const struct ot_event *e)
{
    if (p->pending_count == 0 || !(*pending_word(p, e->flow->id) & pending_bit(e->flow->id)))
        return false;
    struct pending *pending =
        slots_find(&p->pending, pending_key(e, !e->is_from_client), e->time_ns);
    if (!pending)
        return false;
    struct pending copy = *pending;
    slots_drop(pending);
    p->pending_count--;
    if (e->transfer.step == TRANSFER_NONE || e->status.result == OT_RESULT_ERROR)
        pending_answered(p, e, &copy); /* otherwise the transfer tells */
    return true;
}

static void action_event(struct policy *p, const struct ot_event *e)
{
    if (e->direction == OT_RESPONSE) {
        if (answer(p, e) || !action_is_candidate(e->operation) || !(e->flags & OT_NO_REQUEST))
            return;
    } else if (!action_is_candidate(e->operation)) {
        return;
    }
    if (e->transfer.step != TRANSFER_NONE && e->operation == e->transfer.operation)
        return; /* told by the transfer */
    action_request(p, e);
}

/* --- transfers --- */

/* "DB5 (412 bytes)" or how much was announced. */
static void transfer_object(char *out, size_t capacity, const struct transfer *t,
                            const struct action *action)
{
    const char *name = t->name[0] ? t->name : action->thing;
    bool is_block = strcmp(t->protocol, "s7comm") == 0 && t->name[0];
    uint64_t size = t->size ? t->size : t->declared_size;
    if (size)
        text_format(out, capacity, "%s%s (%llu bytes)", is_block ? "block " : "", name,
                    (unsigned long long)size);
    else
        text_format(out, capacity, "%s%s", is_block ? "block " : "", name);
}

/* Says whether the same content has been seen under this name. */
static void transfer_compare(struct policy *p, const struct transfer *t, char *out, size_t capacity)
{
    const struct fingerprint *known = transfers_known(p->transfers, t);
    if (!known) {
        text_format(out, capacity, "%llu bytes in %u pieces; nothing to compare with yet",
                    (unsigned long long)t->size, t->blocks);
        return;
    }
    char when[TIME_TEXT_SIZE];
    bool is_same =
        known->size == t->size && memcmp(known->digest, t->digest, sizeof t->digest) == 0;
    text_format(out, capacity, "%llu bytes in %u pieces; %s what was seen at %s",
                (unsigned long long)t->size, t->blocks, is_same ? "the same as" : "differs from",
                time_print(when, known->seen_at_ns));
}

enum transfer_telling { TELL_STARTED, TELL_ENDED, TELL_ABORTED, TELL_SILENT };

static void transfer_note(struct policy *p, const struct transfer *t, const struct action *action,
                          enum transfer_telling telling, char *out, size_t capacity)
{
    if (telling == TELL_ENDED && t->size)
        transfer_compare(p, t, out, capacity);
    else if (telling == TELL_STARTED)
        text_format(out, capacity, "the transfer of %s %s", t->name[0] ? t->name : action->thing,
                    t->is_begin_seen ? "begins" : "(its beginning was not seen)");
    else
        text_format(out, capacity, "%llu bytes in %u pieces were seen", (unsigned long long)t->size,
                    t->blocks);
}

/* System data blocks are configuration, and a download to the controller all the same. */
static void system_data_tell(struct policy *p, const struct ot_event *e, uint32_t flags)
{
    const struct action *action = action_find(DETECTION_PLC_PROGRAM_DOWNLOAD);
    char key[FINDING_KEY];
    if (is_approved(p, action->detection, e))
        return;
    key_of_name(key, e->unit, "system data");
    struct cause_of of =
        cause_of_action(action, e, flags & FINDING_COMPLETED ? action->done : action->ordered, key,
                        "the hardware configuration (system data blocks)");
    raise_event(p, e, &of, flags, NULL);
}

static const struct action *action_of_transfer(const struct ot_event *e, const struct transfer *t)
{
    return t->operation == OP_FILE_WRITE ? action_of_file(e->protocol, t->name)
                                         : action_of(e, t->operation);
}

static void transfer_tell(struct policy *p, const struct ot_event *e, const struct transfer *t,
                          enum transfer_telling telling)
{
    struct ot_event named = *e;
    named.transfer.name = text_of(t->name);
    named.operation = t->operation;
    const struct action *action = action_of_transfer(&named, t);
    if (!action || is_approved(p, action->detection, e))
        return;
    static const char *const unfinished[][2] = {
        [TELL_ABORTED] = {"began to transfer %O to %T, and gave up",
                          "began to read %O out of %T, and gave up"             },
        [TELL_SILENT] = {"began to transfer %O to %T, and its end was not seen",
                          "began to read %O out of %T, and its end was not seen"},
    };
    bool is_read = t->operation == OP_PROGRAM_UPLOAD || t->operation == OP_FILE_READ;
    char key[FINDING_KEY], object[FINDING_KEY], note[FINDING_TEXT];
    char sha256[FINDING_SHA256_TEXT] = "";
    key_of_transfer(key, action, text_of(t->unit), t->name);
    transfer_object(object, sizeof object, t, action);
    transfer_note(p, t, action, telling, note, sizeof note);
    bool is_server_word = telling == TELL_ENDED && !e->is_from_client;
    bool is_refused = telling == TELL_ABORTED && e->status.result == OT_RESULT_ERROR;
    const char *phrase = telling == TELL_STARTED ? action->ordered
                         : telling == TELL_ENDED ? action->done
                         : is_refused            ? action->refused
                                                 : unfinished[telling][is_read];
    struct cause_of of = cause_of_action(action, e, phrase, key, object);
    /* where the beginning is an answer, its request has been told */
    bool is_first = telling == TELL_STARTED && e->direction != OT_RESPONSE;
    uint32_t flags = is_first ? 0 : FINDING_OUTCOME;
    if (is_refused)
        flags |= FINDING_REFUSED;
    if (telling == TELL_ENDED) {
        flags |= FINDING_COMPLETED | (is_server_word ? FINDING_CONFIRMED : 0u);
        if (t->size) {
            digest_print(sha256, t->digest);
            threats_transfer(p->threats, e, sha256);
        }
    }
    struct content content = {t->name, t->size, sha256, note};
    raise_event(p, &named, &of, flags, &content);
    if (t->operation == OP_PROGRAM_DOWNLOAD && action->detection == DETECTION_PLC_CONFIG_WRITE)
        system_data_tell(p, &named, flags);
    if (e->direction == OT_REQUEST && !is_server_word && telling <= TELL_ENDED &&
        e->transfer.step != TRANSFER_BLOCK) {
        struct pending *pending = pending_add(p, &named, action, key, object);
        pending->size = t->size;
        text_copy(pending->name, sizeof pending->name, text_of(t->name));
        text_copy(pending->sha256, sizeof pending->sha256, text_of(sha256));
    }
}

/* Tells about a transfer without an event: it was given up for another, or nobody went on. */
static void transfer_tell_late(struct policy *p, const struct transfer *t)
{
    struct ot_flow flow = {.id = t->flow_id,
                           .segment = t->segment,
                           .transport = t->transport,
                           .client = t->client,
                           .server = t->server};
    struct ot_event e = {.time_ns = t->last_ns,
                         .flow = &flow,
                         .is_from_client = true,
                         .direction = OT_ONEWAY,
                         .protocol = t->protocol,
                         .operation = t->operation};
    e.transfer.operation = t->operation;
    transfer_tell(p, &e, t, TELL_SILENT);
}

static void transfer_event(struct policy *p, const struct ot_event *e)
{
    enum transfer_change change;
    const struct transfer *replaced;
    const struct transfer *t = transfers_step(p->transfers, e, &change, &replaced);
    if (replaced)
        transfer_tell_late(p, replaced);
    switch (change) {
    case TRANSFER_STARTED:
        transfer_tell(p, e, t, TELL_STARTED);
        break;
    case TRANSFER_ENDED:
        transfer_tell(p, e, t, TELL_ENDED);
        if (t->size)
            transfers_remember(p->transfers, t);
        break;
    case TRANSFER_ABORTED:
        transfer_tell(p, e, t, TELL_ABORTED);
        break;
    case TRANSFER_SAME:
        break;
    }
}

/* --- what is wrong with single events --- */

static struct text user_of_event(const struct ot_event *e)
{
    for (uint32_t i = 0; i < e->fact_count; i++)
        if (e->facts[i].kind == FACT_USER_NAME)
            return e->facts[i].value;
    return (struct text){NULL, 0};
}

static void flags_event(struct policy *p, const struct ot_event *e)
{
    char object[FINDING_KEY], key[FINDING_KEY];
    struct conformance_finding odd;
    if (!conformance_of_event(e, &odd) || is_approved(p, odd.detection, e))
        return;
    action_object(e, object, sizeof object);
    bool is_login = odd.detection == DETECTION_ACCESS_DEFAULT_CREDENTIALS ||
                    strcmp(e->protocol, "snmp") == 0; /* not what was asked for by it */
    if (is_login)
        text_copy(object, sizeof object, user_of_event(e));
    else if (e->flags & OT_WEAK && e->detail.size)
        text_copy(object, sizeof object, e->detail);
    else if (!object[0] && e->name && strcmp(e->name, "password") != 0) /* says nothing more */
        text_copy(object, sizeof object, text_of(e->name));
    key_of_event(key, e);
    struct cause_of of = {.detection = odd.detection,
                          .protocol = e->protocol,
                          .key = key,
                          .phrase = odd.phrase,
                          .thing = odd.thing,
                          .object = object,
                          .expected = odd.expected,
                          .is_actor_server = odd.is_actor_server};
    raise_event(p, e, &of, 0, NULL);
}

/* --- what shows only in the sum --- */

static void sweep_tell(struct policy *p, const struct ot_event *e, enum detection detection,
                       const char *phrase, const char *object, const char *expected)
{
    if (is_approved(p, detection, e))
        return;
    struct cause_of of = {.detection = detection,
                          .protocol = e->protocol,
                          .key = "",
                          .phrase = phrase,
                          .thing = "",
                          .object = object,
                          .expected = expected,
                          .is_amount = detection != DETECTION_PLC_UNDOCUMENTED_SERVICE};
    raise_event(p, e, &of, 0, NULL);
}

static void sweeps_tell(struct policy *p, const struct ot_event *e, const struct sweep_report *r)
{
    char object[FINDING_KEY];
    if (r->found & SWEEP_UNITS) {
        text_format(object, sizeof object, "%u units, of which %u answered", r->units,
                    r->units_answered);
        sweep_tell(p, e, DETECTION_RECON_UNIT_SCAN, "tried sub-addresses of %T: %O", object,
                   "a client asks the units that exist");
    }
    if (r->found & SWEEP_FUNCTIONS) {
        uint32_t tried = r->functions > r->functions_refused ? r->functions : r->functions_refused;
        text_format(object, sizeof object, "%u, of which %u were refused", tried,
                    r->functions_refused);
        sweep_tell(p, e, DETECTION_RECON_FUNCTION_SCAN, "tried many functions on %T: %O", object,
                   "a client uses the few functions that it needs");
    }
    /* of a client that is known here the baseline knows what it reads */
    if (r->found & SWEEP_ADDRESSES && p->options.is_actor_new &&
        p->options.is_actor_new(p->options.context, e)) {
        text_format(object, sizeof object, "%u in a row from %llu on", r->walk,
                    (unsigned long long)r->walk_start);
        sweep_tell(p, e, DETECTION_RW_READ_SWEEP, "reads one address after another of %T: %O",
                   object, "a client reads the values that it needs");
    }
    if (r->found & SWEEP_UNANSWERED) {
        text_format(object, sizeof object, "%u requests in a row", r->unanswered);
        sweep_tell(p, e, DETECTION_OPS_UNRESPONSIVE, "gets no answers from %T any more: %O", object,
                   "this device answers nearly all requests");
    }
    if (r->found & SWEEP_EXCEPTIONS) {
        text_format(object, sizeof object, "%u of %u replies", r->errors, r->replies);
        sweep_tell(p, e, DETECTION_PROTO_EXCEPTION_BURST,
                   "gets error replies from %T within seconds: %O", object,
                   "error replies are rare, or as many as ever");
    }
    if (r->found & SWEEP_PASSWORDS) {
        text_format(object, sizeof object, "%u times", r->refusals);
        sweep_tell(p, e, DETECTION_PLC_AUTH_FAILED, "was refused a password or privilege by %T, %O",
                   object, "passwords are right at the first or second attempt");
    }
    if (r->found & SWEEP_UNDOCUMENTED) {
        text_format(object, sizeof object, "function %u", e->function);
        sweep_tell(p, e, DETECTION_PLC_UNDOCUMENTED_SERVICE,
                   "used an unknown function on %T, which carried it out: %O", object,
                   "this client has never used an unknown function here");
    }
}

/* --- log-ins and files --- */

static void logins_tell(struct policy *p, const struct ot_event *e, const struct login_report *r)
{
    char object[FINDING_KEY];
    if (is_approved(p, DETECTION_ACCESS_LOGIN_BRUTEFORCE, e))
        return;
    if (r->failures)
        text_format(object, sizeof object, "%u times within %u s%s%.48s", r->failures, r->seconds,
                    r->user[0] ? ", last as " : "", r->user);
    else
        text_format(object, sizeof object, "%u sessions within %u s", r->sessions, r->seconds);
    const char *phrase = r->is_let_in  ? "logged in to %T after it had failed: %O"
                         : r->failures ? "failed to log in to %T %O"
                                       : "opens sessions with %T as if it tried passwords: %O";
    struct cause_of of = {.detection = DETECTION_ACCESS_LOGIN_BRUTEFORCE,
                          .protocol = e->protocol,
                          .key = "",
                          .phrase = phrase,
                          .thing = "",
                          .object = object,
                          .expected = "log-ins work at the first or second attempt",
                          .is_amount = true};
    raise_event(p, e, &of, r->is_let_in ? FINDING_OUTCOME | FINDING_CONFIRMED : 0, NULL);
}

static void file_tell(struct policy *p, const struct ot_event *e, const struct file_move *move)
{
    char object[FINDING_KEY];
    if (is_approved(p, DETECTION_ACCESS_FILE_TRANSFER, e))
        return;
    const char *name = move->name;
    text_format(object, sizeof object, "%s%s%s%s", move->kind, *name ? " (" : "", name,
                *name ? ")" : "");
    struct cause_of of = {.detection = DETECTION_ACCESS_FILE_TRANSFER,
                          .protocol = e->protocol,
                          .key = object,
                          .phrase = move->is_to_server ? "copies %O to %T" : "fetches %O from %T",
                          .thing = "",
                          .object = object,
                          .expected = "programs and projects do not move between these two"};
    raise_event(p, e, &of, 0, NULL);
}

/* --- operating modes --- */

static void modes_event(struct policy *p, const struct ot_event *e)
{
    struct mode_change change;
    if (!modes_note(p->modes, e, &change) || is_approved(p, DETECTION_PLC_MODE_CHANGE, e))
        return;
    char object[FINDING_KEY], key[FINDING_KEY];
    text_format(object, sizeof object, "from %s to %s", change.before, change.now);
    key_of_event(key, e);
    bool is_fault = !change.has_commander && condition_is_fault(change.now);
    struct cause_of of = {.detection =
                              is_fault ? DETECTION_OPS_DEVICE_FAULT : DETECTION_PLC_MODE_CHANGE,
                          .protocol = e->protocol,
                          .key = key,
                          .phrase = is_fault               ? "reports a fault: it went %O"
                                    : change.has_commander ? "changed the operating mode of %T %O"
                                                           : "changed its operating mode %O",
                          .thing = "",
                          .object = object,
                          .expected = "the operating mode stays as it is"};
    uint32_t flags = 0;
    uint64_t count;
    if (!causes_admit(p->causes, e->flow, e->time_ns, &of, &flags, &count))
        return;
    struct finding f;
    finding_of_event(&f, of.detection, e);
    causes_fill(&f, &of, 0, count);
    /* whoever asked for the mode has not changed it */
    f.actor = change.has_commander ? change.commander : *ot_event_source(e);
    f.target = *ot_event_source(e);
    f.has_target = change.has_commander;
    text_format(f.seen, sizeof f.seen, "replies of the device: %s before, %s now", change.before,
                change.now);
    causes_tell(p->causes, &f);
}

static void modes_look(struct policy *p, int64_t now_ns)
{
    struct mode_stay stay;
    while (modes_stay(p->modes, now_ns, &stay)) {
        struct ot_flow flow = {
            .segment = stay.segment, .client = stay.device, .server = stay.device};
        struct violation last = {
            .flow = &flow, .protocol = stay.protocol, .time_ns = now_ns, .is_from_client = true};
        char since[TIME_TEXT_SIZE];
        struct finding f;
        finding_of_violation(&f, DETECTION_PLC_MODE_INSECURE, &last);
        f.has_target = false;
        f.count = 1;
        text_copy(f.key, sizeof f.key, text_of(stay.mode));
        text_format(f.what, sizeof f.what, "has been in mode %s for half an hour", stay.mode);
        text_copy(
            f.expected, sizeof f.expected,
            TEXT("a controller runs; it is stopped or open for programming for minutes only"));
        text_format(f.seen, sizeof f.seen, "mode %s since %s", stay.mode,
                    time_print(since, stay.since_ns));
        causes_tell(p->causes, &f);
    }
}

/* --- what devices tell about themselves --- */

static void condition_tell(struct policy *p, const struct ot_event *e,
                           const struct condition *condition)
{
    char key[FINDING_KEY];
    text_format(key, sizeof key, "%.*s %.60s", (int)(e->unit.size < 32 ? e->unit.size : 32),
                e->unit.size ? e->unit.at : "", condition->key);
    struct cause_of of = {.detection = condition->detection,
                          .protocol = e->protocol,
                          .key = key,
                          .phrase = condition->phrase,
                          .thing = "",
                          .object = condition->object,
                          .expected = condition->expected,
                          .is_actor_server = !condition->is_actor_client && !e->is_from_client,
                          .is_alone = !condition->has_target};
    uint32_t flags = 0;
    uint64_t count;
    if (is_approved(p, condition->detection, e) ||
        !causes_admit(p->causes, e->flow, e->time_ns, &of, &flags, &count))
        return;
    struct finding f;
    finding_of_event(&f, of.detection, e);
    causes_fill(&f, &of, condition->is_actor_client ? FINDING_REFUSED : 0, count);
    f.actor = condition->is_actor_client ? e->flow->client : *ot_event_source(e);
    f.target = condition->is_actor_client ? e->flow->server : *ot_event_destination(e);
    f.has_target = condition->has_target;
    seen_of_event(&f, e);
    causes_tell(p->causes, &f);
}

static void conditions_look(struct policy *p, const struct ot_event *e)
{
    struct condition found[CONDITIONS_MAX];
    unsigned count = conditions_event(p->conditions, e, found);
    for (unsigned i = 0; i < count; i++)
        condition_tell(p, e, &found[i]);
}

/* Lost cycles. True: the breach is one of cyclic data and no one else's business. */
static bool cycles_violation(struct policy *p, const struct violation *v)
{
    struct condition found;
    bool is_cyclic;
    if (conditions_violation(p->conditions, v, &is_cyclic, &found)) {
        struct ot_event e = {.time_ns = v->time_ns,
                             .flow = v->flow,
                             .packet = v->packet,
                             .is_from_client = v->is_from_client,
                             .direction = OT_ONEWAY,
                             .protocol = v->protocol,
                             .operation = OP_PUBLISH,
                             .name = v->why};
        condition_tell(p, &e, &found);
    }
    return is_cyclic;
}

/* Modbus' file records, PCCC's data files: numbered memory, read like registers. */
static bool is_numbered_memory(const struct ot_event *e)
{
    bool has_name = e->transfer.name.size > 0;
    for (uint32_t i = 0; i < e->item_count; i++)
        has_name = has_name || e->items[i].name.size > 0;
    return e->operation == OP_FILE_READ && e->item_count > 0 && !has_name;
}

/* Files of a controller are its configuration: who is no engineering station has no business
 * there. File transfer protocols of offices are told by others. */
static void config_read_event(struct policy *p, const struct ot_event *e)
{
    static const char *const office[] = {"ftp", "tftp", "http", "smb", "ssh"};
    const struct policy_options *o = &p->options;
    for (size_t i = 0; i < sizeof office / sizeof *office; i++)
        if (strncmp(e->protocol, office[i], strlen(office[i])) == 0)
            return;
    bool is_more = e->transfer.step == TRANSFER_BLOCK || e->transfer.step == TRANSFER_END;
    if (e->direction != OT_REQUEST || is_more || is_numbered_memory(e) ||
        is_approved(p, DETECTION_PLC_CONFIG_READ, e) ||
        (o->is_usual && o->is_usual(o->context, e)) ||
        (o->is_engineering_station &&
         o->is_engineering_station(o->context, e->flow->segment, &e->flow->client)))
        return;
    char object[FINDING_KEY], key[FINDING_KEY];
    action_object(e, object, sizeof object);
    key_of_event(key, e);
    struct cause_of of = {.detection = DETECTION_PLC_CONFIG_READ,
                          .protocol = e->protocol,
                          .key = key,
                          .phrase = "is reading %O of %T",
                          .thing = "files or settings",
                          .object = object,
                          .expected = "only engineering stations read files and settings"};
    raise_event(p, e, &of, 0, NULL);
}

/* --- known attackers --- */

static void threats_look(struct policy *p, const struct ot_event *e)
{
    const struct policy_options *o = &p->options;
    if (o->indicators)
        threats_event(p->threats, e);
    if (e->direction != OT_RESPONSE && threats_is_candidate(e->operation) && o->is_actor_new &&
        o->is_actor_new(o->context, e) && !is_approved(p, DETECTION_MAL_KNOWN_PATTERN, e))
        threats_stranger(p->threats, e);
}

/* --- the contract --- */

void policy_flow(struct policy *p, const struct ot_flow *flow, const struct packet *packet)
{
    threats_flow(p->threats, flow, packet);
}

void policy_expect(const struct policy *p, const struct ot_event *event)
{
    sweeps_expect(p->sweeps, event);
}

void policy_event(struct policy *p, const struct ot_event *event)
{
    if (event->flags & CONFORMANCE_FLAGS)
        flags_event(p, event);
    if (event->transfer.step != TRANSFER_NONE)
        transfer_event(p, event);
    if (p->pending_count || action_is_candidate(event->operation))
        action_event(p, event);
    if (event->fact_count)
        modes_event(p, event);
    if (event->operation == OP_FILE_READ)
        config_read_event(p, event);
    conditions_look(p, event);
    threats_look(p, event);
    struct file_move move;
    if (files_is_program(event, &move))
        file_tell(p, event, &move);
    struct login_report login;
    logins_event(p->logins, event, &login);
    if (login.is_found)
        logins_tell(p, event, &login);
    struct sweep_report report;
    sweeps_event(p->sweeps, event, &report);
    if (report.found)
        sweeps_tell(p, event, &report);
}

void policy_violation(struct policy *p, const struct violation *violation)
{
    struct conformance_finding breach;
    if (cycles_violation(p, violation))
        return;
    if (!conformance_of_violation(violation, &breach))
        return;
    struct cause_of of = {.detection = breach.detection,
                          .protocol = violation->protocol,
                          .key = violation->why,
                          .phrase = breach.phrase,
                          .thing = "",
                          .object = violation->why,
                          .expected = breach.expected,
                          .is_actor_server = !violation->is_from_client};
    uint32_t flags = 0;
    uint64_t count;
    if (!causes_admit(p->causes, violation->flow, violation->time_ns, &of, &flags, &count))
        return;
    struct finding f;
    finding_of_violation(&f, of.detection, violation);
    f.actor = violation->flow->client;
    f.target = violation->flow->server;
    causes_fill(&f, &of, 0, count);
    text_format(f.seen, sizeof f.seen, "%s: %s (%s)", violation->protocol, violation->why,
                violation_name(violation->kind));
    f.object[0] = '\0';
    causes_tell(p->causes, &f);
}

void policy_odd_port(struct policy *p, const struct ot_flow *flow, const char *protocol,
                     const char *expected, const struct packet *packet)
{
    char key[FINDING_KEY], object[FINDING_KEY];
    const char *found = protocol ? protocol : "something unknown";
    text_format(key, sizeof key, "%u", flow->server.port);
    text_format(object, sizeof object, "%s on port %u", found, flow->server.port);
    struct cause_of of = {.detection = DETECTION_COMM_PROTOCOL_ON_ODD_PORT,
                          .protocol = protocol ? protocol : "",
                          .key = key,
                          .phrase = "talks to %T with a protocol that does not belong there: %O",
                          .thing = "",
                          .object = object,
                          .expected = ""};
    struct violation at = {
        .flow = flow, .packet = packet, .protocol = of.protocol, .is_from_client = true};
    at.time_ns = packet ? packet->time_ns : flow->last_ns;
    uint64_t count;
    uint32_t flags = 0;
    if (!causes_admit(p->causes, flow, at.time_ns, &of, &flags, &count))
        return;
    struct finding f;
    finding_of_violation(&f, of.detection, &at);
    causes_fill(&f, &of, flags, count);
    if (expected)
        text_format(f.expected, sizeof f.expected, "%s on port %u", expected, flow->server.port);
    else
        text_format(f.expected, sizeof f.expected, "%s on its own port", found);
    text_format(f.seen, sizeof f.seen, "%s on port %u", found, flow->server.port);
    causes_tell(p->causes, &f);
}

static void pending_expire(struct policy *p, int64_t now_ns)
{
    if (p->pending_count == 0)
        return;
    size_t left = 0;
    memset(p->pending_flows, 0, sizeof p->pending_flows);
    for (size_t i = 0; i < p->pending.capacity; i++) {
        struct pending *pending = slots_at(&p->pending, i);
        if (pending->slot.key == 0)
            continue;
        if (now_ns - pending->slot.used_ns > ANSWER_WAIT_NS) {
            slots_drop(pending);
            continue;
        }
        *pending_word(p, pending->flow_id) |= pending_bit(pending->flow_id);
        left++;
    }
    p->pending_count = left;
}

void policy_tick(struct policy *p, int64_t time_ns, bool is_last)
{
    int64_t before_ns = is_last ? INT64_MAX : time_ns - TRANSFER_WAIT_NS;
    for (const struct transfer *t; (t = transfers_take_stale(p->transfers, before_ns));)
        transfer_tell_late(p, t);
    pending_expire(p, time_ns);
    modes_look(p, time_ns);
    causes_tick(p->causes, time_ns, is_last);
}
