/* asset_index.h: finds table slots by hash: open addressing, fixed size, deletion without
 * tombstones. The caller compares the candidates with its key, so a collision chosen on the wire
 * joins nothing. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INDEX_NONE UINT32_MAX

struct asset_index_cell {
    uint64_t hash;
    uint32_t next_slot; /* slot + 1; 0: the cell is empty, so that untouched pages stay untouched */
};

struct asset_index {
    struct asset_index_cell *cells;
    size_t mask, count;
};

/* Room for `capacity` entries at a load of at most one half. */
bool asset_index_create(struct asset_index *index, size_t capacity);
void asset_index_destroy(struct asset_index *index);

/* Walks the slots stored under a hash: start with *at = 0, call until INDEX_NONE. */
uint32_t asset_index_next(const struct asset_index *index, uint64_t hash, size_t *at);
/* False when full. */
bool asset_index_add(struct asset_index *index, uint64_t hash, uint32_t slot);
void asset_index_remove(struct asset_index *index, uint64_t hash, uint32_t slot);
