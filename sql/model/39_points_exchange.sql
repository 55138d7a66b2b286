-- The points room: points of one program for points of another, by a dated rate.
-- Both legs are posted in one call, each in its own program against the account
-- "exchange" there; what both come to is recorded, so that it can be taken back.

CREATE TABLE IF NOT EXISTS o2o.points_exchange_rate (
	from_program text NOT NULL REFERENCES o2o.points_program,
	to_program text NOT NULL REFERENCES o2o.points_program,
	valid_from timestamptz NOT NULL,
	rate numeric NOT NULL CHECK (rate >= 0 AND rate < 'Infinity'),
	rounding text NOT NULL DEFAULT 'floor' CHECK (rounding IN ('half_even', 'half_up', 'floor', 'ceil')),
	PRIMARY KEY (from_program, to_program, valid_from),
	CHECK (from_program <> to_program)
);
COMMENT ON TABLE o2o.points_exchange_rate IS 'Rates of exchange between programs: rows of the owner. The row with the latest valid_from not after a moment holds at that moment; without one there is no exchange.';
COMMENT ON COLUMN o2o.points_exchange_rate.from_program IS 'Program whose points are given; refers to points_program';
COMMENT ON COLUMN o2o.points_exchange_rate.to_program IS 'Program whose points are got; refers to points_program';
COMMENT ON COLUMN o2o.points_exchange_rate.valid_from IS 'From when the rate holds';
COMMENT ON COLUMN o2o.points_exchange_rate.rate IS 'Points got for one point given; 0: there is no exchange any more';
COMMENT ON COLUMN o2o.points_exchange_rate.rounding IS 'How what is got is rounded to the scale of to_program: half_even, half_up, floor or ceil';

CREATE TABLE IF NOT EXISTS o2o.points_exchanged (
	profile_id bigint NOT NULL,
	transfer_id bigint NOT NULL,
	to_transfer_id bigint NOT NULL,
	from_program text NOT NULL REFERENCES o2o.points_program,
	to_program text NOT NULL REFERENCES o2o.points_program,
	given o2o.points NOT NULL,
	received o2o.points NOT NULL,
	rate numeric NOT NULL,
	customer_id bigint NOT NULL,
	request_id uuid NOT NULL,
	exchanged_at timestamptz NOT NULL,
	reversed_at timestamptz,
	reversed_by text,
	reverse_reason text,
	PRIMARY KEY (profile_id, transfer_id)
) WITH (fillfactor = 85);
CREATE INDEX IF NOT EXISTS points_exchanged_transfer_id_idx ON o2o.points_exchanged (transfer_id);
COMMENT ON TABLE o2o.points_exchanged IS 'Exchanges between programs, one row each.';
COMMENT ON COLUMN o2o.points_exchanged.profile_id IS 'Profile by which the person was recognised; refers to profile';
COMMENT ON COLUMN o2o.points_exchanged.transfer_id IS 'Transfer that took the points, in from_program';
COMMENT ON COLUMN o2o.points_exchanged.to_transfer_id IS 'Transfer that gave the points, in to_program';
COMMENT ON COLUMN o2o.points_exchanged.from_program IS 'Program whose points were given; refers to points_program';
COMMENT ON COLUMN o2o.points_exchanged.to_program IS 'Program whose points were got; refers to points_program';
COMMENT ON COLUMN o2o.points_exchanged.given IS 'Points of from_program';
COMMENT ON COLUMN o2o.points_exchanged.received IS 'Points of to_program';
COMMENT ON COLUMN o2o.points_exchanged.rate IS 'Rate that held';
COMMENT ON COLUMN o2o.points_exchanged.customer_id IS 'Customer of that moment; refers to customer';
COMMENT ON COLUMN o2o.points_exchanged.request_id IS 'Call that did it; refers to request, or is random where no idempotency key was given';
COMMENT ON COLUMN o2o.points_exchanged.exchanged_at IS 'When (start of the transaction)';
COMMENT ON COLUMN o2o.points_exchanged.reversed_at IS 'When it was taken back; NULL: it was not';
COMMENT ON COLUMN o2o.points_exchanged.reversed_by IS 'Login role that took it back; NULL: nobody';
COMMENT ON COLUMN o2o.points_exchanged.reverse_reason IS 'Why it was taken back; NULL: it was not';

CREATE OR REPLACE FUNCTION o2o.points_exchange_once(person o2o.identifier, profile_id bigint, amount o2o.points, from_program text, to_program text,
	reference text, reason text, idempotency_key text,
	OUT transfer_id bigint, OUT received o2o.points, OUT from_balance o2o.points, OUT to_balance o2o.points)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	claim record;
	quote record;
	target o2o.points_program;
	customer bigint;
	members bigint[];
	got bigint;
BEGIN
	SELECT c.* INTO claim
	FROM o2o.request_claim(idempotency_key, 'points_exchange', jsonb_build_object(
		'person', coalesce(person::text, points_exchange_once.profile_id::text), 'amount', amount, 'from_program', from_program,
		'to_program', to_program, 'reference', reference, 'reason', reason)) c;
	IF claim.replay IS NOT NULL THEN
		transfer_id := claim.replay ->> 'transfer_id';
		received := claim.replay ->> 'received';
		from_balance := claim.replay ->> 'from_balance';
		to_balance := claim.replay ->> 'to_balance';
		RETURN;
	END IF;
	PERFORM o2o.points_program_check(from_program, amount);
	target := o2o.points_program_check(to_program, 1);
	SELECT r.rate, r.rounding INTO quote FROM o2o.points_exchange_rate r
	WHERE r.from_program = points_exchange_once.from_program AND r.to_program = points_exchange_once.to_program AND r.valid_from <= now()
	ORDER BY r.valid_from DESC LIMIT 1;
	IF (quote.rate > 0) IS NOT TRUE THEN
		RAISE EXCEPTION 'there is no rate of exchange from points program "%" to "%"', from_program, to_program
			USING ERRCODE = 'O2324', HINT = 'Insert one into o2o.points_exchange_rate.';
	END IF;
	received := o2o.points_multiply(amount, quote.rate, target.scale, quote.rounding);
	PERFORM o2o.points_program_check(to_program, received);
	profile_id := o2o.points_person(person, points_exchange_once.profile_id);
	customer := (o2o.customer_lock(ARRAY[profile_id]))[1];
	members := o2o.customer_profiles(customer);
	PERFORM o2o.points_account_open(profile_id, to_program);
	-- Both programs in one go, by account: the other direction takes them in the same order.
	PERFORM o2o.points_accounts_lock(members);
	transfer_id := nextval('o2o.points_transfer_id_seq');
	PERFORM o2o.points_draw(members, profile_id, customer, from_program, amount, transfer_id,
		o2o.points_system_account_id(from_program, 'exchange'), 'exchange_out', reference, reason, claim.request_id, now());
	got := o2o.points_grant(profile_id, customer, to_program, received, reference, reason, claim.request_id, now(),
		'exchange:' || from_program, operation => 'exchange_in');
	INSERT INTO o2o.points_exchanged (profile_id, transfer_id, to_transfer_id, from_program, to_program, given, received, rate, customer_id,
		request_id, exchanged_at)
	VALUES (points_exchange_once.profile_id, points_exchange_once.transfer_id, got, points_exchange_once.from_program, points_exchange_once.to_program,
		amount, points_exchange_once.received, quote.rate, customer, claim.request_id, now());
	from_balance := o2o.points_customer_balance(customer, from_program);
	to_balance := o2o.points_customer_balance(customer, to_program);
	PERFORM o2o.request_finish(claim.request_id, jsonb_build_object('transfer_id', transfer_id, 'received', received,
		'from_balance', from_balance, 'to_balance', to_balance));
END $$;
COMMENT ON FUNCTION o2o.points_exchange_once(o2o.identifier, bigint, o2o.points, text, text, text, text, text) IS 'points_exchange for a person given by identifier, or by id where that is NULL. A replay of the key returns the first result.';

CREATE OR REPLACE FUNCTION o2o.points_exchange(person o2o.identifier, amount o2o.points, from_program text, to_program text, reference text DEFAULT NULL,
	reason text DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS TABLE (transfer_id bigint, received o2o.points, from_balance o2o.points, to_balance o2o.points)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT e.* FROM o2o.points_exchange_once(person, NULL, amount, from_program, to_program, reference, reason, idempotency_key) e;
END $$;
COMMENT ON FUNCTION o2o.points_exchange(o2o.identifier, o2o.points, text, text, text, text, text) IS 'Exchanges points of a person, known by an identifier such as card:88001, for points of another program, by the rate of now: amount of from_program, to_program, reference of the caller''s document, reason, idempotency key (a repeated call with it returns the first result). Taken as points_burn takes them; what is got is rounded as the rate says, is funded by exchange:<from_program>, expires by the rule of to_program from now, and repays what is owed there. Both or nothing. Returns the transfer_id of what was given (for points_exchange_reverse()), the points got, and the customer''s balances in both programs. Errors: O2301 insufficient points, O2324 no rate, O2302 unknown program, O2303 amount not positive, or nothing would be got, O2304 more digits than the program''s scale, O2305 the reserve of to_program does not cover them, O2004 the key was used with other arguments, O2201 nobody has the identifier.';

CREATE OR REPLACE FUNCTION o2o.points_exchange(person bigint, amount o2o.points, from_program text, to_program text, reference text DEFAULT NULL,
	reason text DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS TABLE (transfer_id bigint, received o2o.points, from_balance o2o.points, to_balance o2o.points)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT e.* FROM o2o.points_exchange_once(NULL, person, amount, from_program, to_program, reference, reason, idempotency_key) e;
END $$;
COMMENT ON FUNCTION o2o.points_exchange(bigint, o2o.points, text, text, text, text, text) IS 'The same for a person known by profile or customer id.';

CREATE OR REPLACE FUNCTION o2o.points_exchange_reverse(transfer_id bigint, reason text, idempotency_key text DEFAULT NULL)
RETURNS TABLE (from_balance o2o.points, to_balance o2o.points)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	claim record;
	exchanged o2o.points_exchanged;
	customer bigint;
	members bigint[];
	available o2o.points;
BEGIN
	SELECT c.* INTO claim
	FROM o2o.request_claim(idempotency_key, 'points_exchange_reverse', jsonb_build_object('transfer_id', points_exchange_reverse.transfer_id, 'reason', reason)) c;
	IF claim.replay IS NOT NULL THEN
		RETURN QUERY SELECT (claim.replay ->> 'from_balance')::o2o.points, (claim.replay ->> 'to_balance')::o2o.points;
		RETURN;
	END IF;
	IF coalesce(reason, '') = '' THEN
		RAISE EXCEPTION 'a reversal of points needs a reason' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	SELECT e.* INTO exchanged FROM o2o.points_exchanged e WHERE e.transfer_id = points_exchange_reverse.transfer_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no such exchange of points' USING ERRCODE = 'O2309', DETAIL = format('Transfer %s.', coalesce(transfer_id::text, 'NULL')),
				HINT = 'points_exchange() returned its number.';
	END IF;
	customer := (o2o.customer_lock(ARRAY[exchanged.profile_id]))[1];
	members := o2o.customer_profiles(customer);
	-- The points came from profiles of that time, which may be another customer's today.
	PERFORM o2o.points_accounts_lock(members || ARRAY(SELECT DISTINCT p.profile_id FROM o2o.points_posting p WHERE p.transfer_id = exchanged.transfer_id));
	UPDATE o2o.points_exchanged e SET reversed_at = now(), reversed_by = session_user, reverse_reason = points_exchange_reverse.reason
	WHERE e.profile_id = exchanged.profile_id AND e.transfer_id = exchanged.transfer_id AND e.reversed_at IS NULL;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'the transfer of points was reversed before' USING ERRCODE = 'O2308', DETAIL = format('Transfer %s.', transfer_id),
				HINT = 'Nothing is left to do: it was undone.';
	END IF;
	available := o2o.points_available(members, exchanged.to_program);
	IF available OPERATOR(o2o.<) exchanged.received THEN
		RAISE EXCEPTION 'insufficient points'
			USING ERRCODE = 'O2301', DETAIL = format('available %s, asked %s', available, exchanged.received),
				HINT = 'What was got by the exchange is spent or gone; points_adjust() settles it by hand.';
	END IF;
	PERFORM o2o.points_take_back(exchanged.to_transfer_id, 'exchange_in', NULL, 'clawback', NULL, reason, claim.request_id);
	PERFORM o2o.points_refund_post(exchanged.transfer_id, NULL, NULL, reason, claim.request_id, 'exchange_out');
	from_balance := o2o.points_customer_balance(customer, exchanged.from_program);
	to_balance := o2o.points_customer_balance(customer, exchanged.to_program);
	PERFORM o2o.request_finish(claim.request_id, jsonb_build_object('from_balance', from_balance, 'to_balance', to_balance));
	RETURN NEXT;
END $$;
COMMENT ON FUNCTION o2o.points_exchange_reverse(bigint, text, text) IS 'Takes an exchange between programs back, whole: the points got are taken from the customer, their own lot first, and the points given go back to the lots they came from, as points_refund() does. transfer_id as points_exchange() returned it, reason (needed), idempotency key (a repeated call with it returns the first result). Returns the customer''s balances in both programs. Errors: O2301 the customer does not have the points got any more, O2309 no such exchange, O2308 it was reversed before, O2004 the key was used with other arguments, 22004 no reason.';
