#include "cli/arguments.h"

#include "cli/text.h"
#include <stdlib.h>
#include <string.h>

const struct option_row option_table[OPTION_COUNT] = {
    [OPTION_HELP] = {"help", 'h', NULL, NULL, VALUE_NONE, "print help, on the verb if there is one"},
    [OPTION_VERSION] = {"version", 'V', NULL, NULL, VALUE_NONE, "print the version"},
    [OPTION_OUTPUT] = {"output", 'o', "FORMAT", NULL, VALUE_NONE, "table (default) or json"},
    [OPTION_SOCKET] = {"socket", 0, "PATH", NULL, VALUE_NONE, "the daemon's socket"},
    [OPTION_TOKEN_FILE] = {"token-file", 0, "FILE", NULL, VALUE_NONE,
                           "log in with the token in this file (or in $COLOSSUS_TOKEN)"},
    [OPTION_TIMEOUT] = {"timeout", 0, "SECONDS", NULL, VALUE_NONE,
                        "how long to wait for an answer; default 30"},
    [OPTION_TENANT] = {"tenant", 't', "TENANT", "tenant", VALUE_TEXT, "for operators: act for this tenant"},
    [OPTION_REF] = {"ref", 'r', "REF", "client_ref", VALUE_TEXT,
                    "the client_ref: the same request with the same one is carried out once"},
    [OPTION_DRY_RUN] = {"dry-run", 'n', NULL, "dry_run", VALUE_TRUE, "decide and show, but change nothing"},
    [OPTION_YES] = {"yes", 'y', NULL, NULL, VALUE_NONE, "don't ask, even if there is a fee"},
    [OPTION_START] = {"start", 's', "TIME", "start", VALUE_START, "the first hour"},
    [OPTION_END] = {"end", 'e', "TIME", "end", VALUE_END, "the hour after the last"},
    [OPTION_FOR] = {"for", 0, "LENGTH", "hours", VALUE_LENGTH, "how long: 36h, 14d, 2w"},
    [OPTION_HOLD] = {"hold", 0, "SECONDS", "hold_seconds", VALUE_SECONDS,
                     "only hold it this long (seconds, or 2h, 1d), to be confirmed"},
    [OPTION_WAIT_UNTIL] = {"wait-until", 0, "TIME", "wait_until", VALUE_INSTANT,
                           "when it doesn't fit, wait for room until then"},
    [OPTION_TIER] = {"tier", 0, "TIER", "tier", VALUE_TEXT, "firm (default) or preemptible"},
    [OPTION_PROJECT] = {"project", 'p', "TEXT", "project", VALUE_TEXT, "the project it belongs to"},
    [OPTION_NOTE] = {"note", 0, "TEXT", "note", VALUE_TEXT, "a note"},
    [OPTION_LEG] = {"leg", 'l', "POOL:GPUS:START:END|LENGTH", NULL, VALUE_NONE,
                    "a leg of the group; 2 to 64 of them"},
    [OPTION_FILE] = {"file", 'f', "FILE", NULL, VALUE_NONE,
                     "read the legs from this file: a JSON array, as in reservation.create_group"},
    [OPTION_GROUP] = {"group", 'g', "GROUP", "group", VALUE_COUNT, "the whole group of that number"},
    [OPTION_GPUS] = {"gpus", 0, "GPUS", "gpus", VALUE_COUNT, "how many GPUs"},
    [OPTION_FROM] = {"from", 0, "TIME", "from", VALUE_START, "from this time on"},
    [OPTION_TO] = {"to", 0, "TIME", "to", VALUE_END, "before this time"},
    [OPTION_WAIVE_FEE] = {"waive-fee", 0, NULL, "waive_fee", VALUE_TRUE,
                          "for operators: ask no fee (needs --reason)"},
    [OPTION_REASON] = {"reason", 0, "TEXT", "reason", VALUE_TEXT, "why"},
    [OPTION_STATE] = {"state", 0, "STATE[,STATE]", "state", VALUE_STATES,
                      "waiting, held, booked, active, completed, cancelled, expired"},
    [OPTION_POOL] = {"pool", 0, "POOL", "pool", VALUE_TEXT, "only this pool"},
    [OPTION_POOLS] = {"pools", 0, "POOL[,POOL]", "pools", VALUE_NAMES, "only in these pools"},
    [OPTION_GPU] = {"gpu", 0, "MODEL", "gpu", VALUE_TEXT, "only this model of GPU"},
    [OPTION_SITES] = {"sites", 0, "SITE[,SITE]", "sites", VALUE_NAMES, "only at these sites"},
    [OPTION_EARLIEST] = {"earliest", 0, "TIME", "earliest", VALUE_START, "not before this hour"},
    [OPTION_LATEST_END] = {"latest-end", 0, "TIME", "latest_end", VALUE_END, "ending by this hour"},
    [OPTION_ORDER] = {"order", 0, "ORDER", "order", VALUE_TEXT, "earliest (default) or cheapest"},
    [OPTION_AFTER] = {"after", 0, "NUMBER", "after", VALUE_COUNT, "only what comes after this number"},
    [OPTION_LIMIT] = {"limit", 0, "NUMBER", "limit", VALUE_COUNT, "at most so many"},
    [OPTION_ALL] = {"all", 'a', NULL, NULL, VALUE_NONE, "all there are, however many"},
    [OPTION_FOLLOW] = {"follow", 'F', NULL, NULL, VALUE_NONE, "go on with new events as they happen"},
    [OPTION_AT] = {"at", 0, "TIME", "at", VALUE_INSTANT, "only the periods that this time lies in"},
    [OPTION_OPERATOR] = {"operator", 0, NULL, "operator", VALUE_TRUE, "for operators, not for a tenant"},
    [OPTION_SQL] = {"sql", 0, NULL, NULL, VALUE_NONE, "the ledger's SQL instead"},
};

uint64_t options_of_all_verbs(void)
{
    return OPTION_BIT(HELP) | OPTION_BIT(VERSION) | OPTION_BIT(OUTPUT) | OPTION_BIT(SOCKET) |
           OPTION_BIT(TOKEN_FILE) | OPTION_BIT(TIMEOUT);
}

uint64_t verb_options(const struct verb *verb)
{
    return options_of_all_verbs() | verb->options;
}

// ---- Verbs

const struct verb *verb_by_name(const char *name)
{
    for (size_t i = 0; i < verb_count; i++)
        if (strcmp(verb_table[i].name, name) == 0)
            return &verb_table[i];
    return NULL;
}

const struct verb *verb_like(const char *name)
{
    const struct verb *nearest = NULL;
    size_t least = strlen(name) / 3 > 2 ? strlen(name) / 3 + 1 : 3;
    for (size_t i = 0; i < verb_count; i++) {
        size_t distance = text_distance(name, verb_table[i].name);
        if (distance < least) {
            least = distance;
            nearest = &verb_table[i];
        }
    }
    return nearest;
}

// A verb of two words: whether the word begins one.
static bool begins_verb(const char *word)
{
    size_t length = strlen(word);
    for (size_t i = 0; i < verb_count; i++)
        if (strncmp(verb_table[i].name, word, length) == 0 && verb_table[i].name[length] == ' ')
            return true;
    return false;
}

// ---- Reading

struct reading {
    int count, place;
    char *const *texts;
    const char *first_word; // of a verb of two
    bool only_positionals;  // after "--"
    struct arguments *arguments;
    char *message;
};

static bool complain(struct reading *reading, const char *before, const char *word, const char *after)
{
    char *clean = text_clean(word);
    snprintf(reading->message, ARGUMENTS_MESSAGE_SIZE, "%s%.100s%s", before, clean, after);
    free(clean);
    return false;
}

static bool take_verb(struct reading *reading, const char *word)
{
    char name[64];
    snprintf(name, sizeof name, "%s%s%s", reading->first_word == NULL ? "" : reading->first_word,
             reading->first_word == NULL ? "" : " ", word);
    if (reading->first_word == NULL && begins_verb(word)) {
        reading->first_word = word;
        return true;
    }
    reading->arguments->verb = verb_by_name(name);
    if (reading->arguments->verb != NULL)
        return true;
    const struct verb *like = verb_like(name);
    complain(reading, "there is no verb \"", name, "\"");
    size_t length = strlen(reading->message);
    if (like != NULL)
        snprintf(reading->message + length, ARGUMENTS_MESSAGE_SIZE - length, "; did you mean \"%s\"?",
                 like->name);
    return false;
}

static bool take_positional(struct reading *reading, const char *word)
{
    struct arguments *arguments = reading->arguments;
    if (arguments->verb == NULL)
        return take_verb(reading, word);
    size_t most = 0;
    while (arguments->verb->positionals[most].name != NULL)
        most++;
    if (arguments->positional_count == most)
        return complain(reading, "there is an argument too many: \"", word, "\"");
    arguments->positionals[arguments->positional_count++] = word;
    return true;
}

static bool take_option(struct reading *reading, enum option option, const char *value, const char *word)
{
    struct arguments *arguments = reading->arguments;
    if (option_table[option].argument == NULL) {
        if (value != NULL)
            return complain(reading, "the option ", word, " takes no value");
        value = "";
    } else if (value == NULL) {
        if (reading->place == reading->count)
            return complain(reading, "the option ", word, " needs a value");
        value = reading->texts[reading->place++];
    }
    arguments->values[option] = value;
    if (option == OPTION_LEG || option == OPTION_STATE) {
        if (arguments->repeated_count == REPEATED_MOST)
            return complain(reading, "the option ", word, " is given too often");
        arguments->repeated[arguments->repeated_count++] = value;
    }
    return true;
}

static bool take_long(struct reading *reading, const char *word)
{
    size_t length = strcspn(word + 2, "=");
    const char *value = word[2 + length] == '=' ? word + 2 + length + 1 : NULL;
    for (enum option option = 0; option < OPTION_COUNT; option++) {
        const char *name = option_table[option].name;
        if (strlen(name) == length && strncmp(name, word + 2, length) == 0)
            return take_option(reading, option, value, word);
    }
    return complain(reading, "there is no option ", word, "");
}

// "-n", "-ojson"; letters are not joined.
static bool take_short(struct reading *reading, const char *word)
{
    for (enum option option = 0; option < OPTION_COUNT; option++)
        if (option_table[option].letter == word[1])
            return take_option(reading, option, word[2] == '\0' ? NULL : word + 2, word);
    return complain(reading, "there is no option ", word, "");
}

static bool take_word(struct reading *reading, const char *word)
{
    if (reading->only_positionals || word[0] != '-' || word[1] == '\0')
        return take_positional(reading, word);
    if (strcmp(word, "--") == 0) {
        reading->only_positionals = true;
        return true;
    }
    return word[1] == '-' ? take_long(reading, word) : take_short(reading, word);
}

static bool options_fit(struct reading *reading)
{
    const struct arguments *arguments = reading->arguments;
    uint64_t takes = verb_options(arguments->verb);
    for (enum option option = 0; option < OPTION_COUNT; option++) {
        uint64_t bit = UINT64_C(1) << option;
        const char *name = option_table[option].name;
        if (option_given(arguments, option) && (takes & bit) == 0)
            return complain(reading, "the option --", name, " is not for this verb");
        if (!option_given(arguments, option) && (arguments->verb->required & bit) != 0)
            return complain(reading, "the option --", name, " is missing");
    }
    return true;
}

static bool positionals_fit(struct reading *reading)
{
    const struct positional *missing =
        &reading->arguments->verb->positionals[reading->arguments->positional_count];
    if (missing->name != NULL && !missing->is_optional)
        return complain(reading, "", missing->name, " is missing");
    return true;
}

static bool is_only_asking(const struct arguments *arguments)
{
    return option_given(arguments, OPTION_HELP) || option_given(arguments, OPTION_VERSION);
}

bool arguments_read(int count, char *const *texts, struct arguments *arguments,
                    char message[ARGUMENTS_MESSAGE_SIZE])
{
    *arguments = (struct arguments){0};
    struct reading reading = {
        .count = count, .place = 1, .texts = texts, .arguments = arguments, .message = message};
    while (reading.place < count)
        if (!take_word(&reading, texts[reading.place++]))
            return false;
    if (is_only_asking(arguments))
        return true;
    if (arguments->verb == NULL && reading.first_word != NULL)
        return complain(&reading, "the verb \"", reading.first_word, "\" needs a second word");
    if (arguments->verb == NULL)
        return complain(&reading, "", "a verb is missing", "");
    return options_fit(&reading) && positionals_fit(&reading);
}
