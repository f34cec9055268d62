/* capture_file.c: the packets of one capture file.
 *
 * Spec: [PCAP]   draft-ietf-opsawg-pcap (PCAP Capture File Format)
 *       [PCAPNG] draft-ietf-opsawg-pcapng (PCAP Next Generation Capture File Format)
 *
 *   pcap:   | magic 4 | major 2 | minor 2 | reserved 8 | snaplen 4 | link type 4 |
 *           { | seconds 4 | fraction 4 | captured 4 | original 4 | bytes | } ...
 *   pcapng: { | type 4 | total length 4 | body, padded to 4 | total length 4 | } ...
 *
 * Everything is looked at before it is taken, so that a pipe may stop anywhere and be asked again.
 */
#include "capture_file.h"
#include "capture_input.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC_MICRO    0xa1b2c3d4u
#define MAGIC_NANO     0xa1b23c4du
#define MAGIC_MODIFIED 0xa1b2cd34u /* Kuznetzov's: eight more bytes per record */
#define MAGIC_ORDER    0x1a2b3c4du /* [PCAPNG] 4.1: byte-order magic */

enum {
    FILE_HEADER_SIZE = 24,
    RECORD_HEADER_SIZE = 16,
    RECORD_MODIFIED_SIZE = 24,
    LINK_TYPE_MASK = 0xffff, /* [PCAP] 4: above it reserved bits and the FCS length */
};

enum block_type { /* [PCAPNG] 11.1 */
                  BLOCK_INTERFACE = 1,
                  BLOCK_PACKET_OLD = 2,
                  BLOCK_PACKET_SIMPLE = 3,
                  BLOCK_PACKET = 6,
                  BLOCK_SECTION = 0x0a0d0d0a,
};

enum {
    BLOCK_SIZE_MIN = 12,
    BLOCK_HEAD_SIZE = 8,
    SECTION_SIZE_MIN = 28,
    INTERFACE_SIZE_MIN = 20,
    OPTION_END = 0,
    OPTION_TSRESOL = 9,
    OPTION_TSOFFSET = 14,
    OPTIONS_SIZE_MAX = 64 * 1024, /* of an interface: what is looked at */
};

#define NS_PER_S INT64_C(1000000000)
/* Times are kept where sums of ordinary intervals cannot overflow: 1970 to 2116. */
#define TIME_MAX (INT64_C(1) << 62)

enum unit { UNIT_MULTIPLY, UNIT_DIVIDE, UNIT_SHIFT };

/* What a pcapng interface says about its packets. */
struct interface {
    uint32_t snaplen;
    uint16_t link_type;
    uint8_t unit;      /* enum unit: how its clock becomes nanoseconds */
    uint8_t shift;     /* UNIT_SHIFT: a second is 2^shift */
    uint64_t factor;   /* UNIT_MULTIPLY, UNIT_DIVIDE */
    int64_t offset_ns; /* added to every time */
};

enum format { FORMAT_UNKNOWN, FORMAT_PCAP, FORMAT_PCAPNG };

struct capture_file {
    struct input *input;
    char *name;
    uint8_t format; /* enum format */
    bool is_swapped, is_done;

    /* pcap */
    uint32_t record_header_size;
    uint32_t ns_per_fraction;
    uint16_t link_type;
    uint16_t minor;

    /* pcapng */
    struct interface *interfaces;
    size_t interface_count, interface_capacity;
    int64_t last_time_ns; /* a simple packet has no time of its own */
    uint64_t skip_left;   /* of a block that is being passed over */
    uint32_t skip_length; /* its total length, to be found again at its end; 0: not passing over */
    uint64_t skip_offset;
};

static uint32_t u32_of(const struct capture_file *f, const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return f->is_swapped ? __builtin_bswap32(value) : value;
}

static uint16_t u16_of(const struct capture_file *f, const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof value);
    return f->is_swapped ? __builtin_bswap16(value) : value;
}

/* Old files carry the platform's number for raw IP in place of LINKTYPE_RAW. */
static uint16_t link_type_of(uint32_t number)
{
    enum { RAW_BSD = 12, RAW_OPENBSD = 14, LINKTYPE_RAW = 101 };
    uint16_t type = (uint16_t)(number & LINK_TYPE_MASK);
    return type == RAW_BSD || type == RAW_OPENBSD ? LINKTYPE_RAW : type;
}

static struct capture_file *file_create(struct input *input, const char *name)
{
    struct capture_file *f = calloc(1, sizeof *f);
    if (f) {
        f->input = input;
        f->name = strdup(strcmp(name, "-") == 0 ? "standard input" : name);
    }
    if (!f || !f->name) {
        input_close(input);
        free(f);
        return NULL;
    }
    return f;
}

struct capture_file *capture_file_open(const char *path, struct error *err)
{
    struct input *input = input_open(path, err);
    if (!input)
        return NULL;
    struct capture_file *f = file_create(input, path);
    if (!f)
        error_set(err, "cannot read %s: out of memory", path);
    return f;
}

struct capture_file *capture_file_memory(const void *bytes, size_t size, const char *name)
{
    struct input *input = input_memory(bytes, size);
    return input ? file_create(input, name) : NULL;
}

void capture_file_close(struct capture_file *f)
{
    if (!f)
        return;
    input_close(f->input);
    free(f->interfaces);
    free(f->name);
    free(f);
}

/* The file cannot be read on: says where and why. */
static enum capture_result damaged(struct capture_file *f, struct error *err, const char *why)
{
    f->is_done = true;
    error_set(err, "%s: offset %" PRIu64 ": %s", f->name, input_offset(f->input), why);
    return CAPTURE_DAMAGED;
}

/* What an unfulfilled input_peek of `wanted` bytes for `what` means. Not inlined as all here whose
 * messages would take room on the stack of every packet. */
__attribute__((noinline)) static enum capture_result unread(struct capture_file *f,
                                                            enum input_result result,
                                                            const char *what, size_t left,
                                                            uint64_t wanted, struct error *err)
{
    char why[240];
    if (result == INPUT_WAIT)
        return CAPTURE_IDLE;
    if (result == INPUT_ERROR)
        return damaged(f, err, input_error(f->input));
    snprintf(why, sizeof why, "%s cut short: %zu of %" PRIu64 " bytes", what, left, wanted);
    return damaged(f, err, why);
}

static int64_t clamp_time(int64_t time_ns)
{
    if (time_ns < 0)
        return 0;
    return time_ns > TIME_MAX ? TIME_MAX : time_ns;
}

/* ---- pcap ---- */

static enum capture_result pcap_start(struct capture_file *f, const uint8_t *header, uint32_t magic,
                                      struct error *err)
{
    f->format = FORMAT_PCAP;
    f->ns_per_fraction = magic == MAGIC_NANO ? 1 : 1000;
    f->record_header_size = magic == MAGIC_MODIFIED ? RECORD_MODIFIED_SIZE : RECORD_HEADER_SIZE;
    f->minor = u16_of(f, header + 6);
    f->link_type = link_type_of(u32_of(f, header + 20));
    if (u16_of(f, header + 4) != 2)
        return damaged(f, err, "pcap of an unknown version (2 is known)");
    input_take(f->input, FILE_HEADER_SIZE);
    return CAPTURE_PACKET;
}

__attribute__((noinline)) static enum capture_result too_long(struct capture_file *f,
                                                              uint32_t captured, struct error *err)
{
    char why[160];
    snprintf(why, sizeof why,
             "packet record of %" PRIu32 " bytes: more than the %d that a packet may have",
             captured, CAPTURE_PACKET_MAX);
    return damaged(f, err, why);
}

static enum capture_result pcap_next(struct capture_file *f, struct raw_packet *packet,
                                     struct error *err)
{
    const uint8_t *record;
    size_t left;
    uint32_t header_size = f->record_header_size;
    enum input_result result = input_peek(f->input, header_size, &record, &left);
    if (result == INPUT_SHORT && left == 0) {
        f->is_done = true;
        return CAPTURE_END;
    }
    if (result != INPUT_READY)
        return unread(f, result, "packet record", left, header_size, err);

    uint32_t captured = u32_of(f, record + 8), wire = u32_of(f, record + 12);
    /* [PCAP] 4: before 2.3 the two lengths are the other way round, in 2.3 in some files */
    if (f->minor < 3 || (f->minor == 3 && captured > wire)) {
        uint32_t swap = captured;
        captured = wire;
        wire = swap;
    }
    if (captured > CAPTURE_PACKET_MAX)
        return too_long(f, captured, err);
    if (left < header_size + captured) {
        result = input_peek(f->input, header_size + captured, &record, &left);
        if (result != INPUT_READY)
            return unread(f, result, "packet record", left, header_size + captured, err);
    }
    packet->time_ns =
        u32_of(f, record) * NS_PER_S + (int64_t)u32_of(f, record + 4) * f->ns_per_fraction;
    packet->bytes = record + header_size;
    packet->captured_size = captured;
    packet->wire_size = wire < captured ? captured : wire;
    packet->link_type = f->link_type;
    input_take(f->input, header_size + captured);
    return CAPTURE_PACKET;
}

/* ---- pcapng ---- */

/* [PCAPNG] 4.2: if_tsresol: a power of ten, or with the top bit of two. Default 10^-6. */
static void interface_resolution(struct interface *i, uint8_t resolution)
{
    uint8_t power = resolution & 0x7f;
    if (resolution & 0x80) {
        i->unit = UNIT_SHIFT;
        i->shift = power > 63 ? 63 : power;
        return;
    }
    i->unit = power <= 9 ? UNIT_MULTIPLY : UNIT_DIVIDE;
    i->factor = 1;
    uint8_t steps = power <= 9 ? (uint8_t)(9 - power) : (uint8_t)(power - 9);
    for (uint8_t n = 0; n < steps && n < 19; n++)
        i->factor *= 10;
}

static int64_t interface_time(const struct interface *i, uint64_t ticks)
{
    uint64_t ns;
    bool is_over = false;
    if (i->unit == UNIT_MULTIPLY) {
        is_over = __builtin_mul_overflow(ticks, i->factor, &ns);
    } else if (i->unit == UNIT_DIVIDE) {
        ns = ticks / i->factor;
    } else {
        uint64_t seconds = ticks >> i->shift;
        uint64_t fraction = ticks & ((UINT64_C(1) << i->shift) - 1);
        /* 32 bits of the fraction are finer than a nanosecond, and cannot overflow below */
        uint8_t bits = i->shift > 32 ? 32 : i->shift;
        fraction >>= i->shift - bits;
        is_over = __builtin_mul_overflow(seconds, (uint64_t)NS_PER_S, &ns);
        ns += (fraction * (uint64_t)NS_PER_S) >> bits;
    }
    if (is_over || ns > (uint64_t)TIME_MAX)
        ns = (uint64_t)TIME_MAX;
    return clamp_time((int64_t)ns + i->offset_ns);
}

static uint64_t u64_of(const struct capture_file *f, const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return f->is_swapped ? __builtin_bswap64(value) : value;
}

/* [PCAPNG] 3.5: | code 2 | length 2 | value, padded to 4 | ... */
static void interface_options(const struct capture_file *f, struct interface *i, const uint8_t *at,
                              size_t size)
{
    while (size >= 4) {
        uint16_t code = u16_of(f, at), length = u16_of(f, at + 2);
        size_t padded = ((size_t)length + 3) & ~(size_t)3;
        if (code == OPTION_END || length > size - 4)
            return;
        if (code == OPTION_TSRESOL && length >= 1)
            interface_resolution(i, at[4]);
        if (code == OPTION_TSOFFSET && length >= 8) {
            int64_t seconds = (int64_t)u64_of(f, at + 4);
            if (__builtin_mul_overflow(seconds, NS_PER_S, &i->offset_ns) ||
                i->offset_ns > TIME_MAX || i->offset_ns < -TIME_MAX)
                i->offset_ns = 0; /* no capture was made then */
        }
        if (padded > size - 4)
            return;
        at += 4 + padded;
        size -= 4 + padded;
    }
}

/* Looks at one whole block but its trailing length. */
static enum capture_result block_interface(struct capture_file *f, uint32_t length,
                                           struct error *err)
{
    const uint8_t *block;
    size_t left, size = length < OPTIONS_SIZE_MAX ? length : OPTIONS_SIZE_MAX;
    if (length < INTERFACE_SIZE_MIN)
        return damaged(f, err, "interface block too short");
    enum input_result result = input_peek(f->input, size, &block, &left);
    if (result != INPUT_READY)
        return unread(f, result, "interface block", left, length, err);
    if (f->interface_count == CAPTURE_INTERFACES_MAX)
        return damaged(f, err, "more than 4096 interfaces in one section");
    if (f->interface_count == f->interface_capacity) {
        size_t capacity = f->interface_capacity ? 2 * f->interface_capacity : 8;
        struct interface *grown = realloc(f->interfaces, capacity * sizeof *grown);
        if (!grown)
            return damaged(f, err, "out of memory for its interfaces");
        f->interfaces = grown;
        f->interface_capacity = capacity;
    }
    struct interface *i = &f->interfaces[f->interface_count++];
    *i = (struct interface){.link_type = link_type_of(u16_of(f, block + 8)),
                            .snaplen = u32_of(f, block + 12)};
    interface_resolution(i, 6);
    size_t end = size == length ? size - 4 : size;
    interface_options(f, i, block + 16, end - 16);
    return CAPTURE_PACKET;
}

/* [PCAPNG] 4.1: a section begins: byte order and interfaces start anew. */
static enum capture_result block_section(struct capture_file *f, uint32_t *length,
                                         struct error *err)
{
    const uint8_t *block;
    size_t left;
    uint32_t magic;
    enum input_result result = input_peek(f->input, SECTION_SIZE_MIN - 4, &block, &left);
    if (result != INPUT_READY)
        return unread(f, result, "section header", left, SECTION_SIZE_MIN - 4, err);
    memcpy(&magic, block + 8, sizeof magic);
    if (magic != MAGIC_ORDER && magic != __builtin_bswap32(MAGIC_ORDER))
        return damaged(f, err, "section header without byte-order magic");
    f->is_swapped = magic != MAGIC_ORDER;
    if (u16_of(f, block + 12) != 1)
        return damaged(f, err, "pcapng of an unknown version (1 is known)");
    *length = u32_of(f, block + 4);
    if (*length < SECTION_SIZE_MIN)
        return damaged(f, err, "section header too short");
    f->interface_count = 0;
    return CAPTURE_PACKET;
}

struct packet_layout {
    uint32_t type;
    uint32_t header_size; /* from the start of the block to the packet's bytes */
    const char *name;
};

static const struct packet_layout packet_layouts[] = {
    {BLOCK_PACKET,        28, "packet block"       }, /* [PCAPNG] 4.3 */
    {BLOCK_PACKET_SIMPLE, 12, "simple packet block"}, /* [PCAPNG] 4.4 */
    {BLOCK_PACKET_OLD,    28, "packet block"       }, /* [PCAPNG] appendix A */
};

static const struct packet_layout *layout_of(uint32_t type)
{
    for (size_t i = 0; i < sizeof packet_layouts / sizeof *packet_layouts; i++)
        if (packet_layouts[i].type == type)
            return &packet_layouts[i];
    return NULL;
}

/* Starts to pass over what is left of a block of `length` bytes from here. */
static void skip_block(struct capture_file *f, uint32_t length)
{
    f->skip_offset = input_offset(f->input);
    f->skip_length = length;
    f->skip_left = length - 4;
}

/* Passes over a block and checks that its length stands at its end too. CAPTURE_PACKET: done. */
static enum capture_result skip_on(struct capture_file *f, struct error *err)
{
    const uint8_t *trailer;
    size_t left = 0;
    enum input_result result = input_skip(f->input, &f->skip_left);
    if (result == INPUT_READY)
        result = input_peek(f->input, 4, &trailer, &left);
    if (result == INPUT_WAIT)
        return CAPTURE_IDLE;
    if (result == INPUT_READY && u32_of(f, trailer) == f->skip_length) {
        input_take(f->input, 4);
        f->skip_length = 0;
        return CAPTURE_PACKET;
    }
    f->is_done = true;
    char why[160];
    uint64_t there = input_offset(f->input) + left - f->skip_offset;
    if (result == INPUT_SHORT)
        snprintf(why, sizeof why, "block cut short: %" PRIu64 " of %" PRIu32 " bytes", there,
                 f->skip_length);
    else if (result == INPUT_ERROR)
        snprintf(why, sizeof why, "%s", input_error(f->input));
    else
        snprintf(why, sizeof why, "block whose length at its end differs");
    error_set(err, "%s: offset %" PRIu64 ": %s", f->name, f->skip_offset, why);
    return CAPTURE_DAMAGED;
}

/* Reads the header fields of the three packet blocks. False: the interface was never described. */
static bool packet_fields(struct capture_file *f, uint32_t type, uint32_t length,
                          const uint8_t *block, struct raw_packet *packet)
{
    uint32_t index = 0;
    if (type == BLOCK_PACKET)
        index = u32_of(f, block + 8);
    else if (type == BLOCK_PACKET_OLD)
        index = u16_of(f, block + 8);
    if (index >= f->interface_count)
        return false;
    const struct interface *i = &f->interfaces[index];
    packet->link_type = i->link_type;
    if (type == BLOCK_PACKET_SIMPLE) {
        uint32_t captured = length - 16;
        packet->wire_size = u32_of(f, block + 8);
        if (captured > packet->wire_size)
            captured = packet->wire_size;
        if (i->snaplen && captured > i->snaplen)
            captured = i->snaplen;
        packet->captured_size = captured;
        packet->time_ns = f->last_time_ns;
        return true;
    }
    packet->time_ns =
        interface_time(i, (uint64_t)u32_of(f, block + 12) << 32 | u32_of(f, block + 16));
    packet->captured_size = u32_of(f, block + 20);
    packet->wire_size = u32_of(f, block + 24);
    if (packet->wire_size < packet->captured_size)
        packet->wire_size = packet->captured_size;
    return true;
}

static enum capture_result block_packet(struct capture_file *f, const struct packet_layout *layout,
                                        uint32_t length, struct raw_packet *packet,
                                        struct error *err)
{
    const uint8_t *block;
    size_t left;
    if (length < layout->header_size + 4)
        return damaged(f, err, "packet block too short");
    enum input_result result = input_peek(f->input, layout->header_size, &block, &left);
    if (result != INPUT_READY)
        return unread(f, result, layout->name, left, length, err);
    if (!packet_fields(f, layout->type, length, block, packet))
        return damaged(f, err, "packet of an interface that was not described before");
    if (packet->captured_size > CAPTURE_PACKET_MAX)
        return damaged(f, err, "packet block with more bytes than a packet may have (262144)");
    if (packet->captured_size > length - layout->header_size - 4)
        return damaged(f, err, "packet block with more bytes captured than the block has");

    uint32_t size = layout->header_size + packet->captured_size;
    if (left < size) {
        result = input_peek(f->input, size, &block, &left);
        if (result != INPUT_READY)
            return unread(f, result, layout->name, left, length, err);
    }
    packet->bytes = block + layout->header_size;
    f->last_time_ns = packet->time_ns;
    skip_block(f, length);
    /* the common end of a block: its padding and trailer are at hand, and nothing needs to be asked
     * again */
    if (left >= length && u32_of(f, block + length - 4) == length) {
        input_take(f->input, length);
        f->skip_length = 0;
    } else {
        input_take(f->input, size);
        f->skip_left -= size;
    }
    return CAPTURE_PACKET;
}

__attribute__((noinline)) static enum capture_result
pcapng_next(struct capture_file *f, struct raw_packet *packet, struct error *err)
{
    for (;;) {
        const uint8_t *head;
        size_t left;
        enum capture_result done = f->skip_length ? skip_on(f, err) : CAPTURE_PACKET;
        if (done != CAPTURE_PACKET)
            return done;
        enum input_result result = input_peek(f->input, BLOCK_HEAD_SIZE, &head, &left);
        if (result == INPUT_SHORT && left == 0) {
            f->is_done = true;
            return CAPTURE_END;
        }
        if (result != INPUT_READY)
            return unread(f, result, "block header", left, BLOCK_HEAD_SIZE, err);

        uint32_t type = u32_of(f, head), length = u32_of(f, head + 4);
        if (type == BLOCK_SECTION) {
            done = block_section(f, &length, err);
            if (done != CAPTURE_PACKET)
                return done;
        }
        if (length < BLOCK_SIZE_MIN || length % 4 != 0 || length > CAPTURE_BLOCK_MAX) {
            char why[160];
            snprintf(why, sizeof why,
                     "block length %" PRIu32 " is not possible (12 to %d, a multiple of 4)", length,
                     CAPTURE_BLOCK_MAX);
            return damaged(f, err, why);
        }
        const struct packet_layout *layout = layout_of(type);
        if (layout)
            return block_packet(f, layout, length, packet, err);
        if (type == BLOCK_INTERFACE) {
            done = block_interface(f, length, err);
            if (done != CAPTURE_PACKET)
                return done;
        }
        skip_block(f, length);
    }
}

/* ---- both ---- */

__attribute__((noinline)) static enum capture_result start(struct capture_file *f,
                                                           struct error *err)
{
    const uint8_t *header;
    size_t left;
    uint32_t magic;
    enum input_result result = input_peek(f->input, sizeof magic, &header, &left);
    if (result == INPUT_SHORT && left == 0) {
        f->is_done = true;
        error_set(err, "%s: offset 0: the file is empty", f->name);
        return CAPTURE_DAMAGED;
    }
    if (result == INPUT_SHORT)
        return damaged(f, err, "not a capture file: too short");
    if (result != INPUT_READY)
        return unread(f, result, "file header", left, FILE_HEADER_SIZE, err);
    memcpy(&magic, header, sizeof magic);
    if (magic == BLOCK_SECTION) {
        f->format = FORMAT_PCAPNG;
        return CAPTURE_PACKET;
    }
    static const uint32_t magics[] = {MAGIC_MICRO, MAGIC_NANO, MAGIC_MODIFIED};
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        if (magic != magics[i] && magic != __builtin_bswap32(magics[i]))
            continue;
        f->is_swapped = magic != magics[i];
        result = input_peek(f->input, FILE_HEADER_SIZE, &header, &left);
        if (result != INPUT_READY)
            return unread(f, result, "file header", left, FILE_HEADER_SIZE, err);
        return pcap_start(f, header, magics[i], err);
    }
    return damaged(f, err, "not a capture file (pcap, pcapng, or either with gzip)");
}

void capture_file_hold(struct capture_file *f, bool is_held)
{
    input_hold(f->input, is_held);
}

enum capture_result capture_file_next(struct capture_file *f, struct raw_packet *packet,
                                      struct error *err)
{
    if (f->is_done)
        return CAPTURE_END;
    if (f->format == FORMAT_UNKNOWN) {
        enum capture_result result = start(f, err);
        if (result != CAPTURE_PACKET)
            return result;
    }
    return f->format == FORMAT_PCAP ? pcap_next(f, packet, err) : pcapng_next(f, packet, err);
}
