/* capture.h: where packets come from: capture files in time order, or live interfaces. */
#pragma once

#include "sensor/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A packet as the source has it; bytes are borrowed until the next capture_next. */
struct raw_packet {
    int64_t time_ns;
    const uint8_t *bytes;
    uint32_t captured_size, wire_size;
    uint16_t link_type;    /* LINKTYPE_* number as in files (not the DLT_* of the platform) */
    uint32_t source_index; /* of the -r or -i argument */
    uint64_t number;       /* 1-based within its source */
};

enum capture_result {
    CAPTURE_PACKET,
    CAPTURE_IDLE,    /* live, or a pipe: nothing came within 100 ms, or a signal did; call again */
    CAPTURE_END,     /* files: all read; live: no interface is left */
    CAPTURE_DAMAGED, /* one file could not be read on (*err names file and offset), or one interface
                        went down or away (*err says which); call again for the rest */
};

struct capture;

/* Opens files (pcap, pcapng, either gzip-compressed; "-" is stdin) and merges them in time order.
 * Never fails as a whole: files that cannot be opened are told by capture_next as CAPTURE_DAMAGED.
 */
struct capture *capture_files(const char *const *paths, size_t count);

struct capture_live_options {
    const char *const *interfaces;
    size_t interface_count;
    const char *filter; /* BPF expression; NULL: everything */
    uint32_t snaplen;   /* 0: 65535 */
    uint32_t ring_size; /* bytes per interface; 0: 64 MiB */
    bool is_promiscuous;
};
/* Opens all interfaces or none. *err names the interface and what to do. Never sends. */
bool capture_live(struct capture **capture, const struct capture_live_options *options,
                  struct error *err) NODISCARD;

enum capture_result capture_next(struct capture *capture, struct raw_packet *packet,
                                 struct error *err);

/* Up to max (at least one) packets at once, as many as are at hand; all are borrowed until the next
 * call of capture_next or capture_batch. *after: what came behind them, CAPTURE_PACKET when more
 * may follow (then *err says nothing). */
size_t capture_batch(struct capture *capture, struct raw_packet *packets, size_t max,
                     enum capture_result *after, struct error *err);

/* The name of a source: file path or interface. */
const char *capture_source_name(const struct capture *capture, uint32_t source_index);

struct capture_drops {
    uint64_t received, dropped_kernel, dropped_interface;
};
/* Live: the kernel's counters of one interface since start. Files: what was read. */
void capture_drops(struct capture *capture, uint32_t source_index, struct capture_drops *drops);

void capture_close(struct capture *capture);
