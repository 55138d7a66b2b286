-- Households: a second pass over customers, by hand.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_identity_household;
CREATE DATABASE o2o_identity_household;
\c o2o_identity_household
SET client_min_messages = warning;
CREATE ROLE o2o_household_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_household_owner;
CALL o2o.setup(owner => 'o2o_household_owner');
RESET client_min_messages;
SET ROLE o2o_household_owner;
SET search_path = public, o2o;
CREATE VIEW pg_temp.home AS
	SELECT dense_rank() OVER (ORDER BY m.household_id) AS home,
		(SELECT min(i.identifier::text COLLATE "C") FROM o2o.profile p JOIN o2o.profile_identifier i USING (profile_id) WHERE p.customer_id = m.customer_id AND p.kind = 'card') AS card,
		m.size, m.rules, m.household_id = min(m.customer_id) OVER (PARTITION BY m.household_id) AS is_lowest
	FROM o2o.household_member m ORDER BY 1, 2;

SELECT * FROM household_resolve();
-- Ann and Bob: one address and surname, written differently. Cid: the same address, another surname. Dan: no surname.
SELECT outcome FROM identify('{"card": "ann"}', 'pos', '{"surname": "Li", "address": "Nanjing Rd. 12, 3-F"}');
SELECT outcome FROM identify('{"card": "bob"}', 'web', '{"surname": "LI", "address": "Nanjing Rd 12 3F"}');
SELECT outcome FROM identify('{"card": "cid"}', 'web', '{"surname": "Wu", "address": "Nanjing Rd 12 3F"}');
SELECT outcome FROM identify('{"card": "dan"}', 'web', '{"address": "Nanjing Rd 12 3F"}');
-- Eve and Fay: two union ids, one telephone, which Eve has. Gus was seen with it as well, and lives at Ann's.
SELECT outcome FROM identify('{"unionid": "e", "card": "eve", "phone": "+8613800138001"}', 'web');
SELECT outcome FROM identify('{"unionid": "f", "card": "fay", "phone": "+8613800138001"}', 'web');
SELECT * FROM household_resolve();
TABLE pg_temp.home;
SELECT outcome FROM identify('{"unionid": "g", "card": "gus", "phone": "+8613800138001"}', 'web', '{"surname": "Li", "address": "NANJING RD 12-3f"}');
SELECT * FROM household_resolve();
TABLE pg_temp.home;
SELECT * FROM household_resolve();
-- Five are too many: the address connects three, the telephone three, together they are five.
UPDATE o2o.setting SET value = '4' WHERE name = 'identity.household_cap';
SELECT * FROM household_resolve();
UPDATE o2o.setting SET value = '2' WHERE name = 'identity.household_cap';
SELECT * FROM household_resolve();
UPDATE o2o.setting SET value = '10' WHERE name = 'identity.household_cap';
SELECT * FROM household_resolve();
-- A merge counts at once in the view, and in the table at the next pass.
SELECT customer_merge('card:ann', 'card:bob', 'one person') > 0 AS merged;
TABLE pg_temp.home;
SELECT * FROM household_resolve();
TABLE pg_temp.home;
-- A shared telephone connects those who were seen with it, and is none of them.
UPDATE o2o.identifier_kind SET shared_threshold = 2 WHERE kind = 'phone';
SELECT outcome FROM identify('{"unionid": "h", "card": "hal", "phone": "+8613800138001"}', 'web');
SELECT is_shared FROM o2o.profile_identifier WHERE identifier OPERATOR(o2o.=) 'phone:+8613800138001';
SELECT * FROM household_resolve();
TABLE pg_temp.home;
-- A rule less.
DELETE FROM o2o.household_rule WHERE rule = 'phone';
SELECT * FROM household_resolve();
TABLE pg_temp.home;
-- Where a merge leaves one, there is no household.
SELECT customer_merge('card:ann', 'card:gus', 'one person') > 0 AS merged;
TABLE pg_temp.home;
SELECT * FROM identity_verify();
INSERT INTO o2o.household_rule (rule, traits, identifier_kind, description) VALUES ('both', '{name}', 'phone', 'neither fish nor fowl');

RESET ROLE;
\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_identity_household;
DROP ROLE o2o_household_owner;
