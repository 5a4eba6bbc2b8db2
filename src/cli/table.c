#include "cli/table.h"

#include "cli/text.h"
#include <stdlib.h>
#include <string.h>

struct column {
    char *heading; // NULL: none
    size_t width;
    bool is_right, is_used;
};

struct table {
    struct column *columns;
    size_t column_count;
    bool has_headings;
    char **cells;
    size_t cell_count, cell_capacity;
};

struct table *table_new(size_t columns, const char *const *headings)
{
    struct table *table = allocate(1, sizeof *table);
    table->columns = allocate(columns, sizeof *table->columns);
    table->column_count = columns;
    table->has_headings = headings != NULL;
    for (size_t i = 0; headings != NULL && i < columns; i++) {
        table->columns[i].heading = text_clean(headings[i]);
        table->columns[i].width = text_width(table->columns[i].heading);
    }
    return table;
}

void table_align_right(struct table *table, size_t column)
{
    table->columns[column].is_right = true;
}

static void make_room(struct table *table)
{
    if (table->cell_count < table->cell_capacity)
        return;
    size_t capacity = table->cell_capacity * 2 + 64;
    char **cells = allocate(capacity, sizeof *cells);
    if (table->cell_count > 0)
        memcpy(cells, table->cells, table->cell_count * sizeof *cells);
    free(table->cells);
    table->cells = cells;
    table->cell_capacity = capacity;
}

void table_cell(struct table *table, const char *text)
{
    make_room(table);
    struct column *column = &table->columns[table->cell_count % table->column_count];
    char *cell = text_clean(text == NULL ? "-" : text);
    size_t width = text_width(cell);
    column->width = width > column->width ? width : column->width;
    column->is_used = column->is_used || text != NULL;
    table->cells[table->cell_count++] = cell;
}

static bool is_last_used(const struct table *table, size_t column)
{
    for (size_t i = column + 1; i < table->column_count; i++)
        if (table->columns[i].is_used)
            return false;
    return true;
}

// Nothing follows the last cell of a line.
static void print_cell(const struct table *table, size_t at, const char *text, FILE *out)
{
    const struct column *column = &table->columns[at];
    bool is_last = is_last_used(table, at);
    size_t padding = column->width - text_width(text);
    if (column->is_right)
        fprintf(out, "%*s%s", (int)padding, "", text);
    else
        fprintf(out, "%s%*s", text, is_last ? 0 : (int)padding, "");
    fputs(is_last ? "" : "  ", out);
}

static void print_headings(const struct table *table, FILE *out, bool is_bold)
{
    if (is_bold)
        fputs("\033[1m", out);
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].is_used)
            print_cell(table, i, table->columns[i].heading, out);
    fputs(is_bold ? "\033[0m\n" : "\n", out);
}

void table_print(const struct table *table, FILE *out, bool is_bold)
{
    if (table->cell_count == 0)
        return;
    if (table->has_headings)
        print_headings(table, out, is_bold);
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t column = i % table->column_count;
        if (table->columns[column].is_used)
            print_cell(table, column, table->cells[i], out);
        if (column + 1 == table->column_count)
            fputc('\n', out);
    }
}

void table_free(struct table *table)
{
    for (size_t i = 0; i < table->cell_count; i++)
        free(table->cells[i]);
    for (size_t i = 0; i < table->column_count; i++)
        free(table->columns[i].heading);
    free(table->cells);
    free(table->columns);
    free(table);
}
