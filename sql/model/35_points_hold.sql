-- The points room: holds. Points are put aside for a burn to come, then captured
-- or released. Only points_post writes the ledger; a hold posts nothing.

CREATE OR REPLACE FUNCTION o2o.points_hold_open(hold_id bigint) RETURNS o2o.points_hold
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	hold o2o.points_hold;
BEGIN
	-- The accounts come before the hold; which they are never changes.
	PERFORM o2o.points_accounts_lock(
		ARRAY(SELECT DISTINCT t.profile_id FROM o2o.points_hold_part t WHERE t.hold_id = points_hold_open.hold_id),
		(SELECT h.program FROM o2o.points_hold h WHERE h.hold_id = points_hold_open.hold_id));
	SELECT h.* INTO hold FROM o2o.points_hold h WHERE h.hold_id = points_hold_open.hold_id FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no such hold of points'
			USING ERRCODE = 'O2306', DETAIL = format('Hold %s.', coalesce(hold_id::text, 'NULL')),
				HINT = 'points_hold() returned its number.';
	ELSIF hold.state <> 'open' OR hold.expires_at <= now()
		-- Somebody whose transaction began later has seen that it was over.
		OR EXISTS (SELECT FROM o2o.points_hold_part t WHERE t.hold_id = hold.hold_id AND NOT t.is_open)
	THEN
		RAISE EXCEPTION 'the hold of points is over'
			USING ERRCODE = 'O2307', DETAIL = CASE WHEN hold.kind = 'pending' THEN format('Transfer %s is not pending any more.', hold.transfer_id)
				WHEN hold.state = 'captured' THEN format('Hold %s was captured.', hold.hold_id)
				WHEN hold.state = 'void' THEN format('Hold %s was voided.', hold.hold_id)
				ELSE format('Hold %s has expired.', hold.hold_id) END,
				HINT = 'Place a new one with points_hold().';
	END IF;
	RETURN hold;
END $$;
COMMENT ON FUNCTION o2o.points_hold_open(bigint) IS 'The row of an open hold, with the locks of its accounts and of itself. Errors: O2306 no such hold, O2307 it was captured or voided, or has expired.';

CREATE OR REPLACE FUNCTION o2o.points_hold_place(profile_id bigint, customer_id bigint, program text, kind text, expires_at timestamptz,
	transfer_id bigint, reference text, reason text, request_id uuid, parts o2o.points_hold_part[]) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	new_hold_id bigint := nextval('o2o.points_hold_id_seq');
BEGIN
	INSERT INTO o2o.points_hold (profile_id, hold_id, program, kind, amount, expires_at, transfer_id, customer_id, reference, reason, request_id, placed_at)
	VALUES (points_hold_place.profile_id, new_hold_id, points_hold_place.program, points_hold_place.kind,
		(SELECT o2o.sum(p.amount) FROM unnest(parts) p), points_hold_place.expires_at, points_hold_place.transfer_id,
		points_hold_place.customer_id, points_hold_place.reference, points_hold_place.reason, points_hold_place.request_id, now());
	INSERT INTO o2o.points_hold_part (profile_id, account_id, hold_id, expires_at, grant_month, funding, amount, held_until)
	SELECT p.profile_id, p.account_id, new_hold_id, p.expires_at, p.grant_month, p.funding, p.amount, points_hold_place.expires_at
	FROM unnest(parts) p;
	UPDATE o2o.points_lot l SET held = l.held OPERATOR(o2o.+) p.amount
	FROM unnest(parts) p
	WHERE l.profile_id = p.profile_id AND l.account_id = p.account_id
		AND l.expires_at = p.expires_at AND l.grant_month = p.grant_month AND l.funding = p.funding;
	UPDATE o2o.points_account a SET held = a.held OPERATOR(o2o.+) p.amount
	FROM (SELECT u.profile_id, u.account_id, o2o.sum(u.amount) AS amount FROM unnest(parts) u GROUP BY u.profile_id, u.account_id) p
	WHERE a.profile_id = p.profile_id AND a.account_id = p.account_id;
	RETURN new_hold_id;
END $$;
COMMENT ON FUNCTION o2o.points_hold_place(bigint, bigint, text, text, timestamptz, bigint, text, text, uuid, o2o.points_hold_part[]) IS 'Writes a hold with its portions (account, lot and amount of each) and returns its hold_id. The accounts are locked, and the portions are free.';

CREATE OR REPLACE FUNCTION o2o.points_hold_once(person o2o.identifier, profile_id bigint, amount o2o.points, program text, expires_after interval,
	expires_at timestamptz, reference text, reason text, idempotency_key text,
	OUT hold_id bigint, OUT balance o2o.points, OUT available o2o.points, OUT held_until timestamptz)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	claim record;
	customer bigint;
	members bigint[];
BEGIN
	SELECT c.* INTO claim
	FROM o2o.request_claim(idempotency_key, 'points_hold', jsonb_build_object(
		'person', coalesce(person::text, points_hold_once.profile_id::text), 'amount', amount, 'program', program,
		'expires_after', extract(epoch FROM expires_after), 'expires_at', extract(epoch FROM expires_at),
		'reference', reference, 'reason', reason)) c;
	IF claim.replay IS NOT NULL THEN
		hold_id := claim.replay ->> 'hold_id';
		balance := claim.replay ->> 'balance';
		available := claim.replay ->> 'available';
		held_until := claim.replay ->> 'held_until';
		RETURN;
	END IF;
	PERFORM o2o.points_program_check(program, amount);
	held_until := coalesce(expires_at, CASE WHEN expires_after IS NOT NULL THEN o2o.points_expires_at(now(), expires_after, 'none',
		(SELECT p.time_zone FROM o2o.points_program p WHERE p.program = points_hold_once.program)) END);
	IF (held_until > now() AND held_until < 'infinity') IS NOT TRUE THEN
		RAISE EXCEPTION 'a hold of points must end, and later than now'
			USING ERRCODE = 'invalid_parameter_value', DETAIL = format('It would end at %s.', coalesce(held_until::text, 'NULL'));
	END IF;
	profile_id := o2o.points_person(person, points_hold_once.profile_id);
	customer := (o2o.customer_lock(ARRAY[profile_id]))[1];
	members := o2o.customer_profiles(customer);
	PERFORM o2o.points_accounts_lock(members, program);
	hold_id := o2o.points_hold_place(profile_id, customer, program, 'hold', held_until, NULL, reference, reason, claim.request_id,
		ARRAY(
			SELECT (p.profile_id, p.account_id, 0, u.expires_at, u.grant_month, u.funding, u.amount, held_until, true)::o2o.points_hold_part
			FROM o2o.points_pick(members, points_hold_once.profile_id, program, amount) p,
				unnest(p.expires_at, p.grant_month, p.funding, p.amounts) u (expires_at, grant_month, funding, amount)));
	balance := o2o.points_customer_balance(customer, program);
	available := o2o.points_available(members, program);
	PERFORM o2o.request_finish(claim.request_id, jsonb_build_object('hold_id', hold_id, 'balance', balance, 'available', available,
		'held_until', held_until));
END $$;
COMMENT ON FUNCTION o2o.points_hold_once(o2o.identifier, bigint, o2o.points, text, interval, timestamptz, text, text, text) IS 'points_hold for a person given by identifier, or by id where that is NULL. A replay of the key returns the first result.';

CREATE OR REPLACE FUNCTION o2o.points_hold(person o2o.identifier, amount o2o.points, program text, expires_after interval DEFAULT '15 minutes',
	expires_at timestamptz DEFAULT NULL, reference text DEFAULT NULL, reason text DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS TABLE (hold_id bigint, balance o2o.points, available o2o.points, held_until timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN QUERY SELECT h.hold_id, h.balance, h.available, h.held_until
	FROM o2o.points_hold_once(person, NULL, amount, program, expires_after, expires_at, reference, reason, idempotency_key) h;
END $$;
COMMENT ON FUNCTION o2o.points_hold(o2o.identifier, o2o.points, text, interval, timestamptz, text, text, text) IS 'Puts points of a person, known by an identifier such as card:88001, aside: nobody can spend them until points_capture() burns them, points_void() releases them, or the hold is over: amount, program, how long from now (days on the program''s clock), or until when (which goes before), reference of the caller''s document, reason, idempotency key (a repeated call with it returns the first result). The lots are chosen as points_burn chooses them and stay on hold for this one, also when they expire meanwhile and when the customer is taken apart. Returns the hold_id, the customer''s balance (which a hold does not change) and what is available after it in the program, and until when it holds. Errors: O2301 insufficient points, O2004 the key was used with other arguments, O2201 nobody has the identifier, O2302 unknown program, O2303 amount not positive, O2304 more digits than the program''s scale, 22023 the end is not after now, or infinite.';

CREATE OR REPLACE FUNCTION o2o.points_hold(person bigint, amount o2o.points, program text, expires_after interval DEFAULT '15 minutes',
	expires_at timestamptz DEFAULT NULL, reference text DEFAULT NULL, reason text DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS TABLE (hold_id bigint, balance o2o.points, available o2o.points, held_until timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN QUERY SELECT h.hold_id, h.balance, h.available, h.held_until
	FROM o2o.points_hold_once(NULL, person, amount, program, expires_after, expires_at, reference, reason, idempotency_key) h;
END $$;
COMMENT ON FUNCTION o2o.points_hold(bigint, o2o.points, text, interval, timestamptz, text, text, text) IS 'The same for a person known by profile or customer id.';

CREATE OR REPLACE FUNCTION o2o.points_capture(hold_id bigint, amount o2o.points DEFAULT NULL, reference text DEFAULT NULL, reason text DEFAULT NULL,
	idempotency_key text DEFAULT NULL)
RETURNS TABLE (transfer_id bigint, captured o2o.points, balance o2o.points)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	claim record;
	hold o2o.points_hold;
	customer bigint;
	contra bigint;
	part record;
BEGIN
	SELECT c.* INTO claim
	FROM o2o.request_claim(idempotency_key, 'points_capture', jsonb_build_object('hold_id', points_capture.hold_id,
		'amount', amount, 'reference', reference, 'reason', reason)) c;
	IF claim.replay IS NOT NULL THEN
		RETURN QUERY SELECT (claim.replay ->> 'transfer_id')::bigint, (claim.replay ->> 'captured')::o2o.points, (claim.replay ->> 'balance')::o2o.points;
		RETURN;
	END IF;
	hold := o2o.points_hold_open(points_capture.hold_id);
	captured := coalesce(amount, hold.amount);
	PERFORM o2o.points_program_check(hold.program, captured);
	IF hold.kind <> 'hold' THEN
		RAISE EXCEPTION 'pending points cannot be captured'
			USING ERRCODE = 'invalid_parameter_value', DETAIL = format('Hold %s.', hold.hold_id),
				HINT = 'points_activate() makes them available, points_clawback() takes them back.';
	ELSIF captured OPERATOR(o2o.>) hold.amount THEN
		RAISE EXCEPTION 'more points than there are on hold'
			USING ERRCODE = 'O2308', DETAIL = format('on hold %s, asked %s', hold.amount, captured),
				HINT = 'Capture less, and burn the rest with points_burn().';
	END IF;
	customer := o2o.profile_customer(hold.profile_id);
	contra := o2o.points_system_account_id(hold.program, 'redeemed');
	transfer_id := nextval('o2o.points_transfer_id_seq');
	PERFORM o2o.points_hold_close(ARRAY(SELECT DISTINCT t.profile_id FROM o2o.points_hold_part t WHERE t.hold_id = hold.hold_id), hold.program, hold.hold_id);
	FOR part IN
		SELECT t.profile_id, t.account_id, array_agg(t.expires_at) AS expires_at, array_agg(t.grant_month) AS grant_month,
			array_agg(t.funding) AS funding, array_agg(OPERATOR(o2o.-) least(t.amount, captured OPERATOR(o2o.-) t.taken_before)) AS amounts
		FROM (
			SELECT h.*, o2o.sum(h.amount) OVER (ORDER BY h.expires_at, h.profile_id <> hold.profile_id, h.grant_month, h.account_id, h.funding
				ROWS UNBOUNDED PRECEDING) OPERATOR(o2o.-) h.amount AS taken_before
			FROM o2o.points_hold_part h WHERE h.hold_id = hold.hold_id
		) t
		WHERE t.taken_before OPERATOR(o2o.<) captured
		GROUP BY t.profile_id, t.account_id
		ORDER BY t.account_id
	LOOP
		PERFORM o2o.points_post(part.profile_id, part.account_id, points_capture.transfer_id, contra, 'burn',
			part.expires_at, part.grant_month, part.funding, part.amounts, claim.request_id, hold.profile_id, customer,
			coalesce(points_capture.reference, hold.reference), coalesce(points_capture.reason, hold.reason), now());
	END LOOP;
	UPDATE o2o.points_hold h
	SET state = 'captured', transfer_id = points_capture.transfer_id, captured = points_capture.captured, closed_at = now()
	WHERE h.profile_id = hold.profile_id AND h.hold_id = hold.hold_id;
	balance := o2o.points_customer_balance(customer, hold.program);
	PERFORM o2o.request_finish(claim.request_id, jsonb_build_object('transfer_id', transfer_id, 'captured', captured, 'balance', balance));
	RETURN NEXT;
END $$;
COMMENT ON FUNCTION o2o.points_capture(bigint, o2o.points, text, text, text) IS 'Burns points that are on hold, all of them or an amount, nearest expiry first, once; what is left of the hold is released. From the portions that the hold was placed on, whatever became of the customer and of the lots since. reference and reason: those of the hold where NULL; idempotency key (a repeated call with it returns the first result). Returns the transfer_id, what was burned, and the balance of the customer, today''s owner of the profile that placed it. Errors: O2306 no such hold, O2307 it was captured or voided before, or has expired, O2308 more than is on hold, O2303 amount not positive, O2304 more digits than the program''s scale, 22023 pending points, O2004 the key was used with other arguments.';

CREATE OR REPLACE FUNCTION o2o.points_void(hold_id bigint, idempotency_key text DEFAULT NULL)
RETURNS TABLE (released o2o.points, balance o2o.points)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	claim record;
	hold o2o.points_hold;
BEGIN
	SELECT c.* INTO claim
	FROM o2o.request_claim(idempotency_key, 'points_void', jsonb_build_object('hold_id', points_void.hold_id)) c;
	IF claim.replay IS NOT NULL THEN
		RETURN QUERY SELECT (claim.replay ->> 'released')::o2o.points, (claim.replay ->> 'balance')::o2o.points;
		RETURN;
	END IF;
	hold := o2o.points_hold_open(points_void.hold_id);
	IF hold.kind <> 'hold' THEN
		RAISE EXCEPTION 'pending points cannot be voided'
			USING ERRCODE = 'invalid_parameter_value', DETAIL = format('Hold %s.', hold.hold_id),
				HINT = 'points_activate() makes them available, points_clawback() takes them back.';
	END IF;
	PERFORM o2o.points_hold_close(ARRAY(SELECT DISTINCT t.profile_id FROM o2o.points_hold_part t WHERE t.hold_id = hold.hold_id), hold.program, hold.hold_id);
	UPDATE o2o.points_hold h SET state = 'void', closed_at = now()
	WHERE h.profile_id = hold.profile_id AND h.hold_id = hold.hold_id;
	released := hold.amount;
	balance := o2o.points_customer_balance(o2o.profile_customer(hold.profile_id), hold.program);
	PERFORM o2o.request_finish(claim.request_id, jsonb_build_object('released', released, 'balance', balance));
	RETURN NEXT;
END $$;
COMMENT ON FUNCTION o2o.points_void(bigint, text) IS 'Releases points that are on hold: they can be spent again, but for those that expired meanwhile. idempotency key: a repeated call with it returns the first result. Returns what was released and the customer''s balance in the program. Errors: O2306 no such hold, O2307 it was captured or voided before, or has expired, 22023 pending points, O2004 the key was used with other arguments.';

CREATE OR REPLACE FUNCTION o2o.points_activate(transfer_id bigint, idempotency_key text DEFAULT NULL)
RETURNS TABLE (activated o2o.points, balance o2o.points)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	claim record;
	pending_id bigint;
	hold o2o.points_hold;
BEGIN
	SELECT c.* INTO claim
	FROM o2o.request_claim(idempotency_key, 'points_activate', jsonb_build_object('transfer_id', points_activate.transfer_id)) c;
	IF claim.replay IS NOT NULL THEN
		RETURN QUERY SELECT (claim.replay ->> 'activated')::o2o.points, (claim.replay ->> 'balance')::o2o.points;
		RETURN;
	END IF;
	-- The latest one: a clawback puts what stays pending aside again.
	pending_id := (SELECT max(h.hold_id) FROM o2o.points_hold h WHERE h.transfer_id = points_activate.transfer_id AND h.kind = 'pending');
	IF pending_id IS NULL THEN
		RAISE EXCEPTION 'there is no such transfer of pending points'
			USING ERRCODE = 'O2309', DETAIL = format('Transfer %s.', coalesce(transfer_id::text, 'NULL')),
				HINT = 'points_earn() with activate_at returned its number.';
	END IF;
	hold := o2o.points_hold_open(pending_id);
	PERFORM o2o.points_hold_close(ARRAY[hold.profile_id], hold.program, hold.hold_id);
	UPDATE o2o.points_hold h SET state = 'void', closed_at = now()
	WHERE h.profile_id = hold.profile_id AND h.hold_id = hold.hold_id;
	activated := hold.amount;
	balance := o2o.points_customer_balance(o2o.profile_customer(hold.profile_id), hold.program);
	PERFORM o2o.request_finish(claim.request_id, jsonb_build_object('activated', activated, 'balance', balance));
	RETURN NEXT;
END $$;
COMMENT ON FUNCTION o2o.points_activate(bigint, text) IS 'Makes pending points available before their time, or those that have none: transfer_id as points_earn() returned it; idempotency key (a repeated call with it returns the first result). Pending points need no call when their time comes. Returns the points that became available and the customer''s balance, which does not change. Errors: O2309 no pending points were earned by that transfer, O2307 they are not pending any more, O2004 the key was used with other arguments.';
