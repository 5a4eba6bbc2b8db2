// Who is asking: a connection's peer, as the kernel names it or as a token has shown it.
//
// Root, the daemon's own uid and the book's operator uids are operators; a tenant's uid is that tenant;
// anyone else is anonymous. A login with a token takes the place of the uid until the connection ends. What
// the book says of uids and tokens can change while a connection is open: session_resolve looks again.
#ifndef COLOSSUS_SERVER_SESSION_H
#define COLOSSUS_SERVER_SESSION_H

#include "core/book.h"
#include "core/request.h"
#include <stdbool.h>
#include <stdint.h>

// "clss_", 43 characters of base64url and the NUL.
#define TOKEN_TEXT_SIZE    49
#define SESSION_ACTOR_SIZE 320

struct session {
    uint32_t uid;
    enum role role;
    uint32_t tenant;
    int64_t wrong_tokens;
    char *label; // of the token it logged in with; NULL when it is its uid
    char actor[SESSION_ACTOR_SIZE];
};

enum session_change { SESSION_SAME, SESSION_GAINED, SESSION_LOST };

// A session of that uid, anonymous until it is resolved unless the uid is an operator's without the book.
void session_begin(struct session *session, uint32_t uid);
void session_end(struct session *session);

// Looks up again who this is. SESSION_GAINED: it was nobody and is somebody now, and the session says so.
// SESSION_LOST: it is no longer what it was; the session is left as it was, and its connection must end.
enum session_change session_resolve(struct session *session, const struct book *book);

// Turns the session into whom the token belongs to. False when there is no such token; the session stays.
bool session_login(struct session *session, const struct book *book, const char *token);

struct actor session_actor(const struct session *session);
const char *role_name(enum role role);

// Makes a new token, and what the ledger keeps of it.
void token_make(char text[TOKEN_TEXT_SIZE], struct digest *salt, struct digest *hash);

// Finds the token's row; NULL when it is none, or revoked. All rows are compared, in constant time.
const struct token_row *token_find(const struct book *book, const char *token);

#endif
