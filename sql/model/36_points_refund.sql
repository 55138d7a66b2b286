-- The points room: what was posted is given or taken back. Refund, clawback,
-- adjustment, reversal, each a new posting; nothing posted is ever changed.

CREATE OR REPLACE FUNCTION o2o.points_transfer_find(person o2o.identifier, reference text, program text, operation text DEFAULT 'burn') RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found_transfers bigint[];
BEGIN
	SELECT array_agg(DISTINCT p.transfer_id) INTO found_transfers
	FROM o2o.points_account a
		JOIN o2o.points_posting p ON p.profile_id = a.profile_id AND p.account_id = a.account_id
	WHERE a.profile_id = ANY (o2o.customer_profiles(o2o.profile_customer(o2o.person_profile(person))))
		AND a.program = points_transfer_find.program AND p.reference = points_transfer_find.reference AND p.operation = points_transfer_find.operation;
	IF cardinality(found_transfers) = 1 THEN
		RETURN found_transfers[1];
	END IF;
	RAISE EXCEPTION 'there is no such transfer of points, or more than one'
		USING ERRCODE = 'O2309', DETAIL = format('%s %s transfers of the customer in program %s have this reference.',
			coalesce(cardinality(found_transfers), 0), operation, program),
				HINT = 'Give the transfer_id, which the call that posted it returned.';
END $$;
COMMENT ON FUNCTION o2o.points_transfer_find(o2o.identifier, text, text, text) IS 'The transfer_id of what was posted for a document of the caller: person by identifier, the reference that was given then, program, operation (burn, earn, …). For points_refund(), points_clawback() and points_reverse(). Reads all postings of the customer. Errors: O2309 none, or more than one, O2201 nobody has the identifier.';

CREATE OR REPLACE FUNCTION o2o.points_refund_post(burn_transfer_id bigint, amount o2o.points, reference text, reason text, request_id uuid,
	of_operation text DEFAULT NULL,
	OUT transfer_id bigint, OUT refunded o2o.points, OUT balance o2o.points)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	burn record;
	rule o2o.points_program;
	customer bigint;
	unrefunded o2o.points;
	part record;
BEGIN
	SELECT array_agg(DISTINCT p.profile_id) AS owners, min(p.acting_profile_id) AS acting_profile_id, min(a.program) AS program,
		min(p.contra_account_id) AS contra_account_id, min(p.operation) AS operation, min(s.profile_id) AS seller_profile_id INTO burn
	FROM o2o.points_posting p
		JOIN o2o.points_account a ON a.profile_id = p.profile_id AND a.account_id = p.account_id
		LEFT JOIN o2o.points_account s ON s.account_id = p.contra_account_id AND s.kind = 'seller'
	WHERE p.transfer_id = burn_transfer_id AND (p.operation = of_operation OR of_operation IS NULL AND p.operation IN ('burn', 'pay'));
	IF burn.owners IS NULL THEN
		RAISE EXCEPTION 'there is no such burn of points' USING ERRCODE = 'O2309', DETAIL = format('Transfer %s.', coalesce(burn_transfer_id::text, 'NULL')),
				HINT = 'points_burn(), points_capture() and points_pay() returned its number; points_transfer_find() finds it by reference.';
	END IF;
	-- The row of a seller is locked by who takes from the account, and by nobody who pays.
	PERFORM o2o.points_accounts_lock(array_remove(burn.owners || burn.seller_profile_id, NULL), burn.program);
	unrefunded := (SELECT coalesce(OPERATOR(o2o.-) o2o.sum(p.amount), 0::o2o.points) FROM o2o.points_posting p
		WHERE p.transfer_id = burn_transfer_id AND p.operation = burn.operation
			OR p.reverses_transfer_id = burn_transfer_id AND p.operation = 'refund');
	refunded := coalesce(amount, unrefunded);
	IF refunded OPERATOR(o2o.>) unrefunded OR unrefunded OPERATOR(o2o.=) 0 THEN
		RAISE EXCEPTION 'more points than were burned'
			USING ERRCODE = 'O2308', DETAIL = format('not refunded yet %s, asked %s', unrefunded, refunded),
				HINT = 'Ask for no more than is left of the transfer.';
	END IF;
	rule := o2o.points_program_check(burn.program, refunded);
	IF burn.seller_profile_id IS NOT NULL THEN
		PERFORM o2o.points_seller_check(burn.contra_account_id, refunded);
	END IF;
	customer := o2o.profile_customer(burn.acting_profile_id);
	transfer_id := nextval('o2o.points_transfer_id_seq');

	-- What was taken last comes back first: the lots are as if less had been burned.
	FOR part IN
		SELECT t.profile_id, t.account_id, array_agg(t.expires_at) AS expires_at, array_agg(t.grant_month) AS grant_month,
			array_agg(t.funding) AS funding, array_agg(least(t.amount, refunded OPERATOR(o2o.-) t.given_before)) AS amounts
		FROM (
			SELECT l.*, o2o.sum(l.amount) OVER (ORDER BY l.expires_at DESC, l.profile_id = burn.acting_profile_id, l.grant_month DESC,
				l.account_id DESC, l.funding DESC ROWS UNBOUNDED PRECEDING) OPERATOR(o2o.-) l.amount AS given_before
			FROM (
				SELECT p.profile_id, p.account_id, p.expires_at, p.grant_month, p.funding, OPERATOR(o2o.-) o2o.sum(p.amount) AS amount
				FROM o2o.points_posting p
				WHERE p.transfer_id = burn_transfer_id AND p.operation = burn.operation
					OR p.reverses_transfer_id = burn_transfer_id AND p.operation = 'refund'
				GROUP BY p.profile_id, p.account_id, p.expires_at, p.grant_month, p.funding
				HAVING o2o.sum(p.amount) OPERATOR(o2o.<) 0
			) l
		) t
		WHERE t.given_before OPERATOR(o2o.<) refunded
		GROUP BY t.profile_id, t.account_id
		ORDER BY t.account_id
	LOOP
		PERFORM o2o.points_post(part.profile_id, part.account_id, points_refund_post.transfer_id, burn.contra_account_id,
			'refund', part.expires_at, part.grant_month, part.funding, part.amounts, points_refund_post.request_id,
			burn.acting_profile_id, customer, points_refund_post.reference, points_refund_post.reason, now(), burn_transfer_id);
		IF rule.refund_grace IS NOT NULL AND (SELECT min(u.at) FROM unnest(part.expires_at) u (at)) <= now() THEN
			PERFORM o2o.points_refund_grace(rule, part.profile_id, part.account_id, points_refund_post.transfer_id, part.expires_at,
				part.grant_month, part.funding, part.amounts, points_refund_post.request_id, burn.acting_profile_id, customer, burn_transfer_id);
		END IF;
	END LOOP;
	IF rule.reserve_policy = 'enforce' THEN
		PERFORM o2o.points_reserve_draw(burn.program, refunded, forced => true);
	END IF;
	balance := o2o.points_customer_balance(customer, burn.program);
END $$;
COMMENT ON FUNCTION o2o.points_refund_post(bigint, o2o.points, text, text, uuid, text) IS 'Posts the refund of a burn or of a payment to a seller (or of_operation: exchange_out), or of what is left of it where amount is NULL. Locks the accounts that it took from, and of a payment that of the seller. Errors: O2301 the seller does not have them any more, O2309 no such burn, O2308 more than is left, O2303, O2304 as points_program_check.';

CREATE OR REPLACE FUNCTION o2o.points_refund_grace(rule o2o.points_program, profile_id bigint, account_id bigint, transfer_id bigint,
	expires_at timestamptz[], grant_month date[], funding text[], amounts o2o.points[], request_id uuid,
	acting_profile_id bigint, customer_id bigint, burn_transfer_id bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	gone record;
	again record;
BEGIN
	SELECT array_agg(u.expires_at) AS expires_at, array_agg(u.grant_month) AS grant_month, array_agg(u.funding) AS funding,
		array_agg(OPERATOR(o2o.-) u.amount) AS amounts
	INTO gone
	FROM unnest(points_refund_grace.expires_at, points_refund_grace.grant_month, points_refund_grace.funding, points_refund_grace.amounts)
		u (expires_at, grant_month, funding, amount)
	WHERE u.expires_at <= now();
	SELECT array_agg(o2o.points_expires_at(now(), rule.refund_grace, rule.expires_round, rule.time_zone)) AS expires_at,
		array_agg(g.grant_month) AS grant_month, array_agg(g.funding) AS funding, array_agg(g.amount) AS amounts
	INTO again
	FROM (
		SELECT u.grant_month, u.funding, OPERATOR(o2o.-) o2o.sum(u.amount) AS amount
		FROM unnest(gone.grant_month, gone.funding, gone.amounts) u (grant_month, funding, amount)
		GROUP BY u.grant_month, u.funding
	) g;
	PERFORM o2o.points_post(points_refund_grace.profile_id, points_refund_grace.account_id, points_refund_grace.transfer_id,
		o2o.points_system_account_id(rule.program, 'expired'), 'expire', gone.expires_at, gone.grant_month, gone.funding, gone.amounts,
		points_refund_grace.request_id, points_refund_grace.acting_profile_id, points_refund_grace.customer_id, NULL, 'refund grace', now(), burn_transfer_id);
	PERFORM o2o.points_post(points_refund_grace.profile_id, points_refund_grace.account_id, points_refund_grace.transfer_id,
		o2o.points_system_account_id(rule.program, 'adjustment'), 'adjust', again.expires_at, again.grant_month, again.funding, again.amounts,
		points_refund_grace.request_id, points_refund_grace.acting_profile_id, points_refund_grace.customer_id, NULL, 'refund grace', now(), burn_transfer_id);
END $$;
COMMENT ON FUNCTION o2o.points_refund_grace(o2o.points_program, bigint, bigint, bigint, timestamptz[], date[], text[], o2o.points[], uuid, bigint, bigint, bigint) IS 'After a refund to lots that have expired: writes these points off and grants them anew, by the program''s refund_grace from now; month of grant and who funds them stay.';

CREATE OR REPLACE FUNCTION o2o.points_refund_payload(transfer_id bigint, amount o2o.points, reference text, reason text) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN jsonb_build_object('transfer_id', transfer_id, 'amount', amount, 'reference', reference, 'reason', reason);
COMMENT ON FUNCTION o2o.points_refund_payload(bigint, o2o.points, text, text) IS 'The arguments that an idempotency key of a refund stands for, the same in single calls and batches.';

CREATE OR REPLACE FUNCTION o2o.points_refund_once(transfer_id bigint, amount o2o.points, reference text, reason text, request_id uuid,
	OUT refund_transfer_id bigint, OUT refunded o2o.points, OUT balance o2o.points)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	SELECT r.transfer_id, r.refunded, r.balance INTO refund_transfer_id, refunded, balance
	FROM o2o.points_refund_post(points_refund_once.transfer_id, amount, reference, reason, points_refund_once.request_id) r;
	PERFORM o2o.request_finish(points_refund_once.request_id,
		jsonb_build_object('transfer_id', refund_transfer_id, 'refunded', refunded, 'balance', balance));
END $$;
COMMENT ON FUNCTION o2o.points_refund_once(bigint, o2o.points, text, text, uuid) IS 'points_refund once the key is claimed; keeps the answer.';

CREATE OR REPLACE FUNCTION o2o.points_refund(transfer_id bigint, amount o2o.points DEFAULT NULL, reference text DEFAULT NULL, reason text DEFAULT NULL,
	idempotency_key text DEFAULT NULL)
RETURNS TABLE (refund_transfer_id bigint, refunded o2o.points, balance o2o.points)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	claim record;
BEGIN
	SELECT c.* INTO claim
	FROM o2o.request_claim(idempotency_key, 'points_refund', o2o.points_refund_payload(points_refund.transfer_id, amount, reference, reason)) c;
	IF claim.replay IS NULL THEN
		SELECT r.* INTO refund_transfer_id, refunded, balance
		FROM o2o.points_refund_once(points_refund.transfer_id, amount, reference, reason, claim.request_id) r;
	ELSE
		refund_transfer_id := claim.replay ->> 'transfer_id';
		refunded := claim.replay ->> 'refunded';
		balance := claim.replay ->> 'balance';
	END IF;
	RETURN NEXT;
END $$;
COMMENT ON FUNCTION o2o.points_refund(bigint, o2o.points, text, text, text) IS 'Gives points back that were burned or paid to a seller, all that are left of a burn, capture or payment, or an amount of them: to the lots that they came from, wherever these are now, what was taken last first. A lot that has expired meanwhile gets them too, and they are gone with it, unless the program has a refund_grace: then they live that long from now. transfer_id: as points_burn() or points_transfer_find() returned it; reference, reason, idempotency key (a repeated call with it returns the first result). Returns the transfer of the refund, what was given back, and the balance of the customer, today''s owner of the profile that burned. Errors: O2309 no such burn or payment, O2308 more than is left of it, O2301 the seller does not have them any more, O2303 amount not positive, O2304 more digits than the program''s scale, O2004 the key was used with other arguments, O2321 an account that they came from is closed.';

CREATE OR REPLACE FUNCTION o2o.points_take(profile_id bigint, customer_id bigint, members bigint[], program text, amount o2o.points, transfer_id bigint,
	contra_account_id bigint, operation text, reference text, reason text, request_id uuid, reverses_transfer_id bigint,
	OUT taken o2o.points, OUT owed o2o.points)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	policy text := (SELECT p.clawback_policy FROM o2o.points_program p WHERE p.program = points_take.program);
BEGIN
	taken := greatest(least(amount, o2o.points_available(members, program)), 0::o2o.points);
	owed := amount OPERATOR(o2o.-) taken;
	IF taken OPERATOR(o2o.>) 0 THEN
		PERFORM o2o.points_draw(members, points_take.profile_id, points_take.customer_id, program, taken, points_take.transfer_id,
			points_take.contra_account_id, operation, reference, reason, request_id, now(), points_take.reverses_transfer_id);
	END IF;
	IF policy = 'available' THEN
		owed := 0;
	ELSIF owed OPERATOR(o2o.>) 0 THEN
		PERFORM o2o.points_post(points_take.profile_id,
			o2o.points_account_open(points_take.profile_id, program, CASE policy WHEN 'debt' THEN 'debt' ELSE 'member' END),
			points_take.transfer_id, points_take.contra_account_id, operation,
			ARRAY[NULL::timestamptz], ARRAY[NULL::date], ARRAY[NULL::text], ARRAY[OPERATOR(o2o.-) owed],
			request_id, points_take.profile_id, points_take.customer_id, reference, reason, now(), points_take.reverses_transfer_id);
	END IF;
END $$;
COMMENT ON FUNCTION o2o.points_take(bigint, bigint, bigint[], text, o2o.points, bigint, bigint, text, text, text, uuid, bigint) IS 'Takes an amount from a customer (profiles: members, accounts locked) as far as it is available, and by the program''s clawback_policy makes the rest a debt of the profile, in a posting of its own. Returns both parts; with the policy available, what is not there is not taken.';

CREATE OR REPLACE FUNCTION o2o.points_take_back(earn_transfer_id bigint, earn_operation text, amount o2o.points, operation text,
	reference text, reason text, request_id uuid,
	OUT transfer_id bigint, OUT taken o2o.points, OUT owed o2o.points, OUT balance o2o.points)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	earn record;
	rest o2o.points;
	customer bigint;
	members bigint[];
	lot record;
	pending o2o.points_hold;
	part o2o.points;
BEGIN
	SELECT min(p.profile_id) AS profile_id, min(a.program) AS program, o2o.sum(p.amount) AS amount,
		min(p.contra_account_id) AS contra_account_id INTO earn
	FROM o2o.points_posting p
		JOIN o2o.points_account a ON a.profile_id = p.profile_id AND a.account_id = p.account_id
	WHERE p.transfer_id = earn_transfer_id AND p.operation = earn_operation AND p.amount OPERATOR(o2o.>) 0;
	IF earn.profile_id IS NULL THEN
		RAISE EXCEPTION 'there is no such transfer of points earned' USING ERRCODE = 'O2309', DETAIL = format('Transfer %s.', coalesce(earn_transfer_id::text, 'NULL')),
				HINT = 'points_earn() returned its number; points_transfer_find() finds it by reference.';
	END IF;
	customer := (o2o.customer_lock(ARRAY[earn.profile_id]))[1];
	members := o2o.customer_profiles(customer);
	PERFORM o2o.points_accounts_lock(members, earn.program);
	-- What was taken back before, less what of that was given back.
	rest := earn.amount OPERATOR(o2o.+) (
		SELECT coalesce(o2o.sum(p.amount), 0::o2o.points)
		FROM o2o.points_posting p
		WHERE p.reverses_transfer_id = ANY (earn_transfer_id || ARRAY(SELECT t.transfer_id FROM o2o.points_posting t
				WHERE t.reverses_transfer_id = earn_transfer_id AND t.operation = 'clawback'))
			AND (p.reverses_transfer_id <> earn_transfer_id OR p.operation IN ('clawback', 'reverse')));
	IF amount OPERATOR(o2o.>) rest OR rest OPERATOR(o2o.=) 0 THEN
		RAISE EXCEPTION 'more points than were earned'
			USING ERRCODE = 'O2308', DETAIL = format('not taken back yet %s, asked %s', rest, coalesce(amount, rest)),
				HINT = 'Ask for no more than is left of the transfer.';
	END IF;
	rest := coalesce(amount, rest);
	PERFORM o2o.points_program_check(earn.program, rest);
	transfer_id := nextval('o2o.points_transfer_id_seq');
	taken := 0;

	-- Pending ones are taken first; those that stay pending are put aside again below.
	UPDATE o2o.points_hold h SET state = 'void', closed_at = now()
	WHERE h.profile_id = earn.profile_id AND h.kind = 'pending' AND h.transfer_id = earn_transfer_id AND h.state = 'open' AND h.expires_at > now()
	RETURNING h.* INTO pending;
	IF pending.hold_id IS NOT NULL THEN
		PERFORM o2o.points_hold_close(ARRAY[earn.profile_id], earn.program, pending.hold_id);
	END IF;

	-- Of its own lot what is left, then what has expired from it: that was never spent.
	FOR lot IN
		SELECT l.* FROM o2o.points_posting p
			JOIN o2o.points_lot l ON l.profile_id = p.profile_id AND l.account_id = p.account_id AND l.expires_at = p.expires_at
				AND l.grant_month = p.grant_month AND l.funding = p.funding
		WHERE p.transfer_id = earn_transfer_id AND p.operation = earn_operation AND p.amount OPERATOR(o2o.>) 0
	LOOP
		part := least(rest, lot.expired);
		part := least(part, greatest(rest OPERATOR(o2o.-) (lot.remaining OPERATOR(o2o.-) lot.held), 0::o2o.points));
		IF part OPERATOR(o2o.>) 0 THEN
			PERFORM o2o.points_post(lot.profile_id, lot.account_id, points_take_back.transfer_id, o2o.points_system_account_id(earn.program, 'expired'),
				'expire', ARRAY[lot.expires_at], ARRAY[lot.grant_month], ARRAY[lot.funding], ARRAY[part],
				request_id, earn.profile_id, customer, reference, reason, now(), earn_transfer_id);
		END IF;
		part := least(rest, lot.remaining OPERATOR(o2o.-) lot.held OPERATOR(o2o.+) part);
		IF part OPERATOR(o2o.>) 0 THEN
			PERFORM o2o.points_post(lot.profile_id, lot.account_id, points_take_back.transfer_id, earn.contra_account_id, operation,
				ARRAY[lot.expires_at], ARRAY[lot.grant_month], ARRAY[lot.funding], ARRAY[OPERATOR(o2o.-) part],
				request_id, earn.profile_id, customer, reference, reason, now(), earn_transfer_id);
			taken := taken OPERATOR(o2o.+) part;
			rest := rest OPERATOR(o2o.-) part;
		END IF;
	END LOOP;
	IF pending.hold_id IS NOT NULL AND pending.amount OPERATOR(o2o.>) taken THEN
		PERFORM o2o.points_hold_place(pending.profile_id, customer, pending.program, 'pending', pending.expires_at, pending.transfer_id,
			pending.reference, pending.reason, points_take_back.request_id, ARRAY(
				SELECT (t.profile_id, t.account_id, 0, t.expires_at, t.grant_month, t.funding, pending.amount OPERATOR(o2o.-) taken, t.held_until, true)::o2o.points_hold_part
				FROM o2o.points_hold_part t WHERE t.hold_id = pending.hold_id));
	END IF;

	-- Then of whatever the customer has.
	owed := 0;
	IF rest OPERATOR(o2o.>) 0 THEN
		SELECT t.taken OPERATOR(o2o.+) points_take_back.taken, t.owed INTO taken, owed
		FROM o2o.points_take(earn.profile_id, customer, members, earn.program, rest, points_take_back.transfer_id,
			earn.contra_account_id, operation, reference, reason, request_id, earn_transfer_id) t;
	END IF;
	IF taken OPERATOR(o2o.=) 0 AND owed OPERATOR(o2o.=) 0 THEN
		transfer_id := NULL;
	END IF;
	PERFORM o2o.points_partner_draw(transfer_id);
	PERFORM o2o.points_budget_follow(earn.profile_id, earn_transfer_id, points_take_back.transfer_id, earn.program);
	balance := o2o.points_customer_balance(customer, earn.program);
END $$;
COMMENT ON FUNCTION o2o.points_take_back(bigint, text, o2o.points, text, text, text, uuid) IS 'Takes back what a transfer gave (earn_operation: earn, opening, adjust or exchange_in; what a partner funded goes back to the partner, what a budget issued to the budget), in whole or in part, as operation clawback or reverse. Errors: O2309 no such transfer, O2308 more than is left of it, O2303, O2304 as points_program_check.';

CREATE OR REPLACE FUNCTION o2o.points_clawback(transfer_id bigint, amount o2o.points DEFAULT NULL, reference text DEFAULT NULL, reason text DEFAULT NULL,
	idempotency_key text DEFAULT NULL)
RETURNS TABLE (clawback_transfer_id bigint, taken o2o.points, owed o2o.points, balance o2o.points)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	claim record;
BEGIN
	SELECT c.* INTO claim
	FROM o2o.request_claim(idempotency_key, 'points_clawback', jsonb_build_object('transfer_id', points_clawback.transfer_id,
		'amount', amount, 'reference', reference, 'reason', reason)) c;
	IF claim.replay IS NULL THEN
		SELECT t.* INTO clawback_transfer_id, taken, owed, balance
		FROM o2o.points_take_back(points_clawback.transfer_id, 'earn', amount, 'clawback', reference, reason, claim.request_id) t;
		PERFORM o2o.request_finish(claim.request_id, jsonb_build_object('transfer_id', clawback_transfer_id, 'taken', taken, 'owed', owed, 'balance', balance));
	ELSE
		clawback_transfer_id := claim.replay ->> 'transfer_id';
		taken := claim.replay ->> 'taken';
		owed := claim.replay ->> 'owed';
		balance := claim.replay ->> 'balance';
	END IF;
	RETURN NEXT;
END $$;
COMMENT ON FUNCTION o2o.points_clawback(bigint, o2o.points, text, text, text) IS 'Takes earned points back, for instance when goods come back: all that are left of what a points_earn() or order gave, or an amount of them. From their own lot first, where what expired unspent counts too, then from whatever the customer has, nearest expiry first; never what is on hold. A partner or a budget that gave them has them back, in proportion. What is not there any more is owed, as the program''s clawback_policy says: the balance goes below zero, or a debt stands on an account of its own; the next points earned by that profile repay it. With the policy available nothing is owed. transfer_id: as points_earn() or points_transfer_find() returned it; reference, reason, idempotency key (a repeated call with it returns the first result). Returns the transfer of the clawback (NULL where there was nothing to take), the points taken, the points owed, and the customer''s balance. Errors: O2309 no such points earned, O2308 more than is left of them, O2303 amount not positive, O2304 more digits than the program''s scale, O2004 the key was used with other arguments, O2321 the account is closed.';

CREATE OR REPLACE FUNCTION o2o.points_adjust_once(person o2o.identifier, profile_id bigint, amount o2o.points, program text, reason text,
	reference text, idempotency_key text, OUT transfer_id bigint, OUT balance o2o.points)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	claim record;
	rule o2o.points_program;
	customer bigint;
	members bigint[];
	contra bigint;
	rest o2o.points;
BEGIN
	SELECT c.* INTO claim
	FROM o2o.request_claim(idempotency_key, 'points_adjust', jsonb_build_object(
		'person', coalesce(person::text, points_adjust_once.profile_id::text), 'amount', amount, 'program', program,
		'reason', reason, 'reference', reference)) c;
	IF claim.replay IS NOT NULL THEN
		transfer_id := claim.replay ->> 'transfer_id';
		balance := claim.replay ->> 'balance';
		RETURN;
	END IF;
	rule := o2o.points_program_check(program, o2o.abs(amount));
	IF reason IS NULL OR reason = '' THEN
		RAISE EXCEPTION 'an adjustment of points needs a reason' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	profile_id := o2o.points_person(person, points_adjust_once.profile_id);
	customer := (o2o.customer_lock(ARRAY[profile_id]))[1];
	members := o2o.customer_profiles(customer);
	PERFORM o2o.points_account_open(profile_id, program);
	PERFORM o2o.points_accounts_lock(members || profile_id, program);
	transfer_id := nextval('o2o.points_transfer_id_seq');
	contra := o2o.points_system_account_id(program, 'adjustment');
	IF amount OPERATOR(o2o.>) 0 THEN
		rest := o2o.points_repay(profile_id, customer, program, amount, transfer_id, contra, 'adjust', reference, reason, claim.request_id, now());
		IF rest OPERATOR(o2o.>) 0 THEN
			PERFORM o2o.points_post(profile_id, o2o.points_account_open(profile_id, program), transfer_id, contra, 'adjust',
				ARRAY[o2o.points_expires_at(now(), rule.expires_after, rule.expires_round, rule.time_zone, rule.expires_at)],
				ARRAY[o2o.points_grant_month(now(), rule.time_zone)], ARRAY['program'], ARRAY[rest],
				claim.request_id, profile_id, customer, reference, reason, now());
		END IF;
		IF rule.reserve_policy = 'enforce' AND rest OPERATOR(o2o.>) 0 THEN
			PERFORM o2o.points_reserve_draw(program, rest);
		END IF;
	ELSE
		IF rule.clawback_policy = 'available' AND o2o.points_available(members, program) OPERATOR(o2o.<) o2o.abs(amount) THEN
			RAISE EXCEPTION 'insufficient points'
				USING ERRCODE = 'O2301', DETAIL = format('available %s, asked %s', o2o.points_available(members, program), o2o.abs(amount)),
				HINT = 'points_balance() says what is available.';
		END IF;
		PERFORM o2o.points_take(profile_id, customer, members, program, o2o.abs(amount), transfer_id, contra, 'adjust', reference, reason, claim.request_id, NULL);
	END IF;
	balance := o2o.points_customer_balance(customer, program);
	PERFORM o2o.request_finish(claim.request_id, jsonb_build_object('transfer_id', transfer_id, 'balance', balance));
END $$;
COMMENT ON FUNCTION o2o.points_adjust_once(o2o.identifier, bigint, o2o.points, text, text, text, text) IS 'points_adjust for a person given by identifier, or by id where that is NULL. A replay of the key returns the first result.';

CREATE OR REPLACE FUNCTION o2o.points_adjust(person o2o.identifier, amount o2o.points, program text, reason text, reference text DEFAULT NULL,
	idempotency_key text DEFAULT NULL)
RETURNS TABLE (transfer_id bigint, balance o2o.points)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT a.* FROM o2o.points_adjust_once(person, NULL, amount, program, reason, reference, idempotency_key) a;
END $$;
COMMENT ON FUNCTION o2o.points_adjust(o2o.identifier, o2o.points, text, text, text, text) IS 'Corrects the points of a person, known by an identifier such as card:88001, by hand: an amount above zero is given, as points are earned now (what is owed is repaid first), one below zero is taken from what the customer has, and what is not there is owed, as the program''s clawback_policy says. program, reason (needed), reference of the caller''s document, idempotency key (a repeated call with it returns the first result). Returns the transfer_id and the customer''s balance in the program. Errors: O2201 nobody has the identifier, O2301 insufficient points where the policy is available, O2302 unknown program, O2303 amount zero, O2304 more digits than the program''s scale, O2305 the reserve does not cover them, O2004 the key was used with other arguments, 22004 no reason, O2321 the account is closed.';

CREATE OR REPLACE FUNCTION o2o.points_adjust(person bigint, amount o2o.points, program text, reason text, reference text DEFAULT NULL,
	idempotency_key text DEFAULT NULL)
RETURNS TABLE (transfer_id bigint, balance o2o.points)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT a.* FROM o2o.points_adjust_once(NULL, person, amount, program, reason, reference, idempotency_key) a;
END $$;
COMMENT ON FUNCTION o2o.points_adjust(bigint, o2o.points, text, text, text, text) IS 'The same for a person known by profile or customer id.';

CREATE OR REPLACE FUNCTION o2o.points_give_back(taken_transfer_id bigint, reason text, request_id uuid,
	OUT transfer_id bigint, OUT amount o2o.points, OUT balance o2o.points)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	source record;
	rule o2o.points_program;
	customer bigint;
	part record;
	rest o2o.points;
BEGIN
	SELECT array_agg(DISTINCT p.profile_id) AS owners, min(p.acting_profile_id) AS acting_profile_id, min(a.program) AS program,
		OPERATOR(o2o.-) o2o.sum(p.amount) AS amount, min(p.contra_account_id) AS contra_account_id,
		min(p.reverses_transfer_id) AS earn_transfer_id INTO source
	FROM o2o.points_posting p
		JOIN o2o.points_account a ON a.profile_id = p.profile_id AND a.account_id = p.account_id
	WHERE p.transfer_id = taken_transfer_id AND p.operation IN ('clawback', 'adjust');
	PERFORM o2o.points_accounts_lock(source.owners || source.acting_profile_id, source.program);
	IF EXISTS (SELECT FROM o2o.points_posting p WHERE p.reverses_transfer_id = taken_transfer_id) THEN
		RAISE EXCEPTION 'the transfer of points was reversed before' USING ERRCODE = 'O2308', DETAIL = format('Transfer %s.', taken_transfer_id),
				HINT = 'Nothing is left to do: it was undone.';
	END IF;
	SELECT p.* INTO rule FROM o2o.points_program p WHERE p.program = source.program;
	customer := o2o.profile_customer(source.acting_profile_id);
	transfer_id := nextval('o2o.points_transfer_id_seq');
	amount := source.amount;
	rest := source.amount;
	FOR part IN
		SELECT u.profile_id, u.account_id, array_agg(u.expires_at) AS expires_at, array_agg(u.grant_month) AS grant_month,
			array_agg(u.funding) AS funding, array_agg(u.amount) AS amounts, o2o.sum(u.amount) AS amount
		FROM (
			SELECT p.profile_id, p.account_id, p.expires_at, p.grant_month, p.funding, OPERATOR(o2o.-) o2o.sum(p.amount) AS amount
			FROM o2o.points_posting p
			WHERE p.transfer_id = taken_transfer_id AND p.operation IN ('clawback', 'adjust') AND p.expires_at IS NOT NULL
			GROUP BY p.profile_id, p.account_id, p.expires_at, p.grant_month, p.funding
		) u
		GROUP BY u.profile_id, u.account_id
		ORDER BY u.account_id
	LOOP
		PERFORM o2o.points_post(part.profile_id, part.account_id, points_give_back.transfer_id, source.contra_account_id, 'reverse',
			part.expires_at, part.grant_month, part.funding, part.amounts, points_give_back.request_id,
			source.acting_profile_id, customer, NULL, points_give_back.reason, now(), taken_transfer_id);
		rest := rest OPERATOR(o2o.-) part.amount;
	END LOOP;
	-- What was owed: as far as it still is, that ends; what was repaid meanwhile is given anew.
	IF rest OPERATOR(o2o.>) 0 THEN
		rest := o2o.points_repay(source.acting_profile_id, customer, source.program, rest, transfer_id, source.contra_account_id, 'reverse', NULL, reason,
			request_id, now(), taken_transfer_id);
	END IF;
	IF rest OPERATOR(o2o.>) 0 THEN
		PERFORM o2o.points_post(source.acting_profile_id, o2o.points_account_open(source.acting_profile_id, source.program), points_give_back.transfer_id,
			o2o.points_system_account_id(source.program, 'adjustment'), 'adjust',
			ARRAY[o2o.points_expires_at(now(), rule.expires_after, rule.expires_round, rule.time_zone, rule.expires_at)],
			ARRAY[o2o.points_grant_month(now(), rule.time_zone)], ARRAY['program'], ARRAY[rest],
			points_give_back.request_id, source.acting_profile_id, customer, NULL, points_give_back.reason, now(), taken_transfer_id);
	END IF;
	PERFORM o2o.points_partner_draw(transfer_id);
	PERFORM o2o.points_budget_follow(source.acting_profile_id, source.earn_transfer_id, points_give_back.transfer_id, source.program);
	IF rule.reserve_policy = 'enforce' THEN
		PERFORM o2o.points_reserve_draw(source.program, amount, forced => true);
	END IF;
	balance := o2o.points_customer_balance(customer, source.program);
END $$;
COMMENT ON FUNCTION o2o.points_give_back(bigint, text, uuid) IS 'Gives back what a clawback or an adjustment below zero took: to the lots, and what it made owed. Error: O2308 it was reversed before.';

CREATE OR REPLACE FUNCTION o2o.points_reverse(transfer_id bigint, reason text, idempotency_key text DEFAULT NULL)
RETURNS TABLE (reverse_transfer_id bigint, amount o2o.points, balance o2o.points)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	claim record;
	operations text[];
	up boolean;
BEGIN
	SELECT c.* INTO claim
	FROM o2o.request_claim(idempotency_key, 'points_reverse', jsonb_build_object('transfer_id', points_reverse.transfer_id, 'reason', reason)) c;
	IF claim.replay IS NOT NULL THEN
		RETURN QUERY SELECT (claim.replay ->> 'transfer_id')::bigint, (claim.replay ->> 'amount')::o2o.points, (claim.replay ->> 'balance')::o2o.points;
		RETURN;
	END IF;
	IF reason IS NULL OR reason = '' THEN
		RAISE EXCEPTION 'a reversal of points needs a reason' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	SELECT array_agg(DISTINCT p.operation), bool_and(p.amount OPERATOR(o2o.>) 0) INTO operations, up
	FROM o2o.points_posting p WHERE p.transfer_id = points_reverse.transfer_id;
	IF operations IS NULL THEN
		RAISE EXCEPTION 'there is no such transfer of points' USING ERRCODE = 'O2309', DETAIL = format('Transfer %s.', coalesce(points_reverse.transfer_id::text, 'NULL')),
				HINT = 'The call that posted it returned its number.';
	ELSIF operations = '{burn}' OR operations = '{pay}' THEN
		SELECT r.* INTO reverse_transfer_id, amount, balance
		FROM o2o.points_refund_post(points_reverse.transfer_id, NULL, NULL, reason, claim.request_id) r;
	ELSIF up AND operations <@ '{earn,opening,adjust}' AND cardinality(operations) = 1 THEN
		SELECT t.transfer_id, OPERATOR(o2o.-) (t.taken OPERATOR(o2o.+) t.owed), t.balance INTO reverse_transfer_id, amount, balance
		FROM o2o.points_take_back(points_reverse.transfer_id, operations[1], NULL, 'reverse', NULL, reason, claim.request_id) t;
	ELSIF operations <@ '{clawback,expire}' AND 'clawback' = ANY (operations) OR operations = '{adjust}' THEN
		SELECT g.* INTO reverse_transfer_id, amount, balance FROM o2o.points_give_back(points_reverse.transfer_id, reason, claim.request_id) g;
	ELSE
		RAISE EXCEPTION 'a transfer of this kind cannot be reversed'
			USING ERRCODE = 'invalid_parameter_value', DETAIL = format('Transfer %s: %s.', points_reverse.transfer_id, array_to_string(operations, ', ')),
				HINT = 'Earned points, burns, payments, clawbacks and adjustments can. An exchange goes back by points_exchange_reverse(), a gift by points_transfer(), anything else by points_adjust().';
	END IF;
	PERFORM o2o.request_finish(claim.request_id, jsonb_build_object('transfer_id', reverse_transfer_id, 'amount', amount, 'balance', balance));
	RETURN NEXT;
END $$;
COMMENT ON FUNCTION o2o.points_reverse(bigint, text, text) IS 'Undoes a whole transfer that was a mistake, as far as it was not undone before: points earned (also by opening or adjustment) are taken back as points_clawback() takes them, burned or paid ones refunded as points_refund() does, a clawback or an adjustment below zero is given back to its lots, and what it made owed ends. reason (needed), idempotency key (a repeated call with it returns the first result). Returns the transfer of the reversal, the points that came to the customer (below zero: left, or are owed), and the balance. Errors: O2309 no such transfer, O2308 nothing of it is left, 22023 gifts, exchanges, expiries, refunds and reversals cannot be reversed, 22004 no reason, O2004 the key was used with other arguments, O2301 the seller does not have them any more, O2321 the account is closed.';
