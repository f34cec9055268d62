/* main.c: sightglass COMMAND. */
#include "commands.h"

#include "sensor/base/store.h"

#include <stdio.h>
#include <string.h>

int cmd_version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    puts("sightglass " SIGHTGLASS_VERSION);
    return 0;
}

struct command {
    const char *name, *help;
    int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
#define COMMAND(name, help) {#name, help, cmd_##name},
#include "commands.def"
#undef COMMAND
};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static int usage(FILE *out, int status)
{
    fputs("sightglass watches a plant's control network through a mirror port and never sends a "
          "packet.\n"
          "usage: sightglass COMMAND [options]\n",
          out);
    for (int i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
    return status;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return usage(stderr, 2);
    store_prepare();
    for (int i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
        strcmp(argv[1], "-h") == 0)
        return usage(stdout, 0);
    if (strcmp(argv[1], "--version") == 0)
        return cmd_version(argc, argv);
    fprintf(stderr, "sightglass: unknown command %s\n", argv[1]);
    return usage(stderr, 2);
}
