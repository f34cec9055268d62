/* smb.h: what the two generations of SMB have in common: files and pipes that are open, requests
 * that wait, and what a finished message becomes. */
#pragma once

#include "ascii.h"
#include "ntlm.h"

enum {
    SMB1_HEADER = 32,
    SMB2_HEADER = 64,
    SMB_NAME_MAX = 80, /* kept of a name until the answer: its end, where the file is */
    SMB_FILE_NAME_MAX = 44,
    SMB_MAGIC_SIZE = 16, /* shown of the beginning of a file */
    SMB_STATUS_MORE = (int)0xc0000016,
    SMB_STATUS_PENDING = 0x103,
};

/* An open file or pipe, kept for the pair of hosts. */
struct smb_file {
    uint8_t kind; /* enum smb_kind */
    uint8_t name_size;
    char name[SMB_FILE_NAME_MAX];
};
enum smb_kind { SMB_UNKNOWN, SMB_FILE, SMB_PIPE };

/* What a request leaves for its answer. */
struct smb_asked {
    uint8_t command, kind, operation;
    uint8_t name_size;
    bool is_at_start; /* a read from the first byte on */
    uint64_t file;
    char name[SMB_NAME_MAX];
    uint8_t user_size;
    char user[SMB_NAME_MAX];
};

/* One message on its way to an event. */
struct smb {
    struct dissect *d;
    struct reader message; /* from the SMB header on, as much as is there */
    struct ot_event event;
    struct ot_item item;
    struct ntlm ntlm;
    struct ot_fact fact;
    struct reader pipe; /* to be handed on, when pipe_file is not 0 */
    uint64_t pipe_file;
    struct smb_asked asked; /* of a request: what to remember; of an answer: what was */
    bool has_asked;
};

/* A remote procedure call that comes through a pipe in pieces. */
enum { PIPE_HEAD = 1536 };
struct smb_pipe {
    uint64_t file;
    uint32_t left; /* bytes that are still to come; 0: none is open */
    uint16_t used;
    uint8_t bytes[PIPE_HEAD];
};

struct smb_state {
    struct smb_pipe pipes[2]; /* 1: from the client */
    bool is_encryption_told;
};

/* smb_pipe.c: m->pipe, whole calls of it, to whoever sits over the pipe. */
void smb_pipe(struct smb *m);
/* A call begins here: tells a pipe whose opening was not seen. */
bool smb_is_call(struct reader data);

/* smb.c */
void smb_item(struct smb *m, const char *area, struct text name);
void smb_magic(struct smb *m, struct reader data);
struct smb_file *smb_file(struct smb *m, uint64_t file, bool create);
/* Takes the kind of a file or pipe and its name for what is read from or written to it. */
void smb_use(struct smb *m, uint64_t file, enum operation operation, struct reader data);
void smb_opened(struct smb *m, uint64_t file, enum smb_kind kind, struct text name);
void smb_ask_name(struct smb *m, struct text name);
void smb_status(struct smb *m, uint32_t status);
/* The log-in in these bytes, if there is one. */
void smb_login(struct smb *m, struct reader r);
/* A pipe by which tools run programs: creating it is a start. */
bool smb_is_tool_pipe(struct text name);
bool smb_is_pipe_name(struct text name);
void smb_remember(struct smb *m, uint64_t key);
void smb_recall(struct smb *m, uint64_t key);
void smb_emit(struct smb *m);

/* smb1.c, smb2.c: one message, m->message at its header. */
void smb1_message(struct smb *m);
void smb2_message(struct smb *m);
