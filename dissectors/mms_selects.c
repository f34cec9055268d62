/* mms_selects.c: which objects are selected before they are operated.
 *
 * Spec: [8-1] IEC 61850-8-1 20: SBO is read, SBOw written to select, Oper operates, Cancel gives
 * up.
 *
 *   name: | device | / | node $ CO $ object $ | SBO, SBOw, Oper or Cancel |
 */
#include "mms.h"

#include "sensor/base/hash.h"

static uint64_t *selected(struct mms_state *s, uint64_t object)
{
    for (size_t i = 0; i < MMS_SELECTED; i++)
        if (s->selected[i] == object)
            return &s->selected[i];
    return NULL;
}

static void keep(struct mms_state *s, uint64_t object)
{
    if (!selected(s, object))
        s->selected[s->selected_next++ % MMS_SELECTED] = object;
}

static enum ot_manner manner_of(struct dissect *d, uint64_t object, struct text step)
{
    struct mms_state *s = d->state;
    if (text_equal(step, TEXT("SBOw")) || text_equal(step, TEXT("SBO"))) {
        keep(s, object);
        return MANNER_SELECT;
    }
    bool is_operated = text_equal(step, TEXT("Oper"));
    if (!is_operated && !text_equal(step, TEXT("Cancel")))
        return MANNER_NONE;
    uint64_t *place = selected(s, object);
    if (place)
        *place = 0;
    if (!is_operated)
        return MANNER_NONE;
    return place ? MANNER_EXECUTE : dissect_is_watched(d) ? MANNER_DIRECT : MANNER_NONE;
}

void mms_selects(struct dissect *d, struct ot_item *item)
{
    struct text name = item->name;
    const char *dollar = name.size ? memrchr(name.at, '$', name.size) : NULL;
    if (!dollar || item->operation != OP_CONTROL)
        return;
    size_t size = (size_t)(dollar - name.at);
    struct text step = {dollar + 1, name.size - size - 1};
    item->manner = (uint8_t)manner_of(d, hash_bytes(name.at, size) | 1, step); /* 0: free */
}
