-- The tables of the ledger.
--
-- Money is INTEGER micro-USD in columns that end in _micro, percentages are INTEGER basis points in columns
-- that end in _bp, and every time is INTEGER Unix seconds; hours are the seconds at which they start. A column
-- that names another thing holds its number; the views show names.
--
-- Three kinds of tables. Insert-only ones say what happened: event, transfer, batch, capacity_change, rate,
-- contract_terms, contract_price, contract_pool, client_ref; triggers refuse to update or delete their rows,
-- and each batch's hash covers them. The others say how things are now, and their rows are replaced in place;
-- `colossus verify` compares them with what happened. Last come those by which a tenant's rows are found.
--
-- The names that a column may hold are listed with IN, but in the two tables to which every booking adds a
-- row: for more than two constants SQLite makes a list out of IN anew, a B-tree of its own, with each row that
-- it checks, and that costs more than writing the row. There they are compared one after the other, the
-- frequent ones first.
--
-- Foreign keys are checked with every row, so rows are written in an order in which what they name is there
-- already. Two columns have none: event.tenant and event.reservation, because an event goes before the rows
-- that it causes.

-- ---- What the ledger is

CREATE TABLE ledger (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    clock TEXT NOT NULL CHECK (clock IN ('system', 'manual')),
    manual_start INTEGER,          -- where a manual clock started
    schema_version INTEGER NOT NULL, -- as PRAGMA user_version, which views can't read
    views TEXT,                    -- a fingerprint of the views' text, by which a newer release knows to replace them
    CHECK ((clock = 'manual') = (manual_start IS NOT NULL))
) STRICT;

-- The notes of the manifest's own top level.
CREATE TABLE manifest (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    note TEXT
) STRICT;

-- A commit. `hash` is SHA-256 over the insert-only rows of the batch and the hash of the batch before.
CREATE TABLE batch (
    seq INTEGER PRIMARY KEY CHECK (seq >= 1),
    epoch INTEGER NOT NULL CHECK (epoch >= 1),
    writer TEXT NOT NULL,
    at INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

-- What happened, in order. `data` is a JSON object with the whole new state of what changed.
CREATE TABLE event (
    seq INTEGER PRIMARY KEY CHECK (seq >= 1),
    at INTEGER NOT NULL,
    type TEXT NOT NULL,
    actor TEXT,
    tenant INTEGER,
    reservation INTEGER,
    batch INTEGER NOT NULL REFERENCES batch,
    data TEXT NOT NULL
) STRICT;

-- ---- Inventory

CREATE TABLE site (
    id INTEGER PRIMARY KEY,
    site TEXT NOT NULL UNIQUE,
    note TEXT
) STRICT;

CREATE TABLE site_power (
    site INTEGER NOT NULL REFERENCES site,
    start INTEGER NOT NULL CHECK (start % 3600 = 0),
    watts INTEGER NOT NULL CHECK (watts >= 0),
    PRIMARY KEY (site, start)
) STRICT, WITHOUT ROWID;

CREATE TABLE pool (
    id INTEGER PRIMARY KEY,
    site INTEGER NOT NULL REFERENCES site,
    pool TEXT NOT NULL UNIQUE,
    gpu TEXT NOT NULL,
    unit INTEGER NOT NULL CHECK (unit >= 1),
    watts_per_gpu INTEGER NOT NULL CHECK (watts_per_gpu >= 0), -- 0 when not stated
    note TEXT
) STRICT;

-- A list price from an hour on. Of several with the same pool, tier and start the one with the highest id holds.
CREATE TABLE rate (
    id INTEGER PRIMARY KEY CHECK (id >= 1),
    pool INTEGER NOT NULL REFERENCES pool,
    tier TEXT NOT NULL CHECK (tier IN ('firm', 'preemptible')),
    start INTEGER NOT NULL CHECK (start % 3600 = 0),
    price_micro INTEGER NOT NULL CHECK (price_micro >= 0),
    event INTEGER NOT NULL REFERENCES event
) STRICT;

-- A pool's capacity in an hour is the sum of gpus over its changes with start <= hour < end, less those that only
-- say what was reported of an outage without an end: that it was opened, and that it was closed. What such an
-- outage takes away is in its cuts, which go on hour by hour until it is closed, and what is then given back.
CREATE TABLE capacity_change (
    id INTEGER PRIMARY KEY CHECK (id >= 1),
    pool INTEGER NOT NULL REFERENCES pool,
    kind TEXT NOT NULL
        CHECK (kind IN ('initial', 'growth', 'delay', 'maintenance', 'outage', 'retirement')),
    gpus INTEGER NOT NULL,                   -- signed
    start INTEGER NOT NULL CHECK (start % 3600 = 0),
    end INTEGER CHECK (end % 3600 = 0),      -- NULL: from start on
    base INTEGER NOT NULL CHECK (base IN (0, 1)), -- part of the manifest's absolute steps
    note TEXT,
    part TEXT CHECK (part IN ('opened', 'cut', 'returned', 'closed')),
    outage INTEGER REFERENCES capacity_change, -- the one that was opened, of its parts
    event INTEGER NOT NULL REFERENCES event,
    CHECK (end > start),
    CHECK ((part IS NULL) = (outage IS NULL)),
    CHECK (part IS NULL OR (kind = 'outage' AND (part = 'opened') = (outage = id) AND (part = 'opened') = (end IS NULL)))
) STRICT;

-- ---- Tenants

CREATE TABLE tenant (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL UNIQUE,
    name TEXT,
    suspended INTEGER NOT NULL CHECK (suspended IN (0, 1)),
    note TEXT,
    -- How often it may ask: 0 for as often as it likes.
    requests_per_second INTEGER NOT NULL CHECK (requests_per_second BETWEEN 0 AND 1000000),
    requests_burst INTEGER NOT NULL
        CHECK (requests_burst BETWEEN 0 AND 1000000 AND (requests_burst = 0) = (requests_per_second = 0))
) STRICT;

-- Who a uid is: a tenant's, or an operator's when tenant is NULL.
CREATE TABLE tenant_uid (
    uid INTEGER PRIMARY KEY CHECK (uid BETWEEN 0 AND 4294967295),
    tenant INTEGER REFERENCES tenant,
    revoked INTEGER NOT NULL CHECK (revoked IN (0, 1))
) STRICT;

CREATE TABLE token (
    label TEXT NOT NULL PRIMARY KEY,
    tenant INTEGER REFERENCES tenant,        -- NULL: an operator's
    salt BLOB NOT NULL CHECK (length(salt) = 32),
    hash BLOB NOT NULL CHECK (length(hash) = 32), -- SHA-256 of salt and token
    created INTEGER NOT NULL,
    revoked INTEGER NOT NULL CHECK (revoked IN (0, 1))
) STRICT;

-- ---- Contracts

CREATE TABLE contract (
    id INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL REFERENCES tenant,
    contract TEXT NOT NULL UNIQUE,
    start INTEGER NOT NULL CHECK (start % 3600 = 0),
    end INTEGER NOT NULL CHECK (end % 3600 = 0),
    version INTEGER NOT NULL CHECK (version >= 1), -- of its terms in force
    note TEXT,
    CHECK (end > start)
) STRICT;

CREATE TABLE contract_terms (
    id INTEGER PRIMARY KEY,
    contract INTEGER NOT NULL REFERENCES contract,
    version INTEGER NOT NULL CHECK (version >= 1),
    annual INTEGER NOT NULL CHECK (annual IN (0, 1)), -- periods by anniversaries, each of annual_commit_micro
    annual_commit_micro INTEGER NOT NULL CHECK (annual_commit_micro >= 0),
    overage TEXT NOT NULL CHECK (overage IN ('none', 'amount', 'percent', 'unlimited')),
    overage_limit_micro INTEGER NOT NULL CHECK (overage_limit_micro >= 0),
    overage_limit_bp INTEGER NOT NULL CHECK (overage_limit_bp >= 0),
    surcharge_bp INTEGER NOT NULL CHECK (surcharge_bp >= 0),
    defer_bp INTEGER NOT NULL CHECK (defer_bp BETWEEN 0 AND 10000),
    defer_until TEXT NOT NULL CHECK (defer_until IN ('next', 'last')),
    shortfall_then TEXT NOT NULL CHECK (shortfall_then IN ('charge', 'credit', 'waive')),
    billing TEXT NOT NULL CHECK (billing IN ('arrears', 'instalments')),
    cancel_notice_hours INTEGER NOT NULL CHECK (cancel_notice_hours >= 0),
    late_fee_bp INTEGER NOT NULL CHECK (late_fee_bp >= 0),
    sla_credit_bp INTEGER NOT NULL CHECK (sla_credit_bp >= 0),
    termination_notice_from INTEGER,               -- both NULL when the contract can't be terminated
    termination_notice_days INTEGER CHECK (termination_notice_days >= 0),
    discount_bp INTEGER NOT NULL CHECK (discount_bp BETWEEN 0 AND 10000),
    event INTEGER NOT NULL REFERENCES event,
    UNIQUE (contract, version),
    CHECK ((termination_notice_from IS NULL) = (termination_notice_days IS NULL))
) STRICT;

CREATE TABLE contract_price (
    id INTEGER PRIMARY KEY,
    contract INTEGER NOT NULL,
    version INTEGER NOT NULL,
    pool INTEGER NOT NULL REFERENCES pool,
    tier TEXT NOT NULL CHECK (tier IN ('firm', 'preemptible')),
    price_micro INTEGER NOT NULL CHECK (price_micro >= 0),
    UNIQUE (contract, version, pool, tier),
    FOREIGN KEY (contract, version) REFERENCES contract_terms (contract, version)
) STRICT;

-- A pool that a version of a contract is scoped to; without any it covers all pools.
CREATE TABLE contract_pool (
    id INTEGER PRIMARY KEY,
    contract INTEGER NOT NULL,
    version INTEGER NOT NULL,
    pool INTEGER NOT NULL REFERENCES pool,
    UNIQUE (contract, version, pool),
    FOREIGN KEY (contract, version) REFERENCES contract_terms (contract, version)
) STRICT;

-- What the terms say of a period and what was settled at its close. Money that moves is in its accounts.
CREATE TABLE contract_period (
    id INTEGER PRIMARY KEY,
    contract INTEGER NOT NULL REFERENCES contract,
    number INTEGER NOT NULL CHECK (number >= 1),
    start INTEGER NOT NULL CHECK (start % 3600 = 0),
    end INTEGER NOT NULL CHECK (end % 3600 = 0),
    commit_micro INTEGER NOT NULL CHECK (commit_micro >= 0),
    overage_limit_micro INTEGER CHECK (overage_limit_micro >= 0), -- NULL: unlimited
    relief_micro INTEGER NOT NULL CHECK (relief_micro >= 0),
    deferred_out_micro INTEGER NOT NULL CHECK (deferred_out_micro >= 0),
    waived_micro INTEGER NOT NULL CHECK (waived_micro >= 0),
    credit_used_micro INTEGER NOT NULL CHECK (credit_used_micro >= 0),
    surcharge_micro INTEGER NOT NULL CHECK (surcharge_micro >= 0),
    fees_billed_micro INTEGER NOT NULL CHECK (fees_billed_micro >= 0),
    instalments_billed INTEGER NOT NULL CHECK (instalments_billed >= 0),
    threshold INTEGER NOT NULL CHECK (threshold BETWEEN 0 AND 4), -- how many of 50, 75, 90 and 100 % are reached
    closed INTEGER NOT NULL CHECK (closed IN (0, 1)),
    imported INTEGER NOT NULL CHECK (imported IN (0, 1)),
    -- What is delivered but not yet posted as consumed: delivered_micro up to delivered_through, and
    -- delivering_micro in every hour from there on.
    delivered_through INTEGER NOT NULL CHECK (delivered_through % 3600 = 0),
    delivered_micro INTEGER NOT NULL,
    delivering_micro INTEGER NOT NULL,
    UNIQUE (contract, number),
    CHECK (end > start)
) STRICT;

-- ---- Money

CREATE TABLE account (
    id INTEGER PRIMARY KEY,
    contract INTEGER NOT NULL REFERENCES contract,
    period INTEGER REFERENCES contract_period, -- NULL: the contract's own
    kind TEXT NOT NULL
        CHECK (kind IN ('authority', 'encumbered', 'consumed', 'deferred', 'credit', 'receivable', 'billed',
                        'fees', 'commitment', 'overage', 'deferral', 'prepaid', 'charges', 'settled',
                        'written_off')),
    balance_micro INTEGER NOT NULL,            -- credits less debits
    UNIQUE (contract, period, kind)
) STRICT;

CREATE TABLE transfer (
    id INTEGER PRIMARY KEY CHECK (id >= 1),
    at INTEGER NOT NULL,
    kind TEXT NOT NULL
        CHECK (kind = 'book' OR kind = 'release' OR kind = 'consume' OR kind = 'fee' OR kind = 'usage'
            OR kind = 'instalment' OR kind = 'grant' OR kind = 'defer' OR kind = 'credit' OR kind = 'relief'
            OR kind = 'shortfall' OR kind = 'surcharge' OR kind = 'waive' OR kind = 'refund'
            OR kind = 'adjust'),
    debit_account INTEGER NOT NULL REFERENCES account,
    credit_account INTEGER NOT NULL REFERENCES account,
    amount_micro INTEGER NOT NULL CHECK (amount_micro > 0),
    period INTEGER NOT NULL REFERENCES contract_period,
    reservation INTEGER REFERENCES reservation,
    event INTEGER NOT NULL REFERENCES event,
    CHECK (debit_account <> credit_account)
) STRICT;

-- ---- Reservations

CREATE TABLE reservation (
    id INTEGER PRIMARY KEY CHECK (id >= 1),
    tenant INTEGER NOT NULL REFERENCES tenant,
    pool INTEGER NOT NULL REFERENCES pool,
    tier TEXT NOT NULL CHECK (tier IN ('firm', 'preemptible')),
    state TEXT NOT NULL
        CHECK (state = 'booked' OR state = 'active' OR state = 'completed' OR state = 'cancelled'
            OR state = 'held' OR state = 'waiting' OR state = 'expired'),
    start INTEGER NOT NULL CHECK (start % 3600 = 0), -- the last window, kept when all of it is released
    end INTEGER NOT NULL CHECK (end % 3600 = 0),
    gpus INTEGER NOT NULL CHECK (gpus >= 0),
    created INTEGER NOT NULL,
    hold_expires INTEGER,
    wait_until INTEGER,
    cost_micro INTEGER NOT NULL CHECK (cost_micro >= 0), -- of the slices that remain
    gpu_hours INTEGER NOT NULL CHECK (gpu_hours >= 0),
    fees_micro INTEGER NOT NULL CHECK (fees_micro >= 0),
    "group" INTEGER,                           -- the id of the group's first reservation
    legs INTEGER,                              -- how many reservations the group has
    last_slice INTEGER NOT NULL,
    last_layer INTEGER NOT NULL,
    hold_seconds INTEGER,                      -- of one that waits: how long it is then held
    client_ref TEXT,
    project TEXT,
    note TEXT,
    CHECK (end > start),
    CHECK (("group" IS NULL) = (legs IS NULL))
) STRICT;

-- A rectangle of one reservation: constant GPUs and price inside one period.
CREATE TABLE slice (
    reservation INTEGER NOT NULL REFERENCES reservation,
    number INTEGER NOT NULL CHECK (number >= 1),
    layer INTEGER NOT NULL CHECK (layer >= 1),
    start INTEGER NOT NULL CHECK (start % 3600 = 0),
    end INTEGER NOT NULL CHECK (end % 3600 = 0),
    gpus INTEGER NOT NULL CHECK (gpus >= 1),
    price_micro INTEGER NOT NULL CHECK (price_micro >= 0),
    period INTEGER NOT NULL REFERENCES contract_period,
    PRIMARY KEY (reservation, number),
    CHECK (end > start)
) STRICT, WITHOUT ROWID;

-- The idempotency key of a change. That it is unique is kept by the book; an index would cost every booking a
-- write at a random place.
CREATE TABLE client_ref (
    id INTEGER PRIMARY KEY,
    tenant INTEGER REFERENCES tenant,          -- whose: NULL for the operator side
    client_ref TEXT NOT NULL,
    method TEXT NOT NULL,
    request BLOB NOT NULL CHECK (length(request) = 16), -- a fingerprint of the request as resolved
    thing INTEGER,                             -- the id that the method's result names
    is_group INTEGER NOT NULL CHECK (is_group IN (0, 1)),
    event INTEGER REFERENCES event,            -- the first of the decision
    batch INTEGER NOT NULL REFERENCES batch
) STRICT;

-- Hours that were booked and could not be delivered, at one price and inside one period.
CREATE TABLE interruption (
    id INTEGER PRIMARY KEY CHECK (id >= 1),
    reservation INTEGER NOT NULL REFERENCES reservation,
    capacity_change INTEGER REFERENCES capacity_change, -- NULL: a firm booking took the place of a preemptible one
    start INTEGER NOT NULL CHECK (start % 3600 = 0),
    end INTEGER NOT NULL CHECK (end % 3600 = 0),
    gpus INTEGER NOT NULL CHECK (gpus >= 1),
    price_micro INTEGER NOT NULL CHECK (price_micro >= 0), -- per GPU-hour
    period INTEGER NOT NULL REFERENCES contract_period,
    relief_micro INTEGER NOT NULL CHECK (relief_micro >= 0),
    sla_credit_micro INTEGER NOT NULL CHECK (sla_credit_micro >= 0),
    event INTEGER NOT NULL REFERENCES event,
    CHECK (end > start)
) STRICT;

-- ---- What is whose
--
-- By these a tenant's events, reservations and transfers are read without reading everybody's. An index would
-- be changed with every row, at a place for each tenant; these are filled with some thousands of rows at once,
-- each tenant's one after the other, and so lag behind: what comes after the mark in `indexed` is found in the
-- tables themselves. They follow from those tables and have no foreign keys; `colossus verify` compares them.

CREATE TABLE tenant_event (
    tenant INTEGER NOT NULL,
    event INTEGER NOT NULL,
    PRIMARY KEY (tenant, event)
) STRICT, WITHOUT ROWID;

CREATE TABLE tenant_reservation (
    tenant INTEGER NOT NULL,
    reservation INTEGER NOT NULL,
    PRIMARY KEY (tenant, reservation)
) STRICT, WITHOUT ROWID;

-- A transfer is the tenant's whose contract its period belongs to.
CREATE TABLE tenant_transfer (
    tenant INTEGER NOT NULL,
    transfer INTEGER NOT NULL,
    PRIMARY KEY (tenant, transfer)
) STRICT, WITHOUT ROWID;

-- Through which event, reservation and transfer the three are filled.
CREATE TABLE indexed (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    event INTEGER NOT NULL CHECK (event >= 0),
    reservation INTEGER NOT NULL CHECK (reservation >= 0),
    transfer INTEGER NOT NULL CHECK (transfer >= 0)
) STRICT;

INSERT INTO indexed (one, event, reservation, transfer) VALUES (1, 0, 0, 0);

-- ---- What happened stays

CREATE TRIGGER event_keep BEFORE DELETE ON event BEGIN
    SELECT RAISE(ABORT, 'events are never deleted: they are what happened'); END;
CREATE TRIGGER event_fix BEFORE UPDATE ON event BEGIN
    SELECT RAISE(ABORT, 'events are never changed: what follows is a new event'); END;
CREATE TRIGGER transfer_keep BEFORE DELETE ON transfer BEGIN
    SELECT RAISE(ABORT, 'transfers are never deleted: a correction is a new transfer'); END;
CREATE TRIGGER transfer_fix BEFORE UPDATE ON transfer BEGIN
    SELECT RAISE(ABORT, 'transfers are never changed: a correction is a new transfer'); END;
CREATE TRIGGER batch_keep BEFORE DELETE ON batch BEGIN
    SELECT RAISE(ABORT, 'batches are never deleted: each carries the hash of the one before'); END;
CREATE TRIGGER batch_fix BEFORE UPDATE ON batch BEGIN
    SELECT RAISE(ABORT, 'batches are never changed: each carries the hash of the one before'); END;
CREATE TRIGGER capacity_change_keep BEFORE DELETE ON capacity_change BEGIN
    SELECT RAISE(ABORT, 'capacity changes are never deleted: record the opposite change'); END;
CREATE TRIGGER capacity_change_fix BEFORE UPDATE ON capacity_change BEGIN
    SELECT RAISE(ABORT, 'capacity changes are never changed: record another change'); END;
CREATE TRIGGER rate_keep BEFORE DELETE ON rate BEGIN
    SELECT RAISE(ABORT, 'rates are never deleted: a later rate takes the place of an earlier one'); END;
CREATE TRIGGER rate_fix BEFORE UPDATE ON rate BEGIN
    SELECT RAISE(ABORT, 'rates are never changed: a later rate takes the place of an earlier one'); END;
CREATE TRIGGER contract_terms_keep BEFORE DELETE ON contract_terms BEGIN
    SELECT RAISE(ABORT, 'every version of the terms is kept'); END;
CREATE TRIGGER contract_terms_fix BEFORE UPDATE ON contract_terms BEGIN
    SELECT RAISE(ABORT, 'terms are never changed: an amendment is a new version'); END;
CREATE TRIGGER contract_price_keep BEFORE DELETE ON contract_price BEGIN
    SELECT RAISE(ABORT, 'every version of the prices is kept'); END;
CREATE TRIGGER contract_price_fix BEFORE UPDATE ON contract_price BEGIN
    SELECT RAISE(ABORT, 'prices are never changed: an amendment is a new version'); END;
CREATE TRIGGER contract_pool_keep BEFORE DELETE ON contract_pool BEGIN
    SELECT RAISE(ABORT, 'every version of the scope is kept'); END;
CREATE TRIGGER contract_pool_fix BEFORE UPDATE ON contract_pool BEGIN
    SELECT RAISE(ABORT, 'the scope is never changed: an amendment is a new version'); END;
CREATE TRIGGER interruption_keep BEFORE DELETE ON interruption BEGIN
    SELECT RAISE(ABORT, 'interruptions are never deleted'); END;
CREATE TRIGGER interruption_fix BEFORE UPDATE ON interruption BEGIN
    SELECT RAISE(ABORT, 'interruptions are never changed'); END;
CREATE TRIGGER client_ref_keep BEFORE DELETE ON client_ref BEGIN
    SELECT RAISE(ABORT, 'a client_ref is kept for ever, so that a retry never books twice'); END;
CREATE TRIGGER client_ref_fix BEFORE UPDATE ON client_ref BEGIN
    SELECT RAISE(ABORT, 'a client_ref is never changed, so that a retry never books twice'); END;
