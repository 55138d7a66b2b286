-- The points room: pools, such as a household's. A pool is a profile with an
-- account of its own: members put points in and spend from it, and lots keep
-- their expiry and who funds them. Its account is the lock of everything in it.

CREATE TABLE IF NOT EXISTS o2o.points_pool (
	profile_id bigint NOT NULL PRIMARY KEY,
	program text NOT NULL REFERENCES o2o.points_program,
	name text NOT NULL,
	on_leave text NOT NULL CHECK (on_leave IN ('return', 'stay')),
	created_at timestamptz NOT NULL DEFAULT now(),
	closed_at timestamptz
) WITH (fillfactor = 85);
COMMENT ON TABLE o2o.points_pool IS 'Pools of points.';
COMMENT ON COLUMN o2o.points_pool.profile_id IS 'Number of the pool: a profile_id of its own, without a row in profile';
COMMENT ON COLUMN o2o.points_pool.program IS 'Points program; refers to points_program';
COMMENT ON COLUMN o2o.points_pool.name IS 'Name to show';
COMMENT ON COLUMN o2o.points_pool.on_leave IS 'What becomes of a member''s points who leaves: return: what the member put in and did not take out goes back, as far as it is there; stay: it stays';
COMMENT ON COLUMN o2o.points_pool.created_at IS 'When it was made (start of the transaction)';
COMMENT ON COLUMN o2o.points_pool.closed_at IS 'When it was closed (start of the transaction); NULL: it is open';

CREATE TABLE IF NOT EXISTS o2o.points_pool_member (
	profile_id bigint NOT NULL,
	member_profile_id bigint NOT NULL,
	joined_at timestamptz NOT NULL,
	left_at timestamptz,
	PRIMARY KEY (profile_id, member_profile_id, joined_at)
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX IF NOT EXISTS points_pool_member_open_idx ON o2o.points_pool_member (profile_id, member_profile_id) WHERE left_at IS NULL;
CREATE INDEX IF NOT EXISTS points_pool_member_member_idx ON o2o.points_pool_member (member_profile_id);
COMMENT ON TABLE o2o.points_pool_member IS 'Members of pools. Whoever is the same customer as a member today is one too.';
COMMENT ON COLUMN o2o.points_pool_member.profile_id IS 'Pool; refers to points_pool';
COMMENT ON COLUMN o2o.points_pool_member.member_profile_id IS 'Profile of the member; refers to profile';
COMMENT ON COLUMN o2o.points_pool_member.joined_at IS 'When it joined';
COMMENT ON COLUMN o2o.points_pool_member.left_at IS 'When it left; NULL: it is a member';

CREATE OR REPLACE FUNCTION o2o.points_pool_read(pool_id bigint) RETURNS o2o.points_pool
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	pool o2o.points_pool;
BEGIN
	SELECT p.* INTO pool FROM o2o.points_pool p WHERE p.profile_id = pool_id;
	IF pool.profile_id IS NULL OR pool.closed_at IS NOT NULL THEN
		RAISE EXCEPTION 'there is no such pool of points, or it is closed'
			USING ERRCODE = 'O2326', DETAIL = format('Pool %s.', coalesce(pool_id::text, 'NULL')), HINT = 'points_pool_open() returned its number.';
	END IF;
	RETURN pool;
END $$;
COMMENT ON FUNCTION o2o.points_pool_read(bigint) IS 'The row of an open pool; for good where the lock of its account is held. Error: O2326 there is none, or it is closed.';

CREATE OR REPLACE FUNCTION o2o.points_pool_is_member(pool_id bigint, profiles bigint[]) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN EXISTS (SELECT FROM o2o.points_pool_member m
		WHERE m.profile_id = pool_id AND m.member_profile_id = ANY (profiles) AND m.left_at IS NULL);
END $$;
COMMENT ON FUNCTION o2o.points_pool_is_member(bigint, bigint[]) IS 'Whether a customer (profiles) is a member of a pool.';

CREATE OR REPLACE FUNCTION o2o.points_pool_share(pool_id bigint, profiles bigint[]) RETURNS o2o.points
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- The postings of the pool tell who acted: that is all the bookkeeping there is.
	RETURN (SELECT greatest(coalesce(o2o.sum(p.amount), 0::o2o.points), 0::o2o.points)
		FROM o2o.points_account a
			JOIN o2o.points_posting p ON p.profile_id = a.profile_id AND p.account_id = a.account_id
		WHERE a.profile_id = pool_id AND a.kind = 'member' AND p.acting_profile_id = ANY (profiles));
END $$;
COMMENT ON FUNCTION o2o.points_pool_share(bigint, bigint[]) IS 'What a customer (profiles) put into a pool and did not take out; not below zero. What of it has expired since then counts.';

CREATE OR REPLACE FUNCTION o2o.points_pool_balance(pool_id bigint)
RETURNS TABLE (program text, balance o2o.points, available o2o.points, expiring_30d o2o.points)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM o2o.points_pool p WHERE p.profile_id = pool_id) THEN
		PERFORM o2o.points_pool_read(pool_id);
	END IF;
	RETURN QUERY SELECT b.program, b.balance, b.available, b.expiring_30d FROM o2o.points_balance_of(pool_id) b;
END $$;
COMMENT ON FUNCTION o2o.points_pool_balance(bigint) IS 'What is in a pool now: balance of the postings, what can be spent, and what of it expires within 30 days. Error: O2326 no such pool.';

CREATE OR REPLACE FUNCTION o2o.points_pool_open_once(person o2o.identifier, profile_id bigint, program text, name text, on_leave text, idempotency_key text)
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	claim record;
	pool_id bigint;
BEGIN
	SELECT c.* INTO claim
	FROM o2o.request_claim(idempotency_key, 'points_pool_open', jsonb_build_object(
		'person', coalesce(person::text, points_pool_open_once.profile_id::text), 'program', program, 'name', name, 'on_leave', on_leave)) c;
	IF claim.replay IS NOT NULL THEN
		RETURN claim.replay ->> 'pool_id';
	END IF;
	PERFORM o2o.points_program_check(program, 1);
	profile_id := o2o.points_person(person, points_pool_open_once.profile_id);
	pool_id := nextval('o2o.profile_id_seq');
	INSERT INTO o2o.points_pool (profile_id, program, name, on_leave)
	VALUES (pool_id, points_pool_open_once.program, points_pool_open_once.name, points_pool_open_once.on_leave);
	PERFORM o2o.points_account_open(pool_id, program);
	INSERT INTO o2o.points_pool_member (profile_id, member_profile_id, joined_at) VALUES (pool_id, points_pool_open_once.profile_id, now());
	PERFORM o2o.request_finish(claim.request_id, jsonb_build_object('pool_id', pool_id));
	RETURN pool_id;
END $$;
COMMENT ON FUNCTION o2o.points_pool_open_once(o2o.identifier, bigint, text, text, text, text) IS 'points_pool_open for a person given by identifier, or by id where that is NULL. A replay of the key returns the first result.';

CREATE OR REPLACE FUNCTION o2o.points_pool_open(person bigint, program text, name text, on_leave text DEFAULT 'return', idempotency_key text DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN o2o.points_pool_open_once(NULL, person, program, name, on_leave, idempotency_key);
END $$;
COMMENT ON FUNCTION o2o.points_pool_open(bigint, text, text, text, text) IS 'The same for a person known by profile or customer id.';

CREATE OR REPLACE FUNCTION o2o.points_pool_open(person o2o.identifier, program text, name text, on_leave text DEFAULT 'return', idempotency_key text DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN o2o.points_pool_open_once(person, NULL, program, name, on_leave, idempotency_key);
END $$;
COMMENT ON FUNCTION o2o.points_pool_open(o2o.identifier, text, text, text, text) IS 'Makes a pool of points with its first member, a person known by an identifier such as card:88001: program, name, what becomes of a member''s points who leaves (return, stay), idempotency key (a repeated call with it returns the first result). Returns the number of the pool. Errors: O2201 nobody has the identifier, O2302 unknown program, 23514 on_leave is neither, O2004 the key was used with other arguments.';

CREATE OR REPLACE FUNCTION o2o.points_pool_join(person bigint, pool_id bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	customer bigint;
BEGIN
	PERFORM o2o.points_person(NULL, person);
	customer := (o2o.customer_lock(ARRAY[person]))[1];
	PERFORM o2o.points_accounts_lock(ARRAY[pool_id]);
	PERFORM o2o.points_pool_read(pool_id);
	-- Who joined since an old snapshot is met by the index, as 40001.
	IF NOT o2o.points_pool_is_member(pool_id, o2o.customer_profiles(customer)) THEN
		INSERT INTO o2o.points_pool_member (profile_id, member_profile_id, joined_at) VALUES (pool_id, person, now())
		ON CONFLICT (profile_id, member_profile_id) WHERE left_at IS NULL DO NOTHING;
	END IF;
END $$;
COMMENT ON FUNCTION o2o.points_pool_join(bigint, bigint) IS 'The same for a person known by profile or customer id.';

CREATE OR REPLACE FUNCTION o2o.points_pool_join(person o2o.identifier, pool_id bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM o2o.points_pool_join(o2o.points_person(person, NULL), pool_id);
END $$;
COMMENT ON FUNCTION o2o.points_pool_join(o2o.identifier, bigint) IS 'Makes a person, known by an identifier, a member of a pool; nothing where she is one already. Errors: O2326 no such pool, or it is closed, O2201 nobody has the identifier.';

CREATE OR REPLACE FUNCTION o2o.points_pool_move(person o2o.identifier, profile_id bigint, pool_id bigint, amount o2o.points, what text,
	reference text, reason text, idempotency_key text, OUT transfer_id bigint, OUT balance o2o.points, OUT pool_available o2o.points)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	claim record;
	pool o2o.points_pool;
	customer bigint;
	members bigint[];
BEGIN
	SELECT c.* INTO claim
	FROM o2o.request_claim(idempotency_key, 'points_pool_' || what, jsonb_build_object(
		'person', coalesce(person::text, points_pool_move.profile_id::text), 'pool_id', pool_id, 'amount', amount,
		'reference', reference, 'reason', reason)) c;
	IF claim.replay IS NOT NULL THEN
		transfer_id := claim.replay ->> 'transfer_id';
		balance := claim.replay ->> 'balance';
		pool_available := claim.replay ->> 'pool_available';
		RETURN;
	END IF;
	pool := o2o.points_pool_read(pool_id);
	profile_id := o2o.points_person(person, points_pool_move.profile_id);
	customer := (o2o.customer_lock(ARRAY[profile_id]))[1];
	members := o2o.customer_profiles(customer);
	IF what <> 'spend' THEN
		PERFORM o2o.points_account_open(profile_id, pool.program);
	END IF;
	PERFORM o2o.points_accounts_lock(CASE what WHEN 'spend' THEN ARRAY[pool_id] ELSE members || pool_id END, pool.program);
	-- Somebody may have closed it, or thrown the member out, while this call waited.
	PERFORM o2o.points_pool_read(pool_id);
	IF NOT o2o.points_pool_is_member(pool_id, members) THEN
		RAISE EXCEPTION 'the person is no member of the pool'
			USING ERRCODE = 'O2327', DETAIL = format('Pool %s.', pool_id), HINT = 'points_pool_join() makes members.';
	END IF;
	IF what = 'leave' AND amount IS NULL THEN
		amount := CASE pool.on_leave WHEN 'return'
			THEN greatest(least(o2o.points_pool_share(pool_id, members), o2o.points_available(ARRAY[pool_id], pool.program)), 0::o2o.points) ELSE 0 END;
	ELSE
		PERFORM o2o.points_program_check(pool.program, amount);
	END IF;
	IF what = 'put' THEN
		transfer_id := o2o.points_move(members, profile_id, customer, pool_id, pool.program, amount, reference, reason, claim.request_id);
	ELSIF what = 'spend' THEN
		transfer_id := nextval('o2o.points_transfer_id_seq');
		PERFORM o2o.points_draw(ARRAY[pool_id], profile_id, customer, pool.program, amount, transfer_id,
			o2o.points_system_account_id(pool.program, 'redeemed'), 'burn', reference, reason, claim.request_id, now());
	ELSIF amount OPERATOR(o2o.>) 0 THEN
		transfer_id := o2o.points_move(ARRAY[pool_id], profile_id, customer, profile_id, pool.program, amount, reference, reason, claim.request_id);
	END IF;
	IF what = 'leave' THEN
		UPDATE o2o.points_pool_member m SET left_at = now()
		WHERE m.profile_id = pool_id AND m.member_profile_id = ANY (members) AND m.left_at IS NULL;
	END IF;
	balance := o2o.points_customer_balance(customer, pool.program);
	pool_available := o2o.points_available(ARRAY[pool_id], pool.program);
	PERFORM o2o.request_finish(claim.request_id, jsonb_build_object('transfer_id', transfer_id, 'balance', balance, 'pool_available', pool_available));
END $$;
COMMENT ON FUNCTION o2o.points_pool_move(o2o.identifier, bigint, bigint, o2o.points, text, text, text, text) IS 'What a member does with a pool: put, spend or leave, by identifier, or by id where that is NULL. A replay of the key returns the first result.';

CREATE OR REPLACE FUNCTION o2o.points_pool_put(person o2o.identifier, pool_id bigint, amount o2o.points, reason text DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS TABLE (transfer_id bigint, balance o2o.points, pool_available o2o.points)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT m.* FROM o2o.points_pool_move(person, NULL, pool_id, amount, 'put', NULL, reason, idempotency_key) m;
END $$;
COMMENT ON FUNCTION o2o.points_pool_put(o2o.identifier, bigint, o2o.points, text, text) IS 'Puts points of a member, known by an identifier, into a pool: amount, reason, idempotency key (a repeated call with it returns the first result). Taken as points_burn takes them; expiry, month of grant and who funds them stay. Returns the transfer_id, the balance of the member, and what can be spent from the pool. Errors: O2301 insufficient points, O2326 no such pool, or it is closed, O2327 no member, O2004 the key was used with other arguments, O2201 nobody has the identifier, O2303 amount not positive, O2304 more digits than the program''s scale.';

CREATE OR REPLACE FUNCTION o2o.points_pool_put(person bigint, pool_id bigint, amount o2o.points, reason text DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS TABLE (transfer_id bigint, balance o2o.points, pool_available o2o.points)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT m.* FROM o2o.points_pool_move(NULL, person, pool_id, amount, 'put', NULL, reason, idempotency_key) m;
END $$;
COMMENT ON FUNCTION o2o.points_pool_put(bigint, bigint, o2o.points, text, text) IS 'The same for a person known by profile or customer id.';

CREATE OR REPLACE FUNCTION o2o.points_pool_spend(person o2o.identifier, pool_id bigint, amount o2o.points, reference text DEFAULT NULL,
	reason text DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS TABLE (transfer_id bigint, pool_available o2o.points)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT m.transfer_id, m.pool_available FROM o2o.points_pool_move(person, NULL, pool_id, amount, 'spend', reference, reason, idempotency_key) m;
END $$;
COMMENT ON FUNCTION o2o.points_pool_spend(o2o.identifier, bigint, o2o.points, text, text, text) IS 'Redeems points of a pool through one of its members, known by an identifier, nearest expiry first: amount, reference of the caller''s document, reason, idempotency key (a repeated call with it returns the first result). points_refund() gives them back to the pool. Returns the transfer_id and what can still be spent from the pool. Errors: as points_pool_put().';

CREATE OR REPLACE FUNCTION o2o.points_pool_spend(person bigint, pool_id bigint, amount o2o.points, reference text DEFAULT NULL,
	reason text DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS TABLE (transfer_id bigint, pool_available o2o.points)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT m.transfer_id, m.pool_available FROM o2o.points_pool_move(NULL, person, pool_id, amount, 'spend', reference, reason, idempotency_key) m;
END $$;
COMMENT ON FUNCTION o2o.points_pool_spend(bigint, bigint, o2o.points, text, text, text) IS 'The same for a person known by profile or customer id.';

CREATE OR REPLACE FUNCTION o2o.points_pool_leave(person o2o.identifier, pool_id bigint, reason text DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS TABLE (transfer_id bigint, balance o2o.points, pool_available o2o.points)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT m.* FROM o2o.points_pool_move(person, NULL, pool_id, NULL, 'leave', NULL, reason, idempotency_key) m;
END $$;
COMMENT ON FUNCTION o2o.points_pool_leave(o2o.identifier, bigint, text, text) IS 'Takes a member, known by an identifier, out of a pool. Where the pool''s on_leave is return, what the member put in and did not take out comes back, as far as it can be spent, nearest expiry first; else it stays. reason, idempotency key (a repeated call with it returns the first result). Returns the transfer_id of what came back (NULL: nothing), the balance of the member, and what can be spent from the pool. Errors: O2326 no such pool, or it is closed, O2327 no member, O2004 the key was used with other arguments, O2201 nobody has the identifier, O2321 the account of the member is closed.';

CREATE OR REPLACE FUNCTION o2o.points_pool_leave(person bigint, pool_id bigint, reason text DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS TABLE (transfer_id bigint, balance o2o.points, pool_available o2o.points)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT m.* FROM o2o.points_pool_move(NULL, person, pool_id, NULL, 'leave', NULL, reason, idempotency_key) m;
END $$;
COMMENT ON FUNCTION o2o.points_pool_leave(bigint, bigint, text, text) IS 'The same for a person known by profile or customer id.';

CREATE OR REPLACE FUNCTION o2o.points_pool_close(pool_id bigint, reason text DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS TABLE (profile_id bigint, returned o2o.points)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	claim record;
	pool o2o.points_pool;
	people bigint[];
	customers bigint[];
	weights numeric[];
	parts o2o.points[];
	available o2o.points;
	result jsonb;
BEGIN
	SELECT c.* INTO claim
	FROM o2o.request_claim(idempotency_key, 'points_pool_close', jsonb_build_object('pool_id', pool_id, 'reason', reason)) c;
	IF claim.replay IS NOT NULL THEN
		RETURN QUERY SELECT r.profile_id, r.returned::o2o.points
		FROM jsonb_to_recordset(claim.replay -> 'returned') r (profile_id bigint, returned text);
		RETURN;
	END IF;
	pool := o2o.points_pool_read(pool_id);
	people := ARRAY(SELECT m.member_profile_id FROM o2o.points_pool_member m WHERE m.profile_id = pool_id AND m.left_at IS NULL ORDER BY 1);
	customers := o2o.customer_lock(people);
	PERFORM o2o.points_account_open(u.id, pool.program) FROM unnest(people) u (id);
	PERFORM o2o.points_accounts_lock(people || pool_id, pool.program);
	PERFORM o2o.points_pool_read(pool_id);
	-- Who joined or left meanwhile: those who are locked and still members.
	SELECT array_agg(u.id ORDER BY u.customer_id), array_agg(u.customer_id ORDER BY u.customer_id) INTO people, customers
	FROM (
		SELECT c.customer_id, min(c.id) AS id
		FROM unnest(people, customers) c (id, customer_id)
		WHERE o2o.points_pool_is_member(pool_id, ARRAY[c.id])
		GROUP BY c.customer_id
	) u;
	available := o2o.points_available(ARRAY[pool_id], pool.program);
	IF available OPERATOR(o2o.>) 0 AND people IS NOT NULL THEN
		weights := ARRAY(SELECT o2o.points_pool_share(pool_id, o2o.customer_profiles(c.id))::numeric FROM unnest(customers) WITH ORDINALITY c (id, n) ORDER BY c.n);
		IF (SELECT sum(w) FROM unnest(weights) w) = 0 THEN
			weights := array_fill(1::numeric, ARRAY[cardinality(people)]);
		END IF;
		parts := o2o.points_allocate(available, weights, (SELECT p.scale FROM o2o.points_program p WHERE p.program = pool.program));
		FOR i IN 1 .. cardinality(people) LOOP
			IF parts[i] OPERATOR(o2o.>) 0 THEN
				PERFORM o2o.points_move(ARRAY[pool_id], people[i], customers[i], people[i], pool.program, parts[i], NULL, reason, claim.request_id);
				profile_id := people[i];
				returned := parts[i];
				result := coalesce(result, '[]') || jsonb_build_object('profile_id', profile_id, 'returned', returned::text);
				RETURN NEXT;
			END IF;
		END LOOP;
	END IF;
	-- What has expired, and what nobody is there for.
	PERFORM o2o.points_forfeit(ARRAY[pool_id], pool_id, pool_id, pool.program, reason, claim.request_id);
	PERFORM o2o.points_account_close(a.profile_id, a.account_id) FROM o2o.points_account a WHERE a.profile_id = pool_id;
	UPDATE o2o.points_pool_member m SET left_at = now() WHERE m.profile_id = pool_id AND m.left_at IS NULL;
	UPDATE o2o.points_pool p SET closed_at = now() WHERE p.profile_id = pool_id;
	PERFORM o2o.request_finish(claim.request_id, jsonb_build_object('returned', coalesce(result, '[]')));
END $$;
COMMENT ON FUNCTION o2o.points_pool_close(bigint, text, text) IS 'Closes a pool: what can be spent of it goes to the members, in proportion to what each put in and did not take out (in equal parts where nobody did), by largest remainder; lots of nearest expiry first, by customer. What has expired is written off, and so is what nobody is there for. A later refund into it is refused (O2321). reason, idempotency key (a repeated call with it returns the first result). Returns one row per member who got points: profile and points. Errors: O2326 no such pool, or it is closed already, O2004 the key was used with other arguments, O2321 the account of a member is closed.';
