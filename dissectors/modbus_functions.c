/* modbus_functions.c: the functions of Modbus.
 *
 * Spec: [MB] MODBUS Application Protocol Specification V1.1b3; codes marked "reserved" are those of
 * its annex A and of old Modicon programming tools.
 */
#include "modbus_functions.h"

/* code, name, layout, operation, greatest quantity, area; section of [MB] */
static const struct modbus_function functions[128] = {
    [1] = {"read_coils",                       LAYOUT_READ_BITS,        OP_READ,             2000, "coil"            }, /* 6.1 */
    [2] = {"read_discrete_inputs",             LAYOUT_READ_BITS,        OP_READ,             2000, "discrete_input"  }, /* 6.2 */
    [3] = {"read_holding_registers",           LAYOUT_READ_REGISTERS,   OP_READ,             125,
           "holding_register"                                                                                        }, /* 6.3 */
    [4] = {"read_input_registers",             LAYOUT_READ_REGISTERS,   OP_READ,             125,  "input_register"  }, /* 6.4 */
    [5] = {"write_single_coil",                LAYOUT_WRITE_COIL,       OP_CONTROL,          0,    "coil"            }, /* 6.5 */
    [6] = {"write_single_register",            LAYOUT_WRITE_REGISTER,   OP_WRITE,            0,
           "holding_register"                                                                                        }, /* 6.6 */
    [7] = {"read_exception_status",            LAYOUT_EXCEPTION_STATUS, OP_DIAGNOSTICS,      0,
           "exception_status"                                                                                        }, /* 6.7 */
    [8] = {"diagnostics",                      LAYOUT_DIAGNOSTICS,      OP_DIAGNOSTICS,      0,    "diagnostic"      }, /* 6.8 */
    [9] = {"program_484",                      LAYOUT_OPEN,             OP_PROGRAM_DOWNLOAD, 0,    NULL              }, /* reserved */
    [10] = {"poll_484",                         LAYOUT_OPEN,             OP_PROGRAM_DOWNLOAD, 0,    NULL              }, /* reserved */
    [11] = {"get_comm_event_counter",           LAYOUT_EVENT_COUNTER,    OP_DIAGNOSTICS,      0,
           "comm_event_counter"                                                                                      }, /* 6.9 */
    [12] = {"get_comm_event_log",               LAYOUT_EVENT_LOG,        OP_DIAGNOSTICS,      0,    "comm_event_log"  }, /* 6.10 */
    [13] = {"program_controller",               LAYOUT_OPEN,             OP_PROGRAM_DOWNLOAD, 0,    NULL              }, /* reserved */
    [14] = {"poll_controller",                  LAYOUT_OPEN,             OP_PROGRAM_DOWNLOAD, 0,    NULL              }, /* reserved */
    [15] = {"write_multiple_coils",             LAYOUT_WRITE_BITS,       OP_CONTROL,          1968, "coil"            }, /* 6.11 */
    [16] = {"write_multiple_registers",         LAYOUT_WRITE_REGISTERS,  OP_WRITE,            123,
           "holding_register"                                                                                        }, /* 6.12 */
    [17] = {"report_server_id",                 LAYOUT_SERVER_ID,        OP_IDENTIFY,         0,    NULL              }, /* 6.13 */
    [18] = {"program_884_m84",                  LAYOUT_OPEN,             OP_PROGRAM_DOWNLOAD, 0,    NULL              }, /* reserved */
    [19] = {"reset_comm_link",                  LAYOUT_OPEN,             OP_RESTART,          0,    NULL              }, /* reserved */
    [20] = {"read_file_record",                 LAYOUT_FILE_READ,        OP_FILE_READ,        0,    "file"            }, /* 6.14 */
    [21] = {"write_file_record",                LAYOUT_FILE_WRITE,       OP_FILE_WRITE,       0,    "file"            }, /* 6.15 */
    [22] = {"mask_write_register",              LAYOUT_MASK_WRITE,       OP_WRITE,            0,    "holding_register"}, /* 6.16 */
    [23] = {"read_write_multiple_registers",    LAYOUT_READ_WRITE,       OP_WRITE,            125,
           "holding_register"                                                                                        }, /* 6.17 */
    [24] = {"read_fifo_queue",                  LAYOUT_FIFO,             OP_READ,             0,    "fifo_queue"      }, /* 6.18 */
    [40] = {"program_concept",                  LAYOUT_OPEN,             OP_PROGRAM_DOWNLOAD, 0,    NULL              }, /* reserved */
    [41] = {"reserved",                         LAYOUT_OPEN,             OP_UNKNOWN,          0,    NULL              },
    [42] = {"reserved",                         LAYOUT_OPEN,             OP_UNKNOWN,          0,    NULL              },
    [43] = {"encapsulated_interface_transport", LAYOUT_ENCAPSULATED,     OP_UNKNOWN,          0,
           NULL                                                                                                      }, /* 6.19 */
    [65] = {"user_defined",                     LAYOUT_OPEN,             OP_UNKNOWN,          0,    NULL              }, /* 5.1 */
    [66] = {"user_defined",                     LAYOUT_OPEN,             OP_UNKNOWN,          0,    NULL              },
    [67] = {"user_defined",                     LAYOUT_OPEN,             OP_UNKNOWN,          0,    NULL              },
    [68] = {"user_defined",                     LAYOUT_OPEN,             OP_UNKNOWN,          0,    NULL              },
    [69] = {"user_defined",                     LAYOUT_OPEN,             OP_UNKNOWN,          0,    NULL              },
    [70] = {"user_defined",                     LAYOUT_OPEN,             OP_UNKNOWN,          0,    NULL              },
    [71] = {"user_defined",                     LAYOUT_OPEN,             OP_UNKNOWN,          0,    NULL              },
    [72] = {"user_defined",                     LAYOUT_OPEN,             OP_UNKNOWN,          0,    NULL              },
    [90] = {"umas",                             LAYOUT_UMAS,             OP_SESSION,          0,    NULL              }, /* the operation is told by the umas event */
    [91] = {"reserved",                         LAYOUT_OPEN,             OP_UNKNOWN,          0,    NULL              },
    [100] = {"user_defined",                     LAYOUT_OPEN,             OP_UNKNOWN,          0,    NULL              },
    [101] = {"user_defined",                     LAYOUT_OPEN,             OP_UNKNOWN,          0,    NULL              },
    [102] = {"user_defined",                     LAYOUT_OPEN,             OP_UNKNOWN,          0,    NULL              },
    [103] = {"user_defined",                     LAYOUT_OPEN,             OP_UNKNOWN,          0,    NULL              },
    [104] = {"user_defined",                     LAYOUT_OPEN,             OP_UNKNOWN,          0,    NULL              },
    [105] = {"user_defined",                     LAYOUT_OPEN,             OP_UNKNOWN,          0,    NULL              },
    [106] = {"user_defined",                     LAYOUT_OPEN,             OP_UNKNOWN,          0,    NULL              },
    [107] = {"user_defined",                     LAYOUT_OPEN,             OP_UNKNOWN,          0,    NULL              },
    [108] = {"user_defined",                     LAYOUT_OPEN,             OP_UNKNOWN,          0,    NULL              },
    [109] = {"user_defined",                     LAYOUT_OPEN,             OP_UNKNOWN,          0,    NULL              },
    [110] = {"user_defined",                     LAYOUT_OPEN,             OP_UNKNOWN,          0,    NULL              },
    [125] = {"reserved",                         LAYOUT_OPEN,             OP_UNKNOWN,          0,    NULL              },
    [126] = {"reserved",                         LAYOUT_OPEN,             OP_UNKNOWN,          0,    NULL              },
    [127] = {"reserved",                         LAYOUT_OPEN,             OP_UNKNOWN,          0,    NULL              },
};

/* Sub-functions of function 8, [MB] 6.8 */
static const struct diagnostic {
    uint16_t sub;
    enum operation operation;
    const char *name;
} diagnostics[] = {
    {0,  OP_DIAGNOSTICS,   "return_query_data"                     },
    {1,  OP_RESTART,       "restart_communications_option"         },
    {2,  OP_DIAGNOSTICS,   "return_diagnostic_register"            },
    {3,  OP_CONFIG_CHANGE, "change_ascii_input_delimiter"          },
    {4,  OP_STOP,          "force_listen_only_mode"                },
    {10, OP_DIAGNOSTICS,   "clear_counters_and_diagnostic_register"},
    {11, OP_DIAGNOSTICS,   "return_bus_message_count"              },
    {12, OP_DIAGNOSTICS,   "return_bus_communication_error_count"  },
    {13, OP_DIAGNOSTICS,   "return_bus_exception_error_count"      },
    {14, OP_DIAGNOSTICS,   "return_server_message_count"           },
    {15, OP_DIAGNOSTICS,   "return_server_no_response_count"       },
    {16, OP_DIAGNOSTICS,   "return_server_nak_count"               },
    {17, OP_DIAGNOSTICS,   "return_server_busy_count"              },
    {18, OP_DIAGNOSTICS,   "return_bus_character_overrun_count"    },
    {20, OP_DIAGNOSTICS,   "clear_overrun_counter_and_flag"        },
};

/* The size of a PDU: fixed, or a count at this offset plus what stands before and in it. Neither:
 * open. */
struct shape {
    uint8_t fixed, count_at, count_size;
};

static const struct shapes {
    struct shape request, response;
} shapes[LAYOUT_COUNT_OF] = {
    [LAYOUT_READ_BITS] = {{5, 0, 0}, {0, 1, 1}},
    [LAYOUT_READ_REGISTERS] = {{5, 0, 0}, {0, 1, 1}},
    [LAYOUT_WRITE_COIL] = {{5, 0, 0}, {5, 0, 0}},
    [LAYOUT_WRITE_REGISTER] = {{5, 0, 0}, {5, 0, 0}},
    [LAYOUT_WRITE_BITS] = {{0, 5, 1}, {5, 0, 0}},
    [LAYOUT_WRITE_REGISTERS] = {{0, 5, 1}, {5, 0, 0}},
    [LAYOUT_EXCEPTION_STATUS] = {{1, 0, 0}, {2, 0, 0}},
    [LAYOUT_EVENT_COUNTER] = {{1, 0, 0}, {5, 0, 0}},
    [LAYOUT_EVENT_LOG] = {{1, 0, 0}, {0, 1, 1}},
    [LAYOUT_SERVER_ID] = {{1, 0, 0}, {0, 1, 1}},
    [LAYOUT_FILE_READ] = {{0, 1, 1}, {0, 1, 1}},
    [LAYOUT_FILE_WRITE] = {{0, 1, 1}, {0, 1, 1}},
    [LAYOUT_MASK_WRITE] = {{7, 0, 0}, {7, 0, 0}},
    [LAYOUT_READ_WRITE] = {{0, 9, 1}, {0, 1, 1}},
    [LAYOUT_FIFO] = {{3, 0, 0}, {0, 1, 2}},
};

enum { EXCEPTION_SIZE = 2, DIAGNOSTIC_SIZE = 5, IDENTIFICATION_REQUEST_SIZE = 4 };

const struct modbus_function *modbus_function_of(uint8_t code)
{
    return &functions[code & MODBUS_FUNCTION_BITS];
}

bool modbus_diagnostic(uint16_t sub, const char **name, enum operation *operation)
{
    for (size_t i = 0; i < sizeof diagnostics / sizeof *diagnostics; i++) {
        if (diagnostics[i].sub == sub) {
            *name = diagnostics[i].name;
            *operation = diagnostics[i].operation;
            return true;
        }
    }
    return false;
}

const char *modbus_exception_name(uint8_t code)
{
    static const char *const names[] = {
        [1] = "illegal_function",
        [2] = "illegal_data_address",
        [3] = "illegal_data_value",
        [4] = "server_device_failure",
        [5] = "acknowledge",
        [6] = "server_device_busy",
        [8] = "memory_parity_error",
        [10] = "gateway_path_unavailable",
        [11] = "gateway_target_failed_to_respond",
    }; /* [MB] 7 */
    return code < sizeof names / sizeof *names ? names[code] : NULL;
}

/* The objects of a device identification response, [MB] 6.21. */
static size_t identification_size(struct reader data)
{
    enum { BEFORE_OBJECTS = 7 }; /* function, MEI type, code, conformity, more, next, count */
    size_t size = BEFORE_OBJECTS;
    reader_skip(&data, BEFORE_OBJECTS - 3);
    uint8_t count = reader_u8(&data);
    if (!reader_ok(&data))
        return size;
    for (unsigned i = 0; i < count; i++) {
        reader_skip(&data, 1);
        uint8_t length = reader_u8(&data);
        reader_skip(&data, length);
        size += 2u + length;
        if (!reader_ok(&data))
            return size;
    }
    return size;
}

static size_t encapsulated_size(struct reader data, bool is_response)
{
    uint8_t type = reader_u8(&data);
    if (!reader_ok(&data))
        return 2;
    if (type != MODBUS_MEI_IDENTIFICATION)
        return 0;
    return is_response ? identification_size(data) : IDENTIFICATION_REQUEST_SIZE;
}

static size_t shape_size(struct shape shape, struct reader pdu)
{
    if (!shape.count_at)
        return shape.fixed;
    size_t before = (size_t)shape.count_at + shape.count_size;
    reader_skip(&pdu, shape.count_at);
    size_t count = shape.count_size == 2 ? reader_u16be(&pdu) : reader_u8(&pdu);
    return reader_ok(&pdu) ? before + count : before;
}

size_t modbus_pdu_size(struct reader pdu, bool is_response)
{
    struct reader data = pdu;
    uint8_t code = reader_u8(&data);
    if (!reader_ok(&data))
        return 1;
    if (code & MODBUS_EXCEPTION_BIT)
        return EXCEPTION_SIZE;
    enum modbus_layout layout = modbus_function_of(code)->layout;
    if (layout == LAYOUT_ENCAPSULATED)
        return encapsulated_size(data, is_response);
    if (layout == LAYOUT_DIAGNOSTICS) { /* only the loopback may be longer */
        uint16_t sub = reader_u16be(&data);
        if (!reader_ok(&data))
            return 3;
        return sub == 0 ? 0 : DIAGNOSTIC_SIZE;
    }
    const struct shapes *s = &shapes[layout];
    return shape_size(is_response ? s->response : s->request, pdu);
}

static bool is_count_legal(const struct modbus_function *f, unsigned start, unsigned count)
{
    return count >= 1 && count <= f->count_max && start + count <= 0x10000;
}

static bool request_fits(const struct modbus_function *f, struct reader data)
{
    uint16_t start = reader_u16be(&data);
    uint16_t count = reader_u16be(&data);
    switch (f->layout) {
    case LAYOUT_READ_BITS:
    case LAYOUT_READ_REGISTERS:
        return is_count_legal(f, start, count);
    case LAYOUT_WRITE_BITS:
        return is_count_legal(f, start, count) && reader_u8(&data) == modbus_bits_size(count);
    case LAYOUT_WRITE_REGISTERS:
        return is_count_legal(f, start, count) && reader_u8(&data) == 2u * count;
    case LAYOUT_READ_WRITE: {
        uint16_t write_start = reader_u16be(&data);
        uint16_t write_count = reader_u16be(&data);
        return is_count_legal(f, start, count) && write_count >= 1 &&
               write_count <= MODBUS_READ_WRITE_MAX && write_start + write_count <= 0x10000 &&
               reader_u8(&data) == 2u * write_count;
    }
    default:
        return true;
    }
}

static bool response_fits(const struct modbus_function *f, struct reader data)
{
    size_t size = reader_left(&data);
    uint8_t first = reader_peek(&data);
    switch (f->layout) {
    case LAYOUT_READ_BITS:
        return first >= 1 && first <= modbus_bits_size(f->count_max);
    case LAYOUT_READ_REGISTERS:
    case LAYOUT_READ_WRITE:
        return first >= 2 && first % 2 == 0 && first <= 2u * f->count_max;
    case LAYOUT_WRITE_BITS:
    case LAYOUT_WRITE_REGISTERS: {
        uint16_t start = reader_u16be(&data);
        return is_count_legal(f, start, reader_u16be(&data));
    }
    case LAYOUT_FIFO: {
        uint16_t bytes = reader_u16be(&data);
        uint16_t count = reader_u16be(&data);
        return count <= MODBUS_FIFO_MAX && bytes == 2u + 2u * count && size == 2u + bytes;
    }
    default:
        return true;
    }
}

static bool data_fits(const struct modbus_function *f, struct reader data, bool is_response)
{
    struct reader r = data;
    switch (f->layout) {
    case LAYOUT_UNDEFINED:
        return false;
    case LAYOUT_WRITE_COIL: {
        reader_skip(&r, 2);
        uint16_t value = reader_u16be(&r);
        return value == 0xff00 || value == 0; /* [MB] 6.5 */
    }
    case LAYOUT_DIAGNOSTICS: {
        const char *name;
        enum operation operation;
        return modbus_diagnostic(reader_u16be(&r), &name, &operation) && reader_ok(&r);
    }
    case LAYOUT_FILE_READ:
        return reader_peek(&r) > 0 &&
               (is_response || reader_peek(&r) % MODBUS_FILE_READ_GROUP == 0);
    case LAYOUT_UMAS: {
        reader_skip(&r, 1);
        uint8_t function = reader_u8(&r);
        return reader_ok(&r) && (function >= 0xfd) == is_response;
    }
    default:
        return is_response ? response_fits(f, data) : request_fits(f, data);
    }
}

bool modbus_pdu_fits(struct reader pdu, bool is_response)
{
    size_t left = reader_left(&pdu);
    size_t size = modbus_pdu_size(pdu, is_response);
    uint8_t code = reader_u8(&pdu);
    if (!reader_ok(&pdu) || (size != 0 && size != left))
        return false;
    if (code & MODBUS_EXCEPTION_BIT)
        return is_response && modbus_exception_name(reader_u8(&pdu)) != NULL;
    return data_fits(modbus_function_of(code), pdu, is_response);
}
