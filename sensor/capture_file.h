/* capture_file.h: the packets of one capture file, in its order: pcap and pcapng. One thread owns
 * it. */
#pragma once

#include "capture.h"

enum {
    CAPTURE_PACKET_MAX = 256 * 1024,      /* libpcap's own greatest snaplen */
    CAPTURE_BLOCK_MAX = 16 * 1024 * 1024, /* of a pcapng block that is not a packet */
    CAPTURE_INTERFACES_MAX = 4096,        /* of one pcapng section */
};

struct capture_file;

/* Opens a file ("-" is standard input). NULL and *err naming the file when it cannot be opened. */
struct capture_file *capture_file_open(const char *path, struct error *err);
/* Reads a capture that lies in memory, which must outlive it; name stands for the path in messages.
 */
struct capture_file *capture_file_memory(const void *bytes, size_t size, const char *name);
void capture_file_close(struct capture_file *file);

/* Held: the bytes of packets stay valid until the hold ends, and CAPTURE_IDLE also means that the
 * next packet is not in memory yet. */
void capture_file_hold(struct capture_file *file, bool is_held);
/* The next packet; number and source_index are left to the caller. Bytes are borrowed until the
 * next call (see capture_file_hold). After CAPTURE_DAMAGED comes CAPTURE_END. CAPTURE_IDLE: a pipe
 * has nothing yet. */
enum capture_result capture_file_next(struct capture_file *file, struct raw_packet *packet,
                                      struct error *err);
