/* asset_join.c: see asset_join.h. */
#include "asset_join.h"

#include <string.h>

bool asset_join_has_room(const struct asset *a, const struct asset *b)
{
    return a->mac_count + b->mac_count <= ASSET_MACS_MAX &&
           a->ip_count + b->ip_count <= ASSET_IPS_MAX;
}

/* A port of a switch or a controller tells by LLDP the MAC of the whole: both are of one maker. */
static bool is_chassis(const struct asset *a, const struct sighting *s, struct mac *mac)
{
    enum { MAKER_SIZE = 3 };
    return s->fact == FACT_MAC && strcmp(s->protocol, "lldp") == 0 && a->mac_count > 0 &&
           mac_parse(mac, s->text) && !mac_is_zero(mac) && !mac_is_group(mac) &&
           memcmp(mac->bytes, a->macs[0].bytes, MAKER_SIZE) == 0;
}

/* Slaves of EtherCAT send the frames of their master back with a mark in the address: what
 * 00:14:4f... sent comes back from 02:14:4f... */
static bool is_sent_back(const struct asset *a, const struct sighting *s, struct mac *mac)
{
    enum { MARK = 2 };
    *mac = s->who.mac;
    mac->bytes[0] &= (uint8_t)~MARK;
    return (s->who.mac.bytes[0] & MARK) && strcmp(s->protocol, "ethercat") == 0 &&
           a->ip_count == 0 && !mac_is_zero(mac);
}

bool asset_join_mac(const struct asset *a, const struct sighting *s, struct mac *mac)
{
    if (s->kind == SIGHTING_FACT)
        return is_chassis(a, s, mac);
    return s->kind == SIGHTING_PROTOCOL && is_sent_back(a, s, mac);
}
