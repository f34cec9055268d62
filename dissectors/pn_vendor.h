/* pn_vendor.h: vendor numbers of PROFINET International. */
#pragma once

#include "dissector.h"

/* The maker's name, or the number as "0x002a" when we do not know it. */
struct text pn_vendor_name(struct dissect *d, uint16_t vendor);
