-- The points room: what was posted when. Reads only.

CREATE OR REPLACE FUNCTION o2o.points_balance_at(person o2o.identifier, as_of timestamptz)
RETURNS TABLE (program text, balance o2o.points, is_final boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT b.* FROM o2o.points_balance_at(o2o.person_profile(person), as_of) b;
END $$;
COMMENT ON FUNCTION o2o.points_balance_at(o2o.identifier, timestamptz) IS 'What the postings of the customer, over all its profiles of today, came to at a moment, one row per program: those posted up to as_of, exactly, since posted_at rises with the versions of an account. What occurred earlier and was posted later does not count. is_final: whether the answer can no longer change; false while a transaction that began no later than as_of is open and could still post, while one is prepared, for a moment to come, and outside READ COMMITTED. Points on hold and points expired but not swept are in the balance. Error: O2201 nobody has the identifier.';

CREATE OR REPLACE FUNCTION o2o.points_balance_at(person bigint, as_of timestamptz)
RETURNS TABLE (program text, balance o2o.points, is_final boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	members bigint[];
	settled boolean;
BEGIN
	-- First who is writing, then, in a later statement, what is written.
	settled := as_of < least(o2o.writer_horizon(), clock_timestamp())
		AND current_setting('transaction_isolation') = 'read committed'
		AND NOT EXISTS (SELECT FROM pg_prepared_xacts x WHERE x.database = current_database());
	members := o2o.customer_profiles(o2o.profile_customer(o2o.person_profile(person)));
	RETURN QUERY
	SELECT a.program, o2o.sum(coalesce(p.balance, 0::o2o.points)), settled
	FROM o2o.points_account a
		LEFT JOIN LATERAL (
			SELECT o.balance FROM o2o.points_posting o
			WHERE o.profile_id = a.profile_id AND o.account_id = a.account_id AND o.posted_at <= as_of
			ORDER BY o.version DESC LIMIT 1) p ON true
	WHERE a.profile_id = ANY (members) AND a.kind = 'member'
	GROUP BY a.program
	ORDER BY a.program;
END $$;
COMMENT ON FUNCTION o2o.points_balance_at(bigint, timestamptz) IS 'The same for a person known by profile or customer id.';

CREATE OR REPLACE FUNCTION o2o.points_statement(person o2o.identifier, program text, from_at timestamptz DEFAULT '-infinity', to_at timestamptz DEFAULT 'infinity')
RETURNS TABLE (posted_at timestamptz, occurred_at timestamptz, transfer_id bigint, profile_id bigint, operation text, amount o2o.points, balance o2o.points,
	reference text, reason text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT s.* FROM o2o.points_statement(o2o.person_profile(person), points_statement.program, from_at, to_at) s;
END $$;
COMMENT ON FUNCTION o2o.points_statement(o2o.identifier, text, timestamptz, timestamptz) IS 'The postings of a customer in a program, over all its profiles of today, from from_at until before to_at, in the order in which they were posted, those of one transfer, operation and account in one row: when it was posted and when it happened, transfer_id (one transfer may have several rows), profile whose account it is, operation, points (below zero: left), balance of the customer after it, what it owes on an account of its own set off, reference and reason. The opening balance is balance less amount of the first row. Errors: O2201 nobody has the identifier, O2302 unknown program.';

CREATE OR REPLACE FUNCTION o2o.points_statement(person bigint, program text, from_at timestamptz DEFAULT '-infinity', to_at timestamptz DEFAULT 'infinity')
RETURNS TABLE (posted_at timestamptz, occurred_at timestamptz, transfer_id bigint, profile_id bigint, operation text, amount o2o.points, balance o2o.points,
	reference text, reason text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	members bigint[] := o2o.customer_profiles(o2o.profile_customer(o2o.person_profile(person)));
BEGIN
	IF NOT EXISTS (SELECT FROM o2o.points_program p WHERE p.program = points_statement.program) THEN
		RAISE EXCEPTION 'points program "%" does not exist', program
			USING ERRCODE = 'O2302', HINT = 'Make it with points_program_create().';
	END IF;
	RETURN QUERY
	SELECT s.posted_at, s.occurred_at, s.transfer_id, s.profile_id, s.operation, s.amount, s.balance, s.reference, s.reason
	FROM (
		SELECT t.*, o2o.sum(t.amount) OVER (ORDER BY t.posted_at, t.account_id, t.version ROWS UNBOUNDED PRECEDING) AS balance
		FROM (
			SELECT min(p.posted_at) AS posted_at, max(p.occurred_at) AS occurred_at, p.transfer_id, p.profile_id, p.operation,
				o2o.sum(p.amount) AS amount, min(p.reference) AS reference, min(p.reason) AS reason, p.account_id, min(p.version) AS version
			FROM o2o.points_account a
				JOIN o2o.points_posting p ON p.profile_id = a.profile_id AND p.account_id = a.account_id
			WHERE a.profile_id = ANY (members) AND a.program = points_statement.program AND a.kind IN ('member', 'debt') AND p.posted_at < to_at
			GROUP BY p.transfer_id, p.operation, p.profile_id, p.account_id
		) t
	) s
	WHERE s.posted_at >= from_at
	ORDER BY s.posted_at, s.account_id, s.version;
END $$;
COMMENT ON FUNCTION o2o.points_statement(bigint, text, timestamptz, timestamptz) IS 'The same for a person known by profile or customer id.';
