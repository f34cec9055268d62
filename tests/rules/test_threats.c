/* test_threats.c: indicator files, what fits them, and known patterns: each pattern once as it is
 * documented, and once as an operator would do something like it. */
#include "made.h"
#include "rules/indicators.h"

/* --- reading --- */

static const struct file_row {
    const char *shows, *text;
    size_t count, skipped;
    const char *says; /* "": sound */
} file_rows[] = {
    {"a list with a head",                          "type,value,description\nip,203.0.113.7,C2\ndomain,Bad.Example.,x\n", 2,
     0,                                                                                                                         ""           },
    {"values whose type shows",
     "203.0.113.7\nbad.example\nhttp://bad.example/x\n"
     "0123456789abcdef0123456789abcdef\n2001:db8::1\n",                                                                   5, 0, ""           },
    {"quotes, spaces, CR, BOM",                     "\xef\xbb\xbf\"ip\" , \"203.0.113.7\" , \"a, b\"\r\n",                1, 0, ""           },
    {"comments and empty lines",                    "# a list\n\nip,203.0.113.7\n",                                       1, 0, ""           },
    {"the same twice",                              "ip,203.0.113.7,a\nip,203.0.113.7,b\n",                               1, 0, ""           },
    {"an empty file",                               "",                                                                   0, 0, ""           },
    {"an address that is none",                     "ip,203.0.113.7\nip,203.0.113.300\n",                                 0, 0, "t.csv:2"    },
    {"a hash too short",                            "type,value\nsha256,abcd\n",                                          0, 0, "t.csv:2"    },
    {"a JA3 that is no MD5",                        "type,value\nja3,xyz\n",                                              0, 0, "t.csv:2"    },
    {"a bundle",
     "{\"type\":\"bundle\",\"objects\":[{\"type\":\"indicator\",\"name\":\"n\",\"pattern_type\":"
     "\"stix\",\"pattern\":\"[ipv4-addr:value = '203.0.113.7']\"}]}",                                                     1, 0, ""           },
    {"one of several",
     "{\"objects\":[{\"type\":\"indicator\",\"pattern\":\"[ipv4-addr:value = '203.0.113.7' OR "
     "domain-name:value = 'bad.example'] OR [file:hashes.'SHA-256' = "
     "'9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08']\"}]}",                                          3, 0, ""           },
    {"more than a value: passed over",
     "{\"objects\":[{\"type\":\"indicator\",\"pattern\":\"[ipv4-addr:value = '203.0.113.7' AND "
     "domain-name:value = 'bad.example']\"}]}",                                                                           0, 1, ""           },
    {"another language",
     "{\"objects\":[{\"type\":\"indicator\",\"pattern_type\":\"yara\",\"pattern\":\"rule x {}\"}]}",                      0, 1, ""           },
    {"revoked",
     "{\"objects\":[{\"type\":\"indicator\",\"revoked\":true,\"pattern\":"
     "\"[ipv4-addr:value = '203.0.113.7']\"}]}",                                                                          0, 1, ""           },
    {"what surrounds indicators",                   "{\"objects\":[{\"type\":\"malware\",\"name\":\"x\"}, 7, null]}",
     0,                                                                                                                      0, ""           },
    {"a pattern that breaks off",
     "{\"objects\":[{\"type\":\"indicator\",\"pattern\":\"[ipv4-addr:value = '203\"}]}",                                  0, 1, ""           },
    {"a quote inside",
     "{\"objects\":[{\"type\":\"indicator\",\"pattern\":\"[url:value = 'http://a/\\\\'b']\"}]}",                          1,
     0,                                                                                                                         ""           },
    {"a quoted description over two lines",         "ip,203.0.113.7,\"a\nb\"\nip,203.0.113.8\n",                          2, 0, ""           },
    {"the line behind one that is two",             "ip,203.0.113.7,\"a\nb\"\nip,x\n",                                    0, 0, "t.csv:3"    },
    {"quotes that do not end",                      "ip,203.0.113.7\nip,\"203.0.113.8\n",                                 0, 0, "t.csv:2"    },
    {"text behind quotes",                          "ip,\"203.0.113.7\"8\n",                                              0, 0, "t.csv:1"    },
    {"a broken value in the first line is no head", "ip,203.0.113.300\n",                                                 0, 0, "t.csv:1"    },
    {"a head below a comment",                      "# of today\ntype,value\nip,203.0.113.7\n",                           1, 0, ""           },
    {"semicolons",                                  "ip;203.0.113.7;x\n",                                                 1, 0, ""           },
    {"more columns than count",                     "ip,203.0.113.7,x,y,z\nip,203.0.113.8\n",                             2, 0, ""           },
    {"a domain that is called AND",
     "{\"objects\":[{\"type\":\"indicator\",\"pattern\":\"[url:value = 'http://a/ AND NOT "
     "b'] OR [url:value = 'http://a/%20AND']\"}]}",                                                                       1, 0, ""           },
    {"AND without blanks",
     "{\"objects\":[{\"type\":\"indicator\",\"pattern\":\"[ipv4-addr:value = '203.0.113.7'] OR "
     "([ipv4-addr:value = '203.0.113.8']AND[ipv4-addr:value = '203.0.113.9'])\"}]}",                                      0, 1, ""           },
    {"valid for some time of day",
     "{\"objects\":[{\"type\":\"indicator\",\"pattern\":\"[ipv4-addr:value = '203.0.113.7'] START "
     "t'2020-01-01T00:00:00Z' STOP t'2020-01-02T00:00:00Z'\"}]}",                                                         0, 1, ""           },
    {"none of a kind that is compared",
     "{\"objects\":[{\"type\":\"indicator\",\"pattern\":\"[mutex:name = 'a' OR mutex:name = "
     "'b']\"}]}",                                                                                                         0, 1, ""           },
    {"valid for ever, as some write it",
     "{\"objects\":[{\"type\":\"indicator\",\"valid_until\":\"9999-12-31T23:59:59Z\",\"pattern\":"
     "\"[ipv4-addr:value = '203.0.113.7']\"}]}",                                                                          1, 0, ""           },
    {"an end that is none",
     "{\"objects\":[{\"type\":\"indicator\",\"valid_until\":\"tomorrow\",\"pattern\":"
     "\"[ipv4-addr:value = '203.0.113.7']\"}]}",                                                                          0, 0, "valid_until"},
    {"no bundle",                                   "{\"type\":\"bundle\"}",                                              0, 0, "objects"    },
    {"broken JSON",                                 "{\"objects\":[",                                                     0, 0, "t.csv:1"    },
};

START_TEST(reading)
{
    const struct file_row *row = &file_rows[_i];
    struct indicators *in = NULL;
    struct error err = {""};
    bool ok = indicators_parse(&in, row->text, strlen(row->text), "/some/t.csv", &err);
    ck_assert_msg(ok == (row->says[0] == '\0'), "%s: %s", row->shows, err.text);
    ck_assert_msg(strstr(err.text, row->says) != NULL, "%s: %s", row->shows, err.text);
    if (ok) {
        ck_assert_msg(indicators_count(in) == row->count, "%s: %zu", row->shows,
                      indicators_count(in));
        ck_assert_msg(indicators_skipped(in) == row->skipped, "%s", row->shows);
    }
    indicators_destroy(in);
}
END_TEST

static const char list[] =
    "ip,203.0.113.7,C2 of x\nip,2001:db8:0::1\ndomain,bad.example\n"
    "url,http://bad.example/Tool.exe\nurl,HTTPS://Root.example\n"
    "url,https://root.example/?q=1\nja3,0123456789abcdef0123456789abcdef\n"
    "sha256,9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n";

static const struct look_row {
    const char *shows;
    enum indicator_kind kind;
    const char *value;
    bool fits;
} look_rows[] = {
    {"the name",                       INDICATOR_DOMAIN, "bad.example",                      true },
    {"in other case, with a dot",      INDICATOR_DOMAIN, "BAD.example.",                     true },
    {"below the name",                 INDICATOR_DOMAIN, "a.b.bad.example",                  true },
    {"another that ends like it",      INDICATOR_DOMAIN, "notbad.example",                   false},
    {"above the name",                 INDICATOR_DOMAIN, "example",                          false},
    {"the URL",                        INDICATOR_URL,    "http://bad.example/Tool.exe",      true },
    {"another path",                   INDICATOR_URL,    "http://bad.example/tool.exe",      false},
    {"the JA3",                        INDICATOR_JA3,    "0123456789ABCDEF0123456789abcdef", true },
    {"a JA3 is no hash",               INDICATOR_HASH,   "0123456789abcdef0123456789abcdef", false},
    {"scheme and host in other case",  INDICATOR_URL,    "HTTP://BAD.example/Tool.exe",      true },
    {"the usual port",                 INDICATOR_URL,    "http://bad.example:80/Tool.exe",   true },
    {"another port",                   INDICATOR_URL,    "http://bad.example:8080/Tool.exe", false},
    {"no path is the root",            INDICATOR_URL,    "https://root.example:443",         true },
    {"the root",                       INDICATOR_URL,    "https://root.example/",            true },
    {"port 80 is not usual there",     INDICATOR_URL,    "https://root.example:80/",         false},
    {"a question without path",        INDICATOR_URL,    "https://root.example?q=1",         true },
    {"below the name, any characters", INDICATOR_DOMAIN, "a b/:@*\x01.bad.example",          true },
    {"below the name, many labels",    INDICATOR_DOMAIN,
     "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z.bad.example",                      true },
    {"nothing",                        INDICATOR_DOMAIN, "",                                 false},
};

START_TEST(looking)
{
    const struct look_row *row = &look_rows[_i];
    struct indicators *in = NULL;
    struct error err;
    ck_assert(indicators_parse(&in, list, sizeof list - 1, "t.csv", &err));
    ck_assert_msg((indicators_text(in, row->kind, text_of(row->value), 0) != NULL) == row->fits,
                  "%s", row->shows);
    indicators_destroy(in);
}
END_TEST

START_TEST(addresses_and_their_end)
{
    static const char bundle[] =
        "{\"objects\":[{\"type\":\"indicator\",\"valid_until\":\"2020-01-01T00:00:00Z\","
        "\"pattern\":\"[ipv6-addr:value = '2001:DB8::1']\"}]}";
    struct indicators *in = NULL;
    struct error err;
    struct address ip;
    ck_assert(indicators_parse(&in, bundle, sizeof bundle - 1, "t.json", &err));
    address_parse(&ip, "2001:db8:0:0::1");
    ck_assert_ptr_nonnull(indicators_ip(in, &ip, INT64_C(1577836799) * 1000000000));
    ck_assert_ptr_null(indicators_ip(in, &ip, INT64_C(1577836800) * 1000000000));
    ck_assert_ptr_null(indicators_ip(NULL, &ip, 0));
    indicators_destroy(in);
}
END_TEST

/* Two lists name the same: it holds as long as any says. */
START_TEST(the_latest_end_holds)
{
    static const char *const bundle =
        "{\"objects\":[{\"type\":\"indicator\",\"valid_until\":\"2020-01-01T00:00:00Z\","
        "\"pattern\":\"[ipv4-addr:value = '203.0.113.7']\"}]}";
    static const char *const texts[][2] = {
        {bundle,          "203.0.113.7\n"},
        {"203.0.113.7\n", bundle         }
    };
    struct indicators *in = NULL;
    struct error err;
    struct address ip;
    for (size_t i = 0; i < 2; i++)
        ck_assert(indicators_parse(&in, texts[_i][i], strlen(texts[_i][i]), "t", &err));
    ck_assert_uint_eq(indicators_count(in), 1);
    address_parse(&ip, "203.0.113.7");
    ck_assert_ptr_nonnull(indicators_ip(in, &ip, INT64_C(1577836800) * 1000000000));
    indicators_destroy(in);
}
END_TEST

/* The beginning of a value is another value: not compared at all. */
START_TEST(values_longer_than_fit)
{
    static const char *const forms[][2] = {
        {"url,",                                                               "\nip,203.0.113.7\n"},
        {"{\"objects\":[{\"type\":\"indicator\",\"pattern\":\"[url:value = '",
         "' OR ipv4-addr:value = '203.0.113.7']\"}]}"                                              }
    };
    char url[INDICATOR_VALUE_MAX + 20], text[INDICATOR_VALUE_MAX + 200];
    struct indicators *in = NULL;
    struct error err;
    memset(url, 'a', sizeof url);
    memcpy(url, "http://bad.example/", 19);
    url[sizeof url - 1] = '\0';
    snprintf(text, sizeof text, "%s%s%s", forms[_i][0], url, forms[_i][1]);
    ck_assert(indicators_parse(&in, text, strlen(text), "t", &err));
    ck_assert_uint_eq(indicators_count(in), 1);
    ck_assert_ptr_null(
        indicators_text(in, INDICATOR_URL, (struct text){url, INDICATOR_VALUE_MAX - 1}, 0));
    indicators_destroy(in);
}
END_TEST

START_TEST(a_nought_ends_no_value)
{
    static const char text[] = "domain,bad.example\0.org\n";
    struct indicators *in = NULL;
    struct error err;
    ck_assert(!indicators_parse(&in, text, sizeof text - 1, "t.csv", &err));
    indicators_destroy(in);
}
END_TEST

/* --- matching on traffic --- */

enum place { PLACE_FLOW, PLACE_DNS, PLACE_SNI, PLACE_URL, PLACE_JA3, PLACE_TRANSFER };

static const struct match_row {
    const char *shows;
    enum place place;
    const char *value;
    bool is_told;
} match_rows[] = {
    {"a connection to the address", PLACE_FLOW,     "203.0.113.7",                      true },
    {"a connection to another",     PLACE_FLOW,     "203.0.113.8",                      false},
    {"a DNS question",              PLACE_DNS,      "www.bad.example",                  true },
    {"another DNS question",        PLACE_DNS,      "good.example",                     false},
    {"a TLS server name",           PLACE_SNI,      "bad.example",                      true },
    {"another TLS server name",     PLACE_SNI,      "example.bad",                      false},
    {"a page",                      PLACE_URL,      "/Tool.exe",                        true },
    {"a fingerprint",               PLACE_JA3,      "0123456789abcdef0123456789abcdef", true },
    {"another fingerprint",         PLACE_JA3,      "1123456789abcdef0123456789abcdef", false},
    {"a file",                      PLACE_TRANSFER, "test",                             true },
    {"another file",                PLACE_TRANSFER, "Test",                             false},
};

static void transfer(struct made_run *run, const char *content)
{
    struct ot_event e = {.flow = &run->flow,
                         .protocol = "s7comm",
                         .is_from_client = true,
                         .operation = OP_PROGRAM_DOWNLOAD};
    static const enum transfer_step steps[] = {TRANSFER_BEGIN, TRANSFER_BLOCK, TRANSFER_END};
    for (size_t i = 0; i < 3; i++) {
        e.time_ns = run->now_ns += 1000000;
        e.transfer = (struct ot_transfer){.step = steps[i],
                                          .operation = OP_PROGRAM_DOWNLOAD,
                                          .name = TEXT("OB1"),
                                          .bytes = i == 1 ? (const uint8_t *)content : NULL,
                                          .size = i == 1 ? strlen(content) : 0};
        policy_event(run->policy, &e);
    }
}

START_TEST(matching)
{
    const struct match_row *row = &match_rows[_i];
    /* SHA-256 of "test" */
    static const char hashes[] =
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n"
        "203.0.113.7\nbad.example\nhttp://good.example/Tool.exe\n"
        "ja3,0123456789abcdef0123456789abcdef\n";
    struct indicators *in = NULL;
    struct error err;
    struct made_run run;
    ck_assert(indicators_parse(&in, hashes, sizeof hashes - 1, "t.csv", &err));
    made_start(&run, "any", 0);
    policy_destroy(run.policy);
    static struct finding_sink sink;
    sink = (struct finding_sink){.context = &run, .finding = made_keep};
    struct policy_options options = {.indicators = in, .context = &run};
    run.policy = policy_create(&options, &sink);
    struct ot_item item = {.area = row->place == PLACE_JA3 ? "ja3" : "name",
                           .name = text_of(row->value)};
    struct ot_fact fact = {FACT_HOST_NAME, text_of(row->value), true};
    struct ot_event e = {.time_ns = run.now_ns,
                         .flow = &run.flow,
                         .is_from_client = true,
                         .protocol = row->place == PLACE_DNS   ? "dns"
                                     : row->place == PLACE_URL ? "http"
                                                               : "tls",
                         .operation = OP_READ};
    switch (row->place) {
    case PLACE_FLOW:
        address_parse(&run.flow.server.ip, row->value);
        policy_flow(run.policy, &run.flow, NULL);
        break;
    case PLACE_TRANSFER:
        transfer(&run, row->value);
        break;
    case PLACE_SNI:
    case PLACE_URL:
        e.facts = &fact;
        e.fact_count = 1;
        e.detail = text_of(row->value);
        if (row->place == PLACE_URL)
            fact.value = TEXT("good.example");
        policy_event(run.policy, &e);
        break;
    default:
        e.items = &item;
        e.item_count = 1;
        policy_event(run.policy, &e);
    }
    size_t told = 0;
    for (size_t i = 0; i < run.count; i++)
        told += run.findings[i].detection == DETECTION_MAL_INDICATOR;
    ck_assert_msg(told == (row->is_told ? 1 : 0), "%s: %zu", row->shows, told);
    made_end(&run);
    indicators_destroy(in);
}
END_TEST

/* --- patterns --- */

struct request {
    enum operation operation;
    const char *protocol, *name, *object; /* object "+": another with each repetition */
    unsigned times;
    int64_t after_s;
};

static const struct pattern_row {
    const char *shows;
    bool is_known; /* the client is at home here */
    struct request requests[5];
    const char *told; /* id of the pattern; "": none */
} pattern_rows[] = {
    {"Industroyer: object after object",
     false,                                                 {{OP_CONTROL, "iec104", "C_SC_NA_1", "+", 12, 1}},
     "industroyer-iec104"                                                                                                                                    },
    {"a station switches a few",                     false, {{OP_CONTROL, "iec104", "C_SC_NA_1", "+", 5, 1}},                                              ""},
    {"one object again and again",                   false, {{OP_CONTROL, "iec104", "C_SC_NA_1", "x", 60, 1}},                                             ""},
    {"many objects in many minutes",                 false, {{OP_CONTROL, "iec104", "C_SC_NA_1", "+", 20, 30}},                                            ""},
    {"the usual station may",                        true,  {{OP_CONTROL, "iec104", "C_SC_NA_1", "+", 12, 1}},                                             ""},
    {"TRITON: read, then append",
     false,                                                 {{OP_PROGRAM_UPLOAD, "tristation", "upload_program", NULL, 3, 1},
      {OP_PROGRAM_UPLOAD, "tristation", "upload_function", NULL, 9, 1},
      {OP_PROGRAM_DOWNLOAD, "tristation", "start_download_change", NULL, 1, 1},
      {OP_PROGRAM_DOWNLOAD, "tristation", "allocate_program", NULL, 1, 1}},
     "triton-tristation"                                                                                                                                     },
    {"only read: a backup",
     false,                                                 {{OP_PROGRAM_UPLOAD, "tristation", "upload_program", NULL, 9, 1}},
     ""                                                                                                                                                      },
    {"first written, then read to compare",
     false,                                                 {{OP_PROGRAM_DOWNLOAD, "tristation", "allocate_program", NULL, 1, 1},
      {OP_PROGRAM_UPLOAD, "tristation", "upload_program", NULL, 3, 1}},
     ""                                                                                                                                                      },
    {"INCONTROLLER: Modbus, then CODESYS",
     false,                                                 {{OP_IDENTIFY, "modbus", "report_server_id", NULL, 1, 1},
      {OP_DISCOVER, "codesys_v3", "resolve", NULL, 1, 1}},
     "incontroller-codecall"                                                                                                                                 },
    {"Modbus identification alone",
     false,                                                 {{OP_IDENTIFY, "modbus", "report_server_id", NULL, 5, 1}},
     ""                                                                                                                                                      },
    {"INCONTROLLER: UMAS, reserved and programmed",
     false,                                                 {{OP_IDENTIFY, "umas", "read_plc_id", NULL, 1, 1},
      {OP_LOCK, "umas", "take_reservation", NULL, 1, 1},
      {OP_PROGRAM_DOWNLOAD, "umas", "initialize_download", NULL, 1, 1}},
     "incontroller-umas"                                                                                                                                     },
    {"UMAS: identified and read",
     false,                                                 {{OP_IDENTIFY, "umas", "read_plc_id", NULL, 1, 1},
      {OP_PROGRAM_UPLOAD, "umas", "initialize_upload", NULL, 1, 1}},
     ""                                                                                                                                                      },
    {"OPC UA: a new client that browses",
     false,                                                 {{OP_DISCOVER, "opcua", "get_endpoints", NULL, 1, 1},
      {OP_BROWSE, "opcua", "browse", NULL, 9, 1}},
     ""                                                                                                                                                      },
    {"FrostyGoop: registers one by one and in rows",
     false,                                                 {{OP_WRITE, "modbus", "write_single_register", "+", 4, 1},
      {OP_WRITE, "modbus", "write_multiple_registers", "x", 1, 1}},
     "frostygoop-modbus"                                                                                                                                     },
    {"a client that writes in rows",
     false,                                                 {{OP_WRITE, "modbus", "write_multiple_registers", "+", 9, 1}},
     ""                                                                                                                                                      },
    {"Havex: lists servers, asks them, lists items",
     false,                                                 {{OP_BROWSE, "dcerpc", "enum_classes", NULL, 1, 1},
      {OP_IDENTIFY, "dcerpc", "get_status", NULL, 2, 1},
      {OP_BROWSE, "dcerpc", "browse_item_ids", NULL, 5, 1}},
     "havex-opc"                                                                                                                                             },
    {"a new OPC client that subscribes",
     false,                                                 {{OP_BROWSE, "dcerpc", "enum_classes", NULL, 1, 1},
      {OP_IDENTIFY, "dcerpc", "get_status", NULL, 9, 1},
      {OP_SUBSCRIBE, "dcerpc", "add_items", NULL, 5, 1}},
     ""                                                                                                                                                      },
    {"the usual client lists them, too",
     true,                                                  {{OP_BROWSE, "dcerpc", "enum_classes", NULL, 1, 1},
      {OP_IDENTIFY, "dcerpc", "get_status", NULL, 2, 1},
      {OP_BROWSE, "dcerpc", "browse_item_ids", NULL, 5, 1}},
     ""                                                                                                                                                      },
    {"MS08-067: a path is canonicalised",
     false,                                                 {{OP_SESSION, "dcerpc", "path_canonicalize", NULL, 1, 1}},
     "ms08-067"                                                                                                                                              },
    {"shares are opened and listed",
     false,                                                 {{OP_SESSION, "dcerpc", "bind", NULL, 1, 1}, {OP_BROWSE, "dcerpc", "share_enum", NULL, 3, 1}},
     ""                                                                                                                                                      },
    {"Stuxnet's blocks",
     false,                                                 {{OP_PROGRAM_DOWNLOAD, "s7comm", "request_download", "DB890", 1, 1},
      {OP_PROGRAM_DOWNLOAD, "s7comm", "request_download", "FC1869", 1, 1},
      {OP_PROGRAM_DOWNLOAD, "s7comm", "request_download", "FC1874", 1, 1}},
     "stuxnet-s7"                                                                                                                                            },
    {"a plant that has a block of that number",
     false,                                                 {{OP_PROGRAM_DOWNLOAD, "s7comm", "request_download", "DB890", 9, 1},
      {OP_PROGRAM_DOWNLOAD, "s7comm", "request_download", "FC186", 1, 1}},
     ""                                                                                                                                                      },
};

START_TEST(patterns)
{
    const struct pattern_row *row = &pattern_rows[_i];
    struct made_run run;
    char told[200] = "";
    made_start(&run, "any", 0);
    run.is_new = !row->is_known;
    for (const struct request *r = row->requests; r->protocol; r++) {
        for (unsigned i = 0; i < r->times; i++) {
            char object[16] = "";
            if (r->object)
                snprintf(object, sizeof object, "%s%u", r->object, *r->object == '+' ? i : 0);
            struct ot_item item = {
                .area = "object",
                .name = text_of(r->object && *r->object != '+' ? r->object : object)};
            run.now_ns += r->after_s * INT64_C(1000000000);
            struct ot_event e = {.time_ns = run.now_ns,
                                 .flow = &run.flow,
                                 .is_from_client = true,
                                 .protocol = r->protocol,
                                 .operation = r->operation,
                                 .name = r->name,
                                 .items = &item,
                                 .item_count = r->object ? 1 : 0};
            policy_event(run.policy, &e);
        }
    }
    for (size_t i = 0; i < run.count && i < MADE_FINDINGS; i++)
        if (run.findings[i].detection == DETECTION_MAL_KNOWN_PATTERN)
            strcat(told, run.findings[i].key);
    ck_assert_msg(strcmp(told, row->told) == 0, "%s: \"%s\"", row->shows, told);
    made_end(&run);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("threats");
    TCase *tcase = tcase_create("threats");
    tcase_add_loop_test(tcase, reading, 0, sizeof file_rows / sizeof *file_rows);
    tcase_add_loop_test(tcase, looking, 0, sizeof look_rows / sizeof *look_rows);
    tcase_add_test(tcase, addresses_and_their_end);
    tcase_add_loop_test(tcase, the_latest_end_holds, 0, 2);
    tcase_add_loop_test(tcase, values_longer_than_fit, 0, 2);
    tcase_add_test(tcase, a_nought_ends_no_value);
    tcase_add_loop_test(tcase, matching, 0, sizeof match_rows / sizeof *match_rows);
    tcase_add_loop_test(tcase, patterns, 0, sizeof pattern_rows / sizeof *pattern_rows);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
