/* schemas.h: all tables of a store, for every command that opens one. */
#pragma once

#include "sensor/base/store.h"

extern const struct store_schema *const store_schemas[]; /* NULL-terminated */
