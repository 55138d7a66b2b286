-- The points room: many requests in one call. The rules are those of the single
-- calls; the work is done by points_execute, which knows all that is not rare.

CREATE OR REPLACE FUNCTION o2o.points_post_single(operation text, identifier o2o.identifier, person bigint, counterparty_identifier o2o.identifier,
	counterparty bigint, amount o2o.points, program text, reference text, reason text, request_id uuid, occurred_at timestamptz, funding text,
	activate_at timestamptz) RETURNS o2o.points_posted
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	CASE operation
		WHEN 'earn' THEN
			RETURN o2o.points_earn_sql(identifier, person, amount, program, reference, reason, request_id, occurred_at, funding, activate_at);
		WHEN 'burn' THEN
			RETURN o2o.points_burn_sql(identifier, person, amount, program, reference, reason, request_id);
		WHEN 'pay' THEN
			RETURN o2o.points_pay_sql(identifier, counterparty_identifier, person, counterparty, amount, program, reference, reason, request_id);
		WHEN 'transfer' THEN
			RETURN o2o.points_transfer_sql(identifier, counterparty_identifier, person, counterparty, amount, program, reason, request_id);
		ELSE
			RAISE EXCEPTION 'a batch of points cannot do "%"', operation
				USING ERRCODE = 'invalid_parameter_value', HINT = 'Operations are earn, burn, pay, transfer and refund.';
	END CASE;
END $$;
COMMENT ON FUNCTION o2o.points_post_single(text, o2o.identifier, bigint, o2o.identifier, bigint, o2o.points, text, text, text, uuid, timestamptz, text, timestamptz) IS 'One request of points_post_many() or points_post_one() that C code leaves or refuses, by the functions in SQL, once its key is claimed. Errors: those of the single call, 22023 unknown operation.';

CREATE OR REPLACE FUNCTION o2o.points_post_left(operation text, identifier o2o.identifier, person bigint, counterparty_identifier o2o.identifier,
	counterparty bigint, amount o2o.points, program text, reference text, reason text, request_id uuid, occurred_at timestamptz,
	of_transfer_id bigint, all_or_nothing boolean, OUT code text, OUT transfer_id bigint, OUT balance o2o.points)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF operation = 'refund' THEN
		SELECT r.refund_transfer_id, r.balance INTO transfer_id, balance
		FROM o2o.points_refund_once(of_transfer_id, amount, reference, reason, points_post_left.request_id) r;
	ELSE
		SELECT s.* INTO transfer_id, balance
		FROM o2o.points_post_single(operation, identifier, person, counterparty_identifier, counterparty, amount, program, reference, reason,
			points_post_left.request_id, occurred_at, 'program', NULL) s;
	END IF;
	code := '00000';
EXCEPTION WHEN OTHERS THEN
	IF all_or_nothing OR SQLSTATE IN ('40001', '40P01') THEN
		RAISE;
	END IF;
	code := SQLSTATE;
	transfer_id := NULL;
	balance := NULL;
END $$;
COMMENT ON FUNCTION o2o.points_post_left(text, o2o.identifier, bigint, o2o.identifier, bigint, o2o.points, text, text, text, uuid, timestamptz, bigint, boolean) IS 'One request of a batch by the functions in SQL: its code, transfer and balance. What it cannot post is undone and told by its code; with all_or_nothing it is an error.';

CREATE OR REPLACE FUNCTION o2o.points_post_many_lock(operations text[], persons bigint[], counterparties bigint[], transfer_ids bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	debited bigint[];
	roots bigint[];
	owners bigint[];
BEGIN
	SELECT array_agg(p.profile_id) INTO debited
	FROM (
		SELECT u.person FROM unnest(operations, persons) u (operation, person) WHERE u.operation IN ('burn', 'pay', 'transfer')
		UNION
		SELECT u.person FROM unnest(operations, counterparties) u (operation, person) WHERE u.operation = 'transfer'
	) u
		JOIN o2o.profile p ON p.profile_id = u.person;
	roots := o2o.customer_lock(debited);
	SELECT array_agg(DISTINCT o.profile_id) INTO owners
	FROM (
		SELECT p.profile_id FROM o2o.profile p WHERE p.customer_id = ANY (roots)
		UNION ALL
		SELECT u.person FROM unnest(operations, persons) u (operation, person) WHERE u.operation = 'earn'
		UNION ALL
		SELECT p.profile_id FROM o2o.points_posting p WHERE p.transfer_id = ANY (transfer_ids)
		UNION ALL
		SELECT s.profile_id FROM o2o.points_posting p
			JOIN o2o.points_account s ON s.account_id = p.contra_account_id AND s.kind = 'seller'
		WHERE p.transfer_id = ANY (transfer_ids)
	) o;
	PERFORM o2o.points_accounts_lock(owners);
END $$;
COMMENT ON FUNCTION o2o.points_post_many_lock(text[], bigint[], bigint[], bigint[]) IS 'Locks what a batch with refunds, or with a program that has inactive_after, will: the customers of its debits, then all accounts of these, of who earns, and of those that transfers to be refunded took from or paid, each set in ascending order.';

CREATE OR REPLACE FUNCTION o2o.points_reserve_covers(operations text[], programs text[], amounts o2o.points[], by_now boolean) RETURNS boolean[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	covered boolean[] := array_fill(true, ARRAY[cardinality(operations)]);
	reserve record;
	rest numeric;
BEGIN
	FOR reserve IN
		SELECT p.program, CASE WHEN by_now THEN s.headroom ELSE 0 END AS headroom
		FROM o2o.points_program p, o2o.points_reserve_status(p.program) s
		WHERE p.program = ANY (programs) AND p.reserve_policy = 'enforce' AND s.headroom IS NOT NULL
	LOOP
		rest := reserve.headroom;
		FOR i IN 1 .. cardinality(operations) LOOP
			IF operations[i] = 'earn' AND programs[i] = reserve.program THEN
				covered[i] := amounts[i]::numeric <= rest;
				rest := rest - CASE WHEN covered[i] THEN amounts[i]::numeric ELSE 0 END;
			END IF;
		END LOOP;
	END LOOP;
	RETURN covered;
END $$;
COMMENT ON FUNCTION o2o.points_reserve_covers(text[], text[], o2o.points[], boolean) IS 'Which requests of a batch the reserves of their programs cover as they are now (by_now; else: as if they were used up), one after the other; true where an operation is no earn or no reserve is enforced.';

CREATE OR REPLACE FUNCTION o2o.points_post_many(operations text[], persons bigint[], amounts o2o.points[], programs text[],
	counterparties bigint[] DEFAULT NULL, reference text[] DEFAULT NULL, reason text[] DEFAULT NULL, idempotency_keys text[] DEFAULT NULL,
	occurred_at timestamptz[] DEFAULT NULL, all_or_nothing boolean DEFAULT false, identifiers o2o.identifier[] DEFAULT NULL,
	counterparty_identifiers o2o.identifier[] DEFAULT NULL, transfer_ids bigint[] DEFAULT NULL)
RETURNS TABLE (n integer, code text, transfer_id bigint, balance o2o.points)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	places integer := coalesce(cardinality(operations), 0);
	none text[];
	asked text[] := operations;			-- what is posted here: not what a replay answers
	trying text[];						-- of these, what the reserves cover
	covered boolean[];
	by_identifier boolean := identifiers IS NOT NULL OR counterparty_identifiers IS NOT NULL;
	requests uuid[];
	hashes bytea[];
	claimed uuid[];
	first_places integer[];				-- where the same key was given first
	codes text[];
	transfers bigint[];
	balances o2o.points[];
	posted record;
BEGIN
	IF places <> coalesce(cardinality(persons), CASE WHEN by_identifier THEN places ELSE 0 END)
		OR places <> coalesce(cardinality(amounts), 0) OR places <> coalesce(cardinality(programs), 0)
		OR places <> cardinality(identifiers) OR places <> cardinality(counterparty_identifiers) OR places <> cardinality(transfer_ids)
		OR places <> cardinality(counterparties) OR places <> cardinality(reference) OR places <> cardinality(reason)
		OR places <> cardinality(idempotency_keys) OR places <> cardinality(points_post_many.occurred_at)
	THEN
		RAISE EXCEPTION 'a batch of points needs arrays of one length'
			USING ERRCODE = 'array_subscript_error', DETAIL = format('operations has %s elements.', places);
	ELSIF places = 0 THEN
		RETURN;
	END IF;
	none := array_fill(NULL::text, ARRAY[places]);
	persons := coalesce(persons, none::bigint[]);
	counterparties := coalesce(counterparties, none::bigint[]);
	identifiers := coalesce(identifiers, none::o2o.identifier[]);
	counterparty_identifiers := coalesce(counterparty_identifiers, none::o2o.identifier[]);
	transfer_ids := coalesce(transfer_ids, none::bigint[]);
	reference := coalesce(reference, none);
	reason := coalesce(reason, none);
	points_post_many.occurred_at := CASE WHEN points_post_many.occurred_at IS NULL THEN array_fill(now(), ARRAY[places])
		ELSE ARRAY(SELECT coalesce(u.at, now()) FROM unnest(points_post_many.occurred_at) WITH ORDINALITY u (at, n) ORDER BY u.n) END;
	requests := array_fill(gen_random_uuid(), ARRAY[places]);

	IF idempotency_keys IS NOT NULL THEN
		IF '' = ANY (idempotency_keys) THEN
			RAISE EXCEPTION 'idempotency key is empty'
				USING ERRCODE = 'invalid_parameter_value', HINT = 'Give each operation a key of its own, or NULL for none.';
		END IF;
		SELECT array_agg(coalesce(o2o.request_key(u.key), u.request_id) ORDER BY u.n),
			array_agg(sha256(convert_to(CASE WHEN u.operation = 'refund' THEN o2o.points_refund_payload(u.of_transfer_id, u.amount, u.reference, u.reason)::text
				ELSE o2o.points_payload(u.operation, coalesce(u.identifier::text, u.person::text), coalesce(u.counterparty_identifier::text, u.counterparty::text),
					u.amount, u.program, u.reference, u.reason, u.at, 'program', NULL) END, 'UTF8')) ORDER BY u.n)
		INTO requests, hashes
		FROM unnest(operations, persons, counterparties, amounts, programs, reference, reason, points_post_many.occurred_at, idempotency_keys, requests,
				identifiers, counterparty_identifiers, transfer_ids)
			WITH ORDINALITY u (operation, person, counterparty, amount, program, reference, reason, at, key, request_id,
				identifier, counterparty_identifier, of_transfer_id, n);
		-- Keys first, ascending: two batches never wait for each other in a circle.
		WITH claim AS (
			INSERT INTO o2o.request AS r (request_id, operation, payload_hash)
			SELECT DISTINCT ON (u.request_id) u.request_id, 'points_' || u.operation, u.hash
			FROM unnest(requests, operations, hashes, idempotency_keys) WITH ORDINALITY u (request_id, operation, hash, key, n)
			WHERE u.key IS NOT NULL
			ORDER BY u.request_id, u.n
			ON CONFLICT DO NOTHING
			RETURNING r.request_id
		)
		SELECT array_agg(c.request_id) INTO claimed FROM claim c;
		SELECT array_agg(CASE WHEN s.code IS NULL AND s.first_place = s.n THEN s.operation END ORDER BY s.n), array_agg(s.code ORDER BY s.n),
			array_agg(s.transfer_id ORDER BY s.n), array_agg(s.balance ORDER BY s.n), array_agg(s.first_place ORDER BY s.n)
		INTO asked, codes, transfers, balances, first_places
		FROM (
			SELECT u.n, u.operation, (r.result ->> 'transfer_id')::bigint AS transfer_id, (r.result ->> 'balance')::o2o.points AS balance,
				CASE WHEN r.operation <> 'points_' || u.operation OR r.payload_hash <> u.hash THEN 'O2004'
					WHEN r.request_id IS NOT NULL AND c.request_id IS NULL THEN '00000' END AS code,
				CASE WHEN c.request_id IS NULL THEN u.n ELSE min(u.n) OVER (PARTITION BY u.request_id) END::integer AS first_place
			FROM unnest(requests, operations, hashes, idempotency_keys) WITH ORDINALITY u (request_id, operation, hash, key, n)
				LEFT JOIN o2o.request r ON r.request_id = u.request_id
				LEFT JOIN unnest(claimed) c (request_id) ON c.request_id = u.request_id
		) s;
	END IF;

	-- Keys are claimed before anybody is looked up. 0: nobody.
	IF by_identifier THEN
		persons := ARRAY(SELECT CASE WHEN u.identifier IS NULL THEN u.id ELSE coalesce(o2o.identifier_profile(u.identifier), 0) END
			FROM unnest(persons, identifiers) WITH ORDINALITY u (id, identifier, n) ORDER BY u.n);
		counterparties := ARRAY(SELECT CASE WHEN u.identifier IS NULL THEN u.id ELSE coalesce(o2o.identifier_profile(u.identifier), 0) END
			FROM unnest(counterparties, counterparty_identifiers) WITH ORDINALITY u (id, identifier, n) ORDER BY u.n);
	END IF;

	-- Refunds go before the rest: they are of what was posted before the batch.
	-- So are accounts that may lapse locked, which SQL posts to one by one.
	IF 'refund' = ANY (asked) OR EXISTS (SELECT FROM o2o.points_program p WHERE p.program = ANY (programs) AND p.inactive_after IS NOT NULL) THEN
		PERFORM o2o.points_post_many_lock(asked, persons, counterparties, transfer_ids);
	END IF;
	IF 'refund' = ANY (asked) THEN
		codes := coalesce(codes, none);
		transfers := coalesce(transfers, none::bigint[]);
		balances := coalesce(balances, none::o2o.points[]);
		FOR i IN 1 .. places LOOP
			CONTINUE WHEN asked[i] IS DISTINCT FROM 'refund';
			posted := o2o.points_post_left('refund', NULL, NULL, NULL, NULL, amounts[i], programs[i], reference[i], reason[i], requests[i], NULL,
				transfer_ids[i], all_or_nothing);
			codes[i] := posted.code;
			transfers[i] := posted.transfer_id;
			balances[i] := posted.balance;
		END LOOP;
	END IF;

	trying := asked;
	FOR attempt IN 1 .. 5 LOOP
		BEGIN
			IF codes IS NULL THEN
				SELECT array_agg(e.code), array_agg(e.transfer_id), array_agg(e.balance) INTO codes, transfers, balances
				FROM (
					SELECT e.code, e.transfer_id, e.balance
					FROM o2o.points_execute(trying, persons, counterparties, programs, amounts, requests, reference, reason, points_post_many.occurred_at) e
					ORDER BY e.n
				) e;
			ELSE
				SELECT array_agg(coalesce(u.code, e.code) ORDER BY e.n), array_agg(coalesce(u.transfer_id, e.transfer_id) ORDER BY e.n),
					array_agg(coalesce(u.balance, e.balance) ORDER BY e.n)
				INTO codes, transfers, balances
				FROM o2o.points_execute(trying, persons, counterparties, programs, amounts, requests, reference, reason, points_post_many.occurred_at) e
					JOIN unnest(codes, transfers, balances) WITH ORDINALITY u (code, transfer_id, balance, n) ON u.n = e.n;
			END IF;
			EXIT;
		EXCEPTION WHEN SQLSTATE 'O2305' THEN
			-- Drawn in one sum. Others may draw meanwhile: in the end without all that needs a reserve.
			IF all_or_nothing THEN
				RAISE;
			END IF;
			covered := o2o.points_reserve_covers(asked, programs, amounts, attempt < 4);
			trying := ARRAY(SELECT CASE WHEN u.is_covered THEN u.operation END
				FROM unnest(asked, covered) WITH ORDINALITY u (operation, is_covered, n) ORDER BY u.n);
		END;
	END LOOP;
	IF covered IS NOT NULL THEN
		codes := ARRAY(SELECT CASE WHEN u.is_covered THEN u.code ELSE 'O2305' END
			FROM unnest(codes, covered) WITH ORDINALITY u (code, is_covered, n) ORDER BY u.n);
	END IF;

	IF array_position(codes, NULL) IS NOT NULL OR '00000' <> ANY (codes) THEN
		FOR i IN 1 .. places LOOP
			IF all_or_nothing AND codes[i] <> '00000' THEN
				RAISE EXCEPTION 'request % of the batch cannot be posted', i
					USING ERRCODE = codes[i], DETAIL = format('%s of %s in points program "%s" for %s.', operations[i], amounts[i], programs[i], persons[i]),
						HINT = 'Nothing of the batch was posted.';
			ELSIF asked[i] IS NULL AND codes[i] IS NULL AND first_places[i] < i THEN
				-- The same key again: the same answer.
				codes[i] := codes[first_places[i]];
				transfers[i] := transfers[first_places[i]];
				balances[i] := balances[first_places[i]];
			END IF;
			CONTINUE WHEN codes[i] IS NOT NULL;
			posted := o2o.points_post_left(operations[i], identifiers[i], persons[i], counterparty_identifiers[i], counterparties[i], amounts[i],
				programs[i], reference[i], reason[i], requests[i], points_post_many.occurred_at[i], NULL, all_or_nothing);
			codes[i] := posted.code;
			transfers[i] := posted.transfer_id;
			balances[i] := posted.balance;
		END LOOP;
	END IF;
	IF idempotency_keys IS NOT NULL THEN
		UPDATE o2o.request r SET result = jsonb_build_object('transfer_id', u.transfer_id, 'balance', u.balance)
		FROM unnest(requests, asked, idempotency_keys, codes, transfers, balances) u (request_id, operation, key, code, transfer_id, balance)
		WHERE r.request_id = u.request_id AND u.operation <> 'refund' AND u.key IS NOT NULL AND u.code = '00000';
		-- Not posted: the key is free again.
		IF '00000' <> ANY (codes) THEN
			DELETE FROM o2o.request r
			USING unnest(requests, asked, idempotency_keys, codes) u (request_id, operation, key, code)
			WHERE r.request_id = u.request_id AND u.operation IS NOT NULL AND u.key IS NOT NULL AND u.code <> '00000';
		END IF;
	END IF;
	RETURN QUERY SELECT u.n::integer, u.code, u.transfer_id, u.balance
	FROM unnest(codes, transfers, balances) WITH ORDINALITY u (code, transfer_id, balance, n)
	ORDER BY u.n;
END $$;
COMMENT ON FUNCTION o2o.points_post_many(text[], bigint[], o2o.points[], text[], bigint[], text[], text[], text[], timestamptz[], boolean, o2o.identifier[], o2o.identifier[], bigint[]) IS 'Many requests at once, as parallel arrays: operations (earn, burn, pay, transfer, refund), persons by profile or customer id, amounts, programs, counterparties (of pay the seller, of transfer who is given to), references of the caller''s documents, reasons, idempotency keys (a key that was used before, in a batch or a single call, answers as it did), when points were earned (all else happens now); identifiers and counterparty_identifiers name persons instead of ids where they are not NULL; of refunds transfer_ids, the burns or payments that go back, in part where there is an amount (person and program are not read). Each means what the single call means. Refunds are done first, for they are of what was posted before; then the others in the order of the arrays, and each sees those before it. Locks keys, customers and accounts once each, in ascending order, and draws on an enforced reserve once a program; where that does not cover all, the earns are refused, first come first served, that it does not cover now. One row per request: its place, code (00000: posted; else the SQLSTATE of the single call, and nothing of this request was posted), transfer_id and the customer''s balance after it. all_or_nothing: the first request that cannot be posted is the error of the whole call. Errors: 2202E arrays of different lengths, 22023 an empty key; with all_or_nothing those of the single calls.';
