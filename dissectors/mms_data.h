/* mms_data.h: values of MMS (ISO 9506-2 Data), as MMS and GOOSE carry them. */
#pragma once

#include "ber.h"
#include "dissector.h"

enum { MMS_DEPTH_MAX = 16 }; /* PROTOCOLS 3.3 */

/* Sets the item's type and value. A structure or array of numbers of one kind has them all; others
 * stand for themselves by their first simple value (of a measured value that is the magnitude, of a
 * control the value to set) and have the others as further ones. False when it is malformed or of
 * an unknown kind. */
bool mms_data_item(struct dissect *d, const struct ber *data, struct ot_item *item);

/* The first simple value in a structure or array; the element itself when it is simple. */
bool mms_data_leaf(const struct ber *data, struct ber *leaf);
