/* declared_store.c: the declared list in the store: one list at a time, its cells and what finds
 * them. */
#include "declared.h"

#include <string.h>

static bool field_save(struct store *store, size_t line, enum asset_column column,
                       const char *value, struct error *err)
{
    sqlite3_stmt *s =
        store_statement(store, "INSERT INTO declared (line, field, value) VALUES (?,?,?)", err);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, (int64_t)line);
    sqlite3_bind_text(s, 2, asset_column_name(column), -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 3, value, -1, SQLITE_STATIC);
    return store_step(store, s, err);
}

static bool key_save(struct store *store, size_t line, const char *kind, const char *value,
                     size_t size, struct error *err)
{
    sqlite3_stmt *s = store_statement(
        store, "INSERT OR IGNORE INTO declared_keys (kind, value, line) VALUES (?,?,?)", err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, kind, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, value, (int)size, SQLITE_STATIC);
    sqlite3_bind_int64(s, 3, (int64_t)line);
    return store_step(store, s, err);
}

/* Every value of a column that finds an asset. */
static bool keys_save(struct store *store, size_t line, enum asset_column column, const char *value,
                      struct error *err)
{
    static const struct {
        enum asset_column column;
        const char *kind;
        bool is_list;
    } kinds[] = {
        {ASSET_COLUMN_asset_id,      "asset_id", false},
        {ASSET_COLUMN_mac,           "mac",      true },
        {ASSET_COLUMN_serial_number, "serial",   false},
        {ASSET_COLUMN_ip,            "ip",       true },
        {ASSET_COLUMN_name,          "name",     false},
        {ASSET_COLUMN_hostname,      "name",     false},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].column != column)
            continue;
        for (const char *at = value; *at != '\0';) {
            size_t size = kinds[i].is_list ? strcspn(at, ";") : strlen(at);
            if (!key_save(store, line, kinds[i].kind, at, size, err))
                return false;
            at += size + (at[size] == ';' && kinds[i].is_list);
        }
    }
    return true;
}

static bool head_save(struct store *store, const struct declared_list *list, const char *name,
                      const char *by, int64_t at_ms, struct error *err)
{
    sqlite3_stmt *s = store_statement(
        store, "INSERT INTO declared_list (name, rows, by, at_ms) VALUES (?,?,?,?)", err);
    struct declared_counts counts;
    declared_counts(list, &counts);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, (int64_t)counts.rows);
    sqlite3_bind_text(s, 3, by, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 4, at_ms);
    return store_step(store, s, err);
}

static bool rows_save(struct store *store, const struct declared_list *list, struct error *err)
{
    struct declared_counts counts;
    declared_counts(list, &counts);
    for (size_t i = 0; i < counts.rows; i++)
        for (int j = 0; j < ASSET_COLUMN_COUNT; j++) {
            enum asset_column column = (enum asset_column)j;
            const char *cell = declared_cell(list, i, column);
            size_t line = declared_line(list, i);
            if (cell[0] != '\0' && (!field_save(store, line, column, cell, err) ||
                                    !keys_save(store, line, column, cell, err)))
                return false;
        }
    return true;
}

static bool declared_clear(struct store *store, struct error *err)
{
    return store_exec(
        store, "DELETE FROM declared_list; DELETE FROM declared; DELETE FROM declared_keys", err);
}

bool declared_put(struct store *store, const struct declared_list *list, const char *name,
                  const char *by, int64_t at_ms, struct error *err)
{
    return declared_clear(store, err) &&
           (!list || (head_save(store, list, name, by, at_ms, err) && rows_save(store, list, err)));
}

bool declared_save(struct store *store, const struct declared_list *list, const char *name,
                   const char *by, int64_t at_ms, struct error *err)
{
    bool ok = store_exec(store, "BEGIN IMMEDIATE", err) &&
              declared_put(store, list, name, by, at_ms, err) && store_exec(store, "COMMIT", err);
    if (!ok)
        store_rollback(store);
    return ok;
}

bool declared_remove(struct store *store, struct error *err)
{
    bool ok = store_exec(store, "BEGIN IMMEDIATE", err) && declared_clear(store, err) &&
              store_exec(store, "COMMIT", err);
    if (!ok)
        store_rollback(store);
    return ok;
}
