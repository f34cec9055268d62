/* cmd_console.c: `sightglass console`: the web console over a store. */
#include "commands.h"

#include "sensor/base/config.h"
#include "sensor/base/text.h"
#include "stop.h"
#include "web/web.h"

#include <getopt.h>
#include <stdio.h>

static const char usage[] =
    "usage: sightglass console [-s FILE] [--listen ADDRESS:PORT] [-c FILE]\n"
    "  -s, --store FILE            the store (default: sightglass.db in the state directory)\n"
    "  -l, --listen ADDRESS:PORT   default 127.0.0.1:8470; loopback only\n"
    "  -c, --config FILE           configuration\n";

static int serve(const struct config *config, const char *store, const char *listen)
{
    char path[sizeof config->state_dir + 32];
    text_format(path, sizeof path, "%s/sightglass.db", config->state_dir);
    struct error err = {""};
    stop_install();
    if (web_serve(config, store ? store : path, listen ? listen : config->listen, stop_flag(),
                  &err))
        return 0;
    fprintf(stderr, "sightglass console: %s\n", err.text);
    return 1;
}

int cmd_console(int argc, char **argv)
{
    static const struct option options[] = {
        {"store",  required_argument, NULL, 's'},
        {"listen", required_argument, NULL, 'l'},
        {"config", required_argument, NULL, 'c'},
        {"help",   no_argument,       NULL, 'h'},
        {NULL,     0,                 NULL, 0  }
    };
    const char *store = NULL, *listen = NULL, *config_path = NULL;
    int option;
    while ((option = getopt_long(argc, argv, "s:l:c:h", options, NULL)) != -1) {
        switch (option) {
        case 's':
            store = optarg;
            break;
        case 'l':
            listen = optarg;
            break;
        case 'c':
            config_path = optarg;
            break;
        case 'h':
            fputs(usage, stdout);
            return 0;
        default:
            fputs(usage, stderr);
            return 2;
        }
    }
    if (optind < argc) {
        fputs(usage, stderr);
        return 2;
    }
    struct config config;
    struct error err = {""};
    config_defaults(&config);
    int status = 1;
    if (config_path && !config_read(&config, config_path, &err))
        fprintf(stderr, "sightglass console: %s\n", err.text);
    else
        status = serve(&config, store, listen);
    config_release(&config);
    return status;
}
