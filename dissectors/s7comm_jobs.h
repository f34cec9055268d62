/* s7comm_jobs.h: what variable tables and cyclic subscriptions yield later, by the addresses that
 * were asked for. */
#pragma once

#include "s7comm_groups.h"

/* An answer without error gives the job that was asked for its number: its addresses are kept. */
void s7comm_job_begins(struct dissect *d, const struct s7comm_userdata *u,
                       const struct s7comm_asked *asked);

/* The items of what a job or subscription yields; without addresses when its request was not seen.
 */
void s7comm_job_yields(struct dissect *d, struct ot_event *event, const struct s7comm_userdata *u);

/* The first values of a subscription, which its answer brings. */
void s7comm_job_answer(struct dissect *d, struct ot_event *event, const struct s7comm_userdata *u,
                       const struct s7comm_asked *asked);
