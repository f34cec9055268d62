/* check_pdu.c: see check_pdu.h. */
#include "check_pdu.h"

#include <check.h>

void check_prefixes(const struct dissector *dissector, const void *pdu, size_t size)
{
    const uint8_t *bytes = pdu;
    for (size_t n = 0; n < size; n++) {
        struct frame f = probe_frame(dissector, bytes, n);
        ck_assert_msg(f.verdict == FRAME_NEED && f.size > n, "prefix of %zu", n);
        struct probe *p = probe_create(TRANSPORT_TCP);
        probe_stream(p, dissector, true, bytes, n);
        ck_assert_msg(p->event_count == 0, "told too early, split at %zu", n);
        probe_stream(p, dissector, true, bytes + n, size - n);
        ck_assert_msg(p->event_count == 1 && p->violation_count == 0, "split at %zu", n);
        probe_destroy(p);
    }
    ck_assert_uint_eq(probe_frame(dissector, bytes, size).size, size);
}

void check_violation(const struct dissector *dissector, const char *shows, const char *hex,
                     enum violation_kind kind)
{
    struct probe *p = probe_create(TRANSPORT_UDP);
    probe_hex(p, dissector, true, hex);
    ck_assert_msg(probe_has_violation(p, kind), "%s: not told", shows);
    probe_destroy(p);
}

void check_items(const struct probe *p, size_t i, const char *shows, const char *items,
                 const char *operation)
{
    const struct probe_event *e = probe_event(p, i);
    ck_assert_msg(strcmp(e->items, items) == 0, "%s: %s", shows, e->items);
    ck_assert_msg(strcmp(e->operation, operation) == 0, "%s: %s", shows, e->operation);
}

struct probe *probe_multicast(uint8_t kind)
{
    struct probe *p = probe_create(TRANSPORT_NONE);
    p->flow.server.mac = (struct mac){
        {0x01, 0x0c, 0xcd, kind, 0, 1}
    };
    return p;
}

void check_second(const struct probe *p, const char *shows, const char *why, const char *operation)
{
    const char *first = p->violation_count ? probe_violation(p, 0)->why : "";
    const char *told = probe_event(p, 1)->operation;
    ck_assert_msg(strcmp(first, why) == 0, "%s: '%s'", shows, first);
    ck_assert_msg(strcmp(told, operation) == 0, "%s: %s", shows, told);
}
