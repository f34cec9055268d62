/* pages.c: the files of web/page, taken into the program by the assembler (WEB_PAGE_DIR comes from
 * the build). */
#include "pages.h"

#include <string.h>

#define EMBED(name, file)                                                                          \
    __asm__(".section .rodata\n"                                                                   \
            ".balign 16\n"                                                                         \
            "web_page_" #name ":\n"                                                                \
            ".incbin \"" WEB_PAGE_DIR "/" file "\"\n"                                              \
            "web_page_" #name "_end:\n"                                                            \
            ".byte 0\n"                                                                            \
            ".text\n");                                                                            \
    extern const unsigned char web_page_##name[] __attribute__((visibility("hidden")));            \
    extern const unsigned char web_page_##name##_end[] __attribute__((visibility("hidden")))

EMBED(index, "index.html");
EMBED(style, "style.css");
EMBED(app, "app.js");
EMBED(icon, "icon.svg");

static const struct {
    const char *path, *type;
    const unsigned char *start, *end;
} pages[] = {
    {"/",          "text/html; charset=utf-8",       web_page_index, web_page_index_end},
    {"/style.css", "text/css; charset=utf-8",        web_page_style, web_page_style_end},
    {"/app.js",    "text/javascript; charset=utf-8", web_page_app,   web_page_app_end  },
    {"/icon.svg",  "image/svg+xml",                  web_page_icon,  web_page_icon_end },
};

bool page_find(struct page *page, const char *path)
{
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        if (strcmp(pages[i].path, path) != 0)
            continue;
        *page =
            (struct page){pages[i].type, pages[i].start, (size_t)(pages[i].end - pages[i].start)};
        return true;
    }
    return false;
}
