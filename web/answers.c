/* answers.c: see answers.h. */
#include "answers.h"

#include "asset_list.h"
#include "sensor/base/hash.h"
#include "store_mark.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    ANSWERS_MAX = 1024,
    BYTES_MAX = 48 << 20,     /* of all that are kept */
    ONE_BYTES_MAX = 16 << 20, /* a longer one is not kept */
    KEY_MAX = 512,            /* path and arguments; longer ones are nobody's habit */
    QUICK_MS = 20,            /* of CPU: made with less, it is never sent when it is out of date */
    STALE_MAX_MS = 10000,
    AGE_MAX_MS = 60000, /* what depends on the clock or on files beside the store */
    WATCHED_MS = 60000, /* who asked within this time will ask again */
    PAUSE_MS = 250, /* between two makings of the same, at least; and four times what one took */
    PAUSE_TIMES = 4,
    STEP_MS = 100,
    AHEAD_MAX = 12,
    AHEAD_LEAST_MS = 60,   /* of CPU: made with less, it may as well be made when somebody asks */
    AHEAD_PAUSE_MS = 1000, /* between two makings ahead, at least; and forty times the CPU of one */
    AHEAD_TIMES = 40,
    IN_USE_MS = 900000, /* who has asked within this time may open any page */
};

struct answer {
    char key[KEY_MAX]; /* the path, then the arguments as in struct request; size 0: free */
    size_t key_size;
    enum MHD_Result (*make)(struct request *r);
    char parameter[PARAMETER_SIZE];
    bool may_lag;
    struct MHD_Response *response; /* NULL: none yet */
    char etag[ETAG_SIZE];
    size_t size;
    struct store_mark mark; /* of the store, before it was made */
    uint64_t changes;       /* of people, until then */
    unsigned inventory;     /* its turn, until then */
    int64_t made_at, took_ms, cpu_ms, used_at;
    bool is_being_made;
    bool is_ahead; /* stays, whether anybody asks or not */
};

struct answers {
    struct web *web;
    pthread_mutex_t lock;
    pthread_cond_t is_made, is_stopping_now;
    pthread_t thread;
    bool is_stopping;
    uint64_t changes;
    size_t bytes, ahead_count;
    int64_t asked_at;             /* by anybody, for anything */
    uint64_t hashes[ANSWERS_MAX]; /* of their keys: looked through for every request */
    struct answer all[ANSWERS_MAX];
};

static int64_t ms_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static int64_t clock_ms(void)
{
    return ms_of(CLOCK_MONOTONIC);
}

/* --- what is asked --- */

struct key {
    char text[KEY_MAX];
    size_t size;
    bool is_too_long;
};

static void key_add(struct key *key, const char *text)
{
    size_t size = strlen(text) + 1;
    if (key->size + size + 1 > sizeof key->text) { /* one more ends the list */
        key->is_too_long = true;
        return;
    }
    memcpy(key->text + key->size, text, size);
    key->size += size;
}

static enum MHD_Result add_argument(void *context, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    struct key *key = context;
    (void)kind;
    if (name[0] != '\0' && value) {
        key_add(key, name);
        key_add(key, value);
    }
    return MHD_YES;
}

static void key_of(struct key *key, const struct request *r)
{
    key->size = 0;
    key->is_too_long = false;
    key_add(key, r->path);
    MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND, add_argument, key);
    key->text[key->size++] = '\0'; /* key_add has left room */
}

/* --- with the lock held --- */

static void answer_free(struct answers *a, struct answer *answer)
{
    if (answer->response)
        MHD_destroy_response(answer->response); /* who is being sent it keeps it */
    a->bytes -= answer->size;
    answer->response = NULL;
    answer->size = 0;
    answer->made_at = clock_ms();
    if (!answer->is_ahead)
        *answer = (struct answer){.key_size = 0};
}

static struct answer *answer_of(struct answers *a, const struct key *key)
{
    uint64_t hash = hash_bytes(key->text, key->size);
    for (size_t i = 0; i < ANSWERS_MAX; i++)
        if (a->hashes[i] == hash && a->all[i].key_size == key->size &&
            memcmp(a->all[i].key, key->text, key->size) == 0)
            return &a->all[i];
    return NULL;
}

/* The one that nobody asked for the longest and that is not being made; NULL: none. */
static struct answer *oldest(struct answers *a, const struct answer *but)
{
    struct answer *found = NULL;
    for (size_t i = 0; i < ANSWERS_MAX; i++) {
        struct answer *answer = &a->all[i];
        if (answer->key_size > 0 && !answer->is_being_made && !answer->is_ahead && answer != but &&
            (!found || answer->used_at < found->used_at))
            found = answer;
    }
    return found;
}

/* An empty place with this key; NULL: all are being made. */
static struct answer *answer_add(struct answers *a, const struct key *key)
{
    struct answer *place = NULL;
    for (size_t i = 0; i < ANSWERS_MAX && !place; i++)
        if (a->all[i].key_size == 0)
            place = &a->all[i];
    if (!place && (place = oldest(a, NULL)))
        answer_free(a, place);
    if (!place)
        return NULL;
    memcpy(place->key, key->text, key->size);
    place->key_size = key->size;
    a->hashes[place - a->all] = hash_bytes(key->text, key->size);
    return place;
}

static bool is_as_store(const struct answers *a, const struct answer *answer,
                        const struct store_mark *now)
{
    return answer->changes == a->changes && answer->inventory == asset_list_turn(a->web->assets) &&
           store_mark_is_same(&answer->mark, now) && clock_ms() - answer->made_at < AGE_MAX_MS;
}

/* Renewed in time when somebody asks every minute; else it has become too old. */
static bool is_young(const struct answer *answer, const struct store_mark *now)
{
    bool is_same = store_mark_is_same(&answer->mark, now);
    return clock_ms() - answer->made_at < (is_same ? AGE_MAX_MS : 0) + STALE_MAX_MS;
}

/* Who asks should rather have an old one than wait. */
static bool takes_long(const struct answer *answer)
{
    return answer->may_lag &&
           answer->cpu_ms > (answer->used_at > 0 ? (int)QUICK_MS : (int)AHEAD_LEAST_MS);
}

/* May be sent. */
static bool is_good(const struct answers *a, const struct answer *answer,
                    const struct store_mark *now)
{
    if (!answer->response || answer->changes != a->changes)
        return false;
    return is_as_store(a, answer, now) || (takes_long(answer) && is_young(answer, now));
}

/* --- making one --- */

/* What making gives before it becomes an answer. */
struct making {
    struct made made;
    struct store_mark mark;
    uint64_t changes;
    unsigned inventory;
    int64_t began_at, cpu_began; /* the same thread begins and keeps */
};

static void making_begin(struct making *m, const struct answers *a)
{
    *m = (struct making){.mark = store_mark_of(a->web->store_path),
                         .changes = a->changes,
                         .inventory = asset_list_turn(a->web->assets),
                         .began_at = clock_ms(),
                         .cpu_began = ms_of(CLOCK_THREAD_CPUTIME_ID)};
}

/* Made without the lock; takes it. Keeps the answer, or forgets it when it is not to be kept: then
 * the bytes are still the caller's. */
static bool making_keep(struct answers *a, struct answer *answer, struct making *m,
                        const struct request *r)
{
    struct made *made = &m->made;
    bool is_kept = made->bytes && made->status == MHD_HTTP_OK && made->size <= ONE_BYTES_MAX;
    char etag[ETAG_SIZE];
    size_t size = made->size;
    struct MHD_Response *response =
        is_kept ? response_of(r, made, etag) : NULL; /* hashes all bytes */
    pthread_mutex_lock(&a->lock);
    if (response) {
        if (answer->response)
            MHD_destroy_response(answer->response);
        a->bytes += size - answer->size;
        answer->response = response;
        memcpy(answer->etag, etag, sizeof etag);
        answer->size = size;
        answer->mark = m->mark;
        answer->changes = m->changes;
        answer->inventory = m->inventory;
        answer->made_at = clock_ms();
        answer->took_ms = answer->made_at - m->began_at;
        answer->cpu_ms = ms_of(CLOCK_THREAD_CPUTIME_ID) - m->cpu_began;
        answer->is_being_made = false;
    } else {
        answer->is_being_made = false;
        answer_free(a, answer);
    }
    while (a->bytes > BYTES_MAX) {
        struct answer *old = oldest(a, response ? answer : NULL);
        if (!old)
            break;
        answer_free(a, old);
    }
    pthread_cond_broadcast(&a->is_made);
    return response != NULL;
}

/* --- asking --- */

/* With the lock held; releases it. */
static enum MHD_Result send_answer(struct answers *a, struct answer *answer, struct request *r)
{
    answer->used_at = clock_ms();
    enum MHD_Result result = reply_kept(r, answer->response, answer->etag);
    pthread_mutex_unlock(&a->lock);
    return result;
}

/* With the lock held; releases it. */
static enum MHD_Result make_and_send(struct answers *a, struct answer *answer, struct request *r)
{
    struct making m;
    enum MHD_Result (*make)(struct request * r) = answer->make;
    making_begin(&m, a);
    answer->is_being_made = true;
    answer->used_at = m.began_at;
    pthread_mutex_unlock(&a->lock);
    r->made = &m.made;
    (void)make(r);
    r->made = NULL;
    if (making_keep(a, answer, &m, r))
        return send_answer(a, answer, r);
    pthread_mutex_unlock(&a->lock);
    return reply_made(r, &m.made);
}

enum MHD_Result answers_reply(struct request *r, enum MHD_Result (*make)(struct request *r),
                              bool may_lag)
{
    struct answers *a = r->web->answers;
    struct key key;
    key_of(&key, r);
    if (key.is_too_long)
        return make(r);
    struct store_mark now = store_mark_of(r->web->store_path);
    pthread_mutex_lock(&a->lock);
    a->asked_at = clock_ms();
    for (;;) {
        struct answer *answer = answer_of(a, &key);
        if (answer && is_good(a, answer, &now))
            return send_answer(a, answer, r);
        if (answer && answer->is_being_made && !a->is_stopping) {
            pthread_cond_wait(&a->is_made, &a->lock);
            continue;
        }
        if (!answer && (answer = answer_add(a, &key))) {
            answer->make = make;
            answer->may_lag = may_lag;
            memcpy(answer->parameter, r->parameter, sizeof answer->parameter);
        }
        if (answer && !answer->is_being_made)
            return make_and_send(a, answer, r);
        pthread_mutex_unlock(&a->lock);
        return make(r);
    }
}

void answers_ahead(struct answers *a, const char *path, enum MHD_Result (*make)(struct request *r))
{
    struct key key = {.size = 0};
    key_add(&key, path);
    key.text[key.size++] = '\0';
    pthread_mutex_lock(&a->lock);
    struct answer *answer =
        a->ahead_count < AHEAD_MAX && !answer_of(a, &key) ? answer_add(a, &key) : NULL;
    if (answer) {
        answer->make = make;
        answer->may_lag = true;
        answer->is_ahead = true;
        a->ahead_count++;
    }
    pthread_mutex_unlock(&a->lock);
}

void answers_forget(struct answers *a)
{
    pthread_mutex_lock(&a->lock);
    a->changes++;
    pthread_mutex_unlock(&a->lock);
}

/* --- the thread that makes them anew --- */

/* How long after one making the next may begin; -1: nobody will ask. */
static int64_t pause_of(const struct answers *a, const struct answer *answer, int64_t at)
{
    int64_t soon_ms = PAUSE_TIMES * answer->took_ms, ahead_ms = AHEAD_TIMES * answer->cpu_ms;
    if (answer->response && at - answer->used_at <= WATCHED_MS)
        return soon_ms > PAUSE_MS ? soon_ms : PAUSE_MS;
    if (answer->is_ahead && at - a->asked_at <= IN_USE_MS)
        return ahead_ms > AHEAD_PAUSE_MS ? ahead_ms : AHEAD_PAUSE_MS;
    return -1;
}

/* It is worth making without being asked: it takes long, or was never made. */
static bool is_worth_it(const struct answer *answer)
{
    return answer->key_size > 0 && !answer->is_being_made &&
           (answer->response ? takes_long(answer) : answer->is_ahead);
}

/* Somebody will ask for it and it is out of date; the one that is so the longest. Locked. */
static struct answer *wanted(struct answers *a)
{
    struct answer *found = NULL;
    struct store_mark now;
    bool has_looked = false;
    int64_t at = clock_ms();
    for (size_t i = 0; i < ANSWERS_MAX; i++) {
        struct answer *answer = &a->all[i];
        int64_t pause_ms = is_worth_it(answer) ? pause_of(a, answer, at) : -1;
        if (pause_ms < 0 || (answer->made_at > 0 && at - answer->made_at < pause_ms))
            continue;
        if (!has_looked)
            now = store_mark_of(a->web->store_path);
        has_looked = true;
        bool is_due = !answer->response || !is_as_store(a, answer, &now);
        if (is_due && (!found || answer->made_at < found->made_at))
            found = answer;
    }
    return found;
}

/* Locked; unlocks while it makes. */
static void make_again(struct answers *a, struct answer *answer, struct store *store)
{
    struct making m;
    struct request r = {.web = a->web,
                        .path = answer->key,
                        .method = "GET",
                        .arguments = answer->key + strlen(answer->key) + 1,
                        .account.role = ROLE_VIEWER,
                        .store = store,
                        .made = &m.made};
    memcpy(r.parameter, answer->parameter, sizeof r.parameter);
    making_begin(&m, a);
    answer->is_being_made = true;
    pthread_mutex_unlock(&a->lock);
    (void)answer->make(&r);
    if (!making_keep(a, answer, &m, &r))
        free(m.made.bytes); /* who asks next is told why */
}

/* Locked; unlocks meanwhile. The store comes first: whoever waits for an answer has one, too. */
static void renew(struct answers *a)
{
    struct error err = {""};
    struct answer *answer;
    if (!wanted(a))
        return;
    pthread_mutex_unlock(&a->lock);
    struct store *store = readers_take(a->web->readers, &err);
    pthread_mutex_lock(&a->lock);
    if (store && (answer = wanted(a)))
        make_again(a, answer, store);
    pthread_mutex_unlock(&a->lock);
    if (store)
        readers_give(a->web->readers, store);
    pthread_mutex_lock(&a->lock);
}

static void wait_ms(struct answers *a, int64_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_cond_timedwait(&a->is_stopping_now, &a->lock, &until);
}

/* Rests as long as it works. */
static void *work(void *context)
{
    struct answers *a = context;
    pthread_mutex_lock(&a->lock);
    while (!a->is_stopping) {
        int64_t began_at = clock_ms();
        renew(a);
        int64_t took_ms = clock_ms() - began_at;
        if (!a->is_stopping)
            wait_ms(a, took_ms > STEP_MS ? took_ms : STEP_MS);
    }
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

/* --- life --- */

struct answers *answers_create(struct web *web)
{
    struct answers *a = calloc(1, sizeof *a);
    pthread_condattr_t monotonic;
    if (!a)
        return NULL;
    a->web = web;
    a->asked_at = clock_ms();
    pthread_mutex_init(&a->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&a->is_stopping_now, &monotonic);
    pthread_cond_init(&a->is_made, NULL);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&a->thread, NULL, work, a) == 0)
        return a;
    pthread_cond_destroy(&a->is_made);
    pthread_cond_destroy(&a->is_stopping_now);
    pthread_mutex_destroy(&a->lock);
    free(a);
    return NULL;
}

void answers_destroy(struct answers *a)
{
    if (!a)
        return;
    pthread_mutex_lock(&a->lock);
    a->is_stopping = true;
    pthread_cond_broadcast(&a->is_stopping_now);
    pthread_cond_broadcast(&a->is_made);
    pthread_mutex_unlock(&a->lock);
    pthread_join(a->thread, NULL);
    for (size_t i = 0; i < ANSWERS_MAX; i++)
        if (a->all[i].response)
            MHD_destroy_response(a->all[i].response);
    pthread_cond_destroy(&a->is_made);
    pthread_cond_destroy(&a->is_stopping_now);
    pthread_mutex_destroy(&a->lock);
    free(a);
}
