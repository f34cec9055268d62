/* s7comm_userdata.h: ROSCTR 7, the services of engineering stations and panels. */
#pragma once

#include "s7comm.h"

/* One PDU of ROSCTR 7, as one event. */
void s7comm_userdata(struct dissect *d, const struct s7comm_pdu *pdu);
