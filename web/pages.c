/* pages.c: the files of the page, which web/page/build.mjs bundled, taken into the program by the
 * assembler. pages.def and WEB_PAGE_DIR come from the build. */
#include "pages.h"

#include <string.h>

#define EMBED(name, label, file)                                                                   \
    __asm__(".section .rodata\n"                                                                   \
            ".balign 16\n"                                                                         \
            "web_page_" #name #label ":\n"                                                         \
            ".incbin \"" WEB_PAGE_DIR "/" file "\"\n"                                              \
            "web_page_" #name #label "_end:\n"                                                     \
            ".byte 0\n"                                                                            \
            ".text\n");                                                                            \
    extern const unsigned char web_page_##name##label[] __attribute__((visibility("hidden")));     \
    extern const unsigned char web_page_##name##label##_end[] __attribute__((visibility("hidde"    \
                                                                                        "n")))

#define PAGE(name, path, type, file)                                                               \
    EMBED(name, _plain, file);                                                                     \
    EMBED(name, _gzip, file ".gz");
#include "pages.def"
#undef PAGE

static const struct {
    const char *path, *type;
    const unsigned char *start, *end, *packed, *packed_end;
} pages[] = {
#define PAGE(name, path, type, file)                                                               \
    {path,                                                                                         \
     type,                                                                                         \
     web_page_##name##_plain,                                                                      \
     web_page_##name##_plain_end,                                                                  \
     web_page_##name##_gzip,                                                                       \
     web_page_##name##_gzip_end},
#include "pages.def"
#undef PAGE
};

bool page_find(struct page *page, const char *path)
{
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        if (strcmp(pages[i].path, path) != 0)
            continue;
        *page = (struct page){
            .type = pages[i].type,
            .bytes = pages[i].start,
            .size = (size_t)(pages[i].end - pages[i].start),
            .packed = pages[i].packed,
            .packed_size = (size_t)(pages[i].packed_end - pages[i].packed),
        };
        return true;
    }
    return false;
}
