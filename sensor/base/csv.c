/* csv.c: see csv.h. */
#include "csv.h"

#include "utf8.h"

#include <string.h>

/* --- beginning --- */

/* What the first line has most of, outside of quotes. */
static char separator_of(const char *at, const char *end)
{
    static const char separators[] = {',', ';', '\t'};
    size_t counts[sizeof separators] = {0}, best = 0;
    bool is_quoted = false;
    for (; at < end && (is_quoted || (*at != '\n' && *at != '\r')); at++) {
        is_quoted ^= *at == '"';
        for (size_t i = 0; i < sizeof separators; i++)
            counts[i] += !is_quoted && *at == separators[i];
    }
    for (size_t i = 1; i < sizeof separators; i++)
        if (counts[i] > counts[best])
            best = i;
    return separators[best];
}

bool csv_begin(struct csv *csv, const char *text, size_t size, struct error *err)
{
    static const char mark[] = "\xef\xbb\xbf";
    if (size > CSV_BYTES_MAX)
        return error_set(err, "more than %d MiB", CSV_BYTES_MAX >> 20);
    *csv = (struct csv){.at = text, .end = text + size, .next_line = 1, .next_column = 1};
    if (size >= 3 && memcmp(text, mark, 3) == 0)
        csv->at += 3;
    csv->separator = separator_of(csv->at, csv->end);
    return true;
}

/* --- cells --- */

static enum csv_step broken(const struct csv *csv, struct error *err, const char *why)
{
    error_set(err, "line %zu, column %zu: %s", csv->line, csv->column, why);
    return CSV_BROKEN;
}

static bool is_line_end(const struct csv *csv)
{
    return csv->at < csv->end && (*csv->at == '\n' || *csv->at == '\r');
}

static void pass_line_end(struct csv *csv)
{
    bool is_pair = *csv->at == '\r' && csv->end - csv->at > 1 && csv->at[1] == '\n';
    csv->at += is_pair ? 2 : 1;
    csv->next_line++;
}

/* Room for one more character, and the NUL. */
static bool has_room(size_t used, size_t more)
{
    return used + more < CSV_CELL_SIZE;
}

/* Adds one character; NULL when all is well, else why it is refused. */
static const char *take(struct csv *csv, char *cell, size_t *used)
{
    unsigned char c = (unsigned char)*csv->at;
    size_t size = utf8_sequence(csv->at, (size_t)(csv->end - csv->at));
    if (c == 0)
        return "a NUL byte: this is no text file";
    if (c == '\t' || (c >= ' ' && c < 0x7f))
        size = 1;
    else if (c < 0x80)
        return "a control character";
    if (size == 0)
        return "not UTF-8: save the table as \"CSV UTF-8\"";
    if (!has_room(*used, size))
        return "more than 4095 bytes in a cell";
    memcpy(cell + *used, csv->at, size);
    *used += size;
    csv->at += size;
    return NULL;
}

/* The opening quote is passed. */
static const char *take_quoted(struct csv *csv, char *cell, size_t *used)
{
    while (csv->at < csv->end) {
        const char *why = NULL;
        bool is_quote = *csv->at == '"';
        if (is_quote && (csv->end - csv->at == 1 || csv->at[1] != '"')) {
            csv->at++;
            return NULL;
        }
        csv->at += is_quote; /* the first of two */
        if (!is_line_end(csv)) {
            why = take(csv, cell, used);
        } else if (has_room(*used, 1)) {
            pass_line_end(csv);
            cell[(*used)++] = ' ';
        } else {
            why = "more than 4095 bytes in a cell";
        }
        if (why)
            return why;
    }
    return "a quote is not closed";
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void trim(char *cell, size_t size)
{
    size_t start = 0;
    while (size > 0 && is_blank(cell[size - 1]))
        size--;
    while (start < size && is_blank(cell[start]))
        start++;
    if (size - start > 1 && cell[start] == '\'' && strchr("=+-@", cell[start + 1]))
        start++;
    memmove(cell, cell + start, size - start);
    cell[size - start] = '\0';
}

static enum csv_step row_end(struct csv *csv, struct error *err)
{
    csv->is_row_over = false;
    csv->next_column = 1;
    return ++csv->rows > CSV_ROWS_MAX ? broken(csv, err, "too many rows: at most 50000")
                                      : CSV_ROW_END;
}

/* After a cell comes a separator, the end of the line, or the end of all. */
static enum csv_step after_cell(struct csv *csv, struct error *err)
{
    if (csv->at < csv->end && *csv->at == csv->separator) {
        csv->at++;
        csv->next_column++;
        return CSV_CELL;
    }
    if (csv->at < csv->end && !is_line_end(csv))
        return broken(csv, err, "text behind a closing quote");
    if (csv->at < csv->end)
        pass_line_end(csv);
    csv->is_row_over = true;
    return CSV_CELL;
}

enum csv_step csv_next(struct csv *csv, char cell[CSV_CELL_SIZE], struct error *err)
{
    const char *why = NULL;
    size_t used = 0;
    cell[0] = '\0';
    if (csv->is_row_over)
        return row_end(csv, err);
    if (csv->at == csv->end && csv->next_column == 1)
        return CSV_END;
    csv->line = csv->next_line;
    csv->column = csv->next_column;
    if (csv->column > CSV_COLUMNS_MAX)
        return broken(csv, err, "too many columns: at most 256");
    while (csv->at < csv->end && *csv->at == ' ')
        csv->at++;
    if (csv->at < csv->end && *csv->at == '"') {
        csv->at++;
        why = take_quoted(csv, cell, &used);
        while (!why && csv->at < csv->end && *csv->at == ' ')
            csv->at++;
    } else {
        while (!why && csv->at < csv->end && *csv->at != csv->separator && !is_line_end(csv))
            why = *csv->at == '"' ? "a quote in the middle of a cell" : take(csv, cell, &used);
    }
    if (why)
        return broken(csv, err, why);
    trim(cell, used);
    return after_cell(csv, err);
}
