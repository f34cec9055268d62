/* test_ethercat.c: EtherCAT datagrams and mailbox messages, held against PROTOCOLS 18. */
#include "support/dissect_probe.h"
#include "support/runner.h"

#include <string.h>

extern const struct dissector dissector_ethercat, dissector_ethercat_udp;

enum { ROOM = 512 };

struct datagram {
    int command, station, offset, counter;
    const char *data;
};

/* A frame of one datagram. */
static size_t make(uint8_t out[ROOM], const struct datagram *g)
{
    size_t size = hex_bytes(out + 12, ROOM - 16, g->data);
    size_t length = size + 12;
    out[0] = (uint8_t)length, out[1] = (uint8_t)(0x10 | length >> 8);
    out[2] = (uint8_t)g->command, out[3] = 7;
    out[4] = (uint8_t)g->station, out[5] = (uint8_t)(g->station >> 8);
    out[6] = (uint8_t)g->offset, out[7] = (uint8_t)(g->offset >> 8);
    out[8] = (uint8_t)size, out[9] = (uint8_t)(size >> 8);
    out[10] = out[11] = 0;
    out[12 + size] = (uint8_t)g->counter, out[13 + size] = (uint8_t)(g->counter >> 8);
    return size + 14;
}

/* The probe's client has an address with the bit that the first slave sets. */
static struct probe *layer2(void)
{
    struct probe *p = probe_create(TRANSPORT_NONE);
    p->flow.client.mac.bytes[0] = 0;
    return p;
}

static void feed(struct probe *p, const struct datagram *g)
{
    uint8_t frame[ROOM];
    probe_feed(p, &dissector_ethercat, true, frame, make(frame, g));
}

static const struct row {
    const char *what;
    struct datagram g;
    const char *operation, *name, *items, *detail;
} rows[] = {
    {"no operation",           {0, 0, 0, 0, ""},             "publish",     "nop",                                    "",          ""                },
    {"AL status by position",
     {1, 0, 0x130, 0, "0000"},
     "diagnostics",                                                         "auto_increment_read",
     "al_status",                                                                                                                  ""                },
    {"station address",
     {2, 0, 0x10, 0, "0110"},
     "config_change",                                                       "auto_increment_write",
     "station_address=4097",                                                                                                       ""                },
    {"read and write",
     {3, 0, 0x800, 0, "0110"},
     "config_change",                                                       "auto_increment_read_write",
     "sync_manager=4097",                                                                                                          ""                },
    {"information",
     {4, 0x1001, 0, 0, "0000"},
     "identify",                                                            "configured_address_read",
     "esc_information",                                                                                                            ""                },
    {"alias",
     {5, 0x1001, 0x12, 0, "0100"},
     "config_change",                                                       "configured_address_write",
     "station_alias=1",                                                                                                            ""                },
    {"ESC reset",
     {5, 0x1001, 0x40, 0, "5200"},
     "restart",                                                             "configured_address_write",
     "esc_reset=82",                                                                                                               ""                },
    {"to INIT",
     {5, 0x1001, 0x120, 0, "0100"},
     "mode_change",                                                         "configured_address_write",
     "al_control=1",                                                                                                               "init"            },
    {"to PREOP",
     {5, 0x1001, 0x120, 0, "0200"},
     "mode_change",                                                         "configured_address_write",
     "al_control=2",                                                                                                               "pre-operational" },
    {"to BOOT",
     {5, 0x1001, 0x120, 0, "0300"},
     "mode_change",                                                         "configured_address_write",
     "al_control=3",                                                                                                               "bootstrap"       },
    {"to SAFEOP",
     {5, 0x1001, 0x120, 0, "0400"},
     "mode_change",                                                         "configured_address_write",
     "al_control=4",                                                                                                               "safe-operational"},
    {"to OP",
     {8, 0, 0x120, 0, "0800"},
     "mode_change",                                                         "broadcast_write",
     "al_control=8",                                                                                                               "operational"     },
    {"OP, error acknowledged",
     {8, 0, 0x120, 0, "1800"},
     "mode_change",                                                         "broadcast_write",
     "al_control=24",                                                                                                              "operational"     },
    {"read and write of all",
     {6, 0x1001, 0x600, 0, "0000"},
     "config_change",                                                       "configured_address_read_write",
     "fmmu=0",                                                                                                                     ""                },
    {"status code",
     {4, 0x1001, 0x134, 0, "0000"},
     "diagnostics",                                                         "configured_address_read",
     "al_status_code",                                                                                                             ""                },
    {"how many slaves",        {7, 0, 0x130, 0, "0000"},     "diagnostics", "broadcast_read",                         "al_status", ""                },
    {"everywhere",
     {9, 0, 0x300, 0, "0000"},
     "diagnostics",                                                         "broadcast_read_write",
     "error_counters=0",                                                                                                           ""                },
    {"EEPROM read order",
     {5, 0x1001, 0x502, 0, "00010800"},
     "identify",                                                            "configured_address_write",
     "sii_eeprom=00010800",                                                                                                        ""                },
    {"EEPROM write order",
     {5, 0x1001, 0x502, 0, "01020800"},
     "config_change",                                                       "configured_address_write",
     "sii_eeprom=01020800",                                                                                                        ""                },
    {"EEPROM data",
     {5, 0x1001, 0x508, 0, "0102"},
     "config_change",                                                       "configured_address_write",
     "sii_eeprom=513",                                                                                                             ""                },
    {"PHY access",
     {4, 0x1001, 0x510, 0, "0000"},
     "diagnostics",                                                         "configured_address_read",
     "mii",                                                                                                                        ""                },
    {"system time",
     {5, 0x1001, 0x910, 0, "0102"},
     "time_set",                                                            "configured_address_write",
     "system_time=513",                                                                                                            ""                },
    {"time handed on",
     {14, 0x1001, 0x910, 0, "0102"},
     "publish",                                                             "configured_address_read_multiple_write",
     "system_time=513",                                                                                                            ""                },
    {"time by position",
     {13, 0, 0x910, 0, "0102"},
     "publish",                                                             "auto_increment_read_multiple_write",
     "system_time=513",                                                                                                            ""                },
    {"memory",                 {5, 0x1001, 0x1100, 0, "01"}, "write",       "configured_address_write",               "memory=01", ""                },
    {"image read",
     {10, 0, 1, 0, "0102"},
     "publish",                                                             "logical_read",
     "process_image 65536-65537",                                                                                                  ""                },
    {"image write",
     {11, 0, 1, 0, "0102"},
     "publish",                                                             "logical_write",
     "process_image 65536-65537=513",                                                                                              ""                },
    {"image both",
     {12, 0, 1, 3, "010203"},
     "publish",                                                             "logical_read_write",
     "process_image 65536-65538=010203",                                                                                           ""                },
};
enum { ROWS = sizeof rows / sizeof *rows };

START_TEST(commands_and_registers)
{
    const struct row *row = &rows[_i];
    char code[8];
    struct probe *p = layer2();
    feed(p, &row->g);
    const struct probe_event *e = probe_event(p, 0);
    snprintf(code, sizeof code, "%d", row->g.command);
    ck_assert_str_eq(e->protocol, "ethercat");
    ck_assert_str_eq(e->code, code);
    ck_assert_str_eq(e->direction, "oneway");
    ck_assert_str_eq(e->name, row->name);
    ck_assert_msg(strcmp(e->operation, row->operation) == 0, "%s: %s", row->what, e->operation);
    ck_assert_msg(strcmp(e->items, row->items) == 0, "%s: %s", row->what, e->items);
    ck_assert_str_eq(e->detail, row->detail);
    ck_assert_uint_eq(p->event_count, 1);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

static const struct sii_row {
    const char *what, *data, *facts;
    int counter;
} sii_rows[] = {
    {"vendor of a public capture", "00000800000002000000",         "vendor=Beckhoff",                     1},
    {"other vendor",               "00000800000078563412",         "vendor=0x12345678",                   1},
    {"product",                    "00000a000000523ff603",         "product=0x03f63f52",                  1},
    {"revision",                   "00000c00000000000100",         "hardware_version=0x00010000",         1},
    {"serial number",              "00000e00000039300000",         "serial_number=12345",                 1},
    {"eight bytes at once",        "00000800000002000000523ff603", "vendor=Beckhoff; product=0x03f63f52",
     1                                                                                                     },
    {"busy",                       "00800800000002000000",         "",                                    1},
    {"nobody answered",            "00000800000002000000",         "",                                    0},
    {"another word",               "00001000000002000000",         "",                                    1},
};
enum { SII_ROWS = sizeof sii_rows / sizeof *sii_rows };

START_TEST(identity_in_the_eeprom)
{
    struct probe *p = layer2();
    feed(p, &(struct datagram){4, 0x1001, 0x502, sii_rows[_i].counter, sii_rows[_i].data});
    ck_assert_msg(strcmp(probe_event(p, 0)->facts, sii_rows[_i].facts) == 0, "%s: %s",
                  sii_rows[_i].what, probe_event(p, 0)->facts);
    ck_assert_str_eq(probe_event(p, 0)->unit, sii_rows[_i].counter ? "4097" : "");
    probe_destroy(p);
}
END_TEST

START_TEST(a_state_is_told_when_it_changes)
{
    struct probe *p = layer2();
    feed(p, &(struct datagram){4, 0x1001, 0x130, 1, "0800"});
    feed(p, &(struct datagram){4, 0x1001, 0x130, 1, "0800"});
    feed(p, &(struct datagram){4, 0x1001, 0x130, 1, "1400"});
    feed(p, &(struct datagram){4, 0x1002, 0x130, 1, "0800"});
    ck_assert_str_eq(probe_event(p, 0)->facts, "mode=operational");
    ck_assert_str_eq(probe_event(p, 0)->unit, "4097");
    ck_assert_str_eq(probe_event(p, 1)->facts, "");
    ck_assert_str_eq(probe_event(p, 2)->facts, "mode=safe-operational");
    ck_assert_str_eq(probe_event(p, 2)->status, "error 20 al_error");
    ck_assert_str_eq(probe_event(p, 3)->unit, "4098");
    probe_destroy(p);
}
END_TEST

START_TEST(lost_slaves)
{
    struct probe *p = layer2();
    feed(p, &(struct datagram){7, 0, 0x130, 5, "0800"});
    feed(p, &(struct datagram){7, 0, 0x130, 5, "0800"});
    feed(p, &(struct datagram){7, 0, 0x130, 4, "0800"});
    feed(p, &(struct datagram){7, 0, 0x130, 6, "0800"});
    feed(p, &(struct datagram){12, 0, 1, 3, "01"});
    feed(p, &(struct datagram){12, 0, 1, 2, "01"});
    ck_assert_str_eq(probe_event(p, 1)->detail, "");
    ck_assert_str_eq(probe_event(p, 2)->status, "error 4 working_counter_fell");
    ck_assert_str_eq(probe_event(p, 2)->detail, "working counter fell from 5 to 4");
    ck_assert_str_eq(probe_event(p, 3)->detail, "slaves changed from 4 to 6");
    ck_assert_str_eq(probe_event(p, 4)->status, "");
    ck_assert_str_eq(probe_event(p, 5)->detail, "working counter fell from 3 to 2");
    probe_destroy(p);
}
END_TEST

static const struct mail_row {
    const char *what, *hex, *code, *name, *operation, *items, *facts;
    bool is_read;
} mail_rows[] = {
    {"SDO upload of the vendor",  "0a00 0000 00 13 0020 40 1810 01 00000000",              "3", "sdo_upload",
     "identify",                                                                                                                         "0x1018:01",            "",                    false},
    {"its answer",                "0a00 0000 00 13 0030 43 1810 01 02000000",              "3", "sdo_upload",           "identify",
     "0x1018:01=2",                                                                                                                                              "vendor=Beckhoff",     true },
    {"product code",              "0a00 0000 00 13 0030 43 1810 02 523ff603",              "3", "sdo_upload",           "identify",
     "0x1018:02=66469714",                                                                                                                                       "product=0x03f63f52",  true },
    {"serial number",             "0a00 0000 00 13 0030 43 1810 04 39300000",              "3", "sdo_upload",           "identify",
     "0x1018:04=12345",                                                                                                                                          "serial_number=12345", true },
    {"device name",               "1000 0000 00 13 0030 41 0810 00 06000000 454b31313030", "3", "sdo_upload",
     "identify",                                                                                                                         "0x1008:00=EK1100",     "product=EK1100",      true },
    {"hardware",                  "0c00 0000 00 13 0030 41 0910 00 02000000 4131",         "3", "sdo_upload",           "identify",
     "0x1009:00=A1",                                                                                                                                             "hardware_version=A1", true },
    {"software",                  "0c00 0000 00 13 0030 41 0a10 00 02000000 4232",         "3", "sdo_upload",           "identify",
     "0x100a:00=B2",                                                                                                                                             "software_version=B2", true },
    {"other object",              "0a00 0000 00 13 0020 40 0060 01 00000000",              "3", "sdo_upload",           "read",
     "0x6000:01",                                                                                                                                                "",                    false},
    {"SDO write",                 "0a00 0000 00 13 0020 2b 0070 01 34120000",              "3", "sdo_download",         "write",
     "0x7000:01=4660",                                                                                                                                           "",                    false},
    {"store",                     "0a00 0000 00 13 0020 23 1010 01 73617665",              "3", "sdo_download",         "config_change",
     "0x1010:01=1702257011",                                                                                                                                     "",                    false},
    {"restore",                   "0a00 0000 00 13 0020 23 1110 01 6c6f6164",              "3", "sdo_download",         "config_change",
     "0x1011:01=1684107116",                                                                                                                                     "",                    false},
    {"program",                   "0e00 0000 00 13 0020 21 501f 01 04000000 aabbccdd",     "3", "sdo_download",
     "program_download",                                                                                                                 "0x1f50:01=3721182122", "",                    false},
    {"program stop",              "0a00 0000 00 13 0020 2f 511f 01 00000000",              "3", "sdo_download",         "stop",
     "0x1f51:01=0",                                                                                                                                              "",                    false},
    {"program start",             "0a00 0000 00 13 0020 2f 511f 01 01000000",              "3", "sdo_download",         "start",
     "0x1f51:01=1",                                                                                                                                              "",                    false},
    {"program reset",             "0a00 0000 00 13 0020 2f 511f 01 02000000",              "3", "sdo_download",         "restart",
     "0x1f51:01=2",                                                                                                                                              "",                    false},
    {"program clear",             "0a00 0000 00 13 0020 2f 511f 01 03000000",              "3", "sdo_download",
     "program_delete",                                                                                                                   "0x1f51:01=3",          "",                    false},
    {"its answer is one, too",    "0a00 0000 00 13 0030 60 0070 01 00000000",              "3", "sdo_download",
     "write",                                                                                                                            "0x7000:01",            "",                    true },
    {"segment",                   "0a00 0000 00 13 0020 00 0102 03 04050607",              "3", "sdo_download_segment", "write",
     "",                                                                                                                                                         "",                    false},
    {"abort",                     "0a00 0000 00 13 0030 80 0060 01 00000206",              "3", "sdo_abort",            "error",         "0x6000:01",
     "",                                                                                                                                                                                true },
    {"SDO information",           "0800 0000 00 13 0080 01000000 0000",                    "3", "coe_sdo_info",         "browse",        "",                     "",
     false                                                                                                                                                                                   },
    {"an emergency that is over", "0a00 0000 00 13 0010 0000 00 0000000000",               "3", "coe_emergency",
     "alarm",                                                                                                                            "",                     "",                    false},
    {"emergency",                 "0a00 0000 00 13 0010 0081 11 0000000000",               "3", "coe_emergency",        "alarm",         "",                     "",
     true                                                                                                                                                                                    },
    {"IDN read",                  "0400 0000 00 15 2140 0180",                             "5", "soe_read_request",     "read",          "drive 1 P-0-0001",
     "",                                                                                                                                                                                false},
    {"IDN write",                 "0600 0000 00 15 0340 2f00 0102",                        "5", "soe_write_request",    "write",
     "drive 0 S-0-0047=513",                                                                                                                                     "",                    false},
    {"Ethernet",                  "0800 0000 00 12 0000 0000 01020304",                    "2", "eoe_fragment",         "publish",       "",                     "",
     false                                                                                                                                                                                   },
    {"address over Ethernet",     "0800 0000 00 12 0200 0000 01020304",                    "2", "eoe_set_ip",
     "config_change",                                                                                                                    "",                     "",                    false},
    {"ADS",                       "0400 0000 00 11 01020304",                              "1", "aoe",                  "unknown",       "",                     "",                    false},
};
enum { MAIL_ROWS = sizeof mail_rows / sizeof *mail_rows };

START_TEST(mailbox)
{
    const struct mail_row *row = &mail_rows[_i];
    struct probe *p = layer2();
    feed(p, &(struct datagram){row->is_read ? 4 : 5, 0x1001, 0x1000, row->is_read, row->hex});
    ck_assert_uint_eq(p->event_count, 2);
    const struct probe_event *e = probe_event(p, 1);
    ck_assert_str_eq(e->protocol, "ethercat_mailbox");
    ck_assert_str_eq(e->code, row->code);
    ck_assert_str_eq(e->unit, "4097");
    ck_assert_msg(strcmp(e->name, row->name) == 0, "%s: %s", row->what, e->name);
    ck_assert_msg(strcmp(e->operation, row->operation) == 0, "%s: %s", row->what, e->operation);
    ck_assert_msg(strncmp(e->items, row->items, strlen(row->items)) == 0, "%s: %s", row->what,
                  e->items);
    ck_assert_msg(strcmp(e->facts, row->facts) == 0, "%s: %s", row->what, e->facts);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

/* A program that is longer than a message: its size first, then segments of 7 bytes or more. */
START_TEST(a_program_in_segments_is_a_transfer)
{
    static const char *const messages[] = {
        "0a00 0000 00 13 0020 21 501f 01 0a000000", /* 10 bytes will come */
        "0a00 0000 00 23 0020 00 01020304050607",   /* 7 of them */
        "0a00 0000 00 33 0020 19 08090a00000000",   /* 3, and no more */
        "0a00 0000 00 43 0020 00 01020304050607",   /* of something else */
    };
    static const char *const steps[] = {
        "begin program_download key=4097 name=0x1f50:01",
        "block program_download key=4097 bytes=7",
        "end program_download key=4097 bytes=3",
        "",
    };
    struct probe *p = layer2();
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        probe_clear(p);
        feed(p, &(struct datagram){5, 0x1001, 0x1000, 0, messages[i]});
        const struct probe_event *e = probe_event(p, 1);
        ck_assert_msg(strncmp(e->transfer, steps[i], strlen(steps[i])) == 0, "%zu: %s", i,
                      e->transfer);
        ck_assert_str_eq(e->operation, i < 3 ? "program_download" : "write");
        ck_assert_uint_eq(p->violation_count, 0);
    }
    probe_destroy(p);
}
END_TEST

#define EOE(size) size "00 0000 00 12 0001 0000 020000000001 020000000002 "

static const struct tunnel_row {
    const char *shows, *hex, *detail;
} tunnel_rows[] = {
    {"a datagram",
     EOE("2e") "0800 4500001c 00000000 4011 0000 c0a80005 c0a80009 0401 01f6 0008 0000",
     "192.168.0.5:1025 > 192.168.0.9:502 udp"                                                                                                                           },
    {"a segment behind a VLAN and options",
     EOE("36") "8100 0007 0800 46000020 00000000 4006 0000 c0a80005 c0a80009 01010101 0401 01f6 "
               "0000 "
               "0000",                                                                                                          "192.168.0.5:1025 > 192.168.0.9:502 tcp"},
    {"an echo",                             EOE("2e") "0800 4500001c 00000000 4001 0000 c0a80005 c0a80009 0800 0000 0000 0000",
     "192.168.0.5 > 192.168.0.9 protocol 1"                                                                                                                             },
    {"an ARP packet",                       EOE("16") "0806 00010800",                                                          "ethertype 0x0806"                      },
    {"a later fragment",                    "1600 0000 00 12 0001 0110 020000000001 020000000002 0806 00010800",                ""                                      },
};

START_TEST(what_is_tunnelled_is_told)
{
    const struct tunnel_row *row = &tunnel_rows[_i];
    struct probe *p = layer2();
    feed(p, &(struct datagram){5, 0x1001, 0x1000, 0, row->hex});
    ck_assert_str_eq(probe_event(p, 1)->name, "eoe_fragment");
    ck_assert_msg(!strcmp(probe_event(p, 1)->detail, row->detail), "%s: %s", row->shows,
                  probe_event(p, 1)->detail);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

/* ETG.1020: AMS frames to the object of a slave, and their answers, in its mailbox */
#define AMS_TO   "ac10 0201 0302 0200 ac10 0201 0101 e980 "
#define AMS_FROM "ac10 0201 0101 e980 ac10 0201 0302 0200 "

static const struct aoe_row {
    const char *shows, *hex, *code, *operation, *direction, *items, *unit;
    bool is_read;
} aoe_rows[] = {
    {"reading an object of CANopen",
     "2c00 0000 00 11 " AMS_TO "0200 0400 0c000000 00000000 07000000 02f30000 00001810 04000000",
     "2",                                                                                                "read",  "request",  "canopen_sdo 270008320-270008323",        "172.16.2.1.3.2:2", false},
    {"its answer",
     "2c00 0000 00 11 " AMS_FROM "0200 0500 0c000000 00000000 07000000 00000000 04000000 02000000",
     "2",                                                                                                "read",  "response", "",                                       "172.16.2.1.3.2:2", true },
    {"writing one",
     "3000 0000 00 11 " AMS_TO
     "0300 0400 10000000 00000000 08000000 02f30000 01000070 04000000 d2040000",                    "3", "write", "request",  "canopen_sdo 1879048193-1879048196=1234", "172.16.2.1.3.2:2", false},
    {"asking for another state",
     "2800 0000 00 11 " AMS_TO "0500 0400 08000000 00000000 09000000 0600 0000 00000000",           "5",
     "stop",                                                                                                      "request",  "",                                       "172.16.2.1.3.2:2", false},
};

START_TEST(ads_in_a_mailbox_is_told_as_ads)
{
    const struct aoe_row *row = &aoe_rows[_i];
    struct probe *p = layer2();
    feed(p, &(struct datagram){row->is_read ? 4 : 5, 0x1001, 0x1000, row->is_read, row->hex});
    ck_assert_msg(p->event_count == 2 && p->violation_count == 0, "%s", row->shows);
    const struct probe_event *e = probe_event(p, 1);
    ck_assert_str_eq(e->protocol, "ads");
    ck_assert_str_eq(e->code, row->code);
    ck_assert_str_eq(e->operation, row->operation);
    ck_assert_str_eq(e->direction, row->direction);
    ck_assert_msg(!strcmp(e->items, row->items), "%s: %s", row->shows, e->items);
    ck_assert_str_eq(e->unit, row->unit);
    ck_assert_uint_eq(e->flags & OT_NO_REQUEST, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(a_message_is_told_once)
{
    struct probe *p = layer2();
    feed(p, &(struct datagram){5, 0x1001, 0x1000, 1, mail_rows[0].hex}); /* back again */
    feed(p, &(struct datagram){4, 0x1001, 0x1000, 0, mail_rows[1].hex}); /* not yet read */
    ck_assert_uint_eq(p->event_count, 2);
    ck_assert_str_eq(probe_event(p, 0)->protocol, "ethercat");
    ck_assert_str_eq(probe_event(p, 1)->protocol, "ethercat");
    ck_assert_uint_eq(probe_event(p, 0)->flags, OT_RETRANSMIT);
    probe_destroy(p);
}
END_TEST

static void send_file(struct probe *p)
{
    feed(p, &(struct datagram){5, 0x1001, 0x1000, 0, "0c00 0000 00 14 0200 00000000 66772e62696e"});
    feed(p, &(struct datagram){5, 0x1001, 0x1000, 0, "0a00 0000 00 24 0300 01000000 aabbccdd"});
    feed(p, &(struct datagram){5, 0x1001, 0x1000, 0, "0800 0000 00 34 0300 02000000 ee00"});
}

START_TEST(a_file_written_is_a_program)
{
    struct probe *p = layer2();
    send_file(p);
    ck_assert_str_eq(probe_event(p, 1)->operation, "program_download");
    ck_assert_str_eq(probe_event(p, 1)->transfer, "begin program_download key=4097 name=fw.bin");
    ck_assert_str_eq(probe_event(p, 3)->transfer, "block program_download key=4097 bytes=4");
    ck_assert_str_eq(probe_event(p, 5)->transfer, "end program_download key=4097 bytes=2");
    probe_destroy(p);
}
END_TEST

START_TEST(a_file_written_in_bootstrap_is_firmware)
{
    struct probe *p = layer2();
    feed(p, &(struct datagram){5, 0x1001, 0x120, 0, "0300"});
    send_file(p);
    ck_assert_str_eq(probe_event(p, 2)->operation, "firmware_update");
    ck_assert_str_eq(probe_event(p, 2)->detail, "fw.bin");
    ck_assert_str_eq(probe_event(p, 6)->operation, "firmware_update");
    probe_destroy(p);
}
END_TEST

START_TEST(a_password_of_a_file_is_a_secret)
{
    struct probe *p = layer2();
    feed(p, &(struct datagram){5, 0x1001, 0x1000, 0, "0800 0000 00 14 0100 78563412 6677"});
    ck_assert_str_eq(probe_event(p, 1)->operation, "program_upload");
    ck_assert_uint_eq(probe_event(p, 1)->flags, OT_HAS_CREDENTIAL);
    ck_assert_uint_eq(probe_event(p, 1)->secret_size, 4);
    probe_destroy(p);
}
END_TEST

static const struct bad {
    const char *what, *hex, *why;
} bads[] = {
    {"no header",             "0e",                                        "EtherCAT frame without a header"          },
    {"longer than the frame", "1010 0701 00003001 0200 0000 0000 0000",
     "EtherCAT length larger than its frame"                                                                          },
    {"reserved bit",          "0e18 0701 00003001 0200 0000 0000 0000",
     "reserved bit of the EtherCAT header is set"                                                                     },
    {"datagram cut",          "0c10 0701 00003001 0200 0000 0000",
     "EtherCAT datagram longer than its frame"                                                                        },
    {"more announced",        "0e10 0701 00003001 0280 0000 0000 0000",
     "EtherCAT datagram longer than its frame"                                                                        },
    {"datagram reserved",     "0e10 0701 00003001 0208 0000 0000 0000",
     "reserved bits of a datagram's length are set"                                                                   },
    {"trailing bytes",        "0f10 0701 00003001 0200 0000 0000 0000 00",
     "bytes after the last EtherCAT datagram"                                                                         },
    {"unknown command",       "0e10 0f01 00003001 0200 0000 0000 0000",    "unknown EtherCAT command"                 },
    {"unknown type",          "0220 0000",                                 "unknown EtherCAT frame type"              },
    {"no known message",      "0850 0200 0000 00 00 0102",                 "EtherCAT mailbox message of no known kind"},
};
enum { BADS = sizeof bads / sizeof *bads };

START_TEST(malformed)
{
    struct probe *p = layer2();
    probe_hex(p, &dissector_ethercat, true, bads[_i].hex);
    ck_assert_msg(p->violation_count == 1, "%s: %zu", bads[_i].what, p->violation_count);
    ck_assert_str_eq(probe_violation(p, 0)->why, bads[_i].why);
    probe_destroy(p);
}
END_TEST

START_TEST(other_frames)
{
    struct probe *p = layer2();
    probe_hex(p, &dissector_ethercat, true, "0240 0000");
    probe_hex(p, &dissector_ethercat, true, "0c50 0600 0000 00 15 0340 2f00 0102 0000");
    ck_assert_str_eq(probe_event(p, 0)->name, "network_variables");
    ck_assert_str_eq(probe_event(p, 1)->name, "soe_write_request");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(recognition)
{
    uint8_t frame[ROOM], zeros[64] = {0};
    size_t size = make(frame, &(struct datagram){7, 0, 0x130, 0, "0000"});
    ck_assert_int_eq(probe_recognise(&dissector_ethercat_udp, frame, 1), CLAIM_MORE);
    ck_assert_int_eq(probe_recognise(&dissector_ethercat_udp, frame, size), CLAIM_WEAK);
    frame[2] = 15;
    ck_assert_int_eq(probe_recognise(&dissector_ethercat_udp, frame, size), CLAIM_NO);
    ck_assert_int_eq(probe_recognise(&dissector_ethercat_udp, zeros, sizeof zeros), CLAIM_NO);
}
END_TEST

START_TEST(every_prefix_is_survived)
{
    uint8_t frame[ROOM];
    size_t size = make(frame, &(struct datagram){5, 0x1001, 0x1000, 0, mail_rows[0].hex});
    for (size_t n = 0; n < size; n++) {
        struct probe *p = layer2();
        probe_feed(p, &dissector_ethercat, true, frame, n);
        ck_assert_uint_ge(p->violation_count, 1);
        probe_destroy(p);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ethercat");
    TCase *c = tcase_create("ethercat");
    tcase_add_loop_test(c, commands_and_registers, 0, ROWS);
    tcase_add_loop_test(c, identity_in_the_eeprom, 0, SII_ROWS);
    tcase_add_test(c, a_state_is_told_when_it_changes);
    tcase_add_test(c, lost_slaves);
    tcase_add_loop_test(c, mailbox, 0, MAIL_ROWS);
    tcase_add_loop_test(c, ads_in_a_mailbox_is_told_as_ads, 0, sizeof aoe_rows / sizeof *aoe_rows);
    tcase_add_test(c, a_message_is_told_once);
    tcase_add_test(c, a_program_in_segments_is_a_transfer);
    tcase_add_loop_test(c, what_is_tunnelled_is_told, 0, sizeof tunnel_rows / sizeof *tunnel_rows);
    tcase_add_test(c, a_file_written_is_a_program);
    tcase_add_test(c, a_file_written_in_bootstrap_is_firmware);
    tcase_add_test(c, a_password_of_a_file_is_a_secret);
    tcase_add_loop_test(c, malformed, 0, BADS);
    tcase_add_test(c, other_frames);
    tcase_add_test(c, recognition);
    tcase_add_test(c, every_prefix_is_survived);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}
