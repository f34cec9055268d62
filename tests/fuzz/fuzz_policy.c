/* fuzz_policy.c: a policy of any content is read or refused with a reason, and what was read can be
 * asked. */
#include "rules/site_model.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = {""};
    struct site *site = site_parse((const char *)data, size, "fuzz.yaml", "UTC", &err);
    if (!site) {
        assert(strncmp(err.text, "fuzz.yaml:", 10) == 0);
        return 0;
    }
    static const char *const addresses[] = {"10.0.0.1", "52.1.1.1", "fd00::1", "224.0.0.1"};
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        struct endpoint host = {.mac = {{0, 0, 0, 0, 0, (uint8_t)i}}};
        struct site_place place;
        assert(address_parse(&host.ip, addresses[i]));
        site_place(site, &host, (uint16_t)(100 * i), &place);
        assert(place.level >= LEVEL_UNKNOWN && place.level <= 50);
    }
    for (uint32_t i = 0; i < site->window_count; i++) {
        int64_t start = 0, end = 0;
        int64_t now = INT64_C(1772442000000000000);
        if (site_schedule_holds(site, &site->windows[i].schedule, now, &start, &end))
            assert(start <= now && now < end);
    }
    site_release(site);
    return 0;
}
