-- the double-entry ledger with text ids and numeric amounts, from one member to another
-- count: 8000 calls
\set n random(1, 20000)
\set o random(1, 19999)
SELECT ledger.transfer_create('acc_' || md5((:n)::text), 'acc_' || md5((1 + (:n + :o) % 20000)::text), 0.01, '{"reference": "pos/1"}');
