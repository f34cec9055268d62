/* asset_words.c: what words in a told device type, a product or a name mean for the class of a
 * device. Product names are families that makers keep over the years, not single devices. */
#include "asset.h"

#include <ctype.h>
#include <string.h>

/* Pattern: a hash is a digit; a star at the end lets anything follow; otherwise no letter may. Case
 * does not matter, and no letter stands before it. The first that fits counts. */
struct word {
    const char *pattern, *class;
};

/* [CIP1] 6-1 device profiles, roles of PROFINET's DCP, words of declared lists. */
static const struct word types[] = {
    {"programmable logic*",    "plc"            },
    {"plc",                    "plc"            },
    {"io_controller",          "plc"            },
    {"human-machine*",         "hmi"            },
    {"hmi",                    "hmi"            },
    {"supervisor",             "engineering"    },
    {"position controller",    "drive"          },
    {"soft*start*",            "drive"          },
    {"motor starter",          "drive"          },
    {"drive",                  "drive"          },
    {"communications adapter", "gateway"        },
    {"gateway",                "gateway"        },
    {"limit switch",           "sensor-actuator"},
    {"managed*switch",         "switch"         },
    {"i/o",                    "io-device"      },
    {"mass flow*",             "sensor-actuator"},
    {"encoder",                "sensor-actuator"},
    {"resolver",               "sensor-actuator"},
    {"contactor",              "sensor-actuator"},
    {"pneumatic valve",        "sensor-actuator"},
    {"camera",                 "camera"         },
};

/* What a device tells of itself and what is true of many others, too: bits of LLDP and DCP. */
static const struct word weak_types[] = {
    {"station",      NULL       }, /* with a switch in it, perhaps */
    {"phone",        NULL       },
    {"bridge",       "switch"   },
    {"access point", "switch"   },
    {"router",       "router"   },
    {"io_device",    "io-device"},
};

static const struct word products[] = {
  /* networks */
    {"scalance s*",    "router"         },
    {"scalance m*",    "router"         },
    {"scalance*",      "switch"         },
    {"ruggedcom rx*",  "router"         },
    {"ruggedcom*",     "switch"         },
    {"ws-c*",          "switch"         },
    {"ie-####*",       "switch"         },
    {"catalyst*",      "switch"         },
    {"stratix*",       "switch"         },
    {"eds-#*",         "switch"         },
    {"fl switch*",     "switch"         },
    {"fl mguard*",     "router"         },
    {"mguard*",        "router"         },
    {"fortigate*",     "router"         },
    {"firewall*",      "router"         },
    {"router",         "router"         },
    {"switch",         "switch"         },
    {"nport*",         "gateway"        },
    {"mgate*",         "gateway"        },
    {"gateway",        "gateway"        },
 /* panels */
    {"ktp#*",          "hmi"            },
    {"mtp#*",          "hmi"            },
    {"tp### comfort*", "hmi"            },
    {"simatic hmi*",   "hmi"            },
    {"panelview*",     "hmi"            },
    {"2711*",          "hmi"            },
    {"magelis*",       "hmi"            },
    {"6av#*",          "hmi"            },
    {"operator panel", "hmi"            },
    {"hmi",            "hmi"            },
 /* drives */
    {"sinamics*",      "drive"          },
    {"micromaster*",   "drive"          },
    {"powerflex*",     "drive"          },
    {"kinetix*",       "drive"          },
    {"altivar*",       "drive"          },
    {"atv#*",          "drive"          },
    {"acs###*",        "drive"          },
    {"movidrive*",     "drive"          },
    {"vlt",            "drive"          },
    {"6sl#*",          "drive"          },
    {"drive",          "drive"          },
 /* remote I/O */
    {"et 200*",        "io-device"      },
    {"et200*",         "io-device"      },
    {"im 15#*",        "io-device"      },
    {"im15#*",         "io-device"      },
    {"6es7 15#*",      "io-device"      },
    {"17##-aent*",     "io-device"      },
    {"1734*",          "io-device"      },
    {"ic200pns*",      "io-device"      },
    {"bk####*",        "io-device"      },
    {"ek####*",        "io-device"      },
    {"750-3##*",       "io-device"      },
    {"i/o",            "io-device"      },
 /* protection and control of stations */
    {"siprotec*",      "ied"            },
    {"7sj#*",          "ied"            },
    {"7sa#*",          "ied"            },
    {"7ut#*",          "ied"            },
    {"sel-###*",       "ied"            },
    {"ref6##*",        "ied"            },
    {"red6##*",        "ied"            },
    {"rel6##*",        "ied"            },
    {"ret6##*",        "ied"            },
    {"micom*",         "ied"            },
    {"sepam*",         "ied"            },
    {"multilin*",      "ied"            },
    {"relay",          "ied"            },
    {"scadapack*",     "rtu"            },
    {"roc###*",        "rtu"            },
    {"rtu*",           "rtu"            },
 /* controllers */
    {"s7-#*",          "plc"            },
    {"cpu*",           "plc"            },
    {"6es7 [2345]1#*", "plc"            },
    {"cx####*",        "plc"            },
    {"controllogix*",  "plc"            },
    {"compactlogix*",  "plc"            },
    {"micrologix*",    "plc"            },
    {"guardlogix*",    "plc"            },
    {"logix#*",        "plc"            },
    {"1756-l*",        "plc"            },
    {"1769-l*",        "plc"            },
    {"5069-l*",        "plc"            },
    {"modicon*",       "plc"            },
    {"bmx p*",         "plc"            },
    {"tm2##*",         "plc"            },
    {"ilc ###*",       "plc"            },
    {"axc f*",         "plc"            },
    {"750-8##*",       "plc"            },
    {"fx#*",           "plc"            },
    {"sysmac*",        "plc"            },
    {"rx3i*",          "plc"            },
    {"plc*",           "plc"            },
 /* what is seen, printed and measured */
    {"camera",         "camera"         },
    {"ipcam*",         "camera"         },
    {"laserjet*",      "printer"        },
    {"officejet*",     "printer"        },
    {"printer",        "printer"        },
    {"flow*meter*",    "sensor-actuator"},
    {"energy meter",   "sensor-actuator"},
    {"sentron pac*",   "sensor-actuator"},
    {"transmitter",    "sensor-actuator"},
    {"hart*gateway",   "gateway"        },
    {"hart*i/o",       "io-device"      },
    {"hart*device",    "sensor-actuator"},
    {"hart*adapter",   "sensor-actuator"},
};

/* What people call their devices. */
static const struct word names[] = {
    {"hmi*",      "hmi"        },
    {"scada*",    "hmi"        },
    {"wincc*",    "hmi"        },
    {"panel*",    "hmi"        },
    {"histor*",   "historian"  },
    {"hist",      "historian"  },
    {"trend*",    "historian"  },
    {"engineer*", "engineering"},
    {"eng",       "engineering"},
    {"ews",       "engineering"},
    {"tia",       "engineering"},
    {"step7*",    "engineering"},
    {"rslogix*",  "engineering"},
    {"printer*",  "printer"    },
    {"camera*",   "camera"     },
    {"cam#*",     "camera"     },
    {"switch*",   "switch"     },
    {"sw#*",      "switch"     },
    {"firewall*", "router"     },
    {"fw#*",      "router"     },
    {"plc",       "plc"        },
    {"rtu",       "rtu"        },
    {"ied",       "ied"        },
    {"mtu",       "hmi"        }, /* master terminal unit */
    {"pc",        "pc"         },
    {"laptop*",   "pc"         },
    {"notebook*", "pc"         },
    {"desktop*",  "pc"         },
};

static char lower(char c)
{
    return (char)tolower((unsigned char)c);
}

/* One of the characters between brackets; *pattern is left at the closing one. */
static bool is_one_of(const char **pattern, char c)
{
    bool is_in = false;
    for (++*pattern; **pattern != ']'; ++*pattern)
        is_in |= **pattern == c;
    return is_in;
}

static bool fits_at(const char *at, const char *pattern)
{
    for (; *pattern != '\0'; pattern++) {
        if (*pattern == '*' && pattern[1] == '\0')
            return true;
        if (*pattern == '*') { /* the rest stands further on in the same text */
            for (const char *rest = at; *rest != '\0'; rest++)
                if (fits_at(rest, pattern + 1))
                    return true;
            return false;
        }
        bool is_fit = *pattern == '#'   ? isdigit((unsigned char)*at) != 0
                      : *pattern == '[' ? is_one_of(&pattern, lower(*at))
                                        : lower(*at) == *pattern;
        if (!is_fit)
            return false;
        at++;
    }
    return !isalpha((unsigned char)*at);
}

static const struct word *find(const struct word *words, size_t count, const char *text)
{
    for (size_t i = 0; text[0] != '\0' && i < count; i++)
        for (const char *at = text; *at != '\0'; at++)
            if ((at == text || !isalpha((unsigned char)at[-1])) && fits_at(at, words[i].pattern))
                return &words[i];
    return NULL;
}

#define CLASS_IN(words, text) class_in(words, sizeof(words) / sizeof *(words), text)

static const char *class_in(const struct word *words, size_t count, const char *text)
{
    const struct word *word = find(words, count, text);
    return word ? word->class : NULL;
}

const char *asset_class_of_words(const char *text)
{
    return CLASS_IN(types, text);
}

const char *asset_class_of_weak_words(const char *text)
{
    return CLASS_IN(weak_types, text);
}

const char *asset_class_of_product(const char *text)
{
    return CLASS_IN(products, text);
}

const char *asset_class_of_name(const char *text)
{
    return CLASS_IN(names, text);
}
