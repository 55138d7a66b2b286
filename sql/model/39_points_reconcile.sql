-- The points room: running in the shadow of another system. Does the ledger
-- say what that system says, and if not, why? Reads only.

CREATE TABLE IF NOT EXISTS o2o.import_points_balance (
	source text NOT NULL,
	as_of timestamptz NOT NULL,
	program text NOT NULL,
	person o2o.identifier NOT NULL,
	balance o2o.points NOT NULL,
	PRIMARY KEY (source, as_of, program, person)
);
COMMENT ON TABLE o2o.import_points_balance IS 'Staging of points_reconcile(source), filled with COPY: balances of another system at a moment, of all its members.';
COMMENT ON COLUMN o2o.import_points_balance.source IS 'System; refers to source';
COMMENT ON COLUMN o2o.import_points_balance.as_of IS 'Moment at which it had these balances; what happened exactly then is in them';
COMMENT ON COLUMN o2o.import_points_balance.program IS 'Points program; refers to points_program';
COMMENT ON COLUMN o2o.import_points_balance.person IS 'Whose balance it is, such as card:88001 or ref:crm/10023';
COMMENT ON COLUMN o2o.import_points_balance.balance IS 'Points, pending ones included; below zero they are owed';

CREATE SEQUENCE IF NOT EXISTS o2o.import_points_event_no_seq AS bigint CACHE 32;
CREATE TABLE IF NOT EXISTS o2o.import_points_event (
	source text NOT NULL,
	program text NOT NULL,
	person o2o.identifier NOT NULL,
	reference text NOT NULL,
	amount o2o.points NOT NULL,
	occurred_at timestamptz NOT NULL,
	import_no bigint NOT NULL DEFAULT nextval('o2o.import_points_event_no_seq'),
	PRIMARY KEY (source, import_no)
);
COMMENT ON TABLE o2o.import_points_event IS 'Staging of points_reconcile(source), filled with COPY where its rows should name events: what happened in another system since some moment, all of it but expiries.';
COMMENT ON COLUMN o2o.import_points_event.source IS 'System; refers to source';
COMMENT ON COLUMN o2o.import_points_event.program IS 'Points program; refers to points_program';
COMMENT ON COLUMN o2o.import_points_event.person IS 'Whose points they are, such as card:88001 or ref:crm/10023';
COMMENT ON COLUMN o2o.import_points_event.reference IS 'Document, as the events posted here have it in reference; several rows of it add up';
COMMENT ON COLUMN o2o.import_points_event.amount IS 'Points; below zero they were spent or taken back';
COMMENT ON COLUMN o2o.import_points_event.occurred_at IS 'When it happened';
COMMENT ON COLUMN o2o.import_points_event.import_no IS 'Number of the row, given by default';

CREATE OR REPLACE FUNCTION o2o.points_reconcile(source text, as_of timestamptz DEFAULT NULL)
RETURNS TABLE (program text, customer_id bigint, person text, cause text, reference text, theirs numeric, ours numeric, difference numeric, detail text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	moment timestamptz := as_of;
BEGIN
	IF moment IS NULL THEN
		moment := (SELECT max(b.as_of) FROM o2o.import_points_balance b WHERE b.source = points_reconcile.source);
	END IF;
	IF NOT EXISTS (SELECT FROM o2o.import_points_balance b WHERE b.source = points_reconcile.source AND b.as_of = moment) THEN
		RAISE EXCEPTION 'there are no balances to reconcile with'
			USING ERRCODE = 'O2334', DETAIL = format('Source %s, as_of %s.', coalesce(source, 'NULL'), coalesce(moment::text, 'any')),
				HINT = 'Copy them into o2o.import_points_balance.';
	END IF;
	RETURN QUERY
	WITH staged AS MATERIALIZED (
		SELECT b.program, b.person, b.balance, o2o.identifier_profile(b.person) AS profile_id
		FROM o2o.import_points_balance b WHERE b.source = points_reconcile.source AND b.as_of = moment
	), their_event AS MATERIALIZED (
		SELECT e.program, coalesce(c.customer_id, e.profile_id) AS customer_id, e.reference, sum(e.amount::numeric) AS amount
		FROM (
			SELECT i.program, i.reference, i.amount, o2o.identifier_profile(i.person) AS profile_id
			FROM o2o.import_points_event i WHERE i.source = points_reconcile.source AND i.occurred_at <= moment
		) e
			LEFT JOIN o2o.profile c ON c.profile_id = e.profile_id
		WHERE e.profile_id IS NOT NULL
		GROUP BY e.program, coalesce(c.customer_id, e.profile_id), e.reference
	), since AS MATERIALIZED (
		SELECT i.program, min(i.occurred_at) AS at
		FROM o2o.import_points_event i WHERE i.source = points_reconcile.source
		GROUP BY i.program
	), posted AS MATERIALIZED (
		SELECT a.program, coalesce(c.customer_id, a.profile_id) AS customer_id, p.amount::numeric AS amount, p.reference, p.occurred_at, p.operation,
			coalesce(p.expires_at <= moment, false) AS is_gone
		FROM o2o.points_account a
			JOIN o2o.points_posting p ON p.profile_id = a.profile_id AND p.account_id = a.account_id
			LEFT JOIN o2o.profile c ON c.profile_id = a.profile_id
		WHERE a.program IN (SELECT s.program FROM staged s) AND a.kind IN ('member', 'debt') AND p.occurred_at <= moment
	), their_balance AS (
		SELECT s.program, coalesce(c.customer_id, s.profile_id) AS customer_id, sum(s.balance::numeric) AS balance, min(s.person::text) AS person
		FROM staged s
			LEFT JOIN o2o.profile c ON c.profile_id = s.profile_id
		WHERE s.profile_id IS NOT NULL
		GROUP BY s.program, coalesce(c.customer_id, s.profile_id)
	), our_balance AS (
		-- What had expired is gone, whether it was swept then or not.
		SELECT p.program, p.customer_id, coalesce(sum(p.amount) FILTER (WHERE NOT p.is_gone), 0) AS balance,
			coalesce(sum(p.amount) FILTER (WHERE p.is_gone AND p.operation <> 'expire'), 0) AS gone
		FROM posted p
		GROUP BY p.program, p.customer_id
	), both_sides AS (
		SELECT coalesce(t.program, o.program) AS program, coalesce(t.customer_id, o.customer_id) AS customer_id, t.person,
			t.balance AS theirs, coalesce(o.balance, 0) AS ours, coalesce(t.balance, 0) - coalesce(o.balance, 0) AS difference, coalesce(o.gone, 0) AS gone
		FROM their_balance t
			FULL JOIN our_balance o ON o.program = t.program AND o.customer_id = t.customer_id
	), our_event AS (
		SELECT p.program, p.customer_id, p.reference, sum(p.amount) AS amount
		FROM posted p
			JOIN since s ON s.program = p.program AND p.occurred_at >= s.at
		WHERE p.operation NOT IN ('expire', 'opening')
		GROUP BY p.program, p.customer_id, p.reference
	), event AS MATERIALIZED (
		SELECT coalesce(t.program, o.program) AS program, coalesce(t.customer_id, o.customer_id) AS customer_id, coalesce(t.reference, o.reference) AS reference,
			t.amount AS theirs, o.amount AS ours, coalesce(t.amount, 0) - coalesce(o.amount, 0) AS difference
		FROM their_event t
			FULL JOIN our_event o ON o.program = t.program AND o.customer_id = t.customer_id AND o.reference = t.reference
		WHERE coalesce(t.amount, 0) <> coalesce(o.amount, 0)
	), explained AS (
		SELECT b.program, b.customer_id, b.person, b.theirs, b.ours, b.difference, b.difference - coalesce(e.amount, 0) AS rest, b.gone
		FROM both_sides b
			LEFT JOIN (SELECT v.program, v.customer_id, sum(v.difference) AS amount FROM event v GROUP BY v.program, v.customer_id) e
				ON e.program = b.program AND e.customer_id = b.customer_id
	), found AS (
		SELECT s.program, NULL::bigint AS customer_id, s.person::text AS person, 'unknown person' AS cause, NULL::text AS reference,
			s.balance::numeric AS theirs, NULL::numeric AS ours, s.balance::numeric AS difference, 'nobody has the identifier' AS detail
		FROM staged s WHERE s.profile_id IS NULL AND s.balance OPERATOR(o2o.<>) 0
		UNION ALL
		SELECT v.program, v.customer_id, b.person, CASE WHEN v.ours IS NULL THEN 'missing event' WHEN v.theirs IS NULL THEN 'extra event' ELSE 'amount' END,
			v.reference, v.theirs, v.ours, v.difference,
			CASE WHEN v.ours IS NULL THEN 'they have it, the ledger has not' WHEN v.theirs IS NULL THEN 'the ledger has it, they have not'
				ELSE 'the amounts differ' END
		FROM event v
			LEFT JOIN both_sides b ON b.program = v.program AND b.customer_id = v.customer_id
		UNION ALL
		SELECT x.program, x.customer_id, x.person, 'expiry', NULL, x.theirs, x.ours, x.rest, 'they count points that had expired in the ledger'
		FROM explained x WHERE x.rest <> 0 AND x.rest = x.gone AND x.theirs IS NOT NULL
		UNION ALL
		SELECT x.program, x.customer_id, x.person, CASE WHEN x.theirs IS NULL THEN 'no balance' ELSE 'unexplained' END, NULL, x.theirs, x.ours, x.rest,
			CASE WHEN x.theirs IS NULL THEN 'they have no balance of a customer who has one here'
				WHEN x.gone <> 0 THEN format('of the ledger''s points %s had expired', trim_scale(x.gone))
				ELSE 'copy their events into import_points_event, and it names those that differ' END
		FROM explained x WHERE x.rest <> 0 AND (x.rest <> x.gone OR x.theirs IS NULL)
	)
	SELECT f.program, f.customer_id, f.person, f.cause, f.reference, trim_scale(f.theirs), trim_scale(f.ours), trim_scale(f.difference), f.detail
	FROM found f
	ORDER BY f.program, f.customer_id, f.person, f.cause, f.reference;
END $$;
COMMENT ON FUNCTION o2o.points_reconcile(text, timestamptz) IS 'Compares the balances that another system had at a moment (import_points_balance; as_of NULL: the latest staged of the source) with what the ledger has by then: what occurred up to that moment, whenever it was posted, without what had expired by then, over all profiles of a customer of today. No row when all agree. Else one row per thing that differs; the differences (theirs − ours) of a customer''s rows sum up to that of its balance. cause: unknown person (nobody has the identifier), missing event, extra event, amount (events by reference, where import_points_event has theirs; reference, theirs and ours are the event''s then), expiry (they count points that had expired here), no balance (of a customer with points here), unexplained. Error: O2334 no balances are staged.';
