// Looking over a JSON text before it is parsed.
//
// The parser builds a tree, and two things must be known before or beside it: how deep the text is nested
// (jansson's own limit is far higher than the protocol's), and how the id of a request was written, so that
// it goes back exactly as it came (a tree keeps only a number's value). Both passes know strings and their
// escapes and nothing else; on a text that is not JSON they give some answer, never an error or a fault.
#ifndef COLOSSUS_WIRE_SCAN_H
#define COLOSSUS_WIRE_SCAN_H

#include <stddef.h>

enum scan_result { SCAN_FINE, SCAN_TOO_DEEP, SCAN_NUL };

enum scan_result scan_nesting(const char *text, size_t length, size_t depth_most);

// A piece of the text; length 0 when there is none.
struct span {
    size_t start, length;
};

// The values of the member "id" of the outermost object or, where the outermost value is an array, of each
// object in it, by index. Only strings, numbers and the three literals are found. A key that is written with
// escapes is not recognised.
void scan_ids(const char *text, size_t length, struct span *ids, size_t count);

#endif
