/* registry.c: the list of dissectors, made of dissectors.def. */
#include "dissector.h"

#define DISSECTOR(name) extern const struct dissector dissector_##name;
#include "dissectors.def"
#undef DISSECTOR

const struct dissector *const dissectors[] = {
#define DISSECTOR(name) &dissector_##name,
#include "dissectors.def"
#undef DISSECTOR
    NULL, /* so that the list may be empty */
};

const size_t dissector_count = sizeof dissectors / sizeof *dissectors - 1;
