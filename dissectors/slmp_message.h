/* slmp_message.h: one MC protocol message while it is dissected, shared by the frames and what they
 * carry. */
#pragma once

#include "slmp_words.h"

enum { SLMP_ITEMS_MAX = 30 }; /* kept of one request */

struct slmp_span {
    uint32_t start;
    uint16_t count; /* points or words, as asked */
    uint8_t device; /* code of frames 3E */
    uint8_t size;   /* bytes of an element: 0 a bit of its own, 2, 4 */
};

/* What is kept of a request. */
struct slmp_asked {
    uint16_t command, subcommand;
    uint16_t span_count, spans_total;
    uint32_t file; /* number of an open file */
    bool is_1e;
    struct slmp_span spans[SLMP_ITEMS_MAX];
};

struct slmp_message {
    struct dissect *d;
    struct ot_event event;
    struct reader pdu;
    struct slmp_asked asked;
    struct ot_item *items;
    struct ot_item one;
    struct ot_fact facts[2];
    bool is_ascii, is_response;
};

/* The next number of `size` bytes (at most 4): little endian, or twice as many hex digits. */
uint32_t slmp_number(const struct slmp_message *m, struct reader *r, size_t size);
void slmp_complain(struct slmp_message *m, enum violation_kind kind, const char *why);

/* The data of frames 3E and 4E, behind subcommand or end code. */
void slmp_request_data(struct slmp_message *m, struct reader *r);
void slmp_response_data(struct slmp_message *m, struct reader *r);
/* The data of frames 1E, behind the timer or the end code. */
void slmp_1e_request_data(struct slmp_message *m, struct reader *r);
void slmp_1e_response_data(struct slmp_message *m, struct reader *r);
/* Items of what was asked, without values. */
void slmp_put_items(struct slmp_message *m);
