/* fuzz_config.c: a configuration file of any content is read or refused with a reason. */
#include "sensor/base/config.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config config;
    struct error err = {""};
    config_defaults(&config);
    bool ok = config_parse(&config, (const char *)data, size, "fuzz.yaml", &err);
    assert(ok || strncmp(err.text, "fuzz.yaml:", 10) == 0);
    assert(!ok || (config.workers >= 1 && config.workers <= 64));
    config_release(&config);
    return 0;
}
