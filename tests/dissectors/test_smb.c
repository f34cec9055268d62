/* test_smb.c: SMB 1 and 2 with their log-ins, files and pipes, held against MS-CIFS, MS-SMB2,
 * MS-NLMP and RFC 1002. */
#include "support/dissect_probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

extern const struct dissector dissector_smb;

enum { BYTES_MAX = 20000, ANSWER = 1 };

/* A packet under construction. */
struct made {
    uint8_t bytes[BYTES_MAX];
    size_t size;
};

static void add(struct made *m, const char *hex)
{
    m->size += hex_bytes(m->bytes + m->size, sizeof m->bytes - m->size, hex);
}

static void add_number(struct made *m, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        m->bytes[m->size++] = (uint8_t)(value >> 8 * i);
}

static void add_wide(struct made *m, const char *text)
{
    for (; *text; text++)
        add_number(m, (uint8_t)*text, 2);
}

/* RFC 1002 4.3.1: the length of what follows. */
static void close_packet(struct made *m)
{
    size_t length = m->size - 4;
    m->bytes[1] = (uint8_t)(length >> 16);
    m->bytes[2] = (uint8_t)(length >> 8);
    m->bytes[3] = (uint8_t)length;
}

/* [SMB2] 2.2.1.2 */
static void begin2(struct made *m, uint16_t command, uint32_t status, uint32_t flags, uint64_t id)
{
    m->size = 0;
    add(m, "00 000000 fe534d42 4000 0000");
    add_number(m, status, 4);
    add_number(m, command, 2);
    add(m, "0100");
    add_number(m, flags, 4);
    add_number(m, 0, 4);
    add_number(m, id, 8);
    add(m, "00000000 05000000 0100000000000000 00000000000000000000000000000000");
}

/* [CIFS] 2.2.3.1, with Unicode and NT status */
static void begin1(struct made *m, uint8_t command, uint32_t status, bool is_answer)
{
    m->size = 0;
    add(m, "00 000000 ff534d42");
    add_number(m, command, 1);
    add_number(m, status, 4);
    add_number(m, is_answer ? 0x80 : 0, 1);
    add(m, "01c0 0000 0000000000000000 0000 0100 0200 0300 0400");
}

static void send(struct probe *p, struct made *m, bool is_from_client)
{
    close_packet(m);
    probe_stream(p, &dissector_smb, is_from_client, m->bytes, m->size);
}

static struct probe *quiet(void)
{
    struct probe *p = probe_create(TRANSPORT_TCP);
    p->flow.server.port = 445;
    return p;
}

static const struct probe_event *last(const struct probe *p)
{
    ck_assert_uint_gt(p->event_count, 0);
    return probe_event(p, p->event_count - 1);
}

/* [NLMP] 2.2.1.2: | signature | 2 | target name | flags | challenge | 0 | target info | version |
 */
static void add_challenge(struct made *m)
{
    add(m, "4e544c4d53535000 02000000 0000 0000 38000000 01000002 1122334455667788"
           "0000000000000000 1800 1800 38000000 0a00 6345 0000000f");
    add(m, "0300 0a00"); /* DNS name of the computer */
    add_wide(m, "hmi.a");
    add(m, "0400 0200"); /* and of its domain */
    add_wide(m, "a");
    add(m, "0000 0000");
}

/* [NLMP] 2.2.1.3 */
static void add_authenticate(struct made *m)
{
    add(m, "4e544c4d53535000 03000000 0000 0000 48000000 0000 0000 48000000"
           "0400 0400 48000000 0600 0600 4c000000 0800 0800 52000000"
           "0000 0000 5a000000 01000002 0601 b11d 0000000f");
    add_wide(m, "PL");
    add_wide(m, "bob");
    add_wide(m, "ENG1");
}

static void setup2(struct probe *p, bool is_authenticate, uint64_t id)
{
    struct made m;
    begin2(&m, 1, 0, 0, id);
    add(&m, "1900 00 01 00000000 00000000 5800 8000 0000000000000000");
    if (is_authenticate)
        add_authenticate(&m);
    send(p, &m, true);
}

static void setup2_answer(struct probe *p, uint32_t status, uint16_t flags, uint64_t id)
{
    struct made m;
    begin2(&m, 1, status, ANSWER, id);
    add(&m, "0900");
    add_number(&m, flags, 2);
    add(&m, "4800 6000");
    if (status == 0xc0000016)
        add_challenge(&m);
    send(p, &m, false);
}

START_TEST(a_login_tells_names_versions_and_its_outcome)
{
    struct probe *p = quiet();
    setup2(p, false, 1);
    ck_assert_str_eq(last(p)->protocol, "smb2");
    ck_assert_str_eq(last(p)->operation, "auth");
    setup2_answer(p, 0xc0000016, 0, 1);
    ck_assert_str_eq(last(p)->operation, "session"); /* half way */
    ck_assert_str_eq(last(p)->facts, "host_name=hmi.a; os=Windows 10.0 build 17763");
    ck_assert_str_eq(last(p)->detail, "a");
    setup2(p, true, 2);
    ck_assert_str_eq(last(p)->facts, "user_name=bob; host_name=ENG1; os=Windows 6.1 build 7601");
    ck_assert_str_eq(last(p)->detail, "bob");
    setup2_answer(p, 0xc000006d, 0, 2);
    ck_assert_str_eq(last(p)->operation, "auth");
    ck_assert_str_eq(last(p)->status, "error 3221225581 logon_failure");
    ck_assert_str_eq(last(p)->facts, "~user_name=bob");
    setup2(p, true, 3);
    setup2_answer(p, 0, 0, 3);
    ck_assert_str_eq(last(p)->status, "ok");
    setup2(p, true, 4);
    setup2_answer(p, 0, 1, 4);
    ck_assert_str_eq(last(p)->detail, "guest");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

static void negotiate2(struct probe *p, uint16_t dialect)
{
    struct made m;
    begin2(&m, 0, 0, 0, 9);
    add(&m, "2400 0200 0100 0000 00000000 00000000000000000000000000000000 0000000000000000");
    add_number(&m, 0x0202, 2);
    add_number(&m, dialect, 2);
    send(p, &m, true);
}

static const struct dialect_row {
    uint16_t dialect;
    const char *name;
} dialect_rows[] = {
    {0x0202, "SMB 2.0.2"},
    {0x0210, "SMB 2.1"  },
    {0x0300, "SMB 3.0"  },
    {0x0302, "SMB 3.0.2"},
    {0x0311, "SMB 3.1.1"},
};

START_TEST(dialects)
{
    const struct dialect_row *row = &dialect_rows[_i];
    struct probe *p = quiet();
    negotiate2(p, row->dialect);
    ck_assert_str_eq(last(p)->detail, row->name);
    struct made m;
    begin2(&m, 0, 0, ANSWER, 9);
    add(&m, "4100 0100");
    add_number(&m, row->dialect, 2);
    add(&m, "0000");
    send(p, &m, false);
    ck_assert_str_eq(last(p)->detail, row->name);
    ck_assert_uint_eq(last(p)->flags, 0); /* only version 1 is weak */
    probe_destroy(p);
}
END_TEST

/* --- shares, files and pipes --- */

static void tree2(struct probe *p, const char *path, uint8_t type)
{
    struct made m;
    begin2(&m, 3, 0, 0, 20);
    add(&m, "0900 0000 4800");
    add_number(&m, 2 * strlen(path), 2);
    add_wide(&m, path);
    send(p, &m, true);
    begin2(&m, 3, 0, ANSWER, 20);
    add(&m, "1000");
    add_number(&m, type, 1);
    add(&m, "00 00000000 00000000 00000000");
    send(p, &m, false);
}

static void create2(struct probe *p, const char *name, uint32_t options)
{
    struct made m;
    begin2(&m, 5, 0, 0, 21);
    add(&m, "3900 00 00 02000000 0000000000000000 0000000000000000 9f011200 80000000 07000000"
            "03000000");
    add_number(&m, options, 4);
    add_number(&m, 64 + 56, 2);
    add_number(&m, 2 * strlen(name), 2);
    add(&m, "00000000 00000000");
    add_wide(&m, name);
    send(p, &m, true);
}

static void create2_answer(struct probe *p, uint32_t status)
{
    struct made m;
    begin2(&m, 5, status, ANSWER, 21);
    add(&m, "5900 00 00 01000000");
    for (int i = 0; i < 6; i++)
        add(&m, "0000000000000000");
    add(&m, "80000000 00000000 1111111111111111 2222222222222222 00000000 00000000");
    send(p, &m, false);
}

static void write2(struct probe *p, uint64_t offset, const char *data, size_t size)
{
    struct made m;
    begin2(&m, 9, 0, 0, 22 + offset);
    add(&m, "3100");
    add_number(&m, 64 + 48, 2);
    add_number(&m, size, 4);
    add_number(&m, offset, 8);
    add(&m, "1111111111111111 2222222222222222 00000000 00000000 0000 0000 00000000");
    size_t data_size = strlen(data) / 2;
    add(&m, data);
    for (; data_size < size; data_size++)
        add_number(&m, 0x41, 1);
    send(p, &m, true);
}

START_TEST(a_file_is_written_and_deleted)
{
    struct probe *p = quiet();
    tree2(p, "\\\\hmi\\c$", 1);
    ck_assert_str_eq(last(p)->name, "tree_connect");
    ck_assert_str_eq(last(p)->items, "\\\\hmi\\c$");
    create2(p, "tool.exe", 0);
    ck_assert_str_eq(last(p)->operation, "session");
    create2_answer(p, 0);
    ck_assert_str_eq(last(p)->items, "tool.exe");
    write2(p, 0, "4d5a90000300000004000000ffff0000b8", 17);
    ck_assert_str_eq(last(p)->operation, "file_write");
    ck_assert_str_eq(last(p)->items, "tool.exe=4d5a90000300000004000000ffff0000");
    write2(p, 17, "00", 1);
    ck_assert_str_eq(last(p)->items, "tool.exe"); /* later content is not shown */
    create2(p, "tool.exe", 0x1000);               /* [SMB2] 2.2.13 delete on close */
    ck_assert_str_eq(last(p)->operation, "file_delete");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(a_file_is_read)
{
    struct probe *p = quiet();
    struct made m;
    tree2(p, "\\\\hmi\\c$", 1);
    create2(p, "line\\p.acd", 0);
    create2_answer(p, 0);
    begin2(&m, 8, 0, 0, 30);
    add(&m, "3100 50 00 00100000 0000000000000000 1111111111111111 2222222222222222"
            "00000000 00000000 00000000 0000 0000 00");
    send(p, &m, true);
    ck_assert_str_eq(last(p)->operation, "file_read");
    begin2(&m, 8, 0, ANSWER, 30);
    add(&m, "1100 50 00 04000000 00000000 00000000 7f454c46");
    send(p, &m, false);
    ck_assert_str_eq(last(p)->items, "line\\p.acd=7f454c46");
    ck_assert_str_eq(last(p)->status, "ok");
    probe_destroy(p);
}
END_TEST

/* Beyond 4096 bytes only the head is cut out; the probe passes over the rest as the sensor does. */
START_TEST(long_content_is_passed_over)
{
    static const size_t sizes[] = {4096 - 112, 4096 - 111, 16000};
    struct probe *p = quiet();
    tree2(p, "\\\\hmi\\c$", 1);
    create2(p, "big", 0);
    create2_answer(p, 0);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        probe_clear(p);
        write2(p, 0, "", sizes[i]);
        ck_assert_uint_eq(p->event_count, 1);
        ck_assert_str_eq(last(p)->name, "write");
        struct made m; /* what comes behind it is found */
        begin2(&m, 13, 0, 0, 77);
        add(&m, "0400 0000");
        send(p, &m, true);
        ck_assert_str_eq(last(p)->name, "echo");
        ck_assert_uint_eq(p->violation_count, 0);
    }
    probe_destroy(p);
}
END_TEST

START_TEST(a_pipe_of_a_remote_tool_is_a_start)
{
    struct probe *p = quiet();
    tree2(p, "\\\\hmi\\IPC$", 2);
    create2(p, "PSEXESVC-ENG1-1-stdin", 0);
    ck_assert_str_eq(last(p)->operation, "start");
    create2(p, "svcctl", 0);
    ck_assert_str_eq(last(p)->operation, "session");
    ck_assert_str_eq(last(p)->items, "svcctl");
    probe_destroy(p);
    p = quiet();
    tree2(p, "\\\\hmi\\c$", 1);
    create2(p, "PSEXESVC.exe", 0); /* a file: its writing is told, not its opening */
    ck_assert_str_eq(last(p)->operation, "session");
    probe_destroy(p);
}
END_TEST

static const struct status_row {
    uint32_t status;
    const char *text;
} status_rows[] = {
    {0,          "ok"                                 },
    {0xc0000022, "error 3221225506 access_denied"     },
    {0xc0000234, "error 3221226036 account_locked_out"},
    {0xc0000001, "error 3221225473"                   },
    {0x80000006, "ok"                                 }, /* no more files: a warning */
};

START_TEST(statuses)
{
    struct probe *p = quiet();
    tree2(p, "\\\\hmi\\c$", 1);
    create2(p, "x", 0);
    create2_answer(p, status_rows[_i].status);
    ck_assert_int_eq(strncmp(last(p)->status, status_rows[_i].text, strlen(status_rows[_i].text)),
                     0);
    probe_destroy(p);
}
END_TEST

START_TEST(compounds_give_an_event_for_each_message)
{
    struct probe *p = quiet();
    struct made m, second;
    begin2(&m, 13, 0, 0, 1); /* echo, padded to 72 bytes, and one more */
    m.bytes[4 + 20] = 72;
    add(&m, "0400 0000 00000000");
    begin2(&second, 13, 0, 0, 2);
    add(&second, "0400 0000");
    memcpy(m.bytes + m.size, second.bytes + 4, second.size - 4);
    m.size += second.size - 4;
    send(p, &m, true);
    ck_assert_uint_eq(p->event_count, 2);
    ck_assert_uint_eq(probe_event(p, 1)->transaction, 2);
    probe_destroy(p);
}
END_TEST

START_TEST(an_answer_without_a_request_is_flagged)
{
    struct probe *p = quiet();
    create2_answer(p, 0);
    ck_assert_uint_eq(last(p)->flags, OT_NO_REQUEST);
    struct made m;
    begin2(&m, 5, 0x103, ANSWER | 2, 21); /* pending: the answer is still to come */
    add(&m, "0900 0000 00000000");
    send(p, &m, false);
    ck_assert_uint_eq(last(p)->flags, 0);
    begin2(&m, 18, 0, ANSWER, UINT64_MAX); /* the server begins */
    add(&m, "1800 00 00 00000000 1111111111111111 2222222222222222");
    send(p, &m, false);
    ck_assert_uint_eq(last(p)->flags, OT_UNSOLICITED);
    probe_destroy(p);
}
END_TEST

START_TEST(encryption_is_told_once)
{
    struct probe *p = quiet();
    struct made m = {.size = 0};
    add(&m, "00 000034 fd534d42");
    for (int i = 0; i < 6; i++)
        add(&m, "0000000000000000");
    for (int i = 0; i < 2; i++)
        send(p, &m, i == 0);
    ck_assert_uint_eq(p->event_count, 1);
    ck_assert_uint_eq(last(p)->flags, OT_ENCRYPTED);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

/* --- version 1 --- */

START_TEST(version_1_is_weak)
{
    struct probe *p = quiet();
    struct made m;
    begin1(&m, 0x72, 0, false);
    add(&m, "00 0c00 02 4e54204c4d20302e3132 00");
    send(p, &m, true);
    ck_assert_str_eq(last(p)->protocol, "smb");
    ck_assert_str_eq(last(p)->code, "0x72");
    ck_assert_str_eq(last(p)->detail, "NT LM 0.12");
    begin1(&m, 0x72, 0, true);
    add(&m, "01 0000 0000");
    send(p, &m, false);
    ck_assert_uint_eq(last(p)->flags, OT_WEAK);
    begin1(&m, 0x72, 0, false);
    add(&m, "00 0c00 02 4e54204c4d20302e3132 00");
    send(p, &m, true);
    begin1(&m, 0x72, 0, true);
    add(&m, "01 ffff 0000"); /* [CIFS] 2.2.4.52.2: none of the dialects */
    send(p, &m, false);
    ck_assert_uint_eq(last(p)->flags, 0);
    probe_destroy(p);
}
END_TEST

/* [CIFS] 2.2.4.52.2: 17 words, then | challenge | domain | server |; of extended security (the
 * highest bit of the capabilities) the server's GUID comes instead */
static const struct {
    const char *shows, *capabilities, *facts;
} answers_1[] = {
    {"a server tells its name",    "fde30000", "host_name=JOHN-PC"},
    {"extended security hides it", "fde30080", ""                 },
};

START_TEST(version_1_names_the_server)
{
    struct probe *p = quiet();
    struct made m;
    begin1(&m, 0x72, 0, true);
    add(&m, "11 0000 03 3200 0100 04110000 00000100 00000000");
    add(&m, answers_1[_i].capabilities);
    add(&m, "0000000000000000 0000 08 2600 1122334455667788");
    add_wide(&m, "PLANT");
    add(&m, "0000");
    add_wide(&m, "JOHN-PC");
    add(&m, "0000");
    size_t at = 4 + 32 + 1 + 34;
    m.bytes[at] = (uint8_t)(m.size - at - 2);
    send(p, &m, false);
    ck_assert_msg(strcmp(last(p)->facts, answers_1[_i].facts) == 0, "%s: %s", answers_1[_i].shows,
                  last(p)->facts);
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(a_login_of_version_1_tells_the_system)
{
    struct probe *p = quiet();
    struct made m;
    begin1(&m, 0x73, 0, false); /* [CIFS] 2.2.4.53.1: two passwords of 1 and 2 bytes */
    add(&m, "0d ff000000 0411 0200 0100 00000000 0100 0200 00000000 d4000000 0000 aabbcc");
    add_wide(&m, "bob");
    add(&m, "0000");
    add_wide(&m, "PL");
    add(&m, "0000");
    add_wide(&m, "Windows 5.1");
    add(&m, "0000");
    add_wide(&m, "LM");
    add(&m, "0000");
    size_t at = 4 + 32 + 1 + 26;
    m.bytes[at] = (uint8_t)(m.size - at - 2);
    /* 4 + 32 + 1 + 26 + 2 + 3: the texts begin at an even offset from the header */
    send(p, &m, true);
    ck_assert_str_eq(last(p)->facts, "user_name=bob; os=Windows 5.1");
    ck_assert_str_eq(last(p)->unit, "smb client");
    begin1(&m, 0x73, 0xc000006d, true);
    add(&m, "00 0000");
    send(p, &m, false);
    ck_assert_str_eq(last(p)->operation, "auth");
    ck_assert_str_eq(last(p)->detail, "bob");
    ck_assert_str_eq(last(p)->status, "error 3221225581 logon_failure");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

START_TEST(files_of_version_1)
{
    struct probe *p = quiet();
    struct made m;
    begin1(&m, 0xa2, 0, false); /* [CIFS] 2.2.4.64.1 */
    add(&m, "18 ff000000 00 0c00 00000000 00000000 9f011200 0000000000000000 80000000 07000000"
            "01000000 00000000 02000000 00 0f00 00");
    add_wide(&m, "a.bat");
    add(&m, "0000");
    send(p, &m, true);
    ck_assert_str_eq(last(p)->items, "a.bat");
    begin1(&m, 0xa2, 0, true);
    add(&m, "22 ff000000 00 0140");
    for (int i = 0; i < 61; i++)
        add(&m, "00");
    add(&m, "0000");
    send(p, &m, false);
    ck_assert_str_eq(last(p)->status, "ok");
    begin1(&m, 0x2f, 0, false); /* [CIFS] 2.2.4.43.1: 4 bytes at offset 0x40 */
    add(&m, "0e ff000000 0140 00000000 00000000 0000 0000 0000 0400 4000 00000000 0500 00"
            "64697220");
    send(p, &m, true);
    ck_assert_str_eq(last(p)->operation, "file_write");
    ck_assert_str_eq(last(p)->items, "a.bat=64697220");
    ck_assert_uint_eq(p->violation_count, 0);
    probe_destroy(p);
}
END_TEST

/* --- session service --- */

static const struct claim_row {
    const char *shows, *hex;
    enum claim claim;
    enum frame_verdict verdict;
} claim_rows[] = {
    {"version 2",             "00 000040 fe534d42",          CLAIM_YES,  FRAME_NEED    },
    {"version 1",             "00 000023 ff534d42",          CLAIM_YES,  FRAME_NEED    },
    {"encrypted",             "00 000034 fd534d42",          CLAIM_YES,  FRAME_NEED    },
    {"shorter than a header", "00 00001f fe534d42",          CLAIM_NO,   FRAME_NEED    },
    {"another magic",         "00 000008 fb534d42 00000000", CLAIM_NO,   FRAME_BROKEN  },
    {"zeros",                 "00 000000 00000000 00000000", CLAIM_NO,   FRAME_COMPLETE},
    {"nothing",               "",                            CLAIM_MORE, FRAME_NEED    },
    {"half",                  "00 0000",                     CLAIM_MORE, FRAME_NEED    },
    {"a part of the magic",   "00 000040 fe53",              CLAIM_MORE, FRAME_NEED    },
    {"a part of another",     "00 000040 fe54",              CLAIM_NO,   FRAME_NEED    },
    {"a session request",     "81 000044 20",                CLAIM_YES,  FRAME_NEED    },
    {"one of another length", "81 000045 20",                CLAIM_NO,   FRAME_NEED    },
    {"an accepted session",   "82 000000",                   CLAIM_WEAK, FRAME_COMPLETE},
    {"one with a reason",     "82 000001 80",                CLAIM_NO,   FRAME_COMPLETE},
    {"a refused session",     "83 000001 80",                CLAIM_WEAK, FRAME_COMPLETE},
    {"one without a reason",  "83 000000",                   CLAIM_NO,   FRAME_COMPLETE},
    {"a session elsewhere",   "84 000006 0a000001 008b",     CLAIM_WEAK, FRAME_COMPLETE},
    {"half an answer",        "82 00",                       CLAIM_HOME, FRAME_NEED    },
    {"a keep-alive",          "85 000000",                   CLAIM_NO,   FRAME_COMPLETE},
    {"an unknown type",       "86 000000",                   CLAIM_NO,   FRAME_BROKEN  },
};

START_TEST(recognised_and_framed)
{
    const struct claim_row *row = &claim_rows[_i];
    uint8_t bytes[64];
    size_t size = hex_bytes(bytes, sizeof bytes, row->hex);
    ck_assert_msg(probe_recognise(&dissector_smb, bytes, size) == row->claim, "%s", row->shows);
    ck_assert_msg(probe_frame(&dissector_smb, bytes, size).verdict == row->verdict, "%s",
                  row->shows);
}
END_TEST

START_TEST(every_prefix_asks_for_more)
{
    struct made m;
    begin2(&m, 1, 0, 0, 2);
    add(&m, "1900 00 01 00000000 00000000 5800 8000 0000000000000000");
    add_authenticate(&m);
    close_packet(&m);
    for (size_t i = 0; i < m.size; i++)
        ck_assert_int_eq(probe_frame(&dissector_smb, m.bytes, i).verdict, FRAME_NEED);
    ck_assert_uint_eq(probe_frame(&dissector_smb, m.bytes, m.size).size, m.size);
    for (size_t i = 1; i < m.size; i++) { /* split at every byte */
        struct probe *p = quiet();
        probe_stream(p, &dissector_smb, true, m.bytes, i);
        ck_assert_uint_eq(p->event_count, 0);
        probe_stream(p, &dissector_smb, true, m.bytes + i, m.size - i);
        ck_assert_uint_eq(p->event_count, 1);
        probe_destroy(p);
    }
}
END_TEST

/* A message that ends early, with a length that agrees. */
START_TEST(short_messages_do_no_harm)
{
    struct made whole, m;
    begin2(&whole, 5, 0, 0, 21);
    add(&whole, "3900 00 00 02000000 0000000000000000 0000000000000000 9f011200 80000000 07000000"
                "03000000 00000000 7800 0800 00000000 00000000");
    add_wide(&whole, "abcd");
    for (size_t i = 8; i < whole.size; i++) {
        struct probe *p = quiet();
        memcpy(&m, &whole, sizeof m);
        m.size = i;
        send(p, &m, true);
        ck_assert_uint_eq(p->event_count, i >= 4 + 64 ? 1 : 0);
        ck_assert_uint_eq(p->violation_count, i >= 4 + 64 ? 0 : 1);
        probe_destroy(p);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("smb");
    TCase *tc = tcase_create("smb");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_login_tells_names_versions_and_its_outcome);
    tcase_add_loop_test(tc, dialects, 0, sizeof dialect_rows / sizeof *dialect_rows);
    tcase_add_test(tc, a_file_is_written_and_deleted);
    tcase_add_test(tc, a_file_is_read);
    tcase_add_test(tc, long_content_is_passed_over);
    tcase_add_test(tc, a_pipe_of_a_remote_tool_is_a_start);
    tcase_add_loop_test(tc, statuses, 0, sizeof status_rows / sizeof *status_rows);
    tcase_add_test(tc, compounds_give_an_event_for_each_message);
    tcase_add_test(tc, an_answer_without_a_request_is_flagged);
    tcase_add_test(tc, encryption_is_told_once);
    tcase_add_test(tc, version_1_is_weak);
    tcase_add_loop_test(tc, version_1_names_the_server, 0,
                        (int)(sizeof answers_1 / sizeof *answers_1));
    tcase_add_test(tc, a_login_of_version_1_tells_the_system);
    tcase_add_test(tc, files_of_version_1);
    tcase_add_loop_test(tc, recognised_and_framed, 0, sizeof claim_rows / sizeof *claim_rows);
    tcase_add_test(tc, every_prefix_asks_for_more);
    tcase_add_test(tc, short_messages_do_no_harm);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
