-- a leaner double-entry ledger in SQL, from one member to another
-- count: 32000 calls
\set n random(1, 20000)
\set o 1 + (:n + random(0, 19998)) % 20000
SELECT ledger.transfer_create('acc_' || md5((:n)::text), 'acc_' || md5((:o)::text), 0.01, '{"reference": "pos/1"}');
