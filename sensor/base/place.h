/* place.h: where a device stands in the plant and what it is there for, as the site's policy says.
 */
#pragma once

#include "address.h"

#include <stdbool.h>
#include <stdint.h>

enum { PLACE_NAME = 64, LEVEL_UNKNOWN = -1 };

struct site_place {
    char zone[PLACE_NAME]; /* "": in none */
    int16_t level;         /* Purdue level in tenths: 35 is 3.5; LEVEL_UNKNOWN */
    bool is_safety, is_critical, is_engineering;
};

/* Looks a host up; false when the policy knows nothing of it. vlan is VLAN_NONE when not known. */
typedef bool place_find(void *context, const struct endpoint *host, uint16_t vlan,
                        struct site_place *place);

/* "3.5"; "" for LEVEL_UNKNOWN. Returns out. */
static inline char *level_print(char out[4], int level)
{
    int i = 0;
    if (level >= 0 && level < 100) {
        out[i++] = (char)('0' + level / 10);
        if (level % 10) {
            out[i++] = '.';
            out[i++] = (char)('0' + level % 10);
        }
    }
    out[i] = '\0';
    return out;
}
