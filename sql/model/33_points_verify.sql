-- The points room: does the ledger hold? Reads only. What needs the order of
-- the postings is in src/points/verify.c, the rest here.

CREATE OR REPLACE FUNCTION o2o.points_verify_accounts(since bigint, since_seq bigint, for_program text)
RETURNS TABLE ("check" text, program text, profile_id bigint, account_id bigint, detail text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET cursor_tuple_fraction = 1
	SET jit = off SET enable_incremental_sort = off AS $$
DECLARE
	horizon bigint := (SELECT h.horizon FROM o2o.points_rollup_horizon h);
	with_chain boolean := EXISTS (SELECT FROM o2o.points_program p WHERE p.is_chained) OR EXISTS (SELECT FROM o2o.points_block b);
	others refcursor;
	pass refcursor;
BEGIN
	OPEN others NO SCROLL FOR
		SELECT s.account_id, s.program, s.kind, r.balance, b.balance
		FROM o2o.points_contra_account s
			LEFT JOIN o2o.points_rollup r ON r.account_id = s.account_id
			LEFT JOIN o2o.points_snapshot_contra b ON b.account_id = s.account_id AND b.snapshot_id = since;
	-- The second column tells what the row is; amounts are those of its table.
	OPEN pass NO SCROLL FOR
		SELECT a.profile_id, a.account_id, 1 AS place, a.version,
			NULL::timestamptz AS expires_at, NULL::date AS grant_month, NULL::text COLLATE "C" AS funding,
			a.balance, a.debt, a.held, NULL::o2o.points, NULL::o2o.points, NULL::o2o.points,
			a.posted_at, a.program, a.kind, NULL::bigint, NULL::bigint, NULL::bigint, a.chain,
			NULL::uuid, NULL::bigint, NULL::bigint, NULL::text, NULL::timestamptz, NULL::text, NULL::bigint
		FROM o2o.points_account a
		UNION ALL
		SELECT l.profile_id, l.account_id, 2, NULL, l.expires_at, l.grant_month, l.funding COLLATE "C",
			l.granted, l.consumed, l.expired, l.clawed, l.remaining, l.held,
			NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
		FROM o2o.points_lot l
		UNION ALL
		SELECT b.profile_id, b.account_id, 3, b.version, NULL, NULL, NULL,
			b.balance, b.debt, NULL, NULL, NULL, NULL,
			b.posted_at, NULL, NULL, NULL, NULL, NULL, b.chain, NULL, NULL, NULL, NULL, NULL, NULL, NULL
		FROM o2o.points_snapshot_account b WHERE b.snapshot_id = since
		UNION ALL
		SELECT b.profile_id, b.account_id, 4, NULL, b.expires_at, b.grant_month, b.funding COLLATE "C",
			b.granted, b.consumed, b.expired, b.clawed, NULL, NULL,
			NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
		FROM o2o.points_snapshot_lot b WHERE b.snapshot_id = since
		UNION ALL
		SELECT t.profile_id, t.account_id, 5, NULL, t.expires_at, t.grant_month, t.funding COLLATE "C",
			t.amount, NULL, NULL, NULL, NULL, NULL,
			NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
		FROM o2o.points_hold_part t WHERE t.is_open
		UNION ALL
		SELECT p.profile_id, p.account_id, 6, p.version, p.expires_at, p.grant_month, p.funding COLLATE "C",
			p.amount, p.balance, NULL, NULL, NULL, NULL,
			p.posted_at, p.operation, NULL, p.transfer_id, p.contra_account_id, p.seq, p.chain,
			CASE WHEN with_chain THEN p.request_id END, CASE WHEN with_chain THEN p.acting_profile_id END,
			CASE WHEN with_chain THEN p.customer_id END, CASE WHEN with_chain THEN p.reference END,
			CASE WHEN with_chain THEN p.occurred_at END, CASE WHEN with_chain THEN p.posted_by END,
			CASE WHEN with_chain THEN p.reverses_transfer_id END
		FROM o2o.points_posting p WHERE since_seq = 0 OR p.seq >= least(since_seq, horizon)
		ORDER BY profile_id, account_id, place, version, expires_at, grant_month, funding;
	RETURN QUERY SELECT v.* FROM o2o.points_verify_pass(pass, others, horizon, with_chain, for_program) v;
	CLOSE pass;
	CLOSE others;
END $$;
COMMENT ON FUNCTION o2o.points_verify_accounts(bigint, bigint, text) IS 'For points_verify(): its checks of accounts, postings, lots, the rollup and the sums of programs, from the snapshot since (NULL: from the first posting) and its horizon since_seq (0: none), for one program or, where NULL, all.';

-- Sums are numeric: those of damaged rows may be out of the range of points.
CREATE OR REPLACE FUNCTION o2o.points_verify_transfers(since_seq bigint, for_program text)
RETURNS TABLE ("check" text, program text, profile_id bigint, account_id bigint, detail text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
	transit bigint[] := ARRAY(SELECT s.account_id FROM o2o.points_system_account s WHERE s.kind = 'in_transit');
	exchanges bigint[] := ARRAY(SELECT s.account_id FROM o2o.points_system_account s WHERE s.kind = 'exchange');
BEGIN
	-- No more of a transfer goes back than it was.
	RETURN QUERY
	WITH touched AS (
		SELECT DISTINCT p.reverses_transfer_id AS transfer_id FROM o2o.points_posting p
		WHERE p.reverses_transfer_id IS NOT NULL AND (since_seq = 0 OR p.seq >= since_seq)
	), back AS (
		SELECT p.reverses_transfer_id AS transfer_id, sum(p.amount::numeric) AS amount, min(a.program) AS program
		FROM o2o.points_posting p
			LEFT JOIN o2o.points_account a ON a.profile_id = p.profile_id AND a.account_id = p.account_id
		WHERE p.reverses_transfer_id IN (SELECT t.transfer_id FROM touched t) AND p.operation IN ('refund', 'clawback', 'reverse')
		GROUP BY p.reverses_transfer_id
	), forth AS (
		SELECT p.transfer_id, sum(p.amount::numeric) AS amount
		FROM o2o.points_posting p
		WHERE p.transfer_id IN (SELECT t.transfer_id FROM touched t) AND p.operation <> 'expire'
		GROUP BY p.transfer_id
	)
	SELECT 'reversed', b.program, NULL::bigint, NULL::bigint,
		format('transfer %s of %s, given or taken back %s', b.transfer_id, coalesce(trim_scale(f.amount)::text, 'nothing'), trim_scale(b.amount))
	FROM back b
		LEFT JOIN forth f ON f.transfer_id = b.transfer_id
	WHERE (for_program IS NULL OR b.program = for_program)
		AND (((f.amount > 0) <> (b.amount > 0)) IS NOT TRUE
			OR abs(b.amount) > abs(f.amount)
				-- A clawback that was reversed may be made once more.
				AND NOT EXISTS (SELECT FROM o2o.points_posting p
					WHERE p.reverses_transfer_id IN (SELECT q.transfer_id FROM o2o.points_posting q WHERE q.reverses_transfer_id = b.transfer_id)));

	-- What goes into in_transit comes out of it in the same transfer.
	RETURN QUERY
	SELECT 'in_transit', s.program, NULL::bigint, NULL::bigint,
		format('transfer %s leaves %s in transit', t.transfer_id, - trim_scale(t.amount))
	FROM (
		SELECT p.transfer_id, p.contra_account_id, sum(p.amount::numeric) AS amount
		FROM o2o.points_posting p
		WHERE p.contra_account_id = ANY (transit) AND (since_seq = 0 OR p.seq >= since_seq)
		GROUP BY p.transfer_id, p.contra_account_id
		HAVING sum(p.amount::numeric) <> 0
	) t
		JOIN o2o.points_system_account s ON s.account_id = t.contra_account_id
	WHERE for_program IS NULL OR s.program = for_program;

	-- What leaves one program for another arrives there by the same call, as it was recorded.
	RETURN QUERY
	SELECT 'exchange', s.program, NULL::bigint, NULL::bigint,
		format('request %s: out of %s programs, into %s', t.request_id, t.programs_out, t.programs_in)
	FROM (
		SELECT p.request_id, min(p.contra_account_id) AS contra_account_id,
			count(DISTINCT p.contra_account_id) FILTER (WHERE p.amount OPERATOR(o2o.<) 0) AS programs_out,
			count(DISTINCT p.contra_account_id) FILTER (WHERE p.amount OPERATOR(o2o.>) 0) AS programs_in,
			count(DISTINCT p.contra_account_id) AS programs
		FROM o2o.points_posting p
		WHERE p.contra_account_id = ANY (exchanges) AND (since_seq = 0 OR p.seq >= since_seq)
		GROUP BY p.request_id
	) t
		JOIN o2o.points_system_account s ON s.account_id = t.contra_account_id
	WHERE (t.programs_out = 1 AND t.programs_in = 1 AND t.programs = 2) IS NOT TRUE
		AND (for_program IS NULL OR s.program = for_program);
	RETURN QUERY
	SELECT 'exchange', coalesce(s.program, e.program), NULL::bigint, NULL::bigint,
		format('transfer %s: recorded %s, posted %s', coalesce(t.transfer_id, e.transfer_id), coalesce(e.amount::text, 'nothing'),
			coalesce(trim_scale(t.amount)::text, 'nothing'))
	FROM (
		SELECT p.transfer_id, min(p.contra_account_id) AS contra_account_id, sum(p.amount::numeric) AS amount
		FROM o2o.points_posting p
		WHERE p.contra_account_id = ANY (exchanges) AND p.operation IN ('exchange_out', 'exchange_in') AND (since_seq = 0 OR p.seq >= since_seq)
		GROUP BY p.transfer_id
	) t
		JOIN o2o.points_system_account s ON s.account_id = t.contra_account_id
		FULL JOIN (
			SELECT x.transfer_id, x.from_program AS program, OPERATOR(o2o.-) x.given AS amount FROM o2o.points_exchanged x
			UNION ALL
			SELECT x.to_transfer_id, x.to_program, x.received FROM o2o.points_exchanged x
		) e ON e.transfer_id = t.transfer_id
	WHERE (t.amount = e.amount::numeric AND s.program = e.program) IS NOT TRUE
		-- Recorded ones from before are not read.
		AND (since_seq = 0 OR t.transfer_id IS NOT NULL)
		AND (for_program IS NULL OR for_program IN (s.program, e.program));
END $$;
COMMENT ON FUNCTION o2o.points_verify_transfers(bigint, text) IS 'For points_verify(): its checks of transfers with postings from a change number on (0: all), in one program or, where NULL, all.';

CREATE OR REPLACE FUNCTION o2o.points_verify_holds(for_program text)
RETURNS TABLE ("check" text, program text, profile_id bigint, account_id bigint, detail text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
	SELECT 'hold', coalesce(h.program, t.program), h.profile_id, NULL::bigint,
		format('hold %s (%s) of %s, portions %s, captured %s', coalesce(h.hold_id, t.hold_id), h.state, h.amount, trim_scale(t.amount), h.captured)
	FROM o2o.points_hold h
		FULL JOIN (
			SELECT q.hold_id, sum(q.amount::numeric) AS amount, bool_or(q.is_open) AS some_open, bool_and(q.is_open) AS all_open,
				min(q.held_until) AS held_until, max(q.held_until) AS held_until_last, min(a.program) AS program
			FROM o2o.points_hold_part q
				LEFT JOIN o2o.points_account a ON a.profile_id = q.profile_id AND a.account_id = q.account_id
			GROUP BY q.hold_id
		) t ON t.hold_id = h.hold_id
		LEFT JOIN (
			SELECT p.transfer_id, - sum(p.amount::numeric) AS amount
			FROM o2o.points_posting p
			WHERE p.transfer_id IN (SELECT c.transfer_id FROM o2o.points_hold c WHERE c.state = 'captured') AND p.operation = 'burn'
			GROUP BY p.transfer_id
		) b ON b.transfer_id = h.transfer_id AND h.state = 'captured'
	WHERE (h.amount::numeric = t.amount AND h.expires_at = t.held_until AND h.expires_at = t.held_until_last
			AND CASE h.state WHEN 'open' THEN t.all_open OR h.expires_at <= clock_timestamp() ELSE NOT t.some_open END
			AND CASE h.state WHEN 'captured' THEN h.captured::numeric = b.amount AND h.captured OPERATOR(o2o.<=) h.amount
				ELSE h.captured OPERATOR(o2o.=) 0 END) IS NOT TRUE
		AND (for_program IS NULL OR for_program IN (h.program, t.program));
END $$;
COMMENT ON FUNCTION o2o.points_verify_holds(text) IS 'For points_verify(): its check of holds, in one program or, where NULL, all.';

CREATE OR REPLACE FUNCTION o2o.points_verify_blocks(since_seq bigint)
RETURNS TABLE ("check" text, program text, profile_id bigint, account_id bigint, detail text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
	block o2o.points_block;
	before o2o.points_block;
	leaves bytea;
	problem text;
BEGIN
	FOR block IN SELECT b.* FROM o2o.points_block b ORDER BY b.block_no LOOP
		problem := NULL;
		IF block.block_no <> coalesce(before.block_no, 0) + 1 OR block.from_seq <> coalesce(before.to_seq, 0)
			OR block.previous IS DISTINCT FROM before.hash
		THEN
			problem := 'does not continue the block before it';
		ELSIF block.hash <> o2o.points_block_hash(block.previous, block.block_no, block.from_seq, block.to_seq, block.postings, block.root) THEN
			problem := 'has another hash than its content';
		ELSIF block.to_seq > since_seq THEN
			leaves := o2o.points_block_leaves(block.from_seq, block.to_seq);
			IF octet_length(leaves) IS DISTINCT FROM block.postings * 32 OR o2o.points_merkle_root(leaves) <> block.root THEN
				problem := format('was made over %s postings, others than are there', block.postings);
			END IF;
		END IF;
		IF problem IS NOT NULL THEN
			"check" := 'block';
			detail := format('block %s %s', block.block_no, problem);
			RETURN NEXT;
		END IF;
		before := block;
	END LOOP;
END $$;
COMMENT ON FUNCTION o2o.points_verify_blocks(bigint) IS 'For points_verify(): its check of blocks. That each continues the one before is looked at for all, what they were made over for those with postings from a change number on (0: all).';

CREATE OR REPLACE FUNCTION o2o.points_verify(for_program text DEFAULT NULL, since bigint DEFAULT NULL)
RETURNS TABLE ("check" text, program text, profile_id bigint, account_id bigint, detail text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	since_seq bigint := 0;
	parties bigint[] := ARRAY(SELECT a.account_id FROM o2o.points_account a WHERE a.kind IN ('seller', 'partner_prepaid', 'partner_postpaid'));
BEGIN
	IF for_program IS NOT NULL AND NOT EXISTS (SELECT FROM o2o.points_program p WHERE p.program = for_program) THEN
		RAISE EXCEPTION 'points program "%" does not exist', for_program
			USING ERRCODE = 'O2302', HINT = 'Make it with points_program_create().';
	ELSIF since IS NOT NULL THEN
		SELECT s.horizon INTO since_seq FROM o2o.points_snapshot s WHERE s.snapshot_id = since;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'there is no such snapshot of points'
				USING ERRCODE = 'O2340', DETAIL = format('Snapshot %s.', since), HINT = 'points_snapshot_take() returned its number.';
		END IF;
	END IF;

	RETURN QUERY SELECT v.* FROM o2o.points_verify_accounts(since, since_seq, for_program) v;
	RETURN QUERY SELECT v.* FROM o2o.points_verify_transfers(since_seq, for_program) v;
	RETURN QUERY SELECT v.* FROM o2o.points_verify_holds(for_program) v;
	RETURN QUERY SELECT v.* FROM o2o.points_verify_blocks(since_seq) v;

	-- An account of a chained program has no way out of the chain.
	RETURN QUERY
	SELECT 'chain', a.program, a.profile_id, a.account_id, 'account is not chained, its program is'
	FROM o2o.points_program p
		JOIN o2o.points_account a ON a.program = p.program AND a.chain IS NULL
	WHERE p.is_chained AND (for_program IS NULL OR p.program = for_program);

	-- What the rollup says of the points that are outstanding, against the lots of the program.
	RETURN QUERY
	SELECT 'outstanding', p.program, NULL::bigint, NULL::bigint,
		format('lots have %s, rollup and postings since %s', trim_scale(coalesce(l.remaining, 0)), trim_scale(o.outstanding))
	FROM o2o.points_program p
		LEFT JOIN (
			SELECT a.program, o2o.points_total(CASE WHEN l.expires_at > now() THEN l.remaining ELSE l.held END) AS remaining
			FROM o2o.points_account a
				JOIN o2o.points_lot l ON l.profile_id = a.profile_id AND l.account_id = a.account_id
			GROUP BY a.program
		) l ON l.program = p.program
		CROSS JOIN LATERAL (SELECT o2o.points_outstanding(p.program) AS outstanding OFFSET 0) o
	WHERE coalesce(l.remaining, 0) <> o.outstanding AND p.inactive_after IS NULL AND (for_program IS NULL OR p.program = for_program);

	-- What the stripes of the headroom promise beyond what the reserve covers, at the rates at which they were settled.
	RETURN QUERY
	SELECT v.broken, s.program, NULL::bigint, NULL::bigint, v.detail
	FROM o2o.points_reserve s
		LEFT JOIN o2o.points_reserve_headroom h ON h.program = s.program AND h.money_per_point = o2o.points_reserve_need(s.program)
		LEFT JOIN (
			SELECT t.account_id, sum(t.available::numeric) AS available FROM o2o.points_stripe t GROUP BY t.account_id
		) t ON t.account_id = h.account_id
		CROSS JOIN LATERAL (VALUES
			('reserve', s.is_breached, format('required %s, reserve %s', s.required, trim_scale(s.reserve))),
			('headroom', s.reserve_policy = 'enforce' AND t.available > 0 AND t.available > s.headroom,
				format('stripes have %s, the reserve covers %s', trim_scale(t.available), s.headroom))
		) v (broken, is_broken, detail)
	WHERE v.is_broken AND s.reserve_policy <> 'none' AND (for_program IS NULL OR s.program = for_program);

	-- A seller never has less than nothing; the stripes of a partner have what it has and may owe.
	RETURN QUERY
	SELECT v.broken, a.program, a.profile_id, a.account_id, v.detail
	FROM o2o.points_account a
		LEFT JOIN o2o.points_contra_balance(parties) b ON b.account_id = a.account_id
		LEFT JOIN o2o.points_partner r ON r.account_id = a.account_id
		CROSS JOIN LATERAL (
			SELECT a.balance::numeric + coalesce(b.balance, 0) AS balance, coalesce(sum(t.available::numeric), 0) AS available
			FROM o2o.points_stripe t WHERE t.account_id = a.account_id) h
		CROSS JOIN LATERAL (VALUES
			('seller', a.kind = 'seller' AND h.balance < 0, format('balance %s', trim_scale(h.balance))),
			('closed', a.kind = 'seller' AND a.closed_at IS NOT NULL AND h.balance > 0, format('the seller has %s', trim_scale(h.balance))),
			('partner', a.kind <> 'seller' AND h.available IS DISTINCT FROM h.balance + r.credit_limit::numeric,
				format('balance %s, limit %s, stripes %s', trim_scale(h.balance), r.credit_limit, trim_scale(h.available)))
		) v (broken, is_broken, detail)
	WHERE a.account_id = ANY (parties) AND v.is_broken AND (for_program IS NULL OR a.program = for_program);
	RETURN QUERY
	SELECT 'closed', a.program, a.profile_id, a.account_id, format('balance %s, debt %s, held %s', a.balance, a.debt, a.held)
	FROM o2o.points_account a
	WHERE a.closed_at IS NOT NULL AND a.kind IN ('member', 'debt') AND (a.balance OPERATOR(o2o.<>) 0 OR a.debt OPERATOR(o2o.<>) 0 OR a.held OPERATOR(o2o.<>) 0)
		AND (for_program IS NULL OR a.program = for_program);

	-- A budget is what was put in, less what transfers issued from it.
	RETURN QUERY
	SELECT 'budget', b.program, NULL::bigint, NULL::bigint,
		format('budget %s: put in %s, issued %s, available %s', b.budget_id, b.amount, coalesce(u.amount, 0), b.available)
	FROM o2o.points_budgets b
		LEFT JOIN (SELECT w.budget_id, sum(w.amount::numeric) AS amount FROM o2o.points_budget_use w GROUP BY w.budget_id) u ON u.budget_id = b.budget_id
	WHERE b.amount - coalesce(u.amount, 0) <> b.available AND (for_program IS NULL OR b.program = for_program);
END $$;
COMMENT ON FUNCTION o2o.points_verify(text, bigint) IS 'Checks the ledger of one program or of all, on one snapshot; no row means that all is well. A row has the check, program, profile, account (NULL where it is about a transfer, a program or a block) and what is wrong. Checks: version (gapless from 1), running_balance (chains), negative_balance (only where there is a debt), posted_at (rises), account (equals its last posting), contra (an account of the same program whose kind fits the operation, and so does the sign), lot_key (a posting of a member names its lot, unless it makes or repays a debt), debt (what postings without a lot came to, never below zero), held (accounts and lots have on hold what the open portions of holds say), hold (sums to its portions, which are closed when it is; what was captured was burned), reversed (no more of a transfer is given or taken back than it was), in_transit (each transfer sums to zero), exchange (both legs are there, as recorded), lot (granted = remaining + consumed + expired + clawed, none below zero), lot_history (a lot is what its postings made of it), lot_balance (what remains in lots, less the debt, is the balance), rollup (is the sum of the postings below its horizon), outstanding (points_outstanding() is what remains in the lots; programs without inactive_after), sum (accounts and other sides of a program come to zero, as points_system_balance() has them), chain (each link covers its posting and the link before, where the program is chained), block (continues the one before and covers the postings of its range), reserve (covers the points where the policy is warn or enforce), headroom (what may still be issued where it is enforce is covered), seller (has no less than nothing), partner (its stripes have what it paid for or may owe), closed (such an account of a member or seller is empty; a payment in progress while its seller closed is told so), budget (has what was put in and not issued). since, a snapshot of points_snapshot_take(): of the postings only those written since are read, and the snapshot stands for all before them; accounts, lots, holds, the rollup, budgets and the reserve are compared as a whole. So a change of a posting from before the snapshot is not seen then, nor one of the snapshot itself. Memory: work_mem for each sort, which goes to disk beyond it. Errors: O2302 unknown program, O2340 no such snapshot.';
