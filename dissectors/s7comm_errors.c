/* s7comm_errors.c: names of errors; PROTOCOLS 6 "Errors" and "Item return codes". */
#include "s7comm_errors.h"

#include <stddef.h>

static const struct error {
    uint16_t code;
    const char *name;
} errors[] = {
  /* rising, for the search */
    {0x0110, "invalid_block_number"               },
    {0x0111, "invalid_request_length"             },
    {0x0112, "invalid_parameter"                  },
    {0x0113, "invalid_block_type"                 },
    {0x0114, "block_not_found"                    },
    {0x0115, "block_already_exists"               },
    {0x0116, "block_write_protected"              },
    {0x0117, "block_too_large"                    },
    {0x0118, "invalid_block_number"               },
    {0x0119, "wrong_password"                     },
    {0x011a, "pg_resource_error"                  },
    {0x011b, "plc_resource_error"                 },
    {0x011c, "protocol_error"                     },
    {0x011d, "too_many_blocks"                    },
    {0x0140, "insufficient_memory"                },
    {0x0141, "no_resources"                       },
    {0x8001, "service_not_possible_in_block_state"},
    {0x8003, "block_transfer_error"               },
    {0x8100, "service_unknown"                    },
    {0x8104, "service_not_implemented"            },
    {0x8204, "object_type_inconsistent"           },
    {0x8205, "copied_block_exists"                },
    {0x8301, "insufficient_memory"                },
    {0x8302, "no_resources"                       },
    {0x8304, "no_more_parallel_uploads"           },
    {0x8305, "function_not_available"             },
    {0x8306, "insufficient_work_memory"           },
    {0x8307, "insufficient_retentive_memory"      },
    {0x8401, "invalid_service_sequence"           },
    {0x8402, "object_state_forbids_service"       },
    {0x8404, "function_cannot_be_performed"       },
    {0x8405, "remote_block_disabled"              },
    {0x8500, "wrong_frames"                       },
    {0x8503, "service_cancelled_by_module"        },
    {0x8701, "invalid_object_address"             },
    {0x8702, "service_not_supported"              },
    {0x8703, "object_access_refused"              },
    {0x8704, "object_damaged"                     },
    {0xd001, "illegal_job_number"                 },
    {0xd002, "illegal_job_variant"                },
    {0xd003, "debugging_not_supported"            },
    {0xd004, "illegal_job_status"                 },
    {0xd041, "illegal_szl_id"                     },
    {0xd042, "illegal_tag_address"                },
    {0xd043, "job_not_found"                      },
    {0xd061, "no_memory_for_job"                  },
    {0xd062, "job_list_full"                      },
    {0xd081, "not_permitted_in_current_mode"      },
    {0xd082, "cannot_exit_hold"                   },
    {0xd0a1, "not_permitted_at_protection_level"  },
    {0xd0a2, "memory_is_being_changed"            },
    {0xd0a4, "forcing_already_active"             },
    {0xd0a5, "job_not_found"                      },
    {0xd0c2, "mode_became_stop_or_hold"           },
    {0xd201, "block_name_syntax"                  },
    {0xd202, "function_parameter_syntax"          },
    {0xd205, "linked_block_exists_in_ram"         },
    {0xd206, "linked_block_exists_in_eprom"       },
    {0xd208, "too_many_copied_blocks"             },
    {0xd209, "block_not_found"                    },
    {0xd20a, "too_many_blocks_to_link"            },
    {0xd20b, "too_many_blocks_to_delete"          },
    {0xd20c, "priority_class_missing"             },
    {0xd20d, "sdb_not_interpretable"              },
    {0xd20e, "no_more_blocks"                     },
    {0xd20f, "block_too_large"                    },
    {0xd210, "invalid_block_number"               },
    {0xd212, "incorrect_header_attribute"         },
    {0xd213, "too_many_sdbs"                      },
    {0xd216, "invalid_user_program"               },
    {0xd217, "protection_level_not_permitted"     },
    {0xd218, "incorrect_attribute"                },
    {0xd219, "incorrect_block_length"             },
    {0xd21a, "incorrect_local_data_length"        },
    {0xd21b, "cannot_compress"                    },
    {0xd21e, "cannot_assign_parameters"           },
    {0xd220, "invalid_programming_language"       },
    {0xd221, "invalid_connection_data"            },
    {0xd231, "priority_class_missing"             },
    {0xd232, "illegal_block_number"               },
    {0xd234, "block_exists_twice"                 },
    {0xd235, "incorrect_block_checksum"           },
    {0xd236, "block_checksum_missing"             },
    {0xd240, "coordination_rules_violated"        },
    {0xd241, "not_permitted_at_protection_level"  },
    {0xd242, "f_block_protection_violation"       },
    {0xd250, "update_does_not_match_module"       },
    {0xd252, "checksum_error"                     },
    {0xd280, "block_compile_error"                },
    {0xd2a1, "other_block_function_active"        },
    {0xd2a2, "trigger_active_on_block"            },
    {0xd2a3, "block_not_active"                   },
    {0xd2a4, "block_in_use"                       },
    {0xd2a6, "save_and_change_conflict"           },
    {0xd2a7, "block_unlinked"                     },
    {0xd2a8, "debugging_prevents_parameters"      },
    {0xd2a9, "parameters_being_assigned"          },
    {0xd2aa, "module_parameters_being_assigned"   },
    {0xd401, "information_unavailable"            },
    {0xd402, "information_unavailable"            },
    {0xd403, "already_logged_on"                  },
    {0xd404, "too_many_logons"                    },
    {0xd405, "service_not_supported"              },
    {0xd406, "information_currently_unavailable"  },
    {0xd407, "diagnostics_error"                  },
    {0xd601, "function_parameter_syntax"          },
    {0xd602, "wrong_password"                     },
    {0xd603, "already_legitimized"                },
    {0xd604, "already_enabled"                    },
    {0xd605, "no_password_set"                    },
    {0xd801, "invalid_tag_address"                },
    {0xd802, "job_does_not_exist"                 },
    {0xd803, "illegal_job_status"                 },
    {0xd804, "illegal_cycle_time"                 },
    {0xd805, "too_many_cyclic_jobs"               },
    {0xd807, "aborted_by_overload"                },
    {0xdc01, "invalid_time"                       },
    {0xef01, "protocol_error_id2"                 },
    {0xef02, "protocol_error_resources"           },
};

const char *s7comm_error_name(uint16_t error)
{
    static const struct error classes[] = {
        {0x81, "application_relationship"},
        {0x82, "object_definition"       },
        {0x83, "no_resources"            },
        {0x84, "service_processing"      },
        {0x85, "supplies"                },
        {0x87, "access"                  },
    };
    size_t low = 0, high = sizeof errors / sizeof *errors;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (errors[middle].code == error)
            return errors[middle].name;
        if (errors[middle].code < error)
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (classes[i].code == error >> 8)
            return classes[i].name;
    return NULL;
}

const char *s7comm_item_error_name(uint8_t code)
{
    switch (code) {
    case 0x01:
        return "hardware_fault";
    case 0x03:
        return "access_not_allowed";
    case 0x05:
        return "invalid_address";
    case 0x06:
        return "type_not_supported";
    case 0x07:
        return "type_inconsistent";
    case 0x0a:
        return "object_does_not_exist";
    default:
        return NULL;
    }
}
