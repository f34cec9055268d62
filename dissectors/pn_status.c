/* pn_status.c: what the status of a PROFINET IO service or alarm says.
 *
 * Spec: [PN] IEC 61158-6-10, coding of PNIOStatus
 */
#include "pn_status.h"

enum {
    DECODE_RECORD = 0x80,   /* PNIORW: the record's own error */
    DECODE_PROTOCOL = 0x81, /* PNIO */
};

struct row {
    uint8_t code;
    const char *name;
};

/* code 1 under PNIORW: application, access and resource errors */
static const struct row record_errors[] = {
    {0xa0, "read_error"              },
    {0xa1, "write_error"             },
    {0xa2, "module_failure"          },
    {0xa7, "busy"                    },
    {0xa8, "version_conflict"        },
    {0xa9, "feature_not_supported"   },
    {0xb0, "invalid_index"           },
    {0xb1, "write_length_error"      },
    {0xb2, "invalid_slot_subslot"    },
    {0xb3, "type_conflict"           },
    {0xb4, "invalid_area_api"        },
    {0xb5, "state_conflict"          },
    {0xb6, "access_denied"           },
    {0xb7, "invalid_range"           },
    {0xb8, "invalid_parameter"       },
    {0xb9, "invalid_type"            },
    {0xba, "backup"                  },
    {0xc0, "read_constrain_conflict" },
    {0xc1, "write_constrain_conflict"},
    {0xc2, "resource_busy"           },
    {0xc3, "resource_unavailable"    },
};

/* code 1 under PNIO: the part that found the fault */
static const struct row protocol_errors[] = {
    {0x01, "faulty_ar_block"                },
    {0x02, "faulty_iocr_block"              },
    {0x03, "faulty_expected_submodule_block"},
    {0x04, "faulty_alarm_cr_block"          },
    {0x05, "faulty_prm_server_block"        },
    {0x06, "faulty_mcr_block"               },
    {0x07, "faulty_ar_rpc_block"            },
    {0x08, "faulty_record"                  },
    {0x09, "faulty_subframe_block"          },
    {0x0a, "faulty_irt_frame_block"         },
    {0x0d, "faulty_rs_info_block"           },
    {0x14, "faulty_control_block"           },
    {0x15, "faulty_control_block"           },
    {0x16, "faulty_control_block"           },
    {0x17, "faulty_control_block"           },
    {0x18, "faulty_prm_begin_block"         },
    {0x19, "faulty_submodule_list_block"    },
    {0x28, "faulty_release_block"           },
    {0x32, "faulty_ar_response_block"       },
    {0x33, "faulty_iocr_response_block"     },
    {0x34, "faulty_alarm_cr_response_block" },
    {0x35, "faulty_module_difference_block" },
    {0x36, "faulty_ar_rpc_response_block"   },
    {0x37, "faulty_ar_server_block"         },
    {0x38, "faulty_ar_vendor_block"         },
    {0x3c, "alarm_ack_error"                },
    {0x3d, "cmdev_error"                    },
    {0x3e, "cmctl_error"                    },
    {0x3f, "ctldina_error"                  },
    {0x40, "cmrpc_error"                    },
    {0x41, "alpmi_error"                    },
    {0x42, "alpmr_error"                    },
    {0x43, "lmpm_error"                     },
    {0x44, "mac_error"                      },
    {0x45, "rpc_error"                      },
    {0x46, "apmr_error"                     },
    {0x47, "apms_error"                     },
    {0x48, "cpm_error"                      },
    {0x49, "ppm_error"                      },
    {0x4a, "dcpucs_error"                   },
    {0x4b, "dcpucr_error"                   },
    {0x4c, "dcpmcs_error"                   },
    {0x4d, "dcpmcr_error"                   },
    {0x4e, "fspm_error"                     },
    {0xc8, "cmsm_error"                     },
    {0xca, "cmrdr_error"                    },
    {0xcc, "cmwrr_error"                    },
    {0xcd, "cmio_error"                     },
    {0xce, "cmsu_error"                     },
    {0xd0, "cmina_error"                    },
    {0xd1, "cmpbe_error"                    },
    {0xd2, "cmsrl_error"                    },
    {0xd3, "cmdmc_error"                    },
    {0xfd, "rta_protocol_error"             },
};

/* error code, where decode tells nothing more */
static const struct row service_errors[] = {
    {0xcf, "rta_error"      },
    {0xda, "alarm_ack_error"},
    {0xdb, "connect_error"  },
    {0xdc, "release_error"  },
    {0xdd, "control_error"  },
    {0xde, "read_error"     },
    {0xdf, "write_error"    },
};

static const char *name_in(const struct row *rows, size_t count, uint8_t code)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i].code == code)
            return rows[i].name;
    return NULL;
}
#define NAME_IN(rows, code) name_in(rows, sizeof(rows) / sizeof *(rows), code)

struct ot_status pn_status_of(uint32_t status)
{
    if (status == 0)
        return (struct ot_status){OT_RESULT_OK, 0, "ok"};
    uint8_t code_1 = (uint8_t)(status >> 8);
    const char *name = NULL;
    if ((status >> 16 & 0xff) == DECODE_RECORD)
        name = NAME_IN(record_errors, code_1);
    else if ((status >> 16 & 0xff) == DECODE_PROTOCOL)
        name = NAME_IN(protocol_errors, code_1);
    if (!name)
        name = NAME_IN(service_errors, (uint8_t)(status >> 24));
    return (struct ot_status){OT_RESULT_ERROR, status, name};
}
