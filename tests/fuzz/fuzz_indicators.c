/* fuzz_indicators.c: any bytes as an indicator file: sound or refused with a reason, and what was
 * taken is found again. */
#include "rules/indicators.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct indicators *in = NULL;
    struct error err = {""};
    bool ok = indicators_parse(&in, (const char *)data, size, "fuzz", &err);
    assert(ok || err.text[0]);
    struct text value = {(const char *)data, size < 64 ? size : 64};
    for (int kind = 0; kind < INDICATOR_KINDS; kind++)
        (void)indicators_text(in, (enum indicator_kind)kind, value, 0);
    indicators_destroy(in);
    return 0;
}
