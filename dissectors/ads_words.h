/* ads_words.h: what ADS commands, index groups, states and errors mean. */
#pragma once

#include "dissector.h"

enum ads_command_code {
    ADS_DEVICE_INFO = 1,
    ADS_READ = 2,
    ADS_WRITE = 3,
    ADS_READ_STATE = 4,
    ADS_WRITE_CONTROL = 5,
    ADS_ADD_NOTIFICATION = 6,
    ADS_DELETE_NOTIFICATION = 7,
    ADS_NOTIFICATION = 8,
    ADS_READ_WRITE = 9,
    ADS_COMMAND_MAX = 9,
};

enum ads_group_code {
    ADS_HANDLE_BY_NAME = 0xf003,
    ADS_VALUE_BY_NAME = 0xf004,
    ADS_VALUE_BY_HANDLE = 0xf005,
    ADS_INFO_BY_NAME = 0xf007,
    ADS_INFO_BY_NAME_EX = 0xf009,
    ADS_DOWNLOAD = 0xf00a,
    ADS_NOTIFICATIONS = 0xf010,
    ADS_FILE_OPEN = 120,
    ADS_FILE_CLOSE = 121,
    ADS_FILE_READ = 122,
    ADS_FILE_WRITE = 123,
    ADS_FILE_DELETE = 131,
    ADS_FILE_REMOVE_DIRECTORY = 139,
    ADS_REGISTRY = 200,
    ADS_TARGET_DESCRIPTION = 700,
};

struct ads_command {
    enum operation operation;
    const char *name;
};
/* NULL: not 1..9. */
const struct ads_command *ads_command_of(uint16_t code);

struct ads_group {
    uint32_t code;
    bool is_system; /* only on port 10000 */
    const char *name;
    enum operation read, write, read_write; /* OP_UNKNOWN: as the command */
};
/* NULL: not in the table. */
const struct ads_group *ads_group_of(uint32_t code, uint16_t port);

struct ads_state {
    const char *name;
    enum operation operation; /* of a WriteControl that asks for it */
};
/* NULL: no such state. */
const struct ads_state *ads_state_of(uint16_t state);

/* NULL: not in the table. */
const char *ads_error(uint32_t code);
