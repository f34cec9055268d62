/* pnio_records.c: what the records of a PROFINET IO device are called and how grave they are.
 *
 * Spec: [PN] IEC 61158-6-10, coding of the index; PROTOCOLS 13
 */
#include "pnio_cm.h"

static const struct record {
    uint16_t index;
    enum operation on_read;
    const char *name;
} records[] = {
  /* by rising index */
    {0x0100, OP_READ,        "profisafe"                       },
    {0x8000, OP_IDENTIFY,    "expected_identification_subslot" },
    {0x8001, OP_IDENTIFY,    "real_identification_subslot"     },
    {0x800a, OP_DIAGNOSTICS, "channel_diagnosis_subslot"       },
    {0x800b, OP_DIAGNOSTICS, "all_diagnosis_subslot"           },
    {0x800c, OP_DIAGNOSTICS, "diagnosis_subslot"               },
    {0x8010, OP_DIAGNOSTICS, "maintenance_required_subslot"    },
    {0x8011, OP_DIAGNOSTICS, "maintenance_demanded_subslot"    },
    {0x8012, OP_DIAGNOSTICS, "all_maintenance_subslot"         },
    {0x8013, OP_DIAGNOSTICS, "all_maintenance_demanded_subslot"},
    {0x801e, OP_READ,        "substitute_value"                },
    {0x8020, OP_READ,        "pd_subframe_data"                },
    {0x8027, OP_IDENTIFY,    "pd_port_data_real_extended"      },
    {0x8028, OP_READ,        "input_data"                      },
    {0x8029, OP_READ,        "output_data"                     },
    {0x802a, OP_IDENTIFY,    "pd_port_data_real"               },
    {0x802b, OP_READ,        "pd_port_data_check"              },
    {0x802c, OP_READ,        "pd_ir_data"                      },
    {0x802d, OP_READ,        "pd_sync_data"                    },
    {0x802f, OP_READ,        "pd_port_data_adjust"             },
    {0x8030, OP_READ,        "isochronous_mode_data"           },
    {0x8031, OP_READ,        "pd_time_data"                    },
    {0x8050, OP_DIAGNOSTICS, "mrp_data_real"                   },
    {0x8051, OP_READ,        "mrp_data_check"                  },
    {0x8052, OP_READ,        "mrp_data_adjust"                 },
    {0x8053, OP_READ,        "mrp_port_data_adjust"            },
    {0x8054, OP_DIAGNOSTICS, "mrp_port_data_real"              },
    {0x8055, OP_READ,        "mrp_interconnection_adjust"      },
    {0x8056, OP_READ,        "mrp_interconnection_check"       },
    {0x8057, OP_DIAGNOSTICS, "mrp_interconnection_real"        },
    {0x8060, OP_DIAGNOSTICS, "fiber_optic_data_real"           },
    {0x8061, OP_READ,        "fiber_optic_data_check"          },
    {0x8062, OP_READ,        "fiber_optic_data_adjust"         },
    {0x8063, OP_READ,        "sfp_data_check"                  },
    {0x8070, OP_READ,        "network_components_data_check"   },
    {0x8071, OP_READ,        "pd_interface_adjust"             },
    {0x8072, OP_DIAGNOSTICS, "port_statistic"                  },
    {0x8080, OP_IDENTIFY,    "pd_interface_data_real"          },
    {0x8090, OP_READ,        "fast_start_up_interface_adjust"  },
    {0x80a0, OP_READ,        "energy_saving"                   },
    {0x80af, OP_DIAGNOSTICS, "energy_entity_status"            },
    {0x80b0, OP_READ,        "combined_object_container"       },
    {0x80cf, OP_READ,        "reporting_observer_adjust"       },
    {0x80d0, OP_DIAGNOSTICS, "condition_monitoring"            },
    {0x80f0, OP_DIAGNOSTICS, "tsn_network_control_real"        },
    {0x80f1, OP_READ,        "tsn_stream_path"                 },
    {0x80f2, OP_READ,        "tsn_sync_tree"                   },
    {0x80f3, OP_READ,        "tsn_upload_network_attributes"   },
    {0x80f4, OP_READ,        "tsn_expected_network_attributes" },
    {0x80f5, OP_READ,        "tsn_network_control_adjust"      },
    {0x80f6, OP_DIAGNOSTICS, "tsn_stream_path_high"            },
    {0x80f7, OP_DIAGNOSTICS, "tsn_stream_path_high_redundant"  },
    {0x80f8, OP_DIAGNOSTICS, "tsn_stream_path_low"             },
    {0x80f9, OP_DIAGNOSTICS, "tsn_stream_path_low_redundant"   },
    {0xaff0, OP_IDENTIFY,    "im0"                             },
    {0xaff1, OP_IDENTIFY,    "im1_tags"                        },
    {0xaff2, OP_IDENTIFY,    "im2_installation_date"           },
    {0xaff3, OP_IDENTIFY,    "im3_descriptor"                  },
    {0xaff4, OP_IDENTIFY,    "im4_signature"                   },
    {0xaff5, OP_IDENTIFY,    "im5"                             },
    {0xb02e, OP_READ,        "drive_parameter_local"           },
    {0xb02f, OP_READ,        "drive_parameter_global"          },
    {0xc000, OP_IDENTIFY,    "expected_identification_slot"    },
    {0xc001, OP_IDENTIFY,    "real_identification_slot"        },
    {0xc00a, OP_DIAGNOSTICS, "channel_diagnosis_slot"          },
    {0xc00b, OP_DIAGNOSTICS, "all_diagnosis_slot"              },
    {0xc00c, OP_DIAGNOSTICS, "diagnosis_slot"                  },
    {0xc010, OP_DIAGNOSTICS, "maintenance_required_slot"       },
    {0xc011, OP_DIAGNOSTICS, "maintenance_demanded_slot"       },
    {0xc012, OP_DIAGNOSTICS, "all_maintenance_slot"            },
    {0xc013, OP_DIAGNOSTICS, "all_maintenance_demanded_slot"   },
    {0xe000, OP_IDENTIFY,    "expected_identification"         },
    {0xe001, OP_IDENTIFY,    "real_identification"             },
    {0xe002, OP_IDENTIFY,    "module_difference"               },
    {0xe00a, OP_DIAGNOSTICS, "channel_diagnosis"               },
    {0xe00b, OP_DIAGNOSTICS, "all_diagnosis"                   },
    {0xe00c, OP_DIAGNOSTICS, "diagnosis"                       },
    {0xe010, OP_DIAGNOSTICS, "maintenance_required"            },
    {0xe011, OP_DIAGNOSTICS, "maintenance_demanded"            },
    {0xe012, OP_DIAGNOSTICS, "all_maintenance"                 },
    {0xe013, OP_DIAGNOSTICS, "all_maintenance_demanded"        },
    {0xe030, OP_READ,        "energy_entity_filter"            },
    {0xe031, OP_DIAGNOSTICS, "energy_entity_status_ar"         },
    {0xe040, OP_READ,        "multiple_write"                  },
    {0xe041, OP_READ,        "application_ready"               },
    {0xe050, OP_READ,        "fast_start_up_data_adjust"       },
    {0xe060, OP_DIAGNOSTICS, "reporting_get_event"             },
    {0xe061, OP_DIAGNOSTICS, "reporting_acknowledge"           },
    {0xf000, OP_IDENTIFY,    "real_identification_api"         },
    {0xf00a, OP_DIAGNOSTICS, "channel_diagnosis_api"           },
    {0xf00b, OP_DIAGNOSTICS, "all_diagnosis_api"               },
    {0xf00c, OP_DIAGNOSTICS, "diagnosis_api"                   },
    {0xf010, OP_DIAGNOSTICS, "maintenance_required_api"        },
    {0xf011, OP_DIAGNOSTICS, "maintenance_demanded_api"        },
    {0xf012, OP_DIAGNOSTICS, "all_maintenance_api"             },
    {0xf013, OP_DIAGNOSTICS, "all_maintenance_demanded_api"    },
    {0xf020, OP_DIAGNOSTICS, "ar_data_api"                     },
    {0xf80c, OP_DIAGNOSTICS, "diagnosis_device"                },
    {0xf820, OP_DIAGNOSTICS, "ar_data"                         },
    {0xf821, OP_IDENTIFY,    "api_data"                        },
    {0xf830, OP_DIAGNOSTICS, "log_book"                        },
    {0xf831, OP_READ,        "pdev_data"                       },
    {0xf840, OP_IDENTIFY,    "im0_filter"                      },
    {0xf841, OP_IDENTIFY,    "pd_real_data"                    },
    {0xf842, OP_READ,        "pd_expected_data"                },
    {0xf850, OP_READ,        "auto_configuration"              },
    {0xf860, OP_READ,        "gsd_upload"                      },
    {0xf870, OP_READ,        "energy_entity_filter_device"     },
    {0xf871, OP_DIAGNOSTICS, "energy_entity_status_device"     },
    {0xf880, OP_IDENTIFY,    "asset_management"                },
    {0xf8f0, OP_READ,        "tsn_stream_add"                  },
    {0xf8f1, OP_IDENTIFY,    "rsi_instances"                   },
    {0xf8f2, OP_READ,        "tsn_stream_remove"               },
    {0xf8f3, OP_READ,        "tsn_stream_renew"                },
    {0xfbff, OP_DIAGNOSTICS, "connection_monitoring"           },
};

enum { DRIVE_LOCAL = 0xb02e, DRIVE_GLOBAL = 0xb02f };

static const struct record *record_of(uint16_t index)
{
    size_t low = 0, high = sizeof records / sizeof *records;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (records[middle].index == index)
            return &records[middle];
        if (records[middle].index < index)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const char *pnio_record_name(uint16_t index)
{
    const struct record *r = record_of(index);
    return r ? r->name : NULL;
}

enum operation pnio_record_operation(uint16_t index, bool is_write)
{
    if (is_write) /* PROTOCOLS 13: drives are moved by their parameter channel */
        return index == DRIVE_GLOBAL || index == DRIVE_LOCAL ? OP_CONTROL : OP_CONFIG_CHANGE;
    const struct record *r = record_of(index);
    return r ? r->on_read : OP_READ;
}
