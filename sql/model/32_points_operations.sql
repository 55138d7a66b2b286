-- The points room: what callers use. Earn, burn, transfer, balance,
-- expiry. None of these functions writes the ledger itself: that is points_post.
-- The single calls force generic plans: planning for the length of an array of
-- profiles again and again costs more than the posting.

CREATE OR REPLACE FUNCTION o2o.points_customer_balance(customer_id bigint, program text) RETURNS o2o.points
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- One statement, where customer_profiles() would be two.
	RETURN (SELECT coalesce(o2o.sum(a.balance), 0::o2o.points) FROM o2o.points_account a
		WHERE a.profile_id = ANY (coalesce(
				(SELECT array_agg(p.profile_id) FROM o2o.profile p WHERE p.customer_id = points_customer_balance.customer_id),
				ARRAY[points_customer_balance.customer_id]))
			AND a.program = points_customer_balance.program AND a.kind = 'member');
END $$;
COMMENT ON FUNCTION o2o.points_customer_balance(bigint, text) IS 'Balance of a customer in a program: the sum over the member accounts of its profiles.';

CREATE OR REPLACE FUNCTION o2o.points_person(person o2o.identifier, profile_id bigint) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF person IS NOT NULL THEN
		RETURN o2o.person_profile(person);
	ELSIF profile_id IS NULL THEN
		RAISE EXCEPTION 'no person was given' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	RETURN o2o.person_profile(profile_id);
END $$;
COMMENT ON FUNCTION o2o.points_person(o2o.identifier, bigint) IS 'The profile of a person given by identifier, or by id where that is NULL. Errors: O2201 nobody has it, 22004 both are NULL.';

CREATE OR REPLACE FUNCTION o2o.points_spend(profile_id bigint, customer_id bigint, program text, amount o2o.points, reference text, reason text,
	request_id uuid, occurred_at timestamptz) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	new_transfer_id bigint := nextval('o2o.points_transfer_id_seq');
	members bigint[];
BEGIN
	PERFORM o2o.points_program_check(program, amount);
	members := o2o.customer_profiles(points_spend.customer_id);
	PERFORM o2o.points_accounts_lock(members, program);
	PERFORM o2o.points_draw(members, points_spend.profile_id, points_spend.customer_id, program, amount, new_transfer_id,
		o2o.points_system_account_id(program, 'redeemed'), 'burn', reference, reason, request_id, occurred_at);
	RETURN new_transfer_id;
END $$;
COMMENT ON FUNCTION o2o.points_spend(bigint, bigint, text, o2o.points, text, text, uuid, timestamptz) IS 'Burns points of a customer, acting through one of its profiles, and returns the transfer_id. The customer''s lock is held by the caller (customer_lock). Errors: O2301 insufficient points, O2302, O2303, O2304 as points_program_check.';

CREATE OR REPLACE FUNCTION o2o.points_earn_sql(person o2o.identifier, profile_id bigint, amount o2o.points, program text, reference text,
	reason text, request_id uuid, occurred_at timestamptz, funding text, activate_at timestamptz) RETURNS o2o.points_posted
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	posted o2o.points_posted;
	customer bigint;
BEGIN
	profile_id := o2o.points_person(person, points_earn_sql.profile_id);
	customer := o2o.profile_customer(profile_id);
	posted.transfer_id := o2o.points_grant(profile_id, customer, program, amount, reference, reason, points_earn_sql.request_id, occurred_at, funding, activate_at);
	posted.balance := o2o.points_customer_balance(customer, program);
	RETURN posted;
END $$;
COMMENT ON FUNCTION o2o.points_earn_sql(o2o.identifier, bigint, o2o.points, text, text, text, uuid, timestamptz, text, timestamptz) IS 'points_earn by the functions in SQL, once the key is claimed, for a person given by identifier, or by id where that is NULL.';

CREATE OR REPLACE FUNCTION o2o.points_earn(person o2o.identifier, amount o2o.points, program text, reference text DEFAULT NULL, reason text DEFAULT NULL,
	idempotency_key text DEFAULT NULL, occurred_at timestamptz DEFAULT now(), funding text DEFAULT 'program', activate_at timestamptz DEFAULT NULL)
RETURNS o2o.points_posted
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN o2o.points_post_one('earn', person, NULL, NULL, NULL, amount, program, reference, reason, idempotency_key, occurred_at, funding, activate_at);
END $$;
COMMENT ON FUNCTION o2o.points_earn(o2o.identifier, o2o.points, text, text, text, text, timestamptz, text, timestamptz) IS 'Gives points of a program to a person, known by an identifier such as card:88001: amount, program, reference of the caller''s document, reason, idempotency key (a repeated call with it returns the first result), when they were earned (decides when they expire), who funds them (program: the program itself; partner:<code>: a partner of points_partner, whose account pays; anything else is a note), until when they are pending: in the balance and not available, as on hold (infinity: until points_activate()). Returns the transfer_id and the customer''s balance in the program. Errors: O2004 the key was used with other arguments, O2201 nobody has the identifier, O2302 unknown program, O2303 amount not positive, O2304 more digits than the program''s scale, O2305 the reserve does not cover them, O2322 no such partner, O2323 what the partner has paid for or may owe does not suffice, 22023 occurred_at not finite, O2321 the account, or that of the partner, is closed.';

CREATE OR REPLACE FUNCTION o2o.points_earn(person bigint, amount o2o.points, program text, reference text DEFAULT NULL, reason text DEFAULT NULL,
	idempotency_key text DEFAULT NULL, occurred_at timestamptz DEFAULT now(), funding text DEFAULT 'program', activate_at timestamptz DEFAULT NULL)
RETURNS o2o.points_posted
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN o2o.points_post_one('earn', NULL, person, NULL, NULL, amount, program, reference, reason, idempotency_key, occurred_at, funding, activate_at);
END $$;
COMMENT ON FUNCTION o2o.points_earn(bigint, o2o.points, text, text, text, text, timestamptz, text, timestamptz) IS 'The same for a person known by profile or customer id.';

CREATE OR REPLACE FUNCTION o2o.points_burn_sql(person o2o.identifier, profile_id bigint, amount o2o.points, program text, reference text,
	reason text, request_id uuid) RETURNS o2o.points_posted
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	posted o2o.points_posted;
	customers bigint[];
BEGIN
	profile_id := o2o.points_person(person, points_burn_sql.profile_id);
	customers := o2o.customer_lock(ARRAY[profile_id]);
	posted.transfer_id := o2o.points_spend(profile_id, customers[1], program, amount, reference, reason, points_burn_sql.request_id, now());
	posted.balance := o2o.points_customer_balance(customers[1], program);
	RETURN posted;
END $$;
COMMENT ON FUNCTION o2o.points_burn_sql(o2o.identifier, bigint, o2o.points, text, text, text, uuid) IS 'points_burn by the functions in SQL, once the key is claimed, for a person given by identifier, or by id where that is NULL.';

CREATE OR REPLACE FUNCTION o2o.points_burn(person o2o.identifier, amount o2o.points, program text, reference text DEFAULT NULL, reason text DEFAULT NULL,
	idempotency_key text DEFAULT NULL) RETURNS o2o.points_posted
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN o2o.points_post_one('burn', person, NULL, NULL, NULL, amount, program, reference, reason, idempotency_key, now(), 'program', NULL);
END $$;
COMMENT ON FUNCTION o2o.points_burn(o2o.identifier, o2o.points, text, text, text, text) IS 'Redeems points of a person, known by an identifier such as card:88001, from all profiles of the customer, nearest expiry first: amount, program, reference of the caller''s document, reason, idempotency key (a repeated call with it returns the first result). Returns the transfer_id and the customer''s balance in the program. Errors: O2301 insufficient points, O2004 the key was used with other arguments, O2201 nobody has the identifier, O2302 unknown program, O2303 amount not positive, O2304 more digits than the program''s scale.';

CREATE OR REPLACE FUNCTION o2o.points_burn(person bigint, amount o2o.points, program text, reference text DEFAULT NULL, reason text DEFAULT NULL,
	idempotency_key text DEFAULT NULL) RETURNS o2o.points_posted
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN o2o.points_post_one('burn', NULL, person, NULL, NULL, amount, program, reference, reason, idempotency_key, now(), 'program', NULL);
END $$;
COMMENT ON FUNCTION o2o.points_burn(bigint, o2o.points, text, text, text, text) IS 'The same for a person known by profile or customer id.';

CREATE OR REPLACE FUNCTION o2o.points_move(members bigint[], acting_profile_id bigint, customer_id bigint, to_profile_id bigint, program text,
	amount o2o.points, reference text, reason text, request_id uuid) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	new_transfer_id bigint := nextval('o2o.points_transfer_id_seq');
	in_transit bigint := o2o.points_system_account_id(program, 'in_transit');
	taken record;
	given record;
BEGIN
	SELECT d.* INTO taken
	FROM o2o.points_draw(members, points_move.acting_profile_id, points_move.customer_id, program, amount, new_transfer_id,
		in_transit, 'transfer_out', points_move.reference, points_move.reason, points_move.request_id, now()) d;
	-- Lots of several accounts that expire alike become one lot of the receiver.
	SELECT array_agg(g.expires_at) AS expires_at, array_agg(g.grant_month) AS grant_month, array_agg(g.funding) AS funding,
		array_agg(g.amount) AS amounts
	INTO given
	FROM (
		SELECT u.expires_at, u.grant_month, u.funding, OPERATOR(o2o.-) o2o.sum(u.amount) AS amount
		FROM unnest(taken.expires_at, taken.grant_month, taken.funding, taken.amounts) u (expires_at, grant_month, funding, amount)
		GROUP BY u.expires_at, u.grant_month, u.funding
		ORDER BY u.expires_at, u.grant_month, u.funding
	) g;
	PERFORM o2o.points_post(points_move.to_profile_id, o2o.points_account_open(points_move.to_profile_id, program), new_transfer_id, in_transit,
		'transfer_in', given.expires_at, given.grant_month, given.funding, given.amounts, points_move.request_id,
		points_move.acting_profile_id, points_move.customer_id, points_move.reference, points_move.reason, now());
	RETURN new_transfer_id;
END $$;
COMMENT ON FUNCTION o2o.points_move(bigint[], bigint, bigint, bigint, text, o2o.points, text, text, uuid) IS 'Moves points from a customer (profiles: members) to the member account of another profile and returns the transfer_id: taken as points_draw takes them, by way of in_transit; month of grant, expiry and who funds them stay. The accounts of all are open and locked. Error: O2301 insufficient points.';

CREATE OR REPLACE FUNCTION o2o.points_transfer_sql(from_person o2o.identifier, to_person o2o.identifier, from_profile_id bigint, to_profile_id bigint,
	amount o2o.points, program text, reason text, request_id uuid) RETURNS o2o.points_posted
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	posted o2o.points_posted;
	customers bigint[];
	members bigint[];
BEGIN
	PERFORM o2o.points_program_check(program, amount);
	from_profile_id := o2o.points_person(from_person, points_transfer_sql.from_profile_id);
	to_profile_id := o2o.points_person(to_person, points_transfer_sql.to_profile_id);
	customers := o2o.customer_lock(ARRAY[from_profile_id, to_profile_id]);
	IF customers[1] = customers[2] THEN
		RAISE EXCEPTION 'points cannot be transferred to the customer who gives them'
			USING ERRCODE = 'invalid_parameter_value', DETAIL = format('Customer %s.', customers[1]);
	END IF;
	members := o2o.customer_profiles(customers[1]);
	PERFORM o2o.points_account_open(to_profile_id, program);
	PERFORM o2o.points_accounts_lock(members || to_profile_id, program);
	posted.transfer_id := o2o.points_move(members, from_profile_id, customers[1], to_profile_id, program, amount, NULL, reason, points_transfer_sql.request_id);
	posted.balance := o2o.points_customer_balance(customers[1], program);
	RETURN posted;
END $$;
COMMENT ON FUNCTION o2o.points_transfer_sql(o2o.identifier, o2o.identifier, bigint, bigint, o2o.points, text, text, uuid) IS 'points_transfer by the functions in SQL, once the key is claimed, between persons given by identifiers, or by ids where those are NULL.';

CREATE OR REPLACE FUNCTION o2o.points_transfer(from_person o2o.identifier, to_person o2o.identifier, amount o2o.points, program text,
	reason text DEFAULT NULL, idempotency_key text DEFAULT NULL) RETURNS o2o.points_posted
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN o2o.points_post_one('transfer', from_person, NULL, to_person, NULL, amount, program, NULL, reason, idempotency_key, now(), 'program', NULL);
END $$;
COMMENT ON FUNCTION o2o.points_transfer(o2o.identifier, o2o.identifier, o2o.points, text, text, text) IS 'Gives points of one person to another, both known by identifiers: amount, program, reason, idempotency key (a repeated call with it returns the first result). Taken as points_burn takes them; what is given keeps its month of grant, its expiry and who funds it. Returns the transfer_id and the balance of the giving customer in the program. Errors: O2301 insufficient points, 22023 both are the same customer, O2004 the key was used with other arguments, O2201 nobody has one of the identifiers, O2302 unknown program, O2303 amount not positive, O2304 more digits than the program''s scale, O2321 the account of who gets them is closed.';

CREATE OR REPLACE FUNCTION o2o.points_transfer(from_person bigint, to_person bigint, amount o2o.points, program text,
	reason text DEFAULT NULL, idempotency_key text DEFAULT NULL) RETURNS o2o.points_posted
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN o2o.points_post_one('transfer', NULL, from_person, NULL, to_person, amount, program, NULL, reason, idempotency_key, now(), 'program', NULL);
END $$;
COMMENT ON FUNCTION o2o.points_transfer(bigint, bigint, o2o.points, text, text, text) IS 'The same for persons known by profile or customer ids.';

CREATE OR REPLACE FUNCTION o2o.points_balance_of(profile_id bigint)
RETURNS TABLE (program text, balance o2o.points, held o2o.points, available o2o.points, expiring_30d o2o.points)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	members bigint[] := o2o.customer_profiles(o2o.profile_customer(profile_id));
BEGIN
	-- Portions of holds that are over (over) count as free, though the account still has them in held.
	RETURN QUERY
	SELECT a.program, coalesce(o2o.sum(a.balance) FILTER (WHERE a.kind = 'member'), 0::o2o.points),
		o2o.sum(a.held OPERATOR(o2o.-) h.over),
		o2o.sum(a.balance OPERATOR(o2o.-) (a.held OPERATOR(o2o.-) h.over) OPERATOR(o2o.-) (l.gone OPERATOR(o2o.+) h.gone)),
		o2o.sum(l.going OPERATOR(o2o.+) h.going)
	FROM o2o.points_account a
		JOIN o2o.points_program r ON r.program = a.program
		CROSS JOIN LATERAL (
			SELECT coalesce(o2o.points_lapses_at(members, a.program), 'infinity') AS at,
				o2o.points_expires_at(now(), interval '30 days', 'none', r.time_zone) AS soon OFFSET 0) g
		CROSS JOIN LATERAL (
			SELECT coalesce(o2o.sum(l.remaining OPERATOR(o2o.-) l.held) FILTER (WHERE least(l.expires_at, g.at) <= now()), 0::o2o.points) AS gone,
				coalesce(o2o.sum(l.remaining OPERATOR(o2o.-) l.held) FILTER (WHERE least(l.expires_at, g.at) > now()), 0::o2o.points) AS going
			FROM o2o.points_lot l
			WHERE l.profile_id = a.profile_id AND l.account_id = a.account_id
				AND l.expires_at <= CASE WHEN g.at = 'infinity' THEN g.soon ELSE 'infinity' END) l
		CROSS JOIN LATERAL (
			SELECT coalesce(o2o.sum(t.amount), 0::o2o.points) AS over,
				coalesce(o2o.sum(t.amount) FILTER (WHERE least(t.expires_at, g.at) <= now()), 0::o2o.points) AS gone,
				coalesce(o2o.sum(t.amount) FILTER (WHERE least(t.expires_at, g.at) > now() AND least(t.expires_at, g.at) <= g.soon),
					0::o2o.points) AS going
			FROM o2o.points_hold_part t
			WHERE a.held OPERATOR(o2o.>) 0 AND t.profile_id = a.profile_id AND t.account_id = a.account_id
				AND t.is_open AND t.held_until <= now()) h
	WHERE a.profile_id = ANY (members) AND a.kind IN ('member', 'debt')
	GROUP BY a.program
	ORDER BY a.program;
END $$;
COMMENT ON FUNCTION o2o.points_balance_of(bigint) IS 'points_balance of the customer that a profile resolves to.';

CREATE OR REPLACE FUNCTION o2o.points_balance(person o2o.identifier)
RETURNS TABLE (program text, balance o2o.points, held o2o.points, available o2o.points, expiring_30d o2o.points)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN QUERY SELECT b.* FROM o2o.points_balance_of(o2o.person_profile(person)) b;
END $$;
COMMENT ON FUNCTION o2o.points_balance(o2o.identifier) IS 'What the customer has now, over all its profiles, one row per program in which it has an account: balance of the postings, points on hold (pending ones included), available (balance less held, less debts on an account of their own, and less what has expired, swept or not; below zero for who owes), and what of it expires within 30 days, on the program''s clock. A hold that is over counts as gone, and so does a lot, unless it is on hold, and so do points that are gone for inactivity. Error: O2201 nobody has the identifier.';

CREATE OR REPLACE FUNCTION o2o.points_balance(person bigint)
RETURNS TABLE (program text, balance o2o.points, held o2o.points, available o2o.points, expiring_30d o2o.points)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN QUERY SELECT b.* FROM o2o.points_balance_of(o2o.person_profile(person)) b;
END $$;
COMMENT ON FUNCTION o2o.points_balance(bigint) IS 'The same for a person known by profile or customer id.';

CREATE OR REPLACE FUNCTION o2o.points_expire_from(max_lots integer, expired_from timestamptz, OUT swept bigint, OUT swept_until timestamptz)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owners bigint[];
	until timestamptz;
	found_lots bigint;
	request uuid := gen_random_uuid();
	part record;
BEGIN
	-- Portions of holds that are over first: points_accounts_lock closes them.
	SELECT array_agg(DISTINCT d.profile_id), count(*) INTO owners, swept
	FROM (
		SELECT t.profile_id FROM o2o.points_hold_part t
		WHERE t.is_open AND t.held_until < 'infinity' AND t.held_until <= now()
		ORDER BY t.held_until LIMIT greatest(max_lots, 0)
	) d;
	SELECT array_agg(DISTINCT d.profile_id) || owners, max(d.expires_at), count(*) INTO owners, until, found_lots
	FROM (
		SELECT l.profile_id, l.expires_at FROM o2o.points_lot l
		WHERE l.expires_at < 'infinity' AND l.expires_at >= expired_from AND l.expires_at <= now() AND l.remaining OPERATOR(o2o.>) l.held
		ORDER BY l.expires_at LIMIT greatest(max_lots, 0)
	) d;
	PERFORM o2o.points_accounts_lock(owners);
	FOR part IN
		SELECT l.profile_id, l.account_id, a.program, array_agg(l.expires_at) AS expires_at, array_agg(l.grant_month) AS grant_month,
			array_agg(l.funding) AS funding, array_agg(l.held OPERATOR(o2o.-) l.remaining) AS amounts
		FROM o2o.points_account a
			JOIN o2o.points_lot l ON l.profile_id = a.profile_id AND l.account_id = a.account_id
		WHERE a.profile_id = ANY (owners) AND l.expires_at <= until AND l.remaining OPERATOR(o2o.>) l.held
		GROUP BY l.profile_id, l.account_id, a.program
		ORDER BY l.account_id
	LOOP
		PERFORM o2o.points_post(part.profile_id, part.account_id, nextval('o2o.points_transfer_id_seq'),
			o2o.points_system_account_id(part.program, 'expired'), 'expire',
			part.expires_at, part.grant_month, part.funding, part.amounts, request,
			part.profile_id, o2o.profile_customer(part.profile_id), NULL, NULL,
			(SELECT max(u.at) FROM unnest(part.expires_at) u (at)));
		swept := swept + cardinality(part.amounts);
	END LOOP;
	swept_until := CASE WHEN found_lots < max_lots THEN now() ELSE until END;
END $$;
COMMENT ON FUNCTION o2o.points_expire_from(integer, timestamptz) IS 'points_expire() that looks only for lots that expired at a moment or later (expired_from). Returns how many portions and lots it swept, and until when, from that moment on, nothing is left to sweep.';

CREATE OR REPLACE FUNCTION o2o.points_lapse_from(max_accounts integer, after_profile_id bigint, OUT swept bigint, OUT reached_profile_id bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owners bigint[];
BEGIN
	swept := 0;
	IF NOT EXISTS (SELECT FROM o2o.points_program p WHERE p.inactive_after IS NOT NULL) THEN
		RETURN;
	END IF;
	owners := ARRAY(
		SELECT a.profile_id FROM o2o.points_account a
		WHERE a.profile_id > after_profile_id AND a.kind = 'member' AND a.balance OPERATOR(o2o.+) a.debt OPERATOR(o2o.>) a.held
			AND a.program IN (SELECT p.program FROM o2o.points_program p WHERE p.inactive_after IS NOT NULL)
		ORDER BY a.profile_id LIMIT greatest(max_accounts, 1));
	-- A profile with several such accounts is done whole: all its programs are looked at.
	IF cardinality(owners) = greatest(max_accounts, 1) THEN
		reached_profile_id := owners[cardinality(owners)];
	END IF;
	owners := ARRAY(SELECT DISTINCT l.profile_id FROM o2o.points_lapse l
		WHERE l.profile_id = ANY (owners) AND l.lapses_at <= now());
	IF cardinality(owners) > 0 THEN
		swept := o2o.points_accounts_lock(owners);
	END IF;
END $$;
COMMENT ON FUNCTION o2o.points_lapse_from(integer, bigint) IS 'Posts the expiry of points that are gone for inactivity: looks at max_accounts accounts of such programs, those of the profiles after after_profile_id, in ascending order. Returns how many lots it swept, and the profile after which it goes on; NULL: there is no more.';

CREATE OR REPLACE FUNCTION o2o.points_expire(max_lots integer DEFAULT 1000) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	swept bigint := (o2o.points_expire_from(max_lots, '-infinity')).swept;
	reached bigint := 0;
	batch record;
BEGIN
	WHILE reached IS NOT NULL AND swept < max_lots LOOP
		SELECT l.swept, l.reached_profile_id INTO batch FROM o2o.points_lapse_from(max_lots, reached) l;
		swept := swept + batch.swept;
		reached := batch.reached_profile_id;
	END LOOP;
	RETURN swept;
END $$;
COMMENT ON FUNCTION o2o.points_expire(integer) IS 'Closes portions of holds that are over and posts the expiry of lots whose time has come, oldest first: looks for max_lots of each, sweeps these and what expired no later in the same accounts, and returns how many portions and lots it swept; 0 means that nothing is left. What is on hold stays until the hold is over. Then it posts what is gone for inactivity, until it has swept max_lots in all. It looks at all lots that ever expired and at all accounts of programs with inactive_after; maintain() mostly at those since it last looked. Safe to repeat and to run twice at once. Balances are right without it: an expired lot or hold counts as gone before it is swept, and so do points gone for inactivity.';
