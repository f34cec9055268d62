/* recognition.c: every dissector is asked, those at home on the port first. */
#include "recognition.h"

static bool has_port(const struct dissector *d, uint16_t port)
{
    for (size_t i = 0; i < DISSECTOR_PORTS_MAX && d->ports[i]; i++)
        if (d->ports[i] == port)
            return true;
    return false;
}

static bool has_ethertype(const struct dissector *d, uint16_t ethertype)
{
    for (size_t i = 0; i < DISSECTOR_ETHERTYPES_MAX && d->ethertypes[i]; i++)
        if (d->ethertypes[i] == ethertype)
            return true;
    return false;
}

bool flow_is_layer2(const struct flow *f)
{
    return f->view.transport == TRANSPORT_NONE;
}

unsigned flow_carrier(const struct flow *f)
{
    if (f->view.transport == TRANSPORT_TCP)
        return OVER_TCP;
    return f->view.transport == TRANSPORT_UDP ? OVER_UDP : OVER_ETHERTYPE;
}

/* Which end the port belongs to: the server's port decides, a client's ephemeral port may collide.
 */
static bool is_hinted(const struct dissector *d, const struct flow *f)
{
    if (flow_is_layer2(f))
        return has_ethertype(d, f->ethertype);
    if (f->view.is_role_known)
        return has_port(d, f->view.server.port);
    return has_port(d, f->view.server.port) || has_port(d, f->view.client.port);
}

static bool is_port_of_any(uint16_t port, unsigned over)
{
    for (size_t i = 0; i < dissector_count; i++)
        if ((dissectors[i]->over & over) && has_port(dissectors[i], port))
            return true;
    return false;
}

/* Without a SYN the port tells best who is the server. */
void recognise_roles(struct flow *f)
{
    unsigned over = flow_carrier(f);
    bool is_client_hinted = is_port_of_any(f->view.client.port, over);
    bool is_server_hinted = is_port_of_any(f->view.server.port, over);
    bool is_swapped = is_client_hinted != is_server_hinted
                          ? is_client_hinted
                          : f->view.client.port < f->view.server.port;
    if (address_is_group(&f->view.server.ip))
        return; /* a group is only ever sent to */
    if (is_swapped && f->view.client.port != 0) {
        struct endpoint client = f->view.client;
        f->view.client = f->view.server;
        f->view.server = client;
        f->is_a_client = !f->is_a_client;
    }
}

static void ask(const struct dissector *d, struct reader r, bool is_hinted_by_port,
                struct verdict *v)
{
    enum claim claim = d->recognise(r);
    if (claim == CLAIM_HOME)
        claim = is_hinted_by_port ? CLAIM_MORE : CLAIM_NO;
    if (claim == CLAIM_WEAK && (is_hinted_by_port || d->is_bound_to_ports))
        claim = is_hinted_by_port ? CLAIM_YES : CLAIM_NO;
    if (claim > v->claim || (claim == v->claim && claim != CLAIM_NO && !v->dissector)) {
        v->claim = claim;
        v->dissector = d;
    }
}

/* Asks those that the port hints at, then the others; the first sure answer wins. */
struct verdict recognise(const struct flow *f, struct reader r)
{
    struct verdict v = {NULL, CLAIM_NO};
    unsigned over = flow_carrier(f);
    for (size_t i = 0; i < dissector_count && v.claim != CLAIM_YES; i++)
        if ((dissectors[i]->over & over) && is_hinted(dissectors[i], f))
            ask(dissectors[i], r, true, &v);
    if (flow_is_layer2(f))
        return v; /* the ethertype decides */
    for (size_t i = 0; i < dissector_count && v.claim != CLAIM_YES; i++)
        if ((dissectors[i]->over & over) && !is_hinted(dissectors[i], f))
            ask(dissectors[i], r, false, &v);
    return v;
}

/* A protocol whose port this is, or NULL. */
const char *recognise_expected(const struct flow *f)
{
    unsigned over = flow_carrier(f);
    for (size_t i = 0; i < dissector_count; i++)
        if ((dissectors[i]->over & over) && has_port(dissectors[i], f->view.server.port))
            return dissectors[i]->name;
    return NULL;
}

/* A protocol without ports of its own, or with answers from any, is usual where no other one is at
 * home. */
bool recognise_usual_port(const struct dissector *d, const struct flow *f, bool is_weak)
{
    if (flow_is_layer2(f) || has_port(d, f->view.server.port) || has_port(d, f->view.client.port))
        return true;
    bool is_anywhere =
        d->ports[0] == 0 || d->is_from_any_port || (d->has_data_on_any_port && is_weak);
    return is_anywhere && !recognise_expected(f);
}
