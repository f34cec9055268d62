/* commands.h: the subcommands of the program. Each returns the process's exit status: 0 well, 1
 * failed, 2 usage. */
#pragma once

int cmd_run(int argc, char **argv);      /* run.c */
int cmd_console(int argc, char **argv);  /* cmd_console.c */
int cmd_assets(int argc, char **argv);   /* cmd_assets.c */
int cmd_alerts(int argc, char **argv);   /* cmd_alerts.c */
int cmd_baseline(int argc, char **argv); /* cmd_baseline.c */
int cmd_doctor(int argc, char **argv);   /* cmd_doctor.c */
