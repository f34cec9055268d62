/* schemas.c: see schemas.h. */
#include "schemas.h"

#include "alerts/alerts.h"
#include "baseline/baseline.h"
#include "baseline/inventory.h"
#include "rules/history.h"
#include "rules/windows.h"

/* Those that are made at once first: migrations read all that is there again. */
const struct store_schema *const store_schemas[] = {
    &baseline_schema, &inventory_schema, &alerts_schema, &history_schema, &windows_schema, NULL};
