/* test_named_ports.c: PROTOCOLS 30, "name-only": both ends of every range. */
#include "dissectors/named_ports.h"

#include "support/runner.h"

static const struct {
    unsigned over;
    uint16_t port;
    const char *name; /* NULL: none */
} rows[] = {
    {OVER_TCP, 1329,  NULL               },
    {OVER_TCP, 1330,  "factorytalk"      },
    {OVER_TCP, 1332,  "factorytalk"      },
    {OVER_TCP, 1333,  NULL               },
    {OVER_TCP, 1541,  "foxboro_informix" },
    {OVER_UDP, 2757,  "abb_800xa"        },
    {OVER_TCP, 3060,  "factorytalk"      },
    {OVER_TCP, 4241,  "factorytalk"      },
    {OVER_TCP, 4850,  "experion"         },
    {OVER_TCP, 5049,  NULL               },
    {OVER_TCP, 5050,  "oasys"            },
    {OVER_TCP, 5065,  "oasys"            },
    {OVER_TCP, 5066,  NULL               },
    {OVER_UDP, 5313,  "vnet_ip"          },
    {OVER_TCP, 5313,  NULL               },
    {OVER_TCP, 5413,  "suitelink"        },
    {OVER_TCP, 5450,  "pi"               },
    {OVER_TCP, 5451,  NULL               },
    {OVER_TCP, 5457,  "pi"               },
    {OVER_TCP, 9094,  "mewtocol"         },
    {OVER_UDP, 7937,  "egd_configuration"},
    {OVER_TCP, 10005, "logo_soft"        },
    {OVER_TCP, 10307, "abb_ranger"       },
    {OVER_TCP, 11001, "metasys_n1"       },
    {OVER_UDP, 11001, "metasys_n1"       },
    {OVER_TCP, 12134, NULL               },
    {OVER_TCP, 12135, "oasys"            },
    {OVER_TCP, 12137, "oasys"            },
    {OVER_TCP, 12138, NULL               },
    {OVER_TCP, 18000, "genbroker"        },
    {OVER_TCP, 18506, NULL               },
    {OVER_TCP, 18507, "deltav"           },
    {OVER_UDP, 18519, "deltav"           },
    {OVER_UDP, 18520, NULL               },
    {OVER_TCP, 20171, "centum"           },
    {OVER_TCP, 20172, NULL               },
    {OVER_TCP, 20174, "centum"           },
    {OVER_TCP, 22350, "factorytalk"      },
    {OVER_TCP, 38000, "snc_gene"         },
    {OVER_TCP, 45678, "foxboro_aimapi"   },
    {OVER_UDP, 45678, "foxboro_aimapi"   },
    {OVER_TCP, 50000, NULL               },
    {OVER_TCP, 50001, "spectrum_power"   },
    {OVER_TCP, 50028, "spectrum_power"   },
    {OVER_TCP, 50029, NULL               },
    {OVER_UDP, 54999, NULL               },
    {OVER_UDP, 55000, "fl_net"           },
    {OVER_UDP, 55003, "fl_net"           },
    {OVER_UDP, 55004, NULL               },
    {OVER_TCP, 55553, "experion"         },
    {OVER_UDP, 55555, "experion"         },
    {OVER_TCP, 55555, "foxboro_foxapi"   },
    {OVER_TCP, 55556, "experion"         },
    {OVER_TCP, 62900, "snc_gene"         },
    {OVER_TCP, 65535, NULL               },
    {OVER_TCP, 0,     NULL               },
};

START_TEST(names)
{
    const char *name = named_port(rows[_i].over, rows[_i].port);
    ck_assert_msg((!name && !rows[_i].name) ||
                      (name && rows[_i].name && strcmp(name, rows[_i].name) == 0),
                  "%u: %s", rows[_i].port, name ? name : "none");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("named_ports");
    TCase *c = tcase_create("rows");
    tcase_add_loop_test(c, names, 0, sizeof rows / sizeof *rows);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}
