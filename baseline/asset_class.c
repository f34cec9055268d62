/* asset_class.c: what a device probably is, by the protocols it serves and the operations it
 * performs. */
#include "asset.h"

#include "names.h"

#include <string.h>
#include <strings.h>

/* What keeps a conversation of IEC 104 going, beside its messages. */
#define LINK_OF_IEC104 "iec104_apci"

/* Names of our dissectors and of nDPI (with another spelling). A broker or an OPC UA server is no
 * controller; ICCP is of control centres; Modbus RTU over TCP ends in a serial line. */
static const struct asset_protocol_kind kinds[] = {
    {"iccp",          "server",    false},
    {"modbus",        "plc",       true },
    {"modbus_rtu",    "gateway",   true },
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
    {LINK_OF_IEC104,  "rtu",       true },
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
    {"crimson",       "hmi",       true },
    {"csp",           "plc",       true },
    {"ads_route",     "plc",       true },
    {"atg",           "rtu",       true },
    {"bvlc",          "gateway",   false},
};

const struct asset_protocol_kind *asset_protocol_kind(const char *name)
{
    enum { LOWER = 0x20 }; /* most differ in their first letter */
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].name[0] == (name[0] | LOWER) && strcasecmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

bool asset_unit_is_other(const char *protocol)
{
    /* of PROFINET IO: slot 0 is the device and no unit, the others are its modules */
    static const char *const protocols[] = {"bacnet", "ethercat", "pnio_cm"};
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
        if (strcmp(protocols[i], protocol) == 0)
            return true;
    return false;
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

/* Orders that a panel gives rarely, and never without reading what it controls. */
static bool has_order(uint64_t operations)
{
    for (unsigned op = 0; op < OPERATION_COUNT; op++)
        if ((operations & bit((enum operation)op)) && operation_is_critical((enum operation)op))
            return true;
    return false;
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

/* Who takes part in these sends process data by itself, asked by nobody; on an EtherCAT bus the
 * master alone sends. */
static const struct {
    const char *protocol, *class;
} producers[] = {
    {"goose",          "ied"      },
    {"gse_management", "ied"      },
    {"sv",             "ied"      },
    {"egd",            "plc"      },
    {"ethercat",       "plc"      },
    {"powerlink",      "plc"      },
    {"cclink_ie",      "plc"      },
    {"cipio",          "io-device"},
    {"pn_rt",          "io-device"},
    {"pn_ptcp",        "io-device"},
    {"pn_mrp",         "io-device"},
};

/* What devices of any kind do beside their work. */
static bool is_chatter(const char *protocol)
{
    static const char *const names[] = {"lldp",   "cdp",    "mndp", "stp",    "dhcp",   "dhcpv6",
                                        "pn_dcp", "pn_mrp", "icmp", "icmpv6", "pn_ptcp"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(names[i], protocol) == 0)
            return true;
    return false;
}

/* Answers for its own name, or says that it is there: no service to others. Windows gives the first
 * two. */
static const char *const neighbourly[] = {"nbns", "llmnr", "mdns", "ssdp", "ws_discovery"};
enum { NEIGHBOURLY = sizeof neighbourly / sizeof *neighbourly, OF_COMPUTERS = 2 };

static size_t neighbourly_of(const char *protocol)
{
    size_t i = 0;
    while (i < NEIGHBOURLY && strcasecmp(neighbourly[i], protocol) != 0)
        i++;
    return i;
}

/* Whose clients are control centres and gateways, which collect from many and keep no history. */
static bool is_telecontrol(const char *protocol)
{
    static const char *const names[] = {"mms", "iec104", "dnp3", "goose", "synchrophasor"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], protocol) == 0)
            return true;
    return false;
}

static const char *produced_class(const char *protocol)
{
    for (size_t i = 0; i < sizeof producers / sizeof *producers; i++)
        if (strcmp(producers[i].protocol, protocol) == 0)
            return producers[i].class;
    return NULL;
}

/* What is known of the protocols of an asset. */
struct habits {
    const char *served, *served_class; /* best of the plant's, NULL: none */
    int served_rank;
    const char *other;                     /* one of the others that it serves; NULL: none */
    const char *used, *used_plant;         /* as client, chatter aside; NULL: none */
    const char *produced, *produced_class; /* sent by itself; NULL: none */
    size_t carer;                         /* that gives a class, when it serves such only; CARERS */
    bool starts_cyclic_io, has_cyclic_io; /* PROFINET: its two halves */
    bool uses_mqtt_only;                  /* of the plant's protocols */
};

/* Of several served protocols the one that tells most: a CPU on PROFINET is no I/O device, and only
 * control centres speak ICCP. */
static int rank_of(const struct asset_protocol_kind *kind)
{
    bool is_common =
        strcmp(kind->server_class, "io-device") == 0 || strcmp(kind->server_class, "gateway") == 0;
    if (strcmp(kind->name, "iccp") == 0)
        return 4;
    if (strcmp(kind->name, LINK_OF_IEC104) == 0)
        return 2;
    return !kind->is_controller ? 1 : is_common ? 2 : 3;
}

static void habit_of_use(struct habits *h, const char *name, bool is_served)
{
    bool is_chat = is_chatter(name) || (is_served && neighbourly_of(name) < NEIGHBOURLY);
    const struct asset_protocol_kind *kind = asset_protocol_kind(name);
    const char *produced = produced_class(name);
    h->used = is_chat ? h->used : name;
    h->uses_mqtt_only &= !kind || strcmp(name, "mqtt") == 0;
    h->starts_cyclic_io |= strcmp(name, "pnio_cm") == 0;
    h->has_cyclic_io |= strcmp(name, "pn_rt") == 0;
    if (produced && (!h->produced || strcmp(h->produced_class, "io-device") == 0)) {
        h->produced = name;
        h->produced_class = produced;
    }
    bool is_link = h->used_plant && strcmp(name, LINK_OF_IEC104) == 0;
    h->used_plant = kind && !is_link ? name : h->used_plant;
}

static void habits_find(struct habits *h, const struct assets *t, const struct asset *a)
{
    bool has_others = false;
    *h = (struct habits){.carer = CARERS};
    h->uses_mqtt_only = true;
    for (size_t i = 0; i < a->protocol_count; i++) {
        const char *name = assets_protocol_name(t, a->protocols[i].name);
        if (a->protocols[i].is_used && name[0] != '\0')
            habit_of_use(h, name, a->protocols[i].is_served);
        bool is_peer = strcmp(name, "iccp") == 0; /* between equals */
        if ((!a->protocols[i].is_served && !is_peer) || name[0] == '\0')
            continue;
        size_t neighbour = neighbourly_of(name);
        if (neighbour < OF_COMPUTERS && !h->used)
            h->used = name;
        if (neighbour < NEIGHBOURLY)
            continue;
        const struct asset_protocol_kind *kind = asset_protocol_kind(name);
        size_t carer = carer_of(name);
        if (carer == CARERS)
            has_others = true;
        else if (carers[carer].class && h->carer == CARERS)
            h->carer = carer;
        if (!kind)
            h->other = name;
        else if (!h->served || rank_of(kind) >= h->served_rank) {
            h->served = name;
            h->served_class = kind->server_class;
            h->served_rank = rank_of(kind);
        }
    }
    if (has_others)
        h->carer = CARERS;
}

/* A fact of this kind (FACT_COUNT: of any) that the device told in this protocol of itself. */
static bool has_fact_by(const struct assets *t, const struct asset *a, enum fact_kind kind,
                        const char *protocol)
{
    for (uint32_t i = a->first_fact; i != INDEX_NONE; i = t->facts[i].next) {
        const struct asset_fact *f = &t->facts[i];
        const char *by = assets_protocol_name(t, f->protocol);
        if ((kind == FACT_COUNT || f->kind == kind) && strcmp(by, protocol) == 0 &&
            (f->unit[0] == '\0' || !asset_unit_is_other(by)))
            return true;
    }
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

/* --- what it says of itself --- */

/* A router's MAC carries what others send: an address of it is its own only by ARP. */
static bool is_router(const struct asset *a, const struct habits *h)
{
    bool is_own = a->ip_count == 0 || (!h->served && !h->other);
    for (size_t i = 0; i < a->ip_count; i++)
        is_own |= a->is_ip_confirmed[i];
    return (a->flags & ASSET_ROUTER) && is_own;
}

static bool guess_by_words(struct asset_guess *g, const struct assets *t, const struct asset *a)
{
    const char *type = asset_fact_text(t, a, FACT_DEVICE_TYPE), *told = asset_class_of_words(type);
    if (told) {
        guess(g, told, 95, "says that it is: %s", type);
        return true;
    }
    static const enum fact_kind kinds_of_product[] = {FACT_PRODUCT, FACT_ORDER_NUMBER};
    for (size_t i = 0; i < sizeof kinds_of_product / sizeof *kinds_of_product; i++) {
        const char *product = asset_fact_text(t, a, kinds_of_product[i]);
        told = asset_class_of_product(product);
        if (told) {
            guess(g, told, 90, "says what product it is: %s", product);
            return true;
        }
    }
    return false;
}

/* A name is what somebody wished it to be: it decides where nothing else does. */
static bool guess_by_name(struct asset_guess *g, const struct assets *t, const struct asset *a)
{
    static const enum fact_kind kinds_of_name[] = {FACT_NAME, FACT_HOST_NAME};
    for (size_t i = 0; i < sizeof kinds_of_name / sizeof *kinds_of_name; i++) {
        const char *name = asset_fact_text(t, a, kinds_of_name[i]),
                   *told = asset_class_of_name(name);
        if (told) {
            guess(g, told, 60, "is called %s", name);
            return true;
        }
    }
    return false;
}

/* What it says of itself in a sentence: products and families are named in it. */
static bool guess_by_sentence(struct asset_guess *g, const struct assets *t, const struct asset *a)
{
    const char *sentence = asset_fact_text(t, a, FACT_COMMENT),
               *told = asset_class_of_product(sentence);
    if (told)
        guess(g, told, 55, "says of itself: %s", sentence);
    return told != NULL;
}

static bool guess_by_weak_words(struct asset_guess *g, const struct assets *t,
                                const struct asset *a)
{
    const char *type = asset_fact_text(t, a, FACT_DEVICE_TYPE),
               *told = asset_class_of_weak_words(type);
    if (told)
        guess(g, told, 65, "says that it is: %s", type);
    return told != NULL;
}

/* --- what it does --- */

static const char CONTROLS_IO[] = "controls the I/O devices of a PROFINET network";

static bool serves(const struct assets *t, const struct asset *a, const char *protocol)
{
    for (size_t i = 0; i < a->protocol_count; i++)
        if (a->protocols[i].is_served &&
            strcasecmp(assets_protocol_name(t, a->protocols[i].name), protocol) == 0)
            return true;
    return false;
}

/* It sets up relations with devices that call it back; a tool that writes records is not called. */
static bool is_io_controller(const struct assets *t, const struct asset *a, const struct habits *h)
{
    bool is_called_back = serves(t, a, "pnio_cm");
    if (!h->starts_cyclic_io)
        return false;
    return is_called_back ? (a->usual & bit(OP_CONFIG_CHANGE)) != 0
                          : h->has_cyclic_io || has_fact_by(t, a, FACT_NAME, "pnio_cm");
}

/* A controller that answers for several units on the line behind it. */
static bool guess_served(struct asset_guess *g, const struct assets *t, const struct asset *a,
                         const struct habits *h)
{
    size_t units = asset_units_behind(t, a, "modbus");
    if (strcmp(h->served_class, "io-device") == 0 && is_io_controller(t, a, h))
        guess(g, "plc", 75, CONTROLS_IO, "");
    else if (units > 1 && strcmp(h->served, "modbus") == 0)
        guess(g, "gateway", 75, "answers %s for several units behind it", h->served);
    else
        guess(g, h->served_class, 85, "answers %s", h->served);
    return true;
}

/* What is sent without being asked for. */
static bool guess_producer(struct asset_guess *g, const struct assets *t, const struct asset *a,
                           const struct habits *h)
{
    if (is_io_controller(t, a, h))
        guess(g, "plc", 75, CONTROLS_IO, "");
    else if (h->produced)
        guess(g, h->produced_class, strcmp(h->produced_class, "io-device") == 0 ? 55 : 75,
              "sends process data with %s", h->produced);
    else if (h->uses_mqtt_only && h->used_plant && (a->usual & bit(OP_PUBLISH)) &&
             !has_change(a->usual))
        guess(g, "gateway", 55, "publishes values with %s", h->used_plant);
    else
        return false;
    return true;
}

/* A client, by what it is there for. False: nothing of the plant. Only programming tells much when
 * it was never learned. */
static bool guess_client(struct asset_guess *g, const struct assets *t, const struct asset *a,
                         const struct habits *h)
{
    const char *with = h->used_plant ? h->used_plant : "the plant's protocols";
    bool is_tool = !has_duty(a) && (has_programming(a->plant) || (a->flags & ASSET_ENGINEERING));
    bool is_pdc = h->used_plant && strcmp(h->used_plant, "synchrophasor") == 0;
    bool is_ordering = has_order(a->usual);
    if (has_programming(a->usual) || is_tool)
        guess(g, "engineering", 85, "programs or commands controllers with %s", with);
    else if (is_ordering && !has_read(a->usual) && !(a->usual & bit(OP_WRITE)))
        guess(g, "engineering", 65, "only gives controllers critical orders, with %s", with);
    else if (is_ordering && guess_by_name(g, t, a) && strcmp(g->class, "engineering") == 0)
        return true;
    else if (is_pdc)
        guess(g, "server", 70, "collects measurements with %s", with);
    else if (has_change(a->usual))
        guess(g, "hmi", has_read(a->usual) ? 80 : 60, "reads and writes with %s", with);
    else if (!has_read(a->usual))
        return false;
    else if (guess_by_name(g, t, a))
        return true;
    else if ((a->flags & ASSET_COLLECTS) && h->used_plant && is_telecontrol(h->used_plant))
        guess(g, "hmi", 60, "only reads, from several stations, with %s", with);
    else if (a->flags & ASSET_COLLECTS)
        guess(g, "historian", 70, "only reads, with %s", with);
    else
        guess(g, "hmi", 50, "only reads, and one device only, with %s", with);
    return true;
}

/* Devices that tell of themselves in the plant's protocols, though nobody was seen to ask them. */
static bool guess_teller(struct asset_guess *g, const struct assets *t, const struct asset *a)
{
    static const char *const tellers[] = {"bacnet", "synchrophasor"};
    for (size_t i = 0; i < sizeof tellers / sizeof *tellers; i++)
        if (has_fact_by(t, a, FACT_COUNT, tellers[i])) {
            guess(g, asset_protocol_kind(tellers[i])->server_class, 60, "tells of itself in %s",
                  tellers[i]);
            return true;
        }
    return false;
}

static void guess_class(struct asset_guess *g, const struct assets *t, const struct asset *a,
                        const struct site_place *place)
{
    struct habits h;
    habits_find(&h, t, a);
    bool is_controller = (a->flags & ASSET_CONTROLLER) != 0;
    bool is_programmer = has_programming(a->usual);
    if (place && place->is_engineering)
        guess(g, "engineering", 100, "the site policy says so", "");
    else if (a->mac_count > 0 && mac_is_virtual_router(&a->macs[0]))
        guess(g, "router", 95, "has the MAC of a virtual router", "");
    else if (is_router(a, &h))
        guess(g, "router", 95, "carries addresses of other subnets", "");
    else if (guess_by_words(g, t, a))
        return;
    else if (h.served && is_controller)
        guess_served(g, t, a, &h);
    else if (has_fact_by(t, a, FACT_COUNT, "stp") && !h.used_plant)
        guess(g, "switch", 85, "takes part in the spanning tree", "");
    else if (h.served && !is_programmer)
        guess(g, h.served_class, 75, "answers %s", h.served);
    else if (guess_producer(g, t, a, &h) || guess_client(g, t, a, &h))
        return;
    else if (a->foreign_count > 0 && a->mac_count > 0 && !h.used_plant && !h.served)
        guess(g, "router", 75, "its MAC carries an address of another subnet", "");
    else if (h.served)
        guess(g, h.served_class, 75, "answers %s", h.served);
    else if (guess_teller(g, t, a) || guess_by_weak_words(g, t, a) || guess_by_name(g, t, a) ||
             guess_by_sentence(g, t, a))
        return;
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

int16_t asset_level_of_class(const char *class)
{
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (strcmp(levels[i].class, class) == 0)
            return levels[i].level;
    return LEVEL_UNKNOWN;
}

static int16_t level_of(const struct asset_guess *g, const struct assets *t, const struct asset *a)
{
    struct habits h;
    habits_find(&h, t, a);
    bool is_away = (a->flags & ASSET_PROXY) != 0;
    if (asset_level_of_class(g->class) != LEVEL_UNKNOWN)
        return asset_level_of_class(g->class);
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

static bool serves_io_only(const struct assets *t, const struct asset *a)
{
    struct habits h;
    habits_find(&h, t, a);
    return h.served && strcmp(h.served_class, "io-device") == 0;
}

static const struct {
    const char *protocol, *role;
} serving_roles[] = {
    {"ntp",  "time-source"   },
    {"ptp",  "time-source"   },
    {"dns",  "name-server"   },
    {"dhcp", "address-server"},
    {"mqtt", "broker"        },
};

static void role_add(char *out, size_t capacity, const char *role)
{
    size_t used = strlen(out);
    if (!strstr(out, role))
        text_format(out + used, capacity - used, "%s%s", used ? ";" : "", role);
}

char *asset_role(const struct assets *t, const struct asset *a, char *out, size_t capacity)
{
    out[0] = '\0';
    if (a->flags & ASSET_CONTROLLER)
        role_add(out, capacity, serves_io_only(t, a) ? "io" : "controller");
    if (a->flags & ASSET_ENGINEERING)
        role_add(out, capacity, "engineering");
    if (has_read(a->plant))
        role_add(out, capacity, has_change(a->plant) ? "operator" : "reader");
    if (a->operations & (bit(OP_DISCOVER) | bit(OP_BROWSE)))
        role_add(out, capacity, "scanner");
    if (a->flags & ASSET_ROUTER)
        role_add(out, capacity, "router");
    for (size_t i = 0; i < sizeof serving_roles / sizeof *serving_roles; i++)
        if (serves(t, a, serving_roles[i].protocol))
            role_add(out, capacity, serving_roles[i].role);
    return out;
}

/* How well a fact names the device; 0: not at all. A program on it and a number are not what people
 * call it. */
static int name_rank(const struct assets *t, const struct asset_fact *f)
{
    const char *by = assets_protocol_name(t, f->protocol);
    if ((f->kind != FACT_NAME && f->kind != FACT_MODULE_NAME && f->kind != FACT_HOST_NAME) ||
        !f->is_current || (f->unit[0] != '\0' && asset_unit_is_other(by)))
        return 0;
    if (strcmp(by, ASSET_OPCUA_CLIENT) == 0) /* of a program, which runs on many */
        return 0;
    if (strcmp(by, "opcua") == 0 || strcmp(by, "ads") == 0 || strcmp(by, "mqtt") == 0 ||
        (strcmp(by, "bacnet") == 0 && strncmp(f->text, "device,", 7) == 0))
        return 2;
    if (f->kind == FACT_HOST_NAME)
        return names_is_hearsay(by) ? 3 : 4;
    return f->kind == FACT_MODULE_NAME ? 5 : 6;
}

const char *asset_name(const struct assets *t, const struct asset *a)
{
    const struct asset_fact *best = NULL;
    int rank = 0; /* of the best, and whether it is of the device and not of a unit */
    for (uint32_t i = a->first_fact; i != INDEX_NONE; i = t->facts[i].next) {
        const struct asset_fact *f = &t->facts[i];
        int its = name_rank(t, f) * 2;
        its += its > 0 && f->unit[0] == '\0';
        if (its > rank || (best && its == rank && f->first_ns <= best->first_ns)) {
            best = f;
            rank = its;
        }
    }
    return best ? best->text : "";
}
