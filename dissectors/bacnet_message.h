/* bacnet_message.h: shared by the files that read BACnet's services: bacnet_services.c tells which
 * service is read by whom. */
#pragma once

#include "bacnet_services.h"

/* --- bacnet_message.c: what all need --- */

void bacnet_wrong(struct bacnet_message *m, enum violation_kind kind, const char *why);
/* One more item for a property of an object; NULL: no room, it is only counted. */
struct ot_item *bacnet_add(struct bacnet_message *m, const struct bacnet_property *p);
/* Keeps what a request asks for until its answer. */
void bacnet_ask(struct bacnet_message *m, const struct bacnet_property *p);
/* Both. */
struct ot_item *bacnet_add_asked(struct bacnet_message *m, const struct bacnet_property *p);
/* The event's operation is the gravest of its items'. */
void bacnet_graver(struct bacnet_message *m, enum operation operation);
/* Nothing for an empty value, or when there is no room. */
void bacnet_fact(struct bacnet_message *m, enum fact_kind kind, struct text value);
struct bacnet_property bacnet_property_of(uint32_t object, uint32_t property);
/* The object under context tag `number` alone. False: it is not there. */
bool bacnet_object_at(struct reader *r, uint8_t number, struct bacnet_property *p);
/* The property, and the index when there is one, under context tags `number` and the next. */
bool bacnet_property_at(struct reader *r, uint8_t number, struct bacnet_property *p);
/* Who makes the device, by number. */
void bacnet_vendor_note(struct bacnet_message *m, uint32_t vendor);
/* An item with its value, and what it tells of the device. */
void bacnet_add_value(struct bacnet_message *m, const struct bacnet_property *p,
                      struct reader content);

/* --- bacnet_access.c: parameters of requests and acknowledgements --- */

void bacnet_read_request(struct bacnet_message *m, struct reader *r);
void bacnet_read_acknowledged(struct bacnet_message *m, struct reader *r);
void bacnet_read_multiple_request(struct bacnet_message *m, struct reader *r);
void bacnet_read_multiple_acknowledged(struct bacnet_message *m, struct reader *r);
void bacnet_read_range_acknowledged(struct bacnet_message *m, struct reader *r);
void bacnet_write_request(struct bacnet_message *m, struct reader *r);
void bacnet_write_multiple_request(struct bacnet_message *m, struct reader *r);
void bacnet_list_request(struct bacnet_message *m, struct reader *r);
void bacnet_create_request(struct bacnet_message *m, struct reader *r);
void bacnet_object_request(struct bacnet_message *m, struct reader *r);
void bacnet_create_acknowledged(struct bacnet_message *m, struct reader *r);

/* --- bacnet_devices.c --- */

void bacnet_file_read_request(struct bacnet_message *m, struct reader *r);
void bacnet_file_read_acknowledged(struct bacnet_message *m, struct reader *r);
void bacnet_file_write_request(struct bacnet_message *m, struct reader *r);
/* A password: its bytes are masked and kept nowhere. */
void bacnet_secret_note(struct bacnet_message *m, struct reader content);
void bacnet_communication_request(struct bacnet_message *m, struct reader *r);
void bacnet_reinitialize_request(struct bacnet_message *m, struct reader *r);
void bacnet_i_am_request(struct bacnet_message *m, struct reader *r);
void bacnet_i_have_request(struct bacnet_message *m, struct reader *r);
void bacnet_who_is_request(struct bacnet_message *m, struct reader *r);
void bacnet_who_has_request(struct bacnet_message *m, struct reader *r);

/* --- bacnet_alarms.c --- */

void bacnet_second_object(struct bacnet_message *m, struct reader *r);
void bacnet_event_request(struct bacnet_message *m, struct reader *r);
void bacnet_subscribe_request(struct bacnet_message *m, struct reader *r);
void bacnet_change_request(struct bacnet_message *m, struct reader *r);
void bacnet_time_request(struct bacnet_message *m, struct reader *r);
void bacnet_changes_request(struct bacnet_message *m, struct reader *r);
void bacnet_life_safety_request(struct bacnet_message *m, struct reader *r);
void bacnet_private_request(struct bacnet_message *m, struct reader *r);
void bacnet_message_request(struct bacnet_message *m, struct reader *r);
void bacnet_authenticate_request(struct bacnet_message *m, struct reader *r);
void bacnet_group_request(struct bacnet_message *m, struct reader *r);
