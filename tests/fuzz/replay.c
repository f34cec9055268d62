/* replay.c: runs a fuzz target without libFuzzer: the stored corpus first, then a fixed number of
 * mutations of it that are the same on every machine. For the daily check; long searches are
 * libFuzzer's.
 *
 *   fuzz_NAME [CORPUS_FOLDER]       FUZZ_RUNS=20000 in the environment sets the number of mutations
 *   fuzz_NAME FILE                  runs one input, to look at a failure */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The sanitizers ask for this when they start: a report ends in abort(), where save_input is. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "abort_on_error=1";
}

enum {
    SEEDS_MAX = 4096,
    INPUT_SIZE_MAX = 64 * 1024,
    RUNS_DEFAULT = 20000,
    MUTATIONS_MAX = 6, /* per input: more and nothing of the seed is left */
};

struct seed {
    char *name;
    uint8_t *bytes;
    size_t size;
};

static struct seed seeds[SEEDS_MAX];
static size_t seed_count;
static uint64_t random_state = UINT64_C(0x9e3779b97f4a7c15);

/* What is being run, kept for the failure report. */
static uint8_t input[INPUT_SIZE_MAX];
static size_t input_size;

/* xorshift64*, Vigna 2016: fixed seed, so that a failure comes again. */
static uint64_t random_next(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * UINT64_C(2685821657736338717);
}

static size_t random_below(size_t n)
{
    return n ? (size_t)(random_next() >> 16) % n : 0;
}

/* A failed input is left in the working folder, to be added to the corpus. */
static void save_input(int signal_number)
{
    static const char told[] = "the input that failed is in ./replay-failed-input\n";
    int fd = open("replay-failed-input", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd >= 0 && write(fd, input, input_size) == (ssize_t)input_size)
        (void)!write(STDERR_FILENO, told, sizeof told - 1);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

/* A copy of its exact size, so that the address sanitizer sees the first byte too far. */
static void run(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        exit(2);
    if (size)
        memcpy(copy, bytes, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static int load_seed(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat about;
    if (!file || fstat(fileno(file), &about) != 0 || !S_ISREG(about.st_mode)) {
        if (file)
            fclose(file);
        return 0;
    }
    struct seed *s = &seeds[seed_count];
    s->bytes = malloc(INPUT_SIZE_MAX);
    s->name = strdup(path);
    if (!s->bytes || !s->name)
        exit(2);
    s->size = fread(s->bytes, 1, INPUT_SIZE_MAX, file);
    seed_count++;
    fclose(file);
    return 1;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct seed *)a)->name, ((const struct seed *)b)->name);
}

static void load_seeds(const char *folder)
{
    DIR *dir = opendir(folder);
    if (!dir) {
        if (errno == ENOTDIR)
            load_seed(folder);
        return; /* no corpus yet: mutations of nothing */
    }
    for (struct dirent *entry; seed_count < SEEDS_MAX && (entry = readdir(dir));) {
        char path[4096];
        if (entry->d_name[0] == '.')
            continue;
        if (snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) < (int)sizeof path)
            load_seed(path);
    }
    closedir(dir);
    qsort(seeds, seed_count, sizeof *seeds,
          by_name); /* the folder's order differs between machines */
}

static void flip_bytes(void)
{
    static const uint8_t telling[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    size_t count = 1 + random_below(4);
    for (size_t i = 0; i < count && input_size; i++) {
        uint8_t *at = &input[random_below(input_size)];
        switch (random_below(3)) {
        case 0:
            *at = (uint8_t)(*at ^ (1u << random_below(8)));
            break;
        case 1:
            *at = (uint8_t)random_next();
            break;
        default:
            *at = telling[random_below(sizeof telling)];
        }
    }
}

static void insert_bytes(void)
{
    size_t count = 1 + random_below(16), at = random_below(input_size + 1);
    if (count > INPUT_SIZE_MAX - input_size)
        return;
    memmove(input + at + count, input + at, input_size - at);
    for (size_t i = 0; i < count; i++)
        input[at + i] = (uint8_t)random_next();
    input_size += count;
}

static void cut_bytes(void)
{
    size_t at = random_below(input_size + 1);
    size_t count = random_below(input_size - at + 1);
    memmove(input + at, input + at + count, input_size - at - count);
    input_size -= count;
}

/* The rest becomes the end of another seed. */
static void splice_seeds(void)
{
    if (seed_count == 0)
        return;
    const struct seed *other = &seeds[random_below(seed_count)];
    size_t at = random_below(input_size + 1), from = random_below(other->size + 1);
    size_t count = other->size - from;
    if (count > INPUT_SIZE_MAX - at)
        count = INPUT_SIZE_MAX - at;
    memcpy(input + at, other->bytes + from, count);
    input_size = at + count;
}

static void mutate(void)
{
    static void (*const ways[])(void) = {flip_bytes, flip_bytes, insert_bytes, cut_bytes,
                                         splice_seeds};
    input_size = 0;
    if (seed_count) {
        const struct seed *s = &seeds[random_below(seed_count)];
        memcpy(input, s->bytes, s->size);
        input_size = s->size;
    }
    for (size_t n = 1 + random_below(MUTATIONS_MAX); n > 0; n--)
        ways[random_below(sizeof ways / sizeof *ways)]();
}

int main(int argc, char **argv)
{
    const char *wanted = getenv("FUZZ_RUNS");
    unsigned long runs = wanted ? strtoul(wanted, NULL, 10) : RUNS_DEFAULT;
    signal(SIGABRT, save_input);
    signal(SIGALRM, save_input);

    if (argc > 1)
        load_seeds(argv[1]);
    for (size_t i = 0; i < seed_count; i++) {
        memcpy(input, seeds[i].bytes, seeds[i].size);
        input_size = seeds[i].size;
        alarm(60); /* one input that takes a minute hangs */
        run(input, input_size);
    }
    for (unsigned long i = 0; i < runs; i++) {
        mutate();
        alarm(60);
        run(input, input_size);
    }
    printf("%zu stored inputs, %lu mutations\n", seed_count, runs);
    for (size_t i = 0; i < seed_count; i++) {
        free(seeds[i].name);
        free(seeds[i].bytes);
    }
    return 0;
}
