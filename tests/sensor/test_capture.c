/* test_capture.c: capture files made by hand from the formats' drawings, whole and damaged; live
 * capture where the machine allows a network namespace. */
#include "sensor/capture.h"
#include "sensor/capture_file.h"

#include <arpa/inet.h>
#include <check.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

enum { BYTES_MAX = 4096, BATCH_MAX = 5 };

static size_t unhex(const char *text, uint8_t *out)
{
    size_t size = 0;
    for (const char *at = text; *at;) {
        unsigned value;
        int used;
        if (sscanf(at, " %2x%n", &value, &used) != 1)
            break;
        ck_assert_uint_lt(size, BYTES_MAX);
        out[size++] = (uint8_t)value;
        at += used;
    }
    return size;
}

/* A folder of this test's own, and a file in it. */
static char folder[64];

static void make_folder(void)
{
    strcpy(folder, "/tmp/test_capture.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
    static const char *const names[] = {"a.pcap", "b.pcap", "c.pcap"};
    char path[128];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

static void write_file(char path[128], const char *name, const void *bytes, size_t size)
{
    snprintf(path, 128, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

/* All that a capture gives: "SECONDS.NANOS source/number captured/wire @link; " per packet,
 * "!MESSAGE; " per error. Paths in messages are cut to their last part. */
static void drain(struct capture *capture, size_t batch, char *says, size_t size)
{
    struct raw_packet p[BATCH_MAX];
    struct error err;
    enum capture_result after = CAPTURE_PACKET;
    size_t used = 0;
    *says = '\0';
    while (after != CAPTURE_END) {
        size_t count = capture_batch(capture, p, batch, &after, &err);
        ck_assert_uint_le(count, batch);
        for (size_t i = 0; i < count; i++) /* all are still there */
            used += (size_t)snprintf(
                says + used, size - used, "%" PRId64 ".%09" PRId64 " %u/%" PRIu64 " %u/%u @%u; ",
                p[i].time_ns / 1000000000, p[i].time_ns % 1000000000, p[i].source_index,
                p[i].number, p[i].captured_size, p[i].wire_size, p[i].link_type);
        for (size_t i = 0; i < count; i++)
            ck_assert(p[i].captured_size == 0 || p[i].bytes[0] == 0xaa);
        if (after == CAPTURE_DAMAGED)
            used +=
                (size_t)snprintf(says + used, size - used, "!%s; ",
                                 strrchr(err.text, '/') ? strrchr(err.text, '/') + 1 : err.text);
        ck_assert_uint_lt(used, size);
    }
    ck_assert_int_eq(capture_next(capture, p, &err), CAPTURE_END); /* and stays at the end */
}

/* One at a time and several at once say the same. */
static void read_files(const char *const *paths, size_t count, char *says, size_t says_size)
{
    char first[2048] = "";
    for (size_t batch = 1; batch <= BATCH_MAX; batch++) {
        struct capture *capture = capture_files(paths, count);
        drain(capture, batch, says, says_size);
        capture_close(capture);
        if (batch == 1)
            snprintf(first, sizeof first, "%s", says);
        ck_assert_msg(strcmp(says, first) == 0, "%zu at once: %s", batch, says);
    }
}

static void read_bytes(const void *bytes, size_t size, char *says, size_t says_size)
{
    char path[128];
    write_file(path, "a.pcap", bytes, size);
    const char *paths[] = {path};
    read_files(paths, 1, says, says_size);
}

/* ---- pcap ---- */

#define PCAP      "d4c3b2a1 0200 0400 00000000 00000000 ffff0000 01000000 "
#define PCAP_BE   "a1b2c3d4 0002 0004 00000000 00000000 0000ffff 00000001 "
#define PCAP_NANO "4d3cb2a1 0200 0400 00000000 00000000 ffff0000 01000000 "
/* at 1.000005 (or 1.000000005): 4 bytes of 6 */
#define RECORD    "01000000 05000000 04000000 06000000 aabbccdd "
#define RECORD_BE "00000001 00000005 00000004 00000006 aabbccdd "

/* ---- pcapng, little endian unless it says BE ---- */

#define SHB     "0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000 "
#define SHB_BE  "0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c "
#define IDB     "01000000 14000000 0100 0000 00000000 14000000 "
#define IDB_BE  "00000001 00000014 0001 0000 00000000 00000014 "
#define IDB_RAW "01000000 14000000 6500 0000 00000000 14000000 "
/* an if_tsresol option and the end of options */
#define IDB_TSRESOL(value)                                                                         \
    "01000000 20000000 0100 0000 00000000 0900 0100 " value "000000 0000 0000 20000000 "
#define IDB_TSOFFSET                                                                               \
    "01000000 24000000 0100 0000 00000000 0e00 0800 0a00000000000000 0000 0000 24000000 "
/* 4 bytes of 6, at tick 0x1 00000000 + the given one */
#define EPB(interface, high, low)                                                                  \
    "06000000 24000000 " interface high low "04000000 06000000 aabbccdd 24000000 "
#define EPB_BE    "00000006 00000024 00000000 00000000 000f4245 00000004 00000006 aabbccdd 00000024 "
#define I0        "00000000 "
#define I1        "01000000 "
#define OPB       "02000000 24000000 0000 0000 00000000 45420f00 04000000 06000000 aabbccdd 24000000 "
#define SPB       "03000000 14000000 06000000 aabbccdd 14000000 "
#define SPB_WHOLE "03000000 18000000 06000000 aabbccddeeff 0000 18000000 "

static const struct {
    const char *what, *file, *says;
} rows[] = {
    {"no packets",                                                                 PCAP,                                                            ""                                                                                          },
    {"microseconds",                                                               PCAP RECORD,                                                     "1.000005000 0/1 4/6 @1; "                                                                  },
    {"the other byte order",                                                       PCAP_BE RECORD_BE RECORD_BE,
     "1.000005000 0/1 4/6 @1; 1.000005000 0/2 4/6 @1; "                                                                                                                                                                                         },
    {"nanoseconds",                                                                PCAP_NANO RECORD,                                                "1.000000005 0/1 4/6 @1; "                                                                  },
    {"modified records",
     "34cdb2a1 0200 0400 00000000 00000000 ffff0000 01000000 01000000 05000000 04000000 06000000 "
     "0000000000000000 aabbccdd",                                                                                                                   "1.000005000 0/1 4/6 @1; "                                                                  },
    {"raw IP under an old number",                                                 "d4c3b2a1 0200 0400 00000000 00000000 ffff0000 0c000000" RECORD,
     "1.000005000 0/1 4/6 @101; "                                                                                                                                                                                                               },
    {"FCS length above the link type",
     "d4c3b2a1 0200 0400 00000000 00000000 ffff0000 01000024" RECORD,                                                                               "1.000005000 0/1 4/6 @1; "                                                                  },
    {"an old file: lengths exchanged",
     "d4c3b2a1 0200 0200 00000000 00000000 ffff0000 01000000 01000000 05000000 06000000 04000000 "
     "aabbccdd",                                                                                                                                    "1.000005000 0/1 4/6 @1; "                                                                  },
    {"more captured than the snaplen",
     "d4c3b2a1 0200 0400 00000000 00000000 02000000 01000000" RECORD,                                                                               "1.000005000 0/1 4/6 @1; "                                                                  },
    {"more captured than on the wire",                                             PCAP "01000000 05000000 04000000 02000000 aabbccdd",
     "1.000005000 0/1 4/4 @1; "                                                                                                                                                                                                                 },
    {"an empty packet",                                                            PCAP "01000000 05000000 00000000 00000000",                      "1.000005000 0/1 0/0 @1; "                                                                  },
    {"empty file",                                                                 "",                                                              "!a.pcap: offset 0: the file is empty; "                                                    },
    {"three bytes",                                                                "d4c3b2",                                                        "!a.pcap: offset 0: not a capture file: too short; "                                        },
    {"text",                                                                       "68656c6c6f20776f726c64",
     "!a.pcap: offset 0: not a capture file (pcap, pcapng, or either with gzip); "                                                                                                                                                              },
    {"header cut",                                                                 "d4c3b2a1 0200 0400",
     "!a.pcap: offset 0: file header cut short: 8 of 24 bytes; "                                                                                                                                                                                },
    {"another version",                                                            "d4c3b2a1 0300 0400 00000000 00000000 ffff0000 01000000",
     "!a.pcap: offset 0: pcap of an unknown version (2 is known); "                                                                                                                                                                             },
    {"record header cut",                                                          PCAP RECORD "01000000",
     "1.000005000 0/1 4/6 @1; !a.pcap: offset 44: packet record cut short: 4 of 16 bytes; "                                                                                                                                                     },
    {"packet cut",                                                                 PCAP RECORD "01000000 05000000 04000000 06000000 aabb",
     "1.000005000 0/1 4/6 @1; !a.pcap: offset 44: packet record cut short: 18 of 20 bytes; "                                                                                                                                                    },
    {"256 KiB are allowed",                                                        PCAP "01000000 05000000 00000400 00000400 aabb",
     "!a.pcap: offset 24: packet record cut short: 18 of 262160 bytes; "                                                                                                                                                                        },
    {"one more is not",                                                            PCAP RECORD "01000000 05000000 01000400 01000400 aabb",
     "1.000005000 0/1 4/6 @1; !a.pcap: offset 44: packet record of 262145 bytes: more than the "
     "262144 that a packet "
     "may have; "                                                                                                                                                                                                                               },

    {"pcapng",                                                                     SHB IDB EPB(I0,                                                  "00000000",                                                                                   "45420f00"), "1.000005000 0/1 4/6 @1; "},
    {"pcapng, the other byte order",                                                  SHB_BE IDB_BE EPB_BE,                                                                                                                 "1.000005000 0/1 4/6 @1; "                                                                                                                                                                               },
    {"two interfaces",
     SHB IDB IDB_RAW EPB(I1, "00000000","45420f00") EPB(I0, "00000000", "46420f00"),
     "1.000005000 0/1 4/6 @101; 1.000006000 0/2 4/6 @1; "},
    {"both halves of the time",                                                                  SHB IDB EPB(I0,                                                                                                               "01000000",                                                                                                                                                                                                                                                                                                   "00000000"),
     "4294.967296000 0/1 4/6 @1; "},
    {"nanosecond ticks",                         SHB IDB_TSRESOL("09") EPB(I0,                                                                                        "00000000",                                                                                                                                                            "05ca9a3b"),
     "1.000000005 0/1 4/6 @1; "},
    {"ticks of a second",                                                                  SHB IDB_TSRESOL("00") EPB(I0,        "00000000",                                                                                                                                                                                                               "05000000"),
     "5.000000000 0/1 4/6 @1; "},
    {"picosecond ticks",                                                           SHB IDB_TSRESOL("0c") EPB(I0,                                                                      "e8000000",                                                                 "00d1a594"),
     "0.998926307 0/1 4/6 @1; "},
    {"ticks of 2^-10 s",                                                   SHB IDB_TSRESOL("8a") EPB(I0,                                                                                                                  "00000000",                                                                                                                                                                                            "01040000"),
     "1.000976562 0/1 4/6 @1; "},
    {"ticks of 2^-32 s",                                                                  SHB IDB_TSRESOL("a0") EPB(I0,                                                                                                               "03000000",                                                                                                                                                                                                                  "00000080"),
     "3.500000000 0/1 4/6 @1; "},
    {"ticks of 2^-40 s",                                                           SHB IDB_TSRESOL("a8") EPB(I0,                                    "00030000",                                                 "00000000"),
     "3.000000000 0/1 4/6 @1; "},
    {"ten seconds' offset",                                                   SHB IDB_TSOFFSET EPB(I0,                                                                                                                  "00000000",                                                                                                                                                                                             "45420f00"),
     "11.000005000 0/1 4/6 @1; "},
    {"a time beyond all bounds is the last one",
     SHB IDB_TSRESOL("00") EPB(I0,     "ffffffff",                                                                                                                                                                                                                  "ffffffff"), "4611686018.427387904 0/1 4/6 @1; "},
    {"the packet block of old",                                                           SHB IDB OPB,                             "1.000005000 0/1 4/6 @1; "},
    {"simple packets have the time before",                                                   SHB IDB EPB(I0,                                                                                                                  "00000000",                                                                                                                                                                                             "45420f00") SPB,
     "1.000005000 0/1 4/6 @1; 1.000005000 0/2 4/6 @1; "},
    {"a simple packet, padded",                                                                  SHB IDB SPB_WHOLE,                                                                                   "0.000000000 0/1 6/6 @1; "                                                                                                                                                                                                                 },
    {"a simple packet of a snaplen",                                                        SHB "01000000 14000000 0100 0000 02000000 14000000" SPB_WHOLE,
     "0.000000000 0/1 2/6 @1; "              },
    {"other blocks are passed over",
     SHB IDB "05000000 10000000 00000000 10000000 ad0b0000 0c000000 0c000000" EPB(I0,                                                                                                                 "00000000",
     "45420f00"),
     "1.000005000 0/1 4/6 @1; "},
    {"options behind a packet",
     SHB IDB "06000000 2c000000 00000000 00000000 45420f00 04000000 06000000 aabbccdd 0100 0000 "
             "0000 0000 2c000000" EPB(I0,                                                                                                                  "00000000","46420f00"),
     "1.000005000 0/1 4/6 @1; 1.000006000 0/2 4/6 @1; "},
    {"a second section forgets interfaces and byte order",
     SHB IDB_RAW EPB(I0,                                              "00000000",                                                                                    "45420f00") SHB_BE IDB_BE EPB_BE,
     "1.000005000 0/1 4/6 @101; 1.000005000 0/2 4/6 @1; "},
    {"an interface that was not described",                                        SHB IDB EPB(I1,                                       "00000000",        "45420f00"),
     "!a.pcap: offset 48: packet of an interface that was not described before; "},
    {"an interface of the section before",                           SHB IDB SHB EPB(I0,                                                                                          "00000000",                                                                                                                                                              "45420f00"),
     "!a.pcap: offset 76: packet of an interface that was not described before; "},
    {"more captured than the block has",
     SHB IDB "06000000 24000000 00000000 00000000 45420f00 05000000 06000000 aabbccdd 24000000",
     "!a.pcap: offset 48: packet block with more bytes captured than the block has; "},
    {"a packet block too short",                                                   SHB IDB "06000000 10000000 00000000 10000000",
     "!a.pcap: offset 48: packet block too short; "                                                                                                                                                                  },
    {"packet block cut",
     SHB IDB "06000000 24000000 00000000 00000000 45420f00 04000000 06000000 aabb",
     "!a.pcap: offset 48: packet block cut short: 30 of 36 bytes; "                                                                                                                                                                                                                 },
    {"a packet whose block's end is cut is still a packet",
     SHB IDB "06000000 24000000 00000000 00000000 45420f00 04000000 06000000 aabbccdd 24",
     "1.000005000 0/1 4/6 @1; !a.pcap: offset 48: block cut short: 33 of 36 bytes; "                                                                           },
    {"lengths of a block that differ",                           SHB IDB "05000000 10000000 00000000 11000000",
     "!a.pcap: offset 48: block whose length at its end differs; "                                                                                                                                  },
    {"a block of 8 bytes",                                                                  SHB IDB "05000000 08000000",
     "!a.pcap: offset 48: block length 8 is not possible (12 to 16777216, a multiple of 4); "                                                                                                                                                                                       },
    {"a block of 13 bytes",                                        SHB IDB "05000000 0d000000",
     "!a.pcap: offset 48: block length 13 is not possible (12 to 16777216, a multiple of 4); "                                                                                             },
    {"a block of 2 GiB", SHB IDB "05000000 00000080",
     "!a.pcap: offset 48: block length 2147483648 is not possible (12 to 16777216, a multiple of "
     "4); "                                                                                                                        },
    {"a skipped block cut",                                                                  SHB IDB "05000000 00010000 00000000",
     "!a.pcap: offset 48: block cut short: 12 of 256 bytes; "                                                                                                                                                               },
    {"block header cut",                                           SHB IDB "050000",
     "!a.pcap: offset 48: block header cut short: 3 of 8 bytes; "                                                                                                                                                           },
    {"no byte-order magic",                                                   "0a0d0d0a 1c000000 4d3c2b1b 0100 0000 ffffffffffffffff 1c000000",
     "!a.pcap: offset 0: section header without byte-order magic; "                                                                                                                                                                                             },
    {"another version of pcapng",                                                           "0a0d0d0a 1c000000 4d3c2b1a 0200 0000 ffffffffffffffff 1c000000",
     "!a.pcap: offset 0: pcapng of an unknown version (1 is known); "                                                                                                                                                                             },
    {"section header cut",                        "0a0d0d0a 1c000000 4d3c2b1a",
     "!a.pcap: offset 0: section header cut short: 12 of 24 bytes; "                                                                                                                                                            },
};

START_TEST(file_says)
{
    uint8_t bytes[BYTES_MAX];
    char says[2048];
    size_t size = unhex(rows[_i].file, bytes);
    read_bytes(bytes, size, says, sizeof says);
    ck_assert_msg(strcmp(says, rows[_i].says) == 0, "%s: \"%s\"", rows[_i].what, says);
}
END_TEST

/* Cut anywhere: what is whole is given, the rest is told once, and the end is reached. */
START_TEST(every_prefix_ends)
{
    uint8_t bytes[BYTES_MAX];
    size_t size = unhex(rows[_i].file, bytes);
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *copy = malloc(cut ? cut : 1);
        memcpy(copy, bytes, cut);
        struct capture_file *file = capture_file_memory(copy, cut, "memory");
        struct raw_packet p;
        struct error err;
        enum capture_result result;
        int errors = 0;
        uint8_t sum = 0;
        while ((result = capture_file_next(file, &p, &err)) != CAPTURE_END) {
            errors += result == CAPTURE_DAMAGED;
            for (uint32_t i = 0; result == CAPTURE_PACKET && i < p.captured_size; i++)
                sum = (uint8_t)(sum + p.bytes[i]);
            ck_assert_int_ne(result, CAPTURE_IDLE);
        }
        ck_assert_int_le(errors, 1);
        (void)sum;
        capture_file_close(file);
        free(copy);
    }
}
END_TEST

/* ---- gzip ---- */

static size_t gzip(const uint8_t *bytes, size_t size, uint8_t *out, size_t room)
{
    z_stream z = {.next_in = (uint8_t *)(uintptr_t)bytes,
                  .avail_in = (uInt)size,
                  .next_out = out,
                  .avail_out = (uInt)room};
    ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return room - z.avail_out;
}

START_TEST(gzip_is_read)
{
    uint8_t bytes[BYTES_MAX], packed[2 * BYTES_MAX];
    char says[1024];
    size_t size = unhex(PCAP RECORD RECORD, bytes);
    size_t packed_size = gzip(bytes, size, packed, sizeof packed);
    static const char both[] = "1.000005000 0/1 4/6 @1; 1.000005000 0/2 4/6 @1; ";
    read_bytes(packed, packed_size, says, sizeof says);
    ck_assert_str_eq(says, both);

    /* two members, cut in the middle of a record, as `cat a.gz b.gz` makes them; padding behind */
    packed_size = gzip(bytes, 50, packed, sizeof packed);
    packed_size += gzip(bytes + 50, size - 50, packed + packed_size, sizeof packed - packed_size);
    memset(packed + packed_size, 0, 100);
    read_bytes(packed, packed_size + 100, says, sizeof says);
    ck_assert_str_eq(says, both);
}
END_TEST

START_TEST(damaged_gzip_is_told)
{
    uint8_t bytes[BYTES_MAX], packed[2 * BYTES_MAX];
    char says[1024];
    size_t size = unhex(PCAP RECORD RECORD, bytes);
    size_t packed_size = gzip(bytes, size, packed, sizeof packed);
    read_bytes(packed, packed_size - 1, says, sizeof says);
    ck_assert_msg(strstr(says, "!a.pcap: offset ") && strstr(says, "gzip data is cut short; "),
                  "%s", says);
    packed[packed_size - 5] ^= 1; /* the checksum */
    read_bytes(packed, packed_size, says, sizeof says);
    ck_assert_msg(strstr(says, "gzip data is damaged; "), "%s", says);
}
END_TEST

/* More than any buffer holds, of packets of all sizes, plain and packed: every byte arrives. */
START_TEST(large_file)
{
    enum { PACKETS = 4000 };
    size_t room = (size_t)64 * 1024 * 1024, size;
    uint8_t *bytes = malloc(room), *packed = malloc(room);
    ck_assert(bytes && packed);
    size = unhex(PCAP, bytes);
    for (uint32_t i = 0; i < PACKETS; i++) {
        uint32_t captured = i % 100 == 0 ? 262144 - i : i * 7 % 9000;
        uint32_t header[4] = {i, 0, captured, captured};
        memcpy(bytes + size, header, sizeof header);
        memset(bytes + size + sizeof header, (int)(i & 0xff), captured);
        size += sizeof header + captured;
        ck_assert_uint_lt(size, room - 300000);
    }
    size_t packed_size = gzip(bytes, size, packed, room);
    for (int is_packed = 0; is_packed < 2; is_packed++) {
        char path[128];
        write_file(path, "a.pcap", is_packed ? packed : bytes, is_packed ? packed_size : size);
        const char *paths[] = {path};
        struct capture *capture = capture_files(paths, 1);
        struct raw_packet packets[BATCH_MAX];
        struct error err;
        enum capture_result after = CAPTURE_PACKET;
        uint32_t seen = 0;
        while (after == CAPTURE_PACKET) {
            size_t count = capture_batch(capture, packets, BATCH_MAX, &after, &err);
            for (const struct raw_packet *p = packets; p < packets + count; p++, seen++) {
                ck_assert_uint_eq(p->captured_size,
                                  seen % 100 == 0 ? 262144 - seen : seen * 7 % 9000);
                if (p->captured_size) {
                    ck_assert_uint_eq(p->bytes[0], seen & 0xff);
                    ck_assert_uint_eq(p->bytes[p->captured_size - 1], seen & 0xff);
                }
            }
        }
        ck_assert_int_eq(after, CAPTURE_END);
        ck_assert_uint_eq(seen, PACKETS);
        capture_close(capture);
    }
    free(bytes);
    free(packed);
}
END_TEST

/* ---- several files ---- */

#define AT(seconds) seconds "000000 00000000 01000000 01000000 aa "

START_TEST(files_merge_by_time)
{
    uint8_t bytes[BYTES_MAX];
    char a[128], b[128], c[128], says[2048];
    write_file(a, "a.pcap", bytes, unhex(PCAP AT("01") AT("04") AT("09"), bytes));
    write_file(b, "b.pcap", bytes, unhex(PCAP AT("01") AT("03") AT("04") "01", bytes));
    write_file(c, "c.pcap", bytes, unhex(PCAP AT("05") AT("02"), bytes));
    const char *paths[] = {a, b, "/nonexistent/d.pcap", c};
    read_files(paths, 4, says, sizeof says);
    /* of equal times the first named goes first; a file whose clock goes back keeps its own order
     */
    ck_assert_str_eq(says,
                     "!d.pcap: No such file or directory; "
                     "1.000000000 0/1 1/1 @1; 1.000000000 1/1 1/1 @1; 3.000000000 1/2 1/1 @1; "
                     "4.000000000 0/2 1/1 @1; 4.000000000 1/3 1/1 @1; "
                     "!b.pcap: offset 75: packet record cut short: 1 of 16 bytes; "
                     "5.000000000 3/1 1/1 @1; 2.000000000 3/2 1/1 @1; 9.000000000 0/3 1/1 @1; ");
    struct capture *capture = capture_files(paths, 4);
    drain(capture, BATCH_MAX, says, sizeof says);
    ck_assert_str_eq(capture_source_name(capture, 1), b);
    struct capture_drops drops;
    capture_drops(capture, 0, &drops);
    ck_assert_uint_eq(drops.received, 3);
    capture_close(capture);
}
END_TEST

START_TEST(no_file_is_no_capture)
{
    char says[256];
    const char *paths[] = {folder};
    read_files(paths, 1, says, sizeof says);
    ck_assert_msg(strstr(says, "it is a folder, not a capture file"), "%s", says);
}
END_TEST

/* Standard input comes in pieces, with pauses: CAPTURE_IDLE then, and nothing is lost. */
START_TEST(standard_input_may_pause)
{
    uint8_t bytes[BYTES_MAX];
    size_t size =
        unhex(SHB IDB EPB(I0, "00000000", "45420f00") EPB(I0, "00000000", "46420f00"), bytes);
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    int saved = dup(STDIN_FILENO);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    const char *paths[] = {"-"};
    struct capture *capture = capture_files(paths, 1);
    dup2(saved, STDIN_FILENO);
    close(saved);

    struct raw_packet p;
    struct error err;
    unsigned packets = 0, idle = 0;
    for (size_t at = 0; at < size; at += 17) {
        size_t n = size - at < 17 ? size - at : 17;
        ck_assert_int_eq(write(ends[1], bytes + at, n), (ssize_t)n);
        enum capture_result result;
        while ((result = capture_next(capture, &p, &err)) == CAPTURE_PACKET)
            packets++;
        ck_assert_int_eq(result, CAPTURE_IDLE);
        idle++;
    }
    close(ends[1]);
    ck_assert_int_eq(capture_next(capture, &p, &err), CAPTURE_END);
    ck_assert_uint_eq(packets, 2);
    ck_assert_uint_gt(idle, 0);
    capture_close(capture);
}
END_TEST

/* ---- live ---- */

START_TEST(missing_interface_is_named)
{
    static const char *const names[] = {"nosuch0"};
    struct capture_live_options options = {.interfaces = names, .interface_count = 1};
    struct capture *capture;
    struct error err = {""};
    ck_assert(!capture_live(&capture, &options, &err));
    ck_assert_ptr_null(capture);
    ck_assert_msg(strncmp(err.text, "nosuch0: ", 9) == 0, "%s", err.text);
}
END_TEST

static bool run(const char *command)
{
    int status = system(command);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Makes the kernel ask for the neighbour's MAC. */
static void ask_for(const char *address)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    ck_assert_int_eq(inet_pton(AF_INET, address, &to.sin_addr), 1);
    ck_assert_int_eq(sendto(fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof to), 1);
    close(fd);
}

static enum capture_result next_busy(struct capture *capture, struct raw_packet *p,
                                     struct error *err)
{
    enum capture_result result = CAPTURE_IDLE;
    for (int n = 0; n < 30 && result == CAPTURE_IDLE; n++)
        result = capture_next(capture, p, err);
    return result;
}

/* Two interfaces in a namespace of their own; a neighbour's ARP request is what comes. */
START_TEST(live_interfaces)
{
    /* the test must not touch the machine's own network */
    if (geteuid() != 0 || unshare(CLONE_NEWNET) != 0 ||
        !run("ip link add v1 type veth peer name v2 && ip link add v3 type veth peer name v4 && "
             "ip addr add 192.0.2.1/24 dev v1 && for i in v1 v2 v3 v4; do ip link set $i up || "
             "exit 1; done")) {
        printf("skipped: no network namespace here\n");
        return;
    }
    static const char *const names[] = {"v2", "v4"};
    struct capture_live_options options = {.interfaces = names,
                                           .interface_count = 2,
                                           .filter = "arp",
                                           .ring_size = 1 << 20,
                                           .is_promiscuous = true};
    struct capture *capture;
    struct raw_packet p;
    struct error err = {""};
    ck_assert_msg(capture_live(&capture, &options, &err), "%s", err.text);
    ck_assert_int_eq(capture_next(capture, &p, &err), CAPTURE_IDLE);

    ask_for("192.0.2.2");
    ck_assert_int_eq(next_busy(capture, &p, &err), CAPTURE_PACKET);
    ck_assert_uint_eq(p.link_type, 1);
    ck_assert_uint_eq(p.source_index, 0);
    ck_assert_uint_eq(p.number, 1);
    ck_assert_uint_ge(p.captured_size, 42);
    ck_assert_mem_eq(p.bytes + 12, "\x08\x06", 2);
    ck_assert_int_gt(p.time_ns, INT64_C(1600000000000000000));
    struct capture_drops drops;
    capture_drops(capture, 0, &drops);
    ck_assert_uint_ge(drops.received, 1);
    ck_assert_uint_eq(drops.dropped_kernel, 0);

    /* one goes down and comes back, the other is removed: each is told, and reading goes on */
    enum capture_result result;
    ck_assert(run("ip link set v2 down"));
    while ((result = next_busy(capture, &p, &err)) == CAPTURE_PACKET)
        continue;
    ck_assert_int_eq(result, CAPTURE_DAMAGED);
    ck_assert_msg(strncmp(err.text, "v2: the interface went down", 27) == 0, "%s", err.text);
    ck_assert(run("ip link set v2 up"));
    ask_for("192.0.2.3");
    ck_assert_int_eq(next_busy(capture, &p, &err), CAPTURE_PACKET);

    ck_assert(run("ip link del v2"));
    while ((result = next_busy(capture, &p, &err)) == CAPTURE_PACKET)
        continue;
    ck_assert_int_eq(result, CAPTURE_DAMAGED);
    ck_assert_msg(strncmp(err.text, "v2: the interface was removed", 29) == 0, "%s", err.text);
    ck_assert_int_eq(capture_next(capture, &p, &err), CAPTURE_IDLE);
    ck_assert(run("ip link del v4"));
    ck_assert_int_eq(next_busy(capture, &p, &err), CAPTURE_DAMAGED);
    ck_assert_int_eq(next_busy(capture, &p, &err), CAPTURE_END);
    capture_close(capture);
}
END_TEST

START_TEST(wrong_filter_is_told)
{
    if (geteuid() != 0 || unshare(CLONE_NEWNET) != 0 || !run("ip link set lo up")) {
        printf("skipped: no network namespace here\n");
        return;
    }
    static const char *const names[] = {"lo"};
    struct capture_live_options options = {
        .interfaces = names, .interface_count = 1, .filter = "tcp and ("};
    struct capture *capture;
    struct error err = {""};
    ck_assert(!capture_live(&capture, &options, &err));
    ck_assert_msg(strncmp(err.text, "lo: filter \"tcp and (\": ", 24) == 0, "%s", err.text);
}
END_TEST

int main(void)
{
    enum { ROWS = sizeof rows / sizeof *rows };
    Suite *suite = suite_create("capture");
    TCase *files = tcase_create("files"), *live = tcase_create("live");
    tcase_add_checked_fixture(files, make_folder, remove_folder);
    tcase_add_loop_test(files, file_says, 0, ROWS);
    tcase_add_loop_test(files, every_prefix_ends, 0, ROWS);
    tcase_add_test(files, gzip_is_read);
    tcase_add_test(files, damaged_gzip_is_told);
    tcase_add_test(files, large_file);
    tcase_add_test(files, files_merge_by_time);
    tcase_add_test(files, no_file_is_no_capture);
    tcase_add_test(files, standard_input_may_pause);
    tcase_add_test(live, missing_interface_is_named);
    tcase_add_test(live, live_interfaces);
    tcase_add_test(live, wrong_filter_is_told);
    tcase_set_timeout(files, 60);
    tcase_set_timeout(live, 60);
    suite_add_tcase(suite, files);
    suite_add_tcase(suite, live);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
