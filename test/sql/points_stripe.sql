-- Amounts split into stripes: a draw takes one stripe, or gathers them, never more than there is.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_points_stripe;
CREATE DATABASE o2o_points_stripe;
\c o2o_points_stripe
SET client_min_messages = warning;
CREATE ROLE o2o_points_stripe_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_points_stripe_owner;
CALL o2o.setup(owner => 'o2o_points_stripe_owner');
RESET client_min_messages;
SET ROLE o2o_points_stripe_owner;
SET search_path = public, o2o;
\set SHOW_CONTEXT never

SELECT o2o.points_stripes_open(7, 4);
SELECT o2o.points_stripes_open(7, 4);
SELECT o2o.points_stripes_put(7, 1001);
SELECT stripe, available FROM o2o.points_stripe WHERE account_id = 7 ORDER BY stripe;
-- From one stripe; then more than one has: gathered, and what is left lies in as many stripes as have enough for the next.
SELECT o2o.points_stripes_take(7, 50);
SELECT available, count(*) FROM o2o.points_stripe WHERE account_id = 7 GROUP BY available ORDER BY available;
SELECT o2o.points_stripes_take(7, 301);
SELECT o2o.points_stripes_available(7);
SELECT stripe, available FROM o2o.points_stripe WHERE account_id = 7 ORDER BY stripe;
-- More than is left: nothing, or what there is.
SELECT o2o.points_stripes_take(7, '650.0001');
SELECT o2o.points_stripes_available(7);
SELECT o2o.points_stripes_take(7, '650.0001', partly => true);
SELECT o2o.points_stripes_available(7);
SELECT o2o.points_stripes_take(7, '0.0001'), o2o.points_stripes_take(7, '0.0001', partly => true);
-- Given back to one stripe; paid in and out.
SELECT o2o.points_stripes_give(7, 3);
SELECT o2o.points_stripes_available(7);
SELECT o2o.points_stripes_put(7, '-3.5');
SELECT o2o.points_stripes_available(7);
SELECT o2o.points_stripes_put(7, -3);
SELECT o2o.points_stripes_available(7);
-- Amounts without stripes have nothing.
SELECT o2o.points_stripes_take(8, 1), o2o.points_stripes_available(8);
SELECT o2o.points_stripes_open(8, 0);
UPDATE o2o.points_stripe SET available = -1 WHERE account_id = 7;
-- The last of it, one by one: 100 draws of 7 from 500 in 32 stripes are 71, whatever stripes they came from.
SELECT o2o.points_stripes_open(9);
SELECT o2o.points_stripes_put(9, 500);
SELECT count(*) FILTER (WHERE taken = 7), count(*) FILTER (WHERE taken = 0)
FROM (SELECT o2o.points_stripes_take(9, 7) AS taken FROM generate_series(1, 100)) t;
SELECT o2o.points_stripes_available(9);

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_points_stripe;
DROP ROLE o2o_points_stripe_owner;
