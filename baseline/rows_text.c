/* rows_text.c: numbers are written digit by digit, for there are many at the end of a run; those
 * with a fraction as printf does it. */
#include "rows_text.h"

#include "sensor/base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is written; cut at the end. */
struct writer {
    char *at, *end;
};

static void put(struct writer *w, const char *text, size_t size)
{
    size_t left = (size_t)(w->end - w->at);
    if (size > left)
        size = left;
    memcpy(w->at, text, size);
    w->at += size;
}

static void put_char(struct writer *w, char c)
{
    put(w, &c, 1);
}

static void put_string(struct writer *w, const char *text)
{
    put(w, text, strlen(text));
}

static void put_digits(struct writer *w, uint64_t n, unsigned base)
{
    char digits[20], *at = digits + sizeof digits;
    do {
        *--at = "0123456789abcdef"[n % base];
        n /= base;
    } while (n);
    put(w, at, (size_t)(digits + sizeof digits - at));
}

/* As "%.*g" does it with 9 or more digits. */
static void put_double(struct writer *w, double n, int digits)
{
    enum { WHOLE_MAX = 1000000000 };
    if (n > -WHOLE_MAX && n < WHOLE_MAX && n == (double)(int64_t)n && !(n == 0 && signbit(n))) {
        if (n < 0)
            put_char(w, '-');
        put_digits(w, (uint64_t)fabs(n), 10);
        return;
    }
    char text[32];
    put_string(w, text_format(text, sizeof text, "%.*g", digits, n));
}

static struct writer writer_of(char out[ROWS_TEXT])
{
    return (struct writer){out, out + ROWS_TEXT};
}

static size_t written(const struct writer *w, const char *out)
{
    return (size_t)(w->at - out);
}

/* --- states --- */

size_t rows_states_print(const struct point_facts *f, char out[ROWS_TEXT])
{
    struct writer w = writer_of(out);
    if (f->state_count > STATES_MAX)
        put_string(&w, "many");
    for (int i = 0; i < f->state_count && f->state_count <= STATES_MAX; i++) {
        if (i)
            put_char(&w, ' ');
        put_double(&w, f->states[i], 17);
        put_char(&w, '*');
        put_digits(&w, f->state_counts[i], 10);
    }
    return written(&w, out);
}

void rows_states_parse(struct point_facts *f, const char *text)
{
    f->state_count = 0;
    if (strcmp(text, "many") == 0) {
        f->state_count = STATES_MAX + 1;
        return;
    }
    while (*text && f->state_count < STATES_MAX) {
        char *end;
        f->states[f->state_count] = strtod(text, &end);
        if (end == text || *end != '*')
            return;
        f->state_counts[f->state_count++] = (uint32_t)strtoul(end + 1, &end, 10);
        text = *end == ' ' ? end + 1 : end;
    }
}

/* --- sequences --- */

size_t rows_sequence_print(const struct sequence_facts *f, char out[ROWS_TEXT])
{
    struct writer w = writer_of(out);
    if (f->steps == 0)
        return 0;
    put_digits(&w, f->commands, 16);
    for (int i = 0; i < f->steps && i < STEPS_MAX; i++) {
        const uint16_t step[] = {f->once[i], f->often[i], f->arrivals[i]};
        for (size_t k = 0; k < sizeof step / sizeof *step; k++) {
            put_char(&w, ' ');
            put_digits(&w, step[k], 16);
        }
    }
    return written(&w, out);
}

static uint16_t hex_take(const char **text)
{
    char *end;
    unsigned long n = strtoul(*text, &end, 16);
    *text = end;
    return n > UINT16_MAX ? UINT16_MAX : (uint16_t)n;
}

void rows_sequence_parse(struct sequence_facts *f, const char *text)
{
    *f = (struct sequence_facts){0};
    f->commands = hex_take(&text);
    while (*text == ' ' && f->steps < STEPS_MAX) {
        f->once[f->steps] = hex_take(&text);
        f->often[f->steps] = hex_take(&text);
        f->arrivals[f->steps++] = hex_take(&text);
    }
}

/* --- variables --- */

static void put_variable(struct writer *w, const struct variable *v)
{
    put_double(w, (double)v->low, 9);
    put_char(w, ' ');
    put_double(w, (double)v->high, 9);
    put_char(w, ' ');
    put_digits(w, v->turns, 10);
    put_char(w, ' ');
    if (v->state_count > PAGE_STATES || v->state_count == 0)
        put_string(w, v->state_count ? "many" : "-");
    for (int k = 0; k < v->state_count && v->state_count <= PAGE_STATES; k++) {
        if (k)
            put_char(w, ',');
        put_double(w, (double)v->states[k], 9);
        put_char(w, ':');
        put_digits(w, v->visits[k], 10);
    }
}

size_t rows_variables_print(const struct page_facts *f, char out[ROWS_TEXT])
{
    struct writer w = writer_of(out);
    int last = PAGE_VARIABLES;
    while (last > 0 && f->variables[last - 1].state_count == 0)
        last--;
    for (int i = 0; i < last; i++) {
        if (i)
            put_char(&w, ';');
        put_variable(&w, &f->variables[i]);
    }
    return written(&w, out);
}

static float float_take(const char **text)
{
    char *end;
    float n = strtof(*text, &end);
    *text = end;
    return n;
}

static void variable_parse(struct variable *v, const char *text)
{
    v->low = float_take(&text);
    v->high = float_take(&text);
    unsigned long turns = strtoul(text, NULL, 10);
    v->turns = turns > UINT16_MAX ? UINT16_MAX : (uint16_t)turns;
    text += strspn(text, " ");
    text += strcspn(text, " ;");
    text += strspn(text, " ");
    if (strncmp(text, "many", 4) == 0)
        v->state_count = PAGE_STATES + 1;
    while ((*text == '-' || *text == '+' || (*text >= '0' && *text <= '9')) &&
           v->state_count < PAGE_STATES) {
        float state = float_take(&text);
        if (*text != ':')
            return;
        text++;
        v->states[v->state_count] = state;
        unsigned long visits = strtoul(text, NULL, 10);
        v->visits[v->state_count++] = visits > UINT8_MAX ? UINT8_MAX : (uint8_t)visits;
        text += strspn(text, "0123456789");
        text += *text == ',';
    }
}

void baseline_variables_parse(struct page_facts *f, const char *text)
{
    memset(f->variables, 0, sizeof f->variables);
    for (int i = 0; i < PAGE_VARIABLES && *text; i++) {
        variable_parse(&f->variables[i], text);
        text += strcspn(text, ";");
        text += *text == ';';
    }
}

/* --- codes --- */

size_t rows_code_print(const uint32_t code[OT_CODE_PARTS], char out[ROWS_TEXT])
{
    struct writer w = writer_of(out);
    for (int i = 0; i < OT_CODE_PARTS; i++) {
        if (i)
            put_char(&w, '.');
        put_digits(&w, code[i], 10);
    }
    return written(&w, out);
}

void rows_code_parse(uint32_t code[OT_CODE_PARTS], const char *text)
{
    for (int i = 0; i < OT_CODE_PARTS; i++) {
        char *end;
        code[i] = (uint32_t)strtoul(text, &end, 10);
        text = *end == '.' ? end + 1 : end;
    }
}
