-- Survivorship: which value of a trait a customer shows, by each policy; marks;
-- merge and unmerge.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_identity_record;
CREATE DATABASE o2o_identity_record;
\c o2o_identity_record
SET client_min_messages = warning;
CREATE ROLE o2o_record_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_record_owner;
CALL o2o.setup(owner => 'o2o_record_owner');
RESET client_min_messages;
SET ROLE o2o_record_owner;
SET search_path = public, o2o;
\set SHOW_CONTEXT never
\set VERBOSITY sqlstate
SELECT outcome FROM identify('{"card": "1"}', 'crm', '{"name": "Li", "city": "Shanghai", "visits": "9", "born": "1990-05-01"}', occurred_at => '2026-01-01 10:00+00');
SELECT outcome FROM identify('{"card": "1"}', 'web', '{"name": "Li Na", "city": "Pudong", "visits": "10", "born": "1991-05-01"}', occurred_at => '2026-03-01 10:00+00');
SELECT outcome FROM identify('{"card": "1"}', 'pos', '{"name": "Li", "city": "Beijing", "visits": "2", "born": "unknown"}', occurred_at => '2026-02-01 10:00+00');
CREATE VIEW pg_temp.record AS
	SELECT name, value, source, is_verified, is_pinned, policy FROM o2o.customer_record WHERE customer_id = o2o.customer_lookup('card:1') ORDER BY name;

-- Without a policy the most recent one.
TABLE pg_temp.record;
INSERT INTO o2o.trait_policy VALUES ('name', 'majority', '{}'), ('city', 'source_priority', '{crm, pos}'), ('visits', 'maximum', '{}'), ('born', 'minimum', '{}');
TABLE pg_temp.record;
UPDATE o2o.trait_policy SET policy = 'most_complete' WHERE name = 'name';
UPDATE o2o.trait_policy SET policy = 'minimum' WHERE name = 'visits';
UPDATE o2o.trait_policy SET policy = 'maximum' WHERE name = 'born';
TABLE pg_temp.record;
-- Nothing is lost: the others in the order of the policy.
SELECT name, value, source, place FROM o2o.customer_trait WHERE customer_id = customer_lookup('card:1') ORDER BY name, place;

-- Verified and pinned values; a mark ends with its value.
UPDATE o2o.trait_policy SET policy = 'verified_first' WHERE name = 'born';
SELECT trait_mark(person_profile('card:1'), 'crm', 'born', 'verified', 'identity card seen');
SELECT trait_mark(person_profile('card:1'), 'pos', 'city', 'pinned', 'she said so');
TABLE pg_temp.record;
SELECT outcome FROM identify('{"card": "1"}', 'pos', '{"city": "Suzhou"}', occurred_at => '2026-04-01 10:00+00');
SELECT outcome FROM identify('{"card": "1"}', 'crm', '{"born": "1992-05-01"}', occurred_at => '2026-01-02 10:00+00');
TABLE pg_temp.record;
SELECT trait_unmark(person_profile('card:1'), 'pos', 'city', 'pinned'), trait_unmark(person_profile('card:1'), 'pos', 'city', 'pinned');
SELECT trait_mark(person_profile('card:1'), 'pos', 'email', 'pinned', 'why');
SELECT trait_mark(person_profile('card:1'), 'pos', 'city', 'pinned', '');
SELECT trait_mark(person_profile('card:1'), 'pos', 'city', 'guessed', 'why');
INSERT INTO o2o.trait_policy VALUES ('x', 'source_priority');

-- A merge brings the values together, an unmerge takes them apart; no row changes.
SELECT outcome FROM identify('{"card": "2"}', 'crm', '{"name": "Li Na Wang", "city": "Hangzhou"}', occurred_at => '2026-05-01 10:00+00');
SELECT md5(string_agg(t::text, '' ORDER BY t::text)) AS before FROM o2o.profile_trait t \gset
SELECT customer_merge('card:1', 'card:2', 'test') = customer_lookup('card:1') AS merged;
SELECT name, value, source FROM pg_temp.record;
SELECT count(*) FROM customer_unmerge((SELECT max(merge_id) FROM o2o.identity_merge), 'test');
SELECT name, value, source FROM pg_temp.record;
SELECT md5(string_agg(t::text, '' ORDER BY t::text)) = :'before' AS unchanged FROM o2o.profile_trait t;

-- For all others: the policy of *.
INSERT INTO o2o.trait_policy VALUES ('*', 'source_priority', '{web}');
DELETE FROM o2o.trait_policy WHERE name = 'visits';
SELECT name, value, source, policy FROM pg_temp.record WHERE name = 'visits';
\c postgres
SET client_min_messages = warning;
DROP DATABASE o2o_identity_record;
DROP ROLE o2o_record_owner;
