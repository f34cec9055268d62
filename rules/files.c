/* files.c: names and first bytes of files that can run or hold a controller's program. */
#include "rules/files.h"

#include <string.h>
#include <strings.h>

enum { MAGIC_MIN = 4, ENDING_MAX = 16 };

static const char executable[] = "an executable";
static const char script[] = "a script";
static const char project[] = "an engineering project";

/* After the last dot. Scripts that web pages are made of are no news there. */
static const struct ending {
    const char *text, *kind;
    bool is_of_pages;
} endings[] = {
    {"exe",            executable, false},
    {"dll",            executable, false},
    {"sys",            executable, false},
    {"scr",            executable, false},
    {"msi",            executable, false},
    {"cpl",            executable, false},
    {"ocx",            executable, false},
    {"elf",            executable, false},
    {"ko",             executable, false},
    {"jar",            executable, false},
    {"apk",            executable, false},
    {"bat",            script,     false},
    {"cmd",            script,     false},
    {"ps1",            script,     false},
    {"psm1",           script,     false},
    {"vbs",            script,     false},
    {"vbe",            script,     false},
    {"js",             script,     true },
    {"jse",            script,     false},
    {"wsf",            script,     false},
    {"hta",            script,     false},
    {"py",             script,     false},
    {"sh",             script,     false},
    {"lnk",            script,     false},
    {"reg",            script,     false},
    {"s7p",            project,    false}, /* STEP 7 */
    {"ap11",           project,    false}, /* TIA Portal, by its version */
    {"ap12",           project,    false},
    {"ap13",           project,    false},
    {"ap14",           project,    false},
    {"ap15",           project,    false},
    {"ap15_1",         project,    false},
    {"ap16",           project,    false},
    {"ap17",           project,    false},
    {"ap18",           project,    false},
    {"ap19",           project,    false},
    {"ap20",           project,    false},
    {"zap13",          project,    false},
    {"zap14",          project,    false},
    {"zap15",          project,    false},
    {"zap15_1",        project,    false},
    {"zap16",          project,    false},
    {"zap17",          project,    false},
    {"zap18",          project,    false},
    {"zap19",          project,    false},
    {"zap20",          project,    false},
    {"acd",            project,    false}, /* Logix */
    {"l5k",            project,    false},
    {"l5x",            project,    false},
    {"rss",            project,    false}, /* RSLogix 500, 5 */
    {"rsp",            project,    false},
    {"stu",            project,    false}, /* Unity, Control Expert */
    {"sta",            project,    false},
    {"xef",            project,    false},
    {"zef",            project,    false},
    {"smbp",           project,    false}, /* Machine Expert Basic */
    {"gxw",            project,    false}, /* GX Works 2, 3 */
    {"gx3",            project,    false},
    {"cxp",            project,    false}, /* CX-Programmer, Sysmac Studio */
    {"smc2",           project,    false},
    {"tsproj",         project,    false}, /* TwinCAT */
    {"tpzip",          project,    false},
    {"projectarchive", project,    false}, /* CODESYS 3 */
    {"pt2",            project,    false}, /* TriStation 1131 */
    {"mwp",            project,    false}, /* STEP 7 Micro/WIN */
};

static const struct magic {
    const char *bytes;
    size_t size;
    const char *kind;
} magics[] = {
    {"MZ\x90\0",         4, executable}, /* as every usual linker begins a Windows program */
    {"MZP\0",            4, executable},
    {"\x7f"
     "ELF",         4, executable},
    {"\xcf\xfa\xed\xfe", 4, executable},
    {"#!/",              3, script    },
};

/* The last part of a path or an address, without its query. */
static struct text base_name(struct text path)
{
    for (size_t i = 0; i < path.size; i++)
        if (path.at[i] == '?' || path.at[i] == '#')
            path.size = i;
    for (size_t i = path.size; i > 0; i--)
        if (path.at[i - 1] == '/' || path.at[i - 1] == '\\')
            return (struct text){path.at + i, path.size - i};
    return path;
}

static const struct ending *ending_of(struct text name)
{
    size_t dot = name.size;
    while (dot > 0 && name.at[dot - 1] != '.')
        dot--;
    size_t size = name.size - dot;
    if (dot == 0 || size == 0 || size > ENDING_MAX)
        return NULL;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (strlen(endings[i].text) == size &&
            strncasecmp(endings[i].text, name.at + dot, size) == 0)
            return &endings[i];
    return NULL;
}

static const char *kind_of_bytes(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; bytes && size >= MAGIC_MIN && i < sizeof magics / sizeof *magics; i++)
        if (memcmp(bytes, magics[i].bytes, magics[i].size) == 0)
            return magics[i].kind;
    return NULL;
}

static bool is_http(const struct ot_event *e)
{
    return ot_event_is(e, "http");
}

/* The name that the event gives: an item's, the transfer's, or the address of a page. */
static struct text name_of(const struct ot_event *e)
{
    if (e->item_count && e->items[0].name.size)
        return base_name(e->items[0].name);
    if (e->transfer.step != TRANSFER_NONE && e->transfer.name.size)
        return base_name(e->transfer.name);
    return is_http(e) && e->direction == OT_REQUEST ? base_name(e->detail) : (struct text){NULL, 0};
}

static const char *kind_of_content(const struct ot_event *e)
{
    if (e->item_count && e->items[0].values.encoding == VALUES_BYTES)
        return kind_of_bytes(e->items[0].values.bytes, e->items[0].values.size);
    if (e->transfer.step == TRANSFER_BLOCK) /* of a later block, too: a rare coincidence */
        return kind_of_bytes(e->transfer.bytes, e->transfer.size);
    return NULL;
}

static bool is_candidate(const struct ot_event *e)
{
    switch (e->operation) {
    case OP_FILE_READ:
    case OP_FILE_WRITE:
        return e->status.result != OT_RESULT_ERROR;
    case OP_READ:
    case OP_WRITE:
    case OP_AUTH: /* with a password beside */
        return e->direction == OT_REQUEST && is_http(e);
    default:
        return false;
    }
}

/* Protocols of offices, which plant computers share; what controllers transfer by their own is
 * told as plc.*. */
static bool is_file_protocol(const char *name)
{
    static const char *const names[] = {"smb2", "smb", "http", "ftp", "tftp"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

bool files_is_program(const struct ot_event *e, struct file_move *move)
{
    if (!is_candidate(e) || !is_file_protocol(e->protocol))
        return false;
    struct text name = name_of(e);
    const struct ending *ending = ending_of(name);
    if (ending && ending->is_of_pages && is_http(e))
        ending = NULL;
    move->kind = ending ? ending->kind : kind_of_content(e);
    if (!move->kind)
        return false;
    move->is_to_server = e->operation == OP_FILE_WRITE || e->operation == OP_WRITE;
    text_copy(move->name, sizeof move->name, name);
    return true;
}
