/* pnio_identity.c: what PROFINET IO devices tell about themselves.
 *
 * Spec: [PN] IEC 61158-6-10: I&M0 to I&M3, PDInterfaceDataReal, end point annotation; PROTOCOLS 13
 *
 *   I&M0 0x0020        | vendor 2 | order number 20 | serial 16 | hardware 2 | V 1 | software 3 |
 * ... I&M1 0x0021        | function 32 | location 22 | I&M3 0x0023        | descriptor 54 |
 *   interface 0x0240   | size 1 | name | padding to 4 | MAC 6 | 0 2 | address 4 | ...
 *   annotation         | device type 25 | order number 20 | hardware 5 | V 1, software 9 |, a blank
 *                        between two
 */
#include "pn_vendor.h"
#include "pnio_cm.h"
#include "value_list.h"

enum block {
    BLOCK_IM0 = 0x0020,
    DATE_SIZE = 16, /* "2026-11-23 08:15" */
    BLOCK_IM1 = 0x0021,
    BLOCK_IM2 = 0x0022,
    BLOCK_IM3 = 0x0023,
    BLOCK_IM4 = 0x0024,
    BLOCK_AR_SERVER = 0x8106,
    BLOCK_INTERFACE = 0x0240,
    ORDER_SIZE = 20,
    SERIAL_SIZE = 16,
    FUNCTION_SIZE = 32,
    LOCATION_SIZE = 22,
    TEXT_SIZE = 54,
    BEFORE_NAME = 7, /* block header, version, size of the name: the padding counts them */
};

static void im0(struct pnio *p, struct reader r)
{
    uint16_t vendor = reader_u16be(&r);
    struct reader order = reader_take(&r, ORDER_SIZE);
    struct reader serial = reader_take(&r, SERIAL_SIZE);
    uint16_t hardware = reader_u16be(&r);
    const uint8_t *software = reader_bytes(&r, 4);
    if (!software) {
        emit_violation(p->d, VIOLATION_LENGTH, "I&M0 is not whole", NULL, 0);
        return;
    }
    pnio_add_fact(p, FACT_VENDOR, pn_vendor_name(p->d, vendor));
    pnio_add_fact(p, FACT_ORDER_NUMBER, pnio_trimmed(order));
    pnio_add_fact(p, FACT_SERIAL, pnio_trimmed(serial));
    pnio_add_fact(p, FACT_HARDWARE, dissect_text(p->d, "%u", hardware));
    if (software[0] >= 'A' && software[0] <= 'Z')
        pnio_add_fact(
            p, FACT_FIRMWARE,
            dissect_text(p->d, "%c%u.%u.%u", software[0], software[1], software[2], software[3]));
}

static void ip_fact(struct pnio *p, const uint8_t *b)
{
    if (b && (b[0] | b[1] | b[2] | b[3]))
        pnio_add_fact(p, FACT_IP, dissect_text(p->d, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]));
}

static void interface(struct pnio *p, struct reader r)
{
    uint8_t size = reader_u8(&r);
    struct reader name = reader_take(&r, size);
    reader_skip(&r, (4u - (BEFORE_NAME + size) % 4u) % 4u);
    const uint8_t *mac = reader_bytes(&r, 6);
    reader_skip(&r, 2);
    const uint8_t *ip = reader_bytes(&r, 4);
    if (!ip)
        return;
    pnio_add_fact(p, FACT_NAME, pnio_trimmed(name));
    pnio_add_fact(p, FACT_MAC,
                  dissect_text(p->d, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
                               mac[3], mac[4], mac[5]));
    ip_fact(p, ip);
}

bool pnio_identity(struct pnio *p, uint16_t type, struct reader body)
{
    switch (type) {
    case BLOCK_IM0:
        im0(p, body);
        return true;
    case BLOCK_IM1:
        pnio_add_fact(p, FACT_PLANT, pnio_trimmed(reader_take(&body, FUNCTION_SIZE)));
        pnio_add_fact(p, FACT_LOCATION, pnio_trimmed(reader_take(&body, LOCATION_SIZE)));
        return true;
    case BLOCK_IM3:
        pnio_add_fact(p, FACT_COMMENT, pnio_trimmed(reader_take(&body, TEXT_SIZE)));
        return true;
    case BLOCK_IM2:
    case BLOCK_IM4:
        return true; /* date and signature tell no identity */
    case BLOCK_INTERFACE:
        interface(p, body);
        return true;
    case BLOCK_AR_SERVER: {
        uint16_t size = reader_u16be(&body);
        pnio_add_fact(p, FACT_NAME, pnio_trimmed(reader_take(&body, size)));
        return true;
    }
    default:
        return false;
    }
}

static void add_text(struct value_list *list, struct reader r)
{
    struct text text = pnio_trimmed(r);
    struct ot_values value = {VALUES_TEXT, 1, (const uint8_t *)text.at, text.size};
    value_list_add(list, &value);
}

bool pnio_identity_values(struct pnio *p, struct ot_item *item, struct reader record)
{
    uint16_t type = reader_u16be(&record);
    struct reader body = reader_take(&record, reader_u16be(&record));
    reader_skip(&body, 2); /* version */
    struct value_list list;
    list.count = 0;
    if (!reader_ok(&body) || reader_left(&record))
        return false;
    if (type == BLOCK_IM1 && reader_left(&body) == FUNCTION_SIZE + LOCATION_SIZE) {
        add_text(&list, reader_take(&body, FUNCTION_SIZE));
        add_text(&list, body);
    } else if ((type == BLOCK_IM2 && reader_left(&body) == DATE_SIZE) ||
               (type == BLOCK_IM3 && reader_left(&body) == TEXT_SIZE)) {
        add_text(&list, body);
    } else {
        return false;
    }
    value_list_put(p->d, &list, item);
    return true;
}

/* "V" and three groups of digits, blanks before the digits: V 2  0  1 is V2.0.1. */
static struct text software_text(struct pnio *p, struct reader r)
{
    unsigned parts[3] = {0, 0, 0};
    uint8_t prefix = reader_u8(&r);
    for (size_t i = 0; i < 9; i++) {
        uint8_t c = reader_u8(&r);
        if (c >= '0' && c <= '9')
            parts[i / 3] = parts[i / 3] * 10 + (unsigned)(c - '0');
        else if (c != ' ')
            return (struct text){NULL, 0};
    }
    if (!reader_ok(&r) || prefix < 'A' || prefix > 'Z')
        return (struct text){NULL, 0};
    return dissect_text(p->d, "%c%u.%u.%u", prefix, parts[0], parts[1], parts[2]);
}

static struct text left_trimmed(struct text t)
{
    while (t.size && *t.at == ' ')
        t = (struct text){t.at + 1, t.size - 1};
    return t;
}

void pnio_annotation(struct pnio *p, struct text annotation)
{
    struct reader r = reader_of(annotation.at, annotation.size);
    struct reader type = reader_take(&r, 25);
    reader_skip(&r, 1);
    struct reader order = reader_take(&r, ORDER_SIZE);
    reader_skip(&r, 1);
    struct reader hardware = reader_take(&r, 5);
    reader_skip(&r, 1);
    struct reader software = reader_take(&r, 10);
    if (!reader_ok(&r)) {
        pnio_add_fact(p, FACT_PRODUCT, annotation);
        return;
    }
    pnio_add_fact(p, FACT_PRODUCT, pnio_trimmed(type));
    pnio_add_fact(p, FACT_ORDER_NUMBER, pnio_trimmed(order));
    pnio_add_fact(p, FACT_HARDWARE, left_trimmed(pnio_trimmed(hardware)));
    pnio_add_fact(p, FACT_FIRMWARE, software_text(p, software));
}
