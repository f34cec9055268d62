/* test_packet_record.c: a packet arrives with the bytes it left with, wherever they lay. */
#include "sensor/main/packet_record.h"
#include "support/runner.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t frame[] = "0123456789abcdef", elsewhere[] = "put together from fragments";
enum { FRAME = 16, ELSEWHERE = 27 };

static const struct row {
    const char *shows;
    const uint8_t *network, *payload;
    uint32_t network_size, payload_size;
} rows[] = {
    {"all in the frame",            frame + 4, frame + 8,     12,        8            },
    {"no payload, at the end",      frame + 4, frame + FRAME, 12,        0            },
    {"not IP",                      NULL,      frame + 2,     0,         14           },
    {"nothing",                     NULL,      NULL,          0,         0            },
    {"a payload put together",      frame + 4, elsewhere + 8, 12,        ELSEWHERE - 8},
    {"a datagram put together",     elsewhere, elsewhere + 8, ELSEWHERE, ELSEWHERE - 8},
    {"put together, and then none", elsewhere, elsewhere + 8, 8,         0            },
};

static void expect(const struct row *row, const char *what, const uint8_t *is, uint32_t size,
                   const uint8_t *was)
{
    ck_assert_msg(!is == !was, "%s: %s is %s", row->shows, what, is ? "there" : "NULL");
    ck_assert_msg(!is || memcmp(is, was, size) == 0, "%s: %s is another", row->shows, what);
}

START_TEST(bytes_arrive)
{
    const struct row *row = &rows[_i];
    struct packet p = {.bytes = frame,
                       .captured_size = FRAME,
                       .number = 7,
                       .network = row->network,
                       .network_size = row->network_size,
                       .payload = row->payload,
                       .payload_size = row->payload_size};
    void *record = malloc(packet_record_size(&p)); /* the address sanitizer minds its end */
    ck_assert_ptr_nonnull(record);
    packet_record_write(record, &p);
    memset(&p, 0, sizeof p);
    const struct packet *is = packet_record_read(record);
    ck_assert_uint_eq(is->number, 7);
    expect(row, "the frame", is->bytes, FRAME, frame);
    expect(row, "the network layer", is->network, row->network_size, row->network);
    expect(row, "the payload", is->payload, row->payload_size, row->payload);
    free(record);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("packet_record");
    TCase *c = tcase_create("packet_record");
    tcase_add_loop_test(c, bytes_arrive, 0, sizeof rows / sizeof *rows);
    suite_add_tcase(s, c);
    return run_suite(s);
}
