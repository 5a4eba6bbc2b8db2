// The benchmark: what colossusd does through its socket with its ledger on a disk, beside what SQLite alone
// does with the same rows, and PostgreSQL with the same job, in the same run. settings.h says what can be
// set.
//
// It prints one table, and no verdict. Anything that is not as expected ends it with a sentence.
#include "cases.h"
#include "figures.h"
#include "stage.h"
#include <stdlib.h>

int main(void)
{
    static struct settings settings;
    static struct stage stage;
    settings_read(&settings);
    for (size_t i = 0; i < settings.size_count; i++) {
        stage_make(&stage, &settings, settings.sizes[i]);
        cases_run(&stage);
        stage_remove(&stage);
    }
    figures_print();
    return EXIT_SUCCESS;
}
