/* memory.h: a bounded table of small entries by 64-bit key; when it is full the entry made first
 * goes. Holds the requests that wait for their response, and what is known of a pair of hosts.
 * Owned by one worker. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memory;

struct memory *memory_create(uint32_t capacity, size_t entry_size);
void memory_destroy(struct memory *m);

/* The entry of key with its first `size` bytes zeroed: new, or the old one over again (*existed).
 * *evicted: an other entry that nobody had taken had to go. size is at most entry_size. */
void *memory_put(struct memory *m, uint64_t key, size_t size, bool *existed, bool *evicted);
/* Asks for the memory that memory_get will need: first the bucket, then the entry. Changes nothing.
 */
void memory_look(const struct memory *m, uint64_t key);
void memory_look_on(const struct memory *m, uint64_t key);
/* The entry of key, or NULL. size may be NULL. */
void *memory_get(struct memory *m, uint64_t key, size_t *size);
/* The answer that an asker had last. Zeros: none. */
struct memory_answer {
    uint64_t key;
    uint64_t made;  /* entries of the table until then */
    uint32_t place; /* of the entry, from 1; 0: there was none */
};
/* memory_get for who asks for the same again and again, be it there or not. */
void *memory_get_again(struct memory *m, struct memory_answer *last, uint64_t key);
/* What a holder of entries (a flow) knows of those that it put last. Zeros: nothing. It stays where
 * it is while it holds entries. */
enum { MEMORY_NEAR = 4 }; /* requests that a PDU of several layers has in flight */
struct memory_near {
    struct {
        uint32_t place;  /* of the entry, from 1; 0: none. It may have been evicted. */
        uint32_t mark;   /* of its key: an entry of another key is not looked at */
    } last[MEMORY_NEAR]; /* the newest first */
    uint32_t indexed;    /* others of this holder, in the index; those evicted are still counted */
    uint64_t marks; /* a bit of each key of them: the index is not asked for what is not there */
};
/* memory_put for entries that one holder puts and takes itself: the few put last are found without
 * the index. Keys of different holders differ. */
void *memory_put_near(struct memory *m, struct memory_near *near, uint64_t key, size_t size,
                      bool *existed, bool *evicted);
/* Asks for the memory of the one put last, which memory_take_near will most likely be asked for. */
void memory_look_near(const struct memory *m, const struct memory_near *near);
/* memory_get and memory_forget for them. */
void *memory_take_near(struct memory *m, struct memory_near *near, uint64_t key, size_t *size);
/* Forgets an entry that memory_get gave; its bytes stay valid until the next memory_put. */
void memory_forget(struct memory *m, uint64_t key);
