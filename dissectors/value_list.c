/* value_list.c: see value_list.h. */
#include "value_list.h"

enum { HEAD_SIZE = 3 }; /* encoding 1, size 2: see struct ot_item */

static bool is_kept(const struct ot_values *values)
{
    return values->encoding != VALUES_NONE && values->count > 0 && values->size <= UINT16_MAX;
}

void value_list_add(struct value_list *list, const struct ot_values *values)
{
    if (list->count < VALUE_LIST_MAX && is_kept(values))
        list->values[list->count++] = *values;
}

void value_list_add_each(struct value_list *list, const struct ot_item *item)
{
    const struct ot_values *v = &item->values;
    size_t size = v->count ? v->size / v->count : 0;
    if (v->encoding == VALUES_BITS || v->count <= 1) {
        value_list_add(list, v);
    } else {
        for (uint32_t i = 0; i < v->count && list->count < VALUE_LIST_MAX; i++) {
            struct ot_values one = {v->encoding, 1, v->bytes + i * size, size};
            value_list_add(list, &one);
        }
    }
    struct ot_values further;
    for (uint32_t i = 0; (further = ot_item_further_wire(item, i)).count > 0; i++)
        value_list_add(list, &further);
}

struct ot_values *value_list_next(struct value_list *list)
{
    if (list->count == VALUE_LIST_MAX)
        return NULL;
    struct ot_values *next = &list->values[list->count];
    *next = (struct ot_values){.encoding = VALUES_NONE};
    return next;
}

void value_list_keep(struct value_list *list)
{
    list->count += list->count < VALUE_LIST_MAX && is_kept(&list->values[list->count]);
}

void value_list_put(struct dissect *d, const struct value_list *list, struct ot_item *item)
{
    uint32_t first = 0;
    size_t size = 0;
    if (item->values.encoding == VALUES_NONE && list->count > 0)
        item->values = list->values[first++];
    for (uint32_t i = first; i < list->count; i++)
        size += HEAD_SIZE + list->values[i].size;
    uint8_t *out = size ? arena_take_unset(d->arena, size) : NULL, *at = out;
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
    item->further_size = (uint32_t)size;
}
