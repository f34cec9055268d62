/* ids.c: ids of rows, and hosts and states as text. */
#include "rows.h"

#include "sensor/base/hash.h"

#include <string.h>

static uint64_t text_id(const char *text)
{
    return hash_stable(text, strlen(text));
}

uint64_t pair_id(const struct pair_facts *f)
{
    return hash_mix_stable(f->segment, hash_stable(f->hosts, sizeof f->hosts));
}

uint64_t conversation_id(const struct conversation_facts *f)
{
    return hash_mix_stable(f->pair, text_id(f->protocol));
}

uint64_t operation_id(const struct operation_facts *f)
{
    uint64_t id = hash_mix_stable(f->conversation, f->unit_hash);
    id = hash_mix_stable(id, hash_stable(f->code, sizeof f->code));
    return hash_mix_stable(id, (uint64_t)f->operation << 8 | f->side);
}

static uint64_t place_id(const struct place *p)
{
    uint64_t id = hash_mix_stable(p->conversation, hash_mix_stable(p->unit_hash, text_id(p->area)));
    uint64_t flags = (uint64_t)p->side | (uint64_t)p->has_number << 8 |
                     (uint64_t)p->is_write << 16 | (uint64_t)p->is_bit << 24 |
                     (uint64_t)p->bit << 32;
    return hash_mix_stable(hash_mix_stable(id, p->number), flags);
}

uint64_t range_id(const struct range_facts *f, bool is_pending)
{
    return hash_mix_stable(place_id(&f->place), is_pending ? 2 : 1);
}

uint64_t tag_id(const struct tag_facts *f)
{
    return hash_mix_stable(hash_mix_stable(place_id(&f->place), 3), f->name_hash);
}

uint64_t point_id(const struct point_facts *f)
{
    return hash_mix_stable(hash_mix_stable(place_id(&f->place), 4),
                           hash_mix_stable(f->name_hash, f->address));
}

uint64_t block_id(const struct block_facts *f)
{
    return hash_mix_stable(hash_mix_stable(place_id(&f->place), 5),
                           hash_mix_stable(hash_mix_stable(f->name_hash, f->address), f->size));
}

uint64_t page_id(const struct page_facts *f)
{
    return hash_mix_stable(hash_mix_stable(place_id(&f->place), 6),
                           hash_mix_stable(hash_mix_stable(f->name_hash, f->address),
                                           (uint64_t)f->size << 32 | f->page));
}

uint64_t row_parent(const struct baseline_row *row)
{
    switch (row->kind) {
    case BASELINE_OPERATION:
        return row->is.operation.conversation;
    case BASELINE_RANGE:
        return row->is.range.place.conversation;
    case BASELINE_TAG:
        return row->is.tag.place.conversation;
    case BASELINE_POINT:
        return row->is.point.place.conversation;
    case BASELINE_BLOCK:
        return row->is.block.place.conversation;
    case BASELINE_PAGE:
        return row->is.page.place.conversation;
    default:
        return 0;
    }
}

char *host_print(char out[HOST_TEXT], const struct host *h)
{
    if (h->kind == ADDRESS_NONE) {
        struct mac m;
        memcpy(m.bytes, h->bytes, sizeof m.bytes);
        return mac_print(out, &m);
    }
    struct address a = {.kind = h->kind};
    memcpy(a.bytes, h->bytes, sizeof a.bytes);
    return address_print(out, &a);
}

bool host_parse(struct host *h, const char *text)
{
    struct address a;
    struct mac m;
    *h = (struct host){0};
    if (address_parse(&a, text) && a.kind != ADDRESS_NONE) {
        h->kind = a.kind;
        memcpy(h->bytes, a.bytes, sizeof h->bytes);
        return true;
    }
    if (!mac_parse(&m, text))
        return false;
    memcpy(h->bytes, m.bytes, sizeof m.bytes);
    return true;
}

static const char *const states[] = {"learned", "pending", "rejected"};

const char *entry_state_name(uint8_t state)
{
    return state <= ENTRY_REJECTED ? states[state] : "?";
}

bool entry_state_parse(uint8_t *state, const char *name)
{
    for (uint8_t i = 0; i <= ENTRY_REJECTED; i++) {
        if (strcmp(states[i], name) == 0) {
            *state = i;
            return true;
        }
    }
    return false;
}
