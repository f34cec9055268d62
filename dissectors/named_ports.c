/* named_ports.c: PROTOCOLS 30, "name-only". One row for each range; the vendors' own documents of
 * firewall rules are the source of most. */
#include "named_ports.h"

static const struct {
    uint16_t first, last;
    uint8_t over;
    const char *name;
} rows[] = {
    {1330,  1332,  OVER_TCP,            "factorytalk"      },
    {1541,  1541,  OVER_TCP,            "foxboro_informix" },
    {2757,  2757,  OVER_UDP,            "abb_800xa"        },
    {3060,  3060,  OVER_TCP,            "factorytalk"      },
    {4241,  4241,  OVER_TCP,            "factorytalk"      },
    {4850,  4850,  OVER_TCP,            "experion"         },
    {5050,  5065,  OVER_TCP,            "oasys"            },
    {5313,  5313,  OVER_UDP,            "vnet_ip"          },
    {5413,  5413,  OVER_TCP,            "suitelink"        },
    {5450,  5450,  OVER_TCP,            "pi"               },
    {5457,  5457,  OVER_TCP,            "pi"               },
    {7937,  7937,  OVER_UDP,            "egd_configuration"},
    {9094,  9094,  OVER_TCP,            "mewtocol"         },
    {10005, 10005, OVER_TCP,            "logo_soft"        },
    {10307, 10307, OVER_TCP,            "abb_ranger"       },
    {11001, 11001, OVER_TCP | OVER_UDP, "metasys_n1"       },
    {12135, 12137, OVER_TCP,            "oasys"            },
    {18000, 18000, OVER_TCP,            "genbroker"        },
    {18507, 18519, OVER_TCP | OVER_UDP, "deltav"           },
    {20171, 20171, OVER_TCP,            "centum"           },
    {20174, 20174, OVER_TCP,            "centum"           },
    {22350, 22350, OVER_TCP,            "factorytalk"      },
    {38000, 38000, OVER_TCP,            "snc_gene"         },
    {45678, 45678, OVER_TCP | OVER_UDP, "foxboro_aimapi"   },
    {50001, 50028, OVER_TCP,            "spectrum_power"   },
    {55000, 55003, OVER_UDP,            "fl_net"           },
    {55553, 55553, OVER_TCP,            "experion"         },
    {55555, 55555, OVER_UDP,            "experion"         },
    {55555, 55555, OVER_TCP,            "foxboro_foxapi"   },
    {55556, 55556, OVER_TCP,            "experion"         },
    {62900, 62900, OVER_TCP,            "snc_gene"         },
};

const char *named_port(unsigned over, uint16_t port)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows && rows[i].first <= port; i++)
        if (port <= rows[i].last && (rows[i].over & over))
            return rows[i].name;
    return NULL;
}
