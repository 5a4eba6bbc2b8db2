// A daemon that answers by a script, for the tests of the client and of the command line.
//
// It serves one connection after another, on a socket in a folder of its own. For each line that it reads it
// takes the next entry of the script:
//
//     a text       is sent back as a line, with "$id" in it replaced by the request's id
//     FAKE_CLOSE   the connection is closed without an answer
//     FAKE_HALF    half a line is sent, then the connection is closed
//     FAKE_LAST and a text: the text is sent as above, then the connection is closed
//     FAKE_SILENT  there is no answer, now or later
//
// After the last entry it closes the connection and takes no more.
#ifndef TESTS_UNIT_CLIENT_FAKE_SERVER_H
#define TESTS_UNIT_CLIENT_FAKE_SERVER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>

#define FAKE_CLOSE  "!close"
#define FAKE_HALF   "!half"
#define FAKE_SILENT "!silent"
#define FAKE_LAST   "!last "

#define FAKE_RESULT(members) "{\"jsonrpc\":\"2.0\",\"id\":$id,\"result\":{" members "}}"
#define FAKE_ERROR(code, message, data)                                                                      \
    "{\"jsonrpc\":\"2.0\",\"id\":$id,\"error\":{\"code\":" #code ",\"message\":\"" message                   \
    "\",\"data\":{" data "}}}"

struct fake_server;

// The script ends with NULL and must stay.
struct fake_server *fake_start(const char *const *script);

// As fake_start, but it sends the greeting (or nothing, if NULL) to the first who connects and closes the
// connection at once, without reading.
struct fake_server *fake_start_hanging_up(const char *greeting);

const char *fake_path(const struct fake_server *fake);

// Waits until the one that hangs up has done so.
void fake_wait_hung_up(struct fake_server *fake);

// Stops it. After that, the lines it has read, in order; NULL beyond the last.
void fake_stop(struct fake_server *fake);
const char *fake_request(const struct fake_server *fake, size_t number);
size_t fake_request_count(const struct fake_server *fake);

void fake_free(struct fake_server *fake);

#endif
