/* declared.h: the plant's own list of its devices, brought as CSV: what is read of it, and how it
 * is kept in the store.
 *
 * Which heading means which column is a table in declared.c (the README shows it); headings that
 * nobody knows are passed over. A row is found again by the id of the asset, a MAC, a serial
 * number, an IP (with its segment, if the list has that) or a name. */
#pragma once

#include "asset_export.h"

enum declared_use {
    DECLARED_NOTED,    /* finds the asset, or is only kept */
    DECLARED_COMPARED, /* told when the asset shows something else */
    DECLARED_FILLS,    /* shown where nothing is known otherwise */
};

/* What becomes of a declared column; false: it cannot be declared. */
bool declared_column(enum asset_column column, enum declared_use *use);

struct declared_list;

/* Reads a whole list. False with line and column of what is wrong: nothing identifies a row, a MAC
 * that is none... The caller owns the list. */
bool declared_parse(struct declared_list **list, const char *text, size_t size,
                    struct error *err) NODISCARD;
void declared_destroy(struct declared_list *list);

struct declared_counts {
    size_t rows, columns, ignored;
    char ignored_headings[256]; /* "a, b", cut */
};
void declared_counts(const struct declared_list *list, struct declared_counts *counts);

/* One cell; "" is empty. row from 0; line: of the file. */
const char *declared_cell(const struct declared_list *list, size_t row, enum asset_column column);
size_t declared_line(const struct declared_list *list, size_t row);

/* Puts it in the place of the list that was there, in one transaction. */
bool declared_save(struct store *store, const struct declared_list *list, const char *name,
                   const char *by, int64_t at_ms, struct error *err) NODISCARD;
/* The same inside a transaction of the caller's; a NULL list: there is none any more. */
bool declared_put(struct store *store, const struct declared_list *list, const char *name,
                  const char *by, int64_t at_ms, struct error *err) NODISCARD;
/* There is no list any more. */
bool declared_remove(struct store *store, struct error *err) NODISCARD;
