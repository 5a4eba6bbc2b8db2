// The migrations that the simulator's ledger knows: those of the release, and one more that makes a table,
// fills it from another and adds an index, so that a migration of a ledger with rows in it can be cut too.
//
// Takes the place of the list in generated/sql.c, which the simulator is linked with under other names.
#include "world.h"

extern const char *const shipped_migrations[];
extern const size_t shipped_migration_count;

#define VERSIONS_MAX 64

const char *migrations[VERSIONS_MAX];
size_t migration_count;

static const char next[] = "CREATE TABLE simulated (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;"
                           "INSERT INTO simulated SELECT seq, data FROM event;"
                           "CREATE INDEX simulated_type ON event (type);"
                           "INSERT INTO simulated SELECT seq + 1000000, hex(hash) FROM batch;";

void world_set_version(int version)
{
    migration_count = 0;
    for (size_t i = 0; i < shipped_migration_count; i++)
        migrations[migration_count++] = shipped_migrations[i];
    if (version > 1)
        migrations[migration_count++] = next;
}
