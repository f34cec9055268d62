/* iec104_asdu.h: what an I frame of IEC 60870-5-104 carries. */
#pragma once

#include "dissector.h"
#include "iec104_types.h"

/* How many bytes three fields of the header have. 104 prescribes 2, 2, 3; serial gateways pass on
 * what their 101 side has. */
struct iec104_layout {
    uint8_t cause_size, address_size, object_size;
};

enum { IEC104_SELECTED = 4 }; /* commands that are prepared at a time */

struct iec104_asdu_state {
    struct iec104_layout layout;
    bool is_layout_known;
    bool is_file_sent[2]; /* by the controlled station, by the controlling one: the last file
                             announced */
    uint64_t selected[IEC104_SELECTED]; /* keys of objects, the oldest is replaced; 0: none */
    uint8_t selected_next;
};

/* Whether bytes are an ASDU of exactly this size, in the layout that 104 prescribes. */
bool iec104_asdu_fits(struct reader r);

/* One ASDU into an event. */
void iec104_asdu_dissect(struct dissect *d, struct iec104_asdu_state *s, struct reader r);
