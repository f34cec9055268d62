/* site_sections.h: reads the sections of a policy file; to: the struct site. */
#pragma once

#include "rules/site_values.h"

#define FIELDS(table) table, sizeof table / sizeof *table

/* site_read_zones.c: hosts and zones come first, because everything else names them. */
site_read_value site_read_names, site_read_zones, site_read_conduits;

/* site_read_access.c: who may do what, where and when. */
site_read_value site_read_safety_list, site_read_internet, site_read_remote_list,
    site_read_data_list, site_read_windows;
