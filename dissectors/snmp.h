/* snmp.h: SNMP's names and values, and what they tell of a device: snmp_objects.c for snmp.c. */
#pragma once

#include "ber.h"
#include "facts.h"

enum { /* [3416] 3: instead of a value */
       SNMP_NO_OBJECT = 0x80,
       SNMP_NO_INSTANCE = 0x81,
       SNMP_END_OF_VIEW = 0x82,
};

/* "1.3.6.1.2.1.1.1.0" in packet memory; empty when it is broken or too long. */
struct text snmp_oid_text(struct dissect *d, struct reader oid);
/* A variable's value, typed; none for NULL and what is not known. */
struct ot_values snmp_values(struct dissect *d, const struct ber *value);
const char *snmp_exception(uint8_t tag);
/* What this variable tells of the device that answers with it. */
void snmp_facts(struct facts *f, struct reader oid, const struct ber *value);
/* The vendor of an object id below "enterprises"; empty when it is not known. */
struct text snmp_vendor(struct reader oid);
/* What an engine's id tells: its vendor, an address. */
void snmp_engine_facts(struct dissect *d, struct facts *f, struct reader engine);
