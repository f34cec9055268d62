/* tls_inside.h: what TLS and DTLS have in common: their numbers, and what they carry where nobody
 * can look inside: what the port is for. */
#pragma once

#include "sensor/base/text.h"

#include <stdint.h>

enum { /* records, messages, levels of alerts: RFC 5246 A.1 to A.4 */
       TLS_CHANGE_CIPHER = 20,
       TLS_ALERT = 21,
       TLS_HANDSHAKE = 22,
       TLS_APPLICATION = 23,
       TLS_CLIENT_HELLO = 1,
       TLS_SERVER_HELLO = 2,
       TLS_ALERT_FATAL = 2,
};

/* "enip (CIP Security) by its port"; empty: the port does not tell. */
struct text tls_inside(uint16_t port);
