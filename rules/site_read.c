/* site_read.c: a policy file as a whole. */
#include "rules/site_sections.h"

#include "sensor/base/hash.h"
#include "sensor/base/yaml_end.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct site_field policy_fields[] = {
    {"hosts",                site_read_names,    0,                    false                                     },
    {"zones",                site_read_zones,    0,                    false                                     },
    {"conduits",             site_read_conduits, 0,                    false                                     },
    {"engineering_stations", site_read_hosts,    offsetof(struct site, engineering),                               false},
    {"safety_assets",                      site_read_safety_list,                          0,    false                   },
    {"critical_assets",                      site_read_hosts,                        offsetof(struct site,        critical),false},
    {"internet",                 site_read_internet,                                   0,                                              false                                                                  },
    {"remote_access",                 site_read_remote_list,                                   0,false},
    {"data_access",                 site_read_data_list,                                   0,                                                false                                                                                                                        },
    {"windows",                 site_read_windows,                                   0,false},
};

/* The policy itself, or the value of `policy` in a configuration. */
static const yaml_node_t *policy_node(yaml_document_t *document, const yaml_node_t *root)
{
    if (root->type != YAML_MAPPING_NODE)
        return root;
    for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
         pair < root->data.mapping.pairs.top; pair++) {
        const yaml_node_t *name = yaml_document_get_node(document, pair->key);
        if (name->type == YAML_SCALAR_NODE &&
            strcmp((const char *)name->data.scalar.value, "policy") == 0)
            return yaml_document_get_node(document, pair->value);
    }
    return root;
}

static bool read_document(struct site_reader *r)
{
    const yaml_node_t *root = yaml_document_get_root_node(r->document);
    if (!root)
        return error_set(r->err, "%s:1: the policy is empty", r->file);
    root = policy_node(r->document, root);
    r->site->is_declared = true;
    if (!site_read_mapping(r, "", root, FIELDS(policy_fields), r->site))
        return false;
    return site_index(r->site, r->file, r->err);
}

static bool read_yaml(struct site *site, struct text text, const char *name, const char *zone,
                      struct error *err)
{
    yaml_parser_t parser;
    yaml_document_t document;
    if (!yaml_parser_initialize(&parser))
        return error_set(err, "%s:1: out of memory", name);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.at, text.size);
    bool ok = yaml_parser_load(&parser, &document) != 0;
    if (ok) {
        struct site_reader r = {site, &document, name, zone, err};
        size_t line;
        struct error why;
        ok = read_document(&r);
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

/* Policies that say the same have the same fingerprint: it is taken of what site_print writes. */
static bool take_fingerprint(struct site *site, struct error *err)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    if (!file)
        return error_set(err, "out of memory for the site policy");
    site_print(site, file);
    bool ok = fclose(file) == 0;
    if (ok)
        site->fingerprint = hash_stable(text, size);
    free(text);
    return ok || error_set(err, "out of memory for the site policy");
}

static struct site *finish(struct site *site, bool ok, struct error *err)
{
    if (ok && take_fingerprint(site, err))
        return site;
    site_release(site);
    return NULL;
}

struct site *site_parse(const char *text, size_t size, const char *name, const char *zone,
                        struct error *err)
{
    struct site *site = site_new(err);
    return site ? finish(site, read_yaml(site, (struct text){text, size}, name, zone, err), err)
                : NULL;
}

static char *read_whole(const char *path, size_t *size, struct error *err)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        error_set(err, "cannot open policy %s: %s", path, strerror(errno));
        return NULL;
    }
    char *text = malloc(SITE_FILE_MAX + 1);
    *size = text ? fread(text, 1, SITE_FILE_MAX + 1, file) : 0;
    bool is_read = text && !ferror(file);
    if (!is_read)
        error_set(err, "cannot read policy %s: %s", path, strerror(errno));
    else if (*size > SITE_FILE_MAX)
        error_set(err, "cannot read policy %s: larger than 1 MiB", path);
    fclose(file);
    if (is_read && *size <= SITE_FILE_MAX)
        return text;
    free(text);
    return NULL;
}

struct site *site_read(const char *path, const char *zone, struct error *err)
{
    size_t size;
    char *text = read_whole(path, &size, err);
    struct site *site = text ? site_parse(text, size, path, zone, err) : NULL;
    free(text);
    return site;
}

/* The stations that the configuration names count as if the policy did. */
static bool add_stations(struct site *site, const struct config_list *stations, struct error *err)
{
    struct site_hosts all = {.first = site->item_count, .is_given = true};
    for (size_t i = 0; i < site->engineering.count + stations->count; i++) {
        if (site->item_count == SITE_ITEMS_MAX)
            return error_set(err, "the site policy has more than %d hosts in all lists",
                             SITE_ITEMS_MAX);
        struct site_item *item = &site->items[site->item_count++];
        *item = (struct site_item){.kind = ITEM_SUBNET};
        if (i < site->engineering.count) {
            *item = site->items[site->engineering.first + i];
        } else if (site_parse_net(stations->items[i - site->engineering.count], &item->base,
                                  &item->bits)) {
            return error_set(err, "%s is no address of an engineering station",
                             stations->items[i - site->engineering.count]);
        }
        all.count++;
    }
    if (stations->count)
        site->engineering = all;
    return true;
}

struct site *site_create(const struct config *config, struct error *err)
{
    struct site *site;
    if (config->policy_text)
        site = site_parse(config->policy_text, config->policy_size, config->policy_name,
                          config->timezone, err);
    else if (config->policy_path[0])
        site = site_read(config->policy_path, config->timezone, err);
    else
        site = site_new(err);
    if (!site)
        return NULL;
    return finish(site, add_stations(site, &config->engineering_stations, err), err);
}
