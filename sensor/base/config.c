/* config.c: the configuration file. All keys are rows of one table: name, type, place, range,
 * default. */
#include "config.h"

#include "address.h"
#include "text.h"
#include "yaml_end.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FILE_SIZE_MAX = 1024 * 1024, /* a configuration is a few kilobytes */
    NAME_SIZE = 128,
};

enum type {
    TYPE_TEXT,
    TYPE_BOOL,
    TYPE_U16,
    TYPE_U32,
    TYPE_NUMBER,
    TYPE_MODE,
    TYPE_NAMES,
    TYPE_ADDRESSES,
    TYPE_FILE_OR_SECTION /* a file's name, or a mapping that others read */
};

struct key {
    const char *name;
    enum type type;
    size_t offset, size;
    double min, max; /* of numbers */
    const char *standard;
};

#define AT(field) offsetof(struct config, field), sizeof(((struct config *)0)->field)

static const struct key keys[] = {
    {"sensor.name",                   TYPE_TEXT,            AT(sensor),               0,   0,         "sightglass"         },
    {"sensor.site",                   TYPE_TEXT,            AT(site),                 0,   0,         "plant"              },
    {"sensor.state_dir",              TYPE_TEXT,            AT(state_dir),            0,   0,         "/var/lib/sightglass"},
    {"sensor.user",                   TYPE_TEXT,            AT(user),                 0,   0,         "sightglass"         },
    {"sensor.timezone",               TYPE_TEXT,            AT(timezone),             0,   0,         "UTC"                },
    {"capture.interfaces",            TYPE_NAMES,           AT(interfaces),           0,   0,         NULL                 },
    {"capture.filter",                TYPE_TEXT,            AT(filter),               0,   0,         ""                   },
    {"capture.snaplen",               TYPE_U32,             AT(snaplen),              64,  262144,    "65535"              },
    {"capture.ring_megabytes",        TYPE_U32,             AT(ring_megabytes),       1,   4096,      "64"                 },
    {"capture.workers",               TYPE_U32,             AT(workers),              1,   64,        "1"                  },
    {"capture.segment_by_interface",  TYPE_BOOL,            AT(segment_by_interface), 0,   0,         "false"              },
    {"capture.segment_by_vlan",       TYPE_BOOL,            AT(segment_by_vlan),      0,   0,         "false"              },
    {"capture.segment_by_tunnel",     TYPE_BOOL,            AT(segment_by_tunnel),    0,   0,         "false"              },
    {"baseline.mode",                 TYPE_MODE,            AT(mode),                 0,   0,         "auto"               },
    {"baseline.settle_minutes",       TYPE_U32,             AT(settle_minutes),       0,   525600,    "10"                 },
    {"baseline.engineering_stations", TYPE_ADDRESSES,       AT(engineering_stations), 0,   0,         NULL                 },
    {"indicators",                    TYPE_NAMES,           AT(indicators),           0,   0,         NULL                 },
    {"geoip",                         TYPE_NAMES,           AT(geoip),                0,   0,         NULL                 },
    {"rules.files",                   TYPE_NAMES,           AT(rule_files),           0,   0,         NULL                 },
    {"rules.disabled",                TYPE_NAMES,           AT(rules_disabled),       0,   0,         NULL                 },
    {"limits.flows",                  TYPE_U32,             AT(flows_max),            64,  16777216,  "65536"              },
    {"limits.conversations",          TYPE_U32,             AT(conversations_max),    64,  1048576,   "16384"              },
    {"limits.assets",                 TYPE_U32,             AT(assets_max),           64,  1048576,   "16384"              },
    {"limits.stream_megabytes",       TYPE_U32,             AT(memory_megabytes),     1,   4096,      "16"                 },
    {"health.no_traffic_seconds",     TYPE_U32,             AT(no_traffic_seconds),   0,   31536000,  "60"                 },
    {"health.loss_percent",           TYPE_NUMBER,          AT(loss_percent),         0,   100,       "1.0"                },
    {"outputs.redis.host",            TYPE_TEXT,            AT(redis_host),           0,   0,         ""                   },
    {"outputs.redis.port",            TYPE_U16,             AT(redis_port),           1,   65535,     "6379"               },
    {"outputs.redis.user",            TYPE_TEXT,            AT(redis_user),           0,   0,         ""                   },
    {"outputs.redis.password",        TYPE_TEXT,            AT(redis_password),       0,   0,         ""                   },
    {"outputs.redis.socket",          TYPE_TEXT,            AT(redis_socket),         0,   0,         ""                   },
    {"outputs.redis.maxlen",          TYPE_U32,             AT(redis_maxlen),         100, 100000000, "100000"             },
    {"outputs.jsonl.path",            TYPE_TEXT,            AT(jsonl_path),           0,   0,         ""                   },
    {"outputs.jsonl.megabytes",       TYPE_U32,             AT(jsonl_megabytes),      1,   100000,    "100"                },
    {"outputs.jsonl.keep",            TYPE_U32,             AT(jsonl_keep),           0,   1000,      "5"                  },
    {"retention.alert_days",          TYPE_U32,             AT(alert_days),           1,   36500,     "365"                },
    {"retention.evidence_megabytes",  TYPE_U32,             AT(evidence_megabytes),   1,   1000000,   "500"                },
    {"retention.history_days",        TYPE_U32,             AT(history_days),         1,   3650,      "30"                 },
    {"retention.history_megabytes",   TYPE_U32,             AT(history_megabytes),    0,   1000000,   "1000"               },
    {"retention.outbox_hours",        TYPE_U32,             AT(outbox_hours),         1,   8760,      "168"                },
    {"console.listen",                TYPE_TEXT,            AT(listen),               0,   0,         "127.0.0.1:8470"     },
    {"console.public_name",           TYPE_TEXT,            AT(public_name),          0,   0,         ""                   },
    {"policy",                        TYPE_FILE_OR_SECTION, AT(policy_path),          0,   0,         ""                   },
};

enum { KEY_COUNT = sizeof keys / sizeof *keys };

const char *config_key_name(size_t index)
{
    return index < KEY_COUNT ? keys[index].name : NULL;
}

/* ---- values: each setter says what is wrong with a text, or NULL ---- */

static const char *set_text(const struct key *key, void *at, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return "has a control character in it";
    if (size >= key->size)
        return "is too long";
    memset(at, 0, key->size);
    memcpy(at, text, size);
    return NULL;
}

static const char *set_bool(void *at, const char *text)
{
    bool is_true = strcmp(text, "true") == 0;
    if (!is_true && strcmp(text, "false") != 0)
        return "must be true or false";
    *(bool *)at = is_true;
    return NULL;
}

static const char *const mode_names[] = {
    [MODE_AUTO] = "auto", [MODE_LEARN] = "learn", [MODE_DETECT] = "detect"};

static const char *set_mode(void *at, const char *text)
{
    for (size_t i = 0; i < sizeof mode_names / sizeof *mode_names; i++) {
        if (strcmp(text, mode_names[i]) == 0) {
            *(enum baseline_mode *)at = (enum baseline_mode)i;
            return NULL;
        }
    }
    return "must be auto, learn or detect";
}

static const char *set_number(const struct key *key, void *at, const char *text)
{
    bool is_whole = key->type != TYPE_NUMBER;
    size_t digits = strspn(text, is_whole ? "0123456789" : "0123456789.");
    char *end;
    double value = strtod(text, &end);
    if (digits == 0 || text[digits] != '\0' || *end != '\0')
        return is_whole ? "must be a whole number" : "must be a number";
    if (value < key->min || value > key->max)
        return "is out of range";
    if (key->type == TYPE_NUMBER)
        *(double *)at = value;
    else if (key->type == TYPE_U16)
        *(uint16_t *)at = (uint16_t)value;
    else
        *(uint32_t *)at = (uint32_t)value;
    return NULL;
}

static const char *add_item(const struct key *key, struct config_list *list, const char *text)
{
    struct address address;
    if (list->count == CONFIG_LIST_MAX)
        return "has more than 64 items";
    if (text[0] == '\0')
        return "has an empty item";
    if (key->type == TYPE_ADDRESSES && !address_parse(&address, text))
        return "has an item that is not an IP address";
    char *copy = strdup(text);
    if (!copy)
        return "does not fit into memory";
    list->items[list->count++] = copy;
    return NULL;
}

static void list_clear(struct config_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    list->count = 0;
}

static bool is_list(const struct key *key)
{
    return key->type == TYPE_NAMES || key->type == TYPE_ADDRESSES;
}

static const char *set_scalar(struct config *config, const struct key *key, const char *text,
                              size_t size)
{
    void *at = (char *)config + key->offset;
    if (strlen(text) != size)
        return "has a zero byte in it";
    switch (key->type) {
    case TYPE_TEXT:
    case TYPE_FILE_OR_SECTION:
        return set_text(key, at, text, size);
    case TYPE_BOOL:
        return set_bool(at, text);
    case TYPE_MODE:
        return set_mode(at, text);
    case TYPE_U16:
    case TYPE_U32:
    case TYPE_NUMBER:
        return set_number(key, at, text);
    case TYPE_NAMES:
    case TYPE_ADDRESSES:
        list_clear(at);
        return add_item(key, at, text);
    }
    return NULL;
}

static void print_list(const struct config_list *list, FILE *out)
{
    for (size_t i = 0; i < list->count; i++)
        fprintf(out, "%s%s", i ? ", " : "", list->items[i]);
}

static void print_value(const struct key *key, const void *at, FILE *out)
{
    switch (key->type) {
    case TYPE_TEXT:
    case TYPE_FILE_OR_SECTION:
        fputs(strstr(key->name, "password") && *(const char *)at ? "***" : (const char *)at, out);
        break;
    case TYPE_BOOL:
        fputs(*(const bool *)at ? "true" : "false", out);
        break;
    case TYPE_MODE:
        fputs(mode_names[*(const enum baseline_mode *)at], out);
        break;
    case TYPE_U16:
        fprintf(out, "%u", *(const uint16_t *)at);
        break;
    case TYPE_U32:
        fprintf(out, "%u", *(const uint32_t *)at);
        break;
    case TYPE_NUMBER:
        fprintf(out, "%g", *(const double *)at);
        break;
    case TYPE_NAMES:
    case TYPE_ADDRESSES:
        print_list(at, out);
        break;
    }
}

void config_print(const struct config *config, FILE *out)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (keys[i].type == TYPE_FILE_OR_SECTION)
            continue;
        fprintf(out, "%s: ", keys[i].name);
        print_value(&keys[i], (const char *)config + keys[i].offset, out);
        fputc('\n', out);
    }
}

void config_defaults(struct config *config)
{
    memset(config, 0, sizeof *config);
    for (size_t i = 0; i < KEY_COUNT; i++) {
        const struct key *key = &keys[i];
        const char *fault =
            key->standard ? set_scalar(config, key, key->standard, strlen(key->standard)) : NULL;
        assert(!fault);
    }
}

void config_release(struct config *config)
{
    list_clear(&config->interfaces);
    list_clear(&config->engineering_stations);
    list_clear(&config->indicators);
    list_clear(&config->geoip);
    free(config->policy_text);
    config->policy_text = NULL;
    config->policy_size = 0;
    list_clear(&config->rule_files);
    list_clear(&config->rules_disabled);
}

/* ---- the file ---- */

struct walk {
    struct config *config;
    yaml_document_t *document;
    const char *file;
    struct text text; /* of the file */
    struct error *err;
    bool seen[KEY_COUNT];
};

static bool fail_at(const struct walk *w, const yaml_node_t *node, const char *what,
                    const char *name, const char *why)
{
    return error_set(w->err, "%s:%zu: %s `%s`%s%s", w->file, node->start_mark.line + 1, what, name,
                     *why ? " " : "", why);
}

static bool set_list(struct walk *w, const struct key *key, const yaml_node_t *node)
{
    struct config_list *list = (struct config_list *)(void *)((char *)w->config + key->offset);
    list_clear(list);
    for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top;
         i++) {
        const yaml_node_t *item = yaml_document_get_node(w->document, *i);
        if (item->type != YAML_SCALAR_NODE)
            return fail_at(w, item, "key", key->name, "must be a list of plain values");
        const char *text = (const char *)item->data.scalar.value;
        const char *fault = strlen(text) == item->data.scalar.length ? add_item(key, list, text)
                                                                     : "has a zero byte in it";
        if (fault)
            return fail_at(w, item, "key", key->name, fault);
    }
    return true;
}

/* Its keys are not ours: the reader of the policy gets the whole file, so that its messages name
 * the right lines. */
static bool keep_section(struct walk *w, const struct key *key, const yaml_node_t *node)
{
    struct config *c = w->config;
    free(c->policy_text);
    c->policy_size = 0;
    c->policy_path[0] = '\0';
    c->policy_text = malloc(w->text.size + 1);
    if (!c->policy_text)
        return fail_at(w, node, "key", key->name, "does not fit into memory");
    memcpy(c->policy_text, w->text.at, w->text.size);
    c->policy_text[w->text.size] = '\0';
    c->policy_size = w->text.size;
    text_copy(c->policy_name, sizeof c->policy_name, text_of(w->file));
    return true;
}

static bool set_key(struct walk *w, const struct key *key, const yaml_node_t *node)
{
    if (w->seen[key - keys])
        return fail_at(w, node, "key", key->name, "is given twice");
    w->seen[key - keys] = true;
    if (is_list(key) && node->type == YAML_SEQUENCE_NODE)
        return set_list(w, key, node);
    if (key->type == TYPE_FILE_OR_SECTION && node->type == YAML_MAPPING_NODE)
        return keep_section(w, key, node);
    if (node->type != YAML_SCALAR_NODE)
        return fail_at(w, node, "key", key->name,
                       is_list(key) ? "must be a list" : "must be a plain value");
    const char *fault =
        set_scalar(w->config, key, (const char *)node->data.scalar.value, node->data.scalar.length);
    if (!fault)
        return true;
    char why[160];
    if (strcmp(fault, "is out of range") == 0)
        snprintf(why, sizeof why, "is out of range: %.15g to %.15g", key->min, key->max);
    else
        snprintf(why, sizeof why, "%s", fault);
    return fail_at(w, node, "key", key->name, why);
}

static bool is_section(const char *name)
{
    size_t size = strlen(name);
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (strncmp(keys[i].name, name, size) == 0 && keys[i].name[size] == '.')
            return true;
    return false;
}

static const struct key *key_of(const char *name)
{
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}

/* Goes down only where sections are known, so no deeper than the table's names. */
static bool walk_section(struct walk *w, const yaml_node_t *node, const char *prefix)
{
    if (node->type == YAML_SCALAR_NODE && node->data.scalar.length == 0)
        return true; /* a section with all its keys commented out */
    if (node->type != YAML_MAPPING_NODE)
        return *prefix ? fail_at(w, node, "section", prefix, "must hold keys with values")
                       : error_set(w->err,
                                   "%s:%zu: the file must hold sections (sensor:, capture:, ...)",
                                   w->file, node->start_mark.line + 1);
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *name_node = yaml_document_get_node(w->document, pair->key);
        const yaml_node_t *value = yaml_document_get_node(w->document, pair->value);
        char name[NAME_SIZE] = "?";
        if (name_node->type == YAML_SCALAR_NODE)
            snprintf(name, sizeof name, "%s%s%s", prefix, *prefix ? "." : "",
                     (const char *)name_node->data.scalar.value);
        const struct key *key = key_of(name);
        bool ok = false;
        if (key)
            ok = set_key(w, key, value);
        else if (is_section(name))
            ok = walk_section(w, value, name);
        else
            ok = fail_at(w, name_node, "unknown key", name, "");
        if (!ok)
            return false;
    }
    return true;
}

bool config_parse(struct config *config, const char *text, size_t size, const char *name,
                  struct error *err)
{
    yaml_parser_t parser;
    yaml_document_t document;
    if (!yaml_parser_initialize(&parser))
        return error_set(err, "cannot read configuration %s: out of memory", name);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);

    bool ok = yaml_parser_load(&parser, &document) != 0;
    if (ok) {
        const yaml_node_t *root = yaml_document_get_root_node(&document);
        struct walk walk = {
            .config = config,
            .document = &document,
            .file = name,
            .text = {text, size},
            .err = err
        };
        size_t line;
        struct error why;
        ok = !root || walk_section(&walk, root, "");
        if (ok && !yaml_is_over(&parser, &line, &why))
            ok = error_set(err, "%s:%zu: %s", name, line, why.text);
        yaml_document_delete(&document);
    } else {
        error_set(err, "%s:%zu: not valid YAML: %s", name, parser.problem_mark.line + 1,
                  parser.problem ? parser.problem : "unreadable");
    }
    yaml_parser_delete(&parser);
    return ok;
}

/* A file that the configuration names lies beside it, wherever the program was started. */
static bool place_policy(struct config *config, const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');
    char name[sizeof config->policy_path];
    if (config->policy_path[0] == '\0' || config->policy_path[0] == '/' || !slash)
        return true;
    int size =
        snprintf(name, sizeof name, "%.*s/%s", (int)(slash - path), path, config->policy_path);
    if (size < 0 || (size_t)size >= sizeof name)
        return error_set(err, "%s: key `policy` is too long together with the folder", path);
    memcpy(config->policy_path, name, (size_t)size + 1);
    return true;
}

bool config_read(struct config *config, const char *path, struct error *err)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return error_set(err, "cannot open configuration %s: %s", path, strerror(errno));
    char *text = malloc(FILE_SIZE_MAX + 1);
    bool ok = false;
    if (!text) {
        error_set(err, "cannot read configuration %s: out of memory", path);
        goto out;
    }
    size_t size = fread(text, 1, FILE_SIZE_MAX + 1, file);
    if (ferror(file))
        error_set(err, "cannot read configuration %s: %s", path, strerror(errno));
    else if (size > FILE_SIZE_MAX)
        error_set(err, "cannot read configuration %s: larger than 1 MiB", path);
    else
        ok = config_parse(config, text, size, path, err) && place_policy(config, path, err);
out:
    free(text);
    fclose(file);
    return ok;
}
