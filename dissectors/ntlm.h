/* ntlm.h: what an NTLM log-in tells in clear, wherever it is carried (SMB, DCE/RPC, HTTP). */
#pragma once

#include "dissector.h"

enum { NTLM_FACTS_MAX = 4 };

enum ntlm_message { NTLM_NONE, NTLM_NEGOTIATE, NTLM_CHALLENGE, NTLM_AUTHENTICATE };

struct ntlm {
    enum ntlm_message message;
    struct text user, domain; /* of AUTHENTICATE; the domain of CHALLENGE is the server's */
    struct ot_fact facts[NTLM_FACTS_MAX]; /* about the sender */
    uint32_t fact_count;
};

/* Looks for an NTLM message in these bytes, bare or wrapped by SPNEGO. All texts have packet
 * lifetime. False: there is none. */
bool ntlm_find(struct dissect *d, struct reader r, struct ntlm *n);
