// Framing: where one line of a connection's bytes ends and the next begins.
#include "wire/wire.h"
#include <string.h>

bool line_next(const char *bytes, size_t length, size_t limit, size_t *line_length, size_t *consumed,
               bool *too_large)
{
    *too_large = false;
    *line_length = 0;
    *consumed = 0;
    // Nothing beyond a line of the largest size, its carriage return and its newline is looked at, so a
    // client that never ends its line costs no more than that a call.
    size_t seen = length < limit + 2 ? length : limit + 2;
    const char *newline = seen == 0 ? NULL : memchr(bytes, '\n', seen);
    if (newline == NULL) {
        // A carriage return at the very end may still belong to the line's end.
        size_t without_return = seen > 0 && bytes[seen - 1] == '\r' ? seen - 1 : seen;
        *too_large = without_return > limit;
        return false;
    }
    size_t end = (size_t)(newline - bytes);
    size_t text = end > 0 && bytes[end - 1] == '\r' ? end - 1 : end;
    if (text > limit) {
        *too_large = true;
        return false;
    }
    *line_length = text;
    *consumed = end + 1;
    return true;
}
