/* loop.c: the floor of what reading a capture costs: a plain libpcap loop that looks at Ethernet,
 * IP and ports and keeps no state. Prints packets and bytes. */
#include <pcap/pcap.h>
#include <stdint.h>
#include <stdio.h>

static uint64_t look(const uint8_t *p, uint32_t size)
{
    if (size < 34)
        return 0;
    uint32_t at = 12;
    while (at + 6 < size && p[at] == 0x81 && p[at + 1] == 0)
        at += 4;
    if (at + 22 >= size || p[at] != 8 || p[at + 1] != 0)
        return 1;
    const uint8_t *ip = p + at + 2;
    uint32_t header = (ip[0] & 15u) * 4;
    if (at + 2 + header + 4 > size)
        return 2;
    return (uint64_t)ip[9] << 32 | (uint64_t)ip[header] << 24 | (uint64_t)ip[header + 1] << 16 |
           (uint64_t)ip[header + 2] << 8 | ip[header + 3];
}

int main(int argc, char **argv)
{
    char error[PCAP_ERRBUF_SIZE];
    if (argc != 2) {
        fputs("usage: bench_loop CAPTURE\n", stderr);
        return 2;
    }
    pcap_t *pcap = pcap_open_offline(argv[1], error);
    if (!pcap) {
        fprintf(stderr, "bench_loop: %s\n", error);
        return 1;
    }
    uint64_t packets = 0, bytes = 0, mix = 0;
    struct pcap_pkthdr *header;
    const uint8_t *data;
    while (pcap_next_ex(pcap, &header, &data) == 1) {
        packets++;
        bytes += header->len;
        mix = mix * 31 + look(data, header->caplen);
    }
    printf("%llu packets, %llu bytes, mix %llx\n", (unsigned long long)packets,
           (unsigned long long)bytes, (unsigned long long)mix);
    pcap_close(pcap);
    return 0;
}
