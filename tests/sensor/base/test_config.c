/* test_config.c: the configuration file, and the example that documents it. */
#include "sensor/base/config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

static const char example[] = TEST_SOURCE_DIR "/sightglass.yaml.example";

START_TEST(example_says_the_defaults)
{
    struct config defaults, read;
    struct error err = {""};
    config_defaults(&defaults);
    memset(&read, 0, sizeof read); /* so that a key the example leaves out shows */
    ck_assert_msg(config_read(&read, example, &err), "%s", err.text);
    ck_assert_mem_eq(&read, &defaults, sizeof read);
    config_release(&read);
    config_release(&defaults);
}
END_TEST

/* The value's node for a full key name, or NULL. */
static const yaml_node_t *find(yaml_document_t *document, const char *name)
{
    const yaml_node_t *node = yaml_document_get_root_node(document);
    while (node && *name) {
        size_t size = strcspn(name, ".");
        const yaml_node_t *next = NULL;
        if (node->type != YAML_MAPPING_NODE)
            return NULL;
        for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top;
             p++) {
            const yaml_node_t *key = yaml_document_get_node(document, p->key);
            if (key->data.scalar.length == size && memcmp(key->data.scalar.value, name, size) == 0)
                next = yaml_document_get_node(document, p->value);
        }
        node = next;
        name += size + (name[size] == '.');
    }
    return node;
}

START_TEST(example_has_every_key)
{
    yaml_parser_t parser;
    yaml_document_t document;
    FILE *file = fopen(example, "rb");
    ck_assert_ptr_nonnull(file);
    yaml_parser_initialize(&parser);
    yaml_parser_set_input_file(&parser, file);
    ck_assert(yaml_parser_load(&parser, &document));
    for (size_t i = 0; config_key_name(i); i++)
        ck_assert_msg(find(&document, config_key_name(i)), "%s is not in the example",
                      config_key_name(i));
    yaml_document_delete(&document);
    yaml_parser_delete(&parser);
    fclose(file);
}
END_TEST

START_TEST(defaults_are_those_of_the_header)
{
    struct config c;
    config_defaults(&c);
    ck_assert_str_eq(c.sensor, "sightglass");
    ck_assert_str_eq(c.site, "plant");
    ck_assert_str_eq(c.listen, "127.0.0.1:8470");
    ck_assert_int_eq(c.mode, MODE_AUTO);
    ck_assert_uint_eq(c.flows_max, 65536);
    ck_assert_uint_eq(c.redis_maxlen, 100000);
    ck_assert_uint_eq(c.outbox_hours, 168);
    ck_assert_double_eq(c.loss_percent, 1.0);
    ck_assert_uint_eq(c.interfaces.count, 0);
    config_release(&c);
}
END_TEST

START_TEST(values_are_read)
{
    static const char text[] = "sensor: {name: line4, user: \"\"}\n"
                               "capture:\n"
                               "  interfaces: [eth1, eth2]\n"
                               "  filter: not port 22\n"
                               "  segment_by_vlan: true\n"
                               "baseline:\n"
                               "  mode: detect\n"
                               "  engineering_stations: 10.0.0.5\n"
                               "health:\n"
                               "  loss_percent: 0.25\n"
                               "outputs:\n"
                               "  redis: {host: redis.example, port: 6380, password: 'a: b'}\n"
                               "  jsonl:\n";
    struct config c;
    struct error err = {""};
    config_defaults(&c);
    ck_assert_msg(config_parse(&c, text, sizeof text - 1, "test.yaml", &err), "%s", err.text);
    ck_assert_str_eq(c.sensor, "line4");
    ck_assert_str_eq(c.user, "");
    ck_assert_uint_eq(c.interfaces.count, 2);
    ck_assert_str_eq(c.interfaces.items[1], "eth2");
    ck_assert_str_eq(c.filter, "not port 22");
    ck_assert(c.segment_by_vlan && !c.segment_by_interface);
    ck_assert_int_eq(c.mode, MODE_DETECT);
    ck_assert_uint_eq(c.engineering_stations.count, 1);
    ck_assert_double_eq(c.loss_percent, 0.25);
    ck_assert_uint_eq(c.redis_port, 6380);
    ck_assert_str_eq(c.redis_password, "a: b");
    ck_assert_str_eq(c.site, "plant");
    config_release(&c);
}
END_TEST

static const struct {
    const char *what, *text, *error;
} faults[] = {
    {"unknown key",                 "capture:\n  filtr: tcp\n",                             "t.yaml:2: unknown key `capture.filtr`"                         },
    {"unknown section",             "sensor:\n  name: a\nplcs: p.yaml\n",                   "t.yaml:3: unknown key `plcs`"                                  },
    {"a key where a section is",    "outputs:\n  redis: yes\n",
     "t.yaml:2: section `outputs.redis` must hold keys with values"                                                                                         },
    {"a key of the section above",  "name: a\n",                                            "t.yaml:1: unknown key `name`"                                  },
    {"not a boolean",               "capture:\n\n  segment_by_vlan: 1\n",
     "t.yaml:3: key `capture.segment_by_vlan` must be true or false"                                                                                        },
    {"not a number",                "limits: {flows: many}\n",
     "t.yaml:1: key `limits.flows` must be a whole number"                                                                                                  },
    {"a negative number",           "limits: {flows: -1}\n",
     "t.yaml:1: key `limits.flows` must be a whole number"                                                                                                  },
    {"an empty number",             "limits: {flows: }\n",
     "t.yaml:1: key `limits.flows` must be a whole number"                                                                                                  },
    {"a fraction",                  "limits: {flows: 64.5}\n",
     "t.yaml:1: key `limits.flows` must be a whole number"                                                                                                  },
    {"too small",                   "limits: {flows: 63}\n",
     "t.yaml:1: key `limits.flows` is out of range: 64 to 16777216"                                                                                         },
    {"too large",                   "outputs: {redis: {port: 65536}}\n",
     "t.yaml:1: key `outputs.redis.port` is out of range: 1 to 65535"                                                                                       },
    {"more than 100 percent",       "health: {loss_percent: 100.5}\n",
     "t.yaml:1: key `health.loss_percent` is out of range: 0 to 100"                                                                                        },
    {"unknown mode",                "baseline: {mode: observe}\n",
     "t.yaml:1: key `baseline.mode` must be auto, learn or detect"                                                                                          },
    {"a list for a value",          "sensor: {name: [a]}\n",
     "t.yaml:1: key `sensor.name` must be a plain value"                                                                                                    },
    {"a mapping for a list",        "capture: {interfaces: {a: b}}\n",
     "t.yaml:1: key `capture.interfaces` must be a list"                                                                                                    },
    {"a list in a list",            "capture:\n  interfaces:\n    - a\n    - [b]\n",
     "t.yaml:4: key `capture.interfaces` must be a list of plain values"                                                                                    },
    {"not an address",              "baseline:\n  engineering_stations: [10.0.0.1, plc]\n",
     "t.yaml:2: key `baseline.engineering_stations` has an item that is not an IP address"                                                                  },
    {"given twice",                 "sensor:\n  name: a\n  name: b\n",
     "t.yaml:3: key `sensor.name` is given twice"                                                                                                           },
    {"too long",
     "sensor: {name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}\n",  "t.yaml:1: key `sensor.name` is too long"                       },
    {"a line break in a value",     "sensor: {name: \"a\\nb\"}\n",
     "t.yaml:1: key `sensor.name` has a control character in it"                                                                                            },
    {"not a mapping",               "- a\n",                                                "t.yaml:1: the file must hold sections (sensor:, capture:, ...)"},
    {"two documents",               "sensor: {name: a}\n---\nsensor: {name: b}\n",
     "t.yaml:3: a second document: there must be one only"                                                                                                  },
    {"a section that holds itself", "sensor: &s\n  name: a\n  sensor: *s\n",
     "t.yaml:3: unknown key `sensor.sensor`"                                                                                                                },
};

START_TEST(faults_name_line_and_key)
{
    struct config c;
    struct error err = {""};
    config_defaults(&c);
    ck_assert_msg(!config_parse(&c, faults[_i].text, strlen(faults[_i].text), "t.yaml", &err),
                  "%s: accepted", faults[_i].what);
    ck_assert_msg(strcmp(err.text, faults[_i].error) == 0, "%s: \"%s\"", faults[_i].what, err.text);
    config_release(&c);
}
END_TEST

START_TEST(broken_yaml_names_the_line)
{
    static const char text[] = "sensor:\n  name: [a\n";
    struct config c;
    struct error err = {""};
    config_defaults(&c);
    ck_assert(!config_parse(&c, text, sizeof text - 1, "t.yaml", &err));
    ck_assert_msg(strncmp(err.text, "t.yaml:3: not valid YAML: ", 26) == 0, "%s", err.text);
    config_release(&c);
}
END_TEST

START_TEST(empty_file_keeps_the_defaults)
{
    struct config defaults, c;
    struct error err = {""};
    config_defaults(&defaults);
    config_defaults(&c);
    ck_assert(config_parse(&c, "# nothing\n", 10, "t.yaml", &err));
    ck_assert_mem_eq(&c, &defaults, sizeof c);
}
END_TEST

START_TEST(missing_file_is_named)
{
    struct config c;
    struct error err = {""};
    config_defaults(&c);
    ck_assert(!config_read(&c, "/nonexistent/sightglass.yaml", &err));
    ck_assert_str_eq(
        err.text,
        "cannot open configuration /nonexistent/sightglass.yaml: No such file or directory");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("config");
    TCase *cases = tcase_create("config");
    tcase_add_test(cases, example_says_the_defaults);
    tcase_add_test(cases, example_has_every_key);
    tcase_add_test(cases, defaults_are_those_of_the_header);
    tcase_add_test(cases, values_are_read);
    tcase_add_loop_test(cases, faults_name_line_and_key, 0, (int)(sizeof faults / sizeof *faults));
    tcase_add_test(cases, broken_yaml_names_the_line);
    tcase_add_test(cases, empty_file_keeps_the_defaults);
    tcase_add_test(cases, missing_file_is_named);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
