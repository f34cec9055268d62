/* asset_list.h: the inventory as the console lists it: every asset's cells, exported once and kept,
 * so that filtering and sorting ten thousand of them costs no query. Follows the store: a small
 * inventory is read again as soon as the store changed, a large one by a thread of its own while
 * the last reading is still shown. From any thread. */
#pragma once

#include "baseline/asset_export.h"
#include "readers.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

struct asset_list;

/* NULL: out of memory. Both must outlive it. */
struct asset_list *asset_list_create(const char *store_path, struct readers *readers);
void asset_list_destroy(struct asset_list *list);
/* Until it has been read once, at most max_ms, or *stop is set. */
void asset_list_wait(struct asset_list *list, int64_t max_ms, const volatile sig_atomic_t *stop);

/* One asset: its cells one after the other, each with a NUL; the same in lower case; and as JSON.
 */
struct asset_line;
const char *asset_line_cell(const struct asset_line *line, enum asset_column column);
const char *asset_line_lower(const struct asset_line *line, enum asset_column column);
/* The cell as a member of a JSON object ("ip":"10.0.0.5"), *size bytes; 0: unknown. */
const char *asset_line_json(const struct asset_line *line, enum asset_column column, size_t *size);
/* All cells as the export gave them. */
void asset_line_unpack(const struct asset_line *line, struct asset_cells *cells);
/* Whether any cell contains the word, which is in lower case; cells that name others do not count.
 */
bool asset_line_has(const struct asset_line *line, const char *word);

/* All assets at one moment, in the order of the export. */
struct asset_lines {
    struct asset_line **lines;
    size_t count;
};

/* What is known now; to be given back. NULL with *err when the store cannot be read. */
const struct asset_lines *asset_list_take(struct asset_list *list, struct store *store,
                                          struct error *err);
/* Whether there is a reading: who only wants names need not wait for the first one. */
bool asset_list_is_read(struct asset_list *list);
/* Another number when the thread has read the inventory anew; for no list 0. */
unsigned asset_list_turn(const struct asset_list *list);
void asset_list_give(struct asset_list *list, const struct asset_lines *lines);

/* Somebody changed this asset: it is read again at once. */
void asset_list_renew(struct asset_list *list, struct store *store, const char *id);
/* Somebody changed what many assets show: all are read again before the next who asks gets any. */
void asset_list_outdate(struct asset_list *list);
