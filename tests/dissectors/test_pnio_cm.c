/* test_pnio_cm.c: PROFINET IO context management, held against PROTOCOLS 13. */
#include "support/dissect_probe.h"
#include "support/runner.h"

#include <string.h>

extern const struct dissector dissector_pnio_cm;

enum { ROOM = 4096, HEX_ROOM = 2 * ROOM };

/* What differs from a device's big endian call in one piece. */
struct rpc {
    int type, sequence, operation, flags, fragment;
    bool is_little;
    int interface; /* 0: 1 */
};

/* | header | body |; returns its size */
static size_t make(uint8_t out[ROOM], const struct rpc *h, const char *body)
{
    static const char object[] = "dea00000 6c97 11d1 8271 0001 0101 002a";
    char hex[HEX_ROOM];
    uint8_t bytes[ROOM];
    size_t size = hex_bytes(bytes, sizeof bytes, body);
    int interface = h->interface ? h->interface : 1;
    if (h->is_little)
        snprintf(hex, sizeof hex,
                 "04 %02x %02x 00 100000 00 0000a0de 976c d111 8271 0001 0101 002a "
                 "%02x00a0de 976c d111 8271 00a02442df7d 04030201 0605 0807 090a0b0c0d0e0f10 "
                 "00000000 01000000 %02x000000 %02x00 ffff ffff %02x%02x %02x00 00 00",
                 h->type, h->flags, interface, h->sequence, h->operation, (int)(size & 0xff),
                 (int)(size >> 8), h->fragment);
    else
        snprintf(hex, sizeof hex,
                 "04 %02x %02x 00 000000 00 %s dea000%02x 6c97 11d1 8271 00a02442df7d "
                 "01020304 0506 0708 090a0b0c0d0e0f10 00000000 00000001 %08x %04x ffff ffff %04x "
                 "%04x 00 00",
                 h->type, h->flags, object, interface, (unsigned)h->sequence,
                 (unsigned)h->operation, (unsigned)size, (unsigned)h->fragment);
    size_t header = hex_bytes(out, ROOM, hex);
    ck_assert_uint_eq(header, 80);
    memcpy(out + header, bytes, size);
    return header + size;
}

static void feed(struct probe *p, bool is_from_client, const struct rpc *h, const char *body)
{
    uint8_t bytes[ROOM];
    size_t size = make(bytes, h, body);
    probe_feed(p, &dissector_pnio_cm, is_from_client, bytes, size);
}

/* | greatest size or status | size | array | blocks | */
static const char *arguments(char out[HEX_ROOM], unsigned first, bool is_little, const char *blocks)
{
    uint8_t bytes[ROOM];
    unsigned size = (unsigned)hex_bytes(bytes, sizeof bytes, blocks);
    unsigned swapped = is_little ? __builtin_bswap32(size) : size;
    snprintf(out, HEX_ROOM, "%08x %08x %08x 00000000 %08x %s", first, swapped, swapped, swapped,
             blocks);
    return out;
}

static void request(struct probe *p, int sequence, int operation, const char *blocks)
{
    char hex[HEX_ROOM];
    feed(p, true, &(struct rpc){.sequence = sequence, .operation = operation, .flags = 0x20},
         arguments(hex, 4096, false, blocks));
}

static void response(struct probe *p, int sequence, int operation, unsigned status,
                     const char *blocks)
{
    char hex[HEX_ROOM];
    feed(p, false,
         &(struct rpc){.type = 2, .sequence = sequence, .operation = operation, .flags = 0x0a},
         arguments(hex, status, false, blocks));
}

static struct probe *udp(void)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    p->flow.server.port = 34964;
    p->flow.is_role_known = p->flow.is_start_seen = false;
    return p;
}

#define AR     "00000000000000000000000000000001 "
#define OBJECT "dea00000 6c97 11d1 8271 0001 0000 00b0 "
#define AR_BLOCK(type, properties)                                                                 \
    "0101 003a 0100 " type " " AR "0001 020000000001 " OBJECT properties " 0064 8892 0004 "        \
    "706c6331 "
#define IOCR_IN                                                                                    \
    "0102 002a 0100 0001 0001 8892 00000001 0028 c002 0020 0008 0001 0000 ffffffff 0018 0018 "     \
    "c000 "                                                                                        \
    "000000000000 0000 "
#define EXPECTED                                                                                   \
    "0104 002e 0100 0001 00000000 0001 ffff8140 0000 0002 0001 00000011 0001 0001 0004 01 01 "     \
    "0002 "                                                                                        \
    "00000012 0000 0001 0000 01 01 "
#define RECORD(type, slot, subslot, index, size, tail)                                             \
    type " 003c 0100 0005 " AR "00000000 " slot " " subslot " 0000 " index " " size " " tail " "
#define ZERO_24        "000000000000000000000000000000000000000000000000"
#define STATUS(status) "0000 0000 " status " 00000000000000000000000000000000"

START_TEST(connect)
{
    struct probe *p = udp();
    request(p, 0, 0, AR_BLOCK("0001", "00000011") IOCR_IN EXPECTED);
    response(p, 0, 0, 0,
             "8102 0008 0100 0001 0001 c002 "
             "8104 001c 0100 0001 00000000 0001 0001 ffff8141 0001 0001 0001 00000011 0040 ");
    const struct probe_event *e = probe_event(p, 0), *done = probe_event(p, 1);
    ck_assert_str_eq(e->protocol, "pnio_cm");
    ck_assert_str_eq(e->code, "if=1,op=0");
    ck_assert_str_eq(e->name, "connect");
    ck_assert_str_eq(e->operation, "session");
    ck_assert_str_eq(e->direction, "request");
    ck_assert_str_eq(e->detail, "io controller plc1");
    ck_assert_str_eq(e->facts, "name=plc1; vendor=Phoenix Contact");
    ck_assert_str_eq(e->items, "input relation, frame id 0xc002; slot 1=4294934848; slot 1 subslot "
                               "0x0001=17; slot 1 subslot 0x0002=18");
    ck_assert_str_eq(e->parts, "1.1=module 0xffff8140, submodule 0x00000011; "
                               "1.2=module 0xffff8140, submodule 0x00000012");
    ck_assert_str_eq(done->parts, "1.1=module 0xffff8141, submodule 0x00000011");
    ck_assert_str_eq(done->direction, "response");
    ck_assert_str_eq(done->status, "ok");
    ck_assert_str_eq(done->facts, "vendor=Siemens");
    ck_assert_str_eq(
        done->items,
        "input relation, frame id 0xc002; slot 1=4294934849!error 1 wrong_module; slot 1 "
        "subslot 0x0001=17!error 64 fault");
    ck_assert_uint_eq(done->flags, 0);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

static const struct ar_row {
    const char *type, *properties, *operation, *detail;
} ar_rows[] = {
    {"0001", "00000011", "session", "io controller plc1"                   },
    {"0010", "00000011", "session", "io controller, RT class 3 plc1"       },
    {"0020", "00000011", "session", "io controller, system redundancy plc1"},
    {"0006", "00000011", "lock",    "io supervisor plc1"                   },
    {"0006", "00000111", "session", "io supervisor plc1, device access"    },
};
enum { AR_ROWS = sizeof ar_rows / sizeof *ar_rows };

START_TEST(kinds_of_relation)
{
    const struct ar_row *row = &ar_rows[_i];
    char hex[512];
    struct probe *p = udp();
    snprintf(hex, sizeof hex,
             "0101 003a 0100 %s " AR "0001 020000000001 " OBJECT "%s 0064 8892 0004 706c6331",
             row->type, row->properties);
    request(p, 0, 0, hex);
    ck_assert_str_eq(probe_event(p, 0)->operation, row->operation);
    ck_assert_str_eq(probe_event(p, 0)->detail, row->detail);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

static const struct control_row {
    const char *block, *command, *detail;
} control_rows[] = {
    {"0110", "0001", "parameter end"       },
    {"8110", "0008", "done"                },
    {"0112", "0002", "application ready"   },
    {"0114", "0004", "release"             },
    {"0116", "0010", "ready for companion" },
    {"0117", "0020", "ready for RT class 3"},
    {"0118", "0040", "parameter begin"     },
};
enum { CONTROL_ROWS = sizeof control_rows / sizeof *control_rows };

START_TEST(control_commands)
{
    char hex[256];
    struct probe *p = udp();
    snprintf(hex, sizeof hex, "%s 001c 0100 0000 " AR "0001 0000 %s 0000", control_rows[_i].block,
             control_rows[_i].command);
    request(p, 1, 4, hex);
    ck_assert_str_eq(probe_event(p, 0)->name, "control");
    ck_assert_str_eq(probe_event(p, 0)->operation, "session");
    ck_assert_str_eq(probe_event(p, 0)->detail, control_rows[_i].detail);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

static const struct record_row {
    const char *index, *name, *on_read, *on_write;
} record_rows[] = {
    {"aff0", "im0",                        "identify",    "config_change"},
    {"aff1", "im1_tags",                   "identify",    "config_change"},
    {"aff2", "im2_installation_date",      "identify",    "config_change"},
    {"aff3", "im3_descriptor",             "identify",    "config_change"},
    {"aff4", "im4_signature",              "identify",    "config_change"},
    {"802b", "pd_port_data_check",         "read",        "config_change"},
    {"802f", "pd_port_data_adjust",        "read",        "config_change"},
    {"8052", "mrp_data_adjust",            "read",        "config_change"},
    {"8071", "pd_interface_adjust",        "read",        "config_change"},
    {"8028", "input_data",                 "read",        "config_change"},
    {"b02e", "drive_parameter_local",      "read",        "control"      },
    {"b02f", "drive_parameter_global",     "read",        "control"      },
    {"800c", "diagnosis_subslot",          "diagnostics", "config_change"},
    {"f840", "im0_filter",                 "identify",    "config_change"},
    {"f841", "pd_real_data",               "identify",    "config_change"},
    {"8080", "pd_interface_data_real",     "identify",    "config_change"},
    {"e002", "module_difference",          "identify",    "config_change"},
    {"8027", "pd_port_data_real_extended", "identify",    "config_change"},
    {"c012", "all_maintenance_slot",       "diagnostics", "config_change"},
    {"f880", "asset_management",           "identify",    "config_change"},
    {"fbff", "connection_monitoring",      "diagnostics", "config_change"},
    {"0001", "record 0x0001",              "read",        "config_change"},
};
enum { RECORD_ROWS = sizeof record_rows / sizeof *record_rows };

START_TEST(records)
{
    const struct record_row *row = &record_rows[_i];
    char hex[512], item[128];
    struct probe *p = udp();
    snprintf(hex, sizeof hex, RECORD("0009", "0001", "8001", "%s", "00001000", ZERO_24),
             row->index);
    request(p, 1, 2, hex);
    snprintf(hex, sizeof hex, RECORD("0008", "0001", "8001", "%s", "00000002", ZERO_24) "abcd",
             row->index);
    request(p, 2, 3, hex);
    snprintf(hex, sizeof hex, RECORD("8008", "0001", "8001", "%s", "00000002", STATUS("00000000")),
             row->index);
    response(p, 2, 3, 0, hex);
    snprintf(hex, sizeof hex, RECORD("8008", "0001", "8001", "%s", "00000002", STATUS("df80b600")),
             row->index);
    response(p, 2, 3, 0xdf80b600, hex);
    snprintf(item, sizeof item, "slot 1 subslot 0x8001 %s{%s}", row->name, row->on_read);
    ck_assert_str_eq(probe_event(p, 0)->operation, row->on_read);
    ck_assert_str_eq(probe_event(p, 0)->items, item);
    ck_assert_str_eq(probe_event(p, 0)->unit, "1.32769");
    snprintf(item, sizeof item, "slot 1 subslot 0x8001 %s{%s}=abcd", row->name, row->on_write);
    ck_assert_str_eq(probe_event(p, 1)->operation, row->on_write);
    ck_assert_str_eq(probe_event(p, 1)->items, item);
    ck_assert_str_eq(probe_event(p, 2)->status, "ok");
    ck_assert_str_eq(probe_event(p, 2)->operation, row->on_write);
    ck_assert_str_eq(probe_event(p, 3)->status, "error 3749754368 access_denied");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(multiple_write)
{
    struct probe *p = udp();
    request(p, 1, 3,
            RECORD("0008", "0000", "0001", "e040", "0000008b", ZERO_24)
                RECORD("0008", "0000", "0001", "aff1", "00000005",
                       ZERO_24) "0102030405 000000" RECORD("0008", "0001", "0001", "b02e",
                                                           "00000003", ZERO_24) "010203");
    response(p, 1, 3, 0,
             RECORD("8008", "0000", "0001", "e040", "00000080", STATUS("00000000"))
                 RECORD("8008", "0000", "0001", "aff1", "00000005", STATUS("00000000"))
                     RECORD("8008", "0001", "0001", "b02e", "00000003", STATUS("df80b000")));
    ck_assert_str_eq(probe_event(p, 0)->operation, "config_change");
    ck_assert_str_eq(probe_event(p, 0)->items,
                     "slot 0 subslot 0x0001 im1_tags{config_change}=0102030405; slot 1 subslot "
                     "0x0001 drive_parameter_local{control}=010203");
    ck_assert_str_eq(probe_event(p, 1)->status, "error 3749752832 invalid_index");
    ck_assert_uint_eq(probe_event(p, 1)->item_count, 2);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

/* IEC 61784-3-3, 8.1: F-parameters */
static const struct safe_row {
    const char *shows, *index, *size, *record;
    bool is_safe;
} safe[] = {
    {"a safe submodule, 3 bytes of CRC", "0002", "0000000a", "08 40 0001 0064 0096 1a2b",               true },
    {"under the index of examples",      "0100", "0000000a", "08 40 0001 0064 0096 1a2b",               true },
    {"4 bytes of CRC",                   "0002", "0000000a", "28 40 0001 0064 0096 1a2b",               true },
    {"with its own parameters' CRC",     "0002", "0000000e", "08 48 0001 0064 0096 a1b2c3d4 1a2b",
     true                                                                                                    },
    {"with a second watchdog",           "0002", "0000000c", "08 50 0001 0064 0096 0032 1a2b",          true },
    {"with both",                        "0002", "00000010", "08 58 0001 0064 0096 0032 a1b2c3d4 1a2b", true },
    {"a kind that is none",              "0002", "0000000a", "08 60 0001 0064 0096 1a2b",               false},
    {"a size of another kind",           "0002", "0000000e", "08 40 0001 0064 0096 a1b2c3d4 1a2b",      false},
    {"a byte short",                     "0002", "00000009", "08 40 0001 0064 0096 1a",                 false},
    {"no watchdog",                      "0002", "0000000a", "08 40 0001 0064 0000 1a2b",               false},
    {"no source",                        "0002", "0000000a", "08 40 0000 0064 0096 1a2b",               false},
    {"no destination",                   "0002", "0000000a", "08 40 0001 0000 0096 1a2b",               false},
    {"one address for both",             "0002", "0000000a", "08 40 0064 0064 0096 1a2b",               false},
    {"no CRC",                           "0002", "0000000a", "08 40 0001 0064 0096 0000",               false},
    {"the mode of PROFIBUS",             "0002", "0000000a", "08 00 0001 0064 0096 1a2b",               false},
    {"2 bytes of CRC, of PROFIBUS",      "0002", "0000000a", "18 40 0001 0064 0096 1a2b",               false},
    {"a reserved flag",                  "0002", "0000000a", "88 40 0001 0064 0096 1a2b",               false},
    {"a record of PROFINET itself",      "8030", "0000000a", "08 40 0001 0064 0096 1a2b",               false},
};

START_TEST(safe_submodules)
{
    const struct safe_row *row = &safe[_i];
    char hex[512];
    struct probe *p = udp();
    snprintf(hex, sizeof hex, RECORD("0008", "0003", "0001", "%s", "%s", ZERO_24) "%s", row->index,
             row->size, row->record);
    request(p, 1, 3, hex);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_msg(!(e->flags & OT_SAFETY) == !row->is_safe, "%s: %s", row->shows, e->items);
    ck_assert_msg(!row->is_safe || strstr(e->items, "slot 3 subslot 0x0001 profisafe"), "%s: %s",
                  row->shows, e->items);
    probe_destroy(p);
}
END_TEST

static const struct written_row {
    const char *shows, *index, *size, *record, *value;
} written[] = {
    {"I&M1, function and location", "aff1", "0000003c",
     "0021 0038 0100 "
     "50554d502020202020202020202020202020202020202020202020202020202048414c4c202020202020202020202"
     "020202020202020",                                                                                    "PUMP|HALL"       },
    {"I&M2, date",                  "aff2", "00000016", "0022 0012 0100 323032362d31312d32332030383a3135",
     "2026-11-23 08:15"                                                                                                      },
    {"I&M3, descriptor",            "aff3", "0000003c",
     "0023 0038 0100 "
     "48656c6c6f20202020202020202020202020202020202020202020202020202020202020202020202020202020202"
     "020202020202020",                                                                                    "Hello"           },
    {"I&M1 of a wrong size",        "aff1", "00000008", "0021 0004 0100 4142",                             "0021000401004142"},
    {"I&M1 longer than it says",    "aff1", "00000008", "0021 0008 0100 4142",                             "0021000801004142"},
    {"I&M1 with bytes behind",      "aff1", "00000008", "0021 0002 0100 4142",                             "0021000201004142"},
};

START_TEST(written_identity_is_text)
{
    const struct written_row *row = &written[_i];
    char hex[512];
    struct probe *p = udp();
    snprintf(hex, sizeof hex, RECORD("0008", "0000", "0001", "%s", "%s", ZERO_24) "%s", row->index,
             row->size, row->record);
    request(p, 1, 3, hex);
    const char *value = strchr(probe_event(p, 0)->items, '=');
    ck_assert_msg(value && !strcmp(value + 1, row->value), "%s: %s", row->shows,
                  probe_event(p, 0)->items);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(identity_records)
{
    struct probe *p = udp();
    request(p, 1, 5, RECORD("0009", "0000", "0001", "aff0", "00001000", ZERO_24));
    response(
        p, 1, 5, 0,
        RECORD("8009", "0000", "0001", "aff0", "0000003c",
               ZERO_24) "0020 0038 0100 002a 36455337203531322d31444b30312d3041423020 "
                        "53205641424331323334350000000000 0003 56 020901 0000 0000 0000 0101 001e");
    request(p, 2, 5, RECORD("0009", "0000", "0001", "aff1", "00001000", ZERO_24));
    response(p, 2, 5, 0,
             RECORD("8009", "0000", "0001", "aff1", "0000003c",
                    ZERO_24) "0021 0038 0100 50554d50 "
                             "20202020202020202020202020202020202020202020202020202020 "
                             "48414c4c 202020202020202020202020202020202020");
    ck_assert_str_eq(probe_event(p, 0)->name, "read_implicit");
    ck_assert_str_eq(probe_event(p, 1)->facts,
                     "vendor=Siemens; order_number=6ES7 512-1DK01-0AB0; serial_number=S VABC12345; "
                     "hardware_version=3; firmware_version=V2.9.1");
    ck_assert_str_eq(probe_event(p, 3)->facts, "plant=PUMP; location=HALL");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(interface_data_in_multiple_blocks)
{
    struct probe *p = udp();
    response(p, 1, 2, 0,
             RECORD("8009", "0000", "0000", "f841", "0000003c",
                    ZERO_24) "0400 0038 0100 0000 00000000 0000 8000 0240 0028 0100 0e "
                             "76657273616d61782d706e733131 000000 00099143e067 0000 c0a80102 "
                             "ffffff00 c0a80102");
    ck_assert_str_eq(probe_event(p, 0)->facts,
                     "name=versamax-pns11; mac=00:09:91:43:e0:67; ip=192.168.1.2");
    ck_assert_uint_eq(probe_event(p, 0)->flags, OT_NO_REQUEST);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

/* [PN] PDPortDataReal, as public captures have it */
static const struct port_row {
    const char *shows, *size, *block, *item;
} port_rows[] = {
    {"with a neighbour",           "00000044",
     "020f0040010000000000800108706f72742d30303101000008706f72742d303034027377000000000009914301020"
     "0000010000000000000000000000101000000000000",                                              "slot 0 subslot 0x8001 port-001=port-004.sw"},
    {"without one",                "0000002c",
     "020f0028010000000000800108706f72742d3030310000000010000000000000000000000101000000000000", "slot 0 subslot 0x8001 port-001"            },
    {"a neighbour without a name", "00000044",
     "020f0040010000000000800107706f72742d30310100000008706f72742d303034000000000000000009914301020"
     "0000010000000000000000000000101000000000000",                                              "slot 0 subslot 0x8001 port-01=port-004"    },
};

START_TEST(ports_name_their_neighbours)
{
    const struct port_row *row = &port_rows[_i];
    char blocks[HEX_ROOM];
    struct probe *p = udp();
    snprintf(blocks, sizeof blocks, RECORD("8009", "0000", "8001", "802a", "%s", ZERO_24) "%s",
             row->size, row->block);
    response(p, 1, 2, 0, blocks);
    ck_assert_msg(strstr(probe_event(p, 0)->items, row->item) != NULL, "%s: %s", row->shows,
                  probe_event(p, 0)->items);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(an_answer_in_the_other_byte_order)
{
    char hex[HEX_ROOM];
    struct probe *p = udp();
    request(p, 3, 1, "0114 001c 0100 0000 " AR "0001 0000 0004 0000");
    feed(p, false,
         &(struct rpc){.type = 2, .sequence = 3, .operation = 1, .flags = 0x0a, .is_little = true},
         arguments(hex, 0, true, "8114 001c 0100 0000 " AR "0001 0000 0008 0000"));
    ck_assert_str_eq(probe_event(p, 1)->code, "if=1,op=1");
    ck_assert_str_eq(probe_event(p, 1)->name, "release");
    ck_assert_str_eq(probe_event(p, 1)->detail, "done");
    ck_assert_uint_eq(probe_event(p, 1)->flags, 0);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(retransmissions)
{
    struct probe *p = udp();
    const char *blocks = "0114 001c 0100 0000 " AR "0001 0000 0004 0000";
    request(p, 3, 1, blocks);
    request(p, 3, 1, blocks);
    response(p, 3, 1, 0, "");
    response(p, 3, 1, 0, "");
    response(p, 4, 1, 0, "");
    ck_assert_uint_eq(probe_event(p, 0)->flags, 0);
    ck_assert_uint_eq(probe_event(p, 1)->flags, OT_RETRANSMIT);
    ck_assert_uint_eq(probe_event(p, 2)->flags, 0);
    ck_assert_uint_eq(probe_event(p, 3)->flags, OT_RETRANSMIT);
    ck_assert_uint_eq(probe_event(p, 4)->flags, OT_NO_REQUEST);
    probe_destroy(p);
}
END_TEST

/* One write cut at every byte into two fragments says the same. */
START_TEST(fragments)
{
    char hex[HEX_ROOM], part[HEX_ROOM];
    uint8_t whole[ROOM];
    arguments(hex, 4096, false, RECORD("0008", "0001", "8001", "aff1", "00000002", ZERO_24) "abcd");
    size_t size = hex_bytes(whole, sizeof whole, hex);
    for (size_t cut = 1; cut < size; cut++) {
        struct probe *p = udp();
        for (int i = 0; i < 2; i++) {
            size_t at = 0;
            part[0] = 0;
            for (size_t k = i ? cut : 0; k < (i ? size : cut); k++)
                at += (size_t)snprintf(part + at, sizeof part - at, "%02x", whole[k]);
            feed(p, true,
                 &(struct rpc){
                     .sequence = 1, .operation = 3, .flags = i ? 0x26 : 0x24, .fragment = i},
                 part);
        }
        ck_assert_uint_eq(p->event_count, 2);
        ck_assert_str_eq(probe_event(p, 0)->detail, "fragment");
        ck_assert_str_eq(probe_event(p, 0)->operation, "config_change");
        ck_assert_str_eq(probe_event(p, 1)->items,
                         "slot 1 subslot 0x8001 im1_tags{config_change}=abcd");
        ck_assert_uint_eq(p->violation_count, 0);
        probe_destroy(p);
    }
}
END_TEST

START_TEST(fragments_that_do_not_fit)
{
    struct probe *p = udp();
    feed(p, true, &(struct rpc){.operation = 3, .flags = 0x24}, "00");
    feed(p, true, &(struct rpc){.operation = 3, .flags = 0x24, .fragment = 2}, "00");
    ck_assert_uint_eq(p->violation_count, 0); /* one was lost */
    feed(p, true, &(struct rpc){.operation = 3, .flags = 0x24}, "00");
    feed(p, true, &(struct rpc){.operation = 3, .flags = 0x24, .fragment = 1}, "00");
    feed(p, true, &(struct rpc){.operation = 3, .flags = 0x24, .fragment = 1}, "00");
    ck_assert_uint_eq(p->violation_count, 1);
    ck_assert_str_eq(probe_violation(p, 0)->why, "RPC fragment came before");
    ck_assert_uint_eq(p->event_count, 5);
    probe_destroy(p);
}
END_TEST

/* annotation of the end point mapper: type 25, order number 20, hardware 5, version 10 */
START_TEST(end_point_mapper)
{
    struct probe *p = udp();
    probe_hex(p, &dissector_pnio_cm, false,
              "04 02 28 00 000000 00 00000000000000000000000000000000 e1af8308 5d1f 11c9 91a4 "
              "08002b14a0fa 01020304 0506 0708 090a0b0c0d0e0f10 00000000 00000003 00000001 0002 "
              "ffff ffff 0090 0000 00 00 "
              "0000000000000000000000000000000000000000 00000001 00000001 00000000 00000001 "
              "00000000000000000000000000000000 00000003 00000000 00000040 "
              "53372d31353030202020202020202020202020202020202020 20 "
              "36455337203531322d31444b30312d3041423020 20 2020202033 20 56202032202039202031 00 "
              "00000000");
    ck_assert_str_eq(probe_event(p, 0)->name, "lookup");
    ck_assert_str_eq(probe_event(p, 0)->operation, "discover");
    ck_assert_str_eq(probe_event(p, 0)->facts,
                     "product=S7-1500; order_number=6ES7 512-1DK01-0AB0; hardware_version=3; "
                     "firmware_version=V2.9.1");
    probe_destroy(p);
}
END_TEST

/* ModuleDiffBlock: | APIs | API | modules | slot | module | state | submodules |
 * { subslot | submodule | state }... | */
static const struct part_row {
    const char *shows, *block, *parts;
} part_rows[] = {
    {"a substitute stands there",
     "8104 001c 0100 0001 00000000 0001 0002 00000020 0003 0001 0001 00000030 8800",                                           "2.1=module 0x00000020, submodule 0x00000030"},
    {"the device itself is none of its parts",
     "8104 001c 0100 0001 00000000 0001 0000 00000020 0002 0001 0001 00000030 8000",                                           ""                                           },
    {"no module",                              "8104 001c 0100 0001 00000000 0001 0002 00000020 0000 0001 0001 00000030 9800",
     ""                                                                                                                                                                     },
    {"a module without its submodule",
     "8104 001c 0100 0001 00000000 0001 0002 00000020 0002 0001 0001 00000030 9800",                                           ""                                           },
    {"the same in the older form",
     "8104 001c 0100 0001 00000000 0001 0002 00000020 0002 0001 0001 00000030 0000",                                           ""                                           },
    {"real identification, API 0",
     "0013 0026 0101 0001 00000000 0002 0001 00000020 0001 0001 00000030 0007 00000021 0001 8001 "
     "00000031",                                                                                                               "1.1=module 0x00000020, submodule 0x00000030; 7.32769=module 0x00000021, submodule "
     "0x00000031"                                                                                                                                           },
    {"without APIs in version 1.0",            "0013 0012 0100 0001 0001 00000020 0001 0001 00000030",
     "1.1=module 0x00000020, submodule 0x00000030"                                                                                                                          },
    {"cut off",                                "0013 0010 0100 0001 0001 00000020 0001 0001 0000",                             ""                                           },
};

START_TEST(parts_of_a_device)
{
    const struct part_row *row = &part_rows[_i];
    struct probe *p = udp();
    response(p, 0, 0, 0, row->block);
    ck_assert_msg(strcmp(probe_event(p, 0)->parts, row->parts) == 0, "%s: %s", row->shows,
                  probe_event(p, 0)->parts);
    probe_destroy(p);
}
END_TEST

/* A Connect that expects something in every slot there is. */
START_TEST(parts_are_bounded)
{
    enum { SLOTS = 60 };
    static char blocks[SLOTS * 100];
    size_t used = 0;
    struct probe *p = udp();
    for (unsigned i = 1; i <= SLOTS; i++)
        used += (size_t)snprintf(blocks + used, sizeof blocks - used,
                                 "0104 0020 0100 0001 00000000 %04x 00000001 0000 0001 0001 "
                                 "00000002 0000 0001 0000 01 01 ",
                                 i);
    request(p, 0, 0, blocks);
    ck_assert_uint_eq(p->violation_count, 0);
    ck_assert_uint_eq(probe_event(p, 0)->part_count, 48);
    probe_destroy(p);
}
END_TEST

static const struct bad {
    const char *what;
    int operation;
    const char *body, *why;
} bads[] = {
    {"arguments cut",      3, "00001000 00000000 00000000 00000000",                              "RPC arguments are not whole"  },
    {"argument size",      3, "00001000 00000009 00001000 00000000 00000009 00",
     "RPC argument size is not the data's"                                                                                       },
    {"two argument sizes", 3, "00001000 00000000 00001000 00000000 00000001",
     "RPC argument size is not the data's"                                                                                       },
    {"unknown operation",  6, "",                                                                 "unknown PROFINET IO operation"},
    {"block too long",     0, "00001000 00000008 00001000 00000000 00000008 0101 0009 0100 0001",
     "block longer than its PDU"                                                                                                 },
    {"AR block cut",       0, "00001000 00000008 00001000 00000000 00000008 0101 0004 0100 0001",
     "AR block is not whole"                                                                                                     },
    {"IOCR block cut",     0, "00001000 00000008 00001000 00000000 00000008 0102 0004 0100 0001",
     "IOCR block is not whole"                                                                                                   },
    {"submodules cut",     0, "00001000 00000008 00001000 00000000 00000008 0104 0004 0100 0001",
     "expected submodules are not whole"                                                                                         },
    {"control cut",        4, "00001000 00000008 00001000 00000000 00000008 0110 0004 0100 0001",
     "control block is not whole"                                                                                                },
    {"record header cut",  3, "00001000 00000008 00001000 00000000 00000008 0008 0004 0100 0001",
     "record header is not whole"                                                                                                },
};
enum { BADS = sizeof bads / sizeof *bads };

START_TEST(malformed)
{
    struct probe *p = udp();
    feed(p, true, &(struct rpc){.operation = bads[_i].operation}, bads[_i].body);
    ck_assert_msg(p->violation_count == 1, "%s: %zu", bads[_i].what, p->violation_count);
    ck_assert_str_eq(probe_violation(p, 0)->why, bads[_i].why);
    ck_assert_uint_eq(p->event_count, 1);
    probe_destroy(p);
}
END_TEST

START_TEST(record_longer_than_its_pdu)
{
    struct probe *p = udp();
    request(p, 1, 3, RECORD("0008", "0001", "8001", "aff1", "00000003", ZERO_24) "abcd");
    ck_assert_uint_eq(p->violation_count, 1);
    ck_assert_str_eq(probe_violation(p, 0)->why, "record longer than its PDU");
    probe_destroy(p);
}
END_TEST

START_TEST(keep_alive_is_no_event)
{
    struct probe *p = udp();
    int types[] = {1, 4, 5, 7, 8, 9, 10};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        feed(p, true, &(struct rpc){.type = types[i]}, "");
    ck_assert_uint_eq(p->event_count, 0);
    ck_assert_uint_eq(p->violation_count, 0);
    feed(p, false, &(struct rpc){.type = 3}, "1c010003");
    feed(p, false, &(struct rpc){.type = 6}, "1c010003");
    ck_assert_str_eq(probe_event(p, 0)->operation, "error");
    ck_assert_str_eq(probe_event(p, 0)->status, "error 469827587 rpc_fault");
    ck_assert_str_eq(probe_event(p, 1)->status, "error 469827587 rpc_reject");
    probe_destroy(p);
}
END_TEST

START_TEST(recognition)
{
    uint8_t bytes[ROOM];
    size_t size = make(bytes, &(struct rpc){.operation = 0}, "");
    for (size_t n = 1; n < size; n++)
        ck_assert_int_eq(probe_recognise(&dissector_pnio_cm, bytes, n),
                         n < 40 ? CLAIM_MORE : CLAIM_YES);
    bytes[27]++;
    ck_assert_int_eq(probe_recognise(&dissector_pnio_cm, bytes, size), CLAIM_YES); /* 2 */
    bytes[27] = 5;
    ck_assert_int_eq(probe_recognise(&dissector_pnio_cm, bytes, size), CLAIM_NO);
    uint8_t zeros[128] = {0};
    ck_assert_int_eq(probe_recognise(&dissector_pnio_cm, zeros, sizeof zeros), CLAIM_NO);
    zeros[0] = 4;
    ck_assert_int_eq(probe_recognise(&dissector_pnio_cm, zeros, sizeof zeros), CLAIM_NO);
}
END_TEST

START_TEST(every_prefix_is_survived)
{
    char hex[HEX_ROOM];
    uint8_t bytes[ROOM];
    size_t size = make(bytes, &(struct rpc){.operation = 0},
                       arguments(hex, 4096, false, AR_BLOCK("0001", "00000011") IOCR_IN EXPECTED));
    for (size_t n = 0; n < size; n++) {
        struct probe *p = udp();
        probe_feed(p, &dissector_pnio_cm, true, bytes, n);
        ck_assert_uint_ge(p->violation_count, 1);
        probe_destroy(p);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pnio_cm");
    TCase *c = tcase_create("pnio_cm");
    tcase_add_test(c, connect);
    tcase_add_loop_test(c, kinds_of_relation, 0, AR_ROWS);
    tcase_add_loop_test(c, control_commands, 0, CONTROL_ROWS);
    tcase_add_loop_test(c, records, 0, RECORD_ROWS);
    tcase_add_test(c, multiple_write);
    tcase_add_loop_test(c, safe_submodules, 0, sizeof safe / sizeof *safe);
    tcase_add_loop_test(c, written_identity_is_text, 0, sizeof written / sizeof *written);
    tcase_add_test(c, identity_records);
    tcase_add_test(c, interface_data_in_multiple_blocks);
    tcase_add_loop_test(c, ports_name_their_neighbours, 0, sizeof port_rows / sizeof *port_rows);
    tcase_add_test(c, an_answer_in_the_other_byte_order);
    tcase_add_test(c, retransmissions);
    tcase_add_test(c, fragments);
    tcase_add_test(c, fragments_that_do_not_fit);
    tcase_add_test(c, end_point_mapper);
    tcase_add_loop_test(c, parts_of_a_device, 0, (int)(sizeof part_rows / sizeof *part_rows));
    tcase_add_test(c, parts_are_bounded);
    tcase_add_loop_test(c, malformed, 0, BADS);
    tcase_add_test(c, record_longer_than_its_pdu);
    tcase_add_test(c, keep_alive_is_no_event);
    tcase_add_test(c, recognition);
    tcase_add_test(c, every_prefix_is_survived);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}
