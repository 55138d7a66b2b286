-- 20,000 customers with a points account, a store, 1,000 products.
SELECT o2o.source_register('pos', 'Till');
SELECT o2o.points_program_create('club', 'Club', 'CNY', expires_after => interval '1 year', expires_round => 'month');
SELECT o2o.location_import('[{"source": "pos", "source_id": "S1", "name": "One"}]');
INSERT INTO o2o.import_identity (batch_id, source, event_id, occurred_at, identifiers)
SELECT 1, 'pos', n, now() - interval '400 days', jsonb_build_object('card', 'c' || n) FROM generate_series(1, 20000) AS n;
SELECT o2o.identity_import(1);
CREATE TABLE buyer AS SELECT event_id::integer AS n, profile_id FROM o2o.import_identity;
INSERT INTO o2o.import_points (batch_id, profile_id, program, operation, amount, occurred_at)
SELECT 1, profile_id, 'club', 'opening', 100, now() - interval '1 hour' FROM buyer;
SELECT o2o.points_import(1);
ALTER TABLE buyer ADD account_id bigint;
UPDATE buyer SET account_id = a.account_id FROM o2o.points_account a WHERE a.profile_id = buyer.profile_id;
ALTER TABLE buyer ADD PRIMARY KEY (n);
INSERT INTO o2o.product (source, source_id, name) SELECT 'pos', 'sku' || n, 'Product ' || n FROM generate_series(0, 999) AS n;
INSERT INTO o2o.sku (sku, product_id, name) SELECT source_id, product_id, name FROM o2o.product;
CREATE TABLE shop AS SELECT location_id FROM o2o.location;
CREATE TABLE issuer AS SELECT account_id FROM o2o.points_system_account WHERE program = 'club' AND kind = 'issuer';
CREATE SEQUENCE run MINVALUE 2;

-- Written once already, for the sake of statistics: a plan made over an empty table stays in the session.
\i bench/orders/place.ours.sql
\i bench/orders/place.peer.sql
