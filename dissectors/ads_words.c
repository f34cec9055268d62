/* ads_words.c: ADS commands, index groups, states and errors as tables.
 *
 * Spec: [ADS] Beckhoff TwinCAT ADS/AMS specification (information system, TE1000)
 *       [ERR] ADS return codes, same place */
#include "ads_words.h"

static const struct ads_command commands[] = {
    [ADS_DEVICE_INFO] = {OP_IDENTIFY,    "read_device_info"          },
    [ADS_READ] = {OP_READ,        "read"                      },
    [ADS_WRITE] = {OP_WRITE,       "write"                     },
    [ADS_READ_STATE] = {OP_DIAGNOSTICS, "read_state"                },
    [ADS_WRITE_CONTROL] = {OP_MODE_CHANGE, "write_control"             },
    [ADS_ADD_NOTIFICATION] = {OP_SUBSCRIBE,   "add_device_notification"   },
    [ADS_DELETE_NOTIFICATION] = {OP_SUBSCRIBE,   "delete_device_notification"},
    [ADS_NOTIFICATION] = {OP_PUBLISH,     "device_notification"       },
    [ADS_READ_WRITE] = {OP_WRITE,       "read_write"                },
};

const struct ads_command *ads_command_of(uint16_t code)
{
    return code >= ADS_DEVICE_INFO && code <= ADS_COMMAND_MAX ? &commands[code] : NULL;
}

/* code, only port 10000, name, operation of Read, Write, ReadWrite */
static const struct ads_group groups[] = {
    {0x4020, false, "memory",                  OP_UNKNOWN,        OP_UNKNOWN,          OP_UNKNOWN         },
    {0x4021, false, "memory_bit",              OP_UNKNOWN,        OP_UNKNOWN,          OP_UNKNOWN         },
    {0xf000, false, "symbol_table",            OP_BROWSE,         OP_UNKNOWN,          OP_BROWSE          },
    {0xf003, false, "handle_by_name",          OP_BROWSE,         OP_BROWSE,           OP_BROWSE          },
    {0xf004, false, "value_by_name",           OP_UNKNOWN,        OP_UNKNOWN,          OP_READ            },
    {0xf005, false, "symbol",                  OP_UNKNOWN,        OP_UNKNOWN,          OP_UNKNOWN         },
    {0xf006, false, "release_handle",          OP_SESSION,        OP_SESSION,          OP_SESSION         },
    {0xf007, false, "info_by_name",            OP_BROWSE,         OP_BROWSE,           OP_BROWSE          },
    {0xf008, false, "symbol_version",          OP_IDENTIFY,       OP_UNKNOWN,          OP_IDENTIFY        },
    {0xf009, false, "info_by_name",            OP_BROWSE,         OP_BROWSE,           OP_BROWSE          },
    {0xf00a, false, "download",                OP_UNKNOWN,        OP_PROGRAM_DOWNLOAD, OP_PROGRAM_DOWNLOAD},
    {0xf00b, false, "upload",                  OP_PROGRAM_UPLOAD, OP_PROGRAM_UPLOAD,   OP_PROGRAM_UPLOAD  },
    {0xf00c, false, "upload_info",             OP_BROWSE,         OP_UNKNOWN,          OP_BROWSE          },
    {0xf00f, false, "upload_info",             OP_BROWSE,         OP_UNKNOWN,          OP_BROWSE          },
    {0xf010, false, "notification",            OP_SUBSCRIBE,      OP_SUBSCRIBE,        OP_SUBSCRIBE       },
    {0xf020, false, "input",                   OP_READ,           OP_CONTROL,          OP_CONTROL         },
    {0xf021, false, "input_bit",               OP_READ,           OP_CONTROL,          OP_CONTROL         },
    {0xf025, false, "input_size",              OP_READ,           OP_UNKNOWN,          OP_READ            },
    {0xf030, false, "output",                  OP_READ,           OP_CONTROL,          OP_CONTROL         },
    {0xf031, false, "output_bit",              OP_READ,           OP_CONTROL,          OP_CONTROL         },
    {0xf035, false, "output_size",             OP_READ,           OP_UNKNOWN,          OP_READ            },
    {0xf040, false, "clear_inputs",            OP_UNKNOWN,        OP_CONTROL,          OP_CONTROL         },
    {0xf050, false, "clear_outputs",           OP_UNKNOWN,        OP_CONTROL,          OP_CONTROL         },
    {0xf080, false, "sum_read",                OP_READ,           OP_READ,             OP_READ            },
    {0xf081, false, "sum_write",               OP_WRITE,          OP_WRITE,            OP_WRITE           },
    {0xf082, false, "sum_read_write",          OP_WRITE,          OP_WRITE,            OP_WRITE           },
    {0xf083, false, "sum_read_ex",             OP_READ,           OP_READ,             OP_READ            },
    {0xf084, false, "sum_read_ex",             OP_READ,           OP_READ,             OP_READ            },
    {0xf085, false, "sum_add_notification",    OP_SUBSCRIBE,      OP_SUBSCRIBE,        OP_SUBSCRIBE       },
    {0xf086, false, "sum_delete_notification", OP_SUBSCRIBE,      OP_SUBSCRIBE,        OP_SUBSCRIBE       },
    {0xf100, false, "device_data",             OP_DIAGNOSTICS,    OP_CONFIG_CHANGE,    OP_DIAGNOSTICS     },
    {0xf302, false, "canopen_sdo",             OP_UNKNOWN,        OP_UNKNOWN,          OP_UNKNOWN         },
    {0xf401, false, "foe_open_read",           OP_FILE_READ,      OP_FILE_READ,        OP_FILE_READ       },
    {0xf402, false, "foe_open_write",          OP_FILE_WRITE,     OP_FILE_WRITE,       OP_FILE_WRITE      },
    {0xf403, false, "foe_close",               OP_FILE_READ,      OP_FILE_READ,        OP_FILE_READ       },
    {0xf404, false, "foe_read",                OP_FILE_READ,      OP_FILE_READ,        OP_FILE_READ       },
    {0xf405, false, "foe_write",               OP_FILE_WRITE,     OP_FILE_WRITE,       OP_FILE_WRITE      },
    {0xf406, false, "foe_progress",            OP_FILE_READ,      OP_FILE_READ,        OP_FILE_READ       },
    {0xf420, false, "soe",                     OP_UNKNOWN,        OP_UNKNOWN,          OP_UNKNOWN         },
    {100,    true,  "open_create",             OP_FILE_READ,      OP_FILE_WRITE,       OP_FILE_WRITE      },
    {101,    true,  "open_read",               OP_FILE_READ,      OP_FILE_READ,        OP_FILE_READ       },
    {102,    true,  "open_write",              OP_FILE_WRITE,     OP_FILE_WRITE,       OP_FILE_WRITE      },
    {110,    true,  "create_file",             OP_FILE_WRITE,     OP_FILE_WRITE,       OP_FILE_WRITE      },
    {111,    true,  "close_handle",            OP_FILE_READ,      OP_FILE_READ,        OP_FILE_READ       },
    {120,    true,  "file_open",               OP_FILE_READ,      OP_FILE_READ,        OP_FILE_READ       }, /* the mode tells */
    {121,    true,  "file_close",              OP_FILE_READ,      OP_FILE_READ,
     OP_FILE_READ                                                                                         }, /* the mode of its opening tells */
    {122,    true,  "file_read",               OP_FILE_READ,      OP_FILE_READ,        OP_FILE_READ       },
    {123,    true,  "file_write",              OP_FILE_WRITE,     OP_FILE_WRITE,       OP_FILE_WRITE      },
    {124,    true,  "file_seek",               OP_FILE_READ,      OP_FILE_READ,        OP_FILE_READ       },
    {125,    true,  "file_tell",               OP_FILE_READ,      OP_FILE_READ,        OP_FILE_READ       },
    {126,    true,  "file_gets",               OP_FILE_READ,      OP_FILE_READ,        OP_FILE_READ       },
    {127,    true,  "file_puts",               OP_FILE_WRITE,     OP_FILE_WRITE,       OP_FILE_WRITE      },
    {130,    true,  "file_eof",                OP_FILE_READ,      OP_FILE_READ,        OP_FILE_READ       },
    {131,    true,  "file_delete",             OP_FILE_DELETE,    OP_FILE_DELETE,      OP_FILE_DELETE     },
    {132,    true,  "file_rename",             OP_FILE_WRITE,     OP_FILE_WRITE,       OP_FILE_WRITE      },
    {133,    true,  "file_find",               OP_FILE_READ,      OP_FILE_READ,        OP_FILE_READ       },
    {134,    true,  "file_status",             OP_FILE_READ,      OP_FILE_READ,        OP_FILE_READ       },
    {138,    true,  "make_directory",          OP_FILE_WRITE,     OP_FILE_WRITE,       OP_FILE_WRITE      },
    {139,    true,  "remove_directory",        OP_FILE_DELETE,    OP_FILE_DELETE,      OP_FILE_DELETE     },
    {200,    true,  "registry",                OP_READ,           OP_CONFIG_CHANGE,    OP_READ            },
    {300,    true,  "mail",                    OP_READ,           OP_WRITE,            OP_WRITE           },
    {400,    true,  "time_service",            OP_DIAGNOSTICS,    OP_TIME_SET,         OP_DIAGNOSTICS     },
    {700,    true,  "target_description",      OP_IDENTIFY,       OP_UNKNOWN,          OP_IDENTIFY        },
    {500,    true,  "start_process",           OP_UNKNOWN,        OP_CONTROL,          OP_CONTROL         },
};

const struct ads_group *ads_group_of(uint32_t code, uint16_t port)
{
    enum { PORT_SYSTEM = 10000 };
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (groups[i].code == code)
            return groups[i].is_system && port != PORT_SYSTEM ? NULL : &groups[i];
    return NULL;
}

/* [ADS] ADSSTATE */
static const struct ads_state states[] = {
    {"invalid",       OP_MODE_CHANGE  },
    {"idle",          OP_MODE_CHANGE  },
    {"reset",         OP_RESTART      },
    {"init",          OP_MODE_CHANGE  },
    {"start",         OP_START        },
    {"run",           OP_START        },
    {"stop",          OP_STOP         },
    {"save_config",   OP_CONFIG_CHANGE},
    {"load_config",   OP_CONFIG_CHANGE},
    {"power_failure", OP_MODE_CHANGE  },
    {"power_good",    OP_MODE_CHANGE  },
    {"error",         OP_STOP         },
    {"shutdown",      OP_STOP         },
    {"suspend",       OP_STOP         },
    {"resume",        OP_START        },
    {"config",        OP_RESTART      },
    {"reconfig",      OP_RESTART      },
};

const struct ads_state *ads_state_of(uint16_t state)
{
    return state < sizeof states / sizeof *states ? &states[state] : NULL;
}

/* [ERR] */
static const struct {
    uint32_t code;
    const char *name;
} errors[] = {
    {0x0,   "ok"                             },
    {0x1,   "internal_error"                 },
    {0x2,   "no_real_time"                   },
    {0x3,   "locked_memory_allocation_failed"},
    {0x4,   "mailbox_full"                   },
    {0x5,   "wrong_receive_message"          },
    {0x6,   "target_port_not_found"          },
    {0x7,   "target_machine_not_found"       },
    {0x8,   "unknown_command"                },
    {0x9,   "bad_task_id"                    },
    {0xa,   "no_io"                          },
    {0xb,   "unknown_ams_command"            },
    {0xc,   "win32_error"                    },
    {0xd,   "port_not_connected"             },
    {0xe,   "invalid_ams_length"             },
    {0xf,   "invalid_ams_netid"              },
    {0x10,  "low_installation_level"         },
    {0x11,  "no_debug_available"             },
    {0x12,  "port_disabled"                  },
    {0x13,  "port_already_connected"         },
    {0x14,  "ams_sync_win32_error"           },
    {0x15,  "ams_sync_timeout"               },
    {0x16,  "ams_sync_error"                 },
    {0x17,  "ams_sync_no_index_map"          },
    {0x18,  "invalid_ams_port"               },
    {0x19,  "no_memory"                      },
    {0x1a,  "tcp_send_error"                 },
    {0x1b,  "host_unreachable"               },
    {0x500, "router_no_locked_memory"        },
    {0x501, "router_memory_not_resized"      },
    {0x502, "router_mailbox_full"            },
    {0x503, "router_debug_mailbox_full"      },
    {0x504, "router_unknown_port_type"       },
    {0x505, "router_not_initialised"         },
    {0x506, "router_port_in_use"             },
    {0x507, "router_port_not_registered"     },
    {0x508, "router_no_more_queues"          },
    {0x509, "router_invalid_port"            },
    {0x50a, "router_not_activated"           },
    {0x700, "device_error"                   },
    {0x701, "service_not_supported"          },
    {0x702, "invalid_index_group"            },
    {0x703, "invalid_index_offset"           },
    {0x704, "access_not_permitted"           },
    {0x705, "invalid_size"                   },
    {0x706, "invalid_data"                   },
    {0x707, "not_ready"                      },
    {0x708, "busy"                           },
    {0x709, "invalid_context"                },
    {0x70a, "out_of_memory"                  },
    {0x70b, "invalid_parameter"              },
    {0x70c, "not_found"                      },
    {0x70d, "syntax_error"                   },
    {0x70e, "incompatible"                   },
    {0x70f, "exists"                         },
    {0x710, "symbol_not_found"               },
    {0x711, "symbol_version_invalid"         },
    {0x712, "invalid_state"                  },
    {0x713, "transmission_mode_not_supported"},
    {0x714, "notification_handle_invalid"    },
    {0x715, "notification_client_unknown"    },
    {0x716, "no_more_notification_handles"   },
    {0x717, "notification_size_invalid"      },
    {0x718, "not_initialised"                },
    {0x719, "timeout"                        },
    {0x71a, "no_interface"                   },
    {0x71b, "invalid_interface"              },
    {0x71c, "invalid_class_id"               },
    {0x71d, "invalid_object_id"              },
    {0x71e, "pending"                        },
    {0x71f, "aborted"                        },
    {0x720, "signal_warning"                 },
    {0x721, "invalid_array_index"            },
    {0x722, "symbol_not_active"              },
    {0x723, "access_denied"                  },
    {0x724, "license_not_found"              },
    {0x725, "license_expired"                },
    {0x726, "license_exceeded"               },
    {0x727, "license_invalid"                },
    {0x728, "license_wrong_system_id"        },
    {0x729, "license_not_time_limited"       },
    {0x72a, "license_issued_in_future"       },
    {0x72b, "license_period_too_long"        },
    {0x72c, "exception_at_start"             },
    {0x72d, "license_duplicated"             },
    {0x72e, "signature_invalid"              },
    {0x72f, "certificate_invalid"            },
    {0x740, "client_error"                   },
    {0x741, "client_invalid_parameter"       },
    {0x742, "client_polling_list_empty"      },
    {0x743, "client_variable_in_use"         },
    {0x744, "client_invoke_id_in_use"        },
    {0x745, "client_timeout"                 },
    {0x746, "client_win32_error"             },
    {0x747, "client_timeout_invalid"         },
    {0x748, "client_port_not_open"           },
    {0x749, "client_no_ams_address"          },
    {0x750, "client_internal_error"          },
    {0x751, "client_hash_overflow"           },
    {0x752, "client_hash_key_missing"        },
    {0x753, "client_no_more_symbols"         },
    {0x754, "client_response_invalid"        },
    {0x755, "client_port_locked"             },
};

const char *ads_error(uint32_t code)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errors[i].code == code)
            return errors[i].name;
    return NULL;
}
