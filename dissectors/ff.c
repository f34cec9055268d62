/* ff.c: Foundation Fieldbus High Speed Ethernet: field device access, system management, fieldbus
 * message specification, redundancy.
 *
 * Spec: [FDA] FF-588 HSE Field Device Access Agent, [SM] FF-589 HSE System Management,
 *       [FMS] FF-870 Fieldbus Message Specification
 *
 *   | version 1 | options 1 | protocol 6 bits, type 2 | confirmed 1 bit, service 7 |
 *   | address 4 | length of all 4 | body |
 *   | message number 4 | invoke id 4 | time 8 | control 4, each as the options say |
 */
#include "dissector.h"
#include "sensor/base/hash.h"

enum {
    HEADER_SIZE = 12,
    MESSAGE_MAX = 65536,

    OPTION_NUMBER = 0x80,
    OPTION_INVOKE = 0x40,
    OPTION_TIME = 0x20,
    OPTION_CONTROL = 0x08,
    OPTION_PAD = 0x07,

    PROTOCOL_FDA = 1,
    PROTOCOL_SM = 2,
    PROTOCOL_FMS = 3,
    PROTOCOL_LAN = 4,

    TYPE_REQUEST = 0,
    TYPE_RESPONSE = 1,
    TYPE_ERROR = 2,
    CONFIRMED = 0x80,

    SM_IDENTIFY = 3,
    SM_ANNUNCIATION = 16,
    FMS_IDENTIFY = 1,
    FMS_READ = 2,
    FMS_WRITE = 3,
    FMS_SUBINDEX = 0x50, /* 82 and 83 are read and write with a subindex */

    FACTS_MAX = 4,
};

/* What a step of a transfer is carried by. */
enum step_at { STEP_NONE, STEP_BEGIN, STEP_BLOCK_REQUEST, STEP_BLOCK_RESPONSE, STEP_END };

static const struct service {
    uint8_t protocol, is_confirmed, number;
    enum operation operation;
    const char *name;
    enum step_at step;
} services[] = {
    {PROTOCOL_FDA, 1, 1,   OP_SESSION,          "open_session",                               STEP_NONE          },
    {PROTOCOL_FDA, 1, 3,   OP_SESSION,          "idle",                                       STEP_NONE          },
    {PROTOCOL_SM,  0, 1,   OP_DISCOVER,         "find_tag_query",                             STEP_NONE          },
    {PROTOCOL_SM,  0, 2,   OP_DISCOVER,         "find_tag_reply",                             STEP_NONE          },
    {PROTOCOL_SM,  0, 16,  OP_DISCOVER,         "device_annunciation",                        STEP_NONE          },
    {PROTOCOL_SM,  1, 3,   OP_IDENTIFY,         "sm_identify",                                STEP_NONE          },
    {PROTOCOL_SM,  1, 12,  OP_CONFIG_CHANGE,    "clear_address",                              STEP_NONE          },
    {PROTOCOL_SM,  1, 14,  OP_CONFIG_CHANGE,    "set_assignment_info",                        STEP_NONE          },
    {PROTOCOL_SM,  1, 15,  OP_CONFIG_CHANGE,    "clear_assignment_info",                      STEP_NONE          },
    {PROTOCOL_FMS, 0, 0,   OP_PUBLISH,          "information_report",                         STEP_NONE          },
    {PROTOCOL_FMS, 0, 1,   OP_PUBLISH,          "unsolicited_status",                         STEP_NONE          },
    {PROTOCOL_FMS, 0, 2,   OP_ALARM,            "event_notification",                         STEP_NONE          },
    {PROTOCOL_FMS, 0, 16,  OP_PUBLISH,          "information_report_with_subindex",           STEP_NONE          },
    {PROTOCOL_FMS, 0, 17,  OP_PUBLISH,          "information_report_on_change",               STEP_NONE          },
    {PROTOCOL_FMS, 0, 18,  OP_PUBLISH,          "information_report_on_change_with_subindex", STEP_NONE          },
    {PROTOCOL_FMS, 0, 112, OP_SESSION,          "abort",                                      STEP_NONE          },
    {PROTOCOL_FMS, 1, 0,   OP_DIAGNOSTICS,      "status",                                     STEP_NONE          },
    {PROTOCOL_FMS, 1, 1,   OP_IDENTIFY,         "identify",                                   STEP_NONE          },
    {PROTOCOL_FMS, 1, 2,   OP_READ,             "read",                                       STEP_NONE          },
    {PROTOCOL_FMS, 1, 3,   OP_WRITE,            "write",                                      STEP_NONE          },
    {PROTOCOL_FMS, 1, 4,   OP_BROWSE,           "get_object_dictionary",                      STEP_NONE          },
    {PROTOCOL_FMS, 1, 7,   OP_SUBSCRIBE,        "define_variable_list",                       STEP_NONE          },
    {PROTOCOL_FMS, 1, 8,   OP_SUBSCRIBE,        "delete_variable_list",                       STEP_NONE          },
    {PROTOCOL_FMS, 1, 9,   OP_PROGRAM_DOWNLOAD, "initiate_download_sequence",                 STEP_BEGIN         },
    {PROTOCOL_FMS, 1, 10,  OP_PROGRAM_DOWNLOAD, "download_segment",                           STEP_BLOCK_RESPONSE},
    {PROTOCOL_FMS, 1, 11,  OP_PROGRAM_DOWNLOAD, "terminate_download_sequence",                STEP_END           },
    {PROTOCOL_FMS, 1, 12,  OP_PROGRAM_UPLOAD,   "initiate_upload_sequence",                   STEP_BEGIN         },
    {PROTOCOL_FMS, 1, 13,  OP_PROGRAM_UPLOAD,   "upload_segment",                             STEP_BLOCK_RESPONSE},
    {PROTOCOL_FMS, 1, 14,  OP_PROGRAM_UPLOAD,   "terminate_upload_sequence",                  STEP_END           },
    {PROTOCOL_FMS, 1, 15,  OP_PROGRAM_DOWNLOAD, "request_domain_download",                    STEP_NONE          },
    {PROTOCOL_FMS, 1, 16,  OP_PROGRAM_UPLOAD,   "request_domain_upload",                      STEP_NONE          },
    {PROTOCOL_FMS, 1, 17,  OP_PROGRAM_MODIFY,   "create_program_invocation",                  STEP_NONE          },
    {PROTOCOL_FMS, 1, 18,  OP_PROGRAM_DELETE,   "delete_program_invocation",                  STEP_NONE          },
    {PROTOCOL_FMS, 1, 19,  OP_START,            "start",                                      STEP_NONE          },
    {PROTOCOL_FMS, 1, 20,  OP_STOP,             "stop",                                       STEP_NONE          },
    {PROTOCOL_FMS, 1, 21,  OP_START,            "resume",                                     STEP_NONE          },
    {PROTOCOL_FMS, 1, 22,  OP_RESTART,          "reset",                                      STEP_NONE          },
    {PROTOCOL_FMS, 1, 23,  OP_STOP,             "kill",                                       STEP_NONE          },
    {PROTOCOL_FMS, 1, 24,  OP_ALARM,            "alter_event_condition_monitoring",           STEP_NONE          },
    {PROTOCOL_FMS, 1, 25,  OP_ALARM,            "acknowledge_event_notification",             STEP_NONE          },
    {PROTOCOL_FMS, 1, 28,  OP_CONFIG_CHANGE,    "initiate_put_object_dictionary",             STEP_NONE          },
    {PROTOCOL_FMS, 1, 29,  OP_CONFIG_CHANGE,    "put_object_dictionary",                      STEP_NONE          },
    {PROTOCOL_FMS, 1, 30,  OP_CONFIG_CHANGE,    "terminate_put_object_dictionary",            STEP_NONE          },
    {PROTOCOL_FMS, 1, 31,  OP_PROGRAM_DOWNLOAD, "generic_initiate_download_sequence",         STEP_BEGIN         },
    {PROTOCOL_FMS, 1, 32,  OP_PROGRAM_DOWNLOAD, "generic_download_segment",                   STEP_BLOCK_REQUEST },
    {PROTOCOL_FMS, 1, 33,  OP_PROGRAM_DOWNLOAD, "generic_terminate_download_sequence",        STEP_END           },
    {PROTOCOL_FMS, 1, 82,  OP_READ,             "read_with_subindex",                         STEP_NONE          },
    {PROTOCOL_FMS, 1, 83,  OP_WRITE,            "write_with_subindex",                        STEP_NONE          },
    {PROTOCOL_FMS, 1, 96,  OP_SESSION,          "initiate",                                   STEP_NONE          },
    {PROTOCOL_LAN, 0, 1,   OP_NETMGMT,          "redundancy_diagnostic",                      STEP_NONE          },
    {PROTOCOL_LAN, 1, 1,   OP_NETMGMT,          "redundancy_get_information",                 STEP_NONE          },
    {PROTOCOL_LAN, 1, 2,   OP_CONFIG_CHANGE,    "redundancy_put_information",                 STEP_NONE          },
    {PROTOCOL_LAN, 1, 3,   OP_DIAGNOSTICS,      "redundancy_get_statistics",                  STEP_NONE          },
};

static const struct service *service_of(uint8_t protocol, bool is_confirmed, uint8_t number)
{
    for (size_t i = 0; i < sizeof services / sizeof *services; i++)
        if (services[i].protocol == protocol && services[i].is_confirmed == is_confirmed &&
            services[i].number == number)
            return &services[i];
    return NULL;
}

struct asked {
    uint32_t index, subindex;
    bool has_index;
};

struct message {
    struct dissect *d;
    struct ot_event event;
    const struct service *service;
    uint8_t options, protocol, type, number;
    bool is_confirmed, has_invoke;
    uint32_t address, invoke;
    struct reader body, pdu;
    struct asked asked;
    struct ot_item item;
    struct ot_fact facts[FACTS_MAX];
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    text_format(out, OT_CODE_SIZE, "proto=%u,conf=%u,service=%u", code[0], code[1], code[2]);
}

static void wrong(const struct message *m, enum violation_kind kind, const char *why)
{
    emit_violation(m->d, kind, why, m->pdu.at, reader_left(&m->pdu));
}

/* Printable text of fixed size, filled with blanks or zeros. */
static struct text fixed_text(struct reader *r, size_t size)
{
    const char *at = (const char *)reader_bytes(r, size);
    if (!at)
        return (struct text){NULL, 0};
    size = strnlen(at, size);
    while (size && at[size - 1] == ' ')
        size--;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)at[i] < ' ' || (unsigned char)at[i] > '~')
            return (struct text){NULL, 0};
    return (struct text){size ? at : NULL, size};
}

static void add_fact(struct message *m, enum fact_kind kind, struct text value)
{
    if (value.size && m->event.fact_count < FACTS_MAX)
        m->facts[m->event.fact_count++] = (struct ot_fact){.kind = kind, .value = value};
}

/* --- bodies --- */

static void put_object(struct message *m, struct reader data)
{
    m->item = (struct ot_item){
        .area = "object",
        .has_start = true,
        .start = m->asked.index,
        .count = 1,
        .low = m->asked.index,
        .high = m->asked.index,
        .has_range = true,
    };
    if (m->number & FMS_SUBINDEX)
        m->item.name = dissect_text(m->d, "object %u.%u", m->asked.index, m->asked.subindex);
    if (reader_left(&data))
        m->item.values = (struct ot_values){VALUES_BYTES, 1, data.at, reader_left(&data)};
    m->event.items = &m->item;
    m->event.item_count = m->event.items_total = 1;
}

static bool is_access(const struct message *m)
{
    uint8_t number = m->number & (uint8_t)~FMS_SUBINDEX;
    return m->protocol == PROTOCOL_FMS && m->is_confirmed && m->service &&
           (number == FMS_READ || number == FMS_WRITE) &&
           (m->number == number || m->number >= FMS_SUBINDEX);
}

/* | index 4 | subindex 4, with subindex | data, of a write | */
static void access_request(struct message *m)
{
    struct reader r = m->body;
    m->asked.index = reader_u32be(&r);
    if (m->number & FMS_SUBINDEX)
        m->asked.subindex = reader_u32be(&r);
    m->asked.has_index = reader_ok(&r);
    if (!reader_ok(&r))
        wrong(m, VIOLATION_TRUNCATED, "FF object index is cut off");
    else
        put_object(m, r);
}

/* [FMS]: a segment is | index 4, of a request | more follows 1 | data | */
static void transfer(struct message *m)
{
    bool is_request = m->type == TYPE_REQUEST;
    enum step_at at = m->service->step;
    enum transfer_step step = TRANSFER_NONE;
    struct reader r = m->body;
    if (is_request) {
        m->asked.index = reader_u32be(&r);
        m->asked.has_index = reader_ok(&r);
    }
    if (m->type == TYPE_ERROR)
        step = TRANSFER_ABORT;
    else if (is_request && at == STEP_BEGIN)
        step = TRANSFER_BEGIN;
    else if (is_request && at == STEP_END)
        step = TRANSFER_END;
    else if (at == (is_request ? STEP_BLOCK_REQUEST : STEP_BLOCK_RESPONSE))
        step = TRANSFER_BLOCK;
    if (step == TRANSFER_NONE || !m->asked.has_index)
        return;
    m->event.transfer = (struct ot_transfer){
        .step = step,
        .operation = m->service->operation,
        .key = m->asked.index,
        .name = dissect_text(m->d, "domain %u", m->asked.index),
    };
    if (step != TRANSFER_BLOCK)
        return;
    reader_skip(&r, 1);
    m->event.transfer.bytes = r.at;
    m->event.transfer.size = reader_left(&r);
}

/* [FMS]: | vendor 32 | model 32 | revision 32 | */
static void identify_response(struct message *m)
{
    enum { NAME_SIZE = 32 };
    struct reader r = m->body;
    add_fact(m, FACT_VENDOR, fixed_text(&r, NAME_SIZE));
    add_fact(m, FACT_PRODUCT, fixed_text(&r, NAME_SIZE));
    add_fact(m, FACT_FIRMWARE, fixed_text(&r, NAME_SIZE));
    if (!reader_ok(&r))
        wrong(m, VIOLATION_TRUNCATED, "FF identification is cut off");
}

/* [SM], of an identification and of an annunciation: | state 1 | type 1 | redundancy 1 | duplicates
 * 1 | device index 2 | greatest index 2 | address 16 | device id 32 | PD tag 32 |... */
static void device_note(struct message *m)
{
    enum { BEFORE_SIZE = 24, NAME_SIZE = 32 };
    struct reader r = m->body;
    reader_skip(&r, BEFORE_SIZE);
    add_fact(m, FACT_SERIAL, fixed_text(&r, NAME_SIZE));
    add_fact(m, FACT_NAME, fixed_text(&r, NAME_SIZE));
}

/* | class 1 | code 1 | additional code 2 | description | */
static void error_body(struct message *m)
{
    static const char *const classes[] = {
        [1] = "vfd_state",
        [2] = "application_reference",
        [3] = "definition",
        [4] = "resource",
        [5] = "service",
        [6] = "access",
        [7] = "object_dictionary",
        [8] = "other",
        [9] = "reject",
        [10] = "h1_sm_reason",
        [11] = "fms_initiate",
    };
    struct reader r = m->body;
    uint8_t class = reader_u8(&r);
    uint8_t code = reader_u8(&r);
    m->event.status =
        (struct ot_status){OT_RESULT_ERROR, (uint32_t) class << 8 | code,
                           class < sizeof classes / sizeof *classes ? classes[class] : NULL};
    if (!reader_ok(&r))
        wrong(m, VIOLATION_TRUNCATED, "FF error is cut off");
}

/* --- messages --- */

/* Takes the trailer off the body. */
static void read_trailer(struct message *m)
{
    size_t size = (m->options & OPTION_NUMBER ? 4u : 0u) + (m->options & OPTION_INVOKE ? 4u : 0u) +
                  (m->options & OPTION_TIME ? 8u : 0u) + (m->options & OPTION_CONTROL ? 4u : 0u);
    size_t left = reader_left(&m->body);
    if (left < size) {
        wrong(m, VIOLATION_LENGTH, "FF trailer is longer than its message");
        return;
    }
    struct reader trailer = m->body;
    m->body = reader_take(&trailer, left - size);
    if (m->options & OPTION_NUMBER)
        reader_skip(&trailer, 4);
    if (m->options & OPTION_INVOKE) {
        m->invoke = reader_u32be(&trailer);
        m->has_invoke = true;
    }
    size_t pad = m->options & OPTION_PAD;
    if (pad <= reader_left(&m->body))
        m->body.end -= pad;
}

static void match(struct message *m)
{
    if (!m->is_confirmed || !m->has_invoke)
        return;
    bool is_request = m->type == TYPE_REQUEST;
    uint64_t key = hash_mix(m->invoke, (uint64_t)m->protocol << 8 | m->number);
    key = hash_mix(key, m->d->is_from_client == is_request);
    if (is_request) {
        *(struct asked *)dissect_remember(m->d, key, sizeof m->asked, NULL) = m->asked;
        return;
    }
    size_t size;
    const struct asked *asked = dissect_recall(m->d, key, &size);
    if (asked)
        m->asked = *asked;
    else
        m->event.flags |= OT_NO_REQUEST;
}

static void request(struct message *m)
{
    if (!m->service)
        return;
    if (m->protocol == PROTOCOL_SM && !m->is_confirmed && m->number == SM_ANNUNCIATION)
        device_note(m);
    else if (is_access(m))
        access_request(m);
    else if (m->service->step != STEP_NONE)
        transfer(m);
}

static void response(struct message *m)
{
    m->event.status.result = OT_RESULT_OK;
    if (m->type == TYPE_ERROR)
        error_body(m);
    if (!m->service)
        return;
    bool is_ok = m->type == TYPE_RESPONSE;
    struct reader none = reader_of(NULL, 0);
    if (is_access(m) && m->asked.has_index)
        put_object(m, is_ok && m->service->operation == OP_READ ? m->body : none);
    else if (m->service->step != STEP_NONE)
        transfer(m);
    else if (is_ok && m->protocol == PROTOCOL_FMS && m->number == FMS_IDENTIFY)
        identify_response(m);
    else if (is_ok && m->protocol == PROTOCOL_SM && m->number == SM_IDENTIFY)
        device_note(m);
}

static bool read_header(struct message *m, struct reader r)
{
    uint8_t version = reader_u8(&r);
    m->options = reader_u8(&r);
    uint8_t kind = reader_u8(&r);
    uint8_t service = reader_u8(&r);
    m->address = reader_u32be(&r);
    uint32_t length = reader_u32be(&r);
    m->protocol = kind >> 2;
    m->type = kind & 3;
    m->is_confirmed = service & CONFIRMED;
    m->number = service & (uint8_t)~CONFIRMED;
    m->body = r;
    if (!reader_ok(&r)) {
        wrong(m, VIOLATION_TRUNCATED, "FF header is cut off");
        return false;
    }
    if (version != 0 && version != 1)
        wrong(m, VIOLATION_RESERVED, "FF message version is not defined");
    if (length != reader_left(&m->pdu))
        wrong(m, VIOLATION_LENGTH, "FF message length is not the message's");
    if (m->type > TYPE_ERROR)
        wrong(m, VIOLATION_RESERVED, "FF message type is reserved");
    return true;
}

static void ff_dissect(struct dissect *d, struct reader r)
{
    struct message m = {.d = d, .pdu = r};
    if (!read_header(&m, r))
        return;
    bool is_request = m.type == TYPE_REQUEST;
    if (m.is_confirmed)
        dissect_sender_is_client(d, is_request);
    m.service = service_of(m.protocol, m.is_confirmed, m.number);
    event_start(&m.event, d);
    struct ot_event *e = &m.event;
    e->direction = is_request ? OT_REQUEST : OT_RESPONSE;
    e->code[0] = m.protocol;
    e->code[1] = m.is_confirmed;
    e->code[2] = e->function = m.number;
    e->spell = spell;
    e->facts = m.facts;
    e->telling = m.pdu.at;
    e->telling_size = reader_left(&m.pdu);
    if (m.service) {
        e->name = m.service->name;
        e->operation = m.service->operation;
    } else {
        wrong(&m, VIOLATION_FUNCTION, "FF service is not defined");
    }
    if (!m.is_confirmed)
        e->flags |= OT_UNSOLICITED;
    if (m.address)
        e->unit = dissect_text(d, "%08x", m.address);
    read_trailer(&m);
    e->transaction = m.invoke;
    e->has_transaction = m.has_invoke && m.is_confirmed;
    if (is_request) {
        request(&m);
        match(&m);
    } else {
        match(&m);
        response(&m);
    }
    emit_event(d, e);
}

static struct frame ff_frame(struct reader r)
{
    size_t given = reader_left(&r);
    reader_skip(&r, 8);
    uint32_t length = reader_u32be(&r);
    if (!reader_ok(&r))
        return frame_need(HEADER_SIZE);
    if (length < HEADER_SIZE || length > MESSAGE_MAX)
        return frame_broken("FF message length out of range");
    return length <= given ? frame_of(length) : frame_need(length);
}

/* A service that exists, its length the datagram's: small numbers all the same. */
static enum claim ff_recognise(struct reader r)
{
    uint8_t version = reader_u8(&r);
    uint8_t options = reader_u8(&r);
    uint8_t kind = reader_u8(&r);
    uint8_t service = reader_u8(&r);
    reader_skip(&r, 4);
    uint32_t length = reader_u32be(&r);
    if (!reader_ok(&r))
        return CLAIM_MORE;
    bool is_known = service_of(kind >> 2, service & CONFIRMED, service & (uint8_t)~CONFIRMED);
    if (version > 1 || (kind & 3) > TYPE_ERROR || options == 0 || !is_known ||
        length < HEADER_SIZE || length > MESSAGE_MAX)
        return CLAIM_NO;
    return CLAIM_WEAK;
}

const struct dissector dissector_ff = {
    .name = "ff",
    .spec = "FF-588, FF-589, FF-870",
    .over = OVER_TCP | OVER_UDP,
    .ports = {1089, 1090, 1091, 3622},
    .pdu_max = MESSAGE_MAX,
    .recognise = ff_recognise,
    .frame = ff_frame,
    .dissect = ff_dissect,
};
