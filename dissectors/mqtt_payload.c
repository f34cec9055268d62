/* mqtt_payload.c: commands and values in messages of MQTT.
 *
 * MQTT leaves topics and payloads to its users. What devices and gateways agree on: the last parts
 * of a topic say what it is for; the payload is a number, a word or an object in JSON (RFC 8259).
 * Objects are taken apart where they come from: what the broker passes on was seen before. */
#include "mqtt_payload.h"

#include <strings.h>

enum {
    DEPTH_MAX = 8, /* of JSON; deeper ones are no set-points */
    TEXT_MAX = 256,
    PATH_MAX_SIZE = 192,
    DIGITS_MAX = 18,   /* of a mantissa: fits in 64 bits */
    EXPONENT_MAX = 22, /* powers of ten that a double holds exactly */
};

/* --- topics --- */

/* Parts of topics that are commands to devices: set (Homie, Zigbee2MQTT, Shelly), cmnd (Tasmota),
 * command, desired and invoke (device shadows and twins of the clouds), ... */
static const struct text command_words[] = {
    {"set",         3 },
    {"cmd",         3 },
    {"cmnd",        4 },
    {"command",     7 },
    {"commands",    8 },
    {"control",     7 },
    {"ctrl",        4 },
    {"write",       5 },
    {"setpoint",    8 },
    {"sp",          2 },
    {"desired",     7 },
    {"invoke",      6 },
    {"devicebound", 11},
    {"rpc",         3 },
    {"action",      6 },
};
/* The device's answer to one. */
static const struct text answer_words[] = {
    {"response", 8},
    {"reply",    5},
    {"ack",      3},
    {"result",   6},
    {"accepted", 8},
    {"rejected", 8},
    {"reported", 8},
};
#define COUNT(list) (sizeof(list) / sizeof *(list))

static bool is_word_of(const struct text *words, size_t count, const char *at, size_t size)
{
    for (size_t i = 0; i < count; i++)
        if (words[i].size == size && (words[i].at[0] | 0x20) == (at[0] | 0x20) &&
            strncasecmp(at, words[i].at, size) == 0)
            return true;
    return false;
}

static bool is_separator(char c)
{
    return c == '/' || c == '_' || c == '-' || c == '.';
}

bool mqtt_is_command(struct text topic)
{
    struct sparkplug_topic t;
    if (topic.size == 0)
        return false;
    if (sparkplug_topic(topic, &t))
        return sparkplug_is_command(&t);
    size_t begin = 0;
    bool is_command = false;
    for (size_t i = 0; i <= topic.size; i++) {
        if (i < topic.size && !is_separator(topic.at[i]))
            continue;
        if (is_word_of(answer_words, COUNT(answer_words), topic.at + begin, i - begin))
            return false;
        is_command = is_command ||
                     is_word_of(command_words, COUNT(command_words), topic.at + begin, i - begin);
        begin = i + 1;
    }
    return is_command;
}

/* --- values --- */

struct ot_item *mqtt_item(struct mqtt_content *c, struct text name, const char *area)
{
    c->items_total++;
    if (c->item_count == MQTT_ITEMS_MAX)
        return NULL;
    struct ot_item *item = &c->items[c->item_count++];
    *item = (struct ot_item){.area = area, .name = name, .count = 1};
    return item;
}

/* A number by RFC 8259 6, also with a leading plus. False: it is something else. */
static bool parse_number(struct text text, double *number)
{
    static const double powers[EXPONENT_MAX + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const char *p = text.at, *end = text.at + text.size;
    bool is_negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    uint64_t mantissa = 0;
    int digits = 0, scale = 0, exponent = 0;
    bool has_point = false;
    for (; p < end && ((*p >= '0' && *p <= '9') || (*p == '.' && !has_point)); p++) {
        if (*p == '.') {
            has_point = true;
            continue;
        }
        if (++digits > DIGITS_MAX)
            return false;
        mantissa = mantissa * 10 + (uint64_t)(*p - '0');
        scale += has_point;
    }
    if (digits == 0)
        return false;
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        bool is_small = p < end && *p == '-';
        if (p < end && (*p == '-' || *p == '+'))
            p++;
        if (p == end)
            return false;
        for (; p < end && *p >= '0' && *p <= '9' && exponent < 1000; p++)
            exponent = exponent * 10 + (*p - '0');
        exponent = is_small ? -exponent : exponent;
    }
    exponent -= scale;
    if (p != end || exponent > EXPONENT_MAX || exponent < -EXPONENT_MAX)
        return false;
    double value =
        exponent < 0 ? (double)mantissa / powers[-exponent] : (double)mantissa * powers[exponent];
    *number = is_negative ? -value : value;
    return true;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void put_text(struct ot_item *item, struct text text)
{
    item->type = "text";
    item->values = (struct ot_values){VALUES_TEXT, 1, (const uint8_t *)text.at, text.size};
}

static void put_number(struct dissect *d, struct ot_item *item, double number)
{
    uint64_t bits;
    uint8_t *bytes = arena_take(d->arena, sizeof bits);
    if (!bytes)
        return;
    memcpy(&bits, &number, sizeof bits);
    for (unsigned i = 0; i < sizeof bits; i++)
        bytes[i] = (uint8_t)(bits >> 8 * i);
    item->type = "number";
    item->values = (struct ot_values){VALUES_F64LE, 1, bytes, sizeof bits};
}

static void put_boolean(struct dissect *d, struct ot_item *item, bool value)
{
    uint8_t *bits = arena_take(d->arena, 1);
    if (!bits)
        return;
    *bits = value;
    item->type = "boolean";
    item->values = (struct ot_values){VALUES_BITS, 1, bits, 1};
}

static bool is_text(struct text text)
{
    for (size_t i = 0; i < text.size; i++)
        if ((uint8_t)text.at[i] < ' ' && !is_space(text.at[i]))
            return false;
    return true;
}

static void put_plain(struct dissect *d, struct ot_item *item, struct text value)
{
    double number;
    if (value.size == 0)
        return;
    if (parse_number(value, &number))
        put_number(d, item, number);
    else if (text_equal(value, TEXT("true")) || text_equal(value, TEXT("false")))
        put_boolean(d, item, value.at[0] == 't');
    else if (value.size <= TEXT_MAX && is_text(value))
        put_text(item, value);
    else
        item->values = (struct ot_values){VALUES_BYTES, 1, (const uint8_t *)value.at, value.size};
}

/* --- JSON --- */

struct json {
    struct dissect *d;
    struct mqtt_content *c;
    const char *at, *end;
    struct text topic;
    char path[PATH_MAX_SIZE];
    size_t path_size;
    bool is_wrong;
};

static void skip_space(struct json *j)
{
    while (j->at < j->end && is_space(*j->at))
        j->at++;
}

static bool take(struct json *j, char c)
{
    skip_space(j);
    if (j->at == j->end || *j->at != c)
        return false;
    j->at++;
    return true;
}

/* The inside of a string, escapes as they are. */
static struct text json_string(struct json *j)
{
    struct text s = {j->at, 0};
    while (j->at < j->end && *j->at != '"')
        j->at += *j->at == '\\' && j->end - j->at > 1 ? 2 : 1;
    s.size = (size_t)(j->at - s.at);
    if (!take(j, '"'))
        j->is_wrong = true;
    return s;
}

static void push(struct json *j, struct text part)
{
    if (j->path_size + part.size + 1 > sizeof j->path)
        return;
    j->path[j->path_size++] = '.';
    if (part.size) /* none: the arena had no room for it */
        memcpy(j->path + j->path_size, part.at, part.size);
    j->path_size += part.size;
}

/* Names of what differs in each message and is no value. */
static bool is_stamp_name(struct text name)
{
    static const struct text names[] = {
        {"ts",            2 },
        {"time",          4 },
        {"timestamp",     9 },
        {"t",             1 },
        {"date",          4 },
        {"datetime",      8 },
        {"seq",           3 },
        {"sequence",      8 },
        {"id",            2 },
        {"msgid",         5 },
        {"messageid",     9 },
        {"message_id",    10},
        {"requestid",     9 },
        {"request_id",    10},
        {"nonce",         5 },
        {"counter",       7 },
        {"cid",           3 },
        {"correlationid", 13},
        {"expires",       7 },
        {"ttl",           3 },
    };
    return is_word_of(names, COUNT(names), name.at, name.size);
}

/* Seconds, milliseconds, microseconds or nanoseconds since 1970, of 2001 to 2096. */
static bool is_stamp(double number)
{
    for (double unit = 1; unit < 1e10; unit *= 1000)
        if (number >= 1e9 * unit && number <= 4e9 * unit)
            return true;
    return false;
}

static void json_leaf(struct json *j, struct text key, struct text value, bool is_string)
{
    size_t size = j->topic.size + j->path_size;
    char *name = arena_take(j->d->arena, size);
    if (!name || value.size > TEXT_MAX)
        return;
    if (j->topic.size) /* none: an alias that is not known */
        memcpy(name, j->topic.at, j->topic.size);
    if (j->path_size)
        memcpy(name + j->topic.size, j->path, j->path_size);
    struct ot_item *item = mqtt_item(j->c, (struct text){name, size}, "topic");
    if (!item)
        return;
    double number;
    bool is_number = !is_string && parse_number(value, &number);
    if (is_string || (is_number && (is_stamp_name(key) || is_stamp(number))))
        put_text(item, value);
    else
        put_plain(j->d, item, value);
}

static void json_value(struct json *j, struct text key, unsigned depth);

/* Members of an object, elements of an array. */
static void json_members(struct json *j, char close, unsigned depth)
{
    if (take(j, close))
        return;
    for (unsigned i = 0; !j->is_wrong; i++) {
        size_t path_size = j->path_size;
        struct text key;
        if (close == '}') {
            if (!take(j, '"')) {
                j->is_wrong = true;
                return;
            }
            key = json_string(j);
            if (!take(j, ':'))
                j->is_wrong = true;
        } else {
            key = dissect_text(j->d, "%u", i);
        }
        push(j, key);
        if (!j->is_wrong)
            json_value(j, key, depth);
        j->path_size = path_size;
        if (take(j, close))
            return;
        if (!take(j, ','))
            j->is_wrong = true;
    }
}

static void json_value(struct json *j, struct text key, unsigned depth)
{
    if (depth == DEPTH_MAX) {
        j->is_wrong = true;
        return;
    }
    if (take(j, '{')) {
        json_members(j, '}', depth + 1);
    } else if (take(j, '[')) {
        json_members(j, ']', depth + 1);
    } else if (take(j, '"')) {
        struct text s = json_string(j);
        if (!j->is_wrong)
            json_leaf(j, key, s, true);
    } else {
        skip_space(j);
        struct text word = {j->at, 0};
        while (j->at < j->end && !is_space(*j->at) && *j->at != ',' && *j->at != '}' &&
               *j->at != ']')
            j->at++;
        word.size = (size_t)(j->at - word.at);
        if (word.size == 0)
            j->is_wrong = true;
        else if (!text_equal(word, TEXT("null")))
            json_leaf(j, key, word, false);
    }
}

/* False: it is no JSON, or has no values. */
static bool read_json(struct dissect *d, struct text topic, struct text payload,
                      struct mqtt_content *c)
{
    if (payload.size == 0 || (payload.at[0] != '{' && payload.at[0] != '['))
        return false;
    struct json j = {
        .d = d, .c = c, .at = payload.at, .end = payload.at + payload.size, .topic = topic};
    json_value(&j, (struct text){NULL, 0}, 0);
    skip_space(&j);
    if (!j.is_wrong && j.at == j.end && c->item_count > 0)
        return true;
    c->item_count = c->items_total = 0;
    return false;
}

static struct text trimmed(struct reader payload)
{
    struct text t = {(const char *)payload.at, reader_left(&payload)};
    while (t.size && is_space(t.at[0])) {
        t.at++;
        t.size--;
    }
    while (t.size && is_space(t.at[t.size - 1]))
        t.size--;
    return t;
}

void mqtt_read_payload(struct dissect *d, struct text topic, struct reader payload, bool is_command,
                       struct mqtt_content *c)
{
    c->item_count = c->items_total = c->fact_count = 0;
    c->operation = is_command ? OP_WRITE : OP_PUBLISH;
    c->unit = (struct text){NULL, 0};
    c->edge = 0;
    c->has_sequence = c->is_birth = false;
    if (sparkplug_read(d, topic, payload, is_command, c))
        return;
    struct text value = trimmed(payload);
    if (d->is_from_client && read_json(d, topic, value, c))
        return;
    struct ot_item *item = mqtt_item(c, topic, "topic");
    put_plain(d, item, value);
}
