/* commands.h: the subcommands of the program, from commands.def. argv[0] is the command's name.
 * Each returns the process's exit status: 0 well, 1 failed, 2 usage. */
#pragma once

#define COMMAND(name, help) int cmd_##name(int argc, char **argv);
#include "commands.def"
#undef COMMAND
