// The questions of docs/ledger.md: each one's SQL runs on a ledger with something of everything.
#include "workshop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The tests run in the project's folder.
#define COOKBOOK "docs/ledger.md"

static char *read_cookbook(void)
{
    FILE *file = fopen(COOKBOOK, "rb");
    if (file == NULL)
        fail_msg("can't open " COOKBOOK ": run the tests in the project's folder");
    char *text = calloc(1, 1 << 20);
    size_t length = fread(text, 1, (1 << 20) - 1, file);
    assert_true(length > 0 && length < (1 << 20) - 1);
    fclose(file);
    return text;
}

static void each_question_is_answered(void **state)
{
    (void)state;
    static struct workshop workshop;
    workshop_begin(&workshop);
    workshop_live(&workshop);
    char *text = read_cookbook();
    int questions = 0, headings = 0;
    for (const char *at = strstr(text, "\n### "); at != NULL; at = strstr(at + 1, "\n### "))
        headings += strtol(at + 5, NULL, 10) > 0;
    for (char *at = strstr(text, "\n```sql\n"); at != NULL; at = strstr(at, "\n```sql\n")) {
        char *sql = at + strlen("\n```sql\n"), *end = strstr(sql, "\n```");
        assert_non_null(end);
        *end = '\0';
        workshop_query(&workshop, workshop.path, sql); // fails the test when it can't be answered
        questions++;
        at = end + 1;
    }
    assert_int_equal(headings, 25);
    assert_int_equal(questions, headings);
    free(text);
    workshop_end(&workshop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_question_is_answered)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
