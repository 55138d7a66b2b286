-- Every check of the books, its rows kept for the account and the page.
CREATE TABLE IF NOT EXISTS demo.verify (name text PRIMARY KEY, rows bigint NOT NULL);
TRUNCATE demo.verify;
INSERT INTO demo.verify
SELECT 'points_verify', count(*) FROM o2o.points_verify()
UNION ALL SELECT 'identity_verify', count(*) FROM o2o.identity_verify();
SELECT * FROM demo.verify;
