/* s7comm_errors.h: what S7 controllers answer when they refuse. */
#pragma once

#include <stdint.h>

/* Of the header's error class and code, or of a userdata parameter; the class's name for codes that
 * are not in the table, NULL for classes that are not either. */
const char *s7comm_error_name(uint16_t error);

/* Of a data item: 0xff is ok. NULL: unknown. */
const char *s7comm_item_error_name(uint8_t code);
