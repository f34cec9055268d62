/* sbus.c: Ether-S-Bus, of Saia's controllers, over UDP.
 *
 * Spec: what public decoders and captures agree on; the manufacturer's manual is not public.
 *
 *   | length of all 4 | version 1 | kind 1 | sequence 2 | attribute 1 | ... | CRC 2 |
 *   request, attribute 0:  | station 1 | command 1 | data |
 *   response, 1:           | data |
 *   acknowledgement, 2:    | 0 or why not 2 |
 *
 * all big endian; the CRC is CCITT with start 0. An answer does not repeat the command: it is the
 * one that was asked with its sequence. */
#include "crc.h"
#include "hex_code.h"

enum {
    HEADER_SIZE = 9,
    CRC_SIZE = 2,
    SIZE_MIN = HEADER_SIZE + CRC_SIZE,
    VERSION_MAX = 1,

    REQUEST = 0,
    RESPONSE = 1,
    ACKNOWLEDGEMENT = 2,

    COMMAND_NONE = 0x100, /* of an answer whose question was not seen */
    READ_STATUS = 20,     /* of CPU 0; 21 to 26 of others, 27 of the own */
    READ_STATUS_OWN = 27,
    READ_FIRMWARE = 32,
    BLOCK_DATA = 169,

    VALUE_SIZE = 4,
};

/* How a command names what it touches. */
enum form {
    FORM_NONE,
    FORM_VALUES, /* | count - 1 | first 2 |, values of 4 bytes */
    FORM_BITS,   /* the same, bits; a write has their count - 1 behind the first */
    FORM_BYTES,  /* | count - 1 | first 3 | */
    FORM_LINES,  /* the same, lines of 4 bytes */
};

struct command {
    uint8_t number, operation, form;
    const char *area, *name;
};

static const struct command commands[] = {
    {0,   OP_READ,            FORM_VALUES, "counter",  "read_counters"            },
    {1,   OP_READ,            FORM_NONE,   NULL,       "read_display_register"    },
    {2,   OP_READ,            FORM_BITS,   "flag",     "read_flags"               },
    {3,   OP_READ,            FORM_BITS,   "input",    "read_inputs"              },
    {4,   OP_DIAGNOSTICS,     FORM_NONE,   NULL,       "read_clock"               },
    {5,   OP_READ,            FORM_BITS,   "output",   "read_outputs"             },
    {6,   OP_READ,            FORM_VALUES, "register", "read_registers"           },
    {7,   OP_READ,            FORM_VALUES, "timer",    "read_timers"              },
    {10,  OP_WRITE,           FORM_VALUES, "counter",  "write_counters"           },
    {11,  OP_WRITE,           FORM_BITS,   "flag",     "write_flags"              },
    {12,  OP_TIME_SET,        FORM_NONE,   NULL,       "write_clock"              },
    {13,  OP_CONTROL,         FORM_BITS,   "output",   "write_outputs"            },
    {14,  OP_WRITE,           FORM_VALUES, "register", "write_registers"          },
    {15,  OP_WRITE,           FORM_VALUES, "timer",    "write_timers"             },
    {19,  OP_WRITE,           FORM_NONE,   NULL,       "read_write_several"       },
    {20,  OP_DIAGNOSTICS,     FORM_NONE,   NULL,       "read_status_of_cpu_0"     },
    {21,  OP_DIAGNOSTICS,     FORM_NONE,   NULL,       "read_status_of_cpu_1"     },
    {22,  OP_DIAGNOSTICS,     FORM_NONE,   NULL,       "read_status_of_cpu_2"     },
    {23,  OP_DIAGNOSTICS,     FORM_NONE,   NULL,       "read_status_of_cpu_3"     },
    {24,  OP_DIAGNOSTICS,     FORM_NONE,   NULL,       "read_status_of_cpu_4"     },
    {25,  OP_DIAGNOSTICS,     FORM_NONE,   NULL,       "read_status_of_cpu_5"     },
    {26,  OP_DIAGNOSTICS,     FORM_NONE,   NULL,       "read_status_of_cpu_6"     },
    {27,  OP_DIAGNOSTICS,     FORM_NONE,   NULL,       "read_own_status"          },
    {29,  OP_IDENTIFY,        FORM_NONE,   NULL,       "read_station_number"      },
    {30,  OP_READ,            FORM_LINES,  "memory",   "read_user_memory"         },
    {31,  OP_PROGRAM_UPLOAD,  FORM_LINES,  "program",  "read_program_line"        },
    {32,  OP_IDENTIFY,        FORM_NONE,   NULL,       "read_firmware_version"    },
    {33,  OP_READ,            FORM_NONE,   NULL,       "read_text"                },
    {34,  OP_DIAGNOSTICS,     FORM_NONE,   NULL,       "read_active_transition"   },
    {35,  OP_PROGRAM_MODIFY,  FORM_LINES,  "memory",   "write_user_memory"        },
    {36,  OP_PROGRAM_MODIFY,  FORM_LINES,  "program",  "write_program_line"       },
    {37,  OP_WRITE,           FORM_NONE,   NULL,       "write_text"               },
    {40,  OP_START,           FORM_NONE,   NULL,       "run_cpu_0"                },
    {41,  OP_START,           FORM_NONE,   NULL,       "run_cpu_1"                },
    {42,  OP_START,           FORM_NONE,   NULL,       "run_cpu_2"                },
    {43,  OP_START,           FORM_NONE,   NULL,       "run_cpu_3"                },
    {44,  OP_START,           FORM_NONE,   NULL,       "run_cpu_4"                },
    {45,  OP_START,           FORM_NONE,   NULL,       "run_cpu_5"                },
    {46,  OP_START,           FORM_NONE,   NULL,       "run_cpu_6"                },
    {47,  OP_START,           FORM_NONE,   NULL,       "run_own_cpu"              },
    {48,  OP_START,           FORM_NONE,   NULL,       "run_all_cpus"             },
    {50,  OP_RESTART,         FORM_NONE,   NULL,       "restart_cold_cpu_1"       },
    {51,  OP_RESTART,         FORM_NONE,   NULL,       "restart_cold_cpu_2"       },
    {52,  OP_RESTART,         FORM_NONE,   NULL,       "restart_cold_cpu_3"       },
    {53,  OP_RESTART,         FORM_NONE,   NULL,       "restart_cold_cpu_4"       },
    {54,  OP_RESTART,         FORM_NONE,   NULL,       "restart_cold_cpu_5"       },
    {55,  OP_RESTART,         FORM_NONE,   NULL,       "restart_cold_cpu_6"       },
    {56,  OP_RESTART,         FORM_NONE,   NULL,       "restart_cold_own_cpu"     },
    {57,  OP_RESTART,         FORM_NONE,   NULL,       "restart_cold_all_cpus"    },
    {60,  OP_STOP,            FORM_NONE,   NULL,       "stop_cpu_0"               },
    {61,  OP_STOP,            FORM_NONE,   NULL,       "stop_cpu_1"               },
    {62,  OP_STOP,            FORM_NONE,   NULL,       "stop_cpu_2"               },
    {63,  OP_STOP,            FORM_NONE,   NULL,       "stop_cpu_3"               },
    {64,  OP_STOP,            FORM_NONE,   NULL,       "stop_cpu_4"               },
    {65,  OP_STOP,            FORM_NONE,   NULL,       "stop_cpu_5"               },
    {66,  OP_STOP,            FORM_NONE,   NULL,       "stop_cpu_6"               },
    {67,  OP_STOP,            FORM_NONE,   NULL,       "stop_own_cpu"             },
    {68,  OP_STOP,            FORM_NONE,   NULL,       "stop_all_cpus"            },
    {70,  OP_DIAGNOSTICS,     FORM_NONE,   NULL,       "read_accumulator"         },
    {71,  OP_READ,            FORM_BYTES,  "byte",     "read_bytes"               },
    {72,  OP_DIAGNOSTICS,     FORM_NONE,   NULL,       "read_halt_failure"        },
    {73,  OP_DIAGNOSTICS,     FORM_NONE,   NULL,       "read_index_register"      },
    {74,  OP_DIAGNOSTICS,     FORM_NONE,   NULL,       "read_instruction_pointer" },
    {75,  OP_DIAGNOSTICS,     FORM_NONE,   NULL,       "find_history"             },
    {80,  OP_WRITE,           FORM_NONE,   NULL,       "write_accumulator"        },
    {81,  OP_WRITE,           FORM_BYTES,  "byte",     "write_bytes"              },
    {82,  OP_WRITE,           FORM_NONE,   NULL,       "write_index_register"     },
    {83,  OP_MODE_CHANGE,     FORM_NONE,   NULL,       "write_instruction_pointer"},
    {90,  OP_CONTROL,         FORM_NONE,   NULL,       "clear_all"                },
    {91,  OP_WRITE,           FORM_NONE,   NULL,       "clear_flags"              },
    {92,  OP_CONTROL,         FORM_NONE,   NULL,       "clear_outputs"            },
    {93,  OP_WRITE,           FORM_NONE,   NULL,       "clear_registers"          },
    {94,  OP_WRITE,           FORM_NONE,   NULL,       "clear_timers"             },
    {100, OP_RESTART,         FORM_NONE,   NULL,       "restart_warm_cpu_1"       },
    {101, OP_RESTART,         FORM_NONE,   NULL,       "restart_warm_cpu_2"       },
    {102, OP_RESTART,         FORM_NONE,   NULL,       "restart_warm_cpu_3"       },
    {103, OP_RESTART,         FORM_NONE,   NULL,       "restart_warm_cpu_4"       },
    {104, OP_RESTART,         FORM_NONE,   NULL,       "restart_warm_cpu_5"       },
    {105, OP_RESTART,         FORM_NONE,   NULL,       "restart_warm_cpu_6"       },
    {106, OP_RESTART,         FORM_NONE,   NULL,       "restart_warm_own_cpu"     },
    {107, OP_RESTART,         FORM_NONE,   NULL,       "restart_warm_all_cpus"    },
    {110, OP_PROGRAM_MODIFY,  FORM_NONE,   NULL,       "change_block"             },
    {111, OP_CONFIG_CHANGE,   FORM_NONE,   NULL,       "clear_history"            },
    {112, OP_PROGRAM_DELETE,  FORM_NONE,   NULL,       "delete_program_line"      },
    {113, OP_MODE_CHANGE,     FORM_NONE,   NULL,       "go_conditional"           },
    {114, OP_PROGRAM_MODIFY,  FORM_NONE,   NULL,       "insert_program_line"      },
    {115, OP_MODE_CHANGE,     FORM_NONE,   NULL,       "local_cycles"             },
    {116, OP_MODE_CHANGE,     FORM_NONE,   NULL,       "all_cycles"               },
    {117, OP_PROGRAM_MODIFY,  FORM_NONE,   NULL,       "make_text"                },
    {118, OP_CONTROL,         FORM_NONE,   NULL,       "execute_instruction"      },
    {119, OP_MODE_CHANGE,     FORM_NONE,   NULL,       "single_step"              },
    {130, OP_CONTROL,         FORM_NONE,   NULL,       "interrupt_xob_17"         },
    {131, OP_CONTROL,         FORM_NONE,   NULL,       "interrupt_xob_18"         },
    {132, OP_CONTROL,         FORM_NONE,   NULL,       "interrupt_xob_19"         },
    {145, OP_DIAGNOSTICS,     FORM_NONE,   NULL,       "read_hangup_timeout"      },
    {150, OP_READ,            FORM_NONE,   NULL,       "read_data_block"          },
    {151, OP_WRITE,           FORM_NONE,   NULL,       "write_data_block"         },
    {152, OP_PROGRAM_MODIFY,  FORM_NONE,   NULL,       "make_data_block"          },
    {153, OP_PROGRAM_DELETE,  FORM_NONE,   NULL,       "clear_data_block"         },
    {154, OP_PROGRAM_DELETE,  FORM_NONE,   NULL,       "clear_text"               },
    {155, OP_BROWSE,          FORM_NONE,   NULL,       "read_block_address"       },
    {156, OP_BROWSE,          FORM_NONE,   NULL,       "read_block_sizes"         },
    {157, OP_DIAGNOSTICS,     FORM_NONE,   NULL,       "read_current_block"       },
    {158, OP_DIAGNOSTICS,     FORM_NONE,   NULL,       "read_call_stack"          },
    {159, OP_READ,            FORM_NONE,   NULL,       "read_dbx"                 },
    {161, OP_READ,            FORM_NONE,   NULL,       "read_eeprom_register"     },
    {163, OP_CONFIG_CHANGE,   FORM_NONE,   NULL,       "write_eeprom_register"    },
    {165, OP_PROGRAM_DELETE,  FORM_NONE,   NULL,       "erase_flash"              },
    {166, OP_RESTART,         FORM_NONE,   NULL,       "restart_cold_flag"        },
    {167, OP_CONFIG_CHANGE,   FORM_NONE,   NULL,       "write_system_buffer"      },
    {168, OP_DIAGNOSTICS,     FORM_NONE,   NULL,       "read_system_buffer"       },
    {169, OP_BROWSE,          FORM_NONE,   NULL,       "block_data"               },
    {170, OP_DIAGNOSTICS,     FORM_NONE,   NULL,       "get_diagnostic"           },
    {171, OP_IDENTIFY,        FORM_NONE,   NULL,       "read_system_information"  },
    {172, OP_PROGRAM_MODIFY,  FORM_NONE,   NULL,       "change_blocks_in_run"     },
    {173, OP_FILE_WRITE,      FORM_NONE,   NULL,       "flash_card"               },
    {174, OP_FIRMWARE_UPDATE, FORM_NONE,   NULL,       "download_firmware"        },
    {175, OP_SESSION,         FORM_NONE,   NULL,       "web_server"               },
};

enum block_content { CONTENT_NONE, CONTENT_NAMED, CONTENT_BYTES };

/* Command 169: | size 1 | step 1 | sequence 1, of streams | block kind 1 | number 2 | size 4 | */
static const struct block_step {
    uint8_t number, operation, step, content;
    bool has_sequence;
    const char *name;
} block_steps[] = {
    {0,  OP_PROGRAM_DOWNLOAD, TRANSFER_BEGIN, CONTENT_NAMED, true,  "write_block_start"     },
    {1,  OP_PROGRAM_DOWNLOAD, TRANSFER_BLOCK, CONTENT_BYTES, true,  "write_block_stream"    },
    {2,  OP_PROGRAM_DOWNLOAD, TRANSFER_END,   CONTENT_NONE,  true,  "write_block_end"       },
    {7,  OP_PROGRAM_DOWNLOAD, TRANSFER_ABORT, CONTENT_NONE,  true,  "write_block_abort"     },
    {8,  OP_PROGRAM_DOWNLOAD, TRANSFER_NONE,  CONTENT_NAMED, false, "write_block"           },
    {16, OP_PROGRAM_UPLOAD,   TRANSFER_BEGIN, CONTENT_NAMED, true,  "read_block_start"      },
    {17, OP_PROGRAM_UPLOAD,   TRANSFER_BLOCK, CONTENT_NONE,  true,  "read_block_stream"     },
    {23, OP_PROGRAM_UPLOAD,   TRANSFER_ABORT, CONTENT_NONE,  true,  "read_block_abort"      },
    {24, OP_PROGRAM_UPLOAD,   TRANSFER_NONE,  CONTENT_NAMED, false, "read_block"            },
    {32, OP_PROGRAM_DELETE,   TRANSFER_NONE,  CONTENT_NAMED, false, "delete_block"          },
    {33, OP_BROWSE,           TRANSFER_NONE,  CONTENT_NAMED, false, "get_block_size"        },
    {34, OP_BROWSE,           TRANSFER_NONE,  CONTENT_NONE,  false, "get_program_block_list"},
};

/* What is kept of a request. */
struct asked {
    const struct command *command; /* NULL: not known */
    const char *name;
    enum operation operation;
    uint32_t first;
    uint16_t count;
    uint8_t number;
    bool has_range;
};

static void spell(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE])
{
    if (code[0] >= COMMAND_NONE)
        memcpy(out, "none", 5);
    else
        hex_code(out, code[0], 2);
}

static const struct command *command_find(uint8_t number)
{
    size_t low = 0, high = sizeof commands / sizeof *commands;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (commands[middle].number == number)
            return &commands[middle];
        if (commands[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool is_crc_right(const uint8_t *pdu, size_t size)
{
    return crc16_ccitt(0, pdu, size - CRC_SIZE) == (pdu[size - 2] << 8 | pdu[size - 1]);
}

/* --- items --- */

static struct ot_item *put_item(struct dissect *d, struct ot_event *e, const struct asked *a)
{
    uint32_t count = 1;
    struct ot_item *item = dissect_items(d, &count);
    e->items_total = 1;
    if (!count)
        return NULL;
    *item = (struct ot_item){
        .area = a->command->area,
        .has_start = true,
        .start = a->first,
        .count = a->count,
        .has_range = true,
        .low = a->first,
        .high = (uint64_t)a->first + a->count - 1,
    };
    e->items = item;
    e->item_count = 1;
    return item;
}

static void put_values(struct ot_item *item, uint8_t form, struct reader r)
{
    size_t size = reader_left(&r);
    bool is_wide = form == FORM_VALUES || form == FORM_LINES;
    if (is_wide && size >= (size_t)item->count * VALUE_SIZE)
        item->values = (struct ot_values){VALUES_U32BE, item->count, r.at, size};
    else if (form == FORM_BITS && size >= (item->count + 7U) / 8)
        item->values = (struct ot_values){VALUES_BITS, item->count, r.at, size};
    else if (form == FORM_BYTES && size)
        item->values = (struct ot_values){VALUES_BYTES, 1, r.at, size};
}

/* | count 1 | first 2 or 3 | [bits 1] | values |. A read's count is one less than it means, a
 * write's says how many bytes follow it, less one. */
static void touched(struct dissect *d, struct ot_event *e, struct asked *a, struct reader r)
{
    uint8_t form = a->command->form;
    bool is_write = a->command->operation != OP_READ && a->command->operation != OP_PROGRAM_UPLOAD;
    const uint8_t *at = r.at;
    uint8_t count = reader_u8(&r);
    bool is_far = form == FORM_BYTES || form == FORM_LINES;
    a->first = is_far ? reader_u24be(&r) : reader_u16be(&r);
    if (!is_write)
        a->count = (uint16_t)(count + 1);
    else if (form == FORM_VALUES)
        a->count = (uint16_t)((count - 1) / VALUE_SIZE);
    else if (form == FORM_BITS)
        a->count = (uint16_t)(reader_u8(&r) + 1);
    else
        a->count = (uint16_t)(reader_left(&r) / (form == FORM_LINES ? VALUE_SIZE : 1));
    if (!reader_ok(&r)) {
        emit_violation(d, VIOLATION_TRUNCATED, "S-Bus command is cut off", at, (size_t)(r.at - at));
        return;
    }
    size_t wanted = form == FORM_VALUES ? (size_t)a->count * VALUE_SIZE : (a->count + 7U) / 8;
    bool is_fitting = !is_write || is_far || (a->count && reader_left(&r) == wanted);
    if (!is_fitting)
        emit_violation(d, VIOLATION_COUNT, "S-Bus count is not what follows", at,
                       (size_t)(r.at - at));
    a->has_range = a->count > 0;
    if (!a->has_range)
        return;
    struct ot_item *item = put_item(d, e, a);
    if (item && is_write)
        put_values(item, form, r);
}

static struct text block_name(struct dissect *d, uint8_t kind, uint16_t number)
{
    static const char *const kinds[] = {"COB", "XOB",  "PB", "FB", "ST",
                                        "TR",  "TEXT", "DB", "SB", "DBX"};
    if (kind < sizeof kinds / sizeof *kinds)
        return dissect_text(d, "%s%u", kinds[kind], number);
    return dissect_text(d, "block %u of kind %u", number, kind);
}

static void block_data(struct dissect *d, struct ot_event *e, struct reader r)
{
    reader_skip(&r, 1);
    uint8_t number = reader_u8(&r);
    const struct block_step *s = NULL;
    for (size_t i = 0; i < sizeof block_steps / sizeof *block_steps; i++)
        if (block_steps[i].number == number)
            s = &block_steps[i];
    if (!reader_ok(&r) || !s)
        return;
    e->operation = (enum operation)s->operation;
    e->name = s->name;
    e->transfer = (struct ot_transfer){.step = (enum transfer_step)s->step,
                                       .operation = (enum operation)s->operation,
                                       .key = s->operation};
    if (s->has_sequence)
        reader_skip(&r, 1);
    if (s->content == CONTENT_BYTES && reader_left(&r)) {
        e->transfer.bytes = r.at;
        e->transfer.size = reader_left(&r);
    } else if (s->content == CONTENT_NAMED) {
        uint8_t kind = reader_u8(&r);
        uint16_t block = reader_u16be(&r);
        if (!reader_ok(&r))
            return;
        e->detail = e->transfer.name = block_name(d, kind, block);
        if (s->step == TRANSFER_BEGIN)
            e->transfer.declared_size = reader_u32be(&r);
    }
}

/* --- directions --- */

static struct text station_text(struct dissect *d, uint8_t station)
{
    char *out = arena_take(d->arena, 3);
    size_t size = 0;
    if (!out)
        return (struct text){NULL, 0};
    if (station >= 100)
        out[size++] = (char)('0' + station / 100);
    if (station >= 10)
        out[size++] = (char)('0' + station / 10 % 10);
    out[size++] = (char)('0' + station % 10);
    return (struct text){out, size};
}

static void request(struct dissect *d, struct ot_event *e, uint16_t sequence, struct reader r)
{
    const uint8_t *at = r.at;
    uint8_t station = reader_u8(&r);
    uint8_t number = reader_u8(&r);
    if (!reader_ok(&r)) {
        e->code[0] = COMMAND_NONE;
        emit_violation(d, VIOLATION_TRUNCATED, "S-Bus request is cut off", at, reader_left(&r));
        return;
    }
    struct asked a = {.command = command_find(number), .number = number};
    e->code[0] = e->function = number;
    e->unit = station_text(d, station);
    if (!a.command) {
        emit_violation(d, VIOLATION_FUNCTION, "S-Bus command is not defined", at + 1, 1);
    } else {
        e->name = a.command->name;
        e->operation = (enum operation)a.command->operation;
        if (a.command->form)
            touched(d, e, &a, r);
        else if (number == BLOCK_DATA)
            block_data(d, e, r);
    }
    bool was_in_flight;
    a.operation = e->operation;
    a.name = e->name;
    memcpy(dissect_remember(d, sequence, sizeof a, &was_in_flight), &a, sizeof a);
    if (was_in_flight)
        e->flags |= OT_RETRANSMIT; /* asked again for want of an answer */
}

static void add_fact(struct ot_event *e, struct ot_fact *facts, enum fact_kind kind,
                     struct text value)
{
    if (!value.size)
        return;
    facts[e->fact_count++] = (struct ot_fact){.kind = kind, .value = value};
    e->facts = facts;
}

/* | type 5 | version 3 | */
static void firmware(struct ot_event *e, struct ot_fact *facts, struct reader r)
{
    enum { TYPE_SIZE = 5, FIRMWARE_SIZE = 3 };
    const uint8_t *type = reader_bytes(&r, TYPE_SIZE);
    const uint8_t *version = reader_bytes(&r, FIRMWARE_SIZE);
    if (!version)
        return;
    for (size_t i = 0; i < TYPE_SIZE + FIRMWARE_SIZE; i++)
        if (type[i] < 0x20 || type[i] > 0x7e)
            return;
    add_fact(e, facts, FACT_VENDOR, (struct text){"Saia-Burgess", 12});
    add_fact(e, facts, FACT_PRODUCT, (struct text){(const char *)type, TYPE_SIZE});
    add_fact(e, facts, FACT_FIRMWARE, (struct text){(const char *)version, FIRMWARE_SIZE});
}

static void cpu_status(struct ot_event *e, struct ot_fact *facts, uint8_t status)
{
    switch (status) {
    case 'R':
        add_fact(e, facts, FACT_MODE, (struct text){"run", 3});
        break;
    case 'S':
        add_fact(e, facts, FACT_MODE, (struct text){"stop", 4});
        break;
    case 'H':
        add_fact(e, facts, FACT_MODE, (struct text){"halt", 4});
        break;
    default: /* conditional run, disconnected: no mode of its own */
        break;
    }
}

static void response(struct dissect *d, struct ot_event *e, struct ot_fact *facts,
                     const struct asked *a, struct reader r)
{
    e->status = (struct ot_status){OT_RESULT_OK, 0, "ok"};
    if (!a || !a->command)
        return;
    if (a->has_range) {
        struct ot_item *item = put_item(d, e, a);
        if (item)
            put_values(item, a->command->form, r);
    } else if (a->number == READ_FIRMWARE) {
        firmware(e, facts, r);
    } else if (a->number >= READ_STATUS && a->number <= READ_STATUS_OWN && reader_left(&r) == 1) {
        cpu_status(e, facts, reader_peek(&r));
    }
}

static void acknowledgement(struct ot_event *e, struct reader r)
{
    static const char *const reasons[] = {"ok", "no_reason", "password", "port_reduced",
                                          "port_in_use"};
    uint16_t code = reader_u16be(&r);
    e->status = (struct ot_status){
        .result = code || !reader_ok(&r) ? OT_RESULT_ERROR : OT_RESULT_OK,
        .code = code,
        .name = code < sizeof reasons / sizeof *reasons ? reasons[code] : NULL,
    };
}

static void answer(struct dissect *d, struct ot_event *e, struct ot_fact *facts, uint16_t sequence,
                   bool is_acknowledgement, struct reader r)
{
    size_t size;
    const struct asked *a = dissect_recall(d, sequence, &size);
    if (a) {
        e->code[0] = e->function = a->number;
        e->name = a->name;
        e->operation = a->operation;
    } else {
        e->code[0] = COMMAND_NONE;
        e->flags |= OT_NO_REQUEST;
    }
    if (is_acknowledgement)
        acknowledgement(e, r);
    else
        response(d, e, facts, a, r);
}

static void sbus_dissect(struct dissect *d, struct reader r)
{
    struct reader pdu = r;
    size_t given = reader_left(&r);
    uint32_t size = reader_u32be(&r);
    uint8_t version = reader_u8(&r);
    reader_skip(&r, 1);
    uint16_t sequence = reader_u16be(&r);
    uint8_t attribute = reader_u8(&r);
    if (!reader_ok(&r) || size != given || size < SIZE_MIN) {
        emit_violation(d, VIOLATION_LENGTH, "S-Bus length is not the message's", pdu.at, given);
        return;
    }
    if (version > VERSION_MAX)
        emit_violation(d, VIOLATION_RESERVED, "S-Bus version is not defined", pdu.at + 4, 1);
    if (!is_crc_right(pdu.at, size))
        emit_violation(d, VIOLATION_CHECKSUM, "S-Bus checksum does not match",
                       pdu.at + size - CRC_SIZE, CRC_SIZE);
    if (attribute > ACKNOWLEDGEMENT) {
        emit_violation(d, VIOLATION_FUNCTION, "S-Bus attribute is not defined", pdu.at + 8, 1);
        return;
    }
    struct reader data = reader_take(&r, size - SIZE_MIN);
    bool is_request = attribute == REQUEST;
    dissect_sender_is_client(d, is_request);
    if (d->is_from_client != is_request)
        emit_violation(d, VIOLATION_DIRECTION, "S-Bus message of the other direction", pdu.at + 8,
                       1);
    struct ot_event e = event_of(d);
    struct ot_fact facts[3];
    e.direction = is_request ? OT_REQUEST : OT_RESPONSE;
    e.spell = spell;
    e.transaction = sequence;
    e.has_transaction = true;
    if (is_request)
        request(d, &e, sequence, data);
    else
        answer(d, &e, facts, sequence, attribute == ACKNOWLEDGEMENT, data);
    emit_event(d, &e);
}

static enum claim sbus_recognise(struct reader r)
{
    size_t given = reader_left(&r);
    const uint8_t *pdu = r.at;
    uint32_t size = reader_u32be(&r);
    uint8_t version = reader_u8(&r);
    reader_skip(&r, 3);
    uint8_t attribute = reader_u8(&r);
    if (!reader_ok(&r) || size != given || size < SIZE_MIN || version > VERSION_MAX ||
        attribute > ACKNOWLEDGEMENT)
        return CLAIM_NO;
    return is_crc_right(pdu, size) ? CLAIM_YES : CLAIM_NO;
}

const struct dissector dissector_sbus = {
    .name = "sbus",
    .spec = "public decoders and captures",
    .over = OVER_UDP,
    .ports = {5050},
    .recognise = sbus_recognise,
    .dissect = sbus_dissect,
};
