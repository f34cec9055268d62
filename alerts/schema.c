/* schema.c: the tables of alerts. */
#include "alerts.h"

/* evidence_bytes, outbox_rows: kept by triggers, so that limits cost no scan. outbox_next never
 * goes back, also when the outbox is empty: a sequence number is used once. */
static const char version_1[] =
    "CREATE TABLE alerts("
    "  sensor TEXT NOT NULL, id TEXT NOT NULL, revision INTEGER NOT NULL,"
    "  rule TEXT NOT NULL, severity INTEGER NOT NULL, first_ns INTEGER NOT NULL, last_ns INTEGER "
    "NOT NULL,"
    "  count INTEGER NOT NULL, status TEXT NOT NULL, actor TEXT NOT NULL, target TEXT NOT NULL,"
    "  protocol TEXT NOT NULL, incident TEXT NOT NULL, document TEXT NOT NULL,"
    "  state BLOB, " /* struct alert while it may still grow */
    "  PRIMARY KEY(sensor, id));"
    "CREATE INDEX alerts_by_time ON alerts(sensor, first_ns);"
    "CREATE INDEX alerts_by_end ON alerts(sensor, last_ns);"
    "CREATE INDEX alerts_resumable ON alerts(sensor, last_ns) WHERE state IS NOT NULL;"

    "CREATE TABLE alert_triage("
    "  sensor TEXT NOT NULL, id TEXT NOT NULL, state TEXT NOT NULL," /* new, acknowledged, closed */
    "  assignee TEXT NOT NULL, note TEXT NOT NULL, by TEXT NOT NULL, at_ms INTEGER NOT NULL,"
    "  PRIMARY KEY(sensor, id));"

    "CREATE TABLE evidence("
    "  sensor TEXT NOT NULL, alert TEXT NOT NULL, time_ns INTEGER NOT NULL, source TEXT NOT NULL,"
    "  packet INTEGER NOT NULL," /* the first of them */
    "  link_type INTEGER NOT NULL, packets INTEGER NOT NULL,"
    "  bytes BLOB NOT NULL," /* as in a capture file with nanoseconds, without its header */
    "  PRIMARY KEY(sensor, alert, time_ns, source, packet));"
    "CREATE INDEX evidence_by_time ON evidence(sensor, time_ns);"

    "CREATE TABLE outbox("
    "  sensor TEXT NOT NULL, seq INTEGER NOT NULL, stream TEXT NOT NULL, id TEXT NOT NULL,"
    "  rev INTEGER NOT NULL, json TEXT NOT NULL, created_ms INTEGER NOT NULL," /* wall clock:
                                                                                  delivery's
                                                                                  business */
    "  PRIMARY KEY(sensor, seq));"
    "CREATE INDEX outbox_by_age ON outbox(sensor, created_ms);"

    "CREATE TABLE alert_totals("
    "  sensor TEXT PRIMARY KEY, evidence_bytes INTEGER NOT NULL DEFAULT 0,"
    "  outbox_next INTEGER NOT NULL DEFAULT 1, outbox_rows INTEGER NOT NULL DEFAULT 0,"
    "  outbox_lost INTEGER NOT NULL DEFAULT 0);" /* messages that went before every output had them
                                                  */

    "CREATE TABLE output_cursor("
    "  sensor TEXT NOT NULL, output TEXT NOT NULL, seq INTEGER NOT NULL," /* delivered up to here */
    "  mark TEXT NOT NULL, delivered INTEGER NOT NULL,"
    "  PRIMARY KEY(sensor, output));"

    "CREATE TABLE health("
    "  sensor TEXT NOT NULL, id TEXT NOT NULL, rev INTEGER NOT NULL, document TEXT NOT NULL,"
    "  PRIMARY KEY(sensor, id));"

    "CREATE TRIGGER evidence_added AFTER INSERT ON evidence BEGIN"
    "  INSERT INTO alert_totals(sensor, evidence_bytes) VALUES(NEW.sensor, length(NEW.bytes))"
    "  ON CONFLICT(sensor) DO UPDATE SET evidence_bytes = evidence_bytes + length(NEW.bytes); END;"
    "CREATE TRIGGER evidence_removed AFTER DELETE ON evidence BEGIN"
    "  UPDATE alert_totals SET evidence_bytes = evidence_bytes - length(OLD.bytes)"
    "  WHERE sensor = OLD.sensor; END;"
    "CREATE TRIGGER outbox_added AFTER INSERT ON outbox BEGIN"
    "  INSERT INTO alert_totals(sensor, outbox_next, outbox_rows) VALUES(NEW.sensor, NEW.seq + 1, "
    "1)"
    "  ON CONFLICT(sensor) DO UPDATE SET outbox_next = NEW.seq + 1, outbox_rows = outbox_rows + 1; "
    "END;"
    "CREATE TRIGGER outbox_removed AFTER DELETE ON outbox BEGIN"
    "  UPDATE alert_totals SET outbox_rows = outbox_rows - 1 WHERE sensor = OLD.sensor; END;"
    "CREATE TRIGGER alerts_removed AFTER DELETE ON alerts BEGIN"
    "  DELETE FROM evidence WHERE sensor = OLD.sensor AND alert = OLD.id;"
    "  DELETE FROM alert_triage WHERE sensor = OLD.sensor AND id = OLD.id; END;";

/* Who writes: the sensor incidents, alert_noise and suppression_hits; people suppressions, by the
 * command line or the console. */
static const char version_2[] =
    "CREATE TABLE incidents("
    "  sensor TEXT NOT NULL, id TEXT NOT NULL, revision INTEGER NOT NULL, severity INTEGER NOT "
    "NULL,"
    "  first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, alerts INTEGER NOT NULL,"
    "  status TEXT NOT NULL, title TEXT NOT NULL, document TEXT NOT NULL,"
    "  state BLOB," /* struct incident while it may still grow */
    "  PRIMARY KEY(sensor, id));"
    "CREATE INDEX incidents_by_time ON incidents(sensor, first_ns);"
    "CREATE INDEX incidents_by_end ON incidents(sensor, last_ns);"
    "CREATE INDEX alerts_by_incident ON alerts(sensor, incident);"

    "CREATE TABLE suppressions("
    "  sensor TEXT NOT NULL, id INTEGER NOT NULL,"
    "  rule TEXT NOT NULL, actor TEXT NOT NULL, target TEXT NOT NULL," /* '': any */
    "  until_ns INTEGER NOT NULL, by TEXT NOT NULL, reason TEXT NOT NULL,"
    "  made_ns INTEGER NOT NULL, lifted_ns INTEGER," /* wall clock; NULL: in force until its end */
    "  PRIMARY KEY(sensor, id));"
    "CREATE TABLE suppression_hits("
    "  sensor TEXT NOT NULL, id INTEGER NOT NULL, count INTEGER NOT NULL, last_ns INTEGER NOT NULL,"
    "  PRIMARY KEY(sensor, id));"

    "CREATE TABLE alert_noise("
    "  sensor TEXT NOT NULL, day TEXT NOT NULL, rule TEXT NOT NULL,"
    "  findings INTEGER NOT NULL, alerts INTEGER NOT NULL, revisions INTEGER NOT NULL,"
    "  suppressed INTEGER NOT NULL, folded INTEGER NOT NULL,"
    "  PRIMARY KEY(sensor, day, rule));";

/* For who looks at one device. */
static const char version_3[] = "CREATE INDEX alerts_by_actor ON alerts(actor, last_ns);"
                                "CREATE INDEX alerts_by_target ON alerts(target, last_ns);";

/* What lists of alerts need, beside the document: a page of 100,000 alerts is found in one index
 * and shown without parsing JSON, and numbers are added up as alerts come and go. message,
 * rule_name: of the document; triage, assignee: the last of alert_triage. */
static const char version_4[] =
    "ALTER TABLE alerts ADD COLUMN message TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE alerts ADD COLUMN rule_name TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE alerts ADD COLUMN triage TEXT NOT NULL DEFAULT 'new';"
    "ALTER TABLE alerts ADD COLUMN assignee TEXT NOT NULL DEFAULT '';"
    "UPDATE alerts SET message = json_extract(document, '$.message'),"
    "  rule_name = json_extract(document, '$.rule.name');"
    "UPDATE alerts SET triage = t.state, assignee = t.assignee FROM alert_triage t"
    "  WHERE t.sensor = alerts.sensor AND t.id = alerts.id;"

    "CREATE INDEX alerts_list ON alerts(last_ns DESC, id, severity, triage, rule, protocol,"
    "  message);"
    "CREATE INDEX alerts_by_id ON alerts(id);"
    "CREATE INDEX alerts_of_incident ON alerts(incident);"
    "CREATE INDEX alerts_by_assignee ON alerts(assignee) WHERE assignee <> '';"

    "CREATE TABLE alert_counts("
    "  sensor TEXT NOT NULL, severity INTEGER NOT NULL, triage TEXT NOT NULL, count INTEGER NOT "
    "NULL,"
    "  PRIMARY KEY(sensor, severity, triage)) WITHOUT ROWID;"
    "INSERT INTO alert_counts SELECT sensor, severity, triage, count(*) FROM alerts GROUP BY 1, 2, "
    "3;"

    "CREATE TRIGGER triage_added AFTER INSERT ON alert_triage BEGIN"
    "  UPDATE alerts SET triage = NEW.state, assignee = NEW.assignee"
    "  WHERE sensor = NEW.sensor AND id = NEW.id; END;"
    "CREATE TRIGGER triage_changed AFTER UPDATE ON alert_triage BEGIN"
    "  UPDATE alerts SET triage = NEW.state, assignee = NEW.assignee"
    "  WHERE sensor = NEW.sensor AND id = NEW.id; END;"
    "CREATE TRIGGER triage_removed AFTER DELETE ON alert_triage BEGIN"
    "  UPDATE alerts SET triage = 'new', assignee = '' WHERE sensor = OLD.sensor AND id = OLD.id; "
    "END;"
    "CREATE TRIGGER alert_counted AFTER INSERT ON alerts BEGIN"
    "  INSERT INTO alert_counts VALUES(NEW.sensor, NEW.severity, NEW.triage, 1)"
    "  ON CONFLICT DO UPDATE SET count = count + 1; END;"
    "CREATE TRIGGER alert_recounted AFTER UPDATE OF severity, triage ON alerts"
    "  WHEN OLD.severity <> NEW.severity OR OLD.triage <> NEW.triage BEGIN"
    "  UPDATE alert_counts SET count = count - 1"
    "  WHERE sensor = OLD.sensor AND severity = OLD.severity AND triage = OLD.triage;"
    "  INSERT INTO alert_counts VALUES(NEW.sensor, NEW.severity, NEW.triage, 1)"
    "  ON CONFLICT DO UPDATE SET count = count + 1; END;"
    "CREATE TRIGGER alert_uncounted AFTER DELETE ON alerts BEGIN"
    "  UPDATE alert_counts SET count = count - 1"
    "  WHERE sensor = OLD.sensor AND severity = OLD.severity AND triage = OLD.triage; END;";

/* Reports and rates count what began in a span; the newest trouble of each kind of the sensor
 * itself; stories, newest first. */
static const char version_5[] =
    "CREATE INDEX alerts_by_begin ON alerts(first_ns, severity, triage, rule, actor,"
    "  target);"
    "CREATE INDEX alerts_of_sensor ON alerts(rule, last_ns)"
    "  WHERE rule >= 'sensor.' AND rule < 'sensor/';"
    "CREATE INDEX incidents_list ON incidents(last_ns DESC, id);";

/* How many alerts of one device nobody closed, and how grave they are, in its row of the inventory.
 */
static const char version_6[] =
    "CREATE INDEX alerts_open_by_actor ON alerts(actor, sensor, severity) WHERE triage <> 'closed';"
    "CREATE INDEX alerts_open_by_target ON alerts(target, sensor, severity, actor)"
    "  WHERE triage <> 'closed';";

/* How often each rule of the users matched, without their documents. */
static const char version_7[] =
    "CREATE INDEX alerts_of_rules ON alerts(sensor, json_extract(document, '$.rule.uuid'), count,"
    "  last_ns) WHERE rule = 'rule.match';";

/* A statement that cannot abort keeps no journal of the pages that it changes: new alerts and
 * messages go without ON CONFLICT DO UPDATE in triggers and without a function in an index. They
 * are written with OR IGNORE (rows.c), which holds in the triggers, too; the REPLACE of another
 * writer would find what is there. rule_uuid: of the document, for rules of users. */
#define COUNT_OF_NEW " sensor = NEW.sensor AND severity = NEW.severity AND triage = NEW.triage"
static const char version_8[] =
    "ALTER TABLE alerts ADD COLUMN rule_uuid TEXT NOT NULL DEFAULT '';"
    "UPDATE alerts SET rule_uuid = coalesce(json_extract(document, '$.rule.uuid'), '')"
    "  WHERE rule = 'rule.match';"
    "DROP INDEX alerts_of_rules;"
    "CREATE INDEX alerts_of_rules ON alerts(sensor, rule_uuid, count, last_ns)"
    "  WHERE rule = 'rule.match';"
    "DROP TRIGGER outbox_added; DROP TRIGGER alert_counted;"
    "CREATE TRIGGER outbox_added AFTER INSERT ON outbox BEGIN"
    "  INSERT OR IGNORE INTO alert_totals(sensor, evidence_bytes, outbox_rows, outbox_lost)"
    "  VALUES(NEW.sensor,"
    "  coalesce((SELECT evidence_bytes FROM alert_totals WHERE sensor = NEW.sensor), 0),"
    "  coalesce((SELECT outbox_rows FROM alert_totals WHERE sensor = NEW.sensor), 0),"
    "  coalesce((SELECT outbox_lost FROM alert_totals WHERE sensor = NEW.sensor), 0));"
    "  UPDATE alert_totals SET outbox_next = NEW.seq + 1, outbox_rows = outbox_rows + 1"
    "  WHERE sensor = NEW.sensor; END;"
    "CREATE TRIGGER alert_counted AFTER INSERT ON alerts BEGIN"
    "  INSERT OR IGNORE INTO alert_counts VALUES(NEW.sensor, NEW.severity, NEW.triage,"
    "  coalesce((SELECT count FROM alert_counts WHERE" COUNT_OF_NEW "), 0));"
    "  UPDATE alert_counts SET count = count + 1 WHERE" COUNT_OF_NEW "; END;";

static const char *const migrations[] = {version_1, version_2, version_3, version_4, version_5,
                                         version_6, version_7, version_8, NULL};

const struct store_schema alerts_schema = {.name = "alerts", .migrations = migrations};
