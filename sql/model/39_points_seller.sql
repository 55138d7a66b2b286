-- The points room: sellers. A payment is one posting on the account of who pays,
-- with the seller's account on the other side: no row of the seller is touched,
-- however many pay at once. The seller's own row is locked by who takes points
-- from it: a payout, and the refund of a payment.

CREATE INDEX IF NOT EXISTS points_account_party_idx ON o2o.points_account (account_id)
	WHERE kind IN ('seller', 'partner_prepaid', 'partner_postpaid');
CREATE INDEX IF NOT EXISTS points_posting_seller_idx ON o2o.points_posting (contra_account_id, seq) WHERE operation IN ('pay', 'refund');

CREATE OR REPLACE FUNCTION o2o.points_seller_open(seller bigint, program text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	account bigint;
BEGIN
	IF NOT EXISTS (SELECT FROM o2o.points_program p WHERE p.program = points_seller_open.program) THEN
		RAISE EXCEPTION 'points program "%" does not exist', program
			USING ERRCODE = 'O2302', HINT = 'Make it with points_program_create().';
	END IF;
	account := o2o.points_account_open(o2o.points_person(NULL, seller), program, 'seller');
	UPDATE o2o.points_account a SET closed_at = NULL
	WHERE a.profile_id = seller AND a.account_id = account AND a.closed_at IS NOT NULL;
	RETURN account;
END $$;
COMMENT ON FUNCTION o2o.points_seller_open(bigint, text) IS 'The same for a seller known by profile or customer id.';

CREATE OR REPLACE FUNCTION o2o.points_seller_open(seller o2o.identifier, program text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN o2o.points_seller_open(o2o.points_person(seller, NULL), program);
END $$;
COMMENT ON FUNCTION o2o.points_seller_open(o2o.identifier, text) IS 'Opens the account of a seller in a program, who is known by an identifier such as ref:erp/77, and returns its number; the one that is there already where it is called again, opened again where it was closed. Errors: O2201 nobody has the identifier, O2302 unknown program.';

CREATE OR REPLACE FUNCTION o2o.points_seller_account(seller o2o.identifier, profile_id bigint, program text) RETURNS o2o.points_account
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	account o2o.points_account;
BEGIN
	profile_id := o2o.points_person(seller, points_seller_account.profile_id);
	-- Where two sellers were merged, each goes on having its own.
	SELECT a.* INTO account FROM o2o.points_account a
	WHERE a.profile_id = ANY (o2o.customer_profiles(o2o.profile_customer(points_seller_account.profile_id)))
		AND a.program = points_seller_account.program AND a.kind = 'seller'
	ORDER BY a.profile_id <> points_seller_account.profile_id, a.closed_at IS NOT NULL, a.account_id LIMIT 1;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'the seller has no account in points program "%"', program
			USING ERRCODE = 'O2320', DETAIL = format('Profile %s.', profile_id), HINT = 'Open it with points_seller_open().';
	END IF;
	RETURN account;
END $$;
COMMENT ON FUNCTION o2o.points_seller_account(o2o.identifier, bigint, text) IS 'The account of a seller given by identifier, or by id where that is NULL: the one of this profile, else the first of the customer''s. Errors: O2320 there is none, O2201 nobody has the identifier.';

CREATE OR REPLACE FUNCTION o2o.points_seller_balance_of(account_id bigint) RETURNS o2o.points
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	since bigint := (SELECT h.horizon FROM o2o.points_rollup_horizon h);
BEGIN
	-- A stable function: horizon, rollup and postings are of one snapshot.
	RETURN (SELECT a.balance::numeric + coalesce((
			SELECT r.balance FROM o2o.points_rollup r WHERE r.account_id = points_seller_balance_of.account_id), 0)
		- coalesce((
			SELECT o2o.points_total(p.amount) FROM o2o.points_posting p
			WHERE p.contra_account_id = points_seller_balance_of.account_id AND p.operation IN ('pay', 'refund') AND p.seq >= since), 0)
		FROM o2o.points_account a WHERE a.account_id = points_seller_balance_of.account_id AND a.kind = 'seller');
END $$;
COMMENT ON FUNCTION o2o.points_seller_balance_of(bigint) IS 'Points of a seller''s account: what was paid to it, less what was refunded and settled: the rollup, and what was posted since. No less than this is there while its lock is held.';

CREATE OR REPLACE FUNCTION o2o.points_seller_close(seller bigint, program text) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	account o2o.points_account := o2o.points_seller_account(NULL, seller, program);
	balance o2o.points;
BEGIN
	PERFORM o2o.points_accounts_lock(ARRAY[account.profile_id], points_seller_close.program);
	balance := o2o.points_seller_balance_of(account.account_id);
	IF balance OPERATOR(o2o.<>) 0 THEN
		RAISE EXCEPTION 'the points account is not empty'
			USING ERRCODE = 'O2328', DETAIL = format('the seller has %s', balance), HINT = 'points_settle() pays it out.';
	END IF;
	RETURN o2o.points_account_close(account.profile_id, account.account_id);
END $$;
COMMENT ON FUNCTION o2o.points_seller_close(bigint, text) IS 'The same for a seller known by profile or customer id.';

CREATE OR REPLACE FUNCTION o2o.points_seller_close(seller o2o.identifier, program text) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN o2o.points_seller_close(o2o.points_person(seller, NULL), program);
END $$;
COMMENT ON FUNCTION o2o.points_seller_close(o2o.identifier, text) IS 'Closes the account of a seller in a program, who is known by an identifier and has been settled. Nobody can pay the seller from then on (O2321), nor is anything settled or refunded; points_seller_open() opens it again. A payment touches no row of the seller, so one in progress at that moment still arrives: points_seller_balance() and points_verify() (closed) tell, and the seller is opened, settled and closed once more. Returns when it was closed, the first time where it is called again. Errors: O2328 the seller has points, O2320 the seller has no account in the program, O2201 nobody has the identifier.';

CREATE OR REPLACE FUNCTION o2o.points_seller_check(account_id bigint, amount o2o.points) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	balance o2o.points := o2o.points_seller_balance_of(points_seller_check.account_id);
BEGIN
	IF balance OPERATOR(o2o.<) amount THEN
		RAISE EXCEPTION 'insufficient points'
			USING ERRCODE = 'O2301', DETAIL = format('the seller has %s, asked %s', balance, amount),
				HINT = 'points_seller_balance() says what a seller has.';
	END IF;
END $$;
COMMENT ON FUNCTION o2o.points_seller_check(bigint, o2o.points) IS 'Refuses to take more than a seller has, whose account is locked. Error: O2301 insufficient points.';

CREATE OR REPLACE FUNCTION o2o.points_seller_balance(seller bigint, program text) RETURNS o2o.points
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN o2o.points_seller_balance_of((o2o.points_seller_account(NULL, seller, program)).account_id);
END $$;
COMMENT ON FUNCTION o2o.points_seller_balance(bigint, text) IS 'The same for a seller known by profile or customer id.';

CREATE OR REPLACE FUNCTION o2o.points_seller_balance(seller o2o.identifier, program text) RETURNS o2o.points
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN o2o.points_seller_balance_of((o2o.points_seller_account(seller, NULL, program)).account_id);
END $$;
COMMENT ON FUNCTION o2o.points_seller_balance(o2o.identifier, text) IS 'Points that a seller, known by an identifier, has in a program: what customers paid, less refunds, less what was settled. Errors: O2320 the seller has no account there, O2201 nobody has the identifier.';

CREATE OR REPLACE FUNCTION o2o.points_pay_sql(person o2o.identifier, seller o2o.identifier, profile_id bigint, seller_profile_id bigint,
	amount o2o.points, program text, reference text, reason text, request_id uuid) RETURNS o2o.points_posted
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	posted o2o.points_posted;
	account o2o.points_account;
	customer bigint;
	members bigint[];
BEGIN
	PERFORM o2o.points_program_check(program, amount);
	profile_id := o2o.points_person(person, points_pay_sql.profile_id);
	account := o2o.points_seller_account(seller, seller_profile_id, program);
	IF account.closed_at IS NOT NULL THEN
		RAISE EXCEPTION 'the points account is closed'
			USING ERRCODE = 'O2321', DETAIL = format('Account %s of the seller.', account.account_id), HINT = 'points_seller_open() opens it again.';
	END IF;
	customer := (o2o.customer_lock(ARRAY[profile_id]))[1];
	members := o2o.customer_profiles(customer);
	IF account.profile_id = ANY (members) THEN
		RAISE EXCEPTION 'nobody pays himself'
			USING ERRCODE = 'invalid_parameter_value', DETAIL = format('Customer %s.', customer);
	END IF;
	PERFORM o2o.points_accounts_lock(members, program);
	posted.transfer_id := nextval('o2o.points_transfer_id_seq');
	PERFORM o2o.points_draw(members, profile_id, customer, program, amount, posted.transfer_id, account.account_id, 'pay', reference, reason,
		points_pay_sql.request_id, now());
	posted.balance := o2o.points_customer_balance(customer, program);
	RETURN posted;
END $$;
COMMENT ON FUNCTION o2o.points_pay_sql(o2o.identifier, o2o.identifier, bigint, bigint, o2o.points, text, text, text, uuid) IS 'points_pay by the functions in SQL, once the key is claimed, between persons given by identifiers, or by ids where those are NULL.';

CREATE OR REPLACE FUNCTION o2o.points_pay(person o2o.identifier, seller o2o.identifier, amount o2o.points, program text, reference text DEFAULT NULL,
	reason text DEFAULT NULL, idempotency_key text DEFAULT NULL) RETURNS o2o.points_posted
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN o2o.points_post_one('pay', person, NULL, seller, NULL, amount, program, reference, reason, idempotency_key, now(), 'program', NULL);
END $$;
COMMENT ON FUNCTION o2o.points_pay(o2o.identifier, o2o.identifier, o2o.points, text, text, text, text) IS 'Pays a seller with points of a person, both known by identifiers, the seller with an account that points_seller_open() made: amount, program, reference of the caller''s document, reason, idempotency key (a repeated call with it returns the first result). Taken as points_burn takes them; any number of payments to one seller at once. points_refund() gives a payment back, points_settle() pays the seller out. Returns the transfer_id and the balance of the customer who paid. Errors: O2301 insufficient points, O2320 the seller has no account in the program, O2004 the key was used with other arguments, O2201 nobody has one of the identifiers, O2302 unknown program, O2303 amount not positive, O2304 more digits than the program''s scale, O2321 the account of the seller is closed, 22023 the seller is the same customer.';

CREATE OR REPLACE FUNCTION o2o.points_pay(person bigint, seller bigint, amount o2o.points, program text, reference text DEFAULT NULL,
	reason text DEFAULT NULL, idempotency_key text DEFAULT NULL) RETURNS o2o.points_posted
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN o2o.points_post_one('pay', NULL, person, NULL, seller, amount, program, reference, reason, idempotency_key, now(), 'program', NULL);
END $$;
COMMENT ON FUNCTION o2o.points_pay(bigint, bigint, o2o.points, text, text, text, text) IS 'The same for persons known by profile or customer ids.';

CREATE OR REPLACE FUNCTION o2o.points_settle_once(seller o2o.identifier, profile_id bigint, program text, amount o2o.points, reference text,
	reason text, idempotency_key text, OUT transfer_id bigint, OUT settled o2o.points, OUT balance o2o.points)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	claim record;
	account o2o.points_account;
BEGIN
	SELECT c.* INTO claim
	FROM o2o.request_claim(idempotency_key, 'points_settle', jsonb_build_object(
		'seller', coalesce(seller::text, points_settle_once.profile_id::text), 'program', program, 'amount', amount,
		'reference', reference, 'reason', reason)) c;
	IF claim.replay IS NOT NULL THEN
		transfer_id := claim.replay ->> 'transfer_id';
		settled := claim.replay ->> 'settled';
		balance := claim.replay ->> 'balance';
		RETURN;
	END IF;
	account := o2o.points_seller_account(seller, points_settle_once.profile_id, program);
	PERFORM o2o.points_accounts_lock(ARRAY[account.profile_id], program);
	-- Who pays meanwhile only adds to it.
	balance := o2o.points_seller_balance_of(account.account_id);
	settled := coalesce(amount, balance);
	IF amount IS NOT NULL OR settled OPERATOR(o2o.<>) 0 THEN
		PERFORM o2o.points_program_check(program, settled);
		PERFORM o2o.points_seller_check(account.account_id, settled);
		transfer_id := nextval('o2o.points_transfer_id_seq');
		PERFORM o2o.points_post(account.profile_id, account.account_id, points_settle_once.transfer_id,
			o2o.points_system_account_id(program, 'redeemed'), 'settle', ARRAY[NULL::timestamptz], ARRAY[NULL::date], ARRAY[NULL::text],
			ARRAY[OPERATOR(o2o.-) settled], claim.request_id, account.profile_id, o2o.profile_customer(account.profile_id),
			points_settle_once.reference, points_settle_once.reason, now());
		balance := balance OPERATOR(o2o.-) settled;
	END IF;
	PERFORM o2o.request_finish(claim.request_id, jsonb_build_object('transfer_id', transfer_id, 'settled', settled, 'balance', balance));
END $$;
COMMENT ON FUNCTION o2o.points_settle_once(o2o.identifier, bigint, text, o2o.points, text, text, text) IS 'points_settle for a seller given by identifier, or by id where that is NULL. A replay of the key returns the first result.';

CREATE OR REPLACE FUNCTION o2o.points_settle(seller o2o.identifier, program text, amount o2o.points DEFAULT NULL, reference text DEFAULT NULL,
	reason text DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS TABLE (transfer_id bigint, settled o2o.points, balance o2o.points)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT s.* FROM o2o.points_settle_once(seller, NULL, program, amount, reference, reason, idempotency_key) s;
END $$;
COMMENT ON FUNCTION o2o.points_settle(o2o.identifier, text, o2o.points, text, text, text) IS 'Takes the points of a seller, known by an identifier, out of the program because the money for them is paid out: amount (NULL: all that the seller has), reference of the payout, reason, idempotency key (a repeated call with it returns the first result). Points that were paid out cannot be refunded any more. Returns the transfer_id (NULL where there was nothing), the points settled, and what the seller has left. Errors: O2301 the seller has fewer, O2320 the seller has no account in the program, O2004 the key was used with other arguments, O2201 nobody has the identifier, O2303 amount not positive, O2304 more digits than the program''s scale.';

CREATE OR REPLACE FUNCTION o2o.points_settle(seller bigint, program text, amount o2o.points DEFAULT NULL, reference text DEFAULT NULL,
	reason text DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS TABLE (transfer_id bigint, settled o2o.points, balance o2o.points)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT s.* FROM o2o.points_settle_once(NULL, seller, program, amount, reference, reason, idempotency_key) s;
END $$;
COMMENT ON FUNCTION o2o.points_settle(bigint, text, o2o.points, text, text, text) IS 'The same for a seller known by profile or customer id.';

CREATE OR REPLACE VIEW o2o.points_seller_line AS
	SELECT a.profile_id AS seller_profile_id, coalesce(s.customer_id, a.profile_id) AS seller_customer_id, a.program, p.operation,
		- p.amount::numeric AS points, p.transfer_id, p.reverses_transfer_id, p.profile_id, p.reference, p.reason, p.occurred_at, p.posted_at
	FROM o2o.points_account a
		JOIN o2o.points_posting p ON p.contra_account_id = a.account_id AND p.operation IN ('pay', 'refund')
		LEFT JOIN o2o.profile s ON s.profile_id = a.profile_id
	WHERE a.kind = 'seller'
	UNION ALL
	SELECT a.profile_id, coalesce(s.customer_id, a.profile_id), a.program, p.operation,
		p.amount::numeric, p.transfer_id, p.reverses_transfer_id, p.profile_id, p.reference, p.reason, p.occurred_at, p.posted_at
	FROM o2o.points_account a
		JOIN o2o.points_posting p ON p.profile_id = a.profile_id AND p.account_id = a.account_id
		LEFT JOIN o2o.profile s ON s.profile_id = a.profile_id
	WHERE a.kind = 'seller';
COMMENT ON VIEW o2o.points_seller_line IS 'What went into and out of the accounts of sellers: one row per posting (a payment from several lots has a row for each). The points of a seller and program add up to what the seller has. All times; live.';
COMMENT ON COLUMN o2o.points_seller_line.seller_profile_id IS 'Profile of the seller';
COMMENT ON COLUMN o2o.points_seller_line.seller_customer_id IS 'Customer of today that it is';
COMMENT ON COLUMN o2o.points_seller_line.program IS 'Points program';
COMMENT ON COLUMN o2o.points_seller_line.operation IS 'pay, refund or settle';
COMMENT ON COLUMN o2o.points_seller_line.points IS 'Points; above zero they came to the seller, below zero they left';
COMMENT ON COLUMN o2o.points_seller_line.transfer_id IS 'Number of the transfer';
COMMENT ON COLUMN o2o.points_seller_line.reverses_transfer_id IS 'Of a refund the payment that it gives back; NULL: none';
COMMENT ON COLUMN o2o.points_seller_line.profile_id IS 'Profile whose points paid or came back; of a payout the seller''s';
COMMENT ON COLUMN o2o.points_seller_line.reference IS 'The caller''s document; NULL: none';
COMMENT ON COLUMN o2o.points_seller_line.reason IS 'Why, in the caller''s words; NULL: not said';
COMMENT ON COLUMN o2o.points_seller_line.occurred_at IS 'When it happened';
COMMENT ON COLUMN o2o.points_seller_line.posted_at IS 'When it was written';
