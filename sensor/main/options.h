/* options.h: the command line of `sightglass run` (DESIGN: the command-line contract). */
#pragma once

#include "rules/site.h"
#include "sensor/base/config.h"
#include "sensor/base/error.h"

enum { OPTION_FILES_MAX = 1024 };

struct run_options {
    struct config config;    /* the file's keys with the command line's over them */
    const char *config_path; /* NULL: none */
    char *config_text;       /* what the file says, before the line overrides it; NULL: no file */
    const char *files[OPTION_FILES_MAX];
    size_t file_count;
    const char *interfaces[CONFIG_LIST_MAX];
    size_t interface_count;
    char store[512];
    const char *events, *alerts, *stats; /* file, "-", or NULL */
    bool keep_duplicates;
    struct site *site; /* what the configuration says of the plant; made by options_read */
};

/* Copies the value of an option whole. False: it is longer; *err names the option. */
bool option_text(char *out, size_t capacity, const char *option, const char *value,
                 struct error *err) NODISCARD;

/* False: *err says what is wrong with the line. is_help: the user asked for help. */
bool options_read(struct run_options *o, int argc, char **argv, bool *is_help,
                  struct error *err) NODISCARD;
void options_release(struct run_options *o);
extern const char run_usage[];
