// schema: what the daemon speaks and what its ledger looks like, without a daemon.
#include "cli/cli.h"

#include "generated/openrpc.h"
#include "generated/sql.h"

static int print_sql(struct cli *cli)
{
    for (size_t i = 0; i < migration_count; i++)
        fprintf(cli->out, "%s\n", migrations[i]);
    fprintf(cli->out, "%s\n", views_sql);
    return STATUS_DONE;
}

int run_schema(struct cli *cli)
{
    if (option_given(&cli->arguments, OPTION_SQL))
        return print_sql(cli);
    json_t *document = json_loadb(openrpc_document, openrpc_document_length, 0, NULL);
    if (document == NULL)
        return complain(cli, STATUS_REFUSED, "the embedded document is no JSON");
    show_json(cli, document);
    json_decref(document);
    return STATUS_DONE;
}
