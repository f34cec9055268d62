/* synchrophasor_configuration.h: what a stream of phasor measurements consists of. */
#pragma once

#include "dissector.h"

enum { SYNCHROPHASOR_UNITS_MAX = 16 };

/* How the measurements of a data frame lie; kept per stream. */
struct synchrophasor_layout {
    uint32_t size;    /* of all units' data; 0: not known */
    uint32_t changes; /* counts of changes of all units together */
    uint16_t rate;    /* frames a second, or seconds a frame when negative */
    bool is_whole;    /* all units were read */
    uint8_t unit_count;
    struct synchrophasor_unit {
        uint16_t id;
        uint16_t format; /* bits: 3 frequency, 2 analog, 1 phasors are floats, 0 polar */
        uint16_t phasors, analogs, digitals;
        uint16_t nominal_hz; /* 50 or 60 */
    } units[SYNCHROPHASOR_UNITS_MAX];
};

/* Configuration 1 or 2: facts of the event and the layout. False: it is cut off. */
bool synchrophasor_configuration(struct dissect *d, struct reader r, struct ot_event *e,
                                 struct synchrophasor_layout *layout);
/* Configuration 3, whose names have lengths; its first unit only when it has several parts. */
bool synchrophasor_configuration_3(struct dissect *d, struct reader r, struct ot_event *e,
                                   struct synchrophasor_layout *layout);
/* Items of a data frame: frequency in Hz and its change in Hz/s of each unit, however they are
 * sent; its phasors, analogs, digitals as they are sent. */
void synchrophasor_data(struct dissect *d, const struct synchrophasor_layout *layout,
                        struct reader r, struct ot_event *e);
