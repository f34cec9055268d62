/* message.c: the one plain sentence of an alert, for a shift engineer. */
#include "cause.h"
#include "document.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool document_describe(struct asset_brief *brief, const struct document_context *context,
                       uint32_t segment, const struct endpoint *host)
{
    memset(brief, 0, sizeof *brief);
    brief->place.level = LEVEL_UNKNOWN;
    return context->describe && context->describe(context->inventory, segment, host, brief);
}

/* Who is meant when it is no single device; NULL: it is one. */
static const char *crowd(const struct endpoint *host)
{
    static const uint8_t all[6] = {255, 255, 255, 255, 255, 255};
    const uint8_t *ip = host->ip.bytes, *mac = host->mac.bytes;
    switch (host->ip.kind) {
    case ADDRESS_IP4:
        return memcmp(ip, all, 4) == 0 ? "all devices" : ip[0] >> 4 == 14 ? "the group" : NULL;
    case ADDRESS_IP6:
        return ip[0] == 0xff ? "the group" : NULL;
    case ADDRESS_NONE:
        break;
    }
    return memcmp(mac, all, sizeof all) == 0 ? "all devices" : mac[0] & 1 ? "the group" : NULL;
}

char *document_host(char out[HOST_NAME_SIZE], const struct document_context *context,
                    uint32_t segment, const struct endpoint *host, bool is_target)
{
    struct asset_brief brief;
    char address[ADDRESS_TEXT_SIZE];
    cause_host(address, host);
    if (is_target && crowd(host))
        return text_format(out, HOST_NAME_SIZE, "%s (%s)", crowd(host), address);
    bool is_known = document_describe(&brief, context, segment, host);
    bool has_name = is_known && brief.name[0] && strcmp(brief.name, address) != 0;
    bool has_model =
        is_target && is_known && brief.model[0] && strcmp(brief.model, brief.name) != 0;

    if (has_name && has_model)
        text_join(out, HOST_NAME_SIZE, brief.name, " (", brief.model, ", ", address, ")", NULL);
    else if (has_name)
        text_join(out, HOST_NAME_SIZE, brief.name, " (", address, ")", NULL);
    else if (has_model)
        text_join(out, HOST_NAME_SIZE, "the ", brief.model, " at ", address, NULL);
    else if (is_target && brief.is_controller)
        text_join(out, HOST_NAME_SIZE, "the PLC at ", address, NULL);
    else
        text_join(out, HOST_NAME_SIZE, address, NULL);
    return out;
}

static bool is_programming(enum detection d)
{
    return d == DETECTION_PLC_PROGRAM_DOWNLOAD || d == DETECTION_PLC_PROGRAM_UPLOAD ||
           d == DETECTION_PLC_ONLINE_EDIT || d == DETECTION_PLC_BLOCK_DELETE ||
           d == DETECTION_PLC_FIRMWARE_TRANSFER;
}

/* What is new about the actor, in brackets; "" when nothing is. */
static const char *note(const struct alert *alert, const struct document_context *context)
{
    const struct finding *f = &alert->finding;
    struct asset_brief brief;
    if (!(alert->flags & FINDING_ACTOR_NEW))
        return "";
    if (document_describe(&brief, context, f->segment, &f->actor) && brief.is_new)
        return " (new device)";
    const char *id = detection_kind(f->detection)->id;
    if (f->detection == DETECTION_RW_READ_SWEEP || f->detection == DETECTION_RW_NEW_WRITER)
        return ""; /* what it did is about reading, or says it already */
    if (is_programming(f->detection))
        return " (never programmed this PLC before)";
    if (strncmp(id, "plc.", 4) == 0)
        return " (never controlled this PLC before)";
    return strncmp(id, "rw.", 3) == 0 ? " (never wrote to it before)" : "";
}

/* Copies `what` with every %T replaced by the target's name. */
static size_t put_words(char *out, size_t capacity, const char *what, const char *target)
{
    size_t used = 0;
    for (const char *p = what; *p && used + 1 < capacity;) {
        if (p[0] == '%' && p[1] == 'T') {
            int n = snprintf(out + used, capacity - used, "%s", target);
            used = n < 0 ? used : used + (size_t)n < capacity ? used + (size_t)n : capacity - 1;
            p += 2;
        } else {
            out[used++] = *p++;
        }
    }
    out[used] = '\0';
    return used;
}

static char *storm_message(char out[MESSAGE_SIZE], const struct alert *alert,
                           const struct document_context *context)
{
    return text_format(out, MESSAGE_SIZE,
                       "More than %" PRIu32 " alerts \"%s\" within an hour: %" PRIu64
                       " further findings are told here alone",
                       context->storm_cap, detection_kind(alert->finding.detection)->title,
                       alert->count);
}

/* "PANEL-7 (10.0.0.5, new device)": one pair of brackets is enough. */
static void put_actor(char out[MESSAGE_SIZE], const char *actor, const char *news)
{
    size_t size = strlen(actor);
    if (news[0] && actor[size - 1] == ')')
        text_format(out, MESSAGE_SIZE, "%.*s, %s", (int)size - 1, actor, news + strlen(" ("));
    else
        text_join(out, MESSAGE_SIZE, actor, news, NULL);
}

char *document_message(char out[MESSAGE_SIZE], const struct alert *alert,
                       const struct document_context *context)
{
    const struct finding *f = &alert->finding;
    if (alert->is_storm)
        return storm_message(out, alert, context);

    char actor[HOST_NAME_SIZE] = "", target[HOST_NAME_SIZE] = "";
    document_host(actor, context, f->segment, &f->actor, false);
    if (f->has_target)
        document_host(target, context, f->segment, &f->target, true);
    const char *shown_target = target[0] ? target : "an unknown device";
    char words[MESSAGE_SIZE];
    if (f->what[0])
        put_words(words, sizeof words, f->what, shown_target);
    else
        text_format(words, sizeof words, target[0] ? "raised \"%s\" at %s" : "raised \"%s\"",
                    detection_kind(f->detection)->title, target);

    if (actor[0]) {
        put_actor(out, actor, note(alert, context));
        text_join(out + strlen(out), MESSAGE_SIZE - strlen(out), " ", words, NULL);
    } else if (strncmp(detection_kind(f->detection)->id, "sensor.", 7) == 0) {
        text_format(out, MESSAGE_SIZE, "The sensor %s", words);
    } else {
        text_format(out, MESSAGE_SIZE, "%s", words);
        out[0] = (char)toupper((unsigned char)out[0]);
    }
    return out;
}
