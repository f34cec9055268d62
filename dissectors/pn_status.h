/* pn_status.h: the four-byte status of PROFINET IO services and alarms. */
#pragma once

#include "dissector.h"

/* | error code 1 | decode 1 | code 1 | code 2 |, big endian, as a number; 0: fine. */
struct ot_status pn_status_of(uint32_t status);
