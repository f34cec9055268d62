/* test_csv.c: tables as RFC 4180 and spreadsheets write them, and what is no table. */
#include "sensor/base/csv.h"
#include "support/runner.h"

#include <stdio.h>
#include <string.h>

/* [a|b] for each row; or the reason why it is refused */
static void print(char *out, size_t capacity, const char *text, size_t size)
{
    struct csv csv;
    struct error err = {""};
    char cell[CSV_CELL_SIZE];
    size_t used = 0;
    bool is_first = true;
    enum csv_step step;
    out[0] = '\0';
    ck_assert(csv_begin(&csv, text, size, &err));
    while ((step = csv_next(&csv, cell, &err)) != CSV_END) {
        if (step == CSV_BROKEN) {
            snprintf(out, capacity, "%s", err.text);
            return;
        }
        used += (size_t)snprintf(out + used, capacity - used, "%s%s",
                                 step == CSV_ROW_END ? "]"
                                 : is_first          ? "["
                                                     : "|",
                                 cell);
        is_first = step == CSV_ROW_END;
    }
}

/* what it shows, text, result */
static const struct {
    const char *shows, *text, *result;
} rows[] = {
    {"CRLF ends a record (2.1)",               "a,b\r\nc,d\r\n",        "[a|b][c|d]"                                   },
    {"the last need not (2.2)",                "a,b\r\nc,d",            "[a|b][c|d]"                                   },
    {"LF and CR alone do, too",                "a\nb\rc",               "[a][b][c]"                                    },
    {"empty cells count",                      ",\r\n,,x",              "[|][||x]"                                     },
    {"a record ends with an empty cell",       "a,",                    "[a|]"                                         },
    {"an empty line is a row",                 "a\r\n\r\nb",            "[a][][b]"                                     },
    {"nothing at all",                         "",                      ""                                             },
    {"a byte order mark is no text",
     "\xef\xbb\xbf"
     "a,b",                                                             "[a|b]"                                        },
    {"quotes hold separators (2.6)",           "\"a,b\",c",             "[a,b|c]"                                      },
    {"quotes hold line ends, shown as blanks", "\"a\r\nb\",c\r\nd",     "[a b|c][d]"                                   },
    {"a doubled quote is one (2.7)",           "\"19\"\" rack\",x",     "[19\" rack|x]"                                },
    {"semicolons of other countries",          "a;b\r\n1,5;2",          "[a|b][1,5|2]"                                 },
    {"tabs",                                   "a\tb\r\nc d\te",        "[a|b][c d|e]"                                 },
    {"the first line decides the separator",   "a;b;c,d",               "[a|b|c,d]"                                    },
    {"separators in quotes do not decide",     "\";;;;\",b,c",          "[;;;;|b|c]"                                   },
    {"blanks around a cell go",                "  a b , \"c \" ,d",     "[a b|c|d]"                                    },
    {"an apostrophe against formulas goes",    "'=1+1,'-3,'+49,'@x,'s", "[=1+1|-3|+49|@x|'s]"                          },
    {"UTF-8 stays",                            "K\xc3\xbchlung",        "[K\xc3\xbchlung]"                             },
    {"a quote is not closed",                  "a,\"b\nc",              "line 1, column 2: a quote is not closed"      },
    {"text behind a closing quote",            "a\n\"b\"c",             "line 2, column 1: text behind a closing quote"},
    {"a quote in the middle",                  "a\nx,b\"c",
     "line 2, column 2: a quote in the middle of a "
     "cell"                                                                                                            },
    {"lines in quotes are counted",            "\"a\n\n\",b\nc,\"d",
     "line 4, column 2: a quote is not closed"                                                                         },
    {"not UTF-8",                              "a,K\xfchlung",
     "line 1, column 2: not UTF-8: save the table as "
     "\"CSV UTF-8\""                                                                                                   },
    {"control characters",                     "a,b\x1b[2J",            "line 1, column 2: a control character"        },
    {"marks that turn text around",
     "a\xe2\x80\xae"
     "b",                                                               "line 1, column 1: not UTF-8: save the table as "
     "\"CSV UTF-8\""                                                                                          },
};

START_TEST(reads)
{
    char out[1024];
    print(out, sizeof out, rows[_i].text, strlen(rows[_i].text));
    ck_assert_msg(strcmp(out, rows[_i].result) == 0, "%s: %s", rows[_i].shows, out);
}
END_TEST

START_TEST(refuses_nul)
{
    char out[256];
    print(out, sizeof out, "a,\0b", 4);
    ck_assert_str_eq(out, "line 1, column 2: a NUL byte: this is no text file");
}
END_TEST

/* Repeats a piece, reads it all; the reason or "". */
static void repeat(char reason[512], const char *piece, size_t count, const char *end)
{
    size_t size = strlen(piece), total = size * count + strlen(end);
    char *text = malloc(total + 1), cell[CSV_CELL_SIZE];
    struct csv csv;
    struct error err = {""};
    enum csv_step step = CSV_CELL;
    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < count; i++)
        memcpy(text + i * size, piece, size);
    memcpy(text + size * count, end, strlen(end) + 1);
    if (csv_begin(&csv, text, total, &err))
        while (step == CSV_CELL || step == CSV_ROW_END)
            step = csv_next(&csv, cell, &err);
    strcpy(reason, err.text);
    free(text);
}

/* what, piece, count that is still right, reason of one more */
static const struct {
    const char *what, *piece;
    size_t most;
    const char *reason;
} bounds[] = {
    {"bytes of a cell",            "x",         CSV_CELL_SIZE - 1,   "line 1, column 1: more than 4095 bytes in a cell"  },
    {"columns, the last has none", ",",         CSV_COLUMNS_MAX - 1,
     "line 1, column 257: too many columns: at most 256"                                                                 },
    {"rows",                       "x\n",       CSV_ROWS_MAX,        "line 50001, column 1: too many rows: at most 50000"},
    {"bytes of all",               "abcdefg\n", CSV_BYTES_MAX / 8,   "more than 32 MiB"                                  },
};

START_TEST(bounded)
{
    char reason[512];
    bool is_all = _i == 3; /* there the rows end first */
    repeat(reason, bounds[_i].piece, bounds[_i].most, "");
    ck_assert_msg((reason[0] == '\0') == !is_all, "%s: %s", bounds[_i].what, reason);
    repeat(reason, bounds[_i].piece, bounds[_i].most + 1, "");
    ck_assert_msg(strcmp(reason, bounds[_i].reason) == 0, "%s: %s", bounds[_i].what, reason);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("csv");
    TCase *tables = tcase_create("tables");
    tcase_set_timeout(tables, 60);
    tcase_add_loop_test(tables, reads, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tables, refuses_nul);
    tcase_add_loop_test(tables, bounded, 0, sizeof bounds / sizeof *bounds);
    suite_add_tcase(suite, tables);
    return run_suite(suite);
}
