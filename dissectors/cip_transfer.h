/* cip_transfer.h: which CIP services begin, continue and end the transfer of a program, of firmware
 * or of a file. */
#pragma once

#include "cip_services.h"
#include "reader.h"

enum cip_transfer_state { CIP_TRANSFER_IDLE, CIP_TRANSFER_OPEN, CIP_TRANSFER_DONE };

/* The transfers of one conversation: at most one of each kind at a time. All zero at first. */
struct cip_transfers {
    uint8_t program, firmware, file; /* enum cip_transfer_state */
    uint8_t file_operation;          /* enum operation */
    bool is_stopped;                 /* the controller was, in this conversation */
};

/* Whether a program is being downloaded, from the controller's stop to its start. */
bool cip_transfer_is_download(const struct cip_transfers *t);

/* The step that a request is; row may be NULL. data: what follows the path. */
struct ot_transfer cip_transfer_request(struct cip_transfers *t, uint32_t class_id, uint8_t service,
                                        const struct cip_service *row, struct reader data);
/* The step that its response is. */
struct ot_transfer cip_transfer_response(struct cip_transfers *t, const struct cip_service *row,
                                         bool is_refused, struct reader data);
