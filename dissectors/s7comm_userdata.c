/* s7comm_userdata.c: requests, responses and pushes of the function groups.
 *
 *   parameter: | 0x000112 3 | size of the rest 1 | method 1 | type, group 1 | sub-function 1 |
 * sequence 1 | responses: | data unit reference 1 | more follow 1 | error 2 | data:      | return
 * code 1 | transport 1 | size 2 | payload | jobs of group 1: | parameter size 2 | data size 2 |
 * parameter: words | data |
 *
 * PROTOCOLS 6 "Userdata". The numbers of the alarm sub-functions differ between published tables;
 * those here agree with what WinCC and an S7-300 say to each other (0x13 asks for pending alarms).
 */
#include "s7comm_userdata.h"

#include "s7comm_blocks.h"
#include "s7comm_errors.h"
#include "s7comm_items.h"
#include "s7comm_szl.h"

enum {
    GROUP_MODE = 0,
    GROUP_PROGRAMMER = 1,
    GROUP_CYCLIC = 2,
    GROUP_BLOCK = 3,
    GROUP_CPU = 4,
    GROUP_SECURITY = 5,
    GROUP_PBC = 6,
    GROUP_TIME = 7,
    GROUP_NC = 15,
    GROUPS = 16,
    SUBS = 0x17,

    PARAMETER_SIZE = 8,
    ANSWER_SIZE = 12, /* with data unit and error */
    ASKED_MAX = 16,   /* bytes of a request's payload kept for its answer */

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
    SUB_PASSWORD = 1,
    SUB_SET_CLOCK = 2,
    SUB_SET_CLOCK_FOLLOWING = 4,
    BLOCK_NAME_SIZE = 8,
    CLOCK_SIZE = 10,
    CHECKSUM_SIZE = 2,
};

enum type {
    TYPE_PUSH,
    TYPE_NC_PUSH = 3,
    TYPE_REQUEST,
    TYPE_NC_REQUEST = 7,
    TYPE_RESPONSE,
    TYPE_NC_RESPONSE = 11
};

struct service {
    const char *name;
    enum operation operation;
};

/* [group][sub-function] */
static const struct service services[GROUPS][SUBS] =
    {
        [GROUP_MODE] =
            {
                          [0x00] = {"mode_stop", OP_DIAGNOSTICS},
                          [0x01] = {"mode_warm_restart", OP_DIAGNOSTICS},
                          [0x02] = {"mode_run", OP_DIAGNOSTICS},
                          [0x03] = {"mode_hot_restart", OP_DIAGNOSTICS},
                          [0x04] = {"mode_hold", OP_DIAGNOSTICS},
                          [0x06] = {"mode_cold_restart", OP_DIAGNOSTICS},
                          [0x09] = {"mode_run_r", OP_DIAGNOSTICS},
                          [0x0b] = {"mode_link_up", OP_DIAGNOSTICS},
                          [0x0c] = {"mode_update", OP_DIAGNOSTICS},
                          },
        [GROUP_PROGRAMMER] =
            {
                          [0x01] = {"block_status", OP_PROGRAM_UPLOAD},
                          [0x02] = {"variable_status", OP_READ},
                          [0x03] = {"read_istack", OP_DIAGNOSTICS},
                          [0x04] = {"read_bstack", OP_DIAGNOSTICS},
                          [0x05] = {"read_lstack", OP_DIAGNOSTICS},
                          [0x06] = {"time_measurement", OP_DIAGNOSTICS},
                          [0x07] = {"force_selection", OP_FORCE},
                          [0x08] = {"modify_variable", OP_WRITE},
                          [0x09] = {"force", OP_FORCE},
                          [0x0a] = {"breakpoint", OP_PROGRAM_MODIFY},
                          [0x0b] = {"exit_hold", OP_START},
                          [0x0c] = {"memory_reset", OP_PROGRAM_DELETE},
                          [0x0d] = {"disable_job", OP_DIAGNOSTICS},
                          [0x0e] = {"enable_job", OP_DIAGNOSTICS},
                          [0x0f] = {"delete_job", OP_DIAGNOSTICS},
                          [0x10] = {"read_job_list", OP_DIAGNOSTICS},
                          [0x11] = {"read_job", OP_DIAGNOSTICS},
                          [0x12] = {"replace_job", OP_DIAGNOSTICS},
                          [0x13] = {"block_status_2", OP_PROGRAM_UPLOAD},
                          [0x16] = {"flash_led", OP_IDENTIFY},
                          },
        [GROUP_CYCLIC] =
            {
                          [0x01] = {"cyclic_transfer", OP_SUBSCRIBE},
                          [0x04] = {"cyclic_unsubscribe", OP_SUBSCRIBE},
                          [0x05] = {"change_driven_transfer", OP_SUBSCRIBE},
                          [0x07] = {"change_driven_modify", OP_SUBSCRIBE},
                          [0x08] = {"read_record", OP_SUBSCRIBE},
                          },
        [GROUP_BLOCK] =
            {
                          [0x01] = {"list_blocks", OP_BROWSE},
                          [0x02] = {"list_blocks_of_type", OP_BROWSE},
                          [0x03] = {"block_info", OP_BROWSE},
                          },
        [GROUP_CPU] =
            {
                          [0x01] = {"read_szl", OP_DIAGNOSTICS},
                          [0x02] = {"message_service", OP_SUBSCRIBE},
                          [0x03] = {"diagnostic_message", OP_DIAGNOSTICS},
                          [0x04] = {"alarm_8", OP_ALARM},
                          [0x05] = {"alarm_8_indication", OP_ALARM},
                          [0x06] = {"notify_indication", OP_ALARM},
                          [0x07] = {"alarm_8_lock", OP_ALARM},
                          [0x08] = {"alarm_8_unlock", OP_ALARM},
                          [0x09] = {"scan_indication", OP_ALARM},
                          [0x0b] = {"alarm_acknowledge", OP_ALARM},
                          [0x0c] = {"alarm_acknowledge_indication", OP_ALARM},
                          [0x0d] = {"alarm_lock_indication", OP_ALARM},
                          [0x0e] = {"alarm_unlock_indication", OP_ALARM},
                          [0x11] = {"alarm_sq_indication", OP_ALARM},
                          [0x12] = {"alarm_s_indication", OP_ALARM},
                          [0x13] = {"alarm_query", OP_ALARM},
                          [0x16] = {"notify_8_indication", OP_ALARM},
                          },
        [GROUP_SECURITY] =
            {
                          [0x01] = {"password", OP_AUTH},
                          },
        [GROUP_TIME] =
            {
                          [0x01] = {"read_clock", OP_DIAGNOSTICS},
                          [0x02] = {"set_clock", OP_TIME_SET},
                          [0x03] = {"read_clock_following", OP_DIAGNOSTICS},
                          [0x04] = {"set_clock", OP_TIME_SET},
                          },
        [GROUP_NC] =
            {
                          [0x01] = {"nc_request_download", OP_PROGRAM_DOWNLOAD},
                          [0x02] = {"nc_download_block", OP_PROGRAM_DOWNLOAD},
                          [0x03] = {"nc_continue_download", OP_PROGRAM_DOWNLOAD},
                          [0x04] = {"nc_download_ended", OP_PROGRAM_DOWNLOAD},
                          [0x06] = {"nc_start_upload", OP_PROGRAM_UPLOAD},
                          [0x07] = {"nc_upload", OP_PROGRAM_UPLOAD},
                          [0x08] = {"nc_continue_upload", OP_PROGRAM_UPLOAD},
                          },
};

static const struct service pbc = {"bsend", OP_WRITE}; /* its sub-functions are not published */

static const struct service *service_of(uint8_t group, uint8_t sub)
{
    if (group == GROUP_PBC)
        return &pbc;
    const struct service *service = sub < SUBS ? &services[group][sub] : NULL;
    return service && service->name ? service : NULL;
}

struct userdata {
    uint8_t type, group, sub, sequence;
    uint8_t unit;      /* of data that comes in several PDUs; 0: all is here */
    bool is_continued; /* more follow */
    struct reader payload;
};

/* What an answer may need of its request. */
struct asked {
    uint8_t operation; /* enum operation, as found out from the request */
    uint8_t size;
    uint8_t payload[ASKED_MAX];
};

static bool is_request(const struct userdata *u)
{
    return u->type == TYPE_REQUEST || u->type == TYPE_NC_REQUEST;
}

static bool is_response(const struct userdata *u)
{
    return u->type == TYPE_RESPONSE || u->type == TYPE_NC_RESPONSE;
}

/* References of userdata may repeat (WinCC always says 1), so the service belongs to the key. */
static uint64_t key_of(const struct s7comm_pdu *pdu, const struct userdata *u, bool is_from_client)
{
    return (uint64_t)S7COMM_USERDATA << 40 | (uint64_t)u->group << 32 | (uint64_t)u->sub << 24 |
           (uint64_t)is_from_client << 16 | pdu->reference;
}

/* --- group 1 --- */

static void programmer_request(struct dissect *d, struct ot_event *event, const struct userdata *u)
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
        s7comm_items_table(d, event, data, false);
        break;
    case SUB_MODIFY_VARIABLE:
    case SUB_FORCE:
        if (trigger == TRIGGER_PERMANENT || trigger == TRIGGER_FORCE)
            event->operation = OP_FORCE; /* the value is held against the program */
        s7comm_items_table(d, event, data, true);
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
        const struct service *service = service_of(GROUP_PROGRAMMER, job);
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
static void cyclic_request(struct dissect *d, struct ot_event *event, const struct userdata *u)
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

static void block_request(struct dissect *d, struct ot_event *event, const struct userdata *u)
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

/* Text without the NUL and spaces that fill it up. */
static struct text trimmed(struct reader r)
{
    struct text text = {(const char *)r.at, reader_left(&r)};
    while (text.size && (text.at[text.size - 1] == ' ' || text.at[text.size - 1] == '\0'))
        text.size--;
    return text;
}

/* | ? 8 | ? 1 | flags 1 | language 1 | type 1 | number 2 | load memory 4 | protection 4 | times 12
 * | sizes 8 | author 8 | family 8 | name 8 | version 1 | ? 1 | checksum 2 | */
static void block_info(struct dissect *d, struct ot_event *event, const struct userdata *u)
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
    struct reader texts = reader_take(&r, 3 * TEXT_SIZE); /* author, family, name */
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
    struct text author = trimmed(reader_take(&texts, TEXT_SIZE));
    struct text family = trimmed(reader_take(&texts, TEXT_SIZE));
    struct text name = trimmed(reader_take(&texts, TEXT_SIZE));
    event->detail = dissect_text(
        d, "version %u.%u, %u bytes of load memory%s%.*s%s%.*s%s%.*s%s", version >> 4, version & 15,
        (unsigned)load_memory, author.size ? ", author " : "", (int)author.size, author.at,
        family.size ? ", family " : "", (int)family.size, family.at, name.size ? ", name " : "",
        (int)name.size, name.at, protection == PROTECTION_KNOW_HOW ? ", know-how protected" : "");
}

/* --- group 4 --- */

/* Lists longer than a PDU come in data units of one reference; only the first has the head. */
static void szl_response(struct dissect *d, struct ot_event *event, const struct userdata *u,
                         const struct asked *asked)
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

static void szl_request(struct dissect *d, struct ot_event *event, const struct userdata *u)
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
static void message_service(struct dissect *d, struct ot_event *event, const struct userdata *u)
{
    enum { USER_SIZE = 8, MODE = 1, DIAGNOSTICS = 2, USER = 4, ALARMS = 0x80 };
    struct reader r = u->payload;
    uint8_t events = reader_u8(&r);
    reader_skip(&r, 1);
    struct text user = trimmed(reader_take(&r, USER_SIZE));
    if (reader_ok(&r))
        event->detail =
            dissect_text(d, "user %.*s,%s%s%s%s", (int)user.size, user.at,
                         events & MODE ? " mode" : "", events & DIAGNOSTICS ? " diagnostics" : "",
                         events & USER ? " user" : "", events & ALARMS ? " alarms" : "");
}

/* | event 2 | priority 1 | OB 1 | ... | */
static void diagnostic_message(struct dissect *d, struct ot_event *event, const struct userdata *u)
{
    struct reader r = u->payload;
    uint16_t id = reader_u16be(&r);
    if (reader_ok(&r))
        event->detail =
            dissect_text(d, "event 0x%04x%s", id,
                         id == 0x4304 ? ": stop by a programming device or SFB 20" : "");
}

/* --- groups 0, 5, 6, 7, F --- */

static void mode_push(struct dissect *d, struct ot_event *event, const struct userdata *u)
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

static void set_password(struct ot_event *event, const struct userdata *u)
{
    if (!reader_left(&u->payload))
        return;
    event->flags |= OT_HAS_CREDENTIAL;
    event->secret = u->payload.at;
    event->secret_size = reader_left(&u->payload);
    event->detail = TEXT("password of the controller");
}

/* | address with a request id | bytes | */
static void pbc_data(struct dissect *d, struct ot_event *event, const struct userdata *u)
{
    enum { ADDRESS_SIZE = 8 };
    struct reader r = u->payload;
    if (reader_left(&r) >= ADDRESS_SIZE && reader_peek(&r) == 0x12)
        s7comm_items(d, event, reader_take(&r, ADDRESS_SIZE), 1, reader_of(NULL, 0),
                     S7COMM_VALUES_NONE);
}

/* NC programs: a name opens the transfer, blocks follow as they are. */
static void nc_transfer(struct dissect *d, struct ot_event *event, const struct userdata *u)
{
    struct reader r = u->payload;
    struct ot_transfer *t = &event->transfer;
    t->operation = event->operation;
    t->key = (uint64_t)1 << 42 | (event->operation == OP_PROGRAM_UPLOAD);
    switch (u->sub) {
    case 0x01:
    case 0x06: {
        if (!is_request(u))
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
        if (!is_response(u))
            t->step = TRANSFER_END;
        break;
    default:
        break;
    }
}

static void dispatch(struct dissect *d, struct ot_event *event, const struct userdata *u,
                     const struct asked *asked)
{
    switch (u->group) {
    case GROUP_MODE:
        mode_push(d, event, u);
        break;
    case GROUP_PROGRAMMER:
        if (is_request(u))
            programmer_request(d, event, u);
        break;
    case GROUP_CYCLIC:
        if (is_request(u))
            cyclic_request(d, event, u);
        break;
    case GROUP_BLOCK:
        if (is_request(u))
            block_request(d, event, u);
        else if (u->sub == SUB_BLOCK_INFO)
            block_info(d, event, u);
        break;
    case GROUP_CPU:
        if (u->sub == SUB_SZL && is_request(u))
            szl_request(d, event, u);
        else if (u->sub == SUB_SZL)
            szl_response(d, event, u, asked);
        else if (u->sub == SUB_MESSAGE_SERVICE && is_request(u))
            message_service(d, event, u);
        else if (u->sub == SUB_DIAGNOSTIC_MESSAGE)
            diagnostic_message(d, event, u);
        break;
    case GROUP_SECURITY:
        if (is_request(u))
            set_password(event, u);
        break;
    case GROUP_PBC:
        pbc_data(d, event, u);
        break;
    case GROUP_TIME:
        clock_value(d, event, u->payload);
        break;
    case GROUP_NC:
        nc_transfer(d, event, u);
        break;
    default:
        break;
    }
}

/* Fills u; false when the parameter has no group. Sets the error of an answer. */
static bool parse(struct dissect *d, const struct s7comm_pdu *pdu, struct userdata *u,
                  uint16_t *error)
{
    struct reader r = pdu->parameter;
    size_t size = reader_left(&r);
    reader_skip(&r, 3);
    uint8_t rest = reader_u8(&r);
    reader_skip(&r, 1); /* method: repeats the type */
    uint8_t type_group = reader_u8(&r);
    u->sub = reader_u8(&r);
    u->sequence = reader_u8(&r);
    u->type = type_group >> 4;
    u->group = type_group & 15;
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_LENGTH, "userdata parameter is too short", pdu->parameter.at,
                       size);
        return false;
    }
    /* the push of a mode has another head: size 0x10 */
    if (u->group != GROUP_MODE && rest + 4u != size)
        emit_violation(d, VIOLATION_LENGTH, "userdata parameter does not fit its size",
                       pdu->parameter.at, size);
    if (size >= ANSWER_SIZE) {
        u->unit = reader_u8(&r);
        u->is_continued = reader_u8(&r) != 0;
        *error = reader_u16be(&r);
    }

    r = pdu->data;
    if (!reader_left(&r))
        return true; /* the push of a mode has no data */
    reader_skip(&r, 1);
    uint8_t transport = reader_u8(&r);
    size_t declared = reader_u16be(&r);
    if (transport >= 3 && transport <= 5)
        declared = (declared + 7) / 8; /* bits, as in data items */
    if (!reader_ok(&r) || declared > reader_left(&r)) {
        emit_violation(d, VIOLATION_LENGTH, "userdata is longer than the PDU", pdu->data.at,
                       reader_left(&pdu->data));
        declared = reader_left(&r);
    }
    u->payload = reader_take(&r, declared);
    return true;
}

static const struct asked *recall(struct dissect *d, const struct s7comm_pdu *pdu,
                                  const struct userdata *u, struct ot_event *event)
{
    size_t size;
    const struct asked *asked = dissect_recall(d, key_of(pdu, u, !d->is_from_client), &size);
    if (!asked)
        event->flags |= OT_NO_REQUEST;
    return asked;
}

static void remember(struct dissect *d, const struct s7comm_pdu *pdu, const struct userdata *u,
                     enum operation operation)
{
    struct asked *asked =
        dissect_remember(d, key_of(pdu, u, d->is_from_client), sizeof *asked, NULL);
    size_t size = reader_left(&u->payload) < ASKED_MAX ? reader_left(&u->payload) : ASKED_MAX;
    if (u->group == GROUP_SECURITY)
        size = 0; /* a password is kept nowhere */
    if (size)
        memcpy(asked->payload, u->payload.at, size);
    asked->size = (uint8_t)size;
    asked->operation = (uint8_t)operation;
}

/* An answer without data of its own says again what was asked for. */
static void repeat_request(struct dissect *d, struct ot_event *event, const struct userdata *u,
                           const struct asked *asked)
{
    struct reader r = reader_of(asked->payload, asked->size);
    struct userdata again = *u;
    again.payload = r;
    if (u->group == GROUP_BLOCK && !event->item_count)
        block_request(d, event, &again);
    else if (u->group == GROUP_TIME && event->operation == OP_TIME_SET)
        clock_value(d, event, r);
}

void s7comm_userdata(struct dissect *d, const struct s7comm_pdu *pdu)
{
    struct userdata u = {.payload = reader_of(NULL, 0)};
    uint16_t error = 0;
    struct ot_event event = s7comm_event(d, pdu);
    if (!parse(d, pdu, &u, &error)) {
        event.direction = OT_ONEWAY;
        emit_event(d, &event);
        return;
    }
    if (u.type == TYPE_REQUEST && !d->flow->is_role_known) {
        dissect_sender_is_client(d, true); /* controllers push and answer, they do not ask */
        event.is_from_client = d->is_from_client;
    }
    const struct service *service = service_of(u.group, u.sub);
    event.code[1] = u.group;
    event.code[2] = u.sub;
    event.code[3] = 2;
    event.function = (uint32_t)u.group << 8 | u.sub;
    event.name = service ? service->name : NULL;
    event.operation = service ? service->operation : OP_UNKNOWN;
    event.direction = is_request(&u) ? OT_REQUEST : is_response(&u) ? OT_RESPONSE : OT_ONEWAY;
    if (!service)
        emit_violation(d, VIOLATION_FUNCTION, "userdata sub-function is unknown", event.telling,
                       event.telling_size);

    const struct asked *asked = NULL;
    if (is_response(&u)) {
        s7comm_set_status(&event, error);
        asked = recall(d, pdu, &u, &event);
        if (asked)
            event.operation = (enum operation)asked->operation;
    } else if (!is_request(&u)) {
        event.flags |= OT_UNSOLICITED;
        if (u.group == GROUP_PROGRAMMER || u.group == GROUP_CYCLIC)
            event.operation = OP_PUBLISH; /* what a job or subscription yields */
    }
    dispatch(d, &event, &u, asked);
    if (asked)
        repeat_request(d, &event, &u, asked);
    if (is_request(&u))
        remember(d, pdu, &u, event.operation);
    emit_event(d, &event);
}
