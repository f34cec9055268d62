/* pn_dcp_options.h: what the options of PROFINET DCP are called, mean and hold. */
#pragma once

#include "dissector.h"

enum dcp_shape { /* of an option's value */
                 SHAPE_NONE,
                 SHAPE_BYTES,
                 SHAPE_MAC,
                 SHAPE_IP,       /* address, mask, gateway */
                 SHAPE_IP_SUITE, /* and four name servers */
                 SHAPE_TEXT,
                 SHAPE_DEVICE_ID, /* vendor 2 | device 2 */
                 SHAPE_ROLE,
                 SHAPE_OPTIONS, /* pairs of option and suboption */
                 SHAPE_U16,
};

enum dcp_control { /* suboptions of option 5 that mean more than a value */
                   DCP_OPTION_CONTROL = 5,
                   DCP_CONTROL_SIGNAL = 3,
                   DCP_CONTROL_RESPONSE = 4,
                   DCP_CONTROL_RESET_FACTORY = 5,
                   DCP_CONTROL_RESET_TO_FACTORY = 6,
};

struct dcp_option {
    uint8_t option, suboption;
    enum dcp_shape shape;
    enum operation on_set; /* OP_UNKNOWN: cannot be set */
    enum fact_kind fact;   /* FACT_COUNT: not an identity fact */
    const char *name;
};

/* NULL: unknown. */
const struct dcp_option *dcp_option_of(uint8_t option, uint8_t suboption);
/* What a reset to factory (5/6) resets; NULL: unknown. */
const char *dcp_reset_name(uint16_t qualifier);
/* Error code of a block; NULL: unknown. */
const char *dcp_error_name(uint8_t error);
/* "io_device", several joined by "+"; empty when no known bit is set. */
struct text dcp_role(struct dissect *d, uint8_t roles);
