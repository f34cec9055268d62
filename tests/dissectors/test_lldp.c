/* test_lldp.c: LLDP frames, held against IEEE 802.1AB-2016 8, ANSI/TIA-1057 10.2 and RFC 8520 11.
 */
#include "support/dissect_probe.h"
#include "support/runner.h"

#include <string.h>

extern const struct dissector dissector_lldp;

/* chassis 02:00:00:00:00:09, port "p1", time to live 120 */
#define HEAD     "0207 04 020000000009 0403 05 7031 0602 0078 "
#define HEAD_OUT "02:00:00:00:00:09; p1"
#define END      " 0000"

/* "Aruba JL259A 2930F Switch, revision WC.16.07, ROM 1" and "Box J1 X Switch, ROM 1" */
#define ARUBA                                                                                      \
    "0c33 4172756261204a4c32353941203239333046205377697463682c207265766973696f6e20574"             \
    "32e31362e30372c20524f4d2031"
#define BOX "0c16 426f78204a312058205377697463682c20524f4d2031"

static const struct row {
    const char *shows, *hex, *items, *facts;
} rows[] = {
    {"the least",                                              HEAD END,                                      HEAD_OUT,                      "mac=02:00:00:00:00:09; switch_port=p1"                },
    {"an address as chassis, a MAC as port",
     "0206 05 01 0a000005 0407 03 020000000002 0602 0078" END,                                                "10.0.0.5; 02:00:00:00:00:02",
     "ip=10.0.0.5; switch_port=02:00:00:00:00:02"                                                                                                                                                   },
    {"a port with its description",                            HEAD "0803 657468" END,                        HEAD_OUT,
     "mac=02:00:00:00:00:09; switch_port=p1 (eth)"                                                                                                                                                  },
    {"a name",                                                 HEAD "0a02 7377" END,                          HEAD_OUT,
     "mac=02:00:00:00:00:09; host_name=sw; switch_port=p1"                                                                                                                                          },
    {"what it can do: bridge and router",                      HEAD "0e04 0014 0004" END,                     HEAD_OUT,
     "mac=02:00:00:00:00:09; device_type=bridge, router; switch_port=p1"                                                                                                                            },
    {"management address, IPv4; the first of two counts",
     HEAD "100c 05 01 0a000007 02 00000001 00 100c 05 01 0a000008 02 00000001 00" END,                        HEAD_OUT,
     "mac=02:00:00:00:00:09; ip=10.0.0.7; switch_port=p1"                                                                                                                                           },
    {"management address, IPv6",
     HEAD "1018 11 02 fe800000000000000000000000000001 02 00000001 00" END,                                   HEAD_OUT,
     "mac=02:00:00:00:00:09; ip=fe80::1; switch_port=p1"                                                                                                                                            },
    {"an unspecified management address is none",              HEAD "100c 05 01 00000000 02 00000001 00" END,
     HEAD_OUT,                                                                                                                               "mac=02:00:00:00:00:09; switch_port=p1"                },
    {"Siemens' description of itself",
     HEAD "0c4f 5369656d656e732c2053494d415449432053372c20435055203331352c2036455"
          "337203331352d32454831342c2048573a20342c2046573a2056657273696f6e2056332"
          "e322e362c205320432d5831" END,
     HEAD_OUT,                                                                                                                               "mac=02:00:00:00:00:09; vendor=Siemens; order_number=6ES7 315-2EH14; product=CPU 315; "
     "hardware_version=4; firmware_version=V3.2.6; serial_number=C-X1; "
     "comment=Siemens, SIMATIC S7, CPU 315, 6ES7 315-2EH14, HW: 4, FW: Version V3.2.6, S C-X1; "
     "switch_port=p1"                                                                                                                                                                 },
    {"TIA's inventory",
     HEAD "fe06 0012bb05 4831 fe06 0012bb06 4631 fe06 0012bb07 5331 fe06 0012bb08 4e31"
          "fe06 0012bb09 5631 fe06 0012bb0a 4d31" END,
     HEAD_OUT,                                                                                                                               "mac=02:00:00:00:00:09; hardware_version=H1; firmware_version=F1; software_version=S1; "
     "serial_number=N1; vendor=V1; product=M1; switch_port=p1"                                                                                                                        },
    {"where its usage description is (MUD)",                   HEAD "fe06 00005e01 753a" END,                 HEAD_OUT,
     "mac=02:00:00:00:00:09; url=u:; switch_port=p1"                                                                                                                                                },
    {"PROFINET: the chassis is the station's name",
     "0204 07 706c63 0409 07 706f72742d303031 0602 0014 fe05 000ecf02 00" END,                                "plc; port-001",
     "name=plc; switch_port=port-001"                                                                                                                                                               },
    {"PROFINET: the port has the station's name",
     "0206 07 5337203120 040d 07 706f72742d3030312e706c63 0602 0014 fe05 000ecf02 00" END,
     "S7 1; port-001.plc",                                                                                                                   "name=plc; switch_port=port-001.plc"                   },
    {"PROFINET: the MAC of the interface, sent from a port's",
     "0204 07 706c63 0409 07 706f72742d303031 0602 0014 fe0a 000ecf05 001b1b343434" END,
     "plc; port-001",                                                                                                                        "mac=00:1b:1b:34:34:34; name=plc; switch_port=port-001"},
    {"a switch of Aruba describes itself",                     HEAD ARUBA END,                                HEAD_OUT,
     "mac=02:00:00:00:00:09; vendor=Aruba; order_number=JL259A; product=2930F; "
     "firmware_version=WC.16.07; comment=Aruba JL259A 2930F Switch, revision WC.16.07, ROM 1; "
     "switch_port=p1"                                                                                                                                                                               },
    {"another sentence about a switch",                        HEAD BOX END,                                  HEAD_OUT,
     "mac=02:00:00:00:00:09; comment=Box J1 X Switch, ROM 1; switch_port=p1"                                                                                                                        },
    {"a local chassis with blanks is no name",                 "0204 07 612062 0403 05 7031 0602 0014" END,
     "a b; p1",                                                                                                                              "switch_port=p1"                                       },
    {"VLAN and MAU of the IEEE are passed over",
     HEAD "fe06 0080c201 0001 fe09 00120f01 03 6c11 0010" END,                                                HEAD_OUT,
     "mac=02:00:00:00:00:09; switch_port=p1"                                                                                                                                                        },
    {"an end without its TLV is none",                         HEAD,                                          HEAD_OUT,                      "mac=02:00:00:00:00:09; switch_port=p1"                },
};

START_TEST(frames)
{
    const struct row *row = &rows[_i];
    struct probe *p = probe_create(TRANSPORT_NONE);
    probe_hex(p, &dissector_lldp, true, row->hex);
    ck_assert_msg(p->event_count == 1 && p->violation_count == 0, "%s", row->shows);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->code, "frame");
    ck_assert_str_eq(e->direction, "oneway");
    ck_assert_str_eq(e->operation, "netmgmt");
    ck_assert_msg(strcmp(e->items, row->items) == 0, "%s: %s", row->shows, e->items);
    ck_assert_msg(strcmp(e->facts, row->facts) == 0, "%s: %s", row->shows, e->facts);
    probe_destroy(p);
}
END_TEST

/* 802.1AB E.2, 802.3 79.3.1 with the numbers of RFC 4836 */
static const struct {
    const char *hex, *detail;
} port_rows[] = {
    {HEAD "fe06 0080c2 01 0005" END,                             "VLAN 5"                        },
    {HEAD "fe09 00120f 01 03 6c01 0010" END,                     "100BASE-TX full duplex"        },
    {HEAD "fe06 0080c2 01 0005 fe09 00120f 01 03 6c01 001e" END, "VLAN 5, 1000BASE-T full duplex"},
    {HEAD "fe06 0080c2 01 0000 fe09 00120f 01 03 6c01 0000" END, ""                              },
    {HEAD "fe05 0080c2 01 00 fe06 00120f 01 03 6c" END,          ""                              },
};

START_TEST(ports_tell_their_network)
{
    struct probe *p = probe_create(TRANSPORT_NONE);
    probe_hex(p, &dissector_lldp, true, port_rows[_i].hex);
    ck_assert_str_eq(probe_event(p, 0)->detail, port_rows[_i].detail);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

static const struct bad_row {
    const char *shows, *hex;
    enum violation_kind kind;
} bad_rows[] = {
    {"a TLV longer than its frame",             HEAD "0a03 7377",                VIOLATION_LENGTH  },
    {"half a TLV's head",                       HEAD "0a",                       VIOLATION_LENGTH  },
    {"the port first",                          "0403 05 7031" END,              VIOLATION_SEQUENCE},
    {"two chassis",                             HEAD "0207 04 020000000009" END, VIOLATION_SEQUENCE},
    {"an end before the time to live",          "0207 04 020000000009 0000",     VIOLATION_SEQUENCE},
    {"a management address beyond its TLV",     HEAD "1003 05 01 0a" END,        VIOLATION_LENGTH  },
    {"a management address of no size",         HEAD "1001 00" END,              VIOLATION_LENGTH  },
    {"an organisation's TLV without a subtype", HEAD "fe03 000ecf" END,          VIOLATION_LENGTH  },
    {"nothing",                                 "00",                            VIOLATION_LENGTH  },
};

START_TEST(wrong_frames_are_told)
{
    const struct bad_row *row = &bad_rows[_i];
    struct probe *p = probe_create(TRANSPORT_NONE);
    probe_hex(p, &dissector_lldp, true, row->hex);
    ck_assert_msg(p->event_count == 1 && probe_has_violation(p, row->kind), "%s", row->shows);
    probe_destroy(p);
}
END_TEST

/* [AB] 8.5.2.1: with its subtype an id has at most 256 bytes. */
START_TEST(ids_have_a_greatest_size)
{
    uint8_t bytes[2 + 257 + 11] = {0};
    for (unsigned size = 256; size <= 257; size++) {
        struct probe *p = probe_create(TRANSPORT_NONE);
        bytes[0] = 3;
        bytes[1] = (uint8_t)(size - 256);
        bytes[2] = 7;
        memset(bytes + 3, 'a', size - 1);
        hex_bytes(bytes + 2 + size, 11, "0403 05 7031 0602 0078");
        probe_feed(p, &dissector_lldp, true, bytes, 2 + size + 9);
        ck_assert_msg(probe_has_violation(p, VIOLATION_LENGTH) == (size > 256), "%u", size);
        probe_destroy(p);
    }
}
END_TEST

START_TEST(every_prefix_is_safe)
{
    uint8_t bytes[128];
    size_t size = hex_bytes(bytes, sizeof bytes, rows[6].hex);
    for (size_t i = 0; i < size; i++) {
        struct probe *p = probe_create(TRANSPORT_NONE);
        ck_assert(probe_recognise(&dissector_lldp, bytes, i) == (i < 2 ? CLAIM_MORE : CLAIM_YES));
        probe_feed(p, &dissector_lldp, true, bytes, i);
        ck_assert_uint_eq(p->event_count, 1);
        probe_destroy(p);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lldp");
    TCase *c = tcase_create("lldp");
    tcase_add_loop_test(c, ports_tell_their_network, 0, sizeof port_rows / sizeof *port_rows);
    tcase_add_loop_test(c, frames, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(c, wrong_frames_are_told, 0, sizeof bad_rows / sizeof *bad_rows);
    tcase_add_test(c, ids_have_a_greatest_size);
    tcase_add_test(c, every_prefix_is_safe);
    suite_add_tcase(s, c);
    return run_suite(s);
}
