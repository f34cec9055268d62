/* alarms.c: names of alarm handling in the protocols. */
#include "alarms.h"

#include <ctype.h>
#include <string.h>

/* Functions, by the names that our dissectors give them. */
static const char *const functions[] = {
    "acknowledge_alarm",   /* BACnet 135: AcknowledgeAlarm */
    "acknowledge",         /* OPC UA part 9: Acknowledge */
    "confirm",             /* OPC UA part 9: Confirm */
    "alarm_8_lock",        /* S7 */
    "alarm_8_unlock",      /* S7 */
    "alarm_acknowledge",   /* S7 */
    "disable_unsolicited", /* DNP3: function 21 */
    "clear_module_alarms", /* TriStation */
};

/* Parts of object names, in lower case: BACnet properties (135, clause 12 and 13), OPC UA part 9
 * and IEC 61850-7-4 attributes, and the usual names of tags. */
static const char *const settings[] = {
    "high-limit",   "low-limit",   "limit-enable", "event-enable", "event-detection-enable",
    "alarm-values", "fault-limit", "highlimit",    "lowlimit",     "highhighlimit",
    "lowlowlimit",  "alarm",       "alm_",         "_alm",
};

bool alarms_is_function(const char *name)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (name[0] == functions[i][0] && strcmp(name, functions[i]) == 0)
            return true;
    return false;
}

bool alarms_is_handling(const struct ot_event *e)
{
    return e->name && alarms_is_function(e->name);
}

static bool contains(struct text text, const char *lower)
{
    size_t size = strlen(lower);
    for (size_t at = 0; at + size <= text.size; at++) {
        size_t i = 0;
        while (i < size && tolower((unsigned char)text.at[at + i]) == lower[i])
            i++;
        if (i == size)
            return true;
    }
    return false;
}

bool alarms_is_setting(const struct ot_item *item)
{
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (contains(item->name, settings[i]))
            return true;
    return false;
}
