/* s7comm_groups.c: payloads of userdata: jobs on variables, blocks, messages, clock, password, NC
 * programs.
 *
 *   jobs of group 1: | parameter size 2 | data size 2 | parameter: words | data |
 *
 * PROTOCOLS 6 "Userdata". */
#include "s7comm_groups.h"

#include "s7comm_blocks.h"
#include "s7comm_items.h"
#include "s7comm_jobs.h"
#include "s7comm_szl.h"

enum {
    SUB_VARIABLE_STATUS = 0x02,
    SUB_MODIFY_VARIABLE = 0x08,
    SUB_FORCE = 0x09,
    SUB_DISABLE_JOB = 0x0d,
    SUB_ENABLE_JOB = 0x0e,
    SUB_DELETE_JOB = 0x0f,
    TRIGGER_PERMANENT = 2, /* of a job's second parameter word: modify for good */
    TRIGGER_FORCE = 0x100,
    SUB_LIST_OF_TYPE = 2,
    SUB_BLOCK_INFO = 3,
    SUB_SZL = 1,
    SUB_MESSAGE_SERVICE = 2,
    SUB_DIAGNOSTIC_MESSAGE = 3,
    BLOCK_NAME_SIZE = 8,
    CLOCK_SIZE = 10,
    CHECKSUM_SIZE = 2,
};

/* --- group 1 --- */

static void programmer_request(struct dissect *d, struct ot_event *event,
                               const struct s7comm_userdata *u)
{
    struct reader r = u->payload;
    uint16_t parameter_size = reader_u16be(&r);
    uint16_t data_size = reader_u16be(&r);
    struct reader parameter = reader_take(&r, parameter_size);
    struct reader data = reader_take(&r, data_size);
    if (!reader_ok(&r)) {
        if (reader_left(&u->payload))
            emit_violation(d, VIOLATION_LENGTH, "job is longer than the PDU", u->payload.at,
                           reader_left(&u->payload));
        return;
    }
    reader_skip(&parameter, 2);
    uint16_t trigger = reader_u16be(&parameter);
    switch (u->sub) {
    case SUB_VARIABLE_STATUS:
        s7comm_items_table(d, event, data, reader_of(NULL, 0), S7COMM_VALUES_NONE);
        break;
    case SUB_MODIFY_VARIABLE:
    case SUB_FORCE:
        if (trigger == TRIGGER_PERMANENT || trigger == TRIGGER_FORCE)
            event->operation = OP_FORCE; /* the value is held against the program */
        s7comm_items_table(d, event, data, reader_of(NULL, 0), S7COMM_VALUES_TO_WRITE);
        if (event->operation == OP_FORCE)
            event->detail = TEXT("held against the program");
        break;
    case SUB_DISABLE_JOB:
    case SUB_ENABLE_JOB:
    case SUB_DELETE_JOB: {
        uint8_t job = reader_u8(&data);
        if (job == SUB_FORCE)
            event->operation = OP_FORCE; /* sets forced values in force, or removes them */
        else if (job == SUB_MODIFY_VARIABLE && u->sub == SUB_ENABLE_JOB)
            event->operation = OP_WRITE;
        const struct s7comm_service *service = s7comm_service_of(S7COMM_GROUP_PROGRAMMER, job);
        if (service)
            event->detail = text_of(service->name);
        break;
    }
    default:
        break;
    }
}

/* --- group 2 --- */

/* | count 2 | base of the interval 1 | factor 1 | addresses | */
static void cyclic_request(struct dissect *d, struct ot_event *event,
                           const struct s7comm_userdata *u)
{
    enum { ADDRESSES_MAX = 255 };
    struct reader r = u->payload;
    if (u->sub != 0x01 && u->sub != 0x05)
        return;
    uint16_t count = reader_u16be(&r);
    reader_skip(&r, 2);
    if (!reader_ok(&r))
        return;
    s7comm_items(d, event, r, count < ADDRESSES_MAX ? count : ADDRESSES_MAX, reader_of(NULL, 0),
                 S7COMM_VALUES_NONE);
}

/* --- group 3 --- */

static void block_request(struct dissect *d, struct ot_event *event,
                          const struct s7comm_userdata *u)
{
    struct reader r = u->payload;
    const uint8_t *name = reader_bytes(&r, u->sub == SUB_BLOCK_INFO ? BLOCK_NAME_SIZE : 2);
    if (!name)
        return;
    if (u->sub == SUB_BLOCK_INFO)
        (void)s7comm_block_item(
            d, event, s7comm_block_name(d, (struct text){(const char *)name, BLOCK_NAME_SIZE}));
    else if (u->sub == SUB_LIST_OF_TYPE && s7comm_block_type(name[1]))
        event->detail = text_of(s7comm_block_type(name[1]));
}

/* | ? 8 | ? 1 | flags 1 | language 1 | type 1 | number 2 | load memory 4 | protection 4 | times 12
 * | sizes 8 | author 8 | family 8 | name 8 | version 1 | ? 1 | checksum 2 | */
static void block_info(struct dissect *d, struct ot_event *event, const struct s7comm_userdata *u)
{
    static const char hex[] = "0123456789ABCDEF";
    enum { PROTECTION_KNOW_HOW = 3, TEXT_SIZE = 8 };
    struct reader r = u->payload;
    reader_skip(&r, 11);
    uint8_t type = reader_u8(&r);
    uint16_t number = reader_u16be(&r);
    uint32_t load_memory = reader_u32be(&r);
    uint32_t protection = reader_u32be(&r);
    reader_skip(&r, 20);
    struct reader texts = reader_take(&r, (size_t)3 * TEXT_SIZE); /* author, family, name */
    uint8_t version = reader_u8(&r);
    reader_skip(&r, 1);
    const uint8_t *checksum = reader_bytes(&r, CHECKSUM_SIZE);
    const char *kind = type < 16 ? s7comm_block_type((uint8_t)hex[type]) : NULL;
    if (!checksum || !kind)
        return;
    struct ot_item *item = s7comm_block_item(d, event, dissect_text(d, "%s%u", kind, number));
    if (item) { /* the checksum tells a changed block */
        item->type = "checksum";
        item->values = (struct ot_values){VALUES_U16BE, 1, checksum, CHECKSUM_SIZE};
    }
    struct text author = s7comm_trimmed(reader_take(&texts, TEXT_SIZE));
    struct text family = s7comm_trimmed(reader_take(&texts, TEXT_SIZE));
    struct text name = s7comm_trimmed(reader_take(&texts, TEXT_SIZE));
    event->detail = dissect_text(
        d, "version %u.%u, %u bytes of load memory%s%.*s%s%.*s%s%.*s%s", version >> 4, version & 15,
        (unsigned)load_memory, author.size ? ", author " : "", (int)author.size, author.at,
        family.size ? ", family " : "", (int)family.size, family.at, name.size ? ", name " : "",
        (int)name.size, name.at, protection == PROTECTION_KNOW_HOW ? ", know-how protected" : "");
}

/* --- group 4 --- */

/* Lists longer than a PDU come in data units of one reference; only the first has the head. */
static void szl_response(struct dissect *d, struct ot_event *event, const struct s7comm_userdata *u,
                         const struct s7comm_asked *asked)
{
    struct s7comm_state *s = d->state;
    size_t size = reader_left(&u->payload);
    bool is_next = s->is_list_open && u->unit == s->list_unit && u->unit != 0;
    if (asked && asked->size >= 4) {
        struct reader r = reader_of(asked->payload, asked->size);
        uint16_t id = reader_u16be(&r);
        s7comm_szl_item(d, event, id, reader_u16be(&r));
    }
    if (!is_next && !u->is_continued) { /* the usual case: all is here */
        s->is_list_open = false;
        s7comm_szl_list(d, event, u->payload);
        return;
    }
    if (!is_next)
        s->list_size = 0;
    s->is_list_open = true;
    s->list_unit = u->unit;
    if (size > (size_t)S7COMM_LIST_MAX - s->list_size)
        size = S7COMM_LIST_MAX - s->list_size; /* identity stands at the beginning */
    if (size)
        memcpy(s->list + s->list_size, u->payload.at, size);
    s->list_size = (uint16_t)(s->list_size + size);
    if (u->is_continued) {
        struct reader head = reader_of(s->list, s->list_size);
        uint16_t id = reader_u16be(&head);
        uint16_t index = reader_u16be(&head);
        if (reader_ok(&head))
            s7comm_szl_item(d, event, id, index);
        return;
    }
    s->is_list_open = false;
    s7comm_szl_list(d, event, reader_of(s->list, s->list_size));
}

static void szl_request(struct dissect *d, struct ot_event *event, const struct s7comm_userdata *u)
{
    const struct s7comm_state *s = d->state;
    struct reader r = u->payload;
    if (!reader_left(&r) && s->is_list_open) /* asks for the rest */
        r = reader_of(s->list, s->list_size);
    uint16_t id = reader_u16be(&r);
    uint16_t index = reader_u16be(&r);
    if (reader_ok(&r))
        s7comm_szl_item(d, event, id, index);
}

/* | events 1 | ? 1 | user 8 | */
static void message_service(struct dissect *d, struct ot_event *event,
                            const struct s7comm_userdata *u)
{
    enum { USER_SIZE = 8, MODE = 1, DIAGNOSTICS = 2, USER = 4, ALARMS = 0x80 };
    struct reader r = u->payload;
    uint8_t events = reader_u8(&r);
    reader_skip(&r, 1);
    struct text user = s7comm_trimmed(reader_take(&r, USER_SIZE));
    if (reader_ok(&r))
        event->detail =
            dissect_text(d, "user %.*s,%s%s%s%s", (int)user.size, user.at,
                         events & MODE ? " mode" : "", events & DIAGNOSTICS ? " diagnostics" : "",
                         events & USER ? " user" : "", events & ALARMS ? " alarms" : "");
}

/* | event 2 | priority 1 | OB 1 | ... | */
static void diagnostic_message(struct dissect *d, struct ot_event *event,
                               const struct s7comm_userdata *u)
{
    struct reader r = u->payload;
    uint16_t id = reader_u16be(&r);
    if (reader_ok(&r))
        event->detail =
            dissect_text(d, "event 0x%04x%s", id,
                         id == 0x4304 ? ": stop by a programming device or SFB 20" : "");
}

/* --- groups 0, 5, 6, 7, F --- */

static void mode_push(struct dissect *d, struct ot_event *event, const struct s7comm_userdata *u)
{
    static const char *const modes[] = {"stop", "startup", "run",   "startup", "hold",
                                        NULL,   "startup", NULL,    NULL,      "run",
                                        NULL,   "link_up", "update"};
    uint32_t count = 1;
    if (u->sub >= sizeof modes / sizeof *modes || !modes[u->sub])
        return;
    struct ot_fact *fact = dissect_facts(d, &count);
    if (!fact)
        return;
    *fact = (struct ot_fact){.kind = FACT_MODE, .value = text_of(modes[u->sub])};
    event->facts = fact;
    event->fact_count = 1;
}

/* | 0 1 | century 1 | year 1 | month 1 | day 1 | hour 1 | minute 1 | second 1 | ms 1.5, weekday 0.5
 * |, BCD. The century is not to be trusted (0x19 beside 0x16 for 2016): years from 90 on are 19xx.
 */
static void clock_value(struct dissect *d, struct ot_event *event, struct reader r)
{
    uint8_t b[CLOCK_SIZE];
    const uint8_t *bytes = reader_bytes(&r, CLOCK_SIZE);
    uint32_t count = 1;
    if (!bytes)
        return;
    for (size_t i = 0; i < CLOCK_SIZE; i++) {
        if (i >= 2 && i < CLOCK_SIZE - 1 && ((bytes[i] & 15) > 9 || bytes[i] >> 4 > 9)) {
            emit_violation(d, VIOLATION_ENCODING, "time is not BCD", bytes, CLOCK_SIZE);
            return;
        }
        b[i] = (uint8_t)((bytes[i] >> 4) * 10 + (bytes[i] & 15));
    }
    struct ot_item *item = dissect_items(d, &count);
    if (!item)
        return;
    struct text text =
        dissect_text(d, "%u-%02u-%02uT%02u:%02u:%02u.%02u%u", (b[2] >= 90 ? 1900u : 2000u) + b[2],
                     b[3], b[4], b[5], b[6], b[7], b[8], bytes[9] >> 4);
    item->area = "clock";
    item->count = 1;
    if (text.size)
        item->values = (struct ot_values){VALUES_TEXT, 1, (const uint8_t *)text.at, text.size};
    event->items = item;
    event->item_count = event->items_total = 1;
    event->detail = text;
}

static void set_password(struct ot_event *event, const struct s7comm_userdata *u)
{
    if (!reader_left(&u->payload))
        return;
    event->flags |= OT_HAS_CREDENTIAL;
    event->secret = u->payload.at;
    event->secret_size = reader_left(&u->payload);
    event->detail = TEXT("password of the controller");
}

/* | address with a request id | bytes | */
static void pbc_data(struct dissect *d, struct ot_event *event, const struct s7comm_userdata *u)
{
    enum { ADDRESS_SIZE = 8 };
    struct reader r = u->payload;
    if (reader_left(&r) >= ADDRESS_SIZE && reader_peek(&r) == 0x12)
        s7comm_items(d, event, reader_take(&r, ADDRESS_SIZE), 1, reader_of(NULL, 0),
                     S7COMM_VALUES_NONE);
}

/* NC programs: a name opens the transfer, blocks follow as they are. */
static void nc_transfer(struct dissect *d, struct ot_event *event, const struct s7comm_userdata *u)
{
    struct reader r = u->payload;
    struct ot_transfer *t = &event->transfer;
    t->operation = event->operation;
    t->key = (uint64_t)1 << 42 | (event->operation == OP_PROGRAM_UPLOAD);
    switch (u->sub) {
    case 0x01:
    case 0x06: {
        if (!s7comm_is_request(u))
            return;
        uint8_t size = reader_u8(&r);
        struct reader name = reader_take(&r, size);
        t->step = TRANSFER_BEGIN;
        if (reader_ok(&r)) {
            t->name = (struct text){(const char *)name.at, size};
            (void)s7comm_block_item(d, event, t->name);
        }
        break;
    }
    case 0x02:
    case 0x07:
        if (!reader_left(&r))
            return;
        t->step = TRANSFER_BLOCK;
        t->bytes = r.at;
        t->size = reader_left(&r);
        break;
    case 0x04:
        if (!s7comm_is_response(u))
            t->step = TRANSFER_END;
        break;
    default:
        break;
    }
}

/* An answer without data of its own says again what was asked for. */
static void repeat_request(struct dissect *d, struct ot_event *event,
                           const struct s7comm_userdata *u, const struct s7comm_asked *asked)
{
    struct reader r = reader_of(asked->payload, asked->size);
    struct s7comm_userdata again = *u;
    again.payload = r;
    if (u->group == S7COMM_GROUP_BLOCK && !event->item_count)
        block_request(d, event, &again);
    else if (u->group == S7COMM_GROUP_TIME && event->operation == OP_TIME_SET)
        clock_value(d, event, r);
}

void s7comm_groups_dissect(struct dissect *d, struct ot_event *event,
                           const struct s7comm_userdata *u, const struct s7comm_asked *asked)
{
    switch (u->group) {
    case S7COMM_GROUP_MODE:
        mode_push(d, event, u);
        break;
    case S7COMM_GROUP_PROGRAMMER:
        if (s7comm_is_request(u))
            programmer_request(d, event, u);
        else if (!s7comm_is_response(u))
            s7comm_job_yields(d, event, u);
        break;
    case S7COMM_GROUP_CYCLIC:
        if (s7comm_is_request(u))
            cyclic_request(d, event, u);
        else if (s7comm_is_response(u))
            s7comm_job_answer(d, event, u, asked);
        else
            s7comm_job_yields(d, event, u);
        break;
    case S7COMM_GROUP_BLOCK:
        if (s7comm_is_request(u))
            block_request(d, event, u);
        else if (u->sub == SUB_BLOCK_INFO)
            block_info(d, event, u);
        break;
    case S7COMM_GROUP_CPU:
        if (u->sub == SUB_SZL && s7comm_is_request(u))
            szl_request(d, event, u);
        else if (u->sub == SUB_SZL)
            szl_response(d, event, u, asked);
        else if (u->sub == SUB_MESSAGE_SERVICE && s7comm_is_request(u))
            message_service(d, event, u);
        else if (u->sub == SUB_DIAGNOSTIC_MESSAGE)
            diagnostic_message(d, event, u);
        break;
    case S7COMM_GROUP_SECURITY:
        if (s7comm_is_request(u))
            set_password(event, u);
        break;
    case S7COMM_GROUP_PBC:
        pbc_data(d, event, u);
        break;
    case S7COMM_GROUP_TIME:
        clock_value(d, event, u->payload);
        break;
    case S7COMM_GROUP_NC:
        nc_transfer(d, event, u);
        break;
    default:
        break;
    }
    if (asked)
        repeat_request(d, event, u, asked);
}
