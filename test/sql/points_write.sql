-- The writer in C and its twin in SQL: the same random instructions, right ones and wrong
-- ones, leave the same rows behind, or raise the same error.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_points_write;
CREATE DATABASE o2o_points_write;
\c o2o_points_write
SET client_min_messages = warning;
CREATE ROLE o2o_points_write_owner;
CREATE ROLE o2o_points_write_reader;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_points_write_owner;
CALL o2o.setup(owner => 'o2o_points_write_owner');
RESET client_min_messages;
SET ROLE o2o_points_write_owner;
SET search_path = public, o2o;
\set SHOW_CONTEXT never
SET datestyle = ISO;
SET timezone = 'UTC';
SET extra_float_digits = 1;

-- Accounts of every kind, some of them chained, two with something on hold.
SELECT o2o.points_program_create('club', 'Club', 'CNY', clawback_policy => 'debt');
INSERT INTO o2o.points_account (profile_id, program, kind, chain)
SELECT n, 'club', k.kind, CASE WHEN n % 2 = 0 THEN ''::bytea END
FROM generate_series(1, 6) n CROSS JOIN unnest('{member,debt,seller}'::text[]) k (kind)
WHERE k.kind = 'member' OR n > 4;

CREATE PROCEDURE pg_temp.random_batch(INOUT b jsonb) LANGUAGE plpgsql AS $$
BEGIN
	b := (SELECT jsonb_agg(jsonb_build_object('profile', a.profile_id, 'account', a.account_id, 'transfer', 1000 + i.n, 'contra', 1 + (random() * 5)::int,
			'operation', o.operation, 'expires', CASE WHEN r.lotless THEN NULL ELSE timestamptz '2027-01-01 00:00+00' + (r.a * 3)::int * interval '1 month' END,
			'month', CASE WHEN r.lotless THEN NULL ELSE date '2026-01-01' + 31 * (r.b * 2)::int END,
			'funding', CASE WHEN r.lotless THEN NULL ELSE CASE WHEN r.c < 0.8 THEN 'program' ELSE 'brand' END END,
			'amount', CASE WHEN r.d < 0.003 THEN '922337203685477.5807' ELSE round((CASE WHEN (o.above_zero AND r.e < 0.7) OR NOT o.below_zero THEN 1 ELSE -1 END
				* CASE WHEN r.d > 0.99 THEN -1 ELSE 1 END * (0.01 + r.f * CASE WHEN o.above_zero THEN 50 ELSE 20 END))::numeric, 2)::text END,
			'reference', CASE WHEN r.a < 0.5 THEN 'pos/' || i.n END, 'reverses', CASE WHEN r.b < 0.2 THEN i.n END) ORDER BY i.n)
		FROM generate_series(1, 1 + (random() * CASE WHEN random() < 0.2 THEN 400 ELSE 12 END)::int) i (n)
			CROSS JOIN LATERAL (SELECT random() AS a, random() AS b, random() AS c, random() AS d, random() AS e, random() AS f, random() AS g, random() AS h, i.n AS n) r0
			CROSS JOIN LATERAL (SELECT o.* FROM o2o.points_operation() o
				WHERE CASE WHEN r0.g < 0.55 THEN o.operation IN ('earn', 'transfer_in') WHEN r0.g < 0.97 THEN o.operation IN ('burn', 'pay', 'expire', 'clawback', 'adjust', 'refund', 'reverse') ELSE true END
				ORDER BY md5(o.operation || r0.h) LIMIT 1) o
			CROSS JOIN LATERAL (SELECT a.* FROM o2o.points_account a WHERE a.kind = 'member' OR r0.c > 0.98 ORDER BY md5(a.account_id || r0.f::text) LIMIT 1) a
			CROSS JOIN LATERAL (SELECT r0.*, a.kind <> 'member' OR r0.c < 0.01 AS lotless) r);
END $$;

CREATE FUNCTION pg_temp.write(writer text, b jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format($q$SELECT o2o.%I(array_agg((e ->> 'profile')::bigint ORDER BY n), array_agg((e ->> 'account')::bigint ORDER BY n), array_agg((e ->> 'transfer')::bigint ORDER BY n),
		array_agg((e ->> 'contra')::bigint ORDER BY n), array_agg(e ->> 'operation' ORDER BY n), array_agg((e ->> 'expires')::timestamptz ORDER BY n),
		array_agg((e ->> 'month')::date ORDER BY n), array_agg(e ->> 'funding' ORDER BY n), array_agg((e ->> 'amount')::points ORDER BY n),
		array_agg(md5(e ->> 'transfer')::uuid ORDER BY n), array_agg((e ->> 'profile')::bigint ORDER BY n), array_agg(7::bigint ORDER BY n), array_agg(e ->> 'reference' ORDER BY n),
		array_agg(NULL::text ORDER BY n), array_agg(timestamptz '2026-11-01 00:00+00' ORDER BY n), array_agg((e ->> 'reverses')::bigint ORDER BY n))
		FROM jsonb_array_elements($1) WITH ORDINALITY u (e, n)$q$, writer) USING b;
END $$;

-- All that a batch leaves behind, but for the times: those only rise. Or its error.
CREATE FUNCTION pg_temp.outcome(writer text, b jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
	wrong bigint;
BEGIN
	BEGIN
		PERFORM pg_temp.write(writer, b);
		wrong := (SELECT count(*) FROM (
				SELECT p.*, lag(p.chain) OVER w AS previous, lag(p.posted_at) OVER w AS posted_before, a.chain AS head, a.posted_at AS last_at, lead(p.version) OVER w IS NULL AS is_last
				FROM points_posting p JOIN points_account a USING (profile_id, account_id)
				WINDOW w AS (PARTITION BY p.account_id ORDER BY p.version)) p
			WHERE p.posted_at <= p.posted_before OR p.is_last AND p.posted_at <> p.last_at
				OR p.chain IS DISTINCT FROM CASE WHEN p.head IS NOT NULL THEN o2o.points_chain(p.previous, p.profile_id, p.account_id, p.version, p.transfer_id,
					p.contra_account_id, p.operation, p.amount, p.balance, p.expires_at, p.grant_month, p.funding, p.request_id, p.acting_profile_id,
					p.customer_id, p.reference, p.occurred_at, p.posted_at, p.posted_by, p.reverses_transfer_id, p.seq) END
				OR p.is_last AND p.head IS DISTINCT FROM p.chain);
		result := concat_ws(E'\n', (SELECT string_agg((to_jsonb(a) - 'posted_at' - 'chain')::text, E'\n' ORDER BY a.account_id) FROM points_account a),
			(SELECT string_agg((to_jsonb(l))::text, E'\n' ORDER BY l.account_id, l.expires_at, l.grant_month, l.funding) FROM points_lot l),
			(SELECT string_agg((to_jsonb(p) - 'posted_at' - 'chain')::text, E'\n' ORDER BY p.account_id, p.version) FROM points_posting p),
			'wrong times or links: ' || wrong);
		RAISE EXCEPTION 'undo' USING ERRCODE = 'O2R99';
	EXCEPTION
		WHEN SQLSTATE 'O2R99' THEN
			RETURN result;
		WHEN OTHERS THEN
			RETURN SQLSTATE || ' ' || SQLERRM;
	END;
END $$;

CREATE PROCEDURE pg_temp.compare(rounds integer, seed double precision) LANGUAGE plpgsql AS $$
DECLARE
	b jsonb;
	in_c text;
	in_sql text;
	good integer := 0;
	codes text[] := '{}';
BEGIN
	PERFORM setseed(seed);
	FOR round IN 1 .. rounds LOOP
		CALL pg_temp.random_batch(b);
		in_c := pg_temp.outcome('points_write', b);
		in_sql := pg_temp.outcome('points_write_sql', b);
		-- Where a batch has several errors, SQL meets sums out of range first.
		IF in_c <> in_sql AND NOT (in_sql ~ '^22003' AND in_c ~ '^[0-9A-Z]{5} ') OR in_c ~ 'wrong times or links: [1-9]' THEN
			RAISE EXCEPTION 'seed %, round %: the writers differ', seed, round USING DETAIL = format(E'%s\nC:\n%s\nSQL:\n%s', b, in_c, in_sql);
		END IF;
		IF in_c ~ '^[0-9A-Z]{5} ' THEN
			codes := codes || left(in_c, 5);
			-- What is right in it is written one by one, so that there is something to take from.
			FOR i IN 0 .. jsonb_array_length(b) - 1 LOOP
				BEGIN
					PERFORM pg_temp.write('points_write', jsonb_build_array(b -> i));
				EXCEPTION WHEN OTHERS THEN NULL;
				END;
			END LOOP;
		ELSE
			good := good + 1;
			PERFORM pg_temp.write('points_write', b);
		END IF;
		IF round % 20 = 0 THEN
			-- Something is put on hold, or no more.
			UPDATE points_lot SET held = CASE WHEN round % 40 = 0 THEN 0::points ELSE floor(greatest(remaining::numeric, 0) / 2)::points END;
		END IF;
	END LOOP;
	-- Which batches a seed makes depends on the server's version; there must be some of either kind.
	RAISE INFO 'seed %: batches that were right %, wrong %', seed, good > rounds / 20, cardinality(codes) > rounds / 20;
END $$;
CALL pg_temp.compare(40, 0.42);
CALL pg_temp.compare(20, 0.7);

-- A trigger of the owner's, a policy, a check: then SQL writes, and sees to them.
CREATE FUNCTION pg_temp.tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE INFO '% %', TG_TABLE_NAME, TG_OP; RETURN NULL; END $$;
CREATE VIEW pg_temp.one AS SELECT '[{"profile": 1, "transfer": 1, "contra": 1, "operation": "earn", "expires": "2027-01-01", "month": "2026-01-01", "funding": "program", "amount": "1"}]'::jsonb
	|| '[]'::jsonb AS b;
CREATE FUNCTION pg_temp.earn() RETURNS void LANGUAGE sql AS $$
	SELECT pg_temp.write('points_write', jsonb_set(o.b, '{0,account}', to_jsonb(a.account_id))) FROM pg_temp.one o, points_account a WHERE a.profile_id = 1 AND a.kind = 'member' $$;
CREATE TRIGGER tell AFTER INSERT ON points_posting FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.tell();
SELECT pg_temp.earn();
DROP TRIGGER tell ON points_posting;
SELECT pg_temp.earn();
ALTER TABLE points_lot ADD CONSTRAINT few CHECK (granted < '1') NOT VALID;
SELECT pg_temp.earn();
ALTER TABLE points_lot DROP CONSTRAINT few;

-- An index, a column of the owner's.
CREATE INDEX mine ON points_posting ((lower(operation))) WHERE amount > '0';
ALTER TABLE points_posting ADD COLUMN note text;
SELECT pg_temp.earn();
SET enable_seqscan = off;
SELECT count(*) = (SELECT count(*) FROM points_posting WHERE amount > '0' AND operation = 'earn') AS indexed FROM points_posting WHERE lower(operation) = 'earn' AND amount > '0';
RESET enable_seqscan;

-- Neither writer takes what is on hold, whoever calls it; and times of an account rise when the clock goes back.
CREATE FUNCTION pg_temp.one(writer text, operation text, amount text) RETURNS void LANGUAGE sql AS $$
	SELECT pg_temp.write(writer, jsonb_build_array(o.b -> 0 || jsonb_build_object('account', a.account_id, 'operation', operation, 'amount', amount)))
	FROM pg_temp.one o, points_account a WHERE a.profile_id = 1 AND a.kind = 'member' $$;
BEGIN;
UPDATE points_lot SET held = remaining - '0.5' WHERE profile_id = 1 AND expires_at = '2027-01-01' AND grant_month = '2026-01-01' AND funding = 'program';
SAVEPOINT held;
\set VERBOSITY sqlstate
SELECT pg_temp.one('points_write', 'burn', '-0.6');
ROLLBACK TO held;
SELECT pg_temp.one('points_write_sql', 'burn', '-0.6');
ROLLBACK TO held;
\set VERBOSITY default
SELECT pg_temp.one(w, 'burn', '-0.25') FROM unnest('{points_write,points_write_sql}'::text[]) w;
UPDATE points_account SET posted_at = now() + interval '1 hour' WHERE profile_id = 1 AND kind = 'member';
SELECT pg_temp.one(w, 'earn', '1') FROM unnest('{points_write,points_write_sql,points_write}'::text[]) w;
SELECT extract(epoch FROM p.posted_at - now()) AS ahead FROM points_posting p WHERE p.profile_id = 1 ORDER BY p.version DESC LIMIT 3;
ROLLBACK;

-- Nobody writes without rights on the tables, and nothing is written read only.
BEGIN READ ONLY;
SELECT pg_temp.earn();
ROLLBACK;
RESET ROLE;
GRANT SELECT ON o2o.points_account TO o2o_points_write_reader;
CREATE TEMP TABLE args AS SELECT a.profile_id, a.account_id FROM o2o.points_account a WHERE a.profile_id = 1 AND a.kind = 'member';
GRANT SELECT ON args TO PUBLIC;
SET ROLE o2o_points_write_reader;
SELECT o2o.points_post(profile_id, account_id, 1, 1, 'earn', '{2027-01-01}', '{2026-01-01}', '{program}', '{1}', gen_random_uuid(), 1, 1, NULL, NULL, now()) FROM args;
RESET ROLE;
SET ROLE o2o_points_write_owner;
SELECT o2o.points_post(profile_id, account_id, 1, 1, 'steal', '{2027-01-01}', '{2026-01-01}', '{program}', '{1}', gen_random_uuid(), 1, 1, NULL, NULL, now()) FROM args;
SELECT o2o.points_post(profile_id, account_id, 1, 1, 'earn', '{2027-01-01}', '{NULL}', '{program}', '{1}', gen_random_uuid(), 1, 1, NULL, NULL, now()) FROM args;
SELECT o2o.points_post(profile_id, account_id, 1, 1, 'earn', '{2027-01-01,2027-02-01}', '{2026-01-01}', '{program}', '{1}', gen_random_uuid(), 1, 1, NULL, NULL, now()) FROM args;

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_points_write;
DROP ROLE o2o_points_write_owner;
DROP ROLE o2o_points_write_reader;
