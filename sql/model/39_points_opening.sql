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

CREATE TABLE IF NOT EXISTS o2o.import_points_opening_problem (
	batch_id bigint NOT NULL,
	import_no bigint NOT NULL,
	source text NOT NULL,
	program text NOT NULL,
	amount o2o.points NOT NULL,
	problem text NOT NULL,
	PRIMARY KEY (batch_id, import_no)
);
COMMENT ON TABLE o2o.import_points_opening_problem IS 'Rows of import_points_opening that points_opening_import(batch_id) did not post. Corrected ones go into another batch.';
COMMENT ON COLUMN o2o.import_points_opening_problem.batch_id IS 'Number that the caller gives a batch';
COMMENT ON COLUMN o2o.import_points_opening_problem.import_no IS 'Number of the row; refers to import_points_opening';
COMMENT ON COLUMN o2o.import_points_opening_problem.source IS 'System that the balances come from';
COMMENT ON COLUMN o2o.import_points_opening_problem.program IS 'Points program';
COMMENT ON COLUMN o2o.import_points_opening_problem.amount IS 'Points; below zero they are owed';
COMMENT ON COLUMN o2o.import_points_opening_problem.problem IS 'Why it was not posted';

CREATE OR REPLACE FUNCTION o2o.points_opening_import(batch_id bigint)
RETURNS TABLE (source text, program text, rows bigint, points numeric, owed numeric, pending numeric, expired numeric, problems bigint, problem_points numeric)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	claim record;
	receipt jsonb;
	part record;
	enforced record;
	owners bigint[];
BEGIN
	SELECT c.* INTO claim
	FROM o2o.request_claim('points_opening_import/' || points_opening_import.batch_id, 'points_opening_import',
		jsonb_build_object('batch_id', points_opening_import.batch_id)) c;
	IF claim.replay IS NULL THEN
		ANALYZE o2o.import_points_opening;
		DROP TABLE IF EXISTS pg_temp.points_opening;
		CREATE TEMPORARY TABLE points_opening ON COMMIT DROP AS
		SELECT i.import_no, i.source, i.program, i.amount, i.granted_at, i.funding, coalesce(i.reference, 'opening/' || i.source) AS reference,
			w.profile_id, r.reserve_policy, NULL::bigint AS account_id,
			CASE WHEN i.amount OPERATOR(o2o.<) 0 AND r.clawback_policy = 'debt' THEN 'debt' ELSE 'member' END AS kind,
			CASE WHEN i.amount OPERATOR(o2o.>) 0 AND isfinite(i.granted_at) THEN coalesce(i.expires_at,
				o2o.points_expires_at(i.granted_at, r.expires_after, r.expires_round, r.time_zone)) END AS expires_at,
			CASE WHEN i.amount OPERATOR(o2o.>) 0 AND isfinite(i.granted_at) THEN o2o.points_grant_month(i.granted_at, r.time_zone) END AS grant_month,
			CASE WHEN i.pending_until > now() THEN i.pending_until END AS pending_until,
			CASE WHEN s.source IS NULL THEN format('source "%s" is not registered', i.source)
				WHEN r.program IS NULL THEN format('points program "%s" does not exist', i.program)
				WHEN w.profile_id IS NULL THEN format('no customer has this identifier (%s)', o2o.identifier_mask(i.person))
				WHEN i.amount OPERATOR(o2o.=) 0 THEN 'amount is zero'
				WHEN o2o.points_round(i.amount, r.scale, 'floor') OPERATOR(o2o.<>) i.amount THEN format('more than %s digits after the point', r.scale)
				WHEN NOT isfinite(i.granted_at) OR i.granted_at > now() THEN 'granted_at is not in the past'
				WHEN i.expires_at <= i.granted_at OR i.expires_at = '-infinity' THEN 'expires_at is not after granted_at'
				WHEN i.amount OPERATOR(o2o.<) 0 AND i.pending_until IS NOT NULL THEN 'what is owed cannot be pending'
				WHEN i.amount OPERATOR(o2o.<) 0 AND r.clawback_policy = 'available' THEN 'in this program nobody owes points'
			END AS problem
		FROM o2o.import_points_opening i
			LEFT JOIN o2o.source s ON s.source = i.source
			LEFT JOIN o2o.points_program r ON r.program = i.program
			CROSS JOIN LATERAL (SELECT o2o.identifier_profile(i.person) AS profile_id) w
		WHERE i.batch_id = points_opening_import.batch_id;

		INSERT INTO o2o.import_points_opening_problem (batch_id, import_no, source, program, amount, problem)
		SELECT points_opening_import.batch_id, p.import_no, p.source, p.program, p.amount, p.problem
		FROM pg_temp.points_opening p WHERE p.problem IS NOT NULL;

		INSERT INTO o2o.points_account (profile_id, program, kind)
		SELECT DISTINCT p.profile_id, p.program, p.kind FROM pg_temp.points_opening p WHERE p.problem IS NULL
		ORDER BY p.profile_id, p.program, p.kind
		ON CONFLICT DO NOTHING;
		owners := ARRAY(SELECT DISTINCT p.profile_id FROM pg_temp.points_opening p WHERE p.problem IS NULL);
		PERFORM o2o.points_accounts_lock(owners);
		ANALYZE o2o.points_account;
		UPDATE pg_temp.points_opening p SET account_id = a.account_id
		FROM o2o.points_account a
		WHERE p.problem IS NULL AND a.profile_id = p.profile_id AND a.program = p.program AND a.kind = p.kind;

		-- In bounded parts, so that arrays stay small.
		FOR part IN
			SELECT array_agg(q.profile_id) AS profile_id, array_agg(q.account_id) AS account_id, array_agg(nextval('o2o.points_transfer_id_seq')) AS transfer_id,
				array_agg(s.account_id) AS contra_account_id, array_agg(q.expires_at) AS expires_at, array_agg(q.grant_month) AS grant_month,
				array_agg(CASE WHEN q.grant_month IS NOT NULL THEN q.funding END) AS funding, array_agg(q.amount) AS amounts,
				array_agg(coalesce(c.customer_id, q.profile_id)) AS customer_id, array_agg(q.reference) AS reference,
				array_agg(q.granted_at) AS granted_at, ARRAY[count(*)::integer] AS n
			FROM (
				SELECT p.*, (row_number() OVER (ORDER BY p.account_id, p.import_no) - 1) / 5000 AS part
				FROM pg_temp.points_opening p WHERE p.problem IS NULL
			) q
				JOIN o2o.points_system_account s ON s.program = q.program AND s.kind = 'issuer'
				LEFT JOIN o2o.profile c ON c.profile_id = q.profile_id
			GROUP BY q.part
			ORDER BY q.part
		LOOP
			PERFORM o2o.points_write(part.profile_id, part.account_id, part.transfer_id, part.contra_account_id, array_fill('opening'::text, part.n),
				part.expires_at, part.grant_month, part.funding, part.amounts, array_fill(claim.request_id, part.n), part.profile_id,
				part.customer_id, part.reference, array_fill(NULL::text, part.n), part.granted_at, array_fill(NULL::bigint, part.n));
		END LOOP;

		FOR part IN
			SELECT p.profile_id, p.account_id, p.program, p.expires_at, p.grant_month, p.funding, p.pending_until, p.reference, o2o.sum(p.amount) AS amount
			FROM pg_temp.points_opening p WHERE p.problem IS NULL AND p.pending_until IS NOT NULL
			GROUP BY p.profile_id, p.account_id, p.program, p.expires_at, p.grant_month, p.funding, p.pending_until, p.reference
			ORDER BY p.account_id
		LOOP
			PERFORM o2o.points_hold_place(part.profile_id, o2o.profile_customer(part.profile_id), part.program, 'pending', part.pending_until,
				NULL, part.reference, NULL, claim.request_id, ARRAY[(part.profile_id, part.account_id, 0, part.expires_at, part.grant_month,
					part.funding, part.amount, part.pending_until, true)::o2o.points_hold_part]);
		END LOOP;

		FOR enforced IN
			SELECT p.program, o2o.sum(p.amount) AS amount FROM pg_temp.points_opening p
			WHERE p.problem IS NULL AND p.amount OPERATOR(o2o.>) 0 AND p.reserve_policy = 'enforce'
			GROUP BY p.program ORDER BY p.program
		LOOP
			PERFORM o2o.points_reserve_draw(enforced.program, enforced.amount);
		END LOOP;

		receipt := (
			SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.source, t.program), '[]')
			FROM (
				SELECT p.source, p.program, count(*) FILTER (WHERE p.problem IS NULL) AS rows,
					coalesce(sum(p.amount::numeric) FILTER (WHERE p.problem IS NULL AND p.amount OPERATOR(o2o.>) 0), 0) AS points,
					coalesce(- sum(p.amount::numeric) FILTER (WHERE p.problem IS NULL AND p.amount OPERATOR(o2o.<) 0), 0) AS owed,
					coalesce(sum(p.amount::numeric) FILTER (WHERE p.problem IS NULL AND p.pending_until IS NOT NULL), 0) AS pending,
					coalesce(sum(p.amount::numeric) FILTER (WHERE p.problem IS NULL AND p.pending_until IS NULL AND p.expires_at <= now()), 0) AS expired,
					count(*) FILTER (WHERE p.problem IS NOT NULL) AS problems,
					coalesce(sum(p.amount::numeric) FILTER (WHERE p.problem IS NOT NULL), 0) AS problem_points
				FROM pg_temp.points_opening p
				GROUP BY p.source, p.program
			) t);
		PERFORM o2o.request_finish(claim.request_id, jsonb_build_object('receipt', receipt));
		DROP TABLE pg_temp.points_opening;
	ELSE
		receipt := claim.replay -> 'receipt';
	END IF;
	RETURN QUERY
	SELECT t.* FROM jsonb_to_recordset(receipt) t (source text, program text, rows bigint, points numeric, owed numeric, pending numeric, expired numeric,
		problems bigint, problem_points numeric)
	ORDER BY t.source COLLATE "C", t.program COLLATE "C";
END $$;
COMMENT ON FUNCTION o2o.points_opening_import(bigint) IS 'Posts the rows of import_points_opening of a batch, once, and returns a receipt, one row per source and program: rows posted; points, of which pending are on hold until their time comes and expired arrive expired; points owed, which the next ones earned repay; rows with problems, named in import_points_opening_problem and not posted, and their points. points − owed + problem_points is the sum of what was staged. An amount owed makes a debt as the program''s clawback_policy says. A repeated call returns the first receipt and posts nothing. Error, which leaves nothing behind: O2305 the reserve does not cover the points.';
