/* s7comm_times.c: see s7comm_times.h.
 *
 *   DATE: | days since 1990-01-01 2 |        TIME_OF_DAY: | ms since midnight 4 |
 *   DATE_AND_TIME: | year, month, day, hour, minute, second 1 each | ms 1.5 | weekday 0.5 |, BCD,
 *   years from 90 on are 19xx
 *
 * PROTOCOLS 6 "Transport". */
#include "s7comm_times.h"

#include "sensor/base/json_writer.h"

enum { DATE_SIZE = 2, OF_DAY_SIZE = 4, DATE_AND_TIME_SIZE = 8 };

static const int64_t DAY_NS = INT64_C(86400000000000);
static const int64_t MS_NS = 1000000;

/* Of "1990-01-01T00:00:00.000000Z" the part that a type has. */
static void put_part(struct dissect *d, struct ot_item *item, int64_t time_ns, size_t from,
                     size_t size)
{
    char whole[TIME_TEXT_SIZE];
    char *text = arena_take(d->arena, size);
    if (!text)
        return;
    memcpy(text, time_print(whole, time_ns) + from, size);
    item->values = (struct ot_values){VALUES_TEXT, 1, (uint8_t *)text, size};
}

static void date(struct dissect *d, struct ot_item *item, struct reader r)
{
    enum { DAYS_1970_TO_1990 = 7305, FROM = 0, SIZE = 10 };
    put_part(d, item, (reader_u16be(&r) + DAYS_1970_TO_1990) * DAY_NS, FROM, SIZE);
}

static void time_of_day(struct dissect *d, struct ot_item *item, struct reader r)
{
    enum { FROM = 11, SIZE = 12 };
    int64_t time_ns = reader_u32be(&r) * MS_NS;
    if (time_ns < DAY_NS)
        put_part(d, item, time_ns, FROM, SIZE);
}

static void date_and_time(struct dissect *d, struct ot_item *item, struct reader r)
{
    enum { CENTURY_BEGINS = 90 };
    uint8_t part[DATE_AND_TIME_SIZE];
    for (size_t i = 0; i < DATE_AND_TIME_SIZE; i++) {
        uint8_t bcd = reader_u8(&r);
        if ((bcd & 15) > 9 || bcd >> 4 > 9)
            return;
        part[i] = (uint8_t)((bcd >> 4) * 10 + (bcd & 15));
    }
    struct text text = dissect_text(d, "%u-%02u-%02uT%02u:%02u:%02u.%02u%u",
                                    (part[0] >= CENTURY_BEGINS ? 1900u : 2000u) + part[0], part[1],
                                    part[2], part[3], part[4], part[5], part[6], part[7] / 10u);
    if (text.size)
        item->values = (struct ot_values){VALUES_TEXT, 1, (const uint8_t *)text.at, text.size};
}

void s7comm_time_value(struct dissect *d, struct ot_item *item)
{
    static const struct {
        const char *type;
        size_t size;
        void (*put)(struct dissect *d, struct ot_item *item, struct reader r);
    } types[] = {
        {"date", DATE_SIZE,          date         },
        {"tod",  OF_DAY_SIZE,        time_of_day  },
        {"dt",   DATE_AND_TIME_SIZE, date_and_time},
    };
    struct reader r = reader_of(item->values.bytes, item->values.size);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (item->type && strcmp(item->type, types[i].type) == 0 &&
            item->values.size == types[i].size)
            types[i].put(d, item, r);
}
