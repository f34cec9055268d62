/* pccc_functions.c: the command set of PLC-5, SLC 500 and MicroLogix.
 *
 * Spec: [DF1] Rockwell 1770-6.5.16: DF1 Protocol and Command Set, chapter 7 (commands), 8 (status)
 */
#include "pccc_functions.h"

#include <stddef.h>

/* command, function, operation, name, body */
const struct pccc_function pccc_functions[] = {
    {0x00, PCCC_NO_FUNCTION, OP_WRITE,            "protected_write",                      PCCC_NONE           },
    {0x01, PCCC_NO_FUNCTION, OP_READ,             "unprotected_read",                     PCCC_NONE           },
    {0x02, PCCC_NO_FUNCTION, OP_CONTROL,          "protected_bit_write",                  PCCC_NONE           },
    {0x04, PCCC_NO_FUNCTION, OP_READ,             "physical_read",                        PCCC_NONE           },
    {0x05, PCCC_NO_FUNCTION, OP_CONTROL,          "unprotected_bit_write",                PCCC_NONE           },
    {0x06, 0x00,             OP_DIAGNOSTICS,      "echo",                                 PCCC_NONE           },
    {0x06, 0x01,             OP_DIAGNOSTICS,      "read_diagnostic_counters",             PCCC_NONE           },
    {0x06, 0x02,             OP_CONFIG_CHANGE,    "set_variables",                        PCCC_NONE           },
    {0x06, 0x03,             OP_IDENTIFY,         "diagnostic_status",                    PCCC_IDENTITY       },
    {0x06, 0x04,             OP_CONFIG_CHANGE,    "set_timeout",                          PCCC_NONE           },
    {0x06, 0x05,             OP_CONFIG_CHANGE,    "set_naks",                             PCCC_NONE           },
    {0x06, 0x06,             OP_CONFIG_CHANGE,    "set_enqs",                             PCCC_NONE           },
    {0x06, 0x07,             OP_CONFIG_CHANGE,    "reset_diagnostic_counters",            PCCC_NONE           },
    {0x06, 0x08,             OP_CONFIG_CHANGE,    "set_data_table_size",                  PCCC_NONE           },
    {0x06, 0x09,             OP_DIAGNOSTICS,      "read_link_parameters",                 PCCC_NONE           },
    {0x06, 0x0a,             OP_CONFIG_CHANGE,    "set_link_parameters",                  PCCC_NONE           },
    {0x07, 0x00,             OP_CONTROL,          "disable_outputs",                      PCCC_NONE           },
    {0x07, 0x01,             OP_CONTROL,          "enable_outputs",                       PCCC_NONE           },
    {0x07, 0x03,             OP_START,            "enable_plc_scanning",                  PCCC_NONE           },
    {0x07, 0x04,             OP_MODE_CHANGE,      "enter_download_mode",                  PCCC_NONE           },
    {0x07, 0x05,             OP_MODE_CHANGE,      "exit_download_upload_mode",            PCCC_NONE           },
    {0x07, 0x06,             OP_MODE_CHANGE,      "enter_upload_mode",                    PCCC_NONE           },
    {0x08, PCCC_NO_FUNCTION, OP_WRITE,            "unprotected_write",                    PCCC_NONE           },
    {0x0f, 0x00,             OP_WRITE,            "word_range_write",                     PCCC_NONE           },
    {0x0f, 0x01,             OP_READ,             "word_range_read",                      PCCC_NONE           },
    {0x0f, 0x02,             OP_CONTROL,          "bit_write",                            PCCC_NONE           },
    {0x0f, 0x03,             OP_WRITE,            "file_write",                           PCCC_NONE           },
    {0x0f, 0x04,             OP_READ,             "file_read",                            PCCC_NONE           },
    {0x0f, 0x05,             OP_PROGRAM_DOWNLOAD, "download_request",                     PCCC_DOWNLOAD_BEGIN },
    {0x0f, 0x06,             OP_PROGRAM_UPLOAD,   "upload",                               PCCC_UPLOAD_BEGIN   },
    {0x0f, 0x07,             OP_STOP,             "shutdown",                             PCCC_NONE           },
    {0x0f, 0x08,             OP_PROGRAM_DOWNLOAD, "physical_write",                       PCCC_DOWNLOAD_BLOCK },
    {0x0f, 0x09,             OP_PROGRAM_UPLOAD,   "physical_read",                        PCCC_UPLOAD_BLOCK   },
    {0x0f, 0x0a,             OP_RESTART,          "restart_request",                      PCCC_NONE           },
    {0x0f, 0x11,             OP_LOCK,             "get_edit_resource",                    PCCC_NONE           },
    {0x0f, 0x12,             OP_LOCK,             "return_edit_resource",                 PCCC_NONE           },
    {0x0f, 0x17,             OP_PROGRAM_UPLOAD,   "read_bytes_physical",                  PCCC_UPLOAD_BLOCK   },
    {0x0f, 0x18,             OP_PROGRAM_DOWNLOAD, "write_bytes_physical",                 PCCC_DOWNLOAD_BLOCK },
    {0x0f, 0x26,             OP_WRITE,            "read_modify_write",                    PCCC_NONE           },
    {0x0f, 0x29,             OP_BROWSE,           "read_section_size",                    PCCC_NONE           },
    {0x0f, 0x3a,             OP_MODE_CHANGE,      "set_cpu_mode",                         PCCC_CPU_MODE       },
    {0x0f, 0x41,             OP_FORCE,            "disable_forces",                       PCCC_NONE           },
    {0x0f, 0x50,             OP_PROGRAM_DOWNLOAD, "download_all_request",                 PCCC_DOWNLOAD_BEGIN },
    {0x0f, 0x52,             OP_PROGRAM_DOWNLOAD, "download_completed",                   PCCC_DOWNLOAD_END   },
    {0x0f, 0x53,             OP_PROGRAM_UPLOAD,   "upload_all_request",                   PCCC_UPLOAD_BEGIN   },
    {0x0f, 0x55,             OP_PROGRAM_UPLOAD,   "upload_completed",                     PCCC_UPLOAD_END     },
    {0x0f, 0x57,             OP_PROGRAM_DELETE,   "initialize_memory",                    PCCC_NONE           },
    {0x0f, 0x5e,             OP_CONFIG_CHANGE,    "modify_plc2_compatibility_file",       PCCC_NONE           },
    {0x0f, 0x67,             OP_WRITE,            "typed_write",                          PCCC_NONE           },
    {0x0f, 0x68,             OP_READ,             "typed_read",                           PCCC_NONE           },
    {0x0f, 0x79,             OP_WRITE,            "read_modify_write_n",                  PCCC_NONE           },
    {0x0f, 0x80,             OP_MODE_CHANGE,      "change_mode",                          PCCC_MODE           },
    {0x0f, 0x81,             OP_FILE_READ,        "open_file",                            PCCC_NONE           },
    {0x0f, 0x82,             OP_FILE_READ,        "close_file",                           PCCC_NONE           },
    {0x0f, 0x88,             OP_UNKNOWN,          "execute_multiple",                     PCCC_MULTIPLE       },
    {0x0f, 0x8f,             OP_CONFIG_CHANGE,    "apply_port_configuration",             PCCC_NONE           },
    {0x0f, 0xa1,             OP_READ,             "protected_typed_logical_read",         PCCC_LOGICAL_READ_2 },
    {0x0f, 0xa2,             OP_READ,             "protected_typed_logical_read",         PCCC_LOGICAL_READ_3 },
    {0x0f, 0xa3,             OP_READ,             "protected_typed_logical_read_many",    PCCC_NONE           },
    {0x0f, 0xa7,             OP_FILE_READ,        "protected_typed_file_read",            PCCC_UPLOAD_BLOCK   },
    {0x0f, 0xa9,             OP_WRITE,            "protected_typed_logical_write",        PCCC_LOGICAL_WRITE_2},
    {0x0f, 0xaa,             OP_WRITE,            "protected_typed_logical_write",        PCCC_LOGICAL_WRITE_3},
    {0x0f, 0xab,             OP_WRITE,            "protected_typed_logical_masked_write", PCCC_MASKED_WRITE_3 },
    {0x0f, 0xaf,             OP_FILE_WRITE,       "protected_typed_file_write",           PCCC_DOWNLOAD_BLOCK },
};
const size_t pccc_function_count = sizeof pccc_functions / sizeof *pccc_functions;

struct status {
    uint8_t code;
    const char *name;
};

/* [DF1] 8: the high nibble is the remote node's, the low one the local link's */
static const struct status statuses[] = {
    {0x00, "ok"                               },
    {0x01, "no_buffer"                        },
    {0x02, "no_acknowledgement"               },
    {0x03, "duplicate_token_holder"           },
    {0x04, "local_port_disconnected"          },
    {0x05, "application_timeout"              },
    {0x06, "duplicate_node"                   },
    {0x07, "station_offline"                  },
    {0x08, "hardware_fault"                   },
    {0x10, "illegal_command_or_format"        },
    {0x20, "host_will_not_communicate"        },
    {0x30, "remote_node_missing"              },
    {0x40, "hardware_fault"                   },
    {0x50, "addressing_problem_or_protected"  },
    {0x60, "function_disallowed_by_protection"},
    {0x70, "processor_in_program_mode"        },
    {0x80, "compatibility_file_missing"       },
    {0x90, "remote_node_cannot_buffer"        },
    {0xa0, "wait_acknowledge"                 },
    {0xb0, "remote_node_problem"              },
    {0xf0, "extended_status"                  },
};

static const struct status extended_statuses[] = {
    {0x01, "illegal_field_value"          },
    {0x02, "too_few_address_levels"       },
    {0x03, "too_many_address_levels"      },
    {0x04, "symbol_not_found"             },
    {0x05, "symbol_of_improper_format"    },
    {0x06, "address_not_usable"           },
    {0x07, "file_of_wrong_size"           },
    {0x08, "request_cannot_be_completed"  },
    {0x09, "data_or_file_too_large"       },
    {0x0a, "transaction_size_too_large"   },
    {0x0b, "access_denied"                },
    {0x0c, "condition_cannot_be_generated"},
    {0x0d, "condition_already_exists"     },
    {0x0e, "command_cannot_be_executed"   },
    {0x0f, "histogram_overflow"           },
    {0x10, "no_access"                    },
    {0x11, "illegal_data_type"            },
    {0x12, "invalid_parameter"            },
    {0x13, "reference_to_deleted_area"    },
    {0x1a, "file_opened_by_another_node"  },
    {0x1b, "program_owned_by_another_node"},
};

const struct pccc_function *pccc_function_find(uint8_t command, uint16_t function)
{
    uint32_t wanted = (uint32_t)command << 16 | function;
    size_t low = 0, high = pccc_function_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct pccc_function *f = &pccc_functions[middle];
        uint32_t here = (uint32_t)f->command << 16 | f->function;
        if (here == wanted)
            return f;
        if (here < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

bool pccc_has_function(uint8_t command)
{
    return command == 0x06 || command == 0x07 || command == 0x0f;
}

static const char *status_find(const struct status *list, size_t count, uint8_t code)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].code == code)
            return list[i].name;
    return NULL;
}

const char *pccc_status_name(uint8_t status, uint8_t extended)
{
    if (status == 0xf0 && extended) {
        const char *name = status_find(
            extended_statuses, sizeof extended_statuses / sizeof *extended_statuses, extended);
        if (name)
            return name;
    }
    return status_find(statuses, sizeof statuses / sizeof *statuses, status);
}
