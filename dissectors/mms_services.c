/* mms_services.c: the confirmed services of MMS, the objects they name, transfers and identity.
 *
 * Spec: [MMS] ISO 9506-2: ConfirmedServiceRequest, ConfirmedServiceResponse; PROTOCOLS 11 */
#include "mms.h"

#include "sensor/base/hash.h"

enum {
    DOMAIN_CLASS = 9, /* [MMS] 7.5.2 ObjectClass: domain */
    FACTS_MAX = 16,
};

enum naming { /* where a request says what it is about */
              NAMED_NOT,
              NAMED_VALUE,    /* the body is the name */
              NAMED_TAG0,     /* | [0] name | */
              NAMED_OBJECT,   /* ObjectName */
              NAMED_OBJECT_0, /* | [0] ObjectName | */
              NAMED_OBJECT_1, /* | [1] ObjectName, ... | */
              NAMED_FILE,     /* | graphic string, ... | */
              NAMED_FILE_0,   /* | [0] | graphic string, ... | | */
              NAMED_NUMBER,   /* the body is an integer: of an open file or upload */
};

static const struct service {
    const char *name;
    enum operation operation;
    enum naming naming;
    const char *area;
} services[MMS_SERVICE_COUNT] = {
    [0] = {"status",                             OP_DIAGNOSTICS,      NAMED_NOT,      NULL              },
    [1] = {"get_name_list",                      OP_BROWSE,           NAMED_NOT,      NULL              },
    [2] = {"identify",                           OP_IDENTIFY,         NAMED_NOT,      NULL              },
    [3] = {"rename",                             OP_CONFIG_CHANGE,    NAMED_NOT,      NULL              },
    [4] = {"read",                               OP_READ,             NAMED_NOT,      NULL              },
    [5] = {"write",                              OP_WRITE,            NAMED_NOT,      NULL              },
    [6] = {"get_variable_access_attributes",     OP_BROWSE,           NAMED_OBJECT_0, "variable"        },
    [7] = {"define_named_variable",              OP_CONFIG_CHANGE,    NAMED_OBJECT_0, "variable"        },
    [8] = {"define_scattered_access",            OP_CONFIG_CHANGE,    NAMED_OBJECT_0, "variable"        },
    [9] = {"get_scattered_access_attributes",    OP_BROWSE,           NAMED_OBJECT,   "variable"        },
    [10] = {"delete_variable_access",             OP_CONFIG_CHANGE,    NAMED_OBJECT_1, "variable"        },
    [11] = {"define_named_variable_list",         OP_SUBSCRIBE,        NAMED_OBJECT,   "variable_list"   },
    [12] = {"get_named_variable_list_attributes", OP_BROWSE,           NAMED_OBJECT,   "variable_list"   },
    [13] = {"delete_named_variable_list",         OP_CONFIG_CHANGE,    NAMED_OBJECT_1, "variable_list"   },
    [14] = {"define_named_type",                  OP_CONFIG_CHANGE,    NAMED_OBJECT,   "type"            },
    [15] = {"get_named_type_attributes",          OP_BROWSE,           NAMED_OBJECT,   "type"            },
    [16] = {"delete_named_type",                  OP_CONFIG_CHANGE,    NAMED_OBJECT_1, "type"            },
    [17] = {"input",                              OP_CONTROL,          NAMED_TAG0,     "operator_station"},
    [18] = {"output",                             OP_CONTROL,          NAMED_TAG0,     "operator_station"},
    [19] = {"take_control",                       OP_LOCK,             NAMED_OBJECT_0, "semaphore"       },
    [20] = {"relinquish_control",                 OP_LOCK,             NAMED_OBJECT_0, "semaphore"       },
    [21] = {"define_semaphore",                   OP_LOCK,             NAMED_OBJECT_0, "semaphore"       },
    [22] = {"delete_semaphore",                   OP_LOCK,             NAMED_OBJECT,   "semaphore"       },
    [23] = {"report_semaphore_status",            OP_LOCK,             NAMED_OBJECT,   "semaphore"       },
    [24] = {"report_pool_semaphore_status",       OP_LOCK,             NAMED_OBJECT_0, "semaphore"       },
    [25] = {"report_semaphore_entry_status",      OP_LOCK,             NAMED_OBJECT_0, "semaphore"       },
    [26] = {"initiate_download_sequence",         OP_PROGRAM_DOWNLOAD, NAMED_TAG0,     "domain"          },
    [27] = {"download_segment",                   OP_PROGRAM_DOWNLOAD, NAMED_VALUE,    "domain"          },
    [28] = {"terminate_download_sequence",        OP_PROGRAM_DOWNLOAD, NAMED_TAG0,     "domain"          },
    [29] = {"initiate_upload_sequence",           OP_PROGRAM_UPLOAD,   NAMED_VALUE,    "domain"          },
    [30] = {"upload_segment",                     OP_PROGRAM_UPLOAD,   NAMED_NUMBER,   "upload"          },
    [31] = {"terminate_upload_sequence",          OP_PROGRAM_UPLOAD,   NAMED_NUMBER,   "upload"          },
    [32] = {"request_domain_download",            OP_PROGRAM_DOWNLOAD, NAMED_TAG0,     "domain"          },
    [33] = {"request_domain_upload",              OP_PROGRAM_UPLOAD,   NAMED_TAG0,     "domain"          },
    [34] = {"load_domain_content",                OP_PROGRAM_DOWNLOAD, NAMED_TAG0,     "domain"          },
    [35] = {"store_domain_content",               OP_PROGRAM_UPLOAD,   NAMED_TAG0,     "domain"          },
    [36] = {"delete_domain",                      OP_PROGRAM_DELETE,   NAMED_VALUE,    "domain"          },
    [37] = {"get_domain_attributes",              OP_BROWSE,           NAMED_VALUE,    "domain"          },
    [38] = {"create_program_invocation",          OP_PROGRAM_MODIFY,   NAMED_TAG0,     "program"         },
    [39] = {"delete_program_invocation",          OP_PROGRAM_DELETE,   NAMED_VALUE,    "program"         },
    [40] = {"start",                              OP_START,            NAMED_TAG0,     "program"         },
    [41] = {"stop",                               OP_STOP,             NAMED_TAG0,     "program"         },
    [42] = {"resume",                             OP_START,            NAMED_TAG0,     "program"         },
    [43] = {"reset",                              OP_RESTART,          NAMED_TAG0,     "program"         },
    [44] = {"kill",                               OP_STOP,             NAMED_TAG0,     "program"         },
    [45] = {"get_program_invocation_attributes",  OP_BROWSE,           NAMED_VALUE,    "program"         },
    [46] = {"obtain_file",                        OP_FILE_WRITE,       NAMED_NOT,      "file"            },
    [47] = {"define_event_condition",             OP_CONFIG_CHANGE,    NAMED_OBJECT_0, "event"           },
    [48] = {"delete_event_condition",             OP_CONFIG_CHANGE,    NAMED_NOT,      NULL              },
    [49] = {"get_event_condition_attributes",     OP_BROWSE,           NAMED_OBJECT,   "event"           },
    [50] = {"report_event_condition_status",      OP_ALARM,            NAMED_OBJECT,   "event"           },
    [51] = {"alter_event_condition_monitoring",   OP_CONFIG_CHANGE,    NAMED_OBJECT_0, "event"           },
    [52] = {"trigger_event",                      OP_ALARM,            NAMED_OBJECT_0, "event"           },
    [53] = {"define_event_action",                OP_CONFIG_CHANGE,    NAMED_OBJECT_0, "event"           },
    [54] = {"delete_event_action",                OP_CONFIG_CHANGE,    NAMED_NOT,      NULL              },
    [55] = {"get_event_action_attributes",        OP_BROWSE,           NAMED_OBJECT,   "event"           },
    [56] = {"report_event_action_status",         OP_ALARM,            NAMED_OBJECT,   "event"           },
    [57] = {"define_event_enrollment",            OP_CONFIG_CHANGE,    NAMED_OBJECT_0, "event"           },
    [58] = {"delete_event_enrollment",            OP_CONFIG_CHANGE,    NAMED_NOT,      NULL              },
    [59] = {"alter_event_enrollment",             OP_CONFIG_CHANGE,    NAMED_OBJECT_0, "event"           },
    [60] = {"report_event_enrollment_status",     OP_ALARM,            NAMED_OBJECT,   "event"           },
    [61] = {"get_event_enrollment_attributes",    OP_BROWSE,           NAMED_NOT,      NULL              },
    [62] = {"acknowledge_event_notification",     OP_ALARM,            NAMED_OBJECT_0, "event"           },
    [63] = {"get_alarm_summary",                  OP_ALARM,            NAMED_NOT,      NULL              },
    [64] = {"get_alarm_enrollment_summary",       OP_ALARM,            NAMED_NOT,      NULL              },
    [65] = {"read_journal",                       OP_READ,             NAMED_OBJECT_0, "journal"         },
    [66] = {"write_journal",                      OP_CONFIG_CHANGE,    NAMED_OBJECT_0, "journal"         },
    [67] = {"initialize_journal",                 OP_FILE_DELETE,      NAMED_OBJECT_0, "journal"         },
    [68] = {"report_journal_status",              OP_DIAGNOSTICS,      NAMED_OBJECT,   "journal"         },
    [69] = {"create_journal",                     OP_CONFIG_CHANGE,    NAMED_OBJECT_0, "journal"         },
    [70] = {"delete_journal",                     OP_FILE_DELETE,      NAMED_OBJECT_0, "journal"         },
    [71] = {"get_capability_list",                OP_DIAGNOSTICS,      NAMED_NOT,      NULL              },
    [72] = {"file_open",                          OP_FILE_READ,        NAMED_FILE_0,   "file"            },
    [73] = {"file_read",                          OP_FILE_READ,        NAMED_NUMBER,   "open_file"       },
    [74] = {"file_close",                         OP_FILE_READ,        NAMED_NUMBER,   "open_file"       },
    [75] = {"file_rename",                        OP_FILE_WRITE,       NAMED_FILE_0,   "file"            },
    [76] = {"file_delete",                        OP_FILE_DELETE,      NAMED_FILE,     "file"            },
    [77] = {"file_directory",                     OP_FILE_READ,        NAMED_FILE_0,   "directory"       },
};

const char *mms_service_name(uint32_t service)
{
    return service < MMS_SERVICE_COUNT ? services[service].name : NULL;
}

enum operation mms_service_operation(uint32_t service)
{
    return service < MMS_SERVICE_COUNT ? services[service].operation : OP_UNKNOWN;
}

static struct text text_in(struct reader r)
{
    return (struct text){(const char *)r.at, reader_left(&r)};
}

/* [MMS] ObjectName: vmd-specific [0], domain-specific [1] of two identifiers, aa-specific [2]. */
struct text mms_object_name(struct dissect *d, const struct ber *name)
{
    if (name->tag == 0x80 || name->tag == 0x82)
        return text_in(name->value);
    struct reader parts = name->value;
    struct ber domain, item;
    if (name->tag != 0xa1 || !ber_next(&parts, &domain) || !ber_next(&parts, &item))
        return (struct text){NULL, 0};
    size_t domain_size = reader_left(&domain.value), item_size = reader_left(&item.value);
    char *both = arena_take(d->arena, domain_size + 1 + item_size);
    if (!both)
        return text_in(item.value);
    memcpy(both, domain.value.at, domain_size);
    both[domain_size] = '/';
    memcpy(both + domain_size + 1, item.value.at, item_size);
    return (struct text){both, domain_size + 1 + item_size};
}

/* The name that a body gives, as its service's row says. */
static struct text name_in(struct dissect *d, enum naming naming, struct reader body)
{
    struct ber e;
    switch (naming) {
    case NAMED_VALUE:
        return text_in(body);
    case NAMED_TAG0:
        if (ber_find(body, 0x80, &e))
            return text_in(e.value);
        break;
    case NAMED_OBJECT_0:
    case NAMED_OBJECT_1:
        if (!ber_find(body, naming == NAMED_OBJECT_0 ? 0xa0 : 0xa1, &e))
            break;
        body = e.value;
        __attribute__((fallthrough));
    case NAMED_OBJECT:
        if (ber_next(&body, &e))
            return mms_object_name(d, &e);
        break;
    case NAMED_FILE_0:
        if (!ber_find(body, 0xa0, &e))
            break;
        body = e.value;
        __attribute__((fallthrough));
    case NAMED_FILE:
        if (ber_next(&body, &e))
            return text_in(e.value);
        break;
    case NAMED_NOT:
    case NAMED_NUMBER:
        break;
    }
    return (struct text){NULL, 0};
}

static struct ot_item *one_item(struct dissect *d, struct ot_event *event, const char *area)
{
    uint32_t count = 1;
    struct ot_item *item = dissect_items(d, &count);
    event->items_total = 1;
    if (!item)
        return NULL;
    item->area = area;
    item->count = 1;
    event->items = item;
    event->item_count = 1;
    return item;
}

/* getNameList: | [0] | class | | [1] | scope: [0] all, [1] domain, [2] association | | */
static void name_list_item(struct dissect *d, struct ot_event *event, struct reader body)
{
    static const char *const classes[] = {"variable",     "scattered_access", "variable_list",
                                          "type",         "semaphore",        "event_condition",
                                          "event_action", "event_enrollment", "journal",
                                          "domain",       "program",          "operator_station"};
    struct ber object, scope, e;
    if (!ber_find(body, 0xa0, &object) || !ber_find(body, 0xa1, &scope))
        return;
    struct ot_item *item = one_item(d, event, NULL);
    if (!item)
        return;
    uint64_t class = ber_next(&object.value, &e) ? ber_unsigned(e.value) : 0;
    item->area = class < sizeof classes / sizeof *classes ? classes[class] : "object";
    if (ber_next(&scope.value, &e) && e.tag == 0x81)
        item->name = text_in(e.value);
}

void mms_service_item(struct dissect *d, struct ot_event *event, uint32_t service,
                      struct reader body)
{
    if (service >= MMS_SERVICE_COUNT)
        return;
    const struct service *s = &services[service];
    if (service == MMS_GET_NAME_LIST) {
        name_list_item(d, event, body);
        return;
    }
    struct ber e;
    if (s->naming == NAMED_NOT) {
        /* obtainFile: | [0] server | [1] source | [2] destination | */
        if (service != 46 || !ber_find(body, 0xa2, &e))
            return;
        body = e.value;
    }
    struct ot_item *item = one_item(d, event, s->area);
    if (!item)
        return;
    if (s->naming == NAMED_NUMBER) {
        item->start = ber_unsigned(body);
        item->has_start = true;
    } else {
        item->name = name_in(d, service == 46 ? NAMED_FILE : s->naming, body);
    }
    if (service == 20)
        event->detail = TEXT("release");
}

/* --- transfers --- */

static uint64_t name_key(struct text name)
{
    return hash_bytes(name.at, name.size) | 1;
}

static void set_transfer(struct ot_event *event, enum transfer_step step, uint64_t key,
                         struct text name)
{
    event->transfer.step = step;
    event->transfer.operation = event->operation;
    event->transfer.key = key;
    event->transfer.name = name;
}

/* | [0] octets of the content | [1] more follows | */
static void set_block(struct ot_event *event, uint64_t key, struct reader body)
{
    struct ber data;
    set_transfer(event, TRANSFER_BLOCK, key, (struct text){NULL, 0});
    if (ber_next(&body, &data)) {
        event->transfer.bytes = data.value.at;
        event->transfer.size = reader_left(&data.value);
    }
}

static void request_transfer(struct dissect *d, struct ot_event *event, uint32_t service,
                             struct reader body)
{
    struct text name;
    switch (service) {
    case MMS_INITIATE_DOWNLOAD:
        name = name_in(d, NAMED_TAG0, body);
        set_transfer(event, TRANSFER_BEGIN, name_key(name), name);
        break;
    case MMS_TERMINATE_DOWNLOAD: /* | [0] domain | [1] reason to discard it | */
        name = name_in(d, NAMED_TAG0, body);
        set_transfer(event, ber_find(body, 0xa1, &(struct ber){0}) ? TRANSFER_ABORT : TRANSFER_END,
                     name_key(name), name);
        break;
    case MMS_TERMINATE_UPLOAD:
    case MMS_FILE_CLOSE:
        set_transfer(event, TRANSFER_END, ber_unsigned(body) << 1, (struct text){NULL, 0});
        break;
    default:
        break;
    }
}

void mms_service_transfer(struct dissect *d, struct ot_event *event, uint32_t service,
                          struct reader body, const struct mms_request *request)
{
    if (event->direction == OT_REQUEST) {
        request_transfer(d, event, service, body);
        return;
    }
    if (!request || event->status.result == OT_RESULT_ERROR)
        return;
    struct reader asked = reader_of(request->body, request->size);
    struct ber e, size;
    switch (service) {
    case MMS_DOWNLOAD_SEGMENT:
        set_block(event, name_key(text_in(asked)), body);
        break;
    case MMS_UPLOAD_SEGMENT:
    case MMS_FILE_READ:
        set_block(event, ber_unsigned(asked) << 1, body);
        break;
    case MMS_INITIATE_UPLOAD: /* | [0] number | ... | */
        if (ber_find(body, 0x80, &e))
            set_transfer(event, TRANSFER_BEGIN, ber_unsigned(e.value) << 1, text_in(asked));
        break;
    case MMS_FILE_OPEN: /* | [0] number | [1] | [0] size | [1] time | | */
        if (!ber_find(body, 0x80, &e))
            break;
        set_transfer(event, TRANSFER_BEGIN, ber_unsigned(e.value) << 1,
                     name_in(d, NAMED_FILE_0, asked));
        if (ber_find(body, 0xa1, &e) && ber_find(e.value, 0x80, &size))
            event->transfer.declared_size = ber_unsigned(size.value);
        break;
    default:
        break;
    }
}

/* --- answers --- */

static void identify_answer(struct dissect *d, struct ot_event *event, struct reader body)
{
    static const enum fact_kind kinds[] = {FACT_VENDOR, FACT_PRODUCT, FACT_FIRMWARE};
    uint32_t count = sizeof kinds / sizeof *kinds;
    struct ot_fact *facts = dissect_facts(d, &count);
    struct ber e;
    event->facts = facts;
    while (event->fact_count < count && ber_next(&body, &e))
        if (e.number < sizeof kinds / sizeof *kinds && reader_left(&e.value))
            facts[event->fact_count++] = (struct ot_fact){kinds[e.number], text_in(e.value), false};
}

static void status_answer(struct ot_event *event, struct reader body)
{
    static const char *const states[] = {"state changes allowed", "no state changes allowed",
                                         "limited services", "support services"};
    struct ber e;
    if (!ber_find(body, 0x80, &e))
        return;
    uint64_t state = ber_unsigned(e.value);
    if (state < sizeof states / sizeof *states)
        event->detail = text_of(states[state]);
}

static bool asked_for_domains(const struct mms_request *request)
{
    struct ber object, e;
    return request && ber_find(reader_of(request->body, request->size), 0xa0, &object) &&
           ber_next(&object.value, &e) && ber_unsigned(e.value) == DOMAIN_CLASS;
}

/* The domains are the logical devices: parts of what answers. */
static void name_list_answer(struct dissect *d, struct ot_event *event, struct reader body,
                             const struct mms_request *request)
{
    struct ber list, name;
    if (!asked_for_domains(request) || !ber_find(body, 0xa0, &list))
        return;
    uint32_t count = FACTS_MAX;
    struct ot_fact *facts = dissect_facts(d, &count);
    event->facts = facts;
    while (event->fact_count < count && ber_next(&list.value, &name))
        facts[event->fact_count++] = (struct ot_fact){FACT_MODULE_NAME, text_in(name.value), false};
}

void mms_service_answer(struct dissect *d, struct ot_event *event, uint32_t service,
                        struct reader body, const struct mms_request *request)
{
    if (service == MMS_IDENTIFY)
        identify_answer(d, event, body);
    else if (service == MMS_STATUS)
        status_answer(event, body);
    else if (service == MMS_GET_NAME_LIST)
        name_list_answer(d, event, body, request);
}
