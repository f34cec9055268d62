/* stop.c: signal handlers that only set flags. */
#include "stop.h"

#include <stddef.h>

static volatile sig_atomic_t stop, reload;

static void on_stop(int signal_number)
{
    stop = 1;
    if (signal_number == SIGINT)
        signal(SIGINT, SIG_DFL);
}

static void on_reload(int signal_number)
{
    (void)signal_number;
    reload = 1;
}

void stop_install(void)
{
    struct sigaction action = {.sa_handler = on_stop};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action.sa_handler = on_reload;
    sigaction(SIGHUP, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}

bool stop_requested(void)
{
    return stop != 0;
}

const volatile sig_atomic_t *stop_flag(void)
{
    return &stop;
}

bool reload_requested(void)
{
    bool was = reload != 0;
    reload = 0;
    return was;
}
