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

const char *asset_class_of_words(const char *text)
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

static bool has_change(uint64_t operations)
{
    for (unsigned op = 0; op < OPERATION_COUNT; op++)
        if ((operations & bit((enum operation)op)) && operation_is_change((enum operation)op))
            return true;
    return false;
}

static bool has_read(uint64_t operations)
{
    return (operations & (bit(OP_READ) | bit(OP_SUBSCRIBE))) != 0;
}

/* What engineering tools do, and no panel. */
static bool has_programming(uint64_t operations)
{
    return (operations & (bit(OP_PROGRAM_UPLOAD) | bit(OP_PROGRAM_MODIFY) | bit(OP_PROGRAM_DELETE) |
                          bit(OP_PROGRAM_DOWNLOAD) | bit(OP_FIRMWARE_UPDATE) |
                          bit(OP_CONFIG_CHANGE) | bit(OP_FORCE))) != 0;
}

/* It has something to do in the plant: did it while its network was learned, or as a new device. A
 * panel that an intruder programs from stays a panel. */
static bool has_duty(const struct asset *a)
{
    return has_read(a->usual) || has_change(a->usual) || has_programming(a->usual);
}

/* Protocols of devices that have them for their own care, and classes of what serves nothing else.
 */
static const struct {
    const char *protocol, *class, *what;
} carers[] = {
    {"snmp",   "switch",  "is managed by SNMP and serves nobody else"},
    {"ipp",    "printer", "prints"                                   },
    {"lpd",    "printer", "prints"                                   },
    {"rtsp",   "camera",  "sends pictures"                           },
    {"http",   NULL,      NULL                                       },
    {"tls",    NULL,      NULL                                       },
    {"ssh",    NULL,      NULL                                       },
    {"telnet", NULL,      NULL                                       },
    {"icmp",   NULL,      NULL                                       },
};

enum { CARERS = sizeof carers / sizeof *carers };

static size_t carer_of(const char *protocol)
{
    size_t i = 0;
    while (i < CARERS && strcasecmp(carers[i].protocol, protocol) != 0)
        i++;
    return i;
}

/* What is known of the protocols of an asset. */
struct habits {
    const char *served, *served_class; /* best of the plant's, NULL: none */
    const char *other;                 /* one of the others that it serves; NULL: none */
    const char *used, *used_plant;     /* as client; NULL: none */
    size_t carer;                      /* that gives a class, when it serves such only; CARERS */
};

static void habits_find(struct habits *h, const struct assets *t, const struct asset *a)
{
    bool has_others = false;
    *h = (struct habits){.carer = CARERS};
    for (size_t i = 0; i < a->protocol_count; i++) {
        const char *name = assets_protocol_name(t, a->protocols[i].name);
        const struct asset_protocol_kind *kind = asset_protocol_kind(name);
        if (a->protocols[i].is_used && name[0] != '\0') {
            h->used = name;
            h->used_plant = kind ? name : h->used_plant;
        }
        if (!a->protocols[i].is_served || name[0] == '\0')
            continue;
        size_t carer = carer_of(name);
        if (carer == CARERS)
            has_others = true;
        else if (carers[carer].class && h->carer == CARERS)
            h->carer = carer;
        if (!kind)
            h->other = name;
        else if (!h->served || kind->is_controller) {
            h->served = name;
            h->served_class = kind->server_class;
        }
    }
    if (has_others)
        h->carer = CARERS;
}

static bool has_fact_by(const struct assets *t, const struct asset *a, const char *protocol)
{
    for (uint32_t i = a->first_fact; i != INDEX_NONE; i = t->facts[i].next)
        if (strcmp(assets_protocol_name(t, t->facts[i].protocol), protocol) == 0)
            return true;
    return false;
}

static void guess(struct asset_guess *g, const char *class, int confidence, const char *format,
                  const char *detail)
{
    g->class = class;
    g->confidence = (uint8_t)confidence;
    const char *at = strstr(format, "%s");
    if (at)
        text_format(g->why, sizeof g->why, "%.*s%s%s", (int)(at - format), format, detail, at + 2);
    else
        text_format(g->why, sizeof g->why, "%s", format);
}

/* A client, by what it is there for. False: nothing of the plant. Only programming tells much when
 * it was never learned. */
static bool guess_client(struct asset_guess *g, const struct asset *a, const struct habits *h)
{
    const char *with = h->used_plant ? h->used_plant : "the plant's protocols";
    bool is_tool = !has_duty(a) && (has_programming(a->plant) || (a->flags & ASSET_ENGINEERING));
    if (has_programming(a->usual) || is_tool)
        guess(g, "engineering", 85, "programs or commands controllers with %s", with);
    else if (has_change(a->usual))
        guess(g, "hmi", has_read(a->usual) ? 80 : 60, "reads and writes with %s", with);
    else if (has_read(a->usual))
        guess(g, "historian", 70, "only reads, with %s", with);
    else
        return false;
    return true;
}

static void guess_class(struct asset_guess *g, const struct assets *t, const struct asset *a,
                        const struct site_place *place)
{
    struct habits h;
    habits_find(&h, t, a);
    const char *type = asset_fact_text(t, a, FACT_DEVICE_TYPE);
    const char *told = asset_class_of_words(type);
    bool is_controller = (a->flags & ASSET_CONTROLLER) != 0;
    if (place && place->is_engineering)
        guess(g, "engineering", 100, "the site policy says so", "");
    else if (a->flags & ASSET_ROUTER)
        guess(g, "router", 95, "carries addresses of other subnets", "");
    else if (told)
        guess(g, told, 95, "says that it is: %s", type);
    else if (h.served && is_controller)
        guess(g, h.served_class, 85, "answers %s", h.served);
    else if (has_fact_by(t, a, "stp") && !h.used_plant)
        guess(g, "switch", 85, "takes part in the spanning tree", "");
    else if (guess_client(g, a, &h))
        return;
    else if (a->foreign_count > 0 && a->mac_count > 0 && !h.used_plant && !h.served)
        guess(g, "router", 75, "its MAC carries an address of another subnet", "");
    else if (h.served)
        guess(g, h.served_class, 75, "answers %s", h.served);
    else if (h.carer < CARERS && !h.used_plant)
        guess(g, carers[h.carer].class, 50, carers[h.carer].what, "");
    else if (h.other)
        guess(g, "server", 60, "answers %s", h.other);
    else if (h.used)
        guess(g, "pc", 50, "only uses services, such as %s", h.used);
    else
        guess(g, "unknown", 0, "", "");
}

/* Where devices of a class usually stand (ISA-95, IEC 62443). */
static const struct {
    const char *class;
    int16_t level;
} levels[] = {
    {"plc",             10},
    {"rtu",             10},
    {"ied",             10},
    {"io-device",       10},
    {"drive",           10},
    {"gateway",         10},
    {"switch",          10},
    {"sensor-actuator", 0 },
    {"camera",          20},
    {"hmi",             20},
    {"engineering",     20},
    {"historian",       30},
    {"printer",         30},
    {"router",          35},
};

static int16_t level_of(const struct asset_guess *g, const struct assets *t, const struct asset *a)
{
    struct habits h;
    habits_find(&h, t, a);
    bool is_away = (a->flags & ASSET_PROXY) != 0;
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (strcmp(levels[i].class, g->class) == 0)
            return levels[i].level;
    if (strcmp(g->class, "server") == 0 && h.served)
        return 20;
    if (strcmp(g->class, "pc") == 0 && is_away) /* behind the router of the control network */
        return 40;
    return strcmp(g->class, "server") == 0 ? (is_away ? 40 : 30) : LEVEL_UNKNOWN;
}

void asset_guess(const struct assets *t, const struct asset *a, const struct site_place *place,
                 struct asset_guess *g)
{
    *g = (struct asset_guess){.class = "unknown", .level = LEVEL_UNKNOWN};
    guess_class(g, t, a, place);
    g->level = level_of(g, t, a);
}

const char *asset_class(const struct assets *t, const struct asset *a)
{
    struct asset_guess g;
    guess_class(&g, t, a, NULL);
    return g.class;
}

char *asset_role(const struct assets *t, const struct asset *a, char *out, size_t capacity)
{
    const struct {
        bool is_so;
        const char *role;
    } roles[] = {
        {(a->flags & ASSET_CONTROLLER) != 0,                         "controller" },
        {(a->flags & ASSET_ENGINEERING) != 0,                        "engineering"},
        {has_change(a->plant) && has_read(a->plant),                 "operator"   },
        {has_read(a->plant) && !has_change(a->plant),                "reader"     },
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
