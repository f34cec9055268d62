/* s7comm.h: what the parts of the S7comm dissector share: one PDU cut into its pieces, what is kept
 * of a flow and of a request.
 *
 * The parts: s7comm.c (header, jobs and their answers), s7comm_items (variables and values),
 * s7comm_blocks (block names, transfers, PI services), s7comm_userdata (ROSCTR 7),
 * s7comm_groups (what its groups say), s7comm_jobs (what variable tables and subscriptions yield),
 * s7comm_szl (system status lists and identity), s7comm_times (dates and times), s7comm_errors
 * (names of errors). Sections are those of PROTOCOLS 6. */
#pragma once

#include "dissector.h"

enum s7comm_rosctr { S7COMM_JOB = 1, S7COMM_ACK = 2, S7COMM_ACK_DATA = 3, S7COMM_USERDATA = 7 };

enum s7comm_function {
    S7COMM_CPU_SERVICES = 0x00,
    S7COMM_READ_VAR = 0x04,
    S7COMM_WRITE_VAR = 0x05,
    S7COMM_REQUEST_DOWNLOAD = 0x1a,
    S7COMM_DOWNLOAD_BLOCK = 0x1b,
    S7COMM_DOWNLOAD_ENDED = 0x1c,
    S7COMM_START_UPLOAD = 0x1d,
    S7COMM_UPLOAD = 0x1e,
    S7COMM_END_UPLOAD = 0x1f,
    S7COMM_PI_SERVICE = 0x28,
    S7COMM_PLC_STOP = 0x29,
    S7COMM_SETUP = 0xf0,
};

enum {
    S7COMM_LIST_MAX =
        3072, /* a status list over several PDUs: the longest that carry identity, thrice */
    S7COMM_NAME_MAX = 32, /* a block or file name kept for the download that it begins */
};

struct s7comm_pdu {
    uint8_t rosctr;
    uint16_t reference;
    uint16_t error; /* class << 8 | code of an answer; 0: none */
    struct reader parameter, data;
    struct reader whole;
};

/* Of a flow. */
struct s7comm_state {
    uint16_t pdu_size;     /* negotiated; 0: not seen */
    bool is_setup;         /* setup communication was seen, or its lack was told */
    bool is_downloading;   /* request download was seen, download ended was not */
    bool has_second;       /* a reference was once in flight twice */
    uint8_t download_size; /* of its name as on the wire */
    char download[S7COMM_NAME_MAX];

    /* a system status list that comes in several PDUs */
    bool is_list_open;
    uint8_t list_unit; /* data unit reference */
    uint16_t list_size;
    uint8_t list[S7COMM_LIST_MAX];
};

/* Of a job: its parameter, as much as fits, so that the answer can read it again. */
struct s7comm_request {
    uint16_t size;
    uint8_t function;
    uint8_t parameter[REMEMBER_MAX - 3];
};

/* An event of this PDU with direction, code, transaction, unit and status of the header filled in.
 */
void s7comm_event_start(struct ot_event *event, const struct dissect *d,
                        const struct s7comm_pdu *pdu);

/* Sets the status: ok for 0. */
void s7comm_set_status(struct ot_event *event, uint16_t error);

/* Text without what fills it up: from a NUL on, and spaces at its end. */
struct text s7comm_trimmed(struct reader r);
