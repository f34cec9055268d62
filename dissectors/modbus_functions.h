/* modbus_functions.h: the functions of Modbus as a table, and the sizes and quantities that it
 * gives their PDUs. */
#pragma once

#include "dissector.h"

/* How the data of a function is laid out. */
enum modbus_layout {
    LAYOUT_UNDEFINED, /* the code is not in any list */
    LAYOUT_OPEN,      /* user-defined or reserved: no layout is known */
    LAYOUT_READ_BITS,
    LAYOUT_READ_REGISTERS,
    LAYOUT_WRITE_COIL,
    LAYOUT_WRITE_REGISTER,
    LAYOUT_WRITE_BITS,
    LAYOUT_WRITE_REGISTERS,
    LAYOUT_EXCEPTION_STATUS,
    LAYOUT_DIAGNOSTICS,
    LAYOUT_EVENT_COUNTER,
    LAYOUT_EVENT_LOG,
    LAYOUT_SERVER_ID,
    LAYOUT_FILE_READ,
    LAYOUT_FILE_WRITE,
    LAYOUT_MASK_WRITE,
    LAYOUT_READ_WRITE,
    LAYOUT_FIFO,
    LAYOUT_ENCAPSULATED,
    LAYOUT_UMAS,
    LAYOUT_COUNT_OF,
};

struct modbus_function {
    const char *name; /* NULL: undefined */
    enum modbus_layout layout;
    enum operation operation;
    uint16_t count_max; /* greatest quantity; 0: has none */
    const char *area;
};

enum {
    MODBUS_EXCEPTION_BIT = 0x80,
    MODBUS_FUNCTION_BITS = 0x7f,
    MODBUS_UMAS = 0x5a,
    MODBUS_READ_WRITE_MAX = 121, /* registers written by function 23, [MB] 6.17 */
    MODBUS_FIFO_MAX = 31,        /* [MB] 6.18 */
    MODBUS_FILE_READ_GROUP = 7,  /* bytes of a sub-request, [MB] 6.14 */
    MODBUS_MEI_CANOPEN = 13,
    MODBUS_MEI_IDENTIFICATION = 14,
};

/* The row of a function code; the exception bit is ignored. Never NULL. */
const struct modbus_function *modbus_function_of(uint8_t code);

/* Name and class of a sub-function of function 8; false: not defined. */
bool modbus_diagnostic(uint16_t sub, const char **name, enum operation *operation);

/* NULL: not defined. */
const char *modbus_exception_name(uint8_t code);

/* Bytes of `count` bits. */
static inline size_t modbus_bits_size(unsigned count)
{
    return (count + 7u) / 8u;
}

/* The size of a PDU by its own bytes. When too few are there to tell, the number that is needed to
 * tell, so more than there are. 0: the function has no fixed layout (or none that is known). */
size_t modbus_pdu_size(struct reader pdu, bool is_response);

/* Whether a whole PDU has a defined function and the size and quantities that the specification
 * allows. */
bool modbus_pdu_fits(struct reader pdu, bool is_response);
