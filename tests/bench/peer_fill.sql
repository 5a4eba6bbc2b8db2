-- Puts the benchmark's scenario into the tables of peer.sql: the large pools, the tenants with their
-- contracts, and live reservations. scenario.c has the same sizes and amounts.
--
--     psql -v origin=UNIX_SECONDS -v live=NUMBER -v seed=NUMBER
--
-- origin is the hour in which the contracts begin; the seed is from 0 on.
SET work_mem = '128MB';
SELECT setseed((:seed % 1000000) / 1000000.0);

INSERT INTO pool (id, pool, unit, capacity, price_micro)
SELECT number, 'colossus-1/h100-' || number, 8, 2000000, 2350000 FROM generate_series(1, 5) AS number;

INSERT INTO tenant (id, tenant)
SELECT number, 'tenant-' || to_char(number, 'FM00') FROM generate_series(1, 64) AS number;

-- Eleven periods of a year, so that the last booking of the ten years still lies in one.
CREATE TEMPORARY TABLE year AS
SELECT number, extract(epoch FROM origin + make_interval(years => number - 1))::bigint AS start,
    extract(epoch FROM origin + make_interval(years => number))::bigint AS "end"
FROM generate_series(1, 11) AS number
    CROSS JOIN (SELECT to_timestamp(:origin) AT TIME ZONE 'UTC' AS origin) AS first;

INSERT INTO contract (id, tenant, contract, start, "end")
SELECT t.id, t.id, 'contract-' || to_char(t.id, 'FM00'), min(y.start), max(y."end")
FROM tenant AS t CROSS JOIN year AS y GROUP BY t.id;

INSERT INTO contract_period (id, contract, start, "end", authority_account, encumbered_account)
SELECT id, contract, start, "end", 2 * id, 2 * id + 1
FROM (SELECT (c.id - 1) * 11 + number AS id, c.id AS contract, y.start, y."end"
      FROM contract AS c CROSS JOIN year AS y) AS numbered;

-- ---- The reservations: a week each, anywhere in the ten years

INSERT INTO reservation (id, tenant, pool, tier, state, start, "end", gpus, created, cost_micro, gpu_hours,
                         fees_micro, last_slice, last_layer, client_ref)
SELECT id, tenant, pool, 'firm', 'booked', start, start + 604800, gpus, :origin,
    gpus * 168 * BIGINT '2350000', gpus * 168, 0, 1, 1, 'run-1-' || id
FROM (SELECT id, 1 + floor(random() * 64)::integer AS tenant, 1 + floor(random() * 5)::integer AS pool,
          8 * (1 + floor(random() * 4)::integer) AS gpus,
          :origin + 3600 * (24 + floor(random() * (87600 - 168 - 24))::bigint) AS start
      FROM generate_series(1, :live) AS id) AS chosen;

INSERT INTO slice (reservation, number, layer, start, "end", gpus, price_micro, period)
SELECT r.id, row_number() OVER (PARTITION BY r.id ORDER BY p.start), 1, greatest(r.start, p.start),
    least(r."end", p."end"), r.gpus, 2350000, p.id
FROM reservation AS r JOIN contract_period AS p
    ON p.contract = r.tenant AND p.start < r."end" AND p."end" > r.start;

UPDATE reservation AS r SET last_slice = 2 FROM slice AS s WHERE s.reservation = r.id AND s.number = 2;

INSERT INTO transfer (id, at, kind, debit_account, credit_account, amount_micro, period, reservation, event)
SELECT row_number() OVER (ORDER BY s.reservation, s.number), :origin, 'book', p.authority_account,
    p.encumbered_account, s.gpus * ((s."end" - s.start) / 3600) * s.price_micro, p.id, s.reservation,
    s.reservation
FROM slice AS s JOIN contract_period AS p ON p.id = s.period;

INSERT INTO event (seq, at, type, actor, tenant, reservation, data)
SELECT r.id, :origin, 'reservation.booked', session_user, r.tenant, r.id,
    event_data(r, t.tenant, p.pool,
               json_agg(slice_data(s, c.contract, y.start) ORDER BY s.number))
FROM reservation AS r JOIN tenant AS t ON t.id = r.tenant JOIN pool AS p ON p.id = r.pool
    JOIN contract AS c ON c.tenant = t.id JOIN slice AS s ON s.reservation = r.id
    JOIN contract_period AS y ON y.id = s.period
GROUP BY r.id, t.id, p.id, c.id;

INSERT INTO client_ref (tenant, client_ref, method, request, thing, event)
SELECT r.tenant, r.client_ref, 'reservation.create',
    request_text(p.pool, r.gpus, r.start, ((r."end" - r.start) / 3600)::integer), r.id, r.id
FROM reservation AS r JOIN pool AS p ON p.id = r.pool;

SELECT setval('reservation_id', :live), setval('event_seq', :live), setval('transfer_id', max(id))
FROM transfer;

-- ---- What follows from them: the balances, and what is used in each hour

INSERT INTO balance (period, authority_micro, encumbered_micro, consumed_micro)
SELECT p.id, 16500000000000000, coalesce(sum(t.amount_micro), 0), 0
FROM contract_period AS p LEFT JOIN transfer AS t ON t.period = p.id GROUP BY p.id;

INSERT INTO pool_week (pool, week, used)
WITH change AS (
    SELECT pool, start / 3600 AS hour, gpus FROM reservation
    UNION ALL
    SELECT pool, "end" / 3600, -gpus FROM reservation
), summed AS (
    SELECT pool, hour, sum(gpus) AS gpus FROM change GROUP BY pool, hour
), running AS (
    SELECT p.id AS pool, calendar.hour,
        coalesce(sum(s.gpus) OVER (PARTITION BY p.id ORDER BY calendar.hour), 0) AS used
    FROM pool AS p
        CROSS JOIN generate_series(:origin / 604800 * 168,
                                   (:origin / 604800 + 523) * 168 - 1) AS calendar (hour)
        LEFT JOIN summed AS s ON s.pool = p.id AND s.hour = calendar.hour
)
SELECT pool, hour / 168, array_agg(used::integer ORDER BY hour) FROM running GROUP BY pool, hour / 168;

-- ---- What names another row, and how a tenant's rows are found. A booking writes its reservation and its event
-- ---- after what names them.

ALTER TABLE pool_week ADD FOREIGN KEY (pool) REFERENCES pool;
ALTER TABLE contract ADD FOREIGN KEY (tenant) REFERENCES tenant;
ALTER TABLE contract_period ADD FOREIGN KEY (contract) REFERENCES contract;
ALTER TABLE balance ADD FOREIGN KEY (period) REFERENCES contract_period;
ALTER TABLE client_ref ADD FOREIGN KEY (tenant) REFERENCES tenant;
ALTER TABLE reservation
    ADD FOREIGN KEY (tenant) REFERENCES tenant,
    ADD FOREIGN KEY (pool) REFERENCES pool;
ALTER TABLE slice
    ADD FOREIGN KEY (reservation) REFERENCES reservation DEFERRABLE INITIALLY DEFERRED,
    ADD FOREIGN KEY (period) REFERENCES contract_period;
ALTER TABLE transfer
    ADD FOREIGN KEY (period) REFERENCES contract_period,
    ADD FOREIGN KEY (reservation) REFERENCES reservation DEFERRABLE INITIALLY DEFERRED,
    ADD FOREIGN KEY (event) REFERENCES event DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE event
    ADD FOREIGN KEY (tenant) REFERENCES tenant,
    ADD FOREIGN KEY (reservation) REFERENCES reservation;

CREATE INDEX reservation_of_tenant ON reservation (tenant, id);
CREATE INDEX event_of_tenant ON event (tenant, seq);
CREATE INDEX transfer_of_period ON transfer (period, id);

VACUUM ANALYZE;
CHECKPOINT;
