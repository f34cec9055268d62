/* test_listen.c: where the console listens, and what counts as one who asks. */
#include "web/listen.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

static const struct {
    const char *shows, *text;
    bool is_good, is_loopback;
    const char *printed; /* with port 1 */
} listens[] = {
    {"IPv4 loopback",   "127.0.0.1:8470",  true,  true,  "127.0.0.1:1"},
    {"all of 127",      "127.9.9.9:8470",  true,  true,  "127.9.9.9:1"},
    {"a name",          "localhost:0",     true,  true,  "127.0.0.1:1"},
    {"everywhere",      "0.0.0.0:80",      true,  false, "0.0.0.0:1"  },
    {"IPv6 loopback",   "[::1]:65535",     true,  true,  "[::1]:1"    },
    {"IPv6 everywhere", "[::]:80",         true,  false, "[::]:1"     },
    {"no port",         "127.0.0.1",       false, false, ""           },
    {"too great",       "127.0.0.1:65536", false, false, ""           },
    {"no number",       "127.0.0.1:x",     false, false, ""           },
    {"no address",      "plant:80",        false, false, ""           },
    {"nothing",         "",                false, false, ""           },
};

START_TEST(where_it_listens)
{
    union listen_address a;
    struct error err = {""};
    char text[LISTEN_TEXT_SIZE];
    ck_assert_msg(listen_parse(&a, listens[_i].text, &err) == listens[_i].is_good, "%s: %s",
                  listens[_i].shows, err.text);
    if (!listens[_i].is_good)
        return;
    ck_assert_msg(listen_is_loopback(&a) == listens[_i].is_loopback, "%s", listens[_i].shows);
    ck_assert_str_eq(listen_print(text, &a, 1), listens[_i].printed);
}
END_TEST

/* What failed log-ins are counted by: RFC 4291 2.5.4, the last 64 bits are the machine's to choose.
 */
static const struct {
    const char *shows, *a, *b;
    bool is_same;
} peers[] = {
    {"one address",              "10.0.0.1:1",          "10.0.0.1:2",                  true },
    {"two of IPv4",              "10.0.0.1:1",          "10.0.0.2:1",                  false},
    {"two of one /64",           "[2001:db8:1:2::1]:1", "[2001:db8:1:2:f00a:b:c:d]:1", true },
    {"the last bit before it",   "[2001:db8:1:2::1]:1", "[2001:db8:1:3::1]:1",         false},
    {"the first bit",            "[2001:db8:1:2::1]:1", "[a001:db8:1:2::1]:1",         false},
    {"IPv4 inside IPv6 is IPv4", "[::ffff:10.0.0.1]:1", "[::ffff:10.0.0.2]:1",         false},
    {"one of them",              "[::ffff:10.0.0.1]:1", "[::ffff:10.0.0.1]:2",         true },
};

START_TEST(who_counts_as_one)
{
    union listen_address a, b;
    char first[PEER_TEXT_SIZE], second[PEER_TEXT_SIZE];
    struct error err;
    ck_assert(listen_parse(&a, peers[_i].a, &err) && listen_parse(&b, peers[_i].b, &err));
    peer_print(first, &a.any, true);
    peer_print(second, &b.any, true);
    ck_assert_msg((strcmp(first, second) == 0) == peers[_i].is_same, "%s: %s and %s",
                  peers[_i].shows, first, second);
}
END_TEST

/* The audit names the address itself. */
START_TEST(who_it_was)
{
    union listen_address a;
    char text[PEER_TEXT_SIZE];
    struct error err;
    ck_assert(listen_parse(&a, "[2001:db8:1:2::7]:1", &err));
    ck_assert_str_eq(peer_print(text, &a.any, false), "2001:db8:1:2::7");
    ck_assert_str_eq(peer_print(text, &a.any, true), "2001:db8:1:2::");
    ck_assert_str_eq(peer_print(text, NULL, false), "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("listen");
    TCase *c = tcase_create("listen");
    tcase_add_loop_test(c, where_it_listens, 0, COUNT(listens));
    tcase_add_loop_test(c, who_counts_as_one, 0, COUNT(peers));
    tcase_add_test(c, who_it_was);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
