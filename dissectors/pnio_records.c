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
    {0x8000, OP_IDENTIFY,    "expected_identification_subslot"},
    {0x8001, OP_IDENTIFY,    "real_identification_subslot"    },
    {0x800a, OP_DIAGNOSTICS, "channel_diagnosis_subslot"      },
    {0x800b, OP_DIAGNOSTICS, "all_diagnosis_subslot"          },
    {0x800c, OP_DIAGNOSTICS, "diagnosis_subslot"              },
    {0x8010, OP_DIAGNOSTICS, "maintenance_required_subslot"   },
    {0x8011, OP_DIAGNOSTICS, "maintenance_demanded_subslot"   },
    {0x8012, OP_DIAGNOSTICS, "all_maintenance_subslot"        },
    {0x801e, OP_READ,        "substitute_value"               },
    {0x8020, OP_READ,        "pd_subframe_data"               },
    {0x8028, OP_READ,        "input_data"                     },
    {0x8029, OP_READ,        "output_data"                    },
    {0x802a, OP_IDENTIFY,    "pd_port_data_real"              },
    {0x802b, OP_READ,        "pd_port_data_check"             },
    {0x802c, OP_READ,        "pd_ir_data"                     },
    {0x802d, OP_READ,        "pd_sync_data"                   },
    {0x802f, OP_READ,        "pd_port_data_adjust"            },
    {0x8030, OP_READ,        "isochronous_mode_data"          },
    {0x8050, OP_DIAGNOSTICS, "mrp_data_real"                  },
    {0x8051, OP_READ,        "mrp_data_check"                 },
    {0x8052, OP_READ,        "mrp_data_adjust"                },
    {0x8053, OP_READ,        "mrp_port_data_adjust"           },
    {0x8054, OP_DIAGNOSTICS, "mrp_port_data_real"             },
    {0x8060, OP_DIAGNOSTICS, "fiber_optic_data_real"          },
    {0x8061, OP_READ,        "fiber_optic_data_check"         },
    {0x8062, OP_READ,        "fiber_optic_data_adjust"        },
    {0x8070, OP_READ,        "network_components_data_check"  },
    {0x8071, OP_READ,        "pd_interface_adjust"            },
    {0x8072, OP_DIAGNOSTICS, "port_statistic"                 },
    {0x8080, OP_IDENTIFY,    "pd_interface_data_real"         },
    {0xaff0, OP_IDENTIFY,    "im0"                            },
    {0xaff1, OP_IDENTIFY,    "im1_tags"                       },
    {0xaff2, OP_IDENTIFY,    "im2_installation_date"          },
    {0xaff3, OP_IDENTIFY,    "im3_descriptor"                 },
    {0xaff4, OP_IDENTIFY,    "im4_signature"                  },
    {0xb02e, OP_READ,        "drive_parameter_global"         },
    {0xb02f, OP_READ,        "drive_parameter_local"          },
    {0xc000, OP_IDENTIFY,    "expected_identification_slot"   },
    {0xc001, OP_IDENTIFY,    "real_identification_slot"       },
    {0xc00a, OP_DIAGNOSTICS, "channel_diagnosis_slot"         },
    {0xc00b, OP_DIAGNOSTICS, "all_diagnosis_slot"             },
    {0xc00c, OP_DIAGNOSTICS, "diagnosis_slot"                 },
    {0xe000, OP_IDENTIFY,    "expected_identification"        },
    {0xe001, OP_IDENTIFY,    "real_identification"            },
    {0xe002, OP_IDENTIFY,    "module_difference"              },
    {0xe00a, OP_DIAGNOSTICS, "channel_diagnosis"              },
    {0xe00b, OP_DIAGNOSTICS, "all_diagnosis"                  },
    {0xe00c, OP_DIAGNOSTICS, "diagnosis"                      },
    {0xe040, OP_READ,        "multiple_write"                 },
    {0xe050, OP_READ,        "fast_start_up_data_adjust"      },
    {0xf000, OP_IDENTIFY,    "real_identification_api"        },
    {0xf00a, OP_DIAGNOSTICS, "channel_diagnosis_api"          },
    {0xf00b, OP_DIAGNOSTICS, "all_diagnosis_api"              },
    {0xf00c, OP_DIAGNOSTICS, "diagnosis_api"                  },
    {0xf020, OP_DIAGNOSTICS, "ar_data_api"                    },
    {0xf80c, OP_DIAGNOSTICS, "diagnosis_device"               },
    {0xf820, OP_DIAGNOSTICS, "ar_data"                        },
    {0xf821, OP_IDENTIFY,    "api_data"                       },
    {0xf830, OP_DIAGNOSTICS, "log_book"                       },
    {0xf831, OP_READ,        "pdev_data"                      },
    {0xf840, OP_IDENTIFY,    "im0_filter"                     },
    {0xf841, OP_IDENTIFY,    "pd_real_data"                   },
    {0xf842, OP_READ,        "pd_expected_data"               },
    {0xf850, OP_READ,        "auto_configuration"             },
};

enum { DRIVE_GLOBAL = 0xb02e, DRIVE_LOCAL = 0xb02f };

static const struct record *record_of(uint16_t index)
{
    for (size_t i = 0; i < sizeof records / sizeof *records; i++)
        if (records[i].index == index)
            return &records[i];
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
