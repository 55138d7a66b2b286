-- The bulk import comes to the same as the single calls in the order
-- (occurred_at, source, event_id): the same events, with dirty values, conflicts,
-- shared phones and numbers that expire, once each way, and everything compared
-- that does not depend on the numbers given to profiles.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_identity_import;
CREATE DATABASE o2o_identity_import;
\c o2o_identity_import
SET client_min_messages = warning;
CREATE ROLE o2o_import_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_import_owner;
CALL o2o.setup(owner => 'o2o_import_owner');
RESET client_min_messages;
SET ROLE o2o_import_owner;
SET search_path = public, o2o;
SET datestyle = ISO;
SET intervalstyle = postgres;
SET timezone = 'UTC';
\set SHOW_CONTEXT never

SELECT o2o.source_register('pos', 'Tills', 'pos', 'CN'), o2o.source_register('web', 'Web shop', 'shop', 'CN');
-- A kind that is forgotten quickly, and one with a limit that is met often.
INSERT INTO o2o.identifier_kind (kind, priority, time_to_live, description) VALUES ('locker', 5, interval '30 days', 'Locker number');
UPDATE o2o.identifier_kind SET max_per_customer = 2 WHERE kind = 'alipay';
UPDATE o2o.setting SET value = '12' WHERE name = 'identity.customer_cap';

-- Random, but the same each time: what is n's draw number k out of m?
CREATE FUNCTION pg_temp.draw(n integer, k integer, m integer) RETURNS integer LANGUAGE sql AS $$ SELECT (abs(hashint4extended(n, k)) % m)::integer $$;
-- 360 events of 70 people over four years. Every third identifier is written in
-- another way, some are placeholders, some are nonsense, some are somebody else's.
CREATE TEMP TABLE event AS
SELECT CASE WHEN n <= 230 THEN 1 ELSE 2 END AS batch_id,
	('{pos,web,wechat,crm}'::text[])[1 + pg_temp.draw(n, 1, 4)] AS source, 'e' || pg_temp.draw(n, 2, 100000) || '-' || n AS event_id,
	-- Batches overlap in time, and some events happen in the same hour.
	timestamptz '2021-01-01 00:00+00' + interval '1 hour' * (CASE WHEN n <= 230 THEN 0 ELSE 1000 END + n * 80 + pg_temp.draw(n, 3, 2000)) AS occurred_at,
	CASE WHEN pg_temp.draw(n, 4, 12) = 0 THEN '{}'::jsonb
		ELSE jsonb_strip_nulls(jsonb_build_object(
			'phone', CASE WHEN pg_temp.draw(n, 5, 10) < 5 THEN CASE pg_temp.draw(n, 6, 8)
				WHEN 0 THEN to_jsonb(format('138 0013 %s', 8000 + p / 7)) WHEN 1 THEN to_jsonb(format('１３８-００１３-%s', 8000 + p))
				WHEN 2 THEN to_jsonb(format(' +86 138 0013 %s ', 8000 + p)) WHEN 3 THEN to_jsonb(13800138000 + p)
				WHEN 4 THEN jsonb_build_array(format('+86138001380%s', lpad((p % 100)::text, 2, '0')), '12') WHEN 5 THEN '"+8611111111111"'
				WHEN 6 THEN to_jsonb(format('(+86) 138.0013.%s', 8000 + p)) ELSE to_jsonb(format('+861380013%s', 8000 + p)) END END,
			'email', CASE WHEN pg_temp.draw(n, 7, 10) < 3 THEN CASE pg_temp.draw(n, 8, 6) WHEN 0 THEN to_jsonb(format('P%s@Shop.EXAMPLE', p))
				WHEN 1 THEN '"nobody at home"' WHEN 2 THEN '"noreply@shop.example"' ELSE to_jsonb(format('p%s@shop.example', p)) END END,
			'CARD', CASE WHEN pg_temp.draw(n, 9, 10) < 4 THEN CASE pg_temp.draw(n, 10, 9) WHEN 0 THEN to_jsonb(format(' c-%s', p)) WHEN 1 THEN '"TEST"'
				WHEN 2 THEN jsonb_build_array('C' || p, 'c' || (p + 1)) WHEN 3 THEN jsonb_build_object('no', p) WHEN 4 THEN '""' WHEN 5 THEN 'true' ELSE to_jsonb('C' || p) END END,
			'unionid', CASE WHEN pg_temp.draw(n, 11, 10) < 2 THEN to_jsonb('u' || p) END,
			'openid', CASE WHEN pg_temp.draw(n, 12, 10) < 2 THEN to_jsonb(format('app%s/o%s', pg_temp.draw(n, 13, 2), p)) END,
			'alipay', CASE WHEN pg_temp.draw(n, 14, 10) < 2 THEN to_jsonb(format('a%s-%s', p, pg_temp.draw(n, 15, 4))) END,
			'device', CASE WHEN pg_temp.draw(n, 16, 10) < 2 THEN to_jsonb('d' || p / 3) END,
			'cookie', CASE WHEN pg_temp.draw(n, 17, 10) < 3 THEN to_jsonb(format('k%s-%s', p, pg_temp.draw(n, 18, 5))) END,
			'locker', CASE WHEN pg_temp.draw(n, 19, 10) < 1 THEN to_jsonb(pg_temp.draw(n, 20, 9)) END,
			'passport', CASE WHEN pg_temp.draw(n, 21, 30) = 0 THEN to_jsonb(p) END)) END AS identifiers,
	CASE WHEN pg_temp.draw(n, 22, 3) = 0 THEN jsonb_build_object('name', 'name ' || pg_temp.draw(n, 23, 5), 'city', nullif('city ' || pg_temp.draw(n, 24, 3), 'city 0')) END AS traits
FROM (SELECT n, pg_temp.draw(n, 25, 70) AS p FROM generate_series(1, 360) n) g;
-- By hand: the forms of an array, an object alone, numbers written all sorts of ways, and a locker
-- that is used for a day, and again 29 days after that, 30 after its first use.
INSERT INTO event VALUES
	(1, 'pos', 'hand1', '2022-01-01 00:00+00', '["card:c1", " email:P1@shop.example", "nonsense", "card:"]', NULL),
	(1, 'pos', 'hand2', '2022-01-01 00:00+00', '[]', '{"name": "nobody"}'),
	(1, 'web', 'third', '2022-01-02 00:00+00', '{"card": "third"}', NULL), (1, 'web', 'phone1', '2022-01-02 00:00+00', '{"phone": "0086 13800138501"}', NULL), (1, 'web', 'phone2', '2022-01-02 00:00+00', '{"phone": "＋86 13800138502"}', NULL),
	(1, 'web', 'phone3', '2022-01-02 00:00+00', '{"phone": "tel:+8613800138503"}', NULL), (1, 'crm', 'phone4', '2022-01-02 00:00+00', '{"phone": "13800138504"}', NULL),
	(1, 'web', 'phone5', '2022-01-02 00:00+00', '{"phone": [["13800138505"]]}', NULL), (1, 'web', 'phone6', '2022-01-02 00:00+00', '{"Phone": "\u00a0+86 138 0013 8506"}', NULL),
	(1, 'web', 'phone7', '2022-01-02 00:00+00', '{"phone": 8613800138507}', NULL), (1, 'web', 'phone8', '2022-01-02 00:00+00', '{"phone": "86 138 0013 8508"}', NULL),
	(1, 'pos', 'locker1', '2022-02-01 00:00+00', '{"locker": "L77", "card": "first"}', NULL), (1, 'pos', 'locker2', '2022-02-01 20:00+00', '{"locker": "L77"}', NULL),
	(1, 'pos', 'locker3', '2022-03-03 10:00+00', '{"locker": "L77", "card": "second"}', NULL);

CREATE VIEW pg_temp.label AS
	SELECT p.profile_id, p.customer_id, coalesce(i.identifier::text, '(gone) ' || p.kind) AS label FROM o2o.profile p LEFT JOIN o2o.profile_identifier i USING (profile_id);
-- One row per thing that must come out alike.
CREATE VIEW pg_temp.outcome AS
	SELECT 'customer' AS what, string_agg(l.label, ' ' ORDER BY l.label COLLATE "C") AS state FROM pg_temp.label l GROUP BY l.customer_id
	UNION ALL SELECT 'profile', concat_ws(' ', l.label, p.kind, p.scope, p.source) FROM o2o.profile p JOIN pg_temp.label l USING (profile_id)
	UNION ALL SELECT 'count', concat_ws(' ', c.profile_count, l.label) FROM o2o.customer c JOIN pg_temp.label l ON l.profile_id = c.customer_id
		WHERE c.profile_count = 1
	UNION ALL SELECT 'event', concat_ws(' ', r.source, r.event_id, coalesce(l.label, '(anonymous)')) FROM o2o.import_identity r LEFT JOIN pg_temp.label l USING (profile_id)
	UNION ALL SELECT 'evidence', concat_ws(' ', e.status, e.rule, e.source, e.reason, e.occurred_at, (
		SELECT string_agg(l.label, ' ' ORDER BY l.label COLLATE "C") FROM unnest(e.profiles) u (id) JOIN pg_temp.label l ON l.profile_id = u.id)) FROM o2o.identity_evidence e
	UNION ALL SELECT 'trait', concat_ws(' ', coalesce(l.label, '(anonymous)'), t.source, t.name, t.value) FROM o2o.profile_trait t LEFT JOIN pg_temp.label l USING (profile_id)
	UNION ALL SELECT 'period', concat_ws(' ', s.label, p.valid_from, p.reason) FROM o2o.identifier_period p JOIN pg_temp.label s ON s.profile_id = p.successor_profile_id;

-- One by one: what identify() does not take is left out, and counted.
CREATE PROCEDURE pg_temp.single(batch integer) LANGUAGE plpgsql AS $$
DECLARE
	e record; item record; country text; good o2o.identifier[]; answer record; bad integer;
BEGIN
	FOR e IN SELECT * FROM event WHERE batch_id = batch ORDER BY occurred_at, source, event_id LOOP
		country := o2o.source_country(e.source);
		good := '{}';
		bad := 0;
		FOR item IN
			SELECT jsonb_build_object(j.key, jsonb_build_array(v.v)) AS one FROM jsonb_each(CASE jsonb_typeof(e.identifiers) WHEN 'object' THEN e.identifiers END) j,
				jsonb_array_elements(CASE jsonb_typeof(j.value) WHEN 'array' THEN j.value ELSE jsonb_build_array(j.value) END) v (v)
			UNION ALL SELECT jsonb_build_array(a.v) FROM jsonb_array_elements(CASE jsonb_typeof(e.identifiers) WHEN 'array' THEN e.identifiers END) a (v)
		LOOP
			BEGIN
				PERFORM o2o.identity_admit(o2o.identifiers_from_json(item.one, country));
				good := good || o2o.identifiers_from_json(item.one, country);
			EXCEPTION WHEN SQLSTATE '22P02' OR SQLSTATE '22023' OR SQLSTATE 'O2207' THEN
				bad := bad + 1;
			END;
		END LOOP;
		SELECT * INTO answer FROM o2o.identify(to_jsonb(good::text[]), e.source, e.traits, e.event_id, e.occurred_at);
		INSERT INTO o2o.import_identity (batch_id, source, event_id, occurred_at, identifiers, profile_id, outcome)
		VALUES (e.batch_id, e.source, e.event_id, e.occurred_at, e.identifiers, answer.profile_id, answer.outcome);
		INSERT INTO o2o.import_problem SELECT batch, e.source, e.event_id, '' FROM generate_series(1, bad);
	END LOOP;
END $$;
CREATE PROCEDURE pg_temp.bulk(batch integer) LANGUAGE sql AS $$
	INSERT INTO o2o.import_identity (batch_id, source, event_id, occurred_at, identifiers, traits)
	SELECT batch_id, source, event_id, occurred_at, identifiers, traits FROM event WHERE batch_id = batch ORDER BY hashtext(event_id);
	SELECT o2o.identity_import(batch);
$$;
-- Between the batches: a merge by hand, one taken back, and a device of the shop.
CREATE PROCEDURE pg_temp.meanwhile() LANGUAGE plpgsql AS $$
BEGIN
	PERFORM o2o.customer_merge('card:FIRST', 'card:THIRD', 'known in the shop');
	PERFORM o2o.customer_merge('card:FIRST', 'card:SECOND', 'mistake');
	PERFORM o2o.customer_unmerge((SELECT max(merge_id) FROM o2o.identity_merge), 'mistake');
	PERFORM o2o.identify('{"device": "tablet"}', 'pos', occurred_at => '2021-06-01 00:00+00');
	PERFORM o2o.identify('{"device": "kiosk"}', 'pos', occurred_at => '2018-06-01 00:00+00');
	UPDATE o2o.profile_identifier SET is_shared = true WHERE identifier IN ('device:tablet', 'device:kiosk');
END $$;
-- The tablet stays shared; the kiosk was unseen for so long that somebody else has it now.
UPDATE event SET identifiers = identifiers || '{"device": "tablet"}' WHERE batch_id = 2 AND jsonb_typeof(identifiers) = 'object' AND pg_temp.draw(hashtext(event_id), 1, 4) = 0;
UPDATE event SET identifiers = identifiers || '{"device": "kiosk"}' WHERE batch_id = 2 AND jsonb_typeof(identifiers) = 'object' AND NOT identifiers ? 'device' AND pg_temp.draw(hashtext(event_id), 2, 60) = 0;
CREATE PROCEDURE pg_temp.empty() LANGUAGE sql AS $$
	TRUNCATE o2o.profile_identifier, o2o.profile, o2o.identifier_period, o2o.customer, o2o.identity_evidence, o2o.identity_merge, o2o.customer_change,
		o2o.profile_trait, o2o.import_identity, o2o.import_problem;
$$;
CREATE PROCEDURE pg_temp.compare(title text) LANGUAGE plpgsql AS $$
BEGIN
	CALL pg_temp.empty();
	CALL pg_temp.bulk(1);
	CALL pg_temp.meanwhile();
	CALL pg_temp.bulk(2);
	CREATE TEMP TABLE bulk_outcome AS TABLE pg_temp.outcome;
	CREATE TEMP TABLE bulk_problem AS SELECT source, source_id, count(*) AS n FROM o2o.import_problem GROUP BY 1, 2;
	RAISE INFO '%, import: % events in % sets, % one by one, % problems, verify %', title, (SELECT count(*) FROM o2o.import_identity),
		(SELECT count(*) FROM o2o.import_identity WHERE outcome = 'imported'), (SELECT count(*) FROM o2o.import_identity WHERE outcome <> 'imported'),
		(SELECT count(*) FROM o2o.import_problem), (SELECT count(*) FROM o2o.identity_verify());
	CALL pg_temp.empty();
	CALL pg_temp.single(1);
	CALL pg_temp.meanwhile();
	CALL pg_temp.single(2);
	CREATE TEMP TABLE single_outcome AS TABLE pg_temp.outcome;
	CREATE TEMP TABLE single_problem AS SELECT source, source_id, count(*) AS n FROM o2o.import_problem GROUP BY 1, 2;
	RAISE INFO '%, single: % profiles, % customers, % events suppressed, % merged, % recycled, % problems, verify %', title, (SELECT count(*) FROM o2o.profile),
		(SELECT count(*) FROM o2o.customer WHERE profile_count > 0), (SELECT count(*) FROM o2o.import_identity WHERE outcome = 'suppressed'),
		(SELECT count(*) FROM o2o.import_identity WHERE outcome = 'merged'), (SELECT count(*) FROM o2o.identifier_period),
		(SELECT count(*) FROM o2o.import_problem), (SELECT count(*) FROM o2o.identity_verify());
END $$;
CREATE VIEW pg_temp.reasons AS SELECT e.reason, count(*) > 0 AS met FROM o2o.identity_evidence e WHERE e.status = 'suppressed' GROUP BY 1;

CALL pg_temp.compare('drop');
SELECT * FROM pg_temp.reasons ORDER BY reason COLLATE "C";
SELECT * FROM ((TABLE bulk_outcome EXCEPT ALL TABLE single_outcome) UNION ALL (SELECT what, 'not: ' || state FROM (TABLE single_outcome EXCEPT ALL TABLE bulk_outcome) d)) d ORDER BY 1, 2;
SELECT * FROM ((TABLE bulk_problem EXCEPT ALL TABLE single_problem) UNION ALL (SELECT source, 'not: ' || source_id, n FROM (TABLE single_problem EXCEPT ALL TABLE bulk_problem) d)) d ORDER BY 1, 2;
SELECT what, count(*) FROM single_outcome GROUP BY what ORDER BY what;
DROP TABLE bulk_outcome, bulk_problem, single_outcome, single_problem;

UPDATE o2o.setting SET value = 'anonymous' WHERE name = 'identity.on_conflict';
CALL pg_temp.compare('anonymous');
SELECT * FROM ((TABLE bulk_outcome EXCEPT ALL TABLE single_outcome) UNION ALL (SELECT what, 'not: ' || state FROM (TABLE single_outcome EXCEPT ALL TABLE bulk_outcome) d)) d ORDER BY 1, 2;
UPDATE o2o.setting SET value = 'drop' WHERE name = 'identity.on_conflict';

-- A second import of a batch does nothing; an unknown source nothing at all.
CREATE TEMP TABLE counted AS SELECT (SELECT count(*) FROM o2o.profile) AS profiles, (SELECT count(*) FROM o2o.identity_evidence) AS evidence;
SELECT o2o.identity_import(1) AS again;
SELECT o2o.identity_import(99) AS empty;
TABLE counted EXCEPT SELECT (SELECT count(*) FROM o2o.profile), (SELECT count(*) FROM o2o.identity_evidence);
INSERT INTO o2o.import_identity (batch_id, source, event_id, occurred_at, identifiers) VALUES (3, 'pos', 'a', now(), '{"card": "new"}'), (3, 'mars', 'b', now(), '{"card": "new"}');
SELECT o2o.identity_import(3);
TABLE counted EXCEPT SELECT (SELECT count(*) FROM o2o.profile), (SELECT count(*) FROM o2o.identity_evidence);
INSERT INTO o2o.import_identity (batch_id, source, event_id, occurred_at, identifiers) VALUES (4, 'pos', 'a', 'infinity', '{"card": "new"}');
SELECT o2o.identity_import(4);
SELECT * FROM o2o.identity_verify();

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_identity_import;
DROP ROLE o2o_import_owner;
