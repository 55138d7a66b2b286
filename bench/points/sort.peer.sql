-- the same of bigint
SELECT cents FROM amount ORDER BY cents DESC LIMIT 1000;
