/* assets_declared.h: `sightglass assets import` and `sightglass assets diff`: the plant's own list
 * of its devices, and what is different. argv[0] is "import" or "diff"; the exit status is that of
 * the process. */
#pragma once

int assets_import(int argc, char **argv);
int assets_diff(int argc, char **argv);
