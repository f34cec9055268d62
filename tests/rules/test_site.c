/* test_site.c: what a policy file may say, what is wrong with one, and where hosts stand. */
#include "rules/site_model.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct site *parse(const char *text, struct error *err)
{
    return site_parse(text, strlen(text), "p.yaml", "UTC", err);
}

static const struct fault {
    const char *shows, *yaml, *message;
} faults[] = {
    {"an unknown key",              "zone: []\n",
     "p.yaml:1: policy key `zone` is unknown; there are: hosts, zones, conduits"                                                                                                                },
    {"an unknown key of a zone",    "zones:\n- name: a\n  subnet: 10.0.0.0/8\n",
     "p.yaml:3: policy key `zones.subnet` is unknown; there are: name, level"                                                                                                                   },
    {"a key given twice",           "zones: []\nzones: []\n",                                              "p.yaml:2: policy key `zones` is given twice"                                        },
    {"a zone without a name",       "zones:\n- level: 1\n",
     "p.yaml:2: policy key `zones.name` is missing"                                                                                                                                             },
    {"a list that is a mapping",    "engineering_stations: {a: b}\n",
     "p.yaml:1: policy key `engineering_stations` must be a plain value"                                                                                                                        },
    {"a mapping that is a text",    "internet: all\n",
     "p.yaml:1: policy key `internet` must hold keys with values"                                                                                                                               },
    {"a policy that is a list",     "- a\n",                                                               "p.yaml:1: policy key `policy` must hold"                                            },
    {"an empty policy",             "",                                                                    "p.yaml:1: the policy is empty"                                                      },
    {"a second document",           "zones: []\n---\nzones: []\n",                                         "p.yaml:3: a second document"                                                        },
    {"no YAML behind the policy",   "zones: []\n---\nzones: [\n",                                          "p.yaml:4: not valid YAML"                                                           },
    {"what is no YAML",             "zones: [\n",                                                          "p.yaml:2: not valid YAML"                                                           },
    {"a level that is none",        "zones:\n- {name: a, level: 6}\n",
     "p.yaml:2: policy key `zones.level` must be a Purdue level"                                                                                                                                },
    {"a subnet that is none",       "zones:\n- name: a\n  subnets: [10.0.0]\n",
     "p.yaml:3: policy key `zones.subnets` 10.0.0 is no address"                                                                                                                                },
    {"a prefix too long",           "zones:\n- {name: a, subnets: 10.0.0.0/33}\n",
     "p.yaml:2: policy key `zones.subnets` 10.0.0.0/33 has no such prefix length"                                                                                                               },
    {"no prefix behind the stroke", "zones:\n- {name: a, subnets: 10.0.0.0/}\n",
     "p.yaml:2: policy key `zones.subnets` 10.0.0.0/ has no such prefix length"                                                                                                                 },
    {"host bits behind a prefix",   "zones:\n- {name: a, subnets: 10.0.0.1/24}\n",
     "p.yaml:2: policy key `zones.subnets` 10.0.0.1/24 has bits behind its prefix length"                                                                                                       },
    {"a VLAN out of range",         "zones:\n- {name: a, vlans: 4095}\n",
     "p.yaml:2: policy key `zones.vlans`"                                                                                                                                                       },
    {"VLAN 0",                      "zones:\n- {name: a, vlans: 0}\n",                                     "p.yaml:2: policy key `zones.vlans`"                                                 },
    {"a MAC that is none",          "zones:\n- {name: a, macs: '00:11'}\n",
     "p.yaml:2: policy key `zones.macs` 00:11"                                                                                                                                                  },
    {"zones with one name",         "zones:\n- name: a\n- name: a\n",
     "p.yaml:3: policy key `zones.name` has the name a, which is taken"                                                                                                                         },
    {"a zone named any",            "zones:\n- name: any\n",                                               "which is taken"                                                                     },
    {"zones that overlap",
     "zones:\n- {name: a, subnets: 10.0.0.0/24}\n- {name: b, subnets: [10.1.0.0/16, "
     "10.0.0.0/24]}\n",                                                                                    "p.yaml:3: policy key `zones`: 10.0.0.0/24 is in zone b and in zone a (line 2)"      },
    {"a VLAN in two zones",         "zones:\n- {name: a, vlans: 5-9}\n- {name: b, vlans: 7}\n",
     "p.yaml:3: policy key `zones.vlans` has VLAN 7, which is in zone a"                                                                                                                        },
    {"a MAC in two zones",
     "zones:\n- {name: a, macs: '00:00:00:00:00:05'}\n- {name: b, macs: '00:00:00:00:00:05'}\n",           "p.yaml:3: policy key `zones`: 00:00:00:00:00:05 is in zone b and in zone a (line 2)"},
    {"a host that nobody knows",    "critical_assets: [plc-7]\n",
     "p.yaml:1: policy key `critical_assets` plc-7 names no zone, no host"                                                                                                                      },
    {"a conduit without an end",    "conduits:\n- from: any\n",
     "p.yaml:2: policy key `conduits.to` is missing"                                                                                                                                            },
    {"an operation that is none",   "conduits:\n- {from: any, to: any, operations: [red]}\n",
     "p.yaml:2: policy key `conduits.operations` red is no operation"                                                                                                                           },
    {"no operations at all",        "conduits:\n- {from: any, to: any, operations: []}\n",
     "p.yaml:2: policy key `conduits.operations` is empty"                                                                                                                                      },
    {"a port that is none",         "conduits:\n- {from: any, to: any, protocols: tcp/0}\n",
     "p.yaml:2: policy key `conduits.protocols` tcp/0 is no port"                                                                                                                               },
    {"a direction that is none",    "conduits:\n- {from: any, to: any, direction: back}\n",
     "p.yaml:2: policy key `conduits.direction` must be forward"                                                                                                                                },
    {"one way and both ways",       "conduits:\n- {from: any, to: any, direction: both, one_way: true}\n",
     "p.yaml:2: policy key `conduits` is one-way"                                                                                                                                               },
    {"a truth that is none",        "conduits:\n- {from: any, to: any, one_way: 1}\n",
     "must be true or false"                                                                                                                                                                    },
    {"a rule for nobody",           "data_access:\n- {name: a, target: any}\n",
     "p.yaml:2: policy key `data_access` says neither who may read nor who may write"                                                                                                           },
    {"a window without an end",     "windows:\n- {name: a, operations: any}\n",
     "p.yaml:2: policy key `windows` has no end"                                                                                                                                                },
    {"a start without an end",      "windows:\n- {name: a, operations: any, start: 2026-01-01}\n",
     "has no end"                                                                                                                                                                               },
    {"a window for nothing",        "windows:\n- {name: a, days: mon}\n",
     "p.yaml:2: policy key `windows` permits nothing"                                                                                                                                           },
    {"an alert type that is none",  "windows:\n- {name: a, days: mon, detections: plc.halt}\n",
     "p.yaml:2: policy key `windows.detections` plc.halt is no alert type"                                                                                                                      },
    {"a day that is none",          "windows:\n- {name: a, days: monday, operations: any}\n",
     "p.yaml:2: policy key `windows.days` monday is no day"                                                                                                                                     },
    {"times that are none",         "windows:\n- {name: a, times: '25:00-26:00', operations: any}\n",
     "p.yaml:2: policy key `windows` has times that are none"                                                                                                                                   },
    {"a date that is none",
     "windows:\n- {name: a, start: 2026-02-30, end: 2026-03-01, operations: any}\n",                       "p.yaml:2: policy key `windows` has a start that is no time: 2026-02-30"             },
    {"an end before the start",
     "windows:\n- {name: a, start: 2026-02-02, end: 2026-02-01, operations: any}\n",                       "p.yaml:2: policy key `windows` ends before it starts"                               },
    {"a time zone that is none",
     "windows:\n- {name: a, days: mon, operations: any, timezone: Mars}\n",                                "p.yaml:2: policy key `windows` has a time zone that does not work"                  },
    {"a time zone outside",
     "windows:\n- {name: a, days: mon, operations: any, timezone: ../../etc/passwd}\n",                    "is no time zone such as"                                                            },
    {"windows with one name",
     "windows:\n- {name: a, days: mon, operations: any}\n- {name: a, days: tue, operations: any}\n",       "p.yaml:3: policy key `windows` has the name a, which is taken"                      },
    {"a control character",         "critical_assets: [\"a\\x01\"]\n",                                     "has a control character in it"                                                      },
};

START_TEST(fault)
{
    const struct fault *f = &faults[_i];
    struct error err = {""};
    struct site *site = parse(f->yaml, &err);
    ck_assert_msg(!site, "%s: accepted", f->shows);
    ck_assert_msg(strstr(err.text, f->message) != NULL, "%s: %s", f->shows, err.text);
}
END_TEST

/* Operations are printed as one writes them. */
static const struct printed {
    const char *shows, *operations, *words;
} printed[] = {
    {"a group",                      "engineering",              "may do engineering; on mon"         },
    {"several operations",           "[write, control]",         "may do write, control; on mon"      },
    {"a group and more",             "[control, engineering]",   "may do engineering, control; on mon"},
    {"a group inside another",       "[change, stop]",           "may do change; on mon"              },
    {"what belongs to one, not all", "[stop, program_download]",
     "may do stop, program_download; on mon"                                                          },
    {"everything",                   "any",                      "may do any operation; on mon"       },
};

START_TEST(operations_are_printed_as_one_writes_them)
{
    const struct printed *row = &printed[_i];
    struct error err = {""};
    char yaml[128], *text = NULL;
    size_t size = 0;
    snprintf(yaml, sizeof yaml, "windows:\n- {name: a, days: mon, operations: %s}\n",
             row->operations);
    struct site *site = parse(yaml, &err);
    ck_assert_msg(site != NULL, "%s: %s", row->shows, err.text);
    FILE *file = open_memstream(&text, &size);
    site_print(site, file);
    fclose(file);
    ck_assert_msg(strstr(text, row->words) != NULL, "%s: %s", row->shows, text);
    free(text);
    site_release(site);
}
END_TEST

/* # stands for the number of the line. More of something than there is room for ends with a
 * message, not with a crash. */
static char *repeat(const char *head, const char *line, int count)
{
    size_t size = 0;
    char *text = NULL;
    FILE *file = open_memstream(&text, &size);
    fputs(head, file);
    for (int i = 0; i < count; i++) {
        for (const char *at = line; *at; at++) {
            if (*at == '#')
                fprintf(file, "%d", i);
            else
                fputc(*at, file);
        }
    }
    fclose(file);
    return text;
}

static const struct crowd {
    const char *shows, *head, *line;
    int most;
} crowds[] = {
    {"zones",    "zones:\n",                                                          "- {name: z#}\n",                             SITE_ZONES_MAX   },
    {"hosts",    "critical_assets:\n",                                                "- 10.0.0.1\n",                               SITE_ITEMS_MAX   },
    {"names",    "hosts:\n",                                                          "  h#: 10.0.0.1\n",                           SITE_NAMES_MAX   },
    {"conduits", "conduits:\n",                                                       "- {from: any, to: any}\n",                   SITE_CONDUITS_MAX},
    {"windows",  "windows:\n",                                                        "- {name: w#, days: mon, operations: any}\n", SITE_WINDOWS_MAX },
    {"data",     "data_access:\n",                                                    "- {name: d#, target: any, read: any}\n",     SITE_DATA_MAX    },
    {"objects",  "data_access:\n- name: d\n  target: any\n  read: any\n  objects:\n", "  - DB#\n",
     SITE_OBJECTS_MAX                                                                                                                                },
};

START_TEST(crowd)
{
    const struct crowd *c = &crowds[_i];
    struct error err = {""};
    char *text = repeat(c->head, c->line, c->most);
    struct site *site = parse(text, &err);
    ck_assert_msg(site != NULL, "%d %s: %s", c->most, c->shows, err.text);
    site_release(site);
    free(text);
    text = repeat(c->head, c->line, c->most + 1);
    site = parse(text, &err);
    ck_assert_msg(!site && strstr(err.text, "more than"), "%d %s: %s", c->most + 1, c->shows,
                  err.text);
    free(text);
}
END_TEST

START_TEST(file_too_large)
{
    char path[] = "/tmp/test_site_XXXXXX";
    struct error err = {""};
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    for (int i = 0; i <= SITE_FILE_MAX; i++)
        fputc('#', file);
    fclose(file);
    struct site *site = site_read(path, "UTC", &err);
    remove(path);
    ck_assert(!site && strstr(err.text, "larger than 1 MiB"));
}
END_TEST

START_TEST(file_that_is_not_there)
{
    struct error err = {""};
    ck_assert(!site_read("/nonexistent/policy.yaml", "UTC", &err));
    ck_assert_ptr_nonnull(strstr(err.text, "cannot open policy /nonexistent/policy.yaml"));
}
END_TEST

/* --- where hosts stand --- */

static const char places[] = "hosts:\n"
                             "  plc-7: [10.0.1.7, '00:00:00:00:00:07']\n"
                             "zones:\n"
                             "- {name: plant, level: 2, subnets: 10.0.0.0/8}\n"
                             "- {name: cell, level: 1, subnets: [10.0.1.0/24, 'fd00:1::/32'],\n"
                             "   vlans: [100-109, 200], macs: '00:00:00:00:00:01'}\n"
                             "- {name: single, level: 3.5, hosts: plc-7}\n"
                             "- {name: own-public, subnets: 198.41.0.0/24}\n"
                             "- {name: world, level: 5, subnets: 0.0.0.0/0}\n"
                             "engineering_stations: [10.0.2.2, cell]\n"
                             "safety_assets: [10.0.1.8, {hosts: 10.0.1.9, masters: 10.0.2.2}]\n"
                             "critical_assets: plc-7\n";

static const struct row {
    const char *shows, *ip, *mac;
    uint16_t vlan;
    const char *zone;
    int level;
    bool is_internet, is_engineering, is_safety, is_critical;
} rows[] = {
    {"the longest subnet wins",        "10.0.1.5",     "",                  VLAN_NONE, "cell",       10, false, true,  false, false},
    {"the shorter one takes the rest", "10.0.2.5",     "",                  VLAN_NONE, "plant",      20, false, false, false,
     false                                                                                                                         },
    {"a station by its address",       "10.0.2.2",     "",                  VLAN_NONE, "plant",      20, false, true,  false, false},
    {"a single address is longest",    "10.0.1.7",     "",                  VLAN_NONE, "single",     35, false, false, false,
     true                                                                                                                          },
    {"a safety asset",                 "10.0.1.8",     "",                  VLAN_NONE, "cell",       10, false, true,  true,  false},
    {"a safety asset with masters",    "10.0.1.9",     "",                  VLAN_NONE, "cell",       10, false, true,  true,
     false                                                                                                                         },
    {"IPv6",                           "fd00:1::5",    "",                  VLAN_NONE, "cell",       10, false, true,  false, false},
    {"IPv6 outside",                   "fd00:2::5",    "",                  VLAN_NONE, "",           -1, false, false, false, false},
    {"a MAC without an address",       "",             "00:00:00:00:00:01", VLAN_NONE, "cell",       10, false, true,  false,
     false                                                                                                                         },
    {"a named host's MAC",             "",             "00:00:00:00:00:07", VLAN_NONE, "single",     35, false, false, false,
     true                                                                                                                          },
    {"a VLAN when nothing else tells", "",             "00:00:00:00:00:02", 105,       "cell",       10, false, true,  false,
     false                                                                                                                         },
    {"another VLAN of the zone",       "fd00:2::5",    "",                  200,       "cell",       10, false, true,  false, false},
    {"a VLAN of no zone",              "",             "00:00:00:00:00:02", 110,       "",           -1, false, false, false, false},
    {"the address before the VLAN",    "10.0.2.5",     "",                  105,       "plant",      20, false, false, false, false},
    {"a public address",               "198.51.101.9", "00:00:00:00:00:01", 105,       "world",      50, true,  false, false,
     false                                                                                                                         },
    {"the plant's own public range",   "198.41.0.9",   "",                  VLAN_NONE, "own-public", -1, false, false,
     false,                                                                                                                   false},
};

START_TEST(place)
{
    const struct row *r = &rows[_i];
    struct error err = {""};
    struct site *site = parse(places, &err);
    ck_assert_msg(site != NULL, "%s", err.text);
    struct endpoint host = {0};
    ck_assert(!*r->ip || address_parse(&host.ip, r->ip));
    ck_assert(!*r->mac || mac_parse(&host.mac, r->mac));
    struct site_place p;
    site_place(site, &host, r->vlan, &p);
    struct site_host h = site_host(site, &host, r->vlan);
    ck_assert_msg(strcmp(p.zone, r->zone) == 0, "%s: in zone %s", r->shows, p.zone);
    ck_assert_msg(p.level == r->level, "%s: on level %d", r->shows, p.level);
    ck_assert_msg(h.is_internet == r->is_internet, "%s: internet", r->shows);
    ck_assert_msg(p.is_engineering == r->is_engineering, "%s: engineering", r->shows);
    ck_assert_msg(p.is_safety == r->is_safety, "%s: safety", r->shows);
    ck_assert_msg(p.is_critical == r->is_critical, "%s: critical", r->shows);
    site_release(site);
}
END_TEST

/* --- times --- */

/* 2026-03-02 was a Monday; in Berlin summer began on 2026-03-29 at 02:00. */
static const struct when {
    const char *shows, *schedule, *time;
    bool holds;
} whens[] = {
    {"inside a day's times",          "days: mon, times: '08:00-10:00'",                                      "2026-03-02T08:00:00Z", true },
    {"the end is outside",            "days: mon, times: '08:00-10:00'",                                      "2026-03-02T10:00:00Z", false},
    {"before the times",              "days: mon, times: '08:00-10:00'",                                      "2026-03-02T07:59:59Z", false},
    {"another day",                   "days: mon, times: '08:00-10:00'",                                      "2026-03-03T08:30:00Z", false},
    {"a range of days",               "days: sat-mon",                                                        "2026-03-01T12:00:00Z", true },
    {"outside of the range of days",  "days: sat-mon",                                                        "2026-03-03T12:00:00Z", false},
    {"past midnight, the same day",   "days: mon, times: '22:00-04:00'",                                      "2026-03-02T23:00:00Z",
     true                                                                                                                                  },
    {"past midnight, the next day",   "days: mon, times: '22:00-04:00'",                                      "2026-03-03T03:59:00Z",
     true                                                                                                                                  },
    {"not the night before",          "days: mon, times: '22:00-04:00'",                                      "2026-03-02T03:00:00Z", false},
    {"times without days: every day", "times: '08:00-10:00'",                                                 "2026-03-05T09:00:00Z", true },
    {"until 24:00",                   "days: mon, times: '20:00-24:00'",                                      "2026-03-02T23:59:59Z", true },
    {"once, inside",                  "start: 2026-03-02T08:00, end: 2026-03-02T09:00",                       "2026-03-02T08:30:00Z",
     true                                                                                                                                  },
    {"once, after",                   "start: 2026-03-02T08:00, end: 2026-03-02T09:00",                       "2026-03-02T09:00:00Z",
     false                                                                                                                                 },
    {"recurring, before its start",   "start: 2026-03-10, days: mon",                                         "2026-03-02T08:30:00Z", false},
    {"recurring, after its end",      "end: 2026-03-08, days: mon",                                           "2026-03-09T08:30:00Z", false},
    {"a distance from UTC",           "days: mon, times: '08:00-10:00', timezone: '+02:00'",
     "2026-03-02T06:30:00Z",                                                                                                          true },
    {"the day of the zone",           "days: tue, timezone: '+02:00'",                                        "2026-03-02T23:00:00Z", true },
    {"UTC is said",                   "start: 2026-03-02T08:00Z, end: 2026-03-02T09:00Z, timezone: '+02:00'",
     "2026-03-02T08:30:00Z",                                                                                                          true },
};

START_TEST(time)
{
    const struct when *w = &whens[_i];
    char yaml[256];
    struct error err = {""};
    int64_t time_ns;
    snprintf(yaml, sizeof yaml, "windows:\n- {name: a, operations: any, %s}\n", w->schedule);
    struct site *site = parse(yaml, &err);
    ck_assert_msg(site != NULL, "%s: %s", w->shows, err.text);
    int year, month, day, hour, minute, second;
    ck_assert_int_eq(
        sscanf(w->time, "%d-%d-%dT%d:%d:%dZ", &year, &month, &day, &hour, &minute, &second), 6);
    time_ns = (local_time_days(year, (unsigned)month, (unsigned)day) * 86400 + hour * 3600 +
               minute * 60 + second) *
              INT64_C(1000000000);
    ck_assert_msg(site_schedule_holds(site, &site->windows[0].schedule, time_ns, NULL, NULL) ==
                      w->holds,
                  "%s", w->shows);
    site_release(site);
}
END_TEST

/* --- the whole --- */

START_TEST(same_content_same_fingerprint)
{
    struct error err = {""};
    struct site *a = parse("# one\nzones:\n- {name: a, level: 1}\n", &err);
    struct site *b = parse("\n\npolicy:\n  zones:\n  - level: 1\n    name: a\n", &err);
    struct site *c = parse("zones:\n- {name: a, level: 2}\n", &err);
    ck_assert(a && b && c);
    ck_assert_uint_eq(site_fingerprint(a), site_fingerprint(b));
    ck_assert_uint_ne(site_fingerprint(a), site_fingerprint(c));
    site_release(a);
    site_release(b);
    site_release(c);
}
END_TEST

START_TEST(example_is_well_formed)
{
    struct error err = {""};
    struct site *site = site_read(TEST_SOURCE_DIR "/sightglass-policy.yaml.example", "UTC", &err);
    ck_assert_msg(site != NULL, "%s", err.text);
    ck_assert_uint_gt(site->conduit_count, 0);
    ck_assert_uint_gt(site->window_count, 0);
    ck_assert_uint_gt(site->data_count, 0);
    site_release(site);
}
END_TEST

/* Stations of the configuration count beside those of the policy. */
START_TEST(stations_of_the_configuration)
{
    static const char text[] = "baseline:\n  engineering_stations: [10.0.0.9]\n"
                               "policy:\n  engineering_stations: 10.0.0.8\n";
    struct config config;
    struct error err = {""};
    config_defaults(&config);
    ck_assert_msg(config_parse(&config, text, sizeof text - 1, "c.yaml", &err), "%s", err.text);
    struct site *site = site_create(&config, &err);
    ck_assert_msg(site != NULL, "%s", err.text);
    struct endpoint a = {0}, b = {0}, c = {0};
    address_parse(&a.ip, "10.0.0.8");
    address_parse(&b.ip, "10.0.0.9");
    address_parse(&c.ip, "10.0.0.7");
    ck_assert(site_is_engineering(site, &a) && site_is_engineering(site, &b));
    ck_assert(!site_is_engineering(site, &c));
    site_release(site);
    config_release(&config);
}
END_TEST

/* Lines of a policy inside a configuration are lines of that file. */
START_TEST(lines_inside_a_configuration)
{
    static const char text[] = "sensor:\n  name: a\npolicy:\n  zones:\n  - name: a\n    levl: 1\n";
    struct config config;
    struct error err = {""};
    config_defaults(&config);
    ck_assert(config_parse(&config, text, sizeof text - 1, "c.yaml", &err));
    ck_assert(!site_create(&config, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "c.yaml:6: policy key `zones.levl` is unknown"));
    config_release(&config);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("site");
    TCase *tcase = tcase_create("policy");
    tcase_add_loop_test(tcase, fault, 0, sizeof faults / sizeof *faults);
    tcase_add_loop_test(tcase, operations_are_printed_as_one_writes_them, 0,
                        sizeof printed / sizeof *printed);
    tcase_add_loop_test(tcase, crowd, 0, sizeof crowds / sizeof *crowds);
    tcase_add_loop_test(tcase, place, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(tcase, time, 0, sizeof whens / sizeof *whens);
    tcase_add_test(tcase, file_too_large);
    tcase_add_test(tcase, file_that_is_not_there);
    tcase_add_test(tcase, same_content_same_fingerprint);
    tcase_add_test(tcase, example_is_well_formed);
    tcase_add_test(tcase, stations_of_the_configuration);
    tcase_add_test(tcase, lines_inside_a_configuration);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
