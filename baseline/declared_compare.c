/* declared_compare.c: see declared_compare.h. People write "S7 315-2 EH14", "v2.8" and "Siemens
 * AG"; devices say the same with other blanks and dashes. */
#include "declared_compare.h"

#include "asset.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SURE = 60 }; /* a class that is less likely proves nothing */

/* --- texts --- */

/* The next letter or digit, in lower case, or one of `also`; 0 at the end. Bytes of UTF-8 count. */
static int next_sign(const char **at, const char *also)
{
    for (; **at != '\0'; (*at)++) {
        unsigned char c = (unsigned char)**at;
        if (c >= 0x80 || isalnum(c) || strchr(also, c)) {
            (*at)++;
            return tolower(c);
        }
    }
    return 0;
}

static bool is_same_text(const char *a, const char *b, const char *also)
{
    int x, y;
    do {
        x = next_sign(&a, also);
        y = next_sign(&b, also);
    } while (x == y && x != 0);
    return x == y;
}

/* "Siemens" and "Siemens AG" */
static bool is_same_vendor(const char *a, const char *b)
{
    const char *short_one = strlen(a) < strlen(b) ? a : b, *long_one = short_one == a ? b : a;
    size_t size = strlen(short_one);
    return is_same_text(a, b, "") ||
           (strncasecmp(short_one, long_one, size) == 0 && !isalnum((unsigned char)long_one[size]));
}

static bool is_same_version(const char *a, const char *b)
{
    a += tolower((unsigned char)a[0]) == 'v';
    b += tolower((unsigned char)b[0]) == 'v';
    return is_same_text(a, b, ".");
}

/* "hmi-a" and "hmi-a.plant.example" */
static bool is_same_host(const char *a, const char *b)
{
    size_t x = strcspn(a, "."), y = strcspn(b, ".");
    bool is_short = a[x] == '\0' || b[y] == '\0';
    return strcasecmp(a, b) == 0 || (is_short && x == y && strncasecmp(a, b, x) == 0);
}

/* --- lists --- */

static bool has_one(const char *list, const char *value, size_t size)
{
    while (*list != '\0') {
        size_t length = strcspn(list, ";");
        if (length == size && strncasecmp(list, value, size) == 0)
            return true;
        list += length + (list[length] == ';');
    }
    return false;
}

/* Whether two lists have a value in common. */
static bool meets(const char *declared, const char *seen)
{
    while (*declared != '\0') {
        size_t size = strcspn(declared, ";");
        if (has_one(seen, declared, size))
            return true;
        declared += size + (declared[size] == ';');
    }
    return false;
}

/* --- columns --- */

static bool is_one_of_addresses(const char *declared, const char *first, const char *others)
{
    return first[0] == '\0' || meets(declared, first) || meets(declared, others);
}

/* In the words of the inventory; NULL: it has no such class. */
static const char *class_of(const char *declared)
{
    static const char *const classes[] = {
        "plc",
        "rtu",
        "ied",
        "io-device",
        "drive",
        "hmi",
        "engineering",
        "historian",
        "server",
        "switch",
        "router",
        "gateway",
        "sensor-actuator",
        "camera",
        "printer",
        "pc",
    };
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (is_same_text(declared, classes[i], ""))
            return classes[i];
    return asset_class_of_words(declared);
}

static bool is_class_sure(const struct asset_cells *asset)
{
    const char *confidence = asset->cells[ASSET_COLUMN_confidence];
    return strncmp(confidence, "class ", 6) != 0 || atoi(confidence + 6) >= SURE;
}

static bool is_same_class(const char *declared, const struct asset_cells *asset)
{
    const char *seen = asset->cells[ASSET_COLUMN_asset_class], *meant = class_of(declared);
    return !meant || strcmp(seen, "unknown") == 0 || strcmp(seen, meant) == 0 ||
           !is_class_sure(asset);
}

static bool is_same_role(const char *declared, const struct asset_cells *asset)
{
    static const char known[] = "controller;io;engineering;operator;reader;scanner;router;"
                                "time-source;name-server;address-server;broker";
    return has_one(known, declared, strlen(declared))
               ? has_one(asset->cells[ASSET_COLUMN_role], declared, strlen(declared))
               : is_same_class(declared, asset);
}

static bool is_same_name(const char *declared, const struct asset_cells *asset)
{
    const char *list = asset->cells[ASSET_COLUMN_protocol_names];
    return is_same_text(declared, asset->cells[ASSET_COLUMN_name], "") ||
           is_same_host(declared, asset->cells[ASSET_COLUMN_hostname]) ||
           has_one(list, declared, strlen(declared));
}

static bool is_guess(const struct asset_cells *asset, enum asset_column column)
{
    return (column == ASSET_COLUMN_vendor &&
            strstr(asset->cells[column], ASSET_GUESS_MARK) != NULL) ||
           (column == ASSET_COLUMN_purdue_level &&
            strstr(asset->cells[ASSET_COLUMN_sources], "purdue_level: inferred") != NULL);
}

bool declared_is_same(enum asset_column column, const char *declared,
                      const struct asset_cells *asset)
{
    const char *seen = asset->cells[column];
    if (declared[0] == '\0' || seen[0] == '\0' || is_guess(asset, column))
        return true;
    switch (column) {
    case ASSET_COLUMN_ip:
        return is_one_of_addresses(declared, seen, asset->cells[ASSET_COLUMN_ip_other]);
    case ASSET_COLUMN_mac:
        return is_one_of_addresses(declared, seen, asset->cells[ASSET_COLUMN_mac_other]);
    case ASSET_COLUMN_vlan:
        return meets(declared, seen);
    case ASSET_COLUMN_asset_class:
        return is_same_class(declared, asset);
    case ASSET_COLUMN_role:
        return is_same_role(declared, asset);
    case ASSET_COLUMN_name:
        return is_same_name(declared, asset);
    case ASSET_COLUMN_hostname:
        return is_same_host(declared, seen);
    case ASSET_COLUMN_vendor:
        return is_same_vendor(declared, seen);
    case ASSET_COLUMN_hardware_version:
    case ASSET_COLUMN_firmware_version:
    case ASSET_COLUMN_software_version:
        return is_same_version(declared, seen);
    default:
        return is_same_text(declared, seen, "");
    }
}
