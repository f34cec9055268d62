/* self_description.c: what is known of the wording of such lines.
 *
 *   [S] Siemens: fields between commas: family, product, order number, HW: and FW: versions, serial
 *       number behind "S " ("Siemens, SIMATIC S7, CPU 1515-2 PN, 6ES7 515-2AM01-0AB0,
 *       HW: Version 3, FW: Version V2.6.0, S C-L5CM77762019")
 *   [C] Cisco IOS: "Cisco IOS Software, IE4010  Software (IE4010-UNIVERSALK9-M), Version 15.2(6),"
 *   [H] HP and Aruba: "Aruba JL259A 2930F-24G-4SFP Switch, revision WC.16.07.0003, ROM ...": maker,
 *       order number, model
 *   [U] uname -a (RFC 1213 sysDescr of most agents): "Linux name release ...", and
 *       "Hardware: ... - Software: Windows Version 6.3 (Build ...)" */
#include "self_description.h"

enum { COMMENT_SIZE = 120 };

static const struct {
    const char *begin; /* in lower case */
    enum fact_kind kind;
    const char *value;
} beginnings[] = {
    {"siemens",         FACT_VENDOR, "Siemens"            },
    {"cisco",           FACT_VENDOR, "Cisco"              },
    {"hirschmann",      FACT_VENDOR, "Hirschmann"         },
    {"moxa",            FACT_VENDOR, "Moxa"               },
    {"phoenix contact", FACT_VENDOR, "Phoenix Contact"    },
    {"rockwell",        FACT_VENDOR, "Rockwell Automation"},
    {"allen-bradley",   FACT_VENDOR, "Rockwell Automation"},
    {"schneider",       FACT_VENDOR, "Schneider Electric" },
    {"wago",            FACT_VENDOR, "WAGO"               },
    {"westermo",        FACT_VENDOR, "Westermo"           },
    {"aruba",           FACT_VENDOR, "Aruba"              },
    {"procurve",        FACT_VENDOR, "HP"                 },
    {"hp j",            FACT_VENDOR, "HP"                 },
    {"ruggedcom",       FACT_VENDOR, "RuggedCom"          },
    {"freebsd",         FACT_OS,     "FreeBSD"            },
    {"qnx",             FACT_OS,     "QNX"                },
};

static const struct {
    const char *word;
    const char *os;
} systems[] = {
    {"software: windows", "Windows"  },
    {"vxworks",           "VxWorks"  },
    {"linux",             "Linux"    },
    {"cisco ios",         "Cisco IOS"},
};

/* [S] an order number: 6ES7 515-2AM01-0AB0, 6GK5 208-0BA10-2AA3 */
static bool is_order_number(struct text t)
{
    return t.size >= 8 && t.at[0] == '6' && t.at[1] >= 'A' && t.at[1] <= 'Z' && t.at[2] >= 'A' &&
           t.at[2] <= 'Z' && t.at[3] >= '0' && t.at[3] <= '9';
}

/* The rest of t behind a beginning, and behind the word "Version" when it comes next. */
static struct text behind(struct text t, const char *begin)
{
    size_t size = strlen(begin);
    t = ascii_trim((struct text){t.at + size, t.size - size});
    if (ascii_begins(t, "version"))
        t = ascii_trim((struct text){t.at + 7, t.size - 7});
    return t;
}

static void fields(struct facts *f, struct text line)
{
    enum { FIELDS_MAX = 16 };
    struct text before = {NULL, 0};
    bool is_siemens = ascii_begins(line, "siemens");
    for (int i = 0; i < FIELDS_MAX && line.size; i++) {
        struct text field = ascii_trim(ascii_until(&line, ','));
        if (is_order_number(field)) {
            facts_add(f, FACT_ORDER_NUMBER, field);
            facts_add(f, FACT_PRODUCT, before);
        } else if (ascii_begins(field, "hw:")) {
            facts_add(f, FACT_HARDWARE, behind(field, "hw:"));
        } else if (ascii_begins(field, "fw:")) {
            facts_add(f, FACT_FIRMWARE, behind(field, "fw:"));
        } else if (is_siemens && ascii_begins(field, "s ")) {
            facts_add(f, FACT_SERIAL, behind(field, "s "));
        } else if (!is_siemens && i > 0 && ascii_begins(field, "version ")) {
            facts_add(f, FACT_SOFTWARE, behind(field, "version ")); /* [C] */
        }
        before = field;
    }
}

static void switch_of_hp(struct facts *f, struct text line)
{
    static const char end[] = " switch";
    struct text device = ascii_trim(ascii_until(&line, ','));
    struct text revision = ascii_trim(ascii_until(&line, ','));
    if (!ascii_ends(device, end) || !ascii_begins(revision, "revision "))
        return;
    device.size -= sizeof end - 1;
    ascii_until(&device, ' ');
    struct text order = ascii_until(&device, ' ');
    if (order.size == 0 || ascii_lower(order.at[0]) != 'j')
        return;
    facts_add(f, FACT_ORDER_NUMBER, order);
    facts_add(f, FACT_PRODUCT, device);
    facts_add(f, FACT_FIRMWARE, behind(revision, "revision "));
}

void self_description_facts(struct facts *f, struct text line)
{
    line = ascii_trim(line);
    struct text all = line, first = ascii_until(&all, '\n');
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (ascii_begins(first, beginnings[i].begin))
            facts_add(f, beginnings[i].kind, text_of(beginnings[i].value));
    for (size_t i = 0; i < sizeof systems / sizeof *systems; i++)
        if (ascii_contains(first, systems[i].word))
            facts_add(f, FACT_OS, text_of(systems[i].os));
    fields(f, first);
    switch_of_hp(f, first);
    first.size = first.size < COMMENT_SIZE ? first.size : COMMENT_SIZE;
    facts_add(f, FACT_COMMENT, first);
}
