/* mms.h: what the parts of the MMS dissector share.
 *
 * The parts: mms.c (session, presentation and association control), mms_pdu.c (the PDUs and what
 * belongs to none of the others), mms_services.c (the table of services and the objects they name),
 * mms_variables.c (read, write and reports of variables; the meaning of IEC 61850 names),
 * mms_data.c (values), mms_modes.c (nodes in test mode), mms_iccp.c (the names of control
 * centres). Sections of PROTOCOLS 11.
 *
 * Spec: [MMS] ISO 9506-2; [8-1] IEC 61850-8-1 (mapping to MMS) */
#pragma once

#include "ber.h"
#include "dissector.h"

enum mms_service {
    MMS_STATUS = 0,
    MMS_GET_NAME_LIST = 1,
    MMS_IDENTIFY = 2,
    MMS_READ = 4,
    MMS_WRITE = 5,
    MMS_GET_VARIABLE_ACCESS_ATTRIBUTES = 6,
    MMS_GET_NAMED_VARIABLE_LIST_ATTRIBUTES = 12,
    MMS_INITIATE_DOWNLOAD = 26,
    MMS_DOWNLOAD_SEGMENT = 27,
    MMS_TERMINATE_DOWNLOAD = 28,
    MMS_INITIATE_UPLOAD = 29,
    MMS_UPLOAD_SEGMENT = 30,
    MMS_TERMINATE_UPLOAD = 31,
    MMS_FILE_OPEN = 72,
    MMS_FILE_READ = 73,
    MMS_FILE_CLOSE = 74,
    MMS_SERVICE_COUNT = 78,
};

enum {
    MMS_BODY_KEPT = REMEMBER_MAX - 8,
    MMS_TEST_NODES = 8, /* nodes in test mode that are known; of more the latest */
    MMS_SELECTED = 4,   /* objects that are selected at a time, likewise */
};

/* Of a flow. */
struct mms_state {
    bool has_contexts;                   /* the presentation's contexts were seen */
    uint8_t mms_context;                 /* of MMS among them */
    uint8_t acse_context;                /* of association control */
    bool is_iccp;                        /* names of it were seen */
    uint8_t test_next;                   /* to reuse */
    uint8_t selected_next;               /* likewise */
    uint64_t test_nodes[MMS_TEST_NODES]; /* hashes of "device/node"; 0: free */
    uint64_t selected[MMS_SELECTED];     /* of "device/node$CO$object" */
};

/* Of a confirmed request: its body, as much as fits, so that the answer can read it again. */
struct mms_request {
    uint8_t service;
    bool is_cut;
    uint16_t size;
    uint8_t body[MMS_BODY_KEPT];
};

/* What association control says around an initiate PDU. */
struct mms_association {
    struct text calling, called; /* application titles as | OID | and qualifier; see mms.c */
    struct reader password;
    bool has_password;
    uint32_t result; /* of an answer; 0 accepted */
};

/* One MMS PDU. association is NULL when it is not inside of one that is being opened. */
void mms_pdu(struct dissect *d, struct reader r, const struct mms_association *association);

/* --- services --- */

const char *mms_service_name(uint32_t service); /* NULL: unknown */
enum operation mms_service_operation(uint32_t service);
/* The object that a request names, as the event's item; body: of the service. */
void mms_service_item(struct dissect *d, struct ot_event *event, uint32_t service,
                      struct reader body);
/* Steps of transfers. request is NULL for requests themselves and when it was not seen. */
void mms_service_transfer(struct dissect *d, struct ot_event *event, uint32_t service,
                          struct reader body, const struct mms_request *request);
/* Identity, lists of names, states. */
void mms_service_answer(struct dissect *d, struct ot_event *event, uint32_t service,
                        struct reader body, const struct mms_request *request);
/* [MMS] ObjectName as "domain/item"; area says of what kind; empty when it is malformed. */
struct text mms_object_name(struct dissect *d, const struct ber *name);

/* --- variables --- */

void mms_read_request(struct dissect *d, struct ot_event *event, struct reader body);
void mms_write_request(struct dissect *d, struct ot_event *event, struct reader body);
void mms_read_answer(struct dissect *d, struct ot_event *event, struct reader body,
                     const struct mms_request *request);
void mms_write_answer(struct dissect *d, struct ot_event *event, struct reader body,
                      const struct mms_request *request);
void mms_information_report(struct dissect *d, struct ot_event *event, struct reader body);

/* --- modes of logical nodes --- */

/* Looks for modes among what a server tells in answers and reports. */
void mms_modes_told(struct dissect *d, const struct ot_event *event);
/* Tells a command to a node that is in test mode, unless it is a test (is_test). */
void mms_modes_command(struct dissect *d, const struct ot_event *event, bool is_test);

/* --- select before operate --- */

/* Of a request with one item: in which of the ways it is commanded. */
void mms_selects(struct dissect *d, struct ot_item *item);

/* --- ICCP --- */

/* Of a service's event, before it is handed on: adds what answers tell about control centres. True
 * when the association is known as one of theirs from now on. */
bool mms_iccp(struct dissect *d, struct ot_event *event);
/* Tells that, beside the event that showed it. */
void mms_iccp_tell(struct dissect *d, const struct ot_event *of);
