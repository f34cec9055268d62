/* tls_inside.h: what TLS and DTLS carry where nobody can look inside: what the port is for. */
#pragma once

#include "sensor/base/text.h"

#include <stdint.h>

/* "enip (CIP Security) by its port"; empty: the port does not tell. */
struct text tls_inside(uint16_t port);
