/* alarms.h: which messages change how a plant raises alarms: limits, what raises an alarm at all,
 * acknowledgements, switching reports off. Inferred from what the protocols call these things. */
#pragma once

#include "sensor/base/ot_event.h"

/* The function itself handles alarms: acknowledge, lock, disable. */
bool alarms_is_function(const char *name);
bool alarms_is_handling(const struct ot_event *e);
/* The object is an alarm's limit or setting. */
bool alarms_is_setting(const struct ot_item *item);
