/* schemas.c: see schemas.h. */
#include "schemas.h"

#include "alerts/alerts.h"
#include "baseline/baseline.h"
#include "baseline/inventory.h"
#include "rules/history.h"
#include "rules/windows.h"

const struct store_schema *const store_schemas[] = {
    &inventory_schema, &baseline_schema, &alerts_schema, &history_schema, &windows_schema, NULL};
