/* hart_commands.c: HART commands: what they mean, and the parameters in their data.
 *
 * Spec: [UNI] FieldComm HCF_SPEC-127 Universal Command Specification 7.x
 *       [COM] HCF_SPEC-151 Common Practice Command Specification
 *       [RSP] HCF_SPEC-307 Command Response Code Specification */
#include "hart_commands.h"

/* In the order of their numbers. */
static const struct hart_command commands[] = {
    {0,   OP_IDENTIFY,      "read_unique_identifier"                           },
    {1,   OP_READ,          "read_primary_variable"                            },
    {2,   OP_READ,          "read_loop_current_and_percent_of_range"           },
    {3,   OP_READ,          "read_dynamic_variables_and_loop_current"          },
    {6,   OP_CONFIG_CHANGE, "write_polling_address"                            },
    {7,   OP_DIAGNOSTICS,   "read_loop_configuration"                          },
    {8,   OP_DIAGNOSTICS,   "read_dynamic_variable_classifications"            },
    {9,   OP_READ,          "read_device_variables_with_status"                },
    {11,  OP_DISCOVER,      "read_unique_identifier_by_tag"                    },
    {12,  OP_DIAGNOSTICS,   "read_message"                                     },
    {13,  OP_DIAGNOSTICS,   "read_tag_descriptor_date"                         },
    {14,  OP_DIAGNOSTICS,   "read_primary_variable_transducer_information"     },
    {15,  OP_DIAGNOSTICS,   "read_device_information"                          },
    {16,  OP_DIAGNOSTICS,   "read_final_assembly_number"                       },
    {17,  OP_CONFIG_CHANGE, "write_message"                                    },
    {18,  OP_CONFIG_CHANGE, "write_tag_descriptor_date"                        },
    {19,  OP_CONFIG_CHANGE, "write_final_assembly_number"                      },
    {20,  OP_DIAGNOSTICS,   "read_long_tag"                                    },
    {21,  OP_DISCOVER,      "read_unique_identifier_by_long_tag"               },
    {22,  OP_CONFIG_CHANGE, "write_long_tag"                                   },
    {33,  OP_READ,          "read_device_variables"                            },
    {34,  OP_CONFIG_CHANGE, "write_primary_variable_damping"                   },
    {35,  OP_CONFIG_CHANGE, "write_primary_variable_range_values"              },
    {36,  OP_CONFIG_CHANGE, "set_primary_variable_upper_range_value"           },
    {37,  OP_CONFIG_CHANGE, "set_primary_variable_lower_range_value"           },
    {38,  OP_CONFIG_CHANGE, "reset_configuration_changed_flag"                 },
    {39,  OP_DIAGNOSTICS,   "eeprom_control"                                   },
    {40,  OP_FORCE,         "enter_exit_fixed_current_mode"                    },
    {41,  OP_DIAGNOSTICS,   "perform_self_test"                                },
    {42,  OP_RESTART,       "perform_device_reset"                             },
    {43,  OP_CONFIG_CHANGE, "set_primary_variable_zero"                        },
    {44,  OP_CONFIG_CHANGE, "write_primary_variable_units"                     },
    {45,  OP_CONFIG_CHANGE, "trim_loop_current_zero"                           },
    {46,  OP_CONFIG_CHANGE, "trim_loop_current_gain"                           },
    {47,  OP_CONFIG_CHANGE, "write_primary_variable_transfer_function"         },
    {48,  OP_DIAGNOSTICS,   "read_additional_device_status"                    },
    {49,  OP_CONFIG_CHANGE, "write_primary_variable_transducer_serial_number"  },
    {50,  OP_DIAGNOSTICS,   "read_dynamic_variable_assignments"                },
    {51,  OP_CONFIG_CHANGE, "write_dynamic_variable_assignments"               },
    {52,  OP_CONFIG_CHANGE, "set_device_variable_zero"                         },
    {53,  OP_CONFIG_CHANGE, "write_device_variable_units"                      },
    {54,  OP_DIAGNOSTICS,   "read_device_variable_information"                 },
    {55,  OP_CONFIG_CHANGE, "write_device_variable_damping"                    },
    {56,  OP_CONFIG_CHANGE, "write_device_variable_transducer_serial_number"   },
    {57,  OP_DIAGNOSTICS,   "read_unit_tag_descriptor_date"                    },
    {58,  OP_CONFIG_CHANGE, "write_unit_tag_descriptor_date"                   },
    {59,  OP_CONFIG_CHANGE, "write_number_of_response_preambles"               },
    {60,  OP_READ,          "read_analog_channel_and_percent_of_range"         },
    {61,  OP_READ,          "read_dynamic_variables_and_primary_analog_channel"},
    {62,  OP_READ,          "read_analog_channels"                             },
    {63,  OP_DIAGNOSTICS,   "read_analog_channel_information"                  },
    {64,  OP_CONFIG_CHANGE, "write_analog_channel_damping"                     },
    {65,  OP_CONFIG_CHANGE, "write_analog_channel_range_values"                },
    {66,  OP_FORCE,         "enter_exit_fixed_analog_channel_mode"             },
    {67,  OP_CONFIG_CHANGE, "trim_analog_channel_zero"                         },
    {68,  OP_CONFIG_CHANGE, "trim_analog_channel_gain"                         },
    {69,  OP_CONFIG_CHANGE, "write_analog_channel_transfer_function"           },
    {70,  OP_DIAGNOSTICS,   "read_analog_channel_endpoint_values"              },
    {71,  OP_LOCK,          "lock_device"                                      },
    {72,  OP_IDENTIFY,      "squawk"                                           },
    {73,  OP_DISCOVER,      "find_device"                                      },
    {74,  OP_DISCOVER,      "read_io_system_capabilities"                      },
    {75,  OP_DISCOVER,      "poll_sub_device"                                  },
    {76,  OP_DIAGNOSTICS,   "read_lock_device_state"                           },
    {77,  OP_UNKNOWN,       "send_command_to_sub_device"                       },
    {78,  OP_READ,          "read_aggregated_commands"                         },
    {79,  OP_FORCE,         "write_device_variable"                            },
    {80,  OP_DIAGNOSTICS,   "read_device_variable_trim_points"                 },
    {81,  OP_DIAGNOSTICS,   "read_device_variable_trim_guidelines"             },
    {82,  OP_CONFIG_CHANGE, "write_device_variable_trim_point"                 },
    {83,  OP_CONFIG_CHANGE, "reset_device_variable_trim"                       },
    {84,  OP_IDENTIFY,      "read_sub_device_identity_summary"                 },
    {85,  OP_DIAGNOSTICS,   "read_io_channel_statistics"                       },
    {86,  OP_DIAGNOSTICS,   "read_sub_device_statistics"                       },
    {87,  OP_CONFIG_CHANGE, "write_io_system_master_mode"                      },
    {88,  OP_CONFIG_CHANGE, "write_io_system_retry_count"                      },
    {89,  OP_TIME_SET,      "set_real_time_clock"                              },
    {90,  OP_READ,          "read_real_time_clock"                             },
    {91,  OP_DIAGNOSTICS,   "read_trend_configuration"                         },
    {92,  OP_CONFIG_CHANGE, "write_trend_configuration"                        },
    {93,  OP_READ,          "read_trend"                                       },
    {94,  OP_DIAGNOSTICS,   "read_io_system_client_statistics"                 },
    {95,  OP_DIAGNOSTICS,   "read_device_communication_statistics"             },
    {96,  OP_DIAGNOSTICS,   "read_synchronous_action"                          },
    {97,  OP_CONFIG_CHANGE, "configure_synchronous_action"                     },
    {98,  OP_DIAGNOSTICS,   "read_command_action"                              },
    {99,  OP_CONFIG_CHANGE, "configure_command_action"                         },
    {101, OP_DIAGNOSTICS,   "read_sub_device_to_burst_message_map"             },
    {102, OP_CONFIG_CHANGE, "map_sub_device_to_burst_message"                  },
    {103, OP_CONFIG_CHANGE, "write_burst_period"                               },
    {104, OP_CONFIG_CHANGE, "write_burst_trigger"                              },
    {105, OP_DIAGNOSTICS,   "read_burst_mode_configuration"                    },
    {106, OP_CONFIG_CHANGE, "flush_delayed_responses"                          },
    {107, OP_CONFIG_CHANGE, "write_burst_device_variables"                     },
    {108, OP_CONFIG_CHANGE, "write_burst_mode_command_number"                  },
    {109, OP_SUBSCRIBE,     "burst_mode_control"                               },
    {110, OP_READ,          "read_all_dynamic_variables"                       },
    {111, OP_DIAGNOSTICS,   "transfer_service_control"                         },
    {112, OP_FILE_READ,     "transfer_service"                                 },
    {113, OP_SUBSCRIBE,     "catch_device_variable"                            },
    {114, OP_DIAGNOSTICS,   "read_caught_device_variable"                      },
    {115, OP_DIAGNOSTICS,   "read_event_notification_summary"                  },
    {116, OP_CONFIG_CHANGE, "write_event_notification_bit_mask"                },
    {117, OP_CONFIG_CHANGE, "write_event_notification_timing"                  },
    {118, OP_SUBSCRIBE,     "event_notification_control"                       },
    {119, OP_ALARM,         "acknowledge_event_notification"                   },
    {512, OP_IDENTIFY,      "read_country_code"                                },
    {513, OP_CONFIG_CHANGE, "write_country_code"                               },
};

/* In the order of the commands. [UNI] 6, [COM] 7 */
static const struct hart_field fields[] = {
    {1,   1,  HART_F32,    4,  "primary_variable"         },
    {2,   0,  HART_F32,    4,  "loop_current"             },
    {2,   4,  HART_F32,    4,  "percent_of_range"         },
    {3,   0,  HART_F32,    4,  "loop_current"             },
    {3,   5,  HART_F32,    4,  "primary_variable"         },
    {3,   10, HART_F32,    4,  "secondary_variable"       },
    {3,   15, HART_F32,    4,  "tertiary_variable"        },
    {3,   20, HART_F32,    4,  "quaternary_variable"      },
    {6,   0,  HART_U8,     1,  "polling_address"          },
    {6,   1,  HART_U8,     1,  "loop_current_mode"        },
    {7,   0,  HART_U8,     1,  "polling_address"          },
    {7,   1,  HART_U8,     1,  "loop_current_mode"        },
    {11,  0,  HART_PACKED, 6,  "tag"                      },
    {12,  0,  HART_PACKED, 24, "message"                  },
    {13,  0,  HART_PACKED, 6,  "tag"                      },
    {13,  6,  HART_PACKED, 12, "descriptor"               },
    {14,  0,  HART_U24,    3,  "transducer_serial_number" },
    {14,  4,  HART_F32,    4,  "upper_transducer_limit"   },
    {14,  8,  HART_F32,    4,  "lower_transducer_limit"   },
    {15,  3,  HART_F32,    4,  "upper_range_value"        },
    {15,  7,  HART_F32,    4,  "lower_range_value"        },
    {15,  11, HART_F32,    4,  "damping"                  },
    {15,  15, HART_U8,     1,  "write_protect"            },
    {16,  0,  HART_U24,    3,  "final_assembly_number"    },
    {17,  0,  HART_PACKED, 24, "message"                  },
    {18,  0,  HART_PACKED, 6,  "tag"                      },
    {18,  6,  HART_PACKED, 12, "descriptor"               },
    {19,  0,  HART_U24,    3,  "final_assembly_number"    },
    {20,  0,  HART_LATIN,  32, "long_tag"                 },
    {21,  0,  HART_LATIN,  32, "long_tag"                 },
    {22,  0,  HART_LATIN,  32, "long_tag"                 },
    {34,  0,  HART_F32,    4,  "damping"                  },
    {35,  0,  HART_U8,     1,  "range_units"              },
    {35,  1,  HART_F32,    4,  "upper_range_value"        },
    {35,  5,  HART_F32,    4,  "lower_range_value"        },
    {40,  0,  HART_F32,    4,  "fixed_current"            },
    {44,  0,  HART_U8,     1,  "units"                    },
    {45,  0,  HART_F32,    4,  "measured_current"         },
    {46,  0,  HART_F32,    4,  "measured_current"         },
    {47,  0,  HART_U8,     1,  "transfer_function"        },
    {49,  0,  HART_U24,    3,  "transducer_serial_number" },
    {51,  0,  HART_U8,     1,  "primary_variable_code"    },
    {51,  1,  HART_U8,     1,  "secondary_variable_code"  },
    {51,  2,  HART_U8,     1,  "tertiary_variable_code"   },
    {51,  3,  HART_U8,     1,  "quaternary_variable_code" },
    {53,  1,  HART_U8,     1,  "units"                    },
    {55,  1,  HART_F32,    4,  "damping"                  },
    {57,  0,  HART_PACKED, 6,  "unit_tag"                 },
    {57,  6,  HART_PACKED, 12, "unit_descriptor"          },
    {58,  0,  HART_PACKED, 6,  "unit_tag"                 },
    {58,  6,  HART_PACKED, 12, "unit_descriptor"          },
    {59,  0,  HART_U8,     1,  "preambles"                },
    {60,  2,  HART_F32,    4,  "analog_channel"           },
    {61,  1,  HART_F32,    4,  "primary_analog_channel"   },
    {61,  6,  HART_F32,    4,  "primary_variable"         },
    {61,  11, HART_F32,    4,  "secondary_variable"       },
    {61,  16, HART_F32,    4,  "tertiary_variable"        },
    {61,  21, HART_F32,    4,  "quaternary_variable"      },
    {64,  1,  HART_F32,    4,  "damping"                  },
    {65,  2,  HART_F32,    4,  "channel_upper_range_value"},
    {65,  6,  HART_F32,    4,  "channel_lower_range_value"},
    {66,  2,  HART_F32,    4,  "fixed_level"              },
    {67,  2,  HART_F32,    4,  "measured_level"           },
    {68,  2,  HART_F32,    4,  "measured_level"           },
    {69,  1,  HART_U8,     1,  "transfer_function"        },
    {71,  0,  HART_U8,     1,  "lock_code"                },
    {79,  3,  HART_F32,    4,  "device_variable"          },
    {82,  3,  HART_F32,    4,  "trim_point"               },
    {87,  0,  HART_U8,     1,  "master_mode"              },
    {88,  0,  HART_U8,     1,  "retry_count"              },
    {110, 1,  HART_F32,    4,  "primary_variable"         },
    {110, 6,  HART_F32,    4,  "secondary_variable"       },
    {110, 11, HART_F32,    4,  "tertiary_variable"        },
    {110, 16, HART_F32,    4,  "quaternary_variable"      },
};

const struct hart_command *hart_command_find(uint16_t number)
{
    size_t low = 0, high = sizeof commands / sizeof *commands;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (commands[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_found = low < sizeof commands / sizeof *commands && commands[low].number == number;
    return is_found ? &commands[low] : NULL;
}

const struct hart_field *hart_fields(uint16_t command, size_t *count)
{
    size_t low = 0, high = sizeof fields / sizeof *fields;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (fields[middle].command < command)
            low = middle + 1;
        else
            high = middle;
    }
    size_t end = low;
    while (end < sizeof fields / sizeof *fields && fields[end].command == command)
        end++;
    *count = end - low;
    return &fields[low];
}

const char *hart_response_name(uint8_t code, bool *is_warning)
{
    static const char *const names[] = {
        [0] = "success",
        [2] = "invalid_selection",
        [3] = "parameter_too_large",
        [4] = "parameter_too_small",
        [5] = "too_few_data_bytes",
        [6] = "device_specific_error",
        [7] = "in_write_protect_mode",
        [8] = "nearest_value_or_update_failure",
        [9] = "lower_range_value_too_high",
        [10] = "lower_range_value_too_low",
        [11] = "upper_range_value_too_high",
        [12] = "upper_range_value_too_low",
        [13] = "invalid_code",
        [14] = "span_too_small",
        [15] = "invalid_analog_channel",
        [16] = "access_restricted",
        [17] = "invalid_device_variable_index",
        [18] = "invalid_units_code",
        [19] = "device_variable_index_not_allowed",
        [32] = "busy",
        [33] = "delayed_response_initiated",
        [34] = "delayed_response_running",
        [35] = "delayed_response_dead",
        [36] = "delayed_response_conflict",
        [60] = "payload_too_long",
        [61] = "no_buffers_available",
        [62] = "no_alarm_or_event_buffers_available",
        [63] = "priority_too_low",
        [64] = "command_not_implemented",
    };
    /* [RSP] 8, 14, 24 to 27, 30, 31 and 96 to 111 are warnings; 33 and 34 promise an answer */
    *is_warning = code == 8 || code == 14 || (code >= 24 && code <= 27) || code == 30 ||
                  code == 31 || code == 33 || code == 34 || (code >= 96 && code <= 111);
    return code < sizeof names / sizeof *names ? names[code] : NULL;
}

const char *hart_manufacturer(uint16_t number)
{
    /* HCF_SPEC-183, table 8 */
    static const struct {
        uint16_t number;
        const char *name;
    } names[] = {
        {0x11, "Endress+Hauser" },
        {0x13, "Fisher Controls"},
        {0x17, "Honeywell"      },
        {0x1f, "Micro Motion"   },
        {0x26, "Rosemount"      },
        {0x2a, "Siemens"        },
        {0x37, "Yokogawa"       },
        {0x42, "Samson"         },
        {0x45, "Krohne"         },
        {0x5d, "Pepperl+Fuchs"  },
        {0x62, "Vega"           },
        {0xf9, "FieldComm Group"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].number == number)
            return names[i].name;
    return NULL;
}
