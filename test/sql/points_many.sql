-- Many requests in one call: each has its own code, keys answer again, and what C
-- code does for plain tables is what the functions in SQL do.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_points_many;
CREATE DATABASE o2o_points_many;
\c o2o_points_many
SET client_min_messages = warning;
CREATE ROLE o2o_points_many_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_points_many_owner;
CALL o2o.setup(owner => 'o2o_points_many_owner');
RESET client_min_messages;
SET ROLE o2o_points_many_owner;
SET search_path = public, o2o;
\set SHOW_CONTEXT never
SET datestyle = ISO;

SELECT o2o.points_program_create('club', 'Club', 'CNY', expires_after => '2 years', expires_round => 'month', clawback_policy => 'debt');
SELECT o2o.points_program_create('cents', 'Cents', 'CNY', scale => 2, clawback_policy => 'negative');
SELECT o2o.points_program_create('backed', 'Backed', 'CNY', reserve_policy => 'enforce');
SELECT count(*) FROM (SELECT o2o.identity_resolve(ARRAY['card:' || n]::o2o.identifier[], 'pos', 'e' || n, now()) FROM generate_series(1, 9) n) r;
-- Cards 1 to 3 are one customer, 4 and 5 another; 6 is a seller.
SELECT count(*) FROM (SELECT o2o.identify(format('["card:1", "card:%s"]', n)::jsonb, source => 'pos') FROM generate_series(2, 3) n) r;
SELECT count(*) FROM (SELECT o2o.identify('["card:4", "card:5"]', source => 'pos')) r;
CREATE TEMP TABLE who AS SELECT lower(i.identifier::text) AS who, i.profile_id AS id FROM o2o.profile_identifier i;
CREATE FUNCTION pg_temp.id(card integer) RETURNS bigint LANGUAGE sql AS $$ SELECT w.id FROM who w WHERE w.who = 'card:' || card $$;
SELECT count(o2o.points_seller_open(pg_temp.id(6), 'club'));

-- Each has its code; what is refused leaves nothing, those after it go on; one account many times.
SELECT m.n, m.code, m.transfer_id IS NOT NULL AS posted, m.balance
FROM o2o.points_post_many('{earn,earn,burn,burn,pay,transfer,transfer,pay,earn,earn,burn,swim,burn}',
	ARRAY[pg_temp.id(1), pg_temp.id(2), pg_temp.id(3), pg_temp.id(1), pg_temp.id(2), pg_temp.id(1), pg_temp.id(1), pg_temp.id(1), 999999, pg_temp.id(1), pg_temp.id(1), pg_temp.id(1), NULL],
	'{100,50,120,31,10,15,1,1,5,5,0.5,1,1}', '{club,club,club,club,club,club,club,club,club,nowhere,club,club,club}',
	ARRAY[NULL, NULL, NULL, NULL, pg_temp.id(6), pg_temp.id(4), pg_temp.id(2), pg_temp.id(7), NULL, NULL, NULL, NULL, NULL]) m ORDER BY m.n;
SELECT w.who, p.version, p.operation, p.amount, p.balance FROM o2o.points_posting p JOIN who w ON w.id = p.profile_id ORDER BY w.who COLLATE "C", p.version;
SELECT o2o.points_seller_balance(pg_temp.id(6), 'club');
SELECT * FROM o2o.points_verify();

-- What a call itself earns is spent like the rest: nearest expiry first, and never what was gone when it came.
BEGIN;
SELECT m.n, m.code, m.balance FROM o2o.points_post_many('{earn,burn,earn,earn,burn,burn}', array_fill(pg_temp.id(7), ARRAY[6]), '{10,1,5,6,11,1}', array_fill('club'::text, ARRAY[6]),
	occurred_at => ARRAY[now() - interval '3 years', NULL, now(), now() - interval '1 year', NULL, NULL]) m ORDER BY m.n;
SELECT l.expires_at > now() AS alive, l.granted, l.remaining FROM points_lot l WHERE l.profile_id = pg_temp.id(7) ORDER BY l.expires_at;
SELECT m.n, m.code FROM o2o.points_post_many('{earn,burn,earn,burn}', array_fill(pg_temp.id(7), ARRAY[4]), '{5,1,6,4}', array_fill('club'::text, ARRAY[4]),
	occurred_at => ARRAY[now(), NULL, now() - interval '1 year', NULL]) m ORDER BY m.n;
SELECT l.expires_at > now() AS alive, l.granted, l.remaining FROM points_lot l WHERE l.profile_id = pg_temp.id(7) ORDER BY l.expires_at;
ROLLBACK;

-- Points earned repay what their own profile owes, also where the call holds the accounts of the others.
BEGIN;
SELECT count(*) FROM o2o.points_adjust(pg_temp.id(2), -1000, 'club', 'more than there is');
SELECT m.n, m.code, m.balance FROM o2o.points_post_many('{burn,earn,burn}', array_fill(pg_temp.id(1), ARRAY[3]), '{1,7,1}', array_fill('club'::text, ARRAY[3])) m ORDER BY m.n;
SELECT w.who, a.kind, a.debt > 0 AS owes, l.remaining FROM points_account a JOIN who w ON w.id = a.profile_id
	LEFT JOIN points_lot l ON l.account_id = a.account_id AND l.remaining > 0
WHERE w.who IN ('card:1', 'card:2') AND a.program = 'club' ORDER BY w.who, a.kind;
SELECT m.n, m.code, m.balance FROM o2o.points_post_many('{earn,burn}', ARRAY[pg_temp.id(2), pg_temp.id(1)], '{1000,7}', '{club,club}') m ORDER BY m.n;
ROLLBACK;

-- All or nothing.
SELECT * FROM o2o.points_post_many('{earn,burn}', ARRAY[pg_temp.id(7), pg_temp.id(7)], '{5,6}', '{club,club}', all_or_nothing => true);
SELECT count(*) FROM o2o.points_account WHERE profile_id = pg_temp.id(7);
SELECT m.n, m.code, m.balance FROM o2o.points_post_many('{earn,burn}', ARRAY[pg_temp.id(7), pg_temp.id(7)], '{5,5}', '{club,club}', all_or_nothing => true) m;

-- Keys: the same answer again, from a batch or from a single call; another request is an error; a refused one may come again.
SELECT m.n, m.code, m.balance FROM o2o.points_post_many('{earn,burn,earn,earn,burn}', array_fill(pg_temp.id(8), ARRAY[5]), '{10,3,10,11,99}', array_fill('club'::text, ARRAY[5]),
	idempotency_keys => '{a,b,a,a,c}') m;
SELECT m.n, m.code, m.balance FROM o2o.points_post_many('{earn,burn,burn}', array_fill(pg_temp.id(8), ARRAY[3]), '{10,3,1}', array_fill('club'::text, ARRAY[3]),
	idempotency_keys => '{a,b,c}') m;
SELECT balance FROM o2o.points_earn(pg_temp.id(8), 10, 'club', idempotency_key => 'a');
SELECT balance FROM o2o.points_burn(pg_temp.id(8), 3, 'club', idempotency_key => 'b');
SELECT balance FROM o2o.points_earn(pg_temp.id(8), 7, 'club', idempotency_key => 'd');
SELECT m.n, m.code, m.balance FROM o2o.points_post_many('{earn}', ARRAY[pg_temp.id(8)], '{7}', '{club}', idempotency_keys => '{d}') m;
SELECT balance FROM o2o.points_balance(pg_temp.id(8));
SELECT * FROM o2o.points_post_many('{earn}', ARRAY[pg_temp.id(8)], '{7}', '{club}', idempotency_keys => '{""}');
SELECT * FROM o2o.points_post_many('{earn}', ARRAY[pg_temp.id(8)], '{7,8}', '{club}');
SELECT count(*) FROM o2o.points_post_many('{}', '{}', '{}', '{}');
-- A program whose issues need a reserve, and has none yet.
SELECT m.n, m.code, m.balance FROM o2o.points_post_many('{earn,earn}', array_fill(pg_temp.id(8), ARRAY[2]), '{7,8}', '{backed,club}') m;

-- Persons by identifier, as in single calls, and with the same keys; nobody known by one, a wrong key, and who has no id at all.
SELECT m.n, m.code, m.balance FROM o2o.points_post_many('{earn,burn,pay,transfer,earn,burn,earn}', NULL, '{50,5,4,3,2,1,6}', array_fill('club'::text, ARRAY[7]),
	identifiers => '{card:9,card:9,card:9,card:9,card:nobody,NULL,card:9}', counterparty_identifiers => '{NULL,NULL,card:6,card:7,NULL,NULL,NULL}',
	idempotency_keys => '{i1,i2,i3,i4,i5,i6,NULL}') m;
SELECT balance FROM o2o.points_burn('card:9', 5, 'club', idempotency_key => 'i2');
SELECT balance FROM o2o.points_pay('card:9', 'card:6', 4, 'club', idempotency_key => 'i3');
SELECT balance FROM o2o.points_burn(pg_temp.id(9), 5, 'club', idempotency_key => 'i2');
SELECT balance FROM o2o.points_transfer('card:9', 'card:7', 3, 'club', idempotency_key => 'i4');
SELECT m.n, m.code, m.balance FROM o2o.points_post_many('{burn,burn}', ARRAY[pg_temp.id(9), NULL], '{5,5}', '{club,club}', identifiers => '{NULL,card:9}', idempotency_keys => '{i2,i2}') m;
SELECT count(*) FROM o2o.request r WHERE r.request_id IN (o2o.request_key('i5'), o2o.request_key('i6'));

-- Refunds, whole and in part, with keys, before all else; what cannot go back has its code.
CREATE TEMP TABLE burned AS SELECT transfer_id FROM o2o.points_burn('card:9', 20, 'club');
SELECT m.n, m.code, m.transfer_id IS NOT NULL AS posted, m.balance FROM o2o.points_post_many('{burn,refund,refund,refund,refund,earn}', ARRAY[pg_temp.id(9), NULL, NULL, NULL, NULL, pg_temp.id(9)],
	'{40,15,NULL,1,1,1}', '{club,NULL,NULL,NULL,NULL,club}', transfer_ids => (SELECT ARRAY[NULL, transfer_id, transfer_id, transfer_id, 0, NULL] FROM burned),
	idempotency_keys => '{NULL,r1,r2,r3,r4,NULL}') m;
SELECT refunded, balance FROM burned, o2o.points_refund(transfer_id, 15, idempotency_key => 'r1');
SELECT refunded, balance FROM burned, o2o.points_refund(transfer_id, 14, idempotency_key => 'r1');
SELECT m.n, m.code, m.balance FROM burned, o2o.points_post_many('{refund,refund}', '{NULL,NULL}', '{NULL,15}', '{NULL,NULL}', transfer_ids => ARRAY[transfer_id, transfer_id], idempotency_keys => '{r2,r1}') m;
SELECT m.n FROM burned, o2o.points_post_many('{earn,refund}', ARRAY[pg_temp.id(9), NULL], '{1,1}', '{club,NULL}', transfer_ids => ARRAY[NULL, transfer_id], all_or_nothing => true) m;

-- An enforced reserve is drawn once a batch; what it does not cover is refused, in the order of the array, and no key stays behind.
-- A point costs a cent.
SELECT o2o.points_reserve_deposit('backed', 1, 'for a hundred points') IS NOT NULL AS paid_in;
CREATE FUNCTION pg_temp.drawn() RETURNS bigint LANGUAGE sql AS $$ SELECT calls FROM pg_stat_xact_user_functions WHERE schemaname = 'o2o' AND funcname = 'points_reserve_draw' $$;
RESET ROLE;
SET track_functions = 'pl';
BEGIN;
SELECT m.n, m.code, m.balance FROM o2o.points_post_many(array_fill('earn'::text, ARRAY[4]), ARRAY[pg_temp.id(1), pg_temp.id(2), pg_temp.id(7), pg_temp.id(8)], '{10,20,30,5}', '{backed,backed,backed,club}') m;
SELECT pg_temp.drawn();
COMMIT;
RESET track_functions;
SET ROLE o2o_points_many_owner;
SELECT required, reserve, headroom FROM o2o.points_reserve_status('backed');
SELECT m.n, m.code, m.balance FROM o2o.points_post_many(array_fill('earn'::text, ARRAY[5]), ARRAY[pg_temp.id(1), pg_temp.id(2), pg_temp.id(7), pg_temp.id(8), pg_temp.id(7)],
	'{30,20,5,5,5}', '{backed,backed,backed,club,backed}', idempotency_keys => '{b1,b2,b3,b4,b5}') m;
SELECT count(*) FROM o2o.request r WHERE r.request_id = o2o.request_key('b2');
SELECT m.n, m.code, m.balance FROM o2o.points_post_many('{earn,earn}', ARRAY[pg_temp.id(1), pg_temp.id(2)], '{6,5}', '{backed,backed}', all_or_nothing => true) m;
SELECT required, reserve, headroom FROM o2o.points_reserve_status('backed');
SELECT * FROM o2o.points_verify();

-- Keys where the table of requests is no plain one, as those where it is: claimed, answered again from either side, refused.
CREATE FUNCTION pg_temp.nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER slow AFTER INSERT OR UPDATE ON o2o.request FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.nothing();
SELECT balance FROM o2o.points_earn(pg_temp.id(8), 7, 'club', idempotency_key => 'd');
SELECT balance FROM o2o.points_earn(pg_temp.id(8), 2, 'club', idempotency_key => 'slow');
SELECT balance FROM o2o.points_earn(pg_temp.id(8), 2, 'club', idempotency_key => 'slow');
SELECT balance FROM o2o.points_earn(pg_temp.id(8), 3, 'club', idempotency_key => 'slow');
SELECT balance FROM o2o.points_burn(pg_temp.id(8), 2, 'club', idempotency_key => 'slow');
SELECT available FROM o2o.points_hold(pg_temp.id(8), 1, 'club', idempotency_key => 'held');
DROP TRIGGER slow ON o2o.request;
SELECT balance FROM o2o.points_earn(pg_temp.id(8), 2, 'club', idempotency_key => 'slow');
SELECT available FROM o2o.points_hold(pg_temp.id(8), 1, 'club', idempotency_key => 'held');
SELECT balance, held FROM o2o.points_balance(pg_temp.id(8)) WHERE program = 'club';
SELECT r.operation, r.result ? 'transfer_id' AS has_transfer, r.created_at <= now() AS has_time, r.created_by = session_user AS has_role
FROM o2o.request r WHERE r.request_id IN (o2o.request_key('d'), o2o.request_key('slow')) ORDER BY 1;

-- Fast and slow: a trigger on the ledger leaves all to SQL.
CREATE FUNCTION pg_temp.outcome(is_slow boolean, b jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
	before bigint := (SELECT coalesce(max(p.transfer_id), 0) FROM points_posting p);
BEGIN
	IF is_slow THEN
		CREATE TRIGGER slow AFTER INSERT ON points_posting FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.nothing();
	END IF;
	result := (SELECT string_agg(concat_ws(' ', m.n, m.code, m.balance), E'\n' ORDER BY m.n) FROM o2o.points_post_many(
			ARRAY(SELECT e ->> 'operation' FROM jsonb_array_elements(b) e), ARRAY(SELECT (e ->> 'person')::bigint FROM jsonb_array_elements(b) e),
			ARRAY(SELECT (e ->> 'amount')::points FROM jsonb_array_elements(b) e), ARRAY(SELECT e ->> 'program' FROM jsonb_array_elements(b) e),
			ARRAY(SELECT (e ->> 'other')::bigint FROM jsonb_array_elements(b) e), ARRAY(SELECT e ->> 'reference' FROM jsonb_array_elements(b) e),
			occurred_at => ARRAY(SELECT (e ->> 'at')::timestamptz FROM jsonb_array_elements(b) e)) m);
	result := concat_ws(E'\n', result,
		(SELECT string_agg(concat_ws(' ', a.profile_id, a.program, a.kind, a.version, a.balance, a.held, a.debt), E'\n' ORDER BY a.profile_id, a.program, a.kind) FROM points_account a WHERE a.version > 0),
		(SELECT string_agg(concat_ws(' ', l.profile_id, a.program, l.expires_at, l.grant_month, l.funding, l.granted, l.remaining, l.consumed, l.held), E'\n'
			ORDER BY l.profile_id, a.program, l.expires_at, l.grant_month, l.funding) FROM points_lot l JOIN points_account a USING (profile_id, account_id)),
		(SELECT string_agg(concat_ws(' ', p.profile_id, a.program, a.kind, p.version, p.operation, p.contra_account_id, p.amount, p.balance, p.expires_at, p.grant_month,
				p.acting_profile_id, p.customer_id, p.reference, p.reason, p.occurred_at), E'\n' ORDER BY p.profile_id, a.program, a.kind, p.version)
			FROM points_posting p JOIN points_account a USING (profile_id, account_id) WHERE p.transfer_id > before),
		(SELECT count(*) || ' rows of verify' FROM points_verify()));
	IF is_slow THEN
		RAISE EXCEPTION 'undo' USING ERRCODE = 'O2R99';
	END IF;
	RETURN result;
EXCEPTION WHEN SQLSTATE 'O2R99' THEN
	RETURN result;
END $$;
CREATE PROCEDURE pg_temp.compare(rounds integer, seed double precision) LANGUAGE plpgsql AS $$
DECLARE
	b jsonb;
	slow text;
	fast text;
	done integer := 0;
	refused integer := 0;
BEGIN
	PERFORM setseed(seed);
	FOR round IN 1 .. rounds LOOP
		b := (SELECT jsonb_agg(jsonb_build_object('operation', (ARRAY['earn', 'earn', 'burn', 'burn', 'pay', 'transfer'])[1 + (r.a * 5.99)::int % 6],
				'person', pg_temp.id(1 + (r.b * 8)::int), 'other', pg_temp.id(4 + (r.c * 4)::int), 'program', CASE WHEN r.d < 0.7 THEN 'club' WHEN r.d < 0.98 THEN 'cents' ELSE 'sand' END,
				'amount', CASE WHEN r.d < 0.7 THEN round((r.e * 40)::numeric)::text ELSE round((r.e * 40)::numeric, 2)::text END,
				'reference', 'r' || i.n, 'at', CASE WHEN r.a < 0.2 THEN now() - (r.e * 1500)::int * interval '1 day' END) ORDER BY i.n)
			FROM generate_series(1, 1 + (random() * 25)::int) i (n)
				CROSS JOIN LATERAL (SELECT random() AS a, random() AS b, random() AS c, random() AS d, random() AS e, i.n) r);
		slow := pg_temp.outcome(true, b);
		fast := pg_temp.outcome(false, b);
		IF fast <> slow OR fast !~ '\n0 rows of verify$' THEN
			RAISE EXCEPTION 'seed %, round %: fast and slow differ', seed, round USING DETAIL = format(E'%s\nfast:\n%s\nslow:\n%s', b, fast, slow);
		END IF;
		done := done + (SELECT count(*) FROM regexp_matches(fast, '^\d+ 00000', 'gm'));
		refused := refused + (SELECT count(*) FROM regexp_matches(fast, '^\d+ O23', 'gm'));
		-- Some points are taken back that are not there, some are put aside for a while that is over at once.
		IF round % 5 = 0 THEN
			PERFORM o2o.points_clawback((SELECT max(p.transfer_id) FROM points_posting p WHERE p.operation = 'earn' AND p.expires_at IS NOT NULL
				AND NOT EXISTS (SELECT FROM points_posting q WHERE q.reverses_transfer_id = p.transfer_id)));
		END IF;
		IF round % 3 = 0 THEN
			BEGIN
				PERFORM o2o.points_hold(pg_temp.id(1 + round % 8), 5, 'club', expires_after => CASE WHEN round % 2 = 0 THEN interval '1 day' ELSE interval '1 microsecond' END);
			EXCEPTION WHEN SQLSTATE 'O2301' THEN NULL;
			END;
		END IF;
		COMMIT;
	END LOOP;
	-- How many exactly depends on the day: points earned two years ago are gone before they are spent.
	RAISE INFO 'seed %: hundreds posted %, dozens refused %', seed, done > 200, refused > 24;
END $$;
CALL pg_temp.compare(40, 0.42);
SELECT * FROM o2o.points_verify();

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_points_many;
DROP ROLE o2o_points_many_owner;
