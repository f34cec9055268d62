/* indicators_read.h: what the readers of indicator files share. */
#pragma once

#include "rules/indicators.h"

enum { INDICATOR_ABOUT_MAX = 200 };

/* text as it is compared. False: not a value of this kind. */
bool indicators_normalise(enum indicator_kind kind, const char *text, size_t size,
                          char out[INDICATOR_VALUE_MAX]) NODISCARD;

/* Takes it in, with copies of value and about; file is kept as it is. False with a reason: there is
 * no room. */
bool indicators_add(struct indicators *in, const struct indicator *i, struct error *err) NODISCARD;
/* Counts what is more than a value, or none that can be compared. */
void indicators_skip(struct indicators *in);

/* Read a text; name stays valid as long as the indicators. False with a reason that names the
 * place. */
bool indicators_csv(struct indicators *in, const char *text, size_t size, const char *name,
                    struct error *err) NODISCARD;
bool indicators_stix(struct indicators *in, const char *text, size_t size, const char *name,
                     struct error *err) NODISCARD;
