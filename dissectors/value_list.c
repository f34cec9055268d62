/* value_list.c: see value_list.h. */
#include "value_list.h"

enum { HEAD_SIZE = 3 }; /* encoding 1, size 2: see struct ot_item */

void value_list_add(struct value_list *list, const struct ot_values *values)
{
    bool has_value = values->encoding != VALUES_NONE && values->count > 0;
    if (has_value && values->size <= UINT16_MAX && list->count < VALUE_LIST_MAX)
        list->values[list->count++] = *values;
}

void value_list_put(struct dissect *d, const struct value_list *list, struct ot_item *item)
{
    uint32_t first = 0;
    size_t size = 0;
    if (item->values.encoding == VALUES_NONE && list->count > 0)
        item->values = list->values[first++];
    for (uint32_t i = first; i < list->count; i++)
        size += HEAD_SIZE + list->values[i].size;
    uint8_t *out = size ? arena_take(d->arena, size) : NULL, *at = out;
    if (!out)
        return;
    for (uint32_t i = first; i < list->count; i++) {
        const struct ot_values *v = &list->values[i];
        *at++ = (uint8_t)v->encoding;
        *at++ = (uint8_t)v->size;
        *at++ = (uint8_t)(v->size >> 8);
        if (v->size)
            memcpy(at, v->bytes, v->size);
        at += v->size;
    }
    item->further = out;
    item->further_size = size;
}
