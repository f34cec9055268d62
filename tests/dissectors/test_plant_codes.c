/* test_plant_codes.c: every code of the plant protocols of PROTOCOLS 15 to 30 through its
 * dissector: its spelling, its operation and, of refusals, a status with a name. The rows are in
 * plant_codes.tsv, made from the tables there. */
#include "support/dissect_probe.h"
#include "support/runner.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 2000, COLUMNS = 9, LINE_MAX_SIZE = 8192, PDU_MAX = 4096 };

enum column { SECTION, DISSECTOR, PROTOCOL, TRANSPORT, CODE, OPERATIONS, PDUS, WHAT, STATUS };

static struct row {
    char *line, *columns[COLUMNS];
} rows[ROWS_MAX];
static int row_count;

/* False: the file is not there, or has more rows than there is room for. */
static bool read_rows(void)
{
    FILE *file = fopen(TEST_SOURCE_DIR "/tests/dissectors/plant_codes.tsv", "r");
    char line[LINE_MAX_SIZE];
    bool is_read = file != NULL;
    while (is_read && fgets(line, sizeof line, file)) {
        if (line[0] == '#')
            continue;
        is_read = row_count < ROWS_MAX;
        if (!is_read)
            break;
        line[strcspn(line, "\n")] = '\0';
        struct row *row = &rows[row_count++];
        row->line = strdup(line);
        char *rest = row->line;
        for (int i = 0; i < COLUMNS; i++)
            row->columns[i] = rest ? strsep(&rest, "\t") : NULL;
    }
    if (file)
        fclose(file);
    return is_read;
}

static void free_rows(void)
{
    for (int i = 0; i < row_count; i++)
        free(rows[i].line);
}

static const struct dissector *dissector_of(const struct row *row, enum transport *transport)
{
    bool is_tcp = strcmp(row->columns[TRANSPORT], "tcp") == 0;
    bool is_udp = strcmp(row->columns[TRANSPORT], "udp") == 0;
    unsigned over = is_tcp ? OVER_TCP : is_udp ? OVER_UDP : OVER_ETHERTYPE;
    *transport = is_tcp ? TRANSPORT_TCP : is_udp ? TRANSPORT_UDP : TRANSPORT_NONE;
    for (size_t i = 0; i < dissector_count; i++)
        if (strcmp(dissectors[i]->name, row->columns[DISSECTOR]) == 0 && dissectors[i]->over & over)
            return dissectors[i];
    ck_abort_msg("no dissector %s over %s", row->columns[DISSECTOR], row->columns[TRANSPORT]);
    return NULL;
}

/* Whether `one` is a part of "start/mode_change". */
static bool is_one_of(const char *list, const char *one)
{
    size_t size = strlen(one);
    for (const char *at = list; at; at = strchr(at, '/') ? strchr(at, '/') + 1 : NULL)
        if (strncmp(at, one, size) == 0 && (at[size] == '/' || at[size] == '\0'))
            return true;
    return false;
}

static void feed_all(struct probe *p, const struct dissector *dissector, const char *pdus)
{
    uint8_t bytes[PDU_MAX];
    char hex[2 * PDU_MAX + 1];
    while (*pdus) {
        size_t size = strcspn(pdus, " ");
        ck_assert_uint_lt(size, sizeof hex);
        memcpy(hex, pdus + 1, size - 1);
        hex[size - 1] = '\0';
        probe_feed(p, dissector, pdus[0] == '>', bytes, hex_bytes(bytes, sizeof bytes, hex));
        pdus += size + (pdus[size] == ' ');
    }
}

START_TEST(a_code_means_what_its_table_says)
{
    const struct row *row = &rows[_i];
    enum transport transport;
    const struct dissector *dissector = dissector_of(row, &transport);
    struct probe *p = probe_create(transport);
    feed_all(p, dissector, row->columns[PDUS]);
    const struct probe_event *found = NULL;
    for (size_t i = 0; i < p->event_count; i++)
        if (strcmp(probe_event(p, i)->protocol, row->columns[PROTOCOL]) == 0 &&
            strcmp(probe_event(p, i)->code, row->columns[CODE]) == 0)
            found = probe_event(p, i);
    ck_assert_msg(found != NULL, "%s %s, %s: no event", row->columns[PROTOCOL], row->columns[CODE],
                  row->columns[WHAT]);
    ck_assert_msg(is_one_of(row->columns[OPERATIONS], found->operation), "%s %s, %s: %s",
                  row->columns[PROTOCOL], row->columns[CODE], row->columns[WHAT], found->operation);
    const char *status = row->columns[STATUS];
    if (status)
        ck_assert_msg(strncmp(found->status, status, strlen(status)) == 0 &&
                          strlen(found->status) > strlen(status),
                      "%s %s, %s: %s", row->columns[PROTOCOL], row->columns[CODE],
                      row->columns[WHAT], found->status);
    probe_destroy(p);
}
END_TEST

int main(void)
{
    if (!read_rows()) {
        fprintf(stderr, "plant_codes.tsv cannot be read\n");
        return EXIT_FAILURE;
    }
    Suite *suite = suite_create("plant_codes");
    TCase *c = tcase_create("plant_codes");
    tcase_add_loop_test(c, a_code_means_what_its_table_says, 0, row_count);
    suite_add_tcase(suite, c);
    int failed = run_suite(suite);
    free_rows();
    return failed;
}
