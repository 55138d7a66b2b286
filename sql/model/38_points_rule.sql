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
	CHECK (kind <> 'cap' OR category IS NULL),
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
	paid_by_points numeric DEFAULT 0, at timestamptz DEFAULT now(), earned_before numeric DEFAULT 0)
RETURNS TABLE (kind text, rule_id bigint, name text, amount numeric, points numeric)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	quoted o2o.points_program;
	due numeric;
	exact numeric := 0;
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
			SELECT l.*, b.rule_id, b.name, coalesce(b.value, d.points_per_unit, 0) AS value
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
		SELECT 1 AS place, 'base' AS kind, b.rule_id, b.name, sum(b.amount) AS amount, sum(b.amount * b.value) AS points
		FROM based b GROUP BY b.rule_id, b.name
		UNION ALL
		SELECT 2, 'multiplier', r.rule_id, r.name, sum(b.amount), sum(b.amount * b.value * (r.value - 1))
		FROM based b JOIN rule r ON r.kind = 'multiplier' AND (r.category IS NULL OR r.category = b.category)
		GROUP BY r.rule_id, r.name
		UNION ALL
		SELECT 3, 'bonus', r.rule_id, r.name, sum(b.amount), r.value
		FROM based b JOIN rule r ON r.kind = 'bonus' AND (r.category IS NULL OR r.category = b.category)
		WHERE b.amount > 0
		GROUP BY r.rule_id, r.name, r.value
		ORDER BY place, rule_id NULLS FIRST
	LOOP
		kind := share.kind;
		rule_id := share.rule_id;
		name := coalesce(share.name, 'rate of the program');
		amount := trim_scale(share.amount);
		points := trim_scale(share.points);
		exact := exact + share.points;
		RETURN NEXT;
	END LOOP;

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
COMMENT ON FUNCTION o2o.points_quote(text, jsonb, text, bigint, text, numeric, timestamptz, numeric) IS 'What an order would earn, one row per rule with its share; the shares sum up to the points that points_quote_order() gives. program; lines: [{"amount", "category"}], money in the program''s currency; channel of the sale; customer, whose points of the same day count towards a cap (NULL: none yet); tier of the member (NULL: the one that the customer has at that time); money of the lines that was paid with points, which earns nothing; when; points of the same day that are not posted yet (earned_before). Columns: kind (base, multiplier, bonus; cap and rounding take away), rule (NULL: the program''s rate, or the rounding), name, money that it holds for, points, exact. Errors: O2302 unknown program, 22023 no lines, an amount missing or below zero, or more paid by points than the lines come to.';

CREATE OR REPLACE FUNCTION o2o.points_quote_order(program text, lines jsonb, channel text, customer_id bigint DEFAULT NULL, tier text DEFAULT NULL,
	paid_by_points numeric DEFAULT 0, at timestamptz DEFAULT now(), earned_before numeric DEFAULT 0) RETURNS o2o.points
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (SELECT coalesce(sum(q.points), 0) FROM o2o.points_quote(points_quote_order.program, points_quote_order.lines, points_quote_order.channel,
		points_quote_order.customer_id, points_quote_order.tier, points_quote_order.paid_by_points, points_quote_order.at,
		points_quote_order.earned_before) q);
END $$;
COMMENT ON FUNCTION o2o.points_quote_order(text, jsonb, text, bigint, text, numeric, timestamptz, numeric) IS 'The points that an order earns: the sum of points_quote() with the same arguments, of the program''s scale. Caps hold when the customer''s lock is held until the points are posted. Errors: as points_quote().';
