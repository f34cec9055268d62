/* test_every_dissector.c: what must hold for each line of dissectors.def, tried on its seeds.
 *
 * The conversations of tests/fuzz/corpus/<name>/ (their form: fuzz_dissector.c) that are told
 * without a violation are good ones. Of each: a prefix of a PDU is neither broken nor whole, a PDU
 * that arrives in two pieces tells what it tells in one, half of a conversation (one side of it, or
 * its end) is no reason for a violation. A new dissector is covered by its line and its seeds. */
#include "support/dissect_probe.h"
#include "support/runner.h"

#include <dirent.h>
#include <string.h>

enum {
    CHUNKS_MAX = 64,
    SEED_SIZE_MAX = 16384,
    SEEDS_MAX = 256,
    SPLITS_MAX = 256, /* of one chunk: longer ones repeat themselves */
    FROM_CLIENT = 1,  /* bits of a chunk's first byte, as in fuzz_dissector.c */
    CARRIER_KEYED = 4,
    CARRIER_RESPONSE = 8,
    ROLE_OPEN = 16,
    SMALL_ARENA = 32,
    OVER_UDP_ONLY = 64,

    GOOSE = 0x88b8, /* [61850-8-1] annex B: to addresses of their own */
    SAMPLED_VALUES = 0x88ba,
};

#define DISSECTOR(name) extern const struct dissector dissector_##name;
#include "dissectors/dissectors.def"
#undef DISSECTOR

static const struct line {
    const char *name;
    const struct dissector *dissector;
} lines[] = {
#define DISSECTOR(name) {#name, &dissector_##name},
#include "dissectors/dissectors.def"
#undef DISSECTOR
};
enum { LINES = sizeof lines / sizeof *lines };

/* --- seeds --- */

struct chunk {
    uint8_t how;
    const uint8_t *bytes;
    size_t size;
};

struct seed {
    char name[320]; /* "modbus/write" */
    uint8_t bytes[SEED_SIZE_MAX];
    struct chunk chunks[CHUNKS_MAX];
    size_t chunk_count;
};

static void seed_parse(struct seed *s, size_t size)
{
    struct reader r = reader_of(s->bytes, size);
    for (s->chunk_count = 0; s->chunk_count < CHUNKS_MAX && reader_left(&r); s->chunk_count++) {
        struct chunk *c = &s->chunks[s->chunk_count];
        c->how = reader_u8(&r);
        size_t declared = reader_u16be(&r), left = reader_left(&r);
        struct reader body = reader_take(&r, declared < left ? declared : left);
        c->bytes = body.at;
        c->size = reader_left(&body);
    }
}

/* Where a message by itself does not tell its length. */
static const struct unframed {
    const char *seeds; /* begin with this */
    const char *why;
    bool is_split_alike; /* what went before tells it */
} unframed[] = {
    {"telnet/",       "characters as they come",                                    true },
    {"slmp/ascii",    "answers of 1E frames are as long as what was asked",         true },
    {"slmp/frame_1e", "answers of 1E frames are as long as what was asked",         true },
    {"proconos/old",  "not published, and no captured message tells it: a segment", false},
};

static const struct unframed *unframed_of(const struct seed *s)
{
    for (size_t i = 0; i < sizeof unframed / sizeof *unframed; i++)
        if (strncmp(s->name, unframed[i].seeds, strlen(unframed[i].seeds)) == 0)
            return &unframed[i];
    return NULL;
}

/* A conversation as it is fed: from `first` on, one side or both; the chunk `split` in two pieces.
 */
struct feeding {
    size_t first;
    bool only_client, only_server;
    bool is_picked_up; /* its start was not seen */
    size_t split, at;  /* split: a chunk's number, or CHUNKS_MAX for none */
};

static bool is_stream(const struct dissector *dissector, const struct seed *s)
{
    return dissector->frame && (dissector->over & OVER_TCP) && !(s->chunks[0].how & OVER_UDP_ONLY);
}

static enum transport transport_of(const struct dissector *dissector, uint8_t begin)
{
    if (!(begin & OVER_UDP_ONLY) && dissector->over & OVER_TCP)
        return TRANSPORT_TCP;
    if (begin & OVER_UDP_ONLY || dissector->over & OVER_UDP)
        return TRANSPORT_UDP;
    return dissector->over & OVER_ETHERTYPE ? TRANSPORT_NONE : TRANSPORT_TCP; /* TCP: carried */
}

static struct probe *seed_feed(const struct dissector *dissector, const struct seed *s,
                               const struct feeding *how)
{
    uint8_t begin = s->chunks[0].how;
    struct probe *p = probe_create(transport_of(dissector, begin));
    p->flow.is_start_seen = p->flow.is_role_known = !(begin & ROLE_OPEN) && !how->is_picked_up;
    p->flow.is_two_sided = !how->only_client && !how->only_server;
    p->flow.server.port = dissector->ports[0];
    if (dissector->ethertypes[0] == GOOSE || dissector->ethertypes[0] == SAMPLED_VALUES)
        p->flow.server.mac = (struct mac){
            {1, 0x0c, 0xcd, dissector->ethertypes[0] == GOOSE ? 1 : 4, 0, 1}
        };
    for (size_t i = how->first; i < s->chunk_count; i++) {
        const struct chunk *c = &s->chunks[i];
        bool is_from_client = c->how & FROM_CLIENT;
        if (is_from_client ? how->only_server : how->only_client)
            continue;
        p->carrier = (struct carrier){
            .key = c->how >> 6,
            .transaction = c->how >> 6,
            .is_keyed = c->how & CARRIER_KEYED,
            .is_response = c->how & CARRIER_RESPONSE,
        };
        if (!is_stream(dissector, s)) {
            probe_feed(p, dissector, is_from_client, c->bytes, c->size);
            continue;
        }
        size_t at = i == how->split ? how->at : c->size;
        (void)probe_stream(p, dissector, is_from_client, c->bytes, at);
        (void)probe_stream(p, dissector, is_from_client, c->bytes + at, c->size - at);
    }
    return p;
}

static const struct feeding whole = {.split = CHUNKS_MAX};

/* Tells something, and nothing wrong; else `why` says what was. */
static bool is_good(const struct dissector *dissector, const struct seed *s, char why[1024])
{
    if (s->chunk_count == 0 || s->chunks[0].how & SMALL_ARENA)
        return false;
    struct probe *p = seed_feed(dissector, s, &whole);
    bool is_good = p->event_count > 0 && p->violation_count == 0;
    if (!is_good)
        snprintf(why, 1024, "%s: %s", s->name,
                 p->violation_count ? p->violations[0].why : "tells nothing");
    probe_destroy(p);
    return is_good;
}

/* Calls `check` for every good seed of a line; returns how many there were. */
static size_t good_seeds(const struct line *line, char why[1024],
                         void (*check)(const struct dissector *d, const struct seed *s))
{
    char folder[512], path[1024];
    snprintf(folder, sizeof folder, "%s/tests/fuzz/corpus/%s", TEST_SOURCE_DIR, line->name);
    DIR *dir = opendir(folder);
    ck_assert_msg(dir, "%s has no seeds in %s", line->name, folder);
    struct seed *s = malloc(sizeof *s);
    size_t count = 0;
    struct dirent *entry;
    while ((entry = readdir(dir)) && count < SEEDS_MAX) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        snprintf(s->name, sizeof s->name, "%s/%s", line->name, entry->d_name);
        FILE *file = fopen(path, "rb");
        ck_assert_msg(file, "cannot open %s", path);
        seed_parse(s, fread(s->bytes, 1, sizeof s->bytes, file));
        fclose(file);
        if (!is_good(line->dissector, s, why))
            continue;
        count++;
        check(line->dissector, s);
    }
    closedir(dir);
    free(s);
    return count;
}

/* --- what must hold --- */

static void check_nothing(const struct dissector *d, const struct seed *s)
{
    (void)d;
    (void)s;
}

START_TEST(has_a_good_seed)
{
    char why[1024] = "there is none";
    ck_assert_msg(good_seeds(&lines[_i], why, check_nothing) > 0,
                  "%s: no seed is a conversation without a violation (%s)", lines[_i].name, why);
}
END_TEST

/* The first PDU of each direction: what follows depends on where the one before ended. */
static void check_prefixes(const struct dissector *d, const struct seed *s)
{
    bool was_seen[2] = {false, false};
    bool is_cut = d->frame && (is_stream(d, s) || !(d->over & (OVER_TCP | OVER_UDP)));
    for (size_t i = 0; is_cut && !unframed_of(s) && i < s->chunk_count; i++) {
        const struct chunk *c = &s->chunks[i];
        bool *seen = &was_seen[c->how & FROM_CLIENT];
        struct frame frame = probe_frame(d, c->bytes, c->size);
        if (*seen || frame.verdict != FRAME_COMPLETE)
            continue;
        *seen = true;
        enum claim claim = probe_recognise(d, c->bytes, c->size);
        for (size_t n = 0; n < frame.size; n++) {
            struct frame part = probe_frame(d, c->bytes, n);
            ck_assert_msg(part.verdict == FRAME_NEED,
                          "%s: %zu of the %u bytes of chunk %zu are %s (%s)", s->name, n,
                          frame.size, i, part.verdict == FRAME_BROKEN ? "broken" : "a whole PDU",
                          part.why ? part.why : "");
            ck_assert_msg(part.size <= frame.size || part.size <= d->pdu_max || d->pdu_max == 0,
                          "%s: %zu bytes of chunk %zu ask for %u", s->name, n, i, part.size);
            if (n && claim != CLAIM_NO && is_stream(d, s))
                ck_assert_msg(probe_recognise(d, c->bytes, n) != CLAIM_NO,
                              "%s: %zu bytes of chunk %zu are given away", s->name, n, i);
        }
    }
}

START_TEST(a_prefix_asks_for_more)
{
    char why[1024];
    good_seeds(&lines[_i], why, check_prefixes);
}
END_TEST

static void same_text(const struct seed *s, const struct feeding *f, const char *what,
                      const char *one, const char *two)
{
    ck_assert_msg(strcmp(one, two) == 0, "%s: chunk %zu split at %zu has %s \"%s\", not \"%s\"",
                  s->name, f->split, f->at, what, two, one);
}

static void same_events(const struct seed *s, const struct feeding *f, const struct probe *one,
                        const struct probe *two)
{
    ck_assert_msg(two->violation_count == 0, "%s: chunk %zu split at %zu: %s", s->name, f->split,
                  f->at, two->violation_count ? two->violations[0].why : "");
    ck_assert_msg(one->event_count == two->event_count,
                  "%s: chunk %zu split at %zu gives %zu events, not %zu", s->name, f->split, f->at,
                  two->event_count, one->event_count);
    for (size_t i = 0; i < one->event_count; i++) {
        const struct probe_event *a = probe_event(one, i), *b = probe_event(two, i);
        same_text(s, f, "protocol", a->protocol, b->protocol);
        same_text(s, f, "direction", a->direction, b->direction);
        same_text(s, f, "operation", a->operation, b->operation);
        same_text(s, f, "code", a->code, b->code);
        same_text(s, f, "name", a->name, b->name);
        same_text(s, f, "unit", a->unit, b->unit);
        same_text(s, f, "items", a->items, b->items);
        same_text(s, f, "status", a->status, b->status);
        same_text(s, f, "facts", a->facts, b->facts);
        same_text(s, f, "transfer", a->transfer, b->transfer);
        same_text(s, f, "detail", a->detail, b->detail);
        ck_assert_msg(a->flags == b->flags, "%s: chunk %zu split at %zu has flags %x, not %x",
                      s->name, f->split, f->at, b->flags, a->flags);
    }
}

static void check_splits(const struct dissector *d, const struct seed *s)
{
    const struct unframed *by_itself = unframed_of(s);
    if (!is_stream(d, s) || (by_itself && !by_itself->is_split_alike))
        return;
    struct probe *one = seed_feed(d, s, &whole);
    for (size_t i = 0; i < s->chunk_count; i++) {
        for (size_t at = 1; at < s->chunks[i].size && at <= SPLITS_MAX; at++) {
            struct feeding f = {.split = i, .at = at};
            struct probe *two = seed_feed(d, s, &f);
            same_events(s, &f, one, two);
            probe_destroy(two);
        }
    }
    probe_destroy(one);
}

START_TEST(two_segments_tell_what_one_tells)
{
    char why[1024];
    good_seeds(&lines[_i], why, check_splits);
}
END_TEST

/* Picked up where it can be recognised: a flow that turned into another protocol is that one's. */
static void check_half(const struct dissector *d, const struct seed *s, const struct feeding *f,
                       const char *which)
{
    const struct chunk *first = &s->chunks[f->first];
    if (f->first && probe_recognise(d, first->bytes, first->size) == CLAIM_NO)
        return;
    struct probe *p = seed_feed(d, s, f);
    ck_assert_msg(p->violation_count == 0, "%s: %s (from chunk %zu) raises \"%s\"", s->name, which,
                  f->first, p->violation_count ? p->violations[0].why : "");
    probe_destroy(p);
}

static void check_halves(const struct dissector *d, const struct seed *s)
{
    struct feeding f = {.split = CHUNKS_MAX, .is_picked_up = true};
    for (f.first = 0; f.first < s->chunk_count; f.first++)
        check_half(d, s, &f, "both sides, picked up");
    f.first = 0;
    f.only_client = true;
    check_half(d, s, &f, "the client alone");
    f.only_client = false;
    f.only_server = true;
    check_half(d, s, &f, "the server alone");
}

START_TEST(half_a_conversation_is_no_violation)
{
    char why[1024];
    good_seeds(&lines[_i], why, check_halves);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("every dissector");
    TCase *tcase = tcase_create("every dissector");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, has_a_good_seed, 0, LINES);
    tcase_add_loop_test(tcase, a_prefix_asks_for_more, 0, LINES);
    tcase_add_loop_test(tcase, two_segments_tell_what_one_tells, 0, LINES);
    tcase_add_loop_test(tcase, half_a_conversation_is_no_violation, 0, LINES);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
