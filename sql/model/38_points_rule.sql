-- The points room: earning rules as rows, and the quote that says what each of
-- them gives. Reads only; what a quote comes to is posted by points_grant.

CREATE SEQUENCE IF NOT EXISTS o2o.points_rule_id_seq AS bigint;
CREATE TABLE IF NOT EXISTS o2o.points_rule (
	rule_id bigint NOT NULL DEFAULT nextval('o2o.points_rule_id_seq') PRIMARY KEY,
	program text NOT NULL REFERENCES o2o.points_program,
	kind text NOT NULL CHECK (kind IN ('base', 'multiplier', 'bonus', 'cap')),
	name text NOT NULL,
	value numeric NOT NULL CHECK (value >= 0 AND value < 1e9),
	channel text REFERENCES o2o.channel,
	category text,
	tier text,
	valid_from timestamptz NOT NULL DEFAULT '-infinity',
	valid_to timestamptz NOT NULL DEFAULT 'infinity' CHECK (valid_to > valid_from),
	budget_id bigint REFERENCES o2o.points_budget,
	CHECK (kind <> 'cap' OR category IS NULL),
	CHECK (kind <> 'cap' OR budget_id IS NULL),
	CHECK (kind <> 'multiplier' OR value >= 1)
);
CREATE INDEX IF NOT EXISTS points_rule_program_idx ON o2o.points_rule (program);
COMMENT ON TABLE o2o.points_rule IS 'How points are earned: rows of the owner, read by points_quote(). A rule holds for the channel, category, tier and time that it names; what it leaves NULL is any.';
COMMENT ON COLUMN o2o.points_rule.rule_id IS 'Number of the rule';
COMMENT ON COLUMN o2o.points_rule.program IS 'Points program; refers to points_program';
COMMENT ON COLUMN o2o.points_rule.kind IS 'base: points per unit of money, of all that hold for a line the one that names most of category, channel and tier (in this order) and is the latest; without one, points_per_unit of the program''s rate. multiplier: all that hold for a line add up, each (value − 1) times its base. bonus: once per order in which a line is for it. cap: most points of a member per day, on the program''s clock; the lowest holds';
COMMENT ON COLUMN o2o.points_rule.name IS 'Name to show, such as the campaign';
COMMENT ON COLUMN o2o.points_rule.value IS 'base: points per unit of the program''s currency; multiplier: factor, 1 or above; bonus and cap: points';
COMMENT ON COLUMN o2o.points_rule.channel IS 'Channel of the sale; refers to channel; NULL: any';
COMMENT ON COLUMN o2o.points_rule.category IS 'Category of the product of a line; NULL: any. Not for caps';
COMMENT ON COLUMN o2o.points_rule.tier IS 'Tier of the member; NULL: any';
COMMENT ON COLUMN o2o.points_rule.valid_from IS 'From when the rule holds';
COMMENT ON COLUMN o2o.points_rule.valid_to IS 'First moment at which it holds no more';
COMMENT ON COLUMN o2o.points_rule.budget_id IS 'Budget that its points come from: once that has not enough for an order, the rule gives nothing; refers to points_budget; NULL: no limit. Not for caps';

CREATE OR REPLACE FUNCTION o2o.points_earned_on(customer_id bigint, program text, at timestamptz) RETURNS numeric
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	day timestamp;
	zone text;
BEGIN
	SELECT p.time_zone, date_trunc('day', points_earned_on.at AT TIME ZONE p.time_zone) INTO zone, day
	FROM o2o.points_program p WHERE p.program = points_earned_on.program;
	RETURN (SELECT coalesce(o2o.sum(t.amount), 0::o2o.points)::numeric
		FROM o2o.points_account a
			JOIN o2o.points_posting t ON t.profile_id = a.profile_id AND t.account_id = a.account_id
		WHERE a.profile_id = ANY (o2o.customer_profiles(points_earned_on.customer_id)) AND a.program = points_earned_on.program
			AND a.kind IN ('member', 'debt') AND t.operation = 'earn'
			AND t.occurred_at >= day AT TIME ZONE zone AND t.occurred_at < (day + interval '1 day') AT TIME ZONE zone);
END $$;
COMMENT ON FUNCTION o2o.points_earned_on(bigint, text, timestamptz) IS 'What all profiles of a customer have earned in a program on the day of a moment, on the program''s clock. Points taken back since then count as earned.';

CREATE OR REPLACE FUNCTION o2o.points_quote(program text, lines jsonb, channel text, customer_id bigint DEFAULT NULL, tier text DEFAULT NULL,
	paid_by_points numeric DEFAULT 0, at timestamptz DEFAULT now(), earned_before numeric DEFAULT 0, drawn bigint[] DEFAULT NULL)
RETURNS TABLE (kind text, rule_id bigint, name text, amount numeric, points numeric, budget_id bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	quoted o2o.points_program;
	due numeric;
	exact numeric := 0;
	shares jsonb;
	total numeric;
	share record;
	cap record;
BEGIN
	SELECT p.* INTO quoted FROM o2o.points_program p WHERE p.program = points_quote.program;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'points program "%" does not exist', program
			USING ERRCODE = 'O2302', HINT = 'Make it with points_program_create().';
	END IF;
	tier := coalesce(tier, o2o.points_tier_at(points_quote.customer_id, points_quote.program, points_quote.at));
	SELECT sum(l.amount) INTO due FROM jsonb_to_recordset(points_quote.lines) l (amount numeric);
	IF coalesce(jsonb_typeof(points_quote.lines), '') <> 'array' OR (paid_by_points BETWEEN 0 AND coalesce(due, 0)) IS NOT TRUE
		OR EXISTS (SELECT FROM jsonb_to_recordset(points_quote.lines) l (amount numeric) WHERE (l.amount >= 0 AND l.amount < 1e14) IS NOT TRUE)
	THEN
		RAISE EXCEPTION 'lines to earn points for need amounts, and no more can be paid by points than they come to'
			USING ERRCODE = 'invalid_parameter_value', DETAIL = format('The lines come to %s, paid by points %s.', coalesce(due::text, 'NULL'), coalesce(paid_by_points::text, 'NULL'));
	END IF;

	-- What points paid is taken off the lines in proportion, to the last digit of the whole.
	FOR share IN
		WITH line AS MATERIALIZED (
			SELECT i.line_no, i.category, i.amount - (round(i.until * points_quote.paid_by_points / nullif(due, 0), 6)
				- round((i.until - i.amount) * points_quote.paid_by_points / nullif(due, 0), 6)) AS amount
			FROM (
				SELECT l.line_no, l.category, l.amount, sum(l.amount) OVER (ORDER BY l.line_no) AS until
				FROM ROWS FROM (jsonb_to_recordset(points_quote.lines) AS (category text, amount numeric)) WITH ORDINALITY l (category, amount, line_no)
			) i
			WHERE i.amount > 0
		), rule AS MATERIALIZED (
			SELECT r.* FROM o2o.points_rule r
			WHERE r.program = points_quote.program AND r.valid_from <= points_quote.at AND r.valid_to > points_quote.at
				AND (r.channel IS NULL OR r.channel = points_quote.channel) AND (r.tier IS NULL OR r.tier = points_quote.tier)
		), based AS MATERIALIZED (
			SELECT l.*, b.rule_id, b.name, b.budget_id, coalesce(b.value, d.points_per_unit, 0) AS value
			FROM line l
				LEFT JOIN LATERAL (
					SELECT r.* FROM rule r
					WHERE r.kind = 'base' AND (r.category IS NULL OR r.category = l.category)
					ORDER BY r.category IS NULL, r.channel IS NULL, r.tier IS NULL, r.valid_from DESC, r.rule_id DESC LIMIT 1) b ON true
				LEFT JOIN LATERAL (
					SELECT r.points_per_unit FROM o2o.points_program_rate r
					WHERE r.program = points_quote.program AND r.valid_from <= points_quote.at
					ORDER BY r.valid_from DESC LIMIT 1) d ON true
		)
		SELECT 1 AS place, 'base' AS kind, b.rule_id, b.name, b.budget_id, sum(b.amount) AS amount, sum(b.amount * b.value) AS points
		FROM based b GROUP BY b.rule_id, b.name, b.budget_id
		UNION ALL
		SELECT 2, 'multiplier', r.rule_id, r.name, r.budget_id, sum(b.amount), sum(b.amount * b.value * (r.value - 1))
		FROM based b JOIN rule r ON r.kind = 'multiplier' AND (r.category IS NULL OR r.category = b.category)
		GROUP BY r.rule_id, r.name, r.budget_id
		UNION ALL
		SELECT 3, 'bonus', r.rule_id, r.name, r.budget_id, sum(b.amount), r.value
		FROM based b JOIN rule r ON r.kind = 'bonus' AND (r.category IS NULL OR r.category = b.category)
		WHERE b.amount > 0
		GROUP BY r.rule_id, r.name, r.budget_id, r.value
		ORDER BY place, rule_id NULLS FIRST
	LOOP
		kind := share.kind;
		rule_id := share.rule_id;
		name := coalesce(share.name, 'rate of the program');
		amount := trim_scale(share.amount);
		budget_id := share.budget_id;
		-- What comes from a budget is of the program's scale.
		points := trim_scale(CASE WHEN share.budget_id IS NULL THEN share.points ELSE trunc(share.points, quoted.scale) END);
		exact := exact + points;
		IF share.budget_id IS NOT NULL THEN
			shares := coalesce(shares, '[]') || jsonb_build_object('rule_id', share.rule_id, 'budget_id', share.budget_id, 'amount', amount, 'points', points);
		END IF;
		RETURN NEXT;
	END LOOP;

	-- All that a budget gives to the order, or nothing.
	IF shares IS NOT NULL THEN
		FOR share IN
			SELECT s.rule_id, s.budget_id, s.amount, s.points, b.name
			FROM (
				SELECT u.*, sum(u.points) OVER (PARTITION BY u.budget_id) AS of_budget
				FROM jsonb_to_recordset(shares) u (rule_id bigint, budget_id bigint, amount numeric, points numeric)
			) s
				JOIN o2o.points_budget b ON b.budget_id = s.budget_id
			WHERE NOT CASE WHEN points_quote.drawn IS NOT NULL THEN s.budget_id = ANY (points_quote.drawn)
				ELSE points_quote.at >= b.valid_from AND points_quote.at < b.valid_to
					AND s.of_budget <= (SELECT sum(t.available::numeric) FROM o2o.points_stripe t WHERE t.account_id = b.budget_id) END
			ORDER BY s.rule_id
		LOOP
			kind := 'budget';
			rule_id := share.rule_id;
			name := share.name;
			amount := share.amount;
			points := - share.points;
			budget_id := share.budget_id;
			exact := exact + points;
			RETURN NEXT;
		END LOOP;
	END IF;
	budget_id := NULL;

	SELECT r.rule_id, r.name, r.value INTO cap FROM o2o.points_rule r
	WHERE r.program = points_quote.program AND r.kind = 'cap' AND r.valid_from <= points_quote.at AND r.valid_to > points_quote.at
		AND (r.channel IS NULL OR r.channel = points_quote.channel) AND (r.tier IS NULL OR r.tier = points_quote.tier)
	ORDER BY r.value, r.rule_id LIMIT 1;
	amount := NULL;
	IF cap.rule_id IS NOT NULL THEN
		total := greatest(cap.value - earned_before - CASE WHEN points_quote.customer_id IS NULL THEN 0
			ELSE o2o.points_earned_on(points_quote.customer_id, points_quote.program, points_quote.at) END, 0);
		IF exact > total THEN
			kind := 'cap';
			rule_id := cap.rule_id;
			name := cap.name;
			points := trim_scale(total - exact);
			exact := total;
			RETURN NEXT;
		END IF;
	END IF;
	IF trunc(exact, quoted.scale) <> exact THEN
		kind := 'rounding';
		rule_id := NULL;
		name := format('cut to %s digits', quoted.scale);
		points := trim_scale(trunc(exact, quoted.scale) - exact);
		RETURN NEXT;
	END IF;
END $$;
COMMENT ON FUNCTION o2o.points_quote(text, jsonb, text, bigint, text, numeric, timestamptz, numeric, bigint[]) IS 'What an order would earn, one row per rule with its share; the shares sum up to the points that points_quote_order() gives. program; lines: [{"amount", "category"}], money in the program''s currency; channel of the sale; customer, whose points of the same day count towards a cap (NULL: none yet); tier of the member (NULL: the one that the customer has at that time); money of the lines that was paid with points, which earns nothing; when; points of the same day that are not posted yet (earned_before); budgets whose points were drawn for the order already (drawn; no other budget gives any; NULL: those give that have enough left). Columns: kind (base, multiplier, bonus; budget, cap and rounding take away: budget all that a rule gives whose budget has not enough left, or is not valid), rule (NULL: the program''s rate, or the rounding), name, money that it holds for, points, exact, budget of the rule. Errors: O2302 unknown program, 22023 no lines, an amount missing or below zero, or more paid by points than the lines come to.';

CREATE OR REPLACE FUNCTION o2o.points_quote_order(program text, lines jsonb, channel text, customer_id bigint DEFAULT NULL, tier text DEFAULT NULL,
	paid_by_points numeric DEFAULT 0, at timestamptz DEFAULT now(), earned_before numeric DEFAULT 0, drawn bigint[] DEFAULT NULL) RETURNS o2o.points
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (SELECT coalesce(sum(q.points), 0) FROM o2o.points_quote(points_quote_order.program, points_quote_order.lines, points_quote_order.channel,
		points_quote_order.customer_id, points_quote_order.tier, points_quote_order.paid_by_points, points_quote_order.at,
		points_quote_order.earned_before, points_quote_order.drawn) q);
END $$;
COMMENT ON FUNCTION o2o.points_quote_order(text, jsonb, text, bigint, text, numeric, timestamptz, numeric, bigint[]) IS 'The points that an order earns: the sum of points_quote() with the same arguments, of the program''s scale. Caps hold when the customer''s lock is held until the points are posted. Errors: as points_quote().';

CREATE OR REPLACE FUNCTION o2o.points_grant_shares(profile_id bigint, customer_id bigint, program text, fundings text[], amounts o2o.points[],
	reference text, reason text, request_id uuid, occurred_at timestamptz) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	total o2o.points := (SELECT o2o.sum(u.amount) FROM unnest(amounts) u (amount));
	rule o2o.points_program := o2o.points_program_check(program, total);
	new_transfer_id bigint := nextval('o2o.points_transfer_id_seq');
	issuer bigint := o2o.points_system_account_id(program, 'issuer');
	account bigint := o2o.points_account_open(points_grant_shares.profile_id, program);
	repaid o2o.points;
	part o2o.points;
	lots integer := 0;
BEGIN
	PERFORM o2o.moment_check(occurred_at);
	PERFORM o2o.points_accounts_lock(ARRAY[points_grant_shares.profile_id], program);
	repaid := total OPERATOR(o2o.-) o2o.points_repay(points_grant_shares.profile_id, points_grant_shares.customer_id, program, total,
		new_transfer_id, issuer, 'earn', reference, reason, request_id, occurred_at);
	total := total OPERATOR(o2o.-) repaid;
	-- What repays a debt comes from the first shares.
	FOR i IN 1 .. cardinality(amounts) LOOP
		part := least(amounts[i], repaid);
		repaid := repaid OPERATOR(o2o.-) part;
		IF amounts[i] OPERATOR(o2o.>) part THEN
			lots := lots + 1;
			fundings[lots] := fundings[i];
			amounts[lots] := amounts[i] OPERATOR(o2o.-) part;
		END IF;
	END LOOP;
	IF lots > 0 THEN
		PERFORM o2o.points_post(points_grant_shares.profile_id, account, new_transfer_id, issuer, 'earn',
			array_fill(o2o.points_expires_at(occurred_at, rule.expires_after, rule.expires_round, rule.time_zone, rule.expires_at), ARRAY[lots]),
			array_fill(o2o.points_grant_month(occurred_at, rule.time_zone), ARRAY[lots]), fundings[:lots], amounts[:lots],
			request_id, points_grant_shares.profile_id, points_grant_shares.customer_id, reference, reason, occurred_at);
		IF rule.reserve_policy = 'enforce' THEN
			PERFORM o2o.points_reserve_draw(program, total);
		END IF;
	END IF;
	RETURN new_transfer_id;
END $$;
COMMENT ON FUNCTION o2o.points_grant_shares(bigint, bigint, text, text[], o2o.points[], text, text, uuid, timestamptz) IS 'points_grant() of points that several fund, in one transfer: parallel arrays of who funds them, each once, and how many. Errors: as points_grant().';

CREATE OR REPLACE FUNCTION o2o.points_grant_order(profile_id bigint, customer_id bigint, program text, lines jsonb, channel text, paid_by_points numeric,
	reference text, reason text, request_id uuid, occurred_at timestamptz) RETURNS o2o.points
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	scale integer := (SELECT p.scale FROM o2o.points_program p WHERE p.program = points_grant_order.program);
	total o2o.points;
	rest o2o.points;
	own o2o.points;
	part record;
	budgets bigint[] := '{}';
	amounts o2o.points[] := '{}';
	new_transfer_id bigint;
BEGIN
	IF NOT EXISTS (SELECT FROM o2o.points_rule r WHERE r.program = points_grant_order.program AND r.budget_id IS NOT NULL
			AND r.valid_from <= points_grant_order.occurred_at AND r.valid_to > points_grant_order.occurred_at) THEN
		total := o2o.points_quote_order(program, lines, channel, points_grant_order.customer_id, paid_by_points => paid_by_points, at => occurred_at);
		IF total OPERATOR(o2o.>) 0 THEN
			PERFORM o2o.points_grant(points_grant_order.profile_id, points_grant_order.customer_id, program, total, reference, reason, request_id, occurred_at);
		END IF;
		RETURN total;
	END IF;

	-- Accounts are locked before budgets; then the quote holds for what was drawn.
	PERFORM o2o.points_account_open(points_grant_order.profile_id, program);
	PERFORM o2o.points_accounts_lock(ARRAY[points_grant_order.profile_id], program);
	FOR part IN
		SELECT q.budget_id, sum(q.points)::o2o.points AS amount
		FROM o2o.points_quote(program, lines, channel, points_grant_order.customer_id, paid_by_points => paid_by_points, at => occurred_at) q
		WHERE q.budget_id IS NOT NULL
		GROUP BY q.budget_id
		HAVING sum(q.points) > 0
		ORDER BY q.budget_id
	LOOP
		IF o2o.points_budget_draw(part.budget_id, part.amount, occurred_at) THEN
			budgets := budgets || part.budget_id;
			amounts := amounts || part.amount;
		END IF;
	END LOOP;
	SELECT coalesce(sum(q.points), 0)::o2o.points,
		trunc(coalesce(sum(q.points) FILTER (WHERE q.budget_id IS NULL AND q.kind NOT IN ('cap', 'rounding')), 0), scale)::o2o.points
	INTO total, own
	FROM o2o.points_quote(program, lines, channel, points_grant_order.customer_id, paid_by_points => paid_by_points, at => occurred_at, drawn => budgets) q;

	-- A cap cuts what budgets gave, and that goes back to them.
	own := least(own, total);
	rest := total OPERATOR(o2o.-) own;
	FOR i IN 1 .. cardinality(budgets) LOOP
		IF amounts[i] OPERATOR(o2o.>) rest THEN
			PERFORM o2o.points_stripes_give(budgets[i], amounts[i] OPERATOR(o2o.-) rest);
			amounts[i] := rest;
		END IF;
		rest := rest OPERATOR(o2o.-) amounts[i];
	END LOOP;
	IF total OPERATOR(o2o.>) 0 THEN
		SELECT o2o.points_grant_shares(points_grant_order.profile_id, points_grant_order.customer_id, points_grant_order.program, array_agg(f.funding ORDER BY f.place),
			array_agg(f.amount ORDER BY f.place), points_grant_order.reference, points_grant_order.reason, points_grant_order.request_id,
			points_grant_order.occurred_at)
		INTO new_transfer_id
		FROM (
			SELECT s.funding, o2o.sum(s.amount) AS amount, min(s.place) AS place
			FROM (
				SELECT 'program' AS funding, own AS amount, 0::bigint AS place
				UNION ALL
				SELECT b.funding, u.amount, u.place
				FROM unnest(budgets, amounts) WITH ORDINALITY u (budget_id, amount, place)
					JOIN o2o.points_budget b ON b.budget_id = u.budget_id
			) s
			WHERE s.amount OPERATOR(o2o.>) 0
			GROUP BY s.funding
		) f;
		INSERT INTO o2o.points_budget_use (profile_id, transfer_id, budget_id, amount)
		SELECT points_grant_order.profile_id, new_transfer_id, u.budget_id, u.amount
		FROM unnest(budgets, amounts) u (budget_id, amount)
		WHERE u.amount OPERATOR(o2o.>) 0;
	END IF;
	RETURN total;
END $$;
COMMENT ON FUNCTION o2o.points_grant_order(bigint, bigint, text, jsonb, text, numeric, text, text, uuid, timestamptz) IS 'Posts what an order earns by points_quote(), to the member account of a profile, and returns it: program, lines and channel as there, money of them that was paid with points. Points of rules with a budget are drawn from it in the same transaction, or not given; a cap cuts them first, the highest budget_id first. The customer is locked. Errors: as points_quote() and points_grant().';
