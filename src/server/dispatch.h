// From a line to its replies: each call is parsed, admitted, and given to the handler of its method.
#ifndef COLOSSUS_SERVER_DISPATCH_H
#define COLOSSUS_SERVER_DISPATCH_H

#include <stddef.h>
#include <stdint.h>

struct connection;

// Decides every call of the line, in order, and takes a slot of the connection for each. Returns how many
// calls there were.
int64_t dispatch_line(struct connection *connection, const char *line, size_t length);

#endif
