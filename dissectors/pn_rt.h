/* pn_rt.h: parts of the PROFINET ethertype; pn_rt.c hands a frame to the one that its frame id
 * names. `r` is what follows the frame id. */
#pragma once

#include "dissector.h"

enum pn_frame_id { /* PROTOCOLS 13 */
                   FRAME_ALARM_HIGH = 0xfc01,
                   FRAME_RSI = 0xfe02,
                   FRAME_ALARM_LOW = 0xfe01,
                   FRAME_DCP_HELLO = 0xfefc,
                   FRAME_DCP_GET_SET = 0xfefd,
                   FRAME_DCP_IDENTIFY_REQUEST = 0xfefe,
                   FRAME_DCP_IDENTIFY_RESPONSE = 0xfeff,
};

void pn_alarm_dissect(struct dissect *d, uint16_t frame_id, struct reader r);
void pn_dcp_dissect(struct dissect *d, uint16_t frame_id, struct reader r);
/* name: "announce", "delay_request", ... */
void pn_ptcp_dissect(struct dissect *d, uint16_t frame_id, const char *name, struct reader r);

/* Spells code[0] as "0x8000". */
void pn_spell_frame_id(const uint32_t code[OT_CODE_PARTS], char out[OT_CODE_SIZE]);
