/* s7comm_jobs.c: see s7comm_jobs.h.
 *
 *   group 1, request: | parameter size 2 | data size 2 | parameter | count 2 | addresses 6 |...
 *            yield:   | parameter size 2 | data size 2 | parameter | count 2 | data items |, or
 *                     return codes 1 of what was to be modified or forced
 *   group 2, request: | count 2 | base of the interval 1 | factor 1 | addresses |
 *            yield:   | count 2 | data items |
 *
 * The sequence byte of the answer is the job's number, and so it is of all that the job yields.
 * PROTOCOLS 6 "Userdata". */
#include "s7comm_jobs.h"

#include "s7comm_items.h"
#include "s7comm_userdata.h"

enum {
    SUB_CYCLIC = 0x01,
    SUB_VARIABLE_STATUS = 0x02,
    SUB_CHANGE_DRIVEN = 0x05,
    SUB_MODIFY_VARIABLE = 0x08,
    SUB_FORCE = 0x09,
    INTERVAL_SIZE = 2,
};

static bool is_cyclic(const struct s7comm_userdata *u)
{
    return u->group == S7COMM_GROUP_CYCLIC && (u->sub == SUB_CYCLIC || u->sub == SUB_CHANGE_DRIVEN);
}

static bool is_table(const struct s7comm_userdata *u)
{
    return u->group == S7COMM_GROUP_PROGRAMMER &&
           (u->sub == SUB_VARIABLE_STATUS || u->sub == SUB_MODIFY_VARIABLE || u->sub == SUB_FORCE);
}

static uint64_t job_key(const struct s7comm_userdata *u)
{
    static const uint64_t jobs = (uint64_t)0x106 << 40; /* apart from those of references */
    return jobs | (uint64_t)u->group << 16 | (uint64_t)u->sub << 8 | u->sequence;
}

/* Keeps what was asked for what the job yields next. asked lies outside of what is remembered. */
static void keep(struct dissect *d, const struct s7comm_userdata *u,
                 const struct s7comm_asked *asked)
{
    size_t size = s7comm_asked_size(asked);
    memcpy(dissect_remember(d, job_key(u), size, NULL), asked, size);
}

void s7comm_job_begins(struct dissect *d, const struct s7comm_userdata *u,
                       const struct s7comm_asked *asked)
{
    struct s7comm_asked copy;
    if (!is_cyclic(u) && !is_table(u))
        return;
    memcpy(&copy, asked, s7comm_asked_size(asked));
    keep(d, u, &copy);
}

/* What follows the parameter of a job; empty when it is not there. */
static struct reader job_data(struct reader r)
{
    uint16_t parameter_size = reader_u16be(&r);
    reader_skip(&r, 2);
    reader_skip(&r, parameter_size);
    return reader_take(&r, reader_left(&r));
}

static void cyclic_values(struct dissect *d, struct ot_event *event, struct reader data,
                          const struct s7comm_asked *asked)
{
    uint16_t count = reader_u16be(&data);
    struct reader list = asked ? reader_of(asked->payload, asked->size) : reader_of(NULL, 0);
    uint16_t listed = reader_u16be(&list);
    reader_skip(&list, INTERVAL_SIZE);
    if (!reader_ok(&data))
        return; /* nothing has changed */
    if (asked && reader_ok(&list))
        s7comm_items(d, event, list, count < listed ? count : listed, data, S7COMM_VALUES_READ);
    else
        s7comm_items_unasked(d, event, count, data, S7COMM_VALUES_READ);
}

static void table_values(struct dissect *d, struct ot_event *event, const struct s7comm_userdata *u,
                         const struct s7comm_asked *asked)
{
    enum s7comm_values values =
        u->sub == SUB_VARIABLE_STATUS ? S7COMM_VALUES_READ : S7COMM_VALUES_RESULTS;
    struct reader data = job_data(u->payload);
    uint16_t count = reader_u16be(&data);
    if (!reader_ok(&data))
        return;
    struct reader list = reader_of(NULL, 0);
    if (asked)
        list = job_data(reader_of(asked->payload, asked->size));
    if (reader_left(&list))
        s7comm_items_table(d, event, list, data, values);
    else
        s7comm_items_unasked(d, event, count, data, values);
}

void s7comm_job_yields(struct dissect *d, struct ot_event *event, const struct s7comm_userdata *u)
{
    if (!is_cyclic(u) && !is_table(u))
        return;
    struct s7comm_asked copy;
    const struct s7comm_asked *asked = dissect_recall(d, job_key(u), NULL);
    if (asked) {
        memcpy(&copy, asked, s7comm_asked_size(asked));
        keep(d, u, &copy); /* the next one is of the same addresses */
        asked = &copy;
    }
    if (is_cyclic(u))
        cyclic_values(d, event, u->payload, asked);
    else
        table_values(d, event, u, asked);
}

void s7comm_job_answer(struct dissect *d, struct ot_event *event, const struct s7comm_userdata *u,
                       const struct s7comm_asked *asked)
{
    if (is_cyclic(u))
        cyclic_values(d, event, u->payload, asked);
}
