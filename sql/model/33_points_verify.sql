-- The points room: does the ledger hold? Reads only.

CREATE OR REPLACE FUNCTION o2o.points_verify(for_program text DEFAULT NULL)
RETURNS TABLE ("check" text, program text, profile_id bigint, account_id bigint, detail text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF for_program IS NOT NULL AND NOT EXISTS (SELECT FROM o2o.points_program p WHERE p.program = for_program) THEN
		RAISE EXCEPTION 'points program "%" does not exist', for_program
			USING ERRCODE = 'O2302', HINT = 'Make it with points_program_create().';
	END IF;

	-- The postings of each account, in one pass in the order of their versions.
	RETURN QUERY
	SELECT v.broken, coalesce(a.program, s.program, c.program), p.profile_id, p.account_id, v.detail
	FROM (
		SELECT o.*, lag(o.version, 1, 0::bigint) OVER w AS version_before, lag(o.balance, 1, 0::o2o.points) OVER w AS balance_before,
			lag(o.posted_at) OVER w AS posted_before, lead(o.version) OVER w IS NULL AS is_last,
			bool_or(o.expires_at IS NULL) OVER w AS may_owe
		FROM o2o.points_posting o
		WINDOW w AS (PARTITION BY o.profile_id, o.account_id ORDER BY o.version)
	) p
		LEFT JOIN o2o.points_account a ON a.profile_id = p.profile_id AND a.account_id = p.account_id
		LEFT JOIN o2o.points_system_account s ON s.account_id = p.contra_account_id
		LEFT JOIN o2o.points_account c ON c.account_id = p.contra_account_id
		LEFT JOIN o2o.points_operation() o ON o.operation = p.operation
		CROSS JOIN LATERAL (VALUES
			('version', p.version <> p.version_before + 1,
				format('version %s follows %s', p.version, p.version_before)),
			('running_balance', p.balance OPERATOR(o2o.<>) (p.balance_before OPERATOR(o2o.+) p.amount),
				format('version %s: %s after %s and %s', p.version, p.balance, p.balance_before, p.amount)),
			('negative_balance', p.balance OPERATOR(o2o.<) 0 AND NOT p.may_owe,
				format('version %s: balance %s', p.version, p.balance)),
			('posted_at', p.posted_at <= p.posted_before,
				format('version %s was not posted after version %s', p.version, p.version_before)),
			('account', a.account_id IS NULL OR p.is_last AND (a.version <> p.version OR a.balance OPERATOR(o2o.<>) p.balance OR a.posted_at <> p.posted_at),
				format('last posting has version %s and balance %s, account has %s and %s', p.version, p.balance, a.version, a.balance)),
			('contra', (coalesce(s.program, c.program) = a.program AND coalesce(s.kind, c.kind) = ANY (o.contra_kinds)
					AND CASE WHEN p.amount OPERATOR(o2o.>) 0 THEN o.above_zero WHEN p.amount OPERATOR(o2o.<) 0 THEN o.below_zero END) IS NOT TRUE,
				format('version %s: %s of %s against account %s', p.version, p.operation, p.amount, p.contra_account_id)),
			('lot_key', (num_nulls(p.expires_at, p.grant_month, p.funding) IN (0, 3)
					AND CASE WHEN p.expires_at IS NULL THEN a.kind NOT IN ('member', 'debt') OR o.owes
						ELSE a.kind = 'member' AND CASE WHEN p.amount OPERATOR(o2o.>) 0 THEN o.lot_above_zero ELSE o.lot_below_zero END IS NOT NULL END) IS NOT TRUE,
				format('version %s: %s without a lot, or with one, on an account of kind %s', p.version, p.operation, a.kind))
		) v (broken, is_broken, detail)
	WHERE v.is_broken AND (for_program IS NULL OR for_program IN (a.program, s.program, c.program));

	-- Accounts whose last posting is missing, and what is on hold.
	RETURN QUERY
	SELECT v.broken, a.program, a.profile_id, a.account_id, v.detail
	FROM o2o.points_account a
		LEFT JOIN (
			SELECT t.profile_id, t.account_id, o2o.sum(t.amount) AS amount
			FROM o2o.points_hold_part t WHERE t.is_open
			GROUP BY t.profile_id, t.account_id
		) h ON h.profile_id = a.profile_id AND h.account_id = a.account_id
		CROSS JOIN LATERAL (VALUES
			('account', a.version <> 0 AND NOT EXISTS (SELECT FROM o2o.points_posting p
					WHERE p.profile_id = a.profile_id AND p.account_id = a.account_id AND p.version = a.version)
				OR a.version = 0 AND a.balance OPERATOR(o2o.<>) 0,
				format('no posting has version %s and balance %s', a.version, a.balance)),
			('held', a.held OPERATOR(o2o.<>) coalesce(h.amount, 0::o2o.points),
				format('held %s, open portions of holds %s', a.held, coalesce(h.amount, 0::o2o.points)))
		) v (broken, is_broken, detail)
	WHERE v.is_broken AND (for_program IS NULL OR a.program = for_program);

	-- Lots have on hold what the open portions say, and no more than remains.
	RETURN QUERY
	SELECT 'held', a.program, coalesce(l.profile_id, h.profile_id), coalesce(l.account_id, h.account_id),
		format('lot of %s, %s: held %s of %s, open portions of holds %s',
			coalesce(l.grant_month, h.grant_month), coalesce(l.funding, h.funding), l.held, l.remaining, h.amount)
	FROM (SELECT o.* FROM o2o.points_lot o WHERE o.held OPERATOR(o2o.<>) 0) l
		FULL JOIN (
			SELECT t.profile_id, t.account_id, t.expires_at, t.grant_month, t.funding, o2o.sum(t.amount) AS amount
			FROM o2o.points_hold_part t WHERE t.is_open
			GROUP BY t.profile_id, t.account_id, t.expires_at, t.grant_month, t.funding
		) h ON h.profile_id = l.profile_id AND h.account_id = l.account_id AND h.expires_at = l.expires_at
			AND h.grant_month = l.grant_month AND h.funding = l.funding
		LEFT JOIN o2o.points_account a ON a.profile_id = coalesce(l.profile_id, h.profile_id) AND a.account_id = coalesce(l.account_id, h.account_id)
	WHERE (l.held OPERATOR(o2o.=) h.amount AND l.held OPERATOR(o2o.<=) l.remaining) IS NOT TRUE
		AND (for_program IS NULL OR a.program = for_program);

	-- Holds and their portions.
	RETURN QUERY
	SELECT 'hold', coalesce(h.program, t.program), h.profile_id, NULL::bigint,
		format('hold %s (%s) of %s, portions %s, captured %s', coalesce(h.hold_id, t.hold_id), h.state, h.amount, t.amount, h.captured)
	FROM o2o.points_hold h
		FULL JOIN (
			SELECT q.hold_id, o2o.sum(q.amount) AS amount, bool_or(q.is_open) AS some_open, bool_and(q.is_open) AS all_open,
				min(q.held_until) AS held_until, max(q.held_until) AS held_until_last, min(a.program) AS program
			FROM o2o.points_hold_part q
				LEFT JOIN o2o.points_account a ON a.profile_id = q.profile_id AND a.account_id = q.account_id
			GROUP BY q.hold_id
		) t ON t.hold_id = h.hold_id
		LEFT JOIN (
			SELECT p.transfer_id, OPERATOR(o2o.-) o2o.sum(p.amount) AS amount
			FROM o2o.points_posting p
			WHERE p.transfer_id IN (SELECT c.transfer_id FROM o2o.points_hold c WHERE c.state = 'captured') AND p.operation = 'burn'
			GROUP BY p.transfer_id
		) b ON b.transfer_id = h.transfer_id AND h.state = 'captured'
	WHERE (h.amount OPERATOR(o2o.=) t.amount AND h.expires_at = t.held_until AND h.expires_at = t.held_until_last
			AND CASE h.state WHEN 'open' THEN t.all_open OR h.expires_at <= clock_timestamp() ELSE NOT t.some_open END
			AND CASE h.state WHEN 'captured' THEN h.captured OPERATOR(o2o.=) b.amount AND h.captured OPERATOR(o2o.<=) h.amount
				ELSE h.captured OPERATOR(o2o.=) 0 END) IS NOT TRUE
		AND (for_program IS NULL OR for_program IN (h.program, t.program));

	-- No more of a transfer goes back than it was.
	RETURN QUERY
	SELECT 'reversed', min(a.program), NULL::bigint, NULL::bigint,
		format('transfer %s of %s, given or taken back %s', r.reverses_transfer_id, min(o.amount::text), min(r.amount::text))
	FROM (
		SELECT p.reverses_transfer_id, p.profile_id, p.account_id, o2o.sum(p.amount) OVER (PARTITION BY p.reverses_transfer_id) AS amount
		FROM o2o.points_posting p
		WHERE p.reverses_transfer_id IS NOT NULL AND p.operation IN ('refund', 'clawback', 'reverse')
	) r
		LEFT JOIN (
			SELECT p.transfer_id, o2o.sum(p.amount) AS amount
			FROM o2o.points_posting p
			WHERE p.transfer_id IN (SELECT q.reverses_transfer_id FROM o2o.points_posting q WHERE q.reverses_transfer_id IS NOT NULL)
				AND p.operation <> 'expire'
			GROUP BY p.transfer_id
		) o ON o.transfer_id = r.reverses_transfer_id
		LEFT JOIN o2o.points_account a ON a.profile_id = r.profile_id AND a.account_id = r.account_id
	WHERE (for_program IS NULL OR a.program = for_program)
	GROUP BY r.reverses_transfer_id
	HAVING bool_and((o.amount OPERATOR(o2o.>) 0) <> (r.amount OPERATOR(o2o.>) 0)) IS NOT TRUE
		OR bool_and(o2o.abs(r.amount) OPERATOR(o2o.<=) o2o.abs(o.amount)) IS NOT TRUE
			-- A clawback that was reversed may be made once more.
			AND NOT EXISTS (SELECT FROM o2o.points_posting p
				WHERE p.reverses_transfer_id IN (SELECT q.transfer_id FROM o2o.points_posting q WHERE q.reverses_transfer_id = r.reverses_transfer_id));

	-- What goes into in_transit comes out of it in the same transfer.
	RETURN QUERY
	SELECT 'in_transit', s.program, NULL::bigint, NULL::bigint,
		format('transfer %s leaves %s in transit', p.transfer_id, OPERATOR(o2o.-) o2o.sum(p.amount))
	FROM o2o.points_posting p
		JOIN o2o.points_system_account s ON s.account_id = p.contra_account_id AND s.kind = 'in_transit'
	WHERE for_program IS NULL OR s.program = for_program
	GROUP BY s.program, p.transfer_id
	HAVING o2o.sum(p.amount) OPERATOR(o2o.<>) 0;

	-- Each lot is what its postings made of it.
	RETURN QUERY
	SELECT v.broken, a.program, coalesce(l.profile_id, u.profile_id), coalesce(l.account_id, u.account_id),
		format('lot of %s, %s: granted %s, remaining %s, consumed %s, expired %s, clawed %s; its postings granted %s, consumed %s, expired %s, clawed %s',
			coalesce(l.grant_month, u.grant_month), coalesce(l.funding, u.funding),
			l.granted, l.remaining, l.consumed, l.expired, l.clawed, u.granted, u.consumed, u.expired, u.clawed)
	FROM o2o.points_lot l
		FULL JOIN (
			SELECT p.profile_id, p.account_id, p.expires_at, p.grant_month, p.funding,
				coalesce(o2o.sum(p.amount) FILTER (WHERE e.effect = 'granted'), 0::o2o.points) AS granted,
				coalesce(OPERATOR(o2o.-) o2o.sum(p.amount) FILTER (WHERE e.effect = 'consumed'), 0::o2o.points) AS consumed,
				coalesce(OPERATOR(o2o.-) o2o.sum(p.amount) FILTER (WHERE e.effect = 'expired'), 0::o2o.points) AS expired,
				coalesce(OPERATOR(o2o.-) o2o.sum(p.amount) FILTER (WHERE e.effect = 'clawed'), 0::o2o.points) AS clawed
			FROM o2o.points_posting p
				JOIN o2o.points_operation() o ON o.operation = p.operation
				CROSS JOIN LATERAL (SELECT CASE WHEN p.amount OPERATOR(o2o.>) 0 THEN o.lot_above_zero ELSE o.lot_below_zero END AS effect) e
			WHERE p.expires_at IS NOT NULL
			GROUP BY p.profile_id, p.account_id, p.expires_at, p.grant_month, p.funding
		) u ON u.profile_id = l.profile_id AND u.account_id = l.account_id AND u.expires_at = l.expires_at
			AND u.grant_month = l.grant_month AND u.funding = l.funding
		LEFT JOIN o2o.points_account a ON a.profile_id = coalesce(l.profile_id, u.profile_id) AND a.account_id = coalesce(l.account_id, u.account_id)
		CROSS JOIN LATERAL (VALUES
			('lot', (l.granted OPERATOR(o2o.=) (l.remaining OPERATOR(o2o.+) l.consumed OPERATOR(o2o.+) l.expired OPERATOR(o2o.+) l.clawed)) IS NOT TRUE
				OR l.remaining OPERATOR(o2o.<) 0 OR l.consumed OPERATOR(o2o.<) 0 OR l.expired OPERATOR(o2o.<) 0 OR l.clawed OPERATOR(o2o.<) 0),
			('lot_history', (l.granted OPERATOR(o2o.=) u.granted AND l.consumed OPERATOR(o2o.=) u.consumed
				AND l.expired OPERATOR(o2o.=) u.expired AND l.clawed OPERATOR(o2o.=) u.clawed) IS NOT TRUE)
		) v (broken, is_broken)
	WHERE v.is_broken AND (for_program IS NULL OR a.program = for_program);

	-- What remains in the lots is the balance and the debt.
	RETURN QUERY
	SELECT 'lot_balance', a.program, coalesce(a.profile_id, l.profile_id), coalesce(a.account_id, l.account_id),
		format('balance %s, debt %s, remaining in lots %s', a.balance, a.debt, l.remaining)
	FROM o2o.points_account a
		FULL JOIN (
			SELECT r.profile_id, r.account_id, o2o.sum(r.remaining) AS remaining
			FROM o2o.points_lot r
			GROUP BY r.profile_id, r.account_id
		) l ON l.profile_id = a.profile_id AND l.account_id = a.account_id
	WHERE CASE WHEN a.kind IN ('seller', 'partner_prepaid', 'partner_postpaid') THEN l.account_id IS NULL AND a.debt OPERATOR(o2o.=) 0
			ELSE a.balance OPERATOR(o2o.=) (coalesce(l.remaining, 0::o2o.points) OPERATOR(o2o.-) a.debt) AND a.debt OPERATOR(o2o.>=) 0 END IS NOT TRUE
		AND (for_program IS NULL OR a.program = for_program);

	RETURN QUERY
	SELECT 'reserve', s.program, NULL::bigint, NULL::bigint,
		format('required %s, reserve %s', trim_scale(s.required), trim_scale(s.reserve))
	FROM o2o.points_reserve_status(for_program) s
		JOIN o2o.points_program p ON p.program = s.program AND p.reserve_policy <> 'none'
	WHERE s.required > s.reserve;
END $$;
COMMENT ON FUNCTION o2o.points_verify(text) IS 'Checks the ledger of one program or of all, on one snapshot; no row means that all is well. A row has the check, program, profile, account (NULL where it is about a transfer or a program) and what is wrong. Checks: version (gapless from 1), running_balance (chains), negative_balance (only after points were taken back), posted_at (rises), account (equals its last posting), contra (an account of the same program whose kind fits the operation, and so does the sign), lot_key (a posting of a member names its lot, unless it makes or repays a debt), held (accounts and lots have on hold what the open portions of holds say), hold (sums to its portions, which are closed when it is; what was captured was burned), reversed (no more of a transfer is given or taken back than it was), in_transit (each transfer sums to zero), lot (granted = remaining + consumed + expired + clawed, none below zero), lot_history (a lot is what its postings made of it), lot_balance (what remains in lots, less the debt, is the balance), reserve (covers the points where the policy is warn or enforce). Error: O2302 unknown program.';
