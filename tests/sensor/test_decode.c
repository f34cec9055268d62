/* test_decode.c: frames made by hand from the specifications' drawings, each with what it says. */
#include "sensor/capture.h"
#include "sensor/decode.h"
#include "sensor/decode_layers.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME_MAX = 4096 };

static size_t unhex(const char *text, uint8_t *out)
{
    size_t size = 0;
    for (const char *at = text; *at;) {
        unsigned value;
        int used;
        if (sscanf(at, " %2x%n", &value, &used) != 1)
            break;
        ck_assert_uint_lt(size, FRAME_MAX);
        out[size++] = (uint8_t)value;
        at += used;
    }
    return size;
}

/* A frame in a block of its exact size, so that the address sanitizer sees a read beyond it. */
static struct raw_packet raw_of(uint16_t link_type, const uint8_t *bytes, size_t size, size_t wire)
{
    uint8_t *copy = malloc(size ? size : 1);
    ck_assert_ptr_nonnull(copy);
    if (size)
        memcpy(copy, bytes, size);
    return (struct raw_packet){.time_ns = 1000000000,
                               .bytes = copy,
                               .captured_size = (uint32_t)size,
                               .wire_size = (uint32_t)wire,
                               .link_type = link_type,
                               .number = 1};
}

static void raw_free(struct raw_packet *raw)
{
    free((void *)(uintptr_t)raw->bytes);
}

/* What is looked at, in words: ends, transport, tags, what the payload is. */
static void describe(const struct packet *p, char *out, size_t size)
{
    char source[ADDRESS_TEXT_SIZE], destination[ADDRESS_TEXT_SIZE], mac[MAC_TEXT_SIZE],
        vlans[64] = "";
    static const char *const transports[] = {"", " tcp", " udp", " icmp", " other"};
    address_print(source, &p->source);
    address_print(destination, &p->destination);
    mac_print(mac, &p->source_mac);
    for (size_t i = 0; i < p->vlan_count; i++)
        snprintf(vlans + strlen(vlans), sizeof vlans - strlen(vlans), " vlan %u", p->vlans[i]);
    snprintf(out, size, "%s %04x%s %s:%u>%s:%u%s%s%s", p->has_mac ? mac + 15 : "-", p->ethertype,
             vlans, source, p->source_port, destination, p->destination_port,
             transports[p->transport], p->is_fragment ? " fragment" : "",
             p->arp.is_present ? " arp" : "");
}

#define MACS  "020000000002 020000000001 "
#define MACS2 "0200000000bb 0200000000aa " /* of the inner frame */
/* 10.0.0.1:1025 > 10.0.0.2:502, payload 6162: total length 42 = 0x2a */
#define IP4_TCP                                                                                    \
    "45 00 002a 0007 4000 40 06 0000 0a000001 0a000002 "                                           \
    "0401 01f6 00000010 00000020 50 18 1000 0000 0000 6162 "
/* fd00::1 port 1025 > fd00::2 port 502, UDP payload 6162 */
#define IP6_UDP                                                                                    \
    "60000000 000a 11 40 fd000000000000000000000000000001 fd000000000000000000000000000002 "       \
    "0401 01f6 000a 0000 6162 "
/* outer IPv4 of a tunnel, 192.168.0.1 > 192.168.0.2, total length 0: what is there counts */
#define OUTER_GRE "45 00 0000 0000 0000 40 2f 0000 c0a80001 c0a80002 "
#define OUTER_UDP "45 00 0000 0000 0000 40 11 0000 c0a80001 c0a80002 "
#define INNER     "10.0.0.1:1025>10.0.0.2:502 tcp"

struct row {
    const char *what;
    uint16_t link_type;
    const char *frame;
    const char *says;    /* describe() */
    const char *payload; /* hex */
};

static const struct row rows[] = {
    {"Ethernet, IPv4, TCP",                       1,   MACS "0800" IP4_TCP,                                                          "01 0800 " INNER,                       "6162"                                                      },
    {"padding is not payload",                    1,   MACS "0800" IP4_TCP "000000000000",                                           "01 0800 " INNER,                       "6162"                                                      },
    {"Ethernet, IPv6, UDP",                       1,   MACS "86dd" IP6_UDP,                                                          "01 86dd fd00::1:1025>fd00::2:502 udp", "6162"                                                      },
    {"one VLAN tag",                              1,   MACS "8100 6005 0800" IP4_TCP,                                                "01 0800 vlan 5 " INNER,                "6162"                                                      },
    {"a priority tag is no VLAN",                 1,   MACS "8100 c000 0800" IP4_TCP,                                                "01 0800 " INNER,                       "6162"                                                      },
    {"QinQ as 802.1ad",                           1,   MACS "88a8 0064 8100 0005 0800" IP4_TCP,
     "01 0800 vlan 100 vlan 5 " INNER,                                                                                                                                       "6162"                                                      },
    {"QinQ of old",                               1,   MACS "9100 0064 8100 0005 0800" IP4_TCP,                                      "01 0800 vlan 100 vlan 5 " INNER,
     "6162"                                                                                                                                                                                                                              },
    {"six tags: four are kept",                   1,
     MACS "8100 0001 8100 0002 8100 0003 8100 0004 8100 0005 8100 0006 0800" IP4_TCP,
     "01 0800 vlan 1 vlan 2 vlan 3 vlan 4 " INNER,                                                                                                                           "6162"                                                      },
    {"LLC, length without padding",               1,   MACS "0005 8282 03 aabb 0000000000",                                          "01 0082 :0>:0",
     "828203aabb"                                                                                                                                                                                                                        },
    {"LLC of one byte",                           1,   MACS "0001 42",                                                               "01 0042 :0>:0",                        "42"                                                        },
    {"LLC of nothing",                            1,   MACS "0000",                                                                  "01 0000 :0>:0",                        ""                                                          },
    {"SNAP",                                      1,   MACS "0032 aaaa03 000000 0800" IP4_TCP,                                       "01 0800 " INNER,                       "6162"                                                      },
    {"SNAP of another organisation",              1,   MACS "000a aaaa03 00000c 2000 0102",                                          "01 2000 :0>:0",
     "0102"                                                                                                                                                                                                                              },
    {"SNAP of another organisation, like a DSAP", 1,   MACS "000a aaaa03 00000c 0082 0102",
     "01 00aa :0>:0",                                                                                                                                                        "aaaa0300000c00820102"                                      },
    {"GOOSE",                                     1,   MACS "88b8 0001 000a 0000 0000 6100",                                         "01 88b8 :0>:0",                        "0001000a000000006100"                                      },
    {"PRP trailer behind GOOSE",                  1,   MACS "88b8 0001 000a 0000 0000 6100 0007 a010 88fb",
     "01 88b8 :0>:0",                                                                                                                                                        "0001000a000000006100"                                      },
    {"PRP trailer of a wrong size stays",         1,   MACS "88b8 0001 000a 0007 a011 88fb",                                         "01 88b8 :0>:0",
     "0001000a0007a01188fb"                                                                                                                                                                                                              },
    {"PRP trailer of neither LAN stays",          1,   MACS "88b8 0001 000a 0007 c00a 88fb",                                         "01 88b8 :0>:0",
     "0001000a0007c00a88fb"                                                                                                                                                                                                              },
    {"PRP trailer behind IPv4",                   1,   MACS "0800" IP4_TCP "0007 b030 88fb",                                         "01 0800 " INNER,                       "6162"                                                      },
    {"HSR tag",                                   1,   MACS "892f 1010 0007 88b8 0001",                                              "01 88b8 :0>:0",                        "0001"                                                      },
    {"ARP",                                       1,   MACS "0806 0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002",
     "01 0806 :0>:0 arp",                                                                                                                                                    "0001080006040001020000000001 0a000001000000000000 0a000002"},
    {"ARP for another network",                   1,
     MACS "0806 0006 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002",                                                   "01 0806 :0>:0",
     "0006080006040001020000000001 0a000001000000000000 0a000002"                                                                                                                                                                        },
    {"PPPoE session",                             1,   MACS "8864 11 00 0001 002c 0021" IP4_TCP "ffff",                              "01 8864 " INNER,                       "6162"                                                      },
    {"PPPoE, IPv6",                               1,   MACS "8864 11 00 0001 0034 0057" IP6_UDP,
     "01 8864 fd00::1:1025>fd00::2:502 udp",                                                                                                                                 "6162"                                                      },
    {"MPLS, two labels, IPv4",                    1,   MACS "8847 00010040 00011140" IP4_TCP,                                        "01 8847 " INNER,                       "6162"                                                      },
    {"MPLS pseudowire with control word",         1,   MACS "8847 00011140 00000000" MACS2 "0800" IP4_TCP,
     "aa 0800 " INNER,                                                                                                                                                       "6162"                                                      },
    {"MPLS to what cannot be known",              1,   MACS "8847 00011140 00000000 0102",                                           "01 8847 :0>:0",
     "000000000102"                                                                                                                                                                                                                      },
    {"BSD loopback, little endian",               0,   "02000000" IP4_TCP,                                                           "- 0000 " INNER,                        "6162"                                                      },
    {"BSD loopback, big endian",                  0,   "00000002" IP4_TCP,                                                           "- 0000 " INNER,                        "6162"                                                      },
    {"BSD loopback, IPv6 of Darwin",              0,   "1e000000" IP6_UDP,                                                           "- 0000 fd00::1:1025>fd00::2:502 udp",
     "6162"                                                                                                                                                                                                                              },
    {"OpenBSD loopback",                          108, "00000002" IP4_TCP,                                                           "- 0000 " INNER,                        "6162"                                                      },
    {"raw IPv4",                                  101, IP4_TCP,                                                                      "- 0000 " INNER,                        "6162"                                                      },
    {"raw IPv6",                                  101, IP6_UDP,                                                                      "- 0000 fd00::1:1025>fd00::2:502 udp",  "6162"                                                      },
    {"IPV4",                                      228, IP4_TCP,                                                                      "- 0000 " INNER,                        "6162"                                                      },
    {"IPV6",                                      229, IP6_UDP,                                                                      "- 0000 fd00::1:1025>fd00::2:502 udp",  "6162"                                                      },
    {"PPP",                                       9,   "ff03 0021" IP4_TCP,                                                          "- 0000 " INNER,                        "6162"                                                      },
    {"PPP without address and control",           9,   "0021" IP4_TCP,                                                               "- 0000 " INNER,                        "6162"                                                      },
    {"Linux cooked",                              113, "0000 0001 0006 0200000000010000 0800" IP4_TCP,                               "- 0800 " INNER,                        "6162"                                                      },
    {"Linux cooked 2",                            276, "0800 0000 00000002 0001 00 06 0200000000010000" IP4_TCP,
     "- 0800 " INNER,                                                                                                                                                        "6162"                                                      },
    {"Linux cooked with a VLAN tag",              113, "0000 0001 0006 0200000000010000 8100 0005 0800" IP4_TCP,
     "- 0800 vlan 5 " INNER,                                                                                                                                                 "6162"                                                      },
    {"IPv4 options",                              101,
     "46 00 0020 0001 0000 40 11 0000 0a000001 0a000002 94040000 0035 0401 0008 0000",                                               "- 0000 10.0.0.1:53>10.0.0.2:1025 udp", ""                                                          },
    {"ICMP: the whole message",                   101,
     "45 00 001c 0001 0000 40 01 0000 0a000001 0a000002 0800 0000 0001 0002",                                                        "- 0000 10.0.0.1:0>10.0.0.2:0 icmp",    "0800000000010002"                                          },
    {"another IP protocol",                       101, "45 00 0016 0001 0000 40 59 0000 0a000001 0a000002 abcd",
     "- 0000 10.0.0.1:0>10.0.0.2:0 other",                                                                                                                                   "abcd"                                                      },
    {"TCP options are not payload",               101,
     "45 00 002d 0007 4000 40 06 0000 0a000001 0a000002 0401 01f6 00000010 00000020 60 18 1000 "
     "0000 0000 "
     "01010101 99",                                                                                                                  "- 0000 " INNER,                        "99"                                                        },
    {"UDP length below the datagram's",           101,
     "45 00 0020 0001 0000 40 11 0000 0a000001 0a000002 0035 0401 000a 0000 aabb ccdd",                                              "- 0000 10.0.0.1:53>10.0.0.2:1025 udp", "aabb"                                                      },
    {"total length 0 of an offloading sender",    101,
     "45 00 0000 0007 4000 40 06 0000 0a000001 0a000002 0401 01f6 00000010 00000020 50 18 1000 "
     "0000 0000 6162",                                                                                                               "- 0000 " INNER,                        "6162"                                                      },
    {"IPv6 hop-by-hop, routing, destination, AH", 229,
     "60000000 0032 00 40 fd000000000000000000000000000001 fd000000000000000000000000000002 "
     "2b 00 050200000000 3c 00 000000000000 33 00 010400000000 "
     "11 02 0000 00000001 00000001 00000000 0401 01f6 000a 0000 6162",                                                               "- 0000 fd00::1:1025>fd00::2:502 udp",  "6162"                                                      },
    {"IPv6 atomic fragment",                      229,
     "60000000 0012 2c 40 fd000000000000000000000000000001 fd000000000000000000000000000002 "
     "11 00 0000 00000001 0401 01f6 000a 0000 6162",                                                                                 "- 0000 fd00::1:1025>fd00::2:502 udp",  "6162"                                                      },
    {"IPv6 no next header",                       229,
     "60000000 0000 3b 40 fd000000000000000000000000000001 fd000000000000000000000000000002",                                        "- 0000 fd00::1:0>fd00::2:0 other",     ""                                                          },
    {"IP in IP",                                  101, "45 00 0000 0000 0000 40 04 0000 c0a80001 c0a80002" IP4_TCP,                  "- 0000 " INNER,
     "6162"                                                                                                                                                                                                                              },
    {"GRE to IPv4",                               101, OUTER_GRE "0000 0800" IP4_TCP,                                                "- 0000 " INNER,                        "6162"                                                      },
    {"GRE with checksum, key and sequence",       101,
     OUTER_GRE "b000 0800 00000000 00000007 00000001" IP4_TCP,                                                                       "- 0000 " INNER,                        "6162"                                                      },
    {"GRE bridging Ethernet",                     1,
     MACS "0800" OUTER_GRE "2000 6558 00000007" MACS2 "8100 0009 0800" IP4_TCP,
     "aa 0800 vlan 9 " INNER,                                                                                                                                                "6162"                                                      },
    {"GRE version 1 is left alone",               101, OUTER_GRE "2001 880b 00000007",
     "- 0000 192.168.0.1:0>192.168.0.2:0 other",                                                                                                                             "2001880b00000007"                                          },
    {"ERSPAN I",                                  101, OUTER_GRE "0000 88be" MACS2 "0800" IP4_TCP,                                   "aa 0800 " INNER,                       "6162"                                                      },
    {"ERSPAN II",                                 101, OUTER_GRE "1000 88be 00000001 1005 1007 00000000" MACS2 "0800" IP4_TCP,
     "aa 0800 " INNER,                                                                                                                                                       "6162"                                                      },
    {"ERSPAN III",                                101,
     OUTER_GRE "1000 22eb 00000001 2005 0007 00000000 0000 0000" MACS2 "0800" IP4_TCP,
     "aa 0800 " INNER,                                                                                                                                                       "6162"                                                      },
    {"ERSPAN III with a platform header",         101,
     OUTER_GRE "1000 22eb 00000001 2005 0007 00000000 0000 0001 0000000000000000" MACS2
               "0800" IP4_TCP,
     "aa 0800 " INNER,                                                                                                                                                       "6162"                                                      },
    {"ERSPAN II with GOOSE inside has no IP",     101,
     OUTER_GRE "1000 88be 00000001 1005 1007 00000000" MACS2 "88b8 0001",                                                            "aa 88b8 :0>:0",                        "0001"                                                      },
    {"VXLAN",                                     1,
     MACS "8100 0064 0800" OUTER_UDP "c000 12b5 0000 0000 08000000 00000700" MACS2 "0800" IP4_TCP,
     "aa 0800 " INNER,                                                                                                                                                       "6162"                                                      },
    {"VXLAN, with all its lengths",               1,
     MACS "0800 45 00 005c 0007 0000 40 11 0000 c0a80001 c0a80002 c000 12b5 0048 0000 "
          "08000000 00000700" MACS2 "0800" IP4_TCP,
     "aa 0800 " INNER,                                                                                                                                                       "6162"                                                      },
    {"Geneve, with all its lengths",              1,
     MACS "0800 45 00 005c 0007 0000 40 11 0000 c0a80001 c0a80002 c000 17c1 0048 0000 "
          "0000 6558 00000700" MACS2 "0800" IP4_TCP,
     "aa 0800 " INNER,                                                                                                                                                       "6162"                                                      },
    {"Geneve",                                    1,
     MACS "0800" OUTER_UDP "c000 17c1 0000 0000 0000 6558 00000700" MACS2 "0800" IP4_TCP,
     "aa 0800 " INNER,                                                                                                                                                       "6162"                                                      },
    {"Geneve with options",                       1,
     MACS "0800" OUTER_UDP "c000 17c1 0000 0000 0240 6558 00000700 0100 80 01 00000001" MACS2
          "0800" IP4_TCP,
     "aa 0800 " INNER,                                                                                                                                                       "6162"                                                      },
    {"Geneve with IP inside",                     101, OUTER_UDP "c000 17c1 0000 0000 0000 0800 00000700" IP4_TCP,
     "- 0000 " INNER,                                                                                                                                                        "6162"                                                      },
    {"port 6081 and another version",             101, OUTER_UDP "c000 17c1 0000 0000 4000 6558 00000700 0000",
     "- 0000 192.168.0.1:49152>192.168.0.2:6081 udp",                                                                                                                        "40006558000007000000"                                      },
    {"port 6081 and another protocol",            101, OUTER_UDP "c000 17c1 0000 0000 0000 0806 00000700 0000",
     "- 0000 192.168.0.1:49152>192.168.0.2:6081 udp",                                                                                                                        "00000806000007000000"                                      },
    {"port 6081 and reserved bits",               101, OUTER_UDP "c000 17c1 0000 0000 0001 6558 00000700 0000",
     "- 0000 192.168.0.1:49152>192.168.0.2:6081 udp",                                                                                                                        "00016558000007000000"                                      },
    {"port 6081 and options beyond the datagram", 101,
     OUTER_UDP "c000 17c1 0000 0000 0200 6558 00000700 0000",
     "- 0000 192.168.0.1:49152>192.168.0.2:6081 udp",                                                                                                                        "02006558000007000000"                                      },
    {"port 4789 without the VNI flag",            101,
     OUTER_UDP "c000 12b5 0000 0000 00000000 00000700 00000000000000000000000000000000",
     "- 0000 192.168.0.1:49152>192.168.0.2:4789 udp",                                                                                                                        "000000000000070000000000000000000000000000000000"          },
};

static void decode_once(const struct raw_packet *raw, struct packet *p, struct counters *counters)
{
    struct decoder *decoder = decoder_create(NULL);
    memset(p, 0xa5, sizeof *p); /* what decode does not set must not be looked at */
    decode(decoder, raw, p, counters);
    decoder_destroy(decoder);
}

START_TEST(frame_says)
{
    const struct row *row = &rows[_i];
    uint8_t frame[FRAME_MAX], payload[FRAME_MAX];
    size_t size = unhex(row->frame, frame), payload_size = unhex(row->payload, payload);
    struct raw_packet raw = raw_of(row->link_type, frame, size, size);
    struct packet p;
    struct counters counters = {0};
    char says[256];
    decode_once(&raw, &p, &counters);
    describe(&p, says, sizeof says);
    ck_assert_msg(strcmp(says, row->says) == 0, "%s: \"%s\" is not \"%s\"", row->what, says,
                  row->says);
    ck_assert_msg(!p.is_malformed, "%s: malformed: %s", row->what, p.malformed_why);
    ck_assert_msg(p.payload_size == payload_size, "%s: %u bytes of payload", row->what,
                  p.payload_size);
    ck_assert_msg(payload_size == 0 || memcmp(p.payload, payload, payload_size) == 0, "%s: payload",
                  row->what);
    ck_assert_msg(p.payload_wire_size == payload_size, "%s: wire size", row->what);
    ck_assert_uint_eq(counters.packets, 1);
    ck_assert_uint_eq(counters.bytes, size);
    raw_free(&raw);
}
END_TEST

/* Cut anywhere, by the capture or on the wire, a frame is no danger, and its payload never grows.
 */
START_TEST(every_prefix_is_safe)
{
    const struct row *row = &rows[_i];
    uint8_t frame[FRAME_MAX];
    size_t size = unhex(row->frame, frame);
    for (size_t cut = 0; cut < size; cut++) {
        for (unsigned is_snapped = 0; is_snapped < 2; is_snapped++) {
            struct raw_packet raw = raw_of(row->link_type, frame, cut, is_snapped ? size : cut);
            struct packet p;
            struct counters counters = {0};
            decode_once(&raw, &p, &counters);
            ck_assert_msg(p.payload_size <= cut, "%s: %zu of %zu bytes: payload %u", row->what, cut,
                          size, p.payload_size);
            ck_assert_uint_eq(counters.packets_cut, is_snapped);
            ck_assert_msg(is_snapped == 0 || !p.is_malformed, "%s: cut by the snaplen at %zu: %s",
                          row->what, cut, p.malformed_why);
            raw_free(&raw);
        }
    }
}
END_TEST

static const struct {
    const char *what;
    uint16_t link_type;
    const char *frame, *why;
} malformed[] = {
    {"short Ethernet",                 1,   "020000000002 0200",                                                     "Ethernet header cut short"            },
    {"short VLAN tag",                 1,   MACS "8100 00",                                                          "VLAN tag cut short"                   },
    {"length beyond the frame",        1,   MACS "0010 8282 03",                                                     "Ethernet length beyond the frame"     },
    {"length that is neither",         1,   MACS "05dd 8282 03",                                                     "Ethernet length between 1501 and 1535"},
    {"short IPv4",                     101, "45 00 0014",                                                            "IPv4 header cut short"                },
    {"IPv5",                           101, "55 00 0014",                                                            "IP version is neither 4 nor 6"        },
    {"IPv6 behind IPv4's ethertype",   1,
     MACS "0800 60 00 0014 0001 0000 40 06 0000 0a000001 0a000002",
     "IPv4 header of another version"                                                                                                                       },
    {"header length 16",               101, "44 00 0014 0001 0000 40 06 0000 0a000001 0a000002",
     "IPv4 header length below 20"                                                                                                                          },
    {"total length 19",                101, "45 00 0013 0001 0000 40 06 0000 0a000001 0a000002",
     "IPv4 total length below its header"                                                                                                                   },
    {"total length one too long",      101, "45 00 0017 0001 0000 40 59 0000 0a000001 0a000002 abcd",
     "IPv4 total length beyond the frame"                                                                                                                   },
    {"options cut",                    101, "46 00 0014 0001 0000 40 06 0000 0a000001 0a000002",
     "IPv4 total length below its header"                                                                                                                   },
    {"TCP offset 4",                   101,
     "45 00 0028 0007 4000 40 06 0000 0a000001 0a000002 0401 01f6 00000010 00000020 40 18 1000 "
     "0000 0000",                                                                                                    "TCP header length below 20"           },
    {"TCP offset beyond the datagram", 101,
     "45 00 0028 0007 4000 40 06 0000 0a000001 0a000002 0401 01f6 00000010 00000020 60 18 1000 "
     "0000 0000",                                                                                                    "TCP options cut short"                },
    {"short TCP",                      101, "45 00 0018 0007 4000 40 06 0000 0a000001 0a000002 0401 01f6",
     "TCP header cut short"                                                                                                                                 },
    {"short UDP",                      101, "45 00 0018 0007 4000 40 11 0000 0a000001 0a000002 0401 01f6",
     "UDP header cut short"                                                                                                                                 },
    {"UDP length 7",                   101, "45 00 001c 0007 4000 40 11 0000 0a000001 0a000002 0401 01f6 0007 0000",
     "UDP length below 8"                                                                                                                                   },
    {"UDP length one too long",        101,
     "45 00 001c 0007 4000 40 11 0000 0a000001 0a000002 0401 01f6 0009 0000",                                        "UDP length beyond the datagram"       },
    {"IPv6 payload one too long",      229,
     "60000000 0001 3b 40 fd000000000000000000000000000001 fd000000000000000000000000000002",                        "IPv6 payload length beyond the frame" },
    {"IPv6 extension cut",             229,
     "60000000 0008 00 40 fd000000000000000000000000000001 fd000000000000000000000000000002 "
     "2b01000000000000",                                                                                             "IPv6 extension header cut short"      },
    {"short ARP",                      1,   MACS "0806 0001 0800 06 04 0001",                                        "ARP cut short"                        },
    {"short MPLS",                     1,   MACS "8847 00010040 0001",                                               "MPLS label cut short"                 },
    {"ERSPAN II of version 2",         101, OUTER_GRE "1000 88be 00000001 2005 1007 00000000",
     "ERSPAN type II of another version"                                                                                                                    },
    {"short GRE",                      101, OUTER_GRE "2000 0800",                                                   "GRE header cut short"                 },
};

START_TEST(malformed_says_why)
{
    uint8_t frame[FRAME_MAX];
    size_t size = unhex(malformed[_i].frame, frame);
    struct raw_packet raw = raw_of(malformed[_i].link_type, frame, size, size);
    struct packet p;
    struct counters counters = {0};
    decode_once(&raw, &p, &counters);
    ck_assert_msg(p.is_malformed, "%s: not malformed", malformed[_i].what);
    ck_assert_msg(strcmp(p.malformed_why, malformed[_i].why) == 0, "%s: %s", malformed[_i].what,
                  p.malformed_why);
    ck_assert_uint_eq(counters.packets_malformed, 1);
    raw_free(&raw);
}
END_TEST

START_TEST(tcp_fields)
{
    uint8_t frame[FRAME_MAX];
    size_t size = unhex(MACS "0800" IP4_TCP, frame);
    struct raw_packet raw = raw_of(1, frame, size, size + 100);
    struct packet p;
    struct counters counters = {0};
    decode_once(&raw, &p, &counters);
    ck_assert_uint_eq(p.tcp_sequence, 0x10);
    ck_assert_uint_eq(p.tcp_acknowledgement, 0x20);
    ck_assert_uint_eq(p.tcp_flags, TCP_PSH | TCP_ACK);
    ck_assert_uint_eq(p.tcp_window, 0x1000);
    ck_assert_uint_eq(p.ttl, 0x40);
    ck_assert_uint_eq(p.ip_protocol, 6);
    ck_assert_ptr_eq(p.network, raw.bytes + 14);
    ck_assert_uint_eq(p.network_size, 42);
    raw_free(&raw);
}
END_TEST

START_TEST(cut_payload_knows_its_size)
{
    uint8_t frame[FRAME_MAX];
    size_t size = unhex(MACS "0800" IP4_TCP, frame);
    struct raw_packet raw = raw_of(1, frame, size - 1, size);
    struct packet p;
    struct counters counters = {0};
    decode_once(&raw, &p, &counters);
    ck_assert_uint_eq(p.payload_size, 1);
    ck_assert_uint_eq(p.payload_wire_size, 2);
    ck_assert(!p.is_malformed);
    raw_free(&raw);
}
END_TEST

#define IP6(next, hops) "86dd 60000000 0020 " next hops
#define FE80_1          "fe800000000000000000000000000001 "
#define FE80_2          "fe800000000000000000000000000002 "
#define NOBODY          "00000000000000000000000000000000 "

/* Neighbour discovery, RFC 4861 4.2 to 4.4 and 4.6.1; valid only with hop limit 255 (6.1, 7.1). */
static const struct neighbour_row {
    const char *shows, *hex;
    bool is_present, is_router;
    uint16_t operation;
    const char *sender, *target;
    uint8_t mac; /* last byte of the sender's */
} neighbour_rows[] = {
    {"a solicitation",
     IP6("3a",                                               "ff") FE80_1 FE80_2 "87 00 0000 00000000" FE80_2 "01 01 020000000007", true,  false,
     1,                                                                                                                                              "fe80::1", "fe80::2", 7},
    {"an advertisement of an address",
     IP6("3a",                                               "ff") FE80_1 FE80_2 "88 00 0000 60000000" FE80_2 "02 01 020000000007", true,  false,
     2,                                                                                                                                              "fe80::2", "fe80::2", 7},
    {"without a link address the sender's counts",
     IP6("3a",                                               "ff") FE80_1 FE80_2 "88 00 0000 60000000" FE80_1 "0e 01 000000000000", true,  false,
     2,                                                                                                                                              "fe80::1", "fe80::2", 1},
    {"whether an address is free",
     IP6("3a",                                               "ff") NOBODY FE80_2 "87 00 0000 00000000" FE80_2 "0e 01 000000000000", false, false,
     0,                                                                                                                                              "",        "",        0},
    {"a router",
     IP6("3a",                                               "ff") FE80_1 FE80_2
     "86 00 0000 40 00 0708 00000000 00000000 01 01 020000000007 0e 01 000000000000",                                 true,  true,  0, "fe80::1", "fe80::2", 7},
    {"a router that leaves",
     IP6("3a",                                               "ff") FE80_1 FE80_2
     "86 00 0000 40 00 0000 00000000 00000000 01 01 020000000007 0e 01 000000000000",                                 true,  false, 0, "fe80::1", "fe80::2", 7},
    {"from behind a router",
     IP6("3a",                                               "fe") FE80_1 FE80_2 "88 00 0000 60000000" FE80_2 "02 01 020000000007", false, false,
     0,                                                                                                                                              "",        "",        0},
    {"another code",
     IP6("3a",                                               "ff") FE80_1 FE80_2 "88 01 0000 60000000" FE80_2 "02 01 020000000007", false, false,
     0,                                                                                                                                              "",        "",        0},
    {"an echo",                                    IP6("3a", "ff") FE80_1 FE80_2 "80 00 0000 60000000" FE80_2 "02 01 020000000007",
     false,                                                                                                                                false, 0, "",        "",        0},
    {"an option of no size",
     IP6("3a",                                               "ff") FE80_1 FE80_2 "88 00 0000 60000000" FE80_1 "0200 000000000000",  true,  false, 2,
     "fe80::1",                                                                                                                                                 "fe80::2", 1},
    {"another protocol",
     IP6("3b",                                               "ff") FE80_1 FE80_2 "88 00 0000 60000000" FE80_2 "02 01 020000000007", false, false,
     0,                                                                                                                                              "",        "",        0},
};

START_TEST(neighbours)
{
    const struct neighbour_row *row = &neighbour_rows[_i];
    uint8_t frame[FRAME_MAX];
    char text[ADDRESS_TEXT_SIZE], hex[512];
    snprintf(hex, sizeof hex, "%s%s", MACS, row->hex);
    size_t size = unhex(hex, frame);
    struct raw_packet raw = raw_of(1, frame, size, size);
    struct packet p;
    struct counters counters = {0};
    decode_once(&raw, &p, &counters);
    ck_assert_msg(p.arp.is_present == row->is_present, "%s", row->shows);
    ck_assert_msg(p.arp.is_router == row->is_router, "%s", row->shows);
    if (row->is_present) {
        ck_assert_uint_eq(p.arp.operation, row->operation);
        ck_assert_str_eq(address_print(text, &p.arp.sender_ip), row->sender);
        ck_assert_str_eq(address_print(text, &p.arp.target_ip), row->target);
        ck_assert_msg(p.arp.sender_mac.bytes[5] == row->mac, "%s: %u", row->shows,
                      p.arp.sender_mac.bytes[5]);
    }
    raw_free(&raw);
}
END_TEST

START_TEST(arp_fields)
{
    uint8_t frame[FRAME_MAX];
    char text[ADDRESS_TEXT_SIZE];
    size_t size = unhex(
        MACS "0806 0001 0800 06 04 0002 020000000001 0a000001 020000000002 0a000002 0000", frame);
    struct raw_packet raw = raw_of(1, frame, size, size);
    struct packet p;
    struct counters counters = {0};
    decode_once(&raw, &p, &counters);
    ck_assert_uint_eq(p.arp.operation, 2);
    ck_assert_str_eq(address_print(text, &p.arp.sender_ip), "10.0.0.1");
    ck_assert_str_eq(address_print(text, &p.arp.target_ip), "10.0.0.2");
    ck_assert_uint_eq(p.arp.sender_mac.bytes[5], 1);
    ck_assert_uint_eq(p.arp.target_mac.bytes[5], 2);
    raw_free(&raw);
}
END_TEST

START_TEST(unknown_link_type_is_counted)
{
    uint8_t frame[] = {1, 2, 3, 4};
    struct raw_packet raw = raw_of(147, frame, sizeof frame, sizeof frame);
    struct decoder *decoder = decoder_create(NULL);
    struct packet p;
    struct counters counters = {0};
    ck_assert(!decode(decoder, &raw, &p, &counters));
    ck_assert_uint_eq(counters.link_unknown, 1);
    ck_assert_uint_eq(p.payload_size, 4);
    decoder_destroy(decoder);
    raw_free(&raw);
}
END_TEST

START_TEST(nesting_ends)
{
    uint8_t frame[FRAME_MAX];
    size_t size = 0;
    for (int i = 0; i < 12; i++)
        size += unhex("45 00 0000 0000 0000 40 04 0000 c0a80001 c0a80002", frame + size);
    size += unhex(IP4_TCP, frame + size);
    struct raw_packet raw = raw_of(101, frame, size, size);
    struct packet p;
    struct counters counters = {0};
    decode_once(&raw, &p, &counters);
    ck_assert_uint_eq(counters.encapsulation_depth, 1);
    ck_assert_uint_eq(p.transport, TRANSPORT_NONE);
    raw_free(&raw);
}
END_TEST

/* ---- segments ---- */

static uint32_t segment_of(struct decoder *decoder, uint32_t source, const char *hex)
{
    uint8_t frame[FRAME_MAX];
    size_t size = unhex(hex, frame);
    struct raw_packet raw = raw_of(1, frame, size, size);
    struct packet p;
    struct counters counters = {0};
    raw.source_index = source;
    ck_assert(decode(decoder, &raw, &p, &counters));
    raw_free(&raw);
    return p.segment;
}

START_TEST(segments_are_told_apart)
{
    static const char *const names[] = {"eth1", "eth2"};
    static const char vlan[] = MACS "8100 000c 0800" IP4_TCP, plain[] = MACS "0800" IP4_TCP;
    static const char vni[] =
        MACS "0800" OUTER_UDP "c000 12b5 0000 0000 08000000 00000700" MACS2 "0800" IP4_TCP;
    struct decode_options options = {.source_names = names, .source_count = 2};
    struct decoder *d = decoder_create(&options);
    ck_assert_uint_eq(segment_of(d, 0, plain), 0);
    ck_assert_uint_eq(segment_of(d, 1, vlan), 0);
    ck_assert_str_eq(decoder_segment_name(d, 0), "default");
    decoder_destroy(d);

    options.is_segment_by_vlan = options.is_segment_by_tunnel = true;
    d = decoder_create(&options);
    ck_assert_uint_eq(segment_of(d, 0, plain), 0);
    uint32_t twelve = segment_of(d, 0, vlan);
    ck_assert_uint_ne(twelve, 0);
    ck_assert_uint_eq(segment_of(d, 1, vlan), twelve);
    ck_assert_str_eq(decoder_segment_name(d, twelve), "vlan 12");
    ck_assert_str_eq(decoder_segment_name(d, segment_of(d, 0, vni)), "vni 7");
    decoder_destroy(d);

    options.is_segment_by_interface = true;
    d = decoder_create(&options);
    ck_assert_str_eq(decoder_segment_name(d, segment_of(d, 1, vlan)), "eth2 vlan 12");
    ck_assert_str_eq(decoder_segment_name(d, segment_of(d, 0, plain)), "eth1");
    decoder_destroy(d);
}
END_TEST

/* What was learned is keyed by the number of a segment: it must mean the same VLAN in the next run.
 */
START_TEST(segments_keep_their_numbers_over_runs)
{
    static const char twelve[] = MACS "8100 000c 0800" IP4_TCP;
    static const char thirteen[] = MACS "8100 000d 0800" IP4_TCP;
    static const char fourteen[] = MACS "8100 000e 0800" IP4_TCP;
    struct decode_options options = {.is_segment_by_vlan = true};
    struct decoder *d = decoder_create(&options);
    ck_assert_uint_eq(segment_of(d, 0, twelve), 1);
    ck_assert_uint_eq(segment_of(d, 0, thirteen), 2);
    decoder_destroy(d);

    d = decoder_create(&options);
    ck_assert(decoder_restore_segment(d, 1, "vlan 12"));
    ck_assert(decoder_restore_segment(d, 2, "vlan 13"));
    ck_assert(!decoder_restore_segment(d, 2, "vlan 15")); /* the number is taken */
    ck_assert(!decoder_restore_segment(d, 3, "vlan 13")); /* the name is */
    ck_assert(!decoder_restore_segment(d, 0, "vlan 16")); /* the default's */
    ck_assert(!decoder_restore_segment(d, 3, "default"));
    ck_assert(!decoder_restore_segment(d, 1024, "vlan 16")); /* beyond the table */
    ck_assert(!decoder_restore_segment(d, 3, ""));
    ck_assert_uint_eq(segment_of(d, 0, fourteen), 3);
    ck_assert_uint_eq(segment_of(d, 0, thirteen), 2);
    ck_assert_uint_eq(segment_of(d, 0, twelve), 1);
    ck_assert_uint_eq(segment_of(d, 0, fourteen), 3);
    ck_assert_str_eq(decoder_segment_name(d, 3), "vlan 14");
    decoder_destroy(d);
}
END_TEST

/* ---- fragments: pieces of one UDP datagram, 10.0.0.1:1025 > 10.0.0.2:502, 24 bytes of payload
 * ---- */

static const uint8_t datagram[32] = "\x04\x01\x01\xf6\x00\x1f\x00\x00" /* UDP length 31 */
                                    "abcdefghijklmnopqrstuvwx";

struct piece {
    uint16_t offset, size; /* in bytes; size 0 ends the list */
    bool is_last;
    uint8_t change;   /* added to every byte */
    int32_t after_ms; /* since the piece before */
    const char *says; /* "" kept, "whole", or why it is malformed */
};

struct fragment_row {
    const char *what;
    struct piece pieces[6];
    uint64_t dropped;
};

#define CONFLICT "IP fragments overlap with different bytes"
#define DISAGREE "IP fragments disagree about the end of their datagram"

static const struct fragment_row fragment_rows[] = {
    {"in order",
     {{0, 16, false, 0, 0, ""}, {16, 8, false, 0, 0, ""}, {24, 8, true, 0, 0, "whole"}},
     0                                                                                                                 },
    {"the other way round",
     {{24, 8, true, 0, 0, ""}, {16, 8, false, 0, 0, ""}, {0, 16, false, 0, 0, "whole"}},
     0                                                                                                                 },
    {"a last piece of odd size",                 {{0, 16, false, 0, 0, ""}, {16, 15, true, 0, 0, "whole"}},           0},
    {"every piece twice",
     {{0, 16, false, 0, 0, ""},
      {0, 16, false, 0, 0, ""},
      {16, 16, true, 0, 0, "whole"},
      {16, 16, true, 0, 0, ""}},
     0                                                                                                                 },
    {"overlap with the same bytes",              {{0, 24, false, 0, 0, ""}, {16, 16, true, 0, 0, "whole"}},           0},
    {"overlap with other bytes",
     {{0, 24, false, 0, 0, ""}, {16, 16, true, 1, 0, CONFLICT}, {24, 8, true, 0, 0, ""}},
     3                                                                                                                 },
    {"a missing piece never completes",          {{0, 16, false, 0, 0, ""}, {24, 8, true, 0, 0, ""}},                 0},
    {"too late a piece begins anew",             {{0, 16, false, 0, 0, ""}, {16, 16, true, 0, 31000, ""}},            1},
    {"late, but not too late",                   {{0, 16, false, 0, 0, ""}, {16, 16, true, 0, 29000, "whole"}},       0},
    {"teardrop: the last piece ends inside",
     {{0, 24, false, 0, 0, ""}, {8, 8, true, 0, 0, DISAGREE}},
     2                                                                                                                 },
    {"data behind the last piece",               {{16, 8, true, 0, 0, ""}, {24, 8, false, 0, 0, DISAGREE}},           2},
    {"a piece of 12 bytes that is not the last",
     {{0, 12, false, 0, 0, "IP fragment whose size is not a multiple of 8"}},
     1                                                                                                                 },
    {"ping of death",                            {{65528, 16, true, 0, 0, "IP fragment reaches beyond 65535 bytes"}}, 1},
};

static void check_piece(const char *what, int n, const struct packet *p, const char *says)
{
    if (strcmp(says, "whole") == 0) {
        ck_assert_msg(p->is_reassembled && !p->is_fragment, "%s: piece %d does not complete", what,
                      n);
        ck_assert_uint_eq(p->source_port, 1025);
        ck_assert_uint_eq(p->transport, TRANSPORT_UDP);
        ck_assert_msg(memcmp(p->payload, datagram + 8, 20) == 0, "%s: other bytes", what);
        ck_assert_msg(!p->is_malformed, "%s: %s", what, p->malformed_why);
        return;
    }
    ck_assert_msg(p->is_fragment && !p->is_reassembled, "%s: piece %d is no piece", what, n);
    ck_assert_uint_eq(p->source_port, 0);
    ck_assert_msg(p->is_malformed == (*says != 0), "%s: piece %d: %s", what, n,
                  p->is_malformed ? p->malformed_why : "");
    if (*says)
        ck_assert_msg(strcmp(p->malformed_why, says) == 0, "%s: piece %d: %s", what, n,
                      p->malformed_why);
}

static size_t ip4_piece(uint8_t *frame, const struct piece *piece)
{
    size_t size = unhex("45 00 0000 0009 0000 40 11 0000 0a000001 0a000002", frame);
    frame[3] = (uint8_t)(20 + piece->size);
    frame[6] = (uint8_t)((piece->is_last ? 0 : 0x20) | piece->offset >> 11);
    frame[7] = (uint8_t)(piece->offset >> 3);
    for (size_t i = 0; i < piece->size; i++)
        frame[size + i] = (uint8_t)(datagram[(piece->offset + i) % 32] + piece->change);
    return size + piece->size;
}

static size_t ip6_piece(uint8_t *frame, const struct piece *piece)
{
    size_t size = unhex(
        "60000000 0000 2c 40 fd000000000000000000000000000001 fd000000000000000000000000000002 "
        "11 00 0000 00000009",
        frame);
    frame[5] = (uint8_t)(8 + piece->size);
    frame[42] = (uint8_t)(piece->offset >> 8);
    frame[43] = (uint8_t)(piece->offset | (piece->is_last ? 0 : 1));
    for (size_t i = 0; i < piece->size; i++)
        frame[size + i] = (uint8_t)(datagram[(piece->offset + i) % 32] + piece->change);
    return size + piece->size;
}

static void run_pieces(const struct fragment_row *row, uint16_t link_type,
                       size_t (*make)(uint8_t *frame, const struct piece *piece))
{
    struct decoder *decoder = decoder_create(NULL);
    struct counters counters = {0};
    int64_t time_ns = 1000000000;
    for (int n = 0; n < 6 && row->pieces[n].size; n++) {
        uint8_t frame[FRAME_MAX];
        struct packet p;
        size_t size = make(frame, &row->pieces[n]);
        struct raw_packet raw = raw_of(link_type, frame, size, size);
        time_ns += row->pieces[n].after_ms * INT64_C(1000000);
        raw.time_ns = time_ns;
        decode(decoder, &raw, &p, &counters);
        check_piece(row->what, n, &p, row->pieces[n].says);
        raw_free(&raw);
    }
    ck_assert_msg(counters.fragments_dropped == row->dropped, "%s: %lu dropped", row->what,
                  (unsigned long)counters.fragments_dropped);
    decoder_destroy(decoder);
}

START_TEST(fragments_ip4)
{
    run_pieces(&fragment_rows[_i], 228, ip4_piece);
}
END_TEST

START_TEST(fragments_ip6)
{
    run_pieces(&fragment_rows[_i], 229, ip6_piece);
}
END_TEST

/* More datagrams at once than there are places: the oldest goes, nothing grows. */
START_TEST(fragment_flood_is_bounded)
{
    struct decoder *decoder = decoder_create(NULL);
    struct counters counters = {0};
    for (unsigned id = 0; id < 5000; id++) {
        struct piece piece = {0, 8, false, 0, 0, ""};
        uint8_t frame[FRAME_MAX];
        struct packet p;
        size_t size = ip4_piece(frame, &piece);
        frame[4] = (uint8_t)(id >> 8);
        frame[5] = (uint8_t)id;
        struct raw_packet raw = raw_of(228, frame, size, size);
        decode(decoder, &raw, &p, &counters);
        raw_free(&raw);
    }
    ck_assert_uint_eq(counters.fragments, 5000);
    ck_assert_uint_eq(counters.fragments_dropped, 5000 - 64);
    decoder_destroy(decoder);
}
END_TEST

/* ---- the public captures: every packet is read, and counted as the oracle does ---- */

static long oracle_packets(const char *folder, const char *relative)
{
    char path[1024], line[65536];
    long packets = -1;
    snprintf(path, sizeof path, "%s/oracle/%s.json", folder, relative);
    FILE *file = fopen(path, "rb");
    if (!file)
        return -1;
    while (packets < 0 && fgets(line, sizeof line, file)) {
        const char *at = strstr(line, "\"packets\":");
        if (at)
            packets = strtol(at + strlen("\"packets\":"), NULL, 10);
    }
    fclose(file);
    return packets;
}

static void check_capture(const char *folder, const char *relative)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, relative);
    const char *paths[] = {path};
    struct capture *capture = capture_files(paths, 1);
    struct decoder *decoder = decoder_create(NULL);
    struct counters counters = {0};
    struct raw_packet raw;
    struct packet packet;
    struct error err = {""};
    enum capture_result result;
    while ((result = capture_next(capture, &raw, &err)) != CAPTURE_END)
        if (result == CAPTURE_PACKET)
            decode(decoder, &raw, &packet, &counters);
    long packets = oracle_packets(folder, relative);
    ck_assert_msg(packets < 0 || (uint64_t)packets == counters.packets,
                  "%s: %lu packets, not %ld %s", relative, (unsigned long)counters.packets, packets,
                  err.text);
    decoder_destroy(decoder);
    capture_close(capture);
}

START_TEST(public_captures)
{
    static const char folder[] = TEST_SOURCE_DIR "/../shared/captures";
    DIR *protocols = opendir(folder);
    size_t count = 0;
    if (!protocols) {
        printf("skipped: no captures in %s\n", folder);
        return;
    }
    for (struct dirent *protocol; (protocol = readdir(protocols));) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, protocol->d_name);
        DIR *files = protocol->d_name[0] == '.' || strcmp(protocol->d_name, "oracle") == 0
                         ? NULL
                         : opendir(path);
        for (struct dirent *file; files && (file = readdir(files));) {
            char relative[600];
            if (!strstr(file->d_name, ".pcap") && !strstr(file->d_name, ".cap"))
                continue;
            snprintf(relative, sizeof relative, "%s/%s", protocol->d_name, file->d_name);
            check_capture(folder, relative);
            count++;
        }
        if (files)
            closedir(files);
    }
    closedir(protocols);
    ck_assert_uint_gt(count, 0);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

/* --- the short way gives what the way through the layers gives --- */

static const char *const plain[] = {
    MACS "0800" IP4_TCP,
    MACS "0800" IP4_TCP "000000000000",
    MACS "0800 45 00 001e 0007 0000 40 11 0000 0a000001 0a000002 0401 00a1 000a 0000 6162",
    MACS "8100 600c 0800" IP4_TCP,
    MACS "8100 6000 0800"
         "45 00 001e 0007 0000 40 11 0000 0a000001 0a000002 0401 00a1 000a 0000 6162",
};

/* Each way has its own table of fragments. */
static void compare_ways(struct decoder *const decoders[2], const uint8_t *bytes, size_t size,
                         size_t wire, unsigned *shorts)
{
    struct packet whole, layered, started;
    struct counters counted = {0}, counted_layered = {0};
    struct raw_packet raw = raw_of(1, bytes, size, wire);
    memset(&whole, 0x5a, sizeof whole);
    memset(&layered, 0x5a, sizeof layered);
    memset(&started, 0, sizeof started);
    ck_assert_int_eq(decode(decoders[0], &raw, &whole, &counted),
                     decode_by_layers(decoders[1], &raw, &layered, &counted_layered));
    ck_assert_mem_eq(&whole, &layered, sizeof whole);
    ck_assert_mem_eq(&counted, &counted_layered, sizeof counted);
    *shorts += decode_plain(&raw, &started);
    raw_free(&raw);
}

START_TEST(both_ways_agree_on_every_row)
{
    struct decoder *const decoders[] = {decoder_create(NULL), decoder_create(NULL)};
    uint8_t bytes[FRAME_MAX];
    size_t size = unhex(rows[_i].frame, bytes);
    unsigned shorts = 0;
    if (rows[_i].link_type == 1)
        compare_ways(decoders, bytes, size, size, &shorts);
    decoder_destroy(decoders[0]);
    decoder_destroy(decoders[1]);
}
END_TEST

/* Every value of every byte, every prefix, with more on the wire or not. */
START_TEST(both_ways_agree)
{
    struct decoder *const decoders[] = {decoder_create(NULL), decoder_create(NULL)};
    uint8_t bytes[FRAME_MAX];
    size_t size = unhex(plain[_i], bytes);
    unsigned shorts = 0, changed = 0;
    compare_ways(decoders, bytes, size, size, &shorts);
    ck_assert_uint_eq(shorts, 1); /* it is what the short way is for */
    for (size_t at = 0; at < size; at++) {
        uint8_t was = bytes[at];
        for (unsigned value = 0; value < 256; value++) {
            bytes[at] = (uint8_t)value;
            compare_ways(decoders, bytes, size, size, &changed);
        }
        bytes[at] = was;
        compare_ways(decoders, bytes, at, at, &changed);
        compare_ways(decoders, bytes, at, size, &changed);
    }
    ck_assert_uint_gt(changed, 0);
    decoder_destroy(decoders[0]);
    decoder_destroy(decoders[1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decode");
    TCase *frames = tcase_create("frames"), *fragments = tcase_create("fragments"),
          *whole = tcase_create("captures");
    tcase_add_loop_test(frames, frame_says, 0, COUNT(rows));
    tcase_add_loop_test(frames, every_prefix_is_safe, 0, COUNT(rows));
    tcase_add_loop_test(frames, malformed_says_why, 0, COUNT(malformed));
    tcase_add_test(frames, tcp_fields);
    tcase_add_loop_test(frames, both_ways_agree, 0, COUNT(plain));
    tcase_add_loop_test(frames, both_ways_agree_on_every_row, 0, COUNT(rows));
    tcase_add_test(frames, cut_payload_knows_its_size);
    tcase_add_test(frames, arp_fields);
    tcase_add_loop_test(frames, neighbours, 0, sizeof neighbour_rows / sizeof *neighbour_rows);
    tcase_add_test(frames, unknown_link_type_is_counted);
    tcase_add_test(frames, nesting_ends);
    tcase_add_test(frames, segments_are_told_apart);
    tcase_add_test(frames, segments_keep_their_numbers_over_runs);
    tcase_add_loop_test(fragments, fragments_ip4, 0, COUNT(fragment_rows));
    tcase_add_loop_test(fragments, fragments_ip6, 0, COUNT(fragment_rows));
    tcase_add_test(fragments, fragment_flood_is_bounded);
    tcase_add_test(whole, public_captures);
    tcase_set_timeout(frames, 60);
    tcase_set_timeout(whole, 250);
    suite_add_tcase(suite, frames);
    suite_add_tcase(suite, fragments);
    suite_add_tcase(suite, whole);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
