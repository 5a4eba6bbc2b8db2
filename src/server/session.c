#include "server/session.h"

#include "base/digest.h"
#include "base/memory.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char token_prefix[] = "clss_";

static bool is_owner(uint32_t uid)
{
    return uid == 0 || uid == (uint32_t)geteuid();
}

void session_begin(struct session *session, uint32_t uid)
{
    *session = (struct session){.uid = uid, .role = is_owner(uid) ? ROLE_OPERATOR : ROLE_ANONYMOUS};
    snprintf(session->actor, sizeof(session->actor), "uid:%u", uid);
}

void session_end(struct session *session)
{
    free(session->label);
    session->label = NULL;
}

static const struct token_row *token_by_label(const struct book *book, const char *label)
{
    for (size_t i = 0; i < book_token_count(book); i++) {
        const struct token_row *token = book_token(book, i);
        if (!token->revoked && strcmp(token->label, label) == 0) {
            return token;
        }
    }
    return NULL;
}

// What the book says of the session's uid or token.
static void look_up(const struct session *session, const struct book *book, enum role *role, uint32_t *tenant)
{
    *tenant = 0;
    bool known = false;
    if (session->label != NULL) {
        const struct token_row *token = token_by_label(book, session->label);
        known = token != NULL;
        *tenant = known ? token->tenant : 0;
    } else if (is_owner(session->uid)) {
        known = true;
    } else {
        known = book_uid(book, session->uid, tenant);
    }
    if (!known) {
        *role = ROLE_ANONYMOUS;
        *tenant = 0;
    } else {
        *role = *tenant == 0 ? ROLE_OPERATOR : ROLE_TENANT;
    }
}

enum session_change session_resolve(struct session *session, const struct book *book)
{
    enum role role;
    uint32_t tenant;
    look_up(session, book, &role, &tenant);
    if (role == session->role && tenant == session->tenant) {
        return SESSION_SAME;
    }
    if (session->role != ROLE_ANONYMOUS) {
        return SESSION_LOST;
    }
    session->role = role;
    session->tenant = tenant;
    return SESSION_GAINED;
}

static struct digest token_hash(const struct digest *salt, const char *token)
{
    struct digest_state state;
    digest_begin(&state);
    digest_add(&state, salt->bytes, sizeof(salt->bytes));
    digest_add(&state, token, strlen(token));
    return digest_end(&state);
}

void token_make(char text[TOKEN_TEXT_SIZE], struct digest *salt, struct digest *hash)
{
    random_bytes(salt->bytes, sizeof(salt->bytes));
    memcpy(text, token_prefix, sizeof(token_prefix));
    random_text(text + sizeof(token_prefix) - 1, TOKEN_TEXT_SIZE - sizeof(token_prefix));
    *hash = token_hash(salt, text);
}

const struct token_row *token_find(const struct book *book, const char *token)
{
    const struct token_row *found = NULL;
    for (size_t i = 0; i < book_token_count(book); i++) {
        const struct token_row *row = book_token(book, i);
        struct digest hash = token_hash(&row->salt, token);
        bool same = digest_equal(&hash, &row->hash);
        found = same && !row->revoked ? row : found;
    }
    return found;
}

bool session_login(struct session *session, const struct book *book, const char *token)
{
    const struct token_row *row = token_find(book, token);
    if (row == NULL) {
        session->wrong_tokens++;
        return false;
    }
    free(session->label);
    session->label = memory_copy_text(row->label);
    session->role = row->tenant == 0 ? ROLE_OPERATOR : ROLE_TENANT;
    session->tenant = row->tenant;
    snprintf(session->actor, sizeof(session->actor), "token:%s", row->label);
    return true;
}

struct actor session_actor(const struct session *session)
{
    return (struct actor){.role = session->role, .tenant = session->tenant, .name = session->actor};
}

const char *role_name(enum role role)
{
    switch (role) {
    case ROLE_TENANT:
        return "tenant";
    case ROLE_OPERATOR:
        return "operator";
    case ROLE_ANONYMOUS:
        break;
    }
    return "anonymous";
}
