// Results, shown as tables. A thing is two columns, names and values, and its lists are tables below; what a
// newer daemon adds is shown too. A list shows the columns that matter, or all that its first entry has.
#include "cli/cli.h"

#include "cli/table.h"
#include "cli/text.h"
#include "cli/value.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MOST     32
#define JSON_INDENTATION 2

void show_json(struct cli *cli, const json_t *value)
{
    json_dumpf(value, cli->out, JSON_INDENT(JSON_INDENTATION) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    fputc('\n', cli->out);
}

void show_result(struct cli *cli, const json_t *result)
{
    const struct verb *verb = cli->arguments.verb;
    if (cli->is_json)
        show_json(cli, result);
    else if (verb->show != NULL)
        verb->show(cli, result);
    else
        show_object(cli, result);
}

// ---- Lists

static char *heading_of(const char *member)
{
    char *heading = text_copy(member);
    for (char *c = heading; *c != '\0'; c++)
        *c = (char)toupper((unsigned char)*c);
    return heading;
}

static void add_row(struct table *table, const json_t *row, const char *const *columns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_object_get(row, columns[i]);
        char *text = value_text(columns[i], value);
        table_cell(table, text);
        free(text);
        if (value_is_number(columns[i], value))
            table_align_right(table, i);
    }
}

void show_table(struct cli *cli, const json_t *list, const char *const *columns, size_t count)
{
    char *headings[COLUMNS_MOST];
    for (size_t i = 0; i < count; i++)
        headings[i] = heading_of(columns[i]);
    struct table *table = table_new(count, (const char *const *)headings);
    size_t index;
    const json_t *row;
    json_array_foreach(list, index, row)
    {
        add_row(table, row, columns, count);
    }
    table_print(table, cli->out, cli->out_is_bold);
    table_free(table);
    for (size_t i = 0; i < count; i++)
        free(headings[i]);
}

// A list with the columns that its first entry has.
static void show_any_list(struct cli *cli, const json_t *list)
{
    const char *columns[COLUMNS_MOST], *member;
    size_t count = 0;
    json_t *value;
    json_object_foreach(json_array_get(list, 0), member, value)
    {
        if (count < COLUMNS_MOST && !json_is_array(value))
            columns[count++] = member;
    }
    if (count > 0)
        show_table(cli, list, columns, count);
}

// An empty list is nothing on the output, so that scripts read nothing, and a word beside it.
static bool is_empty(struct cli *cli, const json_t *list, const char *what)
{
    if (json_array_size(list) > 0)
        return false;
    fprintf(cli->err, "There %s.\n", what);
    return true;
}

static void show_list(struct cli *cli, const json_t *result, const char *member, const char *what,
                      const char *const *columns, size_t count)
{
    const json_t *list = json_object_get(result, member);
    const json_t *next = json_object_get(result, "next");
    if (is_empty(cli, list, what))
        return;
    show_table(cli, list, columns, count);
    if (json_is_integer(next) && !option_given(&cli->arguments, OPTION_ALL)) {
        fflush(cli->out);
        fprintf(cli->err, "There are more: go on with --after %lld, or ask for --all.\n",
                (long long)json_integer_value(next));
    }
}

// ---- Things

static bool is_list_of_things(const json_t *value)
{
    return json_is_array(value) && json_is_object(json_array_get(value, 0));
}

static void add_member(struct table *table, const char *prefix, const char *member, const json_t *value)
{
    char *text = value_text(member, value);
    if (text != NULL) {
        char *name = text_format("%s%s%s", prefix, prefix[0] == '\0' ? "" : ".", member);
        table_cell(table, name);
        table_cell(table, text);
        free(name);
    }
    free(text);
}

static void add_members(struct table *table, const char *prefix, const json_t *object)
{
    const char *member;
    json_t *value;
    json_object_foreach((json_t *)object, member, value)
    {
        if (!is_list_of_things(value) && !json_is_object(value))
            add_member(table, prefix, member, value);
    }
}

// The only thing in a result, if it has but one: {"capacity_change":{...}}.
static const json_t *unwrapped(const json_t *object)
{
    const json_t *only = json_object_iter_value(json_object_iter((json_t *)object));
    return json_object_size(object) == 1 && json_is_object(only) ? only : object;
}

static void show_lists(struct cli *cli, const char *prefix, const json_t *object)
{
    const char *member;
    json_t *value;
    json_object_foreach((json_t *)object, member, value)
    {
        if (is_list_of_things(value)) {
            fprintf(cli->out, "\n%s%s%s:\n", prefix, prefix[0] == '\0' ? "" : ".", member);
            show_any_list(cli, value);
        }
    }
}

void show_object(struct cli *cli, const json_t *object)
{
    object = unwrapped(object);
    struct table *table = table_new(2, NULL);
    const char *member;
    json_t *value;
    add_members(table, "", object);
    json_object_foreach((json_t *)object, member, value)
    {
        if (json_is_object(value))
            add_members(table, member, value);
    }
    table_print(table, cli->out, false);
    table_free(table);
    show_lists(cli, "", object);
    json_object_foreach((json_t *)object, member, value)
    {
        if (json_is_object(value))
            show_lists(cli, member, value);
    }
}

// ---- One by one

#define SHOW_LIST(cli, result, member, what, columns)                                                        \
    show_list(cli, result, member, what, columns, sizeof(columns) / sizeof((columns)[0]))

void show_pools(struct cli *cli, const json_t *result)
{
    static const char *const columns[] = {
        "pool", "site", "gpu", "unit", "free", "capacity", "price_per_gpu_hour"};
    SHOW_LIST(cli, result, "pools", "is no pool", columns);
}

void show_calendar(struct cli *cli, const json_t *result)
{
    static const char *const columns[] = {"start", "end", "free", "free_by_power", "reserved", "capacity"};
    SHOW_LIST(cli, result, "steps", "are no hours to be shown", columns);
}

static const char *const reservation_columns[] = {"id",           "state",   "tenant",    "pool", "gpus",
                                                  "start",        "end",     "gpu_hours", "cost", "fees",
                                                  "hold_expires", "project", "group"};

void show_reservation_list(struct cli *cli, const json_t *result)
{
    SHOW_LIST(cli, result, "reservations", "is no such reservation", reservation_columns);
}

void show_reservations(struct cli *cli, const json_t *result)
{
    const json_t *legs = json_object_get(result, "reservations");
    if (legs == NULL) {
        show_object(cli, result);
        return;
    }
    struct table *table = table_new(2, NULL);
    add_members(table, "", result);
    table_print(table, cli->out, false);
    table_free(table);
    fputc('\n', cli->out);
    SHOW_LIST(cli, result, "reservations", "is no such reservation", reservation_columns);
}

void show_commitment(struct cli *cli, const json_t *result)
{
    static const char *const columns[] = {"contract",  "period_start", "period_end", "closed",
                                          "commit",    "floor",        "authority",  "used",
                                          "available", "shortfall",    "overage",    "percent"};
    const json_t *periods = json_object_get(result, "periods");
    if (json_array_size(periods) == 1)
        show_object(cli, json_array_get(periods, 0));
    else
        SHOW_LIST(cli, result, "periods", "is no such period", columns);
}

void show_statement(struct cli *cli, const json_t *result)
{
    static const char *const columns[] = {
        "id", "at", "kind", "amount", "reservation", "debit_account", "credit_account"};
    SHOW_LIST(cli, result, "transfers", "is no such transfer", columns);
}

void show_changes(struct cli *cli, const json_t *result)
{
    static const char *const columns[] = {"kind", "what", "name"};
    bool is_any = json_array_size(json_object_get(result, "changes")) > 0;
    if (is_any && json_is_true(json_object_get(result, "dry_run")))
        fputs("Not applied, this would be:\n", cli->err);
    if (json_is_true(json_object_get(result, "replayed")))
        fputs("This was applied before:\n", cli->err);
    SHOW_LIST(cli, result, "changes", "is nothing to be changed", columns);
}

void show_manifest(struct cli *cli, const json_t *result)
{
    show_json(cli, json_object_get(result, "manifest"));
}

void show_ping(struct cli *cli, const json_t *result)
{
    char *now = value_text("now", json_object_get(result, "now"));
    fprintf(cli->out, "%s\n", now == NULL ? "" : now);
    free(now);
}

// ---- Events

#define EVENT_WIDTH_TYPE   22
#define EVENT_WIDTH_TENANT 12

// One line, at once: what follows is not known yet, so the columns are as wide as they mostly need to be.
void show_event_line(struct cli *cli, const json_t *event)
{
    static const char *const members[] = {"seq", "at", "type", "tenant", "reservation"};
    static const int widths[] = {6, 20, EVENT_WIDTH_TYPE, EVENT_WIDTH_TENANT, 6};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        char *text = value_text(members[i], json_object_get(event, members[i]));
        char *clean = text_clean(text == NULL ? "-" : text);
        size_t width = text_width(clean);
        int padding = width < (size_t)widths[i] ? widths[i] - (int)width : 0;
        fprintf(cli->out, "%s%*s  ", clean, padding, "");
        free(clean);
        free(text);
    }
    char *about = value_of_event(event), *clean = text_clean(about == NULL ? "" : about);
    fprintf(cli->out, "%s\n", clean);
    free(clean);
    free(about);
}

void show_events(struct cli *cli, const json_t *result)
{
    static const char *const columns[] = {"seq", "at", "type", "tenant", "reservation", "actor", "about"};
    size_t index;
    json_t *event;
    json_array_foreach(json_object_get(result, "events"), index, event)
    {
        char *about = value_of_event(event);
        if (about != NULL)
            json_object_set_new(event, "about", json_string(about));
        free(about);
    }
    SHOW_LIST(cli, result, "events", "is no such event", columns);
}
