/* ethercat.h: what ethercat.c and ethercat_mailbox.c share. */
#pragma once

#include "dissector.h"

enum { ECAT_SLAVES = 64 };

/* Lives as long as the flow. Frames come back from the ring with another source address, so there
 * is a flow of frames going out and one of frames coming back. */
struct ecat_state {
    struct {
        uint16_t address; /* configured station address; 0: free */
        uint8_t al_state; /* last one asked for or told */
        uint8_t block;    /* of a file: next packet, low byte */
        uint16_t block_size;
        bool is_upload, is_open;
        bool is_program_open; /* by segments of an SDO */
    } slaves[ECAT_SLAVES];
    struct {
        uint32_t address; /* logical, or register */
        uint16_t count;   /* last working counter */
        uint8_t command;  /* 0: free */
    } counters[8];
    uint8_t next_counter;
};

enum ecat_al_state { AL_INIT = 1, AL_PREOP = 2, AL_BOOT = 3, AL_SAFEOP = 4, AL_OP = 8 };

/* Index of the slave in the state; made when missing. */
size_t ecat_slave(struct ecat_state *s, uint16_t address);

/* One mailbox message from its header on; false: it is none. `is_to_slave`: from the master. */
bool ecat_mailbox(struct dissect *d, uint16_t slave, bool is_to_slave, struct reader r);
