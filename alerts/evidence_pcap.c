/* evidence_pcap.c: an alert's evidence as a capture file (draft-ietf-opsawg-pcap, nanosecond
 * magic). */
#include "alerts.h"

#include <string.h>

#define MAGIC_NS 0xa1b23c4du

enum { VERSION = 0x00040002, SNAPLEN = 262144 };

static bool write_u32(FILE *file, uint32_t n)
{
    const uint8_t bytes[4] = {(uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16),
                              (uint8_t)(n >> 24)};
    return fwrite(bytes, 1, sizeof bytes, file) == sizeof bytes;
}

static bool write_header(FILE *file, uint32_t link_type)
{
    /* version is two 16-bit numbers, major 2 first; then time zone and accuracy, always 0 */
    return write_u32(file, MAGIC_NS) && write_u32(file, VERSION) && write_u32(file, 0) &&
           write_u32(file, 0) && write_u32(file, SNAPLEN) && write_u32(file, link_type);
}

bool alerts_evidence_pcap(struct store *store, const char *sensor, const char *alert_id, FILE *file,
                          size_t *packets, struct error *err)
{
    *packets = 0;
    sqlite3_stmt *s = store_statement(store,
                                      "SELECT link_type, packets, bytes FROM evidence"
                                      " WHERE sensor = ? AND alert = ? ORDER BY time_ns, packet",
                                      err);
    if (!s)
        return false;
    sqlite3_bind_text(s, 1, sensor, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, alert_id, -1, SQLITE_STATIC);
    bool ok = true;
    int code = SQLITE_DONE, link_type = 1; /* Ethernet, when there is no packet to tell */
    while (ok && (code = sqlite3_step(s)) == SQLITE_ROW) {
        if (*packets == 0) {
            link_type = sqlite3_column_int(s, 0);
            ok = write_header(file, (uint32_t)link_type);
        }
        if (sqlite3_column_int(s, 0) != link_type)
            continue;
        size_t size = (size_t)sqlite3_column_bytes(s, 2);
        ok = ok && fwrite(sqlite3_column_blob(s, 2), 1, size, file) == size;
        *packets += (size_t)sqlite3_column_int64(s, 1);
    }
    if (ok && code == SQLITE_DONE && *packets == 0)
        ok = write_header(file, (uint32_t)link_type);
    sqlite3_reset(s);
    if (!ok)
        return error_set(err, "alert %s: cannot write its evidence", alert_id);
    return code == SQLITE_DONE || error_set(err, "store %s: cannot read evidence: %s",
                                            store_path(store), sqlite3_errmsg(store_handle(store)));
}
