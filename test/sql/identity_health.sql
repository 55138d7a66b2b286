-- Views of how customers are put together, and what blocking finds of the truth.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_identity_health;
CREATE DATABASE o2o_identity_health;
\c o2o_identity_health
SET client_min_messages = warning;
CREATE ROLE o2o_health_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_health_owner;
CALL o2o.setup(owner => 'o2o_health_owner');
RESET client_min_messages;
SET ROLE o2o_health_owner;
SET search_path = public, o2o;
CREATE VIEW pg_temp.suspect AS
	SELECT (SELECT min(i.identifier::text COLLATE "C") FROM o2o.profile p JOIN o2o.profile_identifier i USING (profile_id) WHERE p.customer_id = s.customer_id) AS customer,
		reason, evidence_id IS NOT NULL AS has_evidence, profiles, measure
	FROM o2o.customer_suspect s ORDER BY 1, s.reason COLLATE "C";

-- Two triangles, each held three times over, and one link between them.
SELECT outcome FROM identify('{"card": ["a1", "a2", "a3"]}', 'pos');
SELECT outcome FROM identify('{"card": ["b1", "b2", "b3"]}', 'pos');
SELECT outcome FROM identify('{"card": ["a1", "b1"]}', 'web');
-- One pair, birthday written in two ways; another with two birthdays.
SELECT outcome FROM identify('{"email": "x@shop.cn", "card": "x"}', 'pos', '{"birthday": "1990-01-02", "name": "Ann"}');
SELECT outcome FROM identify('{"email": "x@shop.cn"}', 'web', '{"birthday": "19900102", "name": "Anna"}');
SELECT outcome FROM identify('{"email": "y@shop.cn", "card": "y"}', 'pos', '{"birthday": "1990-01-02"}');
SELECT outcome FROM identify('{"email": "y@shop.cn"}', 'web', '{"birthday": "1991-01-02"}');
SELECT * FROM o2o.customer_size ORDER BY size;
TABLE pg_temp.suspect;
-- A person says that the two triangles are one: the bridge is no suspect any more,
-- not even where that is all that holds them.
SELECT customer_merge('card:a1', 'card:b1', 'same passport') = customer_lookup('card:b3'::identifier) AS one;
TABLE pg_temp.suspect;
SELECT cardinality(profiles) FROM evidence_retract((SELECT evidence_id FROM o2o.identity_evidence WHERE rule = 'event' AND source = 'web' AND status = 'link'), 'the till was shared');
TABLE pg_temp.suspect;

-- 6 of 10 cards is no news; of 7 it is near; of 5 too many.
SELECT count(*) FROM o2o.customer_near_limit;
UPDATE o2o.identifier_kind SET max_per_customer = 7 WHERE kind = 'card';
SELECT rule, used, allowed, round(share::numeric, 4) AS share FROM o2o.customer_near_limit;
UPDATE o2o.identifier_kind SET max_per_customer = 5 WHERE kind = 'card';
UPDATE o2o.setting SET value = '4' WHERE name = 'identity.customer_cap';
SELECT rule, used, allowed, share FROM o2o.customer_near_limit ORDER BY 1;
TABLE pg_temp.suspect;
-- A limit of one that holds is no news, one that does not is.
UPDATE o2o.setting SET value = '100' WHERE name = 'identity.customer_cap';
UPDATE o2o.identifier_kind SET max_per_customer = 1, is_unique = kind = 'card' WHERE kind IN ('card', 'email');
SELECT rule, used, allowed, share FROM o2o.customer_near_limit ORDER BY 1;
TABLE pg_temp.suspect;

-- Recall of blocking. Labels A A B B C and none: name finds 1-2, city 3-4. Labels A A B B B D: four true pairs,
-- two of them found; name finds 1-6 and 2-6 as well, and city 1-6 again, which does not count twice.
CREATE TEMP TABLE person (id bigint, name text, city text);
INSERT INTO person VALUES (1, 'ann', 'york'), (2, 'ann', 'leeds'), (3, 'bob', 'bath'), (4, 'rob', 'bath'), (5, 'hal', 'hull'), (6, 'ann', 'york');
CREATE TEMP TABLE model AS SELECT '{"comparisons": [{"name": "name", "levels": [{"label": "equal", "when": [[{"column": "name", "by": "equal"}]]}, {"label": "other"}]}],
	"blocking": [{"label": "name", "keys": [{"column": "name", "by": "value"}]}, {"label": "city", "keys": [{"column": "city", "by": "value"}]}]}'::jsonb AS model;
SELECT r.rule, r.label, r.pairs, r.true_pairs, round(r.recall::numeric, 4) AS recall, round(r.recall_so_far::numeric, 4) AS so_far
FROM model m, match_recall('SELECT * FROM person', m.model, ARRAY[1, 2, 3, 4, 5, 6], ARRAY['A', 'A', 'B', 'B', 'C', NULL]) r;
SELECT r.rule, r.pairs, r.true_pairs, round(r.recall::numeric, 4) AS recall, round(r.recall_so_far::numeric, 4) AS so_far
FROM model m, match_recall('SELECT * FROM person', m.model, ARRAY[1, 2, 3, 4, 5, 6], ARRAY['A', 'A', 'B', 'B', 'B', 'D']) r;
SELECT r.rule, r.pairs, r.recall, r.recall_so_far FROM model m, match_recall('SELECT * FROM person', m.model, '{}', '{}') r;

RESET ROLE;
\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_identity_health;
DROP ROLE o2o_health_owner;
