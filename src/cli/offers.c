// Offers and plans, shown as tables: a row is a booking that could be made.
#include "cli/cli.h"

#include "cli/text.h"
#include <stdlib.h>
#include <string.h>

// What a near miss lacks: "2 hours too short", "96 GPUs too few", "ends 8 hours late".
static char *lacks_in_words(const json_t *lacks)
{
    static const struct {
        const char *member, *before, *unit, *after;
    } kinds[] = {
        {"hours", "", "hour", " too short"},
        {"gpus", "", "GPU", " too few"},
        {"hours_after", "ends ", "hour", " late"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const json_t *number = json_object_get(lacks, kinds[i].member);
        if (!json_is_integer(number))
            continue;
        char *count = text_of_count(json_integer_value(number));
        char *words = text_format("%s%s %s%s%s", kinds[i].before, count, kinds[i].unit,
                                  json_integer_value(number) == 1 ? "" : "s", kinds[i].after);
        free(count);
        return words;
    }
    return NULL;
}

// What is left missing of the first period's floor: of the one that a plan is for.
static json_t *shortfall_after(const json_t *commitment)
{
    const json_t *period = json_array_get(json_object_get(commitment, "periods"), 0);
    return json_object_get(period, "shortfall_after");
}

// An offer's members side by side, as a row.
static json_t *row_of(const json_t *offer)
{
    json_t *row = json_object();
    const json_t *commitment = json_object_get(offer, "commitment");
    json_object_update(row, json_object_get(offer, "request"));
    json_object_set(row, "cost", json_object_get(offer, "cost"));
    json_object_set(row, "available_after", json_object_get(commitment, "available_after"));
    json_object_set(row, "shortfall_after", shortfall_after(commitment));
    char *lacks = lacks_in_words(json_object_get(offer, "lacks"));
    if (lacks != NULL)
        json_object_set_new(row, "lacks", json_string(lacks));
    free(lacks);
    return row;
}

static void show_rows(struct cli *cli, const json_t *offers, const char *const *columns, size_t count)
{
    json_t *rows = json_array();
    const json_t *offer;
    size_t index;
    json_array_foreach(offers, index, offer)
    {
        json_array_append_new(rows, row_of(offer));
    }
    show_table(cli, rows, columns, count);
    json_decref(rows);
}

#define SHOW_ROWS(cli, offers, columns)                                                                      \
    show_rows(cli, offers, columns, sizeof(columns) / sizeof((columns)[0]))

void show_offers(struct cli *cli, const json_t *result)
{
    static const char *const columns[] = {"pool", "gpus", "start", "end", "tier", "cost", "available_after"};
    static const char *const near_columns[] = {"pool", "gpus", "start", "end", "tier", "cost", "lacks"};
    const json_t *offers = json_object_get(result, "offers"), *near = json_object_get(result, "near_misses");
    const char *until = json_string_value(json_object_get(result, "searched_until"));
    if (json_array_size(offers) > 0)
        SHOW_ROWS(cli, offers, columns);
    else
        fprintf(cli->err,
                json_array_size(near) > 0 ? "Nothing fits. This comes nearest:\n" : "Nothing fits.\n");
    if (json_array_size(near) > 0)
        SHOW_ROWS(cli, near, near_columns);
    if (until != NULL) {
        fflush(cli->out);
        fprintf(cli->err, "There was too much to search: not all starts from %s on were looked at.\n", until);
    }
}

void show_plan(struct cli *cli, const json_t *result)
{
    static const char *const columns[] = {"pool", "gpus", "start", "end", "cost", "shortfall_after"};
    const json_t *offers = json_object_get(result, "offers");
    json_t *head = json_copy((json_t *)result);
    json_object_del(head, "offers");
    show_object(cli, head);
    json_decref(head);
    if (json_array_size(offers) == 0)
        return;
    fputc('\n', cli->out);
    SHOW_ROWS(cli, offers, columns);
}
