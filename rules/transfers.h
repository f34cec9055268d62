/* transfers.h: joins the steps of a program, firmware or file transfer into one transfer with name,
 * size and fingerprint, and remembers the last fingerprints of every device.
 *
 * Owned by one worker; bounded; no allocation after transfers_create. */
#pragma once

#include "rules/slots.h"
#include "sensor/base/ot_event.h"

#include <nettle/sha2.h>

enum { TRANSFER_NAME_SIZE = 64 };

/* What a step did to its transfer. */
enum transfer_change {
    TRANSFER_SAME,    /* went on, or the step belongs to no transfer that matters */
    TRANSFER_STARTED, /* begins, or was picked up in its middle */
    TRANSFER_ENDED,   /* all was sent; digest is valid when size is not 0 */
    TRANSFER_ABORTED, /* given up by one of the two */
};

struct transfer {
    struct slot slot;
    enum operation
        operation; /* OP_PROGRAM_DOWNLOAD, OP_PROGRAM_UPLOAD, OP_FIRMWARE_UPDATE, OP_FILE_* */
    const char *protocol;
    char name[TRANSFER_NAME_SIZE]; /* "OB1"; "" when nothing told it */
    char unit[TRANSFER_NAME_SIZE];
    uint64_t flow_id;
    uint32_t segment;
    uint8_t transport;
    struct endpoint client, server;
    bool is_begin_seen;
    uint64_t declared_size; /* 0: not told */
    uint64_t size;          /* bytes seen */
    uint32_t blocks;
    int64_t start_ns, last_ns;
    uint64_t first_packet;
    uint32_t source_index;
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct sha256_ctx sha256;
};

/* The last content seen under a name in a device, whichever way it went. */
struct fingerprint {
    struct slot slot;
    uint8_t digest[SHA256_DIGEST_SIZE];
    uint64_t size;
    int64_t seen_at_ns;
};

struct transfers;

/* NULL when there is no memory. */
struct transfers *transfers_create(size_t open_max, size_t fingerprints_max);
void transfers_destroy(struct transfers *t);

/* Applies the event's transfer step. On ENDED and ABORTED the returned transfer is closed: valid
 * until the next call. A BEGIN while another transfer of the same key is open gives up that one:
 * *replaced (valid until the next call). */
const struct transfer *transfers_step(struct transfers *t, const struct ot_event *e,
                                      enum transfer_change *change,
                                      const struct transfer **replaced);
/* The flow has an open transfer of this operation, or had one a moment ago: what follows belongs to
 * it. */
bool transfers_is_under_way(const struct transfers *t, uint64_t flow_id, enum operation operation,
                            int64_t now_ns);
/* The device refused what this flow began last and no content has followed: that transfer is over.
 */
void transfers_refuse(struct transfers *t, uint64_t flow_id, enum operation operation);
/* Takes out one transfer that was last heard of before `before_ns`; NULL when there is none. Valid
 * until the next call. */
const struct transfer *transfers_take_stale(struct transfers *t, int64_t before_ns);

/* The content last seen under this name in the server's unit; NULL: none. */
const struct fingerprint *transfers_known(struct transfers *t, const struct transfer *transfer);
/* The same for a name that an event mentions. */
const struct fingerprint *transfers_known_name(struct transfers *t, const struct ot_event *e,
                                               struct text name);
/* Keeps the content of an ended transfer as the last one known. */
void transfers_remember(struct transfers *t, const struct transfer *transfer);

/* A digest as 64 hexadecimal digits. */
void digest_print(char out[2 * SHA256_DIGEST_SIZE + 1], const uint8_t digest[SHA256_DIGEST_SIZE]);
