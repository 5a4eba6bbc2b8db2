// Is a text JSON? Judged by a second reader, written from RFC 8259 alone, which builds nothing.
//
// The fuzz targets hold it against what the daemon's parser takes, and against every reply it writes.
#ifndef COLOSSUS_TESTS_FUZZ_GRAMMAR_H
#define COLOSSUS_TESTS_FUZZ_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>

// Deeper nesting is no JSON here: more than the protocol allows.
#define GRAMMAR_DEPTH_MAX 32

struct grammar {
    bool is_json;     // well-formed, in valid UTF-8, without lone surrogates
    bool has_nul;     // a text has an escaped NUL, which the protocol refuses
    bool long_number; // a number may be out of range: 18 digits or more, or an exponent
    size_t depth;     // the deepest nesting seen
};

struct grammar grammar_judge(const char *text, size_t length);

#endif
