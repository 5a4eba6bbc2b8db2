-- Every statement of the ledger, by name. All that the writer uses are prepared when the ledger is opened, so
-- a statement that the schema does not bear stops the start, not a commit.
--
-- Where a row is both written and read, the columns stand in the same order in both, and that is the order of
-- ledger/rows.c.

-- name: begin
BEGIN IMMEDIATE;

-- name: begin_read
BEGIN;

-- name: commit
COMMIT;

-- name: rollback
ROLLBACK;

-- ---- Writing a batch

-- name: write_batch
INSERT INTO batch (seq, epoch, writer, at, hash) VALUES (?1, ?2, ?3, ?4, ?5);

-- Each of these writes all of a batch's rows of one kind: pending_... are virtual tables that show them
-- (ledger/pending.c), with the columns in the order of ledger/rows.c. They run in this order, in which whatever a
-- row names is written before it.

-- name: write_manifest
INSERT INTO manifest (one, note)
SELECT 1, note FROM pending_manifest WHERE true
ON CONFLICT (one) DO UPDATE SET note = excluded.note;

-- name: write_site
INSERT INTO site (id, site, note)
SELECT * FROM pending_site WHERE true
ON CONFLICT (id) DO UPDATE SET site = excluded.site, note = excluded.note;

-- name: write_site_power
INSERT INTO site_power (site, start, watts)
SELECT * FROM pending_site_power WHERE true
ON CONFLICT (site, start) DO UPDATE SET watts = excluded.watts;

-- name: write_pool
INSERT INTO pool (id, site, pool, gpu, unit, watts_per_gpu, note)
SELECT * FROM pending_pool WHERE true
ON CONFLICT (id) DO UPDATE SET site = excluded.site, pool = excluded.pool, gpu = excluded.gpu,
    unit = excluded.unit, watts_per_gpu = excluded.watts_per_gpu, note = excluded.note;

-- name: write_tenant
INSERT INTO tenant (id, tenant, name, suspended, note, requests_per_second, requests_burst)
SELECT * FROM pending_tenant WHERE true
ON CONFLICT (id) DO UPDATE SET tenant = excluded.tenant, name = excluded.name,
    suspended = excluded.suspended, note = excluded.note,
    requests_per_second = excluded.requests_per_second, requests_burst = excluded.requests_burst;

-- name: write_uid
INSERT INTO tenant_uid (uid, tenant, revoked)
SELECT * FROM pending_uid WHERE true
ON CONFLICT (uid) DO UPDATE SET tenant = excluded.tenant, revoked = excluded.revoked;

-- name: write_token
INSERT INTO token (label, tenant, salt, hash, created, revoked)
SELECT * FROM pending_token WHERE true
ON CONFLICT (label) DO UPDATE SET revoked = excluded.revoked;

-- name: write_event
INSERT INTO event (seq, at, type, actor, tenant, reservation, data, batch)
SELECT * FROM pending_event;

-- name: write_rate
INSERT INTO rate (id, pool, tier, start, price_micro, event)
SELECT * FROM pending_rate;

-- name: write_capacity_change
INSERT INTO capacity_change (id, pool, kind, gpus, start, end, base, note, part, outage, event)
SELECT * FROM pending_capacity_change;

-- name: write_contract
INSERT INTO contract (id, tenant, contract, start, end, version, note)
SELECT * FROM pending_contract WHERE true
ON CONFLICT (id) DO UPDATE SET tenant = excluded.tenant, contract = excluded.contract,
    start = excluded.start, end = excluded.end, version = excluded.version, note = excluded.note;

-- name: write_contract_terms
INSERT INTO contract_terms (contract, version, annual, annual_commit_micro, overage, overage_limit_micro,
    overage_limit_bp, surcharge_bp, defer_bp, defer_until, shortfall_then, billing, cancel_notice_hours,
    late_fee_bp, sla_credit_bp, termination_notice_from, termination_notice_days, discount_bp, event)
SELECT * FROM pending_contract_terms;

-- name: write_contract_price
INSERT INTO contract_price (contract, version, pool, tier, price_micro)
SELECT * FROM pending_contract_price;

-- name: write_contract_pool
INSERT INTO contract_pool (contract, version, pool)
SELECT * FROM pending_contract_pool;

-- name: write_contract_period
INSERT INTO contract_period (id, contract, number, start, end, commit_micro, overage_limit_micro, relief_micro,
    deferred_out_micro, waived_micro, credit_used_micro, surcharge_micro, fees_billed_micro, instalments_billed,
    threshold, closed, imported, delivered_through, delivered_micro, delivering_micro)
SELECT * FROM pending_contract_period WHERE true
ON CONFLICT (id) DO UPDATE SET contract = excluded.contract, number = excluded.number,
    start = excluded.start, end = excluded.end, commit_micro = excluded.commit_micro,
    overage_limit_micro = excluded.overage_limit_micro, relief_micro = excluded.relief_micro,
    deferred_out_micro = excluded.deferred_out_micro, waived_micro = excluded.waived_micro,
    credit_used_micro = excluded.credit_used_micro, surcharge_micro = excluded.surcharge_micro,
    fees_billed_micro = excluded.fees_billed_micro, instalments_billed = excluded.instalments_billed,
    threshold = excluded.threshold, closed = excluded.closed, imported = excluded.imported,
    delivered_through = excluded.delivered_through, delivered_micro = excluded.delivered_micro,
    delivering_micro = excluded.delivering_micro;

-- name: write_account
INSERT INTO account (id, contract, period, kind, balance_micro)
SELECT * FROM pending_account WHERE true
ON CONFLICT (id) DO UPDATE SET balance_micro = excluded.balance_micro;

-- name: write_balance
UPDATE account SET balance_micro = pending.balance_micro
FROM pending_balance AS pending WHERE account.id = pending.id;

-- name: write_reservation
INSERT INTO reservation (id, tenant, pool, tier, state, start, end, gpus, created, hold_expires, wait_until,
    cost_micro, gpu_hours, fees_micro, "group", legs, last_slice, last_layer, hold_seconds, client_ref, project, note)
SELECT * FROM pending_reservation WHERE true
ON CONFLICT (id) DO UPDATE SET state = excluded.state, start = excluded.start, end = excluded.end,
    gpus = excluded.gpus, hold_expires = excluded.hold_expires, wait_until = excluded.wait_until,
    cost_micro = excluded.cost_micro, gpu_hours = excluded.gpu_hours, fees_micro = excluded.fees_micro,
    last_slice = excluded.last_slice, last_layer = excluded.last_layer, hold_seconds = excluded.hold_seconds;

-- name: write_slice
INSERT INTO slice (reservation, number, layer, start, end, gpus, price_micro, period)
SELECT * FROM pending_slice WHERE true
ON CONFLICT (reservation, number) DO UPDATE SET layer = excluded.layer, start = excluded.start,
    end = excluded.end, gpus = excluded.gpus, price_micro = excluded.price_micro, period = excluded.period;

-- name: remove_slice
DELETE FROM slice
WHERE (reservation, number) IN (SELECT reservation, number FROM pending_removed_slice);

-- name: write_interruption
INSERT INTO interruption (id, reservation, capacity_change, start, end, gpus, price_micro, period, relief_micro,
    sla_credit_micro, event)
SELECT * FROM pending_interruption;

-- name: write_transfer
INSERT INTO transfer (id, at, kind, debit_account, credit_account, amount_micro, period, reservation, event)
SELECT * FROM pending_transfer;

-- name: write_client_ref
INSERT INTO client_ref (tenant, client_ref, method, request, thing, is_group, event, batch)
SELECT * FROM pending_client_ref;

-- ---- What is whose: filling the tables by tenant from one row to another

-- name: index_ends
SELECT coalesce((SELECT max(seq) FROM event), 0), coalesce((SELECT max(id) FROM reservation), 0),
    coalesce((SELECT max(id) FROM transfer), 0);

-- name: index_marks
SELECT event, reservation, transfer FROM indexed;

-- name: index_events
INSERT INTO tenant_event (tenant, event)
SELECT tenant, seq FROM event WHERE seq > ?1 AND seq <= ?2 AND tenant IS NOT NULL ORDER BY tenant, seq;

-- name: index_reservations
INSERT INTO tenant_reservation (tenant, reservation)
SELECT tenant, id FROM reservation WHERE id > ?1 AND id <= ?2 ORDER BY tenant, id;

-- name: index_transfers
INSERT INTO tenant_transfer (tenant, transfer)
SELECT k.tenant, t.id
FROM transfer AS t CROSS JOIN contract_period AS p ON p.id = t.period CROSS JOIN contract AS k ON k.id = p.contract
WHERE t.id > ?1 AND t.id <= ?2 ORDER BY k.tenant, t.id;

-- name: write_index_marks
UPDATE indexed SET event = ?1, reservation = ?2, transfer = ?3;

-- ---- Reading whole tables, to load the book and to verify

-- name: load_sites
SELECT id, site, note FROM site ORDER BY id;

-- name: load_site_power
SELECT site, start, watts FROM site_power ORDER BY site, start;

-- name: load_pools
SELECT id, site, pool, gpu, unit, watts_per_gpu, note FROM pool ORDER BY id;

-- name: load_rates
SELECT id, pool, tier, start, price_micro, event FROM rate ORDER BY id;

-- name: load_capacity_changes
SELECT id, pool, kind, gpus, start, end, base, note, part, outage, event FROM capacity_change ORDER BY id;

-- name: load_interruptions
SELECT id, reservation, capacity_change, start, end, gpus, price_micro, period, relief_micro, sla_credit_micro, event
FROM interruption ORDER BY id;

-- name: load_tenants
SELECT id, tenant, name, suspended, note, requests_per_second, requests_burst FROM tenant ORDER BY id;

-- name: load_uids
SELECT uid, tenant, revoked FROM tenant_uid ORDER BY uid;

-- name: load_tokens
SELECT label, tenant, salt, hash, created, revoked FROM token ORDER BY created, label;

-- name: load_contracts
SELECT id, tenant, contract, start, end, version, note FROM contract ORDER BY id;

-- name: load_contract_terms
SELECT contract, version, annual, annual_commit_micro, overage, overage_limit_micro, overage_limit_bp,
    surcharge_bp, defer_bp, defer_until, shortfall_then, billing, cancel_notice_hours, late_fee_bp,
    sla_credit_bp, termination_notice_from, termination_notice_days, discount_bp, event
FROM contract_terms ORDER BY id;

-- name: load_contract_prices
SELECT p.contract, p.version, p.pool, p.tier, p.price_micro, t.event
FROM contract_price AS p JOIN contract_terms AS t USING (contract, version) ORDER BY p.id;

-- name: load_contract_pools
SELECT p.contract, p.version, p.pool, t.event
FROM contract_pool AS p JOIN contract_terms AS t USING (contract, version) ORDER BY p.id;

-- name: load_contract_periods
SELECT id, contract, number, start, end, commit_micro, overage_limit_micro, relief_micro, deferred_out_micro,
    waived_micro, credit_used_micro, surcharge_micro, fees_billed_micro, instalments_billed, threshold,
    closed, imported, delivered_through, delivered_micro, delivering_micro
FROM contract_period ORDER BY id;

-- name: load_accounts
SELECT id, contract, period, kind, balance_micro FROM account ORDER BY id;

-- name: load_reservations
SELECT id, tenant, pool, tier, state, start, end, gpus, created, hold_expires, wait_until, cost_micro,
    gpu_hours, fees_micro, "group", legs, last_slice, last_layer, hold_seconds, client_ref, project, note
FROM reservation ORDER BY id;

-- name: load_slices
SELECT reservation, number, layer, start, end, gpus, price_micro, period
FROM slice ORDER BY reservation, number;

-- name: load_client_refs
SELECT tenant, client_ref, method, request, thing, is_group, event, batch FROM client_ref ORDER BY id;

-- name: load_manifest
SELECT note FROM manifest;

-- name: load_ends
SELECT coalesce((SELECT max(seq) FROM event), 0), coalesce((SELECT max(id) FROM transfer), 0);

-- name: load_last_batch
SELECT seq, epoch, writer, at, hash FROM batch ORDER BY seq DESC LIMIT 1;

-- ---- The chain: rows from a place on, in the order in which they were written

-- name: chain_batches
SELECT seq, epoch, writer, at, hash FROM batch WHERE seq >= ?1 ORDER BY seq;

-- name: chain_events
SELECT seq, at, type, actor, tenant, reservation, data, batch FROM event WHERE seq >= ?1 ORDER BY seq;

-- name: chain_transfers
SELECT id, at, kind, debit_account, credit_account, amount_micro, period, reservation, event
FROM transfer WHERE id >= ?1 ORDER BY id;

-- name: chain_client_refs
SELECT tenant, client_ref, method, request, thing, is_group, event, batch
FROM client_ref WHERE id >= ?1 ORDER BY id;

-- name: chain_event_batch
SELECT seq, batch FROM event WHERE seq >= ?1 ORDER BY seq LIMIT 1;

-- name: chain_transfer_event
SELECT id, event FROM transfer WHERE id >= ?1 ORDER BY id LIMIT 1;

-- name: chain_client_ref_batch
SELECT id, batch FROM client_ref WHERE id >= ?1 ORDER BY id LIMIT 1;

-- name: chain_last_client_ref
SELECT coalesce(max(id), 0) FROM client_ref;

-- ---- Reading for replies

-- name: read_reservations
SELECT id, tenant, pool, tier, state, start, end, gpus, created, hold_expires, wait_until, cost_micro,
    gpu_hours, fees_micro, "group", legs, last_slice, last_layer, hold_seconds, client_ref, project, note
FROM reservation
WHERE id > ?1 AND (?2 = 0 OR pool = ?2) AND (?3 IS NULL OR project = ?3) AND end > ?4 AND start < ?5
ORDER BY id;

-- A tenant's: first those that are indexed, then those that came since.

-- name: read_tenant_reservations
SELECT r.id, r.tenant, r.pool, r.tier, r.state, r.start, r.end, r.gpus, r.created, r.hold_expires,
    r.wait_until, r.cost_micro, r.gpu_hours, r.fees_micro, r."group", r.legs, r.last_slice, r.last_layer, r.hold_seconds,
    r.client_ref, r.project, r.note
FROM tenant_reservation AS i CROSS JOIN reservation AS r ON r.id = i.reservation
WHERE i.tenant = ?6 AND i.reservation > ?1 AND (?2 = 0 OR r.pool = ?2) AND (?3 IS NULL OR r.project = ?3)
    AND r.end > ?4 AND r.start < ?5
ORDER BY i.reservation;

-- name: read_tenant_reservations_since
SELECT id, tenant, pool, tier, state, start, end, gpus, created, hold_expires, wait_until, cost_micro,
    gpu_hours, fees_micro, "group", legs, last_slice, last_layer, hold_seconds, client_ref, project, note
FROM reservation
WHERE id > max(?1, (SELECT reservation FROM indexed)) AND tenant = ?6 AND (?2 = 0 OR pool = ?2)
    AND (?3 IS NULL OR project = ?3) AND end > ?4 AND start < ?5
ORDER BY id;

-- name: read_reservation
SELECT id, tenant, pool, tier, state, start, end, gpus, created, hold_expires, wait_until, cost_micro,
    gpu_hours, fees_micro, "group", legs, last_slice, last_layer, hold_seconds, client_ref, project, note
FROM reservation WHERE id = ?1;

-- name: read_slices
SELECT reservation, number, layer, start, end, gpus, price_micro, period
FROM slice WHERE reservation = ?1 ORDER BY number;

-- name: read_transfers
SELECT id, at, kind, debit_account, credit_account, amount_micro, period, reservation, event
FROM transfer WHERE id > ?1 AND at >= ?2 AND at < ?3 ORDER BY id LIMIT ?4;

-- name: read_tenant_transfers
SELECT t.id, t.at, t.kind, t.debit_account, t.credit_account, t.amount_micro, t.period, t.reservation, t.event
FROM tenant_transfer AS i CROSS JOIN transfer AS t ON t.id = i.transfer
WHERE i.tenant = ?5 AND i.transfer > ?1 AND t.at >= ?2 AND t.at < ?3 ORDER BY i.transfer LIMIT ?4;

-- name: read_tenant_transfers_since
SELECT id, at, kind, debit_account, credit_account, amount_micro, period, reservation, event
FROM transfer
WHERE id > max(?1, (SELECT transfer FROM indexed)) AND at >= ?2 AND at < ?3
    AND period IN (SELECT p.id FROM contract_period AS p JOIN contract AS k ON k.id = p.contract WHERE k.tenant = ?5)
ORDER BY id LIMIT ?4;

-- name: read_events
SELECT seq, at, type, actor, tenant, reservation, data, batch FROM event WHERE seq > ?1 ORDER BY seq LIMIT ?2;

-- name: read_tenant_events
SELECT e.seq, e.at, e.type, e.actor, e.tenant, e.reservation, e.data, e.batch
FROM tenant_event AS i CROSS JOIN event AS e ON e.seq = i.event
WHERE i.tenant = ?3 AND i.event > ?1 ORDER BY i.event LIMIT ?2;

-- name: read_tenant_events_since
SELECT seq, at, type, actor, tenant, reservation, data, batch
FROM event WHERE seq > max(?1, (SELECT event FROM indexed)) AND tenant = ?3 ORDER BY seq LIMIT ?2;

-- ---- Verifying

-- name: verify_quick_check
PRAGMA quick_check (1);

-- name: verify_foreign_keys
SELECT "table", rowid, parent FROM pragma_foreign_key_check LIMIT 1;

-- name: verify_transfers
SELECT id, debit_account, credit_account, amount_micro, period, kind FROM transfer ORDER BY id;

-- name: verify_accounts
SELECT a.id, a.contract, a.period, a.balance_micro, k.contract || '/' || a.kind, a.kind
FROM account AS a JOIN contract AS k ON k.id = a.contract ORDER BY a.id;

-- name: verify_account_sets
SELECT k.contract, NULL FROM contract AS k
WHERE (SELECT count(*) FROM account AS a WHERE a.contract = k.id AND a.period IS NULL) <> 7
UNION ALL
SELECT k.contract, p.number FROM contract_period AS p JOIN contract AS k ON k.id = p.contract
WHERE (SELECT count(*) FROM account AS a WHERE a.contract = p.contract AND a.period = p.id) <> 8
LIMIT 1;

-- name: verify_reservation_events
SELECT seq, reservation FROM event WHERE reservation IS NOT NULL ORDER BY seq;

-- name: verify_names
SELECT 'tenant', id, tenant FROM tenant UNION ALL SELECT 'pool', id, pool FROM pool;

-- name: verify_reservation_event
SELECT at,
    json_extract(data, '$.reservation.id'), json_extract(data, '$.reservation.tenant'),
    json_extract(data, '$.reservation.client_ref'), json_extract(data, '$.reservation.state'),
    json_extract(data, '$.reservation.pool'), json_extract(data, '$.reservation.gpus'),
    json_extract(data, '$.reservation.start'), json_extract(data, '$.reservation.end'),
    json_extract(data, '$.reservation.tier'), json_extract(data, '$.reservation.gpu_hours'),
    json_extract(data, '$.reservation.cost'), json_extract(data, '$.reservation.fees'),
    json_extract(data, '$.reservation.hold_expires'), json_extract(data, '$.reservation.wait_until'),
    json_extract(data, '$.reservation.project'), json_extract(data, '$.reservation.note'),
    json_extract(data, '$.reservation.group'), json_extract(data, '$.reservation.created'),
    json_array_length(data, '$.reservation.slices'), json_extract(data, '$.reservation.waiting.hold_seconds')
FROM event WHERE seq = ?1;

-- name: verify_event_slices
SELECT json_extract(s.value, '$.start'), json_extract(s.value, '$.end'), json_extract(s.value, '$.gpus'),
    json_extract(s.value, '$.price_per_gpu_hour'), json_extract(s.value, '$.cost'),
    json_extract(s.value, '$.contract'), json_extract(s.value, '$.period_start')
FROM event AS e, json_each(e.data, '$.reservation.slices') AS s WHERE e.seq = ?1 ORDER BY s.key;

-- name: verify_periods
SELECT p.id, k.contract, p.start, p.end, p.delivered_through, p.delivered_micro, p.delivering_micro,
    coalesce((SELECT balance_micro FROM account AS a
              WHERE a.contract = p.contract AND a.period = p.id AND a.kind = 'consumed'), 0),
    coalesce((SELECT balance_micro FROM account AS a
              WHERE a.contract = p.contract AND a.period = p.id AND a.kind = 'encumbered'), 0)
FROM contract_period AS p JOIN contract AS k ON k.id = p.contract ORDER BY p.id;

-- name: verify_authority
SELECT k.contract, p.start FROM contract_period AS p JOIN contract AS k ON k.id = p.contract
WHERE p.overage_limit_micro IS NOT NULL AND
    (SELECT sum(iif(a.kind IN ('encumbered', 'consumed'), a.balance_micro, 0))
         - sum(iif(a.kind IN ('deferred', 'credit'), a.balance_micro, 0))
     FROM account AS a WHERE a.contract = p.contract AND a.period = p.id) > p.commit_micro + p.overage_limit_micro
LIMIT 1;

-- name: verify_period_events
SELECT e.seq, e.type, k.id, p.id,
    json_extract(e.data, '$.percent'), json_extract(e.data, '$.period.period_end'),
    json_extract(e.data, '$.period.commit'), json_extract(e.data, '$.period.relief'),
    json_extract(e.data, '$.period.deferred_out'), json_extract(e.data, '$.period.waived'),
    json_extract(e.data, '$.period.credit_used'), json_extract(e.data, '$.period.surcharge')
FROM event AS e
LEFT JOIN contract AS k ON k.contract = json_extract(e.data, '$.period.contract')
LEFT JOIN contract_period AS p ON p.contract = k.id
    AND p.start = CAST(strftime('%s', json_extract(e.data, '$.period.period_start')) AS INTEGER)
WHERE e.type IN ('period.posted', 'period.closed', 'instalment.billed', 'commitment.threshold',
    'commitment.threshold_cleared')
ORDER BY e.seq;

-- What the periods' own columns say that their transfers say too.
-- name: verify_granted
SELECT p.id, k.contract, p.start, p.commit_micro, coalesce(p.overage_limit_micro, 0), p.fees_billed_micro,
    p.relief_micro, coalesce((SELECT sum(relief_micro) FROM interruption AS i WHERE i.period = p.id), 0)
FROM contract_period AS p JOIN contract AS k ON k.id = p.contract ORDER BY p.id;

-- A contract against the terms in force and the event that they came with, and its periods against each other.
-- Explicit periods begin where the event says, annual ones at the anniversaries, 29 February counting as 28 in
-- other years.
-- name: verify_contracts
WITH term AS (
    SELECT k.*, (SELECT tenant FROM tenant AS n WHERE n.id = k.tenant) AS tenant_name, t.annual, t.overage, e.seq,
        e.data
    FROM contract AS k
    LEFT JOIN contract_terms AS t ON t.contract = k.id AND t.version = k.version
    LEFT JOIN event AS e ON e.seq = t.event
), period AS (
    SELECT p.*, k.contract AS name, k.start AS first, k.end AS last, k.annual, k.overage, k.data,
        row_number() OVER by_number AS place, lag(p.end, 1, k.start) OVER by_number AS before,
        lead(p.start, 1, k.end) OVER by_number AS after
    FROM contract_period AS p JOIN term AS k ON k.id = p.contract
    WINDOW by_number AS (PARTITION BY p.contract ORDER BY p.number)
)
SELECT 'contract ' || contract || ': it differs from its terms and the event that tells of them' FROM term
WHERE seq IS NULL OR version <> (SELECT max(version) FROM contract_terms AS t WHERE t.contract = term.id)
    OR json_extract(data, '$.contract.contract') IS NOT contract
    OR json_extract(data, '$.contract.tenant') IS NOT tenant_name
    OR json_extract(data, '$.contract.start') IS NOT strftime('%Y-%m-%dT%H:%M:%SZ', start, 'unixepoch')
    OR json_extract(data, '$.contract.end') IS NOT strftime('%Y-%m-%dT%H:%M:%SZ', end, 'unixepoch')
    OR NOT EXISTS (SELECT 1 FROM contract_period AS p WHERE p.contract = term.id)
UNION ALL
SELECT 'contract_period ' || name || '/' || number || ': its number, start or end is not what the contract says'
FROM period
WHERE number <> place OR start <> before OR end <> after OR end <= start
    OR iif(annual,
        strftime('%Y', start, 'unixepoch') - strftime('%Y', first, 'unixepoch') <> number - 1
            OR strftime('%m-%d %H', start, 'unixepoch')
                <> iif(strftime('%m-%d', strftime('%Y', start, 'unixepoch') || '-02-29', '+0 days') = '02-29',
                    strftime('%m-%d %H', first, 'unixepoch'),
                    replace(strftime('%m-%d %H', first, 'unixepoch'), '02-29', '02-28')),
        json_extract(data, '$.contract.periods[' || (number - 1) || '].start')
            IS NOT strftime('%Y-%m-%dT%H:%M:%SZ', start, 'unixepoch'))
UNION ALL
SELECT 'contract_period ' || name || '/' || number || ': its overage is unlimited, or is not, against its terms'
FROM period WHERE NOT closed AND (overage_limit_micro IS NULL) <> (overage = 'unlimited')
LIMIT 1;

-- Places and people against the last event of each.
-- name: verify_told
WITH told AS MATERIALIZED (
    SELECT seq, type, tenant, data FROM event
    WHERE type IN ('site.added', 'site.changed', 'pool.added', 'pool.changed', 'operators.changed', 'tenant.added',
        'tenant.changed', 'token.created', 'token.revoked')
), pools AS (
    SELECT json_extract(data, '$.pool.pool') AS pool, max(seq) AS seq, data FROM told
    WHERE type IN ('pool.added', 'pool.changed') GROUP BY 1
), tenants AS (
    SELECT tenant, max(seq) AS seq, data FROM told WHERE type IN ('tenant.added', 'tenant.changed') GROUP BY 1
), uids AS (
    SELECT u.value AS uid, t.tenant FROM tenants AS t, json_each(t.data, '$.tenant.uids') AS u
    UNION ALL
    SELECT u.value, NULL
    FROM (SELECT max(seq), data FROM told WHERE type = 'operators.changed' HAVING count(*) > 0) AS t,
        json_each(t.data, '$.operators.uids') AS u
), tokens AS (
    SELECT json_extract(data, '$.token.label') AS label, max(seq) AS seq, type = 'token.revoked' AS revoked,
        json_extract(data, '$.token.tenant') AS tenant FROM told
    WHERE type IN ('token.created', 'token.revoked') GROUP BY 1
)
SELECT 'site ' || site || ': no event tells of it' FROM site
WHERE site NOT IN (SELECT json_extract(data, '$.site.site') FROM told WHERE type = 'site.added')
UNION ALL
SELECT 'pool ' || p.pool || ': it differs from the last event that tells of it'
FROM pool AS p LEFT JOIN pools AS l USING (pool)
WHERE json_extract(l.data, '$.pool.site') IS NOT (SELECT site FROM site AS s WHERE s.id = p.site)
    OR json_extract(l.data, '$.pool.gpu') IS NOT p.gpu OR json_extract(l.data, '$.pool.unit') IS NOT p.unit
    OR json_extract(l.data, '$.pool.note') IS NOT p.note
    OR CAST(round(coalesce(json_extract(l.data, '$.pool.kw_per_gpu'), 0) * 1000.0) AS INTEGER) <> p.watts_per_gpu
UNION ALL
SELECT 'pool: the one of event ' || seq || ' is missing' FROM pools WHERE pool NOT IN (SELECT pool FROM pool)
UNION ALL
SELECT 'tenant ' || t.tenant || ': it differs from the last event that tells of it'
FROM tenant AS t LEFT JOIN tenants AS l ON l.tenant = t.id
WHERE json_extract(l.data, '$.tenant.tenant') IS NOT t.tenant OR json_extract(l.data, '$.tenant.name') IS NOT t.name
    OR json_extract(l.data, '$.tenant.note') IS NOT t.note
UNION ALL
SELECT 'tenant_uid ' || uid || ': no event gives it to whom it is said to be'
FROM (SELECT uid, tenant FROM tenant_uid WHERE NOT revoked EXCEPT SELECT uid, tenant FROM uids)
UNION ALL
SELECT 'tenant_uid ' || uid || ': an event gives it to someone whose it is not said to be'
FROM (SELECT uid, tenant FROM uids EXCEPT SELECT uid, tenant FROM tenant_uid WHERE NOT revoked)
UNION ALL
SELECT 'token ' || coalesce(t.label, l.label) || ': it differs from the last event that tells of it'
FROM token AS t FULL JOIN tokens AS l ON l.label = t.label
WHERE l.seq IS NULL OR t.label IS NULL OR t.revoked <> l.revoked
    OR (SELECT tenant FROM tenant AS n WHERE n.id = t.tenant) IS NOT l.tenant
UNION ALL
SELECT 'ledger: it does not say which clock it is of, once'
WHERE (SELECT count(*) FROM ledger WHERE one = 1 AND clock IN ('system', 'manual')
    AND (clock = 'manual') = (manual_start IS NOT NULL)) <> 1
LIMIT 1;

-- name: verify_outages
WITH outage AS MATERIALIZED (
    SELECT o.id, o.pool, o.gpus, o.start, c.id AS closed, c.end
    FROM capacity_change AS o LEFT JOIN capacity_change AS c ON c.outage = o.id AND c.part = 'closed'
    WHERE o.part = 'opened'
), cut AS (
    SELECT id, outage, gpus, start, end, lag(end) OVER (PARTITION BY outage ORDER BY id) AS before
    FROM capacity_change WHERE part = 'cut'
), reach AS (
    SELECT outage, max(end) AS end FROM cut GROUP BY outage
), last AS (
    SELECT max(at) AS at FROM batch
), left_over AS (
    SELECT outage, sum(gpus * (end - max(start, min(end, (SELECT o.end FROM outage AS o WHERE o.id = outage)))) / 3600) AS gpu_hours
    FROM capacity_change WHERE part IN ('cut', 'returned') GROUP BY outage
)
SELECT 'capacity_change ' || c.id || ': it is part of an outage that is not one of its pool' AS finding
FROM capacity_change AS c LEFT JOIN outage AS o ON o.id = c.outage
WHERE c.outage IS NOT NULL AND (o.id IS NULL OR o.pool <> c.pool OR c.id < o.id)
UNION ALL
SELECT 'capacity_change ' || t.id || ': it does not follow the cut before it'
FROM cut AS t JOIN outage AS o ON o.id = t.outage WHERE coalesce(t.before, o.start) <> t.start
UNION ALL
SELECT 'capacity_change ' || t.id || ': it cuts more than its outage, or after it was closed'
FROM cut AS t JOIN outage AS o ON o.id = t.outage WHERE t.gpus NOT BETWEEN o.gpus AND 0 OR t.id > o.closed
UNION ALL
SELECT 'capacity_change ' || id || ': an outage that is closed twice' FROM outage GROUP BY id HAVING count(*) > 1
UNION ALL
SELECT 'capacity_change ' || o.id || ': an open outage that is not cut for the next 24 hours'
FROM outage AS o CROSS JOIN last AS l LEFT JOIN reach AS r ON r.outage = o.id
WHERE o.closed IS NULL AND coalesce(r.end, 0) < max(o.start, l.at - l.at % 3600) + 86400
UNION ALL
SELECT 'capacity_change ' || o.id || ': a closed outage that still takes GPUs after its end'
FROM outage AS o JOIN left_over AS e ON e.outage = o.id WHERE o.closed IS NOT NULL AND e.gpu_hours <> 0
LIMIT 1;

-- name: verify_tenants
SELECT t.tenant, t.suspended, e.seq, json_extract(e.data, '$.tenant.suspended'),
    t.requests_per_second = json_extract(e.data, '$.tenant.rate_limit.per_second')
    AND t.requests_burst = coalesce(json_extract(e.data, '$.tenant.rate_limit.burst'), 0)
FROM tenant AS t LEFT JOIN (
    SELECT tenant, max(seq) AS seq FROM event
    WHERE type IN ('tenant.added', 'tenant.changed', 'tenant.suspended', 'tenant.resumed')
    GROUP BY tenant) AS last ON last.tenant = t.id
LEFT JOIN event AS e ON e.seq = last.seq
ORDER BY t.id;

-- Of what is whose: a row that does not follow from its table, then one that is missing.

-- name: verify_indexed_events
SELECT i.event, i.tenant, 0 FROM tenant_event AS i LEFT JOIN event AS e ON e.seq = i.event
WHERE e.tenant IS NOT i.tenant OR i.event > ?1
UNION ALL
SELECT e.seq, e.tenant, 1 FROM event AS e
WHERE e.seq <= ?1 AND e.tenant IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM tenant_event AS i WHERE i.tenant = e.tenant AND i.event = e.seq)
LIMIT 1;

-- name: verify_indexed_reservations
SELECT i.reservation, i.tenant, 0 FROM tenant_reservation AS i LEFT JOIN reservation AS r ON r.id = i.reservation
WHERE r.tenant IS NOT i.tenant OR i.reservation > ?1
UNION ALL
SELECT r.id, r.tenant, 1 FROM reservation AS r
WHERE r.id <= ?1
    AND NOT EXISTS (SELECT 1 FROM tenant_reservation AS i WHERE i.tenant = r.tenant AND i.reservation = r.id)
LIMIT 1;

-- name: verify_indexed_transfers
SELECT i.transfer, i.tenant, 0
FROM tenant_transfer AS i LEFT JOIN transfer AS t ON t.id = i.transfer
LEFT JOIN contract_period AS p ON p.id = t.period LEFT JOIN contract AS k ON k.id = p.contract
WHERE k.tenant IS NOT i.tenant OR i.transfer > ?1
UNION ALL
SELECT t.id, k.tenant, 1
FROM transfer AS t CROSS JOIN contract_period AS p ON p.id = t.period CROSS JOIN contract AS k ON k.id = p.contract
WHERE t.id <= ?1
    AND NOT EXISTS (SELECT 1 FROM tenant_transfer AS i WHERE i.tenant = k.tenant AND i.transfer = t.id)
LIMIT 1;
