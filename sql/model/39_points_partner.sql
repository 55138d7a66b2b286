-- The points room: partners, who pay for the points that are granted in their
-- name. A prepaid one pays first, and nothing more is granted than it paid for; a
-- postpaid one has a limit, and pays the bill. What is left of either lies in
-- stripes, so that a busy partner is no hot row; the grant is one posting on the
-- member's account with the partner's account on the other side.

CREATE TABLE IF NOT EXISTS o2o.points_partner (
	program text NOT NULL REFERENCES o2o.points_program,
	partner text NOT NULL CHECK (partner ~ '^[a-z][a-z0-9_]*$'),
	kind text NOT NULL CHECK (kind IN ('prepaid', 'postpaid')),
	profile_id bigint NOT NULL,
	account_id bigint NOT NULL UNIQUE,
	credit_limit o2o.points NOT NULL DEFAULT 0 CHECK (credit_limit OPERATOR(o2o.>=) 0),
	price_per_point numeric NOT NULL DEFAULT 0 CHECK (price_per_point >= 0 AND price_per_point < 'Infinity'),
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (program, partner),
	CHECK (kind = 'postpaid' OR credit_limit OPERATOR(o2o.=) 0)
);
COMMENT ON TABLE o2o.points_partner IS 'Partners of a program, who fund points: lots of them have funding partner:<partner>.';
COMMENT ON COLUMN o2o.points_partner.program IS 'Points program; refers to points_program';
COMMENT ON COLUMN o2o.points_partner.partner IS 'Code of the partner, [a-z][a-z0-9_]*';
COMMENT ON COLUMN o2o.points_partner.kind IS 'prepaid: pays before; postpaid: pays after, within credit_limit';
COMMENT ON COLUMN o2o.points_partner.profile_id IS 'Profile that the partner is';
COMMENT ON COLUMN o2o.points_partner.account_id IS 'Its account; refers to points_account, and its stripes to points_stripe';
COMMENT ON COLUMN o2o.points_partner.credit_limit IS 'Most points that may be granted and not paid for; 0 for prepaid ones';
COMMENT ON COLUMN o2o.points_partner.price_per_point IS 'Money that the partner pays for a point, in the program''s currency';
COMMENT ON COLUMN o2o.points_partner.created_at IS 'When the row was written (start of the transaction)';

CREATE OR REPLACE FUNCTION o2o.points_partner_of(partner text, program text) RETURNS o2o.points_partner
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found_partner o2o.points_partner;
BEGIN
	SELECT p.* INTO found_partner FROM o2o.points_partner p
	WHERE p.program = points_partner_of.program AND p.partner = points_partner_of.partner;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'points program "%" has no partner "%"', program, partner
			USING ERRCODE = 'O2322', HINT = 'Make it with points_partner_open().';
	END IF;
	RETURN found_partner;
END $$;
COMMENT ON FUNCTION o2o.points_partner_of(text, text) IS 'The row of a partner in a program. Error: O2322 there is none.';

CREATE OR REPLACE FUNCTION o2o.points_partner_open(person bigint, partner text, program text, kind text DEFAULT 'prepaid',
	credit_limit o2o.points DEFAULT 0, price_per_point numeric DEFAULT 0, stripes integer DEFAULT 32) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	account bigint;
BEGIN
	PERFORM o2o.points_person(NULL, person);
	account := o2o.points_account_open(person, program, 'partner_' || kind);
	INSERT INTO o2o.points_partner (program, partner, kind, profile_id, account_id, credit_limit, price_per_point)
	VALUES (points_partner_open.program, points_partner_open.partner, points_partner_open.kind, person, account,
		points_partner_open.credit_limit, points_partner_open.price_per_point);
	PERFORM o2o.points_stripes_open(account, stripes);
	PERFORM o2o.points_stripes_put(account, points_partner_open.credit_limit);
	RETURN account;
END $$;
COMMENT ON FUNCTION o2o.points_partner_open(bigint, text, text, text, o2o.points, numeric, integer) IS 'The same for a partner known by profile or customer id.';

CREATE OR REPLACE FUNCTION o2o.points_partner_open(person o2o.identifier, partner text, program text, kind text DEFAULT 'prepaid',
	credit_limit o2o.points DEFAULT 0, price_per_point numeric DEFAULT 0, stripes integer DEFAULT 32) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN o2o.points_partner_open(o2o.points_person(person, NULL), partner, program, kind, credit_limit, price_per_point, stripes);
END $$;
COMMENT ON FUNCTION o2o.points_partner_open(o2o.identifier, text, text, text, o2o.points, numeric, integer) IS 'Makes a partner of a program, who is known by an identifier such as ref:erp/80, and its account: code of the partner, program, kind (prepaid, postpaid), for postpaid ones the most points that may be granted unpaid, money that the partner pays for a point, number of stripes (at least as many as tills grant at once). From then on points_earn(…, funding => ''partner:<code>'') draws on it. Returns the number of the account. Errors: 23505 the program has such a partner, or the person is one of this kind, 23503 unknown program, 23514 a value out of range, O2201 nobody has the identifier.';

CREATE OR REPLACE FUNCTION o2o.points_partner_draw(transfer_id bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	due record;
	taken o2o.points;
BEGIN
	FOR due IN
		SELECT p.contra_account_id, o2o.sum(p.amount) AS amount
		FROM o2o.points_posting p
			JOIN o2o.points_partner r ON r.account_id = p.contra_account_id
		WHERE p.transfer_id = points_partner_draw.transfer_id
		GROUP BY p.contra_account_id
	LOOP
		IF due.amount OPERATOR(o2o.<) 0 THEN
			PERFORM o2o.points_stripes_give(due.contra_account_id, OPERATOR(o2o.-) due.amount);
			CONTINUE;
		END IF;
		taken := o2o.points_stripes_take(due.contra_account_id, due.amount);
		-- Whoever closes locks all stripes, so that this is known for good now.
		IF EXISTS (SELECT FROM o2o.points_account a WHERE a.account_id = due.contra_account_id AND a.kind LIKE 'partner%' AND a.closed_at IS NOT NULL) THEN
			RAISE EXCEPTION 'the points account is closed'
				USING ERRCODE = 'O2321', DETAIL = format('Account %s of the partner.', due.contra_account_id), HINT = 'points_partner_reopen() opens it again.';
		ELSIF taken OPERATOR(o2o.<) due.amount THEN
			RAISE EXCEPTION 'what the partner has paid for or may owe does not suffice'
				USING ERRCODE = 'O2323', DETAIL = format('available %s, asked %s', o2o.points_stripes_available(due.contra_account_id), due.amount),
					HINT = 'points_partner_fund() when the partner pays, or a higher limit by points_partner_limit().';
		END IF;
	END LOOP;
END $$;
COMMENT ON FUNCTION o2o.points_partner_draw(bigint) IS 'Lets the stripes of a partner follow a transfer that was posted against its account: points granted are drawn, points taken back are given. The last thing that a call does with points. Errors: O2323 not so much is left, O2321 the partner''s account is closed.';

CREATE OR REPLACE FUNCTION o2o.points_partner_balance(partner text, program text)
RETURNS TABLE (kind text, balance o2o.points, credit_limit o2o.points, available o2o.points)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found o2o.points_partner := o2o.points_partner_of(partner, program);
BEGIN
	kind := found.kind;
	credit_limit := found.credit_limit;
	available := o2o.points_stripes_available(found.account_id);
	balance := available OPERATOR(o2o.-) credit_limit;
	RETURN NEXT;
END $$;
COMMENT ON FUNCTION o2o.points_partner_balance(text, text) IS 'What a partner has in a program: its kind, balance (points paid for and not granted; below zero: granted and not paid for), its limit, and how many points may still be granted. Error: O2322 no such partner.';

CREATE OR REPLACE FUNCTION o2o.points_partner_post(partner text, program text, amount o2o.points, operation text, reference text, reason text,
	idempotency_key text, OUT transfer_id bigint, OUT posted o2o.points, OUT balance o2o.points, OUT available o2o.points)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	claim record;
	found o2o.points_partner;
BEGIN
	SELECT c.* INTO claim
	FROM o2o.request_claim(idempotency_key, 'points_partner_' || operation, jsonb_build_object(
		'partner', partner, 'program', program, 'amount', amount, 'reference', reference, 'reason', reason)) c;
	IF claim.replay IS NOT NULL THEN
		transfer_id := claim.replay ->> 'transfer_id';
		posted := claim.replay ->> 'posted';
		balance := claim.replay ->> 'balance';
		available := claim.replay ->> 'available';
		RETURN;
	END IF;
	found := o2o.points_partner_of(partner, program);
	PERFORM o2o.points_accounts_lock(ARRAY[found.profile_id], program);
	-- The stripes before they are read; nobody takes an account after stripes.
	PERFORM o2o.points_stripes_lock(found.account_id);
	-- In a later statement: somebody else may have set another limit meanwhile.
	found := o2o.points_partner_of(partner, program);
	available := o2o.points_stripes_available(found.account_id);
	balance := available OPERATOR(o2o.-) found.credit_limit;
	posted := coalesce(amount, CASE operation WHEN 'fund' THEN OPERATOR(o2o.-) balance ELSE balance END);
	IF amount IS NULL AND posted OPERATOR(o2o.<=) 0 THEN
		posted := 0;
	ELSE
		PERFORM o2o.points_program_check(program, posted);
		IF operation = 'settle' AND posted OPERATOR(o2o.>) balance THEN
			RAISE EXCEPTION 'insufficient points'
				USING ERRCODE = 'O2301', DETAIL = format('the partner has %s, asked %s', balance, posted), HINT = 'points_partner_balance() says what a partner has.';
		END IF;
		transfer_id := nextval('o2o.points_transfer_id_seq');
		PERFORM o2o.points_post(found.profile_id, found.account_id, points_partner_post.transfer_id, o2o.points_system_account_id(program, 'issuer'),
			points_partner_post.operation, ARRAY[NULL::timestamptz], ARRAY[NULL::date], ARRAY[NULL::text],
			ARRAY[CASE operation WHEN 'fund' THEN posted ELSE OPERATOR(o2o.-) posted END], claim.request_id, found.profile_id,
			o2o.profile_customer(found.profile_id), points_partner_post.reference, points_partner_post.reason, now());
		available := o2o.points_stripes_put(found.account_id, CASE operation WHEN 'fund' THEN posted ELSE OPERATOR(o2o.-) posted END);
		balance := available OPERATOR(o2o.-) found.credit_limit;
	END IF;
	PERFORM o2o.request_finish(claim.request_id, jsonb_build_object('transfer_id', transfer_id, 'posted', posted, 'balance', balance, 'available', available));
END $$;
COMMENT ON FUNCTION o2o.points_partner_post(text, text, o2o.points, text, text, text, text) IS 'Posts what a partner pays in (operation fund) or takes out (settle), and lets its stripes follow. NULL as amount: all that it owes, or all that it has. A replay of the key returns the first result.';

CREATE OR REPLACE FUNCTION o2o.points_partner_close(partner text, program text) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found o2o.points_partner := o2o.points_partner_of(partner, program);
	balance o2o.points;
BEGIN
	PERFORM o2o.points_accounts_lock(ARRAY[found.profile_id], points_partner_close.program);
	PERFORM o2o.points_stripes_lock(found.account_id);
	found := o2o.points_partner_of(partner, program);
	balance := o2o.points_stripes_available(found.account_id) OPERATOR(o2o.-) found.credit_limit;
	IF balance OPERATOR(o2o.<>) 0 THEN
		RAISE EXCEPTION 'the points account is not empty'
			USING ERRCODE = 'O2328', DETAIL = format('the partner has %s', balance), HINT = 'points_partner_withdraw() what it has, points_partner_fund() what it owes.';
	END IF;
	RETURN o2o.points_account_close(found.profile_id, found.account_id);
END $$;
COMMENT ON FUNCTION o2o.points_partner_close(text, text) IS 'Closes the account of a partner in a program, who neither has nor owes points. From then on nothing is granted in its name (O2321), nor paid in or out; points that it funded stay with those who have them, and what is taken back of them is its again (points_partner_balance()), to be withdrawn after points_partner_reopen(). Returns when it was closed, the first time where it is called again. Errors: O2328 the partner has points or owes them, O2322 no such partner.';

CREATE OR REPLACE FUNCTION o2o.points_partner_reopen(partner text, program text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	known o2o.points_partner := o2o.points_partner_of(partner, program);
BEGIN
	UPDATE o2o.points_account a SET closed_at = NULL
	WHERE a.profile_id = known.profile_id AND a.account_id = known.account_id AND a.closed_at IS NOT NULL;
	RETURN FOUND;
END $$;
COMMENT ON FUNCTION o2o.points_partner_reopen(text, text) IS 'Opens the closed account of a partner in a program again. Returns whether it was closed. Error: O2322 no such partner.';

CREATE OR REPLACE FUNCTION o2o.points_partner_fund(partner text, program text, amount o2o.points DEFAULT NULL, reference text DEFAULT NULL,
	reason text DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS TABLE (transfer_id bigint, funded o2o.points, balance o2o.points, available o2o.points)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT p.* FROM o2o.points_partner_post(partner, program, amount, 'fund', reference, reason, idempotency_key) p;
END $$;
COMMENT ON FUNCTION o2o.points_partner_fund(text, text, o2o.points, text, text, text) IS 'A partner has paid for points: a prepaid one for those to be granted, a postpaid one for those granted. partner, program, amount of points (NULL: all that is granted and not paid for), reference of the payment, reason, idempotency key (a repeated call with it returns the first result). Returns the transfer_id (NULL where nothing was owed), the points paid for, the balance then, and how many points may be granted. Errors: O2322 no such partner, O2303 amount not positive, O2304 more digits than the program''s scale, O2004 the key was used with other arguments, O2321 its account is closed.';

CREATE OR REPLACE FUNCTION o2o.points_partner_withdraw(partner text, program text, amount o2o.points DEFAULT NULL, reference text DEFAULT NULL,
	reason text DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS TABLE (transfer_id bigint, withdrawn o2o.points, balance o2o.points, available o2o.points)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT p.* FROM o2o.points_partner_post(partner, program, amount, 'settle', reference, reason, idempotency_key) p;
END $$;
COMMENT ON FUNCTION o2o.points_partner_withdraw(text, text, o2o.points, text, text, text) IS 'A partner gets money back for points that it paid for and that were not granted: partner, program, amount of points (NULL: all of them), reference of the payment, reason, idempotency key (a repeated call with it returns the first result). Returns the transfer_id (NULL where there was nothing), the points withdrawn, the balance then, and how many points may be granted. Errors: O2301 the partner has fewer, O2322 no such partner, O2303 amount not positive, O2304 more digits than the program''s scale, O2004 the key was used with other arguments, O2321 its account is closed.';

CREATE OR REPLACE FUNCTION o2o.points_partner_limit(partner text, program text, credit_limit o2o.points) RETURNS o2o.points
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found o2o.points_partner := o2o.points_partner_of(partner, program);
	rest o2o.points;
BEGIN
	PERFORM o2o.points_accounts_lock(ARRAY[found.profile_id], points_partner_limit.program);
	found := o2o.points_partner_of(partner, program);
	rest := o2o.points_stripes_put(found.account_id, points_partner_limit.credit_limit OPERATOR(o2o.-) found.credit_limit);
	IF rest OPERATOR(o2o.<) 0 THEN
		RAISE EXCEPTION 'what the partner has paid for or may owe does not suffice'
			USING ERRCODE = 'O2323', DETAIL = format('more than the new limit is granted and not paid for, by %s', OPERATOR(o2o.-) rest),
				HINT = 'points_partner_fund() when the partner pays.';
	END IF;
	UPDATE o2o.points_partner p SET credit_limit = points_partner_limit.credit_limit
	WHERE p.program = found.program AND p.partner = found.partner;
	RETURN rest;
END $$;
COMMENT ON FUNCTION o2o.points_partner_limit(text, text, o2o.points) IS 'Sets how many points a postpaid partner may owe, and returns how many may still be granted. Errors: O2322 no such partner, O2323 it owes more already, 23514 a limit below zero, or of a prepaid partner.';

CREATE OR REPLACE VIEW o2o.points_partner_bill AS
	WITH posted AS (
		SELECT r.program, r.partner, r.kind, r.price_per_point, p.operation, p.occurred_at, - p.amount::numeric AS amount, true AS is_contra
		FROM o2o.points_partner r
			JOIN o2o.points_posting p ON p.contra_account_id = r.account_id
		UNION ALL
		SELECT r.program, r.partner, r.kind, r.price_per_point, p.operation, p.occurred_at, p.amount::numeric, false
		FROM o2o.points_partner r
			JOIN o2o.points_posting p ON p.profile_id = r.profile_id AND p.account_id = r.account_id
	)
	SELECT p.program, p.partner, p.kind, date_trunc('month', p.occurred_at AT TIME ZONE g.time_zone)::date AS month, g.currency,
		coalesce(- sum(p.amount) FILTER (WHERE p.is_contra AND p.amount < 0), 0) AS granted,
		coalesce(sum(p.amount) FILTER (WHERE p.is_contra AND p.amount > 0), 0) AS taken_back,
		coalesce(sum(p.amount) FILTER (WHERE p.operation = 'fund'), 0) AS funded,
		coalesce(- sum(p.amount) FILTER (WHERE p.operation = 'settle'), 0) AS withdrawn,
		round(coalesce(- sum(p.amount) FILTER (WHERE p.is_contra), 0) * p.price_per_point, 4) AS charge
	FROM posted p
		JOIN o2o.points_program g ON g.program = p.program
	GROUP BY p.program, p.partner, p.kind, p.price_per_point, g.currency, date_trunc('month', p.occurred_at AT TIME ZONE g.time_zone)::date;
COMMENT ON VIEW o2o.points_partner_bill IS 'What partners fund: one row per program, partner and month in which it happened, on the program''s clock. Points may be added up within a partner, money within a currency. All times; live.';
COMMENT ON COLUMN o2o.points_partner_bill.program IS 'Points program';
COMMENT ON COLUMN o2o.points_partner_bill.partner IS 'Code of the partner';
COMMENT ON COLUMN o2o.points_partner_bill.kind IS 'prepaid or postpaid';
COMMENT ON COLUMN o2o.points_partner_bill.month IS 'First day of the month';
COMMENT ON COLUMN o2o.points_partner_bill.currency IS 'ISO 4217 currency of charge';
COMMENT ON COLUMN o2o.points_partner_bill.granted IS 'Points granted in its name';
COMMENT ON COLUMN o2o.points_partner_bill.taken_back IS 'Points of these that were taken back';
COMMENT ON COLUMN o2o.points_partner_bill.funded IS 'Points that it paid for';
COMMENT ON COLUMN o2o.points_partner_bill.withdrawn IS 'Points for which it got money back';
COMMENT ON COLUMN o2o.points_partner_bill.charge IS 'Points granted less taken back, times what it pays for a point today';
