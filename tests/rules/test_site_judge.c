/* test_site_judge.c: what a policy raises, and beside each row the twin that it must not. */
#include "rules/site_judge.h"
#include "support/runner.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000000)

static const char plant[] =
    "hosts: {sis: 10.1.0.50}\n"
    "zones:\n"
    "- {name: cell, level: 1, subnets: 10.1.0.0/24}\n"
    "- {name: hall, level: 2, subnets: 10.2.0.0/24}\n"
    "- {name: site, level: 3, subnets: 10.3.0.0/24}\n"
    "- {name: dmz, level: 3.5, subnets: 10.35.0.0/24}\n"
    "- {name: office, level: 4, subnets: 10.4.0.0/24}\n"
    "- {name: logs, level: 3, subnets: 10.5.0.0/24}\n"
    "conduits:\n"
    "- {from: hall, to: cell}\n"
    "- {from: site, to: cell, protocols: modbus, operations: observe}\n"
    "- {from: site, to: hall, protocols: [modbus, tcp/4840, enip]}\n"
    "- {from: site, to: dmz, direction: both}\n"
    "- {from: cell, to: logs, one_way: true}\n"
    "- {from: 10.3.0.8, to: internet, protocols: tls}\n"
    "safety_assets: [{hosts: sis, masters: 10.2.0.7}, 10.1.0.51]\n"
    "internet:\n"
    "  egress: [{from: 10.3.0.9, to: 8.8.8.0/24, protocols: [dns, tcp/443]}]\n"
    "  ingress: [{from: 9.9.9.9, to: 10.35.0.1}]\n"
    "remote_access: [{from: dmz, to: site, protocols: rdp, days: mon, times: '08:00-10:00'}]\n"
    "data_access:\n"
    "- {name: set points, target: cell, protocols: modbus,\n"
    "   objects: [holding_register 100-109, coil 5], write: 10.2.0.5, read: [10.2.0.5, 10.2.0.6]}\n"
    "- {name: recipes, target: cell, protocols: s7comm, objects: ['DB6*'], write: []}\n";

/* A Monday, 09:00 UTC. */
#define MONDAY_NINE (INT64_C(1772442000) * SECOND)

enum stage { STARTED, ANSWERED, REFUSED, PROTOCOL, EVENT, REPLY_EVENT };

struct step {
    enum stage stage;
    const char *protocol;
    enum operation operation;
    const char *name; /* of the event */
    const char *area;
    uint64_t start, count;
    uint32_t number;
};

enum { STEPS_MAX = 4 };

static const struct row {
    const char *shows;
    const char *yaml; /* NULL: the plant's; "": none */
    const char *client, *server;
    uint16_t port;
    uint8_t transport;
    bool is_from_server; /* the packet at hand */
    bool is_known, is_usual, is_role_unknown;
    int64_t later_s;
    struct step steps[STEPS_MAX];
    int count;
    const char *raised;
} rows[] = {
#define TCP .transport = TRANSPORT_TCP
#define UDP .transport = TRANSPORT_UDP
  /* zones */
    {"no conduit leads there",                                                                   NULL,             "10.2.0.5",                                                                "10.3.0.5",                                                                                                502,TCP,
     .steps = {{.stage = STARTED}},.count = 1,                    .raised = "seg.zone-violation"},
    {"a conduit leads there",                                                                    NULL,             "10.2.0.5",                                                                "10.1.0.5",                                                                                                502,TCP,
     .steps = {{.stage = STARTED},
               {.stage = ANSWERED},
               {.stage = PROTOCOL, .protocol = "modbus"},
               {.stage = EVENT, .protocol = "modbus", .operation = OP_WRITE}},
     .count = 4,.raised = "" },
    {"not the other way round",                                                                  NULL,             "10.1.0.5",                                                                "10.2.0.5",                                                                                                502,TCP,
     .steps = {{.stage = STARTED}},.count = 1,                    .raised = "seg.zone-violation"},
    {"the other way round, when who opened it is a guess",                                       NULL,             "10.1.0.5",                                                                "10.2.0.5",                                                                                                502,TCP,
     .is_role_unknown = true,.steps = {{.stage = STARTED}}, .count = 1,    .raised = ""},
    {"a conduit of both directions",                                                                                          NULL,                                                                             "10.35.0.5",                                                         "10.3.0.5",                                                                           502,TCP,
     .steps = {{.stage = STARTED}},.count = 1,.raised = ""                   },
    {"told once for all stages of a flow",                                                                                          NULL,                                                                       "10.2.0.5",                                                   "10.3.0.5",                                                                            502,TCP,
     .steps = {{.stage = STARTED}, {.stage = ANSWERED}, {.stage = PROTOCOL, .protocol = "modbus"}},
     .count = 3,.raised = "seg.zone-violation"},
    {"inside a zone nothing is judged",                                                                                          NULL,                                                                          "10.1.0.5",                                                      "10.1.0.6",                                                                            502,TCP,
     .steps = {{.stage = STARTED}, {.stage = ANSWERED}, {.stage = PROTOCOL, .protocol = "modbus"}},
     .count = 3,.raised = ""},
    {"a host of no zone",                                                                                          NULL,                                                                                        "10.9.0.5",                                                                    "10.1.0.6",                                                                            502,TCP,.steps = {{.stage = STARTED}},
     .count = 1,                                                                                                                                                                                                                                                                                                                                                                               .raised = "seg.zone-violation"},
    {"two hosts of no zone",                                                                                          NULL,                                                                                     "10.9.0.5",                                                                 "10.8.0.6",                                                                            502,TCP,.steps = {{.stage = STARTED}},
     .count = 1,                                                                                                                                                                                                                                                                                                                                                                            .raised = ""},
    {"multicast stays on its segment",                                                                                          NULL,                                                                           "10.1.0.5",                                                       "239.255.0.1",                                                                            502,UDP,
     .steps = {{.stage = STARTED}},.count = 1,.raised = ""                    },
    {"link-local stays on its segment",                                                                                          NULL,                                                                          "10.1.0.5",                                                      "169.254.0.1",                                                                            502,UDP,
     .steps = {{.stage = STARTED}},.count = 1,.raised = ""                    },
 /* protocols of a conduit */
    {"the protocol that it allows",                                                                                          NULL,                                                                              "10.3.0.5",                                                          "10.2.0.5",                                                                            502,TCP,
     .steps = {{.stage = STARTED}, {.stage = ANSWERED}, {.stage = PROTOCOL, .protocol = "modbus"}},
     .count = 3,.raised = ""},
    {"another protocol",                                                                                          NULL,                                                                                         "10.3.0.5",                                                                     "10.2.0.5",                                                                            2000,TCP,
     .steps = {{.stage = STARTED}, {.stage = ANSWERED}, {.stage = PROTOCOL, .protocol = "http"}},
     .count = 3,.raised = "seg.zone-violation"},
    {"what nobody knows",                                                                                          NULL,                                                                                        "10.3.0.5",                                                                    "10.2.0.5",                                                                            2000,TCP,
     .steps = {{.stage = STARTED}, {.stage = ANSWERED}, {.stage = PROTOCOL, .protocol = NULL}},
     .count = 3,.raised = "seg.zone-violation"},
    {"a port that it allows",                                                                                          NULL,                                                                                    "10.3.0.5",                                                                "10.2.0.5",                                                                            4840,TCP,
     .steps = {{.stage = STARTED}, {.stage = ANSWERED}, {.stage = PROTOCOL, .protocol = "opcua"}},
     .count = 3,.raised = ""},
    {"the same port of another transport",                                                                                          NULL,                                                                       "10.3.0.5",                                                   "10.2.0.5",                                                                            4840,UDP,
     .steps = {{.stage = STARTED}, {.stage = PROTOCOL, .protocol = "opcua"}},.count = 2,
     .raised = "seg.zone-violation"},
    {"what is spoken inside of it",                                                                                          NULL,                                                                              "10.3.0.5",                                                          "10.2.0.5",                                                                            44818,TCP,
     .steps = {{.stage = PROTOCOL, .protocol = "enip"}, {.stage = PROTOCOL, .protocol = "cip"}},
     .count = 2,.raised = ""},
    {"refused at another protocol's port",                                                                                          NULL,                                                                       "10.3.0.5",                                                   "10.2.0.5",                                                                            3389,TCP,
     .steps = {{.stage = STARTED}, {.stage = REFUSED}},.count = 2,.raised = "seg.zone-violation" },
    {"refused at an allowed protocol's port",                                                                                          NULL,                                                                    "10.3.0.5",                                                "10.2.0.5",                                                                            502,TCP,
     .steps = {{.stage = STARTED}, {.stage = REFUSED}},.count = 2,.raised = ""},
 /* operations of a conduit */
    {"an operation that it allows",
     "zones: [{name: a, subnets: 10.3.0.0/24}, {name: b, subnets: 10.1.0.0/24}]\n"
     "conduits: [{from: a, to: b, protocols: modbus, operations: observe}]\n",                                                                              "10.3.0.5",                                                                                                                "10.1.0.5",                                                                                                                                  502,TCP,
     .steps = {{.stage = STARTED},
               {.stage = EVENT, .protocol = "modbus", .operation = OP_READ},
               {.stage = EVENT, .protocol = "modbus", .operation = OP_IDENTIFY}},
     .count = 3,.raised = ""},
    {"one that it does not",
     "zones: [{name: a, subnets: 10.3.0.0/24}, {name: b, subnets: 10.1.0.0/24}]\n"
     "conduits: [{from: a, to: b, protocols: modbus, operations: observe}]\n",                                                                                     "10.3.0.5",                                                                                                                "10.1.0.5",                                                                                                                           502,TCP,
     .steps = {{.stage = STARTED}, {.stage = EVENT, .protocol = "modbus", .operation = OP_WRITE}},
     .count = 2,.raised = "seg.zone-violation"},
    {"its answer is not a second one",
     "zones: [{name: a, subnets: 10.3.0.0/24}, {name: b, subnets: 10.1.0.0/24}]\n"
     "conduits: [{from: a, to: b, protocols: modbus, operations: observe}]\n",                                                                           "10.3.0.5",                                                                                                                "10.1.0.5",                                                                                                                                     502,TCP,
     .steps = {{.stage = EVENT, .protocol = "modbus", .operation = OP_WRITE},
               {.stage = REPLY_EVENT, .protocol = "modbus", .operation = OP_WRITE}},
     .count = 2,.raised = "seg.zone-violation"},
 /* levels */
    {"from the office to a cell",                                                                                          NULL,                                                                                "10.4.0.5",                                                            "10.1.0.5",                                                                            502,TCP,
     .steps = {{.stage = STARTED}},.count = 1,.raised = "seg.level-skip"                    },
    {"around the DMZ",                                                                                          NULL,                                                                                           "10.4.0.5",                                                                       "10.3.0.5",                                                                            80,TCP,.steps = {{.stage = STARTED}},
     .count = 1,                                                                                                                                                                                                                                                                                                                                                                                  .raised = "seg.level-skip"},
    {"from the office to the DMZ is one step",                                                                                          NULL,                                                                   "10.4.0.5",                                               "10.35.0.5",                                                                            80,TCP,
     .steps = {{.stage = STARTED}},.count = 1,.raised = "seg.zone-violation"                   },
    {"a conduit may skip a level",                                                                                          NULL,                                                                               "10.3.0.5",                                                           "10.1.0.5",                                                                            502,TCP,
     .steps = {{.stage = STARTED}, {.stage = PROTOCOL, .protocol = "modbus"}},.count = 2,
     .raised = ""},
    {"without conduits only levels count",
     "zones: [{name: a, level: 1, subnets: 10.1.0.0/24}, {name: c, level: 3, subnets: "
     "10.3.0.0/24}]\n",                                                                       "10.3.0.5",                                                                                                                                                                       "10.1.0.5",                                                                                                                                                                                                502,TCP,.steps = {{.stage = STARTED}},.count = 1,
     .raised = "seg.level-skip"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             },
    {"without conduits neighbours are free",
     "zones: [{name: a, level: 1, subnets: 10.1.0.0/24}, {name: b, level: 2, subnets: "
     "10.3.0.0/24}]\n",                                                                     "10.3.0.5",                                                                                                                                                                       "10.1.0.5",                                                                                                                                                                                                  502,TCP,
     .steps = {{.stage = STARTED}, {.stage = PROTOCOL, .protocol = "modbus"}},.count = 2,
     .raised = ""                                                                                               },
    {"without a DMZ levels 3 and 4 are neighbours",
     "zones: [{name: a, level: 3, subnets: 10.1.0.0/24}, {name: b, level: 4, subnets: "
     "10.3.0.0/24}]\n",                                                              "10.3.0.5",                                                                                                                                                                       "10.1.0.5",                                                                                                                                                                                                         502,TCP,.steps = {{.stage = STARTED}},.count = 1,                                                                                                                                                                                                                                                                                                                                                     .raised = ""                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             },
    {"a zone without a level skips none",
     "zones: [{name: a, subnets: 10.1.0.0/24}, {name: b, level: 4, subnets: 10.3.0.0/24}]\n",                                                                        "10.3.0.5",                                                                                                 "10.1.0.5",                                                                                                                         502,TCP,.steps = {{.stage = STARTED}},.count = 1,                                                                                                                                                                                                                                                                                                                                                               .raised = ""                                                                                                                                                                                                                                                                                                                                                                                                                                                                                       },
 /* one-way conduits */
    {"through a diode",                                                                                          NULL,                                                                                          "10.1.0.5",                                                                      "10.5.0.5",                                                                            514,UDP,.steps = {{.stage = STARTED}},
     .count = 1,                                                                                                                                                                                                                                                                                                                                                                                 .raised = ""},
    {"an answer through a diode",                                                                                          NULL,                                                                                "10.1.0.5",                                                            "10.5.0.5",                                                                            514,UDP,.is_from_server = true,
     .steps = {{.stage = ANSWERED}},                                                                                                                                                                                                                                                                                                                                                                              .count = 1,.raised = "seg.diode-violation"},
    {"a session against a diode",                                                           NULL,                                                                           "10.5.0.5",                                                                                                                          "10.1.0.5",                                                                                                                                                                     502,TCP,
     .steps = {{.stage = STARTED}},.count = 1,.raised = "seg.diode-violation"},
    {"an answer where no diode is",                                                           NULL,                                                                           "10.2.0.5",                                                                                                                        "10.1.0.5",                                                                                                                                                                   502,TCP,.is_from_server = true,
     .steps = {{.stage = ANSWERED}},     .count = 1,                                                                                                                                                                                                                                                                                                                                                                                                                                                               .raised = ""},
 /* the internet, with a policy */
    {"out, and not allowed",                                                                                NULL,                                                                                    "10.1.0.5",                                                                                                                                                             "52.1.1.1",                                                                                                                                                                                                                                                 443,TCP,.is_known = true,
     .steps = {{.stage = STARTED}},.count = 1,.raised = "seg.internet-egress"},
    {"out by an allowed port",                                                              NULL,                                                                    "10.3.0.9",                                                                                                              "8.8.8.8",                                                                                                                                                                                                                       443,TCP,
     .steps = {{.stage = STARTED}, {.stage = ANSWERED}, {.stage = PROTOCOL, .protocol = "tls"}},
     .count = 3,                                                                                                                                                                                                                                                                                         .raised = ""                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     },
    {"out by an allowed protocol", NULL,                                                                                                   "10.3.0.9",                                                                                                                                                                "8.8.8.8",                                                                                                                                                                                                                                                                         53,UDP,
     .steps = {{.stage = STARTED}, {.stage = ANSWERED}, {.stage = PROTOCOL, .protocol = "dns"}},
     .count = 3,.raised = ""},
    {"out by another protocol", NULL,                                                                                                   "10.3.0.9",                                                                                                                                                                "8.8.8.8",                                                                                                                                                                                                                                                                         22,TCP,
     .steps = {{.stage = STARTED}, {.stage = PROTOCOL, .protocol = "http"}},.count = 2,
     .raised = "seg.internet-egress"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        },
    {"out to another address",                     NULL,                           "10.3.0.9",                                                                                                                                                         "8.8.9.8",                                                                                                                                                                                                                                                                  443,TCP,.steps = {{.stage = STARTED}},
     .count = 1,.raised = "seg.internet-egress"},
    {"out by a conduit",                                                             NULL,                                                                                                   "10.3.0.8",                                                                                                                                             "52.1.1.1",                                                                                                                                                                                                                                                      443,TCP,
     .steps = {{.stage = PROTOCOL, .protocol = "tls"}},.count = 1,.raised = ""                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                 },
    {"an office computer is not the plant",                                          NULL,                                                "10.4.0.9",                                                                                                             "52.1.1.1",                                                                                                                                                                                                                      443,TCP,
     .steps = {{.stage = STARTED}},                    .count = 1,                                      .raised = ""},
    {"in, and not allowed",                                                              NULL,                                                                    "52.1.1.1",                                                                                                                                 "10.1.0.5",                                                                                                                                                                                                                                          502,TCP,.steps = {{.stage = STARTED}},
     .count = 1,.raised = "seg.internet-ingress"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        },
    {"in, and allowed",                                                             NULL,                                                                                                   "9.9.9.9",                                                                                                                                            "10.35.0.1",                                                                                                                                                                                                                                                     443,TCP,
     .steps = {{.stage = STARTED}, {.stage = ANSWERED}},.count = 2,                               .raised = ""},
 /* and without */
    {"out, never learned",                                         "",                                               "10.1.0.5",                                                                                                            "52.1.1.1",                                                                                                                                                                                                                     443,TCP,
     .steps = {{.stage = STARTED}, {.stage = ANSWERED}},                                       .count = 2,
     .raised = "seg.internet-egress"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                          },
    {"out, learned",                                         "",                                               "10.1.0.5",                                                                                                                                                         "52.1.1.1",                                                                                                                                                                                                                                                                  443,TCP,.is_known = true,
     .steps = {{.stage = STARTED}, {.stage = ANSWERED}},.count = 2,.raised = ""},
    {"out, but nobody answers",                                                                          "",                                                           "10.1.0.5",                                                                                                                          "52.1.1.1",                                                                                                                                                                                                                       443,TCP,.steps = {{.stage = STARTED}},
     .count = 1,                                                                .raised = ""                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                               },
    {"in, never learned",                                                                                       "",                                                                          "52.1.1.1",                                                                                                                                                                              "10.1.0.5",                                                                                                                                                                                                                                                                           443,TCP,.steps = {{.stage = ANSWERED}},
     .count = 1,.raised = "seg.internet-ingress"},
    {"two public addresses",                                                                                       "",                                                                         "52.1.1.1",                                                                                                                                                                              "52.1.1.2",                                                                                                                                                                                                                                                       443,TCP,.steps = {{.stage = ANSWERED}},
     .count = 1,                                          .raised = ""                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                               },
    {"private addresses",                                                                                       "",                                                                         "192.168.0.1",                                                                                                                                                                              "10.0.0.1",                                                                                                                                                                                                                                                                           443,TCP,
     .steps = {{.stage = STARTED}, {.stage = ANSWERED}},.count = 2,.raised = ""},
    {"a policy that says nothing of the internet",                                                                                       "zones: []\n",                                                           "10.1.0.5",                                                                                                                          "52.1.1.1",                                                                                                                                                                                                                       443,TCP,
     .is_known = true,.steps = {{.stage = STARTED}, {.stage = ANSWERED}},                                                                                                                                                                     .count = 2,
     .raised = ""},
 /* remote access */
    {"allowed at this time",                                                                                       NULL,                                                                                             "10.35.0.5",                                                                                                                    "10.3.0.5",                                                                                                                                                                                                                   3389,TCP,
     .steps = {{.stage = PROTOCOL, .protocol = "rdp"}},.count = 1,.raised = ""},
    {"allowed, but not at this time",                                                                                      NULL,                                                                                                   "10.35.0.5",                                                                                                                                       "10.3.0.5",                                                                                                                                                                                                                                      3389,TCP,.later_s = 3600,
     .steps = {{.stage = PROTOCOL, .protocol = "rdp"}},                         .count = 1,                                                                                                                                                                               .raised = "seg.remote-access"},
    {"not allowed, though learned",                                                                                      NULL,                                                                                                   "10.2.0.5",                                                                                                                                                             "10.1.0.5",                                                                                                                                                                                                                                                  22,TCP,.is_known = true,
     .steps = {{.stage = PROTOCOL, .protocol = "ssh"}},.count = 1,.raised = "seg.remote-access"},
    {"a tool that calls out",                                                                                "remote_access: []\n",                                                                                              "10.2.0.5",        "52.1.1.1",5938,TCP,
     .is_known = true,.steps = {{.stage = PROTOCOL, .protocol = "teamviewer"}},                                                       .count = 1,
     .raised = "seg.remote-access"},
    {"no policy, never learned",                                                                                "","10.2.0.5",                                                       "10.1.0.5",                                                                                                                                                                                                                                                                                                              5900,TCP,
     .steps = {{.stage = PROTOCOL, .protocol = "vnc"}},       .count = 1,.raised = "seg.remote-access"},
    {"no policy, learned",         "",                       "10.2.0.5",                                "10.1.0.5",5900,TCP,.is_known = true,
     .steps = {{.stage = PROTOCOL, .protocol = "vnc"}},.count = 1,.raised = ""},
    {"no remote access at all",                                                                                "",                                                                "10.2.0.5",                                                                                                "10.1.0.5",                                                                                                                                                                                                                                                                                                                                                                              502,                                                                                                                                                                                                                                                                                                                                                                                                                                                                 TCP,
     .steps = {{.stage = PROTOCOL, .protocol = "modbus"}},.count = 1,.raised = ""},
 /* safety systems */
    {"a write by who is no master",                                                                  NULL, "10.2.0.5", "10.1.0.50", 502,TCP,.is_usual = true,
     .steps = {{.stage = EVENT, .protocol = "modbus", .operation = OP_WRITE}},                 .count = 1,
     .raised = "plc.safety-access"},
    {"a read by who is no master",                                                              NULL,         "10.2.0.5",                                                                        "10.1.0.50",                                                                                                                                                                      502,TCP,
     .steps = {{.stage = EVENT, .protocol = "modbus", .operation = OP_READ}},                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                  .count = 1,
     .raised = ""},
    {"its master",                                                                                          NULL,                                                                               "10.2.0.7",                                                                                       "10.1.0.50",                                                                                                                                                                              502,TCP,
     .steps = {{.stage = EVENT, .protocol = "modbus", .operation = OP_WRITE},
               {.stage = EVENT, .protocol = "modbus", .operation = OP_STOP}},
     .count = 2,.raised = ""},
    {"no masters named, and not learned",                                                                                          NULL,                                                                                               "10.2.0.7",                                                                           "10.1.0.51",                                                                                            102,TCP,
     .steps = {{.stage = EVENT, .protocol = "s7comm", .operation = OP_STOP}},.count = 1,
     .raised = "plc.safety-access"},
    {"no masters named, and learned",                                                                                          NULL,                                                                        "10.2.0.7",                                                    "10.1.0.51",                                                     102,TCP,.is_usual = true,
     .steps = {{.stage = EVENT,
                .protocol = "s7comm",
                .operation = OP_WRITE,
                .area = "db",
                .number = 1,
                .start = 0}},
     .count = 1,                                                                                                                                                                              .raised = ""},
    {"recognised by TriStation",                                                                                          "",                                                                            "10.2.0.7",                                                        "10.1.0.9",                                                                                1502,UDP,
     .steps = {{.stage = EVENT, .protocol = "tristation", .operation = OP_PROGRAM_DOWNLOAD}},
     .count = 1,                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    .raised = "plc.safety-access"},
    {"TriStation that only looks",                                                                              "",                                                                                              "10.2.0.7",                                                                                                                                              "10.1.0.9",                                                                                                                                                            1502,UDP,
     .steps = {{.stage = EVENT, .protocol = "tristation", .operation = OP_DIAGNOSTICS}},.count = 1,
     .raised = ""},
    {"TriStation of the usual station",                                                             "",                                                                             "10.2.0.7",                                                                                                                           "10.1.0.9",                                                                                                                                                     1502,UDP,.is_usual = true,
     .steps = {{.stage = EVENT, .protocol = "tristation", .operation = OP_PROGRAM_DOWNLOAD}},
     .count = 1,.raised = ""},
    {"recognised by CIP Safety",                                                                               "",                                                                                               "10.2.0.7",                                                                                                                                        "10.1.0.9",                                                                                                                                                                                   44818,TCP,
     .steps = {{.stage = EVENT,
                .protocol = "cip",
                .operation = OP_CONFIG_CHANGE,
                .name = "safety_reset"}},
     .count = 1,.raised = "plc.safety-access"                                                                                                                                                                                                                                                                                                                                                                      },
    {"other CIP services",                                                                                 "",                                                                                     "10.2.0.7",                                                                                                                                                              "10.1.0.9",                                                                                                                                                                                                                                              44818,TCP,
     .steps = {{.stage = EVENT,
                .protocol = "cip",
                .operation = OP_CONFIG_CHANGE,
                .name = "set_attribute_single"}},
     .count = 1,.raised = ""},
    {"once recognised, by any protocol",                                                                                 "",                                                                    "10.2.0.7",                                                                                                                                             "10.1.0.9",                                                                                                                                                                                                                                   1502,UDP,
     .steps = {{.stage = EVENT, .protocol = "tristation", .operation = OP_WRITE},
               {.stage = EVENT, .protocol = "modbus", .operation = OP_WRITE}},
     .count = 2,.raised = "plc.safety-access plc.safety-access"},
 /* data access */
    {"a writer that is named",                                                                                 NULL,                                                                                     "10.2.0.5",                                                                                                                                                              "10.1.0.5",                                                                                                                                                                                                                                      502,TCP,
     .steps = {{.stage = EVENT,
                .protocol = "modbus",
                .operation = OP_WRITE,
                .area = "holding_register",
                .start = 100,
                .count = 10}},
     .count = 1,.raised = ""                                                                                                                                                                                                                                                                                                                                                                                                                                   },
    {"a writer that is not",                                                                                 NULL,                                                  "10.2.0.6",                                                                                                                           "10.1.0.5",                                                                                                                                                                                                             502,TCP,
     .steps = {{.stage = EVENT,
                .protocol = "modbus",
                .operation = OP_WRITE,
                .area = "holding_register",
                .start = 100,
                .count = 10}},
     .count = 1,.raised = "rw.new-writer"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        },
    {"the last of the registers",                                                                                 NULL,                                                                                     "10.2.0.6",                                                                                                                                                              "10.1.0.5",                                                                                                                                                                                                                                                  502,TCP,
     .steps = {{.stage = EVENT,
                .protocol = "modbus",
                .operation = OP_WRITE,
                .area = "holding_register",
                .start = 109,
                .count = 1}},
     .count = 1,.raised = "rw.new-writer"},
    {"the register behind them",                                                                                 NULL,                                                                        "10.2.0.6",                                                                                                                                                 "10.1.0.5",                                                                                                                                                                                                                                502,TCP,
     .steps = {{.stage = EVENT,
                .protocol = "modbus",
                .operation = OP_WRITE,
                .area = "holding_register",
                .start = 110,
                .count = 1}},
     .count = 1,.raised = ""},
    {"another area",                                                                                 NULL,                                                                        "10.2.0.6",                                                                                                                                                 "10.1.0.5",                                                                                                                                                                                                                                 502,TCP,
     .steps = {{.stage = EVENT,
                .protocol = "modbus",
                .operation = OP_WRITE,
                .area = "coil",
                .start = 100,
                .count = 1}},
     .count = 1,.raised = ""                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                },
    {"a reader that is named",                                                                                 NULL,                                                                                     "10.2.0.6",                                                                                                                                                              "10.1.0.5",                                                                                                                                                                                                                                                          502,TCP,
     .steps = {{.stage = EVENT,
                .protocol = "modbus",
                .operation = OP_READ,
                .area = "holding_register",
                .start = 100,
                .count = 1}},
     .count = 1,.raised = ""                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                               },
    {"a reader that is not",                                                                                 NULL,                                                                                     "10.2.0.7",                                                                                                                                                              "10.1.0.5",                                                                                                                                                                                                                                                502,TCP,
     .steps = {{.stage = EVENT,
                .protocol = "modbus",
                .operation = OP_READ,
                .area = "coil",
                .start = 5,
                .count = 1}},
     .count = 1,.raised = "rw.new-address"},
    {"another protocol",                                                                                 NULL,                                                                                     "10.2.0.7",                                                                                                                                                              "10.1.0.5",                                                                                                                                                                                                                                                  502,TCP,
     .steps = {{.stage = EVENT,
                .protocol = "umas",
                .operation = OP_READ,
                .area = "coil",
                .start = 5,
                .count = 1}},
     .count = 1,.raised = "rw.new-address"},
    {"nobody may write",                                                                                 NULL,                                                                       "10.2.0.5",                                                                                                                                                "10.1.0.5",                                                                                                                                                                                                                                        102,TCP,
     .steps = {{.stage = EVENT,
                .protocol = "s7comm",
                .operation = OP_WRITE,
                .area = "db",
                .number = 6,
                .start = 4,
                .count = 1}},
     .count = 1,.raised = "rw.new-writer"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             },
    {"who reads is not said",                                                                                 NULL,                                                                       "10.2.0.5",                                                                                                                                                "10.1.0.5",                                                                                                                                                                                                                                        102,TCP,
     .steps = {{.stage = EVENT,
                .protocol = "s7comm",
                .operation = OP_READ,
                .area = "db",
                .number = 6,
                .start = 4,
                .count = 1}},
     .count = 1,.raised = ""                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        },
    {"another data block",                                                                                 NULL,                                                                        "10.2.0.5",                                                                                                                                                 "10.1.0.5",                                                                                                                                                                                                                                    102,TCP,
     .steps = {{.stage = EVENT,
                .protocol = "s7comm",
                .operation = OP_WRITE,
                .area = "db",
                .number = 7,
                .start = 4,
                .count = 1}},
     .count = 1,.raised = ""},
};

struct run {
    char raised[512];
    struct finding last;
    bool is_known, is_usual;
};

static void keep(void *context, const struct finding *f)
{
    struct run *run = context;
    size_t used = strlen(run->raised);
    snprintf(run->raised + used, sizeof run->raised - used, "%s%s", used ? " " : "",
             detection_kind(f->detection)->id);
    run->last = *f;
}

static bool is_known(void *context, const struct ot_flow *flow, const char *protocol)
{
    (void)flow;
    (void)protocol;
    return ((struct run *)context)->is_known;
}

static bool is_usual(void *context, const struct ot_event *event)
{
    (void)event;
    return ((struct run *)context)->is_usual;
}

static void play(struct site_judge *j, const struct ot_flow *flow, const struct packet *packet,
                 const struct step *step)
{
    struct ot_item item = {.area = step->area,
                           .number = step->number,
                           .has_number = step->number != 0,
                           .has_start = true,
                           .start = step->start,
                           .count = (uint32_t)step->count,
                           .has_range = step->count > 0,
                           .low = step->start,
                           .high = step->start + step->count - (step->count > 0)};
    struct ot_event e = {.time_ns = packet->time_ns,
                         .flow = flow,
                         .packet = packet,
                         .protocol = step->protocol,
                         .operation = step->operation,
                         .name = step->name,
                         .items = &item,
                         .item_count = step->area != NULL,
                         .is_from_client = step->stage == EVENT,
                         .direction = step->stage == EVENT ? OT_REQUEST : OT_RESPONSE};
    switch (step->stage) {
    case STARTED:
        site_judge_started(j, flow, packet);
        break;
    case ANSWERED:
        site_judge_answered(j, flow, packet);
        break;
    case REFUSED:
        site_judge_refused(j, flow, packet);
        break;
    case PROTOCOL:
        site_judge_protocol(j, flow, step->protocol, packet);
        break;
    case EVENT:
    case REPLY_EVENT:
        site_judge_event(j, &e);
        break;
    }
}

static struct site *policy_of(const struct row *r)
{
    struct error err = {""};
    struct config none;
    const char *yaml = r->yaml ? r->yaml : plant;
    config_defaults(&none);
    struct site *site =
        *yaml ? site_parse(yaml, strlen(yaml), "p.yaml", "UTC", &err) : site_create(&none, &err);
    ck_assert_msg(site != NULL, "%s: %s", r->shows, err.text);
    return site;
}

START_TEST(row)
{
    const struct row *r = &rows[_i];
    struct run run = {.is_known = r->is_known, .is_usual = r->is_usual};
    struct ot_flow flow = {.id = 7,
                           .transport = r->transport,
                           .is_role_known = !r->is_role_unknown,
                           .is_start_seen = true,
                           .first_ns = MONDAY_NINE};
    ck_assert(address_parse(&flow.client.ip, r->client) &&
              address_parse(&flow.server.ip, r->server));
    flow.client.port = 49152;
    flow.server.port = r->port;
    const struct endpoint *from = r->is_from_server ? &flow.server : &flow.client;
    const struct endpoint *to = r->is_from_server ? &flow.client : &flow.server;
    struct packet packet = {.time_ns = MONDAY_NINE + r->later_s * SECOND,
                            .source = from->ip,
                            .source_port = from->port,
                            .destination = to->ip,
                            .destination_port = to->port,
                            .number = 1};
    struct site *site = policy_of(r);
    struct site_judge_options options = {is_known, is_usual, &run};
    struct finding_sink sink = {.context = &run, .finding = keep};
    struct site_judge *j = site_judge_create(&options, site, &sink);
    site_release(site);
    for (int i = 0; i < r->count; i++)
        play(j, &flow, &packet, &r->steps[i]);
    site_judge_tick(j, packet.time_ns, true);
    ck_assert_msg(strcmp(run.raised, r->raised) == 0, "%s: raised \"%s\", not \"%s\"", r->shows,
                  run.raised, r->raised);
    ck_assert_msg(!*r->raised || (run.last.what[0] && run.last.expected[0] && run.last.seen[0]),
                  "%s: does not explain itself", r->shows);
    if (strstr(r->raised, "diode") && r->is_from_server)
        ck_assert(address_equal(&run.last.actor.ip, &flow.server.ip));
    site_judge_destroy(j);
}
END_TEST

/* A station whose submodules were given PROFIsafe parameters, and who acts on it. */
static const struct safe_row {
    const char *shows, *client, *protocol;
    enum operation operation;
    bool has_parameters;
    bool is_by_mac; /* without an address */
    const char *raised;
} safe_rows[] = {
    {"its controller sets it up again",     "10.2.0.5", "pnio_cm", OP_CONFIG_CHANGE, true,  false, ""},
    {"its controller does something else",  "10.2.0.5", "modbus",  OP_WRITE,         true,  false,
     "plc.safety-access"                                                                             },
    {"another sets it up",                  "10.2.0.6", "pnio_cm", OP_CONFIG_CHANGE, true,  false,
     "plc.safety-access"                                                                             },
    {"another looks at it",                 "10.2.0.6", "pnio_cm", OP_IDENTIFY,      true,  false, ""},
    {"another gives it a name, by its MAC", "10.2.0.6", "pn_dcp",  OP_CONFIG_CHANGE, true,  true,
     "plc.safety-access"                                                                             },
    {"a station without safe submodules",   "10.2.0.6", "pnio_cm", OP_CONFIG_CHANGE, false, false,
     ""                                                                                              },
    {"the same, by its MAC",                "10.2.0.6", "pn_dcp",  OP_CONFIG_CHANGE, false, true,  ""},
};

START_TEST(safe_stations)
{
    const struct safe_row *r = &safe_rows[_i];
    static const struct mac station = {
        {0, 0x0e, 0x8c, 1, 2, 3}
    };
    struct run run = {.is_known = true};
    struct error err = {""};
    struct config none;
    config_defaults(&none);
    struct site *site = site_create(&none, &err);
    struct site_judge_options options = {is_known, is_usual, &run};
    struct finding_sink sink = {.context = &run, .finding = keep};
    struct site_judge *j = site_judge_create(&options, site, &sink);
    site_release(site);
    struct ot_flow flow = {
        .id = 7, .transport = TRANSPORT_UDP, .is_role_known = true, .first_ns = MONDAY_NINE};
    address_parse(&flow.client.ip, "10.2.0.5");
    address_parse(&flow.server.ip, "10.1.0.8");
    flow.server.mac = station;
    struct packet packet = {.time_ns = MONDAY_NINE, .source = flow.client.ip, .number = 1};
    struct ot_event e = {.time_ns = MONDAY_NINE,
                         .flow = &flow,
                         .packet = &packet,
                         .protocol = "pnio_cm",
                         .operation = OP_CONFIG_CHANGE,
                         .is_from_client = true,
                         .flags = r->has_parameters ? OT_SAFETY : 0};
    site_judge_event(j, &e);
    ck_assert_str_eq(run.raised, "");
    flow.id = 8;
    address_parse(&flow.client.ip, r->client);
    if (r->is_by_mac)
        flow.server.ip = flow.client.ip = (struct address){.kind = ADDRESS_NONE};
    e.protocol = r->protocol;
    e.operation = r->operation;
    e.flags = 0;
    site_judge_event(j, &e);
    site_judge_tick(j, MONDAY_NINE, true);
    ck_assert_msg(strcmp(run.raised, r->raised) == 0, "%s: raised \"%s\"", r->shows, run.raised);
    site_judge_destroy(j);
}
END_TEST

/* A flow that is older than the policy is judged by its next event; one that is allowed is not
 * told. */
START_TEST(another_policy_while_a_flow_goes_on)
{
    static const char strict[] =
        "zones: [{name: a, subnets: 10.1.0.0/24}, {name: b, subnets: 10.2.0.0/24}]\n"
        "conduits: []\n";
    struct run run = {.is_known = true};
    struct error err = {""};
    struct config none;
    config_defaults(&none);
    struct site *first = site_create(&none, &err),
                *second = site_parse(strict, sizeof strict - 1, "p", "UTC", &err);
    ck_assert(first && second);
    struct ot_flow flow = {
        .id = 7, .transport = TRANSPORT_TCP, .is_role_known = true, .first_ns = MONDAY_NINE};
    address_parse(&flow.client.ip, "10.2.0.1");
    address_parse(&flow.server.ip, "10.1.0.1");
    struct packet packet = {.time_ns = MONDAY_NINE, .source = flow.client.ip};
    struct site_judge_options options = {is_known, is_usual, &run};
    struct finding_sink sink = {.context = &run, .finding = keep};
    struct site_judge *j = site_judge_create(&options, first, &sink);
    const struct step steps[] = {
        {.stage = STARTED     },
        { .stage = EVENT, .protocol = "modbus", .operation = OP_READ}
    };
    play(j, &flow, &packet, &steps[0]);
    play(j, &flow, &packet, &steps[1]);
    site_judge_tick(j, MONDAY_NINE + SECOND, false);
    ck_assert_str_eq(run.raised, "");
    site_judge_take(j, second);
    packet.time_ns += 2 * SECOND;
    play(j, &flow, &packet, &steps[1]);
    play(j, &flow, &packet, &steps[1]);
    ck_assert_str_eq(run.raised, "seg.zone-violation");
    site_release(first);
    site_release(second);
    site_judge_destroy(j);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("site judge");
    TCase *tcase = tcase_create("rows");
    tcase_add_loop_test(tcase, row, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(tcase, safe_stations, 0, sizeof safe_rows / sizeof *safe_rows);
    tcase_add_test(tcase, another_policy_while_a_flow_goes_on);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
