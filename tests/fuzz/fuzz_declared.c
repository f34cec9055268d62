/* fuzz_declared.c: any bytes as a declared list: sound and within its bounds, or refused with a
 * reason. */
#include "baseline/declared.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct declared_list *list = NULL;
    struct error err = {""};
    if (!declared_parse(&list, (const char *)data, size, &err)) {
        assert(err.text[0] && !list);
        return 0;
    }
    struct declared_counts counts;
    declared_counts(list, &counts);
    size_t before = 0;
    for (size_t i = 0; i < counts.rows; i++) {
        size_t cells = 0;
        for (int c = 0; c < ASSET_COLUMN_COUNT; c++) {
            const char *cell = declared_cell(list, i, (enum asset_column)c);
            assert(strlen(cell) < ASSET_CELL_SIZE && !strpbrk(cell, "\r\n"));
            cells += cell[0] != '\0';
        }
        assert(cells > 0 && declared_line(list, i) > before);
        before = declared_line(list, i);
    }
    declared_destroy(list);
    return 0;
}
