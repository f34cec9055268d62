/* options.c: getopt over the configuration file. */
#include "options.h"

#include "sensor/base/text.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char run_usage[] =
    "usage: sightglass run -r FILE [-r FILE...] | -i IFACE [-i IFACE...] [options]\n"
    "  -r, --read FILE        read a capture (pcap, pcapng, gzip; - is stdin); several are merged "
    "by time\n"
    "  -i, --interface IFACE  listen on a mirror port; never sends\n"
    "  -f, --filter BPF       only packets that match (live)\n"
    "  -c, --config FILE      configuration (sightglass.yaml.example documents every key)\n"
    "  -s, --store FILE       store (default: sightglass.db in the state directory; :memory: keeps "
    "nothing)\n"
    "  -m, --mode MODE        baseline mode: auto, learn or detect\n"
    "      --events FILE      every event as a JSON line (- is stdout)\n"
    "      --alerts FILE      every alert as a JSON line\n"
    "      --stats FILE       final counters as one JSON document\n"
    "      --keep-duplicates  mirrored copies are events too (of TCP: retransmissions)\n";

enum { OPTION_EVENTS = 256, OPTION_ALERTS, OPTION_STATS, OPTION_KEEP_DUPLICATES };

static const struct option long_options[] = {
    {"read",            required_argument, NULL, 'r'                   },
    {"interface",       required_argument, NULL, 'i'                   },
    {"filter",          required_argument, NULL, 'f'                   },
    {"config",          required_argument, NULL, 'c'                   },
    {"store",           required_argument, NULL, 's'                   },
    {"mode",            required_argument, NULL, 'm'                   },
    {"events",          required_argument, NULL, OPTION_EVENTS         },
    {"alerts",          required_argument, NULL, OPTION_ALERTS         },
    {"stats",           required_argument, NULL, OPTION_STATS          },
    {"keep-duplicates", no_argument,       NULL, OPTION_KEEP_DUPLICATES},
    {"help",            no_argument,       NULL, 'h'                   },
    {NULL,              0,                 NULL, 0                     },
};
static const char short_options[] = ":r:i:f:c:s:m:h";

static bool set_mode(struct config *c, const char *name, struct error *err)
{
    static const char *const names[] = {
        [MODE_AUTO] = "auto", [MODE_LEARN] = "learn", [MODE_DETECT] = "detect"};
    for (int i = MODE_AUTO; i <= MODE_DETECT; i++) {
        if (strcmp(name, names[i]) == 0) {
            c->mode = (enum baseline_mode)i;
            return true;
        }
    }
    return error_set(err, "-m %s: the mode is auto, learn or detect", name);
}

static bool take(struct run_options *o, int option, struct error *err)
{
    switch (option) {
    case 'r':
        if (o->file_count == OPTION_FILES_MAX)
            return error_set(err, "more than %d files", OPTION_FILES_MAX);
        for (size_t i = 0; strcmp(optarg, "-") == 0 && i < o->file_count; i++)
            if (strcmp(o->files[i], "-") == 0)
                return error_set(err, "-r -: standard input can be read only once");
        o->files[o->file_count++] = optarg;
        return true;
    case 'i':
        if (o->interface_count == CONFIG_LIST_MAX)
            return error_set(err, "more than %d interfaces", CONFIG_LIST_MAX);
        o->interfaces[o->interface_count++] = optarg;
        return true;
    case 'f':
        return option_text(o->config.filter, sizeof o->config.filter, "--filter", optarg, err);
    case 's':
        return option_text(o->store, sizeof o->store, "--store", optarg, err);
    case 'm':
        return set_mode(&o->config, optarg, err);
    case OPTION_EVENTS:
        o->events = optarg;
        return true;
    case OPTION_ALERTS:
        o->alerts = optarg;
        return true;
    case OPTION_STATS:
        o->stats = optarg;
        return true;
    case OPTION_KEEP_DUPLICATES:
        o->keep_duplicates = true;
        return true;
    default: /* -c was read before */
        return true;
    }
}

/* The configuration comes first, wherever -c stands, so that the line can override it. */
static bool read_config(struct run_options *o, int argc, char **argv, struct error *err)
{
    config_defaults(&o->config);
    optind = 0;
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, short_options, long_options, NULL)) != -1;)
        if (option == 'c')
            o->config_path = optarg;
    if (!o->config_path)
        return true;
    size_t size = 0;
    if (!config_read(&o->config, o->config_path, err))
        return false;
    FILE *text = open_memstream(&o->config_text, &size);
    if (!text)
        return error_set(err, "out of memory");
    config_print(&o->config, text);
    fclose(text);
    return true;
}

/* A part of a filter or of a path would be another one. */
bool option_text(char *out, size_t capacity, const char *option, const char *value,
                 struct error *err)
{
    if (strlen(value) >= capacity)
        return error_set(err, "%s: its value is longer than %zu bytes", option, capacity - 1);
    text_copy(out, capacity, text_of(value));
    return true;
}

static bool choose_sources(struct run_options *o, struct error *err)
{
    if (o->interface_count == 0 && o->file_count == 0)
        for (size_t i = 0; i < o->config.interfaces.count; i++)
            o->interfaces[o->interface_count++] = o->config.interfaces.items[i];
    if (o->file_count == 0 && o->interface_count == 0)
        return error_set(err, "nothing to read: name a capture with -r or an interface with -i");
    if (o->file_count > 0 && o->interface_count > 0)
        return error_set(err, "-r and -i do not go together");
    return true;
}

static bool choose_store(struct run_options *o, struct error *err)
{
    if (o->store[0])
        return true;
    struct stat st;
    if (stat(o->config.state_dir, &st) != 0 || !S_ISDIR(st.st_mode))
        return error_set(err,
                         "the state directory %s does not exist: make it, or name a store with -s",
                         o->config.state_dir);
    text_format(o->store, sizeof o->store, "%s/sightglass.db", o->config.state_dir);
    return true;
}

bool options_read(struct run_options *o, int argc, char **argv, bool *is_help, struct error *err)
{
    memset(o, 0, sizeof *o);
    *is_help = false;
    if (!read_config(o, argc, argv, err))
        return false;
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, short_options, long_options, NULL)) != -1;) {
        if (option == 'h') {
            *is_help = true;
            return true;
        }
        if (option == '?' || option == ':')
            return error_set(err, "%s: %s", argv[optind - 1],
                             option == ':' ? "this option needs a value" : "unknown option");
        if (!take(o, option, err))
            return false;
    }
    if (optind < argc)
        return error_set(err, "%s: not an option; captures are named with -r", argv[optind]);
    if (!choose_sources(o, err) || !choose_store(o, err))
        return false;
    o->site = site_create(&o->config, err);
    return o->site != NULL;
}

void options_release(struct run_options *o)
{
    site_release(o->site);
    free(o->config_text);
    config_release(&o->config);
}
