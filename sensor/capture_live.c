/* capture_live.c: packets from live interfaces through libpcap. Listens only: nothing is ever sent.
 *
 * Every interface is read without waiting, in turn and in runs; only when all are quiet are they
 * waited for together. An interface that went down keeps its socket (the kernel binds it again when
 * it comes up); one that was removed is closed, told once, and needs a restart, because opening
 * sockets needs rights that the sensor has given up by then. */
#include "capture_backend.h"
#include "sensor/base/log.h"

#include <errno.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SNAPLEN_DEFAULT = 65535,
    RING_DEFAULT = 64 * 1024 * 1024,
    TIMEOUT_MS = 100,   /* a quiet port's packets are at most this late */
    RUN_MAX = 256,      /* packets of one interface before the others are asked */
    LOOK_EVERY = 65536, /* reads between two looks at the interfaces when they are never quiet */
    LINKTYPE_RAW = 101,
};

struct port {
    char *name;
    pcap_t *pcap; /* NULL: the interface is gone */
    uint16_t link_type;
    bool is_nano, is_down;
    uint64_t number;
    struct capture_drops drops;
    struct pcap_stat last; /* libpcap counts in 32 bits */
};

struct live {
    struct port *ports;
    struct pollfd *waits;
    size_t count;
    size_t current, run;
    uint32_t reads;
    int probe; /* a socket to ask the kernel about interfaces */
};

static void live_close(void *state)
{
    struct live *live = state;
    for (size_t i = 0; i < live->count; i++) {
        if (live->ports[i].pcap)
            pcap_close(live->ports[i].pcap);
        free(live->ports[i].name);
    }
    if (live->probe >= 0)
        close(live->probe);
    free(live->ports);
    free(live->waits);
    free(live);
}

/* ---- opening ---- */

/* The adapter's clock, when it runs with the host's: better than the kernel's, which stamps when it
 * gets to it. An adapter clock that is not synchronised is of no use beside other interfaces. */
static void choose_clock(pcap_t *pcap)
{
    int *types = NULL;
    int count = pcap_list_tstamp_types(pcap, &types);
    for (int i = 0; i < count; i++)
        if (types[i] == PCAP_TSTAMP_ADAPTER)
            (void)pcap_set_tstamp_type(pcap, PCAP_TSTAMP_ADAPTER);
    if (count > 0)
        pcap_free_tstamp_types(types);
    (void)pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO);
}

static bool fail_activate(const struct port *port, int status, struct error *err)
{
    const char *detail = pcap_geterr(port->pcap);
    switch (status) {
    case PCAP_ERROR_NO_SUCH_DEVICE:
        return error_set(err, "%s: no such interface; `ip link` lists those there are", port->name);
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
        return error_set(
            err,
            "%s: no permission to capture; start as root or give the program CAP_NET_RAW "
            "(setcap cap_net_raw,cap_net_admin+ep)",
            port->name);
    case PCAP_ERROR_IFACE_NOT_UP:
        return error_set(err, "%s: the interface is down; bring it up with `ip link set %s up`",
                         port->name, port->name);
    default:
        return error_set(err, "%s: cannot capture: %s%s%s", port->name, pcap_statustostr(status),
                         *detail ? ": " : "", detail);
    }
}

static bool set_filter(const struct port *port, const char *filter, struct error *err)
{
    struct bpf_program program;
    if (!filter || !*filter)
        return true;
    if (pcap_compile(port->pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) != 0)
        return error_set(err, "%s: filter \"%s\": %s", port->name, filter, pcap_geterr(port->pcap));
    int status = pcap_setfilter(port->pcap, &program);
    pcap_freecode(&program);
    if (status != 0)
        return error_set(err, "%s: cannot set the filter: %s", port->name, pcap_geterr(port->pcap));
    return true;
}

/* Numbers of platforms that differ from those in files (www.tcpdump.org/linktypes.html). */
static uint16_t link_type_of(int dlt)
{
    return dlt == DLT_RAW ? LINKTYPE_RAW : (uint16_t)dlt;
}

static bool port_open(struct port *port, const struct capture_live_options *options,
                      struct error *err)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    port->pcap = pcap_create(port->name, why);
    if (!port->pcap)
        return error_set(err, "%s: cannot capture: %s", port->name, why);
    uint32_t ring = options->ring_size ? options->ring_size : RING_DEFAULT;
    (void)pcap_set_snaplen(port->pcap,
                           (int)(options->snaplen ? options->snaplen : SNAPLEN_DEFAULT));
    (void)pcap_set_promisc(port->pcap, options->is_promiscuous);
    (void)pcap_set_timeout(port->pcap, TIMEOUT_MS);
    (void)pcap_set_buffer_size(port->pcap, ring > INT32_MAX ? INT32_MAX : (int)ring);
    choose_clock(port->pcap);

    int status = pcap_activate(port->pcap);
    if (status < 0)
        return fail_activate(port, status, err);
    if (status > 0)
        log_warning("%s: %s %s", port->name, pcap_statustostr(status), pcap_geterr(port->pcap));
    port->link_type = link_type_of(pcap_datalink(port->pcap));
    port->is_nano = pcap_get_tstamp_precision(port->pcap) == PCAP_TSTAMP_PRECISION_NANO;
    if (pcap_setnonblock(port->pcap, 1, why) != 0)
        return error_set(err, "%s: cannot capture without waiting: %s", port->name, why);
    return set_filter(port, options->filter, err);
}

/* ---- reading ---- */

static void forget_port(struct port *port)
{
    pcap_close(port->pcap);
    port->pcap = NULL;
}

static enum capture_result port_gone(struct port *port, const char *why, struct error *err)
{
    error_set(err, "%s: %s; restart to capture from it again", port->name, why);
    forget_port(port);
    return CAPTURE_DAMAGED;
}

static enum capture_result port_failed(struct port *port, struct error *err)
{
    if (strcmp(port->name, "any") != 0 && if_nametoindex(port->name) == 0)
        return port_gone(port, "the interface was removed", err);
    char why[PCAP_ERRBUF_SIZE];
    snprintf(why, sizeof why, "%s", pcap_geterr(port->pcap));
    return port_gone(port, why, err);
}

/* libpcap waits in silence on an interface that is down; so look. CAPTURE_IDLE: nothing has
 * changed. */
static enum capture_result port_look(const struct live *live, struct port *port, struct error *err)
{
    struct ifreq request = {0};
    if (!port->pcap || strcmp(port->name, "any") == 0 ||
        strlen(port->name) >= sizeof request.ifr_name)
        return CAPTURE_IDLE;
    memcpy(request.ifr_name, port->name, strlen(port->name));
    if (ioctl(live->probe, SIOCGIFFLAGS, &request) != 0)
        return errno == ENODEV ? port_gone(port, "the interface was removed", err) : CAPTURE_IDLE;
    bool was_down = port->is_down;
    port->is_down = (request.ifr_flags & IFF_UP) == 0;
    if (was_down && !port->is_down)
        log_info("%s: the interface is up again", port->name);
    if (was_down || !port->is_down)
        return CAPTURE_IDLE;
    error_set(err, "%s: the interface went down; capture goes on when it is up again", port->name);
    return CAPTURE_DAMAGED;
}

static enum capture_result look_at_all(struct live *live, struct error *err)
{
    enum capture_result result = CAPTURE_IDLE;
    live->reads = 0;
    for (size_t i = 0; result == CAPTURE_IDLE && i < live->count; i++)
        result = port_look(live, &live->ports[i], err);
    return result;
}

/* One packet of one interface: CAPTURE_IDLE when it has none. */
static enum capture_result port_next(struct port *port, uint32_t index, struct raw_packet *packet,
                                     struct error *err)
{
    struct pcap_pkthdr *header;
    const u_char *bytes;
    int status = pcap_next_ex(port->pcap, &header, &bytes);
    if (status == 0)
        return CAPTURE_IDLE;
    if (status < 0)
        return port_failed(port, err);
    int64_t fraction = header->ts.tv_usec;
    *packet = (struct raw_packet){
        .time_ns =
            header->ts.tv_sec * INT64_C(1000000000) + (port->is_nano ? fraction : fraction * 1000),
        .bytes = bytes,
        .captured_size = header->caplen,
        .wire_size = header->len < header->caplen ? header->caplen : header->len,
        .link_type = port->link_type,
        .source_index = index,
        .number = ++port->number,
    };
    return CAPTURE_PACKET;
}

/* Asks each interface once, beginning with the one that had the last packet. */
static enum capture_result ask_all(struct live *live, struct raw_packet *packet, struct error *err)
{
    for (size_t asked = 0; asked < live->count; asked++) {
        if (live->run == RUN_MAX) {
            live->current = (live->current + 1) % live->count;
            live->run = 0;
        }
        struct port *port = &live->ports[live->current];
        if (port->pcap) {
            enum capture_result result = port_next(port, (uint32_t)live->current, packet, err);
            live->run++;
            if (result != CAPTURE_IDLE)
                return result;
        }
        live->current = (live->current + 1) % live->count;
        live->run = 0;
    }
    return CAPTURE_IDLE;
}

/* Waits until an interface has something. CAPTURE_END: none is left. */
static enum capture_result wait_any(struct live *live, struct error *err)
{
    nfds_t count = 0;
    for (size_t i = 0; i < live->count; i++)
        if (live->ports[i].pcap)
            live->waits[count++] = (struct pollfd){
                .fd = pcap_get_selectable_fd(live->ports[i].pcap), .events = POLLIN};
    if (count == 0)
        return CAPTURE_END;
    /* a signal ends it early, which is as well */
    return poll(live->waits, count, TIMEOUT_MS) == 0 ? look_at_all(live, err) : CAPTURE_IDLE;
}

static enum capture_result live_next(void *state, struct raw_packet *packet, struct error *err)
{
    struct live *live = state;
    enum capture_result result = CAPTURE_IDLE;
    if (++live->reads >= LOOK_EVERY)
        result = look_at_all(live, err);
    if (result == CAPTURE_IDLE)
        result = ask_all(live, packet, err);
    if (result == CAPTURE_IDLE)
        result = wait_any(live, err);
    return result == CAPTURE_IDLE ? ask_all(live, packet, err) : result;
}

static const char *live_source_name(const void *state, uint32_t source_index)
{
    const struct live *live = state;
    return source_index < live->count ? live->ports[source_index].name : "";
}

static void live_drops(void *state, uint32_t source_index, struct capture_drops *drops)
{
    struct live *live = state;
    struct pcap_stat now;
    if (source_index >= live->count)
        return;
    struct port *port = &live->ports[source_index];
    if (port->pcap && pcap_stats(port->pcap, &now) == 0) {
        port->drops.received += (uint32_t)(now.ps_recv - port->last.ps_recv);
        port->drops.dropped_kernel += (uint32_t)(now.ps_drop - port->last.ps_drop);
        port->drops.dropped_interface += (uint32_t)(now.ps_ifdrop - port->last.ps_ifdrop);
        port->last = now;
    }
    *drops = port->drops;
}

static const struct capture_backend live_backend = {
    .next = live_next,
    .source_name = live_source_name,
    .drops = live_drops,
    .close = live_close,
};

bool capture_live(struct capture **capture, const struct capture_live_options *options,
                  struct error *err)
{
    *capture = NULL;
    if (options->interface_count == 0)
        return error_set(err, "no interface to capture from");
    struct live *live = calloc(1, sizeof *live);
    if (!live)
        return error_set(err, "cannot capture: out of memory");
    live->probe = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    live->ports = calloc(options->interface_count, sizeof *live->ports);
    live->waits = calloc(options->interface_count, sizeof *live->waits);
    bool ok = live->ports && live->waits;
    if (!ok)
        error_set(err, "cannot capture: out of memory");
    for (size_t i = 0; ok && i < options->interface_count; i++) {
        struct port *port = &live->ports[live->count++];
        port->name = strdup(options->interfaces[i]);
        ok = port->name ? port_open(port, options, err)
                        : error_set(err, "cannot capture: out of memory");
    }
    if (!ok) {
        live_close(live);
        return false;
    }
    *capture = capture_create(&live_backend, live);
    return *capture ? true : error_set(err, "cannot capture: out of memory");
}
