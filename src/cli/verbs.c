// The verbs: one row each.
#include "cli/cli.h"

// What every verb takes that changes something, and what every verb takes that an operator can do for a
// tenant.
#define CHANGE (OPTION_BIT(REF) | OPTION_BIT(DRY_RUN))
#define TENANT OPTION_BIT(TENANT)
#define PAGES  (OPTION_BIT(AFTER) | OPTION_BIT(LIMIT) | OPTION_BIT(ALL))

#define POOL_ARGUMENT                                                                                        \
    {                                                                                                        \
        "POOL", "pool", VALUE_TEXT, false                                                                    \
    }
#define GPUS_ARGUMENT                                                                                        \
    {                                                                                                        \
        "GPUS", "gpus", VALUE_COUNT, false                                                                   \
    }
#define ID_ARGUMENT(is_optional)                                                                             \
    {                                                                                                        \
        "ID", "id", VALUE_COUNT, is_optional                                                                 \
    }

const struct verb verb_table[] = {
    {.name = "pools",
     .help = "List the pools, with what is free this hour and its price",
     .options = TENANT,
     .method = "pool.list",
     .show = show_pools},
    {.name = "calendar",
     .help = "Show how many GPUs of a pool are free, and when",
     .positionals = {POOL_ARGUMENT},
     .options = TENANT | OPTION_BIT(START) | OPTION_BIT(END) | OPTION_BIT(FOR),
     .method = "pool.calendar",
     .run = run_calendar,
     .show = show_calendar,
     .details = "Without --start it begins with the running hour, without --end it goes on for 30 days."},
    {.name = "offers",
     .help = "Find the earliest or the cheapest windows in which GPUs can be booked",
     .positionals = {GPUS_ARGUMENT},
     .options = TENANT | OPTION_BIT(FOR) | OPTION_BIT(POOLS) | OPTION_BIT(GPU) | OPTION_BIT(SITES) |
                OPTION_BIT(EARLIEST) | OPTION_BIT(LATEST_END) | OPTION_BIT(TIER) | OPTION_BIT(ORDER) |
                OPTION_BIT(LIMIT),
     .required = OPTION_BIT(FOR),
     .method = "offer.search",
     .show = show_offers,
     .details = "GPUS is rounded up to a pool's unit. Each row can be booked as it is shown. When nothing "
                "fits, the\nlongest window, the most GPUs and the next start are shown in its place. At most "
                "10 offers are\nshown, with --limit up to 50."},
    {.name = "reserve",
     .help = "Book GPUs",
     .positionals = {POOL_ARGUMENT, GPUS_ARGUMENT},
     .options = TENANT | CHANGE | OPTION_BIT(START) | OPTION_BIT(END) | OPTION_BIT(FOR) | OPTION_BIT(HOLD) |
                OPTION_BIT(WAIT_UNTIL) | OPTION_BIT(TIER) | OPTION_BIT(PROJECT) | OPTION_BIT(NOTE),
     .required = OPTION_BIT(START),
     .one_of = {"end", "hours"},
     .method = "reservation.create",
     .changes = true,
     .show = show_reservations,
     .details =
         "With --dry-run this is a quote. With --hold it is kept for you until you confirm it or the time "
         "is\n"
         "over. Without --ref a client_ref is made and printed; to learn what became of a booking whose\n"
         "answer was lost, give the same command again with --ref and that."},
    {.name = "reserve-group",
     .help = "Book several at once, all or none",
     .options = TENANT | CHANGE | OPTION_BIT(LEG) | OPTION_BIT(FILE) | OPTION_BIT(HOLD),
     .method = "reservation.create_group",
     .changes = true,
     .run = run_reserve_group,
     .show = show_reservations},
    {.name = "confirm",
     .help = "Make a booking of what is held",
     .positionals = {ID_ARGUMENT(true)},
     .options = TENANT | CHANGE | OPTION_BIT(GROUP),
     .one_of = {"id", "group"},
     .method = "reservation.confirm",
     .changes = true,
     .show = show_reservations},
    {.name = "change",
     .help = "Extend, shrink, grow or move a reservation",
     .positionals = {ID_ARGUMENT(false)},
     .options = TENANT | CHANGE | OPTION_BIT(FROM) | OPTION_BIT(GPUS) | OPTION_BIT(START) | OPTION_BIT(END) |
                OPTION_BIT(YES),
     .method = "reservation.change",
     .changes = true,
     .may_cost = true,
     .show = show_reservations,
     .details =
         "--gpus with --from changes the number from an hour on. What is given back late may cost a fee: it\n"
         "is shown first, and asked for."},
    {.name = "cancel",
     .help = "Cancel a reservation or a group",
     .positionals = {ID_ARGUMENT(true)},
     .options =
         TENANT | CHANGE | OPTION_BIT(GROUP) | OPTION_BIT(YES) | OPTION_BIT(WAIVE_FEE) | OPTION_BIT(REASON),
     .one_of = {"id", "group"},
     .method = "reservation.cancel",
     .changes = true,
     .may_cost = true,
     .show = show_reservations,
     .details =
         "A late cancel may cost a fee: it is shown first, and asked for. --dry-run shows it and no more."},
    {.name = "show",
     .help = "Show a reservation or a group",
     .positionals = {ID_ARGUMENT(true)},
     .options = TENANT | OPTION_BIT(REF) | OPTION_BIT(GROUP),
     .one_of = {"id", "client_ref", "group"},
     .method = "reservation.get",
     .show = show_reservations},
    {.name = "list",
     .help = "List reservations",
     .options = TENANT | PAGES | OPTION_BIT(STATE) | OPTION_BIT(POOL) | OPTION_BIT(PROJECT) |
                OPTION_BIT(FROM) | OPTION_BIT(TO),
     .method = "reservation.list",
     .run = run_list,
     .show = show_reservation_list,
     .details = "--from and --to choose those whose window overlaps these times."},
    {.name = "commitment",
     .help = "Show what contracts commit to, what is used and what is left",
     .positionals = {{"CONTRACT", "contract", VALUE_TEXT, true}},
     .options = TENANT | OPTION_BIT(AT),
     .method = "commitment.status",
     .show = show_commitment,
     .details = "One period is shown with every amount. --at now chooses the running ones."},
    {.name = "plan",
     .help = "Show what would use up a commitment's shortfall, and until when it can be",
     .positionals = {{"CONTRACT", "contract", VALUE_TEXT, true}},
     .options = TENANT | OPTION_BIT(POOLS),
     .method = "commitment.plan",
     .show = show_plan,
     .details = "For the running period: a booking in each pool from now to the period's end that uses the "
                "shortfall\nup, or as much of it as it can."},
    {.name = "statement",
     .help = "List the transfers of money",
     .options = TENANT | PAGES | OPTION_BIT(FROM) | OPTION_BIT(TO),
     .method = "statement.list",
     .run = run_list,
     .show = show_statement},
    {.name = "events",
     .help = "List what happened, and follow what happens",
     .options = TENANT | PAGES | OPTION_BIT(FOLLOW),
     .method = "event.list",
     .run = run_events,
     .show = show_events,
     .details = "--follow shows each new event as it happens, with --after those after that one first (0: "
                "all). A lost\n"
                "connection is made again, and they go on where they were; Ctrl-C ends it. With -o json each "
                "is a line."},
    {.name = "apply",
     .help = "Apply a manifest",
     .positionals = {{"FILE", NULL, VALUE_NONE, false}},
     .options = CHANGE,
     .method = "manifest.apply",
     .changes = true,
     .run = run_apply,
     .show = show_changes,
     .details = "The file - is the standard input."},
    {.name = "export",
     .help = "Print the manifest that would recreate inventory, tenants and contracts",
     .method = "manifest.export",
     .run = run_export},
    {.name = "capacity",
     .help = "Change the capacity of a pool from an hour on",
     .positionals = {POOL_ARGUMENT, {"KIND", "kind", VALUE_TEXT, false}, GPUS_ARGUMENT},
     .options = CHANGE | OPTION_BIT(START) | OPTION_BIT(END) | OPTION_BIT(NOTE),
     .required = OPTION_BIT(START),
     .method = "capacity.change",
     .changes = true,
     .details = "KIND is initial, growth, delay, maintenance, outage or retirement, and gives the sign; GPUS "
                "is how\n"
                "many, above zero. An outage without --end is open: it cuts the next 24 hours, and hour by "
                "hour\n"
                "more, until the same command closes it with an --end."},
    {.name = "suspend",
     .help = "Keep a tenant from booking",
     .positionals = {{"TENANT", "tenant", VALUE_TEXT, false}},
     .options = CHANGE | OPTION_BIT(REASON),
     .method = "tenant.suspend",
     .changes = true},
    {.name = "resume",
     .help = "Let a suspended tenant book again",
     .positionals = {{"TENANT", "tenant", VALUE_TEXT, false}},
     .options = CHANGE | OPTION_BIT(REASON),
     .method = "tenant.resume",
     .changes = true},
    {.name = "token create",
     .help = "Make a token for a tenant or for operators",
     .positionals = {{"LABEL", "label", VALUE_TEXT, false}},
     .options = TENANT | CHANGE | OPTION_BIT(OPERATOR),
     .one_of = {"tenant", "operator"},
     .method = "token.create",
     .changes = true,
     .details = "The token is shown this once: the ledger keeps only its hash."},
    {.name = "token revoke",
     .help = "Take a token back",
     .positionals = {{"LABEL", "label", VALUE_TEXT, false}},
     .options = CHANGE,
     .method = "token.revoke",
     .changes = true},
    {.name = "backup",
     .help = "Copy the ledger into backups/ beside it",
     .positionals = {{"NAME", "name", VALUE_TEXT, true}},
     .options = CHANGE,
     .method = "server.backup",
     .changes = true,
     .is_repeatable = true,
     .details = "Without NAME the copy is named by the time."},
    {.name = "status", .help = "Show how the daemon does", .method = "server.status"},
    {.name = "metrics",
     .help = "Print what is counted and measured, for monitoring",
     .method = "server.metrics",
     .show = show_metrics,
     .details = "The text is as node_exporter's textfile collector and promtool take it; with -o json it is "
                "OpenMetrics,\nin one member."},
    {.name = "ping",
     .help = "Ask whether the daemon is there, and what its clock says",
     .method = "server.ping",
     .show = show_ping},
    {.name = "advance",
     .help = "Set a manual clock forward",
     .positionals = {{"TIME", "to", VALUE_INSTANT, false}},
     .options = CHANGE,
     .method = "clock.advance",
     .changes = true,
     .is_repeatable = true},
    {.name = "call",
     .help = "Call any method",
     .positionals = {{"METHOD", NULL, VALUE_NONE, false}, {"JSON", NULL, VALUE_NONE, true}},
     .run = run_call,
     .details =
         "JSON is the object of parameters, - to read it from the standard input. The result is JSON."},
    {.name = "verify",
     .help = "Check a ledger from its file alone",
     .positionals = {{"LEDGER", NULL, VALUE_NONE, false}},
     .run = run_verify,
     .details = "Recomputes the chain of batches, replays the events, and checks every balance and "
                "invariant. Names\n"
                "the first row that is wrong. Needs no daemon."},
    {.name = "schema",
     .help = "Print the OpenRPC document of the protocol",
     .options = OPTION_BIT(SQL),
     .run = run_schema,
     .details = "Needs no daemon."},
};

const size_t verb_count = sizeof verb_table / sizeof verb_table[0];
