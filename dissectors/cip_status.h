/* cip_status.h: what a CIP general status and its extension say. */
#pragma once

#include <stdint.h>

enum { CIP_STATUS_OK = 0, CIP_STATUS_PARTIAL = 6, CIP_STATUS_EMBEDDED = 0x1e };

/* "object_does_not_exist"; the extended status where it says more; NULL: unknown. extended: 0 when
 * none. */
const char *cip_status_name(uint8_t general, uint16_t extended);
