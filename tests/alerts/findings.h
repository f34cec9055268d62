/* findings.h: made-up findings for the tests of alerts/. */
#pragma once

#include "sensor/base/finding.h"
#include "sensor/base/text.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define START  (INT64_C(1445412480) * SECOND) /* 2015-10-21T07:28:00Z */

static inline struct endpoint host(const char *ip, uint16_t port)
{
    struct endpoint e = {.port = port};
    if (!address_parse(&e.ip, ip))
        abort();
    return e;
}

/* 10.0.0.5 does something to 10.0.0.10. The bytes behind strings are garbage, as detectors leave
 * them. */
static inline struct finding finding_made(enum detection detection, int64_t time_ns)
{
    struct finding f;
    memset(&f, 0x5a, sizeof f);
    f.detection = detection;
    f.flags = 0;
    f.time_ns = time_ns;
    f.segment = 0;
    f.actor = host("10.0.0.5", 49160);
    f.target = host("10.0.0.10", 102);
    f.has_target = true;
    f.transport = TRANSPORT_TCP;
    f.operation = OP_UNKNOWN;
    f.size = 0;
    f.count = 1;
    f.evidence_id = 0;
    f.packet_number = 7;
    f.source_index = 0;
    f.byte_offset = 71;
    f.byte_size = 3;
    f.ot_json_size = 0;
    f.permitted = detection;
    f.ot_json[0] = f.key[0] = f.expected[0] = f.seen[0] = f.fact[0] = f.object[0] = f.sha256[0] =
        f.window[0] = f.ticket[0] = f.rule_title[0] = f.rule_id[0] = f.rule_techniques[0] = '\0';
    text_copy(f.protocol, sizeof f.protocol, TEXT("s7comm"));
    text_copy(f.what, sizeof f.what, TEXT("stopped %T"));
    return f;
}
