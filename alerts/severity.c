/* severity.c: the default of the type plus the modifiers of DETECTIONS 1, clamped to 1..10. */
#include "severity.h"

enum { LEAST = 1, GREATEST = 10 };

static const struct {
    int points;
    const char *reason;
} defaults[] = {
    [SEVERITY_INFO] = {1, "type: info"    },
      [SEVERITY_LOW] = {3, "type: low"     },
    [SEVERITY_MEDIUM] = {5, "type: medium"  },
      [SEVERITY_HIGH] = {7, "type: high"    },
    [SEVERITY_CRITICAL] = {9, "type: critical"},
};

static const char *const levels[] = {"rule: informational", "rule: low", "rule: medium",
                                     "rule: high", "rule: critical"};

static const struct {
    uint32_t flag;
    int points;
    const char *reason;
} modifiers[] = {
    {FINDING_SAFETY_ASSET,        2,  "target is part of a safety system" },
    {FINDING_CRITICAL_ASSET,      1,  "target is critical for the plant"  },
    {FINDING_ACTOR_NEW,           1,  "actor is unknown or new"           },
    {FINDING_CONFIRMED,           1,  "success confirmed by the reply"    },
    {FINDING_REFUSED,             -1, "refused by the device"             },
    {FINDING_ENGINEERING_STATION, -1, "actor is an engineering station"   },
    {FINDING_STILL_LEARNING,      -2, "this part is still being learned"  },
    {FINDING_REPORTED,            -2, "told by the device, not commanded" },
    {FINDING_SINGLE,              -4, "a single one: a packet may be lost"},
};

_Static_assert(sizeof modifiers / sizeof *modifiers < SEVERITY_REASONS_MAX,
               "there is room for the type and every modifier");

static void add(struct severity_sum *sum, const char *reason, int points)
{
    sum->reasons[sum->count++] = (struct severity_reason){reason, points};
    sum->severity += points;
}

void severity_sum(struct severity_sum *sum, enum detection detection, uint32_t flags)
{
    *sum = (struct severity_sum){0};
    enum severity type = detection_kind(detection)->severity;
    bool is_graver_as_write =
        detection == DETECTION_RW_NEW_FUNCTION || detection == DETECTION_RW_NEW_ADDRESS;
    uint32_t level = flags >> FINDING_LEVEL_SHIFT;
    if (level > 0 && level <= sizeof levels / sizeof *levels)
        add(sum, levels[level - 1], defaults[level - 1].points);
    else if (is_graver_as_write && (flags & FINDING_IS_WRITE))
        add(sum, "type: high for a write", defaults[SEVERITY_HIGH].points);
    else
        add(sum, defaults[type].reason, defaults[type].points);

    if (detection == DETECTION_CHANGE_MAINTENANCE_RECORD)
        return;                    /* permitted is permitted, whatever it was */
    if (flags & FINDING_CONFIRMED) /* once it has worked, an attempt that did not lessens nothing */
        flags &= ~(uint32_t)FINDING_REFUSED;
    for (size_t i = 0; i < sizeof modifiers / sizeof *modifiers; i++)
        if (flags & modifiers[i].flag)
            add(sum, modifiers[i].reason, modifiers[i].points);
    sum->severity = sum->severity < LEAST      ? LEAST
                    : sum->severity > GREATEST ? GREATEST
                                               : sum->severity;
}
