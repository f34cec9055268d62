/* default_logins.c: users and passwords as delivered, from the manufacturers' manuals and public
 * advisories. A small table that works without a network; a plant's own accounts are not in it. */
#include "default_logins.h"

#include "sensor/base/hash.h"

static const struct login {
    const char *user, *password; /* user in lower case; NULL: every one */
    const char *protocol;        /* NULL: every one but SNMP */
} logins[] = {
  /* communities */
    {NULL,            "public",                "snmp"},
    {NULL,            "private",               "snmp"},
 /* of many makers */
    {"admin",         "admin",                 NULL  },
    {"admin",         "password",              NULL  },
    {"admin",         "default",               NULL  },
    {"admin",         "1234",                  NULL  },
    {"admin",         "12345",                 NULL  },
    {"admin",         "123456",                NULL  },
    {"administrator", "administrator",         NULL  },
    {"administrator", "admin",                 NULL  },
    {"administrator", "password",              NULL  },
    {"root",          "root",                  NULL  },
    {"root",          "admin",                 NULL  },
    {"root",          "password",              NULL  },
    {"root",          "default",               NULL  },
    {"user",          "user",                  NULL  },
    {"guest",         "guest",                 NULL  },
    {"operator",      "operator",              NULL  },
    {"oper",          "oper",                  NULL  },
    {"service",       "service",               NULL  },
    {"support",       "support",               NULL  },
    {"test",          "test",                  NULL  },
    {"default",       "default",               NULL  },
 /* of plant devices */
    {"admin",         "private",               NULL  }, /* Hirschmann */
    {"user",          "public",                NULL  }, /* Hirschmann */
    {"admin",         "moxa",                  NULL  }, /* Moxa */
    {"admin",         "mguard",                NULL  }, /* Phoenix Contact mGuard */
    {"root",          "mguard",                NULL  },
    {"admin",         "wago",                  NULL  }, /* WAGO */
    {"root",          "wago",                  NULL  },
    {"admin",         "westermo",              NULL  }, /* Westermo */
    {"administrator", "ml1400",                NULL  }, /* Allen-Bradley MicroLogix 1400 */
    {"administrator", "ml1100",                NULL  }, /* Allen-Bradley MicroLogix 1100 */
    {"administrator", "100",                   NULL  }, /* Siemens panels */
    {"basisk",        "basisk",                NULL  }, /* Siemens S7-300, ICSA-11-223-01 */
    {"winccconnect",  "2WSXcder",              NULL  }, /* Siemens WinCC, ICSA-10-201-01 */
    {"winccadmin",    "2WSXcder",              NULL  },
    {"sysdiag",       "factorycast@schneider", NULL  }, /* Schneider Modicon, ICSA-12-018-01 */
    {"loader",        "fwdownload",            NULL  },
    {"ntpupdate",     "ntpupdate",             NULL  },
    {"pcfactory",     "pcfactory",             NULL  },
    {"nic2212",       "poiuypoiuy",            NULL  },
    {"fdrusers",      "sresurdf",              NULL  },
    {"tridium",       "niagara",               NULL  }, /* Niagara */
    {"administrator", "1",                     NULL  }, /* Beckhoff */
    {"webguest",      "1",                     NULL  },
    {"ubnt",          "ubnt",                  NULL  },
    {"pi",            "raspberry",             NULL  },
    {"cisco",         "cisco",                 NULL  },
    {"admin",         "public",                "mqtt"}, /* EMQX */
    {"admin",         "hivemq",                "mqtt"}, /* HiveMQ */
};

static bool is_for(const struct login *l, const char *protocol)
{
    return l->protocol ? strcmp(l->protocol, protocol) == 0 : strcmp(protocol, "snmp") != 0;
}

bool default_logins_has(const char *protocol, struct text user, struct text password)
{
    user = ascii_trim(user);
    for (size_t i = 0; i < sizeof logins / sizeof *logins; i++) {
        const struct login *l = &logins[i];
        if (text_equal(password, text_of(l->password)) && (!l->user || ascii_is(user, l->user)) &&
            is_for(l, protocol))
            return true;
    }
    return false;
}

uint64_t default_logins_add(uint64_t digest, uint8_t byte)
{
    return hash_mix(digest, byte);
}

static uint64_t digest_of(const char *password)
{
    uint64_t digest = 0;
    for (; *password; password++)
        digest = default_logins_add(digest, (uint8_t)*password);
    return digest;
}

bool default_logins_has_digest(const char *protocol, struct text user, uint64_t digest)
{
    user = ascii_trim(user);
    for (size_t i = 0; i < sizeof logins / sizeof *logins; i++) {
        const struct login *l = &logins[i];
        if ((!l->user || ascii_is(user, l->user)) && is_for(l, protocol) &&
            digest_of(l->password) == digest)
            return true;
    }
    return false;
}
