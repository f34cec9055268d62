/* actions.c: engineering actions as two tables: what an operation of a protocol means (meanings),
 * and how each action is told to people (actions). PROTOCOLS.md 32 lists the codes behind the
 * operations. */
#include "rules/actions.h"

#include <string.h>

static const struct action actions[] = {
    {DETECTION_PLC_PROGRAM_DOWNLOAD,  "a program",                        "is downloading %O to %T",                        "downloaded %O to %T",
     "tried to download %O to %T, which refused",                                                                                                                                                                 "nobody programs this controller without approval"                   },
    {DETECTION_PLC_PROGRAM_UPLOAD,    "the program",                      "is reading %O out of %T",                        "read %O out of %T",
     "tried to read %O out of %T, which refused",                                                                                                                                                                 "nobody reads the program of this controller without approval"       },
    {DETECTION_PLC_ONLINE_EDIT,       "the program",                      "is changing %O in %T without a full download",
     "changed %O in %T without a full download",                                                                                                       "tried to change %O in %T, which refused",
     "nobody changes the program of this controller without approval"                                                                                                                                                                                                                  },
    {DETECTION_PLC_BLOCK_DELETE,      "program parts",                    "ordered %T to delete %O",                        "deleted %O in %T",
     "tried to delete %O in %T, which refused",                                                                                                                                                                   "nobody deletes anything in this controller without approval"        },
    {DETECTION_PLC_STOP,              "",                                 "ordered %T to stop",                             "stopped %T",              "tried to stop %T, which refused",
     "nobody stops this controller without approval"                                                                                                                                                                                                                                   },
    {DETECTION_PLC_START,             "",                                 "ordered %T to start",                            "started %T",
     "tried to start %T, which refused",                                                                                                                                                                          "nobody starts this controller without approval"                     },
    {DETECTION_PLC_MODE_CHANGE,       "",                                 "ordered %T into another operating mode",
     "changed the operating mode of %T",                                                                                                               "tried to change the operating mode of %T, which refused",
     "nobody changes the operating mode of this controller without approval"                                                                                                                                                                                                           },
    {DETECTION_PLC_RESTART,           "",                                 "ordered %T to restart",                          "restarted %T",
     "tried to restart %T, which refused",                                                                                                                                                                        "nobody restarts this device without approval"                       },
    {DETECTION_PLC_FACTORY_RESET,     "",                                 "ordered %T to reset itself to factory settings",
     "reset %T to factory settings",                                                                                                                   "tried to reset %T to factory settings, which refused",
     "nobody resets this device without approval"                                                                                                                                                                                                                                      },
    {DETECTION_PLC_FORCE_IO,          "inputs or outputs",                "is forcing %O of %T",                            "forced %O of %T",
     "tried to force %O of %T, which refused",                                                                                                                                                                    "nobody forces inputs or outputs of this controller without approval"},
    {DETECTION_PLC_FIRMWARE_TRANSFER, "firmware",                         "is sending %O to %T",                            "sent %O to %T",
     "tried to send %O to %T, which refused",                                                                                                                                                                     "nobody changes the firmware of this device without approval"        },
    {DETECTION_PLC_CONFIG_WRITE,      "the configuration",                "is changing %O of %T",                           "changed %O of %T",
     "tried to change %O of %T, which refused",                                                                                                                                                                   "nobody changes the configuration of this device without approval"   },
    {DETECTION_PLC_TIME_SET,          "",                                 "is setting the clock of %T",                     "set the clock of %T",
     "tried to set the clock of %T, which refused",                                                                                                                                                               "nobody sets the clock of this controller without approval"          },
    {DETECTION_PLC_CREDENTIAL_CHANGE, "a password or protection setting", "is changing %O of %T",
     "changed %O of %T",                                                                                                                               "tried to change %O of %T, which refused",
     "nobody changes passwords or protection of this device without approval"                                                                                                                                                                                                          },
    {DETECTION_PLC_SESSION_TAKEOVER,  "",                                 "asks for sole control of %T",                    "took sole control of %T",
     "tried to take sole control of %T, which refused",                                                                                                                                                           "nobody reserves or locks this controller without approval"          },
};

/* Remote execution on computers, by the ways of Windows. */
static const struct action remote_exec = {DETECTION_ACCESS_REMOTE_EXEC,
                                          "a service, task or method",
                                          "orders %T to run a program: %O",
                                          "ran a program on %T: %O",
                                          "tried to run a program on %T, which refused: %O",
                                          "nobody runs programs on this computer from afar"};
static const struct action remote_change = {
    DETECTION_ACCESS_REMOTE_EXEC,
    "services, tasks or the registry",
    "is changing what %T runs: %O",
    "changed what %T runs: %O",
    "tried to change what %T runs, which refused: %O",
    "nobody changes services, tasks or the registry of this computer from afar"};
static const struct action remote_stop = {DETECTION_ACCESS_REMOTE_EXEC,
                                          "a service",
                                          "orders %T to stop %O",
                                          "stopped %O of %T",
                                          "tried to stop %O of %T, which refused",
                                          "nobody stops services of this computer from afar"};

/* What was downloaded is put to work. */
static const struct action activation = {DETECTION_PLC_PROGRAM_DOWNLOAD,
                                         "downloaded blocks",
                                         "ordered %T to activate %O",
                                         "activated %O in %T",
                                         "tried to activate %O in %T, which refused",
                                         "nobody programs this controller without approval"};
static const struct action sdb_activation = {
    DETECTION_PLC_CONFIG_WRITE,
    "a downloaded configuration",
    "ordered %T to activate %O",
    "activated %O in %T",
    "tried to activate %O in %T, which refused",
    "nobody changes the configuration of this device without approval"};

/* What raises alarms, and whom they reach. */
static const struct action alarm_settings = {
    DETECTION_RW_ALARM_LIMIT_WRITE,
    "the settings of alarms",
    "is changing %O of %T, a setting of its alarms",
    "changed %O of %T, a setting of its alarms",
    "tried to change %O of %T, a setting of its alarms, which refused",
    "nobody changes how this device raises alarms without approval"};

/* The end of a reservation: others may act again. */
static const struct action release = {DETECTION_PLC_SESSION_TAKEOVER,
                                      "",
                                      "gives back sole control of %T",
                                      "gave back sole control of %T",
                                      "tried to give back sole control of %T, which refused",
                                      "nobody reserves or locks this controller without approval"};

/* Where a protocol means something else than its operation class says. First match counts. */
static const struct meaning {
    const char *protocol;
    enum operation operation;
    const char *code;            /* part of the code as PROTOCOLS.md 0.1 spells it; NULL: any */
    const char *detail;          /* words in the event's detail, name or object; NULL: any */
    enum detection detection;    /* DETECTION_COUNT: not an action */
    const struct action *action; /* NULL: as the detection is told */
} meanings[] = {
  /* PROTOCOLS 6: block status is the online view of a running block, not its program */
    {"s7comm", OP_PROGRAM_UPLOAD,   "rosctr=7,group=1,", NULL,                    DETECTION_COUNT,                 NULL           },
 /* PROTOCOLS 6: activation; system data blocks are the configuration */
    {"s7comm", OP_PROGRAM_MODIFY,   NULL,                "SDB",                   DETECTION_PLC_CONFIG_WRITE,      &sdb_activation},
    {"s7comm", OP_PROGRAM_MODIFY,   NULL,                "_INSE",                 DETECTION_PLC_PROGRAM_DOWNLOAD,  &activation    },
    {"s7comm", OP_PROGRAM_MODIFY,   NULL,                "_INS2",                 DETECTION_PLC_PROGRAM_DOWNLOAD,  &activation    },
 /* PROTOCOLS 6: system data blocks are the hardware configuration */
    {"s7comm", OP_PROGRAM_DOWNLOAD, NULL,                "SDB",                   DETECTION_PLC_CONFIG_WRITE,      NULL           },
    {"s7comm", OP_CONFIG_CHANGE,    NULL,                "PWD",                   DETECTION_PLC_CREDENTIAL_CHANGE, NULL           },
 /* PROTOCOLS 5.1 and 8.2: the other half of a reservation */
    {"umas",   OP_LOCK,             NULL,                "release",               DETECTION_PLC_SESSION_TAKEOVER,  &release       },
    {"cip",    OP_LOCK,             NULL,                "release",               DETECTION_PLC_SESSION_TAKEOVER,  &release       },
    {"mms",    OP_LOCK,             NULL,                "release",               DETECTION_PLC_SESSION_TAKEOVER,  &release       },
 /* PROTOCOLS 8.2: Reset type 1 */
    {"cip",    OP_RESTART,          NULL,                "factory",               DETECTION_PLC_FACTORY_RESET,     NULL           },
 /* PROTOCOLS 13: DCP 5/5 and 5/6 */
    {"pn_dcp", OP_RESTART,          NULL,                "factory",               DETECTION_PLC_FACTORY_RESET,     NULL           },
 /* [135] 13: limits, and what is told when they are passed */
    {"bacnet", OP_CONFIG_CHANGE,    NULL,                "-limit",                DETECTION_RW_ALARM_LIMIT_WRITE,  &alarm_settings},
    {"bacnet", OP_CONFIG_CHANGE,    NULL,                "limit-enable",          DETECTION_RW_ALARM_LIMIT_WRITE,
     &alarm_settings                                                                                                              },
    {"bacnet", OP_CONFIG_CHANGE,    NULL,                "event-enable",          DETECTION_RW_ALARM_LIMIT_WRITE,
     &alarm_settings                                                                                                              },
    {"bacnet", OP_CONFIG_CHANGE,    NULL,                "deadband",              DETECTION_RW_ALARM_LIMIT_WRITE,  &alarm_settings},
    {"bacnet", OP_CONFIG_CHANGE,    NULL,                "recipient-list",        DETECTION_RW_ALARM_LIMIT_WRITE,
     &alarm_settings                                                                                                              },
 /* PROTOCOLS 8.2: CIP Security, EtherNet/IP Security, certificates */
    {"cip",    OP_CONFIG_CHANGE,    "class=0x5d",        NULL,                    DETECTION_PLC_CREDENTIAL_CHANGE, NULL           },
    {"cip",    OP_CONFIG_CHANGE,    "class=0x5e",        NULL,                    DETECTION_PLC_CREDENTIAL_CHANGE, NULL           },
    {"cip",    OP_CONFIG_CHANGE,    "class=0x5f",        NULL,                    DETECTION_PLC_CREDENTIAL_CHANGE, NULL           },
 /* services, tasks, registry and management of Windows, MS-SCMR, MS-TSCH, MS-RRP, MS-WMI,
  MS-RPRN */
    {"dcerpc", OP_START,            NULL,                NULL,                    DETECTION_ACCESS_REMOTE_EXEC,    &remote_exec   },
    {"dcerpc", OP_STOP,             NULL,                NULL,                    DETECTION_ACCESS_REMOTE_EXEC,    &remote_stop   },
    {"dcerpc", OP_CONFIG_CHANGE,    NULL,                "svcctl",                DETECTION_ACCESS_REMOTE_EXEC,    &remote_change },
    {"dcerpc", OP_CONFIG_CHANGE,    NULL,                "atsvc",                 DETECTION_ACCESS_REMOTE_EXEC,    &remote_change },
    {"dcerpc", OP_CONFIG_CHANGE,    NULL,                "ITaskSchedulerService", DETECTION_ACCESS_REMOTE_EXEC,
     &remote_change                                                                                                               },
    {"dcerpc", OP_CONFIG_CHANGE,    NULL,                "winreg",                DETECTION_ACCESS_REMOTE_EXEC,    &remote_change },
    {"dcerpc", OP_CONFIG_CHANGE,    NULL,                "IWbemServices",         DETECTION_ACCESS_REMOTE_EXEC,
     &remote_change                                                                                                               },
    {"dcerpc", OP_CONFIG_CHANGE,    NULL,                "spoolss",               DETECTION_ACCESS_REMOTE_EXEC,    &remote_change },
    {"dcerpc", OP_CONFIG_CHANGE,    NULL,                "samr",                  DETECTION_PLC_CREDENTIAL_CHANGE, NULL           },
    {"dcerpc", OP_CONFIG_CHANGE,    NULL,                "netlogon",              DETECTION_PLC_CREDENTIAL_CHANGE, NULL           },
    {"smb2",   OP_START,            NULL,                NULL,                    DETECTION_ACCESS_REMOTE_EXEC,    &remote_exec   },
    {"smb",    OP_START,            NULL,                NULL,                    DETECTION_ACCESS_REMOTE_EXEC,    &remote_exec   },
    {"http",   OP_START,            NULL,                NULL,                    DETECTION_ACCESS_REMOTE_EXEC,    &remote_exec   },
 /* files of computers are no program of a controller */
    {"smb2",   OP_FILE_DELETE,      NULL,                NULL,                    DETECTION_COUNT,                 NULL           },
    {"smb",    OP_FILE_DELETE,      NULL,                NULL,                    DETECTION_COUNT,                 NULL           },
};

/* What an operation class means when no row above says otherwise. + 1, so that 0 is none. */
static const int by_operation[OPERATION_COUNT] = {
    [OP_PROGRAM_DOWNLOAD] = DETECTION_PLC_PROGRAM_DOWNLOAD + 1,
    [OP_PROGRAM_UPLOAD] = DETECTION_PLC_PROGRAM_UPLOAD + 1,
    [OP_PROGRAM_MODIFY] = DETECTION_PLC_ONLINE_EDIT + 1,
    [OP_PROGRAM_DELETE] = DETECTION_PLC_BLOCK_DELETE + 1,
    [OP_FILE_DELETE] = DETECTION_PLC_BLOCK_DELETE + 1,
    [OP_STOP] = DETECTION_PLC_STOP + 1,
    [OP_START] = DETECTION_PLC_START + 1,
    [OP_MODE_CHANGE] = DETECTION_PLC_MODE_CHANGE + 1,
    [OP_RESTART] = DETECTION_PLC_RESTART + 1,
    [OP_FORCE] = DETECTION_PLC_FORCE_IO + 1,
    [OP_FIRMWARE_UPDATE] = DETECTION_PLC_FIRMWARE_TRANSFER + 1,
    [OP_CONFIG_CHANGE] = DETECTION_PLC_CONFIG_WRITE + 1,
    [OP_TIME_SET] = DETECTION_PLC_TIME_SET + 1,
    [OP_LOCK] = DETECTION_PLC_SESSION_TAKEOVER + 1,
};

bool action_is_candidate(enum operation operation)
{
    return by_operation[operation] != 0;
}

const struct action *action_find(enum detection detection)
{
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (actions[i].detection == detection)
            return &actions[i];
    return NULL;
}

static bool text_holds(struct text text, const char *words)
{
    return text.size && memmem(text.at, text.size, words, strlen(words)) != NULL;
}

static bool meaning_fits(const struct meaning *m, const struct ot_event *e,
                         enum operation operation, const char *code, const char *object)
{
    if (m->operation != operation || strcmp(m->protocol, e->protocol) != 0)
        return false;
    if (m->code && !strstr(code, m->code))
        return false;
    return !m->detail || text_holds(e->detail, m->detail) ||
           text_holds(text_of(e->name), m->detail) || strstr(object, m->detail);
}

const struct action *action_of(const struct ot_event *e, enum operation operation)
{
    if (!action_is_candidate(operation))
        return NULL;
    enum detection detection = (enum detection)(by_operation[operation] - 1);
    char code[OT_CODE_SIZE], object[FINDING_KEY];
    ot_event_code(e, code);
    action_object(e, object, sizeof object);
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        if (!meaning_fits(&meanings[i], e, operation, code, object))
            continue;
        detection = meanings[i].detection;
        if (meanings[i].action)
            return meanings[i].action;
        break;
    }
    return detection == DETECTION_COUNT ? NULL : action_find(detection);
}

static bool name_has(const char *name, const char *const *words)
{
    for (; *words; words++)
        if (strcasestr(name, *words))
            return true;
    return false;
}

/* PROTOCOLS 32: over a plant's protocol the files of a controller are its program, its firmware or
 * settings; over those of offices they are pages and settings. */
const struct action *action_of_file(const char *protocol, const char *name)
{
    static const char *const firmware[] = {"firmware", ".fw",  ".bin", ".img",
                                           ".hex",     ".upd", ".s19", NULL};
    static const char *const settings[] = {".cfg", ".conf", ".ini", ".xml", ".csv",
                                           ".txt", ".json", ".log", NULL};
    static const char *const offices[] = {"ftp", "http", "smb", NULL}; /* tftp, smb2 */
    if (name_has(name, settings) || name_has(protocol, offices))
        return action_find(DETECTION_PLC_CONFIG_WRITE);
    return action_find(name_has(name, firmware) ? DETECTION_PLC_FIRMWARE_TRANSFER
                                                : DETECTION_PLC_PROGRAM_DOWNLOAD);
}

char *action_object(const struct ot_event *e, char *out, size_t capacity)
{
    out[0] = '\0';
    if (e->transfer.step != TRANSFER_NONE && e->transfer.name.size)
        return text_copy(out, capacity, e->transfer.name);
    if (e->item_count == 0)
        return out;
    const struct ot_item *item = &e->items[0];
    if (item->name.size)
        text_copy(out, capacity, item->name);
    else
        ot_item_print(item, out, capacity);
    size_t size = strlen(out);
    uint32_t total = e->items_total > e->item_count ? e->items_total : e->item_count;
    if (total > 1 && size + 1 < capacity)
        text_format(out + size, capacity - size, " and %u more", total - 1);
    return out;
}

/* A path of numbers tells people nothing. */
static bool is_telling(const char *object)
{
    return object[0] && strncmp(object, "0x", 2) != 0;
}

char *action_phrase(char *out, size_t capacity, const char *phrase, const char *thing,
                    const char *object)
{
    const char *place = strstr(phrase, "%O");
    if (!place)
        return text_copy(out, capacity, text_of(phrase));
    int before = (int)(place - phrase);
    return text_format(out, capacity, "%.*s%s%s", before, phrase,
                       is_telling(object) || !thing[0] ? object : thing, place + strlen("%O"));
}
