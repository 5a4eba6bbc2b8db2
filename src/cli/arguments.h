// What can be said on the command line: the options, what a verb is, and reading the arguments.
//
// An option is one row of a table and means the same for every verb that takes it; most are a parameter of
// the method by another spelling, and the row says which and how its text is read. Options may stand before
// or after the verb.
#ifndef COLOSSUS_CLI_ARGUMENTS_H
#define COLOSSUS_CLI_ARGUMENTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct cli;

enum option {
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_OUTPUT,
    OPTION_SOCKET,
    OPTION_TOKEN_FILE,
    OPTION_TIMEOUT,
    OPTION_TENANT,
    OPTION_REF,
    OPTION_DRY_RUN,
    OPTION_YES,
    OPTION_START,
    OPTION_END,
    OPTION_FOR,
    OPTION_HOLD,
    OPTION_WAIT_UNTIL,
    OPTION_TIER,
    OPTION_PROJECT,
    OPTION_NOTE,
    OPTION_LEG,
    OPTION_FILE,
    OPTION_GROUP,
    OPTION_GPUS,
    OPTION_FROM,
    OPTION_TO,
    OPTION_WAIVE_FEE,
    OPTION_REASON,
    OPTION_STATE,
    OPTION_POOL,
    OPTION_POOLS,
    OPTION_GPU,
    OPTION_SITES,
    OPTION_EARLIEST,
    OPTION_LATEST_END,
    OPTION_ORDER,
    OPTION_AFTER,
    OPTION_LIMIT,
    OPTION_ALL,
    OPTION_FOLLOW,
    OPTION_AT,
    OPTION_OPERATOR,
    OPTION_SQL,
};
#define OPTION_COUNT 41

#define OPTION_BIT(option) (UINT64_C(1) << OPTION_##option)

// How a text becomes a parameter.
enum value_type {
    VALUE_NONE, // it is none: the program itself heeds it
    VALUE_TEXT,
    VALUE_COUNT,   // a whole number
    VALUE_START,   // a time; one reckoned from now goes down to its hour
    VALUE_END,     // a time; one reckoned from now goes up to the next hour
    VALUE_INSTANT, // a time, not rounded
    VALUE_LENGTH,  // hours
    VALUE_SECONDS, // seconds, or a length
    VALUE_STATES,  // names with commas between them; may be given more than once
    VALUE_NAMES,   // names with commas between them
    VALUE_TRUE,    // takes no argument
};

struct option_row {
    const char *name;
    char letter;          // 0: none
    const char *argument; // NULL: takes none
    const char *member;   // the parameter's name on the wire; NULL: it is none
    enum value_type type;
    const char *help;
};

extern const struct option_row option_table[OPTION_COUNT];

// ---- Verbs

#define POSITIONALS_MOST 3

struct positional {
    const char *name;   // as help shows it: "POOL"; NULL ends the list
    const char *member; // NULL: the verb itself heeds it
    enum value_type type;
    bool is_optional;
};

struct verb {
    const char *name; // "reserve", "token create"
    const char *help; // a line
    struct positional positionals[POSITIONALS_MOST + 1];
    uint64_t options; // beside those that all verbs take
    uint64_t required;
    const char *one_of[4]; // parameters of which exactly one must be given; ended by NULL
    const char *method;    // NULL when run does all
    bool changes;          // takes client_ref and dry_run
    bool may_cost;         // may cost a fee, so it is quoted first
    bool is_repeatable;    // doing it twice does no harm, so no client_ref is made for it
    // Does it all, and returns the exit status; NULL: calls the method with what was given, and shows the
    // result.
    int (*run)(struct cli *cli);
    void (*show)(struct cli *cli, const json_t *result); // NULL: as show_object
    const char *details;                                 // more help; NULL: none
};

extern const struct verb verb_table[];
extern const size_t verb_count;

// The verb of that name, NULL if there is none.
const struct verb *verb_by_name(const char *name);

// The verb whose name is most like that, NULL if none is.
const struct verb *verb_like(const char *name);

// The options that every verb takes, and all that this one takes.
uint64_t options_of_all_verbs(void);
uint64_t verb_options(const struct verb *verb);

// ---- Arguments

#define REPEATED_MOST 64

struct arguments {
    const struct verb *verb; // NULL: none was given
    const char *
        values[OPTION_COUNT]; // the last that was given; "" for an option without argument; NULL if not given
    const char *repeated[REPEATED_MOST]; // every --leg, or every --state
    size_t repeated_count;
    const char *positionals[POSITIONALS_MOST];
    size_t positional_count;
};

#define ARGUMENTS_MESSAGE_SIZE 256

// Texts are those of argv. False with a sentence in message; arguments->verb is set if it was known by then.
bool arguments_read(int count, char *const *texts, struct arguments *arguments,
                    char message[ARGUMENTS_MESSAGE_SIZE]);

static inline bool option_given(const struct arguments *arguments, enum option option)
{
    return arguments->values[option] != NULL;
}

// ---- Help

void help_print(FILE *out);
void help_print_verb(FILE *out, const struct verb *verb);

#endif
