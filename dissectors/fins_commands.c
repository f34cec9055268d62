/* fins_commands.c: FINS command codes, memory areas and end codes as tables.
 *
 * Spec: [W342] Omron CS/CJ Communications Commands Reference Manual, section 5
 *       [W227] Omron FINS Commands Reference Manual (CV, C series) */
#include "fins_commands.h"

/* [W342] 5-3, sorted by code */
static const struct fins_command commands[] = {
    {0x0101, OP_READ,             "memory_area_read"            },
    {0x0102, OP_WRITE,            "memory_area_write"           },
    {0x0103, OP_WRITE,            "memory_area_fill"            },
    {0x0104, OP_READ,             "multiple_memory_area_read"   },
    {0x0105, OP_WRITE,            "memory_area_transfer"        },
    {0x0201, OP_READ,             "parameter_area_read"         },
    {0x0202, OP_CONFIG_CHANGE,    "parameter_area_write"        },
    {0x0203, OP_CONFIG_CHANGE,    "parameter_area_clear"        },
    {0x0220, OP_READ,             "data_link_table_read"        },
    {0x0221, OP_CONFIG_CHANGE,    "data_link_table_write"       },
    {0x0304, OP_LOCK,             "program_area_protect"        },
    {0x0305, OP_LOCK,             "program_area_protect_clear"  },
    {0x0306, OP_PROGRAM_UPLOAD,   "program_area_read"           },
    {0x0307, OP_PROGRAM_DOWNLOAD, "program_area_write"          },
    {0x0308, OP_PROGRAM_DELETE,   "program_area_clear"          },
    {0x0401, OP_START,            "run"                         },
    {0x0402, OP_STOP,             "stop"                        },
    {0x0403, OP_RESTART,          "reset"                       },
    {0x0501, OP_IDENTIFY,         "controller_data_read"        },
    {0x0502, OP_IDENTIFY,         "connection_data_read"        },
    {0x0601, OP_DIAGNOSTICS,      "controller_status_read"      },
    {0x0602, OP_DIAGNOSTICS,      "network_status_read"         },
    {0x0603, OP_DIAGNOSTICS,      "data_link_status_read"       },
    {0x0620, OP_DIAGNOSTICS,      "cycle_time_read"             },
    {0x0701, OP_DIAGNOSTICS,      "clock_read"                  },
    {0x0702, OP_TIME_SET,         "clock_write"                 },
    {0x0801, OP_DIAGNOSTICS,      "loopback_test"               },
    {0x0802, OP_DIAGNOSTICS,      "broadcast_test_results_read" },
    {0x0803, OP_DIAGNOSTICS,      "broadcast_test_data_send"    },
    {0x0920, OP_DIAGNOSTICS,      "message_read"                },
    {0x0c01, OP_LOCK,             "access_right_acquire"        },
    {0x0c02, OP_LOCK,             "access_right_forced_acquire" },
    {0x0c03, OP_LOCK,             "access_right_release"        },
    {0x2101, OP_DIAGNOSTICS,      "error_clear"                 },
    {0x2102, OP_DIAGNOSTICS,      "error_log_read"              },
    {0x2103, OP_CONFIG_CHANGE,    "error_log_clear"             },
    {0x2201, OP_FILE_READ,        "file_name_read"              },
    {0x2202, OP_FILE_READ,        "single_file_read"            },
    {0x2203, OP_FILE_WRITE,       "single_file_write"           },
    {0x2204, OP_PROGRAM_DELETE,   "memory_card_format"          },
    {0x2205, OP_FILE_DELETE,      "file_delete"                 },
    {0x2206, OP_FILE_WRITE,       "volume_label_create_delete"  },
    {0x2207, OP_FILE_WRITE,       "file_copy"                   },
    {0x2208, OP_FILE_WRITE,       "file_name_change"            },
    {0x2209, OP_FILE_WRITE,       "file_data_check"             },
    {0x220a, OP_FILE_WRITE,       "memory_area_file_transfer"   },
    {0x220b, OP_FILE_WRITE,       "parameter_area_file_transfer"},
    {0x220c, OP_PROGRAM_DOWNLOAD, "program_area_file_transfer"  },
    {0x220f, OP_FILE_READ,        "file_memory_index_read"      },
    {0x2210, OP_FILE_READ,        "file_memory_read"            },
    {0x2211, OP_FILE_WRITE,       "file_memory_write"           },
    {0x2301, OP_FORCE,            "forced_set_reset"            },
    {0x2302, OP_FORCE,            "forced_set_reset_cancel"     },
    {0x230a, OP_DIAGNOSTICS,      "multiple_forced_status_read" },
    {0x2601, OP_CONFIG_CHANGE,    "name_set"                    },
    {0x2602, OP_CONFIG_CHANGE,    "name_delete"                 },
    {0x2603, OP_IDENTIFY,         "name_read"                   },
};
enum { COMMANDS = sizeof commands / sizeof *commands };

const struct fins_command *fins_command_of(uint16_t code)
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

/* [W342] 5-2-2 and [W227] 3-6; the banks of extended data memory are in area_of */
static const struct fins_area areas[] = {
    {0x00, 1, true,  "cio_bit",         "bit"           },
    {0x80, 2, false, "cio",             "word"          },
    {0x40, 1, true,  "cio_bit",         "bit and force" },
    {0xc0, 4, false, "cio",             "word and force"},
    {0x30, 1, true,  "cio_bit",         "bit"           },
    {0xb0, 2, false, "cio",             "word"          },
    {0x70, 1, true,  "cio_bit",         "bit and force" },
    {0xf0, 4, false, "cio",             "word and force"},
    {0x31, 1, true,  "work_bit",        "bit"           },
    {0xb1, 2, false, "work",            "word"          },
    {0x71, 1, true,  "work_bit",        "bit and force" },
    {0xf1, 4, false, "work",            "word and force"},
    {0x32, 1, true,  "holding_bit",     "bit"           },
    {0xb2, 2, false, "holding",         "word"          },
    {0x72, 1, true,  "holding_bit",     "bit and force" },
    {0xf2, 4, false, "holding",         "word and force"},
    {0x33, 1, true,  "auxiliary_bit",   "bit"           },
    {0xb3, 2, false, "auxiliary",       "word"          },
    {0x01, 1, false, "timer_flag",      "bit"           },
    {0x09, 1, false, "timer_flag",      "bit"           },
    {0x41, 1, false, "timer_flag",      "bit and force" },
    {0x49, 1, false, "timer_flag",      "bit and force" },
    {0x81, 2, false, "timer",           "word"          },
    {0x89, 2, false, "timer",           "word"          },
    {0x02, 1, true,  "dm_bit",          "bit"           },
    {0x82, 2, false, "dm",              "word"          },
    {0x03, 1, false, "transition_flag", "bit"           },
    {0x43, 1, false, "transition_flag", "bit and force" },
    {0x04, 1, false, "step_flag",       "bit"           },
    {0x44, 1, false, "step_status",     "byte"          },
    {0x84, 2, false, "step_timer",      "word"          },
    {0x05, 1, true,  "forced_bit",      "bit"           },
    {0x85, 2, false, "forced",          "word"          },
    {0x06, 1, false, "task_flag",       "bit"           },
    {0x46, 1, false, "task_status",     "byte"          },
    {0x07, 1, true,  "clock_pulse",     "bit"           },
    {0x0a, 1, true,  "em_current_bit",  "bit"           },
    {0x98, 2, false, "em_current",      "word"          },
    {0x9c, 2, false, "register",        "word"          },
    {0xbc, 2, false, "data_register",   "word"          },
    {0xdc, 4, false, "index_register",  "dword"         },
    {0x1b, 1, false, "action_flag",     "bit"           },
    {0xdd, 2, false, "interrupt",       "word"          },
};

static const struct fins_area banks[] = {
    {0x20, 1, true,  "em0_bit",  "bit" },
    {0x21, 1, true,  "em1_bit",  "bit" },
    {0x22, 1, true,  "em2_bit",  "bit" },
    {0x23, 1, true,  "em3_bit",  "bit" },
    {0x24, 1, true,  "em4_bit",  "bit" },
    {0x25, 1, true,  "em5_bit",  "bit" },
    {0x26, 1, true,  "em6_bit",  "bit" },
    {0x27, 1, true,  "em7_bit",  "bit" },
    {0x28, 1, true,  "em8_bit",  "bit" },
    {0x29, 1, true,  "em9_bit",  "bit" },
    {0x2a, 1, true,  "em10_bit", "bit" },
    {0x2b, 1, true,  "em11_bit", "bit" },
    {0x2c, 1, true,  "em12_bit", "bit" },
    {0xa0, 2, false, "em0",      "word"},
    {0xa1, 2, false, "em1",      "word"},
    {0xa2, 2, false, "em2",      "word"},
    {0xa3, 2, false, "em3",      "word"},
    {0xa4, 2, false, "em4",      "word"},
    {0xa5, 2, false, "em5",      "word"},
    {0xa6, 2, false, "em6",      "word"},
    {0xa7, 2, false, "em7",      "word"},
    {0xa8, 2, false, "em8",      "word"},
    {0xa9, 2, false, "em9",      "word"},
    {0xaa, 2, false, "em10",     "word"},
    {0xab, 2, false, "em11",     "word"},
    {0xac, 2, false, "em12",     "word"},
};
enum { BANK_BITS = 13 }; /* rows of banks that are bits */

const struct fins_area *fins_area_of(uint8_t code)
{
    if (code >= 0x20 && code <= 0x2c)
        return &banks[code - 0x20];
    if (code >= 0xa0 && code <= 0xac)
        return &banks[BANK_BITS + code - 0xa0];
    if (code >= 0x90 && code <= 0x97) /* [W227]: the same banks of CV controllers */
        return &banks[BANK_BITS + code - 0x90];
    for (size_t i = 0; i < sizeof areas / sizeof *areas; i++)
        if (areas[i].code == code)
            return &areas[i];
    return NULL;
}

struct word {
    uint16_t code;
    const char *name;
};

static const char *name_of(const struct word words[], size_t count, uint16_t code)
{
    for (size_t i = 0; i < count; i++)
        if (words[i].code == code)
            return words[i].name;
    return NULL;
}

/* [W342] 5-2-3 */
static const struct word parameter_areas[] = {
    {0x8010, "pc_setup"          },
    {0x8011, "peripheral_setup"  },
    {0x8012, "io_table"          },
    {0x8013, "routing_tables"    },
    {0x8002, "cpu_bus_unit_setup"},
};

const char *fins_parameter_area(uint16_t code)
{
    return name_of(parameter_areas, sizeof parameter_areas / sizeof *parameter_areas, code);
}

/* [W342] 5-1-3 */
static const struct word end_codes[] = {
    {0x0000, "ok"                             },
    {0x0001, "service_cancelled"              },
    {0x0101, "local_node_not_in_network"      },
    {0x0102, "token_timeout"                  },
    {0x0103, "retries_failed"                 },
    {0x0104, "too_many_send_frames"           },
    {0x0105, "node_address_range"             },
    {0x0106, "node_address_duplication"       },
    {0x0201, "destination_not_in_network"     },
    {0x0202, "unit_missing"                   },
    {0x0203, "third_node_missing"             },
    {0x0204, "destination_busy"               },
    {0x0205, "response_timeout"               },
    {0x0301, "communications_controller_error"},
    {0x0302, "cpu_unit_error"                 },
    {0x0303, "controller_error"               },
    {0x0304, "unit_number_error"              },
    {0x0401, "undefined_command"              },
    {0x0402, "not_supported_by_model"         },
    {0x0501, "destination_address_setting"    },
    {0x0502, "no_routing_tables"              },
    {0x0503, "routing_table_error"            },
    {0x0504, "too_many_relays"                },
    {0x1001, "command_too_long"               },
    {0x1002, "command_too_short"              },
    {0x1003, "elements_do_not_match"          },
    {0x1004, "command_format_error"           },
    {0x1005, "header_error"                   },
    {0x1101, "area_classification_missing"    },
    {0x1102, "access_size_error"              },
    {0x1103, "address_range_error"            },
    {0x1104, "address_range_exceeded"         },
    {0x1106, "program_missing"                },
    {0x1109, "relational_error"               },
    {0x110a, "duplicate_data_access"          },
    {0x110b, "response_too_long"              },
    {0x110c, "parameter_error"                },
    {0x2002, "protected"                      },
    {0x2003, "table_missing"                  },
    {0x2004, "data_missing"                   },
    {0x2005, "program_missing"                },
    {0x2006, "file_missing"                   },
    {0x2007, "data_mismatch"                  },
    {0x2101, "read_only"                      },
    {0x2102, "protected"                      },
    {0x2103, "cannot_register"                },
    {0x2105, "program_missing"                },
    {0x2106, "file_missing"                   },
    {0x2107, "file_name_exists"               },
    {0x2108, "cannot_change"                  },
    {0x2201, "not_possible_during_execution"  },
    {0x2202, "not_possible_while_running"     },
    {0x2203, "wrong_mode_program"             },
    {0x2204, "wrong_mode_debug"               },
    {0x2205, "wrong_mode_monitor"             },
    {0x2206, "wrong_mode_run"                 },
    {0x2207, "not_polling_node"               },
    {0x2208, "step_cannot_be_executed"        },
    {0x2301, "file_device_missing"            },
    {0x2302, "memory_missing"                 },
    {0x2303, "clock_missing"                  },
    {0x2401, "table_missing"                  },
    {0x2502, "memory_error"                   },
    {0x2503, "io_setting_error"               },
    {0x2504, "too_many_io_points"             },
    {0x2505, "cpu_bus_error"                  },
    {0x2506, "io_duplication"                 },
    {0x2507, "io_bus_error"                   },
    {0x2509, "sysmac_bus_error"               },
    {0x250a, "cpu_bus_unit_error"             },
    {0x250d, "sysmac_bus_duplication"         },
    {0x250f, "memory_error"                   },
    {0x2510, "terminator_missing"             },
    {0x2601, "no_protection"                  },
    {0x2602, "incorrect_password"             },
    {0x2604, "protected"                      },
    {0x2605, "service_already_executing"      },
    {0x2606, "service_stopped"                },
    {0x2607, "no_execution_right"             },
    {0x2608, "settings_required"              },
    {0x2609, "necessary_items_not_set"        },
    {0x260a, "number_already_defined"         },
    {0x260b, "error_will_not_clear"           },
    {0x3001, "access_right_held_by_another"   },
    {0x4001, "aborted"                        },
};

const char *fins_end_code(uint16_t code)
{
    return name_of(end_codes, sizeof end_codes / sizeof *end_codes, code);
}
