/* mms_variables.c: read, write and reports: which variables, with which values, and what writing
 * one means in a substation.
 *
 * Spec: [MMS] ISO 9506-2 14.6 to 14.11; [8-1] IEC 61850-8-1 7.3 (names), 17 (reports), 20 (control)
 *
 *   name: | domain: device | / | node $ constraint $ object $ attribute ... |
 *   read:  | [1] variables | -> | [1] | value or [0] error, ... | |
 *   write: | variables | [0] | value, ... | | -> | [0] error or [1] nothing, ... |
 *   variables: | [0] | 30 | [0] name | |, ... | or | [1] name of a list |
 *   report: | variables: the list RPT | [0] | id, fields, ... included ones, [references], values,
 *           [reasons] | | */
#include "mms.h"

#include "mms_data.h"

enum values {               /* what comes with the variables */
              VALUES_ASKED, /* nothing: a request to read */
              VALUES_GIVEN, /* an answer to a read */
              VALUES_REPORTED,
              VALUES_WRITTEN,
              VALUES_RESULTS, /* of a write */
};

enum { INDEX_SIZE = 12, ORIGIN_SHOWN = 40 };

/* A variableAccessSpecification. */
struct variables {
    bool is_known, is_list;
    struct reader members;
    struct text list;
};

static const char *access_error(uint64_t code)
{
    /* [MMS] 14.4.3 DataAccessError */
    static const char *const names[] = {
        "object_invalidated",        "hardware_fault",      "temporarily_unavailable",
        "object_access_denied",      "object_undefined",    "invalid_address",
        "type_unsupported",          "type_inconsistent",   "object_attribute_inconsistent",
        "object_access_unsupported", "object_non_existent", "object_value_invalid"};
    return code < sizeof names / sizeof *names ? names[code] : NULL;
}

static struct ot_status failure_of(struct reader value)
{
    uint64_t code = ber_unsigned(value);
    return (struct ot_status){OT_RESULT_ERROR, (uint32_t)code, access_error(code)};
}

/* --- what a name means --- */

/* The next part of a name, and what is behind it. */
static struct text part_of(struct text *rest)
{
    const char *dollar = rest->size ? memchr(rest->at, '$', rest->size) : NULL;
    struct text part = {rest->at, dollar ? (size_t)(dollar - rest->at) : rest->size};
    size_t used = part.size + (dollar ? 1 : 0);
    *rest = (struct text){rest->size ? rest->at + used : NULL, rest->size - used};
    return part;
}

static struct text last_part(struct text name)
{
    struct text part = {NULL, 0};
    while (name.size)
        part = part_of(&name);
    return part;
}

static bool is_text(struct text text, const char *other)
{
    return text.size == strlen(other) && memcmp(text.at, other, text.size) == 0;
}

static bool ends_with(struct text text, const char *end)
{
    size_t size = strlen(end);
    return text.size >= size && memcmp(text.at + text.size - size, end, size) == 0;
}

/* [8-1] 7.3.5 functional constraints; what writing means: PROTOCOLS 11 */
static const struct constraint {
    char code[3];
    enum operation write;
} constraints[] = {
    {"ST", OP_WRITE        },
    {"MX", OP_WRITE        },
    {"SP", OP_WRITE        },
    {"SV", OP_FORCE        }, /* substitution */
    {"CF", OP_CONFIG_CHANGE},
    {"DC", OP_CONFIG_CHANGE},
    {"SG", OP_CONFIG_CHANGE},
    {"SE", OP_CONFIG_CHANGE},
    {"SR", OP_WRITE        },
    {"OR", OP_WRITE        },
    {"BL", OP_WRITE        },
    {"EX", OP_CONFIG_CHANGE},
    {"CO", OP_CONTROL      },
    {"US", OP_CONFIG_CHANGE},
    {"MS", OP_CONFIG_CHANGE},
    {"RP", OP_SUBSCRIBE    },
    {"BR", OP_SUBSCRIBE    },
    {"LG", OP_SUBSCRIBE    },
    {"GO", OP_CONFIG_CHANGE},
    {"GS", OP_CONFIG_CHANGE},
};

/* Attributes whose writing means something else than their constraint. */
static enum operation write_of(const struct constraint *c, struct text object, struct text last)
{
    bool is_go = is_text((struct text){c->code, 2}, "GO");
    bool is_stream =
        is_text((struct text){c->code, 2}, "MS") || is_text((struct text){c->code, 2}, "US");
    if (c->write == OP_CONTROL && (is_text(object, "Mod") || is_text(object, "Beh") ||
                                   is_text(object, "LocSta") || is_text(object, "Loc")))
        return OP_MODE_CHANGE;
    if (is_text(object, "SGCB"))
        return OP_CONFIG_CHANGE;
    if ((is_go && is_text(last, "GoEna")) || (is_stream && is_text(last, "SvEna")))
        return OP_SUBSCRIBE;
    return c->write;
}

/* ICCP: devices and transfer sets have no constraint in their name. Reading one that ends with _SBO
 * selects it. */
static enum operation iccp_operation(struct text name, bool is_write)
{
    if (ends_with(name, "_SBO") || (is_write && ends_with(name, "Device")))
        return OP_CONTROL;
    if (name.size && (memmem(name.at, name.size, "Transfer_Set", 12) ||
                      memmem(name.at, name.size, "Transfer_Report_ACK", 19)))
        return OP_SUBSCRIBE;
    return is_write ? OP_WRITE : OP_READ;
}

static enum operation operation_of(struct text name, bool is_write)
{
    const char *slash = name.size ? memchr(name.at, '/', name.size) : NULL;
    struct text rest = name;
    if (slash)
        rest = (struct text){slash + 1, name.size - (size_t)(slash + 1 - name.at)};
    (void)part_of(&rest); /* the node */
    if (!rest.size)
        return iccp_operation(name, is_write);
    struct text code = part_of(&rest);
    struct text last = last_part(rest), object = part_of(&rest);
    for (size_t i = 0; i < sizeof constraints / sizeof *constraints; i++) {
        const struct constraint *c = &constraints[i];
        if (!is_text(code, c->code))
            continue;
        if (is_write)
            return write_of(c, object, last);
        return c->write == OP_CONTROL && is_text(last, "SBO") ? OP_CONTROL : OP_READ;
    }
    return is_write ? OP_WRITE : OP_READ;
}

/* --- items --- */

static struct variables read_variables(struct dissect *d, struct reader *r)
{
    struct variables v = {0};
    struct ber e, name;
    if (!ber_next(r, &e) || (e.tag != 0xa0 && e.tag != 0xa1))
        return v;
    v.is_known = true;
    v.is_list = e.tag == 0xa1;
    v.members = e.value;
    if (v.is_list && ber_next(&e.value, &name))
        v.list = mms_object_name(d, &name);
    return v;
}

static uint32_t count_elements(struct reader r)
{
    struct ber e;
    uint32_t count = 0;
    while (ber_next(&r, &e))
        count++;
    return count;
}

/* "list[3]", without a formatter: reports are frequent. */
static struct text indexed(struct dissect *d, struct text name, uint32_t index)
{
    char digits[INDEX_SIZE];
    size_t n = 0;
    do {
        digits[n++] = (char)('0' + index % 10);
        index /= 10;
    } while (index);
    char *out = arena_take(d->arena, name.size + n + 2);
    if (!out)
        return name;
    if (name.size)
        memcpy(out, name.at, name.size);
    char *at = out + name.size;
    *at++ = '[';
    while (n)
        *at++ = digits[--n];
    *at++ = ']';
    return (struct text){out, (size_t)(at - out)};
}

/* One variable of the list: | 30 | [0] ObjectName |, alternate access | */
static struct text member_name(struct dissect *d, struct reader *members)
{
    struct ber member, choice, name;
    if (ber_next(members, &member) && ber_next(&member.value, &choice) && choice.tag == 0xa0 &&
        ber_next(&choice.value, &name))
        return mms_object_name(d, &name);
    return (struct text){NULL, 0};
}

static void bad_value(struct dissect *d, const struct ber *e)
{
    emit_violation(d, VIOLATION_ENCODING, "value is malformed or of an unknown type", e->at,
                   (size_t)(e->value.end - e->at));
}

static void set_value(struct dissect *d, struct ot_item *item, const struct ber *e,
                      enum values kind)
{
    if (kind == VALUES_RESULTS || (e->tag == 0x80 && kind != VALUES_WRITTEN)) {
        if (e->tag == 0x80)
            item->status = failure_of(e->value);
        else
            item->status.result = OT_RESULT_OK;
        return;
    }
    if (!mms_data_item(d, e, item))
        bad_value(d, e);
    else if (kind == VALUES_GIVEN)
        item->status.result = OT_RESULT_OK;
}

static void worst_of(struct ot_event *event, const struct ot_item *item)
{
    if (item->operation > event->operation)
        event->operation = item->operation;
    if (item->status.result == OT_RESULT_ERROR && event->status.result != OT_RESULT_ERROR)
        event->status = item->status;
}

static void add_items(struct dissect *d, struct ot_event *event, struct variables v,
                      struct reader values, enum values kind)
{
    bool is_write = kind == VALUES_WRITTEN || kind == VALUES_RESULTS;
    uint32_t given = count_elements(values);
    uint32_t total = v.is_known && !v.is_list ? count_elements(v.members) : given ? given : 1;
    if (total < given)
        total = given;
    uint32_t count = total;
    struct ot_item *items = dissect_items(d, &count);
    event->items = items;
    event->item_count = count;
    event->items_total = total;
    if (kind != VALUES_REPORTED && count == total)
        event->operation = OP_UNKNOWN; /* as grave as the items are, no more */
    for (uint32_t i = 0; i < count; i++) {
        struct ot_item *item = &items[i];
        struct ber e;
        item->area = "variable";
        item->count = 1;
        if (!v.is_list)
            item->name = member_name(d, &v.members);
        else if (total == 1)
            item->name = v.list;
        else
            item->name = indexed(d, v.list, i);
        if (kind != VALUES_REPORTED)
            item->operation = operation_of(item->name, is_write);
        if (ber_next(&values, &e))
            set_value(d, item, &e, kind);
        worst_of(event, item);
    }
    if (count == 1 && event->direction == OT_REQUEST)
        mms_selects(d, &items[0]);
}

/* --- controls --- */

static const char *origin_name(uint64_t category)
{
    /* IEC 61850-7-3 6.8 orCat */
    static const char *const names[] = {"not supported",    "bay control",   "station control",
                                        "remote control",   "automatic bay", "automatic station",
                                        "automatic remote", "maintenance",   "process"};
    return category < sizeof names / sizeof *names ? names[category] : "unknown";
}

/* [8-1] 20.2: | value | [time] | origin: | category | identity | | number | T | test | check |
 * True when it says that it is a test. */
static bool describe_control(struct dissect *d, struct ot_event *event, struct reader values)
{
    struct ber oper, e, category, identity = {0};
    if (!ber_next(&values, &oper) || oper.tag != 0xa2 || !ber_next(&oper.value, &e))
        return false;
    bool has_origin = false, is_test = false;
    unsigned check = 3; /* synchronism and interlock, both */
    uint64_t number = 0;
    while (ber_next(&oper.value, &e)) {
        struct reader origin = e.value;
        if (e.tag == 0xa2 && !has_origin) {
            has_origin = ber_next(&origin, &category) && category.tag == 0x85 &&
                         ber_next(&origin, &identity) && identity.tag == 0x89;
        } else if (e.tag == 0x86 || e.tag == 0x85) {
            number = ber_unsigned(e.value);
        } else if (e.tag == 0x83) {
            is_test = reader_peek(&e.value) != 0;
        } else if (e.tag == 0x84 && reader_left(&e.value) == 2) {
            check = e.value.at[1] >> 6;
        }
    }
    if (!has_origin)
        return false;
    char who[ORIGIN_SHOWN];
    text_copy(who, sizeof who,
              (struct text){(const char *)identity.value.at, reader_left(&identity.value)});
    event->detail = dissect_text(d, "origin %s '%s', number %u%s%s",
                                 origin_name(ber_unsigned(category.value)), who, (unsigned)number,
                                 is_test ? ", test" : "", check == 3 ? "" : ", checks bypassed");
    return is_test;
}

/* Reporting, GOOSE or sampled values switched off. */
static void describe_switch(struct ot_event *event)
{
    const struct ot_item *item = &event->items[0];
    struct ot_value value = ot_value_at(&item->values, 0);
    if (value.kind == OT_VALUE_BOOL && !value.boolean && ends_with(item->name, "Ena"))
        event->detail = TEXT("switched off");
}

/* --- the services --- */

void mms_read_request(struct dissect *d, struct ot_event *event, struct reader body)
{
    struct ber e;
    if (!ber_find(body, 0xa1, &e)) {
        emit_violation(d, VIOLATION_ENCODING, "read names no variable", event->telling,
                       event->telling_size);
        return;
    }
    add_items(d, event, read_variables(d, &e.value), reader_of(NULL, 0), VALUES_ASKED);
}

void mms_write_request(struct dissect *d, struct ot_event *event, struct reader body)
{
    struct ber data;
    struct variables v = read_variables(d, &body);
    if (!v.is_known || !ber_next(&body, &data) || data.tag != 0xa0) {
        emit_violation(d, VIOLATION_ENCODING, "write has no variable or no value", event->telling,
                       event->telling_size);
        return;
    }
    if (!v.is_list && count_elements(v.members) != count_elements(data.value))
        emit_violation(d, VIOLATION_COUNT, "write has not one value for each variable",
                       event->telling, event->telling_size);
    add_items(d, event, v, data.value, VALUES_WRITTEN);
    if (event->operation == OP_CONTROL || event->operation == OP_MODE_CHANGE)
        mms_modes_command(d, event, describe_control(d, event, data.value));
    else if (event->operation == OP_SUBSCRIBE && event->item_count)
        describe_switch(event);
}

/* What was asked; not known when the request was not seen. */
static struct variables asked_variables(struct dissect *d, const struct mms_request *request)
{
    struct ber e;
    if (!request)
        return (struct variables){0};
    struct reader r = reader_of(request->body, request->size);
    if (request->service == MMS_READ) {
        /* the list may be longer than what was kept: its beginning is told all the same */
        while (reader_left(&r) && reader_peek(&r) != 0xa1)
            if (!ber_next(&r, &e))
                return (struct variables){0};
        if (request->is_cut)
            return (struct variables){0};
        if (!ber_next(&r, &e))
            return (struct variables){0};
        r = e.value;
    } else if (request->is_cut) {
        return (struct variables){0};
    }
    return read_variables(d, &r);
}

static void check_count(struct dissect *d, struct ot_event *event, const struct variables *v,
                        struct reader values)
{
    if (v->is_known && !v->is_list && count_elements(v->members) != count_elements(values))
        emit_violation(d, VIOLATION_COUNT, "answer has another count than its request",
                       event->telling, event->telling_size);
}

/* Name plates, read attribute by attribute: [8-1] and IEC 61850-7-3 7.9 (DPL, LPL) */
static void name_plate(struct dissect *d, struct ot_event *event)
{
    static const struct plate {
        const char *end;
        enum fact_kind kind;
    } plates[] = {
        {"$PhyNam$vendor",   FACT_VENDOR  },
        {"$PhyNam$hwRev",    FACT_HARDWARE},
        {"$PhyNam$swRev",    FACT_FIRMWARE},
        {"$PhyNam$serNum",   FACT_SERIAL  },
        {"$PhyNam$model",    FACT_PRODUCT },
        {"$PhyNam$location", FACT_LOCATION},
        {"$NamPlt$vendor",   FACT_VENDOR  },
        {"$NamPlt$swRev",    FACT_FIRMWARE},
    };
    for (uint32_t i = 0; i < event->item_count; i++) {
        const struct ot_item *item = &event->items[i];
        struct ot_value value = ot_value_at(&item->values, 0);
        if (value.kind != OT_VALUE_TEXT || value.text.size == 0)
            continue;
        for (size_t p = 0; p < sizeof plates / sizeof *plates; p++) {
            uint32_t count = 1;
            if (!ends_with(item->name, plates[p].end) || event->fact_count)
                continue;
            struct ot_fact *fact = dissect_facts(d, &count);
            if (!fact)
                return;
            *fact = (struct ot_fact){plates[p].kind, value.text, false};
            event->facts = fact;
            event->fact_count = 1;
        }
    }
}

void mms_read_answer(struct dissect *d, struct ot_event *event, struct reader body,
                     const struct mms_request *request)
{
    struct ber e;
    if (!ber_find(body, 0xa1, &e))
        return; /* without a list of results some servers answer a list of none */
    struct variables v = asked_variables(d, request);
    check_count(d, event, &v, e.value);
    add_items(d, event, v, e.value, VALUES_GIVEN);
    mms_modes_told(d, event);
    name_plate(d, event);
}

void mms_write_answer(struct dissect *d, struct ot_event *event, struct reader body,
                      const struct mms_request *request)
{
    struct variables v = asked_variables(d, request);
    check_count(d, event, &v, body);
    add_items(d, event, v, body, VALUES_RESULTS);
}

/* --- reports --- */

enum field { /* [8-1] 17.2.3 OptFlds: bits, first highest */
             FIELD_NUMBER = 0x4000,
             FIELD_TIME = 0x2000,
             FIELD_REASON = 0x1000,
             FIELD_DATA_SET = 0x0800,
             FIELD_REFERENCE = 0x0400,
             FIELD_OVERFLOW = 0x0200,
             FIELD_ENTRY = 0x0100,
             FIELD_REVISION = 0x0080,
             FIELD_SEGMENT = 0x0040,
};

static struct text text_in(const struct ber *e)
{
    return (struct text){(const char *)e->value.at, reader_left(&e->value)};
}

static uint32_t count_bits(struct reader bits)
{
    uint32_t count = 0;
    reader_skip(&bits, 1);
    while (reader_left(&bits))
        for (uint8_t byte = reader_u8(&bits); byte; byte &= (uint8_t)(byte - 1))
            count++;
    return count;
}

/* The index of the next included member of the data set. */
static uint32_t next_bit(struct reader bits, uint32_t from)
{
    size_t size = reader_left(&bits);
    while (from / 8 + 1 < size && !(bits.at[from / 8 + 1] & 0x80 >> from % 8))
        from++;
    return from;
}

static void report_values(struct dissect *d, struct ot_event *event, struct text set,
                          struct reader inclusion, struct reader values, bool has_references)
{
    uint32_t total = count_bits(inclusion), count = total, member = 0;
    struct reader references = values;
    struct ber e, reference;
    for (uint32_t i = 0; has_references && i < total; i++)
        if (!ber_next(&values, &e))
            return;
    uint32_t left = count_elements(values);
    if (left < total) {
        emit_violation(d, VIOLATION_COUNT, "report has fewer values than it says", event->telling,
                       event->telling_size);
        total = count = left;
    }
    struct ot_item *items = dissect_items(d, &count);
    event->items = items;
    event->item_count = count;
    event->items_total = total;
    for (uint32_t i = 0; i < count && ber_next(&values, &e); i++) {
        member = next_bit(inclusion, member);
        items[i].area = "variable";
        if (has_references && ber_next(&references, &reference))
            items[i].name = text_in(&reference);
        else
            items[i].name = indexed(d, set, member);
        member++;
        if (!mms_data_item(d, &e, &items[i]))
            bad_value(d, &e);
    }
}

/* [8-1] 17.2; false: not a report of IEC 61850. */
static bool dissect_report(struct dissect *d, struct ot_event *event, struct reader r)
{
    struct ber id, fields, e, set = {0}, inclusion;
    if (!ber_next(&r, &id) || id.tag != 0x8a || !ber_next(&r, &fields) || fields.tag != 0x84 ||
        reader_left(&fields.value) != 3)
        return false;
    unsigned f = (unsigned)fields.value.at[1] << 8 | fields.value.at[2];
    struct text name = text_in(&id);
    bool is_good = true;
    if (f & FIELD_NUMBER)
        is_good &= ber_next(&r, &e);
    if (f & FIELD_TIME)
        is_good &= ber_next(&r, &e);
    if (f & FIELD_DATA_SET) {
        is_good &= ber_next(&r, &set);
        name = is_good && set.tag == 0x8a ? text_in(&set) : name;
    }
    if (f & FIELD_OVERFLOW)
        is_good &= ber_next(&r, &e);
    if (f & FIELD_ENTRY)
        is_good &= ber_next(&r, &e);
    if (f & FIELD_REVISION)
        is_good &= ber_next(&r, &e);
    if (f & FIELD_SEGMENT)
        is_good &= ber_next(&r, &e) && ber_next(&r, &e);
    if (!is_good || !ber_next(&r, &inclusion) || inclusion.tag != 0x84)
        return false;
    event->detail = text_in(&id);
    if (d->is_from_client && d->flow->is_start_seen)
        emit_violation(d, VIOLATION_DIRECTION, "report comes from the client", event->telling,
                       event->telling_size);
    report_values(d, event, name, inclusion.value, r, f & FIELD_REFERENCE);
    if (f & FIELD_REFERENCE)
        mms_modes_told(d, event);
    return true;
}

/* [8-1] 20.3 LastApplError: | object | error | origin | number | cause | */
static void control_error(struct dissect *d, struct ot_event *event, struct reader values)
{
    static const char *const causes[] = {"unknown",
                                         "not_supported",
                                         "blocked_by_switching_hierarchy",
                                         "select_failed",
                                         "invalid_position",
                                         "position_reached",
                                         "parameter_change_in_execution",
                                         "step_limit",
                                         "blocked_by_mode",
                                         "blocked_by_process",
                                         "blocked_by_interlocking",
                                         "blocked_by_synchrocheck",
                                         "command_already_in_execution",
                                         "blocked_by_health",
                                         "1_of_n_control",
                                         "abortion_by_cancel",
                                         "time_limit_over",
                                         "abortion_by_trip",
                                         "object_not_selected"};
    struct ber whole, object, error, e;
    if (!ber_next(&values, &whole) || whole.tag != 0xa2 || !ber_next(&whole.value, &object) ||
        !ber_next(&whole.value, &error))
        return;
    e = error;
    while (ber_next(&whole.value, &e)) /* the cause is the last one */
        ;
    uint64_t cause = ber_unsigned(e.value);
    event->name = "control_error";
    event->status =
        (struct ot_status){OT_RESULT_ERROR, (uint32_t)cause,
                           cause < sizeof causes / sizeof *causes ? causes[cause] : NULL};
    uint32_t count = 1;
    struct ot_item *item = dissect_items(d, &count);
    if (!item)
        return;
    item->area = "variable";
    item->count = 1;
    item->name = text_in(&object);
    event->items = item;
    event->item_count = event->items_total = 1;
}

void mms_information_report(struct dissect *d, struct ot_event *event, struct reader body)
{
    struct ber results;
    struct variables v = read_variables(d, &body);
    if (!v.is_known || !ber_next(&body, &results) || results.tag != 0xa0) {
        emit_violation(d, VIOLATION_ENCODING, "report has no variable or no value", event->telling,
                       event->telling_size);
        return;
    }
    if (v.is_list && dissect_report(d, event, results.value))
        return;
    struct reader members = v.members;
    if (!v.is_list && is_text(member_name(d, &members), "LastApplError")) {
        control_error(d, event, results.value);
        return;
    }
    add_items(d, event, v, results.value, VALUES_REPORTED);
}
