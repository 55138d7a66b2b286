-- identify() reads plain tables by their indexes and others by SQL: the answers are
-- the same, whichever it is, also in a session that saw the tables otherwise before.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_identity_lookup;
CREATE DATABASE o2o_identity_lookup;
\c o2o_identity_lookup
SET client_min_messages = warning;
CREATE ROLE o2o_lookup_owner;
CREATE ROLE o2o_lookup_till;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_lookup_owner;
CALL o2o.setup(owner => 'o2o_lookup_owner');
RESET client_min_messages;
SET search_path = public, o2o;
\set SHOW_CONTEXT never
-- A story of a person and his kin, each time of another number.
CREATE FUNCTION story(n text) RETURNS TABLE (call text, outcome text) LANGUAGE plpgsql AS $$
DECLARE
	event text;
BEGIN
	FOREACH event IN ARRAY ARRAY['["card:A#", "unionid:a#"]', '["card:A#", "unionid:a#"]', '["card:A#", "email:a#@shop.cn"]', '["card:B#", "unionid:b#"]',
		'["card:A#", "card:B#"]', '["card:A#", "device:d#"]', '["card:C#"]', '["card:C#", "device:d#"]', '["card:C#"]', '["email:test@shop.cn", "card:0000"]']
	LOOP
		call := event;
		SELECT i.outcome INTO outcome FROM o2o.identify(replace(event, '#', n)::jsonb, 'pos', occurred_at => '2026-01-01 00:00+00') i;
		RETURN NEXT;
	END LOOP;
	call := 'a late event of a recycled number';
	PERFORM o2o.identify(format('["phone:+861380013%s000"]', n)::jsonb, 'pos', occurred_at => '2020-01-01 00:00+00');
	PERFORM o2o.identify(format('["phone:+861380013%s000"]', n)::jsonb, 'pos', occurred_at => '2026-01-01 00:00+00');
	outcome := (SELECT p.reason FROM o2o.identifier_period p
		WHERE p.profile_id = (SELECT i.profile_id FROM o2o.identify(format('["phone:+861380013%s000"]', n)::jsonb, 'pos', occurred_at => '2020-01-02 00:00+00') i));
	RETURN NEXT;
END $$;
SELECT * FROM story('1');
CREATE TEMP TABLE first AS SELECT * FROM story('2');

-- Tables that are read by SQL.
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
SELECT format('CREATE TRIGGER t AFTER TRUNCATE ON o2o.%I EXECUTE FUNCTION nothing()', t)
FROM unnest('{source,setting,identifier_kind,identifier_block,profile_identifier,identifier_period,profile,identity_evidence}'::text[]) t \gexec
SELECT call, f.outcome, s.outcome FROM first f FULL JOIN story('3') s USING (call, outcome) WHERE f.call IS NULL OR s.call IS NULL;
SET client_min_messages = warning;
DROP FUNCTION nothing CASCADE;
RESET client_min_messages;
-- Read by index again, with other columns.
ALTER TABLE o2o.profile ADD COLUMN note text;
ALTER TABLE o2o.profile DROP COLUMN note, ADD COLUMN other text DEFAULT 'x';
ALTER TABLE o2o.profile_identifier ADD COLUMN note text DEFAULT 'x';
SELECT call, f.outcome, s.outcome FROM first f FULL JOIN story('4') s USING (call, outcome) WHERE f.call IS NULL OR s.call IS NULL;
-- An index by another name, and one that is there no more.
ALTER INDEX o2o.profile_identifier_pkey RENAME TO mine;
DROP INDEX o2o.identifier_period_successor_idx;
SELECT call, f.outcome, s.outcome FROM first f FULL JOIN story('5') s USING (call, outcome) WHERE f.call IS NULL OR s.call IS NULL;
ALTER INDEX o2o.mine RENAME TO profile_identifier_pkey;
-- Policies hide what they hide: here the kinds of identifiers.
ALTER TABLE o2o.identifier_kind ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SELECT * FROM identify('["card:A1"]', 'pos');
ALTER TABLE o2o.identifier_kind DISABLE ROW LEVEL SECURITY;
SELECT outcome FROM identify('["card:A1"]', 'pos');
-- Who may not read a table is told so; and what was changed a moment ago counts.
GRANT USAGE ON SCHEMA o2o TO o2o_lookup_till;
SET ROLE o2o_lookup_till;
SELECT identity_resolve('{card:A1}', 'pos', NULL, now());
RESET ROLE;
BEGIN;
INSERT INTO o2o.identifier_block VALUES ('card', '^A1$', 'test');
SELECT outcome FROM identify('["card:A1"]', 'pos');
ROLLBACK;
SELECT outcome FROM identify('["card:A1"]', 'pos');
SELECT * FROM identity_verify();

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_identity_lookup;
DROP ROLE o2o_lookup_owner, o2o_lookup_till;
