/* bsap_serial.c: frames of the serial BSAP that a converter sends as datagrams (PROTOCOLS 25).
 *
 * Spec: [BSAP] Emerson D301401X012
 *
 *   | 10 02 | address 1, bit 7: global | serial number 1 | [global: to 2 | from 2 | control 1] |
 *   | function 1 | sequence 2 | source function 1 | node status 1 | data | 10 03 | CRC 2 |
 *
 * little endian; between the marks 10 is sent twice. The checksum's start value is not known for
 * sure, so it is not judged. */
#include "bsap_serial.h"

enum {
    DLE = 0x10,
    STX = 0x02,
    ETX = 0x03,
    MARK_SIZE = 2,
    CRC_SIZE = 2,
    GLOBAL = 0x80,
    FRAME_MIN = MARK_SIZE + 7 + MARK_SIZE + CRC_SIZE,
    BODY_HEAD = 2, /* function and node status */
};

bool bsap_serial_begins(struct reader r)
{
    uint8_t first = reader_u8(&r);
    return first == DLE && reader_u8(&r) == STX;
}

bool bsap_serial_is_whole(struct reader r)
{
    size_t size = reader_left(&r);
    return bsap_serial_begins(r) && size >= FRAME_MIN && r.at[size - CRC_SIZE - MARK_SIZE] == DLE &&
           r.at[size - CRC_SIZE - 1] == ETX;
}

const char *bsap_serial_read(struct arena *arena, struct reader r, struct bsap_serial *s)
{
    *s = (struct bsap_serial){.address = 0};
    if (!bsap_serial_is_whole(r))
        return "serial BSAP frame is not whole";
    struct reader inside = r;
    reader_skip(&inside, MARK_SIZE);
    inside = reader_take(&inside, reader_left(&inside) - MARK_SIZE - CRC_SIZE);
    uint8_t *plain = arena_take(arena, reader_left(&inside));
    if (!plain)
        return "serial BSAP frame is too long";
    size_t size = 0;
    while (reader_left(&inside)) {
        uint8_t byte = reader_u8(&inside);
        if (byte == DLE && reader_u8(&inside) != DLE)
            return "serial BSAP escape is not defined";
        plain[size++] = byte;
    }
    struct reader p = reader_of(plain, size);
    uint8_t address = reader_u8(&p);
    s->address = address & (uint8_t)~GLOBAL;
    s->is_global = address & GLOBAL;
    s->serial = reader_u8(&p);
    if (s->is_global) {
        s->to = reader_u16le(&p);
        s->from = reader_u16le(&p);
        reader_skip(&p, 1);
    }
    s->function = reader_u8(&p);
    s->sequence = reader_u16le(&p);
    s->source = reader_u8(&p);
    uint8_t status = reader_u8(&p);
    if (!reader_ok(&p))
        return "serial BSAP header is cut off";
    uint8_t *body = plain + (size - reader_left(&p)) - BODY_HEAD; /* over what was read */
    body[0] = s->function;
    body[1] = status;
    s->body = reader_of(body, reader_left(&p) + BODY_HEAD);
    return NULL;
}
