/* tls_inside.c: see tls_inside.h. PROTOCOLS 2 lists the ports. */
#include "tls_inside.h"

static const struct {
    uint16_t port;
    const char *what;
} ports[] = {
    {802,   "modbus by its port"             },
    {2221,  "enip (CIP Security) by its port"},
    {3782,  "mms by its port"                },
    {4843,  "opcua by its port"              },
    {4911,  "fox by its port"                },
    {8016,  "ads by its port"                },
    {8883,  "mqtt by its port"               },
    {19998, "iec104 by its port"             },
    {19999, "dnp3 by its port"               },
};

struct text tls_inside(uint16_t port)
{
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++)
        if (ports[i].port == port)
            return text_of(ports[i].what);
    return (struct text){NULL, 0};
}
