/* ot_event.h: one thing said in a plant protocol, in the same words for every protocol.
 *
 * Made by a dissector for each PDU (and each service inside a multiple-service PDU), read by
 * learners, rules and writers. All pointers are borrowed for the call: static tables, the packet,
 * or the packet arena. Spelling of protocol, direction and code: DESIGN "command-line contract" and
 * PROTOCOLS 0.1. */
#pragma once

#include "address.h"
#include "packet.h"
#include "text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum operation {
#define OPERATION(tag, text, technique, words) OP_##tag,
#include "operations.def"
#undef OPERATION
    OPERATION_COUNT,
};

const char *operation_name(enum operation op);      /* "program_download" */
const char *operation_technique(enum operation op); /* "T0843", "" when none */
const char *operation_words(enum operation op);     /* "downloaded a program to" */
bool operation_parse(enum operation *op, const char *name);
/* Changes a process, a program or a device: write and everything graver, reading a program
 * excepted. One bit for each operation. */
#define OPERATIONS_OF_CHANGE                                                                       \
    ((((uint32_t)1 << OPERATION_COUNT) - 1) & ~(((uint32_t)1 << OP_WRITE) - 1) &                   \
     ~((uint32_t)1 << OP_PROGRAM_UPLOAD))

static inline bool operation_is_change(enum operation op)
{
    return (OPERATIONS_OF_CHANGE >> op & 1) != 0;
}

/* Never learned silently: program transfer and change, stop, start, mode, restart, firmware,
 * force... */
bool operation_is_critical(enum operation op);

enum ot_direction { OT_REQUEST, OT_RESPONSE, OT_ONEWAY };
const char *ot_direction_name(enum ot_direction d);

/* The conversation an event belongs to. Lives as long as the flow. */
struct ot_flow {
    uint64_t id; /* unique in a run and a worker */
    uint32_t segment;
    uint8_t transport;              /* enum transport */
    struct endpoint client, server; /* who opened it, who was called; see is_role_known */
    bool is_role_known; /* a SYN or the protocol itself told; otherwise guessed by port */
    bool is_start_seen; /* the beginning was observed: what came before is not missing */
    bool is_two_sided;  /* payload seen in both directions */
    bool has_gap;       /* bytes of its stream were never seen: what seems missing may be lost */
    bool has_unseen;    /* who speaks has received bytes that we have not seen, or not yet */
    int64_t first_ns, last_ns;
};

enum ot_encoding {
    VALUES_NONE,
    VALUES_BITS, /* least significant bit of the first byte first */
    VALUES_U8,
    VALUES_I8,
    VALUES_U16BE,
    VALUES_I16BE,
    VALUES_U32BE,
    VALUES_I32BE,
    VALUES_U64BE,
    VALUES_F32BE,
    VALUES_F64BE,
    VALUES_U16LE,
    VALUES_I16LE,
    VALUES_U32LE,
    VALUES_I32LE,
    VALUES_U64LE,
    VALUES_I64LE,
    VALUES_F32LE,
    VALUES_F64LE,
    VALUES_TEXT,  /* one text */
    VALUES_BYTES, /* one opaque value, shown as hex */
    VALUES_N16LE, /* a signed fraction of 32768: -1 to 1 - 2^-15 (stores keep these numbers) */
    VALUES_ENCODINGS,
};

/* Typed values still in wire form: decoded one by one with ot_value_at. */
struct ot_values {
    enum ot_encoding encoding;
    uint32_t count;       /* of values; 1 for TEXT and BYTES */
    const uint8_t *bytes; /* holds all count values */
    size_t size;
};

enum ot_value_kind {
    OT_VALUE_NONE,
    OT_VALUE_BOOL,
    OT_VALUE_UNSIGNED,
    OT_VALUE_SIGNED,
    OT_VALUE_FLOAT,
    OT_VALUE_TEXT,
    OT_VALUE_BYTES
};

struct ot_value {
    enum ot_value_kind kind;
    union {
        bool boolean;
        uint64_t u;
        int64_t i;
        double f;
        struct text text; /* TEXT and BYTES */
    };
};

/* The i-th value; OT_VALUE_NONE when there is none. Never reads outside bytes..bytes + size. */
struct ot_value ot_value_at(const struct ot_values *values, uint32_t i);
/* As a number for learners; false for text and bytes. */
bool ot_value_number(const struct ot_value *value, double *number);

enum ot_result { OT_RESULT_NONE, OT_RESULT_OK, OT_RESULT_ERROR };

struct ot_status {
    enum ot_result result;
    uint32_t code;    /* native; of a named OK other than 0: done in part, clamped */
    const char *name; /* "illegal_data_address"; NULL: unknown code */
};

/* How a command is given, where a protocol has several ways that plants do not mix: 1 to 16 are
 * priorities (BACnet), the others are below. */
enum ot_manner {
    MANNER_NONE,
    MANNER_PRIORITY_MAX = 16,
    MANNER_RELINQUISH, /* a priority is given back */
    MANNER_SELECT,     /* prepares the command, does nothing yet */
    MANNER_EXECUTE,    /* of what was selected before */
    MANNER_DIRECT,     /* without a select */
    MANNER_COUNT,
};

/* How the time of an item stands on the wire, low byte first. */
enum ot_time_form {
    TIME_NONE,
    TIME_CP56, /* IEC 60870-5-4 7 octets: ms of the minute 2, minute, hour, day, month, year; no
                  zone */
    TIME_CP24, /* its first 3: ms of the minute 2, minute */
    TIME_MS48, /* milliseconds since 1970 UTC, 6 bytes */
};
enum { OT_TIME_TEXT_SIZE = 32 };

/* One object that a PDU touches. There are many of them: no room is lost between the fields. */
struct ot_item {
    enum operation operation; /* OP_UNKNOWN: the event's */
    uint32_t number;          /* of the area: data block number, file number */
    const char
        *area; /* static: "holding_register", "db", "tag", "attribute", "block"; NULL: none */
    struct text name; /* tag or path; empty: addressed by start */
    uint64_t start;   /* as people of this protocol say it (S7: byte) */
    uint32_t count;   /* elements */
    uint32_t further_size;
    uint8_t bit;
    uint8_t manner; /* enum ot_manner; not kept in histories */
    bool has_number, has_start, has_bit, has_range;
    uint8_t time_form; /* enum ot_time_form */
    bool is_memory; /* the values are bytes of a memory where numbers begin with their upper byte */
    const char *type;   /* "real", "word"; NULL: the protocol does not say */
    uint64_t low, high; /* range touched, inclusive, in the area's smallest unit, for learners */
    struct ot_values values;
    /* of a structure of several kinds, what comes behind its first value, which is in `values`:
     * | enum ot_encoding 1 | size 2, lowest byte first | bytes | each; see ot_item_further */
    const uint8_t *further; /* further_size bytes */
    struct ot_status status;
    const uint8_t *time; /* when its device saw it, in wire form; not kept in histories */
};

/* "2015-10-21T07:28:00.123Z", of a time without zone the same without Z, of one without hour
 * "28:00.123"; false: there is none, or it is no time. */
bool ot_item_time(const struct ot_item *item, char out[OT_TIME_TEXT_SIZE]);

/* The i-th of the further values; OT_VALUE_NONE when there is none. */
struct ot_value ot_item_further(const struct ot_item *item, uint32_t i);
/* The same in wire form; count 0 when there is none. */
struct ot_values ot_item_further_wire(const struct ot_item *item, uint32_t i);

enum fact_kind {
    FACT_VENDOR,
    FACT_PRODUCT,
    FACT_ORDER_NUMBER,
    FACT_SERIAL,
    FACT_HARDWARE,
    FACT_FIRMWARE,
    FACT_SOFTWARE,
    FACT_NAME,
    FACT_MODULE_NAME,
    FACT_PLANT,
    FACT_LOCATION,
    FACT_MODE,
    FACT_KEY_SWITCH,
    FACT_PROTECTION,
    FACT_DEVICE_TYPE,
    FACT_PROGRAM,
    FACT_PROGRAM_VERSION,
    FACT_USER_NAME,
    FACT_HOST_NAME,
    FACT_URL,
    FACT_COMMENT,
    FACT_IP,
    FACT_MAC,
    FACT_CARD_SERIAL,
    FACT_OS,
    FACT_SWITCH_PORT, /* where it is plugged in, or the port through which it speaks */
    FACT_CERTIFICATE, /* whom it speaks for, by whom, until when */
    FACT_UNIT,        /* the inventory's: a unit of it answered; told by no dissector */
    FACT_PART,        /* the inventory's: what stands in its unit; told by no dissector */
    FACT_COUNT,
};
const char *fact_name(enum fact_kind kind); /* key in JSON: "order_number" */

/* An identity fact that the sender tells about itself (or about the unit behind it). */
struct ot_fact {
    enum fact_kind kind;
    struct text value;
    bool is_about_receiver; /* a name that a client gives to what it talks to; false: about the
                               sender */
};

/* What stands in a slot of a device: for the inventory alone, event lines have items for it. */
struct ot_part {
    struct text unit;    /* "3.1" */
    struct text numbers; /* "module 0x00000020, submodule 0x00000001" */
};

enum transfer_step { TRANSFER_NONE, TRANSFER_BEGIN, TRANSFER_BLOCK, TRANSFER_END, TRANSFER_ABORT };

/* A step of a program, firmware or file transfer; joined by the transfer tracker on (flow, key). */
struct ot_transfer {
    enum transfer_step step;
    enum operation
        operation;    /* OP_PROGRAM_DOWNLOAD, OP_PROGRAM_UPLOAD, OP_FIRMWARE_UPDATE, OP_FILE_* */
    uint64_t key;     /* tells concurrent transfers of a flow apart */
    struct text name; /* "OB1"; may be empty after BEGIN */
    uint64_t declared_size; /* bytes announced; 0: not */
    const uint8_t *bytes;   /* of a BLOCK: what to fingerprint, in order */
    size_t size;
};

enum ot_flag {
    OT_NO_REQUEST = 1, /* response that matches no request we saw */
    OT_BROADCAST = 2,  /* to a broadcast unit */
    OT_ENCRYPTED = 4,
    OT_UNSOLICITED = 8,     /* pushed, by design of the protocol */
    OT_HAS_CREDENTIAL = 16, /* a password was in the PDU; its bytes are nowhere in the event */
    OT_RETRANSMIT = 32,
    OT_ECHO_DIFFERS = 64,        /* response repeats other address or value than was asked */
    OT_WEAK = 128,               /* agreed on a version or policy without protection that holds */
    OT_DEFAULT_CREDENTIAL = 256, /* the password is one that devices are delivered with */
    OT_SAFETY = 512,             /* its server is part of a safety system: only those are told so */
    OT_CARRIER = 1024, /* what it carries are events of their own: those are judged and learned */
};

enum { OT_CODE_PARTS = 4, OT_CODE_SIZE = 48 };

struct ot_event {
    int64_t time_ns;
    const struct ot_flow *flow;
    const struct packet *packet; /* the one that completed the PDU */
    const char *protocol;        /* "modbus"; lasts as long as the run or the replay */
    bool is_from_client;         /* wire direction: source is flow->client */
    bool has_transaction;
    bool is_replayed; /* read from a history: its names stand in a buffer that is used again; those
                         of a dissector are static texts */
    enum ot_direction direction;
    enum operation operation;     /* the gravest of the items */
    uint32_t function;            /* the main number */
    uint32_t code[OT_CODE_PARTS]; /* native code, protocol's own parts; spelled by spell */
    void (*spell)(const uint32_t code[OT_CODE_PARTS],
                  char out[OT_CODE_SIZE]); /* NULL: decimal code[0] */
    const char *code_text; /* spelled already, for events read from a history; NULL: by spell */
    const char *name;      /* "write_multiple_registers"; NULL: unknown code */
    struct text unit;      /* Modbus unit, S7 rack and slot, CIP route; empty: none */
    uint64_t transaction;
    const struct ot_item *items;
    uint32_t item_count;
    uint32_t items_total; /* more than item_count when the arena was full */
    const struct ot_fact *facts;
    const struct ot_part *parts; /* of the sender of an answer, of the receiver of a request */
    uint32_t fact_count;
    uint32_t part_count;
    const struct endpoint *about; /* whose facts these are when not the sender's (a DHCP client has
                                     no address yet); NULL: the sender's */
    struct ot_transfer transfer;
    struct ot_status status;
    const uint8_t *telling; /* the bytes that decide, inside the PDU; NULL: the whole PDU */
    size_t telling_size;
    const uint8_t
        *secret; /* bytes of a password or community in the PDU: masked in evidence; NULL: none */
    size_t secret_size;
    struct text detail; /* a few words for people: PI service and argument, mode asked for */
    uint32_t flags;     /* enum ot_flag */
};

static inline const struct endpoint *ot_event_source(const struct ot_event *e)
{
    return e->is_from_client ? &e->flow->client : &e->flow->server;
}
static inline const struct endpoint *ot_event_destination(const struct ot_event *e)
{
    return e->is_from_client ? &e->flow->server : &e->flow->client;
}

/* Of that protocol. Most differ in their first letter. */
static inline bool ot_event_is(const struct ot_event *e, const char *protocol)
{
    return e->protocol[0] == protocol[0] && strcmp(e->protocol, protocol) == 0;
}

/* The code as people spell it (PROTOCOLS 0.1). Returns out. */
char *ot_event_code(const struct ot_event *e, char out[OT_CODE_SIZE]);

/* An item as people of the protocol say it: "DB5.DBW10", "holding_register 100-101",
 * "Program:Main.Speed". */
char *ot_item_print(const struct ot_item *item, char *out, size_t capacity);

/* What a protocol's specification forbids; see PROTOCOLS 4. */
enum violation_kind {
    VIOLATION_LENGTH,
    VIOLATION_RESERVED,
    VIOLATION_FUNCTION,
    VIOLATION_RANGE,
    VIOLATION_COUNT,
    VIOLATION_CHECKSUM,
    VIOLATION_SEQUENCE,
    VIOLATION_DIRECTION,
    VIOLATION_STATE,
    VIOLATION_DUPLICATE,
    VIOLATION_TRUNCATED,
    VIOLATION_TRAILING,
    VIOLATION_ENCODING,
    VIOLATION_OVERLAP, /* of the transport: repeated data with other content */
    VIOLATION_COUNT_OF,
};
const char *violation_name(enum violation_kind kind);

struct violation {
    enum violation_kind kind;
    const char *why; /* static, plain: "MBAP length out of range" */
    const char *protocol;
    int64_t time_ns;
    const struct ot_flow *flow;
    const struct packet *packet;
    bool is_from_client;
    const uint8_t *telling;
    size_t telling_size;
};
