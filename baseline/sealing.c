/* sealing.c: conversations that were always encrypted, and are no more. */
#include "learned.h"

enum { SEALED_MIN = 20 }; /* encrypted messages, and never an open one, before that is a habit */

static void tell(struct seen *s)
{
    struct conversation *c = s->conversation;
    uint64_t count;
    if (!repeat_is_due(&c->sealed_told, s->b->now_ns, &count))
        return;
    struct finding *f = finding_begin(s, DETECTION_COMM_ENCRYPTION_LOST);
    char since[SINCE_TEXT];
    f->count = count;
    text_format(f->key, sizeof f->key, "clear");
    text_format(f->what, sizeof f->what, "talks %s with %%T in clear, which was always encrypted",
                c->f.protocol);
    text_format(f->expected, sizeof f->expected, "encrypted messages only (%u since %s)",
                c->f.sealed, since_print(since, c->e.first_ns));
    text_format(f->seen, sizeof f->seen, "%s, readable",
                s->event->name ? s->event->name : operation_name(s->event->operation));
    text_format(f->fact, sizeof f->fact, "%016llx", (unsigned long long)conversation_id(&c->f));
    finding_raise(s, f);
}

void sealing_judge(struct seen *s)
{
    const struct ot_event *e = s->event;
    struct conversation *c = s->conversation;
    bool is_sealed = (e->flags & OT_ENCRYPTED) != 0;
    if (!is_sealed && (e->operation == OP_SESSION || e->operation == OP_ERROR ||
                       (c->f.sealed == 0 && c->f.open > 0)))
        return; /* handshakes are always readable; most conversations always were */
    if (!is_sealed && c->f.sealed >= SEALED_MIN && c->f.open == 0 && c->e.state == ENTRY_LEARNED &&
        !baseline_is_learning(s->b, &c->f.operations)) {
        if (!baseline_covers(s, DETECTION_COMM_ENCRYPTION_LOST, false))
            tell(s);
        return;
    }
    uint32_t *n = is_sealed ? &c->f.sealed : &c->f.open;
    if (s->b->options.mode != MODE_DETECT && *n < UINT32_MAX)
        (*n)++;
}
