/* fuzz_capture_file.c: a capture file of any content. Every packet lies within bounds, damage is
 * told once. */
#include "sensor/capture_file.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { PACKETS_MAX = 100000 }; /* a packed file may hold very many */
    struct capture_file *file = capture_file_memory(data, size, "fuzz");
    struct raw_packet packet;
    struct error err = {""};
    enum capture_result result = CAPTURE_END;
    volatile uint8_t sum = 0;
    assert(file);
    for (int n = 0;
         n < PACKETS_MAX && (result = capture_file_next(file, &packet, &err)) == CAPTURE_PACKET;
         n++) {
        assert(packet.captured_size <= CAPTURE_PACKET_MAX);
        assert(packet.captured_size <= packet.wire_size);
        assert(packet.time_ns >= 0);
        for (uint32_t i = 0; i < packet.captured_size; i++)
            sum = (uint8_t)(sum + packet.bytes[i]);
    }
    assert(result != CAPTURE_IDLE);
    assert(result != CAPTURE_DAMAGED || err.text[0]);
    if (result != CAPTURE_PACKET)
        assert(capture_file_next(file, &packet, &err) == CAPTURE_END);
    capture_file_close(file);
    return 0;
}
