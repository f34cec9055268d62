/* cmd_console.c: `sightglass console`: the web console over a store, its users and tokens. */
#include "commands.h"

#include "sensor/base/config.h"
#include "sensor/base/log.h"
#include "sensor/base/text.h"
#include "stop.h"
#include "web/accounts.h"
#include "web/readers.h"
#include "web/web.h"
#include "what_if.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: sightglass console [-s FILE] [--new] [--listen ADDRESS:PORT] [-c FILE] [--tls]\n"
    "       sightglass console user add|password|role|remove NAME [--role ROLE] [-s FILE]\n"
    "       sightglass console user list [-s FILE]\n"
    "       sightglass console token add|remove NAME [--role ROLE] [--days N] [-s FILE]\n"
    "  -s, --store FILE            the store (default: sightglass.db in the state directory)\n"
    "      --new                   makes the store if there is none: a sensor will fill it later\n"
    "  -l, --listen ADDRESS:PORT   default 127.0.0.1:8470; elsewhere than loopback it needs users "
    "and "
    "TLS\n"
    "  -c, --config FILE           configuration\n"
    "      --tls                   HTTPS, with a self-signed certificate made at the first start\n"
    "      --certificate FILE      HTTPS with this one (PEM), and its --key FILE\n"
    "      --plain-http            allow HTTP elsewhere than on loopback (behind a proxy)\n"
    "      --role ROLE             viewer, analyst, engineer or admin\n"
    "      --days N                a token ends after N days (default 365; 0: never)\n"
    "A new password is asked for on the terminal, or read as the first line of standard input.\n";

struct call {
    struct config config;
    struct web_options web;
    const char *store, *role;
    int days;
    bool is_help, may_be_new;
    char path[sizeof((struct config *)NULL)->state_dir + 32];
};

enum {
    OPTION_TLS = 256,
    OPTION_CERTIFICATE,
    OPTION_KEY,
    OPTION_PLAIN,
    OPTION_ROLE,
    OPTION_DAYS,
    OPTION_NEW
};

static const struct option long_options[] = {
    {"store",       required_argument, NULL, 's'               },
    {"listen",      required_argument, NULL, 'l'               },
    {"config",      required_argument, NULL, 'c'               },
    {"tls",         no_argument,       NULL, OPTION_TLS        },
    {"certificate", required_argument, NULL, OPTION_CERTIFICATE},
    {"key",         required_argument, NULL, OPTION_KEY        },
    {"plain-http",  no_argument,       NULL, OPTION_PLAIN      },
    {"role",        required_argument, NULL, OPTION_ROLE       },
    {"days",        required_argument, NULL, OPTION_DAYS       },
    {"new",         no_argument,       NULL, OPTION_NEW        },
    {"help",        no_argument,       NULL, 'h'               },
    {NULL,          0,                 NULL, 0                 }
};

static bool take(struct call *call, int option, struct error *err)
{
    char *end;
    switch (option) {
    case 's':
        call->store = optarg;
        return true;
    case 'l':
        call->web.listen = optarg;
        return true;
    case 'c':
        return config_read(&call->config, optarg, err);
    case OPTION_TLS:
        call->web.is_tls = true;
        return true;
    case OPTION_CERTIFICATE:
        call->web.certificate = optarg;
        return true;
    case OPTION_KEY:
        call->web.key = optarg;
        return true;
    case OPTION_PLAIN:
        call->web.is_plain_allowed = true;
        return true;
    case OPTION_ROLE:
        call->role = optarg;
        return true;
    case OPTION_DAYS:
        call->days = (int)strtol(optarg, &end, 10);
        return (end != optarg && !*end && call->days >= 0 && call->days <= 3650) ||
               error_set(err, "--days %s: is a number from 0 to 3650", optarg);
    case OPTION_NEW:
        call->may_be_new = true;
        return true;
    case 'h':
        call->is_help = true;
        return true;
    default:
        return error_set(err, "unknown or incomplete option");
    }
}

/* --- users and tokens --- */

static int64_t now_wall_ms(void)
{
    return (int64_t)time(NULL) * 1000;
}

static bool read_line(char *line, size_t capacity)
{
    if (!fgets(line, (int)capacity, stdin))
        return false;
    line[strcspn(line, "\r\n")] = '\0';
    return true;
}

/* Not shown while it is typed; twice, because nobody sees it. */
static bool ask_password(char *password, size_t capacity, struct error *err)
{
    struct termios usual, silent;
    char again[PASSWORD_MAX + 2];
    if (tcgetattr(STDIN_FILENO, &usual) != 0)
        return read_line(password, capacity) || error_set(err, "no password on standard input");
    silent = usual;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    fputs("Password: ", stderr);
    bool ok = read_line(password, capacity);
    fputs("\nAgain: ", stderr);
    ok = ok && read_line(again, sizeof again);
    fputs("\n", stderr);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &usual);
    if (ok && strcmp(password, again) != 0)
        ok = error_set(err, "the two passwords differ");
    else if (!ok)
        error_set(err, "no password");
    explicit_bzero(again, sizeof again);
    return ok;
}

static bool list_users(struct store *store, struct error *err)
{
    sqlite3_stmt *s = store_statement(store, "SELECT name, role FROM web_users ORDER BY name", err);
    if (!s)
        return false;
    while (sqlite3_step(s) == SQLITE_ROW)
        printf("%-32s %s\n", sqlite3_column_text(s, 0), sqlite3_column_text(s, 1));
    sqlite3_reset(s);
    return true;
}

static bool change_user(struct store *store, const char *verb, const char *name, enum role role,
                        struct error *err)
{
    char password[PASSWORD_MAX + 2] = "";
    bool needs_password = strcmp(verb, "add") == 0 || strcmp(verb, "password") == 0;
    bool ok = !needs_password || ask_password(password, sizeof password, err);
    if (ok && strcmp(verb, "add") == 0)
        ok = account_add(store, name, role, password, now_wall_ms(), err);
    else if (ok && strcmp(verb, "password") == 0)
        ok = account_change(store, name, ROLE_NONE, password, err);
    else if (ok && strcmp(verb, "role") == 0)
        ok = role != ROLE_NONE ? account_change(store, name, role, NULL, err)
                               : error_set(err, "--role is viewer, analyst, engineer or admin");
    else if (ok && strcmp(verb, "remove") == 0)
        ok = account_remove(store, name, err);
    else if (ok)
        ok = error_set(err, "user %s: is add, password, role, remove or list", verb);
    explicit_bzero(password, sizeof password);
    return ok;
}

static bool change_token(struct store *store, const struct call *call, const char *verb,
                         const char *name, enum role role, struct error *err)
{
    char secret[SECRET_SIZE];
    int64_t until_ms = call->days ? now_wall_ms() + call->days * INT64_C(86400000) : 0;
    if (strcmp(verb, "remove") == 0)
        return token_remove(store, name, err);
    if (strcmp(verb, "add") != 0)
        return error_set(err, "token %s: is add or remove", verb);
    if (!token_add(store, name, role, "command line", now_wall_ms(), until_ms, secret, err))
        return false;
    printf("%s\n", secret);
    return true;
}

static bool manage(const struct call *call, int count, char **words, struct error *err)
{
    bool is_user = strcmp(words[0], "user") == 0;
    bool is_list = is_user && count == 2 && strcmp(words[1], "list") == 0;
    enum role role = call->role ? role_of_name(call->role) : ROLE_NONE;
    struct store *store;
    char what[64];
    if ((!is_user && strcmp(words[0], "token") != 0) || (count != 3 && !is_list))
        return error_set(err, "%s: see sightglass console --help", words[0]);
    bool is_new = access(call->web.store_path, F_OK) != 0; /* perhaps a path mistyped */
    if (!writer_open(&store, call->web.store_path, err))
        return false;
    bool ok = is_list   ? list_users(store, err)
              : is_user ? change_user(store, words[1], words[2], role, err)
                        : change_token(store, call, words[1], words[2], role, err);
    text_format(what, sizeof what, "%s.%s", words[0], words[1]);
    if (ok && !is_list)
        ok = audit_add(store, now_wall_ms(), "command line", what, words[2],
                       call->role ? call->role : "", err);
    if (ok && !is_list)
        log_info("%s %s: %s, in the store %s%s", words[0], words[1], words[2], call->web.store_path,
                 is_new ? ", which is new" : "");
    store_close(store);
    return ok;
}

/* An empty console over a path that was mistyped would look like a quiet plant. */
static bool is_store_there(const struct call *call, struct error *err)
{
    const char *path = call->web.store_path;
    return call->may_be_new || access(path, F_OK) == 0 ||
           error_set(err,
                     "there is no store %s: give the one that the sensor writes (sightglass run -s "
                     "FILE), or --new to begin with an empty one",
                     path);
}

int cmd_console(int argc, char **argv)
{
    struct call call = {.days = 365};
    struct error err = {""};
    bool ok = true;
    int option;
    config_defaults(&call.config);
    while (ok && (option = getopt_long(argc, argv, "s:l:c:h", long_options, NULL)) != -1)
        ok = take(&call, option, &err);
    if (!ok || call.is_help) {
        if (ok)
            fputs(usage, stdout);
        else
            fprintf(stderr, "sightglass console: %s (--help lists the options)\n", err.text);
        config_release(&call.config);
        return ok ? 0 : 2;
    }
    text_format(call.path, sizeof call.path, "%s/sightglass.db", call.config.state_dir);
    call.web.config = &call.config;
    call.web.store_path = call.store ? call.store : call.path;
    if (!call.web.listen)
        call.web.listen = call.config.listen;
    call.web.stop = stop_flag();
    call.web.try_policy = what_if_trial;
    if (optind < argc) {
        ok = manage(&call, argc - optind, argv + optind, &err);
    } else {
        stop_install();
        ok = is_store_there(&call, &err) && web_serve(&call.web, &err);
    }
    if (!ok)
        fprintf(stderr, "sightglass console: %s\n", err.text);
    config_release(&call.config);
    return ok ? 0 : 1;
}
