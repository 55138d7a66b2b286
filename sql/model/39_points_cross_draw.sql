-- The points room: what one side of a former customer spent of the other's
-- points, and how it is made good. An unmerge undoes no deeds: who wants to, posts
-- the compensation.

CREATE OR REPLACE FUNCTION o2o.points_cross_draw(a bigint, b bigint)
RETURNS TABLE (program text, owner_customer_id bigint, spender_customer_id bigint, spent o2o.points, compensated o2o.points, open o2o.points,
	postings bigint, first_at timestamptz, last_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	roots bigint[] := o2o.profile_customers(ARRAY[o2o.points_person(NULL, a), o2o.points_person(NULL, b)]);
	sides bigint[];
	others bigint[];
BEGIN
	IF roots[1] = roots[2] THEN
		RETURN;
	END IF;
	FOR i IN 1 .. 2 LOOP
		sides := o2o.customer_profiles(roots[i]);
		others := o2o.customer_profiles(roots[3 - i]);
		RETURN QUERY
		SELECT s.program, roots[i], roots[3 - i], s.spent, s.compensated,
			greatest(s.spent OPERATOR(o2o.-) s.compensated, 0::o2o.points), s.postings, s.first_at, s.last_at
		FROM (
			SELECT t.program, coalesce(OPERATOR(o2o.-) o2o.sum(p.amount) FILTER (WHERE p.operation <> 'transfer_in'), 0::o2o.points) AS spent,
				coalesce(o2o.sum(p.amount) FILTER (WHERE p.operation = 'transfer_in'), 0::o2o.points) AS compensated,
				count(*) FILTER (WHERE p.operation <> 'transfer_in') AS postings,
				min(p.posted_at) FILTER (WHERE p.operation <> 'transfer_in') AS first_at,
				max(p.posted_at) FILTER (WHERE p.operation <> 'transfer_in') AS last_at
			FROM o2o.points_account t
				JOIN o2o.points_posting p ON p.profile_id = t.profile_id AND p.account_id = t.account_id
			WHERE t.profile_id = ANY (sides) AND t.kind IN ('member', 'debt') AND p.acting_profile_id = ANY (others)
				AND (p.operation IN ('burn', 'pay', 'transfer_out', 'exchange_out', 'refund', 'clawback', 'reverse', 'adjust')
					OR p.operation = 'transfer_in' AND p.reference = 'cross_draw')
			GROUP BY t.program
		) s
		WHERE s.postings > 0
		ORDER BY s.program;
	END LOOP;
END $$;
COMMENT ON FUNCTION o2o.points_cross_draw(bigint, bigint) IS 'The same for persons known by profile or customer ids.';

CREATE OR REPLACE FUNCTION o2o.points_cross_draw(a o2o.identifier, b o2o.identifier)
RETURNS TABLE (program text, owner_customer_id bigint, spender_customer_id bigint, spent o2o.points, compensated o2o.points, open o2o.points,
	postings bigint, first_at timestamptz, last_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT d.* FROM o2o.points_cross_draw(o2o.points_person(a, NULL), o2o.points_person(b, NULL)) d;
END $$;
COMMENT ON FUNCTION o2o.points_cross_draw(o2o.identifier, o2o.identifier) IS 'What each of two customers, known by identifiers, spent of the other''s points while they were one, less what came back: one row per program and direction: whose points, who spent them, points spent, what of it points_compensate() made good, what is open, number of postings, when the first and the last was posted. No row while they are one customer. Error: O2201 nobody has one of the identifiers.';

CREATE OR REPLACE FUNCTION o2o.points_compensate_once(spender o2o.identifier, owner o2o.identifier, spender_profile_id bigint, owner_profile_id bigint,
	program text, amount o2o.points, reason text, idempotency_key text,
	OUT transfer_id bigint, OUT compensated o2o.points, OUT open o2o.points)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	claim record;
	customers bigint[];
	members bigint[];
BEGIN
	SELECT c.* INTO claim
	FROM o2o.request_claim(idempotency_key, 'points_compensate', jsonb_build_object(
		'spender', coalesce(spender::text, spender_profile_id::text), 'owner', coalesce(owner::text, owner_profile_id::text),
		'program', program, 'amount', amount, 'reason', reason)) c;
	IF claim.replay IS NOT NULL THEN
		transfer_id := claim.replay ->> 'transfer_id';
		compensated := claim.replay ->> 'compensated';
		open := claim.replay ->> 'open';
		RETURN;
	END IF;
	IF coalesce(reason, '') = '' THEN
		RAISE EXCEPTION 'a compensation of points needs a reason' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	spender_profile_id := o2o.points_person(spender, points_compensate_once.spender_profile_id);
	owner_profile_id := o2o.points_person(owner, points_compensate_once.owner_profile_id);
	customers := o2o.customer_lock(ARRAY[spender_profile_id, owner_profile_id]);
	members := o2o.customer_profiles(customers[1]);
	PERFORM o2o.points_account_open(owner_profile_id, program);
	PERFORM o2o.points_accounts_lock(members || owner_profile_id, program);
	open := coalesce((SELECT d.open FROM o2o.points_cross_draw(spender_profile_id, owner_profile_id) d
		WHERE d.program = points_compensate_once.program AND d.owner_customer_id = customers[2]), 0::o2o.points);
	compensated := coalesce(amount, open);
	IF compensated OPERATOR(o2o.>) open THEN
		RAISE EXCEPTION 'more points than were spent of the other''s'
			USING ERRCODE = 'O2308', DETAIL = format('open %s, asked %s', open, compensated), HINT = 'points_cross_draw() says what is open.';
	END IF;
	IF amount IS NOT NULL OR compensated OPERATOR(o2o.>) 0 THEN
		PERFORM o2o.points_program_check(program, compensated);
		transfer_id := o2o.points_move(members, spender_profile_id, customers[1], owner_profile_id, program, compensated, 'cross_draw', reason, claim.request_id);
		open := open OPERATOR(o2o.-) compensated;
	END IF;
	PERFORM o2o.request_finish(claim.request_id, jsonb_build_object('transfer_id', transfer_id, 'compensated', compensated, 'open', open));
END $$;
COMMENT ON FUNCTION o2o.points_compensate_once(o2o.identifier, o2o.identifier, bigint, bigint, text, o2o.points, text, text) IS 'points_compensate between persons given by identifiers, or by ids where those are NULL. A replay of the key returns the first result.';

CREATE OR REPLACE FUNCTION o2o.points_compensate(spender o2o.identifier, owner o2o.identifier, program text, reason text, amount o2o.points DEFAULT NULL,
	idempotency_key text DEFAULT NULL)
RETURNS TABLE (transfer_id bigint, compensated o2o.points, open o2o.points)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT c.* FROM o2o.points_compensate_once(spender, owner, NULL, NULL, program, amount, reason, idempotency_key) c;
END $$;
COMMENT ON FUNCTION o2o.points_compensate(o2o.identifier, o2o.identifier, text, text, o2o.points, text) IS 'Makes good what one customer (spender) spent of another''s (owner) points while they were one, as points_cross_draw() reports it: moves points of the spender to the owner, as points_transfer() does, with the reference cross_draw: program, reason (needed), amount (NULL: all that is open), idempotency key (a repeated call with it returns the first result). Returns the transfer_id (NULL where nothing was open), the points moved, and what is still open. Errors: O2301 the spender does not have them, O2308 more than is open, O2004 the key was used with other arguments, O2201 nobody has one of the identifiers, O2303 amount not positive, O2304 more digits than the program''s scale, 22004 no reason.';

CREATE OR REPLACE FUNCTION o2o.points_compensate(spender bigint, owner bigint, program text, reason text, amount o2o.points DEFAULT NULL,
	idempotency_key text DEFAULT NULL)
RETURNS TABLE (transfer_id bigint, compensated o2o.points, open o2o.points)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT c.* FROM o2o.points_compensate_once(NULL, NULL, spender, owner, program, amount, reason, idempotency_key) c;
END $$;
COMMENT ON FUNCTION o2o.points_compensate(bigint, bigint, text, text, o2o.points, text) IS 'The same for persons known by profile or customer ids.';
