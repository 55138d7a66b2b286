-- The points room: sums over postings. Balances of the accounts that keep none in
-- a row, which are the other side of postings, and the points of a program by
-- when they expire. The rollup has what was posted below a horizon, and what lies
-- above it is added when somebody asks.

CREATE TABLE IF NOT EXISTS o2o.points_rollup (
	account_id bigint NOT NULL PRIMARY KEY,
	balance numeric(38, 4) NOT NULL
);
COMMENT ON TABLE o2o.points_rollup IS 'What accounts got as the other side of postings below the horizon of points_rollup_horizon, one row an account; without a row: nothing. Written by points_rollup_advance() alone; points_system_balance() adds what was posted since.';
COMMENT ON COLUMN o2o.points_rollup.account_id IS 'Account; refers to points_system_account, or to the points_account of a seller or partner';
COMMENT ON COLUMN o2o.points_rollup.balance IS 'Minus the amounts of all postings below the horizon that have it as contra_account_id, in points; all that a program ever issued may be more than one amount of points can be';

CREATE TABLE IF NOT EXISTS o2o.points_rollup_lot (
	program text NOT NULL,
	expires_by timestamptz NOT NULL,
	amount numeric(38, 4) NOT NULL,
	PRIMARY KEY (program, expires_by)
);
COMMENT ON TABLE o2o.points_rollup_lot IS 'What came into lots and went out of them below the horizon of points_rollup_horizon, one row a program and hour of expiry: what remained in them. Rows of hours that are over are taken away. Written by points_rollup_advance() alone; points_outstanding() adds what was posted since.';
COMMENT ON COLUMN o2o.points_rollup_lot.program IS 'Points program; refers to points_program';
COMMENT ON COLUMN o2o.points_rollup_lot.expires_by IS 'Lots that expire at this moment or less than an hour before it: full hours of UTC; infinity: those that never do';
COMMENT ON COLUMN o2o.points_rollup_lot.amount IS 'Sum of the amounts of all postings below the horizon to such lots, in points';

CREATE TABLE IF NOT EXISTS o2o.points_rollup_horizon (
	only_one boolean NOT NULL DEFAULT true PRIMARY KEY CHECK (only_one),
	horizon bigint NOT NULL DEFAULT 0,
	advanced_at timestamptz
);
COMMENT ON TABLE o2o.points_rollup_horizon IS 'How far the rollup goes: one row.';
COMMENT ON COLUMN o2o.points_rollup_horizon.only_one IS 'Always true: there is one row';
COMMENT ON COLUMN o2o.points_rollup_horizon.horizon IS 'Postings with a seq below it are in points_rollup, the others are not; no transaction can write one below it any more';
COMMENT ON COLUMN o2o.points_rollup_horizon.advanced_at IS 'When it last advanced; NULL: never';
INSERT INTO o2o.points_rollup_horizon DEFAULT VALUES ON CONFLICT DO NOTHING;

CREATE OR REPLACE FUNCTION o2o.change_horizon() RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (SELECT b.base + pg_snapshot_xmin(pg_current_snapshot())::text::bigint
		FROM o2o.change_base b WHERE b.system_identifier = o2o.cluster_identifier());
END $$;
COMMENT ON FUNCTION o2o.change_horizon() IS 'The change number below which everything is there for this statement''s snapshot: what has a lower change_seq() is committed and seen, or rolled back; prepared transactions keep it down as open ones do. NULL in a cluster (after dump and restore) in which nothing was written yet.';

CREATE OR REPLACE FUNCTION o2o.points_expiry_hour(expires_at timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN date_bin('1 hour', expires_at - interval '1 microsecond', timestamptz '2000-01-01 00:00:00+00') + interval '1 hour';
COMMENT ON FUNCTION o2o.points_expiry_hour(timestamptz) IS 'The full hour of UTC at which, or less than an hour before which, points expire that expire then: expires_by of points_rollup_lot.';

CREATE OR REPLACE VIEW o2o.points_contra_account AS
SELECT s.account_id, s.program, s.kind FROM o2o.points_system_account s
UNION ALL
SELECT a.account_id, a.program, a.kind FROM o2o.points_account a WHERE a.kind IN ('seller', 'partner_prepaid', 'partner_postpaid');
COMMENT ON VIEW o2o.points_contra_account IS 'One row per account that can be the other side of a posting: system accounts, sellers and partners. Live.';
COMMENT ON COLUMN o2o.points_contra_account.account_id IS 'Number of the account';
COMMENT ON COLUMN o2o.points_contra_account.program IS 'Points program';
COMMENT ON COLUMN o2o.points_contra_account.kind IS 'Kind of points_system_account or of points_account';

CREATE OR REPLACE FUNCTION o2o.points_rollup_advance() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
	old_horizon bigint;
	new_horizon bigint;
	taken bigint;
BEGIN
	-- The base of this cluster must be there: without one there is no horizon.
	PERFORM o2o.change_seq();
	SELECT h.horizon INTO old_horizon FROM o2o.points_rollup_horizon h FOR UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	-- What was complete for one statement is complete for the next.
	new_horizon := o2o.change_horizon();
	IF new_horizon <= old_horizon THEN
		RETURN 0;
	END IF;
	WITH posted AS MATERIALIZED (
		SELECT p.contra_account_id, p.expires_at, o2o.points_total(p.amount) AS amount, count(*) AS postings
		FROM o2o.points_posting p
		WHERE p.seq >= old_horizon AND p.seq < new_horizon
		GROUP BY p.contra_account_id, p.expires_at
	), rolled AS (
		INSERT INTO o2o.points_rollup AS r (account_id, balance)
		SELECT p.contra_account_id, - sum(p.amount) FROM posted p GROUP BY p.contra_account_id
		ON CONFLICT ON CONSTRAINT points_rollup_pkey DO UPDATE SET balance = r.balance + excluded.balance
	), lot AS (
		-- The account on the other side is of the same program.
		INSERT INTO o2o.points_rollup_lot AS r (program, expires_by, amount)
		SELECT c.program, o2o.points_expiry_hour(p.expires_at), sum(p.amount)
		FROM posted p JOIN o2o.points_contra_account c ON c.account_id = p.contra_account_id
		WHERE p.expires_at IS NOT NULL
		GROUP BY c.program, o2o.points_expiry_hour(p.expires_at)
		ON CONFLICT ON CONSTRAINT points_rollup_lot_pkey DO UPDATE SET amount = r.amount + excluded.amount
	)
	SELECT coalesce(sum(p.postings), 0) INTO taken FROM posted p;
	DELETE FROM o2o.points_rollup_lot r WHERE r.expires_by < now() - interval '1 day';
	UPDATE o2o.points_rollup_horizon h SET horizon = new_horizon, advanced_at = clock_timestamp();
	RETURN taken;
END $$;
COMMENT ON FUNCTION o2o.points_rollup_advance() IS 'Takes into the rollup what was posted below the oldest transaction that is still open; maintain() calls it. Returns the number of postings, NULL where another session is at it. Whoever posts neither waits for it nor is waited for. Postings of open and prepared transactions come in later, none is lost and none comes twice. Error: 40001 under REPEATABLE READ, when another session advanced meanwhile.';

CREATE OR REPLACE FUNCTION o2o.points_contra_balance(account_ids bigint[] DEFAULT NULL)
RETURNS TABLE (account_id bigint, balance numeric)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
	since bigint := (SELECT h.horizon FROM o2o.points_rollup_horizon h);
BEGIN
	-- A stable function: horizon, rollup and postings are of one snapshot. The
	-- horizon stands apart so that the plan is made for its value.
	RETURN QUERY
	SELECT b.account_id, sum(b.balance)
	FROM (
		SELECT r.account_id, r.balance FROM o2o.points_rollup r
		WHERE account_ids IS NULL OR r.account_id = ANY (account_ids)
		UNION ALL
		SELECT p.contra_account_id, - o2o.points_total(p.amount) FROM o2o.points_posting p
		WHERE p.seq >= since AND (account_ids IS NULL OR p.contra_account_id = ANY (account_ids))
		GROUP BY p.contra_account_id
	) b
	GROUP BY b.account_id;
END $$;
COMMENT ON FUNCTION o2o.points_contra_balance(bigint[]) IS 'What accounts got as the other side of postings, all of them or the ones given: the rollup, and what was posted at or above its horizon. Exact at any time, however long ago the rollup advanced; the longer, the more is read. An account that never was the other side has no row.';

CREATE OR REPLACE FUNCTION o2o.points_outstanding(program text) RETURNS numeric
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
	since bigint := (SELECT h.horizon FROM o2o.points_rollup_horizon h);
	others bigint[] := ARRAY(SELECT c.account_id FROM o2o.points_contra_account c WHERE c.program = points_outstanding.program);
	moment timestamptz := now();
	-- Of the hour that has begun, the lots themselves tell.
	hour_end timestamptz := date_bin('1 hour', now(), timestamptz '2000-01-01 00:00:00+00') + interval '1 hour';
	lapsed numeric := 0;
BEGIN
	-- A stable function: horizon, rollup, postings and lots are of one snapshot.
	IF EXISTS (SELECT FROM o2o.points_program p WHERE p.program = points_outstanding.program AND p.inactive_after IS NOT NULL) THEN
		-- Asked once an account (OFFSET 0), not once a lot.
		lapsed := (SELECT coalesce(sum(g.remaining::numeric - g.held::numeric), 0)
			FROM (SELECT y.* FROM o2o.points_lapse y WHERE y.program = points_outstanding.program AND y.lapses_at <= moment OFFSET 0) x
				JOIN o2o.points_lot g ON g.profile_id = x.profile_id AND g.account_id = x.account_id
			WHERE g.expires_at > moment);
	END IF;
	RETURN (SELECT coalesce(sum(r.amount), 0) FROM o2o.points_rollup_lot r
			WHERE r.program = points_outstanding.program AND r.expires_by > hour_end)
		+ (SELECT coalesce(o2o.points_total(p.amount), 0) FROM o2o.points_posting p
			WHERE p.seq >= since AND p.contra_account_id = ANY (others) AND p.expires_at > hour_end)
		+ (SELECT coalesce(o2o.points_total(l.remaining), 0) FROM o2o.points_lot l
				JOIN o2o.points_account a ON a.profile_id = l.profile_id AND a.account_id = l.account_id
			WHERE l.expires_at > moment AND l.expires_at <= hour_end AND a.program = points_outstanding.program)
		+ (SELECT coalesce(o2o.points_total(t.amount), 0) FROM o2o.points_hold_part t
				JOIN o2o.points_account a ON a.profile_id = t.profile_id AND a.account_id = t.account_id
			WHERE t.is_open AND t.expires_at <= moment AND a.program = points_outstanding.program)
		- lapsed;
END $$;
COMMENT ON FUNCTION o2o.points_outstanding(text) IS 'Points of a program that are not spent and not expired, but for expired ones on hold; debts are not set off. Exact whether or not maintain() ran: the rollup, what was posted at or above its horizon, the lots that expire within the hour and the portions of holds of expired lots; the longer ago the rollup advanced, the more is read. A program with inactive_after looks at each of its accounts as well.';

CREATE OR REPLACE FUNCTION o2o.points_system_balance(for_program text DEFAULT NULL)
RETURNS TABLE (program text, kind text, account_id bigint, balance numeric)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF for_program IS NOT NULL AND NOT EXISTS (SELECT FROM o2o.points_program p WHERE p.program = for_program) THEN
		RAISE EXCEPTION 'points program "%" does not exist', for_program
			USING ERRCODE = 'O2302', HINT = 'Make it with points_program_create().';
	END IF;
	RETURN QUERY
	SELECT s.program, s.kind, s.account_id, trim_scale(coalesce(b.balance, 0))
	FROM o2o.points_system_account s
		LEFT JOIN o2o.points_contra_balance() b ON b.account_id = s.account_id
	WHERE for_program IS NULL OR s.program = for_program
	ORDER BY s.program, s.kind;
END $$;
COMMENT ON FUNCTION o2o.points_system_balance(text) IS 'Balances of the system accounts of a program, or of all: kind, account, and points that went to it less those that came from it. The issuer''s is below zero: what was issued. Numeric, for what a program ever issued may be more than one amount of points can be. Together with the balances of all points_account they come to zero. Exact whether or not maintain() ran. Error: O2302 unknown program.';
