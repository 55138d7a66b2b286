-- The points room: money put aside for points. What may still be issued is an
-- amount with stripes (30_points_stripe), so that issues do not queue up at
-- the program; it is settled anew when it runs out or its terms change.

CREATE TABLE IF NOT EXISTS o2o.points_reserve_headroom (
	program text NOT NULL PRIMARY KEY REFERENCES o2o.points_program,
	account_id bigint NOT NULL DEFAULT nextval('o2o.points_account_id_seq'),
	money_per_point numeric
);
COMMENT ON TABLE o2o.points_reserve_headroom IS 'Where the stripes are of what may still be issued in a program whose reserve policy is enforce. They never say more than the reserve covers. Burns and expiries do not add to them: what these set free is found when the stripes are settled.';
COMMENT ON COLUMN o2o.points_reserve_headroom.program IS 'Points program; refers to points_program';
COMMENT ON COLUMN o2o.points_reserve_headroom.account_id IS 'Number of the stripes; refers to points_stripe';
COMMENT ON COLUMN o2o.points_reserve_headroom.money_per_point IS 'Reserve that a point needed, in the program''s currency, when the stripes were settled; another one now: they have to be settled first; NULL: they never were';

CREATE OR REPLACE FUNCTION o2o.points_reserve_need(program text) RETURNS numeric
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN coalesce((SELECT r.cost_per_point * r.expected_redemption / p.reserve_ratio
		FROM o2o.points_program p
			JOIN o2o.points_program_rate r ON r.program = p.program
		WHERE p.program = points_reserve_need.program AND r.valid_from <= now()
		ORDER BY r.valid_from DESC LIMIT 1), 0);
END $$;
COMMENT ON FUNCTION o2o.points_reserve_need(text) IS 'Reserve that an outstanding point needs, in the program''s currency: cost per point × expected redemption / reserve ratio of the program, by the rate of now.';

CREATE OR REPLACE VIEW o2o.points_reserve AS
SELECT p.program, p.currency, p.reserve_policy, trim_scale(o.outstanding) AS outstanding,
	trim_scale(n.need * p.reserve_ratio * o.outstanding) AS liability, trim_scale(n.need * o.outstanding) AS required, d.reserve,
	p.reserve_ratio AS target_ratio, round(n.need * p.reserve_ratio * o.outstanding / nullif(d.reserve, 0), 6) AS reserve_ratio,
	trim_scale(floor((d.reserve - n.need * o.outstanding) / nullif(n.need, 0) * 1e4) / 1e4) AS headroom,
	n.need * o.outstanding > d.reserve AS is_breached
FROM o2o.points_program p
	LEFT JOIN LATERAL (
		SELECT r.cost_per_point, r.expected_redemption FROM o2o.points_program_rate r
		WHERE r.program = p.program AND r.valid_from <= now()
		ORDER BY r.valid_from DESC LIMIT 1
	) r ON true
	CROSS JOIN LATERAL (SELECT coalesce(r.cost_per_point * r.expected_redemption / p.reserve_ratio, 0) AS need) n
	CROSS JOIN LATERAL (SELECT o2o.points_outstanding(p.program) AS outstanding OFFSET 0) o
	CROSS JOIN LATERAL (
		SELECT coalesce(sum(e.amount), 0) AS reserve FROM o2o.points_reserve_entry e WHERE e.program = p.program
	) d;
COMMENT ON VIEW o2o.points_reserve IS 'One row per points program: the money put aside for its points, and whether it is enough. Rates are those of now. Live; reads what was posted since the rollup advanced, see points_outstanding().';
COMMENT ON COLUMN o2o.points_reserve.program IS 'Points program';
COMMENT ON COLUMN o2o.points_reserve.currency IS 'ISO 4217 currency of liability, required and reserve';
COMMENT ON COLUMN o2o.points_reserve.reserve_policy IS 'none; warn: a breach is told; enforce: an issue past the reserve is refused';
COMMENT ON COLUMN o2o.points_reserve.outstanding IS 'Points not spent and not expired, but for expired ones on hold; debts are not set off';
COMMENT ON COLUMN o2o.points_reserve.liability IS 'outstanding × cost_per_point × expected_redemption, in currency';
COMMENT ON COLUMN o2o.points_reserve.required IS 'liability / target_ratio, in currency: what the reserve must have';
COMMENT ON COLUMN o2o.points_reserve.reserve IS 'Deposits less withdrawals, in currency';
COMMENT ON COLUMN o2o.points_reserve.target_ratio IS 'How many times the reserve the liability may be, 1 to 100';
COMMENT ON COLUMN o2o.points_reserve.reserve_ratio IS 'How many times the reserve it is: liability / reserve, 6 digits; NULL without a reserve';
COMMENT ON COLUMN o2o.points_reserve.headroom IS 'Points that may still be issued before the reserve falls short, 4 digits; below zero: so many too many; NULL: points need no reserve';
COMMENT ON COLUMN o2o.points_reserve.is_breached IS 'Whether required is more than reserve';

CREATE OR REPLACE FUNCTION o2o.points_reserve_status(for_program text DEFAULT NULL)
RETURNS TABLE (program text, currency text, reserve_policy text, outstanding numeric, liability numeric, required numeric, reserve numeric,
	target_ratio numeric, reserve_ratio numeric, headroom numeric, is_breached boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT r.* FROM o2o.points_reserve r WHERE for_program IS NULL OR r.program = for_program;
END $$;
COMMENT ON FUNCTION o2o.points_reserve_status(text) IS 'The rows of view points_reserve, or that of one program.';

CREATE OR REPLACE FUNCTION o2o.points_reserve_lock(program text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	account bigint;
BEGIN
	SELECT h.account_id INTO account FROM o2o.points_reserve_headroom h WHERE h.program = points_reserve_lock.program;
	IF NOT FOUND THEN
		INSERT INTO o2o.points_reserve_headroom (program) VALUES (points_reserve_lock.program) ON CONFLICT DO NOTHING;
		SELECT h.account_id INTO STRICT account FROM o2o.points_reserve_headroom h WHERE h.program = points_reserve_lock.program;
		PERFORM o2o.points_stripes_open(account);
	END IF;
	PERFORM o2o.points_stripes_lock(account);
	RETURN account;
END $$;
COMMENT ON FUNCTION o2o.points_reserve_lock(text) IS 'Locks the stripes of what may still be issued in a program, made where they do not exist, and returns their number. Waits for issues that have drawn; issues that draw later wait until the transaction ends.';

CREATE OR REPLACE FUNCTION o2o.points_reserve_settle(program text,
	OUT reserve_policy text, OUT required numeric, OUT reserve numeric, OUT headroom numeric, OUT is_breached boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	account bigint := o2o.points_reserve_lock(program);
BEGIN
	-- Whoever drew has committed, now that its stripe is ours: its points are
	-- among the outstanding. Whoever has posted and not drawn yet is not seen
	-- here, and draws from what is set now.
	SELECT s.reserve_policy, s.required, s.reserve, s.headroom, s.is_breached
	INTO reserve_policy, required, reserve, headroom, is_breached
	FROM o2o.points_reserve_status(points_reserve_settle.program) s;
	UPDATE o2o.points_reserve_headroom h SET money_per_point = o2o.points_reserve_need(points_reserve_settle.program)
	WHERE h.program = points_reserve_settle.program;
	PERFORM o2o.points_stripes_set(account, greatest(least(coalesce(headroom, 1e14), 1e14), 0)::o2o.points);
END $$;
COMMENT ON FUNCTION o2o.points_reserve_settle(text) IS 'Counts what the reserve of a program still covers and spreads it over the stripes of its headroom, under their locks. Points that the caller posted count as issued. Returns what points_reserve_status() says.';

CREATE OR REPLACE FUNCTION o2o.points_reserve_draw(program text, amount o2o.points, forced boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	account bigint;
	taken o2o.points;
	required numeric;
	reserve numeric;
	is_breached boolean := false;
BEGIN
	SELECT h.account_id INTO account
	FROM o2o.points_reserve_headroom h
	WHERE h.program = points_reserve_draw.program AND h.money_per_point = o2o.points_reserve_need(points_reserve_draw.program);
	IF FOUND THEN
		taken := o2o.points_stripes_take(account, amount, forced);
		IF forced OR taken OPERATOR(o2o.>) 0 THEN
			RETURN;
		END IF;
	END IF;
	-- Without locks first: who is refused anyway makes nobody wait.
	IF NOT forced THEN
		SELECT s.required, s.reserve, s.is_breached INTO required, reserve, is_breached FROM o2o.points_reserve_status(points_reserve_draw.program) s;
	END IF;
	IF NOT is_breached THEN
		SELECT s.required, s.reserve, s.is_breached INTO required, reserve, is_breached FROM o2o.points_reserve_settle(points_reserve_draw.program) s;
	END IF;
	IF is_breached AND NOT forced THEN
		RAISE EXCEPTION 'reserve of points program "%" does not cover the points', program
			USING ERRCODE = 'O2305',
				DETAIL = format('Required %s, reserve %s.', required, trim_scale(reserve)),
				HINT = 'Pay in with points_reserve_deposit(), or change policy or ratio with points_reserve_set().';
	END IF;
END $$;
COMMENT ON FUNCTION o2o.points_reserve_draw(text, o2o.points, boolean) IS 'Takes points that were issued, and are posted already, from what the reserve of the program still covers. Called where its policy is enforce, once in a call, after everything else of the points room is locked. forced: points that come back to somebody (a refund) are not refused; what may be issued is less by them. Error: O2305 the reserve does not cover them.';

CREATE OR REPLACE FUNCTION o2o.points_reserve_draw_all(programs text[], units bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	part record;
BEGIN
	-- Ascending, as all stripes are taken.
	FOR part IN
		SELECT u.program, u.units FROM unnest(programs, points_reserve_draw_all.units) u (program, units)
			LEFT JOIN o2o.points_reserve_headroom h ON h.program = u.program
		ORDER BY h.account_id, u.program
	LOOP
		PERFORM o2o.points_reserve_draw(part.program, (part.units / 10000.0)::o2o.points);
	END LOOP;
END $$;
COMMENT ON FUNCTION o2o.points_reserve_draw_all(text[], bigint[]) IS 'points_reserve_draw for several programs, each once, as parallel arrays, in ten thousandths of a point: what one call issued. Error: O2305 the reserve of one of them does not cover it.';

CREATE OR REPLACE FUNCTION o2o.points_reserve_set(program text, reserve_policy text, reserve_ratio numeric DEFAULT NULL)
RETURNS TABLE (required numeric, reserve numeric, headroom numeric, is_breached boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	UPDATE o2o.points_program p
	SET reserve_policy = points_reserve_set.reserve_policy, reserve_ratio = coalesce(points_reserve_set.reserve_ratio, p.reserve_ratio)
	WHERE p.program = points_reserve_set.program;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'points program "%" does not exist', program
			USING ERRCODE = 'O2302', HINT = 'Make it with points_program_create().';
	END IF;
	RETURN QUERY
	SELECT s.required, s.reserve, s.headroom, s.is_breached FROM o2o.points_reserve_settle(points_reserve_set.program) s;
END $$;
COMMENT ON FUNCTION o2o.points_reserve_set(text, text, numeric) IS 'Changes the reserve policy of a program (none, warn, enforce) and its reserve ratio (1 to 100: how many times the reserve the liability may be; NULL: as it was). Calls in progress follow the policy that they found. Where the reserve falls short, enforce refuses every issue until it is paid in. Returns what is required, the reserve, the points that may still be issued (NULL: any), and whether the reserve falls short. Errors: O2302 unknown program, 23514 unknown policy, or ratio below 1 or above 100.';

CREATE OR REPLACE FUNCTION o2o.points_reserve_book(program text, amount numeric, reason text, request_id uuid, OUT entry_id bigint, OUT reserve numeric)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	INSERT INTO o2o.points_reserve_entry AS e (program, amount, reason, request_id, occurred_at)
	VALUES (points_reserve_book.program, points_reserve_book.amount, points_reserve_book.reason, points_reserve_book.request_id, now())
	RETURNING e.entry_id INTO entry_id;
	reserve := (SELECT sum(e.amount) FROM o2o.points_reserve_entry e WHERE e.program = points_reserve_book.program);
END $$;
COMMENT ON FUNCTION o2o.points_reserve_book(text, numeric, text, uuid) IS 'Writes an entry of the reserve, below zero a withdrawal, and returns its number and the reserve after it.';

CREATE OR REPLACE FUNCTION o2o.points_reserve_amount_check(program text, amount numeric, reason text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM o2o.points_program p WHERE p.program = points_reserve_amount_check.program) THEN
		RAISE EXCEPTION 'points program "%" does not exist', program
			USING ERRCODE = 'O2302', HINT = 'Make it with points_program_create().';
	ELSIF (amount > 0 AND amount < 1e14 AND amount = round(amount, 4)) IS NOT TRUE THEN
		RAISE EXCEPTION 'amount of money must be positive, with at most 4 digits after the point'
			USING ERRCODE = 'O2303', DETAIL = format('Asked %s.', coalesce(amount::text, 'NULL')),
				HINT = 'Give an amount above zero.';
	ELSIF reason IS NULL OR reason = '' THEN
		RAISE EXCEPTION 'money of a reserve needs a reason' USING ERRCODE = 'null_value_not_allowed';
	END IF;
END $$;
COMMENT ON FUNCTION o2o.points_reserve_amount_check(text, numeric, text) IS 'Errors: O2302 unknown program, O2303 amount not positive, with more than 4 digits after the point, or 10^14 and more, 22004 no reason.';

CREATE OR REPLACE FUNCTION o2o.points_reserve_deposit(program text, amount numeric, reason text, idempotency_key text DEFAULT NULL)
RETURNS TABLE (entry_id bigint, reserve numeric)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	claim record;
BEGIN
	SELECT c.* INTO claim
	FROM o2o.request_claim(idempotency_key, 'points_reserve_deposit', jsonb_build_object(
		'program', program, 'amount', trim_scale(amount), 'reason', reason)) c;
	IF claim.replay IS NULL THEN
		PERFORM o2o.points_reserve_amount_check(program, amount, reason);
		SELECT b.* INTO entry_id, reserve FROM o2o.points_reserve_book(program, amount, reason, claim.request_id) b;
		PERFORM o2o.request_finish(claim.request_id, jsonb_build_object('entry_id', entry_id, 'reserve', reserve));
	ELSE
		entry_id := claim.replay ->> 'entry_id';
		reserve := claim.replay ->> 'reserve';
	END IF;
	RETURN NEXT;
END $$;
COMMENT ON FUNCTION o2o.points_reserve_deposit(text, numeric, text, text) IS 'Puts money aside for the points of a program: amount in its currency, reason (needed), idempotency key (a repeated call with it returns the first result). Returns the entry and the reserve after it. Errors: O2302 unknown program, O2303 amount not positive or with more than 4 digits after the point, O2004 the key was used with other arguments, 22004 no reason.';

CREATE OR REPLACE FUNCTION o2o.points_reserve_withdraw(program text, amount numeric, reason text, idempotency_key text DEFAULT NULL)
RETURNS TABLE (entry_id bigint, reserve numeric)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	claim record;
	policy text;
	status record;
BEGIN
	SELECT c.* INTO claim
	FROM o2o.request_claim(idempotency_key, 'points_reserve_withdraw', jsonb_build_object(
		'program', program, 'amount', trim_scale(amount), 'reason', reason)) c;
	IF claim.replay IS NULL THEN
		PERFORM o2o.points_reserve_amount_check(program, amount, reason);
		-- Issues that have drawn are waited for, the others wait; two withdrawals do for each other.
		PERFORM o2o.points_reserve_lock(program);
		SELECT b.* INTO entry_id, reserve FROM o2o.points_reserve_book(program, - amount, reason, claim.request_id) b;
		SELECT s.* INTO status FROM o2o.points_reserve_settle(program) s;
		IF reserve < 0 OR status.reserve_policy = 'enforce' AND status.is_breached THEN
			RAISE EXCEPTION 'reserve of points program "%" has not so much to spare', program
				USING ERRCODE = 'O2330',
					DETAIL = format('Asked %s, reserve %s, required %s.', trim_scale(amount), trim_scale(reserve + amount),
						CASE status.reserve_policy WHEN 'enforce' THEN status.required ELSE 0 END),
					HINT = 'Withdraw at most what the reserve has beyond what is required, see points_reserve_status().';
		END IF;
		PERFORM o2o.request_finish(claim.request_id, jsonb_build_object('entry_id', entry_id, 'reserve', reserve));
	ELSE
		entry_id := claim.replay ->> 'entry_id';
		reserve := claim.replay ->> 'reserve';
	END IF;
	RETURN NEXT;
END $$;
COMMENT ON FUNCTION o2o.points_reserve_withdraw(text, numeric, text, text) IS 'Takes money out of the reserve of a program: amount in its currency, reason (needed), idempotency key (a repeated call with it returns the first result). Never more than is in it, and where the policy is enforce never so much that less is left than the outstanding points require. Returns the entry and the reserve after it. Errors: O2330 not so much to spare, O2302 unknown program, O2303 amount not positive or with more than 4 digits after the point, O2004 the key was used with other arguments, 22004 no reason.';
