// Comparing the book with the model, and a book with itself.
#ifndef COLOSSUS_TESTS_SIM_COMPARE_H
#define COLOSSUS_TESTS_SIM_COMPARE_H

#include "model.h"

// A decision with the answer it should have.
void compare_decision(const struct model *model, const struct request *request, const struct answer *answer,
                      const struct decision *decision);

// Everything the book can be asked: free GPUs and capacity of every hour, prices, periods, reservations.
void compare_book(const struct model *model, const struct book *book);

// The same as text. Two books that give the same text answer alike.
void dump_book(const struct model *model, const struct book *book, struct buffer *text);

// Fails with the first line in which two texts differ.
void compare_texts(const struct model *model, const char *what, const struct buffer *a,
                   const struct buffer *b);

#endif
