/* mms_modes.c: which logical nodes are in test mode, and what is commanded to them.
 *
 * Spec: [7-4] IEC 61850-7-4, annex A: a node in test takes commands with the test flag only; LLN0
 *       stands for all nodes of its device. [8-1] IEC 61850-8-1 7.3 (names). PROTOCOLS 11
 *
 *   name: | device | / | node $ ST $ Mod or Beh [ $ stVal ] |
 */
#include "mms.h"

#include "sensor/base/hash.h"

enum { MODE_ON = 1, MODE_TEST = 3, MODE_TEST_BLOCKED = 4, MODE_OFF = 5 };

static bool starts_with(struct text text, const char *with, size_t size)
{
    return text.size >= size && memcmp(text.at, with, size) == 0;
}

/* The size of "device/node" at the beginning of a name; *rest begins behind it. 0: no such name. */
static size_t node_size(struct text name, struct text *rest)
{
    const char *dollar = name.size ? memchr(name.at, '$', name.size) : NULL;
    if (!dollar || !memchr(name.at, '/', (size_t)(dollar - name.at)))
        return 0;
    size_t size = (size_t)(dollar - name.at);
    *rest = (struct text){dollar, name.size - size};
    return size;
}

static bool is_mode(struct text rest)
{
    static const char *const modes[] = {"$ST$Mod", "$ST$Beh"};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        size_t size = strlen(modes[i]);
        if (!starts_with(rest, modes[i], size))
            continue;
        struct text value = {rest.at + size, rest.size - size};
        return value.size == 0 || text_equal(value, TEXT("$stVal"));
    }
    return false;
}

static uint64_t *find(struct mms_state *s, uint64_t node)
{
    for (size_t i = 0; i < MMS_TEST_NODES; i++)
        if (s->test_nodes[i] == node)
            return &s->test_nodes[i];
    return NULL;
}

static void told(struct mms_state *s, uint64_t node, int64_t mode)
{
    uint64_t *known = find(s, node);
    bool is_test = mode == MODE_TEST || mode == MODE_TEST_BLOCKED;
    if (known && !is_test)
        *known = 0;
    else if (!known && is_test)
        s->test_nodes[s->test_next++ % MMS_TEST_NODES] = node;
}

void mms_modes_told(struct dissect *d, const struct ot_event *event)
{
    for (uint32_t i = 0; i < event->item_count; i++) {
        const struct ot_item *item = &event->items[i];
        struct text rest;
        size_t size = node_size(item->name, &rest);
        struct ot_value mode = ot_value_at(&item->values, 0);
        if (size && is_mode(rest) && mode.kind == OT_VALUE_SIGNED && mode.i >= MODE_ON &&
            mode.i <= MODE_OFF)
            told(d->state, hash_bytes(item->name.at, size), mode.i);
    }
}

/* The node LLN0 of the same device. */
static uint64_t head_of(struct text name)
{
    static const char head[] = "LLN0";
    const char *slash = memchr(name.at, '/', name.size);
    size_t device = (size_t)(slash + 1 - name.at);
    char whole[96];
    if (device + sizeof head - 1 > sizeof whole)
        return 0;
    memcpy(whole, name.at, device);
    memcpy(whole + device, head, sizeof head - 1);
    return hash_bytes(whole, device + sizeof head - 1);
}

void mms_modes_command(struct dissect *d, const struct ot_event *event, bool is_test)
{
    struct mms_state *s = d->state;
    struct text rest, name = event->item_count ? event->items[0].name : (struct text){NULL, 0};
    size_t size = node_size(name, &rest);
    if (is_test || size == 0 || event->operation != OP_CONTROL)
        return;
    uint64_t node = hash_bytes(name.at, size), head = head_of(name);
    if (find(s, node) || (head && find(s, head)))
        emit_violation(d, VIOLATION_STATE, "command without the test flag to a node in test mode",
                       event->telling, event->telling_size);
}
