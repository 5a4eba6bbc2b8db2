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

-- name: write_site
INSERT INTO site (id, site, note) VALUES (?1, ?2, ?3)
ON CONFLICT (id) DO UPDATE SET site = excluded.site, note = excluded.note;

-- name: write_site_power
INSERT INTO site_power (site, start, watts) VALUES (?1, ?2, ?3)
ON CONFLICT (site, start) DO UPDATE SET watts = excluded.watts;

-- name: write_pool
INSERT INTO pool (id, site, pool, gpu, unit, watts_per_gpu, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (id) DO UPDATE SET site = excluded.site, pool = excluded.pool, gpu = excluded.gpu,
    unit = excluded.unit, watts_per_gpu = excluded.watts_per_gpu, note = excluded.note;

-- name: write_rate
INSERT INTO rate (id, pool, tier, start, price_micro, event) VALUES (?1, ?2, ?3, ?4, ?5, ?6);

-- name: write_capacity_change
INSERT INTO capacity_change (id, pool, kind, gpus, start, end, base, note, event)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9);

-- name: write_tenant
INSERT INTO tenant (id, tenant, name, suspended, note) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (id) DO UPDATE SET tenant = excluded.tenant, name = excluded.name,
    suspended = excluded.suspended, note = excluded.note;

-- name: write_uid
INSERT INTO tenant_uid (uid, tenant, revoked) VALUES (?1, ?2, ?3)
ON CONFLICT (uid) DO UPDATE SET tenant = excluded.tenant, revoked = excluded.revoked;

-- name: write_token
INSERT INTO token (label, tenant, salt, hash, created, revoked) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (label) DO UPDATE SET revoked = excluded.revoked;

-- name: write_contract
INSERT INTO contract (id, tenant, contract, start, end, version, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (id) DO UPDATE SET tenant = excluded.tenant, contract = excluded.contract,
    start = excluded.start, end = excluded.end, version = excluded.version, note = excluded.note;

-- name: write_contract_terms
INSERT INTO contract_terms (contract, version, annual, annual_commit_micro, overage, overage_limit_micro,
    overage_limit_bp, surcharge_bp, defer_bp, defer_until, shortfall_then, billing, cancel_notice_hours,
    late_fee_bp, sla_credit_bp, termination_notice_from, termination_notice_days, discount_bp, event)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19);

-- name: write_contract_price
INSERT INTO contract_price (contract, version, pool, tier, price_micro) VALUES (?1, ?2, ?3, ?4, ?5);

-- name: write_contract_pool
INSERT INTO contract_pool (contract, version, pool) VALUES (?1, ?2, ?3);

-- name: write_contract_period
INSERT INTO contract_period (id, contract, number, start, end, commit_micro, overage_limit_micro,
    relief_micro, deferred_out_micro, waived_micro, credit_used_micro, surcharge_micro, fees_billed_micro,
    instalments_billed, threshold, closed, imported, delivered_through, delivered_micro, delivering_micro)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)
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
INSERT INTO account (id, contract, period, kind, balance_micro) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (id) DO UPDATE SET balance_micro = excluded.balance_micro;

-- name: write_reservation
INSERT INTO reservation (id, tenant, pool, tier, state, start, end, gpus, created, hold_expires, wait_until,
    cost_micro, gpu_hours, fees_micro, "group", legs, last_slice, last_layer, client_ref, project, note)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)
ON CONFLICT (id) DO UPDATE SET state = excluded.state, start = excluded.start, end = excluded.end,
    gpus = excluded.gpus, hold_expires = excluded.hold_expires, wait_until = excluded.wait_until,
    cost_micro = excluded.cost_micro, gpu_hours = excluded.gpu_hours, fees_micro = excluded.fees_micro,
    last_slice = excluded.last_slice, last_layer = excluded.last_layer;

-- name: write_slice
INSERT INTO slice (reservation, number, layer, start, end, gpus, price_micro, period)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT (reservation, number) DO UPDATE SET layer = excluded.layer, start = excluded.start,
    end = excluded.end, gpus = excluded.gpus, price_micro = excluded.price_micro, period = excluded.period;

-- name: remove_slice
DELETE FROM slice WHERE reservation = ?1 AND number = ?2;

-- name: write_client_ref
INSERT INTO client_ref (tenant, client_ref, method, request, thing, is_group, event, batch)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8);

-- name: write_event
INSERT INTO event (seq, at, type, actor, tenant, reservation, data, batch)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8);

-- name: write_transfer
INSERT INTO transfer (id, at, kind, debit_account, credit_account, amount_micro, period, reservation, event)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9);

-- name: write_manifest
INSERT INTO manifest (one, note) VALUES (1, ?1) ON CONFLICT (one) DO UPDATE SET note = excluded.note;

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
SELECT id, pool, kind, gpus, start, end, base, note, event FROM capacity_change ORDER BY id;

-- name: load_tenants
SELECT id, tenant, name, suspended, note FROM tenant ORDER BY id;

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
    gpu_hours, fees_micro, "group", legs, last_slice, last_layer, client_ref, project, note
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
    gpu_hours, fees_micro, "group", legs, last_slice, last_layer, client_ref, project, note
FROM reservation
WHERE id > ?1 AND (?2 = 0 OR pool = ?2) AND (?3 IS NULL OR project = ?3) AND end > ?4 AND start < ?5
ORDER BY id;

-- name: read_tenant_reservations
SELECT id, tenant, pool, tier, state, start, end, gpus, created, hold_expires, wait_until, cost_micro,
    gpu_hours, fees_micro, "group", legs, last_slice, last_layer, client_ref, project, note
FROM reservation
WHERE id > ?1 AND (?2 = 0 OR pool = ?2) AND (?3 IS NULL OR project = ?3) AND end > ?4 AND start < ?5
    AND tenant = ?6
ORDER BY id;

-- name: read_reservation
SELECT id, tenant, pool, tier, state, start, end, gpus, created, hold_expires, wait_until, cost_micro,
    gpu_hours, fees_micro, "group", legs, last_slice, last_layer, client_ref, project, note
FROM reservation WHERE id = ?1;

-- name: read_slices
SELECT reservation, number, layer, start, end, gpus, price_micro, period
FROM slice WHERE reservation = ?1 ORDER BY number;

-- name: read_transfers
SELECT id, at, kind, debit_account, credit_account, amount_micro, period, reservation, event
FROM transfer WHERE id > ?1 AND at >= ?2 AND at < ?3 ORDER BY id LIMIT ?4;

-- name: read_period_transfers
SELECT id, at, kind, debit_account, credit_account, amount_micro, period, reservation, event
FROM transfer WHERE period = ?5 AND id > ?1 AND at >= ?2 AND at < ?3 ORDER BY id LIMIT ?4;

-- name: read_tenant_periods
SELECT p.id FROM contract_period AS p JOIN contract AS c ON c.id = p.contract WHERE c.tenant = ?1
ORDER BY p.id;

-- name: read_events
SELECT seq, at, type, actor, tenant, reservation, data, batch FROM event WHERE seq > ?1 ORDER BY seq LIMIT ?2;

-- name: read_tenant_events
SELECT seq, at, type, actor, tenant, reservation, data, batch
FROM event WHERE tenant = ?3 AND seq > ?1 ORDER BY seq LIMIT ?2;
