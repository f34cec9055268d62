/* cip_services.h: what a CIP service does to a class of objects. */
#pragma once

#include "sensor/base/ot_event.h"

/* How the data behind the path is laid out. */
enum cip_body {
    BODY_NONE,  /* nothing, or not looked into */
    BODY_BYTES, /* one opaque value */
    BODY_GET_SINGLE,
    BODY_SET_SINGLE,
    BODY_GET_LIST,
    BODY_SET_LIST,
    BODY_RESET,
    BODY_READ_TAG,
    BODY_READ_TAG_FRAGMENTED,
    BODY_WRITE_TAG,
    BODY_WRITE_TAG_FRAGMENTED,
    BODY_MODIFY_TAG,
    BODY_MULTIPLE,
    BODY_UNCONNECTED_SEND,
    BODY_FORWARD_OPEN,
    BODY_LARGE_FORWARD_OPEN,
    BODY_FORWARD_CLOSE,
    BODY_PCCC,
    BODY_WRAPPED,        /* another message behind the path */
    BODY_WRAPPED_SIGNED, /* the same behind an envelope of 8 bytes */
    BODY_EDIT_STEP,
    BODY_FIRMWARE_BEGIN,
    BODY_FIRMWARE_BLOCK,
    BODY_FILE_BEGIN,
    BODY_FILE_BLOCK,
    BODY_CREDENTIAL, /* authentication data: never shown */
};

struct cip_service {
    uint32_t class_id; /* or CIP_CLASS_SYMBOL */
    uint8_t service;
    enum operation operation;
    const char *name;
    enum cip_body body;
};

/* The row for this service of this class, else the service that all classes have in common; NULL:
 * unknown. */
const struct cip_service *cip_service_find(uint32_t class_id, uint8_t service);

/* The operation of setting one attribute, where it is not the row's own. */
enum operation cip_set_operation(uint32_t class_id, uint32_t attribute, enum operation otherwise);

/* Whether creating or setting objects of this class is part of a program download. */
bool cip_class_is_program(uint32_t class_id);

/* "Identity"; NULL: unknown. */
const char *cip_class_name(uint32_t class_id);

/* All class-specific rows, sorted by class and service. */
extern const struct cip_service cip_class_services[];
extern const size_t cip_class_service_count;
