// session.login.
#include <colossus.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static enum colossus_status misuse(struct colossus_reply *reply, enum colossus_status status,
                                   const char *message)
{
    *reply = (struct colossus_reply){.status = status, .message = strdup(message)};
    return status;
}

enum colossus_status colossus_login(struct colossus *connection, const char *token,
                                    struct colossus_reply *reply)
{
    json_t *params = json_pack("{s:s}", "token", token);
    if (params == NULL)
        return misuse(reply, COLOSSUS_MISUSED, "the token is not UTF-8");
    char *text = json_dumps(params, JSON_COMPACT);
    json_decref(params);
    if (text == NULL)
        return misuse(reply, COLOSSUS_NO_MEMORY, "out of memory");
    enum colossus_status status = colossus_call(connection, "session.login", text, reply);
    // The token stays nowhere in memory longer than it is needed.
    explicit_bzero(text, strlen(text));
    free(text);
    return status;
}
