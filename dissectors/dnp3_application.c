/* dnp3_application.c: application fragments of DNP3: functions, matching, internal indications.
 *
 * Spec: [1815] IEEE 1815-2012, 4.2.2 (header, functions, IIN), 4.4 (select before operate)
 *
 *   request  | control 1: FIR 80, FIN 40, CON 20, UNS 10, sequence 0f | function 1 | objects |
 *   response | control 1 | function 1, from 129 | IIN 2 | objects |
 */
#include "dnp3_file.h"

#include "decimal.h"

#include <stddef.h>

enum {
    FIRST = 0x80,
    UNSOLICITED = 0x10,
    SEQUENCE_BITS = 0x0f,
    FUNCTION_CONFIRM = 0,
    FUNCTION_READ = 1,
    FUNCTION_WRITE = 2,
    FUNCTION_SELECT = 3,
    FUNCTION_OPERATE = 4,
    FUNCTION_DIRECT_LAST = 6, /* with and without an answer */
    FUNCTION_ACTIVATE = 31,
    FUNCTION_AUTHENTICATE = 32,
    FUNCTION_RESPONSE = 129,
    FUNCTION_UNSOLICITED = 130,
    FUNCTION_CHALLENGE = 131,
    ASKED_ITEMS = 6,
    SELECT_KEY_BIT = 1 << 8, /* apart from sequence numbers */
};

/* [1815] 4.4.3: arm timeouts are seconds; half a minute is long. */
static const int64_t SELECT_LASTS_NS = 30 * INT64_C(1000000000);

static const struct function {
    const char *name;
    enum operation operation; /* OP_UNKNOWN: what its objects mean */
    bool is_unanswered;
} requests[] = {
  /* [1815] 4.2.2.5, table 4-2, from 0 on */
    {"confirm",                 OP_SESSION,       true },
    {"read",                    OP_READ,          false},
    {"write",                   OP_WRITE,         false},
    {"select",                  OP_CONTROL,       false},
    {"operate",                 OP_CONTROL,       false},
    {"direct_operate",          OP_CONTROL,       false},
    {"direct_operate_no_ack",   OP_CONTROL,       true },
    {"immediate_freeze",        OP_CONTROL,       false},
    {"immediate_freeze_no_ack", OP_CONTROL,       true },
    {"freeze_clear",            OP_CONTROL,       false},
    {"freeze_clear_no_ack",     OP_CONTROL,       true },
    {"freeze_at_time",          OP_CONTROL,       false},
    {"freeze_at_time_no_ack",   OP_CONTROL,       true },
    {"cold_restart",            OP_RESTART,       false},
    {"warm_restart",            OP_RESTART,       false},
    {"initialize_data",         OP_RESTART,       false},
    {"initialize_application",  OP_RESTART,       false},
    {"start_application",       OP_START,         false},
    {"stop_application",        OP_STOP,          false},
    {"save_configuration",      OP_CONFIG_CHANGE, false},
    {"enable_unsolicited",      OP_SUBSCRIBE,     false},
    {"disable_unsolicited",     OP_SUBSCRIBE,     false},
    {"assign_class",            OP_CONFIG_CHANGE, false},
    {"delay_measurement",       OP_DIAGNOSTICS,   false},
    {"record_current_time",     OP_TIME_SET,      false},
    {"open_file",               OP_FILE_READ,     false},
    {"close_file",              OP_FILE_READ,     false},
    {"delete_file",             OP_FILE_DELETE,   false},
    {"get_file_information",    OP_FILE_READ,     false},
    {"authenticate_file",       OP_AUTH,          false},
    {"abort_file",              OP_FILE_WRITE,    false},
    {"activate_configuration",  OP_CONFIG_CHANGE, false},
    {"authentication_request",  OP_AUTH,          true },
    {"authentication_error",    OP_AUTH,          true },
};

static const struct function responses[] = {
    {"response",                OP_READ,    true},
    {"unsolicited_response",    OP_PUBLISH, true},
    {"authentication_response", OP_AUTH,    true},
};

static const struct function *function_of(uint8_t code)
{
    if (code < sizeof requests / sizeof *requests)
        return &requests[code];
    if (code >= FUNCTION_RESPONSE && code - FUNCTION_RESPONSE < 3)
        return &responses[code - FUNCTION_RESPONSE];
    return NULL;
}

/* Remembered of a request. */
struct asked {
    uint64_t echo_hash; /* of commands; 0: none */
    uint8_t function, operation, item_count;
    struct dnp3_open open;
    struct asked_item {
        const char *area;
        uint64_t start, high;
        uint32_t count;
        bool has_start, has_range;
    } items[ASKED_ITEMS];
};

struct selected {
    uint64_t hash;
    int64_t time_ns;
};

struct fragment {
    struct dissect *d;
    struct dnp3_application *s;
    const struct dnp3_link *link;
    const struct function *function;
    uint8_t control, code;
    bool is_response;
    struct dnp3_walk walk;
    struct ot_event event;
};

static void breaks(struct fragment *f, enum violation_kind kind, const char *why)
{
    emit_violation(f->d, kind, why, f->link->frame.at, reader_left(&f->link->frame));
}

/* --- addresses --- */

static uint16_t master_of(const struct fragment *f)
{
    return f->is_response ? f->link->destination : f->link->source;
}

static uint16_t outstation_of(const struct fragment *f)
{
    return f->is_response ? f->link->source : f->link->destination;
}

/* "3>4": master and outstation */
static struct text unit_text(const struct fragment *f)
{
    char *out = arena_take_unset(f->d->arena, 2 * DECIMAL_MAX + 1);
    if (!out)
        return (struct text){NULL, 0};
    size_t size = decimal_put(out, master_of(f));
    out[size++] = '>';
    size += decimal_put(out + size, outstation_of(f));
    return (struct text){out, size};
}

static uint64_t key_at(const struct fragment *f, uint16_t outstation, unsigned low)
{
    return (uint64_t)outstation << 32 | (uint64_t)master_of(f) << 16 | low;
}

static uint64_t key_of(const struct fragment *f, unsigned low)
{
    return key_at(f, outstation_of(f), low);
}

/* --- requests --- */

static void keep(struct fragment *f, const struct dnp3_open *open)
{
    if (f->code == FUNCTION_AUTHENTICATE || (f->function && f->function->is_unanswered))
        return; /* a challenged request goes on: its response comes after the authentication */
    uint32_t count = f->walk.count < ASKED_ITEMS ? f->walk.count : ASKED_ITEMS;
    size_t size = offsetof(struct asked, items) + count * sizeof(struct asked_item);
    struct asked *asked = dissect_remember(f->d, key_of(f, f->control & SEQUENCE_BITS), size, NULL);
    asked->function = f->code;
    asked->operation = (uint8_t)f->event.operation;
    asked->item_count = (uint8_t)count;
    asked->echo_hash = f->walk.echo_hash;
    asked->open = *open;
    for (uint32_t i = 0; i < count; i++) {
        const struct ot_item *item = &f->walk.items[i];
        asked->items[i] = (struct asked_item){item->area,  item->start,     item->high,
                                              item->count, item->has_start, item->has_range};
    }
}

static void put_manner(struct fragment *f)
{
    uint8_t manner = f->code == FUNCTION_SELECT    ? MANNER_SELECT
                     : f->code == FUNCTION_OPERATE ? MANNER_EXECUTE
                                                   : MANNER_DIRECT;
    for (uint32_t i = 0; i < f->walk.count; i++)
        f->walk.items[i].manner = manner;
}

static void check_select(struct fragment *f)
{
    uint64_t key = key_of(f, SELECT_KEY_BIT);
    if (f->code == FUNCTION_SELECT) {
        struct selected *s = dissect_remember(f->d, key, sizeof *s, NULL);
        *s = (struct selected){f->walk.command_hash, f->d->time_ns};
        return;
    }
    size_t size;
    const struct selected *s = dissect_recall(f->d, key, &size);
    bool is_missing = !s || size != sizeof *s;
    if (is_missing && (f->s->is_asked || f->d->flow->is_start_seen))
        breaks(f, VIOLATION_STATE, "operate without a select");
    if (is_missing)
        return;
    if (s->hash != f->walk.command_hash)
        breaks(f, VIOLATION_STATE, "operate differs from its select");
    else if (f->d->time_ns - s->time_ns > SELECT_LASTS_NS)
        breaks(f, VIOLATION_STATE, "operate long after its select");
}

/* [1815] 11.7: operation in bits 3-0, trip or close in bits 7-6 */
static void describe_control(struct fragment *f)
{
    static const char *const words[4][5] = {
        {"nul",       "pulse on",       "pulse off",       "latch on",       "latch off"      },
        {"close",     "pulse on close", "pulse off close", "latch on close", "latch off close"},
        {"trip",      "pulse on trip",  "pulse off trip",  "latch on trip",  "latch off trip" },
        {"undefined", "undefined",      "undefined",       "undefined",      "undefined"      },
    };
    unsigned operation = f->walk.control_code & 15, trip = f->walk.control_code >> 6;
    f->event.detail = operation < 5 ? text_of(words[trip][operation]) : TEXT("undefined");
    if (operation >= 5)
        breaks(f, VIOLATION_RANGE, "control operation is not defined");
}

/* The time that a clock is set to; empty when it is none of these days. */
static struct text time_written(const struct ot_event *e)
{
    const struct ot_values *v = e->item_count ? &e->items[0].values : NULL;
    if (!v || v->encoding != VALUES_TEXT)
        return (struct text){NULL, 0};
    return (struct text){(const char *)v->bytes, v->size};
}

static void request(struct fragment *f)
{
    struct dnp3_open open = {0};
    struct ot_event *e = &f->event;
    if (f->function->operation == OP_READ || f->function->operation == OP_WRITE)
        if (f->walk.operation > OP_UNKNOWN)
            e->operation = f->walk.operation;
    if (f->code == FUNCTION_ACTIVATE && f->s->is_file_written)
        e->operation = OP_PROGRAM_DOWNLOAD;
    if (f->link->is_broadcast)
        e->flags |= OT_BROADCAST;
    if (f->walk.has_file)
        dnp3_file_object(f->d, f->s, &f->walk, e, NULL, &open);
    if (f->walk.has_control_code)
        describe_control(f);
    if (e->operation == OP_TIME_SET)
        e->detail = time_written(e);
    if (f->code >= FUNCTION_SELECT && f->code <= FUNCTION_DIRECT_LAST)
        put_manner(f);
    if (f->code == FUNCTION_SELECT || f->code == FUNCTION_OPERATE)
        check_select(f);
    if (f->control & UNSOLICITED && f->code != FUNCTION_CONFIRM)
        breaks(f, VIOLATION_RESERVED, "request with the unsolicited bit");
    if (!f->link->is_from_master)
        breaks(f, VIOLATION_DIRECTION, "request with the direction bit of an outstation");
    f->s->is_asked = true;
    keep(f, &open);
}

/* --- responses --- */

/* [1815] 4.2.2.6: what the outstation says of itself, the gravest first. */
static struct text indicated(struct dissect *d, uint8_t first, uint8_t second)
{
    enum { CLASSES = 0x0e, TEXT_MAX = 160 };
    static const struct {
        uint8_t first, second;
        const char *words;
    } states[] = {
        {0x80, 0,    "device restart"       },
        {0x40, 0,    "device trouble"       },
        {0,    0x20, "configuration corrupt"},
        {0,    0x08, "event buffer overflow"},
        {0x20, 0,    "local control"        },
        {0x10, 0,    "need time"            },
        {0x01, 0,    "broadcast received"   },
    };
    static const char *const classes[] = {NULL,
                                          "class 1 events",
                                          "class 2 events",
                                          "class 1, 2 events",
                                          "class 3 events",
                                          "class 1, 3 events",
                                          "class 2, 3 events",
                                          "class 1, 2, 3 events"};
    const char *waiting = classes[(first & CLASSES) >> 1];
    if (!(first & ~CLASSES) && !(second & 0x28))
        return text_of(waiting); /* the usual case */
    char words[TEXT_MAX];
    words[0] = '\0';
    size_t used = 0;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if ((states[i].first & first) || (states[i].second & second))
            used += strlen(text_format(words + used, sizeof words - used, "%s%s", used ? ", " : "",
                                       states[i].words));
    return dissect_text(d, "%s%s%s", words, waiting ? ", " : "", waiting ? waiting : "");
}

/* [1815] 4.2.2.6; the second octet's errors say that the request failed. */
static void indications(struct fragment *f, uint8_t first, uint8_t second)
{
    static const struct {
        uint8_t bit;
        const char *name;
    } refused[] = {
        {0x01, "function_not_supported"},
        {0x02, "object_unknown"        },
        {0x04, "parameter_error"       },
        {0x10, "already_executing"     },
    };
    struct ot_event *e = &f->event;
    e->status = (struct ot_status){OT_RESULT_OK, (uint32_t)first << 8 | second, "ok"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        if (!(second & refused[i].bit) || e->status.result == OT_RESULT_ERROR)
            continue;
        e->status =
            (struct ot_status){OT_RESULT_ERROR, (uint32_t)first << 8 | second, refused[i].name};
    }
    e->detail = indicated(f->d, first, second);
    if (second & 0xc0)
        breaks(f, VIOLATION_RESERVED, "reserved internal indications are set");
}

/* What was asked, when the response does not say it itself. */
static void repeat_items(struct fragment *f, const struct asked *asked)
{
    uint32_t count = asked->item_count;
    if (f->event.item_count || count == 0)
        return;
    struct ot_item *items = dissect_items(f->d, &count);
    for (uint32_t i = 0; i < count; i++) {
        const struct asked_item *a = &asked->items[i];
        items[i] = (struct ot_item){.area = a->area,
                                    .start = a->start,
                                    .low = a->start,
                                    .high = a->high,
                                    .count = a->count,
                                    .has_start = a->has_start,
                                    .has_range = a->has_range};
    }
    f->event.items = items;
    f->event.item_count = count;
    f->event.items_total = asked->item_count;
}

/* Any outstation may answer what was sent to all. */
static const struct asked *recall(struct fragment *f, size_t *size)
{
    unsigned sequence = f->control & SEQUENCE_BITS;
    const struct asked *asked = dissect_recall(f->d, key_of(f, sequence), size);
    for (unsigned all = DNP3_BROADCAST_FIRST; !asked && all <= UINT16_MAX; all++)
        asked = dissect_recall(f->d, key_at(f, (uint16_t)all, sequence), size);
    return asked;
}

static void match(struct fragment *f)
{
    size_t size;
    const struct asked *asked = recall(f, &size);
    bool is_whole =
        asked && size >= offsetof(struct asked, items) &&
        size == offsetof(struct asked, items) + asked->item_count * sizeof(struct asked_item);
    if (!is_whole) {
        if (f->control & FIRST)
            f->event.flags |= OT_NO_REQUEST;
        asked = NULL;
    }
    if (asked && asked->echo_hash && f->walk.echo_hash && asked->echo_hash != f->walk.echo_hash)
        f->event.flags |= OT_ECHO_DIFFERS;
    if (asked)
        f->event.operation = (enum operation)asked->operation;
    else if (f->walk.operation > OP_UNKNOWN)
        f->event.operation = f->walk.operation;
    if (f->walk.has_file)
        dnp3_file_object(f->d, f->s, &f->walk, &f->event, asked ? &asked->open : NULL, NULL);
    if (asked)
        repeat_items(f, asked);
}

static void response(struct fragment *f, uint8_t first, uint8_t second)
{
    indications(f, first, second);
    if (f->code == FUNCTION_RESPONSE)
        match(f);
    if (f->walk.status.result == OT_RESULT_ERROR && f->event.status.result == OT_RESULT_OK)
        f->event.status = f->walk.status;
    if (f->code == FUNCTION_UNSOLICITED)
        f->event.flags |= OT_UNSOLICITED;
    if (f->code == FUNCTION_RESPONSE && (f->control & UNSOLICITED))
        breaks(f, VIOLATION_RESERVED, "response with the unsolicited bit");
    if (f->link->is_from_master)
        breaks(f, VIOLATION_DIRECTION, "response with the direction bit of a master");
}

/* --- one fragment --- */

static void describe(struct fragment *f)
{
    struct ot_event *e = &f->event;
    event_start(e, f->d);
    e->direction = f->is_response ? OT_RESPONSE : OT_REQUEST;
    e->code[0] = e->function = f->code;
    e->unit = unit_text(f);
    e->transaction = f->control & SEQUENCE_BITS;
    e->has_transaction = true;
    e->telling = f->link->frame.at;
    e->telling_size = reader_left(&f->link->frame);
    if (f->function) {
        e->name = f->function->name;
        e->operation = f->function->operation;
    }
}

static void walk_objects(struct fragment *f, struct reader objects)
{
    struct dnp3_walk *w = &f->walk;
    w->d = f->d;
    w->frame = f->link->frame;
    w->function = f->code;
    w->is_response = f->is_response;
    dnp3_objects(w, objects);
    f->event.items = w->items;
    f->event.item_count = w->count;
    f->event.items_total = w->total;
    f->event.facts = w->facts;
    f->event.fact_count = w->fact_count;
}

void dnp3_application_dissect(struct dissect *d, struct dnp3_application *s,
                              const struct dnp3_link *link, struct reader fragment)
{
    struct fragment f = {.d = d, .s = s, .link = link};
    f.control = reader_u8(&fragment);
    f.code = reader_u8(&fragment);
    f.is_response = f.code >= 128;
    uint8_t first = f.is_response ? reader_u8(&fragment) : 0;
    uint8_t second = f.is_response ? reader_u8(&fragment) : 0;
    if (!reader_ok(&fragment)) {
        breaks(&f, VIOLATION_TRUNCATED, "application header is cut off");
        return;
    }
    f.function = function_of(f.code);
    if (!d->flow->is_role_known)
        dissect_sender_is_client(d, !f.is_response);
    describe(&f);
    if (!f.function) {
        breaks(&f, VIOLATION_FUNCTION, "function code is not defined");
        emit_event(d, &f.event);
        return;
    }
    walk_objects(&f, fragment);
    if (f.is_response)
        response(&f, first, second);
    else
        request(&f);
    emit_event(d, &f.event);
}
