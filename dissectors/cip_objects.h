/* cip_objects.h: facts in the attributes of well-known CIP objects. */
#pragma once

#include "dissector.h"

/* Facts that a device tells by one attribute of an object, or by all of them (attribute 0), into
 * event->facts. */
void cip_object_facts(struct dissect *d, uint32_t class_id, uint32_t attribute, struct reader data,
                      struct ot_event *event);

/* A few words on what setting the attribute means: the new address, name or time. Empty: nothing to
 * say. */
struct text cip_object_setting(struct dissect *d, uint32_t class_id, uint32_t attribute,
                               struct reader data);
