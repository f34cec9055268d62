/* knxip.c: KNXnet/IP: search, description, connections, tunnelling, routing, and the bus telegrams
 * (cEMI) in them.
 *
 * Spec: [IP]  KNX 3/8/1 to 3/8/5, KNXnet/IP (ISO 22510), 3/8/9 secure
 *       [EMI] KNX 3/6/3, cEMI
 *       [AL]  KNX 3/3/7, application layer
 *
 *   | header size 06 | version 10 | service 2 | length of all 2 | body |
 *   connection header of 03xx, 04xx | size 04 | channel 1 | sequence 1 | reserved or status 1 |
 *   cEMI of data | code 1 | size of what is added 1 | that | control 1 | control 1 | source 2 |
 *   destination 2 | length 1 | transport and application control 2 | data |
 */
#include "dissector.h"

enum {
    HEADER_SIZE = 6,
    VERSION_1 = 0x10,
    VERSION_2 = 0x20,
    LENGTH_MAX = 2048,

    SEARCH_RESPONSE = 0x0202,
    DESCRIPTION_RESPONSE = 0x0204,
    CONNECT_REQUEST = 0x0205,
    CONNECT_RESPONSE = 0x0206,
    STATE_RESPONSE = 0x0208,
    DISCONNECT_RESPONSE = 0x020a,
    EXTENDED_SEARCH_RESPONSE = 0x020c,
    CONFIGURATION_REQUEST = 0x0310,
    CONFIGURATION_ACK = 0x0311,
    TUNNELLING_REQUEST = 0x0420,
    TUNNELLING_ACK = 0x0421,
    ROUTING_INDICATION = 0x0530,
    SECURE_WRAPPER = 0x0950,

    HPAI_SIZE = 8,
    CONNECTION_HEADER_SIZE = 4,
    CHANNEL_STATES = 256,

    DIB_DEVICE = 1,
    DIB_MANUFACTURER = 0xfe,
    DEVICE_NAME_SIZE = 30,

    CONTROL_GROUP = 0x80, /* of the second control field: destination is a group */
    HOPS_UNLIMITED = 7,
    NUMBERED = 0x40, /* of the transport control */
    CONFIRMATION = 0x2e,

    FACTS_MAX = 8,
    NAME_MAX = 24,
};

/* --- services --- */

static const struct service {
    uint16_t number;
    uint8_t operation; /* enum operation */
    bool is_response;
    const char *name;
} services[] = {
    {0x0201, OP_DISCOVER,      false, "search_request"              },
    {0x0202, OP_DISCOVER,      true,  "search_response"             },
    {0x0203, OP_IDENTIFY,      false, "description_request"         },
    {0x0204, OP_IDENTIFY,      true,  "description_response"        },
    {0x0205, OP_SESSION,       false, "connect_request"             },
    {0x0206, OP_SESSION,       true,  "connect_response"            },
    {0x0207, OP_SESSION,       false, "connection_state_request"    },
    {0x0208, OP_SESSION,       true,  "connection_state_response"   },
    {0x0209, OP_SESSION,       false, "disconnect_request"          },
    {0x020a, OP_SESSION,       true,  "disconnect_response"         },
    {0x020b, OP_DISCOVER,      false, "extended_search_request"     },
    {0x020c, OP_DISCOVER,      true,  "extended_search_response"    },
    {0x0310, OP_UNKNOWN,       false, "configuration_request"       },
    {0x0311, OP_SESSION,       true,  "configuration_ack"           },
    {0x0420, OP_UNKNOWN,       false, "tunnelling_request"          },
    {0x0421, OP_SESSION,       true,  "tunnelling_ack"              },
    {0x0422, OP_DIAGNOSTICS,   false, "tunnelling_feature_get"      },
    {0x0423, OP_DIAGNOSTICS,   true,  "tunnelling_feature_response" },
    {0x0424, OP_CONFIG_CHANGE, false, "tunnelling_feature_set"      },
    {0x0425, OP_DIAGNOSTICS,   false, "tunnelling_feature_info"     },
    {0x0530, OP_UNKNOWN,       false, "routing_indication"          },
    {0x0531, OP_DIAGNOSTICS,   false, "routing_lost_message"        },
    {0x0532, OP_DIAGNOSTICS,   false, "routing_busy"                },
    {0x0533, OP_NETMGMT,       false, "routing_system_broadcast"    },
    {0x0740, OP_DIAGNOSTICS,   false, "remote_diagnostic_request"   },
    {0x0741, OP_DIAGNOSTICS,   true,  "remote_diagnostic_response"  },
    {0x0742, OP_CONFIG_CHANGE, false, "remote_configuration_request"},
    {0x0743, OP_RESTART,       false, "remote_reset_request"        },
    {0x0950, OP_UNKNOWN,       false, "secure_wrapper"              },
    {0x0951, OP_SESSION,       false, "session_request"             },
    {0x0952, OP_SESSION,       true,  "session_response"            },
    {0x0953, OP_AUTH,          false, "session_authenticate"        },
    {0x0954, OP_SESSION,       true,  "session_status"              },
    {0x0955, OP_PUBLISH,       false, "timer_notify"                },
};

static const struct service *service_of(uint16_t number)
{
    for (size_t i = 0; i < sizeof services / sizeof *services; i++)
        if (services[i].number == number)
            return &services[i];
    return NULL;
}

/* [AL] 3.1: application control of 10 bits; where only the first four count, the others are data */
static const struct application {
    uint16_t first, last;
    uint8_t operation; /* enum operation */
    const char *name;
} applications[] = {
    {0x000, 0x03f, OP_READ,             "group_value_read"                  },
    {0x040, 0x07f, OP_PUBLISH,          "group_value_response"              },
    {0x080, 0x0bf, OP_CONTROL,          "group_value_write"                 },
    {0x0c0, 0x0ff, OP_CONFIG_CHANGE,    "individual_address_write"          },
    {0x100, 0x13f, OP_DISCOVER,         "individual_address_read"           },
    {0x140, 0x17f, OP_DISCOVER,         "individual_address_response"       },
    {0x180, 0x1bf, OP_READ,             "adc_read"                          },
    {0x1c8, 0x1c8, OP_READ,             "system_network_parameter_read"     },
    {0x1c9, 0x1c9, OP_READ,             "system_network_parameter_response" },
    {0x1ca, 0x1ca, OP_CONFIG_CHANGE,    "system_network_parameter_write"    },
    {0x1cc, 0x1cd, OP_READ,             "property_extended_value_read"      },
    {0x1ce, 0x1d0, OP_CONFIG_CHANGE,    "property_extended_value_write"     },
    {0x1d2, 0x1d3, OP_BROWSE,           "property_extended_description"     },
    {0x1d4, 0x1d4, OP_CONFIG_CHANGE,    "function_property_extended_command"},
    {0x1d5, 0x1d6, OP_READ,             "function_property_extended_state"  },
    {0x1fb, 0x1fc, OP_PROGRAM_DOWNLOAD, "memory_extended_write"             },
    {0x1fd, 0x1fe, OP_PROGRAM_UPLOAD,   "memory_extended_read"              },
    {0x1c0, 0x1ff, OP_READ,             "adc_response"                      },
    {0x200, 0x23f, OP_PROGRAM_UPLOAD,   "memory_read"                       },
    {0x240, 0x27f, OP_PROGRAM_UPLOAD,   "memory_response"                   },
    {0x280, 0x2bf, OP_PROGRAM_DOWNLOAD, "memory_write"                      },
    {0x2c0, 0x2c1, OP_PROGRAM_UPLOAD,   "user_memory_read"                  },
    {0x2c2, 0x2c4, OP_PROGRAM_DOWNLOAD, "user_memory_write"                 },
    {0x2c5, 0x2c6, OP_IDENTIFY,         "user_manufacturer_info"            },
    {0x2c7, 0x2c7, OP_CONFIG_CHANGE,    "function_property_command"         },
    {0x2c8, 0x2c9, OP_READ,             "function_property_state"           },
    {0x300, 0x33f, OP_IDENTIFY,         "device_descriptor_read"            },
    {0x340, 0x37f, OP_IDENTIFY,         "device_descriptor_response"        },
    {0x380, 0x39f, OP_RESTART,          "restart"                           },
    {0x3a0, 0x3bf, OP_RESTART,          "restart_response"                  },
    {0x3c0, 0x3c2, OP_NETMGMT,          "routing_table_read"                },
    {0x3c3, 0x3c3, OP_CONFIG_CHANGE,    "routing_table_write"               },
    {0x3c8, 0x3c9, OP_PROGRAM_UPLOAD,   "router_memory_read"                },
    {0x3ca, 0x3ca, OP_PROGRAM_DOWNLOAD, "router_memory_write"               },
    {0x3cd, 0x3ce, OP_DIAGNOSTICS,      "router_status_read"                },
    {0x3cf, 0x3cf, OP_CONFIG_CHANGE,    "router_status_write"               },
    {0x3d0, 0x3d0, OP_PROGRAM_DOWNLOAD, "memory_bit_write"                  },
    {0x3d1, 0x3d2, OP_AUTH,             "authorize"                         },
    {0x3d3, 0x3d4, OP_CONFIG_CHANGE,    "key_write"                         },
    {0x3d5, 0x3d6, OP_READ,             "property_value_read"               },
    {0x3d7, 0x3d7, OP_CONFIG_CHANGE,    "property_value_write"              },
    {0x3d8, 0x3d9, OP_BROWSE,           "property_description"              },
    {0x3da, 0x3db, OP_READ,             "network_parameter_read"            },
    {0x3dc, 0x3dd, OP_DISCOVER,         "individual_address_serial_read"    },
    {0x3de, 0x3de, OP_CONFIG_CHANGE,    "individual_address_serial_write"   },
    {0x3e0, 0x3e0, OP_CONFIG_CHANGE,    "domain_address_write"              },
    {0x3e1, 0x3e3, OP_DISCOVER,         "domain_address_read"               },
    {0x3e4, 0x3e4, OP_CONFIG_CHANGE,    "network_parameter_write"           },
    {0x3e5, 0x3e6, OP_READ,             "link_read"                         },
    {0x3e7, 0x3e7, OP_CONFIG_CHANGE,    "link_write"                        },
    {0x3e8, 0x3e9, OP_READ,             "group_property_value_read"         },
    {0x3ea, 0x3ea, OP_CONFIG_CHANGE,    "group_property_value_write"        },
    {0x3eb, 0x3eb, OP_PUBLISH,          "group_property_value_info"         },
    {0x3ec, 0x3ed, OP_DISCOVER,         "domain_address_serial_read"        },
    {0x3ee, 0x3ee, OP_CONFIG_CHANGE,    "domain_address_serial_write"       },
    {0x3f0, 0x3f0, OP_FILE_READ,        "file_stream_info"                  },
    {0x3f1, 0x3f1, OP_UNKNOWN,          "data_secure"                       },
};
enum {
    GROUP_WRITE_LAST = 0x0bf,
    MEMORY_READ = 0x200,
    MEMORY_WRITE = 0x280,
    MEMORY_LAST = 0x2bf,
    USER_MEMORY_WRITE = 0x2c2,
    DESCRIPTOR_RESPONSE = 0x340,
    DESCRIPTOR_LAST = 0x37f,
    RESTART = 0x380,
    RESTART_LAST = 0x39f,
    AUTHORIZE = 0x3d1,
    KEY_WRITE = 0x3d3,
    PROPERTY_READ = 0x3d5,
    PROPERTY_RESPONSE = 0x3d6,
    PROPERTY_WRITE = 0x3d7,
    DATA_SECURE = 0x3f1,
};

static const struct application *application_of(uint16_t control)
{
    for (size_t i = 0; i < sizeof applications / sizeof *applications; i++)
        if (control >= applications[i].first && control <= applications[i].last)
            return &applications[i];
    return NULL;
}

/* [EMI] 4.1.3; those of device management carry properties instead of telegrams */
static const struct emi {
    uint8_t code;
    uint8_t operation; /* enum operation */
    bool is_telegram;
    const char *name;
} codes[] = {
    {0x10, OP_UNKNOWN,       false, "l_raw_request"                   },
    {0x11, OP_UNKNOWN,       true,  "l_data_request"                  },
    {0x13, OP_READ,          false, "l_poll_data_request"             },
    {0x25, OP_READ,          false, "l_poll_data_confirmation"        },
    {0x29, OP_UNKNOWN,       true,  "l_data_indication"               },
    {0x2b, OP_DIAGNOSTICS,   false, "l_busmon_indication"             },
    {0x2d, OP_UNKNOWN,       false, "l_raw_indication"                },
    {0x2e, OP_UNKNOWN,       true,  "l_data_confirmation"             },
    {0x2f, OP_UNKNOWN,       false, "l_raw_confirmation"              },
    {0x41, OP_UNKNOWN,       false, "t_data_connected_request"        },
    {0x4a, OP_UNKNOWN,       false, "t_data_individual_request"       },
    {0x89, OP_UNKNOWN,       false, "t_data_connected_indication"     },
    {0x94, OP_UNKNOWN,       false, "t_data_individual_indication"    },
    {0xf0, OP_RESTART,       false, "m_reset_indication"              },
    {0xf1, OP_RESTART,       false, "m_reset_request"                 },
    {0xf5, OP_CONFIG_CHANGE, false, "m_property_write_confirmation"   },
    {0xf6, OP_CONFIG_CHANGE, false, "m_property_write_request"        },
    {0xf7, OP_PUBLISH,       false, "m_property_info"                 },
    {0xf8, OP_CONFIG_CHANGE, false, "m_function_property_command"     },
    {0xf9, OP_READ,          false, "m_function_property_read"        },
    {0xfa, OP_READ,          false, "m_function_property_confirmation"},
    {0xfb, OP_READ,          false, "m_property_read_confirmation"    },
    {0xfc, OP_READ,          false, "m_property_read_request"         },
};
enum {
    RESET_CODES = 0xf0,
    PROPERTY_CODES = 0xf5,
    PROPERTY_READ_CONFIRMATION = 0xfb,
    PROPERTY_READ_REQUEST = 0xfc,
};

static const struct emi *emi_of(uint8_t code)
{
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].code == code)
            return &codes[i];
    return NULL;
}

/* --- messages --- */

struct knxip_state {
    struct {
        bool is_known;
        uint8_t sequence;
    } channels[2][CHANNEL_STATES]; /* the last number of each direction */
};

struct message {
    struct dissect *d;
    struct ot_event event;
    struct reader pdu;
    uint16_t number, destination;
    bool is_connected; /* a telegram of a transport connection */
    bool is_repeated;  /* it confirms one that was sent */
    struct ot_item item;
    struct ot_fact facts[FACTS_MAX];
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    text_format(out, OT_CODE_SIZE, "0x%04x", code[0]);
}

static void wrong(const struct message *m, enum violation_kind kind, const char *why)
{
    emit_violation(m->d, kind, why, m->pdu.at, reader_left(&m->pdu));
}

static void add_fact(struct message *m, enum fact_kind kind, struct text value)
{
    if (value.size && m->event.fact_count < FACTS_MAX)
        m->facts[m->event.fact_count++] = (struct ot_fact){.kind = kind, .value = value};
}

static void status(struct message *m, uint8_t code)
{
    static const struct {
        uint8_t code;
        const char *name;
    } names[] = {
        {0x00, "no_error"                  }, /* [IP] 3/8/2 7.8, 3/8/3, 3/8/4 */
        {0x01, "host_protocol_type"        },
        {0x02, "version_not_supported"     },
        {0x04, "sequence_number"           },
        {0x0f, "error"                     },
        {0x21, "connection_id"             },
        {0x22, "connection_type"           },
        {0x23, "connection_option"         },
        {0x24, "no_more_connections"       },
        {0x25, "no_more_unique_connections"},
        {0x26, "data_connection"           },
        {0x27, "knx_connection"            },
        {0x28, "authorization"             },
        {0x29, "tunnelling_layer"          },
    };
    m->event.status = (struct ot_status){code ? OT_RESULT_ERROR : OT_RESULT_OK, code, NULL};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].code == code)
            m->event.status.name = names[i].name;
}

static char *put_decimal(char *at, uint32_t value)
{
    char digits[10];
    size_t n = 0;
    do {
        digits[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    while (n)
        *at++ = digits[--n];
    return at;
}

/* "1/2/3" of a group (5, 3, 8 bits), "1.2.3" of a device (4, 4, 8 bits) */
static struct text address_text(struct dissect *d, uint16_t address, bool is_group)
{
    char *begin = arena_take(d->arena, NAME_MAX), *at = begin;
    if (!begin)
        return (struct text){NULL, 0};
    at = put_decimal(at, is_group ? address >> 11 : address >> 12);
    *at++ = is_group ? '/' : '.';
    at = put_decimal(at, is_group ? address >> 8 & 7 : address >> 8 & 15);
    *at++ = is_group ? '/' : '.';
    at = put_decimal(at, address & 0xff);
    return (struct text){begin, (size_t)(at - begin)};
}

/* --- telegrams --- */

static bool has_small_data(uint16_t control)
{
    return control >= 0x040 && control <= GROUP_WRITE_LAST;
}

/* Values of up to 6 bits lie in the control field, others behind it. */
static struct ot_values telegram_values(struct message *m, uint16_t control, struct reader data)
{
    size_t size = reader_left(&data);
    if (size == 0) {
        uint8_t *small = arena_take(m->d->arena, 1);
        if (!small)
            return (struct ot_values){.encoding = VALUES_NONE};
        *small = control & 0x3f;
        return (struct ot_values){VALUES_U8, 1, small, 1};
    }
    if (size == 1)
        return (struct ot_values){VALUES_U8, 1, data.at, 1};
    return (struct ot_values){VALUES_BYTES, 1, data.at, size};
}

static void put_item(struct message *m, const char *area, struct text name)
{
    m->item = (struct ot_item){.area = area, .name = name, .count = 1};
    m->event.items = &m->item;
    m->event.item_count = m->event.items_total = 1;
}

static void secret_note(struct message *m, struct reader data)
{
    enum { KEY_SIZE = 4 };
    reader_skip(&data, 1); /* level, or reserved */
    const uint8_t *key = reader_bytes(&data, KEY_SIZE);
    if (!key)
        return;
    m->event.flags |= OT_HAS_CREDENTIAL;
    m->event.secret = key;
    m->event.secret_size = KEY_SIZE;
}

/* [AL] 3.5: count in the control field, | address 2 | data | */
static void memory(struct message *m, uint16_t control, struct reader data)
{
    uint16_t address = reader_u16be(&data);
    if (!reader_ok(&data)) {
        wrong(m, VIOLATION_TRUNCATED, "KNX memory address is cut off");
        return;
    }
    m->item.area = "memory";
    m->item.has_start = m->item.has_range = true;
    m->item.start = m->item.low = address;
    m->item.count = control & 0x3f;
    m->item.high = (uint64_t)address + (m->item.count ? m->item.count - 1 : 0);
    if (!reader_left(&data))
        return;
    m->item.values = (struct ot_values){VALUES_BYTES, 1, data.at, reader_left(&data)};
    if (m->is_repeated)
        return; /* a confirmation repeats what was sent */
    m->event.transfer = (struct ot_transfer){
        .step = TRANSFER_BLOCK,
        .operation = m->event.operation,
        .key = m->destination,
        .name = m->item.name,
        .bytes = data.at,
        .size = reader_left(&data),
    };
}

/* Properties of the device object that tell who made it, [KNX] 3/5/1. */
static void property_fact(struct message *m, unsigned object, uint8_t number, struct reader data)
{
    enum { DEVICE_OBJECT = 0, SERIAL_NUMBER = 11, MANUFACTURER = 12, SERIAL_SIZE = 6 };
    if (object != DEVICE_OBJECT)
        return;
    if (number == MANUFACTURER && reader_left(&data) == 2) {
        add_fact(m, FACT_VENDOR, dissect_text(m->d, "KNX manufacturer %u", reader_u16be(&data)));
    } else if (number == SERIAL_NUMBER && reader_left(&data) == SERIAL_SIZE) {
        const uint8_t *n = data.at;
        add_fact(
            m, FACT_SERIAL,
            dissect_text(m->d, "%02x%02x:%02x%02x%02x%02x", n[0], n[1], n[2], n[3], n[4], n[5]));
    }
}

/* | object 1 | property 1 | count 4 bits, first 12 | data | */
static void device_property(struct message *m, uint16_t control, struct reader data)
{
    uint8_t object = reader_u8(&data);
    uint8_t number = reader_u8(&data);
    reader_skip(&data, 2);
    if (!reader_ok(&data)) {
        wrong(m, VIOLATION_TRUNCATED, "KNX property is cut off");
        return;
    }
    m->item.area = "property";
    m->item.name = dissect_text(m->d, "%.*s object %u property %u", (int)m->item.name.size,
                                m->item.name.size ? m->item.name.at : "", object, number);
    if (control == PROPERTY_READ || !reader_left(&data))
        return;
    m->item.values = (struct ot_values){VALUES_BYTES, 1, data.at, reader_left(&data)};
    if (control == PROPERTY_RESPONSE)
        property_fact(m, object, number, data);
}

/* [AL] 3.5.8: the lowest bit tells a master reset, | erase code 1 | channel 1 | */
static void restart(struct message *m, uint16_t control, struct reader data)
{
    if (!(control & 1)) {
        m->event.detail = TEXT("basic restart");
        return;
    }
    uint8_t erase = reader_u8(&data);
    m->event.detail = dissect_text(m->d, "master reset, erase code %u", erase);
}

static void device_service(struct message *m, uint16_t control, struct reader data)
{
    if (control >= MEMORY_READ && control <= MEMORY_LAST)
        memory(m, control, data);
    else if (control >= PROPERTY_READ && control <= PROPERTY_WRITE)
        device_property(m, control, data);
    else if (control >= RESTART && control <= RESTART_LAST)
        restart(m, control, data);
    else if (control >= DESCRIPTOR_RESPONSE && control <= DESCRIPTOR_LAST &&
             reader_left(&data) == 2)
        add_fact(m, FACT_DEVICE_TYPE, dissect_text(m->d, "mask 0x%04x", reader_u16be(&data)));
    /* [AL] 3.5: memory is written on a connection only */
    bool is_memory_write =
        (control >= MEMORY_WRITE && control <= MEMORY_LAST) || control == USER_MEMORY_WRITE;
    if (is_memory_write && !m->is_connected)
        wrong(m, VIOLATION_STATE, "KNX memory is written outside a connection");
}

static void application(struct message *m, uint16_t control, struct reader data, bool is_group)
{
    const struct application *a = application_of(control);
    struct ot_event *e = &m->event;
    if (!a) {
        wrong(m, VIOLATION_FUNCTION, "KNX application service is not defined");
        return;
    }
    e->name = a->name;
    e->operation = (enum operation)a->operation;
    if (!is_group)
        device_service(m, control, data);
    else if (has_small_data(control))
        m->item.values = telegram_values(m, control, data);
    if (control == DATA_SECURE)
        e->flags |= OT_ENCRYPTED;
    if (control == AUTHORIZE || control == KEY_WRITE)
        secret_note(m, data);
}

/* | control 1 | control 1 | source 2 | destination 2 | length 1 | control 2 | data | */
static void telegram(struct message *m, struct reader r)
{
    reader_skip(&r, 1);
    uint8_t control = reader_u8(&r);
    uint16_t source = reader_u16be(&r);
    uint16_t destination = reader_u16be(&r);
    uint8_t length = reader_u8(&r);
    uint8_t first = reader_u8(&r);
    if (!reader_ok(&r)) {
        wrong(m, VIOLATION_TRUNCATED, "KNX telegram is cut off");
        return;
    }
    bool is_group = control & CONTROL_GROUP;
    m->destination = destination;
    m->is_connected = first & NUMBERED;
    m->event.unit = address_text(m->d, source, false);
    put_item(m, is_group ? "group" : "device", address_text(m->d, destination, is_group));
    if ((control >> 4 & 7) == HOPS_UNLIMITED)
        wrong(m, VIOLATION_RANGE, "KNX hop count is 7, without limit");
    if (length == 0) { /* [AL] 3/3/4: transport control only */
        m->event.operation = OP_SESSION;
        m->event.name = first & 1 ? "transport_disconnect" : "transport_connect";
        if (first & 2)
            m->event.name = "transport_ack";
        else if (first & 1 && !m->is_repeated) /* what was loaded through it is whole */
            m->event.transfer = (struct ot_transfer){
                .step = TRANSFER_END,
                .operation = OP_PROGRAM_DOWNLOAD,
                .key = destination,
            };
        return;
    }
    struct reader data = reader_take(&r, length);
    if (!reader_ok(&r)) {
        wrong(m, VIOLATION_COUNT, "KNX data length is not the telegram's");
        return;
    }
    uint8_t second = reader_u8(&data);
    application(m, (uint16_t)((first & 3) << 8 | second), data, is_group);
}

/* | object type 2 | instance 1 | property 1 | count 4 bits, first 12 | data | */
static void property(struct message *m, uint8_t code, struct reader r)
{
    uint16_t type = reader_u16be(&r);
    uint8_t instance = reader_u8(&r);
    uint8_t number = reader_u8(&r);
    if (!reader_ok(&r)) {
        wrong(m, VIOLATION_TRUNCATED, "KNX property is cut off");
        return;
    }
    put_item(m, "property", dissect_text(m->d, "object %u.%u property %u", type, instance, number));
    reader_skip(&r, 2);
    if (code != PROPERTY_READ_REQUEST && reader_left(&r))
        m->item.values = (struct ot_values){VALUES_BYTES, 1, r.at, reader_left(&r)};
    if (code == PROPERTY_READ_CONFIRMATION && reader_ok(&r))
        property_fact(m, type, number, r);
}

static void emi(struct message *m, struct reader r)
{
    uint8_t code = reader_u8(&r);
    const struct emi *known = emi_of(code);
    if (!reader_ok(&r) || !known) {
        wrong(m, VIOLATION_FUNCTION, "cEMI message code is not defined");
        return;
    }
    m->event.name = known->name;
    m->event.operation = (enum operation)known->operation;
    if (code >= PROPERTY_CODES) {
        property(m, code, r);
        return;
    }
    if (code >= RESET_CODES)
        return; /* nothing follows */
    m->is_repeated = code == CONFIRMATION;
    uint8_t added = reader_u8(&r);
    reader_skip(&r, added);
    if (!reader_ok(&r))
        wrong(m, VIOLATION_TRUNCATED, "cEMI header is cut off");
    else if (known->is_telegram)
        telegram(m, r);
}

/* --- bodies --- */

/* | medium 1 | status 1 | address 2 | project 2 | serial 6 | multicast 4 | MAC 6 | name 30 | */
static void device_block(struct message *m, struct reader r)
{
    enum { SERIAL_SIZE = 6, MULTICAST_SIZE = 4, MAC_SIZE = 6 };
    reader_skip(&r, 1);
    bool is_programming = reader_u8(&r) & 1;
    uint16_t address = reader_u16be(&r);
    reader_skip(&r, 2);
    const uint8_t *serial = reader_bytes(&r, SERIAL_SIZE);
    reader_skip(&r, MULTICAST_SIZE);
    const uint8_t *mac = reader_bytes(&r, MAC_SIZE);
    const char *name = (const char *)reader_bytes(&r, DEVICE_NAME_SIZE);
    if (!name)
        return;
    size_t size = strnlen(name, DEVICE_NAME_SIZE);
    add_fact(m, FACT_NAME, (struct text){size ? name : NULL, size});
    add_fact(m, FACT_SERIAL,
             dissect_text(m->d, "%02x%02x:%02x%02x%02x%02x", serial[0], serial[1], serial[2],
                          serial[3], serial[4], serial[5]));
    add_fact(m, FACT_MAC,
             dissect_text(m->d, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
                          mac[4], mac[5]));
    add_fact(m, FACT_MODULE_NAME, address_text(m->d, address, false));
    add_fact(m, FACT_MODE, text_of(is_programming ? "programming" : "normal"));
}

/* Blocks of | size 1 | type 1 | content | up to the end. */
static void description(struct message *m, struct reader r)
{
    while (reader_left(&r)) {
        uint8_t size = reader_u8(&r);
        if (size < 2) {
            wrong(m, VIOLATION_LENGTH, "KNX description block has no size");
            return;
        }
        struct reader block = reader_take(&r, size - 1u);
        if (!reader_ok(&r)) {
            wrong(m, VIOLATION_LENGTH, "KNX description block is longer than its message");
            return;
        }
        uint8_t type = reader_u8(&block);
        if (type == DIB_DEVICE)
            device_block(m, block);
        else if (type == DIB_MANUFACTURER && reader_left(&block) >= 2)
            add_fact(m, FACT_VENDOR,
                     dissect_text(m->d, "KNX manufacturer %u", reader_u16be(&block)));
    }
}

/* | control endpoint 8 | data endpoint 8 | size 1 | connection type 1 |... */
static void connect_request(struct message *m, struct reader r)
{
    static const char *const types[] = {[3] = "device management",
                                        [4] = "tunnelling",
                                        [6] = "remote logging",
                                        [7] = "remote configuration",
                                        [8] = "object server"};
    reader_skip(&r, 2 * HPAI_SIZE + 1);
    uint8_t type = reader_u8(&r);
    if (!reader_ok(&r))
        wrong(m, VIOLATION_TRUNCATED, "KNX connect request is cut off");
    else if (type < sizeof types / sizeof *types && types[type])
        m->event.detail = text_of(types[type]);
    else
        m->event.detail = dissect_text(m->d, "connection type %u", type);
}

/* Each direction of a channel counts its requests; a repetition has the number once more. */
static void sequence_check(struct message *m, uint8_t channel, uint8_t sequence)
{
    struct knxip_state *s = m->d->state;
    bool is_known = s->channels[m->d->is_from_client][channel].is_known;
    uint8_t last = s->channels[m->d->is_from_client][channel].sequence;
    if (is_known && sequence == last)
        m->event.flags |= OT_RETRANSMIT;
    else if (is_known && sequence != (uint8_t)(last + 1) && sequence != 0 && !m->d->flow->has_gap)
        wrong(m, VIOLATION_SEQUENCE, "KNX tunnelling sequence jumps");
    s->channels[m->d->is_from_client][channel].is_known = true;
    s->channels[m->d->is_from_client][channel].sequence = sequence;
}

/* | size 04 | channel 1 | sequence 1 | status 1 | cEMI, of requests | */
static void connected(struct message *m, struct reader r, bool is_ack)
{
    uint8_t size = reader_u8(&r);
    uint8_t channel = reader_u8(&r);
    uint8_t sequence = reader_u8(&r);
    uint8_t code = reader_u8(&r);
    if (!reader_ok(&r) || size != CONNECTION_HEADER_SIZE) {
        wrong(m, VIOLATION_LENGTH, "KNX connection header is not of 4 bytes");
        return;
    }
    m->event.transaction = (uint64_t)channel << 8 | sequence;
    m->event.has_transaction = true;
    if (is_ack) {
        status(m, code);
        return;
    }
    sequence_check(m, channel, sequence);
    emi(m, r);
}

static void body(struct message *m, struct reader r)
{
    uint8_t channel;
    switch (m->number) {
    case SEARCH_RESPONSE:
    case EXTENDED_SEARCH_RESPONSE:
        reader_skip(&r, HPAI_SIZE);
        description(m, r);
        break;
    case DESCRIPTION_RESPONSE:
        description(m, r);
        break;
    case CONNECT_REQUEST:
        connect_request(m, r);
        break;
    case CONNECT_RESPONSE:
    case STATE_RESPONSE:
    case DISCONNECT_RESPONSE:
        channel = reader_u8(&r);
        status(m, reader_u8(&r));
        m->event.detail = dissect_text(m->d, "channel %u", channel);
        if (!reader_ok(&r))
            wrong(m, VIOLATION_TRUNCATED, "KNX connection answer is cut off");
        break;
    case CONFIGURATION_REQUEST:
    case TUNNELLING_REQUEST:
        connected(m, r, false);
        break;
    case CONFIGURATION_ACK:
    case TUNNELLING_ACK:
        connected(m, r, true);
        break;
    case ROUTING_INDICATION:
        emi(m, r);
        break;
    case SECURE_WRAPPER:
        m->event.flags |= OT_ENCRYPTED;
        break;
    default:
        break;
    }
}

static void knxip_dissect(struct dissect *d, struct reader r)
{
    struct message m = {.d = d, .pdu = r};
    uint8_t size = reader_u8(&r);
    uint8_t version = reader_u8(&r);
    m.number = reader_u16be(&r);
    uint16_t length = reader_u16be(&r);
    if (!reader_ok(&r)) {
        wrong(&m, VIOLATION_TRUNCATED, "KNXnet/IP header is cut off");
        return;
    }
    const struct service *service = service_of(m.number);
    if (service && m.number < CONFIGURATION_REQUEST) /* later ones go both ways */
        dissect_sender_is_client(d, !service->is_response);
    event_start(&m.event, d);
    m.event.direction = OT_ONEWAY; /* PROTOCOLS 0.1 */
    m.event.code[0] = m.event.function = m.number;
    m.event.spell = spell;
    m.event.facts = m.facts;
    m.event.telling = m.pdu.at;
    m.event.telling_size = reader_left(&m.pdu);
    if (size != HEADER_SIZE)
        wrong(&m, VIOLATION_LENGTH, "KNXnet/IP header is not of 6 bytes");
    if (version != VERSION_1 && version != VERSION_2)
        wrong(&m, VIOLATION_RESERVED, "KNXnet/IP version is not 1");
    if (length != reader_left(&m.pdu))
        wrong(&m, VIOLATION_LENGTH, "KNXnet/IP length is not the message's");
    if (service) {
        m.event.name = service->name;
        m.event.operation = (enum operation)service->operation;
        body(&m, r);
    } else {
        wrong(&m, VIOLATION_FUNCTION, "KNXnet/IP service is not defined");
    }
    emit_event(d, &m.event);
}

static struct frame knxip_frame(struct reader r)
{
    size_t given = reader_left(&r);
    uint8_t size = reader_u8(&r);
    uint8_t version = reader_u8(&r);
    reader_skip(&r, 2);
    uint16_t length = reader_u16be(&r);
    if (!reader_ok(&r))
        return frame_need(HEADER_SIZE);
    if (size != HEADER_SIZE || (version != VERSION_1 && version != VERSION_2))
        return frame_broken_as(VIOLATION_RESERVED, "no KNXnet/IP header");
    if (length < HEADER_SIZE || length > LENGTH_MAX)
        return frame_broken("KNXnet/IP length out of range");
    return length <= given ? frame_of(length) : frame_need(length);
}

static enum claim knxip_recognise(struct reader r)
{
    size_t given = reader_left(&r);
    uint8_t size = reader_u8(&r);
    uint8_t version = reader_u8(&r);
    uint16_t number = reader_u16be(&r);
    uint16_t length = reader_u16be(&r);
    if (!reader_ok(&r))
        return CLAIM_MORE;
    if (size != HEADER_SIZE || (version != VERSION_1 && version != VERSION_2) ||
        length < HEADER_SIZE || length > LENGTH_MAX)
        return CLAIM_NO;
    if (!service_of(number))
        return CLAIM_WEAK;
    return length == given ? CLAIM_YES : CLAIM_WEAK;
}

const struct dissector dissector_knxip = {
    .name = "knxip",
    .spec = "ISO 22510 (KNXnet/IP)",
    .over = OVER_UDP | OVER_TCP,
    .ports = {3671},
    .state_size = sizeof(struct knxip_state),
    .pdu_max = LENGTH_MAX,
    .recognise = knxip_recognise,
    .frame = knxip_frame,
    .dissect = knxip_dissect,
};
