-- The points room: expiry on inactivity. When it comes is told by one view;
-- points_accounts_lock posts what has come, before anything else is posted.

CREATE OR REPLACE VIEW o2o.points_lapse AS
SELECT a.program, a.profile_id, a.account_id, e.lapses_at
FROM o2o.points_program r
	JOIN o2o.points_account a ON a.program = r.program AND a.kind = 'member'
	LEFT JOIN o2o.profile p ON p.profile_id = a.profile_id
	CROSS JOIN LATERAL (
		SELECT coalesce((SELECT array_agg(o.profile_id) FROM o2o.profile o WHERE o.customer_id = p.customer_id), ARRAY[a.profile_id]) AS profile_ids
	) c
	-- Of whoever did something not long ago the newest postings say so.
	CROSS JOIN LATERAL (
		SELECT EXISTS (
			SELECT FROM o2o.points_account m
				CROSS JOIN LATERAL (
					SELECT t.version FROM o2o.points_posting t
					WHERE t.profile_id = m.profile_id AND t.account_id = m.account_id
						AND t.operation <> 'expire' AND (t.amount OPERATOR(o2o.>) 0 OR t.operation NOT IN ('clawback', 'reverse', 'adjust'))
						AND o2o.points_expires_at(t.occurred_at, r.inactive_after, 'none', r.time_zone) > o2o.points_expires_at(now(), interval '30 days', 'none', r.time_zone)
					ORDER BY t.version DESC LIMIT 1) t
			WHERE m.profile_id = ANY (c.profile_ids) AND m.program = r.program AND m.kind IN ('member', 'debt') AND m.version > 0
				AND o2o.points_expires_at(m.posted_at, r.inactive_after, 'none', r.time_zone) > o2o.points_expires_at(now(), interval '30 days', 'none', r.time_zone)
		) AS is_active
	) q
	CROSS JOIN LATERAL (
		SELECT o2o.points_expires_at(max(t.occurred_at), r.inactive_after, 'none', r.time_zone) AS lapses_at
		FROM o2o.points_account m
			JOIN o2o.points_posting t ON t.profile_id = m.profile_id AND t.account_id = m.account_id
		WHERE NOT q.is_active AND m.profile_id = ANY (c.profile_ids) AND m.program = r.program AND m.kind IN ('member', 'debt')
			AND t.operation <> 'expire' AND (t.amount OPERATOR(o2o.>) 0 OR t.operation NOT IN ('clawback', 'reverse', 'adjust'))
	) e
WHERE r.inactive_after IS NOT NULL AND e.lapses_at <= o2o.points_expires_at(now(), interval '30 days', 'none', r.time_zone);
COMMENT ON VIEW o2o.points_lapse IS 'One row per member account whose customer did nothing in the program for so long that its points are gone for inactivity, or will be within 30 days. What counts is the latest posting, over all profiles of the customer of today, other than an expiry and than what takes points back (clawback, reversal or adjustment below zero). Programs without inactive_after have no rows. Live; times are instants.';
COMMENT ON COLUMN o2o.points_lapse.program IS 'Points program; refers to points_program';
COMMENT ON COLUMN o2o.points_lapse.profile_id IS 'Profile whose account it is';
COMMENT ON COLUMN o2o.points_lapse.account_id IS 'Account; refers to points_account';
COMMENT ON COLUMN o2o.points_lapse.lapses_at IS 'First moment at which the points that are not on hold are gone: the latest such posting + inactive_after, on the clock of the program''s time zone';

CREATE OR REPLACE FUNCTION o2o.points_lapses_at(members bigint[], program text) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF EXISTS (SELECT FROM o2o.points_program p WHERE p.program = points_lapses_at.program AND p.inactive_after IS NOT NULL) THEN
		RETURN (SELECT max(l.lapses_at) FROM o2o.points_lapse l
			WHERE l.profile_id = ANY (members) AND l.program = points_lapses_at.program);
	END IF;
	RETURN 'infinity';
END $$;
COMMENT ON FUNCTION o2o.points_lapses_at(bigint[], text) IS 'When the points of a customer (profiles: members) in a program are gone for inactivity, if that is past or within 30 days, see points_lapse; NULL or infinity: it is not.';

CREATE OR REPLACE FUNCTION o2o.points_lapse_post(profile_ids bigint[], program text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	request uuid := gen_random_uuid();
	lapsed bigint := 0;
	part record;
BEGIN
	FOR part IN
		SELECT x.profile_id, x.account_id, x.program, x.lapses_at, array_agg(l.expires_at) AS expires_at, array_agg(l.grant_month) AS grant_month,
			array_agg(l.funding) AS funding, array_agg(l.held OPERATOR(o2o.-) l.remaining) AS amounts
		FROM o2o.points_lapse x
			JOIN o2o.points_lot l ON l.profile_id = x.profile_id AND l.account_id = x.account_id
		WHERE x.profile_id = ANY (profile_ids) AND (points_lapse_post.program IS NULL OR x.program = points_lapse_post.program)
			AND x.lapses_at <= now() AND l.expires_at > x.lapses_at AND l.remaining OPERATOR(o2o.>) l.held
		GROUP BY x.profile_id, x.account_id, x.program, x.lapses_at
		ORDER BY x.account_id
	LOOP
		PERFORM o2o.points_post(part.profile_id, part.account_id, nextval('o2o.points_transfer_id_seq'),
			o2o.points_system_account_id(part.program, 'expired'), 'expire', part.expires_at, part.grant_month, part.funding, part.amounts, request,
			part.profile_id, o2o.profile_customer(part.profile_id), NULL, NULL, part.lapses_at);
		lapsed := lapsed + cardinality(part.amounts);
	END LOOP;
	RETURN lapsed;
END $$;
COMMENT ON FUNCTION o2o.points_lapse_post(bigint[], text) IS 'Posts the expiry of points that are gone for inactivity, in the accounts of the profiles, in one program or in all, whose locks are held, but for lots that had expired by then. Returns how many lots.';
