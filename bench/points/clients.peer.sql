-- a likeness of published double-entry ledgers in SQL: time-ordered text ids, numeric amounts, foreign keys, from one member to another
-- count: 32000 calls
\set n random(1, 20000)
\set o 1 + (:n + random(0, 19998)) % 20000
SELECT journal.transfer_create('acct_' || md5((:n)::text), 'acct_' || md5((:o)::text), 0.01, NULL, '{"reference": "pos/1"}');
