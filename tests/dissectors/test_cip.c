/* test_cip.c: CIP messages. Expected values: CIP Networks Library, Volume 1; Rockwell 1756-PM020;
 * public captures of ControlLogix controllers for the classes that are in no document. */
#include "dissectors/cip_path.h"
#include "dissectors/cip_services.h"
#include "dissectors/cip_status.h"
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_cip;

static struct probe *keyed_probe(void)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    p->carrier = (struct carrier){.key = 7, .is_keyed = true, .transaction = 7};
    return p;
}

/* --- what each service of each class is --- */

struct service_row {
    const char *hex; /* service, path */
    const char *code, *operation;
};

/* clang-format off: one row per line */
static const struct service_row services[] = {
  /* common */
    {"01 02 2001 2401",                                              "service=0x01,class=0x01",   "identify"        },
    {"01 02 20f5 2401",                                              "service=0x01,class=0xf5",   "read"            },
    {"02 02 20f5 2401",                                              "service=0x02,class=0xf5",   "config_change"   },
    {"03 02 2067 2401 0100 0100",                                    "service=0x03,class=0x67",   "read"            },
    {"04 02 2064 2401 0100 0100",                                    "service=0x04,class=0x64",   "config_change"   },
    {"05 02 2001 2401",                                              "service=0x05,class=0x01",   "restart"         },
    {"06 02 2010 2401",                                              "service=0x06,class=0x10",   "start"           },
    {"07 02 2010 2401",                                              "service=0x07,class=0x10",   "stop"            },
    {"08 02 2005 2400",                                              "service=0x08,class=0x05",   "config_change"   },
    {"08 02 2068 2400",                                              "service=0x08,class=0x68",   "program_download"},
    {"08 02 206e 2400",                                              "service=0x08,class=0x6e",   "program_download"},
    {"08 02 2072 2400",                                              "service=0x08,class=0x72",   "program_download"},
    {"08 02 2073 2400",                                              "service=0x08,class=0x73",   "config_change"   },
    {"09 02 206b 2401",                                              "service=0x09,class=0x6b",   "program_delete"  },
    {"4b 02 205d 2401",                                              "service=0x4b,class=0x5d",   "config_change"   },
    {"4c 02 205e 2401",                                              "service=0x4c,class=0x5e",   "config_change"   },
    {"63 02 205f 2401",                                              "service=0x63,class=0x5f",   "config_change"   },
    {"64 02 205f 2401",                                              "service=0x64,class=0x5f",   "unknown"         },
    {"4b 02 2060 2401",                                              "service=0x4b,class=0x60",   "unknown"         },
    {"0d 02 20f5 2401",                                              "service=0x0d,class=0xf5",   "config_change"   },
    {"0e 03 20f4 2401 3001",                                         "service=0x0e,class=0xf4",   "read"            },
    {"10 03 20f6 2401 3006 01",                                      "service=0x10,class=0xf6",   "config_change"   },
    {"10 03 2004 2464 3003 01",                                      "service=0x10,class=0x04",   "write"           },
    {"10 03 2009 2401 3003 01",                                      "service=0x10,class=0x09",   "control"         },
    {"10 03 200b 2401 3003 01",                                      "service=0x10,class=0x0b",   "write"           },
    {"10 03 200f 2401 3001 01",                                      "service=0x10,class=0x0f",   "write"           },
    {"10 03 2029 2401 3003 01",                                      "service=0x10,class=0x29",   "control"         },
    {"10 03 202a 2401 3008 01",                                      "service=0x10,class=0x2a",   "control"         },
    {"10 03 20f5 2401 3005 01",                                      "service=0x10,class=0xf5",   "config_change"   },
    {"10 03 205e 2401 3001 01",                                      "service=0x10,class=0x5e",   "config_change"   },
    {"10 03 2047 2401 3001 01",                                      "service=0x10,class=0x47",   "config_change"   },
    {"11 02 2005 2400",                                              "service=0x11,class=0x05",   "browse"          },
    {"15 02 200f 2400",                                              "service=0x15,class=0x0f",   "config_change"   },
    {"16 02 200f 2400",                                              "service=0x16,class=0x0f",   "config_change"   },
    {"17 02 2001 2401",                                              "service=0x17,class=0x01",   "session"         },
    {"18 02 2004 2401",                                              "service=0x18,class=0x04",   "read"            },
    {"19 02 2004 2401",                                              "service=0x19,class=0x04",   "write"           },
    {"1a 02 2004 2401",                                              "service=0x1a,class=0x04",   "config_change"   },
    {"1b 02 2004 2401",                                              "service=0x1b,class=0x04",   "config_change"   },
    {"1c 02 2043 2401",                                              "service=0x1c,class=0x43",   "time_set"        },
    {"1d 02 2004 2401",                                              "service=0x1d,class=0x04",   "browse"          },
 /* Connection Manager */
    {"56 02 2006 2401",                                              "service=0x56,class=0x06",   "diagnostics"     },
    {"57 02 2006 2401",                                              "service=0x57,class=0x06",   "diagnostics"     },
    {"5a 02 2006 2401",                                              "service=0x5a,class=0x06",   "diagnostics"     },
    {"4e 02 2006 2401 0a0e 0100 4d00 78563412 03 00 0100 2002 2401", "service=0x4e,class=0x06",
     "session"                                                                                                      },
 /* tags */
    {"4c 02 9101 4100 0100",                                         "service=0x4c,class=symbol", "read"            },
    {"4d 02 9101 4100 c200 0100 05",                                 "service=0x4d,class=symbol", "write"           },
    {"4e 02 9101 4100 0100 01 ff",                                   "service=0x4e,class=symbol", "write"           },
    {"52 02 9101 4100 0100 00000000",                                "service=0x52,class=symbol", "read"            },
    {"53 02 9101 4100 c200 0100 00000000 05",                        "service=0x53,class=symbol", "write"           },
    {"55 02 9101 4100 0100 0100",                                    "service=0x55,class=symbol", "browse"          },
    {"4c 03 206b 2500 2024 0100",                                    "service=0x4c,class=0x6b",   "read"            },
    {"4d 03 206b 2500 2024 c200 0100 05",                            "service=0x4d,class=0x6b",   "write"           },
    {"53 03 206a 2500 2024 c200 0100 00000000 05",                   "service=0x53,class=0x6a",   "write"           },
    {"55 03 206b 2500 0000 0200 0100 0200",                          "service=0x55,class=0x6b",   "browse"          },
    {"03 02 206c 2401 0100 0100",                                    "service=0x03,class=0x6c",   "browse"          },
    {"4c 02 206c 2401 00000000 1000",                                "service=0x4c,class=0x6c",   "browse"          },
 /* File */
    {"4b 02 2037 2401 04",                                           "service=0x4b,class=0x37",   "file_read"       },
    {"4c 02 2037 2401 00000000",                                     "service=0x4c,class=0x37",   "file_write"      },
    {"4d 02 2037 2401",                                              "service=0x4d,class=0x37",   "file_read"       },
    {"4e 02 2037 2401",                                              "service=0x4e,class=0x37",   "file_write"      },
    {"4f 02 2037 2401 00",                                           "service=0x4f,class=0x37",   "file_read"       },
    {"50 02 2037 2401 00 00 aa",                                     "service=0x50,class=0x37",   "file_write"      },
    {"51 02 2037 2401",                                              "service=0x51,class=0x37",   "file_delete"     },
 /* firmware */
    {"51 02 20a1 2401 16ff1b00",                                     "service=0x51,class=0xa1",   "firmware_update" },
    {"4b 02 20a1 2401 16ff1b00",                                     "service=0x4b,class=0xa1",   "firmware_update" },
    {"4d 02 20a1 2401 00000000 9595",                                "service=0x4d,class=0xa1",   "firmware_update" },
 /* Logix controller */
    {"06 02 208e 2401",                                              "service=0x06,class=0x8e",   "start"           },
    {"07 02 208e 2401",                                              "service=0x07,class=0x8e",   "stop"            },
    {"06 02 2064 2401",                                              "service=0x06,class=0x64",   "start"           },
    {"07 02 2064 2401",                                              "service=0x07,class=0x64",   "stop"            },
    {"4b 04 208e 2401 2074 2401 00",                                 "service=0x4b,class=0x8e",   "lock"            },
    {"4c 04 208e 2401 2074 2401",                                    "service=0x4c,class=0x8e",   "lock"            },
    {"4b 05 2068 2500 2024 2074 2401 00",                            "service=0x4b,class=0x68",   "lock"            },
    {"4c 05 2068 2500 2024 2074 2401",                               "service=0x4c,class=0x68",   "lock"            },
    {"4b 02 20ac 2401 0000 0100",                                    "service=0x4b,class=0xac",   "program_modify"  },
    {"4b 02 20ac 2401 0600 0100",                                    "service=0x4b,class=0xac",   "session"         },
    {"4f 02 20ac 2401",                                              "service=0x4f,class=0xac",   "program_modify"  },
    {"04 02 20ac 2401 0100 0a00 93a5c303",                           "service=0x04,class=0xac",   "session"         },
    {"04 02 208b 2401 0100 0600 c058722208 5a0400",                  "service=0x04,class=0x8b",   "time_set"        },
    {"03 02 208b 2401 0100 0600",                                    "service=0x03,class=0x8b",   "diagnostics"     },
    {"05 02 2072 2401",                                              "service=0x05,class=0x72",   "program_delete"  },
    {"4b 02 2072 2401",                                              "service=0x4b,class=0x72",   "program_download"},
    {"04 02 2068 2401 0100 0200 05",                                 "service=0x04,class=0x68",   "program_download"},
    {"04 02 2069 2401 0100 0200 05",                                 "service=0x04,class=0x69",   "program_download"},
    {"04 02 207e 2401 0100 0200 05",                                 "service=0x04,class=0x7e",   "program_download"},
    {"04 02 206b 2401 0100 0300 05",                                 "service=0x04,class=0x6b",   "program_download"},
    {"04 02 206d 2401 0100 0200 05",                                 "service=0x04,class=0x6d",   "program_download"},
    {"04 02 2077 2401 0100 0500 00",                                 "service=0x04,class=0x77",   "program_download"},
    {"04 02 2070 2401 0100 0200 05",                                 "service=0x04,class=0x70",   "program_download"},
    {"04 02 2070 2401 0100 0100 05",                                 "service=0x04,class=0x70",   "program_modify"  },
    {"50 03 206a 2500 2024 00000000",                                "service=0x50,class=0x6a",   "program_download"},
    {"4b 02 2068 2400",                                              "service=0x4b,class=0x68",   "browse"          },
    {"4b 02 206b 2400",                                              "service=0x4b,class=0x6b",   "browse"          },
    {"4b 02 2070 2400",                                              "service=0x4b,class=0x70",   "browse"          },
    {"4f 02 206a 2401",                                              "service=0x4f,class=0x6a",   "program_upload"  },
    {"4c 02 206d 2401",                                              "service=0x4c,class=0x6d",   "program_upload"  },
    {"4f 06 2068 2500 2024 206a 2500 2459",                          "service=0x4f,class=0x68",   "program_upload"  },
    {"51 06 2068 2500 2024 206a 2500 2459",                          "service=0x51,class=0x68",   "program_modify"  },
    {"50 06 2068 2500 2024 206a 2500 2459",                          "service=0x50,class=0x68",   "program_download"},
    {"03 02 2073 2401 0100 0500",                                    "service=0x03,class=0x73",   "diagnostics"     },
    {"4b 02 2064 2401 9900",                                         "service=0x4b,class=0x64",   "auth"            },
    {"4c 02 2064 2401 1400",                                         "service=0x4c,class=0x64",   "auth"            },
    {"4b 03 2100 3803 2400",                                         "service=0x4b,class=0x338",  "browse"          },
    {"4c 03 2100 4903 2401",                                         "service=0x4c,class=0x349",  "program_upload"  },
 /* wrapped: the operation is the inner one */
    {"36 02 2002 2401 07 02 208e 2401",                              "service=0x36,class=0x02",   "stop"            },
    {"37 02 2002 2401 0011223344556677 05 02 2072 2401 00000001 "
     "0011223344556677889900112233445566778899",                "service=0x37,class=0x02",   "program_delete"  },
    {"3a 02 2002 2401 4c 02 206d 2401",                              "service=0x3a,class=0x02",   "program_upload"  },
 /* Modbus object */
    {"4b 02 2044 2401 0000 0100",                                    "service=0x4b,class=0x44",   "read"            },
    {"4e 02 2044 2401 0000 0100",                                    "service=0x4e,class=0x44",   "read"            },
    {"4f 02 2044 2401 0000 0100 01",                                 "service=0x4f,class=0x44",   "write"           },
    {"50 02 2044 2401 0000 0100 0100",                               "service=0x50,class=0x44",   "write"           },
    {"51 02 2044 2401 03 0000 0001",                                 "service=0x51,class=0x44",   "write"           },
 /* safety and connection configuration */
    {"10 03 2039 2401 3001 01",                                      "service=0x10,class=0x39",   "config_change"   },
    {"05 02 2039 2401 01",                                           "service=0x05,class=0x39",   "config_change"   },
    {"54 02 2039 2401",                                              "service=0x54,class=0x39",   "lock"            },
    {"54 02 205b 2401",                                              "service=0x54,class=0x5b",   "lock"            },
    {"4b 02 20f3 2401",                                              "service=0x4b,class=0xf3",   "config_change"   },
    {"52 02 20f3 2401",                                              "service=0x52,class=0xf3",   "config_change"   },
 /* unknown: the number is kept, nothing is guessed */
    {"4b 02 2010 2401",                                              "service=0x4b,class=0x10",   "unknown"         },
    {"7f 02 2001 2401",                                              "service=0x7f,class=0x01",   "unknown"         },
    {"01 00",                                                        "service=0x01,class=none",   "read"            },
};
/* clang-format on */

START_TEST(service_of_class)
{
    const struct service_row *row = &services[_i];
    struct probe *p = keyed_probe();
    probe_hex(p, &dissector_cip, true, row->hex);
    ck_assert_msg(p->event_count == 1, "%s: %zu events", row->hex, p->event_count);
    ck_assert_msg(p->violation_count == 0, "%s: %s", row->hex,
                  p->violation_count ? probe_violation(p, 0)->why : "");
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_msg(strcmp(e->code, row->code) == 0, "%s: code %s", row->hex, e->code);
    ck_assert_msg(strcmp(e->operation, row->operation) == 0, "%s: %s", row->hex, e->operation);
    ck_assert_msg(strcmp(e->direction, "request") == 0, "%s", row->hex);

    /* the answer is of the same operation */
    uint8_t answer[4] = {(uint8_t)(0x80 | e->function), 0, 8, 0};
    probe_feed(p, &dissector_cip, false, answer, sizeof answer);
    e = probe_event(p, 1);
    ck_assert_msg(strcmp(e->operation, row->operation) == 0, "%s answered: %s", row->hex,
                  e->operation);
    ck_assert_msg(strcmp(e->direction, "response") == 0, "%s answered", row->hex);
    ck_assert_msg(strcmp(e->status, "error 8 service_not_supported") == 0, "%s", e->status);
    char code[16];
    snprintf(code, sizeof code, "service=0x%02x", (unsigned)answer[0] & 0x7f);
    ck_assert_str_eq(e->code, code);
    ck_assert_uint_eq(e->flags & OT_NO_REQUEST, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(table_is_sorted)
{
    for (size_t i = 1; i < cip_class_service_count; i++) {
        const struct cip_service *a = &cip_class_services[i - 1], *b = &cip_class_services[i];
        ck_assert_msg(a->class_id < b->class_id ||
                          (a->class_id == b->class_id && a->service < b->service),
                      "row %zu: class %x service %x", i, b->class_id, b->service);
    }
}
END_TEST

/* --- objects, values, words --- */

struct content {
    const char *shows, *request, *items, *detail, *response, *answered;
};

static const struct content contents[] = {
    {"a program's tag with member and indices",
     "4c 15 9113 50726f6772616d3a4d61696e50726f6772616d00 9104 4c696e65 2803 9105 5370656564 00 "
     "2801 2802 0100",                                                                                                    "Program:MainProgram.Line[3].Speed[1,2]", "",                          "cc000000 ca00 00008242",
     "Program:MainProgram.Line[3].Speed[1,2]=65"                                                                                                                                                                                                                                        },
    {"a long index",                            "4c 05 9101 4100 2a00 00010000 0100",                                     "A[256]",                                 "",                          "cc000000 c300 ffff",
     "A[256]=-1"                                                                                                                                                                                                                                                                        },
    {"an index of 16 bits",                     "4c 04 9101 4100 2900 2c01 0100",                                         "A[300]",                                 "",                          "cc000000 c700 ffff",
     "A[300]=65535"                                                                                                                                                                                                                                                                     },
    {"BOOL",                                    "4c 02 9101 4200 0100",                                                   "B",                                      "",                          "cc000000 c100 ff",                                     "B=1"                          },
    {"SINT",                                    "4c 02 9101 4200 0100",                                                   "B",                                      "",                          "cc000000 c200 fe",                                     "B=-2"                         },
    {"DINT",                                    "4c 02 9101 4200 0200",                                                   "B",                                      "",                          "cc000000 c400 01000000 feffffff",                      "B=1,-2"                       },
    {"LINT",                                    "4c 02 9101 4200 0100",                                                   "B",                                      "",                          "cc000000 c500 ffffffffffffffff",                       "B=-1"                         },
    {"USINT",                                   "4c 02 9101 4200 0100",                                                   "B",                                      "",                          "cc000000 c600 ff",                                     "B=255"                        },
    {"UDINT",                                   "4c 02 9101 4200 0100",                                                   "B",                                      "",                          "cc000000 c800 ffffffff",                               "B=4294967295"                 },
    {"ULINT",                                   "4c 02 9101 4200 0100",                                                   "B",                                      "",                          "cc000000 c900 0100000000000000",                       "B=1"                          },
    {"LREAL",                                   "4c 02 9101 4200 0100",                                                   "B",                                      "",                          "cc000000 cb00 000000000000f83f",                       "B=1.5"                        },
    {"SHORT_STRING",                            "4c 02 9101 4200 0100",                                                   "B",                                      "",                          "cc000000 da00 02 4f6b",                                "B=Ok"                         },
    {"STRING",                                  "4c 02 9101 4200 0100",                                                   "B",                                      "",                          "cc000000 d000 0200 4f6b",                              "B=Ok"                         },
    {"BYTE",                                    "4c 02 9101 4200 0100",                                                   "B",                                      "",                          "cc000000 d100 80",                                     "B=128"                        },
    {"WORD",                                    "4c 02 9101 4200 0100",                                                   "B",                                      "",                          "cc000000 d200 0080",                                   "B=32768"                      },
    {"DWORD",                                   "4c 02 9101 4200 0100",                                                   "B",                                      "",                          "cc000000 d300 00000080",                               "B=2147483648"                 },
    {"LWORD",                                   "4c 02 9101 4200 0100",                                                   "B",                                      "",                          "cc000000 d400 0200000000000000",                       "B=2"                          },
    {"STRING structure of Logix",               "4c 02 9101 4200 0100",                                                   "B",                                      "",
     "cc000000 a002 ce0f 02000000 4f6b00000000",                                                                                                                                                                                                         "B=Ok"                         },
    {"another structure",                       "4c 02 9101 4200 0100",                                                   "B",                                      "",                          "cc000000 a002 3412 0102",                              "B=0102"                       },
    {"an unknown type",                         "4c 02 9101 4200 0100",                                                   "B",                                      "",                          "cc000000 9900 0102",                                   "B=0102"                       },
    {"a part of a long answer",                 "52 02 9101 4200 0400 00000000",                                          "B",                                      "",
     "d2000600 c400 01000000 02000000",                                                                                                                                                                                                                  "B=1,2"                        },
    {"a REAL written",                          "4d 06 9109 46696c6c65725f5350 00 ca00 0100 00004843",                    "Filler_SP=200",                          "",
     "cd000000",                                                                                                                                                                                                                                         "Filler_SP"                    },
    {"DINTs written in fragments",              "53 02 9101 4200 c400 0200 00000000 01000000 02000000",                   "B=1,2",
     "",                                                                                                                                                                                         "d3000000",                                             "B"                            },
    {"bits set and cleared",                    "4e 02 9101 4200 0200 0100 feff",                                         "B=0100feff",                             "",                          "ce000000",                                             "B"                            },
    {"a symbol instance",                       "4c 03 206b 2500 2024 0100",                                              "0x6b/9248",                              "",                          "cc000000 c300 0500",
     "0x6b/9248=5"                                                                                                                                                                                                                                                                      },
    {"an attribute",                            "0e 03 2001 2401 3005",                                                   "0x01/1/5",                               "",                          "8e000000 6030",                                        "0x01/1/5=12384"               },
    {"an attribute of 16 bits",                 "0e 04 2001 2401 3100 0001",                                              "0x01/1/256",                             "",                          "8e000000 01",
     "0x01/1/256=1"                                                                                                                                                                                                                                                                     },
    {"an attribute set",                        "10 03 200f 2401 3001 2c01",                                              "0x0f/1/1=300",                           "Parameter",                 "90000000",
     "0x0f/1/1"                                                                                                                                                                                                                                                                         },
    {"assembly data is opaque",                 "10 03 2004 2464 3003 0102",                                              "0x04/100/3=0102",                        "Assembly",
     "90000000",                                                                                                                                                                                                                                         "0x04/100/3"                   },
    {"a list of attributes",                    "03 02 208e 2401 0300 0300 0800 1000",                                    "0x8e/1/3; 0x8e/1/8; 0x8e/1/16",
     "",                                                                                                                                                                                         "83000000 0300 0300 0000 01 0800 0000 02 1000 0000 03", "0x8e/1/3; 0x8e/1/8; 0x8e/1/16"},
    {"a list of one",                           "03 02 208e 2401 0100 0900",                                              "0x8e/1/9",                               "",
     "83000000 0100 0900 0000 11220000",                                                                                                                                                                                                                 "0x8e/1/9=8721"                },
    {"a list of one that does not exist",       "03 02 208e 2401 0100 0900",                                              "0x8e/1/9",                               "",
     "83000a00 0100 0900 1400",                                                                                                                                                                                                                          "0x8e/1/9"                     },
    {"the clock",                               "04 02 208b 2401 0100 0600 c0587222085a0400",                             "0x8b/1/6=1224890891000000",
     "2008-10-24T23:28:11.000000Z",                                                                                                                                                              "84000000 0100 0600 0000",                              "0x8b/1/6"                     },
    {"the address",                             "10 03 20f5 2401 3005 690aa8c0 00ffffff 010aa8c0 00000000 00000000 0000",
     "0xf5/1/5=690aa8c000ffffff010aa8c000000000000000000000",                                                                                                       "IP address 192.168.10.105",
     "90000000",                                                                                                                                                                                                                                         "0xf5/1/5"                     },
    {"the host name",                           "10 03 20f5 2401 3006 0400 706c6331",                                     "0xf5/1/6=0400706c6331",
     "host name plc1",                                                                                                                                                                           "90000000",                                             "0xf5/1/6"                     },
    {"reset without type",                      "05 02 2001 2401",                                                        "0x01/1",                                 "power cycle",               "85000000",                                             "0x01/1"                       },
    {"reset type 0",                            "05 02 2001 2401 00",                                                     "0x01/1",                                 "power cycle",               "85000000",                                             "0x01/1"                       },
    {"reset type 1",                            "05 02 2001 2401 01",                                                     "0x01/1",                                 "factory defaults",          "85000000",                                             "0x01/1"                       },
    {"reset type 2",                            "05 02 2001 2401 02",                                                     "0x01/1",
     "factory defaults, keeping communication parameters",                                                                                                                                       "85000000",                                             "0x01/1"                       },
    {"the object that is wrapped",              "36 02 2002 2401 07 02 208e 2401",                                        "0x8e/1",                                 "Controller Mode",
     "b6000000",                                                                                                                                                                                                                                         "0x8e/1"                       },
    {"a Logix tag's name in a download",        "04 03 206b 2500 2024 0100 0100 0700 50726f644f6e65",
     "0x6b/9248/1=070050726f644f6e65",                                                                                                                              "ProdOne",                   "84000000",                                             "0x6b/9248/1"                  },
};

START_TEST(content)
{
    const struct content *row = &contents[_i];
    struct probe *p = keyed_probe();
    probe_hex(p, &dissector_cip, true, row->request);
    ck_assert_msg(p->violation_count == 0, "%s: %s", row->shows,
                  p->violation_count ? probe_violation(p, 0)->why : "");
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_msg(strcmp(e->items, row->items) == 0, "%s: %s", row->shows, e->items);
    ck_assert_msg(strcmp(e->detail, row->detail) == 0, "%s: %s", row->shows, e->detail);
    probe_clear(p);
    probe_hex(p, &dissector_cip, false, row->response);
    e = probe_event(p, 0);
    const char *items = e->items; /* an item's own status is looked at elsewhere */
    ck_assert_msg(strncmp(items, row->answered, strlen(row->answered)) == 0, "%s answered: %s",
                  row->shows, items);
    probe_destroy(p);
}
END_TEST

/* --- facts --- */

struct facts_row {
    const char *shows, *request, *response, *facts;
};

static const struct facts_row facts_rows[] = {
    {"Get_Attributes_All of a controller",         "01 02 2001 2401",
     "81000000 0100 0e00 5c00 1437 6031 1b7baf00 14 313735362d4c37312f42204c4f47495835353731",                             "vendor=Rockwell Automation/Allen-Bradley; device_type=programmable logic controller; "
     "product=1756-L71/B LOGIX5571; order_number=1756-L71/B; firmware_version=20.55; "
     "serial_number=00af7b1b; mode=run; key_switch=remote"                                 },
    {"a status word in program mode",              "03 02 2001 2401 0100 0500", "83000000 0100 0500 0000 7030",
     "mode=program; key_switch=remote"                                                                                                                                                   },
    {"key switch in program",                      "0e 03 2001 2401 3005",      "8e000000 7020",
     "mode=program; key_switch=program"                                                                                                                                                  },
    {"key switch in run",                          "0e 03 2001 2401 3005",      "8e000000 6010",                           "mode=run; key_switch=run"                                    },
    {"a major fault",                              "0e 03 2001 2401 3005",      "8e000000 5034",                           "mode=fault; key_switch=remote"                               },
    {"the status of an adapter tells no mode",     "0e 03 2001 2401 3005",      "8e000000 6000",                           ""                                                            },
    {"an unknown vendor keeps its number",         "0e 03 2001 2401 3001",      "8e000000 0f27",
     "vendor=CIP vendor 9999"                                                                                                                                                            },
    {"a refused answer tells nothing",             "0e 03 2001 2401 3001",      "8e000800",                                ""                                                            },
    {"controller name",                            "01 02 2064 2401",
     "81000000 0f00 4e69667479436f6e74726f6c6c6572 0500 4669727374 0000",                                                  "name=NiftyController; program=NiftyController; comment=First"},
    {"a module answers with its catalogue number", "01 02 2064 2401",
     "81000000 0b00 313735362d454e42542f41",                                                                               ""                                                            },
    {"interface configuration",                    "0e 03 20f5 2401 3005",
     "8e000000 780aa8c0 00ffffff 00000000 00000000 00000000 0000",                                                         "ip=192.168.10.120"                                           },
    {"host name",                                  "0e 03 20f5 2401 3006",      "8e000000 0400 706c6331",                  "host_name=plc1"                                              },
    {"all of TCP/IP",                              "01 02 20f5 2401",
     "81000000 01000000 14000000 00000000 0200 20f62401 780aa8c0 00ffffff 00000000 00000000 "
     "00000000 "
     "0300 612e6200 0400 706c6331",                                                                                        "ip=192.168.10.120; host_name=plc1"                           },
    {"Ethernet Link",                              "0e 03 20f6 2401 3003",      "8e000000 0000bc3eebe4",                   "mac=00:00:bc:3e:eb:e4"                                       },
    {"all of Ethernet Link",                       "01 02 20f6 2401",           "81000000 64000000 0f000000 0000bc3eebe4",
     "mac=00:00:bc:3e:eb:e4"                                                                                                                                                             },
};

START_TEST(facts)
{
    const struct facts_row *row = &facts_rows[_i];
    struct probe *p = keyed_probe();
    probe_hex(p, &dissector_cip, true, row->request);
    probe_hex(p, &dissector_cip, false, row->response);
    const struct probe_event *e = probe_event(p, 1);
    ck_assert_msg(strcmp(e->facts, row->facts) == 0, "%s: %s", row->shows, e->facts);
    probe_destroy(p);
}
END_TEST

/* --- messages in messages --- */

START_TEST(unconnected_send_has_a_route)
{
    struct probe *p = keyed_probe();
    probe_hex(p, &dissector_cip, true,
              "52 02 2006 2401 047d 0900 4c029101 4100 0100 00 00 0100 0102");
    ck_assert_uint_eq(p->event_count, 2); /* the size was 9: a pad follows */
    ck_assert_str_eq(probe_event(p, 0)->code, "service=0x52,class=0x06");
    ck_assert_str_eq(probe_event(p, 0)->unit, "1/2");
    ck_assert_str_eq(probe_event(p, 1)->code, "service=0x4c,class=symbol");
    ck_assert_str_eq(probe_event(p, 1)->unit, "1/2");
    ck_assert_uint_eq(probe_event(p, 0)->flags, OT_CARRIER);
    ck_assert_uint_eq(probe_event(p, 1)->flags, 0);
    probe_hex(p, &dissector_cip, false, "cc000000 c300 0500");
    ck_assert_str_eq(probe_event(p, 2)->items, "A=5");
    ck_assert_str_eq(probe_event(p, 2)->unit, "1/2");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

/* Over two routes, one in the other. */
START_TEST(nested_routes_add_up)
{
    struct probe *p = keyed_probe();
    probe_hex(p, &dissector_cip, true,
              "52 02 2006 2401 047d 1600 5202 2006 2401 047d 0800 4c029101 4100 0100 0100 0103 "
              "0100 0102");
    ck_assert_uint_eq(p->event_count, 3);
    ck_assert_str_eq(probe_event(p, 0)->unit, "1/2");
    ck_assert_str_eq(probe_event(p, 1)->unit, "1/2/1/3");
    ck_assert_str_eq(probe_event(p, 2)->unit, "1/2/1/3");
    ck_assert_str_eq(probe_event(p, 2)->items, "A");
    probe_hex(p, &dissector_cip, false, "cc000000 c300 0500");
    ck_assert_str_eq(probe_event(p, 3)->items, "A=5");
    ck_assert_str_eq(probe_event(p, 3)->unit, "1/2/1/3");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

/* Four in each other: what the last one holds is not looked at. */
START_TEST(nesting_has_an_end)
{
    uint8_t message[256];
    size_t size = hex_bytes(message, sizeof message, "4c029101 4100 0100");
    struct probe *p = keyed_probe();
    for (int depth = 1; depth <= 4; depth++) {
        static const uint8_t head[] = {0x52, 0x02, 0x20, 0x06, 0x24, 0x01, 0x04, 0x7d};
        static const uint8_t route[] = {0x01, 0x00, 0x01, 0x03};
        memmove(message + sizeof head + 2, message, size);
        memcpy(message, head, sizeof head);
        message[sizeof head] = (uint8_t)size;
        message[sizeof head + 1] = 0;
        memcpy(message + sizeof head + 2 + size, route, sizeof route);
        size += sizeof head + 2 + sizeof route;
        probe_clear(p);
        probe_feed(p, &dissector_cip, true, message, size);
        ck_assert_uint_eq(p->event_count, depth < 4 ? (size_t)depth + 1 : 4);
        ck_assert_uint_eq(p->violation_count, depth == 4);
    }
    probe_destroy(p);
}
END_TEST

/* It is told as wrong, and what it asks for all the same. */
START_TEST(a_route_inside_of_several_services)
{
    struct probe *p = keyed_probe();
    probe_hex(p, &dissector_cip, true,
              "0a 02 2002 2401 0100 0400 5202 2006 2401 047d 0800 4c029101 4100 0100 0100 0103");
    ck_assert_uint_eq(p->event_count, 3);
    ck_assert_str_eq(probe_event(p, 2)->items, "A");
    ck_assert_str_eq(probe_event(p, 2)->unit, "1/3");
    ck_assert(probe_has_violation(p, VIOLATION_STATE));
    probe_destroy(p);
}
END_TEST

START_TEST(route_error_answers_the_embedded_request)
{
    struct probe *p = keyed_probe();
    probe_hex(p, &dissector_cip, true, "52 02 2006 2401 047d 0800 4c029101 4100 0100 0100 0104");
    probe_hex(p, &dissector_cip, false, "d2000101 0402 00");
    const struct probe_event *e = probe_event(p, 2);
    ck_assert_str_eq(e->code, "service=0x52");
    ck_assert_str_eq(e->name, "unconnected_send");
    ck_assert_str_eq(e->status, "error 1 request_timed_out");
    ck_assert_uint_eq(e->flags, 0); /* it carries nothing back */
    ck_assert_str_eq(e->items, "A");
    ck_assert_str_eq(e->unit, "1/4");
    probe_destroy(p);
}
END_TEST

START_TEST(route_over_a_network)
{
    struct probe *p = keyed_probe();
    probe_hex(p, &dissector_cip, true,
              "52 02 2006 2401 047d 0800 4c029101 4100 0100 0900 "
              "0101 120b 31302e3132382e312e3135 00 0103");
    ck_assert_str_eq(probe_event(p, 0)->unit, "1/1/2/10.128.1.15/1/3");
    probe_destroy(p);
}
END_TEST

#define MULTIPLE "0a 02 2002 2401 0200 0600 0e00 4c029101 4100 0100 4d029101 4200 c200 0100 05"

START_TEST(multiple_services_each_have_a_line)
{
    struct probe *p = keyed_probe();
    probe_hex(p, &dissector_cip, true, MULTIPLE);
    ck_assert_uint_eq(p->event_count, 3);
    ck_assert_str_eq(probe_event(p, 0)->code, "service=0x0a,class=0x02");
    ck_assert_str_eq(probe_event(p, 1)->items, "A");
    ck_assert_str_eq(probe_event(p, 2)->items, "B=5");
    for (size_t i = 0; i < 3; i++)
        ck_assert_uint_eq(probe_event(p, i)->flags, i == 0 ? OT_CARRIER : 0);
    probe_clear(p);
    probe_hex(p, &dissector_cip, false, "8a001e00 0200 0600 0c00 cc000000 c207 cd000f00");
    ck_assert_uint_eq(p->event_count, 3);
    ck_assert_uint_eq(probe_event(p, 0)->flags, OT_CARRIER);
    ck_assert_str_eq(probe_event(p, 0)->status, "error 30 embedded_service_error");
    ck_assert_str_eq(probe_event(p, 1)->operation, "read");
    ck_assert_str_eq(probe_event(p, 2)->operation, "write");
    ck_assert_str_eq(probe_event(p, 2)->items, "B");
    ck_assert_str_eq(probe_event(p, 2)->status, "error 15 privilege_violation");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

/* --- connections --- */

START_TEST(forward_open_is_told)
{
    struct probe *p = keyed_probe();
    probe_hex(p, &dissector_cip, true,
              "54 02 2006 2401 07f9 14000080 1300fe80 1400 4d00 f32b9532 00000000 00127a00 f443 "
              "00127a00 f443 a3 03 0100 2002 2401");
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->operation, "session");
    ck_assert_str_eq(e->unit, "1/0");
    ck_assert_str_eq(e->items, "0x02/1");
    ck_assert_str_eq(e->detail, "message connection every 8000.000 ms, originator 004d:32952bf3");
    probe_destroy(p);
}
END_TEST

START_TEST(forward_open_of_io_subscribes)
{
    struct probe *p = keyed_probe();
    probe_hex(
        p, &dissector_cip, true,
        "5b 02 2006 2401 07f9 14000080 1300fe80 1400 0100 f32b9532 00000000 10270000 08000048 "
        "10270000 08000048 01 09 34 04 0100 0c00 4100 01 01 2004 2401 2c65 2c64");
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_str_eq(e->name, "large_forward_open");
    ck_assert_str_eq(e->operation, "subscribe");
    ck_assert_str_eq(e->detail, "I/O connection every 10.000 ms, originator 0001:32952bf3");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(refused_ownership_is_named)
{
    struct probe *p = keyed_probe();
    probe_hex(p, &dissector_cip, true, "4e 02 2006 2401 0a0e 0100 4d00 78563412 02 00 2002 2401");
    probe_hex(p, &dissector_cip, false, "ce000101 0601 0100 4d00 78563412 00 00");
    ck_assert_str_eq(probe_event(p, 1)->status, "error 1 ownership_conflict");
    probe_destroy(p);
}
END_TEST

/* --- transfers --- */

START_TEST(program_download_is_one_transfer)
{
    static const char *const steps[][2] = {
        {"07 02 208e 2401",              ""                                                            },
        {"05 02 2072 2401",              "begin program_download key=1 name=controller program"        },
        {"08 02 2068 2401 0102",         "block program_download key=1 name=controller program bytes=2"},
        {"50 02 206a 2401 00000000",
         "block program_download key=1 name=controller program bytes=4"                                },
        {"04 02 206b 2401 0100 0300 05",
         "block program_download key=1 name=controller program bytes=5"                                },
        {"4b 02 2072 2401 84d9",         "end program_download key=1 name=controller program"          },
        {"04 02 206d 2401 0100 0200 05", ""                                                            },
        {"06 02 208e 2401",              ""                                                            },
        {"07 02 208e 2401",              ""                                                            },
        {"08 02 2068 2401 01",           "begin program_download key=1 name=controller program"        },
        {"06 02 208e 2401",              "end program_download key=1 name=controller program"          },
    };
    struct probe *p = keyed_probe();
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        probe_hex(p, &dissector_cip, true, steps[i][0]);
        ck_assert_msg(strcmp(probe_event(p, i)->transfer, steps[i][1]) == 0, "step %zu: %s", i,
                      probe_event(p, i)->transfer);
    }
    probe_destroy(p);
}
END_TEST

START_TEST(edit_steps_of_a_download_belong_to_it)
{
    struct probe *p = keyed_probe();
    probe_hex(p, &dissector_cip, true, "07 02 208e 2401");
    probe_hex(p, &dissector_cip, true, "05 02 2072 2401");
    probe_hex(p, &dissector_cip, true, "4b 02 2072 2401 84d9");
    probe_hex(p, &dissector_cip, true, "4b 02 20ac 2401 0000 0100");
    probe_hex(p, &dissector_cip, true, "06 02 208e 2401");
    probe_hex(p, &dissector_cip, true, "4b 02 20ac 2401 0000 0100");
    ck_assert_str_eq(probe_event(p, 3)->operation, "program_download");
    ck_assert_str_eq(probe_event(p, 3)->detail, "Edit Transaction");
    ck_assert_str_eq(probe_event(p, 5)->operation, "program_modify");
    probe_destroy(p);
}
END_TEST

START_TEST(firmware_is_one_transfer)
{
    struct probe *p = keyed_probe();
    probe_hex(p, &dissector_cip, true, "51 02 20a1 2401 16ff1b00 00000000");
    probe_hex(p, &dissector_cip, true, "4b 02 20a1 2401 16ff1b00 00000000");
    probe_hex(p, &dissector_cip, true, "4d 02 20a1 2401 00000000 95950000");
    probe_hex(p, &dissector_cip, true, "05 02 2001 2401");
    ck_assert_str_eq(probe_event(p, 0)->transfer,
                     "begin firmware_update key=2 name=firmware declared=1834774");
    ck_assert_str_eq(probe_event(p, 1)->transfer,
                     "block firmware_update key=2 name=firmware declared=1834774");
    ck_assert_str_eq(probe_event(p, 2)->transfer,
                     "block firmware_update key=2 name=firmware bytes=4");
    ck_assert_str_eq(probe_event(p, 3)->transfer, "end firmware_update key=2 name=firmware");
    probe_destroy(p);
}
END_TEST

START_TEST(refused_firmware_is_aborted)
{
    struct probe *p = keyed_probe();
    probe_hex(p, &dissector_cip, true, "4b 02 20a1 2401 16ff1b00 00000000");
    probe_hex(p, &dissector_cip, true, "4d 02 20a1 2401 00000000 95950000");
    probe_hex(p, &dissector_cip, false, "cd000101 0c09");
    ck_assert_str_eq(probe_event(p, 2)->transfer, "abort firmware_update key=2 name=firmware");
    probe_destroy(p);
}
END_TEST

START_TEST(file_is_one_transfer)
{
    struct probe *p = keyed_probe();
    probe_hex(p, &dissector_cip, true, "4b 02 2037 2401 04");
    probe_hex(p, &dissector_cip, true, "4f 02 2037 2401 00");
    probe_hex(p, &dissector_cip, false, "cf000000 00 00 aabb");
    probe_hex(p, &dissector_cip, true, "4f 02 2037 2401 01");
    probe_hex(p, &dissector_cip, false, "cf000000 01 02 cc");
    probe_hex(p, &dissector_cip, true, "4c 02 2037 2401 10000000");
    probe_hex(p, &dissector_cip, true, "50 02 2037 2401 00 03");
    ck_assert_str_eq(probe_event(p, 0)->transfer, "begin file_read key=3 name=file");
    ck_assert_str_eq(probe_event(p, 2)->transfer, "block file_read key=3 name=file bytes=2");
    ck_assert_str_eq(probe_event(p, 4)->transfer, "end file_read key=3 name=file bytes=1");
    ck_assert_str_eq(probe_event(p, 5)->transfer, "begin file_write key=3 name=file");
    ck_assert_str_eq(probe_event(p, 6)->transfer, "abort file_write key=3 name=file");
    probe_destroy(p);
}
END_TEST

/* --- what is wrong --- */

struct wrong {
    const char *shows, *hex;
    enum violation_kind kind; /* VIOLATION_COUNT_OF: nothing */
};

static const struct wrong wrongs[] = {
    {"a path that just fits",                       "01 02 2001 2401",                                                   VIOLATION_COUNT_OF},
    {"a path one word too long",                    "01 03 2001 2401",                                                   VIOLATION_LENGTH  },
    {"a service alone",                             "01",                                                                VIOLATION_LENGTH  },
    {"an unknown segment",                          "01 02 2001 e001",                                                   VIOLATION_ENCODING},
    {"a segment past the path",                     "01 01 2100 0100",                                                   VIOLATION_ENCODING},
    {"a tag name past the path",                    "4c 02 9105 4141 0100",                                              VIOLATION_ENCODING},
    {"a tag without a name",                        "4c 01 9100 0100",                                                   VIOLATION_ENCODING},
    {"a class of 32 bits",                          "01 03 2200 01000000",                                               VIOLATION_ENCODING},
    {"a read without its count",                    "4c 02 9101 4100",                                                   VIOLATION_LENGTH  },
    {"a write without a type",                      "4d 02 9101 4100 c2",                                                VIOLATION_LENGTH  },
    {"a write of the data it names",                "4d 02 9101 4100 c400 0200 0000000000000000",
     VIOLATION_COUNT_OF                                                                                                                    },
    {"a write one byte short",                      "4d 02 9101 4100 c400 0200 00000000000000",                          VIOLATION_COUNT   },
    {"a write of nothing",                          "4d 02 9101 4100 c400 0000",                                         VIOLATION_COUNT   },
    {"masks past the end",                          "4e 02 9101 4100 0400 01000000 ffffff",                              VIOLATION_LENGTH  },
    {"an attribute list that fits",                 "03 02 2001 2401 0200 0100 0200",                                    VIOLATION_COUNT_OF},
    {"an attribute list cut",                       "03 02 2001 2401 0200 0100",                                         VIOLATION_COUNT   },
    {"a set list without its attribute",            "04 02 2001 2401 0100",                                              VIOLATION_COUNT   },
    {"an empty set list",                           "04 02 2069 2401 0000",                                              VIOLATION_COUNT_OF},
    {"no services",                                 "0a 02 2002 2401 0000",                                              VIOLATION_COUNT   },
    {"offsets past the end",                        "0a 02 2002 2401 ff00 0200",                                         VIOLATION_COUNT   },
    {"an offset into the table",                    "0a 02 2002 2401 0100 0200 0100",                                    VIOLATION_RANGE   },
    {"offsets that fall",                           "0a 02 2002 2401 0200 0c00 0600 0102 2001 2401 0102 2001 2401",
     VIOLATION_RANGE                                                                                                                       },
    {"an offset outside",                           "0a 02 2002 2401 0200 0600 ff00 0102 2001 2401",                     VIOLATION_RANGE   },
    {"a packet in a packet",                        "0a 02 2002 2401 0100 0400 0a02 2002 2401 0100 0400 0102 2001 2401",
     VIOLATION_STATE                                                                                                                       },
    {"an embedded message that fits",               "52 02 2006 2401 047d 0600 0102 2001 2401 0100 0100",
     VIOLATION_COUNT_OF                                                                                                                    },
    {"an embedded message past the end",            "52 02 2006 2401 047d 0700 0102 2001 2401",
     VIOLATION_LENGTH                                                                                                                      },
    {"Unconnected_Send in Multiple_Service_Packet",
     "0a 02 2002 2401 0100 0400 5202 2006 2401 047d 0600 0102 2001 2401 0100 0100",                                      VIOLATION_STATE   },
    {"Forward_Open cut",                            "54 02 2006 2401 07f9 14000080",                                     VIOLATION_LENGTH  },
    {"Forward_Close cut",                           "4e 02 2006 2401 07f9 1400",                                         VIOLATION_LENGTH  },
    {"a response without a status",                 "8100",                                                              VIOLATION_LENGTH  },
    {"extended status past the end",                "81000101 01",                                                       VIOLATION_LENGTH  },
    {"a reserved byte that is used",                "81010000",                                                          VIOLATION_RESERVED},
    {"a sound response",                            "81000000",                                                          VIOLATION_COUNT_OF},
};

START_TEST(violations)
{
    const struct wrong *row = &wrongs[_i];
    struct probe *p = keyed_probe();
    probe_hex(p, &dissector_cip, true, row->hex);
    if (row->kind == VIOLATION_COUNT_OF)
        ck_assert_msg(p->violation_count == 0, "%s: %s", row->shows,
                      p->violation_count ? probe_violation(p, 0)->why : "");
    else
        ck_assert_msg(probe_has_violation(p, row->kind), "%s: not told", row->shows);
    probe_destroy(p);
}
END_TEST

START_TEST(response_without_request_is_marked)
{
    struct probe *p = keyed_probe();
    probe_hex(p, &dissector_cip, false, "cc000000 c300 0500");
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_uint_eq(e->flags & OT_NO_REQUEST, OT_NO_REQUEST);
    ck_assert_str_eq(e->code, "service=0x4c");
    ck_assert_str_eq(e->operation, "unknown");
    probe_destroy(p);
}
END_TEST

START_TEST(response_of_another_service_is_not_taken)
{
    struct probe *p = keyed_probe();
    probe_hex(p, &dissector_cip, true, "4c029101 4100 0100");
    probe_hex(p, &dissector_cip, false, "cd000000");
    ck_assert_uint_eq(probe_event(p, 1)->flags & OT_NO_REQUEST, OT_NO_REQUEST);
    ck_assert_str_eq(probe_event(p, 1)->items, "");
    probe_destroy(p);
}
END_TEST

START_TEST(authentication_is_masked)
{
    struct probe *p = keyed_probe();
    probe_hex(p, &dissector_cip, true, "4c 02 2064 2401 1400 6a9bfb04faabc405");
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_uint_eq(e->flags & OT_HAS_CREDENTIAL, OT_HAS_CREDENTIAL);
    ck_assert_uint_eq(e->secret_size, 10);
    ck_assert_str_eq(e->items, "0x64/1");
    probe_destroy(p);
}
END_TEST

static const struct key_row {
    const char *shows, *request, *items;
    size_t size; /* of what is masked */
} key_rows[] = {
    {"keys set",                  "10 03 205e 2401 3005 01 0200 6964 0200 abcd",      "0x5e/1/5",   9},
    {"keys in a list",            "04 02 205e 2401 0100 0500 01 0200 6964 0200 abcd", "0x5e/1/5",   9},
    {"a list that may have keys", "04 02 205e 2401 0200 0900 01 0500 01 0200 6964",   "0x5e/1/9",   8},
    {"another attribute",         "10 03 205e 2401 3009 01",                          "0x5e/1/9=1", 0},
    {"of another class",          "10 03 205f 2401 3005 01",                          "0x5f/1/5=1", 0},
};

START_TEST(pre_shared_keys_are_masked)
{
    const struct key_row *row = &key_rows[_i];
    struct probe *p = keyed_probe();
    probe_hex(p, &dissector_cip, true, row->request);
    const struct probe_event *e = probe_event(p, 0);
    ck_assert_msg(!(e->flags & OT_HAS_CREDENTIAL) == !row->size, "%s", row->shows);
    ck_assert_uint_eq(e->secret_size, row->size);
    ck_assert_str_eq(e->items, row->items);
    ck_assert_str_eq(e->operation, "config_change");
    probe_destroy(p);
}
END_TEST

/* Every prefix and a small arena: nothing but violations may come of it. */
START_TEST(cut_anywhere_it_is_safe)
{
    static const char *const messages[] = {
        MULTIPLE,
        "52 02 2006 2401 047d 0800 4c029101 4100 0100 0100 0104",
        ("54 02 2006 2401 07f9 14000080 1300fe80 1400 4d00 f32b9532 00000000 00127a00 f443 "
         "00127a00 "
         "f443 a3 03 0100 2002 2401"),
        "37 02 2002 2401 0011223344556677 05 02 2072 2401",
    };
    uint8_t bytes[128];
    size_t size = hex_bytes(bytes, sizeof bytes, messages[_i]);
    for (size_t n = 1; n <= size; n++) {
        struct probe *p = keyed_probe();
        if (n % 2)
            probe_set_arena(p, 64);
        probe_feed(p, &dissector_cip, true, bytes, n);
        ck_assert(p->event_count <= 3);
        probe_destroy(p);
    }
}
END_TEST

START_TEST(statuses_are_named)
{
    ck_assert_str_eq(cip_status_name(0, 0), "ok");
    ck_assert_str_eq(cip_status_name(0x16, 0), "object_does_not_exist");
    ck_assert_str_eq(cip_status_name(0xff, 0x2107), "type_mismatch");
    ck_assert_str_eq(cip_status_name(0xff, 0x9999), "extended_error");
    ck_assert_str_eq(cip_status_name(0x01, 0x0106), "ownership_conflict");
    ck_assert_ptr_null(cip_status_name(0x60, 0));
    ck_assert_str_eq(cip_class_name(0x8b), "Wall Clock Time");
    ck_assert_ptr_null(cip_class_name(0x999));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cip");
    TCase *tc = tcase_create("cip");
    tcase_add_loop_test(tc, service_of_class, 0, sizeof services / sizeof *services);
    tcase_add_loop_test(tc, content, 0, sizeof contents / sizeof *contents);
    tcase_add_loop_test(tc, facts, 0, sizeof facts_rows / sizeof *facts_rows);
    tcase_add_loop_test(tc, violations, 0, sizeof wrongs / sizeof *wrongs);
    tcase_add_loop_test(tc, cut_anywhere_it_is_safe, 0, 4);
    tcase_add_test(tc, table_is_sorted);
    tcase_add_test(tc, unconnected_send_has_a_route);
    tcase_add_test(tc, nested_routes_add_up);
    tcase_add_test(tc, nesting_has_an_end);
    tcase_add_test(tc, a_route_inside_of_several_services);
    tcase_add_test(tc, route_error_answers_the_embedded_request);
    tcase_add_test(tc, route_over_a_network);
    tcase_add_test(tc, multiple_services_each_have_a_line);
    tcase_add_test(tc, forward_open_is_told);
    tcase_add_test(tc, forward_open_of_io_subscribes);
    tcase_add_test(tc, refused_ownership_is_named);
    tcase_add_test(tc, program_download_is_one_transfer);
    tcase_add_test(tc, edit_steps_of_a_download_belong_to_it);
    tcase_add_test(tc, firmware_is_one_transfer);
    tcase_add_test(tc, refused_firmware_is_aborted);
    tcase_add_test(tc, file_is_one_transfer);
    tcase_add_test(tc, response_without_request_is_marked);
    tcase_add_test(tc, response_of_another_service_is_not_taken);
    tcase_add_test(tc, authentication_is_masked);
    tcase_add_loop_test(tc, pre_shared_keys_are_masked, 0, sizeof key_rows / sizeof *key_rows);
    tcase_add_test(tc, statuses_are_named);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
