-- A member table that stays as it is, mapped and imported.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_identity_source;
CREATE DATABASE o2o_identity_source;
\c o2o_identity_source
SET client_min_messages = warning;
CREATE ROLE o2o_source_owner;
CREATE ROLE o2o_source_clerk;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_source_owner;
GRANT USAGE ON SCHEMA o2o TO o2o_source_clerk;
CALL o2o.setup(owner => 'o2o_source_owner');
CREATE TABLE public."Member" ("No." int PRIMARY KEY, "full name" text, mobile text, tel text, "E-Mail" text, changed timestamp);
INSERT INTO public."Member" VALUES
	(1, 'Li Na', '139 0013 9000', NULL, 'Na@Shop.cn', '2026-01-01 08:00'), (2, 'Wang Wei', '137 0013 7000', '', NULL, '2026-01-02 08:00'),
	(3, 'Li Na (2)', NULL, '139-0013-9000', NULL, '2026-01-03 08:00'), (4, NULL, 'no idea', NULL, NULL, NULL);
SET ROLE o2o_source_owner;
SET search_path = public, o2o;
\set SHOW_CONTEXT never
\set VERBOSITY terse
SELECT grant_access('o2o_source_clerk', 'operator');
RESET client_min_messages;
SELECT source_register('shop_crm', 'Customer file', default_country => 'CN', time_zone => 'Asia/Shanghai');
SELECT source_map('shop_crm', '"Member"', 'No.', '{"phone": ["mobile", "tel"], "email": "email"}');
SELECT source_map('shop_crm', '"Member"', 'No.', changed_column => 'full name');
SELECT source_map('mars', '"Member"', 'No.');
SELECT source_import('shop_crm');
SELECT source_map('shop_crm', '"Member"', 'No.', '{"phone": ["mobile", "tel"], "email": "E-Mail"}', '{"name": "full name"}', 'changed');
TABLE o2o.source_column ORDER BY role, name, column_name;

-- Neither owner nor clerk may read the table yet; the clerk may map nothing.
SELECT source_import('shop_crm');
RESET ROLE;
GRANT SELECT ON "Member" TO o2o_source_clerk;
SET ROLE o2o_source_owner;
SELECT source_import('shop_crm');
SET ROLE o2o_source_clerk;
SELECT source_map('shop_crm', '"Member"', 'No.');
SELECT taken, problems FROM source_import('shop_crm');
SELECT source, table_name, rows_taken, problems, last_rows, timezone('UTC', changed_up_to) = '2026-01-03 00:00' AS changed_up_to FROM o2o.source_progress;
SELECT source_id, customer_id = min(customer_id) OVER () AS is_li_na FROM o2o.customer_ref WHERE source = 'shop_crm' ORDER BY source_id;
SELECT p.problem, p.source_id FROM o2o.import_problem p JOIN o2o.source_progress s ON s.last_batch_id = p.batch_id;
SELECT value FROM o2o.customer_trait WHERE name = 'name' ORDER BY value;
SELECT count(*) FROM o2o.import_identity;

-- Nothing is new but what may have been committed late; then a row more and one changed.
SELECT taken, problems FROM source_import('shop_crm');
RESET ROLE;
UPDATE "Member" SET "E-Mail" = 'wei@shop.cn', changed = '2026-01-05 08:00' WHERE "No." = 2;
INSERT INTO "Member" VALUES (5, 'Wei', NULL, NULL, 'WEI@shop.cn', '2025-12-31 08:00');
SET ROLE o2o_source_clerk;
SELECT taken, problems FROM source_import('shop_crm');
SELECT count(DISTINCT customer_id) FROM o2o.customer_ref WHERE source = 'shop_crm' AND source_id IN ('2', '5');
SELECT taken, problems FROM source_import('shop_crm');
-- Another mapping: all rows once more, now with the city.
RESET ROLE;
ALTER TABLE "Member" ADD city text DEFAULT 'Wuhan';
SET ROLE o2o_source_owner;
SELECT source_map('shop_crm', '"Member"', 'No.', '{"phone": ["mobile", "tel"], "email": "E-Mail"}', '{"city": "city"}');
SET ROLE o2o_source_clerk;
SELECT taken, problems FROM source_import('shop_crm');
SELECT taken, problems FROM source_import('shop_crm');
SELECT name, count(*) FROM o2o.customer_trait GROUP BY name ORDER BY name;
-- Where no row had a time at first, the first one that gets one is a change.
RESET ROLE;
UPDATE "Member" SET changed = NULL;
SET ROLE o2o_source_owner;
SELECT source_map('shop_crm', '"Member"', 'No.', '{"email": "E-Mail"}', '{"city": "city"}', 'changed');
SET ROLE o2o_source_clerk;
SELECT taken, problems FROM source_import('shop_crm');
SELECT taken, problems FROM source_import('shop_crm');
RESET ROLE;
UPDATE "Member" SET city = 'Xian', changed = localtimestamp - interval '3 days' WHERE "No." = 2;
SET ROLE o2o_source_clerk;
SELECT taken, problems FROM source_import('shop_crm');
SELECT * FROM identity_verify();

-- health() tells of a source that nobody imported for two days, and of a backfill that stands still.
RESET ROLE;
CREATE VIEW behind AS SELECT "check", status, value !~ '^imported' AS is_never, hint FROM health() WHERE "check" ~ '^(source:|backfill:)';
TABLE behind;
UPDATE o2o.source_table SET imported_at = now() - interval '3 days';
INSERT INTO o2o.import_batch (batch_id, rows_total, rows_done, started_at, last_chunk_at, last_error) VALUES (5, 10, 4, now() - interval '2 days', now() - interval '2 hours', '53100: disk full');
TABLE behind;
UPDATE o2o.import_batch SET last_chunk_at = now();
UPDATE o2o.source_table SET imported_at = NULL;
TABLE behind;

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_identity_source;
DROP ROLE o2o_source_owner, o2o_source_clerk;
