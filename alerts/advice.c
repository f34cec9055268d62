/* advice.c: the table of advice.def. */
#include "advice.h"

#define QUIET_MINUTES(n) ((int64_t)(n)*60 * 1000000000)

/* What somebody did is over soon and is told again when it is done again. What is so (a device is
 * there, two devices talk) is told once a day at most. */
#define QUIET_EVENT QUIET_MINUTES(10)
#define QUIET_STATE QUIET_MINUTES(24 * 60)

static const struct advice advices[DETECTION_COUNT] = {
#define ADVICE(tag, quiet, soc, plant) [DETECTION_##tag] = {soc, plant, QUIET_##quiet},
#include "advice.def"
#undef ADVICE
};

const struct advice *advice_of(enum detection detection)
{
    static const struct advice none = {"", "", QUIET_EVENT};
    return advices[detection].soc ? &advices[detection] : &none;
}
