-- The points room: closing accounts. What is left is disposed of as the caller
-- says, never by itself; a closed account takes no posting until it is opened again.

CREATE OR REPLACE FUNCTION o2o.points_is_closed(profile_id bigint, program text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN EXISTS (SELECT FROM o2o.points_account a
		WHERE a.profile_id = points_is_closed.profile_id AND a.program = points_is_closed.program AND a.kind = 'member' AND a.closed_at IS NOT NULL);
END $$;
COMMENT ON FUNCTION o2o.points_is_closed(bigint, text) IS 'Whether the member account of a profile in a program is closed; for good where the lock of its customer is held.';

CREATE OR REPLACE FUNCTION o2o.points_forfeit(members bigint[], acting_profile_id bigint, customer_id bigint, program text, reason text, request_id uuid,
	OUT forfeited o2o.points, OUT forgiven o2o.points)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	new_transfer_id bigint := nextval('o2o.points_transfer_id_seq');
	part record;
BEGIN
	forfeited := 0;
	forgiven := 0;
	-- What has expired by now expires; the rest is taken.
	FOR part IN
		SELECT l.profile_id, l.account_id, l.expires_at <= now() AS is_gone, array_agg(l.expires_at) AS expires_at, array_agg(l.grant_month) AS grant_month,
			array_agg(l.funding) AS funding, array_agg(OPERATOR(o2o.-) l.remaining) AS amounts, o2o.sum(l.remaining) AS amount
		FROM o2o.points_account a
			JOIN o2o.points_lot l ON l.profile_id = a.profile_id AND l.account_id = a.account_id
		WHERE a.profile_id = ANY (members) AND a.program = points_forfeit.program AND a.kind = 'member' AND l.remaining OPERATOR(o2o.>) 0
		GROUP BY l.profile_id, l.account_id, l.expires_at <= now()
		ORDER BY l.account_id, 3
	LOOP
		PERFORM o2o.points_post(part.profile_id, part.account_id, new_transfer_id,
			o2o.points_system_account_id(program, CASE WHEN part.is_gone THEN 'expired' ELSE 'adjustment' END),
			CASE WHEN part.is_gone THEN 'expire' ELSE 'adjust' END, part.expires_at, part.grant_month, part.funding, part.amounts,
			points_forfeit.request_id, points_forfeit.acting_profile_id, points_forfeit.customer_id, NULL, points_forfeit.reason, now());
		forfeited := forfeited OPERATOR(o2o.+) part.amount;
	END LOOP;
	FOR part IN
		SELECT a.profile_id, a.account_id, a.debt FROM o2o.points_account a
		WHERE a.profile_id = ANY (members) AND a.program = points_forfeit.program AND a.kind IN ('member', 'debt') AND a.debt OPERATOR(o2o.>) 0
		ORDER BY a.account_id
	LOOP
		PERFORM o2o.points_post(part.profile_id, part.account_id, new_transfer_id, o2o.points_system_account_id(program, 'adjustment'), 'adjust',
			ARRAY[NULL::timestamptz], ARRAY[NULL::date], ARRAY[NULL::text], ARRAY[part.debt], points_forfeit.request_id,
			points_forfeit.acting_profile_id, points_forfeit.customer_id, NULL, points_forfeit.reason, now());
		forgiven := forgiven OPERATOR(o2o.+) part.debt;
	END LOOP;
END $$;
COMMENT ON FUNCTION o2o.points_forfeit(bigint[], bigint, bigint, text, text, uuid) IS 'Empties the member accounts of a customer (profiles: members), which are locked and have nothing on hold: takes all points, and lets all debts go. Returns both sums.';

CREATE OR REPLACE FUNCTION o2o.points_close_once(person o2o.identifier, to_person o2o.identifier, profile_id bigint, to_profile_id bigint,
	program text, disposition text, reason text, idempotency_key text,
	OUT accounts bigint, OUT moved o2o.points, OUT forfeited o2o.points, OUT forgiven o2o.points)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	claim record;
	customers bigint[];
	members bigint[];
	held o2o.points;
	owed o2o.points;
	available o2o.points;
BEGIN
	SELECT c.* INTO claim
	FROM o2o.request_claim(idempotency_key, 'points_close', jsonb_build_object(
		'person', coalesce(person::text, points_close_once.profile_id::text), 'to_person', coalesce(to_person::text, to_profile_id::text),
		'program', program, 'disposition', disposition, 'reason', reason)) c;
	IF claim.replay IS NOT NULL THEN
		accounts := claim.replay ->> 'accounts';
		moved := claim.replay ->> 'moved';
		forfeited := claim.replay ->> 'forfeited';
		forgiven := claim.replay ->> 'forgiven';
		RETURN;
	END IF;
	PERFORM o2o.points_program_check(program, 1);
	IF disposition NOT IN ('refuse', 'forfeit', 'transfer') OR (disposition = 'transfer') <> (to_person IS NOT NULL OR to_profile_id IS NOT NULL) THEN
		RAISE EXCEPTION 'what becomes of the points must be refuse, forfeit or transfer, and transfer needs to whom'
			USING ERRCODE = 'invalid_parameter_value', DETAIL = format('It is %s.', disposition);
	ELSIF coalesce(reason, '') = '' THEN
		RAISE EXCEPTION 'closing a points account needs a reason' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	profile_id := o2o.points_person(person, points_close_once.profile_id);
	IF disposition = 'transfer' THEN
		to_profile_id := o2o.points_person(to_person, points_close_once.to_profile_id);
	END IF;
	customers := o2o.customer_lock(array_remove(ARRAY[profile_id, to_profile_id], NULL));
	IF customers[1] = customers[2] THEN
		RAISE EXCEPTION 'points cannot be transferred to the customer who gives them'
			USING ERRCODE = 'invalid_parameter_value', DETAIL = format('Customer %s.', customers[1]);
	END IF;
	members := o2o.customer_profiles(customers[1]);
	PERFORM o2o.points_account_open(profile_id, program);
	IF to_profile_id IS NOT NULL THEN
		PERFORM o2o.points_account_open(to_profile_id, program);
	END IF;
	PERFORM o2o.points_accounts_lock(array_remove(members || to_profile_id, NULL), program);
	SELECT coalesce(o2o.sum(a.held), 0::o2o.points), coalesce(o2o.sum(a.debt), 0::o2o.points) INTO held, owed
	FROM o2o.points_account a
	WHERE a.profile_id = ANY (members) AND a.program = points_close_once.program AND a.kind IN ('member', 'debt');
	available := o2o.points_available(members, program);
	IF held OPERATOR(o2o.>) 0 OR disposition = 'refuse' AND (available OPERATOR(o2o.<>) 0 OR owed OPERATOR(o2o.>) 0) THEN
		RAISE EXCEPTION 'the points account is not empty'
			USING ERRCODE = 'O2328', DETAIL = format('available %s, on hold %s, owed %s', available, held, owed),
				HINT = 'points_capture(), points_void() or points_activate() what is on hold; say what becomes of the rest (disposition).';
	END IF;
	moved := 0;
	IF disposition = 'transfer' AND available OPERATOR(o2o.>) 0 THEN
		PERFORM o2o.points_move(members, profile_id, customers[1], to_profile_id, program, available, NULL, reason, claim.request_id);
		moved := available;
	END IF;
	SELECT f.* INTO forfeited, forgiven FROM o2o.points_forfeit(members, profile_id, customers[1], program, reason, claim.request_id) f;
	accounts := (SELECT count(o2o.points_account_close(a.profile_id, a.account_id)) FROM o2o.points_account a
		WHERE a.profile_id = ANY (members) AND a.program = points_close_once.program AND a.kind IN ('member', 'debt') AND a.closed_at IS NULL);
	PERFORM o2o.request_finish(claim.request_id, jsonb_build_object('accounts', accounts, 'moved', moved, 'forfeited', forfeited, 'forgiven', forgiven));
END $$;
COMMENT ON FUNCTION o2o.points_close_once(o2o.identifier, o2o.identifier, bigint, bigint, text, text, text, text) IS 'points_close for persons given by identifiers, or by ids where those are NULL. A replay of the key returns the first result.';

CREATE OR REPLACE FUNCTION o2o.points_close(person o2o.identifier, program text, reason text, disposition text DEFAULT 'refuse',
	to_person o2o.identifier DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS TABLE (accounts bigint, moved o2o.points, forfeited o2o.points, forgiven o2o.points)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT c.* FROM o2o.points_close_once(person, to_person, NULL, NULL, program, disposition, reason, idempotency_key) c;
END $$;
COMMENT ON FUNCTION o2o.points_close(o2o.identifier, text, text, text, o2o.identifier, text) IS 'Closes the member accounts of a customer, known by an identifier, in a program, those of all its profiles: reason (needed), what becomes of points that are left (disposition: refuse: there must be none, and no debt; forfeit: they are taken; transfer: to_person gets what can be spent, by points_transfer()''s rules, and the rest is taken), idempotency key (a repeated call with it returns the first result). Debts are let go. Afterwards nothing is posted to them (O2321), orders earn nothing; points_reopen() opens them again. Returns the number of accounts closed, the points moved, those taken (the expired ones too) and the debts let go. Errors: O2328 the accounts are not empty, or points are on hold, O2201 nobody has one of the identifiers, O2302 unknown program, O2004 the key was used with other arguments, 22023 another disposition, 22004 no reason, O2321 the account of to_person is closed.';

CREATE OR REPLACE FUNCTION o2o.points_close(person bigint, program text, reason text, disposition text DEFAULT 'refuse',
	to_person bigint DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS TABLE (accounts bigint, moved o2o.points, forfeited o2o.points, forgiven o2o.points)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT c.* FROM o2o.points_close_once(NULL, NULL, person, to_person, program, disposition, reason, idempotency_key) c;
END $$;
COMMENT ON FUNCTION o2o.points_close(bigint, text, text, text, bigint, text) IS 'The same for persons known by profile or customer ids.';

CREATE OR REPLACE FUNCTION o2o.points_reopen(person bigint, program text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	members bigint[];
	opened bigint;
BEGIN
	PERFORM o2o.points_person(NULL, person);
	members := o2o.customer_profiles((o2o.customer_lock(ARRAY[person]))[1]);
	PERFORM o2o.points_accounts_lock(members, program);
	UPDATE o2o.points_account a SET closed_at = NULL
	WHERE a.profile_id = ANY (members) AND a.program = points_reopen.program AND a.kind IN ('member', 'debt') AND a.closed_at IS NOT NULL;
	GET DIAGNOSTICS opened = ROW_COUNT;
	RETURN opened;
END $$;
COMMENT ON FUNCTION o2o.points_reopen(bigint, text) IS 'The same for a person known by profile or customer id.';

CREATE OR REPLACE FUNCTION o2o.points_reopen(person o2o.identifier, program text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN o2o.points_reopen(o2o.points_person(person, NULL), program);
END $$;
COMMENT ON FUNCTION o2o.points_reopen(o2o.identifier, text) IS 'Opens the closed member accounts of a customer, known by an identifier, in a program again; what was in them is gone. Returns how many. Error: O2201 nobody has the identifier.';
