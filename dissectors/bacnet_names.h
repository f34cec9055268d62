/* bacnet_names.h: names of BACnet's numbers; NULL where there is none. */
#pragma once

#include <stdint.h>

const char *bacnet_object_type_name(uint32_t number); /* "analog-value" */
const char *bacnet_property_name(uint32_t number);    /* "present-value" */
const char *bacnet_error_name(uint32_t number);       /* "password-failure" */
const char *bacnet_reject_name(uint32_t number);
const char *bacnet_abort_name(uint32_t number);
const char *bacnet_vendor_name(uint32_t number); /* NULL: not among the first four hundred */
