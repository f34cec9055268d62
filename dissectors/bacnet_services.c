/* bacnet_services.c: BACnet's services: which they are and who reads them.
 *
 * Spec: [135] ANSI/ASHRAE 135-2020, clause 21 (their ASN.1) */
#include "bacnet_message.h"

#include "bacnet_names.h"

typedef void parser(struct bacnet_message *m, struct reader *r);

struct service {
    const char *name; /* NULL: not defined */
    enum operation operation;
    parser *request; /* NULL: nothing to show */
    parser *acknowledged;
    bool is_pushed;  /* tells of its sender, unasked */
    bool is_foreign; /* what follows is the vendor's own, not always tagged */
};

/* [135] 21, BACnetConfirmedServiceChoice */
/* clang-format off: a row per line */
static const struct service confirmed[] = {
    [0] = {"acknowledge_alarm",                   OP_ALARM,          bacnet_second_object,          NULL,                           false, false},
    [1] = {"confirmed_cov_notification",          OP_PUBLISH,        bacnet_change_request,         NULL,                           true,  false},
    [2] = {"confirmed_event_notification",        OP_ALARM,          bacnet_event_request,          NULL,                           true,  false},
    [3] = {"get_alarm_summary",                   OP_ALARM,          NULL,                          NULL,                           false, false},
    [4] = {"get_enrollment_summary",              OP_ALARM,          NULL,                          NULL,                           false, false},
    [5] = {"subscribe_cov",                       OP_SUBSCRIBE,      bacnet_second_object,          NULL,                           false, false},
    [6] = {"atomic_read_file",                    OP_FILE_READ,      bacnet_file_read_request,
           bacnet_file_read_acknowledged,                                                                                           false, false},
    [7] = {"atomic_write_file",                   OP_FILE_WRITE,     bacnet_file_write_request,     NULL,                           false, false},
    [8] = {"add_list_element",                    OP_CONFIG_CHANGE,  bacnet_list_request,           NULL,                           false, false},
    [9] = {"remove_list_element",                 OP_CONFIG_CHANGE,  bacnet_list_request,           NULL,                           false, false},
    [10] = {"create_object",                       OP_PROGRAM_MODIFY, bacnet_create_request,         bacnet_create_acknowledged,
           false,                                                                                                                          false},
    [11] = {"delete_object",                       OP_PROGRAM_DELETE, bacnet_object_request,         NULL,                           false, false},
    [12] = {"read_property",                       OP_READ,           bacnet_read_request,           bacnet_read_acknowledged,       false, false},
    [13] = {"read_property_conditional",           OP_READ,           NULL,                          NULL,                           false, false},
    [14] = {"read_property_multiple",              OP_READ,           bacnet_read_multiple_request,
           bacnet_read_multiple_acknowledged,                                                                                       false, false},
    [15] = {"write_property",                      OP_WRITE,          bacnet_write_request,          NULL,                           false, false},
    [16] = {"write_property_multiple",             OP_WRITE,          bacnet_write_multiple_request, NULL,                           false, false},
    [17] = {"device_communication_control",        OP_MODE_CHANGE,    bacnet_communication_request,  NULL,
           false,                                                                                                                          false},
    [18] = {"confirmed_private_transfer",          OP_UNKNOWN,        bacnet_private_request,        NULL,                           false, true },
    [19] = {"confirmed_text_message",              OP_ALARM,          bacnet_message_request,        NULL,                           true,  false},
    [20] = {"reinitialize_device",                 OP_RESTART,        bacnet_reinitialize_request,   NULL,                           false, false},
    [21] = {"vt_open",                             OP_CONTROL,        NULL,                          NULL,                           false, false},
    [22] = {"vt_close",                            OP_CONTROL,        NULL,                          NULL,                           false, false},
    [23] = {"vt_data",                             OP_CONTROL,        NULL,                          NULL,                           false, false},
    [24] = {"authenticate",                        OP_AUTH,           bacnet_authenticate_request,   NULL,                           false, false},
    [25] = {"request_key",                         OP_AUTH,           NULL,                          NULL,                           false, false},
    [26] = {"read_range",                          OP_READ,           bacnet_read_request,           bacnet_read_range_acknowledged, false,
           false                                                                                                                                },
    [27] = {"life_safety_operation",               OP_CONTROL,        bacnet_life_safety_request,    NULL,                           false, false},
    [28] = {"subscribe_cov_property",              OP_SUBSCRIBE,      bacnet_second_object,          NULL,                           false, false},
    [29] = {"get_event_information",               OP_ALARM,          NULL,                          NULL,                           false, false},
    [30] = {"subscribe_cov_property_multiple",     OP_SUBSCRIBE,      bacnet_subscribe_request,      NULL,                           false,
           false                                                                                                                                },
    [31] = {"confirmed_cov_notification_multiple", OP_PUBLISH,        bacnet_changes_request,        NULL,                           true,
           false                                                                                                                                },
    [32] = {"confirmed_audit_notification",        OP_UNKNOWN,        NULL,                          NULL,                           true,  false},
    [33] = {"audit_log_query",                     OP_UNKNOWN,        NULL,                          NULL,                           false, false},
    [34] = {"auth_request",                        OP_AUTH,           NULL,                          NULL,                           false, false},
};
/* clang-format on */

/* [135] 21, BACnetUnconfirmedServiceChoice */
/* clang-format off: a row per line */
static const struct service unconfirmed[] = {
    [0] = {"i_am",                                  OP_DISCOVER,      bacnet_i_am_request,    NULL, true,  false},
    [1] = {"i_have",                                OP_DISCOVER,      bacnet_i_have_request,  NULL, true,  false},
    [2] = {"unconfirmed_cov_notification",          OP_PUBLISH,       bacnet_change_request,  NULL, true,  false},
    [3] = {"unconfirmed_event_notification",        OP_ALARM,         bacnet_event_request,   NULL, true,  false},
    [4] = {"unconfirmed_private_transfer",          OP_UNKNOWN,       bacnet_private_request, NULL, false, true },
    [5] = {"unconfirmed_text_message",              OP_ALARM,         bacnet_message_request, NULL, true,  false},
    [6] = {"time_synchronization",                  OP_TIME_SET,      bacnet_time_request,    NULL, false, false},
    [7] = {"who_has",                               OP_DISCOVER,      bacnet_who_has_request, NULL, false, false},
    [8] = {"who_is",                                OP_DISCOVER,      bacnet_who_is_request,  NULL, false, false},
    [9] = {"utc_time_synchronization",              OP_TIME_SET,      bacnet_time_request,    NULL, false, false},
    [10] = {"write_group",                           OP_WRITE,         bacnet_group_request,   NULL, false, false},
    [11] = {"unconfirmed_cov_notification_multiple", OP_PUBLISH,       bacnet_changes_request, NULL, true,
           false                                                                                                },
    [12] = {"unconfirmed_audit_notification",        OP_UNKNOWN,       NULL,                   NULL, true,  false},
    [13] = {"who_am_i",                              OP_DISCOVER,      NULL,                   NULL, true,  false},
    [14] = {"you_are",                               OP_CONFIG_CHANGE, NULL,                   NULL, false, false},
};
/* clang-format on */

static const struct service *service_of(const struct bacnet_message *m, uint8_t service)
{
    const struct service *table = m->is_confirmed ? confirmed : unconfirmed;
    size_t count = m->is_confirmed ? sizeof confirmed / sizeof *confirmed
                                   : sizeof unconfirmed / sizeof *unconfirmed;
    return service < count ? &table[service] : NULL;
}

bool bacnet_service_find(struct bacnet_message *m, uint8_t service)
{
    const struct service *s = service_of(m, service);
    if (!s)
        return false;
    m->event.name = s->name;
    m->event.operation = s->operation;
    if (s->is_pushed && m->event.direction == OT_REQUEST)
        m->event.flags |= OT_UNSOLICITED;
    return true;
}

static void parse(struct bacnet_message *m, parser *read, bool is_foreign, struct reader r)
{
    struct reader all = r;
    if (read)
        read(m, &r);
    /* the second look is for what the parser left, and for what it could not read */
    if (!is_foreign && !bacnet_is_balanced(all))
        bacnet_wrong(m, VIOLATION_ENCODING, "BACnet tags do not nest or are cut off");
    else if (read && !reader_ok(&r))
        bacnet_wrong(m, VIOLATION_ENCODING, "BACnet service lacks a parameter");
}

void bacnet_request(struct bacnet_message *m, uint8_t service, struct reader r)
{
    const struct service *s = service_of(m, service);
    if (s)
        parse(m, s->request, s->is_foreign, r);
}

void bacnet_acknowledged(struct bacnet_message *m, uint8_t service, struct reader r)
{
    const struct service *s = service_of(m, service);
    if (s)
        parse(m, s->acknowledged, s->is_foreign, r);
    bacnet_put_asked(m);
}

/* | class | code |; services that tell more enclose it in tag 0: [135] 21, BACnet-Error */
void bacnet_refused(struct bacnet_message *m, struct reader r)
{
    struct reader inner;
    uint32_t class, code = 0;
    if (bacnet_enclosed(&r, 0, &inner))
        r = inner;
    if (!bacnet_application_number(&r, BACNET_ENUMERATED, &class) ||
        !bacnet_application_number(&r, BACNET_ENUMERATED, &code))
        bacnet_wrong(m, VIOLATION_ENCODING, "BACnet error lacks its class or code");
    m->event.status = (struct ot_status){OT_RESULT_ERROR, code, bacnet_error_name(code)};
}
