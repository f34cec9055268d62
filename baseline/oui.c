/* oui.c: see oui.h.
 *
 *   Registry,Assignment,Organization Name,Organization Address
 *   MA-L,086195,Rockwell Automation,1 Allen-Bradley Dr. ...
 *   MA-M,208593B,"IOG, Inc.",...                                 7 or 9 digits: a part of a block
 */
#include "oui.h"

#include "sensor/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_SIZE = 56,
    ENTRIES_MAX = 200000, /* the lists hold 55,000 */
    FILE_MAX = 32 << 20,
};

struct entry {
    uint64_t prefix; /* digits << 8 | how many */
    char name[NAME_SIZE];
};

struct oui {
    struct entry *entries;
    size_t count, capacity;
};

static uint64_t prefix_of(uint64_t address, unsigned digits)
{
    return (address >> (48 - 4 * digits)) << 8 | digits;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A field of a record, without its quotes; *at is moved behind it. */
static struct text field_of(struct text *line)
{
    bool is_quoted = line->size > 0 && line->at[0] == '"';
    size_t start = is_quoted, end = start;
    while (end < line->size && line->at[end] != (is_quoted ? '"' : ','))
        end++;
    struct text field = {line->at + start, end - start};
    while (end < line->size && line->at[end] != ',')
        end++;
    end += end < line->size;
    *line = (struct text){line->at + end, line->size - end};
    return field;
}

static bool entry_add(struct oui *oui, uint64_t prefix, struct text name)
{
    if (oui->count == oui->capacity) {
        size_t capacity = oui->capacity ? oui->capacity * 2 : 4096;
        struct entry *more = realloc(oui->entries, capacity * sizeof *more);
        if (!more)
            return false;
        oui->entries = more;
        oui->capacity = capacity;
    }
    struct entry *e = &oui->entries[oui->count++];
    e->prefix = prefix;
    text_copy(e->name, sizeof e->name, name);
    return true;
}

/* False: no memory. */
static bool line_read(struct oui *oui, struct text line)
{
    (void)field_of(&line); /* the registry */
    struct text digits = field_of(&line), name = field_of(&line);
    while (name.size > 0 && (name.at[name.size - 1] == ',' || name.at[name.size - 1] == ' '))
        name.size--; /* "Siemens AG," */
    uint64_t prefix = 0;
    if (digits.size < 6 || digits.size > 12 || name.size == 0 ||
        text_equal(name, TEXT("Private")) || text_equal(name, TEXT("IEEE Registration Authority")))
        return true;
    for (size_t i = 0; i < digits.size; i++) {
        int digit = digit_of(digits.at[i]);
        if (digit < 0)
            return true;
        prefix = prefix << 4 | (unsigned)digit;
    }
    return oui->count >= ENTRIES_MAX || entry_add(oui, prefix << 8 | digits.size, name);
}

static bool lines_read(struct oui *oui, const char *text, size_t size)
{
    while (size > 0) {
        const char *end = memchr(text, '\n', size);
        size_t length = end ? (size_t)(end - text) : size;
        struct text line = {text, length};
        if (length > 0 && text[length - 1] == '\r')
            line.size--;
        if (!line_read(oui, line))
            return false;
        text += length + (end != NULL);
        size -= length + (end != NULL);
    }
    return true;
}

static int by_prefix(const void *a, const void *b)
{
    uint64_t x = ((const struct entry *)a)->prefix, y = ((const struct entry *)b)->prefix;
    return (x > y) - (x < y);
}

static struct oui *sorted(struct oui *oui)
{
    if (oui->count > 0)
        qsort(oui->entries, oui->count, sizeof *oui->entries, by_prefix);
    return oui;
}

struct oui *oui_parse(const char *text, size_t size)
{
    struct oui *oui = calloc(1, sizeof *oui);
    if (!oui || !lines_read(oui, text, size)) {
        oui_close(oui);
        return NULL;
    }
    return sorted(oui);
}

static bool file_read(struct oui *oui, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return true;
    char *line = NULL;
    size_t capacity = 0, total = 0;
    ssize_t size;
    bool ok = true;
    while (ok && total < FILE_MAX && (size = getline(&line, &capacity, file)) > 0) {
        total += (size_t)size;
        ok = lines_read(oui, line, (size_t)size);
    }
    free(line);
    fclose(file);
    return ok;
}

struct oui *oui_open(const char *folder)
{
    static const char *const names[] = {"oui.csv", "mam.csv", "oui36.csv", "iab.csv"};
    struct oui *oui = calloc(1, sizeof *oui);
    bool ok = oui != NULL;
    for (size_t i = 0; ok && i < sizeof names / sizeof *names; i++) {
        char path[512];
        text_format(path, sizeof path, "%s/%s", folder, names[i]);
        ok = file_read(oui, path);
    }
    if (!ok || oui->count == 0) {
        oui_close(oui);
        return NULL;
    }
    return sorted(oui);
}

void oui_close(struct oui *oui)
{
    if (oui)
        free(oui->entries);
    free(oui);
}

const char *oui_find(const struct oui *oui, const struct mac *mac)
{
    static const unsigned longest_first[] = {9, 7, 6};
    uint64_t address = 0;
    if (!oui || oui->count == 0 || (mac->bytes[0] & 3) != 0) /* a group's, or locally given */
        return NULL;
    for (size_t i = 0; i < 6; i++)
        address = address << 8 | mac->bytes[i];
    for (size_t i = 0; i < sizeof longest_first / sizeof *longest_first; i++) {
        struct entry key = {.prefix = prefix_of(address, longest_first[i])};
        const struct entry *found =
            bsearch(&key, oui->entries, oui->count, sizeof *oui->entries, by_prefix);
        if (found)
            return found->name;
    }
    return NULL;
}
