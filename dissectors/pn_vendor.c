/* pn_vendor.c: who makes it. Only numbers that captures show or that makers publish. */
#include "pn_vendor.h"

static const struct {
    uint16_t number;
    const char *name;
} vendors[] = {
    {0x002a, "Siemens"        },
    {0x00b0, "Phoenix Contact"},
    {0x011d, "WAGO"           },
    {0x011e, "Hilscher"       },
    {0x0120, "Beckhoff"       },
    {0x014d, "Festo"          },
};

struct text pn_vendor_name(struct dissect *d, uint16_t vendor)
{
    for (size_t i = 0; i < sizeof vendors / sizeof *vendors; i++)
        if (vendors[i].number == vendor)
            return text_of(vendors[i].name);
    return dissect_text(d, "0x%04x", vendor);
}
