-- The points room: budgets, amounts of points that a campaign may issue. What
-- is left of one has stripes (30_points_stripe). Rules that name a budget are
-- in 38.

CREATE TABLE IF NOT EXISTS o2o.points_budget (
	budget_id bigint NOT NULL DEFAULT nextval('o2o.points_account_id_seq') PRIMARY KEY,
	program text NOT NULL REFERENCES o2o.points_program,
	name text NOT NULL,
	funding text NOT NULL DEFAULT 'program' CHECK (funding NOT LIKE 'partner:%'),
	valid_from timestamptz NOT NULL DEFAULT '-infinity',
	valid_to timestamptz NOT NULL DEFAULT 'infinity' CHECK (valid_to > valid_from),
	created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE o2o.points_budget IS 'Budgets: how many points a campaign may issue. Whoever issues from one draws from its stripes first, and gets nothing once it is used up.';
COMMENT ON COLUMN o2o.points_budget.budget_id IS 'Number of the budget and of its stripes, from the same sequence as those of accounts';
COMMENT ON COLUMN o2o.points_budget.program IS 'Points program; refers to points_program';
COMMENT ON COLUMN o2o.points_budget.name IS 'Name to show, such as the campaign';
COMMENT ON COLUMN o2o.points_budget.funding IS 'Who funds the points that it issues: funding of their lots; program: the program itself. Not a partner: what partners grant is bounded by what they pay';
COMMENT ON COLUMN o2o.points_budget.valid_from IS 'From when it may issue';
COMMENT ON COLUMN o2o.points_budget.valid_to IS 'First moment at which it may not any more';
COMMENT ON COLUMN o2o.points_budget.created_at IS 'When the row was written (start of the transaction)';

CREATE SEQUENCE IF NOT EXISTS o2o.points_budget_entry_id_seq AS bigint;
CREATE TABLE IF NOT EXISTS o2o.points_budget_entry (
	budget_id bigint NOT NULL REFERENCES o2o.points_budget,
	entry_id bigint NOT NULL DEFAULT nextval('o2o.points_budget_entry_id_seq'),
	amount o2o.points NOT NULL CHECK (amount OPERATOR(o2o.<>) 0),
	reason text NOT NULL,
	request_id uuid NOT NULL,
	occurred_at timestamptz NOT NULL,
	recorded_by text NOT NULL DEFAULT session_user,
	PRIMARY KEY (budget_id, entry_id)
);
COMMENT ON TABLE o2o.points_budget_entry IS 'What was put into budgets, and taken out of them again unused. Append-only.';
COMMENT ON COLUMN o2o.points_budget_entry.budget_id IS 'Budget; refers to points_budget';
COMMENT ON COLUMN o2o.points_budget_entry.entry_id IS 'Number of the entry';
COMMENT ON COLUMN o2o.points_budget_entry.amount IS 'Points; below zero they were taken out';
COMMENT ON COLUMN o2o.points_budget_entry.reason IS 'Why, in the caller''s words';
COMMENT ON COLUMN o2o.points_budget_entry.request_id IS 'Call that made it; refers to request, or is random where no idempotency key was given';
COMMENT ON COLUMN o2o.points_budget_entry.occurred_at IS 'When it happened';
COMMENT ON COLUMN o2o.points_budget_entry.recorded_by IS 'Login role that wrote the row';

CREATE TABLE IF NOT EXISTS o2o.points_budget_use (
	profile_id bigint NOT NULL,
	transfer_id bigint NOT NULL,
	budget_id bigint NOT NULL,
	amount o2o.points NOT NULL CHECK (amount OPERATOR(o2o.<>) 0),
	PRIMARY KEY (profile_id, transfer_id, budget_id)
);
COMMENT ON TABLE o2o.points_budget_use IS 'What transfers issued from budgets, and what came back to them when points were taken back. Append-only.';
COMMENT ON COLUMN o2o.points_budget_use.profile_id IS 'Profile that got the points';
COMMENT ON COLUMN o2o.points_budget_use.transfer_id IS 'Transfer; refers to points_posting';
COMMENT ON COLUMN o2o.points_budget_use.budget_id IS 'Budget; refers to points_budget';
COMMENT ON COLUMN o2o.points_budget_use.amount IS 'Points issued from the budget; below zero they came back to it';

CREATE OR REPLACE VIEW o2o.points_budgets AS
SELECT b.budget_id, b.program, b.name, b.funding, b.valid_from, b.valid_to, coalesce(e.amount, 0) AS amount,
	coalesce(e.amount, 0) - coalesce(s.available, 0) AS issued, coalesce(s.available, 0) AS available
FROM o2o.points_budget b
	LEFT JOIN (SELECT n.budget_id, sum(n.amount::numeric) AS amount FROM o2o.points_budget_entry n GROUP BY n.budget_id) e ON e.budget_id = b.budget_id
	LEFT JOIN (SELECT t.account_id, sum(t.available::numeric) AS available FROM o2o.points_stripe t GROUP BY t.account_id) s ON s.account_id = b.budget_id;
COMMENT ON VIEW o2o.points_budgets IS 'One row per budget of points: what a campaign may issue, has issued, and may issue still. Live; times are instants.';
COMMENT ON COLUMN o2o.points_budgets.budget_id IS 'Number of the budget, which points_rule.budget_id names';
COMMENT ON COLUMN o2o.points_budgets.program IS 'Points program';
COMMENT ON COLUMN o2o.points_budgets.name IS 'Name, such as the campaign';
COMMENT ON COLUMN o2o.points_budgets.funding IS 'Who funds the points; program: the program itself';
COMMENT ON COLUMN o2o.points_budgets.valid_from IS 'From when it may issue';
COMMENT ON COLUMN o2o.points_budgets.valid_to IS 'First moment at which it may not any more';
COMMENT ON COLUMN o2o.points_budgets.amount IS 'Points put into it, less those taken out unused';
COMMENT ON COLUMN o2o.points_budgets.issued IS 'Points issued, less what was taken back of them';
COMMENT ON COLUMN o2o.points_budgets.available IS 'Points that it may still issue';

CREATE OR REPLACE FUNCTION o2o.points_budget_create(program text, name text, amount o2o.points, funding text DEFAULT 'program',
	valid_from timestamptz DEFAULT '-infinity', valid_to timestamptz DEFAULT 'infinity', stripes integer DEFAULT 32,
	idempotency_key text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	claim record;
	budget bigint;
BEGIN
	SELECT c.* INTO claim
	FROM o2o.request_claim(idempotency_key, 'points_budget_create', jsonb_build_object('program', program, 'name', name, 'amount', amount::text,
		'funding', funding, 'valid_from', extract(epoch FROM valid_from)::text, 'valid_to', extract(epoch FROM valid_to)::text, 'stripes', stripes)) c;
	IF claim.replay IS NOT NULL THEN
		RETURN claim.replay ->> 'budget_id';
	END IF;
	PERFORM o2o.points_program_check(program, amount);
	INSERT INTO o2o.points_budget AS b (program, name, funding, valid_from, valid_to)
	VALUES (points_budget_create.program, points_budget_create.name, points_budget_create.funding,
		points_budget_create.valid_from, points_budget_create.valid_to)
	RETURNING b.budget_id INTO budget;
	INSERT INTO o2o.points_budget_entry (budget_id, amount, reason, request_id, occurred_at)
	VALUES (budget, points_budget_create.amount, 'budget made', claim.request_id, now());
	PERFORM o2o.points_stripes_open(budget, stripes);
	PERFORM o2o.points_stripes_put(budget, amount);
	PERFORM o2o.request_finish(claim.request_id, jsonb_build_object('budget_id', budget));
	RETURN budget;
END $$;
COMMENT ON FUNCTION o2o.points_budget_create(text, text, o2o.points, text, timestamptz, timestamptz, integer, text) IS 'Makes a budget, the points that a campaign may issue: program, name, amount, who funds them (funding of their lots; program: the program itself), from and until before when it may issue, number of stripes (at least as many as sales that draw from it at once, 1 to 1024), idempotency key (a repeated call with it returns the first result). Returns its number, which points_rule.budget_id names. Errors: O2302 unknown program, O2303 amount not positive, O2304 more digits than the program''s scale, 22023 number of stripes, 23514 valid_to not after valid_from, or funding partner:…, O2004 the key was used with other arguments.';

CREATE OR REPLACE FUNCTION o2o.points_budget_change(budget_id bigint, amount o2o.points, reason text, idempotency_key text DEFAULT NULL)
RETURNS TABLE (entry_id bigint, available o2o.points)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	claim record;
	program text;
BEGIN
	SELECT c.* INTO claim
	FROM o2o.request_claim(idempotency_key, 'points_budget_change', jsonb_build_object('budget_id', budget_id, 'amount', amount::text, 'reason', reason)) c;
	IF claim.replay IS NOT NULL THEN
		RETURN QUERY SELECT (claim.replay ->> 'entry_id')::bigint, (claim.replay ->> 'available')::o2o.points;
		RETURN;
	END IF;
	SELECT b.program INTO program FROM o2o.points_budget b WHERE b.budget_id = points_budget_change.budget_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no such budget of points' USING ERRCODE = 'O2331', DETAIL = format('Budget %s.', coalesce(budget_id::text, 'NULL')),
			HINT = 'points_budget_create() returned its number.';
	ELSIF reason IS NULL OR reason = '' THEN
		RAISE EXCEPTION 'a change of a budget needs a reason' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM o2o.points_program_check(program, o2o.abs(amount));
	available := o2o.points_stripes_put(budget_id, amount);
	IF available OPERATOR(o2o.<) 0 THEN
		RAISE EXCEPTION 'the budget of points has less than is taken from it'
			USING ERRCODE = 'O2332', DETAIL = format('available %s, asked %s', available OPERATOR(o2o.-) amount, o2o.abs(amount)),
				HINT = 'What was issued cannot be taken out; take out at most what is available.';
	END IF;
	INSERT INTO o2o.points_budget_entry AS e (budget_id, amount, reason, request_id, occurred_at)
	VALUES (points_budget_change.budget_id, points_budget_change.amount, points_budget_change.reason, claim.request_id, now())
	RETURNING e.entry_id INTO entry_id;
	PERFORM o2o.request_finish(claim.request_id, jsonb_build_object('entry_id', entry_id, 'available', available));
	RETURN NEXT;
END $$;
COMMENT ON FUNCTION o2o.points_budget_change(bigint, o2o.points, text, text) IS 'Puts more points into a budget, or takes out (amount below zero) what it has not issued: budget, amount, reason (needed), idempotency key (a repeated call with it returns the first result). Waits for sales that are drawing from it. Returns the entry and the points that it may still issue. Errors: O2331 no such budget, O2332 it has less than is taken out, O2303 amount zero, O2304 more digits than the program''s scale, O2004 the key was used with other arguments, 22004 no reason.';

CREATE OR REPLACE FUNCTION o2o.points_budget_draw(budget_id bigint, amount o2o.points, at timestamptz) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM o2o.points_budget b WHERE b.budget_id = points_budget_draw.budget_id
			AND points_budget_draw.at >= b.valid_from AND points_budget_draw.at < b.valid_to) THEN
		RETURN false;
	END IF;
	RETURN o2o.points_stripes_take(budget_id, amount) OPERATOR(o2o.>) 0;
END $$;
COMMENT ON FUNCTION o2o.points_budget_draw(bigint, o2o.points, timestamptz) IS 'Draws points that are issued at a moment from a budget; false, and nothing drawn, where it has not so many or is not valid then. The accounts that get them are locked before. Once per budget and call, in ascending order; the caller writes points_budget_use.';

CREATE OR REPLACE FUNCTION o2o.points_budget_spend(budget_id bigint, profile_id bigint, transfer_id bigint, amount o2o.points, at timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT o2o.points_budget_draw(budget_id, amount, at) THEN
		RAISE EXCEPTION 'the budget of points is used up'
			USING ERRCODE = 'O2333', DETAIL = format('Budget %s: available %s, asked %s.', budget_id, o2o.points_stripes_available(budget_id), amount),
				HINT = 'Put more in with points_budget_change(), or see when it is valid.';
	END IF;
	INSERT INTO o2o.points_budget_use (profile_id, transfer_id, budget_id, amount)
	VALUES (points_budget_spend.profile_id, points_budget_spend.transfer_id, points_budget_spend.budget_id, points_budget_spend.amount);
END $$;
COMMENT ON FUNCTION o2o.points_budget_spend(bigint, bigint, bigint, o2o.points, timestamptz) IS 'Draws points from a budget for a transfer to a profile and writes that down: for rewards that are given as a whole or not at all. Once per budget and call. Error: O2333 it has not so many, or is not valid at that moment.';

CREATE OR REPLACE FUNCTION o2o.points_budget_follow(profile_id bigint, earn_transfer_id bigint, transfer_id bigint, program text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	scale integer := (SELECT p.scale FROM o2o.points_program p WHERE p.program = points_budget_follow.program);
	later bigint[];
	earned numeric;
	back numeric;
	part record;
	change o2o.points;
BEGIN
	IF NOT EXISTS (SELECT FROM o2o.points_budget_use u WHERE u.profile_id = points_budget_follow.profile_id AND u.transfer_id = earn_transfer_id) THEN
		RETURN;
	END IF;
	-- What took it back, and what gave that back again.
	later := ARRAY(SELECT DISTINCT p.transfer_id FROM o2o.points_posting p WHERE p.reverses_transfer_id = earn_transfer_id);
	later := later || ARRAY(SELECT DISTINCT p.transfer_id FROM o2o.points_posting p WHERE p.reverses_transfer_id = ANY (later));
	SELECT coalesce(sum(p.amount::numeric) FILTER (WHERE p.transfer_id = earn_transfer_id), 0),
		coalesce(- sum(p.amount::numeric) FILTER (WHERE p.transfer_id <> earn_transfer_id), 0)
	INTO earned, back
	FROM o2o.points_posting p
	WHERE p.transfer_id = ANY (earn_transfer_id || later) AND p.operation <> 'expire';
	FOR part IN
		SELECT u.budget_id, sum(u.amount::numeric) FILTER (WHERE u.transfer_id = earn_transfer_id) AS issued, sum(u.amount::numeric) AS net
		FROM o2o.points_budget_use u
		WHERE u.profile_id = points_budget_follow.profile_id AND u.transfer_id = ANY (earn_transfer_id || later)
		GROUP BY u.budget_id
		ORDER BY u.budget_id
	LOOP
		change := part.issued - trunc(part.issued * least(back, earned) / earned, scale) - part.net;
		IF change OPERATOR(o2o.<) 0 THEN
			PERFORM o2o.points_stripes_give(part.budget_id, OPERATOR(o2o.-) change);
		ELSIF change OPERATOR(o2o.>) 0 THEN
			change := o2o.points_stripes_take(part.budget_id, change, partly => true);
		END IF;
		IF change OPERATOR(o2o.<>) 0 THEN
			INSERT INTO o2o.points_budget_use (profile_id, transfer_id, budget_id, amount)
			VALUES (points_budget_follow.profile_id, points_budget_follow.transfer_id, part.budget_id, change);
		END IF;
	END LOOP;
END $$;
COMMENT ON FUNCTION o2o.points_budget_follow(bigint, bigint, bigint, text) IS 'Lets budgets follow a transfer (transfer_id) that took back points earned by another (earn_transfer_id), or gave them back again: of what a budget issued, it has back in the proportion in which the points earned were taken back, cut to the program''s scale; all of it when all was. Given back again, it is drawn once more, as far as it is there. The accounts are locked; the last thing that a call does with points, where no partner funded them.';
