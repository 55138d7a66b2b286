-- Three million amounts with two digits, the same in each column.
CREATE TABLE amount AS
SELECT n AS id, n % 30000 AS account, (n * 7919 % 1000000 / 100.0)::numeric(18, 4)::o2o.points AS points,
	n * 7919 % 1000000 AS cents, (n * 7919 % 1000000 / 100.0)::numeric(18, 2) AS numeric_amount
FROM generate_series(1, 3000000::bigint) AS n;
