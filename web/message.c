/* message.c: see message.h.
 *
 * Spec: [9110] RFC 9110 HTTP semantics, [9112] RFC 9112 HTTP/1.1 */
#include "message.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct head {
    size_t hosts, lengths, codings;
    bool is_bad;
};

/* [9110] 5.6.2 */
static bool is_token(const char *name)
{
    for (const char *c = name; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && !strchr("!#$%&'*+-.^_`|~", *c))
            return false;
    return name[0] != '\0';
}

static enum MHD_Result take(void *context, enum MHD_ValueKind kind, const char *name,
                            const char *value)
{
    struct head *head = context;
    (void)kind;
    value = value ? value : "";
    head->is_bad |= !is_token(name) || strpbrk(value, "\r\n");
    if (strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0) {
        head->hosts++;
    } else if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0) {
        head->lengths++;
        head->is_bad |= value[0] == '\0' || value[strspn(value, "0123456789")] != '\0';
    } else if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
        head->codings++;
        head->is_bad |= strcasecmp(value, "chunked") != 0;
    }
    return MHD_YES;
}

bool message_is_clear(struct MHD_Connection *connection, const char *version)
{
    struct head head = {.hosts = 0};
    bool is_1_0 = strcmp(version, MHD_HTTP_VERSION_1_0) == 0;
    MHD_get_connection_values(connection, MHD_HEADER_KIND, take, &head);
    return !head.is_bad && head.lengths + head.codings <= 1 && (head.codings == 0 || !is_1_0) &&
           (head.hosts == 1 || (head.hosts == 0 && is_1_0));
}
