// The benchmark: what colossusd does through its socket with its ledger on a disk, beside what SQLite alone
// does with the same rows, and PostgreSQL with the same job, in the same run. settings.h says what can be
// set.
//
// It prints one table, and no verdict. Anything that is not as expected ends it with a sentence.
#include "cases.h"
#include "figures.h"
#include "machine.h"
#include "peer.h"
#include "stage.h"
#include <stdbool.h>
#include <stdlib.h>

// How the throughput goes with the size: beside that at the first one.
static void add_growth(const struct stage *stage, double first_peak)
{
    figures_add(&(struct figure){.name = "the peak, beside that at the first size",
                                 .live = stage->live,
                                 .unit = UNIT_NUMBER,
                                 .value = stage->peak / first_peak});
}

int main(void)
{
    static struct settings settings;
    static struct stage stage;
    static struct peer peer;
    double first_peak = 0;
    settings_read(&settings);
    bool with_peer = settings.with_peer && peer_find(&peer, &settings);
    for (size_t i = 0; i < settings.size_count; i++) {
        stage_make(&stage, &settings, with_peer ? &peer : NULL, settings.sizes[i]);
        cases_run(&stage);
        stage_remove(&stage);
        if (first_peak > 0 && stage.peak > 0)
            add_growth(&stage, first_peak);
        else
            first_peak = stage.peak;
    }
    machine_print(&settings, with_peer ? &peer : NULL);
    figures_print();
    return EXIT_SUCCESS;
}
