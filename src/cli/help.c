// Help, from the tables alone.
#include "cli/arguments.h"
#include <string.h>

static void print_option(FILE *out, enum option option)
{
    const struct option_row *row = &option_table[option];
    char spelling[80];
    snprintf(spelling, sizeof spelling, "%c%c%s --%s%s%s", row->letter == 0 ? ' ' : '-',
             row->letter == 0 ? ' ' : row->letter, row->letter == 0 ? " " : ",", row->name,
             row->argument == NULL ? "" : " ", row->argument == NULL ? "" : row->argument);
    if (strlen(spelling) > 26)
        fprintf(out, "  %s\n  %-26s  %s\n", spelling, "", row->help);
    else
        fprintf(out, "  %-26s  %s\n", spelling, row->help);
}

static void print_options(FILE *out, const char *heading, uint64_t options)
{
    if (options == 0)
        return;
    fprintf(out, "\n%s:\n", heading);
    for (enum option option = 0; option < OPTION_COUNT; option++)
        if ((options & (UINT64_C(1) << option)) != 0)
            print_option(out, option);
}

static void print_positionals(FILE *out, const struct verb *verb)
{
    for (const struct positional *positional = verb->positionals; positional->name != NULL; positional++)
        fprintf(out, positional->is_optional ? " [%s]" : " %s", positional->name);
}

void help_print(FILE *out)
{
    fputs("Usage: colossus VERB [arguments] [options]\n"
          "Books GPU capacity at colossusd, and shows what is booked and owed.\n"
          "\nVerbs:\n",
          out);
    for (size_t i = 0; i < verb_count; i++)
        fprintf(out, "  %-14s  %s\n", verb_table[i].name, verb_table[i].help);
    print_options(out, "Options of all verbs", options_of_all_verbs());
    fputs("\nTimes are RFC 3339 (2026-12-01T00:00:00Z), 2026-12-01, now, +3d; lengths are 36h, 14d, 2w.\n"
          "colossus VERB --help says more on a verb.\n"
          "\nExit status: 0 done, 1 refused, 2 usage, 3 no answer from the daemon, 4 not allowed,\n"
          "5 no capacity, 6 over the commitment.\n",
          out);
}

void help_print_verb(FILE *out, const struct verb *verb)
{
    fprintf(out, "Usage: colossus %s", verb->name);
    print_positionals(out, verb);
    fprintf(out, " [options]\n%s.\n", verb->help);
    if (verb->details != NULL)
        fprintf(out, "\n%s\n", verb->details);
    print_options(out, "Options", verb->options);
    print_options(out, "Options of all verbs", options_of_all_verbs());
}
