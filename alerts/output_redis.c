/* output_redis.c: Redis Streams.
 *
 * XADD sightglass:{SITE}:STREAM MAXLEN ~ n * json DOCUMENT id ID rev REVISION seq SEQUENCE
 *
 * The braces are a cluster hash tag. Messages are sent in pipelines; what an error reply or a lost
 * connection leaves open is sent again, which (id, rev) makes harmless. A server that lost its
 * memory shows by another run id without our last entry, or by a stream whose last id is before
 * ours (XDEL and trimming never move it back). To see that, the user needs INFO, EXISTS, XINFO and
 * XRANGE beside XADD; without them what was lost is not sent again. */
#include "output.h"

#include "sensor/base/text.h"

#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECT_S = 2,
    COMMAND_S = 5,
    STREAMS = 4,
    ENTRY_ID_TEXT = 48, /* two 64-bit numbers and a dash */
    RUN_ID_TEXT = 48,
};

static const char *const stream_names[STREAMS] = {"alerts", "assets", "links", "health"};

/* What we know of the server's memory: the content of the mark. */
struct memory {
    char run_id[RUN_ID_TEXT];
    char last[STREAMS][ENTRY_ID_TEXT]; /* our last entry of each stream; "-": none yet */
};

struct redis {
    const struct config *config;
    redisContext *connection;
    bool is_denied; /* the last command was not allowed to this user */
};

static bool redis_is_configured(const struct config *config)
{
    return config->redis_host[0] || config->redis_socket[0];
}

static void *redis_open(const struct config *config)
{
    struct redis *r = calloc(1, sizeof *r);
    if (r)
        r->config = config;
    return r;
}

static void disconnect(struct redis *r)
{
    if (r->connection)
        redisFree(r->connection);
    r->connection = NULL;
}

static void redis_close(void *state)
{
    disconnect(state);
    free(state);
}

static const char *where(const struct redis *r, char out[320])
{
    const struct config *c = r->config;
    if (c->redis_socket[0])
        return text_format(out, 320, "%s", c->redis_socket);
    return text_format(out, 320, "%s:%u", c->redis_host, c->redis_port);
}

static bool fail(struct redis *r, const char *what, struct error *err)
{
    char place[320];
    return error_set(err, "Redis at %s: %s", where(r, place), what);
}

/* Errors of the connection end it: nobody knows how much of a reply has come. */
static bool fail_connection(struct redis *r, struct error *err)
{
    const char *why = r->connection->err == REDIS_ERR_IO ? "no answer in time or connection lost"
                                                         : r->connection->errstr;
    fail(r, why, err);
    disconnect(r);
    return false;
}

/* A reply that is not an error, to be freed; otherwise NULL. Our words never hold the password. */
static redisReply *command(struct redis *r, int argc, const char **argv, struct error *err)
{
    redisReply *reply = redisCommandArgv(r->connection, argc, argv, NULL);
    r->is_denied = false;
    if (!reply) {
        fail_connection(r, err);
        return NULL;
    }
    if (reply->type == REDIS_REPLY_ERROR) {
        r->is_denied = strncmp(reply->str, "NOPERM", 6) == 0;
        fail(r, reply->str, err);
        freeReplyObject(reply);
        return NULL;
    }
    return reply;
}

static bool authenticate(struct redis *r, struct error *err)
{
    const struct config *c = r->config;
    const char *argv[3] = {"AUTH"};
    int argc = 1;
    if (!c->redis_password[0])
        return true;
    if (c->redis_user[0])
        argv[argc++] = c->redis_user;
    argv[argc++] = c->redis_password;
    redisReply *reply = command(r, argc, argv, err);
    freeReplyObject(reply);
    return reply != NULL;
}

static bool connect_server(struct redis *r, struct error *err)
{
    const struct config *c = r->config;
    if (r->connection)
        return true;
    struct timeval patience = {.tv_sec = CONNECT_S};
    r->connection = c->redis_socket[0]
                        ? redisConnectUnixWithTimeout(c->redis_socket, patience)
                        : redisConnectWithTimeout(c->redis_host, c->redis_port, patience);
    if (!r->connection)
        return fail(r, "out of memory", err);
    if (r->connection->err) {
        fail(r, r->connection->errstr, err);
        disconnect(r);
        return false;
    }
    struct timeval answer = {.tv_sec = COMMAND_S};
    if (redisSetTimeout(r->connection, answer) != REDIS_OK)
        return fail_connection(r, err);
    if (!c->redis_socket[0] && redisEnableKeepAlive(r->connection) != REDIS_OK)
        return fail_connection(r, err);
    if (authenticate(r, err))
        return true;
    disconnect(r);
    return false;
}

static void memory_read(struct memory *m, const char *mark)
{
    memset(m, 0, sizeof *m);
    if (sscanf(mark, "%47s %47s %47s %47s %47s", m->run_id, m->last[0], m->last[1], m->last[2],
               m->last[3]) == 1 + STREAMS)
        return;
    memset(m, 0, sizeof *m);
    for (int i = 0; i < STREAMS; i++)
        strcpy(m->last[i], "-");
}

static void memory_write(const struct memory *m, char mark[OUTPUT_MARK_SIZE])
{
    text_format(mark, OUTPUT_MARK_SIZE, "%s %s %s %s %s", m->run_id[0] ? m->run_id : "?",
                m->last[0], m->last[1], m->last[2], m->last[3]);
}

static char *stream_key(const struct redis *r, const char *stream, char out[128])
{
    return text_format(out, 128, "sightglass:{%s}:%s", r->config->site, stream);
}

/* The value of a "name:value" line of INFO. */
static void info_value(const char *info, const char *name, char *out, size_t capacity)
{
    out[0] = '\0';
    const char *at = strstr(info, name);
    if (at) {
        at += strlen(name);
        text_copy(out, capacity, (struct text){at, strcspn(at, "\r\n")});
    }
}

static bool read_run_id(struct redis *r, char out[RUN_ID_TEXT], struct error *err)
{
    const char *argv[] = {"INFO", "server"};
    redisReply *reply = command(r, 2, argv, err);
    text_format(out, RUN_ID_TEXT, "?");
    if (!reply)
        return r->is_denied;
    if (reply->type == REDIS_REPLY_STRING)
        info_value(reply->str, "run_id:", out, RUN_ID_TEXT);
    freeReplyObject(reply);
    return true;
}

/* "1700000000000-3" as numbers; false: not an id. */
static bool parse_id(const char *text, uint64_t *ms, uint64_t *n)
{
    return sscanf(text, "%" SCNu64 "-%" SCNu64, ms, n) == 2;
}

static bool is_before(const char *id, const char *other)
{
    uint64_t a, b, c, d;
    return parse_id(id, &a, &b) && parse_id(other, &c, &d) && (a < c || (a == c && b < d));
}

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_NONE };

/* No reply. A user who may only XADD cannot ask: then we trust the server. */
static enum answer no_reply(const struct redis *r)
{
    return r->is_denied ? ANSWER_YES : ANSWER_NONE;
}

/* The entry itself is there. */
static enum answer has_entry(struct redis *r, const char *key, const char *id, struct error *err)
{
    const char *argv[] = {"XRANGE", key, id, id};
    redisReply *reply = command(r, 4, argv, err);
    if (!reply)
        return no_reply(r);
    bool is_there = reply->type == REDIS_REPLY_ARRAY && reply->elements > 0;
    freeReplyObject(reply);
    return is_there ? ANSWER_YES : ANSWER_NO;
}

/* The stream has come at least as far as the entry. */
static enum answer has_passed(struct redis *r, const char *key, const char *id, struct error *err)
{
    const char *exists[] = {"EXISTS", key};
    redisReply *reply = command(r, 2, exists, err);
    if (!reply)
        return no_reply(r);
    bool is_there = reply->type == REDIS_REPLY_INTEGER && reply->integer > 0;
    freeReplyObject(reply);
    if (!is_there)
        return ANSWER_NO;

    const char *info[] = {"XINFO", "STREAM", key};
    enum answer answer = ANSWER_NO;
    reply = command(r, 3, info, err);
    if (!reply)
        return no_reply(r);
    for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i + 1 < reply->elements; i += 2) {
        const redisReply *name = reply->element[i], *value = reply->element[i + 1];
        if (name->type == REDIS_REPLY_STRING && value->type == REDIS_REPLY_STRING &&
            strcmp(name->str, "last-generated-id") == 0 && !is_before(value->str, id))
            answer = ANSWER_YES;
    }
    freeReplyObject(reply);
    return answer;
}

/* All streams still have what we gave them, as far as the server can tell. */
static enum answer remembers(struct redis *r, const struct memory *m, bool is_same_run,
                             struct error *err)
{
    for (int i = 0; i < STREAMS; i++) {
        char key[128];
        if (m->last[i][0] == '-')
            continue;
        stream_key(r, stream_names[i], key);
        enum answer answer =
            is_same_run ? has_passed(r, key, m->last[i], err) : has_entry(r, key, m->last[i], err);
        if (answer != ANSWER_YES)
            return answer;
    }
    return ANSWER_YES;
}

static enum output_state redis_check(void *state, char mark[OUTPUT_MARK_SIZE], struct error *err)
{
    struct redis *r = state;
    if (!connect_server(r, err))
        return OUTPUT_AWAY;

    struct memory m;
    char run_id[RUN_ID_TEXT];
    memory_read(&m, mark);
    if (!read_run_id(r, run_id, err))
        return OUTPUT_AWAY;
    enum answer answer = remembers(r, &m, strcmp(run_id, m.run_id) == 0, err);
    if (answer == ANSWER_NONE)
        return OUTPUT_AWAY;
    if (answer == ANSWER_NO)
        for (int i = 0; i < STREAMS; i++)
            strcpy(m.last[i], "-");
    memcpy(m.run_id, run_id, sizeof m.run_id);
    err->text[0] = '\0'; /* what was denied is no failure */
    memory_write(&m, mark);
    return answer == ANSWER_YES ? OUTPUT_READY : OUTPUT_EMPTY;
}

static int stream_index(const char *stream)
{
    for (int i = 0; i < STREAMS; i++)
        if (strcmp(stream_names[i], stream) == 0)
            return i;
    return -1;
}

static bool append(struct redis *r, const struct outgoing *message)
{
    char key[128], maxlen[16], revision[16], seq[24];
    stream_key(r, message->stream, key);
    snprintf(maxlen, sizeof maxlen, "%" PRIu32, r->config->redis_maxlen);
    snprintf(revision, sizeof revision, "%" PRIu32, message->revision);
    snprintf(seq, sizeof seq, "%" PRId64, message->seq);
    const char *argv[] = {"XADD",        key,  "MAXLEN",    "~",   maxlen,   "*",   "json",
                          message->json, "id", message->id, "rev", revision, "seq", seq};
    enum { ARGC = sizeof argv / sizeof *argv, JSON_AT = 7 };
    size_t sizes[ARGC];
    for (int i = 0; i < ARGC; i++)
        sizes[i] = i == JSON_AT ? message->json_size : strlen(argv[i]);
    return redisAppendCommandArgv(r->connection, ARGC, argv, sizes) == REDIS_OK;
}

static size_t redis_publish(void *state, const struct outgoing *messages, size_t count,
                            char mark[OUTPUT_MARK_SIZE], struct error *err)
{
    struct redis *r = state;
    struct memory m;
    size_t sent = 0, done = 0;
    bool is_refused = false;
    memory_read(&m, mark);

    while (sent < count && append(r, &messages[sent]))
        sent++;
    for (size_t i = 0; i < sent; i++) {
        void *answer;
        if (redisGetReply(r->connection, &answer) != REDIS_OK) {
            fail_connection(r, err);
            break;
        }
        redisReply *reply = answer;
        if (reply->type == REDIS_REPLY_ERROR && !is_refused) {
            fail(r, reply->str, err);
            is_refused = true; /* what comes behind is sent again, in order */
        }
        int stream = stream_index(messages[i].stream);
        if (reply->type == REDIS_REPLY_STRING && stream >= 0)
            text_copy(m.last[stream], sizeof m.last[stream], text_of(reply->str));
        if (!is_refused)
            done++;
        freeReplyObject(reply);
    }
    memory_write(&m, mark);
    if (done < count && done == sent && r->connection)
        fail(r, "out of memory", err);
    return done;
}

const struct output output_redis = {
    .name = "redis",
    .is_configured = redis_is_configured,
    .open = redis_open,
    .check = redis_check,
    .publish = redis_publish,
    .close = redis_close,
};
