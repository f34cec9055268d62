/* oui.h: who an address block of Ethernet was given to, by IEEE's lists (Debian's ieee-data). It
 * tells the maker of the network part, which need not be the maker of the device: a guess. */
#pragma once

#include "sensor/base/address.h"

#include <stddef.h>

/* Where Debian keeps the lists. */
#define OUI_FOLDER "/usr/share/ieee-data"

struct oui;

/* Reads oui.csv, mam.csv, oui36.csv and iab.csv of a folder. NULL when none is there. */
struct oui *oui_open(const char *folder);
void oui_close(struct oui *oui);
/* From the text of one such list; for tests and for oui_open. False: no memory. */
struct oui *oui_parse(const char *text, size_t size);
/* NULL: unknown, or an address that nobody was given (a local one, a group's). */
const char *oui_find(const struct oui *oui, const struct mac *mac);
