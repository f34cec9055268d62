/* test_addresses.c: whose an address is: which devices there are, with which addresses, after
 * sightings that could make one of two or two of one. */
#include "sightings.h"
#include "support/runner.h"

enum { DEVICES_MAX = 32, DEVICE_TEXT = 256 };

static const struct row {
    const char *shows;
    const char *learned; /* lines seen while learning */
    const char *later;   /* and afterwards; NULL: nothing */
    const char *devices; /* in the order of their text: IPs, MACs, '!' for a router */
} rows[] = {
    {"a device replaced under its address",
     "0 arp 10.0.0.5@10 10.0.0.1\n1000 arp 10.0.0.5@20 10.0.0.1",                                                                                  NULL, "10.0.0.5@10 10.0.0.5@20"                                           },
    {"replaced at once",
     "0 host 10.0.0.5@10\n0 arp 10.0.0.5@10 10.0.0.1\n20 host 10.0.0.5@20\n"
     "20 arp 10.0.0.5@20 10.0.0.1",                                                                                                                NULL, "10.0.0.5@10 10.0.0.5@20"                                           },
    {"replaced, and nobody asked by ARP",
     "0 host 10.0.0.5@10\n1000 host 10.0.0.5@20\n1060 host 10.0.0.5@20",                                                                           NULL,
     "10.0.0.5@10 10.0.0.5@20"                                                                                                                                                                                               },
    {"replaced after learning",                                                         "0 host 10.0.0.5@10\n0 arp 10.0.0.5@10 10.0.0.1",
     "1000 host 10.0.0.5@20\n1000 arp 10.0.0.5@20 10.0.0.1\n1010 host 10.0.0.5@20",                                                                      "10.0.0.5@10 10.0.0.5@20"                                           },
    {"by a device that was there",                                                      "0 arp 10.0.0.5@10 10.0.0.1\n0 arp 10.0.0.6@20 10.0.0.1",
     "1000 arp 10.0.0.5@20 10.0.0.1\n1010 host 10.0.0.5@20",                                                                                             "10.0.0.6,10.0.0.5@20 @10"                                          },
    {"two cells reuse an address",
     "0 arp 10.0.0.5@10 10.0.0.1\n1 arp 10.0.0.5@20 10.0.0.1\n2 arp 10.0.0.5@10 10.0.0.1\n"
     "3 arp 10.0.0.5@20 10.0.0.1",                                                                                                                 NULL, "10.0.0.5@10 10.0.0.5@20"                                           },
    {"they reuse two addresses",
     "0 arp 10.0.0.5@10 10.0.0.1\n0 arp 10.0.0.6@11 10.0.0.1\n1 arp 10.0.0.5@20 10.0.0.1\n"
     "1 arp 10.0.0.6@21 10.0.0.1\n9 arp 10.0.0.5@10 10.0.0.1\n9 arp 10.0.0.6@11 10.0.0.1",                                                         NULL, "10.0.0.5@10 10.0.0.5@20 10.0.0.6@11 10.0.0.6@21"                   },
    {"the MAC of a router is nobody else's, though it was seen with his packets first",
     "0 arp 10.0.0.5@10 10.0.0.1\n1 host 10.0.0.5@fe\n2 host 10.1.0.6@20\n2 host 10.1.0.6@fe",                                                     NULL,
     "10.0.0.5@10 10.1.0.6@20 @fe"                                                                                                                                                                                           },
    {"a poisoner after its victims",
     "0 arp 10.0.0.1@11 10.0.0.2\n0 arp 10.0.0.2@22 10.0.0.1\n5 arpreply 10.0.0.1@66 10.0.0.2@22\n"
     "5 arpreply 10.0.0.2@66 10.0.0.1@11\n6 host 10.0.0.1@66\n6 host 10.0.0.2@66",                                                                 NULL, "10.0.0.1@11 10.0.0.2@22 @66"                                       },
    {"a poisoner with an address of its own",
     "0 arp 10.0.0.1@11 10.0.0.2\n0 arp 10.0.0.2@22 10.0.0.1\n4 arp 10.0.0.66@66 10.0.0.1\n"
     "5 arpreply 10.0.0.1@66 10.0.0.2@22\n5 arpreply 10.0.0.2@66 10.0.0.1@11",                                                                     NULL, "10.0.0.1@11 10.0.0.2@22 10.0.0.66@66"                              },
    {"a poisoner that was there first",
     "0 arp 10.0.0.66@66 10.0.0.1\n1 arpreply 10.0.0.1@66 10.0.0.2\n1 arpreply 10.0.0.2@66 "
     "10.0.0.1\n"
     "2 host 10.0.0.1@11\n2 arp 10.0.0.1@11 10.0.0.2\n3 host 10.0.0.2@22\n3 arp 10.0.0.2@22 "
     "10.0.0.1\n"
     "4 arpreply 10.0.0.1@66 10.0.0.2@22\n5 host 10.0.0.2@66",                                                                                     NULL, "10.0.0.1@11 10.0.0.2@22 10.0.0.66@66"                              },
    {"a poisoner that was there first, and is nobody",
     "1 arpreply 10.0.0.1@66 10.0.0.2\n1 arpreply 10.0.0.2@66 10.0.0.1\n2 host 10.0.0.1@11\n"
     "2 arp 10.0.0.1@11 10.0.0.2\n3 host 10.0.0.2@22\n3 arp 10.0.0.2@22 10.0.0.1\n"
     "4 arpreply 10.0.0.1@66 10.0.0.2@22",                                                                                                         NULL, "10.0.0.1@11 10.0.0.2@22 @66"                                       },
    {"a poisoner that was there first, and nobody else says anything by ARP",
     "1 arpreply 10.0.0.1@66 10.0.0.2\n1 arpreply 10.0.0.2@66 10.0.0.1\n2 host 10.0.0.1@11\n"
     "2 host 10.0.0.1@66\n3 host 10.0.0.2@22\n3 host 10.0.0.2@66\n62 host 10.0.0.1@11",                                                            NULL, "10.0.0.1@11 10.0.0.2@22 @66"                                       },
    {"a server of two addresses, seen behind its router, too",
     "0 arp 10.0.0.1@11 10.0.0.9\n0 arp 10.0.0.2@11 10.0.0.9\n1 host 10.0.0.1@fe\n1 host "
     "10.0.0.2@fe\n"
     "61 host 10.0.0.1@fe\n61 host 10.0.0.2@fe",                                                                                                   NULL, "10.0.0.1,10.0.0.2@11 @fe"                                          },
    {"a poisoner after learning",                                                       "0 arp 10.0.0.1@11 10.0.0.2\n0 arp 10.0.0.2@22 10.0.0.1",
     "20 arp 10.0.0.66@66 10.0.0.1\n30 arpreply 10.0.0.1@66 10.0.0.2@22\n31 host 10.0.0.1@11\n"
     "32 arpreply 10.0.0.2@66 10.0.0.1@11\n33 host 10.0.0.1@66\n34 host 10.0.0.2@22",                                                                    "10.0.0.1@11 10.0.0.2@22 10.0.0.66@66"                              },
    {"a poisoner after learning that has no address",
     "0 arp 10.0.0.1@11 10.0.0.2\n0 arp 10.0.0.2@22 10.0.0.1",                                                                                     "30 arpreply 10.0.0.1@66 10.0.0.2@22\n31 host 10.0.0.1@11\n"
     "32 arpreply 10.0.0.2@66 10.0.0.1@11\n33 host 10.0.0.1@66\n34 host 10.0.0.2@22",      "10.0.0.1@11 10.0.0.2@22 @66"                                       },
    {"an address that a pair of servers shares",
     "0 arp 10.0.0.10@10 10.0.0.1\n0 arp 10.0.0.30@10 10.0.0.1\n1 arp 10.0.0.11@11 10.0.0.1\n"
     "60 arp 10.0.0.30@11 10.0.0.1",                                                                                                               NULL, "10.0.0.10,10.0.0.30@10 10.0.0.11,10.0.0.30@11"                     },
    {"a virtual router's MAC is no device of its address",
     "0 arp 10.0.0.2@12 10.0.0.9\n0 arp 10.0.0.3@13 10.0.0.9\n1 arp 10.0.0.1@^v 10.0.0.9\n"
     "2 host 10.0.0.2@^v",                                                                                                                         NULL, "10.0.0.1@v 10.0.0.2@12 10.0.0.3@13"                                },
    {"proxy ARP",
     "0 arp 10.0.0.1@fe 10.0.0.9\n1 arpreply 10.0.1.1@fe 10.0.0.9\n1 arpreply 10.0.1.2@fe "
     "10.0.0.9\n"
     "1 arpreply 10.0.1.3@fe 10.0.0.9\n1 arpreply 10.0.1.4@fe 10.0.0.9\n"
     "1 arpreply 10.0.1.5@fe 10.0.0.9\n1 arpreply 10.0.1.6@fe 10.0.0.9",                                                                           NULL, "10.0.0.1,10.0.1.1,10.0.1.2,10.0.1.3,10.0.1.4@fe! 10.0.1.5 10.0.1.6"},
    {"hosts behind a gateway",
     "0 arp 10.0.0.1@fe 10.0.0.9\n0 host 10.0.0.9@9\n1 host 10.1.0.5@fe\n1 host 10.2.0.5@fe",                                                      NULL,
     "10.0.0.1@fe! 10.0.0.9@9 10.1.0.5 10.2.0.5"                                                                                                                                                                             },
    {"hosts behind a gateway that says nothing itself",
     "0 arp 10.0.0.9@9 10.0.0.1\n1 host 10.1.0.5@fe\n1 host 10.2.0.5@fe\n1 host 10.3.0.5@fe",                                                      NULL,
     "10.0.0.9@9 10.1.0.5 10.2.0.5 10.3.0.5 @fe!"                                                                                                                                                                            },
    {"which tells its address later",
     "0 arp 10.0.0.9@9 10.0.0.1\n1 host 10.1.0.5@fe\n1 host 10.2.0.5@fe\n1 host 10.3.0.5@fe\n"
     "2 host 10.0.0.1@fe\n2 arp 10.0.0.1@fe 10.0.0.9",                                                                                             NULL, "10.0.0.1@fe! 10.0.0.9@9 10.1.0.5 10.2.0.5 10.3.0.5"                },
    {"servers of the internet",                                                         "0 host 10.0.0.9@9\n1 host 8.8.8.8@fe\n1 host 9.9.9.9@fe", NULL,
     "10.0.0.9@9 8.8.8.8 9.9.9.9 @fe!"                                                                                                                                                                                       },
    {"public addresses inside, on MACs of their own",
     "0 host 141.81.0.10@10\n0 host 141.81.0.24@24\n1 host 141.82.0.5@10",                                                                         NULL,
     "141.81.0.10@10 141.81.0.24@24 141.82.0.5"                                                                                                                                                                              },
    {"a laptop in two networks asks all neighbours",
     "0 host 10.0.0.9@9\n0 host 10.0.0.8@8\n1 host 192.168.1.9@9 - nearby\n"
     "2 host 192.168.7.9@9 - nearby",                                                                                                              NULL, "10.0.0.8@8 10.0.0.9,192.168.1.9,192.168.7.9@9"                     },
    {"a server's other addresses, which it told by ARP late",
     "0 host 10.0.0.9@9\n0 host 10.0.0.8@8\n1 host 10.1.0.9@9\n1 host 10.2.0.9@9\n"
     "2 arp 10.0.0.9@9 10.0.0.8\n2 arp 10.1.0.9@9 10.1.0.8\n2 arp 10.2.0.9@9 10.2.0.8",                                                            NULL, "10.0.0.8@8 10.0.0.9,10.1.0.9,10.2.0.9@9"                           },
    {"another address by DHCP is the one it is called by",
     "0 fact @10 - dhcp ip 10.0.0.50\n1 arp 10.0.0.50@10 10.0.0.1\n4000 fact @10 - dhcp ip "
     "10.0.0.60\n4001 arp 10.0.0.60@10 10.0.0.1",                                                                                                  NULL, "10.0.0.60,10.0.0.50@10"                                            },
    {"an address that DHCP gives to another device later",
     "0 fact @10 - dhcp ip 10.0.0.50\n1 arp 10.0.0.50@10 10.0.0.1\n4000 fact @20 - dhcp ip "
     "10.0.0.50\n4000 host @20\n4001 fact @20 - dhcp ip 10.0.0.50\n4001 arp 10.0.0.50@20 10.0.0.1",                                                NULL, "10.0.0.50@20 @10"                                                  },
    {"an address changed by hand",
     "0 arp 10.0.0.10@10 10.0.0.1\n60 arp 10.0.0.20@10 10.0.0.1\n120 host 10.0.0.20@10\n"
     "600 host 10.0.0.20@10\n1200 host 10.0.0.20@10\n1300 host 10.0.0.20@10",                                                                      NULL, "10.0.0.20,10.0.0.10@10"                                            },
    {"a host that was sent to before its lease",
     "0 answer 10.0.0.9@9/80 10.0.0.50/5000\n0 role 10.0.0.50 10.0.0.9@9 http read\n1 host @10\n"
     "2 fact @10 - dhcp ip 10.0.0.50\n3 host 10.0.0.50@10",                                                                                        NULL, "10.0.0.50@10 10.0.0.9"                                             },
    {"a poisoner of one that has two addresses",
     "0 arp 10.0.0.1@11 10.0.0.2\n0 arp 10.9.0.1@11 10.9.0.2\n1 host 10.0.0.66@66\n"
     "2 arpreply 10.0.0.1@66 10.0.0.2",                                                                                                            NULL, "10.0.0.1,10.9.0.1@11 10.0.0.66@66"                                 },
    {"a poisoner that tells its own address last",
     "0 arp 10.0.0.1@11 10.0.0.2\n2 arpreply 10.0.0.1@66 10.0.0.2\n3 host 10.0.0.66@66 - nearby",                                                  NULL, "10.0.0.1@11 10.0.0.66@66"                                          },
    {"a gateway that carried the internet's before it was asked for",
     "0 arp 10.0.0.9@9 10.0.0.1\n1 host 8.8.8.8@fe\n2 host 10.0.0.1@fe\n2 arp 10.0.0.1@fe 10.0.0.9",                                               NULL, "10.0.0.1@fe 10.0.0.9@9 8.8.8.8"                                    },
    {"temporary addresses without end",
     "0 host 10.0.0.9@9\n1 host fe80::9@9\n2 host 2001:db8::1@9\n3 host 2001:db8::2@9\n"
     "4 host 2001:db8::3@9\n5 host 2001:db8::4@9\n6 host 2001:db8::5@9\n7 host 2001:db8::6@9\n"
     "8 host 2001:db8::7@9\n9 host 2001:db8::8@9",                                                                                                 NULL,
     "10.0.0.9,fe80::9,2001:db8::3,2001:db8::4,2001:db8::5,2001:db8::6,2001:db8::7,2001:db8::8@9"                                                                                                                            },
    {"a link-local address is of whoever sends from it",
     "0 answer fe80::9/135 fe80::8/5000\n1 host 10.0.0.9@9\n2 host fe80::9@9",                                                                     NULL,
     "10.0.0.9,fe80::9@9"                                                                                                                                                                                                    },
    {"one MAC in two machines cannot be told apart",
     "0 arp 10.0.0.5@10 10.0.0.1\n1 arp 10.0.0.6@10 10.0.0.1",                                                                                     NULL, "10.0.0.5,10.0.0.6@10"                                              },
    {"the broadcast address sends nothing of its own",
     "0 host 10.0.0.5@10\n1 host 10.0.0.255@10\n2 host 10.0.0.255@20",                                                                             NULL, "10.0.0.5@10 @20"                                                   },
};

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void print_device(char *out, const struct asset *a)
{
    size_t used = 0;
    char text[ADDRESS_TEXT_SIZE];
    out[0] = '\0';
    for (size_t i = 0; i < a->ip_count; i++) {
        address_print(text, &a->ips[i]);
        used += (size_t)snprintf(out + used, DEVICE_TEXT - used, "%s%s", i ? "," : "", text);
    }
    for (size_t i = 0; i < a->mac_count; i++)
        used += mac_is_virtual_router(&a->macs[i])
                    ? (size_t)snprintf(out + used, DEVICE_TEXT - used, "%sv", i ? "," : "@")
                    : (size_t)snprintf(out + used, DEVICE_TEXT - used, "%s%x", i ? "," : "@",
                                       a->macs[i].bytes[5]);
    snprintf(out + used, DEVICE_TEXT - used, "%s", a->flags & ASSET_ROUTER ? "!" : "");
}

static void print_devices(char *out, size_t capacity, const struct inventory *inv)
{
    static char devices[DEVICES_MAX][DEVICE_TEXT];
    size_t count = 0, used = 0;
    for (size_t i = 0; i < inv->assets.count; i++) {
        if (!inv->assets.list[i].is_used)
            continue;
        ck_assert_uint_lt(count, DEVICES_MAX);
        print_device(devices[count++], &inv->assets.list[i]);
    }
    qsort(devices, count, DEVICE_TEXT, by_text);
    out[0] = '\0';
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(out + used, capacity - used, "%s%s", i ? " " : "", devices[i]);
}

START_TEST(devices_are)
{
    const struct row *row = &rows[_i];
    struct collected findings = {.count = 0};
    struct finding_sink sink;
    char devices[TEXT_MAX];
    struct inventory *inv = create(MODE_LEARN, &findings, &sink, 60);
    int64_t ticked = feed(inv, row->learned, START);
    run_on(&ticked, inv, 10);
    if (row->later) {
        inv = reload(inv, MODE_DETECT, &findings, &sink);
        ticked = feed(inv, row->later, ticked);
        run_on(&ticked, inv, 10);
    }
    print_devices(devices, sizeof devices, inv);
    ck_assert_msg(strcmp(devices, row->devices) == 0, "%s: %s", row->shows, devices);
    inventory_places(inv); /* into another store: all of them */
    inv = reload(inv, MODE_LEARN, &findings, &sink);
    print_devices(devices, sizeof devices, inv);
    ck_assert_msg(strcmp(devices, row->devices) == 0, "%s, from the store: %s", row->shows,
                  devices);
    inventory_destroy(inv);
}
END_TEST

/* Two devices with one address: what is told with a MAC is of the one that has it, what is told
 * without one of the one heard last. */
START_TEST(facts_go_to_the_right_one)
{
    static const struct {
        const char *host, *vendor;
    } expected[] = {
        {"10.0.0.5@10", "Old"  },
        {"10.0.0.5@20", "New"  },
        {"10.0.0.5",    "New"  },
        {"10.0.0.6",    "Other"},
    };
    struct collected findings = {.count = 0};
    struct finding_sink sink;
    struct inventory *inv = create(MODE_LEARN, &findings, &sink, 60);
    feed(inv,
         "0 arp 10.0.0.5@10 10.0.0.1\n0 arp 10.0.0.6@60 10.0.0.1\n1 fact 10.0.0.5@10 - modbus "
         "vendor "
         "Old\n2 arp 10.0.0.5@20 10.0.0.1\n3 fact 10.0.0.5@20 - modbus vendor New\n"
         "4 fact 10.0.0.6@fe - modbus vendor Other",
         START);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        struct endpoint e;
        struct asset_brief brief;
        endpoint_parse(&e, expected[i].host);
        ck_assert(inventory_describe(inv, 0, &e, &brief));
        ck_assert_msg(strcmp(brief.vendor, expected[i].vendor) == 0, "%s: %s", expected[i].host,
                      brief.vendor);
    }
    inventory_destroy(inv);
}
END_TEST

/* A device in another's place is another one at once: it says nothing of the old one. */
START_TEST(the_new_one_speaks_for_itself)
{
    struct collected findings = {.count = 0};
    struct finding_sink sink;
    struct asset_brief before, after;
    struct endpoint old, new;
    endpoint_parse(&old, "10.0.0.5@10");
    endpoint_parse(&new, "10.0.0.5@20");
    struct inventory *inv = create(MODE_LEARN, &findings, &sink, 60);
    int64_t ticked =
        feed(inv, "0 arp 10.0.0.5@10 10.0.0.1\n1 fact 10.0.0.5@10 - modbus vendor Old", START);
    inv = reload(inv, MODE_DETECT, &findings, &sink);
    ticked = feed(inv,
                  "100 host 10.0.0.5@20\n100 arp 10.0.0.5@20 10.0.0.1\n"
                  "100.1 fact 10.0.0.5@20 - modbus vendor New",
                  ticked);
    run_on(&ticked, inv, 20);
    ck_assert(inventory_describe(inv, 0, &old, &before) &&
              inventory_describe(inv, 0, &new, &after));
    ck_assert_str_eq(before.vendor, "Old");
    ck_assert_str_eq(after.vendor, "New");
    ck_assert_uint_eq(findings.count, 1);
    ck_assert_str_eq(detection_kind(findings.list[0].detection)->id, "asset.ip-mac-changed");
    inventory_destroy(inv);
}
END_TEST

/* Nothing is seen between the claim and its end, minutes later. */
START_TEST(decided_late)
{
    struct collected findings = {.count = 0};
    struct finding_sink sink;
    char devices[TEXT_MAX];
    struct inventory *inv = create(MODE_LEARN, &findings, &sink, 60);
    feed(inv, "0 arp 10.0.0.5@10 10.0.0.1", START);
    inv = reload(inv, MODE_DETECT, &findings, &sink);
    const int64_t never = START + 86400 * SECOND;
    feed(inv, "1000 host 10.0.0.5@20\n1000 arp 10.0.0.5@20 10.0.0.1", never);
    inventory_tick(inv, START + 1300 * SECOND, false);
    print_devices(devices, sizeof devices, inv);
    ck_assert_str_eq(devices, "10.0.0.5@10 10.0.0.5@20");
    ck_assert_uint_eq(findings.count, 1);
    inventory_destroy(inv);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("addresses");
    TCase *tc = tcase_create("addresses");
    tcase_add_loop_test(tc, devices_are, 0, (int)(sizeof rows / sizeof *rows));
    tcase_add_test(tc, facts_go_to_the_right_one);
    tcase_add_test(tc, the_new_one_speaks_for_itself);
    tcase_add_test(tc, decided_late);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
