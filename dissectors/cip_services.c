/* cip_services.c: what CIP services mean, class by class.
 *
 * Spec: [CIP1] CIP Networks Library, Volume 1, Appendix A-3: Explicit messaging services; 3-5:
 * Connection Manager [CIP2] Volume 2, 5: Object library of EtherNet/IP [DATA] Rockwell 1756-PM020:
 * Logix5000 Data Access (tag services, classes 0x6b and 0x6c) [CAP]  seen in public captures of
 * Logix controllers with their engineering software; the classes 0x64 to 0x8e, 0xa1, 0xac and 0xb2
 * are in no public document */
#include "cip_services.h"

#include "cip_path.h"

/* class, service, operation, name, body */
const struct cip_service cip_class_services[] = {
  /* Identity: [CIP1] 5-2 */
    {0x01,             0x01, OP_IDENTIFY,         "get_attributes_all",          BODY_NONE                },
    {0x01,             0x03, OP_IDENTIFY,         "get_attribute_list",          BODY_GET_LIST            },
    {0x01,             0x0e, OP_IDENTIFY,         "get_attribute_single",        BODY_GET_SINGLE          },

 /* Message Router: Logix wrappers of version 20 and later [CAP] */
    {0x02,             0x36, OP_UNKNOWN,          "signed_send",                 BODY_WRAPPED             },
    {0x02,             0x37, OP_UNKNOWN,          "audited_mutation",            BODY_WRAPPED_SIGNED      },
    {0x02,             0x3a, OP_UNKNOWN,          "body_upload",                 BODY_WRAPPED             },

 /* Assembly: [CIP1] 5-5 */
    {0x04,             0x10, OP_WRITE,            "set_attribute_single",        BODY_SET_SINGLE          },

 /* Connection Manager: [CIP1] 3-5.5 */
    {0x06,             0x4e, OP_SESSION,          "forward_close",               BODY_FORWARD_CLOSE       },
    {0x06,             0x52, OP_SESSION,          "unconnected_send",            BODY_UNCONNECTED_SEND    },
    {0x06,             0x54, OP_SESSION,          "forward_open",                BODY_FORWARD_OPEN        },
    {0x06,             0x56, OP_DIAGNOSTICS,      "get_connection_data",         BODY_NONE                },
    {0x06,             0x57, OP_DIAGNOSTICS,      "search_connection_data",      BODY_NONE                },
    {0x06,             0x5a, OP_DIAGNOSTICS,      "get_connection_owner",        BODY_NONE                },
    {0x06,             0x5b, OP_SESSION,          "large_forward_open",          BODY_LARGE_FORWARD_OPEN  },

 /* Points and groups: [CIP1] 5-9 to 5-16 */
    {0x08,             0x10, OP_CONTROL,          "set_attribute_single",        BODY_SET_SINGLE          },
    {0x09,             0x10, OP_CONTROL,          "set_attribute_single",        BODY_SET_SINGLE          },
    {0x0a,             0x10, OP_WRITE,            "set_attribute_single",        BODY_SET_SINGLE          },
    {0x0b,             0x10, OP_WRITE,            "set_attribute_single",        BODY_SET_SINGLE          },
    {0x0f,             0x10, OP_WRITE,            "set_attribute_single",        BODY_SET_SINGLE          }, /* Parameter */
    {0x1d,             0x10, OP_CONTROL,          "set_attribute_single",        BODY_SET_SINGLE          },
    {0x1e,             0x10, OP_CONTROL,          "set_attribute_single",        BODY_SET_SINGLE          },
    {0x1f,             0x10, OP_CONTROL,          "set_attribute_single",        BODY_SET_SINGLE          },
    {0x20,             0x10, OP_WRITE,            "set_attribute_single",        BODY_SET_SINGLE          },
    {0x21,             0x10, OP_WRITE,            "set_attribute_single",        BODY_SET_SINGLE          },
    {0x22,             0x10, OP_WRITE,            "set_attribute_single",        BODY_SET_SINGLE          },
    {0x29,             0x10, OP_CONTROL,          "set_attribute_single",        BODY_SET_SINGLE          }, /* Control Supervisor */
    {0x2a,             0x10, OP_CONTROL,          "set_attribute_single",        BODY_SET_SINGLE          }, /* AC/DC Drive */

  /* File: [CIP1] 5-42 */
    {0x37,             0x4b, OP_FILE_READ,        "initiate_upload",             BODY_FILE_BEGIN          },
    {0x37,             0x4c, OP_FILE_WRITE,       "initiate_download",           BODY_FILE_BEGIN          },
    {0x37,             0x4d, OP_FILE_READ,        "initiate_partial_read",       BODY_FILE_BEGIN          },
    {0x37,             0x4e, OP_FILE_WRITE,       "initiate_partial_write",      BODY_FILE_BEGIN          },
    {0x37,             0x4f, OP_FILE_READ,        "upload_transfer",             BODY_FILE_BLOCK          },
    {0x37,             0x50, OP_FILE_WRITE,       "download_transfer",           BODY_FILE_BLOCK          },
    {0x37,             0x51, OP_FILE_DELETE,      "clear_file",                  BODY_NONE                },

 /* Modbus: [CIP2] 5-8 */
    {0x44,             0x4b, OP_READ,             "read_discrete_inputs",        BODY_BYTES               },
    {0x44,             0x4c, OP_READ,             "read_coils",                  BODY_BYTES               },
    {0x44,             0x4d, OP_READ,             "read_input_registers",        BODY_BYTES               },
    {0x44,             0x4e, OP_READ,             "read_holding_registers",      BODY_BYTES               },
    {0x44,             0x4f, OP_WRITE,            "write_coils",                 BODY_BYTES               },
    {0x44,             0x50, OP_WRITE,            "write_holding_registers",     BODY_BYTES               },
    {0x44,             0x51, OP_WRITE,            "modbus_passthrough",          BODY_BYTES               },

 /* Logix controller and authentication [CAP]; stop and start as in the public exploits */
    {0x64,             0x06, OP_START,            "start",                       BODY_NONE                },
    {0x64,             0x07, OP_STOP,             "stop",                        BODY_NONE                },
    {0x64,             0x4b, OP_AUTH,             "authentication_phase_1",      BODY_CREDENTIAL          },
    {0x64,             0x4c, OP_AUTH,             "authentication_phase_2",      BODY_CREDENTIAL          },

    {0x67,             0x4b, OP_SESSION,          "execute_pccc",                BODY_PCCC                },

 /* Program [CAP] */
    {0x68,             0x04, OP_PROGRAM_DOWNLOAD, "set_attribute_list",          BODY_SET_LIST            },
    {0x68,             0x08, OP_PROGRAM_DOWNLOAD, "create",                      BODY_BYTES               },
    {0x68,             0x4b, OP_BROWSE,           "list_instances",              BODY_NONE                },
    {0x68,             0x50, OP_PROGRAM_DOWNLOAD, "write_body",                  BODY_BYTES               },
 /* Module [CAP] */
    {0x69,             0x04, OP_PROGRAM_DOWNLOAD, "set_attribute_list",          BODY_SET_LIST            },
    {0x69,             0x08, OP_PROGRAM_DOWNLOAD, "create",                      BODY_BYTES               },
    {0x69,             0x4b, OP_BROWSE,           "list_instances",              BODY_NONE                },
    {0x69,             0x50, OP_PROGRAM_DOWNLOAD, "write_body",                  BODY_BYTES               },
 /* Data [CAP], tag services [DATA] */
    {0x6a,             0x04, OP_PROGRAM_DOWNLOAD, "set_attribute_list",          BODY_SET_LIST            },
    {0x6a,             0x08, OP_PROGRAM_DOWNLOAD, "create",                      BODY_BYTES               },
    {0x6a,             0x4b, OP_BROWSE,           "list_instances",              BODY_NONE                },
    {0x6a,             0x4c, OP_READ,             "read_tag",                    BODY_READ_TAG            },
    {0x6a,             0x4d, OP_WRITE,            "write_tag",                   BODY_WRITE_TAG           },
    {0x6a,             0x4e, OP_WRITE,            "read_modify_write_tag",       BODY_MODIFY_TAG          },
    {0x6a,             0x4f, OP_PROGRAM_UPLOAD,   "read_body",                   BODY_NONE                },
    {0x6a,             0x50, OP_PROGRAM_DOWNLOAD, "write_body",                  BODY_BYTES               },
    {0x6a,             0x51, OP_PROGRAM_MODIFY,   "replace_body",                BODY_BYTES               },
    {0x6a,             0x52, OP_READ,             "read_tag_fragmented",         BODY_READ_TAG_FRAGMENTED },
    {0x6a,             0x53, OP_WRITE,            "write_tag_fragmented",        BODY_WRITE_TAG_FRAGMENTED},
 /* Symbol: [DATA] */
    {0x6b,             0x04, OP_PROGRAM_DOWNLOAD, "set_attribute_list",          BODY_SET_LIST            },
    {0x6b,             0x08, OP_PROGRAM_DOWNLOAD, "create",                      BODY_BYTES               },
    {0x6b,             0x4b, OP_BROWSE,           "list_instances",              BODY_NONE                },
    {0x6b,             0x4c, OP_READ,             "read_tag",                    BODY_READ_TAG            },
    {0x6b,             0x4d, OP_WRITE,            "write_tag",                   BODY_WRITE_TAG           },
    {0x6b,             0x4e, OP_WRITE,            "read_modify_write_tag",       BODY_MODIFY_TAG          },
    {0x6b,             0x50, OP_PROGRAM_DOWNLOAD, "write_body",                  BODY_BYTES               },
    {0x6b,             0x52, OP_READ,             "read_tag_fragmented",         BODY_READ_TAG_FRAGMENTED },
    {0x6b,             0x53, OP_WRITE,            "write_tag_fragmented",        BODY_WRITE_TAG_FRAGMENTED},
    {0x6b,             0x55, OP_BROWSE,           "get_instance_attribute_list", BODY_NONE                },
 /* Template: [DATA] */
    {0x6c,             0x03, OP_BROWSE,           "get_attribute_list",          BODY_GET_LIST            },
    {0x6c,             0x08, OP_PROGRAM_DOWNLOAD, "create",                      BODY_BYTES               },
    {0x6c,             0x4c, OP_BROWSE,           "read_template",               BODY_NONE                },
    {0x6c,             0x55, OP_BROWSE,           "get_instance_attribute_list", BODY_NONE                },
 /* Routine [CAP] */
    {0x6d,             0x04, OP_PROGRAM_DOWNLOAD, "set_attribute_list",          BODY_SET_LIST            },
    {0x6d,             0x08, OP_PROGRAM_DOWNLOAD, "create",                      BODY_BYTES               },
    {0x6d,             0x4b, OP_BROWSE,           "list_instances",              BODY_NONE                },
    {0x6d,             0x4c, OP_PROGRAM_UPLOAD,   "read_routine",                BODY_NONE                },
    {0x6d,             0x50, OP_PROGRAM_DOWNLOAD, "write_body",                  BODY_BYTES               },
    {0x6e,             0x08, OP_PROGRAM_DOWNLOAD, "create",                      BODY_BYTES               },
    {0x6f,             0x08, OP_PROGRAM_DOWNLOAD, "create",                      BODY_BYTES               },
 /* Task [CAP] */
    {0x70,             0x04, OP_PROGRAM_DOWNLOAD, "set_attribute_list",          BODY_SET_LIST            },
    {0x70,             0x08, OP_PROGRAM_DOWNLOAD, "create",                      BODY_BYTES               },
    {0x70,             0x4b, OP_BROWSE,           "list_instances",              BODY_NONE                },
    {0x70,             0x50, OP_PROGRAM_DOWNLOAD, "write_body",                  BODY_BYTES               },
    {0x71,             0x08, OP_PROGRAM_DOWNLOAD, "create",                      BODY_BYTES               },
 /* program container [CAP] */
    {0x72,             0x05, OP_PROGRAM_DELETE,   "clear",                       BODY_NONE                },
    {0x72,             0x08, OP_PROGRAM_DOWNLOAD, "create",                      BODY_BYTES               },
    {0x72,             0x4b, OP_PROGRAM_DOWNLOAD, "commit",                      BODY_BYTES               },
    {0x72,             0x4c, OP_READ,             "read_data",                   BODY_NONE                },
 /* controller status [CAP] */
    {0x73,             0x03, OP_DIAGNOSTICS,      "get_attribute_list",          BODY_GET_LIST            },
 /* edit ownership of the controller or a program [CAP] */
    {0x74,             0x4b, OP_LOCK,             "claim_edit_lock",             BODY_NONE                },
    {0x74,             0x4c, OP_LOCK,             "release_edit_lock",           BODY_NONE                },
    {0x77,             0x04, OP_PROGRAM_DOWNLOAD, "set_attribute_list",          BODY_SET_LIST            },
 /* child of a module [CAP] */
    {0x7e,             0x04, OP_PROGRAM_DOWNLOAD, "set_attribute_list",          BODY_SET_LIST            },
    {0x7e,             0x08, OP_PROGRAM_DOWNLOAD, "create",                      BODY_BYTES               },
    {0x7e,             0x4b, OP_BROWSE,           "list_instances",              BODY_NONE                },
    {0x7e,             0x50, OP_PROGRAM_DOWNLOAD, "write_body",                  BODY_BYTES               },
 /* WallClockTime [CAP] */
    {0x8b,             0x01, OP_DIAGNOSTICS,      "get_attributes_all",          BODY_NONE                },
    {0x8b,             0x03, OP_DIAGNOSTICS,      "get_attribute_list",          BODY_GET_LIST            },
 /* message parameters [CAP] */
    {0x8d,             0x03, OP_BROWSE,           "get_attribute_list",          BODY_GET_LIST            },
    {0x8d,             0x4b, OP_BROWSE,           "list_instances",              BODY_NONE                },
    {0x8d,             0x4c, OP_PROGRAM_UPLOAD,   "read_body",                   BODY_NONE                },
 /* controller mode and audit [CAP] */
    {0x8e,             0x06, OP_START,            "start",                       BODY_NONE                },
    {0x8e,             0x07, OP_STOP,             "stop",                        BODY_NONE                },
    {0x8e,             0x4b, OP_LOCK,             "claim_edit_lock",             BODY_NONE                },
    {0x8e,             0x4c, OP_LOCK,             "release_edit_lock",           BODY_NONE                },
 /* non-volatile storage: firmware [CAP] */
    {0xa1,             0x4b, OP_FIRMWARE_UPDATE,  "begin_update",                BODY_FIRMWARE_BEGIN      },
    {0xa1,             0x4d, OP_FIRMWARE_UPDATE,  "transfer_block",              BODY_FIRMWARE_BLOCK      },
    {0xa1,             0x51, OP_FIRMWARE_UPDATE,  "prepare_update",              BODY_FIRMWARE_BEGIN      },
 /* edit transaction [CAP] */
    {0xac,             0x4b, OP_PROGRAM_MODIFY,   "edit_step",                   BODY_EDIT_STEP           },
    {0xac,             0x4f, OP_PROGRAM_MODIFY,   "edit_step",                   BODY_BYTES               },
 /* lists of tags that a visualisation polls at once [CAP] */
    {0xb2,             0x08, OP_SUBSCRIBE,        "create_tag_group",            BODY_BYTES               },
    {0xb2,             0x09, OP_SESSION,          "delete_tag_group",            BODY_NONE                },
    {0xb2,             0x4c, OP_READ,             "read_tag_group",              BODY_NONE                },
    {0xb2,             0x4e, OP_SUBSCRIBE,        "add_tag_to_group",            BODY_BYTES               },
 /* Connection Configuration: [CIP1] 5-50 */
    {0xf3,             0x4b, OP_CONFIG_CHANGE,    "kick_timer",                  BODY_BYTES               },
    {0xf3,             0x4c, OP_CONFIG_CHANGE,    "open_connection",             BODY_BYTES               },
    {0xf3,             0x4d, OP_CONFIG_CHANGE,    "close_connection",            BODY_BYTES               },
    {0xf3,             0x4e, OP_CONFIG_CHANGE,    "stop_connection",             BODY_BYTES               },
    {0xf3,             0x4f, OP_CONFIG_CHANGE,    "change_start",                BODY_BYTES               },
    {0xf3,             0x50, OP_CONFIG_CHANGE,    "get_status",                  BODY_BYTES               },
    {0xf3,             0x51, OP_CONFIG_CHANGE,    "change_complete",             BODY_BYTES               },
    {0xf3,             0x52, OP_CONFIG_CHANGE,    "audit_changes",               BODY_BYTES               },
 /* add-on instructions, documentation, client registration [CAP] */
    {0x338,            0x03, OP_BROWSE,           "get_attribute_list",          BODY_GET_LIST            },
    {0x338,            0x4b, OP_BROWSE,           "list_instances",              BODY_NONE                },
    {0x338,            0x4c, OP_PROGRAM_UPLOAD,   "read_body",                   BODY_NONE                },
    {0x338,            0x4f, OP_PROGRAM_UPLOAD,   "read_body",                   BODY_NONE                },
    {0x349,            0x03, OP_BROWSE,           "get_attribute_list",          BODY_GET_LIST            },
    {0x349,            0x4b, OP_BROWSE,           "list_instances",              BODY_NONE                },
    {0x349,            0x4c, OP_PROGRAM_UPLOAD,   "read_body",                   BODY_NONE                },
    {0x349,            0x4f, OP_PROGRAM_UPLOAD,   "read_body",                   BODY_NONE                },
    {0x378,            0x03, OP_BROWSE,           "get_attribute_list",          BODY_GET_LIST            },
    {0x378,            0x4b, OP_BROWSE,           "register_client",             BODY_NONE                },
 /* tag paths: [DATA] */
    {CIP_CLASS_SYMBOL, 0x4b, OP_BROWSE,           "list_instances",              BODY_NONE                },
    {CIP_CLASS_SYMBOL, 0x4c, OP_READ,             "read_tag",                    BODY_READ_TAG            },
    {CIP_CLASS_SYMBOL, 0x4d, OP_WRITE,            "write_tag",                   BODY_WRITE_TAG           },
    {CIP_CLASS_SYMBOL, 0x4e, OP_WRITE,            "read_modify_write_tag",       BODY_MODIFY_TAG          },
    {CIP_CLASS_SYMBOL, 0x52, OP_READ,             "read_tag_fragmented",         BODY_READ_TAG_FRAGMENTED },
    {CIP_CLASS_SYMBOL, 0x53, OP_WRITE,            "write_tag_fragmented",        BODY_WRITE_TAG_FRAGMENTED},
    {CIP_CLASS_SYMBOL, 0x55, OP_BROWSE,           "get_instance_attribute_list", BODY_NONE                },
};
const size_t cip_class_service_count = sizeof cip_class_services / sizeof *cip_class_services;

/* [CIP1] A-3: what all classes have in common */
static const struct cip_service common[] = {
    [0x01] = {0, 0x01, OP_READ,           "get_attributes_all",               BODY_NONE      },
    [0x02] = {0, 0x02, OP_CONFIG_CHANGE,  "set_attributes_all",               BODY_BYTES     },
    [0x03] = {0, 0x03, OP_READ,           "get_attribute_list",               BODY_GET_LIST  },
    [0x04] = {0, 0x04, OP_CONFIG_CHANGE,  "set_attribute_list",               BODY_SET_LIST  },
    [0x05] = {0, 0x05, OP_RESTART,        "reset",                            BODY_RESET     },
    [0x06] = {0, 0x06, OP_START,          "start",                            BODY_NONE      },
    [0x07] = {0, 0x07, OP_STOP,           "stop",                             BODY_NONE      },
    [0x08] = {0, 0x08, OP_CONFIG_CHANGE,  "create",                           BODY_BYTES     },
    [0x09] = {0, 0x09, OP_PROGRAM_DELETE, "delete",                           BODY_NONE      },
    [0x0a] = {0, 0x0a, OP_SESSION,        "multiple_service_packet",          BODY_MULTIPLE  },
    [0x0d] = {0, 0x0d, OP_CONFIG_CHANGE,  "apply_attributes",                 BODY_BYTES     },
    [0x0e] = {0, 0x0e, OP_READ,           "get_attribute_single",             BODY_GET_SINGLE},
    [0x10] = {0, 0x10, OP_CONFIG_CHANGE,  "set_attribute_single",             BODY_SET_SINGLE},
    [0x11] = {0, 0x11, OP_BROWSE,         "find_next_object_instance",        BODY_NONE      },
    [0x15] = {0, 0x15, OP_CONFIG_CHANGE,  "restore",                          BODY_NONE      },
    [0x16] = {0, 0x16, OP_CONFIG_CHANGE,  "save",                             BODY_NONE      },
    [0x17] = {0, 0x17, OP_SESSION,        "nop",                              BODY_NONE      },
    [0x18] = {0, 0x18, OP_READ,           "get_member",                       BODY_NONE      },
    [0x19] = {0, 0x19, OP_WRITE,          "set_member",                       BODY_BYTES     },
    [0x1a] = {0, 0x1a, OP_CONFIG_CHANGE,  "insert_member",                    BODY_BYTES     },
    [0x1b] = {0, 0x1b, OP_CONFIG_CHANGE,  "remove_member",                    BODY_BYTES     },
    [0x1c] = {0, 0x1c, OP_TIME_SET,       "group_sync",                       BODY_BYTES     },
    [0x1d] = {0, 0x1d, OP_BROWSE,         "get_connection_point_member_list", BODY_NONE      },
};

/* CIP Safety objects ([CIP5] Volume 5): whoever uses them touches a protective function. */
static const struct cip_service safety_reset = {0, 0x05, OP_CONFIG_CHANGE, "safety_reset",
                                                BODY_BYTES};
static const struct cip_service safety_service = {0, 0x54, OP_LOCK, "safety_service", BODY_BYTES};

/* [CIP8] Volume 8: beginning, applying and ending a change of keys and certificates. */
static const struct cip_service security_service = {0, 0x4b, OP_CONFIG_CHANGE, "security_service",
                                                    BODY_BYTES};

static bool is_security_class(uint32_t c)
{
    return c >= 0x5d && c <= 0x5f;
}

static bool is_safety_class(uint32_t c)
{
    return (c >= 0x39 && c <= 0x3f) || (c >= 0x49 && c <= 0x4b) || (c >= 0x58 && c <= 0x5b);
}

static uint64_t order(uint32_t class_id, uint8_t service)
{
    return (uint64_t)class_id << 8 | service;
}

const struct cip_service *cip_service_find(uint32_t class_id, uint8_t service)
{
    uint64_t wanted = order(class_id, service);
    size_t low = 0, high = cip_class_service_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct cip_service *s = &cip_class_services[middle];
        uint64_t here = order(s->class_id, s->service);
        if (here == wanted)
            return s;
        if (here < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    if (is_safety_class(class_id)) {
        if (service == 0x05)
            return &safety_reset;
        if (service >= 0x54 && service <= 0x5f)
            return &safety_service;
    }
    if (is_security_class(class_id) && service >= 0x4b && service <= 0x63)
        return &security_service;
    if (service < sizeof common / sizeof *common && common[service].name)
        return &common[service];
    return NULL;
}

struct setting {
    uint32_t class_id, attribute;
    enum operation operation;
};

static const struct setting settings[] = {
    {0x70, 0x01, OP_PROGRAM_MODIFY}, /* [CAP] which programs a task runs */
    {0x8b, 0x05, OP_TIME_SET      }, /* [CAP] time as a list of numbers */
    {0x8b, 0x06, OP_TIME_SET      }, /* [CAP] microseconds since 1970 */
    {0xac, 0x0a, OP_SESSION       }, /* [CAP] the workstation's clock when it goes online */
};

enum operation cip_set_operation(uint32_t class_id, uint32_t attribute, enum operation otherwise)
{
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (settings[i].class_id == class_id && settings[i].attribute == attribute)
            return settings[i].operation;
    return otherwise;
}

bool cip_class_is_program(uint32_t class_id)
{
    return (class_id >= 0x68 && class_id <= 0x72) || class_id == 0x7e || class_id == 0x77;
}

struct class_name {
    uint32_t class_id;
    const char *name;
};

static const struct class_name class_names[] = {
    {0x01, "Identity"                  },
    {0x02, "Message Router"            },
    {0x03, "DeviceNet"                 },
    {0x04, "Assembly"                  },
    {0x05, "Connection"                },
    {0x06, "Connection Manager"        },
    {0x0f, "Parameter"                 },
    {0x37, "File"                      },
    {0x41, "Event Log"                 },
    {0x43, "Time Sync"                 },
    {0x44, "Modbus"                    },
    {0x45, "Originator Connection List"},
    {0x47, "Device Level Ring"         },
    {0x48, "Quality of Service"        },
    {0x4e, "Base Energy"               },
    {0x4f, "Electrical Energy"         },
    {0x50, "Non-electrical Energy"     },
    {0x51, "Base Switch"               },
    {0x52, "SNMP"                      },
    {0x5d, "CIP Security"              },
    {0x5e, "EtherNet/IP Security"      },
    {0x5f, "Certificate Management"    },
    {0x64, "Controller"                },
    {0x67, "PCCC"                      },
    {0x68, "Program"                   },
    {0x69, "Module"                    },
    {0x6a, "Data"                      },
    {0x6b, "Symbol"                    },
    {0x6c, "Template"                  },
    {0x6d, "Routine"                   },
    {0x70, "Task"                      },
    {0x72, "Program Container"         },
    {0x73, "Controller Status"         },
    {0x74, "Edit Ownership"            },
    {0x7e, "Module Child"              },
    {0x8b, "Wall Clock Time"           },
    {0x8d, "Message Parameters"        },
    {0x8e, "Controller Mode"           },
    {0xa1, "Non-volatile Storage"      },
    {0xac, "Edit Transaction"          },
    {0xf0, "ControlNet"                },
    {0xf1, "ControlNet Keeper"         },
    {0xf2, "ControlNet Scheduling"     },
    {0xf3, "Connection Configuration"  },
    {0xf4, "Port"                      },
    {0xf5, "TCP/IP Interface"          },
    {0xf6, "Ethernet Link"             },
};

const char *cip_class_name(uint32_t class_id)
{
    for (size_t i = 0; i < sizeof class_names / sizeof *class_names; i++)
        if (class_names[i].class_id == class_id)
            return class_names[i].name;
    return NULL;
}
