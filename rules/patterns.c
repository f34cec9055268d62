/* patterns.c: rows of known behaviour and how far each pair of hosts has come with them. */
#include "rules/patterns.h"

#include "rules/slots.h"
#include "sensor/base/hash.h"

#include <stdlib.h>
#include <string.h>

enum { STEPS_MAX = 4, NAMES_SIZE = 120 };

#define SECOND_NS INT64_C(1000000000)

static const int64_t AGAIN_NS = 3600 * SECOND_NS;

/* A kind of request. Texts are NULL for any. */
struct step {
    const char *protocol;
    enum operation operation; /* OP_UNKNOWN: any */
    const char *names;        /* one of these event names, between bars: "|allocate_program|" */
    const char *objects;      /* one of these objects, likewise */
    uint32_t distinct;        /* so many different objects; 0: one request is enough */
};

static const struct pattern {
    const char *id, *phrase, *source;
    int64_t within_ns;
    bool is_in_order;
    struct step steps[STEPS_MAX];
} patterns[] = {
  /* "range" and "sequence" modes: select and execute for one information object after another.
  * Industroyer2 walks through a list in the same way. Operators switch a few. */
    {"industroyer-iec104",
     "switches one object of %T after another, as Industroyer does",                                "ESET, Win32/Industroyer (2017), 104 payload; ESET, Industroyer2 (2022)",
     60 * SECOND_NS,
     false, {{"iec104", OP_CONTROL, "|C_SC_NA_1|C_DC_NA_1|", NULL, 8}}                                   },
 /* The program and function tables are read, then a small program is appended by "download
  * change". The vendor's tool can do so too, but not from a stranger's address. */
    {"triton-tristation",
     "reads the programs of %T and appends one of its own within minutes, as TRITON does",          "FireEye and Nozomi Networks on TRITON/TRISIS (2017, 2018): TsHi, SafeAppendProgramMod",
     600 * SECOND_NS,
     true,  {{"tristation", OP_PROGRAM_UPLOAD, "|upload_program|upload_function|", NULL, 0},
      {"tristation", OP_PROGRAM_DOWNLOAD, "|start_download_change|allocate_program|", NULL, 0}}},
 /* CODECALL: finds controllers by Modbus identification and UMAS, then uses the CODESYS runtime.
  */
    {"incontroller-codecall",
     "asks %T by Modbus or UMAS what it is and turns to its CODESYS runtime, as INCONTROLLER does", "CISA AA22-103A; Mandiant, INCONTROLLER (2022): CODECALL",
     1800 * SECOND_NS,
     false, {{"modbus", OP_IDENTIFY, NULL, NULL, 0}, {"codesys", OP_UNKNOWN, NULL, NULL, 0}}             },
    {"incontroller-umas",
     "asks %T what it is by UMAS and takes control or its program at once, as INCONTROLLER does",   "CISA AA22-103A; Mandiant, INCONTROLLER (2022): CODECALL",
     300 * SECOND_NS,
     true,  {{"umas", OP_IDENTIFY, NULL, NULL, 0},
      {"umas", OP_LOCK, NULL, NULL, 0},
      {"umas", OP_PROGRAM_DOWNLOAD, NULL, NULL, 0}}                                            },
 /* The tool knows functions 3, 6 and 16 only and works through a list of registers. */
    {"frostygoop-modbus",
     "writes holding registers of %T with functions 6 and 16 in turn, as FrostyGoop does",          "Dragos, FrostyGoop (2024)",
     600 * SECOND_NS,
     false, {{"modbus", OP_WRITE, "|write_single_register|", NULL, 2},
      {"modbus", OP_WRITE, "|write_multiple_registers|", NULL, 0}}                            },
 /* Its module asks OPCEnum which servers a computer has, asks each what it is, and lists its
  * items; a client that wants values subscribes to some that it knows. */
    {"havex-opc",
     "lists the OPC servers of %T and all their items, as Havex does",                              "F-Secure, Havex (2014); ICS-ALERT-14-176-02A",
     600 * SECOND_NS,
     false, {{"dcerpc", OP_BROWSE, "|enum_classes|", NULL, 0},
      {"dcerpc", OP_IDENTIFY, "|get_status|", NULL, 0},
      {"dcerpc", OP_BROWSE, "|browse_item_ids|", NULL, 0}}                                    },
 /* The overflow is in the canonicalisation of paths, which nobody asks another computer for; a
  * look whether it is vulnerable compares two. Conficker spreads by it. */
    {"ms08-067",
     "asks %T to canonicalise a path, in which MS08-067 lies (Conficker)",                          "Microsoft MS08-067, CVE-2008-4250",
     60 * SECOND_NS,
     false, {{"dcerpc", OP_SESSION, "|path_canonicalize|path_compare|", NULL, 0}}                        },
 /* The numbers of the blocks that it brings along. */
    {"stuxnet-s7",
     "downloads blocks with the numbers that Stuxnet brings to %T",                                 "Symantec, W32.Stuxnet Dossier (2011): FC1865 to FC1874, DB888 to DB891",
     3600 * SECOND_NS,
     false, {{"s7comm", OP_PROGRAM_DOWNLOAD, NULL,
       "|FC1865|FC1866|FC1867|FC1868|FC1869|FC1870|FC1871|FC1872|FC1873|FC1874|DB888|DB889|DB890|"
       "DB891|",
       3}}                                                                                    },
};

enum { PATTERNS = sizeof patterns / sizeof *patterns };

struct progress {
    struct slot slot;
    int64_t start_ns, told_ns;
    uint32_t done, requests;  /* done: a bit for each step */
    uint64_t seen[STEPS_MAX]; /* bits of hashed objects */
};

struct patterns {
    struct slots pairs;
};

struct patterns *patterns_create(size_t pairs_max)
{
    struct patterns *p = calloc(1, sizeof *p);
    if (p && !slots_create(&p->pairs, pairs_max, sizeof(struct progress))) {
        free(p);
        return NULL;
    }
    return p;
}

void patterns_destroy(struct patterns *p)
{
    if (!p)
        return;
    slots_destroy(&p->pairs);
    free(p);
}

bool patterns_is_candidate(const struct ot_event *e)
{
    switch (e->operation) {
    case OP_SESSION:
        return ot_event_is(e, "dcerpc");
    case OP_DISCOVER:
    case OP_IDENTIFY:
    case OP_BROWSE:
    case OP_PROGRAM_UPLOAD:
        return true;
    default:
        return operation_is_change(e->operation);
    }
}

/* "|a|b|" holds the name. */
static bool is_among(const char *list, const char *name, size_t size)
{
    char barred[NAMES_SIZE];
    if (size == 0 || size + 3 > sizeof barred)
        return false;
    barred[0] = '|';
    memcpy(barred + 1, name, size);
    barred[size + 1] = '|';
    barred[size + 2] = '\0';
    return strstr(list, barred) != NULL;
}

static struct text object_of(const struct ot_event *e)
{
    if (e->transfer.step != TRANSFER_NONE && e->transfer.name.size)
        return e->transfer.name;
    return e->item_count ? e->items[0].name : (struct text){NULL, 0};
}

static bool step_fits(const struct step *step, const struct ot_event *e)
{
    if (step->operation != OP_UNKNOWN && step->operation != e->operation)
        return false;
    if (strncmp(e->protocol, step->protocol, strlen(step->protocol)) != 0)
        return false;
    if (step->names && (!e->name || !is_among(step->names, e->name, strlen(e->name))))
        return false;
    struct text object = object_of(e);
    return !step->objects || is_among(step->objects, object.at, object.size);
}

static uint64_t object_bit(const struct ot_event *e)
{
    struct text name = object_of(e);
    uint64_t hash = e->item_count ? hash_mix(e->items[0].start, e->items[0].number) : 0;
    if (name.size)
        hash = hash_mix(hash, hash_bytes(name.at, name.size));
    return UINT64_C(1) << (hash_mix(hash, 1) % 64);
}

static bool step_done(struct progress *progress, size_t i, const struct step *step,
                      const struct ot_event *e)
{
    if (step->distinct == 0)
        return true;
    progress->seen[i] |= object_bit(e);
    return (uint32_t)__builtin_popcountll(progress->seen[i]) >= step->distinct;
}

static uint64_t pair_key(const struct ot_event *e, size_t pattern)
{
    const struct ot_flow *flow = e->flow;
    uint64_t key = hash_mix(flow->segment, pattern + 1);
    key = hash_mix(key, hash_bytes(&flow->client.ip, sizeof flow->client.ip));
    return hash_mix(key, hash_bytes(&flow->server.ip, sizeof flow->server.ip)) | 1;
}

static bool advance(struct progress *progress, const struct pattern *pattern, size_t i,
                    const struct ot_event *e)
{
    if (e->time_ns - progress->start_ns > pattern->within_ns || e->time_ns < progress->start_ns ||
        progress->start_ns == 0) {
        progress->start_ns = e->time_ns;
        progress->done = progress->requests = 0;
        memset(progress->seen, 0, sizeof progress->seen);
    }
    uint32_t before = (UINT32_C(1) << i) - 1;
    if (pattern->is_in_order && (progress->done & before) != before)
        return false;
    progress->requests++;
    if (!step_done(progress, i, &pattern->steps[i], e))
        return false;
    progress->done |= UINT32_C(1) << i;
    uint32_t all = 0;
    for (size_t s = 0; s < STEPS_MAX && pattern->steps[s].protocol; s++)
        all |= UINT32_C(1) << s;
    if (progress->done != all ||
        (progress->told_ns != 0 && e->time_ns - progress->told_ns < AGAIN_NS))
        return false;
    progress->told_ns = e->time_ns ? e->time_ns : 1;
    return true;
}

bool patterns_event(struct patterns *p, const struct ot_event *e, struct pattern_match *match)
{
    if (e->direction == OT_RESPONSE || !patterns_is_candidate(e))
        return false;
    bool is_match = false;
    for (size_t i = 0; i < PATTERNS; i++) {
        const struct pattern *pattern = &patterns[i];
        for (size_t s = 0; s < STEPS_MAX && pattern->steps[s].protocol; s++) {
            if (!step_fits(&pattern->steps[s], e))
                continue;
            bool is_new;
            struct progress *progress = slots_take(&p->pairs, pair_key(e, i), e->time_ns, &is_new);
            if (advance(progress, pattern, s, e) && !is_match) {
                is_match = true;
                *match = (struct pattern_match){pattern->id, pattern->phrase, pattern->source,
                                                progress->requests};
            }
            break;
        }
    }
    return is_match;
}
