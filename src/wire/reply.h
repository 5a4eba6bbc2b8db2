// The inside of the replies: the envelopes, shared by the files that write them.
#ifndef COLOSSUS_WIRE_REPLY_H
#define COLOSSUS_WIRE_REPLY_H

#include "wire/wire.h"

// Opens {"jsonrpc","id","error":{"code","message","data":{"kind", and the caller writes more data; the end
// closes all of it.
struct json reply_error_begin(struct buffer *out, const char *id, int code, const char *message);
void reply_error_end(struct json *json);

// Is it a member of a leg of reservation.create_group?
bool parameter_is_of_leg(const char *name);

#endif
