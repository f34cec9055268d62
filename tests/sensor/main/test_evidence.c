/* test_evidence.c: the packets around a finding: of its pair, in order, few, and without passwords.
 */
#include "sensor/main/evidence.h"
#include "support/runner.h"

#include <string.h>

enum { KEPT_MAX = 256 };
static struct kept {
    uint64_t id, number;
    uint8_t first_byte;
    uint8_t bytes[64];
} kept[KEPT_MAX];
static int kept_count;

static void keep(void *context, const struct evidence_packet *e)
{
    (void)context;
    ck_assert_int_lt(kept_count, KEPT_MAX);
    struct kept *k = &kept[kept_count++];
    *k = (struct kept){.id = e->evidence_id, .number = e->packet_number, .first_byte = e->bytes[0]};
    memcpy(k->bytes, e->bytes, e->size < 64 ? e->size : 64);
}

static const struct finding_sink sink = {NULL, NULL, NULL, keep};
static struct evidence *evidence;
static uint8_t frame[64];
static struct packet packet;

static void setup(void)
{
    kept_count = 0;
    evidence = evidence_create(1 << 16, &sink);
    ck_assert_ptr_nonnull(evidence);
    memset(frame, 'a', sizeof frame);
    packet = (struct packet){.bytes = frame,
                             .captured_size = sizeof frame,
                             .wire_size = sizeof frame,
                             .payload = frame + 40,
                             .payload_size = 24};
}

static void teardown(void)
{
    evidence_destroy(evidence);
}

static void see(uint64_t pair)
{
    packet.number++;
    evidence_packet(evidence, &packet, pair);
}

static struct finding found(const char *key, uint64_t pair)
{
    struct finding f;
    memset(&f, 0, sizeof f);
    f.detection = DETECTION_PLC_STOP;
    strcpy(f.key, key);
    evidence_finding(evidence, &f, pair);
    return f;
}

START_TEST(before_and_after_of_the_same_pair)
{
    for (int i = 0; i < 50; i++) {
        see(1); /* odd numbers */
        evidence_flush(evidence);
        see(2); /* even numbers */
        evidence_flush(evidence);
    }
    see(1); /* 101: decides */
    struct finding f = found("x", 1);
    ck_assert_uint_ne(f.evidence_id, 0);
    evidence_flush(evidence);
    ck_assert_int_eq(kept_count, EVIDENCE_PACKETS + 1);
    for (int i = 0; i <= EVIDENCE_PACKETS; i++)
        ck_assert_uint_eq(kept[i].number, (uint64_t)(101 - 2 * EVIDENCE_PACKETS + 2 * i));
    for (int i = 0; i < 100; i++) {
        see(i % 2 ? 1 : 2);
        evidence_flush(evidence);
    }
    ck_assert_int_eq(kept_count, 2 * EVIDENCE_PACKETS + 1);
    for (int i = 1; i < kept_count; i++)
        ck_assert_uint_lt(kept[i - 1].number, kept[i].number);
}
END_TEST

START_TEST(a_cause_has_its_share_and_no_more)
{
    int with_evidence = 0;
    for (int i = 0; i < 100; i++) {
        see(1);
        with_evidence += found("x", 1).evidence_id != 0;
        evidence_flush(evidence);
    }
    ck_assert_int_eq(with_evidence, 2);
    see(1);
    ck_assert_uint_ne(found("another", 1).evidence_id, 0);
}
END_TEST

START_TEST(an_old_packet_that_was_overwritten_is_not_given)
{
    see(1);
    for (int i = 0; i < 2000; i++)
        see(2); /* more than the ring holds */
    see(1);
    found("x", 1);
    evidence_flush(evidence);
    ck_assert_int_eq(kept_count, 1);
    ck_assert_uint_eq(kept[0].number, 2002);
}
END_TEST

START_TEST(passwords_are_masked)
{
    see(1);
    evidence_mask(evidence, &packet, frame + 50, 4);
    found("x", 1);
    evidence_flush(evidence);
    for (int i = 0; i < 64; i++)
        ck_assert_int_eq(kept[0].bytes[i], i >= 50 && i < 54 ? '*' : 'a');
    static const uint8_t elsewhere[8]; /* a PDU that was put together from several packets */
    see(1);
    evidence_mask(evidence, &packet, elsewhere, sizeof elsewhere);
    evidence_flush(evidence);
    for (int i = 0; i < 64; i++)
        ck_assert_int_eq(kept[1].bytes[i], i >= 40 ? '*' : 'a'); /* the whole payload */
}
END_TEST

int main(void)
{
    Suite *s = suite_create("evidence");
    TCase *c = tcase_create("evidence");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, before_and_after_of_the_same_pair);
    tcase_add_test(c, a_cause_has_its_share_and_no_more);
    tcase_add_test(c, an_old_packet_that_was_overwritten_is_not_given);
    tcase_add_test(c, passwords_are_masked);
    suite_add_tcase(s, c);
    return run_suite(s);
}
