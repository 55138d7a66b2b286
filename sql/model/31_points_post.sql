-- The points room: programs, accounts, lots, and points_write, the only writer
-- of postings. What callers use stands in 32, the bulk import in 34.

CREATE INDEX IF NOT EXISTS points_lot_expires_at_idx ON o2o.points_lot (expires_at) WHERE expires_at < 'infinity';
-- Numbers of transfers rise, so that this index grows at its end alone.
CREATE INDEX IF NOT EXISTS points_posting_transfer_id_idx ON o2o.points_posting (transfer_id);
-- Change numbers rise with the table, but for those of transactions that were open meanwhile.
CREATE INDEX IF NOT EXISTS points_posting_seq_idx ON o2o.points_posting USING brin (seq) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX IF NOT EXISTS points_posting_reverses_idx ON o2o.points_posting (reverses_transfer_id) WHERE reverses_transfer_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS points_hold_hold_id_idx ON o2o.points_hold (hold_id);
CREATE INDEX IF NOT EXISTS points_hold_pending_idx ON o2o.points_hold (transfer_id) WHERE kind = 'pending';
CREATE INDEX IF NOT EXISTS points_hold_part_hold_id_idx ON o2o.points_hold_part (hold_id);
CREATE INDEX IF NOT EXISTS points_hold_part_held_until_idx ON o2o.points_hold_part (held_until) WHERE is_open AND held_until < 'infinity';
CREATE INDEX IF NOT EXISTS points_hold_part_expires_at_idx ON o2o.points_hold_part (expires_at) WHERE is_open AND expires_at < 'infinity';

CREATE OR REPLACE FUNCTION o2o.points_program_create(program text, name text, currency text, time_zone text DEFAULT 'UTC',
	scale integer DEFAULT 0, points_per_unit numeric DEFAULT 1, value_per_point numeric DEFAULT 0.01,
	cost_per_point numeric DEFAULT 0.01, expected_redemption numeric DEFAULT 1, expires_after interval DEFAULT NULL,
	expires_round text DEFAULT 'day', reserve_policy text DEFAULT 'none', organisation_id bigint DEFAULT NULL,
	valid_from timestamptz DEFAULT '-infinity', clawback_policy text DEFAULT 'negative', refund_grace interval DEFAULT NULL,
	reserve_ratio numeric DEFAULT 1, expires_at timestamptz DEFAULT NULL, inactive_after interval DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF expires_after <= interval '0' THEN
		RAISE EXCEPTION 'points must expire after they are earned'
			USING ERRCODE = 'invalid_parameter_value', DETAIL = format('expires_after is %s.', expires_after);
	ELSIF refund_grace <= interval '0' THEN
		RAISE EXCEPTION 'refunded points need some time to be spent'
			USING ERRCODE = 'invalid_parameter_value', DETAIL = format('refund_grace is %s.', refund_grace);
	ELSIF inactive_after <= interval '0' THEN
		RAISE EXCEPTION 'inactivity needs some time'
			USING ERRCODE = 'invalid_parameter_value', DETAIL = format('inactive_after is %s.', inactive_after);
	END IF;
	-- An unknown time zone is an error here rather than at the first sale.
	PERFORM now() AT TIME ZONE points_program_create.time_zone;
	INSERT INTO o2o.points_program (program, name, organisation_id, currency, time_zone, scale, expires_after, expires_round, reserve_policy,
		clawback_policy, refund_grace, reserve_ratio, expires_at, inactive_after)
	VALUES (points_program_create.program, points_program_create.name, points_program_create.organisation_id,
		points_program_create.currency, points_program_create.time_zone, points_program_create.scale,
		points_program_create.expires_after, points_program_create.expires_round, points_program_create.reserve_policy,
		points_program_create.clawback_policy, points_program_create.refund_grace, points_program_create.reserve_ratio,
		points_program_create.expires_at, points_program_create.inactive_after);
	INSERT INTO o2o.points_program_rate (program, valid_from, points_per_unit, value_per_point, cost_per_point, expected_redemption)
	VALUES (points_program_create.program, points_program_create.valid_from, points_program_create.points_per_unit,
		points_program_create.value_per_point, points_program_create.cost_per_point, points_program_create.expected_redemption);
	INSERT INTO o2o.points_system_account (program, kind)
	SELECT points_program_create.program, u.kind
	FROM unnest('{issuer,redeemed,expired,in_transit,adjustment,exchange}'::text[]) u (kind);
END $$;
COMMENT ON FUNCTION o2o.points_program_create(text, text, text, text, integer, numeric, numeric, numeric, numeric, interval, text, text, bigint, timestamptz, text, interval, numeric, timestamptz, interval) IS 'Makes a points program, its first rate and its system accounts: code ([a-z][a-z0-9_]*), name, ISO 4217 currency of its value, IANA time zone of its day and month rules, scale (0 to 4 digits after the point), points earned per unit of money, value and cost of a point in the currency, share of points expected to be redeemed (0 to 1), when earned points expire (NULL: never; rounded up to the end of none, day, week, month, quarter or year), reserve policy (none, warn: points_verify tells, enforce: an issue past the reserve is refused), organisation, from when the rate holds, what becomes of points taken back that are not there any more (negative: the balance goes below zero, debt: a debt on an account of its own, available: no more is taken than there is), how long refunded points live that have expired meanwhile (NULL: they stay expired), how many times the reserve the liability may be (1 to 100), a fixed moment at which points are gone at the latest (NULL: none), how long a customer does nothing in the program until the points are gone (NULL: however long). Errors: 23505 the program exists, 23503 unknown currency or organisation, 23514 a value out of range, 22023 unknown time zone, or expires_after, refund_grace or inactive_after not above zero.';

CREATE OR REPLACE FUNCTION o2o.points_program_check(program text, amount o2o.points) RETURNS o2o.points_program
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found_program o2o.points_program;
BEGIN
	SELECT p.* INTO found_program FROM o2o.points_program p WHERE p.program = points_program_check.program;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'points program "%" does not exist', program
			USING ERRCODE = 'O2302', HINT = 'Make it with points_program_create().';
	END IF;
	IF (amount OPERATOR(o2o.>) 0) IS NOT TRUE THEN
		RAISE EXCEPTION 'amount of points must be positive'
			USING ERRCODE = 'O2303', DETAIL = format('Asked %s.', coalesce(amount::text, 'NULL')),
				HINT = 'Give an amount above zero.';
	END IF;
	IF found_program.scale < 4 AND o2o.points_round(amount, found_program.scale, 'floor') OPERATOR(o2o.<>) amount THEN
		RAISE EXCEPTION 'amount has more digits after the point than points program "%" allows', program
			USING ERRCODE = 'O2304', DETAIL = format('Asked %s, allowed digits %s.', amount, found_program.scale),
				HINT = 'Round it first, with points_round(amount, scale, mode).';
	END IF;
	RETURN found_program;
END $$;
COMMENT ON FUNCTION o2o.points_program_check(text, o2o.points) IS 'The row of a program, once it is clear that the amount may be posted in it. Errors: O2302 unknown program, O2303 amount NULL, zero or below, O2304 more digits after the point than the program''s scale.';

CREATE OR REPLACE FUNCTION o2o.points_system_account_id(program text, kind text) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (SELECT s.account_id FROM o2o.points_system_account s
		WHERE s.program = points_system_account_id.program AND s.kind = points_system_account_id.kind);
END $$;
COMMENT ON FUNCTION o2o.points_system_account_id(text, text) IS 'The system account of a program by kind: issuer, redeemed, expired, in_transit, adjustment, exchange.';

CREATE OR REPLACE FUNCTION o2o.points_account_open(profile_id bigint, program text, kind text DEFAULT 'member') RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	account bigint;
BEGIN
	SELECT a.account_id INTO account FROM o2o.points_account a
	WHERE a.profile_id = points_account_open.profile_id AND a.program = points_account_open.program AND a.kind = points_account_open.kind;
	IF NOT FOUND THEN
		INSERT INTO o2o.points_account (profile_id, program, kind, chain)
		VALUES (points_account_open.profile_id, points_account_open.program, points_account_open.kind,
			(SELECT ''::bytea FROM o2o.points_program p WHERE p.program = points_account_open.program AND p.is_chained))
		ON CONFLICT DO NOTHING;
		SELECT a.account_id INTO STRICT account FROM o2o.points_account a
		WHERE a.profile_id = points_account_open.profile_id AND a.program = points_account_open.program AND a.kind = points_account_open.kind;
	END IF;
	RETURN account;
END $$;
COMMENT ON FUNCTION o2o.points_account_open(bigint, text, text) IS 'The account of a profile in a program by kind (member, seller …), made where it does not exist yet.';

CREATE OR REPLACE FUNCTION o2o.points_account_close(profile_id bigint, account_id bigint) RETURNS timestamptz
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	UPDATE o2o.points_account a SET closed_at = now()
	WHERE a.profile_id = points_account_close.profile_id AND a.account_id = points_account_close.account_id AND a.closed_at IS NULL;
	RETURN (SELECT a.closed_at FROM o2o.points_account a
		WHERE a.profile_id = points_account_close.profile_id AND a.account_id = points_account_close.account_id);
END $$;
COMMENT ON FUNCTION o2o.points_account_close(bigint, bigint) IS 'Closes an account, whose lock is held and of which it is clear that it may be closed, and returns when it was closed, the first time where it is called again.';

CREATE OR REPLACE FUNCTION o2o.points_hold_close(profile_ids bigint[], program text DEFAULT NULL, hold_id bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	closed bigint;
BEGIN
	WITH part AS (
		UPDATE o2o.points_hold_part t SET is_open = false
		FROM o2o.points_account a
		WHERE a.profile_id = ANY (profile_ids) AND a.held OPERATOR(o2o.>) 0
			AND (points_hold_close.program IS NULL OR a.program = points_hold_close.program)
			AND t.profile_id = a.profile_id AND t.account_id = a.account_id AND t.is_open
			AND (points_hold_close.hold_id IS NULL AND t.held_until <= now() OR t.hold_id = points_hold_close.hold_id)
		RETURNING t.profile_id, t.account_id, t.expires_at, t.grant_month, t.funding, t.amount
	), lot AS (
		UPDATE o2o.points_lot l SET held = l.held OPERATOR(o2o.-) p.amount
		FROM (
			SELECT t.profile_id, t.account_id, t.expires_at, t.grant_month, t.funding, o2o.sum(t.amount) AS amount
			FROM part t GROUP BY t.profile_id, t.account_id, t.expires_at, t.grant_month, t.funding
		) p
		WHERE l.profile_id = p.profile_id AND l.account_id = p.account_id
			AND l.expires_at = p.expires_at AND l.grant_month = p.grant_month AND l.funding = p.funding
	), account AS (
		UPDATE o2o.points_account a SET held = a.held OPERATOR(o2o.-) p.amount
		FROM (SELECT t.profile_id, t.account_id, o2o.sum(t.amount) AS amount FROM part t GROUP BY t.profile_id, t.account_id) p
		WHERE a.profile_id = p.profile_id AND a.account_id = p.account_id
	)
	SELECT count(*) INTO closed FROM part;
	RETURN closed;
END $$;
COMMENT ON FUNCTION o2o.points_hold_close(bigint[], text, bigint) IS 'Closes open portions of holds in the accounts of the profiles, in one program or in all, whose locks are held: those of one hold, or, where hold_id is NULL, those whose hold is over. Returns how many.';

CREATE OR REPLACE FUNCTION o2o.points_accounts_lock(profile_ids bigint[], program text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	with_holds bigint[];
	may_lapse boolean := EXISTS (SELECT FROM o2o.points_program p
		WHERE p.inactive_after IS NOT NULL AND (points_accounts_lock.program IS NULL OR p.program = points_accounts_lock.program));
BEGIN
	-- Whether points are gone for inactivity is a matter of all profiles of a customer.
	IF may_lapse THEN
		profile_ids := profile_ids || ARRAY(SELECT m.profile_id FROM o2o.profile p JOIN o2o.profile m ON m.customer_id = p.customer_id
			WHERE p.profile_id = ANY (profile_ids));
	END IF;
	-- A WHERE outside would be pushed into the subquery, and lock fewer rows.
	SELECT array_agg(l.profile_id) FILTER (WHERE l.held OPERATOR(o2o.>) 0) INTO with_holds
	FROM (
		SELECT a.profile_id, a.held FROM o2o.points_account a
		WHERE a.profile_id = ANY (profile_ids) AND (points_accounts_lock.program IS NULL OR a.program = points_accounts_lock.program)
		ORDER BY a.account_id
		FOR NO KEY UPDATE
	) l;
	IF with_holds IS NOT NULL THEN
		PERFORM o2o.points_hold_close(with_holds, points_accounts_lock.program);
	END IF;
	RETURN CASE WHEN may_lapse THEN o2o.points_lapse_post(profile_ids, points_accounts_lock.program) ELSE 0 END;
END $$;
COMMENT ON FUNCTION o2o.points_accounts_lock(bigint[], text) IS 'Locks the accounts of the profiles, in one program or in all, in ascending order of their ids, closes portions of holds that are over, and posts what is gone for inactivity; where a program has such a rule, the accounts of the other profiles of the same customers are locked too. Returns how many lots it posted. The only place that locks accounts before they are posted to; customers are locked before. Read balances and lots in a later statement.';

CREATE OR REPLACE FUNCTION o2o.points_write_sql(profile_ids bigint[], account_ids bigint[], transfer_ids bigint[], contra_account_ids bigint[], operations text[],
	expires_at timestamptz[], grant_month date[], funding text[], amounts o2o.points[], request_ids uuid[],
	acting_profile_ids bigint[], customer_ids bigint[], reference text[], reason text[], occurred_at timestamptz[],
	reverses_transfer_ids bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	stamp timestamptz := clock_timestamp();
	change bigint := o2o.change_seq();
	wrong record;
	posted o2o.points_posting;
	chained bigint;
	link bytea;
BEGIN
	WITH instruction AS MATERIALIZED (
		SELECT u.*, a.kind, a.closed_at IS NOT NULL AS is_closed, a.version AS version_before, a.balance AS balance_before, a.debt AS debt_before, a.posted_at AS posted_before,
			CASE WHEN u.amount OPERATOR(o2o.>) 0 THEN o.lot_above_zero WHEN u.amount OPERATOR(o2o.<) 0 THEN o.lot_below_zero END AS effect,
			a.kind IN ('member', 'debt') AND u.expires_at IS NULL AS is_debt,
			CASE WHEN u.amount OPERATOR(o2o.>) 0 THEN o.above_zero WHEN u.amount OPERATOR(o2o.<) 0 THEN o.below_zero END AND o.owes AS owes,
			CASE WHEN u.amount OPERATOR(o2o.>) 0 THEN o.above_zero WHEN u.amount OPERATOR(o2o.<) 0 THEN o.below_zero END AS has_sign
		FROM unnest(profile_ids, account_ids, transfer_ids, contra_account_ids, operations, points_write_sql.expires_at, points_write_sql.grant_month,
				points_write_sql.funding, amounts, request_ids, acting_profile_ids, customer_ids, points_write_sql.reference, points_write_sql.reason, points_write_sql.occurred_at,
				reverses_transfer_ids) WITH ORDINALITY
			u (profile_id, account_id, transfer_id, contra_account_id, operation, expires_at, grant_month, funding, amount, request_id,
				acting_profile_id, customer_id, reference, reason, occurred_at, reverses_transfer_id, n)
			LEFT JOIN o2o.points_account a ON a.profile_id = u.profile_id AND a.account_id = u.account_id
			LEFT JOIN o2o.points_operation() o ON o.operation = u.operation
	), numbered AS MATERIALIZED (
		SELECT i.*, i.version_before + row_number() OVER w AS version,
			i.balance_before OPERATOR(o2o.+) o2o.sum(i.amount) OVER w AS balance,
			i.debt_before OPERATOR(o2o.-) coalesce(o2o.sum(i.amount) FILTER (WHERE i.is_debt) OVER w, 0::o2o.points) AS debt,
			greatest(stamp + (i.n - 1) * interval '1 microsecond', i.posted_before + row_number() OVER w * interval '1 microsecond') AS posted_at,
			lead(i.n) OVER w IS NULL AS is_last
		FROM instruction i
		WINDOW w AS (PARTITION BY i.profile_id, i.account_id ORDER BY i.n ROWS UNBOUNDED PRECEDING)
	), lot_use AS MATERIALIZED (
		SELECT i.n, i.profile_id, i.account_id, i.expires_at, i.grant_month, i.funding, lead(i.n) OVER w IS NULL AS is_last,
			o2o.sum(i.amount) OVER w AS remaining,
			coalesce(o2o.sum(i.amount) FILTER (WHERE i.effect = 'granted') OVER w, 0::o2o.points) AS granted,
			coalesce(OPERATOR(o2o.-) o2o.sum(i.amount) FILTER (WHERE i.effect = 'consumed') OVER w, 0::o2o.points) AS consumed,
			coalesce(OPERATOR(o2o.-) o2o.sum(i.amount) FILTER (WHERE i.effect = 'expired') OVER w, 0::o2o.points) AS expired,
			coalesce(OPERATOR(o2o.-) o2o.sum(i.amount) FILTER (WHERE i.effect = 'clawed') OVER w, 0::o2o.points) AS clawed
		FROM instruction i
		WHERE i.expires_at IS NOT NULL AND i.grant_month IS NOT NULL AND i.funding IS NOT NULL
		WINDOW w AS (PARTITION BY i.profile_id, i.account_id, i.expires_at, i.grant_month, i.funding ORDER BY i.n ROWS UNBOUNDED PRECEDING)
	), posting AS (
		INSERT INTO o2o.points_posting (profile_id, account_id, version, transfer_id, contra_account_id, operation, amount, balance,
			expires_at, grant_month, funding, request_id, acting_profile_id, customer_id, reference, reason, occurred_at, posted_at,
			reverses_transfer_id, seq)
		SELECT p.profile_id, p.account_id, p.version, p.transfer_id, p.contra_account_id, p.operation, p.amount, p.balance,
			p.expires_at, p.grant_month, p.funding, p.request_id, p.acting_profile_id, p.customer_id, p.reference, p.reason, p.occurred_at, p.posted_at,
			p.reverses_transfer_id, change
		FROM numbered p
		WHERE p.kind IS NOT NULL
	), account AS (
		UPDATE o2o.points_account a SET version = p.version, balance = p.balance, debt = p.debt, posted_at = p.posted_at
		FROM numbered p
		WHERE p.is_last AND a.profile_id = p.profile_id AND a.account_id = p.account_id
	), lot AS (
		INSERT INTO o2o.points_lot AS l (profile_id, account_id, expires_at, grant_month, funding, granted, remaining, consumed, expired, clawed)
		SELECT u.profile_id, u.account_id, u.expires_at, u.grant_month, u.funding, u.granted, u.remaining, u.consumed, u.expired, u.clawed
		FROM lot_use u
		WHERE u.is_last
		ON CONFLICT ON CONSTRAINT points_lot_pkey DO UPDATE
		SET granted = l.granted OPERATOR(o2o.+) excluded.granted, remaining = l.remaining OPERATOR(o2o.+) excluded.remaining,
			consumed = l.consumed OPERATOR(o2o.+) excluded.consumed, expired = l.expired OPERATOR(o2o.+) excluded.expired,
			clawed = l.clawed OPERATOR(o2o.+) excluded.clawed
	)
	SELECT p.account_id, p.operation, p.amount, p.kind, v.problem INTO wrong
	FROM numbered p
		LEFT JOIN lot_use u ON u.n = p.n
		LEFT JOIN o2o.points_lot l ON l.profile_id = u.profile_id AND l.account_id = u.account_id
			AND l.expires_at = u.expires_at AND l.grant_month = u.grant_month AND l.funding = u.funding
		CROSS JOIN LATERAL (SELECT CASE
			WHEN p.kind IS NULL THEN 'account'
			WHEN p.is_closed THEN 'closed'
			WHEN (num_nulls(p.expires_at, p.grant_month, p.funding) IN (0, 3)
				AND CASE WHEN p.expires_at IS NOT NULL THEN p.kind = 'member' AND p.effect IS NOT NULL WHEN p.is_debt THEN p.owes ELSE p.has_sign END) IS NOT TRUE
				THEN 'operation'
			WHEN p.debt OPERATOR(o2o.<) 0 THEN 'debt'
			WHEN (coalesce(l.remaining, 0::o2o.points) OPERATOR(o2o.+) u.remaining) OPERATOR(o2o.<) coalesce(l.held, 0::o2o.points)
				OR coalesce(l.consumed, 0::o2o.points) OPERATOR(o2o.+) u.consumed OPERATOR(o2o.<) 0
				OR coalesce(l.expired, 0::o2o.points) OPERATOR(o2o.+) u.expired OPERATOR(o2o.<) 0
				OR coalesce(l.clawed, 0::o2o.points) OPERATOR(o2o.+) u.clawed OPERATOR(o2o.<) 0 THEN 'lot' END AS problem) v
	WHERE v.problem IS NOT NULL
	ORDER BY p.n
	LIMIT 1;
	CASE wrong.problem
		WHEN 'account' THEN
			RAISE EXCEPTION 'points account % does not exist', wrong.account_id USING ERRCODE = 'data_corrupted';
		WHEN 'closed' THEN
			RAISE EXCEPTION 'the points account is closed'
				USING ERRCODE = 'O2321', DETAIL = format('Account %s.', wrong.account_id), HINT = 'points_reopen() opens it again, of a seller points_seller_open(), of a partner points_partner_reopen().';
		WHEN 'operation' THEN
			RAISE EXCEPTION 'points operation "%" does not fit account %', wrong.operation, wrong.account_id
				USING ERRCODE = 'invalid_parameter_value', DETAIL = format('Amount %s, account of kind %s.', wrong.amount, wrong.kind);
		WHEN 'debt' THEN
			RAISE EXCEPTION 'points account % does not owe what is repaid', wrong.account_id
				USING ERRCODE = 'data_corrupted', HINT = 'See what points_verify() tells.';
		WHEN 'lot' THEN
			RAISE EXCEPTION 'lots of points account % do not hold what is taken from them', wrong.account_id
				USING ERRCODE = 'data_corrupted', HINT = 'See what points_verify() tells.';
		ELSE
	END CASE;
	-- Links of chained accounts, each after the one before.
	FOR posted IN
		SELECT p.* FROM o2o.points_posting p
		WHERE p.seq = change AND p.chain IS NULL AND (p.profile_id, p.account_id) IN (
			SELECT a.profile_id, a.account_id FROM o2o.points_account a
			WHERE a.profile_id = ANY (profile_ids) AND a.account_id = ANY (account_ids) AND a.chain IS NOT NULL)
		ORDER BY p.account_id, p.version
	LOOP
		IF posted.account_id IS DISTINCT FROM chained THEN
			chained := posted.account_id;
			link := (SELECT nullif(a.chain, '') FROM o2o.points_account a WHERE a.profile_id = posted.profile_id AND a.account_id = posted.account_id);
		END IF;
		link := o2o.points_chain(link, posted.profile_id, posted.account_id, posted.version, posted.transfer_id, posted.contra_account_id,
			posted.operation, posted.amount, posted.balance, posted.expires_at, posted.grant_month, posted.funding, posted.request_id,
			posted.acting_profile_id, posted.customer_id, posted.reference, posted.occurred_at, posted.posted_at, posted.posted_by,
			posted.reverses_transfer_id, posted.seq);
		UPDATE o2o.points_posting p SET chain = link
		WHERE p.profile_id = posted.profile_id AND p.account_id = posted.account_id AND p.version = posted.version;
		UPDATE o2o.points_account a SET chain = link
		WHERE a.profile_id = posted.profile_id AND a.account_id = posted.account_id;
	END LOOP;
END $$;
COMMENT ON FUNCTION o2o.points_write_sql(bigint[], bigint[], bigint[], bigint[], text[], timestamptz[], date[], text[], o2o.points[], uuid[], bigint[], bigint[], text[], text[], timestamptz[], bigint[]) IS 'points_write in SQL, for tables that C code must not write, and for comparison: the same arguments, the same rows, the same errors.';

CREATE OR REPLACE FUNCTION o2o.points_quote_amount(program text, amount numeric, at timestamptz DEFAULT now()) RETURNS o2o.points
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	quoted numeric;
BEGIN
	SELECT CASE WHEN points_quote_amount.amount > 0 THEN trunc(points_quote_amount.amount * coalesce(r.points_per_unit, 0), p.scale) ELSE 0 END
	INTO quoted
	FROM o2o.points_program p
		LEFT JOIN LATERAL (
			SELECT r.points_per_unit FROM o2o.points_program_rate r
			WHERE r.program = p.program AND r.valid_from <= points_quote_amount.at
			ORDER BY r.valid_from DESC LIMIT 1) r ON true
	WHERE p.program = points_quote_amount.program;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'points program "%" does not exist', program
			USING ERRCODE = 'O2302', HINT = 'Make it with points_program_create().';
	END IF;
	RETURN quoted;
END $$;
COMMENT ON FUNCTION o2o.points_quote_amount(text, numeric, timestamptz) IS 'Points earned for an amount of money in the program''s currency, by the rate that holds at that time, cut to the program''s scale. Zero for an amount of zero or below, and before the first rate. Errors: O2302 unknown program, 22003 the amount is not finite, or too large.';

CREATE OR REPLACE FUNCTION o2o.points_repay(profile_id bigint, customer_id bigint, program text, amount o2o.points, transfer_id bigint,
	contra_account_id bigint, operation text, reference text, reason text, request_id uuid, occurred_at timestamptz,
	reverses_transfer_id bigint DEFAULT NULL) RETURNS o2o.points
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	account record;
	part o2o.points;
BEGIN
	FOR account IN
		SELECT a.account_id, a.debt FROM o2o.points_account a
		WHERE a.profile_id = points_repay.profile_id AND a.program = points_repay.program AND a.debt OPERATOR(o2o.>) 0
		ORDER BY a.account_id
	LOOP
		part := least(account.debt, amount);
		IF part OPERATOR(o2o.>) 0 THEN
			PERFORM o2o.points_post(points_repay.profile_id, account.account_id, points_repay.transfer_id, points_repay.contra_account_id,
				points_repay.operation, ARRAY[NULL::timestamptz], ARRAY[NULL::date], ARRAY[NULL::text], ARRAY[part],
				points_repay.request_id, points_repay.profile_id, points_repay.customer_id, points_repay.reference, points_repay.reason,
				points_repay.occurred_at, points_repay.reverses_transfer_id);
			amount := amount OPERATOR(o2o.-) part;
		END IF;
	END LOOP;
	RETURN amount;
END $$;
COMMENT ON FUNCTION o2o.points_repay(bigint, bigint, text, o2o.points, bigint, bigint, text, text, text, uuid, timestamptz, bigint) IS 'Repays what the profile owes in the program out of an amount that comes in, in postings of their own (those have no lots), and returns what is left of the amount. The accounts of the profile in the program are locked.';

CREATE OR REPLACE FUNCTION o2o.points_grant(profile_id bigint, customer_id bigint, program text, amount o2o.points, reference text, reason text,
	request_id uuid, occurred_at timestamptz, funding text DEFAULT 'program', activate_at timestamptz DEFAULT NULL,
	operation text DEFAULT 'earn', draws boolean DEFAULT true) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	rule o2o.points_program := o2o.points_program_check(program, amount);
	new_transfer_id bigint := nextval('o2o.points_transfer_id_seq');
	account bigint;
	contra bigint;
	of_partner boolean := funding LIKE 'partner:%';
	lot_expires_at timestamptz := o2o.points_expires_at(occurred_at, rule.expires_after, rule.expires_round, rule.time_zone, rule.expires_at);
	lot_month date := o2o.points_grant_month(occurred_at, rule.time_zone);
	in_debt boolean;
	is_pending boolean := coalesce(activate_at > now(), false);
BEGIN
	PERFORM o2o.moment_check(occurred_at);
	IF funding IS NULL THEN
		RAISE EXCEPTION 'points need somebody who funds them' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	account := o2o.points_account_open(points_grant.profile_id, program);
	PERFORM o2o.points_accounts_lock(ARRAY[points_grant.profile_id], program);
	SELECT s.account_id, a.debt OPERATOR(o2o.>) 0 OR coalesce(d.debt OPERATOR(o2o.>) 0, false)
	INTO contra, in_debt
	FROM o2o.points_system_account s
		JOIN o2o.points_account a ON a.profile_id = points_grant.profile_id AND a.program = s.program AND a.kind = 'member'
		LEFT JOIN o2o.points_account d ON d.profile_id = points_grant.profile_id AND d.program = s.program AND d.kind = 'debt'
	WHERE s.program = points_grant.program AND s.kind = CASE points_grant.operation WHEN 'exchange_in' THEN 'exchange' ELSE 'issuer' END;
	IF of_partner THEN
		contra := (o2o.points_partner_of(substr(funding, 9), program)).account_id;
	END IF;
	IF in_debt AND NOT is_pending THEN
		amount := o2o.points_repay(points_grant.profile_id, points_grant.customer_id, program, amount, new_transfer_id, contra,
			points_grant.operation, reference, reason, request_id, occurred_at);
	END IF;
	IF amount OPERATOR(o2o.>) 0 THEN
		PERFORM o2o.points_post(points_grant.profile_id, account, new_transfer_id, contra, points_grant.operation,
			ARRAY[lot_expires_at], ARRAY[lot_month], ARRAY[funding], ARRAY[amount], request_id, points_grant.profile_id, points_grant.customer_id, reference, reason, occurred_at);
	END IF;
	IF is_pending THEN
		PERFORM o2o.points_hold_place(points_grant.profile_id, points_grant.customer_id, program, 'pending', activate_at, new_transfer_id,
			reference, reason, request_id, ARRAY[
				(points_grant.profile_id, account, 0, lot_expires_at, lot_month, funding, amount, activate_at, true)::o2o.points_hold_part]);
	END IF;
	IF of_partner THEN
		PERFORM o2o.points_partner_draw(new_transfer_id);
	END IF;
	IF rule.reserve_policy = 'enforce' AND amount OPERATOR(o2o.>) 0 AND draws THEN
		PERFORM o2o.points_reserve_draw(program, amount);
	END IF;
	RETURN new_transfer_id;
END $$;
COMMENT ON FUNCTION o2o.points_grant(bigint, bigint, text, o2o.points, text, text, uuid, timestamptz, text, timestamptz, text, boolean) IS 'Posts points earned to the member account of a profile and returns the transfer_id; what the profile owes is repaid first. Locks the accounts of the profile in the program. customer_id is what the profile resolves to at the moment; occurred_at decides the month and when the points expire, which may be past already. Until activate_at they are pending: on hold, and repaying nothing. Funding partner:<code> draws on that partner. operation is earn or exchange_in. draws: whether an enforced reserve is drawn on now; a call that grants twice does it once by itself, after both. Errors: O2302, O2303, O2304 as points_program_check, O2322 no such partner, O2323 as points_partner_draw, O2305 as points_reserve_draw, 22023 as moment_check, 22004 funding NULL.';

CREATE OR REPLACE FUNCTION o2o.points_available(members bigint[], program text) RETURNS o2o.points
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (
		SELECT coalesce(o2o.sum(l.free OPERATOR(o2o.-) a.debt), 0::o2o.points)
		FROM o2o.points_account a
			CROSS JOIN LATERAL (
				SELECT coalesce(o2o.sum(l.remaining OPERATOR(o2o.-) l.held), 0::o2o.points) AS free
				FROM o2o.points_lot l
				WHERE l.profile_id = a.profile_id AND l.account_id = a.account_id AND l.expires_at > now()) l
		WHERE a.profile_id = ANY (members) AND a.program = points_available.program AND a.kind IN ('member', 'debt'));
END $$;
COMMENT ON FUNCTION o2o.points_available(bigint[], text) IS 'What the profiles of a customer (members) can spend in a program, their accounts being locked: what remains in lots that have not expired, less what is on hold, less debts. Below zero where debts are more.';

CREATE OR REPLACE FUNCTION o2o.points_pick(members bigint[], acting_profile_id bigint, program text, amount o2o.points)
RETURNS TABLE (profile_id bigint, account_id bigint, expires_at timestamptz[], grant_month date[], funding text[], amounts o2o.points[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owed o2o.points := (SELECT coalesce(o2o.sum(a.debt), 0::o2o.points) FROM o2o.points_account a
		WHERE a.profile_id = ANY (members) AND a.program = points_pick.program AND a.kind IN ('member', 'debt'));
BEGIN
	-- What is taken before a lot is the running sum without it. All lots that
	-- can be taken are summed up in available, also those that are not needed.
	RETURN QUERY
	SELECT t.profile_id, t.account_id, array_agg(t.expires_at), array_agg(t.grant_month), array_agg(t.funding),
		array_agg(least(t.free, points_pick.amount OPERATOR(o2o.-) t.taken_before))
	FROM (
		SELECT l.profile_id, l.account_id, l.expires_at, l.grant_month, l.funding, l.remaining OPERATOR(o2o.-) l.held AS free,
			o2o.sum(l.remaining OPERATOR(o2o.-) l.held) OVER () AS available,
			o2o.sum(l.remaining OPERATOR(o2o.-) l.held) OVER w OPERATOR(o2o.-) (l.remaining OPERATOR(o2o.-) l.held) AS taken_before
		FROM o2o.points_account a
			JOIN o2o.points_lot l ON l.profile_id = a.profile_id AND l.account_id = a.account_id
		WHERE a.profile_id = ANY (members) AND a.program = points_pick.program AND a.kind = 'member'
			AND l.expires_at > now() AND l.remaining OPERATOR(o2o.>) l.held
		WINDOW w AS (ORDER BY l.expires_at, l.profile_id <> points_pick.acting_profile_id, l.grant_month, l.account_id, l.funding
			ROWS UNBOUNDED PRECEDING)
	) t
	WHERE t.taken_before OPERATOR(o2o.<) points_pick.amount
		AND t.available OPERATOR(o2o.>=) (points_pick.amount OPERATOR(o2o.+) owed)
	GROUP BY t.profile_id, t.account_id
	ORDER BY t.account_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'insufficient points'
			USING ERRCODE = 'O2301', DETAIL = format('available %s, asked %s', o2o.points_available(members, program), amount),
				HINT = 'points_balance() says what is available.';
	END IF;
END $$;
COMMENT ON FUNCTION o2o.points_pick(bigint[], bigint, text, o2o.points) IS 'Which lots of a customer''s profiles (members), whose accounts are locked, an amount comes from: lots by nearest expiry, those of the acting profile first among equals, then by month of grant and account id; never an expired one, nothing that is on hold, and not if less than the debts of the members would be left. One row per account with its lots as parallel arrays, amounts above zero. Error: O2301 insufficient points; DETAIL has what is available and what was asked.';

CREATE OR REPLACE FUNCTION o2o.points_draw(members bigint[], acting_profile_id bigint, customer_id bigint, program text, amount o2o.points,
	transfer_id bigint, contra_account_id bigint, operation text, reference text, reason text, request_id uuid, occurred_at timestamptz,
	reverses_transfer_id bigint DEFAULT NULL,
	OUT expires_at timestamptz[], OUT grant_month date[], OUT funding text[], OUT amounts o2o.points[])
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	part record;
	taken o2o.points[];
BEGIN
	FOR part IN SELECT p.* FROM o2o.points_pick(members, points_draw.acting_profile_id, program, amount) p LOOP
		taken := ARRAY(SELECT OPERATOR(o2o.-) u.amount FROM unnest(part.amounts) WITH ORDINALITY u (amount, place) ORDER BY u.place);
		PERFORM o2o.points_post(part.profile_id, part.account_id, points_draw.transfer_id, points_draw.contra_account_id, operation,
			part.expires_at, part.grant_month, part.funding, taken, points_draw.request_id,
			points_draw.acting_profile_id, points_draw.customer_id, points_draw.reference, points_draw.reason, points_draw.occurred_at,
			points_draw.reverses_transfer_id);
		expires_at := expires_at || part.expires_at;
		grant_month := grant_month || part.grant_month;
		funding := funding || part.funding;
		amounts := amounts || taken;
	END LOOP;
END $$;
COMMENT ON FUNCTION o2o.points_draw(bigint[], bigint, bigint, text, o2o.points, bigint, bigint, text, text, text, uuid, timestamptz, bigint) IS 'Takes points from the member accounts of a customer''s profiles (members), whose locks are held, and posts one debit per touched account, by the order of points_pick. contra_account_id is the account on the other side. Returns the lots taken as parallel arrays, amounts below zero. Error: O2301 insufficient points; DETAIL has what is available and what was asked.';
