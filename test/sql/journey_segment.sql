-- Segments: memberships with a beginning and an end, which follow their profiles
-- through merges, unmerges and splits.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_journey_segment;
CREATE DATABASE o2o_journey_segment;
\c o2o_journey_segment
SET client_min_messages = warning;
CREATE ROLE o2o_segment_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_segment_owner;
CALL o2o.setup(owner => 'o2o_segment_owner');
RESET client_min_messages;
SET ROLE o2o_segment_owner;
SET search_path = public, o2o;
SET timezone = 'UTC';
SET datestyle = ISO;
\set SHOW_CONTEXT never
SELECT outcome FROM identify('{"card": ["1", "2"]}', 'crm', NULL, 'e1', '2026-01-01 10:00+00');
SELECT outcome FROM identify('{"card": "3"}', 'crm', NULL, 'e2', '2026-01-01 10:00+00');
SELECT outcome FROM identify('{"card": "4"}', 'crm', NULL, 'e3', '2026-01-01 10:00+00');
CREATE FUNCTION pg_temp.named(id bigint) RETURNS text LANGUAGE sql AS $$ SELECT i.identifier::text FROM o2o.profile_identifier i WHERE i.profile_id = id $$;
CREATE FUNCTION pg_temp.of_cards(as_of timestamptz DEFAULT now()) RETURNS TABLE (card text, segments text) LANGUAGE sql AS $$
	SELECT 'card:' || n, (SELECT string_agg(format('%s by %s', s.segment, pg_temp.named(s.profile_id)), ', ' ORDER BY s.segment) FROM o2o.customer_segments(o2o.identifier('card', n::text), as_of) s)
	FROM generate_series(1, 4) n ORDER BY n $$;

SELECT segment_create('vip', 'Best customers');
SELECT segment_create('vip', 'Best customers of the year', 'more than 5,000 a year');
SELECT segment_create('lapsed', 'Gone for 90 days');
SELECT segment, name, description FROM o2o.segment ORDER BY segment;

-- Said twice it holds once.
SELECT segment_add('card:2', 'vip', 'crm', '7,200 in 2025', '2026-01-10 00:00+00');
SELECT segment_add('card:2', 'vip', 'web', 'again', '2026-01-12 00:00+00');
SELECT segment_add_many('{card:3,card:4,card:3}'::identifier[], 'lapsed', 'crm', NULL, '2026-02-01 00:00+00');
SELECT segment_add_many(ARRAY[customer_lookup('card:3'), NULL, customer_lookup('card:4')], 'lapsed', 'crm');
SELECT segment, pg_temp.named(profile_id) AS who, valid_from, valid_to, source, reason FROM o2o.segment_member ORDER BY segment, profile_id;
-- The customer is a member, whichever of its profiles was named.
SELECT segment, name, since, source, reason FROM customer_segments('card:1');
SELECT since, (SELECT array_agg(pg_temp.named(u)) FROM unnest(profiles) u) AS profiles, customer_id = customer_lookup('card:1') AS is_card_1 FROM segment_members('vip');
SELECT count(*) FROM segment_members('vip', '2026-01-09 00:00+00');
SELECT segment, name, profiles, customer_id IN (customer_lookup('card:1'), customer_lookup('card:3'), customer_lookup('card:4')) AS known FROM o2o.segment_customer ORDER BY segment, customer_id;

-- Taken out by another of its profiles; in again later; both stay on record.
SELECT segment_remove('card:1', 'vip', 'returned it all', '2026-03-01 00:00+00');
SELECT segment_remove('card:1', 'vip');
SELECT segment_add('card:1', 'vip', 'crm', 'back', '2026-02-15 00:00+00'), segment_add('card:2', 'vip', 'crm', 'back', '2026-02-15 00:00+00');
SELECT pg_temp.named(profile_id) AS who, valid_from, valid_to, reason, end_reason, ended_by IS NOT NULL AS ended FROM o2o.segment_member WHERE segment = 'vip' ORDER BY profile_id, valid_from;
SELECT a.at, (SELECT count(*) FROM segment_members('vip', a.at)) AS members
FROM unnest('{2026-01-20 00:00+00,2026-02-20 00:00+00,2026-03-10 00:00+00}'::timestamptz[]) a (at);

-- Merge, unmerge, split: no row changes; each has what its profiles have.
CREATE TABLE pg_temp.before AS TABLE o2o.segment_member;
SELECT * FROM pg_temp.of_cards();
SELECT customer_merge('card:1', 'card:3', 'test') = customer_lookup('card:1') AS merged;
SELECT * FROM pg_temp.of_cards();
SELECT customer_merge('card:4', 'card:3', 'test') = customer_lookup('card:1') AS merged;
SELECT * FROM pg_temp.of_cards();
-- As of then, by the profiles of now.
SELECT * FROM pg_temp.of_cards('2026-02-10 00:00+00');
SELECT segment, count(*), sum(profiles) AS profiles FROM o2o.segment_customer GROUP BY segment ORDER BY segment;
SELECT count(*) FROM customer_unmerge((SELECT max(merge_id) FROM o2o.identity_merge), 'test');
SELECT * FROM pg_temp.of_cards();
SELECT count(*) FROM customer_split(ARRAY[identifier_profile('card:2')], 'two people');
SELECT * FROM pg_temp.of_cards();
SELECT count(*) FROM ((TABLE pg_temp.before EXCEPT TABLE o2o.segment_member) UNION ALL (TABLE o2o.segment_member EXCEPT TABLE pg_temp.before)) changed;
-- Taken out of what is left of the customer alone.
SELECT segment_remove_many('{card:1,card:4}'::identifier[], 'lapsed'), segment_remove_many(ARRAY[customer_lookup('card:2')], 'lapsed');
SELECT * FROM pg_temp.of_cards();

-- In, out and in again in one transaction.
BEGIN;
SELECT segment_add('card:4', 'vip', 'crm'), segment_remove('card:4', 'vip'), segment_add('card:4', 'vip', 'crm');
SELECT valid_to IS NULL AS goes_on, valid_to = valid_from AS is_empty FROM o2o.segment_member WHERE profile_id = identifier_profile('card:4') AND segment = 'vip' ORDER BY valid_to;
COMMIT;

\set VERBOSITY sqlstate
SELECT segment_add('card:9', 'vip', 'crm');
SELECT segment_add_many('{card:1,card:9}'::identifier[], 'lapsed', 'crm');
SELECT segment_add_many(ARRAY[customer_lookup('card:1'), 999999], 'lapsed', 'crm');
SELECT segment_add('card:1', 'nothing', 'crm');
SELECT segment_add('card:1', 'lapsed', 'nowhere');
SELECT segment_add('card:1', 'lapsed', 'crm', NULL, now() + interval '1 year');
SELECT segment_remove('card:1', 'nothing');
SELECT segment_remove('card:9', 'vip');
SELECT segment_remove('card:1', 'vip', NULL, 'infinity');
SELECT segment_members('nothing');
SELECT customer_segments('card:9');
SELECT segment_create('V I P', 'no word');
SELECT segment_create('vip', NULL);
SELECT segment_add_many(NULL::bigint[], 'vip', 'crm'), segment_remove_many('{}'::bigint[], 'vip');
\c postgres
SET client_min_messages = warning;
DROP DATABASE o2o_journey_segment;
DROP ROLE o2o_segment_owner;
