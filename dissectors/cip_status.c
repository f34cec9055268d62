/* cip_status.c: CIP status codes.
 *
 * Spec: [CIP1] CIP Networks Library, Volume 1, Appendix B-1 (general), table 3-5.33 (connection
 * manager) [DATA] Rockwell 1756-PM020: Logix5000 Data Access (extended status of tag services) */
#include "cip_status.h"

#include <stddef.h>

struct extended {
    uint8_t general;
    uint16_t code;
    const char *name;
};

/* [CIP1] B-1 */
static const char *const general_names[] = {
    [0x00] = "ok",
    [0x01] = "connection_failure",
    [0x02] = "resource_unavailable",
    [0x03] = "invalid_parameter_value",
    [0x04] = "path_segment_error",
    [0x05] = "path_destination_unknown",
    [0x06] = "partial_transfer",
    [0x07] = "connection_lost",
    [0x08] = "service_not_supported",
    [0x09] = "invalid_attribute_value",
    [0x0a] = "attribute_list_error",
    [0x0b] = "already_in_requested_mode",
    [0x0c] = "object_state_conflict",
    [0x0d] = "object_already_exists",
    [0x0e] = "attribute_not_settable",
    [0x0f] = "privilege_violation",
    [0x10] = "device_state_conflict",
    [0x11] = "reply_too_large",
    [0x12] = "fragmentation_of_primitive_value",
    [0x13] = "not_enough_data",
    [0x14] = "attribute_not_supported",
    [0x15] = "too_much_data",
    [0x16] = "object_does_not_exist",
    [0x17] = "no_fragmentation_sequence",
    [0x18] = "no_stored_attribute_data",
    [0x19] = "store_operation_failure",
    [0x1a] = "request_too_large_for_route",
    [0x1b] = "response_too_large_for_route",
    [0x1c] = "missing_attribute_list_entry",
    [0x1d] = "invalid_attribute_value_list",
    [0x1e] = "embedded_service_error",
    [0x1f] = "vendor_specific_error",
    [0x20] = "invalid_parameter",
    [0x21] = "write_once_already_written",
    [0x22] = "invalid_reply",
    [0x24] = "invalid_message_size",
    [0x25] = "key_failure_in_path",
    [0x26] = "invalid_path_size",
    [0x27] = "unexpected_attribute",
    [0x28] = "invalid_member_id",
    [0x29] = "member_not_settable",
    [0x2c] = "attribute_not_gettable",
    [0xff] = "extended_error",
};

static const struct extended extended_names[] = {
    {0x01, 0x0100, "connection_in_use"            },
    {0x01, 0x0103, "transport_class_not_supported"},
    {0x01, 0x0106, "ownership_conflict"           },
    {0x01, 0x0107, "connection_not_found"         },
    {0x01, 0x0108, "invalid_connection_type"      },
    {0x01, 0x0109, "invalid_connection_size"      },
    {0x01, 0x0110, "module_not_configured"        },
    {0x01, 0x0111, "rpi_not_supported"            },
    {0x01, 0x0113, "out_of_connections"           },
    {0x01, 0x0114, "vendor_or_product_mismatch"   },
    {0x01, 0x0115, "device_type_mismatch"         },
    {0x01, 0x0116, "revision_mismatch"            },
    {0x01, 0x0203, "connection_timed_out"         },
    {0x01, 0x0204, "request_timed_out"            },
    {0x01, 0x0311, "port_not_available"           },
    {0x01, 0x0312, "link_address_not_valid"       },
    {0x01, 0x0315, "invalid_path_segment"         },
    {0xff, 0x2104, "offset_out_of_range"          },
    {0xff, 0x2105, "index_out_of_range"           },
    {0xff, 0x2107, "type_mismatch"                },
};

const char *cip_status_name(uint8_t general, uint16_t extended)
{
    if (extended)
        for (size_t i = 0; i < sizeof extended_names / sizeof *extended_names; i++)
            if (extended_names[i].general == general && extended_names[i].code == extended)
                return extended_names[i].name;
    return general_names[general]; /* the last row is 0xff: every byte has a place */
}
