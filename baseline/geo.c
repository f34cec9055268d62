/* geo.c: see geo.h. The keys are those of GeoLite2 and GeoIP2, which other makers use, too. */
#include "geo.h"

#include "sensor/base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <maxminddb.h>
#include <stdlib.h>
#include <string.h>

struct geo {
    size_t count;
    MMDB_s files[CONFIG_LIST_MAX];
};

bool geo_open(struct geo **geo, const struct config_list *files, struct error *err)
{
    *geo = NULL;
    if (files->count == 0)
        return true;
    struct geo *g = calloc(1, sizeof *g);
    if (!g)
        return error_set(err, "not enough memory for the geoip databases");
    for (size_t i = 0; i < files->count; i++) {
        int status = MMDB_open(files->items[i], MMDB_MODE_MMAP, &g->files[i]);
        if (status != MMDB_SUCCESS) {
            geo_close(g);
            return error_set(err, "cannot read the geoip database %s: %s", files->items[i],
                             status == MMDB_IO_ERROR ? strerror(errno) : MMDB_strerror(status));
        }
        g->count++;
    }
    *geo = g;
    return true;
}

void geo_close(struct geo *geo)
{
    for (size_t i = 0; geo && i < geo->count; i++)
        MMDB_close(&geo->files[i]);
    free(geo);
}

static bool text_at(MMDB_entry_s *entry, const char *const path[], char out[GEO_TEXT])
{
    MMDB_entry_data_s data;
    if (MMDB_aget_value(entry, &data, path) != MMDB_SUCCESS || !data.has_data ||
        data.type != MMDB_DATA_TYPE_UTF8_STRING || data.data_size == 0)
        return false;
    text_copy(out, GEO_TEXT, (struct text){data.utf8_string, data.data_size});
    return true;
}

static void place_of(MMDB_entry_s *entry, char out[GEO_TEXT])
{
    static const char *const city[] = {"city", "names", "en", NULL}, *const country[] = {"country",
                                                                                         "iso_code",
                                                                                         NULL};
    char of_city[GEO_TEXT] = "", of_country[GEO_TEXT] = "";
    bool has_city = text_at(entry, city, of_city),
         has_country = text_at(entry, country, of_country);
    text_format(out, GEO_TEXT, "%.60s%s%.30s", of_city, has_city && has_country ? ", " : "",
                of_country);
}

static void owner_of(MMDB_entry_s *entry, char out[GEO_TEXT])
{
    static const char *const name[] = {"autonomous_system_organization", NULL},
                             *const number[] = {"autonomous_system_number", NULL};
    char text[GEO_TEXT];
    MMDB_entry_data_s data;
    if (!text_at(entry, name, text))
        return;
    bool has_number = MMDB_aget_value(entry, &data, number) == MMDB_SUCCESS && data.has_data &&
                      data.type == MMDB_DATA_TYPE_UINT32;
    if (has_number)
        text_format(out, GEO_TEXT, "%.70s (AS%u)", text, data.uint32);
    else
        text_format(out, GEO_TEXT, "%s", text);
}

bool geo_find(const struct geo *geo, const struct address *ip, struct geo_place *found)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    bool is_v4 = ip->kind == ADDRESS_IP4;
    memset(found, 0, sizeof *found);
    if (ip->kind != ADDRESS_IP4 && ip->kind != ADDRESS_IP6)
        return false;
    memcpy(&v4.sin_addr, ip->bytes, 4);
    memcpy(&v6.sin6_addr, ip->bytes, 16);
    const void *address = is_v4 ? (const void *)&v4 : (const void *)&v6;
    for (size_t i = 0; geo && i < geo->count; i++) {
        int status;
        if (!is_v4 && geo->files[i].metadata.ip_version == 4)
            continue;
        MMDB_lookup_result_s result = MMDB_lookup_sockaddr(&geo->files[i], address, &status);
        if (status != MMDB_SUCCESS || !result.found_entry)
            continue;
        if (found->place[0] == '\0')
            place_of(&result.entry, found->place);
        if (found->owner[0] == '\0')
            owner_of(&result.entry, found->owner);
    }
    return found->place[0] != '\0' || found->owner[0] != '\0';
}
