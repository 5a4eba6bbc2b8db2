-- The peer of the benchmark: colossusd's booking, done inside PostgreSQL by one function.
--
-- It is written to be as fast as PostgreSQL allows while doing the same job. A booking leaves the same facts as
-- in colossusd's ledger: a reservation, its slices, a transfer for each, an event with its JSON, and the
-- client_ref. Like the ledger it has foreign keys, and a tenant's rows can be found; peer_fill.sql adds what
-- both need when the tables are full. Without the foreign keys it books a fifth more, without the indexes by
-- tenant a few percent. What else the ledger has is left out, to PostgreSQL's advantage: CHECK constraints, the
-- triggers that keep what happened, and the chain of hashes.
--
-- Capacity is exact in each hour: a row for each pool and week has what is used in each of its hours, and a
-- booking locks the rows of its weeks in their order, looks, and adds its GPUs. Other ways were measured too,
-- with 16 clients on two busy processors. First bookings a second with 1,000 and with 100,000 reservations,
-- then the server's processor time for a booking, which depends less on what else the machine does:
--
--     a row for each pool and week, with an array of its hours        4,700  4,600    384 us  394 us
--     what changes by the hour, and the level where a week begins     4,500  2,100    413 us  848 us
--     a row for each pool and hour                                    2,600  2,400    713 us  748 us
--     a sum over what a GiST index finds, with a lock on the weeks    3,700  1,900    481 us  937 us
--     the same, with a lock on the pool                               2,800  1,500    583 us  1,040 us
--     no look at the capacity at all                                  6,300  3,900    266 us  304 us
--
-- A commit_delay gains nothing, and neither do plans forced to be generic. SQL functions are declared STABLE
-- even where one would call them IMMUTABLE, because only so are they expanded where they are called, instead
-- of being parsed each time.

CREATE TABLE pool (
    id integer PRIMARY KEY,
    pool text NOT NULL UNIQUE,
    unit integer NOT NULL,
    capacity integer NOT NULL,
    price_micro bigint NOT NULL
);

-- Element n of `used` is hour n - 1 of the week. Weeks are counted from 1970, as hours are in Unix seconds.
CREATE TABLE pool_week (
    pool integer NOT NULL,
    week integer NOT NULL,
    used integer[] NOT NULL,
    PRIMARY KEY (pool, week)
) WITH (fillfactor = 40); -- room for new versions of a row beside it, so that the index needs no new entry

CREATE TABLE tenant (
    id integer PRIMARY KEY,
    tenant text NOT NULL UNIQUE
);

CREATE TABLE contract (
    id integer PRIMARY KEY,
    tenant integer NOT NULL UNIQUE,
    contract text NOT NULL UNIQUE,
    start bigint NOT NULL,
    "end" bigint NOT NULL
);

CREATE TABLE contract_period (
    id integer PRIMARY KEY,
    contract integer NOT NULL,
    start bigint NOT NULL,
    "end" bigint NOT NULL,
    authority_account integer NOT NULL,
    encumbered_account integer NOT NULL,
    UNIQUE (contract, start)
);

-- What of a period changes with each booking.
CREATE TABLE balance (
    period integer PRIMARY KEY,
    authority_micro bigint NOT NULL,
    encumbered_micro bigint NOT NULL,
    consumed_micro bigint NOT NULL
) WITH (fillfactor = 20);

CREATE SEQUENCE reservation_id;
CREATE SEQUENCE transfer_id;
CREATE SEQUENCE event_seq;

CREATE TABLE client_ref (
    tenant integer NOT NULL,
    client_ref text NOT NULL,
    method text NOT NULL,
    request text NOT NULL, -- as resolved, to tell a repetition from a conflict
    thing bigint NOT NULL,
    event bigint NOT NULL,
    PRIMARY KEY (tenant, client_ref)
);

CREATE TABLE reservation (
    id bigint PRIMARY KEY,
    tenant integer NOT NULL,
    pool integer NOT NULL,
    tier text NOT NULL,
    state text NOT NULL,
    start bigint NOT NULL,
    "end" bigint NOT NULL,
    gpus integer NOT NULL,
    created bigint NOT NULL,
    hold_expires bigint,
    wait_until bigint,
    cost_micro bigint NOT NULL,
    gpu_hours bigint NOT NULL,
    fees_micro bigint NOT NULL,
    "group" bigint,
    legs integer,
    last_slice integer NOT NULL,
    last_layer integer NOT NULL,
    client_ref text,
    project text,
    note text
);

CREATE TABLE slice (
    reservation bigint NOT NULL,
    number integer NOT NULL,
    layer integer NOT NULL,
    start bigint NOT NULL,
    "end" bigint NOT NULL,
    gpus integer NOT NULL,
    price_micro bigint NOT NULL,
    period integer NOT NULL,
    PRIMARY KEY (reservation, number)
);

CREATE TABLE transfer (
    id bigint PRIMARY KEY,
    at bigint NOT NULL,
    kind text NOT NULL,
    debit_account integer NOT NULL,
    credit_account integer NOT NULL,
    amount_micro bigint NOT NULL,
    period integer NOT NULL,
    reservation bigint,
    event bigint NOT NULL
);

CREATE TABLE event (
    seq bigint PRIMARY KEY,
    at bigint NOT NULL,
    type text NOT NULL,
    actor text,
    tenant integer,
    reservation bigint,
    data json NOT NULL
);

-- ---- The event's JSON, as colossusd writes it

CREATE FUNCTION time_text(seconds bigint) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT to_char(to_timestamp(seconds) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
$$;

CREATE FUNCTION amount_text(micro bigint) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT to_char(micro / 1000000.0, 'FM999999999999990.009999')
$$;

CREATE FUNCTION slice_data(part slice, contract text, period_start bigint) RETURNS json
LANGUAGE sql STABLE AS $$
    SELECT json_build_object(
        'start', time_text(part.start), 'end', time_text(part."end"), 'gpus', part.gpus,
        'price_per_gpu_hour', amount_text(part.price_micro),
        'cost', amount_text(part.gpus * ((part."end" - part.start) / 3600) * part.price_micro),
        'contract', contract, 'period_start', time_text(period_start))
$$;

CREATE FUNCTION event_data(made reservation, tenant text, pool text, slices json) RETURNS json
LANGUAGE sql STABLE AS $$
    SELECT json_build_object('reservation', json_build_object(
        'id', made.id, 'tenant', tenant, 'client_ref', made.client_ref, 'state', made.state, 'pool', pool,
        'gpus', made.gpus, 'start', time_text(made.start), 'end', time_text(made."end"), 'tier', made.tier,
        'gpu_hours', made.gpu_hours, 'cost', amount_text(made.cost_micro),
        'fees', amount_text(made.fees_micro), 'hold_expires', time_text(made.hold_expires),
        'wait_until', time_text(made.wait_until), 'project', made.project, 'note', made.note,
        'group', made."group", 'created', time_text(made.created), 'slices', slices))
$$;

-- ---- Booking

CREATE FUNCTION request_text(pool_name text, asked_gpus integer, asked_start bigint, asked_hours integer)
RETURNS text LANGUAGE sql STABLE AS $$
    SELECT pool_name || ' ' || asked_gpus || ' ' || asked_start || ' ' || asked_hours
$$;

-- Answers 'booked', or 'replayed' when the same request was booked before. A refusal is an exception, so that
-- nothing of the request stays. Locks are taken in one order, client_ref, weeks, periods, so that no two
-- bookings wait for each other.
CREATE FUNCTION book(tenant_name text, pool_name text, asked_gpus integer, asked_start bigint,
                     asked_hours integer, asked_ref text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    now_seconds bigint := floor(extract(epoch FROM now()));
    asked_end bigint := asked_start + asked_hours * 3600;
    asked text := request_text(pool_name, asked_gpus, asked_start, asked_hours);
    tenant_number integer;
    contract_number integer;
    contract_name text;
    contract_start bigint;
    contract_end bigint;
    pool_number integer;
    pool_unit integer;
    pool_capacity integer;
    price bigint;
    earlier text;
    reservation_number bigint := nextval('reservation_id');
    event_number bigint := nextval('event_seq');
    hours_used integer[];
    first_hour integer;
    last_hour integer;
    most_used integer;
    its_period record;
    amount bigint;
    cost bigint := 0;
    part slice;
    part_count integer := 0;
    slices json[] := '{}';
    made reservation;
BEGIN
    SELECT t.id, c.id, c.contract, c.start, c."end", p.id, p.unit, p.capacity, p.price_micro
    INTO tenant_number, contract_number, contract_name, contract_start, contract_end, pool_number, pool_unit,
        pool_capacity, price
    FROM tenant AS t LEFT JOIN contract AS c ON c.tenant = t.id CROSS JOIN pool AS p
    WHERE t.tenant = tenant_name AND p.pool = pool_name;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'not_found';
    END IF;
    IF asked_gpus < 1 OR asked_gpus % pool_unit <> 0 OR asked_hours < 1 OR asked_start % 3600 <> 0
        OR asked_start < now_seconds - now_seconds % 3600 THEN
        RAISE EXCEPTION 'invalid_params';
    END IF;

    -- Waits for a transaction that is booking with the same reference.
    INSERT INTO client_ref (tenant, client_ref, method, request, thing, event)
    VALUES (tenant_number, asked_ref, 'reservation.create', asked, reservation_number, event_number)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        SELECT request INTO earlier FROM client_ref WHERE tenant = tenant_number AND client_ref = asked_ref;
        IF earlier <> asked THEN
            RAISE EXCEPTION 'conflict';
        END IF;
        RETURN 'replayed';
    END IF;
    IF contract_number IS NULL OR asked_start < contract_start OR asked_end > contract_end THEN
        RAISE EXCEPTION 'no_contract';
    END IF;

    FOR its_week IN asked_start / 604800 .. (asked_end - 1) / 604800 LOOP
        SELECT used INTO hours_used FROM pool_week WHERE pool = pool_number AND week = its_week FOR UPDATE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'beyond_horizon';
        END IF;
        first_hour := greatest(asked_start / 3600 - its_week * 168, 0) + 1;
        last_hour := least(asked_end / 3600 - its_week * 168, 168);
        SELECT max(hour) INTO most_used FROM unnest(hours_used[first_hour:last_hour]) AS hour;
        IF asked_gpus > pool_capacity - most_used THEN
            RAISE EXCEPTION 'capacity_exceeded' USING DETAIL = 'free: ' || pool_capacity - most_used;
        END IF;
        UPDATE pool_week
        SET used = hours_used[:first_hour - 1]
            || ARRAY(SELECT hour + asked_gpus FROM unnest(hours_used[first_hour:last_hour]) AS hour)
            || hours_used[last_hour + 1:]
        WHERE pool = pool_number AND week = its_week;
    END LOOP;

    FOR its_period IN
        SELECT id, start, greatest(start, asked_start) AS cut_start, least("end", asked_end) AS cut_end,
            authority_account, encumbered_account
        FROM contract_period
        WHERE contract = contract_number AND start < asked_end AND "end" > asked_start
        ORDER BY start
    LOOP
        amount := asked_gpus * ((its_period.cut_end - its_period.cut_start) / 3600) * price;
        UPDATE balance SET encumbered_micro = encumbered_micro + amount
        WHERE period = its_period.id AND encumbered_micro + consumed_micro + amount <= authority_micro;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'commitment_exceeded'
                USING DETAIL = 'period_start: ' || time_text(its_period.start);
        END IF;
        cost := cost + amount;
        part_count := part_count + 1;
        INSERT INTO slice (reservation, number, layer, start, "end", gpus, price_micro, period)
        VALUES (reservation_number, part_count, 1, its_period.cut_start, its_period.cut_end, asked_gpus,
                price, its_period.id)
        RETURNING * INTO part;
        INSERT INTO transfer (id, at, kind, debit_account, credit_account, amount_micro, period, reservation,
                              event)
        VALUES (nextval('transfer_id'), now_seconds, 'book', its_period.authority_account,
                its_period.encumbered_account, amount, its_period.id, reservation_number, event_number);
        slices := slices || slice_data(part, contract_name, its_period.start);
    END LOOP;

    INSERT INTO reservation (id, tenant, pool, tier, state, start, "end", gpus, created, cost_micro,
                             gpu_hours, fees_micro, last_slice, last_layer, client_ref)
    VALUES (reservation_number, tenant_number, pool_number, 'firm', 'booked', asked_start, asked_end,
            asked_gpus, now_seconds, cost, asked_gpus::bigint * asked_hours, 0, part_count, 1, asked_ref)
    RETURNING * INTO made;
    INSERT INTO event (seq, at, type, actor, tenant, reservation, data)
    VALUES (event_number, now_seconds, 'reservation.booked', session_user, tenant_number, reservation_number,
            event_data(made, tenant_name, pool_name, array_to_json(slices)));
    RETURN 'booked';
END
$$;
