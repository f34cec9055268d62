/* dcerpc_interfaces.h: what the interfaces of Windows's remote procedures are for. */
#pragma once

#include "dissector.h"

/* What a request's stub tells of the thing acted on. */
enum dcerpc_argument {
    ARGUMENT_NONE,
    ARGUMENT_AFTER_HANDLE, /* a text behind a handle of 20 bytes */
    ARGUMENT_POINTER,      /* a text behind a pointer */
    ARGUMENT_CONTROL,      /* a code behind a handle: only 1 stops, the others ask or signal */
};

struct dcerpc_operation {
    uint16_t number;
    uint8_t operation; /* enum operation */
    uint8_t argument;  /* enum dcerpc_argument */
    const char *name;
};

struct dcerpc_interface {
    uint32_t low;
    uint16_t middle, high;
    uint8_t rest[8];
    const char *name; /* as its pipe is called, or as the specification calls it */
    const struct dcerpc_operation *operations;
    uint16_t operation_count;
};

/* The interface of this UUID in wire form with these first three parts; NULL: unknown. */
const struct dcerpc_interface *dcerpc_interface(uint32_t low, uint16_t middle, uint16_t high,
                                                const uint8_t rest[8]);
/* By its place in the table from 0 on, and the place. */
const struct dcerpc_interface *dcerpc_interface_at(size_t index);
size_t dcerpc_interface_index(const struct dcerpc_interface *interface);
/* NULL: unknown. */
const struct dcerpc_operation *dcerpc_operation(const struct dcerpc_interface *interface,
                                                uint16_t number);
