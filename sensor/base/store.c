/* store.c: opening, migrating and writing the SQLite store. */
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    APPLICATION_ID = 0x53476c73, /* "SGls": marks a file as ours (SQLite PRAGMA application_id) */
    STORE_PATH_MAX = 512,        /* as SQLite's own (MAX_PATHNAME) */
    BUSY_MS = 5000, /* console and output thread write small transactions of their own */
    STATEMENTS_MAX = 256,
    PAGE_BYTES =
        8192, /* of new stores: documents and blocks of history fill them; 16 KiB is slower */
    PAGE_CACHE_KIB = 8192,
    CHECKPOINT_PAGES = 2048, /* of the WAL: pages that change in every batch reach the file once */
};

struct prepared {
    const char *sql;
    sqlite3_stmt *statement;
};

struct store {
    sqlite3 *db;
    char path[STORE_PATH_MAX];
    enum store_access access;
    bool is_snapshot;
    struct prepared prepared[STATEMENTS_MAX];
    size_t prepared_count;
    const struct store_schema *const *schemas;
};

static bool fail(struct store *s, struct error *err, const char *what)
{
    int code = sqlite3_extended_errcode(s->db) & 0xff;
    const char *hint = "";
    if (code == SQLITE_FULL || code == SQLITE_IOERR)
        hint = "; is the disk full?";
    else if (code == SQLITE_BUSY)
        hint = "; another process holds it for long";
    else if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT)
        hint = "; this is not a Sightglass store or it is damaged";
    else if (code == SQLITE_READONLY || code == SQLITE_PERM || code == SQLITE_CANTOPEN)
        hint = "; check the path and who may write there";
    return error_set(err, "store %s: %s: %s%s", s->path, what, sqlite3_errmsg(s->db), hint);
}

bool store_exec(struct store *s, const char *sql, struct error *err)
{
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK || fail(s, err, "cannot write");
}

bool store_has_refused(const struct store *s)
{
    int code = sqlite3_extended_errcode(s->db) & 0xff;
    return code == SQLITE_CONSTRAINT || code == SQLITE_TOOBIG || code == SQLITE_MISMATCH;
}

void store_rollback(struct store *s)
{
    if (!sqlite3_get_autocommit(s->db)) /* some errors have rolled back already */
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

/* The text of a statement is a literal: its address tells it, but for the same one in two places.
 */
static struct prepared *prepared_find(struct store *s, const char *sql)
{
    for (size_t i = 0; i < s->prepared_count; i++)
        if (s->prepared[i].sql == sql)
            return &s->prepared[i];
    for (size_t i = 0; i < s->prepared_count; i++)
        if (strcmp(s->prepared[i].sql, sql) == 0)
            return &s->prepared[i];
    return NULL;
}

sqlite3_stmt *store_statement(struct store *s, const char *sql, struct error *err)
{
    struct prepared *known = prepared_find(s, sql);
    if (known) {
        sqlite3_reset(known->statement);
        sqlite3_clear_bindings(known->statement);
        return known->statement;
    }
    if (s->prepared_count == STATEMENTS_MAX) {
        error_set(err, "store %s: too many different statements", s->path);
        return NULL;
    }
    struct prepared *p = &s->prepared[s->prepared_count];
    if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &p->statement, NULL) !=
        SQLITE_OK) {
        fail(s, err, "cannot prepare");
        return NULL;
    }
    p->sql = sql;
    s->prepared_count++;
    return p->statement;
}

bool store_step(struct store *s, sqlite3_stmt *statement, struct error *err)
{
    int code = sqlite3_step(statement);
    bool ok = code == SQLITE_DONE || code == SQLITE_ROW || fail(s, err, "cannot write");
    sqlite3_reset(statement);
    return ok;
}

static bool pragma_number(struct store *s, const char *sql, int64_t *number, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool ok = sqlite3_prepare_v2(s->db, sql, -1, &statement, NULL) == SQLITE_OK &&
              sqlite3_step(statement) == SQLITE_ROW;
    if (ok)
        *number = sqlite3_column_int64(statement, 0);
    else
        fail(s, err, "cannot read");
    sqlite3_finalize(statement);
    return ok;
}

static int64_t schema_version(struct store *s, const char *name)
{
    int64_t version = 0;
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(s->db, "SELECT version FROM schema_version WHERE name = ?", -1,
                           &statement, NULL) == SQLITE_OK) {
        sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
        if (sqlite3_step(statement) == SQLITE_ROW)
            version = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return version;
}

static int64_t newest_version(const struct store_schema *schema)
{
    int64_t n = 0;
    while (schema->migrations[n])
        n++;
    return n;
}

static bool record_version(struct store *s, const char *name, int64_t version, struct error *err)
{
    sqlite3_stmt *statement =
        store_statement(s,
                        "INSERT INTO schema_version(name, version) VALUES(?, ?) ON CONFLICT(name) "
                        "DO UPDATE SET version = excluded.version",
                        err);
    if (!statement)
        return false;
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, version);
    return store_step(s, statement, err);
}

/* All or nothing: a migration that was interrupted starts again from the old version. */
static bool migrate(struct store *s, const struct store_schema *schema, struct error *err)
{
    int64_t newest = newest_version(schema);
    int64_t version = schema_version(s, schema->name);
    if (version > newest)
        return error_set(err,
                         "store %s was written by a newer Sightglass (%s tables %lld, this program "
                         "knows %lld): upgrade",
                         s->path, schema->name, (long long)version, (long long)newest);
    bool is_new = version == 0 && schema->newest;
    const char *const *script = is_new ? schema->newest : schema->migrations + version;
    for (; *script; script++)
        if (!store_exec(s, *script, err))
            return false;
    return record_version(s, schema->name, newest, err);
}

static bool check_versions(struct store *s, struct error *err)
{
    for (size_t i = 0; s->schemas[i]; i++) {
        int64_t version = schema_version(s, s->schemas[i]->name);
        int64_t newest = newest_version(s->schemas[i]);
        if (version != newest)
            return error_set(
                err, "store %s has %s tables of version %lld, this program needs %lld: %s", s->path,
                s->schemas[i]->name, (long long)version, (long long)newest,
                version > newest ? "upgrade the program" : "run the sensor once to migrate it");
    }
    return true;
}

static bool check_identity(struct store *s, struct error *err)
{
    int64_t id, tables;
    if (!pragma_number(s, "PRAGMA application_id", &id, err) ||
        !pragma_number(s, "SELECT count(*) FROM sqlite_master", &tables, err))
        return false;
    if (id == APPLICATION_ID)
        return true;
    if (id == 0 && tables == 0 && s->access == STORE_READ_WRITE)
        return true; /* new and empty */
    return error_set(err, "%s is %s, not a Sightglass store: name another file with -s", s->path,
                     tables == 0 ? "an empty database" : "another program's database");
}

static bool prepare_file(struct store *s, struct error *err)
{
    char pragmas[256];
    snprintf(pragmas, sizeof pragmas,
             "PRAGMA page_size = %d;"
             "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;"
             "PRAGMA application_id = %d; PRAGMA cache_size = -%d; PRAGMA wal_autocheckpoint = %d;",
             PAGE_BYTES, APPLICATION_ID, PAGE_CACHE_KIB, CHECKPOINT_PAGES);
    if (!store_exec(s, pragmas, err) || !store_exec(s, "BEGIN IMMEDIATE", err))
        return false;
    bool ok =
        store_exec(s,
                   "CREATE TABLE IF NOT EXISTS schema_version(name TEXT PRIMARY KEY, version "
                   "INTEGER NOT NULL);"
                   "CREATE TABLE IF NOT EXISTS setting(key TEXT PRIMARY KEY, value TEXT NOT NULL);",
                   err);
    for (size_t i = 0; ok && s->schemas[i]; i++)
        ok = migrate(s, s->schemas[i], err);
    /* From here on what would undo a statement stays in memory. After 64 KB it would be a file,
     * through which every later statement of the batch goes; greater pieces in memory
     * (SQLITE_CONFIG_STMTJRNL_SPILL) are no way out: SQLite takes a disk for full to which it
     * writes 131072 bytes at once. */
    if (ok)
        return store_exec(s, "COMMIT", err) && store_exec(s, "PRAGMA temp_store = MEMORY", err);
    store_rollback(s);
    return false;
}

static bool open_file(struct store *s, const char *path, int more_flags, struct error *err)
{
    int flags = s->access == STORE_READ_ONLY ? SQLITE_OPEN_READONLY
                                             : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    flags |= SQLITE_OPEN_NOMUTEX | more_flags;
    if (sqlite3_open_v2(path, &s->db, flags, NULL) != SQLITE_OK)
        return fail(s, err, "cannot open");
    sqlite3_busy_timeout(s->db, BUSY_MS);
    return check_identity(s, err) &&
           (s->access == STORE_READ_ONLY ? check_versions(s, err) : prepare_file(s, err));
}

/* Even a reader of a WAL file needs a -shm file beside it, which cannot be made on a full disk or
 * in a folder that is not ours. */
static bool is_wal_trouble(const struct store *s)
{
    int code = sqlite3_extended_errcode(s->db) & 0xff;
    return code == SQLITE_IOERR || code == SQLITE_FULL || code == SQLITE_READONLY ||
           code == SQLITE_CANTOPEN;
}

/* Something was written that is not yet in the file itself. */
static bool has_wal(const struct store *s)
{
    char path[sizeof s->path + 8];
    struct stat about;
    snprintf(path, sizeof path, "%s-wal", s->path);
    return stat(path, &about) == 0 && about.st_size > 0;
}

/* Reads the file as it is, without a lock: right only while nobody writes, so for short. */
static bool open_immutable(struct store *s, struct error *err)
{
    char uri[sizeof s->path * 3 + 32];
    size_t used = (size_t)snprintf(uri, sizeof uri, s->path[0] == '/' ? "file://" : "file:");
    for (const char *at = s->path; *at != '\0'; at++) {
        bool is_plain = !strchr("%?#", *at);
        used += (size_t)snprintf(uri + used, sizeof uri - used, is_plain ? "%c" : "%%%02x",
                                 (unsigned char)*at);
    }
    snprintf(uri + used, sizeof uri - used, "?immutable=1");
    s->is_snapshot = true;
    return open_file(s, uri, SQLITE_OPEN_URI, err);
}

void store_prepare(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

bool store_open(struct store **store, const char *path, enum store_access access,
                const struct store_schema *const *schemas, struct error *err)
{
    *store = NULL;
    if (strlen(path) >= STORE_PATH_MAX)
        return error_set(err, "store %.40s...: the path is longer than %d bytes", path,
                         STORE_PATH_MAX - 1);
    struct store *s = calloc(1, sizeof *s);
    if (!s)
        return error_set(err, "store %s: out of memory", path);
    snprintf(s->path, sizeof s->path, "%s", path);
    s->access = access;
    s->schemas = schemas;

    bool ok = open_file(s, path, 0, err);
    if (!ok && access == STORE_READ_ONLY && is_wal_trouble(s) && !has_wal(s)) {
        sqlite3_close(s->db);
        s->db = NULL;
        ok = open_immutable(s, err);
    }
    if (!ok) {
        store_close(s);
        return false;
    }
    *store = s;
    return true;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->prepared_count; i++)
        sqlite3_finalize(s->prepared[i].statement);
    if (s->db && s->access == STORE_READ_WRITE)
        sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_close(s->db);
    free(s);
}

sqlite3 *store_handle(struct store *s)
{
    return s->db;
}

bool store_is_snapshot(const struct store *s)
{
    return s->is_snapshot;
}

const struct store_schema *const *store_schemas_of(const struct store *s)
{
    return s->schemas;
}

const char *store_path(const struct store *s)
{
    return s->path;
}

bool store_setting_set(struct store *s, const char *key, const char *value, struct error *err)
{
    sqlite3_stmt *statement = store_statement(s,
                                              "INSERT INTO setting(key, value) VALUES(?, ?) ON "
                                              "CONFLICT(key) DO UPDATE SET value = excluded.value",
                                              err);
    if (!statement)
        return false;
    sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, value, -1, SQLITE_TRANSIENT);
    return store_step(s, statement, err);
}

void store_setting_get(struct store *s, const char *key, char *value, size_t capacity)
{
    value[0] = '\0';
    sqlite3_stmt *statement = store_statement(s, "SELECT value FROM setting WHERE key = ?", NULL);
    if (!statement)
        return;
    sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
    if (sqlite3_step(statement) == SQLITE_ROW)
        snprintf(value, capacity, "%s", (const char *)sqlite3_column_text(statement, 0));
    sqlite3_reset(statement);
}
