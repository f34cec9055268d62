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
    struct {
        uint64_t object; /* its key; 0: none */
        int64_t at_ns;
        bool is_told;            /* nobody went on with it */
    } selected[IEC104_SELECTED]; /* the oldest is replaced */
    uint8_t selected_next;
    bool has_selected; /* one of them waits for its execute */
};

/* Whether bytes are an ASDU of exactly this size, in the layout that 104 prescribes. */
bool iec104_asdu_fits(struct reader r);

/* With each frame: whether a command was selected and neither executed nor cancelled. */
void iec104_selects_look(struct dissect *d, struct iec104_asdu_state *s);

/* One ASDU into an event. */
void iec104_asdu_dissect(struct dissect *d, struct iec104_asdu_state *s, struct reader r);
