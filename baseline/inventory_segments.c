/* inventory_segments.c: the networks that the inventory knows, and which of them are still learned.
 */
#include "inventory_state.h"

#include <string.h>

uint32_t inventory_segment_named(struct inventory *inv, const char *name)
{
    for (size_t i = 0; i < inv->segment_count; i++)
        if (strcmp(inv->segments[i].name, name) == 0)
            return (uint32_t)i;
    if (inv->segment_count == SEGMENTS_MAX)
        return SEGMENTS_MAX - 1;
    struct inventory_segment *segment = &inv->segments[inv->segment_count];
    *segment = (struct inventory_segment){.is_dirty = true};
    text_copy(segment->name, sizeof segment->name, text_of(name));
    return (uint32_t)inv->segment_count++;
}

void inventory_each_segment(const struct inventory *inv,
                            void (*take)(void *context, uint32_t number, const char *name),
                            void *context)
{
    for (size_t i = 0; i < inv->segment_count; i++)
        if (inv->segments[i].has_number)
            take(context, inv->segments[i].number, inv->segments[i].name);
}

uint32_t inventory_segment_find(const struct inventory *inv, uint32_t number)
{
    for (size_t i = 0; i < inv->segment_count; i++)
        if (inv->segments[i].has_number && inv->segments[i].number == number)
            return (uint32_t)i;
    return INDEX_NONE;
}

uint32_t inventory_segment_of(struct inventory *inv, uint32_t number)
{
    uint32_t at = inventory_segment_find(inv, number);
    if (at != INDEX_NONE)
        return at;
    char made[SEGMENT_NAME_SIZE];
    const char *name =
        inv->options.segment_name ? inv->options.segment_name(inv->options.context, number) : NULL;
    if (!name && number == 0)
        name = "default";
    else if (!name)
        name = text_format(made, sizeof made, "segment %u", number);
    at = inventory_segment_named(inv, name);
    inv->segments[at].number = number;
    inv->segments[at].has_number = true;
    inv->segments[at].is_dirty = true;
    return at;
}

bool inventory_is_silent(const struct inventory *inv, uint32_t segment)
{
    if (inv->options.mode == MODE_AUTO)
        return !inv->segments[segment].is_settled;
    return inv->options.mode == MODE_LEARN;
}

void inventory_something_new(struct inventory *inv, uint32_t segment)
{
    inv->segments[segment].quiet_ns = 0;
    inv->segments[segment].is_dirty = true;
}

void inventory_segment_tick(struct inventory *inv, struct inventory_segment *segment,
                            int64_t time_ns, int64_t passed_ns)
{
    if (segment->seen_ns == 0 || time_ns - segment->seen_ns > PRESENT_NS)
        return;
    segment->observed_ns += passed_ns;
    segment->quiet_ns += passed_ns;
    segment->is_dirty = true;
    if (inv->options.mode == MODE_AUTO && segment->observed_ns >= inv->options.settle_min_ns &&
        segment->quiet_ns >= inv->options.settle_min_ns / 2)
        segment->is_settled = true;
}
