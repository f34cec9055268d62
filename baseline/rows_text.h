/* rows_text.h: lists of numbers that are one column of a row, as text. */
#pragma once

#include "rows.h"

enum { ROWS_TEXT = 2048 }; /* the longest, variables: 16 of at most 120 */

/* Each returns the size of what it wrote to out, which is not terminated; each has a function that
 * reads it again (and baseline_variables_parse). */

/* "VALUE*TIMES VALUE*TIMES", or "many". */
size_t rows_states_print(const struct point_facts *f, char out[ROWS_TEXT]);
void rows_states_parse(struct point_facts *f, const char *text);
/* Numbers in hexadecimal, separated by spaces: the commands, then once, often, arrivals of each
 * step. */
size_t rows_sequence_print(const struct sequence_facts *f, char out[ROWS_TEXT]);
void rows_sequence_parse(struct sequence_facts *f, const char *text);
/* Per variable "low high turns states", the states as VALUE:VISITS joined by commas, "many" or "-";
 * separated by ";". Trailing variables that were never seen are left out. */
size_t rows_variables_print(const struct page_facts *f, char out[ROWS_TEXT]);
/* "5.0.0.0" */
size_t rows_code_print(const uint32_t code[OT_CODE_PARTS], char out[ROWS_TEXT]);
void rows_code_parse(uint32_t code[OT_CODE_PARTS], const char *text);
