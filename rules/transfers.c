/* transfers.c: the open transfers and the last fingerprints of devices. */
#include "rules/transfers.h"

#include "sensor/base/hash.h"

#include <stdlib.h>
#include <string.h>

enum { ENDED_KEPT = 16 };

/* Engineering software sets a few things more after the end of a transfer. */
static const int64_t AFTERMATH_NS = 60 * INT64_C(1000000000);

struct ended {
    uint64_t flow_id;
    enum operation operation;
    int64_t ended_ns; /* 0: none */
};

struct transfers {
    struct ended ended[ENDED_KEPT]; /* the last ones, a ring */
    size_t ended_next;
    struct slots open;
    struct slots fingerprints;
    struct transfer closed, replaced; /* what the last call gave out */
    size_t open_count;
};

struct transfers *transfers_create(size_t open_max, size_t fingerprints_max)
{
    struct transfers *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    if (!slots_create(&t->open, open_max, sizeof(struct transfer)) ||
        !slots_create(&t->fingerprints, fingerprints_max, sizeof(struct fingerprint))) {
        transfers_destroy(t);
        return NULL;
    }
    return t;
}

void transfers_destroy(struct transfers *t)
{
    if (!t)
        return;
    slots_destroy(&t->open);
    slots_destroy(&t->fingerprints);
    free(t);
}

static uint64_t open_key(const struct ot_event *e)
{
    uint64_t key = hash_mix(e->flow->id, e->transfer.key);
    key = hash_mix(key, hash_bytes(e->protocol, strlen(e->protocol)));
    return hash_mix(key, (uint64_t)e->transfer.operation) | 1;
}

static struct transfer *transfer_open(struct transfers *t, const struct ot_event *e, bool *is_new)
{
    uint64_t evicted = t->open.evicted;
    struct transfer *transfer = slots_take(&t->open, open_key(e), e->time_ns, is_new);
    if (!*is_new)
        return transfer;
    if (evicted == t->open.evicted)
        t->open_count++;
    transfer->operation = e->transfer.operation;
    transfer->protocol = e->protocol;
    text_copy(transfer->name, sizeof transfer->name, e->transfer.name);
    text_copy(transfer->unit, sizeof transfer->unit, e->unit);
    transfer->flow_id = e->flow->id;
    transfer->segment = e->flow->segment;
    transfer->transport = e->flow->transport;
    transfer->client = e->flow->client;
    transfer->server = e->flow->server;
    transfer->start_ns = e->time_ns;
    transfer->first_packet = e->packet ? e->packet->number : 0;
    transfer->source_index = e->packet ? e->packet->source_index : 0;
    sha256_init(&transfer->sha256);
    return transfer;
}

/* Copies the transfer to where the caller may read it and frees its place. */
static const struct transfer *transfer_close(struct transfers *t, struct transfer *transfer,
                                             struct transfer *copy)
{
    *copy = *transfer;
    t->ended[t->ended_next++ % ENDED_KEPT] =
        (struct ended){transfer->flow_id, transfer->operation, transfer->last_ns};
    if (copy->size)
        sha256_digest(&copy->sha256, sizeof copy->digest, copy->digest);
    slots_drop(transfer);
    t->open_count--;
    return copy;
}

static bool name_differs(const struct transfer *transfer, struct text name)
{
    char text[TRANSFER_NAME_SIZE];
    return name.size && transfer->name[0] &&
           strcmp(text_copy(text, sizeof text, name), transfer->name) != 0;
}

static void transfer_note(struct transfer *transfer, const struct ot_event *e)
{
    transfer->last_ns = e->time_ns;
    if (!transfer->name[0])
        text_copy(transfer->name, sizeof transfer->name, e->transfer.name);
    if (e->transfer.declared_size)
        transfer->declared_size = e->transfer.declared_size;
    if (e->transfer.size && e->transfer.bytes) {
        sha256_update(&transfer->sha256, e->transfer.size, e->transfer.bytes);
        transfer->size += e->transfer.size;
        transfer->blocks++;
    }
}

const struct transfer *transfers_step(struct transfers *t, const struct ot_event *e,
                                      enum transfer_change *change,
                                      const struct transfer **replaced)
{
    *change = TRANSFER_SAME;
    *replaced = NULL;
    bool is_new = false;
    struct transfer *transfer = slots_find(&t->open, open_key(e), e->time_ns);
    /* the beginning is told once more (by its answer) unless content came in between or the name is
     * another */
    bool is_again = e->transfer.step == TRANSFER_BEGIN && transfer &&
                    (transfer->blocks || name_differs(transfer, e->transfer.name));
    if (is_again) {
        *replaced = transfer_close(t, transfer, &t->replaced);
        transfer = NULL;
    }
    bool is_over = e->transfer.step == TRANSFER_END || e->transfer.step == TRANSFER_ABORT;
    if (!transfer && is_over && !e->transfer.size)
        return NULL; /* told before, or begun before we listened */
    if (!transfer)
        transfer = transfer_open(t, e, &is_new);
    transfer_note(transfer, e);
    if (e->transfer.step == TRANSFER_BEGIN)
        transfer->is_begin_seen = true;
    if (is_new)
        *change = TRANSFER_STARTED;
    if (e->transfer.step == TRANSFER_END)
        *change = TRANSFER_ENDED;
    if (e->transfer.step == TRANSFER_ABORT)
        *change = TRANSFER_ABORTED;
    if (*change == TRANSFER_ENDED || *change == TRANSFER_ABORTED)
        return transfer_close(t, transfer, &t->closed);
    return transfer;
}

bool transfers_is_under_way(const struct transfers *t, uint64_t flow_id, enum operation operation,
                            int64_t now_ns)
{
    for (size_t i = 0; i < ENDED_KEPT; i++) {
        const struct ended *ended = &t->ended[i];
        if (ended->flow_id == flow_id && ended->operation == operation && ended->ended_ns &&
            now_ns - ended->ended_ns < AFTERMATH_NS)
            return true;
    }
    for (size_t i = 0; t->open_count && i < t->open.capacity; i++) {
        const struct transfer *transfer = slots_at(&t->open, i);
        if (slots_is_used(&t->open, i) && transfer->flow_id == flow_id &&
            transfer->operation == operation)
            return true;
    }
    return false;
}

void transfers_refuse(struct transfers *t, uint64_t flow_id, enum operation operation)
{
    struct transfer *last = NULL;
    for (size_t i = 0; i < t->open.capacity; i++) {
        struct transfer *transfer = slots_at(&t->open, i);
        if (transfer->slot.key && transfer->flow_id == flow_id &&
            transfer->operation == operation && transfer->blocks == 0 &&
            (!last || transfer->start_ns > last->start_ns))
            last = transfer;
    }
    if (last) {
        slots_drop(last);
        t->open_count--;
    }
}

const struct transfer *transfers_take_stale(struct transfers *t, int64_t before_ns)
{
    if (t->open_count == 0)
        return NULL;
    for (size_t i = 0; i < t->open.capacity; i++) {
        struct transfer *transfer = slots_at(&t->open, i);
        if (transfer->slot.key && transfer->last_ns < before_ns)
            return transfer_close(t, transfer, &t->closed);
    }
    return NULL;
}

static uint64_t fingerprint_key(uint32_t segment, const struct endpoint *server,
                                const char *protocol, const char *unit, const char *name)
{
    uint64_t key = hash_mix(segment, hash_bytes(&server->ip, sizeof server->ip));
    if (server->ip.kind == ADDRESS_NONE)
        key = hash_mix(key, hash_bytes(&server->mac, sizeof server->mac));
    key = hash_mix(key, hash_bytes(protocol, strlen(protocol)));
    key = hash_mix(key, hash_bytes(unit, strlen(unit)));
    return hash_mix(key, hash_bytes(name, strlen(name))) | 1;
}

static uint64_t fingerprint_key_of(const struct transfer *transfer)
{
    return fingerprint_key(transfer->segment, &transfer->server, transfer->protocol, transfer->unit,
                           transfer->name);
}

const struct fingerprint *transfers_known(struct transfers *t, const struct transfer *transfer)
{
    return slots_find(&t->fingerprints, fingerprint_key_of(transfer), transfer->last_ns);
}

const struct fingerprint *transfers_known_name(struct transfers *t, const struct ot_event *e,
                                               struct text name)
{
    char name_text[TRANSFER_NAME_SIZE], unit[TRANSFER_NAME_SIZE];
    text_copy(name_text, sizeof name_text, name);
    text_copy(unit, sizeof unit, e->unit);
    uint64_t key =
        fingerprint_key(e->flow->segment, &e->flow->server, e->protocol, unit, name_text);
    return slots_find(&t->fingerprints, key, e->time_ns);
}

void transfers_remember(struct transfers *t, const struct transfer *transfer)
{
    bool is_new;
    struct fingerprint *known =
        slots_take(&t->fingerprints, fingerprint_key_of(transfer), transfer->last_ns, &is_new);
    memcpy(known->digest, transfer->digest, sizeof known->digest);
    known->size = transfer->size;
    known->seen_at_ns = transfer->last_ns;
}

void digest_print(char out[2 * SHA256_DIGEST_SIZE + 1], const uint8_t digest[SHA256_DIGEST_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < SHA256_DIGEST_SIZE; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[2 * SHA256_DIGEST_SIZE] = '\0';
}
