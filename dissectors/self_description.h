/* self_description.h: the line in which a device describes itself to network management: LLDP's
 * system description, SNMP's sysDescr, CDP's software version. */
#pragma once

#include "facts.h"

/* Adds the vendor, product, order number, versions and operating system that the line tells, and
 * the line's beginning as a comment. Texts are parts of the line or static. */
void self_description_facts(struct facts *f, struct text line);
