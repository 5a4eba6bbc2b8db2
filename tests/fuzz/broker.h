// What must be true of a ledger's rows where the book brokers: power, what was interrupted, outages without
// an end, and who waits. Checked after every batch, hour by hour and from the rows alone.
//
// - the power that the slices of a site use in an hour is never more than there is, and what the book says is
//   left of it is so;
// - a period's relief is the sum of the relief of the interruptions in it, and of their transfers; what gave
//   way to a firm booking, or was preemptible, relieves nothing;
// - an outage that is open is cut for 24 hours ahead, without a gap, and one that is closed not beyond its
// end;
// - nobody waits for what can be booked now.
#ifndef COLOSSUS_TESTS_FUZZ_BROKER_H
#define COLOSSUS_TESTS_FUZZ_BROKER_H

#include "../sim/store.h"
#include "ledger.h"

void broker_check(struct ledger *ledger, const struct store *store);

#endif
