-- the same of bigint
-- count: 3000000 rows
SELECT cents FROM amount ORDER BY cents DESC LIMIT 1000;
