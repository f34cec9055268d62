/* cip_objects.c: what the attributes of Identity, TCP/IP Interface, Ethernet Link, the Logix
 * controller and its clock say about a device.
 *
 * Spec: [CIP1] CIP Networks Library, Volume 1, 5-2: Identity
 *       [CIP2] Volume 2, 5-4: TCP/IP Interface, 5-5: Ethernet Link
 *       [CAP]  captures of Logix controllers: class 0x64 begins with the controller's name and
 *              description, attribute 1 of class 0x6b is a tag's name, attribute 6 of class 0x8b
 *              counts microseconds since 1970 */
#include "cip_objects.h"

#include "cip_identity.h"
#include "sensor/base/json_writer.h"

enum {
    CLASS_IDENTITY = 0x01,
    CLASS_CONTROLLER = 0x64,
    CLASS_SYMBOL = 0x6b,
    CLASS_CLOCK = 0x8b,
    CLASS_TCP_IP = 0xf5,
    CLASS_ETHERNET = 0xf6,

    TCP_IP_INTERFACE = 5,
    TCP_IP_HOST_NAME = 6,
    ETHERNET_MAC = 3,
    SYMBOL_NAME = 1,
    CLOCK_MICROSECONDS = 6,
    FACTS_MAX = 4,
    NAME_MAX = 64,
};

struct facts {
    struct ot_fact *at;
    uint32_t count, room;
};

static void add(struct facts *facts, enum fact_kind kind, struct text value)
{
    if (value.size && facts->count < facts->room)
        facts->at[facts->count++] = (struct ot_fact){.kind = kind, .value = value};
}

/* size 2, characters */
static struct text string_read(struct reader *r)
{
    size_t size = reader_u16le(r);
    const char *at = (const char *)reader_bytes(r, size);
    return at ? (struct text){at, size} : (struct text){NULL, 0};
}

/* [CIP2] 5-4.3.2.5: an address is a little endian number */
static struct text address_text(struct dissect *d, uint32_t a)
{
    if (a == 0)
        return (struct text){NULL, 0};
    return dissect_text(d, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
}

/* | address 4 | mask 4 | gateway 4 | name servers 8 | domain name | */
static struct text interface_address(struct dissect *d, struct reader *r)
{
    struct text address = address_text(d, reader_u32le(r));
    reader_skip(r, 16);
    struct text domain = string_read(r);
    if (domain.size % 2 != 0) /* [CIP2] 5-4.3.2.5: padded to even */
        reader_skip(r, 1);
    return address;
}

static void tcp_ip_facts(struct dissect *d, uint32_t attribute, struct reader r,
                         struct facts *facts)
{
    if (attribute == 0) { /* status, capability, control 4 each, path, interface, host name */
        reader_skip(&r, 12);
        reader_skip(&r, (size_t)reader_u16le(&r) * 2);
    }
    if (attribute == 0 || attribute == TCP_IP_INTERFACE)
        add(facts, FACT_IP, interface_address(d, &r));
    if (attribute == 0 || attribute == TCP_IP_HOST_NAME)
        add(facts, FACT_HOST_NAME, string_read(&r));
}

static void ethernet_facts(struct dissect *d, uint32_t attribute, struct reader r,
                           struct facts *facts)
{
    if (attribute == 0) /* speed 4, flags 4 */
        reader_skip(&r, 8);
    else if (attribute != ETHERNET_MAC)
        return;
    const uint8_t *m = reader_bytes(&r, 6);
    if (m)
        add(facts, FACT_MAC,
            dissect_text(d, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]));
}

static bool is_printable(struct text t)
{
    for (size_t i = 0; i < t.size; i++)
        if (t.at[i] < 0x20 || t.at[i] > 0x7e)
            return false;
    return t.size > 0 && t.size <= NAME_MAX;
}

/* Controllers are named like variables; modules answer the same question with their catalogue
 * number. */
static bool is_identifier(struct text t)
{
    for (size_t i = 0; i < t.size; i++) {
        char c = t.at[i];
        bool is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
        if (!is_letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return t.size > 0 && t.size <= NAME_MAX;
}

static void controller_facts(uint32_t attribute, struct reader r, struct facts *facts)
{
    if (attribute != 0)
        return;
    struct text name = string_read(&r);
    struct text description = string_read(&r);
    if (!is_identifier(name))
        return;
    add(facts, FACT_NAME, name);
    add(facts, FACT_PROGRAM, name);
    if (is_printable(description))
        add(facts, FACT_COMMENT, description);
}

void cip_object_facts(struct dissect *d, uint32_t class_id, uint32_t attribute, struct reader data,
                      struct ot_event *event)
{
    if (class_id == CLASS_IDENTITY) {
        struct cip_identity identity = {0};
        if (attribute == 0)
            (void)cip_identity_read_all(&data, &identity);
        else if (attribute <= 7)
            (void)cip_identity_read(&data, (uint16_t)attribute, &identity);
        cip_identity_facts(d, &identity, event);
        return;
    }
    if (class_id != CLASS_TCP_IP && class_id != CLASS_ETHERNET && class_id != CLASS_CONTROLLER)
        return;
    struct facts facts = {.room = FACTS_MAX};
    facts.at = dissect_facts(d, &facts.room);
    if (class_id == CLASS_TCP_IP)
        tcp_ip_facts(d, attribute, data, &facts);
    else if (class_id == CLASS_ETHERNET)
        ethernet_facts(d, attribute, data, &facts);
    else
        controller_facts(attribute, data, &facts);
    event->facts = facts.at;
    event->fact_count = facts.count;
}

struct text cip_object_setting(struct dissect *d, uint32_t class_id, uint32_t attribute,
                               struct reader data)
{
    struct text nothing = {NULL, 0};
    if (class_id == CLASS_CLOCK && attribute == CLOCK_MICROSECONDS) {
        uint64_t microseconds = reader_u64le(&data);
        if (!reader_ok(&data) || microseconds > INT64_MAX / 1000)
            return nothing;
        char text[TIME_TEXT_SIZE];
        return dissect_text(d, "%s", time_print(text, (int64_t)microseconds * 1000));
    }
    if (class_id == CLASS_TCP_IP && attribute == TCP_IP_INTERFACE) {
        struct text address = interface_address(d, &data);
        return address.size ? dissect_text(d, "IP address %.*s", (int)address.size, address.at)
                            : nothing;
    }
    if (class_id == CLASS_TCP_IP && attribute == TCP_IP_HOST_NAME) {
        struct text name = string_read(&data);
        return is_printable(name) ? dissect_text(d, "host name %.*s", (int)name.size, name.at)
                                  : nothing;
    }
    if (class_id == CLASS_SYMBOL && attribute == SYMBOL_NAME) {
        struct text name = string_read(&data);
        return is_printable(name) ? name : nothing;
    }
    return nothing;
}
