/* logins.h: log-ins that fail again and again between two hosts, and sessions opened so fast that
 * only a program that tries passwords does it.
 *
 * Protocols in clear tell the outcome. SSH and RDP tell nothing but that a session was opened: many
 * within a minute, and many times more than this pair ever had, are a trial each. Log-ins to
 * controllers in their own protocols are the matter of sweeps.h.
 *
 * Owned by one worker; bounded; no allocation after logins_create. */
#pragma once

#include "sensor/base/ot_event.h"

enum { LOGINS_USER_SIZE = 48 };

struct login_report {
    bool is_found;     /* tell it: failures or sessions above the threshold */
    bool is_let_in;    /* the log-in that followed them was accepted */
    uint32_t failures; /* in the window; 0: of sessions */
    uint32_t sessions;
    uint32_t seconds;            /* since the first of them */
    char user[LOGINS_USER_SIZE]; /* the last one that was told; "" when none was */
};

struct logins;

/* NULL when there is no memory. */
struct logins *logins_create(size_t pairs_max);
void logins_destroy(struct logins *l);

/* Takes the event in. */
void logins_event(struct logins *l, const struct ot_event *e, struct login_report *report);
/* A protocol whose log-ins are judged here. */
bool logins_is_protocol(const char *protocol);
