/* cip_identity.c: vendor, product, revision and state of a CIP device.
 *
 * Spec: [CIP1] CIP Networks Library, Volume 1, 5-2: Identity Object; 6-1: device profiles
 *       [DATA] Rockwell 1756-PM020 and field captures: mode and key switch in the status word of
 * controllers */
#include "cip_identity.h"

/* vendor, type, name, catalogue number, revision, serial number, mode, key switch */
enum { FACTS_MAX = 8 };

enum { ATTRIBUTE_FIRST = 1, ATTRIBUTE_LAST = 7 };

struct named {
    uint16_t number;
    const char *name;
};

/* numbers given by ODVA */
static const struct named vendors[] = {
    {1,   "Rockwell Automation/Allen-Bradley"    },
    {5,   "Rockwell Automation/Reliance Electric"},
    {26,  "Festo"                                },
    {34,  "SMC"                                  },
    {40,  "WAGO"                                 },
    {46,  "ABB"                                  },
    {47,  "Omron"                                },
    {48,  "Turck"                                },
    {50,  "Danfoss"                              },
    {58,  "Rockwell Software"                    },
    {77,  "Rockwell Software"                    },
    {90,  "HMS Industrial Networks"              },
    {108, "Beckhoff Automation"                  },
    {145, "Siemens"                              },
    {161, "Mitsubishi Electric"                  },
    {243, "Schneider Electric"                   },
    {253, "Endress+Hauser"                       },
    {283, "Hilscher"                             },
    {309, "ProSoft Technology"                   },
    {356, "Fanuc Robotics"                       },
    {562, "Phoenix Contact"                      },
    {678, "Cognex"                               },
    {808, "SICK"                                 },
};

/* [CIP1] 6-1 */
static const struct named device_types[] = {
    {0x02, "AC drive"                     },
    {0x03, "motor overload"               },
    {0x04, "limit switch"                 },
    {0x07, "discrete I/O"                 },
    {0x09, "resolver"                     },
    {0x0c, "communications adapter"       },
    {0x0e, "programmable logic controller"},
    {0x10, "position controller"          },
    {0x13, "DC drive"                     },
    {0x15, "contactor"                    },
    {0x16, "motor starter"                },
    {0x17, "softstart"                    },
    {0x18, "human-machine interface"      },
    {0x1a, "mass flow controller"         },
    {0x1b, "pneumatic valve"              },
    {0x22, "encoder"                      },
    {0x23, "safety discrete I/O"          },
    {0x25, "motion drive"                 },
    {0x2a, "safety I/O"                   },
    {0x2b, "generic device"               },
    {0x2c, "managed Ethernet switch"      },
    {0x32, "CIP modbus device"            },
    {0xc8, "embedded component"           },
};

static const char *named_find(const struct named *list, size_t count, uint16_t number)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].number == number)
            return list[i].name;
    return NULL;
}

static const char *vendor_name(uint16_t vendor)
{
    return named_find(vendors, sizeof vendors / sizeof *vendors, vendor);
}

static const char *device_type_name(uint16_t type)
{
    return named_find(device_types, sizeof device_types / sizeof *device_types, type);
}

bool cip_identity_read(struct reader *r, uint16_t attribute, struct cip_identity *identity)
{
    switch (attribute) {
    case 1:
        identity->vendor = reader_u16le(r);
        break;
    case 2:
        identity->device_type = reader_u16le(r);
        break;
    case 3:
        identity->product_code = reader_u16le(r);
        break;
    case 4:
        identity->major = reader_u8(r);
        identity->minor = reader_u8(r);
        break;
    case 5:
        identity->status = reader_u16le(r);
        break;
    case 6:
        identity->serial = reader_u32le(r);
        break;
    case 7:
        identity->name.size = reader_u8(r);
        identity->name.at = (const char *)reader_bytes(r, identity->name.size);
        break;
    default:
        return false;
    }
    if (!reader_ok(r))
        return false;
    identity->has |= 1u << attribute;
    return true;
}

bool cip_identity_read_all(struct reader *r, struct cip_identity *identity)
{
    for (uint16_t i = ATTRIBUTE_FIRST; i <= ATTRIBUTE_LAST; i++)
        if (!cip_identity_read(r, i, identity))
            return false;
    return true;
}

/* "1756-L71/B LOGIX5571" begins with the catalogue number; empty when the first word is none. */
static struct text catalogue_number(struct text name)
{
    bool has_digit = false, has_dash = false;
    size_t n = 0;
    for (; n < name.size && name.at[n] != ' '; n++) {
        has_digit |= name.at[n] >= '0' && name.at[n] <= '9';
        has_dash |= name.at[n] == '-';
    }
    return has_digit && has_dash ? (struct text){name.at, n} : (struct text){NULL, 0};
}

/* Controllers of Rockwell use the vendor's bits 12 and 13 for the key switch; only then bits 4 to 7
 * tell the mode of the processor and not that of some connection. */
static const char *key_switch_of(uint16_t status)
{
    static const char *const keys[] = {NULL, "run", "program", "remote"};
    return keys[status >> 12 & 3];
}

static const char *mode_of(uint16_t status)
{
    if (status & 0x0c00) /* [CIP1] 5-2: major fault, recoverable or not */
        return "fault";
    if (!key_switch_of(status))
        return NULL;
    switch (status >> 4 & 15) {
    case 6:
        return "run";
    case 7:
        return "program";
    default:
        return NULL;
    }
}

struct facts {
    struct ot_fact *at;
    uint32_t count, room;
};

static void add(struct facts *facts, enum fact_kind kind, struct text value)
{
    if (value.size && facts->count < facts->room)
        facts->at[facts->count++] = (struct ot_fact){.kind = kind, .value = value};
}

static struct text name_or_number(struct dissect *d, const char *name, uint16_t number,
                                  const char *what)
{
    return name ? text_of(name) : dissect_text(d, "%s %u", what, number);
}

void cip_identity_facts(struct dissect *d, const struct cip_identity *identity,
                        struct ot_event *event)
{
    struct facts facts = {.room = FACTS_MAX};
    if (!(identity->has & ~1u))
        return;
    facts.at = dissect_facts(d, &facts.room);
    if (identity->has & 1u << 1)
        add(&facts, FACT_VENDOR,
            name_or_number(d, vendor_name(identity->vendor), identity->vendor, "CIP vendor"));
    if (identity->has & 1u << 2)
        add(&facts, FACT_DEVICE_TYPE,
            name_or_number(d, device_type_name(identity->device_type), identity->device_type,
                           "CIP device type"));
    struct text name = identity->has & 1u << 7 ? identity->name : (struct text){NULL, 0};
    struct text order = catalogue_number(name);
    add(&facts, FACT_PRODUCT, name);
    if (order.size)
        add(&facts, FACT_ORDER_NUMBER, order);
    else if (identity->has & 1u << 3)
        add(&facts, FACT_ORDER_NUMBER, dissect_text(d, "%u", identity->product_code));
    if (identity->has & 1u << 4)
        add(&facts, FACT_FIRMWARE, dissect_text(d, "%u.%u", identity->major, identity->minor));
    if (identity->has & 1u << 6)
        add(&facts, FACT_SERIAL, dissect_text(d, "%08x", identity->serial));
    if (identity->has & 1u << 5) {
        add(&facts, FACT_MODE, text_of(mode_of(identity->status)));
        add(&facts, FACT_KEY_SWITCH, text_of(key_switch_of(identity->status)));
    }
    event->facts = facts.at;
    event->fact_count = facts.count;
}
