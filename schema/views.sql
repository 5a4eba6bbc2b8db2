-- The views: the ledger as operators read it, with names, ISO times and dollars as exact text beside the
-- integers. Each can be read with `sqlite3 -readonly ledger.db` while the daemon runs.
--
-- "Now" is the later of the system's clock and the last batch's time; on a manual clock it is the last
-- batch's time. States are by that clock: a booking whose start has passed is active before its start is
-- written down. The views are replaced as a whole when a release brings other ones.

-- The book's time, the last batch, the version of the schema.
CREATE VIEW v_now AS
WITH present AS (
    SELECT CASE WHEN l.clock = 'manual' THEN max(l.manual_start, coalesce(b.at, l.manual_start))
        ELSE max(CAST(strftime('%s', 'now') AS INTEGER), coalesce(b.at, 0)) END AS now_seconds,
        l.clock, l.schema_version, b.seq AS batch, b.at AS batch_at, b.writer, b.epoch
    FROM ledger AS l LEFT JOIN batch AS b ON b.seq = (SELECT max(seq) FROM batch)
)
SELECT strftime('%Y-%m-%dT%H:%M:%SZ', now_seconds, 'unixepoch') AS now, now_seconds, clock, batch,
    strftime('%Y-%m-%dT%H:%M:%SZ', batch_at, 'unixepoch') AS batch_at, writer, epoch, schema_version
FROM present;

-- A reservation. gpus is that of the running or next slice, or of the last window when no slice is left.
CREATE VIEW v_reservation AS
SELECT r.id, t.tenant, r.client_ref,
    CASE
        WHEN r.state = 'held' AND r.hold_expires <= n.now_seconds THEN 'expired'
        WHEN r.state = 'waiting' AND r.wait_until <= n.now_seconds THEN 'expired'
        WHEN r.state = 'booked' AND r.start <= n.now_seconds
            THEN iif(r.end <= n.now_seconds, 'completed', 'active')
        WHEN r.state = 'active' AND r.end <= n.now_seconds THEN 'completed'
        ELSE r.state END AS state,
    p.pool,
    coalesce((SELECT sum(s.gpus) FROM slice AS s
              WHERE s.reservation = r.id
                  AND s.start <= (SELECT min(max(w.start, n.now_seconds - n.now_seconds % 3600)) FROM slice AS w
                                  WHERE w.reservation = r.id AND w.end > n.now_seconds)
                  AND s.end > (SELECT min(max(w.start, n.now_seconds - n.now_seconds % 3600)) FROM slice AS w
                               WHERE w.reservation = r.id AND w.end > n.now_seconds)),
             r.gpus) AS gpus,
    strftime('%Y-%m-%dT%H:%M:%SZ', r.start, 'unixepoch') AS start,
    strftime('%Y-%m-%dT%H:%M:%SZ', r.end, 'unixepoch') AS end,
    r.tier, r.gpu_hours,
    printf('%s%d.%06d', iif(r.cost_micro < 0, '-', ''), abs(r.cost_micro) / 1000000, abs(r.cost_micro) % 1000000) AS cost,
    r.cost_micro AS cost_micro,
    printf('%s%d.%06d', iif(r.fees_micro < 0, '-', ''), abs(r.fees_micro) / 1000000, abs(r.fees_micro) % 1000000) AS fees,
    r.fees_micro AS fees_micro,
    strftime('%Y-%m-%dT%H:%M:%SZ', r.hold_expires, 'unixepoch') AS hold_expires,
    strftime('%Y-%m-%dT%H:%M:%SZ', r.wait_until, 'unixepoch') AS wait_until,
    r.project, r.note, r."group",
    strftime('%Y-%m-%dT%H:%M:%SZ', r.created, 'unixepoch') AS created
FROM reservation AS r
JOIN tenant AS t ON t.id = r.tenant
JOIN pool AS p ON p.id = r.pool
CROSS JOIN v_now AS n;

-- A contract period and its commitment. An overage without limit makes overage_limit, authority and available
-- NULL; a floor of 0 makes percent NULL.
CREATE VIEW v_commitment AS
WITH balance AS (
    SELECT period,
        sum(iif(kind = 'encumbered', balance_micro, 0)) AS encumbered,
        sum(iif(kind = 'consumed', balance_micro, 0)) AS consumed,
        sum(iif(kind = 'deferred', balance_micro, 0)) AS deferred_in,
        sum(iif(kind = 'credit', balance_micro, 0)) AS credit,
        sum(iif(kind = 'billed', balance_micro, 0)) AS billed,
        sum(iif(kind = 'fees', balance_micro, 0)) AS fees
    FROM account WHERE period IS NOT NULL GROUP BY period
), delivery AS (
    -- What was delivered since the last posting, from sums that are kept.
    SELECT p.id AS period,
        p.delivered_micro + p.delivering_micro *
            max(0, (min(n.now_seconds - n.now_seconds % 3600, p.end) - p.delivered_through) / 3600) AS unposted
    FROM contract_period AS p CROSS JOIN v_now AS n
), basis AS (
    SELECT p.*, k.contract AS contract_name, k.tenant AS tenant_id, m.surcharge_bp,
        b.deferred_in, b.credit, b.billed, b.fees,
        b.encumbered - d.unposted AS encumbered,
        b.consumed + d.unposted AS consumed,
        b.encumbered + b.consumed AS used,
        p.commit_micro + b.deferred_in AS committed,
        max(0, p.commit_micro + b.deferred_in - p.relief_micro) AS floor
    FROM contract_period AS p
    JOIN contract AS k ON k.id = p.contract
    JOIN contract_terms AS m ON m.contract = k.id AND m.version = k.version
    JOIN balance AS b ON b.period = p.id
    JOIN delivery AS d ON d.period = p.id
), reckoned AS (
    SELECT b.*,
        b.committed + b.credit + b.overage_limit_micro AS authority,
        max(0, b.used - b.committed - b.credit) AS overage,
        max(0, b.floor - b.used) AS shortfall,
        -- used / floor in basis points, rounded down, in steps that don't overflow
        iif(b.floor = 0, NULL,
            b.used / b.floor * 10000 + b.used % b.floor * 100 / b.floor * 100
                + b.used % b.floor * 100 % b.floor * 100 / b.floor) AS percent_bp
    FROM basis AS b
)
SELECT r.contract_name AS contract, t.tenant,
    strftime('%Y-%m-%dT%H:%M:%SZ', r.start, 'unixepoch') AS period_start,
    strftime('%Y-%m-%dT%H:%M:%SZ', r.end, 'unixepoch') AS period_end,
    iif(r.closed, 'closed', iif(r.end <= n.now_seconds, 'ended', iif(r.start <= n.now_seconds, 'running', 'future')))
        AS status,
    printf('%s%d.%06d', iif(r.commit_micro < 0, '-', ''), abs(r.commit_micro) / 1000000, abs(r.commit_micro) % 1000000) AS "commit",
    r.commit_micro AS commit_micro,
    printf('%s%d.%06d', iif(r.deferred_in < 0, '-', ''), abs(r.deferred_in) / 1000000, abs(r.deferred_in) % 1000000) AS deferred_in,
    r.deferred_in AS deferred_in_micro,
    printf('%s%d.%06d', iif(r.relief_micro < 0, '-', ''), abs(r.relief_micro) / 1000000, abs(r.relief_micro) % 1000000) AS relief,
    r.relief_micro AS relief_micro,
    printf('%s%d.%06d', iif(r.floor < 0, '-', ''), abs(r.floor) / 1000000, abs(r.floor) % 1000000) AS floor,
    r.floor AS floor_micro,
    printf('%s%d.%06d', iif(r.credit < 0, '-', ''), abs(r.credit) / 1000000, abs(r.credit) % 1000000) AS credit,
    r.credit AS credit_micro,
    iif(r.overage_limit_micro IS NULL, NULL, printf('%s%d.%06d', iif(r.overage_limit_micro < 0, '-', ''), abs(r.overage_limit_micro) / 1000000, abs(r.overage_limit_micro) % 1000000)) AS overage_limit, r.overage_limit_micro AS overage_limit_micro,
    iif(r.authority IS NULL, NULL, printf('%s%d.%06d', iif(r.authority < 0, '-', ''), abs(r.authority) / 1000000, abs(r.authority) % 1000000)) AS authority, r.authority AS authority_micro,
    printf('%s%d.%06d', iif(r.encumbered < 0, '-', ''), abs(r.encumbered) / 1000000, abs(r.encumbered) % 1000000) AS encumbered,
    r.encumbered AS encumbered_micro,
    printf('%s%d.%06d', iif(r.consumed < 0, '-', ''), abs(r.consumed) / 1000000, abs(r.consumed) % 1000000) AS consumed,
    r.consumed AS consumed_micro,
    printf('%s%d.%06d', iif(r.used < 0, '-', ''), abs(r.used) / 1000000, abs(r.used) % 1000000) AS used,
    r.used AS used_micro,
    iif(r.authority IS NULL, NULL, printf('%s%d.%06d', iif(max(0, r.authority - r.used) < 0, '-', ''), abs(max(0, r.authority - r.used)) / 1000000, abs(max(0, r.authority - r.used)) % 1000000)) AS available,
    max(0, r.authority - r.used) AS available_micro,
    printf('%s%d.%06d', iif(r.shortfall < 0, '-', ''), abs(r.shortfall) / 1000000, abs(r.shortfall) % 1000000) AS shortfall,
    r.shortfall AS shortfall_micro,
    printf('%s%d.%06d', iif(r.overage < 0, '-', ''), abs(r.overage) / 1000000, abs(r.overage) % 1000000) AS overage,
    r.overage AS overage_micro,
    printf('%s%d.%06d', iif(r.fees < 0, '-', ''), abs(r.fees) / 1000000, abs(r.fees) % 1000000) AS fees,
    r.fees AS fees_micro,
    printf('%d.%02d', r.percent_bp / 100, r.percent_bp % 100) AS percent,
    r.percent_bp
FROM reckoned AS r
JOIN tenant AS t ON t.id = r.tenant_id
CROSS JOIN v_now AS n
ORDER BY r.contract, r.number;

-- A pool and a step of its calendar, past steps too. The last step has no end. free_by_power is how many GPUs the
-- site's power still allows, NULL where it sets no limit.
CREATE VIEW v_capacity AS
WITH taken AS (
    -- Slices that are left stand for hours that were or will be delivered, whatever became of their reservation.
    SELECT r.pool, s.start, s.end, s.gpus
    FROM slice AS s JOIN reservation AS r ON r.id = s.reservation CROSS JOIN v_now AS n
    WHERE r.state <> 'waiting' AND NOT (r.state = 'held' AND r.hold_expires <= n.now_seconds)
), limited AS (
    -- Pools that power limits, and the pools that use of it.
    SELECT p.id AS pool, p.site, u.id AS user, u.watts_per_gpu
    FROM pool AS p JOIN pool AS u ON u.site = p.site
    WHERE p.watts_per_gpu > 0 AND u.watts_per_gpu > 0 AND p.site IN (SELECT site FROM site_power)
), edge (pool, at, capacity, reserved, watts, limits) AS (
    SELECT pool, start, gpus, 0, 0, 0 FROM capacity_change WHERE part IS NULL OR part IN ('cut', 'returned')
    UNION ALL
    SELECT pool, end, -gpus, 0, 0, 0 FROM capacity_change
    WHERE end IS NOT NULL AND (part IS NULL OR part IN ('cut', 'returned'))
    UNION ALL
    SELECT t.pool, t.start, 0, t.gpus, 0, 0 FROM taken AS t
    UNION ALL
    SELECT t.pool, t.end, 0, -t.gpus, 0, 0 FROM taken AS t
    UNION ALL
    SELECT l.pool, t.start, 0, 0, t.gpus * l.watts_per_gpu, 0 FROM limited AS l JOIN taken AS t ON t.pool = l.user
    UNION ALL
    SELECT l.pool, t.end, 0, 0, -t.gpus * l.watts_per_gpu, 0 FROM limited AS l JOIN taken AS t ON t.pool = l.user
    UNION ALL
    SELECT l.pool, w.start, 0, 0, 0, 1 FROM limited AS l JOIN site_power AS w ON w.site = l.site WHERE l.user = l.pool
), jump AS (
    SELECT pool, at, sum(capacity) AS capacity, sum(reserved) AS reserved, sum(watts) AS watts FROM edge GROUP BY pool, at
    HAVING sum(capacity) <> 0 OR sum(reserved) <> 0 OR sum(watts) <> 0 OR max(limits) = 1
), step AS (
    SELECT pool, at AS start, lead(at) OVER by_time AS end,
        sum(capacity) OVER by_time AS capacity, sum(reserved) OVER by_time AS reserved, sum(watts) OVER by_time AS watts
    FROM jump WINDOW by_time AS (PARTITION BY pool ORDER BY at)
)
SELECT p.pool,
    strftime('%Y-%m-%dT%H:%M:%SZ', s.start, 'unixepoch') AS start,
    strftime('%Y-%m-%dT%H:%M:%SZ', s.end, 'unixepoch') AS end,
    s.capacity, s.reserved, s.capacity - s.reserved AS free,
    iif(p.watts_per_gpu = 0, NULL, max(0, (SELECT w.watts FROM site_power AS w WHERE w.site = p.site AND w.start <= s.start
        ORDER BY w.start DESC LIMIT 1) - s.watts) / p.watts_per_gpu / p.unit * p.unit) AS free_by_power
FROM step AS s JOIN pool AS p ON p.id = s.pool
ORDER BY s.pool, s.start;

-- A site and a step of its power, from the first step of its envelope on: kilowatts there are, and what is booked
-- uses.
CREATE VIEW v_power AS
WITH edge (site, at, used) AS (
    SELECT p.site, s.start, s.gpus * p.watts_per_gpu
    FROM slice AS s JOIN reservation AS r ON r.id = s.reservation JOIN pool AS p ON p.id = r.pool CROSS JOIN v_now AS n
    WHERE NOT (r.state = 'held' AND r.hold_expires <= n.now_seconds)
    UNION ALL
    SELECT p.site, s.end, -s.gpus * p.watts_per_gpu
    FROM slice AS s JOIN reservation AS r ON r.id = s.reservation JOIN pool AS p ON p.id = r.pool CROSS JOIN v_now AS n
    WHERE NOT (r.state = 'held' AND r.hold_expires <= n.now_seconds)
    UNION ALL
    SELECT site, start, 0 FROM site_power
), jump AS (
    SELECT site, at, sum(used) AS used FROM edge GROUP BY site, at
), step AS (
    SELECT site, at AS start, lead(at) OVER by_time AS end, sum(used) OVER by_time AS used
    FROM jump WINDOW by_time AS (PARTITION BY site ORDER BY at)
), limited AS (
    SELECT s.*, (SELECT watts FROM site_power AS w WHERE w.site = s.site AND w.start <= s.start
                 ORDER BY w.start DESC LIMIT 1) AS watts
    FROM step AS s
)
SELECT x.site, strftime('%Y-%m-%dT%H:%M:%SZ', l.start, 'unixepoch') AS start,
    strftime('%Y-%m-%dT%H:%M:%SZ', l.end, 'unixepoch') AS end,
    l.watts / 1000.0 AS kw, l.used / 1000.0 AS used_kw, (l.watts - l.used) / 1000.0 AS free_kw,
    l.watts, l.used AS used_watts
FROM limited AS l JOIN site AS x ON x.id = l.site
WHERE l.watts IS NOT NULL
ORDER BY l.site, l.start;

-- A pool and a UTC day, from its first capacity to its last booking or today: GPU-hours offered and booked.
CREATE VIEW v_utilisation_daily AS
WITH RECURSIVE taken AS (
    -- Slices that are left stand for hours that were or will be delivered, whatever became of their reservation.
    SELECT r.pool, s.start, s.end, s.gpus
    FROM slice AS s JOIN reservation AS r ON r.id = s.reservation CROSS JOIN v_now AS n
    WHERE r.state <> 'waiting' AND NOT (r.state = 'held' AND r.hold_expires <= n.now_seconds)
), span AS (
    SELECT c.pool, min(c.start) - min(c.start) % 86400 AS start,
        max(coalesce((SELECT max(t.end) FROM taken AS t WHERE t.pool = c.pool), 0), n.now_seconds + 1) AS end
    FROM capacity_change AS c CROSS JOIN v_now AS n GROUP BY c.pool
), day (pool, at, end) AS (
    SELECT pool, start, end FROM span
    UNION ALL
    SELECT pool, at + 86400, end FROM day WHERE at < end
), edge (pool, at, capacity, reserved) AS (
    SELECT pool, start, gpus, 0 FROM capacity_change WHERE part IS NULL OR part IN ('cut', 'returned')
    UNION ALL
    SELECT pool, end, -gpus, 0 FROM capacity_change
    WHERE end IS NOT NULL AND (part IS NULL OR part IN ('cut', 'returned'))
    UNION ALL
    SELECT t.pool, t.start, 0, t.gpus FROM taken AS t
    UNION ALL
    SELECT t.pool, t.end, 0, -t.gpus FROM taken AS t
    UNION ALL
    SELECT pool, at, 0, 0 FROM day
), jump AS (
    SELECT pool, at, sum(capacity) AS capacity, sum(reserved) AS reserved FROM edge GROUP BY pool, at
), step AS (
    SELECT pool, at AS start, lead(at) OVER by_time AS end,
        sum(capacity) OVER by_time AS capacity, sum(reserved) OVER by_time AS reserved
    FROM jump WINDOW by_time AS (PARTITION BY pool ORDER BY at)
), summed AS (
    SELECT s.pool, s.start / 86400 * 86400 AS day,
        sum(s.capacity * (s.end - s.start) / 3600) AS offered, sum(s.reserved * (s.end - s.start) / 3600) AS booked
    FROM step AS s JOIN span ON span.pool = s.pool
    WHERE s.end IS NOT NULL AND s.start < span.end
    GROUP BY s.pool, s.start / 86400
)
SELECT p.pool, strftime('%Y-%m-%d', s.day, 'unixepoch') AS day,
    s.offered AS gpu_hours_offered, s.booked AS gpu_hours_booked,
    iif(s.offered = 0, NULL, round(100.0 * s.booked / s.offered, 2)) AS percent
FROM summed AS s JOIN pool AS p ON p.id = s.pool
ORDER BY s.pool, s.day;

-- A tenant's transfers in the order in which they were made, with the balance of both accounts after each.
CREATE VIEW v_statement AS
WITH posting AS (
    SELECT id AS transfer, debit_account AS account, -amount_micro AS amount FROM transfer
    UNION ALL
    SELECT id, credit_account, amount_micro FROM transfer
), running AS (
    SELECT transfer, account, sum(amount) OVER (PARTITION BY account ORDER BY transfer) AS balance FROM posting
), named AS (
    SELECT a.id, k.contract || iif(p.start IS NULL, '', '/' || strftime('%Y-%m-%dT%H:%M:%SZ', p.start, 'unixepoch')) || '/' || a.kind AS name
    FROM account AS a JOIN contract AS k ON k.id = a.contract LEFT JOIN contract_period AS p ON p.id = a.period
)
SELECT t.id, n.tenant,
    strftime('%Y-%m-%dT%H:%M:%SZ', t.at, 'unixepoch') AS at,
    t.kind, d.name AS debit_account, c.name AS credit_account,
    printf('%s%d.%06d', iif(t.amount_micro < 0, '-', ''), abs(t.amount_micro) / 1000000, abs(t.amount_micro) % 1000000) AS amount,
    t.amount_micro AS amount_micro,
    printf('%s%d.%06d', iif(x.balance < 0, '-', ''), abs(x.balance) / 1000000, abs(x.balance) % 1000000) AS debit_balance,
    x.balance AS debit_balance_micro,
    printf('%s%d.%06d', iif(y.balance < 0, '-', ''), abs(y.balance) / 1000000, abs(y.balance) % 1000000) AS credit_balance,
    y.balance AS credit_balance_micro,
    k.contract,
    strftime('%Y-%m-%dT%H:%M:%SZ', p.start, 'unixepoch') AS period_start,
    t.reservation, t.event
FROM transfer AS t
JOIN contract_period AS p ON p.id = t.period
JOIN contract AS k ON k.id = p.contract
JOIN tenant AS n ON n.id = k.tenant
JOIN named AS d ON d.id = t.debit_account
JOIN named AS c ON c.id = t.credit_account
JOIN running AS x ON x.transfer = t.id AND x.account = t.debit_account
JOIN running AS y ON y.transfer = t.id AND y.account = t.credit_account
ORDER BY n.tenant, t.id;

-- An account and its balance, credits less debits. The balances sum to zero.
CREATE VIEW v_trial_balance AS
SELECT a.id, k.contract || iif(p.start IS NULL, '', '/' || strftime('%Y-%m-%dT%H:%M:%SZ', p.start, 'unixepoch')) || '/' || a.kind AS account,
    n.tenant, k.contract,
    strftime('%Y-%m-%dT%H:%M:%SZ', p.start, 'unixepoch') AS period_start,
    a.kind,
    printf('%s%d.%06d', iif(a.balance_micro < 0, '-', ''), abs(a.balance_micro) / 1000000, abs(a.balance_micro) % 1000000) AS balance,
    a.balance_micro AS balance_micro
FROM account AS a
JOIN contract AS k ON k.id = a.contract
JOIN tenant AS n ON n.id = k.tenant
LEFT JOIN contract_period AS p ON p.id = a.period
ORDER BY a.id;

-- Any hours in which more is booked than there is. Always empty.
CREATE VIEW v_overbooked AS
WITH taken AS (
    -- Slices that are left stand for hours that were or will be delivered, whatever became of their reservation.
    SELECT r.pool, s.start, s.end, s.gpus
    FROM slice AS s JOIN reservation AS r ON r.id = s.reservation CROSS JOIN v_now AS n
    WHERE r.state <> 'waiting' AND NOT (r.state = 'held' AND r.hold_expires <= n.now_seconds)
), edge (pool, at, capacity, reserved) AS (
    SELECT pool, start, gpus, 0 FROM capacity_change WHERE part IS NULL OR part IN ('cut', 'returned')
    UNION ALL
    SELECT pool, end, -gpus, 0 FROM capacity_change
    WHERE end IS NOT NULL AND (part IS NULL OR part IN ('cut', 'returned'))
    UNION ALL
    SELECT t.pool, t.start, 0, t.gpus FROM taken AS t
    UNION ALL
    SELECT t.pool, t.end, 0, -t.gpus FROM taken AS t
), jump AS (
    SELECT pool, at, sum(capacity) AS capacity, sum(reserved) AS reserved FROM edge GROUP BY pool, at
), step AS (
    SELECT pool, at AS start, lead(at) OVER by_time AS end,
        sum(capacity) OVER by_time AS capacity, sum(reserved) OVER by_time AS reserved
    FROM jump WINDOW by_time AS (PARTITION BY pool ORDER BY at)
)
SELECT p.pool,
    strftime('%Y-%m-%dT%H:%M:%SZ', s.start, 'unixepoch') AS start,
    strftime('%Y-%m-%dT%H:%M:%SZ', s.end, 'unixepoch') AS end,
    s.capacity, s.reserved, s.reserved - s.capacity AS missing
FROM step AS s JOIN pool AS p ON p.id = s.pool
WHERE s.reserved > s.capacity
ORDER BY s.pool, s.start;

-- Events with times and names.
CREATE VIEW v_event AS
SELECT e.seq,
    strftime('%Y-%m-%dT%H:%M:%SZ', e.at, 'unixepoch') AS at,
    e.type, e.actor, t.tenant, e.reservation, e.batch, e.data
FROM event AS e LEFT JOIN tenant AS t ON t.id = e.tenant
ORDER BY e.seq;

-- A contract period and what is owed for it: max(floor - deferred_out - waived, consumed - credit_used) + fees +
-- surcharge. rest is what is due and not billed; below zero it is owed to the tenant. Before the close,
-- surcharge and credit_used are what they would be if nothing more were booked, and nothing is deferred or
-- waived yet.
CREATE VIEW v_due AS
WITH balance AS (
    SELECT period,
        sum(iif(kind = 'encumbered', balance_micro, 0)) AS encumbered,
        sum(iif(kind = 'consumed', balance_micro, 0)) AS consumed,
        sum(iif(kind = 'deferred', balance_micro, 0)) AS deferred_in,
        sum(iif(kind = 'credit', balance_micro, 0)) AS credit,
        sum(iif(kind = 'billed', balance_micro, 0)) AS billed,
        sum(iif(kind = 'fees', balance_micro, 0)) AS fees
    FROM account WHERE period IS NOT NULL GROUP BY period
), delivery AS (
    -- What was delivered since the last posting, from sums that are kept.
    SELECT p.id AS period,
        p.delivered_micro + p.delivering_micro *
            max(0, (min(n.now_seconds - n.now_seconds % 3600, p.end) - p.delivered_through) / 3600) AS unposted
    FROM contract_period AS p CROSS JOIN v_now AS n
), basis AS (
    SELECT p.*, k.contract AS contract_name, k.tenant AS tenant_id, m.surcharge_bp,
        b.deferred_in, b.credit, b.billed, b.fees,
        b.encumbered - d.unposted AS encumbered,
        b.consumed + d.unposted AS consumed,
        b.encumbered + b.consumed AS used,
        p.commit_micro + b.deferred_in AS committed,
        max(0, p.commit_micro + b.deferred_in - p.relief_micro) AS floor
    FROM contract_period AS p
    JOIN contract AS k ON k.id = p.contract
    JOIN contract_terms AS m ON m.contract = k.id AND m.version = k.version
    JOIN balance AS b ON b.period = p.id
    JOIN delivery AS d ON d.period = p.id
), drawn AS (
    SELECT b.*,
        min(b.credit, max(0, b.used - b.committed)) AS credit_drawn,
        min(b.credit, max(0, b.consumed - b.committed)) AS credit_delivered,
        max(0, b.used - b.committed - b.credit) AS overage
    FROM basis AS b
), owed AS (
    -- surcharge_bp of the overage, rounded half to even: the remainder below 10,000 is taken apart first.
    SELECT d.*,
        iif(d.closed, d.surcharge_micro,
            d.overage / 10000 * d.surcharge_bp + d.overage % 10000 * d.surcharge_bp / 10000
            + (d.overage % 10000 * d.surcharge_bp % 10000 > 5000
               OR (d.overage % 10000 * d.surcharge_bp % 10000 = 5000
                   AND (d.overage / 10000 * d.surcharge_bp + d.overage % 10000 * d.surcharge_bp / 10000) % 2 = 1)))
            AS surcharge,
        iif(d.closed, d.credit_used_micro, d.credit_drawn) AS credit_used,
        iif(d.closed, d.deferred_out_micro, 0) AS deferred_out,
        iif(d.closed, d.waived_micro, 0) AS waived
    FROM drawn AS d
), due AS (
    SELECT o.*,
        max(0, o.floor - o.deferred_out - o.waived, o.consumed - o.credit_delivered) + o.fees + o.surcharge AS due
    FROM owed AS o
)
SELECT d.contract_name AS contract, t.tenant,
    strftime('%Y-%m-%dT%H:%M:%SZ', d.start, 'unixepoch') AS period_start,
    strftime('%Y-%m-%dT%H:%M:%SZ', d.end, 'unixepoch') AS period_end,
    d.closed,
    printf('%s%d.%06d', iif(d.due < 0, '-', ''), abs(d.due) / 1000000, abs(d.due) % 1000000) AS due,
    d.due AS due_micro,
    printf('%s%d.%06d', iif(d.billed < 0, '-', ''), abs(d.billed) / 1000000, abs(d.billed) % 1000000) AS billed,
    d.billed AS billed_micro,
    printf('%s%d.%06d', iif((d.due - d.billed) < 0, '-', ''), abs((d.due - d.billed)) / 1000000, abs((d.due - d.billed)) % 1000000) AS rest,
    (d.due - d.billed) AS rest_micro,
    printf('%s%d.%06d', iif(d.fees < 0, '-', ''), abs(d.fees) / 1000000, abs(d.fees) % 1000000) AS fees,
    d.fees AS fees_micro,
    printf('%s%d.%06d', iif(d.surcharge < 0, '-', ''), abs(d.surcharge) / 1000000, abs(d.surcharge) % 1000000) AS surcharge,
    d.surcharge AS surcharge_micro,
    printf('%s%d.%06d', iif(d.relief_micro < 0, '-', ''), abs(d.relief_micro) / 1000000, abs(d.relief_micro) % 1000000) AS relief,
    d.relief_micro AS relief_micro,
    printf('%s%d.%06d', iif(d.credit < 0, '-', ''), abs(d.credit) / 1000000, abs(d.credit) % 1000000) AS credit,
    d.credit AS credit_micro,
    printf('%s%d.%06d', iif(d.credit_used < 0, '-', ''), abs(d.credit_used) / 1000000, abs(d.credit_used) % 1000000) AS credit_used,
    d.credit_used AS credit_used_micro,
    printf('%s%d.%06d', iif(d.deferred_out < 0, '-', ''), abs(d.deferred_out) / 1000000, abs(d.deferred_out) % 1000000) AS deferred_out,
    d.deferred_out AS deferred_out_micro,
    printf('%s%d.%06d', iif(d.waived < 0, '-', ''), abs(d.waived) / 1000000, abs(d.waived) % 1000000) AS waived,
    d.waived AS waived_micro,
    d.instalments_billed
FROM due AS d JOIN tenant AS t ON t.id = d.tenant_id
ORDER BY d.contract, d.number;

-- Hours that were booked and could not be delivered, by which change, and what was given back for them.
CREATE VIEW v_interruption AS
SELECT i.id, i.reservation, t.tenant, p.pool,
    strftime('%Y-%m-%dT%H:%M:%SZ', i.start, 'unixepoch') AS start,
    strftime('%Y-%m-%dT%H:%M:%SZ', i.end, 'unixepoch') AS end,
    i.gpus, i.gpus * (i.end - i.start) / 3600 AS gpu_hours,
    i.capacity_change, c.kind, -- NULL: a firm booking took the place of a preemptible one
    printf('%s%d.%06d', iif(i.relief_micro < 0, '-', ''), abs(i.relief_micro) / 1000000, abs(i.relief_micro) % 1000000) AS relief,
    i.relief_micro AS relief_micro,
    printf('%s%d.%06d', iif(i.sla_credit_micro < 0, '-', ''), abs(i.sla_credit_micro) / 1000000, abs(i.sla_credit_micro) % 1000000) AS sla_credit,
    i.sla_credit_micro AS sla_credit_micro,
    strftime('%Y-%m-%dT%H:%M:%SZ', e.at, 'unixepoch') AS at,
    i.event
FROM interruption AS i
JOIN reservation AS r ON r.id = i.reservation
JOIN tenant AS t ON t.id = r.tenant
JOIN pool AS p ON p.id = r.pool
LEFT JOIN capacity_change AS c ON c.id = i.capacity_change
JOIN event AS e ON e.seq = i.event
ORDER BY i.id;
