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

#include "s7comm_groups.h"
#include "s7comm_jobs.h"

enum {
    SUBS = 0x17,
    ANSWER_SIZE = 12, /* with data unit and error */
};

/* [group][sub-function] */
static const struct s7comm_service services[S7COMM_GROUPS][SUBS] =
    {
        [S7COMM_GROUP_MODE] =
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
        [S7COMM_GROUP_PROGRAMMER] =
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
        [S7COMM_GROUP_CYCLIC] =
            {
                                 [0x01] = {"cyclic_transfer", OP_SUBSCRIBE},
                                 [0x04] = {"cyclic_unsubscribe", OP_SUBSCRIBE},
                                 [0x05] = {"change_driven_transfer", OP_SUBSCRIBE},
                                 [0x07] = {"change_driven_modify", OP_SUBSCRIBE},
                                 [0x08] = {"read_record", OP_SUBSCRIBE},
                                 },
        [S7COMM_GROUP_BLOCK] =
            {
                                 [0x01] = {"list_blocks", OP_BROWSE},
                                 [0x02] = {"list_blocks_of_type", OP_BROWSE},
                                 [0x03] = {"block_info", OP_BROWSE},
                                 },
        [S7COMM_GROUP_CPU] =
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
        [S7COMM_GROUP_SECURITY] =
            {
                                 [0x01] = {"password", OP_AUTH},
                                 },
        [S7COMM_GROUP_TIME] =
            {
                                 [0x01] = {"read_clock", OP_DIAGNOSTICS},
                                 [0x02] = {"set_clock", OP_TIME_SET},
                                 [0x03] = {"read_clock_following", OP_DIAGNOSTICS},
                                 [0x04] = {"set_clock", OP_TIME_SET},
                                 },
        [S7COMM_GROUP_NC] =
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

static const struct s7comm_service pbc = {"bsend",
                                          OP_WRITE}; /* its sub-functions are not published */

const struct s7comm_service *s7comm_service_of(uint8_t group, uint8_t sub)
{
    if (group == S7COMM_GROUP_PBC)
        return &pbc;
    const struct s7comm_service *service = sub < SUBS ? &services[group][sub] : NULL;
    return service && service->name ? service : NULL;
}

/* References of userdata may repeat (WinCC always says 1), so the service belongs to the key. */
static uint64_t key_of(const struct s7comm_pdu *pdu, const struct s7comm_userdata *u,
                       bool is_from_client)
{
    return (uint64_t)S7COMM_USERDATA << 40 | (uint64_t)u->group << 32 | (uint64_t)u->sub << 24 |
           (uint64_t)is_from_client << 16 | pdu->reference;
}

/* Fills u; false when the parameter has no group. Sets the error of an answer. */
static bool parse(struct dissect *d, const struct s7comm_pdu *pdu, struct s7comm_userdata *u,
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
    if (u->group != S7COMM_GROUP_MODE && rest + 4u != size)
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

static const struct s7comm_asked *recall(struct dissect *d, const struct s7comm_pdu *pdu,
                                         const struct s7comm_userdata *u, struct ot_event *event)
{
    size_t size;
    const struct s7comm_asked *asked = dissect_recall(d, key_of(pdu, u, !d->is_from_client), &size);
    if (!asked)
        event->flags |= OT_NO_REQUEST;
    return asked;
}

static void remember(struct dissect *d, const struct s7comm_pdu *pdu,
                     const struct s7comm_userdata *u, enum operation operation)
{
    bool has_addresses = u->group == S7COMM_GROUP_PROGRAMMER || u->group == S7COMM_GROUP_CYCLIC;
    size_t size = reader_left(&u->payload);
    size_t most = has_addresses ? S7COMM_ASKED_MAX : S7COMM_ASKED_FEW;
    if (size > most)
        size = most;
    if (u->group == S7COMM_GROUP_SECURITY)
        size = 0; /* a password is kept nowhere */
    struct s7comm_asked *asked = dissect_remember(
        d, key_of(pdu, u, d->is_from_client), offsetof(struct s7comm_asked, payload) + size, NULL);
    if (size)
        memcpy(asked->payload, u->payload.at, size);
    asked->size = (uint16_t)size;
    asked->operation = (uint8_t)operation;
}

void s7comm_userdata(struct dissect *d, const struct s7comm_pdu *pdu)
{
    struct s7comm_userdata u = {.payload = reader_of(NULL, 0)};
    uint16_t error = 0;
    struct ot_event event;
    s7comm_event_start(&event, d, pdu);
    if (!parse(d, pdu, &u, &error)) {
        event.direction = OT_ONEWAY;
        emit_event(d, &event);
        return;
    }
    if (u.type == S7COMM_TYPE_REQUEST && !d->flow->is_role_known) {
        dissect_sender_is_client(d, true); /* controllers push and answer, they do not ask */
        event.is_from_client = d->is_from_client;
    }
    const struct s7comm_service *service = s7comm_service_of(u.group, u.sub);
    event.code[1] = u.group;
    event.code[2] = u.sub;
    event.code[3] = 2;
    event.function = (uint32_t)u.group << 8 | u.sub;
    event.name = service ? service->name : NULL;
    event.operation = service ? service->operation : OP_UNKNOWN;
    event.direction = s7comm_is_request(&u)    ? OT_REQUEST
                      : s7comm_is_response(&u) ? OT_RESPONSE
                                               : OT_ONEWAY;
    if (!service)
        emit_violation(d, VIOLATION_FUNCTION, "userdata sub-function is unknown", event.telling,
                       event.telling_size);

    const struct s7comm_asked *asked = NULL;
    if (s7comm_is_response(&u)) {
        s7comm_set_status(&event, error);
        asked = recall(d, pdu, &u, &event);
        if (asked)
            event.operation = (enum operation)asked->operation;
    } else if (!s7comm_is_request(&u)) {
        event.flags |= OT_UNSOLICITED;
        if (u.group == S7COMM_GROUP_PROGRAMMER || u.group == S7COMM_GROUP_CYCLIC)
            event.operation = OP_PUBLISH; /* what a job or subscription yields */
    }
    s7comm_groups_dissect(d, &event, &u, asked);
    if (asked && error == 0)
        s7comm_job_begins(d, &u, asked);
    if (s7comm_is_request(&u))
        remember(d, pdu, &u, event.operation);
    emit_event(d, &event);
}
