/* pn_dcp_options.c: the tables of PROFINET DCP.
 *
 * Spec: [PN] IEC 61158-6-10, coding of DCP options; PROTOCOLS 13
 */
#include "pn_dcp_options.h"

static const struct dcp_option options[] = {
    {1,                  1,                            SHAPE_MAC,       OP_CONFIG_CHANGE, FACT_MAC,         "mac_address"                },
    {1,                  2,                            SHAPE_IP,        OP_CONFIG_CHANGE, FACT_IP,          "ip_parameter"               },
    {1,                  3,                            SHAPE_IP_SUITE,  OP_CONFIG_CHANGE, FACT_IP,          "full_ip_suite"              },
    {2,                  1,                            SHAPE_TEXT,      OP_CONFIG_CHANGE, FACT_PRODUCT,     "type_of_station"            },
    {2,                  2,                            SHAPE_TEXT,      OP_CONFIG_CHANGE, FACT_NAME,        "name_of_station"            },
    {2,                  3,                            SHAPE_DEVICE_ID, OP_CONFIG_CHANGE, FACT_VENDOR,      "device_id"                  },
    {2,                  4,                            SHAPE_ROLE,      OP_CONFIG_CHANGE, FACT_DEVICE_TYPE, "device_role"                },
    {2,                  5,                            SHAPE_OPTIONS,   OP_CONFIG_CHANGE, FACT_COUNT,       "device_options"             },
    {2,                  6,                            SHAPE_TEXT,      OP_CONFIG_CHANGE, FACT_COUNT,       "alias_name"                 },
    {2,                  7,                            SHAPE_U16,       OP_CONFIG_CHANGE, FACT_COUNT,       "device_instance"            },
    {2,                  8,                            SHAPE_DEVICE_ID, OP_CONFIG_CHANGE, FACT_COUNT,       "oem_device_id"              },
    {2,                  9,                            SHAPE_BYTES,     OP_CONFIG_CHANGE, FACT_COUNT,       "standard_gateway"           },
    {2,                  10,                           SHAPE_BYTES,     OP_CONFIG_CHANGE, FACT_COUNT,       "rsi_properties"             },
    {3,                  12,                           SHAPE_TEXT,      OP_CONFIG_CHANGE, FACT_HOST_NAME,   "dhcp_host_name"             },
    {3,                  43,                           SHAPE_BYTES,     OP_CONFIG_CHANGE, FACT_COUNT,       "dhcp_vendor_specific"       },
    {3,                  54,                           SHAPE_BYTES,     OP_CONFIG_CHANGE, FACT_COUNT,       "dhcp_server_identifier"     },
    {3,                  55,                           SHAPE_BYTES,     OP_CONFIG_CHANGE, FACT_COUNT,       "dhcp_parameter_request_list"},
    {3,                  60,                           SHAPE_BYTES,     OP_CONFIG_CHANGE, FACT_COUNT,       "dhcp_class_identifier"      },
    {3,                  61,                           SHAPE_BYTES,     OP_CONFIG_CHANGE, FACT_COUNT,       "dhcp_client_identifier"     },
    {3,                  81,                           SHAPE_BYTES,     OP_CONFIG_CHANGE, FACT_COUNT,       "dhcp_fqdn"                  },
    {3,                  97,                           SHAPE_BYTES,     OP_CONFIG_CHANGE, FACT_COUNT,       "dhcp_uuid_client_identifier"},
    {3,                  255,                          SHAPE_BYTES,     OP_CONFIG_CHANGE, FACT_COUNT,       "dhcp_control"               },
    {DCP_OPTION_CONTROL, 1,                            SHAPE_NONE,      OP_SESSION,       FACT_COUNT,       "start_transaction"          },
    {DCP_OPTION_CONTROL, 2,                            SHAPE_NONE,      OP_SESSION,       FACT_COUNT,       "end_transaction"            },
    {DCP_OPTION_CONTROL, DCP_CONTROL_SIGNAL,           SHAPE_U16,       OP_CONFIG_CHANGE, FACT_COUNT,       "signal"                     },
    {DCP_OPTION_CONTROL, DCP_CONTROL_RESPONSE,         SHAPE_NONE,      OP_UNKNOWN,       FACT_COUNT,       "response"                   },
    {DCP_OPTION_CONTROL, DCP_CONTROL_RESET_FACTORY,    SHAPE_NONE,      OP_RESTART,       FACT_COUNT,
     "reset_factory"                                                                                                                     },
    {DCP_OPTION_CONTROL, DCP_CONTROL_RESET_TO_FACTORY, SHAPE_NONE,      OP_RESTART,       FACT_COUNT,
     "reset_to_factory"                                                                                                                  },
    {6,                  1,                            SHAPE_U16,       OP_CONFIG_CHANGE, FACT_COUNT,       "device_initiative"          },
    {7,                  1,                            SHAPE_TEXT,      OP_CONFIG_CHANGE, FACT_COUNT,       "tsn_domain_name"            },
    {7,                  2,                            SHAPE_BYTES,     OP_CONFIG_CHANGE, FACT_COUNT,       "nme_manager"                },
    {7,                  3,                            SHAPE_BYTES,     OP_CONFIG_CHANGE, FACT_COUNT,       "nme_parameter_uuid"         },
    {7,                  4,                            SHAPE_BYTES,     OP_CONFIG_CHANGE, FACT_COUNT,       "nme_agent"                  },
    {7,                  5,                            SHAPE_BYTES,     OP_CONFIG_CHANGE, FACT_COUNT,       "cim_interface"              },
    {255,                255,                          SHAPE_NONE,      OP_UNKNOWN,       FACT_COUNT,       "all"                        },
};

/* Options 0x80 to 0xfe belong to makers of devices. */
static const struct dcp_option makers = {
    0, 0, SHAPE_BYTES, OP_CONFIG_CHANGE, FACT_COUNT, "vendor_specific"};

const struct dcp_option *dcp_option_of(uint8_t option, uint8_t suboption)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (options[i].option == option && options[i].suboption == suboption)
            return &options[i];
    return option >= 0x80 && option < 0xff ? &makers : NULL;
}

const char *dcp_reset_name(uint16_t qualifier)
{
    switch (qualifier & 0xfffe) { /* bit 0: permanent */
    case 0x0002:
        return "application data";
    case 0x0004:
        return "communication parameters";
    case 0x0006:
        return "engineering parameters";
    case 0x0008:
        return "all stored data";
    case 0x0010:
        return "device to factory values";
    case 0x0012:
        return "reset and restore";
    default:
        return NULL;
    }
}

const char *dcp_error_name(uint8_t error)
{
    static const char *const names[] = {
        "ok",
        "option_unsupported",
        "suboption_unsupported",
        "suboption_not_set",
        "resource_error",
        "set_not_possible_locally",
        "set_not_possible_in_operation",
    };
    return error < sizeof names / sizeof *names ? names[error] : NULL;
}

struct text dcp_role(struct dissect *d, uint8_t roles)
{
    static const char *const names[] = {"io_device", "io_controller", "io_multidevice",
                                        "supervisor"};
    struct text all = {NULL, 0};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!(roles >> i & 1))
            continue;
        all = all.size ? dissect_text(d, "%.*s+%s", (int)all.size, all.at, names[i])
                       : dissect_text(d, "%s", names[i]);
    }
    return all;
}
