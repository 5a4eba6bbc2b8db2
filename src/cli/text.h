// Texts for people: safe to print, aligned by what a terminal shows, and numbers that can be read.
//
// Texts that are returned are to be freed. When memory runs out the program ends with a line that says so: it
// has changed nothing by itself.
#ifndef COLOSSUS_CLI_TEXT_H
#define COLOSSUS_CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *allocate(size_t count, size_t size);
char *text_copy(const char *text);
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

// A copy in which whatever could steer a terminal (control characters, and bytes that are no UTF-8) is "?".
char *text_clean(const char *text);

// How many columns a terminal gives the text: marks that combine none, wide characters two.
size_t text_width(const char *text);

// "1250000000.00" as "$1,250,000,000.00", "-3.5" as "-$3.5". Anything that is no decimal number comes back as
// it is.
char *text_of_money(const char *decimal);

// 1024 as "1,024".
char *text_of_count(int64_t count);

// How many single characters must be added, left out or exchanged to come from one to the other.
size_t text_distance(const char *a, const char *b);

#endif
