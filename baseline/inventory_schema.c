/* inventory_schema.c: the inventory's tables in the store, and how they came to be so. */
#include "inventory.h"

#include <stddef.h>

static const char *const migrations[] = {
    /* 0 -> 1 */
    "CREATE TABLE segments (sensor TEXT NOT NULL, name TEXT NOT NULL, first_ns INTEGER NOT NULL,"
    " observed_ns INTEGER NOT NULL, quiet_ns INTEGER NOT NULL, is_settled INTEGER NOT NULL,"
    " PRIMARY KEY (sensor, name)) WITHOUT ROWID;"
    "CREATE TABLE assets (sensor TEXT NOT NULL, id TEXT NOT NULL, segment TEXT NOT NULL,"
    " first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, changed_ns INTEGER NOT NULL,"
    " flags INTEGER NOT NULL, operations INTEGER NOT NULL, suffered INTEGER NOT NULL,"
    " packets INTEGER NOT NULL, bytes INTEGER NOT NULL, foreign_count INTEGER NOT NULL,"
    " most_hosts INTEGER NOT NULL, most_ports INTEGER NOT NULL, most_arp INTEGER NOT NULL,"
    " class TEXT NOT NULL, role TEXT NOT NULL, name TEXT NOT NULL, vlans TEXT NOT NULL,"
    " PRIMARY KEY (sensor, id)) WITHOUT ROWID;"
    "CREATE INDEX assets_by_last ON assets (sensor, last_ns);"
    "CREATE TABLE asset_aliases (sensor TEXT NOT NULL, asset TEXT NOT NULL, kind TEXT NOT NULL,"
    " value TEXT NOT NULL, position INTEGER NOT NULL, is_confirmed INTEGER NOT NULL,"
    " PRIMARY KEY (sensor, asset, kind, value)) WITHOUT ROWID;"
    "CREATE INDEX asset_aliases_by_value ON asset_aliases (sensor, kind, value);"
    "CREATE TABLE asset_protocols (sensor TEXT NOT NULL, asset TEXT NOT NULL, name TEXT NOT NULL,"
    " position INTEGER NOT NULL, is_served INTEGER NOT NULL, is_used INTEGER NOT NULL,"
    " PRIMARY KEY (sensor, asset, name)) WITHOUT ROWID;"
    "CREATE TABLE services (sensor TEXT NOT NULL, asset TEXT NOT NULL, transport INTEGER NOT NULL,"
    " port INTEGER NOT NULL, protocol TEXT NOT NULL, flags INTEGER NOT NULL, first_ns INTEGER NOT "
    "NULL,"
    " last_ns INTEGER NOT NULL, count INTEGER NOT NULL,"
    " PRIMARY KEY (sensor, asset, transport, port)) WITHOUT ROWID;"
    "CREATE TABLE facts (sensor TEXT NOT NULL, asset TEXT NOT NULL, kind TEXT NOT NULL,"
    " unit TEXT NOT NULL, protocol TEXT NOT NULL, value TEXT NOT NULL, is_current INTEGER NOT NULL,"
    " first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, count INTEGER NOT NULL,"
    " PRIMARY KEY (sensor, asset, kind, unit, protocol, value)) WITHOUT ROWID;"
    "CREATE TABLE bindings (sensor TEXT NOT NULL, segment TEXT NOT NULL, ip TEXT NOT NULL,"
    " mac TEXT NOT NULL, first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, count INTEGER NOT "
    "NULL,"
    " is_learned INTEGER NOT NULL, is_arp INTEGER NOT NULL,"
    " PRIMARY KEY (sensor, segment, ip, mac)) WITHOUT ROWID;",
    /* 1 -> 2: where the site policy says that an asset stands */
    "CREATE TABLE asset_places (sensor TEXT NOT NULL, asset TEXT NOT NULL, zone TEXT NOT NULL,"
    " level TEXT NOT NULL, is_safety INTEGER NOT NULL, is_critical INTEGER NOT NULL,"
    " PRIMARY KEY (sensor, asset)) WITHOUT ROWID;",
    /* 2 -> 3: who holds the roles of a network */
    "CREATE TABLE infrastructure (sensor TEXT NOT NULL, segment TEXT NOT NULL, role TEXT NOT NULL,"
    " identity TEXT NOT NULL, first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL,"
    " count INTEGER NOT NULL, is_learned INTEGER NOT NULL,"
    " PRIMARY KEY (sensor, segment, role, identity)) WITHOUT ROWID;",
    /* the rhythm of its presence */
    "ALTER TABLE assets ADD COLUMN longest_pause_ns INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE assets ADD COLUMN present_ns INTEGER NOT NULL DEFAULT 0;",
    /* what people said of an asset: asset_override.h */
    "CREATE TABLE asset_overrides (sensor TEXT NOT NULL, asset TEXT NOT NULL, field TEXT NOT NULL,"
    " value TEXT NOT NULL, by TEXT NOT NULL, why TEXT NOT NULL, at_ms INTEGER NOT NULL,"
    " PRIMARY KEY (sensor, asset, field)) WITHOUT ROWID;",
    /* why it is taken for what it is; what it does with the plant's protocols, and is there for */
    "ALTER TABLE assets ADD COLUMN class_why TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE assets ADD COLUMN class_confidence INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE assets ADD COLUMN level TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE assets ADD COLUMN plant INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE assets ADD COLUMN usual INTEGER NOT NULL DEFAULT 0;"
    "UPDATE assets SET plant = operations, usual = operations;",
    /* guesses: who made its network part; where its public address is, and whose */
    "ALTER TABLE assets ADD COLUMN maker TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE assets ADD COLUMN geo_place TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE assets ADD COLUMN geo_owner TEXT NOT NULL DEFAULT '';",
    /* the number by which the baseline knows it; -1: not known */
    "ALTER TABLE segments ADD COLUMN number INTEGER NOT NULL DEFAULT -1;",
    /* the plant's own list of its devices: declared.h; value in the spelling of the other tables */
    "CREATE TABLE declared_list (name TEXT NOT NULL, rows INTEGER NOT NULL, by TEXT NOT NULL,"
    " at_ms INTEGER NOT NULL);"
    "CREATE TABLE declared (line INTEGER NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL,"
    " PRIMARY KEY (line, field)) WITHOUT ROWID;"
    "CREATE TABLE declared_keys (kind TEXT NOT NULL, value TEXT NOT NULL COLLATE NOCASE,"
    " line INTEGER NOT NULL, PRIMARY KEY (kind, value, line)) WITHOUT ROWID;"
    "CREATE INDEX assets_by_name ON assets (name COLLATE NOCASE) WHERE name <> '';"
    "CREATE INDEX facts_by_host_name ON facts (value COLLATE NOCASE) WHERE kind = 'host_name';"
    "CREATE INDEX facts_by_ip ON facts (value) WHERE kind = 'ip';"
    "CREATE INDEX facts_by_serial ON facts (value COLLATE NOCASE) WHERE kind = 'serial_number';",
    /* services so busy that more is usual there: flood.h */
    "CREATE TABLE floods (sensor TEXT NOT NULL, segment INTEGER NOT NULL, kind TEXT NOT NULL,"
    " transport INTEGER NOT NULL, ip TEXT NOT NULL, mac TEXT NOT NULL, port INTEGER NOT NULL,"
    " usual INTEGER NOT NULL,"
    " PRIMARY KEY (sensor, segment, kind, transport, ip, mac, port)) WITHOUT ROWID;",
    NULL,
};

const struct store_schema inventory_schema = {.name = "inventory", .migrations = migrations};
