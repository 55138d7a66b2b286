-- Matching the customers: models with versions, links as evidence under the rules of identify(), the band
-- between the thresholds in the review queue, undoing, and matching again.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_identity_match_link;
CREATE DATABASE o2o_identity_match_link;
\c o2o_identity_match_link
SET client_min_messages = warning;
CREATE ROLE o2o_match_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_match_owner;
CALL o2o.setup(owner => 'o2o_match_owner');
RESET client_min_messages;
SET ROLE o2o_match_owner;
SET search_path = public, o2o;
SET extra_float_digits = 0;
\set SHOW_CONTEXT never
CREATE VIEW pg_temp.people AS
	SELECT string_agg(split_part(i.identifier::text, ':', 2), ' ' ORDER BY i.identifier::text COLLATE "C") AS customer
	FROM o2o.profile p JOIN o2o.profile_identifier i USING (profile_id) GROUP BY p.customer_id ORDER BY 1;
CREATE VIEW pg_temp.card AS SELECT i.profile_id, split_part(i.identifier::text, ':', 2) AS card FROM o2o.profile_identifier i;

-- Everybody came once, with a card; names and birthdays are traits.
SELECT count(*) FROM (VALUES ('a1', '{"name": "Ann Quill", "born": "1980-02-03", "town": "Oslo"}'::jsonb), ('a2', '{"name": "ann quill", "born": "1980-02-03"}'), ('a3', '{"name": "Anne Quill", "born": "1980-03-02", "town": "Oslo"}'),
	('b1', '{"name": "Bob Brown", "born": "1971-01-01", "town": "Rome"}'), ('b2', '{"name": "Bob Brown", "born": "1999-09-09", "town": "Rome"}'),
	('c1', '{"name": "Carl Cox", "born": "1965-05-05"}'), ('c2', '{"name": "Carl Cox", "born": "1965-05-05"}'), ('d1', '{"name": "Dora Dean"}'), ('e1', '{"phone": "ignored"}')) v (card, traits),
	LATERAL identify(jsonb_build_object('card', v.card), 'pos', traits => v.traits) i WHERE i.outcome = 'new';
-- A customer's record is the latest value of each trait, whichever of its identifiers brought it.
SELECT outcome FROM identify('{"card": "d1", "email": "dora@shop.example"}', 'web', traits => '{"name": "Dora Deane", "born": "1950-10-10"}');
SELECT outcome FROM identify('{"email": "dora@shop.example"}', 'web', traits => '{"town": "Paris"}');
-- Two cards of c are two people: somebody said so.
SELECT customer_keep_apart('card:c1', 'card:c2', 'twins');

SELECT match_model_save('hand', '{"prior": 0.01, "link": 0.9, "review": 0.5,
	"comparisons": [
		{"name": "name", "levels": [{"label": "equal", "when": [[{"column": "name", "by": "equal"}]], "m": 0.8, "u": 0.01}, {"label": "alike", "when": [[{"column": "name", "by": "jaro_winkler", "at": 0.9}]], "m": 0.1, "u": 0.01}, {"label": "different", "m": 0.1, "u": 0.98}]},
		{"name": "born", "levels": [{"label": "equal", "when": [[{"column": "born", "by": "equal"}]], "m": 0.8, "u": 0.001}, {"label": "one slip", "when": [[{"column": "born", "by": "date", "at": 3}]], "m": 0.15, "u": 0.001}, {"label": "different", "m": 0.05, "u": 0.998}]},
		{"name": "town", "levels": [{"label": "equal", "when": [[{"column": "town", "by": "equal"}]], "m": 0.9, "u": 0.02}, {"label": "different", "m": 0.1, "u": 0.98}]}],
	"blocking": [{"label": "name", "keys": [{"column": "name", "by": "prefix", "length": 2}], "cap": 10}]}', 'by hand') AS version;
SELECT match_model_save('hand', match_model_get('hand') || '{"link": 0.95}') AS version;
SELECT model, version, spec ->> 'link' AS link, note FROM match_model ORDER BY model, version;
SELECT comparison, level, label, m, u, round(weight::numeric, 3) AS weight, null_policy FROM match_model_level WHERE version = 1 ORDER BY comparison_no, level;
SELECT * FROM match_model_rule WHERE version = 1;
SELECT match_model_get('nobody');
SELECT match_model_get('hand', 3);
SELECT match_model_save('hand', '{}');

-- A shared identifier's profile is nobody's record: its traits were those of many.
SELECT outcome FROM identify('{"device": "kiosk"}', 'app', traits => '{"name": "Bob Brown", "born": "1971-01-01", "town": "Rome"}');
SELECT o2o.identifier_mark_shared((SELECT i.profile_id FROM o2o.profile_identifier i WHERE i.identifier = 'device:kiosk'), now());

-- What the records are, and what would be done.
SELECT match_trait_query(match_model_get('hand')) AS query \gset
SELECT c.card, r.name, r.born, r.town FROM (:query) r JOIN pg_temp.card c ON c.profile_id = r.id ORDER BY 1;
SELECT x.card AS a, y.card AS b, round(m.weight::numeric, 2) AS weight, round(m.probability::numeric, 3) AS probability, m.outcome
FROM identity_match('hand', 1, dry_run => true) m JOIN pg_temp.card x ON x.profile_id = m.profile_a JOIN pg_temp.card y ON y.profile_id = m.profile_b ORDER BY m.weight DESC, 1, 2;
TABLE pg_temp.people;
-- And done: a1, a2 and a3 are one; b1 and b2 are to be looked at; c1 and c2 stay apart.
SELECT x.card AS a, y.card AS b, m.outcome
FROM identity_match('hand', 1) m JOIN pg_temp.card x ON x.profile_id = m.profile_a JOIN pg_temp.card y ON y.profile_id = m.profile_b ORDER BY m.weight DESC, 1, 2;
TABLE pg_temp.people;
SELECT (SELECT string_agg(c.card, ' ' ORDER BY c.card) FROM pg_temp.card c WHERE c.profile_id = ANY (e.profiles)) AS cards, status, rule, source, reason, round(weight::numeric, 2) AS weight, event_id FROM identity_evidence e WHERE rule = 'match' ORDER BY 1;
SELECT x.card AS a, y.card AS b, r.reason, round(r.weight::numeric, 2) AS weight FROM identity_review r JOIN pg_temp.card x ON x.profile_id = r.profile_a JOIN pg_temp.card y ON y.profile_id = r.profile_b;
SELECT step, rule, source FROM identity_explain('card:a1', 'card:a2');
SELECT * FROM identity_verify();
-- Again: nothing is new, nothing is written twice.
SELECT m.outcome, count(*) FROM identity_match('hand', 1) m GROUP BY 1 ORDER BY 1;
SELECT status, count(*) FROM identity_evidence WHERE rule = 'match' GROUP BY 1 ORDER BY 1;
-- A person decides, and undoes: a later run changes neither.
SELECT evidence_reject(evidence_id, 'father and son') FROM identity_review;
SELECT count(*) FROM identity_merge m, customer_unmerge(m.merge_id, 'sisters') WHERE m.absorbed_customer_id = (SELECT profile_id FROM pg_temp.card WHERE card = 'A3');
TABLE pg_temp.people;
SELECT m.outcome, count(*) FROM identity_match('hand') m GROUP BY 1 ORDER BY 1;
TABLE pg_temp.people;
SELECT * FROM identity_verify();
-- The rules of identify() hold: a cap of two keeps a third one out, and its link is on record.
SELECT count(*) FROM (VALUES ('f1'), ('f2'), ('f3')) v (card), LATERAL identify(jsonb_build_object('card', v.card), 'pos', traits => '{"name": "Fay Fox", "born": "1990-09-19", "town": "Kiel"}') i WHERE i.outcome = 'new';
UPDATE setting SET value = '2' WHERE name = 'identity.customer_cap';
SELECT x.card AS a, y.card AS b, m.outcome
FROM identity_match('hand') m JOIN pg_temp.card x ON x.profile_id = m.profile_a JOIN pg_temp.card y ON y.profile_id = m.profile_b WHERE x.card LIKE 'F%' ORDER BY m.weight DESC, 1, 2;
SELECT DISTINCT reason FROM identity_review r JOIN pg_temp.card x ON x.profile_id = r.profile_a WHERE x.card LIKE 'F%';
SELECT * FROM identity_verify();
-- Training on the traits of the customers.
SELECT identity_match_train('people', match_model_default('{"name": "full_name", "born": "birth_date", "town": "city"}'), 'first') AS version;
SELECT count(*) AS levels, count(m) AS trained, (SELECT count(*) > 0 FROM match_model_term WHERE model = 'people') AS terms FROM match_model_level WHERE model = 'people';
SELECT count(*) > 0 AS found FROM identity_match('people', dry_run => true);
\c postgres
DROP DATABASE o2o_identity_match_link;
DROP ROLE o2o_match_owner;
