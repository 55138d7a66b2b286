-- The points room: balances taken over from another system, lot by lot, with a
-- receipt. What happened in that system since is for 34 (points_import).

CREATE SEQUENCE IF NOT EXISTS o2o.import_points_opening_no_seq AS bigint CACHE 32;
CREATE TABLE IF NOT EXISTS o2o.import_points_opening (
	batch_id bigint NOT NULL,
	source text NOT NULL,
	person o2o.identifier NOT NULL,
	program text NOT NULL,
	amount o2o.points NOT NULL,
	granted_at timestamptz NOT NULL,
	expires_at timestamptz,
	pending_until timestamptz,
	funding text NOT NULL DEFAULT 'program',
	reference text,
	import_no bigint NOT NULL DEFAULT nextval('o2o.import_points_opening_no_seq'),
	profile_id bigint,
	problem text,
	PRIMARY KEY (batch_id, import_no)
);
COMMENT ON TABLE o2o.import_points_opening IS 'Staging of points_opening_import(batch_id), filled with COPY: what members have in another system, one row a lot; several rows of a member add up.';
COMMENT ON COLUMN o2o.import_points_opening.batch_id IS 'Number that the caller gives a batch';
COMMENT ON COLUMN o2o.import_points_opening.source IS 'System that the balances come from; refers to source';
COMMENT ON COLUMN o2o.import_points_opening.person IS 'Whose points they are, such as card:88001 or ref:crm/10023; known to identify() before';
COMMENT ON COLUMN o2o.import_points_opening.program IS 'Points program; refers to points_program';
COMMENT ON COLUMN o2o.import_points_opening.amount IS 'Points; below zero they are owed';
COMMENT ON COLUMN o2o.import_points_opening.granted_at IS 'When they were earned there (decides their month); of an amount owed, since when';
COMMENT ON COLUMN o2o.import_points_opening.expires_at IS 'First moment at which they are gone, past ones too; infinity: never; NULL: as the program''s rule says of granted_at';
COMMENT ON COLUMN o2o.import_points_opening.pending_until IS 'When they can be spent from; NULL: at once';
COMMENT ON COLUMN o2o.import_points_opening.funding IS 'Who funds them; program: the program itself';
COMMENT ON COLUMN o2o.import_points_opening.reference IS 'The caller''s document; NULL: opening/<source>';
COMMENT ON COLUMN o2o.import_points_opening.import_no IS 'Number of the row, given by default';
COMMENT ON COLUMN o2o.import_points_opening.profile_id IS 'Profile whose points they are, filled by the import';
COMMENT ON COLUMN o2o.import_points_opening.problem IS 'Why the row was not posted, filled by the import; NULL: it was, or is not imported yet. A corrected row goes into another batch';

CREATE OR REPLACE FUNCTION o2o.points_opening_rows(batch_id bigint)
RETURNS TABLE (import_no bigint, program text, profile_id bigint, kind text, account_id bigint, expires_at timestamptz, grant_month date, funding text,
	amount o2o.points, pending_until timestamptz, granted_at timestamptz, reference text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
	SELECT i.import_no, i.program, i.profile_id, k.kind, a.account_id, l.expires_at, l.grant_month, l.funding, i.amount,
		CASE WHEN i.pending_until > now() THEN i.pending_until END, i.granted_at, coalesce(i.reference, 'opening/' || i.source)
	FROM o2o.import_points_opening i
		JOIN o2o.points_program r ON r.program = i.program
		CROSS JOIN LATERAL (SELECT CASE WHEN i.amount OPERATOR(o2o.<) 0 AND r.clawback_policy = 'debt' THEN 'debt' ELSE 'member' END AS kind) k
		LEFT JOIN LATERAL (
			SELECT coalesce(i.expires_at, o2o.points_expires_at(i.granted_at, r.expires_after, r.expires_round, r.time_zone, r.expires_at)) AS expires_at,
				o2o.points_grant_month(i.granted_at, r.time_zone) AS grant_month, i.funding
			WHERE i.amount OPERATOR(o2o.>) 0) l ON true
		LEFT JOIN o2o.points_account a ON a.profile_id = i.profile_id AND a.program = i.program AND a.kind = k.kind
	WHERE i.batch_id = points_opening_rows.batch_id AND i.problem IS NULL;
END $$;
COMMENT ON FUNCTION o2o.points_opening_rows(bigint) IS 'The rows of a batch of import_points_opening without a problem, as they are posted: kind of account and account (NULL: not opened yet), lot (NULL where points are owed), pending_until where that is yet to come.';

CREATE OR REPLACE FUNCTION o2o.points_opening_import(batch_id bigint)
RETURNS TABLE (source text, program text, rows bigint, points numeric, owed numeric, pending numeric, expired numeric, problems bigint, problem_points numeric)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	claim record;
	receipt jsonb;
	part record;
BEGIN
	SELECT c.* INTO claim
	FROM o2o.request_claim('points_opening_import/' || points_opening_import.batch_id, 'points_opening_import',
		jsonb_build_object('batch_id', points_opening_import.batch_id)) c;
	IF claim.replay IS NULL THEN
		UPDATE o2o.import_points_opening i SET profile_id = w.profile_id, problem = w.problem
		FROM (
			SELECT o.import_no, q.profile_id,
				CASE WHEN s.source IS NULL THEN format('source "%s" is not registered', o.source)
					WHEN r.program IS NULL THEN format('points program "%s" does not exist', o.program)
					WHEN q.profile_id IS NULL THEN 'no customer has this identifier'
					WHEN o.amount OPERATOR(o2o.=) 0 THEN 'amount is zero'
					WHEN o2o.points_round(o.amount, r.scale, 'floor') OPERATOR(o2o.<>) o.amount THEN format('more than %s digits after the point', r.scale)
					WHEN NOT isfinite(o.granted_at) OR o.granted_at > now() THEN 'granted_at is not in the past'
					WHEN o.expires_at <= o.granted_at THEN 'expires_at is not after granted_at'
					WHEN o.pending_until = 'infinity' THEN 'pending_until is infinity'
					WHEN o.amount OPERATOR(o2o.<) 0 AND o.pending_until IS NOT NULL THEN 'what is owed cannot be pending'
					WHEN o.amount OPERATOR(o2o.<) 0 AND r.clawback_policy = 'available' THEN 'in this program nobody owes points' END AS problem
			FROM o2o.import_points_opening o
				LEFT JOIN o2o.source s ON s.source = o.source
				LEFT JOIN o2o.points_program r ON r.program = o.program
				CROSS JOIN LATERAL (SELECT o2o.identifier_profile(o.person) AS profile_id) q
			WHERE o.batch_id = points_opening_import.batch_id
		) w
		WHERE i.batch_id = points_opening_import.batch_id AND i.import_no = w.import_no;
		ANALYZE o2o.import_points_opening;

		INSERT INTO o2o.points_account (profile_id, program, kind)
		SELECT DISTINCT w.profile_id, w.program, w.kind FROM o2o.points_opening_rows(points_opening_import.batch_id) w
		ORDER BY w.profile_id, w.program, w.kind
		ON CONFLICT DO NOTHING;
		PERFORM o2o.points_accounts_lock(ARRAY(SELECT DISTINCT w.profile_id FROM o2o.points_opening_rows(points_opening_import.batch_id) w));
		ANALYZE o2o.points_account;

		-- In bounded parts, so that the arrays stay small.
		FOR part IN
			SELECT array_agg(q.profile_id) AS profile_id, array_agg(q.account_id) AS account_id, array_agg(nextval('o2o.points_transfer_id_seq')) AS transfer_id,
				array_agg(s.account_id) AS contra_account_id, array_agg(q.expires_at) AS expires_at, array_agg(q.grant_month) AS grant_month,
				array_agg(q.funding) AS funding, array_agg(q.amount) AS amount, array_agg(coalesce(c.customer_id, q.profile_id)) AS customer_id,
				array_agg(q.reference) AS reference, array_agg(q.granted_at) AS granted_at, ARRAY[count(*)::integer] AS n
			FROM (
				SELECT w.*, (row_number() OVER (ORDER BY w.account_id, w.import_no) - 1) / 5000 AS part
				FROM o2o.points_opening_rows(points_opening_import.batch_id) w
			) q
				JOIN o2o.points_system_account s ON s.program = q.program AND s.kind = 'issuer'
				LEFT JOIN o2o.profile c ON c.profile_id = q.profile_id
			GROUP BY q.part
			ORDER BY q.part
		LOOP
			PERFORM o2o.points_write(part.profile_id, part.account_id, part.transfer_id, part.contra_account_id, array_fill('opening'::text, part.n),
				part.expires_at, part.grant_month, part.funding, part.amount, array_fill(claim.request_id, part.n), part.profile_id,
				part.customer_id, part.reference, array_fill(NULL::text, part.n), part.granted_at, array_fill(NULL::bigint, part.n));
		END LOOP;
		FOR part IN
			SELECT w.profile_id, w.account_id, w.program, w.expires_at, w.grant_month, w.funding, w.pending_until, w.reference, o2o.sum(w.amount) AS amount
			FROM o2o.points_opening_rows(points_opening_import.batch_id) w
			WHERE w.pending_until IS NOT NULL
			GROUP BY w.profile_id, w.account_id, w.program, w.expires_at, w.grant_month, w.funding, w.pending_until, w.reference
			ORDER BY w.account_id
		LOOP
			PERFORM o2o.points_hold_place(part.profile_id, o2o.profile_customer(part.profile_id), part.program, 'pending', part.pending_until,
				NULL, part.reference, NULL, claim.request_id, ARRAY[(part.profile_id, part.account_id, 0, part.expires_at, part.grant_month,
					part.funding, part.amount, part.pending_until, true)::o2o.points_hold_part]);
		END LOOP;
		FOR part IN
			SELECT w.program, o2o.sum(w.amount) AS amount
			FROM o2o.points_opening_rows(points_opening_import.batch_id) w
				JOIN o2o.points_program p ON p.program = w.program AND p.reserve_policy = 'enforce'
			WHERE w.amount OPERATOR(o2o.>) 0
			GROUP BY w.program
			ORDER BY w.program
		LOOP
			PERFORM o2o.points_reserve_draw(part.program, part.amount);
		END LOOP;

		receipt := (
			SELECT coalesce(jsonb_agg(to_jsonb(t)), '[]')
			FROM (
				SELECT i.source, i.program, count(w.import_no) AS rows,
					coalesce(sum(w.amount::numeric) FILTER (WHERE w.amount OPERATOR(o2o.>) 0), 0) AS points,
					coalesce(- sum(w.amount::numeric) FILTER (WHERE w.amount OPERATOR(o2o.<) 0), 0) AS owed,
					coalesce(sum(w.amount::numeric) FILTER (WHERE w.pending_until IS NOT NULL), 0) AS pending,
					coalesce(sum(w.amount::numeric) FILTER (WHERE w.pending_until IS NULL AND w.expires_at <= now()), 0) AS expired,
					count(i.problem) AS problems, coalesce(sum(i.amount::numeric) FILTER (WHERE i.problem IS NOT NULL), 0) AS problem_points
				FROM o2o.import_points_opening i
					LEFT JOIN o2o.points_opening_rows(points_opening_import.batch_id) w ON w.import_no = i.import_no
				WHERE i.batch_id = points_opening_import.batch_id
				GROUP BY i.source, i.program
			) t);
		PERFORM o2o.request_finish(claim.request_id, jsonb_build_object('receipt', receipt));
	ELSE
		receipt := claim.replay -> 'receipt';
	END IF;
	RETURN QUERY
	SELECT t.source, t.program, t.rows, trim_scale(t.points), trim_scale(t.owed), trim_scale(t.pending), trim_scale(t.expired), t.problems, trim_scale(t.problem_points)
	FROM jsonb_to_recordset(receipt) t (source text, program text, rows bigint, points numeric, owed numeric, pending numeric, expired numeric,
		problems bigint, problem_points numeric)
	ORDER BY t.source COLLATE "C", t.program COLLATE "C";
END $$;
COMMENT ON FUNCTION o2o.points_opening_import(bigint) IS 'Posts the rows of import_points_opening of a batch, once, and returns a receipt, one row per source and program: rows posted; their points, of which pending are on hold until their time comes and expired arrive expired; points owed, which the next ones earned repay (a debt as the program''s clawback_policy says); rows with problems, which stay unposted and say why in their column problem, and their points. points − owed + problem_points is the sum of what was staged. Lots keep their month and expiry; postings have granted_at as occurred_at. A repeated call returns the first receipt and posts nothing. Error, which leaves nothing behind: O2305 the reserve does not cover the points.';
