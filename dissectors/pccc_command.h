/* pccc_command.h: one PCCC command or reply, whatever carries it. */
#pragma once

#include "dissector.h"

/* Emits the event of the command that r begins with. requestor tells apart who numbers
 * transactions. */
void pccc_command_dissect(struct dissect *d, struct reader r, uint64_t requestor);
