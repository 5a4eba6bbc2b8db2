// Aligned columns.
//
//     table_new      with the headings
//     table_cell     cell after cell, row after row
//     table_print
//     table_free
//
// The widths are known only when all cells are, so a table is printed as a whole. A column in which no cell
// has anything is left out.
#ifndef COLOSSUS_CLI_TABLE_H
#define COLOSSUS_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct table;

// With headings == NULL the table has none.
struct table *table_new(size_t columns, const char *const *headings);

// A column of numbers is aligned at its right.
void table_align_right(struct table *table, size_t column);

// Copies the text, made safe to print. NULL for a cell that has nothing; it is shown as "-".
void table_cell(struct table *table, const char *text);

void table_print(const struct table *table, FILE *out, bool is_bold);
void table_free(struct table *table);

#endif
