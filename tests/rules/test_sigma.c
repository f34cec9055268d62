/* test_sigma.c: Sigma rules: searches, modifiers and conditions of the specification (version 2.1),
 * errors, the index, and what a match says. */
#include "rules/sigma.h"

#include "sensor/base/text.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RULE_SIZE = 8192 };

/* --- a search against a sample --- */

static const struct row {
    const char *shows;
    const char *detection; /* indented by four spaces */
    const char *sample;    /* flow style */
    bool is_matching;
} rows[] = {
  /* general: values are case-insensitive */
    {"a value is compared without case",       "    s: {ot.operation: WRITE}\n    condition: s",
     "{ot.operation: write}",                                                                                                                                                               true },
    {"another value does not match",           "    s: {ot.operation: read}\n    condition: s",
     "{ot.operation: write}",                                                                                                                                                               false},
    {"an absent field does not match",         "    s: {ot.operation: read}\n    condition: s",
     "{ot.name: x}",                                                                                                                                                                        false},
    {"a number equals a number",               "    s: {ot.function: 16}\n    condition: s",                             "{ot.function: 16}",
     true                                                                                                                                                                                        },
    {"a number as text and in hexadecimal",    "    s: {ot.function: '0x10'}\n    condition: s",
     "{ot.function: 16}",                                                                                                                                                                   true },
    {"a number against a text",                "    s: {ot.unit: 1}\n    condition: s",                                  "{ot.unit: '1'}",                                                  true },
    {"an address",                             "    s: {source.ip: 10.0.0.5}\n    condition: s",                         "{source.ip: 10.0.0.5}",                                           true },
    {"an IPv6 address in another spelling",    "    s: {source.ip: 'FE80:0::1'}\n    condition: s",
     "{source.ip: 'fe80::1'}",                                                                                                                                                              true },
    {"a MAC address",                          "    s: {source.mac: '02:00:00:AB:00:01'}\n    condition: s",
     "{source.mac: '02:00:00:ab:00:01'}",                                                                                                                                                   true },
 /* wildcards */
    {"a star is any text",                     "    s: {ot.name: 'write_*_registers'}\n    condition: s",
     "{ot.name: write_multiple_registers}",                                                                                                                                                 true },
    {"a star may be nothing",                  "    s: {ot.name: 'write*'}\n    condition: s",                           "{ot.name: write}",
     true                                                                                                                                                                                        },
    {"a question mark is one character",       "    s: {ot.name: 'prog?.exe'}\n    condition: s",
     "{ot.name: progA.exe}",                                                                                                                                                                true },
    {"and not none",                           "    s: {ot.name: 'prog?.exe'}\n    condition: s",                        "{ot.name: prog.exe}",
     false                                                                                                                                                                                       },
    {"of more bytes, too",                     "    s: {ot.name: 'a?c'}\n    condition: s",                              "{ot.name: 'aäc'}",                                               true },
    {"two stars",                              "    s: {ot.name: '*ab*cd*'}\n    condition: s",                          "{ot.name: xxabyycdzz}",                                           true },
    {"stars go back",                          "    s: {ot.name: '*ab?d'}\n    condition: s",                            "{ot.name: abxabcd}",                                              true },
    {"stars in addresses",                     "    s: {source.ip: '10.0.*'}\n    condition: s",
     "{source.ip: 10.0.7.5}",                                                                                                                                                               true },
    {"stars in numbers",                       "    s: {source.port: '50*'}\n    condition: s",                          "{source.port: 502}",
     true                                                                                                                                                                                        },
    {"a star alone is anything that is there", "    s: {ot.name: '*'}\n    condition: s",
     "{ot.name: x}",                                                                                                                                                                        true },
    {"but not what is absent",                 "    s: {ot.name: '*'}\n    condition: s",                                "{ot.unit: x}",                                                    false},
 /* escapes: the five cases of the specification */
    {"a plain backslash",                      "    s: {ot.name: 'C:\\x'}\n    condition: s",                            "{ot.name: 'C:\\x'}",
     true                                                                                                                                                                                        },
    {"a double backslash is one",              "    s: {ot.name: 'C:\\\\x'}\n    condition: s",
     "{ot.name: 'C:\\x'}",                                                                                                                                                                  true },
    {"an escaped star is a star",              "    s: {ot.name: 'a\\*b'}\n    condition: s",                            "{ot.name: 'a*b'}",
     true                                                                                                                                                                                        },
    {"and nothing else",                       "    s: {ot.name: 'a\\*b'}\n    condition: s",                            "{ot.name: 'axb'}",                                                false},
    {"backslash and wildcard",                 "    s: {ot.name: 'a\\\\*'}\n    condition: s",                           "{ot.name: 'a\\bc'}",
     true                                                                                                                                                                                        },
    {"backslash and plain star",               "    s: {ot.name: 'a\\\\\\*'}\n    condition: s",
     "{ot.name: 'a\\*'}",                                                                                                                                                                   true },
    {"backslash and plain star only",          "    s: {ot.name: 'a\\\\\\*'}\n    condition: s",
     "{ot.name: 'a\\b'}",                                                                                                                                                                   false},
    {"four backslashes are two",               "    s: {ot.name: 'a\\\\\\\\'}\n    condition: s",
     "{ot.name: 'a\\\\'}",                                                                                                                                                                  true },
 /* lists and maps */
    {"a list of values is or",                 "    s: {ot.operation: [read, write]}\n    condition: s",
     "{ot.operation: write}",                                                                                                                                                               true },
    {"a map is and",                           "    s: {ot.operation: write, ot.unit: 1}\n    condition: s",
     "{ot.operation: write, ot.unit: 2}",                                                                                                                                                   false},
    {"a list of maps is or",
     "    s:\n      - {ot.operation: read}\n      - {ot.unit: 2}\n    condition: s",                                     "{ot.operation: write, ot.unit: 2}",                               true },
    {"none of a list of maps",
     "    s:\n      - {ot.operation: read}\n      - {ot.unit: 3}\n    condition: s",                                     "{ot.operation: write, ot.unit: 2}",                               false},
    {"keywords are looked for everywhere",     "    k: [nothing, PUMP]\n    condition: k",
     "{ot.items: [{name: Main.Pump1}], ot.operation: write}",                                                                                                                               true },
    {"no keyword",                             "    k: [nothing, valve]\n    condition: k",                              "{ot.items: [{name: Main.Pump1}]}",
     false                                                                                                                                                                                       },
    {"all keywords",                           "    k: {'|all': [main, pump]}\n    condition: k",
     "{ot.items: [{name: Main.Pump1}]}",                                                                                                                                                    true },
    {"not all keywords",                       "    k: {'|all': [main, valve]}\n    condition: k",
     "{ot.items: [{name: Main.Pump1}]}",                                                                                                                                                    false},
    {"keywords and maps in one list",
     "    k:\n      - valve\n      - {ot.unit: 1}\n    condition: k",                                                    "{ot.unit: 1}",                                                    true },
 /* null, '' and exists */
    {"null is absent",                         "    s: {ot.name: null}\n    condition: s",                               "{ot.unit: 1}",                                                    true },
    {"Null is null",                           "    s: {ot.name: Null}\n    condition: s",                               "{ot.unit: 1}",                                                    true },
    {"NULL is null",                           "    s: {ot.name: NULL}\n    condition: s",                               "{ot.unit: 1}",                                                    true },
    {"null is not there",                      "    s: {ot.name: null}\n    condition: s",                               "{ot.name: x}",                                                    false},
    {"a quoted null is a text",                "    s: {ot.name: 'null'}\n    condition: s",                             "{ot.name: null }",
     true                                                                                                                                                                                        },
    {"an empty text",                          "    s: {ot.name: ''}\n    condition: s",                                 "{ot.unit: 1}",                                                    true },
    {"an empty text is not any",               "    s: {ot.name: ''}\n    condition: s",                                 "{ot.name: x}",                                                    false},
    {"exists",                                 "    s: {ot.name|exists: true}\n    condition: s",                        "{ot.name: x}",                                                    true },
    {"exists, but does not",                   "    s: {ot.name|exists: true}\n    condition: s",                        "{ot.unit: 1}",
     false                                                                                                                                                                                       },
    {"must not exist",                         "    s: {ot.name|exists: false}\n    condition: s",                       "{ot.unit: 1}",                                                    true },
 /* modifiers */
    {"contains",                               "    s: {ot.name|contains: MULTI}\n    condition: s",
     "{ot.name: write_multiple_coils}",                                                                                                                                                     true },
    {"contains not",                           "    s: {ot.name|contains: single}\n    condition: s",
     "{ot.name: write_multiple_coils}",                                                                                                                                                     false},
    {"contains with a wildcard inside",        "    s: {ot.name|contains: 'te?mul'}\n    condition: s",
     "{ot.name: write_multiple_coils}",                                                                                                                                                     true },
    {"startswith",                             "    s: {ot.name|startswith: write}\n    condition: s",
     "{ot.name: write_multiple_coils}",                                                                                                                                                     true },
    {"startswith not",                         "    s: {ot.name|startswith: coils}\n    condition: s",
     "{ot.name: write_multiple_coils}",                                                                                                                                                     false},
    {"endswith",                               "    s: {ot.name|endswith: coils}\n    condition: s",
     "{ot.name: write_multiple_coils}",                                                                                                                                                     true },
    {"endswith not",                           "    s: {ot.name|endswith: write}\n    condition: s",
     "{ot.name: write_multiple_coils}",                                                                                                                                                     false},
    {"endswith of a longer text",              "    s: {ot.name|endswith: xcoils}\n    condition: s",
     "{ot.name: coils}",                                                                                                                                                                    false},
    {"all of the values",                      "    s: {ot.name|contains|all: [write, coils]}\n    condition: s",
     "{ot.name: write_multiple_coils}",                                                                                                                                                     true },
    {"not all of the values",                  "    s: {ot.name|contains|all: [write, single]}\n    condition: s",
     "{ot.name: write_multiple_coils}",                                                                                                                                                     false},
    {"cased",                                  "    s: {ot.name|cased: Write}\n    condition: s",                        "{ot.name: Write}",                                                true },
    {"cased differs",                          "    s: {ot.name|cased: Write}\n    condition: s",                        "{ot.name: write}",                                                false},
    {"contains, cased",                        "    s: {ot.name|contains|cased: OB}\n    condition: s",                  "{ot.name: xOBx}",
     true                                                                                                                                                                                        },
    {"contains, cased, differs",               "    s: {ot.name|contains|cased: OB}\n    condition: s",
     "{ot.name: xobx}",                                                                                                                                                                     false},
    {"neq",                                    "    s: {ot.operation|neq: read}\n    condition: s",                      "{ot.operation: write}",                                           true },
    {"neq not",                                "    s: {ot.operation|neq: write}\n    condition: s",                     "{ot.operation: write}",
     false                                                                                                                                                                                       },
    {"windash: the slash is a dash",
     "    s: {ot.detail|windash|contains: ' -all'}\n    condition: s",                                                   "{ot.detail: 'stop /all'}",
     true                                                                                                                                                                                        },
    {"windash: the en dash, too",              "    s: {ot.detail|windash|contains: ' /all'}\n    condition: s",
     "{ot.detail: 'stop –all'}",                                                                                                                                                          true },
    {"windash: an em dash for a dash",
     "    s: {ot.detail|contains|windash: '-all'}\n    condition: s",                                                    "{ot.detail: 'stop —all'}",
     true                                                                                                                                                                                        },
    {"windash: not any character",             "    s: {ot.detail|windash|contains: '-all'}\n    condition: s",
     "{ot.detail: 'stop +all'}",                                                                                                                                                            false},
    {"re finds anywhere, with case",           "    s: {ot.name|re: 'OB[0-9]+$'}\n    condition: s",
     "{ot.name: xxOB35}",                                                                                                                                                                   true },
    {"re is cased",                            "    s: {ot.name|re: 'OB[0-9]+$'}\n    condition: s",                     "{ot.name: ob35}",                                                 false},
    {"re|i",                                   "    s: {ot.name|re|i: 'OB[0-9]+$'}\n    condition: s",                   "{ot.name: ob35}",                                                 true },
    {"re: lines are not told apart",           "    s: {ot.detail|re: '^b'}\n    condition: s",
     "{ot.detail: \"a\\nb\"}",                                                                                                                                                              false},
    {"re|m",                                   "    s: {ot.detail|re|m: '^b'}\n    condition: s",                        "{ot.detail: \"a\\nb\"}",                                          true },
    {"re: a dot is no line end",               "    s: {ot.detail|re: 'a.b'}\n    condition: s",
     "{ot.detail: \"a\\nb\"}",                                                                                                                                                              false},
    {"re|s",                                   "    s: {ot.detail|re|s: 'a.b'}\n    condition: s",                       "{ot.detail: \"a\\nb\"}",                                          true },
    {"re of a number",                         "    s: {source.port|re: '^10[24]$'}\n    condition: s",
     "{source.port: 102}",                                                                                                                                                                  true },
    {"cidr",                                   "    s: {source.ip|cidr: 10.0.0.0/8}\n    condition: s",                  "{source.ip: 10.200.3.4}",
     true                                                                                                                                                                                        },
    {"cidr not",                               "    s: {source.ip|cidr: 10.0.0.0/8}\n    condition: s",                  "{source.ip: 11.0.0.1}",
     false                                                                                                                                                                                       },
    {"cidr off the byte",                      "    s: {source.ip|cidr: 172.16.0.0/12}\n    condition: s",
     "{source.ip: 172.31.255.255}",                                                                                                                                                         true },
    {"cidr off the byte, over",                "    s: {source.ip|cidr: 172.16.0.0/12}\n    condition: s",
     "{source.ip: 172.32.0.0}",                                                                                                                                                             false},
    {"cidr of everything",                     "    s: {source.ip|cidr: 0.0.0.0/0}\n    condition: s",
     "{source.ip: 1.2.3.4}",                                                                                                                                                                true },
    {"but not of the other family",            "    s: {source.ip|cidr: 0.0.0.0/0}\n    condition: s",
     "{source.ip: '::1'}",                                                                                                                                                                  false},
    {"cidr of IPv6",                           "    s: {source.ip|cidr: 'fe80::/10'}\n    condition: s",
     "{source.ip: 'febf::1'}",                                                                                                                                                              true },
    {"gt",                                     "    s: {ot.items.start|gt: 100}\n    condition: s",                      "{ot.items: [{start: 101}]}",                                      true },
    {"gt is not equal",                        "    s: {ot.items.start|gt: 100}\n    condition: s",
     "{ot.items: [{start: 100}]}",                                                                                                                                                          false},
    {"gte",                                    "    s: {ot.items.start|gte: 100}\n    condition: s",                     "{ot.items: [{start: 100}]}",
     true                                                                                                                                                                                        },
    {"gte below",                              "    s: {ot.items.start|gte: 100}\n    condition: s",                     "{ot.items: [{start: 99}]}",
     false                                                                                                                                                                                       },
    {"lt",                                     "    s: {ot.items.start|lt: 100}\n    condition: s",                      "{ot.items: [{start: 99}]}",                                       true },
    {"lt is not equal",                        "    s: {ot.items.start|lt: 100}\n    condition: s",
     "{ot.items: [{start: 100}]}",                                                                                                                                                          false},
    {"lte",                                    "    s: {ot.items.start|lte: 100}\n    condition: s",                     "{ot.items: [{start: 100}]}",
     true                                                                                                                                                                                        },
    {"lte above",                              "    s: {ot.items.start|lte: 100}\n    condition: s",
     "{ot.items: [{start: 101}]}",                                                                                                                                                          false},
    {"fractions",                              "    s: {ot.items.values|gt: 99.5}\n    condition: s",
     "{ot.items: [{values: [1, 99.6]}]}",                                                                                                                                                   true },
    {"negative",                               "    s: {ot.items.values|lt: -5}\n    condition: s",
     "{ot.items: [{values: [-6]}]}",                                                                                                                                                        true },
    {"a number in a text",                     "    s: {ot.code|gte: 10}\n    condition: s",                             "{ot.code: '16'}",                                                 true },
    {"fieldref",                               "    s: {source.ip|fieldref: destination.ip}\n    condition: s",
     "{source.ip: 10.0.0.1, destination.ip: 10.0.0.1}",                                                                                                                                     true },
    {"fieldref differs",                       "    s: {source.ip|fieldref: destination.ip}\n    condition: s",
     "{source.ip: 10.0.0.1, destination.ip: 10.0.0.2}",                                                                                                                                     false},
    {"fieldref and neq",                       "    s: {source.port|fieldref|neq: destination.port}\n    condition: s",
     "{source.port: 1, destination.port: 2}",                                                                                                                                               true },
 /* conditions */
    {"and",                                    "    a: {ot.unit: 1}\n    b: {ot.name: x}\n    condition: a and b",
     "{ot.unit: 1, ot.name: y}",                                                                                                                                                            false},
    {"or",                                     "    a: {ot.unit: 1}\n    b: {ot.name: x}\n    condition: a or b",
     "{ot.unit: 1, ot.name: y}",                                                                                                                                                            true },
    {"not",                                    "    a: {ot.unit: 1}\n    b: {ot.name: x}\n    condition: a and not b",
     "{ot.unit: 1, ot.name: y}",                                                                                                                                                            true },
    {"not not",                                "    a: {ot.unit: 1}\n    condition: not not a",                          "{ot.unit: 1}",                                                    true },
    {"and binds more than or",
     "    a: {ot.unit: 1}\n    b: {ot.name: x}\n    c: {ot.name: z}\n    condition: a or b and c",                       "{ot.unit: 1}",                                                    true },
    {"brackets bind most",
     "    a: {ot.unit: 1}\n    b: {ot.name: x}\n    c: {ot.name: z}\n    condition: (a or b) and c",                     "{ot.unit: 1}",                                                    false},
    {"not binds more than and",
     "    a: {ot.unit: 1}\n    b: {ot.name: x}\n    condition: not a and b",                                             "{ot.name: x}",                                                    true },
    {"1 of them",                              "    a: {ot.unit: 1}\n    b: {ot.name: x}\n    condition: 1 of them",
     "{ot.name: x}",                                                                                                                                                                        true },
    {"1 of them leaves out _names",
     "    a: {ot.unit: 1}\n    _b: {ot.name: x}\n    condition: 1 of them",                                              "{ot.name: x}",                                                    false},
    {"all of them",                            "    a: {ot.unit: 1}\n    b: {ot.name: x}\n    condition: all of them",
     "{ot.name: x}",                                                                                                                                                                        false},
    {"all of them, all there",
     "    a: {ot.unit: 1}\n    b: {ot.name: x}\n    condition: all of them",                                             "{ot.name: x, ot.unit: 1}",                                        true },
    {"1 of sel*",
     "    sel_a: {ot.unit: 1}\n    sel_b: {ot.name: x}\n    other: {ot.name: y}\n"
     "    condition: 1 of sel*",                                                                                         "{ot.name: y}",                                                    false},
    {"all of sel*",
     "    sel_a: {ot.unit: 1}\n    sel_b: {ot.name: x}\n    other: {ot.name: y}\n"
     "    condition: all of sel*",                                                                                       "{ot.name: x, ot.unit: 1}",                                        true },
    {"a star inside a name",
     "    sel_a_x: {ot.unit: 1}\n    sel_b_y: {ot.unit: 2}\n    condition: 1 of sel*y",                                  "{ot.unit: 1}",                                                    false},
    {"1 of x and not 1 of y",
     "    sel_a: {ot.unit: 1}\n    filter_a: {ot.name: x}\n"
     "    condition: 1 of sel* and not 1 of filter*",                                                                    "{ot.unit: 1, ot.name: x}",                                        false},
    {"words of conditions in capitals",
     "    a: {ot.unit: 1}\n    b: {ot.name: x}\n    condition: a AND NOT b",                                             "{ot.unit: 1}",                                                    true },
    {"a list of conditions is or",
     "    a: {ot.unit: 1}\n    b: {ot.name: x}\n    condition: [a, b]",                                                  "{ot.name: x}",                                                    true },
 /* items */
    {"one item has it all",
     "    s: {ot.items.area: coil, ot.items.start|gte: 100}\n    condition: s",                                          "{ot.items: [{area: coil, start: 5}, {area: coil, start: 100}]}",  true },
    {"two items have a part each",
     "    s: {ot.items.area: coil, ot.items.start|gte: 100}\n    condition: s",                                          "{ot.items: [{area: coil, start: 5}, {area: input, start: 100}]}", false},
    {"a bool is true",                         "    s: {ot.items.values: true}\n    condition: s",
     "{ot.items: [{values: [false, true]}]}",                                                                                                                                               true },
    {"a bool is one",                          "    s: {ot.items.values: 1}\n    condition: s",
     "{ot.items: [{values: [false, true]}]}",                                                                                                                                               true },
    {"flags are a list",                       "    s: {ot.flags: broadcast}\n    condition: s",
     "{ot.flags: [retransmit, broadcast]}",                                                                                                                                                 true },
    {"facts",                                  "    s: {ot.facts.firmware_version|startswith: 'V2.'}\n    condition: s",
     "{ot: {facts: {firmware_version: V2.9}}}",                                                                                                                                             true },
};

static char *rule_text(char out[RULE_SIZE], const char *source, const char *detection,
                       const char *sample)
{
    int size = snprintf(out, RULE_SIZE,
                        "title: A rule\nid: one\nlogsource: {%s}\ndetection:\n%s\n"
                        "tests:\n    - shows: it\n      match: true\n      event: %s\n",
                        source, detection, sample);
    ck_assert_int_lt(size, RULE_SIZE);
    return out;
}

static void count_failure(void *context, const struct sigma_summary *rule, size_t line,
                          const char *shows, bool is_matching)
{
    (void)rule;
    (void)line;
    (void)shows;
    (void)is_matching;
    (*(size_t *)context)++;
}

/* True: all tests in the rules came out. */
static bool holds(const char *text)
{
    struct error err;
    struct sigma_rules *rules = sigma_rules_create();
    bool ok = sigma_rules_parse(rules, text, strlen(text), "rule.yml", &err) &&
              sigma_rules_seal(rules, &err);
    ck_assert_msg(ok, "%s\n%s", err.text, text);
    size_t failures = 0;
    ck_assert_uint_gt(sigma_rules_test(rules, count_failure, &failures), 0);
    sigma_rules_destroy(rules);
    return failures == 0;
}

START_TEST(test_search)
{
    const struct row *row = &rows[_i];
    char text[RULE_SIZE];
    rule_text(text, "product: sightglass, service: event", row->detection, row->sample);
    ck_assert_msg(holds(text) == row->is_matching, "%s: matches: %d", row->shows,
                  !row->is_matching);
}
END_TEST

/* --- what is refused, with file, line and key --- */

static const struct refusal {
    const char *shows, *text, *message;
} refusals[] = {
#define HEAD "title: x\nlogsource: {service: event}\ndetection:\n"
    {"no YAML",                           "a: [",                                                                           "r.yml:"                                                   },
    {"not a map",                         "- a\n",                                                                          "r.yml:1: key ``: a rule must be a map"                    },
    {"no title",                          "id: x\nlogsource: {service: event}\ndetection: {s: {ot.unit: 1}, condition: s}",
                                                                      "r.yml:1: key `title`: is missing"                                                                                                                                                },
    {"no logsource",                      "title: x\ndetection: {s: {ot.unit: 1}, condition: s}",
                                                                      "`logsource`: is missing"                                                                                                                                                         },
    {"no detection",                      "title: x\nlogsource: {service: event}\n",                                        "`detection`: is missing"                                  },
    {"no condition",                      HEAD "    s: {ot.unit: 1}\n",                                                     "has no condition"                                         },
    {"a foreign logsource",
                                                                      "title: x\nlogsource: {product: windows}\ndetection: {s: {ot.unit: 1}, condition: s}",
                                                                      "r.yml:2: key `logsource.product`: `windows` is nothing that this sensor sees"                                                                                                    },
    {"an unknown field",                  HEAD "    s:\n        ot.foo: 1\n    condition: s\n",
                                                                      "r.yml:5: key `detection.s.ot.foo`: there is no field `ot.foo`"                                                                                                                   },
    {"an unknown modifier",               HEAD "    s:\n        ot.unit|foo: 1\n    condition: s\n",
                                                                      "r.yml:5: key `detection.s.ot.unit|foo`: modifier `foo` is not known"                                                                                                             },
    {"base64",                            HEAD "    s: {ot.name|base64: x}\n    condition: s\n",
                                                                      "modifier `base64` is not supported"                                                                                                                                              },
    {"expand",                            HEAD "    s: {ot.name|expand: '%x%'}\n    condition: s\n",
                                                                      "modifier `expand` is not supported"                                                                                                                                              },
    {"two that exclude each other",       HEAD "    s: {ot.name|re|contains: x}\n    condition: s\n",
                                                                      "modifier `contains` does not go together"                                                                                                                                        },
    {"i without re",                      HEAD "    s: {ot.name|i: x}\n    condition: s\n",
                                                                      "modifier `i` belongs behind re"                                                                                                                                                  },
    {"all of one value",                  HEAD "    s: {ot.name|contains|all: x}\n    condition: s\n",
                                                                      "modifier `all` needs a list"                                                                                                                                                     },
    {"a network that is none",            HEAD "    s: {source.ip|cidr: 10.0.0.0/33}\n    condition: s\n",
                                                                      "`10.0.0.0/33` is not a network"                                                                                                                                                  },
    {"a number that is none",             HEAD "    s: {ot.unit|gt: x}\n    condition: s\n",
                                                                      "`x` must be a number"                                                                                                                                                            },
    {"exists of a text",                  HEAD "    s: {ot.unit|exists: yes}\n    condition: s\n",
                                                                      "must be true or false"                                                                                                                                                           },
    {"a broken expression",               HEAD "    s: {ot.name|re: '('}\n    condition: s\n",
                                                                      "is not a regular expression"                                                                                                                                                     },
    {"a reference to nothing",            HEAD "    s: {ot.name|fieldref: foo}\n    condition: s\n",
                                                                      "`foo` is not a field"                                                                                                                                                            },
    {"a field of another kind",
                                                                      "title: x\nlogsource: {service: flow}\ndetection: {s: {ot.unit: 1}, condition: s}",
                                                                      "the field `ot.unit` is not there"                                                                                                                                                },
    {"fields that never meet",
                                                                      "title: x\nlogsource: {product: sightglass}\ndetection: {s: {ot.unit: 1, rule.id: x}, "
     "condition: s}",                                                                                                                                                                        "the field `rule.id` is not there"                         },
    {"a map in a map",                    HEAD "    s: {ot.unit: {a: b}}\n    condition: s\n",
                                                                      "a value must be a text, a number or a list"                                                                                                                                      },
    {"an empty map",                      HEAD "    s: {}\n    condition: s\n",                                             "is an empty map"                                          },
    {"an empty list",                     HEAD "    s: []\n    condition: s\n",                                             "is an empty list"                                         },
    {"a list in a list",                  HEAD "    s: [[a]]\n    condition: s\n",                                          "a list cannot be in a list"                               },
    {"an unknown name",                   HEAD "    s: {ot.unit: 1}\n    condition: s and t\n",
                                                                      "r.yml:5: key `detection.condition`: no search identifier has this name at `t`"                                                                                                   },
    {"of nothing",                        HEAD "    s: {ot.unit: 1}\n    condition: 1 of t*\n",
                                                                      "no search identifier has such a name"                                                                                                                                            },
    {"an open bracket",                   HEAD "    s: {ot.unit: 1}\n    condition: (s\n",                                  "a bracket is not closed"                                  },
    {"a bracket too many",                HEAD "    s: {ot.unit: 1}\n    condition: s)\n",
                                                                      "and, or, or the end is expected at `)`"                                                                                                                                          },
    {"no operator",                       HEAD "    s: {ot.unit: 1}\n    condition: s s\n",
                                                                      "and, or, or the end is expected at `s`"                                                                                                                                          },
    {"an empty condition",                HEAD "    s: {ot.unit: 1}\n    condition: ''\n",                                  "a name is missing"                                        },
    {"counting in a condition",           HEAD "    s: {ot.unit: 1}\n    condition: s | count() > 5\n",
                                                                      "write a correlation"                                                                                                                                                             },
    {"a level",
                                                                      "title: x\nlevel: urgent\nlogsource: {service: event}\ndetection: {s: {ot.unit: 1}, "
     "condition: s}",                                                                                                                                                                        "r.yml:2: key `level`: must be"                            },
    {"the same id twice",
                                                                      "title: x\nid: a\nlogsource: {service: event}\ndetection: {s: {ot.unit: 1}, condition: "
     "s}\n---\ntitle: y\nid: a\nlogsource: {service: event}\ndetection: {s: {ot.unit: 1}, "
     "condition: s}\n",                                                                                                                                                                      "r.yml:6: key `id`: the file has another rule with this id"},
    {"a correlation of nothing",
                                                                      "title: x\ncorrelation: {type: event_count, rules: [a], group-by: [source.ip], timespan: 1m, "
     "condition: {gte: 2}}\n",                                                                                                                                                               "`a` is no rule that was read"                             },
    {"a correlation of an odd type",      "title: x\ncorrelation: {type: sum}\n",                                           "must be event_count"                                      },
    {"a correlation without a time",
                                                                      "title: x\ncorrelation: {type: event_count, rules: [a], condition: {gte: 2}}\n",
                                                                      "needs rules and a timespan"                                                                                                                                                      },
    {"a timespan without a unit",
                                                                      "title: x\ncorrelation: {type: event_count, rules: [a], timespan: 60, condition: {gte: 2}}\n",
                                                                      "must be a time such as"                                                                                                                                                          },
    {"a count that is none",
                                                                      "title: x\ncorrelation: {type: event_count, rules: [a], timespan: 60s, condition: {gte: x}}\n",
                                                                      "must be a whole number"                                                                                                                                                          },
    {"a count of values without a field",
                                                                      "title: x\ncorrelation: {type: value_count, rules: [a], timespan: 60s, condition: {gte: 2}}\n",
                                                                      "needs the field"                                                                                                                                                                 },
    {"a test without a verdict",
                                                                      HEAD "    s: {ot.unit: 1}\n    condition: s\ntests: [{event: {ot.unit: 1}}]\n",
                                                                      "a test needs match"                                                                                                                                                              },
    {"a sample with an unknown field",
                                                                      HEAD "    s: {ot.unit: 1}\n    condition: s\ntests: [{match: true, event: {ot.foo: 1}}]\n",
                                                                      "there is no field `ot.foo`"                                                                                                                                                      },
};

START_TEST(test_refusal)
{
    const struct refusal *row = &refusals[_i];
    struct error err;
    struct sigma_rules *rules = sigma_rules_create();
    bool ok = sigma_rules_parse(rules, row->text, strlen(row->text), "r.yml", &err) &&
              sigma_rules_seal(rules, &err);
    ck_assert_msg(!ok, "%s: was taken", row->shows);
    ck_assert_msg(strstr(err.text, row->message) != NULL, "%s: \"%s\", not \"%s\"", row->shows,
                  err.text, row->message);
    sigma_rules_destroy(rules);
}
END_TEST

/* Anchors that refer to themselves or multiply do not hang the reader. */
START_TEST(test_aliases_end)
{
    struct error err;
    static const char cycle[] = HEAD "    s: &a\n        - ot.unit: *a\n    condition: s\n";
    static const char laughs[] =
        "title: x\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
        "logsource: {service: event}\ndetection:\n    s: {ot.name: *b}\n    condition: s\n";
    static const char *const texts[] = {cycle, laughs};
    for (size_t i = 0; i < 2; i++) {
        struct sigma_rules *rules = sigma_rules_create();
        ck_assert(!sigma_rules_parse(rules, texts[i], strlen(texts[i]), "r.yml", &err));
        sigma_rules_destroy(rules);
    }
}
END_TEST

/* --- correlations --- */

#define BASE                                                                                       \
    "title: writes\nid: base\nname: writes\nlogsource: {service: event}\n"                         \
    "detection: {s: {ot.operation: write}, condition: s}\n---\n"                                   \
    "title: reads\nid: other\nname: reads\nlogsource: {service: event}\n"                          \
    "detection: {s: {ot.operation: read}, condition: s}\n---\n"                                    \
    "title: c\nid: c\ncorrelation: "
#define WRITE "ot.operation: write, source.ip: 10.0.0.5"

static const struct count_row {
    const char *shows, *correlation, *events;
    bool is_matching;
} count_rows[] = {
    {"as many as wanted",
     "{type: event_count, rules: [base], group-by: [source.ip], timespan: 1m, condition: {gte: 5}}", "[{" WRITE ", repeat: 5}]",                                                                  true },
    {"one less",
     "{type: event_count, rules: [base], group-by: [source.ip], timespan: 1m, condition: {gte: 5}}", "[{" WRITE ", repeat: 4}]",                                                                  false},
    {"gt is one more",
     "{type: event_count, rules: [base], group-by: [source.ip], timespan: 1m, condition: {gt: 5}}",  "[{" WRITE ", repeat: 5}]",                                                                  false},
    {"exactly within the time",
     "{type: event_count, rules: [base], group-by: [source.ip], timespan: 40s, condition: {gte: "
     "5}}",                                                                                          "[{" WRITE ", repeat: 5, after: 10s}]",                                                      true },
    {"too slow",
     "{type: event_count, rules: [base], group-by: [source.ip], timespan: 39s, condition: {gte: "
     "5}}",                                                                                          "[{" WRITE ", repeat: 50, after: 10s}]",                                                     false},
    {"groups are apart",
     "{type: event_count, rules: [base], group-by: [source.ip], timespan: 1m, condition: {gte: 3}}", "[{" WRITE ", repeat: 2}, {ot.operation: write, source.ip: 10.0.0.6, repeat: 2}]",           false},
    {"without group-by all count",
     "{type: event_count, rules: [base], timespan: 1m, condition: {gte: 3}}",                        "[{" WRITE ", repeat: 2}, {ot.operation: write, source.ip: 10.0.0.6, repeat: 2}]",           true },
    {"many are counted in pieces",
     "{type: event_count, rules: [base], group-by: [source.ip], timespan: 1h, condition: {gte: "
     "1000}}",                                                                                       "[{" WRITE ", repeat: 1000}]",                                                               true },
    {"many, too slow",
     "{type: event_count, rules: [base], group-by: [source.ip], timespan: 1h, condition: {gte: "
     "1000}}",                                                                                       "[{" WRITE ", repeat: 2000, after: 4s}]",                                                    false},
    {"what does not match is not counted",
     "{type: event_count, rules: [base], group-by: [source.ip], timespan: 1m, condition: {gte: 2}}", "[{" WRITE "}, {ot.operation: read, source.ip: 10.0.0.5, repeat: 5}]",                       false},
    {"two rules count together",
     "{type: event_count, rules: [base, reads], group-by: [source.ip], timespan: 1m, condition: "
     "{gte: 2}}",                                                                                    "[{" WRITE "}, {ot.operation: read, source.ip: 10.0.0.5}]",                                  true },
    {"lt: the window ends with few",
     "{type: event_count, rules: [base], group-by: [source.ip], timespan: 1m, condition: {lt: 3}}",  "[{" WRITE ", repeat: 2}]",                                                                  true },
    {"lt: with enough",
     "{type: event_count, rules: [base], group-by: [source.ip], timespan: 1m, condition: {lt: 3}}",  "[{" WRITE ", repeat: 3}]",                                                                  false},
    {"eq",
     "{type: event_count, rules: [base], group-by: [source.ip], timespan: 1m, condition: {eq: 3}}",  "[{" WRITE ", repeat: 3}]",                                                                  true },
    {"eq: more",
     "{type: event_count, rules: [base], group-by: [source.ip], timespan: 1m, condition: {eq: 3}}",  "[{" WRITE ", repeat: 4}]",                                                                  false},
    {"a range",
     "{type: event_count, rules: [base], group-by: [source.ip], timespan: 1m, condition: {gt: 2, "
     "lte: 4}}",                                                                                     "[{" WRITE ", repeat: 4}]",                                                                  true },
    {"above the range",
     "{type: event_count, rules: [base], group-by: [source.ip], timespan: 1m, condition: {gt: 2, "
     "lte: 4}}",                                                                                     "[{" WRITE ", repeat: 5}]",                                                                  false},
    {"different values",
     "{type: value_count, rules: [base], group-by: [source.ip], timespan: 1m, condition: {field: "
     "destination.ip, gte: 3}}",                                                                     "[{" WRITE ", destination.ip: 10.1.0.1}, {" WRITE ", destination.ip: 10.1.0.2}, {" WRITE
     ", destination.ip: 10.1.0.3}]",                                                                                                                              true },
    {"the same value again",
     "{type: value_count, rules: [base], group-by: [source.ip], timespan: 1m, condition: {field: "
     "destination.ip, gte: 3}}",                                                                     "[{" WRITE ", destination.ip: 10.1.0.1}, {" WRITE ", destination.ip: 10.1.0.2, repeat: 9}]",
     false                                                                                                                                                                                             },
    {"values that are too old",
     "{type: value_count, rules: [base], group-by: [source.ip], timespan: 1m, condition: {field: "
     "destination.ip, gte: 3}}",                                                                     "[{" WRITE ", destination.ip: 10.1.0.1}, {" WRITE ", destination.ip: 10.1.0.2}, {" WRITE
     ", destination.ip: 10.1.0.3, after: 2m}]",                                                                                                                   false},
    {"few values when the window ends",
     "{type: value_count, rules: [base], group-by: [source.ip], timespan: 1m, condition: {field: "
     "destination.ip, lte: 1}}",                                                                     "[{" WRITE ", destination.ip: 10.1.0.1, repeat: 4}]",                                        true },
    {"temporal: in any order",
     "{type: temporal, rules: [base, reads], group-by: [source.ip], timespan: 1m}",                  "[{ot.operation: read, source.ip: 10.0.0.5}, {" WRITE "}]",                                  true },
    {"temporal: too far apart",
     "{type: temporal, rules: [base, reads], group-by: [source.ip], timespan: 1m}",                  "[{ot.operation: read, source.ip: 10.0.0.5}, {" WRITE ", after: 2m}]",                       false},
    {"temporal_ordered: in order",
     "{type: temporal_ordered, rules: [reads, base], group-by: [source.ip], timespan: 1m}",          "[{ot.operation: read, source.ip: 10.0.0.5}, {" WRITE "}]",                                  true },
    {"temporal_ordered: the wrong way",
     "{type: temporal_ordered, rules: [reads, base], group-by: [source.ip], timespan: 1m}",          "[{" WRITE "}, {ot.operation: read, source.ip: 10.0.0.5}]",                                  false},
    {"aliases: written to by one who was read",
     "{type: temporal, rules: [reads, writes], group-by: [peer], timespan: 1m, aliases: {peer: "
     "{reads: destination.ip, writes: source.ip}}}",                                                 "[{ot.operation: read, source.ip: 10.0.0.9, destination.ip: 10.0.0.5}, {" WRITE
     ", destination.ip: 10.0.0.7}]",                                                                                                          true },
};

START_TEST(test_count)
{
    const struct count_row *row = &count_rows[_i];
    char text[RULE_SIZE];
    int size = snprintf(text, sizeof text, BASE "%s\ntests: [{match: true, events: %s}]\n",
                        row->correlation, row->events);
    ck_assert_int_lt(size, RULE_SIZE);
    ck_assert_msg(holds(text) == row->is_matching, "%s: matches: %d", row->shows,
                  !row->is_matching);
}
END_TEST

/* --- real records --- */

struct kept {
    struct finding findings[64];
    size_t count;
    struct sigma_correlator *correlator;
};

static void keep_finding(void *context, const struct finding *f)
{
    struct kept *k = context;
    ck_assert_uint_lt(k->count, 64);
    k->findings[k->count++] = *f;
}

static void keep_hit(void *context, const struct sigma_hit *hit)
{
    struct kept *k = context;
    sigma_correlator_hit(k->correlator, hit);
}

static struct sigma_rules *rules_of(const char *text)
{
    struct error err;
    struct sigma_rules *rules = sigma_rules_create();
    bool ok = sigma_rules_parse(rules, text, strlen(text), "rule.yml", &err) &&
              sigma_rules_seal(rules, &err);
    ck_assert_msg(ok, "%s", err.text);
    return rules;
}

static const uint8_t registers[] = {0x02, 0x00, 0x00, 0x11};
static const struct ot_item item = {
    .area = "holding_register",
    .has_start = true,
    .start = 100,
    .count = 2,
    .values = {VALUES_U16BE, 2, registers, sizeof registers}
};

static struct ot_flow flow_of(void)
{
    struct ot_flow flow = {.id = 1, .transport = TRANSPORT_TCP, .segment = 3};
    address_parse(&flow.client.ip, "10.0.0.5");
    address_parse(&flow.server.ip, "10.0.0.10");
    flow.client.port = 49160;
    flow.server.port = 502;
    return flow;
}

static struct ot_event event_of(const struct ot_flow *flow)
{
    return (struct ot_event){.time_ns = INT64_C(1500000000000000000),
                             .flow = flow,
                             .is_from_client = true,
                             .protocol = "modbus",
                             .operation = OP_WRITE,
                             .code = {16},
                             .function = 16,
                             .name = "write_multiple_registers",
                             .unit = TEXT("1"),
                             .items = &item,
                             .item_count = 1};
}

static const struct event_row {
    const char *shows, *search;
    bool is_matching;
} event_rows[] = {
    {"every field of an event",
     "{network.protocol: modbus, ot.operation: write, ot.code: 16, ot.function: 16, ot.unit: '1',"
     " ot.name: write_multiple_registers, ot.direction: request, source.ip: 10.0.0.5,"
     " destination.ip: 10.0.0.10, destination.port: 502, client.port: 49160, server.port: 502,"
     " network.transport: tcp, ot.items_total: 1}",                                                                true },
    {"an item and its values",
     "{ot.items.area: holding_register, ot.items.start: 100, ot.items.count: 2, ot.items.values: "
     "17}",                                                                                                        true },
    {"another value",                     "{ot.items.values|gt: 512}",                                             false},
    {"the index: another protocol",       "{network.protocol: s7comm, ot.unit: '1'}",                              false},
    {"the index: another operation",      "{network.protocol: modbus, ot.operation: [read, stop]}",
     false                                                                                                              },
    {"the index: a protocol in capitals", "{network.protocol: MODBUS, ot.operation: Write}",                       true },
    {"the index: a pattern",              "{network.protocol: 'mod*', ot.operation: 'w*'}",                        true },
    {"no VLAN",                           "{network.vlan|exists: false}",                                          true },
    {"Zeek's names",                      "{id.orig_h: 10.0.0.5, id.resp_p: 502, func: WRITE_MULTIPLE_REGISTERS}", true },
};

START_TEST(test_event)
{
    const struct event_row *row = &event_rows[_i];
    char text[RULE_SIZE];
    struct kept kept = {.count = 0};
    struct sigma_sink sink = {&kept, keep_finding, keep_hit};
    struct ot_flow flow = flow_of();
    struct ot_event e = event_of(&flow);
    snprintf(text, sizeof text,
             "title: t\nlogsource: {service: event}\ndetection: {s: %s, condition: s}\n",
             row->search);
    struct sigma_rules *rules = rules_of(text);
    struct sigma *s = sigma_create(rules, &sink);
    sigma_event(s, &e);
    ck_assert_msg(kept.count == row->is_matching, "%s: %zu findings", row->shows, kept.count);
    sigma_destroy(s);
    sigma_rules_destroy(rules);
}
END_TEST

START_TEST(test_words_of_a_match)
{
    static const char text[] =
        "title: Set point written\nid: 11111111-2222-4333-8444-555555555555\nlevel: high\n"
        "tags: [attack.t0855, attack.impair-process-control, attack.t0836, attack.t9999]\n"
        "logsource: {product: zeek, service: modbus}\n"
        "detection: {s: {ot.operation: write}, condition: s}\n";
    struct kept kept = {.count = 0};
    struct sigma_sink sink = {&kept, keep_finding, keep_hit};
    struct ot_flow flow = flow_of();
    struct ot_event e = event_of(&flow);
    struct sigma_rules *rules = rules_of(text);
    struct sigma *s = sigma_create(rules, &sink);
    sigma_event(s, &e);
    ck_assert_uint_eq(kept.count, 1);
    const struct finding *f = &kept.findings[0];
    ck_assert_int_eq(f->detection, DETECTION_RULE_MATCH);
    ck_assert_str_eq(f->rule_title, "Set point written");
    ck_assert_str_eq(f->rule_id, "11111111-2222-4333-8444-555555555555");
    ck_assert_str_eq(f->rule_techniques, "T0855 T0836");
    ck_assert_str_eq(f->what, "triggered the rule \"Set point written\" towards %T");
    ck_assert_str_eq(f->object, "holding_register 100-101");
    ck_assert_str_eq(f->seen, "modbus 16 (write_multiple_registers)");
    ck_assert_uint_eq(f->flags, finding_level_flag(SEVERITY_HIGH));
    ck_assert_uint_eq(f->segment, 3);
    ck_assert(address_equal(&f->actor.ip, &flow.client.ip));
    ck_assert_uint_gt(f->ot_json_size, 0);
    sigma_destroy(s);
    sigma_rules_destroy(rules);
}
END_TEST

/* A thousand matches of one cause are a few findings that add up to a thousand. */
START_TEST(test_flood)
{
    static const char text[] = "title: t\nlogsource: {service: event}\n"
                               "detection: {s: {ot.operation: write}, condition: s}\n";
    struct kept kept = {.count = 0};
    struct sigma_sink sink = {&kept, keep_finding, keep_hit};
    struct ot_flow flow = flow_of();
    struct ot_event e = event_of(&flow);
    struct sigma_rules *rules = rules_of(text);
    struct sigma *s = sigma_create(rules, &sink);
    for (int i = 0; i < 1000; i++)
        sigma_event(s, &e);
    sigma_event_times(s, &e, 500);
    sigma_tick(s, e.time_ns, true);
    uint64_t sum = 0;
    for (size_t i = 0; i < kept.count; i++)
        sum += kept.findings[i].count;
    ck_assert_uint_eq(sum, 1500);
    ck_assert_uint_le(kept.count, 20);
    sigma_destroy(s);
    sigma_rules_destroy(rules);
}
END_TEST

/* Each rule counts its own matches. */
START_TEST(test_rules_tell_for_themselves)
{
    static const char text[] = "title: t\nid: a\nlogsource: {service: event}\n"
                               "detection: {s: {ot.operation: write}, condition: s}\n"
                               "---\ntitle: t\nid: b\nlogsource: {service: event}\n"
                               "detection: {s: {ot.operation: write}, condition: s}\n"
                               "---\ntitle: u\nid: c\nlogsource: {service: event}\n"
                               "detection: {s: {ot.operation: write}, condition: s}\n";
    struct kept kept = {.count = 0};
    struct sigma_sink sink = {&kept, keep_finding, keep_hit};
    struct ot_flow flow = flow_of();
    struct ot_event e = event_of(&flow);
    struct sigma_rules *rules = rules_of(text);
    struct sigma *s = sigma_create(rules, &sink);
    for (int i = 0; i < 20; i++)
        sigma_event(s, &e);
    sigma_tick(s, e.time_ns, true);
    uint64_t sums[3] = {0};
    for (size_t i = 0; i < kept.count; i++)
        sums[kept.findings[i].rule_id[0] - 'a'] += kept.findings[i].count;
    for (size_t i = 0; i < 3; i++)
        ck_assert_uint_eq(sums[i], 20);
    sigma_destroy(s);
    sigma_rules_destroy(rules);
}
END_TEST

/* The rest of each is told a minute after its last match, whatever goes on meanwhile. */
START_TEST(test_floods_end)
{
    static const char text[] = "title: t\nlogsource: {service: event}\n"
                               "detection: {s: {ot.operation: write}, condition: s}\n";
    enum { SECONDS = 300, FIRST_ENDS = 10, SECOND_ENDS = 100, MINUTE = 60, LOOKS = 10 };
    struct kept kept = {.count = 0};
    struct sigma_sink sink = {&kept, keep_finding, keep_hit};
    struct ot_flow flows[2] = {flow_of(), flow_of()};
    struct sigma_rules *rules = rules_of(text);
    struct sigma *s = sigma_create(rules, &sink);
    uint64_t told[2] = {0}, wanted[2] = {0};
    int done[2] = {0};
    flows[1].client.ip.bytes[3] = 6;
    for (int second = 0; second < SECONDS; second++) {
        for (int k = 0; k < 2; k++) {
            struct ot_event e = event_of(&flows[k]);
            e.time_ns += second * INT64_C(1000000000);
            if (second < (k ? SECOND_ENDS : FIRST_ENDS)) {
                sigma_event_times(s, &e, 3);
                wanted[k] += 3;
            }
            sigma_tick(s, e.time_ns, false);
        }
        for (; kept.count > 0; kept.count--) {
            const struct finding *f = &kept.findings[kept.count - 1];
            int k = address_equal(&f->actor.ip, &flows[1].client.ip);
            told[k] += f->count;
            done[k] = second;
        }
    }
    ck_assert_uint_eq(told[0], wanted[0]);
    ck_assert_uint_eq(told[1], wanted[1]);
    ck_assert_int_ge(done[0], FIRST_ENDS - 1 + MINUTE);
    ck_assert_int_le(done[0], FIRST_ENDS - 1 + MINUTE + LOOKS);
    ck_assert_int_ge(done[1], SECOND_ENDS - 1 + MINUTE);
    ck_assert_int_le(done[1], SECOND_ENDS - 1 + MINUTE + LOOKS);
    sigma_destroy(s);
    sigma_rules_destroy(rules);
}
END_TEST

/* Without event.action a flow is looked at once: at its start, or when its protocol is known. */
START_TEST(test_flows)
{
    static const struct {
        const char *search;
        size_t matches;
    } flow_rows[] = {
        {"{destination.port: 502, source.ip|cidr: 10.0.0.0/8}",           1},
        {"{id.resp_p: 502, proto: tcp}",                                  1},
        {"{network.protocol: modbus}",                                    1},
        {"{network.protocol: tls}",                                       0},
        {"{destination.port: 502, event.action: connection_established}", 1},
        {"{destination.port: 502, event.action|startswith: connection_}", 3},
        {"{destination.port: 503}",                                       0},
    };
    for (size_t i = 0; i < sizeof flow_rows / sizeof *flow_rows; i++) {
        char text[RULE_SIZE];
        struct kept kept = {.count = 0};
        struct sigma_sink sink = {&kept, keep_finding, keep_hit};
        struct ot_flow flow = flow_of();
        snprintf(text, sizeof text,
                 "title: t\nlogsource: {product: zeek, service: conn}\n"
                 "detection: {s: %s, condition: s}\n",
                 flow_rows[i].search);
        struct sigma_rules *rules = rules_of(text);
        struct sigma *s = sigma_create(rules, &sink);
        sigma_flow(s, &flow, SIGMA_STARTED, NULL, NULL, 1);
        sigma_flow(s, &flow, SIGMA_ANSWERED, NULL, NULL, 2);
        sigma_flow(s, &flow, SIGMA_REFUSED, NULL, NULL, 3);
        sigma_flow(s, &flow, SIGMA_RECOGNISED, "modbus", NULL, 4);
        ck_assert_msg(kept.count == flow_rows[i].matches, "%s: %zu", flow_rows[i].search,
                      kept.count);
        sigma_destroy(s);
        sigma_rules_destroy(rules);
    }
}
END_TEST

START_TEST(test_findings)
{
    static const char text[] = "title: t\nlogsource: {category: alert}\n"
                               "detection: {s: {rule.id|startswith: plc., event.severity|gte: 7, "
                               "threat.technique.id: T0858,"
                               " source.ip: 10.0.0.5}, condition: s}\n";
    struct kept kept = {.count = 0};
    struct sigma_sink sink = {&kept, keep_finding, keep_hit};
    struct ot_flow flow = flow_of();
    struct ot_event e = event_of(&flow);
    struct finding f;
    struct sigma_rules *rules = rules_of(text);
    struct sigma *s = sigma_create(rules, &sink);
    finding_of_event(&f, DETECTION_PLC_STOP, &e);
    sigma_finding(s, &f, 5);
    ck_assert_uint_eq(kept.count, 0);
    sigma_finding(s, &f, 9);
    ck_assert_uint_eq(kept.count, 1);
    finding_of_event(&f, DETECTION_RW_NEW_WRITER, &e);
    sigma_finding(s, &f, 9);
    ck_assert_uint_eq(kept.count, 1);
    sigma_destroy(s);
    sigma_rules_destroy(rules);
}
END_TEST

/* The finding of a correlation names who belongs to its group. */
START_TEST(test_words_of_a_count)
{
    static const char text[] =
        BASE "{type: event_count, rules: [base], group-by: [source.ip], timespan: 1m,"
             " condition: {gte: 3}}\nlevel: critical\n";
    struct kept kept = {.count = 0};
    struct sigma_sink sink = {&kept, keep_finding, keep_hit};
    struct ot_flow flow = flow_of();
    struct ot_event e = event_of(&flow);
    struct sigma_rules *rules = rules_of(text);
    struct sigma *s = sigma_create(rules, &sink);
    kept.correlator = sigma_correlator_create(rules, &sink);
    for (int i = 0; i < 3; i++)
        sigma_event(s, &e);
    ck_assert_uint_eq(kept.count, 1); /* the rule that is counted says nothing by itself */
    const struct finding *f = &kept.findings[0];
    ck_assert_str_eq(f->what, "triggered the rule \"c\"");
    ck_assert_str_eq(f->seen, "3 events within 60 seconds");
    ck_assert(address_equal(&f->actor.ip, &flow.client.ip));
    ck_assert(!f->has_target);
    ck_assert_uint_eq(f->flags, finding_level_flag(SEVERITY_CRITICAL));
    sigma_correlator_destroy(kept.correlator);
    sigma_destroy(s);
    sigma_rules_destroy(rules);
}
END_TEST

/* Windows that end by themselves do so one after the other. */
START_TEST(test_windows_end)
{
    static const char text[] =
        "title: base\nid: base\nname: base\nlogsource: {service: event}\n"
        "detection: {s: {ot.operation: write}, condition: s}\n"
        "---\ntitle: short\nid: short\ncorrelation: {type: event_count, rules: [base],"
        " group-by: [source.ip], timespan: 1m, condition: {lt: 3}}\n"
        "---\ntitle: long\nid: long\ncorrelation: {type: event_count, rules: [base],"
        " group-by: [source.ip], timespan: 5m, condition: {lt: 5}}\n";
    static const size_t expected[] = {1, 2, 3, 4}; /* short, long, and both once more */
    static const int64_t after_s[] = {61, 301, 1061, 1301};
    struct kept kept = {.count = 0};
    struct sigma_sink sink = {&kept, keep_finding, keep_hit};
    struct ot_flow flow = flow_of();
    struct ot_event e = event_of(&flow);
    struct sigma_rules *rules = rules_of(text);
    struct sigma *s = sigma_create(rules, &sink);
    kept.correlator = sigma_correlator_create(rules, &sink);
    int64_t start_ns = e.time_ns;
    for (size_t i = 0; i < 4; i++) {
        if (i % 2 == 0) {
            e.time_ns = start_ns + (after_s[i] - 61) * INT64_C(1000000000);
            sigma_event(s, &e);
        }
        int64_t end_ns = start_ns + after_s[i] * INT64_C(1000000000);
        sigma_correlator_tick(kept.correlator, end_ns - INT64_C(2000000000));
        ck_assert_uint_eq(kept.count, expected[i] - 1);
        sigma_correlator_tick(kept.correlator, end_ns);
        ck_assert_uint_eq(kept.count, expected[i]);
    }
    sigma_correlator_destroy(kept.correlator);
    sigma_destroy(s);
    sigma_rules_destroy(rules);
}
END_TEST

/* A later rule with the same id takes the place of the earlier one; rules can be switched off. */
START_TEST(test_override_and_switch_off)
{
    static const char first[] = "title: a\nid: A-1\nlogsource: {service: event}\n"
                                "detection: {s: {ot.operation: write}, condition: s}\n";
    static const char second[] = "title: b\nid: a-1\nlogsource: {service: event}\n"
                                 "detection: {s: {ot.operation: read}, condition: s}\n";
    struct error err;
    struct sigma_summary summary;
    struct sigma_rules *rules = sigma_rules_create();
    ck_assert(sigma_rules_parse(rules, first, strlen(first), "1.yml", &err));
    ck_assert(sigma_rules_parse(rules, second, strlen(second), "2.yml", &err));
    ck_assert_uint_eq(sigma_rules_count(rules), 1);
    sigma_rules_summary(rules, 0, &summary);
    ck_assert_str_eq(summary.title, "b");
    ck_assert_str_eq(summary.file, "2.yml");
    ck_assert(!sigma_rules_disable(rules, "zzz"));
    ck_assert(sigma_rules_disable(rules, "a-1"));
    ck_assert(sigma_rules_seal(rules, &err));
    sigma_rules_summary(rules, 0, &summary);
    ck_assert(summary.is_off);
    sigma_rules_destroy(rules);
}
END_TEST

/* An expression that would take for ever is given up. */
START_TEST(test_expression_ends)
{
    static const char text[] = "title: t\nlogsource: {service: event}\n"
                               "detection: {s: {ot.detail|re: '^(a+)+$'}, condition: s}\n";
    struct kept kept = {.count = 0};
    struct sigma_sink sink = {&kept, keep_finding, keep_hit};
    struct ot_flow flow = flow_of();
    struct ot_event e = event_of(&flow);
    struct sigma_rules *rules = rules_of(text);
    struct sigma *s = sigma_create(rules, &sink);
    e.detail = TEXT("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab");
    sigma_event(s, &e);
    ck_assert_uint_eq(kept.count, 0);
    e.detail = TEXT("aaaa");
    sigma_event(s, &e);
    ck_assert_uint_eq(kept.count, 1);
    sigma_destroy(s);
    sigma_rules_destroy(rules);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sigma");
    TCase *c = tcase_create("sigma");
    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, test_search, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(c, test_refusal, 0, sizeof refusals / sizeof *refusals);
    tcase_add_loop_test(c, test_count, 0, sizeof count_rows / sizeof *count_rows);
    tcase_add_loop_test(c, test_event, 0, sizeof event_rows / sizeof *event_rows);
    tcase_add_test(c, test_aliases_end);
    tcase_add_test(c, test_words_of_a_match);
    tcase_add_test(c, test_flood);
    tcase_add_test(c, test_rules_tell_for_themselves);
    tcase_add_test(c, test_floods_end);
    tcase_add_test(c, test_flows);
    tcase_add_test(c, test_findings);
    tcase_add_test(c, test_words_of_a_count);
    tcase_add_test(c, test_windows_end);
    tcase_add_test(c, test_override_and_switch_off);
    tcase_add_test(c, test_expression_ends);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
