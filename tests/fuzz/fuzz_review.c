/* fuzz_review.c: a baseline document of any content is read or refused with a reason; what was read
 * is written again as a document that can be read. */
#include "baseline/review.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct review *review_of(const void *bytes, size_t size, struct error *err)
{
    struct review *review = NULL;
    char *copy = malloc(size + 1);
    assert(copy);
    memcpy(copy, bytes, size);
    FILE *file = fmemopen(copy, size, "rb");
    assert(file);
    if (!review_read_yaml(&review, file, "fuzz.yaml", NULL, "fuzz", err))
        assert(review == NULL && strncmp(err->text, "fuzz.yaml:", 10) == 0);
    fclose(file);
    free(copy);
    return review;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = {""};
    if (size == 0)
        return 0;
    struct review *review = review_of(data, size, &err);
    if (review) {
        char *text = NULL;
        size_t text_size = 0;
        FILE *out = open_memstream(&text, &text_size);
        assert(out && review_write_yaml(review, out, &err));
        fclose(out);
        struct review *again = review_of(text, text_size, &err);
        assert(again);
        review_destroy(again);
        free(text);
    }
    review_destroy(review);
    return 0;
}
