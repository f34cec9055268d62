/* conformance.c: which detection a breach is. DETECTIONS.md 1.2 and 1.7, kinds of PROTOCOLS.md 4.
 */
#include "rules/conformance.h"

#include <string.h>

/* In the first moments of a flow that was picked up in its middle, framing is still being found. */
static const int64_t PICK_UP_NS = 1 * INT64_C(1000000000);
/* After so long all that controllers still answer was asked before our eyes, and sequence numbers
 * are known. */
static const int64_t WATCHED_NS = 10 * INT64_C(1000000000);

enum history { HISTORY_NONE, HISTORY_WATCHED, HISTORY_WHOLE };

static const struct kind {
    enum detection detection;
    enum history needs; /* WATCHED: only a breach after a while without loss; WHOLE: only when
                           nothing of the conversation was missed */
} kinds[VIOLATION_COUNT_OF] = {
    [VIOLATION_LENGTH] = {DETECTION_PROTO_ILLEGAL_LENGTH,    HISTORY_NONE   },
    [VIOLATION_TRUNCATED] = {DETECTION_PROTO_ILLEGAL_LENGTH,    HISTORY_NONE   },
    [VIOLATION_TRAILING] = {DETECTION_PROTO_ILLEGAL_LENGTH,    HISTORY_NONE   },
    [VIOLATION_FUNCTION] = {DETECTION_PROTO_RESERVED_CODE,     HISTORY_NONE   },
    [VIOLATION_RESERVED] = {DETECTION_PROTO_RESERVED_CODE,     HISTORY_NONE   },
    [VIOLATION_STATE] = {DETECTION_PROTO_STATE_VIOLATION,   HISTORY_WHOLE  },
    [VIOLATION_DIRECTION] = {DETECTION_PROTO_STATE_VIOLATION,   HISTORY_WHOLE  },
    [VIOLATION_SEQUENCE] = {DETECTION_PROTO_STATE_VIOLATION,   HISTORY_WATCHED},
    [VIOLATION_DUPLICATE] = {DETECTION_PROTO_STATE_VIOLATION,   HISTORY_WATCHED},
    [VIOLATION_RANGE] = {DETECTION_PROTO_ILLEGAL_PARAMETER, HISTORY_NONE   },
    [VIOLATION_COUNT] = {DETECTION_PROTO_MALFORMED,         HISTORY_NONE   },
    [VIOLATION_CHECKSUM] = {DETECTION_PROTO_MALFORMED,         HISTORY_NONE   },
    [VIOLATION_ENCODING] = {DETECTION_PROTO_MALFORMED,         HISTORY_NONE   },
    [VIOLATION_OVERLAP] = {DETECTION_PROTO_EVASION,           HISTORY_NONE   },
};

static const struct words {
    enum detection detection;
    const char *phrase, *expected;
} words[] = {
    {DETECTION_PROTO_ILLEGAL_LENGTH,    "sent data with wrong lengths to %T: %O",
     "lengths agree with each other and with the data"   },
    {DETECTION_PROTO_RESERVED_CODE,     "sent a code to %T that is reserved or not defined: %O",
     "only codes that the specification defines"         },
    {DETECTION_PROTO_STATE_VIOLATION,   "sent %T a message that has no place here: %O",
     "messages in the order that the specification gives"},
    {DETECTION_PROTO_ILLEGAL_PARAMETER, "sent %T a parameter outside the specification: %O",
     "parameters within the limits of the specification" },
    {DETECTION_PROTO_EVASION,           "sent %T data twice with different content: %O",
     "what is sent again is the same"                    },
    {DETECTION_PROTO_MALFORMED,         "sent malformed data to %T: %O",
     "data as the specification describes it"            },
};

static bool history_is_known(const struct ot_flow *flow, int64_t now_ns, enum history needs)
{
    if (needs == HISTORY_NONE)
        return true;
    bool is_watched = needs == HISTORY_WATCHED && now_ns - flow->first_ns >= WATCHED_NS;
    return !flow->has_gap && !flow->has_unseen && (flow->is_start_seen || is_watched);
}

bool conformance_of_violation(const struct violation *v, struct conformance_finding *f)
{
    const struct kind *kind = &kinds[v->kind];
    const struct ot_flow *flow = v->flow;
    if (!history_is_known(flow, v->time_ns, kind->needs))
        return false;
    /* the event of that response says so too, and tells what it answered */
    if (v->kind == VIOLATION_DIRECTION && strstr(v->why, "without a request"))
        return false;
    if (!flow->is_start_seen && v->time_ns - flow->first_ns < PICK_UP_NS &&
        flow->transport == TRANSPORT_TCP && kind->detection == DETECTION_PROTO_ILLEGAL_LENGTH)
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (words[i].detection != kind->detection)
            continue;
        *f = (struct conformance_finding){kind->detection, words[i].phrase, "", words[i].expected,
                                          !v->is_from_client};
        return true;
    }
    return false;
}

/* A password in clear; the worse when it is the one that the device was delivered with. */
static bool credential_of_event(const struct ot_event *e, struct conformance_finding *f)
{
    static const struct conformance_finding
        community = {DETECTION_ACCESS_WEAK_PROTECTION,
                     "talks to %T with %O that anybody on the way can read", "an SNMP community",
                     "SNMP version 3, or known here", false},
        password = {DETECTION_ACCESS_WEAK_PROTECTION,
                    "sent %T a password that anybody on the way can read: %O", "a login",
                    "logins are encrypted, or known here", false},
        delivered_community = {DETECTION_ACCESS_DEFAULT_CREDENTIALS,
                               "talks to %T with %O that every device is delivered with",
                               "an SNMP community", "communities of the plant's own, or known here",
                               false},
        delivered = {DETECTION_ACCESS_DEFAULT_CREDENTIALS,
                     "logs in to %T with a password that such devices are delivered with: %O",
                     "a login", "passwords of the plant's own, or known here", false};
    if ((e->flags & (OT_HAS_CREDENTIAL | OT_ENCRYPTED)) != OT_HAS_CREDENTIAL)
        return false;
    bool is_community = strcmp(e->protocol, "snmp") == 0;
    if (e->flags & OT_DEFAULT_CREDENTIAL)
        *f = is_community ? delivered_community : delivered;
    else
        *f = is_community ? community : password;
    return true;
}

/* Offices ask to be told when a file changes, or read a pipe, and wait for hours. */
static bool waits_long(const struct ot_event *e)
{
    return ot_event_is(e, "smb") || ot_event_is(e, "smb2") || ot_event_is(e, "dcerpc");
}

bool conformance_of_event(const struct ot_event *e, struct conformance_finding *f)
{
    if (e->flags & OT_BROADCAST && e->direction != OT_RESPONSE &&
        operation_is_change(e->operation)) {
        *f = (struct conformance_finding){DETECTION_RW_BROADCAST_WRITE,
                                          "wrote %O to all units behind %T at once", "data",
                                          "writes go to one unit", false};
        return true;
    }
    if (e->direction != OT_RESPONSE)
        return credential_of_event(e, f);
    if (e->flags & OT_WEAK) {
        *f = (struct conformance_finding){
            DETECTION_ACCESS_WEAK_PROTECTION, "talks to %T without protection that holds: %O",
            "an old version of a protocol", "versions that sign or encrypt, or known here", false};
        return true;
    }
    if (e->flags & OT_ECHO_DIFFERS && !e->flow->has_unseen) {
        *f =
            (struct conformance_finding){DETECTION_RW_UNSOLICITED_RESPONSE,
                                         "answered %T with another address or value than asked: %O",
                                         "something", "a reply repeats what was asked", true};
        return true;
    }
    if (e->flags & OT_NO_REQUEST && e->flow->is_two_sided &&
        history_is_known(e->flow, e->time_ns, waits_long(e) ? HISTORY_WHOLE : HISTORY_WATCHED)) {
        *f = (struct conformance_finding){DETECTION_RW_UNSOLICITED_RESPONSE,
                                          "sent %T a reply that it had not asked for: %O",
                                          "something", "each reply belongs to one request", true};
        return true;
    }
    return false;
}

bool conformance_is_unknown(const struct finding *f, bool is_guess)
{
    return f->detection == DETECTION_COMM_PROTOCOL_ON_ODD_PORT && f->has_target &&
           (f->protocol[0] == '\0' || (is_guess && f->transport == TRANSPORT_UDP));
}

void conformance_of_unknown(struct finding *f, const char *served)
{
    f->detection = DETECTION_PROTO_MALFORMED;
    text_copy(f->protocol, sizeof f->protocol, text_of(served));
    f->object[0] = '\0';
    text_format(f->key, sizeof f->key, "nothing of %u", f->target.port);
    text_format(f->what, sizeof f->what,
                "sent malformed data to %%T: nothing of it is %s, which "
                "is spoken there",
                served);
    text_format(f->expected, sizeof f->expected, "messages of %s on port %u", served,
                f->target.port);
}
