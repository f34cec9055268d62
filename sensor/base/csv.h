/* csv.h: reads tables that somebody brought: RFC 4180, and what spreadsheets make of it.
 *
 * Separated by commas, semicolons or tabs, whichever the first line has most of; lines end with
 * CRLF, LF or CR; a byte order mark is passed over. A cell in quotes may hold separators, line ends
 * (they become blanks) and doubled quotes. Blanks around a cell, and an apostrophe that keeps a
 * spreadsheet from running = + - or @, are not part of it. What is not a table is refused with line
 * and column; everything is bounded. */
#pragma once

#include "error.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    CSV_CELL_SIZE = 4096, /* with its NUL */
    CSV_COLUMNS_MAX = 256,
    CSV_ROWS_MAX = 50000,
    CSV_BYTES_MAX = 32 << 20,
};

struct csv {
    const char *at, *end;
    char separator;
    size_t line, column; /* of the cell read last, from 1 */
    size_t next_line, next_column, rows;
    bool is_row_over;
};

enum csv_step { CSV_CELL, CSV_ROW_END, CSV_END, CSV_BROKEN };

/* text is borrowed. False when there is too much of it. */
bool csv_begin(struct csv *csv, const char *text, size_t size, struct error *err) NODISCARD;

/* The next cell (valid UTF-8), the end of its row, or of the table; after CSV_BROKEN, which gives a
 * reason, nothing follows. An empty line is a row with one empty cell. */
enum csv_step csv_next(struct csv *csv, char cell[CSV_CELL_SIZE], struct error *err);
