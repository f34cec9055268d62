/* asset_class.c: what a device probably is, by the protocols it serves and the operations it
 * performs. */
#include "asset.h"

#include <string.h>
#include <strings.h>

/* Names of our dissectors and of nDPI (with another spelling). A broker or an OPC UA server is no
 * controller. */
static const struct asset_protocol_kind kinds[] = {
    {"modbus",        "plc",       true },
    {"umas",          "plc",       true },
    {"s7comm",        "plc",       true },
    {"s7comm_plus",   "plc",       true },
    {"s7commplus",    "plc",       true },
    {"enip",          "plc",       true },
    {"ethernetip",    "plc",       true },
    {"cip",           "plc",       true },
    {"cipio",         "io-device", true },
    {"pccc",          "plc",       true },
    {"dnp3",          "rtu",       true },
    {"iec104",        "rtu",       true },
    {"iec60870",      "rtu",       true },
    {"mms",           "ied",       true },
    {"iso9506-1-mms", "ied",       true },
    {"goose",         "ied",       true },
    {"sv",            "ied",       true },
    {"pn_dcp",        "io-device", true },
    {"pn_rt",         "io-device", true },
    {"pnio_cm",       "io-device", true },
    {"profinet_io",   "io-device", true },
    {"bacnet",        "plc",       true },
    {"fins",          "plc",       true },
    {"ads",           "plc",       true },
    {"beckhoff_ads",  "plc",       true },
    {"ethercat",      "io-device", true },
    {"hart_ip",       "gateway",   true },
    {"hart-ip",       "gateway",   true },
    {"ge_srtp",       "plc",       true },
    {"egd",           "plc",       true },
    {"synchrophasor", "ied",       true },
    {"ieee-c37118",   "ied",       true },
    {"tristation",    "plc",       true },
    {"roc_plus",      "rtu",       true },
    {"bsap_ip",       "rtu",       true },
    {"genisys",       "rtu",       true },
    {"c1222",         "rtu",       true },
    {"knxip",         "gateway",   true },
    {"knxnet_ip",     "gateway",   true },
    {"ff",            "plc",       true },
    {"powerlink",     "io-device", true },
    {"melsoft",       "plc",       true },
    {"slmp",          "plc",       true },
    {"pcworx",        "plc",       true },
    {"codesys_v3",    "plc",       true },
    {"codesys_v2",    "plc",       true },
    {"pcom",          "plc",       true },
    {"proconos",      "plc",       true },
    {"sbus",          "plc",       true },
    {"ethersbus",     "plc",       true },
    {"ethersio",      "plc",       true },
    {"cclink_ie",     "plc",       true },
    {"sercos3",       "drive",     true },
    {"opcua",         "server",    false},
    {"opc-ua",        "server",    false},
    {"mqtt",          "server",    false},
    {"fox",           "server",    false},
    {"iccp",          "server",    false},
};

const struct asset_protocol_kind *asset_protocol_kind(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcasecmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

bool asset_unit_is_other(const char *protocol)
{
    static const char *const protocols[] = {"bacnet", "ethercat"};
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
        if (strcmp(protocols[i], protocol) == 0)
            return true;
    return false;
}

/* Words in a told device type or product, and the class they mean. */
static const struct {
    const char *word, *class;
} words[] = {
    {"programmable logic",     "plc"            },
    {"plc",                    "plc"            },
    {"human-machine",          "hmi"            },
    {"hmi",                    "hmi"            },
    {"drive",                  "drive"          },
    {"communications adapter", "gateway"        },
    {"gateway",                "gateway"        },
    {"managed switch",         "switch"         },
    {"discrete i/o",           "io-device"      },
    {"i/o",                    "io-device"      },
    {"mass flow",              "sensor-actuator"},
    {"camera",                 "camera"         },
};

static const char *class_by_words(const char *text)
{
    for (size_t i = 0; text[0] != '\0' && i < sizeof words / sizeof *words; i++)
        if (strcasestr(text, words[i].word))
            return words[i].class;
    return NULL;
}

static uint64_t bit(enum operation op)
{
    return (uint64_t)1 << op;
}

static bool does_change(const struct asset *a)
{
    for (unsigned op = 0; op < OPERATION_COUNT; op++)
        if ((a->operations & bit((enum operation)op)) && operation_is_change((enum operation)op))
            return true;
    return false;
}

static bool does_read(const struct asset *a)
{
    return (a->operations & (bit(OP_READ) | bit(OP_SUBSCRIBE))) != 0;
}

const char *asset_class(const struct assets *t, const struct asset *a)
{
    if (a->flags & ASSET_ROUTER)
        return "router";
    const char *told = class_by_words(asset_fact_text(t, a, FACT_DEVICE_TYPE));
    if (told)
        return told;
    if (a->flags & ASSET_ENGINEERING && !(a->flags & ASSET_CONTROLLER))
        return "engineering";
    bool is_server = false;
    const char *served = NULL;
    for (size_t i = 0; i < a->protocol_count; i++) {
        const struct asset_protocol_kind *kind =
            asset_protocol_kind(assets_protocol_name(t, a->protocols[i].name));
        if (!a->protocols[i].is_served)
            continue;
        is_server = true;
        if (kind && (!served || kind->is_controller))
            served = kind->server_class;
    }
    if (served && (a->flags & ASSET_CONTROLLER))
        return served;
    if (does_change(a))
        return "hmi";
    if (does_read(a))
        return "historian";
    if (served || is_server)
        return "server";
    return "unknown";
}

char *asset_role(const struct assets *t, const struct asset *a, char *out, size_t capacity)
{
    const struct {
        bool is_so;
        const char *role;
    } roles[] = {
        {(a->flags & ASSET_CONTROLLER) != 0,                         "controller" },
        {(a->flags & ASSET_ENGINEERING) != 0,                        "engineering"},
        {does_change(a) && does_read(a),                             "operator"   },
        {does_read(a) && !does_change(a),                            "reader"     },
        {(a->operations & (bit(OP_DISCOVER) | bit(OP_BROWSE))) != 0, "scanner"    },
        {(a->flags & ASSET_ROUTER) != 0,                             "router"     },
    };
    (void)t;
    out[0] = '\0';
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        size_t used = strlen(out);
        if (roles[i].is_so)
            text_format(out + used, capacity - used, "%s%s", used ? ";" : "", roles[i].role);
    }
    return out;
}

const char *asset_name(const struct assets *t, const struct asset *a)
{
    static const enum fact_kind best_first[] = {FACT_NAME, FACT_MODULE_NAME, FACT_HOST_NAME};
    for (size_t i = 0; i < sizeof best_first / sizeof *best_first; i++) {
        const char *name = asset_fact_text(t, a, best_first[i]);
        if (name[0] != '\0')
            return name;
    }
    return "";
}
