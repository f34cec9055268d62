/* dcerpc_interfaces.c: interfaces of remote administration, DCOM and OPC Data Access.
 *
 * Spec: [SCMR] MS-SCMR services, [TSCH] MS-TSCH tasks, [RRP] MS-RRP registry, [SRVS] MS-SRVS
 *       shares, [WKST] MS-WKST, [SAMR] MS-SAMR users, [NRPC] MS-NRPC, [DRSR] MS-DRSR, [RPRN]
 *       MS-RPRN printers, [EFSR] MS-EFSR, [RSP] MS-RSP shutdown, [EVEN] MS-EVEN, [DCOM] MS-DCOM,
 *       [WMI] MS-WMI, [C706] DCE 1.1 RPC, [OPCDA] OPC Data Access 2.05a,
 *       [OPCC] OPC Common Definitions 1.1
 *
 * Starting something or preparing a start (service, task, job, method) is what rules/ tells as
 * remote execution: OP_START and OP_CONFIG_CHANGE. */
#include "dcerpc_interfaces.h"

#include <string.h>

#define OPERATIONS static const struct dcerpc_operation
#define NOTHING    ARGUMENT_NONE

OPERATIONS svcctl[] = {
  /* [SCMR] 3.1.4 */
    {0,  OP_SESSION,       NOTHING,               "close_service_handle" },
    {1,  OP_STOP,          ARGUMENT_CONTROL,      "control_service"      },
    {2,  OP_CONFIG_CHANGE, NOTHING,               "delete_service"       },
    {6,  OP_DIAGNOSTICS,   NOTHING,               "query_service_status" },
    {11, OP_CONFIG_CHANGE, NOTHING,               "change_service_config"},
    {12, OP_CONFIG_CHANGE, ARGUMENT_AFTER_HANDLE, "create_service"       },
    {14, OP_BROWSE,        NOTHING,               "enum_services_status" },
    {15, OP_SESSION,       NOTHING,               "open_sc_manager"      },
    {16, OP_SESSION,       ARGUMENT_AFTER_HANDLE, "open_service"         },
    {17, OP_DIAGNOSTICS,   NOTHING,               "query_service_config" },
    {19, OP_START,         NOTHING,               "start_service"        },
    {23, OP_CONFIG_CHANGE, NOTHING,               "change_service_config"},
    {24, OP_CONFIG_CHANGE, NOTHING,               "create_service"       },
    {27, OP_SESSION,       NOTHING,               "open_sc_manager"      },
    {28, OP_SESSION,       NOTHING,               "open_service"         },
    {31, OP_START,         NOTHING,               "start_service"        },
    {44, OP_CONFIG_CHANGE, NOTHING,               "create_service"       },
    {45, OP_CONFIG_CHANGE, ARGUMENT_AFTER_HANDLE, "create_service"       },
};
OPERATIONS atsvc[] = {
  /* [TSCH] 3.2.5.2 */
    {0, OP_CONFIG_CHANGE, NOTHING, "job_add" },
    {1, OP_CONFIG_CHANGE, NOTHING, "job_del" },
    {2, OP_BROWSE,        NOTHING, "job_enum"},
    {3, OP_READ,          NOTHING, "job_info"},
};
OPERATIONS tasks[] = {
  /* [TSCH] 3.2.5.4 */
    {0,  OP_SESSION,       NOTHING,          "highest_version"},
    {1,  OP_CONFIG_CHANGE, ARGUMENT_POINTER, "register_task"  },
    {2,  OP_READ,          NOTHING,          "retrieve_task"  },
    {3,  OP_SESSION,       NOTHING,          "create_folder"  },
    {6,  OP_BROWSE,        NOTHING,          "enum_folders"   },
    {7,  OP_BROWSE,        NOTHING,          "enum_tasks"     },
    {8,  OP_BROWSE,        NOTHING,          "enum_instances" },
    {12, OP_START,         NOTHING,          "run_task"       },
    {13, OP_CONFIG_CHANGE, NOTHING,          "delete_task"    },
    {19, OP_CONFIG_CHANGE, NOTHING,          "enable_task"    },
};
OPERATIONS winreg[] = {
  /* [RRP] 3.1.5 */
    {0,  OP_SESSION,       NOTHING, "open_classes_root" },
    {1,  OP_SESSION,       NOTHING, "open_current_user" },
    {2,  OP_SESSION,       NOTHING, "open_local_machine"},
    {4,  OP_SESSION,       NOTHING, "open_users"        },
    {5,  OP_SESSION,       NOTHING, "close_key"         },
    {6,  OP_CONFIG_CHANGE, NOTHING, "create_key"        },
    {7,  OP_CONFIG_CHANGE, NOTHING, "delete_key"        },
    {8,  OP_CONFIG_CHANGE, NOTHING, "delete_value"      },
    {9,  OP_BROWSE,        NOTHING, "enum_key"          },
    {10, OP_BROWSE,        NOTHING, "enum_value"        },
    {15, OP_SESSION,       NOTHING, "open_key"          },
    {16, OP_READ,          NOTHING, "query_key"         },
    {17, OP_READ,          NOTHING, "query_value"       },
    {20, OP_READ,          NOTHING, "save_key"          },
    {22, OP_CONFIG_CHANGE, NOTHING, "set_value"         },
    {24, OP_RESTART,       NOTHING, "shutdown"          },
    {30, OP_RESTART,       NOTHING, "shutdown"          },
};
OPERATIONS srvsvc[] = {
  /* [SRVS] 3.1.4 */
    {8,  OP_BROWSE,        NOTHING, "connection_enum"  },
    {9,  OP_BROWSE,        NOTHING, "file_enum"        },
    {12, OP_BROWSE,        NOTHING, "session_enum"     },
    {14, OP_CONFIG_CHANGE, NOTHING, "share_add"        },
    {15, OP_BROWSE,        NOTHING, "share_enum"       },
    {16, OP_READ,          NOTHING, "share_info"       },
    {18, OP_CONFIG_CHANGE, NOTHING, "share_del"        },
    {21, OP_IDENTIFY,      NOTHING, "server_info"      },
    {28, OP_READ,          NOTHING, "time_of_day"      },
    {31, OP_SESSION,       NOTHING, "path_canonicalize"},
    {32, OP_SESSION,       NOTHING, "path_compare"     },
};
OPERATIONS wkssvc[] = {
  /* [WKST] 3.2.4 */
    {0,  OP_IDENTIFY,      NOTHING, "workstation_info"},
    {2,  OP_BROWSE,        NOTHING, "user_enum"       },
    {22, OP_CONFIG_CHANGE, NOTHING, "join_domain"     },
};
OPERATIONS samr[] = {
  /* [SAMR] 3.1.5 */
    {5,  OP_SESSION,       NOTHING, "lookup_domain"  },
    {6,  OP_BROWSE,        NOTHING, "enum_domains"   },
    {7,  OP_SESSION,       NOTHING, "open_domain"    },
    {13, OP_BROWSE,        NOTHING, "enum_users"     },
    {15, OP_BROWSE,        NOTHING, "enum_aliases"   },
    {31, OP_CONFIG_CHANGE, NOTHING, "add_to_alias"   },
    {37, OP_CONFIG_CHANGE, NOTHING, "set_user"       },
    {50, OP_CONFIG_CHANGE, NOTHING, "create_user"    },
    {55, OP_CONFIG_CHANGE, NOTHING, "change_password"},
    {58, OP_CONFIG_CHANGE, NOTHING, "set_user"       },
};
OPERATIONS netlogon[] = {
  /* [NRPC] 3.5.4 */
    {4,  OP_AUTH,          NOTHING, "request_challenge"},
    {15, OP_AUTH,          NOTHING, "authenticate2"    },
    {26, OP_AUTH,          NOTHING, "authenticate3"    },
    {30, OP_CONFIG_CHANGE, NOTHING, "password_set"     },
};
OPERATIONS drsuapi[] = {
    {0, OP_SESSION, NOTHING, "bind"       }, /* [DRSR] 4.1 */
    {3, OP_READ,    NOTHING, "get_changes"},
};
OPERATIONS spoolss[] = {
    {1,  OP_SESSION,       NOTHING, "open_printer"}, /* [RPRN] 3.1.4 */
    {65, OP_SUBSCRIBE,     NOTHING, "find_change" },
    {69, OP_SESSION,       NOTHING, "open_printer"},
    {89, OP_CONFIG_CHANGE, NOTHING, "add_driver"  },
};
OPERATIONS efsrpc[] = {
    {0, OP_SESSION, NOTHING, "open_file"}, /* [EFSR] 3.1.4.2 */
};
OPERATIONS shutdown[] = {
    {0, OP_RESTART, NOTHING, "shutdown"}, /* [RSP] 3.2.4 */
    {2, OP_RESTART, NOTHING, "shutdown"},
};
OPERATIONS eventlog[] = {
    {0, OP_CONFIG_CHANGE, NOTHING, "clear_log"}, /* [EVEN] 3.1.4 */
};
OPERATIONS epmapper[] = {
    {2, OP_DISCOVER, NOTHING, "lookup"}, /* [C706] appendix O */
    {3, OP_SESSION,  NOTHING, "map"   },
};
OPERATIONS activation[] = {
    {0, OP_SESSION, NOTHING, "remote_activation"}, /* [DCOM] 3.1.2.5.2.3 */
};
OPERATIONS activator[] = {
    {3, OP_SESSION, NOTHING, "remote_get_class_object"},
    {4, OP_SESSION, NOTHING, "remote_create_instance" },
};
OPERATIONS resolver[] = {
    {0, OP_SESSION, NOTHING, "resolve_oxid" }, /* [DCOM] 3.1.2.5.1 */
    {1, OP_SESSION, NOTHING, "simple_ping"  },
    {2, OP_SESSION, NOTHING, "complex_ping" },
    {3, OP_SESSION, NOTHING, "server_alive" },
    {4, OP_SESSION, NOTHING, "resolve_oxid2"},
    {5, OP_SESSION, NOTHING, "server_alive2"},
};
OPERATIONS remote_unknown[] = {
    {3, OP_SESSION, NOTHING, "query_interface"}, /* [DCOM] 3.1.1.5.6 */
    {4, OP_SESSION, NOTHING, "add_ref"        },
    {5, OP_SESSION, NOTHING, "release"        },
};
OPERATIONS wbem_login[] = {
    {3, OP_SESSION, NOTHING, "establish_position"}, /* [WMI] 3.1.4.1 */
    {6, OP_AUTH,    NOTHING, "ntlm_login"        },
};
OPERATIONS wbem_services[] = {
  /* [WMI] 3.1.4.3 */
    {3,  OP_SESSION,       NOTHING, "open_namespace"      },
    {6,  OP_READ,          NOTHING, "get_object"          },
    {8,  OP_CONFIG_CHANGE, NOTHING, "put_class"           },
    {14, OP_CONFIG_CHANGE, NOTHING, "put_instance"        },
    {16, OP_CONFIG_CHANGE, NOTHING, "delete_instance"     },
    {18, OP_BROWSE,        NOTHING, "create_instance_enum"},
    {20, OP_READ,          NOTHING, "exec_query"          },
    {21, OP_READ,          NOTHING, "exec_query"          },
    {22, OP_SUBSCRIBE,     NOTHING, "exec_notification"   },
    {24, OP_START,         NOTHING, "exec_method"         },
    {25, OP_START,         NOTHING, "exec_method"         },
};
OPERATIONS opc_list[] = {
    {3, OP_BROWSE,   NOTHING, "enum_classes"   }, /* [OPCC] IOPCServerList */
    {4, OP_IDENTIFY, NOTHING, "class_details"  },
    {5, OP_READ,     NOTHING, "clsid_of_progid"},
};
OPERATIONS opc_server[] = {
    {3, OP_SUBSCRIBE, NOTHING, "add_group"   }, /* [OPCDA] 4.4 */
    {6, OP_IDENTIFY,  NOTHING, "get_status"  },
    {7, OP_SESSION,   NOTHING, "remove_group"},
};
OPERATIONS opc_browse[] = {
    {3, OP_BROWSE, NOTHING, "query_organization"},
    {4, OP_BROWSE, NOTHING, "change_position"   },
    {5, OP_BROWSE, NOTHING, "browse_item_ids"   },
    {6, OP_BROWSE, NOTHING, "get_item_id"       },
};
OPERATIONS opc_group[] = {
    {3, OP_READ,      NOTHING, "get_state"},
    {4, OP_SUBSCRIBE, NOTHING, "set_state"},
};
OPERATIONS opc_sync[] = {
    {3, OP_READ,  NOTHING, "read" }, /* [OPCDA] 4.5.3 */
    {4, OP_WRITE, NOTHING, "write"},
};
OPERATIONS opc_async2[] = {
    {3, OP_READ,      NOTHING, "read"   }, /* [OPCDA] 4.5.6 */
    {4, OP_WRITE,     NOTHING, "write"  },
    {5, OP_SUBSCRIBE, NOTHING, "refresh"},
    {6, OP_SESSION,   NOTHING, "cancel" },
};
OPERATIONS opc_items[] = {
    {3, OP_SUBSCRIBE, NOTHING, "add_items"     },
    {4, OP_SESSION,   NOTHING, "validate_items"},
    {5, OP_SESSION,   NOTHING, "remove_items"  },
};
OPERATIONS opc_callback[] = {
    {3, OP_PUBLISH, NOTHING, "data_change"   },
    {4, OP_PUBLISH, NOTHING, "read_complete" },
    {5, OP_PUBLISH, NOTHING, "write_complete"},
};

#define ROW(low, middle, high, name, operations, ...)                                              \
    {                                                                                              \
        low, middle, high, {__VA_ARGS__}, name, operations, sizeof operations / sizeof *operations \
    }
#define COM 0xc0, 0, 0, 0, 0, 0, 0, 0x46
#define OPC 0x96, 0x75, 0x00, 0x20, 0xaf, 0xd8, 0xad, 0xb3

/* New ones go to the end: their places are part of learned functions. */
/* clang-format off */
static const struct dcerpc_interface interfaces[] = {
    ROW(0x367abb81, 0x9844, 0x35f1, "svcctl", svcctl, 0xad, 0x32, 0x98, 0xf0, 0x38, 0x00, 0x10, 0x03),
    ROW(0x1ff70682, 0x0a51, 0x30e8, "atsvc", atsvc, 0x07, 0x6d, 0x74, 0x0b, 0xe8, 0xce, 0xe9, 0x8b),
    ROW(0x86d35949, 0x83c9, 0x4044, "ITaskSchedulerService", tasks, 0xb4, 0x24, 0xdb, 0x36, 0x32, 0x31, 0xfd, 0x0c),
    ROW(0x338cd001, 0x2244, 0x31f1, "winreg", winreg, 0xaa, 0xaa, 0x90, 0x00, 0x38, 0x00, 0x10, 0x03),
    ROW(0x4b324fc8, 0x1670, 0x01d3, "srvsvc", srvsvc, 0x12, 0x78, 0x5a, 0x47, 0xbf, 0x6e, 0xe1, 0x88),
    ROW(0x6bffd098, 0xa112, 0x3610, "wkssvc", wkssvc, 0x98, 0x33, 0x46, 0xc3, 0xf8, 0x7e, 0x34, 0x5a),
    ROW(0x12345778, 0x1234, 0xabcd, "samr", samr, 0xef, 0x00, 0x01, 0x23, 0x45, 0x67, 0x89, 0xac),
    ROW(0x12345678, 0x1234, 0xabcd, "netlogon", netlogon, 0xef, 0x00, 0x01, 0x23, 0x45, 0x67, 0xcf, 0xfb),
    ROW(0x12345678, 0x1234, 0xabcd, "spoolss", spoolss, 0xef, 0x00, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab),
    ROW(0xe3514235, 0x4b06, 0x11d1, "drsuapi", drsuapi, 0xab, 0x04, 0x00, 0xc0, 0x4f, 0xc2, 0xdc, 0xd2),
    ROW(0xc681d488, 0xd850, 0x11d0, "efsrpc", efsrpc, 0x8c, 0x52, 0x00, 0xc0, 0x4f, 0xd9, 0x0f, 0x7e),
    ROW(0x894de0c0, 0x0d55, 0x11d3, "initshutdown", shutdown, 0xa3, 0x22, 0x00, 0xc0, 0x4f, 0xa3, 0x21, 0xa1),
    ROW(0x82273fdc, 0xe32a, 0x18c3, "eventlog", eventlog, 0x3f, 0x78, 0x82, 0x79, 0x29, 0xdc, 0x23, 0xea),
    ROW(0xe1af8308, 0x5d1f, 0x11c9, "epmapper", epmapper, 0x91, 0xa4, 0x08, 0x00, 0x2b, 0x14, 0xa0, 0xfa),
    ROW(0x4d9f4ab8, 0x7d1c, 0x11cf, "IRemoteActivation", activation, 0x86, 0x1e, 0x00, 0x20, 0xaf, 0x6e, 0x7c, 0x57),
    ROW(0x000001a0, 0x0000, 0x0000, "ISystemActivator", activator, COM),
    ROW(0x99fcfec4, 0x5260, 0x101b, "IOXIDResolver", resolver, 0xbb, 0xcb, 0x00, 0xaa, 0x00, 0x21, 0x34, 0x7a),
    ROW(0x00000131, 0x0000, 0x0000, "IRemUnknown", remote_unknown, COM),
    ROW(0x00000143, 0x0000, 0x0000, "IRemUnknown2", remote_unknown, COM),
    ROW(0xf309ad18, 0xd86a, 0x11d0, "IWbemLevel1Login", wbem_login, 0xa0, 0x75, 0x00, 0xc0, 0x4f, 0xb6, 0x88, 0x20),
    ROW(0x9556dc99, 0x828c, 0x11cf, "IWbemServices", wbem_services, 0xa3, 0x7e, 0x00, 0xaa, 0x00, 0x32, 0x40, 0xc7),
    ROW(0x39c13a4d, 0x011e, 0x11d0, "IOPCServer", opc_server, OPC),
    ROW(0x39c13a4f, 0x011e, 0x11d0, "IOPCBrowseServerAddressSpace", opc_browse, OPC),
    ROW(0x39c13a50, 0x011e, 0x11d0, "IOPCGroupStateMgt", opc_group, OPC),
    ROW(0x39c13a52, 0x011e, 0x11d0, "IOPCSyncIO", opc_sync, OPC),
    ROW(0x39c13a54, 0x011e, 0x11d0, "IOPCItemMgt", opc_items, OPC),
    ROW(0x39c13a70, 0x011e, 0x11d0, "IOPCDataCallback", opc_callback, OPC),
    ROW(0x39c13a71, 0x011e, 0x11d0, "IOPCAsyncIO2", opc_async2, OPC),
    ROW(0x13486d50, 0x4821, 0x11d2, "IOPCServerList", opc_list, 0xa4, 0x94, 0x3c, 0xb3, 0x06, 0xc1, 0x00, 0x00),
    ROW(0x9dd0b56c, 0xad9e, 0x43ee, "IOPCServerList2", opc_list, 0x83, 0x05, 0x48, 0x7f, 0x31, 0x88, 0xbf, 0x7a),
};
/* clang-format on */
enum { INTERFACE_COUNT = sizeof interfaces / sizeof *interfaces };

const struct dcerpc_interface *dcerpc_interface(uint32_t low, uint16_t middle, uint16_t high,
                                                const uint8_t rest[8])
{
    for (size_t i = 0; i < INTERFACE_COUNT; i++)
        if (interfaces[i].low == low && interfaces[i].middle == middle &&
            interfaces[i].high == high && memcmp(interfaces[i].rest, rest, 8) == 0)
            return &interfaces[i];
    return NULL;
}

const struct dcerpc_interface *dcerpc_interface_at(size_t index)
{
    return index < INTERFACE_COUNT ? &interfaces[index] : NULL;
}

size_t dcerpc_interface_index(const struct dcerpc_interface *interface)
{
    return (size_t)(interface - interfaces);
}

const struct dcerpc_operation *dcerpc_operation(const struct dcerpc_interface *interface,
                                                uint16_t number)
{
    for (size_t i = 0; i < interface->operation_count; i++)
        if (interface->operations[i].number == number)
            return &interface->operations[i];
    return NULL;
}
