// Refusals in words. The daemon says what is wrong in a sentence, and the way out in numbers; here they
// become one sentence for a person.
#include "cli/cli.h"

#include "cli/text.h"
#include <stdlib.h>
#include <string.h>

int refusal_status(int code)
{
    switch (code) {
    case COLOSSUS_UNAUTHENTICATED:
    case COLOSSUS_FORBIDDEN:
        return STATUS_NOT_ALLOWED;
    case COLOSSUS_CAPACITY_EXCEEDED:
        return STATUS_NO_CAPACITY;
    case COLOSSUS_COMMITMENT_EXCEEDED:
        return STATUS_OVER_COMMITMENT;
    default:
        return STATUS_REFUSED;
    }
}

static const char *text_member(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

// A number as people write it; NULL when there is none.
static char *count_member(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_integer(value) ? text_of_count(json_integer_value(value)) : NULL;
}

static void print_money(FILE *words, const json_t *data, const char *name)
{
    const char *decimal = text_member(data, name);
    char *money = text_of_money(decimal == NULL ? "?" : decimal);
    fputs(money, words);
    free(money);
}

// What was asked for: the request itself, or its leg that was refused.
static const json_t *asked_of(const json_t *params, const json_t *data)
{
    const json_t *leg = json_object_get(data, "leg");
    const json_t *legs = json_object_get(params, "legs");
    if (json_is_integer(leg) && json_is_array(legs))
        return json_array_get(legs, (size_t)json_integer_value(leg));
    return params;
}

// The wire counts legs from 0, people from 1.
static void print_leg(FILE *words, const json_t *params, const json_t *data)
{
    const json_t *leg = json_object_get(data, "leg");
    size_t count = json_array_size(json_object_get(params, "legs"));
    if (json_is_integer(leg) && count > 0)
        fprintf(words, "leg %lld of %zu: ", (long long)json_integer_value(leg) + 1, count);
}

// ---- Capacity

// The hours that were asked for. A change is known by what differs, so it may not say.
static void print_window(FILE *words, const json_t *asked)
{
    const char *start = text_member(asked, "start"), *end = text_member(asked, "end");
    const json_t *hours = json_object_get(asked, "hours");
    if (start != NULL)
        fprintf(words, " from %s", start);
    if (start != NULL && end != NULL)
        fprintf(words, " to %s", end);
    else if (start != NULL && json_is_integer(hours))
        fprintf(words, " for %lld hours", (long long)json_integer_value(hours));
}

static void print_capacity(FILE *words, const json_t *asked, const char *message, const json_t *data)
{
    char *gpus = count_member(asked, "gpus"), *free_gpus = count_member(data, "free");
    const char *pool = text_member(data, "pool"), *short_from = text_member(data, "first_short");
    const char *next = text_member(data, "next_start"), *until = text_member(data, "searched_until");
    const char *missing = text_member(data, "missing_kw");
    if (gpus == NULL || pool == NULL || free_gpus == NULL) {
        fputs(message, words);
    } else if (missing != NULL) {
        fprintf(words, "the site of %s lacks %s kW for %s GPUs", pool, missing, gpus);
        print_window(words, asked);
        fprintf(words, "; it has power for %s", free_gpus);
    } else {
        fprintf(words, "no %s GPUs free in %s", gpus, pool);
        print_window(words, asked);
        fprintf(words, "; %s are", free_gpus);
    }
    if (short_from != NULL)
        fprintf(words, ", and the first hour that is short is %s", short_from);
    if (next != NULL)
        fprintf(words, "; the same request fits from %s", next);
    else if (json_is_null(json_object_get(data, "next_start")) && until != NULL)
        fprintf(words, "; it fits at no later start before %s", until);
    free(gpus);
    free(free_gpus);
}

// ---- The others

static void print_commitment(FILE *words, const json_t *data)
{
    const char *contract = text_member(data, "contract"), *start = text_member(data, "period_start");
    const json_t *most = json_object_get(data, "max_gpus");
    fputs("this needs ", words);
    print_money(words, data, "needed");
    fprintf(words, ", and contract %s has ", contract == NULL ? "?" : contract);
    print_money(words, data, "available");
    fprintf(words, " left in its period from %s", start == NULL ? "?" : start);
    char *gpus = count_member(data, "max_gpus");
    if (json_integer_value(most) > 0)
        fprintf(words, "; up to %s GPUs would fit for the same hours", gpus);
    else if (gpus != NULL)
        fputs("; no number of GPUs would fit for the same hours", words);
    free(gpus);
}

static void print_member(FILE *words, const char *message, const json_t *data)
{
    const char *member = text_member(data, "member");
    if (member != NULL && member[0] != '\0' && strstr(message, member) == NULL)
        fprintf(words, "%s: ", member);
    fputs(message, words);
}

// An operator's change has to say for whom it is.
static void print_invalid_params(FILE *words, const json_t *params, const char *message, const json_t *data)
{
    const char *member = text_member(data, "member");
    print_member(words, message, data);
    if (member != NULL && strcmp(member, "tenant") == 0 && json_object_get(params, "tenant") == NULL)
        fputs("; say --tenant", words);
}

static void print_with(FILE *words, const char *message, const json_t *data, const char *name,
                       const char *before)
{
    const char *text = text_member(data, name);
    fputs(message, words);
    if (text != NULL)
        fprintf(words, "%s%s", before, text);
}

static void print_invalid_manifest(FILE *words, const char *message, const json_t *data)
{
    const char *path = text_member(data, "path");
    if (path != NULL && path[0] != '\0' && strstr(message, path) == NULL)
        fprintf(words, "%s: ", path);
    fputs(message, words);
}

static void print_words(FILE *words, const json_t *params, int code, const char *message, const json_t *data)
{
    const json_t *retry = json_object_get(data, "retry_after_ms");
    print_leg(words, params, data);
    switch (code) {
    case COLOSSUS_CAPACITY_EXCEEDED:
        print_capacity(words, asked_of(params, data), message, data);
        break;
    case COLOSSUS_COMMITMENT_EXCEEDED:
        print_commitment(words, data);
        break;
    case COLOSSUS_INVALID_PARAMS:
        print_invalid_params(words, params, message, data);
        break;
    case COLOSSUS_NO_CONTRACT:
        print_with(words, message, data, "first_uncovered", "; the first hour that none covers is ");
        break;
    case COLOSSUS_NO_RATE:
        print_with(words, message, data, "first_unrated", "; the first hour without one is ");
        break;
    case COLOSSUS_INVALID_STATE:
        print_with(words, message, data, "state", "; its state is ");
        break;
    case COLOSSUS_INVALID_MANIFEST:
        print_invalid_manifest(words, message, data);
        break;
    case COLOSSUS_RATE_LIMITED:
        fputs(message, words);
        if (json_is_integer(retry))
            fprintf(words, " (in %lld ms)", (long long)json_integer_value(retry));
        break;
    case COLOSSUS_UNAUTHENTICATED:
        fprintf(words,
                "%s; an operator can list your uid in the manifest, or give you a token for --token-file",
                message);
        break;
    case COLOSSUS_LEDGER_UNAVAILABLE:
    case COLOSSUS_TOO_LARGE:
        fprintf(words, "%s; nothing was changed", message);
        break;
    default:
        print_member(words, message, data);
        break;
    }
}

char *refusal_in_words(const json_t *params, int code, const char *message, const json_t *data)
{
    char *text = NULL;
    size_t length = 0;
    FILE *words = open_memstream(&text, &length);
    if (words == NULL)
        return text_copy(message);
    print_words(words, params, code, message, data);
    if (fclose(words) != 0) {
        free(text);
        return text_copy(message);
    }
    return text;
}
