/* slmp_words.c: MC protocol (SLMP) commands, devices and end codes as tables.
 *
 * Spec: [MC]   Mitsubishi MELSEC Communication Protocol Reference Manual SH-080008
 *       [SLMP] SLMP Reference Manual SH-080956 */
#include "slmp_words.h"

/* [SLMP] 5, [MC] 3; sorted by code. A file is how a program travels: reading and writing its bytes
 * are program transfers. */
static const struct slmp_command commands[] = {
    {0x0101, OP_IDENTIFY,         "read_type_name"           },
    {0x0201, OP_FILE_READ,        "read_file_info"           },
    {0x0202, OP_FILE_READ,        "read_file_info_titled"    },
    {0x0203, OP_FILE_READ,        "search_file"              },
    {0x0204, OP_FILE_READ,        "read_drive_info"          },
    {0x0206, OP_PROGRAM_UPLOAD,   "read_file_data"           },
    {0x0401, OP_READ,             "device_read"              },
    {0x0403, OP_READ,             "device_read_random"       },
    {0x0406, OP_READ,             "device_read_block"        },
    {0x041a, OP_READ,             "label_array_read"         },
    {0x041c, OP_READ,             "label_read_random"        },
    {0x0601, OP_READ,             "extend_unit_read"         },
    {0x0613, OP_READ,             "memory_read"              },
    {0x0619, OP_DIAGNOSTICS,      "self_test"                },
    {0x0801, OP_SUBSCRIBE,        "entry_monitor_device"     },
    {0x0802, OP_READ,             "execute_monitor"          },
    {0x0808, OP_FILE_READ,        "lock_file"                },
    {0x0e28, OP_IDENTIFY,         "device_identification"    },
    {0x0e29, OP_IDENTIFY,         "node_data_monitor"        },
    {0x0e30, OP_DISCOVER,         "node_search"              },
    {0x0e31, OP_CONFIG_CHANGE,    "ip_address_set"           },
    {0x0e32, OP_DIAGNOSTICS,      "device_info_compare"      },
    {0x0e33, OP_READ,             "parameter_get"            },
    {0x0e34, OP_CONFIG_CHANGE,    "parameter_set"            },
    {0x0e35, OP_CONFIG_CHANGE,    "parameter_set_start"      },
    {0x0e36, OP_CONFIG_CHANGE,    "parameter_set_end"        },
    {0x0e3a, OP_CONFIG_CHANGE,    "parameter_set_cancel"     },
    {0x0e44, OP_DIAGNOSTICS,      "status_read"              },
    {0x0e45, OP_DIAGNOSTICS,      "communication_setting_get"},
    {0x0e53, OP_DIAGNOSTICS,      "status_read_2"            },
    {0x0e70, OP_PUBLISH,          "cyclic_data"              },
    {0x0e90, OP_CONFIG_CHANGE,    "network_config"           },
    {0x0e91, OP_CONFIG_CHANGE,    "master_config"            },
    {0x1001, OP_START,            "remote_run"               },
    {0x1002, OP_STOP,             "remote_stop"              },
    {0x1003, OP_STOP,             "remote_pause"             },
    {0x1005, OP_PROGRAM_DELETE,   "remote_latch_clear"       },
    {0x1006, OP_RESTART,          "remote_reset"             },
    {0x1202, OP_FILE_WRITE,       "new_file_registration"    },
    {0x1203, OP_PROGRAM_DOWNLOAD, "write_file_data"          },
    {0x1204, OP_FILE_WRITE,       "change_file_info"         },
    {0x1205, OP_FILE_DELETE,      "delete_file"              },
    {0x1206, OP_FILE_WRITE,       "copy_file"                },
    {0x1207, OP_CONFIG_CHANGE,    "defragment_drive"         },
    {0x1401, OP_WRITE,            "device_write"             },
    {0x1402, OP_WRITE,            "device_write_random"      },
    {0x1406, OP_WRITE,            "device_write_block"       },
    {0x141a, OP_WRITE,            "label_array_write"        },
    {0x141b, OP_WRITE,            "label_write_random"       },
    {0x1601, OP_WRITE,            "extend_unit_write"        },
    {0x1613, OP_WRITE,            "memory_write"             },
    {0x1617, OP_DIAGNOSTICS,      "clear_error"              },
    {0x1630, OP_AUTH,             "remote_password_unlock"   },
    {0x1631, OP_AUTH,             "remote_password_lock"     },
    {0x1810, OP_FILE_READ,        "read_directory"           },
    {0x1811, OP_FILE_READ,        "search_directory"         },
    {0x1820, OP_FILE_WRITE,       "create_file"              },
    {0x1822, OP_FILE_DELETE,      "delete_file"              },
    {0x1824, OP_FILE_WRITE,       "copy_file"                },
    {0x1825, OP_FILE_WRITE,       "change_file_state"        },
    {0x1826, OP_FILE_WRITE,       "change_file_date"         },
    {0x1827, OP_FILE_READ,        "open_file"                },
    {0x1828, OP_PROGRAM_UPLOAD,   "read_file"                },
    {0x1829, OP_PROGRAM_DOWNLOAD, "write_file"               },
    {0x182a, OP_FILE_READ,        "close_file"               },
    {0x2101, OP_PUBLISH,          "on_demand"                },
};
enum { COMMANDS = sizeof commands / sizeof *commands };

const struct slmp_command *slmp_command_of(uint16_t code)
{
    size_t low = 0, high = COMMANDS;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (commands[middle].code == code)
            return &commands[middle];
        if (commands[middle].code < code)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* [MC] 18: frames 1E */
static const struct slmp_command commands_1e[] = {
    {0x00, OP_READ,        "read_bits"             },
    {0x01, OP_READ,        "read_words"            },
    {0x02, OP_WRITE,       "write_bits"            },
    {0x03, OP_WRITE,       "write_words"           },
    {0x04, OP_WRITE,       "write_bits_random"     },
    {0x05, OP_WRITE,       "write_words_random"    },
    {0x06, OP_SUBSCRIBE,   "register_monitor_bits" },
    {0x07, OP_SUBSCRIBE,   "register_monitor_words"},
    {0x08, OP_READ,        "monitor_bits"          },
    {0x09, OP_READ,        "monitor_words"         },
    {0x13, OP_START,       "remote_run"            },
    {0x14, OP_STOP,        "remote_stop"           },
    {0x15, OP_IDENTIFY,    "read_pc_type"          },
    {0x16, OP_DIAGNOSTICS, "loopback"              },
};

const struct slmp_command *slmp_1e_command_of(uint8_t code)
{
    for (size_t i = 0; i < sizeof commands_1e / sizeof *commands_1e; i++)
        if (commands_1e[i].code == code)
            return &commands_1e[i];
    return NULL;
}

/* [SLMP] 5.2, device code list; name, code, bit, output */
static const struct slmp_device devices[] = {
    {"D",  0xa8, false, false},
    {"M",  0x90, true,  false},
    {"W",  0xb4, false, false},
    {"X",  0x9c, true,  false},
    {"Y",  0x9d, true,  true },
    {"R",  0xaf, false, false},
    {"ZR", 0xb0, false, false},
    {"B",  0xa0, true,  false},
    {"SM", 0x91, true,  false},
    {"SD", 0xa9, false, false},
    {"L",  0x92, true,  false},
    {"F",  0x93, true,  false},
    {"V",  0x94, true,  false},
    {"TS", 0xc1, true,  false},
    {"TC", 0xc0, true,  false},
    {"TN", 0xc2, false, false},
    {"SS", 0xc7, true,  false},
    {"SC", 0xc6, true,  false},
    {"SN", 0xc8, false, false},
    {"CS", 0xc4, true,  false},
    {"CC", 0xc3, true,  false},
    {"CN", 0xc5, false, false},
    {"SB", 0xa1, true,  false},
    {"SW", 0xb5, false, false},
    {"S",  0x98, true,  false},
    {"DX", 0xa2, true,  false},
    {"DY", 0xa3, true,  true },
    {"Z",  0xcc, false, false},
};

const struct slmp_device *slmp_device_of(uint8_t code)
{
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
        if (devices[i].code == code)
            return &devices[i];
    return NULL;
}

const struct slmp_device *slmp_device_named(char first, char second)
{
    if (second == '*' || second == ' ')
        second = 0;
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
        if (devices[i].name[0] == first && devices[i].name[1] == second)
            return &devices[i];
    return NULL;
}

/* [SLMP] 6.2, [MC] appendix */
static const struct {
    uint16_t code;
    const char *name;
} end_codes[] = {
    {0x0000, "ok"                       },
    {0x0050, "command_not_supported"    }, /* frames 1E */
    {0x0056, "device_out_of_range"      },
    {0x0057, "too_many_points"          },
    {0x0058, "start_not_allowed"        },
    {0x005b, "abnormal_end"             },
    {0x0060, "timer_expired"            },
    {0x4031, "device_out_of_range"      },
    {0xc050, "ascii_data_error"         },
    {0xc051, "too_many_points"          },
    {0xc052, "too_many_points"          },
    {0xc053, "too_many_points"          },
    {0xc054, "too_many_points"          },
    {0xc055, "file_too_large"           },
    {0xc056, "device_out_of_range"      },
    {0xc058, "length_after_conversion"  },
    {0xc059, "command_not_supported"    },
    {0xc05b, "device_not_accessible"    },
    {0xc05c, "request_data_error"       },
    {0xc05d, "monitor_not_registered"   },
    {0xc05f, "cannot_be_executed"       },
    {0xc060, "request_content_error"    },
    {0xc061, "request_length_error"     },
    {0xc06f, "frame_kind_differs"       },
    {0xc070, "extension_not_allowed"    },
    {0xc0b5, "data_error"               },
    {0xc200, "wrong_remote_password"    },
    {0xc201, "locked_by_remote_password"},
    {0xc204, "unlocked_by_another"      },
    {0xcee0, "in_execution"             },
    {0xcee1, "request_too_long"         },
    {0xcee2, "response_too_long"        },
    {0xcf10, "no_such_information"      },
    {0xcf20, "parameter_not_settable"   },
    {0xcf30, "no_such_parameter"        },
    {0xcf31, "parameter_not_writable"   },
};

const char *slmp_end_code(uint16_t code)
{
    for (size_t i = 0; i < sizeof end_codes / sizeof *end_codes; i++)
        if (end_codes[i].code == code)
            return end_codes[i].name;
    return NULL;
}
