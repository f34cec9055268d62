/* named_ports.h: plant protocols that are known by their port only. Their bytes are nobody's secret
 * and nobody's specification; the name is a label for conversations, and proves nothing. */
#pragma once

#include "dissector.h"

/* The protocol that is at home on this port of a server, over OVER_TCP or OVER_UDP; NULL: none. */
const char *named_port(unsigned over, uint16_t port);
