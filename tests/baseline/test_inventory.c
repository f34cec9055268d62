/* test_inventory.c: sequences of sightings, written as lines, and the findings that they must
 * raise, or none. */
#include "sightings.h"

/* What was learned before each row's lines: a PLC, an HMI, a gateway. */
static const char learned[] =
    "0 host 10.0.0.10@10\n0 host 10.0.0.20@20\n0 arp 10.0.0.254@fe 10.0.0.10\n"
    "1 flow 10.0.0.20@20/50000 10.0.0.10@10/502\n1 answer 10.0.0.10@10/502 10.0.0.20@20/50000\n"
    "1 protocol 10.0.0.20@20/50000 10.0.0.10@10/502 modbus\n"
    "1 role 10.0.0.20@20 10.0.0.10@10 modbus read\n"
    "2 fact 10.0.0.10@10 - modbus vendor Acme\n2 fact 10.0.0.10@10 - modbus firmware_version V1.0\n"
    "2 fact 10.0.0.10@10 - modbus mode run\n2 fact 10.0.0.10@10 - modbus program Mixer\n"
    "2 fact 10.0.0.10@10 - modbus serial_number 4711;5\n"
    "2 fact 10.0.0.10@10 - cip serial_number 0x33;1/3\n2 fact 10.0.0.10@10 - cip serial_number "
    "0x34;2/10.1.1.1/1/4\n"
    "2 fact 10.0.0.10@10 - cip serial_number 0x35;2/7\n2 fact 10.0.0.10@10 - cip firmware_version "
    "20.10;1/3\n"
    "2 fact 10.0.0.10@10 - cip product 1756-L75;1/0\n2 fact 10.0.0.10@10 - enip product 1756-L75\n"
    "3 host 172.16.1.5@fe\n3 host 172.16.2.5@fe\n3 host 172.16.2.6@fe\n"
    "4 host 10.0.0.30@30\n4 arp 10.0.0.30@30 10.0.0.10\n5 arp 10.0.0.30@31 10.0.0.10\n"
    "9 arp 10.0.0.30@30 10.0.0.10";

static const struct row {
    const char *shows;
    const char *lines;    /* after learning, from second 100 */
    const char *findings; /* their types, in order, separated by a space */
} rows[] = {
    {"known devices are quiet",
     "100 host 10.0.0.10@10\n100 host 10.0.0.20@20\n101 flow 10.0.0.20@20/50001 10.0.0.10@10/502\n"
     "101 answer 10.0.0.10@10/502 10.0.0.20@20/50001\n"
     "101 protocol 10.0.0.20@20/50001 10.0.0.10@10/502 modbus",                                                                                 ""                              },
    {"a new device is told once",
     "100 host 10.0.0.99@99\n101 arp 10.0.0.99@99 10.0.0.10\n"
     "120 host 10.0.0.99@99",                                                                                                                   "asset.new"                     },
    {"a MAC that gets an address is one device",                               "100 host @99\n100.5 host 10.0.0.99@99",
     "asset.new"                                                                                                                                                                },
    {"an address that gets a MAC is one device",
     "100 host 10.0.0.99\n100.5 arp 10.0.0.99@99 10.0.0.10",                                                                                    "asset.new"                     },
    {"broadcast and multicast are no devices",
     "100 host 255.255.255.255@ff\n100 host 239.1.2.3@ff\n100 host 0.0.0.0@ff",                                                                 ""                              },
    {"a new device that serves a plant protocol is a controller",
     "100 host 10.0.0.20@20\n100 flow 10.0.0.20@20/50001 10.0.0.99@99/102\n"
     "100.1 host 10.0.0.99@99\n100.1 answer 10.0.0.99@99/102 10.0.0.20@20/50001\n"
     "100.2 protocol 10.0.0.20@20/50001 10.0.0.99@99/102 s7comm",                                                                               "asset.new-controller"          },
    {"a UDP server whose first request came before its first answer",
     "100 protocol 10.0.0.20@20/50001 10.0.0.99@99/44818 enip\n"
     "100.1 answer 10.0.0.99@99/44818 10.0.0.20@20/50001",                                                                                      "asset.new-controller"          },
    {"recognised but never answered is no controller",
     "100 host 10.0.0.99@99\n100.2 protocol 10.0.0.20@20/50001 10.0.0.99@99/102 s7comm",                                                        "asset.new"                     },
    {"a new device that turns out to be a controller later",
     "100 host 10.0.0.99@99\n110 answer 10.0.0.99@99/102 10.0.0.20@20/50001\n"
     "110 protocol 10.0.0.20@20/50001 10.0.0.99@99/102 s7comm",                                                                                 "asset.new asset.new-controller"},
    {"a web server is a device, not a controller",
     "100 host 10.0.0.99@99\n100.1 answer 10.0.0.99@99/80 10.0.0.20@20/50001\n"
     "100.2 protocol 10.0.0.20@20/50001 10.0.0.99@99/80 http",                                                                                  "asset.new"                     },
    {"a first engineering action",                                             "100 role 10.0.0.20@20 10.0.0.10@10 s7comm program_download",
     "asset.new-engineering-actor"                                                                                                                                              },
    {"a second engineering action is known",
     "100 role 10.0.0.20@20 10.0.0.10@10 s7comm program_download\n"
     "130 role 10.0.0.20@20 10.0.0.10@10 s7comm stop",                                                                                          "asset.new-engineering-actor"   },
    {"a known device that stops a controller engineers nothing",
     "100 role 10.0.0.20@20 10.0.0.10@10 s7comm stop",                                                                                          ""                              },
    {"a new client of a controller's web page",
     "100 newclient 10.0.0.20@20/50001 10.0.0.10@10/80 http",                                                                                   "access.controller-web"         },
    {"a new client of its files",                                              "100 newclient 10.0.0.20@20/50001 10.0.0.10@10/21 ftp",
     "access.controller-web"                                                                                                                                                    },
    {"a new client of a page elsewhere",                                       "100 newclient 10.0.0.10@10/50001 10.0.0.20@20/80 http",
     ""                                                                                                                                                                         },
    {"programs run on a computer are no engineering",
     "100 role 10.0.0.20@20 10.0.0.10@10 dcerpc start\n101 role 10.0.0.20@20 10.0.0.10@10 smb2 "
     "file_delete",                                                                                                                             ""                              },
    {"a group that is told of another configuration is no controller",
     "100 role 10.0.0.20@20 @ff goose config_change",                                                                                           ""                              },
    {"a read or a write is no engineering",
     "100 role 10.0.0.20@20 10.0.0.10@10 modbus read\n100 role 10.0.0.20@20 10.0.0.10@10 modbus "
     "write",                                                                                                                                   ""                              },
    {"a new device that engineers is one finding",
     "100 host 10.0.0.99@99\n101 role 10.0.0.99@99 10.0.0.10@10 s7comm stop\n120 host 10.0.0.99@99",                                            "asset.new-engineering-actor"   },
    {"another firmware",                                                       "100 fact 10.0.0.10@10 - modbus firmware_version V2.0",
     "asset.firmware-changed"                                                                                                                                                   },
    {"the same firmware",                                                      "100 fact 10.0.0.10@10 - modbus firmware_version V1.0",          ""                              },
    {"a firmware of another unit",                                             "100 fact 10.0.0.10@10 - modbus firmware_version V2.0;7",        ""                              },
    {"a firmware spelled by another protocol",                                 "100 fact 10.0.0.10@10 - enip firmware_version 1.0",
     ""                                                                                                                                                                         },
    {"another vendor",                                                         "100 fact 10.0.0.10@10 - modbus vendor Other",                   "asset.identity-changed"        },
    {"another serial behind the same unit",                                    "100 fact 10.0.0.10@10 - modbus serial_number 4712;5",
     "asset.identity-changed"                                                                                                                                                   },
    {"another module in a slot",                                               "100 fact 10.0.0.10@10 - cip serial_number 0x99;1/3",
     "asset.module-changed"                                                                                                                                                     },
    {"the same module in its slot",                                            "100 fact 10.0.0.10@10 - cip serial_number 0x33;1/3",            ""                              },
    {"another module in a rack behind the rack",
     "100 fact 10.0.0.10@10 - cip serial_number 0x99;2/10.1.1.1/1/4",                                                                           "asset.module-changed"          },
    {"another device on a port that is no backplane",
     "100 fact 10.0.0.10@10 - cip serial_number 0x99;2/7",                                                                                      "asset.identity-changed"        },
    {"another firmware of a module",                                           "100 fact 10.0.0.10@10 - cip firmware_version 20.11;1/3",
     "asset.firmware-changed"                                                                                                                                                   },
    {"the device by its own slot is another one",
     "100 fact 10.0.0.10@10 - cip product 1756-L85;1/0",                                                                                        "asset.identity-changed"        },
    {"a mode is not an identity",                                              "100 fact 10.0.0.10@10 - modbus mode stop",                      ""                              },
    {"another program, and nobody downloaded it",                              "100 fact 10.0.0.10@10 - modbus program Tank",
     "plc.program-change-observed"                                                                                                                                              },
    {"the same program",                                                       "100 fact 10.0.0.10@10 - modbus program Mixer",                  ""                              },
    {"another program after a download that was seen",
     "100 role 10.0.0.20@20 10.0.0.10@10 s7comm program_download\n110 fact 10.0.0.10@10 - modbus "
     "program Tank",                                                                                                                            "asset.new-engineering-actor"   },
    {"a program of another part",                                              "100 fact 10.0.0.10@10 - modbus program Tank;OB1",               ""                              },
    {"a controller asks what it always answered",
     "100 protocol 10.0.0.10@10/50000 10.0.0.20@20/502 modbus start",                                                                           "comm.role-reversed"            },
    {"it is not certain who asks",                                             "100 protocol 10.0.0.10@10/50000 10.0.0.20@20/502 modbus",       ""                              },
    {"a client goes on asking",                                                "100 protocol 10.0.0.20@20/50000 10.0.0.10@10/502 modbus start",
     ""                                                                                                                                                                         },
    {"a controller asks in another protocol",
     "100 protocol 10.0.0.10@10/50000 10.0.0.20@20/80 http start",                                                                              ""                              },
    {"a stranger writes what another writes",
     "100 write 10.0.0.20@20 10.0.0.10@10 modbus reg1 learned\n105 write 10.0.0.30@30 10.0.0.10@10 "
     "modbus reg1",                                                                                                                             "rw.conflicting-masters"        },
    {"two learned writers",
     "100 write 10.0.0.20@20 10.0.0.10@10 modbus reg1 learned\n105 write 10.0.0.30@30 10.0.0.10@10 "
     "modbus reg1 learned",                                                                                                                     ""                              },
    {"writers of two objects",
     "100 write 10.0.0.20@20 10.0.0.10@10 modbus reg1 learned\n105 write 10.0.0.30@30 10.0.0.10@10 "
     "modbus reg2",                                                                                                                             ""                              },
    {"a stranger writes long after",
     "100 write 10.0.0.20@20 10.0.0.10@10 modbus reg1 learned\n500 write 10.0.0.30@30 10.0.0.10@10 "
     "modbus reg1",                                                                                                                             ""                              },
    {"back and forth is told once",
     "100 fact 10.0.0.10@10 - modbus vendor Other\n110 fact 10.0.0.10@10 - modbus vendor Acme\n"
     "120 fact 10.0.0.10@10 - modbus vendor Other",                                                                                             "asset.identity-changed"        },
    {"a new service",                                                          "100 answer 10.0.0.10@10/23 10.0.0.20@20/50001",                 "comm.new-service"              },
    {"a new service is told once",
     "100 answer 10.0.0.10@10/23 10.0.0.20@20/50001\n110 answer 10.0.0.10@10/23 10.0.0.20@20/50002",                                            "comm.new-service"              },
    {"a port that both ends have, learned of the other one",
     "100 answer 10.0.0.10@10/2222 10.0.0.20@20/2222 udp\n110 answer 10.0.0.20@20/2222 "
     "10.0.0.10@10/2222 udp",                                                                                                                   "comm.new-service"              },
    {"an ephemeral port is no service",                                        "100 answer 10.0.0.10@10/49200 10.0.0.20@20/50001",              ""                              },
    {"a plant protocol on a port among the ephemeral ones",
     "100 answer 10.0.0.10@10/44818 10.0.0.20@20/50001\n100.1 protocol 10.0.0.20@20/50001 "
     "10.0.0.10@10/44818 enip\n"
     "110 answer 10.0.0.10@10/44818 10.0.0.20@20/50002",                                                                                        "comm.new-service"              },
    {"FTP data is no service",
     "100 answer 10.0.0.10@10/20 10.0.0.20@20/50001\n101 answer 10.0.0.10@10/21 "
     "10.0.0.20@20/50001\n"
     "102 answer 10.0.0.10@10/3000 10.0.0.20@20/50002",                                                                                         "comm.new-service"              },
    {"a refused port is no service",                                           "100 refused 10.0.0.10@10/23 10.0.0.20@20/50001",                ""                              },
    {"services of a new device belong to its newness",
     "100 host 10.0.0.99@99\n100 answer 10.0.0.99@99/80 10.0.0.20@20/5\n"
     "200 answer 10.0.0.99@99/443 10.0.0.20@20/6",                                                                                              "asset.new"                     },
    {"an address moves",                                                       "100 arp 10.0.0.10@77 10.0.0.20\n110 host 10.0.0.10@77",
     "asset.ip-mac-changed"                                                                                                                                                     },
    {"an address moves and stays: told once",
     "100 arp 10.0.0.10@77 10.0.0.20\n300 host 10.0.0.10@77\n400 arp 10.0.0.10@77 10.0.0.20",                                                   "asset.ip-mac-changed"          },
    {"a redundant pair that swapped while learning",
     "100 arp 10.0.0.30@31 10.0.0.10\n120 arp 10.0.0.30@30 10.0.0.10",                                                                          ""                              },
    {"two devices use one address",
     "100 arp 10.0.0.10@77 10.0.0.20\n102 arp 10.0.0.10@10 10.0.0.20\n104 arp 10.0.0.10@77 "
     "10.0.0.20",                                                                                                                               "asset.duplicate-ip"            },
    {"one device claims two others",
     "100 host 10.0.0.10@10\n100 arpreply 10.0.0.10@77 10.0.0.20@20\n"
     "100.2 arpreply 10.0.0.20@77 10.0.0.10@10\n110 arpreply 10.0.0.10@77 10.0.0.20@20",                                                        "net.arp-spoof net.arp-spoof"   },
    {"a known device claims another's address",
     "90 host 10.0.0.10@10\n90 host 10.0.0.20@20\n100 arpreply 10.0.0.10@20 10.0.0.254@fe\n"
     "101 host 10.0.0.10@10",                                                                                                                   "net.arp-spoof"                 },
    {"new hosts behind the router have no address conflict",
     "100 host 172.16.1.5@fe\n101 host 172.16.2.6@fe",                                                                                          ""                              },
    {"a new host behind the router",                                           "100 host 172.16.3.7@fe",                                        "asset.new"                     },
    {"a gateway that was first seen by what it routes",
     "100 host 192.168.7.1@60\n100.1 host 10.0.0.60@60\n100.1 arp 10.0.0.60@60 10.0.0.10",                                                      "asset.new asset.new"           },
    {"a host is sighted before its ARP packet is",
     "90 host 10.0.0.10@10\n90 host 10.0.0.20@20\n100 host 10.0.0.254@20\n100 arpreply "
     "10.0.0.254@20 10.0.0.10@10",                                                                                                              "net.arp-spoof"                 },
    {"the far end of a flow has the MAC it is reached by, not its own",
     "100 answer 10.0.0.10@77/502 10.0.0.20@20/50001\n101 host 10.0.0.10@10\n102 flow "
     "10.0.0.10@78/50000 10.0.0.20@20/80",                                                                                                      ""                              },
    {"loopback has no MAC",                                                    "100 host 127.0.0.1@10\n101 host 127.0.0.1@20",                  "asset.new"                     },
    {"a host of the internet behind the router is no new device of the plant",
     "100 host 8.8.8.8@fe",                                                                                                                     ""                              },
    {"a public address on a MAC of its own is one",                            "100 host 8.8.8.8@88",                                           "asset.new"                     },
    {"IPv6 first, then IPv4: one device",
     "100 host fe80::60@60\n100.1 host 10.0.0.60@60\n100.2 arp 10.0.0.60@60 10.0.0.10",                                                         "asset.new"                     },
    {"IPv4 first, then IPv6 with a temporary address: one device",
     "100 host 10.0.0.60@60\n100.1 host fe80::60@60\n100.2 host 2001:db8::60@60\n100.3 host "
     "2001:db8::9999@60",                                                                                                                       "asset.new"                     },
    {"a gateway's link-local address stays the gateway's",
     "100 host fe80::70@70\n100.1 host 192.168.7.1@70\n100.2 arp 10.0.0.70@70 10.0.0.10\n100.3 "
     "host fe80::70@70",                                                                                                                        "asset.new asset.new"           },
    {"a DHCP server gives a known address to another client",
     "100 fact @20 - dhcp ip 10.0.0.30\n101 arp 10.0.0.30@20 10.0.0.10\n102 host "
     "10.0.0.30@20",                                                                                                                            ""                              },
    {"nobody gave that address",                                               "101 arp 10.0.0.30@20 10.0.0.10\n110 host 10.0.0.20@20",
     "net.arp-spoof"                                                                                                                                                            },
    {"a redundant pair that swaps again and again",
     "100 arp 10.0.0.30@31 10.0.0.30\n130 arp 10.0.0.30@30 10.0.0.30\n160 arp 10.0.0.30@31 "
     "10.0.0.30",                                                                                                                               ""                              },
    {"two stations of one PROFINET name",
     "100 fact 10.0.0.10@10 - pn_dcp name conveyor\n101 fact 10.0.0.20@20 - pn_dcp name conveyor",                                              "asset.name-conflict"           },
    {"two stations of two names",
     "100 fact 10.0.0.10@10 - pn_dcp name conveyor\n101 fact 10.0.0.20@20 - pn_dcp name press",                                                 ""                              },
    {"applications share a name",
     "100 fact 10.0.0.10@10 - opcua name Server\n101 fact 10.0.0.20@20 - opcua name Server",                                                    ""                              },
    {"two hosts of one name at the same time",
     "100 fact 10.0.0.10@10 - dhcp host_name hmi-1\n101 fact 10.0.0.20@20 - dhcp host_name HMI-1",                                              "asset.name-conflict"           },
    {"a laptop in another dock",
     "100 fact 10.0.0.10@10 - dhcp host_name laptop\n300 fact 10.0.0.20@20 - dhcp host_name laptop",                                            ""                              },
    {"a DHCP client takes its first address",                                  "100 host @40\n101 host 10.0.0.40@40",                           "asset.new"                     },
};

static void print_types(const struct collected *c, char *out, size_t capacity)
{
    out[0] = '\0';
    for (size_t i = 0; i < c->count; i++) {
        size_t used = strlen(out);
        snprintf(out + used, capacity - used, "%s%s", i ? " " : "",
                 detection_kind(c->list[i].detection)->id);
    }
}

START_TEST(raises_what_it_must)
{
    const struct row *row = &rows[_i];
    struct collected findings = {.count = 0};
    struct finding_sink sink;
    struct inventory *inv = create(MODE_LEARN, &findings, &sink, 60);
    int64_t ticked = feed(inv, learned, START);
    run_on(&ticked, inv, 20);
    inventory_tick(inv, ticked, true);
    ck_assert_msg(findings.count == 0, "learning is silent");
    inv = reload(inv, MODE_DETECT, &findings, &sink);
    ticked = feed(inv, row->lines, START + 80 * SECOND);
    run_on(&ticked, inv, 15);
    inventory_tick(inv, ticked, true);
    char types[TEXT_MAX];
    print_types(&findings, types, sizeof types);
    ck_assert_msg(strcmp(types, row->findings) == 0, "%s: raised \"%s\", not \"%s\"", row->shows,
                  types, row->findings);
    for (size_t i = 0; i < findings.count; i++) {
        const struct finding *f = &findings.list[i];
        ck_assert_msg(f->what[0] && f->expected[0] && f->seen[0], "%s: explains itself",
                      row->shows);
        ck_assert_msg(f->has_target == (strstr(f->what, "%T") != NULL),
                      "%s: names a target where there is one", row->shows);
    }
    inventory_destroy(inv);
}
END_TEST

/* Two hours of a PLC and its HMI, heard once a minute; then each row goes on. */
static const struct presence_row {
    const char *shows;
    int plc_s, hmi_s; /* how often they are heard; 0: no more */
    int blind_s;      /* nothing at all is heard in between */
    int hours;
    const char *findings;
} presence_rows[] = {
    {"a controller falls silent",                   0,   60, 0,    1, "asset.lost"},
    {"it goes on",                                  60,  60, 0,    1, ""          },
    {"it pauses a little longer",                   600, 60, 0,    2, ""          },
    {"nothing is heard of anybody",                 60,  60, 7200, 1, ""          },
    {"a client that may be a laptop is not missed", 60,  0,  0,    1, ""          },
};

static void hear(struct inventory *inv, const char *who, int64_t time_ns)
{
    struct sighting s = {.kind = SIGHTING_HOST, .time_ns = time_ns, .vlan = VLAN_NONE};
    endpoint_parse(&s.who, who);
    inventory_sighting(inv, &s);
}

static int64_t live(struct inventory *inv, int64_t ticked, int64_t seconds, int plc_s, int hmi_s)
{
    for (int64_t i = 1; i <= seconds; i++) {
        ticked += SECOND;
        if (plc_s && i % plc_s == 0)
            hear(inv, "10.0.0.10@10", ticked);
        if (hmi_s && i % hmi_s == 0)
            hear(inv, "10.0.0.20@20", ticked);
        hear(inv, "10.0.0.254@fe", ticked);
        inventory_tick(inv, ticked, false);
    }
    return ticked;
}

START_TEST(misses_who_is_lost)
{
    const struct presence_row *row = &presence_rows[_i];
    struct collected findings = {.count = 0};
    struct finding_sink sink;
    struct inventory *inv = create(MODE_LEARN, &findings, &sink, 60);
    int64_t ticked = feed(inv, learned, START);
    ticked = live(inv, ticked, 7200, 60, 60);
    inv = reload(inv, MODE_DETECT, &findings, &sink);
    ticked = live(inv, ticked + 1000 * SECOND, 1800, 60, 60);
    for (int i = 0; i < row->blind_s; i++)
        inventory_tick(inv, ticked += SECOND, false);
    live(inv, ticked, row->hours * 3600, row->plc_s, row->hmi_s);
    char types[TEXT_MAX];
    print_types(&findings, types, sizeof types);
    ck_assert_msg(strcmp(types, row->findings) == 0, "%s: raised \"%s\", not \"%s\"", row->shows,
                  types, row->findings);
    inventory_destroy(inv);
}
END_TEST

/* The same lines are quiet in learn mode, and in auto mode before the segment has settled. */
START_TEST(learns_silently)
{
    static const enum baseline_mode modes[] = {MODE_LEARN, MODE_AUTO};
    for (size_t i = 0; i < 2; i++) {
        struct collected findings = {.count = 0};
        struct finding_sink sink;
        struct inventory *inv = create(modes[i], &findings, &sink, 600);
        int64_t ticked = feed(inv, learned, START);
        feed(inv, rows[_i].lines, ticked + 90 * SECOND);
        inventory_tick(inv, ticked + 110 * SECOND, true);
        char types[TEXT_MAX];
        print_types(&findings, types, sizeof types);
        ck_assert_msg(findings.count == 0, "%s: raised %s in mode %d", rows[_i].shows, types,
                      (int)modes[i]);
        inventory_destroy(inv);
    }
}
END_TEST

START_TEST(auto_settles_by_itself)
{
    struct collected findings = {.count = 0};
    struct finding_sink sink;
    struct inventory *inv = create(MODE_AUTO, &findings, &sink, 60);
    int64_t ticked = feed(inv, learned, START);
    for (int i = 0; i < 5; i++) { /* two and a half minutes with traffic, nothing new */
        run_on(&ticked, inv, 30);
        char line[64];
        snprintf(line, sizeof line, "%d host 10.0.0.10@10", (int)((ticked - START) / SECOND));
        ticked = feed(inv, line, ticked);
    }
    feed(inv, "200 host 10.0.0.99@99", ticked);
    inventory_tick(inv, START + 210 * SECOND, true);
    ck_assert_uint_eq(findings.count, 1);
    ck_assert_int_eq(findings.list[0].detection, DETECTION_ASSET_NEW);
    inventory_destroy(inv);
}
END_TEST

/* An unobserved day is no day of learning. */
START_TEST(gaps_do_not_settle)
{
    struct collected findings = {.count = 0};
    struct finding_sink sink;
    struct inventory *inv = create(MODE_AUTO, &findings, &sink, 60);
    feed(inv, learned, START);
    inventory_tick(inv, START + 10 * SECOND, false);
    inventory_tick(inv, START + 86400 * SECOND, false);
    struct sighting s;
    sighting_parse(&s, "86401 host 10.0.0.99@99");
    inventory_sighting(inv, &s);
    inventory_tick(inv, START + 86410 * SECOND, true);
    ck_assert_uint_eq(findings.count, 0);
    inventory_destroy(inv);
}
END_TEST

START_TEST(empty_inventory_tells_each_device_once)
{
    struct collected findings = {.count = 0};
    struct finding_sink sink;
    struct inventory *inv = create(MODE_DETECT, &findings, &sink, 60);
    int64_t ticked = feed(inv, learned, START);
    run_on(&ticked, inv, 10);
    size_t controllers = 0, devices = 0;
    for (size_t i = 0; i < findings.count; i++) {
        controllers += findings.list[i].detection == DETECTION_ASSET_NEW_CONTROLLER;
        devices += findings.list[i].detection == DETECTION_ASSET_NEW;
    }
    ck_assert_uint_eq(controllers, 1);
    ck_assert_uint_eq(devices, 6); /* HMI, gateway, three hosts behind it, the redundant pair */
    inventory_destroy(inv);
}
END_TEST

/* Who is named as the other end of something, and never sends. */
static const struct {
    const char *shows, *line;
    uint64_t assets;
} named[] = {
    {"a server that is asked",            "0 fact 10.0.0.9 - opcua host_name plc9",     1},
    {"all hosts of the network",          "0 fact 10.0.0.255@ff - nbns host_name x",    0},
    {"by a router, with no such MAC",     "0 role 10.0.0.255@9 10.0.0.5@5 bacnet read", 0},
    {"a larger network",                  "0 role 10.0.3.9@ff 10.0.0.5@5 bacnet read",  0},
    {"a host of a larger one that sends", "0 host 10.0.3.255@9",                        1},
    {"a group",                           "0 fact 239.1.1.1 - opcua host_name x",       0},
};

START_TEST(a_broadcast_is_no_device)
{
    struct collected findings = {.count = 0};
    struct finding_sink sink;
    struct inventory_counts counts;
    struct inventory *inv = create(MODE_LEARN, &findings, &sink, 60);
    (void)feed(inv, named[_i].line, START);
    inventory_counts(inv, &counts);
    ck_assert_msg(counts.assets == named[_i].assets, "%s: %llu", named[_i].shows,
                  (unsigned long long)counts.assets);
    inventory_destroy(inv);
}
END_TEST

/* How many devices there are when two MACs may be of one. */
static const struct join_row {
    const char *shows, *lines;
    enum baseline_mode mode;
    uint64_t assets;
} join_rows[] = {
    {"two ports tell the same chassis",
     "0 host @10\n1 fact @10 - lldp mac 02:00:00:00:00:01\n2 host @11\n"
     "3 fact @11 - lldp mac 02:00:00:00:00:01",                                                  MODE_LEARN,  1},
    {"the chassis was known by its address",
     "0 host 10.0.0.1@1\n1 host @10\n2 fact @10 - lldp mac 02:00:00:00:00:01",                   MODE_LEARN,  1},
    {"the chassis sends later",
     "0 host @10\n1 fact @10 - lldp mac 02:00:00:00:00:01\n2 host 10.0.0.1@1",                   MODE_LEARN,  1},
    {"after learning nobody hides behind another",
     "0 host 10.0.0.1@1\n1 host @10\n2 fact @10 - lldp mac 02:00:00:00:00:01",                   MODE_DETECT, 2},
    {"a chassis of another maker",
     "0 host 10.0.0.1@^1\n1 host @10\n2 fact @10 - lldp mac 00:00:00:00:00:01",                  MODE_LEARN,  2},
    {"what another protocol tells",
     "0 host 10.0.0.1@1\n1 host @10\n2 fact @10 - snmp mac 02:00:00:00:00:01",                   MODE_LEARN,  2},
    {"a chassis that is no address",                    "0 host @10\n1 fact @10 - lldp mac plc", MODE_LEARN,  1},
    {"EtherCAT's slaves send the master's frames back",
     "0 host @^10\n0 protocol @^10 @ff ethercat\n1 host @10\n1 protocol @10 @ff ethercat",       MODE_LEARN,  1},
    {"of other protocols nothing is sent back",
     "0 host @^10\n0 protocol @^10 @ff pn_rt\n1 host @10\n1 protocol @10 @ff pn_rt",             MODE_LEARN,  2},
    {"the other way round it is another master",
     "0 host @10\n0 protocol @10 @ff ethercat\n1 host @^10\n1 protocol @^10 @ff ethercat",       MODE_LEARN,  2},
};

START_TEST(addresses_of_one_device)
{
    const struct join_row *row = &join_rows[_i];
    struct collected findings = {.count = 0};
    struct finding_sink sink;
    struct inventory_counts counts;
    struct inventory *inv = create(row->mode, &findings, &sink, 60);
    (void)feed(inv, row->lines, START);
    inventory_counts(inv, &counts);
    ck_assert_msg(counts.assets == row->assets, "%s: %llu", row->shows,
                  (unsigned long long)counts.assets);
    inventory_destroy(inv);
}
END_TEST

static void describe(const struct inventory *inv, const char *host, struct asset_brief *brief)
{
    struct endpoint e;
    endpoint_parse(&e, host);
    ck_assert_msg(inventory_describe(inv, 0, &e, brief), "%s is known", host);
}

START_TEST(knows_what_is_served)
{
    static const struct {
        const char *service, *protocol;
        uint8_t transport;
    } served[] = {
        {"10.0.0.10/502", "modbus", TRANSPORT_TCP},
        {"10.0.0.10/502", NULL,     TRANSPORT_UDP},
        {"10.0.0.10/503", NULL,     TRANSPORT_TCP},
        {"10.0.0.20/502", NULL,     TRANSPORT_TCP},
        {"10.0.0.99/502", NULL,     TRANSPORT_TCP},
        {"10.0.0.10/80",  NULL,     TRANSPORT_TCP}, /* no plant's protocol */
        {"10.0.0.10/102", NULL,     TRANSPORT_TCP}, /* never answered */
    };
    struct collected findings = {.count = 0};
    struct finding_sink sink;
    struct inventory *inv = create(MODE_LEARN, &findings, &sink, 60);
    feed(inv, learned, START);
    feed(inv,
         "5 answer 10.0.0.10@10/80 10.0.0.20@20/50002\n"
         "5 protocol 10.0.0.20@20/50002 10.0.0.10@10/80 http\n"
         "5 protocol 10.0.0.20@20/50003 10.0.0.10@10/102 s7comm",
         START);
    for (size_t i = 0; i < sizeof served / sizeof *served; i++) {
        struct endpoint e;
        endpoint_parse(&e, served[i].service);
        const char *name = inventory_served(inv, 0, &e, served[i].transport);
        ck_assert_msg(served[i].protocol ? name && strcmp(name, served[i].protocol) == 0 : !name,
                      "%s: %s", served[i].service, name ? name : "none");
    }
    inventory_destroy(inv);
}
END_TEST

START_TEST(knows_who_is_who)
{
    struct collected findings = {.count = 0};
    struct finding_sink sink;
    struct inventory *inv = create(MODE_LEARN, &findings, &sink, 60);
    feed(inv, learned, START);
    struct asset_brief plc, hmi, gateway, far, other;
    describe(inv, "10.0.0.10", &plc);
    ck_assert_str_eq(plc.role, "plc");
    ck_assert_str_eq(plc.vendor, "Acme");
    ck_assert(plc.is_controller);
    describe(inv, "10.0.0.20", &hmi);
    ck_assert_str_eq(hmi.role, "hmi"); /* it only reads, from one */
    describe(inv, "@fe", &gateway);
    ck_assert_str_eq(gateway.role, "router");
    describe(inv, "172.16.1.5", &far);
    describe(inv, "172.16.2.5", &other);
    ck_assert_str_ne(far.id, other.id);
    ck_assert_str_ne(far.id, gateway.id);
    struct asset_brief same;
    describe(inv, "10.0.0.254", &same);
    ck_assert_str_eq(same.id, gateway.id);
    inventory_destroy(inv);
}
END_TEST

/* What answers show: after learning (from second 100), and how the device 10.0.0.40 is seen then.
 */
static const struct answers_row {
    const char *shows, *lines;
    const char *class; /* of 10.0.0.40; "" unknown host */
} answers_rows[] = {
    {"units that answered while learning",
     "5 host 10.0.0.40@40\n6 granted 10.0.0.20@20 10.0.0.40@40 modbus read 3\n"
     "6 granted 10.0.0.20@20 10.0.0.40@40 modbus read 4",                                                                                   "gateway"  },
    {"a unit that refused",
     "5 host 10.0.0.40@40\n6 granted 10.0.0.20@20 10.0.0.40@40 modbus read 3\n"
     "6 refusal 10.0.0.20@20 10.0.0.40@40 modbus read 4",                                                                                   "plc"      },
    {"another unit, once, after learning",
     "5 host 10.0.0.40@40\n6 granted 10.0.0.20@20 10.0.0.40@40 modbus read 3\n"
     "110 granted 10.0.0.20@20 10.0.0.40@40 modbus read 4",                                                                                 "plc"      },
    {"another unit, for minutes",
     "5 host 10.0.0.40@40\n6 granted 10.0.0.20@20 10.0.0.40@40 modbus read 3\n"
     "110 granted 10.0.0.20@20 10.0.0.40@40 modbus read 4\n"
     "171 granted 10.0.0.20@20 10.0.0.40@40 modbus read 4",                                                                                 "gateway"  },
    {"the unit of one outstation, asked by two masters",
     "5 host 10.0.0.40@40\n6 granted 10.0.0.20@20 10.0.0.40@40 dnp3 read 1>10\n"
     "6 granted 10.0.0.10@10 10.0.0.40@40 dnp3 read 2>10",                                                                                  "rtu"      },
    {"an answer to a broadcast",
     "5 host 10.0.0.40@40\n6 granted 255.255.255.255@ff 10.0.0.40@40 melsoft identify",                                                     "plc"      },
    {"a reader of a controller, and of the one that replaced it",
     "5 host 10.0.0.40@40\n6 arp 10.0.0.50@50 10.0.0.40\n6 role 10.0.0.40@40 10.0.0.50@50 modbus "
     "read\n"
     "8 arp 10.0.0.50@51 10.0.0.40\n9 role 10.0.0.40@40 10.0.0.50@51 modbus read",                                                          "hmi"      },
    {"a reader of two controllers",
     "5 host 10.0.0.40@40\n6 arp 10.0.0.50@50 10.0.0.40\n6 role 10.0.0.40@40 10.0.0.50@50 modbus "
     "read\n"
     "8 arp 10.0.0.51@51 10.0.0.40\n9 role 10.0.0.40@40 10.0.0.51@51 modbus read",                                                          "historian"},
    {"a virtual router",                                          "5 arp 10.0.0.40@^v 10.0.0.10",                                           "router"   },
    {"a question only",                                           "5 host 10.0.0.40@40\n6 role 10.0.0.20@20 10.0.0.40@40 melsoft identify",
     "unknown"                                                                                                                                         },
};

START_TEST(answers_tell)
{
    const struct answers_row *row = &answers_rows[_i];
    struct collected findings = {.count = 0};
    struct finding_sink sink;
    struct inventory *inv = create(MODE_LEARN, &findings, &sink, 60);
    const char *after = strstr(row->lines, "\n110 ");
    char before[256];
    text_format(before, sizeof before, "%.*s",
                (int)(after ? (size_t)(after - row->lines) : strlen(row->lines)), row->lines);
    int64_t ticked = feed(inv, learned, START);
    feed(inv, before, ticked);
    inv = reload(inv, MODE_DETECT, &findings, &sink);
    if (after)
        feed(inv, after + 1, ticked);
    struct asset_brief brief;
    describe(inv, "10.0.0.40", &brief);
    ck_assert_msg(strcmp(brief.role, row->class) == 0, "%s: %s", row->shows, brief.role);
    inventory_destroy(inv);
}
END_TEST

/* Another segment with the same addresses has other devices. */
static const struct homes_row {
    const char *shows, *name;
    const char *finding; /* "" none */
} homes_rows[] = {
    {"the name of a host of another segment", "dhcp host_name hmi-1", "asset.multi-homed"},
    {"a name that only this one has",         "dhcp host_name hmi-2", ""                 },
};

/* Segment 0 has a host hmi-1 since learning; another MAC in segment 1 tells a name. */
START_TEST(one_name_in_two_segments)
{
    const struct homes_row *row = &homes_rows[_i];
    struct collected findings = {.count = 0};
    struct finding_sink sink;
    struct inventory *inv = create(MODE_LEARN, &findings, &sink, 60);
    int64_t ticked = feed(inv, learned, START);
    struct sighting s;
    char line[128];
    sighting_parse(&s, "20 host 10.1.0.9@90");
    s.segment = 1;
    inventory_sighting(inv, &s);
    ticked = feed(inv, "21 fact 10.0.0.20@20 - dhcp host_name hmi-1", ticked);
    run_on(&ticked, inv, 20);
    inv = reload(inv, MODE_DETECT, &findings, &sink);
    ticked = feed(inv, "99 host 10.0.0.20@20\n100 host 10.0.0.20@20", START + 80 * SECOND);
    findings.count = 0;
    text_format(line, sizeof line, "101 fact 10.1.0.9@90 - %s", row->name);
    sighting_parse(&s, line);
    s.segment = 1;
    inventory_sighting(inv, &s);
    char types[TEXT_MAX];
    print_types(&findings, types, sizeof types);
    ck_assert_msg(strcmp(types, row->finding) == 0, "%s: raised \"%s\"", row->shows, types);
    inventory_destroy(inv);
}
END_TEST

START_TEST(segments_keep_apart)
{
    struct collected findings = {.count = 0};
    struct finding_sink sink;
    struct inventory *inv = create(MODE_LEARN, &findings, &sink, 60);
    struct sighting s;
    sighting_parse(&s, "0 host 10.0.0.10@10");
    inventory_sighting(inv, &s);
    s.segment = 5;
    inventory_sighting(inv, &s);
    struct asset_brief one, two;
    ck_assert(inventory_describe(inv, 0, &s.who, &one));
    ck_assert(inventory_describe(inv, 5, &s.who, &two));
    ck_assert_str_ne(one.id, two.id);
    ck_assert(!inventory_describe(inv, 6, &s.who, &two));
    inventory_destroy(inv);
}
END_TEST

/* Ids do not depend on the run: the same first sight gives the same id; a reload keeps everything.
 */
START_TEST(round_trip_is_exact)
{
    struct collected findings = {.count = 0};
    struct finding_sink sink;
    struct inventory *inv = create(MODE_LEARN, &findings, &sink, 60);
    feed(inv, learned, START);
    struct asset_brief before[4], after[4];
    static const char *const hosts[4] = {"10.0.0.10", "10.0.0.20", "10.0.0.254", "172.16.2.5"};
    for (size_t i = 0; i < 4; i++)
        describe(inv, hosts[i], &before[i]);
    inv = reload(inv, MODE_DETECT, &findings, &sink);
    struct endpoint none;
    endpoint_parse(&none, "10.0.0.10");
    ck_assert(inventory_describe(inv, 0, &none, &after[0])); /* the segment has its number again */
    feed(inv, "100 host 10.0.0.10@10", START + 99 * SECOND);
    for (size_t i = 0; i < 4; i++) {
        describe(inv, hosts[i], &after[i]);
        ck_assert_msg(memcmp(&before[i], &after[i], sizeof before[i]) == 0, "%s", hosts[i]);
    }
    const struct asset *plc = assets_by_id(&inv->assets, after[0].id);
    ck_assert_uint_eq(plc->fact_count, 11);
    ck_assert_uint_eq(plc->service_count, 1);
    ck_assert_int_eq(plc->first_ns, START);
    struct address pair_ip;
    ck_assert(address_parse(&pair_ip, "10.0.0.30"));
    const struct binding_entry *pair = bindings_find(inv->bindings, 0, &pair_ip);
    ck_assert_uint_eq(pair->count, 2);
    ck_assert(pair->macs[0].is_learned && pair->macs[1].is_learned);
    inventory_destroy(inv);
}
END_TEST

/* A flood of addresses stays inside the table and does not push out the plant. */
START_TEST(is_bounded)
{
    struct collected findings = {.count = 0};
    struct finding_sink sink;
    struct inventory *inv = create(MODE_LEARN, &findings, &sink, 60);
    feed(inv, learned, START);
    for (uint32_t i = 0; i < 5000; i++) {
        struct sighting s = {
            .kind = SIGHTING_HOST,
            .time_ns = START + 10 * SECOND + i,
            .vlan = VLAN_NONE,
            .who.ip = {.kind = ADDRESS_IP4, .bytes = {11, (uint8_t)(i >> 8), (uint8_t)i, 1}}
        };
        inventory_sighting(inv, &s);
    }
    struct inventory_counts counts;
    inventory_counts(inv, &counts);
    ck_assert_uint_eq(counts.assets, 256);
    ck_assert_uint_gt(counts.assets_evicted, 4000);
    struct asset_brief plc;
    describe(inv, "10.0.0.10", &plc);
    ck_assert(plc.is_controller);
    inventory_destroy(inv);
}
END_TEST

static uint32_t random_next(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static void random_endpoint(struct endpoint *e, uint32_t *random)
{
    static const uint8_t prefixes[][2] = {
        {10,  0 },
        {172, 16},
        {8,   8 },
        {224, 0 },
        {127, 0 },
        {0,   0 }
    };
    uint32_t r = random_next(random);
    memset(e, 0, sizeof *e);
    if (r % 8 != 0) {
        e->ip.kind = r % 5 == 0 ? ADDRESS_IP6 : ADDRESS_IP4;
        memcpy(e->ip.bytes, prefixes[r / 8 % 6], 2);
        e->ip.bytes[2] = (uint8_t)(r / 64 % 3);
        e->ip.bytes[3] = (uint8_t)(r / 256 % 12);
    }
    r = random_next(random);
    if (r % 6 != 0)
        e->mac = (struct mac){
            {(uint8_t)(r % 40 == 1 ? 1 : 2), 0, 0, 0, 0, (uint8_t)(r / 64 % 12)}
        };
    e->port = (uint16_t)(r / 1024 % 3 ? r / 4096 % 30 : r / 4096);
}

static void random_sighting(struct sighting *s, int64_t time_ns, uint32_t *random)
{
    static const char *const protocols[] = {"", "modbus", "http", "s7comm",
                                            "a protocol of 23 bytes!"};
    uint32_t r = random_next(random);
    memset(s, 0, sizeof *s);
    s->kind = (enum sighting_kind)(r % (SIGHTING_FACT + 1));
    s->time_ns = time_ns - (r % 50 == 0 ? 10 * SECOND : 0);
    s->segment = r / 16 % 3;
    s->vlan = (uint16_t)(r / 64 % 8 ? VLAN_NONE : r % 4096);
    s->transport = (uint8_t)(r / 128 % 4);
    s->detail = (uint16_t)(r / 512 % 3);
    s->is_start_seen = r / 1024 % 2;
    random_endpoint(&s->who, random);
    random_endpoint(&s->other, random);
    r = random_next(random);
    text_format(s->protocol, sizeof s->protocol, "%s", protocols[r % 5]);
    s->operation = (enum operation)(r / 8 % OPERATION_COUNT);
    s->fact = (enum fact_kind)(r / 256 % (FACT_COUNT + 1));
    text_format(s->unit, sizeof s->unit, "%.*s", (int)(r / 4096 % 3), "7;");
    text_format(s->text, sizeof s->text, "%u", r / 16384 % 5);
}

static void count_only(void *context, const struct finding *f)
{
    ck_assert(f->what[0] && f->detection < DETECTION_COUNT);
    ++*(size_t *)context;
}

/* Any order of anything, in a small table, then saved and loaded: no assertion, no
 * sanitizer complains, and every address leads to at most one device. */
START_TEST(survives_anything)
{
    uint32_t random = (uint32_t)_i;
    size_t findings = 0;
    struct finding_sink sink = {.context = &findings, .finding = count_only};
    struct inventory_options options = {.mode = (enum baseline_mode)(_i % 3),
                                        .settle_min_ns = 20 * SECOND,
                                        .assets_max = 24,
                                        .sensor = "test"};
    struct inventory *inv = inventory_create(&options, &sink);
    for (int i = 0; i < 5000; i++) {
        int64_t now = START + i * (SECOND / 7);
        struct sighting s;
        random_sighting(&s, now, &random);
        inventory_sighting(inv, &s);
        if (i % 7 == 0)
            inventory_tick(inv, now, false);
    }
    inventory_tick(inv, START + 1000 * SECOND, true);
    const struct assets *t = &inv->assets;
    size_t addresses = 0;
    for (size_t i = 0; i < t->count; i++) {
        const struct asset *a = &t->list[i];
        for (size_t j = 0; a->is_used && j < a->ip_count; j++, addresses++)
            ck_assert_ptr_eq(
                assets_by_ip(t, a->segment, &a->ips[j], a->mac_count ? &a->macs[0] : NULL), a);
        for (size_t j = 0; a->is_used && j < a->mac_count; j++)
            ck_assert_ptr_eq(assets_by_mac(t, a->segment, &a->macs[j]), a);
        if (a->is_used)
            ck_assert_ptr_eq(assets_by_id(t, a->id), a);
    }
    ck_assert_uint_eq(t->by_ip.count, addresses);
    struct collected none = {.count = 0};
    struct finding_sink quiet = {.context = &none, .finding = collect};
    inv = reload(inv, MODE_LEARN, &none, &quiet);
    inventory_destroy(inv);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("inventory");
    TCase *tc = tcase_create("inventory");
    int count = (int)(sizeof rows / sizeof *rows);
    tcase_add_loop_test(tc, raises_what_it_must, 0, count);
    tcase_add_loop_test(tc, misses_who_is_lost, 0,
                        (int)(sizeof presence_rows / sizeof *presence_rows));
    tcase_add_loop_test(tc, learns_silently, 0, count);
    tcase_add_test(tc, auto_settles_by_itself);
    tcase_add_test(tc, gaps_do_not_settle);
    tcase_add_test(tc, empty_inventory_tells_each_device_once);
    tcase_add_loop_test(tc, addresses_of_one_device, 0,
                        (int)(sizeof join_rows / sizeof *join_rows));
    tcase_add_loop_test(tc, a_broadcast_is_no_device, 0, (int)(sizeof named / sizeof *named));
    tcase_add_test(tc, knows_what_is_served);
    tcase_add_test(tc, knows_who_is_who);
    tcase_add_loop_test(tc, answers_tell, 0, (int)(sizeof answers_rows / sizeof *answers_rows));
    tcase_add_test(tc, segments_keep_apart);
    tcase_add_loop_test(tc, one_name_in_two_segments, 0,
                        (int)(sizeof homes_rows / sizeof *homes_rows));
    tcase_add_test(tc, round_trip_is_exact);
    tcase_add_test(tc, is_bounded);
    tcase_add_loop_test(tc, survives_anything, 0, 60);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
