/* pccc.c: PCCC commands in CIP (Execute PCCC, class 0x67).
 *
 * Spec: [DF1] Rockwell 1770-6.5.16: DF1 Protocol and Command Set; the CIP service as in public
 * captures
 *
 *   | requestor: size 1, =7 | vendor 2 | serial number 4 | command, see pccc_command.c | */
#include "pccc_command.h"
#include "sensor/base/hash.h"

enum { REQUESTOR_SIZE_MIN = 1 };

/* Only the body of Execute PCCC comes here: what is wrong with it is told, not passed on. */
static enum claim pccc_recognise(struct reader r)
{
    return reader_left(&r) ? CLAIM_YES : CLAIM_MORE;
}

static void pccc_dissect(struct dissect *d, struct reader r)
{
    const uint8_t *at = r.at;
    size_t size = reader_u8(&r);
    if (size < REQUESTOR_SIZE_MIN || size - 1 > reader_left(&r)) {
        emit_violation(d, VIOLATION_LENGTH, "requestor id runs past the end of the message", at,
                       reader_ok(&r) ? 1 : 0);
        return;
    }
    struct reader requestor = reader_take(&r, size - 1);
    pccc_command_dissect(d, r, hash_short(requestor.at, reader_left(&requestor)));
}

const struct dissector dissector_pccc = {
    .name = "pccc",
    .spec = "Rockwell 1770-6.5.16: DF1 Protocol and Command Set",
    .over = OVER_CIP,
    .recognise = pccc_recognise,
    .dissect = pccc_dissect,
};
