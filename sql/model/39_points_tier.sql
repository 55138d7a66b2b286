-- The points room: tiers. What qualifies belongs to profiles and is never
-- rewritten; the tier of a customer follows from it alone. The row per customer
-- is a cache, which says by what it was made: whoever reads it sees whether it
-- still holds, so that merges and unmerges (a lower room) need not call here.
-- Generic plans: planning for each array of profiles costs more than the answer.

CREATE TABLE IF NOT EXISTS o2o.points_tier_rule (
	program text NOT NULL PRIMARY KEY REFERENCES o2o.points_program,
	counts_over text NOT NULL DEFAULT 'rolling' CHECK (counts_over IN ('rolling', 'month', 'quarter', 'year')),
	rolling_for interval NOT NULL DEFAULT '12 months' CHECK (rolling_for > interval '0'),
	grace interval NOT NULL DEFAULT '0' CHECK (grace >= interval '0'),
	downgrade text NOT NULL DEFAULT 'earned' CHECK (downgrade IN ('earned', 'step'))
);
COMMENT ON TABLE o2o.points_tier_rule IS 'How customers of a program come to tiers and leave them, one row per program with tiers: rows of the owner.';
COMMENT ON COLUMN o2o.points_tier_rule.program IS 'Points program; refers to points_program';
COMMENT ON COLUMN o2o.points_tier_rule.counts_over IS 'Over what it is summed up: rolling: the time rolling_for before each moment; month, quarter, year: the calendar period, on the program''s clock, starting at zero';
COMMENT ON COLUMN o2o.points_tier_rule.rolling_for IS 'Length of a rolling window';
COMMENT ON COLUMN o2o.points_tier_rule.grace IS 'How long a tier stays after the window does not carry it any more; with a calendar period, after its end';
COMMENT ON COLUMN o2o.points_tier_rule.downgrade IS 'What follows then: earned: the tier that the window carries at that moment; step: the next lower one at most, which stays for one more window or period before the next step';

CREATE TABLE IF NOT EXISTS o2o.points_tier_level (
	program text NOT NULL REFERENCES o2o.points_tier_rule,
	tier text NOT NULL CHECK (tier ~ '^[a-z][a-z0-9_]*$'),
	rank integer NOT NULL CHECK (rank > 0),
	name text NOT NULL,
	qualifying_points o2o.points,
	qualifying_spend numeric(18,4),
	needs_both boolean NOT NULL DEFAULT false,
	PRIMARY KEY (program, tier),
	UNIQUE (program, rank)
);
COMMENT ON TABLE o2o.points_tier_level IS 'Tiers of a program: rows of the owner. What a tier is good for are rows of points_rule that name it.';
COMMENT ON COLUMN o2o.points_tier_level.program IS 'Points program; refers to points_tier_rule';
COMMENT ON COLUMN o2o.points_tier_level.tier IS 'Code of the tier, [a-z][a-z0-9_]*';
COMMENT ON COLUMN o2o.points_tier_level.rank IS 'Order of the tiers, 1 the lowest';
COMMENT ON COLUMN o2o.points_tier_level.name IS 'Name to show';
COMMENT ON COLUMN o2o.points_tier_level.qualifying_points IS 'Points earned in the window that reach it; NULL: points do not';
COMMENT ON COLUMN o2o.points_tier_level.qualifying_spend IS 'Money spent in the window that reaches it, in the program''s currency; NULL: spend does not';
COMMENT ON COLUMN o2o.points_tier_level.needs_both IS 'Whether points and spend must both be reached, where both are given; else one is enough. A tier with neither is everybody''s';

CREATE SEQUENCE IF NOT EXISTS o2o.points_qualification_id_seq AS bigint CACHE 32;
CREATE TABLE IF NOT EXISTS o2o.points_qualification (
	profile_id bigint NOT NULL,
	qualification_id bigint NOT NULL DEFAULT nextval('o2o.points_qualification_id_seq'),
	program text NOT NULL REFERENCES o2o.points_program,
	points o2o.points NOT NULL DEFAULT 0,
	spend numeric(18,4) NOT NULL DEFAULT 0,
	counts_from timestamptz NOT NULL,
	occurred_at timestamptz NOT NULL,
	reference text,
	reason text,
	request_id uuid NOT NULL,
	recorded_at timestamptz NOT NULL DEFAULT now(),
	recorded_by text NOT NULL DEFAULT session_user,
	PRIMARY KEY (profile_id, qualification_id)
);
COMMENT ON TABLE o2o.points_qualification IS 'What counts towards tiers besides the points earned, which the ledger has: money spent, and corrections. Append-only.';
COMMENT ON COLUMN o2o.points_qualification.profile_id IS 'Profile by which the person was recognised, never rewritten';
COMMENT ON COLUMN o2o.points_qualification.qualification_id IS 'Number of the row';
COMMENT ON COLUMN o2o.points_qualification.program IS 'Points program; refers to points_program';
COMMENT ON COLUMN o2o.points_qualification.points IS 'Points that count towards tiers and nothing else; below zero: count no more';
COMMENT ON COLUMN o2o.points_qualification.spend IS 'Money in the program''s currency; below zero: goods came back';
COMMENT ON COLUMN o2o.points_qualification.counts_from IS 'From when it counts: of goods that came back, when they did';
COMMENT ON COLUMN o2o.points_qualification.occurred_at IS 'To which moment it belongs, whose window it leaves with: of goods that came back, that of the order';
COMMENT ON COLUMN o2o.points_qualification.reference IS 'The caller''s document, such as order/<source>/<source_id>; NULL: none';
COMMENT ON COLUMN o2o.points_qualification.reason IS 'Why, in the caller''s words; NULL: not said';
COMMENT ON COLUMN o2o.points_qualification.request_id IS 'Call that wrote it; refers to request, or is random where no idempotency key was given';
COMMENT ON COLUMN o2o.points_qualification.recorded_at IS 'When the row was written (start of the transaction)';
COMMENT ON COLUMN o2o.points_qualification.recorded_by IS 'Login role that wrote the row';

CREATE TABLE IF NOT EXISTS o2o.points_tier_state (
	customer_id bigint NOT NULL,
	program text NOT NULL REFERENCES o2o.points_program,
	tier text,
	since timestamptz NOT NULL,
	valid_until timestamptz NOT NULL,
	profiles bigint[] NOT NULL,
	made_by text NOT NULL,
	evaluated_at timestamptz NOT NULL,
	PRIMARY KEY (customer_id, program)
) WITH (fillfactor = 80);
COMMENT ON TABLE o2o.points_tier_state IS 'Cache: the tier of a customer, made by points_tier_refresh(). It holds while made_by is what points_tier_mark() says and valid_until has not come; points_tier() looks, and works the tier out anew where it does not hold. A row of a customer that was absorbed is not read until it is split off again.';
COMMENT ON COLUMN o2o.points_tier_state.customer_id IS 'Customer; refers to customer';
COMMENT ON COLUMN o2o.points_tier_state.program IS 'Points program; refers to points_program';
COMMENT ON COLUMN o2o.points_tier_state.tier IS 'Tier; refers to points_tier_level; NULL: none';
COMMENT ON COLUMN o2o.points_tier_state.since IS 'Since when; -infinity: from the start';
COMMENT ON COLUMN o2o.points_tier_state.valid_until IS 'When the tier changes by the passing of time alone, if nothing more is earned; infinity: never';
COMMENT ON COLUMN o2o.points_tier_state.profiles IS 'Profiles that the customer had when it was made';
COMMENT ON COLUMN o2o.points_tier_state.made_by IS 'points_tier_mark() when it was made';
COMMENT ON COLUMN o2o.points_tier_state.evaluated_at IS 'When it was made (start of the transaction)';

CREATE SEQUENCE IF NOT EXISTS o2o.points_tier_history_id_seq AS bigint CACHE 32;
CREATE TABLE IF NOT EXISTS o2o.points_tier_history (
	customer_id bigint NOT NULL,
	history_id bigint NOT NULL DEFAULT nextval('o2o.points_tier_history_id_seq'),
	program text NOT NULL REFERENCES o2o.points_program,
	tier text,
	old_tier text,
	from_at timestamptz NOT NULL,
	cause text NOT NULL CHECK (cause IN ('qualified', 'downgrade', 'merge', 'unmerge', 'correction')),
	profiles bigint[] NOT NULL,
	recorded_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (customer_id, history_id)
);
COMMENT ON TABLE o2o.points_tier_history IS 'Every change of a customer''s tier as it was found, append-only.';
COMMENT ON COLUMN o2o.points_tier_history.customer_id IS 'Customer of that moment; refers to customer';
COMMENT ON COLUMN o2o.points_tier_history.history_id IS 'Number of the row';
COMMENT ON COLUMN o2o.points_tier_history.program IS 'Points program; refers to points_program';
COMMENT ON COLUMN o2o.points_tier_history.tier IS 'Tier from then on; NULL: none';
COMMENT ON COLUMN o2o.points_tier_history.old_tier IS 'Tier before; NULL: none';
COMMENT ON COLUMN o2o.points_tier_history.from_at IS 'From when; of a merge, an unmerge or a correction, when it was found';
COMMENT ON COLUMN o2o.points_tier_history.cause IS 'qualified, downgrade; merge, unmerge: the customer has other profiles than before; correction: something came late that had happened before, or the rules are others';
COMMENT ON COLUMN o2o.points_tier_history.profiles IS 'Profiles of the customer at that moment';
COMMENT ON COLUMN o2o.points_tier_history.recorded_at IS 'When the row was written (start of the transaction)';

CREATE OR REPLACE FUNCTION o2o.points_tier_mark(members bigint[], program text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	-- Versions only rise and rows of points_qualification only become more.
	RETURN (SELECT format('%s %s %s', array_to_string(members, ','),
			coalesce((SELECT sum(a.version) FROM o2o.points_account a
				WHERE a.profile_id = ANY (members) AND a.program = points_tier_mark.program AND a.kind IN ('member', 'debt')), 0)
			+ (SELECT count(*) FROM o2o.points_qualification q WHERE q.profile_id = ANY (members) AND q.program = points_tier_mark.program),
			md5(r::text || (SELECT string_agg(l::text, ';' ORDER BY l.rank) FROM o2o.points_tier_level l WHERE l.program = r.program)))
		FROM o2o.points_tier_rule r WHERE r.program = points_tier_mark.program);
END $$;
COMMENT ON FUNCTION o2o.points_tier_mark(bigint[], text) IS 'What the tier of a customer (profiles: members) depends on besides the time, in short: another text means that it may be another tier. NULL for a program without tiers.';

CREATE OR REPLACE FUNCTION o2o.points_tier_window_end(at timestamptz, counts_over text, rolling_for interval, time_zone text) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE counts_over
	WHEN 'rolling' THEN ((at AT TIME ZONE time_zone) + rolling_for) AT TIME ZONE time_zone
	ELSE (date_trunc(counts_over, at AT TIME ZONE time_zone)
		+ CASE counts_over WHEN 'month' THEN interval '1 month' WHEN 'quarter' THEN interval '3 months' ELSE interval '1 year' END) AT TIME ZONE time_zone
	END;
COMMENT ON FUNCTION o2o.points_tier_window_end(timestamptz, text, interval, text) IS 'First moment at which what happened at a moment counts no more towards tiers: after a rolling window, or at the end of its month, quarter or year, on the clock of the time zone.';

CREATE OR REPLACE FUNCTION o2o.points_tier_event(members bigint[], program text)
RETURNS TABLE (counts_from timestamptz, occurred_at timestamptz, points numeric, spend numeric)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	-- What was taken back leaves the window with what earned it.
	RETURN QUERY
	WITH own AS MATERIALIZED (
		SELECT p.transfer_id, p.operation, p.amount::numeric AS amount, p.occurred_at, p.reverses_transfer_id
		FROM o2o.points_account a
			JOIN o2o.points_posting p ON p.profile_id = a.profile_id AND p.account_id = a.account_id
		WHERE a.profile_id = ANY (members) AND a.program = points_tier_event.program AND a.kind IN ('member', 'debt')
			AND p.operation IN ('earn', 'clawback', 'reverse')
	), earned AS MATERIALIZED (
		SELECT o.transfer_id, min(o.occurred_at) AS occurred_at FROM own o WHERE o.operation = 'earn' GROUP BY o.transfer_id
	), clawed AS MATERIALIZED (
		SELECT DISTINCT o.transfer_id, o.reverses_transfer_id FROM own o WHERE o.operation = 'clawback'
	)
	SELECT o.occurred_at, o.occurred_at, o.amount, 0::numeric FROM own o WHERE o.operation = 'earn'
	UNION ALL
	SELECT o.occurred_at, e.occurred_at, o.amount, 0 FROM own o JOIN earned e ON e.transfer_id = o.reverses_transfer_id
	UNION ALL
	SELECT o.occurred_at, e.occurred_at, o.amount, 0
	FROM own o
		JOIN clawed c ON c.transfer_id = o.reverses_transfer_id
		JOIN earned e ON e.transfer_id = c.reverses_transfer_id
	WHERE o.operation = 'reverse'
	UNION ALL
	SELECT q.counts_from, q.occurred_at, q.points::numeric, q.spend
	FROM o2o.points_qualification q
	WHERE q.profile_id = ANY (members) AND q.program = points_tier_event.program;
END $$;
COMMENT ON FUNCTION o2o.points_tier_event(bigint[], text) IS 'What counts towards the tiers of a customer (profiles: members) in a program: points earned, what of them was taken back (from then on, until they leave the window), and the rows of points_qualification. From when it counts, to which moment it belongs, points, money in the program''s currency.';

CREATE OR REPLACE FUNCTION o2o.points_tier_walk(members bigint[], program text, more_at timestamptz[] DEFAULT '{}',
	more_points numeric[] DEFAULT '{}', more_spend numeric[] DEFAULT '{}')
RETURNS TABLE (at timestamptz, tier text, cause text, points numeric, spend numeric)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	rule record;
	tiers text[];
	need_points numeric[];
	need_spend numeric[];
	need_both boolean[];
	moment record;
	has_points boolean;
	has_spend boolean;
	held integer := 0;			-- place in tiers; 0: none
	carried integer := 0;		-- place of the highest tier that the window carries
	held_until timestamptz;		-- NULL: the window carries what is held
BEGIN
	SELECT r.*, p.time_zone INTO rule
	FROM o2o.points_tier_rule r JOIN o2o.points_program p ON p.program = r.program
	WHERE r.program = points_tier_walk.program;
	SELECT array_agg(l.tier ORDER BY l.rank), array_agg(l.qualifying_points::numeric ORDER BY l.rank),
		array_agg(l.qualifying_spend ORDER BY l.rank), array_agg(l.needs_both ORDER BY l.rank)
	INTO tiers, need_points, need_spend, need_both
	FROM o2o.points_tier_level l WHERE l.program = points_tier_walk.program;
	points := 0;
	spend := 0;
	FOR moment IN
		WITH event AS MATERIALIZED (
			SELECT e.counts_from, o2o.points_tier_window_end(e.occurred_at, rule.counts_over, rule.rolling_for, rule.time_zone) AS counts_to,
				e.points, e.spend
			FROM (
				SELECT t.* FROM o2o.points_tier_event(members, points_tier_walk.program) t
				UNION ALL
				SELECT m.at, m.at, m.points, m.spend FROM unnest(more_at, more_points, more_spend) m (at, points, spend)
			) e
		)
		SELECT '-infinity'::timestamptz AS at, 0::numeric AS points, 0::numeric AS spend
		UNION ALL
		SELECT b.at, sum(b.points), sum(b.spend)
		FROM (
			SELECT e.counts_from AS at, e.points, e.spend FROM event e WHERE e.counts_from < e.counts_to
			UNION ALL
			SELECT e.counts_to, - e.points, - e.spend FROM event e WHERE e.counts_from < e.counts_to
		) b
		GROUP BY b.at
		UNION ALL
		SELECT 'infinity', 0, 0
		ORDER BY 1
	LOOP
		WHILE held_until <= moment.at AND held_until < 'infinity' LOOP
			held := CASE rule.downgrade WHEN 'step' THEN greatest(carried, held - 1) ELSE carried END;
			at := held_until;
			tier := tiers[held];
			cause := 'downgrade';
			RETURN NEXT;
			held_until := CASE WHEN held > carried THEN o2o.points_tier_window_end(held_until, rule.counts_over, rule.rolling_for, rule.time_zone) END;
		END LOOP;
		points := points + moment.points;
		spend := spend + moment.spend;
		carried := 0;
		FOR i IN REVERSE coalesce(cardinality(tiers), 0) .. 1 LOOP
			has_points := points >= need_points[i];
			has_spend := spend >= need_spend[i];
			carried := CASE WHEN has_points IS NULL AND has_spend IS NULL THEN i
				WHEN coalesce(has_points, need_both[i]) AND coalesce(has_spend, need_both[i]) THEN i
				WHEN NOT need_both[i] AND (has_points OR has_spend) THEN i ELSE 0 END;
			EXIT WHEN carried > 0;
		END LOOP;
		IF carried > held THEN
			held := carried;
			held_until := NULL;
			at := moment.at;
			tier := tiers[held];
			cause := 'qualified';
			RETURN NEXT;
		ELSIF carried = held THEN
			held_until := NULL;
		ELSIF held_until IS NULL THEN
			held_until := ((moment.at AT TIME ZONE rule.time_zone) + rule.grace) AT TIME ZONE rule.time_zone;
		END IF;
	END LOOP;
END $$;
COMMENT ON FUNCTION o2o.points_tier_walk(bigint[], text, timestamptz[], numeric[], numeric[]) IS 'The tiers of a customer (profiles: members) in a program from the beginning until the last of what counts has left the window: one row per change, in the order of time, those to come included (what happens if nothing more is earned): when, tier (NULL: none), qualified or downgrade, and what the window held of points and spend just then. It follows from what qualifies and the rules of today alone. more_at, more_points and more_spend: what qualifies besides and is not posted yet.';

CREATE OR REPLACE FUNCTION o2o.points_tier_at(customer_id bigint, program text, at timestamptz) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	members bigint[];
	state o2o.points_tier_state;
BEGIN
	IF customer_id IS NULL OR NOT EXISTS (SELECT FROM o2o.points_tier_rule r WHERE r.program = points_tier_at.program) THEN
		RETURN NULL;
	END IF;
	members := o2o.customer_profiles(points_tier_at.customer_id);
	SELECT s.* INTO state FROM o2o.points_tier_state s
	WHERE s.customer_id = points_tier_at.customer_id AND s.program = points_tier_at.program;
	IF at >= state.since AND at < state.valid_until AND o2o.points_tier_mark(members, points_tier_at.program) = state.made_by THEN
		RETURN state.tier;
	END IF;
	RETURN (SELECT w.tier FROM o2o.points_tier_walk(members, points_tier_at.program) w WHERE w.at <= points_tier_at.at ORDER BY w.at DESC LIMIT 1);
END $$;
COMMENT ON FUNCTION o2o.points_tier_at(bigint, text, timestamptz) IS 'The tier of a customer in a program at a moment, by what is known today; NULL: none, or the program has no tiers. From the cache where that holds.';

CREATE OR REPLACE FUNCTION o2o.points_tier_refresh(customer_id bigint, program text) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	members bigint[] := o2o.customer_profiles(points_tier_refresh.customer_id);
	mark text := o2o.points_tier_mark(members, points_tier_refresh.program);
	state o2o.points_tier_state;
	step record;
	found_tier text;
	found_since timestamptz := '-infinity';
	found_until timestamptz := 'infinity';
	told text;
	same_people boolean;
BEGIN
	SELECT s.* INTO state FROM o2o.points_tier_state s
	WHERE s.customer_id = points_tier_refresh.customer_id AND s.program = points_tier_refresh.program;
	IF mark IS NULL OR mark = state.made_by AND now() < state.valid_until THEN
		RETURN state.tier;
	END IF;
	told := state.tier;
	same_people := state.profiles IS NULL OR state.profiles = members;
	FOR step IN SELECT w.* FROM o2o.points_tier_walk(members, points_tier_refresh.program) w LOOP
		IF step.at > now() THEN
			found_until := step.at;
			EXIT;
		END IF;
		found_tier := step.tier;
		found_since := step.at;
		IF same_people AND (step.at > state.evaluated_at OR state.evaluated_at IS NULL) AND step.tier IS DISTINCT FROM told THEN
			INSERT INTO o2o.points_tier_history (customer_id, program, tier, old_tier, from_at, cause, profiles)
			VALUES (points_tier_refresh.customer_id, points_tier_refresh.program, step.tier, told, step.at, step.cause, members);
			told := step.tier;
		END IF;
	END LOOP;
	IF found_tier IS DISTINCT FROM told THEN
		INSERT INTO o2o.points_tier_history (customer_id, program, tier, old_tier, from_at, cause, profiles)
		VALUES (points_tier_refresh.customer_id, points_tier_refresh.program, found_tier, told, now(),
			CASE WHEN same_people THEN 'correction' WHEN state.profiles <@ members THEN 'merge' ELSE 'unmerge' END, members);
	END IF;
	INSERT INTO o2o.points_tier_state AS s (customer_id, program, tier, since, valid_until, profiles, made_by, evaluated_at)
	VALUES (points_tier_refresh.customer_id, points_tier_refresh.program, found_tier, found_since, found_until, members, mark, now())
	ON CONFLICT ON CONSTRAINT points_tier_state_pkey DO UPDATE
	SET tier = excluded.tier, since = excluded.since, valid_until = excluded.valid_until, profiles = excluded.profiles,
		made_by = excluded.made_by, evaluated_at = excluded.evaluated_at;
	RETURN found_tier;
END $$;
COMMENT ON FUNCTION o2o.points_tier_refresh(bigint, text) IS 'Writes the cached tier of a customer, whose lock is held, anew where it does not hold any more, and what changed into the history. Returns the tier, NULL for none.';

CREATE OR REPLACE FUNCTION o2o.points_tier_evaluate(program text DEFAULT NULL, max_customers integer DEFAULT 1000) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	due record;
	roots bigint[];
	evaluated bigint := 0;
BEGIN
	-- In the order in which customers are locked. Who has been merged or split meanwhile is left to the next call.
	FOR due IN
		SELECT d.customer_id, d.program
		FROM (
			SELECT DISTINCT coalesce(p.customer_id, a.profile_id) AS customer_id, a.program
			FROM o2o.points_tier_rule r
				JOIN o2o.points_account a ON a.program = r.program AND a.kind = 'member'
				JOIN o2o.profile p ON p.profile_id = a.profile_id
			WHERE points_tier_evaluate.program IS NULL OR r.program = points_tier_evaluate.program
			UNION
			SELECT p.customer_id, q.program
			FROM o2o.points_qualification q JOIN o2o.profile p ON p.profile_id = q.profile_id
			WHERE points_tier_evaluate.program IS NULL OR q.program = points_tier_evaluate.program
		) d
			LEFT JOIN o2o.points_tier_state s ON s.customer_id = d.customer_id AND s.program = d.program
		WHERE s.valid_until <= now()
			OR s.made_by IS DISTINCT FROM o2o.points_tier_mark(o2o.customer_profiles(d.customer_id), d.program)
		ORDER BY d.customer_id, d.program
		LIMIT greatest(max_customers, 0)
	LOOP
		roots := o2o.customer_lock(ARRAY[due.customer_id]);
		PERFORM o2o.points_tier_refresh(roots[1], due.program);
		evaluated := evaluated + 1;
	END LOOP;
	RETURN evaluated;
END $$;
COMMENT ON FUNCTION o2o.points_tier_evaluate(text, integer) IS 'Works the tiers anew of customers whose cached tier does not hold any more (something was earned, taken back, merged or split, the rules are others, or the time has come), in one program or in all, max_customers at a time, and writes what changed into points_tier_history. Returns how many; fewer than max_customers means that nothing is left. Called by maintain(); tiers are right without it, but the history is written later.';

CREATE OR REPLACE FUNCTION o2o.points_tier(person bigint)
RETURNS TABLE (program text, tier text, name text, since timestamptz, valid_until timestamptz, falls_to text, points o2o.points, spend numeric,
	next_tier text, points_missing o2o.points, spend_missing numeric)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	members bigint[] := o2o.customer_profiles(o2o.profile_customer(o2o.person_profile(person)));
	rule record;
	step record;
	place integer;
BEGIN
	FOR rule IN
		SELECT r.*, p.time_zone FROM o2o.points_tier_rule r JOIN o2o.points_program p ON p.program = r.program ORDER BY r.program
	LOOP
		program := rule.program;
		tier := NULL;
		since := '-infinity';
		valid_until := 'infinity';
		falls_to := NULL;
		FOR step IN SELECT w.* FROM o2o.points_tier_walk(members, rule.program) w LOOP
			IF step.at > now() THEN
				valid_until := step.at;
				falls_to := step.tier;
				EXIT;
			END IF;
			tier := step.tier;
			since := step.at;
		END LOOP;
		SELECT coalesce(sum(e.points), 0), coalesce(sum(e.spend), 0) INTO points, spend
		FROM o2o.points_tier_event(members, rule.program) e
		WHERE e.counts_from <= now()
			AND o2o.points_tier_window_end(e.occurred_at, rule.counts_over, rule.rolling_for, rule.time_zone) > now();
		SELECT l.name, l.rank INTO name, place FROM o2o.points_tier_level l WHERE l.program = rule.program AND l.tier = points_tier.tier;
		SELECT l.tier, CASE WHEN l.qualifying_points IS NOT NULL THEN greatest(l.qualifying_points OPERATOR(o2o.-) points_tier.points, 0::o2o.points) END,
			CASE WHEN l.qualifying_spend IS NOT NULL THEN greatest(l.qualifying_spend - points_tier.spend, 0) END
		INTO next_tier, points_missing, spend_missing
		FROM o2o.points_tier_level l
		WHERE l.program = rule.program AND l.rank > coalesce(place, 0)
		ORDER BY l.rank LIMIT 1;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION o2o.points_tier(bigint) IS 'The same for a person known by profile or customer id.';

CREATE OR REPLACE FUNCTION o2o.points_tier(person o2o.identifier)
RETURNS TABLE (program text, tier text, name text, since timestamptz, valid_until timestamptz, falls_to text, points o2o.points, spend numeric,
	next_tier text, points_missing o2o.points, spend_missing numeric)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT t.* FROM o2o.points_tier(o2o.person_profile(person)) t;
END $$;
COMMENT ON FUNCTION o2o.points_tier(o2o.identifier) IS 'The tier of a customer now, over all its profiles of today, one row per program with tiers: tier (NULL: none), its name, since when (-infinity: from the start), until when it stays if nothing more is earned (infinity: for good), what it falls to then, points and money in the window now, the next higher tier, and what is missing to it of each that it asks for (NULL: not asked). Worked out from what qualifies, whatever ran before. Error: O2201 nobody has the identifier.';

CREATE OR REPLACE FUNCTION o2o.points_qualify_post(profile_id bigint, program text, amount o2o.points, spend numeric, counts_from timestamptz,
	occurred_at timestamptz, reference text, reason text, request_id uuid) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	INSERT INTO o2o.points_qualification (profile_id, program, points, spend, counts_from, occurred_at, reference, reason, request_id)
	SELECT points_qualify_post.profile_id, r.program, points_qualify_post.amount, points_qualify_post.spend, points_qualify_post.counts_from,
		points_qualify_post.occurred_at, points_qualify_post.reference, points_qualify_post.reason, points_qualify_post.request_id
	FROM o2o.points_tier_rule r WHERE r.program = points_qualify_post.program;
	RETURN FOUND;
END $$;
COMMENT ON FUNCTION o2o.points_qualify_post(bigint, text, o2o.points, numeric, timestamptz, timestamptz, text, text, uuid) IS 'Writes what counts towards tiers; nothing for a program without tiers, which returns false.';

CREATE OR REPLACE FUNCTION o2o.points_qualify_many(profile_ids bigint[], programs text[], spends numeric[], counts_from timestamptz[],
	occurred_at timestamptz[], reference text[], reason text, request_ids uuid[]) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	INSERT INTO o2o.points_qualification (profile_id, program, spend, counts_from, occurred_at, reference, reason, request_id)
	SELECT u.profile_id, r.program, u.spend, u.counts_from, u.occurred_at, u.reference, points_qualify_many.reason, u.request_id
	FROM unnest(profile_ids, programs, spends, points_qualify_many.counts_from, points_qualify_many.occurred_at, points_qualify_many.reference, request_ids)
			u (profile_id, program, spend, counts_from, occurred_at, reference, request_id)
		JOIN o2o.points_tier_rule r ON r.program = u.program
$$;
COMMENT ON FUNCTION o2o.points_qualify_many(bigint[], text[], numeric[], timestamptz[], timestamptz[], text[], text, uuid[]) IS 'points_qualify_post for money spent in many programs by many, as parallel arrays.';

CREATE OR REPLACE FUNCTION o2o.points_qualify_once(person o2o.identifier, profile_id bigint, program text, amount o2o.points, spend numeric,
	reason text, reference text, occurred_at timestamptz, idempotency_key text, OUT tier text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	claim record;
	customer bigint;
BEGIN
	SELECT c.* INTO claim
	FROM o2o.request_claim(idempotency_key, 'points_qualify', jsonb_build_object(
		'person', coalesce(person::text, points_qualify_once.profile_id::text), 'program', program, 'amount', amount, 'spend', trim_scale(spend),
		'reason', reason, 'reference', reference, 'occurred_at', extract(epoch FROM nullif(occurred_at, now())))) c;
	IF claim.replay IS NOT NULL THEN
		tier := claim.replay ->> 'tier';
		RETURN;
	END IF;
	PERFORM o2o.moment_check(occurred_at);
	IF NOT EXISTS (SELECT FROM o2o.points_tier_rule r WHERE r.program = points_qualify_once.program) THEN
		RAISE EXCEPTION 'points program "%" does not exist, or has no tiers', program
			USING ERRCODE = 'O2302', HINT = 'Insert its rows into o2o.points_tier_rule and o2o.points_tier_level.';
	ELSIF amount IS NULL OR (abs(spend) < 1e14) IS NOT TRUE OR amount OPERATOR(o2o.=) 0 AND spend = 0 THEN
		RAISE EXCEPTION 'nothing was given that counts towards tiers'
			USING ERRCODE = 'O2303', DETAIL = format('Points %s, spend %s.', coalesce(amount::text, 'NULL'), coalesce(spend::text, 'NULL')),
				HINT = 'Give points or spend other than zero.';
	ELSIF coalesce(reason, '') = '' THEN
		RAISE EXCEPTION 'what counts towards tiers by hand needs a reason' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	profile_id := o2o.points_person(person, points_qualify_once.profile_id);
	customer := (o2o.customer_lock(ARRAY[profile_id]))[1];
	PERFORM o2o.points_qualify_post(profile_id, program, amount, spend, occurred_at, occurred_at, reference, reason, claim.request_id);
	tier := o2o.points_tier_refresh(customer, program);
	PERFORM o2o.request_finish(claim.request_id, jsonb_build_object('tier', tier));
END $$;
COMMENT ON FUNCTION o2o.points_qualify_once(o2o.identifier, bigint, text, o2o.points, numeric, text, text, timestamptz, text) IS 'points_qualify for a person given by identifier, or by id where that is NULL. A replay of the key returns the first result.';

CREATE OR REPLACE FUNCTION o2o.points_qualify(person o2o.identifier, program text, reason text, amount o2o.points DEFAULT 0, spend numeric DEFAULT 0,
	reference text DEFAULT NULL, occurred_at timestamptz DEFAULT now(), idempotency_key text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN o2o.points_qualify_once(person, NULL, program, amount, spend, reason, reference, occurred_at, idempotency_key);
END $$;
COMMENT ON FUNCTION o2o.points_qualify(o2o.identifier, text, text, o2o.points, numeric, text, timestamptz, text) IS 'Lets points or money (in the program''s currency) count towards the tiers of a person, known by an identifier such as card:88001, without giving any points: a status brought along, a purchase elsewhere; below zero to take such a thing away. program, reason (needed), amount of points, spend, reference of the caller''s document, when it happened, idempotency key (a repeated call with it returns the first result). Returns the customer''s tier then, NULL for none. Orders that name the program count by themselves. Errors: O2201 nobody has the identifier, O2302 no such program with tiers, O2303 both are zero, O2004 the key was used with other arguments, 22004 no reason, 22023 occurred_at not finite.';

CREATE OR REPLACE FUNCTION o2o.points_qualify(person bigint, program text, reason text, amount o2o.points DEFAULT 0, spend numeric DEFAULT 0,
	reference text DEFAULT NULL, occurred_at timestamptz DEFAULT now(), idempotency_key text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN o2o.points_qualify_once(NULL, person, program, amount, spend, reason, reference, occurred_at, idempotency_key);
END $$;
COMMENT ON FUNCTION o2o.points_qualify(bigint, text, text, o2o.points, numeric, text, timestamptz, text) IS 'The same for a person known by profile or customer id.';
