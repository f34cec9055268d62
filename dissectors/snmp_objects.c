/* snmp_objects.c: names, values and identity in SNMP's variables.
 *
 * Spec: [1213] RFC 1213 3.5, [6933] RFC 6933 (entPhysicalTable), [2578] RFC 2578 7.1 (types),
 *       [3411] RFC 3411 5 (engine ids); vendors: IANA's private enterprise numbers */
#include "snmp.h"

#include "self_description.h"

enum {
    TAG_IP = 0x40,
    TAG_COUNTER = 0x41,
    TAG_GAUGE = 0x42,
    TAG_TIME = 0x43,
    TAG_COUNTER_64 = 0x46,
    OID_PARTS_MAX = 40,
    OID_TEXT_MAX = 160,
    NUMBER_SIZE = 8,
};

static const struct {
    uint32_t number;
    const char *vendor, *os;
} enterprises[] = {
    {9,     "Cisco",               NULL     },
    {11,    "Hewlett-Packard",     NULL     },
    {95,    "Rockwell Automation", NULL     },
    {171,   "D-Link",              NULL     },
    {248,   "Hirschmann",          NULL     },
    {311,   "Microsoft",           "Windows"},
    {318,   "APC",                 NULL     },
    {534,   "Eaton",               NULL     },
    {674,   "Dell",                NULL     },
    {890,   "Zyxel",               NULL     },
    {1916,  "Extreme Networks",    NULL     },
    {2011,  "Huawei",              NULL     },
    {2636,  "Juniper",             NULL     },
    {3833,  "Schneider Electric",  NULL     },
    {4196,  "Siemens",             NULL     },
    {4329,  "Siemens",             NULL     },
    {4346,  "Phoenix Contact",     NULL     },
    {4526,  "Netgear",             NULL     },
    {6574,  "Synology",            NULL     },
    {8691,  "Moxa",                NULL     },
    {12356, "Fortinet",            NULL     },
    {13576, "WAGO",                NULL     },
    {14988, "MikroTik",            NULL     },
    {15004, "RuggedCom",           NULL     },
    {16177, "Westermo",            NULL     },
    {24681, "QNAP",                NULL     },
    {25506, "H3C",                 NULL     },
    {41112, "Ubiquiti",            NULL     },
};

static const uint32_t enterprise_root[] = {1, 3, 6, 1, 4, 1};
static const uint32_t system_root[] = {1, 3, 6, 1, 2, 1, 1};
static const uint32_t entity_root[] = {1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1};
static const uint32_t net_snmp_linux[] = {1, 3, 6, 1, 4, 1, 8072, 3, 2, 10};

enum { PARTS_OF_SYSTEM = 7, PARTS_OF_ENTITY = 11, PARTS_OF_ENTERPRISE = 6, PARTS_OF_LINUX = 10 };

/* Reads the parts of an OID; 0: broken, or more parts than there is room for. X.690 8.19 */
static size_t oid_parts(struct reader oid, uint32_t parts[OID_PARTS_MAX])
{
    size_t count = 0;
    while (reader_left(&oid)) {
        uint64_t part = 0;
        uint8_t byte;
        do {
            byte = reader_u8(&oid);
            part = part << 7 | (byte & 0x7f);
        } while ((byte & 0x80) && part <= UINT32_MAX && reader_left(&oid));
        if ((byte & 0x80) || part > UINT32_MAX || count + 2 > OID_PARTS_MAX)
            return 0;
        if (count == 0) {
            uint32_t first = part < 80 ? (uint32_t)part / 40 : 2;
            parts[count++] = first;
            part -= first * UINT64_C(40);
        }
        parts[count++] = (uint32_t)part;
    }
    return count;
}

struct text snmp_oid_text(struct dissect *d, struct reader oid)
{
    uint32_t parts[OID_PARTS_MAX];
    char line[OID_TEXT_MAX];
    size_t count = oid_parts(oid, parts), at = sizeof line;
    while (count > 0) {
        uint32_t part = parts[--count];
        do {
            if (at < 2)
                return (struct text){NULL, 0};
            line[--at] = (char)('0' + part % 10);
            part /= 10;
        } while (part);
        if (count > 0)
            line[--at] = '.';
    }
    char *copy = arena_take(d->arena, sizeof line - at);
    if (!copy || at == sizeof line)
        return (struct text){NULL, 0};
    memcpy(copy, line + at, sizeof line - at);
    return (struct text){copy, sizeof line - at};
}

/* A number in the eight bytes that its encoding wants. */
static struct ot_values number(struct dissect *d, uint64_t n, enum ot_encoding encoding)
{
    uint8_t *bytes = arena_take(d->arena, NUMBER_SIZE);
    if (!bytes)
        return (struct ot_values){0};
    for (size_t i = 0; i < NUMBER_SIZE; i++)
        bytes[i] = (uint8_t)(n >> 8 * i);
    return (struct ot_values){encoding, 1, bytes, NUMBER_SIZE};
}

struct ot_values snmp_values(struct dissect *d, const struct ber *value)
{
    struct reader r = value->value;
    size_t size = reader_left(&r);
    struct text text;
    switch (value->tag) {
    case BER_INTEGER:
        return number(d, (uint64_t)ber_signed(r), VALUES_I64LE);
    case TAG_COUNTER:
    case TAG_GAUGE:
    case TAG_TIME:
    case TAG_COUNTER_64:
        return number(d, ber_unsigned(r), VALUES_U64LE);
    case TAG_IP:
        text = facts_ip(d, r);
        return (struct ot_values){VALUES_TEXT, 1, (const uint8_t *)text.at, text.size};
    case BER_OID:
        text = snmp_oid_text(d, r);
        return (struct ot_values){VALUES_TEXT, 1, (const uint8_t *)text.at, text.size};
    case BER_OCTETS:
        text = ascii_of(r);
        return (struct ot_values){ascii_is_printable(text) ? VALUES_TEXT : VALUES_BYTES, size > 0,
                                  r.at, size};
    default:
        return (struct ot_values){0};
    }
}

const char *snmp_exception(uint8_t tag)
{
    static const char *const names[] = {"no_such_object", "no_such_instance", "end_of_view"};
    return names[tag - SNMP_NO_OBJECT];
}

static bool is_below(const uint32_t *parts, size_t count, const uint32_t *root, size_t size)
{
    return count > size && memcmp(parts, root, size * sizeof *root) == 0;
}

static void enterprise_facts(struct facts *f, uint32_t enterprise)
{
    for (size_t i = 0; i < sizeof enterprises / sizeof *enterprises; i++) {
        if (enterprises[i].number != enterprise)
            continue;
        facts_add(f, FACT_VENDOR, text_of(enterprises[i].vendor));
        facts_add(f, FACT_OS, text_of(enterprises[i].os));
    }
}

struct text snmp_vendor(struct reader oid)
{
    uint32_t parts[OID_PARTS_MAX];
    struct facts f = {.count = 0};
    if (is_below(parts, oid_parts(oid, parts), enterprise_root, PARTS_OF_ENTERPRISE))
        enterprise_facts(&f, parts[PARTS_OF_ENTERPRISE]);
    return f.count ? f.list[0].value : (struct text){NULL, 0};
}

static void object_id_facts(struct facts *f, struct reader oid)
{
    uint32_t parts[OID_PARTS_MAX];
    size_t count = oid_parts(oid, parts);
    if (count >= PARTS_OF_LINUX && memcmp(parts, net_snmp_linux, sizeof net_snmp_linux) == 0)
        facts_add(f, FACT_OS, TEXT("Linux"));
    if (is_below(parts, count, enterprise_root, PARTS_OF_ENTERPRISE))
        enterprise_facts(f, parts[PARTS_OF_ENTERPRISE]);
}

/* [1213] 3.5: | system | object | 0 | */
static void system_facts(struct facts *f, uint32_t object, const struct ber *value)
{
    enum { DESCRIPTION = 1, OBJECT_ID = 2, NAME = 5, LOCATION = 6 };
    struct text text = ascii_of(value->value);
    if (object == OBJECT_ID && value->tag == BER_OID)
        object_id_facts(f, value->value);
    else if (value->tag != BER_OCTETS)
        return;
    else if (object == DESCRIPTION)
        self_description_facts(f, text);
    else if (object == NAME)
        facts_add(f, FACT_HOST_NAME, text);
    else if (object == LOCATION)
        facts_add(f, FACT_LOCATION, text);
}

/* [6933]: | entPhysicalEntry | column | index |. The chassis has one of these indices at most
 * vendors; modules have others. */
static void entity_facts(struct facts *f, uint32_t column, uint32_t index, const struct ber *value)
{
    enum { CHASSIS = 1, CHASSIS_OF_STACK = 1001 };
    static const struct {
        uint8_t column;
        enum fact_kind kind;
    } columns[] = {
        {7,  FACT_MODULE_NAME},
        {8,  FACT_HARDWARE   },
        {9,  FACT_FIRMWARE   },
        {10, FACT_SOFTWARE   },
        {11, FACT_SERIAL     },
        {12, FACT_VENDOR     },
        {13, FACT_PRODUCT    },
    };
    if ((index != CHASSIS && index != CHASSIS_OF_STACK) || value->tag != BER_OCTETS)
        return;
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        if (columns[i].column == column)
            facts_add(f, columns[i].kind, ascii_of(value->value));
}

void snmp_facts(struct facts *f, struct reader oid, const struct ber *value)
{
    uint32_t parts[OID_PARTS_MAX];
    size_t count = oid_parts(oid, parts);
    if (count == PARTS_OF_SYSTEM + 2 && is_below(parts, count, system_root, PARTS_OF_SYSTEM) &&
        parts[count - 1] == 0)
        system_facts(f, parts[PARTS_OF_SYSTEM], value);
    else if (count == PARTS_OF_ENTITY + 2 && is_below(parts, count, entity_root, PARTS_OF_ENTITY))
        entity_facts(f, parts[PARTS_OF_ENTITY], parts[count - 1], value);
}

/* [3411] 5: | enterprise 4, first bit set | format 1: 1 IPv4, 2 IPv6, 3 MAC, 4 text | ... | */
void snmp_engine_facts(struct dissect *d, struct facts *f, struct reader engine)
{
    enum { IS_NEW = 0x80, FORMAT_IP4 = 1, FORMAT_IP6 = 2, FORMAT_MAC = 3 };
    bool is_new = reader_peek(&engine) & IS_NEW;
    uint32_t enterprise = reader_u32be(&engine) & 0x7fffffff;
    if (!reader_ok(&engine))
        return;
    enterprise_facts(f, enterprise);
    uint8_t format = reader_u8(&engine);
    if (!is_new)
        return;
    if (format == FORMAT_MAC && reader_left(&engine) == sizeof(struct mac))
        facts_add(f, FACT_MAC, facts_mac(d, engine.at));
    else if (format == FORMAT_IP4 || format == FORMAT_IP6)
        facts_add(f, FACT_IP, facts_ip(d, engine));
}
