-- The points room: the bulk import. It decides burns in the order of time and
-- has points_write write all of it at once.

CREATE SEQUENCE IF NOT EXISTS o2o.import_points_no_seq AS bigint CACHE 32;
CREATE TABLE IF NOT EXISTS o2o.import_points (
	batch_id bigint NOT NULL,
	profile_id bigint NOT NULL,
	program text NOT NULL,
	operation text NOT NULL CHECK (operation IN ('earn', 'burn', 'opening')),
	amount o2o.points NOT NULL,
	occurred_at timestamptz NOT NULL,
	reference text,
	import_no bigint NOT NULL DEFAULT nextval('o2o.import_points_no_seq'),
	PRIMARY KEY (batch_id, import_no)
);
COMMENT ON TABLE o2o.import_points IS 'Staging of points_import(batch_id), filled with COPY: one row an operation.';
COMMENT ON COLUMN o2o.import_points.batch_id IS 'Number that the caller gives a batch';
COMMENT ON COLUMN o2o.import_points.profile_id IS 'Profile whose points they are; without a row in profile: nobody known';
COMMENT ON COLUMN o2o.import_points.program IS 'Points program; refers to points_program';
COMMENT ON COLUMN o2o.import_points.operation IS 'earn, burn or opening';
COMMENT ON COLUMN o2o.import_points.amount IS 'Points, above zero';
COMMENT ON COLUMN o2o.import_points.occurred_at IS 'When it happened';
COMMENT ON COLUMN o2o.import_points.reference IS 'The caller''s document, such as order/<source>/<source_id>; NULL: none';
COMMENT ON COLUMN o2o.import_points.import_no IS 'Number of the row, given by default, which decides between rows of the same moment';

CREATE TABLE IF NOT EXISTS o2o.import_points_problem (
	batch_id bigint NOT NULL,
	import_no bigint NOT NULL,
	profile_id bigint NOT NULL,
	program text NOT NULL,
	operation text NOT NULL,
	amount o2o.points NOT NULL,
	occurred_at timestamptz NOT NULL,
	reference text,
	problem text NOT NULL,
	available o2o.points NOT NULL,
	PRIMARY KEY (batch_id, import_no)
);
COMMENT ON TABLE o2o.import_points_problem IS 'Rows of import_points that points_import(batch_id) did not post.';
COMMENT ON COLUMN o2o.import_points_problem.batch_id IS 'Number that the caller gives a batch';
COMMENT ON COLUMN o2o.import_points_problem.import_no IS 'Number of the row; refers to import_points';
COMMENT ON COLUMN o2o.import_points_problem.profile_id IS 'Profile whose points they are';
COMMENT ON COLUMN o2o.import_points_problem.program IS 'Points program; refers to points_program';
COMMENT ON COLUMN o2o.import_points_problem.operation IS 'burn';
COMMENT ON COLUMN o2o.import_points_problem.amount IS 'Points, above zero';
COMMENT ON COLUMN o2o.import_points_problem.occurred_at IS 'When it happened';
COMMENT ON COLUMN o2o.import_points_problem.reference IS 'The caller''s document, such as order/<source>/<source_id>; NULL: none';
COMMENT ON COLUMN o2o.import_points_problem.problem IS 'Why it was not posted: insufficient points';
COMMENT ON COLUMN o2o.import_points_problem.available IS 'Points that the customer had at that moment';

CREATE OR REPLACE FUNCTION o2o.points_import_draw(batch_id bigint)
RETURNS TABLE (import_no bigint, profile_id bigint, account_id bigint, expires_at timestamptz, grant_month date, funding text, amount o2o.points)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	event record;
	customer bigint;
	event_program text;
	-- The lots of the customer so far, as parallel arrays in the order of their
	-- keys (expires_at, grant_month, account_id, funding).
	profiles bigint[];
	accounts bigint[];
	expiries timestamptz[];
	months date[];
	fundings text[];
	remaining o2o.points[];
	lots integer;
	head integer;			-- lots before it are spent or expired
	place integer;
	group_end integer;
	missing o2o.points;
	owed o2o.points;			-- debts of the customer, which burns leave covered
	wanted o2o.points;
	part o2o.points;
	others boolean;
	in_debt boolean := EXISTS (SELECT FROM o2o.points_account a WHERE a.debt OPERATOR(o2o.>) 0);
	taken integer[];
	parts o2o.points[];
BEGIN
	-- Only customers with a burn in the batch. What they had before counts from
	-- its month of grant, and only while it has not expired by now.
	FOR event IN
		WITH staged AS MATERIALIZED (
			SELECT i.*, coalesce(p.customer_id, i.profile_id) AS customer_id,
				bool_or(i.operation = 'burn') OVER (PARTITION BY coalesce(p.customer_id, i.profile_id), i.program) AS burns
			FROM o2o.import_points i
				LEFT JOIN o2o.profile p ON p.profile_id = i.profile_id
			WHERE i.batch_id = points_import_draw.batch_id
		)
		SELECT i.customer_id, i.program, i.occurred_at, CASE i.operation WHEN 'burn' THEN 2 ELSE 1 END AS step, i.import_no,
			i.profile_id, a.account_id, o2o.points_expires_at(i.occurred_at, r.expires_after, r.expires_round, r.time_zone, r.expires_at) AS expires_at,
			o2o.points_grant_month(i.occurred_at, r.time_zone) AS grant_month, 'program' AS funding, i.amount
		FROM staged i
			JOIN o2o.points_program r ON r.program = i.program
			LEFT JOIN o2o.points_account a ON a.profile_id = i.profile_id AND a.program = i.program AND a.kind = 'member'
		WHERE i.burns
		UNION ALL
		SELECT b.customer_id, b.program, l.grant_month::timestamp AT TIME ZONE r.time_zone, 0, 0,
			l.profile_id, l.account_id, l.expires_at, l.grant_month, l.funding, l.remaining OPERATOR(o2o.-) l.held
		FROM (SELECT DISTINCT i.customer_id, i.program FROM staged i WHERE i.burns) b
			CROSS JOIN LATERAL unnest(o2o.customer_profiles(b.customer_id)) m (profile_id)
			JOIN o2o.points_program r ON r.program = b.program
			JOIN o2o.points_account a ON a.profile_id = m.profile_id AND a.program = b.program AND a.kind = 'member'
			JOIN o2o.points_lot l ON l.profile_id = a.profile_id AND l.account_id = a.account_id
		WHERE l.remaining OPERATOR(o2o.>) l.held AND l.expires_at > now()
		ORDER BY 1, 2, 3, 4, 5, 7
	LOOP
		IF customer IS DISTINCT FROM event.customer_id OR event_program IS DISTINCT FROM event.program THEN
			customer := event.customer_id;
			event_program := event.program;
			profiles := '{}'; accounts := '{}'; expiries := '{}'; months := '{}'; fundings := '{}'; remaining := '{}';
			lots := 0;
			head := 1;
			owed := CASE WHEN in_debt THEN (SELECT coalesce(o2o.sum(a.debt), 0::o2o.points) FROM o2o.points_account a
				WHERE a.profile_id = ANY (o2o.customer_profiles(customer)) AND a.program = event_program) ELSE 0 END;
		END IF;

		IF event.step < 2 THEN
			-- Mostly the last place: later grants expire later.
			place := lots;
			WHILE place > 0 AND (expiries[place], months[place], accounts[place], fundings[place])
				> (event.expires_at, event.grant_month, event.account_id, event.funding)
			LOOP
				place := place - 1;
			END LOOP;
			IF place > 0 AND expiries[place] = event.expires_at AND months[place] = event.grant_month
				AND accounts[place] = event.account_id AND fundings[place] = event.funding
			THEN
				remaining[place] := remaining[place] OPERATOR(o2o.+) event.amount;
			ELSIF place = lots THEN
				lots := lots + 1;
				place := lots;
				profiles[lots] := event.profile_id;
				accounts[lots] := event.account_id;
				expiries[lots] := event.expires_at;
				months[lots] := event.grant_month;
				fundings[lots] := event.funding;
				remaining[lots] := event.amount;
			ELSE
				profiles := profiles[:place] || event.profile_id || profiles[place + 1:];
				accounts := accounts[:place] || event.account_id || accounts[place + 1:];
				expiries := expiries[:place] || event.expires_at || expiries[place + 1:];
				months := months[:place] || event.grant_month || months[place + 1:];
				fundings := fundings[:place] || event.funding || fundings[place + 1:];
				remaining := remaining[:place] || event.amount || remaining[place + 1:];
				lots := lots + 1;
				place := place + 1;
			END IF;
			head := least(head, place);
			CONTINUE;
		END IF;

		WHILE head <= lots AND (remaining[head] OPERATOR(o2o.=) 0 OR expiries[head] <= event.occurred_at) LOOP
			head := head + 1;
		END LOOP;
		-- Lots that expire at the same moment form a group: the acting profile's
		-- first, then the others'.
		missing := event.amount OPERATOR(o2o.+) owed;
		wanted := event.amount;
		taken := '{}';
		parts := '{}';
		place := head;
		WHILE place <= lots AND missing OPERATOR(o2o.>) 0 LOOP
			group_end := place;
			WHILE group_end < lots AND expiries[group_end + 1] = expiries[place] LOOP
				group_end := group_end + 1;
			END LOOP;
			FOREACH others IN ARRAY '{false,true}'::boolean[] LOOP
				FOR i IN place .. group_end LOOP
					IF (profiles[i] <> event.profile_id) = others AND expiries[i] > event.occurred_at
						AND remaining[i] OPERATOR(o2o.>) 0 AND missing OPERATOR(o2o.>) 0
					THEN
						part := least(remaining[i], missing);
						missing := missing OPERATOR(o2o.-) part;
						part := least(part, wanted);
						IF part OPERATOR(o2o.>) 0 THEN
							wanted := wanted OPERATOR(o2o.-) part;
							taken := taken || i;
							parts := parts || part;
						END IF;
					END IF;
				END LOOP;
			END LOOP;
			place := group_end + 1;
		END LOOP;

		import_no := event.import_no;
		profile_id := event.profile_id;
		IF missing OPERATOR(o2o.>) 0 THEN
			account_id := NULL; expires_at := NULL; grant_month := NULL; funding := NULL;
			amount := event.amount OPERATOR(o2o.-) missing;
			RETURN NEXT;
			CONTINUE;
		END IF;
		FOR i IN 1 .. cardinality(taken) LOOP
			place := taken[i];
			remaining[place] := remaining[place] OPERATOR(o2o.-) parts[i];
			profile_id := profiles[place];
			account_id := accounts[place];
			expires_at := expiries[place];
			grant_month := months[place];
			funding := fundings[place];
			amount := OPERATOR(o2o.-) parts[i];
			RETURN NEXT;
		END LOOP;
	END LOOP;
END $$;
COMMENT ON FUNCTION o2o.points_import_draw(bigint) IS 'Which lots the burns of a batch of import_points take: per customer and program in the order of time, each from what was earned before it and had not expired at that moment, by the rules of points_draw. One row per burn and lot, amount below zero; a burn for which the points do not suffice has one row without account, its amount being what was available. The accounts are open and locked.';

CREATE OR REPLACE FUNCTION o2o.points_import(batch_id bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	claim record;
	wrong record;
	burners bigint[];
	ledger record;
	posted bigint;
	enforced record;
BEGIN
	SELECT c.* INTO claim
	FROM o2o.request_claim('points_import/' || points_import.batch_id, 'points_import', jsonb_build_object('batch_id', points_import.batch_id)) c;
	IF claim.replay IS NOT NULL THEN
		RETURN claim.replay ->> 'posted';
	END IF;

	-- Freshly copied rows have no statistics, and nested loops over them no end.
	ANALYZE o2o.import_points;

	-- The same checks as for single calls; the first wrong row is the error.
	SELECT i.* INTO wrong
	FROM o2o.import_points i
		LEFT JOIN o2o.points_program p ON p.program = i.program
	WHERE i.batch_id = points_import.batch_id
		AND (p.program IS NULL OR i.amount OPERATOR(o2o.<=) 0 OR NOT isfinite(i.occurred_at)
			OR o2o.points_round(i.amount, p.scale, 'floor') OPERATOR(o2o.<>) i.amount)
	ORDER BY i.import_no
	LIMIT 1;
	IF FOUND THEN
		PERFORM o2o.points_program_check(wrong.program, wrong.amount);
		RAISE EXCEPTION 'points need a time at which they were earned or burned'
			USING ERRCODE = 'invalid_parameter_value',
				DETAIL = format('Row %s of batch %s: occurred_at is %s.', wrong.import_no, points_import.batch_id, wrong.occurred_at);
	END IF;

	-- Locks in the order of all rooms: customers who burn, then accounts.
	burners := ARRAY(SELECT DISTINCT i.profile_id FROM o2o.import_points i
		WHERE i.batch_id = points_import.batch_id AND i.operation = 'burn');
	IF cardinality(burners) > 0 THEN
		PERFORM o2o.customer_lock(burners);
	END IF;
	INSERT INTO o2o.points_account (profile_id, program, chain)
	SELECT DISTINCT i.profile_id, i.program, CASE WHEN p.is_chained THEN ''::bytea END
	FROM o2o.import_points i
		JOIN o2o.points_program p ON p.program = i.program
	WHERE i.batch_id = points_import.batch_id AND i.operation <> 'burn'
	ORDER BY i.profile_id, i.program
	ON CONFLICT DO NOTHING;
	PERFORM o2o.points_accounts_lock(ARRAY(
		SELECT i.profile_id FROM o2o.import_points i WHERE i.batch_id = points_import.batch_id
		UNION
		SELECT m.profile_id
		FROM o2o.import_points i
			JOIN o2o.profile p ON p.profile_id = i.profile_id
			JOIN o2o.profile m ON m.customer_id = p.customer_id
		WHERE i.batch_id = points_import.batch_id AND i.operation = 'burn'));

	-- The accounts may all be new: without statistics what follows would be planned for an empty table.
	ANALYZE o2o.points_account;
	WITH event AS MATERIALIZED (
		SELECT i.import_no, i.profile_id, i.program, i.operation, i.amount, i.occurred_at, i.reference,
			coalesce(p.customer_id, i.profile_id) AS customer_id, a.account_id, s.account_id AS contra_account_id,
			o2o.points_expires_at(i.occurred_at, r.expires_after, r.expires_round, r.time_zone, r.expires_at) AS expires_at,
			o2o.points_grant_month(i.occurred_at, r.time_zone) AS grant_month,
			nextval('o2o.points_transfer_id_seq') AS transfer_id
		FROM o2o.import_points i
			JOIN o2o.points_program r ON r.program = i.program
			JOIN o2o.points_system_account s ON s.program = i.program AND s.kind = CASE i.operation WHEN 'burn' THEN 'redeemed' ELSE 'issuer' END
			LEFT JOIN o2o.points_account a ON a.profile_id = i.profile_id AND a.program = i.program AND a.kind = 'member'
			LEFT JOIN o2o.profile p ON p.profile_id = i.profile_id
		WHERE i.batch_id = points_import.batch_id
	), drawn AS MATERIALIZED (
		SELECT d.* FROM o2o.points_import_draw(points_import.batch_id) d
	), problem AS (
		INSERT INTO o2o.import_points_problem (batch_id, import_no, profile_id, program, operation, amount, occurred_at, reference, problem, available)
		SELECT points_import.batch_id, e.import_no, e.profile_id, e.program, e.operation, e.amount, e.occurred_at, e.reference,
			'insufficient points', d.amount
		FROM drawn d
			JOIN event e ON e.import_no = d.import_no
		WHERE d.account_id IS NULL
	), lot_use AS (
		SELECT e.import_no, e.profile_id, e.account_id, e.expires_at, e.grant_month, 'program' AS funding, e.amount
		FROM event e WHERE e.operation <> 'burn'
		UNION ALL
		SELECT d.import_no, d.profile_id, d.account_id, d.expires_at, d.grant_month, d.funding, d.amount
		FROM drawn d WHERE d.account_id IS NOT NULL
	)
	SELECT array_agg(u.profile_id) AS profile_ids, array_agg(u.account_id) AS account_ids, array_agg(u.transfer_id) AS transfer_ids,
		array_agg(u.contra_account_id) AS contra_account_ids, array_agg(u.operation) AS operations, array_agg(u.expires_at) AS expires_at,
		array_agg(u.grant_month) AS grant_month, array_agg(u.funding) AS funding, array_agg(u.amount) AS amounts,
		array_agg(claim.request_id) AS request_ids, array_agg(u.acting_profile_id) AS acting_profile_ids, array_agg(u.customer_id) AS customer_ids,
		array_agg(u.reference) AS reference, array_agg(NULL::text) AS reason, array_agg(u.occurred_at) AS occurred_at,
		array_agg(NULL::bigint) AS reverses_transfer_ids
	INTO ledger
	FROM (
		-- All of an account together: its rows lie side by side.
		SELECT l.*, e.transfer_id, e.contra_account_id, e.operation, e.profile_id AS acting_profile_id, e.customer_id, e.reference, e.occurred_at
		FROM lot_use l
			JOIN event e ON e.import_no = l.import_no
		ORDER BY l.profile_id, l.account_id, e.occurred_at, e.operation = 'burn', l.import_no, l.expires_at, l.grant_month, l.funding
	) u;
	-- Not counted above: since PostgreSQL 16 a DISTINCT sorts the input of all aggregates beside it.
	posted := (SELECT count(DISTINCT t.transfer_id) FROM unnest(ledger.transfer_ids) t (transfer_id));
	PERFORM o2o.points_write(ledger.profile_ids, ledger.account_ids, ledger.transfer_ids, ledger.contra_account_ids, ledger.operations,
		ledger.expires_at, ledger.grant_month, ledger.funding, ledger.amounts, ledger.request_ids, ledger.acting_profile_ids, ledger.customer_ids,
		ledger.reference, ledger.reason, ledger.occurred_at, ledger.reverses_transfer_ids);

	FOR enforced IN
		SELECT i.program, o2o.sum(i.amount) AS amount
		FROM o2o.import_points i
			JOIN o2o.points_program p ON p.program = i.program AND p.reserve_policy = 'enforce'
		WHERE i.batch_id = points_import.batch_id AND i.operation <> 'burn'
		GROUP BY i.program
		ORDER BY i.program
	LOOP
		PERFORM o2o.points_reserve_draw(enforced.program, enforced.amount);
	END LOOP;
	PERFORM o2o.request_finish(claim.request_id, jsonb_build_object('posted', posted));
	RETURN posted;
END $$;
COMMENT ON FUNCTION o2o.points_import(bigint) IS 'Posts the rows of import_points of a batch, once: earn and opening as points_earn does, burn as points_burn does, each in the order of occurred_at and judged at that moment (a burn takes only what was earned before it and had not expired then). All are posted now with their past occurred_at; lots may arrive expired. Returns the number of rows posted; burns for which the points do not suffice are not posted but listed in import_points_problem. A repeated call returns the first result and posts nothing. Errors, which leave nothing behind: O2302 unknown program, O2303 amount not positive, O2304 more digits than the program''s scale, O2305 the reserve does not cover them, 22023 occurred_at not finite.';
