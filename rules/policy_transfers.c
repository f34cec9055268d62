/* policy_transfers.c: tells the steps of programs, files and firmware on their way. */
#include "rules/policy_parts.h"

#include "sensor/base/json_writer.h"

#include <string.h>

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
    if (policy_is_approved(p, action->detection, e))
        return;
    policy_key_of_name(key, e->unit, "system data");
    struct cause_of of = policy_cause_of_action(
        action, e, flags & FINDING_COMPLETED ? action->done : action->ordered, key,
        "the hardware configuration (system data blocks)");
    policy_raise(p, e, &of, flags, NULL);
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
    if (!action || policy_is_approved(p, action->detection, e))
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
    policy_key_of_transfer(key, action, text_of(t->unit), t->name);
    transfer_object(object, sizeof object, t, action);
    transfer_note(p, t, action, telling, note, sizeof note);
    bool is_server_word = telling == TELL_ENDED && !e->is_from_client;
    bool is_refused = telling == TELL_ABORTED && e->status.result == OT_RESULT_ERROR;
    const char *phrase = telling == TELL_STARTED ? action->ordered
                         : telling == TELL_ENDED ? action->done
                         : is_refused            ? action->refused
                                                 : unfinished[telling][is_read];
    struct cause_of of = policy_cause_of_action(action, e, phrase, key, object);
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
    policy_raise(p, &named, &of, flags, &content);
    if (t->operation == OP_PROGRAM_DOWNLOAD && action->detection == DETECTION_PLC_CONFIG_WRITE)
        system_data_tell(p, &named, flags);
    if (e->direction == OT_REQUEST && !is_server_word && telling <= TELL_ENDED &&
        e->transfer.step != TRANSFER_BLOCK) {
        struct pending *pending = policy_pending_add(p, &named, action, key, object);
        pending->size = t->size;
        text_copy(pending->name, sizeof pending->name, text_of(t->name));
        text_copy(pending->sha256, sizeof pending->sha256, text_of(sha256));
    }
}

/* Tells about a transfer without an event: it was given up for another, or nobody went on. */
void policy_transfer_tell_late(struct policy *p, const struct transfer *t)
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

void policy_transfer_event(struct policy *p, const struct ot_event *e)
{
    enum transfer_change change;
    const struct transfer *replaced;
    const struct transfer *t = transfers_step(p->transfers, e, &change, &replaced);
    if (replaced)
        policy_transfer_tell_late(p, replaced);
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
