-- The points room: rewards for bringing somebody (referral) and for passing
-- something on (share). Once per program and person brought, both sides at
-- once, capped per person who brings. What a later merge shows to be doubled
-- is listed for a person to look at; nothing is taken back by itself.

CREATE TABLE IF NOT EXISTS o2o.points_reward_rule (
	program text NOT NULL REFERENCES o2o.points_program,
	kind text NOT NULL CHECK (kind IN ('referral', 'share')),
	sharer_points o2o.points NOT NULL CHECK (sharer_points OPERATOR(o2o.>=) 0),
	referee_points o2o.points NOT NULL DEFAULT 0 CHECK (referee_points OPERATOR(o2o.>=) 0),
	per_day integer CHECK (per_day > 0),
	per_month integer CHECK (per_month > 0),
	in_total integer CHECK (in_total > 0),
	PRIMARY KEY (program, kind)
);
COMMENT ON TABLE o2o.points_reward_rule IS 'What bringing a person is worth: rows of the owner. Without a row there is no reward.';
COMMENT ON COLUMN o2o.points_reward_rule.program IS 'Points program; refers to points_program';
COMMENT ON COLUMN o2o.points_reward_rule.kind IS 'referral: the person became a customer; share: the person followed what was passed on';
COMMENT ON COLUMN o2o.points_reward_rule.sharer_points IS 'Points for who brought the person; 0: none';
COMMENT ON COLUMN o2o.points_reward_rule.referee_points IS 'Points for the person brought; 0: none';
COMMENT ON COLUMN o2o.points_reward_rule.per_day IS 'Most rewards for one who brings, on a day of the program''s clock; NULL: no cap';
COMMENT ON COLUMN o2o.points_reward_rule.per_month IS 'Most rewards for one who brings, in a month of the program''s clock; NULL: no cap';
COMMENT ON COLUMN o2o.points_reward_rule.in_total IS 'Most rewards for one who brings, ever; NULL: no cap';

CREATE SEQUENCE IF NOT EXISTS o2o.points_reward_id_seq AS bigint CACHE 32;
CREATE TABLE IF NOT EXISTS o2o.points_reward (
	profile_id bigint NOT NULL,
	reward_id bigint NOT NULL DEFAULT nextval('o2o.points_reward_id_seq'),
	program text NOT NULL REFERENCES o2o.points_program,
	kind text NOT NULL,
	sharer_profile_id bigint NOT NULL,
	outcome text NOT NULL CHECK (outcome IN ('rewarded', 'capped')),
	sharer_transfer_id bigint,
	referee_transfer_id bigint,
	reference text,
	occurred_at timestamptz NOT NULL,
	request_id uuid NOT NULL,
	recorded_at timestamptz NOT NULL DEFAULT now(),
	recorded_by text NOT NULL DEFAULT session_user,
	review text CHECK (review IN ('kept', 'taken_back')),
	reviewed_at timestamptz,
	reviewed_by text,
	review_reason text,
	PRIMARY KEY (profile_id, reward_id),
	UNIQUE (profile_id, program, kind),
	CHECK ((review IS NULL) = (reviewed_at IS NULL))
) WITH (fillfactor = 85);
CREATE INDEX IF NOT EXISTS points_reward_sharer_idx ON o2o.points_reward (sharer_profile_id, program, kind);
CREATE INDEX IF NOT EXISTS points_reward_reward_id_idx ON o2o.points_reward (reward_id);
COMMENT ON TABLE o2o.points_reward IS 'Who brought whom, one row per person brought, program and kind.';
COMMENT ON COLUMN o2o.points_reward.profile_id IS 'Profile of the person brought, never rewritten';
COMMENT ON COLUMN o2o.points_reward.reward_id IS 'Number of the reward';
COMMENT ON COLUMN o2o.points_reward.program IS 'Points program; refers to points_program';
COMMENT ON COLUMN o2o.points_reward.kind IS 'referral or share';
COMMENT ON COLUMN o2o.points_reward.sharer_profile_id IS 'Profile of who brought the person, never rewritten';
COMMENT ON COLUMN o2o.points_reward.outcome IS 'rewarded; capped: a cap of who brought the person was reached, and the person brought alone got points';
COMMENT ON COLUMN o2o.points_reward.sharer_transfer_id IS 'Transfer to who brought the person; NULL: none';
COMMENT ON COLUMN o2o.points_reward.referee_transfer_id IS 'Transfer to the person brought; NULL: none';
COMMENT ON COLUMN o2o.points_reward.reference IS 'The caller''s document, such as a share code; NULL: none';
COMMENT ON COLUMN o2o.points_reward.occurred_at IS 'When it happened';
COMMENT ON COLUMN o2o.points_reward.request_id IS 'Call that made it; refers to request, or is random where no idempotency key was given';
COMMENT ON COLUMN o2o.points_reward.recorded_at IS 'When the row was written (start of the transaction)';
COMMENT ON COLUMN o2o.points_reward.recorded_by IS 'Login role that wrote the row';
COMMENT ON COLUMN o2o.points_reward.review IS 'What a person decided on it: kept or taken_back; NULL: nothing';
COMMENT ON COLUMN o2o.points_reward.reviewed_at IS 'When a person decided; NULL: not yet';
COMMENT ON COLUMN o2o.points_reward.reviewed_by IS 'Login role that decided; NULL: nobody yet';
COMMENT ON COLUMN o2o.points_reward.review_reason IS 'Why, in the words of who decided; NULL: nobody yet';

CREATE OR REPLACE FUNCTION o2o.points_reward_cap(sharer_profiles bigint[], rule o2o.points_reward_rule, at timestamptz) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	zone text := (SELECT p.time_zone FROM o2o.points_program p WHERE p.program = rule.program);
	of_day bigint;
	of_month bigint;
	ever bigint;
BEGIN
	SELECT count(*), count(*) FILTER (WHERE date_trunc('month', r.occurred_at AT TIME ZONE zone) = date_trunc('month', at AT TIME ZONE zone)),
		count(*) FILTER (WHERE date_trunc('day', r.occurred_at AT TIME ZONE zone) = date_trunc('day', at AT TIME ZONE zone))
	INTO ever, of_month, of_day
	FROM o2o.points_reward r
	WHERE r.sharer_profile_id = ANY (sharer_profiles) AND r.program = rule.program AND r.kind = rule.kind
		AND r.outcome = 'rewarded' AND r.review IS DISTINCT FROM 'taken_back';
	RETURN CASE WHEN of_day >= rule.per_day THEN 'per_day' WHEN of_month >= rule.per_month THEN 'per_month' WHEN ever >= rule.in_total THEN 'in_total' END;
END $$;
COMMENT ON FUNCTION o2o.points_reward_cap(bigint[], o2o.points_reward_rule, timestamptz) IS 'The cap that a customer (profiles: sharer_profiles), whose lock is held, has reached at a moment: per_day, per_month, in_total; NULL: none.';

CREATE OR REPLACE FUNCTION o2o.points_reward_once(sharer o2o.identifier, referee o2o.identifier, sharer_profile_id bigint, referee_profile_id bigint,
	program text, kind text, reference text, occurred_at timestamptz, idempotency_key text,
	OUT outcome text, OUT reward_id bigint, OUT sharer_points o2o.points, OUT referee_points o2o.points)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	claim record;
	rule o2o.points_reward_rule;
	customers bigint[];
	earlier record;
	new_sharer_transfer bigint;
	new_referee_transfer bigint;
BEGIN
	SELECT c.* INTO claim
	FROM o2o.request_claim(idempotency_key, 'points_reward', jsonb_build_object(
		'sharer', coalesce(sharer::text, sharer_profile_id::text), 'referee', coalesce(referee::text, referee_profile_id::text),
		'program', program, 'kind', kind, 'reference', reference, 'occurred_at', extract(epoch FROM nullif(occurred_at, now())))) c;
	IF claim.replay IS NOT NULL THEN
		outcome := claim.replay ->> 'outcome';
		reward_id := claim.replay ->> 'reward_id';
		sharer_points := claim.replay ->> 'sharer_points';
		referee_points := claim.replay ->> 'referee_points';
		RETURN;
	END IF;
	PERFORM o2o.moment_check(occurred_at);
	SELECT r.* INTO rule FROM o2o.points_reward_rule r
	WHERE r.program = points_reward_once.program AND r.kind = points_reward_once.kind;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'points program "%" does not exist, or has no reward of this kind', program
			USING ERRCODE = 'O2302', HINT = 'Insert its row into o2o.points_reward_rule.';
	END IF;
	sharer_profile_id := o2o.points_person(sharer, points_reward_once.sharer_profile_id);
	referee_profile_id := o2o.points_person(referee, points_reward_once.referee_profile_id);
	-- Both locks are held until the end: no second reward and no merge comes in between.
	customers := o2o.customer_lock(ARRAY[sharer_profile_id, referee_profile_id]);
	IF customers[1] = customers[2] THEN
		RAISE EXCEPTION 'nobody brings himself'
			USING ERRCODE = 'invalid_parameter_value', DETAIL = format('Customer %s.', customers[1]);
	END IF;
	SELECT r.reward_id INTO earlier FROM o2o.points_reward r
	WHERE r.profile_id = ANY (o2o.customer_profiles(customers[2])) AND r.program = points_reward_once.program AND r.kind = points_reward_once.kind
	ORDER BY r.reward_id LIMIT 1;
	sharer_points := 0;
	referee_points := 0;
	IF FOUND THEN
		outcome := 'repeated';
		reward_id := earlier.reward_id;
	ELSE
		reward_id := nextval('o2o.points_reward_id_seq');
		referee_points := rule.referee_points;
		IF o2o.points_reward_cap(o2o.customer_profiles(customers[1]), rule, occurred_at) IS NULL THEN
			outcome := 'rewarded';
			sharer_points := rule.sharer_points;
		ELSE
			outcome := 'capped';
		END IF;
		-- Accounts in ascending order: both exist before either is locked.
		PERFORM o2o.points_account_open(u.id, points_reward_once.program)
		FROM unnest(ARRAY[sharer_profile_id, referee_profile_id]) u (id) ORDER BY u.id;
		PERFORM o2o.points_accounts_lock(ARRAY[sharer_profile_id, referee_profile_id], program);
		IF sharer_points OPERATOR(o2o.>) 0 THEN
			new_sharer_transfer := o2o.points_grant(sharer_profile_id, customers[1], program, sharer_points, reference, kind || ' reward',
				claim.request_id, occurred_at, draws => false);
		END IF;
		IF referee_points OPERATOR(o2o.>) 0 THEN
			new_referee_transfer := o2o.points_grant(referee_profile_id, customers[2], program, referee_points, reference, kind || ' reward',
				claim.request_id, occurred_at, draws => false);
		END IF;
		IF sharer_points OPERATOR(o2o.+) referee_points OPERATOR(o2o.>) 0
			AND EXISTS (SELECT FROM o2o.points_program p WHERE p.program = points_reward_once.program AND p.reserve_policy = 'enforce')
		THEN
			PERFORM o2o.points_reserve_draw(program, sharer_points OPERATOR(o2o.+) referee_points);
		END IF;
		INSERT INTO o2o.points_reward (profile_id, reward_id, program, kind, sharer_profile_id, outcome, sharer_transfer_id, referee_transfer_id,
			reference, occurred_at, request_id)
		VALUES (points_reward_once.referee_profile_id, points_reward_once.reward_id, points_reward_once.program, points_reward_once.kind,
			points_reward_once.sharer_profile_id, points_reward_once.outcome, new_sharer_transfer, new_referee_transfer,
			points_reward_once.reference, points_reward_once.occurred_at, claim.request_id);
	END IF;
	PERFORM o2o.request_finish(claim.request_id, jsonb_build_object('outcome', outcome, 'reward_id', reward_id,
		'sharer_points', sharer_points, 'referee_points', referee_points));
END $$;
COMMENT ON FUNCTION o2o.points_reward_once(o2o.identifier, o2o.identifier, bigint, bigint, text, text, text, timestamptz, text) IS 'points_reward between persons given by identifiers, or by ids where those are NULL. A replay of the key returns the first result.';

CREATE OR REPLACE FUNCTION o2o.points_reward(sharer o2o.identifier, referee o2o.identifier, program text, kind text DEFAULT 'referral',
	reference text DEFAULT NULL, occurred_at timestamptz DEFAULT now(), idempotency_key text DEFAULT NULL)
RETURNS TABLE (outcome text, reward_id bigint, sharer_points o2o.points, referee_points o2o.points)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT r.* FROM o2o.points_reward_once(sharer, referee, NULL, NULL, program, kind, reference, occurred_at, idempotency_key) r;
END $$;
COMMENT ON FUNCTION o2o.points_reward(o2o.identifier, o2o.identifier, text, text, text, timestamptz, text) IS 'Rewards a person (sharer) who brought another one (referee), both known by identifiers, and the other one too, as points_reward_rule says: program, kind (referral or share), reference of the caller''s document, when it happened, idempotency key (a repeated call with it returns the first result). Once per program, kind and customer brought, whoever brought her and by whichever profile; the caps count over all profiles of the customer who brings. Returns the outcome (rewarded; capped: the referee alone gets points; repeated: the referee was brought before, nobody gets any), the number of the reward (of the first one where repeated), and the points of both. Errors: O2201 nobody has one of the identifiers, O2302 no such program or no rule of the kind, O2305 the reserve does not cover them, O2004 the key was used with other arguments, 22023 both are the same customer, or occurred_at not finite, O2321 the account of one of them is closed.';

CREATE OR REPLACE FUNCTION o2o.points_reward(sharer bigint, referee bigint, program text, kind text DEFAULT 'referral',
	reference text DEFAULT NULL, occurred_at timestamptz DEFAULT now(), idempotency_key text DEFAULT NULL)
RETURNS TABLE (outcome text, reward_id bigint, sharer_points o2o.points, referee_points o2o.points)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT r.* FROM o2o.points_reward_once(NULL, NULL, sharer, referee, program, kind, reference, occurred_at, idempotency_key) r;
END $$;
COMMENT ON FUNCTION o2o.points_reward(bigint, bigint, text, text, text, timestamptz, text) IS 'The same for persons known by profile or customer ids.';

CREATE OR REPLACE VIEW o2o.points_reward_review AS
	WITH reward AS (
		SELECT r.*, coalesce(f.customer_id, r.profile_id) AS referee_customer_id, coalesce(s.customer_id, r.sharer_profile_id) AS sharer_customer_id,
			date_trunc('day', r.occurred_at AT TIME ZONE p.time_zone) AS day, date_trunc('month', r.occurred_at AT TIME ZONE p.time_zone) AS month
		FROM o2o.points_reward r
			JOIN o2o.points_program p ON p.program = r.program
			LEFT JOIN o2o.profile f ON f.profile_id = r.profile_id
			LEFT JOIN o2o.profile s ON s.profile_id = r.sharer_profile_id
		WHERE r.review IS DISTINCT FROM 'taken_back'
	), counted AS (
		SELECT r.*,
			row_number() OVER (PARTITION BY r.referee_customer_id, r.program, r.kind ORDER BY r.reward_id) AS time_brought,
			count(*) FILTER (WHERE r.outcome = 'rewarded') OVER (PARTITION BY r.sharer_customer_id, r.program, r.kind, r.day ORDER BY r.reward_id) AS of_day,
			count(*) FILTER (WHERE r.outcome = 'rewarded') OVER (PARTITION BY r.sharer_customer_id, r.program, r.kind, r.month ORDER BY r.reward_id) AS of_month,
			count(*) FILTER (WHERE r.outcome = 'rewarded') OVER (PARTITION BY r.sharer_customer_id, r.program, r.kind ORDER BY r.reward_id) AS ever
		FROM reward r
	)
	SELECT c.reward_id, c.program, c.kind, v.problem, c.sharer_customer_id, c.referee_customer_id, c.occurred_at,
		coalesce((SELECT sum(t.amount::numeric) FROM o2o.points_posting t WHERE t.transfer_id = c.sharer_transfer_id AND t.operation = 'earn'), 0) AS sharer_points,
		coalesce((SELECT sum(t.amount::numeric) FROM o2o.points_posting t WHERE t.transfer_id = c.referee_transfer_id AND t.operation = 'earn'), 0) AS referee_points
	FROM counted c
		LEFT JOIN o2o.points_reward_rule u ON u.program = c.program AND u.kind = c.kind
		CROSS JOIN LATERAL (VALUES
			('same_customer', c.sharer_customer_id = c.referee_customer_id),
			('brought_before', c.time_brought > 1),
			('cap', c.outcome = 'rewarded' AND (c.of_day > u.per_day OR c.of_month > u.per_month OR c.ever > u.in_total))
		) v (problem, is_doubled)
	WHERE v.is_doubled AND c.review IS NULL;
COMMENT ON VIEW o2o.points_reward_review IS 'Rewards that a merge since then shows to be doubled, for a person to look at: one row per reward and problem. points_reward_decide() answers. All times; live.';
COMMENT ON COLUMN o2o.points_reward_review.reward_id IS 'Number of the reward, for points_reward_decide()';
COMMENT ON COLUMN o2o.points_reward_review.program IS 'Points program';
COMMENT ON COLUMN o2o.points_reward_review.kind IS 'referral or share';
COMMENT ON COLUMN o2o.points_reward_review.problem IS 'same_customer: who brought and who was brought are one customer today; brought_before: the customer of today was brought earlier; cap: with the profiles of today who brought is past a cap';
COMMENT ON COLUMN o2o.points_reward_review.sharer_customer_id IS 'Customer of today who brought';
COMMENT ON COLUMN o2o.points_reward_review.referee_customer_id IS 'Customer of today who was brought';
COMMENT ON COLUMN o2o.points_reward_review.occurred_at IS 'When it happened';
COMMENT ON COLUMN o2o.points_reward_review.sharer_points IS 'Points that who brought got';
COMMENT ON COLUMN o2o.points_reward_review.referee_points IS 'Points that who was brought got';

CREATE OR REPLACE FUNCTION o2o.points_reward_decide(reward_id bigint, take_back boolean, reason text, idempotency_key text DEFAULT NULL)
RETURNS TABLE (taken o2o.points, owed o2o.points)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	claim record;
	reward o2o.points_reward;
	customers bigint[];
	part record;
	earned bigint;
BEGIN
	SELECT c.* INTO claim
	FROM o2o.request_claim(idempotency_key, 'points_reward_decide', jsonb_build_object('reward_id', points_reward_decide.reward_id,
		'take_back', take_back, 'reason', reason)) c;
	IF claim.replay IS NOT NULL THEN
		RETURN QUERY SELECT (claim.replay ->> 'taken')::o2o.points, (claim.replay ->> 'owed')::o2o.points;
		RETURN;
	END IF;
	IF take_back IS NULL OR coalesce(reason, '') = '' THEN
		RAISE EXCEPTION 'a decision on a reward needs a reason' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	SELECT r.* INTO reward FROM o2o.points_reward r WHERE r.reward_id = points_reward_decide.reward_id;
	IF FOUND THEN
		customers := o2o.customer_lock(ARRAY[reward.profile_id, reward.sharer_profile_id]);
		-- All accounts at once, in their order: those of the two are taken one after the other below.
		PERFORM o2o.points_accounts_lock(o2o.customer_profiles(customers[1]) || o2o.customer_profiles(customers[2]), reward.program);
		UPDATE o2o.points_reward r
		SET review = CASE WHEN take_back THEN 'taken_back' ELSE 'kept' END, reviewed_at = now(), reviewed_by = session_user,
			review_reason = points_reward_decide.reason
		WHERE r.profile_id = reward.profile_id AND r.reward_id = reward.reward_id AND r.review IS DISTINCT FROM 'taken_back';
	END IF;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no such reward, or it was taken back before'
			USING ERRCODE = 'O2309', DETAIL = format('Reward %s.', coalesce(reward_id::text, 'NULL')), HINT = 'Look in o2o.points_reward.';
	END IF;
	taken := 0;
	owed := 0;
	IF take_back THEN
		FOREACH earned IN ARRAY array_remove(ARRAY[reward.sharer_transfer_id, reward.referee_transfer_id], NULL) LOOP
			SELECT t.* INTO part FROM o2o.points_take_back(earned, 'earn', NULL, 'clawback', NULL, reason, claim.request_id) t;
			taken := taken OPERATOR(o2o.+) part.taken;
			owed := owed OPERATOR(o2o.+) part.owed;
		END LOOP;
	END IF;
	PERFORM o2o.request_finish(claim.request_id, jsonb_build_object('taken', taken, 'owed', owed));
	RETURN NEXT;
END $$;
COMMENT ON FUNCTION o2o.points_reward_decide(bigint, boolean, text, text) IS 'What a person decides on a reward that points_reward_review lists: it is kept, or the points of both sides are taken back, as points_clawback() takes them: number of the reward, whether to take it back, reason (needed), idempotency key (a repeated call with it returns the first result). Returns the points taken, and those owed. Errors: O2309 no such reward, or taken back before, O2308 its points were taken back otherwise, O2004 the key was used with other arguments, 22004 no decision or no reason.';
