/* asset_index.c: open addressing with linear probing and backward-shift deletion. */
#include "asset_index.h"

#include "sensor/base/pages.h"

bool asset_index_create(struct asset_index *index, size_t capacity)
{
    size_t size = 16;
    while (size < capacity * 2)
        size *= 2;
    index->cells = pages_take(size * sizeof *index->cells);
    index->mask = size - 1;
    index->count = 0;
    return index->cells != NULL;
}

void asset_index_destroy(struct asset_index *index)
{
    pages_give(index->cells, (index->mask + 1) * sizeof *index->cells);
    *index = (struct asset_index){0};
}

uint32_t asset_index_next(const struct asset_index *index, uint64_t hash, size_t *at)
{
    for (; *at <= index->mask; (*at)++) {
        const struct asset_index_cell *cell = &index->cells[(hash + *at) & index->mask];
        if (cell->next_slot == 0)
            return INDEX_NONE;
        if (cell->hash == hash) {
            (*at)++;
            return cell->next_slot - 1;
        }
    }
    return INDEX_NONE;
}

bool asset_index_add(struct asset_index *index, uint64_t hash, uint32_t slot)
{
    if (index->count * 4 >= (index->mask + 1) * 3)
        return false;
    size_t i = hash & index->mask;
    while (index->cells[i].next_slot != 0)
        i = (i + 1) & index->mask;
    index->cells[i] = (struct asset_index_cell){hash, slot + 1};
    index->count++;
    return true;
}

void asset_index_remove(struct asset_index *index, uint64_t hash, uint32_t slot)
{
    size_t hole = hash & index->mask;
    while (index->cells[hole].next_slot != slot + 1 || index->cells[hole].hash != hash) {
        if (index->cells[hole].next_slot == 0)
            return;
        hole = (hole + 1) & index->mask;
    }
    index->count--;
    for (size_t i = (hole + 1) & index->mask; index->cells[i].next_slot != 0;
         i = (i + 1) & index->mask) {
        size_t home = index->cells[i].hash & index->mask;
        if (((i - home) & index->mask) >= ((i - hole) & index->mask)) {
            index->cells[hole] = index->cells[i];
            hole = i;
        }
    }
    index->cells[hole].next_slot = 0;
}
